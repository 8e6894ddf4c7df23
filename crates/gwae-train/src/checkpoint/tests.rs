use super::*;
use crate::atomic::tests::{crash, crash_directory, run_crashing_child};

type Written = Result<(), io::Error>;

fn contents(text: &str) -> impl FnOnce(&Path) -> Written {
    let text = text.to_owned();
    move |directory| {
        fs::write(directory.join("model.bpk"), &text)?;
        fs::write(directory.join("state.json"), "{}")
    }
}

fn save(store: &mut CheckpointStore, step: u64, keep: KeepAs) {
    store
        .save(step, keep, contents(&format!("weights {step}")))
        .unwrap();
}

fn model(store: &CheckpointStore, which: Which) -> String {
    let (directory, _) = store.verified(which).unwrap();
    fs::read_to_string(directory.join("model.bpk")).unwrap()
}

fn directories(root: &Path) -> Vec<String> {
    let mut names: Vec<_> = fs::read_dir(root)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name != INDEX)
        .collect();
    names.sort();
    names
}

const BEST: KeepAs = KeepAs::LastAndBest {
    validation_loss: 2.5,
};

#[test]
fn checkpoints_whose_index_was_lost_are_found() {
    let root = tempfile::tempdir().unwrap();
    let root = root.path();
    let mut store = CheckpointStore::open(root).unwrap();
    save(&mut store, 99_999_999, BEST);
    save(&mut store, 100_000_000, KeepAs::Last);
    // The same step again, as when the best one is gone on from.
    save(&mut store, 100_000_000, KeepAs::Last);
    fs::create_dir(root.join("step-200000000.tmp")).unwrap();
    fs::create_dir(root.join("my copy")).unwrap();
    fs::remove_file(root.join(INDEX)).unwrap();
    let mut store = CheckpointStore::open(root).unwrap();
    let step = |store: &CheckpointStore, which| store.entry(which).unwrap().step;
    assert_eq!(step(&store, Which::Last), 100_000_000);
    assert_eq!(model(&store, Which::Last), "weights 100000000");
    assert_eq!(model(&store, Which::Best), "weights 99999999");
    assert!(!root.join(INDEX).exists());
    save(&mut store, 100_000_001, KeepAs::Last);
    let store = CheckpointStore::open(root).unwrap();
    assert_eq!(step(&store, Which::Last), 100_000_001);
    assert_eq!(model(&store, Which::Best), "weights 99999999");
    assert!(root.join("my copy").exists());
}

#[test]
fn last_and_best_are_kept_and_others_removed() {
    let root = tempfile::tempdir().unwrap();
    let root = root.path().join("checkpoints");
    let mut store = CheckpointStore::open(&root).unwrap();
    assert!(matches!(
        store.verified(Which::Last),
        Err(CheckpointError::Missing { .. })
    ));
    save(&mut store, 100, BEST);
    save(&mut store, 200, KeepAs::Last);
    save(&mut store, 300, KeepAs::Last);
    assert_eq!(directories(&root), ["step-00000100", "step-00000300"]);
    let store = CheckpointStore::open(&root).unwrap();
    assert_eq!(model(&store, Which::Last), "weights 300");
    assert_eq!(model(&store, Which::Best), "weights 100");
    let best = store.entry(Which::Best).unwrap();
    assert_eq!((best.step, best.validation_loss), (100, Some(2.5)));
    let record = &best.files["state.json"];
    assert_eq!(record.bytes, 2);
    // `printf '{}' | sha256sum`
    let expected = "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a";
    assert_eq!(record.sha256, expected);
}

#[test]
fn only_what_it_made_is_removed() {
    let root = tempfile::tempdir().unwrap();
    let mut store = CheckpointStore::open(root.path()).unwrap();
    save(&mut store, 1, KeepAs::Last);
    let copies = ["step-00000001-keep", "step-notes", "mine"];
    for name in copies
        .iter()
        .chain(&["step-00000009", "step-00000009-2.tmp"])
    {
        fs::create_dir(root.path().join(name)).unwrap();
    }
    save(&mut store, 2, KeepAs::Last);
    let mut expected = vec!["step-00000002"];
    expected.extend(copies);
    expected.sort();
    assert_eq!(directories(root.path()), expected);
}

