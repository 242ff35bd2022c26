//! What the rc files of a modulepath say, statement by statement, and what belongs together: so that a few names can be
//! surveyed again without reading the rc files of all others.

use std::collections::BTreeSet;

use camino::{Utf8Path, Utf8PathBuf};

use super::facts::completed;
use crate::modulefile::Directive;
use crate::modulefile::relation::{Condition, Hiding};

/// A statement of an rc file, or of a TOML file about itself.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Statement {
    /// What it says.
    pub directive: Directive,
    /// The directory that it is about, relative to the modulepath.
    pub dir: String,
    /// The directory that its files are seen from.
    pub place: Utf8PathBuf,
    /// The file it stands in, relative to the modulepath.
    pub file: String,
}

impl Statement {
    /// The directory in which it is said; for a TOML file the name of that.
    pub(super) fn scope(&self) -> &str {
        match self.file.strip_suffix(".toml") {
            Some(name) => name,
            None => self.file.rsplit_once('/').map_or("", |(dir, _)| dir),
        }
    }

    /// Where it comes in the order of reading: a directory before those in it, and those by their names.
    pub(super) fn order(&self) -> impl Ord + use<'_> {
        let dir = self.file.rsplit_once('/').map_or("", |(dir, _)| dir);
        dir.split('/')
            .filter(|part| !part.is_empty())
            .collect::<Vec<_>>()
    }

    /// The rule that it gives, which is judged at the time of a listing, with the directory that it is given in.
    pub(super) fn rule(&self) -> Option<(Directive, String)> {
        match &self.directive {
            Directive::Hide { .. }
            | Directive::Forbid { .. }
            | Directive::Tag { .. }
            | Directive::Warn { .. } => Some((self.directive.clone(), self.dir.clone())),
            Directive::Virtual { target, .. } if !self.place.join(target).is_file() => {
                let hide = Directive::Hide {
                    targets: vec![completed(target, &self.dir)],
                    regex: false,
                    hiding: Hiding::Hidden,
                    hidden_loaded: false,
                    condition: Condition::default(),
                };
                Some((hide, String::new()))
            }
            _ => None,
        }
    }

    /// Whether it ties a name in one of the places to something elsewhere: then those places cannot be surveyed alone.
    pub(super) fn ties(&self, places: &Places) -> bool {
        let names = match &self.directive {
            Directive::Ignore { .. } => return true,
            Directive::Version { target, .. } => vec![completed(target, &self.dir)],
            Directive::Default { .. } => vec![self.dir.clone()],
            Directive::Alias { name, target } | Directive::Virtual { name, target } => {
                vec![completed(name, &self.dir), completed(target, &self.dir)]
            }
            // Rules are judged for each module when somebody asks.
            Directive::Hide { .. }
            | Directive::Forbid { .. }
            | Directive::Tag { .. }
            | Directive::Warn { .. }
            | Directive::Label { .. } => Vec::new(),
        };
        match places.holding(self.scope()) {
            Some(place) => names.iter().any(|name| !is_at_or_below(name, place)),
            None => names.len() > 1 && names.iter().any(|name| places.lead_to(name)),
        }
    }
}

/// Paths below a modulepath at or below which something has changed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Places(BTreeSet<String>);

impl Places {
    /// Of several that lie in one another the one above.
    pub fn new(paths: BTreeSet<String>) -> Places {
        let mut places = Places::default();
        for path in paths {
            // What lies above is shorter, and so comes first.
            if places.holding(&path).is_none() {
                places.0.insert(path);
            }
        }
        places
    }

    /// The place that a path is, or lies in.
    pub fn holding<'p>(&self, path: &'p str) -> Option<&'p str> {
        let above = path.match_indices('/').map(|(at, _)| &path[..at]);
        above.chain([path]).find(|path| self.0.contains(*path))
    }

    /// Whether a path lies in one of them, or above one.
    pub fn lead_to(&self, path: &str) -> bool {
        let below = format!("{path}/");
        let mut behind = self.0.range(below.clone()..);
        path.is_empty()
            || self.holding(path).is_some()
            || behind.next().is_some_and(|place| place.starts_with(&below))
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Whether a path is another one, or lies below it.
fn is_at_or_below(path: &str, above: &str) -> bool {
    let rest = path.strip_prefix(above);
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// A path relative to a modulepath, or as it is where it lies elsewhere.
pub(super) fn relative(path: &Utf8Path, root: &Utf8Path) -> String {
    path.strip_prefix(root).unwrap_or(path).to_string()
}
