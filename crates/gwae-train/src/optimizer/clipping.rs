//! Limits on the gradients of an optimiser.

use burn::module::{Module, ModuleVisitor, Param};
use burn::optim::GradientsParams;
use burn::tensor::{DType, FloatDType, Tensor};
use serde::{Deserialize, Serialize};

use crate::option_error::{OptionError, check};

/// A limit on the gradients of one step of an optimiser. The main step and each critic step have
/// separate limits.
///
/// In TOML: `gradient_clipping = { norm = 1.0 }` or `gradient_clipping = { value = 0.5 }`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(
    rename_all = "lowercase",
    expecting = "a table: { norm = 1.0 } or { value = 0.5 }"
)]
pub enum GradientClipping {
    /// The Euclidean norm of all gradients together is at most this: see [`clip_by_global_norm`].
    Norm(f64),
    /// Every entry is at most this in absolute value: see [`clip_by_value`].
    Value(f64),
}

impl GradientClipping {
    /// Checks the limit.
    ///
    /// # Errors
    /// Names the limit, its value and the allowed values.
    pub fn validate(&self) -> Result<(), OptionError> {
        let (field, limit) = match *self {
            Self::Norm(limit) => ("gradient_clipping.norm", limit),
            Self::Value(limit) => ("gradient_clipping.value", limit),
        };
        let allowed = "a positive number, at most 1e9; leave it out for no clipping";
        check(limit > 0.0 && limit <= 1e9, field, limit, allowed)
    }

    /// Limits the gradients of `module`.
    pub fn clip<M: Module>(&self, module: &M, gradients: GradientsParams) -> GradientsParams {
        match *self {
            Self::Norm(limit) => clip_by_global_norm(module, gradients, limit),
            Self::Value(limit) => clip_by_value(module, gradients, limit),
        }
    }
}

/// Multiplies the gradients of `module` by `max_norm/(norm + 1e-6)` if that is below 1. `norm` is
/// the Euclidean norm of all gradients together, as in PyTorch's `clip_grad_norm_`. (Burn's own
/// clipping takes the norm of each parameter separately.)
///
/// Reads nothing from the device. If one gradient is not finite, all gradients are not finite
/// afterwards.
pub fn clip_by_global_norm<M: Module>(
    module: &M,
    gradients: GradientsParams,
    max_norm: f64,
) -> GradientsParams {
    let mut squares = SquareSum {
        rest: gradients,
        visited: GradientsParams::new(),
        sum: None,
    };
    module.visit(&mut squares);
    let SquareSum { rest, visited, sum } = squares;
    let Some(sum) = sum else {
        return rest;
    };
    let factor = (sum.sqrt() + 1e-6).recip().mul_scalar(max_norm);
    let mut scale = Scale {
        from: visited,
        to: rest,
        factor: factor.clamp_max(1.0),
    };
    module.visit(&mut scale);
    scale.to
}

/// Clamps each entry of the gradients of `module` to `[−max_value, max_value]`.
pub fn clip_by_value<M: Module>(
    module: &M,
    gradients: GradientsParams,
    max_value: f64,
) -> GradientsParams {
    let mut clamp = Clamp {
        gradients,
        max_value,
    };
    module.visit(&mut clamp);
    clamp.gradients
}

/// Adds up squares. Each gradient moves from one set to the other, so a parameter that occurs twice
/// in a module counts once.
struct SquareSum {
    rest: GradientsParams,
    visited: GradientsParams,
    sum: Option<Tensor<1>>,
}

impl ModuleVisitor for SquareSum {
    fn visit_float<const D: usize>(&mut self, parameter: &Param<Tensor<D>>) {
        let Some(gradient) = self.rest.remove::<D>(parameter.id) else {
            return;
        };
        let squares = match gradient.dtype() {
            // The square of 256 overflows f16.
            DType::F16 | DType::BF16 => gradient.clone().cast(FloatDType::F32).square().sum(),
            _ => gradient.clone().square().sum(),
        };
        self.sum = Some(match self.sum.take() {
            Some(sum) => {
                let squares = squares.to_device(&sum.device());
                sum + squares
            }
            None => squares,
        });
        self.visited.register(parameter.id, gradient);
    }
}

struct Scale {
    from: GradientsParams,
    to: GradientsParams,
    factor: Tensor<1>,
}

impl ModuleVisitor for Scale {
    fn visit_float<const D: usize>(&mut self, parameter: &Param<Tensor<D>>) {
        let Some(gradient) = self.from.remove::<D>(parameter.id) else {
            return;
        };
        let dtype = gradient.dtype();
        let factor = self.factor.clone().to_device(&gradient.device());
        let scaled = match dtype {
            DType::F16 | DType::BF16 => {
                let single = gradient.cast(FloatDType::F32);
                (single * factor.unsqueeze()).cast(dtype)
            }
            _ => gradient * factor.unsqueeze(),
        };
        self.to.register(parameter.id, scaled);
    }
}

struct Clamp {
    gradients: GradientsParams,
    max_value: f64,
}

