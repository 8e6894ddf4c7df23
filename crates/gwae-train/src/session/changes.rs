//! Changes to the settings of a resumed run.

use std::path::PathBuf;

use gwae_formats::home::with_home;

use super::error::TrainError;
use crate::config::RunConfig;

/// Changes to a resumed run; `None` changes nothing. Later sessions keep the changes.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Changes {
    /// Main steps in total. A new limit replaces both old ones.
    pub steps: Option<u64>,
    /// Passes over the training data in total. A new limit replaces both old ones.
    pub epochs: Option<u64>,
    /// Validations in a row without a lower loss before the run stops; 0 means it never does.
    pub patience: Option<u64>,
    /// Learning rate of encoder, decoder, prior and distance scale.
    pub learning_rate: Option<f64>,
    /// Learning rate of the critic.
    pub critic_learning_rate: Option<f64>,
    /// Steps between readings of the losses.
    pub log_every: Option<u64>,
    /// Where the dataset's files are now. They must be the same files.
    pub data_directory: Option<PathBuf>,
    /// Goes on even if the data are not those of the start. The run records both fingerprints, and
    /// its images are divided anew. A resumption without it refuses other data.
    pub accept_data_change: bool,
}

impl Changes {
    /// # Errors
    /// If the working directory is unknown and the new directory is relative to it.
    pub(super) fn apply(&self, config: &mut RunConfig) -> Result<(), TrainError> {
        if let Some(directory) = &self.data_directory {
            config.data.directory = Some(with_home(directory));
            config.data.make_absolute()?;
        }
        let training = &mut config.training;
        if self.steps.is_some() || self.epochs.is_some() {
            (training.steps, training.epochs) = (self.steps, self.epochs);
        }
        if let Some(patience) = self.patience {
            training.patience = Some(patience).filter(|patience| *patience > 0);
        }
        training.learning_rate = self.learning_rate.unwrap_or(training.learning_rate);
        training.critic_learning_rate = self
            .critic_learning_rate
            .unwrap_or(training.critic_learning_rate);
        training.log_every = self.log_every.unwrap_or(training.log_every);
        Ok(())
    }

    /// Refuses a new limit below the steps that are done.
    pub(super) fn check_limit(&self, done: u64, steps_per_epoch: u64) -> Result<(), TrainError> {
        let limits = [
            ("steps", self.steps, 1),
            ("epochs", self.epochs, steps_per_epoch),
        ];
        for (unit, limit, steps_each) in limits {
            if let Some(limit) = limit
                && limit.saturating_mul(steps_each) < done
            {
                return Err(TrainError::LimitBelowDone {
                    unit,
                    limit,
                    steps: limit.saturating_mul(steps_each),
                    done,
                });
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_below_what_is_done_is_refused() {
        let check = |steps, epochs, done| {
            let changes = Changes {
                steps,
                epochs,
                ..Changes::default()
            };
            let checked = changes.check_limit(done, 10);
            checked.map_err(|error| error.to_string())
        };
        check(None, None, 50).unwrap();
        check(Some(50), Some(5), 50).unwrap();
        let message = check(Some(49), None, 50).unwrap_err();
        assert!(
            message.contains("steps = 49") && message.contains("50 steps"),
            "{message}"
        );
        let message = check(None, Some(4), 41).unwrap_err();
        assert!(message.contains("epochs = 4 (40 steps)"), "{message}");
        assert!(message.contains("41 steps"), "{message}");
    }
}
