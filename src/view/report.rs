//! What a request did: the lines that people see after a load.

use super::{Layout, border, numbered};
use crate::config::Verbosity;
use crate::diag::{Diagnostic, Severity};
use crate::modulefile::{Level, Message};
use crate::transition::{Followed, Notice, Report};

/// The report as text; empty where there is nothing to say.
///
/// `layout` is asked for only then: it may cost a look at the terminal.
pub fn render<'w>(
    report: &Report,
    verbosity: Verbosity,
    layout: impl FnOnce() -> Layout<'w>,
) -> String {
    if report.is_silent() && verbosity < Verbosity::Verbose {
        return String::new();
    }
    let layout = layout();
    let mut text = String::new();
    if let Some(loss) = &report.loss {
        text.push_str(&format!(
            "warning: {loss}\n  = note: it is rebuilt from `LOADEDMODULES` and `_LMFILES_`; `module purge` and loading \
             again makes it whole\n"
        ));
    }
    for notice in &report.notices {
        text.push_str(&one(notice, verbosity, layout));
    }
    if verbosity < Verbosity::Normal {
        return text;
    }
    let groups: [(&str, &str, Vec<String>); 4] = [
        (
            "m_Inactive_Modules",
            "Inactive Modules:",
            report.inactive.clone(),
        ),
        (
            "m_Activate_Modules",
            "Activating Modules:",
            report.activated.clone(),
        ),
        (
            "m_Reload_Modules",
            "Due to MODULEPATH changes, the following have been reloaded:",
            report.reloaded.clone(),
        ),
        (
            "m_Reload_Version_Chng",
            "The following have been reloaded with a version change:",
            report
                .changed
                .iter()
                .map(|(old, new)| format!("{old} => {new}"))
                .collect(),
        ),
    ];
    let any = groups.iter().any(|(_, _, names)| !names.is_empty());
    for (key, title, names) in groups {
        if !names.is_empty() {
            let title = layout.say(key, &[], format!("{title}\n"));
            text.push_str(&format!("\n{title}{}", numbered(&names, layout.width)));
        }
    }
    if any {
        text.push('\n');
    }
    text
}

/// A remark of ours that a hook of the site may put into other words, in these; `None` for all other notices.
pub fn worded(notice: &Notice, layout: Layout) -> Option<Message> {
    let is_ours = matches!(
        notice,
        Notice::Replaced { .. }
            | Notice::StickyKept { .. }
            | Notice::StickyLost { .. }
            | Notice::Gone { .. }
    );
    is_ours.then(|| Message {
        level: Level::Plain,
        text: one(notice, Verbosity::Normal, layout).into(),
    })
}

/// What modulefiles wrote straight to standard error: all that is said where the user wants quiet.
pub fn direct(report: &Report) -> String {
    let texts = report.notices.iter().filter_map(|notice| match notice {
        Notice::Message(message) if message.level == Level::Direct => {
            Some(message.text.to_string())
        }
        _ => None,
    });
    texts.collect()
}

