//! `gwae verify`.

use std::error::Error;
use std::path::Path;
use std::process::ExitCode;

use burn::tensor::Device;
#[cfg(feature = "cpu")]
use burn::tensor::FloatDType;
use gwae_official::checkpoint::OfficialCheckpoint;
use gwae_official::settings::unknown_hyperparameters;
use gwae_official::verify::difference::LargestDifference;
use gwae_official::verify::expectation::Expectation;
use gwae_official::verify::table::table;
use gwae_official::verify::trajectory::Trajectory;
use gwae_train::device::DeviceBackend;

use crate::arguments::{Precision, Verify};
use crate::terminal::{self, print};

pub(super) fn run(arguments: &Verify) -> Result<ExitCode, Box<dyn Error>> {
    let setting = Setting::open(arguments)?;
    let mut all_agree = true;
    let mut note = |check: Result<bool, Box<dyn Error>>| match check {
        Ok(agrees) => all_agree &= agrees,
        // Still check the other files.
        Err(error) => {
            terminal::error(error);
            all_agree = false;
        }
    };
    for path in &arguments.trajectories {
        note(trajectory(path, &setting));
    }
    if let (Some(path), Some(expected)) = (&arguments.checkpoint, &arguments.expect) {
        note(checkpoint(path, expected, &setting));
    }
    Ok(if all_agree {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// Settings of the comparison.
struct Setting {
    device: Device,
    /// Precision of encoder and decoder during a training step.
    networks: gwae_train::Precision,
    /// Name of the device, with its precision.
    name: String,
    tolerance: f64,
}

impl Setting {
    /// Opens the device in the requested precision. Its first user fixes the floating-point type
    /// for the whole process.
    fn open(arguments: &Verify) -> Result<Self, Box<dyn Error>> {
        let spec = arguments.device.device;
        let on_cpu = spec.backend == DeviceBackend::Cpu;
        let precision = match arguments.precision {
            None if on_cpu => Precision::Double,
            None => Precision::Single,
            Some(Precision::Double) if !on_cpu => {
                return Err("--precision double: only the cpu computes in double precision".into());
            }
            Some(precision) => precision,
        };
        #[cfg(feature = "cpu")]
        if precision == Precision::Double {
            Device::flex().configure(FloatDType::F64)?;
        }
        let words = match precision {
            Precision::Single => "single",
            Precision::Double => "double",
            Precision::Bf16 => "bf16",
            Precision::F16 => "f16",
        };
        let networks = match precision {
            Precision::Single | Precision::Double => gwae_train::Precision::Single,
            Precision::Bf16 => gwae_train::Precision::Bf16,
            Precision::F16 => gwae_train::Precision::F16,
        };
        if networks != gwae_train::Precision::Single && arguments.checkpoint.is_some() {
            return Err(format!(
                "--precision {words} is for training steps, and --checkpoint trains nothing: leave one of them out"
            )
            .into());
        }
        Ok(Self {
            device: spec.open_for(networks)?,
            networks,
            name: format!("{spec} in {words} precision"),
            tolerance: arguments.tolerance,
        })
    }
}

/// Returns whether every loss agrees.
fn trajectory(path: &Path, setting: &Setting) -> Result<bool, Box<dyn Error>> {
    let tolerance = setting.tolerance;
    let trajectory = Trajectory::load(path)?;
    let report = trajectory.replay_in(setting.networks, path, &setting.device)?;
    let unknown = unknown_hyperparameters(&trajectory.hyperparameters);
    if !unknown.is_empty() {
        terminal::note(format!(
            "{}: hyperparameters that mean nothing to a GWAE are ignored: {}",
            path.display(),
            unknown.join(", ")
        ));
    }
    let prior = trajectory.hyperparameters["sampler_type"].as_str();
    let heading = format!(
        "{}: {} steps on {} images, prior {}, {}",
        path.display(),
        trajectory.losses.len(),
        trajectory.batch,
        prior.unwrap_or("unnamed"),
        setting.name,
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

/// Returns whether every quantity agrees.
fn checkpoint(path: &Path, expected: &Path, setting: &Setting) -> Result<bool, Box<dyn Error>> {
    let tolerance = setting.tolerance;
    let expectation = Expectation::load(expected)?;
    let checkpoint = OfficialCheckpoint::load(path)?;
    let report = expectation.compare(expected, checkpoint, &setting.device)?;
    let rows: Vec<(&str, &LargestDifference)> = report
        .iter()
        .map(|(name, largest)| (*name, largest))
        .collect();
    let largest = rows
        .iter()
        .map(|(_, largest)| largest.value)
        .fold(0.0, f64::max);
    print(format!(
        "{} against {}: {} images in evaluation mode, {}\n{}{}\n",
        path.display(),
        expected.display(),
        expectation.mean.len(),
        setting.name,
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
