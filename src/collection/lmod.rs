//! Lmod's form of a collection: its module table as Lua text.
//!
//! Lmod adds to each module a hash over those calls of its file that load others, and refuses a collection whose
//! modulefiles changed. Files of ours have no hash, and Lmod takes them without that check; `lock` is the better one.

use std::collections::BTreeMap;

use super::{Collection, Saved};
use crate::env::lua_table::{Lua, quote};
use crate::name::lmod_canonical;

/// Reads a collection.
pub(super) fn read(text: &[u8]) -> Option<Collection> {
    let table = Lua::read_assignment(text)?;
    let mut modules: Vec<(i64, Saved)> = Vec::new();
    for (name, entry) in table.get("mT")?.entries() {
        if entry.get("status").and_then(Lua::text) != Some("active") {
            continue;
        }
        let full_name = entry.get("fullName")?.text()?.to_owned();
        let name = name.as_ref()?.to_string();
        let order = entry.get("loadOrder").and_then(Lua::integer);
        let saved = Saved {
            requested: match entry.get("userName").and_then(Lua::text) {
                Some(text) => text.to_owned(),
                None => full_name.clone(),
            },
            file: entry.get("fn").and_then(Lua::text).unwrap_or("").into(),
            depth: entry
                .get("stackDepth")
                .and_then(Lua::integer)
                .and_then(|n| u32::try_from(n).ok())
                .unwrap_or(0),
            auto: entry.get("ref_count").is_some(),
            name_len: if full_name.starts_with(&name) {
                name.len()
            } else {
                full_name.len()
            },
            properties: properties(entry.get("propT")),
            full_name,
            ..Saved::default()
        };
        modules.push((order.unwrap_or(0), saved));
    }
    modules.sort_by_key(|(order, _)| *order);
    let counts = table.get("mpathRefCountT");
    let modulepath = table.get("mpathA").map_or(&[] as &[_], Lua::entries);
    let modulepath = modulepath.iter().filter_map(|(_, dir)| {
        let dir = dir.text()?;
        let count = counts
            .and_then(|c| c.get(dir))
            .and_then(Lua::integer)
            .and_then(|n| u32::try_from(n).ok());
        Some((dir.to_owned(), count.unwrap_or(0)))
    });
    Some(Collection {
        modulepath: modulepath.collect(),
        modules: modules.into_iter().map(|(_, saved)| saved).collect(),
        system_modulepath: table
            .get("systemBaseMPATH")
            .and_then(Lua::text)
            .map(str::to_owned),
    })
}

fn properties(table: Option<&Lua>) -> Vec<(String, String)> {
    let mut out = Vec::new();
    for (key, values) in table.map_or(&[] as &[_], Lua::entries) {
        for (value, _) in values.entries() {
            if let (Some(key), Some(value)) = (key, value) {
                out.push((key.to_string(), value.to_string()));
            }
        }
    }
    out
}

/// Writes a collection.
pub(super) fn write(collection: &Collection) -> String {
    let created = jiff::Zoned::now().strftime("%a %b %e %H:%M:%S %Y");
    let mut out = format!("-- -*- lua -*-\n-- created: {created} --\n-- Lmod 9.2.9\n");
    out.push_str("_ModuleTable_ = {\n  MTversion = 3,\n  c_rebuildTime = false,\n  c_shortTime = false,\n  depthT = {},\n");
    out.push_str("  family = {\n");
    let families: BTreeMap<&str, &str> = collection
        .modules
        .iter()
        .flat_map(|m| m.families.iter().map(|f| (f.as_str(), name_of(m))))
        .collect();
    for (family, name) in families {
        out.push_str(&format!("    {} = {},\n", key(family), quote(name)));
    }
    out.push_str("  },\n  mT = {\n");
    let mut modules: Vec<(usize, &Saved)> = (1..).zip(&collection.modules).collect();
    modules.sort_by_key(|(_, m)| name_of(m));
    for (order, module) in modules {
        write_module(&mut out, module, order);
    }
    out.push_str("  },\n  mpathA = {\n");
    for (dir, _) in &collection.modulepath {
        out.push_str(&format!("    {},\n", quote(dir)));
    }
    out.push_str("  },\n  mpathRefCountT = {\n");
    for (dir, count) in &collection.modulepath {
        out.push_str(&format!("    [{}] = {count},\n", quote(dir)));
    }
    out.push_str("  },\n");
    if let Some(system) = &collection.system_modulepath {
        out.push_str(&format!("  systemBaseMPATH = {},\n", quote(system)));
    }
    out.push_str("}\n");
    out
}

fn write_module(out: &mut String, module: &Saved, order: usize) {
    let version = module
        .full_name
        .get(module.name_len + 1..)
        .unwrap_or_default();
    // A module without version ranks above those that no marker names.
    let rank = match version {
        "" => "M.*zfinal".to_owned(),
        version => lmod_canonical(version),
    };
    out.push_str(&format!("    {} = {{\n", key(name_of(module))));
    out.push_str(&format!("      fn = {},\n", quote(module.file.as_str())));
    out.push_str(&format!("      fullName = {},\n", quote(&module.full_name)));
    out.push_str(&format!("      loadOrder = {order},\n"));
    let mut properties: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (name, value) in &module.properties {
        properties.entry(name).or_default().push(value);
    }
    out.push_str("      propT = {\n");
    for (name, values) in properties {
        let values: Vec<String> = values.iter().map(|v| format!("{} = 1", key(v))).collect();
        let line = format!("        {} = {{ {}, }},\n", key(name), values.join(", "));
        out.push_str(&line);
    }
    out.push_str("      },\n");
    if module.auto {
        out.push_str("      ref_count = 1,\n");
    }
    out.push_str(&format!("      stackDepth = {},\n", module.depth));
    out.push_str("      status = \"active\",\n");
    out.push_str(&format!("      userName = {},\n", quote(&module.requested)));
    out.push_str(&format!("      wV = {},\n    }},\n", quote(&rank)));
}

fn name_of(module: &Saved) -> &str {
    module
        .full_name
        .get(..module.name_len)
        .unwrap_or(&module.full_name)
}

fn key(name: &str) -> String {
    let plain = name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
        && !name.starts_with(|c: char| c.is_ascii_digit())
        && !name.is_empty();
    if plain && !KEYWORDS.contains(&name) {
        name.to_owned()
    } else {
        format!("[{}]", quote(name))
    }
}

/// Words that cannot be bare keys in Lua.
const KEYWORDS: &[&str] = &[
    "and", "break", "do", "else", "elseif", "end", "false", "for", "function", "goto", "if", "in",
    "local", "nil", "not", "or", "repeat", "return", "then", "true", "until", "while",
];
