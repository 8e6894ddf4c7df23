//! Features sorted once for all trees.

/// The least difference of two feature values that a split can lie between, as in scikit-learn.
pub(super) const SMALLEST_STEP: f32 = 1e-7;

/// Features in single precision, as scikit-learn's trees keep them, and the order of the items by
/// each feature. All trees of an ensemble share it.
pub(in crate::disentanglement) struct Presorted {
    columns: Vec<Vec<f32>>,
    orders: Vec<Vec<u32>>,
}

impl Presorted {
    /// `columns`: one for each feature; at most 2³² items.
    pub fn new(columns: &[Vec<f64>]) -> Self {
        let columns: Vec<Vec<f32>> = columns
            .iter()
            .map(|column| column.iter().map(|&value| value as f32).collect())
            .collect();
        let orders = columns.iter().map(|column| {
            let mut order: Vec<u32> = (0..column.len() as u32).collect();
            order.sort_by(|&a, &b| column[a as usize].total_cmp(&column[b as usize]));
            order
        });
        Self {
            orders: orders.collect(),
            columns,
        }
    }

    pub fn items(&self) -> usize {
        self.columns[0].len()
    }

    pub fn features(&self) -> usize {
        self.columns.len()
    }

    /// The values of a feature, and the items in ascending order of it.
    pub fn feature(&self, feature: usize) -> (&[f32], &[u32]) {
        (&self.columns[feature], &self.orders[feature])
    }
}

/// Where a split between two neighbouring values lies: items up to it go left. None if the values
/// are too close.
pub(super) fn threshold_between(below: f32, above: f32) -> Option<f64> {
    if above <= below + SMALLEST_STEP {
        return None;
    }
    let middle = f64::from(below) / 2.0 + f64::from(above) / 2.0;
    // Rounding may give the upper value, which belongs to the right.
    Some(if middle >= f64::from(above) {
        f64::from(below)
    } else {
        middle
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_are_in_ascending_order_of_each_feature() {
        let sorted = Presorted::new(&[vec![3.0, -1.0, 2.0], vec![0.0, 0.0, -5.0]]);
        assert_eq!((sorted.items(), sorted.features()), (3, 2));
        assert_eq!(sorted.feature(0).1, [1, 2, 0]);
        assert_eq!(sorted.feature(1).1, [2, 0, 1]);
    }

    #[test]
    fn a_threshold_separates_the_values() {
        assert_eq!(threshold_between(1.0, 2.0), Some(1.5));
        assert_eq!(threshold_between(1.0, 1.0), None);
        assert_eq!(threshold_between(0.0, 5e-8), None);
    }
}
