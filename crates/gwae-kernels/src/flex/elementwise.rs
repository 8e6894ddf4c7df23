//! Functions of every element: vectorised for the processor that runs them, on every core.

use burn_flex::FlexTensor;
use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;

use super::{BLOCK, tensor, values, vectorised};

/// A function of one element. A small closure is enough. A closure too large to be inlined would be
/// compiled for the oldest supported processor.
pub(super) trait Function: Copy + Sync {
    fn of(self, x: f32) -> f32;
}

impl<F: Fn(f32) -> f32 + Copy + Sync> Function for F {
    #[inline(always)]
    fn of(self, x: f32) -> f32 {
        self(x)
    }
}

/// Applies `f` to every element, in place if nothing else holds the tensor.
pub(super) fn map(mut x: FlexTensor, f: impl Function) -> FlexTensor {
    if let Some(own) = own_values(&mut x) {
        let blocks = own.par_chunks_mut(BLOCK);
        blocks.for_each(|block| Arch::new().dispatch(InPlace { f, block }));
        return x;
    }
    let x = x.to_contiguous();
    let input = values(&x);
    let mut output = vec![0.0; input.len()];
    let blocks = output.par_chunks_mut(BLOCK).zip(input.par_chunks(BLOCK));
    blocks.for_each(|(output, input)| Arch::new().dispatch(Apart { f, input, output }));
    tensor(output, x.layout().shape().clone())
}

struct InPlace<'a, F> {
    f: F,
    block: &'a mut [f32],
}

impl<F: Function> WithSimd for InPlace<'_, F> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        for value in self.block {
            *value = self.f.of(*value);
        }
    }
}

struct Apart<'a, F> {
    f: F,
    input: &'a [f32],
    output: &'a mut [f32],
}

impl<F: Function> WithSimd for Apart<'_, F> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        for (output, input) in self.output.iter_mut().zip(self.input) {
            *output = self.f.of(*input);
        }
    }
}

/// Applies `f` to every pair of elements, in the memory of `a` if nothing else holds it.
pub(super) fn zip<F>(mut a: FlexTensor, b: FlexTensor, f: F) -> FlexTensor
where
    F: Fn(f32, f32) -> f32 + Copy + Sync,
{
    same_shape(&a, &b);
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

/// Applies `f` to the elements of three tensors, in the memory of `a` if nothing else holds it.
pub(super) fn zip3<F>(mut a: FlexTensor, b: FlexTensor, c: FlexTensor, f: F) -> FlexTensor
where
    F: Fn(f32, f32, f32) -> f32 + Copy + Sync,
{
    same_shape(&a, &b);
    same_shape(&a, &c);
    let (b, c) = (b.to_contiguous(), c.to_contiguous());
    let others = values(&b)
        .par_chunks(BLOCK)
        .zip(values(&c).par_chunks(BLOCK));
    if let Some(own) = own_values(&mut a) {
        let blocks = own.par_chunks_mut(BLOCK).zip(others);
        blocks.for_each(|(a, (b, c))| {
            vectorised(|| {
                for (a, (b, c)) in a.iter_mut().zip(b.iter().zip(c)) {
                    *a = f(*a, *b, *c);
                }
            });
        });
        return a;
    }
    let a = a.to_contiguous();
    let left = values(&a);
    let mut output = vec![0.0; left.len()];
    let blocks = output.par_chunks_mut(BLOCK).zip(left.par_chunks(BLOCK));
    blocks.zip(others).for_each(|((output, a), (b, c))| {
        vectorised(|| {
            for ((output, a), (b, c)) in output.iter_mut().zip(a).zip(b.iter().zip(c)) {
                *output = f(*a, *b, *c);
            }
        });
    });
    tensor(output, a.layout().shape().clone())
}

fn same_shape(a: &FlexTensor, b: &FlexTensor) {
    let (a, b) = (a.layout().shape(), b.layout().shape());
    assert_eq!(a, b, "the tensors have equal shapes");
}

/// The values of a contiguous tensor, if nothing else holds it and it is not part of a larger one.
fn own_values(x: &mut FlexTensor) -> Option<&mut [f32]> {
    let length = x.layout().num_elements();
    if x.layout().contiguous_offsets() != Some((0, length)) {
        return None;
    }
    x.try_storage_mut()
        .filter(|values: &&mut [f32]| values.len() == length)
}
