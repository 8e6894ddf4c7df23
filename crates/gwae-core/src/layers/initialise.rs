//! PyTorch's default initialisation, drawn from the run's own generator.

use burn::module::Param;
use burn::nn::conv::{
    Conv1d, Conv1dConfig, Conv2d, Conv2dConfig, ConvTranspose2d, ConvTranspose2dConfig,
};
use burn::nn::{Linear, LinearConfig, PaddingConfig2d};
use burn::tensor::{Device, Tensor, TensorData};

use crate::random::{RandomSource, normal_tensor};

/// A parameter uniform in `±1/√fan_in`.
///
/// The value exists at once. Burn's own initialisers draw at first use, so a model would depend on
/// the order in which its parts are first used.
pub fn uniform_parameter<const D: usize>(
    shape: [usize; D],
    fan_in: usize,
    random: &mut dyn RandomSource,
    device: &Device,
) -> Param<Tensor<D>> {
    let bound = 1.0 / (fan_in as f32).sqrt();
    let values = random.uniform(shape.iter().product());
    let values: Vec<f32> = values
        .into_iter()
        .map(|u| (2.0 * u - 1.0) * bound)
        .collect();
    Param::from_data(TensorData::new(values, shape), device)
}

/// A parameter of standard normal values.
pub fn normal_parameter<const D: usize>(
    shape: [usize; D],
    random: &mut dyn RandomSource,
    device: &Device,
) -> Param<Tensor<D>> {
    Param::from_tensor(normal_tensor(random, shape, device))
}

/// A linear layer `inputs → outputs`; its weight is `[inputs, outputs]`, as Burn stores it.
pub fn linear(
    inputs: usize,
    outputs: usize,
    random: &mut dyn RandomSource,
    device: &Device,
) -> Linear {
    let mut layer = LinearConfig::new(inputs, outputs).init(device);
    layer.weight = uniform_parameter([inputs, outputs], inputs, random, device);
    layer.bias = Some(uniform_parameter([outputs], inputs, random, device));
    layer
}

/// A pointwise (kernel 1) grouped convolution over `[batch, channels, length]`.
pub fn pointwise_conv1d(
    channels: [usize; 2],
    groups: usize,
    random: &mut dyn RandomSource,
    device: &Device,
) -> Conv1d {
    let [inputs, outputs] = channels;
    let fan_in = inputs / groups;
    let mut layer = Conv1dConfig::new(inputs, outputs, 1)
        .with_groups(groups)
        .init(device);
    layer.weight = uniform_parameter([outputs, fan_in, 1], fan_in, random, device);
    layer.bias = Some(uniform_parameter([outputs], fan_in, random, device));
    layer
}

/// A square convolution without padding (pad the input where needed).
pub fn conv2d(
    channels: [usize; 2],
    kernel: usize,
    stride: usize,
    random: &mut dyn RandomSource,
    device: &Device,
) -> Conv2d {
    let [inputs, outputs] = channels;
    let fan_in = inputs * kernel * kernel;
    let mut layer = Conv2dConfig::new(channels, [kernel, kernel])
        .with_stride([stride, stride])
        .with_padding(PaddingConfig2d::Valid)
        .init(device);
    layer.weight = uniform_parameter([outputs, inputs, kernel, kernel], fan_in, random, device);
    layer.bias = Some(uniform_parameter([outputs], fan_in, random, device));
    layer
}

/// A transposed strided convolution, which doubles height and width: kernel 4, stride 2, padding 1.
///
/// PyTorch counts the fan-in of a transposed convolution from its *output* channels.
pub fn strided_conv_transpose2d(
    channels: [usize; 2],
    random: &mut dyn RandomSource,
    device: &Device,
) -> ConvTranspose2d {
    let [inputs, outputs] = channels;
    let fan_in = outputs * 16;
    let mut layer = ConvTranspose2dConfig::new(channels, [4, 4])
        .with_stride([2, 2])
        .with_padding([1, 1])
        .init(device);
    layer.weight = uniform_parameter([inputs, outputs, 4, 4], fan_in, random, device);
    layer.bias = Some(uniform_parameter([outputs], fan_in, random, device));
    layer
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::SeededGenerator;

    #[test]
    fn weights_fill_the_pytorch_interval_and_repeat_from_the_seed() {
        let device = Device::flex();
        let draw = || {
            let layer = linear(100, 50, &mut SeededGenerator::new(5, 0), &device);
            let values: Vec<f32> = layer.weight.val().into_data().iter::<f32>().collect();
            values
        };
        let values = draw();
        let largest = values.iter().fold(0.0f32, |a, v| a.max(v.abs()));
        assert!(largest <= 0.1 && largest > 0.099);
        assert_eq!(values, draw());
    }
}
