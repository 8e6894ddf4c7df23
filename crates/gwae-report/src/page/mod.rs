//! A report as one HTML file: tables, facts and pictures, without scripts and without other files.

mod html;

use std::path::Path;

use gwae_formats::atomic::write_atomically;
use image::RgbImage;

use crate::error::ReportError;
use crate::png_file;

/// A page of sections under a title.
///
/// The file stands alone: pictures are inside it, and nothing is loaded from the network. It follows the
/// reader's choice of a light or dark background, and fits screens from 320 pixels on.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Page {
    /// The title, such as the name of the run.
    pub title: String,
    /// A line under the title.
    pub subtitle: String,
    /// The sections, from top to bottom.
    pub sections: Vec<Section>,
}

/// A part of a page under its own heading.
#[derive(Clone, Debug, PartialEq)]
pub struct Section {
    /// The heading.
    pub heading: String,
    /// What the reader sees here, in a sentence or two. May be empty.
    pub note: String,
    /// The content.
    pub content: Content,
}

impl Section {
    /// A section of this content.
    pub fn new(heading: impl Into<String>, note: impl Into<String>, content: Content) -> Self {
        Self {
            heading: heading.into(),
            note: note.into(),
            content,
        }
    }
}

/// What a section shows.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Content {
    /// Names with values, such as versions and times.
    Facts(Vec<Fact>),
    /// A table.
    Table(Table),
    /// Pictures with captions.
    Pictures(Vec<Picture>),
    /// Text with its own line breaks, such as a configuration file.
    Text(String),
}

/// A name with its value.
#[derive(Clone, Debug, PartialEq)]
pub struct Fact {
    /// The name.
    pub name: String,
    /// The value.
    pub value: String,
}

/// A table with a heading in every column and row.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Table {
    /// The columns, the one with the names of the rows first.
    pub columns: Vec<Term>,
    /// The rows.
    pub rows: Vec<Row>,
}

/// A row of a [`Table`].
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// The name of the row.
    pub name: Term,
    /// The other cells, one for each column after the first.
    pub cells: Vec<String>,
}

/// A word with its definition, which the page shows while the pointer is on the word.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Term {
    /// The word.
    pub name: String,
    /// Its definition; empty for a word that needs none.
    pub definition: String,
}

impl Term {
    /// A word with its definition.
    pub fn new(name: impl Into<String>, definition: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            definition: definition.into(),
        }
    }
}

impl From<&str> for Term {
    fn from(name: &str) -> Self {
        Self::new(name, "")
    }
}

/// A picture with its caption.
#[derive(Clone, Debug, PartialEq)]
pub struct Picture {
    /// The caption.
    pub caption: String,
    /// The PNG or GIF file.
    pub file: Vec<u8>,
}

impl Picture {
    /// A drawn picture with its caption.
    ///
    /// # Errors
    /// When the picture cannot be encoded.
    pub fn of(picture: &RgbImage, caption: &str) -> Result<Self, ReportError> {
        Ok(Self {
            caption: caption.to_owned(),
            file: png_file::encode(picture)?,
        })
    }
}

impl Page {
    /// The whole page.
    ///
    /// # Errors
    /// A row with more or fewer cells than the table has columns; a picture that is neither PNG nor GIF.
    pub fn render(&self) -> Result<String, ReportError> {
        self.check()?;
        Ok(html::page(self).into_string())
    }

    /// Writes the page to `path`, atomically.
    ///
    /// # Errors
    /// As [`Self::render`], and when the file cannot be written.
    pub fn save(&self, path: &Path) -> Result<(), ReportError> {
        Ok(write_atomically(path, self.render()?.as_bytes())?)
    }

    fn check(&self) -> Result<(), ReportError> {
        for section in &self.sections {
            match &section.content {
                Content::Table(table) => {
                    for row in &table.rows {
                        if row.cells.len() + 1 != table.columns.len() {
                            return Err(ReportError::Cells {
                                row: row.name.name.clone(),
                                cells: row.cells.len() + 1,
                                columns: table.columns.len(),
                            });
                        }
                    }
                }
                Content::Pictures(pictures) => {
                    for picture in pictures {
                        if html::media_type(&picture.file).is_none() {
                            let caption = picture.caption.clone();
                            return Err(ReportError::PictureFormat { caption });
                        }
                    }
                }
                Content::Facts(_) | Content::Text(_) => {}
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PNG: &[u8] = b"\x89PNG\r\n\x1a\nrest";

    fn page(content: Content) -> Page {
        Page {
            title: "a run".into(),
            subtitle: "of <today>".into(),
            sections: vec![Section {
                heading: "Part".into(),
                note: "A note.".into(),
                content,
            }],
        }
    }

    fn table(cells: Vec<String>) -> Content {
        Content::Table(Table {
            columns: vec!["loss".into(), Term::new("last", "the \"newest\" value")],
            rows: vec![Row {
                name: Term::new("gw", "distances of pairs"),
                cells,
            }],
        })
    }

    #[test]
    fn text_cannot_become_markup() {
        let text = page(Content::Text("<script>alert(1)</script> & more".into()));
        let html = text.render().unwrap();
        assert!(html.contains("&lt;script&gt;alert(1)&lt;/script&gt; &amp; more"));
        assert!(html.contains("of &lt;today&gt;"));
        assert!(!html.contains("<script"));
    }

    #[test]
    fn a_table_has_headings_and_definitions() {
        let html = page(table(vec!["0.25".into()])).render().unwrap();
        assert!(html.contains(r#"<abbr title="distances of pairs" tabindex="0">gw</abbr>"#));
        assert!(html.contains("the &quot;newest&quot; value"));
        assert!(html.contains(r#"<th scope="row">"#));
        assert!(html.contains("<td>0.25</td>"));
    }

    #[test]
    fn a_row_of_the_wrong_length_is_refused() {
        let error = page(table(vec![])).render().unwrap_err().to_string();
        assert!(error.contains("`gw` has 1 cells"), "{error}");
    }

    #[test]
    fn pictures_are_inside_the_page() {
        let picture = |file: &[u8]| {
            page(Content::Pictures(vec![Picture {
                caption: "samples".into(),
                file: file.to_vec(),
            }]))
        };
        let html = picture(PNG).render().unwrap();
        assert!(html.contains(r#"src="data:image/png;base64,iVBORw0KGgpyZXN0""#));
        assert!(html.contains(r#"alt="samples""#));
        let html = picture(b"GIF89a").render().unwrap();
        assert!(html.contains("data:image/gif;base64,"));
        let error = picture(b"text").render().unwrap_err().to_string();
        assert!(error.contains("`samples`"), "{error}");
    }

    #[test]
    fn nothing_comes_from_elsewhere() {
        let html = page(table(vec!["1".into()])).render().unwrap();
        assert!(!html.contains("http://") && !html.contains("https://") && !html.contains("<link"));
    }

    #[test]
    fn a_page_is_saved() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("report.html");
        let page = page(table(vec!["1".into()]));
        page.save(&path).unwrap();
        assert_eq!(
            std::fs::read_to_string(path).unwrap(),
            page.render().unwrap()
        );
    }
}
