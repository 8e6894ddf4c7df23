//! Images per second that a trained model encodes and decodes, without gradients.
//!
//! The official model: 64×64×3, 64 latent dimensions. Run with `cargo bench --bench inference`,
//! options after `--`.

mod common;

use burn::module::Module;
use burn::tensor::Tensor;
use clap::{Parser, ValueEnum};
use common::{Timing, work};
use gwae::core::random::{SeededGenerator, normal_tensor};
use gwae::models::{Autoencoder, BackboneConfig, GwaeConfig, ModelSettings};

/// Times encoder and decoder of a GWAE in evaluation mode.
#[derive(Parser)]
struct Arguments {
    /// What to do; both when left out.
    #[arg(long, value_enum, value_delimiter = ',', default_values = ["encode", "decode"])]
    work: Vec<Work>,
    /// Images at once, one measurement each.
    #[arg(long, value_delimiter = ',', default_values_t = [1, 64, 256])]
    batch_size: Vec<usize>,
    /// Height and width of the images in pixels: 32, 64 or 128.
    #[arg(long, default_value_t = 64)]
    image_size: usize,
    /// Untimed runs before the timed ones.
    #[arg(long, default_value_t = 3)]
    warm_up: usize,
    /// Timed runs (default: as many as take 1,024 images, from 10 to 200).
    #[arg(long)]
    repeats: Option<usize>,
    /// Print a line of JSON per measurement instead of the table.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    place: common::Place,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Work {
    /// Images to means and log-variances.
    Encode,
    /// Codes to images.
    Decode,
}

impl Work {
    fn name(self) -> &'static str {
        match self {
            Self::Encode => "encode",
            Self::Decode => "decode",
        }
    }
}

fn main() {
    let arguments = Arguments::parse();
    if arguments.batch_size.contains(&0) {
        common::fail("--batch-size: at least 1");
    }
    let device = arguments.place.open();
    let config = GwaeConfig {
        backbone: BackboneConfig {
            image_size: arguments.image_size,
            ..BackboneConfig::default()
        },
        ..GwaeConfig::default()
    };
    let mut noise = SeededGenerator::new(0, 0);
    let model = config
        .init(&mut noise, &device.clone().autodiff())
        .unwrap_or_else(|error| common::fail(&error.to_string()));
    let parameters = work::parameters(&model);
    let model = model.valid();
    if !arguments.json {
        println!(
            "inference, {0}×{0}×{1}, {2}, {3} threads",
            config.backbone.image_size,
            config.backbone.channels,
            arguments.place.device,
            common::threads()
        );
        println!(
            "{:>7} {:>6} {:>12} {:>12} {:>16}",
            "work", "batch", "best", "median", "images/s, median"
        );
    }
    for &work in &arguments.work {
        for &batch_size in &arguments.batch_size {
            let images = work::images(&config, batch_size, &mut noise, &device);
            let codes: Tensor<2> = normal_tensor(
                &mut noise,
                [batch_size, config.backbone.latent_dim],
                &device,
            );
            let repeats = (1024 / batch_size).clamp(10, 200);
            let repeats = arguments.repeats.unwrap_or(repeats);
            let timing = common::time(arguments.warm_up, repeats, || {
                match work {
                    Work::Encode => drop(model.encode(images.clone())),
                    Work::Decode => drop(model.decode(codes.clone())),
                }
                common::synchronise(&device);
            });
            report(&arguments, work, batch_size, parameters, &timing);
        }
    }
}

fn report(
    arguments: &Arguments,
    work: Work,
    batch_size: usize,
    parameters: usize,
    timing: &Timing,
) {
    if arguments.json {
        let line = timing.beside(serde_json::json!({
            "implementation": "gwae",
            "work": work.name(),
            "device": arguments.place.device.to_string(),
            "batch_size": batch_size,
            "image_size": arguments.image_size,
            "parameters": parameters,
            "threads": common::threads(),
            "peak_bytes": common::peak_memory(),
        }));
        println!("{line}");
        return;
    }
    println!(
        "{:>7} {batch_size:>6} {:>9.2} ms {:>9.2} ms {:>16.0}",
        work.name(),
        timing.best * 1e3,
        timing.median * 1e3,
        batch_size as f64 / timing.median,
    );
}
