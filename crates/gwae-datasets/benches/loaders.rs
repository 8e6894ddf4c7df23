//! Measures images per second, processor time and peak memory, from files to batches of 64×64×3.
//!
//! `cargo bench -p gwae-datasets --bench loaders -- WORK DIRECTORY [--seconds S] [--batches N]`.
//! `DIRECTORY` holds the files that `benches/pytorch/make_loader_data.py` writes, or the published
//! ones. The program prints one line of JSON. It does one kind of work per process, so that the
//! peak memory belongs to that work. `benches/pytorch/compare.py loaders` runs all kinds beside
//! PyTorch.

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use gwae_datasets::{
    BatchConfig, BatchStream, CachedImages, Celeba, Dataset, DspritesFile, ImageFolder,
    ImageSource, Mnist, MnistFamily, Omniglot, Polarity, Position, RenderedDsprites,
    RenderedShapes3d, Shapes3dFile, Split, Transform,
};
use serde_json::json;

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

const SIZE: usize = 64;
const BATCH_SIZE: usize = 64;
/// Number of batches before the measurement: more than the loader prepares ahead.
const WARM_UP: usize = 8;

const USAGE: &str = "\
WORK DIRECTORY [--seconds S] [--batches N] [--threads N]
WORK: mnist, omniglot, omniglot-memory, shapes3d, shapes3d-streamed, dsprites, celeba, celeba-copy,
folder, shapes3d-rendered, dsprites-rendered; or a copy that is made: copy-shapes3d, copy-dsprites,
copy-celeba";

struct Options {
    work: String,
    directory: PathBuf,
    /// The measurement ends after this time, or with the last batch.
    seconds: f64,
    batches: usize,
    threads: NonZeroUsize,
}

fn main() -> Result<()> {
    // Cargo adds `--bench`.
    let mut arguments = std::env::args().skip(1).filter(|a| a != "--bench");
    let (Some(work), Some(directory)) = (arguments.next(), arguments.next()) else {
        println!("nothing to measure; give {USAGE}");
        return Ok(());
    };
    let mut options = Options {
        work,
        directory: directory.into(),
        seconds: 2.0,
        batches: usize::MAX,
        threads: std::thread::available_parallelism()?,
    };
    while let (Some(name), value) = (arguments.next(), arguments.next()) {
        let value = value.ok_or_else(|| format!("{name} needs a value"))?;
        match name.as_str() {
            "--seconds" => options.seconds = value.parse()?,
            "--batches" => options.batches = value.parse()?,
            "--threads" => options.threads = value.parse()?,
            _ => return Err(format!("{name} is none of {USAGE}").into()),
        }
    }
    let figures = match options.work.strip_prefix("copy-") {
        Some(dataset) => copy(dataset, &options.directory)?,
        None => load(&options)?,
    };
    println!("{figures}");
    Ok(())
}

/// Reads batches.
fn load(options: &Options) -> Result<serde_json::Value> {
    let start = Instant::now();
    let (dataset, transform) = open(&options.work, &options.directory)?;
    let split = Split::official(dataset.as_ref())?;
    let source = Arc::new(ImageSource::new(dataset, transform)?.with_threads(options.threads));
    let opened = start.elapsed().as_secs_f64();

    let batches_per_epoch = split.train.len() / BATCH_SIZE;
    let config = BatchConfig {
        batch_size: BATCH_SIZE,
        seed: 1,
        drop_last: true,
    };
    let mut stream = BatchStream::start(source, split.train, config, Position::START)?;
    // The measured batches: the first pass, the later passes, or a given number of batches.
    let (warm_up, most) = match options.work.as_str() {
        work if work.ends_with("-memory") => (batches_per_epoch, usize::MAX),
        "omniglot" | "folder" => (WARM_UP, batches_per_epoch.saturating_sub(WARM_UP)),
        // One batch takes seconds.
        "shapes3d-streamed" => (0, usize::MAX),
        _ => (WARM_UP, usize::MAX),
    };
    let most = most.min(options.batches);
    for _ in 0..warm_up {
        stream.next_batch()?;
    }
    let (start, cpu) = (Instant::now(), cpu_seconds());
    let (mut images, mut batches, mut checksum) = (0, 0, 0.0);
    while batches < most && start.elapsed() < Duration::from_secs_f64(options.seconds) {
        let batch = stream.next_batch()?;
        images += batch.indices.len();
        batches += 1;
        checksum += batch.images[0];
    }
    std::hint::black_box(checksum);
    let seconds = start.elapsed().as_secs_f64();
    Ok(json!({
        "implementation": "gwae",
        "work": options.work,
        "threads": options.threads,
        "images": images,
        "seconds": seconds,
        "cpu_seconds": difference(cpu),
        "peak_bytes": peak_memory(),
        "opening_seconds": opened,
    }))
}

