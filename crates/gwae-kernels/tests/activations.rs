//! The vectorised activations against their formulas in double precision.

use burn::tensor::{DType, Device, Tensor};
use gwae_kernels::{leaky_relu, leaky_relu_gradient, logit, sigmoid, silu};

/// All magnitudes, both signs and the limits; more values than one block.
fn points() -> Vec<f32> {
    let mut points = vec![
        0.0,
        -0.0,
        88.0,
        -88.0,
        150.0,
        -150.0,
        1e30,
        f32::MIN_POSITIVE,
    ];
    points.extend((0..100_000).map(|i| (i - 50_000) as f32 * 4e-4));
    points.extend((0..1000).map(|i| 10f32.powf(-(i as f32) / 30.0)));
    points.extend((0..1000).map(|i| -10f32.powf(-(i as f32) / 30.0)));
    points
}

/// Values and derivatives of `function`.
fn evaluate(function: impl Fn(Tensor<1>) -> Tensor<1>) -> (Vec<f32>, Vec<f32>) {
    let points = points();
    let x = Tensor::<1>::from_floats(points.as_slice(), &Device::flex().autodiff()).require_grad();
    let y = function(x.clone());
    let gradients = y.clone().sum().backward();
    (values(y), values(x.grad(&gradients).unwrap()))
}

fn values(tensor: Tensor<1>) -> Vec<f32> {
    tensor.into_data().iter::<f32>().collect()
}

#[track_caller]
fn assert_close(actual: &[f32], expected: impl Fn(f64) -> f64, tolerance: f64) {
    for (&x, &actual) in points().iter().zip(actual) {
        let expected = expected(f64::from(x));
        let allowed = tolerance * expected.abs().max(1e-30);
        assert!(
            (f64::from(actual) - expected).abs() <= allowed,
            "at {x}: {actual} instead of {expected}"
        );
    }
}

