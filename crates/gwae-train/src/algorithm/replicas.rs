//! The same model on several devices, each with its share of a batch.
//!
//! A step on n shards computes on n replicas: the model itself on its own device, and copies on the
//! devices of the other shards. What comes of it is one gradient, the mean of the replicas', for one
//! update of the model; the copies are then dropped. Burn's own multi-device strategy goes the same
//! way, but sums (`burn-train`, `MultiDeviceOptim::OptimMainDevice`).
//!
//! The replicas are worked on one after the other, by one thread. On a GPU that only queues the work:
//! the devices compute at the same time as long as nothing is read back in between.

use std::iter;

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param};
use burn::optim::{GradientsAccumulator, GradientsParams};
use burn::tensor::{Device, FloatDType, Tensor};

/// Calls `work` with every replica of `model`, its number and its shard, and returns what comes of
/// them in that order. The first replica is `model` itself, or `lower` of it with the same buffers;
/// all others start from `model` as it is before the first call.
pub(super) fn on_replicas<M: Module, T>(
    model: &M,
    shards: Vec<Tensor<4>>,
    lower: Option<&dyn Fn(M) -> M>,
    mut work: impl FnMut(usize, &M, Tensor<4>) -> T,
) -> Vec<T> {
    let mut others = copies(model, &shards);
    let first = lower.map(|lower| lower(model.clone()));
    if let Some(lower) = lower {
        others = others.into_iter().map(lower).collect();
    }
    let first = first.as_ref().unwrap_or(model);
    let replicas = iter::once(first).chain(&others);
    let numbered = replicas.zip(shards).enumerate();
    numbered
        .map(|(number, (replica, shard))| work(number, replica, shard))
        .collect()
}

/// A copy of `model` on the device of every shard but the first, with parameters that have gradients
/// of their own and buffers of its own.
///
/// `Module::fork` alone would not do: running statistics are shared between the clones of a module,
/// and forking one of them moves those of all.
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

/// Gradients in the floating-point types of the parameters, divided.
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

/// `module` with its trainable weights rounded to `dtype`, for one step; batch normalisation, which
/// computes in single precision, is left as it is.
pub(super) fn lowered<M: Module>(module: M, dtype: FloatDType) -> M {
    module.map(&mut Lower {
        dtype,
        containers: Vec::new(),
    })
}

struct Lower {
    dtype: FloatDType,
    containers: Vec<String>,
}

impl ModuleMapper for Lower {
    fn enter_module(&mut self, _name: &str, container: &str) {
        self.containers.push(container.to_owned());
    }

    fn exit_module(&mut self, _name: &str, _container: &str) {
        self.containers.pop();
    }

    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let inside = self.containers.last();
        let normalises = inside.is_some_and(|container| container == "Struct:BatchNorm");
        if normalises || !param.is_require_grad() {
            return param;
        }
        param.map(|tensor| tensor.cast(self.dtype).detach().require_grad())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::module::RunningState;
    use burn::nn::{Linear, LinearConfig};
    use burn::tensor::TensorData;

    #[derive(Module, Debug)]
    struct Layer {
        weights: Linear,
        running: RunningState<Tensor<1>>,
    }

    fn layer(device: &Device) -> Layer {
        Layer {
            weights: LinearConfig::new(4, 1).with_bias(false).init(device),
            running: RunningState::new(Tensor::zeros([1], device)),
        }
    }

    fn shard(device: &Device, value: f32) -> Tensor<4> {
        Tensor::full([2, 1, 2, 2], value, device)
    }

    /// The gradient of the mean of w·x over images is the mean image.
    #[test]
    fn gradients_are_averaged_and_buffers_are_not_shared() {
        let device = Device::flex().autodiff();
        let layer = layer(&device);
        let shards = [1.0, 3.0, 8.0].map(|value| shard(&device, value)).to_vec();
        let gradients = on_replicas(&layer, shards, None, |number, replica, images| {
            replica
                .running
                .update(Tensor::full([1], number as f32 + 1.0, &device));
            let flat: Tensor<2> = images.flatten(1, 3);
            let loss = replica.weights.forward(flat).mean();
            GradientsParams::from_grads(loss.backward(), replica)
        });
        let mean = mean_gradients(&layer, gradients, &device);
        let gradient = mean.get::<2>(layer.weights.weight.id).unwrap();
        let expected = TensorData::from([[4.0f32], [4.0], [4.0], [4.0]]);
        gradient.into_data().assert_eq(&expected, true);
        let running = layer.running.value_sync().into_data();
        running.assert_eq(&TensorData::from([1.0f32]), true);
    }

    #[test]
    fn a_single_replica_is_the_model_and_its_gradient_is_untouched() {
        let device = Device::flex().autodiff();
        let layer = layer(&device);
        assert!(copies(&layer, &[shard(&device, 1.0)]).is_empty());
        let gradients = on_replicas(
            &layer,
            vec![shard(&device, 0.1)],
            None,
            |_, replica, images| {
                assert!(std::ptr::eq(replica, &layer));
                let flat: Tensor<2> = images.flatten(1, 3);
                let loss = replica.weights.forward(flat).mean();
                GradientsParams::from_grads(loss.backward(), replica)
            },
        );
        let mean = mean_gradients(&layer, gradients, &device);
        let gradient = mean.get::<2>(layer.weights.weight.id).unwrap();
        let values: Vec<f32> = gradient.into_data().iter::<f32>().collect();
        assert_eq!(values, [0.1; 4]);
    }
}
