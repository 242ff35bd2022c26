//! `module save`, `restore`, `savelist`, `describe`, `disable`.

use serde_json::json;

use super::{Context, change};
use crate::collection::{self, Collection};
use crate::config::ListingStyle;
use crate::diag::{Diagnostic, Kind};
use crate::transition::RestoreVersions as Versions;
use crate::view::numbered;

/// The collection that is meant where none is named.
const DEFAULT: &str = "default";

/// The collection that stands for the system's default modules.
const SYSTEM: &str = "system";

/// The name of the collection that is meant.
pub(super) fn name(context: &Context) -> String {
    context
        .words
        .first()
        .map_or(DEFAULT, String::as_str)
        .to_owned()
}

/// Saves the loaded modules.
pub(super) fn save(context: &mut Context) -> Result<(), Diagnostic> {
    let name = name(context);
    collection::check_name(&name, "w_No_dot_Coll")?;
    context.engine.check_satisfied("save")?;
    let set = context.engine.collection();
    if set.modules.is_empty() && !context.options.force {
        return Err(Diagnostic::new(
            Kind::Module,
            "no module is loaded: an empty collection is not saved",
        )
        .known_as("w_Save_Empty_Coll", &[("name", &name)])
        .help(format!("module --force save {name}")));
    }
    collection::save(context.session, context.config, &name, &set)?;
    let layout = context.layout();
    let tail = match context.config.system_name.as_str() {
        "" => String::new(),
        system => layout.say(
            "m_For_System",
            &[("sname", system)],
            format!(", for system: \"{system}\""),
        ),
    };
    let own = format!("Saved current collection of modules to: \"{name}\"{tail}\n");
    let values = [("a", name.as_str()), ("msgTail", &tail)];
    let text = layout.tell("lmodmessage", "m_Save_Coll", &values, &own);
    context.tell_outcome(&text);
    Ok(())
}

/// Keeps the loaded modules with the content of their files, for `restore --locked`.
pub(super) fn lock(context: &mut Context) -> Result<(), Diagnostic> {
    let name = name(context);
    let set = context.engine.collection();
    let file = collection::lock::write(context.session, &name, &set)?;
    context.notice(&format!("Locked the loaded modules in {file}\n"));
    Ok(())
}

/// The collection that is meant, or the lock; that one is refused where its files are no longer the same.
pub(super) fn wanted(context: &Context, name: &str) -> Result<(Collection, Versions), Diagnostic> {
    if context.options.locked {
        let (set, changed) = collection::lock::read(context.session, name)?;
        return match collection::lock::refuses(name, &changed) {
            Some(refusal) if !context.options.force => Err(refusal),
            _ => Ok((set, Versions::Pinned)),
        };
    }
    let set = collection::read(context.session, context.config, name)?;
    let versions = if context.options.pin_versions || context.config.pin_versions {
        Versions::Pinned
    } else if context.options.latest {
        Versions::Latest
    } else {
        Versions::AsRequested
    };
    Ok((set, versions))
}

/// Loads the modules of a collection, the system's default modules where there is none of the usual name.
pub(super) fn restore(context: &mut Context) -> Result<(), Diagnostic> {
    let name = name(context);
    if context.options.locked {
        let (set, versions) = wanted(context, &name)?;
        return context.engine.restore(&set, versions);
    }
    let file = collection::find(context.session, context.config, &name);
    if name == SYSTEM || (name == DEFAULT && context.words.is_empty() && file.is_none()) {
        change::reset(context)?;
        return context.site.restored(Some(SYSTEM), SYSTEM, None);
    }
    let (set, versions) = wanted(context, &name)?;
    if !context.options.initial_load {
        let msg = format!("user's {name}");
        let own = format!("Restoring modules from {msg}\n");
        let text = (context.layout()).say("m_Restore_Coll", &[("msg", &msg)], own);
        context.tell_outcome(&text);
    }
    context.engine.restore(&set, versions)?;
    let asked = context.words.first().map(String::as_str);
    context.site.restored(asked, &name, file.as_deref())
}

