//! Image datasets with named factors, stored splits, seeded batching and prefetch.
//!
//! As the data flows: a [`Dataset`] hands out [`Item`]s by index, a [`Split`] says which
//! indices train, validate and test, [`ImageSource`] turns items into model input
//! ([`Transform`]), and a [`BatchStream`] delivers shuffled batches from worker threads.
//! Everything lives in host memory; this crate knows no tensors and no devices.
//!
//! ```
//! use std::sync::Arc;
//! use gwae_datasets::{
//!     BatchConfig, BatchStream, ImageSource, Position, Split, Transform, embedded_digits,
//! };
//!
//! # fn main() -> Result<(), gwae_datasets::DatasetError> {
//! let digits = Arc::new(embedded_digits()?);
//! let split = Split::draw(digits.as_ref(), 0.1, 42)?;
//! let source = Arc::new(ImageSource::new(digits, Transform::new(32, 1))?);
//! let config = BatchConfig { batch_size: 64, seed: 42, drop_last: true };
//! let mut batches = BatchStream::start(source, split.train, config, Position::START)?;
//! assert_eq!(batches.next_batch()?.shape, [64, 1, 32, 32]);
//! # Ok(())
//! # }
//! ```

mod batches;
mod celeba;
mod dataset;
mod decode;
mod embedded;
mod error;
mod files;
mod fingerprint;
mod idx;
mod image_cache;
mod image_folder;
mod item;
mod jpeg;
mod mnist;
mod omniglot;
mod order;
mod parallel;
mod positional;
mod resize;
mod source;
mod split;
mod transform;

pub use batches::{Batch, BatchConfig, BatchStream, PREFETCHED_BATCHES};
pub use celeba::{Celeba, CelebaError, CelebaProblem, MAX_ATTRIBUTES};
pub use dataset::Dataset;
pub use decode::{MAX_IMAGE_PIXELS, decode_image};
pub use embedded::embedded_digits;
pub use error::DatasetError;
pub use files::{ImageFileError, ImageFileProblem, MAX_FILE_BYTES};
pub use idx::{
    IdxError, IdxImages, IdxLabels, IdxProblem, MAX_ELEMENTS, read_images, read_images_from,
    read_labels, read_labels_from,
};
pub use image_cache::{CachedImages, ImageCacheError, ImageCacheProblem};
pub use image_folder::ImageFolder;
pub use item::{FactorKind, FactorSpec, Image, Item};
pub use mnist::{Mnist, MnistFamily};
pub use omniglot::{Omniglot, OmniglotError, OmniglotProblem, Polarity};
pub use order::{Position, batches_per_epoch, epoch_order};
pub use source::{CACHE_LIMIT_BYTES, ImageSource, LoadedImages};
pub use split::Split;
pub use transform::Transform;
