//! The names and layouts that the authors' PyTorch program gives to every parameter.
//!
//! An [`OfficialState`] is what that program's `state_dict` holds. The table below walks the
//! model and names each parameter, so importing a checkpoint, exporting one and comparing
//! trajectories all read the same single list.

mod architecture;

use std::collections::{BTreeMap, HashMap};

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param, ParamId, RunningState};
use burn::nn::Linear;
use burn::nn::conv::{Conv1d, Conv2d, ConvTranspose2d};
use burn::tensor::{Tensor, TensorData};
use gwae_core::BatchNorm;
use gwae_priors::PriorSampler;

use crate::critic::Critic;
use crate::decoder::Decoder;
use crate::encoder::{Encoder, Head};
use crate::gwae::Gwae;
use crate::latent_norm::LatentNorm;
use crate::residual::ResidualBlock;
use crate::spectral::SpectralWeight;

pub use architecture::{ArchitectureError, Sizes, infer_config};

/// A parameter or buffer in the official layout.
#[derive(Clone, Debug, PartialEq)]
pub struct OfficialTensor {
    /// Official shape; empty for a scalar.
    pub shape: Vec<usize>,
    /// Values, row-major.
    pub values: Vec<f32>,
}

/// Parameters and buffers by official name, in module order.
pub type OfficialState = Vec<(String, OfficialTensor)>;

/// Why a state does not fit a model.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OfficialStateError {
    /// Parameters of the model that the state lacks.
    #[error(
        "the state lacks {count} parameters of this model, the first is `{first}`: \
         it belongs to another architecture (check latent_dim, prior, batchnorm, resblock, latent_bn, merged_condition)"
    )]
    Missing {
        /// How many.
        count: usize,
        /// Official name of the first.
        first: String,
    },
    /// Parameters of the state that the model lacks.
    #[error(
        "the state has {count} parameters that this model lacks, the first is `{first}`: \
         it belongs to another architecture (check prior, batchnorm, resblock, latent_bn, merged_condition)"
    )]
    Unexpected {
        /// How many.
        count: usize,
        /// Official name of the first.
        first: String,
    },
    /// A parameter of another size.
    #[error(
        "`{name}` has shape {found:?} in the state but {expected:?} in this model: check latent_dim and the architecture"
    )]
    Shape {
        /// Official name.
        name: String,
        /// Shape in the state.
        found: Vec<usize>,
        /// Official shape in the model.
        expected: Vec<usize>,
    },
}

/// How a parameter lies in the official program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Layout {
    /// As here.
    Same,
    /// A linear weight: `[out, in]` there, `[in, out]` here.
    Transposed,
    /// A scalar there, `[1]` here.
    Scalar,
}

struct Entry {
    name: String,
    layout: Layout,
}

/// Official name and layout of every parameter of a model.
#[derive(Default)]
struct Table {
    order: Vec<ParamId>,
    entries: HashMap<ParamId, Entry>,
}

impl Table {
    fn of(model: &Gwae) -> Self {
        let mut table = Self::default();
        table.add(
            "log_distance_coef".into(),
            &model.log_distance_coefficient,
            Layout::Scalar,
        );
        table.encoder(&model.encoder);
        table.decoder(&model.decoder);
        table.prior(&model.prior);
        if let Some(critic) = &model.critic {
            table.critic(critic);
        }
        table
    }

