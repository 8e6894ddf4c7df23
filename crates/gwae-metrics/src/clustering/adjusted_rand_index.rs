//! The share of item pairs on which classes and clusters agree.

use super::contingency::ContingencyTable;

impl ContingencyTable {
    /// Adjusted Rand index (Hubert & Arabie 1985): the share of pairs of items on which classes and
    /// clusters agree, shifted and scaled. 1 is perfect, 0 is the expected value for random
    /// clusters of the same sizes, and the least value is −0.5.
    ///
    /// Edge cases as in scikit-learn: 1 if classes and clusters divide the items in the same way,
    /// also for one class and one cluster and for a single item.
    pub fn adjusted_rand_index(&self) -> f64 {
        let pairs = |count: u64| u128::from(count) * u128::from(count.saturating_sub(1)) / 2;
        let together: u128 = self.cells().iter().map(|&(_, _, count)| pairs(count)).sum();
        let same_class: u128 = self.class_totals().iter().copied().map(pairs).sum();
        let same_cluster: u128 = self.cluster_totals().iter().copied().map(pairs).sum();
        if together == same_class && together == same_cluster {
            return 1.0;
        }
        // Not zero here: some pair is together in only one of the divisions.
        let expected = same_class as f64 * (same_cluster as f64 / pairs(self.items()) as f64);
        let largest = (same_class as f64 + same_cluster as f64) / 2.0;
        (together as f64 - expected) / (largest - expected)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::contingency::tests::{assert_invariant, labels, table};
    use super::ContingencyTable;

    #[test]
    fn small_cases_have_closed_forms() {
        // Pairs: together 1, same class 2, same cluster 3, of 6; expected 1: index 0.
        assert_eq!(
            table(&[0, 0, 1, 1], &[0, 0, 0, 1]).adjusted_rand_index(),
            0.0
        );
        // The index of independent labels is below zero.
        let independent = table(&[0, 0, 1, 1], &[0, 1, 0, 1]);
        assert!((independent.adjusted_rand_index() + 0.5).abs() < 1e-15);
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
            let found = table(&classes, &clusters).adjusted_rand_index();
            assert!(found == expected, "{classes:?} {clusters:?}");
        }
    }

    /// A dense table would have 10¹⁰ cells.
    #[test]
    fn a_label_per_item_costs_no_more_than_the_items() {
        let labels: Vec<usize> = (0..100_000).collect();
        let table = ContingencyTable::new(&labels, &labels).unwrap();
        assert_eq!(table.cells().len(), labels.len());
        assert_eq!(table.adjusted_rand_index(), 1.0);
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

    proptest! {
        #[test]
        fn agrees_with_naive_counting((classes, clusters) in labels()) {
            let found = table(&classes, &clusters).adjusted_rand_index();
            prop_assert!((found - naive_rand(&classes, &clusters)).abs() < 1e-12);
        }

        /// The index is symmetric in classes and clusters. Labels' names and the items' order do
        /// not matter.
        #[test]
        fn invariant_under_renaming_and_exchange((classes, clusters) in labels()) {
            assert_invariant(&classes, &clusters, ContingencyTable::adjusted_rand_index);
            let equal = table(&classes, &classes).adjusted_rand_index();
            prop_assert_eq!(equal, 1.0);
        }
    }
}
