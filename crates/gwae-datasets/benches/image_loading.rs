//! Images per second and peak memory from files to batches of 64×64×3.
//!
//! `cargo bench -p gwae-datasets --bench image_loading -- DIRECTORY [threads] [batches] [cache]`, with
//! CelebA's files in `DIRECTORY` (see `Celeba::open`); `benches/pytorch/image_loading.py` does the
//! same with torchvision. With `cache` a directory, the images come from a cache there, made
//! first where it is missing (not timed).

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use gwae_datasets::{
    BatchConfig, BatchStream, CachedImages, Celeba, Dataset, ImageSource, Position, Split,
    Transform,
};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    // Cargo adds `--bench`.
    let arguments: Vec<String> = std::env::args()
        .skip(1)
        .filter(|a| a != "--bench")
        .collect();
    let Some(directory) = arguments.first().map(PathBuf::from) else {
        println!("no directory of CelebA given: nothing to measure");
        return Ok(());
    };
    let threads: NonZeroUsize = match arguments.get(1) {
        Some(threads) => threads.parse()?,
        None => NonZeroUsize::new(2).unwrap_or(NonZeroUsize::MIN),
    };
    let batches: usize = arguments.get(2).map_or(Ok(60), |batches| batches.parse())?;

    let start = Instant::now();
    let celeba: Arc<dyn Dataset> = Arc::new(Celeba::open(&directory)?);
    println!(
        "opened {} images in {:.3} s",
        celeba.len(),
        start.elapsed().as_secs_f64()
    );
    let split = Split::official(celeba.as_ref())?;
    let (dataset, transform) = match arguments.get(3) {
        Some(cache) => {
            let start = Instant::now();
            let progress = |_, _| {};
            let cached = CachedImages::open_or_create(
                celeba,
                Celeba::transform(),
                cache.as_ref(),
                progress,
            )?;
            println!("cache ready after {:.3} s", start.elapsed().as_secs_f64());
            (Arc::new(cached) as Arc<dyn Dataset>, Transform::new(64, 3))
        }
        None => (celeba, Celeba::transform()),
    };
    let source = Arc::new(ImageSource::new(dataset, transform)?.with_threads(threads));
    let config = BatchConfig {
        batch_size: 64,
        seed: 1,
        drop_last: true,
    };
    let mut stream = BatchStream::start(source, split.train, config, Position::START)?;
    let start = Instant::now();
    let mut images = 0;
    for batch in stream.by_ref().take(batches) {
        images += batch?.indices.len();
    }
    let seconds = start.elapsed().as_secs_f64();
    println!(
        "{images} images in {seconds:.3} s: {:.0} images/s on {threads} threads",
        images as f64 / seconds
    );
    if let Ok(status) = std::fs::read_to_string("/proc/self/status")
        && let Some(line) = status.lines().find(|line| line.starts_with("VmHWM"))
    {
        println!("peak memory {}", line.trim_start_matches("VmHWM:").trim());
    }
    Ok(())
}
