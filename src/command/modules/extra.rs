//! Extra specifiers: searches by what modulefiles say, not by what they are called: `avail setenv:CC`,
//! `avail not:require:gcc`, `whatis provide:mpi`.
//!
//! Names of one specifier are alternatives, several specifiers must all hold, `not:` turns one round. Source: `module(1)`
//! "Extra match search".

use super::Context;
use crate::diag::{Diagnostic, Kind};
use crate::modulefile::{Call, Evaluation, Mode, Variant};
use crate::name::{LoadedName, LoadedRules, Purpose, Spec, matches_loaded};
use crate::tree::Entry;

/// What a specifier may ask for.
const ELEMENTS: &[&str] = &[
    "always-load",
    "append-path",
    "chdir",
    "complete",
    "conflict",
    "depends-on",
    "depends-on-any",
    "envvar",
    "extensions",
    "family",
    "incompat",
    "load",
    "load-any",
    "prepend-path",
    "prereq",
    "prereq-all",
    "prereq-any",
    "provide",
    "provided-alias",
    "pushenv",
    "remove-path",
    "require",
    "set-alias",
    "set-function",
    "setenv",
    "switch",
    "switch-off",
    "switch-on",
    "tag",
    "try-load",
    "uncomplete",
    "unload",
    "unset-alias",
    "unset-function",
    "unsetenv",
    "use",
    "variant",
];

/// What the elements are that stand for several.
const GROUPS: &[(&str, &[&str])] = &[
    (
        "envvar",
        &[
            "setenv",
            "unsetenv",
            "append-path",
            "prepend-path",
            "remove-path",
            "pushenv",
        ],
    ),
    ("provided-alias", &["family", "provide", "extensions"]),
    (
        "require",
        &[
            "prereq",
            "prereq-any",
            "prereq-all",
            "depends-on",
            "depends-on-any",
            "always-load",
            "load",
            "load-any",
            "try-load",
            "switch-on",
        ],
    ),
    ("incompat", &["conflict", "unload", "switch-off"]),
    ("switch", &["switch-on", "switch-off"]),
];

/// One specifier of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Extra {
    element: &'static str,
    names: Vec<String>,
    wanted: bool,
}

impl Extra {
    /// Reads `element:name,...` and `not:element:name,...`; `None` where the word is none.
    ///
    /// # Errors
    /// It looks like one, but there is no such element.
    pub(super) fn read(word: &str) -> Result<Option<Extra>, Diagnostic> {
        let (rest, wanted) = match word.strip_prefix("not:") {
            Some(rest) => (rest, false),
            None => (word, true),
        };
        let Some((element, names)) = rest.split_once(':') else {
            return Ok(None);
        };
        let is_word = |c: char| c.is_ascii_lowercase() || c == '-';
        if element.is_empty() || !element.chars().all(is_word) {
            return Ok(None);
        }
        let Some(element) = ELEMENTS.iter().find(|known| **known == element) else {
            return Err(Diagnostic::new(
                Kind::Usage,
                format!("invalid extra specifier `{element}`"),
            )
            .help(format!("there are {}", ELEMENTS.join(", "))));
        };
        if names.is_empty() {
            return Err(Diagnostic::new(
                Kind::Usage,
                format!("`{word}` names nothing"),
            ));
        }
        Ok(Some(Extra {
            element,
            names: names.split(',').map(str::to_owned).collect(),
            wanted,
        }))
    }

    /// Whether modulefiles have to be read to tell.
    fn asks_files(&self) -> bool {
        self.element != "tag"
    }

    /// Whether it is true of a module with these tags and statements.
    fn holds(&self, tags: &[&str], said: &Said, rules: &LoadedRules, context: &Context) -> bool {
        let found = match self.element {
            "tag" => self.names.iter().any(|name| tags.contains(&name.as_str())),
            "variant" => self
                .names
                .iter()
                .any(|name| said.variants.iter().any(|variant| variant.name == *name)),
            element => {
                let group = GROUPS.iter().find(|(name, _)| *name == element);
                let elements = group.map_or(std::slice::from_ref(&self.element), |(_, all)| all);
                let about_modules = elements.iter().all(|e| is_about_modules(e));
                let mut named = (said.statements.iter())
                    .filter(|(element, _)| elements.contains(&element.as_str()))
                    .map(|(_, name)| name);
                match about_modules {
                    true => named.any(|name| self.means(name, rules, context)),
                    false => named.any(|name| self.names.contains(name)),
                }
            }
        };
        found == self.wanted
    }

