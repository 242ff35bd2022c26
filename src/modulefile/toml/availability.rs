//! Which versions a file describes, and who may see and load each: `[versions]`, `default`, `symbols`, `hidden`,
//! `forbidden`, `deprecated`, `tags`.
//!
//! These are the facts that the tree needs before anything is evaluated. They say what an rc file could say as well, and
//! are handed on as the same [`Directive`]s. No `{reference}` is replaced here: what a listing shows must not depend on
//! the environment.

use std::sync::Arc;

use super::document::{self, Entry, Node, unknown_key};
use crate::diag::{Diagnostic, Kind, Place, SourceFile};
use crate::modulefile::relation::{Condition, Directive, Hiding};

/// One module that a TOML file describes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VersionEntry {
    /// Its version; `None` for a file without `versions`: there the name of the file tells the version.
    pub version: Option<String>,
    /// Where the file speaks of it.
    pub place: Place,
    availability: Availability,
}

impl VersionEntry {
    /// What the file says about the module, as an rc file beside it would: the default and symbolic versions, hidden,
    /// forbidden, tags, warnings. `target` is the name that the directives speak of: `gcc/13.2.0`.
    pub fn directives(&self, target: &str) -> Vec<Directive> {
        self.availability.directives(target)
    }

    /// Whether the file says anything but that the module exists.
    pub fn is_plain(&self) -> bool {
        self.availability == Availability::default()
    }
}

/// What a file says about one version.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Availability {
    default: bool,
    symbols: Vec<String>,
    hidden: Option<Hidden>,
    forbidden: Option<Forbidden>,
    deprecated: Option<Deprecated>,
    tags: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Hidden {
    hiding: Hiding,
    when_loaded: bool,
    condition: Condition,
}

#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct Forbidden {
    message: Option<String>,
    nearly_message: Option<String>,
    condition: Condition,
}

#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct Deprecated {
    message: Option<String>,
    condition: Condition,
}

/// Keys that decide who sees and loads a module; they stand at the top level and in entries of `versions`.
pub(super) const KEYS: &[&str] = &[
    "default",
    "symbols",
    "hidden",
    "forbidden",
    "deprecated",
    "tags",
];

/// Keys of an entry of `versions` that [`Availability`] leaves to the evaluation.
pub(super) const VERSION_VARS: &[&str] = &["root", "vars"];

const CONDITION_KEYS: &[&str] = &[
    "after",
    "before",
    "users",
    "groups",
    "not_users",
    "not_groups",
];

/// The versions that a TOML modulefile describes, in the order of the file: one entry without a version where it has no
/// `versions`.
///
/// Only the keys named at the top of this file are looked at; evaluation checks all others. A file that has none of them is
/// not parsed for this.
///
/// # Errors
/// A syntax error in a file that has one of those keys, or a mistake in them.
pub fn versions_of(source: &Arc<SourceFile>) -> Result<Vec<VersionEntry>, Diagnostic> {
    let text = document::utf8(source)?;
    if !may_have_keys(text) {
        return read(source, &[]);
    }
    let table = document::parse(source, text)?;
    let top = document::entries(source, table.get_ref());
    read(source, &top)
}

/// Whether a line begins as one of those keys would: keys and headers of tables stand at the beginning of lines. A quoted
/// key may be written with escapes.
fn may_have_keys(text: &str) -> bool {
    text.trim_start_matches('\u{feff}').lines().any(|line| {
        let line = line.trim_start_matches([' ', '\t', '[']);
        line.starts_with(['"', '\''])
            || line.starts_with("versions")
            || KEYS.iter().any(|key| line.starts_with(key))
    })
}

/// The same from the entries of a parsed file.
pub(super) fn read<'s>(
    source: &'s Arc<SourceFile>,
    top: &[Entry<'s>],
) -> Result<Vec<VersionEntry>, Diagnostic> {
    let mut common = Availability::default();
    let mut default_version = None;
    let versions = top.iter().find(|entry| entry.key == "versions");
    for entry in top {
        match (entry.key, versions) {
            ("default", Some(_)) => default_version = Some(entry.value.string()?),
            ("symbols", Some(_)) => {
                return Err(misplaced(entry, "give it to one entry of `versions`"));
            }
            (key, _) if KEYS.contains(&key) => common.read_key(entry)?,
            _ => {}
        }
    }
    let Some(versions) = versions else {
        return Ok(vec![VersionEntry {
            version: None,
            place: document::place(source, crate::diag::Span::default()),
            availability: common,
        }]);
    };
    let mut described = read_versions(versions, &common)?;
    if let Some(default) = default_version {
        let Some(entry) = described
            .iter_mut()
            .find(|entry| entry.version.as_deref() == Some(&*default.text))
        else {
            let place = document::place(source, default.span);
            return Err(Diagnostic::new(
                Kind::Modulefile,
                format!("`{}` is not one of `versions`", default.text),
            )
            .at(place, "the default must be a version of this file"));
        };
        entry.availability.default = true;
    }
    let mut defaults = described.iter().filter(|e| e.availability.default);
    if let (Some(first), Some(second)) = (defaults.next(), defaults.next()) {
        let name = |e: &VersionEntry| e.version.clone().unwrap_or_default();
        return Err(Diagnostic::new(
            Kind::Modulefile,
            format!("two defaults: `{}` and `{}`", name(first), name(second)),
        )
        .at(second.place.clone(), "this one too is the default"));
    }
    Ok(described)
}

