//! Runs `gwae data` as a user does, with a server on 127.0.0.1.

mod program;
mod server;

use std::fs;
use std::path::Path;

use gwae_datasets::config::DatasetName;
use image::RgbImage;
use program::{command, fine, gwae, refused, text};
use server::{Reply, Server};

/// CelebA's list of parts, which follows from its definition: training images up to 162770,
/// validation images up to 182637, the rest are test images. The manifest has its published
/// checksum.
fn partition() -> Vec<u8> {
    let part = |image| u32::from(image > 162_770) + u32::from(image > 182_637);
    let line = |image| format!("{image:06}.jpg {}\r\n", part(image));
    (1..=202_599).map(line).collect::<String>().into_bytes()
}

const LIST: &str = "list_eval_partition.txt";

#[test]
fn the_list_says_what_exists_and_what_is_there() {
    let root = tempfile::tempdir().unwrap();
    let listed = fine(&gwae(&["data", "list"], root.path()));
    for part in [
        "digits ",
        "embedded",
        "mnist ",
        "fashion-mnist ",
        "kmnist ",
        "omniglot ",
        "shapes3d ",
        "rendered by this program",
        "dsprites ",
        "celeba ",
        "(by hand)",
        "MIT",
        "30.9 MB from https://github.com/zalandoresearch/fashion-mnist",
        "gwae data get kmnist",
    ] {
        assert!(listed.contains(part), "{part}: {listed}");
    }
    let help = fine(&gwae(&["data", "show", "--help"], root.path()));
    for dataset in DatasetName::ALL {
        // Published names have hyphens.
        let (name, published) = (dataset.name(), dataset.name().replace('_', "-"));
        let mut lines = listed.lines();
        let is_listed = lines.any(|line| {
            line.starts_with(&format!("{name} ")) || line.starts_with(&format!("{published} "))
        });
        assert!(is_listed, "{name}: {listed}");
        assert!(help.contains(name), "{name}: {help}");
    }
    let celeba = root.path().join("sets/celeba");
    fs::create_dir_all(&celeba).unwrap();
    fs::write(celeba.join(LIST), partition()).unwrap();
    let listed = fine(&gwae(&["data", "list", "--dir", "sets"], root.path()));
    let expected = format!("1 of 3 files are in {}", Path::new("sets/celeba").display());
    assert!(listed.contains(&expected), "{listed}");
}

#[test]
fn a_download_goes_on_after_a_lost_connection_and_is_verified() {
    let root = tempfile::tempdir().unwrap();
    // The first answer breaks off; the next one sends the rest.
    let server = Server::start(|request, path, from| {
        let file = partition();
        match (request, path) {
            (0, "/celeba/list_eval_partition.txt") => Reply::part(&file, 0, 1 << 20),
            (_, "/celeba/list_eval_partition.txt") => Reply::part(&file, from, file.len()),
            _ => Reply::not_found(),
        }
    });
    let url = format!("{}/celeba/{LIST}", server.address());
    let get = ["data", "get", "celeba", "--dir", "sets", "--url", &url];
    let output = gwae(&get, root.path());
    let said = fine(&output);
    let file = root.path().join("sets/celeba").join(LIST);
    assert!(fs::read(&file).unwrap() == partition());
    assert!(said.contains("downloaded from http://127.0.0.1"), "{said}");
    assert!(said.contains("checksum verified"), "{said}");
    let notes = text(&output.stderr);
    assert!(
        notes.contains("note: ") && notes.contains("trying again"),
        "{notes}"
    );
    assert_eq!(server.requests()[1].1, 1 << 20, "the rest only");

    // Again: nothing is downloaded.
    let requests = server.requests().len();
    let said = fine(&gwae(&get, root.path()));
    assert!(said.contains("already there, checksum verified"), "{said}");
    assert_eq!(server.requests().len(), requests);

    // A wrong file is an error, and is kept when it is replaced.
    fs::write(&file, "something else").unwrap();
    let message = refused(&gwae(&get, root.path()), 1);
    assert!(
        message.contains(LIST) && message.contains("14 bytes"),
        "{message}"
    );
    let said = fine(&gwae(&[&get[..], &["--replace"]].concat(), root.path()));
    assert!(said.contains("list_eval_partition.txt.wrong"), "{said}");
    assert!(fs::read(&file).unwrap() == partition());
}

