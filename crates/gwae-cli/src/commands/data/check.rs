//! `gwae data check`.

use std::error::Error;
use std::process::ExitCode;

use gwae_datasets::{Verdict, check, dataset_directory};

use super::bar::DataBar;
use super::manifest_of;
use crate::arguments::Check;
use crate::terminal::print;

pub(super) fn run(arguments: &Check) -> Result<ExitCode, Box<dyn Error>> {
    let manifest = manifest_of(&arguments.name)?;
    let directory = dataset_directory(manifest, &arguments.dir)?;
    let mut bar = DataBar::default();
    let report = check(manifest, &directory, &mut |event| bar.update(&event));
    drop(bar);
    let report = report?;
    for file in &report.files {
        let optional = if file.optional { " (optional)" } else { "" };
        print(format!(
            "{}: {}{optional}",
            file.path.display(),
            file.status
        ));
    }
    let name = &manifest.name;
    let (code, verdict) = match report.verdict() {
        Verdict::Verified => (ExitCode::SUCCESS, "all files are as published".to_owned()),
        Verdict::Unverified => (
            ExitCode::SUCCESS,
            "all files are there; of some only the size is known".to_owned(),
        ),
        Verdict::Incomplete => (
            ExitCode::FAILURE,
            format!("files are missing: gwae data get {name} gets them"),
        ),
        Verdict::Wrong => (
            ExitCode::FAILURE,
            format!("files are not the published ones: gwae data get {name} --replace"),
        ),
    };
    print(format!("{name}: {verdict}"));
    Ok(code)
}
