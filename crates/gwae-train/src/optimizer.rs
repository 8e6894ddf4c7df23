//! The optimiser of a model, and the limit on its gradients.

pub mod adam;
pub mod adam_w;
pub mod clipping;
pub mod rms_prop;
pub mod sgd;
#[cfg(test)]
mod testing;

use burn::optim::ModuleOptimizer;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::option_error::{OptionError, check};
use crate::option_table::deserialize_option;
use adam::Adam;
use adam_w::AdamW;
use rms_prop::RmsProp;
use sgd::Sgd;

/// The optimiser of a model, with its settings.
///
/// In TOML: a name, `optimizer = "adam"`, for the defaults, or a table,
/// `optimizer = { kind = "sgd", momentum = 0.9 }`. The defaults are PyTorch's. The learning rate is
/// not included: each step receives it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(
    tag = "kind",
    rename_all = "lowercase",
    deny_unknown_fields,
    remote = "Self"
)]
pub enum OptimizerConfig {
    /// As in the authors' program: RMSprop for a model that trains against a critic, Adam for any
    /// other.
    #[default]
    Official,
    /// RMSprop without momentum.
    RmsProp(RmsProp),
    /// Adam.
    Adam(Adam),
    /// Adam with decoupled weight decay.
    AdamW(AdamW),
    /// Stochastic gradient descent.
    Sgd(Sgd),
}

impl OptimizerConfig {
    /// Checks every field.
    ///
    /// # Errors
    /// Names the first field that is out of range, its value and the allowed values.
    pub fn validate(&self) -> Result<(), OptionError> {
        match self {
            Self::Official => Ok(()),
            Self::RmsProp(RmsProp { alpha, epsilon }) => {
                check_share("optimizer.alpha", *alpha)?;
                check_epsilon(*epsilon)
            }
            Self::Adam(Adam { betas, epsilon }) => {
                check_betas(betas)?;
                check_epsilon(*epsilon)
            }
            Self::AdamW(AdamW {
                betas,
                epsilon,
                weight_decay,
            }) => {
                check_betas(betas)?;
                check_epsilon(*epsilon)?;
                check_weight_decay(*weight_decay)
            }
            Self::Sgd(Sgd {
                momentum,
                weight_decay,
                nesterov,
            }) => {
                check_share("optimizer.momentum", *momentum)?;
                check(
                    !nesterov || *momentum > 0.0,
                    "optimizer.momentum",
                    momentum,
                    "above 0 while optimizer.nesterov = true, such as 0.9",
                )?;
                check_weight_decay(*weight_decay)
            }
        }
    }

    /// A new optimiser without state. `has_critic` says whether the model trains against a critic;
    /// [`Self::Official`] depends on it. It is `true` for the critic's own optimiser.
    ///
    /// [`GradientClipping`](clipping::GradientClipping) clips the gradients before they get here.
    /// An optimiser steps one parameter at a time, so it cannot compute a norm over all parameters.
    pub fn init(&self, has_critic: bool) -> ModuleOptimizer {
        match self {
            Self::Official if has_critic => RmsProp::init(),
            Self::Official => Adam::init(),
            Self::RmsProp(optimizer) => ModuleOptimizer::from(*optimizer),
            Self::Adam(optimizer) => ModuleOptimizer::from(*optimizer),
            Self::AdamW(optimizer) => ModuleOptimizer::from(*optimizer),
            Self::Sgd(optimizer) => optimizer.init(),
        }
    }
}

fn check_share(field: &'static str, value: f64) -> Result<(), OptionError> {
    let allowed = "at least 0 and below 1";
    check((0.0..1.0).contains(&value), field, value, allowed)
}

fn check_betas(betas: &[f64; 2]) -> Result<(), OptionError> {
    check(
        betas.iter().all(|beta| (0.0..1.0).contains(beta)),
        "optimizer.betas",
        format!("{betas:?}"),
        "two numbers, each at least 0 and below 1, such as [0.9, 0.999]",
    )
}

fn check_epsilon(epsilon: f64) -> Result<(), OptionError> {
    check(
        epsilon > 0.0 && epsilon <= 1.0,
        "optimizer.epsilon",
        epsilon,
        "a positive number, at most 1, such as 1e-8",
    )
}

fn check_weight_decay(weight_decay: f64) -> Result<(), OptionError> {
    check(
        (0.0..=1e3).contains(&weight_decay),
        "optimizer.weight_decay",
        weight_decay,
        "from 0 (none) to 1000",
    )
}

impl<'de> Deserialize<'de> for OptimizerConfig {
    fn deserialize<D: Deserializer<'de>>(source: D) -> Result<Self, D::Error> {
        let expected = "a name, such as optimizer = \"adam\", or a table, such as \
                        optimizer = { kind = \"sgd\", momentum = 0.9 }";
        deserialize_option(source, "kind", Some("official"), expected, |table| {
            Self::deserialize(table)
        })
    }
}

impl Serialize for OptimizerConfig {
    fn serialize<S: Serializer>(&self, target: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Official => target.serialize_str("official"),
            _ => Self::serialize(self, target),
        }
    }
}

#[cfg(test)]
mod tests;
