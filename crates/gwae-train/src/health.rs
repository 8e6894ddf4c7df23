//! Noticing at once that a run has broken.

use burn::module::{Module, ModuleVisitor, Param};
use burn::tensor::Tensor;

/// A loss that is no finite number.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error(
    "step {step}: loss `{loss}` is {value}, so training stops here; the last checkpoint is from \
     before: resume from it with a lower training.learning_rate or training.critic_learning_rate"
)]
pub struct NonFiniteLoss {
    /// The step that computed it.
    pub step: u64,
    /// Its name.
    pub loss: String,
    /// NaN or an infinity.
    pub value: f64,
}

/// Checks the losses of one step.
///
/// # Errors
///
/// The first one that is NaN or infinite: list the terms before their total, and the error names
/// the term that broke.
pub fn check_finite<'a>(
    step: u64,
    losses: impl IntoIterator<Item = (&'a str, f64)>,
) -> Result<(), NonFiniteLoss> {
    match losses.into_iter().find(|(_, value)| !value.is_finite()) {
        None => Ok(()),
        Some((loss, value)) => Err(NonFiniteLoss {
            step,
            loss: loss.to_owned(),
            value,
        }),
    }
}

/// Whether every parameter and buffer of a module is a finite number; reads one value from the
/// device.
pub fn parameters_are_finite<M: Module>(module: &M) -> bool {
    struct Probe(Option<Tensor<1>>);
    impl ModuleVisitor for Probe {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            // 0·x is 0 for every finite x and NaN for all others.
            let probe = (param.val().without_autodiff() * 0.0).sum();
            self.0 = Some(match self.0.take() {
                Some(sum) => sum + probe,
                None => probe,
            });
        }
    }
    let mut probe = Probe(None);
    module.visit(&mut probe);
    probe.0.is_none_or(|sum| sum.into_scalar::<f32>() == 0.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::nn::LinearConfig;
    use burn::tensor::Device;

    #[test]
    fn finite_losses_pass() {
        assert_eq!(check_finite(1, [("gw", -1e300), ("total", 0.0)]), Ok(()));
    }

    #[test]
    fn the_first_broken_loss_is_named() {
        for (value, word) in [(f64::NAN, "NaN"), (f64::INFINITY, "inf")] {
            let losses = [("gw", 1.0), ("merged", value), ("total", f64::NAN)];
            let message = check_finite(17, losses).unwrap_err().to_string();
            let start = format!("step 17: loss `merged` is {word}");
            assert!(message.starts_with(&start), "{message}");
        }
    }

    #[test]
    fn one_broken_parameter_is_noticed() {
        let device = Device::flex();
        let layer = LinearConfig::new(2, 3).init(&device);
        assert!(parameters_are_finite(&layer));
        for broken in [f32::NAN, f32::INFINITY] {
            let mut layer = layer.clone();
            layer.bias = Some(Param::from_tensor(Tensor::from_data(
                [1.0, broken, 0.0],
                &device,
            )));
            assert!(!parameters_are_finite(&layer));
        }
    }
}
