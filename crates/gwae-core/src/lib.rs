//! The mathematics of Gromov-Wasserstein autoencoders (Nakagawa, Togo, Ogawa, Haseyama,
//! ICLR 2023): tensors in, tensors out. No files, no models.

pub mod activation;
mod batch_norm;
mod distance;
mod gradient_penalty;
mod gromov_wasserstein;
pub mod initialise;
mod losses;
mod mmd;
mod mode;
pub mod noise;
mod safe;
mod spread;
#[cfg(test)]
mod testing;

pub use batch_norm::{BatchNorm, OFFICIAL_MOMENTUM};
pub use distance::{pairwise_distances, squared_distances};
pub use gradient_penalty::{CriticLoss, critic_loss, gradient_penalty, interpolate};
pub use gromov_wasserstein::{estimated_gw_loss, latent_scale};
pub use losses::{entropy_loss, merged_condition_loss, mixed_potential, reconstruction_loss};
pub use mmd::maximum_mean_discrepancy;
pub use mode::Mode;
pub use spread::spread_over_rows;
