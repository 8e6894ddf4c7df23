//! The partial file `NAME.part`. A download is written to it until it is verified.
//!
//! Beside it, `NAME.part.from` records the address and the version of the file on the server. So a
//! later run can request the rest of exactly that version.

use std::fs;
use std::io::{ErrorKind, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use gwae_formats::bounded_file::read_bytes;
use gwae_formats::partial::{PartialFile, with_suffix};

use crate::published::file_error::{DataFileError, DataFileProblem, at};

/// An open partial file. Other processes cannot open it at the same time.
pub(super) struct Partial {
    file: PartialFile,
    origin_path: PathBuf,
    length: u64,
    inherited: u64,
    pieces: u32,
    has_ranges: bool,
    origin: Option<Origin>,
}

/// The origin of a partial file's bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Origin {
    url: String,
    validator: Option<String>,
}

impl Partial {
    /// Opens `NAME.part` beside `target`, with the bytes from an earlier run.
    pub(super) fn open(target: &Path) -> Result<Self, DataFileError> {
        let path = with_suffix(target, ".part");
        let origin_path = with_suffix(target, ".part.from");
        let file = PartialFile::try_open(target, ".part").map_err(at(&path, "write"))?;
        let busy = || DataFileProblem::Busy.of(path.display().to_string());
        let file = file.ok_or_else(busy)?;
        let length = file.length().map_err(at(&path, "look at"))?;
        let origin = read_record(&origin_path).and_then(|text| Origin::parse(&text));
        Ok(Self {
            file,
            origin_path,
            length,
            inherited: length,
            // An earlier run kept them for this reason.
            has_ranges: length > 0,
            // It is unknown in how many pieces an earlier run downloaded them.
            pieces: if length > 0 { 2 } else { 0 },
            origin,
        })
    }

    pub(super) fn path(&self) -> &Path {
        self.file.path()
    }

    /// Whether the server of the last answer can send the rest of the file.
    pub(super) fn has_ranges(&self) -> bool {
        self.has_ranges
    }

    pub(super) fn set_ranges(&mut self, has_ranges: bool) {
        self.has_ranges = has_ranges;
    }

    /// Number of bytes in the file.
    pub(super) fn length(&self) -> u64 {
        self.length
    }

    /// Number of bytes in the file from an earlier run.
    pub(super) fn inherited(&self) -> u64 {
        self.inherited
    }

    /// Whether all bytes are from one answer. If so, they are from one version of the file.
    pub(super) fn in_one_piece(&self) -> bool {
        self.pieces <= 1
    }

    /// The version of the file at `url` that the bytes belong to, if they came from there.
    pub(super) fn validator(&self, url: &str) -> Option<&str> {
        self.origin
            .as_ref()
            .filter(|origin| origin.url == url)?
            .validator
            .as_deref()
    }

    /// Removes all bytes.
    pub(super) fn clear(&mut self) -> Result<(), DataFileError> {
        if self.length > 0 {
            self.file.shorten(0).map_err(at(self.path(), "shorten"))?;
            self.length = 0;
        }
        self.inherited = 0;
        self.pieces = 0;
        self.origin = None;
        remove(&self.origin_path)
    }

    /// Records the origin of the next piece.
    pub(super) fn begin_piece(
        &mut self,
        url: &str,
        validator: Option<String>,
    ) -> Result<(), DataFileError> {
        let origin = Origin {
            url: url.to_owned(),
            validator,
        };
        if self.origin.as_ref() != Some(&origin) {
            fs::write(&self.origin_path, origin.text()).map_err(at(&self.origin_path, "write"))?;
            self.origin = Some(origin);
        }
        self.pieces += 1;
        Ok(())
    }

    /// Appends bytes; `missing` is the number of bytes still to come, including these.
    pub(super) fn append(&mut self, bytes: &[u8], missing: u64) -> Result<(), DataFileError> {
        if let Err(error) = self.file.content().write_all_at(bytes, self.length) {
            // A failed write may leave bytes after `length`. They must not be continued.
            let _ = self.file.shorten(self.length);
            return Err(DataFileProblem::from_io("write", missing, error)
                .of(self.path().display().to_string()));
        }
        self.length += bytes.len() as u64;
        Ok(())
    }

    /// All bytes from the start, through the same handle, because some systems refuse another one.
    pub(super) fn reader(&self) -> Result<impl Read, DataFileError> {
        let mut file = self.file.content().file();
        file.seek(SeekFrom::Start(0))
            .map_err(at(self.path(), "read"))?;
        Ok(file)
    }

