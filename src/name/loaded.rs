//! Whether a loaded module is the one that is asked for.
//!
//! Lmod answers differently for `unload`, `is-loaded`, `prereq` and `conflict`; Environment Modules has one rule. Source:
//! observed with both; `module(1)` "Module names"; Lmod user guide "Dependent modules".

use super::order::VersionOrder;
use super::spec::{Spec, Versions};

/// Who asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Purpose {
    /// `unload`, the first argument of `swap`.
    Unload,
    /// `is-loaded`, `isloaded()`, `depends_on`.
    IsLoaded,
    /// `prereq`, `prereq_any`.
    Prereq,
    /// `conflict`.
    Conflict,
}

/// A loaded module as names see it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LoadedName<'a> {
    /// Name without version.
    pub name: &'a str,
    /// Name with version.
    pub full_name: &'a str,
    /// Further names that led to it or stand for it: aliases, symbolic versions, [automatic ones](automatic_symbol).
    pub alternatives: &'a [String],
    /// The variants it was loaded with.
    pub variants: &'a [(String, String)],
}

/// How a symbol of a module's own directory that nobody has defined (`default`, `latest`) stands among its further names.
pub fn automatic_symbol(symbol: &str) -> String {
    format!("={symbol}")
}

impl LoadedName<'_> {
    /// Whether `word` is one of its further names.
    fn is_called(&self, word: &str) -> bool {
        // Asked of each loaded module for each requirement: the directory is taken off only where a symbol wants it.
        let is_in_its_directory = |symbol| {
            let dir = self.full_name.rsplit_once('/').map_or("", |(dir, _)| dir);
            version_below(word, dir) == Some(symbol)
        };
        self.alternatives
            .iter()
            .any(|name| match name.strip_prefix('=') {
                Some(symbol) => is_in_its_directory(symbol),
                None => name == word,
            })
    }
}

/// How a word that is part of a name is understood.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LoadedRules {
    /// Who asks makes a difference (Lmod); otherwise whole leading elements match, and the beginning of a version where
    /// `extended_default` allows (Environment Modules).
    pub by_purpose: bool,
    /// `foo/1` means `foo/1.2` too.
    pub extended_default: bool,
    /// Upper and lower case are the same.
    pub ignore_case: bool,
    /// The order for ranges.
    pub order: VersionOrder,
    /// `latest` is a symbolic version, which the loaded module has or has not.
    pub automatic_symbols: bool,
}

/// Whether the loaded module `loaded` is one that `spec` means when asked for `purpose`.
pub fn matches_loaded(
    spec: &Spec,
    loaded: &LoadedName<'_>,
    purpose: Purpose,
    rules: &LoadedRules,
) -> bool {
    let variants = spec
        .variants
        .iter()
        .all(|wanted| loaded.variants.contains(wanted));
    if !variants {
        return false;
    }
    if rules.ignore_case {
        let lower = |text: &str| text.to_lowercase();
        let alternatives: Vec<String> = loaded.alternatives.iter().map(|a| lower(a)).collect();
        let loaded = LoadedName {
            name: &lower(loaded.name),
            full_name: &lower(loaded.full_name),
            alternatives: &alternatives,
            variants: &[],
        };
        return matches_name(&lower(&spec.path), spec, &loaded, purpose, rules);
    }
    matches_name(&spec.path, spec, loaded, purpose, rules)
}

