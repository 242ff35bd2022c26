//! The sub-commands of `module`: names, abbreviations, what they are for.
//!
//! Help, completion, the man page and the reference are made from this table and nothing else. The peers' abbreviations
//! come first, in the peers' order, because the first match wins; our own sub-commands follow and never take a word from
//! them. Source: Lmod user guide; `module(1)`.

use super::{
    Context, avail, change, collections, freeze, lint, list, modulecache, modules, past, query,
    read, search, spider,
};
use crate::diag::Diagnostic;

/// How the words after a sub-command are to be completed and read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Words {
    /// None.
    Nothing,
    /// Names of modules that can be loaded; a leading dash means unload.
    Loads,
    /// Names of modules that can be loaded.
    Modules,
    /// Names of loaded modules.
    Loaded,
    /// Search patterns.
    Patterns,
    /// Directories.
    Directories,
    /// Directories in MODULEPATH.
    Modulepaths,
    /// A loaded module, then one that can be loaded; or the latter alone.
    Exchange,
    /// Names of collections.
    Collections,
    /// Anything.
    Any,
}

/// One sub-command.
#[derive(Debug)]
pub struct Subcommand {
    /// Its usual name.
    pub name: &'static str,
    /// Its names, each with the number of letters that are enough.
    pub words: &'static [(&'static str, usize)],
    /// What follows it.
    pub takes: Words,
    /// The words after it, as usage shows them.
    pub usage: &'static str,
    /// What it does, one line.
    pub doc: &'static str,
    /// The heading it stands under in the usage text.
    pub group: &'static str,
    /// Its action.
    pub run: fn(&mut Context) -> Result<(), Diagnostic>,
}

const LOADING: &str = "Loading and unloading";
const LISTING: &str = "Listing and searching";
const SETS: &str = "Collections";
const PATHS: &str = "Module paths";
const OTHER: &str = "Other";

macro_rules! table {
    ($( $name:literal [ $($word:literal $min:literal)* ] $takes:ident $usage:literal $group:ident $doc:literal $run:path ;)*) => {
        &[ $( Subcommand { name: $name, words: &[ $(($word, $min)),* ], takes: Words::$takes, usage: $usage, doc: $doc, group: $group, run: $run } ),* ]
    };
}

/// Two are the same if their names are.
impl PartialEq for Subcommand {
    fn eq(&self, other: &Subcommand) -> bool {
        self.name == other.name
    }
}

impl Eq for Subcommand {}

