//! What can go wrong on the way to a picture.

use crate::atomic::FileError;

/// Why a picture was not made. Every message is one line.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReportError {
    /// A slice that does not hold what its shape says, an empty shape, or a wrong channel count.
    #[error(
        "{values} values do not make images of shape {shape:?} ([N, C, H, W]); expected N·C·H·W \
         values, no dimension 0, and 1 or 3 channels"
    )]
    Shape {
        /// Number of values.
        values: usize,
        /// The shape given.
        shape: [usize; 4],
    },

    /// Inputs and outputs that do not belong together.
    #[error(
        "inputs of shape {inputs:?} and outputs of shape {outputs:?} differ; give the same images"
    )]
    ShapesDiffer {
        /// Shape of the inputs.
        inputs: [usize; 4],
        /// Shape of the outputs.
        outputs: [usize; 4],
    },

    /// A traversal that is no full table.
    #[error(
        "{images} images do not make {rows} rows of {columns} columns; give rows·columns images"
    )]
    Table {
        /// Number of images.
        images: usize,
        /// Rows asked for.
        rows: usize,
        /// Columns asked for.
        columns: usize,
    },

    /// A cell of a contact sheet that names an image that was not given.
    #[error("a contact sheet of {images} images has no image {index}; they count from 0")]
    NoSuchImage {
        /// The image named.
        index: usize,
        /// Number of images.
        images: usize,
    },

    /// A grid without columns, or images enlarged zero times.
    #[error("{field}: 0 makes no picture; use 1 or more")]
    Zero {
        /// `columns` or `scale`.
        field: &'static str,
    },

    /// A picture too large to open.
    #[error(
        "a picture of {width}×{height} pixels is too large (at most {} million); use fewer images \
         or a smaller scale",
        super::grid::MAX_PIXELS / 1_000_000
    )]
    TooLarge {
        /// Width in pixels.
        width: u128,
        /// Height in pixels.
        height: u128,
    },

    /// Nothing to plot.
    #[error("curves: none given; name at least one loss")]
    NoCurves,

    /// More panels than a picture has room for.
    #[error(
        "curves: {count} panels are too many for one picture (at most {}); plot fewer",
        super::canvas::MAX_PANELS
    )]
    TooManyCurves {
        /// Number of curves.
        count: usize,
    },

    /// A plot of nothing.
    #[error("{plot}: no series given; name at least one")]
    NoSeries {
        /// Which plot, such as `ROC curves`.
        plot: &'static str,
    },

    /// More series, classes or panels than can be told apart or have room.
    #[error("{plot}: {count} {what} are too many for one picture (at most {limit}); plot fewer")]
    TooManySeries {
        /// Which plot.
        plot: &'static str,
        /// `series`, `classes` or `panels`.
        what: &'static str,
        /// How many there are.
        count: usize,
        /// How many there may be.
        limit: usize,
    },

    /// A series without points or values.
    #[error("{plot}: `{series}` is empty; leave it out or give it values")]
    EmptySeries {
        /// Which plot.
        plot: &'static str,
        /// Name of the series.
        series: String,
    },

    /// A number that has no place in the plot.
    #[error("{plot}: value {index} of `{series}` is {value:?}; expected {expected}")]
    BadValue {
        /// Which plot.
        plot: &'static str,
        /// Name of the series.
        series: String,
        /// Which of its values or points, from 0.
        index: usize,
        /// The number.
        value: f64,
        /// What it may be.
        expected: &'static str,
    },

    /// Points and classes that do not belong together.
    #[error("scatter plot: {points} points and {classes} classes; give one class for each point")]
    ClassCount {
        /// Number of points.
        points: usize,
        /// Number of classes given for them.
        classes: usize,
    },

    /// A point of a class that has no name.
    #[error(
        "scatter plot: point {index} is of class {class}, but only {names} classes are named \
         (they count from 0); name all of them"
    )]
    UnnamedClass {
        /// Which point, from 0.
        index: usize,
        /// Its class.
        class: usize,
        /// Number of names.
        names: usize,
    },

    /// The plotting library or the PNG encoder refused.
    #[error("cannot draw the picture: {0}; please report this as a bug")]
    Draw(String),

    /// The picture cannot be written.
    #[error(transparent)]
    File(#[from] FileError),
}
