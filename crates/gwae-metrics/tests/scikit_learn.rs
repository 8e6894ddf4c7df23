//! Compares with numbers of scikit-learn, which `golden/scikit_learn.py` computes.

use gwae_metrics::{
    ContingencyTable, KMeansConfig, RankedScores, calinski_harabasz, k_means, principal_components,
};
use serde::Deserialize;

#[derive(Deserialize)]
struct Golden {
    detection: Vec<Detection>,
    agreement: Vec<Agreement>,
    division: Vec<Division>,
}

#[derive(Deserialize)]
struct Detection {
    in_distribution: Vec<f64>,
    out_of_distribution: Vec<f64>,
    auroc: f64,
    average_precision: f64,
    fpr_at_95_tpr: f64,
    fpr: Vec<f64>,
    tpr: Vec<f64>,
    thresholds: Vec<f64>,
}

#[derive(Deserialize)]
struct Agreement {
    classes: Vec<u32>,
    clusters: Vec<u32>,
    mutual_information: f64,
    normalised_mutual_information: f64,
    adjusted_rand_index: f64,
}

#[derive(Deserialize)]
struct Division {
    points: Vec<Vec<f32>>,
    clusters: usize,
    inertia: f64,
    labels: Vec<usize>,
    calinski_harabasz: f64,
    variances: Vec<f64>,
    variance_shares: Vec<f64>,
    absolute_coordinates: Vec<Vec<f64>>,
}

fn golden() -> Golden {
    serde_json::from_str(include_str!("golden/scikit_learn.json")).unwrap()
}

#[track_caller]
fn assert_close(found: f64, expected: f64) {
    let error = (found - expected).abs();
    assert!(
        error <= 1e-12 * (1.0 + expected.abs()),
        "{found} is not {expected}"
    );
}

#[test]
fn detection_agrees() {
    for case in golden().detection {
        let scores = RankedScores::new(&case.in_distribution, &case.out_of_distribution).unwrap();
        assert_close(scores.auroc(), case.auroc);
        assert_close(scores.average_precision(), case.average_precision);
        assert_close(
            scores.false_positive_rate_at(0.95).unwrap(),
            case.fpr_at_95_tpr,
        );
        let curve = scores.curve();
        assert_eq!(curve.points.len(), case.fpr.len());
        assert_eq!(case.thresholds.len() + 1, case.fpr.len());
        for (i, point) in curve.points.iter().enumerate() {
            assert_close(point.false_positive_rate, case.fpr[i]);
            assert_close(point.true_positive_rate, case.tpr[i]);
            if i > 0 {
                assert_eq!(point.threshold, case.thresholds[i - 1]);
            }
        }
    }
}

#[test]
fn agreement_agrees() {
    for case in golden().agreement {
        let table = ContingencyTable::new(&case.classes, &case.clusters).unwrap();
        assert_close(table.mutual_information(), case.mutual_information);
        let normalised = table.normalised_mutual_information();
        assert_close(normalised, case.normalised_mutual_information);
        assert_close(table.adjusted_rand_index(), case.adjusted_rand_index);
    }
}

#[test]
fn divisions_agree() {
    for case in golden().division {
        let dimensions = case.points[0].len();
        let points = case.points.concat();
        let config = KMeansConfig {
            // Even some hundreds of starts may miss the best division of points without structure.
            restarts: 4_000,
            tolerance: 0.0,
            ..KMeansConfig::default()
        };
        let found = k_means(&points, dimensions, case.clusters, &config).unwrap();
        assert_close(found.inertia, case.inertia);
        let same = ContingencyTable::new(&found.labels, &case.labels).unwrap();
        assert_eq!(same.adjusted_rand_index(), 1.0);
        let index = calinski_harabasz(&points, dimensions, &case.labels).unwrap();
        assert_close(index, case.calinski_harabasz);

        let components = principal_components(&points, dimensions, 2).unwrap();
        for i in 0..2 {
            assert_close(components.variances[i], case.variances[i]);
            assert_close(components.variance_shares[i], case.variance_shares[i]);
        }
        let projected = components.project(&points).unwrap();
        for (found, expected) in projected.iter().zip(case.absolute_coordinates.concat()) {
            assert!((found.abs() - expected).abs() < 1e-10);
        }
    }
}
