//! A JSON Schema as a tree with places, to say which part of it a name of llguidance's means.
//!
//! llguidance keeps of a schema the names of properties and definitions, and forgets where they
//! stand. A path of such names is followed here from the schema's root through everything that leaves
//! no name: references, arrays, alternatives. Where more than one part could be meant, none is said.
//! The text has been parsed before; one that is not JSON gives useless places, never a failure.

use std::collections::{HashMap, HashSet};
use std::ops::Range;

use super::json::string_end;

/// The tree of a JSON text.
#[derive(Clone, Debug, Default)]
pub(in crate::engine) struct Document {
    nodes: Vec<Node>,
}

/// A value.
#[derive(Clone, Debug)]
struct Node {
    /// The object or array that it is in.
    parent: Option<usize>,
    /// Its key, or its number.
    name: String,
    /// The place of the key; of the first character, if it has none.
    place: Range<usize>,
    /// What it says, if it is a string.
    text: Option<String>,
    children: Vec<usize>,
}

/// Keywords whose value is a schema or a list of schemas that belong to the one around them, or to
/// its elements and members without a name.
const WITHIN: [&str; 12] = [
    "allOf",
    "anyOf",
    "oneOf",
    "items",
    "prefixItems",
    "additionalItems",
    "additionalProperties",
    "unevaluatedProperties",
    "contains",
    "if",
    "then",
    "else",
];

impl Document {
    /// The tree of `text`.
    pub fn of(text: &str) -> Self {
        let bytes = text.as_bytes();
        let mut document = Self::default();
        // The objects and arrays that are open, and the key that has been read.
        let (mut open, mut key): (Vec<usize>, Option<(String, Range<usize>)>) = (Vec::new(), None);
        let mut at = 0;
        while let Some(&byte) = bytes.get(at) {
            let end = match byte {
                b'"' => string_end(bytes, at),
                b'{' | b'}' | b'[' | b']' | b',' | b':' => at + 1,
                _ if byte.is_ascii_whitespace() => at + 1,
                _ => {
                    let is_end = |b: &u8| b.is_ascii_whitespace() || b"{}[],:\"".contains(b);
                    bytes[at..].iter().position(is_end).map_or(bytes.len(), |n| at + n.max(1))
                }
            };
            match byte {
                b'}' | b']' => drop(open.pop()),
                b',' | b':' => {}
                _ if byte.is_ascii_whitespace() => {}
                b'"' if key.is_none() && text.get(end..).is_some_and(|t| t.trim_start().starts_with(':')) => {
                    key = Some((said(text, at..end), at..end));
                }
                _ => {
                    let parent = open.last().copied();
                    let number = parent.map_or(0, |parent| document.nodes[parent].children.len());
                    let (name, place) = key.take().unwrap_or_else(|| (number.to_string(), at..at + 1));
                    let text = (byte == b'"').then(|| said(text, at..end));
                    let node = document.nodes.len();
                    document.nodes.push(Node { parent, name, place, text, children: Vec::new() });
                    if let Some(parent) = parent {
                        document.nodes[parent].children.push(node);
                    }
                    if matches!(byte, b'{' | b'[') {
                        open.push(node);
                    }
                }
            }
            at = end;
        }
        document
    }

    /// The properties and definitions that have a name of their own, by that name, with their places.
    pub fn keys(&self) -> HashMap<String, Range<usize>> {
        let mut found: HashMap<&str, Option<&Range<usize>>> = HashMap::new();
        for node in &self.nodes {
            let parent = node.parent.map(|parent| self.nodes[parent].name.as_str());
            if matches!(parent, Some("properties" | "$defs" | "definitions")) {
                // The same name twice could be either.
                let known = found.entry(&node.name);
                known.and_modify(|place| *place = None).or_insert(Some(&node.place));
            }
        }
        found.into_iter().filter_map(|(name, place)| Some((name.to_owned(), place?.clone()))).collect()
    }

