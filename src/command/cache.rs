//! `xmod cache build|status|clear`.

use bstr::BString;
use camino::Utf8PathBuf;

use crate::cache::{self, Cache, Freshness, Others, Owner, SaveError};
use crate::config::Config;
use crate::diag::{Diagnostic, Kind, Severity};
use crate::modulefile::Languages;
use crate::modulefile::site::{CacheUse, Site};
use crate::resolve::Resolver;
use crate::session::Session;
use crate::tree::RcEvaluator;

use super::{Outcome, modulespath};

/// What a build is asked to do.
#[derive(Debug, Clone, Default)]
pub struct Build {
    /// The modulepaths to begin with; `MODULEPATH` if there are none.
    pub dirs: Vec<String>,
    /// How many threads; as many as there are cores if not given.
    pub jobs: Option<usize>,
    /// Whether the old cache is not even looked at.
    pub from_scratch: bool,
}

/// Crawls all hierarchies below MODULEPATH (or `dirs`) and writes the cache anew. What the old cache knows and the disk
/// confirms is not evaluated again.
///
/// # Errors
/// There is no modulepath, or the cache cannot be written.
pub fn build(
    session: &Session,
    config: &Config,
    owner: Owner,
    build: &Build,
) -> Result<Outcome, Diagnostic> {
    let languages = Languages::default();
    let places = with_places(session, config, &languages);
    let path = place(session, &places, owner)?;
    let named = build.dirs.iter().flat_map(|dirs| dirs.split(':'));
    let named = named.filter(|dir| !dir.is_empty()).map(Utf8PathBuf::from);
    let modulepaths = match build.dirs.is_empty() {
        true => modulespath::of_session(session, config),
        false => named.collect(),
    };
    if modulepaths.is_empty() {
        return Err(Diagnostic::new(
            Kind::Usage,
            "there is no module path to look into: `MODULEPATH` is empty",
        )
        .help("xmod cache build DIRECTORY..."));
    }
    if let Some(dir) = modulepaths.iter().find(|dir| !dir.is_absolute()) {
        return Err(Diagnostic::new(
            Kind::Usage,
            format!("`{dir}` is not an absolute path"),
        ));
    }
    let mut config = config.clone();
    config.jobs = build
        .jobs
        .map_or(config.jobs, |jobs| u32::try_from(jobs).unwrap_or(u32::MAX));
    if owner == Owner::System {
        // The file is for everybody, whoever makes it.
        config.ignore_user_rc = true;
    }
    let once = |from_scratch: bool| {
        let mut rc = RcEvaluator::new(session, &config, &languages, "bash");
        let bar = bar(session);
        let mut memory = Cache::for_build((!from_scratch).then_some(path.as_path()), owner, bar);
        let mut resolver = Resolver::new(modulepaths.clone());
        let crawl = resolver.roots().crawl_to_remember(&mut rc, &mut memory);
        let saved = memory.save(&path, &crawl, &config, Others::Go);
        (saved, crawl, resolver.take_warnings())
    };
    let (mut saved, mut crawl, mut warnings) = once(build.from_scratch);
    if saved == Err(SaveError::Damaged) {
        (saved, crawl, warnings) = once(true);
    }
    let saved = saved.map_err(|error| match error {
        SaveError::Cache(error) => site(error),
        SaveError::Damaged => Diagnostic::new(Kind::Bug, "a cache that was not read is damaged"),
    })?;
    let mut stderr = String::new();
    for mistake in warnings.iter().chain(crawl.mistakes.values()) {
        stderr.push_str(&mistake.render(Severity::Warning, false, 100));
    }
    let size = std::fs::metadata(&path).map_or(0, |meta| meta.len());
    Ok(Outcome {
        stdout: format!(
            "{} modules in {} module paths ({} modulefiles evaluated), {} programs: {path}, {} kB\n",
            saved.modules,
            saved.roots,
            crawl.evaluated(),
            saved.programs,
            size.div_ceil(1024)
        )
        .into_bytes(),
        stderr: stderr.into_bytes(),
        ..Outcome::default()
    })
}

