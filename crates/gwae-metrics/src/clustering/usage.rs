//! Whether all clusters are used, or only a few.

use serde::{Deserialize, Serialize};

use crate::error::MetricError;

/// The distribution of the items over K clusters.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ClusterUsage {
    /// Share of each cluster, K numbers that sum to 1.
    pub shares: Vec<f64>,
    /// Entropy of the shares in nats: `−Σ sₖ ln sₖ`, from 0 (one cluster has all items) to `ln K`
    /// (all clusters are used equally).
    pub entropy: f64,
    /// Entropy divided by `ln K`, from 0 to 1. It is 1 for K = 1, which cannot collapse.
    pub normalised_entropy: f64,
}

impl ClusterUsage {
    /// From the cluster of each item, numbered from 0. `clusters` is K, the number of existing
    /// clusters; clusters without items count too.
    ///
    /// # Errors
    /// [`MetricError::Empty`], and [`MetricError::NoSuchCluster`] for an assignment that is not
    /// below `clusters`.
    pub fn from_assignments(assignments: &[usize], clusters: usize) -> Result<Self, MetricError> {
        if assignments.is_empty() {
            return Err(MetricError::Empty {
                field: "assignments",
            });
        }
        if let Some(index) = assignments.iter().position(|&cluster| cluster >= clusters) {
            return Err(MetricError::NoSuchCluster {
                index,
                cluster: assignments[index],
                clusters,
            });
        }
        let mut weights = vec![0.0; clusters];
        for &cluster in assignments {
            weights[cluster] += 1.0;
        }
        Self::from_weights(&weights)
    }

    /// From one weight per cluster, such as a mixture's weights or its mean responsibilities. They
    /// are divided by their sum.
    ///
    /// # Errors
    /// [`MetricError::Empty`], [`MetricError::NotFinite`], and [`MetricError::OutOfRange`] for a
    /// negative weight or for weights whose sum is 0 or overflows.
    pub fn from_weights(weights: &[f64]) -> Result<Self, MetricError> {
        if weights.is_empty() {
            return Err(MetricError::Empty { field: "weights" });
        }
        if let Some(index) = weights.iter().position(|weight| !weight.is_finite()) {
            return Err(MetricError::NotFinite {
                field: "weights",
                index,
            });
        }
        let refuse = |value: f64, allowed| MetricError::OutOfRange {
            field: "weights",
            value: value.to_string(),
            allowed,
        };
        if let Some(&weight) = weights.iter().find(|&&weight| weight < 0.0) {
            return Err(refuse(weight, "0 or more for each cluster"));
        }
        let total: f64 = weights.iter().sum();
        if !(total > 0.0 && total.is_finite()) {
            return Err(refuse(total, "a sum above 0 and finite"));
        }
        let shares: Vec<f64> = weights.iter().map(|weight| weight / total).collect();
        let used = shares.iter().filter(|&&share| share > 0.0);
        // A single share of 1 would give −0 without the addition.
        let entropy = used.map(|share| -share * share.ln()).sum::<f64>() + 0.0;
        let normalised_entropy = match shares.len() {
            1 => 1.0,
            clusters => (entropy / (clusters as f64).ln()).min(1.0),
        };
        Ok(Self {
            shares,
            entropy,
            normalised_entropy,
        })
    }

    /// Number of clusters whose share is above 0.
    pub fn used(&self) -> usize {
        self.shares.iter().filter(|&&share| share > 0.0).count()
    }

    /// `exp(entropy)`: the number of equally used clusters with the same entropy, from 1 to K.
    pub fn effective_clusters(&self) -> f64 {
        self.entropy.exp()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_cases_have_closed_forms() {
        let even = ClusterUsage::from_assignments(&[0, 1, 2, 3, 3, 2, 1, 0], 4).unwrap();
        assert!((even.entropy - 4f64.ln()).abs() < 1e-15);
        assert!((even.normalised_entropy - 1.0).abs() < 1e-15);
        assert!((even.effective_clusters() - 4.0).abs() < 1e-12);
        // Two of four clusters, equally: ln 2 / ln 4 = 1/2.
        let two = ClusterUsage::from_assignments(&[0, 3], 4).unwrap();
        assert_eq!(two.shares, [0.5, 0.0, 0.0, 0.5]);
        assert!((two.entropy - 2f64.ln()).abs() < 1e-15);
        assert!((two.normalised_entropy - 0.5).abs() < 1e-15);
        assert_eq!(two.used(), 2);
        // Shares 1/4 and 3/4, independent of the scale of the weights.
        let skewed = ClusterUsage::from_weights(&[2.0, 6.0]).unwrap();
        let entropy = 4f64.ln() - 0.75 * 3f64.ln();
        assert!((skewed.entropy - entropy).abs() < 1e-15);
        let collapsed = ClusterUsage::from_assignments(&[1; 5], 3).unwrap();
        assert_eq!(
            (collapsed.entropy, collapsed.normalised_entropy),
            (0.0, 0.0)
        );
        assert!(collapsed.entropy.is_sign_positive());
        let single = ClusterUsage::from_assignments(&[0; 5], 1).unwrap();
        assert_eq!((single.entropy, single.normalised_entropy), (0.0, 1.0));
    }

    #[test]
    fn impossible_input_is_refused() {
        let empty = |field| Err(MetricError::Empty { field });
        assert_eq!(ClusterUsage::from_assignments(&[], 3), empty("assignments"));
        assert_eq!(ClusterUsage::from_weights(&[]), empty("weights"));
        assert_eq!(
            ClusterUsage::from_assignments(&[0, 3], 3),
            Err(MetricError::NoSuchCluster {
                index: 1,
                cluster: 3,
                clusters: 3
            })
        );
        assert!(ClusterUsage::from_assignments(&[0], 0).is_err());
        assert_eq!(
            ClusterUsage::from_weights(&[1.0, f64::NAN]),
            Err(MetricError::NotFinite {
                field: "weights",
                index: 1
            })
        );
        for weights in [[1.0, -1.0], [0.0, 0.0], [f64::MAX, f64::MAX]] {
            assert!(matches!(
                ClusterUsage::from_weights(&weights),
                Err(MetricError::OutOfRange { .. })
            ));
        }
    }
}
