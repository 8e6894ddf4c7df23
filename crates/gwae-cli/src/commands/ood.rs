//! `gwae ood`.

use std::error::Error;
use std::process::ExitCode;

use gwae_experiments::ood::{COLUMNS, DetectionTest, HEADLINE, comparison_table};
use gwae_train::progress::PreparationBar;

use super::model;
use crate::arguments::Ood;
use crate::terminal::{note, print};

pub(super) fn run(arguments: &Ood) -> Result<ExitCode, Box<dyn Error>> {
    let trained = model::load(&arguments.model)?;
    let directory = model::new_directory(&trained, &arguments.out, "ood")?;
    let test = DetectionTest {
        in_distribution: arguments.in_distribution.clone(),
        out_of_distribution: arguments.out_of_distribution.clone(),
        data: arguments.data.clone(),
        images: arguments.images as usize,
        seed: arguments.seed,
    };
    let mut bar = PreparationBar::new();
    let detection = test.run(&trained, &mut |done| bar.update(&done))?;
    if let Some(reason) = &detection.no_two_sided {
        note(format!("no two-sided scores: {reason}"));
    }
    detection.write(&directory)?;
    print(comparison_table(&detection.comparisons));
    print(COLUMNS);
    print(format!(
        "the score to trust is {HEADLINE}, in bold: larger always means stranger; the sign of the \
         others depends on the model"
    ));
    let scores = &detection.scores;
    let sets: Vec<&str> = scores.outside.iter().map(|(set, _)| &**set).collect();
    print(format!(
        "{} against {} images of {}, {trained}: {}",
        sets.join(", "),
        scores.inside.len(),
        detection.in_distribution,
        directory.display()
    ));
    Ok(ExitCode::SUCCESS)
}
