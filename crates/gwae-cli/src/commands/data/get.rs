//! `gwae data get`.

use std::error::Error;
use std::process::ExitCode;

use super::manifest_of;
use crate::arguments::Get;

#[cfg(not(feature = "download"))]
pub(super) fn run(arguments: &Get) -> Result<ExitCode, Box<dyn Error>> {
    let manifest = manifest_of(&arguments.name)?;
    Err(format!(
        "this program was built without the Cargo feature `download`; fetch {} by hand from {}",
        manifest.name, manifest.homepage
    )
    .into())
}

#[cfg(feature = "download")]
pub(super) fn run(arguments: &Get) -> Result<ExitCode, Box<dyn Error>> {
    use gwae_datasets::{GetOptions, GetOutcome, download_directory, get};

    use super::bar::DataBar;
    use crate::terminal::print;

    let manifest = manifest_of(&arguments.name)?;
    let directory = download_directory(manifest, &arguments.dir)?;
    let options = GetOptions {
        url: arguments.url.clone(),
        replace: arguments.replace,
        least_rate: arguments.least_rate,
        ..GetOptions::from_environment()
    };
    let mut bar = DataBar::default();
    let outcome = get(manifest, &directory, &options, &mut |event| {
        bar.update(&event);
    });
    drop(bar);
    let files = match outcome? {
        GetOutcome::Manual(steps) => {
            print(steps.to_string().trim_end());
            return Ok(ExitCode::FAILURE);
        }
        GetOutcome::Files(files) => files,
    };
    for file in &files {
        print(format!("{}: {}", file.path.display(), story(&file.outcome)));
        for aside in &file.kept_aside {
            print(format!(
                "{}: the wrong file that was there",
                aside.display()
            ));
        }
    }
    print(format!(
        "licence: {}; cite: {}",
        manifest.licence, manifest.citation
    ));
    let (name, place) = (manifest.name.replace('-', "_"), directory.display());
    print(format!(
        "look: gwae data show {name} --data {place} --out {name}.png"
    ));
    print(format!(
        "train: gwae train CONFIG.toml --dataset {name} --data {place}"
    ));
    Ok(ExitCode::SUCCESS)
}

#[cfg(feature = "download")]
fn story(outcome: &gwae_datasets::FetchOutcome) -> String {
    use gwae_datasets::FetchOutcome;

    let proof = |verified: bool| match verified {
        true => "checksum verified",
        false => "size right, no checksum is known",
    };
    match outcome {
        FetchOutcome::AlreadyThere { verified } => {
            format!("already there, {}", proof(*verified))
        }
        FetchOutcome::Downloaded {
            url,
            resumed_from,
            verified,
        } => {
            let resumed = match resumed_from {
                0 => String::new(),
                bytes => format!(" (from byte {bytes} on)"),
            };
            format!("downloaded from {url}{resumed}, {}", proof(*verified))
        }
    }
}
