use super::*;
use crate::crash_tests::{crash, crash_directory, run_crashing_child};

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

fn model(store: &mut CheckpointStore, which: Which) -> String {
    let mut checkpoint = store.read(which).unwrap();
    String::from_utf8(checkpoint.take("model.bpk").unwrap().bytes).unwrap()
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

const BEST: KeepAs = KeepAs::LastAndBest { monitored: 2.5 };

#[test]
fn checkpoints_whose_index_was_lost_are_found() {
    let root = tempfile::tempdir().unwrap();
    let root = root.path();
    let mut store = CheckpointStore::open(root).unwrap();
    save(&mut store, 99_999_999, BEST);
    save(&mut store, 100_000_000, KeepAs::Last);
    // The same step again, as after a resume from the best one.
    save(&mut store, 100_000_000, KeepAs::Last);
    fs::create_dir(root.join("step-200000000.tmp")).unwrap();
    fs::create_dir(root.join("my copy")).unwrap();
    fs::remove_file(root.join(INDEX)).unwrap();
    let mut store = CheckpointStore::open(root).unwrap();
    let step = |store: &CheckpointStore, which| store.entry(which).unwrap().step;
    assert_eq!(step(&store, Which::Last), 100_000_000);
    assert_eq!(model(&mut store, Which::Last), "weights 100000000");
    assert_eq!(model(&mut store, Which::Best), "weights 99999999");
    assert!(!root.join(INDEX).exists());
    save(&mut store, 100_000_001, KeepAs::Last);
    let mut store = CheckpointStore::open(root).unwrap();
    assert_eq!(step(&store, Which::Last), 100_000_001);
    assert_eq!(model(&mut store, Which::Best), "weights 99999999");
    assert!(root.join("my copy").exists());
}

#[test]
fn last_and_best_are_kept_and_others_removed() {
    let root = tempfile::tempdir().unwrap();
    let root = root.path().join("checkpoints");
    let mut store = CheckpointStore::open(&root).unwrap();
    assert!(matches!(
        store.read(Which::Last),
        Err(CheckpointError::Missing { .. })
    ));
    save(&mut store, 100, BEST);
    save(&mut store, 200, KeepAs::Last);
    save(&mut store, 300, KeepAs::Last);
    assert_eq!(directories(&root), ["step-00000100", "step-00000300"]);
    let mut store = CheckpointStore::open(&root).unwrap();
    assert_eq!(model(&mut store, Which::Last), "weights 300");
    assert_eq!(model(&mut store, Which::Best), "weights 100");
    let best = store.entry(Which::Best).unwrap();
    assert_eq!((best.step, best.monitored), (100, Some(2.5)));
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
        assert_eq!(model(&mut store, Which::Last), text);
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
        let message = store.read(Which::Last).unwrap_err().to_string();
        assert!(
            message.contains("step-00000800/model.bpk is damaged"),
            "{message}"
        );
        assert!(message.contains(problem), "{message}");
        assert!(message.ends_with(
            "the best checkpoint (step 700) is intact: use that one (--checkpoint best)"
        ));
        assert_eq!(model(&mut store, Which::Best), "weights 700");
        damage(&root.path().join("step-00000700/model.bpk"));
        let message = store.read(Which::Last).unwrap_err().to_string();
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
    assert_eq!(model(&mut store, Which::Last), "weights 1");

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
            gwae_formats::atomic::write_atomically_with(&directory.join("model.bpk"), |_| {
                crate::crash_tests::fill_the_disk()
            })
        })
        .unwrap_err();
    let message = error.to_string();
    assert!(message.contains("step 2 was not saved"), "{message}");
    assert!(message.contains("model.bpk: the disk is full"), "{message}");
    assert_eq!(model(&mut store, Which::Last), "weights 1");
}

#[test]
fn an_index_that_cannot_be_written_leaves_nothing() {
    let root = tempfile::tempdir().unwrap();
    let mut store = CheckpointStore::open(root.path()).unwrap();
    // A directory at the place of the index: the second rename fails, the checkpoint's own does
    // not.
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
    assert_eq!(model(&mut store, Which::Last), "weights 1");
    save(&mut store, 2, KeepAs::Last);
    assert_eq!(model(&mut store, Which::Last), "weights 2");
    assert_eq!(directories(root.path()), ["step-00000002"]);
}

/// A crash between the two renames: the new directory exists, the index is still the old one.
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
    assert_eq!(model(&mut store, Which::Last), "weights 1");
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

fn steps(store: &CheckpointStore) -> Vec<u64> {
    store.entries().iter().map(|entry| entry.step).collect()
}

