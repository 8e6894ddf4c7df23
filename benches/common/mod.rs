//! What the benchmarks share: repeated timing, peak memory, threads.

// Each benchmark is a crate of its own and uses a part of this.
#![allow(dead_code)]

use std::time::Instant;

/// Best and median of repeated timings, in seconds.
#[derive(Clone, Copy, Debug)]
pub struct Timing {
    /// The fastest run: what the code needs when nothing disturbs it.
    pub best: f64,
    /// The median run.
    pub median: f64,
}

impl Timing {
    /// Summary of at least one duration.
    pub fn of(mut seconds: Vec<f64>) -> Self {
        assert!(!seconds.is_empty(), "at least one run is timed");
        seconds.sort_by(f64::total_cmp);
        Self {
            best: seconds[0],
            median: seconds[seconds.len() / 2],
        }
    }
}

/// Times `run` `repeats` times after `warm_up` untimed runs.
pub fn time(warm_up: usize, repeats: usize, mut run: impl FnMut()) -> Timing {
    for _ in 0..warm_up {
        run();
    }
    let seconds = (0..repeats.max(1)).map(|_| {
        let start = Instant::now();
        run();
        start.elapsed().as_secs_f64()
    });
    Timing::of(seconds.collect())
}

/// The largest resident set that this process has had, in bytes. `None` where the system does
/// not tell (anything but Linux).
pub fn peak_memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    let kibibytes: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kibibytes * 1024)
}

/// Restricts the CPU backend to `threads` threads; has to come before the first tensor.
pub fn limit_threads(threads: Option<usize>) {
    let Some(threads) = threads else { return };
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
    pool.build_global()
        .expect("the thread pool is configured before its first use");
}

/// Number of threads that the CPU backend uses.
pub fn threads() -> usize {
    rayon::current_num_threads()
}

/// A byte count in decimal megabytes, or a dash.
pub fn megabytes(bytes: Option<u64>) -> String {
    bytes.map_or_else(|| "-".to_owned(), |b| format!("{:.0} MB", b as f64 / 1e6))
}
