//! `module spider`, `keyword` and `category`: all modules of all hierarchies.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;

use super::{Answer, Context};
use crate::config::ListingStyle;
use crate::diag::{Diagnostic, Kind};
use crate::tree::{About, Crawl, Entry, Tree, Way};
use crate::view;
use crate::view::spider::{Detail, Package};

/// A module with what is known of it.
struct Seen<'c> {
    tree: &'c Tree,
    entry: &'c Entry,
    about: &'c About,
}

/// Every module that listings may show, lowest version first within a name.
fn seen<'c>(context: &Context, crawl: &'c Crawl) -> Vec<Seen<'c>> {
    let all = context.options.all || context.config.shows_hidden("spider");
    let mut modules: Vec<Seen> = crawl
        .trees
        .iter()
        .flat_map(|tree| tree.modules.iter().map(move |entry| (tree, entry)))
        .filter(|(_, entry)| all || !entry.is_hidden())
        .map(|(tree, entry)| Seen {
            tree,
            entry,
            about: crawl.about(entry),
        })
        .collect();
    modules.sort_by(|a, b| {
        let names = a.entry.name.cmp(&b.entry.name);
        names
            .then_with(|| a.entry.key.cmp(&b.entry.key))
            .then_with(|| a.entry.full_name.cmp(&b.entry.full_name))
    });
    modules
}

/// Modules as packages: one a name, its versions once each; the highest describes it.
fn packages(modules: &[&Seen]) -> Vec<Package> {
    let mut packages: Vec<Package> = Vec::new();
    for module in modules {
        if packages.last().is_none_or(|p| p.name != module.entry.name) {
            packages.push(Package {
                name: module.entry.name.clone(),
                ..Package::default()
            });
        }
        let package = packages.last_mut().expect("pushed above");
        if !package.versions.contains(&module.entry.full_name) {
            package.versions.push(module.entry.full_name.clone());
        }
        if !module.about.description().is_empty() {
            package.description = module.about.description().to_owned();
        }
    }
    packages
}

/// Lists all modules, the versions of one, or all about one version.
pub(super) fn run(context: &mut Context) -> Result<(), Diagnostic> {
    let crawl = crawl(context);
    let modules = seen(context, &crawl);
    if context.words.is_empty() {
        let all: Vec<&Seen> = modules.iter().collect();
        let title = "The following is a list of the modules and extensions currently available:\n";
        return list(context, &crawl, &all, title);
    }
    let words = context.words.to_vec();
    let mut unknown = Vec::new();
    for word in &words {
        if !one(context, &crawl, &modules, word)? {
            unknown.push(word.clone());
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
    );
    let names: BTreeSet<&str> = modules.iter().map(|m| m.entry.name.as_str()).collect();
    if let Some(near) = nearest(&unknown[0], &names) {
        error = error.help(format!("did you mean `{near}`?"));
    }
    Err(error.help(format!(
        "`module keyword {}` searches descriptions",
        unknown[0]
    )))
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

/// What one word means. False where nothing does.
fn one(
    context: &mut Context,
    crawl: &Crawl,
    modules: &[Seen],
    word: &str,
) -> Result<bool, Diagnostic> {
    let word = word
        .strip_suffix(".lua")
        .unwrap_or(word)
        .trim_end_matches('/');
    let exact: Vec<&Seen> = modules.iter().filter(|m| m.entry.name == word).collect();
    let full: Vec<&Seen> = modules
        .iter()
        .filter(|m| m.entry.full_name == word)
        .collect();
    let others = || -> Vec<String> {
        let names: BTreeSet<&str> = modules
            .iter()
            .filter(|m| m.entry.name != word && context.matches(word, &m.entry.name))
            .map(|m| m.entry.name.as_str())
            .collect();
        names.into_iter().map(str::to_owned).collect()
    };
    if context.options.regexp {
        let filters = super::avail::filters(context)?;
        let found: Vec<&Seen> = modules
            .iter()
            .filter(|m| filters.iter().any(|f| f.accepts(m.entry)))
            .collect();
        return several(context, crawl, &found, &[]);
    }
    if !exact.is_empty() {
        let others = others();
        return several(context, crawl, &exact, &others);
    }
    if !full.is_empty() {
        details(context, crawl, &full);
        return Ok(true);
    }
    let providers: Vec<&Seen> = modules
        .iter()
        .filter(|m| {
            m.about
                .extensions
                .iter()
                .any(|e| e == word || e.split('/').next() == Some(word))
        })
        .collect();
    if !providers.is_empty() {
        extension(context, crawl, &providers, word);
        return Ok(true);
    }
    let found: Vec<&Seen> = modules
        .iter()
        .filter(|m| context.matches(word, &m.entry.full_name))
        .collect();
    several(context, crawl, &found, &[])
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
    let groups = packages(found);
    if context.options.json {
        list(context, crawl, found, "")?;
        return Ok(true);
    }
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
    package: &'p Package,
) -> Result<Cow<'p, Package>, Diagnostic> {
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
            first.about.category(),
            &first.about.properties,
            &parents,
        )?;
        if let Some(decoration) = decoration {
            version.push_str(&format!(" ({decoration})"));
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
        description: first.about.description().to_owned(),
        direct,
        parents,
        properties: first
            .about
            .properties
            .iter()
            .map(|(key, value)| format!("{key}: {value}"))
            .collect(),
        extensions: first.about.extensions.clone(),
        help: first.about.help.clone(),
    };
    let text = view::spider::detail(&detail, context.layout());
    context.print(&text);
}

