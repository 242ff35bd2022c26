//! `module spider`, `keyword` and `category`: all modules of all hierarchies.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::mem::ManuallyDrop;

use serde_json::json;

use super::{Answer, Context};
use crate::config::ListingStyle;
use crate::diag::{Diagnostic, Kind};
use crate::tree::{About, Crawl, Depth, Entry, Filter, Tree, Wanted, Way};
use crate::view;
use crate::view::spider::{Detail, Package};

/// A module with what is known of it.
pub(super) struct Seen<'c> {
    pub(super) tree: &'c Tree,
    pub(super) entry: &'c Entry,
    crawl: &'c Crawl,
}

impl<'c> Seen<'c> {
    /// What it is about; a cache is asked only now.
    pub(super) fn about(&self) -> &'c About {
        self.crawl.about(self.entry)
    }

    /// What it is, in one line.
    pub(super) fn description(&self) -> String {
        self.crawl.description(self.entry)
    }
}

/// Every module that listings may show, lowest version first within a name.
pub(super) fn seen<'c>(context: &Context, crawl: &'c Crawl) -> Vec<Seen<'c>> {
    let all = context.options.all || context.config.shows_hidden("spider");
    let mut modules: Vec<Seen> = crawl
        .trees
        .iter()
        .flat_map(|tree| tree.modules.iter().map(move |entry| (tree, entry)))
        .filter(|(_, entry)| all || !entry.is_hidden())
        .map(|(tree, entry)| Seen { tree, entry, crawl })
        .collect();
    // Within a tree they are in order, and stay so.
    modules.sort_by(|a, b| a.entry.name().cmp(b.entry.name()));
    for versions in modules.chunk_by_mut(|a, b| a.entry.name() == b.entry.name()) {
        let tree = versions[0].entry.tree;
        if versions.iter().any(|module| module.entry.tree != tree) {
            // Keys are dear: one for each.
            versions.sort_by_cached_key(|module| {
                let entry = module.entry;
                (entry.key(), entry.full_name.as_str(), entry.tree)
            });
        }
    }
    modules
}

/// Modules as packages: one a name, its versions once each.
fn packages<'c>(modules: &[&Seen<'c>]) -> Vec<Package<'c>> {
    let mut packages: Vec<Package<'c>> = Vec::new();
    for group in modules.chunk_by(|a, b| a.entry.name() == b.entry.name()) {
        let mut package = Package {
            name: group[0].entry.name(),
            ..Package::default()
        };
        for module in group {
            // They are in order: what is there twice stands side by side.
            let full_name = module.entry.full_name.as_str();
            if package
                .versions
                .last()
                .is_none_or(|last| *last != full_name)
            {
                package.versions.push(Cow::Borrowed(full_name));
            }
        }
        packages.push(package);
    }
    packages
}

/// The same with their descriptions: the highest version that has one describes the package.
fn described<'c>(crawl: &Crawl, modules: &[&Seen<'c>]) -> Vec<Package<'c>> {
    let groups = modules.chunk_by(|a, b| a.entry.name() == b.entry.name());
    let highest = groups.clone().filter_map(|group| group.last());
    let highest: Vec<&Entry> = highest.map(|module| module.entry).collect();
    let descriptions = crawl.descriptions(&highest);
    let described = packages(modules).into_iter().zip(groups).zip(descriptions);
    described
        .map(|((package, group), description)| {
            let lower = group.iter().rev().skip(1);
            let mut all = std::iter::once(description).chain(lower.map(|m| m.description()));
            Package {
                description: all.find(|text| !text.is_empty()).unwrap_or_default(),
                ..package
            }
        })
        .collect()
}

