//! Datasets with every combination of their factors exactly once, in a fixed order.

use std::sync::LazyLock;

use crate::error::{DatasetError, behind};
use crate::item::{FactorKind, FactorSpec};

/// The error for a factor grid that cannot be made, or for a value that is not in the grid.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FactorGridError {
    /// The grid has no factors.
    #[error("factors: there is none; name at least one")]
    NoFactors,

    /// A factor has no values, so there are no combinations.
    #[error("factor {factor}: has 0 values; give it 1 or more, or leave it out")]
    NoValues {
        /// Name of the factor.
        factor: String,
    },

    /// Two factors have the same name.
    #[error("factor {factor}: named twice; every factor needs a name of its own")]
    DuplicateName {
        /// The name.
        factor: String,
    },

    /// There are more combinations than an index can count.
    #[error(
        "factors: their combinations are more than {}, the most that are indexed; \
         use fewer factors or values",
        u32::MAX
    )]
    TooManyCombinations,

    /// The number of values differs from the number of factors.
    #[error("factor values: {found} given, but the grid has {expected} factors; give one for each")]
    WrongCount {
        /// Number of values given.
        found: usize,
        /// Number of factors of the grid.
        expected: usize,
    },

    /// The factor does not have the value.
    #[error("factor {factor}: value {value} is out of range; use 0 to {}", values - 1)]
    ValueOutOfRange {
        /// Name of the factor.
        factor: String,
        /// The value given.
        value: u32,
        /// Number of its values.
        values: u32,
    },

    /// An index is beyond the last combination.
    #[error("index {index} is out of range, the grid has {len} combinations of factor values")]
    IndexOutOfRange {
        /// The index given.
        index: usize,
        /// Number of combinations.
        len: usize,
    },

    /// No factor has the name.
    #[error("factor {factor}: not a factor of this dataset; it has {}", known.join(", "))]
    UnknownFactor {
        /// The name given.
        factor: String,
        /// The names of the factors.
        known: Vec<String>,
    },
}

behind!(Other, FactorGridError);

/// Every combination of the values of some factors, numbered in row-major order: the last factor
/// varies fastest. The published files of 3D Shapes and dSprites have this order.
///
/// ```
/// let grid = gwae_datasets::shapes3d_grid();
/// assert_eq!(grid.len(), 480_000);
/// assert_eq!(grid.values_of(61)?, [0, 0, 0, 1, 0, 1]);
/// assert_eq!(grid.index_of(&[0, 0, 0, 1, 0, 1])?, 61);
/// # Ok::<(), gwae_datasets::FactorGridError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FactorGrid {
    factors: Vec<FactorSpec>,
    len: usize,
}

impl FactorGrid {
    /// A grid over `factors`. The last one varies fastest.
    ///
    /// # Errors
    /// If there are no factors, a factor has no values, two factors have the same name, or there
    /// are more than [`u32::MAX`] combinations (the limit of splits and batches).
    pub fn new(factors: Vec<FactorSpec>) -> Result<Self, FactorGridError> {
        if factors.is_empty() {
            return Err(FactorGridError::NoFactors);
        }
        let mut len = 1_u32;
        for (position, FactorSpec { name, values, .. }) in factors.iter().enumerate() {
            if *values == 0 {
                return Err(FactorGridError::NoValues {
                    factor: name.clone(),
                });
            }
            if factors[..position].iter().any(|other| other.name == *name) {
                return Err(FactorGridError::DuplicateName {
                    factor: name.clone(),
                });
            }
            len = len
                .checked_mul(*values)
                .ok_or(FactorGridError::TooManyCombinations)?;
        }
        Ok(Self {
            factors,
            len: len as usize,
        })
    }

    /// The factors, slowest first.
    pub fn factors(&self) -> &[FactorSpec] {
        &self.factors
    }

