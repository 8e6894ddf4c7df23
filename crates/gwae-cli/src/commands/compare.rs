//! `gwae compare`.

use std::error::Error;
use std::process::ExitCode;

use gwae_train::run_report::comparison_page;

use crate::arguments::Compare;
use crate::terminal::print;

pub(super) fn run(arguments: &Compare) -> Result<ExitCode, Box<dyn Error>> {
    comparison_page(&arguments.runs)?.save(&arguments.out)?;
    print(format!("open {} in a browser", arguments.out.display()));
    Ok(ExitCode::SUCCESS)
}
