//! The algorithm of a model that a configuration names.

use gwae_models::ModelConfigError;

use super::{Algorithm, FactorVaeAlgorithm, GwaeAlgorithm, SingleAlgorithm};
use crate::model_config::ModelConfig;
use crate::registry::for_each_model;

/// Work on a model whose kind is known only at run time.
pub trait AlgorithmVisitor {
    /// The result of the work.
    type Output;

    /// Does the work.
    fn visit<A: Algorithm>(self, algorithm: A) -> Self::Output
    where
        A::Model: 'static;
}

macro_rules! dispatch {
    ($($kind:literal: $variant:ident($settings:ty) is trained by $algorithm:ident;)*) => {
        impl ModelConfig {
            /// Calls `visitor` with the algorithm that trains this model.
            ///
            /// # Errors
            /// For a model that only the user's program knows, because its algorithm is not here.
            pub fn with_algorithm<V: AlgorithmVisitor>(
                &self,
                visitor: V,
            ) -> Result<V::Output, ModelConfigError> {
                match self {
                    $(Self::$variant(settings) => {
                        Ok(visitor.visit($algorithm::new(settings.clone())))
                    })*
                    Self::Own(own) => Err(ModelConfigError::DefinedElsewhere {
                        name: own.name.clone(),
                    }),
                }
            }
        }
    };
}

for_each_model!(dispatch);
