//! Names listed in the help.

use gwae_datasets::config::DatasetName;
use gwae_priors::PriorConfig;
use gwae_train::ModelConfig;

/// The datasets.
pub(super) fn datasets() -> String {
    DatasetName::ALL.map(DatasetName::name).join(", ")
}

/// The families of priors.
pub(super) fn prior_families() -> String {
    let names: Vec<_> = PriorConfig::families().map(|(name, _)| name).collect();
    names.join(", ")
}

/// The kinds of models, as written in a configuration.
pub(super) fn model_kinds() -> String {
    let kinds = ModelConfig::kinds().into_iter();
    let quoted: Vec<_> = kinds.map(|(kind, _)| format!("\"{kind}\"")).collect();
    quoted.join(", ")
}

/// The kinds of models, as written on a command line.
pub(super) fn plain_model_kinds() -> String {
    let kinds = ModelConfig::kinds().into_iter();
    kinds.map(|(kind, _)| kind).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_known() {
        for family in prior_families().split(", ") {
            assert_eq!(family.parse::<PriorConfig>().unwrap().family(), family);
        }
    }
}
