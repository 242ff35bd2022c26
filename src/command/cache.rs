//! `xmod cache build|status|clear`.

use bstr::BString;

use crate::cache::{self, Cache, Owner};
use crate::config::Config;
use crate::diag::{Diagnostic, Kind, Severity};
use crate::modulefile::Languages;
use crate::resolve::Resolver;
use crate::session::Session;
use crate::tree::RcEvaluator;

use super::Outcome;

/// Evaluates all modulefiles of all hierarchies below MODULEPATH (or `dirs`) and writes the cache anew.
///
/// # Errors
/// There is no modulepath, or the cache cannot be written.
pub fn build(
    session: &Session,
    config: &Config,
    owner: Owner,
    dirs: &[String],
) -> Result<Outcome, Diagnostic> {
    let path = place(session, config, owner)?;
    let modulepaths: Vec<camino::Utf8PathBuf> = if dirs.is_empty() {
        session
            .text("MODULEPATH")
            .unwrap_or_default()
            .split(':')
            .filter(|d| !d.is_empty())
            .map(Into::into)
            .collect()
    } else {
        dirs.iter().map(Into::into).collect()
    };
    if modulepaths.is_empty() {
        return Err(Diagnostic::new(
            Kind::Usage,
            "there is no module path to look into: `MODULEPATH` is empty",
        )
        .help("xmod cache build DIRECTORY..."));
    }
    let languages = Languages::default();
    let mut rc = RcEvaluator {
        session,
        config,
        languages: &languages,
        shell: "bash",
        loaded: Vec::new(),
    };
    let mut memory = Cache::empty();
    let mut resolver = Resolver::new(modulepaths);
    let crawl = resolver.roots().crawl(&mut rc, &mut memory, None);
    memory.replace(&path).map_err(site)?;
    let modules: usize = crawl.trees.iter().map(|tree| tree.modules.len()).sum();
    let mut stderr = String::new();
    for mistake in crawl.mistakes.values() {
        stderr.push_str(&mistake.render(Severity::Warning, false, 100));
    }
    Ok(Outcome {
        stdout: format!(
            "{modules} modules in {} module paths, {} remembered in {path}\n",
            crawl.trees.len(),
            memory.learned()
        )
        .into_bytes(),
        stderr: stderr.into_bytes(),
        ..Outcome::default()
    })
}

/// Says which caches there are.
pub fn status(session: &Session, config: &Config) -> Outcome {
    let mut text = String::new();
    for status in cache::status(session, config) {
        let owner = match status.owner {
            Owner::System => "system",
            Owner::User => "user",
        };
        let what = match (&status.problem, status.size_bytes) {
            (Some(problem), _) => problem.clone(),
            (None, Some(size)) => format!("{} modules, {} kB", status.modules, size.div_ceil(1024)),
            (None, None) => "none".to_owned(),
        };
        text.push_str(&format!("{owner:<7} {}: {what}\n", status.path));
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
    let path = place(session, config, owner)?;
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

fn place(
    session: &Session,
    config: &Config,
    owner: Owner,
) -> Result<camino::Utf8PathBuf, Diagnostic> {
    cache::path(session, config, owner).ok_or_else(|| match owner {
        Owner::System => Diagnostic::new(Kind::Site, "there is no place for the system cache")
            .help(
                "set `system_cache` in the site configuration, or the variable XMOD_SYSTEM_CACHE",
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
