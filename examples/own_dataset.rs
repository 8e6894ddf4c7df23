//! A dataset of one's own and one of arrays in memory, both through the standard loop.
//!
//! ```text
//! cargo run --release --example own_dataset -- --out runs/stripes --steps 500
//! cargo run --release --example own_dataset -- --out runs/stripes --steps 1000 --resume
//! ```

use std::error::Error;
use std::path::PathBuf;
use std::sync::Arc;

use clap::Parser;
use gwae::prelude::*;

/// Train a small GWAE on two datasets of its own: drawn stripes, and arrays in memory.
#[derive(Parser)]
#[command(after_help = "Examples:
  cargo run --release --example own_dataset -- --out runs/stripes --steps 500
  cargo run --release --example own_dataset -- --out runs/stripes --steps 1000 --resume")]
struct Arguments {
    /// Training steps of each run in all.
    #[arg(long, default_value_t = 500)]
    steps: u64,
    /// Directory for the runs `stripes` and `arrays`.
    #[arg(long, default_value = "runs/own_dataset")]
    out: PathBuf,
    /// Go on with the runs in that directory.
    #[arg(long)]
    resume: bool,
}

/// 32×32 images of stripes, drawn when they are asked for. Factors: direction and phase.
struct Stripes {
    factors: [FactorSpec; 2],
}

const DIRECTIONS: u32 = 40;
const PHASES: u32 = 25;

impl Dataset for Stripes {
    fn name(&self) -> &str {
        "stripes"
    }

    fn len(&self) -> usize {
        (DIRECTIONS * PHASES) as usize
    }

    /// There is no official test part.
    fn train_len(&self) -> usize {
        self.len()
    }

    fn item(&self, index: usize) -> Result<Item, DatasetError> {
        let (direction, phase) = (index as u32 / PHASES, index as u32 % PHASES);
        let angle = std::f32::consts::PI * direction as f32 / DIRECTIONS as f32;
        let shift = std::f32::consts::TAU * phase as f32 / PHASES as f32;
        let wave = |i: usize| {
            let (x, y) = ((i % 32) as f32, (i / 32) as f32);
            ((x * angle.cos() + y * angle.sin()) * 0.6 + shift).sin()
        };
        let pixels = (0..32 * 32)
            .map(|i| (127.5 + 127.5 * wave(i)) as u8)
            .collect();
        let image = Image::new(ImageShape::square(32, 1), pixels);
        let factors = vec![direction, phase];
        Ok(Item { image, factors })
    }

    fn factors(&self) -> &[FactorSpec] {
        &self.factors
    }

    /// The recipe decides the images, so its version stands for them.
    fn fingerprint(&self) -> String {
        "stripes 1".into()
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let Arguments { steps, out, resume } = Arguments::parse();
    compute_on_this_thread(None);
    let factor = |name, values| FactorSpec::new(name, FactorKind::Cyclic, values);
    let factors = [factor("direction", DIRECTIONS), factor("phase", PHASES)];
    let stripes: Arc<dyn Dataset> = Arc::new(Stripes { factors });
    let first = (0..400).map(|index| Ok(stripes.item(index)?.image.pixels));
    let pixels = first.collect::<Result<Vec<_>, DatasetError>>()?.concat();
    let arrays = ArrayDataset::from_bytes("arrays", ImageShape::square(32, 1), pixels)?;
    for (name, data) in [("stripes", stripes), ("arrays", Arc::new(arrays))] {
        let mut config = GwaeConfig::new(32, 1, 4);
        config.backbone.width = 0.25;
        let algorithm = GwaeAlgorithm::new(config);
        let trainer = Trainer::new(algorithm, data).steps(steps);
        let (trainer, run) = (trainer.progress().pictures(), out.join(name));
        let summary = match resume {
            true => trainer.resume(run)?,
            false => trainer.start(run)?,
        };
        println!("{summary}");
    }
    Ok(())
}
