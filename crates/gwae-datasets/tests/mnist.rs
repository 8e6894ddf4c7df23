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
