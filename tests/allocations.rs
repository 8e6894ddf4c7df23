//! How much memory one training step asks for, held against a stored budget.
//!
//! A guard that needs no clock: it fails when a step begins to copy what it did not copy before,
//! or makes many more small blocks than it did. What is counted does not depend on the machine:
//! one thread computes, and of the working memory of the matrix products, whose sizes follow the
//! processor's vectors and caches, the packing buffers are left out, and the rest, a block of some
//! kilobytes per product, is counted but not weighed.
//!
//! `GWAE_RENEW_BUDGET=1 cargo test --workspace --test allocations` stores the present numbers as
//! the budget.
#![cfg(feature = "cpu")]

use std::io::Write;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};

use burn::tensor::{Device, Tensor};
use gwae::core::random::{SeededGenerator, uniform_tensor};
use gwae::models::{BackboneConfig, GwaeConfig, LossTerms, ModelSettings};
use gwae::train::TrainingConfig;
use gwae::train::algorithm::{Algorithm, GwaeAlgorithm, Learner};
use serde::{Deserialize, Serialize};
use tracking_allocator::{AllocationGroupId, AllocationRegistry, AllocationTracker, Allocator};

#[global_allocator]
static ALLOCATOR: Allocator<std::alloc::System> = Allocator::system();

/// The stored numbers, from the root of the repository.
const BUDGET: &str = "tests/allocation_budget.json";

/// Part by which blocks and bytes may exceed the budget.
const HEADROOM: f64 = 0.02;

/// Steps before those that are counted: optimisers and buffers build their state in the first.
const WARM_UP: usize = 2;

/// Steps that are counted; the least of each number is taken. Hash maps, whose order is random,
/// now and then grow a step earlier or later.
const COUNTED: usize = 3;

/// No dimension that a matrix product sums over is smaller than 16, which bounds its working memory.
const BATCH_SIZE: usize = 16;

/// Blocks from this size on are weighed; working memory that follows the caches stays below.
const LARGE: usize = 1 << 16;

/// Alignment of the packing buffers of the matrix products: a pair of cache lines. Nothing else
/// asks for that much.
const PACKING_ALIGNMENT: usize = 128;

fn config() -> (GwaeConfig, TrainingConfig) {
    let config = GwaeConfig {
        backbone: BackboneConfig {
            image_size: 32,
            latent_dim: 16,
            width: 0.5,
            ..BackboneConfig::default()
        },
        ..GwaeConfig::default()
    };
    let training = TrainingConfig {
        batch_size: BATCH_SIZE,
        critic_steps: 2,
        ..TrainingConfig::default()
    };
    (config, training)
}

/// What a step asks of the allocator.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
struct Requests {
    /// Blocks of memory.
    blocks: u64,
    /// The sizes of the [large](LARGE) ones added up.
    large_bytes: u64,
    /// Blocks that are exactly as large as the batch of images in single precision.
    image_batches: u64,
}

static BLOCKS: AtomicU64 = AtomicU64::new(0);
static LARGE_BYTES: AtomicU64 = AtomicU64::new(0);
static IMAGE_BATCHES: AtomicU64 = AtomicU64::new(0);

impl Requests {
    fn so_far() -> Self {
        Self {
            blocks: BLOCKS.load(Ordering::SeqCst),
            large_bytes: LARGE_BYTES.load(Ordering::SeqCst),
            image_batches: IMAGE_BATCHES.load(Ordering::SeqCst),
        }
    }

    fn with(self, other: Self, combine: impl Fn(u64, u64) -> u64) -> Self {
        Self {
            blocks: combine(self.blocks, other.blocks),
            large_bytes: combine(self.large_bytes, other.large_bytes),
            image_batches: combine(self.image_batches, other.image_batches),
        }
    }
}

struct Counter {
    image_batch: usize,
}

