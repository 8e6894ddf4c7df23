//! The mathematics of Gromov-Wasserstein autoencoders (Nakagawa, Togo, Ogawa, Haseyama,
//! ICLR 2023): tensors in, tensors out. No files, no models.

pub mod activation;
mod batch_norm;
pub mod initialise;
mod mode;
pub mod noise;

pub use batch_norm::{BatchNorm, OFFICIAL_MOMENTUM};
pub use mode::Mode;
