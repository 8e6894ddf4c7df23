//! The HDF5 reader with files by h5py (`hdf5_files/make_files.py`), intact and damaged.

use std::fs;
use std::path::{Path, PathBuf};

use gwae_formats::hdf5::{Hdf5Element, Hdf5Error, Hdf5File, Hdf5Problem};

fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/hdf5_files/{name}.h5"))
}

/// The formula of `make_files.py`.
fn images(count: usize, [height, width, channels]: [usize; 3]) -> Vec<u8> {
    let mut pixels = Vec::new();
    for n in 0..count {
        for y in 0..height {
            for x in 0..width {
                for c in 0..channels {
                    pixels.push((7 * n + 5 * y + 3 * x + 11 * c + n * y * x % 13) as u8);
                }
            }
        }
    }
    pixels
}

fn labels(count: usize) -> Vec<f64> {
    let linspace = |from: f64, to: f64, count: usize| {
        move |place: usize| {
            if place + 1 == count {
                to
            } else {
                from + place as f64 * ((to - from) / (count - 1) as f64)
            }
        }
    };
    let axes = [
        (0.0, 0.9, 10),
        (0.0, 0.9, 10),
        (0.0, 0.9, 10),
        (0.75, 1.25, 8),
        (0.0, 3.0, 4),
        (-30.0, 30.0, 15),
    ];
    let item = |item: usize| {
        let mut left = item * 40_009 % 480_000;
        let mut values = axes.map(|(from, to, count)| (linspace(from, to, count), count, 0));
        for (_, count, place) in values.iter_mut().rev() {
            *place = left % *count;
            left /= *count;
        }
        values.map(|(value, _, place)| value(place))
    };
    (0..count).flat_map(item).collect()
}

fn read_all(path: &Path, name: &str) -> Result<Vec<u8>, Hdf5Error> {
    let dataset = Hdf5File::open(path)?.dataset(name)?;
    // A damaged file may declare a huge size; this test does not read so much.
    let rows = dataset.shape()[0].min(1 << 12);
    let mut bytes = vec![0; dataset.row_bytes().min(1 << 20) * rows as usize];
    if bytes.len() == dataset.row_bytes() * rows as usize {
        dataset.read_rows(0..rows, &mut bytes)?;
    }
    Ok(bytes)
}

/// Writes a new file, because on some file systems overwriting one waits for the disk.
fn write_anew(path: &Path, bytes: &[u8]) {
    let _ = fs::remove_file(path);
    fs::write(path, bytes).unwrap();
}

fn f64s(bytes: &[u8]) -> Vec<f64> {
    let number = |bytes: &[u8]| f64::from_le_bytes(bytes.try_into().unwrap());
    bytes.chunks_exact(8).map(number).collect()
}

const LAYOUTS: [&str; 13] = [
    "contiguous",
    "chunked",
    "gzip",
    "gzip_shuffle",
    "fletcher32",
    "automatic",
    "resizable",
    "latest_contiguous",
    "latest_single",
    "latest_single_gzip",
    "latest_fixed_array",
    "latest_gzip",
    "v110_gzip",
];

#[test]
fn every_layout_of_h5py_is_read() {
    for name in LAYOUTS {
        let file = Hdf5File::open(&path(name)).unwrap();
        let mut names: Vec<&str> = file.names().collect();
        names.sort_unstable();
        assert_eq!(names, ["images", "labels"], "{name}");
        let dataset = file.dataset("images").unwrap();
        assert_eq!(dataset.shape(), [12, 6, 5, 3], "{name}");
        assert_eq!(dataset.element(), Hdf5Element::U8);
        assert_eq!(dataset.row_bytes(), 90);
        assert_eq!(
            read_all(&path(name), "images").unwrap(),
            images(12, [6, 5, 3]),
            "{name}"
        );
        let dataset = file.dataset("labels").unwrap();
        assert_eq!(dataset.shape(), [12, 6]);
        assert_eq!(dataset.element(), Hdf5Element::F64);
        // Both follow NumPy's rounding, so they agree to the last bit.
        let read = f64s(&read_all(&path(name), "labels").unwrap());
        assert_eq!(read, labels(12), "{name}");
    }
}

