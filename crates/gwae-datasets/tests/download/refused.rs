//! Servers without the file, with another file, or that do not exist.

use std::fs;

use gwae_datasets::{Checksum, DataFileProblem, GetOptions};

use crate::server::{Server, chunked, proper, raw, status, whole};
use crate::{content, names, one_file, options, run, sha256, succeed};

fn problem_of(server: &Server, expected: &[u8]) -> (DataFileProblem, Vec<String>) {
    let directory = tempfile::tempdir().unwrap();
    let manifest = one_file(expected, &[server.url("/a.bin")]);
    let (outcome, _) = run(&manifest, directory.path(), &options());
    let error = outcome.unwrap_err();
    assert!(error.subject.ends_with("a.bin"), "{error}");
    (error.problem, names(directory.path()))
}

#[test]
fn wrong_bytes_are_named_and_removed() {
    let bytes = content(5_000);
    let mut served = bytes.clone();
    served[4_999] ^= 1;
    let other = sha256(&served);
    let server = Server::start(move |_, request| proper(&served, None, request, usize::MAX));
    let (problem, left) = problem_of(&server, &bytes);
    match &problem {
        DataFileProblem::WrongChecksum {
            expected, found, ..
        } => {
            assert_eq!(expected, &Checksum::Sha256(sha256(&bytes)));
            assert_eq!(found, &Checksum::Sha256(other.clone()));
        }
        other => panic!("{other:?}"),
    }
    let message = problem.to_string();
    assert!(message.contains(&sha256(&bytes)) && message.contains(&other));
    assert!(left.is_empty(), "{left:?}");
    assert_eq!(server.requests().len(), 1, "asking again would be useless");
}

#[test]
fn refusals_are_final_and_troubles_are_not() {
    for (line, code) in [
        ("404 Not Found", 404),
        ("403 Forbidden", 403),
        ("410 Gone", 410),
        ("204 No Content", 204),
        ("304 Not Modified", 304),
    ] {
        let server = Server::start(move |_, _| raw(line, &[], &[]));
        let (problem, left) = problem_of(&server, &content(10));
        assert!(
            matches!(problem, DataFileProblem::Status { status, .. } if status == code),
            "{problem:?}"
        );
        assert_eq!(server.requests().len(), 1);
        assert!(left.is_empty());
    }
    for line in ["500 Internal Server Error", "429 Too Many Requests"] {
        let server = Server::start(move |_, _| status(line));
        let (problem, left) = problem_of(&server, &content(10));
        assert!(
            matches!(problem, DataFileProblem::Connection { attempts: 3, .. }),
            "{problem:?}"
        );
        assert_eq!(server.requests().len(), 3);
        assert!(left.is_empty());
    }
}

#[test]
fn a_server_in_trouble_may_recover() {
    let bytes = content(1_000);
    let served = bytes.clone();
    let server = Server::start(move |number, request| match number {
        0 | 1 => status("502 Bad Gateway"),
        _ => proper(&served, None, request, usize::MAX),
    });
    let directory = tempfile::tempdir().unwrap();
    let manifest = one_file(&bytes, &[server.url("/a.bin")]);
    succeed(&manifest, directory.path(), &options(), &bytes);
    assert_eq!(server.requests().len(), 3);
}

#[test]
fn another_length_than_the_files_is_refused_before_a_byte_is_written() {
    for length in [999, 1_001, 0] {
        let server = Server::start(move |_, _| whole(&content(length), None, usize::MAX));
        let (problem, left) = problem_of(&server, &content(1_000));
        assert!(
            matches!(&problem, DataFileProblem::WrongLength { expected, found, .. }
                if expected == "1000 bytes" && *found == length.to_string()),
            "{problem:?}"
        );
        assert!(left.is_empty());
        assert_eq!(server.requests().len(), 1);
    }
}

#[test]
fn a_rest_of_another_file_is_refused() {
    let bytes = content(1_000);
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("a.bin.part"), &bytes[..400]).unwrap();
    for status in ["206 Partial Content", "416 Range Not Satisfiable"] {
        let range = if status.starts_with('2') {
            "Content-Range: bytes 400-1999/2000"
        } else {
            "Content-Range: bytes */100"
        };
        let server = Server::start(move |_, _| raw(status, &["Content-Length: 0", range], &[]));
        let manifest = one_file(&bytes, &[server.url("/a.bin")]);
        let (outcome, _) = run(&manifest, directory.path(), &options());
        assert!(matches!(
            outcome.unwrap_err().problem,
            DataFileProblem::WrongLength { .. }
        ));
    }
    let part = fs::read(directory.path().join("a.bin.part")).unwrap();
    assert_eq!(part, bytes[..400]);
}

