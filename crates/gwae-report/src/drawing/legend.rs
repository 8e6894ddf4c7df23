//! Legends, which name lines, fills and marks: in rows above the plots, or in a column beside one.

use plotters::prelude::*;

use super::canvas::{Canvas, MARGIN, OVERSAMPLING, SOFT_TEXT, TEXT, left_of, scaled, stroke, text};
use super::font::text_width;
use super::labels::{fitted, wrapped};
use super::lines::Pen;
use super::palette::Mark;

/// Height in pixels of the letters, and of a line of letters.
const NAME: u32 = 15;
const NOTE: u32 = 14;
const LINE: u32 = 19;

/// Length of a line's sample, and the space after it.
const SAMPLE: u32 = 28;
const AFTER_SAMPLE: u32 = 8;

/// Space between entries of a row, and of a column.
const BETWEEN: u32 = 26;
const BELOW: u32 = 8;

/// Largest width of a name in a row, in pixels.
const ROW_NAME: u32 = 560;

/// Largest number of lines of a name in a column.
const NAME_LINES: usize = 3;

/// The sample beside a name.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Key {
    Line { pen: Pen },
    Fill { colour: RGBColor, opacity: f64 },
    Mark { colour: RGBColor, mark: Mark },
}

/// A line of a legend.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) name: String,
    /// A second line in a lighter colour; empty for none.
    pub(crate) note: String,
    pub(crate) key: Key,
}

impl Entry {
    /// An entry without a second line.
    pub(crate) fn new(name: &str, key: Key) -> Self {
        Self {
            name: name.to_owned(),
            note: String::new(),
            key,
        }
    }
}

/// The different names, in the order of their first occurrence.
pub(crate) fn distinct<'a>(names: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let mut distinct = Vec::new();
    for name in names {
        if !distinct.contains(&name) {
            distinct.push(name);
        }
    }
    distinct
}

/// The index of a name among the different ones.
pub(crate) fn place_of(name: &str, names: &[&str]) -> usize {
    let place = names.iter().position(|other| *other == name);
    place.unwrap_or_default()
}

/// Entries side by side, in as many rows as necessary.
pub(crate) struct Row {
    /// Left edge and row of each entry.
    places: Vec<(Entry, i32, u32)>,
    rows: u32,
}

impl Row {
    /// A legend for a picture of `width` pixels.
    pub(crate) fn new(entries: Vec<Entry>, width: u32) -> Self {
        let end = scaled(width - MARGIN);
        let (mut left, mut row) = (scaled(MARGIN), 0);
        let mut places = Vec::new();
        for mut entry in entries {
            entry.name = fitted(&entry.name, scaled(NAME), scaled(ROW_NAME));
            let name = text_width(&entry.name, scaled(NAME)) as i32;
            let size = scaled(SAMPLE + AFTER_SAMPLE) + name;
            if left + size > end && left > scaled(MARGIN) {
                left = scaled(MARGIN);
                row += 1;
            }
            places.push((entry, left, row));
            left += size + scaled(BETWEEN);
        }
        let rows = if places.is_empty() { 0 } else { row + 1 };
        Self { places, rows }
    }

    /// Its height in pixels, including a small space below.
    pub(crate) fn height(&self) -> u32 {
        self.rows * (LINE + 4) + BELOW
    }

    /// Draws the legend at the upper edge of `area`.
    pub(crate) fn draw(&self, area: &Canvas<'_>) -> Result<(), String> {
        for (entry, left, row) in &self.places {
            let middle = scaled(row * (LINE + 4)) + scaled(LINE) / 2;
            draw_key(area, entry.key, (*left, middle))?;
            let place = (left + scaled(SAMPLE + AFTER_SAMPLE), middle);
            area.draw_text(&entry.name, &left_of(NAME, TEXT), place)
                .map_err(text)?;
        }
        Ok(())
    }
}

/// Entries below each other, with long names broken into lines.
pub(crate) struct Column {
    entries: Vec<(Key, Vec<String>, Option<String>)>,
}

impl Column {
    /// A legend of at most `width` pixels.
    pub(crate) fn new(entries: Vec<Entry>, width: u32) -> Self {
        let room = scaled(width - SAMPLE - AFTER_SAMPLE);
        let entries = entries.into_iter().map(|entry| {
            let name = wrapped(&entry.name, scaled(NAME), room, NAME_LINES);
            let note = fitted(&entry.note, scaled(NOTE), room);
            (entry.key, name, (!note.is_empty()).then_some(note))
        });
        Self {
            entries: entries.collect(),
        }
    }

