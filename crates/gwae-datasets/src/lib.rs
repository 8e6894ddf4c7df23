//! Image datasets with named factors, stored splits, seeded batching and prefetch.
//!
//! The data flows in this order: a [`Dataset`] returns [`Item`]s by index, a [`Split`] divides the
//! indices into training, validation and test part, an [`ImageSource`] converts items to model
//! input ([`Transform`]), and a [`BatchStream`] delivers shuffled batches from worker threads. All
//! data is in host memory; this crate has no tensors and no devices.
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

mod array_dataset;
mod batches;
pub mod config;
mod dataset;
mod decoder_version;
mod derived;
#[cfg(feature = "download")]
mod download;
mod drawn;
mod draws;
mod error;
mod factor_grid;
mod fit;
mod float_image;
#[cfg(fuzzing)]
#[doc(hidden)]
pub mod fuzzing;
mod image_shape;
#[cfg(feature = "image-files")]
mod images;
mod item;
pub mod open;
mod order;
mod placed;
mod polarity;
mod position;
mod published;
mod recipe;
mod rendered;
mod resize;
mod source;
mod split;
mod transform;
mod unreadable;

pub use array_dataset::{ArrayDataset, ArrayError, ArrayProblem};
pub use batches::{Batch, BatchConfig, BatchStream, PREFETCHED_BATCHES};
pub use dataset::Dataset;
pub use derived::image_cache::CachedImages;
pub use derived::inverted::Inverted;
pub use derived::patch_shuffled::PatchShuffled;
pub use derived::transformed::Transformed;
#[cfg(feature = "download")]
pub use download::{
    FetchOutcome, FetchedFile, GetOptions, GetOutcome, MIRROR_VARIABLE, ManualSteps, get,
};
pub use drawn::invented_characters::{InventedCharacters, InventedCharactersConfig};
pub use drawn::letters::{Letters, LettersConfig};
pub use drawn::noise_images::{NoiseImages, NoiseImagesConfig};
pub use error::{BatchError, DatasetError, ImageError, SettingError, SplitError};
pub use factor_grid::{
    FactorGrid, FactorGridError, dsprites_grid, dsprites_value_names, dsprites_values,
    shapes3d_grid, shapes3d_value_names, shapes3d_values,
};
pub use fit::Fit;
pub use float_image::FloatImage;
pub use image_shape::ImageShape;
#[cfg(feature = "image-files")]
pub use images::decode::decode_image;
#[cfg(feature = "image-files")]
pub use images::error::{ImageFileError, ImageFileProblem, MAX_FILE_BYTES};
#[cfg(feature = "image-files")]
pub use images::limits::MAX_IMAGE_PIXELS;
pub use item::{FactorKind, FactorSpec, Image, Item};
pub use order::{batches_per_epoch, choose, epoch_order};
pub use polarity::Polarity;
pub use position::Position;
#[cfg(feature = "image-files")]
pub use published::celeba::{Celeba, CelebaError, CelebaProblem, MAX_ATTRIBUTES};
pub use published::check::{CheckReport, FileReport, FileStatus, Verdict, check};
pub use published::checksum::Checksum;
pub use published::copies::{CopyReport, CopyStatus, check_copies};
pub use published::data_event::{DataEvent, DataStage};
pub use published::dsprites_file::{DspritesError, DspritesFile, DspritesProblem};
pub use published::embedded::embedded_digits;
pub use published::file_error::{DataFileError, DataFileProblem};
#[cfg(feature = "image-files")]
pub use published::image_folder::{FolderReport, ImageFolder};
pub use published::manifest::{
    FileForm, FormSize, Manifest, ManifestFile, Manual, Proof, manifest, manifests,
};
pub use published::mnist::{Mnist, MnistError, MnistFamily};
#[cfg(feature = "image-files")]
pub use published::omniglot::{Omniglot, OmniglotError, OmniglotProblem};
pub use published::presence::{Listed, Presence, dataset_directory, download_directory, list};
pub use published::shapes3d_file::{Shapes3dError, Shapes3dFile, Shapes3dProblem};
pub use recipe::items_in_parallel;
pub use rendered::dsprites::RenderedDsprites;
pub use rendered::shapes3d::RenderedShapes3d;
pub use source::{CACHE_LIMIT_BYTES, ImageSource, LoadedImages};
pub use split::Split;
pub use transform::Transform;
pub use unreadable::Unreadable;
