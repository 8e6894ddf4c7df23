//! The pickle in a file by `torch.save`: names, shapes and settings, without the values.
//!
//! Burn's reader makes an object of every operation of a pickle. So this module first counts the
//! operations, because a small file can hold millions.

use std::fs::File;
use std::io::{self, Read, Seek};

use gwae_formats::one_line::one_line;
use zip::{CompressionMethod, ZipArchive};

/// Longest pickle: 16 MiB. That of a GWAE with the states of its optimisers has about 100 KB.
const LONGEST: u64 = 1 << 24;

/// Most operations in the pickles of a file. Those of a GWAE with the states of its optimisers are
/// about 20,000. An operation leaves up to some hundred bytes.
const MOST_OPERATIONS: usize = 500_000;

/// Pickles at the start of a file in the format before PyTorch 1.6: a magic number, the version,
/// the machine, the object and the list of its storages.
const PICKLES_BEFORE_1_6: usize = 5;

/// Why a pickle is not parsed.
#[derive(Debug)]
pub(crate) enum PickleProblem {
    /// The file cannot be read, or is no whole zip archive.
    Io(io::Error),
    /// The file has what no checkpoint of a GWAE has. Holds the problem and the remedy.
    Refused(String),
}

impl From<io::Error> for PickleProblem {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// The start of `file`, which Burn's reader takes for pickles, if it is small enough.
pub(crate) fn read_pickle(mut file: File) -> Result<Vec<u8>, PickleProblem> {
    let (pickle, count) = match ZipArchive::new(&mut file) {
        Ok(mut archive) => (from_archive(&mut archive)?, 1),
        Err(_) => {
            file.rewind()?;
            let mut start = Vec::new();
            file.take(LONGEST).read_to_end(&mut start)?;
            if start.get(257..262) == Some(b"ustar") {
                return Err(PickleProblem::Refused(
                    "is in the format before PyTorch 0.1.10; load it with PyTorch and save it again"
                        .into(),
                ));
            }
            (start, PICKLES_BEFORE_1_6)
        }
    };
    if operations(&pickle, count) > MOST_OPERATIONS {
        return Err(PickleProblem::Refused(format!(
            "is no checkpoint of a GWAE: describing it takes more than {MOST_OPERATIONS} \
             operations; save the model alone"
        )));
    }
    Ok(pickle)
}

/// The pickle of a zip archive, which must not be compressed: `torch.save` does not compress, and
/// every tensor of a compressed entry would be unpacked from its start.
fn from_archive<R: Read + Seek>(archive: &mut ZipArchive<R>) -> Result<Vec<u8>, PickleProblem> {
    let mut place: Option<(usize, usize)> = None;
    for index in 0..archive.len() {
        let entry = archive.by_index_raw(index).map_err(io::Error::other)?;
        let name = entry.name().map_err(io::Error::other)?;
        if entry.compression() != CompressionMethod::Stored {
            return Err(PickleProblem::Refused(format!(
                "its entry {} is compressed, which torch.save does not do; pack it again without \
                 compression (zip -0)",
                one_line(&name)
            )));
        }
        // Burn's reader takes the outermost one.
        let is_pickle = name.ends_with("/data.pkl") || name == "data.pkl";
        if is_pickle && place.is_none_or(|(shortest, _)| name.len() < shortest) {
            place = Some((name.len(), index));
        }
    }
    let mut pickle = Vec::new();
    if let Some((_, index)) = place {
        let entry = archive.by_index(index).map_err(io::Error::other)?;
        entry.take(LONGEST + 1).read_to_end(&mut pickle)?;
    }
    if pickle.len() as u64 > LONGEST {
        return Err(PickleProblem::Refused(format!(
            "is no checkpoint of a GWAE: its data.pkl is longer than {} MiB; save the model alone",
            LONGEST >> 20
        )));
    }
    Ok(pickle)
}

/// The number of operations in the first `pickles` pickles of `bytes`, up to the first that is cut
/// short. Counting ends soon after [`MOST_OPERATIONS`].
fn operations(bytes: &[u8], mut pickles: usize) -> usize {
    let mut rest = bytes;
    let mut count = 0;
    while let [operation, after @ ..] = rest
        && count <= MOST_OPERATIONS
    {
        count += 1;
        if *operation == b'.' {
            pickles -= 1;
            if pickles == 0 {
                break;
            }
        }
        match argument(*operation, after).and_then(|length| after.get(length..)) {
            Some(next) => rest = next,
            None => break,
        }
    }
    count
}

/// The length of an operation's argument in bytes, in all protocols up to 5; `None` if the pickle
/// ends inside it.
fn argument(operation: u8, rest: &[u8]) -> Option<usize> {
    let counted = |size: usize| {
        let mut length = [0; 8];
        length[..size].copy_from_slice(rest.get(..size)?);
        usize::try_from(u64::from_le_bytes(length))
            .ok()?
            .checked_add(size)
    };
    let line = |text: &[u8]| Some(text.iter().position(|byte| *byte == b'\n')? + 1);
    match operation {
        // BININT1, BINGET, BINPUT, PROTO, EXT1
        b'K' | b'h' | b'q' | 0x80 | 0x82 => Some(1),
        // BININT2, EXT2
        b'M' | 0x83 => Some(2),
        // BININT, LONG_BINGET, LONG_BINPUT, EXT4
        b'J' | b'j' | b'r' | 0x84 => Some(4),
        // BINFLOAT, FRAME
        b'G' | 0x95 => Some(8),
        // SHORT_BINSTRING, SHORT_BINBYTES, SHORT_BINUNICODE, LONG1
        b'U' | b'C' | 0x8c | 0x8a => counted(1),
        // BINSTRING, BINUNICODE, BINBYTES, LONG4
        b'T' | b'X' | b'B' | 0x8b => counted(4),
        // BINUNICODE8, BINBYTES8, BYTEARRAY8
        0x8d | 0x8e | 0x96 => counted(8),
        // INT, LONG, FLOAT, STRING, UNICODE, PERSID, GET, PUT
        b'I' | b'L' | b'F' | b'S' | b'V' | b'P' | b'g' | b'p' => line(rest),
        // GLOBAL and INST: module and name
        b'c' | b'i' => {
            let module = line(rest)?;
            Some(module + line(&rest[module..])?)
        }
        _ => Some(0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn refused(bytes: &[u8]) -> String {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(bytes).unwrap();
        file.rewind().unwrap();
        match read_pickle(file) {
            Err(PickleProblem::Refused(problem)) => problem,
            other => panic!("{other:?}"),
        }
    }

    /// Python: `pickletools.dis(pickle.dumps({"a": [1, 300, -7, 2.5, "text"]}, protocol))` lists
    /// these operations.
    #[test]
    fn operations_are_those_that_python_lists() {
        let protocol_2 = b"\x80\x02}q\x00X\x01\x00\x00\x00aq\x01]q\x02(K\x01M\x2c\x01\
                           J\xf9\xff\xff\xffG@\x04\x00\x00\x00\x00\x00\x00X\x04\x00\x00\x00textq\x03es.";
        assert_eq!(operations(protocol_2, 1), 17);
        let protocol_0 = b"(dp0\nVa\np1\n(lp2\nI1\naI300\naI-7\naF2.5\naVtext\np3\nas.";
        assert_eq!(operations(protocol_0, 1), 21);
        let global = b"ccollections\nOrderedDict\n)R.";
        assert_eq!(operations(global, 1), 4);
        // What follows the pickles is not counted, and a cut one ends the count.
        assert_eq!(operations(b"N.N.N.NNNN", 2), 4);
        assert_eq!(operations(b"NNX\xff\xff\xff\xff", 1), 3);
    }

    #[test]
    fn millions_of_operations_are_refused_before_they_are_parsed() {
        let problem = refused(&[b"\x80\x02".as_slice(), &vec![b']'; 10 << 20]].concat());
        assert!(problem.contains("500000 operations"), "{problem}");
    }

    #[test]
    fn compressed_archives_are_refused() {
        let mut archive = zip::ZipWriter::new(io::Cursor::new(Vec::new()));
        let options = zip::write::SimpleFileOptions::default()
            .compression_method(CompressionMethod::Deflated);
        archive.start_file("archive/data.pkl", options).unwrap();
        archive.write_all(&vec![0; 1 << 20]).unwrap();
        let problem = refused(archive.finish().unwrap().get_ref());
        assert!(
            problem.contains("archive/data.pkl is compressed"),
            "{problem}"
        );
    }

    #[test]
    fn a_pickle_that_is_too_long_is_refused() {
        let mut archive = zip::ZipWriter::new(io::Cursor::new(Vec::new()));
        let options =
            zip::write::SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
        archive.start_file("data.pkl", options).unwrap();
        archive
            .write_all(&vec![b'N'; (LONGEST + 1) as usize])
            .unwrap();
        let problem = refused(archive.finish().unwrap().get_ref());
        assert!(problem.contains("longer than 16 MiB"), "{problem}");
    }
}
