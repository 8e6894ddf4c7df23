//! Computes protocols one after the other.

use std::time::Instant;

use super::protocols::{Inputs, Need, Protocol, Score};
use super::table::{CodeKind, ScoreRow, ScoreTable};
use crate::disentanglement::distances::Images;
use crate::disentanglement::division::shuffled;
use crate::disentanglement::labelled_codes::LabelledCodes;
use crate::disentanglement::standard_error::{JACKKNIFE_GROUPS, jackknife_error, jackknife_groups};
use crate::error::MetricError;

/// The stream of the items' order.
const STREAM: u64 = u64::MAX - 2;

/// What a suite measures.
#[derive(Clone, Copy)]
pub struct SuiteInputs<'a> {
    /// Means of the posterior, and the factors.
    pub means: &'a LabelledCodes,
    /// One draw from each posterior, with the same factors. Without them only means are measured.
    pub samples: Option<&'a LabelledCodes>,
    /// Standard deviations of the posterior, row-major `[items, dimensions]`.
    pub deviations: Option<&'a [f64]>,
    /// The images of the items.
    pub images: Option<Images<'a>>,
}

/// How a suite measures.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SuiteConfig {
    /// Seed of all protocols; by default 0.
    pub seed: u64,
    /// Whether protocols whose first items train and whose last items test take the items in the given order.
    /// By default the seed shuffles them first, because items are often in the order of a factor.
    pub keep_order: bool,
    /// Whether slow protocols get standard errors too. This takes about ten times as long.
    pub all_standard_errors: bool,
}

/// What the suite does next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Number of protocols that are done; means and samples count one each.
    pub done: usize,
    /// Number of all of them.
    pub all: usize,
    /// Name of the next protocol.
    pub protocol: &'static str,
    /// Which codes it measures.
    pub codes: CodeKind,
}

