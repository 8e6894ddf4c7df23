//! Writes, syncs, renames and removals that fail, once or from the n-th on.

use std::path::Path;

use rand::RngExt;
use rand::seq::IndexedRandom;

use crate::campaign::Campaign;
use crate::results::Results;
use crate::strace;

pub const NAME: &str = "failing-writes";

pub fn case(campaign: &Campaign, number: u64, directory: &Path) -> Result<(), String> {
    let random = &mut campaign.random(NAME, number);
    let calls = campaign.calls()?;
    // First the kind of call, so that the rare ones are hit as often as `write`.
    let mut names: Vec<&str> = calls.iter().map(|call| call.name.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    let name = names.choose(random).expect("a call");
    let of_name: Vec<_> = calls.iter().filter(|call| call.name == *name).collect();
    let call = of_name.choose(random).expect("a call");
    let cause = if random.random() { "ENOSPC" } else { "EIO" };
    let from_then_on = random.random();
    let run = directory.join("run");
    let outcome = strace::inject(
        &campaign.program,
        &campaign.train(&run),
        directory,
        call,
        &format!("error={cause}"),
        from_then_on,
    );
    let plus = if from_then_on {
        " and all later ones"
    } else {
        ""
    };
    let at = |problem: String| format!("{cause} at {name} {}{plus}: {problem}", call.number);
    // If writing fails from then on, or once on standard error, the message is lost too.
    let is_told = *name != "write" || !from_then_on && !outcome.errors.is_empty();
    if is_told || outcome.code == Some(0) || outcome.errors.contains("bug in gwae") {
        outcome.check_messages().map_err(at)?;
    }
    if outcome.code == Some(0) {
        let results = Results::read(&run).map_err(at)?;
        campaign
            .undisturbed()
            .results
            .compare(&results)
            .map_err(at)?;
    }
    campaign.check_end(&run).map_err(at)
}
