//! THE table of keys: their order is the order in which a block is carried out, and the order of the reference.

use super::document::{Entry, near, unknown_key};
use super::{availability, condition};
use crate::diag::Diagnostic;
use crate::modulefile::command::{Command, find_lua, find_tcl, find_toml};

/// When, within a block, a key is carried out. What is read from the environment (`${NAME}`) is read when a stage begins,
/// so that nothing depends on the order of keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// Says how the file is to be read; nothing is carried out.
    Frame,
    /// Texts and facts; they change nothing.
    Texts,
    /// What must hold.
    Guards,
    /// Other modules and where they are.
    Modules,
    /// Variables.
    Environment,
    /// Aliases, functions, completions.
    Shell,
    /// Messages to people.
    Messages,
}

/// What a value looks like and which calls it makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    /// Not a command: read by the evaluation itself.
    Frame,
    /// A string, or an array of strings: one call each.
    Texts,
    /// A string, or an array of strings: one call with all.
    Words,
    /// A string or an array of strings, said as `whatis "Label: ..."` and kept for the catalog.
    Fact(&'static str),
    /// A table of facts with free names.
    Facts,
    /// Tags; `sticky` is a property as well.
    Tags,
    /// `true`: the call is made.
    Flag,
    /// A table from shell to a table from command to text.
    Completions,
    /// One word.
    Word,
    /// Modules, all of which are meant.
    Modules,
    /// Modules, one of which is meant; an array of arrays gives several groups.
    Choices,
    /// Directories for `MODULEPATH`.
    Modulepaths,
    /// Names of variables, or a table from variable to what unloading leaves.
    Unset,
    /// A table from variable to value.
    Values,
    /// A table from variable to value; `false` takes the variable away.
    Pushed,
    /// A table from variable to entries.
    Paths,
    /// Names.
    Names,
    /// A table from name to text.
    Named,
    /// A table from name to the body of a function.
    Functions,
    /// Text for people, on load or on unload.
    Message,
}

/// One key.
#[derive(Debug)]
pub struct Key {
    /// The key.
    pub name: &'static str,
    /// When it is carried out.
    pub stage: Stage,
    pub(super) shape: Shape,
    /// Whether it may stand in `[[when]]`.
    pub in_when: bool,
    /// What the value may be.
    pub value: &'static str,
    /// What it does.
    pub doc: &'static str,
}

const fn key(
    name: &'static str,
    stage: Stage,
    shape: Shape,
    value: &'static str,
    doc: &'static str,
) -> Key {
    Key {
        name,
        stage,
        shape,
        in_when: true,
        value,
        doc,
    }
}

const fn top(
    name: &'static str,
    stage: Stage,
    shape: Shape,
    value: &'static str,
    doc: &'static str,
) -> Key {
    Key {
        in_when: false,
        ..key(name, stage, shape, value, doc)
    }
}

const MODULES: &str = "a module (`gcc`, `gcc/13.2.0`), an array of modules, or a table";
const CHOICES: &str = "an array of modules; an array of arrays for several choices; or a table";
const PATHS: &str = "a table from variable to a string, an array of strings, or a table";
const STRINGS: &str = "a string or an array of strings";

