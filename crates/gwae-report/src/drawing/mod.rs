//! Parts that several pictures share: the canvas, letters, lines, colours, legends and layouts.

pub(crate) mod axes;
pub(crate) mod beside;
pub(crate) mod bins;
pub(crate) mod canvas;
pub(crate) mod checks;
pub(crate) mod font;
pub(crate) mod labels;
pub(crate) mod legend;
pub(crate) mod lines;
pub(crate) mod palette;
pub(crate) mod panels;
pub(crate) mod series;