fn misplaced(entry: &Entry, help: &str) -> Diagnostic {
    Diagnostic::new(
        Kind::Modulefile,
        format!("`{}` cannot hold for all versions", entry.key),
    )
    .at(entry.key_place(), "this file describes several versions")
    .help(help)
}

/// Reads `versions`: an array of names, or a table from name to what is particular to it.
fn read_versions(versions: &Entry, common: &Availability) -> Result<Vec<VersionEntry>, Diagnostic> {
    let mut described = Vec::new();
    if let Some(names) = versions.value.as_array() {
        for node in names {
            let Some(name) = node.as_string() else {
                return Err(node
                    .expected("a string")
                    .help("write versions in quotes: 1.10 and 1.1 are the same number"));
            };
            described.push(VersionEntry {
                version: Some(checked_version(&name.text, node.place())?),
                place: node.place(),
                availability: common.clone(),
            });
        }
    } else {
        for entry in versions
            .value
            .table("an array of versions, or a table with a key for each version")?
        {
            let mut availability = common.clone();
            for fact in entry
                .value
                .table("a table: `{}` where there is nothing to say")?
            {
                match fact.key {
                    key if KEYS.contains(&key) => availability.read_key(&fact)?,
                    key if VERSION_VARS.contains(&key) => {}
                    _ => return Err(unknown_version_key(&entry, &fact)),
                }
            }
            described.push(VersionEntry {
                version: Some(checked_version(entry.key, entry.key_place())?),
                place: entry.key_place(),
                availability,
            });
        }
    }
    let mut seen = std::collections::BTreeSet::new();
    for entry in &described {
        if !seen.insert(&entry.version) {
            let name = entry.version.as_deref().unwrap_or_default();
            return Err(
                Diagnostic::new(Kind::Modulefile, format!("version `{name}` twice"))
                    .at(entry.place.clone(), "the second time"),
            );
        }
    }
    if described.is_empty() {
        return Err(Diagnostic::new(Kind::Modulefile, "`versions` is empty")
            .at(versions.key_place(), "name at least one version")
            .help("without `versions` the name of the file tells the version"));
    }
    Ok(described)
}

fn unknown_version_key(version: &Entry, fact: &Entry) -> Diagnostic {
    // `versions.13.2 = {}` is a version 13 with a key 2: the most likely slip of all.
    let is_number = |key: &str| key.starts_with(|c: char| c.is_ascii_digit());
    if is_number(version.key) && is_number(fact.key) {
        let whole = format!("{}.{}", version.key, fact.key);
        return Diagnostic::new(Kind::Modulefile, format!("unknown key `{}`", fact.key))
            .at(fact.key_place(), "not a key of a version")
            .help(format!(
                "a dot separates keys: write the version in quotes, `\"{whole}\"`"
            ));
    }
    unknown_key(
        fact,
        "a version",
        &mut KEYS.iter().chain(VERSION_VARS).copied(),
    )
}

fn checked_version(version: &str, place: Place) -> Result<String, Diagnostic> {
    let good = |part: &str| {
        !part.is_empty()
            && part != "."
            && part != ".."
            && !part
                .chars()
                .any(|c| c.is_whitespace() || c.is_control() || c == ':')
    };
    if version.split('/').all(good) {
        return Ok(version.to_owned());
    }
    Err(
        Diagnostic::new(Kind::Modulefile, format!("`{version}` is not a version")).at(
            place,
            "a version is not empty and holds no blank, no colon, no `..`",
        ),
    )
}

impl Availability {
    /// Takes in one of [`KEYS`].
    fn read_key(&mut self, entry: &Entry) -> Result<(), Diagnostic> {
        match entry.key {
            "default" => self.default = entry.value.boolean()?,
            "symbols" => self.symbols = plain_strings(&entry.value)?,
            "tags" => self.tags = plain_strings(&entry.value)?,
            "hidden" => self.hidden = Hidden::read(&entry.value)?,
            "forbidden" => self.forbidden = Forbidden::read(&entry.value)?,
            _ => self.deprecated = Deprecated::read(&entry.value)?,
        }
        Ok(())
    }

