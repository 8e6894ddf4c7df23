//! All metrics of one out-of-distribution score in one place.

use serde::{Deserialize, Serialize};

use super::bootstrap::{BootstrapConfig, Interval, auroc_interval};
use super::ranking::RankedScores;
use crate::error::MetricError;

/// How well a score detects out-of-distribution items. [`RankedScores`] defines the metrics.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct DetectionReport {
    /// Area under the ROC curve, with ties counted half; chance is 0.5.
    pub auroc: f64,
    /// Bootstrap interval of the AUROC.
    pub interval: Interval,
    /// Average precision; chance is `count_out / (count_in + count_out)`.
    pub aupr: f64,
    /// False positive rate at a true positive rate of 95 %.
    pub fpr_at_95_tpr: f64,
    /// Number of in-distribution items.
    pub count_in: usize,
    /// Number of out-of-distribution items.
    pub count_out: usize,
}

impl DetectionReport {
    /// Measures a score that is higher for items that look more out-of-distribution.
    ///
    /// # Errors
    /// Those of [`RankedScores::new`] and [`auroc_interval`].
    pub fn new(
        in_distribution: &[f64],
        out_of_distribution: &[f64],
        bootstrap: &BootstrapConfig,
    ) -> Result<Self, MetricError> {
        Self::of(
            &RankedScores::new(in_distribution, out_of_distribution)?,
            bootstrap,
        )
    }

    /// The same report from scores that are already sorted.
    ///
    /// # Errors
    /// Those of [`auroc_interval`].
    pub fn of(scores: &RankedScores, bootstrap: &BootstrapConfig) -> Result<Self, MetricError> {
        Ok(Self {
            auroc: scores.auroc(),
            interval: auroc_interval(scores, bootstrap)?,
            aupr: scores.average_precision(),
            fpr_at_95_tpr: scores.false_positive_rate_at(0.95)?,
            count_in: scores.count_in(),
            count_out: scores.count_out(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_holds_every_number_and_survives_json() {
        let report =
            DetectionReport::new(&[1.0, 3.0, 0.0], &[2.0, 4.0], &BootstrapConfig::default())
                .unwrap();
        assert_eq!(report.auroc, 5.0 / 6.0);
        assert_eq!(report.aupr, (1.0 + 2.0 / 3.0) / 2.0);
        assert_eq!(report.fpr_at_95_tpr, 1.0 / 3.0);
        assert_eq!((report.count_in, report.count_out), (3, 2));
        assert!(report.interval.low <= report.auroc && report.auroc <= report.interval.high);
        let json = serde_json::to_string(&report).unwrap();
        assert_eq!(
            serde_json::from_str::<DetectionReport>(&json).unwrap(),
            report
        );
    }
}
