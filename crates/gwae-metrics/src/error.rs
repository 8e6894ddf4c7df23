//! Errors of the metrics.

/// Why a metric cannot be computed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MetricError {
    /// Two inputs of the same items have different lengths.
    #[error(
        "expected has {expected} values but actual has {actual}; compare images of the same shape"
    )]
    LengthMismatch {
        /// Length of the first input.
        expected: usize,
        /// Length of the second input.
        actual: usize,
    },

    /// An input is empty.
    #[error("{field}: empty; there is nothing to measure")]
    Empty {
        /// Name of the input.
        field: &'static str,
    },

    /// The number of values is not a multiple of the values per image.
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

    /// A value is too large for single precision, in which trees compare codes.
    #[error(
        "{field}[{index}] is beyond 3.4e38, the range of single precision; \
         the model that made it has diverged"
    )]
    TooLarge {
        /// Name of the input.
        field: &'static str,
        /// Place of the value.
        index: usize,
    },

    /// A score is NaN. Infinite scores are allowed here, because they have an order.
    #[error("{field}[{index}] is NaN; the model that gave this score has diverged")]
    NotANumber {
        /// Name of the input.
        field: &'static str,
        /// Place of the value.
        index: usize,
    },

    /// Two lists of labels of the same items have different lengths.
    #[error(
        "{first} has {first_len} labels but {second} has {second_len}; \
         give both labels of the same items in the same order"
    )]
    LabelMismatch {
        /// Name of the first list.
        first: &'static str,
        /// Its length.
        first_len: usize,
        /// Name of the second list.
        second: &'static str,
        /// Its length.
        second_len: usize,
    },

    /// The number of values is not a multiple of the values per point.
    #[error(
        "{values} values are no whole number of points of {dimensions} dimensions; \
         points are row-major [n, dimensions]"
    )]
    PartialPoint {
        /// Number of values.
        values: usize,
        /// Values per point.
        dimensions: usize,
    },

    /// An option is out of range.
    #[error("{field} = {value}; allowed is {allowed}")]
    OutOfRange {
        /// Name of the option.
        field: &'static str,
        /// Its value, as text.
        value: String,
        /// The allowed range.
        allowed: &'static str,
    },

    /// An item is assigned to a cluster that does not exist.
    #[error("assignments[{index}] = {cluster} but there are {clusters} clusters, numbered from 0")]
    NoSuchCluster {
        /// Place of the assignment.
        index: usize,
        /// The assigned cluster.
        cluster: usize,
        /// Number of clusters.
        clusters: usize,
    },

    /// An index that compares clusters has too few or too many of them.
    #[error(
        "{points} points in {clusters} non-empty clusters; \
         this index needs at least 2 clusters and fewer clusters than points"
    )]
    ClusterCount {
        /// Number of points.
        points: usize,
        /// Number of clusters with at least one point.
        clusters: usize,
    },

    /// Codes and factors have different numbers of rows.
    #[error(
        "there are codes of {codes} items but factors of {factors}; \
         give both of the same items in the same order"
    )]
    ItemMismatch {
        /// Rows of the codes.
        codes: usize,
        /// Rows of the factors.
        factors: usize,
    },

    /// All items, or all that train a predictor, have the same value of a factor. So no code can tell
    /// anything about it.
    #[error(
        "factors column {index}, counted from 0, has only one value; leave it out, or give more items"
    )]
    ConstantFactor {
        /// The column.
        index: usize,
    },

    /// There are too few items.
    #[error("{found} items are too few for {metric}; it needs at least {least}")]
    TooFewItems {
        /// Name of the metric.
        metric: &'static str,
        /// Number of items.
        found: usize,
        /// Smallest allowed number.
        least: usize,
    },

    /// No metric has this name.
    #[error("no metric is called {name:?}; see the list of metrics")]
    UnknownProtocol {
        /// The name.
        name: String,
    },

    /// The system cannot start a thread.
    #[error("no thread to compute on ({reason}); end other programs and try again")]
    NoThread {
        /// The system's message.
        reason: String,
    },
}
