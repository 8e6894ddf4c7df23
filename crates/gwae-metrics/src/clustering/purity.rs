//! The purity of clusters.

use super::contingency::ContingencyTable;

impl ContingencyTable {
    /// Share of the items that belong to the most frequent class of their cluster, in `(0, 1]`
    /// (Manning, Raghavan & Schütze 2008, section 16.3). More clusters never lower it, and one
    /// cluster per item gives 1. So compare purities only at equal numbers of clusters.
    pub fn purity(&self) -> f64 {
        let mut largest = vec![0; self.cluster_totals().len()];
        for &(_, cluster, count) in self.cells() {
            largest[cluster] = count.max(largest[cluster]);
        }
        largest.iter().sum::<u64>() as f64 / self.items() as f64
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::contingency::tests::{labels, renamed, reversed, table};

    #[test]
    fn small_cases_have_closed_forms() {
        // Two classes of two; clusters {a, a, b}, {b}.
        assert_eq!(table(&[0, 0, 1, 1], &[0, 0, 0, 1]).purity(), 0.75);
        assert_eq!(table(&[0, 0, 1, 1], &[0, 1, 0, 1]).purity(), 0.5);
        assert_eq!(table(&[0, 0, 1], &[0; 3]).purity(), 2.0 / 3.0);
        assert_eq!(table(&[0, 0, 1], &[0, 1, 2]).purity(), 1.0);
    }

    proptest! {
        #[test]
        fn agrees_with_naive_counting((classes, clusters) in labels()) {
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
            let found = table(&classes, &clusters).purity();
            prop_assert_eq!(found, pure as f64 / classes.len() as f64);
        }

        /// The names of the labels and the order of the items do not matter.
        #[test]
        fn invariant_under_renaming((classes, clusters) in labels()) {
            let before = table(&classes, &clusters).purity();
            prop_assert_eq!(before, table(&classes, &renamed(&clusters)).purity());
            prop_assert_eq!(before, table(&reversed(&classes), &reversed(&clusters)).purity());
            prop_assert_eq!(table(&classes, &classes).purity(), 1.0);
        }
    }
}
