//! Runs whose data moved or changed.

mod program;

use std::path::Path;

use program::{fine, gwae, refused, text};

const CONFIG: &str = "\
[model]
kind = \"vae\"
image_size = 32
channels = 1
latent_dim = 3
width = 0.1
[training]
batch_size = 4
steps = 2
patience = 0
[data]
dataset = \"folder\"
directory = \"first\"
validation_fraction = 0.2
";

/// Writes `count` grey pictures that depend on `seed`.
fn write_pictures(folder: &Path, count: u32, seed: u32) {
    std::fs::create_dir_all(folder).unwrap();
    for index in 0..count {
        let grey = |x: u32, y: u32| image::Luma([((x * 7 + y * (index + seed)) % 251) as u8]);
        let picture = image::GrayImage::from_fn(32, 32, grey);
        picture.save(folder.join(format!("{index}.png"))).unwrap();
    }
}

/// A run on twenty pictures that have moved from `first` to `second`.
fn moved() -> tempfile::TempDir {
    let root = tempfile::tempdir().unwrap();
    write_pictures(&root.path().join("first"), 20, 0);
    std::fs::write(root.path().join("a.toml"), CONFIG).unwrap();
    fine(&gwae(&["train", "a.toml", "--out", "run"], root.path()));
    std::fs::rename(root.path().join("first"), root.path().join("second")).unwrap();
    root
}

fn record(root: &Path) -> serde_json::Value {
    serde_json::from_slice(&std::fs::read(root.join("run/run.json")).unwrap()).unwrap()
}

#[test]
fn the_new_place_is_given() {
    let root = moved();
    let run = |arguments: &[&str]| gwae(arguments, root.path());
    for command in ["resume", "reconstruct", "clusters", "ood"] {
        let message = refused(&run(&[command, "run"]), 1);
        for part in ["first is not there", "run/config.toml", "--data"] {
            assert!(message.contains(part), "{command}: {message}");
        }
    }
    let printed = fine(&run(&["reconstruct", "run", "--data", "second"]));
    assert!(printed.contains("held-out images of folder"), "{printed}");
    assert!(printed.contains("PSNR "), "{printed}");
    fine(&run(&["clusters", "run", "--data", "second"]));
    let ood = [
        "ood",
        "run",
        "--data",
        "second",
        "--out-of-distribution",
        "letters",
    ];
    let output = run(&ood);
    fine(&output);
    assert!(!text(&output.stderr).contains("two-sided"));
    // Other images are not those of the run.
    write_pictures(&root.path().join("other"), 7, 3);
    let others = run(&["reconstruct", "run", "--data", "other"]);
    assert!(fine(&others).contains("7 images of folder"));
    assert!(text(&others.stderr).contains("fingerprint"));
    let other = [
        "ood",
        "run",
        "--data",
        "other",
        "--out-of-distribution",
        "letters",
    ];
    let message = refused(&run(&other), 1);
    assert!(message.contains("--in-distribution"), "{message}");

    let message = refused(&run(&["resume", "run", "--data", "nowhere"]), 1);
    assert!(message.contains("nowhere is not there"), "{message}");
    let message = refused(&run(&["resume", "run", "--data", "other"]), 1);
    assert!(message.contains("--accept-data-change"), "{message}");
    fine(&run(&["resume", "run", "--data", "second", "--steps", "3"]));
    // The new place is kept.
    fine(&run(&["resume", "run", "--steps", "4"]));
    assert!(record(root.path())["data_changes"].is_null());
}

#[test]
fn a_change_of_the_data_is_accepted_and_recorded() {
    let root = moved();
    let run = |arguments: &[&str]| gwae(arguments, root.path());
    let before = record(root.path())["dataset_fingerprint"].clone();
    write_pictures(&root.path().join("first"), 11, 0);
    let message = refused(&run(&["resume", "run", "--steps", "3"]), 1);
    assert!(message.contains("--accept-data-change"), "{message}");
    let output = run(&["resume", "run", "--steps", "3", "--accept-data-change"]);
    fine(&output);
    let log = text(&output.stderr);
    assert!(
        log.contains("from step 2 on the run has other data"),
        "{log}"
    );
    let record = record(root.path());
    let change = &record["data_changes"][0];
    assert_eq!(change["step"], 2);
    assert_eq!(change["old_fingerprint"], before);
    assert_eq!(change["new_fingerprint"], record["dataset_fingerprint"]);
    assert!(change["when"].as_str().unwrap().ends_with('Z'), "{change}");
    // From now on these are the data of the run.
    fine(&run(&["resume", "run", "--steps", "4"]));
    fine(&run(&["reconstruct", "run"]));
}