/// All keys that may stand at the top level.
#[rustfmt::skip]
pub static KEYS: &[Key] = &[
    top("format", Stage::Frame, Shape::Frame, "`1`",
        "The version of the format. Without it the file is read as version 1."),
    top("versions", Stage::Frame, Shape::Frame, "an array of versions, or a table from version to a table",
        "The versions of the module that this file describes: `gcc.toml` with two versions is `gcc/12.3.0` and `gcc/13.2.0`. \
         An entry may override `root` and `vars`, and say for its version what `default`, `symbols`, `hidden`, `forbidden`, \
         `deprecated` and `tags` say for all. Without `versions` the file is one module, `gcc/13.2.0.toml`."),
    key("vars", Stage::Frame, Shape::Frame, "a table from name to a string or a number",
        "Variables of this file, used as `{name}`. One may use others, in any order."),
    key("root", Stage::Frame, Shape::Frame, "a string",
        "Where the software is installed; the variable `{root}`. `.` and `..` are taken out of the path, so that it may be given relative to `{dir}` or `{modulepath}`."),
    top("default", Stage::Frame, Shape::Frame, "`true`; with `versions`, one of them",
        "The version that `module load` takes when no version is given."),
    top("symbols", Stage::Frame, Shape::Frame, STRINGS,
        "Further names of this version: with `symbols = \"stable\"` it is also loaded as `gcc/stable`. In a file with `versions` it stands in an entry."),
    top("hidden", Stage::Frame, Shape::Frame, "`true`, `\"soft\"`, `\"hard\"`, or a table",
        "Leaves the module out of listings. It still loads by its full name; `soft`: by any name that finds it; `hard`: by none. \
         In a table: `kind`, `when_loaded` (`module list` leaves it out too), `after`, `before` (dates, local time), `users`, `groups`, `not_users`, `not_groups`."),
    top("forbidden", Stage::Frame, Shape::Frame, "`true`, a message, or a table",
        "Nobody may load the module, or nobody of whom the table tells: `message`, `nearly_message` (said in the days before `after`), \
         `after`, `before`, `users`, `groups`, `not_users`, `not_groups`."),
    top("deprecated", Stage::Frame, Shape::Frame, "`true`, a message, or a table",
        "Loads with a warning, and is marked in listings. In a table: `message`, `after`, `before`, `users`, `groups`, `not_users`, `not_groups`."),
    top("tags", Stage::Frame, Shape::Tags, STRINGS,
        "Tags: `sticky` (stays loaded through `purge`), `super-sticky`, and the site's own."),

    top("whatis", Stage::Texts, Shape::Texts, STRINGS,
        "What the module is, in one line; shown by `module whatis` and found by `module keyword`."),
    top("help", Stage::Texts, Shape::Texts, STRINGS,
        "The text of `module help`."),
    top("description", Stage::Texts, Shape::Fact("Description"), "a string", "What the software is, in a sentence or a paragraph. This and the keys down to `maintainer` make the catalog's page of the module, and are lines of `module whatis` (`Description: ...`)."),
    top("category", Stage::Texts, Shape::Fact("Category"), STRINGS, "The subject under which the catalog lists the module."),
    top("keywords", Stage::Texts, Shape::Fact("Keywords"), STRINGS, "Words under which it should be found."),
    top("url", Stage::Texts, Shape::Fact("URL"), "a string", "The home page of the software."),
    top("license", Stage::Texts, Shape::Fact("License"), "a string", "Its licence, best as an SPDX expression."),
    top("maintainer", Stage::Texts, Shape::Fact("Maintainer"), STRINGS, "Who looks after the installation."),
    top("metadata", Stage::Texts, Shape::Facts, "a table from name to a string or an array of strings",
        "Facts under names that the site chooses; like the keys above."),
    top("extensions", Stage::Texts, Shape::Words, STRINGS,
        "Software that the module brings along, as `name/version`; `module spider numpy` finds it."),
    key("add_property", Stage::Texts, Shape::Named, "a table from property to value",
        "Marks the module with a property of the site's `lmodrc.lua`."),

    key("error", Stage::Guards, Shape::Message, "a string",
        "Makes `module load` fail with this text. Useful in `[[when]]`."),
    top("require_full_name", Stage::Guards, Shape::Flag, "`true`",
        "The module must be asked for with its version: `module load gcc/13.2.0`, not `module load gcc`."),
    top("provide", Stage::Guards, Shape::Modules, STRINGS,
        "Further names under which the loaded module meets what others need: `provide = \"mpi\"`."),
    key("family", Stage::Guards, Shape::Word, "a string",
        "Only one module of a family is loaded at a time: loading a second one replaces the first, or is refused, as the site has chosen."),
    key("conflict", Stage::Guards, Shape::Modules, MODULES,
        "None of these may be loaded. The module's own name is allowed and means its other versions."),
    key("prereq_all", Stage::Guards, Shape::Modules, MODULES,
        "All of these must be loaded already; nothing is loaded for it. In a table: `module`, `optional`, `tags`, `modulepath`."),
    key("prereq_any", Stage::Guards, Shape::Choices, CHOICES,
        "One of these must be loaded already."),

    key("unload", Stage::Modules, Shape::Modules, MODULES,
        "Unloads modules."),
    key("use", Stage::Modules, Shape::Modulepaths, STRINGS,
        "Directories of further modules: they are put in front of `MODULEPATH`, in this order, as `module use` does. This makes a hierarchy. `.` and `..` are taken out."),
    key("depends_on", Stage::Modules, Shape::Modules, MODULES,
        "All of these are needed: loaded when missing, unloaded again when nobody needs them. In a table: `module`, `optional`, `tags`, `modulepath`."),
    key("depends_on_any", Stage::Modules, Shape::Choices, CHOICES,
        "One of these is needed: the first that can be had is loaded when none is loaded."),
    key("always_load", Stage::Modules, Shape::Modules, MODULES,
        "Loads modules; they stay when this one is unloaded."),
    key("load", Stage::Modules, Shape::Modules, MODULES,
        "Loads modules; unloading this one unloads them. For a dependency `depends_on` is better: it knows who else needs them."),
    key("load_any", Stage::Modules, Shape::Choices, CHOICES,
        "Loads the first of these that exists."),
    key("try_load", Stage::Modules, Shape::Modules, MODULES,
        "Loads those of these that exist."),

    key("unsetenv", Stage::Environment, Shape::Unset, "a variable, an array of variables, or a table from variable to `true` or a table",
        "Takes variables away. In a table: `on_unload` (the value they get on unload), `mode`."),
    key("setenv", Stage::Environment, Shape::Values, "a table from variable to a string, number, truth value, or a table",
        "Gives variables a value. In a table: `value`, `if_unset` (only where there is no value yet), `mode` (`load`, `unload` or both: carried out in these modes only, and never taken back)."),
    key("pushenv", Stage::Environment, Shape::Pushed, "a table from variable to a string, number, `false`, or a table",
        "As `setenv`; the earlier value comes back on unload. `false` takes the variable away until then."),
    key("remove_path", Stage::Environment, Shape::Paths, PATHS,
        "Takes entries away from path-like variables."),
    key("append_path", Stage::Environment, Shape::Paths, PATHS,
        "Puts entries at the end of path-like variables, in the order given. In a table: as `prepend_path`."),
    key("prepend_path", Stage::Environment, Shape::Paths, PATHS,
        "Puts entries in front of path-like variables, in the order given. In a table: `path` (a string or an array), `delim` (`:` unless given), \
         `priority` (entries of higher priority stay further in front), `duplicates` (add it even if it is there), `mode` (as for `setenv`)."),

    key("unset_alias", Stage::Shell, Shape::Names, STRINGS, "Takes shell aliases away."),
    key("set_alias", Stage::Shell, Shape::Named, "a table from name to a string", "Defines shell aliases."),
    key("unset_function", Stage::Shell, Shape::Names, STRINGS, "Takes shell functions away."),
    key("set_function", Stage::Shell, Shape::Functions, "a table from name to a string, or to a table",
        "Defines shell functions. In a table: `sh` (the body for shells such as bash and zsh) and `csh` (for C shells, where it becomes an alias)."),
    key("complete", Stage::Shell, Shape::Completions, "a table from shell to a table from command to a string",
        "How a shell completes the arguments of a command, in the words of that shell's own `complete`."),

    key("message", Stage::Messages, Shape::Message, "a string, or a table",
        "Says something after `module load`. In a table: `load`, `unload`."),
    key("warning", Stage::Messages, Shape::Message, "a string, or a table",
        "As `message`, in the manner of a warning."),

    top("when", Stage::Frame, Shape::Frame, "an array of tables: `[[when]]`",
        "What holds only under a condition; see Conditions."),
];

