//! How codes relate to the factors that generated the images.
//!
//! Every metric is a named protocol: its constants are part of its documentation, so that a score
//! can be compared with scores of the same name.

mod active_units;
mod beta_vae_score;
mod correlation;
mod covariance;
pub mod dci;
mod dcimig;
pub mod distances;
mod division;
mod explicitness;
mod factor_vae_score;
mod gaussian_dependence;
mod info_mec;
mod information;
mod information_between_codes;
mod interventional_robustness;
mod jemmig;
mod labelled_codes;
mod learners;
mod mig;
mod mig_sup;
mod modularity;
mod nearest_neighbours;
mod robust_mig;
mod sap;
mod standard_error;
pub mod suite;
mod training_classes;
mod udr;

pub use active_units::{ACTIVE_VARIANCE, active_units};
pub use beta_vae_score::beta_vae_score;
pub use dcimig::dcimig;
pub use explicitness::explicitness;
pub use factor_vae_score::{VoteScore, factor_vae_score};
pub use gaussian_dependence::{
    WassersteinCorrelation, gaussian_total_correlation, gaussian_wasserstein_correlation,
};
pub use info_mec::{InfoMec, info_mec};
pub use information::{BinnedInformation, DEFAULT_BINS};
pub use information_between_codes::mutual_information_between_codes;
pub use interventional_robustness::interventional_robustness;
pub use jemmig::jemmig;
pub use labelled_codes::LabelledCodes;
pub use mig::mig;
pub use mig_sup::mig_sup;
pub use modularity::modularity;
pub use robust_mig::robust_mig;
pub use sap::{Sap, sap, sap_continuous};
pub use udr::{CodeRelation, ModelCodes, Udr, udr};
