//! `module --help`: made from the table of sub-commands and the table of options.

use super::options;
use crate::command::table::SUBCOMMANDS;

/// Name and version of the program, and the interface that clients look for when it is called by a peer's name.
pub(super) fn version(program: &str) -> String {
    let own = format!("xmod {}", env!("CARGO_PKG_VERSION"));
    match program {
        "modulecmd" | "modulecmd.tcl" => format!("Modules Release 5.6.1 (interface of {own})\n"),
        // EasyBuild and ReFrame look for this line at the beginning of a line, whatever name they call us by.
        _ => format!("{own}\nModules based on Lua: Version 9.2.9 (interface of {own})\n"),
    }
}

/// The usage text.
pub(super) fn text(program: &str) -> String {
    let mut text = version(program);
    text.push_str(
        "\nUsage: module [OPTIONS] SUB-COMMAND [WORDS]\n       ml [SUB-COMMAND | [-]MODULE...]\n",
    );
    let mut group = "";
    for subcommand in SUBCOMMANDS {
        if subcommand.group != group {
            group = subcommand.group;
            text.push_str(&format!("\n{group}:\n"));
        }
        let head = format!("{} {}", subcommand.name, subcommand.usage);
        text.push_str(&format!("  {:<28} {}\n", head.trim_end(), subcommand.doc));
        let others: Vec<&str> = subcommand
            .words
            .iter()
            .map(|(word, _)| *word)
            .filter(|word| *word != subcommand.name && !word.contains('_'))
            .collect();
        if !others.is_empty() {
            text.push_str(&format!("  {:<28} also: {}\n", "", others.join(", ")));
        }
    }
    text.push_str("\nOptions:\n");
    for (spelling, doc) in options::described() {
        text.push_str(&format!("  {spelling:<28} {doc}\n"));
    }
    text
}

/// The manual page `module(1)`, from the same tables.
pub(super) fn manual() -> String {
    let mut text = format!(
        ".TH MODULE 1 \"\" \"xmod {}\"\n.SH NAME\nmodule, ml \\- load and unload environment modules\n.SH SYNOPSIS\n\
         .B module\n[OPTIONS] SUB\\-COMMAND [WORDS]\n.br\n.B ml\n[SUB\\-COMMAND | [\\-]MODULE...]\n",
        env!("CARGO_PKG_VERSION")
    );
    let mut group = "";
    for subcommand in SUBCOMMANDS {
        if subcommand.group != group {
            group = subcommand.group;
            text.push_str(&format!(".SH {}\n", roff(&group.to_uppercase())));
        }
        let names: Vec<&str> = subcommand
            .words
            .iter()
            .map(|(word, _)| *word)
            .filter(|word| !word.contains('_'))
            .collect();
        text.push_str(&format!(
            ".TP\n.B {} {}\n{}.\n",
            roff(&names.join(", ")),
            roff(subcommand.usage),
            roff(subcommand.doc)
        ));
    }
    text.push_str(".SH OPTIONS\n");
    for (spelling, doc) in options::described() {
        text.push_str(&format!(".TP\n.B {}\n{}.\n", roff(&spelling), roff(doc)));
    }
    text.push_str(
        ".SH EXIT STATUS\nThe shell function returns 0 when the request was met, and 1 otherwise. \
         A request that fails changes nothing.\n",
    );
    text
}

/// Text in a manual page: backslashes and dashes as themselves, no line that begins as a request would.
pub(super) fn roff(text: &str) -> String {
    let text = text.replace('\\', "\\e").replace('-', "\\-");
    if text.starts_with(['.', '\'']) {
        format!("\\&{text}")
    } else {
        text
    }
}
