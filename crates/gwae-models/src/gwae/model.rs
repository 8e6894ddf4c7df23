//! The Gromov-Wasserstein autoencoder.

use burn::module::{Module, ModuleDisplay, Param};
use burn::tensor::{Device, FloatDType, Tensor};
use gwae_core::Mode;
use gwae_core::random::{RandomSource, SeededGenerator};
use gwae_priors::{AnyPrior, Prior, PriorComponents};

use crate::autoencoder::Autoencoder;
use crate::components::Components;
use crate::critic::{ConvCritic, Critic, CriticWeights};
use crate::encoded::Encoded;
use crate::networks::{ConvDecoder, ConvEncoder, Decoder, Encoder, Posterior};
use crate::score::{Score, ScoreDirection};

/// Number of batches of prior codes that adapt the statistics of the prior's batch norm to replaced
/// parameters. Each batch halves the rest of the old statistics.
const SETTLING_BATCHES: usize = 12;

/// Number of codes in each of these batches.
const SETTLING_BATCH: usize = 512;

/// A prior that is a Burn module: every [`Prior`] that derives `Module`.
pub trait PriorModule: Prior + Module + ModuleDisplay {}

impl<P: Prior + Module + ModuleDisplay> PriorModule for P {}

/// A Gromov-Wasserstein autoencoder (Nakagawa, Togo, Ogawa, Haseyama, ICLR 2023): encoder,
/// decoder, trainable prior, trainable distance scale and, with the merged condition, a critic.
///
/// [`GwaeConfig`](crate::GwaeConfig) builds the model of the paper. [`Gwae::new`] takes networks,
/// priors and critics of any kind.
#[derive(Module, Debug)]
pub struct Gwae<E = ConvEncoder, D = ConvDecoder, P = AnyPrior, C = ConvCritic>
where
    E: Module,
    D: Module,
    P: Module,
    C: Module,
{
    /// Image to posterior over codes.
    pub encoder: E,
    /// Code to image.
    pub decoder: D,
    /// Latent prior.
    pub prior: P,
    /// Logarithm of the scale c between latent and data distances, `[1]`.
    pub log_distance_coefficient: Param<Tensor<1>>,
    /// Kantorovich potential, with the merged condition.
    pub critic: Option<C>,
    latent_dim: usize,
}

impl<E: Encoder, D: Decoder, P: PriorModule, C: Critic> Gwae<E, D, P, C> {
    /// Builds a model from parts on `device`. `initial_distance_coefficient` is the first value of the
    /// trainable scale c between latent and data distances (official: 2.5 for CelebA, else 1). A model
    /// without a critic matches the codes by their maximum mean discrepancy.
    pub fn new(
        encoder: E,
        decoder: D,
        prior: P,
        critic: Option<C>,
        initial_distance_coefficient: f64,
        device: &Device,
    ) -> Self {
        let log_coefficient = initial_distance_coefficient.ln();
        let log_coefficient = Tensor::full([1], log_coefficient, device);
        Self {
            latent_dim: prior.latent_dim(),
            encoder,
            decoder,
            prior,
            log_distance_coefficient: Param::from_tensor(log_coefficient),
            critic,
        }
    }

    /// The Kantorovich potential D(x, z) in evaluation mode, or `None` for a model without critic.
    ///
    /// # Shapes
    /// - `images`: `[batch, channels, height, width]`, `codes`: `[batch, latent]`
    /// - output: `[batch, 1]`
    pub fn potential(&self, images: Tensor<4>, codes: Tensor<2>) -> Option<Tensor<2>> {
        let critic = self.critic.as_ref()?.weights(Mode::Evaluate);
        Some(critic.potential(images, codes))
    }
}

impl<E: Encoder, D: Decoder, P: PriorModule, C: Critic> Autoencoder for Gwae<E, D, P, C> {
    fn latent_dim(&self) -> usize {
        self.latent_dim
    }

    fn posterior(&self, images: Tensor<4>) -> Option<Posterior> {
        Some(self.encoder.encode(images, Mode::Evaluate))
    }

    fn encode(&self, images: Tensor<4>) -> Tensor<2> {
        self.encoder.encode(images, Mode::Evaluate).mean
    }

    fn decode(&self, codes: Tensor<2>) -> Tensor<4> {
        self.decoder.decode(codes, Mode::Evaluate)
    }

    fn sample_prior(&self, batch: usize, noise: &mut dyn RandomSource) -> Tensor<2> {
        let device = self.log_distance_coefficient.val().device();
        self.prior.sample(batch, Mode::Evaluate, noise, &device)
    }

    /// With a critic: `potential`, the published score D(f(z), z), and `potential_of_input`, D(x, z).
    /// With a Gaussian mixture as prior also `prior_negative_log_likelihood`, −log p(z).
    fn own_scores(&self, encoded: &Encoded) -> Vec<Score> {
        let potential = |images: &Tensor<4>| {
            let potential = self.potential(images.clone(), encoded.codes.clone())?;
            Some(potential.squeeze_dim(1))
        };
        // Only a mixture has trainable parts. The density of a fixed prior says nothing about the
        // model.
        let log_density = match self.prior.components() {
            Some(_) => self.prior.log_density(encoded.codes.clone()),
            None => None,
        };
        let (one, two) = (ScoreDirection::HigherIsOutside, ScoreDirection::TwoSided);
        [
            ("potential", two, potential(&encoded.reconstructed)),
            ("potential_of_input", two, potential(&encoded.images)),
            (
                "prior_negative_log_likelihood",
                one,
                log_density.map(Tensor::neg),
            ),
        ]
        .into_iter()
        .filter_map(|(name, direction, values)| Some(Score::new(name, direction, values?)))
        .collect()
    }

    fn components(&self) -> Option<Box<dyn Components + '_>> {
        let components = self.prior.components()?;
        Some(Box::new(OfCodes(components)))
    }

    /// Otherwise the statistics of the prior's batch norm would come from the last two batches of the
    /// old prior, and the critic's buffers from the old weights.
    fn settle_buffers(&self) {
        let mut noise = SeededGenerator::new(0, 0);
        let device = self.log_distance_coefficient.val().device();
        for _ in 0..SETTLING_BATCHES {
            self.prior
                .sample(SETTLING_BATCH, Mode::Train, &mut noise, &device);
        }
        if let Some(critic) = &self.critic {
            critic.settle_buffers();
        }
    }

    /// The critic stays as it is: with the 8 bits of bfloat16 its gradient penalty stays an order of
    /// magnitude larger.
    fn networks_in_precision(mut self, dtype: FloatDType) -> Self {
        self.encoder = self.encoder.in_precision(dtype);
        self.decoder = self.decoder.in_precision(dtype);
        self
    }
}

/// The components of a prior, which depend on the codes only.
struct OfCodes<'a>(&'a dyn PriorComponents);

impl Components for OfCodes<'_> {
    fn weights(&self) -> Tensor<1> {
        self.0.weights()
    }

    fn log_densities(&self, encoded: &Encoded) -> Tensor<2> {
        self.0.log_densities(encoded.codes.clone())
    }

    fn draw(&self, component: usize, count: usize, noise: &mut dyn RandomSource) -> Tensor<2> {
        self.0.draw(component, count, noise)
    }
}
