//! The authors' program and this one compute the same numbers.
//!
//! The files in `golden/` hold numbers from the PyTorch program that was released with the GWAE
//! paper (see `golden/README.md`).

use std::path::{Path, PathBuf};

use burn::tensor::Device;
use gwae_official::verify::trajectory::Trajectory;

fn golden(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/golden")
        .join(name)
}

#[track_caller]
fn replay(name: &str) {
    let path = golden(name);
    let report = Trajectory::load(&path)
        .unwrap()
        .replay(&path, &Device::flex())
        .unwrap();
    println!("{report:#?}");
    assert!(
        !report.losses.is_empty() && report.largest_loss_difference() < 1e-3,
        "{report:#?}"
    );
    assert!(report.parameter_norms.value < 1e-3, "{report:#?}");
    assert!(report.evaluation.value < 1e-3, "{report:#?}");
}

#[test]
fn neural_prior_with_critic() {
    replay("np_merged.json");
}

#[test]
fn factorized_neural_prior_with_critic() {
    replay("fnp_merged.json");
}

#[test]
fn gaussian_mixture_prior_with_critic() {
    replay("gmp_merged.json");
}

#[test]
fn neural_prior_without_critic() {
    replay("np_mmd.json");
}