#[test]
fn the_newest_and_the_best_are_kept() {
    let root = tempfile::tempdir().unwrap();
    let root = root.path();
    let open = || CheckpointStore::open(root).unwrap().with_keep(3);
    let mut store = open();
    save(&mut store, 100, BEST);
    fs::create_dir(root.join("my copy")).unwrap();
    for (step, expected) in [
        (200, vec![200, 100]),
        (300, vec![300, 200, 100]),
        (400, vec![400, 300, 200, 100]),
        (500, vec![500, 400, 300, 100]),
    ] {
        // As if every step belonged to a resumed run.
        store = open();
        save(&mut store, step, KeepAs::Last);
        assert_eq!(steps(&store), expected);
        assert_eq!(directories(root).len(), expected.len() + 1);
    }
    let mut store = open();
    assert_eq!(model(&mut store, Which::Last), "weights 500");
    assert_eq!(model(&mut store, Which::Best), "weights 100");
    for step in [500, 400, 300, 100] {
        assert_eq!(
            model(&mut store, Which::Step(step)),
            format!("weights {step}")
        );
    }
    let message = store.read(Which::Step(200)).unwrap_err().to_string();
    assert!(
        message.ends_with(
            "holds no checkpoint of step 200: the steps of those that it holds are 100, 300, 400, 500"
        ),
        "{message}"
    );

    // A new best one among the newest; the old best one is removed.
    let mut store = open();
    save(&mut store, 600, BEST);
    assert_eq!(steps(&store), [600, 500, 400]);
    // With a smaller number to keep, the next save removes the others.
    let mut store = CheckpointStore::open(root).unwrap();
    save(&mut store, 700, KeepAs::Last);
    assert_eq!(steps(&store), [700, 600]);
    assert_eq!(
        directories(root),
        ["my copy", "step-00000600", "step-00000700"]
    );
}

#[test]
fn going_on_from_an_older_one_keeps_one_of_each_step() {
    let root = tempfile::tempdir().unwrap();
    let mut store = CheckpointStore::open(root.path()).unwrap().with_keep(3);
    for step in [100, 200, 300] {
        save(&mut store, step, KeepAs::Last);
    }
    store
        .save(200, KeepAs::Last, contents("second time"))
        .unwrap();
    assert_eq!(steps(&store), [200, 300, 100]);
    assert_eq!(model(&mut store, Which::Step(200)), "second time");
    assert_eq!(directories(root.path()).len(), 3);
}

#[test]
fn more_than_two_checkpoints_whose_index_was_lost_are_found() {
    let root = tempfile::tempdir().unwrap();
    let root = root.path();
    let mut store = CheckpointStore::open(root).unwrap().with_keep(3);
    save(&mut store, 100, BEST);
    for step in [200, 300, 400, 500] {
        save(&mut store, step, KeepAs::Last);
    }
    fs::remove_file(root.join(INDEX)).unwrap();
    let mut store = CheckpointStore::open(root).unwrap().with_keep(3);
    assert_eq!(steps(&store), [500, 400, 300, 100]);
    assert_eq!(model(&mut store, Which::Best), "weights 100");
    save(&mut store, 600, KeepAs::Last);
    assert_eq!(steps(&store), [600, 500, 400, 100]);
}

#[test]
fn any_intact_checkpoint_is_offered_for_a_damaged_one() {
    let root = tempfile::tempdir().unwrap();
    let mut store = CheckpointStore::open(root.path()).unwrap().with_keep(3);
    for step in [100, 200, 300] {
        save(&mut store, step, KeepAs::Last);
    }
    fs::remove_file(root.path().join("step-00000300/model.bpk")).unwrap();
    let message = store.read(Which::Last).unwrap_err().to_string();
    assert!(
        message.ends_with("the checkpoint of step 200 is intact: use that one (--checkpoint 200)"),
        "{message}"
    );
    let message = store.read(Which::Step(300)).unwrap_err().to_string();
    assert!(message.contains("--checkpoint 200"), "{message}");
    assert_eq!(model(&mut store, Which::Step(200)), "weights 200");
}

#[test]
fn kept_checkpoints_outside_the_directory_are_refused() {
    let root = tempfile::tempdir().unwrap();
    let mut store = CheckpointStore::open(root.path()).unwrap().with_keep(2);
    save(&mut store, 1, KeepAs::Last);
    save(&mut store, 2, KeepAs::Last);
    let index = root.path().join(INDEX);
    let text = fs::read_to_string(&index).unwrap();
    let broken = text.replace("step-00000001", "../elsewhere");
    assert_ne!(broken, text);
    fs::write(&index, broken).unwrap();
    let message = CheckpointStore::open(root.path()).unwrap_err().to_string();
    assert!(message.contains("no plain file name"), "{message}");
}

