//! Files that are made to harm: endless, huge when unpacked, small but asking for much memory,
//! deeply nested, with code or with escapes for the terminal.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;
#[cfg(unix)]
use std::process::Command;
use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;
use zip::write::{SimpleFileOptions, ZipWriter};

use crate::campaign::Campaign;

pub const NAME: &str = "hostile-inputs";

/// Makes a hostile `input` and returns the command that reads it, without `gwae`.
type Input = fn(&Path) -> io::Result<Vec<String>>;

const INPUTS: &[(&str, Input)] = &[
    ("an endless trajectory", |_| words(&["verify", "/dev/zero"])),
    ("an endless configuration", |_| {
        words(&["train", "/dev/zero"])
    }),
    ("an endless checkpoint", |_| {
        words(&["import", "/dev/zero", "--out", "/nowhere/run"])
    }),
    ("endless scores", |_| scores("/dev/zero", "/dev/zero")),
    ("a deep TOML array", |d| {
        config(d, "a.toml", &format!("a = {}", "[".repeat(100_000)))
    }),
    ("a deep YAML list", |d| {
        config(
            d,
            "a.yaml",
            &format!("hyperparameters: {}", "[".repeat(100_000)),
        )
    }),
    ("YAML aliases that multiply", |d| {
        let mut text = "hyperparameters:\n  a0: &a0 [x, x, x, x, x, x, x, x, x]\n".to_owned();
        for level in 1..12 {
            let many = vec![format!("*a{}", level - 1); 9].join(", ");
            text += &format!("  a{level}: &a{level} [{many}]\n");
        }
        config(d, "a.yaml", &text)
    }),
    ("escapes in a configuration", |d| {
        config(d, "a.toml", "[training]\n\"\\u001b[31mbatch\" = 4\n")
    }),
    ("a deep trajectory", |d| {
        fs::write(d.join("a.json"), "[".repeat(1_000_000))?;
        words(&["verify", &shown(&d.join("a.json"))])
    }),
    ("an array that claims 2^60 numbers", |d| {
        let mut bytes = b"\x93NUMPY\x01\x00\x76\x00".to_vec();
        let header = "{'descr': '<f8', 'fortran_order': False, 'shape': (1152921504606846976,), }";
        bytes.extend(format!("{header:<117}\n").bytes());
        fs::write(d.join("a.npy"), bytes)?;
        let file = shown(&d.join("a.npy"));
        scores(&file, &file)
    }),
    ("an array by Python 2 that claims 2^40 numbers", |d| {
        let header = "{'descr': '|O', 'fortran_order': False, 'shape': (1099511627776L,), }";
        let numbers = header.replace("|O", "<f8");
        for (name, header) in [("a.npy", numbers.as_str()), ("b.npy", header)] {
            let mut bytes = b"\x93NUMPY\x01\x00\x76\x00".to_vec();
            bytes.extend(format!("{header:<118}").bytes());
            fs::write(d.join(name), bytes)?;
        }
        scores(&shown(&d.join("a.npy")), &shown(&d.join("b.npy")))
    }),
    ("an HDF5 file that is a user block only", |d| {
        let mut bytes = vec![0; 8 << 20];
        bytes.extend(b"\x89HDF\r\n\x1a\n\x02\x08\x08\x00");
        fs::write(d.join("3dshapes.h5"), bytes)?;
        dataset("shapes3d", d)
    }),
    ("a gzip bomb as images of MNIST", |d| {
        gzip_bomb(d, [1 << 16, 1 << 8, 1 << 8])?;
        dataset("mnist", d)
    }),
    ("a gzip bomb behind one image of MNIST", |d| {
        gzip_bomb(d, [1, 28, 28])?;
        dataset("mnist", d)
    }),
    ("a pickle that runs a command", |d| {
        let canary = shown(&d.join("executed"));
        let pickle = format!("\u{0}cposix\nsystem\n(S'touch {canary}'\ntR.");
        checkpoint(d, &[b"\x80\x02", &pickle.as_bytes()[1..]].concat())
    }),
    ("a pickle without an end", |d| {
        checkpoint(d, &[b"\x80\x02".as_slice(), &[b'('; 1 << 20]].concat())
    }),
    ("a trajectory of 4096 images", |d| {
        trajectory(d, r#""batch": 4096, "losses": [{"loss": 1.0}]"#)
    }),
    ("a trajectory of a million steps", |d| {
        let steps = vec![r#"{"loss":1}"#; 300_000].join(",");
        trajectory(d, &format!(r#""batch": 2, "losses": [{steps}]"#))
    }),
    ("a trajectory of a huge model", |d| {
        let path = d.join("a.json");
        let hyperparameters = r#"{"lr": 1e-4, "z_dim": 60000, "coef_w": 1, "coef_d": 1,
            "coef_qentropy": 0, "sampler_type": "spherical", "merged_condition": false}"#;
        fs::write(
            &path,
            format!(
                r#"{{"name": "a", "batch": 2, "losses": [{{"loss": 1.0}}],
                    "hyperparameters": {hyperparameters}}}"#
            ),
        )?;
        words(&["verify", &shown(&path)])
    }),
    ("a pickle of ten million lists", |d| {
        checkpoint(
            d,
            &[b"\x80\x02".as_slice(), &b"]"[..].repeat(9 << 20)].concat(),
        )
    }),
    ("a compressed checkpoint", |d| {
        let file = d.join("a.pth");
        let mut archive = ZipWriter::new(File::create(&file)?);
        archive.start_file("archive/data.pkl", SimpleFileOptions::default())?;
        for _ in 0..90 {
            archive.write_all(&[b']'; 1 << 20])?;
        }
        archive.finish()?;
        words(&["import", &shown(&file), "--out", &shown(&d.join("run"))])
    }),
    #[cfg(unix)]
    ("a configuration that is a pipe", |d| {
        let path = d.join("a.toml");
        make_pipe(&path)?;
        words(&["train", &shown(&path), "--out", &shown(&d.join("run"))])
    }),
    #[cfg(unix)]
    ("images in a pipe", |d| {
        let path = d.join("images.zip");
        make_pipe(&path)?;
        folder(d, &path)
    }),
    #[cfg(unix)]
    ("a run whose record is a pipe", |d| {
        fs::write(d.join("config.toml"), "")?;
        make_pipe(&d.join("run.json"))?;
        words(&["resume", &shown(d)])
    }),
    ("a pickle of nested lists", |d| {
        checkpoint(
            d,
            &[
                b"\x80\x02".as_slice(),
                &b"]"[..].repeat(1 << 20),
                &b"a".repeat((1 << 20) - 1),
                b".",
            ]
            .concat(),
        )
    }),
    ("a zip bomb as a folder of images", |d| {
        let mut archive = ZipWriter::new(File::create(d.join("a.zip"))?);
        archive.start_file("a.png", SimpleFileOptions::default())?;
        for _ in 0..2_000 {
            archive.write_all(&[0; 1 << 20])?;
        }
        archive.finish()?;
        folder(d, &d.join("a.zip"))
    }),
    ("an image that claims 65535×65535 pixels", |d| {
        let mut bytes = Vec::new();
        let encoder = image::codecs::png::PngEncoder::new(&mut bytes);
        image::GrayImage::new(1, 1)
            .write_with_encoder(encoder)
            .map_err(io::Error::other)?;
        bytes[16..24].copy_from_slice(&[0, 0, 255, 255, 0, 0, 255, 255]);
        fs::create_dir(d.join("images"))?;
        fs::write(d.join("images/a.png"), bytes)?;
        folder(d, &d.join("images"))
    }),
    ("a folder with a link to itself", |d| {
        fs::create_dir(d.join("images"))?;
        #[cfg(unix)]
        std::os::unix::fs::symlink(d.join("images"), d.join("images/again"))?;
        folder(d, &d.join("images"))
    }),
    ("a fan of links", |d| {
        let mut last = d.join("images/0");
        fs::create_dir_all(&last)?;
        for level in 1..24 {
            let next = d.join(format!("images/{level}"));
            fs::create_dir(&next)?;
            #[cfg(unix)]
            for name in ["a", "b"] {
                std::os::unix::fs::symlink(&last, next.join(name))?;
            }
            last = next;
        }
        folder(d, &last)
    }),
];

/// How many there are.
pub const COUNT: u64 = INPUTS.len() as u64;

pub fn case(campaign: &Campaign, number: u64, directory: &Path) -> Result<(), String> {
    let (name, input) = &INPUTS[number as usize % INPUTS.len()];
    let arguments =
        input(directory).map_err(|error| format!("{name}: the case itself: {error}"))?;
    let longest = Duration::from_secs(12);
    let outcome = campaign.program.run_for(&arguments, directory, longest);
    if directory.join("executed").exists() {
        return Err(format!("{name}: the command was executed"));
    }
    outcome
        .check_limits()
        .map_err(|problem| format!("{name}: {problem}"))?;
    if outcome.code == Some(0) {
        return Err(format!("{name}: accepted"));
    }
    Ok(())
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}

fn words(words: &[&str]) -> io::Result<Vec<String>> {
    Ok(words.iter().copied().map(String::from).collect())
}

fn config(directory: &Path, name: &str, text: &str) -> io::Result<Vec<String>> {
    fs::write(directory.join(name), text)?;
    let run = shown(&directory.join("run"));
    words(&["train", &shown(&directory.join(name)), "--out", &run])
}

/// A reference file of a small model, with these fields.
fn trajectory(directory: &Path, fields: &str) -> io::Result<Vec<String>> {
    let text = format!(
        r#"{{"name": "a", "hyperparameters": {{"lr": 1e-4, "z_dim": 4, "coef_w": 1, "coef_d": 1,
            "coef_qentropy": 0, "sampler_type": "spherical", "merged_condition": false}}, {fields}}}"#
    );
    fs::write(directory.join("a.json"), text)?;
    words(&["verify", &shown(&directory.join("a.json"))])
}

