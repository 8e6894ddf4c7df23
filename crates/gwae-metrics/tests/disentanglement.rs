//! Compares with numbers of scikit-learn and SciPy, which `golden/disentanglement.py` computes.

use gwae_metrics::disentanglement::dci::{
    Dci, dci_gradient_boosting, dci_lasso, dci_random_forest_classification,
    dci_random_forest_regression,
};
use gwae_metrics::disentanglement::{
    BinnedInformation, CodeRelation, DEFAULT_BINS, LabelledCodes, ModelCodes, explicitness,
    gaussian_total_correlation, gaussian_wasserstein_correlation, info_mec,
    interventional_robustness, mig, mig_sup, modularity, mutual_information_between_codes, sap,
    sap_continuous, udr,
};
use serde::Deserialize;

#[derive(Deserialize)]
struct Golden {
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    codes: Vec<Vec<f64>>,
    factors: Vec<Vec<f64>>,
    dci_gbt: DciGbt,
    info_mec: InfoMec,
    dci_rf_regression: OverSeeds,
    dci_rf_classification: OverSeeds,
    dci_lasso: DciLasso,
    sap: Sap,
    explicitness: f64,
    robustness: f64,
    binned: Binned,
    gaussian: Gaussian,
    udr: Ranking,
}

/// Disentanglement, completeness and informativeness of ten seeds.
#[derive(Deserialize)]
struct OverSeeds {
    mean: [f64; 3],
    deviation: [f64; 3],
}

#[derive(Deserialize)]
struct DciLasso {
    importance: Vec<Vec<f64>>,
    disentanglement: f64,
    completeness: f64,
    informativeness: f64,
}

#[derive(Deserialize)]
struct Sap {
    accuracy: Vec<Vec<f64>>,
    score: f64,
    continuous: f64,
}

#[derive(Deserialize)]
struct Binned {
    mig: f64,
    mig_sup: f64,
    modularity: f64,
    between_codes: f64,
}

#[derive(Deserialize)]
struct Gaussian {
    total_correlation: f64,
    wasserstein: f64,
    relative_wasserstein: f64,
}

#[derive(Deserialize)]
struct DciGbt {
    importance: Vec<Vec<f64>>,
    importance_deviation: f64,
    disentanglement: f64,
    completeness: f64,
    informativeness: f64,
    informativeness_deviation: f64,
}

#[derive(Deserialize)]
struct InfoMec {
    mutual_information: Vec<Vec<f64>>,
    active: Vec<bool>,
    modularity: f64,
    compactness: f64,
    explicitness: f64,
}

/// Scores from the first model to the second, and back.
#[derive(Deserialize)]
struct Ranking {
    lasso: [f64; 2],
    spearman: [f64; 2],
}

impl Case {
    fn labelled(&self) -> LabelledCodes {
        LabelledCodes::new(
            &self.codes.concat(),
            self.codes[0].len(),
            &self.factors.concat(),
            self.factors[0].len(),
        )
        .unwrap()
    }
}

fn cases() -> Vec<Case> {
    let golden: Golden = serde_json::from_str(include_str!("golden/disentanglement.json")).unwrap();
    golden.cases
}

#[track_caller]
fn assert_close(found: f64, expected: f64, tolerance: f64) {
    assert!(
        (found - expected).abs() <= tolerance,
        "{found} is not {expected} within {tolerance}"
    );
}

#[track_caller]
fn assert_matrix(found: &[Vec<f64>], expected: &[Vec<f64>], tolerance: f64) {
    assert_eq!(found.len(), expected.len());
    for (found, expected) in found.iter().zip(expected) {
        assert_eq!(found.len(), expected.len());
        for (&found, &expected) in found.iter().zip(expected) {
            assert_close(found, expected, tolerance);
        }
    }
}

/// Splits of equal gain are decided by chance in both. The tolerance is four of scikit-learn's own
/// standard deviations over seeds, and a rounding that may turn the order of nearly equal splits.
#[test]
fn dci_with_boosted_trees_agrees() {
    for case in cases() {
        let (expected, found) = (
            &case.dci_gbt,
            dci_gradient_boosting(&case.labelled(), 0).unwrap(),
        );
        let tolerance = 4.0 * expected.importance_deviation + 1e-3;
        assert_matrix(&found.importance, &expected.importance, tolerance);
        assert_close(found.disentanglement, expected.disentanglement, tolerance);
        assert_close(found.completeness, expected.completeness, tolerance);
        let tolerance = 4.0 * expected.informativeness_deviation + 1e-9;
        assert_close(found.informativeness, expected.informativeness, tolerance);
    }
}