/// An earlier version wrote this text.
#[test]
fn indices_of_earlier_runs_are_read() {
    let root = tempfile::tempdir().unwrap();
    let sha256 = "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a";
    let entry = |step: u64, loss: &str| {
        let directory = format!("step-{step:08}");
        fs::create_dir(root.path().join(&directory)).unwrap();
        fs::write(root.path().join(&directory).join("state.json"), "{}").unwrap();
        format!(
            r#"{{"step": {step}, "directory": "{directory}", "validation_loss": {loss},
                "files": {{"state.json": {{"bytes": 2, "sha256": "{sha256}"}}}}}}"#
        )
    };
    let (last, best) = (entry(400, "null"), entry(300, "7.25"));
    let text = format!(r#"{{"format": 1, "last": {last}, "best": {best}}}"#);
    fs::write(root.path().join(INDEX), text).unwrap();
    let mut store = CheckpointStore::open(root.path()).unwrap().with_keep(2);
    store.read(Which::Last).unwrap();
    store.read(Which::Best).unwrap();
    let best = store.entry(Which::Best).unwrap();
    assert_eq!((best.step, best.monitored), (300, Some(7.25)));
    save(&mut store, 500, KeepAs::Last);
    let store = CheckpointStore::open(root.path()).unwrap();
    assert_eq!(steps(&store), [500, 400, 300]);
    assert_eq!(store.entry(Which::Best).unwrap().monitored, Some(7.25));
}

/// A crash after the index was written, before the old directories were removed.
#[test]
fn a_crash_before_the_removal_leaves_litter_that_the_next_save_removes() {
    let root = tempfile::tempdir().unwrap();
    let mut store = CheckpointStore::open(root.path()).unwrap().with_keep(2);
    for step in [1, 2, 3] {
        save(&mut store, step, KeepAs::Last);
    }
    fs::create_dir(root.path().join("step-00000001")).unwrap();
    let mut store = CheckpointStore::open(root.path()).unwrap().with_keep(2);
    assert_eq!(steps(&store), [3, 2]);
    save(&mut store, 4, KeepAs::Last);
    assert_eq!(directories(root.path()), ["step-00000003", "step-00000004"]);
}

#[test]
fn the_best_one_is_compared_by_the_goal() {
    let root = tempfile::tempdir().unwrap();
    let mut store = CheckpointStore::open(root.path()).unwrap();
    let best = |monitored| KeepAs::LastAndBest { monitored };
    let keep_as = |store: &CheckpointStore, value, goal| store.keep_as(value, goal, None);
    assert_eq!(keep_as(&store, 9.0, Goal::Lowest), best(9.0));
    assert_eq!(keep_as(&store, f64::NAN, Goal::Lowest), KeepAs::Last);
    save(&mut store, 1, BEST);
    for (value, goal, expected) in [
        (2.4, Goal::Lowest, best(2.4)),
        (2.5, Goal::Lowest, KeepAs::Last),
        (2.6, Goal::Lowest, KeepAs::Last),
        (2.4, Goal::Highest, KeepAs::Last),
        (2.5, Goal::Highest, KeepAs::Last),
        (2.6, Goal::Highest, best(2.6)),
    ] {
        assert_eq!(keep_as(&store, value, goal), expected, "{value} {goal:?}");
    }
    fs::remove_file(root.path().join(INDEX)).unwrap();
    let store = CheckpointStore::open(root.path()).unwrap();
    let made_anew = |known| store.keep_as(2.6, Goal::Lowest, known);
    assert_eq!(made_anew(Some(2.5)), KeepAs::Last);
    assert_eq!(made_anew(None), best(2.6));
}

#[test]
fn checkpoints_have_names() {
    for (name, which) in [
        ("last", Which::Last),
        ("best", Which::Best),
        ("500", Which::Step(500)),
    ] {
        assert_eq!(name.parse(), Ok(which));
        assert_eq!(which.to_string(), name);
    }
    let message = "lats".parse::<Which>().unwrap_err().to_string();
    assert_eq!(
        message,
        "`lats` names no checkpoint: give `last`, `best` or a step, such as 500"
    );
}

/// The writer removes each checkpoint as soon as it has saved the next one.
#[test]
fn checkpoints_are_read_while_another_process_saves() {
    const STEPS: u64 = 300;
    let root = tempfile::tempdir().unwrap();
    let root = root.path();
    let mut store = CheckpointStore::open(root).unwrap();
    save(&mut store, 1, KeepAs::Last);
    std::thread::scope(|scope| {
        let writer = scope.spawn(move || (2..=STEPS).for_each(|step| save(&mut store, step, BEST)));
        let mut reads = 0;
        while !writer.is_finished() {
            let mut store = CheckpointStore::open(root).unwrap();
            let mut checkpoint = store.read(Which::Last).unwrap();
            let model = checkpoint.take("model.bpk").unwrap().bytes;
            assert_eq!(model, format!("weights {}", checkpoint.step).as_bytes());
            reads += 1;
        }
        assert!(reads > 0);
    });
    let mut store = CheckpointStore::open(root).unwrap();
    assert_eq!(model(&mut store, Which::Last), format!("weights {STEPS}"));
}
