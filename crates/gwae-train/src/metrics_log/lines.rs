//! The lines of a log, read one at a time from a file of any length.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};
use std::path::Path;

use gwae_formats::regular_file::open_regular;

/// Longest line: 1 MiB. A record has a few hundred bytes.
const LONGEST: u64 = 1 << 20;

/// Bytes read at a time from the end of a file.
const BLOCK: u64 = 1 << 16;

/// The whole lines of a file. A last line without its end is left out.
pub(super) struct Lines {
    reader: BufReader<File>,
    line: Vec<u8>,
}

/// A line that cannot be read.
pub(super) enum LineProblem {
    /// The file system failed.
    Io(io::Error),
    /// The line is longer than any record.
    TooLong,
}

impl Lines {
    /// The lines of a regular file; `None` if there is no such file.
    pub(super) fn open(path: &Path) -> io::Result<Option<Self>> {
        let file = match open_regular(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            opened => opened?.0,
        };
        Ok(Some(Self {
            reader: BufReader::with_capacity(BLOCK as usize, file),
            line: Vec::new(),
        }))
    }

    /// The next line, with the newline at its end.
    pub(super) fn next_line(&mut self) -> Result<Option<&[u8]>, LineProblem> {
        self.line.clear();
        let mut bounded = (&mut self.reader).take(LONGEST + 1);
        let length = bounded.read_until(b'\n', &mut self.line);
        let length = length.map_err(LineProblem::Io)? as u64;
        match self.line.last() {
            Some(b'\n') => Ok(Some(&self.line)),
            _ if length > LONGEST => Err(LineProblem::TooLong),
            _ => Ok(None),
        }
    }
}

/// The length of the whole lines of a file of `length` bytes.
pub(super) fn length_of_whole_lines(file: &mut File, length: u64) -> io::Result<u64> {
    let mut end = length;
    let mut block = Vec::new();
    while end > 0 {
        let start = end.saturating_sub(BLOCK);
        file.seek(SeekFrom::Start(start))?;
        block.clear();
        (&mut *file).take(end - start).read_to_end(&mut block)?;
        if let Some(newline) = block.iter().rposition(|byte| *byte == b'\n') {
            return Ok(start + newline as u64 + 1);
        }
        end = start;
    }
    Ok(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn file(bytes: &[u8]) -> tempfile::NamedTempFile {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(bytes).unwrap();
        file
    }

    fn lines(bytes: &[u8]) -> Result<Vec<Vec<u8>>, LineProblem> {
        let file = file(bytes);
        let mut lines = Lines::open(file.path()).unwrap().unwrap();
        let mut all = Vec::new();
        while let Some(line) = lines.next_line()? {
            all.push(line.to_vec());
        }
        Ok(all)
    }

    #[test]
    fn only_whole_lines_are_read() {
        let all = lines(b"one\n\ntwo\nthr").unwrap_or_default();
        assert_eq!(all, [b"one\n".as_slice(), b"\n", b"two\n"]);
        assert!(lines(b"").unwrap_or_default().is_empty());
    }

    #[test]
    fn a_line_that_is_too_long_is_not_read() {
        let longest = LONGEST as usize;
        let mut text = vec![b'x'; longest];
        text[longest - 1] = b'\n';
        text.extend_from_slice(&text.clone());
        assert!(matches!(lines(&text), Ok(all) if all.len() == 2));
        // With its end far behind, or without one.
        let endless = vec![b'x'; 3 * longest];
        assert!(matches!(lines(&endless), Err(LineProblem::TooLong)));
        let late = [endless.as_slice(), b"\n"].concat();
        assert!(matches!(lines(&late), Err(LineProblem::TooLong)));
    }

    #[test]
    fn the_end_of_the_last_whole_line_is_found_from_the_end() {
        let block = BLOCK as usize;
        for (text, expected) in [
            (vec![], 0),
            (b"one".to_vec(), 0),
            (b"one\ntwo".to_vec(), 4),
            (b"one\n".to_vec(), 4),
            ([b"a\n".as_slice(), &vec![b'x'; 3 * block]].concat(), 2),
            ([&vec![b'x'; block - 1], b"\ny".as_slice()].concat(), block),
            (vec![b'x'; 2 * block], 0),
        ] {
            let mut file = file(&text).into_file();
            let found = length_of_whole_lines(&mut file, text.len() as u64).unwrap();
            assert_eq!(found, expected as u64);
        }
    }
}
