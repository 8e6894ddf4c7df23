//! Points as rows of one slice, which is checked once.

use crate::error::MetricError;

/// Finite points, row-major `[n, dimensions]` with `n ≥ 1` and `dimensions ≥ 1`.
#[derive(Clone, Copy)]
pub(crate) struct Points<'a> {
    pub values: &'a [f32],
    pub dimensions: usize,
}

impl<'a> Points<'a> {
    /// # Errors
    /// [`MetricError::Empty`], [`MetricError::PartialPoint`], [`MetricError::NotFinite`].
    pub fn new(values: &'a [f32], dimensions: usize) -> Result<Self, MetricError> {
        check_rows("points", values, dimensions, |value| value.is_finite())?;
        Ok(Self { values, dimensions })
    }

    pub fn count(&self) -> usize {
        self.values.len() / self.dimensions
    }

    pub fn rows(&self) -> impl ExactSizeIterator<Item = &'a [f32]> + Clone + use<'a> {
        self.values.chunks_exact(self.dimensions)
    }

    pub fn row(&self, index: usize) -> &'a [f32] {
        &self.values[index * self.dimensions..][..self.dimensions]
    }

    /// Mean of each coordinate, summed in f64.
    pub fn mean(&self) -> Vec<f64> {
        let mut mean = vec![0.0; self.dimensions];
        for row in self.rows() {
            for (sum, &value) in mean.iter_mut().zip(row) {
                *sum += f64::from(value);
            }
        }
        let count = self.count() as f64;
        mean.iter_mut().for_each(|sum| *sum /= count);
        mean
    }
}

/// Checks that row-major `values` are at least one row of `width` finite numbers.
///
/// # Errors
/// [`MetricError::Empty`], [`MetricError::PartialPoint`], [`MetricError::NotFinite`].
pub(crate) fn check_rows<T>(
    field: &'static str,
    values: &[T],
    width: usize,
    is_finite: impl Fn(&T) -> bool,
) -> Result<(), MetricError> {
    if values.is_empty() {
        return Err(MetricError::Empty { field });
    }
    if width == 0 || !values.len().is_multiple_of(width) {
        return Err(MetricError::PartialPoint {
            values: values.len(),
            dimensions: width,
        });
    }
    match values.iter().position(|value| !is_finite(value)) {
        Some(index) => Err(MetricError::NotFinite { field, index }),
        None => Ok(()),
    }
}
