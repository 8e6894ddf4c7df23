//! The infinite stream of shuffled training batches. Worker threads prepare them ahead of time.
//!
//! With `n` workers, worker `w` makes the batches `w`, `w + n`, `w + 2n`, … and sends them through
//! its own channel. The consumer takes one batch from each channel in turn. So batches come in
//! order, whatever the speed of the workers, and the workers share no lock.

use std::any::Any;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{Builder, JoinHandle};

use serde::{Deserialize, Serialize};

use crate::error::{BatchError, DatasetError};
use crate::order::{batches_per_epoch, epoch_order};
use crate::position::Position;
use crate::source::ImageSource;

/// Maximum number of ready batches that wait for the consumer. With more threads than this
/// ([`ImageSource::threads`]), one batch per thread. Each thread may also be making one more.
pub const PREFETCHED_BATCHES: usize = 4;

/// How batches are drawn. The [`ImageSource`] determines the size and channels of the images.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BatchConfig {
    /// Number of images per batch, from 1 to the number of items.
    pub batch_size: usize,
    /// Seed for the order of every epoch; see [`epoch_order`].
    pub seed: u64,
    /// Whether an epoch drops the items that remain after its last full batch. Otherwise its last
    /// batch is smaller.
    pub drop_last: bool,
}

/// One batch of images on the host.
#[derive(Clone, Debug, PartialEq)]
pub struct Batch {
    /// Row-major values in `[0, 1]`.
    pub images: Vec<f32>,
    /// `[B, C, H, W]`.
    pub shape: [usize; 4],
    /// The indices of the images in the dataset.
    pub indices: Vec<u32>,
    /// The position of the batch in the stream.
    pub position: Position,
}

/// An endless stream of batches that can start at any [`Position`].
///
/// The batch at a position depends only on the items, the configuration and the position. So a
/// stream that starts at `p` continues exactly like one that started earlier, for any [number of
/// threads](ImageSource::with_threads). Dropping the stream ends its threads. The consumer gets an
/// error or a panic of a thread as `Err`, in place of the batch that failed.
///
/// As an [`Iterator`], it yields `Ok` forever, or ends after the first `Err`.
pub struct BatchStream {
    position: Position,
    batches_per_epoch: u64,
    /// `None` after the stream has failed.
    running: Option<Running>,
}

struct Running {
    workers: Vec<Worker>,
    /// The worker that makes the next batch.
    turn: usize,
}

struct Worker {
    batches: Receiver<Result<Batch, DatasetError>>,
    thread: JoinHandle<()>,
}

impl BatchStream {
    /// Starts a stream over the items at `indices`. Its first batch is the one at `position`.
    ///
    /// # Errors
    /// The errors of [`batches_per_epoch`], [`DatasetError::IndexOutOfRange`] if the dataset does
    /// not have an index, [`BatchError::Position`] if no epoch has that batch, and
    /// [`BatchError::Worker`] if the system refuses a thread.
    pub fn start(
        source: Arc<ImageSource>,
        indices: Vec<u32>,
        config: BatchConfig,
        position: Position,
    ) -> Result<Self, DatasetError> {
        let batches_per_epoch =
            batches_per_epoch(indices.len(), config.batch_size, config.drop_last)?;
        if position.batch >= batches_per_epoch {
            return Err(DatasetError::Batch(BatchError::Position {
                position,
                batches_per_epoch,
            }));
        }
        let len = source.dataset().len();
        if let Some(&index) = indices.iter().find(|&&index| index as usize >= len) {
            return Err(DatasetError::IndexOutOfRange {
                dataset: source.dataset().name().to_owned(),
                index: index as usize,
                len,
            });
        }
        let threads = source.threads().get();
        let ready = (PREFETCHED_BATCHES / threads).max(1);
        let order = Arc::new(BatchOrder {
            indices,
            config,
            batches_per_epoch,
            stride: threads as u64,
        });
        let mut stream = Self {
            position,
            batches_per_epoch,
            running: None,
        };
        let mut workers = Vec::with_capacity(threads);
        for worker in 0..threads as u64 {
            let (sender, batches) = sync_channel(ready);
            let (source, order) = (source.clone(), order.clone());
            let first = order.advance(position, worker);
            let spawned = Builder::new()
                .name(format!("gwae-batches-{worker}"))
                .spawn(move || order.prepare(&source, first, &sender));
            match spawned {
                Ok(thread) => workers.push(Worker { batches, thread }),
                Err(error) => {
                    stream.running = Some(Running { workers, turn: 0 });
                    stream.stop();
                    return Err(DatasetError::Batch(BatchError::Worker(error)));
                }
            }
        }
        stream.running = Some(Running { workers, turn: 0 });
        Ok(stream)
    }

