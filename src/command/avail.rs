//! `module avail` and `module overview`: what can be loaded now.

use std::collections::HashSet;

use serde_json::json;

use super::Context;
use crate::config::{IgnoreCase, ListingStyle, PatternLanguage, SearchMatch};
use crate::diag::{Diagnostic, Kind};
use crate::name::LuaPattern;
use crate::tree::{self, Filter, Tree};
use crate::view;
use crate::view::avail::{Avail, Entry, Section};

/// Lists the modules that can be loaded now.
pub(super) fn run(context: &mut Context) -> Result<(), Diagnostic> {
    if context.config.listing_style == ListingStyle::Modules {
        return super::modules::avail(context);
    }
    let trees = chosen(context)?;
    if context.options.json {
        let sections: Vec<_> = trees.iter().map(|tree| as_json(context, tree)).collect();
        context.print_json(&json!({ "version": 1, "sections": sections }));
        return Ok(());
    }
    let mut avail = listing(context, &trees);
    let text = if context.options.terse {
        let with_names = context.words.is_empty() && !context.options.default_only;
        view::avail::terse(&avail, with_names, context.config.terse_decorations)
    } else {
        show_as_the_site_does(context, &mut avail)?;
        view::avail::render(&avail, context.layout())
    };
    context.print(&text);
    Ok(())
}

/// Lets the site's hook say how each name is shown.
fn show_as_the_site_does(context: &Context, avail: &mut Avail) -> Result<(), Diagnostic> {
    if !context.site.has_code() {
        return Ok(());
    }
    let entries = avail.sections.iter_mut().flat_map(|s| &mut s.entries);
    for entry in entries {
        let name = entry.name.rsplit_once('/');
        let name = name.map_or(entry.name.as_str(), |(name, _)| name);
        let shown = context.site.shown_name(&entry.name, name)?;
        entry.shown = (shown != entry.name).then_some(shown);
    }
    Ok(())
}

/// How many versions each name has.
pub(super) fn overview(context: &mut Context) -> Result<(), Diagnostic> {
    let trees = chosen(context)?;
    if context.options.json {
        let sections: Vec<_> = trees.iter().map(counts_as_json).collect();
        context.print_json(&json!({ "version": 1, "sections": sections }));
        return Ok(());
    }
    let sections = trees
        .iter()
        .map(|tree| {
            let mut entries: Vec<Entry> = Vec::new();
            let mut modules = tree.modules.iter().peekable();
            while let Some(first) = modules.next() {
                let mut count = 1;
                while modules.next_if(|next| next.name == first.name).is_some() {
                    count += 1;
                }
                entries.push(Entry {
                    name: first.name.clone(),
                    shown: None,
                    marks: vec![count.to_string()],
                    symbols: Vec::new(),
                });
            }
            Section {
                title: title(tree),
                entries,
            }
        })
        .collect();
    let avail = Avail {
        sections: merged(sections),
        ..Avail::default()
    };
    let text = view::avail::render(&avail, context.layout());
    context.print(&text);
    Ok(())
}

/// The trees with only those modules that the request is about.
fn chosen(context: &mut Context) -> Result<Vec<Tree>, Diagnostic> {
    let mut trees = context.engine.trees();
    if trees.is_empty() && !context.options.terse && !context.options.json {
        return Err(
            Diagnostic::new(Kind::Site, "there is no module path: `MODULEPATH` is empty")
                .help("module use DIRECTORY"),
        );
    }
    let filters = filters(context)?;
    let all = context.options.all || context.config.shows_hidden("avail");
    let only_default = context.options.default_only;
    for tree in &mut trees {
        tree.modules.retain(|entry| {
            (all || !entry.is_hidden())
                && (!only_default || entry.is_default || entry.is_alone)
                && (filters.is_empty() || filters.iter().any(|f| f.accepts(entry)))
        });
        if !filters.is_empty() {
            tree.aliases
                .retain(|(name, _)| filters.iter().any(|f| f.accepts_name(name)));
        }
    }
    let is_for_people = !context.options.terse && !context.options.json;
    if is_for_people && style(context) != "system" {
        relabel(context, &mut trees)?;
    }
    Ok(trees)
}

/// The style of the listing: the option, else what the setting marks, else its first.
fn style<'c>(context: &'c Context<'_>) -> &'c str {
    if let Some(style) = &context.options.style {
        return style;
    }
    let styles = || context.config.avail_styles.split(':');
    styles()
        .find_map(|s| s.strip_prefix('<')?.strip_suffix('>'))
        .or_else(|| styles().next())
        .unwrap_or("system")
}

/// Gives the sections the titles that the site's hook chooses.
fn relabel(context: &Context, trees: &mut [Tree]) -> Result<(), Diagnostic> {
    if !context.site.has_code() {
        return Ok(());
    }
    let labels = trees
        .iter()
        .map(|tree| (tree.modulepath.to_string(), title(tree)))
        .collect();
    let mut labels = context.site.avail_labels(labels)?;
    for tree in trees {
        tree.label = labels.remove(tree.modulepath.as_str());
    }
    Ok(())
}

/// Sections with the same title become one, in the place of the first.
fn merged(sections: Vec<Section>) -> Vec<Section> {
    let mut merged: Vec<Section> = Vec::new();
    for section in sections {
        match merged.iter_mut().find(|known| known.title == section.title) {
            Some(known) => {
                known.entries.extend(section.entries);
                known.entries.sort_by(|a, b| a.name.cmp(&b.name));
            }
            None => merged.push(section),
        }
    }
    merged
}

