//! The header of an `.npy` array: a Python dictionary of three entries.
//!
//! | offset | content |
//! |---|---|
//! | 0 | `\x93NUMPY`, major and minor version |
//! | 8 | length of the dictionary: u16 (version 1) or u32 (versions 2 and 3), little-endian |
//! | then | `{'descr': '<i8', 'fortran_order': False, 'shape': (3, 4), }`, spaces, a line feed |
//!
//! The dictionary is Latin-1 (versions 1 and 2) or UTF-8 (version 3). Source: the documentation of
//! NumPy's module `numpy.lib.format`. NumPy reads the dictionary as a Python expression, and other programs
//! write it in other ways, so any white space, either quote and no line feed at the end are accepted too.

use std::io::Read;

/// The first bytes of every array file.
pub(crate) const MAGIC: &[u8; 6] = b"\x93NUMPY";

/// Maximum length of the dictionary. For arrays of plain elements it takes about 100 bytes.
const MAX_LENGTH: u32 = 1 << 16;

/// Maximum number of axes, as in NumPy.
pub(crate) const MAX_AXES: usize = 64;

/// The elements begin at a multiple of this many bytes.
const ALIGNMENT: usize = 64;

/// NumPy reserves this many digits for the size of the first axis, so that a file can grow in
/// place.
const GROWTH_DIGITS: usize = 21;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Header {
    /// Type of the elements, such as `|u1` or `<i8`.
    pub(crate) elements: String,
    /// Whether the first axis varies fastest.
    pub(crate) fortran_order: bool,
    pub(crate) shape: Vec<u64>,
}

