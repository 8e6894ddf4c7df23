//! Runs `gwae ood` and `gwae metrics` as a user does.

mod program;

use gwae_formats::npy::write_npy_f64;
use program::{fine, gwae, refused, text};

/// Version 1 of NumPy's format with one axis of little-endian doubles.
fn npy(values: &[f64]) -> Vec<u8> {
    let mut header = format!(
        "{{'descr': '<f8', 'fortran_order': False, 'shape': ({},), }}",
        values.len()
    );
    while !(10 + header.len() + 1).is_multiple_of(64) {
        header.push(' ');
    }
    header.push('\n');
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend((header.len() as u16).to_le_bytes());
    bytes.extend(header.as_bytes());
    bytes.extend(values.iter().flat_map(|value| value.to_le_bytes()));
    bytes
}

const SMALL: &str = "\
[model]
image_size = 32
channels = 1
latent_dim = 4
width = 0.1
prior = { family = \"gaussian_mixture\", components = 3 }
[training]
batch_size = 8
steps = 2
critic_steps = 1
average_decay = 0.9
[data]
validation_fraction = 0.002
";

#[test]
fn a_run_is_asked_which_images_are_not_its_own() {
    let root = tempfile::tempdir().unwrap();
    std::fs::write(root.path().join("small.toml"), SMALL).unwrap();
    assert!(gwae(&["train", "small.toml"], root.path()).status.success());
    let printed = fine(&gwae(
        &[
            "ood",
            "runs/small",
            "--images",
            "30",
            "--out-of-distribution",
            "letters",
            "--out-of-distribution",
            "digits+shuffled",
            "--out",
            "found",
        ],
        root.path(),
    ));
    for part in [
        "| gwae | potential | letters |",
        "digits+shuffled",
        "mean_brightness",
        "| gwae | **relative_error** | letters |",
        "the score to trust is relative_error",
        "AUROC: share of pairs",
    ] {
        assert!(printed.contains(part), "{part}: {printed}");
    }
    let found = root.path().join("found");
    for file in [
        "table.md",
        "table.csv",
        "roc_letters.png",
        "roc_digits_shuffled.csv",
        "histograms_gwae.png",
        "scores/in/potential.npy",
        "scores/out/letters/potential_two_sided.npy",
    ] {
        assert!(found.join(file).exists(), "{file}");
    }

    // Existing files are not overwritten.
    let again = gwae(&["ood", "runs/small", "--out", "found"], root.path());
    assert_eq!(again.status.code(), Some(1));
    assert!(text(&again.stderr).contains("not empty"));

    // The stored scores give the printed figures.
    let json = root.path().join("result.json");
    fine(&gwae(
        &[
            "metrics",
            "--scores-in",
            "found/scores/in/relative_error.npy",
            "--scores-out",
            "found/scores/out/letters/relative_error.npy",
            "--json",
            "result.json",
        ],
        root.path(),
    ));
    let result: serde_json::Value = serde_json::from_slice(&std::fs::read(json).unwrap()).unwrap();
    let csv = std::fs::read_to_string(found.join("table.csv")).unwrap();
    let row = csv
        .lines()
        .find(|line| line.starts_with("gwae,relative_error,letters,"));
    let auroc: f64 = row.unwrap().split(',').nth(3).unwrap().parse().unwrap();
    assert_eq!(result["auroc"].as_f64(), Some(auroc));
}

#[test]
fn baselines_and_runs_without_a_test_part_are_asked_too() {
    let root = tempfile::tempdir().unwrap();
    let backbone = "image_size = 32\nlatent_dim = 4\nwidth = 0.1\n";
    let training = "[training]\nbatch_size = 8\nsteps = 2\npatience = 0\n";
    for (name, model, data) in [
        (
            "vae",
            "kind = \"vae\"\nchannels = 1\n",
            "dataset = \"digits\"\n",
        ),
        // Three channels, and images without a test part.
        (
            "dagmm",
            "kind = \"dagmm\"\nchannels = 3\ncomponents = 2\n",
            "dataset = \"letters\"\nvalidation_fraction = 0.02\n",
        ),
    ] {
        let config = format!("[model]\n{model}{backbone}{training}[data]\n{data}");
        let file = format!("{name}.toml");
        std::fs::write(root.path().join(&file), config).unwrap();
        fine(&gwae(&["train", &file], root.path()));
        let run = format!("runs/{name}");
        let output = gwae(&["ood", &run, "--images", "20"], root.path());
        assert!(output.status.success(), "{}", text(&output.stderr));
        let score = if name == "vae" {
            "prior_negative_log_likelihood"
        } else {
            "energy"
        };
        let printed = text(&output.stdout);
        assert!(
            printed.contains(&format!("| {name} | {score} | noise |")),
            "{printed}"
        );
        assert!(printed.contains("+shuffled"), "{printed}");
    }
}

#[test]
fn scores_of_any_program_are_measured() {
    let root = tempfile::tempdir().unwrap();
    std::fs::write(root.path().join("in.npy"), npy(&[1.0, 2.0, 3.0])).unwrap();
    std::fs::write(root.path().join("out.npy"), npy(&[2.0, 4.0])).unwrap();
    let metrics = |scores_out: &str| {
        let arguments = [
            "metrics",
            "--scores-in",
            "in.npy",
            "--scores-out",
            scores_out,
        ];
        gwae(&arguments, root.path())
    };
    let output = metrics("out.npy");
    assert!(output.status.success(), "{}", text(&output.stderr));
    // Of six pairs, four are in order and one is a tie.
    assert!(text(&output.stdout).starts_with("AUROC           0.7500"));

    std::fs::write(root.path().join("broken.npy"), npy(&[2.0, f64::NAN])).unwrap();
    for (file, words) in [
        (
            "broken.npy",
            "1 of 2 scores are not numbers (NaN), the first one is score 1",
        ),
        ("nowhere.npy", "nowhere.npy"),
        ("in.txt", "in.txt"),
    ] {
        std::fs::write(root.path().join("in.txt"), "1 2 3").unwrap();
        let output = metrics(file);
        let message = refused(&output, 1);
        assert!(message.contains(words), "{message}");
    }
}

/// One number per image, and no other shape, is a set of scores.
#[test]
fn scores_have_one_axis_or_a_column() {
    let root = tempfile::tempdir().unwrap();
    let metrics = |shape: &[u64], fill: f64| {
        let count: u64 = shape.iter().product();
        let mut values: Vec<f64> = (0..count).map(|value| value as f64).collect();
        values.iter_mut().take(3).for_each(|value| *value += fill);
        write_npy_f64(&root.path().join("in.npy"), &values, shape).unwrap();
        std::fs::write(root.path().join("out.npy"), npy(&[2.0, 4.0])).unwrap();
        let arguments = [
            "metrics",
            "--scores-in",
            "in.npy",
            "--scores-out",
            "out.npy",
        ];
        gwae(&arguments, root.path())
    };
    let flat = fine(&metrics(&[6], 0.0));
    assert!(flat.contains("6 scores in"), "{flat}");
    assert_eq!(fine(&metrics(&[6, 1], 0.0)), flat);
    for (shape, words) in [
        (
            &[3, 2][..],
            "in.npy: has the shape (3, 2), but scores have the shape (N,) or (N, 1)",
        ),
        (
            &[1, 6],
            "has the shape (1, 6), one image with 6 numbers; save it as 6 scores",
        ),
        (&[6, 1, 1], "has the shape (6, 1, 1)"),
        (&[], "has the shape ()"),
        (&[2, 0], "has the shape (2, 0)"),
    ] {
        let message = refused(&metrics(shape, 0.0), 1);
        assert!(message.contains(words), "{message}");
    }
    let message = refused(&metrics(&[6], f64::NAN), 1);
    assert!(message.contains("3 of 6 scores"), "{message}");
    // One score alone is a set too, if (1, 1) is what it came as.
    assert!(fine(&metrics(&[1, 1], 0.0)).contains("1 scores in"));
}

#[test]
fn wrong_sets_are_named() {
    let root = tempfile::tempdir().unwrap();
    for (set, words) in [("letter", "`letter`"), ("letters+rotated", "+rotated")] {
        let output = gwae(
            &["ood", "runs/x", "--out-of-distribution", set],
            root.path(),
        );
        assert_eq!(output.status.code(), Some(2));
        assert!(
            text(&output.stderr).contains(words),
            "{}",
            text(&output.stderr)
        );
    }
    let output = gwae(&["ood", "runs/x"], root.path());
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains("runs/x"));
}
