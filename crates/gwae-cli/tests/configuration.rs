//! Configurations from files, standard input and the command line.

mod program;

use std::io::Write;
use std::path::Path;
use std::process::{Output, Stdio};

use program::{command, fine, gwae, refused, text};

const SMALL: &str = "\
[model]
image_size = 32
channels = 1
latent_dim = 4
width = 0.1
[training]
batch_size = 8
steps = 1
critic_steps = 1
[data]
validation_fraction = 0.002
";

/// The result of the program that reads `input` from standard input.
fn with_input(arguments: &[&str], input: &str, directory: &Path) -> Output {
    let mut command = command(arguments, directory);
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(input.as_bytes()).unwrap();
    drop(stdin);
    child.wait_with_output().unwrap()
}

#[test]
fn values_come_from_the_command_line() {
    let root = tempfile::tempdir().unwrap();
    std::fs::write(root.path().join("small.toml"), SMALL).unwrap();
    let train = |settings: &[&str]| {
        let settings = settings.iter().flat_map(|setting| ["--set", setting]);
        let arguments: Vec<&str> = ["train", "small.toml"]
            .into_iter()
            .chain(settings)
            .collect();
        gwae(&arguments, root.path())
    };
    for (settings, expected) in [
        (
            &["training.lerning_rate=1e-3"][..],
            &[
                "--set training.lerning_rate: ",
                "did you mean `learning_rate`?",
            ][..],
        ),
        (
            &["training.batch_size=many"],
            &["--set training.batch_size: ", "a whole number"],
        ),
        (&["training.batch_size=0"], &["training.batch_size = 0"]),
        (
            &["model.prior.components=5"],
            &["--set model.prior.components: "],
        ),
        (&["steps=3"], &["--set steps: ", "`training.steps`"]),
    ] {
        let message = refused(&train(settings), 1);
        for part in expected {
            assert!(message.contains(part), "{message}");
        }
    }
    let message = refused(&train(&["training.steps"]), 2);
    assert!(message.contains("KEY=VALUE"), "{message}");
    let both = [
        "train",
        "small.toml",
        "--steps",
        "2",
        "--set",
        "training.steps=3",
    ];
    let message = refused(&gwae(&both, root.path()), 1);
    assert!(message.contains("leave one out"), "{message}");
    assert!(!root.path().join("runs").exists());

    fine(&train(&[
        "training.learning_rate=1e-3",
        "model.prior.components=5",
        "model.prior.family=gaussian_mixture",
    ]));
    let stored = std::fs::read_to_string(root.path().join("runs/small/config.toml")).unwrap();
    for part in ["learning_rate = 0.001", "components = 5"] {
        assert!(stored.contains(part), "{stored}");
    }

    // The resolved configuration of the run is one that trains.
    let printed = fine(&gwae(&["config", "runs/small"], root.path()));
    for part in [
        "# Height and width of the images in pixels: 32, 64 or 128.\nimage_size = 32\n",
        "[model.prior]\n",
        "components = 5\n",
        "Not set; for example:\n# epochs = 20\n",
    ] {
        assert!(printed.contains(part), "{part}: {printed}");
    }
    std::fs::write(root.path().join("printed.toml"), &printed).unwrap();
    let again = fine(&gwae(&["config", "printed.toml"], root.path()));
    assert_eq!(again, printed);
    let changed = ["config", "printed.toml", "--set", "training.seed=9"];
    assert!(fine(&gwae(&changed, root.path())).contains("seed = 9\n"));
}

#[test]
fn a_configuration_comes_from_standard_input() {
    let root = tempfile::tempdir().unwrap();
    let trained = with_input(&["train", "-", "--out", "piped"], SMALL, root.path());
    fine(&trained);
    assert!(root.path().join("piped/run.json").exists());
    let wrong = with_input(&["train", "-"], "[training]\nsed = 1\n", root.path());
    let message = refused(&wrong, 1);
    assert!(
        message.contains("standard input, line 2, column 1"),
        "{message}"
    );
    fine(&with_input(&["train", "-"], SMALL, root.path()));
    assert!(root.path().join("runs/run/run.json").exists());
}

#[test]
fn a_first_configuration_is_written() {
    let root = tempfile::tempdir().unwrap();
    for arguments in [
        &["init"][..],
        &["init", "--model", "vae"],
        &["init", "--model", "dagmm"],
        &["init", "--prior", "gaussian_mixture"],
    ] {
        let printed = fine(&gwae(arguments, root.path()));
        std::fs::write(root.path().join("first.toml"), &printed).unwrap();
        assert_eq!(fine(&gwae(&["config", "first.toml"], root.path())), printed);
    }
    let settings = ["--set", "training.steps=1", "--set", "model.width=0.1"];
    let printed = fine(&gwae(&[&["init"], &settings[..]].concat(), root.path()));
    let out = [
        "train",
        "-",
        "--out",
        "first",
        "--set",
        "training.batch_size=8",
    ];
    fine(&with_input(&out, &printed, root.path()));
    let message = refused(
        &gwae(
            &["init", "--model", "vae", "--prior", "causal"],
            root.path(),
        ),
        1,
    );
    assert!(message.contains("no choice of priors"), "{message}");
    refused(&gwae(&["init", "--model", "van"], root.path()), 2);
}

#[test]
fn an_empty_file_does_not_train() {
    let root = tempfile::tempdir().unwrap();
    for content in ["", "# later\n", "[model]\n[training]\n"] {
        std::fs::write(root.path().join("empty.toml"), content).unwrap();
        let message = refused(&gwae(&["train", "empty.toml"], root.path()), 1);
        for part in ["empty.toml", "image_size", "steps", "dataset", "gwae init"] {
            assert!(message.contains(part), "{message}");
        }
    }
    assert!(!root.path().join("runs").exists());
}

#[test]
fn paths_start_at_the_configuration() {
    let root = tempfile::tempdir().unwrap();
    let at = |path: &str| root.path().join(path);
    std::fs::create_dir_all(at("settings/pictures")).unwrap();
    std::fs::create_dir_all(at("elsewhere")).unwrap();
    let write = |directory: &str| {
        let data = format!("dataset = \"folder\"\ndirectory = \"{directory}\"\n");
        std::fs::write(at("settings/a.toml"), format!("{SMALL}{data}")).unwrap();
    };
    let config = |directory: &str| {
        write(directory);
        gwae(&["config", "settings/a.toml"], root.path())
    };
    let beside = config("pictures");
    assert!(fine(&beside).contains("directory = \"settings/pictures\""));
    assert_eq!(text(&beside.stderr), "");
    // What exists only from the working directory is still found, with a line about it.
    let from_here = config("elsewhere");
    assert!(fine(&from_here).contains("directory = \"elsewhere\""));
    let told = text(&from_here.stderr);
    assert!(
        told.contains("working directory") && told.lines().count() == 1,
        "{told}"
    );
    let missing = refused(&config("nowhere"), 1);
    assert!(
        missing.contains("settings/nowhere is not there"),
        "{missing}"
    );
    write("~/pictures");
    std::fs::create_dir_all(at("home/pictures")).unwrap();
    let mut command = command(&["config", "settings/a.toml"], root.path());
    let output = command.env("HOME", at("home")).output().unwrap();
    let home = at("home/pictures").display().to_string();
    assert!(fine(&output).contains(&home));
}