#[test]
fn indices_of_several_nodes_and_pages_are_read() {
    let two_levels = read_all(&path("two_levels"), "images").unwrap();
    assert_eq!(two_levels, images(70, [6, 5, 3]));
    let paged = read_all(&path("latest_paged"), "images").unwrap();
    assert_eq!(paged, images(1400, [1, 1, 1]));
    let implicit = read_all(&path("latest_implicit"), "images").unwrap();
    assert_eq!(implicit, images(12, [6, 5, 3]));
    let file = Hdf5File::open(&path("latest_implicit")).unwrap();
    let single = file.dataset("labels").unwrap();
    assert_eq!(single.element(), Hdf5Element::F32);
}

#[test]
fn any_rows_are_read_alone_and_from_several_threads() {
    for name in LAYOUTS {
        let file = Hdf5File::open(&path(name)).unwrap();
        let dataset = file.dataset("images").unwrap();
        let all = images(12, [6, 5, 3]);
        std::thread::scope(|scope| {
            for start in 0..12 {
                let (dataset, all) = (&dataset, &all);
                scope.spawn(move || {
                    for end in start..=12 {
                        let mut bytes = vec![0; (end - start) as usize * 90];
                        dataset.read_rows(start..end, &mut bytes).unwrap();
                        assert_eq!(bytes, all[start as usize * 90..end as usize * 90]);
                    }
                    dataset.prefetch_rows(start..12).unwrap();
                    if start == 5 {
                        dataset.forget_chunks();
                    }
                });
            }
        });
        let error = dataset.read_rows(12..13, &mut [0; 90]).unwrap_err();
        assert!(matches!(
            error.problem,
            Hdf5Problem::RowsOutOfRange {
                start: 12,
                end: 13,
                rows: 12,
                ..
            }
        ));
    }
}

/// The problem of a dataset, after a check of the message's form.
#[test]
fn scattered_rows_are_those_read_one_by_one() {
    for name in LAYOUTS.into_iter().chain(["two_levels"]) {
        let file = Hdf5File::open(&path(name)).unwrap();
        let dataset = file.dataset("images").unwrap();
        let count = dataset.shape()[0];
        // Not sorted, from all layers of chunks, and some twice.
        let rows: Vec<u64> = (0..2 * count).map(|n| (n * n + 5 * n) % count).collect();
        let all = images(count as usize, [6, 5, 3]);
        let expected: Vec<u8> = rows
            .iter()
            .flat_map(|&row| &all[row as usize * 90..][..90])
            .copied()
            .collect();
        for _ in 0..2 {
            let mut bytes = vec![0; expected.len()];
            dataset.read_scattered_rows(&rows, &mut bytes).unwrap();
            assert_eq!(bytes, expected, "{name}");
        }
        dataset.read_scattered_rows(&[], &mut []).unwrap();
        for row in [count, u64::MAX] {
            let result = dataset.read_scattered_rows(&[0, row], &mut [0; 180]);
            let Hdf5Error { problem, .. } = result.unwrap_err();
            assert!(
                matches!(problem, Hdf5Problem::RowsOutOfRange { start, .. } if start == row),
                "{problem}"
            );
        }
    }
}

fn problem(file: &Path, dataset: &str) -> Hdf5Problem {
    let error = read_all(file, dataset).unwrap_err();
    let message = error.to_string();
    let start = format!("{}: ", file.display());
    assert!(message.starts_with(&start), "{message}");
    assert!(!message.contains('\n'), "{message}");
    error.problem
}

