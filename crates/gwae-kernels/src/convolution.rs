//! Strided convolutions, which halve the size of an image, and their transposes, which double it.

use burn::backend::Dispatch;
use burn::tensor::Tensor;

use crate::PaddingMode;
use crate::extension::Kernels;

/// A convolution with 4×4 kernels, stride 2 and padding 1, which halves height and width.
///
/// # Shapes
/// - `images`: `[batch, inputs, 2·height, 2·width]`
/// - `weight`: `[outputs, inputs, 4, 4]`
/// - `bias`: `[outputs]`
/// - output: `[batch, outputs, height, width]`
///
/// # Panics
/// If the sizes do not fit, there is no channel, or height or width is odd.
pub fn strided_conv2d(
    images: Tensor<4>,
    weight: Tensor<4>,
    bias: Option<Tensor<1>>,
    padding: PaddingMode,
) -> Tensor<4> {
    let ([_, inputs, height, width], [_, expected, 4, 4]) = (images.dims(), weight.dims()) else {
        panic!("the kernels are 4×4, not {:?}", weight.dims());
    };
    assert_eq!(inputs, expected, "images and weight have equal channels");
    assert!(
        height % 2 == 0 && width % 2 == 0 && height > 0 && width > 0,
        "height {height} and width {width} are even"
    );
    check_channels(inputs, weight.dims()[0], bias.as_ref());
    let (images, weight) = (images.into_dispatch(), weight.into_dispatch());
    Tensor::from_dispatch(match bias.map(Tensor::into_dispatch) {
        None => <Dispatch as Kernels>::strided_conv(images, weight, padding),
        Some(bias) => <Dispatch as Kernels>::strided_conv_biased(images, weight, bias, padding),
    })
}

/// The transposed convolution with 4×4 kernels, stride 2 and padding 1, which doubles height and
/// width: the gradient of [`strided_conv2d`] with respect to its images. With
/// [`PaddingMode::Zeros`] it is the usual transposed convolution.
///
/// # Shapes
/// - `features`: `[batch, inputs, height, width]`
/// - `weight`: `[inputs, outputs, 4, 4]`
/// - `bias`: `[outputs]`
/// - output: `[batch, outputs, 2·height, 2·width]`
///
/// # Panics
/// If the sizes do not fit or there is no channel.
pub fn strided_conv_transpose2d(
    features: Tensor<4>,
    weight: Tensor<4>,
    bias: Option<Tensor<1>>,
    padding: PaddingMode,
) -> Tensor<4> {
    let ([_, inputs, height, width], [expected, _, 4, 4]) = (features.dims(), weight.dims()) else {
        panic!("the kernels are 4×4, not {:?}", weight.dims());
    };
    assert_eq!(inputs, expected, "features and weight have equal channels");
    assert!(
        height > 0 && width > 0,
        "height {height} and width {width} are not 0"
    );
    check_channels(inputs, weight.dims()[1], bias.as_ref());
    let (features, weight) = (features.into_dispatch(), weight.into_dispatch());
    Tensor::from_dispatch(match bias.map(Tensor::into_dispatch) {
        None => <Dispatch as Kernels>::strided_conv_transpose(features, weight, padding),
        Some(bias) => {
            <Dispatch as Kernels>::strided_conv_transpose_biased(features, weight, bias, padding)
        }
    })
}

fn check_channels(inputs: usize, outputs: usize, bias: Option<&Tensor<1>>) {
    assert!(
        inputs > 0 && outputs > 0,
        "there are channels on both sides"
    );
    if let Some(bias) = bias {
        assert_eq!(bias.dims(), [outputs], "the bias has a value per output");
    }
}
