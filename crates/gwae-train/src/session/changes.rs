//! Changes to the settings of a resumed run.

use crate::config::TrainingConfig;

/// Changes to a resumed run; `None` changes nothing. Later sessions keep the changes.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
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
}

impl Changes {
    pub(super) fn apply(&self, training: &mut TrainingConfig) {
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
    }
}