    /// Whether one of the names means the module that a statement is about.
    fn means(&self, stated: &str, rules: &LoadedRules, context: &Context) -> bool {
        let stated = Spec::parse(stated, &context.config.spec_rules()).ok();
        let Some(stated) = stated else {
            return false;
        };
        let loaded = LoadedName {
            name: stated.path.split('/').next().unwrap_or_default(),
            full_name: &stated.path,
            alternatives: &[],
            variants: &stated.variants,
        };
        self.names.iter().any(|name| {
            *name == stated.text
                || Spec::parse(name, &context.config.spec_rules())
                    .is_ok_and(|spec| matches_loaded(&spec, &loaded, Purpose::Conflict, rules))
        })
    }
}

/// Whether an element names modules.
fn is_about_modules(element: &str) -> bool {
    let named = ["require", "incompat"];
    GROUPS
        .iter()
        .any(|(group, all)| named.contains(group) && all.contains(&element))
}

/// What a modulefile says, as far as searches ask.
#[derive(Debug, Default)]
pub(super) struct Said {
    /// Element and name of each statement.
    statements: Vec<(String, String)>,
    /// The variants it declares.
    pub(super) variants: Vec<Variant>,
}

impl Said {
    fn new(evaluation: Evaluation) -> Said {
        Said {
            statements: evaluation.calls.iter().flat_map(statements).collect(),
            variants: evaluation.variants,
        }
    }

    /// The further names of the module.
    pub(super) fn provided(&self) -> impl Iterator<Item = &String> {
        let (_, elements) = GROUPS[1];
        let named = self.statements.iter();
        named
            .filter(move |(element, _)| elements.contains(&element.as_str()))
            .map(|(_, name)| name)
    }
}

/// What one call says: element and name, once for each name.
fn statements(call: &Call) -> Vec<(String, String)> {
    let words = call.args.positional.iter().filter_map(|word| {
        let text = word.to_bytes()?;
        Some(text.to_string())
    });
    let mut words: Vec<String> = words.collect();
    let command = call.command;
    let usual = command.tcl.first().or(command.lua.first());
    let name = usual.map_or("", |name| *name).replace('_', "-");
    let all = |element: &str, words: Vec<String>| -> Vec<(String, String)> {
        let named = words.into_iter().filter(|word| !word.starts_with('-'));
        named.map(|word| (element.to_owned(), word)).collect()
    };
    match name.as_str() {
        "module" => {
            let mut words = words
                .iter()
                .flat_map(|word| word.split_whitespace())
                .map(str::to_owned);
            let sub = words.next().unwrap_or_default();
            of_module(&sub, words.collect())
        }
        "complete" => all(&name, words.drain(..).skip(1).take(1).collect()),
        "extensions" => {
            let names = words.iter().flat_map(|word| word.split([',', ' ']));
            let names = names.filter(|name| !name.is_empty()).map(str::to_owned);
            all(&name, names.collect())
        }
        "setenv"
        | "unsetenv"
        | "pushenv"
        | "set-alias"
        | "unset-alias"
        | "set-function"
        | "unset-function"
        | "set-shell-function"
        | "unset-shell-function"
        | "uncomplete"
        | "chdir"
        | "family" => {
            words.truncate(1);
            all(&name.replace("shell-", ""), words)
        }
        "append-path" | "prepend-path" | "remove-path" => {
            let opens = name != "remove-path" && words.first().is_some_and(|w| w == "MODULEPATH");
            let dirs = words.split_off(1.min(words.len()));
            let mut said = all(&name, words);
            if opens {
                said.extend(all("use", dirs));
            }
            said
        }
        _ => all(&name, words),
    }
}

/// What `module SUB WORD...` in a modulefile says.
fn of_module(sub: &str, words: Vec<String>) -> Vec<(String, String)> {
    let element = match sub {
        "load" | "add" => "load",
        "try-load" | "try-add" => "try-load",
        "load-any" | "add-any" => "load-any",
        "unload" | "rm" | "remove" | "del" | "delete" => "unload",
        "use" => "use",
        "switch" | "swap" => {
            let named: Vec<String> = (words.into_iter())
                .filter(|word| !word.starts_with('-'))
                .collect();
            return match named.as_slice() {
                [new] => vec![("switch-on".to_owned(), new.clone())],
                [old, new, ..] => vec![
                    ("switch-off".to_owned(), old.clone()),
                    ("switch-on".to_owned(), new.clone()),
                ],
                [] => Vec::new(),
            };
        }
        _ => return Vec::new(),
    };
    let words = words.into_iter().filter(|word| !word.starts_with('-'));
    words.map(|word| (element.to_owned(), word)).collect()
}

/// The specifiers of a request, and the variants that modules must have.
#[derive(Debug, Default)]
pub(super) struct Extras {
    all: Vec<Extra>,
    /// Name and the values that will do; the modules are those that declare it.
    variants: Vec<(String, Vec<String>)>,
    /// Whether what modulefiles say is to be shown, whatever is asked for.
    shows: bool,
}

