//! The header of an `.npy` array: a Python dictionary of three entries.
//!
//! | offset | what |
//! |---|---|
//! | 0 | `\x93NUMPY`, major and minor version |
//! | 8 | length of the dictionary: u16 (version 1) or u32 (versions 2 and 3), little-endian |
//! | then | `{'descr': '<i8', 'fortran_order': False, 'shape': (3, 4), }`, spaces, a line feed |

use std::io::Read;

/// Longest dictionary. Those of arrays with plain elements take some 100 bytes.
const MAX_LENGTH: u32 = 1 << 16;

/// Most axes, as NumPy has it.
const MAX_AXES: usize = 64;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Header {
    /// Type of the elements, such as `|u1` or `<i8`.
    pub(super) elements: String,
    /// Whether the first axis varies fastest.
    pub(super) fortran_order: bool,
    pub(super) shape: Vec<u64>,
}

pub(super) enum HeaderError {
    Read(std::io::Error),
    Format(String),
}

impl From<&str> for HeaderError {
    fn from(reason: &str) -> Self {
        Self::Format(reason.to_owned())
    }
}

/// The header, and how many bytes it takes.
pub(super) fn read(reader: &mut impl Read) -> Result<(Header, u64), HeaderError> {
    let mut start = [0; 8];
    reader.read_exact(&mut start).map_err(HeaderError::Read)?;
    if !start.starts_with(b"\x93NUMPY") {
        return Err("does not start with \\x93NUMPY".into());
    }
    let mut length = [0; 4];
    let width = match start[6..] {
        [1, 0] => 2,
        [2 | 3, 0] => 4,
        [major, minor] => {
            return Err(HeaderError::Format(format!("version {major}.{minor}")));
        }
        _ => return Err("no version".into()),
    };
    reader
        .read_exact(&mut length[..width])
        .map_err(HeaderError::Read)?;
    let length = u32::from_le_bytes(length);
    if length > MAX_LENGTH {
        return Err(HeaderError::Format(format!("{length} bytes of header")));
    }
    let mut dictionary = vec![0; length as usize];
    reader
        .read_exact(&mut dictionary)
        .map_err(HeaderError::Read)?;
    let header = parse(&dictionary)?;
    Ok((header, 8 + width as u64 + u64::from(length)))
}

fn parse(dictionary: &[u8]) -> Result<Header, HeaderError> {
    let text = std::str::from_utf8(dictionary).map_err(|_| "not text")?;
    let text = text.strip_suffix('\n').ok_or("no line feed at its end")?;
    let mut rest = Rest(text);
    let (mut elements, mut fortran_order, mut shape) = (None, None, None);
    rest.expect('{')?;
    while !rest.skip('}') {
        let key = rest.string()?;
        rest.expect(':')?;
        let first = match key {
            "descr" => elements.replace(rest.string()?.to_owned()).is_none(),
            "fortran_order" => fortran_order.replace(rest.boolean()?).is_none(),
            "shape" => shape.replace(rest.tuple()?).is_none(),
            _ => return Err(HeaderError::Format(format!("unknown key `{key}`"))),
        };
        if !first {
            return Err(HeaderError::Format(format!("key `{key}` twice")));
        }
        if !rest.skip(',') {
            rest.expect('}')?;
            break;
        }
    }
    if !rest.0.bytes().all(|byte| byte == b' ') {
        return Err("more than spaces after its dictionary".into());
    }
    match (elements, fortran_order, shape) {
        (Some(elements), Some(fortran_order), Some(shape)) => Ok(Header {
            elements,
            fortran_order,
            shape,
        }),
        _ => Err("not all of descr, fortran_order and shape".into()),
    }
}

/// What is left of a dictionary.
struct Rest<'a>(&'a str);

impl<'a> Rest<'a> {
    /// Skips spaces, then the character, if it comes next.
    fn skip(&mut self, character: char) -> bool {
        self.0 = self.0.trim_start_matches(' ');
        match self.0.strip_prefix(character) {
            Some(rest) => {
                self.0 = rest;
                true
            }
            None => false,
        }
    }

    fn expect(&mut self, character: char) -> Result<(), HeaderError> {
        if self.skip(character) {
            Ok(())
        } else {
            Err(HeaderError::Format(format!(
                "no `{character}` where one belongs"
            )))
        }
    }

