//! `gwae report`.

use std::error::Error;
use std::process::ExitCode;

use gwae_train::run_report::{REPORT, run_page};

use crate::arguments::Report;
use crate::terminal::print;

pub(super) fn run(arguments: &Report) -> Result<ExitCode, Box<dyn Error>> {
    let page = run_page(&arguments.run)?;
    let in_run = || arguments.run.join(REPORT);
    let path = arguments.out.clone().unwrap_or_else(in_run);
    page.save(&path)?;
    print(format!("open {} in a browser", path.display()));
    Ok(ExitCode::SUCCESS)
}