/// Lists all modules, the versions of one, or all about one version.
pub(super) fn run(context: &mut Context) -> Result<(), Diagnostic> {
    if context.config.listing_style == ListingStyle::Modules {
        return super::modules::spider(context);
    }
    if context.words.is_empty() {
        let crawl = crawl(context, Wanted::All);
        let modules = seen(context, &crawl);
        let all: Vec<&Seen> = modules.iter().collect();
        let layout = context.layout();
        let line = view::border(layout.width);
        let own = "The following is a list of the modules and extensions currently available:\n";
        let title = layout.say("m_Spider_Title", &[], own);
        return list(context, &crawl, &all, &format!("{line}{title}{line}"));
    }
    let words = context.words.to_vec();
    let mut unknown = Vec::new();
    for word in &words {
        let word = word
            .strip_suffix(".lua")
            .unwrap_or(word)
            .trim_end_matches('/');
        let filters = match context.options.regexp {
            true => super::avail::filters(context)?,
            false => vec![Filter::Contains(word.to_owned())],
        };
        let crawl = crawl(context, Wanted::Accepted(&filters));
        let modules = seen(context, &crawl);
        let known =
            one(context, &crawl, &modules, &filters, word)? || extension(context, &crawl, word);
        if !known && !several(context, &crawl, &matching(&modules, &filters), &[])? {
            unknown.push(word.to_owned());
        }
    }
    if unknown.is_empty() {
        return Ok(());
    }
    if context.options.terse {
        context.print("\n");
        return Ok(());
    }
    let mut error = Diagnostic::new(
        Kind::Module,
        format!(
            "no module or extension is called `{}`",
            unknown.join("`, `")
        ),
    )
    .known_as("e_Failed_2_Find", &[("name", &unknown.join(" "))]);
    let crawl = context.engine.crawl(Wanted::All, Depth::All);
    let modules = seen(context, &crawl);
    let names: BTreeSet<&str> = modules.iter().map(|m| m.entry.name()).collect();
    if let Some(near) = nearest(&unknown[0], &names) {
        error = error.help(format!("did you mean `{near}`?"));
    }
    Err(error.help(format!(
        "`module search {}` searches descriptions and programs too",
        unknown[0]
    )))
}

/// The modules that the filters accept.
fn matching<'s, 'c>(modules: &'s [Seen<'c>], filters: &[Filter]) -> Vec<&'s Seen<'c>> {
    let accepted = |module: &&Seen| filters.iter().any(|filter| filter.accepts(module.entry));
    modules.iter().filter(accepted).collect()
}

/// The name most like `word`.
fn nearest<'n>(word: &str, names: &BTreeSet<&'n str>) -> Option<&'n str> {
    let lower = word.to_lowercase();
    names
        .iter()
        .map(|name| {
            (
                strsim::damerau_levenshtein(&lower, &name.to_lowercase()),
                *name,
            )
        })
        .filter(|(distance, name)| *distance <= 1 + name.len() / 4)
        .min()
        .map(|(_, name)| name)
}

/// The modules that one word names. False where it names none.
fn one(
    context: &mut Context,
    crawl: &Crawl,
    modules: &[Seen],
    filters: &[Filter],
    word: &str,
) -> Result<bool, Diagnostic> {
    if context.options.regexp {
        return several(context, crawl, &matching(modules, filters), &[]);
    }
    let exact: Vec<&Seen> = modules.iter().filter(|m| m.entry.name() == word).collect();
    if !exact.is_empty() {
        let names: BTreeSet<&str> = modules
            .iter()
            .filter(|m| m.entry.name() != word && context.matches(word, m.entry.name()))
            .map(|m| m.entry.name())
            .collect();
        let others: Vec<String> = names.into_iter().map(str::to_owned).collect();
        return several(context, crawl, &exact, &others);
    }
    let full: Vec<&Seen> = modules
        .iter()
        .filter(|m| m.entry.full_name == word)
        .collect();
    if !full.is_empty() {
        details(context, crawl, &full);
    }
    Ok(!full.is_empty())
}