    /// Number of combinations: the product of the factors' numbers of values, at least 1.
    #[expect(
        clippy::len_without_is_empty,
        reason = "a grid has at least one combination"
    )]
    pub fn len(&self) -> usize {
        self.len
    }

    /// The index of a combination, given as one value per factor.
    ///
    /// # Errors
    /// If there is not one value per factor, or a factor does not have its value.
    pub fn index_of(&self, values: &[u32]) -> Result<usize, FactorGridError> {
        if values.len() != self.factors.len() {
            return Err(FactorGridError::WrongCount {
                found: values.len(),
                expected: self.factors.len(),
            });
        }
        let mut index = 0;
        for (factor, &value) in self.factors.iter().zip(values) {
            if value >= factor.values {
                return Err(FactorGridError::ValueOutOfRange {
                    factor: factor.name.clone(),
                    value,
                    values: factor.values,
                });
            }
            index = index * factor.values as usize + value as usize;
        }
        Ok(index)
    }

    /// The combination at `index`: one value per factor.
    ///
    /// # Errors
    /// [`FactorGridError::IndexOutOfRange`] for `index ≥ len()`.
    pub fn values_of(&self, index: usize) -> Result<Vec<u32>, FactorGridError> {
        self.check(index)?;
        let mut rest = index;
        let mut values = vec![0; self.factors.len()];
        for (value, factor) in values.iter_mut().zip(&self.factors).rev() {
            *value = (rest % factor.values as usize) as u32;
            rest /= factor.values as usize;
        }
        Ok(values)
    }

    /// The values of item `index` of the dataset with this name, whose items are the combinations
    /// of this grid of `N` factors in order.
    ///
    /// # Errors
    /// [`DatasetError::IndexOutOfRange`] for `index ≥ len()`.
    pub(crate) fn item_values<const N: usize>(
        &self,
        dataset: &str,
        index: usize,
    ) -> Result<[u32; N], DatasetError> {
        let values = self.values_of(index).ok();
        let values = values.and_then(|values| values.try_into().ok());
        values.ok_or_else(|| DatasetError::IndexOutOfRange {
            dataset: dataset.to_owned(),
            index,
            len: self.len(),
        })
    }

    /// The indices of the combinations that differ from `index` at most in the factor `name`. That
    /// factor takes each of its values in order.
    ///
    /// # Errors
    /// [`FactorGridError::IndexOutOfRange`], and [`FactorGridError::UnknownFactor`] if no factor
    /// has the name.
    pub fn indices_varying(&self, index: usize, name: &str) -> Result<Vec<usize>, FactorGridError> {
        self.check(index)?;
        let position = self
            .factors
            .iter()
            .position(|factor| factor.name == name)
            .ok_or_else(|| FactorGridError::UnknownFactor {
                factor: name.to_owned(),
                known: self.factors.iter().map(|f| f.name.clone()).collect(),
            })?;
        let stride: usize = self.factors[position + 1..]
            .iter()
            .map(|factor| factor.values as usize)
            .product();
        let values = self.factors[position].values as usize;
        let first = index - index / stride % values * stride;
        Ok((0..values).map(|value| first + value * stride).collect())
    }

    fn check(&self, index: usize) -> Result<(), FactorGridError> {
        if index < self.len {
            Ok(())
        } else {
            Err(FactorGridError::IndexOutOfRange {
                index,
                len: self.len,
            })
        }
    }

    /// A grid from constants that satisfy the conditions of [`FactorGrid::new`].
    fn of_constants(factors: &[(&str, FactorKind, u32)]) -> Self {
        Self {
            factors: factors
                .iter()
                .map(|&(name, kind, values)| FactorSpec {
                    name: name.to_owned(),
                    kind,
                    values,
                })
                .collect(),
            len: factors.iter().map(|factor| factor.2 as usize).product(),
        }
    }
}

/// The 480,000 combinations of 3D Shapes in the order of `3dshapes.h5`: `floor_hue` (10),
/// `wall_hue` (10), `object_hue` (10), `scale` (8), `shape` (4: cube, cylinder, sphere,
/// capsule) and `orientation` (15), which varies fastest.
///
/// The hues are cyclic. `orientation` is not: it turns the view from one side to the other, −30° to
/// 30°.
pub fn shapes3d_grid() -> FactorGrid {
    FactorGrid::of_constants(&[
        ("floor_hue", FactorKind::Cyclic, 10),
        ("wall_hue", FactorKind::Cyclic, 10),
        ("object_hue", FactorKind::Cyclic, 10),
        ("scale", FactorKind::Ordered, 8),
        ("shape", FactorKind::Categorical, 4),
        ("orientation", FactorKind::Ordered, 15),
    ])
}

