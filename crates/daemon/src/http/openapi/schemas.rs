//! Schemas, read from the sources of the documents: what serde writes is what is declared there.

use serde_json::{Map, Value, json};

/// All types of a source.
pub(super) fn schemas(source: &str, into: &mut Map<String, Value>) {
    let mut comment = String::new();
    let mut attributes = String::new();
    let mut lines = source.lines();
    while let Some(line) = lines.next() {
        let line = line.trim();
        if let Some(text) = line.strip_prefix("/// ") {
            comment = joined(&comment, text);
        } else if line.starts_with("#[") {
            attributes.push_str(line);
        } else if let Some(name) = name_of(line, "pub struct ") {
            let body: Vec<&str> = lines.by_ref().take_while(|line| *line != "}").collect();
            let schema = with_comment(object(&body, ""), &comment);
            into.insert(name.to_owned(), schema);
            (comment, attributes) = Default::default();
        } else if let Some(name) = name_of(line, "pub enum ") {
            let body: Vec<&str> = lines.by_ref().take_while(|line| *line != "}").collect();
            let schema = with_comment(variants(&body, &attributes), &comment);
            into.insert(name.to_owned(), schema);
            (comment, attributes) = Default::default();
        } else {
            (comment, attributes) = Default::default();
        }
    }
}

fn name_of<'l>(line: &'l str, keyword: &str) -> Option<&'l str> {
    line.strip_prefix(keyword)?.strip_suffix(" {")
}

fn joined(comment: &str, text: &str) -> String {
    if comment.is_empty() {
        text.to_owned()
    } else {
        format!("{comment} {text}")
    }
}

fn with_comment(mut schema: Value, comment: &str) -> Value {
    if !comment.is_empty() {
        schema["description"] = json!(comment);
    }
    schema
}

/// The members of a struct; `visibility` stands before their names.
fn object(body: &[&str], visibility: &str) -> Value {
    let (mut properties, mut required) = (Map::new(), Vec::new());
    let (mut comment, mut attributes) = (String::new(), String::new());
    for line in body.iter().map(|line| line.trim()) {
        if let Some(text) = line.strip_prefix("/// ") {
            comment = joined(&comment, text);
        } else if line.starts_with("#[") {
            attributes.push_str(line);
        } else if let Some((name, kind)) = line
            .strip_prefix("pub ")
            .unwrap_or_else(|| line.strip_prefix(visibility).unwrap_or(line))
            .trim_end_matches(',')
            .split_once(": ")
        {
            let renamed = attributes.split_once("rename = \"");
            let name = renamed.map_or(name, |(_, rest)| rest.split('"').next().unwrap_or(name));
            let is_left_out = ["Option<", "skip_serializing_if", "default"]
                .iter()
                .any(|mark| kind.starts_with(mark) || attributes.contains(mark));
            if !is_left_out {
                required.push(json!(name));
            }
            properties.insert(name.to_owned(), with_comment(schema_of(kind), &comment));
            (comment, attributes) = Default::default();
        }
    }
    let mut object = json!({"type": "object", "properties": properties});
    if !required.is_empty() {
        object["required"] = Value::Array(required);
    }
    object
}

fn schema_of(kind: &str) -> Value {
    let inside = |wrapper: &str| kind.strip_prefix(wrapper)?.strip_suffix('>');
    if let Some(inner) = inside("Option<").or_else(|| inside("Box<")) {
        return schema_of(inner);
    }
    if let Some(inner) = inside("Vec<") {
        return json!({"type": "array", "items": schema_of(inner)});
    }
    if inside("BTreeMap<String, ").is_some() {
        return json!({"type": "object", "additionalProperties": {"type": "string"}});
    }
    match kind {
        "String" | "&'static str" => json!({"type": "string"}),
        "bool" => json!({"type": "boolean"}),
        "u8" | "u32" | "u64" | "i32" | "i64" => json!({"type": "integer"}),
        other => json!({"$ref": format!("#/components/schemas/{other}")}),
    }
}

/// The variants of an enum.
fn variants(body: &[&str], attributes: &str) -> Value {
    let written = |name: &str| {
        let separator = if attributes.contains("snake_case") {
            Some('_')
        } else {
            attributes.contains("kebab-case").then_some('-')
        };
        if let Some(separator) = separator {
            let mut text = String::new();
            for character in name.chars() {
                if character.is_uppercase() && !text.is_empty() {
                    text.push(separator);
                }
                text.extend(character.to_lowercase());
            }
            text
        } else {
            name.to_lowercase()
        }
    };
    let (mut words, mut alternatives) = (Vec::new(), Vec::new());
    let mut lines = body.iter();
    while let Some(line) = lines.next() {
        let line = line.trim();
        if line.starts_with("///") || line.starts_with('#') {
            continue;
        }
        if let Some((name, kind)) = line.trim_end_matches("),").split_once('(') {
            let name = written(name);
            let members = json!({name.clone(): schema_of(kind)});
            alternatives.push(json!({"type": "object", "properties": members, "required": [name]}));
        } else if line.ends_with(" {") {
            let members: Vec<&str> = lines
                .by_ref()
                .take_while(|line| line.trim() != "},")
                .copied()
                .collect();
            alternatives.push(object(&members, ""));
        } else {
            words.push(json!(written(line.trim_end_matches(','))));
        }
    }
    if alternatives.is_empty() {
        json!({"type": "string", "enum": words})
    } else {
        json!({"oneOf": alternatives})
    }
}