fn logistic(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

#[test]
fn sigmoid_and_its_derivative() {
    let (y, slope) = evaluate(sigmoid);
    // Beyond 87 the exponential stays constant, so smaller inputs give 1e-38.
    assert_close(&y, |x| logistic(x.max(-87.0)), 1e-6);
    for (&x, &slope) in points().iter().zip(&slope) {
        let s = logistic(f64::from(x));
        assert!((f64::from(slope) - s * (1.0 - s)).abs() < 1e-7, "{x}");
    }
}

#[test]
fn silu_and_its_derivative() {
    let (y, slope) = evaluate(silu);
    assert_close(&y, |x| x * logistic(x.max(-87.0)), 1e-6);
    for (&x, &slope) in points().iter().zip(&slope) {
        let x = f64::from(x);
        let s = logistic(x);
        let expected = s + x * s * (1.0 - s);
        assert!((f64::from(slope) - expected).abs() < 1e-6, "{x}: {slope}");
    }
}

#[test]
fn leaky_relu_has_the_slope_at_zero() {
    let (y, slope) = evaluate(|x| leaky_relu(x, 0.2));
    for ((&x, &y), &slope) in points().iter().zip(&y).zip(&slope) {
        let expected = if x > 0.0 { 1.0 } else { 0.2 };
        assert_eq!((y, slope), (x * expected, expected));
    }
}

#[test]
fn slope_minus_one_makes_it_the_absolute_value() {
    let (y, slope) = evaluate(|x| leaky_relu(x, -1.0));
    for ((&x, &y), &slope) in points().iter().zip(&y).zip(&slope) {
        let expected = if x > 0.0 { 1.0 } else { -1.0 };
        assert_eq!((y, slope), (x.abs(), expected));
    }
}

#[test]
fn leaky_relu_gradient_is_linear_in_the_gradient() {
    let device = Device::flex().autodiff();
    let x = Tensor::<1>::from_floats([-1.0, 0.0, 2.0], &device).require_grad();
    let g = Tensor::<1>::from_floats([3.0, 4.0, 5.0], &device).require_grad();
    let passed = leaky_relu_gradient(x.clone(), g.clone(), 0.25);
    assert_eq!(values(passed.clone()), [0.75, 1.0, 5.0]);
    let gradients = (passed.clone() * passed.detach()).sum().backward();
    assert_eq!(values(g.grad(&gradients).unwrap()), [0.1875, 0.25, 5.0]);
    assert!(x.grad(&gradients).is_none());
}

#[test]
fn double_precision_takes_the_same_formulas() {
    let device = Device::flex().autodiff();
    let dtype = burn::tensor::DType::F64;
    let leaf = || Tensor::<1>::from_data([-3.0, 0.0, 0.5], (&device, dtype)).require_grad();
    type Activation = fn(Tensor<1>) -> Tensor<1>;
    let slopes: [(Activation, [f64; 3]); 4] = [
        (
            silu,
            [-3.0, 0.0, 0.5].map(|x| {
                let s = logistic(x);
                s + x * s * (1.0 - s)
            }),
        ),
        (
            sigmoid,
            [-3.0, 0.0, 0.5].map(|x| logistic(x) * (1.0 - logistic(x))),
        ),
        (|x| leaky_relu(x, 0.2), [0.2, 0.2, 1.0]),
        (|x| leaky_relu(x, -1.0), [-1.0, -1.0, 1.0]),
    ];
    for (function, expected) in slopes {
        let x = leaf();
        let gradients = function(x.clone()).sum().backward();
        let slope: Vec<f64> = x
            .grad(&gradients)
            .unwrap()
            .into_data()
            .iter::<f64>()
            .collect();
        for (slope, expected) in slope.iter().zip(expected) {
            assert!((slope - expected).abs() < 1e-6, "{slope} {expected}");
        }
    }
}

#[test]
fn absolute_values_in_double_precision() {
    let dtype = burn::tensor::DType::F64;
    let x = Tensor::<1>::from_data([-3.0, 0.0, 0.5], (&Device::flex(), dtype));
    let y = leaky_relu(x, -1.0).into_data();
    assert_eq!(y.iter::<f64>().collect::<Vec<_>>(), [3.0, 0.0, 0.5]);
}

#[test]
fn nan_and_infinity_are_not_hidden() {
    let device = Device::flex();
    let x = Tensor::<1>::from_floats([f32::NAN, f32::INFINITY], &device);
    let s = values(sigmoid(x.clone()));
    assert!(s[0].is_nan() && s[1] == 1.0);
    let y = values(silu(x.clone()));
    assert!(y[0].is_nan() && y[1] == f32::INFINITY);
    assert!(values(leaky_relu(x, 0.2))[0].is_nan());
}

#[test]
fn tensors_in_use_elsewhere_keep_their_values() {
    let device = Device::flex();
    let x = Tensor::<1>::from_floats([-1.0, 1.0, 2.0, 3.0], &device);
    let kept = x.clone();
    leaky_relu(x, 0.5);
    assert_eq!(values(kept.clone()), [-1.0, 1.0, 2.0, 3.0]);
    // A part of a buffer that continues behind it.
    let start = kept.narrow(0, 0, 2);
    assert_eq!(values(leaky_relu(start, 0.5)), [-0.5, 1.0]);
}

/// Subnormal numbers slow down every product, so a saturated layer passes on zeros instead.
#[test]
fn gradients_of_saturated_activations_are_zero_not_subnormal() {
    let device = Device::flex().autodiff();
    for function in [silu as fn(Tensor<1>) -> Tensor<1>, sigmoid] {
        let x = Tensor::<1>::from_floats([-84.0, -80.0, -40.0, -1.0], &device).require_grad();
        let gradients = function(x.clone()).sum().backward();
        let slopes = values(x.grad(&gradients).unwrap());
        assert_eq!(slopes[..2], [0.0, 0.0], "{slopes:?}");
        assert!(slopes[2] != 0.0 && slopes[3] != 0.0, "{slopes:?}");
    }
}

#[test]
fn logit_is_the_inverse_of_the_sigmoid_within_its_margin() {
    let device = Device::flex();
    let x = Tensor::<1>::from_floats([-6.0, -1.0, 0.0, 0.5, 3.0], &device);
    let back = values(logit(sigmoid(x.clone()), 1e-4));
    for (back, x) in back.iter().zip(values(x)) {
        assert!((back - x).abs() < 1e-4, "{back} instead of {x}");
    }
    let ends = values(logit(Tensor::<1>::from_floats([0.0, 1.0], &device), 1e-4));
    let expected = (1e-4f64 / (1.0 - 1e-4)).ln();
    assert!((f64::from(ends[0]) - expected).abs() < 1e-4);
    assert!((f64::from(ends[1]) + expected).abs() < 1e-2, "{}", ends[1]);
}

#[test]
fn logit_in_single_precision_equals_that_in_double_precision() {
    let device = Device::flex();
    let numbers: Vec<f64> = (-5..1006).map(|k| f64::from(k) / 1000.0).collect();
    let numbers = [&numbers[..], &[f64::NAN]].concat();
    let of = |dtype| {
        let x = Tensor::<1>::from_data(numbers.as_slice(), (&device, dtype));
        values(logit(x, 1e-4))
    };
    for ((single, double), x) in of(DType::F32).iter().zip(of(DType::F64)).zip(&numbers) {
        // The rounding of 1 − x, at most 3e-8, is multiplied by ten thousand near the end.
        let bound = 1e-6 + 1e-7 / (1.0 - x).max(1e-4);
        let (single, double) = (f64::from(*single), f64::from(double));
        let same = (single - double).abs() < bound || (single.is_nan() && double.is_nan());
        assert!(same, "{x}: {single} instead of {double}");
    }
}

#[test]
fn logit_passes_on_a_gradient_where_one_is_asked_for() {
    let device = Device::flex().autodiff();
    let x = Tensor::<1>::from_floats([0.2, 0.9], &device).require_grad();
    let slopes = values(x.grad(&logit(x.clone(), 1e-4).sum().backward()).unwrap());
    for (slope, expected) in slopes.into_iter().zip([1.0 / 0.16, 1.0 / 0.09]) {
        assert!((slope - expected).abs() < 1e-3, "{slope}");
    }
}
