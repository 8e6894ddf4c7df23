//! Arrays of numbers from any framework: `.npy`, `.npz`, `.safetensors` and `.csv` files.

use std::io::Read;
use std::path::{Path, PathBuf};

use safetensors::tensor::{Dtype, SafeTensorError, SafeTensors, TensorView};
use zip::ZipArchive;

use crate::bounded_file::read_bytes;
use crate::npy::{self, NpyError, NpyNumbers, read_npy_numbers};
use crate::one_line::{one_line, shortened};
use crate::regular_file::open_regular;
use crate::zip_entry::why_unread;

/// Largest `.safetensors` or `.csv` file: 2 GiB.
const MOST_BYTES: u64 = 2 << 30;

/// Most numbers of an array in an archive, whose size alone does not bound what it expands to.
const MOST_PACKED: u64 = 1 << 26;

/// Why a file gives no array of numbers. Every message is one line.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NumbersError {
    /// A `.npy` file.
    #[error(transparent)]
    Npy(#[from] NpyError),
    /// Another file, with the problem.
    #[error("{}: {}", file.display(), shortened(problem))]
    File {
        /// The file.
        file: PathBuf,
        /// The problem.
        problem: String,
    },
}

/// Reads the array of a file. The ending of its name tells the format.
///
/// A `.npz` or `.safetensors` file can hold several arrays. `path#NAME` chooses one. Otherwise it is the first
/// of `preferred` that is there, or the only array.
///
/// A `.csv` file has one row per line, with commas, semicolons, tabs or spaces between the numbers. A first
/// line with words is taken for the names of the columns.
///
/// # Errors
/// When the file cannot be read, has no such array, or holds something other than real numbers.
pub fn read_numbers(path: &Path, preferred: &[&str]) -> Result<NpyNumbers, NumbersError> {
    let (file, name) = split_name(path);
    let failed = |problem: String| NumbersError::File {
        file: file.clone(),
        problem,
    };
    let ending = file.extension().and_then(|ending| ending.to_str());
    match ending.map(str::to_ascii_lowercase).as_deref() {
        Some("npz") => from_npz(&file, name.as_deref(), preferred).map_err(failed),
        Some("safetensors") => from_safetensors(&file, name.as_deref(), preferred).map_err(failed),
        Some("csv" | "tsv" | "txt") => from_text(&file).map_err(failed),
        _ => Ok(read_npy_numbers(&file)?),
    }
}

/// The file and the name behind `#`, if there is no file whose name has the `#` itself.
fn split_name(path: &Path) -> (PathBuf, Option<String>) {
    let split = || path.to_str()?.rsplit_once('#');
    match split() {
        Some((file, name)) if !path.exists() => (file.into(), Some(name.to_owned())),
        _ => (path.to_owned(), None),
    }
}

/// The array to take among those with these names.
fn choose(names: &[String], wanted: Option<&str>, preferred: &[&str]) -> Result<String, String> {
    let known = || {
        let shown = names.iter().take(10).map(one_line);
        shown.collect::<Vec<_>>().join(", ")
    };
    if let Some(wanted) = wanted {
        return match names.iter().find(|name| *name == wanted) {
            Some(name) => Ok(name.clone()),
            None => Err(format!("holds no array `{wanted}`, only: {}", known())),
        };
    }
    let among = |name: &&str| names.iter().any(|known| known == name);
    match (preferred.iter().copied().find(|name| among(name)), names) {
        (Some(name), _) => Ok(name.to_owned()),
        (None, [only]) => Ok(only.clone()),
        (None, []) => Err("holds no array".to_owned()),
        (None, _) => Err(format!(
            "holds several arrays: {}; name one as FILE#NAME",
            known()
        )),
    }
}

fn from_npz(path: &Path, wanted: Option<&str>, preferred: &[&str]) -> Result<NpyNumbers, String> {
    let (file, _) = open_regular(path).map_err(|error| format!("cannot read it: {error}"))?;
    let archive = ZipArchive::new(std::io::BufReader::new(file));
    let mut archive = archive
        .map_err(|error| format!("is no complete NumPy archive ({error}); save it again"))?;
    let names: Vec<String> = archive
        .file_names()
        .filter_map(|name| Some(name.ok()?.strip_suffix(".npy")?.to_owned()))
        .collect();
    let name = choose(&names, wanted, preferred)?;
    let named = |problem: String| format!("{}: {problem}", one_line(&name));
    let place = archive
        .index_for_name(&format!("{name}.npy"))
        .ok_or_else(|| named("is not there".to_owned()))?;
    let listed = archive.by_index_data(place);
    let listed = listed.map_err(|error| named(error.to_string()))?;
    if let Some(reason) = why_unread(listed.compression(), listed.encrypted()) {
        return Err(named(reason));
    }
    let entry = archive.by_index(place);
    let mut entry = entry.map_err(|error| named(error.to_string()))?;
    let length = entry.size();
    let most = MOST_PACKED * 8;
    if length > most {
        return Err(named(format!(
            "has {length} bytes, and at most {most} are read from an archive; save it as .npy"
        )));
    }
    let numbers = npy::read(&mut entry, length).map_err(|problem| named(problem.to_string()))?;
    // The zip reader compares the checksum at the end of the entry.
    match entry.read(&mut [0]) {
        Ok(0) => Ok(numbers),
        Ok(_) => Err(named("is longer than its header declares".to_owned())),
        Err(error) => Err(named(format!("is damaged ({error}); copy the file again"))),
    }
}