impl Extras {
    /// Takes the specifiers out of the words of a request.
    ///
    /// # Errors
    /// One of them is not known.
    pub(super) fn take(words: &[String]) -> Result<(Extras, Vec<String>), Diagnostic> {
        let mut extras = Extras::default();
        let mut rest = Vec::new();
        for word in words {
            match Extra::read(word)? {
                Some(extra) => extras.all.push(extra),
                None => rest.push(word.clone()),
            }
        }
        Ok((extras, rest))
    }

    /// Adds the variants that a request names.
    pub(super) fn add_variants(&mut self, variants: &[(String, String)]) {
        for (name, value) in variants {
            let values = value.split(',').map(str::to_owned).collect();
            self.variants.push((name.clone(), values));
        }
    }

    /// What modulefiles say is to be shown.
    pub(super) fn show(&mut self) {
        self.shows = true;
    }

    /// Whether anything but names is asked for.
    pub(super) fn any(&self) -> bool {
        !self.all.is_empty() || !self.variants.is_empty()
    }

    /// Whether variants are asked for.
    pub(super) fn ask_variants(&self) -> bool {
        !self.variants.is_empty() || self.all.iter().any(|extra| extra.element == "variant")
    }

    /// What the file of a module says, if the module is one that is asked for. Files that are broken say nothing.
    pub(super) fn judge(
        &self,
        context: &mut Context,
        entry: &Entry,
        tags: &[String],
    ) -> Option<Said> {
        if self.any() && entry.verdict().forbidden.is_some() {
            return None;
        }
        let short = context.abbreviations();
        let tags: Vec<&str> = (tags.iter())
            .flat_map(|tag| [tag.as_str(), short.of(tag)])
            .collect();
        let by_tags = self.all.iter().filter(|extra| !extra.asks_files());
        let rules = context.config.loaded_rules();
        let nothing = Said::default();
        if !by_tags
            .clone()
            .all(|extra| extra.holds(&tags, &nothing, &rules, context))
        {
            return None;
        }
        let reads =
            self.shows || !self.variants.is_empty() || self.all.iter().any(Extra::asks_files);
        if !reads {
            return Some(nothing);
        }
        // By its place, where that may be: another modulepath may have a module of the same name.
        let name = match context.config.load_files {
            true => entry.file().into_string(),
            false => entry.full_name.clone(),
        };
        let spec = Spec::plain(&name).ok();
        let seen = spec.and_then(|spec| context.engine.inspect_calls(&spec, Mode::Spider).ok());
        let said = Said::new(seen.map(|seen| seen.evaluation).unwrap_or_default());
        let by_files = self.all.iter().filter(|extra| extra.asks_files());
        let mut by_files = by_files.map(|extra| extra.holds(&tags, &said, &rules, context));
        let variants = self.variants.iter().all(|(name, values)| {
            let declared = said.variants.iter().find(|variant| variant.name == *name);
            declared.is_some_and(|variant| allows(variant, values))
        });
        (variants && by_files.all(|holds| holds)).then_some(said)
    }
}

/// Whether a variant may take one of these values.
fn allows(variant: &Variant, values: &[String]) -> bool {
    if variant.is_boolean {
        let words = [
            "1", "0", "yes", "no", "y", "n", "true", "false", "t", "f", "on", "off",
        ];
        return values.iter().any(|value| words.contains(&value.as_str()));
    }
    variant.allowed.is_empty() || values.iter().any(|value| variant.allowed.contains(value))
}

/// A variant as a listing of what can be loaded shows it: `mpi=on,off`, `prec=4,8`, `path=*`.
pub(super) fn shown_variant(variant: &Variant, shortcuts: &[(char, String)]) -> String {
    let values = if variant.is_boolean {
        "on,off".to_owned()
    } else if variant.allowed.is_empty() {
        "*".to_owned()
    } else {
        variant.allowed.join(",")
    };
    let shortcut = shortcuts.iter().find(|(_, name)| *name == variant.name);
    match shortcut {
        Some((c, _)) if !variant.is_boolean => format!("{c}{values}"),
        _ => format!("{}={values}", variant.name),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_known_elements_are_specifiers() {
        let extra = Extra::read("not:setenv:CC,CXX").unwrap().unwrap();
        assert_eq!(extra.element, "setenv");
        assert_eq!(extra.names, ["CC", "CXX"]);
        assert!(!extra.wanted);
        assert!(Extra::read("sentenv:CC").is_err());
        assert!(Extra::read("setenv:").is_err());
        for name in ["gcc", "A:b", "gcc/1:2", "gcc@1:2"] {
            assert_eq!(Extra::read(name).unwrap(), None, "{name}");
        }
    }
}
