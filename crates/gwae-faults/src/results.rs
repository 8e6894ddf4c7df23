//! What a run has computed: the files of its checkpoints and the rows of its log.

use std::path::Path;

use gwae_train::checkpoint::{CheckpointStore, Which};
use gwae_train::metrics_log::MetricsLog;
use serde_json::Value;

/// The results of a run, without times.
#[derive(Debug, PartialEq)]
pub struct Results {
    /// Parameters and optimiser states, by name. Runs of one seed have equal files.
    files: Vec<(String, Vec<u8>)>,
    states: Vec<Value>,
    rows: Vec<String>,
}

impl Results {
    /// Reads the last and the best checkpoint and the log.
    pub fn read(run: &Path) -> Result<Self, String> {
        let failed = |error: &dyn std::fmt::Display| format!("{}: {error}", run.display());
        let mut store = CheckpointStore::open(run.join("checkpoints")).map_err(|e| failed(&e))?;
        let mut results = Self {
            files: Vec::new(),
            states: Vec::new(),
            rows: Vec::new(),
        };
        for which in [Which::Last, store.best_or_last()] {
            let mut checkpoint = store.read(which).map_err(|error| failed(&error))?;
            results.states.push(checkpoint.step.into());
            let entry = store.entry(which).into_iter();
            for name in entry.flat_map(|entry| entry.files.keys()) {
                let bytes = checkpoint.take(name).map_err(|error| failed(&error))?.bytes;
                if name.ends_with(".json") {
                    let mut state: Value =
                        serde_json::from_slice(&bytes).map_err(|error| failed(&error))?;
                    state["seconds"].take();
                    results.states.push(state);
                } else {
                    results.files.push((name.clone(), bytes));
                }
            }
        }
        let rows = MetricsLog::read(&run.join("metrics.jsonl")).map_err(|error| failed(&error))?;
        for row in rows {
            let losses: Vec<_> = row
                .losses
                .iter()
                .map(|(name, value)| format!("{name} {:x}", value.to_bits()))
                .collect();
            results.rows.push(format!(
                "step {} epoch {} {:?}: {}",
                row.step,
                row.epoch,
                row.phase,
                losses.join(", ")
            ));
        }
        Ok(results)
    }

    /// Says what differs from `found`.
    pub fn compare(&self, found: &Self) -> Result<(), String> {
        let names = |rows: &[String]| -> Vec<String> {
            let name = |row: &String| row.split(':').next().unwrap_or_default().to_owned();
            rows.iter().map(name).collect()
        };
        if names(&self.rows) != names(&found.rows) {
            return Err(format!("the log has the rows {:?}", names(&found.rows)));
        }
        if self.rows != found.rows {
            return Err("the log has other values".into());
        }
        if self.states != found.states {
            return Err(format!("other states: {:?}", found.states));
        }
        if self.files != found.files {
            return Err("other parameters or optimiser states".into());
        }
        Ok(())
    }
}
