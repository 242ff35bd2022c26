//! The Lua texts of Lmod's `spider -o`: its cache file (`moduleT`, `spiderT`), `dbT`, `reverseMapT`, `softwarePageLua`.
//!
//! An Lmod on the same system reads the cache file, which EasyBuild stores for it. Source: Lmod user guide "The spider
//! tool", "User spider cache"; what Lmod reads back in `tests/spider.rs`.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::lmod::{self, Module, put};
use crate::tree::Crawl;

/// One more level of tables is indented by this.
const INDENT: &str = "  ";

/// The assignments `NAME = VALUE`, one after the other.
pub(super) fn assignments<'a>(values: impl IntoIterator<Item = (&'a str, Value)>) -> String {
    let mut text = String::new();
    for (name, value) in values {
        text.push_str(name);
        text.push_str(" = ");
        write(&value, "", &mut text);
        text.push('\n');
    }
    text
}

/// Writes a value as a Lua expression.
fn write(value: &Value, indent: &str, text: &mut String) {
    let deeper = format!("{indent}{INDENT}");
    match value {
        Value::Null => text.push_str("nil"),
        Value::Bool(_) | Value::Number(_) => text.push_str(&value.to_string()),
        Value::String(s) => text.push_str(&quoted(s)),
        Value::Array(items) => {
            text.push('{');
            for item in items {
                text.push_str(&format!("\n{deeper}"));
                write(item, &deeper, text);
                text.push(',');
            }
            close(items.is_empty(), indent, text);
        }
        Value::Object(fields) => {
            text.push('{');
            for (key, item) in fields {
                text.push_str(&format!("\n{deeper}[{}] = ", quoted(key)));
                write(item, &deeper, text);
                text.push(',');
            }
            close(fields.is_empty(), indent, text);
        }
    }
}

fn close(empty: bool, indent: &str, text: &mut String) {
    if !empty {
        text.push('\n');
        text.push_str(indent);
    }
    text.push('}');
}

/// A string literal: every control character as a decimal escape, so that any text is one line and reads back the same.
fn quoted(s: &str) -> String {
    let mut text = String::from("\"");
    for c in s.chars() {
        match c {
            '"' | '\\' => text.extend(['\\', c]),
            '\n' => text.push_str("\\n"),
            c if c.is_ascii_control() => text.push_str(&format!("\\{:03}", u32::from(c))),
            c => text.push(c),
        }
    }
    text.push('"');
    text
}

/// The cache file: rc facts, modules and ways of every modulepath.
pub(super) fn cache_file(crawl: &Crawl) -> String {
    let mut spider: Map<String, Value> = Map::new();
    let mut rc: Map<String, Value> = Map::new();
    for tree in &crawl.trees {
        spider.insert(tree.modulepath.to_string(), json!({}));
        let aliases: BTreeMap<&str, &str> = tree
            .aliases
            .iter()
            .map(|(name, target)| (name.as_str(), target.as_str()))
            .collect();
        let symbols: BTreeMap<String, &str> = tree
            .modules
            .iter()
            .flat_map(|entry| {
                let symbols = entry.symbols.iter().filter(|s| *s != "default");
                symbols.map(|s| (format!("{}/{s}", entry.name()), entry.full_name.as_str()))
            })
            .collect();
        let hidden: BTreeMap<&str, bool> = tree
            .modules
            .iter()
            .filter(|entry| entry.is_hidden() && !entry.full_name.contains("/."))
            .map(|entry| (entry.full_name.as_str(), true))
            .collect();
        if !(aliases.is_empty() && symbols.is_empty() && hidden.is_empty()) {
            rc.insert(
                tree.modulepath.to_string(),
                json!({ "alias2modT": aliases, "hiddenT": hidden, "version2modT": symbols }),
            );
        }
    }
    for module in lmod::modules(crawl) {
        let Some(Value::Object(names)) = spider.get_mut(module.tree.modulepath.as_str()) else {
            continue;
        };
        let name = names
            .entry(module.entry.name().to_owned())
            .or_insert_with(|| json!({ "defaultA": [], "defaultT": {}, "dirT": {}, "fileT": {} }));
        name["fileT"][module.entry.full_name.as_str()] = file_record(&module);
        if module.entry.is_marked {
            let marker = default_marker(&module);
            name["defaultA"] = json!([marker]);
            name["defaultT"] = marker;
        }
    }
    let mut ways: Map<String, Value> = Map::new();
    for (modulepath, parents) in crawl.parents() {
        let parents: BTreeMap<&str, &str> = parents
            .iter()
            .map(|(full_name, above)| (full_name.as_str(), above.as_str()))
            .collect();
        ways.insert(modulepath.to_string(), json!(parents));
    }
    spider.insert("version".to_owned(), json!(5));
    assignments([
        ("timestampFn", json!([false])),
        (
            "mrcT",
            json!({ "alias2modT": {}, "hiddenT": {}, "version2modT": {} }),
        ),
        ("mrcMpathT", rc.into()),
        ("spiderT", spider.into()),
        ("mpathMapT", ways.into()),
    ])
}

/// What the cache file tells of one modulefile.
fn file_record(module: &Module) -> Value {
    let mut record = Map::new();
    module.describe(&mut record);
    record.insert(
        "canonical".to_owned(),
        module.entry.version().unwrap_or_default().into(),
    );
    record.insert("fn".to_owned(), module.entry.file().as_str().into());
    // Where `.lua` begins in the part of the file's name that is the version, counted from one.
    let file = module.entry.file();
    let is_lua = file.extension() == Some("lua");
    let stem = file.file_stem().unwrap_or_default();
    put(&mut record, "luaExt", is_lua.then_some(stem.len() + 1));
    put(
        &mut record,
        "dynamicMPATH",
        module.about.is_dynamic.then_some(true),
    );
    put(
        &mut record,
        "changeMPATH",
        (!module.about.opens.is_empty()).then_some(true),
    );
    record.into()
}

/// The marker of a default version, in the form of the weakest kind: a line in a `.version` file.
fn default_marker(module: &Module) -> Value {
    let dir = &module.entry.name();
    let modulepath = &module.tree.modulepath;
    json!({
        "barefn": ".version",
        "defaultIdx": 4,
        "fn": format!("{modulepath}/{dir}/.version"),
        "fullName": format!("{dir}/.version"),
        "mpath": modulepath.as_str(),
        "value": module.entry.version().unwrap_or_default(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_lua_expressions_of_one_line_a_field() {
        let value = json!({ "a": [1, "x\"y\\z\n\t"], "b": {}, "c": false });
        assert_eq!(
            assignments([("t", value)]),
            "t = {\n  [\"a\"] = {\n    1,\n    \"x\\\"y\\\\z\\n\\009\",\n  },\n  [\"b\"] = {},\n  [\"c\"] = false,\n}\n"
        );
    }
}
