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
mod cached_file;
mod celeba;
mod check;
mod data_event;
mod dataset;
mod decode;
mod derived;
#[cfg(feature = "download")]
mod download;
mod draws;
mod dsprites_file;
mod embedded;
mod error;
mod factor_grid;
mod file_error;
mod files;
mod fingerprint;
#[cfg(fuzzing)]
#[doc(hidden)]
pub mod fuzzing;
mod grid_items;
mod hdf5;
mod idx;
mod image_cache;
mod image_folder;
mod invented_characters;
mod inverted;
mod item;
mod jpeg;
mod letters;
mod manifest;
mod mnist;
mod noise_images;
mod npy;
mod npz;
mod omniglot;
mod one_line;
mod order;
mod parallel;
mod patch_shuffled;
mod pen;
mod positioned_file;
mod processors;
mod raw_cache;
mod rendered;
mod rendered_dsprites;
mod rendered_shapes3d;
mod resize;
mod shapes3d_file;
mod source;
mod split;
mod transform;
mod transformed;

pub use batches::{Batch, BatchConfig, BatchStream, PREFETCHED_BATCHES};
pub use celeba::{Celeba, CelebaError, CelebaProblem, MAX_ATTRIBUTES};
pub use check::{
    CheckReport, FileReport, FileStatus, Listed, Presence, Verdict, check, dataset_directory,
    download_directory, list,
};
pub use data_event::{DataEvent, DataStage};
pub use dataset::Dataset;
pub use decode::{MAX_IMAGE_PIXELS, decode_image};
#[cfg(feature = "download")]
pub use download::{
    FetchOutcome, FetchedFile, GetOptions, GetOutcome, MIRROR_VARIABLE, ManualSteps, get,
};
pub use dsprites_file::{DspritesError, DspritesFile, DspritesProblem};
pub use embedded::embedded_digits;
pub use error::DatasetError;
pub use factor_grid::{
    FactorGrid, FactorGridError, dsprites_grid, dsprites_value_names, dsprites_values,
    shapes3d_grid, shapes3d_value_names, shapes3d_values,
};
pub use file_error::{DataFileError, DataFileProblem};
pub use files::{ImageFileError, ImageFileProblem, MAX_FILE_BYTES};
pub use hdf5::{
    HDF5_CHUNK_CACHE_BYTES, Hdf5Dataset, Hdf5Element, Hdf5Error, Hdf5File, Hdf5Problem,
};
pub use idx::{
    IdxError, IdxImages, IdxLabels, IdxProblem, MAX_ELEMENTS, read_images, read_images_from,
    read_labels, read_labels_from,
};
pub use image_cache::{CachedImages, ImageCacheError, ImageCacheProblem};
pub use image_folder::ImageFolder;
pub use invented_characters::{InventedCharacters, InventedCharactersConfig};
pub use inverted::Inverted;
pub use item::{FactorKind, FactorSpec, Image, Item};
pub use letters::{Letters, LettersConfig};
pub use manifest::{
    Checksum, FileForm, FormSize, Manifest, ManifestFile, Manual, Proof, manifest, manifests,
};
pub use mnist::{Mnist, MnistFamily};
pub use noise_images::{NoiseImages, NoiseImagesConfig};
pub use npy::{
    MAX_NPY_ELEMENTS, NpyError, NpyNumbers, NpyProblem, read_npy_numbers, write_npy_f64,
};
pub use npz::{NpzError, NpzProblem};
pub use omniglot::{Omniglot, OmniglotError, OmniglotProblem, Polarity};
pub use order::{Position, batches_per_epoch, choose, epoch_order};
pub use patch_shuffled::PatchShuffled;
pub use raw_cache::{RawCacheError, RawCacheProblem};
pub use rendered::items_in_parallel;
pub use rendered_dsprites::RenderedDsprites;
pub use rendered_shapes3d::RenderedShapes3d;
pub use shapes3d_file::{Shapes3dError, Shapes3dFile, Shapes3dProblem};
pub use source::{CACHE_LIMIT_BYTES, ImageSource, LoadedImages};
pub use split::Split;
pub use transform::Transform;
pub use transformed::Transformed;
