//! `module list`, `module tablelist`.

use serde_json::json;

use super::Context;
use crate::config::ListingStyle;
use crate::diag::Diagnostic;
use crate::env::loaded::Module;
use crate::view;
use crate::view::list::{Entry, List};

/// Shows the loaded modules in load order, those that match a pattern if there are any.
pub(super) fn run(context: &mut Context) -> Result<(), Diagnostic> {
    if context.config.listing_style == ListingStyle::Modules {
        return super::modules::list(context);
    }
    let patterns = context.words.to_vec();
    let brief = context.options.brief;
    let loaded = context.engine.state().loaded.clone();
    let chosen: Vec<&Module> = loaded
        .active()
        .iter()
        .map(AsRef::as_ref)
        .filter(|m| !brief || m.depth == 0)
        .filter(|m| {
            patterns.is_empty() || patterns.iter().any(|p| context.matches(p, &m.full_name))
        })
        .collect();
    if context.options.json {
        let modules: Vec<_> = chosen.iter().map(|m| as_json(m)).collect();
        let inactive: Vec<_> = loaded
            .inactive()
            .iter()
            .map(|m| m.requested.clone())
            .collect();
        context.print_json(&json!({ "version": 1, "modules": modules, "inactive": inactive }));
        return Ok(());
    }
    if context.options.terse {
        for module in chosen {
            let hidden = context.config.terse_decorations && is_hidden(module);
            let mark = if hidden { " <H>" } else { "" };
            context.print(&format!("{}{mark}\n", module.full_name));
        }
        return Ok(());
    }
    let mut legend = Vec::new();
    let mut chosen = in_the_sites_order(context, chosen)?;
    let all = context.options.all || context.config.shows_hidden("list");
    let count = chosen.len();
    chosen.retain(|module| all || !module.tags.iter().any(|tag| tag == "hidden-loaded"));
    let some_hidden = chosen.len() < count;
    let mut entries = Vec::with_capacity(chosen.len());
    for module in chosen {
        let mut marks = context.property_marks(&module.properties, &module.tags, &mut legend);
        if is_hidden(module) {
            marks.insert(0, "H".to_owned());
            let row = ("H".to_owned(), "Hidden Module".to_owned());
            if !legend.contains(&row) {
                legend.push(row);
            }
        }
        entries.push(Entry {
            name: context.site.shown_name(&module.full_name, module.name())?,
            marks,
        });
    }
    let list = List {
        loaded: entries,
        inactive: loaded
            .inactive()
            .iter()
            .map(|m| m.requested.clone())
            .collect(),
        patterns,
        legend,
        some_hidden,
    };
    let text = view::list::render(&list, context.layout());
    context.print(&text);
    Ok(())
}

/// Whether a loaded module is one that listings of all modules leave out.
fn is_hidden(module: &Module) -> bool {
    let hidden = ["hidden", "hidden-soft", "hidden-loaded"];
    module.tags.iter().any(|tag| hidden.contains(&tag.as_str()))
}

/// The modules that the site's hook lets through, in its order.
fn in_the_sites_order<'m>(
    context: &Context,
    modules: Vec<&'m Module>,
) -> Result<Vec<&'m Module>, Diagnostic> {
    if !context.site.has_code() {
        return Ok(modules);
    }
    let names = modules.iter().map(|m| m.full_name.clone()).collect();
    let names = context.site.list(names)?;
    let find = |name: &String| modules.iter().find(|m| m.full_name == *name).copied();
    Ok(names.iter().filter_map(find).collect())
}

/// The loaded modules as the Lua table that `module tablelist` prints.
pub(super) fn table(context: &mut Context) -> Result<(), Diagnostic> {
    let mut text = String::from("activeList = {\n");
    for module in context.engine.state().loaded.active() {
        text.push_str(&format!(
            "  [\"{}\"] = \"{}\",\n",
            module.name(),
            module.version().unwrap_or_default()
        ));
    }
    text.push_str("}\n");
    context.print(&text);
    Ok(())
}

fn as_json(module: &Module) -> serde_json::Value {
    json!({
        "name": module.name(),
        "version": module.version(),
        "full_name": module.full_name,
        "file": module.file.as_str(),
        "modulepath": module.modulepath.as_str(),
        "requested": module.requested,
        "depth": module.depth,
        "families": module.families,
        "tags": module.tags,
    })
}