#[test]
fn what_the_reader_leaves_out_is_refused_by_name() {
    for (file, dataset, feature) in [
        ("refused", "big_endian", "elements of class 1 and 8 bytes"),
        ("refused", "signed", "elements of class 0 and 1 bytes"),
        ("refused", "integers", "elements of class 0 and 8 bytes"),
        ("refused", "texts", "elements of class 9"),
        ("refused", "lzf", "filter 32000 `lzf`"),
        ("refused", "scale_offset", "filter 6 `scaleoffset`"),
        ("refused", "external", "external storage"),
        ("refused", "link", "filter 32000 `lzf`"),
        ("refused_latest", "link", "resizable"),
        (
            "refused_latest",
            "other_file",
            "a link into another file, `other.h5`",
        ),
        ("refused_latest", "virtual", "a virtual dataset"),
        ("refused", "scalar", "a dataset without dimensions"),
        ("refused_latest", "extensible", "resizable"),
        ("refused_latest", "two_unlimited", "resizable"),
        ("refused_many_links", "dataset_3", "many links"),
    ] {
        let found = problem(&path(file), dataset);
        assert!(
            matches!(&found, Hdf5Problem::Unsupported { feature: f, .. } if f.contains(feature)),
            "{dataset}: {found}"
        );
    }
    let found = problem(&path("refused"), "empty");
    assert!(found.to_string().contains("holds nothing"), "{found}");
    let found = problem(&path("refused"), "group");
    assert!(found.to_string().contains("no dataset"), "{found}");
    for (dataset, missing, expected) in [("never_filled", 1, 1), ("boundless", 1 << 40, 1 << 40)] {
        let found = problem(&path("refused"), dataset);
        assert!(
            matches!(found, Hdf5Problem::Unwritten { missing: m, expected: e, .. }
                if (m, e) == (missing, expected)),
            "{dataset}: {found}"
        );
    }
    for (dataset, target, reason) in [
        ("dead_end", "/group/images", "is not there"),
        ("circle", "/circle", "more than 16"),
        (
            "group/nothing",
            "",
            "holds no dataset `group/nothing`, only: circle",
        ),
    ] {
        let message = problem(&path("refused"), dataset).to_string();
        assert!(message.contains(target), "{message}");
        assert!(message.contains(reason), "{message}");
    }
}

#[test]
fn a_user_block_is_skipped() {
    for name in ["user_block", "latest_user_block"] {
        assert_eq!(
            read_all(&path(name), "images").unwrap(),
            images(12, [6, 5, 3])
        );
    }
    // The HDF5 library reads files too whose user block was put before them afterwards, or taken away.
    let directory = tempfile::tempdir().unwrap();
    let moved = directory.path().join("moved.h5");
    for file in ["two_levels", "latest_gzip"] {
        let whole = fs::read(path(file)).unwrap();
        let expected = read_all(&path(file), "images").unwrap();
        for block in [512, 1024, 65_536] {
            write_anew(&moved, &[vec![b' '; block], whole.clone()].concat());
            assert_eq!(read_all(&moved, "images").unwrap(), expected, "{block}");
            write_anew(
                &moved,
                &[&vec![0; block], &whole[..whole.len() - 1]].concat(),
            );
            let found = problem(&moved, "images");
            assert!(matches!(found, Hdf5Problem::Truncated { .. }), "{found}");
        }
        for block in [1, 511, 1536] {
            write_anew(&moved, &[vec![0; block], whole.clone()].concat());
            let found = problem(&moved, "images");
            assert!(matches!(found, Hdf5Problem::NotHdf5), "{found}");
        }
    }
    let with_block = fs::read(path("latest_user_block")).unwrap();
    write_anew(&moved, &with_block[4096..]);
    assert_eq!(read_all(&moved, "images").unwrap(), images(12, [6, 5, 3]));
    // The signature, and nothing after it.
    for end in [&b""[..], b"\0", b"\x02", &[3; 40]] {
        let bytes = [&[0; 1 << 16][..], b"\x89HDF\r\n\x1a\n", end].concat();
        write_anew(&moved, &bytes);
        problem(&moved, "images");
    }
}