impl Key {
    /// The key `name`.
    pub fn find(name: &str) -> Option<&'static Key> {
        KEYS.iter().find(|key| key.name == name)
    }

    /// Its position in the order of operations.
    pub(super) fn rank(&self) -> usize {
        KEYS.iter()
            .position(|key| std::ptr::eq(key, self))
            .unwrap_or(KEYS.len())
    }

    /// The command behind it; `None` where the key makes calls of other commands or none.
    pub fn command(&self) -> Option<&'static Command> {
        find_toml(self.name)
    }
}

/// The complaint about a key that does not exist at the top level.
pub(super) fn unknown_at_top(entry: &Entry) -> Diagnostic {
    explain(entry, "a modulefile", &mut KEYS.iter().map(|key| key.name))
}

/// The complaint about a key that does not exist in `[[when]]`.
pub(super) fn unknown_in_when(entry: &Entry) -> Diagnostic {
    if availability::KEYS.contains(&entry.key) {
        return misplaced(entry).help(
            "what listings show cannot depend on the environment; `hidden` and `forbidden` have `users`, `groups`, `after`, `before`",
        );
    }
    if Key::find(entry.key).is_some() {
        return misplaced(entry);
    }
    let keys = KEYS.iter().filter(|key| key.in_when).map(|key| key.name);
    explain(
        entry,
        "`[[when]]`",
        &mut keys.chain(condition::KEYS.iter().copied()),
    )
}

