//! The infinite stream of shuffled training batches, prepared ahead on a worker thread.

use std::any::Any;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{Builder, JoinHandle};

use serde::{Deserialize, Serialize};

use crate::{DatasetError, ImageSource, Position, batches_per_epoch, epoch_order};

/// Most batches that wait, ready, for the consumer.
pub const PREFETCHED_BATCHES: usize = 4;

/// How batches are drawn. Size and channels of the images belong to the [`ImageSource`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BatchConfig {
    /// Images per batch, at least 1 and at most the number of items.
    pub batch_size: usize,
    /// Seed of the order of every epoch; see [`epoch_order`].
    pub seed: u64,
    /// Whether an epoch drops the items left over after its last full batch. Otherwise its last
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
    /// Which items of the dataset they are, one per image.
    pub indices: Vec<u32>,
    /// Where in the stream the batch stands.
    pub position: Position,
}

/// An endless stream of batches that can start at any [`Position`].
///
/// The batch at a position depends on the items, the configuration and the position only, so
/// a stream that starts at `p` goes on exactly as one that started earlier. Dropping the
/// stream ends its thread; an error or a panic there reaches the consumer as `Err`.
///
/// As an [`Iterator`] it yields `Ok` without end, or ends after the first `Err`.
pub struct BatchStream {
    position: Position,
    batches_per_epoch: u64,
    /// `None` once the stream has failed.
    running: Option<Running>,
}

struct Running {
    batches: Receiver<Result<Batch, DatasetError>>,
    worker: JoinHandle<()>,
}

impl BatchStream {
    /// Starts a stream over the items at `indices`, its first batch being the one at `position`.
    ///
    /// # Errors
    /// Those of [`batches_per_epoch`], [`DatasetError::IndexOutOfRange`] for an index that the
    /// dataset does not have, [`DatasetError::Position`] for a batch that no epoch has, and
    /// [`DatasetError::Worker`] where the system gives no thread.
    pub fn start(
        source: Arc<ImageSource>,
        indices: Vec<u32>,
        config: BatchConfig,
        position: Position,
    ) -> Result<Self, DatasetError> {
        let batches_per_epoch =
            batches_per_epoch(indices.len(), config.batch_size, config.drop_last)?;
        if position.batch >= batches_per_epoch {
            return Err(DatasetError::Position {
                position,
                batches_per_epoch,
            });
        }
        let len = source.dataset().len();
        if let Some(&index) = indices.iter().find(|&&index| index as usize >= len) {
            return Err(DatasetError::IndexOutOfRange {
                dataset: source.dataset().name().to_owned(),
                index: index as usize,
                len,
            });
        }
        let (sender, batches) = sync_channel(PREFETCHED_BATCHES);
        let worker = Builder::new()
            .name("gwae-batches".to_owned())
            .spawn(move || {
                prepare(
                    &source,
                    &indices,
                    config,
                    position,
                    batches_per_epoch,
                    &sender,
                )
            })
            .map_err(DatasetError::Worker)?;
        Ok(Self {
            position,
            batches_per_epoch,
            running: Some(Running { batches, worker }),
        })
    }

    /// The next batch; waits for it where the worker is behind.
    ///
    /// # Errors
    /// The error of the item that could not be read or transformed, or
    /// [`DatasetError::WorkerPanicked`]; after either, [`DatasetError::StreamEnded`].
    pub fn next_batch(&mut self) -> Result<Batch, DatasetError> {
        let running = self.running.as_ref().ok_or(DatasetError::StreamEnded)?;
        let result = running.batches.recv();
        match result {
            Ok(Ok(batch)) => {
                self.position = batch.position.next(self.batches_per_epoch);
                Ok(batch)
            }
            Ok(Err(error)) => {
                self.stop();
                Err(error)
            }
            // The worker hangs up without a last word only where it panicked.
            Err(_) => Err(self.stop().unwrap_or(DatasetError::StreamEnded)),
        }
    }

    /// The position of the batch that [`BatchStream::next_batch`] gives next: what a checkpoint
    /// stores and [`BatchStream::start`] takes to go on from there.
    pub fn position(&self) -> Position {
        self.position
    }

    /// Number of batches of every epoch.
    pub fn batches_per_epoch(&self) -> u64 {
        self.batches_per_epoch
    }

    /// Ends the worker; returns its panic, if it had one.
    fn stop(&mut self) -> Option<DatasetError> {
        let Running { batches, worker } = self.running.take()?;
        // Hanging up makes a worker that waits for room return; only then may it be joined.
        drop(batches);
        let payload = worker.join().err()?;
        Some(DatasetError::WorkerPanicked {
            message: panic_message(payload.as_ref()),
        })
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

/// The worker: batches from `position` on, until the consumer hangs up or one fails.
fn prepare(
    source: &ImageSource,
    indices: &[u32],
    config: BatchConfig,
    mut position: Position,
    batches_per_epoch: u64,
    sender: &SyncSender<Result<Batch, DatasetError>>,
) {
    loop {
        let order = epoch_order(indices, config.seed, position.epoch);
        let epoch = position.epoch;
        while position.epoch == epoch {
            let start = position.batch as usize * config.batch_size;
            let end = (start + config.batch_size).min(order.len());
            let batch = source.load(&order[start..end]).map(|loaded| Batch {
                images: loaded.images,
                shape: loaded.shape,
                indices: order[start..end].to_vec(),
                position,
            });
            let failed = batch.is_err();
            if sender.send(batch).is_err() || failed {
                return;
            }
            position = position.next(batches_per_epoch);
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