    /// Adds the single parameter that `module` consists of.
    fn add(&mut self, name: String, module: &impl Module, layout: Layout) {
        struct Ids<'a>(&'a mut Vec<ParamId>);
        impl ModuleVisitor for Ids<'_> {
            fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
                self.0.push(param.id);
            }
        }
        let before = self.order.len();
        module.visit(&mut Ids(&mut self.order));
        assert_eq!(self.order.len(), before + 1, "`{name}` is one parameter");
        self.entries
            .insert(self.order[before], Entry { name, layout });
    }

    fn pair<const D: usize>(
        &mut self,
        prefix: &str,
        weight: &Param<Tensor<D>>,
        bias: &Option<Param<Tensor<1>>>,
        layout: Layout,
    ) {
        self.add(format!("{prefix}.weight"), weight, layout);
        if let Some(bias) = bias {
            self.add(format!("{prefix}.bias"), bias, Layout::Same);
        }
    }

    fn linear(&mut self, prefix: &str, layer: &Linear) {
        self.pair(prefix, &layer.weight, &layer.bias, Layout::Transposed);
    }

    fn conv1d(&mut self, prefix: &str, layer: &Conv1d) {
        self.pair(prefix, &layer.weight, &layer.bias, Layout::Same);
    }

    fn conv2d(&mut self, prefix: &str, layer: &Conv2d) {
        self.pair(prefix, &layer.weight, &layer.bias, Layout::Same);
    }

    fn conv_transpose2d(&mut self, prefix: &str, layer: &ConvTranspose2d) {
        self.pair(prefix, &layer.weight, &layer.bias, Layout::Same);
    }

    fn state(&mut self, name: String, state: &RunningState<Tensor<1>>) {
        self.add(name, state, Layout::Same);
    }

    fn batch_norm(&mut self, prefix: &str, norm: &BatchNorm) {
        for (suffix, param) in [("weight", &norm.gamma), ("bias", &norm.beta)] {
            if let Some(param) = param {
                self.add(format!("{prefix}.{suffix}"), param, Layout::Same);
            }
        }
        self.state(format!("{prefix}.running_mean"), &norm.running_mean);
        self.state(format!("{prefix}.running_var"), &norm.running_variance);
    }

    /// What follows a convolution at `net.{next}`; returns the index after it.
    fn tail(
        &mut self,
        block: &str,
        mut next: usize,
        norm: &Option<BatchNorm>,
        residual: &[ResidualBlock],
    ) -> usize {
        if let Some(norm) = norm {
            self.batch_norm(&format!("{block}.net.{next}"), norm);
            next += 1;
        }
        for residual_block in residual {
            let mut inner = 0;
            for layer in &residual_block.layers {
                let prefix = format!("{block}.net.{next}.net");
                self.conv2d(&format!("{prefix}.{inner}"), &layer.convolution);
                inner += 2; // The convolution and its SiLU.
                if let Some(norm) = &layer.norm {
                    self.batch_norm(&format!("{prefix}.{inner}"), norm);
                    inner += 1;
                }
            }
            next += 1;
        }
        next
    }

    fn encoder(&mut self, encoder: &Encoder) {
        let mut next = 1; // After the inverse sigmoid.
        for stage in &encoder.stages {
            self.conv2d(&format!("enc_block.net.{next}"), &stage.convolution);
            next = self.tail("enc_block", next + 2, &stage.norm, &stage.residual);
        }
        self.linear(&format!("enc_block.net.{}", next + 1), &encoder.hidden); // After Flatten.
        self.head("enc_block.fc", &encoder.mean);
        self.head("enc_block.fc_logvar", &encoder.logvar);
        if let Some(norm) = &encoder.latent_norm {
            self.latent_norm(norm);
        }
    }

    fn head(&mut self, prefix: &str, head: &Head) {
        match &head.norm {
            None => self.linear(prefix, &head.linear),
            Some(norm) => {
                self.linear(&format!("{prefix}.0"), &head.linear);
                self.batch_norm(&format!("{prefix}.1"), norm);
            }
        }
    }

    fn latent_norm(&mut self, norm: &LatentNorm) {
        self.state("enc_block.running_mean".into(), &norm.running_mean);
        self.state("enc_block.running_logvar".into(), &norm.running_logvar);
        let tracked = &norm.batches_tracked;
        self.add(
            "enc_block.num_batches_tracked".into(),
            tracked,
            Layout::Scalar,
        );
    }

    fn decoder(&mut self, decoder: &Decoder) {
        self.linear("dec_block.net.0", &decoder.hidden);
        self.linear("dec_block.net.2", &decoder.expand);
        let mut next = 5; // After two SiLU and Unflatten.
        for stage in &decoder.stages {
            self.conv_transpose2d(&format!("dec_block.net.{next}"), &stage.convolution);
            next = self.tail("dec_block", next + 2, &stage.norm, &stage.residual);
        }
        self.conv_transpose2d(&format!("dec_block.net.{next}"), &decoder.output);
        self.tail("dec_block", next + 1, &None, &decoder.output_residual);
    }

    fn prior(&mut self, prior: &PriorSampler) {
        match prior {
            PriorSampler::Neural(prior) => {
                for (index, layer) in prior.layers.iter().enumerate() {
                    self.linear(&format!("sampler.net.{}", 2 * index), layer);
                }
                self.batch_norm("sampler.net.7", &prior.batch_norm);
            }
            PriorSampler::FactorizedNeural(prior) => {
                for (index, layer) in prior.layers.iter().enumerate() {
                    self.conv1d(&format!("sampler.net.{}", 2 * index + 1), layer);
                }
                self.batch_norm("sampler.net.8", &prior.batch_norm);
            }
            PriorSampler::GaussianMixture(prior) => {
                let same = Layout::Same;
                self.add("sampler.component_mean".into(), &prior.component_mean, same);
                let matrices = &prior.component_sqrtprecision;
                self.add("sampler.component_sqrtprecision".into(), matrices, same);
                self.add(
                    "sampler.logits_unnormalized".into(),
                    &prior.logits_unnormalized,
                    same,
                );
                self.batch_norm("sampler.batchnorm", &prior.batch_norm);
            }
            PriorSampler::VectorQuantized(prior) => {
                self.add("sampler.embeddings".into(), &prior.embeddings, Layout::Same);
            }
            PriorSampler::Causal(prior) => {
                let same = Layout::Same;
                self.add(
                    "sampler.dag.permutation_score".into(),
                    &prior.dag.permutation_score,
                    same,
                );
                self.add("sampler.dag.edge_score".into(), &prior.dag.edge_score, same);
                for (index, map) in prior.maps.iter().enumerate() {
                    self.add(format!("sampler.ccs.{index}.weight"), &map.weight, same);
                    self.add(format!("sampler.ccs.{index}.bias"), &map.bias, same);
                }
                self.batch_norm("sampler.batchnorm", &prior.batch_norm);
            }
            PriorSampler::FactorizedNormal(_)
            | PriorSampler::FactorizedUniform(_)
            | PriorSampler::Spherical(_) => {}
        }
    }

    fn critic(&mut self, critic: &Critic) {
        for (index, layer) in critic.image.iter().enumerate() {
            self.spectral(&format!("disc_block.x_net.{}", 2 * index), layer);
        }
        let output = 2 * critic.image.len() + 1; // After Flatten.
        self.spectral(&format!("disc_block.x_net.{output}"), &critic.image_output);
        for (branch, layers) in [("z_net", &critic.code), ("xz_net", &critic.head)] {
            for (index, layer) in layers.iter().enumerate() {
                self.spectral(&format!("disc_block.{branch}.{}", 2 * index), layer);
            }
        }
    }

    fn spectral<const D: usize>(&mut self, prefix: &str, layer: &SpectralWeight<D>) {
        self.add(format!("{prefix}.bias"), &layer.bias, Layout::Same);
        self.add(format!("{prefix}.weight_orig"), &layer.weight, Layout::Same);
        self.state(format!("{prefix}.weight_u"), &layer.left);
        self.state(format!("{prefix}.weight_v"), &layer.right);
    }
}

