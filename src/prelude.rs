//! The names that most programs need: `use gwae::prelude::*;`.

pub use burn::module::{Module, Param};
pub use burn::tensor::{Device, Tensor};
pub use gwae_core::random::{RandomSource, SeededGenerator, normal_tensor, uniform_tensor};
pub use gwae_core::{Mode, NamedLosses};
pub use gwae_datasets::config::DataConfig;
pub use gwae_datasets::{
    ArrayDataset, Dataset, DatasetError, FactorKind, FactorSpec, Image, ImageShape, Item,
    embedded_digits,
};
pub use gwae_models::{
    Autoencoder, BackboneConfig, Critic, Decoder, Encoder, Forward, Gwae, GwaeConfig, LossTerm,
    ModelConfigError, ModelSettings, Posterior, SingleObjectiveSettings, Vae, VaeConfig,
};
pub use gwae_priors::{Prior, PriorConfig};
pub use gwae_train::algorithm::{Algorithm, GwaeAlgorithm, SingleAlgorithm};
pub use gwae_train::callback::{
    Callback, CallbackError, End, Flow, Saved, Start, Step, Validation, View,
};
pub use gwae_train::session::{RunSummary, StopReason};
pub use gwae_train::{
    DeviceSpec, OwnModel, TrainedModel, Trainer, TrainingConfig, compute_on_this_thread,
};
