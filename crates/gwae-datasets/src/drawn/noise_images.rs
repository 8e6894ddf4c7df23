//! Images of noise, from rough to smooth.

use std::sync::LazyLock;

use serde::{Deserialize, Serialize};

use crate::dataset::{Dataset, out_of_range};
use crate::draws::Draws;
use crate::error::{DatasetError, SettingError};
use crate::item::{FactorKind, FactorSpec, Image, Item};
use crate::recipe::{check_count, check_size, settings_fingerprint};

/// Version of the images. It increases with every change of a pixel.
const VERSION: u32 = 1;

/// Radius in pixels of each of the three averages, for every value of `smoothing`.
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

/// The settings of [`NoiseImages`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NoiseImagesConfig {
    /// Height and width of the images in pixels: 1 to 4096. Default: 28, as in MNIST.
    pub size: usize,
    /// 1 (grey, the default) or 3 (colour: independent planes of noise).
    pub channels: usize,
    /// Number of images: 1 or more. Default: 2,000.
    pub items: usize,
    /// Images of different seeds are independent. Default: 0.
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

/// Random pixels, plain or smoothed, made on request.
///
/// **Use.** The simplest test for an out-of-distribution detector, as a sanity check (Hendrycks &
/// Gimpel 2017, arXiv:1610.02136, use such datasets). It is not trivial: flow and autoencoder
/// likelihoods can rank smooth images above their own training data (Nalisnick et al. 2019,
/// arXiv:1810.09136; Serrà et al. 2020, arXiv:1909.11480). So the only factor is `smoothing`, in
/// order: none, then a standard deviation of 1.4, 2.4, 4.5 and 8.5 pixels. Item `i` has
/// value `i mod 5`.
///
/// Every pixel of every plane is uniform in 0 to 255. Smoothing averages three times over a square
/// around each pixel, which is almost a Gaussian filter; opposite borders are connected. Then the
/// plane is stretched to 0 to 255 again, so that smooth images have contrast too. Without
/// smoothing, the mean of all pixels is 0.5, far from the 0.13 of MNIST digits. So judge a score
/// by how much better it is than mean brightness.
///
/// All arithmetic uses integers, so the images are the same on all machines. An image is a function
/// of its index and the settings only, so the [fingerprint](Dataset::fingerprint) is a digest of
/// the settings. A smaller dataset is the start of a larger one. There is no official division into
/// training and test part.
pub struct NoiseImages {
    config: NoiseImagesConfig,
}

impl NoiseImages {
    /// Checks the settings. Images are made later.
    ///
    /// # Errors
    /// [`SettingError::Size`] for a size of 0 or above 4096, [`SettingError::Channels`] unless
    /// there are 1 or 3 channels, [`SettingError::Count`] for no items, or more than an index can
    /// count.
    pub fn new(config: NoiseImagesConfig) -> Result<Self, DatasetError> {
        check_size(config.size)?;
        if !matches!(config.channels, 1 | 3) {
            return Err(DatasetError::Setting(SettingError::Channels {
                channels: config.channels,
            }));
        }
        check_count("items", config.items, u32::MAX as usize)?;
        Ok(Self { config })
    }

    /// The settings of the dataset.
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

    fn item(&self, index: usize) -> Result<Item, DatasetError> {
        if index >= self.len() {
            return Err(out_of_range(self, index));
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

/// Averages a square plane three times over `reach` pixels to each side, and stretches the result
/// to 0 to 255. A plane with a single value stays unchanged.
fn smooth(plane: &mut [u8], size: usize, reach: usize) {
    // Sums in place of averages: at most 255·17⁶, far below the maximum.
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

/// Replaces each value of one row or column by the sum of itself and `reach` values to each side.
/// The ends are connected.
fn sum_along(sums: &mut [u64], start: usize, step: usize, reach: usize, line: &mut [u64]) {
    let size = line.len();
    for (place, value) in line.iter_mut().enumerate() {
        *value = sums[start + place * step];
    }
    // The window around position 0. It may go around a short row more than once.
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
