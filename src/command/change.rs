//! The sub-commands that change what is loaded: load, unload, swap, purge, reset, refresh, update, use, unuse.

use bstr::BString;

use super::{Context, collections};
use crate::config::ListingStyle;
use crate::diag::{Diagnostic, Kind};
use crate::env::modulepath;
use crate::name::Spec;
use crate::transition::UsePosition;

/// Loads modules; a name behind a dash is unloaded, before anything is loaded, unless it is a variant.
pub(super) fn load(context: &mut Context) -> Result<(), Diagnostic> {
    let words = context.words.iter();
    // Where modules have variants, `-x` and `+x` behind one choose them; `ml -x` unloads all the same.
    let variants = context.config.variant_spec;
    let unloads = |w: &&String| w.starts_with('-') && (!variants || context.options.by_ml);
    let (gone, wanted): (Vec<&String>, Vec<&String>) =
        words.partition(|w| unloads(w) && w.len() > 1);
    if wanted.iter().any(|w| w.as_str() == "-") {
        return Err(
            Diagnostic::new(Kind::Usage, "a lone `-` is not the name of a module")
                .known_as("e_Illegal_option", &[("v", "-")]),
        );
    }
    let gone: Vec<String> = gone.into_iter().map(|w| w[1..].to_owned()).collect();
    let wanted: Vec<String> = wanted
        .into_iter()
        .map(|w| {
            w.strip_prefix('+')
                .filter(|_| !variants)
                .unwrap_or(w)
                .to_owned()
        })
        .collect();
    let gone = context.specs(&gone)?;
    let wanted = context.specs(&wanted)?;
    if context.options.check_syntax {
        return super::read::check(context, &wanted);
    }
    if !gone.is_empty() {
        context.engine.unload(&gone)?;
    }
    context.engine.load(&wanted)
}

/// Loads those modules that exist.
pub(super) fn try_load(context: &mut Context) -> Result<(), Diagnostic> {
    let specs = context.specs(context.words)?;
    if context.options.check_syntax {
        return super::read::check(context, &specs);
    }
    context.engine.try_load(&specs)
}

/// Loads the first module that exists.
pub(super) fn load_any(context: &mut Context) -> Result<(), Diagnostic> {
    let specs = context.some_specs("load-any")?;
    if context.options.check_syntax {
        return super::read::check(context, &specs);
    }
    context.engine.load_any(&specs)
}

/// Unloads modules.
pub(super) fn unload(context: &mut Context) -> Result<(), Diagnostic> {
    let specs = context.specs(context.words)?;
    context.engine.unload(&specs)
}

/// Unloads one module and loads another; with one name, the loaded module of that name goes.
pub(super) fn swap(context: &mut Context) -> Result<(), Diagnostic> {
    let specs = context.specs(context.words)?;
    match specs.as_slice() {
        [old, new] => context.engine.swap(old, new),
        [new] => {
            let old = context.engine.locate(new)?.name;
            let old = Spec::plain(&old).unwrap_or_else(|_| new.clone());
            context.engine.swap(&old, new)
        }
        _ => Err(Diagnostic::new(
            Kind::Usage,
            format!("`swap` takes one or two modules, got {}", specs.len()),
        )
        .help("module swap OLD NEW")),
    }
}

/// Unloads all modules.
pub(super) fn purge(context: &mut Context) -> Result<(), Diagnostic> {
    context.engine.purge()
}