/// The patterns of the request. A specification with `@` is a pattern too: `avail gcc@12:`.
pub(super) fn filters(context: &Context) -> Result<Vec<Filter>, Diagnostic> {
    context
        .words
        .iter()
        .filter(|word| !word.is_empty())
        .map(|word| {
            if context.options.regexp && context.config.pattern_language == PatternLanguage::Lua {
                LuaPattern::new(word)
                    .map(Filter::LuaPattern)
                    .map_err(|reason| Diagnostic::new(Kind::Usage, reason))
            } else if context.options.regexp {
                regex::Regex::new(word)
                    .map(Filter::Pattern)
                    .map_err(|error| {
                        Diagnostic::new(
                            Kind::Usage,
                            format!("`{word}` is not a regular expression"),
                        )
                        .note(error.to_string())
                    })
            } else if word.contains('@') {
                let specs = context.specs(std::slice::from_ref(word))?;
                let order = context.config.version_order;
                Ok(Filter::Spec(
                    Box::new(specs.into_iter().next().expect("one word gives one")),
                    order,
                ))
            } else if context.config.search_match == SearchMatch::Begins {
                Ok(Filter::Begins {
                    text: word.clone(),
                    ignore_case: context.config.ignore_case != IgnoreCase::Never,
                })
            } else {
                Ok(Filter::Contains(word.clone()))
            }
        })
        .collect()
}

/// The words as texts to look for in descriptions.
pub(super) fn filters_of_text(context: &Context) -> Result<Vec<Filter>, Diagnostic> {
    if context.options.regexp {
        return filters(context);
    }
    Ok(context
        .words
        .iter()
        .cloned()
        .map(Filter::Contains)
        .collect())
}

fn title(tree: &Tree) -> String {
    tree.label
        .clone()
        .unwrap_or_else(|| tree.modulepath.to_string())
}

/// The listing for people.
fn listing(context: &Context, trees: &[Tree]) -> Avail {
    let loaded: HashSet<String> = context
        .engine
        .state()
        .loaded
        .active()
        .iter()
        .map(|module| module.file.to_string())
        .collect();
    let mut legend = Vec::new();
    let mut explain = |mark: &str, meaning: &str| {
        if !legend.iter().any(|(m, _)| m == mark) {
            legend.push((mark.to_owned(), meaning.to_owned()));
        }
    };
    let sections = trees
        .iter()
        .map(|tree| {
            let entries = tree.modules.iter().map(|module| {
                let mut marks = Vec::new();
                if module.is_hidden() {
                    marks.push("H".to_owned());
                    explain("H", "Hidden Module");
                }
                if module.forbidden.is_some() {
                    marks.push("F".to_owned());
                    explain("F", "Forbidden Module");
                } else if module.nearly_forbidden.is_some() {
                    marks.push("NF".to_owned());
                    explain("NF", "Nearly Forbidden Module");
                }
                if module.tags.iter().any(|t| t == "sticky") {
                    marks.push("S".to_owned());
                    explain("S", "Module is Sticky, requires --force to unload or purge");
                }
                if !module.warnings.is_empty() {
                    marks.push("W".to_owned());
                    explain("W", "Loading the module gives a warning");
                }
                if loaded.contains(module.file.as_str()) {
                    marks.push("L".to_owned());
                    explain("L", "Module is loaded");
                }
                if module.is_default && !module.is_alone {
                    marks.push("D".to_owned());
                    explain("D", "Default Module");
                }
                let symbols = module.symbols.iter().filter(|s| *s != "default");
                Entry {
                    name: module.full_name.clone(),
                    shown: None,
                    marks,
                    symbols: symbols.cloned().collect(),
                }
            });
            Section {
                title: title(tree),
                entries: entries.collect(),
            }
        })
        .collect();
    Avail {
        aliases: trees
            .iter()
            .flat_map(|tree| &tree.aliases)
            .map(|(name, target)| (name.clone(), Some(target.clone())))
            .collect(),
        sections: merged(sections),
        extensions: Vec::new(),
        legend,
    }
}

fn as_json(context: &Context, tree: &Tree) -> serde_json::Value {
    let modules: Vec<_> = tree
        .modules
        .iter()
        .map(|module| module_json(context, module))
        .collect();
    let aliases: Vec<_> = tree
        .aliases
        .iter()
        .map(|(name, target)| json!({ "name": name, "target": target }))
        .collect();
    json!({
        "modulepath": tree.modulepath.as_str(),
        "label": tree.label,
        "modules": modules,
        "aliases": aliases,
    })
}

fn counts_as_json(tree: &Tree) -> serde_json::Value {
    let mut names = serde_json::Map::new();
    for module in &tree.modules {
        let versions = names.entry(module.name.clone()).or_insert(json!(0));
        *versions = json!(versions.as_u64().unwrap_or(0) + 1);
    }
    json!({ "modulepath": tree.modulepath.as_str(), "label": tree.label, "versions": names })
}

fn module_json(context: &Context, module: &tree::Entry) -> serde_json::Value {
    let loaded = context.engine.state().loaded.active();
    json!({
        "name": module.name,
        "version": module.version(),
        "full_name": module.full_name,
        "file": module.file.as_str(),
        "default": module.is_default,
        "loaded": loaded.iter().any(|m| m.file == module.file),
        "hidden": module.is_hidden(),
        "forbidden": module.forbidden.is_some(),
        "symbols": module.symbols,
        "tags": module.tags,
        "warnings": module.warnings,
    })
}
