//! How well a score separates out-of-distribution items from in-distribution ones.
//!
//! A score is higher for items that look more out-of-distribution, and out-of-distribution is the
//! positive class. At threshold `t`, every item with `score ≥ t` is called out-of-distribution. The
//! true positive rate (TPR) is the share of out-of-distribution items called so, the false positive
//! rate (FPR) the share of in-distribution items called so. Every metric here depends only on the
//! order of the scores, and never separates items with equal scores. [`ScoreDirection`] says which
//! scores must be changed first.

mod auroc;
mod average_precision;
mod bootstrap;
mod direction;
mod false_positive_rate;
mod ranking;
mod report;
mod roc;

pub use auroc::auroc;
pub use bootstrap::{BootstrapConfig, Interval, MAX_RESAMPLES, auroc_interval};
pub use direction::{ScoreDirection, distance_from_median};
pub use ranking::RankedScores;
pub use report::DetectionReport;
pub use roc::{RocCurve, RocPoint};