/// Goes back to the modules that a new session has.
pub(super) fn reset(context: &mut Context) -> Result<(), Diagnostic> {
    let needs_defaults = match context.config.reset_target.as_str() {
        "defaults" => true,
        "__init__" => false,
        "__purge__" => return context.engine.purge(),
        name => {
            let (set, versions) = collections::wanted(context, name)?;
            return context.engine.restore(&set, versions);
        }
    };
    let names = context
        .session
        .text("LMOD_SYSTEM_DEFAULT_MODULES")
        .filter(|n| !n.trim().is_empty());
    let Some(names) = names.or((!needs_defaults).then_some("")) else {
        return Err(Diagnostic::new(
            Kind::Site,
            "there are no system default modules to go back to",
        )
        .known_as("w_SYS_DFLT_EMPTY", &[])
        .note("the variable `LMOD_SYSTEM_DEFAULT_MODULES` is empty")
        .help("`module purge` unloads all modules"));
    };
    let names: Vec<String> = names
        .split([':', ',', ' '])
        .filter(|n| !n.is_empty() && *n != "__NO_SYSTEM_DEFAULT_MODULES__")
        .map(str::to_owned)
        .collect();
    let specs = context.specs(&names)?;
    let before = context.engine.state().modulepath();
    context.engine.reset(&specs)?;
    let after = context.engine.state().modulepath();
    let gone = before.iter().filter(|dir| !after.contains(dir));
    let gone: Vec<String> = gone.map(ToString::to_string).collect();
    let dirs = match gone.is_empty() {
        true => "None".to_owned(),
        false => gone.join(" "),
    };
    let own = format!(
        "Running \"module reset\". Resetting modules to system default. The following $MODULEPATH directories \
         have been removed: {dirs}\n"
    );
    let text = (context.layout()).say("m_Reset_SysDflt", &[("pathA", &dirs)], own);
    context.tell_outcome(&text);
    Ok(())
}

/// Defines aliases and functions of the loaded modules again.
pub(super) fn refresh(context: &mut Context) -> Result<(), Diagnostic> {
    context.engine.refresh()
}

/// Loads all loaded modules again.
pub(super) fn update(context: &mut Context) -> Result<(), Diagnostic> {
    context.engine.update()
}

/// Adds directories to MODULEPATH.
pub(super) fn use_paths(context: &mut Context) -> Result<(), Diagnostic> {
    if context.words.is_empty() {
        let paths = context.engine.state().modulepath();
        if context.options.json {
            let paths: Vec<String> = paths.iter().map(ToString::to_string).collect();
            context.print_json(&serde_json::json!({ "version": 1, "modulepath": paths }));
            return Ok(());
        }
        if context.config.listing_style == ListingStyle::Modules {
            super::modules::collections::used(context);
            return Ok(());
        }
        for path in paths {
            context.print(&format!("{path}\n"));
        }
        return Ok(());
    }
    let mut dirs = directories(context);
    if context.config.use_keeps_order {
        dirs = vec![bstr::join(":", dirs).into()];
    }
    let position = if context.options.append {
        UsePosition::Back
    } else {
        UsePosition::Front
    };
    let priority = context.options.priority.unwrap_or(0);
    context.engine.use_paths(&dirs, position, priority)
}

/// Takes directories out of MODULEPATH.
pub(super) fn unuse(context: &mut Context) -> Result<(), Diagnostic> {
    let dirs = directories(context);
    context.engine.unuse_paths(&dirs)
}

/// The words as absolute directories. One word may hold several, joined by `:`.
pub(super) fn directories(context: &Context) -> Vec<BString> {
    let in_home = |dir: &str| match (dir.strip_prefix("~/"), context.session.home()) {
        (Some(rest), Some(home)) => home.join(rest).into_string(),
        _ => dir.to_owned(),
    };
    let absolute = |dir: &str| -> String {
        let stays = dir.starts_with('/') && !context.config.resolve_modulepaths;
        if stays || dir.starts_with('$') {
            return dir.to_owned();
        }
        let Some(cwd) = context.session.cwd() else {
            return dir.to_owned();
        };
        if context.config.resolve_modulepaths {
            return modulepath::clean(&in_home(dir), cwd).into_string();
        }
        let joined = cwd.join(dir);
        // What exists gets its true name, as both peers do; what does not may be made later.
        joined.canonicalize_utf8().unwrap_or(joined).into_string()
    };
    context
        .words
        .iter()
        .map(|word| {
            let dirs: Vec<String> = word
                .split(':')
                .filter(|d| !d.is_empty())
                .map(absolute)
                .collect();
            BString::from(dirs.join(":"))
        })
        .filter(|dirs| !dirs.is_empty())
        .collect()
}
