//! `module freeze`: a collection as scripts that set everything in one `source`, with no program and no search.

use super::{Context, collections};
use crate::collection::{Collection, frozen};
use crate::config::Config;
use crate::diag::{Diagnostic, Kind};
use crate::env::state::{LOADED, MODULEPATH};
use crate::env::{Change, Delta, State, VarName, packed};
use crate::modulefile::Languages;
use crate::session::Session;
use crate::shell::{Addition, Row, SHELLS, Script};
use crate::transition::{Finished, Notice, RestoreVersions, Transition, Trees, path_rules};

/// Freezes a collection, or says whether what was frozen still holds.
pub(super) fn run(context: &mut Context) -> Result<(), Diagnostic> {
    let name = collections::name(context);
    let changed = frozen::changed(context.session, &name)?;
    if context.options.check {
        return check(context, &name, changed.as_deref());
    }
    if let Some(refusal) = changed.and_then(|changed| frozen::refuses(&name, &changed))
        && !context.options.force
    {
        return Err(refusal);
    }
    let (set, versions) = collections::wanted(context, &name)?;
    let base = purged(context.session, context.config)?;
    let mut scripts = Vec::new();
    let mut kept = Collection::default();
    for row in SHELLS {
        let Some(shell) = row.script else { continue };
        let (script, collection) = restored(context, &base, row, &name, &set, versions)?;
        let emission = shell.script(&script);
        if row.name == context.shell {
            for dropped in &emission.dropped {
                context.notice(&format!("warning: {dropped}\n"));
            }
        }
        scripts.push((row.name, emission.code));
        kept = collection;
    }
    frozen::write(context.session, &name, &kept, &scripts)?;
    let known = scripts.iter().any(|(shell, _)| *shell == context.shell);
    let shell = if known { context.shell } else { "sh" };
    let file = frozen::script(context.session, &name, shell)?;
    context.notice(&format!("Froze \"{name}\". To have it: source {file}\n"));
    Ok(())
}

fn check(
    context: &mut Context,
    name: &str,
    changed: Option<&[crate::collection::lock::Changed]>,
) -> Result<(), Diagnostic> {
    let Some(changed) = changed else {
        return Err(
            Diagnostic::new(Kind::Module, format!("`{name}` is not frozen"))
                .help(format!("module freeze {name}")),
        );
    };
    match frozen::refuses(name, changed) {
        Some(refusal) => Err(refusal),
        None => {
            context.notice(&format!("\"{name}\" is as it was frozen\n"));
            Ok(())
        }
    }
}

/// The session without its modules, and without what could be undone in it.
fn purged(session: &Session, config: &Config) -> Result<Session, Diagnostic> {
    let languages = Languages::default();
    let mut trees = Trees::new(session, config, &languages, "sh");
    let mut engine =
        Transition::new(session, config, &languages, &mut trees, "sh", "purge").forced(true);
    engine.purge()?;
    engine.forget_history();
    Ok(session.with_environment(engine.finish().state.environment()))
}

/// What a restore of `set` would do in one shell.
fn restored(
    context: &Context,
    base: &Session,
    row: &Row,
    name: &str,
    set: &Collection,
    versions: RestoreVersions,
) -> Result<(Script, Collection), Diagnostic> {
    let config = context.config;
    let languages = Languages::default();
    let mut trees = Trees::new(base, config, &languages, row.name);
    let mut engine = Transition::new(base, config, &languages, &mut trees, row.name, "restore")
        .forced(context.options.force);
    engine.restore(set, versions)?;
    let kept = engine.collection();
    let Finished {
        state,
        report,
        errors,
        ..
    } = engine.finish();
    if let Some(error) = errors.into_iter().next() {
        return Err(error);
    }
    for notice in &report.notices {
        if let Notice::Gone { modules } = notice
            && !context.options.force
        {
            return Err(incomplete(name, modules));
        }
    }
    let delta = Delta::between(&State::new(&base.env, path_rules(config)), &state);
    let (grown, delta) = apart(base, &state, delta);
    let variable = |name: &str| VarName::new(name).expect("a literal name");
    let program = match base.text("LMOD_CMD").filter(|p| p.starts_with('/')) {
        Some(program) => program.to_owned(),
        None => base.exe().map_or("xmod".into(), ToString::to_string),
    };
    let words = [program.as_str(), row.name, "--quiet", "--force", "purge"];
    let mark = state.var(packed::VARIABLE).unwrap_or_default().to_owned();
    let script = Script {
        head: head(name, row, &kept),
        mark: (variable(packed::VARIABLE), mark),
        busy: variable(LOADED),
        clear: words.map(str::to_owned).to_vec(),
        grown,
        delta,
    };
    Ok((script, kept))
}

fn incomplete(name: &str, gone: &[(String, Option<String>)]) -> Diagnostic {
    let mut diagnostic = Diagnostic::new(
        Kind::Module,
        format!("modules of `{name}` exist no more: nothing was frozen"),
    );
    for (full_name, newest) in gone {
        diagnostic = diagnostic.note(match newest {
            Some(newest) => format!("`{full_name}` is gone; newest is `{newest}`"),
            None => format!("`{full_name}` is gone"),
        });
    }
    diagnostic.help(format!(
        "save a collection without them, or freeze the rest: `module --force freeze {name}`"
    ))
}

/// Takes the path variables to which something is added out of the changes: they have values of their own in each shell.
/// `MODULEPATH` stays: a collection names all of it.
fn apart(base: &Session, state: &State, mut delta: Delta) -> (Vec<Addition>, Delta) {
    let mut additions = Vec::new();
    for grown in state.grown_paths() {
        let name = grown.name.clone();
        let at = delta.changes.iter().position(
            |change| matches!(change, Change::SetVar { name: changed, .. } if *changed == name),
        );
        let Some(at) = at.filter(|_| name.as_str() != MODULEPATH) else {
            continue;
        };
        let Change::SetVar { value: after, .. } = &delta.changes[at] else {
            continue;
        };
        let before = base.var(name.as_str()).unwrap_or_default();
        let same = grown.value(Some(before)) == *after;
        // An empty variable is nothing to add to: where adding does not give the value, the value is set.
        if !same && before.is_empty() {
            continue;
        }
        let known = (!same).then(|| (before.to_owned(), after.clone()));
        additions.push(Addition { grown, known });
        delta.changes.remove(at);
    }
    (additions, delta)
}

fn head(name: &str, row: &Row, kept: &Collection) -> Vec<String> {
    let mut lines = vec![
        format!(
            "The collection \"{name}\", frozen for {} by `module freeze {name}`. Source this file.",
            row.name
        ),
        format!("`module freeze --check {name}` tells whether its modulefiles have changed since."),
        "Modules:".to_owned(),
    ];
    lines.extend(kept.modules.iter().map(|m| format!("  {}", m.full_name)));
    lines
}
