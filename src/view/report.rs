//! What a request did: the lines that people see after a load.

use super::Layout;
use super::numbered;
use crate::diag::{Diagnostic, Severity};
use crate::modulefile::Level;
use crate::transition::{Followed, Notice, Report};

/// The report as text; empty where there is nothing to say.
///
/// `layout` is asked for only then: it may cost a look at the terminal.
pub fn render(report: &Report, layout: impl FnOnce() -> Layout) -> String {
    if report.is_silent() {
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
        text.push_str(&one(notice, layout));
    }
    let groups: [(&str, Vec<String>); 4] = [
        ("Inactive Modules:", report.inactive.clone()),
        ("Activating Modules:", report.activated.clone()),
        (
            "Due to MODULEPATH changes, the following have been reloaded:",
            report.reloaded.clone(),
        ),
        (
            "The following have been reloaded with a version change:",
            report
                .changed
                .iter()
                .map(|(old, new)| format!("{old} => {new}"))
                .collect(),
        ),
    ];
    let any = groups.iter().any(|(_, names)| !names.is_empty());
    for (title, names) in groups {
        if !names.is_empty() {
            text.push_str(&format!("\n{title}\n{}", numbered(&names, layout.width)));
        }
    }
    if any {
        text.push('\n');
    }
    text
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

fn one(notice: &Notice, layout: Layout) -> String {
    match notice {
        // Loads and unloads that were asked for are no news.
        Notice::Loaded { .. } | Notice::Unloaded { .. } => String::new(),
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
        Notice::Replaced { old, new } => {
            format!("Replaced `{old}` by `{new}`: both belong to one family\n")
        }
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
        Notice::StickyKept { modules } => format!(
            "\nThe following modules were not unloaded:\n  (Use \"module --force purge\" to unload all):\n\n{}\n",
            numbered(modules, layout.width)
        ),
        Notice::StickyLost { modules } => format!(
            "\nThe following sticky modules could not be reloaded:\n\n{}\n",
            numbered(modules, layout.width)
        ),
        Notice::Admin { messages } => admin(messages, layout),
        Notice::Gone { modules } => modules.iter().map(gone).collect(),
        Notice::MissingDependents { missing } => {
            let rows: Vec<String> = missing
                .iter()
                .map(|(what, who)| format!("{what} (required by: {who})"))
                .collect();
            format!(
                "warning: the following dependent modules are not currently loaded: {}\n",
                rows.join(", ")
            )
        }
    }
}

/// The site's messages about modules, in a frame so that they are seen.
fn admin(messages: &[(String, String)], layout: Layout) -> String {
    let line = "-".repeat(layout.width.saturating_sub(4));
    let mut text =
        format!("{line}\nThere are messages associated with the following module(s):\n{line}\n");
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
pub fn messages(report: &Report, failure: &Diagnostic, layout: impl FnOnce() -> Layout) -> String {
    let mut said = report
        .notices
        .iter()
        .filter(|notice| match notice {
            Notice::Message(_) => true,
            Notice::Warning(warning) => warning.place != failure.place,
            _ => false,
        })
        .peekable();
    if said.peek().is_none() {
        return String::new();
    }
    let layout = layout();
    said.map(|notice| one(notice, layout)).collect()
}
