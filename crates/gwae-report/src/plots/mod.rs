//! Plots of numbers, one kind per file.

pub(crate) mod histogram_plot;
pub(crate) mod line_plot;
pub(crate) mod loss_curves;
pub(crate) mod roc_plot;
pub(crate) mod scatter_plot;
