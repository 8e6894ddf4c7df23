//! Relatives of the VAE, one per file: each adds its own term to the reconstruction loss.

pub mod annealed_vae;
pub mod beta_tcvae;
pub mod beta_vae;
pub mod dip_vae;
pub mod factor_vae;
pub mod info_vae;
pub mod regulariser;
mod settings;
#[cfg(test)]
mod testing;
pub mod wae_mmd;
