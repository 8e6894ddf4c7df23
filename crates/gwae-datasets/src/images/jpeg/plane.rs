//! Decoded components.

/// The pixels of one component within the decoded units.
pub(super) struct Plane {
    /// Number of blocks across and down in every unit.
    pub(super) across: usize,
    pub(super) down: usize,
    /// First decoded row and column, and the length of a row.
    pub(super) top: usize,
    pub(super) left: usize,
    pub(super) stride: usize,
    /// Width and height of the whole component, without the padding of units.
    pub(super) width: usize,
    pub(super) height: usize,
    pub(super) pixels: Vec<u8>,
}
