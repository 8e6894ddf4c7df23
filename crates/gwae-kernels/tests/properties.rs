//! Every kernel against its plain formula in double precision, over random shapes, batch sizes and
//! memory layouts. Double-precision tensors use Burn's operations, which have to agree with the
//! formulas too.

mod common;

use burn::tensor::{DType, Tensor};
use common::{Memory, assert_close, assert_within, memory, precision, tolerance, uses, values};
use gwae_kernels::{
    PaddingMode, SingularTriple, attach_distances, direct_distances, divide_by_spectral_norm,
    leaky_relu, leaky_relu_gradient, logit, moving_average, moving_square, scaled_step, sigmoid,
    silu, strided_conv_transpose2d, strided_conv2d,
};
use proptest::prelude::*;

/// Batch, channels of the features and of the images, height and width of the features. Even sizes and
/// large batches are frequent enough to reach each of the algorithms.
fn sizes() -> impl Strategy<Value = [usize; 5]> {
    let side = prop_oneof![1usize..8, Just(2), Just(4), Just(8), Just(16)];
    let batch = prop_oneof![0usize..4, 1usize..70];
    (batch, 1usize..36, 1usize..20, side.clone(), side)
        .prop_map(|(batch, m, n, h, w)| [batch, m, n, h, w])
        .prop_filter("quick to compute plainly", |sizes| {
            sizes.iter().product::<usize>() < 60_000
        })
}

fn padding() -> impl Strategy<Value = PaddingMode> {
    prop_oneof![Just(PaddingMode::Zeros), Just(PaddingMode::Replicate)]
}

/// Calls `term` with the indices of a feature, a weight and a pixel for each product of the
/// convolution. The place of each pixel follows the definition, one by one.
fn products(
    [batch, m, n, h, w]: [usize; 5],
    padding: PaddingMode,
    mut term: impl FnMut(usize, usize, usize),
) {
    let inside = |position: usize, size: usize| match padding {
        PaddingMode::Zeros => (1..=size).contains(&position).then(|| position - 1),
        PaddingMode::Replicate => Some(position.clamp(1, size) - 1),
    };
    for b in 0..batch {
        for (o, c) in (0..m).flat_map(|o| (0..n).map(move |c| (o, c))) {
            for (i, j) in (0..h).flat_map(|i| (0..w).map(move |j| (i, j))) {
                for (k, l) in (0..4).flat_map(|k| (0..4).map(move |l| (k, l))) {
                    let (y, x) = (inside(2 * i + k, 2 * h), inside(2 * j + l, 2 * w));
                    if let (Some(y), Some(x)) = (y, x) {
                        let feature = ((b * m + o) * h + i) * w + j;
                        let weight = ((o * n + c) * 4 + k) * 4 + l;
                        let pixel = ((b * n + c) * 2 * h + y) * 2 * w + x;
                        term(feature, weight, pixel);
                    }
                }
            }
        }
    }
}

/// Features of images without a bias.
fn features(sizes: [usize; 5], padding: PaddingMode, images: &[f64], weight: &[f64]) -> Vec<f64> {
    let [batch, m, _, h, w] = sizes;
    let mut features = vec![0.0; batch * m * h * w];
    products(sizes, padding, |f, k, p| {
        features[f] += weight[k] * images[p];
    });
    features
}

/// The transpose of [`features`].
fn images(sizes: [usize; 5], padding: PaddingMode, features: &[f64], weight: &[f64]) -> Vec<f64> {
    let [batch, _, n, h, w] = sizes;
    let mut images = vec![0.0; batch * n * 4 * h * w];
    products(sizes, padding, |f, k, p| {
        images[p] += weight[k] * features[f];
    });
    images
}

fn weight_gradient(
    sizes: [usize; 5],
    padding: PaddingMode,
    features: &[f64],
    images: &[f64],
) -> Vec<f64> {
    let [_, m, n, ..] = sizes;
    let mut weight = vec![0.0; m * n * 16];
    products(sizes, padding, |f, k, p| {
        weight[k] += features[f] * images[p];
    });
    weight
}

