//! `gwae metrics`.

use std::error::Error;
use std::path::Path;
use std::process::ExitCode;

use gwae_formats::atomic::write_atomically;
use gwae_formats::npy::read_npy_numbers;
use gwae_metrics::{BootstrapConfig, DetectionReport};

use crate::arguments::Metrics;
use crate::terminal::print;

pub(super) fn run(arguments: &Metrics) -> Result<ExitCode, Box<dyn Error>> {
    let inside = scores(&arguments.scores_in)?;
    let outside = scores(&arguments.scores_out)?;
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

/// The numbers of a file of any shape.
fn scores(path: &Path) -> Result<Vec<f64>, Box<dyn Error>> {
    let numbers = read_npy_numbers(path)?;
    match numbers.values.iter().position(|value| value.is_nan()) {
        Some(place) => Err(format!(
            "{}: score {place} (counted from 0) is not a number: leave it out or give it one",
            path.display()
        )
        .into()),
        None => Ok(numbers.values),
    }
}
