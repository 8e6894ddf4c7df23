//! Interrupted connections, and their continuation.

use std::fs;
use std::time::{Duration, Instant};

use gwae_datasets::{DataFileProblem, FetchOutcome, GetOptions};
use proptest::prelude::*;

use crate::server::{Reply, Request, Server, chunked, proper, raw, status, whole};
use crate::{content, file, manifest, names, one_file, options, run, sha256, succeed};

const ALL: usize = usize::MAX;

fn downloaded(outcome: &FetchOutcome) -> (u64, bool) {
    match outcome {
        FetchOutcome::Downloaded {
            resumed_from,
            verified,
            ..
        } => (*resumed_from, *verified),
        there => panic!("{there:?}"),
    }
}

#[test]
fn a_lost_connection_is_continued_where_it_broke() {
    let bytes = content(100_000);
    let served = bytes.clone();
    let server = Server::start(move |number, request| {
        let sent = if number == 0 { 40_000 } else { ALL };
        proper(&served, Some("\"v1\""), request, sent)
    });
    let directory = tempfile::tempdir().unwrap();
    let manifest = one_file(&bytes, &[server.url("/a.bin")]);
    let (outcome, events) = succeed(&manifest, directory.path(), &options(), &bytes);
    assert_eq!(downloaded(&outcome), (0, true));
    let requests = server.requests();
    assert_eq!(requests.len(), 2);
    assert_eq!((requests[0].from, &requests[0].if_range), (None, &None));
    assert_eq!(requests[1].from, Some(40_000));
    assert_eq!(requests[1].if_range.as_deref(), Some("\"v1\""));
    assert!(events.iter().any(|event| event.starts_with("Retry")));
    assert!(events.contains(&"Downloading 100000 Some(100000)".to_owned()));
    assert!(events.contains(&"Verifying 100000 Some(100000)".to_owned()));
}

#[test]
fn a_later_call_continues_what_an_earlier_one_left() {
    let bytes = content(100_000);
    let served = bytes.clone();
    let server = Server::start(move |number, request| {
        let sent = if number == 0 { 70_000 } else { ALL };
        proper(&served, Some("\"v1\""), request, sent)
    });
    let directory = tempfile::tempdir().unwrap();
    let manifest = one_file(&bytes, &[server.url("/a.bin")]);
    let once = GetOptions {
        attempts: 1,
        ..options()
    };
    let (failed, _) = run(&manifest, directory.path(), &once);
    let error = failed.unwrap_err();
    assert!(
        matches!(
            error.problem,
            DataFileProblem::Connection { attempts: 1, .. }
        ),
        "{error}"
    );
    let part = fs::read(directory.path().join("a.bin.part")).unwrap();
    assert_eq!(part, bytes[..70_000]);
    assert!(!directory.path().join("a.bin").exists());
    let (outcome, _) = succeed(&manifest, directory.path(), &once, &bytes);
    assert_eq!(downloaded(&outcome), (70_000, true));
    let requests = server.requests();
    assert_eq!(requests[1].from, Some(70_000));
    assert_eq!(requests[1].if_range.as_deref(), Some("\"v1\""));
}

#[test]
fn a_server_that_ignores_ranges_sends_everything_again() {
    let bytes = content(50_000);
    let served = bytes.clone();
    let server = Server::start(move |number, _| {
        whole(&served, None, if number == 0 { 30_000 } else { ALL })
    });
    let directory = tempfile::tempdir().unwrap();
    let manifest = one_file(&bytes, &[server.url("/a.bin")]);
    let (outcome, events) = succeed(&manifest, directory.path(), &options(), &bytes);
    assert_eq!(downloaded(&outcome), (0, true));
    assert_eq!(server.requests()[1].from, Some(30_000));
    assert!(events.iter().any(|event| event.starts_with("StartOver")));
}

#[test]
fn another_version_on_the_server_is_fetched_whole() {
    let bytes = content(50_000);
    let (old, new) = (vec![7; 50_000], bytes.clone());
    let server = Server::start(move |number, request| {
        if number == 0 {
            proper(&old, Some("\"old\""), request, 30_000)
        } else {
            proper(&new, Some("\"new\""), request, ALL)
        }
    });
    let directory = tempfile::tempdir().unwrap();
    let manifest = one_file(&bytes, &[server.url("/a.bin")]);
    succeed(&manifest, directory.path(), &options(), &bytes);
    assert_eq!(server.requests().len(), 2);
}

