//! The `examples` of a JSON Schema as cases: each is written without white space and is to be accepted.

use super::{Case, Cases, Origin, Wants};

/// Reads them. What is wrong with the schema itself is not told here.
pub(super) fn read(text: &str, cases: &mut Cases) {
    let Ok(serde_json::Value::Object(schema)) = serde_json::from_str(text) else { return };
    let Some(examples) = schema.get("examples").and_then(|examples| examples.as_array()) else { return };
    for (i, example) in examples.iter().enumerate() {
        cases.list.push(Case {
            name: format!("example {}", i + 1),
            entry: None,
            wants: Wants::Accept,
            text: example.to_string().as_bytes().into(),
            origin: Origin::Example(i + 1),
        });
    }
}