/// Modules of one name or several: the versions, or all about the only one.
fn several(
    context: &mut Context,
    crawl: &Crawl,
    found: &[&Seen],
    others: &[String],
) -> Result<bool, Diagnostic> {
    if found.is_empty() {
        return Ok(false);
    }
    if context.options.json {
        list(context, crawl, found, "")?;
        return Ok(true);
    }
    let groups = match context.options.terse {
        true => packages(found),
        false => described(crawl, found),
    };
    for package in &groups {
        if context.options.terse {
            context.print(&format!("{}\n", package.versions.join("\n")));
        } else if package.versions.len() == 1 && groups.len() == 1 {
            let only: Vec<&Seen> = found
                .iter()
                .copied()
                .filter(|m| m.entry.full_name == package.versions[0])
                .collect();
            details(context, crawl, &only);
        } else {
            let package = decorated(context, crawl, found, package)?;
            let text = view::spider::versions(&package, others, context.layout());
            context.print(&text);
        }
    }
    Ok(true)
}

/// The package with what the site's hook says of each version behind it.
fn decorated<'p>(
    context: &Context,
    crawl: &Crawl,
    found: &[&Seen],
    package: &'p Package<'p>,
) -> Result<Cow<'p, Package<'p>>, Diagnostic> {
    if !context.site.has_code() {
        return Ok(Cow::Borrowed(package));
    }
    let mut package = package.clone();
    for version in &mut package.versions {
        let modules: Vec<&Seen> = found
            .iter()
            .copied()
            .filter(|m| m.entry.full_name == *version)
            .collect();
        let Some(first) = modules.first() else {
            continue;
        };
        let (_, parents) = ways(crawl, &modules);
        let decoration = context.site.spider_decoration(
            version,
            first.about().category(),
            &first.about().properties,
            &parents,
        )?;
        if let Some(decoration) = decoration {
            version.to_mut().push_str(&format!(" ({decoration})"));
        }
    }
    Ok(Cow::Owned(package))
}

/// The ways to modules of one full name: whether one needs nothing, and those that need others first.
fn ways(crawl: &Crawl, modules: &[&Seen]) -> (bool, Vec<Way>) {
    let mut ways: Vec<Way> = modules
        .iter()
        .flat_map(|m| crawl.ways(&m.tree.modulepath))
        .collect();
    ways.sort_by(|a, b| a.len().cmp(&b.len()).then_with(|| a.cmp(b)));
    ways.dedup();
    let direct = ways.iter().any(Vec::is_empty);
    ways.retain(|way| !way.is_empty());
    (direct, ways)
}

/// All about modules of one full name.
fn details(context: &mut Context, crawl: &Crawl, modules: &[&Seen]) {
    let Some(first) = modules.first() else { return };
    if context.options.json {
        let rows: Vec<_> = modules.iter().map(|m| as_json(crawl, m)).collect();
        context.print_json(&json!({ "version": 1, "modules": rows }));
        return;
    }
    let (direct, parents) = ways(crawl, modules);
    if context.options.terse {
        let mut text = String::from("\n");
        if parents.is_empty() {
            text.push_str(&format!("{}\n", first.entry.full_name));
        }
        for way in &parents {
            text.push_str(&format!("{}\n", way.join("  ")));
        }
        context.print(&text);
        return;
    }
    let detail = Detail {
        full_name: first.entry.full_name.clone(),
        description: first.about().description().to_owned(),
        direct,
        parents,
        properties: first
            .about()
            .properties
            .iter()
            .map(|(key, value)| format!("{key}: {value}"))
            .collect(),
        extensions: first.about().extensions.clone(),
        help: first.about().help.clone(),
    };
    let text = view::spider::detail(&detail, context.layout());
    context.print(&text);
}

/// Whether an extension is called `word`, with or without its version.
fn is_called(extension: &str, word: &str) -> bool {
    extension == word || extension.split('/').next() == Some(word)
}

