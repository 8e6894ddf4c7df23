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
            "beta-vae": BetaVae(BetaVaeConfig) is trained by SingleAlgorithm;
            "annealed-vae": AnnealedVae(AnnealedVaeConfig) is trained by SingleAlgorithm;
            "factor-vae": FactorVae(FactorVaeConfig) is trained by FactorVaeAlgorithm;
            "beta-tcvae": BetaTcvae(BetaTcvaeConfig) is trained by SingleAlgorithm;
            "dip-vae-i": DipVaeI(DipVaeIConfig) is trained by SingleAlgorithm;
            "dip-vae-ii": DipVaeIi(DipVaeIiConfig) is trained by SingleAlgorithm;
            "infovae": InfoVae(InfoVaeConfig) is trained by SingleAlgorithm;
            "wae-mmd": WaeMmd(WaeMmdConfig) is trained by SingleAlgorithm;
            "dagmm": Dagmm(DagmmConfig) is trained by SingleAlgorithm;
        }
    };
}
pub(crate) use for_each_model;
