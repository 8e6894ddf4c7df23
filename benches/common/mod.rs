//! Shared parts of the benchmarks: the work, repeated timing, peak memory, threads.

// Each benchmark is a crate and uses only some of these parts.
#![allow(dead_code)]

use std::num::NonZeroUsize;
use std::process::exit;
use std::time::Instant;

use burn::tensor::Device;
use clap::Args;
use gwae::train::DeviceSpec;

pub mod work;

/// Repeated timings, in seconds.
#[derive(Clone, Debug)]
pub struct Timing {
    /// The fastest run: the time of the code without disturbance.
    pub best: f64,
    /// The median run; for an even number of runs, the mean of the middle two.
    pub median: f64,
    /// All runs, the fastest first.
    pub seconds: Vec<f64>,
}

impl Timing {
    /// Summary of at least one duration.
    pub fn of(mut seconds: Vec<f64>) -> Self {
        assert!(!seconds.is_empty(), "at least one run is timed");
        seconds.sort_by(f64::total_cmp);
        let middle = |index: usize| seconds[index / 2];
        Self {
            best: seconds[0],
            median: (middle(seconds.len() - 1) + middle(seconds.len())) / 2.0,
            seconds,
        }
    }

    /// `fields`, an object, with these timings added under the names that `benches/pytorch` reads.
    pub fn beside(&self, mut fields: serde_json::Value) -> serde_json::Value {
        fields["seconds_best"] = self.best.into();
        fields["seconds_median"] = self.median.into();
        fields["seconds"] = self.seconds.clone().into();
        fields
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

/// Waits until `device` has finished all its work, so that a timed region contains only its own
/// work.
pub fn synchronise(device: &Device) {
    device.sync().expect("the device is still there");
}

/// Opens the device that the command line names, or ends the program with the reason.
pub fn open(device: DeviceSpec) -> Device {
    device
        .open()
        .unwrap_or_else(|error| fail(&error.to_string()))
}

/// Ends the program with one line.
pub fn fail(problem: &str) -> ! {
    eprintln!("error: {problem}");
    exit(1)
}

/// The largest resident set of this process so far, in bytes. `None` if the system does not tell
/// (anywhere except Linux).
pub fn peak_memory() -> Option<u64> {
    memory_field("VmHWM:")
}

/// The resident set of this process, in bytes. `None` if the system does not tell.
pub fn resident_memory() -> Option<u64> {
    memory_field("VmRSS:")
}

fn memory_field(name: &str) -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with(name))?;
    let kibibytes: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kibibytes * 1024)
}

/// Options of every benchmark.
#[derive(Args)]
pub struct Machine {
    /// Threads of the CPU backend (default: as many as there are cores, or RAYON_NUM_THREADS).
    #[arg(long)]
    threads: Option<NonZeroUsize>,
    /// What `cargo bench` passes to every benchmark; ignored.
    #[arg(long, hide = true)]
    bench: bool,
}

impl Machine {
    /// Lets the CPU backend compute on the chosen number of threads, including this one, as the
    /// programs do. Call it before making the first tensor.
    pub fn use_threads(&self) {
        gwae::train::compute_on_this_thread(self.threads);
        let threads = rayon::current_num_threads();
        if let Some(wanted) = self.threads {
            assert_eq!(threads, wanted.get(), "the pool did not exist before");
        }
    }
}

/// Options of benchmarks on one device.
#[derive(Args)]
pub struct Place {
    /// Where to compute: cpu, or a device whose feature is compiled in.
    #[arg(long, default_value = "cpu")]
    pub device: DeviceSpec,
    #[command(flatten)]
    machine: Machine,
}

impl Place {
    /// Opens the device and sets its threads; ends the program with a message if there is no such
    /// device.
    pub fn open(&self) -> Device {
        self.machine.use_threads();
        open(self.device)
    }
}

/// Number of threads that the CPU backend uses.
pub fn threads() -> usize {
    rayon::current_num_threads()
}

/// A byte count in decimal megabytes, or a dash.
pub fn megabytes(bytes: Option<u64>) -> String {
    bytes.map_or_else(|| "-".to_owned(), |b| format!("{:.0} MB", b as f64 / 1e6))
}

/// Prints rows as a Markdown table; the first is the header, all columns but the first are numbers.
pub fn print_table(rows: &[Vec<String>]) {
    let length = |row: &Vec<String>, column: usize| row[column].chars().count();
    let widths: Vec<usize> = (0..rows[0].len())
        .map(|column| rows.iter().map(|row| length(row, column)).max())
        .map(|width| width.expect("a table has a header"))
        .collect();
    let line = |row: &[String]| {
        let cells = row.iter().zip(&widths).enumerate();
        let cells = cells.map(|(column, (cell, &width))| match column {
            0 => format!("{cell:<width$}"),
            _ => format!("{cell:>width$}"),
        });
        println!("| {} |", cells.collect::<Vec<_>>().join(" | "));
    };
    line(&rows[0]);
    let rule = |(column, &width): (usize, &usize)| match column {
        0 => "-".repeat(width),
        _ => "-".repeat(width.max(2) - 1) + ":",
    };
    line(&widths.iter().enumerate().map(rule).collect::<Vec<_>>());
    for row in &rows[1..] {
        line(row);
    }
}
