//! Pictures that consist of small images.

pub(crate) mod animation;
pub(crate) mod grid;
pub(crate) mod pixels;
pub(crate) mod sheet;
