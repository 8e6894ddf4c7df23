//! `gwae init`.

use std::error::Error;
use std::process::ExitCode;

use gwae_datasets::config::DataConfig;
use gwae_train::{ModelConfig, RunConfig, TrainingConfig};

use crate::arguments::Init;
use crate::terminal::print;

pub(super) fn run(arguments: &Init) -> Result<ExitCode, Box<dyn Error>> {
    let mut config = beginning(arguments.model.clone());
    if let Some(prior) = &arguments.prior {
        let kind = config.model.kind();
        let model = config.model.gwae_mut();
        let model = model.ok_or_else(|| {
            format!("--prior: a model of kind {kind} has no choice of priors: leave it out")
        })?;
        model.prior = prior.clone();
    }
    let config = config.with_settings(&arguments.settings.settings)?;
    print(config.to_commented_toml()?.trim_end());
    Ok(ExitCode::SUCCESS)
}

/// Settings that give recognisable digits within minutes on two CPU cores, for any kind of model:
/// those of `configs/digits.toml`.
fn beginning(mut model: ModelConfig) -> RunConfig {
    if let Some(backbone) = model.backbone_mut() {
        backbone.image_size = 32;
        backbone.channels = 1;
        backbone.latent_dim = 16;
        backbone.width = 0.5;
    }
    let mut training = TrainingConfig {
        steps: Some(2_500),
        batch_size: 64,
        learning_rate: 1e-3,
        patience: None,
        validate_every: Some(500),
        ..TrainingConfig::default()
    };
    let with_critic = model.gwae().is_some_and(|gwae| gwae.merged_condition);
    if with_critic {
        training.critic_learning_rate = 1e-3;
        training.warmup_steps = 200;
        training.critic_steps = 1;
        training.merged_weight = 5.0;
    }
    RunConfig {
        model,
        training,
        data: DataConfig::default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use gwae_train::DeviceList;

    #[test]
    fn the_beginning_is_that_of_the_repository() {
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../../configs/digits.toml");
        let expected = RunConfig::load(file.as_ref()).unwrap();
        assert_eq!(beginning(ModelConfig::default()), expected);
    }

    #[test]
    fn every_kind_can_be_trained() {
        for (kind, _) in ModelConfig::kinds() {
            let config = beginning(ModelConfig::of_kind(kind).unwrap());
            config.validate().unwrap();
            let batch = config.training.batch_size;
            DeviceList::default().shard_size(batch).unwrap();
        }
    }
}
