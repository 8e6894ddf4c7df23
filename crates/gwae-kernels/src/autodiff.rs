//! Gradients of the operations, in terms of the same operations.

use burn::backend::autodiff::{
    NodeId,
    checkpoint::{base::Checkpointer, strategy::CheckpointStrategy},
    grads::Gradients,
    ops::{Backward, NodeGuard, Ops, OpsKind, unary},
};
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, BackendTypes};

use crate::PaddingMode;
use crate::extension::Kernels;

type Primitive<B> = <B as BackendTypes>::FloatTensorPrimitive;

/// A strided convolution or its transpose. Its parents are its input, its weight and, if it has one,
/// its bias.
#[derive(Debug)]
struct Convolution;

/// The data that the gradient of a convolution needs.
#[derive(Clone, Debug)]
struct Convolved {
    transposed: bool,
    /// Kept only if the weight needs a gradient.
    input: Option<NodeId>,
    weight: NodeId,
    padding: PaddingMode,
}

impl<B: Kernels, const N: usize> Backward<B, N> for Convolution {
    type State = Convolved;

    fn backward(
        self,
        ops: Ops<Self::State, N>,
        gradients: &mut Gradients,
        checkpointer: &mut Checkpointer,
    ) {
        let gradient = gradients.consume::<B>(&ops.node);
        let Convolved {
            transposed,
            input,
            weight,
            padding,
        } = ops.state;
        let weight = checkpointer.retrieve_node_output::<Primitive<B>>(weight);
        if let (Some(node), Some(input)) = (&ops.parents[1], input) {
            let input = checkpointer.retrieve_node_output::<Primitive<B>>(input);
            let (images, features) = if transposed {
                (gradient.clone(), input)
            } else {
                (input, gradient.clone())
            };
            let value = B::weight_gradient(images, weight.clone(), features, padding);
            gradients.register::<B>(node.id, value);
        }
        if let Some(Some(node)) = ops.parents.get(2) {
            gradients.register::<B>(node.id, B::channel_sums(gradient.clone()));
        }
        if let Some(node) = &ops.parents[0] {
            let transpose = if transposed {
                B::strided_conv
            } else {
                B::strided_conv_transpose
            };
            gradients.register::<B>(node.id, transpose(gradient, weight, padding));
        }
    }
}

/// Records a convolution. Its first two parents are its input and its weight.
fn record_convolution<B: Kernels, C: CheckpointStrategy, const N: usize>(
    parents: [NodeGuard; N],
    transposed: bool,
    input: FloatTensor<Autodiff<B, C>>,
    weight: FloatTensor<Autodiff<B, C>>,
    padding: PaddingMode,
    convolve: impl FnOnce(Primitive<B>, Primitive<B>) -> Primitive<B>,
) -> FloatTensor<Autodiff<B, C>> {
    let prepared = Backward::<B, N>::prepare::<C>(Convolution, parents).compute_bound();
    match prepared.stateful() {
        OpsKind::Tracked(mut prepared) => {
            let state = Convolved {
                transposed,
                input: weight.is_tracked().then(|| prepared.checkpoint(&input)),
                weight: prepared.checkpoint(&weight),
                padding,
            };
            prepared.finish(
                state,
                convolve(input.into_primitive(), weight.into_primitive()),
            )
        }
        OpsKind::UnTracked(prepared) => {
            prepared.finish(convolve(input.into_primitive(), weight.into_primitive()))
        }
    }
}

