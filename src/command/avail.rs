//! `module avail` and `module overview`: what can be loaded now.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::mem::ManuallyDrop;

use serde_json::json;

use super::Context;
use crate::config::{IgnoreCase, ListingStyle, PatternLanguage, SearchMatch};
use crate::diag::{Diagnostic, Kind};
use crate::name::LuaPattern;
use crate::tree::{self, Crawl, Depth, Extra, Filter, Tree, Wanted};
use crate::view;
use crate::view::avail::{Avail, Entry, Section};

/// Lists the modules that can be loaded now.
pub(super) fn run(context: &mut Context) -> Result<(), Diagnostic> {
    if context.config.listing_style == ListingStyle::Modules {
        return super::modules::avail(context);
    }
    let terse = context.options.terse && !context.options.json;
    let depth = match terse && !context.options.terse_extensions {
        true => Depth::Names,
        false => Depth::Here,
    };
    // The process ends with the answer: taking this apart would only cost time.
    let chosen = ManuallyDrop::new(chosen(context, depth)?);
    if context.options.json {
        let sections: Vec<_> = (0..chosen.trees.len())
            .map(|number| as_json(context, &chosen, number))
            .collect();
        let extensions: Vec<_> = chosen.extensions.iter().collect();
        context.print_json(&json!({
            "version": 1,
            "sections": sections,
            "extensions": extensions,
        }));
        return Ok(());
    }
    let mut avail = listing(context, &chosen);
    let text = if context.options.terse {
        let with_names = context.words.is_empty() && !context.options.default_only;
        view::avail::terse(&avail, with_names, context.config.terse_decorations)
    } else {
        show_as_the_site_does(context, &mut avail)?;
        view::avail::render(&avail, context.layout())
    };
    drop(avail);
    context.report(text);
    Ok(())
}

/// Lets the site's hook say how each name is shown.
fn show_as_the_site_does(context: &Context, avail: &mut Avail<'_>) -> Result<(), Diagnostic> {
    if !context.site.has_code() {
        return Ok(());
    }
    let entries = avail.sections.iter_mut().flat_map(|s| &mut s.entries);
    for entry in entries {
        let name = entry.name.rsplit_once('/');
        let name = name.map_or(entry.name, |(name, _)| name);
        let shown = context.site.shown_name(entry.name, name)?;
        entry.shown = (shown != entry.name).then_some(shown);
    }
    Ok(())
}

