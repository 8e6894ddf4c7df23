//! Parts of networks that priors and models share.

pub mod activation;
pub mod batch_norm;
pub mod initialise;
pub mod mode;
