//! The operations that carry most of a GWAE's training step, written for the CPU.
//!
//! Every function here takes and returns ordinary tensors and is differentiable. On Burn's CPU
//! backend in single precision it runs kernels of its own: convolutions as matrix products of
//! blocks of the batch that stay in cache, activations with a vectorised exponential, all of it
//! on every core. On any other backend, and in other precisions, it is composed of Burn's own
//! operations. The gradients are written out once, in terms of the same operations.

mod activation;
mod autodiff;
mod convolution;
mod distance;
mod extension;
#[cfg(feature = "cpu")]
mod flex;
mod optimizer;
mod portable;
mod spectral;

pub use activation::{leaky_relu, leaky_relu_gradient, logit, sigmoid, silu};
pub use convolution::{doubling_conv_transpose2d, halving_conv2d};
pub use distance::{attach_distances, direct_distances};
pub use extension::Edge;
pub use optimizer::{moving_square, scaled_step};
pub use spectral::{divide_by_spectral_norm, power_iteration};
