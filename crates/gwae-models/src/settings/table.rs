//! Reads the table `[model]`. It contains the fields of encoder and decoder, those of the model, and
//! `kind`.
//!
//! Serde's `flatten` could do that too, but it loses the position of an error in the file and accepts
//! unknown fields. [`read_table`] passes the fields of the backbone to [`BackboneConfig`] as they
//! arrive, and all other fields to the derived code of the model's settings.

use std::cell::RefCell;
use std::fmt;
use std::marker::PhantomData;

use serde::de::value::{Error as ValueError, StrDeserializer};
use serde::de::{DeserializeSeed, Deserializer, Error, IntoDeserializer, MapAccess, Visitor};
use serde::forward_to_deserialize_any;

use super::model::ModelSettings;
use crate::networks::BackboneConfig;

/// Fields of [`BackboneConfig`].
const BACKBONE: [&str; 7] = [
    "image_size",
    "channels",
    "latent_dim",
    "width",
    "batchnorm",
    "resblock",
    "latent_bn",
];

const KIND: &str = "kind";

/// Implements serde for settings whose derived code is `#[serde(remote = "Self")]` and that have a
/// field `backbone` with `#[serde(flatten, skip_deserializing)]`.
macro_rules! settings_table {
    ($settings:ident) => {
        impl serde::Serialize for $settings {
            fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                $settings::serialize(self, to)
            }
        }

        impl<'de> serde::Deserialize<'de> for $settings {
            fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                $crate::settings::read_table(from, |from| $settings::deserialize(from))
            }
        }
    };
}
pub(crate) use settings_table;

/// The settings in a table; `read` is their derived serde code.
///
/// # Errors
/// Unknown fields (the message lists the known ones) and wrong values.
pub fn read_table<'de, D: Deserializer<'de>, S: ModelSettings>(
    from: D,
    read: impl FnOnce(Table<'_, D, S>) -> Result<S, D::Error>,
) -> Result<S, D::Error> {
    let backbone = RefCell::new(S::default().backbone().clone());
    let mut settings = read(Table {
        from,
        backbone: &backbone,
        settings: PhantomData,
    })?;
    *settings.backbone_mut() = backbone.into_inner();
    Ok(settings)
}

/// The names of all fields of a kind's settings, except `kind`.
pub fn field_names<S: ModelSettings>() -> Vec<&'static str> {
    struct Names(Vec<&'static str>);
    impl<'de> Deserializer<'de> for &mut Names {
        type Error = ValueError;

        fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, ValueError> {
            Err(ValueError::custom("only the names are wanted"))
        }

        fn deserialize_struct<V: Visitor<'de>>(
            self,
            _name: &'static str,
            fields: &'static [&'static str],
            _visitor: V,
        ) -> Result<V::Value, ValueError> {
            self.0 = fields.to_vec();
            Err(ValueError::custom("only the names are wanted"))
        }

        forward_to_deserialize_any! {
            bool i8 i16 i32 i64 u8 u16 u32 u64 f32 f64 char str string bytes byte_buf option unit
            unit_struct newtype_struct seq tuple tuple_struct map enum identifier ignored_any
        }
    }
    let mut names = Names(Vec::new());
    // This always fails, but it records the names first.
    let _ = S::deserialize(&mut names);
    BACKBONE.into_iter().chain(names.0).collect()
}

/// A table that passes on the model's fields and reads the backbone's fields itself.
pub struct Table<'a, D, S> {
    from: D,
    backbone: &'a RefCell<BackboneConfig>,
    settings: PhantomData<S>,
}

impl<'de, D: Deserializer<'de>, S: ModelSettings> Deserializer<'de> for Table<'_, D, S> {
    type Error = D::Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        self.deserialize_struct("settings", &[], visitor)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        let visitor = TableVisitor::<V, S> {
            visitor,
            fields,
            backbone: self.backbone,
            settings: PhantomData,
        };
        self.from.deserialize_struct(name, fields, visitor)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 u8 u16 u32 u64 f32 f64 char str string bytes byte_buf option unit
        unit_struct newtype_struct seq tuple tuple_struct map enum identifier ignored_any
    }
}

