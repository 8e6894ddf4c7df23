//! Arrays of numbers in NumPy's format: every element type, files by NumPy, and malformed files.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use gwae_formats::npy::{
    MAX_NPY_ELEMENTS, NpyError, NpyNumbers, NpyProblem, read_npy_numbers, write_npy_f64,
};
use proptest::prelude::*;

/// A file with these bytes in its own directory.
fn file(bytes: &[u8]) -> (tempfile::TempDir, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("scores.npy");
    fs::write(&path, bytes).unwrap();
    (directory, path)
}

fn read(bytes: &[u8]) -> Result<NpyNumbers, NpyError> {
    let (_directory, path) = file(bytes);
    read_npy_numbers(&path)
}

/// The problem of `bytes`, after a check of the message's form.
fn problem(bytes: &[u8]) -> NpyProblem {
    let (_directory, path) = file(bytes);
    let error = read_npy_numbers(&path).unwrap_err();
    assert_eq!(error.file, path.display().to_string());
    let message = error.to_string();
    assert!(message.starts_with(&error.file), "{message}");
    assert!(!message.contains('\n'), "{message}");
    assert!(message.contains("save"), "no way out: {message}");
    error.problem
}

/// An array of version 1, without the padding that NumPy adds.
fn array(elements: &str, fortran_order: bool, shape: &str, body: &[u8]) -> Vec<u8> {
    let order = if fortran_order { "True" } else { "False" };
    let dictionary =
        format!("{{'descr': {elements}, 'fortran_order': {order}, 'shape': {shape}, }}\n");
    versioned(1, &dictionary, body)
}

fn versioned(version: u8, dictionary: &str, body: &[u8]) -> Vec<u8> {
    let mut bytes = b"\x93NUMPY".to_vec();
    bytes.extend([version, 0]);
    let length = (dictionary.len() as u32).to_le_bytes();
    bytes.extend(&length[..if version == 1 { 2 } else { 4 }]);
    bytes.extend(dictionary.bytes());
    bytes.extend(body);
    bytes
}

/// With NumPy's padding: `dictionary` and spaces to `length` bytes of header, then the elements.
fn numpy(start: &[u8], dictionary: &str, length: usize, body: &[u8]) -> Vec<u8> {
    let mut bytes = start.to_vec();
    bytes.extend(dictionary.bytes());
    bytes.resize(length - 1, b' ');
    bytes.push(b'\n');
    bytes.extend(body);
    bytes
}

/// These bytes are from `numpy.save` and `numpy.lib.format.write_array(version=…)` of NumPy 2.4.6.
#[test]
fn reads_what_numpy_wrote() {
    let first = b"\x93NUMPY\x01\x00v\x00";
    // numpy.arange(6.0).reshape(2, 3) / 2
    let halves = b"\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\xe0?\
        \x00\x00\x00\x00\x00\x00\xf0?\x00\x00\x00\x00\x00\x00\xf8?\
        \x00\x00\x00\x00\x00\x00\x00@\x00\x00\x00\x00\x00\x00\x04@";
    // numpy.asfortranarray(numpy.arange(6.0).reshape(2, 3))
    let fortran = b"\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x08@\
        \x00\x00\x00\x00\x00\x00\xf0?\x00\x00\x00\x00\x00\x00\x10@\
        \x00\x00\x00\x00\x00\x00\x00@\x00\x00\x00\x00\x00\x00\x14@";
    let cases: [(Vec<u8>, Vec<f64>, Vec<u64>); 8] = [
        (
            numpy(
                first,
                "{'descr': '<f8', 'fortran_order': False, 'shape': (2, 3), }",
                128,
                halves,
            ),
            vec![0.0, 0.5, 1.0, 1.5, 2.0, 2.5],
            vec![2, 3],
        ),
        (
            numpy(
                first,
                "{'descr': '<f8', 'fortran_order': True, 'shape': (2, 3), }",
                128,
                fortran,
            ),
            vec![0.0, 1.0, 2.0, 3.0, 4.0, 5.0],
            vec![2, 3],
        ),
        // numpy.array(2.5)
        (
            numpy(
                first,
                "{'descr': '<f8', 'fortran_order': False, 'shape': (), }",
                128,
                b"\x00\x00\x00\x00\x00\x00\x04@",
            ),
            vec![2.5],
            vec![],
        ),
        // numpy.zeros((0, 4))
        (
            numpy(
                first,
                "{'descr': '<f8', 'fortran_order': False, 'shape': (0, 4), }",
                128,
                b"",
            ),
            vec![],
            vec![0, 4],
        ),
        // numpy.array([1.5, -2], dtype=">f4")
        (
            numpy(
                first,
                "{'descr': '>f4', 'fortran_order': False, 'shape': (2,), }",
                128,
                b"?\xc0\x00\x00\xc0\x00\x00\x00",
            ),
            vec![1.5, -2.0],
            vec![2],
        ),
        // numpy.array([1, 0.5, 65504, 6e-8, -numpy.inf], dtype="f2")
        (
            numpy(
                first,
                "{'descr': '<f2', 'fortran_order': False, 'shape': (5,), }",
                128,
                b"\x00<\x008\xff{\x01\x00\x00\xfc",
            ),
            vec![1.0, 0.5, 65504.0, 2f64.powi(-24), f64::NEG_INFINITY],
            vec![5],
        ),
        // numpy.array([-1, 2**53 + 2]), version 2
        (
            numpy(
                b"\x93NUMPY\x02\x00t\x00\x00\x00",
                "{'descr': '<i8', 'fortran_order': False, 'shape': (2,), }",
                128,
                b"\xff\xff\xff\xff\xff\xff\xff\xff\x02\x00\x00\x00\x00\x00 \x00",
            ),
            vec![-1.0, 9_007_199_254_740_994.0],
            vec![2],
        ),
        // numpy.array([0, 255], dtype="u1"), version 3
        (
            numpy(
                b"\x93NUMPY\x03\x00t\x00\x00\x00",
                "{'descr': '|u1', 'fortran_order': False, 'shape': (2,), }",
                128,
                b"\x00\xff",
            ),
            vec![0.0, 255.0],
            vec![2],
        ),
    ];
    for (bytes, values, shape) in cases {
        assert_eq!(read(&bytes).unwrap(), NpyNumbers { values, shape });
    }
}