/// Shows how far a build is, where somebody sees it.
fn bar(session: &Session) -> Option<Box<dyn Fn(usize, usize)>> {
    if !session.stderr_is_terminal() {
        return None;
    }
    let style = indicatif::ProgressStyle::with_template("{bar:40} {pos}/{len} modulefiles {eta}");
    let bar = indicatif::ProgressBar::new(0);
    if let Ok(style) = style {
        bar.set_style(style);
    }
    Some(Box::new(move |done, of| {
        bar.set_length(of as u64);
        bar.set_position(done as u64);
        if done == of {
            bar.finish_and_clear();
        }
    }))
}

/// Says which caches there are, and whether they would answer now.
pub fn status(session: &Session, config: &Config) -> Outcome {
    let languages = Languages::default();
    let config = &with_places(session, config, &languages);
    let mut rc = RcEvaluator::new(session, config, &languages, "bash");
    let mut text = String::new();
    for status in cache::status(session, &mut rc) {
        let owner = match status.owner {
            Owner::System => "system",
            Owner::User => "user",
        };
        let modules: u32 = status.roots.iter().map(|root| root.modules).sum();
        let what = match (&status.problem, status.size_bytes) {
            (Some(problem), _) => problem.clone(),
            (None, Some(size)) => format!("{modules} modules, {} kB", size.div_ceil(1024)),
            (None, None) => "none".to_owned(),
        };
        text.push_str(&format!("{owner:<7} {}: {what}\n", status.path));
        for root in &status.roots {
            let freshness = match &root.freshness {
                Freshness::Dir => "dir".to_owned(),
                Freshness::Stamp(file) => format!("stamp {file}"),
                Freshness::Trust => "trust".to_owned(),
            };
            let fresh = if root.is_fresh {
                "up to date"
            } else {
                "out of date"
            };
            text.push_str(&format!(
                "        {}: {} modules, {fresh} ({freshness})\n",
                root.modulepath, root.modules
            ));
        }
    }
    if config.system_cache.is_empty() {
        text.push_str("system  no place set: `system_cache` in the site configuration, or XMOD_SYSTEM_CACHE\n");
    }
    Outcome {
        stdout: text.into_bytes(),
        ..Outcome::default()
    }
}

/// Removes a cache.
///
/// # Errors
/// It cannot be removed.
pub fn clear(session: &Session, config: &Config, owner: Owner) -> Result<Outcome, Diagnostic> {
    let places = with_places(session, config, &Languages::default());
    let path = place(session, &places, owner)?;
    let text = if cache::clear(&path).map_err(site)? {
        format!("removed {path}\n")
    } else {
        format!("there is no cache {path}\n")
    };
    Ok(Outcome {
        stdout: BString::from(text).into(),
        ..Outcome::default()
    })
}

/// The settings with the places that the site's Lua files name for caches.
fn with_places(session: &Session, config: &Config, languages: &Languages) -> Config {
    Site::new(session, config, languages).with_cache_places(CacheUse::Build)
}

fn place(session: &Session, config: &Config, owner: Owner) -> Result<Utf8PathBuf, Diagnostic> {
    cache::path(session, config, owner).ok_or_else(|| match owner {
        Owner::System => Diagnostic::new(Kind::Site, "there is no place for the system cache")
            .help(
                "set `system_cache` in the site configuration, or the variable XMOD_SYSTEM_CACHE; or name a directory \
                 in `scDescriptT` of `lmodrc.lua`",
            ),
        Owner::User => Diagnostic::new(
            Kind::Site,
            "there is no place for the user cache: HOME is not set",
        ),
    })
}

fn site(error: cache::CacheError) -> Diagnostic {
    Diagnostic::new(Kind::Site, error.to_string())
        .note("the old cache, if there was one, is untouched")
}
