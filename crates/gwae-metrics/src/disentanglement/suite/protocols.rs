//! The names of the protocols, what they need and how they are computed.

use crate::disentanglement::LabelledCodes;
use crate::disentanglement::active_units::{ACTIVE_VARIANCE, active_units};
use crate::disentanglement::beta_vae_score::beta_vae_score;
use crate::disentanglement::dci::{
    Dci, dci_gradient_boosting, dci_lasso, dci_random_forest_classification,
    dci_random_forest_regression,
};
use crate::disentanglement::dcimig::dcimig;
use crate::disentanglement::distances::{
    DistanceCorrelation, Images, distance_correlations, gw_with_best_scale, traversal_scores,
    triplet_agreement,
};
use crate::disentanglement::explicitness::explicitness;
use crate::disentanglement::factor_vae_score::{VoteScore, factor_vae_score};
use crate::disentanglement::gaussian_dependence::{
    gaussian_total_correlation, gaussian_wasserstein_correlation,
};
use crate::disentanglement::info_mec::{explicitness as info_e, modularity_and_compactness};
use crate::disentanglement::information::{BinnedInformation, DEFAULT_BINS};
use crate::disentanglement::information_between_codes::mutual_information_between_codes;
use crate::disentanglement::interventional_robustness::interventional_robustness;
use crate::disentanglement::jemmig::jemmig;
use crate::disentanglement::mig::mig;
use crate::disentanglement::mig_sup::mig_sup;
use crate::disentanglement::modularity::modularity;
use crate::disentanglement::robust_mig::robust_mig;
use crate::disentanglement::sap::{sap, sap_continuous};
use crate::error::MetricError;

/// Random pairs or triplets of items for distances.
const PAIRS: usize = 10_000;

/// What a protocol needs beside codes and factors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// The images of the items.
    Images,
    /// The standard deviations of the posterior.
    Deviations,
    /// Items that agree in all factors but one, as in a grid of factors. Without them the protocol has
    /// no value.
    Grid,
}

/// A metric with fixed constants.
pub struct Protocol {
    /// Its name, such as `dci/gbt`.
    pub name: &'static str,
    /// What it says, in one line.
    pub summary: &'static str,
    /// What it needs beside codes and factors.
    pub needs: &'static [Need],
    /// Whether samples are measured too, or the means only.
    pub of_samples: bool,
    /// Whether it takes images or posteriors by the number of the item, or looks at pairs of items only. Then
    /// the items stay in order.
    pub(super) by_item: bool,
    /// Whether it is fast enough to be computed once more for each tenth of the items.
    pub(super) fast: bool,
    pub(super) compute: fn(&Inputs) -> Result<Vec<Score>, MetricError>,
}

/// What a protocol is computed from.
pub(super) struct Inputs<'a> {
    pub codes: &'a LabelledCodes,
    pub images: Option<&'a Images<'a>>,
    pub deviations: Option<&'a [f64]>,
    pub seed: u64,
}

/// One of a protocol's scores.
pub(super) struct Score {
    pub name: &'static str,
    /// None if the data have no such score, infinite if it has no bound.
    pub value: Option<f64>,
    /// The protocol's own standard error.
    pub error: Option<f64>,
}

fn score(name: &'static str, value: f64) -> Score {
    Score {
        name,
        value: Some(value),
        error: None,
    }
}

fn with_error(name: &'static str, value: f64, error: f64) -> Score {
    Score {
        error: Some(error),
        ..score(name, value)
    }
}

