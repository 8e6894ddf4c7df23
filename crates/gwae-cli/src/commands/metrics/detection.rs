//! How well scores tell two kinds of items apart.

use std::error::Error;
use std::path::Path;
use std::process::ExitCode;

use gwae_formats::atomic::write_atomically;
use gwae_formats::npy::{NpyNumbers, read_npy_numbers};
use gwae_metrics::{BootstrapConfig, DetectionReport};

use crate::arguments::Metrics;
use crate::terminal::print;

pub(super) fn run(
    arguments: &Metrics,
    inside: &Path,
    outside: &Path,
) -> Result<ExitCode, Box<dyn Error>> {
    let inside = scores(inside)?;
    let outside = scores(outside)?;
    let bootstrap = BootstrapConfig {
        resamples: arguments.resamples as usize,
        seed: arguments.seed,
        ..BootstrapConfig::default()
    };
    let report = DetectionReport::new(&inside, &outside, &bootstrap)?;
    print(format!(
        "AUROC           {:.4}  (95 % interval {:.4} to {:.4})\n\
         AUPR            {:.4}  (chance: {:.4})\n\
         FPR at 95 % TPR {:.4}\n\
         {} scores in, {} scores out of the distribution",
        report.auroc,
        report.interval.low,
        report.interval.high,
        report.aupr,
        report.count_out as f64 / (report.count_in + report.count_out) as f64,
        report.fpr_at_95_tpr,
        report.count_in,
        report.count_out,
    ));
    if let Some(path) = &arguments.json {
        write_atomically(path, serde_json::to_string_pretty(&report)?.as_bytes())?;
    }
    Ok(ExitCode::SUCCESS)
}

/// The scores of a file, one per image.
fn scores(path: &Path) -> Result<Vec<f64>, Box<dyn Error>> {
    let NpyNumbers { values, shape } = read_npy_numbers(path)?;
    let file = path.display();
    match shape[..] {
        [_] | [_, 1] => {}
        [1, count] => {
            return Err(format!(
                "{file}: has the shape (1, {count}), one image with {count} numbers; save it as {count} scores with \
                 array.reshape(-1)"
            )
            .into());
        }
        _ => {
            let sizes: Vec<String> = shape.iter().map(u64::to_string).collect();
            return Err(format!(
                "{file}: has the shape ({}), but scores have the shape (N,) or (N, 1), one per image; save those only",
                sizes.join(", ")
            )
            .into());
        }
    }
    if let Some(first) = values.iter().position(|value| value.is_nan()) {
        let count = values.iter().filter(|value| value.is_nan()).count();
        return Err(format!(
            "{file}: {count} of {} scores are not numbers (NaN), the first one is score {first}, counted from 0: leave \
             them out or give them values",
            values.len()
        )
        .into());
    }
    Ok(values)
}
