//! Finds the architecture of a state from its names and shapes.

use std::collections::BTreeMap;

use gwae_models::{BackboneConfig, CriticActivation, GwaeConfig};
use gwae_priors::{CausalConfig, Form, GaussianMixtureConfig, PriorConfig, VectorQuantizedConfig};

use crate::state::OfficialTensor;

/// Why names and shapes do not determine the architecture.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ArchitectureError {
    /// A parameter that every model has is missing.
    #[error("it has no `{0}`, which every GWAE of the authors' program has")]
    Missing(&'static str),
    /// A parameter that every model has is wrong.
    #[error("`{name}` has shape {shape:?}, from which no GWAE can be built")]
    Shape {
        /// Official name.
        name: &'static str,
        /// Its shape.
        shape: Vec<usize>,
    },
    /// Three prior families have no parameters.
    #[error(
        "its prior has no parameters, so it may be factorized_normal, factorized_uniform or spherical: \
         say which one in a configuration"
    )]
    NamelessPrior,
}

/// The sizes of a model. The authors' hyper-parameters do not contain them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sizes {
    /// Height and width of the images.
    pub image_size: usize,
    /// Colour channels.
    pub channels: usize,
    /// Latent dimension.
    pub latent_dim: usize,
    /// Channel-width multiplier.
    pub width: f64,
}

const FIRST_CONVOLUTION: &str = "enc_block.net.1.weight";
const FIRST_DECODER_LAYER: &str = "dec_block.net.0.weight";
const DISTANCE_SCALE: &str = "log_distance_coef";

/// Names and shapes of a state, for lookup.
struct Shapes<'a>(BTreeMap<&'a str, &'a OfficialTensor>);

impl<'a> Shapes<'a> {
    fn of(state: &'a [(String, OfficialTensor)]) -> Self {
        let named = |(name, tensor): &'a (String, OfficialTensor)| (name.as_str(), tensor);
        Self(state.iter().map(named).collect())
    }

    fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    fn any_starts_with(&self, prefix: &str) -> bool {
        self.0.keys().any(|name| name.starts_with(prefix))
    }

    fn shape<const D: usize>(&self, name: &'static str) -> Result<[usize; D], ArchitectureError> {
        let tensor = self.0.get(name).ok_or(ArchitectureError::Missing(name))?;
        let shape = tensor.shape.as_slice();
        shape.try_into().map_err(|_| ArchitectureError::Shape {
            name,
            shape: shape.to_vec(),
        })
    }

    /// Output channels of the encoder's stride-2 convolutions, which are the only ones there with
    /// 4×4 kernels.
    fn stage_channels(&self) -> Vec<usize> {
        let mut stages: Vec<(usize, usize)> = Vec::new();
        for (name, tensor) in &self.0 {
            let index = name
                .strip_prefix("enc_block.net.")
                .and_then(|rest| rest.strip_suffix(".weight"))
                .and_then(|index| index.parse().ok());
            if let (Some(index), [outputs, _, 4, 4]) = (index, tensor.shape.as_slice()) {
                stages.push((index, *outputs));
            }
        }
        stages.sort_unstable();
        stages.into_iter().map(|(_, outputs)| outputs).collect()
    }
}

impl Sizes {
    /// Reads the sizes from a state.
    ///
    /// # Errors
    /// Names the parameter that is missing or has an impossible shape.
    pub fn of(state: &[(String, OfficialTensor)]) -> Result<Self, ArchitectureError> {
        Self::read(&Shapes::of(state))
    }

    fn read(shapes: &Shapes<'_>) -> Result<Self, ArchitectureError> {
        let [_, channels, _, _] = shapes.shape(FIRST_CONVOLUTION)?;
        let [hidden, latent_dim] = shapes.shape(FIRST_DECODER_LAYER)?;
        let wrong = |name| ArchitectureError::Shape {
            name,
            shape: shapes.0[name].shape.clone(),
        };
        let stages = shapes.stage_channels();
        if !(1..=16).contains(&stages.len()) {
            return Err(wrong(FIRST_CONVOLUTION));
        }
        if latent_dim == 0 {
            return Err(wrong(FIRST_DECODER_LAYER));
        }
        let image_size = 4 << stages.len();
        let official = GwaeConfig {
            backbone: BackboneConfig {
                image_size,
                ..BackboneConfig::default()
            },
            ..GwaeConfig::default()
        };
        let official_counts = official.backbone.stage_channels().into_iter().zip(stages);
        let hidden = (official.backbone.hidden_features(), hidden);
        let width = multiplier(official_counts.chain([hidden]));
        Ok(Self {
            image_size,
            channels,
            latent_dim,
            width: width.ok_or_else(|| wrong(FIRST_DECODER_LAYER))?,
        })
    }
}

