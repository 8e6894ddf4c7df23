//! Runs the program as a user does.

mod program;

use std::path::{Path, PathBuf};
use std::process::Output;

use program::{command, refused, text};

fn gwae(arguments: &[&str]) -> Output {
    program::gwae(arguments, Path::new("."))
}

fn golden(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../gwae-official/tests/golden")
        .join(name)
}

#[test]
fn help_and_version_are_no_errors() {
    let output = gwae(&["--version"]);
    assert!(output.status.success());
    assert_eq!(
        text(&output.stdout),
        format!("gwae {}\n", env!("CARGO_PKG_VERSION"))
    );
    for command in [
        "train",
        "resume",
        "data",
        "sample",
        "reconstruct",
        "traverse",
        "ood",
        "clusters",
        "metrics",
        "import",
        "verify",
    ] {
        let output = gwae(&[command, "--help"]);
        let help = text(&output.stdout);
        assert!(output.status.success());
        assert!(
            help.contains("Examples:") && help.contains(&format!("gwae {command}")),
            "{help}"
        );
        assert!(text(&gwae(&["--help"]).stdout).contains(command));
    }
    let output = gwae(&[]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("Examples:"));
}

#[test]
fn wrong_command_lines_are_one_line() {
    for (arguments, parts) in [
        (
            &["verify"][..],
            &["<TRAJECTORY.json>", "gwae verify --help"][..],
        ),
        (
            &["verify", "x.json", "--devise", "cpu"],
            &["--devise", "tip", "--device"],
        ),
        (
            &["verify", "x.json", "--device", "gpu"],
            &["`gpu` is no device"],
        ),
        (
            &["verify", "x.json", "--tolerance", "0"],
            &["must be a positive number"],
        ),
        (&["verify", "--checkpoint", "x.pth"], &["--expect"]),
        (&["veriffy"], &["veriffy", "verify"]),
        (&["sample", "run", "-n", "0"], &["0 is not in 1..=10000"]),
        (
            &["traverse", "run", "--dimensions", "5-3"],
            &["5-3 runs backwards"],
        ),
        (
            &["import", "x.pth", "--out", "run", "--form", "new"],
            &["corrected, official"],
        ),
    ] {
        let output = gwae(arguments);
        let message = refused(&output, 2);
        assert!(message.starts_with("error: "), "{message}");
        for part in parts {
            assert!(message.contains(part), "{part}: {message}");
        }
    }
}

#[test]
fn a_trajectory_that_agrees_is_a_success() {
    let path = golden("np_mmd.json");
    let output = gwae(&["verify", path.to_str().unwrap()]);
    let table = text(&output.stdout);
    assert!(output.status.success(), "{table}");
    for part in [
        "np_mmd.json: 3 steps on 4 images, prior neural, cpu in double precision",
        " loss_gw ",
        " parameter norms ",
        " evaluation pass ",
        "agrees: no loss differs by more than 0.001",
        "2 norms left out",
    ] {
        assert!(table.contains(part), "{part}: {table}");
    }
    // The precision of training.
    let output = gwae(&["verify", "--precision", "single", path.to_str().unwrap()]);
    assert!(output.status.success());
    assert!(text(&output.stdout).contains("single precision"));
}

#[test]
fn a_loss_that_differs_is_a_failure_and_a_norm_is_not() {
    let directory = tempfile::tempdir().unwrap();
    let original = std::fs::read_to_string(golden("np_mmd.json")).unwrap();
    let verify = |change: &dyn Fn(&mut serde_json::Value)| {
        let mut json: serde_json::Value = serde_json::from_str(&original).unwrap();
        change(&mut json);
        let path = directory.path().join("changed.json");
        std::fs::write(&path, json.to_string()).unwrap();
        let output = gwae(&["verify", "--tolerance", "1e-2", path.to_str().unwrap()]);
        let marked = text(&output.stdout);
        let marked = marked.lines().filter(|line| line.contains('✗'));
        let marked: Vec<String> = marked.map(str::to_owned).collect();
        (output.status.code(), marked, text(&output.stderr))
    };
    let scale = |value: &mut serde_json::Value, factor: f64| {
        *value = (factor * value.as_f64().unwrap()).into();
    };

    let (code, marked, _) = verify(&|json| scale(&mut json["losses"][1]["loss_qentropy"], 1.02));
    assert_eq!((code, marked.len()), (Some(1), 1));
    assert!(
        marked[0].contains("loss_qentropy") && marked[0].ends_with("step 2"),
        "{marked:?}"
    );
    // Within this tolerance.
    let (code, marked, _) = verify(&|json| scale(&mut json["losses"][1]["loss_qentropy"], 1.005));
    assert_eq!((code, marked.len()), (Some(0), 0));
    let norm = "dec_block.net.0.weight";
    let (code, marked, _) = verify(&|json| scale(&mut json["param_norms_after"][norm], 1.02));
    assert_eq!((code, marked.len()), (Some(0), 1));
    assert!(marked[0].contains(norm), "{marked:?}");
    let (code, marked, _) = verify(&|json| scale(&mut json["eval_after"]["mean_row0"][3], 1.1));
    assert_eq!((code, marked.len()), (Some(0), 1));
    assert!(marked[0].ends_with("mean[3]"), "{marked:?}");

    let refused = |change: &dyn Fn(&mut serde_json::Value), part: &str| {
        let (code, _, message) = verify(change);
        assert_eq!(code, Some(1), "{message}");
        assert_eq!(message.lines().count(), 1, "{message}");
        assert!(
            message.contains("changed.json") && message.contains(part),
            "{message}"
        );
    };
    refused(
        &|json| json["losses"] = serde_json::json!([]),
        "`losses` is empty",
    );
    refused(
        &|json| json["losses"][2]["loss_new"] = 1.0.into(),
        "`loss_new` (step 3) is no loss",
    );
    refused(&|json| json["batch"] = 1.into(), "`batch` is 1");
    refused(
        &|json| json["batch"] = 1_000_000_000_000_u64.into(),
        "`batch` is 1000000000000",
    );
    refused(
        &|json| json["batch"] = "four".into(),
        "is no trajectory file",
    );
    refused(
        &|json| json["hyperparameters"]["sampler_type"] = "flow".into(),
        "`flow` is unknown",
    );
    refused(
        &|json| json["hyperparameters"]["z_dim"] = 0.into(),
        "latent_dim",
    );
    refused(
        &|json| json["hyperparameters"]["lr"] = (-1.0).into(),
        "must not be negative",
    );
}