/// The arrays are by `npy_files/make_files.py`, which also writes down what `numpy.load` reads from them.
#[test]
fn reads_every_header_that_numpy_reads() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/npy_files");
    let archive = fs::File::open(directory.join("arrays.zip")).unwrap();
    let mut archive = zip::ZipArchive::new(archive).unwrap();
    let expected = fs::read_to_string(directory.join("expected.txt")).unwrap();
    assert_eq!(expected.lines().count(), archive.len());
    for line in expected.lines() {
        let [name, shape, values] = line.split(';').collect::<Vec<_>>()[..] else {
            panic!("{line}");
        };
        let mut bytes = Vec::new();
        let mut entry = archive.by_name(&format!("{name}.npy")).unwrap();
        entry.read_to_end(&mut bytes).unwrap();
        let found = read(&bytes).unwrap_or_else(|error| panic!("{name}: {error}"));
        let numbers = |text: &str| -> Vec<f64> {
            let words = text.split_whitespace();
            words.map(|word| word.parse().unwrap()).collect()
        };
        let shape = numbers(shape).iter().map(|&size| size as u64).collect();
        let values = numbers(values);
        assert_eq!(found, NpyNumbers { values, shape }, "{name}");
    }
}

#[test]
fn writes_what_numpy_writes() {
    let body =
        |values: &[f64]| -> Vec<u8> { values.iter().flat_map(|v| v.to_le_bytes()).collect() };
    // The shape and the header of numpy.save(…, numpy.zeros(shape)), NumPy 2.4.6. The last two show
    // the padding for a growing first axis, and the 64 spaces if the header is aligned without them.
    for (shape, start, header_length) in [
        (vec![], b"\x93NUMPY\x01\x00v\x00", 128),
        (vec![4], b"\x93NUMPY\x01\x00v\x00", 128),
        (vec![2, 3], b"\x93NUMPY\x01\x00v\x00", 128),
        (vec![1; 15], b"\x93NUMPY\x01\x00\xb6\x00", 192),
        (
            [vec![1; 12], vec![10; 2]].concat(),
            b"\x93NUMPY\x01\x00\xb6\x00",
            192,
        ),
    ] {
        let count: u64 = shape.iter().product();
        let values: Vec<f64> = (0..count).map(|value| value as f64 / 4.0).collect();
        let (_directory, path) = file(b"an older file");
        write_npy_f64(&path, &values, &shape).unwrap();
        let sizes: Vec<String> = shape.iter().map(u64::to_string).collect();
        let comma = if shape.len() == 1 { "," } else { "" };
        let dictionary = format!(
            "{{'descr': '<f8', 'fortran_order': False, 'shape': ({}{comma}), }}",
            sizes.join(", ")
        );
        let expected = numpy(start, &dictionary, header_length, &body(&values));
        assert_eq!(fs::read(&path).unwrap(), expected, "{shape:?}");
    }
}

