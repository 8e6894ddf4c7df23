//! Paths that are no run.

mod program;

use program::{gwae, refused};

#[test]
fn every_command_says_what_a_path_is() {
    let root = tempfile::tempdir().unwrap();
    let write = |path: &str| {
        let path = root.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, "{}").unwrap();
    };
    for file in [
        "runs/ood/experiment.json",
        "runs/ood/gwae/run.json",
        "runs/ood/gwae/config.toml",
        "runs/ood/gwae/checkpoints/step-3/model.bpk",
        "runs/short/run.lock",
        "runs/short/config.toml",
        "notes.txt",
    ] {
        write(file);
    }
    let expected = [
        (
            "runs/ood",
            "an experiment of several runs: try runs/ood/gwae",
        ),
        ("runs", "has runs in it: try runs/ood/gwae"),
        (
            "runs/ood/gwae/checkpoints/step-3/model.bpk",
            "name the run itself, runs/ood/gwae",
        ),
        (
            "runs/ood/gwae/checkpoints",
            "name the run itself, runs/ood/gwae",
        ),
        (
            "runs/short",
            "has no run.json, because its creation was cut short",
        ),
        ("runs/nothing", "does not exist"),
        ("notes.txt", "but a file"),
    ];
    for command in [
        "resume",
        "sample",
        "reconstruct",
        "traverse",
        "ood",
        "clusters",
    ] {
        for (path, says) in expected {
            let message = refused(&gwae(&[command, path], root.path()), 1);
            assert!(message.contains(says), "{command} {path}: {message}");
            assert!(!message.contains("delete"), "{command} {path}: {message}");
        }
    }
    let message = refused(&gwae(&["config", "runs/ood"], root.path()), 1);
    assert!(message.contains("try runs/ood/gwae"), "{message}");
}