struct TableVisitor<'a, V, S> {
    visitor: V,
    fields: &'static [&'static str],
    backbone: &'a RefCell<BackboneConfig>,
    settings: PhantomData<S>,
}

impl<'de, V: Visitor<'de>, S: ModelSettings> Visitor<'de> for TableVisitor<'_, V, S> {
    type Value = V::Value;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a table: [model], with its fields in the lines below")
    }

    fn visit_map<A: MapAccess<'de>>(self, entries: A) -> Result<V::Value, A::Error> {
        self.visitor.visit_map(OwnEntries::<A, S> {
            entries,
            fields: self.fields,
            backbone: self.backbone,
            settings: PhantomData,
        })
    }
}

/// The entries of a table, without those of the backbone.
struct OwnEntries<'a, A, S> {
    entries: A,
    fields: &'static [&'static str],
    backbone: &'a RefCell<BackboneConfig>,
    settings: PhantomData<S>,
}

impl<'de, A: MapAccess<'de>, S: ModelSettings> MapAccess<'de> for OwnEntries<'_, A, S> {
    type Error = A::Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, A::Error> {
        let mut seed = Some(seed);
        loop {
            let key = self.entries.next_key_seed(Key {
                seed: &mut seed,
                fields: self.fields,
            })?;
            let values = &mut self.entries;
            let mut backbone = self.backbone.borrow_mut();
            match key {
                None => return Ok(None),
                Some(Found::Own(key)) => return Ok(Some(key)),
                Some(Found::Kind) => values.next_value_seed(KindOf(S::KIND))?,
                Some(Found::Backbone(name)) => match name {
                    "image_size" => backbone.image_size = values.next_value()?,
                    "channels" => backbone.channels = values.next_value()?,
                    "latent_dim" => backbone.latent_dim = values.next_value()?,
                    "width" => backbone.width = values.next_value()?,
                    "batchnorm" => backbone.batchnorm = values.next_value()?,
                    "resblock" => backbone.resblock = values.next_value()?,
                    "latent_bn" => backbone.latent_bn = values.next_value()?,
                    _ => unreachable!("every field of the backbone is read"),
                },
            }
        }
    }

    fn next_value_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<T::Value, A::Error> {
        self.entries.next_value_seed(seed)
    }
}

/// Reads a key and finds its owner. It fails while the key is read, so the error has a position.
struct Key<'a, K> {
    seed: &'a mut Option<K>,
    fields: &'static [&'static str],
}

enum Found<T> {
    Kind,
    Backbone(&'static str),
    Own(T),
}

impl<'de, K: DeserializeSeed<'de>> DeserializeSeed<'de> for Key<'_, K> {
    type Value = Found<K::Value>;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Self::Value, D::Error> {
        from.deserialize_str(self)
    }
}

impl<'de, K: DeserializeSeed<'de>> Visitor<'de> for Key<'_, K> {
    type Value = Found<K::Value>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("the name of a field")
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<Self::Value, E> {
        if name == KIND {
            return Ok(Found::Kind);
        }
        if let Some(field) = BACKBONE.into_iter().find(|field| *field == name) {
            return Ok(Found::Backbone(field));
        }
        if !self.fields.contains(&name) {
            let known = BACKBONE.iter().chain(self.fields);
            let known: Vec<String> = known.map(|field| format!("`{field}`")).collect();
            let known = known.join(", ");
            return Err(E::custom(format_args!(
                "unknown field `{name}`, expected one of {known}"
            )));
        }
        let seed = self
            .seed
            .take()
            .expect("one key of its own is read at a time");
        let name: StrDeserializer<'_, E> = name.into_deserializer();
        Ok(Found::Own(seed.deserialize(name)?))
    }
}

/// Checks that `kind` is the expected one.
struct KindOf(&'static str);

impl<'de> DeserializeSeed<'de> for KindOf {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        from.deserialize_str(self)
    }
}

impl Visitor<'_> for KindOf {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "kind = \"{}\"", self.0)
    }

    fn visit_str<E: Error>(self, kind: &str) -> Result<(), E> {
        if kind == self.0 {
            return Ok(());
        }
        Err(E::custom(format_args!(
            "kind = \"{kind}\" in the settings of \"{}\"",
            self.0
        )))
    }
}
