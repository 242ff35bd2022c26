//! `module avail` in the style of Environment Modules.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use serde_json::json;

use super::{Context, modified};
use crate::config::{IgnoreCase, SearchMatch};
use crate::diag::{Diagnostic, Kind};
use crate::name::{Spec, VersionOrder, Versions};
use crate::tree::{AliasKind, Entry, Tree};
use crate::view::modules::{self as view, Element, Section};

/// What the request asks for.
struct Query {
    patterns: Vec<Pattern>,
    /// Tags that must (`true`) or must not be there.
    tags: Vec<(Vec<String>, bool)>,
    in_depth: bool,
}

/// One word of the request.
enum Pattern {
    /// The beginning, or any part, of a name.
    Text {
        text: String,
        anywhere: bool,
        ignore_case: bool,
    },
    /// A specification with a range.
    Spec(Box<Spec>, VersionOrder),
}

/// What an element is, for JSON.
enum Thing {
    Module { file: String },
    Alias { target: String },
    Directory,
}

/// An element on its way to a listing.
struct Row {
    name: String,
    thing: Thing,
    symbols: Vec<String>,
    tags: Vec<String>,
}

/// Lists the modules that can be loaded now.
pub(crate) fn avail(context: &mut Context) -> Result<(), Diagnostic> {
    let trees = context.engine.trees();
    if trees.is_empty() {
        return Err(
            Diagnostic::new(Kind::Site, "no module path defined").help("module use DIRECTORY")
        );
    }
    let query = query(context)?;
    let mut sections: Vec<(String, Vec<Row>)> = Vec::new();
    let global = global_rows(&trees, &query);
    if !global.is_empty() {
        sections.push(("global/user modulerc".to_owned(), global));
    }
    for tree in &trees {
        let title = tree
            .label
            .clone()
            .unwrap_or_else(|| tree.modulepath.to_string());
        sections.push((title, rows(context, tree, &query)));
    }
    let output = elements(context);
    if !output.iter().any(|element| element == "modulepath") {
        sections = vec![(String::new(), merged(sections))];
    }
    let order = VersionOrder::Dictionary;
    for (_, rows) in &mut sections {
        rows.sort_by(|a, b| order.compare(&a.name, &b.name));
    }
    if context.options.json {
        let sections: Vec<(String, Vec<(String, String)>)> = sections
            .iter()
            .map(|(title, rows)| (title.clone(), rows.iter().map(as_json).collect()))
            .collect();
        context.print(&view::json_sections(&sections));
        return Ok(());
    }
    let long = context.options.long;
    let sections: Vec<Section> = sections
        .into_iter()
        .map(|(title, rows)| Section {
            title,
            elements: rows
                .into_iter()
                .map(|row| element(row, &output, long))
                .collect(),
        })
        .collect();
    let short = context.abbreviations();
    let text = if long {
        view::long(&sections)
    } else if context.options.terse {
        view::terse(&sections, &short)
    } else {
        view::sections(&sections, &short, context.layout().width)
    };
    context.print(&text);
    Ok(())
}

/// What is to be shown: the option, amended or not, else the setting.
fn elements(context: &Context) -> Vec<String> {
    let setting = if context.options.terse {
        &context.config.avail_terse_output
    } else {
        &context.config.avail_output
    };
    let list = |text: &str| -> Vec<String> { text.split(':').map(str::to_owned).collect() };
    match context.options.output.as_deref() {
        None => list(setting),
        Some(text) => match (text.strip_prefix('+'), text.strip_prefix('-')) {
            (Some(more), _) => [list(setting), list(more)].concat(),
            (_, Some(less)) => {
                let less = list(less);
                let known = list(setting);
                known.into_iter().filter(|e| !less.contains(e)).collect()
            }
            (None, None) => list(text),
        },
    }
}

fn query(context: &Context) -> Result<Query, Diagnostic> {
    let options = context.options;
    let config = context.config;
    let mut patterns = Vec::new();
    let mut tags = Vec::new();
    for word in context.words.iter().filter(|word| !word.is_empty()) {
        if let Some((names, wanted)) = tag_query(word) {
            tags.push((names, wanted));
        } else if word.contains('@') && config.advanced_version_spec {
            let spec = context.specs(std::slice::from_ref(word))?.remove(0);
            if spec.versions == Versions::AsWritten {
                patterns.push(text_pattern(context, &spec.path));
            } else {
                patterns.push(Pattern::Spec(Box::new(spec), config.version_order));
            }
        } else {
            patterns.push(text_pattern(context, word));
        }
    }
    Ok(Query {
        patterns,
        tags,
        in_depth: options.in_depth.unwrap_or(config.avail_in_depth),
    })
}