#[test]
fn the_same_step_can_be_saved_again() {
    let root = tempfile::tempdir().unwrap();
    let mut store = CheckpointStore::open(root.path()).unwrap();
    for text in ["first", "second", "third"] {
        store.save(7, BEST, contents(text)).unwrap();
        assert_eq!(model(&store, Which::Last), text);
        assert_eq!(directories(root.path()).len(), 1);
    }
}

#[test]
fn damage_is_found_and_the_other_checkpoint_offered() {
    type Damage = fn(&Path);
    let damages: [(&str, Damage); 3] = [
        ("3 bytes instead of 11", |file| {
            fs::write(file, "wei").unwrap()
        }),
        ("contents were altered", |file| {
            fs::write(file, "weights 8OO").unwrap();
        }),
        ("missing", |file| fs::remove_file(file).unwrap()),
    ];
    for (problem, damage) in damages {
        let root = tempfile::tempdir().unwrap();
        let mut store = CheckpointStore::open(root.path()).unwrap();
        save(&mut store, 700, BEST);
        save(&mut store, 800, KeepAs::Last);
        damage(&root.path().join("step-00000800/model.bpk"));
        let message = store.verified(Which::Last).unwrap_err().to_string();
        assert!(
            message.contains("step-00000800/model.bpk is damaged"),
            "{message}"
        );
        assert!(message.contains(problem), "{message}");
        assert!(message.ends_with(
            "the best checkpoint (step 700) is intact: use that one (--checkpoint best)"
        ));
        assert_eq!(model(&store, Which::Best), "weights 700");
        damage(&root.path().join("step-00000700/model.bpk"));
        let message = store.verified(Which::Last).unwrap_err().to_string();
        assert!(
            message.contains("no other checkpoint is intact"),
            "{message}"
        );
    }
}

#[test]
fn a_failed_save_keeps_the_previous_one_and_leaves_nothing() {
    let root = tempfile::tempdir().unwrap();
    let mut store = CheckpointStore::open(root.path()).unwrap();
    save(&mut store, 1, KeepAs::Last);
    let index = fs::read(root.path().join(INDEX)).unwrap();
    let error = store
        .save(2, BEST, |directory| {
            fs::write(directory.join("model.bpk"), "half")?;
            Err(io::Error::from(io::ErrorKind::StorageFull))
        })
        .unwrap_err();
    assert!(matches!(error, SaveError::Contents { step: 2, .. }));
    assert_eq!(directories(root.path()), ["step-00000001"]);
    assert_eq!(fs::read(root.path().join(INDEX)).unwrap(), index);
    assert_eq!(model(&store, Which::Last), "weights 1");

    let error = store.save(3, BEST, |directory| fs::create_dir(directory.join("sub")));
    let message = error.unwrap_err().to_string();
    assert!(message.contains("plain files only"), "{message}");
    assert_eq!(directories(root.path()), ["step-00000001"]);
}

#[test]
#[cfg(target_os = "linux")]
fn a_full_disk_is_said() {
    let root = tempfile::tempdir().unwrap();
    let mut store = CheckpointStore::open(root.path()).unwrap();
    save(&mut store, 1, KeepAs::Last);
    let error = store
        .save(2, BEST, |directory| {
            crate::atomic::write_atomically_with(&directory.join("model.bpk"), |_| {
                crate::atomic::tests::fill_the_disk()
            })
        })
        .unwrap_err();
    let message = error.to_string();
    assert!(message.contains("step 2 was not saved"), "{message}");
    assert!(message.contains("model.bpk: the disk is full"), "{message}");
    assert_eq!(model(&store, Which::Last), "weights 1");
}