    /// Syncs the file to the disk.
    pub(super) fn sync(&self) -> Result<(), DataFileError> {
        self.file.sync().map_err(|error| {
            DataFileProblem::from_io("write", 0, error).of(self.path().display().to_string())
        })
    }

    /// Renames the complete file to its final name.
    pub(super) fn finish(self, target: &Path) -> Result<(), DataFileError> {
        self.file.finish(target).map_err(at(target, "create"))?;
        remove(&self.origin_path)
    }

    /// Removes the file.
    pub(super) fn discard(self) -> Result<(), DataFileError> {
        let path = self.path().to_owned();
        self.file.remove().map_err(at(&path, "remove"))?;
        remove(&self.origin_path)
    }
}

impl Origin {
    fn text(&self) -> String {
        let validator = self.validator.as_deref().unwrap_or_default();
        format!("{}\n{validator}\n", self.url)
    }

    fn parse(text: &str) -> Option<Self> {
        let mut lines = text.split('\n');
        let url = lines.next().filter(|line| !line.is_empty())?;
        let validator = lines.next()?;
        // Without the last line end, the text is incomplete.
        lines.next()?;
        // A text that a header cannot carry did not come from a header.
        if !validator.bytes().all(|byte| (b' '..=b'~').contains(&byte)) {
            return None;
        }
        Some(Self {
            url: url.to_owned(),
            validator: (!validator.is_empty()).then(|| validator.to_owned()),
        })
    }
}

/// The text of a record, if it exists and is not too long.
fn read_record(path: &Path) -> Option<String> {
    const MOST: u64 = 1 << 16;
    String::from_utf8(read_bytes(path, MOST).ok()?).ok()
}

fn remove(path: &Path) -> Result<(), DataFileError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(at(path, "remove")(error)),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_survives_being_written_and_is_dropped_when_cut() {
        for validator in [None, Some("\"tag\"".to_owned())] {
            let origin = Origin {
                url: "http://127.0.0.1/file".to_owned(),
                validator,
            };
            let text = origin.text();
            assert_eq!(Origin::parse(&text).as_ref(), Some(&origin));
            for length in 0..text.len() {
                assert_eq!(Origin::parse(&text[..length]), None, "{length}");
            }
        }
    }

    #[test]
    fn a_damaged_record_is_as_none() {
        let directory = tempfile::tempdir().unwrap();
        let target = directory.path().join("file");
        let url = "http://127.0.0.1/file";
        let validator = |record: &[u8]| {
            fs::write(directory.path().join("file.part.from"), record).unwrap();
            let partial = Partial::open(&target).unwrap();
            partial.validator(url).map(str::to_owned)
        };
        let record = |tag: &str| format!("{url}\n{tag}\n");
        assert_eq!(validator(record("\"tag\"").as_bytes()).unwrap(), "\"tag\"");
        // A text that a header cannot carry would make every request fail.
        for tag in ["\"t\0g\"", "\"tag\"\r", "\"t\u{e4}g\"", "\u{7f}"] {
            assert_eq!(validator(record(tag).as_bytes()), None, "{tag:?}");
        }
        assert_eq!(validator(b"http://127.0.0.1/file\n\xff\n"), None);
        // Longer than the header of any answer.
        assert_eq!(validator(record(&"9".repeat(1 << 20)).as_bytes()), None);
    }

    #[test]
    fn only_one_process_writes() {
        let directory = tempfile::tempdir().unwrap();
        let target = directory.path().join("file");
        let first = Partial::open(&target).unwrap();
        let second = Partial::open(&target).err().unwrap();
        assert!(matches!(second.problem, DataFileProblem::Busy));
        drop(first);
        assert!(Partial::open(&target).is_ok());
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn a_full_disk_is_an_error_of_its_own() {
        let directory = tempfile::tempdir().unwrap();
        let target = directory.path().join("file");
        std::os::unix::fs::symlink("/dev/full", directory.path().join("file.part")).unwrap();
        let mut partial = Partial::open(&target).unwrap();
        let error = partial.append(&[1, 2, 3], 10).unwrap_err();
        assert!(
            matches!(error.problem, DataFileProblem::DiskFull { missing: 10, .. }),
            "{error}"
        );
        assert_eq!(partial.length(), 0);
    }
}
