//! Pictures of a run: grids of images, loss curves and plots of scores and codes, as PNG files.
//!
//! Everything here takes plain slices and paths and knows no model. Pictures are written to a
//! temporary name in the same directory and renamed, so that a viewer never sees half of one.

mod canvas;
mod curves;
mod error;
mod font;
mod grid;
mod histogram_plot;
mod labels;
mod legend;
mod line_plot;
mod lines;
mod palette;
mod panels;
mod png_file;
mod roc_plot;
mod scatter_plot;
mod series;
mod sheet;

pub use curves::{Curve, render_curves, save_curves};
pub use error::ReportError;
pub use grid::{Grid, Images, save_reconstructions, save_table};
pub use histogram_plot::{HistogramPanel, HistogramPlot, Scores};
pub use line_plot::{Line, LinePanel, LinePlot};
pub use roc_plot::{RocCurve, RocPlot};
pub use scatter_plot::ScatterPlot;
pub use sheet::{Sheet, SheetCell, SheetRow};
