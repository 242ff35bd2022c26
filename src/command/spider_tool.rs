//! The `spider` program of Lmod: `spider -o STYLE DIR...`, and `xmod spider`.

use camino::Utf8PathBuf;

use super::Outcome;
use crate::catalog::lmod::{self, PathFilter, Style};
use crate::diag::{Diagnostic, Kind};
use crate::modulefile::Languages;
use crate::modulefile::site::Site;
use crate::resolve::Resolver;
use crate::session::Session;
use crate::tree::{NoMemory, RcEvaluator};

/// Crawls `dirs` (each may hold several, joined by `:`) and prints all modules in a style.
///
/// Nothing but the document is printed: readers take any other text for a mistake.
///
/// # Errors
/// A directory is not absolute, or there is none.
pub fn run(session: &Session, style: &str, dirs: &[String]) -> Result<Outcome, Diagnostic> {
    let style = Style::find(style).ok_or_else(|| {
        Diagnostic::new(Kind::Usage, format!("unknown style `{style}`"))
            .help(format!("the styles are {}", Style::NAMES.join(", ")))
    })?;
    let modulepaths: Vec<Utf8PathBuf> = dirs
        .iter()
        .flat_map(|dirs| dirs.split(':'))
        .filter(|dir| !dir.is_empty())
        .map(Utf8PathBuf::from)
        .collect();
    if modulepaths.is_empty() {
        return Err(
            Diagnostic::new(Kind::Usage, "there is no directory to look into")
                .help("spider -o spider-json DIR"),
        );
    }
    if let Some(dir) = modulepaths.iter().find(|dir| !dir.is_absolute()) {
        return Err(Diagnostic::new(
            Kind::Usage,
            format!("`{dir}` is not an absolute path"),
        ));
    }
    let mut config = super::settings(session)?;
    // The document is for everybody, whoever makes it.
    config.ignore_user_rc = true;
    let languages = Languages::default();
    let filter = Site::new(session, &config, &languages).reverse_map_filter()?;
    let paths = filter.map_or_else(PathFilter::default, |(keep, leave)| PathFilter {
        keep,
        leave,
    });
    let mut rc = RcEvaluator::new(session, &config, &languages, "bash");
    let crawl = Resolver::new(modulepaths)
        .roots()
        .crawl(&mut rc, &mut NoMemory, None);
    Ok(Outcome {
        stdout: lmod::render(&crawl, style, &paths).into_bytes(),
        ..Outcome::default()
    })
}
