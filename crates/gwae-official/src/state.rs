//! The parameters of a model under the names and in the layouts of the authors' PyTorch program.

use std::collections::{BTreeMap, HashMap};

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param, ParamId};
use burn::tensor::{Tensor, TensorData};
use gwae_models::Gwae;

use crate::parameter_table::{Layout, Table};

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
    /// The state lacks parameters of the model.
    #[error(
        "the state lacks {count} parameters of this model, the first is `{first}`: \
         it belongs to another architecture (check latent_dim, prior, batchnorm, resblock, latent_bn, merged_condition)"
    )]
    Missing {
        /// The number of missing parameters.
        count: usize,
        /// Official name of the first one.
        first: String,
    },
    /// The model lacks parameters of the state.
    #[error(
        "the state has {count} parameters that this model lacks, the first is `{first}`: \
         it belongs to another architecture (check prior, batchnorm, resblock, latent_bn, merged_condition)"
    )]
    Unexpected {
        /// The number of extra parameters.
        count: usize,
        /// Official name of the first one.
        first: String,
    },
    /// A parameter has another size.
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

/// Every parameter and buffer under its official name, in the official layout.
pub fn official_state(model: &Gwae) -> OfficialState {
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
    let table = Table::of(model);
    let mut read = Read {
        table: &table,
        values: HashMap::new(),
    };
    model.visit(&mut read);
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

/// `model` with all parameters and buffers from `state`.
///
/// Counters named `num_batches_tracked`, which the model does not use, are ignored.
///
/// # Errors
/// When the state has too few, too many or other parameters; then none is loaded.
pub fn with_official_state(
    model: Gwae,
    state: impl IntoIterator<Item = (String, OfficialTensor)>,
) -> Result<Gwae, OfficialStateError> {
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
            // Transposed on the host: with a strided view of the official layout every product
            // would be slower and rounded differently.
            let values = match entry.layout {
                Layout::Transposed => transposed(&data.values, shape[0], shape[1]),
                Layout::Same | Layout::Scalar => data.values,
            };
            let tensor = Tensor::from_data(TensorData::new(values, shape), options);
            Param::from_mapped_value(id, tensor.detach(), mapper).set_require_grad(trainable)
        }
    }

    let table = Table::of(&model);
    let state: BTreeMap<String, OfficialTensor> = state.into_iter().collect();
    let mut unexpected: Vec<&String> = state
        .keys()
        .filter(|name| !name.ends_with("num_batches_tracked"))
        .collect();
    let mut missing = Vec::new();
    for (name, expected) in official_state(&model) {
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
    Ok(model.map(&mut Write {
        table: &table,
        state,
    }))
}

/// The `[rows, columns]` matrix whose transpose has `values`.
fn transposed(values: &[f32], rows: usize, columns: usize) -> Vec<f32> {
    let value = |k: usize| values[(k % columns) * rows + k / columns];
    (0..values.len()).map(value).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::Device;
    use gwae_core::random::SeededGenerator;
    use gwae_models::{Autoencoder, BackboneConfig, GwaeConfig, ModelSettings};
    use gwae_priors::{
        CausalConfig, Form, GaussianMixtureConfig, PriorConfig, VectorQuantizedConfig,
    };

    fn model(config: &GwaeConfig, seed: u64) -> Gwae {
        let device = Device::flex().autodiff();
        config
            .init(&mut SeededGenerator::new(seed, 0), &device)
            .unwrap()
    }

    fn names(config: &GwaeConfig) -> Vec<String> {
        official_state(&model(config, 1))
            .into_iter()
            .map(|(name, _)| name)
            .collect()
    }

    fn small(prior: PriorConfig) -> GwaeConfig {
        GwaeConfig {
            backbone: BackboneConfig {
                image_size: 32,
                channels: 1,
                latent_dim: 3,
                width: 0.1,
                ..BackboneConfig::default()
            },
            prior,
            ..Default::default()
        }
    }

    fn every_prior() -> Vec<PriorConfig> {
        vec![
            PriorConfig::Neural,
            PriorConfig::FactorizedNeural,
            PriorConfig::GaussianMixture(GaussianMixtureConfig {
                components: 4,
                form: Form::Corrected,
            }),
            PriorConfig::FactorizedNormal,
            PriorConfig::FactorizedUniform,
            PriorConfig::Spherical,
            PriorConfig::VectorQuantized(VectorQuantizedConfig { embeddings: 5 }),
            PriorConfig::Causal(CausalConfig {
                form: Form::Official,
            }),
        ]
    }

    /// The list has all parameters of a model, for every switch.
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
                    backbone: BackboneConfig {
                        batchnorm,
                        resblock,
                        latent_bn,
                        ..small(prior.clone()).backbone
                    },
                    ..small(prior.clone())
                };
                let model = model(&config, 1);
                let mut count = Count(0);
                model.visit(&mut count);
                assert_eq!(official_state(&model).len(), count.0, "{config:?}");
            }
        }
    }

    #[test]
    fn a_state_carries_a_whole_model() {
        let config = GwaeConfig {
            backbone: BackboneConfig {
                batchnorm: true,
                resblock: true,
                ..small(PriorConfig::Neural).backbone
            },
            ..small(PriorConfig::Neural)
        };
        let source = model(&config, 1);
        let target = with_official_state(model(&config, 2), official_state(&source)).unwrap();
        assert_eq!(official_state(&source), official_state(&target));
        let images = Tensor::<4>::full([2, 1, 32, 32], 0.3, &Device::flex());
        let mean = |model: &Gwae| model.valid().encode(images.clone()).into_data();
        assert_eq!(mean(&source), mean(&target));
    }

    #[test]
    fn names_count_the_layers_of_the_switches() {
        let plain = names(&GwaeConfig {
            backbone: BackboneConfig {
                latent_dim: 4,
                ..BackboneConfig::default()
            },
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
            backbone: BackboneConfig {
                latent_dim: 4,
                batchnorm: true,
                resblock: true,
                ..BackboneConfig::default()
            },
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
        let state = official_state(&model(&config, 1));
        let load = |config: &GwaeConfig| {
            with_official_state(model(config, 2), state.clone())
                .unwrap_err()
                .to_string()
        };
        assert!(
            load(&GwaeConfig {
                backbone: BackboneConfig {
                    latent_dim: 5,
                    ..config.clone().backbone
                },
                ..config.clone()
            })
            .contains("shape")
        );
        assert!(load(&small(PriorConfig::FactorizedNormal)).contains("`sampler.net.0.bias`"));
        let switched = GwaeConfig {
            backbone: BackboneConfig {
                latent_bn: true,
                ..config.clone().backbone
            },
            ..config.clone()
        };
        assert!(load(&switched).contains("`enc_block.running_mean`"));
    }
}
