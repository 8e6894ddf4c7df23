//! Checks that notice at once when a training has failed.

use burn::module::{Module, ModuleVisitor, Param};
use burn::tensor::Tensor;
use gwae_core::NamedLosses;

use crate::metrics_log::Phase;

/// A loss that is not finite.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error(
    "step {step}{}: loss `{loss}` is {value}, so training stops here; what was saved before is \
     intact: resume with a lower training.learning_rate or training.critic_learning_rate",
    match phase { Phase::Train => "", Phase::Validation => ", validation" }
)]
pub struct NonFiniteLoss {
    /// The step that computed it.
    pub step: u64,
    /// Training or validation.
    pub phase: Phase,
    /// Its name.
    pub loss: String,
    /// NaN or an infinity.
    pub value: f64,
}

/// Checks the losses of one step.
///
/// # Errors
///
/// The first loss that is NaN or infinite. The total is reported only if all its terms are finite,
/// so the error names the term that failed.
pub fn check_finite(
    step: u64,
    phase: Phase,
    losses: &NamedLosses<f64>,
) -> Result<(), NonFiniteLoss> {
    let terms_first = losses.named().skip(1).chain(losses.named().take(1));
    let broken = terms_first
        .into_iter()
        .find(|(_, value)| !value.is_finite());
    match broken {
        None => Ok(()),
        Some((loss, value)) => Err(NonFiniteLoss {
            step,
            phase,
            loss: loss.to_owned(),
            value: *value,
        }),
    }
}

/// Whether every parameter and buffer of a module is finite. Reads one value from the device.
pub fn parameters_are_finite<M: Module>(module: &M) -> bool {
    struct Probe(Option<Tensor<1>>);
    impl ModuleVisitor for Probe {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            // 0·x is 0 for every finite x and NaN otherwise.
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

    fn losses(total: f64, merged: f64) -> NamedLosses<f64> {
        NamedLosses::new(vec![("total", total), ("gw", -1e300), ("merged", merged)])
    }

    #[test]
    fn finite_losses_pass() {
        assert_eq!(check_finite(1, Phase::Train, &losses(0.0, 1.0)), Ok(()));
    }

    #[test]
    fn the_term_that_broke_is_named_before_the_total() {
        for (value, word) in [(f64::NAN, "NaN"), (f64::INFINITY, "inf")] {
            let broken = losses(f64::NAN, value);
            let message = |phase| check_finite(17, phase, &broken).unwrap_err().to_string();
            let start = format!("step 17: loss `merged` is {word}");
            assert!(message(Phase::Train).starts_with(&start));
            let start = format!("step 17, validation: loss `merged` is {word}");
            assert!(message(Phase::Validation).starts_with(&start));
        }
        let broken = check_finite(2, Phase::Train, &losses(f64::NAN, 0.0)).unwrap_err();
        assert_eq!(broken.loss, "total");
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
