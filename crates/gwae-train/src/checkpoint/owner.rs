//! The run that checkpoints belong to.

use std::fs;
use std::path::Path;

use gwae_formats::atomic::FileError;

/// The file of a checkpoint that holds the identity of its run.
pub(super) const IDENTITY: &str = "run.txt";

/// Whose checkpoints a store takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Owner {
    /// Those of every run.
    Any,
    /// Those of the run with this identity, and those without one, which earlier versions wrote.
    /// `None` is a run that an earlier version began.
    Run(Option<String>),
}

impl Owner {
    /// Puts the identity into the directory of a new checkpoint.
    pub(super) fn mark(&self, directory: &Path) -> Result<(), FileError> {
        let Self::Run(Some(identity)) = self else {
            return Ok(());
        };
        let path = directory.join(IDENTITY);
        fs::write(&path, format!("{identity}\n")).map_err(FileError::on("write", path))
    }

    /// Whether the store has to know whose a checkpoint is.
    pub(super) fn asks(&self) -> bool {
        matches!(self, Self::Run(_))
    }

    /// Checks what the file [`IDENTITY`] holds; otherwise says whose checkpoint it is.
    pub(super) fn check(&self, found: &[u8]) -> Result<(), String> {
        let Self::Run(expected) = self else {
            return Ok(());
        };
        let found = found.trim_ascii();
        match expected {
            Some(expected) if expected.as_bytes() == found => Ok(()),
            Some(expected) => Err(format!(
                "its identity is {}…, that of this run {}…",
                start(found),
                start(expected.as_bytes())
            )),
            None => Err(format!(
                "its identity is {}…, and this run has none in its run.json",
                start(found)
            )),
        }
    }
}

/// The start of an identity, enough to tell runs apart.
fn start(identity: &[u8]) -> String {
    let text = String::from_utf8_lossy(identity);
    text.chars().take(12).flat_map(char::escape_debug).collect()
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::io;
    use std::path::Path;

    use super::super::{CheckpointError, CheckpointStore, KeepAs, Which};
    use super::*;

    fn store(root: &Path, identity: Option<&str>) -> CheckpointStore {
        let store = CheckpointStore::open(root).unwrap();
        store.of_run(identity.map(str::to_owned))
    }

    fn save(store: &mut CheckpointStore, step: u64, keep: KeepAs) {
        let write = |directory: &Path| fs::write(directory.join("model.bpk"), "weights");
        store.save::<io::Error>(step, keep, write).unwrap();
    }

    #[test]
    fn checkpoints_of_another_run_are_refused_by_name() {
        let root = tempfile::tempdir().unwrap();
        save(&mut store(root.path(), Some("aaaa")), 5, KeepAs::Last);
        store(root.path(), Some("aaaa")).read(Which::Last).unwrap();
        // Also when the index was lost.
        for _ in 0..2 {
            for other in [Some("bbbb"), None] {
                let error = store(root.path(), other).read(Which::Last).unwrap_err();
                assert!(matches!(error, CheckpointError::OtherRun { .. }));
                let message = error.to_string();
                assert!(message.contains("step-00000005"), "{message}");
                assert!(message.contains("is a checkpoint of another run"));
                assert!(message.contains("identity is aaaa…"), "{message}");
                assert!(!message.contains('\n'));
            }
            let _ = fs::remove_file(root.path().join("index.json"));
        }
        // A store that was not told the run takes any.
        let mut any = CheckpointStore::open(root.path()).unwrap();
        any.read(Which::Last).unwrap();
    }

    #[test]
    fn the_runs_own_checkpoint_is_offered_instead() {
        let root = tempfile::tempdir().unwrap();
        let best = KeepAs::LastAndBest { monitored: 1.0 };
        save(&mut store(root.path(), Some("aaaa")), 5, best);
        save(&mut store(root.path(), Some("bbbb")), 6, KeepAs::Last);
        let mut own = store(root.path(), Some("aaaa"));
        let message = own.read(Which::Last).unwrap_err().to_string();
        assert!(message.ends_with("(--checkpoint best)"), "{message}");
        own.read(Which::Best).unwrap();
    }

    #[test]
    fn checkpoints_without_an_identity_are_taken() {
        let root = tempfile::tempdir().unwrap();
        save(&mut store(root.path(), None), 5, KeepAs::Last);
        let step = root.path().join("step-00000005");
        assert_eq!(fs::read_dir(step).unwrap().count(), 1);
        for identity in [None, Some("aaaa")] {
            store(root.path(), identity).read(Which::Last).unwrap();
        }
    }

    #[test]
    fn a_long_or_binary_identity_stays_one_line() {
        let owner = Owner::Run(Some("aaaa".into()));
        let message = owner.check(&[b'\n', b'x', b'\n', 0xff, 7].repeat(999));
        let message = message.unwrap_err();
        assert!(!message.contains('\n') && message.len() < 200, "{message}");
    }
}
