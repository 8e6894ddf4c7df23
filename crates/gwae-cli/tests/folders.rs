//! Folders of the user's own images: changed files, damaged files, few files, images that are not square.

mod program;

use std::fs;
use std::path::Path;

use gwae_datasets::{Dataset, ImageFolder};
use gwae_train::metrics_log::{MetricsLog, Phase};
use program::{fine, gwae, refused, text};

const CONFIG: &str = "\
[model]
image_size = 32
channels = 1
latent_dim = 2
width = 0.05
merged_condition = false
[training]
steps = 2
batch_size = 8
[data]
dataset = \"folder\"
directory = \"pictures\"
";

/// Writes a grey picture. All pictures of one size have the same number of bytes, because nothing is compressed.
fn picture(path: &Path, (width, height): (u32, u32), seed: u32) {
    use image::ImageEncoder;
    use image::codecs::png::{CompressionType, FilterType, PngEncoder};
    let pixels: Vec<u8> = (0..width * height)
        .map(|n| ((n % width * (seed + 3) + n / width * 5) % 256) as u8)
        .collect();
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    let file = fs::File::create(path).unwrap();
    let encoder =
        PngEncoder::new_with_quality(file, CompressionType::Uncompressed, FilterType::NoFilter);
    let colour = image::ExtendedColorType::L8;
    encoder.write_image(&pixels, width, height, colour).unwrap();
}

fn pictures(root: &Path, count: u32, size: (u32, u32), first_seed: u32) {
    for number in 0..count {
        let path = root.join(format!("pictures/{number:03}.png"));
        picture(&path, size, first_seed + number);
    }
}

fn config(root: &Path, name: &str, more: &str) {
    fs::write(root.join(name), format!("{CONFIG}{more}")).unwrap();
}

/// The losses of the training steps of a run.
fn losses(run: &Path) -> Vec<Vec<(String, f64)>> {
    let records = MetricsLog::read(&run.join("metrics.jsonl")).unwrap();
    let records = records
        .into_iter()
        .filter(|record| record.phase == Phase::Train);
    records.map(|record| record.losses).collect()
}

/// What the program says on standard error when it succeeds.
fn said(arguments: &[&str], root: &Path) -> String {
    let output = gwae(arguments, root);
    fine(&output);
    text(&output.stderr)
}

#[test]
fn other_images_of_the_same_names_and_sizes_are_noticed() {
    let root = tempfile::tempdir().unwrap();
    let root = root.path();
    pictures(root, 24, (32, 32), 0);
    config(root, "copied.toml", "cache = \"cache\"\n");
    config(root, "plain.toml", "");
    said(&["train", "copied.toml", "--out", "first"], root);
    let length = fs::metadata(root.join("pictures/000.png")).unwrap().len();
    // The same content with other times is the same data.
    let content = fs::read(root.join("pictures/000.png")).unwrap();
    fs::write(root.join("pictures/000.png"), content).unwrap();
    said(&["resume", "first", "--steps", "3"], root);

    pictures(root, 24, (32, 32), 100);
    assert_eq!(
        fs::metadata(root.join("pictures/000.png")).unwrap().len(),
        length
    );
    let message = refused(&gwae(&["resume", "first", "--steps", "4"], root), 1);
    assert!(
        message.contains("the folder data are not those that"),
        "{message}"
    );
    let message = refused(&gwae(&["reconstruct", "first"], root), 1);
    assert!(message.contains("fingerprint"), "{message}");
    // A new run sees the new pictures, with and without a copy.
    said(&["train", "copied.toml", "--out", "second"], root);
    said(&["train", "plain.toml", "--out", "third"], root);
    let [first, second, third] = ["first", "second", "third"].map(|run| losses(&root.join(run)));
    for ((name, copied), (_, plain)) in second[0].iter().zip(&third[0]) {
        assert!(
            (copied - plain).abs() < 0.01 * plain.abs().max(1.0),
            "{name}: {copied} {plain}"
        );
    }
    assert_ne!(first[0], second[0]);
}

