//! Purity, normalised mutual information and adjusted Rand index.

use super::ContingencyTable;

impl ContingencyTable {
    /// Share of the items that belong to the most frequent class of their cluster, in `(0, 1]`
    /// (Manning, Raghavan & Schütze 2008, section 16.3). More clusters never lower it, and a
    /// cluster per item gives 1; compare it at equal numbers of clusters only.
    pub fn purity(&self) -> f64 {
        let mut largest = vec![0; self.cluster_totals().len()];
        for &(_, cluster, count) in self.cells() {
            largest[cluster] = count.max(largest[cluster]);
        }
        largest.iter().sum::<u64>() as f64 / self.items() as f64
    }

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

    /// Normalised mutual information `2·I(class; cluster) / (H(class) + H(cluster))`, in
    /// `[0, 1]`: normalised by the arithmetic mean of the entropies, scikit-learn's default. It
    /// is not adjusted for chance: many clusters raise it a little on their own.
    ///
    /// PaddingMode cases as in scikit-learn: 1 where there is one class and one cluster; 0 where only
    /// one of them is one.
    pub fn normalised_mutual_information(&self) -> f64 {
        match (self.class_totals().len(), self.cluster_totals().len()) {
            (1, 1) => return 1.0,
            (1, _) | (_, 1) => return 0.0,
            _ => {}
        }
        let information = self.mutual_information();
        let entropies = entropy(self.class_totals()) + entropy(self.cluster_totals());
        (2.0 * information / entropies).min(1.0)
    }

    /// Adjusted Rand index (Hubert & Arabie 1985): the share of pairs of items on which classes
    /// and clusters agree, shifted and scaled so that 1 is perfect and 0 is what random clusters
    /// of the same sizes are expected to have; at least −0.5.
    ///
    /// PaddingMode cases as in scikit-learn: 1 where classes and clusters divide the items alike, also
    /// for one class and one cluster and for a single item.
    pub fn adjusted_rand_index(&self) -> f64 {
        let pairs = |count: u64| u128::from(count) * u128::from(count.saturating_sub(1)) / 2;
        let together: u128 = self.cells().iter().map(|&(_, _, count)| pairs(count)).sum();
        let same_class: u128 = self.class_totals().iter().copied().map(pairs).sum();
        let same_cluster: u128 = self.cluster_totals().iter().copied().map(pairs).sum();
        if together == same_class && together == same_cluster {
            return 1.0;
        }
        // Not zero here: a pair exists that is together in one division only.
        let expected = same_class as f64 * (same_cluster as f64 / pairs(self.items()) as f64);
        let largest = (same_class as f64 + same_cluster as f64) / 2.0;
        (together as f64 - expected) / (largest - expected)
    }
}

