//! How codes relate to the factors that generated the images.
//!
//! Every metric is a named protocol: its constants are part of its documentation, so that a score
//! can be compared with scores of the same name.

pub mod dci;
mod dcimig;
mod info_mec;
mod information;
mod jemmig;
mod labelled_codes;
mod learners;
mod mig;
mod mig_sup;
mod modularity;
mod nearest_neighbours;
mod standard_error;

pub use dcimig::dcimig;
pub use info_mec::{InfoMec, info_mec};
pub use information::{BinnedInformation, DEFAULT_BINS};
pub use jemmig::jemmig;
pub use labelled_codes::LabelledCodes;
pub use mig::mig;
pub use mig_sup::mig_sup;
pub use modularity::modularity;
