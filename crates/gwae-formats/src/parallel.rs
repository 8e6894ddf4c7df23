//! Runs independent jobs on a few threads, with the same result as running them one by one.

use std::num::NonZeroUsize;
use std::ops::Range;
use std::panic::resume_unwind;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

/// Maximum number of threads by default. More threads do not feed a training loop faster, and each costs
/// memory.
const MOST_DEFAULT_THREADS: usize = 8;

/// One thread per core that this process may use, at most eight.
pub fn default_threads() -> NonZeroUsize {
    let cores = thread::available_parallelism().map_or(1, NonZeroUsize::get);
    NonZeroUsize::new(cores.min(MOST_DEFAULT_THREADS)).unwrap_or(NonZeroUsize::MIN)
}

/// Calls `job` with every number below `count` and returns the results in order. At most `threads` threads
/// run; each takes the next number after it finishes one.
///
/// If jobs fail, the error of the lowest number is returned, and no further number is started. A panic
/// continues in the caller. If the system refuses more threads, the running ones do all the work.
///
/// # Errors
/// The error of `job`.
pub fn in_parallel<T: Send, E: Send>(
    threads: usize,
    count: usize,
    job: impl Fn(usize) -> Result<T, E> + Sync,
) -> Result<Vec<T>, E> {
    let next = AtomicUsize::new(0);
    let work = || {
        let mut results = Vec::new();
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if number >= count {
                return results;
            }
            let result = job(number);
            if result.is_err() {
                // All lower numbers have been started.
                next.store(count, Ordering::Relaxed);
            }
            results.push((number, result));
        }
    };
    let mut results = thread::scope(|scope| {
        let others: Vec<_> = (1..threads.min(count))
            .filter_map(|_| {
                let builder = thread::Builder::new().name("gwae-files".to_owned());
                builder.spawn_scoped(scope, work).ok()
            })
            .collect();
        let mut results = work();
        for thread in others {
            results.extend(thread.join().unwrap_or_else(|panic| resume_unwind(panic)));
        }
        results
    });
    results.sort_unstable_by_key(|(number, _)| *number);
    results.into_iter().map(|(_, result)| result).collect()
}

/// Cuts `0..len` into one consecutive range per thread and calls `job` on each. The results are in the order
/// of the ranges; otherwise like [`in_parallel`].
///
/// # Errors
/// The error of `job`.
pub fn in_ranges<T: Send, E: Send>(
    threads: usize,
    len: usize,
    job: impl Fn(Range<usize>) -> Result<T, E> + Sync,
) -> Result<Vec<T>, E> {
    let each = len.div_ceil(threads.max(1)).max(1);
    in_parallel(threads, len.div_ceil(each), |number| {
        let start = number * each;
        job(start..(start + each).min(len))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_are_those_of_one_thread() {
        for threads in [0, 1, 2, 3, 8, 100] {
            for len in [0, 1, 2, 7, 64] {
                let parts = in_ranges(threads, len, |range| Ok::<_, ()>(range.collect())).unwrap();
                assert!(parts.len() <= threads.max(1));
                let parts: Vec<Vec<usize>> = parts;
                assert_eq!(parts.concat(), (0..len).collect::<Vec<_>>());
            }
        }
    }

    #[test]
    fn the_first_error_wins() {
        let job = |range: Range<usize>| {
            range
                .into_iter()
                .try_for_each(|n| if n % 10 == 9 { Err(n) } else { Ok(()) })
        };
        for threads in [1, 2, 5, 40] {
            assert_eq!(in_ranges(threads, 40, job), Err(9));
        }
    }

    #[test]
    #[should_panic(expected = "item 30")]
    fn panics_go_on() {
        let job = |range: Range<usize>| {
            assert!(!range.contains(&30), "item 30");
            Ok::<_, ()>(())
        };
        let _ = in_ranges(4, 40, job);
    }
}
