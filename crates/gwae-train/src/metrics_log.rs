//! `metrics.jsonl`: one JSON object per line. Lines are only appended.

mod lines;

use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use gwae_formats::atomic::{FileError, write_atomically_with};
use gwae_formats::one_line::shortened;
use gwae_formats::regular_file::open_regular;
use lines::{LineProblem, Lines, length_of_whole_lines};

/// Training or validation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// On the batch of a training step.
    Train,
    /// On the validation images.
    Validation,
}

/// One line of the log.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MetricsRecord {
    /// Main steps done, from 1.
    pub step: u64,
    /// Pass over the training data, from 1.
    pub epoch: u64,
    /// Where the losses were measured.
    pub phase: Phase,
    /// Seconds of training since the run began, without interruptions.
    pub seconds: f64,
    /// Images per second, including all the work of a step; only for training steps.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub images_per_second: Option<f64>,
    /// Losses by name, in order. In the file, a value that is not finite is `null`; it is read back
    /// as NaN.
    #[serde(with = "named_values")]
    pub losses: Vec<(String, f64)>,
}

/// The names of all losses of a log, in the order in which it first names them.
pub fn loss_names<'a>(records: impl IntoIterator<Item = &'a MetricsRecord>) -> Vec<&'a str> {
    let mut names: Vec<&str> = Vec::new();
    for (name, _) in records.into_iter().flat_map(|record| &record.losses) {
        if !names.contains(&name.as_str()) {
            names.push(name);
        }
    }
    names
}

/// The steps and values of a loss in one phase, in the order of the log.
pub fn loss_series(records: &[MetricsRecord], phase: Phase, loss: &str) -> Vec<(u64, f64)> {
    let of_phase = records.iter().filter(|record| record.phase == phase);
    let values = of_phase.filter_map(|record| {
        let (_, value) = record.losses.iter().find(|(name, _)| name == loss)?;
        Some((record.step, *value))
    });
    values.collect()
}

/// A log that cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum MetricsLogError {
    /// The file system failed.
    #[error(transparent)]
    File(#[from] FileError),
    /// A line that is not a record.
    #[error("{}, line {line}: not a metrics record ({problem}); restore or delete that line", path.display())]
    Line {
        /// The log.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// The parser's message.
        problem: String,
    },
}

/// Appends to a log. Every record goes to the operating system at once.
#[derive(Debug)]
pub struct MetricsLog {
    file: File,
    path: PathBuf,
    length: u64,
}

impl MetricsLog {
    /// Opens a log for appending, or begins one. Removes an incomplete last line, which a crash may
    /// leave.
    ///
    /// # Errors
    ///
    /// Names the file.
    pub fn open(path: &Path) -> Result<Self, FileError> {
        // Before it is opened for appending, which would wait for the reader of a pipe.
        let whole = match open_regular(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => 0,
            opened => opened
                .and_then(|(mut file, length)| length_of_whole_lines(&mut file, length))
                .map_err(FileError::on("read", path))?,
        };
        let failed = |error| FileError::on("open", path)(error);
        let file = OpenOptions::new()
            .create(true)
            .append(true)
            .open(path)
            .map_err(failed)?;
        if whole < file.metadata().map_err(failed)?.len() {
            file.set_len(whole)
                .map_err(FileError::on("shorten", path))?;
        }
        Ok(Self {
            file,
            path: path.to_owned(),
            length: whole,
        })
    }

    /// Appends one line.
    ///
    /// # Errors
    ///
    /// Names the file. The incomplete line is then removed again.
    pub fn append(&mut self, record: &MetricsRecord) -> Result<(), FileError> {
        let failed = |error| FileError::on("write", &self.path)(error);
        let mut line = serde_json::to_vec(record).map_err(|error| failed(error.into()))?;
        line.push(b'\n');
        #[cfg(test)]
        failing::check(record).map_err(failed)?;
        // A single call, so that a crash cuts at most this line.
        if let Err(error) = self.file.write_all(&line) {
            // This may fail; `open` also removes an incomplete line.
            let _ = self.file.set_len(self.length);
            let _ = self.file.seek(SeekFrom::End(0));
            return Err(failed(error));
        }
        self.length += line.len() as u64;
        Ok(())
    }

    /// Waits until everything appended so far is on the disk.
    ///
    /// # Errors
    ///
    /// Names the file.
    pub fn sync(&self) -> Result<(), FileError> {
        match self.file.sync_data() {
            // Some network file systems have no such operation.
            Err(error) if error.kind() != io::ErrorKind::InvalidInput => {
                Err(FileError::on("write", &self.path)(error))
            }
            _ => Ok(()),
        }
    }

