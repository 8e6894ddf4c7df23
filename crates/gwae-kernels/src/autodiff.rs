//! Gradients of the operations, in terms of the same operations.

use burn::backend::autodiff::{
    NodeId,
    checkpoint::{base::Checkpointer, strategy::CheckpointStrategy},
    grads::Gradients,
    ops::{Backward, Ops, OpsKind},
};
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, BackendTypes};

use crate::Edge;
use crate::extension::Kernels;

type Primitive<B> = <B as BackendTypes>::FloatTensorPrimitive;

/// `halve`: images get `double(gradient)`, weights get `weight_gradient(images, gradient)`.
#[derive(Debug)]
struct Halve;

impl<B: Kernels> Backward<B, 2> for Halve {
    type State = (Option<NodeId>, NodeId, Edge);

    fn backward(
        self,
        ops: Ops<Self::State, 2>,
        gradients: &mut Gradients,
        checkpointer: &mut Checkpointer,
    ) {
        let [images_node, weight_node] = ops.parents;
        let gradient = gradients.consume::<B>(&ops.node);
        let (images, weight, edge) = ops.state;
        let weight = checkpointer.retrieve_node_output::<Primitive<B>>(weight);
        if let (Some(node), Some(images)) = (weight_node, images) {
            let images = checkpointer.retrieve_node_output::<Primitive<B>>(images);
            let value = B::weight_gradient(images, weight.clone(), gradient.clone(), edge);
            gradients.register::<B>(node.id, value);
        }
        if let Some(node) = images_node {
            gradients.register::<B>(node.id, B::double(gradient, weight, edge));
        }
    }
}

/// `double`: features get `halve(gradient)`, weights get `weight_gradient(gradient, features)`.
#[derive(Debug)]
struct Double;

impl<B: Kernels> Backward<B, 2> for Double {
    type State = (Option<NodeId>, NodeId, Edge);

    fn backward(
        self,
        ops: Ops<Self::State, 2>,
        gradients: &mut Gradients,
        checkpointer: &mut Checkpointer,
    ) {
        let [features_node, weight_node] = ops.parents;
        let gradient = gradients.consume::<B>(&ops.node);
        let (features, weight, edge) = ops.state;
        let weight = checkpointer.retrieve_node_output::<Primitive<B>>(weight);
        if let (Some(node), Some(features)) = (weight_node, features) {
            let features = checkpointer.retrieve_node_output::<Primitive<B>>(features);
            let value = B::weight_gradient(gradient.clone(), weight.clone(), features, edge);
            gradients.register::<B>(node.id, value);
        }
        if let Some(node) = features_node {
            gradients.register::<B>(node.id, B::halve(gradient, weight, edge));
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
            gradients.register::<B>(node.id, B::sigmoid_backward(ops.state, gradient));
        }
    }
}

/// `leaky`, from its output, which has the sign of its input.
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
        let (output, slope) = ops.state;
        if let Some(node) = node {
            gradients.register::<B>(node.id, B::leaky_gradient(output, gradient, slope));
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
        edge: Edge,
    ) -> FloatTensor<Self> {
        let nodes = [images.node(), weight.node()];
        match Halve.prepare::<C>(nodes).compute_bound().stateful() {
            OpsKind::Tracked(mut prepared) => {
                // The input only serves the gradient of the weight.
                let input = weight.is_tracked().then(|| prepared.checkpoint(&images));
                let state = (input, prepared.checkpoint(&weight), edge);
                let output = B::halve(images.into_primitive(), weight.into_primitive(), edge);
                prepared.finish(state, output)
            }
            OpsKind::UnTracked(prepared) => prepared.finish(B::halve(
                images.into_primitive(),
                weight.into_primitive(),
                edge,
            )),
        }
    }

    fn double(
        features: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        edge: Edge,
    ) -> FloatTensor<Self> {
        let nodes = [features.node(), weight.node()];
        match Double.prepare::<C>(nodes).compute_bound().stateful() {
            OpsKind::Tracked(mut prepared) => {
                // The input only serves the gradient of the weight.
                let input = weight.is_tracked().then(|| prepared.checkpoint(&features));
                let state = (input, prepared.checkpoint(&weight), edge);
                let output = B::double(features.into_primitive(), weight.into_primitive(), edge);
                prepared.finish(state, output)
            }
            OpsKind::UnTracked(prepared) => prepared.finish(B::double(
                features.into_primitive(),
                weight.into_primitive(),
                edge,
            )),
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
                let output = B::leaky(x.into_primitive(), slope);
                prepared.finish((output.clone(), slope), output)
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