#[test]
fn a_mirror_takes_the_place_of_the_published_addresses() {
    let root = tempfile::tempdir().unwrap();
    let server = Server::start(|_, path, _| match path {
        // Wrong bytes with the right length.
        "/sets/mnist/train-images-idx3-ubyte.gz" => Reply::part(&[7; 9_912_422], 0, 9_912_422),
        _ => Reply::not_found(),
    });
    let mut command = command(&["data", "get", "mnist"], root.path());
    command.env("GWAE_MIRROR", format!("{}/sets", server.address()));
    let message = refused(&command.output().unwrap(), 1);
    assert!(
        message.contains("train-images-idx3-ubyte.gz") && message.contains("checksum"),
        "{message}"
    );
    // Neither the wrong bytes stay nor the directories that were made for them.
    assert_eq!(fs::read_dir(root.path()).unwrap().count(), 0);
    let url = format!("{}/nowhere/", server.address());
    let message = refused(
        &gwae(&["data", "get", "kmnist", "--url", &url], root.path()),
        1,
    );
    assert!(message.contains("404"), "{message}");
}

#[test]
fn celeba_is_fetched_by_hand() {
    let root = tempfile::tempdir().unwrap();
    let output = gwae(&["data", "get", "celeba", "--dir", "my sets"], root.path());
    assert_eq!(output.status.code(), Some(1));
    let steps = text(&output.stdout);
    for part in [
        "by hand",
        "1. ",
        "img_align_celeba.zip",
        "gwae data check celeba --dir",
        "missing",
    ] {
        assert!(steps.contains(part), "{part}: {steps}");
    }
}

#[test]
fn a_check_fails_unless_all_files_are_right() {
    let root = tempfile::tempdir().unwrap();
    let check = |name: &str| gwae(&["data", "check", name], root.path());
    let output = check("fashion_mnist");
    assert_eq!(output.status.code(), Some(1));
    let said = text(&output.stdout);
    assert!(said.contains("missing") && said.contains("gwae data get fashion-mnist"));
    let directory = root.path().join("data/mnist");
    fs::create_dir_all(&directory).unwrap();
    fs::write(directory.join("t10k-labels-idx1-ubyte.gz"), [7; 4_542]).unwrap();
    let output = check("mnist");
    assert_eq!(output.status.code(), Some(1));
    let said = text(&output.stdout);
    assert!(
        said.contains("wrong checksum") && said.contains("--replace"),
        "{said}"
    );
    for (name, part) in [
        ("digits", "embedded"),
        ("folder", "your own"),
        ("imagenet", "use one of mnist, fashion-mnist"),
    ] {
        for command in ["check", "get"] {
            let message = refused(&gwae(&["data", command, name], root.path()), 1);
            assert!(message.contains(part), "{message}");
        }
    }
}

/// The picture that a `gwae data show` command made.
fn shown(root: &Path, arguments: &[&str]) -> RgbImage {
    let arguments = [&["data", "show"], arguments, &["--out", "sheet.png"]].concat();
    let said = fine(&gwae(&arguments, root));
    assert!(said.contains("sheet.png"), "{said}");
    image::open(root.join("sheet.png")).unwrap().into_rgb8()
}

#[test]
fn files_of_wrong_sizes_are_called_wrong_where_they_lie() {
    let root = tempfile::tempdir().unwrap();
    fs::write(root.path().join("train-images-idx3-ubyte.gz"), "short").unwrap();
    let output = gwae(&["data", "check", "mnist", "--dir", "."], root.path());
    assert_eq!(output.status.code(), Some(1));
    let said = text(&output.stdout);
    let line = said.lines().find(|line| line.contains("train-images"));
    assert!(line.unwrap().contains("size"), "{said}");
    assert!(!said.contains("mnist/train"), "{said}");
}

#[test]
fn contact_sheets_are_drawn_of_what_needs_no_files() {
    let root = tempfile::tempdir().unwrap();
    let digits = shown(root.path(), &["digits", "-n", "3"]);
    assert!(digits.width() > 3 * 112 && digits.height() > 112);
    let shapes = ["shapes3d", "--vary", "orientation", "-n", "2"];
    let small = shown(root.path(), &[&shapes[..], &["--size", "100"]].concat());
    assert!(small.width() > 15 * 100, "a column for every orientation");
    let large = shown(root.path(), &[&shapes[..], &["--size", "150"]].concat());
    assert_eq!(large.width() - small.width(), 15 * 50, "rendered larger");
    let sprites = ["dsprites", "--vary", "shape", "--seed", "3"];
    let first = shown(root.path(), &sprites);
    assert_eq!(first, shown(root.path(), &sprites));
    assert_ne!(first, shown(root.path(), &sprites[..3]));
}

