//! Options that a file may write as a name or as a table.

use std::fmt;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Error, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use toml::{Table, Value};

/// Reads an option that is a table, or a text that stands for the table `{ key = text }`. `read`
/// makes the option from the table. For other values the error says `expected`. `alone` is a text
/// whose table has no further fields: serde would ignore them.
pub(crate) fn deserialize_option<'de, D: Deserializer<'de>, T>(
    source: D,
    key: &'static str,
    alone: Option<&str>,
    expected: &'static str,
    read: impl FnOnce(Table) -> Result<T, toml::de::Error>,
) -> Result<T, D::Error> {
    let table = source.deserialize_any(NameOrTable { key, expected })?;
    let is_alone = alone.is_some() && table.get(key).and_then(Value::as_str) == alone;
    if let (true, Some(field)) = (is_alone, table.keys().find(|field| *field != key)) {
        let name = alone.unwrap_or_default();
        let problem = format!("unknown field `{field}`: {key} = \"{name}\" has no settings");
        return Err(D::Error::custom(problem));
    }
    read(table).map_err(|error| D::Error::custom(error.message()))
}

struct NameOrTable {
    key: &'static str,
    expected: &'static str,
}

impl<'de> Visitor<'de> for NameOrTable {
    type Value = Table;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.expected)
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<Table, E> {
        let name = Value::String(name.to_owned());
        Ok(Table::from_iter([(self.key.to_owned(), name)]))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Table, A::Error> {
        Table::deserialize(MapAccessDeserializer::new(map))
    }
}
