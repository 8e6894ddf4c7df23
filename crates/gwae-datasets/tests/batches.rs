//! The batch stream: order, resume, errors, shutdown.

mod common;

use std::sync::Arc;

use common::{Toy, Trap};
use gwae_datasets::{
    Batch, BatchConfig, BatchError, BatchStream, Dataset, DatasetError, ImageSource,
    PREFETCHED_BATCHES, Position, Transform, batches_per_epoch, epoch_order,
};

const CONFIG: BatchConfig = BatchConfig {
    batch_size: 4,
    seed: 11,
    drop_last: true,
};

fn source(toy: Toy) -> Arc<ImageSource> {
    let transform = Transform::new(2, 1);
    Arc::new(ImageSource::new(Arc::new(toy), transform).unwrap())
}

fn stream(toy: Toy, config: BatchConfig, position: Position) -> BatchStream {
    let indices = (0..toy.len() as u32).collect();
    BatchStream::start(source(toy), indices, config, position).unwrap()
}

fn take(stream: &mut BatchStream, count: usize) -> Vec<Batch> {
    (0..count).map(|_| stream.next_batch().unwrap()).collect()
}

#[test]
fn batches_hold_the_images_of_their_indices_in_epoch_order() {
    let mut stream = stream(Toy::new(10, 10), CONFIG, Position::START);
    let all: Vec<u32> = (0..10).collect();
    for epoch in 0..3 {
        let order = epoch_order(&all, CONFIG.seed, epoch);
        for batch in 0..2 {
            let found = stream.next_batch().unwrap();
            assert_eq!(found.position, Position { epoch, batch });
            assert_eq!(found.shape, [4, 1, 2, 2]);
            let start = batch as usize * 4;
            assert_eq!(found.indices, order[start..start + 4]);
            let expected: Vec<f32> = found
                .indices
                .iter()
                .flat_map(|&index| [index as f32 / 255.0; 4])
                .collect();
            assert_eq!(found.images, expected);
        }
    }
}

#[test]
fn an_epoch_without_dropping_visits_every_index_once() {
    let config = BatchConfig {
        drop_last: false,
        ..CONFIG
    };
    let mut stream = stream(Toy::new(10, 10), config, Position::START);
    assert_eq!(stream.batches_per_epoch(), 3);
    for _ in 0..2 {
        let batches = take(&mut stream, 3);
        let sizes: Vec<usize> = batches.iter().map(|batch| batch.shape[0]).collect();
        assert_eq!(sizes, [4, 4, 2]);
        let mut visited: Vec<u32> = batches.into_iter().flat_map(|b| b.indices).collect();
        visited.sort_unstable();
        assert_eq!(visited, (0..10).collect::<Vec<u32>>());
    }
}

#[test]
fn only_the_given_indices_are_drawn() {
    let config = BatchConfig {
        batch_size: 3,
        ..CONFIG
    };
    let source = source(Toy::new(10, 10));
    let mut stream = BatchStream::start(source, vec![2, 5, 7], config, Position::START).unwrap();
    for batch in take(&mut stream, 5) {
        let mut indices = batch.indices;
        indices.sort_unstable();
        assert_eq!(indices, [2, 5, 7]);
    }
}

#[test]
fn a_stream_started_anywhere_continues_the_uninterrupted_one() {
    for drop_last in [true, false] {
        let config = BatchConfig {
            drop_last,
            ..CONFIG
        };
        let mut uninterrupted = stream(Toy::new(10, 10), config, Position::START);
        for consumed in 0..8 {
            let mut resumed = stream(Toy::new(10, 10), config, uninterrupted.position());
            let mut again = stream(Toy::new(10, 10), config, Position::START);
            take(&mut again, consumed);
            assert_eq!(take(&mut resumed, 7), take(&mut again, 7));
            uninterrupted.next_batch().unwrap();
        }
    }
}

#[test]
fn the_position_is_that_of_the_next_batch_not_of_the_worker() {
    let mut stream = stream(
        Toy::new(100, 100),
        CONFIG,
        Position {
            epoch: 3,
            batch: 24,
        },
    );
    assert_eq!(
        stream.position(),
        Position {
            epoch: 3,
            batch: 24
        }
    );
    stream.next_batch().unwrap();
    assert_eq!(stream.position(), Position { epoch: 4, batch: 0 });
    let stored = serde_json::to_string(&stream.position()).unwrap();
    let restored: Position = serde_json::from_str(&stored).unwrap();
    assert_eq!(restored, stream.position());
}

