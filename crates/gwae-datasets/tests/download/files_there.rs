//! Files that exist before a download: right files stay, and wrong ones are never lost silently.

use std::fs::{self, File};

use gwae_datasets::{DataFileProblem, FetchOutcome, GetOptions};

use crate::server::{Server, proper};
use crate::{content, file, manifest, names, one_file, options, run, sha256, succeed};

fn serve(length: usize) -> Server {
    Server::start(move |_, request| proper(&content(length), None, request, usize::MAX))
}

fn replacing() -> GetOptions {
    GetOptions {
        replace: true,
        ..options()
    }
}

#[test]
fn what_is_there_and_right_is_not_fetched_again() {
    let bytes = content(300);
    let server = serve(300);
    let directory = tempfile::tempdir().unwrap();
    let manifest = one_file(&bytes, &[server.url("/a.bin")]);
    succeed(&manifest, directory.path(), &options(), &bytes);
    for options in [options(), replacing()] {
        let (outcome, _) = succeed(&manifest, directory.path(), &options, &bytes);
        assert_eq!(outcome, FetchOutcome::AlreadyThere { verified: true });
    }
    assert_eq!(server.requests().len(), 1);
}

#[test]
fn a_wrong_file_is_an_error_until_it_may_be_replaced() {
    let bytes = content(300);
    for wrong in [vec![1; 300], vec![1; 10], Vec::new()] {
        let server = serve(300);
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a.bin");
        fs::write(&path, &wrong).unwrap();
        fs::write(directory.path().join("a.bin.wrong"), "mine").unwrap();
        let manifest = one_file(&bytes, &[server.url("/a.bin")]);
        let (outcome, _) = run(&manifest, directory.path(), &options());
        let error = outcome.unwrap_err();
        assert!(
            matches!(error.problem, DataFileProblem::WrongFileThere { .. }),
            "{error}"
        );
        assert_eq!(fs::read(&path).unwrap(), wrong);
        assert!(server.requests().is_empty());

        let (outcome, _) = run(&manifest, directory.path(), &replacing());
        let files = outcome.unwrap();
        assert_eq!(fs::read(&path).unwrap(), bytes);
        let aside = directory.path().join("a.bin.wrong2");
        assert_eq!(files[0].kept_aside, std::slice::from_ref(&aside));
        assert_eq!(fs::read(aside).unwrap(), wrong);
        let kept = fs::read(directory.path().join("a.bin.wrong")).unwrap();
        assert_eq!(kept, b"mine");
    }
}

#[test]
fn a_failed_replacement_leaves_the_old_file() {
    let bytes = content(300);
    let server = Server::start(|_, request| proper(&[9; 300], None, request, usize::MAX));
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a.bin");
    fs::write(&path, "old").unwrap();
    let manifest = one_file(&bytes, &[server.url("/a.bin")]);
    let (outcome, _) = run(&manifest, directory.path(), &replacing());
    assert!(matches!(
        outcome.unwrap_err().problem,
        DataFileProblem::WrongChecksum { .. }
    ));
    assert_eq!(fs::read(&path).unwrap(), b"old");
    assert_eq!(names(directory.path()), ["a.bin"]);
}

#[test]
fn another_form_of_the_file_will_do_if_it_is_right() {
    let (packed, plain) = (content(300), content(900));
    let server = serve(300);
    let manifest = manifest(&format!(
        "{}[[files.also]]\nname = \"a\"\nbytes = 900\nsha256 = \"{}\"\nchecksum_source = \"the test\"\n",
        file("a.bin", &packed, &[server.url("/a.bin")]),
        sha256(&plain)
    ));
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a");
    fs::write(&path, &plain).unwrap();
    let (outcome, _) = run(&manifest, directory.path(), &options());
    let files = outcome.unwrap();
    assert_eq!(
        files[0].outcome,
        FetchOutcome::AlreadyThere { verified: true }
    );
    assert_eq!(files[0].path, path);
    assert!(server.requests().is_empty());

    // Readers might prefer this form, so a wrong one is not ignored.
    fs::write(&path, "wrong").unwrap();
    let (outcome, _) = run(&manifest, directory.path(), &options());
    let error = outcome.unwrap_err();
    assert!(error.subject.ends_with("/a"), "{error}");
    let (outcome, _) = run(&manifest, directory.path(), &replacing());
    assert_eq!(
        outcome.unwrap()[0].kept_aside,
        [directory.path().join("a.wrong")]
    );
    assert_eq!(names(directory.path()), ["a.bin", "a.wrong"]);
}

#[test]
fn another_process_is_not_disturbed() {
    let bytes = content(300);
    let server = serve(300);
    let directory = tempfile::tempdir().unwrap();
    let other = File::create(directory.path().join("a.bin.part")).unwrap();
    other.lock().unwrap();
    let manifest = one_file(&bytes, &[server.url("/a.bin")]);
    let (outcome, _) = run(&manifest, directory.path(), &options());
    assert!(matches!(
        outcome.unwrap_err().problem,
        DataFileProblem::Busy
    ));
    drop(other);
    succeed(&manifest, directory.path(), &options(), &bytes);
}

#[test]
fn a_file_in_the_place_of_the_directory_is_an_error() {
    let bytes = content(300);
    let server = serve(300);
    let directory = tempfile::tempdir().unwrap();
    let place = directory.path().join("place");
    fs::write(&place, "a file").unwrap();
    let manifest = one_file(&bytes, &[server.url("/a.bin")]);
    for directory in [place.clone(), place.join("below")] {
        let (outcome, _) = run(&manifest, &directory, &options());
        let error = outcome.unwrap_err();
        assert!(error.to_string().contains("place"), "{error}");
    }
    assert_eq!(fs::read(&place).unwrap(), b"a file");
}

#[test]
fn a_directory_in_the_place_of_the_file_is_an_error() {
    let bytes = content(300);
    let server = serve(300);
    let directory = tempfile::tempdir().unwrap();
    fs::create_dir(directory.path().join("a.bin")).unwrap();
    let manifest = one_file(&bytes, &[server.url("/a.bin")]);
    let (outcome, _) = run(&manifest, directory.path(), &options());
    assert!(matches!(
        outcome.unwrap_err().problem,
        DataFileProblem::WrongFileThere { .. }
    ));
}

#[test]
#[cfg(unix)]
fn a_directory_that_must_not_be_written_to_is_an_error() {
    use std::os::unix::fs::PermissionsExt;
    let bytes = content(300);
    let server = serve(300);
    let directory = tempfile::tempdir().unwrap();
    let closed = directory.path().join("closed");
    fs::create_dir(&closed).unwrap();
    fs::set_permissions(&closed, fs::Permissions::from_mode(0o555)).unwrap();
    // An administrator may write anywhere, so this test cannot run.
    if fs::write(closed.join("probe"), "").is_ok() {
        return;
    }
    let manifest = one_file(&bytes, &[server.url("/a.bin")]);
    let (outcome, _) = run(&manifest, &closed, &options());
    assert!(matches!(
        outcome.unwrap_err().problem,
        DataFileProblem::Permission(_)
    ));
}
