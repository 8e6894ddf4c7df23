//! Datasets that are rendered from their factors.

pub(crate) mod dsprites;
pub(crate) mod shapes3d;
