//! Runs `gwae train` and `gwae resume` as a user does.

mod program;

use std::path::Path;

use program::{fine, gwae, refused, text};

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
        let message = refused(&output, 1);
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
        "kind = \"vae\"",
    );
    let output = gwae(&["train", "missing.toml"], root.path());
    assert!(text(&output.stderr).contains("missing.toml"));
    let output = gwae(&["resume", "missing"], root.path());
    assert!(text(&output.stderr).contains("no run directory"));
}

#[test]
fn several_devices_share_a_batch() {
    let root = tempfile::tempdir().unwrap();
    std::fs::write(root.path().join("small.toml"), SMALL).unwrap();
    let run = |arguments: &[&str]| gwae(arguments, root.path());
    for (arguments, status, message) in [
        (
            &["--devices", "cpu,cpu", "--batch-size", "9"][..],
            1,
            "batch_size = 9 cannot be divided",
        ),
        (
            &["--devices", "cpu,wgpu"],
            2,
            "cpu and wgpu cannot share a step",
        ),
        (&["--devices", "cpu,"], 2, "`` is no device"),
        (
            &["--devices", "cpu,cpu", "--device", "cpu"],
            2,
            "cannot be used with",
        ),
        (&["--log-every", "0"], 1, "training.log_every = 0"),
        (&["--precision", "double"], 2, "choose single, bf16 or f16"),
    ] {
        let output = run(&[&["train", "small.toml"], arguments].concat());
        let errors = refused(&output, status);
        assert!(errors.contains(message), "{errors}");
        assert!(!root.path().join("runs").exists());
    }
    fine(&run(&[
        "train",
        "small.toml",
        "--devices",
        "cpu,cpu",
        "--log-every",
        "2",
    ]));
    let record = std::fs::read_to_string(root.path().join("runs/small/run.json")).unwrap();
    assert!(record.contains("\"cpu,cpu\""), "{record}");
    fine(&run(&[
        "resume",
        "runs/small",
        "--steps",
        "5",
        "--log-every",
        "3",
    ]));
    let log = std::fs::read_to_string(root.path().join("runs/small/metrics.jsonl")).unwrap();
    let steps: Vec<_> = log
        .lines()
        .filter(|line| line.contains("\"train\""))
        .collect();
    for (line, step) in steps.iter().zip([2, 3, 5]) {
        assert!(line.starts_with(&format!("{{\"step\":{step},")), "{line}");
    }
    assert_eq!(steps.len(), 3, "{steps:?}");
}

