//! Independent pieces of work on a few threads, with the result of doing them one by one.

use std::num::NonZeroUsize;
use std::ops::Range;
use std::panic::resume_unwind;
use std::thread;

/// Most threads used where the caller does not say: more than that do not help to keep a
/// training loop fed, and each costs memory.
const MOST_DEFAULT_THREADS: usize = 8;

/// One thread per core that this process may use, at most eight.
pub(crate) fn default_threads() -> NonZeroUsize {
    let cores = thread::available_parallelism().map_or(1, NonZeroUsize::get);
    NonZeroUsize::new(cores.min(MOST_DEFAULT_THREADS)).unwrap_or(NonZeroUsize::MIN)
}

/// Calls `job` on `0..len`, cut into one consecutive range per thread, and returns the results in
/// the order of the ranges.
///
/// The error is that of the first range that has one; a panic goes on in the caller. Where the
/// system gives no more threads, the calling one does the work.
pub(crate) fn in_ranges<T: Send, E: Send>(
    threads: usize,
    len: usize,
    job: impl Fn(Range<usize>) -> Result<T, E> + Sync,
) -> Result<Vec<T>, E> {
    let each = len.div_ceil(threads.max(1)).max(1);
    let mut ranges = (0..len)
        .step_by(each)
        .map(|start| start..(start + each).min(len));
    let job = &job;
    thread::scope(|scope| {
        let Some(own) = ranges.next() else {
            return Ok(Vec::new());
        };
        let others: Vec<_> = ranges
            .map(|range| {
                let builder = thread::Builder::new().name("gwae-images".to_owned());
                let for_thread = range.clone();
                (
                    range,
                    builder.spawn_scoped(scope, move || job(for_thread)).ok(),
                )
            })
            .collect();
        let mut results = vec![job(own)];
        results.extend(others.into_iter().map(|(range, thread)| match thread {
            Some(thread) => thread.join().unwrap_or_else(|panic| resume_unwind(panic)),
            None => job(range),
        }));
        results.into_iter().collect()
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
