//! Out-of-distribution detection: does a model tell images of its training data from others by its
//! own score?

mod clusters;
mod comparison;
mod experiment;
mod report;
mod score_arrays;
mod scoring;
mod table;
mod trace;

pub use clusters::{
    ClusterAnalysis, ClusterError, ClusterOptions, ClusterSummary, ComponentAnalysis,
    KMeansAnalysis, LabelledComponents, Labels, analyse_clusters,
};
pub use comparison::{
    Comparison, ComparisonError, REFERENCE, TestSet, built_in_sets, choose, compare,
    make_names_unique,
};
pub use experiment::{Experiment, ExperimentError, ExperimentOutcome, ModelOutcome, Outlook};
pub use report::{ModelScores, OodReportError, write_report};
pub use scoring::{MEAN_BRIGHTNESS, ScoreColumn, ScoreTable, score_images};
pub use table::{comparison_csv, comparison_table, further_rows, scores_matrix, seeds_table};
pub use trace::{Trace, TracePoint};
