//! Scores of images in and out of the distribution against each other.

use gwae_datasets::{DatasetError, PatchShuffled, Polarity, Split};
use gwae_metrics::{BootstrapConfig, DetectionReport, MetricError, RankedScores};
use gwae_models::{Autoencoder, BackboneConfig};

use burn::tensor::Device;

use super::scoring::{ScoreTable, score_images};
use crate::config::ConfigError;
use crate::data::{Preparation, RunData};
use crate::{DataConfig, DatasetName};

/// Training images that say what a score is on the training data.
pub const REFERENCE: usize = 1_000;

/// Images of one kind, to be scored.
pub struct TestSet {
    /// What tables call it.
    pub name: String,
    /// The images.
    pub data: RunData,
    /// Which of them.
    pub indices: Vec<u32>,
}

/// One score on one set of out-of-distribution images, against the in-distribution ones.
#[derive(Clone, Debug)]
pub struct Comparison {
    /// The out-of-distribution images.
    pub set: String,
    /// The score.
    pub score: String,
    /// How well it tells them apart.
    pub report: DetectionReport,
    /// (False positive rate, true positive rate) at every threshold, the highest first.
    pub curve: Vec<(f64, f64)>,
}

/// A set that cannot be opened or compared.
#[derive(Debug, thiserror::Error)]
pub enum ComparisonError {
    /// How it was asked for.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// Its files or images.
    #[error(transparent)]
    Data(#[from] DatasetError),
    /// Its scores.
    #[error("scores of {set}: {cause}")]
    Scores {
        /// The images.
        set: String,
        /// What is wrong with their scores.
        cause: MetricError,
    },
}

impl TestSet {
    /// At most `count` images, a choice by `seed`, of the official test part of `data`, or of all
    /// images where there is no such part, as a model of `backbone` takes them.
    ///
    /// # Errors
    /// When the dataset is not there or damaged.
    pub fn open(
        data: &DataConfig,
        backbone: &BackboneConfig,
        count: usize,
        seed: u64,
        progress: &mut dyn FnMut(Preparation),
    ) -> Result<Self, ComparisonError> {
        data.validate()?;
        let name = data.to_string();
        let data = RunData::open(data, backbone, progress)?;
        let split = Split::official(data.dataset())?;
        let indices = match &split.test[..] {
            [] => choose(&split.train, count, seed),
            test => choose(test, count, seed),
        };
        Ok(Self {
            name,
            data,
            indices,
        })
    }

