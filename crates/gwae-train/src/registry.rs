//! The registry of models: the kinds that `[model]` can name.
//!
//! To add a model, write its file in `gwae-models` and one line here. Everything that depends on
//! the kind follows from that line: configuration files, resuming, loading, and the lists in help
//! texts and messages.

/// Passes the lines of the registry to another macro: the value of `kind`, the variant of
/// [`ModelConfig`](crate::ModelConfig), the settings, and the algorithm that trains the model.
macro_rules! for_each_model {
    ($with:ident) => {
        $with! {
            "gwae": Gwae(GwaeConfig) is trained by GwaeAlgorithm;
            "vae": Vae(VaeConfig) is trained by SingleAlgorithm;
            "dagmm": Dagmm(DagmmConfig) is trained by SingleAlgorithm;
        }
    };
}
pub(crate) use for_each_model;
