//! `module avail` in the style of Environment Modules.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use serde_json::json;

use super::extra::{Extras, shown_variant};
use super::{Context, modified};
use crate::diag::{Diagnostic, Kind};
use crate::modulefile::Variant;
use crate::name::{Spec, VersionOrder, Versions};
use crate::tree::{AliasKind, Depth, Entry, Tree, Wanted};
use crate::view::modules::{self as view, Element, Section};

/// What the request asks for.
struct Query {
    patterns: Vec<Pattern>,
    extras: Extras,
    in_depth: bool,
}

/// The elements that a listing can be made of.
pub(super) const ELEMENTS: &[&str] = &[
    "modulepath",
    "alias",
    "provided-alias",
    "dirwsym",
    "indesym",
    "sym",
    "tag",
    "key",
    "hidden",
    "variant",
    "variantifspec",
    "via",
];

/// Which of two listings it is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Listing {
    /// What can be loaded now.
    Avail,
    /// What can be reached.
    Spider,
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
    variants: Vec<Variant>,
}

/// The rows of one modulepath.
struct Block {
    title: String,
    /// The modules that open it, first to last.
    via: Vec<String>,
    rows: Vec<Row>,
}

/// Lists the modules that can be loaded now.
pub(crate) fn avail(context: &mut Context) -> Result<(), Diagnostic> {
    let trees = context.engine.trees();
    let trees = trees.into_iter().map(|tree| (tree, Vec::new())).collect();
    list_trees(context, trees, Listing::Avail)
}

/// Lists the modules of all modulepaths that can be reached by loading others.
pub(crate) fn spider(context: &mut Context) -> Result<(), Diagnostic> {
    let mut crawl = context.engine.crawl(Wanted::All, Depth::All);
    let trees = std::mem::take(&mut crawl.trees);
    let with_way = trees.into_iter().map(|tree| {
        let way = crawl.ways(&tree.modulepath).into_iter().next();
        (tree, way.unwrap_or_default())
    });
    let trees = with_way.collect();
    list_trees(context, trees, Listing::Spider)
}

fn list_trees(
    context: &mut Context,
    trees: Vec<(Tree, Vec<String>)>,
    listing: Listing,
) -> Result<(), Diagnostic> {
    if trees.is_empty() {
        return Err(
            Diagnostic::new(Kind::Site, "no module path defined").help("module use DIRECTORY")
        );
    }
    let output = elements(context, listing)?;
    let shows = |what: &str| output.iter().any(|element| element == what);
    let mut query = query(context, listing)?;
    if shows("variant") || shows("variantifspec") && query.extras.ask_variants() {
        query.extras.show();
    }
    if shows("provided-alias") {
        query.extras.show();
    }
    let mut blocks: Vec<Block> = Vec::new();
    if shows("alias") {
        let rows = global_rows(&trees, &query);
        blocks.push(Block {
            title: "global/user modulerc".to_owned(),
            via: Vec::new(),
            rows,
        });
    }
    for (tree, via) in trees {
        let title = tree
            .label
            .clone()
            .unwrap_or_else(|| tree.modulepath.to_string());
        let rows = rows(context, &tree, &query, &output);
        blocks.push(Block { title, via, rows });
    }
    if !shows("modulepath") {
        blocks = vec![Block {
            title: String::new(),
            via: Vec::new(),
            rows: merged(blocks),
        }];
    }
    let order = VersionOrder::Dictionary;
    for block in &mut blocks {
        (block.rows).sort_by(|a, b| order.compare(&a.name, &b.name));
    }
    if context.options.json {
        let sections: Vec<(String, Vec<(String, String)>)> = (blocks.iter())
            .map(|block| {
                let rows = block.rows.iter().map(|row| as_json(row, &block.via));
                (block.title.clone(), rows.collect())
            })
            .collect();
        context.print(&view::json_sections(&sections));
        return Ok(());
    }
    let long = context.options.long;
    let shortcuts = context.config.spec_rules().shortcuts;
    let asks_variants = query.extras.ask_variants();
    let shows_variants = shows("variant") || shows("variantifspec") && asks_variants;
    let sections: Vec<Section> = blocks
        .into_iter()
        .map(|block| {
            let elements = block.rows.into_iter().map(|mut row| {
                if !shows_variants || long {
                    row.variants.clear();
                }
                element(row, &output, long, &shortcuts)
            });
            let elements = elements.collect();
            let title = match shows("via") && !block.via.is_empty() && !context.options.terse {
                true => format!("{} (via {})", block.title, block.via.join(" > ")),
                false => block.title,
            };
            Section { title, elements }
        })
        .collect();
    let short = context.abbreviations();
    let text = if long {
        view::long(&sections)
    } else if context.options.terse {
        view::terse(&sections, &short)
    } else {
        let width = context.layout().width;
        view::sections(&sections, &short, width, shows("key"))
    };
    context.print(&text);
    Ok(())
}

/// What is to be shown: the option, amended or not, else the setting.
fn elements(context: &Context, listing: Listing) -> Result<Vec<String>, Diagnostic> {
    let (config, terse) = (context.config, context.options.terse);
    let (setting, subcommand) = match (listing, terse) {
        (Listing::Avail, false) => (&config.avail_output, "avail"),
        (Listing::Avail, true) => (&config.avail_terse_output, "avail"),
        (Listing::Spider, false) => (&config.spider_output, "spider"),
        (Listing::Spider, true) => (&config.spider_terse_output, "spider"),
    };
    context.output_elements(setting, ELEMENTS, subcommand)
}