#[test]
fn soft_links_are_followed() {
    for name in ["links", "latest_links"] {
        assert_eq!(
            read_all(&path(name), "images").unwrap(),
            images(12, [6, 5, 3])
        );
        let direct = read_all(&path(name), "data/values").unwrap();
        assert_eq!(read_all(&path(name), "labels").unwrap(), direct);
        assert_eq!(read_all(&path(name), "/here/./values").unwrap(), direct);
        let names = Hdf5File::open(&path(name)).unwrap();
        let mut names: Vec<&str> = names.names().collect();
        names.sort_unstable();
        assert_eq!(names, ["data", "here", "images", "labels"]);
    }
}

/// The group `read` holds what h5py reads from each dataset.
#[test]
fn what_was_never_written_has_the_fill_value() {
    for name in ["unwritten", "latest_unwritten"] {
        let file = Hdf5File::open(&path(name)).unwrap();
        for dataset in [
            "whole",
            "whole_filled",
            "no_chunk",
            "some_rows",
            "some_rows_filled",
            "some_labels",
            "sparse",
        ] {
            let expected = read_all(&path(name), &format!("read/{dataset}")).unwrap();
            assert!(expected.iter().any(|&byte| byte != 0) || dataset == "whole");
            assert_eq!(
                read_all(&path(name), dataset).unwrap(),
                expected,
                "{dataset}"
            );
            let dataset = file.dataset(dataset).unwrap();
            let rows = dataset.shape()[0];
            dataset.prefetch_rows(0..rows).unwrap();
            let row_bytes = dataset.row_bytes();
            let order: Vec<u64> = (0..rows).rev().collect();
            let mut scattered = vec![1; expected.len()];
            dataset.read_scattered_rows(&order, &mut scattered).unwrap();
            for (row, bytes) in order.iter().zip(scattered.chunks_exact(row_bytes)) {
                assert_eq!(bytes, &expected[*row as usize * row_bytes..][..row_bytes]);
                let mut alone = vec![1; row_bytes];
                dataset.read_rows(*row..row + 1, &mut alone).unwrap();
                assert_eq!(alone, bytes);
            }
        }
    }
}

#[test]
fn other_files_are_recognised() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("file");
    for content in [
        &b""[..],
        b"\x89HDF",
        b"PK\x03\x04 and more and more",
        &[0; 600],
    ] {
        fs::write(&file, content).unwrap();
        assert!(matches!(problem(&file, "images"), Hdf5Problem::NotHdf5));
    }
    for missing in [directory.path().join("nowhere"), directory.path().into()] {
        assert!(matches!(problem(&missing, "images"), Hdf5Problem::Io(_)));
    }
}

#[test]
fn a_damaged_chunk_is_named_with_its_place() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("damaged.h5");
    // The labels of this file are in plain chunks with a checksum; the last one is damaged.
    let mut bytes = fs::read(path("fletcher32")).unwrap();
    let number = labels(12)[11 * 6 + 3].to_le_bytes();
    let place = (0..bytes.len() - 8)
        .rev()
        .find(|&place| bytes[place..place + 8] == number)
        .unwrap();
    bytes[place] ^= 1;
    fs::write(&file, bytes).unwrap();
    let found = problem(&file, "labels");
    assert!(
        matches!(&found, Hdf5Problem::Damaged { what, reason, .. }
            if what == "dataset labels: chunk 2" && reason.contains("checksum")),
        "{found}"
    );
    read_all(&file, "images").unwrap();
}

/// All files, including those that are refused.
fn files() -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = fs::read_dir(path("gzip").parent().unwrap())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|e| e == "h5"))
        .collect();
    files.sort();
    assert!(files.len() >= 23);
    files
}

