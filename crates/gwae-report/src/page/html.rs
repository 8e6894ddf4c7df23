//! The markup and style of a page.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::{Content, Page, Picture, Section, Table, Term};

const STYLE: &str = include_str!("style.css");

pub(super) fn page(page: &Page) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (page.title) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                header {
                    h1 { (page.title) }
                    @if !page.subtitle.is_empty() { p { (page.subtitle) } }
                }
                main { @for section in &page.sections { (section_of(section)) } }
            }
        }
    }
}

fn section_of(section: &Section) -> Markup {
    html! {
        section {
            h2 { (section.heading) }
            @if !section.note.is_empty() { p { (section.note) } }
            @match &section.content {
                Content::Facts(facts) => dl {
                    @for fact in facts { div { dt { (fact.name) } dd { (fact.value) } } }
                },
                Content::Table(table) => (table_of(table)),
                Content::Pictures(pictures) => div class="pictures" {
                    @for picture in pictures { (figure(picture)) }
                },
                Content::Text(text) => pre tabindex="0" { (text) },
            }
        }
    }
}

fn table_of(table: &Table) -> Markup {
    html! {
        // A wide table scrolls in its own frame, also by keyboard.
        div class="scroll" tabindex="0" {
            table {
                thead {
                    tr { @for column in &table.columns { th scope="col" { (term(column)) } } }
                }
                tbody {
                    @for row in &table.rows {
                        tr {
                            th scope="row" { (term(&row.name)) }
                            @for cell in &row.cells { td { (cell) } }
                        }
                    }
                }
            }
        }
    }
}

fn term(term: &Term) -> Markup {
    html! {
        @if term.definition.is_empty() {
            (term.name)
        } @else {
            abbr title=(term.definition) tabindex="0" { (term.name) }
        }
    }
}

fn figure(picture: &Picture) -> Markup {
    let media_type = media_type(&picture.file).unwrap_or("image/png");
    let source = format!(
        "data:{media_type};base64,{}",
        STANDARD.encode(&picture.file)
    );
    html! {
        figure {
            img src=(source) alt=(picture.caption);
            figcaption { (picture.caption) }
        }
    }
}

/// The type of a picture by its first bytes.
pub(super) fn media_type(file: &[u8]) -> Option<&'static str> {
    if file.starts_with(b"\x89PNG\r\n\x1a\n") {
        Some("image/png")
    } else if file.starts_with(b"GIF8") {
        Some("image/gif")
    } else {
        None
    }
}
