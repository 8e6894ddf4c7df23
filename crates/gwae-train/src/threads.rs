//! Which threads compute on the CPU.

use std::env;
use std::num::NonZeroUsize;
use std::thread::available_parallelism;

/// What sets the number of threads when nothing else does.
const VARIABLE: &str = "RAYON_NUM_THREADS";

/// Makes the calling thread one of the `threads` that compute on the CPU; as many as there are cores, or as
/// the variable `RAYON_NUM_THREADS` says, where `threads` is left out.
///
/// A program that calls this once, before it computes anything, trains by an eighth faster on two cores:
/// else every operation is handed from the calling thread to another one, which first has to wake up, and
/// the calling one sleeps until the result is there.
///
/// Returns whether it is so now. It is not where the threads exist already, and not where there is only one of
/// them: that one has to be free for what other threads, such as those that load data, want done.
pub fn compute_on_this_thread(threads: Option<NonZeroUsize>) -> bool {
    let count = threads.map_or_else(usual_threads, NonZeroUsize::get);
    let pool = rayon::ThreadPoolBuilder::new().num_threads(count);
    if count == 1 {
        // Even so the number holds.
        let _ = pool.build_global();
        return false;
    }
    pool.use_current_thread().build_global().is_ok()
}

/// As many threads as rayon would start.
fn usual_threads() -> usize {
    let wanted = env::var(VARIABLE).ok().and_then(|text| text.parse().ok());
    match wanted {
        Some(count) if count > 0 => count,
        _ => available_parallelism().map_or(1, NonZeroUsize::get),
    }
}
