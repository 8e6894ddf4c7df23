//! Gradients of the operations, in terms of the same operations.

use burn::backend::autodiff::{
    NodeId,
    checkpoint::{base::Checkpointer, strategy::CheckpointStrategy},
    grads::Gradients,
    ops::{Backward, Ops, OpsKind},
};
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, BackendTypes};

use crate::PaddingMode;
use crate::extension::Kernels;

type Primitive<B> = <B as BackendTypes>::FloatTensorPrimitive;

/// `halve`: images get `double(gradient)`, weights get `weight_gradient(images, gradient)`, and a
/// bias, the third parent, gets `channel_sums(gradient)`.
#[derive(Debug)]
struct Halve;

/// `double`: features get `halve(gradient)`, weights get `weight_gradient(gradient, features)`,
/// and a bias gets `channel_sums(gradient)`.
#[derive(Debug)]
struct Double;

/// Input, if the weight needs it, and weight of a convolution.
type Convolved = (Option<NodeId>, NodeId, PaddingMode);

impl<B: Kernels, const N: usize> Backward<B, N> for Halve {
    type State = Convolved;

    fn backward(
        self,
        ops: Ops<Self::State, N>,
        gradients: &mut Gradients,
        checkpointer: &mut Checkpointer,
    ) {
        let gradient = gradients.consume::<B>(&ops.node);
        let (images, weight, edge) = ops.state;
        let weight = checkpointer.retrieve_node_output::<Primitive<B>>(weight);
        if let (Some(node), Some(images)) = (&ops.parents[1], images) {
            let images = checkpointer.retrieve_node_output::<Primitive<B>>(images);
            let value = B::weight_gradient(images, weight.clone(), gradient.clone(), edge);
            gradients.register::<B>(node.id, value);
        }
        if let Some(Some(node)) = ops.parents.get(2) {
            gradients.register::<B>(node.id, B::channel_sums(gradient.clone()));
        }
        if let Some(node) = &ops.parents[0] {
            gradients.register::<B>(node.id, B::double(gradient, weight, edge));
        }
    }
}

impl<B: Kernels, const N: usize> Backward<B, N> for Double {
    type State = Convolved;

    fn backward(
        self,
        ops: Ops<Self::State, N>,
        gradients: &mut Gradients,
        checkpointer: &mut Checkpointer,
    ) {
        let gradient = gradients.consume::<B>(&ops.node);
        let (features, weight, edge) = ops.state;
        let weight = checkpointer.retrieve_node_output::<Primitive<B>>(weight);
        if let (Some(node), Some(features)) = (&ops.parents[1], features) {
            let features = checkpointer.retrieve_node_output::<Primitive<B>>(features);
            let value = B::weight_gradient(gradient.clone(), weight.clone(), features, edge);
            gradients.register::<B>(node.id, value);
        }
        if let Some(Some(node)) = ops.parents.get(2) {
            gradients.register::<B>(node.id, B::channel_sums(gradient.clone()));
        }
        if let Some(node) = &ops.parents[0] {
            gradients.register::<B>(node.id, B::halve(gradient, weight, edge));
        }
    }
}

/// Records a convolution whose first parents are input and weight.
macro_rules! convolve {
    ($step:expr, $input:ident, $weight:ident, $bias:expr, $edge:expr => $compute:expr) => {
        convolve!(@ $step, [$input.node(), $weight.node(), $bias.node()],
            $input, $weight, $edge => $compute)
    };
    ($step:expr, $input:ident, $weight:ident, $edge:expr => $compute:expr) => {
        convolve!(@ $step, [$input.node(), $weight.node()], $input, $weight, $edge => $compute)
    };
    (@ $step:expr, $nodes:expr, $input:ident, $weight:ident, $edge:expr => $compute:expr) => {{
        let prepared = Backward::<B, _>::prepare::<C>($step, $nodes).compute_bound();
        match prepared.stateful() {
            OpsKind::Tracked(mut prepared) => {
                // The input only serves the gradient of the weight.
                let input = $weight.is_tracked().then(|| prepared.checkpoint(&$input));
                let state = (input, prepared.checkpoint(&$weight), $edge);
                prepared.finish(state, $compute)
            }
            OpsKind::UnTracked(prepared) => prepared.finish($compute),
        }
    }};
}