#[test]
fn an_index_that_cannot_be_written_leaves_nothing() {
    let root = tempfile::tempdir().unwrap();
    let mut store = CheckpointStore::open(root.path()).unwrap();
    // A directory in the place of the index makes the rename fail after the checkpoint's own.
    fs::create_dir_all(root.path().join(INDEX).join("in the way")).unwrap();
    let error = store.save(1, KeepAs::Last, contents("x")).unwrap_err();
    assert!(matches!(error, SaveError::File { .. }));
    assert!(error.to_string().contains(INDEX), "{error}");
    assert_eq!(directories(root.path()), [""; 0]);
    assert!(store.entry(Which::Last).is_none());
}

#[test]
fn an_unwritable_place_is_named() {
    let root = tempfile::tempdir().unwrap();
    let file = root.path().join("file");
    fs::write(&file, "").unwrap();
    let below = file.join("checkpoints");
    let message = match CheckpointStore::open(&below) {
        Err(error) => error.to_string(),
        Ok(mut store) => {
            let saved = store.save(1, KeepAs::Last, contents("x"));
            saved.unwrap_err().to_string()
        }
    };
    assert!(message.contains("file/checkpoints"), "{message}");
    assert!(!message.contains('\n'));
}

#[test]
fn a_crash_while_writing_keeps_the_previous_one() {
    if let Some(directory) = crash_directory() {
        let mut store = CheckpointStore::open(directory).unwrap();
        let _ = store.save(2, BEST, |directory| -> Written {
            fs::write(directory.join("model.bpk"), "half")?;
            crash()
        });
    }
    let root = tempfile::tempdir().unwrap();
    save(
        &mut CheckpointStore::open(root.path()).unwrap(),
        1,
        KeepAs::Last,
    );
    run_crashing_child(
        "checkpoint::tests::a_crash_while_writing_keeps_the_previous_one",
        root.path(),
    );
    assert_eq!(
        directories(root.path()),
        ["step-00000001", "step-00000002.tmp"]
    );
    let mut store = CheckpointStore::open(root.path()).unwrap();
    assert_eq!(model(&store, Which::Last), "weights 1");
    save(&mut store, 2, KeepAs::Last);
    assert_eq!(model(&store, Which::Last), "weights 2");
    assert_eq!(directories(root.path()), ["step-00000002"]);
}

/// A crash between the two renames: the new directory is there, the index is the old one.
#[test]
fn a_crash_before_the_index_keeps_the_previous_one() {
    let root = tempfile::tempdir().unwrap();
    let mut store = CheckpointStore::open(root.path()).unwrap();
    save(&mut store, 1, KeepAs::Last);
    let index = fs::read(root.path().join(INDEX)).unwrap();
    save(&mut store, 2, BEST);
    fs::write(root.path().join(INDEX), index).unwrap();
    fs::create_dir(root.path().join("step-00000001")).unwrap();
    contents("weights 1")(&root.path().join("step-00000001")).unwrap();
    fs::write(
        root.path().join("step-00000002/stale"),
        "from before the crash",
    )
    .unwrap();

    let mut store = CheckpointStore::open(root.path()).unwrap();
    assert_eq!(model(&store, Which::Last), "weights 1");
    save(&mut store, 2, KeepAs::Last);
    assert_eq!(directories(root.path()), ["step-00000002"]);
    assert!(!root.path().join("step-00000002/stale").exists());
}

#[test]
fn a_damaged_index_is_named_and_nothing_is_removed() {
    let root = tempfile::tempdir().unwrap();
    save(&mut CheckpointStore::open(root.path()).unwrap(), 1, BEST);
    let index = root.path().join(INDEX);
    let text = fs::read_to_string(&index).unwrap();
    for broken in [
        text[..text.len() / 2].to_owned(),
        text.replace("\"format\": 1", "\"format\": 2"),
        text.replace("step-00000001", "../elsewhere"),
        text.replace("state.json", "/etc/passwd"),
    ] {
        assert_ne!(broken, text);
        fs::write(&index, broken).unwrap();
        let message = CheckpointStore::open(root.path()).unwrap_err().to_string();
        assert!(message.contains("index.json is damaged"), "{message}");
    }
    assert_eq!(directories(root.path()), ["step-00000001"]);
}
