//! `module list` in the style of Environment Modules.

use serde_json::{Map, Value, json};

use super::{Context, modified};
use crate::diag::Diagnostic;
use crate::env::loaded::Module;
use crate::name::VersionOrder;
use crate::view::modules::{self as view, Element, Numbering};

/// Shows the loaded modules in load order, those that match a pattern if there are any.
pub(crate) fn list(context: &mut Context) -> Result<(), Diagnostic> {
    let loaded = context.engine.state().loaded.clone();
    let output = elements(context)?;
    let shows = |what: &str| output.iter().any(|element| element == what);
    let all = context.options.all || shows("hidden") || context.config.shows_hidden("list");
    let hidden = |module: &Module| module.tags.iter().any(|tag| tag == "hidden-loaded");
    let chosen: Vec<&Module> = loaded
        .active()
        .iter()
        .map(AsRef::as_ref)
        .filter(|module| all || !hidden(module))
        .filter(|module| matches(context, module))
        .collect();
    if context.options.json {
        let rows: Vec<(String, String)> = chosen.iter().map(|m| as_json(m)).collect();
        context.print(&format!("{}\n", view::json_object(&rows)));
        return Ok(());
    }
    let all_asked = context.words.is_empty() || loaded.active().is_empty();
    let header = match (chosen.is_empty(), all_asked) {
        (true, true) => "No Modulefiles Currently Loaded.\n",
        (true, false) => "No Matching Modulefiles Currently Loaded.\n",
        (false, true) => "Currently Loaded Modulefiles:\n",
        (false, false) => "Currently Loaded Matching Modulefiles:\n",
    };
    let header = if shows("header") || context.options.long {
        header
    } else {
        ""
    };
    if chosen.is_empty() {
        context.print(header);
        return Ok(());
    }
    let elements: Vec<Element> = chosen
        .iter()
        .map(|module| Element {
            name: module.full_name.clone(),
            target: None,
            symbols: if shows("sym") || context.options.long {
                symbols(module)
            } else {
                Vec::new()
            },
            tags: if shows("tag") {
                tags(module)
            } else {
                Vec::new()
            },
            variants: if shows("variant") {
                variants(module)
            } else {
                Vec::new()
            },
            modified: match context.options.long {
                true => modified(&module.file),
                false => String::new(),
            },
        })
        .collect();
    let short = context.abbreviations();
    let text = if context.options.long {
        view::long_header("Package") + header + &view::long_rows(&elements)
    } else if context.options.terse {
        let lines = elements.iter().map(|e| format!("{}\n", e.shown(&short)));
        header.to_owned() + &lines.collect::<String>()
    } else {
        let width = context.layout().width;
        let numbering = if shows("idx") {
            Numbering::From(1)
        } else {
            Numbering::None
        };
        let cells: Vec<String> = elements.iter().map(|e| e.shown(&short)).collect();
        let mut text = header.to_owned() + &view::grid(&cells, numbering, width);
        if let (true, Some(key)) = (shows("key"), view::key(elements.iter(), &short, width)) {
            text.push('\n');
            text.push_str(&key);
        }
        text
    };
    context.print(&text);
    Ok(())
}

/// The elements that the listing can be made of.
pub(super) const ELEMENTS: &[&str] = &[
    "header", "idx", "variant", "alias", "indesym", "sym", "tag", "hidden", "key",
];

fn elements(context: &Context) -> Result<Vec<String>, Diagnostic> {
    let setting = match context.options.terse {
        true => &context.config.list_terse_output,
        false => &context.config.list_output,
    };
    context.output_elements(setting, ELEMENTS, "list")
}

/// Whether a pattern of the request means a loaded module: its name, or one that stands for it.
fn matches(context: &Context, module: &Module) -> bool {
    let fold = |text: &str| context.folded(text);
    let names = || std::iter::once(&module.full_name).chain(&module.alternatives);
    context.words.is_empty()
        || context.words.iter().any(|word| {
            names().any(|name| match context.searches_anywhere() {
                true => fold(name).contains(&fold(word)),
                false => fold(name).starts_with(&fold(word)),
            })
        })
}

/// The symbolic versions of a loaded module that stand for it in its own directory.
fn symbols(module: &Module) -> Vec<String> {
    let dir = module.full_name.rsplit_once('/').map(|(dir, _)| dir);
    let own = |name: &String| {
        let (above, symbol) = name.rsplit_once('/')?;
        (Some(above) == dir && *name != module.full_name).then(|| symbol.to_owned())
    };
    let mut symbols: Vec<String> = module.alternatives.iter().filter_map(own).collect();
    symbols.sort_by(|a, b| VersionOrder::Dictionary.compare(a, b));
    symbols.dedup();
    symbols
}

fn tags(module: &Module) -> Vec<String> {
    let mut tags: Vec<String> = (module.tags.iter())
        .filter(|tag| !matches!(tag.as_str(), "hidden" | "hidden-soft" | "loaded"))
        .cloned()
        .collect();
    if module.auto {
        tags.push("auto-loaded".to_owned());
    }
    tags.sort();
    tags.dedup();
    tags
}

fn variants(module: &Module) -> Vec<String> {
    let mut variants: Vec<(&String, &String)> =
        module.variants.iter().map(|(n, v)| (n, v)).collect();
    variants.sort();
    let written = variants
        .into_iter()
        .map(|(name, value)| match value.as_str() {
            "1" => format!("+{name}"),
            "0" => format!("-{name}"),
            value => format!("{name}={value}"),
        });
    written.collect()
}

fn as_json(module: &Module) -> (String, String) {
    let mut variants = Map::new();
    for (name, value) in &module.variants {
        let value = match value.as_str() {
            "1" => Value::Bool(true),
            "0" => Value::Bool(false),
            text => text.into(),
        };
        variants.insert(name.clone(), value);
    }
    let row = view::json_row(&[
        ("name", json!(module.full_name)),
        ("type", json!("modulefile")),
        ("variants", Value::Object(variants)),
        ("symbols", json!(symbols(module))),
        ("tags", json!(tags(module))),
        ("pathname", json!(module.file.as_str())),
        ("via", json!([])),
    ]);
    (module.full_name.clone(), row)
}
