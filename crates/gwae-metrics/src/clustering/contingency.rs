//! Counts how often each label occurs in each cluster.

use crate::error::MetricError;

/// The number of items with each pair of class and cluster.
///
/// Stores only pairs that occur, so the table is never larger than the list of items, however many
/// labels there are. The measures of agreement are methods of this table: they depend only on these
/// counts, not on the names of the labels.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContingencyTable {
    /// (class, cluster, number of items), ascending. Every number is at least 1.
    cells: Vec<(usize, usize, u64)>,
    class_totals: Vec<u64>,
    cluster_totals: Vec<u64>,
}

impl ContingencyTable {
    /// Counts the labels of the same items, in the same order. Classes and clusters are numbered by
    /// the order of their labels. Labels need not be integers, and the numbers of classes and
    /// clusters may differ.
    ///
    /// # Errors
    /// [`MetricError::LabelMismatch`] and [`MetricError::Empty`].
    pub fn new<C: Ord, K: Ord>(classes: &[C], clusters: &[K]) -> Result<Self, MetricError> {
        if classes.len() != clusters.len() {
            return Err(MetricError::LabelMismatch {
                first: "classes",
                first_len: classes.len(),
                second: "clusters",
                second_len: clusters.len(),
            });
        }
        if classes.is_empty() {
            return Err(MetricError::Empty { field: "classes" });
        }
        let (class_of, class_totals) = numbered(classes);
        let (cluster_of, cluster_totals) = numbered(clusters);
        let mut pairs: Vec<(usize, usize)> = class_of.into_iter().zip(cluster_of).collect();
        pairs.sort_unstable();
        let cells = pairs
            .chunk_by(|a, b| a == b)
            .map(|equal| (equal[0].0, equal[0].1, equal.len() as u64))
            .collect();
        Ok(Self {
            cells,
            class_totals,
            cluster_totals,
        })
    }

    /// (class, cluster, number of items) for each pair that occurs, ascending.
    pub fn cells(&self) -> &[(usize, usize, u64)] {
        &self.cells
    }

    /// Number of items of each class.
    pub fn class_totals(&self) -> &[u64] {
        &self.class_totals
    }

    /// Number of items in each cluster.
    pub fn cluster_totals(&self) -> &[u64] {
        &self.cluster_totals
    }

    /// Number of items, at least 1.
    pub fn items(&self) -> u64 {
        self.class_totals.iter().sum()
    }
}

/// The index of each label among the distinct ones, and how often each distinct label occurs.
fn numbered<L: Ord>(labels: &[L]) -> (Vec<usize>, Vec<u64>) {
    let mut order: Vec<usize> = (0..labels.len()).collect();
    order.sort_unstable_by(|&a, &b| labels[a].cmp(&labels[b]));
    let mut numbers = vec![0; labels.len()];
    let mut totals = Vec::new();
    for equal in order.chunk_by(|&a, &b| labels[a] == labels[b]) {
        for &item in equal {
            numbers[item] = totals.len();
        }
        totals.push(equal.len() as u64);
    }
    (numbers, totals)
}

#[cfg(test)]
pub(super) mod tests {
    use proptest::prelude::*;

    use super::*;

    pub(in crate::clustering) fn table(classes: &[u8], clusters: &[u8]) -> ContingencyTable {
        ContingencyTable::new(classes, clusters).unwrap()
    }

    /// Classes and clusters of some items: up to four classes and five clusters.
    pub(in crate::clustering) fn labels() -> impl Strategy<Value = (Vec<u8>, Vec<u8>)> {
        proptest::collection::vec((0u8..4, 0u8..5), 1..40)
            .prop_map(|pairs| pairs.into_iter().unzip())
    }

    /// The same clusters with other names.
    pub(in crate::clustering) fn renamed(clusters: &[u8]) -> Vec<u8> {
        clusters.iter().map(|&k| (3 * k + 2) % 5).collect()
    }

    /// The labels of the items in reverse order.
    pub(in crate::clustering) fn reversed(labels: &[u8]) -> Vec<u8> {
        labels.iter().rev().copied().collect()
    }

    /// Asserts that a measure of agreement is symmetric in classes and clusters. Labels' names and
    /// the items' order do not matter.
    #[track_caller]
    pub(in crate::clustering) fn assert_invariant(
        classes: &[u8],
        clusters: &[u8],
        measure: impl Fn(&ContingencyTable) -> f64,
    ) {
        let before = measure(&table(classes, clusters));
        for after in [
            table(classes, &renamed(clusters)),
            table(clusters, classes),
            table(&reversed(classes), &reversed(clusters)),
        ] {
            let after = measure(&after);
            assert!((before - after).abs() < 1e-12, "{before} {after}");
        }
    }

    #[test]
    fn pairs_are_counted() {
        let classes = ["b", "a", "b", "b", "c"];
        let clusters = [7u8, 7, 2, 7, 2];
        let table = ContingencyTable::new(&classes, &clusters).unwrap();
        let cells = [(0, 1, 1), (1, 0, 1), (1, 1, 2), (2, 0, 1)];
        assert_eq!(table.cells(), cells);
        assert_eq!(table.class_totals(), [1, 3, 1]);
        assert_eq!(table.cluster_totals(), [2, 3]);
        assert_eq!(table.items(), 5);
    }

    #[test]
    fn labels_that_do_not_belong_together_are_refused() {
        assert_eq!(
            ContingencyTable::new(&[1, 2], &[1]),
            Err(MetricError::LabelMismatch {
                first: "classes",
                first_len: 2,
                second: "clusters",
                second_len: 1
            })
        );
        let empty = MetricError::Empty { field: "classes" };
        assert_eq!(ContingencyTable::new::<u8, u8>(&[], &[]), Err(empty));
    }
}