    /// Its width in pixels.
    pub(crate) fn width(&self) -> u32 {
        let names = self.entries.iter().flat_map(|(_, name, _)| name);
        let names = names.map(|line| text_width(line, scaled(NAME)));
        let notes = self.entries.iter().flat_map(|(_, _, note)| note);
        let notes = notes.map(|line| text_width(line, scaled(NOTE)));
        let widest = names.chain(notes).max().unwrap_or_default() as u32;
        SAMPLE + AFTER_SAMPLE + widest.div_ceil(OVERSAMPLING)
    }

    /// Its height in pixels.
    pub(crate) fn height(&self) -> u32 {
        self.entries.iter().map(entry_height).sum()
    }

    /// Draws the legend at the left edge of `area`, from `top` pixels of the finished picture on.
    pub(crate) fn draw(&self, area: &Canvas<'_>, top: u32) -> Result<(), String> {
        let mut entry_top = top;
        for entry in &self.entries {
            let (key, name, note) = entry;
            let middle = |line: usize| scaled(entry_top + line as u32 * LINE) + scaled(LINE) / 2;
            draw_key(area, *key, (0, middle(0)))?;
            let names = name.iter().map(|line| (line, left_of(NAME, TEXT)));
            let notes = note.iter().map(|line| (line, left_of(NOTE, SOFT_TEXT)));
            for (number, (line, style)) in names.chain(notes).enumerate() {
                let place = (scaled(SAMPLE + AFTER_SAMPLE), middle(number));
                area.draw_text(line, &style, place).map_err(text)?;
            }
            entry_top += entry_height(entry);
        }
        Ok(())
    }
}

fn entry_height((_, name, note): &(Key, Vec<String>, Option<String>)) -> u32 {
    let lines = (name.len() + usize::from(note.is_some())).max(1);
    lines as u32 * LINE + BELOW
}

/// Draws the sample of an entry, starting at `left`.
fn draw_key(area: &Canvas<'_>, key: Key, (left, middle): (i32, i32)) -> Result<(), String> {
    // The plotting library draws words slightly too high.
    let middle = middle - scaled(2);
    let ends = [(left, middle), (left + scaled(SAMPLE), middle)];
    match key {
        Key::Line { pen } => {
            let ends = ends.map(|(x, y)| (f64::from(x), f64::from(y)));
            pen.draw(area, &ends)
        }
        Key::Fill { colour, opacity } => {
            let corners = [
                (left + scaled(6), middle - scaled(6)),
                (left + scaled(SAMPLE), middle + scaled(6)),
            ];
            for style in [colour.mix(opacity).filled(), stroke(colour, 1)] {
                area.draw(&Rectangle::new(corners, style)).map_err(text)?;
            }
            Ok(())
        }
        Key::Mark { colour, mark } => {
            let place = (f64::from(left + scaled(SAMPLE) / 2), f64::from(middle));
            let radius = 5.0 * f64::from(OVERSAMPLING);
            mark.draw(area, place, radius, colour, 1.0)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(name: &str) -> Entry {
        let pen = Pen::solid(BLACK, 2);
        Entry::new(name, Key::Line { pen })
    }

    #[test]
    fn rows_break_where_the_picture_ends() {
        assert_eq!(Row::new(Vec::new(), 1200).rows, 0);
        assert_eq!(Row::new(vec![entry("one"), entry("two")], 1200).rows, 1);
        let long = "a name that nobody would like to read in a legend of a picture";
        let row = Row::new(vec![entry(long); 7], 1200);
        assert_eq!(row.rows, 4);
        for (entry, left, _) in &row.places {
            let right = left + scaled(36) + text_width(&entry.name, scaled(NAME)) as i32;
            assert!(*left >= scaled(MARGIN) && right <= scaled(1200 - MARGIN));
        }
        // Even one entry does not fit, so it stands alone.
        assert_eq!(Row::new(vec![entry(long); 2], 100).rows, 2);
    }

    #[test]
    fn columns_break_long_names() {
        let heights = ["short", "a name that is too long for one line", ""];
        let heights = heights.map(|name| Column::new(vec![entry(name)], 200).height());
        assert_eq!(heights, [LINE + BELOW, 2 * LINE + BELOW, LINE + BELOW]);
        let noted = Entry {
            note: "AUC 0.5".to_owned(),
            ..entry("short")
        };
        assert_eq!(Column::new(vec![noted], 200).height(), 2 * LINE + BELOW);
    }

    #[test]
    fn names_come_once() {
        let names = ["b", "a", "b", "c", "a"];
        assert_eq!(distinct(names.into_iter()), ["b", "a", "c"]);
    }
}