/// A limit on the file size stands for a full disk: a write beyond it fails in the same way.
#[cfg(unix)]
#[test]
fn a_run_without_room_to_write_says_so_and_loses_nothing() {
    let root = tempfile::tempdir().unwrap();
    std::fs::write(root.path().join("small.toml"), SMALL).unwrap();
    let limited = |kibibytes: u32, arguments: &str| {
        let program = env!("CARGO_BIN_EXE_gwae");
        // Without a handler, the signal would end the program before it sees the error.
        let script = format!(
            "trap '' XFSZ; ulimit -f {}; exec '{program}' {arguments}",
            2 * kibibytes
        );
        let mut shell = std::process::Command::new("sh");
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

    // No space at all: the directory stays unchanged, so the same command works later.
    let error = limited(0, "train small.toml --out runs/none");
    assert!(error.contains("runs/none"), "{error}");
    let mut left = std::fs::read_dir(root.path().join("runs/none")).unwrap();
    assert!(left.next().is_none());

    // Space for the small files, but not for a model: no checkpoint, not even half of one.
    let error = limited(500, "train small.toml --out runs/early");
    assert!(
        error.contains("checkpoint of step 2 was not saved"),
        "{error}"
    );
    assert!(error.contains("ulimit"), "{error}");
    assert_eq!(files_of_checkpoints("runs/early"), [] as [&str; 0]);
    // With enough space, the run begins again.
    let resumed = gwae(&["resume", "runs/early"], root.path());
    assert!(resumed.status.success(), "{}", text(&resumed.stderr));
    assert!(text(&resumed.stderr).contains("begins anew"));
    assert!(text(&resumed.stdout).contains("after 2 steps"));

    // The same with an earlier checkpoint: it is intact, and the run continues from it.
    fine(&gwae(
        &["train", "small.toml", "--out", "runs/late"],
        root.path(),
    ));
    let before = files_of_checkpoints("runs/late");
    let error = limited(500, "resume runs/late --steps 3");
    assert!(error.contains("what was saved before is intact"), "{error}");
    assert_eq!(files_of_checkpoints("runs/late"), before);
    let resumed = gwae(&["resume", "runs/late", "--steps", "3"], root.path());
    assert!(resumed.status.success(), "{}", text(&resumed.stderr));
    assert!(text(&resumed.stdout).contains("after 3 steps"));
}

/// A tiny model of colour images.
const COLOURS: &str = "\
[model]
image_size = 32
channels = 3
latent_dim = 4
width = 0.1
[training]
batch_size = 8
steps = 2
critic_steps = 1
[data]
limit = 32
";

/// The stored division of a run.
fn split(run: &Path) -> serde_json::Value {
    let text = std::fs::read_to_string(run.join("split.json")).unwrap();
    serde_json::from_str(&text).unwrap()
}

fn parts(run: &Path) -> [usize; 3] {
    let split = split(run);
    ["train", "validation", "test"].map(|part| split[part].as_array().unwrap().len())
}

#[test]
fn rendered_shapes_need_no_files() {
    let root = tempfile::tempdir().unwrap();
    std::fs::write(root.path().join("small.toml"), COLOURS).unwrap();
    for dataset in ["shapes3d", "dsprites"] {
        let out = format!("runs/{dataset}");
        let arguments = ["train", "small.toml", "--dataset", dataset, "--out", &out];
        fine(&gwae(&arguments, root.path()));
        assert_eq!(parts(&root.path().join(&out)), [32, 32, 0]);
        fine(&gwae(&["resume", &out, "--steps", "3"], root.path()));
    }
}

#[test]
fn a_folder_of_images_is_trained_on_until_it_changes() {
    let root = tempfile::tempdir().unwrap();
    let folder = root.path().join("pictures");
    std::fs::create_dir(&folder).unwrap();
    let picture = |seed: u32| {
        image::RgbImage::from_fn(40, 30, |x, y| {
            image::Rgb([seed * 8, x * 6, y * 8].map(|value| value as u8))
        })
    };
    for seed in 0..24 {
        let format = ["png", "jpg"][seed as usize % 2];
        picture(seed)
            .save(folder.join(format!("{seed}.{format}")))
            .unwrap();
    }
    let config = format!("{COLOURS}crop = 24\nvalidation_fraction = 0.2\n");
    std::fs::write(root.path().join("small.toml"), config).unwrap();
    let source = ["--dataset", "folder", "--data", "pictures"];
    fine(&gwae(
        &[&["train", "small.toml"], &source[..]].concat(),
        root.path(),
    ));
    let run = root.path().join("runs/small");
    assert_eq!(parts(&run), [19, 5, 0]);
    let config = std::fs::read_to_string(run.join("config.toml")).unwrap();
    assert!(config.contains("crop = 24"), "{config}");

    fine(&gwae(
        &["resume", "runs/small", "--steps", "3"],
        root.path(),
    ));
    picture(99).save(folder.join("99.png")).unwrap();
    let resumed = gwae(&["resume", "runs/small", "--steps", "4"], root.path());
    let message = refused(&resumed, 1);
    assert!(
        message.contains("fingerprint") || message.contains("changed"),
        "{message}"
    );

    std::fs::write(folder.join("100.png"), "no picture").unwrap();
    let out = ["--out", "runs/other"];
    let arguments = [&["train", "small.toml"], &source[..], &out].concat();
    let broken = gwae(&arguments, root.path());
    let message = text(&broken.stderr);
    assert_eq!(broken.status.code(), Some(1), "{message}");
    assert!(message.contains("100.png"), "{message}");
}

/// CelebA's layout with 40 small images: 24 to train, 8 to validate, 8 to test.
fn write_celeba(directory: &Path) {
    let images = directory.join("img_align_celeba");
    std::fs::create_dir_all(&images).unwrap();
    let (mut attributes, mut partition) = (String::from("40\nSmiling Male\n"), String::new());
    for number in 1..=40_u32 {
        let name = format!("{number:06}.jpg");
        let part = u32::from(number > 24) + u32::from(number > 32);
        let smiles = if number % 2 == 0 { 1 } else { -1 };
        attributes += &format!("{name} {smiles:2} -1\n");
        partition += &format!("{name} {part}\n");
        let face = image::RgbImage::from_fn(178, 218, |x, y| {
            image::Rgb([number * 6, x, y].map(|value| value as u8))
        });
        face.save(images.join(name)).unwrap();
    }
    std::fs::write(directory.join("list_attr_celeba.txt"), attributes).unwrap();
    std::fs::write(directory.join("list_eval_partition.txt"), partition).unwrap();
}

#[test]
fn celeba_trains_on_its_official_parts_through_a_copy() {
    let root = tempfile::tempdir().unwrap();
    let directory = root.path().join("sets/celeba");
    write_celeba(&directory);
    std::fs::write(root.path().join("small.toml"), COLOURS).unwrap();
    let source = ["--dataset", "celeba", "--data", "sets"];
    let trained = gwae(
        &[&["train", "small.toml"], &source[..]].concat(),
        root.path(),
    );
    let messages = text(&trained.stderr);
    assert!(trained.status.success(), "{messages}");
    assert!(messages.contains("preparing celeba (once): 40 of 40 images"));
    let run = root.path().join("runs/small");
    assert_eq!(parts(&run), [24, 8, 8]);
    assert_eq!(split(&run)["validation"][0], 24, "the official part");
    let copies = std::fs::read_dir(&directory).unwrap().flatten();
    let copies = copies.filter(|entry| entry.path().extension() == Some("images".as_ref()));
    assert_eq!(copies.count(), 1);

    let resumed = gwae(&["resume", "runs/small", "--steps", "3"], root.path());
    let messages = text(&resumed.stderr);
    assert!(resumed.status.success(), "{messages}");
    assert!(!messages.contains("preparing"), "made once");
    fine(&gwae(
        &["reconstruct", "runs/small", "--images", "8"],
        root.path(),
    ));
    let vary = [
        "data", "show", "celeba", "--data", "sets", "--vary", "Smiling",
    ];
    fine(&gwae(
        &[&vary[..], &["--out", "faces.png"]].concat(),
        root.path(),
    ));

    std::fs::remove_file(directory.join("img_align_celeba/000007.jpg")).unwrap();
    let resumed = gwae(&["resume", "runs/small", "--steps", "4"], root.path());
    let message = text(&resumed.stderr);
    assert_eq!(resumed.status.code(), Some(1), "{message}");
    assert!(message.contains("000007.jpg"), "{message}");
}
