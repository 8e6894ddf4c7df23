//! A campaign of faults against the program `gwae`: kills, failing writes, damaged files, hostile
//! inputs, readings beside a training run, and mutated files for every parser.
//!
//! Every case is drawn from a seed and its number, so that `--only KIND --case N` repeats it.

mod campaign;
mod kinds;
mod program;
mod results;
mod strace;
mod tiny_run;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;

use campaign::Campaign;

/// Tries to break gwae, and prints how often it was tried and survived.
#[derive(Debug, Parser)]
struct Arguments {
    /// Many more cases: hours in place of a minute
    #[arg(long)]
    full: bool,
    /// Only this kind of fault
    #[arg(long, value_name = "KIND")]
    only: Option<String>,
    /// Only this case; its files are kept
    #[arg(long, value_name = "N", requires = "only")]
    case: Option<u64>,
    /// Cases of each kind, in place of the usual number
    #[arg(long, value_name = "N")]
    count: Option<u64>,
    /// Seed of all cases
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Cases at the same time; by default one per core
    #[arg(long, value_name = "N")]
    jobs: Option<usize>,
    /// The program to test; by default `gwae` beside this one
    #[arg(long, value_name = "FILE")]
    program: Option<PathBuf>,
    /// Used by the campaign itself: tries mutated inputs FROM to TO in this process
    #[arg(long, hide = true, num_args = 2, value_names = ["FROM", "TO"])]
    mutate: Option<Vec<u64>>,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    if let Some(range) = &arguments.mutate {
        kinds::mutations::worker(arguments.seed, range[0]..range[1]);
        return ExitCode::SUCCESS;
    }
    match run(&arguments) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> Result<bool, String> {
    let beside = || Ok(std::env::current_exe()?.with_file_name("gwae"));
    let program = arguments.program.clone().map_or_else(beside, Ok);
    let program = program.and_then(|program: PathBuf| program.canonicalize());
    let program = program.map_err(|error| {
        format!("the program gwae: {error}; build it with `cargo build -p gwae-cli`")
    })?;
    let selected: Vec<_> = kinds::ALL
        .iter()
        .filter(|kind| {
            arguments
                .only
                .as_deref()
                .is_none_or(|only| only == kind.name)
        })
        .collect();
    if selected.is_empty() {
        let names: Vec<_> = kinds::ALL.iter().map(|kind| kind.name).collect();
        return Err(format!("--only takes one of {}", names.join(", ")));
    }
    let jobs = arguments
        .jobs
        .unwrap_or_else(|| gwae_formats::parallel::default_threads().get());
    let campaign = Campaign::new(program, arguments.seed, arguments.case.is_some())?;
    println!(
        "{:<16} {:>7} {:>9} {:>8}",
        "kind", "tried", "survived", "seconds"
    );
    let mut failures = Vec::new();
    for kind in selected {
        if kind.needs_strace
            && let Some(reason) = campaign.strace_is_missing()
        {
            println!("{:<16} skipped: {reason}", kind.name);
            continue;
        }
        let usual = if arguments.full {
            kind.full
        } else {
            kind.short
        };
        let count = arguments.count.unwrap_or(usual);
        let numbers = match arguments.case {
            Some(case) => case..case + 1,
            None => 0..count,
        };
        failures.extend(campaign.run(kind, numbers, jobs)?);
    }
    for failure in &failures {
        println!("\n{failure}");
    }
    Ok(failures.is_empty())
}