/// The same without a word.
pub(super) fn getdefault(context: &mut Context) -> Result<(), Diagnostic> {
    let name = name(context);
    let set = collection::read(context.session, context.config, &name)?;
    context.engine.restore(&set, Versions::AsRequested)?;
    let file = collection::find(context.session, context.config, &name);
    let asked = context.words.first().map(String::as_str);
    context.site.restored(asked, &name, file.as_deref())
}

/// The names of the collections.
pub(super) fn savelist(context: &mut Context) -> Result<(), Diagnostic> {
    if context.config.listing_style == ListingStyle::Modules {
        return super::modules::collections::savelist(context);
    }
    let mut names = collection::names(context.session, context.config);
    // What was put aside has a list of its own.
    names.retain(|name| context.options.all || !super::modules::stash::is_stash(name));
    if context.options.json {
        context.print_json(&json!({ "version": 1, "collections": names }));
    } else if context.options.terse {
        for name in names {
            context.print(&format!("{name}\n"));
        }
    } else if names.is_empty() {
        let own = "No named collections.\n";
        let text = context.layout().say("m_No_Named_Coll", &[], own);
        context.print(&text);
    } else {
        let layout = context.layout();
        let system = match context.config.system_name.as_str() {
            "" => String::new(),
            system => layout.say(
                "lmodSystemName",
                &[("name", system)],
                format!("(For LMOD_SYSTEM_NAME = \"{system}\")"),
            ),
        };
        let own = format!("Named collection list {system}:\n");
        let title = layout.say("namedCollList", &[("msgHdr", &system)], own);
        context.print(&title);
        context.print(&numbered(&names, layout.width));
    }
    Ok(())
}

/// What a collection holds.
pub(super) fn describe(context: &mut Context) -> Result<(), Diagnostic> {
    let name = name(context);
    describe_named(context, &name)
}

/// What the collection of that name holds.
pub(super) fn describe_named(context: &mut Context, name: &str) -> Result<(), Diagnostic> {
    if context.config.listing_style == ListingStyle::Modules && !context.options.json {
        return super::modules::collections::saveshow(context, name);
    }
    let set = collection::read(context.session, context.config, name)?;
    let pinned = context.options.pin_versions || context.config.pin_versions;
    let modules: Vec<String> = names_of(&set, pinned);
    if context.options.json {
        let dirs: Vec<&str> = set.modulepath.iter().map(|(dir, _)| dir.as_str()).collect();
        context.print_json(
            &json!({ "version": 1, "name": name, "modulepath": dirs, "modules": modules }),
        );
        return Ok(());
    }
    if context.options.terse {
        for (dir, _) in &set.modulepath {
            context.print(&format!("module use {dir}\n"));
        }
        for module in modules {
            context.print(&format!("{module}\n"));
        }
        return Ok(());
    }
    let own = format!("Collection \"{name}\" contains: \n");
    let mut text = (context.layout()).say("coll_contains", &[("collection", name)], own);
    if !set.modulepath.is_empty() {
        text.push_str("  Module paths (run these first):\n");
        for (dir, _) in &set.modulepath {
            text.push_str(&format!("   module use {dir}\n"));
        }
        text.push_str("  Modules:\n");
    }
    text.push_str(&numbered(&modules, context.layout().width));
    context.print(&text);
    Ok(())
}

fn names_of(set: &Collection, pinned: bool) -> Vec<String> {
    set.modules
        .iter()
        .map(|module| {
            if pinned && !module.full_name.is_empty() {
                module.full_name.clone()
            } else {
                module.requested.clone()
            }
        })
        .collect()
}

/// Puts collections away.
pub(super) fn disable(context: &mut Context) -> Result<(), Diagnostic> {
    let mut names = context.words.to_vec();
    if names.is_empty() {
        names.push(DEFAULT.to_owned());
    }
    for name in names {
        let file = collection::disable(context.session, context.config, &name)?;
        let own = format!("Disabling {name} collection by renaming to {file}\n");
        let values = [("name", name.as_str())];
        let text = context.layout().say("m_Collection_disable", &values, own);
        context.tell_outcome(&text);
    }
    Ok(())
}