/// All sub-commands.
#[rustfmt::skip]
pub static SUBCOMMANDS: &[Subcommand] = table![
    "load" ["load" 2 "add" 2] Loads "MODULE..." LOADING "load modules; -MODULE unloads" change::load;
    "try-load" ["try-load" 5 "try-add" 5 "try_load" 5 "try_add" 5 "tryload" 4 "tryadd" 4 "try" 3] Modules "MODULE..." LOADING "load modules, ignoring those that do not exist" change::try_load;
    "load-any" ["load-any" 5] Modules "MODULE..." LOADING "load the first module that exists" change::load_any;
    "unload" ["unload" 3 "delete" 3 "erase" 3 "remove" 3 "rm" 2] Loaded "MODULE..." LOADING "unload modules" change::unload;
    "swap" ["swap" 2 "switch" 2] Exchange "[OLD] NEW" LOADING "unload one module, load another" change::swap;
    "purge" ["purge" 2] Nothing "" LOADING "unload all modules (sticky ones stay unless --force)" change::purge;
    "refresh" ["refresh" 4] Nothing "" LOADING "define aliases and functions of loaded modules again" change::refresh;
    "update" ["update" 2 "reload" 3] Nothing "" LOADING "load all loaded modules again" change::update;
    "reset" ["reset" 4] Nothing "" LOADING "go back to the modules of a new session" change::reset;
    "undo" ["undo" 3] Any "[N]" LOADING "take back the last N module commands" past::undo;
    "diff" ["diff" 4] Loads "MODULE..." LOADING "what loading modules would change; nothing is changed" past::diff;
    "source" ["source" 6] Modules "FILE|MODULE..." LOADING "do what modulefiles say without recording them as loaded" modules::change::source;
    "list" ["list" 1] Patterns "[PATTERN...]" LISTING "the loaded modules" list::run;
    "avail" ["avail" 2 "available" 6] Patterns "[PATTERN...]" LISTING "the modules that can be loaded now" avail::run;
    "spider" ["spider" 2] Patterns "[NAME...]" LISTING "all modules in all hierarchies, or how to load one" spider::run;
    "overview" ["overview" 2] Patterns "[PATTERN...]" LISTING "how many versions there are of each name" avail::overview;
    "keyword" ["keyword" 1 "apropos" 3] Patterns "WORD..." LISTING "modules whose name or description holds a word" spider::keyword;
    "search" ["search" 3] Patterns "WORD..." LISTING "modules by name, description, help, extensions and programs" search::run;
    "provides" ["provides" 4] Any "PROGRAM" LISTING "which modules bring along a program" search::provides;
    "category" ["category" 3] Patterns "[PATTERN...]" LISTING "modules by category" spider::category;
    "whatis" ["whatis" 1] Modules "MODULE..." LISTING "what a module is, in one line" read::whatis;
    "help" ["help" 1] Modules "[MODULE...]" LISTING "the help text of a module, or this text" read::help;
    "show" ["show" 2 "display" 2] Modules "MODULE..." LISTING "what loading a module would do" read::show;
    "test" ["test" 4] Modules "MODULE..." LISTING "run the test that a module brings along" read::test;
    "lint" ["lint" 4] Any "[MODULE|FILE|DIR...]" LISTING "the mistakes of modulefiles and rc files" lint::run;
    "is-loaded" ["is-loaded" 4 "is_loaded" 4 "isloaded" 3 "isLoaded" 3] Loaded "MODULE..." LISTING "true if the modules are loaded" query::is_loaded;
    "is-avail" ["is-avail" 4 "is_avail" 4 "isavail" 3 "isAvail" 3] Modules "MODULE..." LISTING "true if the modules can be loaded" query::is_avail;
    "path" ["path" 4] Modules "MODULE" LISTING "the file of a module" query::path;
    "paths" ["paths" 5] Modules "MODULE" LISTING "the files of all modules that a name means" modules::paths;
    "aliases" ["aliases" 2] Nothing "" LISTING "the names that stand for others" modules::aliases;
    "info-loaded" ["info-loaded" 11] Loaded "MODULE" LISTING "the loaded modules that a name means" modules::info_loaded;
    "is-used" ["is-used" 7] Directories "[DIR...]" LISTING "true if a directory is in MODULEPATH" modules::is_used;
    "is-saved" ["is-saved" 8] Collections "[NAME...]" LISTING "true if a collection exists" modules::is_saved;
    "tablelist" ["tablelist" 5] Nothing "" LISTING "the loaded modules as a Lua table" list::table;
    "why" ["why" 3] Any "VARIABLE|ENTRY" LISTING "which module set a variable or a path entry" past::why;
    "save" ["save" 1 "setdefault" 4 "sd" 2] Collections "[NAME]" SETS "save the loaded modules as a collection" collections::save;
    "restore" ["restore" 1] Collections "[NAME]" SETS "load the modules of a collection" collections::restore;
    "getdefault" ["getdefault" 4 "gd" 2] Collections "[NAME]" SETS "restore a collection silently" collections::getdefault;
    "savelist" ["savelist" 5 "listdefaults" 5 "sl" 2 "ld" 2] Any "[PATTERN...]" SETS "the names of the collections" collections::savelist;
    "describe" ["describe" 3 "mcc" 2 "saveshow" 5] Collections "[NAME]" SETS "what a collection holds" collections::describe;
    "lock" ["lock" 4] Collections "[NAME]" SETS "keep the loaded modules with the content of their files" collections::lock;
    "freeze" ["freeze" 3] Collections "[--check] [NAME]" SETS "write a collection as scripts that a shell sources, without a search" freeze::run;
    "disable" ["disable" 4 "saverm" 5] Collections "[NAME...]" SETS "put a collection away" collections::disable;
    "stash" ["stash" 5] Nothing "" SETS "put the loaded modules aside" modules::stash::stash;
    "stashpop" ["stashpop" 8] Any "[INDEX]" SETS "get them back" modules::stash::pop;
    "stashlist" ["stashlist" 9] Nothing "" SETS "what was put aside" modules::stash::list;
    "stashshow" ["stashshow" 9] Any "[INDEX]" SETS "what a stash holds" modules::stash::show;
    "stashrm" ["stashrm" 7] Any "[INDEX]" SETS "drop a stash" modules::stash::remove;
    "stashclear" ["stashclear" 10] Nothing "" SETS "drop all stashes" modules::stash::clear;
    "use" ["use" 3] Directories "[-a] [--priority N] DIR..." PATHS "put directories in front of MODULEPATH" change::use_paths;
    "unuse" ["unuse" 3] Modulepaths "DIR..." PATHS "take directories out of MODULEPATH" change::unuse;
    "cachebuild" ["cachebuild" 10] Directories "[DIR...]" OTHER "write cache files for Environment Modules (ours: xmod cache)" modulecache::build;
    "cacheclear" ["cacheclear" 10] Nothing "" OTHER "remove the cache files of Environment Modules" modulecache::clear;
    "config" ["config" 6] Any "[--reset] [NAME [VALUE]]" OTHER "the options of Environment Modules; sets one for this session" modules::config;
    "state" ["state" 5] Any "[NAME]" OTHER "what the program knows about itself and the session" modules::state;
    "prepend-path" ["prepend-path" 12] Any "[--delim=C] VARIABLE VALUE..." OTHER "put entries in front of a path variable" modules::change::prepend_path;
    "append-path" ["append-path" 11] Any "[--delim=C] VARIABLE VALUE..." OTHER "put entries behind a path variable" modules::change::append_path;
    "remove-path" ["remove-path" 11] Any "[--delim=C] VARIABLE VALUE..." OTHER "take entries out of a path variable" modules::change::remove_path;
    "mod-to-sh" ["mod-to-sh" 9] Any "SHELL MODULE..." OTHER "the code of a shell that does what modules do" modules::change::mod_to_sh;
    "sh-to-mod" ["sh-to-mod" 9] Any "SHELL SCRIPT [ARGUMENT...]" OTHER "the modulefile that does what a script does" modules::change::sh_to_mod;
    "edit" ["edit" 4] Modules "MODULE" OTHER "open a modulefile in an editor" modules::change::edit_file;
    "clear" ["clear" 5] Nothing "[-f]" OTHER "forget the loaded modules; what they set stays" modules::change::clear;
    "initadd" ["initadd" 5 "initload" 6] Modules "MODULE..." OTHER "add modules to those that your start-up files load" modules::init_files::add;
    "initprepend" ["initprepend" 5] Modules "MODULE..." OTHER "the same, in front of the others" modules::init_files::prepend;
    "initrm" ["initrm" 6 "initunload" 8] Modules "MODULE..." OTHER "take modules out of your start-up files" modules::init_files::remove;
    "initswitch" ["initswitch" 6 "initswap" 6] Modules "OLD NEW" OTHER "put one module in the place of another there" modules::init_files::switch;
    "initlist" ["initlist" 5] Nothing "" OTHER "the modules that your start-up files load" modules::init_files::list;
    "initclear" ["initclear" 9] Nothing "" OTHER "take all modules out of your start-up files" modules::init_files::clear;
    "last-error" ["last-error" 4 "last_error" 4] Nothing "" OTHER "the last error once more" query::last_error;
];