#[test]
fn reads_every_type_of_elements_in_both_byte_orders() {
    /// The same values in both orders.
    macro_rules! check {
        ($type:ty, $name:literal, $values:expr) => {
            let values: &[$type] = &$values;
            let expected: Vec<f64> = values.iter().map(|&value| value as f64).collect();
            let shape = format!("({},)", values.len());
            let little: Vec<u8> = values.iter().flat_map(|v| v.to_le_bytes()).collect();
            let big: Vec<u8> = values.iter().flat_map(|v| v.to_be_bytes()).collect();
            for (order, body) in [("<", little), (">", big)] {
                let elements = format!("'{order}{}'", $name);
                let found = read(&array(&elements, false, &shape, &body)).unwrap();
                assert_eq!(found.values, expected, "{elements}");
                assert_eq!(found.shape, [values.len() as u64], "{elements}");
            }
        };
    }
    check!(f32, "f4", [0.1, -3e38, f32::MIN_POSITIVE, f32::INFINITY]);
    check!(
        f64,
        "f8",
        [0.1, -1e300, f64::MIN_POSITIVE, f64::NEG_INFINITY]
    );
    check!(i8, "i1", [i8::MIN, -1, 0, 1, i8::MAX]);
    check!(i16, "i2", [i16::MIN, -1, 0, 0x1234, i16::MAX]);
    check!(i32, "i4", [i32::MIN, -1, 0, 0x1234_5678, i32::MAX]);
    check!(i64, "i8", [i64::MIN, -1, 0, 1 << 53, 3 << 61]);
    check!(u8, "u1", [0, 1, u8::MAX]);
    check!(u16, "u2", [0, 0x1234, u16::MAX]);
    check!(u32, "u4", [0, 0x1234_5678, u32::MAX]);
    check!(u64, "u8", [0, 1 << 53, 1 << 63, 7 << 61]);
    for (elements, body) in [("'<f2'", [0x00, 0xc1]), ("'>f2'", [0xc1, 0x00])] {
        let found = read(&array(elements, false, "(1,)", &body)).unwrap();
        assert_eq!(found.values, [-2.5]);
    }
    for (elements, expected) in [
        ("'|b1'", [0.0, 1.0, 1.0]),
        ("'|u1'", [0.0, 1.0, 255.0]),
        ("'|i1'", [0.0, 1.0, -1.0]),
    ] {
        let found = read(&array(elements, false, "(3,)", &[0, 1, 255])).unwrap();
        assert_eq!(found.values, expected, "{elements}");
    }
    let nan = read(&array("'<f8'", false, "()", &f64::NAN.to_le_bytes())).unwrap();
    assert!(nan.values[0].is_nan());
}

#[test]
fn integers_that_a_double_would_round_are_refused() {
    const LIMIT: i64 = 1 << 53;
    let refused = |elements: &str, last: [u8; 8]| {
        let body = [[0; 8], last].concat();
        match problem(&array(elements, false, "(2,)", &body)) {
            NpyProblem::Rounded { value } => value,
            other => panic!("{other}"),
        }
    };
    for value in [LIMIT + 1, -LIMIT - 1, i64::MAX, i64::MIN + 1] {
        assert_eq!(refused("'<i8'", value.to_le_bytes()), value.into());
        assert_eq!(refused("'>i8'", value.to_be_bytes()), value.into());
    }
    assert_eq!(refused("'<u8'", u64::MAX.to_le_bytes()), u64::MAX.into());
}