impl AllocationTracker for Counter {
    fn allocated(&self, _: usize, size: usize, wrapped: usize, _: AllocationGroupId) {
        // The allocator puts a header before each block and keeps the block's alignment, so the
        // header is as long as the block is aligned.
        if wrapped - size >= PACKING_ALIGNMENT {
            return;
        }
        BLOCKS.fetch_add(1, Ordering::SeqCst);
        if size >= LARGE {
            LARGE_BYTES.fetch_add(size as u64, Ordering::SeqCst);
        }
        if size == self.image_batch {
            IMAGE_BATCHES.fetch_add(1, Ordering::SeqCst);
        }
    }

    fn deallocated(
        &self,
        _: usize,
        _: usize,
        _: usize,
        _: AllocationGroupId,
        _: AllocationGroupId,
    ) {
    }
}

/// The requests of one training step.
fn count() -> Requests {
    let (config, training) = config();
    let device = Device::flex().autodiff();
    let mut noise = SeededGenerator::new(0, 0);
    let model = config.init(&mut noise, &device).unwrap();
    let size = config.backbone.image_size;
    let shape = [BATCH_SIZE, config.backbone.channels, size, size];
    let images = uniform_tensor::<4>(&mut noise, shape, &device).into_data();
    let counter = Counter {
        image_batch: shape.iter().product::<usize>() * size_of::<f32>(),
    };
    assert!(AllocationRegistry::set_global_tracker(counter).is_ok());
    let algorithm = GwaeAlgorithm::new(config);
    let mut learner = algorithm.learner(model, &training, LossTerms::none());
    let mut least: Option<Requests> = None;
    for step in 0..WARM_UP + COUNTED {
        // A batch of its own, as the loop gives it: what writes to a shared one makes a copy.
        let images: Tensor<4> = Tensor::from_data(images.clone(), &device);
        let before = Requests::so_far();
        AllocationRegistry::enable_tracking();
        let (next, losses) = learner.step(images, &mut noise);
        AllocationRegistry::disable_tracking();
        learner = next;
        assert!(losses.read().total().is_finite());
        if step >= WARM_UP {
            let step = Requests::so_far().with(before, |after, before| after - before);
            least = Some(least.map_or(step, |least| least.with(step, u64::min)));
        }
    }
    least.expect("steps were counted")
}

#[test]
fn a_step_stays_within_its_budget() {
    let threads = rayon::ThreadPoolBuilder::new().num_threads(1);
    let found = threads.build().unwrap().install(count);
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(BUDGET);
    if std::env::var_os("GWAE_RENEW_BUDGET").is_some() {
        let text = serde_json::to_string_pretty(&found).unwrap();
        std::fs::write(&path, text + "\n").unwrap();
    }
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{BUDGET}: {error}"));
    let budget: Requests =
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{BUDGET}: {error}"));

    let mut above = Vec::new();
    for (what, found, budget, headroom) in [
        ("blocks", found.blocks, budget.blocks, HEADROOM),
        (
            "bytes in large blocks",
            found.large_bytes,
            budget.large_bytes,
            HEADROOM,
        ),
        (
            "blocks as large as the batch of images",
            found.image_batches,
            budget.image_batches,
            0.0,
        ),
    ] {
        let change = found as f64 / budget as f64 - 1.0;
        let verdict = if change > headroom {
            above.push(what);
            "above the budget"
        } else if change < -HEADROOM {
            "well below the budget: renew it, so that it stays tight"
        } else {
            "within the budget"
        };
        // Straight to standard error, so that it is seen where the test passes too.
        let _ = writeln!(
            std::io::stderr(),
            "a training step asks for {found} {what}, {:+.2} % of {budget}: {verdict}",
            100.0 * change,
        );
    }
    assert!(
        above.is_empty(),
        "a training step asks for more {} than {BUDGET} allows (numbers above); if that is meant, \
         store the new ones with `GWAE_RENEW_BUDGET=1 cargo test --workspace --test allocations`",
        above.join(" and "),
    );
}
