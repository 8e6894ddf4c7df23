use super::*;
use std::fs::File;

fn description() -> RunDescription {
    RunDescription {
        device: "cpu".into(),
        command_line: vec!["gwae".into(), "train".into(), "a b.toml".into()],
        dataset_fingerprint: "abc123".into(),
    }
}

fn config() -> RunConfig {
    let mut config = RunConfig::default();
    config.training.seed = 42;
    config.training.steps = Some(10);
    config
}

fn create(path: &Path) -> Result<RunDirectory, RunDirectoryError> {
    RunDirectory::create(path, &config(), description(), &vec![3_u32, 1, 2])
}

#[test]
fn what_was_created_is_read_again() {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("runs/first");
    let created = create(&path).unwrap();
    let opened = RunDirectory::open(&path).unwrap();
    assert_eq!(opened.config(), &config());
    assert_eq!(opened.record(), created.record());
    assert_eq!(opened.split::<Vec<u32>>().unwrap(), [3, 1, 2]);
    let record = opened.record();
    assert_eq!(record.seed, 42);
    assert_eq!(record.dataset, "digits");
    assert_eq!(record.command_line, description().command_line);
    assert!(record.started.starts_with("20") && record.started.ends_with('Z'));
    assert_eq!(opened.metrics(), path.join("metrics.jsonl"));
}

#[test]
fn the_recorded_burn_version_is_the_one_that_is_built() {
    let lock = include_str!("../../../../Cargo.lock");
    let (_, after) = lock.split_once("name = \"burn\"\nversion = \"").unwrap();
    let root = tempfile::tempdir().unwrap();
    let run = create(root.path()).unwrap();
    assert!(after.starts_with(&format!("{}\"", run.record().burn_version)));
}

#[test]
fn nothing_is_overwritten() {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("run");
    fs::create_dir(&path).unwrap();
    fs::write(path.join("precious"), "x").unwrap();
    let message = create(&path).unwrap_err().to_string();
    assert!(message.contains("run exists and is not empty"), "{message}");
    assert!(
        message.contains("resume") && message.contains("--out"),
        "{message}"
    );
    assert_eq!(fs::read_dir(&path).unwrap().count(), 1);
    let message = create(&path.join("precious")).unwrap_err().to_string();
    assert!(message.contains("precious is a file"), "{message}");
    let below = path.join("precious/below");
    let message = create(&below).unwrap_err().to_string();
    assert!(message.starts_with("cannot create "), "{message}");
    assert!(message.contains("precious/below"), "{message}");
}

#[test]
fn a_directory_that_is_no_run_is_named() {
    let root = tempfile::tempdir().unwrap();
    for opened in [
        RunDirectory::open(root.path()),
        RunDirectory::resume(root.path()),
    ] {
        let message = opened.unwrap_err().to_string();
        assert!(
            message.contains("is no run directory: it is empty"),
            "{message}"
        );
    }
    assert_eq!(
        fs::read_dir(root.path()).unwrap().count(),
        0,
        "no lock file"
    );
}

#[test]
fn damaged_files_are_named() {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("run");
    drop(create(&path).unwrap());
    let run = RunDirectory::open(&path).unwrap();
    fs::write(path.join("split.json"), "[1, 2").unwrap();
    let message = run.split::<Vec<u32>>().unwrap_err().to_string();
    assert!(message.contains("split.json is damaged"), "{message}");
    fs::write(path.join("config.toml"), "[training]\nsteps = \n").unwrap();
    let message = RunDirectory::open(&path).unwrap_err().to_string();
    assert!(message.contains("config.toml, line 2"), "{message}");
    fs::write(path.join("run.json"), "{}").unwrap();
    let message = RunDirectory::open(&path).unwrap_err().to_string();
    assert!(message.contains("run.json is damaged"), "{message}");
}