#[test]
fn more_bytes_than_the_file_has_are_never_written() {
    let server = Server::start(|_, _| chunked(&content(300_000)));
    let (problem, left) = problem_of(&server, &content(1_000));
    assert!(
        matches!(problem, DataFileProblem::WrongLength { .. }),
        "{problem:?}"
    );
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn a_length_that_never_arrives_uses_up_the_attempts() {
    let bytes = content(1_000);
    let served = bytes.clone();
    let server = Server::start(move |_, request| proper(&served, None, request, 0));
    let (problem, _) = problem_of(&server, &bytes);
    assert!(matches!(
        problem,
        DataFileProblem::Connection { attempts: 3, .. }
    ));
    assert_eq!(server.requests().len(), 3);
}

#[test]
fn redirects_are_followed_but_not_for_ever() {
    let bytes = content(1_000);
    let served = bytes.clone();
    let server = Server::start(move |_, request| match request.path.as_str() {
        "/a.bin" => raw(
            "302 Found",
            &["Content-Length: 0", "Location: /store/a.bin"],
            &[],
        ),
        "/store/a.bin" => proper(&served, None, request, usize::MAX),
        _ => raw("302 Found", &["Content-Length: 0", "Location: /loop"], &[]),
    });
    let directory = tempfile::tempdir().unwrap();
    let manifest = one_file(&bytes, &[server.url("/a.bin")]);
    succeed(&manifest, directory.path(), &options(), &bytes);
    let directory = tempfile::tempdir().unwrap();
    let manifest = one_file(&bytes, &[server.url("/loop")]);
    let (outcome, _) = run(&manifest, directory.path(), &options());
    assert!(matches!(
        outcome.unwrap_err().problem,
        DataFileProblem::Redirects { .. }
    ));
    assert!(server.requests().len() < 20);
}

#[test]
fn no_server_no_http_and_no_encryption_are_errors() {
    let garbage = Server::start(|_, _| crate::server::Reply {
        bytes: b"220 this is not HTTP\r\n".to_vec(),
        ..Default::default()
    });
    // The server does not understand TLS, so it closes the connection at the greeting.
    let plain = Server::start(|_, _| status("400 Bad Request"));
    for url in [
        // The system gives this port to no program that asks for any free port, such as servers of
        // tests.
        "http://127.0.0.1:1/a.bin".to_owned(),
        garbage.url("/a.bin"),
        plain.url("/a.bin").replace("http://", "https://"),
    ] {
        let directory = tempfile::tempdir().unwrap();
        let manifest = one_file(&content(10), std::slice::from_ref(&url));
        let hasty = GetOptions {
            stall_timeout: std::time::Duration::from_millis(200),
            connect_timeout: std::time::Duration::from_millis(500),
            ..options()
        };
        let (outcome, _) = run(&manifest, directory.path(), &hasty);
        let error = outcome.unwrap_err();
        assert!(
            matches!(
                error.problem,
                DataFileProblem::Connection { .. }
                    | DataFileProblem::NoConnection { .. }
                    | DataFileProblem::NoEncryption { .. }
            ),
            "{error:?}"
        );
        assert!(error.to_string().contains(&url), "{error}");
        assert!(names(directory.path()).is_empty());
    }
}

#[test]
fn redirects_to_other_schemes_are_refused_by_name() {
    for target in ["file:///etc/passwd", "ftp://127.0.0.1/a.bin"] {
        let location = format!("Location: {target}");
        let server = Server::start(move |_, _| {
            raw("302 Found", &["Content-Length: 0", location.as_str()], &[])
        });
        let (problem, left) = problem_of(&server, &content(1_000));
        assert!(
            matches!(&problem, DataFileProblem::Redirect { target: t, .. } if t == target),
            "{problem:?}"
        );
        assert!(problem.to_string().contains("no HTTP address"), "{problem}");
        assert!(left.is_empty(), "{left:?}");
        assert_eq!(server.requests().len(), 1);
    }
}

#[test]
fn a_failed_download_leaves_no_directory_behind() {
    let server = Server::start(|_, _| status("404 Not Found"));
    let root = tempfile::tempdir().unwrap();
    let manifest = one_file(&content(1_000), &[server.url("/a.bin")]);
    for place in ["new", "new/and/deep", "."] {
        let (outcome, _) = run(&manifest, &root.path().join(place), &options());
        assert!(matches!(
            outcome.unwrap_err().problem,
            DataFileProblem::Status { status: 404, .. }
        ));
        assert!(names(root.path()).is_empty(), "{place}");
    }
    // A directory that was there stays, and so does what is in it.
    fs::create_dir_all(root.path().join("old/deep")).unwrap();
    run(&manifest, &root.path().join("old/deep"), &options())
        .0
        .unwrap_err();
    assert!(root.path().join("old/deep").is_dir());
}