#[test]
fn elements_that_are_no_numbers_are_refused_by_name() {
    for (elements, kind, found) in [
        ("'|O'", "Python objects", "|O"),
        ("'<U2'", "strings", "<U2"),
        ("'|S1'", "strings", "|S1"),
        ("'<c16'", "complex numbers", "<c16"),
        ("'<M8[D]'", "dates", "<M8[D]"),
        ("'<m8[s]'", "durations", "<m8[s]"),
        ("'<V2'", "bfloat16", "<V2"),
        ("'<f16'", "unusual size", "<f16"),
        ("'<i3'", "unknown type", "<i3"),
        ("''", "unknown type", ""),
        ("'\u{3c6}'", "unknown type", ""),
        ("'<l'", "size depends on the machine", "<l"),
        ("'object'", "Python objects", "object"),
        ("'complex128'", "complex numbers", "complex128"),
        ("'f4,f4'", "records", "f4,f4"),
        ("[('a', '<i4'), ('b', '<f8')]", "records", "…"),
        ("('<f8', (3,))", "arrays inside of arrays", "…"),
    ] {
        let bytes = array(elements, false, "(1,)", &[0; 16]);
        let problem = problem(&bytes);
        assert!(matches!(problem, NpyProblem::Elements { .. }), "{problem}");
        let message = problem.to_string();
        assert!(message.contains(kind), "{message}");
        assert!(message.contains(found), "{message}");
    }
    // The message quotes the type, but its length and line feeds must not break the message.
    let long = format!("'{}'", "O\n".repeat(10_000));
    let message = problem(&array(&long, false, "(1,)", &[])).to_string();
    assert!(message.len() < 300, "{message}");
}

#[test]
fn what_is_no_array_is_named() {
    for (bytes, expected) in [
        (&b"PK\x03\x04 and so on"[..], "zip"),
        (b"PK\x05\x06", "zip"),
        (b"\x80\x04\x95\x8a\x00\x00\x00", "pickled"),
        (b"\x89HDF\r\n\x1a\n", "HDF5"),
        (b"0.5\n0.25\n", "text"),
        (b"1", "text"),
        (b"\x93NUMPX\x01\x00", "something else"),
        (b"\x00", "something else"),
    ] {
        let found = problem(bytes);
        assert!(
            matches!(found, NpyProblem::NotNpy { found } if found.contains(expected)),
            "{found}"
        );
    }
    assert!(matches!(problem(b""), NpyProblem::Empty));
}

#[test]
fn every_shorter_and_longer_file_is_refused() {
    let body = [0; 24];
    let whole = array("'<f8'", false, "(3,)", &body);
    let header_length = whole.len() - body.len();
    for length in 1..whole.len() {
        let found = problem(&whole[..length]);
        let expected = if length < header_length {
            matches!(found, NpyProblem::TruncatedHeader { found } if found == length as u64)
        } else {
            matches!(
                found,
                NpyProblem::TruncatedElements { found, expected: 24 }
                    if found == (length - header_length) as u64
            )
        };
        assert!(expected, "{length}: {found}");
    }
    let longer = [whole.as_slice(), &[0]].concat();
    assert!(matches!(
        problem(&longer),
        NpyProblem::TrailingBytes {
            found: 25,
            expected: 24
        }
    ));
    // Two arrays saved to one open file.
    let twice = [whole.as_slice(), &whole].concat();
    assert!(matches!(problem(&twice), NpyProblem::TrailingBytes { .. }));
    let empty = array("'<f8'", false, "(0,)", &[0]);
    assert!(matches!(
        problem(&empty),
        NpyProblem::TrailingBytes { expected: 0, .. }
    ));
}

#[test]
fn malformed_headers_are_refused() {
    for dictionary in [
        "",
        "\n",
        "{}\n",
        "{'descr': '<f8', 'fortran_order': False, 'shape': (3), }\n",
        "{'descr': '<f8', 'fortran_order': False}\n",
        "{'descr': '<f8', 'fortran_order': 1, 'shape': (3,), }\n",
        "{'descr': '<f8', 'fortran_order': False, 'shape': 3, }\n",
        "{'descr': '<f8', 'fortran_order': False, 'shape': (-3,), }\n",
        "{'descr': '<f8', 'fortran_order': False, 'shape': (3,), 'x\ny': 1, }\n",
        "{'descr': '<f8', 'descr': '<f8', 'fortran_order': False, 'shape': (3,), }\n",
        "{'descr': '<f8', 'fortran_order': False, 'shape': (99999999999999999999,), }\n",
    ] {
        for version in 1..=3 {
            let found = problem(&versioned(version, dictionary, &[0; 24]));
            assert!(matches!(found, NpyProblem::Header { .. }), "{found}");
        }
    }
    let dictionary = "{'descr': '<f8', 'fortran_order': False, 'shape': (3,), }\n";
    for version in [0, 4, 255] {
        let found = problem(&versioned(version, dictionary, &[0; 24]));
        assert!(matches!(found, NpyProblem::Header { .. }), "{found}");
    }
    // A header length that no file has.
    let found = problem(b"\x93NUMPY\x02\x00\xff\xff\xff\xff{}\n");
    assert!(matches!(found, NpyProblem::Header { .. }), "{found}");
    let axes = format!("({})", "1, ".repeat(65));
    let found = problem(&array("'<f8'", false, &axes, &[0; 8]));
    assert!(matches!(found, NpyProblem::Header { .. }), "{found}");
}