    fn string(&mut self) -> Result<&'a str, HeaderError> {
        self.expect('\'')?;
        let (string, rest) = self.0.split_once('\'').ok_or("a text without end")?;
        self.0 = rest;
        Ok(string)
    }

    fn boolean(&mut self) -> Result<bool, HeaderError> {
        self.0 = self.0.trim_start_matches(' ');
        for (word, value) in [("True", true), ("False", false)] {
            if let Some(rest) = self.0.strip_prefix(word) {
                self.0 = rest;
                return Ok(value);
            }
        }
        Err("fortran_order is neither True nor False".into())
    }

    fn tuple(&mut self) -> Result<Vec<u64>, HeaderError> {
        self.expect('(')?;
        let mut numbers = Vec::new();
        while !self.skip(')') {
            let end = self.0.bytes().take_while(u8::is_ascii_digit).count();
            let (digits, rest) = self.0.split_at(end);
            self.0 = rest;
            numbers.push(digits.parse().map_err(|_| "a size that is no number")?);
            if numbers.len() > MAX_AXES {
                return Err("more axes than NumPy knows".into());
            }
            if !self.skip(',') {
                self.expect(')')?;
                break;
            }
        }
        Ok(numbers)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(version: u8, dictionary: &str) -> Result<(Header, u64), String> {
        let mut bytes = b"\x93NUMPY".to_vec();
        bytes.extend([version, 0]);
        let length = (dictionary.len() as u32).to_le_bytes();
        bytes.extend(&length[..if version == 1 { 2 } else { 4 }]);
        bytes.extend(dictionary.bytes());
        read(&mut bytes.as_slice()).map_err(|error| match error {
            HeaderError::Read(error) => format!("read: {error}"),
            HeaderError::Format(reason) => reason,
        })
    }

    #[test]
    fn reads_what_numpy_writes() {
        for (dictionary, elements, fortran_order, shape) in [
            (
                "{'descr': '|u1', 'fortran_order': False, 'shape': (737280, 64, 64), }   \n",
                "|u1",
                false,
                vec![737_280, 64, 64],
            ),
            (
                "{'descr': '<i8', 'fortran_order': True, 'shape': (3,), }\n",
                "<i8",
                true,
                vec![3],
            ),
            (
                "{'shape':(),'fortran_order':False,'descr':'<f8'}\n",
                "<f8",
                false,
                vec![],
            ),
        ] {
            for version in 1..=3 {
                let (found, length) = header(version, dictionary).unwrap();
                let width = if version == 1 { 2 } else { 4 };
                assert_eq!(length, 8 + width + dictionary.len() as u64);
                let expected = Header {
                    elements: elements.to_owned(),
                    fortran_order,
                    shape: shape.clone(),
                };
                assert_eq!(found, expected);
            }
        }
    }

    #[test]
    fn refuses_everything_else() {
        for (dictionary, reason) in [
            (
                "{'descr': '|u1', 'fortran_order': False, 'shape': (3,), }",
                "line feed",
            ),
            ("{'descr': '|u1', 'fortran_order': False}\n", "not all of"),
            (
                "{'descr': '|u1', 'fortran_order': 0, 'shape': (3,), }\n",
                "neither",
            ),
            (
                "{'descr': '|u1', 'fortran_order': False, 'shape': (-3,), }\n",
                "no number",
            ),
            (
                "{'descr': '|u1', 'fortran_order': False, 'shape': (3 4), }\n",
                "no `)`",
            ),
            (
                "{'descr': '|u1', 'fortran_order': False, 'shape': (99999999999999999999,), }\n",
                "no number",
            ),
            ("{'descr': '|u1, }\n", "without end"),
            (
                "{'descr': [('a', '<i8')], 'fortran_order': False, 'shape': (3,), }\n",
                "no `'`",
            ),
            (
                "{'descr': '|u1', 'descr': '|u1', 'fortran_order': False, 'shape': (3,)}\n",
                "twice",
            ),
            ("{'colour': 'red'}\n", "unknown key"),
            (
                "{'descr': '|u1', 'fortran_order': False, 'shape': (3,)} print()\n",
                "spaces",
            ),
            ("", "line feed"),
        ] {
            let error = header(1, dictionary).unwrap_err();
            assert!(error.contains(reason), "{dictionary}: {error}");
        }
        assert!(header(4, "{}\n").unwrap_err().contains("version"));
        assert!(
            header(2, &" ".repeat(70_000))
                .unwrap_err()
                .contains("70000 bytes")
        );
    }
}
