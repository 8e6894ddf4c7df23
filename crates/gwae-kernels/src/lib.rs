#![doc = include_str!("../README.md")]

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