    fn directives(&self, target: &str) -> Vec<Directive> {
        let targets = || vec![target.to_owned()];
        let mut directives = Vec::new();
        let mut symbols = self.symbols.clone();
        if self.default {
            symbols.push("default".to_owned());
        }
        if !symbols.is_empty() {
            directives.push(Directive::Version {
                target: target.to_owned(),
                symbols,
            });
        }
        if let Some(hidden) = &self.hidden {
            directives.push(Directive::Hide {
                targets: targets(),
                regex: false,
                hiding: hidden.hiding,
                hidden_loaded: hidden.when_loaded,
                condition: hidden.condition.clone(),
            });
        }
        if let Some(forbidden) = &self.forbidden {
            directives.push(Directive::Forbid {
                targets: targets(),
                regex: false,
                condition: forbidden.condition.clone(),
                message: forbidden.message.clone(),
                nearly_message: forbidden.nearly_message.clone(),
            });
        }
        for tag in &self.tags {
            directives.push(Directive::Tag {
                tag: tag.clone(),
                targets: targets(),
                condition: Condition::default(),
            });
        }
        if let Some(deprecated) = &self.deprecated {
            directives.push(Directive::Tag {
                tag: "deprecated".to_owned(),
                targets: targets(),
                condition: deprecated.condition.clone(),
            });
            directives.push(Directive::Warn {
                targets: targets(),
                message: deprecated
                    .message
                    .clone()
                    .unwrap_or_else(|| format!("`{target}` is deprecated")),
                condition: deprecated.condition.clone(),
            });
        }
        directives
    }
}

impl Hidden {
    fn read(value: &Node) -> Result<Option<Hidden>, Diagnostic> {
        let mut hidden = Hidden {
            hiding: Hiding::Hidden,
            when_loaded: false,
            condition: Condition::default(),
        };
        if let Some(on) = value.as_bool() {
            return Ok(on.then_some(hidden));
        }
        if value.as_string().is_some() {
            hidden.hiding = read_hiding(value)?;
            return Ok(Some(hidden));
        }
        for entry in value.table("`true`, `\"soft\"`, `\"hard\"` or a table")? {
            match entry.key {
                "kind" => hidden.hiding = read_hiding(&entry.value)?,
                "when_loaded" => hidden.when_loaded = entry.value.boolean()?,
                _ => read_condition(
                    &mut hidden.condition,
                    &entry,
                    "`hidden`",
                    &["kind", "when_loaded"],
                )?,
            }
        }
        Ok(Some(hidden))
    }
}

fn read_hiding(value: &Node) -> Result<Hiding, Diagnostic> {
    let text = value.string()?;
    match &*text.text {
        "soft" => Ok(Hiding::Soft),
        "hidden" => Ok(Hiding::Hidden),
        "hard" => Ok(Hiding::Hard),
        other => Err(Diagnostic::new(
            Kind::Modulefile,
            format!("`{other}` is no way to hide a module"),
        )
        .at(value.place(), "expected `soft`, `hidden` or `hard`")),
    }
}

impl Forbidden {
    fn read(value: &Node) -> Result<Option<Forbidden>, Diagnostic> {
        let mut forbidden = Forbidden::default();
        if let Some(on) = value.as_bool() {
            return Ok(on.then_some(forbidden));
        }
        if let Some(message) = value.as_string() {
            forbidden.message = Some(message.text.into_owned());
            return Ok(Some(forbidden));
        }
        for entry in value.table("`true`, a message or a table")? {
            match entry.key {
                "message" => forbidden.message = Some(entry.value.string()?.text.into_owned()),
                "nearly_message" => {
                    forbidden.nearly_message = Some(entry.value.string()?.text.into_owned());
                }
                _ => read_condition(
                    &mut forbidden.condition,
                    &entry,
                    "`forbidden`",
                    &["message", "nearly_message"],
                )?,
            }
        }
        Ok(Some(forbidden))
    }
}

impl Deprecated {
    fn read(value: &Node) -> Result<Option<Deprecated>, Diagnostic> {
        let mut deprecated = Deprecated::default();
        if let Some(on) = value.as_bool() {
            return Ok(on.then_some(deprecated));
        }
        if let Some(message) = value.as_string() {
            deprecated.message = Some(message.text.into_owned());
            return Ok(Some(deprecated));
        }
        for entry in value.table("`true`, a message or a table")? {
            match entry.key {
                "message" => deprecated.message = Some(entry.value.string()?.text.into_owned()),
                _ => read_condition(
                    &mut deprecated.condition,
                    &entry,
                    "`deprecated`",
                    &["message"],
                )?,
            }
        }
        Ok(Some(deprecated))
    }
}

