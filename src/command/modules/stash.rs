//! `module stash` and its kind: put the loaded modules aside, get them back later.
//!
//! A stash is a collection named `stash-TIME`. Source: `module(1)` stash.

use super::Context;
use crate::collection;
use crate::diag::{Diagnostic, Kind};
use crate::transition::RestoreVersions;
use crate::view::modules::{self as view, Numbering};

const PREFIX: &str = "stash-";

/// The stashes, the newest first.
fn stashes(context: &Context) -> Vec<String> {
    let mut names = collection::names(context.session, context.config);
    names.retain(|name| number(name).is_some());
    names.sort_by_key(|name| std::cmp::Reverse(number(name)));
    names
}

/// When a stash was made, in milliseconds since 1970; `None` for another collection.
fn number(name: &str) -> Option<u64> {
    name.strip_prefix(PREFIX)?.parse().ok()
}

/// Whether a collection is a stash.
pub(crate) fn is_stash(name: &str) -> bool {
    number(name).is_some()
}

/// The stash that the request names: by index, by name, else the newest.
fn named(context: &Context) -> Result<String, Diagnostic> {
    let stashes = stashes(context);
    let word = context.words.first().map_or("0", String::as_str);
    let found = match word.parse::<usize>() {
        Ok(index) => stashes.get(index),
        Err(_) => stashes.iter().find(|name| *name == word),
    };
    found.cloned().ok_or_else(|| {
        Diagnostic::new(Kind::Module, format!("there is no stash `{word}`"))
            .help("`module stashlist` shows them all")
    })
}

/// Saves the loaded modules aside and unloads them.
pub(crate) fn stash(context: &mut Context) -> Result<(), Diagnostic> {
    let set = context.engine.collection();
    if set.modules.is_empty() {
        context.notice("No module is loaded: there is nothing to put aside.\n");
        return Ok(());
    }
    let name = format!("{PREFIX}{}", jiff::Timestamp::now().as_millisecond());
    collection::save(context.session, context.config, &name, &set)?;
    match context.session.text("LMOD_SYSTEM_DEFAULT_MODULES") {
        Some(names) if !names.trim().is_empty() => super::super::change::reset(context),
        _ => context.engine.purge(),
    }
}

/// Loads the modules of a stash again, and drops it.
pub(crate) fn pop(context: &mut Context) -> Result<(), Diagnostic> {
    let name = named(context)?;
    let set = collection::read(context.session, context.config, &name)?;
    context.engine.restore(&set, RestoreVersions::AsRequested)?;
    drop_stash(context, &name)
}

/// Drops a stash.
pub(crate) fn remove(context: &mut Context) -> Result<(), Diagnostic> {
    let name = named(context)?;
    drop_stash(context, &name)
}

/// Drops all stashes.
pub(crate) fn clear(context: &mut Context) -> Result<(), Diagnostic> {
    for name in stashes(context) {
        drop_stash(context, &name)?;
    }
    Ok(())
}

fn drop_stash(context: &Context, name: &str) -> Result<(), Diagnostic> {
    let Some(file) = collection::find(context.session, context.config, name) else {
        return Ok(());
    };
    std::fs::remove_file(&file)
        .map_err(|error| Diagnostic::new(Kind::Site, format!("cannot remove `{file}`: {error}")))
}

/// Shows what a stash holds.
pub(crate) fn show(context: &mut Context) -> Result<(), Diagnostic> {
    let name = named(context)?;
    super::super::collections::describe_named(context, &name)
}

/// Lists the stashes with their indices.
pub(crate) fn list(context: &mut Context) -> Result<(), Diagnostic> {
    let stashes = stashes(context);
    if context.options.json {
        let rows: Vec<(String, String)> = (stashes.iter().enumerate())
            .map(|(index, name)| {
                let file = collection::find(context.session, context.config, name);
                let path = file
                    .map(camino::Utf8PathBuf::into_string)
                    .unwrap_or_default();
                let row = view::json_row(&[
                    ("index", index.into()),
                    ("name", name.as_str().into()),
                    ("pathname", path.into()),
                ]);
                (name.clone(), row)
            })
            .collect();
        context.print(&format!("{}\n", view::json_object(&rows)));
        return Ok(());
    }
    if stashes.is_empty() {
        context.print("No stash collection.\n");
    } else if context.options.terse {
        context.print("Stash collection list:\n");
        for name in &stashes {
            context.print(&format!("{name}\n"));
        }
    } else {
        let width = context.layout().width;
        context.print("Stash collection list:\n");
        context.print(&view::grid(&stashes, Numbering::From(0), width));
    }
    Ok(())
}