pub(crate) enum HeaderError {
    Read(std::io::Error),
    Format(String),
    /// An element is more than one number. This names its kind.
    Compound(&'static str),
}

impl From<&str> for HeaderError {
    fn from(reason: &str) -> Self {
        Self::Format(reason.to_owned())
    }
}

/// The header, and its length in bytes.
pub(crate) fn read(reader: &mut impl Read) -> Result<(Header, u64), HeaderError> {
    let mut start = [0; 8];
    reader.read_exact(&mut start).map_err(HeaderError::Read)?;
    if !start.starts_with(MAGIC) {
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
    let text = if start[6] == 3 {
        String::from_utf8(dictionary).map_err(|_| "not text")?
    } else {
        dictionary.into_iter().map(char::from).collect()
    };
    let header = parse(&text)?;
    Ok((header, 8 + width as u64 + u64::from(length)))
}

/// The header of an array in row-major order, in version 1. The bytes equal those of NumPy 2.
///
/// `shape` must have at most [`MAX_AXES`] axes, so that the length fits into 16 bits.
pub(crate) fn encode(elements: &str, shape: &[u64]) -> Vec<u8> {
    let sizes: Vec<String> = shape.iter().map(u64::to_string).collect();
    let comma = if shape.len() == 1 { "," } else { "" };
    let growth = sizes.first().map_or(0, |size| GROWTH_DIGITS - size.len());
    let mut dictionary = format!(
        "{{'descr': '{elements}', 'fortran_order': False, 'shape': ({}{comma}), }}{}",
        sizes.join(", "),
        " ".repeat(growth)
    );
    let start = MAGIC.len() + 4;
    // At least one space, as in NumPy, and the line feed.
    let spaces = ALIGNMENT - (start + dictionary.len() + 1) % ALIGNMENT;
    dictionary.push_str(&" ".repeat(spaces));
    dictionary.push('\n');
    let mut bytes = MAGIC.to_vec();
    bytes.extend([1, 0]);
    bytes.extend((dictionary.len() as u16).to_le_bytes());
    bytes.extend(dictionary.bytes());
    bytes
}

/// A text from a file, shortened to one line for a message.
pub(crate) fn shown(text: &str) -> String {
    const LONGEST: usize = 40;
    let mut characters = text.chars();
    let mut shown: String = characters.by_ref().take(LONGEST).collect();
    if characters.next().is_some() {
        shown.push('…');
    }
    shown.escape_debug().to_string()
}

fn parse(text: &str) -> Result<Header, HeaderError> {
    let mut rest = Rest(text);
    let (mut elements, mut fortran_order, mut shape) = (None, None, None);
    rest.expect('{')?;
    while !rest.skip('}') {
        let key = rest.string()?;
        rest.expect(':')?;
        let first = match key {
            "descr" => elements.replace(rest.elements()?).is_none(),
            "fortran_order" => fortran_order.replace(rest.boolean()?).is_none(),
            "shape" => shape.replace(rest.tuple()?).is_none(),
            _ => {
                let key = shown(key);
                return Err(HeaderError::Format(format!("unknown key `{key}`")));
            }
        };
        if !first {
            return Err(HeaderError::Format(format!("key `{key}` twice")));
        }
        if !rest.skip(',') {
            rest.expect('}')?;
            break;
        }
    }
    rest.skip_space();
    if !rest.0.is_empty() {
        return Err("more than white space after its dictionary".into());
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

/// The unread rest of a dictionary.
struct Rest<'a>(&'a str);

impl<'a> Rest<'a> {
    /// Skips what Python takes as white space.
    fn skip_space(&mut self) {
        let is_space = |character| matches!(character, ' ' | '\t' | '\n' | '\r' | '\x0c');
        self.0 = self.0.trim_start_matches(is_space);
    }

    /// Skips white space, then the word if it comes next.
    fn skip_word(&mut self, word: &str) -> bool {
        self.skip_space();
        match self.0.strip_prefix(word) {
            Some(rest) => {
                self.0 = rest;
                true
            }
            None => false,
        }
    }

    fn skip(&mut self, character: char) -> bool {
        self.skip_word(character.encode_utf8(&mut [0; 4]))
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
        // Python 2 marked texts of characters so: u'descr'.
        self.skip('u');
        let quote = if self.skip('"') {
            '"'
        } else {
            self.expect('\'')?;
            '\''
        };
        let (string, rest) = self.0.split_once(quote).ok_or("a text without end")?;
        self.0 = rest;
        Ok(string)
    }

    fn elements(&mut self) -> Result<String, HeaderError> {
        if self.skip('[') {
            return Err(HeaderError::Compound("records of named fields"));
        }
        if self.skip('(') {
            return Err(HeaderError::Compound("arrays inside of arrays"));
        }
        self.string().map(str::to_owned)
    }

    fn boolean(&mut self) -> Result<bool, HeaderError> {
        for (word, value) in [("True", true), ("False", false)] {
            if self.skip_word(word) {
                return Ok(value);
            }
        }
        Err("fortran_order is neither True nor False".into())
    }

    fn tuple(&mut self) -> Result<Vec<u64>, HeaderError> {
        self.expect('(')?;
        let mut numbers = Vec::new();
        while !self.skip(')') {
            numbers.push(self.size()?);
            if numbers.len() > MAX_AXES {
                return Err("more axes than NumPy knows".into());
            }
            if !self.skip(',') {
                self.expect(')')?;
                if numbers.len() == 1 {
                    return Err("a shape that is a number in brackets, without its comma".into());
                }
                break;
            }
        }
        Ok(numbers)
    }

    fn size(&mut self) -> Result<u64, HeaderError> {
        self.skip_space();
        let end = self.0.bytes().take_while(u8::is_ascii_digit).count();
        let (digits, rest) = self.0.split_at(end);
        self.0 = rest;
        let size = digits.parse().map_err(|_| "a size that is no number")?;
        // Python 2 wrote its long integers so: 10L.
        self.skip('L');
        Ok(size)
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
            HeaderError::Compound(kind) => kind.to_owned(),
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
            (
                "{\"descr\": \"<f4\", \"fortran_order\": False, \"shape\": (2,)}\n",
                "<f4",
                false,
                vec![2],
            ),
            (
                "{'descr': '|u1', 'fortran_order': False, 'shape': (10L, 64L), }\n",
                "|u1",
                false,
                vec![10, 64],
            ),
            (
                "{'descr': '|u1', 'fortran_order': False, 'shape': (3,), }",
                "|u1",
                false,
                vec![3],
            ),
            (
                "\t{ u'shape'\n:\r\n( 3 L ,\t4\x0c) ,'descr':u\"<i2\", 'fortran_order' :True}\n \t\n",
                "<i2",
                true,
                vec![3, 4],
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
                "{'descr': '|u1', 'fortran_order': False, 'shape': (3), }\n",
                "without its comma",
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
                "fields",
            ),
            (
                "{'descr': ('<i8', (2,)), 'fortran_order': False, 'shape': (3,), }\n",
                "arrays inside",
            ),
            (
                "{'descr': '|u1', 'descr': '|u1', 'fortran_order': False, 'shape': (3,)}\n",
                "twice",
            ),
            ("{'colour': 'red'}\n", "unknown key"),
            ("{'a\nb': 'red'}\n", "unknown key `a\\nb`"),
            ("{descr: '|u1'}\n", "no `'`"),
            (
                "{'descr': '|u1', 'fortran_order': False, 'shape': (3,)} print()\n",
                "white space",
            ),
            ("{'shape': (3\u{a0},)}\n", "no `)`"),
            ("", "no `{`"),
        ] {
            let error = header(1, dictionary).unwrap_err();
            assert!(error.contains(reason), "{dictionary}: {error}");
        }
        // A non-ASCII character of a name is one byte in version 1 and two in version 3.
        let latin = b"\x93NUMPY\x01\x00\x1a\x00{'descr': [('\xe9', '<f8')]}\n";
        assert!(matches!(
            read(&mut latin.as_slice()),
            Err(HeaderError::Compound("records of named fields"))
        ));
        assert_eq!(
            header(3, "{'descr': [('\u{e9}', '<f8')]}\n"),
            Err("records of named fields".to_owned())
        );
        assert!(header(4, "{}\n").unwrap_err().contains("version"));
        assert!(
            header(2, &" ".repeat(70_000))
                .unwrap_err()
                .contains("70000 bytes")
        );
    }
    #[test]
    fn what_it_encodes_is_aligned_and_reads_back() {
        for shape in [
            vec![],
            vec![0],
            vec![u64::MAX],
            vec![2, 3],
            vec![10; 9],
            vec![u64::MAX; MAX_AXES],
        ] {
            let bytes = encode("<f8", &shape);
            assert_eq!(bytes.len() % ALIGNMENT, 0, "{shape:?}");
            let Ok((found, length)) = read(&mut bytes.as_slice()) else {
                panic!("{shape:?} does not read back");
            };
            assert_eq!(length, bytes.len() as u64);
            let expected = Header {
                elements: "<f8".to_owned(),
                fortran_order: false,
                shape,
            };
            assert_eq!(found, expected);
        }
    }

    #[test]
    fn texts_in_messages_are_short_and_on_one_line() {
        assert_eq!(shown("<i8"), "<i8");
        assert_eq!(shown("a\nb\u{0}"), "a\\nb\\0");
        assert_eq!(shown(&"x".repeat(41)), format!("{}…", "x".repeat(40)));
    }
}