fn matches_name(
    word: &str,
    spec: &Spec,
    loaded: &LoadedName<'_>,
    purpose: Purpose,
    rules: &LoadedRules,
) -> bool {
    match &spec.versions {
        Versions::AsWritten => {}
        Versions::Latest if rules.automatic_symbols => {
            return loaded.is_called(&format!("{word}/latest"));
        }
        // What `latest` meant was settled when the module was loaded: any version of the name is meant here.
        Versions::Latest | Versions::Loaded => {
            return word == loaded.name || is_below(loaded.full_name, word);
        }
        constraint => {
            let holds = |name: &str| {
                version_below(name, word)
                    .is_some_and(|version| constraint.accepts(version, rules.order))
            };
            return holds(loaded.full_name)
                || !rules.by_purpose && loaded.alternatives.iter().any(|name| holds(name));
        }
    }
    if loaded.is_called(word) || word == loaded.full_name {
        return true;
    }
    if !rules.by_purpose {
        let extends = rules.extended_default && word.contains('/');
        let means =
            |name: &str| is_below(name, word) || extends && continues(name, word, &['.', '-']);
        // What a module provides has versions, too.
        return means(loaded.full_name) || loaded.alternatives.iter().any(|name| means(name));
    }
    if word == loaded.name {
        return true;
    }
    // Only a word that holds the whole name can mean a version of it.
    let Some(version) = version_below(word, loaded.name) else {
        return false;
    };
    match purpose {
        Purpose::Unload => loaded.full_name.starts_with(word),
        Purpose::IsLoaded => version_below(loaded.full_name, loaded.name)
            .is_some_and(|loaded| continues(loaded, version, &['.'])),
        Purpose::Prereq => is_below(loaded.full_name, word),
        Purpose::Conflict => false,
    }
}

/// The part of `full_name` behind `name/`.
fn version_below<'a>(full_name: &'a str, name: &str) -> Option<&'a str> {
    full_name.strip_prefix(name)?.strip_prefix('/')
}

/// Whether `full_name` lies below `name`: whole elements.
fn is_below(full_name: &str, name: &str) -> bool {
    version_below(full_name, name).is_some()
}

/// Whether `full_name` is `word` continued by one of `separators`.
fn continues(full_name: &str, word: &str, separators: &[char]) -> bool {
    full_name
        .strip_prefix(word)
        .is_some_and(|rest| rest.starts_with(separators))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matched(word: &str, full_name: &str, purpose: Purpose, rules: LoadedRules) -> bool {
        let name = full_name
            .split_once('/')
            .map_or(full_name, |(name, _)| name);
        let loaded = LoadedName {
            name,
            full_name,
            alternatives: &["alias".to_owned()],
            variants: &[],
        };
        matches_loaded(&Spec::plain(word).unwrap(), &loaded, purpose, &rules)
    }

    #[test]
    fn in_lmod_it_matters_who_asks() {
        use Purpose::{Conflict, IsLoaded, Prereq, Unload};
        let rules = LoadedRules {
            by_purpose: true,
            ..LoadedRules::default()
        };
        for (word, full_name, purposes) in [
            (
                "foo",
                "foo/10.1",
                &[Unload, IsLoaded, Prereq, Conflict] as &[Purpose],
            ),
            (
                "foo/10.1",
                "foo/10.1",
                &[Unload, IsLoaded, Prereq, Conflict],
            ),
            ("alias", "foo/10.1", &[Unload, IsLoaded, Prereq, Conflict]),
            ("foo/10", "foo/10.1", &[Unload, IsLoaded]),
            ("foo/1", "foo/10.1", &[Unload]),
            ("x/2.0", "x/2.0-rc1", &[Unload]),
            ("x/2", "x/2.0-rc1", &[Unload, IsLoaded]),
            ("n/arm", "n/arm/3.0", &[Unload, Prereq]),
            ("fo", "foo/10.1", &[]),
            ("foo/2", "foo/10.1", &[]),
        ] {
            for purpose in [Unload, IsLoaded, Prereq, Conflict] {
                assert_eq!(
                    matched(word, full_name, purpose, rules),
                    purposes.contains(&purpose),
                    "{word} {full_name} {purpose:?}"
                );
            }
        }
    }

    #[test]
    fn in_environment_modules_leading_elements_match() {
        let rules = LoadedRules {
            extended_default: true,
            ..LoadedRules::default()
        };
        for (word, full_name, expected) in [
            ("foo", "foo/10.1", true),
            ("foo/10", "foo/10.1", true),
            ("foo/10", "foo/10-1", true),
            ("foo/1", "foo/10.1", false),
            ("n/arm", "n/arm/3.0", true),
            ("alias", "foo/10.1", true),
            ("fo", "foo/10.1", false),
        ] {
            assert_eq!(
                matched(word, full_name, Purpose::Unload, rules),
                expected,
                "{word} {full_name}"
            );
        }
    }
}
