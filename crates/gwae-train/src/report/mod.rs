//! Pictures of a run: grids of images and loss curves, as PNG files.
//!
//! Everything here takes plain slices and paths and knows no model. Pictures are written to a
//! temporary name in the same directory and renamed, so that a viewer never sees half of one.

mod curves;
mod error;
mod font;
mod grid;
mod labels;
mod png_file;
mod series;
mod sheet;

pub use curves::{Curve, render_curves, save_curves};
pub use error::ReportError;
pub use grid::{Grid, Images, save_reconstructions, save_table};
pub use sheet::{Sheet, SheetCell, SheetRow};
