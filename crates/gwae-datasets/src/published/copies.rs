//! Checks the copies of a dataset that are faster to read than its files.

use std::fmt;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use crate::published::data_event::{DataEvent, DataStage};
use crate::published::file_error::{DataFileError, at};
use gwae_formats::records::{RecordFile, RecordsProblem};

/// How the names of copies end: those of published files, and those of images at a model's size.
const SUFFIXES: [&str; 2] = [".gwae-cache", ".images"];

/// One copy in a directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CopyReport {
    /// Its path.
    pub path: PathBuf,
    /// Its state.
    pub status: CopyStatus,
}

/// The state of a copy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CopyStatus {
    /// Every item has its checksum.
    Whole {
        /// Number of items.
        items: u64,
    },
    /// It is damaged, or in the format of an earlier version. The text says what is wrong and what to do.
    Useless(String),
}

impl fmt::Display for CopyStatus {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Whole { items } => write!(formatter, "a whole copy of {items} items"),
            Self::Useless(problem) => formatter.write_str(problem),
        }
    }
}

/// Checks every item of every copy in `directory`. Files of other programs are left out.
///
/// # Errors
/// If the directory cannot be listed. A copy that cannot be read is not an error but a row of the report.
pub fn check_copies(
    directory: &Path,
    on_event: &mut dyn FnMut(DataEvent<'_>),
) -> Result<Vec<CopyReport>, DataFileError> {
    let entries = match fs::read_dir(directory) {
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            return Ok(Vec::new());
        }
        entries => entries.map_err(at(directory, "list"))?,
    };
    let mut paths = Vec::new();
    for entry in entries {
        let path = entry.map_err(at(directory, "list"))?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if SUFFIXES.iter().any(|suffix| name.ends_with(suffix)) && path.is_file() {
            paths.push(path);
        }
    }
    paths.sort();
    let mut copies = Vec::new();
    for path in paths {
        if let Some(status) = status(&path, on_event) {
            copies.push(CopyReport { path, status });
        }
    }
    Ok(copies)
}

/// The state of a copy, or `None` if the file is no copy.
fn status(path: &Path, on_event: &mut dyn FnMut(DataEvent<'_>)) -> Option<CopyStatus> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let file = match RecordFile::open(path) {
        Ok(file) => file?,
        Err(error) if matches!(error.problem, RecordsProblem::Foreign) => return None,
        Err(error) => return Some(CopyStatus::Useless(error.problem.to_string())),
    };
    let verified = file.verify(&mut |done, total| {
        on_event(DataEvent::Bytes {
            file: &name,
            stage: DataStage::Verifying,
            done,
            total: Some(total),
        });
    });
    Some(match verified {
        Ok(()) => CopyStatus::Whole {
            items: file.head().records,
        },
        Err(error) => CopyStatus::Useless(error.problem.to_string()),
    })
}
