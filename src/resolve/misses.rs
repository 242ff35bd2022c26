//! What to say when nothing was found: near names, other versions, and how to get to a module that lies elsewhere.

use std::collections::BTreeSet;

use super::{ResolveError, Resolver};
use crate::config::Config;
use crate::diag::{Diagnostic, Kind};
use crate::name::{Spec, Versions};
use crate::tree::{Child, RcReader, Subject, Way, file_path, joined};

/// How many near names and versions are shown.
const MAX_SHOWN: usize = 5;

/// A module that exists behind others, or in a modulepath that is not in force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Elsewhere {
    /// Its full name.
    pub full_name: String,
    /// What to load first; one row for each way.
    pub ways: Vec<Way>,
}

impl Resolver {
    /// The bare message about a module that does not exist, in the words of the setting `unknown_module`.
    pub fn unknown(spec: &Spec, config: &Config) -> Diagnostic {
        let title = &config.unknown_module;
        Diagnostic::new(Kind::Module, title.replace("{module}", &spec.to_string()))
    }

    /// The message for a failed request. `elsewhere` are the modules of that name that a cache or a crawl knows.
    ///
    /// The modulepaths are listed for it (one directory each), never walked.
    pub fn explain(
        &mut self,
        error: &ResolveError,
        elsewhere: &[Elsewhere],
        rc: &mut dyn RcReader,
    ) -> Diagnostic {
        let diagnostic = Diagnostic::from(error.clone());
        let ResolveError::NotFound { spec } = error else {
            return diagnostic;
        };
        let diagnostic = Self::unknown(spec, rc.config());
        if spec.is_file() {
            return diagnostic;
        }
        if !elsewhere.is_empty() {
            return explain_ways(diagnostic, spec, elsewhere);
        }
        let versions = self.versions_near(spec, rc);
        if !versions.is_empty() {
            let (first, _) = spec.path.split_once('/').unwrap_or((&spec.path, ""));
            return diagnostic
                .note(format!("there is {}", listed(&versions)))
                .help(format!("`module avail {first}` lists all versions"));
        }
        let names = self.names_near(&spec.path, rc);
        if !names.is_empty() {
            return diagnostic.help(format!("did you mean {}?", listed(&names)));
        }
        diagnostic.help(format!(
            "`module spider {}` looks in all hierarchies, `module avail` shows what can be loaded now",
            spec.path
        ))
    }

    /// Full names of the directory that the request leads to, those nearest to what was asked first.
    fn versions_near(&mut self, spec: &Spec, rc: &mut dyn RcReader) -> Vec<String> {
        let wanted = match (spec.path.rsplit_once('/'), &spec.versions) {
            (Some((_, version)), Versions::AsWritten) => version.to_owned(),
            _ => String::new(),
        };
        let mut found: Vec<(usize, String)> = Vec::new();
        for root in self.modulepaths().to_vec() {
            // The longest beginning of the request that is a directory, but not the modulepath itself.
            let mut dir = spec.path.as_str();
            while self
                .roots
                .top(&root, dir.split('/').next().unwrap_or_default(), rc)
                .is_some()
            {
                if let Some(read) = self.roots.dir(&root, dir, rc) {
                    for (name, child) in &read.children {
                        let full_name = joined(dir, name);
                        let slash = match child {
                            Child::Dir => "/",
                            Child::File(file) => {
                                let subject = Subject {
                                    name: dir,
                                    full_name: &full_name,
                                    file: &file_path(&root, dir, file),
                                };
                                // What is hidden is not told.
                                if self.roots.verdict(&root, &subject, 0, rc).hiding.is_some() {
                                    continue;
                                }
                                ""
                            }
                        };
                        found.push((distance(&wanted, name), format!("{full_name}{slash}")));
                    }
                    break;
                }
                let Some((parent, _)) = dir.rsplit_once('/') else {
                    break;
                };
                dir = parent;
            }
        }
        nearest(found)
    }

    /// Names of the modulepaths that are written much like `name`.
    fn names_near(&mut self, name: &str, rc: &mut dyn RcReader) -> Vec<String> {
        let (first, rest) = name
            .split_once('/')
            .map_or((name, None), |(f, r)| (f, Some(r)));
        let mut found: Vec<(usize, String)> = Vec::new();
        for root in self.modulepaths().to_vec() {
            let Some(listing) = self.roots.dir(&root, "", rc) else {
                continue;
            };
            for known in listing
                .children
                .keys()
                .filter(|known| !known.starts_with('.'))
            {
                let distance = distance(first, known);
                let folded = first.to_lowercase() == known.to_lowercase();
                if folded || distance <= allowed(first) {
                    let both = rest.map(|rest| format!("{known}/{rest}"));
                    found.push((
                        if folded { 0 } else { distance },
                        both.unwrap_or_else(|| known.clone()),
                    ));
                }
            }
        }
        nearest(found)
    }
}

/// How many letters of a word may be wrong.
fn allowed(word: &str) -> usize {
    match word.chars().count() {
        0..=2 => 0,
        3..=4 => 1,
        5..=8 => 2,
        _ => 3,
    }
}

fn distance(wanted: &str, known: &str) -> usize {
    strsim::damerau_levenshtein(&wanted.to_lowercase(), &known.to_lowercase())
}

/// The nearest few, each once.
fn nearest(mut found: Vec<(usize, String)>) -> Vec<String> {
    found.sort();
    let mut seen = BTreeSet::new();
    let names = found.into_iter().map(|(_, name)| name);
    names
        .filter(|name| seen.insert(name.clone()))
        .take(MAX_SHOWN)
        .collect()
}

/// `a`, `b` and `c`.
fn listed(names: &[String]) -> String {
    let quoted: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    match quoted.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, others)) => format!("{} or {last}", others.join(", ")),
        None => String::new(),
    }
}

/// How to get to modules that cannot be loaded directly.
fn explain_ways(diagnostic: Diagnostic, spec: &Spec, elsewhere: &[Elsewhere]) -> Diagnostic {
    let mut lines: Vec<(usize, String)> = elsewhere
        .iter()
        .flat_map(|module| {
            module.ways.iter().map(|way| {
                let first = way.join(" ");
                (way.len(), format!("{first} {}", module.full_name))
            })
        })
        .collect();
    lines.sort();
    lines.dedup();
    let more = lines.len().saturating_sub(MAX_SHOWN);
    let mut diagnostic = Diagnostic {
        message: format!("`{spec}` exists, but other modules have to be loaded before it"),
        ..diagnostic
    };
    for (_, line) in lines.into_iter().take(MAX_SHOWN) {
        diagnostic = diagnostic.help(format!("module load {}", line.trim()));
    }
    if more > 0 {
        diagnostic = diagnostic.note(format!("and {more} more ways: `module spider` shows all"));
    }
    diagnostic
}
