//! The settings of a model of any kind.

use gwae_datasets::ImageShape;
use gwae_models::{
    AnnealedVaeConfig, BackboneConfig, BetaTcvaeConfig, BetaVaeConfig, DagmmConfig, DipVaeIConfig,
    DipVaeIiConfig, FactorVaeConfig, GwaeConfig, InfoVaeConfig, ModelConfigError, ModelSettings,
    VaeConfig, WaeMmdConfig, field_names,
};
use serde::de::{DeserializeOwned, Error, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

use crate::registry::for_each_model;

macro_rules! define {
    ($($kind:literal: $variant:ident($settings:ty) is trained by $algorithm:ident;)*) => {
        /// A model with all settings that decide which parameters it has and how it computes.
        ///
        /// In TOML: `kind = "vae"` with the fields of that model beside it. Without `kind` it is a
        /// GWAE. A field of another model is an error.
        #[derive(Clone, Debug, PartialEq, Serialize)]
        #[serde(tag = "kind")]
        #[non_exhaustive]
        pub enum ModelConfig {
            $(
                #[doc = concat!("`kind = \"", $kind, "\"`.")]
                #[serde(rename = $kind)]
                $variant($settings),
            )*
            /// `kind = "own"`: a model that only the user's program knows.
            #[serde(rename = "own")]
            Own(OwnModel),
        }

        $(
            impl From<$settings> for ModelConfig {
                fn from(settings: $settings) -> Self {
                    Self::$variant(settings)
                }
            }
        )*

        /// Every kind that a configuration can name.
        const KINDS: &[&str] = &[$($kind,)* OWN];

        impl ModelConfig {
            /// The value of `kind`.
            pub fn kind(&self) -> &'static str {
                match self {
                    $(Self::$variant(_) => $kind,)*
                    Self::Own(_) => OWN,
                }
            }

            /// The kinds of models that can be trained by name, each with a short description.
            pub fn kinds() -> Vec<(&'static str, &'static str)> {
                vec![$(($kind, <$settings as ModelSettings>::SUMMARY),)*]
            }

            /// Whether the model is trained against a critic, as far as its settings tell: `false` for
            /// one that only the user's program knows.
            pub fn has_critic(&self) -> bool {
                match self {
                    $(Self::$variant(settings) => settings.has_critic(),)*
                    Self::Own(_) => false,
                }
            }

            /// The architecture of encoder and decoder; `None` for a model that only the user's
            /// program knows.
            pub fn backbone(&self) -> Option<&BackboneConfig> {
                match self {
                    $(Self::$variant(settings) => Some(settings.backbone()),)*
                    Self::Own(_) => None,
                }
            }

            /// The same, mutable.
            pub fn backbone_mut(&mut self) -> Option<&mut BackboneConfig> {
                match self {
                    $(Self::$variant(settings) => Some(settings.backbone_mut()),)*
                    Self::Own(_) => None,
                }
            }

            /// The default settings of the named kind; `None` for a kind that no configuration can
            /// train by name.
            pub fn of_kind(kind: &str) -> Option<Self> {
                match kind {
                    $($kind => Some(Self::$variant(<$settings>::default())),)*
                    _ => None,
                }
            }

            /// The names of the fields of the named kind, without `kind`.
            pub(crate) fn fields_of(kind: &str) -> Option<Vec<&'static str>> {
                match kind {
                    $($kind => Some(field_names::<$settings>()),)*
                    _ => None,
                }
            }

            /// Every field of this kind of model with its explanation.
            pub fn explanations(&self) -> Vec<(&'static str, &'static str)> {
                let own: &[_] = match self {
                    $(Self::$variant(_) => <$settings as ModelSettings>::EXPLANATIONS,)*
                    Self::Own(_) => return OwnModel::EXPLANATIONS.to_vec(),
                };
                let shared = KIND_EXPLANATION.into_iter().chain(BackboneConfig::EXPLANATIONS);
                shared.chain(own.iter().copied()).collect()
            }

            /// Checks every field.
            ///
            /// # Errors
            /// The first field that is out of range or does not fit another.
            pub fn validate(&self) -> Result<(), ModelConfigError> {
                match self {
                    $(Self::$variant(settings) => settings.validate(),)*
                    Self::Own(_) => Ok(()),
                }
            }

            /// Reads a text with a table `[model]` of the named kind.
            pub(crate) fn read<R: ReadWithModel>(kind: &str, reader: R) -> Option<R::Output> {
                match kind {
                    $($kind => Some(reader.read::<$settings>()),)*
                    OWN => Some(reader.read::<OwnModel>()),
                    _ => None,
                }
            }

            /// The first other kind that has a field with this name.
            fn owner_of(field: &str, not: &str) -> Option<&'static str> {
                let fields = [$(($kind, field_names::<$settings>()),)*];
                let has = |(kind, fields): &(&'static str, Vec<&str>)| {
                    *kind != not && fields.contains(&field)
                };
                fields.into_iter().find(has).map(|(kind, _)| kind)
            }
        }
    };
}

