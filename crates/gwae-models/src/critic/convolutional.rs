//! The convolutional critic of the paper.

use burn::module::Module;
use burn::tensor::{Device, Tensor};
use gwae_core::{Mode, random::RandomSource};
use gwae_kernels::{
    PaddingMode, leaky_relu, leaky_relu_gradient, strided_conv_transpose2d, strided_conv2d,
};

use super::activation::CriticActivation;
use super::potential::{Critic, CriticWeights};
use super::spectral::{NormalisedWeight, SpectralWeight};
use crate::settings::{ModelConfigError, in_range};

/// Number of output features of each branch.
const FEATURES: usize = 64;
const HIDDEN: usize = 256;

/// Number of power iterations that adapt the singular vectors to replaced weights.
const SETTLING_ITERATIONS: usize = 20;

/// Settings that decide the parameters of a [`ConvCritic`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CriticConfig {
    /// Height and width of the images in pixels, a power of two.
    pub image_size: usize,
    /// Colour channels.
    pub channels: usize,
    /// Latent dimension L.
    pub latent_dim: usize,
    /// The activation between all layers.
    pub activation: CriticActivation,
}

impl CriticConfig {
    /// A critic with PyTorch's default initialisation drawn from `noise`.
    ///
    /// # Errors
    /// Names the size for which no critic can be built.
    pub fn init(
        &self,
        noise: &mut dyn RandomSource,
        device: &Device,
    ) -> Result<ConvCritic, ModelConfigError> {
        let size = self.image_size;
        in_range(
            size.is_power_of_two() && size >= 2,
            "image_size",
            size,
            "a power of two for the convolutional critic: use another critic, or none",
        )?;
        Ok(ConvCritic::new(self, noise, device))
    }
}

/// The spectrally normalised critic.
///
/// Image branch: 4×4 stride-2 convolutions (8, 16, 32, … at most 256 channels) with the activation,
/// down to one pixel, then a linear map to 64 features. Latent branch: three linear layers with the
/// activation, to 64 features. Head: the features of both branches, halved, go through three linear
/// layers to the potential.
#[derive(Module, Debug)]
pub struct ConvCritic {
    /// Convolutions of the image branch.
    pub image: Vec<SpectralWeight<4>>,
    /// Linear map at the end of the image branch.
    pub image_output: SpectralWeight<2>,
    /// Layers of the latent branch.
    pub code: Vec<SpectralWeight<2>>,
    /// Layers of the head.
    pub head: Vec<SpectralWeight<2>>,
    #[module(skip)]
    activation: CriticActivation,
}

impl ConvCritic {
    fn new(config: &CriticConfig, noise: &mut dyn RandomSource, device: &Device) -> Self {
        let mut inputs = config.channels;
        let mut image = Vec::new();
        for stage in 0..config.image_size.ilog2() {
            let outputs = (8 << stage).min(256);
            image.push(SpectralWeight::new([outputs, inputs, 4, 4], noise, device));
            inputs = outputs;
        }
        let mut linear = |inputs, outputs| SpectralWeight::new([outputs, inputs], noise, device);
        Self {
            image,
            image_output: linear(inputs, FEATURES),
            code: vec![
                linear(config.latent_dim, HIDDEN),
                linear(HIDDEN, HIDDEN),
                linear(HIDDEN, FEATURES),
            ],
            head: vec![
                linear(2 * FEATURES, HIDDEN),
                linear(HIDDEN, HIDDEN),
                linear(HIDDEN, 1),
            ],
            activation: config.activation,
        }
    }

    /// The image branch alone; the learned similarity uses it.
    fn normalise_image(&self, mode: Mode) -> ImageBranch {
        ImageBranch {
            convolutions: self
                .image
                .iter()
                .map(|layer| layer.normalise(mode))
                .collect(),
            output: self.image_output.normalise(mode),
            slope: self.activation.negative_slope(),
        }
    }
}

impl Critic for ConvCritic {
    type Weights = ConvCriticWeights;

    /// In [`Mode::Train`], every layer makes one power iteration first.
    fn weights(&self, mode: Mode) -> ConvCriticWeights {
        let linear = |layers: &[SpectralWeight<2>]| {
            layers.iter().map(|layer| layer.normalise(mode)).collect()
        };
        ConvCriticWeights {
            image: self.normalise_image(mode),
            code: linear(&self.code),
            head: linear(&self.head),
            slope: self.activation.negative_slope(),
        }
    }

    /// Uses only the image branch; in [`Mode::Train`], only its power iterations move.
    fn image_features(&self, images: Tensor<4>, mode: Mode) -> Option<Tensor<2>> {
        Some(self.normalise_image(mode).detach().forward(images))
    }

