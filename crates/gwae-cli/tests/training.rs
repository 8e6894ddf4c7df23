//! `gwae train` and `gwae resume`, run as a user runs them.

use std::path::Path;
use std::process::{Command, Output};

fn gwae(arguments: &[&str], directory: &Path) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_gwae"));
    command
        .args(arguments)
        .current_dir(directory)
        .output()
        .unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

const SMALL: &str = "\
[model]
image_size = 32
channels = 1
latent_dim = 4
width = 0.1
[training]
batch_size = 8
steps = 2
critic_steps = 1
[data]
validation_fraction = 0.002
";

#[test]
fn a_configuration_is_trained_and_resumed() {
    let root = tempfile::tempdir().unwrap();
    std::fs::write(root.path().join("small.toml"), SMALL).unwrap();
    let trained = gwae(
        &["train", "small.toml", "--prior", "spherical", "--seed", "3"],
        root.path(),
    );
    assert!(trained.status.success(), "{}", text(&trained.stderr));
    assert!(text(&trained.stdout).contains("PSNR"));
    let run = root.path().join("runs/small");
    let config = std::fs::read_to_string(run.join("config.toml")).unwrap();
    assert!(
        config.contains("spherical") && config.contains("seed = 3"),
        "{config}"
    );
    for picture in ["reconstructions", "samples", "traversal", "losses"] {
        assert!(
            run.join(picture).with_extension("png").exists(),
            "{picture}"
        );
    }

    let again = gwae(&["train", "small.toml"], root.path());
    assert_eq!(again.status.code(), Some(1));
    assert!(
        text(&again.stderr).contains("not empty"),
        "{}",
        text(&again.stderr)
    );

    let resumed = gwae(&["resume", "runs/small", "--steps", "3"], root.path());
    assert!(resumed.status.success(), "{}", text(&resumed.stderr));
    assert!(text(&resumed.stdout).contains("after 3 steps"));
}

#[test]
fn bad_configurations_are_one_line_and_make_nothing() {
    let root = tempfile::tempdir().unwrap();
    let refused = |name: &str, content: &str, more: &[&str], expected: &str| {
        std::fs::write(root.path().join(name), content).unwrap();
        let output = gwae(&[&["train", name], more].concat(), root.path());
        let message = text(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{message}");
        assert_eq!(message.lines().count(), 1, "{message}");
        assert!(message.contains(expected), "{message}");
        assert!(!root.path().join("runs").exists(), "{message}");
    };
    refused("a.toml", "[training]\nbatchsize = 4\n", &[], "batchsize");
    refused(
        "b.toml",
        "[training]\nentropy_weight = -0.5\n",
        &[],
        "training.entropy_weight",
    );
    refused(
        "c.toml",
        SMALL,
        &["--batch-size", "0"],
        "training.batch_size",
    );
    refused("d.toml", SMALL, &["--latent-dim", "0"], "model.latent_dim");
    let switch = "[model]\nmerged_condition = false\nmixed_potential = true\n";
    refused("e.toml", switch, &[], "model.merged_condition = true");
    refused("f.toml", SMALL, &["--dataset", "mnist"], "data.directory");
    refused(
        "g.toml",
        SMALL,
        &["--dataset", "mnist", "--data", "nowhere"],
        "nowhere",
    );
    refused("h.toml", SMALL, &["--device", "cuda"], "cuda");
    refused(
        "i.yaml",
        "model_name: vae\nhyperparameters:\n  lr: 1e-4\n",
        &[],
        "gwae",
    );
    let output = gwae(&["train", "missing.toml"], root.path());
    assert!(text(&output.stderr).contains("missing.toml"));
    let output = gwae(&["resume", "missing"], root.path());
    assert!(text(&output.stderr).contains("no run directory"));
}
