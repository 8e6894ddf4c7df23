//! What a listing of images passes over, counted for the log.

use std::collections::BTreeMap;
use std::path::Path;

/// Number of kinds of files that are named; the others are counted together.
const MOST_KINDS: usize = 8;

/// Longest ending of a file's name that counts as its kind.
const LONGEST_ENDING: usize = 12;

/// Counts of what a listing passed over. Hidden files are not counted.
#[derive(Clone, Debug, Default)]
pub(crate) struct PassedOver {
    /// Files by the lower-case ending of their names; empty without one.
    endings: BTreeMap<String, usize>,
    /// Links to nothing.
    pub(super) broken_links: usize,
    /// Links to folders that are read already, or that contain the link.
    pub(super) repeated_folders: usize,
    /// Links in an archive.
    pub(super) links: usize,
    /// Devices, pipes and sockets.
    pub(super) special: usize,
    /// Number of folders that may not be read, and the first of them.
    closed: (usize, String),
}

impl PassedOver {
    /// A file that is no image by its name.
    pub(super) fn file(&mut self, path: &Path) {
        let ending = path.extension().map(|ending| ending.to_string_lossy());
        let ending = ending
            .filter(|ending| {
                ending.len() <= LONGEST_ENDING && ending.chars().all(char::is_alphanumeric)
            })
            .map(|ending| ending.to_lowercase());
        *self.endings.entry(ending.unwrap_or_default()).or_default() += 1;
    }

    /// A folder that may not be read.
    pub(super) fn closed_folder(&mut self, name: String) {
        if self.closed.0 == 0 {
            self.closed.1 = name;
        }
        self.closed.0 += 1;
    }

    /// All counts as one text, such as `12 .txt, 1 .mp4, 1 broken link`; `None` if there are none.
    pub(crate) fn text(&self) -> Option<String> {
        let mut endings: Vec<_> = self.endings.iter().collect();
        endings.sort_by(|a, b| b.1.cmp(a.1).then(a.0.cmp(b.0)));
        let (named, others) = endings.split_at(endings.len().min(MOST_KINDS));
        let mut parts: Vec<String> = named
            .iter()
            .map(|(ending, count)| match ending.as_str() {
                "" => format!("{count} without an ending"),
                ending => format!("{count} .{ending}"),
            })
            .collect();
        let others: usize = others.iter().map(|(_, count)| **count).sum();
        let counts = [
            (others, "other file", "other files"),
            (self.broken_links, "broken link", "broken links"),
            (
                self.repeated_folders,
                "link to a folder that is read already",
                "links to folders that are read already",
            ),
            (self.links, "link", "links"),
            (self.special, "special file", "special files"),
        ];
        for (count, one, many) in counts {
            match count {
                0 => {}
                1 => parts.push(format!("1 {one}")),
                _ => parts.push(format!("{count} {many}")),
            }
        }
        match &self.closed {
            (0, _) => {}
            (1, name) => parts.push(format!("1 folder that may not be read ({name})")),
            (count, name) => {
                parts.push(format!("{count} folders that may not be read ({name}, …)"))
            }
        }
        (!parts.is_empty()).then(|| parts.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_counts_by_kind() {
        let mut passed = PassedOver::default();
        assert_eq!(passed.text(), None);
        for name in ["a.TXT", "b.txt", "c.mp4", "README", "x.strange\u{1b}ending"] {
            passed.file(Path::new(name));
        }
        passed.broken_links = 1;
        passed.repeated_folders = 2;
        passed.closed_folder("lost+found".into());
        assert_eq!(
            passed.text().unwrap(),
            "2 without an ending, 2 .txt, 1 .mp4, 1 broken link, 2 links to folders that are read \
             already, 1 folder that may not be read (lost+found)"
        );
        for number in 0..10 {
            passed.file(Path::new(&format!("x.a{number}")));
        }
        let text = passed.text().unwrap();
        assert!(text.contains(", 1 .a5, 5 other files, "), "{text}");
    }
}
