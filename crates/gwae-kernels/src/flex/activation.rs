//! Elementwise kernels: vectorised for the processor that runs them, on every core.

use burn_flex::FlexTensor;
use rayon::prelude::*;

use super::{tensor, values, vectorised};

/// Elements per task: several times the cost of handing a task to another core.
const BLOCK: usize = 1 << 15;

/// `x·σ(x)`.
#[inline(always)]
pub(super) fn silu(x: f32) -> f32 {
    x / (1.0 + exp_neg(x))
}

/// `gradient·silu'(x)` with `silu'(x) = s + x·s·(1 − s)`, `s = σ(x)`.
#[inline(always)]
pub(super) fn silu_gradient(gradient: f32, x: f32) -> f32 {
    let s = logistic(x);
    flush(gradient * (s + x * s * (1.0 - s)))
}

/// `gradient·σ'(x)` from `s = σ(x)`.
#[inline(always)]
pub(super) fn logistic_gradient(gradient: f32, s: f32) -> f32 {
    flush(gradient * (s * (1.0 - s)))
}

/// Takes values for 0 whose products with ordinary numbers would be subnormal.
///
/// A saturated activation passes on gradients of any smallness. Processors compute with
/// subnormal numbers a hundred times slower, and next to the gradients of other samples, or to
/// an optimiser's ε, they are nothing. NaN stays NaN.
#[inline(always)]
fn flush(gradient: f32) -> f32 {
    const LEAST: f32 = 1e-25;
    if gradient.abs() < LEAST {
        0.0
    } else {
        gradient
    }
}

/// `1/(1 + e⁻ˣ)`.
#[inline(always)]
pub(super) fn logistic(x: f32) -> f32 {
    1.0 / (1.0 + exp_neg(x))
}

/// `e⁻ˣ` to 2 units in the last place, with `|x|` limited to 87 so that neither overflow nor a
/// subnormal number occurs. NaN stays NaN.
///
/// Cephes' method: `e^y = 2ⁿ·e^r` with `|r| ≤ ½ ln 2` and a polynomial for `e^r`. Plain
/// arithmetic without branches, which the compiler turns into vector instructions.
#[inline(always)]
fn exp_neg(x: f32) -> f32 {
    const LN_2_HIGH: f32 = 0.693_359_4;
    const LN_2_LOW: f32 = -2.121_944_4e-4;
    // Adding and subtracting 1.5·2²³ rounds to an integer, which is then the low bits.
    const ROUND: f32 = 12_582_912.0;
    let y = (-x).clamp(-87.0, 87.0);
    let shifted = y * std::f32::consts::LOG2_E + ROUND;
    let n = shifted - ROUND;
    let r = y - n * LN_2_HIGH - n * LN_2_LOW;
    let mut p = 1.987_569_1e-4;
    for coefficient in [
        1.398_199_9e-3,
        8.333_452e-3,
        4.166_579_6e-2,
        1.666_666_5e-1,
        5e-1,
    ] {
        p = p * r + coefficient;
    }
    let fraction = p * (r * r) + r + 1.0;
    // The low bits of `shifted` hold n; those above are shifted out.
    let exponent = shifted.to_bits().wrapping_add(127) << 23;
    fraction * f32::from_bits(exponent)
}

/// Applies `f` to every element, in place where nothing else holds the tensor.
pub(super) fn map<F>(mut x: FlexTensor, f: F) -> FlexTensor
where
    F: Fn(f32) -> f32 + Copy + Sync,
{
    if let Some(own) = own_values(&mut x) {
        own.par_chunks_mut(BLOCK).for_each(|block| {
            vectorised(|| {
                for value in block {
                    *value = f(*value);
                }
            });
        });
        return x;
    }
    let x = x.to_contiguous();
    let input = values(&x);
    let mut output = vec![0.0; input.len()];
    let blocks = output.par_chunks_mut(BLOCK).zip(input.par_chunks(BLOCK));
    blocks.for_each(|(output, input)| {
        vectorised(|| {
            for (output, input) in output.iter_mut().zip(input) {
                *output = f(*input);
            }
        });
    });
    tensor(output, x.layout().shape().clone())
}

/// Applies `f` to every pair of elements, in place of `a` where nothing else holds it.
pub(super) fn zip<F>(mut a: FlexTensor, b: FlexTensor, f: F) -> FlexTensor
where
    F: Fn(f32, f32) -> f32 + Copy + Sync,
{
    let b = b.to_contiguous();
    let right = values(&b);
    if let Some(own) = own_values(&mut a) {
        let blocks = own.par_chunks_mut(BLOCK).zip(right.par_chunks(BLOCK));
        blocks.for_each(|(a, b)| {
            vectorised(|| {
                for (a, b) in a.iter_mut().zip(b) {
                    *a = f(*a, *b);
                }
            });
        });
        return a;
    }
    let a = a.to_contiguous();
    let left = values(&a);
    let mut output = vec![0.0; left.len()];
    let blocks = output.par_chunks_mut(BLOCK);
    let blocks = blocks.zip(left.par_chunks(BLOCK).zip(right.par_chunks(BLOCK)));
    blocks.for_each(|(output, (a, b))| {
        vectorised(|| {
            for (output, (a, b)) in output.iter_mut().zip(a.iter().zip(b)) {
                *output = f(*a, *b);
            }
        });
    });
    tensor(output, a.layout().shape().clone())
}

/// The values of a contiguous tensor that nothing else holds; not of a view of a part of it.
fn own_values(x: &mut FlexTensor) -> Option<&mut [f32]> {
    let length = x.layout().num_elements();
    if x.layout().contiguous_offsets() != Some((0, length)) {
        return None;
    }
    x.try_storage_mut()
        .filter(|values: &&mut [f32]| values.len() == length)
}
