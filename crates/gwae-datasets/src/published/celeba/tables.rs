//! CelebA's two lists: the attributes of every image, and the official part of every image.

use crate::error::behind;
use std::collections::HashSet;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

use gwae_formats::regular_file::open_regular;

/// Maximum number of attributes; CelebA has 40.
pub const MAX_ATTRIBUTES: usize = 64;

/// Maximum length of a line in bytes.
const MAX_LINE: u64 = 1 << 14;

/// The error for files of CelebA that cannot be used together.
#[derive(Debug, thiserror::Error)]
#[error("{file}: {problem}")]
pub struct CelebaError {
    /// The list or image.
    pub file: String,
    /// The problem.
    pub problem: CelebaProblem,
}

behind!(Files, CelebaError);

/// A problem of one of CelebA's lists. Line numbers start at 1.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CelebaProblem {
    /// The list cannot be opened or read.
    #[error("cannot read it: {0}; put the list as published into this place")]
    Io(#[source] io::Error),

    /// A line does not have the format of the list.
    #[error("line {line}: {found}, expected {expected}; download the list again")]
    Line {
        /// The line number.
        line: usize,
        /// The content of the line.
        found: String,
        /// The expected content.
        expected: String,
    },

    /// The list has too few or too many lines.
    #[error("line 1 declares {declared} images, but {found} rows follow; download the list again")]
    RowCount {
        /// The number of images in the first line.
        declared: usize,
        /// The number of images in the list.
        found: usize,
    },

    /// An image is listed twice.
    #[error("line {line}: {image} was listed before; download the list again")]
    RepeatedRow {
        /// The line number.
        line: usize,
        /// The image.
        image: String,
    },

    /// A listed image does not exist.
    #[error("line {line}: {image} is not in {images}; unpack or download the images again")]
    AbsentImage {
        /// The line number.
        line: usize,
        /// The image.
        image: String,
        /// Folder or archive of the images.
        images: String,
    },

    /// An image is in only one of the lists.
    #[error("line {line}: {image} has no row in {other}; download that list again")]
    NoRow {
        /// The line number.
        line: usize,
        /// The image.
        image: String,
        /// The list without the image.
        other: String,
    },

    /// An image is in no list.
    #[error("has no row in {list}; remove the image, or download the list again")]
    UnlistedImage {
        /// The list without the image.
        list: String,
    },

    /// Two images in different folders have the same name.
    #[error("another image has the same file name in another folder; remove one of them")]
    RepeatedImage,

    /// The training part has no image.
    #[error("has no image in part 0, so there is nothing to train on; download the list again")]
    NoTraining,
}

/// `list_attr_celeba.txt`.
#[derive(Debug)]
pub(super) struct Attributes {
    pub(super) file: String,
    pub(super) names: Vec<String>,
    pub(super) rows: Vec<AttributeRow>,
}

#[derive(Debug)]
pub(super) struct AttributeRow {
    pub(super) line: usize,
    pub(super) image: String,
    /// Bit `n` is attribute `n`.
    pub(super) bits: u64,
}

/// `list_eval_partition.txt`.
#[derive(Debug)]
pub(super) struct Partition {
    pub(super) file: String,
    pub(super) rows: Vec<PartitionRow>,
}

#[derive(Debug)]
pub(super) struct PartitionRow {
    pub(super) line: usize,
    pub(super) image: String,
    /// 0 training, 1 validation, 2 test.
    pub(super) part: u8,
}

/// Reads the attributes: the number of images, the names, then one row per image with 1 for a
/// present attribute and -1 for an absent one.
pub(super) fn read_attributes(path: &Path) -> Result<Attributes, CelebaError> {
    let (file, (names, rows)) = read(path, parse_attributes)?;
    Ok(Attributes { file, names, rows })
}

/// Reads the parts: one row per image with 0, 1 or 2.
pub(super) fn read_partition(path: &Path) -> Result<Partition, CelebaError> {
    let (file, rows) = read(path, parse_partition)?;
    Ok(Partition { file, rows })
}

fn read<T>(
    path: &Path,
    parse: impl Fn(BufReader<File>) -> Result<T, CelebaProblem>,
) -> Result<(String, T), CelebaError> {
    let file = path.display().to_string();
    match open_regular(path).map_err(CelebaProblem::Io) {
        Ok((opened, _)) => parse(BufReader::new(opened)),
        Err(problem) => Err(problem),
    }
    .map(|table| (file.clone(), table))
    .map_err(|problem| CelebaError { file, problem })
}

type AttributeTable = (Vec<String>, Vec<AttributeRow>);

