//! The causal prior: noise through linear maps masked by a random directed acyclic graph.

use burn::module::{Module, Param};
use burn::tensor::{Device, Tensor, activation};
use gwae_core::initialise::{normal_parameter, uniform_parameter};
use gwae_core::random::{RandomSource, normal_tensor};
use gwae_core::{BatchNorm, Mode, OFFICIAL_MOMENTUM};
use serde::{Deserialize, Serialize};

use crate::family::PriorFamily;
use crate::form::{FORM_EXPLANATION, Form};
use crate::gumbel::{gumbel_tensor, one_hot_of_largest, straight_through};
use crate::prior::Prior;

/// Number of masked linear maps.
const MAPS: usize = 7;

/// Noise through linear maps masked by a random directed acyclic graph.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CausalConfig {
    /// Form of the sampler: [`Form::Official`] uses the last map only.
    pub form: Form,
}

impl PriorFamily for CausalConfig {
    const NAME: &'static str = "causal";
    const DESCRIPTION: &'static str = "linear maps masked by a random acyclic graph";
    const EXPLANATIONS: &'static [(&'static str, &'static str)] = &[FORM_EXPLANATION];
    type Prior = CausalPrior;

    fn build(
        &self,
        latent_dim: usize,
        noise: &mut dyn RandomSource,
        device: &Device,
    ) -> CausalPrior {
        CausalPrior {
            dag: RandomGraph::init(latent_dim, noise, device),
            maps: std::array::from_fn(|_| CausalMap::init(latent_dim, noise, device)),
            batch_norm: BatchNorm::new(latent_dim, OFFICIAL_MOMENTUM, true, device),
            form: self.form,
        }
    }

    fn parameters(&self, latent_dim: usize) -> usize {
        latent_dim.saturating_mul(latent_dim).saturating_mul(8)
    }

    fn form_mut(&mut self) -> Option<&mut Form> {
        Some(&mut self.form)
    }
}

/// A distribution over directed acyclic graphs of the latent entries.
///
/// A graph is an order of the entries, and for every pair whether it has the edge that the order
/// allows. Its adjacency matrix is `A = R ⊙ (P·U·Pᵀ)`, where U is strictly upper triangular with
/// ones:
///
/// - P, the order: with s = scores + Gumbel noise, row j is the softmax over i of
///   `s_i·(L − 1 − 2j) − Σ_k |s_i − s_k|` (SoftSort of temperature 1);
/// - R, the edges: the second entry of the softmax of (E, −E) + Gumbel noise.
///
/// In evaluation mode P and R are rounded to zeros and ones, with straight-through gradients. The
/// rounded P has its ones at [argmax_i of row j, j], as in the authors' program.
#[derive(Module, Debug)]
pub struct RandomGraph {
    /// Scores `[L]` that, with added noise, give the order of the entries (official:
    /// `dag.permutation_score`).
    pub permutation_score: Param<Tensor<1>>,
    /// Scores E against each edge `[L, L]` (official: `dag.edge_score`).
    pub edge_score: Param<Tensor<2>>,
}

impl RandomGraph {
    /// A distribution over graphs of `entries` nodes with scores from N(0, 1).
    fn init(entries: usize, noise: &mut dyn RandomSource, device: &Device) -> Self {
        Self {
            permutation_score: normal_parameter([entries], noise, device),
            edge_score: normal_parameter([entries, entries], noise, device),
        }
    }

    /// Draws an adjacency matrix A: soft in training mode, zeros and ones in evaluation mode.
    ///
    /// Asks for: uniform `[L]`, then uniform `[L, L, 2]`.
    ///
    /// # Shapes
    /// - output: `[L, L]`
    pub fn adjacency(
        &self,
        mode: Mode,
        noise: &mut dyn RandomSource,
        device: &Device,
    ) -> Tensor<2> {
        let [entries] = self.permutation_score.dims();
        let order = self.order(mode, gumbel_tensor(noise, [entries], device));
        let edges = self.edges(mode, gumbel_tensor(noise, [entries, entries, 2], device));
        let before = Tensor::<2>::ones([entries, entries], &order.device()).triu(1);
        edges * order.clone().matmul(before).matmul(order.transpose())
    }

