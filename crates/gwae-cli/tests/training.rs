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

/// A limit on the size of a file stands for a full disk: writing beyond it fails in the same way.
#[cfg(unix)]
#[test]
fn a_run_without_room_to_write_says_so_and_loses_nothing() {
    let root = tempfile::tempdir().unwrap();
    std::fs::write(root.path().join("small.toml"), SMALL).unwrap();
    let limited = |kibibytes: u32, arguments: &str| {
        let program = env!("CARGO_BIN_EXE_gwae");
        // Without a handler the signal would end the program before it sees the error.
        let script = format!(
            "trap '' XFSZ; ulimit -f {}; exec '{program}' {arguments}",
            2 * kibibytes
        );
        let mut shell = Command::new("sh");
        shell.args(["-c", &script]).current_dir(root.path());
        let output = shell.output().unwrap();
        let message = text(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{message}");
        let errors: Vec<_> = message
            .lines()
            .filter(|line| line.starts_with("error: "))
            .map(str::to_owned)
            .collect();
        assert_eq!(errors.len(), 1, "{message}");
        errors[0].clone()
    };
    let files_of_checkpoints = |run: &str| {
        let mut names: Vec<_> = std::fs::read_dir(root.path().join(run).join("checkpoints"))
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    };

    // No room for anything: the directory is as before, so the same command works later.
    let error = limited(0, "train small.toml --out runs/none");
    assert!(error.contains("runs/none"), "{error}");
    let mut left = std::fs::read_dir(root.path().join("runs/none")).unwrap();
    assert!(left.next().is_none());

    // Room for the small files, not for a model: no checkpoint, and none half-written.
    let error = limited(500, "train small.toml --out runs/early");
    assert!(
        error.contains("checkpoint of step 2 was not saved"),
        "{error}"
    );
    assert!(error.contains("ulimit"), "{error}");
    assert_eq!(files_of_checkpoints("runs/early"), [] as [&str; 0]);
    // With room again, the run begins anew.
    let resumed = gwae(&["resume", "runs/early"], root.path());
    assert!(resumed.status.success(), "{}", text(&resumed.stderr));
    assert!(text(&resumed.stderr).contains("begins anew"));
    assert!(text(&resumed.stdout).contains("after 2 steps"));

    // The same with a checkpoint from before: it is intact, and the run goes on from it.
    let trained = gwae(&["train", "small.toml", "--out", "runs/late"], root.path());
    assert!(trained.status.success(), "{}", text(&trained.stderr));
    let before = files_of_checkpoints("runs/late");
    let error = limited(500, "resume runs/late --steps 3");
    assert!(error.contains("what was saved before is intact"), "{error}");
    assert_eq!(files_of_checkpoints("runs/late"), before);
    let resumed = gwae(&["resume", "runs/late", "--steps", "3"], root.path());
    assert!(resumed.status.success(), "{}", text(&resumed.stderr));
    assert!(text(&resumed.stdout).contains("after 3 steps"));
}
