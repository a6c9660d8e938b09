//! Other readers of the three formats, to see what a client sees.

use clients::Format;
use serde_json::{Map, Value};
use yaml_rust2::{Yaml, YamlLoader};

/// A file as a value.
pub fn value(format: Format, text: &str) -> Value {
    let text = text.trim_start_matches('\u{feff}');
    match format {
        Format::Json | Format::Jsonc => {
            let mut plain = text.to_owned();
            json_strip_comments::strip(&mut plain).unwrap();
            serde_json::from_str(&plain).unwrap_or_else(|error| panic!("{error}\n{text}"))
        }
        Format::Toml => toml::from_str(text).unwrap_or_else(|error| panic!("{error}\n{text}")),
        Format::Yaml => {
            let mut documents = YamlLoader::load_from_str(text).unwrap_or_else(|error| panic!("{error}\n{text}"));
            yaml(documents.remove(0))
        }
    }
}

fn yaml(read: Yaml) -> Value {
    match read {
        Yaml::Real(number) => Value::String(number),
        Yaml::Integer(number) => Value::from(number),
        Yaml::String(text) => Value::String(text),
        Yaml::Boolean(boolean) => Value::Bool(boolean),
        Yaml::Array(items) => items.into_iter().map(yaml).collect(),
        Yaml::Hash(map) => {
            let members = map.into_iter().map(|(key, value)| (key.into_string().unwrap(), yaml(value)));
            Value::Object(members.collect::<Map<_, _>>())
        }
        Yaml::Alias(_) | Yaml::Null | Yaml::BadValue => Value::Null,
    }
}

/// Takes the value at a place out, and leaves null.
pub fn take(value: &mut Value, place: &[String]) -> Value {
    place.iter().try_fold(value, |value, key| value.get_mut(key)).map(Value::take).unwrap_or_default()
}

/// Takes a key out of its map.
pub fn forget(value: &mut Value, place: &[String]) {
    let (key, way) = place.split_last().unwrap();
    let map = way.iter().try_fold(value, |value, key| value.get_mut(key)).unwrap();
    map.as_object_mut().unwrap().remove(key);
}

/// The words that an entry starts.
pub fn words(entry: &Value) -> Vec<String> {
    let command = entry.get("command").or_else(|| entry.get("cmd")).unwrap();
    let args = entry.get("args").unwrap().as_array().unwrap();
    std::iter::once(command).chain(args).map(|word| word.as_str().unwrap().to_owned()).collect()
}
