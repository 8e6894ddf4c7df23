//! Kills at random moments, up to three in a row.

use std::path::Path;

use rand::RngExt;

use crate::campaign::Campaign;

pub const NAME: &str = "kills";

pub fn case(campaign: &Campaign, number: u64, directory: &Path) -> Result<(), String> {
    let random = &mut campaign.random(NAME, number);
    let run = directory.join("run");
    let duration = campaign.undisturbed().duration;
    for _ in 0..random.random_range(1..=3) {
        let moment = duration.mul_f64(random.random_range(0.05..1.0));
        let arguments = campaign.begin_or_resume(&run);
        let outcome = campaign.program.run_for(&arguments, directory, moment);
        // The program may end before the kill; then it has to end well.
        if !outcome.too_long && outcome.code != Some(0) {
            return Err(format!("after a kill: {outcome}"));
        }
    }
    campaign.check_end(&run)
}