fn one(notice: &Notice, verbosity: Verbosity, layout: Layout) -> String {
    match notice {
        Notice::Loaded { full_name, .. } if verbosity >= Verbosity::Verbose => {
            format!("Loading {full_name}\n")
        }
        Notice::Unloaded { full_name } if verbosity >= Verbosity::Verbose => {
            format!("Unloading {full_name}\n")
        }
        // Loads and unloads that were asked for are no news.
        Notice::Loaded { .. } | Notice::Unloaded { .. } => String::new(),
        Notice::Evaluated { full_name, file } => {
            format!("Evaluate modulefile: '{file}' as '{full_name}'\n")
        }
        // What nobody asked for is news, but no warning.
        Notice::Replaced { .. } | Notice::Followed { .. } | Notice::NotLoaded { .. }
            if verbosity < Verbosity::Normal =>
        {
            String::new()
        }
        Notice::Message(message) => {
            let body = message.text.to_string();
            match message.level {
                Level::Plain | Level::Direct => body,
                Level::Warning => format!("warning: {}\n", body.trim_end()),
                Level::Error => format!("error: {}\n", body.trim_end()),
            }
        }
        Notice::Text(body) => format!("{}\n", body.trim_end()),
        Notice::Warning(diagnostic) => {
            diagnostic.render(Severity::Warning, layout.colour, layout.width)
        }
        Notice::Replaced { old, new } => layout.tell(
            "lmodmessage",
            "m_Family_Swap",
            &[("oldFullName", old), ("newFullName", new)],
            &format!("Replaced `{old}` by `{new}`: both belong to one family\n"),
        ),
        Notice::GaveUp { module, text } => match text {
            Some(reason) if !reason.trim().is_empty() => {
                format!("`{module}` was not loaded: {}\n", reason.trim_end())
            }
            _ => format!("`{module}` was not loaded: its modulefile gave up\n"),
        },
        Notice::Followed { action, modules } => {
            let lines = modules.iter().map(|(why, names)| {
                let what = match why {
                    Followed::Conflict => "Unloading conflict",
                    Followed::Dependent => "Unloading dependent",
                    Followed::Requirement => "Loading requirement",
                    Followed::Useless => "Unloading useless requirement",
                    Followed::Again => "Reloading dependent",
                };
                format!("  {what}: {}\n", names.join(" "))
            });
            format!("{action}\n{}", lines.collect::<String>())
        }
        Notice::NotLoaded { spec } => {
            format!("The module `{spec}` cannot be unloaded because it was not loaded.\n")
        }
        Notice::Protected { module, variable } => {
            format!("warning: `{module}` must not change the protected variable `{variable}`\n")
        }
        Notice::StickyKept { modules } => {
            let own = "The following modules were not unloaded:\n  (Use \"module --force purge\" to unload all):\n";
            let title = layout.tell("lmodmessage", "m_Sticky_Mods", &[], own);
            format!("\n{title}\n{}\n", numbered(modules, layout.width))
        }
        Notice::StickyLost { modules } => {
            let own = "The following sticky modules could not be reloaded:\n";
            let title = layout.tell("lmodmessage", "m_Sticky_Unstuck", &[], own);
            format!("\n{title}\n{}\n", numbered(modules, layout.width))
        }
        Notice::Admin { messages } => admin(messages, layout),
        Notice::Gone { modules } => {
            let own: String = modules.iter().map(gone).collect();
            let names: Vec<&str> = modules.iter().map(|(name, _)| name.as_str()).collect();
            let list = names.join(" ");
            let (words, values) = (layout.words, [("module_list", list.as_str())]);
            match words.message("lmodwarning", "w_Mods_Not_Loaded", &values, &own) {
                Some(text) => format!("warning: {}\n", text.trim_end()),
                None => own,
            }
        }
        Notice::MissingDependents { missing } => {
            let rows: Vec<String> = missing
                .iter()
                .map(|(what, who)| format!("{what} (required by: {who})"))
                .collect();
            let (line, missing) = (border(layout.width), rows.join(", "));
            let own = format!(
                "warning: the following dependent modules are not currently loaded: {missing}\n"
            );
            let values = [("border", line.as_str()), ("missing", &missing)];
            layout.say("w_MissingModules", &values, own)
        }
    }
}

/// The site's messages about modules, in a frame so that they are seen.
fn admin(messages: &[(String, String)], layout: Layout) -> String {
    let line = "-".repeat(layout.width.saturating_sub(4));
    let mut text = layout.say(
        "m_Module_Msgs",
        &[("border", &format!("{line}\n"))],
        format!("{line}\nThere are messages associated with the following module(s):\n{line}\n"),
    );
    for (module, message) in messages {
        text.push_str(&format!("\n{module}:\n"));
        for paragraph in message.lines() {
            for row in textwrap::wrap(paragraph, layout.width.saturating_sub(4)) {
                text.push_str(&format!("   {row}\n"));
            }
        }
    }
    format!("{text}\n{line}\n")
}

/// A module of a collection that does not exist any more, with the next step.
fn gone((name, newest): &(String, Option<String>)) -> String {
    match newest {
        Some(newest) => format!(
            "warning: `{name}` was not loaded: it is gone; `{newest}` is there instead\n  \
             = help: `module --latest restore` takes the newest versions\n"
        ),
        None => format!("warning: `{name}` was not loaded: it is gone\n"),
    }
}

/// Only what modulefiles said, and what is wrong with files of the site, which may be why the request failed with
/// `failure`: the rest did not happen.
pub fn messages<'w>(
    report: &Report,
    failure: &Diagnostic,
    verbosity: Verbosity,
    layout: impl FnOnce() -> Layout<'w>,
) -> String {
    let mut said = report
        .notices
        .iter()
        .filter(|notice| match notice {
            Notice::Message(_) | Notice::Evaluated { .. } => true,
            Notice::Warning(warning) => warning.place != failure.place,
            _ => false,
        })
        .peekable();
    if said.peek().is_none() {
        return String::new();
    }
    let layout = layout();
    said.map(|notice| one(notice, verbosity, layout)).collect()
}
