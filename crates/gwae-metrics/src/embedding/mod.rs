//! Maps codes with many dimensions to two, to draw them.

mod pca;
mod t_sne;

pub use pca::{MAX_PCA_DIMENSIONS, PrincipalComponents, principal_components};
pub use t_sne::{TSneConfig, t_sne};