fn misplaced(entry: &Entry) -> Diagnostic {
    Diagnostic::new(
        crate::diag::Kind::Modulefile,
        format!("`{}` cannot stand in `[[when]]`", entry.key),
    )
    .at(entry.key_place(), "belongs to the top of the file")
}

/// An unknown key; names that the other languages use are translated.
fn explain(entry: &Entry, what: &str, known: &mut dyn Iterator<Item = &'static str>) -> Diagnostic {
    let known: Vec<&'static str> = known.collect();
    let diagnostic = unknown_key(entry, what, &mut std::iter::empty());
    if entry.key == "prereq" {
        return diagnostic.help(
            "`prereq` is all of them in Lua and any of them in Tcl: write `prereq_all` or `prereq_any`",
        );
    }
    let elsewhere = find_tcl(entry.key).or_else(|| find_lua(entry.key));
    let translated = elsewhere
        .map(|command| command.toml)
        .filter(|toml| known.contains(toml));
    match translated {
        Some(toml) => diagnostic.help(format!("in TOML this is `{toml}`")),
        None => match near(entry.key, &mut known.iter().copied()) {
            Some(near) => diagnostic.help(format!("did you mean `{near}`?")),
            None => diagnostic.help("all keys: docs/reference/toml.md"),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_is_carried_out_stage_by_stage() {
        let stages: Vec<Stage> = KEYS
            .iter()
            .filter(|key| key.name != "when")
            .map(|key| key.stage)
            .collect();
        assert!(stages.is_sorted());
    }

    #[test]
    fn every_key_that_acts_has_a_command_and_every_command_named_here_has_a_key() {
        for key in KEYS {
            let own = !matches!(
                key.shape,
                Shape::Frame | Shape::Tags | Shape::Fact(_) | Shape::Modulepaths
            );
            assert_eq!(key.command().is_some(), own, "{}", key.name);
        }
        for command in crate::modulefile::command::COMMANDS {
            if !command.toml.is_empty() {
                assert!(Key::find(command.toml).is_some(), "{}", command.toml);
            }
        }
    }
}
