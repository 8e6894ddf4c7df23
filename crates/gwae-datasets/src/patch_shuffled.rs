//! Any dataset with its images cut into patches that are put together in another order.

use std::sync::Arc;

use crate::derived::Derived;
use crate::draws::Draws;
use crate::rendered::settings_fingerprint;
use crate::{Dataset, DatasetError, Image, Item};

/// Version of the orders. It goes up with every change that changes one of them.
const VERSION: u32 = 1;

/// Another dataset with each image cut into a grid of patches that change places; factors, order
/// and parts are the same.
///
/// **Use.** A shuffled image has exactly the pixels of its original: the same mean, contrast and
/// histogram, and the same texture within patches. Only the global shape is gone, so a score that
/// sees no difference does not know the shape. The fewer patches, the harder the test. (Noroozi &
/// Favaro 2016, arXiv:1603.09246, make a task for training of such puzzles.)
///
/// With `n` patches along each side, patches are `⌊height / n⌋`×`⌊width / n⌋` pixels, in the
/// image's middle. What is left over around them, fewer than `n` rows and columns, stays as it is;
/// an odd number leaves one more at the bottom and at the right.
///
/// The order of the patches is drawn for each item, by the seed and the item's index, uniformly
/// among all but the original one. All channels share it. Patches may be equal, as the black ones
/// around a digit are, so that a shuffled image could in principle still look like its original.
///
/// A [`Transform`](crate::Transform) of what is shuffled comes too late: its crop cuts across patches, and
/// takes in some from outside its square; its resizing mixes the pixels on both sides of a seam. What a
/// model is to see shuffled is therefore cropped and resized first, by [`Transformed`](crate::Transformed)
/// or [`CachedImages`](crate::CachedImages) inside of this.
pub struct PatchShuffled {
    dataset: Arc<dyn Dataset>,
    grid: usize,
    seed: u64,
    name: String,
}

impl PatchShuffled {
    /// Patches along each side where nothing else is asked for.
    pub const DEFAULT_GRID: usize = 4;

    /// `dataset` in `grid`×`grid` patches each. Its name is that of the dataset with
    /// `-shuffled-4x4`, say, appended.
    ///
    /// # Errors
    /// [`DatasetError::PatchGrid`] for a grid of less than 2. Whether images are large enough shows
    /// when one is asked for: [`DatasetError::Item`] with [`DatasetError::SmallerThanGrid`].
    pub fn new(dataset: Arc<dyn Dataset>, grid: usize, seed: u64) -> Result<Self, DatasetError> {
        if grid < 2 {
            return Err(DatasetError::PatchGrid { grid });
        }
        Ok(Self {
            name: format!("{}-shuffled-{grid}x{grid}", dataset.name()),
            dataset,
            grid,
            seed,
        })
    }

    /// For each place in the grid, row by row, the patch that comes there.
    fn order(&self, index: usize) -> Vec<u32> {
        let mut draws = Draws::new("order of patches", self.seed, index as u64);
        let identity: Vec<u32> = (0..(self.grid * self.grid) as u32).collect();
        let mut order = identity.clone();
        // At least 4 patches: the identity is at most one order of 24.
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
            return Err(DatasetError::SmallerThanGrid {
                height,
                width,
                grid,
            });
        }
        if height
            .checked_mul(width)
            .and_then(|area| area.checked_mul(channels))
            != Some(pixels.len())
        {
            return Err(DatasetError::Image {
                channels,
                height,
                width,
                pixels: pixels.len(),
            });
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

    fn fingerprint(&self) -> String {
        settings_fingerprint(&format!(
            "patches shuffled last, version {VERSION}, grid {}, seed {}, of {}",
            self.grid,
            self.seed,
            self.dataset.fingerprint()
        ))
    }

    fn change(&self, index: usize, mut item: Item) -> Result<Item, DatasetError> {
        item.image.pixels = self.shuffled(&item.image, index)?;
        Ok(item)
    }
}