    /// Every record of a log, without an incomplete last line. A missing log is empty.
    ///
    /// # Errors
    ///
    /// Names the file, and the line that is not a record.
    pub fn read(path: &Path) -> Result<Vec<MetricsRecord>, MetricsLogError> {
        let mut records = Vec::new();
        for_each_record(path, |record, _| records.push(record))?;
        Ok(records)
    }

    /// Removes the records after `step`, because a run that resumes from the checkpoint of that
    /// step writes them again, and returns the last one that stays. Call it before [`Self::open`].
    ///
    /// # Errors
    ///
    /// Names the file, and the line that is not a record; the log is then unchanged.
    pub fn truncate_after(
        path: &Path,
        step: u64,
    ) -> Result<Option<MetricsRecord>, MetricsLogError> {
        let (mut last, mut drops) = (None, false);
        for_each_record(path, |record, _| {
            if record.step <= step {
                last = Some(record);
            } else {
                drops = true;
            }
        })?;
        if drops {
            write_atomically_with(path, |file| {
                let mut file = BufWriter::new(file);
                let mut written = Ok(());
                let copied = for_each_record(path, |record, line| {
                    if record.step <= step && written.is_ok() {
                        written = file.write_all(line);
                    }
                });
                copied.map_err(io::Error::other)?;
                written?;
                file.flush()
            })?;
        }
        Ok(last)
    }
}

/// Calls `visit` with every record of a log and its line. A missing log is empty.
fn for_each_record(
    path: &Path,
    mut visit: impl FnMut(MetricsRecord, &[u8]),
) -> Result<(), MetricsLogError> {
    let failed = |error| FileError::on("read", path)(error);
    let Some(mut lines) = Lines::open(path).map_err(failed)? else {
        return Ok(());
    };
    for number in 1.. {
        let wrong = |problem: String| MetricsLogError::Line {
            path: path.to_owned(),
            line: number,
            problem,
        };
        let line = lines.next_line().map_err(|problem| match problem {
            LineProblem::Io(error) => failed(error).into(),
            LineProblem::TooLong => wrong("longer than 1 MiB".into()),
        })?;
        let Some(line) = line else { break };
        let record = serde_json::from_slice(line);
        visit(record.map_err(|error| wrong(shortened(error)))?, line);
    }
    Ok(())
}

/// Lets a test make one record fail, as on a disk that is full for a moment.
#[cfg(test)]
pub(crate) mod failing {
    use super::*;
    use std::cell::Cell;

    thread_local! {
        static NEXT: Cell<Option<(u64, Phase)>> = const { Cell::new(None) };
    }

    /// The next record of this step and phase on this thread fails.
    pub(crate) fn fail_once(step: u64, phase: Phase) {
        NEXT.set(Some((step, phase)));
    }

    pub(super) fn check(record: &MetricsRecord) -> io::Result<()> {
        if NEXT.get() == Some((record.step, record.phase)) {
            NEXT.set(None);
            return Err(io::ErrorKind::StorageFull.into());
        }
        Ok(())
    }
}

/// Name-value pairs as a JSON object that keeps their order.
mod named_values {
    use super::*;

