//! The pictures of a run directory.

use std::fs;
use std::io;
use std::path::Path;

use gwae_formats::atomic::FileError;
use gwae_report::{Content, Picture, Section};

/// Files with their captions, in the order of the page. Files that are not there are left out.
const PICTURES: [(&str, &[(&str, &str)]); 3] = [
    (
        "Pictures",
        &[
            ("reconstructions.png", "images above their reconstructions"),
            ("samples.png", "samples of the prior"),
            ("traversal.png", "one latent entry per row"),
            ("components.png", "samples of every component of the prior"),
        ],
    ),
    (
        "Groups",
        &[
            ("embedding.png", "the codes in the plane"),
            ("component_samples.png", "samples of every group"),
        ],
    ),
    (
        "Training",
        &[
            ("losses.png", "every loss over the steps"),
            ("samples_animated.png", "samples over training"),
        ],
    ),
];

pub(super) fn sections(directory: &Path) -> Result<Vec<Section>, FileError> {
    let mut sections = Vec::new();
    for (heading, files) in PICTURES {
        let mut pictures = Vec::new();
        for (file, caption) in files {
            let path = directory.join(file);
            match fs::read(&path) {
                Ok(file) => pictures.push(Picture {
                    caption: (*caption).to_owned(),
                    file,
                }),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(FileError::on("read", path)(error)),
            }
        }
        if !pictures.is_empty() {
            sections.push(Section::new(heading, "", Content::Pictures(pictures)));
        }
    }
    Ok(sections)
}
