//! Manifests, and checking files against them.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use gwae_datasets::{
    CheckReport, Checksum, DataEvent, DataFileProblem, DataStage, FileStatus, FormSize, Manifest,
    Presence, Proof, Verdict, check, dataset_directory, list, manifest, manifests,
};
use proptest::prelude::*;

/// SHA-256 and MD5 of `abc`: the standards' own examples (FIPS 180-2 B.1, RFC 1321 A.5).
const ABC_SHA256: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
const ABC_MD5: &str = "900150983cd24fb0d6963f7d28e17f72";

const HEAD: &str = "name = \"tiny\"\ntitle = \"Tiny\"\ndescription = \"test files\"\n\
    homepage = \"https://127.0.0.1/\"\nlicence = \"CC0-1.0\"\nlicence_url = \"https://127.0.0.1/\"\n\
    citation = \"none\"\n";

/// One file with every required key.
fn file_table() -> String {
    format!(
        "[[files]]\nname = \"abc.gz\"\nbytes = 3\nsha256 = \"{ABC_SHA256}\"\n\
         checksum_source = \"FIPS 180-2\"\nurls = [\"http://127.0.0.1/abc.gz\"]\n"
    )
}

fn parse(text: &str) -> Result<Manifest, DataFileProblem> {
    Manifest::parse("tiny.toml", text).map_err(|error| {
        let message = error.to_string();
        assert!(message.starts_with("tiny.toml: "), "{message}");
        assert!(!message.contains(char::is_control), "{message:?}");
        error.problem
    })
}

fn look(manifest: &Manifest, directory: &Path) -> CheckReport {
    check(manifest, directory, &mut |_| {}).unwrap()
}

#[test]
fn every_embedded_manifest_is_complete() {
    let names: Vec<&str> = manifests().iter().map(|m| m.name.as_str()).collect();
    assert_eq!(
        names,
        [
            "mnist",
            "fashion-mnist",
            "kmnist",
            "omniglot",
            "shapes3d",
            "dsprites",
            "celeba"
        ]
    );
    for manifest in manifests() {
        assert!(manifest.homepage.starts_with("http"), "{}", manifest.name);
        let mut names = BTreeSet::new();
        for file in &manifest.files {
            assert!(names.insert(&file.published.name), "{file:?}");
            assert!(file.published.proof.checksum().is_some(), "{file:?}");
            assert_eq!(file.urls.is_empty(), manifest.manual.is_some());
            for url in &file.urls {
                assert!(url.ends_with(&file.published.name), "{url}");
            }
        }
    }
    // 70,000 images and labels in four files; the archive and two lists.
    assert_eq!(manifest("mnist").unwrap().bytes(), Some(11_594_722));
    assert_eq!(manifest("celeba").unwrap().bytes(), Some(1_473_048_250));
    assert_eq!(manifest("dsprites").unwrap().bytes(), None);
}

#[test]
fn the_mnist_family_agrees_with_its_format() {
    // IDX: 16 bytes before the images, 8 before the labels; 60,000 and 10,000 items of 28×28.
    for name in ["mnist", "fashion-mnist", "kmnist"] {
        let manifest = manifest(name).unwrap();
        for (file, bytes) in [
            ("train-images-idx3-ubyte", 16 + 60_000 * 784),
            ("train-labels-idx1-ubyte", 8 + 60_000),
            ("t10k-images-idx3-ubyte", 16 + 10_000 * 784),
            ("t10k-labels-idx1-ubyte", 8 + 10_000),
        ] {
            let entry = manifest
                .files
                .iter()
                .find(|entry| entry.published.name == format!("{file}.gz"))
                .unwrap();
            let plain = entry.also.iter().find(|form| form.name == file).unwrap();
            assert_eq!(plain.size, FormSize::Bytes(bytes), "{name}/{file}");
        }
    }
}

#[test]
fn the_partition_of_celeba_is_rebuilt_from_its_definition() {
    // Its definition, independent of any file: 162,770 images for training, 19,867 for validation,
    // 19,962 for test, one line each.
    let mut text = String::new();
    for image in 1..=202_599 {
        let part = match image {
            1..=162_770 => 0,
            162_771..=182_637 => 1,
            _ => 2,
        };
        text.push_str(&format!("{image:06}.jpg {part}\r\n"));
    }
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("list_eval_partition.txt"), text).unwrap();
    let report = look(manifest("celeba").unwrap(), directory.path());
    let row = report
        .files
        .iter()
        .find(|row| row.name == "list_eval_partition.txt")
        .unwrap();
    assert_eq!(row.status, FileStatus::Verified);
    assert_eq!(report.verdict(), Verdict::Incomplete);
}

