//! Out-of-distribution detection: do a model's own scores separate images like its training images
//! from other images?

mod clusters;
mod comparison;
mod detection;
mod error;
mod experiment;
mod groups;
mod outcome;
mod report;
mod score_arrays;
mod scoring;
mod table;
mod trace;

pub use clusters::{
    ChosenBy, ClusterAnalysis, ClusterOptions, ClusterSummary, ComponentAnalysis, KMeansAnalysis,
    LabelledComponents, Labels, analyse_clusters,
};
pub use comparison::{
    Comparison, NO_MODEL, REFERENCE, TestSet, built_in_sets, compare, make_names_unique,
    random_indices,
};
pub use detection::{Detection, DetectionTest};
pub use error::OodError;
pub use experiment::{Experiment, ExperimentError, ExperimentOptions};
pub use outcome::{ExperimentOutcome, ModelOutcome};
pub use report::{ModelScores, write_report};
pub use scoring::{HEADLINE, MEAN_BRIGHTNESS, ScoreColumn, ScoreTable, score_images};
pub use table::{
    COLUMNS, comparison_csv, comparison_table, new_comparisons, scores_matrix, seeds_table,
};
pub use trace::{Trace, TracePoint};
