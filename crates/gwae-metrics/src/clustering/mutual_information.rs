//! How much information clusters have about classes, and classes about clusters.

use super::contingency::ContingencyTable;

impl ContingencyTable {
    /// Mutual information of class and cluster in nats: `Σ (n_ij/n) ln(n·n_ij / (aᵢ·bⱼ))`.
    pub fn mutual_information(&self) -> f64 {
        let items = self.items() as f64;
        let sum: f64 = self
            .cells()
            .iter()
            .map(|&(class, cluster, count)| {
                let expected = self.class_totals()[class] as f64
                    * (self.cluster_totals()[cluster] as f64 / items);
                count as f64 * (count as f64 / expected).ln()
            })
            .sum();
        (sum / items).max(0.0)
    }

    /// Entropy of the class in nats.
    pub fn class_entropy(&self) -> f64 {
        entropy(self.class_totals())
    }

    /// Entropy of the cluster in nats.
    pub fn cluster_entropy(&self) -> f64 {
        entropy(self.cluster_totals())
    }

    /// Entropy of the pair of class and cluster in nats.
    pub fn joint_entropy(&self) -> f64 {
        let counts: Vec<u64> = self.cells().iter().map(|&(_, _, count)| count).collect();
        entropy(&counts)
    }

    /// Normalised mutual information `2·I(class; cluster) / (H(class) + H(cluster))`, in `[0, 1]`.
    /// The arithmetic mean of the entropies normalises it, scikit-learn's default. It is not
    /// adjusted for chance: a large number of clusters raises it a little.
    ///
    /// Edge cases as in scikit-learn: 1 for one class and one cluster; 0 for one class and several
    /// clusters, or several classes and one cluster.
    pub fn normalised_mutual_information(&self) -> f64 {
        match (self.class_totals().len(), self.cluster_totals().len()) {
            (1, 1) => return 1.0,
            (1, _) | (_, 1) => return 0.0,
            _ => {}
        }
        let information = self.mutual_information();
        let entropies = self.class_entropy() + self.cluster_entropy();
        (2.0 * information / entropies).min(1.0)
    }
}

/// Entropy in nats of counts divided by their sum. Counts of 0 add nothing.
fn entropy(counts: &[u64]) -> f64 {
    let total = counts.iter().sum::<u64>() as f64;
    let sum: f64 = counts
        .iter()
        .filter(|&&count| count > 0)
        .map(|&count| count as f64 * (total / count as f64).ln())
        .sum();
    sum / total
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::contingency::tests::{assert_invariant, labels, table};
    use super::ContingencyTable;

    #[test]
    fn small_cases_have_closed_forms() {
        // Two classes of two; clusters {a, a, b}, {b}.
        let half = table(&[0, 0, 1, 1], &[0, 0, 0, 1]);
        // I = H(class) − H(class | cluster). Three of four items are in a cluster with class shares
        // 2/3 and 1/3; the last item is alone.
        let conditional = 0.75 * (3f64.ln() - 2.0 / 3.0 * 2f64.ln());
        let information = 2f64.ln() - conditional;
        assert!((half.mutual_information() - information).abs() < 1e-15);
        let clusters = 0.75 * (4f64 / 3.0).ln() + 0.25 * 4f64.ln();
        let expected = 2.0 * information / (2f64.ln() + clusters);
        assert!((half.normalised_mutual_information() - expected).abs() < 1e-15);
        assert!((half.class_entropy() - 2f64.ln()).abs() < 1e-15);
        assert!((half.cluster_entropy() - clusters).abs() < 1e-15);
        // Pairs (0, a) twice, (1, a), (1, b).
        assert!((half.joint_entropy() - 1.5 * 2f64.ln()).abs() < 1e-15);
        // Independent labels share no information.
        let independent = table(&[0, 0, 1, 1], &[0, 1, 0, 1]);
        assert_eq!(independent.normalised_mutual_information(), 0.0);
    }

    #[test]
    fn edge_cases_are_those_of_scikit_learn() {
        for (classes, clusters, expected) in [
            (vec![0u8; 4], vec![5u8; 4], 1.0),
            (vec![0], vec![0], 1.0),
            (vec![0, 1, 2], vec![2, 0, 1], 1.0),
            (vec![0; 3], vec![0, 1, 2], 0.0),
            (vec![0, 1, 2], vec![0; 3], 0.0),
            (vec![0, 0, 1, 1], vec![0; 4], 0.0),
        ] {
            let found = table(&classes, &clusters).normalised_mutual_information();
            assert!((found - expected).abs() < 1e-15, "{classes:?} {clusters:?}");
        }
    }

    fn naive_information(classes: &[u8], clusters: &[u8]) -> f64 {
        let n = classes.len() as f64;
        let share = |test: &dyn Fn(u8, u8) -> bool| {
            let pairs = classes.iter().zip(clusters);
            pairs.filter(|&(&c, &k)| test(c, k)).count() as f64 / n
        };
        let (mut information, mut entropies) = (0.0, 0.0);
        for label in 0..10 {
            for share in [share(&|c, _| c == label), share(&|_, k| k == label)] {
                entropies -= if share > 0.0 { share * share.ln() } else { 0.0 };
            }
            for cluster in 0..10 {
                let joint = share(&|c, k| c == label && k == cluster);
                let product = share(&|c, _| c == label) * share(&|_, k| k == cluster);
                information += if joint > 0.0 {
                    joint * (joint / product).ln()
                } else {
                    0.0
                };
            }
        }
        if entropies == 0.0 {
            1.0
        } else {
            2.0 * information / entropies
        }
    }

    proptest! {
        #[test]
        fn agrees_with_naive_counting((classes, clusters) in labels()) {
            let found = table(&classes, &clusters).normalised_mutual_information();
            prop_assert!((found - naive_information(&classes, &clusters)).abs() < 1e-9);
        }

        /// Symmetric in classes and clusters. Labels' names and the items' order do not matter.
        #[test]
        fn invariant_under_renaming_and_exchange((classes, clusters) in labels()) {
            assert_invariant(&classes, &clusters, ContingencyTable::normalised_mutual_information);
            let equal = table(&classes, &classes).normalised_mutual_information();
            prop_assert!((equal - 1.0).abs() < 1e-12);
        }
    }
}
