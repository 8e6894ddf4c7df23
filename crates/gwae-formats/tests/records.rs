//! Files of records: made, interrupted, damaged, and read.

use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use gwae_formats::records::{
    Division, Head, Progress, RecordFile, RecordSource, RecordsError, RecordsProblem, Replaced,
    open_or_make,
};

/// Records of `i` and `2i`, so often as they are long.
#[derive(Default)]
struct Pairs {
    made: AtomicUsize,
    pause: Duration,
    /// The record whose source is damaged.
    fails: Option<u64>,
}

fn pair(record: u64) -> Vec<u8> {
    [record as u8, (2 * record) as u8].repeat(BYTES as usize / 2)
}

#[derive(Debug)]
enum Failure {
    File(RecordsError),
    Source,
}

impl From<RecordsError> for Failure {
    fn from(error: RecordsError) -> Self {
        Self::File(error)
    }
}

impl RecordSource for Pairs {
    type Error = Failure;

    fn make(&self, records: Range<u64>, bytes: &mut [u8]) -> Result<(), Failure> {
        std::thread::sleep(self.pause);
        for (record, bytes) in records.zip(bytes.chunks_exact_mut(BYTES as usize)) {
            if self.fails == Some(record) {
                return Err(Failure::Source);
            }
            bytes.copy_from_slice(&pair(record));
            self.made.fetch_add(1, Ordering::Relaxed);
        }
        Ok(())
    }
}

const RECORDS: u64 = 103;
const BYTES: u64 = 200;
const DIVISION: Division = Division {
    layer: 20,
    block: 7,
};

fn head(description: &str) -> Head {
    Head {
        description: description.into(),
        records: RECORDS,
        record_bytes: BYTES,
    }
}

fn make_from(
    path: &Path,
    head: &Head,
    source: &Pairs,
    progress: &mut dyn FnMut(Progress),
) -> Result<RecordFile, Failure> {
    open_or_make(path, head, DIVISION, source, progress)
}

/// Makes the file and returns the number of records that this took.
fn make(path: &Path) -> usize {
    let source = Pairs::default();
    check(&make_from(path, &head("pairs"), &source, &mut |_| {}).unwrap());
    source.made.into_inner()
}

fn check(file: &RecordFile) {
    for index in 0..RECORDS {
        assert_eq!(file.read(index as usize).unwrap(), pair(index));
    }
    file.verify(&mut |_, _| {}).unwrap();
    file.read_through().unwrap();
    let error = file.read(RECORDS as usize).unwrap_err();
    assert!(matches!(
        error.problem,
        RecordsProblem::OutOfRange {
            index: RECORDS,
            records: RECORDS
        }
    ));
}

fn problem(path: &Path) -> RecordsProblem {
    RecordFile::open(path).unwrap_err().problem
}

fn partial(path: &Path) -> PathBuf {
    path.with_extension("partial")
}

/// Writes a new file, because on some file systems overwriting one waits for the disk.
fn write_anew(path: &Path, bytes: &[u8]) {
    let _ = fs::remove_file(path);
    fs::write(path, bytes).unwrap();
}

#[test]
fn a_file_is_made_once_and_then_used() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("copy");
    assert!(RecordFile::open(&path).unwrap().is_none());
    let mut seen = Vec::new();
    let source = Pairs::default();
    make_from(&path, &head("pairs"), &source, &mut |progress| {
        assert_eq!((progress.total, progress.replaced), (RECORDS, None));
        seen.push(progress.done);
    })
    .unwrap();
    assert_eq!(seen, [20, 40, 60, 80, 100, 103]);
    assert_eq!(make(&path), 0);
    let file = RecordFile::open(&path).unwrap().unwrap();
    assert_eq!(file.head(), &head("pairs"));
    check(&file);
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
}

