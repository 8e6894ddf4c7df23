//! Whether models that were trained alike have alike codes.

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::correlation::spearman;
use super::learners::lasso::lasso;
use super::learners::standardised::center_and_scale;
use crate::error::MetricError;
use crate::points::check_rows;

/// The penalty of the regression.
const PENALTY: f64 = 0.1;
/// Codes with a smaller mean divergence from the prior take no part.
const LEAST_DIVERGENCE: f64 = 0.01;

/// The codes of one model for the same items in the same order.
#[derive(Clone, Copy, Debug)]
pub struct ModelCodes<'a> {
    /// Row-major `[items, dimensions]`.
    pub codes: &'a [f64],
    /// Number of latent dimensions.
    pub dimensions: usize,
    /// The mean divergence of each dimension's posterior from the prior, in nats, `[dimensions]`. Without
    /// it, all dimensions that vary take part.
    pub divergences: Option<&'a [f64]>,
}

/// What connects the codes of two models.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CodeRelation {
    /// The absolute coefficients of a lasso regression of each code of one model on all codes of the
    /// other, with penalty 0.1.
    Lasso,
    /// The absolute rank correlation of each pair of codes.
    Spearman,
}

/// The scores of [`udr`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Udr {
    /// The median of each model's scores with the other models, in `[0, 1]` for rank correlations.
    pub scores: Vec<f64>,
    /// The score of each pair, `[from][to]`; 0 on the diagonal.
    pub pairs: Vec<Vec<f64>>,
}

/// Unsupervised disentanglement ranking (Duan et al. 2020, protocols `udr/lasso` and `udr/spearman`), as
/// in disentanglement_lib: codes are standardised; of the relation R of two models' codes,
/// `max²/sum` is averaged over columns and over rows, and both means are averaged. A model's score is the
/// median over the other models. No factors are needed.
///
/// Only codes whose mean divergence from the prior exceeds 0.01 take part, or all that vary. A pair
/// with a model without such codes scores 0, and so does a code without any relation.
///
/// # Errors
/// [`MetricError::TooFewItems`] for fewer than two models; [`MetricError::ItemMismatch`] if the models
/// have different numbers of items; [`MetricError::OutOfRange`] if there is not one divergence per
/// dimension; [`MetricError::Empty`], [`MetricError::PartialPoint`] and [`MetricError::NotFinite`].
pub fn udr(models: &[ModelCodes], relation: CodeRelation) -> Result<Udr, MetricError> {
    if models.len() < 2 {
        return Err(MetricError::TooFewItems {
            metric: "udr, which compares models,",
            found: models.len(),
            least: 2,
        });
    }
    let columns: Vec<Vec<Vec<f64>>> = models
        .iter()
        .map(informative_columns)
        .collect::<Result<_, _>>()?;
    let items = |model: &ModelCodes| model.codes.len() / model.dimensions;
    for model in models {
        if items(model) != items(&models[0]) {
            return Err(MetricError::ItemMismatch {
                codes: items(model),
                factors: items(&models[0]),
            });
        }
    }
    let count = models.len();
    let pairs: Vec<f64> = (0..count * count)
        .into_par_iter()
        .map(|pair| {
            let (from, to) = (pair / count, pair % count);
            if from == to {
                return 0.0;
            }
            relative_strength(&relations(&columns[from], &columns[to], relation))
        })
        .collect();
    let scores = (0..count).map(|to| {
        let others = (0..count).filter(|&from| from != to);
        median(others.map(|from| pairs[from * count + to]).collect())
    });
    Ok(Udr {
        scores: scores.collect(),
        pairs: pairs.chunks(count).map(<[f64]>::to_vec).collect(),
    })
}

/// The standardised codes that take part.
fn informative_columns(model: &ModelCodes) -> Result<Vec<Vec<f64>>, MetricError> {
    check_rows("codes", model.codes, model.dimensions, |value| {
        value.is_finite()
    })?;
    if let Some(divergences) = model.divergences
        && divergences.len() != model.dimensions
    {
        return Err(MetricError::OutOfRange {
            field: "number of divergences",
            value: divergences.len().to_string(),
            allowed: "one for each dimension",
        });
    }
    let column = |dimension: usize| -> Vec<f64> {
        let values = model.codes.iter().skip(dimension).step_by(model.dimensions);
        values.copied().collect()
    };
    let informative = (0..model.dimensions).filter_map(|dimension| {
        let values = column(dimension);
        let varies = values.iter().any(|&value| value != values[0]);
        let told = model
            .divergences
            .is_none_or(|all| all[dimension] > LEAST_DIVERGENCE);
        let (center, scale) = center_and_scale(&values);
        (varies && told).then(|| {
            values
                .iter()
                .map(|value| (value - center) / scale)
                .collect()
        })
    });
    Ok(informative.collect())
}