#[test]
fn an_image_folder_is_shown_with_its_classes() {
    let root = tempfile::tempdir().unwrap();
    for (class, colour) in [("red", [255, 0, 0]), ("blue", [0, 0, 255])] {
        let folder = root.path().join("pictures").join(class);
        fs::create_dir_all(&folder).unwrap();
        for (number, format) in ["png", "jpg"].iter().enumerate() {
            let picture = RgbImage::from_pixel(8 + number as u32, 8, image::Rgb(colour));
            picture
                .save(folder.join(format!("{number}.{format}")))
                .unwrap();
        }
    }
    let varied = ["folder", "--data", "pictures", "--vary", "class"];
    let sheet = shown(root.path(), &varied);
    let count = |is: &dyn Fn([u8; 3]) -> bool| sheet.pixels().filter(|p| is(p.0)).count();
    let red = count(&|[r, g, b]| r > 200 && g < 50 && b < 50);
    let blue = count(&|[r, g, b]| r < 50 && g < 50 && b > 200);
    assert!(red == blue && red >= 2 * 96 * 96, "{red} and {blue}");
}

#[test]
fn what_cannot_be_shown_is_one_line() {
    let root = tempfile::tempdir().unwrap();
    fs::create_dir(root.path().join("empty")).unwrap();
    let show = |arguments: &[&str]| {
        gwae(
            &[&["data", "show"], arguments, &["--out", "x.png"]].concat(),
            root.path(),
        )
    };
    for (arguments, code, part) in [
        (&["imagenet"][..], 2, "digits, mnist, fashion_mnist"),
        (&["mnist"], 1, "gwae data get mnist"),
        (&["mnist", "--data", "nowhere"], 1, "nowhere"),
        (&["mnist", "--data", "empty"], 1, "train-images-idx3-ubyte"),
        (&["folder", "--data", "empty"], 1, "empty"),
        (&["omniglot", "--data", "empty"], 1, "empty"),
        (&["celeba", "--data", "empty"], 1, "list_eval_partition.txt"),
        (&["shapes3d", "--data", "empty"], 1, "3dshapes.h5"),
        (&["dsprites", "--data", "empty"], 1, "dsprites_ndarray"),
        (
            &["shapes3d", "--vary", "colour"],
            1,
            "floor_hue, wall_hue, object_hue, scale, shape, orientation",
        ),
        (&["digits", "--vary", "shape"], 1, "it has digit"),
        (&["digits", "--data", "empty"], 1, "embedded"),
        (&["digits", "-n", "0"], 2, "1..=1000"),
        (&["digits", "--size", "5000"], 2, "1..=1024"),
    ] {
        let message = refused(&show(arguments), code);
        assert!(message.contains(part), "{message}");
    }
    let output = gwae(&["data", "show", "digits", "--out", "x.jpg"], root.path());
    assert!(refused(&output, 1).contains(".png"));
    assert!(!root.path().join("x.png").exists());
}

#[test]
fn a_check_names_damaged_copies() {
    let root = tempfile::tempdir().unwrap();
    let place = root.path().join("dsprites");
    fs::create_dir(&place).unwrap();
    let npz = "dsprites_ndarray_co1sh3sc6or40x32y32_64x64.npz";
    let example = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../gwae-datasets/tests/npz_files/compressed.npz");
    fs::copy(example, place.join(npz)).unwrap();
    let show = [
        "data", "show", "dsprites", "--data", "dsprites", "-n", "2", "--out", "a.png",
    ];
    fine(&gwae(&show, root.path()));
    let check = |more: &[&str]| {
        let arguments = [&["data", "check", "dsprites", "--dir", "."], more].concat();
        let output = gwae(&arguments, root.path());
        assert_eq!(
            output.status.code(),
            Some(1),
            "the file is not the published one"
        );
        text(&output.stdout)
    };
    let said = check(&[]);
    assert!(
        said.contains(".gwae-cache: a whole copy of 14 items"),
        "{said}"
    );
    let copy = place.join(format!("{npz}.gwae-cache"));
    let mut bytes = fs::read(&copy).unwrap();
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    fs::write(&copy, &bytes).unwrap();
    let said = check(&[]);
    assert!(
        said.contains(".gwae-cache: item 13 is damaged; delete the file"),
        "{said}"
    );
    fs::create_dir(root.path().join("copies")).unwrap();
    fs::rename(&copy, root.path().join("copies/a.gwae-cache")).unwrap();
    assert!(!check(&[]).contains("item 13"));
    assert!(check(&["--cache", "copies"]).contains("item 13"));
    // The next use makes the copy that is not there.
    fine(&gwae(&show, root.path()));
    let said = check(&[]);
    assert!(
        said.contains(".gwae-cache: a whole copy of 14 items"),
        "{said}"
    );
}

#[test]
fn a_download_that_fails_leaves_nothing_behind() {
    let root = tempfile::tempdir().unwrap();
    let server = Server::start(|_, _, _| Reply::not_found());
    let url = format!("{}/nowhere/", server.address());
    let get = ["data", "get", "mnist", "--dir", "a/b", "--url", &url];
    let message = refused(&gwae(&get, root.path()), 1);
    assert!(message.contains("404"), "{message}");
    assert_eq!(fs::read_dir(root.path()).unwrap().count(), 0);
}