/// Whatever part of an interrupted file reached the disk, the next attempt completes it.
#[test]
fn any_unfinished_file_is_completed() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("copy");
    make(&path);
    let whole = fs::read(&path).unwrap();
    let length = whole.len();
    let cases: [(&str, Vec<u8>, Range<usize>); 9] = [
        ("empty", vec![], 103..104),
        ("cut in the head", whole[..20].to_vec(), 103..104),
        ("cut in the checksums", whole[..100].to_vec(), 103..104),
        ("cut in a record", whole[..length / 2].to_vec(), 1..103),
        ("complete", whole.clone(), 0..1),
        (
            "longer",
            [&whole[..], b"rest of another file"].concat(),
            103..104,
        ),
        // Checksums that reached the disk before their records, and the other way round.
        (
            "records lost",
            [&whole[..length - 1500], &[0; 1500]].concat(),
            3..15,
        ),
        (
            "checksums lost",
            [&whole[..300], &[0; 100], &whole[400..]].concat(),
            7..40,
        ),
        (
            "of another source",
            [&whole[..40], b"parts", &whole[45..]].concat(),
            103..104,
        ),
    ];
    for (name, content, expected) in cases {
        let _ = fs::remove_file(&path);
        write_anew(&partial(&path), &content);
        let made = make(&path);
        assert!(expected.contains(&made), "{name}: {made}");
        assert_eq!(fs::read(&path).unwrap(), whole, "{name}");
        assert!(!partial(&path).exists(), "{name}");
    }
}

#[test]
fn every_damage_of_a_complete_file_is_found() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("copy");
    make(&path);
    let whole = fs::read(&path).unwrap();
    let first = whole.len() - (RECORDS * BYTES) as usize;
    let checksums = 40 + "pairs".len()..45 + 4 * RECORDS as usize;
    for place in (0..whole.len()).step_by(7).chain(0..50) {
        let mut bytes = whole.clone();
        bytes[place] ^= 0x40;
        write_anew(&path, &bytes);
        let damaged = match place {
            0..8 => {
                assert!(matches!(problem(&path), RecordsProblem::Foreign));
                continue;
            }
            place if place < checksums.start => {
                assert!(matches!(problem(&path), RecordsProblem::Damaged { .. }));
                continue;
            }
            place if checksums.contains(&place) => Some((place - checksums.start) / 4),
            place => place.checked_sub(first).map(|byte| byte / BYTES as usize),
        };
        let file = RecordFile::open(&path).unwrap().unwrap();
        for index in 0..RECORDS as usize {
            match file.read(index) {
                Ok(record) => assert_eq!(record, pair(index as u64)),
                Err(error) => {
                    let wrong = RecordsProblem::DamagedRecord {
                        index: index as u64,
                    };
                    assert_eq!(error.problem.to_string(), wrong.to_string());
                    assert_eq!(damaged, Some(index), "{place}");
                }
            }
        }
        let verified = file.verify(&mut |_, _| {});
        assert_eq!(verified.is_err(), damaged.is_some(), "{place}");
    }
    for length in (1..whole.len()).step_by(512) {
        write_anew(&path, &whole[..length]);
        assert!(matches!(problem(&path), RecordsProblem::Damaged { .. }));
    }
}

#[test]
fn exchanged_records_are_noticed() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("copy");
    make(&path);
    let mut bytes = fs::read(&path).unwrap();
    let checksums = 45;
    let records = bytes.len() - (RECORDS * BYTES) as usize;
    for (start, length) in [(checksums, 4), (records, BYTES as usize)] {
        let (left, right) = bytes[start..].split_at_mut(length);
        left.swap_with_slice(&mut right[..length]);
    }
    fs::write(&path, bytes).unwrap();
    let file = RecordFile::open(&path).unwrap().unwrap();
    assert!(file.read(0).is_err());
    assert!(file.read(1).is_err());
    assert_eq!(file.read(2).unwrap(), pair(2));
}

