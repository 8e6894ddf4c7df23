//! What the tests of the kernels share.

// Each test file is a crate of its own and uses a part of this.
#![allow(dead_code)]

use burn::tensor::{DType, Device, Tensor, TensorData};

/// Irregular values in ±1, the same on every machine.
pub fn data<const D: usize>(seed: u64, shape: [usize; D]) -> TensorData {
    let mut state = seed;
    let values: Vec<f64> = (0..shape.iter().product())
        .map(|_| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            ((state >> 40) as f64 / f64::from(1 << 23)) - 1.0
        })
        .collect();
    TensorData::new(values, shape)
}

/// The same as a tensor on an autodiff device, without a gradient.
pub fn tensor<const D: usize>(seed: u64, shape: [usize; D], dtype: DType) -> Tensor<D> {
    Tensor::from_data(data(seed, shape), (&Device::flex().autodiff(), dtype))
}

/// The values of a tensor.
pub fn values<const D: usize>(tensor: Tensor<D>) -> Vec<f64> {
    tensor.into_data().iter::<f64>().collect()
}

/// Compares relative to the largest value.
#[track_caller]
pub fn assert_close(actual: &[f64], expected: &[f64], tolerance: f64) {
    assert_eq!(actual.len(), expected.len());
    let scale = expected.iter().fold(1e-3, |m: f64, v| m.max(v.abs()));
    for (at, (actual, expected)) in actual.iter().zip(expected).enumerate() {
        let difference = (actual - expected).abs();
        assert!(
            difference <= tolerance * scale,
            "{at}: {actual} instead of {expected}"
        );
    }
}

/// Runs `work` on a pool of so many threads.
pub fn on_threads<R: Send>(threads: usize, work: impl FnOnce() -> R + Send) -> R {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
    pool.build().unwrap().install(work)
}
