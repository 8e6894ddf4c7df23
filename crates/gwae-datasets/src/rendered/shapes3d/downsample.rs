//! Downsampling from three samples per pixel and axis, with a Lanczos filter of three lobes.
//!
//! The published images used the same filter: their edges overshoot slightly.

/// Number of samples per pixel along each axis.
pub(super) const SAMPLES: usize = 3;
/// Number of lobes of the filter: it reaches this many pixels to each side.
const LOBES: i32 = 3;
/// Number of samples that one pixel uses, rounded up to whole groups of [`LANES`].
const WINDOW: usize = 20;
/// Number of parallel sums, which the processor can add together.
const LANES: usize = 4;

/// The samples of one pixel along one axis.
struct Taps {
    first: usize,
    weights: [f32; WINDOW],
}

/// Makes a square image from a function that fills rows of samples.
pub(super) struct Downsample {
    taps: Vec<Taps>,
}

impl Downsample {
    pub(super) fn new(size: usize) -> Self {
        let samples = (SAMPLES * size) as i32;
        let taps = (0..size as i32)
            .map(|pixel| {
                let centre = SAMPLES as i32 * pixel + SAMPLES as i32 / 2;
                let reach = LOBES * SAMPLES as i32 - 1;
                let first = (centre - reach).max(0);
                let end = (centre + reach + 1).min(samples);
                let raw: Vec<f64> = (first..end).map(|s| lanczos(s - centre)).collect();
                let sum: f64 = raw.iter().sum();
                let mut weights = [0.0; WINDOW];
                for (weight, raw) in weights.iter_mut().zip(raw) {
                    *weight = (raw / sum) as f32;
                }
                Taps {
                    first: first as usize,
                    weights,
                }
            })
            .collect();
        Self { taps }
    }

    /// Length of each plane of a row: the samples, and padding that stays 0.
    pub(super) fn row_len(&self) -> usize {
        SAMPLES * self.taps.len() + WINDOW
    }

    /// The planar image. `fill` writes a row of samples, counted from the top, as red, green and
    /// blue planes of [`Downsample::row_len`] values in `[0, 1]`.
    pub(super) fn picture(&self, mut fill: impl FnMut(usize, &mut [f32])) -> Vec<u8> {
        let size = self.taps.len();
        let rows = SAMPLES * size;
        let plane = self.row_len();
        // The rows that a pixel uses. Row `n` is at position `n` modulo WINDOW.
        let mut window = vec![0.0; 3 * plane * WINDOW];
        let mut filled = 0;
        let mut sums = vec![0.0_f32; 3 * plane];
        let mut pixels = vec![0; 3 * size * size];
        for (y, taps) in self.taps.iter().enumerate() {
            let end = (taps.first + WINDOW).min(rows);
            let slot = |row: usize| 3 * plane * (row % WINDOW)..3 * plane * (row % WINDOW + 1);
            for row in filled..end {
                fill(row, &mut window[slot(row)]);
            }
            filled = end;
            sums.fill(0.0);
            for (row, &weight) in (taps.first..end).zip(&taps.weights) {
                if weight != 0.0 {
                    for (sum, value) in sums.iter_mut().zip(&window[slot(row)]) {
                        *sum += weight * value;
                    }
                }
            }
            for (channel, sums) in sums.chunks_exact(plane).enumerate() {
                let row = &mut pixels[(channel * size + y) * size..][..size];
                for (pixel, taps) in row.iter_mut().zip(&self.taps) {
                    *pixel = quantise(weighted(&sums[taps.first..], &taps.weights));
                }
            }
        }
        pixels
    }
}

fn weighted(values: &[f32], weights: &[f32; WINDOW]) -> f32 {
    let mut lanes = [0.0_f32; LANES];
    let values = values[..WINDOW].chunks_exact(LANES);
    for (values, weights) in values.zip(weights.chunks_exact(LANES)) {
        for lane in 0..LANES {
            lanes[lane] += values[lane] * weights[lane];
        }
    }
    (lanes[0] + lanes[2]) + (lanes[1] + lanes[3])
}

fn quantise(value: f32) -> u8 {
    // The cast clamps overshooting values to 0 and 255.
    (value * 255.0 + 0.5) as u8
}

/// The kernel `sinc(x)·sinc(x/3)` at a distance in samples.
fn lanczos(distance: i32) -> f64 {
    let x = std::f64::consts::PI * f64::from(distance) / SAMPLES as f64;
    let lobes = f64::from(LOBES);
    if distance == 0 {
        1.0
    } else {
        x.sin() / x * (x / lobes).sin() / (x / lobes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_of_every_pixel_sum_to_one_and_stay_in_range() {
        for size in [1, 2, 3, 7, 64] {
            let downsample = Downsample::new(size);
            for taps in &downsample.taps {
                assert!((taps.weights.iter().sum::<f32>() - 1.0).abs() < 1e-5);
                assert!(taps.first + WINDOW <= downsample.row_len());
                let beyond = (SAMPLES * size).saturating_sub(taps.first);
                assert!(taps.weights[beyond.min(WINDOW)..].iter().all(|&w| w == 0.0));
            }
        }
    }

    #[test]
    fn agrees_with_the_sum_over_both_axes() {
        let size = 9;
        let samples = SAMPLES * size;
        let value = |x: usize, y: usize, c: usize| ((x * 7 + y * 13 + c * 5) % 17) as f32 / 16.0;
        let downsample = Downsample::new(size);
        let plane = downsample.row_len();
        let picture = downsample.picture(|y, row| {
            for c in 0..3 {
                for x in 0..samples {
                    row[c * plane + x] = value(x, y, c);
                }
            }
        });
        let weight = |pixel: usize, sample: usize| {
            let all: f64 = (0..samples)
                .map(|s| s as i32 - (3 * pixel as i32 + 1))
                .filter(|d| d.abs() < 9)
                .map(lanczos)
                .sum();
            let distance = sample as i32 - (3 * pixel as i32 + 1);
            if distance.abs() < 9 {
                lanczos(distance) / all
            } else {
                0.0
            }
        };
        for c in 0..3 {
            for (y, x) in [(0, 0), (0, 8), (4, 4), (8, 3), (5, 0)] {
                let mut sum = 0.0;
                for j in 0..samples {
                    for i in 0..samples {
                        sum += weight(y, j) * weight(x, i) * f64::from(value(i, j, c));
                    }
                }
                let expected = (sum * 255.0).round().clamp(0.0, 255.0);
                let found = f64::from(picture[(c * size + y) * size + x]);
                assert!(
                    (found - expected).abs() <= 1.0,
                    "{c} {y} {x}: {found} {expected}"
                );
            }
        }
    }

    #[test]
    fn leaves_an_even_picture_as_it_is() {
        for (value, pixel) in [(0.0, 0), (0.6, 153), (1.0, 255)] {
            let downsample = Downsample::new(5);
            let picture = downsample.picture(|_, row| {
                let plane = row.len() / 3;
                for channel in row.chunks_exact_mut(plane) {
                    channel[..SAMPLES * 5].fill(value);
                }
            });
            assert_eq!(picture, vec![pixel; 75]);
        }
    }
}
