//! The manual page `xmod(1)`, from clap's definitions of the commands.

use clap::{Arg, Command};

use super::usage::roff;

/// The page for `program`, its sub-commands and theirs.
pub(super) fn text(program: &Command) -> String {
    let about = program.get_about().map(ToString::to_string);
    let about = about.unwrap_or_default();
    let mut text = format!(
        ".TH XMOD 1 \"\" \"xmod {}\"\n.SH NAME\nxmod \\- {}\n.SH SYNOPSIS\n\
         .B xmod\nCOMMAND [OPTIONS] [WORDS]\n.br\n.B xmod\nSHELL SUB\\-COMMAND [WORDS]\n\
         .SH DESCRIPTION\nThe second form is what the shell function\n.B module\ncalls; see\n.BR module (1).\n.SH COMMANDS\n",
        env!("CARGO_PKG_VERSION"),
        roff(about.trim_end_matches('.'))
    );
    for command in program.get_subcommands() {
        describe(command, &[], &mut text);
    }
    text.push_str(
        ".SH EXIT STATUS\n0 when the request was met.\n.B xmod exec\nhas the status of the command that it ran.\n\
         .SH SEE ALSO\n.BR module (1),\n.BR ml (1)\n",
    );
    text
}

/// One command with the names of those above it, and all below it.
fn describe(command: &Command, above: &[&str], text: &mut String) {
    if command.is_hide_set() || command.get_name() == "help" {
        return;
    }
    let mut names = above.to_vec();
    names.push(command.get_name());
    let words: Vec<String> = command.get_positionals().map(placeholder).collect();
    let about = command.get_about().map(ToString::to_string);
    text.push_str(&format!(
        ".TP\n.B {}\n{}.\n",
        roff(format!("{} {}", names.join(" "), words.join(" ")).trim_end()),
        roff(&about.unwrap_or_default())
    ));
    for argument in command.get_arguments().filter(|a| !a.is_hide_set()) {
        let Some(help) = argument.get_help() else {
            continue;
        };
        text.push_str(&format!(
            ".RS\n.TP\n.B {}\n{}.\n.RE\n",
            roff(&spelling(argument)),
            roff(&format!("{help}{}", choices(argument)))
        ));
    }
    for inner in command.get_subcommands() {
        describe(inner, &names, text);
    }
}

/// An argument as it is typed: `-o, --output OUTPUT`.
fn spelling(argument: &Arg) -> String {
    let short = argument.get_short().map(|short| format!("-{short}"));
    let long = argument.get_long().map(|long| format!("--{long}"));
    let dashed: Vec<String> = short.into_iter().chain(long).collect();
    match (dashed.as_slice(), argument.get_action().takes_values()) {
        ([], _) => placeholder(argument),
        (dashed, true) => format!("{} {}", dashed.join(", "), placeholder(argument)),
        (dashed, false) => dashed.join(", "),
    }
}

/// The words that an argument can be, if it cannot be anything.
fn choices(argument: &Arg) -> String {
    if !argument.get_action().takes_values() {
        return String::new();
    }
    let values = argument.get_possible_values();
    let names: Vec<&str> = values.iter().map(|value| value.get_name()).collect();
    match names.as_slice() {
        [] => String::new(),
        names => format!(": {}", names.join(", ")),
    }
}

/// An argument without a dash, as usage shows it.
fn placeholder(argument: &Arg) -> String {
    argument.get_id().as_str().to_uppercase()
}
