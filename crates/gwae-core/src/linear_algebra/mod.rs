//! Linear algebra that Burn lacks: small Cholesky factors, Gaussian mixtures, safe roots.

pub mod cholesky;
pub mod mixture;
pub mod spread;
pub(crate) mod square_root;