/// The mutual information differs only by the noise of 10⁻¹⁰. The classifiers end when no part of the
/// gradient exceeds 10⁻⁴, each at a point of its own.
#[test]
fn info_mec_agrees() {
    for case in cases() {
        let (expected, found) = (&case.info_mec, info_mec(&case.labelled(), 0));
        assert_matrix(
            &found.mutual_information,
            &expected.mutual_information,
            1e-9,
        );
        assert_eq!(found.active, expected.active);
        assert_close(found.modularity, expected.modularity, 1e-9);
        assert_close(found.compactness, expected.compactness, 1e-9);
        assert_close(found.explicitness, expected.explicitness, 1e-4);
    }
}

/// Both draw their own divisions, items and codes. The difference of two means of ten seeds has a
/// standard error of 0.45 deviations; the tolerance is four of them.
#[track_caller]
fn assert_over_seeds(expected: &OverSeeds, dci: impl Fn(u64) -> Dci) {
    let runs: Vec<[f64; 3]> = (0..10)
        .map(|seed| {
            let found = dci(seed);
            [
                found.disentanglement,
                found.completeness,
                found.informativeness,
            ]
        })
        .collect();
    for place in 0..3 {
        let mean = runs.iter().map(|run| run[place]).sum::<f64>() / 10.0;
        assert_close(mean, expected.mean[place], 1.8 * expected.deviation[place]);
    }
}

#[test]
fn dci_with_forests_agrees() {
    for case in cases() {
        let labelled = case.labelled();
        assert_over_seeds(&case.dci_rf_regression, |seed| {
            dci_random_forest_regression(&labelled, seed).unwrap()
        });
        assert_over_seeds(&case.dci_rf_classification, |seed| {
            dci_random_forest_classification(&labelled, seed).unwrap()
        });
    }
}

#[test]
fn dci_with_lasso_agrees() {
    for case in cases() {
        let (expected, found) = (&case.dci_lasso, dci_lasso(&case.labelled()).unwrap());
        assert_matrix(&found.importance, &expected.importance, 1e-6);
        assert_close(found.disentanglement, expected.disentanglement, 1e-6);
        assert_close(found.completeness, expected.completeness, 1e-6);
        assert_close(found.informativeness, expected.informativeness, 1e-6);
    }
}

#[test]
fn sap_agrees() {
    for case in cases() {
        let found = sap(&case.labelled()).unwrap();
        assert_matrix(&found.scores, &case.sap.accuracy, 1e-12);
        assert_close(found.score, case.sap.score, 1e-12);
        let found = sap_continuous(&case.labelled()).score;
        assert_close(found, case.sap.continuous, 1e-12);
    }
}

/// The classifier of the file is fitted to the end; ours ends as scikit-learn's does by default.
#[test]
fn explicitness_agrees() {
    for case in cases() {
        let found = explicitness(&case.labelled()).unwrap();
        assert_close(found, case.explicitness, 1e-3);
    }
}

#[test]
fn interventional_robustness_agrees() {
    for case in cases() {
        let found = interventional_robustness(&case.labelled());
        assert_close(found, case.robustness, 1e-12);
    }
}

#[test]
fn scores_of_binned_information_agree() {
    for case in cases() {
        let information = BinnedInformation::new(&case.labelled(), DEFAULT_BINS).unwrap();
        assert_close(mig(&information), case.binned.mig, 1e-12);
        assert_close(mig_sup(&information), case.binned.mig_sup, 1e-12);
        assert_close(modularity(&information), case.binned.modularity, 1e-12);
        let between = mutual_information_between_codes(&case.labelled(), DEFAULT_BINS).unwrap();
        assert_close(between, case.binned.between_codes, 1e-12);
    }
}

#[test]
fn gaussian_dependence_agrees() {
    for case in cases() {
        let labelled = case.labelled();
        let total = gaussian_total_correlation(&labelled);
        assert_close(total, case.gaussian.total_correlation, 1e-9);
        let found = gaussian_wasserstein_correlation(&labelled);
        assert_close(found.distance, case.gaussian.wasserstein, 1e-9);
        assert_close(found.relative, case.gaussian.relative_wasserstein, 1e-9);
    }
}

#[test]
fn udr_agrees() {
    for case in cases() {
        let first: Vec<f64> = case
            .codes
            .iter()
            .flat_map(|row| row[..3].to_vec())
            .collect();
        let other = |row: &[f64]| [row[0] + row[1], row[1] - row[2] / 2.0, row[2]];
        let second: Vec<f64> = first.chunks(3).flat_map(other).collect();
        let models = [&first, &second].map(|codes| ModelCodes {
            codes,
            dimensions: 3,
            divergences: None,
        });
        for (relation, expected) in [
            (CodeRelation::Lasso, case.udr.lasso),
            (CodeRelation::Spearman, case.udr.spearman),
        ] {
            let found = udr(&models, relation).unwrap();
            assert_close(found.pairs[0][1], expected[0], 1e-6);
            assert_close(found.pairs[1][0], expected[1], 1e-6);
            assert_eq!(found.scores, [found.pairs[1][0], found.pairs[0][1]]);
        }
    }
}