/// Length of the user block, which two of the files have.
fn user_block(bytes: &[u8]) -> usize {
    let starts = [0, 512, 4096];
    starts
        .into_iter()
        .find(|&start| bytes[start..].starts_with(b"\x89HDF"))
        .unwrap()
}

#[test]
fn a_cut_file_is_always_noticed() {
    let directory = tempfile::tempdir().unwrap();
    let cut = directory.path().join("cut.h5");
    for file in files() {
        let bytes = fs::read(&file).unwrap();
        let start = user_block(&bytes);
        for length in (0..bytes.len()).step_by(64).chain([bytes.len() - 1]) {
            write_anew(&cut, &bytes[..length]);
            let found = problem(&cut, "images");
            assert!(
                matches!(found, Hdf5Problem::NotHdf5 | Hdf5Problem::OutOfFile { .. })
                    && length < start + 100
                    || matches!(found, Hdf5Problem::Truncated { .. }),
                "{} at {length}: {found}",
                file.display()
            );
        }
        // The file is cut after opening; the header says that the file ends there.
        let place = start + if bytes[start + 8] < 2 { 40 } else { 28 };
        for length in (start + 128..bytes.len()).step_by(64) {
            let mut bytes = bytes[..length].to_vec();
            bytes[place..place + 8].copy_from_slice(&(length as u64).to_le_bytes());
            write_anew(&cut, &bytes);
            for name in ["images", "labels"] {
                let _ = read_all(&cut, name);
            }
        }
    }
}

/// Damages files in a reproducible way (xorshift) and reads them.
fn read_damaged_files(rounds: usize) {
    let directory = tempfile::tempdir().unwrap();
    let damaged = directory.path().join("damaged.h5");
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut random = |bound: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state % bound as u64) as usize
    };
    for file in files() {
        let bytes = fs::read(&file).unwrap();
        let protected = matches!(
            file.file_stem().unwrap().to_str().unwrap(),
            "latest_gzip" | "latest_single_gzip" | "v110_gzip"
        );
        // In these three files, checksums cover every byte of metadata and chunks.
        let expected = if protected {
            vec![
                read_all(&file, "images").unwrap(),
                read_all(&file, "labels").unwrap(),
            ]
        } else {
            Vec::new()
        };
        for round in 0..rounds {
            let mut bytes = bytes.clone();
            for _ in 0..1 + round % 3 {
                let place = random(bytes.len());
                match random(3) {
                    0 => bytes[place] ^= 1 << random(8),
                    1 => bytes[place] = [0, 1, 0x7f, 0x80, 0xff][random(5)],
                    _ => {
                        let end = bytes.len().min(place + 8);
                        bytes[place..end].fill([0, 0xff][random(2)]);
                    }
                }
            }
            write_anew(&damaged, &bytes);
            for (place, name) in ["images", "labels"].into_iter().enumerate() {
                if let Ok(read) = read_all(&damaged, name)
                    && protected
                {
                    assert!(read == expected[place], "{} {round}", file.display());
                }
            }
        }
    }
}

#[test]
fn damaged_files_give_errors_and_never_a_panic() {
    read_damaged_files(300);
}

/// The same test in a process with a limit of 768 MiB: a larger allocation would abort it. Virtual
/// memory counts, so this includes memory that is never touched.
#[cfg(target_os = "linux")]
#[test]
fn damaged_files_take_no_memory() {
    const CHILD: &str = "GWAE_TEST_DAMAGED_FILES";
    if std::env::var_os(CHILD).is_some() {
        return read_damaged_files(300);
    }
    let program = std::env::current_exe().unwrap();
    let output = std::process::Command::new("sh")
        .args(["-c", "ulimit -v 786432 && exec \"$@\"", "sh"])
        .arg(program)
        .args([
            "--exact",
            "damaged_files_take_no_memory",
            "--test-threads=1",
        ])
        .env(CHILD, "1")
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{text}");
    assert!(text.contains("1 passed"), "{text}");
}
