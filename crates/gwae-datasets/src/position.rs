//! Positions in the sequence of batches.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A position in the infinite sequence of batches.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Position {
    /// Number of complete passes over the items before this one.
    pub epoch: u64,
    /// Number of batches before this one in its epoch.
    pub batch: u64,
}

impl Position {
    /// The position of the first batch.
    pub const START: Self = Self { epoch: 0, batch: 0 };

    /// The position after this one if every epoch has `batches_per_epoch` batches.
    pub fn next(self, batches_per_epoch: u64) -> Self {
        if self.batch.saturating_add(1) < batches_per_epoch {
            Self {
                batch: self.batch + 1,
                ..self
            }
        } else {
            Self {
                epoch: self.epoch.saturating_add(1),
                batch: 0,
            }
        }
    }
}

impl fmt::Display for Position {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "epoch {}, batch {}", self.epoch, self.batch)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_follow_one_another() {
        let mut position = Position::START;
        let mut visited = Vec::new();
        for _ in 0..5 {
            visited.push((position.epoch, position.batch));
            position = position.next(2);
        }
        assert_eq!(visited, [(0, 0), (0, 1), (1, 0), (1, 1), (2, 0)]);
    }
}
