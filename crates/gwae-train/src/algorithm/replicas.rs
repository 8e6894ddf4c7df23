//! Copies of one model on several devices, each with its share of a batch.
//!
//! A step on n shards uses n replicas: the model itself on its own device, and copies on the
//! devices of the other shards. The mean of the replicas' gradients updates the model once; the
//! copies are then dropped. Burn's own multi-device strategy does the same, but with the sum
//! (`burn-train`, `MultiDeviceOptim::OptimMainDevice`).
//!
//! One thread works through the replicas in turn. On a GPU this only queues the work: the devices
//! compute at the same time, as long as nothing is read back in between.

use std::iter;

use burn::module::{Module, ModuleVisitor, Param};
use burn::optim::{GradientsAccumulator, GradientsParams};
use burn::tensor::{Device, FloatDType, Tensor};
use gwae_models::Autoencoder;

/// Calls `work` with every replica of `model`, its number and its shard, and returns the results in
/// that order. The first replica is `model` itself. The others are copied before the first call.
/// With a reduced `precision` all of them are copies with rounded networks and the same buffers.
pub(super) fn on_replicas<M: Autoencoder + Module, T>(
    model: &M,
    shards: Vec<Tensor<4>>,
    precision: Option<FloatDType>,
    mut work: impl FnMut(usize, &M, Tensor<4>) -> T,
) -> Vec<T> {
    let mut others = copies(model, &shards);
    let rounded = precision.map(|dtype| model.clone().networks_in_precision(dtype));
    if let Some(dtype) = precision {
        let all = others.into_iter();
        others = all
            .map(|model| model.networks_in_precision(dtype))
            .collect();
    }
    let first = rounded.as_ref().unwrap_or(model);
    on_each(first, &others, shards, &mut work)
}

/// Like [`on_replicas`], for a part of a model that always trains in single precision.
pub(super) fn on_part_replicas<M: Module, T>(
    part: &M,
    shards: Vec<Tensor<4>>,
    mut work: impl FnMut(usize, &M, Tensor<4>) -> T,
) -> Vec<T> {
    on_each(part, &copies(part, &shards), shards, &mut work)
}

fn on_each<M, T>(
    first: &M,
    others: &[M],
    shards: Vec<Tensor<4>>,
    work: &mut impl FnMut(usize, &M, Tensor<4>) -> T,
) -> Vec<T> {
    let replicas = iter::once(first).chain(others);
    let numbered = replicas.zip(shards).enumerate();
    numbered
        .map(|(number, (replica, shard))| work(number, replica, shard))
        .collect()
}

/// Copies `model` to the device of every shard except the first. The copies have their own
/// parameters with gradients, and their own buffers.
///
/// `Module::fork` alone is not enough. Clones of a module share running statistics, and a fork of
/// one clone moves those of all.
pub(super) fn copies<M: Module>(model: &M, shards: &[Tensor<4>]) -> Vec<M> {
    let others = shards.iter().skip(1);
    others
        .map(|shard| model.valid().fork(&shard.device()).train())
        .collect()
}

/// The mean of the replicas' gradients, on the device of `model` and in the floating-point types of
/// its parameters.
pub(super) fn mean_gradients<M: Module>(
    model: &M,
    mut gradients: Vec<GradientsParams>,
    device: &Device,
) -> GradientsParams {
    let count = gradients.len();
    let first = scaled(model, gradients.remove(0), None);
    if count == 1 {
        return first;
    }
    let mut sum = GradientsAccumulator::<M>::new();
    sum.accumulate(model, first);
    for gradients in gradients {
        let here = gradients.to_device(device, model);
        sum.accumulate(model, scaled(model, here, None));
    }
    scaled(model, sum.grads(), Some(count))
}

/// Converts gradients to the floating-point types of the parameters and divides them.
fn scaled<M: Module>(model: &M, from: GradientsParams, by: Option<usize>) -> GradientsParams {
    let to = GradientsParams::new();
    let mut scale = Scale { from, by, to };
    model.visit(&mut scale);
    scale.to
}

struct Scale {
    from: GradientsParams,
    by: Option<usize>,
    to: GradientsParams,
}

impl ModuleVisitor for Scale {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        if let Some(gradient) = self.from.remove::<D>(param.id) {
            let gradient = gradient.cast(param.val().dtype());
            let gradient = match self.by {
                Some(by) => gradient / by as f64,
                None => gradient,
            };
            self.to.register(param.id, gradient);
        }
    }
}
