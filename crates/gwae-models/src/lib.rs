//! Encoder, decoder, critic and the Gromov-Wasserstein autoencoder.

mod config;

pub use config::{GwaeConfig, GwaeConfigError};
