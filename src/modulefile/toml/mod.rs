//! TOML modulefiles, format version 1: a description, not a program.
//!
//! The file is parsed once and read as a whole, so that a mistake anywhere is found; then its keys become calls of the
//! same commands that Tcl and Lua files call. What a key means stands in `keys.rs`; which calls it makes in `block.rs`.
//! Nothing is computed here: a file that needs computing is written in Lua or Tcl.
//!
//! Reference: `docs/reference/toml.md`.

mod availability;
mod block;
mod condition;
mod document;
mod keys;
mod scope;
mod spec;

use std::sync::Arc;

pub use availability::{VersionEntry, versions_of};
pub use keys::{KEYS, Key, Stage};

use self::block::Block;
use self::condition::Condition;
use self::document::{Entry, Node};
use self::scope::Scope;
use super::Mode;
use super::host::{Host, Stop};
use crate::diag::{Diagnostic, Kind};

/// One `[[when]]`.
#[derive(Debug, Default)]
struct When<'s> {
    condition: Condition<'s>,
    block: Block<'s>,
    /// What it says of `root` and `vars`.
    vars: Vec<Entry<'s>>,
}

/// A file as it was read.
#[derive(Debug)]
struct File<'s> {
    scope: Scope<'s>,
    block: Block<'s>,
    whens: Vec<When<'s>>,
}

/// Evaluates the file of `host`.
///
/// # Errors
/// A mistake in the file, or what a command refuses.
pub(super) fn run(host: &mut Host) -> Result<(), Stop> {
    let source = Arc::clone(&host.source);
    let table = document::utf8(&source)
        .and_then(|text| document::parse(&source, text))
        .map_err(Stop::fatal)?;
    let top = document::entries(&source, table.get_ref());
    let mut file =
        File::read(&source, &top, host.module.version.as_deref()).map_err(Stop::fatal)?;
    file.run(host)
}

impl<'s> File<'s> {
    fn read(
        source: &'s Arc<crate::diag::SourceFile>,
        top: &[Entry<'s>],
        version: Option<&str>,
    ) -> Result<File<'s>, Diagnostic> {
        // The format comes first: a later one may mean anything by all other keys.
        if let Some(entry) = top.iter().find(|entry| entry.key == "format") {
            check_format(&entry.value)?;
        }
        let mut file = File {
            scope: Scope::new(source),
            block: Block::default(),
            whens: Vec::new(),
        };
        for entry in top {
            let key = Key::find(entry.key).ok_or_else(|| keys::unknown_at_top(entry))?;
            file.block.read_key(key, entry)?;
            if key.name == "when" {
                let items = entry.value.as_array().ok_or_else(|| {
                    entry
                        .value
                        .expected("an array of tables")
                        .help("write it with two brackets: `[[when]]`")
                })?;
                file.whens = items.iter().map(When::read).collect::<Result<_, _>>()?;
            }
        }
        file.scope.define(top)?;
        let described = availability::read(source, top)?;
        let is_described =
            |entry: &VersionEntry| entry.version.is_none() || entry.version.as_deref() == version;
        if !described.iter().any(is_described) {
            let names: Vec<String> = described
                .iter()
                .filter_map(|entry| entry.version.as_ref())
                .map(|version| format!("`{version}`"))
                .collect();
            let what = match version {
                Some(version) => format!("this file does not describe version `{version}`"),
                None => "this file describes versions, but none is asked for".to_owned(),
            };
            return Err(Diagnostic::new(Kind::Module, what)
                .help(format!("it describes {}", names.join(", "))));
        }
        file.scope.define(&entries_of_version(top, version))?;
        Ok(file)
    }

    fn run(&mut self, host: &mut Host) -> Result<(), Stop> {
        let all = host.mode == Mode::Check;
        // Variables that hang on a condition are settled before anything uses them.
        let mut decided = Vec::with_capacity(self.whens.len());
        for when in &self.whens {
            if when.vars.is_empty() {
                decided.push(None);
                continue;
            }
            let holds = when
                .condition
                .holds(host, &self.scope)
                .map_err(Stop::fatal)?;
            if holds || all {
                self.scope.define(&when.vars).map_err(Stop::fatal)?;
            }
            decided.push(Some(holds));
        }
        if self.block.has_personal_modulepath(&self.scope) {
            have_dynamic_modulepath(host);
        }
        self.block.run(host, &self.scope)?;
        for (when, decided) in self.whens.iter_mut().zip(decided) {
            if when.block.has_personal_modulepath(&self.scope)
                || when.block.changes_modulepath() && when.condition.is_personal()
            {
                have_dynamic_modulepath(host);
            }
            let holds = match decided {
                Some(holds) => holds,
                None => when
                    .condition
                    .holds(host, &self.scope)
                    .map_err(Stop::fatal)?,
            };
            if holds || all {
                when.block.run(host, &self.scope)?;
            }
        }
        Ok(())
    }
}

/// Listings must not keep the modulepaths of one user for all.
fn have_dynamic_modulepath(host: &mut Host) {
    host.evaluation.dynamic_modulepath = true;
}

impl<'s> When<'s> {
    fn read(item: &Node<'s>) -> Result<When<'s>, Diagnostic> {
        let mut when = When::default();
        for entry in item.table("a table")? {
            if condition::KEYS.contains(&entry.key) {
                when.condition.read_key(&entry)?;
                continue;
            }
            match Key::find(entry.key) {
                Some(key) if key.in_when => {
                    when.block.read_key(key, &entry)?;
                    if matches!(key.name, "root" | "vars") {
                        when.vars.push(entry);
                    }
                }
                _ => return Err(keys::unknown_in_when(&entry)),
            }
        }
        if when.condition.is_empty() {
            return Err(
                Diagnostic::new(Kind::Modulefile, "`[[when]]` without a condition")
                    .at(item.place(), "")
                    .help("without a condition the keys belong to the top of the file"),
            );
        }
        Ok(when)
    }
}

fn check_format(value: &Node) -> Result<(), Diagnostic> {
    match value.integer()? {
        1 => Ok(()),
        other => Err(Diagnostic::new(
            Kind::Modulefile,
            format!("format {other} of TOML modulefiles is not known"),
        )
        .at(value.place(), "this xmod reads format 1")),
    }
}

/// What `versions` says about `version`.
fn entries_of_version<'s>(top: &[Entry<'s>], version: Option<&str>) -> Vec<Entry<'s>> {
    top.iter()
        .find(|entry| entry.key == "versions")
        .and_then(|entry| entry.value.as_table())
        .and_then(|versions| {
            versions
                .into_iter()
                .find(|entry| Some(entry.key) == version)
        })
        .and_then(|entry| entry.value.as_table())
        .unwrap_or_default()
}