    /// Right after weights were replaced, the singular vectors still belong to the old weights. The
    /// norms would come out too small, and the normalised layers too large.
    fn settle_buffers(&self) {
        for _ in 0..SETTLING_ITERATIONS {
            self.weights(Mode::Train);
        }
    }
}

/// The image branch h with the weights of one forward pass.
#[derive(Clone, Debug)]
pub struct ImageBranch {
    convolutions: Vec<NormalisedWeight<4>>,
    output: NormalisedWeight<2>,
    /// Slope of the activation at zero and below.
    slope: f64,
}

/// The critic with the weights of one forward pass.
#[derive(Clone, Debug)]
pub struct ConvCriticWeights {
    image: ImageBranch,
    code: Vec<NormalisedWeight<2>>,
    head: Vec<NormalisedWeight<2>>,
    /// Slope of the activation at zero and below.
    slope: f64,
}

/// The input of every activation for one batch of pairs.
struct Inputs {
    image: Vec<Tensor<4>>,
    code: Vec<Tensor<2>>,
    head: Vec<Tensor<2>>,
}

impl ImageBranch {
    /// Features of images, `h(x)`.
    ///
    /// # Shapes
    /// - `images`: `[batch, channels, size, size]`, output: `[batch, 64]`
    pub fn forward(&self, images: Tensor<4>) -> Tensor<2> {
        self.forward_keeping(images, &mut |_| ())
    }

    fn forward_keeping(&self, images: Tensor<4>, keep: &mut dyn FnMut(&Tensor<4>)) -> Tensor<2> {
        let features = self.convolutions.iter().fold(images, |x, layer| {
            let (weight, bias) = (layer.weight.clone(), layer.bias.clone());
            let before = strided_conv2d(x, weight, Some(bias), PaddingMode::Zeros);
            keep(&before);
            leaky_relu(before, self.slope)
        });
        linear(features.flatten(1, 3), &self.output)
    }

    /// The same weights without a gradient.
    pub fn detach(self) -> Self {
        let convolutions = self
            .convolutions
            .into_iter()
            .map(NormalisedWeight::detach)
            .collect();
        Self {
            convolutions,
            output: self.output.detach(),
            slope: self.slope,
        }
    }
}

impl CriticWeights for ConvCriticWeights {
    /// The potential D(x, z).
    ///
    /// # Shapes
    /// - `images`: `[batch, channels, size, size]`, `codes`: `[batch, latent]`
    /// - output: `[batch, 1]`
    fn potential(&self, images: Tensor<4>, codes: Tensor<2>) -> Tensor<2> {
        let image = self.image.forward(images);
        let activated = |x, layer: &NormalisedWeight<2>| leaky_relu(linear(x, layer), self.slope);
        let code = self.code.iter().fold(codes, activated);
        let joined = Tensor::cat(vec![image, code], 1) * 0.5;
        let (last, hidden) = self.head.split_last().expect("the head has layers");
        linear(hidden.iter().fold(joined, activated), last)
    }

    /// The gradient of the potential with respect to its inputs, `(∇_x D, ∇_z D)`, as an ordinary
    /// forward computation: the transposed maps applied to the slopes of the activations. The
    /// slopes are piecewise constant, so differentiating this result once gives the exact gradient
    /// of a gradient penalty. The result carries gradients to the weights (also through σ) and none
    /// to the inputs.
    ///
    /// # Shapes
    /// - `images`: `[batch, channels, size, size]`, `codes`: `[batch, latent]`
    /// - output: as the inputs
    fn input_gradient(
        &self,
        images: Tensor<4>,
        codes: Tensor<2>,
    ) -> Option<(Tensor<4>, Tensor<2>)> {
        let batch = images.dims()[0];
        let slope = self.slope;
        let inputs = self.activation_inputs(images, codes);
        let back = |gradient, (layer, input): (&NormalisedWeight<2>, &Tensor<2>)| {
            leaky_relu_gradient(input.clone(), gradient, slope).matmul(layer.weight.clone())
        };
        let (last, hidden) = self.head.split_last().expect("the head has layers");
        let through_head = hidden.iter().zip(&inputs.head).rev();
        // The last layer has one row, the same for every sample.
        let joined = through_head.fold(last.weight.clone().expand([batch, HIDDEN]), back) * 0.5;

        let through_code = self.code.iter().zip(&inputs.code).rev();
        let code = through_code.fold(joined.clone().narrow(1, FEATURES, FEATURES), back);

        let output = &self.image.output;
        let flat = joined.narrow(1, 0, FEATURES).matmul(output.weight.clone());
        let through_image = self.image.convolutions.iter().zip(&inputs.image).rev();
        let image = through_image.fold(
            flat.reshape([batch as i64, -1, 1, 1]),
            |gradient, (layer, input)| {
                let gradient = leaky_relu_gradient(input.clone(), gradient, slope);
                strided_conv_transpose2d(gradient, layer.weight.clone(), None, PaddingMode::Zeros)
            },
        );
        Some((image, code))
    }

