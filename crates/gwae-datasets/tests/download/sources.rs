//! The addresses that are used: several of a manifest, one of the user's, a mirror, or none.

use std::fs;

use gwae_datasets::{
    DataFileProblem, FetchOutcome, GetOptions, GetOutcome, MIRROR_VARIABLE, Manifest, get,
};

use crate::server::{Server, proper, status};
use crate::{content, file, manifest, names, one_file, options, run, sha256, succeed};

/// Serves any path that ends with `/a.bin` or `/b.bin`.
fn two_files() -> Server {
    Server::start(|_, request| {
        if request.path.ends_with("/a.bin") {
            proper(&content(500), None, request, usize::MAX)
        } else if request.path.ends_with("/b.bin") {
            proper(&content(700), None, request, usize::MAX)
        } else {
            status("404 Not Found")
        }
    })
}

fn two_file_manifest(server: &Server) -> Manifest {
    let table = |name: &str, length| {
        let url = server.url(&format!("/published/{name}"));
        file(name, &content(length), &[url])
    };
    manifest(&(table("a.bin", 500) + &table("b.bin", 700)))
}

fn paths(server: &Server) -> Vec<String> {
    server.requests().into_iter().map(|r| r.path).collect()
}

#[test]
fn the_next_address_is_tried_and_all_failures_are_told() {
    let bytes = content(500);
    let server = two_files();
    let missing = server.url("/nowhere");
    let directory = tempfile::tempdir().unwrap();
    let manifest = one_file(&bytes, &[missing.clone(), server.url("/x/a.bin")]);
    let (outcome, events) = succeed(&manifest, directory.path(), &options(), &bytes);
    assert!(
        matches!(&outcome, FetchOutcome::Downloaded { url, .. } if *url == server.url("/x/a.bin"))
    );
    assert!(events.iter().any(|event| event.starts_with("NextAddress")));

    let directory = tempfile::tempdir().unwrap();
    let other = server.url("/nothing");
    let manifest = one_file(&bytes, &[missing.clone(), other.clone()]);
    let (outcome, _) = run(&manifest, directory.path(), &options());
    let error = outcome.unwrap_err();
    assert!(
        matches!(&error.problem, DataFileProblem::NoAddressWorks { failures } if failures.len() == 2)
    );
    let message = error.to_string();
    assert!(
        message.contains(&missing) && message.contains(&other),
        "{message}"
    );
    assert!(names(directory.path()).is_empty());
}

#[test]
fn another_address_continues_what_the_first_one_began() {
    let bytes = content(20_000);
    let serve = |sent: usize, tag: &'static str| {
        Server::start(move |_, request| proper(&content(20_000), Some(tag), request, sent))
    };
    let (first, second) = (serve(8_000, "\"here\""), serve(usize::MAX, "\"there\""));
    let directory = tempfile::tempdir().unwrap();
    let manifest = one_file(&bytes, &[first.url("/a.bin"), second.url("/a.bin")]);
    let once = GetOptions {
        attempts: 1,
        ..options()
    };
    succeed(&manifest, directory.path(), &once, &bytes);
    let requests = second.requests();
    assert_eq!(requests.len(), 1);
    assert_eq!(requests[0].from, Some(8_000));
    // The tag is from the first server and has no meaning for the second.
    assert_eq!(requests[0].if_range, None);
}

#[test]
fn a_manifest_without_override_asks_the_published_addresses() {
    let server = two_files();
    let directory = tempfile::tempdir().unwrap();
    let (files, _) = run(&two_file_manifest(&server), directory.path(), &options());
    assert_eq!(files.unwrap().len(), 2);
    assert_eq!(paths(&server), ["/published/a.bin", "/published/b.bin"]);
    assert_eq!(names(directory.path()), ["a.bin", "b.bin"]);
}

#[test]
fn a_mirror_takes_the_place_of_all_addresses() {
    for base in ["/mirror", "/mirror/"] {
        let server = two_files();
        let directory = tempfile::tempdir().unwrap();
        let mirrored = GetOptions {
            mirror: Some(server.url(base)),
            ..options()
        };
        let (files, _) = run(&two_file_manifest(&server), directory.path(), &mirrored);
        assert_eq!(files.unwrap().len(), 2);
        assert_eq!(paths(&server), ["/mirror/tiny/a.bin", "/mirror/tiny/b.bin"]);
    }
}

#[test]
fn an_address_is_for_one_file_or_with_a_slash_for_all() {
    let server = two_files();
    let get_from = |url: String| {
        let directory = tempfile::tempdir().unwrap();
        let with_url = GetOptions {
            url: Some(url),
            // The address has priority.
            mirror: Some(server.url("/mirror")),
            ..options()
        };
        let (files, _) = run(&two_file_manifest(&server), directory.path(), &with_url);
        files.map(|_| names(directory.path()))
    };
    assert_eq!(get_from(server.url("/mine/b.bin")).unwrap(), ["b.bin"]);
    assert_eq!(get_from(server.url("/all/")).unwrap(), ["a.bin", "b.bin"]);
    assert_eq!(paths(&server), ["/mine/b.bin", "/all/a.bin", "/all/b.bin"]);
    let error = get_from(server.url("/mine/c.bin")).unwrap_err();
    assert!(
        matches!(&error.problem, DataFileProblem::AddressWithoutFile { names } if names == "a.bin, b.bin"),
        "{error}"
    );
    for address in ["ftp://127.0.0.1/a.bin", "/a.bin", ""] {
        let error = get_from(address.to_owned()).unwrap_err();
        assert!(
            matches!(error.problem, DataFileProblem::BadAddress(_)),
            "{error}"
        );
    }
}

