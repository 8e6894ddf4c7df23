//! Damage to one file of a finished run, which is then used or continued.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use rand::RngExt;
use rand::seq::IndexedRandom;
use rand_chacha::ChaCha8Rng;

use crate::campaign::Campaign;
use crate::results::Results;
use crate::tiny_run::STEPS;

pub const NAME: &str = "damaged-files";

/// Files that people may edit. A changed value in them is not damage that anyone could notice.
const EDITABLE: [&str; 3] = ["config.toml", "run.json", "metrics.jsonl"];

pub fn case(campaign: &Campaign, number: u64, directory: &Path) -> Result<(), String> {
    let random = &mut campaign.random(NAME, number);
    let failed = |error: io::Error| format!("the case itself: {error}");
    let (right, damaged) = (directory.join("right"), directory.join("damaged"));
    for copy in [&right, &damaged] {
        copy_all(&campaign.undisturbed().directory, copy).map_err(failed)?;
    }
    let mut files = Vec::new();
    list(&damaged, &mut files).map_err(failed)?;
    files.sort();
    let file = files.choose(random).expect("a file");
    let name = file.file_name().unwrap_or_default().display().to_string();
    let damage = damage(file, random).map_err(failed)?;
    let resumes = random.random();
    let arguments = |run: &Path| -> Vec<String> {
        let run = run.display().to_string();
        match resumes {
            true => [
                "resume".into(),
                run,
                "--steps".into(),
                (STEPS + 2).to_string(),
            ]
            .into(),
            false => {
                let out = format!("{run}/drawn.png");
                ["sample", &run, "-n", "4", "--out", &out]
                    .map(String::from)
                    .into()
            }
        }
    };
    let outcome = campaign.program.run(&arguments(&damaged), directory);
    let verb = if resumes { "resume" } else { "sample" };
    let at = |problem: String| format!("{name} {damage}, {verb}: {problem}");
    outcome.check_messages().map_err(at)?;
    if outcome.code != Some(0) || EDITABLE.contains(&name.as_str()) {
        return Ok(());
    }
    let undamaged = campaign.program.run(&arguments(&right), directory);
    if undamaged.code != Some(0) {
        return Err(at(format!("the undamaged run: {undamaged}")));
    }
    if resumes {
        let right = Results::read(&right)?;
        Results::read(&damaged)
            .and_then(|found| right.compare(&found))
            .map_err(at)
    } else if fs::read(right.join("drawn.png")).ok() == fs::read(damaged.join("drawn.png")).ok() {
        Ok(())
    } else {
        Err(at("another picture without an error".into()))
    }
}

/// Damages a file and says how.
fn damage(file: &Path, random: &mut ChaCha8Rng) -> io::Result<&'static str> {
    let mut bytes = fs::read(file)?;
    let len = bytes.len();
    let done = match random.random_range(0..6) {
        0 | 1 if len > 0 => {
            for _ in 0..random.random_range(1..=4) {
                bytes[random.random_range(0..len)] ^= 1 << random.random_range(0..8);
            }
            "with flipped bits"
        }
        2 if len > 0 => {
            bytes.truncate(random.random_range(0..len));
            "cut"
        }
        3 => {
            bytes.clear();
            "emptied"
        }
        4 => {
            fs::remove_file(file)?;
            fs::create_dir(file)?;
            return Ok("replaced by a directory");
        }
        _ => {
            random.fill(&mut bytes[..]);
            "replaced by noise"
        }
    };
    fs::write(file, bytes)?;
    Ok(done)
}

/// Copies a directory.
pub fn copy_all(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_all(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}

/// Adds all files below a directory.
pub fn list(directory: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        if path.is_dir() {
            list(&path, files)?;
        } else {
            files.push(path);
        }
    }
    Ok(())
}
