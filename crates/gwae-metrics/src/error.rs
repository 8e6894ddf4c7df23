//! What can be wrong with the input of a metric.

/// Why a metric cannot be computed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MetricError {
    /// Two inputs that belong together differ in length.
    #[error(
        "expected has {expected} values but actual has {actual}; compare images of the same shape"
    )]
    LengthMismatch {
        /// Length of the first input.
        expected: usize,
        /// Length of the second input.
        actual: usize,
    },

    /// There is nothing to measure.
    #[error("{field}: empty; give at least one image")]
    Empty {
        /// Name of the input.
        field: &'static str,
    },

    /// The values are no whole number of images.
    #[error(
        "{values} values are no whole number of images of {image_len} values; \
         image_len is channels·height·width"
    )]
    PartialImage {
        /// Number of values.
        values: usize,
        /// Values per image.
        image_len: usize,
    },

    /// A value is NaN or infinite.
    #[error("{field}[{index}] is not finite; the model that made it has diverged")]
    NotFinite {
        /// Name of the input.
        field: &'static str,
        /// Place of the value.
        index: usize,
    },
}