/// The multiplier with the fewest decimals that turns every first count, after rounding, into the
/// second.
fn multiplier(counts: impl Iterator<Item = (usize, usize)>) -> Option<f64> {
    let (mut least, mut most) = (0.0f64, f64::INFINITY);
    for (official, found) in counts {
        if found == 0 {
            return None;
        }
        // A count is at least one, so a count of one gives no lower limit for the multiplier.
        if found > 1 {
            least = least.max((found as f64 - 0.5) / official as f64);
        }
        most = most.min((found as f64 + 0.5) / official as f64);
    }
    let middle = (least + most) / 2.0;
    let rounded = (0..9).map(|decimals| {
        let scale = 10f64.powi(decimals);
        (middle * scale).round() / scale
    });
    rounded
        .into_iter()
        .find(|width| (least..most).contains(width) && *width > 0.0)
}

/// The configuration of the model of `state`. `form` is used for a prior whose official sampler has
/// a slip.
///
/// The parameters do not show two switches, `learned_similarity` and `mixed_potential`; both are
/// set to `false`. They do not show the critic's activation either; it is set to the authors'. The
/// initial distance scale is set to the current one.
///
/// # Errors
/// [`ArchitectureError::NamelessPrior`] if the prior has no parameters, otherwise the parameter
/// that is missing or has an impossible shape. A state that passes may still lack other parameters;
/// [`with_official_state`](crate::state::with_official_state) checks that.
pub fn infer_config(
    state: &[(String, OfficialTensor)],
    form: Form,
) -> Result<GwaeConfig, ArchitectureError> {
    let shapes = Shapes::of(state);
    let sizes = Sizes::read(&shapes)?;
    let initial_distance_coefficient = match shapes.0.get(DISTANCE_SCALE) {
        Some(tensor) => tensor
            .values
            .first()
            .map_or(1.0, |log| f64::from(*log).exp()),
        None => return Err(ArchitectureError::Missing(DISTANCE_SCALE)),
    };
    // After the first decoder convolution (`net.5`) and its SiLU. With `latent_bn` the encoder has
    // no batch norm of its own, so the decoder is checked.
    let batchnorm = shapes.has("dec_block.net.7.running_var");
    let first_block = if batchnorm { 8 } else { 7 };
    let resblock = shapes.has(&format!("dec_block.net.{first_block}.net.0.weight"));
    let prior = if shapes.has("sampler.component_mean") {
        let [components, _] = shapes.shape("sampler.component_mean")?;
        PriorConfig::GaussianMixture(GaussianMixtureConfig { components, form })
    } else if shapes.has("sampler.embeddings") {
        let [embeddings, _] = shapes.shape("sampler.embeddings")?;
        PriorConfig::VectorQuantized(VectorQuantizedConfig { embeddings })
    } else if shapes.any_starts_with("sampler.dag.") {
        PriorConfig::Causal(CausalConfig { form })
    } else if shapes.has("sampler.net.0.weight") {
        PriorConfig::Neural
    } else if shapes.has("sampler.net.1.weight") {
        PriorConfig::FactorizedNeural
    } else {
        return Err(ArchitectureError::NamelessPrior);
    };
    Ok(GwaeConfig {
        backbone: BackboneConfig {
            image_size: sizes.image_size,
            channels: sizes.channels,
            latent_dim: sizes.latent_dim,
            width: sizes.width,
            batchnorm,
            resblock,
            latent_bn: shapes.has("enc_block.running_mean"),
        },
        merged_condition: shapes.any_starts_with("disc_block."),
        learned_similarity: false,
        mixed_potential: false,
        critic_activation: CriticActivation::LeakyRelu,
        initial_distance_coefficient,
        prior,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::{OfficialState, official_state};
    use burn::tensor::Device;
    use gwae_core::random::SeededGenerator;
    use gwae_models::ModelSettings;

    fn counts(config: &GwaeConfig) -> Vec<usize> {
        let mut counts = config.backbone().stage_channels();
        counts.push(config.backbone().hidden_features());
        counts
    }

    #[test]
    fn odd_widths_come_back_as_the_same_layers() {
        for width in [0.05, 0.1, 0.3, 0.7, 1.0, 1.37, 2.5] {
            let config = GwaeConfig {
                backbone: BackboneConfig {
                    width,
                    ..BackboneConfig::default()
                },
                ..Default::default()
            };
            let official = counts(&GwaeConfig::default());
            let pairs = official.into_iter().zip(counts(&config));
            let found = multiplier(pairs).unwrap();
            let found = GwaeConfig {
                backbone: BackboneConfig {
                    width: found,
                    ..config.clone().backbone
                },
                ..config.clone()
            };
            assert_eq!(counts(&found), counts(&config));
        }
        assert_eq!(
            multiplier([(32, 32), (64, 64), (256, 256)].into_iter()),
            Some(1.0)
        );
        assert_eq!(multiplier([(32, 32), (64, 32)].into_iter()), None);
    }

    fn state(config: &GwaeConfig) -> OfficialState {
        let mut noise = SeededGenerator::new(1, 0);
        let model = config.init(&mut noise, &Device::flex()).unwrap();
        official_state(&model)
    }

    /// For every switch and family that parameters show, the parameters give the model's settings
    /// back.
    #[test]
    fn the_configuration_of_a_model_comes_back() {
        let form = Form::Official;
        let priors = [
            PriorConfig::Neural,
            PriorConfig::FactorizedNeural,
            PriorConfig::GaussianMixture(GaussianMixtureConfig {
                components: 4,
                form,
            }),
            PriorConfig::VectorQuantized(VectorQuantizedConfig { embeddings: 5 }),
            PriorConfig::Causal(CausalConfig { form }),
        ];
        for (index, prior) in priors.into_iter().enumerate() {
            for switches in 0..8 {
                let config = GwaeConfig {
                    backbone: BackboneConfig {
                        image_size: [32, 64, 128][index % 3],
                        channels: [1, 3][switches % 2],
                        latent_dim: 3 + index,
                        width: [0.0625, 0.1, 0.03125][index % 3],
                        batchnorm: switches & 1 != 0,
                        resblock: switches & 2 != 0,
                        latent_bn: switches & 4 != 0,
                    },
                    merged_condition: switches == 0,
                    initial_distance_coefficient: 2.0,
                    prior: prior.clone(),
                    ..Default::default()
                };
                let mut found = infer_config(&state(&config), form).unwrap();
                let coefficient = found.initial_distance_coefficient;
                assert!((coefficient - 2.0).abs() < 1e-6, "{coefficient}");
                found.initial_distance_coefficient = 2.0;
                assert_eq!(counts(&found), counts(&config));
                found.backbone.width = config.backbone.width;
                assert_eq!(found, config);
            }
        }
    }

    #[test]
    fn what_the_parameters_do_not_tell_is_said() {
        let config = GwaeConfig {
            backbone: BackboneConfig {
                image_size: 32,
                latent_dim: 2,
                width: 0.0625,
                ..BackboneConfig::default()
            },
            prior: PriorConfig::Spherical,
            merged_condition: false,
            ..Default::default()
        };
        let mut state = state(&config);
        let infer = |state: &[_]| infer_config(state, Form::Official).unwrap_err();
        assert_eq!(infer(&state), ArchitectureError::NamelessPrior);
        assert_eq!(Sizes::of(&state).unwrap().image_size, 32);
        for (_, tensor) in &mut state {
            tensor.shape = vec![7];
        }
        assert!(matches!(infer(&state), ArchitectureError::Shape { .. }));
        state.retain(|(name, _)| !name.starts_with("enc_block"));
        assert_eq!(infer(&state), ArchitectureError::Missing(FIRST_CONVOLUTION));
    }
}
