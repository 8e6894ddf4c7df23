//! Kills at the n-th system call of a kind.

use std::path::Path;

use rand::RngExt;

use crate::campaign::Campaign;
use crate::strace;

pub const NAME: &str = "kills-at-calls";

pub fn case(campaign: &Campaign, number: u64, directory: &Path) -> Result<(), String> {
    let random = &mut campaign.random(NAME, number);
    let calls = campaign.calls()?;
    let call = &calls[random.random_range(0..calls.len())];
    let run = directory.join("run");
    let arguments = campaign.train(&run);
    let killed = strace::inject(
        &campaign.program,
        &arguments,
        directory,
        call,
        "signal=SIGKILL",
        false,
    );
    let at = |problem: String| format!("killed at {} {}: {problem}", call.name, call.number);
    if killed.code.is_some_and(|code| code != 0) {
        return Err(at(killed.to_string()));
    }
    campaign.check_end(&run).map_err(at)
}
