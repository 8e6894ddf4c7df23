//! What a relative of the VAE adds to the reconstruction loss.

use burn::tensor::Tensor;
use gwae_core::random::RandomSource;
use gwae_core::{Mode, NamedLosses, reconstruction_loss};

use crate::networks::{Decoder, Encoder, Posterior};
use crate::objective::{Forward, LossTerms, Objective};
use crate::vae::Vae;

/// The part of an objective that forms the codes. The reconstruction loss of a [`Vae`] and this part
/// are a complete objective: a type with this trait is an [`Objective`] for any [`Vae`].
pub trait Regulariser {
    /// The codes to decode. The default draws one from each posterior.
    fn codes(&self, posterior: &Posterior, noise: &mut dyn RandomSource) -> Tensor<2> {
        posterior.sample(noise)
    }

    /// The term of a batch.
    ///
    /// # Shapes
    /// - `codes`: `[batch, latent]`, from [`Self::codes`]
    fn penalty(
        &self,
        posterior: &Posterior,
        codes: &Tensor<2>,
        noise: &mut dyn RandomSource,
    ) -> Penalty;

    /// Tells the number of main steps done. The default ignores it.
    fn set_completed_steps(&mut self, _steps: u64) {}

    /// Tells the number of images to train on. The default ignores it.
    fn set_training_images(&mut self, _images: usize) {}
}

/// A weighted sum of terms, and the terms themselves for the log.
pub struct Penalty {
    /// What is added to the reconstruction loss, `[1]`.
    pub weighted: Tensor<1>,
    /// The terms without their weights, by name, each `[1]`.
    pub terms: Vec<(&'static str, Tensor<1>)>,
}

impl<E: Encoder, D: Decoder, R: Regulariser> Objective<Vae<E, D>> for R {
    /// Asks `noise` for what [`Regulariser::codes`] and then [`Regulariser::penalty`] ask.
    fn losses(
        &self,
        model: &Vae<E, D>,
        images: Tensor<4>,
        mode: Mode,
        noise: &mut dyn RandomSource,
        terms: &LossTerms<Vae<E, D>>,
    ) -> NamedLosses<Tensor<1>> {
        let posterior = model.encoder.encode(images.clone(), mode);
        let codes = self.codes(&posterior, noise);
        let reconstructed = model.decoder.decode(codes.clone(), mode);
        let reconstruction = reconstruction_loss(images.clone(), reconstructed.clone());
        let penalty = self.penalty(&posterior, &codes, noise);
        let total = reconstruction.clone() + penalty.weighted;
        let losses = NamedLosses::new([("total", total), ("reconstruction", reconstruction)]);
        let named = penalty.terms.into_iter();
        let losses = named.fold(losses, |losses, (name, value)| losses.with(name, value));
        terms.add_to(losses, || Forward {
            model,
            mode,
            images,
            posterior: Some(posterior),
            codes,
            reconstructed,
            generated: None,
        })
    }

    fn set_completed_steps(&mut self, steps: u64) {
        Regulariser::set_completed_steps(self, steps);
    }

    fn set_training_images(&mut self, images: usize) {
        Regulariser::set_training_images(self, images);
    }
}
