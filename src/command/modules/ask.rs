//! `module config` and `module state` of Environment Modules.

use super::Context;
use crate::config::{Origin, SETTINGS, Setting};
use crate::diag::{Diagnostic, Kind};
use crate::view::modules as view;

/// The version that clients look for; see the decision about names and versions.
const RELEASE: &str = "Modules Release 5.6.1 (2025-11-25)\n";

/// An option of Environment Modules: its name there, its variable, and our setting behind it.
struct Opt {
    name: String,
    variable: &'static str,
    setting: &'static Setting,
}

/// The options in the order of their names.
fn options() -> Vec<Opt> {
    let mut options: Vec<Opt> = Vec::new();
    for setting in SETTINGS {
        for variable in setting.variables.iter().filter(|v| !v.inverted) {
            let name = match variable.name {
                "MODULERCFILE" => "rcfile".to_owned(),
                "MODULECONTACT" => "contact".to_owned(),
                "MODULES_RCFILE" => continue,
                name => match name.strip_prefix("MODULES_") {
                    Some(rest) => rest.to_lowercase(),
                    None => continue,
                },
            };
            options.push(Opt {
                name,
                variable: variable.name,
                setting,
            });
        }
    }
    options.sort_by(|a, b| a.name.cmp(&b.name));
    options
}

/// Shows the options, or one of them; with a value sets its variable.
pub(crate) fn config(context: &mut Context) -> Result<(), Diagnostic> {
    let options = options();
    let find = |name: &str| {
        options
            .iter()
            .find(|option| option.name == name)
            .ok_or_else(|| {
                Diagnostic::new(
                    Kind::Usage,
                    format!("configuration option `{name}` does not exist"),
                )
                .help("`module config` lists all options")
            })
    };
    if context.options.reset {
        let name = needed(context, "config --reset")?;
        let option = find(&name)?;
        context.engine.set_variable(option.variable, None);
        return Ok(());
    }
    match context.words {
        [] => {
            let rows: Vec<String> = options.iter().map(|option| row(context, option)).collect();
            show(context, &rows.concat());
            if context.options.dump_state {
                context.print("\n");
                let text = state_tables(context, None)?;
                context.print(&text);
            }
            Ok(())
        }
        [name] => {
            let text = row(context, find(name)?);
            show(context, &text);
            Ok(())
        }
        [name, value] => {
            let option = find(name)?;
            let mut tried = context.config.clone();
            let value = amended(context, option, value);
            if !tried.set(option.setting.name, &value, Origin::Option) {
                return Err(Diagnostic::new(
                    Kind::Usage,
                    format!("`{value}` is not a value for configuration option `{name}`"),
                )
                .help(format!("`module config {name}` shows the present one")));
            }
            context.engine.set_variable(option.variable, Some(&value));
            Ok(())
        }
        _ => Err(Diagnostic::new(
            Kind::Usage,
            "`config` takes the name of an option and its value",
        )
        .help("module config NAME VALUE")),
    }
}

/// `+a:b` and `-a:b` amend a list.
fn amended(context: &Context, option: &Opt, value: &str) -> String {
    let present = value_of(context, option);
    let items = |text: &str| -> Vec<String> {
        let items = text.split(':').filter(|item| !item.is_empty());
        items.map(str::to_owned).collect()
    };
    match (value.strip_prefix('+'), value.strip_prefix('-')) {
        (Some(more), _) => [items(&present), items(more)].concat().join(":"),
        (_, Some(less)) if less.parse::<i64>().is_err() => {
            let less = items(less);
            let mut kept = items(&present);
            kept.retain(|item| !less.contains(item));
            kept.join(":")
        }
        _ => value.to_owned(),
    }
}

fn show(context: &mut Context, rows: &str) {
    let head = view::values_header("Config. name", "Value (set by if default overridden)");
    context.print(&format!("{RELEASE}\n{head}{rows}"));
}