/// The meaning of the values of [`shapes3d_grid`], from the `labels` of `3dshapes.h5`: hues 0 to
/// 0.9 (in turns), scale 0.75 to 1.25, shape 0 to 3, orientation −30 to 30 (in degrees), each in
/// equal steps.
pub fn shapes3d_values() -> [Vec<f64>; 6] {
    let hue = || evenly_spaced(0.0, 0.9, 10);
    [
        hue(),
        hue(),
        hue(),
        evenly_spaced(0.75, 1.25, 8),
        evenly_spaced(0.0, 3.0, 4),
        evenly_spaced(-30.0, 30.0, 15),
    ]
}

/// The values of [`shapes3d_grid`] as text, factor by factor: names for shapes, and the numbers of
/// [`shapes3d_values`], rounded to two decimals, for all other factors.
pub fn shapes3d_value_names() -> &'static [Vec<String>] {
    static NAMES: LazyLock<Vec<Vec<String>>> = LazyLock::new(|| {
        let mut names = shapes3d_values().map(in_words);
        names[4] = ["cube", "cylinder", "sphere", "capsule"]
            .map(String::from)
            .into();
        names.into()
    });
    &NAMES
}

/// The 737,280 combinations of dSprites in the order of its published file: `shape` (3:
/// square, ellipse, heart), `scale` (6), `orientation` (40), `position_x` (32) and
/// `position_y` (32), which varies fastest.
///
/// The published file has a sixth factor before these, `color`, with the single value *white*. It
/// is left out here, because it does not vary; this changes no index.
///
/// `orientation` is cyclic, and its last value is a full turn: it shows the same as the first one.
pub fn dsprites_grid() -> FactorGrid {
    FactorGrid::of_constants(&[
        ("shape", FactorKind::Categorical, 3),
        ("scale", FactorKind::Ordered, 6),
        ("orientation", FactorKind::Cyclic, 40),
        ("position_x", FactorKind::Ordered, 32),
        ("position_y", FactorKind::Ordered, 32),
    ])
}

/// The meaning of the values of [`dsprites_grid`], from `latents_values` of the published file
/// (without `color`): shape 1 to 3, scale 0.5 to 1, orientation 0 to 2π (in radians), positions 0
/// to 1, each in equal steps.
pub fn dsprites_values() -> [Vec<f64>; 5] {
    [
        evenly_spaced(1.0, 3.0, 3),
        evenly_spaced(0.5, 1.0, 6),
        evenly_spaced(0.0, std::f64::consts::TAU, 40),
        evenly_spaced(0.0, 1.0, 32),
        evenly_spaced(0.0, 1.0, 32),
    ]
}

/// The values of [`dsprites_grid`] as text, factor by factor: names for shapes, and the numbers of
/// [`dsprites_values`], rounded to two decimals, for all other factors.
pub fn dsprites_value_names() -> &'static [Vec<String>] {
    static NAMES: LazyLock<Vec<Vec<String>>> = LazyLock::new(|| {
        let mut names = dsprites_values().map(in_words);
        names[0] = ["square", "ellipse", "heart"].map(String::from).into();
        names.into()
    });
    &NAMES
}

/// Numbers with at most two decimals.
fn in_words(values: Vec<f64>) -> Vec<String> {
    let word = |value: f64| {
        let text = format!("{value:.2}");
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    };
    values.into_iter().map(word).collect()
}

/// `count ≥ 2` values from `first` to `last`, both included, rounded like NumPy's `linspace`.
fn evenly_spaced(first: f64, last: f64, count: u32) -> Vec<f64> {
    let step = (last - first) / f64::from(count - 1);
    let mut values: Vec<f64> = (0..count - 1)
        .map(|i| f64::from(i) * step + first)
        .collect();
    values.push(last);
    values
}
