//! Working memory that each thread keeps from one block to the next.

use std::cell::Cell;

thread_local! {
    static KEPT: Cell<Vec<f32>> = const { Cell::new(Vec::new()) };
}

/// Calls `work` with memory for `lengths` values each. The values are arbitrary.
///
/// Every thread keeps the memory of its largest call. Blocks after the first therefore neither
/// allocate nor clear memory.
pub(super) fn with<const N: usize, R>(
    lengths: [usize; N],
    work: impl FnOnce([&mut [f32]; N]) -> R,
) -> R {
    // Taken, not borrowed: a nested call finds no memory here and makes its own.
    let mut kept = KEPT.take();
    let total = lengths.iter().sum();
    if kept.len() < total {
        kept.resize(total, 0.0);
    }
    let mut rest = &mut kept[..];
    let parts = lengths.map(|length| {
        let (part, after) = std::mem::take(&mut rest).split_at_mut(length);
        rest = after;
        part
    });
    let result = work(parts);
    KEPT.set(kept);
    result
}
