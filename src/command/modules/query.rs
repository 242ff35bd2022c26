//! `module whatis`, `search`, `aliases`, `paths`, `info-loaded`, `is-used`, `is-saved` of Environment Modules.

use camino::Utf8PathBuf;
use serde_json::json;

use super::Context;
use super::extra::Extras;
use crate::collection;
use crate::command::Answer;
use crate::diag::{Diagnostic, Kind};
use crate::env::modulepath;
use crate::modulefile::Mode;
use crate::name::{Spec, VersionOrder, Versions};
use crate::tree::{AliasKind, Entry, Tree};
use crate::view::modules as view;

/// The lines of one module: name and text of each.
type Lines = Vec<(String, Vec<String>)>;

/// What modules are, in one line for each call of `module-whatis`; all modules where none is named.
pub(crate) fn whatis(context: &mut Context) -> Result<(), Diagnostic> {
    let trees = context.engine.trees();
    let (extras, words) = Extras::take(context.words)?;
    if words.is_empty() {
        let sections = described(context, &trees, &extras, |entry| !entry.is_hidden());
        print_whatis(context, sections);
        return Ok(());
    }
    for spec in context.specs(&words)? {
        let spec = resolved(context, &trees, spec);
        let sections = described(context, &trees, &extras, |entry| means(&spec, entry));
        if sections.is_empty() && extras.any() {
            continue;
        }
        if sections.is_empty() {
            // Says why: it is not there, or forbidden.
            let why = match context.engine.locate(&spec) {
                Ok(_) => context.engine.inspect(&spec, Mode::Whatis).err(),
                Err(diagnostic) => Some(diagnostic),
            };
            if let Some(diagnostic) = why {
                context.engine.fail(diagnostic)?;
            }
            continue;
        }
        print_whatis(context, sections);
    }
    Ok(())
}

/// The modules whose lines of `whatis` hold a regular expression, upper and lower case being the same.
pub(crate) fn search(context: &mut Context) -> Result<(), Diagnostic> {
    let pattern = match context.words {
        [] => None,
        [word] => {
            let built = regex::RegexBuilder::new(word)
                .case_insensitive(true)
                .build();
            Some(built.map_err(|error| {
                Diagnostic::new(Kind::Usage, format!("`{word}` is not a regular expression"))
                    .note(error.to_string())
            })?)
        }
        _ => {
            return Err(Diagnostic::new(Kind::Usage, "`search` takes one pattern")
                .help("module search 'one|other'"));
        }
    };
    let trees = context.engine.trees();
    let extras = Extras::default();
    let mut sections = described(context, &trees, &extras, |entry| !entry.is_hidden());
    if let Some(pattern) = pattern {
        for (_, modules) in &mut sections {
            modules.retain(|(_, lines)| pattern.is_match(&lines.join(" ")));
        }
        sections.retain(|(_, modules)| !modules.is_empty());
    }
    print_whatis(context, sections);
    Ok(())
}

/// What the modules that are wanted say of themselves, by modulepath.
fn described(
    context: &mut Context,
    trees: &[Tree],
    extras: &Extras,
    wanted: impl Fn(&Entry) -> bool,
) -> Vec<(String, Lines)> {
    let mut sections = Vec::new();
    for tree in trees {
        let mut modules = Vec::new();
        for entry in tree
            .modules
            .iter()
            .filter(|e| e.verdict().forbidden.is_none() && wanted(e))
        {
            if extras.any()
                && extras
                    .judge(context, entry, &entry.verdict().tags)
                    .is_none()
            {
                continue;
            }
            // A file that is broken has nothing to say; whoever loads it learns why.
            let Ok(spec) = Spec::plain(&entry.full_name) else {
                continue;
            };
            let Ok(seen) = context.engine.inspect(&spec, Mode::Whatis) else {
                continue;
            };
            let lines = seen.evaluation.whatis.iter().map(ToString::to_string);
            modules.push((entry.full_name.clone(), lines.collect()));
        }
        if !modules.is_empty() {
            let title = tree
                .label
                .clone()
                .unwrap_or_else(|| tree.modulepath.to_string());
            sections.push((title, modules));
        }
    }
    sections
}

fn print_whatis(context: &mut Context, sections: Vec<(String, Lines)>) {
    if context.options.json {
        let sections: Vec<(String, Vec<(String, String)>)> = sections
            .into_iter()
            .map(|(title, modules)| {
                let rows = modules.into_iter().map(|(name, lines)| {
                    let row = view::json_row(&[("name", json!(name)), ("whatis", json!(lines))]);
                    (name, row)
                });
                (title, rows.collect())
            })
            .collect();
        context.print(&view::json_sections(&sections));
        return;
    }
    let width = context.layout().width;
    for (title, modules) in sections {
        let lines: String = (modules.iter())
            .flat_map(|(name, lines)| lines.iter().map(|line| view::whatis_line(name, line)))
            .collect();
        if lines.is_empty() {
            continue;
        }
        context.separate();
        context.print(&view::title(&title, width));
        context.print(&lines);
    }
}

