//! The scores of a suite.

use serde::{Deserialize, Serialize};

/// Which codes were measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CodeKind {
    /// The posterior's means.
    Means,
    /// One draw from each posterior.
    Samples,
}

/// One score.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ScoreRow {
    /// Name of the protocol, such as `dci/gbt`.
    pub protocol: String,
    /// Name of the score among those of the protocol, such as `disentanglement`.
    pub score: String,
    /// Which codes were measured.
    pub codes: CodeKind,
    /// None if the protocol has no finite value; `problem` then says why.
    pub value: Option<f64>,
    /// Standard error, where it is known.
    pub standard_error: Option<f64>,
    /// Time of the whole protocol, standard errors included.
    pub seconds: f64,
    /// Why there is no value.
    pub problem: Option<String>,
}

/// All scores of a suite, in the order in which they were computed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ScoreTable {
    /// Number of items.
    pub items: usize,
    /// Number of latent dimensions.
    pub dimensions: usize,
    /// Number of columns of factors.
    pub factors: usize,
    /// Seed of all protocols.
    pub seed: u64,
    /// The scores.
    pub rows: Vec<ScoreRow>,
}

impl ScoreTable {
    /// A score's value, if it was computed.
    pub fn value(&self, protocol: &str, score: &str, codes: CodeKind) -> Option<f64> {
        let row = self
            .rows
            .iter()
            .find(|row| row.protocol == protocol && row.score == score && row.codes == codes);
        row.and_then(|row| row.value)
    }
}
