//! Conditions of `[[when]]`: data, not expressions.
//!
//! Several keys must all hold; several values of one key are alternatives. `any`, `all` and `not` hold further
//! conditions.

use bstr::{BStr, ByteSlice};

use super::document::{self, Entry, Node, Text, unknown_key};
use super::scope::{Scope, built_in};
use super::spec;
use crate::diag::{Diagnostic, Kind};
use crate::modulefile::host::Host;
use crate::modulefile::tcl::pattern::{Case, string_match};

/// The keys of a condition.
pub(super) const KEYS: &[&str] = &[
    "arch",
    "os",
    "host",
    "shell",
    "user",
    "group",
    "version",
    "loaded",
    "available",
    "env",
    "exists",
    "any",
    "all",
    "not",
];

/// One test.
#[derive(Debug)]
enum Test<'s> {
    /// `arch`, `os`, `host`, `shell`, `user`: the built-in variable of that name matches one of the patterns.
    BuiltIn(&'s str, Vec<Text<'s>>),
    /// The user is in one of the groups.
    Group(Vec<Text<'s>>),
    /// The version lies in one of the ranges.
    Version(Vec<Text<'s>>),
    /// One of the modules is loaded.
    Loaded(Vec<Text<'s>>),
    /// One of the modules could be loaded.
    Available(Vec<Text<'s>>),
    /// The variable is set (`true`), is not set (`false`).
    IsSet(&'s str, bool),
    /// The variable has one of the values.
    Env(&'s str, Vec<Text<'s>>),
    /// One of the files exists.
    Exists(Vec<Text<'s>>),
    /// One of the conditions holds.
    Any(Vec<Condition<'s>>),
    /// All of the conditions hold.
    All(Vec<Condition<'s>>),
    /// The condition does not hold.
    Not(Condition<'s>),
}

/// Tests that must all hold.
#[derive(Debug, Default)]
pub(super) struct Condition<'s> {
    tests: Vec<Test<'s>>,
}

impl<'s> Condition<'s> {
    /// Takes in a key of [`KEYS`].
    ///
    /// # Errors
    /// The value is not what the key takes.
    pub(super) fn read_key(&mut self, entry: &Entry<'s>) -> Result<(), Diagnostic> {
        let value = &entry.value;
        let test = match entry.key {
            key @ ("arch" | "os" | "host" | "shell" | "user") => {
                Test::BuiltIn(key, value.strings()?)
            }
            "group" => Test::Group(value.strings()?),
            "version" => Test::Version(value.strings()?),
            "loaded" => Test::Loaded(value.strings()?),
            "available" => Test::Available(value.strings()?),
            "exists" => Test::Exists(value.strings()?),
            "any" => Test::Any(conditions(value)?),
            "all" => Test::All(conditions(value)?),
            "not" => Test::Not(Condition::read(value)?),
            _ => {
                for variable in value.table("a table from variable to what it must be")? {
                    self.tests.push(match variable.value.as_bool() {
                        Some(set) => Test::IsSet(variable.key, set),
                        None => Test::Env(variable.key, variable.value.strings()?),
                    });
                }
                return Ok(());
            }
        };
        self.tests.push(test);
        Ok(())
    }

    fn read(value: &Node<'s>) -> Result<Condition<'s>, Diagnostic> {
        let mut condition = Condition::default();
        for entry in value.table("a table of conditions")? {
            if !KEYS.contains(&entry.key) {
                return Err(unknown_key(
                    &entry,
                    "a condition",
                    &mut KEYS.iter().copied(),
                ));
            }
            condition.read_key(&entry)?;
        }
        if condition.is_empty() {
            return Err(
                Diagnostic::new(Kind::Modulefile, "an empty condition").at(value.place(), "")
            );
        }
        Ok(condition)
    }

    /// Whether there is nothing to test.
    pub(super) fn is_empty(&self) -> bool {
        self.tests.is_empty()
    }

    /// Whether the answer depends on who asks, or where: then modulepaths that hang on it cannot be kept in a cache.
    pub(super) fn is_personal(&self) -> bool {
        self.tests.iter().any(|test| match test {
            Test::Group(_) | Test::IsSet(..) | Test::Env(..) => true,
            Test::BuiltIn(name, _) => matches!(*name, "user" | "host" | "shell"),
            Test::Any(conditions) | Test::All(conditions) => {
                conditions.iter().any(Condition::is_personal)
            }
            Test::Not(condition) => condition.is_personal(),
            Test::Version(_) | Test::Loaded(_) | Test::Available(_) | Test::Exists(_) => false,
        })
    }

    /// Whether the condition holds now.
    ///
    /// # Errors
    /// A text in it has no value, or is not what it must be.
    pub(super) fn holds(&self, host: &mut Host, scope: &Scope) -> Result<bool, Diagnostic> {
        for test in &self.tests {
            if !test.holds(host, scope)? {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

fn conditions<'s>(value: &Node<'s>) -> Result<Vec<Condition<'s>>, Diagnostic> {
    match value.as_array() {
        Some(items) => items.iter().map(Condition::read).collect(),
        None => Err(value.expected("an array of conditions")),
    }
}

impl Test<'_> {
    fn holds(&self, host: &mut Host, scope: &Scope) -> Result<bool, Diagnostic> {
        match self {
            Test::BuiltIn(name, patterns) => {
                let Some(Ok(value)) = built_in(host, name) else {
                    return Ok(false);
                };
                let value = value.into_owned();
                one_of(patterns, host, scope, |pattern| {
                    string_match(pattern, value.as_bytes(), Case::Sensitive)
                })
            }
            Test::Group(groups) => {
                let mut wanted = Vec::new();
                for text in groups {
                    wanted.push(scope.expand(host, text)?);
                }
                let member_of = host.world.session().groups();
                Ok(wanted
                    .iter()
                    .any(|group| member_of.iter().any(|g| g.as_bytes() == group.as_slice())))
            }
            Test::Version(ranges) => {
                let Some(version) = host.module.version.clone() else {
                    return Ok(false);
                };
                let order = host.world.config().version_order;
                for range in ranges {
                    if spec::range(host, scope, range)?.accepts(&version, order) {
                        return Ok(true);
                    }
                }
                Ok(false)
            }
            Test::Loaded(modules) => {
                for module in modules {
                    let spec = spec::module(host, scope, module)?;
                    if host.world.is_loaded(&spec) {
                        return Ok(true);
                    }
                }
                Ok(false)
            }
            Test::Available(modules) => {
                for module in modules {
                    let spec = spec::module(host, scope, module)?;
                    if host.world.find(&spec).is_some() {
                        return Ok(true);
                    }
                }
                Ok(false)
            }
            Test::IsSet(name, set) => {
                Ok(host.world.var(name.as_bytes().as_bstr()).is_some() == *set)
            }
            Test::Env(name, values) => {
                let Some(actual) = host
                    .world
                    .var(name.as_bytes().as_bstr())
                    .map(BStr::to_owned)
                else {
                    return Ok(false);
                };
                one_of(values, host, scope, |value| value == actual.as_slice())
            }
            Test::Exists(paths) => {
                for text in paths {
                    let path = scope.expand(host, text)?;
                    if !path.starts_with(b"/") {
                        return Err(Diagnostic::new(
                            Kind::Modulefile,
                            format!("`{path}` is not an absolute path"),
                        )
                        .at(document::place(&host.source, text.span), "")
                        .help("the directory of this file is `{dir}`"));
                    }
                    if path.to_path().is_ok_and(std::path::Path::exists) {
                        return Ok(true);
                    }
                }
                Ok(false)
            }
            Test::Any(conditions) => {
                for condition in conditions {
                    if condition.holds(host, scope)? {
                        return Ok(true);
                    }
                }
                Ok(false)
            }
            Test::All(conditions) => {
                for condition in conditions {
                    if !condition.holds(host, scope)? {
                        return Ok(false);
                    }
                }
                Ok(true)
            }
            Test::Not(condition) => Ok(!condition.holds(host, scope)?),
        }
    }
}

/// Whether `good` says yes to one of the texts.
fn one_of(
    texts: &[Text],
    host: &Host,
    scope: &Scope,
    mut good: impl FnMut(&[u8]) -> bool,
) -> Result<bool, Diagnostic> {
    for text in texts {
        if good(&scope.expand(host, text)?) {
            return Ok(true);
        }
    }
    Ok(false)
}
