//! The requirements on every prior family, whatever its distribution.

use burn::module::{Module, ModuleVisitor, Param};
use burn::tensor::{Device, Gradients, Tensor};
use gwae_core::Mode;
use gwae_core::random::SeededGenerator;
use gwae_priors::{
    AnyPrior, CausalConfig, Form, GaussianMixtureConfig, Prior, PriorConfig, VectorQuantizedConfig,
};

/// Every family and form, with the parameters that its gradient must reach: those whose path starts
/// with one of these, and no others.
fn every_family() -> Vec<(PriorConfig, Vec<&'static str>)> {
    let mixture = |form| {
        PriorConfig::GaussianMixture(GaussianMixtureConfig {
            components: 3,
            form,
        })
    };
    let causal = |form| PriorConfig::Causal(CausalConfig { form });
    let normalisation = ["Causal.batch_norm.gamma", "Causal.batch_norm.beta"];
    let official_causal = ["Causal.dag", "Causal.maps.6"];
    vec![
        (PriorConfig::Neural, vec!["Neural.layers"]),
        (
            PriorConfig::FactorizedNeural,
            vec!["FactorizedNeural.layers"],
        ),
        (
            mixture(Form::Corrected),
            vec![
                "GaussianMixture.component_mean",
                "GaussianMixture.component_sqrtprecision",
                "GaussianMixture.logits_unnormalized",
            ],
        ),
        (
            mixture(Form::Official),
            vec![
                "GaussianMixture.component_mean",
                "GaussianMixture.component_sqrtprecision",
            ],
        ),
        (PriorConfig::FactorizedNormal, vec![]),
        (PriorConfig::FactorizedUniform, vec![]),
        (PriorConfig::Spherical, vec![]),
        (
            PriorConfig::VectorQuantized(VectorQuantizedConfig { embeddings: 4 }),
            vec!["VectorQuantized.embeddings"],
        ),
        (
            causal(Form::Corrected),
            [&["Causal.dag", "Causal.maps"], &normalisation[..]].concat(),
        ),
        (
            causal(Form::Official),
            [official_causal, normalisation].concat(),
        ),
    ]
}

fn has_batch_norm(config: &PriorConfig) -> bool {
    matches!(
        config,
        PriorConfig::Neural
            | PriorConfig::FactorizedNeural
            | PriorConfig::GaussianMixture { .. }
            | PriorConfig::Causal { .. }
    )
}

/// Path and values of every tensor of a module, and whether `gradients` has an entry for it.
struct Inventory<'a> {
    gradients: Option<&'a Gradients>,
    path: Vec<String>,
    tensors: Vec<(String, Vec<f32>, bool)>,
}

impl ModuleVisitor for Inventory<'_> {
    fn enter_module(&mut self, name: &str, _container: &str) {
        self.path.push(name.to_string());
    }

    fn exit_module(&mut self, _name: &str, _container: &str) {
        self.path.pop();
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let tensor = param.val();
        let gradient = self.gradients.and_then(|gradients| tensor.grad(gradients));
        if let Some(gradient) = &gradient {
            assert_eq!(gradient.dims(), tensor.dims());
            assert!(floats(gradient.clone()).iter().all(|x| x.is_finite()));
        }
        let values = floats(tensor);
        self.tensors
            .push((self.path.join("."), values, gradient.is_some()));
    }
}

fn inventory(prior: &AnyPrior, gradients: Option<&Gradients>) -> Vec<(String, Vec<f32>, bool)> {
    let mut inventory = Inventory {
        gradients,
        path: Vec::new(),
        tensors: Vec::new(),
    };
    prior.visit(&mut inventory);
    inventory.tensors
}

fn floats<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    tensor.into_data().iter::<f32>().collect()
}

#[test]
fn samples_are_finite_and_repeat_from_the_seed_on_any_pair_of_devices() {
    let (plain, tracking) = (Device::flex(), Device::flex().autodiff());
    for (config, _) in every_family() {
        for (latent_dim, batch) in [(1, 2), (5, 7)] {
            let draw = |of_parameters: &Device, of_noise: &Device| {
                let mut noise = SeededGenerator::new(1, 0);
                let prior = config.init(latent_dim, &mut noise, of_parameters).unwrap();
                assert_eq!(prior.latent_dim(), latent_dim);
                [Mode::Train, Mode::Evaluate, Mode::Train].map(|mode| {
                    let codes = prior.sample(batch, mode, &mut noise, of_noise);
                    assert_eq!(codes.dims(), [batch, latent_dim]);
                    floats(codes)
                })
            };
            let expected = draw(&plain, &plain);
            assert!(expected.iter().flatten().all(|x| x.is_finite()));
            for devices in [
                (&tracking, &plain),
                (&plain, &tracking),
                (&tracking, &tracking),
            ] {
                let codes = draw(devices.0, devices.1);
                for (actual, expected) in codes.iter().flatten().zip(expected.iter().flatten()) {
                    assert!((actual - expected).abs() < 1e-5, "{config:?}");
                }
            }
        }
    }
}

