//! The estimation network, which gives each image soft memberships in the components.

use burn::module::Module;
use burn::nn::Linear;
use burn::tensor::{Device, Tensor, TensorData, activation};
use gwae_core::random::RandomSource;
use gwae_core::{Mode, initialise};

/// Soft memberships: linear, tanh, dropout, linear, softmax.
#[derive(Module, Debug)]
pub struct EstimationNetwork {
    /// `latent + 2 → estimation_features`.
    pub hidden: Linear,
    /// `estimation_features → components`.
    pub output: Linear,
    dropout: f64,
}

impl EstimationNetwork {
    /// A network from `inputs` features through `hidden` ones to `components` memberships. Training
    /// drops the share `dropout` of the hidden features.
    pub fn new(
        inputs: usize,
        hidden: usize,
        components: usize,
        dropout: f64,
        noise: &mut dyn RandomSource,
        device: &Device,
    ) -> Self {
        Self {
            hidden: initialise::linear(inputs, hidden, noise, device),
            output: initialise::linear(hidden, components, noise, device),
            dropout,
        }
    }

    /// Number of components K.
    pub fn components(&self) -> usize {
        self.output.weight.dims()[1]
    }

    /// Soft memberships γ of feature vectors.
    ///
    /// In [`Mode::Train`] with dropout, asks `noise` for uniform `[batch, estimation_features]`.
    ///
    /// # Shapes
    /// - `features`: `[batch, latent + 2]`, output: `[batch, components]`; rows sum to 1
    pub fn forward(
        &self,
        features: Tensor<2>,
        mode: Mode,
        noise: &mut dyn RandomSource,
    ) -> Tensor<2> {
        let mut hidden = self.hidden.forward(features).tanh();
        if mode == Mode::Train && self.dropout > 0.0 {
            let dims = hidden.dims();
            let kept = 1.0 - self.dropout;
            let mask = noise.uniform(dims.iter().product()).into_iter();
            let mask = mask.map(|u| if f64::from(u) < kept { 1.0 / kept } else { 0.0 });
            let mask = TensorData::new(mask.collect::<Vec<f64>>(), dims).convert::<f32>();
            hidden = hidden.clone() * Tensor::from_data(mask, &hidden.device());
        }
        activation::softmax(self.output.forward(hidden), 1)
    }
}
