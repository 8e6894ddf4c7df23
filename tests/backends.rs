//! Other backends compute what the CPU computes: values and gradients of every part of a model.
//!
//! Run with the feature of a backend, such as `cargo test --features wgpu --test backends`; without
//! one there is nothing to compare. A device that is not there fails the test.
#![cfg(any(
    feature = "wgpu",
    feature = "vulkan",
    feature = "metal",
    feature = "cuda",
    feature = "rocm"
))]

use burn::module::{Module, ModuleVisitor, Param};
use burn::tensor::{Device, Gradients, Tensor};
use gwae::core::random::{RandomSource, SeededGenerator, uniform_tensor};
use gwae::core::{MixtureMoments, Mode, estimated_gw_loss, gradient_penalty};
use gwae::models::{
    BackboneConfig, Critic, CriticActivation, CriticWeights, Decoder, Encoder, Gwae, GwaeConfig,
    ModelSettings,
};
use gwae::priors::Prior;
use gwae::train::device::{DeviceBackend, DeviceSpec};

/// Largest difference of an entry, relative to the largest entry of its tensor. Sums are added up
/// in another order elsewhere.
const TOLERANCE: f32 = 2e-4;

fn devices() -> Vec<(&'static str, Device)> {
    let others = DeviceBackend::ALL
        .into_iter()
        .filter(|backend| *backend != DeviceBackend::Cpu && backend.is_compiled_in());
    others
        .map(|backend| {
            let spec = DeviceSpec {
                backend,
                index: None,
            };
            (backend.name(), spec.open().unwrap())
        })
        .collect()
}

type Named = Vec<(String, Vec<f32>)>;

/// Every parameter's gradient by path.
struct Collect<'a> {
    gradients: &'a Gradients,
    path: Vec<String>,
    named: Named,
}

impl ModuleVisitor for Collect<'_> {
    fn enter_module(&mut self, name: &str, _: &str) {
        self.path.push(name.to_owned());
    }

    fn exit_module(&mut self, _: &str, _: &str) {
        self.path.pop();
    }

    fn visit_float<const D: usize>(&mut self, parameter: &Param<Tensor<D>>) {
        if !parameter.is_require_grad() {
            return;
        }
        if let Some(gradient) = parameter.val().grad(self.gradients) {
            self.named.push((self.path.join("."), read(gradient)));
        }
    }
}

fn read<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    tensor.into_data().iter::<f32>().collect()
}

/// What a part computes on a device: its value and the gradients of all parameters.
fn compute(
    part: &dyn Fn(&Gwae, Tensor<4>, &mut dyn RandomSource) -> Tensor<1>,
    config: &GwaeConfig,
    device: &Device,
) -> Named {
    let device = device.clone().autodiff();
    let mut noise = SeededGenerator::new(5, 0);
    let model = config.init(&mut noise, &device).unwrap();
    let BackboneConfig {
        image_size: size,
        channels,
        ..
    } = config.backbone;
    let images = uniform_tensor(&mut noise, [3, channels, size, size], &device);
    let value = part(&model, images, &mut noise);
    let mut named = vec![("value".to_owned(), read(value.clone()))];
    let gradients = value.backward();
    let mut collect = Collect {
        gradients: &gradients,
        path: Vec::new(),
        named: Vec::new(),
    };
    model.visit(&mut collect);
    named.append(&mut collect.named);
    named
}

#[track_caller]
fn agree(part: impl Fn(&Gwae, Tensor<4>, &mut dyn RandomSource) -> Tensor<1>) {
    agree_with(CriticActivation::default(), part);
}

#[track_caller]
fn agree_with(
    critic_activation: CriticActivation,
    part: impl Fn(&Gwae, Tensor<4>, &mut dyn RandomSource) -> Tensor<1>,
) {
    let config = GwaeConfig {
        backbone: BackboneConfig {
            image_size: 64,
            channels: 3,
            latent_dim: 5,
            width: 0.25,
            ..BackboneConfig::default()
        },
        critic_activation,
        ..GwaeConfig::default()
    };
    let expected = compute(&part, &config, &Device::flex());
    assert!(expected.len() > 1, "no gradient to compare");
    for (name, device) in devices() {
        let found = compute(&part, &config, &device);
        assert_eq!(expected.len(), found.len());
        let mut problems = Vec::new();
        for ((path, expected), (_, found)) in expected.iter().zip(&found) {
            // Directly before a batch norm: the gradient is 0 but for rounding.
            if path == "prior.Neural.layers.3.bias" {
                continue;
            }
            let largest = expected.iter().fold(1e-6f32, |m, v| m.max(v.abs()));
            let difference = expected
                .iter()
                .zip(found)
                .map(|(e, f)| (e - f).abs() / largest)
                .fold(0.0, f32::max);
            if difference.is_nan() || difference > TOLERANCE {
                problems.push(format!("{path}: {difference:e}"));
            }
        }
        assert!(
            problems.is_empty(),
            "{name} differs:\n{}",
            problems.join("\n")
        );
    }
}

