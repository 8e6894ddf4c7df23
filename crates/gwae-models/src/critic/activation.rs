//! The activation between the linear maps of the critic.

use serde::{Deserialize, Serialize};

/// Slope of the official critic's LeakyReLU below zero.
const LEAKY_SLOPE: f64 = 0.2;

/// The activation of the critic. Every choice is piecewise linear, so the gradient penalty is exact.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CriticActivation {
    /// LeakyReLU with slope 0.2, the default and the activation of the authors' program. If most units of
    /// some layers become negative, the gradient is too small and training cannot recover: the gradient
    /// penalty has no derivative with respect to biases, and spectral normalisation keeps the weights
    /// from growing.
    #[default]
    LeakyRelu,
    /// `|x|`, whose slope is 1 or −1. It keeps the norm of the gradient, whatever the biases are. Anil,
    /// Lucas and Grosse ("Sorting out Lipschitz function approximation", ICML 2019) explain why a critic
    /// needs that.
    Absolute,
}

impl CriticActivation {
    /// Its slope at zero and below. Above zero the slope is 1.
    pub fn negative_slope(self) -> f64 {
        match self {
            Self::LeakyRelu => LEAKY_SLOPE,
            Self::Absolute => -1.0,
        }
    }
}