fn query(context: &Context, listing: Listing) -> Result<Query, Diagnostic> {
    let (options, config) = (context.options, context.config);
    let (mut extras, words) = Extras::take(context.words)?;
    let mut patterns = Vec::new();
    let is_spec = |word: &String| word.contains(['@', '=', '+', '~']) || word.starts_with('-');
    let special = words.iter().any(is_spec) && config.advanced_version_spec;
    let words: Vec<String> = words.into_iter().filter(|word| !word.is_empty()).collect();
    if special {
        for spec in Spec::parse_all(&words, &config.spec_rules())
            .map_err(|error| Diagnostic::new(Kind::Usage, error.to_string()))?
        {
            extras.add_variants(&spec.variants);
            if spec.versions == Versions::AsWritten {
                // A slash at the end speaks about what lies below.
                let slash = if spec.text.ends_with('/') { "/" } else { "" };
                patterns.push(text_pattern(context, &format!("{}{slash}", spec.path)));
            } else {
                patterns.push(Pattern::Spec(Box::new(spec), config.version_order));
            }
        }
    } else {
        patterns.extend(words.iter().map(|word| text_pattern(context, word)));
    }
    let in_depth = match listing {
        Listing::Avail => config.avail_in_depth,
        Listing::Spider => config.spider_in_depth,
    };
    Ok(Query {
        patterns,
        extras,
        in_depth: options.in_depth.unwrap_or(in_depth),
    })
}

fn text_pattern(context: &Context, text: &str) -> Pattern {
    Pattern::Text {
        text: text.to_owned(),
        anywhere: context.searches_anywhere(),
        ignore_case: context.ignores_case(),
    }
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

    /// How deep names are shown where the content of directories is not.
    fn depth(&self) -> usize {
        self.patterns.iter().map(Pattern::depth).max().unwrap_or(1)
    }
}

/// `*` and `?` against a whole text.
pub(super) fn glob(pattern: &str, text: &str) -> bool {
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
fn global_rows(trees: &[(Tree, Vec<String>)], query: &Query) -> Vec<Row> {
    let mut rows: Vec<Row> = Vec::new();
    for name in trees.iter().flat_map(|(tree, _)| &tree.names) {
        if name.is_global
            && name.kind == AliasKind::Alias
            && !query.extras.any()
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
        variants: Vec::new(),
    }
}

/// What a modulepath holds of what is asked for.
fn rows(context: &mut Context, tree: &Tree, query: &Query, output: &[String]) -> Vec<Row> {
    let shows = |what: &str| output.iter().any(|element| element == what);
    let show_all = context.options.all || shows("hidden") || context.config.shows_hidden("avail");
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
    let entries = entries
        .into_iter()
        .filter(|entry| query.accepts_name(&entry.full_name));
    let mut rows: Vec<Row> = Vec::new();
    let mut provided: Vec<Row> = Vec::new();
    for entry in entries {
        let tags = tags(context, entry);
        let Some(said) = query.extras.judge(context, entry, &tags) else {
            continue;
        };
        if shows("provided-alias") {
            let names = said.provided();
            provided.extend(names.map(|name| alias_row(name, &entry.full_name)));
        }
        rows.push(Row {
            name: entry.full_name.clone(),
            thing: Thing::Module {
                file: entry.file().into_string(),
            },
            symbols: symbols
                .get(entry.full_name.as_str())
                .cloned()
                .unwrap_or_default(),
            tags,
            variants: said.variants,
        });
    }
    if !query.extras.any() {
        let mut kinds = Vec::new();
        if shows("alias") {
            kinds.push(AliasKind::Alias);
        }
        if shows("indesym") {
            kinds.push(AliasKind::Symbol);
        }
        let own = tree.names.iter();
        let own = own.filter(|n| kinds.contains(&n.kind) && !n.is_global);
        let own = own.filter(|name| query.accepts_name(&name.name));
        rows.extend(own.map(|name| alias_row(&name.name, &name.target)));
        // Those who ask for one module of each directory know the directories.
        if !context.options.default_only && !context.options.latest && shows("dirwsym") {
            add_directories(&mut rows, &symbols, query);
        } else if !query.in_depth {
            let none = BTreeMap::new();
            add_directories(&mut rows, &none, query);
        }
        for row in provided {
            if !rows.iter().any(|known| known.name == row.name) {
                rows.push(row);
            }
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
        variants: Vec::new(),
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
    let mut tags = entry.verdict().tags.clone();
    let mut add = |tag: &str| tags.push(tag.to_owned());
    if let Some(module) = loaded.iter().find(|m| entry.is_file(&m.file)) {
        add(if module.auto { "auto-loaded" } else { "loaded" });
    }
    if entry.verdict().forbidden.is_some() {
        add("forbidden");
    } else if entry.verdict().nearly_forbidden.is_some() {
        add("nearly-forbidden");
    }
    if entry.is_hidden() {
        add("hidden");
    }
    if !entry.verdict().warnings.is_empty() {
        add("warning");
    }
    tags.sort();
    tags.dedup();
    tags
}

/// All rows as one list; of several with one name the first.
fn merged(blocks: Vec<Block>) -> Vec<Row> {
    let mut rows: Vec<Row> = Vec::new();
    for row in blocks.into_iter().flat_map(|block| block.rows) {
        if !rows.iter().any(|known| known.name == row.name) {
            rows.push(row);
        }
    }
    rows
}

fn element(row: Row, output: &[String], long: bool, shortcuts: &[(char, String)]) -> Element {
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
        symbols: if long || shows("sym") && !shows("indesym") {
            row.symbols
        } else {
            Vec::new()
        },
        tags: if !long && shows("tag") {
            row.tags
        } else {
            Vec::new()
        },
        variants: (row.variants.iter())
            .map(|variant| shown_variant(variant, shortcuts))
            .collect(),
        modified,
    }
}

fn as_json(row: &Row, via: &[String]) -> (String, String) {
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
    fields.push(("via", json!(via)));
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
