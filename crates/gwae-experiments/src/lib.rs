//! Published experiments, one module each.

pub mod ood;