/// Takes in one key of a condition; `also` are the other keys that the table `what` may have.
fn read_condition(
    condition: &mut Condition,
    entry: &Entry,
    what: &str,
    also: &'static [&'static str],
) -> Result<(), Diagnostic> {
    match entry.key {
        "after" => condition.after = Some(entry.value.moment()?),
        "before" => condition.before = Some(entry.value.moment()?),
        "users" => condition.users = plain_strings(&entry.value)?,
        "groups" => condition.groups = plain_strings(&entry.value)?,
        "not_users" => condition.not_users = plain_strings(&entry.value)?,
        "not_groups" => condition.not_groups = plain_strings(&entry.value)?,
        _ => {
            return Err(unknown_key(
                entry,
                what,
                &mut also.iter().chain(CONDITION_KEYS).copied(),
            ));
        }
    }
    Ok(())
}

fn plain_strings(value: &Node) -> Result<Vec<String>, Diagnostic> {
    Ok(value
        .strings()?
        .into_iter()
        .map(|text| text.text.into_owned())
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn versions(text: &str) -> Vec<VersionEntry> {
        versions_of(&SourceFile::new("gcc.toml", text)).unwrap()
    }

    fn names(text: &str) -> Vec<Option<String>> {
        versions(text).into_iter().map(|e| e.version).collect()
    }

    fn mistake(text: &str) -> String {
        versions_of(&SourceFile::new("gcc.toml", text))
            .unwrap_err()
            .to_string()
    }

    #[test]
    fn a_file_without_versions_describes_one_module_named_by_its_file() {
        let entries = versions("whatis = 'x'");
        assert_eq!(entries.len(), 1);
        assert_eq!(entries[0].version, None);
        assert!(entries[0].is_plain());
    }

    #[test]
    fn keys_are_found_however_they_are_written() {
        for text in [
            "\u{feff}hidden = true",
            "\t hidden = true",
            "'hidden' = true",
            "\"hid\\u0064en\" = true",
            "whatis = 'x'\r\nhidden.after = 2020-01-01",
            "root = '/x'\n [ hidden ]\nafter = 2020-01-01",
        ] {
            let entries = versions(text);
            assert!(!entries[0].is_plain(), "{text}");
        }
    }

    #[test]
    fn versions_come_in_the_order_of_the_file() {
        assert_eq!(
            names("versions = ['13.2', '9.1', '12']"),
            ["13.2", "9.1", "12"].map(|v| Some(v.to_owned()))
        );
        assert_eq!(
            names("[versions]\n'9' = {}\n'13' = {}\n'11' = {}"),
            ["9", "13", "11"].map(|v| Some(v.to_owned()))
        );
    }

    #[test]
    fn an_entry_overrides_what_holds_for_the_whole_file() {
        let entries = versions(
            "default = '13'\nhidden = 'soft'\n[versions]\n13 = { hidden = false, symbols = ['stable'] }\n12 = {}",
        );
        assert_eq!(
            entries[0].directives("gcc/13"),
            [Directive::Version {
                target: "gcc/13".to_owned(),
                symbols: vec!["stable".to_owned(), "default".to_owned()],
            }]
        );
        assert!(matches!(
            entries[1].directives("gcc/12")[..],
            [Directive::Hide {
                hiding: Hiding::Soft,
                ..
            }]
        ));
    }

    #[test]
    fn dates_are_toml_dates_or_text() {
        let entries = versions(
            "forbidden = { after = 2026-01-02, before = '2027-01-01T10:30', message = 'gone', groups = 'a' }",
        );
        let directives = entries[0].directives("x");
        let [Directive::Forbid { condition, .. }] = &directives[..] else {
            panic!("{directives:?}");
        };
        assert_eq!(condition.after.as_deref(), Some("2026-01-02"));
        assert_eq!(condition.before.as_deref(), Some("2027-01-01T10:30"));
        assert_eq!(condition.groups, ["a"]);
    }

    #[test]
    fn a_version_that_toml_takes_apart_is_explained() {
        insta::assert_snapshot!(mistake("versions.13.2 = {}"), @r#"
        error: unknown key `2`
         --> gcc.toml:1:13
          |
        1 | versions.13.2 = {}
          |             ^ not a key of a version
          |
          = help: a dot separates keys: write the version in quotes, `"13.2"`
        "#);
    }
}
