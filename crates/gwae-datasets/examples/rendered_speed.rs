//! How many rendered pictures one core and all cores make per second:
//! `cargo run --release -p gwae-datasets --example rendered_speed`.

use std::time::Instant;

use gwae_datasets::{
    Dataset, DatasetError, InventedCharacters, InventedCharactersConfig, Letters, LettersConfig,
    NoiseImages, NoiseImagesConfig, RenderedDsprites, RenderedShapes3d, items_in_parallel,
};

/// Pictures of each measurement, spread over the whole grid.
const PICTURES: usize = 4_000;
/// Measurements, of which the best and the median are shown.
const REPEATS: usize = 5;

fn main() -> Result<(), DatasetError> {
    let size = 64;
    measure(&RenderedShapes3d::new(size)?, size)?;
    measure(&RenderedDsprites::new(size)?, size)?;
    for size in [size, InventedCharacters::OMNIGLOT_SIZE] {
        let config = InventedCharactersConfig {
            size,
            ..Default::default()
        };
        measure(&InventedCharacters::new(config)?, size)?;
    }
    let letters = Letters::new(LettersConfig::default())?;
    measure(&letters, Letters::SIZE)?;
    let config = NoiseImagesConfig {
        size,
        ..Default::default()
    };
    measure(&NoiseImages::new(config)?, size)
}

fn measure(dataset: &dyn Dataset, size: usize) -> Result<(), DatasetError> {
    // A step that has no factor in common with the grid meets every value of every factor.
    let indices: Vec<usize> = (0..PICTURES).map(|i| i * 7_919 % dataset.len()).collect();
    let one = rates(|| {
        for &index in &indices {
            std::hint::black_box(dataset.item(index)?);
        }
        Ok(())
    })?;
    let all = rates(|| {
        for batch in indices.chunks(64) {
            std::hint::black_box(items_in_parallel(dataset, batch)?);
        }
        Ok(())
    })?;
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    println!(
        "{} {size}×{size}: one core {:.0} images/s (best {:.0}); {cores} cores {:.0} (best {:.0})",
        dataset.name(),
        one[REPEATS / 2],
        one[REPEATS - 1],
        all[REPEATS / 2],
        all[REPEATS - 1],
    );
    Ok(())
}

/// Pictures per second of each repeat, slowest first.
fn rates(mut work: impl FnMut() -> Result<(), DatasetError>) -> Result<Vec<f64>, DatasetError> {
    let mut rates = Vec::with_capacity(REPEATS);
    for _ in 0..REPEATS {
        let start = Instant::now();
        work()?;
        rates.push(PICTURES as f64 / start.elapsed().as_secs_f64());
    }
    rates.sort_by(f64::total_cmp);
    Ok(rates)
}
