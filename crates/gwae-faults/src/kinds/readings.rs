//! Readings of a run that saves after every step.

use std::ops::Range;
use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant};

use rand::seq::IndexedRandom;

use crate::campaign::{Campaign, Tried};

pub const NAME: &str = "readings";

pub fn cases(campaign: &Campaign, cases: Range<u64>, directory: &Path) -> Vec<(u64, Tried)> {
    let run = directory.join("run");
    let mut arguments = campaign.train(&run);
    arguments.extend(["--steps".into(), "1000000".into()]);
    let mut trainer = match campaign
        .program
        .start(&arguments, &directory.join("errors"))
    {
        Ok(trainer) => trainer,
        Err(error) => return vec![(cases.start, Err(error.to_string()).into())],
    };
    let end = Instant::now() + Duration::from_secs(60);
    while !run.join("checkpoints/index.json").exists() && Instant::now() < end {
        sleep(Duration::from_millis(5));
    }
    let read = |number: u64| -> Result<(), String> {
        let random = &mut campaign.random(NAME, number);
        let run = run.display().to_string();
        let out = directory.join("read.png").display().to_string();
        let command = ["sample", "reconstruct", "traverse"]
            .choose(random)
            .expect("a command");
        let arguments = [command, run.as_str(), "--out", &out].map(String::from);
        let outcome = campaign.program.run(&arguments, directory);
        match outcome.code {
            Some(0) => outcome.check_messages(),
            _ => Err(format!("{command} beside a training: {outcome}")),
        }
    };
    let tried = cases.map(|number| (number, read(number).into())).collect();
    let _ = trainer.kill();
    let _ = trainer.wait();
    tried
}
