//! The pages of `docs/reference/` that tables of the program give. Where a page says something else, it is written anew and
//! the test fails: look at it and commit it.

use xmod::command::table::SUBCOMMANDS;
use xmod::config::{Config, Policy, SETTINGS};
use xmod::modulefile::command::{Arity, COMMANDS, Command};

use crate::support::in_repo;

/// Compares a page with what it should be.
fn check(name: &str, expected: &str) {
    let path = in_repo("docs/reference").join(name);
    let page = std::fs::read_to_string(&path).unwrap_or_default();
    if page != expected {
        std::fs::write(&path, expected).unwrap();
        panic!(
            "docs/reference/{name} was out of date and has been written anew: look at it and commit it"
        );
    }
}

/// Text that may stand in a cell of a table.
fn cell(text: &str) -> String {
    text.trim()
        .replace('|', "\\|")
        .replace("\n ", " ")
        .replace('\n', " ")
}

fn code(words: &[&str]) -> String {
    let words: Vec<String> = words.iter().map(|w| format!("`{}`", cell(w))).collect();
    words.join(", ")
}

fn arguments(arity: Arity) -> String {
    match (arity.min, arity.max) {
        (min, Some(max)) if min == max => min.to_string(),
        (min, Some(max)) => format!("{min} to {max}"),
        (0, None) => "any".to_owned(),
        (min, None) => format!("{min} or more"),
    }
}

fn options(command: &Command) -> String {
    let names: Vec<&str> = command
        .options
        .iter()
        .map(|option| option.tcl.last().copied().unwrap_or(option.name))
        .collect();
    code(&names)
}

#[test]
fn the_commands_of_modulefiles() {
    let mut page = String::from(
        "# Commands of modulefiles\n\n\
         Written by `tests/reference.rs` from the table of commands. What a command means is told in the manual named in the last\n\
         column; where xmod differs from it, [Differences](../migrate/differences.md) says so. Keys of TOML are told in\n\
         [their own reference](toml.md).\n\n\
         | Tcl | Lua | TOML | arguments | options | does | see |\n|---|---|---|---|---|---|---|\n",
    );
    for command in COMMANDS {
        let toml = match command.toml {
            "" => String::new(),
            name => format!("[`{name}`](toml.md#{name})"),
        };
        page += &format!(
            "| {} | {} | {toml} | {} | {} | {} | {} |\n",
            code(command.tcl),
            code(command.lua),
            arguments(command.args),
            options(command),
            cell(command.doc),
            cell(command.source),
        );
    }
    check("modulefile-commands.md", &page);
}

#[test]
fn the_subcommands_of_module() {
    let mut page = String::from(
        "# Sub-commands of `module`\n\n\
         Written by `tests/reference.rs` from the table of sub-commands. A sub-command may be shortened to the letters before the\n\
         bracket: `lo[ad]` is `lo`, `loa` or `load`.\n",
    );
    let mut group = "";
    for row in SUBCOMMANDS {
        if row.group != group {
            group = row.group;
            page += &format!("\n## {group}\n\n| sub-command | also | does |\n|---|---|---|\n");
        }
        let short = |word: &str, enough: usize| match word.split_at_checked(enough) {
            Some((head, tail)) if !tail.is_empty() => format!("`{head}[{tail}]`"),
            _ => format!("`{word}`"),
        };
        let usage = format!("{} {}", row.name, row.usage);
        let also: Vec<String> = row
            .words
            .iter()
            .map(|(word, enough)| short(word, *enough))
            .collect();
        page += &format!(
            "| `{}` | {} | {} |\n",
            cell(&usage),
            cell(&also.join(", ")),
            cell(row.doc)
        );
    }
    check("module.md", &page);
}

#[test]
fn the_settings() {
    let mut page = String::from(
        "# Settings\n\n\
         Written by `tests/reference.rs` from the table of settings. A setting stands in `xmod.toml` under its name, or in the\n\
         environment under one of its variables; `!` marks a variable with the opposite meaning. The policy (`policy` in\n\
         `xmod.toml`, `XMOD_POLICY`) chooses the defaults.\n\n\
         | setting | `lmod` | `modules` | variables | meaning |\n|---|---|---|---|---|\n",
    );
    let (lmod, modules) = (
        Config::preset(Policy::Lmod),
        Config::preset(Policy::Modules),
    );
    let (lmod, modules) = (lmod.list(), modules.list());
    for (index, setting) in SETTINGS.iter().enumerate() {
        let variables: Vec<String> = setting
            .variables
            .iter()
            .map(|v| format!("{}`{}`", if v.inverted { "!" } else { "" }, v.name))
            .collect();
        let default = |list: &[(&'static str, String, _)]| match list[index].1.as_str() {
            "" => String::new(),
            text => format!("`{}`", cell(text)),
        };
        page += &format!(
            "| `{}` | {} | {} | {} | {} |\n",
            setting.name,
            default(&lmod),
            default(&modules),
            variables.join(", "),
            cell(setting.doc),
        );
    }
    check("settings.md", &page);
}