/// Adds the bias to each channel.
fn biased(mut values: Vec<f64>, bias: &[f64], pixels: usize) -> Vec<f64> {
    for (channel, values) in values.chunks_mut(pixels).enumerate() {
        for value in values {
            *value += bias[channel % bias.len()];
        }
    }
    values
}

/// The sum of each channel.
fn channel_sums(values: &[f64], channels: usize, pixels: usize) -> Vec<f64> {
    let mut sums = vec![0.0; channels];
    for (channel, values) in values.chunks(pixels).enumerate() {
        sums[channel % channels] += values.iter().sum::<f64>();
    }
    sums
}

proptest! {
    #![proptest_config(ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::with_cases(64)
    })]

    #[test]
    fn strided_convolutions(
        sizes in sizes(),
        padding in padding(),
        memories in [memory(), memory(), memory()],
        (use_, dtype, seed) in (uses(), precision(), 0u64..1000),
    ) {
        let [batch, m, n, h, w] = sizes;
        let x = memories[0].tensor(seed, [batch, n, 2 * h, 2 * w], dtype).require_grad();
        let k = memories[1].tensor(seed + 1, [m, n, 4, 4], dtype).require_grad();
        let bias = memories[2].tensor(seed + 2, [m], dtype).require_grad();
        let output = strided_conv2d(x.clone(), k.clone(), Some(bias.clone()), padding);
        prop_assert_eq!(output.dims(), [batch, m, h, w]);
        let without = strided_conv2d(x.clone(), k.clone(), None, padding);
        let (number, gradient) = use_.of(output.clone());
        let gradients = number.backward();

        let (px, pk) = (values(x.clone()), values(k.clone()));
        let plain = features(sizes, padding, &px, &pk);
        let tolerance = tolerance(1e-5, dtype);
        assert_close(&values(without), &plain, tolerance);
        assert_close(&values(output), &biased(plain, &values(bias.clone()), h * w), tolerance);
        let of_x = values(x.grad(&gradients).unwrap());
        assert_close(&of_x, &images(sizes, padding, &gradient, &pk), tolerance);
        let of_k = values(k.grad(&gradients).unwrap());
        assert_close(&of_k, &weight_gradient(sizes, padding, &gradient, &px), tolerance);
        let of_bias = values(bias.grad(&gradients).unwrap());
        assert_close(&of_bias, &channel_sums(&gradient, m, h * w), tolerance);
    }

    #[test]
    fn transposed_strided_convolutions(
        sizes in sizes(),
        padding in padding(),
        memories in [memory(), memory(), memory()],
        (use_, dtype, seed) in (uses(), precision(), 0u64..1000),
    ) {
        let [batch, m, n, h, w] = sizes;
        let x = memories[0].tensor(seed, [batch, m, h, w], dtype).require_grad();
        let k = memories[1].tensor(seed + 1, [m, n, 4, 4], dtype).require_grad();
        let bias = memories[2].tensor(seed + 2, [n], dtype).require_grad();
        let output = strided_conv_transpose2d(x.clone(), k.clone(), Some(bias.clone()), padding);
        prop_assert_eq!(output.dims(), [batch, n, 2 * h, 2 * w]);
        let without = strided_conv_transpose2d(x.clone(), k.clone(), None, padding);
        let (number, gradient) = use_.of(output.clone());
        let gradients = number.backward();

        let (px, pk) = (values(x.clone()), values(k.clone()));
        let plain = images(sizes, padding, &px, &pk);
        let tolerance = tolerance(1e-5, dtype);
        assert_close(&values(without), &plain, tolerance);
        assert_close(&values(output), &biased(plain, &values(bias.clone()), 4 * h * w), tolerance);
        let of_x = values(x.grad(&gradients).unwrap());
        assert_close(&of_x, &features(sizes, padding, &gradient, &pk), tolerance);
        let of_k = values(k.grad(&gradients).unwrap());
        assert_close(&of_k, &weight_gradient(sizes, padding, &px, &gradient), tolerance);
        let of_bias = values(bias.grad(&gradients).unwrap());
        assert_close(&of_bias, &channel_sums(&gradient, n, 4 * h * w), tolerance);
    }

    #[test]
    fn activations(
        shape in [0usize..5, 1usize..40, 1usize..700],
        memory in memory(),
        (scale, slope) in (0.1f64..20.0, -1.0f64..1.0),
        (use_, dtype, seed) in (uses(), precision(), 0u64..1000),
    ) {
        type Activation = Box<dyn Fn(Tensor<3>) -> Tensor<3>>;
        type Formula = Box<dyn Fn(f64) -> f64>;
        // In the memory layout of the activation's own input: a scaled copy would be contiguous.
        let x = memory.tensor(seed, shape, dtype).require_grad();
        let margin = 1e-3;
        let s = |x: f64| 1.0 / (1.0 + (-x).exp());
        let inside = move |x: f64| x.clamp(margin, 1.0 - margin);
        let cases: [(Activation, Formula, Formula); 4] = [
            (
                Box::new(silu),
                Box::new(move |x| x * s(x)),
                Box::new(move |x| s(x) + x * s(x) * (1.0 - s(x))),
            ),
            (Box::new(sigmoid), Box::new(s), Box::new(move |x| s(x) * (1.0 - s(x)))),
            (
                Box::new(move |x| leaky_relu(x, slope)),
                Box::new(move |x| if x > 0.0 { x } else { slope * x }),
                Box::new(move |x| if x > 0.0 { 1.0 } else { slope }),
            ),
            (
                Box::new(move |x| logit(x, margin)),
                Box::new(move |x| (inside(x) / (1.0 - inside(x))).ln()),
                Box::new(move |x| {
                    if inside(x) == x { 1.0 / (x * (1.0 - x)) } else { 0.0 }
                }),
            ),
        ];
        for (activation, value, derivative) in cases {
            // On the tensor in its own memory layout, and on a copy that nothing else holds.
            for own in [false, true] {
                let argument = if own { x.clone() * scale } else { x.clone() };
                let factor = if own { scale } else { 1.0 };
                let points = values(argument.clone());
                let output = activation(argument);
                let (number, gradient) = use_.of(output.clone());
                let gradients = number.backward();
                let expected: Vec<f64> = points.iter().map(|&x| value(x)).collect();
                assert_close(&values(output), &expected, tolerance(2e-5, dtype));
                let expected: Vec<f64> = points
                    .iter()
                    .zip(&gradient)
                    .map(|(&x, gradient)| derivative(x) * gradient * factor)
                    .collect();
                let found = values(x.grad(&gradients).unwrap());
                assert_close(&found, &expected, tolerance(1e-4, dtype));
            }
        }
    }

    #[test]
    fn gradients_of_leaky_relu(
        shape in [1usize..5, 1usize..40, 1usize..700],
        memories in [memory(), memory()],
        (slope, dtype, seed) in (-1.0f64..1.0, precision(), 0u64..1000),
    ) {
        let x = memories[0].tensor(seed, shape, dtype);
        let gradient = memories[1].tensor(seed + 1, shape, dtype).require_grad();
        let passed = leaky_relu_gradient(x.clone(), gradient.clone(), slope);
        let factors = values(x).into_iter().map(|x| if x > 0.0 { 1.0 } else { slope });
        let factors: Vec<f64> = factors.collect();
        let pairs = factors.iter().zip(values(gradient.clone()));
        let expected: Vec<f64> = pairs.map(|(factor, gradient)| factor * gradient).collect();
        assert_close(&values(passed.clone()), &expected, tolerance(1e-6, dtype));
        let found = values(gradient.grad(&passed.sum().backward()).unwrap());
        assert_close(&found, &factors, tolerance(1e-6, dtype));
    }

    #[test]
    fn optimiser_steps(
        shape in [0usize..300, 1usize..300],
        memories in [memory(), memory(), memory()],
        (decay, rate, dtype) in (0.0f64..1.0, 1e-4f64..1.0, precision()),
        (kept, seed) in (any::<bool>(), 0u64..1000),
    ) {
        // The kernels are called with tensors without autodiff.
        let tensors = || [0, 1, 2].map(|number| {
            let memory: Memory = memories[number];
            memory.tensor(seed + number as u64, shape, dtype).without_autodiff()
        });
        let epsilon = 1e-3;
        let [a, b, c] = tensors().map(values);
        type Step = Box<dyn Fn([Tensor<2>; 3]) -> Tensor<2>>;
        type Formula = Box<dyn Fn(f64, f64, f64) -> f64>;
        let cases: [(Step, Formula); 3] = [
            (
                Box::new(move |[a, b, _]| moving_average(a, b, decay)),
                Box::new(move |a, b, _| decay * a + (1.0 - decay) * b),
            ),
            (
                Box::new(move |[a, b, _]| moving_square(a, b, decay)),
                Box::new(move |a, b, _| decay * a + (1.0 - decay) * b * b),
            ),
            (
                Box::new(move |[a, b, c]| scaled_step(a, b, c.abs(), rate, epsilon)),
                Box::new(move |a, b, c| a - rate * b / (c.abs().sqrt() + epsilon)),
            ),
        ];
        for (step, formula) in cases {
            let tensors = tensors();
            let others = kept.then(|| tensors.clone());
            let found = values(step(tensors));
            let pairs = a.iter().zip(&b).zip(&c);
            let expected: Vec<f64> = pairs.map(|((&a, &b), &c)| formula(a, b, c)).collect();
            assert_close(&found, &expected, tolerance(1e-5, dtype));
            // Another holder of the tensors sees them unchanged.
            if let Some(others) = others {
                prop_assert_eq!(others.map(values), [a.clone(), b.clone(), c.clone()]);
            }
        }
    }

    #[test]
    fn spectral_normalisation(
        [rows, columns] in [1usize..80, 1usize..1500],
        memories in [memory(), memory(), memory()],
        (use_, dtype, seed) in (uses(), precision(), 0u64..1000),
    ) {
        let weight = memories[0].tensor(seed, [rows, columns], dtype).require_grad();
        let left = memories[1].tensor(seed + 1, [rows], dtype);
        let right = memories[2].tensor(seed + 2, [columns], dtype);
        let w = values(weight.clone());
        let forward = |v: &[f64]| -> Vec<f64> {
            let row = |row: &[f64]| row.iter().zip(v).map(|(w, v)| w * v).sum();
            w.chunks(columns).map(row).collect()
        };
        let back = |u: &[f64]| -> Vec<f64> {
            let column = |c: usize| (0..rows).map(|r| w[r * columns + c] * u[r]).sum();
            (0..columns).map(column).collect()
        };
        let unit = |v: Vec<f64>| -> Vec<f64> {
            let norm = v.iter().map(|v| v * v).sum::<f64>().sqrt().max(1e-12);
            v.into_iter().map(|v| v / norm).collect()
        };
        let inner = |a: &[f64], b: &[f64]| -> f64 { a.iter().zip(b).map(|(a, b)| a * b).sum() };

        let iterated = SingularTriple::after_power_iteration(weight.clone(), left.clone());
        let first_left = values(left.clone());
        let first = back(&first_left);
        let v = unit(first.clone());
        let u = unit(forward(&v));
        let sigma = inner(&u, &forward(&v));
        // A vanishing weight has no direction. Rounding errors are larger for sums that cancel, and for
        // a weight that hardly acts along v.
        let norm = |x: &[f64]| inner(x, x).sqrt();
        let most = (0..columns).map(|c| {
            let terms = first_left.iter().enumerate();
            terms.map(|(r, u)| (w[r * columns + c] * u).abs()).sum::<f64>()
        });
        let most = most.fold(0.0, f64::max);
        let condition = (most / norm(&first)).max(1.0) * (norm(&w) / sigma).max(1.0);
        prop_assume!(sigma > 1e-2 && condition < 1e3);
        let tolerance = tolerance(2e-5, dtype) * condition;
        assert_close(&values(iterated.right.clone()), &v, tolerance);
        assert_close(&values(iterated.left.clone()), &u, tolerance);
        assert_close(&values(iterated.value.clone()), &[sigma], tolerance);
        let between = SingularTriple::between(weight.clone(), left, right.clone());
        let right = values(right);
        let products = forward(&right);
        // The error of a sum of terms with both signs is relative to the sizes of its terms.
        let terms = (0..rows * columns)
            .map(|at| (first_left[at / columns] * w[at] * right[at % columns]).abs());
        let allowed = tolerance * terms.sum::<f64>().max(1e-3);
        let expected = inner(&first_left, &products);
        assert_within(&values(between.value), &[expected], allowed);

        let normalised = divide_by_spectral_norm(weight.clone(), iterated);
        let (number, gradient) = use_.of(normalised.clone());
        let expected: Vec<f64> = w.iter().map(|w| w / sigma).collect();
        assert_close(&values(normalised), &expected, tolerance);
        // d(W/σ) = dW/σ − W·(uᵀ dW v)/σ².
        let along = inner(&gradient, &w) / (sigma * sigma);
        let expected: Vec<f64> = (0..rows * columns)
            .map(|at| gradient[at] / sigma - along * u[at / columns] * v[at % columns])
            .collect();
        let found = values(weight.grad(&number.backward()).unwrap());
        // The two parts may cancel, so the error is relative to their sizes.
        let largest = gradient.iter().fold(1.0f64, |m, g| m.max(g.abs())) / sigma;
        assert_within(&found, &expected, tolerance * largest.max(along.abs()));
    }

    #[test]
    fn distances(
        [batch, width] in [0usize..90, 1usize..300],
        memory in memory(),
        (use_, dtype, seed) in (uses(), precision(), 0u64..1000),
    ) {
        let rows = memory.tensor(seed, [batch, width], dtype).require_grad();
        let plain = values(rows.clone());
        let row = |i: usize| &plain[i * width..(i + 1) * width];
        let distance = |i: usize, j: usize| -> f64 {
            let squares = row(i).iter().zip(row(j)).map(|(a, b)| (a - b).powi(2));
            squares.sum::<f64>().sqrt()
        };
        let pairs = |of: &dyn Fn(usize, usize) -> f64| -> Vec<f64> {
            (0..batch * batch).map(|at| of(at / batch, at % batch)).collect()
        };
        let expected = pairs(&distance);
        let direct = direct_distances(&rows.clone().without_autodiff());
        prop_assert_eq!(direct.is_some(), dtype == DType::F32);
        let known = direct.unwrap_or_else(|| {
            let data = burn::tensor::TensorData::new(expected.clone(), [batch, batch]);
            Tensor::from_data(data, (&rows.device(), dtype)).without_autodiff()
        });
        assert_close(&values(known.clone()), &expected, tolerance(1e-6, dtype));

        let attached = attach_distances(rows.clone(), known);
        assert_close(&values(attached.clone()), &expected, tolerance(1e-6, dtype));
        let (number, gradient) = use_.of(attached);
        let found = values(rows.grad(&number.backward()).unwrap());
        let mut slopes = vec![0.0; batch * width];
        for (i, j) in (0..batch).flat_map(|i| (0..batch).map(move |j| (i, j))) {
            let known = expected[i * batch + j];
            if known > 0.0 {
                let factor = (gradient[i * batch + j] + gradient[j * batch + i]) / known;
                for at in 0..width {
                    slopes[i * width + at] += factor * (row(i)[at] - row(j)[at]);
                }
            }
        }
        // The gradient is summed over centred rows. A pair of near rows divides their rounding by its
        // distance.
        let apart = expected.iter().filter(|&&distance| distance > 0.0);
        let [least, most] = apart.fold([f64::MAX, 0.0], |[least, most], &distance| {
            [distance.min(least), distance.max(most)]
        });
        let ratio = (most / least).max(1.0);
        assert_close(&found, &slopes, tolerance(1e-4 + 1e-6 * ratio, dtype));
    }
}
