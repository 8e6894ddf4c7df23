//! The same work on several processors.

use std::num::NonZero;
use std::thread;

/// Runs `work` on as many threads as there are processors, but not more than `most`, and waits
/// for all of them. `work` takes its pieces from a shared counter; where the system gives no
/// further thread, those that run do it all.
pub(crate) fn on_all_processors(most: usize, work: impl Fn() + Sync) {
    let processors = thread::available_parallelism().map_or(1, NonZero::get);
    thread::scope(|scope| {
        for _ in 1..processors.min(most) {
            // A refused thread is no loss: this thread works too.
            let _ = thread::Builder::new().spawn_scoped(scope, &work);
        }
        work();
    });
}