fn from_safetensors(
    path: &Path,
    wanted: Option<&str>,
    preferred: &[&str],
) -> Result<NpyNumbers, String> {
    let bytes = read_bytes(path, MOST_BYTES).map_err(|error| format!("cannot read it: {error}"))?;
    let damaged = |error: SafeTensorError| format!("is no whole safetensors file ({error})");
    let tensors = SafeTensors::deserialize(&bytes).map_err(damaged)?;
    let mut names: Vec<String> = tensors.names().into_iter().map(str::to_owned).collect();
    names.sort();
    let name = choose(&names, wanted, preferred)?;
    let tensor = tensors.tensor(&name).map_err(damaged)?;
    let values = numbers_of(&tensor).ok_or_else(|| {
        format!(
            "{}: holds {:?} values, which are not read; save it as float32 or an integer type",
            one_line(&name),
            tensor.dtype()
        )
    })?;
    Ok(NpyNumbers {
        values,
        shape: tensor.shape().iter().map(|&size| size as u64).collect(),
    })
}

/// The elements as double-precision numbers; `None` for a type that is not read.
fn numbers_of(tensor: &TensorView<'_>) -> Option<Vec<f64>> {
    fn read<const N: usize>(bytes: &[u8], number: impl Fn([u8; N]) -> f64) -> Vec<f64> {
        let (elements, _) = bytes.as_chunks::<N>();
        elements.iter().map(|&element| number(element)).collect()
    }
    let bytes = tensor.data();
    Some(match tensor.dtype() {
        Dtype::F64 => read(bytes, f64::from_le_bytes),
        Dtype::F32 => read(bytes, |b| f64::from(f32::from_le_bytes(b))),
        // The upper half of a single-precision number.
        Dtype::BF16 => read(bytes, |[low, high]| {
            f64::from(f32::from_le_bytes([0, 0, low, high]))
        }),
        Dtype::I64 => read(bytes, |b| i64::from_le_bytes(b) as f64),
        Dtype::I32 => read(bytes, |b| f64::from(i32::from_le_bytes(b))),
        Dtype::I16 => read(bytes, |b| f64::from(i16::from_le_bytes(b))),
        Dtype::I8 => read(bytes, |b| f64::from(i8::from_le_bytes(b))),
        Dtype::U64 => read(bytes, |b| u64::from_le_bytes(b) as f64),
        Dtype::U32 => read(bytes, |b| f64::from(u32::from_le_bytes(b))),
        Dtype::U16 => read(bytes, |b| f64::from(u16::from_le_bytes(b))),
        Dtype::U8 | Dtype::BOOL => read(bytes, |[b]| f64::from(b)),
        _ => return None,
    })
}

fn from_text(path: &Path) -> Result<NpyNumbers, String> {
    let bytes = read_bytes(path, MOST_BYTES).map_err(|error| format!("cannot read it: {error}"))?;
    let text = String::from_utf8(bytes).map_err(|_| "is no text (UTF-8)".to_owned())?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    let mut values = Vec::new();
    let (mut rows, mut columns) = (0u64, None);
    let lines = text.lines().enumerate();
    let lines = lines.filter(|(_, line)| !line.trim().is_empty());
    for (number, line) in lines {
        let fields = fields(line);
        let numbers: Result<Vec<f64>, _> = fields.iter().map(|field| field.parse()).collect();
        let numbers = match numbers {
            Ok(numbers) => numbers,
            // The names of the columns.
            Err(_) if rows == 0 && columns.is_none() => {
                columns = Some(fields.len());
                continue;
            }
            Err(_) => {
                let wrong = fields.iter().find(|field| field.parse::<f64>().is_err());
                return Err(format!(
                    "line {}: `{}` is no number",
                    number + 1,
                    one_line(wrong.unwrap_or(&""))
                ));
            }
        };
        let expected = *columns.get_or_insert(numbers.len());
        if numbers.len() != expected {
            return Err(format!(
                "line {} has {} columns, and the first line has {expected}",
                number + 1,
                numbers.len()
            ));
        }
        values.extend(numbers);
        rows += 1;
    }
    match (rows, columns) {
        (0, _) | (_, None) => Err("holds no numbers".to_owned()),
        (_, Some(1)) => Ok(NpyNumbers {
            values,
            shape: vec![rows],
        }),
        (_, Some(columns)) => Ok(NpyNumbers {
            values,
            shape: vec![rows, columns as u64],
        }),
    }
}

