//! Trains a GWAE on images in memory and uses it; with `--load` in a second process:
//! `cargo run --release --example library`, then `cargo run --release --example library -- --load`.
use std::{error::Error, path::PathBuf, sync::Arc};

use clap::Parser;
use gwae::prelude::*;

/// Train a small GWAE on images in memory, or use it.
#[derive(Parser)]
#[command(after_help = "Examples:
  cargo run --release --example library
  cargo run --release --example library -- --load")]
struct Arguments {
    /// Training steps in all.
    #[arg(long, default_value_t = 300)]
    steps: u64,
    /// Directory of the run.
    #[arg(long, default_value = "runs/library")]
    out: PathBuf,
    /// Use the run that is there, in place of training it.
    #[arg(long)]
    load: bool,
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments = Arguments::parse();
    compute_on_this_thread(None);
    if !arguments.load {
        // 512 squares of 12 pixels on grey ground, each at its place.
        let inside = |n: usize, x: usize, y: usize| x / 12 == n % 3 && (y + n) % 32 < 12;
        let value = |i: usize| 64 + 191 * u8::from(inside(i / 1024, i % 32, i / 32 % 32));
        let pixels = (0..512 * 1024).map(value).collect();
        let images = ArrayDataset::from_bytes("squares", ImageShape::square(32, 1), pixels)?;
        let algorithm = GwaeAlgorithm::new(GwaeConfig::new(32, 1, 4));
        let trainer = Trainer::new(algorithm, Arc::new(images)).steps(arguments.steps);
        println!("{}", trainer.progress().pictures().start(&arguments.out)?);
    }
    let model = TrainedModel::load(&arguments.out, &DeviceSpec::default().open()?)?;
    let images = model.sample(8, 0); // [8, 1, 32, 32], of seed 0
    let codes = model.encode(images.clone()); // [8, 4]
    println!("{:?} to {:?}", codes.dims(), model.decode(codes).dims());
    for score in model.score(images) {
        println!("{}: {}", score.name, score.values.into_data());
    }
    Ok(())
}