#[test]
fn whatever_the_files_of_a_run_hold_is_an_error_of_one_line() {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("run");
    drop(create(&path).unwrap());
    let long = "x".repeat(1 << 19);
    let keys = |line: fn(u32) -> String| (0..1_000_000).map(line).collect::<String>();
    for file in [RECORD, CONFIG] {
        let whole = fs::read(path.join(file)).unwrap();
        let text = String::from_utf8(whole.clone()).unwrap();
        let mut broken: Vec<Vec<u8>> = (0..whole.len())
            .step_by(7)
            .map(|length| whole[..length].to_vec())
            .collect();
        broken.extend(
            [
                text.replace("42", "\"many\""),
                text.replace("42", "-1"),
                text.replace("42", "1e400"),
                text.replace("digits", "\\u0000\\u001b[31m"),
                text.replace("digits", &long),
                format!("[{}]", "[],".repeat(300_000)),
                "[".repeat(500_000),
                "{\"a\":".repeat(100_000),
                format!("\u{feff}{text}"),
                format!("{text}\n{text}"),
                format!("{long} = 1"),
                format!("a = \"{long}\""),
                keys(|key| format!("k{key}=1\n")),
                format!("{{{}\"a\":1}}", keys(|key| format!("\"{key}\":1,"))),
            ]
            .map(String::into_bytes),
        );
        broken.extend([
            whole.iter().rev().copied().collect(),
            vec![0xff; 99],
            vec![0; 99],
        ]);
        for bytes in broken {
            fs::write(path.join(file), &bytes).unwrap();
            let Err(error) = RunDirectory::open(&path) else {
                continue;
            };
            let (message, start) = (error.to_string(), bytes.iter().take(50).copied());
            let start: Vec<u8> = start.collect();
            let start = String::from_utf8_lossy(&start);
            assert!(message.contains(file), "{message} for {start}");
            assert!(message.len() < 1000, "{} bytes for {start}", message.len());
            assert!(!message.contains(char::is_control), "{message}");
        }
        fs::write(path.join(file), &whole).unwrap();
    }
    RunDirectory::open(&path).unwrap();
}

#[test]
fn other_data_are_refused() {
    let root = tempfile::tempdir().unwrap();
    let run = create(root.path()).unwrap();
    run.check_fingerprint("abc123").unwrap();
    let message = run.check_fingerprint("def456").unwrap_err().to_string();
    assert!(message.contains("def456 instead of abc123"), "{message}");
}

#[test]
fn two_processes_cannot_train_in_the_same_run() {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("run");
    let created = create(&path).unwrap();
    let message = RunDirectory::resume(&path).unwrap_err().to_string();
    assert!(message.contains("in use by another process"), "{message}");
    RunDirectory::open(&path).unwrap();
    drop(created);
    let resumed = RunDirectory::resume(&path).unwrap();
    assert!(RunDirectory::resume(&path).is_err());
    drop(resumed);
    RunDirectory::resume(&path).unwrap();
}

#[test]
#[cfg(unix)]
fn a_lost_lock_file_lets_no_second_process_in() {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("run");
    let mut created = create(&path).unwrap();
    fs::remove_file(path.join(LOCK)).unwrap();
    let message = RunDirectory::resume(&path).unwrap_err().to_string();
    assert!(message.contains("in use by another process"), "{message}");
    assert!(!path.join(LOCK).exists());
    // The run makes its lock file anew.
    created.check_place().unwrap();
    assert!(path.join(LOCK).exists());
    // Another process has made it, where directories cannot be locked.
    fs::remove_file(path.join(LOCK)).unwrap();
    fs::write(path.join(LOCK), "").unwrap();
    let message = created.check_place().unwrap_err().to_string();
    assert!(message.contains("in use by another process"), "{message}");
}

#[test]
fn a_run_in_another_place_is_noticed() {
    type Change = fn(&Path);
    let changes: [(&str, Change); 5] = [
        ("removed", |run| fs::remove_dir_all(run).unwrap()),
        ("renamed", |run| {
            fs::rename(run, run.with_file_name("elsewhere")).unwrap();
        }),
        ("replaced", |run| {
            fs::rename(run, run.with_file_name("elsewhere")).unwrap();
            drop(create(run).unwrap());
        }),
        ("emptied", |run| fs::remove_file(run.join(RECORD)).unwrap()),
        ("filled with another run", |run| {
            let text = fs::read_to_string(run.join(RECORD)).unwrap();
            let other = text.replace("\"seed\": 42", "\"seed\": 43");
            assert_ne!(other, text);
            fs::write(run.join(RECORD), other).unwrap();
        }),
    ];
    for (name, change) in changes {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("run");
        let mut run = create(&path).unwrap();
        run.check_place().unwrap();
        change(&path);
        let message = run.check_place().unwrap_err().to_string();
        assert!(
            message.contains("no longer holds this run"),
            "{name}: {message}"
        );
    }
}

