//! The random streams of a run.

use gwae_core::random::SeededGenerator;

use crate::config::RunConfig;

/// Independent streams of a run's seed.
#[derive(Clone, Copy)]
pub(crate) enum Stream {
    Initialisation,
    Training,
    Validation,
    #[cfg(feature = "pictures")]
    Pictures,
}

/// The generator of a stream, at its start.
pub(crate) fn generator(config: &RunConfig, stream: Stream) -> SeededGenerator {
    SeededGenerator::new(config.training.seed, stream as u64)
}