/// `divide_by_norm`, from its output; left, right and σ.
#[derive(Debug)]
struct DivideByNorm;

impl<B: Kernels> Backward<B, 1> for DivideByNorm {
    type State = [Primitive<B>; 4];

    fn backward(
        self,
        ops: Ops<Self::State, 1>,
        gradients: &mut Gradients,
        _checkpointer: &mut Checkpointer,
    ) {
        let [node] = ops.parents;
        let gradient = gradients.consume::<B>(&ops.node);
        let [output, left, right, sigma] = ops.state;
        if let Some(node) = node {
            let value = B::divide_by_norm_gradient(output, left, right, sigma, gradient);
            gradients.register::<B>(node.id, value);
        }
    }
}

/// `attach_distances`, from rows and distances.
#[derive(Debug)]
struct Distances;

impl<B: Kernels> Backward<B, 1> for Distances {
    type State = [Primitive<B>; 2];

    fn backward(
        self,
        ops: Ops<Self::State, 1>,
        gradients: &mut Gradients,
        _checkpointer: &mut Checkpointer,
    ) {
        let [node] = ops.parents;
        let gradient = gradients.consume::<B>(&ops.node);
        let [rows, distances] = ops.state;
        if let Some(node) = node {
            let value = B::distances_gradient(rows, distances, gradient);
            gradients.register::<B>(node.id, value);
        }
    }
}

/// `silu`, from its input.
#[derive(Debug)]
struct Silu;

impl<B: Kernels> Backward<B, 1> for Silu {
    type State = NodeId;

    fn backward(
        self,
        ops: Ops<Self::State, 1>,
        gradients: &mut Gradients,
        checkpointer: &mut Checkpointer,
    ) {
        let [node] = ops.parents;
        let gradient = gradients.consume::<B>(&ops.node);
        let x = checkpointer.retrieve_node_output::<Primitive<B>>(ops.state);
        if let Some(node) = node {
            gradients.register::<B>(node.id, B::silu_gradient(x, gradient));
        }
    }
}

/// `logistic`, from its output.
#[derive(Debug)]
struct Logistic;

impl<B: Kernels> Backward<B, 1> for Logistic {
    type State = Primitive<B>;

    fn backward(
        self,
        ops: Ops<Self::State, 1>,
        gradients: &mut Gradients,
        _checkpointer: &mut Checkpointer,
    ) {
        let [node] = ops.parents;
        let gradient = gradients.consume::<B>(&ops.node);
        if let Some(node) = node {
            gradients.register::<B>(node.id, B::logistic_gradient(ops.state, gradient));
        }
    }
}

/// `leaky`, from something with the sign of its input.
#[derive(Debug)]
struct Leaky;

impl<B: Kernels> Backward<B, 1> for Leaky {
    type State = (Primitive<B>, f64);

    fn backward(
        self,
        ops: Ops<Self::State, 1>,
        gradients: &mut Gradients,
        _checkpointer: &mut Checkpointer,
    ) {
        let [node] = ops.parents;
        let gradient = gradients.consume::<B>(&ops.node);
        let (signs, slope) = ops.state;
        if let Some(node) = node {
            gradients.register::<B>(node.id, B::leaky_gradient(signs, gradient, slope));
        }
    }
}

/// `leaky_gradient`: linear in the gradient, so it is its own derivative.
#[derive(Debug)]
struct LeakyGradient;

impl<B: Kernels> Backward<B, 1> for LeakyGradient {
    type State = (Primitive<B>, f64);

    fn backward(
        self,
        ops: Ops<Self::State, 1>,
        gradients: &mut Gradients,
        _checkpointer: &mut Checkpointer,
    ) {
        let [node] = ops.parents;
        let gradient = gradients.consume::<B>(&ops.node);
        let (x, slope) = ops.state;
        if let Some(node) = node {
            gradients.register::<B>(node.id, B::leaky_gradient(x, gradient, slope));
        }
    }
}

impl<B: Kernels, C: CheckpointStrategy> Kernels for Autodiff<B, C> {
    fn halve(
        images: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        edge: PaddingMode,
    ) -> FloatTensor<Self> {
        convolve!(Halve, images, weight, edge => B::halve(
            images.into_primitive(),
            weight.into_primitive(),
            edge,
        ))
    }

