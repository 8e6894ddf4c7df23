//! A cache of the most recently used decoded chunks, with a limit in bytes.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

#[derive(Debug)]
pub(super) struct ChunkCache {
    capacity: usize,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    bytes: usize,
    /// Counts the uses. The smallest stamp belongs to the chunk that was unused for longest.
    clock: u64,
    chunks: HashMap<usize, (u64, Arc<Vec<u8>>)>,
    by_age: BTreeMap<u64, usize>,
}

impl ChunkCache {
    pub(super) fn new(capacity: usize) -> Self {
        Self {
            capacity,
            state: Mutex::default(),
        }
    }

    pub(super) fn capacity(&self) -> usize {
        self.capacity
    }

    pub(super) fn get(&self, number: usize) -> Option<Arc<Vec<u8>>> {
        // No code panics while it holds the lock, so the data is valid even if the lock is
        // poisoned.
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let state = &mut *state;
        let (stamp, chunk) = state.chunks.get_mut(&number)?;
        state.by_age.remove(stamp);
        state.clock += 1;
        *stamp = state.clock;
        state.by_age.insert(*stamp, number);
        Some(Arc::clone(chunk))
    }

    /// Stores a chunk and drops old ones above the capacity.
    pub(super) fn put(&self, number: usize, chunk: Arc<Vec<u8>>) {
        if chunk.len() > self.capacity {
            return;
        }
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let state = &mut *state;
        state.clock += 1;
        let stamp = state.clock;
        state.bytes += chunk.len();
        state.by_age.insert(stamp, number);
        if let Some((old_stamp, old)) = state.chunks.insert(number, (stamp, chunk)) {
            state.bytes -= old.len();
            state.by_age.remove(&old_stamp);
        }
        while state.bytes > self.capacity {
            let Some((_, oldest)) = state.by_age.pop_first() else {
                break;
            };
            if let Some((_, chunk)) = state.chunks.remove(&oldest) {
                state.bytes -= chunk.len();
            }
        }
    }

    /// Removes all chunks.
    pub(super) fn clear(&self) {
        *self.state.lock().unwrap_or_else(PoisonError::into_inner) = State::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_what_was_used_last_and_no_more_than_fits() {
        let cache = ChunkCache::new(10);
        for number in 0..3 {
            cache.put(number, Arc::new(vec![number as u8; 3]));
        }
        assert_eq!(*cache.get(0).unwrap(), [0; 3]);
        // 1 is the oldest now.
        cache.put(3, Arc::new(vec![3; 4]));
        assert!(cache.get(1).is_none());
        for number in [0, 2, 3] {
            assert!(cache.get(number).is_some(), "{number}");
        }
        // Storing the same chunk again takes no more memory.
        cache.put(3, Arc::new(vec![3; 4]));
        assert!(cache.get(0).is_some());
        cache.put(4, Arc::new(vec![4; 11]));
        assert!(cache.get(4).is_none());
        cache.clear();
        assert!(cache.get(0).is_none());
    }
}
