//! Spectral normalisation in single precision against double precision, which uses Burn's
//! operations, and both against finite differences.

mod common;

use burn::tensor::{DType, Tensor};
use common::{assert_close, on_threads, tensor, values};
use gwae_kernels::{SingularTriple, divide_by_spectral_norm};

/// u, v, σ, normalised weight and the gradient of a weighted sum of it.
fn run([rows, columns]: [usize; 2], dtype: DType) -> [Vec<f64>; 5] {
    let weight = tensor(1, [rows, columns], dtype).require_grad();
    let triple = SingularTriple::after_power_iteration(weight.clone(), tensor(2, [rows], dtype));
    let normalised = divide_by_spectral_norm(weight.clone(), triple.clone());
    let weighting = tensor(3, [rows, columns], dtype);
    let gradients = (normalised.clone() * weighting).sum().backward();
    [
        values(triple.left),
        values(triple.right),
        values(triple.value),
        values(normalised),
        values(weight.grad(&gradients).unwrap()),
    ]
}

#[test]
fn single_precision_kernels_equal_burns_operations_in_double_precision() {
    // One row, one column, fewer values than a vector register, several blocks with a remainder.
    for shape in [[1, 5], [7, 1], [3, 4], [33, 100], [70, 1000], [256, 2048]] {
        for (single, double) in run(shape, DType::F32).iter().zip(run(shape, DType::F64)) {
            assert_close(single, &double, 2e-6);
        }
    }
}

#[test]
fn the_value_after_an_iteration_is_that_between_its_vectors() {
    for dtype in [DType::F32, DType::F64] {
        let weight = tensor(1, [33, 100], dtype);
        let iterated =
            SingularTriple::after_power_iteration(weight.clone(), tensor(2, [33], dtype));
        let between = SingularTriple::between(weight, iterated.left, iterated.right);
        assert_eq!(values(iterated.value), values(between.value));
    }
}

#[test]
fn results_do_not_depend_on_the_number_of_threads() {
    let results = |threads| on_threads(threads, || run([256, 2048], DType::F32));
    assert_eq!(results(1), results(3));
}

#[test]
fn iterations_lead_to_norm_one() {
    let weight = tensor(4, [6, 9], DType::F64);
    let first = tensor(5, [6], DType::F64);
    let mut triple = SingularTriple::after_power_iteration(weight.clone(), first);
    for _ in 0..500 {
        triple = SingularTriple::after_power_iteration(weight.clone(), triple.left);
    }
    let normalised = divide_by_spectral_norm(weight, triple);
    // The powers of a symmetric matrix grow by its largest eigenvalue.
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
    let vectors = SingularTriple::after_power_iteration(weight.clone(), tensor(8, [4], DType::F64));
    let weighting = tensor(9, [4, 6], DType::F64);
    let value = |weight: Tensor<2>| {
        let (left, right) = (vectors.left.clone(), vectors.right.clone());
        let triple = SingularTriple::between(weight.clone(), left, right);
        (divide_by_spectral_norm(weight, triple) * weighting.clone()).sum()
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
    let triple = SingularTriple::after_power_iteration(weight.clone(), left);
    let normalised = divide_by_spectral_norm(weight, triple);
    assert!(!normalised.is_autodiff());
}