    fn order(&self, mode: Mode, gumbels: Tensor<1>) -> Tensor<2> {
        let [entries] = gumbels.dims();
        let scores = self.permutation_score.val() + gumbels;
        let ranks = Tensor::arange(0..entries as i64, &scores.device()).float();
        let factors = ranks.neg() * 2.0 + (entries as f64 - 1.0);
        let (column, row) = (scores.clone().unsqueeze_dim(1), scores.unsqueeze_dim(0));
        let spread: Tensor<2> = (column - row.clone()).abs().sum_dim(0);
        let soft = activation::softmax(factors.unsqueeze_dim::<2>(1) * row - spread, 1);
        match mode {
            Mode::Train => soft,
            Mode::Evaluate => straight_through(one_hot_of_largest(soft.clone()).transpose(), soft),
        }
    }

    fn edges(&self, mode: Mode, gumbels: Tensor<3>) -> Tensor<2> {
        let difference = gumbels.clone().slice_dim(2, 1) - gumbels.slice_dim(2, 0);
        // The second entry of a softmax of two is the sigmoid of the difference, second minus
        // first.
        let logits = difference.squeeze_dim::<2>(2) - self.edge_score.val() * 2.0;
        let soft = activation::sigmoid(logits.clone());
        match mode {
            Mode::Train => soft,
            Mode::Evaluate => straight_through(logits.detach().greater_scalar(0.0).float(), soft),
        }
    }
}

/// One masked linear map, `h ↦ h + h·(W ⊙ Aᵀ) + b`.
#[derive(Module, Debug)]
pub struct CausalMap {
    /// Weight W `[L, L]`, applied from the right, as in the authors' program.
    pub weight: Param<Tensor<2>>,
    /// Bias b `[L]`.
    pub bias: Param<Tensor<1>>,
}

impl CausalMap {
    /// A map over `entries` entries, weight and bias uniform in ±1/√L.
    fn init(entries: usize, noise: &mut dyn RandomSource, device: &Device) -> Self {
        Self {
            weight: uniform_parameter([entries, entries], entries, noise, device),
            bias: uniform_parameter([entries], entries, noise, device),
        }
    }

    /// Applies the map under `mask` = Aᵀ.
    ///
    /// # Shapes
    /// - `hidden`: `[batch, L]`
    /// - `mask`: `[L, L]`
    /// - output: `[batch, L]`
    pub fn forward(&self, hidden: Tensor<2>, mask: Tensor<2>) -> Tensor<2> {
        let masked = self.weight.val() * mask;
        let bias = self.bias.val().unsqueeze_dim::<2>(0);
        hidden.clone() + hidden.matmul(masked) + bias
    }
}

/// Seven masked linear maps, then an affine batch normalisation. Each draw masks all maps with one
/// random acyclic graph, so entries can cause one another.
///
/// - [`Form::Corrected`]: the maps form a chain. The first one takes ε, each later one the output
///   of the one before.
/// - [`Form::Official`]: the authors' program feeds ε to every map by mistake, so only the last map
///   has an effect. The others get no gradient.
///
/// A draw asks for: standard normal ε `[batch, L]`, uniform `[L]` (the order), uniform
/// `[L, L, 2]` (the edges).
#[derive(Module, Debug)]
pub struct CausalPrior {
    /// The distribution of the graph (official: `dag`).
    pub dag: RandomGraph,
    /// The maps (official: `ccs.0` to `ccs.6`).
    pub maps: [CausalMap; MAPS],
    /// Normalisation of the codes, with scale and shift.
    pub batch_norm: BatchNorm,
    #[module(skip)]
    form: Form,
}

impl CausalPrior {
    /// Form of the sampler.
    pub fn form(&self) -> Form {
        self.form
    }
}

impl Prior for CausalPrior {
    fn latent_dim(&self) -> usize {
        self.dag.permutation_score.dims()[0]
    }

    fn sample(
        &self,
        batch: usize,
        mode: Mode,
        noise: &mut dyn RandomSource,
        device: &Device,
    ) -> Tensor<2> {
        let epsilon = normal_tensor(noise, [batch, self.latent_dim()], device);
        let mask = self.dag.adjacency(mode, noise, device).transpose();
        let acting = match self.form {
            Form::Corrected => &self.maps[..],
            Form::Official => &self.maps[MAPS - 1..],
        };
        let codes = acting
            .iter()
            .fold(epsilon, |hidden, map| map.forward(hidden, mask.clone()));
        self.batch_norm.forward(codes, mode)
    }
}

#[cfg(test)]
mod tests;