fn text_pattern(context: &Context, text: &str) -> Pattern {
    Pattern::Text {
        text: text.to_owned(),
        anywhere: match context.options.search_begins {
            Some(begins) => !begins,
            None => context.config.search_match == SearchMatch::Contains,
        },
        ignore_case: context.config.ignore_case != IgnoreCase::Never,
    }
}

/// `tag:a,b` and `not:tag:a,b`.
fn tag_query(word: &str) -> Option<(Vec<String>, bool)> {
    let (word, wanted) = match word.strip_prefix("not:") {
        Some(rest) => (rest, false),
        None => (word, true),
    };
    let names = word.strip_prefix("tag:")?;
    Some((names.split(',').map(str::to_owned).collect(), wanted))
}

impl Pattern {
    /// How many parts of a name it speaks about.
    fn depth(&self) -> usize {
        match self {
            Pattern::Text { text, .. } => text.matches('/').count() + 1,
            Pattern::Spec(spec, _) => spec.path.matches('/').count() + 2,
        }
    }

    fn accepts(&self, name: &str) -> bool {
        match self {
            Pattern::Spec(spec, order) => {
                let version = name
                    .strip_prefix(&spec.path)
                    .and_then(|r| r.strip_prefix('/'));
                version.is_some_and(|version| spec.versions.accepts(version, *order))
            }
            Pattern::Text {
                text,
                anywhere,
                ignore_case,
            } => {
                let fold = |s: &str| {
                    if *ignore_case {
                        s.to_lowercase()
                    } else {
                        s.to_owned()
                    }
                };
                let (text, name) = (fold(text), fold(name));
                if *anywhere {
                    return glob(&format!("*{text}*"), &name);
                }
                // A prefix speaks about the parts of the name that it has itself.
                let parts = text.matches('/').count() + 1;
                let head = name.match_indices('/').nth(parts - 1);
                let head = head.map_or(name.as_str(), |(at, _)| &name[..at]);
                glob(&format!("{text}*"), head)
            }
        }
    }
}

impl Query {
    fn accepts_name(&self, name: &str) -> bool {
        self.patterns.is_empty() || self.patterns.iter().any(|p| p.accepts(name))
    }

    fn accepts_tags(&self, tags: &[String]) -> bool {
        self.tags
            .iter()
            .all(|(names, wanted)| tags.iter().any(|tag| names.contains(tag)) == *wanted)
    }

    /// How deep names are shown where the content of directories is not.
    fn depth(&self) -> usize {
        self.patterns.iter().map(Pattern::depth).max().unwrap_or(1)
    }
}