impl ModuleVisitor for Clamp {
    fn visit_float<const D: usize>(&mut self, parameter: &Param<Tensor<D>>) {
        if let Some(gradient) = self.gradients.remove::<D>(parameter.id) {
            let clamped = gradient.clamp(-self.max_value, self.max_value);
            self.gradients.register(parameter.id, clamped);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::nn::{Linear, LinearConfig};
    use burn::tensor::Device;

    /// A module whose gradients have the entries 3 and 4, and one gradient of another module.
    struct Case {
        module: Linear,
        other: Linear,
        gradients: GradientsParams,
    }

    fn case() -> Case {
        let device = Device::flex();
        let module = LinearConfig::new(2, 2).init(&device);
        let other = LinearConfig::new(1, 1).with_bias(false).init(&device);
        let mut gradients = GradientsParams::new();
        let weight = Tensor::<2>::from_floats([[3.0, 0.0], [0.0, 0.0]], &device);
        let bias = Tensor::<1>::from_floats([0.0, -4.0], &device);
        gradients.register(module.weight.id, weight);
        gradients.register(module.bias.as_ref().unwrap().id, bias);
        gradients.register(other.weight.id, Tensor::<2>::from_floats([[7.0]], &device));
        Case {
            module,
            other,
            gradients,
        }
    }

    fn entries(case: &Case, gradients: &GradientsParams) -> Vec<f32> {
        let weight = gradients.get::<2>(case.module.weight.id).unwrap();
        let bias = gradients.get::<1>(case.module.bias.as_ref().unwrap().id);
        let other = gradients.get::<2>(case.other.weight.id).unwrap();
        let mut entries: Vec<f32> = weight.into_data().iter::<f32>().collect();
        entries.extend(bias.unwrap().into_data().iter::<f32>());
        entries.extend(other.into_data().iter::<f32>());
        entries
    }

    fn clipped(clipping: GradientClipping) -> Vec<f32> {
        let mut case = case();
        let gradients = std::mem::take(&mut case.gradients);
        let gradients = clipping.clip(&case.module, gradients);
        entries(&case, &gradients)
    }

    fn assert_near(found: &[f32], expected: &[f32]) {
        assert_eq!(found.len(), expected.len());
        for (a, b) in found.iter().zip(expected) {
            assert!((a - b).abs() < 1e-6, "{found:?} instead of {expected:?}");
        }
    }

    /// The norm over both parameters is 5; gradients of another module stay unchanged.
    #[test]
    fn the_norm_is_that_of_all_parameters() {
        let found = clipped(GradientClipping::Norm(1.0));
        assert_near(&found, &[0.6, 0.0, 0.0, 0.0, 0.0, -0.8, 7.0]);
    }

    #[test]
    fn what_is_within_the_norm_is_not_changed() {
        let found = clipped(GradientClipping::Norm(5.1));
        assert_eq!(found, [3.0, 0.0, 0.0, 0.0, 0.0, -4.0, 7.0]);
    }

    #[test]
    fn entries_are_clamped() {
        let found = clipped(GradientClipping::Value(3.5));
        assert_eq!(found, [3.0, 0.0, 0.0, 0.0, 0.0, -3.5, 7.0]);
    }

    #[test]
    fn a_module_without_gradients_has_nothing_to_clip() {
        let Case { module, .. } = case();
        let clipped = clip_by_global_norm(&module, GradientsParams::new(), 1.0);
        assert!(clipped.is_empty());
    }

    #[test]
    fn half_precision_does_not_overflow() {
        let Case { module, .. } = case();
        let mut gradients = GradientsParams::new();
        let weight = Tensor::<2>::from_floats([[300.0, 0.0], [400.0, 0.0]], &Device::flex());
        gradients.register(module.weight.id, weight.cast(FloatDType::F16));
        let clipped = clip_by_global_norm(&module, gradients, 1.0);
        let weight = clipped.get::<2>(module.weight.id).unwrap();
        assert_eq!(weight.dtype(), DType::F16);
        let entries: Vec<f32> = weight.into_data().iter::<f32>().collect();
        for (found, expected) in entries.iter().zip([0.6, 0.0, 0.8, 0.0]) {
            assert!((found - expected).abs() < 1e-3, "{entries:?}");
        }
    }

    #[derive(Debug, Deserialize)]
    struct Options {
        gradient_clipping: Option<GradientClipping>,
    }

    #[test]
    fn read_from_toml() {
        let read = |text: &str| toml::from_str::<Options>(text).map(|o| o.gradient_clipping);
        let norm = read("gradient_clipping = { norm = 1 }").unwrap();
        assert_eq!(norm, Some(GradientClipping::Norm(1.0)));
        let value = read("gradient_clipping = { value = 0.5 }").unwrap();
        assert_eq!(value, Some(GradientClipping::Value(0.5)));
        assert_eq!(read("").unwrap(), None);
        let error = read("gradient_clipping = { nrom = 1.0 }").unwrap_err();
        assert!(error.message().starts_with("unknown variant `nrom`"));
        assert!(read("gradient_clipping = { norm = 1.0, value = 1.0 }").is_err());
        assert!(read("gradient_clipping = 1.0").is_err());
    }

    #[test]
    fn limits_are_positive() {
        GradientClipping::Norm(1.0).validate().unwrap();
        for limit in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            let error = GradientClipping::Norm(limit).validate().unwrap_err();
            assert_eq!(error.field, "gradient_clipping.norm");
            assert!(GradientClipping::Value(limit).validate().is_err());
        }
    }
}
