//! `gwae data list`.

use std::error::Error;
use std::process::ExitCode;

use gwae_datasets::{Listed, Manifest, Presence, list};

use super::bytes_text;
use crate::arguments::List;
use crate::terminal::print;

/// The dataset inside the program: name, description, source.
const DIGITS: [&str; 3] = [
    "digits",
    "10,000 MNIST digits, 28x28 grey: 8,000 to train, 2,000 to test",
    "embedded in this program; CC BY-SA 3.0",
];

/// The same for sets that are not published.
const OURS: [[&str; 3]; 4] = [
    [
        "invented_characters",
        "4,000 drawings of 200 characters that do not exist, black on white, a stand-in for Omniglot",
        "rendered by this program",
    ],
    [
        "letters",
        "2,120 letters of a font, white on black, that look like no digit",
        "rendered by this program from DejaVu Sans",
    ],
    [
        "noise",
        "2,000 images of grey noise of five degrees of smoothness",
        "rendered by this program",
    ],
    [
        "folder",
        "any PNG, JPEG and WebP images of yours, in a folder or a zip archive",
        "subfolders are classes; gwae train config.toml --dataset folder --data PATH",
    ],
];

/// Width of the column of names.
const NAMES: usize = 20;

pub(super) fn run(arguments: &List) -> Result<ExitCode, Box<dyn Error>> {
    let entry = |lines: &[&str]| {
        for (number, line) in lines.iter().skip(1).enumerate() {
            let name = if number == 0 { lines[0] } else { "" };
            print(format!("{name:NAMES$}{line}"));
        }
    };
    entry(&DIGITS);
    for listed in list(Some(&arguments.dir))? {
        let manifest = listed.manifest;
        let mut lines = vec![&*manifest.name, &manifest.description];
        let (source, there) = (source(manifest), there(&listed));
        lines.extend([&*source, &there]);
        if matches!(&*manifest.name, "shapes3d" | "dsprites") {
            lines.push("rendered by this program without any files: the same grid, very close");
        }
        entry(&lines);
    }
    for ours in &OURS {
        entry(ours);
    }
    Ok(ExitCode::SUCCESS)
}

/// `11.6 MB from https://…; CC BY-SA 3.0`.
fn source(manifest: &Manifest) -> String {
    let size = match manifest.bytes() {
        Some(bytes) => bytes_text(bytes),
        None => "size not published".to_owned(),
    };
    let by_hand = match manifest.manual {
        Some(_) => " (by hand)",
        None => "",
    };
    format!(
        "{size} from {}{by_hand}; {}",
        manifest.homepage, manifest.licence
    )
}

fn there(listed: &Listed) -> String {
    match &listed.presence {
        Presence::NotAsked => String::new(),
        Presence::Absent => format!("not there: gwae data get {}", listed.manifest.name),
        Presence::Partial {
            directory,
            there,
            needed,
        } => format!("{there} of {needed} files are in {}", directory.display()),
        Presence::Usable { directory, files } => format!(
            "usable with {}, in {}; gwae data get {} gets the whole set",
            files.join(" and "),
            directory.display(),
            listed.manifest.name
        ),
        Presence::Present { directory } => format!("there, in {}", directory.display()),
    }
}
