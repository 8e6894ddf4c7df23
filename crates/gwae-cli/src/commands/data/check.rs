//! `gwae data check`.

use std::error::Error;
use std::path::Path;
use std::process::ExitCode;

use gwae_datasets::config::DatasetName;
use gwae_datasets::open::{Preparation, PreparationStage};
use gwae_datasets::{CopyStatus, ImageFolder, Verdict, check, check_copies, dataset_directory};
use gwae_train::progress::PreparationBar;

use super::bar::DataBar;
use super::manifest_of;
use crate::arguments::Check;
use crate::terminal::print;

pub(super) fn run(arguments: &Check) -> Result<ExitCode, Box<dyn Error>> {
    if arguments.name == DatasetName::Folder.name()
        && let Some(directory) = &arguments.dir
    {
        return check_folder(directory);
    }
    let manifest = manifest_of(&arguments.name)?;
    let directory = dataset_directory(manifest, arguments.directory())?;
    let mut bar = DataBar::default();
    let report = check(manifest, &directory, &mut |event| bar.update(&event));
    let place = arguments.cache.as_ref().unwrap_or(&directory);
    let copies = check_copies(place, &mut |event| bar.update(&event));
    drop(bar);
    let (report, copies) = (report?, copies?);
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
    let mut code = code;
    for copy in copies {
        print(format!("{}: {}", copy.path.display(), copy.status));
        if let CopyStatus::Useless(_) = copy.status {
            code = ExitCode::FAILURE;
        }
    }
    Ok(code)
}

/// Reads and decodes all images of a folder or an archive.
fn check_folder(directory: &Path) -> Result<ExitCode, Box<dyn Error>> {
    let mut bar = PreparationBar::new();
    let report = ImageFolder::check(directory, &mut |done, total| {
        bar.update(&Preparation {
            dataset: DatasetName::Folder,
            stage: PreparationStage::Checking,
            done,
            total,
            replaced: None,
        });
    })?;
    for (file, reason) in &report.unreadable {
        print(format!("{file}: {reason}"));
    }
    if let Some(passed_over) = &report.passed_over {
        print(format!("passed over: {passed_over}"));
    }
    let (images, wrong) = (report.images, report.unreadable.len());
    Ok(if wrong == 0 {
        print(format!("folder: all {images} images can be read"));
        ExitCode::SUCCESS
    } else {
        print(format!("folder: {wrong} of {images} images cannot be read"));
        ExitCode::FAILURE
    })
}
