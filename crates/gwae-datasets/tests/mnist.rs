//! MNIST and its relatives from directories with their four official files.

use std::fs;
use std::io::Write;
use std::path::Path;

use flate2::Compression;
use flate2::write::GzEncoder;
use gwae_datasets::{Dataset, DatasetError, Mnist, MnistError, MnistFamily};

/// Two images of 2×3 with the pixels 0 to 11.
fn images() -> Vec<u8> {
    let mut bytes = vec![0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 2, 0, 0, 0, 3];
    bytes.extend(0..12);
    bytes
}

fn labels(values: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0, 0, 8, 1, 0, 0, 0, values.len() as u8];
    bytes.extend_from_slice(values);
    bytes
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// Writes the four official files; `true` compresses.
fn write_family(directory: &Path, train_labels: &[u8], compressed: bool) {
    let mut test = images();
    test[16..].fill(9);
    for (name, bytes) in [
        ("train-images-idx3-ubyte", images()),
        ("train-labels-idx1-ubyte", labels(train_labels)),
        ("t10k-images-idx3-ubyte", test),
        ("t10k-labels-idx1-ubyte", labels(&[5, 6])),
    ] {
        if compressed {
            fs::write(directory.join(format!("{name}.gz")), gzip(&bytes)).unwrap();
        } else {
            fs::write(directory.join(name), bytes).unwrap();
        }
    }
}

#[test]
fn a_directory_reads_the_same_plain_and_compressed() {
    let mut fingerprints = Vec::new();
    for compressed in [false, true] {
        let directory = tempfile::tempdir().unwrap();
        write_family(directory.path(), &[3, 4], compressed);
        let mnist = Mnist::open(directory.path(), MnistFamily::Fashion).unwrap();
        assert_eq!(
            (mnist.name(), mnist.len(), mnist.train_len()),
            ("fashion-mnist", 4, 2)
        );
        let item = mnist.item(1).unwrap();
        assert_eq!(item.image.pixels, [6, 7, 8, 9, 10, 11]);
        assert_eq!(item.factors, [4]);
        assert_eq!(mnist.item(2).unwrap().factors, [5]);
        assert_eq!(mnist.item(2).unwrap().image.pixels, [9; 6]);
        assert!(matches!(
            mnist.item(4),
            Err(DatasetError::IndexOutOfRange {
                index: 4,
                len: 4,
                ..
            })
        ));
        fingerprints.push(mnist.fingerprint());
    }
    assert_eq!(fingerprints[0], fingerprints[1]);
    assert_eq!(fingerprints[0].len(), 64);

    let directory = tempfile::tempdir().unwrap();
    write_family(directory.path(), &[3, 5], false);
    let relabelled = Mnist::open(directory.path(), MnistFamily::Fashion).unwrap();
    assert_ne!(relabelled.fingerprint(), fingerprints[0]);
}

const NAMES: [&str; 4] = [
    "train-images-idx3-ubyte",
    "train-labels-idx1-ubyte",
    "t10k-images-idx3-ubyte",
    "t10k-labels-idx1-ubyte",
];

fn opens(directory: &Path) {
    let mnist = Mnist::open(directory, MnistFamily::Digits);
    let mnist = mnist.unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(mnist.len(), 4);
    assert_eq!(mnist.item(1).unwrap().factors, [4]);
}

#[test]
fn the_names_inside_of_the_archives_are_found() {
    for compressed in [false, true] {
        let directory = tempfile::tempdir().unwrap();
        write_family(directory.path(), &[3, 4], compressed);
        let suffix = if compressed { ".gz" } else { "" };
        for name in NAMES {
            let place = |name: &str| directory.path().join(format!("{name}{suffix}"));
            fs::rename(place(name), place(&name.replace("-idx", ".idx"))).unwrap();
            // Every mixture of old and new names.
            opens(directory.path());
        }
    }
}

#[test]
fn what_holds_no_data_hides_no_whole_file() {
    for name in NAMES {
        let directory = tempfile::tempdir().unwrap();
        write_family(directory.path(), &[3, 4], true);
        let plain = directory.path().join(name);
        fs::write(&plain, "").unwrap();
        opens(directory.path());
        fs::remove_file(&plain).unwrap();
        fs::create_dir(&plain).unwrap();
        fs::write(plain.join("keep"), "").unwrap();
        opens(directory.path());
        let compressed = directory.path().join(format!("{name}.gz"));
        fs::rename(
            &compressed,
            directory.path().join(name.replace("-idx", ".idx")),
        )
        .unwrap();
        fs::write(&compressed, "").unwrap();
        opens(directory.path());
        fs::remove_dir_all(&plain).unwrap();
        #[cfg(unix)]
        {
            std::os::unix::fs::symlink("nowhere", &plain).unwrap();
            opens(directory.path());
        }
    }
}

