//! Compares with numbers of scikit-learn and SciPy, which `golden/disentanglement.py` computes.

use gwae_metrics::disentanglement::dci::dci_gradient_boosting;
use gwae_metrics::disentanglement::{LabelledCodes, info_mec};
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
