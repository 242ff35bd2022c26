//! The sub-commands that read one modulefile: show, whatis, help, test.

use serde_json::json;

use super::Context;
use crate::config::ListingStyle;
use crate::diag::{Diagnostic, Kind, Severity};
use crate::modulefile::Mode;
use crate::name::Spec;
use crate::transition::Inspected;
use crate::view::{self, banner, border};

/// What loading a module would do.
pub(super) fn show(context: &mut Context) -> Result<(), Diagnostic> {
    if context.options.json {
        return as_json(
            context,
            "show",
            Mode::Show,
            |seen| json!({ "calls": view::show::json(&seen.evaluation.calls) }),
        );
    }
    for spec in context.some_specs("show")? {
        if context.options.location || context.options.terse {
            let found = context.engine.locate(&spec)?;
            context.print(&format!("{}\n", found.file));
            continue;
        }
        let Some(seen) = look(context, &spec, Mode::Show)? else {
            continue;
        };
        let width = context.layout().width;
        let body = if context.options.raw {
            String::from_utf8_lossy(seen.source.text()).into_owned()
        } else if context.config.show_tcl {
            view::show::tcl(&seen.evaluation.calls, &seen.evaluation.said)
        } else {
            view::show::lua(&seen.evaluation.calls)
        };
        let text = if context.config.show_tcl {
            boxed(context, width, &format!("{}:\n\n{body}", seen.found.file))
        } else {
            let line = border(width);
            format!("{line}   {}:\n{line}{body}\n", seen.found.file)
        };
        context.print(&text);
    }
    Ok(())
}

/// One document about all modules named: which they are, and what `about` says of each.
fn as_json(
    context: &mut Context,
    subcommand: &str,
    mode: Mode,
    about: impl Fn(&Inspected) -> serde_json::Value,
) -> Result<(), Diagnostic> {
    let mut modules = Vec::new();
    for spec in context.some_specs(subcommand)? {
        let seen = context.engine.inspect(&spec, mode)?;
        let mut module = json!({
            "name": seen.found.name,
            "full_name": seen.found.full_name(),
            "file": seen.found.file,
        });
        if let (Some(module), serde_json::Value::Object(about)) =
            (module.as_object_mut(), about(&seen))
        {
            module.extend(about);
        }
        modules.push(module);
    }
    context.print_json(&json!({ "version": 1, "modules": modules }));
    Ok(())
}

fn texts(texts: &[bstr::BString]) -> Vec<String> {
    texts.iter().map(ToString::to_string).collect()
}

/// Checks modulefiles without effect: the arguments of their calls, and what runs on the way (`--check_syntax`). All
/// files are checked, the last mistake is the answer.
pub(super) fn check(context: &mut Context, specs: &[Spec]) -> Result<(), Diagnostic> {
    let mut failure: Option<Diagnostic> = None;
    for spec in specs {
        if let Err(mistake) = context.engine.inspect(spec, Mode::Check)
            && let Some(earlier) = failure.replace(mistake)
        {
            let layout = context.layout();
            context.notice(&earlier.render(Severity::Error, layout.colour, layout.width));
        }
    }
    failure.map_or(Ok(()), Err)
}

/// What a modulefile says; `None` where that failed and the request goes on.
fn look(context: &mut Context, spec: &Spec, mode: Mode) -> Result<Option<Inspected>, Diagnostic> {
    match context.engine.inspect(spec, mode) {
        Ok(seen) => Ok(Some(seen)),
        Err(diagnostic) => context.engine.fail(diagnostic).map(|()| None),
    }
}

/// Text between lines of dashes, as Environment Modules has it: one line between two texts.
fn boxed(context: &Context, width: usize, text: &str) -> String {
    let line = format!("{}\n", "-".repeat(width.min(67)));
    let above = if context.is_blank() {
        line.as_str()
    } else {
        ""
    };
    format!("{above}{text}{line}")
}

/// Runs the test that a module brings along (Tcl `proc ModulesTest`).
pub(super) fn test(context: &mut Context) -> Result<(), Diagnostic> {
    for spec in context.some_specs("test")? {
        let Some(seen) = look(context, &spec, Mode::Test)? else {
            continue;
        };
        let file = &seen.found.file;
        let result = match seen.evaluation.test_passed {
            Some(true) => "Test result: PASS\n",
            Some(false) => "Test result: FAIL\n",
            None => "The module has no test.\n",
        };
        let width = context.layout().width;
        let text = format!("Module Specific Test for {file}:\n\n{result}");
        context.print(&boxed(context, width, &text));
        if seen.evaluation.test_passed == Some(false) {
            return Err(Diagnostic::new(
                Kind::Module,
                format!("the test of `{}` failed", seen.found.full_name()),
            ));
        }
    }
    Ok(())
}

/// What a module is, in one line each.
pub(super) fn whatis(context: &mut Context) -> Result<(), Diagnostic> {
    if context.config.listing_style == ListingStyle::Modules {
        return super::modules::whatis(context);
    }
    if context.options.json {
        return as_json(
            context,
            "whatis",
            Mode::Whatis,
            |seen| json!({ "whatis": texts(&seen.evaluation.whatis) }),
        );
    }
    for spec in context.some_specs("whatis")? {
        let seen = context.engine.inspect(&spec, Mode::Whatis)?;
        let name = seen.found.full_name();
        // As in Lmod: a long name is not cut, and its colon stands twice as far.
        let width = match name.chars().count() {
            length @ 20.. => 2 * length + 2,
            _ => 20,
        };
        let layout = context.layout();
        for line in &seen.evaluation.whatis {
            let line = line.to_string();
            let rendered = view::markdown::render(&line, layout);
            let line = rendered.strip_suffix('\n').unwrap_or(&rendered);
            context.print(&format!("{name:<width$}: {line}\n"));
        }
    }
    Ok(())
}

/// The help text of a module.
pub(super) fn help(context: &mut Context) -> Result<(), Diagnostic> {
    if context.options.json {
        return as_json(
            context,
            "help",
            Mode::Help,
            |seen| json!({ "help": texts(&seen.evaluation.help).join("\n") }),
        );
    }
    for spec in context.some_specs("help")? {
        let Some(seen) = look(context, &spec, Mode::Help)? else {
            continue;
        };
        let name = seen.found.full_name();
        let layout = context.layout();
        let mut text = String::new();
        for paragraph in &seen.evaluation.help {
            let paragraph = paragraph.to_string();
            text.push_str(&view::markdown::render(&paragraph, layout));
            text.push('\n');
        }
        if text.trim().is_empty() {
            // A whatis line is better than nothing.
            let lines: Vec<String> = seen
                .evaluation
                .whatis
                .iter()
                .map(ToString::to_string)
                .collect();
            text = match lines.as_slice() {
                [] => format!("`{name}` has no help text\n"),
                lines => format!("{}\n", lines.join("\n")),
            };
        }
        let width = layout.width;
        let text = if context.config.show_tcl {
            let head = format!("Module Specific Help for {}:", seen.found.file);
            boxed(context, width, &format!("{head}\n\n{text}"))
        } else {
            let title = (context.layout()).say(
                "specific_hlp",
                &[("fullName", &name)],
                format!("Module Specific Help for \"{name}\""),
            );
            let head = banner(&title, width);
            format!("\n{head}{text}\n")
        };
        context.print(&text);
    }
    Ok(())
}

/// An error for a sub-command that needs names and has none.
pub(super) fn needs_names(subcommand: &str) -> Diagnostic {
    Diagnostic::new(
        Kind::Usage,
        format!("`{subcommand}` needs the name of a module"),
    )
    .help(format!("module {subcommand} NAME"))
}
