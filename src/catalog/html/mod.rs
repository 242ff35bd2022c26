//! The catalog as a static site: a directory of files that a browser shows without any server.
//!
//! ```text
//! index.html                 the page, from a template
//! style.css, *.js            how it looks and works
//! data/index.js              what the table and its search need of all software
//! data/0.js, 1.js, ...       all the rest, of some neighbours each; loaded when their pages are opened
//! ```
//!
//! Data lie in scripts because a page that was opened from a file may not read files otherwise. A site can put files of its
//! own in place of ours, or beside them.

mod help;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use camino::Utf8Path;
use minijinja::{AutoEscape, Environment, context};
use serde::Serialize;
use serde_json::{Value, json};

use super::metadata::web_address;
use super::model::{Catalog, Package, UNSORTED, Usage, Version};
use super::write::SiteFile;
use crate::diag::{Diagnostic, Kind};
use crate::tree::Way;

/// Our files; the first is a template.
const FILES: &[(&str, &str)] = &[
    ("index.html", include_str!("site/index.html")),
    ("style.css", include_str!("site/style.css")),
    ("theme.js", include_str!("site/theme.js")),
    ("data.js", include_str!("site/data.js")),
    ("job.js", include_str!("site/job.js")),
    ("form.js", include_str!("site/form.js")),
    ("plots.js", include_str!("site/plots.js")),
    ("module.js", include_str!("site/module.js")),
    ("app.js", include_str!("site/app.js")),
];

/// How many pieces of software share a file of details.
const SHARD: usize = 64;

/// How much of a description the table shows, in characters.
const SHORT: usize = 200;

/// How many ways to a modulefile are told.
const MAX_WAYS: usize = 40;

/// Largest file of the site's own, in bytes.
const MAX_FILE: u64 = 16 << 20;

/// The files of the site. `templates` is a directory with files that replace ours by their names, or come beside them.
///
/// # Errors
/// A file of `templates` cannot be read, or its `index.html` is no template.
pub(super) fn site(
    catalog: &Catalog,
    templates: Option<&Utf8Path>,
) -> Result<Vec<SiteFile>, Diagnostic> {
    let mut files: BTreeMap<String, Vec<u8>> = FILES
        .iter()
        .map(|(name, text)| ((*name).to_owned(), text.as_bytes().to_vec()))
        .collect();
    if let Some(dir) = templates {
        collect(dir, "", &mut files)?;
    }
    let mut data = vec![("index".to_owned(), index(catalog).to_string())];
    let needed_by = needed_by(catalog);
    let nobody = BTreeSet::new();
    for (number, packages) in catalog.modules.chunks(SHARD).enumerate() {
        let details: Vec<Details> = packages
            .iter()
            .map(|package| {
                details(
                    package,
                    needed_by.get(package.name.as_str()).unwrap_or(&nobody),
                )
            })
            .collect();
        let details = serde_json::to_string(&details).expect("texts and numbers are JSON");
        data.push((number.to_string(), details));
    }
    for (name, json) in data {
        files.insert(format!("data/{name}.js"), script(&name, &json));
    }
    // Browsers keep files for a while; another content has another address.
    let version = format!("{:016x}", fingerprint(&files));
    let page = files.get("index.html").cloned().unwrap_or_default();
    files.insert("index.html".to_owned(), page_of(&page, catalog, &version)?);
    Ok(files.into_iter().collect())
}

/// Fills the template of the page.
fn page_of(template: &[u8], catalog: &Catalog, version: &str) -> Result<Vec<u8>, Diagnostic> {
    let failed = |error: minijinja::Error| {
        Diagnostic::new(
            Kind::Site,
            format!("the template `index.html` cannot be used: {error}"),
        )
        .note(error.display_debug_info().to_string())
    };
    let text = std::str::from_utf8(template)
        .map_err(|_| Diagnostic::new(Kind::Site, "the template `index.html` is not UTF-8"))?;
    let mut environment = Environment::new();
    environment.set_auto_escape_callback(|_| AutoEscape::Html);
    environment.add_filter("web", |text: String| web_address(&text).unwrap_or_default());
    environment
        .add_template("index.html", text)
        .map_err(failed)?;
    let page = environment
        .get_template("index.html")
        .and_then(|template| {
            template.render(context! {
                site => context! {
                    title => catalog.site.title.as_str(),
                    intro => catalog.site.intro.as_str(),
                    url => catalog.site.url.as_str(),
                    support => catalog.site.support.as_str(),
                },
                usage => catalog.usage.is_some(),
                count => catalog.modules.len(),
                version => version,
            })
        })
        .map_err(failed)?;
    Ok(page.into_bytes())
}