/// A setting that the authors' program ignores changes nothing here, and a note says so.
#[test]
fn hyperparameters_without_effect_are_ignored() {
    let text_of = std::fs::read_to_string(golden("np_mmd.json")).unwrap();
    let mut json: serde_json::Value = serde_json::from_str(&text_of).unwrap();
    json["hyperparameters"]["mixed_potential"] = true.into();
    json["hyperparameters"]["zdim"] = 3.into();
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("np_mmd.json");
    std::fs::write(&path, json.to_string()).unwrap();
    let output = gwae(&["verify", path.to_str().unwrap()]);
    let errors = text(&output.stderr);
    assert!(output.status.success(), "{errors}");
    assert_eq!(errors.lines().count(), 1, "{errors}");
    assert!(errors.contains("ignored: zdim"), "{errors}");
}

/// A file that cannot be checked does not stop the check of the others.
#[test]
fn the_other_files_are_still_checked() {
    let directory = tempfile::tempdir().unwrap();
    let broken = directory.path().join("broken.json");
    std::fs::write(&broken, "{\"name\": \"x\"").unwrap();
    let good = golden("np_mmd.json");
    let output = gwae(&[
        "verify",
        "absent.json",
        broken.to_str().unwrap(),
        directory.path().to_str().unwrap(),
        good.to_str().unwrap(),
    ]);
    assert_eq!(output.status.code(), Some(1));
    let errors = text(&output.stderr);
    let errors: Vec<&str> = errors.lines().collect();
    assert_eq!(errors.len(), 3, "{errors:?}");
    assert!(
        errors[0].contains("absent.json: cannot be read"),
        "{errors:?}"
    );
    assert!(
        errors[1].contains("broken.json: is no trajectory file"),
        "{errors:?}"
    );
    assert!(errors[2].contains("cannot be read"), "{errors:?}");
    assert!(text(&output.stdout).contains("agrees"));
}

#[test]
fn a_device_that_is_not_there_is_one_line() {
    let path = golden("np_mmd.json");
    for (arguments, part) in [
        (&["--device", "cpu:1"][..], "`cpu:1` is no device"),
        (
            &["--device", "cuda", "--precision", "double"],
            "only the cpu",
        ),
        (
            &[
                "--precision",
                "bf16",
                "--checkpoint",
                "a.pth",
                "--expect",
                "a.json",
            ],
            "is for training steps",
        ),
    ] {
        let output = gwae(&[&["verify", path.to_str().unwrap()], arguments].concat());
        let message = text(&output.stderr);
        assert!(!output.status.success());
        assert_eq!(message.lines().count(), 1, "{message}");
        assert!(message.contains(part), "{message}");
    }
}

/// The differences are printed, and not called agreement.
#[test]
fn reduced_precision_is_compared_and_differs() {
    let path = golden("np_merged.json");
    for precision in ["bf16", "f16"] {
        let output = gwae(&["verify", path.to_str().unwrap(), "--precision", precision]);
        let report = text(&output.stdout);
        assert_eq!(output.status.code(), Some(1), "{report}");
        assert!(report.contains(&format!("cpu in {precision}")), "{report}");
        assert!(report.contains("DIFFERS"), "{report}");
    }
}

#[test]
#[cfg(target_os = "linux")]
fn what_cannot_be_printed_is_a_failure() {
    for arguments in [&["--help"][..], &["data", "list"]] {
        let full = std::fs::OpenOptions::new().write(true).open("/dev/full");
        let output = command(arguments, Path::new("."))
            .stdout(full.unwrap())
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(1), "{arguments:?}");
        let said = text(&output.stderr);
        assert!(
            said.starts_with("error: cannot write to standard output:")
                && said.lines().count() == 1,
            "{said}"
        );
    }
}

/// As in `gwae verify … | head -1`.
#[test]
fn a_reader_that_has_gone_is_no_panic() {
    let path = golden("np_mmd.json");
    let mut command = command(&["verify", path.to_str().unwrap()], Path::new("."));
    command.stdout(std::process::Stdio::piped());
    command.stderr(std::process::Stdio::piped());
    let mut child = command.spawn().unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert_eq!(text(&output.stderr), "");
}
