//! `gwae metrics`.

mod detection;
mod disentanglement;

use std::error::Error;
use std::process::ExitCode;

use crate::arguments::Metrics;

pub(super) fn run(arguments: &Metrics) -> Result<ExitCode, Box<dyn Error>> {
    if arguments.list {
        disentanglement::list();
        return Ok(ExitCode::SUCCESS);
    }
    match (
        &arguments.scores_in,
        &arguments.scores_out,
        &arguments.codes,
    ) {
        (Some(inside), Some(outside), _) => detection::run(arguments, inside, outside),
        (_, _, Some(codes)) => disentanglement::run(arguments, codes),
        _ => Err("give --scores-in and --scores-out, or --codes and --factors".into()),
    }
}