    /// Scores the images by every measure of `model`.
    ///
    /// # Errors
    /// When an image cannot be read.
    pub fn score(
        &self,
        model: &dyn Autoencoder,
        device: &Device,
    ) -> Result<ScoreTable, DatasetError> {
        score_images(model, &self.data, &self.indices, device)
    }
}

/// `count` of the indices, a choice by `seed`, ascending; all where there are no more.
pub fn choose(indices: &[u32], count: usize, seed: u64) -> Vec<u32> {
    gwae_datasets::choose(indices, count, "images to score", seed)
}

/// The sets that need no download, to hold against images of `data`: invented characters in both
/// polarities, letters, the images themselves with shuffled patches, and noise; but for those that `data`
/// are.
pub fn built_in_sets(data: &DataConfig) -> Vec<DataConfig> {
    let of = |dataset| DataConfig::of(dataset, None);
    let mut sets = vec![
        DataConfig {
            polarity: Some(Polarity::Inverted),
            ..of(DatasetName::InventedCharacters)
        },
        of(DatasetName::InventedCharacters),
        of(DatasetName::Letters),
        DataConfig {
            patch_shuffle: Some(PatchShuffled::DEFAULT_GRID),
            ..data.clone()
        },
        of(DatasetName::Noise),
    ];
    let is_shuffled = |set: &DataConfig| set.patch_shuffle.is_some();
    sets.retain(|set| set.dataset != data.dataset || is_shuffled(set) && !is_shuffled(data));
    sets
}

/// Gives sets of one name numbers: their names are what tables and files tell them apart by.
pub fn make_names_unique(sets: &mut [TestSet]) {
    for index in 1..sets.len() {
        let (before, rest) = sets.split_at_mut(index);
        let taken = |name: &str| before.iter().any(|set| set.name == name);
        let own = rest[0].name.clone();
        let mut number = 2;
        while taken(&rest[0].name) {
            rest[0].name = format!("{own} ({number})");
            number += 1;
        }
    }
}

/// Compares every score of `inside` with the same score of `outside`, the scores of the set of that
/// name.
///
/// # Errors
/// When a score is not a number.
pub fn compare(
    set: &str,
    inside: &ScoreTable,
    outside: &ScoreTable,
    bootstrap: &BootstrapConfig,
) -> Result<Vec<Comparison>, ComparisonError> {
    let comparison = |name: &str, inside: &[f64], outside: &[f64]| {
        let ranked = RankedScores::new(inside, outside)?;
        let points = ranked.curve().points.into_iter();
        Ok(Comparison {
            set: set.to_owned(),
            score: name.to_owned(),
            report: DetectionReport::of(&ranked, bootstrap)?,
            curve: points
                .map(|point| (point.false_positive_rate, point.true_positive_rate))
                .collect(),
        })
    };
    let columns = inside.columns.iter();
    let pairs = columns.filter_map(|column| Some((column, outside.get(&column.name)?)));
    pairs
        .map(|(column, outside)| {
            comparison(&column.name, &column.values, outside).map_err(|cause| {
                ComparisonError::Scores {
                    set: format!("{set}, {}", column.name),
                    cause,
                }
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ood::ScoreColumn;

    fn table(columns: &[(&str, &[f64])]) -> ScoreTable {
        ScoreTable {
            columns: columns
                .iter()
                .map(|(name, values)| ScoreColumn {
                    name: (*name).to_owned(),
                    values: values.to_vec(),
                })
                .collect(),
            codes: Vec::new(),
            latent_dim: 1,
            components: Vec::new(),
        }
    }

    #[test]
    fn no_set_is_held_against_itself() {
        let names = |data: &str| -> Vec<String> {
            let sets = built_in_sets(&data.parse().unwrap());
            sets.iter().map(ToString::to_string).collect()
        };
        let all = names("digits");
        assert_eq!(all.len(), 5);
        assert_eq!(all[3], "digits+shuffled");
        assert_eq!(names("digits+shuffled").len(), 4);
        let letters = names("letters");
        assert_eq!(letters.len(), 4);
        assert!(!letters.contains(&"letters".to_owned()));
        assert!(letters.contains(&"letters+shuffled".to_owned()));
        assert_eq!(names("invented_characters").len(), 3);
    }

    #[test]
    fn scores_are_compared_by_name() {
        let inside = table(&[("a", &[1.0, 2.0]), ("b", &[5.0, 5.0])]);
        let outside = table(&[("b", &[5.0, 5.0, 5.0]), ("a", &[3.0, 4.0, 1.5])]);
        let found = compare("set", &inside, &outside, &BootstrapConfig::default()).unwrap();
        assert_eq!(
            (found[0].score.as_str(), found[1].score.as_str()),
            ("a", "b")
        );
        // Five of six pairs are in order.
        assert!((found[0].report.auroc - 5.0 / 6.0).abs() < 1e-12);
        assert_eq!(found[1].report.auroc, 0.5);
        assert_eq!(found[0].curve.first(), Some(&(0.0, 0.0)));
        assert_eq!(found[0].curve.last(), Some(&(1.0, 1.0)));
        let broken = table(&[("a", &[f64::NAN])]);
        let error = compare("set", &inside, &broken, &BootstrapConfig::default());
        let message = error.unwrap_err().to_string();
        assert!(message.starts_with("scores of set, a: "), "{message}");
    }

    #[test]
    fn the_test_part_is_taken_where_there_is_one() {
        let backbone = BackboneConfig {
            image_size: 32,
            channels: 1,
            ..BackboneConfig::default()
        };
        let open = |name: &str| {
            let data = name.parse().unwrap();
            TestSet::open(&data, &backbone, 50, 0, &mut |_| {}).unwrap()
        };
        let digits = open("digits+shuffled");
        assert_eq!(digits.name, "digits+shuffled");
        assert!(digits.indices.iter().all(|index| *index >= 8000));
        assert_eq!(open("letters").indices.len(), 50);
    }

    #[test]
    fn sets_of_one_name_get_numbers() {
        let backbone = BackboneConfig {
            image_size: 32,
            channels: 1,
            ..BackboneConfig::default()
        };
        let open = |name: &str| {
            TestSet::open(&name.parse().unwrap(), &backbone, 5, 0, &mut |_| {}).unwrap()
        };
        let mut sets = [open("noise"), open("letters"), open("noise"), open("noise")];
        make_names_unique(&mut sets);
        let names = sets.map(|set| set.name);
        assert_eq!(names, ["noise", "letters", "noise (2)", "noise (3)"]);
    }

    #[test]
    fn built_in_sets_need_no_files() {
        let names: Vec<_> = built_in_sets(&DataConfig::default())
            .iter()
            .map(|set| {
                set.validate().unwrap();
                set.to_string()
            })
            .collect();
        assert_eq!(
            names,
            [
                "invented_characters+inverted",
                "invented_characters",
                "letters",
                "digits+shuffled",
                "noise"
            ]
        );
    }
}