for_each_model!(define);

const OWN: &str = "own";

const KIND_EXPLANATION: [(&str, &str); 1] =
    [("kind", "Kind of model; `gwae train --help` lists all.")];

/// Reads a text whose table `[model]` holds settings of a kind known only at run time.
pub(crate) trait ReadWithModel {
    type Output;

    fn read<S: DeserializeOwned + Into<ModelConfig>>(self) -> Self::Output;
}

/// The description of a model that only the user's program knows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(clippy::manual_non_exhaustive)] // The private field is read from files.
pub struct OwnModel {
    /// The enum around it has already read this field and writes it.
    #[serde(
        rename = "kind",
        default,
        skip_serializing,
        deserialize_with = "ignored"
    )]
    _kind: (),
    /// The program's name for the model.
    pub name: String,
    /// Channels of its images.
    pub channels: usize,
    /// Height of its images in pixels.
    pub height: usize,
    /// Width of its images in pixels.
    pub width: usize,
    /// Other settings that the program wants to keep in the run's configuration.
    #[serde(default, skip_serializing_if = "toml::Table::is_empty")]
    pub settings: toml::Table,
}

fn ignored<'de, D: Deserializer<'de>>(from: D) -> Result<(), D::Error> {
    serde::de::IgnoredAny::deserialize(from).map(|_| ())
}

impl OwnModel {
    const EXPLANATIONS: [(&'static str, &'static str); 6] = [
        (
            "kind",
            "\"own\": a model that only the program that trained it knows.",
        ),
        ("name", "That program's name for the model."),
        ("channels", "Channels of its images."),
        ("height", "Height of its images in pixels."),
        ("width", "Width of its images in pixels."),
        ("settings", "Other settings that the program keeps here."),
    ];

    /// A model with this name for images of this shape.
    pub fn new(name: impl Into<String>, shape: ImageShape) -> Self {
        Self {
            _kind: (),
            name: name.into(),
            channels: shape.channels,
            height: shape.height,
            width: shape.width,
            settings: toml::Table::new(),
        }
    }

    /// The same with one more setting, which the run's configuration keeps.
    pub fn with_setting(mut self, name: &str, value: impl Into<toml::Value>) -> Self {
        self.settings.insert(name.to_owned(), value.into());
        self
    }

    /// The shape of the images that it takes.
    pub fn image_shape(&self) -> ImageShape {
        ImageShape {
            channels: self.channels,
            height: self.height,
            width: self.width,
        }
    }
}

impl From<OwnModel> for ModelConfig {
    fn from(own: OwnModel) -> Self {
        Self::Own(own)
    }
}

impl Default for ModelConfig {
    fn default() -> Self {
        Self::Gwae(GwaeConfig::default())
    }
}

