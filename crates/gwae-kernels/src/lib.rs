//! The operations that carry most of a GWAE's training step, written for the CPU: convolutions,
//! activations, spectral normalisation, pairwise distances and the optimiser's update.
//!
//! Every function here takes and returns ordinary tensors, and is differentiable unless it says
//! otherwise. On Burn's CPU backend in single precision it runs kernels of its own, vectorised and on
//! every core. On any other backend, and in other precisions, it is composed of Burn's own
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
pub use convolution::{strided_conv_transpose2d, strided_conv2d};
pub use distance::{attach_distances, direct_distances};
pub use extension::PaddingMode;
pub use optimizer::{moving_average, moving_square, scaled_step};
pub use spectral::{SingularTriple, divide_by_spectral_norm, unit_vector};
