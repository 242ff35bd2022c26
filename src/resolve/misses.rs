//! What to say when nothing was found: near names, other versions, and how to get to a module that lies elsewhere.

use std::collections::BTreeSet;

use super::{Beyond, Elsewhere, ResolveError, Resolver};
use crate::config::Config;
use crate::diag::{Diagnostic, Kind};
use crate::name::{Spec, Versions};
use crate::tree::{Child, RcReader, Subject, file_path, joined};

/// How many near names and versions are shown.
const MAX_SHOWN: usize = 5;

impl Resolver {
    /// The bare message about a module that does not exist, in the words of the setting `unknown_module`.
    pub fn unknown(spec: &Spec, config: &Config) -> Diagnostic {
        let title = &config.unknown_module;
        Diagnostic::new(Kind::Module, title.replace("{module}", &spec.to_string()))
            .known_as("e_Failed_Load", &[("module_list", &quoted(spec))])
    }

    /// The message for a failed request. `beyond` is what a cache or a crawl knows about the name.
    ///
    /// The modulepaths are listed for it (one directory each), never walked.
    pub fn explain(
        &mut self,
        error: &ResolveError,
        beyond: &Beyond,
        rc: &mut dyn RcReader,
    ) -> Diagnostic {
        let diagnostic = Diagnostic::from(error.clone());
        let spec = match error {
            ResolveError::NotFound { spec } => spec,
            ResolveError::NoDefault { name } => return self.explain_choice(diagnostic, name, rc),
            ResolveError::Forbidden { full_name, .. } => {
                return self.explain_forbidden(diagnostic, full_name, rc);
            }
            _ => return diagnostic,
        };
        let diagnostic = Self::unknown(spec, rc.config());
        if spec.is_file() {
            return diagnostic;
        }
        if !beyond.elsewhere.is_empty() {
            return explain_ways(diagnostic, spec, &beyond.elsewhere);
        }
        let versions = self.versions_near(spec, rc);
        if !versions.is_empty() {
            let (first, _) = spec.path.split_once('/').unwrap_or((&spec.path, ""));
            return diagnostic
                .note(format!("there is {}", listed(&versions)))
                .help(format!("`module avail {first}` lists all versions"));
        }
        let same = ending_in(&spec.path, &beyond.names);
        if let [_, _, ..] = same.as_slice() {
            // Nothing is guessed where several would do.
            return diagnostic
                .note(format!("`{}` is the last part of several names", spec.path))
                .help(format!("name one of them in full: {}", listed(&same)));
        }
        if let [one] = same.as_slice() {
            return diagnostic.help(format!("did you mean `{one}`?"));
        }
        if let Some(explained) = explain_providers(&diagnostic, spec, beyond) {
            return explained;
        }
        let mut names = self.names_near(&spec.path, &beyond.names, rc);
        // A broken file bears the name, too: to ask for it once more does not help.
        names.retain(|name| *name != spec.path);
        if !names.is_empty() {
            return diagnostic.help(format!("did you mean {}?", listed(&names)));
        }
        diagnostic.help(format!(
            "`module spider {}` looks in all hierarchies, `module avail` shows what can be loaded now",
            spec.path
        ))
    }

    /// The versions to choose from where there is no default.
    fn explain_choice(
        &mut self,
        diagnostic: Diagnostic,
        name: &str,
        rc: &mut dyn RcReader,
    ) -> Diagnostic {
        let Ok(spec) = Spec::plain(name) else {
            return diagnostic;
        };
        let versions = self.versions_near(&spec, rc);
        match versions.is_empty() {
            true => diagnostic,
            false => diagnostic.note(format!("there is {}", listed(&versions))),
        }
    }

    /// The other versions of a name of which one is forbidden.
    fn explain_forbidden(
        &mut self,
        diagnostic: Diagnostic,
        full_name: &str,
        rc: &mut dyn RcReader,
    ) -> Diagnostic {
        let Ok(spec) = Spec::plain(full_name) else {
            return diagnostic;
        };
        let mut versions = self.versions_near(&spec, rc);
        versions.retain(|version| version != full_name);
        match versions.is_empty() || !full_name.contains('/') {
            true => diagnostic,
            false => diagnostic.help(format!("other versions: {}", listed(&versions))),
        }
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
                    for (name, child) in read.children.iter() {
                        let full_name = joined(dir, name);
                        let slash = match child {
                            Child::Dir => "/",
                            Child::File(file) => {
                                let subject = Subject {
                                    name: dir,
                                    full_name: &full_name,
                                    file: &file_path(&root, dir, file),
                                };
                                // What is hidden is not told, and what is forbidden is no help.
                                let verdict = self.roots.verdict(&root, &subject, 0, rc);
                                if verdict.hiding.is_some() || verdict.forbidden.is_some() {
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

    /// Names of the modulepaths, and of all hierarchies, that are written much like `name`.
    fn names_near(&mut self, name: &str, all: &[String], rc: &mut dyn RcReader) -> Vec<String> {
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
        for known in all {
            let last = known.rsplit('/').next().unwrap_or(known);
            let distance = distance(name, known).min(self::distance(name, last));
            if distance <= allowed(name) {
                found.push((distance, known.clone()));
            }
        }
        nearest(found)
    }
}

/// The names whose last part is `word`, upper and lower case being the same.
fn ending_in(word: &str, names: &[String]) -> Vec<String> {
    let word = word.to_lowercase();
    let ends = |name: &&String| {
        let name = name.to_lowercase();
        name.strip_suffix(&word)
            .is_some_and(|rest| rest.ends_with('/'))
    };
    names.iter().filter(ends).take(MAX_SHOWN).cloned().collect()
}

/// Modules that bring along an extension or a command of the name that was asked for.
fn explain_providers(diagnostic: &Diagnostic, spec: &Spec, beyond: &Beyond) -> Option<Diagnostic> {
    let (providers, kind) = match (beyond.extensions.as_slice(), beyond.commands.as_slice()) {
        ([], []) => return None,
        ([], commands) => (commands, "a command"),
        (extensions, _) => (extensions, "an extension"),
    };
    let names: BTreeSet<String> = (providers.iter())
        .map(|provider| provider.module.full_name.clone())
        .collect();
    let names: Vec<String> = names.into_iter().collect();
    let shown = &names[..names.len().min(MAX_SHOWN)];
    let more = match names.len() - shown.len() {
        0 => String::new(),
        more => format!(" and of {more} more"),
    };
    let mut explained = diagnostic
        .clone()
        .note(format!("`{spec}` is {kind} of {}{more}", listed(shown)));
    for provider in providers.iter().take(MAX_SHOWN) {
        explained = explained.help(format!("module load {}", provider.module.shortest()));
    }
    Some(explained)
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

/// A name as Lmod's messages have it.
fn quoted(spec: &Spec) -> String {
    format!("\"{}\"", spec.text)
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
    let values = [("kA", &*quoted(spec)), ("kB", &spec.text)];
    diagnostic = diagnostic.known_as("e_Failed_Load_2", &values);
    for (_, line) in lines.into_iter().take(MAX_SHOWN) {
        diagnostic = diagnostic.help(format!("module load {}", line.trim()));
    }
    if more > 0 {
        diagnostic = diagnostic.note(format!("and {more} more ways: `module spider` shows all"));
    }
    diagnostic
}