#[test]
fn encoder() {
    agree(|model, images, _| {
        let posterior = model.encoder.encode(images, Mode::Train);
        (posterior.mean * 2.0 + posterior.logvar).sum()
    });
}

#[test]
fn prior_and_decoder() {
    agree(|model, images, noise| {
        let codes = model.prior.sample(3, Mode::Train, noise, &images.device());
        (model.decoder.decode(codes, Mode::Train) * images).sum()
    });
}

#[test]
fn gw_loss() {
    agree(|model, images, noise| {
        let codes = model.prior.sample(3, Mode::Train, noise, &images.device());
        // Distances ignore a shift of all images, so the gradients of the decoder's last layers
        // would be small remainders of large sums; weights of their own for every image and pixel
        // keep them large.
        let decoded = model.decoder.decode(codes.clone(), Mode::Train) * images;
        let log_coefficient = model.log_distance_coefficient.val();
        estimated_gw_loss(decoded.flatten(1, 3), codes, log_coefficient)
    });
}

/// Cholesky factors, substitution and moments, column by column.
#[test]
fn energy_of_a_mixture() {
    let compute = |device: &Device| {
        let device = device.clone().autodiff();
        let mut noise = SeededGenerator::new(7, 0);
        let points: Tensor<2> = uniform_tensor(&mut noise, [40, 5], &device);
        let memberships: Tensor<2> = uniform_tensor(&mut noise, [40, 3], &device);
        let memberships = memberships.clone() / memberships.sum_dim(1);
        let points = points.require_grad();
        let mixture = MixtureMoments::of(points.clone(), memberships).mixture(1e-3);
        let energy = mixture.energy(points.clone()).sum();
        let gradient = points.grad(&energy.clone().backward()).unwrap();
        [read(energy), read(gradient)].concat()
    };
    let expected = compute(&Device::flex());
    for (name, device) in devices() {
        let found = compute(&device);
        for (expected, found) in expected.iter().zip(&found) {
            let close = (expected - found).abs() < 1e-3 * expected.abs().max(1.0);
            assert!(close, "{name}: {found} instead of {expected}");
        }
    }
}

/// The gradient of the distance coefficient is a sum over all pairs, more than some kernels can
/// add up at once.
#[test]
fn gw_loss_of_a_large_batch() {
    let compute = |device: &Device| {
        let device = device.clone().autodiff();
        let mut noise = SeededGenerator::new(6, 0);
        let images: Tensor<2> = uniform_tensor(&mut noise, [600, 20], &device);
        let codes: Tensor<2> = uniform_tensor(&mut noise, [600, 4], &device);
        let log_coefficient = Tensor::<1>::zeros([1], &device).require_grad();
        let loss = estimated_gw_loss(images, codes, log_coefficient.clone());
        read(log_coefficient.grad(&loss.backward()).unwrap())[0]
    };
    let expected = compute(&Device::flex());
    for (name, device) in devices() {
        let found = compute(&device);
        let close = (expected - found).abs() < TOLERANCE * expected.abs();
        assert!(close, "{name}: {found} instead of {expected}");
    }
}

const ACTIVATIONS: [CriticActivation; 2] =
    [CriticActivation::LeakyRelu, CriticActivation::Absolute];

#[test]
fn critic() {
    for activation in ACTIVATIONS {
        agree_with(activation, |model, images, noise| {
            let codes = uniform_tensor(noise, [3, 5], &images.device());
            let critic = model.critic.as_ref().unwrap().weights(Mode::Train);
            critic.potential(images, codes).sum()
        });
    }
}

#[test]
fn penalty() {
    for activation in ACTIVATIONS {
        agree_with(activation, |model, images, noise| {
            let codes = uniform_tensor(noise, [3, 5], &images.device());
            let critic = model.critic.as_ref().unwrap().weights(Mode::Train);
            let (image, code) = critic.input_gradient(images, codes).unwrap();
            gradient_penalty(image, code)
        });
    }
}
