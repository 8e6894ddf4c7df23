//! The directory of a run is removed, renamed or replaced while the run trains.

use std::fs;
use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::campaign::Campaign;
use crate::kinds::damaged_files::{copy_all, list};
use crate::program::wait;

pub const NAME: &str = "moved-runs";

pub fn case(campaign: &Campaign, number: u64, directory: &Path) -> Result<(), String> {
    let failed = |error: std::io::Error| format!("the case itself: {error}");
    let run = directory.join("run");
    let errors = directory.join("errors");
    let mut arguments = campaign.train(&run);
    arguments.extend(["--steps".into(), "100".into()]);
    let mut trainer = campaign
        .program
        .start(&arguments, &errors)
        .map_err(failed)?;
    let end = Instant::now() + Duration::from_secs(60);
    while !run.join("checkpoints/index.json").exists() && Instant::now() < end {
        sleep(Duration::from_millis(1));
    }
    let moved = directory.join("moved");
    let other = &campaign.undisturbed().directory;
    let what = [
        "removed",
        "renamed",
        "replaced by an empty directory",
        "replaced by another run",
    ][(number % 4) as usize];
    // A removal while files appear may have to be tried again, so the run is renamed first.
    let mut done = fs::rename(&run, &moved);
    if done.is_ok() {
        done = match number % 4 {
            0 => fs::remove_dir_all(&moved).or_else(|_| fs::remove_dir_all(&moved)),
            2 => fs::create_dir(&run),
            3 => copy_all(other, &run),
            _ => Ok(()),
        };
    }
    let ended = wait(&mut trainer, Instant::now() + Duration::from_secs(60));
    done.map_err(failed)?;
    let text = fs::read_to_string(&errors).unwrap_or_default();
    let last = text.lines().last().unwrap_or_default();
    if ended.2 || ended.0.is_none_or(|code| code == 0) || text.contains("bug in gwae") {
        return Err(format!("{what}: exit status {:?}; {last}", ended.0));
    }
    if number % 4 == 3 {
        let (mut expected, mut found) = (Vec::new(), Vec::new());
        list(other, &mut expected).map_err(failed)?;
        list(&run, &mut found).map_err(failed)?;
        let same = |path: &std::path::PathBuf| {
            let name = path.strip_prefix(other).unwrap_or(path);
            fs::read(path).ok() == fs::read(run.join(name)).ok()
        };
        if expected.len() != found.len() || !expected.iter().all(same) {
            return Err(format!("{what}: the other run was changed"));
        }
    }
    Ok(())
}