    pub fn serialize<S: Serializer>(
        values: &[(String, f64)],
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_map(values.iter().map(|(name, value)| (name, value)))
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Vec<(String, f64)>, D::Error> {
        deserializer.deserialize_map(InOrder)
    }

    struct InOrder;

    impl<'de> Visitor<'de> for InOrder {
        type Value = Vec<(String, f64)>;

        fn expecting(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
            formatter.write_str("losses by name")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            let mut values = Vec::new();
            while let Some((name, value)) = map.next_entry::<_, Option<f64>>()? {
                values.push((name, value.unwrap_or(f64::NAN)));
            }
            Ok(values)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn record(step: u64, phase: Phase) -> MetricsRecord {
        let losses = [("total", 0.1 + 0.2), ("gw", 1e-300), ("entropy", -3.0)];
        MetricsRecord {
            step,
            epoch: 1,
            phase,
            seconds: 1.5,
            images_per_second: (phase == Phase::Train).then_some(640.25),
            losses: losses.map(|(name, value)| (name.into(), value)).into(),
        }
    }

    fn log_in(directory: &tempfile::TempDir, steps: &[u64]) -> PathBuf {
        let path = directory.path().join("metrics.jsonl");
        let mut log = MetricsLog::open(&path).unwrap();
        for step in steps {
            log.append(&record(*step, Phase::Train)).unwrap();
        }
        log.sync().unwrap();
        path
    }

    fn steps(path: &Path) -> Vec<u64> {
        let records = MetricsLog::read(path).unwrap();
        records.iter().map(|record| record.step).collect()
    }

    #[test]
    fn what_is_written_is_read_in_order_and_exactly() {
        let directory = tempfile::tempdir().unwrap();
        let path = log_in(&directory, &[1, 2]);
        let mut log = MetricsLog::open(&path).unwrap();
        log.append(&record(2, Phase::Validation)).unwrap();
        let expected = [
            record(1, Phase::Train),
            record(2, Phase::Train),
            record(2, Phase::Validation),
        ];
        assert_eq!(MetricsLog::read(&path).unwrap(), expected);
        let text = fs::read_to_string(&path).unwrap();
        assert_eq!(text.lines().count(), 3);
        assert!(text.starts_with(
            r#"{"step":1,"epoch":1,"phase":"train","seconds":1.5,"images_per_second":640.25,"losses":{"total":0.3"#
        ));
    }

    #[test]
    fn a_value_that_is_not_finite_comes_back_as_nan() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("metrics.jsonl");
        let mut broken = record(1, Phase::Train);
        broken.losses[1].1 = f64::NAN;
        MetricsLog::open(&path).unwrap().append(&broken).unwrap();
        let read = MetricsLog::read(&path).unwrap();
        assert!(read[0].losses[1].1.is_nan());
        assert_eq!(read[0].losses[2], broken.losses[2]);
    }

    #[test]
    fn a_cut_last_line_is_ignored_and_removed() {
        let directory = tempfile::tempdir().unwrap();
        let path = log_in(&directory, &[1, 2, 3]);
        let text = fs::read(&path).unwrap();
        for cut in [1, 2, 20] {
            fs::write(&path, &text[..text.len() - cut]).unwrap();
            assert_eq!(steps(&path), [1, 2], "read, cut by {cut}");
            let mut log = MetricsLog::open(&path).unwrap();
            log.append(&record(9, Phase::Train)).unwrap();
            assert_eq!(steps(&path), [1, 2, 9], "appended, cut by {cut}");
        }
    }

    #[test]
    fn resuming_drops_later_lines() {
        let directory = tempfile::tempdir().unwrap();
        let path = log_in(&directory, &[1, 2, 3, 4]);
        MetricsLog::truncate_after(&path, 2).unwrap();
        assert_eq!(steps(&path), [1, 2]);
        let before = fs::read(&path).unwrap();
        MetricsLog::truncate_after(&path, 7).unwrap();
        assert_eq!(fs::read(&path).unwrap(), before);
        MetricsLog::truncate_after(&directory.path().join("none.jsonl"), 7).unwrap();
        assert!(!directory.path().join("none.jsonl").exists());
    }

    #[test]
    fn a_broken_line_is_named_and_nothing_is_dropped() {
        let directory = tempfile::tempdir().unwrap();
        let path = log_in(&directory, &[1, 2, 3]);
        let text = fs::read_to_string(&path).unwrap();
        let broken = text.replacen("\"step\":2", "\"stop\":2", 1);
        fs::write(&path, &broken).unwrap();
        for message in [
            MetricsLog::read(&path).unwrap_err().to_string(),
            MetricsLog::truncate_after(&path, 1)
                .unwrap_err()
                .to_string(),
        ] {
            assert!(message.contains("metrics.jsonl, line 2"), "{message}");
        }
        assert_eq!(fs::read_to_string(&path).unwrap(), broken);
    }

    #[test]
    #[cfg(unix)]
    fn a_log_without_an_end_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("metrics.jsonl");
        std::os::unix::fs::symlink("/dev/zero", &path).unwrap();
        for message in [
            MetricsLog::read(&path).unwrap_err().to_string(),
            MetricsLog::truncate_after(&path, 1)
                .unwrap_err()
                .to_string(),
            MetricsLog::open(&path).unwrap_err().to_string(),
        ] {
            assert!(message.contains("not a regular file"), "{message}");
        }
        fs::remove_file(&path).unwrap();
        fs::write(&path, vec![b'['; 2 << 20]).unwrap();
        let message = MetricsLog::read(&path).unwrap_err().to_string();
        assert!(message.contains("line 1: "), "{message}");
        assert!(message.contains("longer than 1 MiB"), "{message}");
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn a_full_disk_is_said() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("metrics.jsonl");
        let mut log = MetricsLog::open(&path).unwrap();
        log.file = File::options().append(true).open("/dev/full").unwrap();
        let error = log.append(&record(1, Phase::Train)).unwrap_err();
        assert!(error.is_disk_full());
        assert!(
            error
                .to_string()
                .contains("metrics.jsonl: the disk is full")
        );
    }
}
