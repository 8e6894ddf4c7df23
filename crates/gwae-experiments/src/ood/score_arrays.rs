//! The scores of single images as arrays in NumPy's format.

use std::fs;
use std::path::{Path, PathBuf};

use gwae_formats::atomic::FileError;
use gwae_formats::npy::{NpyError, read_npy_numbers, write_npy_f64};

use super::error::OodError;
use super::report::ModelScores;
use super::scoring::{ScoreColumn, ScoreTable};

impl ModelScores {
    /// Writes every score into `directory` as `in/SCORE.npy` and `out/SET/SCORE.npy`, for other
    /// programs and `gwae metrics`.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub fn write_arrays(&self, directory: &Path) -> Result<(), OodError> {
        let outside = self.outside.iter();
        let outside = outside.map(|(set, table)| (of_set(directory, set), table));
        for (folder, table) in std::iter::once((inside(directory), &self.inside)).chain(outside) {
            fs::create_dir_all(&folder).map_err(FileError::on("create", &folder))?;
            for column in &table.columns {
                let length = column.values.len() as u64;
                write_npy_f64(&array(&folder, &column.name), &column.values, &[length])?;
            }
        }
        Ok(())
    }

    /// Reads the named scores and sets that [`Self::write_arrays`] wrote. The codes are not stored.
    ///
    /// # Errors
    /// When a file is missing or damaged.
    pub fn read_arrays(
        model: &str,
        scores: &[String],
        sets: &[String],
        directory: &Path,
    ) -> Result<Self, NpyError> {
        let table = |folder: PathBuf| -> Result<ScoreTable, NpyError> {
            let columns = scores.iter().map(|name| {
                Ok(ScoreColumn::one_sided(
                    name.clone(),
                    read_npy_numbers(&array(&folder, name))?.values,
                ))
            });
            Ok(ScoreTable {
                columns: columns.collect::<Result<_, NpyError>>()?,
                ..ScoreTable::default()
            })
        };
        let sets = sets.iter();
        let outside = sets.map(|set| Ok((set.clone(), table(of_set(directory, set))?)));
        Ok(Self {
            model: model.to_owned(),
            inside: table(inside(directory))?,
            outside: outside.collect::<Result<_, NpyError>>()?,
        })
    }
}

fn inside(directory: &Path) -> PathBuf {
    directory.join("in")
}

fn of_set(directory: &Path, set: &str) -> PathBuf {
    directory.join("out").join(set)
}

fn array(folder: &Path, score: &str) -> PathBuf {
    folder.join(format!("{score}.npy"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arrays_are_read_back_to_the_last_bit() {
        let table = |values: &[f64]| ScoreTable {
            columns: ["energy", "mean_brightness"]
                .map(|name| ScoreColumn::one_sided(name.into(), values.to_vec()))
                .to_vec(),
            ..ScoreTable::default()
        };
        let scores = ModelScores {
            model: "A".into(),
            inside: table(&[0.1, -1e300, f64::INFINITY]),
            outside: vec![
                ("letters".into(), table(&[0.1 + 0.2])),
                ("letters (2)".into(), table(&[f64::NEG_INFINITY, 1e-320])),
            ],
        };
        let root = tempfile::tempdir().unwrap();
        scores.write_arrays(root.path()).unwrap();
        let (names, sets) = (
            ["energy".into(), "mean_brightness".into()],
            ["letters".into(), "letters (2)".into()],
        );
        let read = ModelScores::read_arrays("A", &names, &sets, root.path()).unwrap();
        assert_eq!(read, scores);

        let cut = root.path().join("out/letters/energy.npy");
        let bytes = fs::read(&cut).unwrap();
        fs::write(&cut, &bytes[..bytes.len() - 1]).unwrap();
        let error = ModelScores::read_arrays("A", &names, &sets, root.path()).unwrap_err();
        assert!(error.to_string().contains("energy.npy"), "{error}");
    }
}