/// Declares an operation with one parent: the data kept from its forward pass, and the gradient that
/// it passes on.
macro_rules! operation {
    ($(#[$doc:meta])* $name:ident, $state:ty, |$kept:pat_param, $gradient:ident| $value:expr) => {
        $(#[$doc])*
        #[derive(Debug)]
        struct $name;

        impl<B: Kernels> Backward<B, 1> for $name {
            type State = $state;

            fn backward(
                self,
                ops: Ops<Self::State, 1>,
                gradients: &mut Gradients,
                _checkpointer: &mut Checkpointer,
            ) {
                let $kept = ops.state;
                unary::<B, _>(ops.parents, ops.node, gradients, |$gradient| $value);
            }
        }
    };
}

operation!(
    /// `divide_by_norm`, from its output, the two singular vectors and σ.
    DivideByNorm,
    [Primitive<B>; 4],
    |[output, left, right, sigma], gradient| {
        B::divide_by_norm_gradient(output, left, right, sigma, gradient)
    }
);

operation!(
    /// `attach_distances`, from rows and distances.
    Distances,
    [Primitive<B>; 2],
    |[rows, distances], gradient| B::distances_gradient(rows, distances, gradient)
);

operation!(
    /// `silu`, from its input.
    Silu,
    Primitive<B>,
    |x, gradient| B::silu_gradient(x, gradient)
);

operation!(
    /// `logistic`, from its output.
    Logistic,
    Primitive<B>,
    |output, gradient| B::logistic_gradient(output, gradient)
);

operation!(
    /// `leaky`, from a tensor whose signs are those of its input. `leaky_gradient` is linear in the
    /// gradient, so it is its own derivative.
    Leaky,
    (Primitive<B>, f64),
    |(signs, slope), gradient| B::leaky_gradient(signs, gradient, slope)
);

/// Records an operation with one parent. `compute` makes the output and, on request, the data that the
/// gradient needs.
fn record<B: Kernels, C: CheckpointStrategy, O: Backward<B, 1>>(
    operation: O,
    parent: FloatTensor<Autodiff<B, C>>,
    compute: impl FnOnce(Primitive<B>, bool) -> (Primitive<B>, Option<O::State>),
) -> FloatTensor<Autodiff<B, C>> {
    let prepared = operation.prepare::<C>([parent.node()]).compute_bound();
    match prepared.stateful() {
        OpsKind::Tracked(prepared) => {
            let (output, state) = compute(parent.into_primitive(), true);
            prepared.finish(state.expect("asked for"), output)
        }
        OpsKind::UnTracked(prepared) => prepared.finish(compute(parent.into_primitive(), false).0),
    }
}

impl<B: Kernels, C: CheckpointStrategy> Kernels for Autodiff<B, C> {
    fn strided_conv(
        images: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        padding: PaddingMode,
    ) -> FloatTensor<Self> {
        let parents = [images.node(), weight.node()];
        record_convolution::<B, C, 2>(parents, false, images, weight, padding, |images, weight| {
            B::strided_conv(images, weight, padding)
        })
    }

    fn strided_conv_biased(
        images: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        padding: PaddingMode,
    ) -> FloatTensor<Self> {
        let parents = [images.node(), weight.node(), bias.node()];
        let bias = bias.into_primitive();
        record_convolution::<B, C, 3>(parents, false, images, weight, padding, |images, weight| {
            B::strided_conv_biased(images, weight, bias, padding)
        })
    }

    fn strided_conv_transpose(
        features: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        padding: PaddingMode,
    ) -> FloatTensor<Self> {
        let parents = [features.node(), weight.node()];
        record_convolution::<B, C, 2>(
            parents,
            true,
            features,
            weight,
            padding,
            |features, weight| B::strided_conv_transpose(features, weight, padding),
        )
    }

    fn strided_conv_transpose_biased(
        features: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        padding: PaddingMode,
    ) -> FloatTensor<Self> {
        let parents = [features.node(), weight.node(), bias.node()];
        let bias = bias.into_primitive();
        record_convolution::<B, C, 3>(
            parents,
            true,
            features,
            weight,
            padding,
            |features, weight| B::strided_conv_transpose_biased(features, weight, bias, padding),
        )
    }

    fn divide_by_norm(
        weight: FloatTensor<Self>,
        left: FloatTensor<Self>,
        right: FloatTensor<Self>,
        sigma: FloatTensor<Self>,
    ) -> FloatTensor<Self> {
        let [left, right, sigma] = [left, right, sigma].map(|x| x.into_primitive());
        record::<B, C, _>(DivideByNorm, weight, |weight, keep| {
            let output = B::divide_by_norm(weight, left.clone(), right.clone(), sigma.clone());
            let kept = keep.then(|| [output.clone(), left, right, sigma]);
            (output, kept)
        })
    }

    fn attach_distances(
        rows: FloatTensor<Self>,
        distances: FloatTensor<Self>,
    ) -> FloatTensor<Self> {
        let distances = distances.into_primitive();
        record::<B, C, _>(Distances, rows, |rows, keep| {
            let kept = keep.then(|| [rows, distances.clone()]);
            (distances, kept)
        })
    }

    fn silu(x: FloatTensor<Self>) -> FloatTensor<Self> {
        record::<B, C, _>(Silu, x, |x, keep| {
            let kept = keep.then(|| x.clone());
            (B::silu(x), kept)
        })
    }

    fn logistic(x: FloatTensor<Self>) -> FloatTensor<Self> {
        record::<B, C, _>(Logistic, x, |x, keep| {
            let output = B::logistic(x);
            let kept = keep.then(|| output.clone());
            (output, kept)
        })
    }

    fn leaky(x: FloatTensor<Self>, slope: f64) -> FloatTensor<Self> {
        record::<B, C, _>(Leaky, x, |x, keep| {
            // With a positive slope the output has the signs of the input, so the input's memory can
            // be reused.
            let input = (keep && slope < 0.0).then(|| x.clone());
            let output = B::leaky(x, slope);
            let kept = keep.then(|| (input.unwrap_or_else(|| output.clone()), slope));
            (output, kept)
        })
    }

    fn leaky_gradient(
        x: FloatTensor<Self>,
        gradient: FloatTensor<Self>,
        slope: f64,
    ) -> FloatTensor<Self> {
        let x = x.into_primitive();
        record::<B, C, _>(Leaky, gradient, |gradient, keep| {
            let kept = keep.then(|| (x.clone(), slope));
            (B::leaky_gradient(x, gradient, slope), kept)
        })
    }
}
