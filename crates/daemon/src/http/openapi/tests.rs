use serde_json::{Map, Value, json};

use super::DESCRIPTION;
use super::routes::{ROUTES, Route};
use super::schemas::schemas;

const SOURCES: [&str; 6] = [
    include_str!("../../../../protocol/src/api/status.rs"),
    include_str!("../../../../protocol/src/api/why.rs"),
    include_str!("../../../../protocol/src/api/events.rs"),
    include_str!("../../../../protocol/src/api/apply.rs"),
    include_str!("../../../../boot/src/settings/document.rs"),
    include_str!("../../../../boot/src/sequence/report.rs"),
];

/// Types that stand beside others, which are nobody's documents.
const SINGLE: [(&str, &str); 2] = [
    ("Step", include_str!("../../../../boot/src/sequence/mod.rs")),
    ("OnFailure", include_str!("../../../../config/src/boot.rs")),
];

fn made() -> Value {
    let mut all = Map::new();
    for source in SOURCES {
        schemas(source, &mut all);
    }
    for (name, source) in SINGLE {
        let mut types = Map::new();
        schemas(source, &mut types);
        all.extend(types.remove(name).map(|schema| (name.to_owned(), schema)));
    }
    // What clients ask about events is in the query.
    all.remove("EventsFilter");
    all.insert(
        "Error".to_owned(),
        json!({"type": "object", "properties": {"error": {"type": "string"}}, "required": ["error"]}),
    );
    let mut paths = Map::new();
    for route in ROUTES {
        let path = paths.entry(route.path).or_insert_with(|| json!({}));
        path[route.method] = operation(route);
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Linchpin",
            "version": "v1",
            "description": "On the socket of [linchpin], for the daemon's own user and root. Members are never changed and never given another meaning; new ones may come. Times are milliseconds since 1970."
        },
        "paths": paths,
        "components": {"schemas": all}
    })
}

fn reference(schema: &str) -> Value {
    json!({"$ref": format!("#/components/schemas/{schema}")})
}

fn operation(route: &Route) -> Value {
    let in_path = route.path.contains("{name}").then(
        || json!({"name": "name", "in": "path", "required": true, "schema": {"type": "string"}}),
    );
    let query = route.query.iter().map(|(name, kind, text)| {
        json!({"name": name, "in": "query", "description": text, "schema": {"type": kind}})
    });
    let parameters: Vec<Value> = in_path.into_iter().chain(query).collect();
    let mut responses = Map::new();
    for (status, content, schema, when) in route.answers {
        let of_type = json!({*content: {"schema": reference(schema)}});
        responses.insert(
            status.to_string(),
            json!({"description": when, "content": of_type}),
        );
    }
    if responses.is_empty() {
        responses.insert("200".to_owned(), json!({"description": route.summary}));
    }
    let mut operation = json!({"summary": route.summary, "responses": responses});
    if !parameters.is_empty() {
        operation["parameters"] = Value::Array(parameters);
    }
    if let Some(body) = route.body {
        operation["requestBody"] =
            json!({"content": {"application/json": {"schema": reference(body)}}});
    }
    operation
}

fn references<'v>(value: &'v Value, into: &mut Vec<&'v str>) {
    match value {
        Value::Object(members) => {
            into.extend(members.get("$ref").and_then(Value::as_str));
            members.values().for_each(|member| references(member, into));
        }
        Value::Array(items) => items.iter().for_each(|item| references(item, into)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// A line for each path and each schema: it is part of the program, so it is to be small, and is read by people too.
fn text(description: &Value) -> String {
    let lines = |value: &Value| {
        let members = value.as_object().unwrap().iter();
        let lines: Vec<String> = members
            .map(|(name, value)| format!("{}:{value}", json!(name)))
            .collect();
        lines.join(",\n")
    };
    let text = format!(
        "{{\"openapi\":{},\"info\":{},\n\"paths\":{{\n{}\n}},\n\"components\":{{\"schemas\":{{\n{}\n}}}}}}\n",
        description["openapi"],
        description["info"],
        lines(&description["paths"]),
        lines(&description["components"]["schemas"]),
    );
    assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), *description);
    text
}

#[test]
fn the_description_is_up_to_date() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/openapi.json");
    let text = text(&made());
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(path, &text).unwrap();
    } else {
        assert!(
            DESCRIPTION == text,
            "docs/openapi.json differs; run with UPDATE_DOCS=1 to write it"
        );
    }
}

#[test]
fn every_schema_that_is_named_is_there() {
    let made = made();
    let mut named = Vec::new();
    references(&made, &mut named);
    assert!(named.len() > 30);
    for name in named {
        let pointer = name.trim_start_matches('#');
        assert!(made.pointer(pointer).is_some(), "{name}");
    }
}

#[test]
fn schemas_say_what_serde_writes() {
    let made = made();
    let schema = |name: &str| made["components"]["schemas"][name].clone();
    let state = linchpin_protocol::api::write(&linchpin_protocol::api::ApplyState::RolledBack);
    let words = schema("ApplyState")["enum"].to_string();
    assert!(words.contains(&state), "{words}");
    assert!(schema("SettingStatus")["properties"]["type"].is_object());
    let steps: Vec<_> = linchpin_boot::sequence::Step::ALL
        .iter()
        .map(|step| json!(step))
        .collect();
    assert_eq!(schema("Step")["enum"], json!(steps));
    let request = schema("ApplyRequest");
    assert_eq!(request["required"], Value::Null, "nothing must be there");
    let values = &request["properties"]["set"]["additionalProperties"];
    assert_eq!(values["type"], "string");
    let plan: Vec<String> =
        serde_json::from_value(schema("PlanReport")["required"].clone()).unwrap();
    let written = serde_json::to_value(linchpin_protocol::api::PlanReport::default()).unwrap();
    let mut members: Vec<&String> = written.as_object().unwrap().keys().collect();
    let mut plan: Vec<&String> = plan.iter().collect();
    members.sort();
    plan.sort();
    assert_eq!(members, plan);
}
