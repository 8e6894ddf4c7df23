//! A dataset with images cut into patches that are put together in another order.

use std::sync::Arc;

use crate::dataset::Dataset;
use crate::derived::source::Derived;
use crate::draws::Draws;
use crate::error::{DatasetError, ImageError, SettingError};
use crate::item::{Image, Item};
use crate::recipe::settings_fingerprint;

/// Version of the orders. It increases with every change that affects one of them.
const VERSION: u32 = 1;

/// A dataset in which each image is cut into a grid of patches that are shuffled. Factors, order and parts do
/// not change.
///
/// **Use.** A shuffled image has exactly the pixels of its original: the same mean, contrast and histogram,
/// and the same texture within patches. Only the global shape is lost, so a score that sees no difference
/// does not detect shape. The fewer the patches, the harder the test. (Noroozi & Favaro 2016,
/// arXiv:1603.09246, train on such puzzles.)
///
/// With `n` patches along each side, patches are `⌊height / n⌋`×`⌊width / n⌋` pixels, centred in the image.
/// The remaining border, fewer than `n` rows and columns, does not change; an odd remainder leaves one more
/// at the bottom and at the right.
///
/// The order of the patches is drawn for each item from the seed and the item's index, uniformly from all
/// orders except the original one. All channels share it. Patches may be equal, such as the black ones around
/// a digit, so a shuffled image could still look like its original.
///
/// Apply a [`Transform`](crate::Transform) before the shuffle, not after: a later crop would cut through
/// patches and include some from outside its square, and a later resize would mix pixels across the seams. So
/// crop and resize first, with [`Transformed`](crate::Transformed) or [`CachedImages`](crate::CachedImages)
/// inside this dataset.
pub struct PatchShuffled {
    dataset: Arc<dyn Dataset>,
    grid: usize,
    seed: u64,
    name: String,
}

impl PatchShuffled {
    /// Default number of patches along each side.
    pub const DEFAULT_GRID: usize = 4;

    /// `dataset` in `grid`×`grid` patches each. Its name is the name of the dataset with, for example,
    /// `-shuffled-4x4` appended.
    ///
    /// # Errors
    /// [`SettingError::PatchGrid`] for a grid below 2. An image that is too small gives an error when it is
    /// read: [`DatasetError::Item`] with [`ImageError::SmallerThanGrid`].
    pub fn new(dataset: Arc<dyn Dataset>, grid: usize, seed: u64) -> Result<Self, DatasetError> {
        if grid < 2 {
            return Err(DatasetError::Setting(SettingError::PatchGrid { grid }));
        }
        Ok(Self {
            name: format!("{}-shuffled-{grid}x{grid}", dataset.name()),
            dataset,
            grid,
            seed,
        })
    }

    /// For each position in the grid, row by row, the patch that goes there.
    fn order(&self, index: usize) -> Vec<u32> {
        let mut draws = Draws::new("order of patches", self.seed, index as u64);
        let identity: Vec<u32> = (0..(self.grid * self.grid) as u32).collect();
        let mut order = identity.clone();
        // With at least 4 patches, the identity is at most one order of 24.
        while order == identity {
            draws.shuffle(&mut order);
        }
        order
    }

    fn shuffled(&self, image: &Image, index: usize) -> Result<Vec<u8>, DatasetError> {
        let &Image {
            channels,
            height,
            width,
            ref pixels,
        } = image;
        let grid = self.grid;
        if height < grid || width < grid {
            return Err(DatasetError::Image(ImageError::SmallerThanGrid {
                height,
                width,
                grid,
            }));
        }
        if height
            .checked_mul(width)
            .and_then(|area| area.checked_mul(channels))
            != Some(pixels.len())
        {
            return Err(DatasetError::Image(ImageError::Inconsistent {
                channels,
                height,
                width,
                pixels: pixels.len(),
            }));
        }
        let (rows, columns) = (height / grid, width / grid);
        let (top, left) = (height % grid / 2, width % grid / 2);
        let mut result = pixels.clone();
        for (to, from) in self.order(index).into_iter().enumerate() {
            let from = from as usize;
            for plane in 0..channels {
                for row in 0..rows {
                    let start = |patch: usize| {
                        let y = plane * height + top + patch / grid * rows + row;
                        y * width + left + patch % grid * columns
                    };
                    result[start(to)..][..columns]
                        .copy_from_slice(&pixels[start(from)..][..columns]);
                }
            }
        }
        Ok(result)
    }
}

impl Derived for PatchShuffled {
    fn original(&self) -> &dyn Dataset {
        self.dataset.as_ref()
    }

    fn name(&self) -> &str {
        &self.name
    }

    fn fingerprint_over(&self, original: &str) -> String {
        settings_fingerprint(&format!(
            "patches shuffled last, version {VERSION}, grid {}, seed {}, of {original}",
            self.grid, self.seed,
        ))
    }

    fn change(&self, index: usize, mut item: Item) -> Result<Item, DatasetError> {
        item.image.pixels = self.shuffled(&item.image, index)?;
        Ok(item)
    }
}
