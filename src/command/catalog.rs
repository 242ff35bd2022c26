//! `xmod catalog export|report`: the software of all hierarchies for portals and pages.

use std::collections::{BTreeMap, BTreeSet};

use camino::{Utf8Path, Utf8PathBuf};

use super::{Outcome, modulespath};
use crate::cache::Cache;
use crate::catalog::{self, Catalog, Export, Format, Overlay, Report, UsageFigures};
use crate::config::Config;
use crate::diag::{Diagnostic, Kind, Severity};
use crate::modulefile::Languages;
use crate::modulefile::site::{CacheUse, Site};
use crate::resolve::Resolver;
use crate::session::Session;
use crate::tree::{Crawl, RcEvaluator};

/// Where a catalog comes from.
#[derive(Debug, Default)]
pub struct Source<'a> {
    /// The modulepaths to begin with; `MODULEPATH` where there are none.
    pub dirs: &'a [String],
    /// The site's file about its catalog, instead of the one that the configuration names.
    pub overlay: Option<&'a Utf8Path>,
    /// The database of usage, instead of the one that the configuration names.
    pub usage: Option<&'a str>,
    /// The directory of the site's own pages, instead of the one that the configuration names.
    pub templates: Option<&'a Utf8Path>,
}

/// How many names the report as text shows of each list.
const SHOWN_NAMES: usize = 12;

/// Writes the catalog to `output`, or prints it.
///
/// # Errors
/// There is no modulepath, a file of the site is wrong, or the output cannot be written.
pub fn export(
    session: &Session,
    source: &Source,
    format: Format,
    output: Option<&Utf8Path>,
) -> Result<Outcome, Diagnostic> {
    if format == Format::Html && output.is_none() {
        return Err(Diagnostic::new(
            Kind::Usage,
            "a site is a directory: where is it to be written?",
        )
        .help("xmod catalog export --format html --output DIRECTORY"));
    }
    let config = for_everybody(session)?;
    let overlay = overlay(&config, source)?;
    let usage = usage_figures(session, &config, source)?;
    let templates = match (source.templates, config.catalog_templates.as_str()) {
        (Some(dir), _) => Some(dir),
        (None, "") => None,
        (None, dir) => Some(Utf8Path::new(dir)),
    };
    let crawl = crawl(session, &config, source.dirs)?;
    let export = catalog::export(&crawl, format, &overlay, &usage, templates)?;
    let mut outcome = Outcome {
        stderr: warnings(&crawl),
        ..Outcome::default()
    };
    match (output, export) {
        (Some(path), export) => export.write(path)?,
        (None, Export::Document(bytes)) => outcome.stdout = bytes,
        (None, Export::Site(_)) => {}
    }
    Ok(outcome)
}

/// Says what the catalog lacks.
///
/// # Errors
/// There is no modulepath, or the overlay is wrong.
pub fn report(session: &Session, source: &Source, as_json: bool) -> Result<Outcome, Diagnostic> {
    let config = for_everybody(session)?;
    let overlay = overlay(&config, source)?;
    let crawl = crawl(session, &config, source.dirs)?;
    let catalog = Catalog::new(&crawl, &overlay, &UsageFigures::default());
    let broken: BTreeMap<String, String> = crawl
        .mistakes
        .iter()
        .map(|(file, mistake)| (file.to_string(), mistake.message.clone()))
        .collect();
    let report = Report::new(&catalog, broken);
    let text = if as_json {
        let mut text = serde_json::to_string_pretty(&report).expect("maps keyed by text");
        text.push('\n');
        text
    } else {
        report.text(SHOWN_NAMES)
    };
    Ok(Outcome {
        stdout: text.into_bytes(),
        ..Outcome::default()
    })
}

/// The settings for a document that everybody reads, whoever makes it.
///
/// # Errors
/// A start file of the site fails.
fn for_everybody(session: &Session) -> Result<Config, Diagnostic> {
    let mut config = super::settings(session)?;
    config.ignore_user_rc = true;
    Ok(config)
}

fn overlay(config: &Config, source: &Source) -> Result<Overlay, Diagnostic> {
    match (source.overlay, config.catalog_overlay.as_str()) {
        (Some(path), _) => Overlay::read(path),
        (None, "") => Ok(Overlay::default()),
        (None, path) => Overlay::read(Utf8Path::new(path)),
    }
}

/// What is known of usage: nothing where no database is named.
fn usage_figures(
    session: &Session,
    config: &Config,
    source: &Source,
) -> Result<UsageFigures, Diagnostic> {
    if source.usage.is_none() && config.usage_database.is_empty() {
        return Ok(UsageFigures::default());
    }
    let mut store = super::usage::open(session, source.usage, crate::usage::Access::Read)?;
    crate::usage::figures(&mut store).map_err(super::usage::site)
}

/// The names of all modules that are not hidden, or their full names.
pub(super) fn names(
    session: &Session,
    dirs: &[String],
    with_version: bool,
) -> Result<BTreeSet<String>, Diagnostic> {
    let config = for_everybody(session)?;
    let crawl = crawl(session, &config, dirs)?;
    let modules = crawl.trees.iter().flat_map(|tree| &tree.modules);
    Ok(modules
        .filter(|entry| !entry.is_hidden())
        .map(|entry| {
            if with_version {
                entry.full_name.clone()
            } else {
                entry.name().to_owned()
            }
        })
        .collect())
}

/// Looks at all modules of all hierarchies; what the caches know is not evaluated again.
fn crawl(session: &Session, config: &Config, dirs: &[String]) -> Result<Crawl, Diagnostic> {
    let named = dirs.iter().flat_map(|dirs| dirs.split(':'));
    let named = named.filter(|dir| !dir.is_empty()).map(Utf8PathBuf::from);
    let dirs = match dirs.is_empty() {
        true => modulespath::of_session(session, config),
        false => named.collect(),
    };
    let here = session.cwd().cloned().unwrap_or_default();
    let modulepaths: Vec<Utf8PathBuf> = dirs.iter().map(|dir| here.join(dir)).collect();
    if modulepaths.is_empty() {
        return Err(Diagnostic::new(
            Kind::Usage,
            "there is no module path to look into: `MODULEPATH` is empty",
        )
        .help("name the directories: xmod catalog export --format json DIRECTORY..."));
    }
    if let Some(dir) = modulepaths.iter().find(|dir| !dir.is_dir()) {
        // An empty catalog in the place of a full one is what a missing mount would make.
        return Err(
            Diagnostic::new(Kind::Site, format!("`{dir}` is no directory"))
                .note("nothing was written"),
        );
    }
    let languages = Languages::default();
    let mut rc = RcEvaluator::new(session, config, &languages, "bash");
    let mut resolver = Resolver::new(modulepaths.clone());
    let places = Site::new(session, config, &languages).with_cache_places(CacheUse::Read);
    let mut cache = Cache::open(session, &places);
    let crawl = resolver.roots().crawl(&mut rc, &mut cache, None);
    if crawl.is_whole() {
        return Ok(crawl);
    }
    // A cache is damaged: what stands in it does not count.
    let mut resolver = Resolver::new(modulepaths);
    Ok(resolver.roots().crawl(&mut rc, &mut Cache::empty(), None))
}

/// What is wrong with modulefiles, for the admin to see.
fn warnings(crawl: &Crawl) -> Vec<u8> {
    let warnings = crawl
        .mistakes
        .values()
        .map(|mistake| mistake.render(Severity::Warning, false, 100));
    warnings.collect::<String>().into_bytes()
}
