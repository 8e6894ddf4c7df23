//! The threads that compute on the CPU.

use std::env;
use std::num::NonZeroUsize;
use std::thread::available_parallelism;

/// The environment variable with the default number of threads.
const VARIABLE: &str = "RAYON_NUM_THREADS";

/// Most threads per core. More only take turns, and each has a stack of its own.
const MOST_PER_CORE: usize = 4;

/// Makes the calling thread one of the `threads` that compute on the CPU. The default number is
/// that of the variable `RAYON_NUM_THREADS`, or the number of cores. Four per core are the most;
/// a message in the log says so.
///
/// Call this once, before any computation. Training is then faster by an eighth on two cores.
/// Without it the calling thread hands every operation to another thread, which must first wake up,
/// and sleeps until the result is ready.
///
/// Returns whether the calling thread now computes. It does not if the threads already exist. It
/// also does not if there is only one thread: other threads, such as those that load data, need
/// that one.
pub fn compute_on_this_thread(threads: Option<NonZeroUsize>) -> bool {
    let cores = available_parallelism().map_or(1, NonZeroUsize::get);
    let variable = env::var_os(VARIABLE);
    let variable = variable.as_ref().map(|text| text.to_string_lossy());
    let (count, notice) = number_of_threads(threads, variable.as_deref(), cores);
    if let Some(notice) = notice {
        tracing::warn!("{notice}");
    }
    let pool = rayon::ThreadPoolBuilder::new().num_threads(count);
    if count == 1 {
        // The number of threads applies in this case too.
        let _ = pool.build_global();
        return false;
    }
    pool.use_current_thread().build_global().is_ok()
}

/// What is wrong with the environment variable for the number of threads, and how many there are
/// then; `None` if nothing is wrong.
pub fn notice_about_threads() -> Option<String> {
    let cores = available_parallelism().map_or(1, NonZeroUsize::get);
    let variable = env::var_os(VARIABLE)?;
    number_of_threads(None, Some(&variable.to_string_lossy()), cores).1
}

/// The number of threads, and what is to be said about it.
fn number_of_threads(
    asked: Option<NonZeroUsize>,
    variable: Option<&str>,
    cores: usize,
) -> (usize, Option<String>) {
    let most = cores.saturating_mul(MOST_PER_CORE);
    let bounded = |count: usize, name: String| match count > most {
        true => {
            let notice = format!("{name}: {most} threads are used, {MOST_PER_CORE} per core");
            (most, Some(notice))
        }
        false => (count, None),
    };
    match (asked, variable) {
        (Some(count), _) => bounded(count.get(), format!("{count} threads")),
        (None, None) => (cores, None),
        (None, Some(text)) => {
            let shown: String = text.chars().take(20).flat_map(char::escape_debug).collect();
            let name = format!("{VARIABLE}={shown}");
            match text.parse() {
                // As rayon reads it.
                Ok(0) => (
                    cores,
                    Some(format!("{name}: one thread per core is used, {cores}")),
                ),
                Ok(count) => bounded(count, name),
                Err(_) => {
                    let notice =
                        format!("{name} is no number: one thread per core is used, {cores}");
                    (cores, Some(notice))
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_of_threads_is_bounded_by_the_cores() {
        let asked = |count| number_of_threads(NonZeroUsize::new(count), Some("7"), 2);
        assert_eq!(asked(8), (8, None));
        let (count, notice) = asked(9);
        assert_eq!(count, 8);
        assert_eq!(notice.unwrap(), "9 threads: 8 threads are used, 4 per core");
        let (count, notice) = number_of_threads(None, Some("4096"), 2);
        assert_eq!(count, 8);
        let expected = "RAYON_NUM_THREADS=4096: 8 threads are used, 4 per core";
        assert_eq!(notice.unwrap(), expected);
    }

    #[test]
    fn the_variable_is_read_as_rayon_reads_it() {
        let read = |text| number_of_threads(None, Some(text), 3);
        assert_eq!(number_of_threads(None, None, 3), (3, None));
        assert_eq!(read("1"), (1, None));
        assert_eq!(read("+5"), (5, None));
        for text in ["0", "", "many", "-1", " 2", "1e3", "99999999999999999999"] {
            let (count, notice) = read(text);
            assert_eq!(count, 3, "{text}");
            let notice = notice.unwrap();
            assert!(notice.starts_with("RAYON_NUM_THREADS="), "{notice}");
            assert!(
                notice.ends_with("one thread per core is used, 3"),
                "{notice}"
            );
        }
        let long = read(&"\n".repeat(5000)).1.unwrap();
        assert!(!long.contains('\n') && long.len() < 150, "{long}");
    }
}