/// Who brings an extension along.
fn extension(context: &mut Context, crawl: &Crawl, providers: &[&Seen], word: &str) {
    if context.options.json {
        let rows: Vec<_> = providers.iter().map(|m| as_json(crawl, m)).collect();
        context.print_json(&json!({ "version": 1, "modules": rows }));
        return;
    }
    let mut names: BTreeSet<&str> = BTreeSet::new();
    for provider in providers {
        names.extend(
            provider
                .about
                .extensions
                .iter()
                .map(String::as_str)
                .filter(|e| *e == word || e.split('/').next() == Some(word)),
        );
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
    title: &str,
) -> Result<(), Diagnostic> {
    if context.options.json {
        let rows: Vec<_> = modules.iter().map(|m| as_json(crawl, m)).collect();
        context.print_json(&json!({ "version": 1, "modules": rows }));
        return Ok(());
    }
    let mut packages = packages(modules);
    if context.options.terse {
        for package in &packages {
            if package.versions.iter().any(|v| *v != package.name) {
                context.print(&format!("{}/\n", package.name));
            }
            context.print(&format!("{}\n", package.versions.join("\n")));
        }
        return Ok(());
    }
    let mut provided: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for extension in modules.iter().flat_map(|m| &m.about.extensions) {
        let name = extension.split('/').next().unwrap_or(extension);
        provided.entry(name).or_default().insert(extension);
    }
    packages.extend(provided.iter().map(|(name, versions)| Package {
        name: (*name).to_owned(),
        versions: versions.iter().map(|v| format!("{v} (E)")).collect(),
        description: String::new(),
    }));
    packages.sort_by(|a, b| a.name.cmp(&b.name));
    let text = view::spider::overview(title, &packages, context.layout());
    context.print(&text);
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
    let crawl = crawl(context);
    let modules = seen(context, &crawl);
    let filters = super::avail::filters_of_text(context)?;
    let found: Vec<&Seen> = modules
        .iter()
        .filter(|m| {
            let about = m.about;
            let texts = std::iter::once(m.entry.name.as_str())
                .chain(std::iter::once(about.help.as_str()))
                .chain(about.whatis.iter().map(String::as_str))
                .chain(about.extensions.iter().map(String::as_str))
                .chain(about.properties.iter().map(|(_, value)| value.as_str()))
                .chain(about.facts.iter().map(|(_, value)| value.as_str()));
            texts
                .into_iter()
                .any(|text| filters.iter().any(|f| f.accepts_name(text)))
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
    let title = format!(
        "The following modules match your search criteria: \"{}\"\n",
        context.words.join("\" or \"")
    );
    list(context, &crawl, &found, &title)
}

/// The categories, or the modules of some.
pub(super) fn category(context: &mut Context) -> Result<(), Diagnostic> {
    let crawl = crawl(context);
    let modules = seen(context, &crawl);
    let mut categories: BTreeMap<String, BTreeMap<String, i64>> = BTreeMap::new();
    for module in &modules {
        let text = module.about.category().unwrap_or_default();
        for category in text.split(',').map(str::trim).filter(|c| !c.is_empty()) {
            *categories
                .entry(category.to_owned())
                .or_default()
                .entry(module.entry.name.clone())
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
        text.push_str(&view::columns(names, 3, layout.width));
    } else {
        for (category, names) in &context.site.category_members(categories)? {
            if context
                .words
                .iter()
                .any(|word| context.matches(word, category))
            {
                text.push_str(&view::banner(category, layout.width));
                let cells = names
                    .iter()
                    .map(|(name, count)| format!("{name} ({count})"))
                    .collect();
                text.push_str(&view::columns(cells, 3, layout.width));
            }
        }
    }
    context.print(&text);
    Ok(())
}

/// Crawls, and warns about broken modulefiles where people look.
fn crawl(context: &mut Context) -> Crawl {
    let crawl = context.engine.crawl();
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
    crawl
}

fn as_json(crawl: &Crawl, module: &Seen) -> serde_json::Value {
    json!({
        "name": module.entry.name,
        "version": module.entry.version(),
        "full_name": module.entry.full_name,
        "file": module.entry.file.as_str(),
        "modulepath": module.tree.modulepath.as_str(),
        "default": module.entry.is_default,
        "hidden": module.entry.is_hidden(),
        "description": module.about.description(),
        "whatis": module.about.whatis,
        "help": module.about.help,
        "extensions": module.about.extensions,
        "families": module.about.families,
        "requires": module.about.requires,
        "properties": module.about.properties,
        "parents": crawl.ways(&module.tree.modulepath),
    })
}
