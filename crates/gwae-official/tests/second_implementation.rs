//! Compares every prior and every switch with a second implementation.
//!
//! The script beside the files in `golden/second_implementation/` computed them. It is a plain
//! PyTorch program in double precision that uses automatic differentiation everywhere. It
//! reproduces the losses of the authors' program in `golden/*.json` to 1e-13.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use burn::tensor::{Device, FloatDType};
use gwae_official::verify::trajectory::Trajectory;

/// The CPU in double precision, so that rounding does not matter. Each test binary is its own
/// process, and nothing here uses the device before this.
fn device() -> &'static Device {
    static DEVICE: OnceLock<Device> = OnceLock::new();
    DEVICE.get_or_init(|| {
        let mut device = Device::flex();
        device.configure(FloatDType::F64).unwrap();
        device
    })
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/second_implementation")
}

#[track_caller]
fn replay(name: &str) {
    let path = folder().join(name).with_extension("json");
    let trajectory = Trajectory::load(&path).unwrap();
    let report = trajectory.replay(&path, device()).unwrap();
    // The remaining difference: Burn's RMSprop computes 1 − α in single precision, which makes
    // every step 5e-7 longer, and the initial parameters in the files are rounded to single
    // precision.
    assert!(report.largest_loss_difference() < 1e-5, "{report:#?}");
    assert_eq!(report.losses.len(), trajectory.losses[0].len());
    assert!(report.evaluation.value < 1e-3, "{report:#?}");
    assert!(report.evaluation.compared >= 67);
}

macro_rules! replays {
    ($($name:ident),+ $(,)?) => {
        $(#[test] fn $name() { replay(stringify!($name)); })+

        /// Every file there is used, and together they cover every prior and every switch.
        #[test]
        fn every_prior_and_every_switch_is_there() {
            let replayed: BTreeSet<String> =
                [$(stringify!($name)),+].into_iter().map(str::to_owned).collect();
            let mut found = BTreeSet::new();
            let mut settings = BTreeSet::new();
            for entry in std::fs::read_dir(folder()).unwrap() {
                let path = entry.unwrap().path();
                if path.extension().is_some_and(|extension| extension == "json") {
                    let trajectory = Trajectory::load(&path).unwrap();
                    found.insert(path.file_stem().unwrap().to_str().unwrap().to_owned());
                    for (key, value) in trajectory.hyperparameters.as_object().unwrap() {
                        settings.insert(format!("{key}={value}"));
                    }
                }
            }
            assert_eq!(found, replayed);
            let families = [
                "neural", "factorized_neural", "gm", "factorized_normal", "factorized_uniform",
                "spherical", "vq", "causal",
            ];
            let families = families.map(|family| format!("sampler_type=\"{family}\""));
            let switches = [
                "batchnorm", "resblock", "latent_bn", "learned_similarity", "mixed_potential",
                "merged_condition",
            ];
            let switches = switches.map(|switch| format!("{switch}=true"));
            for setting in families.iter().chain(&switches) {
                assert!(settings.contains(setting), "{setting}");
            }
            assert!(settings.contains("merged_condition=false"));
        }
    };
}

replays!(
    neural_batchnorm,
    factorized_neural_resblock,
    gm_latent_bn,
    factorized_normal_learned,
    factorized_uniform_mixed,
    spherical,
    vq_batchnorm_resblock_mixed,
    causal_latent_bn_batchnorm,
    neural_learned_mixed,
    causal_mmd,
    vq_mmd_latent_bn,
    gm_everything,
    causal_everything_latent_bn,
    gm_mmd_batchnorm_resblock,
    normal_one_dimension,
);

/// A loss that is wrong by two in a thousand is found, and no other loss is reported.
#[test]
fn a_wrong_value_is_found_where_it_is() {
    let path = folder().join("causal_mmd.json");
    let mut trajectory = Trajectory::load(&path).unwrap();
    let mut step = trajectory.losses[0].clone();
    step.insert("loss_gw".into(), 1.002 * step["loss_gw"]);
    trajectory.losses = vec![step];
    // Only one step is left, so the file's evaluation pass no longer fits.
    trajectory.eval_after = None;
    let report = trajectory.replay(&path, device()).unwrap();
    for (name, largest) in &report.losses {
        assert_eq!(
            largest.value > 1e-3,
            name == "loss_gw",
            "{name}: {largest:?}"
        );
    }
    assert_eq!(report.evaluation.compared, 0);
}