#[test]
fn an_unknown_name_lists_the_known_ones() {
    let error = manifest("minst").unwrap_err();
    assert!(
        error.to_string().starts_with("minst: no dataset"),
        "{error}"
    );
    for known in manifests() {
        assert!(error.to_string().contains(&known.name), "{error}");
    }
}

#[test]
fn a_well_formed_manifest_is_read_whole() {
    let text = format!(
        "{HEAD}[manual]\nreason = \"terms\"\nsteps = [\"go\"]\n{}optional = true\n\
         [[files.also]]\nname = \"abc\"\nbytes = 3\nmd5 = \"{ABC_MD5}\"\nchecksum_source = \"RFC\"\n\
         [[files.also]]\nname = \"folder\"\nentries = 2\nunverified = \"unpacked\"\n",
        file_table()
    );
    let manifest = parse(&text).unwrap();
    let file = &manifest.files[0];
    assert!(file.optional);
    assert_eq!(file.urls, ["http://127.0.0.1/abc.gz"]);
    assert_eq!(
        file.also[0].proof,
        Proof::Checksum {
            checksum: Checksum::Md5(ABC_MD5.to_owned()),
            source: "RFC".to_owned()
        }
    );
    assert_eq!(file.also[1].size, FormSize::Entries(2));
    assert_eq!(manifest.manual.unwrap().steps, ["go"]);
}

