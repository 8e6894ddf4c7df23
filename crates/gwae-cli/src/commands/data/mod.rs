//! `gwae data`: one file per command.

mod bar;
mod check;
mod get;
mod list;
mod show;

use std::error::Error;
use std::process::ExitCode;

use gwae_datasets::{Manifest, manifest};

use crate::arguments::DataCommand;

pub(super) fn run(command: &DataCommand) -> Result<ExitCode, Box<dyn Error>> {
    match command {
        DataCommand::List(arguments) => list::run(arguments),
        DataCommand::Get(arguments) => get::run(arguments),
        DataCommand::Check(arguments) => check::run(arguments),
        DataCommand::Show(arguments) => show::run(arguments),
    }
}

/// The manifest of a dataset.
fn manifest_of(name: &str) -> Result<&'static Manifest, Box<dyn Error>> {
    match name {
        "digits" => Err("digits: embedded in this program, so there are no files".into()),
        "folder" => Err("folder: your own images, so nothing is known about them; `gwae data check folder --data \
             PATH` reads all of them"
            .into()),
        _ => Ok(manifest(name)?),
    }
}

/// Formats as `5.9 GB`, in powers of ten, as usual for networks and disks.
fn bytes_text(bytes: u64) -> String {
    let number = bytes as f64;
    match bytes {
        0..1_000 => format!("{bytes} bytes"),
        1_000..1_000_000 => format!("{:.1} kB", number / 1e3),
        1_000_000..1_000_000_000 => format!("{:.1} MB", number / 1e6),
        _ => format!("{:.1} GB", number / 1e9),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_short() {
        for (bytes, text) in [
            (12, "12 bytes"),
            (4_542, "4.5 kB"),
            (9_912_422, "9.9 MB"),
            (1_443_490_838, "1.4 GB"),
        ] {
            assert_eq!(bytes_text(bytes), text);
        }
    }

    #[test]
    fn names_of_configurations_find_their_manifest() {
        assert_eq!(manifest_of("fashion_mnist").unwrap().name, "fashion-mnist");
        for (name, part) in [
            ("digits", "embedded"),
            ("folder", "your own"),
            ("imagenet", "use one of mnist"),
        ] {
            let message = manifest_of(name).unwrap_err().to_string();
            assert!(message.contains(part), "{message}");
        }
    }
}