/// Takes the site's own files in.
fn collect(
    dir: &Utf8Path,
    below: &str,
    files: &mut BTreeMap<String, Vec<u8>>,
) -> Result<(), Diagnostic> {
    let failed = |path: &Utf8Path, reason: String| {
        Diagnostic::new(
            Kind::Site,
            format!("cannot read `{path}` of the templates: {reason}"),
        )
    };
    let place = dir.join(below);
    let entries = place
        .read_dir_utf8()
        .map_err(|error| failed(&place, error.to_string()))?;
    for entry in entries {
        let entry = entry.map_err(|error| failed(&place, error.to_string()))?;
        let name = entry.file_name();
        if name.starts_with('.') || name.ends_with('~') {
            continue;
        }
        let name = if below.is_empty() {
            name.to_owned()
        } else {
            format!("{below}/{name}")
        };
        let path = dir.join(&name);
        let meta = path
            .metadata()
            .map_err(|error| failed(&path, error.to_string()))?;
        if meta.is_dir() {
            // Deeper than a folder of pictures is a link that leads in circles.
            if name.matches('/').count() < 3 {
                collect(dir, &name, files)?;
            }
        } else if meta.len() > MAX_FILE {
            return Err(failed(&path, "it is larger than 16 MiB".to_owned()));
        } else {
            let content = std::fs::read(&path).map_err(|error| failed(&path, error.to_string()))?;
            files.insert(name, content);
        }
    }
    Ok(())
}

/// A script that hands a JSON document over.
fn script(name: &str, json: &str) -> Vec<u8> {
    let mut text = String::with_capacity(json.len() + 64);
    text.push_str("xmodData(\"");
    text.push_str(name);
    text.push_str("\", '");
    let mut rest = json;
    while let Some(at) = rest.find(['\\', '\'', '\u{2028}', '\u{2029}']) {
        let (plain, special) = rest.split_at(at);
        text.push_str(plain);
        let mut signs = special.chars();
        match signs.next() {
            Some('\u{2028}') => text.push_str("\\u2028"),
            Some('\u{2029}') => text.push_str("\\u2029"),
            Some(c) => text.extend(['\\', c]),
            None => {}
        }
        rest = signs.as_str();
    }
    text.push_str(rest);
    text.push_str("');\n");
    text.into_bytes()
}

/// What the table and its search need.
fn index(catalog: &Catalog) -> Value {
    let mut categories: Vec<&str> = Vec::new();
    let mut numbers: HashMap<&str, usize> = HashMap::new();
    for category in catalog
        .modules
        .iter()
        .flat_map(|package| &package.categories)
    {
        numbers.entry(category).or_insert_with(|| {
            categories.push(category);
            categories.len() - 1
        });
    }
    let rows: Vec<Value> = catalog
        .modules
        .iter()
        .map(|package| {
            let of_package: Vec<usize> = package
                .categories
                .iter()
                .map(|c| numbers[c.as_str()])
                .collect();
            let versions: Vec<&str> = package
                .versions
                .iter()
                .map(|v| v.version.as_deref().unwrap_or_default())
                .collect();
            let default = package.versions.iter().position(|v| v.is_default);
            let changed = package
                .versions
                .iter()
                .filter_map(|v| v.changed.as_deref())
                .max();
            let usage = package.usage.unwrap_or_default();
            json!([
                package.name,
                package.title,
                short(&package.description),
                of_package,
                package.keywords,
                package.url,
                default.map_or(-1, |at| i64::try_from(at).unwrap_or(-1)),
                versions,
                changed.unwrap_or_default(),
                usage.loads,
                usage.users,
            ])
        })
        .collect();
    json!({
        "shard": SHARD,
        "unsorted": UNSORTED,
        "categories": categories,
        "job": catalog.job,
        "usage": catalog.usage,
        "modules": rows,
    })
}