#[test]
fn what_killed_sessions_left_half_written_goes_when_a_run_is_resumed() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("run");
    drop(create(&path).unwrap());
    let checkpoints = path.join("checkpoints");
    fs::create_dir_all(&checkpoints).unwrap();
    let litter = [
        path.join(".reconstructions.png.4711-10.tmp"),
        checkpoints.join(".index.json.4711-7.tmp"),
    ];
    let of_a_user = path.join(".notes.tmp");
    let long_ago = std::time::SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(1 << 30);
    for file in litter.iter().chain([&of_a_user]) {
        let file = File::create(file).unwrap();
        file.set_modified(long_ago).unwrap();
    }
    RunDirectory::open(&path).unwrap();
    assert!(litter.iter().all(|file| file.exists()));
    RunDirectory::resume(&path).unwrap();
    assert!(!litter.iter().any(|file| file.exists()));
    assert!(of_a_user.exists());
}

#[test]
fn a_creation_that_was_cut_short_is_no_run() {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("run");
    drop(create(&path).unwrap());
    // As after a crash before its last file was written.
    fs::remove_file(path.join("run.json")).unwrap();
    assert!(matches!(
        RunDirectory::open(&path),
        Err(RunDirectoryError::NoRun { .. })
    ));
    // The same command begins it anew, from whichever file the first one reached.
    fs::write(path.join(".run.json.4711-0.tmp"), "half").unwrap();
    drop(create(&path).unwrap());
    assert!(!path.join(".run.json.4711-0.tmp").exists());
    for last in ["run.json", "split.json", "config.toml"] {
        fs::remove_file(path.join("run.json")).unwrap();
        let _ = fs::remove_file(path.join(last));
        drop(create(&path).unwrap());
        RunDirectory::open(&path).unwrap();
    }
}

#[test]
fn files_of_a_user_are_no_beginning() {
    let root = tempfile::tempdir().unwrap();
    // As for `gwae train experiment/config.toml --out experiment`.
    fs::write(root.path().join("config.toml"), "mine").unwrap();
    let error = create(root.path()).unwrap_err();
    assert!(matches!(error, RunDirectoryError::NotEmpty(_)), "{error}");
    let kept = fs::read_to_string(root.path().join("config.toml")).unwrap();
    assert_eq!(kept, "mine");
    let other = root.path().join("other");
    drop(create(&other).unwrap());
    fs::remove_file(other.join("run.json")).unwrap();
    fs::write(other.join("notes.txt"), "mine").unwrap();
    let error = create(&other).unwrap_err();
    assert!(matches!(error, RunDirectoryError::NotEmpty(_)), "{error}");
}

#[test]
fn a_creation_that_fails_leaves_the_directory_empty() {
    struct Failing;
    impl Serialize for Failing {
        fn serialize<S: serde::Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
            Err(serde::ser::Error::custom("no split"))
        }
    }
    let root = tempfile::tempdir().unwrap();
    let error = RunDirectory::create(root.path(), &config(), description(), &Failing);
    let message = error.unwrap_err().to_string();
    assert!(message.contains("split.json: no split"), "{message}");
    assert_eq!(fs::read_dir(root.path()).unwrap().count(), 0);
    create(root.path()).unwrap();
}

#[test]
fn an_imported_model_has_a_run_without_data() {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("run");
    let description = ImportDescription {
        imported_from: "model.pth".into(),
        device: "cpu".into(),
        command_line: vec!["gwae".into(), "import".into()],
    };
    drop(RunDirectory::create_imported(&path, &config(), description.clone()).unwrap());
    let run = RunDirectory::open(&path).unwrap();
    assert_eq!(run.config(), &config());
    assert_eq!(run.record().dataset_fingerprint, None);
    for message in [
        run.check_fingerprint("abc123").unwrap_err().to_string(),
        run.split::<Vec<u32>>().unwrap_err().to_string(),
    ] {
        assert!(message.contains("was imported from model.pth"), "{message}");
    }
    let again = RunDirectory::create_imported(&path, &config(), description);
    assert!(matches!(again, Err(RunDirectoryError::NotEmpty(_))));
    // A trained run keeps its fingerprint.
    let trained = create(&root.path().join("trained")).unwrap();
    assert_eq!(
        trained.record().dataset_fingerprint.as_deref(),
        Some("abc123")
    );
}