/// Computes protocols, and tells `progress` before each. A protocol that cannot be computed, for example
/// because an input is missing, gets a row with its problem; the others are computed all the same.
///
/// Where a protocol has no standard error of its own, it is that of the jackknife that leaves out a tenth
/// of the items each time.
///
/// # Errors
/// [`MetricError::ItemMismatch`] if samples and means have different numbers of items.
pub fn run_suite(
    protocols: &[&'static Protocol],
    inputs: &SuiteInputs,
    config: SuiteConfig,
    mut progress: impl FnMut(Progress),
) -> Result<ScoreTable, MetricError> {
    let mut codes = vec![(CodeKind::Means, inputs.means)];
    if let Some(samples) = inputs.samples {
        if samples.items() != inputs.means.items() {
            return Err(MetricError::ItemMismatch {
                codes: samples.items(),
                factors: inputs.means.items(),
            });
        }
        codes.push((CodeKind::Samples, samples));
    }
    let mixed = if config.keep_order {
        None
    } else {
        let order = shuffled(inputs.means.items(), config.seed, STREAM);
        let select =
            |(kind, codes): &(CodeKind, &LabelledCodes)| Ok((*kind, codes.select(&order)?));
        Some(
            codes
                .iter()
                .map(select)
                .collect::<Result<Vec<_>, MetricError>>()?,
        )
    };
    let order_of = |protocol: &Protocol| match &mixed {
        Some(mixed) if !protocol.by_item => {
            mixed.iter().map(|(kind, codes)| (*kind, codes)).collect()
        }
        _ => codes.clone(),
    };
    let jobs: Vec<(&Protocol, CodeKind, &LabelledCodes)> = protocols
        .iter()
        .flat_map(|&protocol| {
            let kinds = order_of(protocol).into_iter();
            let kinds = kinds.filter(|&(kind, _)| protocol.measures(kind));
            kinds.map(move |(kind, codes)| (protocol, kind, codes))
        })
        .collect();
    let mut table = ScoreTable {
        items: inputs.means.items(),
        dimensions: inputs.means.dimensions(),
        factors: inputs.means.factor_count(),
        seed: config.seed,
        rows: Vec::new(),
    };
    for (done, &(protocol, kind, codes)) in jobs.iter().enumerate() {
        progress(Progress {
            done,
            all: jobs.len(),
            protocol: protocol.name,
            codes: kind,
        });
        let inputs = Inputs {
            codes,
            images: inputs.images.as_ref(),
            deviations: inputs.deviations,
            seed: config.seed,
        };
        let start = Instant::now();
        let scores = scores(protocol, &inputs, config);
        let seconds = start.elapsed().as_secs_f64();
        let row = |score: &str, value, standard_error, problem| ScoreRow {
            protocol: protocol.name.to_owned(),
            score: score.to_owned(),
            codes: kind,
            value,
            standard_error,
            seconds,
            problem,
        };
        match scores {
            Ok(scores) => table.rows.extend(scores.into_iter().map(|score| {
                let value = score.value.filter(|value| value.is_finite());
                let problem = match (value, score.value) {
                    (Some(_), _) => None,
                    (None, Some(_)) => Some("no bound: codes determine each other".to_owned()),
                    (None, None) if protocol.needs.contains(&Need::Grid) => Some(
                        "no items differ in one factor only, or their codes are equal".to_owned(),
                    ),
                    (None, None) => Some("not defined for these items".to_owned()),
                };
                let error = score
                    .error
                    .filter(|error| value.is_some() && error.is_finite());
                row(score.name, value, error, problem)
            })),
            Err(problem) => table
                .rows
                .push(row("score", None, None, Some(problem.to_string()))),
        }
    }
    Ok(table)
}

impl Protocol {
    fn measures(&self, kind: CodeKind) -> bool {
        kind == CodeKind::Means || self.of_samples
    }
}

/// The scores with standard errors, where they are wanted and can be had.
fn scores(
    protocol: &Protocol,
    inputs: &Inputs,
    config: SuiteConfig,
) -> Result<Vec<Score>, MetricError> {
    let mut scores = (protocol.compute)(inputs)?;
    let wanted = protocol.fast || config.all_standard_errors;
    // Posteriors and images are not divided: protocols that need them have errors of their own, or none.
    if !wanted || !protocol.needs.is_empty() || scores.iter().all(|score| score.error.is_some()) {
        return Ok(scores);
    }
    let groups = jackknife_groups(inputs.codes.items(), config.seed);
    let parts: Result<Vec<Vec<Score>>, MetricError> = (0..JACKKNIFE_GROUPS)
        .map(|group| {
            let stays = |item: &usize| groups[*item] != group;
            let items: Vec<usize> = (0..inputs.codes.items()).filter(stays).collect();
            (protocol.compute)(&Inputs {
                codes: &inputs.codes.select(&items)?,
                images: None,
                ..*inputs
            })
        })
        .collect();
    // With few items a part may lack a value of a factor. Then there is no standard error.
    let Ok(parts) = parts else {
        return Ok(scores);
    };
    for (place, score) in scores.iter_mut().enumerate() {
        let values = parts
            .iter()
            .map(|part| part.get(place).and_then(|score| score.value));
        let values: Option<Vec<f64>> = values.collect();
        if score.error.is_none() {
            score.error = values.map(jackknife_error);
        }
    }
    Ok(scores)
}

#[cfg(test)]
mod tests {
    use super::super::protocols::{protocols, select_protocols};
    use super::*;
    use crate::disentanglement::information::tests::combinations;

    fn ideal() -> LabelledCodes {
        combinations(3, 5, |row| row.to_vec())
    }

    #[test]
    fn every_protocol_has_a_row_and_missing_inputs_are_told() {
        let (means, samples) = (ideal(), ideal());
        let inputs = SuiteInputs {
            means: &means,
            samples: Some(&samples),
            deviations: None,
            images: None,
        };
        let all: Vec<&Protocol> = protocols().iter().collect();
        let mut steps = Vec::new();
        let table = run_suite(&all, &inputs, SuiteConfig::default(), |step| {
            steps.push(step)
        })
        .unwrap();
        assert_eq!(steps.len(), steps[0].all);
        for protocol in protocols() {
            let rows: Vec<&ScoreRow> = table
                .rows
                .iter()
                .filter(|row| row.protocol == protocol.name)
                .collect();
            assert!(!rows.is_empty(), "{}", protocol.name);
            let missing = protocol
                .needs
                .iter()
                .any(|need| matches!(need, Need::Images | Need::Deviations));
            for row in rows {
                assert_eq!(row.value.is_none(), missing, "{row:?}");
                assert_eq!(row.problem.is_some(), missing, "{row:?}");
            }
        }
        let mig = table.value("mig", "score", CodeKind::Samples).unwrap();
        assert!((mig - 1.0).abs() < 1e-12);
        let text = serde_json::to_string(&table).unwrap();
        let read: ScoreTable = serde_json::from_str(&text).unwrap();
        assert_eq!(read.rows.len(), table.rows.len());
    }

    #[test]
    fn scores_without_bound_have_no_value() {
        let means = combinations(2, 5, |row| vec![row[0], row[0]]);
        let inputs = SuiteInputs {
            means: &means,
            samples: None,
            deviations: None,
            images: None,
        };
        let chosen = select_protocols(&["total-correlation"]).unwrap();
        let table = run_suite(&chosen, &inputs, SuiteConfig::default(), |_| {}).unwrap();
        assert_eq!((table.rows.len(), table.rows[0].value), (1, None));
        assert!(table.rows[0].problem.is_some());
    }

    #[test]
    fn dead_codes_give_a_score_everywhere() {
        let means = combinations(3, 5, |_| vec![1.0, 2.0]);
        let inputs = SuiteInputs {
            means: &means,
            samples: None,
            deviations: Some(&[0.0; 250]),
            images: None,
        };
        let all: Vec<&Protocol> = protocols().iter().collect();
        let table = run_suite(&all, &inputs, SuiteConfig::default(), |_| {}).unwrap();
        let without: Vec<&ScoreRow> = table
            .rows
            .iter()
            .filter(|row| row.value.is_none() && !row.score.starts_with("axis"))
            .collect();
        let names: Vec<&str> = without.iter().map(|row| &row.protocol[..]).collect();
        assert_eq!(
            names,
            ["gw", "triplets", "traversals", "traversals"],
            "{without:?}"
        );
    }
}