fn value_of(context: &Context, option: &Opt) -> String {
    let listed = context.config.list();
    let found = listed
        .into_iter()
        .find(|(name, ..)| *name == option.setting.name);
    match found.map(|(_, value, _)| value) {
        Some(value) if value == "true" => "1".to_owned(),
        Some(value) if value == "false" => "0".to_owned(),
        Some(value) => value,
        None => String::new(),
    }
}

fn row(context: &Context, option: &Opt) -> String {
    let value = value_of(context, option);
    let value = if value.is_empty() { "<undef>" } else { &value };
    let set_by = match context.config.origin(option.setting.name) {
        Origin::Default => "",
        Origin::File(_) => " (site)",
        Origin::Variable(_) => " (env-var)",
        Origin::Option => " (cmd-line)",
    };
    view::value_row(&option.name, &format!("{value}{set_by}"))
}

/// Shows what the program knows about itself, or one fact of it.
pub(crate) fn state(context: &mut Context) -> Result<(), Diagnostic> {
    let text = state_tables(context, context.words.first().map(String::as_str))?;
    context.print(&format!("{RELEASE}\n{text}"));
    Ok(())
}

fn state_tables(context: &Context, only: Option<&str>) -> Result<String, Diagnostic> {
    let rows = facts(context);
    let head = view::values_header("State name", "Value");
    if let Some(name) = only {
        let found = rows.iter().find(|(known, _)| *known == name);
        let (name, value) = found.ok_or_else(|| {
            Diagnostic::new(Kind::Usage, format!("state `{name}` does not exist"))
                .help("`module state` lists all")
        })?;
        return Ok(head + &view::value_row(name, value));
    }
    let rows: String = rows
        .iter()
        .map(|(name, value)| view::value_row(name, value))
        .collect();
    let ours = |name: &str| {
        name.contains("_module")
            || ["MODULE", "__MODULES_", "LOADEDMODULES", "_LMFILES_"]
                .iter()
                .any(|start| name.starts_with(start))
    };
    let variables: String = context
        .session
        .env
        .iter()
        .filter(|(name, _)| ours(&name.to_string()))
        .map(|(name, value)| view::value_row(&name.to_string(), &value.to_string()))
        .collect();
    let second = view::values_header("Env. variable", "Value");
    Ok(format!("{head}{rows}\n{second}{variables}"))
}

/// The facts by the names that Environment Modules gives them.
fn facts(context: &Context) -> Vec<(&'static str, String)> {
    let session = context.session;
    let uname = nix::sys::utsname::uname().ok();
    let part = |pick: fn(&nix::sys::utsname::UtsName) -> &std::ffi::OsStr| {
        let text = uname
            .as_ref()
            .map(|u| pick(u).to_string_lossy().into_owned());
        text.unwrap_or_default()
    };
    let flag = |on: bool| u8::from(on).to_string();
    let shells: Vec<&str> = crate::shell::SHELLS.iter().map(|row| row.name).collect();
    vec![
        ("commandname", context.engine.command_name().to_owned()),
        ("force", flag(context.options.force)),
        ("is_stderr_tty", flag(session.stderr_is_terminal)),
        ("kernelversion", part(|u| u.version())),
        ("machine", part(|u| u.machine())),
        ("modules_release", "5.6.1".to_owned()),
        ("nodename", part(|u| u.nodename())),
        ("os", part(|u| u.sysname())),
        ("osversion", part(|u| u.release())),
        ("path_separator", ":".to_owned()),
        ("shell", context.engine.shell().to_owned()),
        ("sub1_separator", "&".to_owned()),
        ("sub2_separator", "|".to_owned()),
        ("subcmd", context.engine.command_name().to_owned()),
        ("subcmd_args", context.words.join(" ")),
        ("supported_shells", shells.join(" ")),
        ("term_columns", context.layout().width.to_string()),
        ("usergroups", session.groups().join(" ")),
        ("username", session.user().to_owned()),
    ]
}

fn needed(context: &Context, what: &str) -> Result<String, Diagnostic> {
    match context.words {
        [name] => Ok(name.clone()),
        _ => Err(Diagnostic::new(
            Kind::Usage,
            format!("`{what}` needs one name"),
        )),
    }
}