/// The fields of a line: between commas, semicolons or tabs if it has any, else between spaces.
fn fields(line: &str) -> Vec<&str> {
    let line = line.trim();
    match line.find([',', ';', '\t']) {
        Some(_) => line
            .split([',', ';', '\t'])
            .map(|field| field.trim().trim_matches('"'))
            .collect(),
        None => line.split_whitespace().collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::npz::{ArrayValues, NamedArray, write_npz};

    fn file(name: &str, contents: &[u8]) -> (tempfile::TempDir, PathBuf) {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join(name);
        std::fs::write(&path, contents).unwrap();
        (directory, path)
    }

    fn error(path: &Path) -> String {
        let message = read_numbers(path, &[]).unwrap_err().to_string();
        assert!(!message.contains('\n'), "{message}");
        message
    }

    #[test]
    fn an_archive_gives_the_array_that_is_named_or_preferred() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("codes.npz");
        let arrays = [
            NamedArray {
                name: "means",
                values: ArrayValues::F32(&[0.5, -1.0, 2.0, 3.5]),
                shape: &[2, 2],
            },
            NamedArray {
                name: "factors",
                values: ArrayValues::I64(&[7, -9]),
                shape: &[2, 1],
            },
        ];
        write_npz(&path, &arrays).unwrap();
        let means = read_numbers(&path, &["codes", "means"]).unwrap();
        assert_eq!(
            (means.values, means.shape),
            (vec![0.5, -1.0, 2.0, 3.5], vec![2, 2])
        );
        let named = PathBuf::from(format!("{}#factors", path.display()));
        assert_eq!(
            read_numbers(&named, &["means"]).unwrap().values,
            [7.0, -9.0]
        );
        assert!(error(&path).contains("several arrays: means, factors; name one as FILE#NAME"));
        let missing = PathBuf::from(format!("{}#z", path.display()));
        assert!(error(&missing).contains("holds no array `z`, only: means, factors"));

        // The checksum of the archive is compared.
        let mut bytes = std::fs::read(&path).unwrap();
        let place = bytes
            .windows(4)
            .position(|b| b == 3.5f32.to_le_bytes())
            .unwrap();
        bytes[place] ^= 1;
        std::fs::write(&path, bytes).unwrap();
        let named = PathBuf::from(format!("{}#means", path.display()));
        assert!(
            error(&named).contains("means: is damaged"),
            "{}",
            error(&named)
        );
    }

    #[test]
    fn safetensors_are_read() {
        let header = br#"{"z":{"dtype":"F32","shape":[1,2],"data_offsets":[0,8]},"y":{"dtype":"I64","shape":[1],"data_offsets":[8,16]},"h":{"dtype":"BF16","shape":[1],"data_offsets":[16,18]},"f":{"dtype":"F16","shape":[1],"data_offsets":[18,20]}}"#;
        let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
        bytes.extend(header);
        bytes.extend(1.5f32.to_le_bytes());
        bytes.extend((-2f32).to_le_bytes());
        bytes.extend(9i64.to_le_bytes());
        // 3 as bfloat16.
        bytes.extend([0x40, 0x40]);
        bytes.extend([0, 0]);
        let (_directory, path) = file("codes.safetensors", &bytes);
        let codes = read_numbers(&path, &["z"]).unwrap();
        assert_eq!((codes.values, codes.shape), (vec![1.5, -2.0], vec![1, 2]));
        assert_eq!(read_numbers(&path, &["y"]).unwrap().values, [9.0]);
        assert_eq!(read_numbers(&path, &["h"]).unwrap().values, [3.0]);
        let half = PathBuf::from(format!("{}#f", path.display()));
        assert!(
            error(&half).contains("f: holds F16 values"),
            "{}",
            error(&half)
        );
        bytes.truncate(100);
        std::fs::write(&path, bytes).unwrap();
        assert!(error(&path).contains("is no whole safetensors file"));
    }

    #[test]
    fn text_is_read_with_any_separator() {
        for text in [
            "a,b\n1,2.5\n-3,4e-1\n",
            "1;2.5\r\n-3;0.4\r\n",
            "\u{feff}1\t2.5\n\n-3\t.4",
            "  1   2.5\n -3 0.4 \n",
        ] {
            let (_directory, path) = file("codes.csv", text.as_bytes());
            let codes = read_numbers(&path, &[]).unwrap();
            assert_eq!(
                (codes.values, codes.shape),
                (vec![1.0, 2.5, -3.0, 0.4], vec![2, 2])
            );
        }
        let (_directory, path) = file("labels.csv", b"label\n3\n4\n");
        assert_eq!(read_numbers(&path, &[]).unwrap().shape, [2]);
    }

    #[test]
    fn wrong_text_is_named_with_its_line() {
        let of = |text: &str| {
            let (_directory, path) = file("codes.csv", text.as_bytes());
            error(&path)
        };
        assert!(of("1,2\n3,x\n").ends_with("line 2: `x` is no number"));
        assert!(of("1,2\n3\n").ends_with("line 2 has 1 columns, and the first line has 2"));
        assert!(of("").ends_with("holds no numbers"));
        assert!(of("a,b\n").ends_with("holds no numbers"));
    }
}
