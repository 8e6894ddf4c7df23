//! The IDX reader with well-formed and malformed files.

use std::fs;
use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use gwae_formats::idx::{
    IdxError, IdxProblem, read_images, read_images_from, read_labels, read_labels_from,
};
use proptest::prelude::*;

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

/// The problem of `bytes` as images, after a check of the message's form.
fn problem(bytes: &[u8]) -> IdxProblem {
    let error = read_images_from("some.gz", bytes).unwrap_err();
    let message = error.to_string();
    assert!(message.starts_with("some.gz: "), "{message}");
    assert!(!message.contains('\n'), "{message}");
    error.problem
}

#[test]
fn reads_plain_and_compressed_alike() {
    let plain = read_images_from("plain", images().as_slice()).unwrap();
    assert_eq!((plain.count, plain.height, plain.width), (2, 2, 3));
    assert_eq!(plain.pixels, (0..12).collect::<Vec<u8>>());
    let compressed = read_images_from("compressed", gzip(&images()).as_slice()).unwrap();
    assert_eq!(plain, compressed);
    let read = read_labels_from("labels", labels(&[7, 0, 3]).as_slice()).unwrap();
    assert_eq!(read.labels, [7, 0, 3]);
}

#[test]
fn reads_gzip_in_several_members() {
    let bytes = images();
    let mut members = gzip(&bytes[..9]);
    members.extend(gzip(&bytes[9..]));
    let read = read_images_from("members", members.as_slice()).unwrap();
    assert_eq!(read.pixels, (0..12).collect::<Vec<u8>>());
}

/// `gzip -t` and Python's `gzip` read such files too, and both refuse or name other bytes at the end.
#[test]
fn zeros_may_fill_up_a_gzip_file_but_nothing_else() {
    let whole = gzip(&images());
    for zeros in [1, 2, 511, 512, 100_000] {
        let padded = [whole.clone(), vec![0; zeros]].concat();
        let read = read_images_from("padded", padded.as_slice()).unwrap();
        assert_eq!(read.pixels, (0..12).collect::<Vec<u8>>(), "{zeros}");
    }
    for after in [&b"garbage"[..], b"\0\0\0\x01", b"\x1f"] {
        let found = problem(&[&whole, after].concat());
        assert!(
            matches!(found, IdxProblem::BytesAfterGzip { offset: 28 }),
            "{found}"
        );
        assert!(
            found.to_string().contains("other bytes than zeros"),
            "{found}"
        );
    }
    // A second member is data, and here there is none left to hold.
    let found = problem(&[gzip(&images()), vec![0; 9], gzip(b"x")].concat());
    assert!(matches!(found, IdxProblem::TrailingBytes { .. }), "{found}");
}

#[test]
fn the_content_decides_not_the_name() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("labels-without-suffix");
    fs::write(&path, gzip(&labels(&[1, 2]))).unwrap();
    assert_eq!(read_labels(&path).unwrap().labels, [1, 2]);
    let path = directory.path().join("labels.gz");
    fs::write(&path, labels(&[3])).unwrap();
    assert_eq!(read_labels(&path).unwrap().labels, [3]);
}

#[test]
fn a_missing_file_and_a_directory_are_named() {
    let directory = tempfile::tempdir().unwrap();
    for path in [directory.path().join("nowhere"), directory.path().into()] {
        let IdxError { file, problem } = read_images(&path).unwrap_err();
        assert_eq!(file, path.display().to_string());
        assert!(matches!(problem, IdxProblem::Io(_)), "{problem:?}");
    }
}

#[test]
fn an_empty_file_and_every_cut_header_are_truncated() {
    let bytes = images();
    for length in 0..16 {
        assert!(
            matches!(
                problem(&bytes[..length]),
                IdxProblem::TruncatedHeader { found, expected: 16 } if found == length as u64
            ),
            "{length}"
        );
    }
    assert!(matches!(
        problem(&gzip(&bytes[..7])),
        IdxProblem::TruncatedHeader {
            found: 7,
            expected: 16
        }
    ));
}

#[test]
fn a_cut_body_is_truncated() {
    for bytes in [images()[..27].to_vec(), gzip(&images()[..27])] {
        assert!(matches!(
            problem(&bytes),
            IdxProblem::TruncatedBody {
                found: 11,
                expected: 12
            }
        ));
    }
}

#[test]
fn bytes_after_the_body_are_refused() {
    let mut bytes = images();
    bytes.extend([1, 2, 3]);
    for bytes in [bytes.clone(), gzip(&bytes)] {
        assert!(matches!(
            problem(&bytes),
            IdxProblem::TrailingBytes {
                expected: 12,
                offset: 28
            }
        ));
    }
}