#[test]
fn gradients_reach_exactly_the_trainable_parameters() {
    let (plain, tracking) = (Device::flex(), Device::flex().autodiff());
    for (config, trainable) in every_family() {
        for device in [&plain, &tracking] {
            for mode in [Mode::Train, Mode::Evaluate] {
                let mut noise = SeededGenerator::new(2, 0);
                let prior = config.init(3, &mut noise, &tracking).unwrap();
                let codes = prior.sample(8, mode, &mut noise, device);
                assert_eq!(codes.is_tracked(), !trainable.is_empty(), "{config:?}");
                if trainable.is_empty() {
                    assert_eq!(inventory(&prior, None), []);
                    continue;
                }
                let gradients = codes.square().sum().backward();
                let tensors = inventory(&prior, Some(&gradients));
                for (path, _, has_gradient) in &tensors {
                    let expected = trainable.iter().any(|start| path.starts_with(start));
                    assert_eq!(*has_gradient, expected, "{path} of {config:?}");
                }
                for start in &trainable {
                    let found = tensors.iter().any(|(path, ..)| path.starts_with(start));
                    assert!(found, "{config:?} has no {start}");
                }
            }
        }
    }
}

#[test]
fn only_training_moves_the_running_statistics_and_nothing_moves_the_parameters() {
    for device in [Device::flex(), Device::flex().autodiff()] {
        for (config, _) in every_family() {
            let mut noise = SeededGenerator::new(3, 0);
            let prior = config.init(3, &mut noise, &device).unwrap();
            let before = inventory(&prior, None);
            prior.sample(4, Mode::Evaluate, &mut noise, &device);
            assert_eq!(inventory(&prior, None), before, "{config:?}");
            prior.sample(4, Mode::Train, &mut noise, &device);
            let after = inventory(&prior, None);
            let moved: Vec<_> = before
                .iter()
                .zip(&after)
                .filter(|(before, after)| before != after)
                .map(|(before, _)| before.0.rsplit('.').next().unwrap_or_default())
                .collect();
            if has_batch_norm(&config) {
                assert_eq!(moved, ["running_mean", "running_variance"], "{config:?}");
            } else {
                assert!(moved.is_empty(), "{config:?}");
            }
        }
    }
}

#[test]
fn normalised_families_have_zero_mean_and_unit_variance_in_training() {
    let device = Device::flex();
    for (config, _) in every_family() {
        if !has_batch_norm(&config) {
            continue;
        }
        let mut noise = SeededGenerator::new(4, 0);
        let prior = config.init(2, &mut noise, &device).unwrap();
        let codes = prior.sample(64, Mode::Train, &mut noise, &device);
        let mean = floats(codes.clone().mean_dim(0));
        let variance = floats(codes.var_bias(0));
        assert!(mean.iter().all(|x| x.abs() < 1e-5), "{config:?}");
        // The 1e-5 that batch normalisation adds is visible where the raw variance is small.
        assert!(
            variance.iter().all(|x| (x - 1.0).abs() < 0.05),
            "{config:?}"
        );
    }
}

#[test]
fn valid_samples_equal_tracked_samples_and_are_plain() {
    let device = Device::flex().autodiff();
    for (config, _) in every_family() {
        let mut noise = SeededGenerator::new(5, 0);
        let prior = config.init(3, &mut noise, &device).unwrap();
        prior.sample(4, Mode::Train, &mut noise, &device);
        let draw = |prior: &AnyPrior, device: &Device| {
            prior.sample(4, Mode::Evaluate, &mut SeededGenerator::new(6, 0), device)
        };
        let plain = draw(&prior.valid(), &device.clone().without_autodiff());
        assert!(!plain.is_autodiff(), "{config:?}");
        assert_eq!(floats(plain), floats(draw(&prior, &device)), "{config:?}");
    }
}

#[test]
fn building_from_an_invalid_config_is_an_error() {
    let config = PriorConfig::GaussianMixture(GaussianMixtureConfig {
        components: 0,
        form: Form::Corrected,
    });
    let error = |config: &PriorConfig, latent_dim| {
        let mut noise = SeededGenerator::new(7, 0);
        let prior = config.init(latent_dim, &mut noise, &Device::flex());
        prior.unwrap_err().to_string()
    };
    assert!(error(&config, 2).contains("prior.components = 0 is out of range"));
    for (config, _) in every_family() {
        assert!(error(&config, 0).contains("latent_dim = 0"));
    }
}

#[test]
fn a_family_with_components_has_their_density() {
    let device = Device::flex();
    for (config, _) in every_family() {
        let mut noise = SeededGenerator::new(8, 0);
        let prior = config.init(3, &mut noise, &device).unwrap();
        let codes = prior.sample(6, Mode::Evaluate, &mut noise, &device);
        let density = prior.log_density(codes.clone()).map(floats);
        let has_density = matches!(
            config,
            PriorConfig::GaussianMixture(_)
                | PriorConfig::FactorizedNormal
                | PriorConfig::FactorizedUniform
        );
        assert_eq!(density.is_some(), has_density, "{config:?}");
        let Some(components) = prior.components() else {
            assert!(!matches!(config, PriorConfig::GaussianMixture(_)));
            continue;
        };
        let weights = floats(components.weights());
        assert!((weights.iter().sum::<f32>() - 1.0).abs() < 1e-6);
        let densities = floats(components.log_densities(codes));
        for (row, density) in densities.chunks(weights.len()).zip(density.unwrap()) {
            let sum: f32 = row.iter().map(|density| density.exp()).sum();
            assert!((sum.ln() - density).abs() < 1e-4 * density.abs().max(1.0));
        }
        for component in 0..weights.len() {
            let draws = components.draw(component, 4, &mut noise);
            assert_eq!(draws.dims(), [4, 3]);
        }
    }
}
