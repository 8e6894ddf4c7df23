//! Any text as a manifest of a dataset: an error, or a manifest whose files can be searched for.
#![no_main]

use std::path::PathBuf;
use std::sync::LazyLock;

use gwae_datasets::{Manifest, check};
use gwae_datasets_fuzz::{check_message, scratch_directory};
use libfuzzer_sys::fuzz_target;

static DIRECTORY: LazyLock<PathBuf> = LazyLock::new(scratch_directory);

fuzz_target!(|text: &str| {
    let manifest = match Manifest::parse("manifest.toml", text) {
        Ok(manifest) => manifest,
        Err(error) => return check_message(&error),
    };
    let _ = manifest.bytes();
    for form in manifest.files.iter().flat_map(|file| file.forms()) {
        // Names are joined to the user's directory.
        let path = DIRECTORY.join(&form.name);
        assert_eq!(path.parent(), Some(DIRECTORY.as_path()));
        assert_eq!(path.file_name(), Some(form.name.as_ref()));
    }
    match check(&manifest, &DIRECTORY, &mut |_| {}) {
        Ok(report) => assert!(report.files.len() >= manifest.files.len()),
        Err(error) => check_message(&error),
    }
});
