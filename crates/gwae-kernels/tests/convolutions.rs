//! The single-precision kernels against Burn's own convolutions in double precision. The functions
//! use Burn's convolutions for double-precision tensors.

mod common;

use burn::tensor::module::{conv_transpose2d, conv2d};
use burn::tensor::ops::{ConvOptions, ConvTransposeOptions, PadMode};
use burn::tensor::{DType, Tensor};
use common::{assert_close, on_threads, values};
use gwae_kernels::{PaddingMode, strided_conv_transpose2d, strided_conv2d};

const PADDINGS: [PaddingMode; 2] = [PaddingMode::Zeros, PaddingMode::Replicate];

/// Batch, channels of the small and the large side, height and width of the small side. The cases:
/// one pixel; odd sizes; few tiles (also a panel of several samples); fewer samples than blocks;
/// panels of channels with a remainder; oblong images; one sample per block; several blocks per
/// partial sum; the sizes that are known to the compiler.
const SIZES: [[usize; 5]; 15] = [
    [2, 3, 2, 4, 4],
    [3, 2, 3, 1, 1],
    [1, 4, 2, 3, 2],
    [21, 5, 3, 2, 4],
    [7, 18, 5, 2, 2],
    [1, 16, 1, 8, 8],
    [3, 33, 4, 3, 5],
    [26, 5, 3, 2, 4],
    [5, 2, 1, 8, 6],
    [4, 3, 3, 18, 16],
    [40, 8, 2, 12, 12],
    [67, 17, 9, 2, 2],
    [9, 11, 3, 4, 4],
    [3, 8, 8, 8, 8],
    [2, 5, 3, 32, 32],
];

fn tensor<const D: usize>(seed: u64, shape: [usize; D], dtype: DType) -> Tensor<D> {
    common::tensor(seed, shape, dtype).require_grad()
}

/// Output and gradients of a weighted sum of it, in one precision.
type Convolution = fn(Tensor<4>, Tensor<4>, Option<Tensor<1>>, PaddingMode) -> Tensor<4>;

fn run(
    convolution: Convolution,
    input: [usize; 4],
    weight: [usize; 4],
    bias: usize,
    padding: PaddingMode,
    dtype: DType,
) -> [Vec<f64>; 4] {
    let input = tensor(1, input, dtype);
    let weight = tensor(2, weight, dtype);
    let bias = tensor(3, [bias], dtype);
    let output = convolution(input.clone(), weight.clone(), Some(bias.clone()), padding);
    let weighting = tensor(4, output.dims(), dtype).detach();
    let gradients = (output.clone() * weighting).sum().backward();
    [
        values(output),
        values(input.grad(&gradients).unwrap()),
        values(weight.grad(&gradients).unwrap()),
        values(bias.grad(&gradients).unwrap()),
    ]
}

#[test]
fn kernels_equal_burns_convolutions_in_double_precision() {
    for [batch, m, n, h, w] in SIZES {
        let (small, large) = ([batch, m, h, w], [batch, n, 2 * h, 2 * w]);
        for padding in PADDINGS {
            for (convolution, input, bias) in [
                (strided_conv2d as Convolution, large, m),
                (strided_conv_transpose2d, small, n),
            ] {
                let run = |dtype| run(convolution, input, [m, n, 4, 4], bias, padding, dtype);
                for (single, double) in run(DType::F32).iter().zip(run(DType::F64)) {
                    assert_close(single, &double, 1e-5);
                }
            }
        }
    }
}

#[test]
fn zero_padding_is_burns() {
    let (images, weight) = (
        tensor(1, [3, 2, 6, 8], DType::F32),
        tensor(2, [4, 2, 4, 4], DType::F32),
    );
    let options = ConvOptions::new([2, 2], [1, 1], [1, 1], 1);
    let expected = conv2d(images.clone(), weight.clone(), None, options);
    let output = strided_conv2d(images, weight.clone(), None, PaddingMode::Zeros);
    assert_close(&values(output), &values(expected), 1e-6);

    let features = tensor(3, [3, 4, 3, 4], DType::F32);
    let options = ConvTransposeOptions::new([2, 2], [1, 1], [0, 0], [1, 1], 1);
    let expected = conv_transpose2d(features.clone(), weight.clone(), None, options);
    let output = strided_conv_transpose2d(features, weight, None, PaddingMode::Zeros);
    assert_close(&values(output), &values(expected), 1e-6);
}

#[test]
fn replication_is_burns_edge_padding() {
    for dtype in [DType::F32, DType::F64] {
        let (images, weight) = (
            tensor(1, [3, 2, 6, 2], dtype),
            tensor(2, [4, 2, 4, 4], dtype),
        );
        let options = ConvOptions::new([2, 2], [0, 0], [1, 1], 1);
        let padded = images.clone().pad([(1, 1), (1, 1)], PadMode::Edge);
        let expected = conv2d(padded, weight.clone(), None, options);
        let weighting = tensor(3, expected.dims(), dtype).detach();
        let output = strided_conv2d(images.clone(), weight, None, PaddingMode::Replicate);
        assert_close(&values(output.clone()), &values(expected.clone()), 1e-6);

        let gradient = |output: Tensor<4>| {
            let gradients = (output * weighting.clone()).sum().backward();
            values(images.grad(&gradients).unwrap())
        };
        assert_close(&gradient(output), &gradient(expected), 1e-6);
    }
}

