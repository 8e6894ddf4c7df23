//! Stopping when the monitored quantity no longer improves.

use serde::{Deserialize, Serialize};

use crate::monitor::Goal;

/// The best value of the monitored quantity so far.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Best {
    /// The value; it is finite.
    pub value: f64,
    /// The step after which it was measured.
    pub step: u64,
}

/// The state that a resumed run needs to continue the count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EarlyStoppingState {
    /// The best value so far, if a finite one was measured.
    pub best: Option<Best>,
    /// Number of validations since then.
    pub without_improvement: u64,
}

/// Tracks the best value of the monitored quantity and counts the validations since.
#[derive(Clone, Debug, PartialEq)]
pub struct EarlyStopping {
    patience: Option<u64>,
    goal: Goal,
    state: EarlyStoppingState,
}

impl EarlyStopping {
    /// Stops after `patience` validations in a row without improvement; `None` never stops. The
    /// lowest value is best unless [`Self::with_goal`] changes that.
    pub fn new(patience: Option<u64>) -> Self {
        Self::resume(patience, EarlyStoppingState::default())
    }

    /// Continues from [`Self::state`].
    pub fn resume(patience: Option<u64>, state: EarlyStoppingState) -> Self {
        Self {
            patience,
            goal: Goal::Lowest,
            state,
        }
    }

    /// The same with another goal.
    pub fn with_goal(self, goal: Goal) -> Self {
        Self { goal, ..self }
    }

    /// The state for a checkpoint.
    pub fn state(&self) -> EarlyStoppingState {
        self.state
    }

    /// The best value so far.
    pub fn best(&self) -> Option<Best> {
        self.state.best
    }

    /// Whether the patience has run out.
    pub fn is_used_up(&self) -> bool {
        self.patience
            .is_some_and(|patience| self.state.without_improvement >= patience)
    }

    /// Takes the value measured after `step` and returns whether it is the best so far: it must be
    /// finite and strictly better.
    pub fn update(&mut self, step: u64, value: f64) -> bool {
        let best = self.state.best.map(|best| best.value);
        let improved = self.goal.is_better(value, best);
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

    /// For each value: is it an improvement, and has the patience run out after it?
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
    fn the_goal_may_be_the_highest_value() {
        let mut stopping = EarlyStopping::new(Some(2)).with_goal(Goal::Highest);
        assert_eq!(
            verdicts(&mut stopping, 1, &[3.0, 3.5, 2.0, 3.5]),
            [(true, false), (true, false), (false, false), (false, true)]
        );
        assert_eq!(
            stopping.best(),
            Some(Best {
                value: 3.5,
                step: 2
            })
        );
    }

    /// An earlier version wrote this text into state.json.
    #[test]
    fn states_of_earlier_runs_are_read() {
        let text = r#"{"best":{"value":7.0383,"step":300},"without_improvement":2}"#;
        let state: EarlyStoppingState = serde_json::from_str(text).unwrap();
        let expected = EarlyStoppingState {
            best: Some(Best {
                value: 7.0383,
                step: 300,
            }),
            without_improvement: 2,
        };
        assert_eq!(state, expected);
        assert_eq!(serde_json::to_string(&state).unwrap(), text);
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
