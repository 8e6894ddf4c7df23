//! The number of elements of an array.

/// Maximum number of elements of an array: 1 GiB in memory.
pub const MAX_NPY_ELEMENTS: u64 = 1 << 27;

/// The number of elements, if it fits into 64 bits.
pub(super) fn element_count(shape: &[u64]) -> Option<u64> {
    if shape.contains(&0) {
        // This also covers the case that the other sizes multiply to more than 64 bits.
        return Some(0);
    }
    shape
        .iter()
        .try_fold(1u64, |product, &size| product.checked_mul(size))
}
