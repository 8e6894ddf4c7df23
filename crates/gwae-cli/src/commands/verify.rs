//! `gwae verify`.

use std::error::Error;
use std::path::Path;
use std::process::ExitCode;

use burn::tensor::Device;
use gwae_train::official_checkpoint::OfficialCheckpoint;

use crate::arguments::Verify;
use crate::terminal::{self, print};
use crate::verify::difference::LargestDifference;
use crate::verify::expectation::Expectation;
use crate::verify::table::table;
use crate::verify::trajectory::Trajectory;

pub(super) fn run(arguments: &Verify) -> Result<ExitCode, Box<dyn Error>> {
    if std::env::var("DBL").is_ok() {
        Device::flex().configure(burn::tensor::FloatDType::F64)?;
    }
    let device = arguments.device.device.open()?;
    let tolerance = arguments.tolerance;
    let mut checks = Vec::new();
    for path in &arguments.trajectories {
        checks.push(trajectory(path, &device, tolerance));
    }
    if let (Some(path), Some(expected)) = (&arguments.checkpoint, &arguments.expect) {
        checks.push(checkpoint(path, expected, &device, tolerance));
    }
    let mut agree = 0;
    let count = checks.len();
    for check in checks {
        match check {
            Ok(true) => agree += 1,
            Ok(false) => {}
            Err(error) => terminal::error(error),
        }
    }
    let code = if agree == count {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    };
    Ok(code)
}

/// Whether every loss agrees.
fn trajectory(path: &Path, device: &Device, tolerance: f64) -> Result<bool, Box<dyn Error>> {
    let trajectory = Trajectory::load(path)?;
    let report = trajectory.replay(path, device)?;
    let prior = trajectory.hyperparameters["sampler_type"].as_str();
    let heading = format!(
        "{}: {} steps on {} images, prior {}",
        path.display(),
        trajectory.losses.len(),
        trajectory.batch,
        prior.unwrap_or("unnamed"),
    );
    let mut rows: Vec<(&str, &LargestDifference)> = Vec::new();
    rows.extend(
        report
            .losses
            .iter()
            .map(|(name, largest)| (name.as_str(), largest)),
    );
    rows.push(("parameter norms", &report.parameter_norms));
    rows.push(("evaluation pass", &report.evaluation));
    let largest = report.largest_loss_difference();
    let mut notes = String::new();
    for (name, difference) in [
        ("parameter norms", &report.parameter_norms),
        ("evaluation pass", &report.evaluation),
    ] {
        if difference.value > tolerance {
            notes.push_str(&format!("; the {name} exceed it"));
        }
    }
    if report.left_out > 0 {
        notes.push_str(&format!(
            "; {} norms left out: a batch norm directly behind them leaves only rounding to move them",
            report.left_out
        ));
    }
    print(format!(
        "{heading}\n{}{}{notes}\n",
        table(&rows, tolerance),
        verdict("loss", largest, tolerance)
    ));
    Ok(largest <= tolerance)
}

/// Whether every quantity agrees.
fn checkpoint(
    path: &Path,
    expected: &Path,
    device: &Device,
    tolerance: f64,
) -> Result<bool, Box<dyn Error>> {
    let expectation = Expectation::load(expected)?;
    let checkpoint = OfficialCheckpoint::load(path)?;
    let report = expectation.compare(expected, checkpoint, device)?;
    let rows: Vec<(&str, &LargestDifference)> = report
        .iter()
        .map(|(name, largest)| (*name, largest))
        .collect();
    let largest = rows
        .iter()
        .map(|(_, largest)| largest.value)
        .fold(0.0, f64::max);
    print(format!(
        "{} against {}: {} images, evaluation mode\n{}{}\n",
        path.display(),
        expected.display(),
        expectation.mean.len(),
        table(&rows, tolerance),
        verdict("quantity", largest, tolerance),
    ));
    Ok(largest <= tolerance)
}

fn verdict(what: &str, largest: f64, tolerance: f64) -> String {
    if largest <= tolerance {
        format!("  agrees: no {what} differs by more than {tolerance}")
    } else {
        format!("  DIFFERS: a {what} differs by more than {tolerance}")
    }
}
