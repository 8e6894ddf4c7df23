//! The errors of pictures and pages.

use gwae_formats::atomic::FileError;

/// Why a picture was not made. Every message is one line.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReportError {
    /// The length of a slice does not match its shape, the shape is empty, or the channel count is
    /// wrong.
    #[error(
        "{values} values do not make images of shape {shape:?} ([N, C, H, W]); expected N·C·H·W \
         values, no dimension 0, and 1 or 3 channels"
    )]
    Shape {
        /// Number of values.
        values: usize,
        /// The shape.
        shape: [usize; 4],
    },

    /// The shapes of inputs and outputs differ.
    #[error(
        "inputs of shape {inputs:?} and outputs of shape {outputs:?} differ; give the same images"
    )]
    ShapesDiffer {
        /// Shape of the inputs.
        inputs: [usize; 4],
        /// Shape of the outputs.
        outputs: [usize; 4],
    },

    /// A cell of a contact sheet names an image that does not exist.
    #[error("a contact sheet of {images} images has no image {index}; they count from 0")]
    NoSuchImage {
        /// The image that the cell names.
        index: usize,
        /// Number of images.
        images: usize,
    },

    /// A grid has no columns, or a scale of zero.
    #[error("{field}: 0 makes no picture; use 1 or more")]
    Zero {
        /// `columns` or `scale`.
        field: &'static str,
    },

    /// The picture is too large to open.
    #[error(
        "a picture of {width}×{height} pixels is too large (at most {} million); use fewer images \
         or a smaller scale",
        limit / 1_000_000
    )]
    TooLarge {
        /// Width in pixels.
        width: u128,
        /// Height in pixels.
        height: u128,
        /// Largest number of pixels in a picture.
        limit: u128,
    },

    /// A plot has no series.
    #[error("{plot}: no series given; name at least one")]
    NoSeries {
        /// Which plot, such as `ROC curves`.
        plot: &'static str,
    },

    /// There are too many series, classes or panels to draw or to tell apart.
    #[error("{plot}: {count} {what} are too many for one picture (at most {limit}); plot fewer")]
    TooManySeries {
        /// Which plot.
        plot: &'static str,
        /// `series`, `classes` or `panels`.
        what: &'static str,
        /// Their number.
        count: usize,
        /// The largest allowed number.
        limit: usize,
    },

    /// A series has no points or values.
    #[error("{plot}: `{series}` is empty; leave it out or give it values")]
    EmptySeries {
        /// Which plot.
        plot: &'static str,
        /// Name of the series.
        series: String,
    },

    /// A number cannot be drawn in the plot.
    #[error("{plot}: value {index} of `{series}` is {value:?}; expected {expected}")]
    BadValue {
        /// Which plot.
        plot: &'static str,
        /// Name of the series.
        series: String,
        /// Index of the value or point, from 0.
        index: usize,
        /// The number.
        value: f64,
        /// The allowed values.
        expected: &'static str,
    },

    /// The numbers of points and of classes differ.
    #[error("scatter plot: {points} points and {classes} classes; give one class for each point")]
    ClassCount {
        /// Number of points.
        points: usize,
        /// Number of classes given for them.
        classes: usize,
    },

    /// The class of a point has no name.
    #[error(
        "scatter plot: point {index} is of class {class}, but only {names} classes are named \
         (they count from 0); name all of them"
    )]
    UnnamedClass {
        /// Index of the point, from 0.
        index: usize,
        /// Its class.
        class: usize,
        /// Number of names.
        names: usize,
    },

    /// A row of a table of a page has the wrong number of cells.
    #[error("table: the row `{row}` has {cells} cells and the table has {columns} columns")]
    Cells {
        /// The name of the row.
        row: String,
        /// Its number of cells, with the name.
        cells: usize,
        /// Number of columns.
        columns: usize,
    },

    /// A picture of a page has a format that browsers may not show.
    #[error("the picture `{caption}` is neither PNG nor GIF; convert it")]
    PictureFormat {
        /// Its caption.
        caption: String,
    },

    /// The plotting library or the PNG encoder failed.
    #[error("cannot draw the picture: {0}; please report this as a bug")]
    Draw(String),

    /// The picture cannot be written.
    #[error(transparent)]
    File(#[from] FileError),
}
