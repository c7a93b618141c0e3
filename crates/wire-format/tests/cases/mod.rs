//! The changes between versions that the golden files hold: each with its writer, its reader, and what was written.

use serde_json::{Value, json};
use wire_format::Topic;

/// Today's reader with some fields replaced (by name) or added.
fn schema(changes: &[Value]) -> Value {
    let mut schema: Value = Topic::Sensor.schema().unwrap().parse().unwrap();
    let fields = schema["fields"].as_array_mut().unwrap();
    for change in changes {
        match fields.iter_mut().find(|field| field["name"] == change["name"]) {
            Some(field) => *field = change.clone(),
            None => fields.push(change.clone()),
        }
    }
    schema
}

/// A schema without some fields.
fn without(mut schema: Value, names: &[&str]) -> Value {
    let fields = schema["fields"].as_array_mut().unwrap();
    fields.retain(|field| !names.contains(&field["name"].as_str().unwrap()));
    schema
}

/// A reading with some fields changed or added.
pub(crate) fn reading(changes: Value) -> Value {
    let mut reading = json!({"event_id": "r-1", "source_system": "iot", "device_id": "d-7", "metric": "smoke", "value": 18.5,
        "observed_at": 1_788_739_199_123_i64});
    let fields = reading.as_object_mut().unwrap();
    for (name, value) in changes.as_object().unwrap() {
        fields.insert(name.clone(), value.clone());
    }
    reading
}

/// Name, writer's schema, reader's schema where it is not today's, what is written.
pub(crate) fn cases() -> Vec<(&'static str, Value, Option<Value>, Value)> {
    let field = |name: &str, kind: Value| json!({"name": name, "type": kind});
    let symbols = |symbols: Value| json!({"type": "enum", "name": "Metric", "symbols": symbols});
    let mut with_other = symbols(json!(["smoke", "other"]));
    with_other["default"] = json!("other");
    let place = |fields: Value| {
        field(
            "location",
            json!({"type": "record", "name": "Location", "fields": fields}),
        )
    };
    let node = json!({"type": "record", "name": "Node", "fields": [field("id", json!("int")),
        {"name": "next", "type": ["null", "Node"], "default": null}]});
    let mut reversed = schema(&[]);
    reversed["fields"].as_array_mut().unwrap().reverse();
    let none = json!({});
    vec![
        (
            "added_with_default",
            without(schema(&[]), &["unit"]),
            Some(schema(&[
                json!({"name": "unit", "type": "string", "default": "cm"}),
            ])),
            reading(none.clone()),
        ),
        (
            "added_optional",
            without(schema(&[]), &["component_id", "alarm"]),
            None,
            reading(json!({"unit": "cm"})),
        ),
        (
            "removed",
            schema(&[
                field("battery", json!({"type": "map", "values": "long"})),
                field("firmware", json!({"type": "fixed", "name": "Hash", "size": 4})),
                field(
                    "history",
                    json!({"type": "array", "items": ["null", "float", "bytes"]}),
                ),
                field("chain", node),
            ]),
            None,
            reading(
                json!({"battery": {"volt": 3}, "firmware": "v1.0", "history": [null, 0.5],
                "chain": {"id": 1, "next": {"id": 2, "next": null}}, "unit": "cm"}),
            ),
        ),
        (
            "renamed_by_alias",
            {
                let mut writer = schema(&[]);
                writer["fields"][2]["name"] = json!("sensor_id");
                writer
            },
            Some(schema(&[
                json!({"name": "device_id", "type": "string", "aliases": ["sensor_id", "dev"]}),
            ])),
            {
                let mut reading = reading(json!({"sensor_id": "d-8"}));
                reading.as_object_mut().unwrap().remove("device_id");
                reading
            },
        ),
        (
            "int_to_long",
            schema(&[field("observed_at", json!("int"))]),
            None,
            reading(json!({"observed_at": 7})),
        ),
        (
            "int_to_double",
            schema(&[field("value", json!("int"))]),
            None,
            reading(json!({"value": 3})),
        ),
        (
            "long_to_double",
            schema(&[field("value", json!("long"))]),
            None,
            reading(json!({"value": -3})),
        ),
        (
            "float_to_double",
            schema(&[field("value", json!("float"))]),
            None,
            reading(json!({"value": 0.5})),
        ),
        (
            "bytes_to_string",
            schema(&[field("metric", json!("bytes"))]),
            None,
            reading(json!({"metric": [115, 109]})),
        ),
        (
            "string_to_bytes",
            schema(&[]),
            Some(schema(&[field("metric", json!("bytes"))])),
            reading(none.clone()),
        ),
        (
            "enum_unknown_with_default",
            schema(&[field("metric", symbols(json!(["gas", "smoke"])))]),
            Some(schema(&[field("metric", with_other)])),
            reading(json!({"metric": "gas"})),
        ),
        (
            "enum_unknown_without_default",
            schema(&[field("metric", symbols(json!(["gas", "smoke"])))]),
            Some(schema(&[field("metric", symbols(json!(["smoke"])))])),
            reading(json!({"metric": "gas"})),
        ),
        (
            "enum_reordered",
            schema(&[field("metric", symbols(json!(["gas", "smoke"])))]),
            Some(schema(&[field(
                "metric",
                symbols(json!(["smoke", "heat", "gas"])),
            )])),
            reading(json!({"metric": "gas"})),
        ),
        (
            "reordered",
            reversed,
            None,
            reading(json!({"unit": "cm", "alarm": true, "component_id": "k"})),
        ),
        (
            "nested",
            schema(&[place(json!([
                field("floor", json!("int")),
                field("y", json!("float")),
                field("x", json!("double"))
            ]))]),
            None,
            reading(json!({"location": {"floor": 3, "y": 31.5, "x": 121.25}})),
        ),
        (
            "union_widened",
            schema(&[field("unit", json!("string"))]),
            None,
            reading(json!({"unit": "cm"})),
        ),
        (
            "union_narrowed",
            schema(&[field("unit", json!(["null", "long", "string"]))]),
            Some(schema(&[field("unit", json!("string"))])),
            reading(json!({"unit": "cm"})),
        ),
        (
            "union_narrowed_to_nothing",
            schema(&[field("device_id", json!(["null", "string"]))]),
            None,
            reading(json!({"device_id": null})),
        ),
        (
            "union_branch_gone",
            schema(&[field("unit", json!(["null", "long", "string"]))]),
            None,
            reading(json!({"unit": 5})),
        ),
        (
            "union_promoted",
            schema(&[field(
                "location",
                json!({"type": "record", "name": "Location", "fields": [field("x", json!("double")),
                field("y", json!("double")), field("accuracy_m", json!("int"))]}),
            )]),
            None,
            reading(json!({"location": {"x": 121.25, "y": 31.5, "accuracy_m": 15}})),
        ),
    ]
}