#[test]
fn files_that_cannot_be_used_are_replaced_unless_they_are_foreign() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("copy");
    let replaced = |content: &[u8]| {
        write_anew(&path, content);
        let mut seen = None;
        let source = Pairs::default();
        let made = make_from(&path, &head("pairs"), &source, &mut |progress| {
            seen = progress.replaced;
        });
        made.map(|file| {
            check(&file);
            seen
        })
    };
    assert_eq!(
        replaced(b"gwae image cache, first").unwrap(),
        Some(Replaced::Earlier)
    );
    assert_eq!(replaced(b"gwaeimg1").unwrap(), Some(Replaced::Earlier));
    assert_eq!(replaced(b"").unwrap(), Some(Replaced::Damaged));
    let mut whole = fs::read(&path).unwrap();
    assert_eq!(replaced(&whole[..5000]).unwrap(), Some(Replaced::Damaged));
    assert_eq!(replaced(&whole).unwrap(), None);
    // A later version of the format.
    whole[8] = 2;
    assert_eq!(replaced(&whole).unwrap(), Some(Replaced::Damaged));
    make_from(&path, &head("other"), &Pairs::default(), &mut |progress| {
        assert_eq!(progress.replaced, Some(Replaced::OtherSource));
    })
    .unwrap();

    let Failure::File(error) = replaced(b"a letter to a friend").unwrap_err() else {
        panic!("not of the file");
    };
    assert!(matches!(error.problem, RecordsProblem::Foreign));
    assert_eq!(fs::read(&path).unwrap(), b"a letter to a friend");
}

#[test]
fn a_source_that_fails_leaves_no_bytes() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("copy");
    let source = Pairs {
        fails: Some(50),
        ..Pairs::default()
    };
    let result = make_from(&path, &head("pairs"), &source, &mut |_| {});
    assert!(matches!(result, Err(Failure::Source)));
    assert!(!path.exists());
    assert_eq!(fs::metadata(partial(&path)).unwrap().len(), 0);
    assert_eq!(make(&path), RECORDS as usize);
}

#[test]
fn several_at_once_make_one() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("copy");
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| make(&path));
        }
    });
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
}

/// In a child process, the path of the file to make.
const CHILD: &str = "GWAE_TEST_MAKES_RECORDS";

/// A child process that runs one test of this program. `limits` are commands of the shell.
fn child(test: &str, path: &Path, limits: &str) -> Command {
    let mut command = Command::new("sh");
    command
        .args(["-c", &format!("{limits} exec \"$0\" \"$@\"")])
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", "--nocapture", "--test-threads=1", test])
        .env(CHILD, path)
        .stdout(Stdio::piped());
    command
}

/// A real crash: a process is killed (SIGKILL) after some milliseconds, again and again until the file is complete.
#[test]
#[cfg(unix)]
fn a_killed_process_leaves_what_the_next_one_continues() {
    if let Some(path) = std::env::var_os(CHILD) {
        let source = Pairs {
            pause: Duration::from_millis(4),
            ..Pairs::default()
        };
        make_from(path.as_ref(), &head("pairs"), &source, &mut |_| {}).unwrap();
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("copy");
    let mut killed = 0;
    // The wait grows by a factor, so the test ends soon on a machine of any speed.
    let waits = std::iter::successors(Some(5.0_f64), |wait| Some(1.3 * wait));
    for milliseconds in waits {
        let test = "a_killed_process_leaves_what_the_next_one_continues";
        let mut child = child(test, &path, "").spawn().unwrap();
        std::thread::sleep(Duration::from_secs_f64(1e-3 * milliseconds));
        child.kill().unwrap();
        if child.wait().unwrap().success() {
            break;
        }
        killed += 1;
        // The file is either complete or missing.
        if let Some(file) = RecordFile::open(&path).unwrap() {
            check(&file);
        }
    }
    assert!(killed > 1);
    check(&RecordFile::open(&path).unwrap().unwrap());
}

/// A process that may write files of 8 KiB stands for a full disk: the system reports both in the same way.
#[test]
#[cfg(target_os = "linux")]
fn a_full_disk_is_named_and_the_next_attempt_continues() {
    if let Some(path) = std::env::var_os(CHILD) {
        let result = make_from(
            path.as_ref(),
            &head("pairs"),
            &Pairs::default(),
            &mut |_| {},
        );
        let Err(Failure::File(error)) = result else {
            panic!("the file was made");
        };
        assert!(
            matches!(
                error.problem,
                RecordsProblem::DiskFull {
                    done: 1..100,
                    records: RECORDS,
                    ..
                }
            ),
            "{error}"
        );
        assert!(!error.to_string().contains('\n'));
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("copy");
    let test = "a_full_disk_is_named_and_the_next_attempt_continues";
    let output = child(test, &path, "trap '' XFSZ; ulimit -f 16;").output();
    let output = output.unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{text}");
    assert!(!path.exists());
    assert!((1..100).contains(&make(&path)));
}
