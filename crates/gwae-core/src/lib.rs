//! The mathematics of Gromov-Wasserstein autoencoders (Nakagawa, Togo, Ogawa, Haseyama,
//! ICLR 2023): tensors in, tensors out. No files, no models.

pub mod activation;
mod batch_norm;
mod cholesky;
mod distance;
mod divergence;
mod gradient_penalty;
mod gromov_wasserstein;
pub mod initialise;
mod losses;
mod mixture;
mod mmd;
mod mode;
pub mod random;
mod safe;
mod similarity;
mod spread;
#[cfg(test)]
mod testing;

pub use batch_norm::{BatchNorm, OFFICIAL_MOMENTUM, move_running, set_running};
pub use cholesky::{cholesky, diagonals, identity_like, log_determinant, solve_lower};
pub use distance::{pairwise_distances, squared_distances};
pub use divergence::{standard_normal_divergence, standard_normal_negative_log_density};
pub use gradient_penalty::{CriticLoss, critic_loss, gradient_penalty, interpolate};
pub use gromov_wasserstein::{estimated_gw_loss, latent_scale};
pub use losses::{entropy_loss, merged_condition_loss, mixed_potential, reconstruction_loss};
pub use mixture::{GaussianMixture, MixtureMoments};
pub use mmd::maximum_mean_discrepancy;
pub use mode::Mode;
pub use similarity::{cosine_similarity, reconstruction_error, relative_reconstruction_error};
pub use spread::spread_over_rows;
