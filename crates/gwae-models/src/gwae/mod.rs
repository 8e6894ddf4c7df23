//! The Gromov-Wasserstein autoencoder: settings, model and objective.

mod config;
mod model;
mod objective;

pub use config::GwaeConfig;
pub use model::{Gwae, PriorModule};
pub use objective::{CriticTerms, GwaeObjective, MainTerms};
