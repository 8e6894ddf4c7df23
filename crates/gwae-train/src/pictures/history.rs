//! The pictures of earlier validations, in a folder each.
//!
//! `pictures/step-000500` has those of step 500. A folder is filled under a temporary name and then
//! renamed, so that one with its final name is complete.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use gwae_formats::atomic::FileError;
use gwae_formats::partial::with_suffix;

const FOLDER: &str = "pictures";

/// A picture of a few samples, one frame of the animation.
const FRAME: &str = "frame.png";

/// What the name of a folder ends with while it is filled, and while it is removed.
const UNFINISHED: &str = ".new.tmp";
const REMOVED: &str = ".old.tmp";

/// The kept pictures of a run.
pub(super) struct History {
    root: PathBuf,
    most: usize,
}

impl History {
    /// The pictures in the run directory `run`, of at most `most` steps.
    pub(super) fn of(run: &Path, most: usize) -> Self {
        let root = run.join(FOLDER);
        Self { root, most }
    }

    /// Whether nothing is missing for this step.
    pub(super) fn has(&self, step: u64) -> bool {
        self.most == 0 || self.folder(step).exists()
    }

    /// Keeps copies of the pictures `names`, which are in the run directory. `frame` draws the
    /// frame of the animation into a file. Then removes folders until their number is right; those
    /// that stay are spread evenly.
    pub(super) fn keep<E: From<FileError>>(
        &self,
        step: u64,
        names: &[&str],
        frame: impl FnOnce(&Path) -> Result<(), E>,
    ) -> Result<(), E> {
        if self.most == 0 {
            return Ok(());
        }
        let folder = self.folder(step);
        let unfinished = with_suffix(&folder, UNFINISHED);
        // The run directory above must exist: if it was removed, it is not made anew.
        match fs::create_dir(&self.root) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
                return Err(FileError::on("create", &self.root)(error).into());
            }
            _ => {}
        }
        self.remove_unfinished()?;
        fs::create_dir(&unfinished).map_err(FileError::on("create", &unfinished))?;
        for name in names {
            let latest = self.root.with_file_name(name);
            let copied = fs::copy(&latest, unfinished.join(name));
            copied.map_err(FileError::on("copy", &latest))?;
        }
        frame(&unfinished.join(FRAME))?;
        if folder.exists() {
            remove(&folder)?;
        }
        fs::rename(&unfinished, &folder).map_err(FileError::on("rename", &unfinished))?;
        Ok(self.thin()?)
    }

    /// Removes the pictures of the steps after `step`, which a resumed run does again.
    pub(super) fn forget_after(&self, step: u64) -> Result<(), FileError> {
        let folders = self.folders().into_iter();
        let later = folders.filter(|(of_step, _)| *of_step > step);
        later
            .into_iter()
            .try_for_each(|(_, folder)| remove(&folder))
    }

    /// The frames of the animation, in order.
    pub(super) fn frames(&self) -> Vec<PathBuf> {
        let frames = self.folders().into_iter();
        let frames = frames.map(|(_, folder)| folder.join(FRAME));
        frames.filter(|frame| frame.is_file()).collect()
    }

    fn folder(&self, step: u64) -> PathBuf {
        self.root.join(format!("step-{step:06}"))
    }

    /// Every finished folder with its step, in order of the steps.
    fn folders(&self) -> Vec<(u64, PathBuf)> {
        let entries = fs::read_dir(&self.root).into_iter().flatten().flatten();
        let mut folders: Vec<_> = entries
            .filter_map(|entry| Some((step_of(entry.file_name().to_str()?)?, entry.path())))
            .collect();
        folders.sort_unstable();
        folders
    }

    /// Removes folders in between, always the one that leaves the smallest gap. The first and the
    /// last stay.
    fn thin(&self) -> Result<(), FileError> {
        let mut folders = self.folders();
        while folders.len() > self.most {
            let gap = |place: &usize| folders[place + 1].0 - folders[place - 1].0;
            let between = 1..folders.len() - 1;
            // With room for one only, the last stays.
            let place = between.min_by_key(gap).unwrap_or(0);
            remove(&folders.remove(place).1)?;
        }
        Ok(())
    }

    /// Removes what a killed process left.
    fn remove_unfinished(&self) -> Result<(), FileError> {
        let entries = fs::read_dir(&self.root).into_iter().flatten().flatten();
        for entry in entries {
            let name = entry.file_name();
            let is_of = |ending| {
                let folder = name.to_str().and_then(|name| name.strip_suffix(ending));
                folder.and_then(step_of).is_some()
            };
            if is_of(UNFINISHED) || is_of(REMOVED) {
                remove_all(&entry.path())?;
            }
        }
        Ok(())
    }
}

