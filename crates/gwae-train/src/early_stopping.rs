//! Stopping when the validation loss no longer falls.

use serde::{Deserialize, Serialize};

/// The lowest validation loss so far.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Best {
    /// The loss, finite.
    pub value: f64,
    /// The step after which it was measured.
    pub step: u64,
}

/// What a resumed run has to know to go on counting.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EarlyStoppingState {
    /// The lowest validation loss so far, if there was a finite one.
    pub best: Option<Best>,
    /// Validations since then.
    pub without_improvement: u64,
}

/// Tracks the lowest validation loss and counts the validations since.
#[derive(Clone, Debug, PartialEq)]
pub struct EarlyStopping {
    patience: Option<u64>,
    state: EarlyStoppingState,
}

impl EarlyStopping {
    /// Stops after `patience` validations in a row without improvement; `None` never stops.
    pub fn new(patience: Option<u64>) -> Self {
        Self::resume(patience, EarlyStoppingState::default())
    }

    /// Goes on from [`Self::state`].
    pub fn resume(patience: Option<u64>, state: EarlyStoppingState) -> Self {
        Self { patience, state }
    }

    /// For a checkpoint.
    pub fn state(&self) -> EarlyStoppingState {
        self.state
    }

    /// The lowest validation loss so far.
    pub fn best(&self) -> Option<Best> {
        self.state.best
    }

    /// Whether there were as many validations without improvement as the patience allows.
    pub fn is_used_up(&self) -> bool {
        self.patience
            .is_some_and(|patience| self.state.without_improvement >= patience)
    }

    /// Takes the validation loss measured after `step` and says whether it is the lowest so far.
    /// Only a finite, strictly lower value is.
    pub fn update(&mut self, step: u64, value: f64) -> bool {
        let improved = value.is_finite() && self.state.best.is_none_or(|best| value < best.value);
        if improved {
            self.state.best = Some(Best { value, step });
            self.state.without_improvement = 0;
        } else {
            self.state.without_improvement += 1;
        }
        improved
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// For each value, whether it is an improvement, and whether the patience is used up then.
    fn verdicts(
        stopping: &mut EarlyStopping,
        first_step: u64,
        values: &[f64],
    ) -> Vec<(bool, bool)> {
        (first_step..)
            .zip(values)
            .map(|(step, value)| (stopping.update(step, *value), stopping.is_used_up()))
            .collect()
    }

    #[test]
    fn patience_counts_setbacks_in_a_row() {
        let mut stopping = EarlyStopping::new(Some(2));
        assert_eq!(
            verdicts(&mut stopping, 1, &[3.0, 3.0, 2.0, 2.5, 2.0]),
            [
                (true, false),
                (false, false),
                (true, false),
                (false, false),
                (false, true)
            ]
        );
        assert_eq!(
            stopping.best(),
            Some(Best {
                value: 2.0,
                step: 3
            })
        );
    }

    #[test]
    fn only_finite_values_improve() {
        let mut stopping = EarlyStopping::new(Some(3));
        let values = [f64::NAN, f64::NEG_INFINITY, f64::INFINITY];
        assert_eq!(
            verdicts(&mut stopping, 1, &values),
            [(false, false), (false, false), (false, true)]
        );
        assert_eq!(stopping.best(), None);
        assert!(stopping.update(4, 1.0));
        assert!(!stopping.update(5, f64::NAN));
    }

    #[test]
    fn without_patience_it_never_stops() {
        let mut stopping = EarlyStopping::new(None);
        let verdicts = verdicts(&mut stopping, 0, &[1.0; 100]);
        assert!(verdicts.iter().all(|(_, stop)| !stop));
    }

    #[test]
    fn resumed_equals_uninterrupted() {
        let values = [0.1 + 0.2, 0.5, 0.1, 0.4, 0.3, 0.2];
        let mut whole = EarlyStopping::new(Some(3));
        let expected = verdicts(&mut whole, 1, &values);
        let mut first = EarlyStopping::new(Some(3));
        let mut found = verdicts(&mut first, 1, &values[..4]);
        let text = serde_json::to_string(&first.state()).unwrap();
        let mut second = EarlyStopping::resume(Some(3), serde_json::from_str(&text).unwrap());
        found.extend(verdicts(&mut second, 5, &values[4..]));
        assert_eq!(found, expected);
        assert_eq!(second, whole);
        assert!(expected[5].1, "the last one uses up the patience");
    }
}