#[test]
fn other_files_are_recognised_by_their_first_bytes() {
    assert!(matches!(
        problem(b"\x89PNG\r\n\x1a\n and more"),
        IdxProblem::WrongMagic {
            found: [0x89, 0x50]
        }
    ));
    assert!(matches!(
        problem(b"<html>not found</html>"),
        IdxProblem::WrongMagic {
            found: [b'<', b'h']
        }
    ));
    assert!(matches!(
        problem(&gzip(b"<html>")),
        IdxProblem::WrongMagic {
            found: [b'<', b'h']
        }
    ));
}

#[test]
fn other_element_types_and_dimension_counts_are_refused() {
    let mut floats = images();
    floats[2] = 0x0d;
    assert!(matches!(
        problem(&floats),
        IdxProblem::WrongElementType { found: 0x0d }
    ));
    assert!(matches!(
        problem(&labels(&[1, 2, 3])),
        IdxProblem::WrongDimensionCount {
            found: 1,
            expected: 3,
            kind: "images"
        }
    ));
    let error = read_labels_from("labels", images().as_slice()).unwrap_err();
    assert!(matches!(
        error.problem,
        IdxProblem::WrongDimensionCount {
            found: 3,
            expected: 1,
            kind: "labels"
        }
    ));
}

#[test]
fn an_empty_dimension_is_named_with_its_offset() {
    for (offset, name) in [(4, "count"), (8, "height"), (12, "width")] {
        let mut bytes = images();
        bytes[offset + 3] = 0;
        let found = problem(&bytes);
        assert!(
            matches!(found, IdxProblem::EmptyDimension { field, offset: o }
                if field == name && o == offset as u64),
            "{found:?}"
        );
    }
}

#[test]
fn a_header_that_declares_terabytes_costs_nothing() {
    // 2³²−1 in every dimension overflows 64 bits; 2¹⁶ in each is 2⁴⁸ bytes.
    for dimension in [[255; 4], [0, 1, 0, 0]] {
        let mut bytes = vec![0, 0, 8, 3];
        bytes.extend(dimension.repeat(3));
        assert!(matches!(problem(&bytes), IdxProblem::TooLarge { .. }));
        assert!(matches!(
            problem(&gzip(&bytes)),
            IdxProblem::TooLarge { .. }
        ));
    }
    // 3.75 GiB is within the limit, but memory is allocated only for the bytes in the file.
    let mut bytes = vec![0, 0, 8, 3];
    bytes.extend([0, 0, 0x3c, 0, 0, 0, 2, 0, 0, 0, 2, 0]);
    bytes.push(1);
    assert!(matches!(
        problem(&bytes),
        IdxProblem::TruncatedBody {
            found: 1,
            expected: 0xf000_0000
        }
    ));
}

#[test]
fn cut_and_damaged_gzip_are_told_apart() {
    let whole = gzip(&images());
    for length in 2..whole.len() {
        assert!(
            matches!(problem(&whole[..length]), IdxProblem::TruncatedGzip { .. }),
            "{length}"
        );
    }
    // The checksum is in the eight bytes at the end.
    let mut damaged = whole.clone();
    let checksum = damaged.len() - 8;
    damaged[checksum] ^= 0xff;
    assert!(matches!(problem(&damaged), IdxProblem::CorruptGzip { .. }));
    // Compression method 9 does not exist.
    let mut damaged = whole;
    damaged[2] = 9;
    assert!(matches!(
        problem(&damaged),
        IdxProblem::CorruptGzip { offset: 0, .. }
    ));
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = read_images_from("any", bytes.as_slice());
        let _ = read_labels_from("any", bytes.as_slice());
    }

    /// With a plausible start, random bytes get deeper into the reader.
    #[test]
    fn arbitrary_bytes_behind_a_header_never_panic(
        start in prop_oneof![
            Just(vec![0x1f, 0x8b]),
            Just(vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3]),
            Just(vec![0, 0, 8, 1]),
            Just(vec![0, 0, 8, 3, 0, 0]),
            Just(vec![0, 0, 8, 3, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0]),
        ],
        rest in proptest::collection::vec(any::<u8>(), 0..100),
        compress in any::<bool>(),
    ) {
        let bytes = [start, rest].concat();
        let bytes = if compress { gzip(&bytes) } else { bytes };
        let _ = read_images_from("any", bytes.as_slice());
        let _ = read_labels_from("any", bytes.as_slice());
    }

    /// An accepted file holds exactly as many elements as it declares.
    #[test]
    fn any_labels_survive_the_round_trip(values in proptest::collection::vec(any::<u8>(), 1..200)) {
        let read = read_labels_from("any", gzip(&labels(&values)).as_slice()).unwrap();
        prop_assert_eq!(read.labels, values);
    }
}
