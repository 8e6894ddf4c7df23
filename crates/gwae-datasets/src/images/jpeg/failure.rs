//! The reasons why a file is not decoded.

/// Why there is no image.
#[derive(Debug)]
pub(crate) enum Failure {
    /// This decoder does not support this kind of file.
    Other,
    /// The file is damaged; no decoder can read it.
    Damaged(&'static str),
    /// The caller does not accept the dimensions.
    Dimensions(usize, usize),
}