#[test]
fn pieces_of_two_versions_are_found_out_and_fetched_anew() {
    let bytes = content(50_000);
    let (old, new) = (vec![7; 50_000], bytes.clone());
    let server = Server::start(move |number, request| {
        if number == 0 {
            proper(&old, None, request, 30_000)
        } else {
            proper(&new, None, request, ALL)
        }
    });
    let directory = tempfile::tempdir().unwrap();
    let manifest = one_file(&bytes, &[server.url("/a.bin")]);
    let (outcome, events) = succeed(&manifest, directory.path(), &options(), &bytes);
    assert_eq!(downloaded(&outcome), (0, true));
    let from: Vec<_> = server.requests().iter().map(|r| r.from).collect();
    assert_eq!(from, [None, Some(30_000), None]);
    assert!(events.iter().any(|event| event.contains("wrong checksum")));
}

#[test]
fn what_an_unknown_hand_left_is_no_obstacle() {
    let bytes = content(20_000);
    // Wrong bytes that are too short, exactly as long, and too long; and an incomplete record of
    // their origin.
    for left in [5_000, 20_000, 30_000] {
        let served = bytes.clone();
        let server = Server::start(move |_, request| proper(&served, None, request, ALL));
        let directory = tempfile::tempdir().unwrap();
        fs::write(directory.path().join("a.bin.part"), vec![1; left]).unwrap();
        fs::write(directory.path().join("a.bin.part.from"), "http://12").unwrap();
        let manifest = one_file(&bytes, &[server.url("/a.bin")]);
        let (outcome, events) = succeed(&manifest, directory.path(), &options(), &bytes);
        assert_eq!(downloaded(&outcome), (0, true));
        assert!(events.iter().any(|event| event.starts_with("StartOver")));
    }
}

#[test]
fn a_complete_partial_file_needs_no_server() {
    let bytes = content(20_000);
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("a.bin.part"), &bytes).unwrap();
    let server = Server::start(|_, _| status("404 Not Found"));
    let manifest = one_file(&bytes, &[server.url("/a.bin")]);
    let (outcome, _) = succeed(&manifest, directory.path(), &options(), &bytes);
    assert_eq!(downloaded(&outcome), (20_000, true));
    assert!(server.requests().is_empty());
}

#[test]
fn a_range_that_cannot_be_served_starts_over() {
    let bytes = content(20_000);
    let wrong_range = raw(
        "206 Partial Content",
        &["Content-Length: 2", "Content-Range: bytes 0-1/20000"],
        &[0, 0],
    );
    let no_range = raw("206 Partial Content", &["Content-Length: 2"], &[0, 0]);
    for refusal in [
        status("416 Range Not Satisfiable"),
        raw(
            "416 Range Not Satisfiable",
            &["Content-Length: 0", "Content-Range: bytes */20000"],
            &[],
        ),
        wrong_range,
        no_range,
    ] {
        let served = bytes.clone();
        let server = Server::start(move |_, request| match request.from {
            Some(_) => refusal.clone(),
            None => whole(&served, None, ALL),
        });
        let directory = tempfile::tempdir().unwrap();
        fs::write(directory.path().join("a.bin.part"), &bytes[..9_000]).unwrap();
        let manifest = one_file(&bytes, &[server.url("/a.bin")]);
        let (outcome, _) = succeed(&manifest, directory.path(), &options(), &bytes);
        assert_eq!(downloaded(&outcome), (0, true));
        let from: Vec<_> = server.requests().iter().map(|r| r.from).collect();
        assert_eq!(from, [Some(9_000), None]);
    }
}