#[test]
fn unknown_missing_and_mistyped_keys_are_named_with_their_line() {
    let good = format!("{HEAD}{}", file_table());
    assert!(parse(&good).is_ok());
    for (text, line, word) in [
        (format!("{good}sha265 = \"x\"\n"), 14, "sha265"),
        (format!("colour = 1\n{good}"), 1, "colour"),
        (
            format!("{good}[[files.also]]\nname = \"x\"\nurls = []\n"),
            16,
            "urls",
        ),
        (good.replace("citation = \"none\"\n", ""), 1, "citation"),
        (good.replace("bytes = 3", "bytes = \"3\""), 10, "u64"),
        (good.replace("bytes = 3", "bytes = -3"), 10, "-3"),
        (good.replace("bytes = 3", "bytes = 3 3"), 10, ""),
        (format!("\"\\u001b\" = 1\n{good}"), 1, ""),
    ] {
        match parse(&text).unwrap_err() {
            DataFileProblem::ManifestSyntax { line: at, message } => {
                assert_eq!(at, line, "{text}\n{message}");
                assert!(message.contains(word), "{message}");
            }
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn values_that_cannot_be_used_are_refused() {
    let good = format!("{HEAD}{}", file_table());
    let replaced = |from: &str, to: &str| {
        assert!(good.contains(from), "{from}");
        good.replace(from, to)
    };
    let short = format!("sha256 = \"{}\"", &ABC_SHA256[1..]);
    let sha256 = format!("sha256 = \"{ABC_SHA256}\"");
    let mut bad = vec![
        replaced("name = \"tiny\"", "name = \"Tiny set\""),
        replaced("name = \"tiny\"", "name = \"\""),
        replaced("title = \"Tiny\"", "title = \" \""),
        replaced("homepage = \"https", "homepage = \"ftp"),
        replaced("bytes = 3", "bytes = 0"),
        replaced("bytes = 3", "bytes = 3\nbytes_at_most = 3"),
        replaced("bytes = 3\n", ""),
        replaced(&sha256, &short),
        replaced(&sha256, &sha256.to_uppercase().replace("SHA256", "sha256")),
        replaced(&sha256, &format!("{sha256}\nmd5 = \"{ABC_MD5}\"")),
        replaced(&sha256, &format!("md5 = \"{ABC_SHA256}\"")),
        replaced(&sha256, "sha256 = \"\\u001b[2J\""),
        replaced("checksum_source = \"FIPS 180-2\"\n", ""),
        replaced("checksum_source", "unverified"),
        replaced(
            "checksum_source = \"FIPS 180-2\"",
            "checksum_source = \"x\"\nunverified = \"y\"",
        ),
        replaced("http://127.0.0.1/abc.gz", "file:///abc.gz"),
        replaced("http://127.0.0.1/abc.gz", "http://"),
        replaced("[\"http://127.0.0.1/abc.gz\"]", "[]"),
        format!("{HEAD}files = []\n"),
        format!("{good}{}", file_table()),
        format!(
            "{good}[[files.also]]\nname = \"abc\"\nbytes = 3\nentries = 3\nunverified = \"x\"\n"
        ),
        format!(
            "{good}[[files.also]]\nname = \"folder\"\nentries = 3\nmd5 = \"{ABC_MD5}\"\n\
             checksum_source = \"x\"\n"
        ),
        format!(
            "{HEAD}[manual]\nreason = \"terms\"\nsteps = []\n{}",
            file_table()
        ),
        format!(
            "{HEAD}[[files]]\nname = \"x\"\nbytes_at_most = 3\nunverified = \"y\"\n\
             urls = [\"http://127.0.0.1/x\"]\n"
        ),
    ];
    for name in [
        "", ".", "..", "../x", "/x", "a/b", "a\\\\b", ".hidden", "C:x", "a b", "ä", "a\\nb",
    ] {
        let named = replaced("name = \"abc.gz\"", &format!("name = \"{name}\""));
        // Other errors must not quote the name unchanged.
        bad.push(named.replace("http://127.0.0.1/abc.gz", "file:///abc.gz"));
        bad.push(named.replace("bytes = 3\n", ""));
        bad.push(named);
        bad.push(format!(
            "{good}[[files.also]]\nname = \"{name}\"\nunverified = \"x\"\n"
        ));
    }
    bad.push(replaced("title = \"Tiny\"", "title = \"T\\u001b[1m\""));
    for text in bad {
        let problem = parse(&text).unwrap_err();
        assert!(
            matches!(problem, DataFileProblem::ManifestValue { .. }),
            "{text}\n{problem:?}"
        );
    }
}

#[test]
fn every_status_is_told_apart() {
    let manifest = parse(&format!("{HEAD}{}", file_table())).unwrap();
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("abc.gz");
    let status = |expected: Verdict| {
        let report = look(&manifest, directory.path());
        assert_eq!(report.dataset, "tiny");
        assert_eq!(report.files.len(), 1);
        assert_eq!(report.files[0].path, path);
        assert_eq!(report.verdict(), expected);
        report.files[0].status.clone()
    };
    assert_eq!(status(Verdict::Incomplete), FileStatus::Missing);
    fs::write(&path, "abc").unwrap();
    assert_eq!(status(Verdict::Verified), FileStatus::Verified);
    fs::write(&path, "abd").unwrap();
    // SHA-256 of `abd`, from coreutils' sha256sum.
    let other = "a52d159f262b2c6ddb724a61840befc36eb30c88877a4030b65cbe86298449c9";
    assert_eq!(
        status(Verdict::Wrong),
        FileStatus::WrongChecksum {
            expected: Checksum::Sha256(ABC_SHA256.to_owned()),
            found: Checksum::Sha256(other.to_owned())
        }
    );
    fs::write(&path, "abcd").unwrap();
    assert_eq!(
        status(Verdict::Wrong),
        FileStatus::WrongSize {
            expected: "3 bytes".to_owned(),
            found: "4 bytes".to_owned()
        }
    );
    fs::remove_file(&path).unwrap();
    fs::create_dir(&path).unwrap();
    assert_eq!(
        status(Verdict::Wrong),
        FileStatus::WrongSize {
            expected: "3 bytes".to_owned(),
            found: "a folder of 0 entries".to_owned()
        }
    );
}

#[test]
fn a_directory_that_is_not_there_holds_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("file");
    fs::write(&file, "").unwrap();
    for place in [directory.path().join("nowhere"), file] {
        let report = look(manifest("omniglot").unwrap(), &place);
        assert_eq!(report.verdict(), Verdict::Incomplete);
        assert!(report.files.iter().all(|f| f.status == FileStatus::Missing));
    }
}

/// `abc.gz`; or the same without checksum as `plain`, or as a folder with two entries; and an
/// optional file.
fn forms() -> Manifest {
    parse(&format!(
        "{HEAD}{}[[files.also]]\nname = \"abc.gz\"\nbytes = 3\nmd5 = \"{}\"\nchecksum_source = \"x\"\n\
         [[files.also]]\nname = \"plain\"\nbytes = 5\nunverified = \"none is published\"\n\
         [[files.also]]\nname = \"folder\"\nentries = 2\nunverified = \"unpacked\"\n\
         [[files]]\nname = \"extra\"\nbytes = 3\nmd5 = \"{ABC_MD5}\"\nchecksum_source = \"RFC 1321\"\n\
         optional = true\nurls = [\"http://127.0.0.1/extra\"]\n",
        file_table(),
        // MD5 of `abd`, from coreutils' md5sum.
        "4911e516e5aa21d327512e0c8b197616",
    ))
    .unwrap()
}

#[test]
fn any_form_will_do_but_every_form_there_must_be_right() {
    let manifest = forms();
    let directory = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| fs::write(directory.path().join(name), text).unwrap();
    let verdict = || look(&manifest, directory.path()).verdict();
    write("plain", "12345");
    let report = look(&manifest, directory.path());
    assert_eq!(report.verdict(), Verdict::Unverified);
    assert_eq!(
        report.files[0].status.to_string(),
        "unverified (none is published)"
    );
    assert_eq!(report.files[0].name, "abc.gz");
    assert!(report.files[0].path.ends_with("plain"));
    assert_eq!(report.files[1].status, FileStatus::Missing);
    assert!(report.files[1].optional);
    // The second form has the same name and another kind of checksum.
    for content in ["abc", "abd"] {
        write("abc.gz", content);
        let report = look(&manifest, directory.path());
        assert_eq!(report.files[0].status, FileStatus::Verified, "{content}");
        assert_eq!(report.files.len(), 3);
        assert_eq!(report.verdict(), Verdict::Unverified);
    }
    write("plain", "1234");
    assert_eq!(verdict(), Verdict::Wrong);
    fs::remove_file(directory.path().join("plain")).unwrap();
    assert_eq!(verdict(), Verdict::Verified);
    write("extra", "abc");
    assert_eq!(verdict(), Verdict::Verified);
    write("extra", "xyz");
    assert_eq!(verdict(), Verdict::Wrong);
    write("abc.gz", "xyz");
    let report = look(&manifest, directory.path());
    assert!(report.files[0].status.is_wrong());
}

/// An IDX file may have the name inside of its archive, be in a folder of its name, and in the folder of another
/// program. What a reader passes over does not count.
#[test]
fn an_idx_file_is_found_where_its_reader_finds_it() {
    let table = file_table().replace("abc.gz", "abc-idx1-ubyte.gz");
    let also = format!(
        "[[files.also]]\nname = \"abc-idx1-ubyte\"\nbytes = 3\nmd5 = \"{ABC_MD5}\"\nchecksum_source = \"RFC\"\n"
    );
    let manifest = parse(&format!("{HEAD}folders = [\"TINY/raw\"]\n{table}{also}")).unwrap();
    assert_eq!(manifest.folders, ["TINY/raw"]);
    for (place, junk) in [
        ("abc-idx1-ubyte.gz", "abc-idx1-ubyte"),
        ("abc.idx1-ubyte.gz", "abc-idx1-ubyte.gz"),
        ("abc.idx1-ubyte", "abc.idx1-ubyte.gz"),
        ("abc-idx1-ubyte/abc.idx1-ubyte", "abc-idx1-ubyte.gz"),
        ("TINY/raw/abc-idx1-ubyte", "TINY/raw/abc-idx1-ubyte.gz"),
    ] {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join(place);
        let junk = directory.path().join(junk);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        let verdict = || {
            let directory = dataset_directory(&manifest, directory.path()).unwrap();
            let report = look(&manifest, &directory);
            (report.files[0].path.clone(), report.verdict())
        };
        fs::write(&path, "abc").unwrap();
        assert_eq!(verdict(), (path.clone(), Verdict::Verified), "{place}");
        fs::write(&junk, "").unwrap();
        assert_eq!(verdict(), (path.clone(), Verdict::Verified), "{place}");
        fs::remove_file(&junk).unwrap();
        fs::create_dir(&junk).unwrap();
        assert_eq!(verdict(), (path.clone(), Verdict::Verified), "{place}");
        fs::remove_file(&path).unwrap();
        assert_eq!(verdict().1, Verdict::Wrong, "{place}");
    }
    let folder = |folder: &str| parse(&format!("{HEAD}folders = [\"{folder}\"]\n{table}"));
    for bad in ["..", "/raw", "a//b", ""] {
        assert!(folder(bad).is_err(), "{bad}");
    }
}

#[test]
fn a_folder_is_known_by_the_number_of_its_entries() {
    let manifest = forms();
    let directory = tempfile::tempdir().unwrap();
    let folder = directory.path().join("folder");
    fs::create_dir(&folder).unwrap();
    fs::write(folder.join(".DS_Store"), "").unwrap();
    for (count, verdict) in [
        (1, Verdict::Wrong),
        (2, Verdict::Unverified),
        (3, Verdict::Wrong),
    ] {
        fs::write(folder.join(format!("{count}.png")), "").unwrap();
        assert_eq!(look(&manifest, directory.path()).verdict(), verdict);
    }
}

#[test]
fn files_that_can_be_used_alone_are_listed() {
    let root = tempfile::tempdir().unwrap();
    let presence = || {
        let listed = list(Some(root.path())).unwrap();
        let omniglot = listed
            .into_iter()
            .find(|listed| listed.manifest.name == "omniglot");
        omniglot.unwrap().presence
    };
    let directory = root.path().join("omniglot");
    let mut expected = Vec::new();
    for name in ["images_background_small1", "images_background_small2"] {
        for alphabet in 0..5 {
            fs::create_dir_all(directory.join(name).join(alphabet.to_string())).unwrap();
        }
        expected.push(format!("{name}.zip"));
        let (directory, files) = (directory.clone(), expected.clone());
        assert_eq!(presence(), Presence::Usable { directory, files });
    }
    for (name, alphabets) in [("images_background", 30), ("images_evaluation", 20)] {
        for alphabet in 0..alphabets {
            fs::create_dir_all(directory.join(name).join(alphabet.to_string())).unwrap();
        }
    }
    assert_eq!(presence(), Presence::Present { directory });
}

#[test]
fn hyphens_and_underscores_are_alike_in_names() {
    for name in ["fashion-mnist", "fashion_mnist"] {
        assert_eq!(manifest(name).unwrap().name, "fashion-mnist");
    }
}

#[test]
fn progress_covers_every_byte() {
    let directory = tempfile::tempdir().unwrap();
    let content = vec![0; 2_500_000];
    fs::write(directory.path().join("zeros"), &content).unwrap();
    let manifest = parse(&format!(
        "{HEAD}[[files]]\nname = \"zeros\"\nbytes = 2500000\n\
         md5 = \"{ABC_MD5}\"\nchecksum_source = \"wrong on purpose\"\n\
         urls = [\"http://127.0.0.1/zeros\"]\n"
    ))
    .unwrap();
    let mut seen = Vec::new();
    check(&manifest, directory.path(), &mut |event| match event {
        DataEvent::Bytes {
            file: "zeros",
            stage: DataStage::Verifying,
            done,
            total: Some(2_500_000),
        } => seen.push(done),
        other => panic!("{other:?}"),
    })
    .unwrap();
    assert_eq!((seen[0], seen[seen.len() - 1]), (0, 2_500_000));
    assert!(seen.len() >= 4 && seen.is_sorted(), "{seen:?}");
}

#[test]
fn the_list_tells_what_is_there() {
    assert!(
        list(None)
            .unwrap()
            .iter()
            .all(|listed| listed.presence == Presence::NotAsked)
    );
    let directory = tempfile::tempdir().unwrap();
    let presence = |name: &str| {
        list(Some(directory.path()))
            .unwrap()
            .into_iter()
            .find(|listed| listed.manifest.name == name)
            .unwrap()
            .presence
    };
    assert_eq!(presence("omniglot"), Presence::Absent);
    // In the directory itself, by size only.
    let alphabets = directory.path().join("images_background");
    for alphabet in 0..30 {
        fs::create_dir_all(alphabets.join(alphabet.to_string())).unwrap();
    }
    assert_eq!(
        presence("omniglot"),
        Presence::Partial {
            directory: directory.path().to_owned(),
            there: 1,
            needed: 2
        }
    );
    // In the subdirectory with the dataset's name.
    let own = directory.path().join("omniglot");
    fs::create_dir(&own).unwrap();
    for (name, bytes) in [
        ("images_background.zip", 9_464_212),
        ("images_evaluation.zip", 6_462_886),
    ] {
        let file = fs::File::create(own.join(name)).unwrap();
        file.set_len(bytes).unwrap();
    }
    assert_eq!(presence("omniglot"), Presence::Present { directory: own });
    assert_eq!(presence("mnist"), Presence::Absent);
}

#[test]
fn the_list_tells_datasets_of_one_family_apart() {
    let directory = tempfile::tempdir().unwrap();
    let write = |name: &str, bytes: u64| {
        let file = fs::File::create(directory.path().join(name)).unwrap();
        file.set_len(bytes).unwrap();
    };
    let there = || {
        let listed = list(Some(directory.path())).unwrap().into_iter();
        let there = listed.filter(|listed| listed.presence != Presence::Absent);
        there
            .map(|listed| listed.manifest.name.as_str())
            .collect::<Vec<_>>()
    };
    // The images alone may belong to any dataset of the family.
    write("train-images-idx3-ubyte", 47_040_016);
    assert_eq!(there(), ["mnist", "fashion-mnist", "kmnist"]);
    // These labels belong to no dataset with a known checksum.
    write("train-labels-idx1-ubyte", 60_008);
    assert_eq!(there(), ["kmnist"]);
}

proptest! {
    /// No text makes the parser panic, and no damaged manifest gives a name that leaves the
    /// directory.
    #[test]
    fn any_text_is_a_manifest_or_an_error(
        text in "\\PC{0,80}",
        place in 0usize..600,
        removed in 0usize..20,
    ) {
        let _ = parse(&text);
        let mut good = format!("{HEAD}{}", file_table());
        let start = place.min(good.len());
        let end = (start + removed).min(good.len());
        good.replace_range(start..end, &text);
        if let Ok(manifest) = parse(&good) {
            for form in manifest.files.iter().flat_map(|file| file.forms()) {
                prop_assert_eq!(Path::new(&form.name).components().count(), 1);
                prop_assert!(!form.name.starts_with('.'));
            }
        }
    }
}

#[test]
fn one_directory_can_hold_all_datasets() {
    let root = tempfile::tempdir().unwrap();
    let mnist = manifest("mnist").unwrap();
    let kmnist = manifest("kmnist").unwrap();
    let place = |manifest, directory: &Path| dataset_directory(manifest, directory).unwrap();
    // A subdirectory with the dataset's name, unless the directory itself has that name.
    assert_eq!(place(mnist, root.path()), root.path().join("mnist"));
    let named = root.path().join("mnist");
    assert_eq!(place(mnist, &named), named);
    fs::create_dir(&named).unwrap();
    assert_eq!(place(mnist, &named), named);
    assert_eq!(place(kmnist, &named), named.join("kmnist"));
    // Existing files, directly in the directory.
    let flat = tempfile::tempdir().unwrap();
    let labels = fs::File::create(flat.path().join("train-images-idx3-ubyte")).unwrap();
    labels.set_len(47_040_016).unwrap();
    assert_eq!(place(mnist, flat.path()), flat.path());
    fs::create_dir(flat.path().join("mnist")).unwrap();
    assert_eq!(place(mnist, flat.path()), flat.path());
}

#[test]
fn wrong_files_are_found_where_they_lie() {
    let root = tempfile::tempdir().unwrap();
    let write = |name: &str, bytes: u64| {
        let file = fs::File::create(root.path().join(name)).unwrap();
        file.set_len(bytes).unwrap();
    };
    let mnist = manifest("mnist").unwrap();
    let place = || dataset_directory(mnist, root.path()).unwrap();
    write("train-images-idx3-ubyte.gz", 1_000);
    assert_eq!(place(), root.path());
    let report = check(mnist, &place(), &mut |_| {}).unwrap();
    let images = report.files.iter().find(|file| file.status.is_wrong());
    assert!(matches!(
        images.unwrap().status,
        FileStatus::WrongSize { .. }
    ));
    // Files of a related dataset are not wrong files.
    write("train-labels-idx1-ubyte", 60_008);
    assert_eq!(place(), root.path().join("mnist"));
    fs::remove_file(root.path().join("train-labels-idx1-ubyte")).unwrap();
    // Files in the subdirectory have priority.
    let own = root.path().join("mnist");
    fs::create_dir(&own).unwrap();
    assert_eq!(place(), root.path());
    fs::write(own.join("t10k-images-idx3-ubyte.gz"), b"short").unwrap();
    assert_eq!(place(), own);
}