/// All protocols, in the order in which the suite computes them.
pub fn protocols() -> &'static [Protocol] {
    const ALL: &[Protocol] = &[
        Protocol {
            summary: "disentanglement, completeness and informativeness by boosted trees",
            compute: |inputs| Ok(dci(dci_gradient_boosting(inputs.codes, inputs.seed)?)),
            ..slow("dci/gbt")
        },
        Protocol {
            summary: "the same by regression forests, as the GWAE paper",
            compute: |inputs| {
                Ok(dci(dci_random_forest_regression(
                    inputs.codes,
                    inputs.seed,
                )?))
            },
            ..slow("dci/rf-regression")
        },
        Protocol {
            summary: "the same by classification forests",
            compute: |inputs| {
                Ok(dci(dci_random_forest_classification(
                    inputs.codes,
                    inputs.seed,
                )?))
            },
            ..slow("dci/rf-classification")
        },
        Protocol {
            summary: "the same by linear regression",
            compute: |inputs| Ok(dci(dci_lasso(inputs.codes)?)),
            ..fast("dci/lasso")
        },
        Protocol {
            summary: "modularity and compactness from information of neighbours",
            compute: |inputs| {
                let (modularity, compactness) =
                    modularity_and_compactness(inputs.codes, inputs.seed);
                Ok(vec![
                    score("modularity", modularity),
                    score("compactness", compactness),
                ])
            },
            ..fast("infomec/mc")
        },
        Protocol {
            summary: "explicitness from logistic regression",
            compute: |inputs| {
                let (value, error) = info_e(inputs.codes);
                Ok(vec![with_error("explicitness", value, error)])
            },
            ..slow("infomec/e")
        },
        Protocol {
            summary: "mutual information gap",
            compute: |inputs| binned(inputs, mig),
            ..fast("mig")
        },
        Protocol {
            summary: "mutual information gap of codes",
            compute: |inputs| binned(inputs, mig_sup),
            ..fast("mig-sup")
        },
        Protocol {
            summary: "mutual information gap of noisy codes",
            needs: &[Need::Deviations],
            of_samples: false,
            compute: |inputs| {
                let deviations = inputs.deviations.ok_or(MetricError::Empty {
                    field: "deviations",
                })?;
                Ok(vec![score("score", robust_mig(inputs.codes, deviations)?)])
            },
            by_item: true,
            ..slow("rmig")
        },
        Protocol {
            summary: "joint entropy minus mutual information gap, 1 is best",
            compute: |inputs| binned(inputs, jemmig),
            ..fast("jemmig")
        },
        Protocol {
            summary: "gaps of codes that belong to a factor each",
            compute: |inputs| binned(inputs, dcimig),
            ..fast("dcimig")
        },
        Protocol {
            summary: "gap of accuracies of linear classifiers of one code",
            compute: |inputs| Ok(vec![score("score", sap(inputs.codes)?.score)]),
            ..fast("sap")
        },
        Protocol {
            summary: "gap of squared correlations",
            compute: |inputs| Ok(vec![score("score", sap_continuous(inputs.codes).score)]),
            ..fast("sap/continuous")
        },
        Protocol {
            summary: "votes of the code that varies least when a factor is fixed",
            compute: |inputs| Ok(votes(factor_vae_score(inputs.codes, inputs.seed))),
            ..slow("factor-vae")
        },
        Protocol {
            summary: "linear classification of the factor that pairs share",
            compute: |inputs| Ok(votes(beta_vae_score(inputs.codes, inputs.seed))),
            ..slow("beta-vae")
        },
        Protocol {
            summary: "interventional robustness",
            compute: |inputs| {
                Ok(vec![score(
                    "score",
                    interventional_robustness(inputs.codes),
                )])
            },
            ..fast("irs")
        },
        Protocol {
            summary: "whether each code depends on one factor",
            compute: |inputs| binned(inputs, modularity),
            ..fast("modularity")
        },
        Protocol {
            summary: "area under the ROC curve of linear classifiers of factors",
            compute: |inputs| Ok(vec![score("score", explicitness(inputs.codes)?)]),
            ..slow("explicitness")
        },
        Protocol {
            summary: "Gaussian total correlation in nats, 0 is best",
            compute: |inputs| {
                Ok(vec![score(
                    "score",
                    gaussian_total_correlation(inputs.codes),
                )])
            },
            ..fast("total-correlation")
        },
        Protocol {
            summary: "Gaussian Wasserstein correlation, 0 is best",
            compute: |inputs| {
                let found = gaussian_wasserstein_correlation(inputs.codes);
                Ok(vec![
                    score("distance", found.distance),
                    score("relative", found.relative),
                ])
            },
            ..fast("wasserstein-correlation")
        },
        Protocol {
            summary: "mean mutual information of two codes in nats, 0 is best",
            compute: |inputs| {
                let found = mutual_information_between_codes(inputs.codes, DEFAULT_BINS)?;
                Ok(vec![score("score", found)])
            },
            ..fast("mutual-information-between-codes")
        },
        Protocol {
            summary: "number of codes with variance above 0.01",
            of_samples: false,
            compute: |inputs| {
                let found = active_units(inputs.codes, ACTIVE_VARIANCE);
                Ok(vec![score("units", found as f64)])
            },
            ..fast("active-units")
        },
        Protocol {
            summary: "correlations of distances of codes, factors and, if given, images",
            compute: distances,
            by_item: true,
            ..slow("distances")
        },
        Protocol {
            summary: "Gromov-Wasserstein loss with the best scale, 0 is best",
            needs: &[Need::Images],
            compute: |inputs| {
                let found = gw_with_best_scale(inputs.codes, images(inputs)?, PAIRS, inputs.seed)?;
                Ok(vec![
                    with_error("loss", found.loss, found.loss_error),
                    with_error("relative", found.relative, found.relative_error),
                    score("scale", found.scale),
                ])
            },
            by_item: true,
            ..slow("gw")
        },
        Protocol {
            summary: "share of triplets with the same nearer item in codes and images",
            needs: &[Need::Images],
            compute: |inputs| {
                let (value, error) =
                    triplet_agreement(inputs.codes, images(inputs)?, PAIRS, inputs.seed)?;
                Ok(vec![with_error("score", value, error)])
            },
            by_item: true,
            ..slow("triplets")
        },
        Protocol {
            summary: "shape and distances of codes while one factor changes",
            needs: &[Need::Grid],
            compute: |inputs| Ok(traversals(inputs)),
            by_item: true,
            ..slow("traversals")
        },
    ];
    ALL
}

