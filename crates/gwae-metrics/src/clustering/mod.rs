//! How well clusters agree with labels, and how evenly they are used.

mod agreement;
mod contingency;
mod usage;

pub use contingency::ContingencyTable;
pub use usage::ClusterUsage;