#[test]
fn the_address_of_an_only_file_may_have_any_name() {
    let bytes = content(500);
    let server = Server::start(|_, request| proper(&content(500), None, request, usize::MAX));
    let directory = tempfile::tempdir().unwrap();
    let manifest = one_file(&bytes, &["http://127.0.0.1:9/a.bin".to_owned()]);
    let with_url = GetOptions {
        url: Some(server.url("/download?id=17&raw=true")),
        ..options()
    };
    succeed(&manifest, directory.path(), &with_url, &bytes);
    assert_eq!(paths(&server), ["/download?id=17&raw=true"]);
}

#[test]
fn the_variable_of_the_mirror_has_the_documented_name() {
    assert_eq!(MIRROR_VARIABLE, "GWAE_MIRROR");
}

/// A manifest with files that a person has to fetch.
fn by_hand() -> Manifest {
    manifest(&format!(
        "[manual]\nreason = \"its terms say so\"\nsteps = [\"Open the page.\", \"Put it into {{dir}}.\"]\n\
         [[files]]\nname = \"a.bin\"\nbytes = 500\nsha256 = \"{}\"\nchecksum_source = \"the test\"\n",
        sha256(&content(500))
    ))
}

#[test]
fn what_must_be_done_by_hand_is_told_and_not_done() {
    let directory = tempfile::tempdir().unwrap();
    let place = directory.path().join("my data");
    let outcome = get(&by_hand(), &place, &options(), &mut |_| {}).unwrap();
    let GetOutcome::Manual(steps) = outcome else {
        panic!("{outcome:?}");
    };
    assert_eq!(
        steps.steps[1],
        format!("Put it into \"{}\".", place.display())
    );
    let text = steps.to_string();
    assert!(text.starts_with("Tiny has to be downloaded by hand: its terms say so.\n1. Open"));
    assert!(text.contains("\n2. Put it into"), "{text}");
    assert!(text.contains("a.bin: missing"), "{text}");
    assert!(!place.exists(), "nothing is made");
    fs::create_dir(&place).unwrap();
    fs::write(place.join("a.bin"), content(500)).unwrap();
    let outcome = get(&by_hand(), &place, &options(), &mut |_| {}).unwrap();
    assert!(
        matches!(&outcome, GetOutcome::Files(files)
            if files[0].outcome == FetchOutcome::AlreadyThere { verified: true }),
        "{outcome:?}"
    );
}

#[test]
fn a_mirror_of_the_users_own_serves_what_is_otherwise_fetched_by_hand() {
    let server = two_files();
    let directory = tempfile::tempdir().unwrap();
    let mirrored = GetOptions {
        mirror: Some(server.url("")),
        ..options()
    };
    succeed(&by_hand(), directory.path(), &mirrored, &content(500));
    assert_eq!(paths(&server), ["/tiny/a.bin"]);
}

#[test]
fn a_file_of_unknown_size_is_bounded_and_verified() {
    let bytes = content(500);
    let table = |most: usize, url: String| {
        manifest(&format!(
            "[[files]]\nname = \"a.bin\"\nbytes_at_most = {most}\nsha256 = \"{}\"\n\
             checksum_source = \"the test\"\nurls = [{url:?}]\n",
            sha256(&bytes)
        ))
    };
    let server = two_files();
    let directory = tempfile::tempdir().unwrap();
    let fits = table(600, server.url("/a.bin"));
    succeed(&fits, directory.path(), &options(), &bytes);
    // The file is complete but not renamed. The server says that no bytes are left, which is
    // enough.
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("a.bin.part"), &bytes).unwrap();
    let (outcome, _) = succeed(&fits, directory.path(), &options(), &bytes);
    assert!(matches!(
        outcome,
        FetchOutcome::Downloaded {
            resumed_from: 500,
            ..
        }
    ));
    // No length is announced: the end of the chunks is the end of the file.
    let chunks = Server::start(|_, _| crate::server::chunked(&content(500)));
    let directory = tempfile::tempdir().unwrap();
    let fits = table(600, chunks.url("/a.bin"));
    succeed(&fits, directory.path(), &options(), &bytes);
    for url in [server.url("/b.bin"), chunks.url("/a.bin")] {
        let directory = tempfile::tempdir().unwrap();
        let (outcome, _) = run(&table(499, url), directory.path(), &options());
        assert!(matches!(
            outcome.unwrap_err().problem,
            DataFileProblem::WrongLength { .. }
        ));
        assert!(names(directory.path()).is_empty());
    }
}
