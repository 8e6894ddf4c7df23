//! What a run has computed: the tensors of its checkpoints and the rows of its log.

use std::fs;
use std::path::Path;

use burn_pack::Reader;
use gwae_train::checkpoint::{CheckpointStore, Which};
use gwae_train::metrics_log::MetricsLog;
use serde_json::Value;

/// The results of a run, without times and random numbers of parameters.
#[derive(Debug, PartialEq)]
pub struct Results {
    tensors: Vec<(String, Vec<u8>)>,
    states: Vec<Value>,
    rows: Vec<String>,
}

impl Results {
    /// Reads the last and the best checkpoint and the log.
    pub fn read(run: &Path) -> Result<Self, String> {
        let failed = |error: &dyn std::fmt::Display| format!("{}: {error}", run.display());
        let store = CheckpointStore::open(run.join("checkpoints")).map_err(|e| failed(&e))?;
        let mut results = Self {
            tensors: Vec::new(),
            states: Vec::new(),
            rows: Vec::new(),
        };
        for which in [Which::Last, store.best_or_last()] {
            let (directory, entry) = store.verified(which).map_err(|error| failed(&error))?;
            results.states.push(entry.step.into());
            for name in entry.files.keys() {
                let path = directory.join(name);
                if name.ends_with(".json") {
                    let text = fs::read_to_string(&path).map_err(|error| failed(&error))?;
                    let mut state: Value =
                        serde_json::from_str(&text).map_err(|error| failed(&error))?;
                    state["seconds"].take();
                    results.states.push(state);
                } else {
                    results.tensors.extend(tensors(&path)?);
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
        if self.tensors != found.tensors {
            return Err("other parameters or optimiser states".into());
        }
        Ok(())
    }
}

/// Every tensor of a file. Optimisers name theirs by random numbers, which are left out.
fn tensors(path: &Path) -> Result<Vec<(String, Vec<u8>)>, String> {
    let failed = |error| format!("{}: {error}", path.display());
    let reader = Reader::from_file(path).map_err(failed)?;
    let mut tensors = Vec::new();
    for tensor in reader.into_tensors().map_err(failed)? {
        let (name, _, shape, _, bytes) = tensor.into_parts().map_err(failed)?;
        let name: String = name.chars().filter(|c| !c.is_ascii_digit()).collect();
        let file = path.file_name().unwrap_or_default().display().to_string();
        tensors.push((format!("{file} {name} {shape:?}"), bytes.to_vec()));
    }
    tensors.sort();
    Ok(tensors)
}