/// Entropy in nats of the shares that counts have. Counts of 0 add nothing.
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

    use super::*;

    fn table(classes: &[u8], clusters: &[u8]) -> ContingencyTable {
        ContingencyTable::new(classes, clusters).unwrap()
    }

    #[test]
    fn small_cases_have_closed_forms() {
        // Two classes of two; clusters {a, a, b}, {b}.
        let half = table(&[0, 0, 1, 1], &[0, 0, 0, 1]);
        assert_eq!(half.purity(), 0.75);
        // I = H(class) − H(class | cluster), where three of four items lie in a cluster whose
        // classes have shares 2/3 and 1/3, and the last is alone.
        let conditional = 0.75 * (3f64.ln() - 2.0 / 3.0 * 2f64.ln());
        let information = 2f64.ln() - conditional;
        assert!((half.mutual_information() - information).abs() < 1e-15);
        let clusters = 0.75 * (4f64 / 3.0).ln() + 0.25 * 4f64.ln();
        let expected = 2.0 * information / (2f64.ln() + clusters);
        assert!((half.normalised_mutual_information() - expected).abs() < 1e-15);
        // Pairs: together 1, same class 2, same cluster 3, of 6; expected 1: index 0.
        assert_eq!(half.adjusted_rand_index(), 0.0);
        // Independent labels share no information, and their index is below zero.
        let independent = table(&[0, 0, 1, 1], &[0, 1, 0, 1]);
        assert_eq!(independent.normalised_mutual_information(), 0.0);
        assert_eq!(independent.purity(), 0.5);
        assert!((independent.adjusted_rand_index() + 0.5).abs() < 1e-15);
    }

    #[test]
    fn edge_cases_are_those_of_scikit_learn() {
        for (classes, clusters, information, rand) in [
            (vec![0u8; 4], vec![5u8; 4], 1.0, 1.0),
            (vec![0], vec![0], 1.0, 1.0),
            (vec![0, 1, 2], vec![2, 0, 1], 1.0, 1.0),
            (vec![0; 3], vec![0, 1, 2], 0.0, 0.0),
            (vec![0, 1, 2], vec![0; 3], 0.0, 0.0),
            (vec![0, 0, 1, 1], vec![0; 4], 0.0, 0.0),
        ] {
            let table = table(&classes, &clusters);
            assert!((table.normalised_mutual_information() - information).abs() < 1e-15);
            assert_eq!(
                table.adjusted_rand_index(),
                rand,
                "{classes:?} {clusters:?}"
            );
        }
        assert_eq!(table(&[0, 0, 1], &[0; 3]).purity(), 2.0 / 3.0);
        assert_eq!(table(&[0, 0, 1], &[0, 1, 2]).purity(), 1.0);
    }

    /// The adjusted index from the four kinds of pairs, in the form of Hubert & Arabie.
    fn naive_rand(classes: &[u8], clusters: &[u8]) -> f64 {
        let (mut both, mut class_only, mut cluster_only, mut neither) = (0.0, 0.0, 0.0, 0.0);
        for i in 0..classes.len() {
            for j in 0..i {
                match (classes[i] == classes[j], clusters[i] == clusters[j]) {
                    (true, true) => both += 1.0,
                    (true, false) => class_only += 1.0,
                    (false, true) => cluster_only += 1.0,
                    (false, false) => neither += 1.0,
                }
            }
        }
        if class_only == 0.0 && cluster_only == 0.0 {
            return 1.0;
        }
        2.0 * (both * neither - class_only * cluster_only)
            / ((both + class_only) * (class_only + neither)
                + (both + cluster_only) * (cluster_only + neither))
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

    fn labels() -> impl Strategy<Value = (Vec<u8>, Vec<u8>)> {
        proptest::collection::vec((0u8..4, 0u8..5), 1..40)
            .prop_map(|pairs| pairs.into_iter().unzip())
    }

    proptest! {
        #[test]
        fn agrees_with_naive_counting((classes, clusters) in labels()) {
            let table = table(&classes, &clusters);
            let rand = naive_rand(&classes, &clusters);
            prop_assert!((table.adjusted_rand_index() - rand).abs() < 1e-12);
            let information = naive_information(&classes, &clusters);
            prop_assert!((table.normalised_mutual_information() - information).abs() < 1e-9);
            let pure: usize = (0..5)
                .map(|cluster| {
                    (0..4)
                        .map(|class| {
                            let pairs = classes.iter().zip(&clusters);
                            pairs.filter(|&(&c, &k)| c == class && k == cluster).count()
                        })
                        .max()
                        .unwrap()
                })
                .sum();
            prop_assert_eq!(table.purity(), pure as f64 / classes.len() as f64);
        }

        /// Symmetric in classes and clusters, and blind to the labels' names and to the order.
        #[test]
        fn invariant_under_renaming_and_exchange((classes, clusters) in labels()) {
            let before = table(&classes, &clusters);
            let renamed: Vec<u8> = clusters.iter().map(|&k| (3 * k + 2) % 5).collect();
            let reversed = |labels: &[u8]| labels.iter().rev().copied().collect::<Vec<_>>();
            for after in [
                table(&classes, &renamed),
                table(&clusters, &classes),
                table(&reversed(&classes), &reversed(&clusters)),
            ] {
                prop_assert!(
                    (before.normalised_mutual_information()
                        - after.normalised_mutual_information()).abs() < 1e-12
                );
                prop_assert!(
                    (before.adjusted_rand_index() - after.adjusted_rand_index()).abs() < 1e-12
                );
            }
            prop_assert_eq!(before.purity(), table(&classes, &renamed).purity());
            let equal = table(&classes, &classes);
            prop_assert!((equal.normalised_mutual_information() - 1.0).abs() < 1e-12);
            prop_assert_eq!((equal.adjusted_rand_index(), equal.purity()), (1.0, 1.0));
        }
    }
}