impl Gwae {
    /// Every parameter and buffer under its official name, in the official layout.
    pub fn official_state(&self) -> OfficialState {
        struct Read<'a> {
            table: &'a Table,
            values: HashMap<ParamId, OfficialTensor>,
        }
        impl ModuleVisitor for Read<'_> {
            fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
                if let Some(entry) = self.table.entries.get(&param.id) {
                    let value = param.val();
                    let value = match entry.layout {
                        Layout::Transposed => value.transpose(),
                        Layout::Same | Layout::Scalar => value,
                    };
                    let shape = match entry.layout {
                        Layout::Scalar => Vec::new(),
                        Layout::Same | Layout::Transposed => value.dims().to_vec(),
                    };
                    let values = value.into_data().iter::<f32>().collect();
                    let data = OfficialTensor { shape, values };
                    self.values.insert(param.id, data);
                }
            }
        }
        let table = Table::of(self);
        let mut read = Read {
            table: &table,
            values: HashMap::new(),
        };
        self.visit(&mut read);
        let mut values = read.values;
        let value = |id: &ParamId| {
            values
                .remove(id)
                .expect("the table lists visited parameters")
        };
        let data: Vec<OfficialTensor> = table.order.iter().map(value).collect();
        let names = table.order.iter().map(|id| table.entries[id].name.clone());
        names.zip(data).collect()
    }

    /// This model with every parameter and buffer taken from `state`.
    ///
    /// Counters named `num_batches_tracked` that the model does not use are ignored. Fails,
    /// leaving nothing half-loaded, where the state has too few, too many or other parameters.
    pub fn with_official_state(
        self,
        state: impl IntoIterator<Item = (String, OfficialTensor)>,
    ) -> Result<Self, OfficialStateError> {
        struct Write<'a> {
            table: &'a Table,
            state: BTreeMap<String, OfficialTensor>,
        }
        impl ModuleMapper for Write<'_> {
            fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
                let Some(entry) = self.table.entries.get(&param.id) else {
                    return param;
                };
                let data = self.state.remove(&entry.name).expect("checked before");
                let (trainable, device) = (param.is_require_grad(), param.device());
                let shape = param.dims();
                let (id, old, mapper) = param.consume();
                let options = (&device, old.dtype());
                // Transposed on the host: a strided view of the official layout would make every
                // product slower, and round differently.
                let values = match entry.layout {
                    Layout::Transposed => transposed(&data.values, shape[0], shape[1]),
                    Layout::Same | Layout::Scalar => data.values,
                };
                let tensor = Tensor::from_data(TensorData::new(values, shape), options);
                Param::from_mapped_value(id, tensor.detach(), mapper).set_require_grad(trainable)
            }
        }

        let table = Table::of(&self);
        let state: BTreeMap<String, OfficialTensor> = state.into_iter().collect();
        let mut unexpected: Vec<&String> = state
            .keys()
            .filter(|name| !name.ends_with("num_batches_tracked"))
            .collect();
        let mut missing = Vec::new();
        for (name, expected) in self.official_state() {
            unexpected.retain(|other| **other != name);
            match state.get(&name) {
                None => missing.push(name),
                Some(data) if data.shape != expected.shape => {
                    return Err(OfficialStateError::Shape {
                        name,
                        found: data.shape.clone(),
                        expected: expected.shape,
                    });
                }
                Some(_) => {}
            }
        }
        if let Some(first) = missing.first() {
            return Err(OfficialStateError::Missing {
                count: missing.len(),
                first: first.clone(),
            });
        }
        if let Some(first) = unexpected.first() {
            let first = first.to_string();
            return Err(OfficialStateError::Unexpected {
                count: unexpected.len(),
                first,
            });
        }
        Ok(self.map(&mut Write {
            table: &table,
            state,
        }))
    }
}