/// The sub-command that `word` stands for: an exact name, else the first one that it abbreviates.
pub fn find(word: &str) -> Option<&'static Subcommand> {
    let exact = SUBCOMMANDS
        .iter()
        .find(|s| s.words.iter().any(|(name, _)| *name == word));
    exact.or_else(|| {
        SUBCOMMANDS.iter().find(|s| {
            s.words
                .iter()
                .any(|(name, min)| word.len() >= *min && name.starts_with(word))
        })
    })
}

/// The name nearest to a word that is none.
pub fn near(word: &str) -> Option<&'static str> {
    SUBCOMMANDS
        .iter()
        .flat_map(|s| s.words)
        .map(|(name, _)| (strsim::damerau_levenshtein(word, name), *name))
        .filter(|(distance, name)| *distance <= 1 + name.len() / 4)
        .min()
        .map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn abbreviations_mean_what_they_mean_in_lmod() {
        // Lmod takes the first entry of its own table that fits.
        let rows = [
            ("l", "list"),
            ("lo", "load"),
            ("r", "restore"),
            ("re", "restore"),
            ("res", "restore"),
            ("rese", "reset"),
            ("refr", "refresh"),
            ("s", "save"),
            ("sa", "save"),
            ("sh", "show"),
            ("sw", "swap"),
            ("sp", "spider"),
            ("dis", "show"),
            ("disa", "disable"),
            ("era", "unload"),
            ("k", "keyword"),
            ("h", "help"),
            ("w", "whatis"),
            ("del", "unload"),
            ("av", "avail"),
            ("rm", "unload"),
            ("available", "avail"),
            ("sd", "save"),
            ("sl", "savelist"),
            ("ld", "savelist"),
            ("unl", "unload"),
            ("unu", "unuse"),
            ("up", "update"),
            ("rel", "update"),
            ("rem", "unload"),
            ("search", "search"),
        ];
        for (word, name) in rows {
            assert_eq!(find(word).map(|s| s.name), Some(name), "{word}");
        }
        for word in ["a", "d", "u", "un", "us", "i", "is", "LOAD", "loadfoo", ""] {
            assert_eq!(find(word).map(|s| s.name), None, "{word}");
        }
    }
}