    /// The part that a path means, from the root on: its JSON pointer and its place. A step that
    /// begins with `#/` is a definition, any other a property. `None` if there is none, or more than
    /// one.
    pub fn find<'p>(&self, path: impl IntoIterator<Item = &'p str>) -> Option<(String, Range<usize>)> {
        let mut parts: Vec<usize> = (!self.nodes.is_empty()).then_some(0).into_iter().collect();
        for step in path {
            parts = match step.starts_with("#/") {
                true => self.at(step).into_iter().collect(),
                false => self.properties(parts, step),
            };
        }
        match parts[..] {
            [part] => Some((self.pointer(part), self.nodes[part].place.clone())),
            _ => None,
        }
    }

    /// The properties of this name of some schemas, each once.
    fn properties(&self, mut open: Vec<usize>, name: &str) -> Vec<usize> {
        let mut found = Vec::new();
        let mut seen: HashSet<usize> = open.iter().copied().collect();
        while let Some(part) = open.pop() {
            if let Some(property) = self.child(part, "properties").and_then(|all| self.child(all, name)) {
                found.push(property);
                continue;
            }
            for &child in &self.nodes[part].children {
                let node = &self.nodes[child];
                let within: Vec<usize> = match node.name.as_str() {
                    "$ref" => node.text.as_deref().and_then(|to| self.at(to)).into_iter().collect(),
                    "patternProperties" => node.children.clone(),
                    // A list holds schemas; of a schema, its own keywords come next.
                    keyword if WITHIN.contains(&keyword) => {
                        let is_list =
                            node.children.iter().all(|&c| self.nodes[c].name.parse::<usize>().is_ok());
                        if is_list { node.children.clone() } else { vec![child] }
                    }
                    _ => Vec::new(),
                };
                open.extend(within.into_iter().filter(|&part| seen.insert(part)));
            }
        }
        found.sort_unstable();
        found.dedup();
        found
    }

    fn child(&self, part: usize, name: &str) -> Option<usize> {
        self.nodes.get(part)?.children.iter().copied().find(|&child| self.nodes[child].name == name)
    }

    /// The part that a reference to this document names.
    fn at(&self, reference: &str) -> Option<usize> {
        let steps = reference.strip_prefix('#')?.split('/').skip(1);
        let mut names = steps.map(|step| step.replace("~1", "/").replace("~0", "~"));
        names.try_fold(0, |part, name| self.child(part, &name)).filter(|&part| part < self.nodes.len())
    }

    /// The JSON pointer of a part.
    fn pointer(&self, part: usize) -> String {
        let up = |&part: &usize| self.nodes[part].parent;
        let mut steps: Vec<usize> = std::iter::successors(Some(part), up).collect();
        // The root has no name.
        steps.pop();
        let name = |&part: &usize| self.nodes[part].name.replace('~', "~0").replace('/', "~1");
        steps.iter().rev().map(|step| format!("/{}", name(step))).collect()
    }
}

/// What a string of the text says.
fn said(text: &str, place: Range<usize>) -> String {
    text.get(place).and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SCHEMA: &str = r##"{
  "type": "object",
  "properties": {
    "id": {"type": "integer"},
    "lines": {"type": "array", "items": {"anyOf": [
      {"type": "string"},
      {"properties": {"a/b": {"$ref": "#/$defs/node"}, "kind": {"const": "x"}}},
      {"properties": {"kind": {"const": "y"}}}
    ]}}
  },
  "$defs": {"node": {"properties": {"id": true, "next": {"$ref": "#/$defs/node"}}}}
}"##;

    #[test]
    fn paths_are_followed_through_what_has_no_name() {
        let document = Document::of(SCHEMA);
        let find = |path: &[&str]| document.find(path.iter().copied());
        for (path, pointer, key) in [
            (&["id"][..], "/properties/id", "\"id\""),
            (&["lines", "a/b"], "/properties/lines/items/anyOf/1/properties/a~1b", "\"a/b\""),
            (&["lines", "a/b", "#/$defs/node", "id"], "/$defs/node/properties/id", "\"id\""),
            (&["lines", "a/b", "next", "next"], "/$defs/node/properties/next", "\"next\""),
            (&[], "", "{"),
        ] {
            let (found, place) = find(path).unwrap_or_else(|| panic!("{path:?}"));
            assert_eq!((found.as_str(), &SCHEMA[place]), (pointer, key));
            // What serde_json calls by the pointer is there.
            let whole: serde_json::Value = serde_json::from_str(SCHEMA).unwrap();
            assert!(whole.pointer(pointer).is_some());
        }
        // Two could be meant, or none.
        for path in [&["lines", "kind"][..], &["next"], &["id", "id"], &["#/$defs/other"]] {
            assert_eq!(find(path), None, "{path:?}");
        }
        let mut keys: Vec<String> = document.keys().into_keys().collect();
        keys.sort();
        assert_eq!(keys, ["a/b", "lines", "next", "node"]);
    }

    #[test]
    fn any_text_gives_a_tree() {
        for text in ["", "{", "\"a\": 1", "[1,, {\"a\"]}", "}{", "{\"a\": \"b", "\"\\", "nul\u{e9} x", "[[[]"]
        {
            let document = Document::of(text);
            let _ = (document.keys(), document.find(["a"]));
        }
    }
}