#[test]
fn chunks_that_end_early_are_continued() {
    let bytes = content(20_000);
    let served = bytes.clone();
    let server = Server::start(move |number, request| {
        if number == 0 {
            chunked(&served[..12_000])
        } else {
            proper(&served, None, request, ALL)
        }
    });
    let directory = tempfile::tempdir().unwrap();
    let manifest = one_file(&bytes, &[server.url("/a.bin")]);
    succeed(&manifest, directory.path(), &options(), &bytes);
    assert_eq!(server.requests()[1].from, Some(12_000));
}

#[test]
fn a_server_that_falls_silent_is_given_up_in_time() {
    let bytes = content(20_000);
    let served = bytes.clone();
    let server = Server::start(move |_, request| {
        let mut reply = proper(&served, None, request, 100);
        reply.stall = Duration::from_secs(5);
        reply
    });
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("a.bin.part"), &bytes[..100]).unwrap();
    let manifest = one_file(&bytes, &[server.url("/a.bin")]);
    let hasty = GetOptions {
        stall_timeout: Duration::from_millis(150),
        ..options()
    };
    let start = Instant::now();
    let (failed, _) = run(&manifest, directory.path(), &hasty);
    // Waiting for the server would take three times 5 s.
    assert!(start.elapsed() < Duration::from_secs(10));
    let error = failed.unwrap_err();
    assert!(
        matches!(
            error.problem,
            DataFileProblem::Connection { attempts: 3, .. }
        ),
        "{error}"
    );
    assert!(error.to_string().contains("timeout"), "{error}");
    // The bytes of each attempt, at most 100, are appended to the existing ones.
    let part = fs::read(directory.path().join("a.bin.part")).unwrap();
    assert!((100..=400).contains(&part.len()), "{}", part.len());
    assert_eq!(part, bytes[..part.len()]);
    let continued = |request: &Request| request.from.is_some_and(|from| from <= part.len());
    assert!(server.requests().iter().all(continued));
}

#[test]
fn silence_before_the_answer_is_bounded_too() {
    let server = Server::start(|_, _| Reply {
        drip: None,
        bytes: Vec::new(),
        stall: Duration::from_secs(5),
    });
    let directory = tempfile::tempdir().unwrap();
    let manifest = one_file(&content(10), &[server.url("/a.bin")]);
    let hasty = GetOptions {
        stall_timeout: Duration::from_millis(150),
        attempts: 1,
        ..options()
    };
    let start = Instant::now();
    let (failed, _) = run(&manifest, directory.path(), &hasty);
    assert!(start.elapsed() < Duration::from_secs(4));
    assert!(matches!(
        failed.unwrap_err().problem,
        DataFileProblem::Connection { .. }
    ));
}

#[test]
fn pauses_grow_and_respect_the_server() {
    let server = Server::start(|number, _| match number {
        0 => raw(
            "503 Service Unavailable",
            &["Content-Length: 0", "Retry-After: 1"],
            &[],
        ),
        _ => status("500 Internal Server Error"),
    });
    let directory = tempfile::tempdir().unwrap();
    let manifest = one_file(&content(10), &[server.url("/a.bin")]);
    let patient = GetOptions {
        attempts: 4,
        backoff: Duration::from_millis(2),
        ..options()
    };
    let mut waits = Vec::new();
    let outcome = gwae_datasets::get(&manifest, directory.path(), &patient, &mut |event| {
        if let gwae_datasets::DataEvent::Retry { wait, failures, .. } = event {
            waits.push((failures, wait.as_millis()));
        }
    });
    assert!(outcome.is_err());
    assert_eq!(waits, [(1, 1000), (2, 4), (3, 8)]);
    assert_eq!(server.requests().len(), 4);
}

