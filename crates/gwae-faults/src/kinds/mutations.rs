//! Mutated files for every parser of users' files. Each group of inputs runs in a process of its
//! own, so that an abort or an endless loop ends only this one and names its input.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use gwae_datasets::{Dataset, DspritesFile, ImageFolder, Manifest, Shapes3dFile, decode_image};
use gwae_formats::idx::{read_images_from, read_labels_from};
use gwae_formats::npy::read_npy_numbers;
use gwae_official::checkpoint::OfficialCheckpoint;
use gwae_official::configuration::{LoadOptions, load_config};
use gwae_official::verify::trajectory::Trajectory;
use gwae_train::checkpoint::CheckpointStore;
use gwae_train::metrics_log::MetricsLog;
use rand::RngExt;
use rand::seq::IndexedRandom;
use rand_chacha::ChaCha8Rng;

use crate::campaign::{self, Campaign, Tried};
use crate::program::{MOST_MEGABYTES, peak_megabytes};

pub const NAME: &str = "mutations";

const LONGEST: Duration = Duration::from_secs(10);

/// Reads a file; an error is its message.
type Parser = fn(&Path) -> Result<(), String>;

/// Example files, relative to `crates/`, and the parser of each.
const EXAMPLES: &[(&str, Parser)] = &[
    ("gwae-datasets/fuzz/seeds/png/rgb.png", picture),
    ("gwae-datasets/fuzz/seeds/png/palette.png", picture),
    ("gwae-datasets/fuzz/seeds/webp/lossy.webp", picture),
    ("gwae-datasets/fuzz/seeds/webp/lossless.webp", picture),
    ("gwae-datasets/tests/images/full.jpg", picture),
    ("gwae-datasets/tests/images/progressive.jpg", picture),
    ("gwae-datasets/fuzz/seeds/archive/deflated.zip", folder),
    ("gwae-datasets/fuzz/seeds/archive/zip64.zip", folder),
    ("gwae-datasets/fuzz/seeds/idx/images", idx),
    ("gwae-datasets/fuzz/seeds/idx/images.gz", idx),
    ("gwae-datasets/fuzz/seeds/idx/labels", idx),
    ("gwae-datasets/fuzz/seeds/manifest/urls.toml", manifest),
    ("gwae-datasets/tests/npz_files/compressed.npz", dsprites),
    ("gwae-formats/tests/hdf5_files/gzip_shuffle.h5", shapes3d),
    ("gwae-formats/tests/hdf5_files/latest_gzip.h5", shapes3d),
    ("../configs/digits.toml", config),
    ("gwae-faults/examples/authors.yaml", config),
    ("gwae-faults/examples/scores.npy", scores),
    ("gwae-faults/examples/checkpoint.pth", checkpoint),
    ("gwae-official/tests/golden/np_mmd.json", trajectory),
    ("gwae-faults/examples/index.json", index),
    ("gwae-faults/examples/metrics.jsonl", log),
];

fn picture(path: &Path) -> Result<(), String> {
    let bytes = fs::read(path).expect("the input");
    let name = path.file_name().unwrap_or_default().display().to_string();
    let image = decode_image(&name, &bytes).map_err(text)?;
    assert_eq!(
        image.pixels.len(),
        image.channels * image.height * image.width
    );
    Ok(())
}

fn folder(path: &Path) -> Result<(), String> {
    let dataset = ImageFolder::open(path).map_err(text)?;
    (0..dataset.len().min(4)).try_for_each(|index| dataset.item(index).map(drop).map_err(text))
}

fn idx(path: &Path) -> Result<(), String> {
    let bytes = fs::read(path).expect("the input");
    let images = read_images_from("images", &bytes[..]);
    let labels = read_labels_from("labels", &bytes[..]);
    images
        .map(drop)
        .map_err(text)
        .or(labels.map(drop).map_err(text))
}

fn manifest(path: &Path) -> Result<(), String> {
    let Ok(content) = fs::read_to_string(path) else {
        return Ok(());
    };
    Manifest::parse("manifest.toml", &content)
        .map(drop)
        .map_err(text)
}

fn dsprites(path: &Path) -> Result<(), String> {
    items(&DspritesFile::open_cached(path, None, &mut |_| {}).map_err(text)?)
}

fn shapes3d(path: &Path) -> Result<(), String> {
    items(&Shapes3dFile::open_cached(path, None, &mut |_| {}).map_err(text)?)
}

fn items(dataset: &impl Dataset) -> Result<(), String> {
    dataset.item(0).map_err(text)?;
    dataset.item(dataset.len() - 1).map(drop).map_err(text)
}

fn config(path: &Path) -> Result<(), String> {
    let config = load_config(path, &LoadOptions::default(), &mut |_| {}).map_err(text)?;
    config.validate().map_err(text)
}

fn scores(path: &Path) -> Result<(), String> {
    read_npy_numbers(path).map(drop).map_err(text)
}

fn checkpoint(path: &Path) -> Result<(), String> {
    OfficialCheckpoint::load(path).map(drop).map_err(text)
}

fn trajectory(path: &Path) -> Result<(), String> {
    Trajectory::load(path).map(drop).map_err(text)
}

fn index(path: &Path) -> Result<(), String> {
    let root = path.with_extension("");
    fs::create_dir_all(&root).expect("a directory");
    fs::copy(path, root.join("index.json")).expect("the input");
    CheckpointStore::open(root).map(drop).map_err(text)
}

fn log(path: &Path) -> Result<(), String> {
    MetricsLog::read(path).map(drop).map_err(text)
}

fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}

