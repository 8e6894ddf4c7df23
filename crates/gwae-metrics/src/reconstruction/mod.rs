//! Differences between reconstructions and their originals, pixel by pixel.

mod mean_squared_error;
mod psnr;

pub use mean_squared_error::mean_squared_error;
pub use psnr::{PSNR_LIMIT_DECIBELS, psnr};
