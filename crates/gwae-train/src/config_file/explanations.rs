//! Every key of a configuration with its explanation.
//!
//! The explanations stand beside the fields: in the models, the priors, the training and the data.

use gwae_datasets::config::DataConfig;
use gwae_priors::PriorConfig;

use crate::config::{RunConfig, TrainingConfig};
use crate::model_config::ModelConfig;

/// A key and its explanation.
pub(super) type Explained = (&'static str, &'static str);

/// A table of a configuration.
pub(super) struct Section {
    /// Its name in a file, such as `model.prior`.
    pub name: &'static str,
    /// Its keys.
    pub keys: Vec<Explained>,
}

const FAMILY: Explained = (
    "family",
    "Family of the prior; `gwae train --help` lists all.",
);

/// A value for each key that a configuration may leave out, to show how it is written.
pub(super) const EXAMPLES: [(&str, &str); 11] = [
    ("training.gradient_clipping", "{ norm = 1.0 }"),
    ("training.steps", "10000"),
    ("training.epochs", "20"),
    ("training.warm_start", "\"runs/digits\""),
    ("data.directory", "\"~/datasets\""),
    ("data.cache", "\"~/.cache/gwae\""),
    ("data.crop", "128"),
    ("data.fit", "\"pad\""),
    ("data.unreadable", "\"skip\""),
    ("data.polarity", "\"inverted\""),
    ("data.patch_shuffle", "4"),
];

/// The tables of a configuration, in the order of a file.
pub(super) fn sections(config: &RunConfig) -> Vec<Section> {
    let mut sections = vec![Section {
        name: "model",
        keys: config.model.explanations(),
    }];
    if let Some(gwae) = config.model.gwae() {
        sections.push(Section {
            name: "model.prior",
            keys: of_prior(&gwae.prior),
        });
    }
    sections.push(Section {
        name: "training",
        keys: TrainingConfig::EXPLANATIONS.to_vec(),
    });
    sections.push(Section {
        name: "data",
        keys: DataConfig::EXPLANATIONS.to_vec(),
    });
    sections
}

fn of_prior(prior: &PriorConfig) -> Vec<Explained> {
    let own = prior.explanations().iter().copied();
    std::iter::once(FAMILY).chain(own).collect()
}

/// Every key that a configuration of any kind can have, with its tables: `training.seed`.
pub(super) fn all_keys() -> Vec<String> {
    let mut keys = Vec::new();
    let kinds = ModelConfig::kinds().into_iter();
    let models = kinds.filter_map(|(kind, _)| ModelConfig::of_kind(kind));
    for model in models {
        let config = RunConfig {
            model,
            ..RunConfig::default()
        };
        for section in sections(&config) {
            let of_section = section.keys.iter();
            keys.extend(of_section.map(|(key, _)| format!("{}.{key}", section.name)));
        }
    }
    for (family, _) in PriorConfig::families() {
        if let Ok(prior) = family.parse::<PriorConfig>() {
            let of_prior = of_prior(&prior).into_iter();
            keys.extend(of_prior.map(|(key, _)| format!("model.prior.{key}")));
        }
    }
    keys.sort();
    keys.dedup();
    keys
}
