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
    /// Value of each item.
    pub values: Vec<f64>,
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
    /// [`MetricError::NotFinite`], [`MetricError::TooLarge`], and [`MetricError::ConstantFactor`].
    /// Absolute values below 10⁻⁶⁰ count as 0.
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
        let factors = factors.map(|(index, values)| Factor::new(index, values));
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

    /// The same items with one factor replaced by a column for each of its values, which is 1 for
    /// items with this value and 0 for others. The columns come in the factor's place.
    ///
    /// This is how a factor without an order, such as a shape, becomes numbers. The GWAE paper's
    /// evaluation does this to the shape of 3D Shapes, so that its 6 factors become 9 columns.
    ///
    /// # Errors
    /// [`MetricError::OutOfRange`] if there is no such factor.
    pub fn with_one_hot(&self, factor: usize) -> Result<Self, MetricError> {
        let Some(replaced) = self.factors.get(factor) else {
            return Err(MetricError::OutOfRange {
                field: "factor",
                value: factor.to_string(),
                allowed: "a column of the factors, counted from 0",
            });
        };
        let columns = (0..replaced.class_count).map(|class| {
            let is_class = |&other: &usize| f64::from(u8::from(other == class));
            Factor::new(
                factor + class,
                replaced.classes.iter().map(is_class).collect(),
            )
        });
        let mut factors = self.factors.clone();
        factors.splice(factor..=factor, columns.collect::<Result<Vec<_>, _>>()?);
        Ok(Self {
            codes: self.codes.clone(),
            factors,
        })
    }

    /// Some of the items, in the given order.
    ///
    /// # Errors
    /// [`MetricError::ConstantFactor`] if all these items have the same value of a factor.
    pub(crate) fn select(&self, items: &[usize]) -> Result<Self, MetricError> {
        let pick = |column: &Vec<f64>| items.iter().map(|&item| column[item]).collect();
        let factors = self.factors.iter().enumerate();
        let factors = factors.map(|(index, factor)| Factor::new(index, pick(&factor.values)));
        Ok(Self {
            factors: factors.collect::<Result<_, _>>()?,
            codes: self.codes.iter().map(pick).collect(),
        })
    }

    /// How many of the items train a predictor, the rest test it: the first two thirds.
    ///
    /// # Errors
    /// [`MetricError::TooFewItems`] for fewer than 3 items.
    pub(crate) fn training_items(&self, metric: &'static str) -> Result<usize, MetricError> {
        let found = self.items();
        if found < 3 {
            return Err(MetricError::TooFewItems {
                metric,
                found,
                least: 3,
            });
        }
        Ok((2 * found).div_ceil(3))
    }

    /// The codes of some items in single precision, which scikit-learn's trees use; one column for each
    /// dimension.
    pub(crate) fn single_precision(&self, items: &[usize]) -> Vec<Vec<f32>> {
        let column = |code: &Vec<f64>| items.iter().map(|&item| code[item] as f32).collect();
        self.codes.iter().map(column).collect()
    }

    #[cfg(test)]
    pub(crate) fn without_factor(mut self, factor: usize) -> Self {
        self.factors.remove(factor);
        self
    }

    pub(crate) fn codes(&self) -> &[Vec<f64>] {
        &self.codes
    }

    pub(crate) fn factors(&self) -> &[Factor] {
        &self.factors
    }
}

impl Factor {
    /// `index` is the column that an error names.
    pub fn new(index: usize, values: Vec<f64>) -> Result<Self, MetricError> {
        let mut distinct = values.clone();
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
            class_count: distinct.len(),
            classes,
            values,
        })
    }

    /// The items of each class.
    pub fn items_of_classes(&self) -> Vec<Vec<usize>> {
        let mut items = vec![Vec::new(); self.class_count];
        for (item, &class) in self.classes.iter().enumerate() {
            items[class].push(item);
        }
        items
    }

    /// The values, scaled to [0, 1] if any of them lies outside.
    pub fn unit_values(&self) -> Vec<f64> {
        if self.values.iter().all(|value| (0.0..=1.0).contains(value)) {
            return self.values.clone();
        }
        let smallest = self.values.iter().copied().fold(f64::INFINITY, f64::min);
        let largest = self
            .values
            .iter()
            .copied()
            .fold(f64::NEG_INFINITY, f64::max);
        // Halves, because the difference of huge values overflows.
        let range = largest / 2.0 - smallest / 2.0;
        let scaled = self
            .values
            .iter()
            .map(|value| (value / 2.0 - smallest / 2.0) / range);
        scaled.collect()
    }

    /// Entropy of the classes in nats; above 0.
    pub fn entropy(&self) -> f64 {
        let mut counts = vec![0.0; self.class_count];
        self.classes.iter().for_each(|&class| counts[class] += 1.0);
        let items = self.classes.len() as f64;
        let terms = counts
            .iter()
            .map(|count| count / items * (items / count).ln());
        terms.sum()
    }
}

/// Smaller absolute values count as 0, so that no square or product of them underflows.
const SMALLEST: f64 = 1e-60;

/// The columns of a row-major matrix.
fn columns(
    field: &'static str,
    values: &[f64],
    width: usize,
) -> Result<Vec<Vec<f64>>, MetricError> {
    check_rows(field, values, width, |value| value.is_finite())?;
    let too_large = |value: &f64| value.abs() > f64::from(f32::MAX);
    if let Some(index) = values.iter().position(too_large) {
        return Err(MetricError::TooLarge { field, index });
    }
    let flushed = |&value: &f64| if value.abs() < SMALLEST { 0.0 } else { value };
    let column = |number| {
        let column = values.iter().skip(number).step_by(width);
        column.map(flushed).collect()
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
    fn a_factor_becomes_a_column_for_each_value() {
        let factors = [7.0, 1.0, 8.0, 2.0, 7.0, 3.0];
        let labelled = LabelledCodes::new(&[1.0, 2.0, 3.0], 1, &factors, 2).unwrap();
        let found = labelled.with_one_hot(1).unwrap();
        let values: Vec<&[f64]> = found.factors().iter().map(|f| &f.values[..]).collect();
        let expected: [&[f64]; 4] = [
            &[7.0, 8.0, 7.0],
            &[1.0, 0.0, 0.0],
            &[0.0, 1.0, 0.0],
            &[0.0, 0.0, 1.0],
        ];
        assert_eq!(values, expected);
        assert!(labelled.with_one_hot(2).is_err());
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
        let diverged = new(&[1.0, -4e38], 1, &[1.0, 2.0], 1).unwrap_err();
        let field = "codes";
        assert_eq!(diverged, MetricError::TooLarge { field, index: 1 });
        assert_eq!(
            new(&[1.0, 2.0], 1, &[1.0, 5.0, 2.0, 5.0], 2).unwrap_err(),
            MetricError::ConstantFactor { index: 1 }
        );
    }
}
