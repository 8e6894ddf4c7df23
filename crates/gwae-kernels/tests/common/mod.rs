//! Helpers of the kernels' tests.

// Each test file is a crate and uses only some of these helpers.
#![allow(dead_code)]

use burn::tensor::{DType, Device, Tensor, TensorData, s};
use proptest::prelude::*;

/// Irregular values between −1 and 1, the same on every machine.
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
    let scale = expected.iter().fold(1e-3, |m: f64, v| m.max(v.abs()));
    assert_within(actual, expected, tolerance * scale);
}

/// Compares by absolute differences.
#[track_caller]
pub fn assert_within(actual: &[f64], expected: &[f64], allowed: f64) {
    assert_eq!(actual.len(), expected.len());
    for (at, (actual, expected)) in actual.iter().zip(expected).enumerate() {
        let difference = (actual - expected).abs();
        assert!(
            difference <= allowed,
            "{at}: {actual} instead of {expected}"
        );
    }
}

/// Runs `work` on a pool of `threads` threads.
pub fn on_threads<R: Send>(threads: usize, work: impl FnOnce() -> R + Send) -> R {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
    pool.build().unwrap().install(work)
}

/// The memory layout of a tensor.
#[derive(Clone, Copy, Debug)]
pub enum Memory {
    /// One after the other.
    Contiguous,
    /// With the last two axes swapped.
    Transposed,
    /// As a part of a larger tensor, on every axis.
    Part,
    /// Every other value of the last axis of a larger tensor.
    Stepped,
    /// Backwards along the first axis.
    Reversed,
    /// One value along an axis, read repeatedly.
    Expanded(usize),
}

/// Any memory layout.
pub fn memory() -> impl Strategy<Value = Memory> {
    prop_oneof![
        Just(Memory::Contiguous),
        Just(Memory::Transposed),
        Just(Memory::Part),
        Just(Memory::Stepped),
        Just(Memory::Reversed),
        (0usize..4).prop_map(Memory::Expanded),
    ]
}

/// Single or double precision.
pub fn precision() -> impl Strategy<Value = DType> {
    prop_oneof![3 => Just(DType::F32), 1 => Just(DType::F64)]
}

/// Stands between the values of a tensor and must not be read.
const FILLER: f64 = 1e6;

impl Memory {
    /// Irregular values between −1 and 1 on an autodiff device, with this memory layout.
    pub fn tensor<const D: usize>(self, seed: u64, shape: [usize; D], dtype: DType) -> Tensor<D> {
        let plain = tensor(seed, shape, dtype);
        let device = (&plain.device(), dtype);
        match self {
            _ if shape.contains(&0) => plain,
            Self::Contiguous => plain,
            Self::Transposed if D < 2 => plain,
            Self::Transposed => {
                let swapped = plain.swap_dims(D - 2, D - 1).into_data();
                Tensor::<D>::from_data(swapped, device).swap_dims(D - 2, D - 1)
            }
            Self::Part => {
                let larger = (0..D).fold(plain, |x, axis| {
                    let mut border = x.dims();
                    border[axis] = 2;
                    let border = Tensor::full(border, FILLER, device);
                    Tensor::cat(vec![border.clone(), x, border], axis)
                });
                (0..D).fold(larger, |x, axis| x.narrow(axis, 2, shape[axis]))
            }
            Self::Stepped => {
                let values = values(plain).into_iter().flat_map(|x| [x, FILLER]);
                let mut larger = shape;
                larger[D - 1] *= 2;
                let larger = TensorData::new(values.collect(), larger);
                Tensor::<D>::from_data(larger, device).slice_dim(D - 1, s![..;2])
            }
            Self::Reversed => {
                let backwards = plain.flip([0]).into_data();
                Tensor::<D>::from_data(backwards, device).flip([0])
            }
            Self::Expanded(axis) => plain.narrow(axis % D, 0, 1).expand(shape),
        }
    }
}

/// How the output is used, which decides the memory layout of its gradient.
#[derive(Clone, Copy, Debug)]
pub enum Use {
    /// A weighted sum of the output.
    Weighted,
    /// A weighted sum of its transpose: the gradient is a transposed tensor.
    Transposed,
    /// Its sum: the gradient is an expanded tensor.
    Summed,
}

/// Any use of an output.
pub fn uses() -> impl Strategy<Value = Use> {
    prop_oneof![
        Just(Use::Weighted),
        Just(Use::Transposed),
        Just(Use::Summed)
    ]
}

impl Use {
    /// A number computed from the output, and its gradient with respect to the output.
    pub fn of<const D: usize>(self, output: Tensor<D>) -> (Tensor<1>, Vec<f64>) {
        let dtype = output.dtype();
        match self {
            Self::Transposed if D >= 2 => {
                let output = output.swap_dims(D - 2, D - 1);
                let weighting = tensor(99, output.dims(), dtype);
                let gradient = values(weighting.clone().swap_dims(D - 2, D - 1));
                ((output * weighting).sum(), gradient)
            }
            Self::Weighted | Self::Transposed => {
                let weighting = tensor(99, output.dims(), dtype);
                let gradient = values(weighting.clone());
                ((output * weighting).sum(), gradient)
            }
            Self::Summed => {
                let gradient = vec![1.0; output.dims().iter().product()];
                (output.sum(), gradient)
            }
        }
    }
}

/// The allowed error in precision `dtype` if `single` is allowed in single precision.
pub fn tolerance(single: f64, dtype: DType) -> f64 {
    match dtype {
        DType::F64 => single * 1e-6,
        _ => single,
    }
}
