//! Noise, rough to smooth.

use std::sync::LazyLock;

use serde::{Deserialize, Serialize};

use crate::draws::Draws;
use crate::rendered::{check_count, check_size, settings_fingerprint};
use crate::{Dataset, DatasetError, FactorKind, FactorSpec, Image, Item};

/// Version of the pictures. It goes up with every change that changes one pixel.
const VERSION: u32 = 1;

/// How far to either side each of three averages reaches, in pixels, for every value of
/// `smoothing`.
const REACHES: [usize; 5] = [0, 1, 2, 4, 8];

static FACTORS: LazyLock<[FactorSpec; 1]> = LazyLock::new(|| {
    [FactorSpec {
        name: "smoothing".to_owned(),
        kind: FactorKind::Ordered,
        values: REACHES.len() as u32,
    }]
});

static NAMES: LazyLock<[String; REACHES.len()]> = LazyLock::new(|| {
    // Three averages over 2r + 1 pixels have the variance 3·((2r + 1)² − 1)/12 = r(r + 1).
    REACHES.map(|reach| match reach {
        0 => "none".to_owned(),
        _ => format!("{:.1} pixels", ((reach * (reach + 1)) as f64).sqrt()),
    })
});

/// What [`NoiseImages`] are made from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NoiseImagesConfig {
    /// Height and width of the pictures in pixels: 1 to 4096. 28, as in MNIST, by default.
    pub size: usize,
    /// 1 (grey) by default, or 3 (colour): planes of noise that have nothing in common.
    pub channels: usize,
    /// Number of pictures: 1 or more. 2,000 by default.
    pub items: usize,
    /// Pictures of different seeds have nothing in common. 0 by default.
    pub seed: u64,
}

impl Default for NoiseImagesConfig {
    fn default() -> Self {
        Self {
            size: 28,
            channels: 1,
            items: 2_000,
            seed: 0,
        }
    }
}

/// Random pixels, as they are or smoothed, made when an item is asked for.
///
/// **Use.** The least that a detector of what is not in its training data must tell, as a sanity
/// check (Hendrycks & Gimpel 2017, arXiv:1610.02136, have such sets). It is not a trivial one: flow
/// and autoencoder likelihoods are known to rank smooth pictures above the very data they were
/// trained on (Nalisnick et al. 2019, arXiv:1810.09136; Serrà et al. 2020, arXiv:1909.11480). So
/// the one factor is `smoothing`, in order: none, then a standard deviation of 1.4, 2.4, 4.5 and
/// 8.5 pixels. Item `i` has value `i mod 5`.
///
/// Every pixel of every plane is uniform in 0 to 255. To smooth is to average three times over a
/// square around each pixel, which is all but a Gaussian filter; opposite borders meet. The plane
/// is then stretched to 0 to 255 again, so that smooth pictures have contrast too. Without
/// smoothing the mean of all pixels is 0.5, a long way from 0.13 of MNIST digits: judge a score by
/// how much better than mean brightness it is.
///
/// All arithmetic is of integers, the same everywhere. A picture is a function of its index and the
/// settings alone, so the [fingerprint](Dataset::fingerprint) is a digest of these, and fewer items
/// are the first of more. There is no official division into training and test part.
pub struct NoiseImages {
    config: NoiseImagesConfig,
}

impl NoiseImages {
    /// Checks the settings; pictures are made later.
    ///
    /// # Errors
    /// [`DatasetError::Size`] for a size of 0 or above 4096, [`DatasetError::Channels`] for other
    /// than 1 or 3 channels, [`DatasetError::Count`] for no items, or more than an index can count.
    pub fn new(config: NoiseImagesConfig) -> Result<Self, DatasetError> {
        check_size(config.size)?;
        if !matches!(config.channels, 1 | 3) {
            return Err(DatasetError::Channels {
                channels: config.channels,
            });
        }
        check_count("items", config.items, u32::MAX as usize)?;
        Ok(Self { config })
    }

    /// The settings they are made from.
    pub fn config(&self) -> &NoiseImagesConfig {
        &self.config
    }
}

impl Dataset for NoiseImages {
    fn name(&self) -> &str {
        "noise"
    }

    fn len(&self) -> usize {
        self.config.items
    }

    fn train_len(&self) -> usize {
        self.config.items
    }