pub fn cases(campaign: &Campaign, cases: Range<u64>, _: &Path) -> Vec<(u64, Tried)> {
    let mut results = Vec::new();
    let mut next = cases.start;
    while next < cases.end {
        let (done, problem) = watch(campaign, next..cases.end);
        let tried = Tried {
            tried: done,
            problems: Vec::new(),
        };
        results.push((next, tried));
        next += done;
        if let Some(problem) = problem {
            let failed = next.saturating_sub(1);
            results.push((
                failed,
                Tried {
                    tried: 0,
                    problems: vec![problem],
                },
            ));
        }
        if done == 0 {
            break;
        }
    }
    results
}

/// Runs a worker until its end or its first failure. Returns how many inputs it tried.
fn watch(campaign: &Campaign, cases: Range<u64>) -> (u64, Option<String>) {
    let program = std::env::current_exe().expect("this program");
    let mut worker = Command::new(program)
        .args(["--seed", &campaign.seed.to_string(), "--mutate"])
        .args([cases.start.to_string(), cases.end.to_string()])
        .env("TMPDIR", campaign.shared())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("a worker");
    let process = worker.id().to_string();
    let output = BufReader::new(worker.stdout.take().expect("a pipe"));
    let (sender, lines) = mpsc::channel();
    thread::spawn(move || {
        for line in output.lines().map_while(Result::ok) {
            if sender.send(line).is_err() {
                return;
            }
        }
    });
    let (mut begun, mut name, mut since) = (0, String::new(), Instant::now());
    let problem = loop {
        match lines.recv_timeout(Duration::from_millis(200)) {
            Ok(line) => match line.split_once(' ') {
                Some(("begin", example)) => {
                    (begun, name, since) = (begun + 1, example.to_owned(), Instant::now());
                }
                Some(("failed", problem)) => break Some(problem.to_owned()),
                _ => {}
            },
            Err(mpsc::RecvTimeoutError::Timeout) => {
                if since.elapsed() > LONGEST {
                    break Some("no end after 10 s".into());
                }
                if peak_megabytes(&process) >= MOST_MEGABYTES {
                    break Some("more than 1000 MB".into());
                }
            }
            Err(mpsc::RecvTimeoutError::Disconnected) => {
                break match worker.wait() {
                    Ok(status) if status.success() => None,
                    Ok(status) => Some(format!("the process ended with {status}")),
                    Err(error) => Some(error.to_string()),
                };
            }
        }
    };
    let _ = worker.kill();
    let _ = worker.wait();
    (begun, problem.map(|problem| format!("{name}: {problem}")))
}

/// Tries the inputs of these numbers in this process, and says so on standard output. Ends at the
/// first failure.
pub fn worker(seed: u64, cases: Range<u64>) {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let crates = Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("crates/");
    let examples: Vec<(PathBuf, Vec<u8>, Parser)> = EXAMPLES
        .iter()
        .map(|(name, parser)| {
            let path = crates.join(name);
            let bytes = fs::read(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
            (path, bytes, *parser)
        })
        .collect();
    for number in cases {
        let random = &mut campaign::random(seed, NAME, number);
        let (example, bytes, parser) = examples.choose(random).expect("an example");
        let name = example.file_name().unwrap_or_default();
        say(&format!("begin {}", name.display()));
        let place = directory.path().join(number.to_string());
        fs::create_dir(&place).expect("a directory");
        let path = place.join(name);
        fs::write(&path, mutated(bytes, random)).expect("the input");
        // The kernel forgets the largest memory so far.
        let _ = fs::write("/proc/self/clear_refs", "5");
        let before = peak_megabytes("self");
        let result = catch_unwind(AssertUnwindSafe(|| parser(&path)));
        let used = peak_megabytes("self").saturating_sub(before);
        let _ = fs::remove_dir_all(&place);
        let problem = match result {
            Err(panic) => {
                let message = panic.downcast_ref::<String>().cloned();
                Some(format!("a panic: {}", message.unwrap_or_default()))
            }
            Ok(Err(message)) if message.contains(char::is_control) => {
                Some(format!("control characters in {message:?}"))
            }
            Ok(_) if used > 500 => Some(format!("{used} MB of memory")),
            Ok(_) => None,
        };
        if let Some(problem) = problem {
            say(&format!("failed {}", problem.escape_debug()));
            return;
        }
    }
}

fn say(line: &str) {
    let mut output = std::io::stdout().lock();
    writeln!(output, "{line}")
        .and_then(|()| output.flush())
        .expect("a reader");
}

/// A file with a few random changes.
fn mutated(bytes: &[u8], random: &mut ChaCha8Rng) -> Vec<u8> {
    const VALUES: [u8; 8] = [0, 1, 0x7f, 0x80, 0xff, b'9', b'-', b'['];
    let mut bytes = bytes.to_vec();
    for _ in 0..random.random_range(1..=6) {
        if bytes.is_empty() {
            break;
        }
        let place = random.random_range(0..bytes.len());
        let length = random.random_range(1..=16.min(bytes.len() - place));
        match random.random_range(0..7) {
            0 => bytes[place] ^= 1 << random.random_range(0..8),
            1 => bytes[place] = *VALUES.choose(random).expect("a value"),
            2 => bytes[place..place + length].fill(*VALUES.choose(random).expect("a value")),
            3 => {
                bytes.drain(place..place + length);
            }
            4 => {
                let part = bytes[place..place + length].to_vec();
                let target = random.random_range(0..=bytes.len());
                bytes.splice(target..target, part);
            }
            5 => {
                let noise: Vec<u8> = (0..length).map(|_| random.random()).collect();
                bytes.splice(place..place + length, noise);
            }
            _ => bytes.truncate(place),
        }
    }
    bytes
}
