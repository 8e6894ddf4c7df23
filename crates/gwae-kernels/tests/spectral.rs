//! Spectral normalisation in single precision against double precision, which is composed of Burn's
//! operations, and both against differences.

use burn::tensor::{DType, Device, Tensor, TensorData};
use gwae_kernels::{divide_by_spectral_norm, power_iteration};

/// Irregular values in ±1, the same on every machine.
fn tensor<const D: usize>(seed: u64, shape: [usize; D], dtype: DType) -> Tensor<D> {
    let mut state = seed;
    let values: Vec<f64> = (0..shape.iter().product())
        .map(|_| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            ((state >> 40) as f64 / f64::from(1 << 23)) - 1.0
        })
        .collect();
    let device = Device::flex().autodiff();
    Tensor::from_data(TensorData::new(values, shape), (&device, dtype))
}

fn values<const D: usize>(tensor: Tensor<D>) -> Vec<f64> {
    tensor.into_data().iter::<f64>().collect()
}

/// u, v, normalised weight and the gradient of a weighted sum of it.
fn run([rows, columns]: [usize; 2], dtype: DType) -> [Vec<f64>; 4] {
    let weight = tensor(1, [rows, columns], dtype).require_grad();
    let (left, right) = power_iteration(weight.clone(), tensor(2, [rows], dtype));
    let normalised = divide_by_spectral_norm(weight.clone(), left.clone(), right.clone());
    let weighting = tensor(3, [rows, columns], dtype);
    let gradients = (normalised.clone() * weighting).sum().backward();
    [
        values(left),
        values(right),
        values(normalised),
        values(weight.grad(&gradients).unwrap()),
    ]
}

#[test]
fn single_precision_kernels_equal_burns_operations_in_double_precision() {
    // One row, one column, fewer values than a vector register, several blocks with a remainder.
    for shape in [[1, 5], [7, 1], [3, 4], [33, 100], [70, 1000], [256, 2048]] {
        for (single, double) in run(shape, DType::F32).iter().zip(run(shape, DType::F64)) {
            let scale = double.iter().fold(1e-3, |m: f64, v| m.max(v.abs()));
            assert_eq!(single.len(), double.len());
            for (single, double) in single.iter().zip(double) {
                assert!(
                    (single - double).abs() < 2e-6 * scale,
                    "{shape:?}: {single} instead of {double}"
                );
            }
        }
    }
}

#[test]
fn iterations_lead_to_norm_one() {
    let weight = tensor(4, [6, 9], DType::F64);
    let mut left = tensor(5, [6], DType::F64);
    let mut right = tensor(6, [9], DType::F64);
    for _ in 0..500 {
        (left, right) = power_iteration(weight.clone(), left);
    }
    let normalised = divide_by_spectral_norm(weight, left, right);
    // The largest eigenvalue of a symmetric matrix is what its powers grow by.
    let square = normalised.clone().matmul(normalised.transpose());
    let mut vector: Tensor<2> = Tensor::ones([6, 1], (&square.device(), DType::F64));
    for _ in 0..500 {
        vector = square.clone().matmul(vector);
    }
    let next = square.matmul(vector.clone());
    let growth = values(next)[0] / values(vector)[0];
    assert!((growth - 1.0).abs() < 1e-9, "{growth}");
}

#[test]
fn gradient_flows_through_the_norm() {
    let weight = tensor(7, [4, 6], DType::F64);
    let (left, right) = power_iteration(weight.clone(), tensor(8, [4], DType::F64));
    let weighting = tensor(9, [4, 6], DType::F64);
    let value = |weight: Tensor<2>| {
        (divide_by_spectral_norm(weight, left.clone(), right.clone()) * weighting.clone()).sum()
    };
    let direction = tensor(10, [4, 6], DType::F64);
    let tracked = weight.clone().detach().require_grad();
    let gradient = tracked.grad(&value(tracked.clone()).backward()).unwrap();
    let expected = values((gradient * direction.clone().without_autodiff()).sum())[0];
    let moved = |step: f64| values(value(weight.clone() + direction.clone() * step))[0];
    let numeric = (moved(1e-6) - moved(-1e-6)) / 2e-6;
    assert!((numeric - expected).abs() < 1e-7 * expected.abs().max(1.0));
}

#[test]
fn weights_without_autodiff_are_normalised_too() {
    let weight = tensor(11, [3, 5], DType::F32).without_autodiff();
    let left = tensor(12, [3], DType::F32).without_autodiff();
    let (left, right) = power_iteration(weight.clone(), left);
    let normalised = divide_by_spectral_norm(weight, left, right);
    assert!(!normalised.is_autodiff());
}
