//! Compares the scores of images in and out of the distribution.

use burn::tensor::Device;
use gwae_datasets::config::{DataConfig, DatasetName};
use gwae_datasets::open::Preparation;
use gwae_datasets::{DatasetError, ImageShape, PatchShuffled, Polarity, Split};
use gwae_metrics::{BootstrapConfig, DetectionReport, RankedScores};
use gwae_models::Autoencoder;
use gwae_train::data::RunData;

use super::error::OodError;
use super::scoring::{MEAN_BRIGHTNESS, ScoreTable, score_images};

/// Number of training images for the reference median of two-sided scores.
pub const REFERENCE: usize = 1_000;

/// Images of one kind, to be scored.
pub struct TestSet {
    /// Its name in tables.
    pub name: String,
    /// The images.
    pub data: RunData,
    /// The indices to use.
    pub indices: Vec<u32>,
}

/// The model name of [`MEAN_BRIGHTNESS`] in tables and pictures.
pub const NO_MODEL: &str = "no model";

/// One score on one set of out-of-distribution images, compared with the in-distribution images.
#[derive(Clone, Debug)]
pub struct Comparison {
    /// The model of the score, or [`NO_MODEL`].
    pub model: String,
    /// The out-of-distribution images.
    pub set: String,
    /// The score.
    pub score: String,
    /// How well the score separates them.
    pub report: DetectionReport,
    /// (False positive rate, true positive rate) at every threshold, highest threshold first.
    pub curve: Vec<(f64, f64)>,
}

impl TestSet {
    /// Opens at most `count` images of `data`, chosen by `seed`, for a model of images of `shape`.
    /// They come from the official test part, or from all images if there is no test part.
    ///
    /// # Errors
    /// When the dataset is missing or damaged.
    pub fn open(
        data: &DataConfig,
        shape: ImageShape,
        count: usize,
        seed: u64,
        progress: &mut dyn FnMut(Preparation),
    ) -> Result<Self, OodError> {
        data.validate()?;
        let name = data.to_string();
        let data = RunData::open(data, shape, progress)?;
        let split = Split::official(data.dataset())?;
        let indices = match &split.test[..] {
            [] => random_indices(&split.train, count, seed),
            test => random_indices(test, count, seed),
        };
        Ok(Self {
            name,
            data,
            indices,
        })
    }

    /// Scores the images with every score of `model`.
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

/// `count` of the indices, chosen by `seed`, in ascending order; all if there are no more.
pub fn random_indices(indices: &[u32], count: usize, seed: u64) -> Vec<u32> {
    gwae_datasets::choose(indices, count, "images to score", seed)
}

/// The sets that need no download, to compare with images of `data`: invented characters in both
/// polarities, letters, the images themselves with shuffled patches, and noise. A set equal to
/// `data` is left out.
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

/// Numbers sets that have the same name, because tables and files identify a set by its name.
pub fn make_names_unique(sets: &mut [TestSet]) {
    for index in 1..sets.len() {
        let (before, rest) = sets.split_at_mut(index);
        let own = rest[0].name.clone();
        let numbers = (2..).map(|number| format!("{own} ({number})"));
        let mut names = std::iter::once(own.clone()).chain(numbers);
        let is_new = |name: &String| before.iter().all(|set| set.name != *name);
        rest[0].name = names.find(is_new).expect("numbers do not run out");
    }
}

/// Compares every score of `inside` by `model` with the same score of `outside`. `set` is the name
/// of `outside`.
///
/// # Errors
/// When a score is NaN.
pub fn compare(
    model: &str,
    set: &str,
    inside: &ScoreTable,
    outside: &ScoreTable,
    bootstrap: &BootstrapConfig,
) -> Result<Vec<Comparison>, OodError> {
    let columns = inside.columns.iter();
    let pairs = columns.filter_map(|column| Some((column, outside.get(&column.name)?)));
    let compared = pairs.map(|(column, outside)| {
        let score = &column.name;
        let measure = || {
            let ranked = RankedScores::new(&column.values, outside)?;
            Ok((DetectionReport::of(&ranked, bootstrap)?, ranked.curve()))
        };
        let (report, curve) = measure().map_err(|cause| OodError::Scores {
            set: format!("{set}, {score}"),
            cause,
        })?;
        let model = match score.as_str() {
            MEAN_BRIGHTNESS => NO_MODEL,
            _ => model,
        };
        let points = curve.points.into_iter();
        Ok(Comparison {
            model: model.to_owned(),
            set: set.to_owned(),
            score: score.clone(),
            report,
            curve: points
                .map(|point| (point.false_positive_rate, point.true_positive_rate))
                .collect(),
        })
    });
    compared.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ood::ScoreColumn;

    fn table(columns: &[(&str, &[f64])]) -> ScoreTable {
        ScoreTable {
            columns: columns
                .iter()
                .map(|(name, values)| ScoreColumn::one_sided((*name).to_owned(), values.to_vec()))
                .collect(),
            ..ScoreTable::default()
        }
    }

    fn open(name: &str, count: usize) -> TestSet {
        let shape = ImageShape::square(32, 1);
        TestSet::open(&name.parse().unwrap(), shape, count, 0, &mut |_| {}).unwrap()
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
        let found = compare("vae", "set", &inside, &outside, &BootstrapConfig::default()).unwrap();
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
        let error = compare("vae", "set", &inside, &broken, &BootstrapConfig::default());
        let message = error.unwrap_err().to_string();
        assert!(message.starts_with("scores of set, a: "), "{message}");
    }

    #[test]
    fn the_test_part_is_taken_where_there_is_one() {
        let digits = open("digits+shuffled", 50);
        assert_eq!(digits.name, "digits+shuffled");
        assert!(digits.indices.iter().all(|index| *index >= 8000));
        assert_eq!(open("letters", 50).indices.len(), 50);
    }

    #[test]
    fn sets_of_one_name_get_numbers() {
        let mut sets = ["noise", "letters", "noise", "noise"].map(|name| open(name, 5));
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
