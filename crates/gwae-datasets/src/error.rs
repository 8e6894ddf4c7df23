//! The errors of this crate.

mod batch;
mod image;
mod setting;
mod split;

use std::error::Error;

use gwae_formats::hdf5::Hdf5Error;
use gwae_formats::idx::IdxError;
use gwae_formats::npz::NpzError;
use gwae_formats::records::RecordsError;

pub use batch::BatchError;
pub use image::ImageError;
pub use setting::SettingError;
pub use split::SplitError;

/// An error of another type inside [`DatasetError`].
type Source = Box<dyn Error + Send + Sync>;

/// An error of this crate. Every message is one line: the file or field, the problem, and what the user can
/// do.
///
/// File formats and datasets have their own error types, such as [`IdxError`] and
/// [`CelebaError`](crate::CelebaError). [`DatasetError::downcast_ref`] returns them.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DatasetError {
    /// A file does not have the right format.
    #[error(transparent)]
    Format(Source),

    /// A dataset's files, or copies of them, cannot be downloaded, read, written or verified.
    #[error(transparent)]
    Files(Source),

    /// An index is beyond the end of a dataset.
    #[error("dataset {dataset}: index {index} is out of range, it has {len} items")]
    IndexOutOfRange {
        /// Name of the dataset.
        dataset: String,
        /// The index asked for.
        index: usize,
        /// Number of items.
        len: usize,
    },

    /// An item can be read but not converted to model input.
    #[error("dataset {dataset}, item {index}: {error}")]
    Item {
        /// Name of the dataset.
        dataset: String,
        /// Index of the item.
        index: usize,
        /// The problem.
        #[source]
        error: Box<DatasetError>,
    },

    /// An image cannot be changed as requested.
    #[error(transparent)]
    Image(#[from] ImageError),

    /// A setting is outside its range.
    #[error(transparent)]
    Setting(#[from] SettingError),

    /// A split cannot be drawn, or does not fit the dataset.
    #[error(transparent)]
    Split(#[from] SplitError),

    /// Batches cannot be made.
    #[error(transparent)]
    Batch(#[from] BatchError),

    /// Any other error, such as one of a dataset outside of this crate; see [`DatasetError::other`].
    #[error(transparent)]
    Other(Source),
}

impl DatasetError {
    /// Wraps an error of a dataset outside of this crate.
    pub fn other(error: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::Other(error.into())
    }

    /// The error of a file format or a dataset inside this one, if it has type `T`.
    pub fn downcast_ref<T: Error + 'static>(&self) -> Option<&T> {
        match self {
            Self::Format(source) | Self::Files(source) | Self::Other(source) => {
                source.downcast_ref()
            }
            _ => None,
        }
    }

    /// Like [`DatasetError::downcast_ref`], by value.
    ///
    /// # Errors
    /// This error, if it does not contain one of type `T`.
    pub fn downcast<T: Error + 'static>(self) -> Result<T, Self> {
        let (source, variant): (_, fn(Source) -> Self) = match self {
            Self::Format(source) => (source, Self::Format),
            Self::Files(source) => (source, Self::Files),
            Self::Other(source) => (source, Self::Other),
            other => return Err(other),
        };
        source.downcast().map(|error| *error).map_err(variant)
    }
}

/// Converts error types to one variant of [`DatasetError`].
macro_rules! behind {
    ($variant:ident, $($error:ty),+) => {$(
        impl From<$error> for $crate::error::DatasetError {
            fn from(error: $error) -> Self {
                Self::$variant(Box::new(error))
            }
        }
    )+};
}
pub(crate) use behind;

behind!(Format, IdxError, Hdf5Error, NpzError);
behind!(Files, RecordsError);
