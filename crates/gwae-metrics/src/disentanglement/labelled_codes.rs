//! Codes and the factors of the same items, checked once.

use crate::error::MetricError;
use crate::points::check_rows;

/// Codes and ground-truth factors of the same items. All disentanglement metrics take this.
///
/// A factor is a column of values. Equal values form a class. Metrics that treat factors as
/// categories use the classes, numbered in the order of their values.
#[derive(Clone, Debug)]
pub struct LabelledCodes {
    /// One column for each latent dimension.
    codes: Vec<Vec<f64>>,
    factors: Vec<Factor>,
}

/// One ground-truth factor.
#[derive(Clone, Debug)]
pub(crate) struct Factor {
    /// Class of each item, `0..class_count`.
    pub classes: Vec<usize>,
    pub class_count: usize,
}

impl LabelledCodes {
    /// `codes`: row-major `[items, dimensions]`. `factors`: row-major `[items, factor_count]`.
    ///
    /// # Errors
    /// [`MetricError::Empty`], [`MetricError::PartialPoint`] if an input is no whole number of rows,
    /// [`MetricError::ItemMismatch`] if the inputs have different numbers of rows,
    /// [`MetricError::NotFinite`], and [`MetricError::ConstantFactor`].
    pub fn new(
        codes: &[f64],
        dimensions: usize,
        factors: &[f64],
        factor_count: usize,
    ) -> Result<Self, MetricError> {
        let codes = columns("codes", codes, dimensions)?;
        let factors = columns("factors", factors, factor_count)?;
        if codes[0].len() != factors[0].len() {
            return Err(MetricError::ItemMismatch {
                codes: codes[0].len(),
                factors: factors[0].len(),
            });
        }
        let factors = factors.into_iter().enumerate();
        let factors = factors.map(|(index, values)| Factor::new(index, &values));
        Ok(Self {
            factors: factors.collect::<Result<_, _>>()?,
            codes,
        })
    }

    /// Number of items.
    pub fn items(&self) -> usize {
        self.codes[0].len()
    }

    /// Number of latent dimensions.
    pub fn dimensions(&self) -> usize {
        self.codes.len()
    }

    /// Number of factors.
    pub fn factor_count(&self) -> usize {
        self.factors.len()
    }

    pub(crate) fn codes(&self) -> &[Vec<f64>] {
        &self.codes
    }

    pub(crate) fn factors(&self) -> &[Factor] {
        &self.factors
    }
}

impl Factor {
    fn new(index: usize, values: &[f64]) -> Result<Self, MetricError> {
        let mut distinct = values.to_vec();
        distinct.sort_by(f64::total_cmp);
        // Not `dedup` on bits: 0 and −0 are one class.
        distinct.dedup_by(|a, b| a == b);
        if distinct.len() < 2 {
            return Err(MetricError::ConstantFactor { index });
        }
        let classes = values
            .iter()
            .map(|value| distinct.partition_point(|other| other < value))
            .collect();
        Ok(Self {
            classes,
            class_count: distinct.len(),
        })
    }
}

/// The columns of a row-major matrix.
fn columns(
    field: &'static str,
    values: &[f64],
    width: usize,
) -> Result<Vec<Vec<f64>>, MetricError> {
    check_rows(field, values, width, |value| value.is_finite())?;
    let column = |number| {
        let column = values.iter().skip(number).step_by(width);
        column.copied().collect()
    };
    Ok((0..width).map(column).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_values_are_one_class_in_the_order_of_the_values() {
        let labelled =
            LabelledCodes::new(&[1.0, 2.0, 3.0, 4.0], 1, &[2.5, -1.0, 2.5, 0.0], 1).unwrap();
        assert_eq!(labelled.factors()[0].classes, [2, 0, 2, 1]);
        assert_eq!(labelled.factors()[0].class_count, 3);
        let zeros = LabelledCodes::new(&[1.0, 2.0, 3.0], 1, &[0.0, -0.0, 1.0], 1).unwrap();
        assert_eq!(zeros.factors()[0].classes, [0, 0, 1]);
    }

    #[test]
    fn columns_are_those_of_the_rows() {
        let labelled =
            LabelledCodes::new(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0], 3, &[0.0, 7.0, 1.0, 8.0], 2)
                .unwrap();
        assert_eq!((labelled.items(), labelled.dimensions()), (2, 3));
        assert_eq!(labelled.codes()[1], [2.0, 5.0]);
        assert_eq!(labelled.factors()[1].classes, [0, 1]);
        assert_eq!(labelled.codes()[2], [3.0, 6.0]);
    }

    #[test]
    fn wrong_inputs_are_refused() {
        let new = LabelledCodes::new;
        assert_eq!(
            new(&[], 1, &[1.0], 1).unwrap_err(),
            MetricError::Empty { field: "codes" }
        );
        assert!(matches!(
            new(&[1.0, 2.0, 3.0], 2, &[1.0], 1).unwrap_err(),
            MetricError::PartialPoint {
                values: 3,
                dimensions: 2
            }
        ));
        assert_eq!(
            new(&[1.0, 2.0], 1, &[1.0, 2.0, 3.0], 1).unwrap_err(),
            MetricError::ItemMismatch {
                codes: 2,
                factors: 3
            }
        );
        assert!(matches!(
            new(&[1.0, f64::NAN], 1, &[1.0, 2.0], 1).unwrap_err(),
            MetricError::NotFinite {
                field: "codes",
                index: 1
            }
        ));
        assert_eq!(
            new(&[1.0, 2.0], 1, &[1.0, 5.0, 2.0, 5.0], 2).unwrap_err(),
            MetricError::ConstantFactor { index: 1 }
        );
    }
}