#[test]
fn sizes_from_the_header_reserve_no_memory() {
    for shape in [
        format!("({},)", MAX_NPY_ELEMENTS + 1),
        format!("({MAX_NPY_ELEMENTS}, 2)"),
        "(18446744073709551615,)".to_owned(),
        "(18446744073709551615, 18446744073709551615)".to_owned(),
        "(4294967296, 4294967296)".to_owned(),
    ] {
        for fortran_order in [false, true] {
            let found = problem(&array("'|u1'", fortran_order, &shape, &[0; 8]));
            assert!(matches!(found, NpyProblem::TooLarge { .. }), "{found}");
            assert!(found.to_string().contains(&shape), "{found}");
        }
    }
    let most = array("'<f8'", false, &format!("({MAX_NPY_ELEMENTS},)"), &[0; 8]);
    assert!(matches!(
        problem(&most),
        NpyProblem::TruncatedElements {
            found: 8,
            expected: 0x4000_0000
        }
    ));
}

#[test]
fn empty_arrays_of_any_shape_are_read() {
    for (text, shape) in [
        ("(0,)", vec![0]),
        ("(4, 0)", vec![4, 0]),
        (
            "(18446744073709551615, 18446744073709551615, 0)",
            vec![u64::MAX, u64::MAX, 0],
        ),
    ] {
        for fortran_order in [false, true] {
            let found = read(&array("'<f8'", fortran_order, text, b"")).unwrap();
            assert_eq!(found.shape, shape);
            assert!(found.values.is_empty());
        }
    }
}

#[test]
fn a_missing_file_and_a_directory_are_named() {
    let directory = tempfile::tempdir().unwrap();
    for path in [
        directory.path().join("nowhere.npy"),
        directory.path().into(),
    ] {
        let NpyError { file, problem } = read_npy_numbers(&path).unwrap_err();
        assert_eq!(file, path.display().to_string());
        assert!(matches!(problem, NpyProblem::Io(_)), "{problem:?}");
    }
}

#[test]
#[cfg(unix)]
fn a_file_without_permission_and_a_device_are_named() {
    use std::os::unix::fs::PermissionsExt;
    let found = read_npy_numbers(Path::new("/dev/null")).unwrap_err();
    assert!(matches!(found.problem, NpyProblem::NotRegular), "{found}");
    let (_directory, path) = file(b"secret");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o000)).unwrap();
    // The superuser can read it anyway.
    if fs::File::open(&path).is_err() {
        let found = read_npy_numbers(&path).unwrap_err();
        assert!(matches!(found.problem, NpyProblem::Io(_)), "{found}");
        assert!(found.to_string().contains("permission"), "{found}");
    }
}

#[test]
fn what_cannot_be_written_leaves_the_old_file() {
    let (directory, path) = file(b"an older file");
    for (shape, values) in [
        (vec![3], 2),
        (vec![], 0),
        (vec![], 2),
        (vec![0, 5], 1),
        (vec![u64::MAX, u64::MAX], 1),
        (vec![1; 65], 1),
    ] {
        let error = write_npy_f64(&path, &vec![0.0; values], &shape).unwrap_err();
        assert_eq!(error.file, path.display().to_string());
        let expected = if shape.len() == 65 {
            matches!(error.problem, NpyProblem::TooManyAxes { axes: 65 })
        } else {
            matches!(&error.problem, NpyProblem::ShapeMismatch { values: v, shape: s }
                if *v == values && *s == shape)
        };
        assert!(expected, "{error}");
        assert!(!error.to_string().contains('\n'));
    }
    assert_eq!(fs::read(&path).unwrap(), b"an older file");
    let nowhere = directory.path().join("nowhere/scores.npy");
    let below = path.join("scores.npy");
    for path in [nowhere.as_path(), &below, directory.path(), Path::new("..")] {
        let error = write_npy_f64(path, &[1.0], &[1]).unwrap_err();
        assert!(matches!(error.problem, NpyProblem::Write(_)), "{error}");
        assert_eq!(error.file, path.display().to_string());
    }
    // No temporary file is left.
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
}

