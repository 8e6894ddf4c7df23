//! Data compressed with gzip, as one or several members.
//!
//! Zero bytes may follow a member: tapes and some object stores fill up their last block. `gzip -t` and Python's
//! `gzip` skip them too. Any other bytes are an error, because they may be the rest of damaged data.

use std::io::{self, BufRead, Cursor, ErrorKind, Read};
use std::mem;

use flate2::bufread::GzDecoder;

/// The first bytes of every member.
pub const MAGIC: [u8; 2] = [0x1f, 0x8b];

/// Number of bytes that any data may expand to.
const MOST_FREE: u64 = 64 << 20;

/// How many times larger than the file the data may become beyond that. Images of handwriting become five times
/// larger.
const MOST_EXPANSION: u64 = 40;

/// The error of the reader at bytes that are no member.
#[derive(Debug, thiserror::Error)]
#[error("the compressed data ends, but the file goes on with other bytes than zeros")]
pub struct BytesAfterGzip;

/// The error of the reader if a small file expands far beyond what images do.
#[derive(Debug, thiserror::Error)]
#[error("the compressed data becomes more than {MOST_EXPANSION} times larger")]
pub struct ExpandsTooMuch;

/// Bytes that were looked at, then the rest of the file.
type Whole<R> = io::Chain<Cursor<[u8; 2]>, Counting<R>>;

/// Decompresses all members of `R` one after the other.
pub struct GzipReader<R: BufRead> {
    state: State<R>,
    /// Number of decompressed bytes.
    expanded: u64,
}

/// Counts the bytes that are read.
struct Counting<R> {
    inner: R,
    count: u64,
}

impl<R: Read> Read for Counting<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.count += read as u64;
        Ok(read)
    }
}

impl<R: BufRead> BufRead for Counting<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.inner.fill_buf()
    }

    fn consume(&mut self, count: usize) {
        self.count += count as u64;
        self.inner.consume(count);
    }
}

enum State<R: BufRead> {
    Member(Box<GzDecoder<Whole<R>>>),
    /// The end of the data, or an error.
    Done,
}

impl<R: BufRead> GzipReader<R> {
    /// A reader of data whose first two bytes are [`MAGIC`]. `rest` comes after these two.
    pub fn after_magic(rest: R) -> Self {
        let rest = Counting {
            inner: rest,
            count: 0,
        };
        Self {
            state: Self::member(rest),
            expanded: 0,
        }
    }

    fn member(rest: Counting<R>) -> State<R> {
        State::Member(Box::new(GzDecoder::new(Cursor::new(MAGIC).chain(rest))))
    }

    /// What comes after a member.
    fn after_member(mut rest: Counting<R>) -> io::Result<State<R>> {
        loop {
            let bytes = match rest.fill_buf() {
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                bytes => bytes?,
            };
            if bytes.is_empty() {
                return Ok(State::Done);
            }
            let zeros = bytes.iter().take_while(|&&byte| byte == 0).count();
            let found_other = zeros < bytes.len();
            rest.consume(zeros);
            if found_other {
                break;
            }
        }
        // A reader may have only one of the two bytes at hand.
        let mut start = Vec::with_capacity(MAGIC.len());
        (&mut rest).take(2).read_to_end(&mut start)?;
        if start != MAGIC {
            return Err(io::Error::new(ErrorKind::InvalidData, BytesAfterGzip));
        }
        Ok(Self::member(rest))
    }
}

impl<R: BufRead> Read for GzipReader<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        while let State::Member(decoder) = &mut self.state {
            let count = decoder.read(buffer)?;
            if count > 0 {
                self.expanded += count as u64;
                let (_, rest) = decoder.get_ref().get_ref();
                let most = MOST_FREE + MOST_EXPANSION * rest.count;
                if self.expanded > most {
                    return Err(io::Error::new(ErrorKind::InvalidData, ExpandsTooMuch));
                }
                return Ok(count);
            }
            if let State::Member(decoder) = mem::replace(&mut self.state, State::Done) {
                let (_, rest) = decoder.into_inner().into_inner();
                self.state = Self::after_member(rest)?;
            }
        }
        Ok(0)
    }
}

#[cfg(test)]
mod tests {
    use std::io::{BufReader, Write};

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    fn member(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    /// Reads with buffers of `capacity` bytes.
    fn read(bytes: &[u8], capacity: usize) -> io::Result<Vec<u8>> {
        let mut found = Vec::new();
        let rest = BufReader::with_capacity(capacity, &bytes[2..]);
        GzipReader::after_magic(rest).read_to_end(&mut found)?;
        Ok(found)
    }

    #[test]
    fn members_and_zeros_may_follow() {
        let zeros = [0; 700];
        for (parts, expected) in [
            (vec![member(b"one")], &b"one"[..]),
            (vec![member(b"one"), zeros[..1].to_vec()], b"one"),
            (vec![member(b"one"), zeros.to_vec()], b"one"),
            (vec![member(b"one"), member(b"two")], b"onetwo"),
            (vec![member(b""), member(b""), member(b"two")], b"two"),
            (
                vec![
                    member(b"one"),
                    zeros.to_vec(),
                    member(b"two"),
                    zeros.to_vec(),
                ],
                b"onetwo",
            ),
        ] {
            for capacity in [1, 2, 3, 64, 4096] {
                assert_eq!(read(&parts.concat(), capacity).unwrap(), expected);
            }
        }
    }

    #[test]
    fn small_files_do_not_expand_without_end() {
        let zeros = member(&vec![0; 80 << 20]);
        let error = read(&zeros, 4096).unwrap_err();
        assert!(error.get_ref().unwrap().is::<ExpandsTooMuch>(), "{error}");
        let zeros = member(&vec![0; 60 << 20]);
        assert_eq!(read(&zeros, 4096).unwrap().len(), 60 << 20);
    }

    #[test]
    fn other_bytes_are_refused() {
        for after in [
            &b"x"[..],
            b"\0\0x",
            b"\x1f",
            b"\0\x1f",
            b"\x1f\x8c",
            b"PK\x03\x04",
        ] {
            for capacity in [1, 64] {
                let error = read(&[&member(b"one"), after].concat(), capacity).unwrap_err();
                let inner = error.get_ref().unwrap();
                assert!(inner.is::<BytesAfterGzip>(), "{after:?}: {error}");
            }
        }
    }

    #[test]
    fn a_second_member_that_is_cut_is_cut() {
        let second = member(b"two");
        for length in 2..second.len() {
            let error = read(&[&member(b"one"), &second[..length]].concat(), 64).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::UnexpectedEof, "{length}");
        }
    }
}
