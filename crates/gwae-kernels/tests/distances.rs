//! Distances computed from differences, and the gradient that is attached to them.

mod common;

use burn::tensor::{DType, Device, Tensor};
use common::{assert_close, on_threads, tensor, values};
use gwae_kernels::{attach_distances, direct_distances};

fn naive(rows: &[f64], batch: usize) -> Vec<f64> {
    let features = rows.len() / batch;
    let row = |i: usize| &rows[i * features..(i + 1) * features];
    let distance = |i: usize, j: usize| {
        let pairs = row(i).iter().zip(row(j));
        pairs.map(|(a, b)| (a - b).powi(2)).sum::<f64>().sqrt()
    };
    (0..batch * batch)
        .map(|k| distance(k / batch, k % batch))
        .collect()
}

/// One row, blocks with a remainder, many blocks, blocks of a large batch, several chunks of columns
/// with values beyond the last vector register.
const SIZES: [[usize; 2]; 6] = [[1, 3], [2, 1], [17, 40], [70, 1030], [16, 2051], [515, 20]];

#[test]
fn equal_the_naive_ones() {
    for [batch, features] in SIZES {
        let rows = tensor(1, [batch, features], DType::F32).without_autodiff();
        let distances = values(direct_distances(&rows).unwrap());
        assert_close(&distances, &naive(&values(rows), batch), 1e-6);
    }
}

#[test]
fn nearly_equal_rows_keep_their_distance() {
    let base = tensor(2, [1, 5000], DType::F32).without_autodiff();
    let offset = tensor(3, [1, 5000], DType::F32).without_autodiff() * 1e-5;
    let rows = Tensor::cat(vec![base.clone(), base + offset], 0);
    let distances = values(direct_distances(&rows).unwrap());
    let expected = naive(&values(rows), 2)[1];
    assert!((distances[1] / expected - 1.0).abs() < 1e-5);
}

#[test]
fn do_not_depend_on_the_number_of_threads() {
    let results = |threads| {
        on_threads(threads, || {
            let rows = tensor(4, [70, 1030], DType::F32).without_autodiff();
            values(direct_distances(&rows).unwrap())
        })
    };
    assert_eq!(results(1), results(3));
}

#[test]
fn other_precisions_have_no_kernel() {
    let rows = tensor(5, [3, 4], DType::F64).without_autodiff();
    assert!(direct_distances(&rows).is_none());
}

#[test]
fn gradient_matches_differences() {
    let rows = tensor(6, [7, 30], DType::F64);
    let weighting = tensor(7, [7, 7], DType::F64);
    let value = |rows: Tensor<2>| {
        let plain = values(rows.clone());
        let data = burn::tensor::TensorData::new(naive(&plain, 7), [7, 7]);
        let distances = Tensor::from_data(data, (&Device::flex(), DType::F64));
        (attach_distances(rows, distances) * weighting.clone()).sum()
    };
    let tracked = rows.clone().require_grad();
    let gradient = tracked.grad(&value(tracked.clone()).backward()).unwrap();
    let direction = tensor(8, [7, 30], DType::F64);
    let expected = values((gradient * direction.clone().without_autodiff()).sum())[0];
    let moved = |step: f64| values(value(rows.clone() + direction.clone() * step))[0];
    let numeric = (moved(1e-6) - moved(-1e-6)) / 2e-6;
    assert_close(&[expected], &[numeric], 1e-7);
}

#[test]
fn equal_rows_pass_on_nothing() {
    let rows = Tensor::<2>::ones([3, 4], &Device::flex().autodiff()).require_grad();
    let distances = direct_distances(&rows.clone().without_autodiff()).unwrap();
    let gradients = attach_distances(rows.clone(), distances).sum().backward();
    assert_eq!(values(rows.grad(&gradients).unwrap()), [0.0; 12]);
}

#[test]
fn no_rows_have_no_distances_and_an_empty_gradient() {
    for dtype in [DType::F32, DType::F64] {
        let rows = tensor(1, [0, 3], dtype).require_grad();
        let distances = Tensor::<2>::zeros([0, 0], (&Device::flex(), dtype));
        let direct = direct_distances(&rows.clone().without_autodiff());
        assert!(direct.is_none_or(|direct| direct.dims() == [0, 0]));
        let gradients = attach_distances(rows.clone(), distances).sum().backward();
        assert_eq!(rows.grad(&gradients).unwrap().dims(), [0, 3]);
    }
}

/// A pair that differs only in the last bit of one value has a huge weight. It must not destroy the
/// gradients of the other pairs.
#[test]
fn a_near_pair_leaves_the_others_their_gradient() {
    let rows = values(tensor(9, [20, 300], DType::F32));
    let mut near = rows.clone();
    near[300..600].copy_from_slice(&rows[..300]);
    near[300] = f64::from(f32::from_bits((rows[0] as f32).to_bits() + 1));
    let weighting = values(tensor(10, [20, 20], DType::F64));
    let gradient = |dtype| {
        let from = |values: &[f64], shape| {
            let data = burn::tensor::TensorData::new(values.to_vec(), shape);
            Tensor::<2>::from_data(data, (&Device::flex().autodiff(), dtype))
        };
        let rows = from(&near, [20, 300]).require_grad();
        let distances = from(&naive(&near, 20), [20, 20]).without_autodiff();
        let distances = attach_distances(rows.clone(), distances);
        let sum = (distances * from(&weighting, [20, 20])).sum();
        values(rows.grad(&sum.backward()).unwrap())
    };
    let (single, double) = (gradient(DType::F32), gradient(DType::F64));
    // The pair loses its own gradient in the value that differs.
    assert_close(&single[1..300], &double[1..300], 1e-4);
    assert_close(&single[301..], &double[301..], 1e-4);
}