/// The step in the name of a finished folder; `None` for what a user put there.
fn step_of(name: &str) -> Option<u64> {
    let step = name.strip_prefix("step-")?;
    let is_number = step.len() >= 6 && step.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| step.parse().ok())?
}

/// Removes a folder so that it never has its name without all its pictures.
fn remove(folder: &Path) -> Result<(), FileError> {
    let removed = with_suffix(folder, REMOVED);
    remove_all(&removed)?;
    fs::rename(folder, &removed).map_err(FileError::on("remove", folder))?;
    remove_all(&removed)
}

fn remove_all(folder: &Path) -> Result<(), FileError> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(FileError::on("remove", folder)(error))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keep(run: &Path, most: usize, step: u64) {
        fs::write(run.join("samples.png"), step.to_string()).unwrap();
        let frame = |path: &Path| fs::write(path, "frame").map_err(FileError::on("write", path));
        let kept = History::of(run, most).keep(step, &["samples.png"], frame);
        kept.unwrap();
    }

    fn steps(run: &Path) -> Vec<u64> {
        let folders = History::of(run, 1).folders();
        folders.into_iter().map(|(step, _)| step).collect()
    }

    #[test]
    fn the_pictures_of_every_step_are_kept() {
        let run = tempfile::tempdir().unwrap();
        let run = run.path();
        for step in [100, 200, 1_000_000] {
            keep(run, 9, step);
        }
        assert_eq!(steps(run), [100, 200, 1_000_000]);
        let of = |step: &str| fs::read_to_string(run.join("pictures").join(step)).unwrap();
        assert_eq!(of("step-000100/samples.png"), "100");
        assert_eq!(of("step-1000000/samples.png"), "1000000");
        assert_eq!(of("step-000200/frame.png"), "frame");
        assert_eq!(History::of(run, 9).frames().len(), 3);
        // The same step again replaces its pictures.
        keep(run, 9, 200);
        assert_eq!(steps(run), [100, 200, 1_000_000]);
        assert!(History::of(run, 9).has(200) && !History::of(run, 9).has(300));
    }

    #[test]
    fn those_that_stay_are_spread_evenly() {
        let run = tempfile::tempdir().unwrap();
        let run = run.path();
        for step in 1..=64 {
            keep(run, 5, step * 10);
            let steps = steps(run);
            assert!(steps.len() <= 5 && steps[0] == 10, "{steps:?}");
            assert_eq!(steps[steps.len() - 1], step * 10);
            let gaps: Vec<u64> = steps.windows(2).map(|pair| pair[1] - pair[0]).collect();
            let widest = gaps.iter().max().copied().unwrap_or(0);
            assert!(widest <= 10 + step * 10 / 2, "{steps:?}");
        }
        keep(run, 1, 700);
        assert_eq!(steps(run), [700]);
        keep(run, 0, 800);
        assert_eq!(steps(run), [700]);
        assert!(History::of(run, 0).has(800));
    }

    #[test]
    fn steps_that_are_done_again_are_forgotten() {
        let run = tempfile::tempdir().unwrap();
        let run = run.path();
        for step in [100, 200, 300] {
            keep(run, 9, step);
        }
        History::of(run, 9).forget_after(200).unwrap();
        assert_eq!(steps(run), [100, 200]);
        History::of(run, 9).forget_after(0).unwrap();
        assert!(steps(run).is_empty());
        let nowhere = History::of(&run.join("none"), 9);
        nowhere.forget_after(0).unwrap();
    }

    #[test]
    fn what_a_killed_process_left_is_removed_and_what_a_user_put_there_stays() {
        let run = tempfile::tempdir().unwrap();
        let run = run.path();
        let pictures = run.join("pictures");
        for name in [
            "step-000100.new.tmp",
            "step-000300.old.tmp",
            "step-000100-mine",
            "step-7",
        ] {
            fs::create_dir_all(pictures.join(name)).unwrap();
            fs::write(pictures.join(name).join("half"), "").unwrap();
        }
        assert!(steps(run).is_empty() && History::of(run, 9).frames().is_empty());
        keep(run, 9, 100);
        keep(run, 1, 200);
        assert_eq!(steps(run), [200]);
        let mut left: Vec<_> = fs::read_dir(&pictures)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        left.sort();
        assert_eq!(left, ["step-000100-mine", "step-000200", "step-7"]);
    }
}
