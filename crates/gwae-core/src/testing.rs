//! Helpers of this crate's tests: values of tensors, and central differences in double precision.

use burn::tensor::{DType, Device, Tensor, TensorData};

/// Values of a tensor in double precision.
pub fn values<const D: usize>(tensor: Tensor<D>) -> Vec<f64> {
    tensor.into_data().iter::<f64>().collect()
}

/// A double-precision tensor.
pub fn f64_tensor<const D: usize>(values: &[f64], shape: [usize; D], device: &Device) -> Tensor<D> {
    Tensor::from_data(
        TensorData::new(values.to_vec(), shape),
        (device, DType::F64),
    )
}

/// Asserts `|a − e| ≤ tolerance·max(|e|, 1e-3·largest)` for every element.
#[track_caller]
pub fn assert_close(actual: &[f64], expected: &[f64], tolerance: f64) {
    assert_eq!(actual.len(), expected.len());
    let floor = 1e-3 * expected.iter().fold(0.0f64, |m, e| m.max(e.abs()));
    for (k, (a, e)) in actual.iter().zip(expected).enumerate() {
        let error = (a - e).abs();
        assert!(
            error <= tolerance * e.abs().max(floor),
            "element {k}: {a} instead of {e}"
        );
    }
}

/// Asserts that autodiff and central differences agree on the gradient of `function` at `point`.
#[track_caller]
pub fn finite_difference<const D: usize>(
    point: &[f64],
    shape: [usize; D],
    tolerance: f64,
    function: impl Fn(Tensor<D>) -> Tensor<1>,
) {
    let device = Device::flex().autodiff();
    let leaf = f64_tensor(point, shape, &device).require_grad();
    let gradient = values(
        leaf.grad(&function(leaf.clone()).backward())
            .expect("a gradient"),
    );
    let step = 1e-5;
    let at = |k: usize, offset: f64| {
        let mut moved = point.to_vec();
        moved[k] += offset;
        values(function(f64_tensor(&moved, shape, &device)))[0]
    };
    let numeric: Vec<f64> = (0..point.len())
        .map(|k| (at(k, step) - at(k, -step)) / (2.0 * step))
        .collect();
    assert_close(&gradient, &numeric, tolerance);
}
