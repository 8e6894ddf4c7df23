//! A damaged uncompressed copy of a published file: refused, made again, or unchanged. Builds for
//! fuzzing skip the checksums of headers, so that changed bytes reach the code behind them.
#![no_main]

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use gwae_datasets::{Dataset, DatasetError, DspritesFile, Item, Shapes3dFile};
use gwae_formats::records::{RecordsError, RecordsProblem};
use gwae_datasets_fuzz::{check_message, damaged, scratch_directory};
use libfuzzer_sys::fuzz_target;

/// A kind of file with copies.
trait Published: Dataset + Sized {
    const NAME: &str;
    const CONTENT: &[u8];

    fn open(path: &Path) -> Result<Self, DatasetError>;
    fn verify(&self) -> Result<(), DatasetError>;
}

impl Published for DspritesFile {
    const NAME: &str = "dsprites.npz";
    const CONTENT: &[u8] = include_bytes!("../../tests/npz_files/compressed.npz");

    fn open(path: &Path) -> Result<Self, DatasetError> {
        Self::open_cached(path, None, &mut |_| {})
    }

    fn verify(&self) -> Result<(), DatasetError> {
        self.verify_cache()
    }
}

impl Published for Shapes3dFile {
    const NAME: &str = "3dshapes.h5";
    const CONTENT: &[u8] = include_bytes!("../../../gwae-formats/tests/hdf5_files/gzip_shuffle.h5");

    fn open(path: &Path) -> Result<Self, DatasetError> {
        Self::open_cached(path, None, &mut |_| {})
    }

    fn verify(&self) -> Result<(), DatasetError> {
        self.verify_cache()
    }
}

/// A file, its copy, and their content.
struct Sample {
    source: PathBuf,
    content: Vec<u8>,
    items: Vec<Item>,
}

impl Sample {
    fn new<P: Published>() -> Self {
        let source = scratch_directory().join(P::NAME);
        fs::write(&source, P::CONTENT).expect("a temporary file");
        let opened = P::open(&source).expect("a copy");
        let content = fs::read(beside(&source, "")).expect("the copy");
        Self {
            items: items(&opened),
            source,
            content,
        }
    }

    fn check<P: Published>(&self, kind: u8, damage: &[u8]) {
        let damaged = damaged(&self.content, damage);
        if kind & 2 != 0 {
            self.check_unfinished::<P>(&damaged);
        } else {
            self.check_complete::<P>(&damaged, kind & 4 != 0);
        }
    }

    /// An unfinished copy never affects the finished one.
    fn check_unfinished<P: Published>(&self, partial: &[u8]) {
        let _ = fs::remove_file(beside(&self.source, ""));
        fs::write(beside(&self.source, ".partial"), partial).expect("a temporary file");
        let opened = P::open(&self.source).expect("a copy made of the source");
        assert_eq!(items(&opened), self.items);
        opened.verify().expect("a copy as it should be");
    }

    fn check_complete<P: Published>(&self, copy: &[u8], alone: bool) {
        let source = match alone {
            true => self.source.with_file_name(format!("absent-{}", P::NAME)),
            false => self.source.clone(),
        };
        let file = beside(&source, "");
        fs::write(&file, copy).expect("a temporary file");
        let opened = match P::open(&source) {
            Ok(opened) => opened,
            Err(error) => {
                check_message(&error);
                assert!(
                    alone
                        || matches!(error.downcast_ref(), Some(RecordsError { problem, .. })
                        if matches!(problem, RecordsProblem::Foreign)),
                    "{error}"
                );
                return;
            }
        };
        // Only a checksum, which builds for fuzzing skip, protects the factors and the sizes.
        let verified = opened.verify();
        for index in 0..opened.len().min(self.items.len()) {
            match opened.item(index) {
                Ok(item) if item.image.shape() == self.items[index].image.shape() => {
                    assert_eq!(item.image, self.items[index].image);
                }
                Ok(_) => {}
                Err(error) => {
                    check_message(&error);
                    assert!(verified.is_err());
                }
            }
        }
        if let Err(error) = verified {
            check_message(&error);
            assert_ne!(copy, self.content);
        }
    }
}

fn beside(source: &Path, suffix: &str) -> PathBuf {
    let mut name = source.as_os_str().to_owned();
    name.push(".gwae-cache");
    name.push(suffix);
    name.into()
}

fn items(dataset: &impl Dataset) -> Vec<Item> {
    (0..dataset.len().min(1 << 12))
        .map(|index| dataset.item(index).expect("an item"))
        .collect()
}

static DSPRITES: LazyLock<Sample> = LazyLock::new(Sample::new::<DspritesFile>);
static SHAPES3D: LazyLock<Sample> = LazyLock::new(Sample::new::<Shapes3dFile>);

fuzz_target!(|bytes: &[u8]| {
    let Some((&kind, damage)) = bytes.split_first() else {
        return;
    };
    if kind & 1 == 0 {
        DSPRITES.check::<DspritesFile>(kind, damage);
    } else {
        SHAPES3D.check::<Shapes3dFile>(kind, damage);
    }
});