/// The `[rows, columns]` matrix whose transpose has `values`.
fn transposed(values: &[f32], rows: usize, columns: usize) -> Vec<f32> {
    let value = |k: usize| values[(k % columns) * rows + k / columns];
    (0..values.len()).map(value).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::GwaeConfig;
    use burn::tensor::Device;
    use gwae_core::random::SeededGenerator;
    use gwae_priors::{Form, PriorConfig};

    fn model(config: &GwaeConfig, seed: u64) -> Gwae {
        let device = Device::flex().autodiff();
        Gwae::new(config, &mut SeededGenerator::new(seed, 0), &device).unwrap()
    }

    fn names(config: &GwaeConfig) -> Vec<String> {
        model(config, 1)
            .official_state()
            .into_iter()
            .map(|(name, _)| name)
            .collect()
    }

    fn small(prior: PriorConfig) -> GwaeConfig {
        GwaeConfig {
            image_size: 32,
            channels: 1,
            latent_dim: 3,
            width: 0.1,
            prior,
            ..Default::default()
        }
    }

    fn every_prior() -> Vec<PriorConfig> {
        vec![
            PriorConfig::Neural,
            PriorConfig::FactorizedNeural,
            PriorConfig::GaussianMixture {
                components: 4,
                form: Form::Corrected,
            },
            PriorConfig::FactorizedNormal,
            PriorConfig::FactorizedUniform,
            PriorConfig::Spherical,
            PriorConfig::VectorQuantized { embeddings: 5 },
            PriorConfig::Causal {
                form: Form::Official,
            },
        ]
    }

    /// All parameters of a model are listed, whatever its switches.
    #[test]
    fn every_parameter_has_an_official_name() {
        struct Count(usize);
        impl ModuleVisitor for Count {
            fn visit_float<const D: usize>(&mut self, _: &Param<Tensor<D>>) {
                self.0 += 1;
            }
        }
        for prior in every_prior() {
            for (batchnorm, resblock, latent_bn) in [
                (false, false, false),
                (true, true, false),
                (true, false, true),
                (false, true, true),
            ] {
                let config = GwaeConfig {
                    batchnorm,
                    resblock,
                    latent_bn,
                    ..small(prior.clone())
                };
                let model = model(&config, 1);
                let mut count = Count(0);
                model.visit(&mut count);
                assert_eq!(model.official_state().len(), count.0, "{config:?}");
            }
        }
    }

    #[test]
    fn a_state_carries_a_whole_model() {
        let config = GwaeConfig {
            batchnorm: true,
            resblock: true,
            ..small(PriorConfig::Neural)
        };
        let source = model(&config, 1);
        let target = model(&config, 2)
            .with_official_state(source.official_state())
            .unwrap();
        assert_eq!(source.official_state(), target.official_state());
        let images = Tensor::<4>::full([2, 1, 32, 32], 0.3, &Device::flex());
        let mean = |model: &Gwae| model.valid().encode(images.clone()).mean.into_data();
        assert_eq!(mean(&source), mean(&target));
    }

    #[test]
    fn names_count_the_layers_of_the_switches() {
        let plain = names(&GwaeConfig {
            latent_dim: 4,
            ..Default::default()
        });
        for name in [
            "enc_block.net.10.weight",
            "enc_block.fc_logvar.bias",
            "dec_block.net.11.bias",
        ] {
            assert!(plain.iter().any(|n| n == name), "{name}");
        }
        let config = GwaeConfig {
            latent_dim: 4,
            batchnorm: true,
            resblock: true,
            ..Default::default()
        };
        let switched = names(&config);
        // Inverse sigmoid, then four times (convolution, SiLU, norm, two blocks), Flatten.
        for name in [
            "enc_block.net.1.weight",
            "enc_block.net.3.running_var",
            "enc_block.net.4.net.5.running_mean",
            "enc_block.net.22.weight",
            "enc_block.fc.0.weight",
            "enc_block.fc_logvar.1.running_var",
            "dec_block.net.20.weight",
            "dec_block.net.22.net.3.bias",
        ] {
            assert!(
                switched.iter().any(|n| n == name),
                "{name} not in {switched:?}"
            );
        }
    }

    #[test]
    fn foreign_states_are_refused_by_name() {
        let config = small(PriorConfig::Neural);
        let state = model(&config, 1).official_state();
        let load = |config: &GwaeConfig| {
            model(config, 2)
                .with_official_state(state.clone())
                .unwrap_err()
                .to_string()
        };
        assert!(
            load(&GwaeConfig {
                latent_dim: 5,
                ..config.clone()
            })
            .contains("shape")
        );
        assert!(load(&small(PriorConfig::FactorizedNormal)).contains("`sampler.net.0.bias`"));
        let switched = GwaeConfig {
            latent_bn: true,
            ..config.clone()
        };
        assert!(load(&switched).contains("`enc_block.running_mean`"));
    }
}