    /// The same weights without a gradient.
    fn detach(self) -> Self {
        let detach = |layers: Vec<NormalisedWeight<2>>| {
            layers.into_iter().map(NormalisedWeight::detach).collect()
        };
        Self {
            image: self.image.detach(),
            code: detach(self.code),
            head: detach(self.head),
            slope: self.slope,
        }
    }
}

impl ConvCriticWeights {
    /// The inputs of the activations. The gradient of the potential is piecewise constant in them,
    /// so they are computed without autodiff.
    fn activation_inputs(&self, images: Tensor<4>, codes: Tensor<2>) -> Inputs {
        let critic = self.clone().without_autodiff();
        let mut image_inputs = Vec::new();
        let image = critic
            .image
            .forward_keeping(images.without_autodiff(), &mut |before| {
                image_inputs.push(before.clone());
            });
        let dense = |layers: &[NormalisedWeight<2>], input: Tensor<2>| {
            let mut inputs = Vec::new();
            let output = layers.iter().fold(input, |x, layer| {
                let before = linear(x, layer);
                inputs.push(before.clone());
                leaky_relu(before, critic.slope)
            });
            (output, inputs)
        };
        let (code, code_inputs) = dense(&critic.code, codes.without_autodiff());
        let joined = Tensor::cat(vec![image, code], 1) * 0.5;
        let (_, head_inputs) = dense(&critic.head[..critic.head.len() - 1], joined);
        Inputs {
            image: image_inputs,
            code: code_inputs,
            head: head_inputs,
        }
    }

    fn without_autodiff(self) -> Self {
        fn plain<const D: usize>(layer: NormalisedWeight<D>) -> NormalisedWeight<D> {
            NormalisedWeight {
                weight: layer.weight.without_autodiff(),
                bias: layer.bias.without_autodiff(),
            }
        }
        Self {
            image: ImageBranch {
                convolutions: self.image.convolutions.into_iter().map(plain).collect(),
                output: plain(self.image.output),
                slope: self.image.slope,
            },
            code: self.code.into_iter().map(plain).collect(),
            head: self.head.into_iter().map(plain).collect(),
            slope: self.slope,
        }
    }
}