/// Makes a pipe that nothing ever writes to.
#[cfg(unix)]
fn make_pipe(path: &Path) -> io::Result<()> {
    match Command::new("mkfifo").arg(path).status()?.success() {
        true => Ok(()),
        false => Err(io::Error::other("mkfifo failed")),
    }
}

fn folder(directory: &Path, images: &Path) -> io::Result<Vec<String>> {
    let out = shown(&directory.join("shown.png"));
    words(&[
        "data",
        "show",
        "folder",
        "--data",
        &shown(images),
        "--out",
        &out,
    ])
}

fn scores(inside: &str, outside: &str) -> io::Result<Vec<String>> {
    words(&["metrics", "--scores-in", inside, "--scores-out", outside])
}

fn dataset(name: &str, directory: &Path) -> io::Result<Vec<String>> {
    let out = shown(&directory.join("shown.png"));
    let place = shown(directory);
    words(&["data", "show", name, "--data", &place, "--out", &out])
}

/// The four files of MNIST. The images to train claim these sizes and are 2 GB of zeros in 2 MB.
fn gzip_bomb(directory: &Path, sizes: [u32; 3]) -> io::Result<()> {
    for name in [
        "train-labels-idx1-ubyte",
        "t10k-images-idx3-ubyte",
        "t10k-labels-idx1-ubyte",
    ] {
        fs::write(directory.join(name), b"\0\0\x08\x01\0\0\0\x01\x05")?;
    }
    let file = File::create(directory.join("train-images-idx3-ubyte.gz"))?;
    let mut file = GzEncoder::new(file, Compression::default());
    file.write_all(b"\0\0\x08\x03")?;
    for size in sizes {
        file.write_all(&size.to_be_bytes())?;
    }
    for _ in 0..2_000 {
        file.write_all(&[0; 1 << 20])?;
    }
    file.finish()?;
    Ok(())
}

fn checkpoint(directory: &Path, pickle: &[u8]) -> io::Result<Vec<String>> {
    let file = directory.join("a.pth");
    let mut archive = ZipWriter::new(File::create(&file)?);
    let stored = SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
    let entries: [(&str, &[u8]); 3] = [
        ("data.pkl", pickle),
        ("byteorder", b"little"),
        ("version", b"3\n"),
    ];
    for (name, bytes) in entries {
        archive.start_file(format!("archive/{name}"), stored)?;
        archive.write_all(bytes)?;
    }
    archive.finish()?;
    let run = shown(&directory.join("run"));
    words(&["import", &shown(&file), "--out", &run])
}
