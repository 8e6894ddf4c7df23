//! Seconds and memory of the estimated Gromov-Wasserstein loss, forward and backward.
//!
//! Images of 64×64×3 (12,288 values) and 64 latent dimensions. Run with
//! `cargo bench --bench gw_loss`, options after `--`. Batch sizes are measured in ascending order,
//! so the peak memory belongs to the largest one measured so far.

mod common;

use burn::tensor::{Device, Tensor};
use clap::Parser;
use common::Timing;
use gwae::core::estimated_gw_loss;
use gwae::core::random::{SeededGenerator, normal_tensor, uniform_tensor};

/// Times the estimated Gromov-Wasserstein loss, forward and backward.
#[derive(Parser)]
struct Arguments {
    /// Rows per batch, one measurement each.
    #[arg(long, value_delimiter = ',', default_values_t = [64, 256, 1024, 2048])]
    batch_size: Vec<usize>,
    /// Values per image.
    #[arg(long, default_value_t = 12_288)]
    pixels: usize,
    /// Latent dimensions.
    #[arg(long, default_value_t = 64)]
    latent: usize,
    /// Untimed runs before the timed ones.
    #[arg(long, default_value_t = 1)]
    warm_up: usize,
    /// Timed runs.
    #[arg(long, default_value_t = 5)]
    repeats: usize,
    /// Print a line of JSON per batch size instead of the table.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    place: common::Place,
}

fn main() {
    let mut arguments = Arguments::parse();
    let device = arguments.place.open().autodiff();
    arguments.batch_size.sort_unstable();
    if arguments.batch_size.first().is_some_and(|&size| size < 2) {
        common::fail("--batch-size: the loss compares rows, so it needs at least 2");
    }
    if !arguments.json {
        println!(
            "GW loss, forward + backward, {} pixels, {} latent dimensions, {}, {} threads",
            arguments.pixels,
            arguments.latent,
            arguments.place.device,
            common::threads()
        );
        println!(
            "{:>7} {:>12} {:>12} {:>14} {:>15}",
            "batch", "best", "median", "peak memory", "above inputs"
        );
    }
    for &batch_size in &arguments.batch_size {
        measure(&arguments, batch_size, &device);
    }
}

fn measure(arguments: &Arguments, batch_size: usize, device: &Device) {
    let mut noise = SeededGenerator::new(0, 0);
    let images: Tensor<2> = uniform_tensor(&mut noise, [batch_size, arguments.pixels], device);
    let codes: Tensor<2> = normal_tensor(&mut noise, [batch_size, arguments.latent], device);
    let log_coefficient = Tensor::<1>::zeros([1], device);
    let before = common::resident_memory();
    let timing = common::time(arguments.warm_up, arguments.repeats, || {
        let images = images.clone().require_grad();
        let codes = codes.clone().require_grad();
        let log_coefficient = log_coefficient.clone().require_grad();
        let loss = estimated_gw_loss(images.clone(), codes.clone(), log_coefficient.clone());
        let gradients = loss.backward();
        assert!(images.grad(&gradients).is_some() && codes.grad(&gradients).is_some());
        common::synchronise(device);
    });
    report(arguments, batch_size, &timing, before);
}

fn report(arguments: &Arguments, batch_size: usize, timing: &Timing, before: Option<u64>) {
    let peak = common::peak_memory();
    let above = peak.zip(before).map(|(peak, before)| peak - before);
    if arguments.json {
        let line = timing.beside(serde_json::json!({
            "implementation": "gwae",
            "device": arguments.place.device.to_string(),
            "batch_size": batch_size,
            "pixels": arguments.pixels,
            "threads": common::threads(),
            "peak_bytes": peak,
            "peak_bytes_above_start": above,
        }));
        println!("{line}");
        return;
    }
    println!(
        "{batch_size:>7} {:>9.1} ms {:>9.1} ms {:>14} {:>15}",
        timing.best * 1e3,
        timing.median * 1e3,
        common::megabytes(peak),
        common::megabytes(above),
    );
}
