//! Two dimensions to draw many-dimensional codes in.

mod pca;
mod t_sne;

pub use pca::{MAX_PCA_DIMENSIONS, PrincipalComponents, principal_components};
pub use t_sne::{TSneConfig, t_sne};
