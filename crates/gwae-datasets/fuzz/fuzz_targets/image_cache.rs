//! A damaged cache of resized images: made again, refused item by item, or unchanged.
#![no_main]

use std::fs;
use std::path::PathBuf;
use std::sync::{Arc, LazyLock};

use gwae_datasets::{
    CachedImages, Dataset, DatasetError, FactorKind, FactorSpec, Image, Item, Transform,
};
use gwae_datasets_fuzz::{check_message, damaged, scratch_directory};
use libfuzzer_sys::fuzz_target;

/// Three grey images of 2×2 pixels.
struct Pictures([FactorSpec; 1]);

impl Dataset for Pictures {
    fn name(&self) -> &str {
        "pictures"
    }

    fn len(&self) -> usize {
        3
    }

    fn train_len(&self) -> usize {
        self.len()
    }

    fn item(&self, index: usize) -> Result<Item, DatasetError> {
        Ok(Item {
            image: Image {
                channels: 1,
                height: 2,
                width: 2,
                pixels: (0..4).map(|pixel| 60 * index as u8 + 7 * pixel).collect(),
            },
            factors: vec![index as u32],
        })
    }

    fn factors(&self) -> &[FactorSpec] {
        &self.0
    }

    fn fingerprint(&self) -> String {
        "fixed".to_owned()
    }
}

struct Cache {
    dataset: Arc<dyn Dataset>,
    directory: PathBuf,
    file: PathBuf,
    content: Vec<u8>,
}

impl Cache {
    fn new() -> Self {
        let dataset: Arc<dyn Dataset> = Arc::new(Pictures([FactorSpec {
            name: "number".to_owned(),
            kind: FactorKind::Ordered,
            values: 3,
        }]));
        let directory = scratch_directory();
        let file = open(&dataset, &directory).path().to_owned();
        let content = fs::read(&file).expect("the cache");
        Self {
            dataset,
            directory,
            file,
            content,
        }
    }
}

fn open(dataset: &Arc<dyn Dataset>, directory: &std::path::Path) -> CachedImages {
    let transform = Transform::new(2, 1);
    CachedImages::open_or_create(dataset.clone(), transform, directory, &mut |_| {})
        .expect("the cache, perhaps made again")
}

static CACHE: LazyLock<Cache> = LazyLock::new(Cache::new);

fuzz_target!(|damage: &[u8]| {
    let Cache {
        dataset,
        directory,
        file,
        content,
    } = &*CACHE;
    let Some((unfinished, damage)) = damage.split_first() else {
        return;
    };
    let there = damaged(content, damage);
    let _ = fs::remove_file(file);
    if unfinished % 2 == 1 {
        let mut partial = file.as_os_str().to_owned();
        partial.push(".partial");
        fs::write(partial, &there).expect("a temporary file");
    } else {
        fs::write(file, &there).expect("a temporary file");
    }
    let transform = Transform::new(2, 1);
    let opened = CachedImages::open_or_create(dataset.clone(), transform, directory, &mut |_| {});
    let opened = match opened {
        Ok(opened) => opened,
        // The first bytes are another program's.
        Err(error) => return check_message(&error),
    };
    let again = fs::read(file).expect("the cache");
    for index in 0..dataset.len() {
        match opened.item(index) {
            Ok(item) => assert_eq!(item, dataset.item(index).expect("a picture")),
            Err(error) => {
                check_message(&error);
                assert_ne!(&again, content);
            }
        }
    }
});