/// Tells who brings an extension along. False where nobody does.
fn extension(context: &mut Context, crawl: &Crawl, word: &str) -> bool {
    let mut numbers = HashSet::new();
    for tree in 0..crawl.trees.len() {
        let extras = crawl.extras(tree).into_values();
        let found = extras.filter(|extra| extra.extensions.iter().any(|e| is_called(e, word)));
        numbers.extend(found.map(|extra| (tree, extra.number)));
    }
    if numbers.is_empty() {
        return false;
    }
    // Only now that there is one: the names of its modules have nothing in common with it.
    let all = context.engine.crawl(Wanted::All, Depth::All);
    let modules = seen(context, &all);
    let providers: Vec<&Seen> = (modules.iter())
        .filter(|m| numbers.contains(&(m.entry.tree, m.entry.number)))
        .collect();
    if !providers.is_empty() {
        tell_extension(context, &all, &providers, word);
    }
    !providers.is_empty()
}

/// Who brings an extension along.
fn tell_extension(context: &mut Context, crawl: &Crawl, providers: &[&Seen], word: &str) {
    if context.options.json {
        let rows: Vec<_> = providers.iter().map(|m| as_json(crawl, m)).collect();
        context.print_json(&json!({ "version": 1, "modules": rows }));
        return;
    }
    let mut names: BTreeSet<&str> = BTreeSet::new();
    for provider in providers {
        let extensions = provider.about().extensions.iter().map(String::as_str);
        names.extend(extensions.filter(|e| is_called(e, word)));
    }
    if context.options.terse {
        for name in names {
            context.print(&format!("{name} (E)\n"));
        }
        return;
    }
    let mut rows = Vec::new();
    for provider in providers {
        for way in crawl.ways(&provider.tree.modulepath) {
            let behind = if way.is_empty() {
                String::new()
            } else {
                format!(" ({})", way.join(" "))
            };
            let row = format!("{}{behind}", provider.entry.full_name);
            if !rows.contains(&row) {
                rows.push(row);
            }
        }
    }
    let names: Vec<&str> = names.into_iter().collect();
    let text = view::spider::extension(&names, &rows, context.layout());
    context.print(&text);
}

/// A list of packages, in the format of the request.
fn list(
    context: &mut Context,
    crawl: &Crawl,
    modules: &[&Seen],
    heading: &str,
) -> Result<(), Diagnostic> {
    if context.options.json {
        let rows: Vec<_> = modules.iter().map(|m| as_json(crawl, m)).collect();
        context.print_json(&json!({ "version": 1, "modules": rows }));
        return Ok(());
    }
    if context.options.terse {
        for package in &packages(modules) {
            if package.versions.iter().any(|v| *v != package.name) {
                context.print(&format!("{}/\n", package.name));
            }
            context.print(&format!("{}\n", package.versions.join("\n")));
        }
        return Ok(());
    }
    let mut packages = described(crawl, modules);
    let extras: Vec<_> = (0..crawl.trees.len())
        .map(|tree| crawl.extras(tree))
        .collect();
    let of_module = |module: &&Seen| extras.get(module.entry.tree)?.get(&module.entry.number);
    let mut provided: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for extension in modules
        .iter()
        .filter_map(of_module)
        .flat_map(|e| &e.extensions)
    {
        let name = extension.split('/').next().unwrap_or(extension);
        provided.entry(name).or_default().insert(extension);
    }
    packages.extend(provided.iter().map(|(name, versions)| Package {
        name,
        versions: versions.iter().map(|v| format!("{v} (E)").into()).collect(),
        description: String::new(),
    }));
    match context.config.sort_ignores_case {
        true => packages.sort_by_cached_key(|package| package.name.to_lowercase()),
        false => packages.sort_by(|a, b| a.name.cmp(b.name)),
    }
    let text = view::spider::overview(heading, &packages, context.layout());
    context.report(text);
    Ok(())
}