fn open(work: &str, directory: &Path) -> Result<(Arc<dyn Dataset>, Transform)> {
    let transform = Transform::new(SIZE, 3);
    let dataset: Arc<dyn Dataset> = match work {
        "mnist" => Arc::new(Mnist::open(&directory.join("mnist"), MnistFamily::Digits)?),
        "omniglot" | "omniglot-memory" => Arc::new(Omniglot::open(
            &directory.join("omniglot"),
            Polarity::AsPublished,
        )?),
        "shapes3d-streamed" => Arc::new(Shapes3dFile::open(&shapes3d_file(directory))?),
        "shapes3d" => Arc::new(shapes3d_copy(directory)?),
        "dsprites" => Arc::new(dsprites_copy(directory)?),
        "celeba" => {
            let celeba = Celeba::open(&directory.join("celeba"))?;
            return Ok((Arc::new(celeba), Celeba::transform()));
        }
        "celeba-copy" => Arc::new(celeba_copy(directory)?),
        "folder" => Arc::new(ImageFolder::open(&directory.join("folder"))?),
        "shapes3d-rendered" => Arc::new(RenderedShapes3d::new(SIZE)?),
        "dsprites-rendered" => Arc::new(RenderedDsprites::new(SIZE)?),
        _ => return Err(format!("there is no work {work}; give {USAGE}").into()),
    };
    // Like training: files are read once from the disk, so that the system keeps them in memory.
    dataset.warm()?;
    Ok((dataset, transform))
}

/// Makes the copy of a dataset for fast random reads. An existing copy is made again.
fn copy(dataset: &str, directory: &Path) -> Result<serde_json::Value> {
    let place = copies(directory).join(dataset);
    if place.exists() {
        std::fs::remove_dir_all(&place)?;
    }
    let (start, cpu) = (Instant::now(), cpu_seconds());
    let images = match dataset {
        "shapes3d" => shapes3d_copy(directory)?.len(),
        "dsprites" => dsprites_copy(directory)?.len(),
        "celeba" => celeba_copy(directory)?.len(),
        _ => return Err(format!("there is no copy of {dataset}; give {USAGE}").into()),
    };
    Ok(json!({
        "implementation": "gwae",
        "work": format!("copy-{dataset}"),
        "images": images,
        "seconds": start.elapsed().as_secs_f64(),
        "cpu_seconds": difference(cpu),
        "peak_bytes": peak_memory(),
    }))
}

fn copies(directory: &Path) -> PathBuf {
    directory.join("copies")
}

/// The directory of one dataset's copy. It is made if it is missing.
fn copy_place(directory: &Path, dataset: &str) -> Result<PathBuf> {
    let place = copies(directory).join(dataset);
    std::fs::create_dir_all(&place)?;
    Ok(place)
}

fn shapes3d_file(directory: &Path) -> PathBuf {
    directory.join("shapes3d/3dshapes.h5")
}

fn shapes3d_copy(directory: &Path) -> Result<Shapes3dFile> {
    let place = copy_place(directory, "shapes3d")?;
    let file = shapes3d_file(directory);
    Ok(Shapes3dFile::open_cached(&file, Some(&place), &mut |_| {})?)
}

fn dsprites_copy(directory: &Path) -> Result<DspritesFile> {
    let place = copy_place(directory, "dsprites")?;
    let file = directory.join("dsprites/dsprites_ndarray_co1sh3sc6or40x32y32_64x64.npz");
    Ok(DspritesFile::open_cached(&file, Some(&place), &mut |_| {})?)
}

fn celeba_copy(directory: &Path) -> Result<CachedImages> {
    let place = copy_place(directory, "celeba")?;
    let celeba = Arc::new(Celeba::open(&directory.join("celeba"))?);
    let transform = Celeba::transform();
    Ok(CachedImages::open_or_create(
        celeba,
        transform,
        &place,
        &mut |_| {},
    )?)
}

/// Processor time of this process in seconds, all threads together, in steps of 10 milliseconds.
/// `None` on systems other than Linux.
fn cpu_seconds() -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/stat").ok()?;
    // The second field, the name, is in brackets and may contain spaces.
    let fields: Vec<&str> = status.rsplit_once(')')?.1.split_whitespace().collect();
    let ticks = |field: usize| fields.get(field)?.parse::<f64>().ok();
    Some((ticks(11)? + ticks(12)?) / 100.0)
}

fn difference(start: Option<f64>) -> Option<f64> {
    Some(cpu_seconds()? - start?)
}

/// The largest resident set of this process in bytes. `None` if the system does not report it.
fn peak_memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    let kibibytes: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kibibytes * 1024)
}