#[test]
fn an_item_that_fails_reaches_the_consumer_and_ends_the_stream() {
    let mut stream = stream(Toy::with_trap(10, Trap::Error(7)), CONFIG, Position::START);
    let error = (0..6).find_map(|_| stream.next_batch().err()).unwrap();
    assert!(matches!(
        error,
        DatasetError::IndexOutOfRange { index: 7, .. }
    ));
    assert!(matches!(
        stream.next_batch(),
        Err(DatasetError::Batch(BatchError::StreamEnded))
    ));
    assert!(stream.next().is_none());
}

#[test]
fn a_panic_in_the_worker_reaches_the_consumer() {
    let stream = stream(Toy::with_trap(10, Trap::Panic(7)), CONFIG, Position::START);
    let results: Vec<_> = stream.collect();
    let Some(Err(DatasetError::Batch(BatchError::WorkerPanicked { message }))) = results.last()
    else {
        panic!("{:?}", results.last());
    };
    assert_eq!(message, "item 7 is a trap");
}

#[test]
fn dropping_ends_the_worker() {
    for consumed in 0..3 {
        let source = source(Toy::new(1000, 1000));
        let indices = (0..1000).collect();
        let mut stream =
            BatchStream::start(source.clone(), indices, CONFIG, Position::START).unwrap();
        take(&mut stream, consumed * PREFETCHED_BATCHES);
        drop(stream);
        // The worker held the only other reference.
        assert_eq!(Arc::strong_count(&source), 1);
    }
}

#[test]
fn impossible_configurations_are_refused() {
    let start = |items: u32, batch_size, position| {
        let config = BatchConfig {
            batch_size,
            ..CONFIG
        };
        BatchStream::start(
            source(Toy::new(10, 10)),
            (0..items).collect(),
            config,
            position,
        )
        .err()
        .unwrap()
    };
    assert!(matches!(
        start(10, 0, Position::START),
        DatasetError::Batch(BatchError::ZeroBatch)
    ));
    assert!(matches!(
        start(0, 1, Position::START),
        DatasetError::Batch(BatchError::NoItems)
    ));
    assert!(matches!(
        start(10, 11, Position::START),
        DatasetError::Batch(BatchError::BatchTooLarge {
            batch_size: 11,
            items: 10
        })
    ));
    assert!(matches!(
        start(11, 2, Position::START),
        DatasetError::IndexOutOfRange {
            index: 10,
            len: 10,
            ..
        }
    ));
    let beyond = Position { epoch: 0, batch: 2 };
    assert!(matches!(
        start(10, 4, beyond),
        DatasetError::Batch(BatchError::Position {
            batches_per_epoch: 2,
            ..
        })
    ));
    let last = Position {
        epoch: u64::MAX,
        batch: 1,
    };
    take(&mut stream(Toy::new(10, 10), CONFIG, last), 1);
    assert_eq!(batches_per_epoch(10, 4, true).unwrap(), 2);
}

#[test]
fn an_empty_dataset_has_no_source() {
    let transform = Transform::new(2, 1);
    assert!(matches!(
        ImageSource::new(Arc::new(Toy::new(0, 0)), transform),
        Err(DatasetError::Batch(BatchError::NoItems))
    ));
}

/// A stream of three batches per epoch on `threads` threads.
fn on_threads(toy: Toy, threads: usize) -> BatchStream {
    let threads = std::num::NonZeroUsize::new(threads).unwrap();
    let indices = (0..toy.len() as u32).collect();
    let source = ImageSource::new(Arc::new(toy), Transform::new(2, 1)).unwrap();
    let source = Arc::new(source.with_threads(threads));
    let config = BatchConfig {
        drop_last: false,
        ..CONFIG
    };
    BatchStream::start(source, indices, config, Position { epoch: 1, batch: 2 }).unwrap()
}

#[test]
fn the_number_of_threads_changes_nothing() {
    let expected = take(&mut on_threads(Toy::new(10, 10), 1), 40);
    for threads in [2, 3, 5, 16] {
        let mut stream = on_threads(Toy::new(10, 10), threads);
        assert_eq!(take(&mut stream, 40), expected);
        assert_eq!(stream.position(), expected[39].position.next(3));
    }
}