/// Modules whose name, description, help or extensions hold one of the words.
pub(super) fn keyword(context: &mut Context) -> Result<(), Diagnostic> {
    if context.config.listing_style == ListingStyle::Modules {
        return super::modules::search(context);
    }
    if context.words.is_empty() {
        return Err(
            Diagnostic::new(Kind::Usage, "`keyword` needs a word to look for")
                .help("module keyword WORD"),
        );
    }
    let filters = super::avail::filters_of_text(context)?;
    let crawl = crawl(context, Wanted::Described(&filters));
    let modules = seen(context, &crawl);
    let found: Vec<&Seen> = modules
        .iter()
        .filter(|m| {
            (crawl.described).contains(&(m.entry.tree, m.entry.number))
                || filters.iter().any(|f| f.accepts_name(m.entry.name()))
        })
        .collect();
    if found.is_empty() && !context.options.json {
        if !context.options.terse {
            context.notice(&format!(
                "no module matches \"{}\"\n",
                context.words.join("\" or \"")
            ));
        }
        context.answer = Answer::True;
        return Ok(());
    }
    let layout = context.layout();
    let line = view::border(layout.width);
    let words = format!("\"{}\"", context.words.join("\" or \""));
    let own = format!("{line}The following modules match your search criteria: {words}\n{line}");
    let values = [("border", line.as_str()), ("module_list", &words)];
    let heading = layout.say("keyword_msg", &values, own);
    list(context, &crawl, &found, &heading)
}

/// The categories, or the modules of some.
pub(super) fn category(context: &mut Context) -> Result<(), Diagnostic> {
    let crawl = crawl(context, Wanted::All);
    let modules = seen(context, &crawl);
    let mut categories: BTreeMap<String, BTreeMap<String, i64>> = BTreeMap::new();
    for module in &modules {
        let text = module.about().category().unwrap_or_default();
        for category in text.split(',').map(str::trim).filter(|c| !c.is_empty()) {
            *categories
                .entry(category.to_owned())
                .or_default()
                .entry(module.entry.name().to_owned())
                .or_default() += 1;
        }
    }
    if context.options.json {
        context.print_json(&json!({ "version": 1, "categories": categories }));
        return Ok(());
    }
    let layout = context.layout();
    let mut text = String::new();
    if context.words.is_empty() {
        text.push_str(&view::banner("List of Categories", layout.width));
        let names = context.site.categories(categories.into_keys().collect())?;
        text.push_str(&view::columns(&names, 3, layout.width));
    } else {
        for (category, names) in &context.site.category_members(categories)? {
            if context
                .words
                .iter()
                .any(|word| context.matches(word, category))
            {
                text.push_str(&view::banner(category, layout.width));
                let cells: Vec<String> = names
                    .iter()
                    .map(|(name, count)| format!("{name} ({count})"))
                    .collect();
                text.push_str(&view::columns(&cells, 3, layout.width));
            }
        }
    }
    context.print(&text);
    Ok(())
}

/// Crawls, and warns about broken modulefiles where people look. The process ends with the answer: to take apart what was
/// found, module by module, would only cost time.
fn crawl(context: &mut Context, wanted: Wanted<'_>) -> ManuallyDrop<Crawl> {
    let crawl = context.engine.crawl(wanted, Depth::All);
    if !crawl.mistakes.is_empty() && !context.options.terse && !context.options.json {
        let count = crawl.mistakes.len();
        let (file, first) = crawl.mistakes.iter().next().expect("not empty");
        let more = if count > 1 {
            format!(" (and {} more)", count - 1)
        } else {
            String::new()
        };
        context.notice(&format!(
            "warning: `{file}` is broken: {}{more}\n",
            first.message
        ));
    }
    ManuallyDrop::new(crawl)
}

pub(super) fn as_json(crawl: &Crawl, module: &Seen) -> serde_json::Value {
    json!({
        "name": module.entry.name(),
        "version": module.entry.version(),
        "full_name": module.entry.full_name,
        "file": module.entry.file().as_str(),
        "modulepath": module.tree.modulepath.as_str(),
        "default": module.entry.is_default,
        "hidden": module.entry.is_hidden(),
        "description": module.about().description(),
        "whatis": module.about().whatis,
        "help": module.about().help,
        "extensions": module.about().extensions,
        "families": module.about().families,
        "requires": module.about().requires,
        "properties": module.about().properties,
        "parents": crawl.ways(&module.tree.modulepath),
    })
}
