//! What all cases share: the program, the undisturbed run, the place for files.

use std::fmt;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use gwae_formats::parallel::in_parallel;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use tempfile::TempDir;

use crate::kinds::Kind;
use crate::program::Program;
use crate::results::Results;
use crate::strace::{self, Call};
use crate::tiny_run;

/// A failed case and how to repeat it.
pub struct Failure {
    kind: &'static str,
    case: u64,
    seed: u64,
    problem: String,
}

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            kind,
            case,
            seed,
            problem,
        } = self;
        write!(
            formatter,
            "{kind}, case {case}: {problem}\n    repeat: .ci/faults --only {kind} --case {case} --seed {seed}"
        )
    }
}

/// The results of one case, which may try several things.
pub struct Tried {
    /// How many things were tried.
    pub tried: u64,
    /// What went wrong.
    pub problems: Vec<String>,
}

impl From<Result<(), String>> for Tried {
    fn from(result: Result<(), String>) -> Self {
        Self {
            tried: 1,
            problems: result.err().into_iter().collect(),
        }
    }
}

/// A run that nothing disturbed.
pub struct Undisturbed {
    /// Its directory.
    pub directory: PathBuf,
    /// How long it took.
    pub duration: Duration,
    /// Parameters and log.
    pub results: Results,
}

/// One campaign.
pub struct Campaign {
    /// The tested program.
    pub program: Program,
    /// Seed of all cases.
    pub seed: u64,
    scratch: TempDir,
    keep: bool,
    undisturbed: OnceLock<Undisturbed>,
    calls: OnceLock<Result<Vec<Call>, String>>,
}

impl Campaign {
    /// Writes the pictures and the configuration of the tiny run.
    pub fn new(program: PathBuf, seed: u64, keep: bool) -> Result<Self, String> {
        let mut scratch = tempfile::Builder::new()
            .prefix("gwae-faults-")
            .tempdir()
            .map_err(|error| format!("no temporary directory: {error}"))?;
        if keep {
            scratch.disable_cleanup(true);
            println!("files are kept in {}", scratch.path().display());
        }
        tiny_run::write_files(scratch.path()).map_err(|error| format!("cannot write: {error}"))?;
        Ok(Self {
            program: Program::new(program),
            seed,
            scratch,
            keep,
            undisturbed: OnceLock::new(),
            calls: OnceLock::new(),
        })
    }

    /// A generator for one case.
    pub fn random(&self, kind: &str, case: u64) -> ChaCha8Rng {
        random(self.seed, kind, case)
    }

    /// The directory with the pictures and the configuration.
    pub fn shared(&self) -> &Path {
        self.scratch.path()
    }

    /// The configuration of the tiny run.
    pub fn config(&self) -> PathBuf {
        self.shared().join(tiny_run::CONFIG)
    }

    /// The undisturbed run, which the first caller makes.
    pub fn undisturbed(&self) -> &Undisturbed {
        self.undisturbed.get_or_init(|| {
            let directory = self.shared().join("undisturbed");
            let began = Instant::now();
            let outcome = self.program.run(&self.train(&directory), self.shared());
            assert!(outcome.code == Some(0), "the tiny run fails: {outcome}");
            Undisturbed {
                duration: began.elapsed(),
                results: Results::read(&directory).expect("the results of the tiny run"),
                directory,
            }
        })
    }

    /// Arguments that begin the tiny run in `directory`.
    pub fn train(&self, directory: &Path) -> Vec<String> {
        let path = |path: &Path| path.display().to_string();
        [
            "train".into(),
            path(&self.config()),
            "--out".into(),
            path(directory),
        ]
        .into()
    }

    /// Arguments that begin or continue the run in `directory`.
    pub fn begin_or_resume(&self, directory: &Path) -> Vec<String> {
        if directory.join("run.json").exists() {
            ["resume".into(), directory.display().to_string()].into()
        } else {
            self.train(directory)
        }
    }

    /// Ends a disturbed run without further faults and compares it with the undisturbed one.
    pub fn check_end(&self, directory: &Path) -> Result<(), String> {
        let outcome = self
            .program
            .run(&self.begin_or_resume(directory), self.shared());
        if outcome.code != Some(0) {
            return Err(format!("the run cannot be continued: {outcome}"));
        }
        self.undisturbed()
            .results
            .compare(&Results::read(directory)?)
    }

    /// The system calls of the tiny run that touch its directory.
    pub fn calls(&self) -> Result<&[Call], String> {
        let calls = self.calls.get_or_init(|| {
            let directory = self.shared().join("traced");
            strace::calls(&self.program, &self.train(&directory), &directory)
        });
        calls.as_deref().map_err(Clone::clone)
    }

    /// Why system calls cannot be made to fail here.
    pub fn strace_is_missing(&self) -> Option<String> {
        strace::is_missing()
    }

    /// Runs cases of one kind, prints a line, and returns the failures.
    pub fn run(&self, kind: &Kind, cases: Range<u64>, jobs: usize) -> Result<Vec<Failure>, String> {
        self.undisturbed();
        let began = Instant::now();
        let group = kind.group;
        let groups = (cases.end - cases.start).div_ceil(group);
        let done = in_parallel(jobs, groups as usize, |number| {
            let first = cases.start + number as u64 * group;
            let cases = first..(first + group).min(cases.end);
            let directory = self.shared().join(format!("{}-{first}", kind.name));
            std::fs::create_dir_all(&directory).map_err(|error| error.to_string())?;
            let tried = (kind.run)(self, cases, &directory);
            if !self.keep {
                let _ = std::fs::remove_dir_all(&directory);
            }
            Ok::<_, String>(tried)
        })?;
        let (mut tried, mut failures) = (0, Vec::new());
        for (case, results) in done.into_iter().flatten() {
            tried += results.tried;
            failures.extend(results.problems.into_iter().map(|problem| Failure {
                kind: kind.name,
                case,
                seed: self.seed,
                problem,
            }));
        }
        let survived = tried.saturating_sub(failures.len() as u64);
        let seconds = began.elapsed().as_secs();
        println!("{:<16} {tried:>7} {survived:>9} {seconds:>8}", kind.name);
        Ok(failures)
    }
}

/// A generator for one case of a kind.
pub fn random(seed: u64, kind: &str, case: u64) -> ChaCha8Rng {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    // FNV-1a, so that two kinds never share their numbers.
    let stream = kind.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    random.set_stream(stream.wrapping_add(case));
    random
}