/// `*` and `?` against a whole text.
fn glob(pattern: &str, text: &str) -> bool {
    let (pattern, text): (Vec<char>, Vec<char>) =
        (pattern.chars().collect(), text.chars().collect());
    let (mut p, mut t) = (0, 0);
    let mut retry = None;
    while t < text.len() {
        match pattern.get(p) {
            Some('*') => {
                retry = Some((p + 1, t));
                p += 1;
            }
            Some(c) if *c == '?' || *c == text[t] => {
                p += 1;
                t += 1;
            }
            _ => match retry {
                Some((star, from)) => {
                    p = star;
                    t = from + 1;
                    retry = Some((star, t));
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|c| *c == '*')
}

/// The aliases that belong to no modulepath.
fn global_rows(trees: &[Tree], query: &Query) -> Vec<Row> {
    let mut rows: Vec<Row> = Vec::new();
    for name in trees.iter().flat_map(|tree| &tree.names) {
        if name.is_global
            && name.kind == AliasKind::Alias
            && query.tags.is_empty()
            && query.accepts_name(&name.name)
            && !rows.iter().any(|row| row.name == name.name)
        {
            rows.push(alias_row(&name.name, &name.target));
        }
    }
    rows
}

fn alias_row(name: &str, target: &str) -> Row {
    Row {
        name: name.to_owned(),
        thing: Thing::Alias {
            target: target.to_owned(),
        },
        symbols: Vec::new(),
        tags: Vec::new(),
    }
}

/// What a modulepath holds of what is asked for.
fn rows(context: &Context, tree: &Tree, query: &Query) -> Vec<Row> {
    let show_all = context.options.all || context.config.shows_hidden("avail");
    let asked: Vec<&str> = query
        .patterns
        .iter()
        .filter_map(|pattern| match pattern {
            Pattern::Text { text, .. } => Some(text.as_str()),
            Pattern::Spec(..) => None,
        })
        .collect();
    let shown = |entry: &Entry| {
        // What is hidden is shown to those who name it.
        let named = || asked.iter().any(|text| *text == entry.full_name);
        show_all || !entry.is_hidden() || named()
    };
    let mut symbols: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for name in tree.names.iter().filter(|n| n.kind == AliasKind::Symbol) {
        let symbol = name.name.rsplit('/').next().unwrap_or_default().to_owned();
        let known = symbols.entry(&name.target).or_default();
        if !known.contains(&symbol) {
            known.push(symbol);
        }
    }
    for known in symbols.values_mut() {
        known.sort_by(|a, b| VersionOrder::Dictionary.compare(a, b));
    }
    let entries: Vec<&Entry> = tree.modules.iter().filter(|entry| shown(entry)).collect();
    let entries = match (context.options.default_only, context.options.latest) {
        (false, false) => entries,
        (_, latest) => firsts(&entries, latest, context.config.version_order),
    };
    let mut rows: Vec<Row> = entries
        .into_iter()
        .filter(|entry| query.accepts_name(&entry.full_name))
        .map(|entry| Row {
            name: entry.full_name.clone(),
            thing: Thing::Module {
                file: entry.file.to_string(),
            },
            symbols: symbols
                .get(entry.full_name.as_str())
                .cloned()
                .unwrap_or_default(),
            tags: tags(context, entry),
        })
        .collect();
    rows.retain(|row| query.accepts_tags(&row.tags));
    if query.tags.is_empty() {
        let own = tree
            .names
            .iter()
            .filter(|n| n.kind == AliasKind::Alias && !n.is_global);
        let own = own.filter(|name| query.accepts_name(&name.name));
        rows.extend(own.map(|name| alias_row(&name.name, &name.target)));
        // Those who ask for one module of each directory know the directories.
        if !context.options.default_only && !context.options.latest {
            add_directories(&mut rows, &symbols, query);
        }
    }
    rows
}

/// Directories stand in a listing where they have a symbolic version, and for what lies below the depth that is shown.
fn add_directories(rows: &mut Vec<Row>, symbols: &BTreeMap<&str, Vec<String>>, query: &Query) {
    let mut dirs: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for row in rows
        .iter()
        .filter(|row| matches!(row.thing, Thing::Module { .. }))
    {
        for (index, (at, _)) in row.name.match_indices('/').enumerate() {
            let dir = &row.name[..at];
            let own = symbols.get(dir).cloned().unwrap_or_default();
            if !query.in_depth && index + 1 == query.depth() || query.in_depth && !own.is_empty() {
                dirs.insert(dir.to_owned(), own);
            }
        }
    }
    if !query.in_depth {
        let depth = query.depth();
        rows.retain(|row| row.name.split('/').count() <= depth);
    }
    rows.extend(dirs.into_iter().map(|(dir, symbols)| Row {
        name: format!("{dir}/"),
        thing: Thing::Directory,
        symbols,
        tags: Vec::new(),
    }));
}

/// The default, or the highest, of each directory that holds modulefiles.
fn firsts<'e>(entries: &[&'e Entry], latest: bool, order: VersionOrder) -> Vec<&'e Entry> {
    let parent = |entry: &Entry| {
        entry
            .full_name
            .rsplit_once('/')
            .map(|(dir, _)| dir.to_owned())
    };
    // The highest name right below a directory, a directory or a file.
    let mut highest: BTreeMap<String, &str> = BTreeMap::new();
    let mut marked: BTreeMap<String, &str> = BTreeMap::new();
    for entry in entries {
        for (at, _) in entry.full_name.match_indices('/') {
            let (dir, rest) = (&entry.full_name[..at], &entry.full_name[at + 1..]);
            let child = rest.split('/').next().unwrap_or_default();
            let known = highest.entry(dir.to_owned()).or_insert(child);
            if order.compare(child, known) == Ordering::Greater {
                *known = child;
            }
        }
        if let (true, Some(dir)) = (entry.is_marked, parent(entry)) {
            let child = entry.full_name.rsplit('/').next().unwrap_or_default();
            marked.insert(dir, child);
        }
    }
    let keeps = |entry: &&&Entry| match parent(entry) {
        None => true,
        Some(dir) => {
            let child = entry.full_name.rsplit('/').next().unwrap_or_default();
            let first = match marked.get(&dir) {
                Some(child) if !latest => Some(child),
                _ => highest.get(&dir),
            };
            first.is_some_and(|first| *first == child)
        }
    };
    entries.iter().filter(keeps).copied().collect()
}

