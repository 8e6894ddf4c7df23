//! Small datasets that the tests make themselves.
#![allow(dead_code)]

pub mod pictures;

use gwae_datasets::{Dataset, DatasetError, FactorKind, FactorSpec, Image, Item};

/// The result of [`Toy`] for one certain item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trap {
    None,
    Error(usize),
    Panic(usize),
}

/// Grey 2×2 images; every pixel of item `i` is `i mod 256`.
pub struct Toy {
    pub len: usize,
    pub train_len: usize,
    pub trap: Trap,
    pub factors: [FactorSpec; 1],
}

impl Toy {
    pub fn new(len: usize, train_len: usize) -> Self {
        Self {
            len,
            train_len,
            trap: Trap::None,
            factors: [FactorSpec {
                name: "number".to_owned(),
                kind: FactorKind::Ordered,
                values: len as u32,
            }],
        }
    }

    pub fn with_trap(len: usize, trap: Trap) -> Self {
        Self {
            trap,
            ..Self::new(len, len)
        }
    }
}

impl Dataset for Toy {
    fn name(&self) -> &str {
        "toy"
    }

    fn len(&self) -> usize {
        self.len
    }

    fn train_len(&self) -> usize {
        self.train_len
    }

    fn item(&self, index: usize) -> Result<Item, DatasetError> {
        match self.trap {
            Trap::Panic(trap) if trap == index => panic!("item {index} is a trap"),
            Trap::Error(trap) if trap == index => Err(DatasetError::IndexOutOfRange {
                dataset: "toy".to_owned(),
                index,
                len: self.len,
            }),
            _ => Ok(Item {
                image: Image {
                    channels: 1,
                    height: 2,
                    width: 2,
                    pixels: vec![index as u8; 4],
                },
                factors: vec![index as u32],
            }),
        }
    }

    fn factors(&self) -> &[FactorSpec] {
        &self.factors
    }

    fn fingerprint(&self) -> String {
        format!("toy {} {}", self.len, self.train_len)
    }
}
