//! Everything that can go wrong between a file and a batch.

use std::path::PathBuf;

use crate::{
    CelebaError, DataFileError, DspritesError, FactorGridError, Hdf5Error, IdxError,
    ImageCacheError, ImageFileError, NpzError, OmniglotError, Position, RawCacheError,
    Shapes3dError,
};

/// An error of this crate. Every message is one line that names the file or field, what is
/// wrong with it, and the way out.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DatasetError {
    /// An IDX file cannot be used.
    #[error(transparent)]
    Idx(#[from] IdxError),

    /// Factor values or an index that a factor grid does not have.
    #[error(transparent)]
    FactorGrid(#[from] FactorGridError),

    /// The uncompressed copy of a published file cannot be made or used.
    #[error(transparent)]
    RawCache(#[from] RawCacheError),

    /// An HDF5 file cannot be used.
    #[error(transparent)]
    Hdf5(#[from] Hdf5Error),

    /// A file of dSprites cannot be used.
    #[error(transparent)]
    Dsprites(#[from] DspritesError),

    /// A NumPy archive cannot be used.
    #[error(transparent)]
    Npz(#[from] NpzError),

    /// A file of 3D Shapes cannot be used.
    #[error(transparent)]
    Shapes3d(#[from] Shapes3dError),

    /// A dataset's files cannot be obtained or verified.
    #[error(transparent)]
    DataFile(#[from] DataFileError),

    /// A file, folder or archive of images cannot be used.
    #[error(transparent)]
    ImageFile(#[from] ImageFileError),

    /// The files of Omniglot do not belong together.
    #[error(transparent)]
    Omniglot(#[from] OmniglotError),

    /// The files of CelebA do not belong together.
    #[error(transparent)]
    Celeba(#[from] CelebaError),

    /// A cache of resized images cannot be used.
    #[error(transparent)]
    ImageCache(#[from] ImageCacheError),

    /// One of the official files is in the directory neither plain nor compressed.
    #[error(
        "{}: neither {file} nor {file}.gz is there; put the four official files \
         (train and t10k images and labels) into this directory",
        directory.display()
    )]
    MissingFile {
        /// Directory that was looked into.
        directory: PathBuf,
        /// Official name without `.gz`.
        file: &'static str,
    },

    /// A part has not exactly one label per image.
    #[error(
        "{images_file} holds {images} images but {labels_file} holds {labels} labels; \
         download both again from the same source"
    )]
    CountMismatch {
        /// File of the images.
        images_file: String,
        /// Images in it.
        images: usize,
        /// File of the labels.
        labels_file: String,
        /// Labels in it.
        labels: usize,
    },

    /// The two parts of a dataset have images of different sizes.
    #[error(
        "{train_file} holds {}×{} images but {test_file} holds {}×{} images (height × width); \
         take both files from the same dataset",
        train.0, train.1, test.0, test.1
    )]
    SizeMismatch {
        /// File of the training images.
        train_file: String,
        /// Their height and width.
        train: (usize, usize),
        /// File of the test images.
        test_file: String,
        /// Their height and width.
        test: (usize, usize),
    },

    /// A label is not one of the dataset's classes.
    #[error(
        "{file}: label {index} is {label}, but this dataset has the labels 0 to {}; \
         check that the file belongs to it",
        values - 1
    )]
    LabelOutOfRange {
        /// File of the labels.
        file: String,
        /// Which label, counted from 0.
        index: usize,
        /// Its value.
        label: u8,
        /// Number of classes.
        values: u32,
    },

    /// An index beyond the end of a dataset.
    #[error("dataset {dataset}: index {index} is out of range, it has {len} items")]
    IndexOutOfRange {
        /// Name of the dataset.
        dataset: String,
        /// The index asked for.
        index: usize,
        /// Number of items.
        len: usize,
    },

    /// A dataset too large for 32-bit indices.
    #[error(
        "dataset {dataset}: {len} items, but splits and batches hold at most {}",
        u32::MAX
    )]
    TooManyItems {
        /// Name of the dataset.
        dataset: String,
        /// Number of items.
        len: usize,
    },

    /// A validation fraction that is no fraction, or that leaves nothing to train on.
    #[error(
        "validation fraction {fraction} of {train_len} training items leaves nothing to train on \
         or is no fraction; use at least 0 and less than 1, such as 0.1"
    )]
    ValidationFraction {
        /// The value given.
        fraction: f64,
        /// Items of the official training part.
        train_len: usize,
    },

    /// A stored split was drawn over other data.
    #[error(
        "split: drawn over data with fingerprint {expected}, but dataset {dataset} now has \
         {found}; restore the original data, or start a new run"
    )]
    FingerprintMismatch {
        /// Name of the dataset.
        dataset: String,
        /// Fingerprint stored in the split.
        expected: String,
        /// Fingerprint of the dataset.
        found: String,
    },

    /// A stored split names an item that does not exist.
    #[error(
        "split.{part}[{position}]: index {index} is out of range, dataset {dataset} has {len} \
         items; restore the stored split, or start a new run"
    )]
    SplitOutOfRange {
        /// Name of the dataset.
        dataset: String,
        /// `train`, `validation` or `test`.
        part: &'static str,
        /// Place within that part.
        position: usize,
        /// The index found there.
        index: u32,
        /// Number of items.
        len: usize,
    },

    /// A stored split names an item twice.
    #[error(
        "split.{part}[{position}]: index {index} is already in {other}; no item may be in two \
         places; restore the stored split, or start a new run"
    )]
    SplitOverlap {
        /// The part that names it the second time.
        part: &'static str,
        /// Place within that part.
        position: usize,
        /// The index.
        index: u32,
        /// The part that names it first.
        other: &'static str,
    },

    /// An image size that no model has.
    #[error(
        "size: {size} pixels is out of range; use 1 to {}",
        crate::transform::MAX_SIZE
    )]
    Size {
        /// The value given.
        size: usize,
    },

    /// A channel count that no model has.
    #[error("channels: {channels} is out of range; use 1 (grey) or 3 (colour)")]
    Channels {
        /// The value given.
        channels: usize,
    },

    /// More or fewer of something than can be made.
    #[error("{field}: {count} is out of range; use 1 to {most}")]
    Count {
        /// What there should be so many of, as its setting is called.
        field: &'static str,
        /// The value given.
        count: usize,
        /// The largest value.
        most: usize,
    },

    /// A grid that leaves no patches to shuffle.
    #[error("patches: a grid of {grid}×{grid} has nothing to shuffle; use 2 or more, such as 4")]
    PatchGrid {
        /// The value given.
        grid: usize,
    },

    /// An image with fewer pixels than patches along a side.
    #[error(
        "image of {height}×{width} pixels (height × width) is too small for a grid of \
         {grid}×{grid} patches; use a smaller grid, or larger images"
    )]
    SmallerThanGrid {
        /// Its height.
        height: usize,
        /// Its width.
        width: usize,
        /// Patches along each side.
        grid: usize,
    },

    /// The letters that come with the program cannot be read.
    #[error("built-in font of the letters: {problem}; the program was built over a damaged file")]
    Font {
        /// What is wrong with it.
        problem: &'static str,
    },

    /// An item that can be read but not made into model input.
    #[error("dataset {dataset}, item {index}: {error}")]
    Item {
        /// Name of the dataset.
        dataset: String,
        /// Index of the item.
        index: usize,
        /// What is wrong with it.
        #[source]
        error: Box<DatasetError>,
    },

    /// A crop that leaves nothing.
    #[error("crop: 0 pixels leave nothing of an image; use 1 or more, or none for no crop")]
    Crop,

    /// An image smaller than the square to be cut out of it.
    #[error(
        "image of {height}×{width} pixels (height × width) is smaller than the crop of \
         {crop}×{crop}; use a smaller crop, or none"
    )]
    SmallerThanCrop {
        /// Its height.
        height: usize,
        /// Its width.
        width: usize,
        /// Side of the square.
        crop: usize,
    },

    /// An image that cannot be transformed.
    #[error(
        "image of {channels}×{height}×{width} (channels × height × width) with {pixels} pixel \
         values; expected 1 or 3 channels, no empty side, and channels·height·width values"
    )]
    Image {
        /// Its channels.
        channels: usize,
        /// Its height.
        height: usize,
        /// Its width.
        width: usize,
        /// How many values it holds.
        pixels: usize,
    },

    /// A batch size of zero.
    #[error("batch_size: 0 makes no batch; use 1 or more, such as 64")]
    ZeroBatch,

    /// A batch larger than all the items that there are.
    #[error(
        "batch_size: {batch_size} is larger than the {items} items to draw from; \
         use {items} or less, or more data"
    )]
    BatchTooLarge {
        /// The value given.
        batch_size: usize,
        /// Items that the stream draws from.
        items: usize,
    },

    /// No items to draw batches from.
    #[error("indices: there is no item to draw batches from; give the split a larger part")]
    NoItems,

    /// A position that an epoch of this many batches does not have.
    #[error(
        "position: batch {} of epoch {} does not exist, an epoch has {batches_per_epoch} batches; \
         resume with the data and the batch size of the original run",
        position.batch, position.epoch
    )]
    Position {
        /// The value given.
        position: Position,
        /// Batches of every epoch.
        batches_per_epoch: u64,
    },

    /// The system refused the thread that prepares batches.
    #[error("cannot start a thread that prepares batches: {0}; free some memory or threads")]
    Worker(#[source] std::io::Error),

    /// A thread that prepares batches panicked.
    #[error("a thread that prepares batches panicked: {message}; please report this as a bug")]
    WorkerPanicked {
        /// What it said.
        message: String,
    },

    /// A stream was asked for another batch after it had failed.
    #[error("the batch stream has ended after an earlier error; start a new one")]
    StreamEnded,
}
