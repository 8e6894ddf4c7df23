//! All metrics under their protocols' names.

mod protocols;
mod run;
mod table;

pub use protocols::{Need, Protocol, protocols, select_protocols};
pub use run::{Progress, SuiteConfig, SuiteInputs, run_suite};
pub use table::{CodeKind, ScoreRow, ScoreTable};
