#![doc = include_str!("../README.md")]

mod drawing;
mod error;
mod images;
mod page;
mod plots;
mod png_file;

pub use error::ReportError;
pub use images::animation::save_animation;
pub use images::grid::Grid;
pub use images::pixels::Images;
pub use images::sheet::{Sheet, SheetCell, SheetRow};
pub use page::{Content, Fact, Page, Picture, Row, Section, Table, Term};
pub use plots::histogram_plot::{HistogramPlot, HistogramRow, Scores};
pub use plots::line_plot::{Line, LinePanel, LinePlot};
pub use plots::loss_curves::{Curve, render_curves, save_curves};
pub use plots::roc_plot::{RocCurve, RocPlot};
pub use plots::scatter_plot::ScatterPlot;
