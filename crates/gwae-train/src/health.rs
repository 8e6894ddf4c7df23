//! Noticing at once that a run has broken.

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

#[cfg(test)]
mod tests {
    use super::*;

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
}