    fn halve_biased(
        images: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        edge: PaddingMode,
    ) -> FloatTensor<Self> {
        convolve!(Halve, images, weight, bias, edge => B::halve_biased(
            images.into_primitive(),
            weight.into_primitive(),
            bias.into_primitive(),
            edge,
        ))
    }

    fn double(
        features: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        edge: PaddingMode,
    ) -> FloatTensor<Self> {
        convolve!(Double, features, weight, edge => B::double(
            features.into_primitive(),
            weight.into_primitive(),
            edge,
        ))
    }

    fn double_biased(
        features: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        edge: PaddingMode,
    ) -> FloatTensor<Self> {
        convolve!(Double, features, weight, bias, edge => B::double_biased(
            features.into_primitive(),
            weight.into_primitive(),
            bias.into_primitive(),
            edge,
        ))
    }

    fn divide_by_norm(
        weight: FloatTensor<Self>,
        left: FloatTensor<Self>,
        right: FloatTensor<Self>,
        sigma: FloatTensor<Self>,
    ) -> FloatTensor<Self> {
        let prepared = DivideByNorm.prepare::<C>([weight.node()]);
        let [left, right, sigma] = [left, right, sigma].map(|x| x.into_primitive());
        let weight = weight.into_primitive();
        let output = B::divide_by_norm(weight, left.clone(), right.clone(), sigma.clone());
        match prepared.compute_bound().stateful() {
            OpsKind::Tracked(prepared) => {
                prepared.finish([output.clone(), left, right, sigma], output)
            }
            OpsKind::UnTracked(prepared) => prepared.finish(output),
        }
    }

    fn attach_distances(
        rows: FloatTensor<Self>,
        distances: FloatTensor<Self>,
    ) -> FloatTensor<Self> {
        let prepared = Distances.prepare::<C>([rows.node()]);
        let distances = distances.into_primitive();
        match prepared.compute_bound().stateful() {
            OpsKind::Tracked(prepared) => {
                prepared.finish([rows.into_primitive(), distances.clone()], distances)
            }
            OpsKind::UnTracked(prepared) => prepared.finish(distances),
        }
    }

    fn silu(x: FloatTensor<Self>) -> FloatTensor<Self> {
        match Silu.prepare::<C>([x.node()]).compute_bound().stateful() {
            OpsKind::Tracked(mut prepared) => {
                let state = prepared.checkpoint(&x);
                prepared.finish(state, B::silu(x.into_primitive()))
            }
            OpsKind::UnTracked(prepared) => prepared.finish(B::silu(x.into_primitive())),
        }
    }

    fn logistic(x: FloatTensor<Self>) -> FloatTensor<Self> {
        match Logistic.prepare::<C>([x.node()]).compute_bound().stateful() {
            OpsKind::Tracked(prepared) => {
                let output = B::logistic(x.into_primitive());
                prepared.finish(output.clone(), output)
            }
            OpsKind::UnTracked(prepared) => prepared.finish(B::logistic(x.into_primitive())),
        }
    }

    fn leaky(x: FloatTensor<Self>, slope: f64) -> FloatTensor<Self> {
        match Leaky.prepare::<C>([x.node()]).compute_bound().stateful() {
            OpsKind::Tracked(prepared) => {
                let x = x.into_primitive();
                if slope < 0.0 {
                    let output = B::leaky(x.clone(), slope);
                    prepared.finish((x, slope), output)
                } else {
                    // The output has the signs too, so that the input's memory can be used again.
                    let output = B::leaky(x, slope);
                    prepared.finish((output.clone(), slope), output)
                }
            }
            OpsKind::UnTracked(prepared) => prepared.finish(B::leaky(x.into_primitive(), slope)),
        }
    }

    fn leaky_gradient(
        x: FloatTensor<Self>,
        gradient: FloatTensor<Self>,
        slope: f64,
    ) -> FloatTensor<Self> {
        let prepared = LeakyGradient.prepare::<C>([gradient.node()]);
        let x = x.into_primitive();
        match prepared.compute_bound().stateful() {
            OpsKind::Tracked(prepared) => prepared.finish(
                (x.clone(), slope),
                B::leaky_gradient(x, gradient.into_primitive(), slope),
            ),
            OpsKind::UnTracked(prepared) => {
                prepared.finish(B::leaky_gradient(x, gradient.into_primitive(), slope))
            }
        }
    }
}