#[test]
fn a_folder_with_the_file_in_it_is_the_file() {
    for inner in ["train-images-idx3-ubyte", "train-images.idx3-ubyte"] {
        let directory = tempfile::tempdir().unwrap();
        write_family(directory.path(), &[3, 4], false);
        let plain = directory.path().join(NAMES[0]);
        fs::rename(&plain, directory.path().join("aside")).unwrap();
        fs::create_dir(&plain).unwrap();
        fs::rename(directory.path().join("aside"), plain.join(inner)).unwrap();
        opens(directory.path());
    }
}

#[test]
fn a_name_without_data_is_named_if_nothing_else_is_there() {
    let directory = tempfile::tempdir().unwrap();
    write_family(directory.path(), &[3, 4], false);
    let place = directory.path().join(NAMES[2]);
    let message = || {
        let error = Mnist::open(directory.path(), MnistFamily::Digits).unwrap_err();
        let message = error.to_string();
        assert!(
            matches!(error.downcast_ref(), Some(MnistError::UselessFile { path, .. }) if *path == place),
            "{message}"
        );
        message
    };
    fs::write(&place, "").unwrap();
    assert!(message().contains("is empty"));
    fs::remove_file(&place).unwrap();
    fs::create_dir(&place).unwrap();
    assert!(message().contains("is a folder without the file"));
    fs::remove_dir(&place).unwrap();
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink("nowhere", &place).unwrap();
        assert!(message().contains("is a link to a file that is not there"));
    }
}

/// torchvision keeps the files of several datasets below one directory.
#[test]
fn the_folders_of_torchvision_are_found() {
    let directory = tempfile::tempdir().unwrap();
    for (folder, family, label) in [
        ("MNIST/raw", MnistFamily::Digits, 1),
        ("FashionMNIST/raw", MnistFamily::Fashion, 2),
        ("KMNIST/raw", MnistFamily::Kuzushiji, 3),
    ] {
        let place = directory.path().join(folder);
        fs::create_dir_all(&place).unwrap();
        write_family(&place, &[label, 4], true);
        let parent = place.parent().unwrap();
        for directory in [directory.path(), parent, &place] {
            let dataset = Mnist::open(directory, family).unwrap();
            assert_eq!(dataset.item(0).unwrap().factors, [u32::from(label)]);
        }
    }
    // An incomplete folder hides no complete one.
    write_family(directory.path(), &[7, 4], true);
    fs::remove_file(directory.path().join("t10k-labels-idx1-ubyte.gz")).unwrap();
    let dataset = Mnist::open(directory.path(), MnistFamily::Kuzushiji).unwrap();
    assert_eq!(dataset.item(0).unwrap().factors, [3]);
}

#[test]
fn a_missing_member_is_named() {
    let directory = tempfile::tempdir().unwrap();
    write_family(directory.path(), &[3, 4], true);
    fs::remove_file(directory.path().join("t10k-labels-idx1-ubyte.gz")).unwrap();
    let error = Mnist::open(directory.path(), MnistFamily::Digits).unwrap_err();
    let message = error.to_string();
    assert!(
        matches!(
            error.downcast_ref(),
            Some(MnistError::MissingFile {
                file: "t10k-labels-idx1-ubyte",
                ..
            })
        ),
        "{message}"
    );
    assert!(message.contains(&directory.path().display().to_string()));
}

#[test]
fn images_without_their_labels_are_refused_naming_both_files() {
    let directory = tempfile::tempdir().unwrap();
    write_family(directory.path(), &[3, 4, 5], false);
    let error = Mnist::open(directory.path(), MnistFamily::Digits).unwrap_err();
    assert!(
        matches!(
            error.downcast_ref(),
            Some(MnistError::CountMismatch {
                images: 2,
                labels: 3,
                ..
            })
        ),
        "{error}"
    );
    let message = error.to_string();
    assert!(message.contains("train-images-idx3-ubyte"), "{message}");
    assert!(message.contains("train-labels-idx1-ubyte"), "{message}");
}

#[test]
fn foreign_labels_and_sizes_are_refused() {
    let directory = tempfile::tempdir().unwrap();
    write_family(directory.path(), &[3, 10], false);
    let error = Mnist::open(directory.path(), MnistFamily::Digits).unwrap_err();
    assert!(
        matches!(
            error.downcast_ref(),
            Some(MnistError::LabelOutOfRange {
                index: 1,
                label: 10,
                ..
            })
        ),
        "{error}"
    );
    write_family(directory.path(), &[3, 4], false);
    let mut wide = images();
    (wide[11], wide[15]) = (3, 2);
    fs::write(directory.path().join("t10k-images-idx3-ubyte"), wide).unwrap();
    let error = Mnist::open(directory.path(), MnistFamily::Digits).unwrap_err();
    assert!(
        matches!(
            error.downcast_ref(),
            Some(MnistError::SizeMismatch {
                train: (2, 3),
                test: (3, 2),
                ..
            })
        ),
        "{error}"
    );
}