#[test]
fn views_of_larger_tensors_are_convolved_alone() {
    let images = tensor(1, [60, 2, 8, 8], DType::F32);
    let weight = tensor(2, [3, 2, 4, 4], DType::F32);
    let all = strided_conv2d(images.clone(), weight.clone(), None, PaddingMode::Zeros);
    let part = strided_conv2d(images.narrow(0, 20, 30), weight, None, PaddingMode::Zeros);
    assert_close(&values(part), &values(all.narrow(0, 20, 30)), 1e-6);
}

#[test]
fn only_wanted_gradients_are_computed() {
    let images = tensor(1, [2, 2, 4, 4], DType::F32);
    let weight = tensor(2, [3, 2, 4, 4], DType::F32);
    let gradients = strided_conv2d(
        images.clone(),
        weight.clone().detach(),
        None,
        PaddingMode::Zeros,
    )
    .sum()
    .backward();
    assert!(images.grad(&gradients).is_some() && weight.grad(&gradients).is_none());
    let gradients = strided_conv2d(
        images.clone().detach(),
        weight.clone(),
        None,
        PaddingMode::Zeros,
    )
    .sum()
    .backward();
    assert!(images.grad(&gradients).is_none() && weight.grad(&gradients).is_some());
}

#[test]
fn no_images_give_no_features() {
    for dtype in [DType::F32, DType::F64] {
        for (size, padding) in [1, 2, 4].into_iter().flat_map(|s| PADDINGS.map(|p| (s, p))) {
            let weight = tensor(2, [3, 2, 4, 4], dtype);
            let images = tensor(1, [0, 2, 2 * size, 2 * size], dtype);
            let features = strided_conv2d(images, weight.clone(), None, padding);
            assert_eq!(features.dims(), [0, 3, size, size]);
            let images = strided_conv_transpose2d(features, weight, None, padding);
            assert_eq!(images.dims(), [0, 2, 2 * size, 2 * size]);
        }
    }
}

#[test]
fn results_do_not_depend_on_the_number_of_threads() {
    // Many tiles; few tiles, whose points the cores share; very few tiles, for the plain product.
    for [batch, m, n, size] in [[40, 16, 8, 12], [60, 24, 16, 2], [3, 70, 16, 4]] {
        let weight = [m, n, 4, 4];
        let (large, small) = ([batch, n, 2 * size, 2 * size], [batch, m, size, size]);
        for (convolution, input, bias) in [
            (strided_conv2d as Convolution, large, m),
            (strided_conv_transpose2d, small, n),
        ] {
            let results = |threads| {
                on_threads(threads, || {
                    run(
                        convolution,
                        input,
                        weight,
                        bias,
                        PaddingMode::Zeros,
                        DType::F32,
                    )
                })
            };
            assert_eq!(results(1), results(3));
        }
    }
}

/// Convolutions are linear in each argument, so differences of any width give the exact slope.
#[test]
fn gradients_match_differences() {
    for (convolution, input) in [
        (strided_conv2d as Convolution, [9, 3, 8, 8]),
        (strided_conv_transpose2d, [9, 5, 4, 4]),
    ] {
        let bias = if input[1] == 3 { 5 } else { 3 };
        let arguments = || {
            (
                tensor(1, input, DType::F32),
                tensor(2, [5, 3, 4, 4], DType::F32),
                tensor(3, [bias], DType::F32),
            )
        };
        let value = |x: Tensor<4>, w: Tensor<4>, b: Tensor<1>| {
            let output = convolution(x, w, Some(b), PaddingMode::Replicate);
            let weighting = common::tensor(4, output.dims(), DType::F32);
            (output * weighting).sum()
        };
        let (x, w, b) = arguments();
        let gradients = value(x.clone(), w.clone(), b.clone()).backward();
        let slope = |plus: Tensor<1>, minus: Tensor<1>| values((plus - minus) * 0.5)[0];
        let (dx, dw, db) = (
            common::tensor(5, input, DType::F32),
            common::tensor(6, [5, 3, 4, 4], DType::F32),
            common::tensor(7, [bias], DType::F32),
        );
        let along = |gradient: f64, numeric: f64| assert_close(&[gradient], &[numeric], 1e-4);
        along(
            values((x.grad(&gradients).unwrap() * dx.clone().without_autodiff()).sum())[0],
            slope(
                value(x.clone() + dx.clone(), w.clone(), b.clone()),
                value(x.clone() - dx, w.clone(), b.clone()),
            ),
        );
        along(
            values((w.grad(&gradients).unwrap() * dw.clone().without_autodiff()).sum())[0],
            slope(
                value(x.clone(), w.clone() + dw.clone(), b.clone()),
                value(x.clone(), w.clone() - dw, b.clone()),
            ),
        );
        along(
            values((b.grad(&gradients).unwrap() * db.clone().without_autodiff()).sum())[0],
            slope(
                value(x.clone(), w.clone(), b.clone() + db.clone()),
                value(x, w, b - db),
            ),
        );
    }
}

#[test]
#[should_panic(expected = "a value per output")]
fn a_bias_of_another_length_is_refused() {
    let (images, weight) = (
        tensor(1, [3, 1, 2, 2], DType::F32),
        tensor(2, [4, 1, 4, 4], DType::F32),
    );
    strided_conv2d(
        images,
        weight,
        Some(tensor(3, [3], DType::F32)),
        PaddingMode::Zeros,
    );
}

#[test]
#[should_panic(expected = "are even")]
fn odd_sizes_are_refused() {
    let (images, weight) = (
        tensor(1, [1, 1, 4, 5], DType::F32),
        tensor(2, [1, 1, 4, 4], DType::F32),
    );
    strided_conv2d(images, weight, None, PaddingMode::Zeros);
}
