//! Any bytes as the record beside a partial download: the values read from it can be sent.
#![no_main]

use std::path::PathBuf;
use std::sync::LazyLock;

use gwae_datasets::fuzzing::recorded_validator;
use gwae_datasets_fuzz::scratch_directory;
use libfuzzer_sys::fuzz_target;

const URL: &str = "https://example.org/file";

static TARGET: LazyLock<PathBuf> = LazyLock::new(|| {
    let target = scratch_directory().join("file");
    std::fs::write(target.with_extension("part"), "some bytes").expect("a temporary file");
    target
});

fuzz_target!(|bytes: &[u8]| {
    std::fs::write(TARGET.with_extension("part.from"), bytes).expect("a temporary file");
    let validator = recorded_validator(&TARGET, URL).expect("a record that does not matter");
    if let Some(validator) = validator {
        // The value of a header (RFC 9110, section 5.5), without bytes that few servers expect.
        let sendable = |byte: u8| byte == b'\t' || (b' '..=b'~').contains(&byte);
        assert!(!validator.is_empty() && validator.bytes().all(sendable));
    }
});