#[test]
fn without_checksum_only_a_known_version_is_continued() {
    for (etag, second) in [(None, None), (Some("\"v1\""), Some(4_000))] {
        let bytes = content(10_000);
        let served = bytes.clone();
        let server = Server::start(move |number, request: &Request| {
            proper(
                &served,
                etag,
                request,
                if number == 0 { 4_000 } else { ALL },
            )
        });
        let directory = tempfile::tempdir().unwrap();
        let manifest = crate::manifest(&format!(
            "[[files]]\nname = \"a.bin\"\nbytes = 10000\nunverified = \"none known\"\nurls = [{:?}]\n",
            server.url("/a.bin")
        ));
        let (outcome, _) = succeed(&manifest, directory.path(), &options(), &bytes);
        assert_eq!(downloaded(&outcome), (0, false));
        assert_eq!(server.requests()[1].from, second);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    /// For any behaviour of a server, the file is right in the end, or an error says that no
    /// attempts are left and a patient call completes the file.
    #[test]
    fn any_series_of_interruptions_ends_with_the_right_file(
        length in 1usize..200_000,
        answers in prop::collection::vec((any::<bool>(), any::<bool>(), 0usize..200_000), 0..6),
        left in prop::option::of(0usize..220_000),
    ) {
        let bytes = content(length);
        let served = bytes.clone();
        let script = answers.clone();
        let server = Server::start(move |number, request| match script.get(number) {
            Some(&(true, tagged, sent)) => proper(&served, tagged.then_some("\"t\""), request, sent),
            Some(&(false, _, sent)) => whole(&served, None, sent),
            None => proper(&served, None, request, ALL),
        });
        let directory = tempfile::tempdir().unwrap();
        if let Some(left) = left {
            // Half of it is right, half of it is not.
            let mut garbage = bytes[..(left / 2).min(length)].to_vec();
            garbage.resize(left, 0);
            fs::write(directory.path().join("a.bin.part"), garbage).unwrap();
        }
        let manifest = one_file(&bytes, &[server.url("/a.bin")]);
        let patient = GetOptions { attempts: 20, ..options() };
        succeed(&manifest, directory.path(), &patient, &bytes);
    }
}

/// What has arrived stays only if another run can go on from it, and then an event says so.
#[test]
fn what_cannot_be_continued_is_not_kept() {
    let bytes = content(100_000);
    for (has_ranges, has_checksum, etag, kept) in [
        (true, true, None, true),
        (false, true, Some("\"v1\""), false),
        (true, false, Some("\"v1\""), true),
        (true, false, None, false),
    ] {
        let served = bytes.clone();
        let server = Server::start(move |_, request| match has_ranges {
            true => proper(&served, etag, request, 70_000),
            false => whole(&served, etag, 70_000),
        });
        let root = tempfile::tempdir().unwrap();
        let place = root.path().join("sets/tiny");
        let mut table = file("a.bin", &bytes, &[server.url("/a.bin")]);
        if !has_checksum {
            let checksum = format!(
                "sha256 = \"{}\"\nchecksum_source = \"the test\"",
                sha256(&bytes)
            );
            table = table.replace(&checksum, "unverified = \"a test\"");
        }
        let once = GetOptions {
            attempts: 1,
            ..options()
        };
        let (failed, events) = run(&manifest(&table), &place, &once);
        failed.unwrap_err();
        let said = events.iter().any(|event| event.starts_with("Kept"));
        assert_eq!(said, kept, "{events:?}");
        if kept {
            assert_eq!(fs::read(place.join("a.bin.part")).unwrap(), bytes[..70_000]);
        } else {
            assert!(names(root.path()).is_empty());
        }
    }
}

#[test]
fn a_server_that_drips_is_given_up() {
    let bytes = content(20_000);
    let served = bytes.clone();
    let server = Server::start(move |_, request| Reply {
        stall: Duration::from_secs(5),
        drip: Some(Duration::from_millis(20)),
        ..proper(&served, None, request, 0)
    });
    let directory = tempfile::tempdir().unwrap();
    let manifest = one_file(&bytes, &[server.url("/a.bin")]);
    let hasty = GetOptions {
        attempts: 1,
        rate_window: Duration::from_millis(200),
        ..options()
    };
    let start = Instant::now();
    let (failed, _) = run(&manifest, directory.path(), &hasty);
    assert!(start.elapsed() < Duration::from_secs(4));
    let message = failed.unwrap_err().to_string();
    assert!(message.contains("fewer than 1000 per second"), "{message}");
    // Without a least rate it is waited for, here until the server ends.
    let patient = GetOptions {
        least_rate: 0,
        ..hasty
    };
    let (failed, _) = run(&manifest, directory.path(), &patient);
    let message = failed.unwrap_err().to_string();
    assert!(!message.contains("per second"), "{message}");
}
