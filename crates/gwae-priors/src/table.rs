//! Reads a table in which the key `family` decides which other keys are allowed.
//!
//! Serde's tagged enums accept any key if the family has no keys, and lose the position of an error
//! in the file. Here most errors arise while the reader is at the wrong key or value, so the format
//! reports that position. TOML's tables come in alphabetical order. A key before `family` can be
//! checked only at the end, so its error has the position of the table.

use std::fmt;

use serde::de::value::{Error as PlainError, MapDeserializer};
use serde::de::{DeserializeSeed, Deserializer, Error, IntoDeserializer, MapAccess, Visitor};
use serde::{Deserialize, forward_to_deserialize_any};

use crate::family::PriorFamily;

/// The key that names the family.
const TAG: &str = "family";

type Entries = Vec<(String, Scalar)>;

/// One family of a registry whose configurations are of type `T`.
pub(crate) struct Family<T: 'static> {
    pub name: &'static str,
    pub description: &'static str,
    /// Every hyper-parameter with its explanation.
    pub explanations: &'static [(&'static str, &'static str)],
    /// The allowed keys of its table.
    keys: fn() -> &'static [&'static str],
    /// Reads its configuration from the entries of its table.
    read: fn(Entries) -> Result<T, PlainError>,
}

impl<T> Family<T> {
    pub(crate) const fn of<C: PriorFamily + Into<T>>() -> Self {
        Self {
            name: C::NAME,
            description: C::DESCRIPTION,
            explanations: C::EXPLANATIONS,
            keys: keys_of::<C>,
            read: |entries| C::deserialize(MapDeserializer::new(entries.into_iter())).map(C::into),
        }
    }

    /// Its configuration with all defaults.
    pub(crate) fn default_config<E: Error>(&self) -> Result<T, E> {
        (self.read)(Entries::new()).map_err(E::custom)
    }

    fn has(&self, key: &str) -> bool {
        (self.keys)().contains(&key)
    }
}

/// The families that a table may name.
pub(crate) struct Families<T: 'static>(pub &'static [Family<T>]);

impl<T> Clone for Families<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Families<T> {}

impl<T> Families<T> {
    /// The family called `name`; the error lists all names.
    pub(crate) fn find<E: Error>(self, name: &str) -> Result<&'static Family<T>, E> {
        let found = self.0.iter().find(|family| family.name == name);
        found.ok_or_else(|| {
            let names = self.0.iter().map(|family| format!("`{}`", family.name));
            let names = names.collect::<Vec<_>>().join(", ");
            // Serde's own message. Serde's function for it needs the names in one constant.
            E::custom(format_args!(
                "unknown variant `{name}`, expected one of {names}"
            ))
        })
    }

    /// Reads the configuration of one of the families.
    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        self,
        deserializer: D,
    ) -> Result<T, D::Error> {
        deserializer.deserialize_map(self)
    }

    fn owners(self, key: &str) -> impl Iterator<Item = &'static Family<T>> {
        self.0.iter().filter(move |family| family.has(key))
    }

    /// An error unless `family` has the key.
    fn check_key<E: Error>(self, family: &Family<T>, key: &str) -> Result<(), E> {
        if family.has(key) {
            return Ok(());
        }
        let owners: Vec<_> = self.owners(key).map(|owner| owner.name).collect();
        if owners.is_empty() {
            return Err(E::unknown_field(key, (family.keys)()));
        }
        Err(E::custom(format_args!(
            "prior.{key} does nothing for this family: remove it, or choose {TAG} = {}",
            owners.join(" or ")
        )))
    }
}

impl<'de, T> Visitor<'de> for Families<T> {
    type Value = T;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let example = self.0[0].name;
        write!(
            formatter,
            "a table such as prior = {{ {TAG} = \"{example}\" }}"
        )
    }

    fn visit_map<A: MapAccess<'de>>(self, mut table: A) -> Result<T, A::Error> {
        let mut family = None;
        let mut entries = Entries::new();
        while let Some(key) = table.next_key_seed(Key(self, family))? {
            if key != TAG {
                let value = table.next_value_seed(Value(self, &key))?;
                entries.push((key, value));
            } else if family.is_some() {
                return Err(Error::duplicate_field(TAG));
            } else {
                family = Some(table.next_value_seed(Name(self))?);
            }
        }
        let family = family.ok_or_else(|| A::Error::missing_field(TAG))?;
        for (key, _) in &entries {
            self.check_key(family, key)?;
        }
        (family.read)(entries).map_err(Error::custom)
    }
}

/// A key, checked if the family is already known.
struct Key<T: 'static>(Families<T>, Option<&'static Family<T>>);

impl<'de, T> DeserializeSeed<'de> for Key<T> {
    type Value = String;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<String, D::Error> {
        let key = String::deserialize(deserializer)?;
        match self.1 {
            Some(family) if key != TAG => self.0.check_key(family, &key)?,
            _ => {}
        }
        Ok(key)
    }
}

/// The name of a family.
struct Name<T: 'static>(Families<T>);

impl<'de, T> DeserializeSeed<'de> for Name<T> {
    type Value = &'static Family<T>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        self.0.find(&String::deserialize(deserializer)?)
    }
}

/// The value of a key, checked with the first family that has the key.
struct Value<'a, T: 'static>(Families<T>, &'a str);

impl<'de, T> DeserializeSeed<'de> for Value<'_, T> {
    type Value = Scalar;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Scalar, D::Error> {
        let value = Scalar::deserialize(deserializer)?;
        if let Some(owner) = self.0.owners(self.1).next() {
            (owner.read)(vec![(self.1.to_string(), value.clone())]).map_err(Error::custom)?;
        }
        Ok(value)
    }
}

/// The value of a hyper-parameter whose key is not yet known.
#[derive(Clone, Deserialize)]
#[serde(untagged, expecting = "expected a number, a string or a boolean")]
enum Scalar {
    Boolean(bool),
    Integer(i64),
    Real(f64),
    Text(String),
}

impl<'de> IntoDeserializer<'de> for Scalar {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

impl<'de> Deserializer<'de> for Scalar {
    type Error = PlainError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, PlainError> {
        match self {
            Self::Boolean(value) => visitor.visit_bool(value),
            Self::Integer(value) => visitor.visit_i64(value),
            Self::Real(value) => visitor.visit_f64(value),
            Self::Text(value) => visitor.visit_string(value),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, PlainError> {
        visitor.visit_some(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, PlainError> {
        match self {
            Self::Text(value) => visitor.visit_enum(value.into_deserializer()),
            other => other.deserialize_any(visitor),
        }
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit
        unit_struct newtype_struct seq tuple tuple_struct map struct identifier ignored_any
    }
}

/// The names of the fields that `C` reads.
fn keys_of<C: PriorFamily>() -> &'static [&'static str] {
    let mut keys: &'static [&'static str] = &[];
    // The names are in `keys`; the configuration itself is not needed.
    let _ = C::deserialize(KeysOf(&mut keys));
    keys
}

/// A deserializer that records which fields a struct asks for.
struct KeysOf<'a>(&'a mut &'static [&'static str]);

impl<'de> Deserializer<'de> for KeysOf<'_> {
    type Error = PlainError;

    fn deserialize_any<V: Visitor<'de>>(self, _visitor: V) -> Result<V::Value, PlainError> {
        Err(Error::custom("no value"))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, PlainError> {
        *self.0 = fields;
        self.deserialize_any(visitor)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option
        unit unit_struct newtype_struct seq tuple tuple_struct map enum identifier ignored_any
    }
}
