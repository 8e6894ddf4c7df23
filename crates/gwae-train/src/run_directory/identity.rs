//! The identity of a run.

use sha2::{Digest, Sha256};

use crate::config::{ConfigError, RunConfig};
use gwae_formats::hexadecimal::hexadecimal;

/// The SHA-256 of everything that decides the numbers of a run: its settings, its seed and its
/// `data`, the fingerprint of the images. So runs that compute the same have the same identity, and
/// their checkpoints have equal bytes.
///
/// What a session may change without another result at the same step is left out: limits, places of
/// files, how often something is logged or saved.
///
/// # Errors
/// When a path among the settings is not Unicode text.
pub(super) fn identity(config: &RunConfig, data: &str) -> Result<String, ConfigError> {
    let mut config = config.clone();
    (config.data.directory, config.data.cache) = (None, None);
    let training = &mut config.training;
    (training.steps, training.epochs, training.patience) = (None, None, None);
    (training.log_every, training.checkpoint_every) = (1, None);
    (training.keep_checkpoints, training.keep_pictures) = (1, 0);
    let text = config.to_toml()?;
    Ok(hexadecimal(&Sha256::digest(format!("{data}\n{text}"))))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(change: impl FnOnce(&mut RunConfig)) -> String {
        let mut config = RunConfig::default();
        change(&mut config);
        identity(&config, "abc").unwrap()
    }

    #[test]
    fn what_changes_the_numbers_changes_the_identity() {
        let plain = of(|_| {});
        assert_eq!(plain.len(), 64);
        assert_ne!(plain, identity(&RunConfig::default(), "abd").unwrap());
        assert_ne!(plain, of(|c| c.training.seed = 1));
        assert_ne!(plain, of(|c| c.training.learning_rate = 1e-3));
        assert_ne!(plain, of(|c| c.model.set_latent_dim(3)));
        assert_ne!(plain, of(|c| c.data.limit = Some(100)));
    }

    #[test]
    fn limits_and_places_leave_the_identity_alone() {
        let plain = of(|_| {});
        let same: [fn(&mut RunConfig); 6] = [
            |_| {},
            |c| c.training.steps = Some(7),
            |c| c.data.directory = Some("/elsewhere".into()),
            |c| c.training.keep_checkpoints = 5,
            |c| c.training.keep_pictures = 5,
            |c| c.training.log_every = 50,
        ];
        for change in same {
            assert_eq!(of(change), plain);
        }
    }
}