#[test]
fn a_run_of_an_earlier_version_goes_on_as_it_began() {
    let root = tempfile::tempdir().unwrap();
    let root = root.path();
    pictures(root, 24, (48, 32), 0);
    config(root, "stretched.toml", "fit = \"stretch\"\n");
    config(root, "plain.toml", "");
    let notes = said(
        &["train", "plain.toml", "--out", "cropped", "--steps", "4"],
        root,
    );
    assert!(
        notes.contains("24 of 24 images are not square: only their central square"),
        "{notes}"
    );
    said(
        &["train", "stretched.toml", "--out", "whole", "--steps", "4"],
        root,
    );
    said(&["train", "stretched.toml", "--out", "parts"], root);

    // An earlier version knew no fit, and its fingerprint had no contents.
    let folder = ImageFolder::open(&root.join("pictures")).unwrap();
    let (now, former) = (folder.fingerprint(), folder.former_fingerprints().remove(0));
    let replace = |file: &str, from: &str, to: &str| {
        let path = root.join("parts").join(file);
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.contains(from), "{text}");
        fs::write(path, text.replace(from, to)).unwrap();
    };
    replace("config.toml", "fit = \"stretch\"\n", "");
    replace("run.json", &now, &former);
    replace("split.json", &now, &former);
    let notes = said(&["resume", "parts", "--steps", "4"], root);
    assert!(notes.contains("compared only names and sizes"), "{notes}");
    assert!(notes.contains("they are stretched"), "{notes}");
    let [cropped, whole, parts] = ["cropped", "whole", "parts"].map(|run| losses(&root.join(run)));
    assert_eq!(whole, parts);
    assert_ne!(whole, cropped);
    // From now on the contents are compared.
    let record = fs::read_to_string(root.join("parts/run.json")).unwrap();
    assert!(
        record.contains(&now) && !record.contains(&former),
        "{record}"
    );
    let notes = said(&["resume", "parts", "--steps", "5"], root);
    assert!(!notes.contains("names and sizes"), "{notes}");
    pictures(root, 24, (48, 32), 100);
    let message = refused(&gwae(&["resume", "parts", "--steps", "6"], root), 1);
    assert!(
        message.contains("the folder data are not those that"),
        "{message}"
    );
}

#[test]
fn damaged_images_are_refused_or_skipped_and_listed() {
    let root = tempfile::tempdir().unwrap();
    let root = root.path();
    pictures(root, 24, (32, 32), 0);
    let damaged = root.join("pictures/007.png");
    let whole = fs::read(&damaged).unwrap();
    fs::write(&damaged, &whole[..whole.len() / 2]).unwrap();
    fs::write(root.join("pictures/notes.txt"), "text").unwrap();
    config(root, "refuse.toml", "");
    config(root, "skip.toml", "unreadable = \"skip\"\n");
    for arguments in [
        &["train", "refuse.toml", "--out", "run"][..],
        &[
            "data", "show", "folder", "--data", "pictures", "--out", "s.png",
        ],
    ] {
        let message = refused(&gwae(arguments, root), 1);
        assert!(
            message.contains("1 of 24 images cannot be read: 007.png ("),
            "{message}"
        );
        assert!(message.contains("data.unreadable = \"skip\""), "{message}");
    }
    let checked = gwae(&["data", "check", "folder", "--data", "pictures"], root);
    assert_eq!(checked.status.code(), Some(1));
    let report = text(&checked.stdout);
    assert!(report.contains("007.png: "), "{report}");
    assert!(
        report.ends_with("folder: 1 of 24 images cannot be read\n"),
        "{report}"
    );

    let notes = said(&["train", "skip.toml", "--out", "run"], root);
    assert!(notes.contains("passed over: 1 .txt"), "{notes}");
    assert!(
        notes.contains("1 of 24 images cannot be read and are left out"),
        "{notes}"
    );
    said(&["resume", "run", "--steps", "3"], root);
    // With the image mended, it would be another division.
    fs::write(&damaged, &whole).unwrap();
    let message = refused(&gwae(&["resume", "run", "--steps", "4"], root), 1);
    assert!(
        message.contains("the folder data are not those that"),
        "{message}"
    );
    let report = fine(&gwae(
        &["data", "check", "folder", "--data", "pictures"],
        root,
    ));
    assert!(
        report.ends_with("folder: all 24 images can be read\n"),
        "{report}"
    );
}

#[test]
fn too_few_images_are_told_how_many_are_needed() {
    let root = tempfile::tempdir().unwrap();
    let root = root.path();
    config(root, "config.toml", "");
    for count in 1..=5 {
        pictures(root, count, (32, 32), 0);
        let message = refused(&gwae(&["train", "config.toml", "--out", "run"], root), 1);
        let expected = format!(
            "too few images: {count}, and training.batch_size = 8 with \
                                data.validation_fraction = 0.1 needs at least 15;"
        );
        assert!(message.contains(&expected), "{message}");
        let show = [
            "data", "show", "folder", "--data", "pictures", "--out", "s.png",
        ];
        fine(&gwae(&show, root));
    }
    pictures(root, 15, (32, 32), 0);
    said(
        &["train", "config.toml", "--out", "run", "--steps", "1"],
        root,
    );
}
