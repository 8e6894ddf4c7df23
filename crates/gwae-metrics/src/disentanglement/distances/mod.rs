//! Whether distances between codes are distances between images: what a Gromov-Wasserstein autoencoder
//! is trained for.

mod best_scale;
mod correlations;
mod items;
mod traversals;
mod triplets;

pub use best_scale::{GwEstimate, gw_with_best_scale};
pub use correlations::{DistanceCorrelation, DistanceCorrelations, distance_correlations};
pub use items::Images;
pub use traversals::{TraversalMean, TraversalScores, traversal_scores};
pub use triplets::triplet_agreement;
