//! The objective of a model, and terms that users can add to it.

use std::rc::Rc;

use burn::tensor::Tensor;
use gwae_core::random::RandomSource;
use gwae_core::{Mode, NamedLosses};

use crate::networks::Posterior;

/// The complete objective of a model.
pub trait Objective<M> {
    /// The losses of a batch. Training minimises the first one. [`LossTerms::add_to`] adds `terms`
    /// to it.
    ///
    /// # Shapes
    /// - `images`: `[batch, channels, height, width]` in `[0, 1]`, at least two of them
    fn losses(
        &self,
        model: &M,
        images: Tensor<4>,
        mode: Mode,
        noise: &mut dyn RandomSource,
        terms: &LossTerms<M>,
    ) -> NamedLosses<Tensor<1>>;

    /// Tells the number of main steps done, for an objective that changes with them: before the first
    /// step of a session and after each step. The default ignores it.
    fn set_completed_steps(&mut self, _steps: u64) {}

    /// Tells the number of images to train on, before the first step. The default ignores it.
    fn set_training_images(&mut self, _images: usize) {}
}

/// A term that is added to the objective of a model, with a weight.
///
/// Logs, plots and the progress bar show it by its name, like the model's own losses.
pub trait LossTerm<M> {
    /// Its name in logs, pictures and the progress bar.
    fn name(&self) -> &str;

    /// Its value on a batch, before its weight.
    ///
    /// # Shapes
    /// - output: `[1]`
    fn loss(&self, forward: &Forward<'_, M>) -> Tensor<1>;
}

/// The results of a forward pass over a batch, for a [`LossTerm`]. Gradients reach all of them.
pub struct Forward<'a, M> {
    /// The model.
    pub model: &'a M,
    /// Training or evaluation behaviour.
    pub mode: Mode,
    /// The images `[batch, channels, height, width]`.
    pub images: Tensor<4>,
    /// The posterior of each image, if the model has one.
    pub posterior: Option<Posterior>,
    /// The decoded codes, which are draws from the posterior, `[batch, latent]`.
    pub codes: Tensor<2>,
    /// The images of these codes.
    pub reconstructed: Tensor<4>,
    /// Draws from the prior with their images, if the model draws from it in training.
    pub generated: Option<Generated>,
}

/// Draws from the prior with their images.
#[derive(Clone, Debug)]
pub struct Generated {
    /// Codes `[batch, latent]`.
    pub codes: Tensor<2>,
    /// Images `[batch, channels, height, width]`.
    pub images: Tensor<4>,
}

/// Loss terms with their weights.
pub struct LossTerms<M>(Vec<(f64, Rc<dyn LossTerm<M>>)>);

impl<M> Clone for LossTerms<M> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<M> Default for LossTerms<M> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<M> LossTerms<M> {
    /// No terms.
    pub fn none() -> Self {
        Self::default()
    }

    /// Adds `weight` times `term`.
    pub fn push(&mut self, weight: f64, term: impl LossTerm<M> + 'static) {
        self.0.push((weight, Rc::new(term)));
    }

    /// The terms' names and weights.
    pub fn named(&self) -> impl Iterator<Item = (&str, f64)> {
        self.0.iter().map(|(weight, term)| (term.name(), *weight))
    }

    /// `losses` followed by the terms, with their weighted sum added to the total. Without terms
    /// `forward` is not called, so its data is not kept.
    pub fn add_to<'a>(
        &self,
        losses: NamedLosses<Tensor<1>>,
        forward: impl FnOnce() -> Forward<'a, M>,
    ) -> NamedLosses<Tensor<1>>
    where
        M: 'a,
    {
        if self.0.is_empty() {
            return losses;
        }
        let forward = forward();
        self.0.iter().fold(losses, |losses, (weight, term)| {
            let value = term.loss(&forward);
            let total = losses.total().clone() + value.clone() * *weight;
            losses
                .replaced("total", total)
                .with(term.name().to_owned(), value)
        })
    }
}
