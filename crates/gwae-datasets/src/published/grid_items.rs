//! Maps the items of a dataset to the combinations of a factor grid.

use crate::factor_grid::{FactorGrid, FactorGridError};

/// Items that each show one combination of a grid: all combinations in order, or some in any order.
#[derive(Clone, Debug)]
pub(crate) struct GridItems {
    grid: FactorGrid,
    len: usize,
    /// The combination of every item; `None` if item `i` shows combination `i`.
    combinations: Option<Vec<u32>>,
    /// `(combination, item)`, ascending; empty if `combinations` is `None`.
    by_combination: Vec<(u32, u32)>,
}

impl GridItems {
    /// `combinations` holds the combination of every item; all must be less than the grid's length.
    pub(crate) fn new(grid: FactorGrid, combinations: Vec<u32>) -> Self {
        let in_order = combinations
            .iter()
            .zip(0..)
            .all(|(&found, item)| found == item);
        let mut by_combination = Vec::new();
        if !in_order {
            by_combination = combinations.iter().copied().zip(0..).collect();
            by_combination.sort_unstable();
        }
        Self {
            grid,
            len: combinations.len(),
            combinations: (!in_order).then_some(combinations),
            by_combination,
        }
    }

    pub(crate) fn grid(&self) -> &FactorGrid {
        &self.grid
    }

    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// Whether item `i` shows combination `i` and no combination is missing.
    pub(crate) fn is_whole_grid(&self) -> bool {
        self.combinations.is_none() && self.len == self.grid.len()
    }

    /// The combination of every item.
    pub(crate) fn combinations(&self) -> Vec<u32> {
        match &self.combinations {
            Some(combinations) => combinations.clone(),
            None => (0..self.len as u32).collect(),
        }
    }

    /// The factor values of an item. `item` must be less than `len`.
    pub(crate) fn values_of(&self, item: usize) -> Result<Vec<u32>, FactorGridError> {
        let combination = match &self.combinations {
            Some(combinations) => combinations.get(item).copied().unwrap_or(u32::MAX) as usize,
            None => item,
        };
        self.grid.values_of(combination)
    }

    /// The first item that shows a combination.
    pub(crate) fn item_of(&self, values: &[u32]) -> Result<Option<usize>, FactorGridError> {
        let combination = self.grid.index_of(values)?;
        if self.combinations.is_none() {
            return Ok((combination < self.len).then_some(combination));
        }
        let place = self
            .by_combination
            .partition_point(|&(other, _)| (other as usize) < combination);
        Ok(match self.by_combination.get(place) {
            Some(&(found, item)) if found as usize == combination => Some(item as usize),
            _ => None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::factor_grid::shapes3d_grid;

    #[test]
    fn items_are_found_by_their_values_in_any_order() {
        let cases = [
            (0..100).collect::<Vec<u32>>(),
            vec![5],
            vec![7, 479_999, 0, 7, 12],
            (0..300).rev().map(|i| i * 1000).collect(),
        ];
        for combinations in cases {
            let items = GridItems::new(shapes3d_grid(), combinations.clone());
            assert_eq!(items.combinations(), combinations);
            assert!(!items.is_whole_grid());
            for combination in (0..480_000).step_by(500).chain([7, 12, 479_999]) {
                let expected = combinations.iter().position(|&c| c == combination);
                let values = shapes3d_grid().values_of(combination as usize).unwrap();
                assert_eq!(items.item_of(&values).unwrap(), expected);
                if let Some(item) = expected {
                    assert_eq!(items.values_of(item).unwrap(), values);
                }
            }
            items.item_of(&[0; 5]).unwrap_err();
        }
        let whole = GridItems::new(shapes3d_grid(), (0..480_000).collect());
        assert!(whole.is_whole_grid());
        assert!(whole.by_combination.is_empty());
    }
}