fn short(text: &str) -> String {
    match text.char_indices().nth(SHORT) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// All else about a piece of software.
#[derive(Serialize)]
struct Details<'c> {
    description: &'c str,
    license: &'c str,
    maintainers: &'c [String],
    metadata: &'c BTreeMap<String, Vec<String>>,
    versions: Vec<VersionDetails<'c>>,
    helps: Vec<String>,
    needed_by: &'c BTreeSet<&'c str>,
}

#[derive(Serialize)]
struct VersionDetails<'c> {
    full_name: &'c str,
    is_default: bool,
    symbols: &'c [String],
    tags: &'c [String],
    warnings: &'c [String],
    forbidden: Option<&'c str>,
    families: &'c [String],
    requires: &'c [String],
    extensions: &'c [String],
    changed: Option<&'c str>,
    usage: Option<Usage>,
    /// The number of its text among the helps of the software.
    help: Option<usize>,
    files: Vec<FileDetails<'c>>,
}

#[derive(Serialize)]
struct FileDetails<'c> {
    path: &'c str,
    ways: &'c [Way],
}

fn details<'c>(package: &'c Package, needed_by: &'c BTreeSet<&'c str>) -> Details<'c> {
    // Most versions say the same.
    let mut helps: Vec<&str> = Vec::new();
    let versions = package
        .versions
        .iter()
        .map(|version| {
            let help = (!version.help.is_empty()).then(|| {
                let known = helps.iter().position(|help| *help == version.help);
                known.unwrap_or_else(|| {
                    helps.push(&version.help);
                    helps.len() - 1
                })
            });
            version_details(version, help)
        })
        .collect();
    Details {
        description: &package.description,
        license: &package.license,
        maintainers: &package.maintainers,
        metadata: &package.metadata,
        versions,
        helps: helps.into_iter().map(help::html).collect(),
        needed_by,
    }
}

fn version_details(version: &Version, help: Option<usize>) -> VersionDetails<'_> {
    let files = version.files.iter().map(|file| FileDetails {
        path: &file.path,
        ways: &file.ways[..file.ways.len().min(MAX_WAYS)],
    });
    VersionDetails {
        full_name: &version.full_name,
        is_default: version.is_default,
        symbols: &version.symbols,
        tags: &version.tags,
        warnings: &version.warnings,
        forbidden: version.forbidden.as_deref(),
        families: &version.families,
        requires: &version.requires,
        extensions: &version.extensions,
        changed: version.changed.as_deref(),
        usage: version.usage,
        help,
        files: files.collect(),
    }
}

/// For each name those that need it.
fn needed_by(catalog: &Catalog) -> HashMap<&str, BTreeSet<&str>> {
    let names: BTreeSet<&str> = catalog
        .modules
        .iter()
        .map(|package| package.name.as_str())
        .collect();
    let mut needed: HashMap<&str, BTreeSet<&str>> = HashMap::new();
    for package in &catalog.modules {
        for word in package
            .versions
            .iter()
            .flat_map(|version| &version.requires)
        {
            if let Some(name) = name_of(word, &names)
                && name != package.name
            {
                needed.entry(name).or_default().insert(&package.name);
            }
        }
    }
    needed
}

/// The name that a word such as `zlib/1.3` or `gcc@12:` means.
fn name_of<'n>(word: &str, names: &BTreeSet<&'n str>) -> Option<&'n str> {
    let mut word = word.split('@').next().unwrap_or(word);
    loop {
        if let Some(name) = names.get(word) {
            return Some(name);
        }
        word = word.rsplit_once('/')?.0;
    }
}

/// The FNV-1a sum of all files: stable between runs and versions of the compiler.
fn fingerprint(files: &BTreeMap<String, Vec<u8>>) -> u64 {
    let bytes = files
        .iter()
        .flat_map(|(name, content)| name.as_bytes().iter().chain(content));
    bytes.fold(0xcbf2_9ce4_8422_2325, |sum, byte| {
        (sum ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}
