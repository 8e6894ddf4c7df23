//! Runs on several devices.

use super::*;

/// Options with these devices.
fn on(devices: &str) -> SessionOptions {
    SessionOptions {
        devices: devices.parse().unwrap(),
        ..silent()
    }
}

#[test]
fn several_devices_resume_bit_for_bit_and_one_is_as_without_a_list() {
    let root = tempfile::tempdir().unwrap();
    let path = |name| root.path().join(name);
    let mut config = config();
    config.training.steps = Some(4);
    let mut shorter = config.clone();
    shorter.training.steps = Some(2);
    start(&config, &path("whole"), on("cpu,cpu")).unwrap();
    start(&shorter, &path("parts"), on("cpu,cpu")).unwrap();
    resume(&path("parts"), &steps(4), on("cpu,cpu")).unwrap();
    let result = |name| {
        let path = path(name);
        (state(&path, Which::Last), training_state(&path))
    };
    assert_eq!(result("whole"), result("parts"));

    start(&config, &path("single"), silent()).unwrap();
    start(&config, &path("list of one"), on("cpu:0")).unwrap();
    assert_eq!(result("single"), result("list of one"));
    assert_eq!(log(&path("single")), log(&path("list of one")));
    assert_ne!(result("single").0, result("whole").0);
}

#[test]
fn a_run_goes_on_with_another_number_of_devices() {
    let root = tempfile::tempdir().unwrap();
    let mut config = config();
    config.training.steps = Some(1);
    for (before, after) in [("cpu", "cpu,cpu"), ("cpu,cpu,cpu,cpu", "cpu")] {
        let path = root.path().join(before);
        start(&config, &path, on(before)).unwrap();
        let summary = resume(&path, &steps(2), on(after)).unwrap();
        assert_eq!(summary.step, 2);
        let record = std::fs::read_to_string(path.join("run.json")).unwrap();
        let written = |devices| record.contains(&format!("\"device\": \"{devices}\""));
        assert!(written(before) && written(after), "{record}");
    }
}

#[test]
fn a_batch_that_the_devices_cannot_share_is_refused_before_anything_is_made() {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("run");
    for (batch_size, devices, message) in [
        (
            9,
            "cpu,cpu",
            "batch_size = 9 cannot be divided evenly among 2",
        ),
        (2, "cpu,cpu", "batch_size = 2 is one image for each of 2"),
    ] {
        let mut config = config();
        config.training.batch_size = batch_size;
        let error = start(&config, &path, on(devices)).unwrap_err();
        assert!(error.to_string().contains(message), "{error}");
        assert!(!path.exists());
    }
    let mut config = config();
    config.training.steps = Some(1);
    start(&config, &path, silent()).unwrap();
    let before = std::fs::read(path.join("run.json")).unwrap();
    let error = resume(&path, &steps(2), on("cpu,cpu,cpu")).unwrap_err();
    assert!(error.to_string().contains("among 3 devices"), "{error}");
    assert_eq!(std::fs::read(path.join("run.json")).unwrap(), before);
}