fn linear(x: Tensor<2>, layer: &NormalisedWeight<2>) -> Tensor<2> {
    x.matmul(layer.weight.clone().transpose()) + layer.bias.clone().unsqueeze::<2>()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{double_precision, f64_normal, values};
    use burn::module::ModuleMapper;
    use burn::module::Param;
    use gwae_core::gradient_penalty;
    use gwae_core::random::SeededGenerator;

    const ACTIVATIONS: [CriticActivation; 2] =
        [CriticActivation::LeakyRelu, CriticActivation::Absolute];

    fn critic(activation: CriticActivation, device: &Device) -> ConvCritic {
        let config = CriticConfig {
            image_size: 32,
            channels: 1,
            latent_dim: 3,
            activation,
        };
        double_precision(ConvCritic::new(
            &config,
            &mut SeededGenerator::new(1, 0),
            device,
        ))
    }

    #[test]
    fn input_gradient_is_that_of_autodiff() {
        let device = Device::flex().autodiff();
        for activation in ACTIVATIONS {
            let normalised = critic(activation, &device).weights(Mode::Train);
            let images = f64_normal([2, 1, 32, 32], 2, &device).require_grad();
            let codes = f64_normal([2, 3], 3, &device).require_grad();
            let gradients = normalised
                .potential(images.clone(), codes.clone())
                .sum()
                .backward();
            let (image, code) = normalised
                .input_gradient(images.clone(), codes.clone())
                .unwrap();
            let largest = |a: Vec<f64>, b: Vec<f64>| {
                let differences = a.iter().zip(&b).map(|(a, b)| (a - b).abs());
                let scale = b.iter().fold(0.0f64, |m, v| m.max(v.abs()));
                differences.fold(0.0, f64::max) / scale
            };
            assert!(largest(values(image), values(images.grad(&gradients).unwrap())) < 1e-12);
            assert!(largest(values(code), values(codes.grad(&gradients).unwrap())) < 1e-12);
        }
    }

    /// The derivative of `penalty` with respect to `weight`, by central differences along a random
    /// direction in weight space.
    #[track_caller]
    fn assert_derivative<const D: usize>(
        critic: &ConvCritic,
        weight: impl Fn(&mut ConvCritic) -> &mut Param<Tensor<D>>,
        penalty: impl Fn(&ConvCritic) -> Tensor<1>,
    ) {
        let mut critic = critic.clone();
        let gradients = penalty(&critic).backward();
        let start = weight(&mut critic).val();
        let direction = f64_normal(start.dims(), 6, &start.device());
        let derivative = start.grad(&gradients).unwrap() * direction.clone().without_autodiff();
        let expected = values(derivative.sum())[0];
        let mut moved = |step: f64| {
            let value = (start.clone() + direction.clone() * step).detach();
            *weight(&mut critic) = Param::from_tensor(value);
            values(penalty(&critic))[0]
        };
        let numeric = (moved(1e-5) - moved(-1e-5)) / 2e-5;
        assert!(
            (numeric - expected).abs() <= 1e-5 * expected.abs(),
            "{numeric} {expected}"
        );
    }

    #[test]
    fn penalty_gradient_reaches_weights_through_sigma() {
        let device = Device::flex().autodiff();
        let images = f64_normal([2, 1, 32, 32], 4, &device);
        let codes = f64_normal([2, 3], 5, &device);
        let penalty = |critic: &ConvCritic| {
            // In evaluation mode u and v do not change.
            let normalised = critic.weights(Mode::Evaluate);
            let (image, code) = normalised
                .input_gradient(images.clone(), codes.clone())
                .unwrap();
            gradient_penalty(image, code)
        };
        for activation in ACTIVATIONS {
            let critic = critic(activation, &device);
            for layer in 0..critic.code.len() {
                assert_derivative(&critic, |c| &mut c.code[layer].weight, penalty);
            }
            assert_derivative(&critic, |c| &mut c.image[0].weight, penalty);
        }
    }

    /// In this state a critic with LeakyReLU stops working.
    #[test]
    fn absolute_values_pass_gradients_where_all_units_are_negative() {
        let device = Device::flex().autodiff();
        let images = f64_normal([2, 1, 32, 32], 4, &device);
        let codes = f64_normal([2, 3], 5, &device);
        let norm = |activation, bias: f64| {
            let mut critic = critic(activation, &device);
            for _ in 0..20 {
                // The first singular vectors are random, so the normalised weights would be far too
                // large.
                critic.weights(Mode::Train);
            }
            // The second bias outweighs the output of the layer before it.
            for (layer, size) in critic.head.iter_mut().zip([1.0, 1e6]) {
                let biases = layer.bias.val().zeros_like() + bias * size;
                layer.bias = Param::from_tensor(biases);
            }
            let normalised = critic.weights(Mode::Evaluate);
            let (_, code) = normalised
                .input_gradient(images.clone(), codes.clone())
                .unwrap();
            values(code.square().sum().sqrt())[0]
        };
        let lost = |activation| norm(activation, -100.0) / norm(activation, 100.0);
        // Two layers with slope 0.2 instead of 1.
        assert!((lost(CriticActivation::LeakyRelu) - 0.04).abs() < 1e-9);
        assert!((lost(CriticActivation::Absolute) - 1.0).abs() < 1e-9);
    }

    #[test]
    fn detached_weights_pass_gradients_to_inputs_only() {
        let device = Device::flex().autodiff();
        let critic = critic(CriticActivation::LeakyRelu, &device);
        let codes = f64_normal([2, 3], 5, &device).require_grad();
        let images = f64_normal([2, 1, 32, 32], 4, &device);
        let normalised = critic.weights(Mode::Train).detach();
        let gradients = normalised.potential(images, codes.clone()).sum().backward();
        assert!(codes.grad(&gradients).is_some());
        assert!(critic.code[0].weight.grad(&gradients).is_none());
    }

    /// Counts parameters, to compare with the official program's critic.
    struct Count(usize);
    impl ModuleMapper for Count {
        fn map_float<const D: usize>(&mut self, p: Param<Tensor<D>>) -> Param<Tensor<D>> {
            if p.is_require_grad() {
                self.0 += p.dims().iter().product::<usize>();
            }
            p
        }
    }

    #[test]
    fn official_critic_has_the_official_parameters() {
        let device = Device::flex().autodiff();
        let critic = ConvCritic::new(
            &CriticConfig {
                image_size: 64,
                channels: 3,
                latent_dim: 64,
                activation: CriticActivation::LeakyRelu,
            },
            &mut SeededGenerator::new(1, 0),
            &device,
        );
        assert_eq!(critic.image.len(), 6);
        let convolutions = [(3, 8), (8, 16), (16, 32), (32, 64), (64, 128), (128, 256)];
        let linears = [
            (256, 64),
            (64, 256),
            (256, 256),
            (256, 64),
            (128, 256),
            (256, 256),
            (256, 1),
        ];
        let expected = convolutions
            .iter()
            .map(|(i, o)| i * o * 16 + o)
            .sum::<usize>()
            + linears.iter().map(|(i, o)| i * o + o).sum::<usize>();
        let mut count = Count(0);
        critic.map(&mut count);
        assert_eq!(count.0, expected);
    }
}