#[test]
fn an_error_comes_in_the_place_of_its_batch_on_any_number_of_threads() {
    let place = |threads| {
        let mut stream = on_threads(Toy::with_trap(10, Trap::Error(7)), threads);
        let good = stream.by_ref().take_while(Result::is_ok).count();
        assert!(matches!(
            stream.next_batch(),
            Err(DatasetError::Batch(BatchError::StreamEnded))
        ));
        good
    };
    let expected = place(1);
    for threads in [2, 3, 4, 9] {
        assert_eq!(place(threads), expected);
    }
}

#[test]
fn a_panic_comes_in_the_place_of_its_batch_on_any_number_of_threads() {
    let outcome = |threads| {
        let mut stream = on_threads(Toy::with_trap(10, Trap::Panic(7)), threads);
        let mut good = 0;
        loop {
            match stream.next_batch() {
                Ok(_) => good += 1,
                Err(error) => return (good, error.to_string()),
            }
        }
    };
    let expected = outcome(1);
    assert!(expected.1.contains("item 7 is a trap"), "{}", expected.1);
    for threads in [2, 3, 4, 9] {
        assert_eq!(outcome(threads), expected);
    }
}

#[test]
fn batches_that_wait_are_bounded() {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::{Duration, Instant};

    /// Counts the requested items.
    struct Counted(Toy, Arc<AtomicUsize>);
    impl Dataset for Counted {
        fn name(&self) -> &str {
            self.0.name()
        }
        fn len(&self) -> usize {
            self.0.len()
        }
        fn train_len(&self) -> usize {
            self.0.train_len()
        }
        fn item(&self, index: usize) -> Result<gwae_datasets::Item, DatasetError> {
            self.1.fetch_add(1, Ordering::SeqCst);
            self.0.item(index)
        }
        fn factors(&self) -> &[gwae_datasets::FactorSpec] {
            self.0.factors()
        }
        fn fingerprint(&self) -> String {
            self.0.fingerprint()
        }
    }

    for threads in [1, 2, 6] {
        let count = Arc::new(AtomicUsize::new(0));
        // One epoch, so that no item repeats. The cache in memory could hide repeated reads.
        let dataset = Arc::new(Counted(Toy::new(400, 400), count.clone()));
        let source = ImageSource::new(dataset, Transform::new(2, 1)).unwrap();
        let source = Arc::new(source.with_threads(std::num::NonZeroUsize::new(threads).unwrap()));
        let indices = (0..400).collect();
        let mut stream = BatchStream::start(source, indices, CONFIG, Position::START).unwrap();
        stream.next_batch().unwrap();
        // The taken batch, the waiting ones, and one in progress per thread; one item to learn the
        // size.
        let bound = 1 + PREFETCHED_BATCHES.max(threads) + threads;
        let asked = || count.load(Ordering::SeqCst);
        // The queue fills up in the end, however busy the machine is.
        let deadline = Instant::now() + Duration::from_secs(60);
        while asked() < 4 * (bound - threads) {
            let asked = asked();
            assert!(
                Instant::now() < deadline,
                "{asked} items on {threads} threads"
            );
            std::thread::sleep(Duration::from_millis(1));
        }
        // Time to prepare too many batches.
        std::thread::sleep(Duration::from_millis(50));
        let asked = asked();
        assert!(asked <= 4 * bound + 1, "{asked} items on {threads} threads");
    }
}

#[test]
fn loading_on_threads_is_loading_one_by_one() {
    let indices: Vec<u32> = (0..200).map(|n| n * 7 % 200).collect();
    let load = |threads, indices: &[u32], trap| {
        let toy = Toy {
            trap,
            ..Toy::new(200, 200)
        };
        let source = ImageSource::new(Arc::new(toy), Transform::new(2, 3)).unwrap();
        let threads = std::num::NonZeroUsize::new(threads).unwrap();
        source.with_threads(threads).load(indices)
    };
    let expected = load(1, &indices, Trap::None).unwrap();
    assert_eq!(expected.shape, [200, 3, 2, 2]);
    for threads in [2, 3, 8] {
        assert_eq!(load(threads, &indices, Trap::None).unwrap(), expected);
        let error = load(threads, &indices, Trap::Error(93)).unwrap_err();
        assert!(matches!(
            error,
            DatasetError::IndexOutOfRange { index: 93, .. }
        ));
    }
}