#[test]
fn a_name_as_long_as_names_can_be_is_written() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("n".repeat(255));
    // Some file systems allow only shorter names.
    if fs::write(&path, b"").is_ok() {
        write_npy_f64(&path, &[1.0], &[1]).unwrap();
        assert_eq!(read_npy_numbers(&path).unwrap().values, [1.0]);
    }
}

/// More elements than one read.
#[test]
fn long_arrays_are_read_whole() {
    let values: Vec<f64> = (0..30_001).map(f64::from).collect();
    let (_directory, path) = file(b"");
    write_npy_f64(&path, &values, &[30_001]).unwrap();
    assert_eq!(read_npy_numbers(&path).unwrap().values, values);
}

proptest! {
    #[test]
    fn what_is_written_is_read_back_bit_by_bit(
        shape in prop::collection::vec(0u64..5, 0..5),
        seed: u64,
    ) {
        let count: u64 = shape.iter().product();
        let values: Vec<f64> = (0..count)
            .map(|index| f64::from_bits(seed.wrapping_mul(2 * index + 1).rotate_left(index as u32)))
            .collect();
        let (_directory, path) = file(b"");
        write_npy_f64(&path, &values, &shape).unwrap();
        let found = read_npy_numbers(&path).unwrap();
        prop_assert_eq!(found.shape, shape);
        let bits = |values: &[f64]| -> Vec<u64> { values.iter().map(|v| v.to_bits()).collect() };
        prop_assert_eq!(bits(&found.values), bits(&values));
    }

    /// The value at each index follows the definition of Fortran order.
    #[test]
    fn fortran_order_is_put_in_row_major_order(shape in prop::collection::vec(1u64..5, 1..5)) {
        let count: u64 = shape.iter().product();
        let body: Vec<u8> = (0..count as u16).flat_map(u16::to_le_bytes).collect();
        let sizes: String = shape.iter().map(|size| format!("{size},")).collect();
        let found = read(&array("'<u2'", true, &format!("({sizes})"), &body)).unwrap();
        for (row_major, &value) in found.values.iter().enumerate() {
            let mut rest = row_major as u64;
            let mut index = vec![0; shape.len()];
            for axis in (0..shape.len()).rev() {
                index[axis] = rest % shape[axis];
                rest /= shape[axis];
            }
            let fortran = (0..shape.len())
                .map(|axis| index[axis] * shape[..axis].iter().product::<u64>())
                .sum::<u64>();
            prop_assert_eq!(value, fortran as f64);
        }
        prop_assert_eq!(found.values.len() as u64, count);
    }

    #[test]
    fn any_bytes_give_an_array_or_an_error(
        bytes in prop::collection::vec(any::<u8>(), 0..300),
        version in 1u8..4,
        // Any order and number of parts, but only parts that occur in headers.
        pieces in prop::collection::vec(
            prop::sample::select(vec![
                "{", "}", "(", ")", "[", ",", ":", " ", "\n", "\"", "'", "'descr'", "'<f8'",
                "'|b1'", "'fortran_order'", "True", "False", "'shape'", "()", "(1,)", "(0, 9)",
                "18446744073709551615", "\u{e9}", "\0",
            ]),
            0..16,
        ),
    ) {
        let dictionary = pieces.concat();
        for bytes in [
            bytes.clone(),
            [b"\x93NUMPY", bytes.as_slice()].concat(),
            versioned(version, &dictionary, &bytes),
            versioned(version, &format!("{dictionary}\n"), &bytes),
        ] {
            if let Err(error) = read(&bytes) {
                prop_assert!(!error.to_string().contains('\n'), "{error}");
            }
        }
    }

    #[test]
    fn a_damaged_byte_gives_an_array_or_an_error_on_one_line(
        place in 0usize..160,
        byte: u8,
        fortran_order: bool,
    ) {
        let mut bytes = array("'<f4'", fortran_order, "(2, 3)", &[1; 24]);
        let place = place % bytes.len();
        bytes[place] = byte;
        match read(&bytes) {
            Ok(found) => {
                prop_assert_eq!(found.values.len() as u64, found.shape.iter().product::<u64>());
            }
            Err(error) => prop_assert!(!error.to_string().contains('\n'), "{error}"),
        }
    }
}
