#![doc = include_str!("../README.md")]

pub mod layers;
pub mod linear_algebra;
mod named_losses;
pub mod objective;
pub mod random;
#[cfg(test)]
mod testing;

pub use layers::batch_norm::{BatchNorm, OFFICIAL_MOMENTUM, move_running, set_running};
pub use layers::mode::Mode;
pub use layers::{activation, initialise};
pub use linear_algebra::cholesky::{
    cholesky, diagonals, identity_like, log_determinant, solve_lower,
};
pub use linear_algebra::mixture::{GaussianMixture, MixtureMoments};
pub use linear_algebra::spread::spread_over_rows;
pub use named_losses::NamedLosses;
pub use objective::covariance_penalty::{batch_covariance, covariance_penalty};
pub use objective::critic::{CriticLoss, critic_loss, gradient_penalty, interpolate};
pub use objective::density_ratio::{
    density_ratio_loss, density_ratio_total_correlation, permuted_columns,
};
pub use objective::distance::{pairwise_distances, squared_distances};
pub use objective::entropy::entropy_loss;
pub use objective::gromov_wasserstein::{estimated_gw_loss, latent_scale};
pub use objective::kl::{standard_normal_divergence, standard_normal_negative_log_density};
pub use objective::merged_condition::{merged_condition_loss, mixed_potential};
pub use objective::mmd::{inverse_multiquadratic_discrepancy, maximum_mean_discrepancy};
pub use objective::reconstruction::{
    cosine_similarity, reconstruction_error, reconstruction_loss, relative_reconstruction_error,
};
pub use objective::total_correlation::{DivergenceParts, divergence_parts};