/// A specification with what its name stands for in place of it.
fn resolved(context: &Context, trees: &[Tree], spec: Spec) -> Spec {
    let names = || trees.iter().flat_map(|tree| &tree.names);
    let target = names().find(|name| name.kind != AliasKind::Virtual && name.name == spec.path);
    match target {
        Some(name) if spec.versions == Versions::AsWritten => {
            Spec::parse(&name.target, &context.config.spec_rules()).unwrap_or(spec)
        }
        _ => spec,
    }
}

/// Whether a specification means a module, in the way of searches: by whole parts of names, ranges, incomplete versions.
fn means(spec: &Spec, entry: &Entry) -> bool {
    let rest = entry.full_name.strip_prefix(spec.path.as_str());
    match (&spec.versions, rest) {
        (_, None) => false,
        (Versions::AsWritten, Some(rest)) => {
            let begun = spec.path.contains('/') && rest.starts_with(['.', '-']);
            let named = rest.is_empty() || rest.starts_with('/') || begun;
            named && (!entry.is_hidden() || rest.is_empty())
        }
        (versions, Some(rest)) => rest.strip_prefix('/').is_some_and(|version| {
            !entry.is_hidden() && versions.accepts(version, VersionOrder::Dictionary)
        }),
    }
}

/// The names that stand for others.
pub(crate) fn aliases(context: &mut Context) -> Result<(), Diagnostic> {
    let trees = context.engine.trees();
    let all = context.options.all;
    let hidden = |target: &str| {
        let mut modules = trees.iter().flat_map(|tree| &tree.modules);
        modules.any(|entry| entry.full_name == target && entry.is_hidden())
    };
    let rows = |kind: AliasKind| -> Vec<(String, String)> {
        let names = trees.iter().flat_map(|tree| &tree.names);
        let mut rows: Vec<(String, String)> = names
            .filter(|name| name.kind == kind && (all || !hidden(&name.target)))
            .map(|name| (name.name.clone(), name.target.clone()))
            .collect();
        rows.sort_by(|a, b| VersionOrder::Dictionary.compare(&a.0, &b.0));
        rows.dedup_by(|a, b| a.0 == b.0);
        rows
    };
    let width = context.layout().width;
    let blocks = [
        view::names("Aliases", &rows(AliasKind::Alias), width),
        view::names("Versions", &rows(AliasKind::Symbol), width),
    ];
    let blocks: Vec<String> = blocks.into_iter().filter(|b| !b.is_empty()).collect();
    context.print(&blocks.join("\n"));
    Ok(())
}

/// The files of all modules that a word means, one a line.
pub(crate) fn paths(context: &mut Context) -> Result<(), Diagnostic> {
    let trees = context.engine.trees();
    let mut files: Vec<Utf8PathBuf> = Vec::new();
    let (extras, words) = Extras::take(context.words)?;
    let specs = match (words.is_empty(), extras.any()) {
        (true, true) => vec![None],
        _ => (context.some_specs_of(&words, "paths")?.into_iter())
            .map(|spec| Some(resolved(context, &trees, spec)))
            .collect(),
    };
    for spec in specs {
        for entry in trees.iter().flat_map(|tree| &tree.modules) {
            let named = match &spec {
                Some(spec) => means(spec, entry),
                None => !entry.is_hidden(),
            };
            if named
                && entry.verdict().forbidden.is_none()
                && (!extras.any()
                    || extras
                        .judge(context, entry, &entry.verdict().tags)
                        .is_some())
            {
                files.push(entry.file());
            }
        }
    }
    files.sort_by(|a, b| VersionOrder::Dictionary.compare(a.as_str(), b.as_str()));
    files.dedup();
    let files: Vec<&str> = files.iter().map(|file| file.as_str()).collect();
    context.answer = Answer::Text(files.join("\n").into());
    Ok(())
}

/// The loaded modules that a word means, separated by blanks.
pub(crate) fn info_loaded(context: &mut Context) -> Result<(), Diagnostic> {
    let specs = context.some_specs("info-loaded")?;
    let names: Vec<String> = (context.engine.loaded_matches(&specs[0]).iter())
        .map(|module| module.full_name.clone())
        .collect();
    context.answer = Answer::Text(names.join(" ").into());
    Ok(())
}

/// True if one of the directories is a modulepath in force; without a word, if there is any.
pub(crate) fn is_used(context: &mut Context) -> Result<(), Diagnostic> {
    let modulepaths = context.engine.state().modulepath();
    let used = |dir: &String| {
        let start = context.session.cwd().cloned().unwrap_or_else(|| "/".into());
        let variable = |name: &str| context.session.text(name).map(str::to_owned);
        modulepaths.contains(&modulepath::resolve(dir, &start, variable))
    };
    let found = match context.words {
        [] => !modulepaths.is_empty(),
        words => words.iter().any(used),
    };
    if !found {
        context.answer = Answer::False;
    }
    Ok(())
}

/// True if one of the collections exists; without a word, if there is any.
pub(crate) fn is_saved(context: &mut Context) -> Result<(), Diagnostic> {
    let names = collection::names(context.session, context.config);
    let found = match context.words {
        [] => !names.is_empty(),
        words => words.iter().any(|word| names.contains(word)),
    };
    if !found {
        context.answer = Answer::False;
    }
    Ok(())
}