    fn item(&self, index: usize) -> Result<Item, DatasetError> {
        if index >= self.len() {
            return Err(DatasetError::IndexOutOfRange {
                dataset: self.name().to_owned(),
                index,
                len: self.len(),
            });
        }
        let NoiseImagesConfig {
            size,
            channels,
            seed,
            ..
        } = self.config;
        let smoothing = index % REACHES.len();
        let mut pixels = vec![0; channels * size * size];
        Draws::new("noise", seed, index as u64).fill(&mut pixels);
        if smoothing > 0 {
            for plane in pixels.chunks_exact_mut(size * size) {
                smooth(plane, size, REACHES[smoothing]);
            }
        }
        Ok(Item {
            image: Image {
                channels,
                height: size,
                width: size,
                pixels,
            },
            factors: vec![smoothing as u32],
        })
    }

    fn factors(&self) -> &[FactorSpec] {
        FACTORS.as_slice()
    }

    fn value_names(&self, factor: usize) -> Option<&[String]> {
        (factor == 0).then_some(NAMES.as_slice())
    }

    fn find(&self, factors: &[u32]) -> Option<usize> {
        match *factors {
            [smoothing] if (smoothing as usize) < REACHES.len().min(self.len()) => {
                Some(smoothing as usize)
            }
            _ => None,
        }
    }

    fn fingerprint(&self) -> String {
        let NoiseImagesConfig {
            size,
            channels,
            items,
            seed,
        } = self.config;
        settings_fingerprint(&format!(
            "noise, version {VERSION}, size {size}, channels {channels}, items {items}, seed {seed}"
        ))
    }
}

/// Averages a square plane three times over `reach` pixels to each side, and stretches what comes
/// out to 0 to 255. A plane of one value stays as it is.
fn smooth(plane: &mut [u8], size: usize, reach: usize) {
    // Sums in place of averages: at most 255·17⁶, far below what fits.
    let mut sums: Vec<u64> = plane.iter().map(|&value| u64::from(value)).collect();
    let mut line = vec![0; size];
    for _ in 0..3 {
        for start in 0..size {
            sum_along(&mut sums, start * size, 1, reach, &mut line);
        }
        for start in 0..size {
            sum_along(&mut sums, start, size, reach, &mut line);
        }
    }
    let low = sums.iter().copied().min().unwrap_or(0);
    let high = sums.iter().copied().max().unwrap_or(0);
    if low == high {
        return;
    }
    let range = high - low;
    for (value, sum) in plane.iter_mut().zip(sums) {
        *value = ((255 * (sum - low) + range / 2) / range) as u8;
    }
}

/// Replaces each value of one row or column by the sum of `reach` values to each side and itself,
/// in a circle.
fn sum_along(sums: &mut [u64], start: usize, step: usize, reach: usize, line: &mut [u64]) {
    let size = line.len();
    for (place, value) in line.iter_mut().enumerate() {
        *value = sums[start + place * step];
    }
    // The window around place 0; a short circle is gone around more than once.
    let mut leaving = (size * reach - reach) % size;
    let mut entering = leaving;
    let step_on = |place: &mut usize| {
        let value = line[*place];
        *place += 1;
        if *place == size {
            *place = 0;
        }
        value
    };
    let mut sum: u64 = (0..=2 * reach).map(|_| step_on(&mut entering)).sum();
    for place in 0..size {
        sums[start + place * step] = sum;
        sum += step_on(&mut entering);
        sum -= step_on(&mut leaving);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_are_those_of_a_circle() {
        for size in [1, 2, 3, 7, 30] {
            for reach in [1, 2, 4, 8] {
                let values: Vec<u64> = (0..size as u64).map(|i| i * i % 11).collect();
                let mut sums = values.clone();
                sum_along(&mut sums, 0, 1, reach, &mut vec![0; size]);
                for (place, &found) in sums.iter().enumerate() {
                    let expected: u64 = (-(reach as i64)..=reach as i64)
                        .map(|offset| {
                            values[(place as i64 + offset).rem_euclid(size as i64) as usize]
                        })
                        .sum();
                    assert_eq!(found, expected);
                }
            }
        }
    }

    #[test]
    fn planes_are_smoothed_along_both_axes_at_once() {
        // One white pixel becomes the triple average of a square: a product of two equal profiles.
        let (size, reach) = (9, 1);
        let mut plane = vec![0; size * size];
        plane[4 * size + 4] = 255;
        smooth(&mut plane, size, reach);
        let profile = [0, 1, 3, 6, 7, 6, 3, 1, 0];
        for (place, &found) in plane.iter().enumerate() {
            let expected: u32 = profile[place / size] * profile[place % size];
            assert_eq!(u32::from(found), (255 * expected + 24) / 49, "{place}");
        }
    }

    #[test]
    fn planes_of_one_value_stay() {
        let mut plane = vec![77; 9];
        smooth(&mut plane, 3, 2);
        assert_eq!(plane, [77; 9]);
    }
}