/// `[codes of from][codes of to]`.
fn relations(from: &[Vec<f64>], to: &[Vec<f64>], relation: CodeRelation) -> Vec<Vec<f64>> {
    let columns: Vec<&[f64]> = from.iter().map(|code| &code[..]).collect();
    let of_target = |target: &Vec<f64>| -> Vec<f64> {
        match relation {
            CodeRelation::Lasso if columns.is_empty() => Vec::new(),
            CodeRelation::Lasso => lasso(&columns, target, PENALTY).0,
            CodeRelation::Spearman => columns.iter().map(|code| spearman(code, target)).collect(),
        }
    };
    let targets: Vec<Vec<f64>> = to.iter().map(of_target).collect();
    let row = |code: usize| targets.iter().map(|target| target[code].abs()).collect();
    (0..from.len()).map(row).collect()
}

/// The mean of `max²/sum` over rows, and over columns, averaged.
fn relative_strength(relation: &[Vec<f64>]) -> f64 {
    if relation.is_empty() || relation[0].is_empty() {
        return 0.0;
    }
    let strength = |values: &[f64]| {
        let largest = values.iter().copied().fold(0.0, f64::max);
        let sum: f64 = values.iter().sum();
        if sum > 0.0 {
            largest * largest / sum
        } else {
            0.0
        }
    };
    let rows = relation.iter().map(|row| strength(row)).sum::<f64>() / relation.len() as f64;
    let width = relation[0].len();
    let column = |place: usize| relation.iter().map(|row| row[place]).collect::<Vec<f64>>();
    let columns = (0..width)
        .map(|place| strength(&column(place)))
        .sum::<f64>()
        / width as f64;
    (rows + columns) / 2.0
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    if values.len().is_multiple_of(2) {
        (values[middle - 1] + values[middle]) / 2.0
    } else {
        values[middle]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Codes made of all pairs of 20 and 20 values.
    fn codes(code: impl Fn(f64, f64) -> Vec<f64>) -> Vec<f64> {
        (0..400)
            .flat_map(|item| code((item / 20) as f64, (item % 20) as f64))
            .collect()
    }

    fn model(codes: &[f64]) -> ModelCodes<'_> {
        ModelCodes {
            codes,
            dimensions: codes.len() / 400,
            divergences: None,
        }
    }

    #[test]
    fn permuted_and_reversed_codes_are_alike_and_rotated_ones_are_not() {
        let first = codes(|a, b| vec![a, b]);
        let second = codes(|a, b| vec![-3.0 * b, 0.0, 0.5 * a]);
        let rotated = codes(|a, b| vec![a + b, a - b]);
        let both = [model(&first), model(&second)];
        let found = udr(&both, CodeRelation::Spearman).unwrap();
        assert!((found.scores[0] - 1.0).abs() < 1e-12, "{found:?}");
        // The penalty takes 0.1 from each coefficient 1.
        let found = udr(&both, CodeRelation::Lasso).unwrap();
        assert!((found.scores[1] - 0.9).abs() < 1e-12, "{found:?}");
        // Two coefficients 1/√2 − 0.1 in each row: half of one of them.
        let both = [model(&first), model(&rotated)];
        let found = udr(&both, CodeRelation::Lasso).unwrap();
        let expected = (0.5f64.sqrt() - 0.1) / 2.0;
        assert!((found.scores[0] - expected).abs() < 1e-12, "{found:?}");
    }

    #[test]
    fn dead_models_and_codes_score_zero() {
        let first = codes(|a, b| vec![a, b]);
        let dead = codes(|_, _| vec![1.0]);
        let found = udr(&[model(&first), model(&dead)], CodeRelation::Lasso).unwrap();
        assert_eq!(found.scores, [0.0, 0.0]);
        let silent = ModelCodes {
            divergences: Some(&[0.5, 0.001]),
            ..model(&first)
        };
        let found = udr(&[silent, model(&first)], CodeRelation::Spearman).unwrap();
        // One row of (1, 0): its own mean is 1, that of its columns 1/2.
        assert!((found.scores[0] - 0.75).abs() < 1e-12, "{found:?}");
    }

    #[test]
    fn models_that_do_not_belong_together_are_refused() {
        let first = codes(|a, b| vec![a, b]);
        assert!(udr(&[model(&first)], CodeRelation::Lasso).is_err());
        let short = ModelCodes {
            codes: &first[..4],
            dimensions: 2,
            divergences: None,
        };
        assert!(udr(&[model(&first), short], CodeRelation::Lasso).is_err());
        let unequal = ModelCodes {
            divergences: Some(&[1.0]),
            ..model(&first)
        };
        assert!(udr(&[model(&first), unequal], CodeRelation::Lasso).is_err());
    }

    #[test]
    fn the_median_of_an_even_number_is_between_the_middle_ones() {
        assert_eq!(median(vec![3.0, 1.0, 2.0]), 2.0);
        assert_eq!(median(vec![4.0, 1.0, 2.0, 3.0]), 2.5);
    }
}