const fn fast(name: &'static str) -> Protocol {
    Protocol {
        fast: true,
        ..slow(name)
    }
}

const fn slow(name: &'static str) -> Protocol {
    Protocol {
        name,
        summary: "",
        needs: &[],
        of_samples: true,
        by_item: false,
        fast: false,
        compute: |_| Ok(Vec::new()),
    }
}

/// The protocols with these names, in the suite's order, each once. A name before a slash means all
/// protocols of its group: `dci` is `dci/gbt`, `dci/rf-regression` and so on.
///
/// # Errors
/// [`MetricError::UnknownProtocol`] for a name that no protocol or group has.
pub fn select_protocols<S: AsRef<str>>(names: &[S]) -> Result<Vec<&'static Protocol>, MetricError> {
    let belongs = |protocol: &Protocol, name: &str| {
        let rest = protocol.name.strip_prefix(name);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    let all = protocols();
    for name in names {
        if !all.iter().any(|protocol| belongs(protocol, name.as_ref())) {
            return Err(MetricError::UnknownProtocol {
                name: name.as_ref().to_owned(),
            });
        }
    }
    let chosen = all
        .iter()
        .filter(|protocol| names.iter().any(|name| belongs(protocol, name.as_ref())));
    Ok(chosen.collect())
}

fn dci(found: Dci) -> Vec<Score> {
    vec![
        score("disentanglement", found.disentanglement),
        score("completeness", found.completeness),
        with_error(
            "informativeness",
            found.informativeness,
            found.informativeness_error,
        ),
    ]
}

fn binned(
    inputs: &Inputs,
    metric: fn(&BinnedInformation) -> f64,
) -> Result<Vec<Score>, MetricError> {
    let information = BinnedInformation::new(inputs.codes, DEFAULT_BINS)?;
    Ok(vec![score("score", metric(&information))])
}

fn votes(found: VoteScore) -> Vec<Score> {
    vec![with_error("score", found.score, found.standard_error)]
}

fn images<'a>(inputs: &Inputs<'a>) -> Result<&'a Images<'a>, MetricError> {
    inputs.images.ok_or(MetricError::Empty { field: "images" })
}

fn correlation(names: [&'static str; 2], found: DistanceCorrelation) -> [Score; 2] {
    [
        with_error(names[0], found.spearman, found.spearman_error),
        with_error(names[1], found.pearson, found.pearson_error),
    ]
}

const CODES_FACTORS: [&str; 2] = ["codes-factors/spearman", "codes-factors/pearson"];
const CODES_IMAGES: [&str; 2] = ["codes-images/spearman", "codes-images/pearson"];
const FACTORS_IMAGES: [&str; 2] = ["factors-images/spearman", "factors-images/pearson"];

fn distances(inputs: &Inputs) -> Result<Vec<Score>, MetricError> {
    let found = distance_correlations(inputs.codes, inputs.images, PAIRS, inputs.seed)?;
    let mut scores = Vec::from(correlation(CODES_FACTORS, found.codes_factors));
    for (names, found) in [
        (CODES_IMAGES, found.codes_images),
        (FACTORS_IMAGES, found.factors_images),
    ] {
        scores.extend(
            found
                .into_iter()
                .flat_map(|found| correlation(names, found)),
        );
    }
    Ok(scores)
}

fn traversals(inputs: &Inputs) -> Vec<Score> {
    let found = traversal_scores(inputs.codes, inputs.images, inputs.seed);
    let shapes = [
        ("linearity", found.linearity),
        ("axis-ratio", found.axis_ratio),
        ("axis-alignment", found.axis_alignment),
        ("flatness", found.flatness),
    ];
    let shapes = shapes.into_iter().map(|(name, mean)| Score {
        name,
        value: mean.map(|mean| mean.mean),
        error: mean.map(|mean| mean.standard_error),
    });
    let mut scores: Vec<Score> = shapes.collect();
    for (names, found) in [
        (CODES_FACTORS, found.codes_factors),
        (CODES_IMAGES, found.codes_images),
        (FACTORS_IMAGES, found.factors_images),
    ] {
        scores.extend(
            found
                .into_iter()
                .flat_map(|found| correlation(names, found)),
        );
    }
    scores
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_groups_select_their_members() {
        let mut names: Vec<&str> = protocols().iter().map(|protocol| protocol.name).collect();
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), count);
        assert!(
            protocols()
                .iter()
                .all(|protocol| !protocol.summary.is_empty())
        );
        let chosen = select_protocols(&["mig", "dci", "dci/gbt"]).unwrap();
        let chosen: Vec<&str> = chosen.iter().map(|protocol| protocol.name).collect();
        assert_eq!(
            chosen,
            [
                "dci/gbt",
                "dci/rf-regression",
                "dci/rf-classification",
                "dci/lasso",
                "mig"
            ]
        );
        assert!(matches!(
            select_protocols(&["mi"]),
            Err(MetricError::UnknownProtocol { name }) if name == "mi"
        ));
    }
}