    /// The next batch. Waits if it is not ready.
    ///
    /// # Errors
    /// The error of the item that could not be read or transformed, or
    /// [`BatchError::WorkerPanicked`]. After one of these, [`BatchError::StreamEnded`].
    pub fn next_batch(&mut self) -> Result<Batch, DatasetError> {
        let running = self
            .running
            .as_mut()
            .ok_or(DatasetError::Batch(BatchError::StreamEnded))?;
        let result = running.workers[running.turn].batches.recv();
        match result {
            Ok(Ok(batch)) => {
                running.turn = (running.turn + 1) % running.workers.len();
                self.position = batch.position.next(self.batches_per_epoch);
                Ok(batch)
            }
            Ok(Err(error)) => {
                self.stop();
                Err(error)
            }
            // A worker closes its channel without a message only if it panicked.
            Err(_) => Err(self
                .stop()
                .unwrap_or(DatasetError::Batch(BatchError::StreamEnded))),
        }
    }

    /// The position of the batch that [`BatchStream::next_batch`] returns next. A checkpoint stores
    /// it, and [`BatchStream::start`] takes it to continue from there.
    pub fn position(&self) -> Position {
        self.position
    }

    /// Number of batches of every epoch.
    pub fn batches_per_epoch(&self) -> u64 {
        self.batches_per_epoch
    }

    /// Ends the workers. Returns the panic of the worker whose turn it was, if it panicked.
    fn stop(&mut self) -> Option<DatasetError> {
        let Running { workers, turn } = self.running.take()?;
        // Closing the channels makes waiting workers return; only then may they be joined.
        let threads: Vec<_> = workers.into_iter().map(|worker| worker.thread).collect();
        let mut panics = threads.into_iter().map(|thread| thread.join().err());
        let payload = panics.nth(turn).flatten();
        panics.for_each(drop);
        Some(DatasetError::Batch(BatchError::WorkerPanicked {
            message: panic_message(payload?.as_ref()),
        }))
    }
}

impl Iterator for BatchStream {
    type Item = Result<Batch, DatasetError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.running.is_some().then(|| self.next_batch())
    }
}

impl Drop for BatchStream {
    fn drop(&mut self) {
        self.stop();
    }
}

/// The sequence of batches, and the share of one worker.
struct BatchOrder {
    indices: Vec<u32>,
    config: BatchConfig,
    batches_per_epoch: u64,
    /// Number of batches from one batch of a worker to its next one.
    stride: u64,
}

impl BatchOrder {
    /// The position `batches` later.
    fn advance(&self, position: Position, batches: u64) -> Position {
        (0..batches).fold(position, |position, _| {
            position.next(self.batches_per_epoch)
        })
    }

    /// Runs a worker: makes batches from `position` on, until the consumer closes the channel or a
    /// batch fails.
    fn prepare(
        &self,
        source: &ImageSource,
        mut position: Position,
        sender: &SyncSender<Result<Batch, DatasetError>>,
    ) {
        let BatchConfig {
            batch_size, seed, ..
        } = self.config;
        loop {
            let order = epoch_order(&self.indices, seed, position.epoch);
            let epoch = position.epoch;
            while position.epoch == epoch {
                let start = position.batch as usize * batch_size;
                let end = (start + batch_size).min(order.len());
                let batch = source.load_here(&order[start..end]).map(|loaded| Batch {
                    images: loaded.images,
                    shape: loaded.shape,
                    indices: order[start..end].to_vec(),
                    position,
                });
                let failed = batch.is_err();
                if sender.send(batch).is_err() || failed {
                    return;
                }
                position = self.advance(position, self.stride);
            }
        }
    }
}

fn panic_message(payload: &(dyn Any + Send)) -> String {
    payload
        .downcast_ref::<&str>()
        .map(|message| (*message).to_owned())
        .or_else(|| payload.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "no message".to_owned())
        .replace('\n', " ")
}