/// How many versions each name has.
pub(super) fn overview(context: &mut Context) -> Result<(), Diagnostic> {
    let trees = chosen(context, Depth::Names)?.trees;
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
                while modules
                    .next_if(|next| next.name() == first.name())
                    .is_some()
                {
                    count += 1;
                }
                entries.push(Entry {
                    name: first.name(),
                    shown: None,
                    marks: vec![count.to_string().into()],
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

/// What a listing is made of.
struct Chosen {
    trees: Vec<Tree>,
    /// Properties and extensions, by tree and number.
    extras: Vec<HashMap<u32, Extra>>,
    /// The extensions that the request is about, each with the modules that bring it along.
    extensions: BTreeMap<String, Vec<String>>,
}

/// The trees with only those modules that the request is about.
fn chosen(context: &mut Context, depth: Depth) -> Result<Chosen, Diagnostic> {
    let filters = filters(context)?;
    let (config, words) = (context.config, context.words);
    let by_path = |modulepath: &str| {
        config.avail_matches_modulepaths
            && words
                .iter()
                .any(|w| !w.is_empty() && modulepath.contains(w.as_str()))
    };
    let modulepaths = context.engine.state().modulepath();
    let any_by_path = modulepaths.iter().any(|path| by_path(path.as_str()));
    let wanted = match filters.is_empty() || any_by_path {
        true => Wanted::All,
        false => Wanted::Accepted(&filters),
    };
    let mut crawl = context.engine.crawl(wanted, depth);
    if crawl.trees.is_empty() && !context.options.terse && !context.options.json {
        return Err(
            Diagnostic::new(Kind::Site, "there is no module path: `MODULEPATH` is empty")
                .known_as("e_Avail_No_MPATH", &[("name", "avail")])
                .help("module use DIRECTORY"),
        );
    }
    let all = context.options.all || context.config.shows_hidden("avail");
    let only_default = context.options.default_only;
    let mut extras = Vec::new();
    let mut extensions = BTreeMap::new();
    if depth != Depth::Names {
        extras = (0..crawl.trees.len())
            .map(|tree| crawl.extras(tree))
            .collect();
        if !context.options.no_extensions && context.config.avail_extensions {
            extensions = provided(context, &crawl, &extras, &filters, all);
        }
    }
    for tree in &mut crawl.trees {
        let whole = filters.is_empty() || by_path(tree.modulepath.as_str());
        tree.modules.retain(|entry| {
            (all || !entry.is_hidden())
                && (!only_default || entry.is_default || entry.is_alone)
                && (whole || filters.iter().any(|f| f.accepts(entry)))
        });
        if context.config.sort_ignores_case {
            // Versions of a name stay in their order.
            tree.modules
                .sort_by_cached_key(|entry| entry.name().to_lowercase());
        }
        if !whole {
            tree.aliases
                .retain(|(name, _)| filters.iter().any(|f| f.accepts_name(name)));
        }
    }
    let is_for_people = !context.options.terse && !context.options.json;
    if is_for_people && style(context) != "system" {
        relabel(context, &mut crawl.trees)?;
    }
    Ok(Chosen {
        trees: crawl.trees,
        extras,
        extensions,
    })
}

/// The extensions that the request is about: names that the filters accept, of modules that are shown.
fn provided(
    context: &mut Context,
    crawl: &Crawl,
    extras: &[HashMap<u32, Extra>],
    filters: &[Filter],
    all: bool,
) -> BTreeMap<String, Vec<String>> {
    let name = |extension: &str| extension.split('/').next().unwrap_or(extension).to_owned();
    let mut found: Vec<(usize, u32, String)> = Vec::new();
    for (tree, extras) in extras.iter().enumerate() {
        for extra in extras.values() {
            let names = extra.extensions.iter().map(|extension| name(extension));
            let accepted = names.filter(|name| {
                filters.is_empty() || filters.iter().any(|filter| filter.accepts_name(name))
            });
            found.extend(accepted.map(|name| (tree, extra.number, name)));
        }
    }
    if found.is_empty() {
        return BTreeMap::new();
    }
    // The modules themselves need not be among those that are listed.
    let everything;
    let trees = match filters.is_empty() {
        true => &crawl.trees,
        false => {
            everything = context.engine.crawl(Wanted::All, Depth::Names);
            &everything.trees
        }
    };
    let shown: HashMap<(usize, u32), &str> = (trees.iter().flat_map(|tree| &tree.modules))
        .filter(|entry| all || !entry.is_hidden())
        .map(|entry| ((entry.tree, entry.number), entry.full_name.as_str()))
        .collect();
    let mut extensions: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (tree, number, name) in found {
        if let Some(full_name) = shown.get(&(tree, number)) {
            extensions
                .entry(name)
                .or_default()
                .push((*full_name).to_owned());
        }
    }
    for modules in extensions.values_mut() {
        modules.sort();
        modules.dedup();
    }
    extensions
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
fn merged(sections: Vec<Section<'_>>) -> Vec<Section<'_>> {
    let mut merged: Vec<Section<'_>> = Vec::new();
    for section in sections {
        match merged.iter_mut().find(|known| known.title == section.title) {
            Some(known) => {
                known.entries.extend(section.entries);
                known.entries.sort_by(|a, b| a.name.cmp(b.name));
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
fn listing<'c>(context: &Context, chosen: &'c Chosen) -> Avail<'c> {
    let trees = &chosen.trees;
    let loaded = context.engine.state().loaded.active();
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
                let mut marks: Vec<Cow<'c, str>> = Vec::new();
                if module.is_hidden() {
                    marks.push("H".into());
                    explain("H", "Hidden Module");
                }
                let verdict = module.verdict();
                if verdict.forbidden.is_some() {
                    marks.push("F".into());
                    explain("F", "Forbidden Module");
                } else if verdict.nearly_forbidden.is_some() {
                    marks.push("NF".into());
                    explain("NF", "Nearly Forbidden Module");
                }
                let extra = chosen.extra(module);
                let properties = extra.map_or(&[][..], |extra| &extra.properties);
                let mut meanings = Vec::new();
                let by_property = context.property_marks(properties, &verdict.tags, &mut meanings);
                marks.extend(by_property.into_iter().map(Cow::Owned));
                for (mark, meaning) in &meanings {
                    explain(mark, meaning);
                }
                if !verdict.warnings.is_empty() {
                    marks.push("W".into());
                    explain("W", "Loading the module gives a warning");
                }
                if loaded.iter().any(|loaded| module.is_file(&loaded.file)) {
                    marks.push("L".into());
                    explain("L", "Module is loaded");
                }
                if module.is_default && !module.is_alone {
                    marks.push("D".into());
                    explain("D", "Default Module");
                }
                let symbols = module.symbols.iter().filter(|s| *s != "default");
                Entry {
                    name: &module.full_name,
                    shown: None,
                    marks,
                    symbols: symbols.map(String::as_str).collect(),
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
        extensions: chosen.extensions.keys().cloned().collect(),
        legend,
    }
}

impl Chosen {
    /// Properties and extensions of a module.
    fn extra(&self, module: &tree::Entry) -> Option<&Extra> {
        self.extras.get(module.tree)?.get(&module.number)
    }
}

fn as_json(context: &Context, chosen: &Chosen, number: usize) -> serde_json::Value {
    let tree = &chosen.trees[number];
    let modules: Vec<_> = tree
        .modules
        .iter()
        .map(|module| module_json(context, chosen, module))
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
        let versions = names.entry(module.name().to_owned()).or_insert(json!(0));
        *versions = json!(versions.as_u64().unwrap_or(0) + 1);
    }
    json!({ "modulepath": tree.modulepath.as_str(), "label": tree.label, "versions": names })
}

fn module_json(context: &Context, chosen: &Chosen, module: &tree::Entry) -> serde_json::Value {
    let extra = chosen.extra(module);
    let loaded = context.engine.state().loaded.active();
    json!({
        "name": module.name(),
        "version": module.version(),
        "full_name": module.full_name,
        "file": module.file().as_str(),
        "default": module.is_default,
        "loaded": loaded.iter().any(|m| module.is_file(&m.file)),
        "hidden": module.is_hidden(),
        "forbidden": module.verdict().forbidden.is_some(),
        "symbols": module.symbols,
        "tags": module.verdict().tags,
        "warnings": module.verdict().warnings,
        "properties": extra.map(|extra| &extra.properties),
        "extensions": extra.map(|extra| &extra.extensions),
    })
}