fn parse_attributes(reader: impl BufRead) -> Result<AttributeTable, CelebaProblem> {
    let mut lines = Lines::new(reader);
    let declared = lines.next()?.unwrap_or_default();
    let declared: usize = declared.trim().parse().map_err(|_| CelebaProblem::Line {
        line: 1,
        found: shortened(&declared),
        expected: "the number of images".to_owned(),
    })?;
    let names = lines.next()?.unwrap_or_default();
    let names: Vec<String> = names.split_whitespace().map(str::to_owned).collect();
    let distinct: HashSet<&String> = names.iter().collect();
    if !(1..=MAX_ATTRIBUTES).contains(&names.len()) || distinct.len() < names.len() {
        return Err(CelebaProblem::Line {
            line: 2,
            found: format!("{} names, {} of them distinct", names.len(), distinct.len()),
            expected: format!("the names of 1 to {MAX_ATTRIBUTES} attributes"),
        });
    }
    let mut rows = Vec::new();
    let mut known = HashSet::new();
    while let Some(text) = lines.next()? {
        let line = lines.line;
        let mut fields = text.split_whitespace();
        let Some(image) = fields.next() else {
            continue;
        };
        let mut bits = 0;
        let mut count = 0;
        for (place, value) in fields.enumerate() {
            count += 1;
            match value {
                _ if place >= names.len() => {}
                "1" => bits |= 1 << place,
                "-1" => {}
                _ => {
                    return Err(CelebaProblem::Line {
                        line,
                        found: format!("{} for {}", shortened(value), names[place]),
                        expected: "1 or -1".to_owned(),
                    });
                }
            }
        }
        if count != names.len() {
            return Err(CelebaProblem::Line {
                line,
                found: format!("{count} values"),
                expected: format!("one for each of the {} attributes", names.len()),
            });
        }
        remember(&mut known, image, line)?;
        rows.push(AttributeRow {
            line,
            image: image.to_owned(),
            bits,
        });
    }
    if rows.len() != declared {
        return Err(CelebaProblem::RowCount {
            declared,
            found: rows.len(),
        });
    }
    Ok((names, rows))
}

fn parse_partition(reader: impl BufRead) -> Result<Vec<PartitionRow>, CelebaProblem> {
    let mut lines = Lines::new(reader);
    let mut rows = Vec::new();
    let mut known = HashSet::new();
    while let Some(text) = lines.next()? {
        let line = lines.line;
        let fields: Vec<&str> = text.split_whitespace().take(3).collect();
        let (image, part) = match fields[..] {
            [] => continue,
            [image, "0"] => (image, 0),
            [image, "1"] => (image, 1),
            [image, "2"] => (image, 2),
            _ => {
                return Err(CelebaProblem::Line {
                    line,
                    found: shortened(&text),
                    expected: "an image and its part, 0, 1 or 2".to_owned(),
                });
            }
        };
        remember(&mut known, image, line)?;
        rows.push(PartitionRow {
            line,
            image: image.to_owned(),
            part,
        });
    }
    Ok(rows)
}

fn remember(known: &mut HashSet<String>, image: &str, line: usize) -> Result<(), CelebaProblem> {
    if known.insert(image.to_owned()) {
        return Ok(());
    }
    Err(CelebaProblem::RepeatedRow {
        line,
        image: image.to_owned(),
    })
}

/// Lines of bounded length.
struct Lines<R> {
    reader: R,
    /// The line that was read last.
    line: usize,
}

impl<R: BufRead> Lines<R> {
    fn new(reader: R) -> Self {
        Self { reader, line: 0 }
    }

    fn next(&mut self) -> Result<Option<String>, CelebaProblem> {
        let mut bytes = Vec::new();
        let length = (&mut self.reader)
            .take(MAX_LINE)
            .read_until(b'\n', &mut bytes)
            .map_err(CelebaProblem::Io)? as u64;
        self.line += 1;
        if length == MAX_LINE && !bytes.ends_with(b"\n") {
            return Err(CelebaProblem::Line {
                line: self.line,
                found: format!("{MAX_LINE} bytes or more"),
                expected: "a shorter line".to_owned(),
            });
        }
        match String::from_utf8(bytes) {
            // Errors quote names unchanged.
            Ok(text) if text.contains(|c: char| c.is_control() && !c.is_ascii_whitespace()) => {
                Err(CelebaProblem::Line {
                    line: self.line,
                    found: shortened(&text),
                    expected: "text without control characters".to_owned(),
                })
            }
            Ok(text) => Ok((length > 0).then_some(text)),
            Err(_) => Err(CelebaProblem::Line {
                line: self.line,
                found: "bytes that are no text".to_owned(),
                expected: "UTF-8".to_owned(),
            }),
        }
    }
}

/// The text for an error message: shortened, and on one line.
fn shortened(text: &str) -> String {
    let start: String = text.trim().chars().take(40).collect();
    format!("{start:?}")
}