impl ModelConfig {
    /// Changes the latent dimension L of a model of this crate.
    pub fn set_latent_dim(&mut self, latent_dim: usize) {
        if let Some(backbone) = self.backbone_mut() {
            backbone.latent_dim = latent_dim;
        }
    }

    /// About how many parameters the model has, without residual blocks and critic; 0 for one that
    /// only the user's program knows. Saturates at the largest `usize`. The settings must be valid.
    pub fn approximate_parameters(&self) -> usize {
        let Some(backbone) = self.backbone() else {
            return 0;
        };
        let prior = self
            .gwae()
            .map_or(0, |gwae| gwae.prior.parameters(backbone.latent_dim));
        backbone.weights().saturating_add(prior)
    }

    /// The shape of the images that the model takes.
    pub fn image_shape(&self) -> ImageShape {
        match (self, self.backbone()) {
            (Self::Own(own), _) => own.image_shape(),
            (_, Some(backbone)) => ImageShape::square(backbone.image_size, backbone.channels),
            (_, None) => unreachable!("every model but an own one has a backbone"),
        }
    }

    /// The first field in which the settings of two models differ, with both values; `None` if they
    /// are equal.
    pub(crate) fn difference(&self, other: &Self) -> Option<String> {
        let table = |config: &Self| toml::Table::try_from(config).unwrap_or_default();
        let (own, others) = (table(self), table(other));
        let differs = |name: &&String| own.get(*name) != others.get(*name);
        let name = own.keys().chain(others.keys()).find(differs)?;
        let value = |table: &toml::Table| match table.get(name) {
            Some(value) => value.to_string(),
            None => "not there".to_owned(),
        };
        Some(format!(
            "model.{name} is {} there and {} here",
            value(&own),
            value(&others)
        ))
    }

    /// The settings of a GWAE; `None` for another model.
    pub fn gwae(&self) -> Option<&GwaeConfig> {
        match self {
            Self::Gwae(settings) => Some(settings),
            _ => None,
        }
    }

    /// The same, mutable.
    pub fn gwae_mut(&mut self) -> Option<&mut GwaeConfig> {
        match self {
            Self::Gwae(settings) => Some(settings),
            _ => None,
        }
    }

    /// An error message for a field of `[model]` that `kind` does not have but another kind has. It
    /// replaces serde's message about an unknown field.
    pub(crate) fn misplaced_field(kind: &str, message: &str) -> Option<String> {
        // Only the table `[model]` has this field.
        if !message.contains("`image_size`") {
            return None;
        }
        let field = message.strip_prefix("unknown field `")?.split('`').next()?;
        let owner = Self::owner_of(field, kind)?;
        Some(format!(
            "model.{field} does nothing for kind = \"{kind}\": remove it, or choose kind = \"{owner}\""
        ))
    }
}

/// The value of `kind` in the table `[model]` of a text; everything else is ignored.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(crate) struct KindOfModel {
    model: TableWithKind,
}

impl KindOfModel {
    pub(crate) fn name(&self) -> &str {
        &self.model.kind.0
    }
}

#[derive(Default, Deserialize)]
#[serde(
    default,
    expecting = "a table: [model], with its fields in the lines below"
)]
struct TableWithKind {
    kind: Kind,
}

struct Kind(String);

impl Default for Kind {
    fn default() -> Self {
        Self(ModelConfig::default().kind().to_owned())
    }
}

impl<'de> Deserialize<'de> for Kind {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Known;
        impl Visitor<'_> for Known {
            type Value = Kind;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("the kind of a model, in quotes")
            }

            fn visit_str<E: Error>(self, kind: &str) -> Result<Kind, E> {
                if KINDS.contains(&kind) {
                    Ok(Kind(kind.to_owned()))
                } else {
                    Err(E::unknown_variant(kind, KINDS))
                }
            }
        }
        from.deserialize_str(Known)
    }
}