/// The tags of a module that is listed.
fn tags(context: &Context, entry: &Entry) -> Vec<String> {
    let loaded = context.engine.state().loaded.active();
    let mut tags = entry.tags.clone();
    let mut add = |tag: &str| tags.push(tag.to_owned());
    if let Some(module) = loaded.iter().find(|m| m.file == entry.file) {
        add(if module.auto { "auto-loaded" } else { "loaded" });
    }
    if entry.forbidden.is_some() {
        add("forbidden");
    } else if entry.nearly_forbidden.is_some() {
        add("nearly-forbidden");
    }
    if entry.is_hidden() {
        add("hidden");
    }
    if !entry.warnings.is_empty() {
        add("warning");
    }
    tags.sort();
    tags.dedup();
    tags
}

/// All rows as one list; of several with one name the first.
fn merged(sections: Vec<(String, Vec<Row>)>) -> Vec<Row> {
    let mut rows: Vec<Row> = Vec::new();
    for row in sections.into_iter().flat_map(|(_, rows)| rows) {
        if !rows.iter().any(|known| known.name == row.name) {
            rows.push(row);
        }
    }
    rows
}

fn element(row: Row, output: &[String], long: bool) -> Element {
    let shows = |what: &str| output.iter().any(|element| element == what);
    let modified = match &row.thing {
        Thing::Module { file } if long => modified(file.as_str().into()),
        _ => String::new(),
    };
    Element {
        name: row.name,
        target: match row.thing {
            Thing::Alias { target } => Some(target),
            Thing::Module { .. } | Thing::Directory => None,
        },
        symbols: if long || shows("sym") {
            row.symbols
        } else {
            Vec::new()
        },
        tags: if !long && shows("tag") {
            row.tags
        } else {
            Vec::new()
        },
        variants: Vec::new(),
        modified,
    }
}

fn as_json(row: &Row) -> (String, String) {
    let name = row.name.trim_end_matches('/');
    let mut fields = vec![("name", json!(name))];
    match &row.thing {
        Thing::Module { file } => fields.extend([
            ("type", json!("modulefile")),
            ("symbols", json!(row.symbols)),
            ("tags", json!(row.tags)),
            ("pathname", json!(file)),
        ]),
        Thing::Alias { target } => fields.extend([
            ("type", json!("alias")),
            ("symbols", json!(row.symbols)),
            ("tags", json!(row.tags)),
            ("target", json!(target)),
        ]),
        Thing::Directory => fields.extend([
            ("type", json!("directory")),
            ("symbols", json!(row.symbols)),
        ]),
    }
    fields.push(("via", json!([])));
    (name.to_owned(), view::json_row(&fields))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_speaks_about_as_many_parts_as_it_has() {
        let accepts = |text: &str, name: &str, anywhere| {
            let pattern = Pattern::Text {
                text: text.into(),
                anywhere,
                ignore_case: true,
            };
            pattern.accepts(name)
        };
        assert!(accepts("gc", "gcc/12.3", false));
        assert!(accepts("GCC/1", "gcc/12.3", false));
        assert!(!accepts("gcc/2", "gcc/12.3", false));
        assert!(!accepts("1.1", "x/1.10", false));
        assert!(accepts("1.1", "x/1.10", true));
        assert!(accepts("*/12", "gcc/12.3", false));
        assert!(!accepts("g*3", "gcc/12.3", false));
        assert!(accepts("deep/", "deep/a/1", false));
    }
}
