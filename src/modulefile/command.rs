//! THE table: every command of modulefiles, its name in each language, its arguments and its action.
//!
//! A new command is one row here and its action in `host/`; the three bindings, the messages about arguments and the
//! reference page follow. Sources stand in each row: `modulefile(4)` of Environment Modules, Lmod's user guide.

use super::host::{Host, Stop, environment, facts, names, query, relations, shell, text};
use super::value::{Args, Value};

/// How many positional arguments a command takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Arity {
    /// At least.
    pub min: usize,
    /// At most; `None` for any number.
    pub max: Option<usize>,
}

impl Arity {
    /// What is wrong with `count` arguments; `None` where nothing is.
    pub fn refuses(self, count: usize) -> Option<String> {
        let wanted = match (self.min, self.max) {
            (min, _) if count < min => min,
            (_, Some(max)) if count > max => max,
            _ => return None,
        };
        let bound = match self.max {
            Some(max) if max == self.min => "exactly",
            _ if count < self.min => "at least",
            _ => "at most",
        };
        let s = if wanted == 1 { "" } else { "s" };
        Some(format!("takes {bound} {wanted} argument{s}, got {count}"))
    }
}

const fn exactly(count: usize) -> Arity {
    Arity {
        min: count,
        max: Some(count),
    }
}

const fn between(min: usize, max: usize) -> Arity {
    Arity {
        min,
        max: Some(max),
    }
}

const fn at_least(min: usize) -> Arity {
    Arity { min, max: None }
}

/// What an option of a command carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Carries {
    /// Nothing: it is there or not.
    Nothing,
    /// One value.
    Value,
    /// One value that Tcl reads as a list: `--user {alice bob}`.
    List,
}

/// An option of a command.
#[derive(Debug)]
pub struct Opt {
    /// Its name in [`Args::named`] and in Lua tables.
    pub name: &'static str,
    /// Its spellings in Tcl; `--x V` and `--x=V` are both understood for those that begin with two dashes.
    pub tcl: &'static [&'static str],
    /// Further keys in Lua tables.
    pub lua: &'static [&'static str],
    /// What it carries.
    pub carries: Carries,
}

/// One command of modulefiles.
#[derive(Debug)]
pub struct Command {
    /// Its names in Tcl, the usual one first; empty where Tcl has none.
    pub tcl: &'static [&'static str],
    /// Its names in Lua; empty where Lua has none.
    pub lua: &'static [&'static str],
    /// Its key in TOML; empty where TOML says it otherwise.
    pub toml: &'static str,
    /// How many arguments without options.
    pub args: Arity,
    /// The positional arguments that Lua gives by position and Tcl by option, in order: `prepend_path(VAR, VALUE, DELIM)`.
    pub lua_extra: &'static [&'static str],
    /// Its options.
    pub options: &'static [Opt],
    /// Tcl options may also stand behind or between the other arguments. Otherwise they stand in front, and what follows
    /// the first argument is taken as it is (`append-path CFLAGS -O2`).
    pub options_anywhere: bool,
    /// A Lua table may hold any key: it is the first argument, as a map.
    pub any_key: bool,
    /// Whether Tcl's `.modulerc` and `.version` know it.
    pub in_rc: bool,
    /// Whether `show` prints it.
    pub shown: bool,
    /// Its action.
    pub run: fn(&mut Host, &Args) -> Result<Value, Stop>,
    /// What it does, for the reference.
    pub doc: &'static str,
    /// Where it is described.
    pub source: &'static str,
}

const DELIM: Opt = Opt {
    name: "delim",
    tcl: &["-d", "-delim", "--delim"],
    lua: &[],
    carries: Carries::Value,
};
const PRIORITY: Opt = Opt {
    name: "priority",
    tcl: &["--priority"],
    lua: &[],
    carries: Carries::Value,
};
const DUPLICATES: Opt = Opt {
    name: "duplicates",
    tcl: &["--duplicates"],
    lua: &[],
    carries: Carries::Nothing,
};
const MODE: Opt = Opt {
    name: "mode",
    tcl: &["--mode"],
    lua: &["modeA"],
    carries: Carries::List,
};
const IF_UNSET: Opt = Opt {
    name: "if_unset",
    tcl: &["--set-if-undef", "--respect", "-r"],
    lua: &["respect"],
    carries: Carries::Nothing,
};
const OPTIONAL: Opt = Opt {
    name: "optional",
    tcl: &["--optional"],
    lua: &[],
    carries: Carries::Nothing,
};
const TAG: Opt = Opt {
    name: "tag",
    tcl: &["--tag"],
    lua: &[],
    carries: Carries::Value,
};
const FROM: Opt = Opt {
    name: "modulepath",
    tcl: &["--modulepath"],
    lua: &[],
    carries: Carries::Value,
};
const RETURN_VALUE: Opt = flag("return_value", &["--return-value"]);
const INDEX: Opt = flag("index", &["--index"]);
const GLOB: Opt = flag("glob", &["--glob"]);
const REMOVE_ON_UNLOAD: Opt = flag("remove_on_unload", &["--remove-on-unload"]);
const NOOP_ON_UNLOAD: Opt = flag("noop_on_unload", &["--noop-on-unload"]);
const APPEND_ON_UNLOAD: Opt = flag("append_on_unload", &["--append-on-unload"]);
const PREPEND_ON_UNLOAD: Opt = flag("prepend_on_unload", &["--prepend-on-unload"]);
const UNSET_ON_UNLOAD: Opt = flag("unset_on_unload", &["--unset-on-unload"]);
const IGNORE: Opt = value("ignore", &["--ignore"]);
const BOOLEAN: Opt = flag("boolean", &["--boolean"]);
const DEFAULT: Opt = value("default", &["--default"]);
const AFTER: Opt = value("after", &["--after"]);
const BEFORE: Opt = value("before", &["--before"]);
const USER: Opt = Opt {
    lua: &["userA"],
    ..list("user", &["--user"])
};
const GROUP: Opt = Opt {
    lua: &["groupA"],
    ..list("group", &["--group"])
};
const NOT_USER: Opt = Opt {
    lua: &["notUserA"],
    ..list("not_user", &["--not-user"])
};
const NOT_GROUP: Opt = Opt {
    lua: &["notGroupA"],
    ..list("not_group", &["--not-group"])
};
const SOFT: Opt = flag("soft", &["--soft"]);
const HARD: Opt = flag("hard", &["--hard"]);
const HIDDEN_LOADED: Opt = flag("hidden_loaded", &["--hidden-loaded"]);
const MESSAGE: Opt = value("message", &["--message"]);
const NO_NEWLINE: Opt = flag("no_newline", &["-nonewline"]);
const NAME: Opt = list("name", &[]);
const KIND: Opt = value("kind", &[]);
const CODE: Opt = value("cmd", &[]);
const FORCE: Opt = flag("force", &[]);
const NEARLY_MESSAGE: Opt = value("nearly_message", &["--nearly-message"]);

const fn opt(name: &'static str, tcl: &'static [&'static str], carries: Carries) -> Opt {
    Opt {
        name,
        tcl,
        lua: &[],
        carries,
    }
}

const fn flag(name: &'static str, tcl: &'static [&'static str]) -> Opt {
    opt(name, tcl, Carries::Nothing)
}

const fn value(name: &'static str, tcl: &'static [&'static str]) -> Opt {
    opt(name, tcl, Carries::Value)
}

const fn list(name: &'static str, tcl: &'static [&'static str]) -> Opt {
    opt(name, tcl, Carries::List)
}

/// A row with the rare fields at rest.
const ROW: Command = Command {
    tcl: &[],
    lua: &[],
    toml: "",
    args: at_least(0),
    lua_extra: &[],
    options: &[],
    options_anywhere: false,
    any_key: false,
    in_rc: false,
    shown: true,
    run: text::help,
    doc: "",
    source: "",
};

/// All commands.
#[rustfmt::skip]
pub static COMMANDS: &[Command] = &[
    Command { tcl: &["setenv"], lua: &["setenv"], toml: "setenv", args: exactly(2), lua_extra: &["if_unset"], options: &[IF_UNSET, MODE],
        run: environment::setenv, doc: "Gives a variable a value", source: "modulefile(4) setenv; Lmod setenv", ..ROW },
    Command { tcl: &["unsetenv"], lua: &["unsetenv"], toml: "unsetenv", args: between(1, 2), options: &[MODE, NOOP_ON_UNLOAD, UNSET_ON_UNLOAD],
        run: environment::unsetenv, doc: "Takes a variable away", source: "modulefile(4) unsetenv; Lmod unsetenv", ..ROW },
    Command { tcl: &["pushenv"], lua: &["pushenv"], toml: "pushenv", args: exactly(2), options: &[MODE],
        run: environment::pushenv, doc: "Gives a variable a value; the earlier one comes back on unload", source: "modulefile(4) pushenv; Lmod pushenv", ..ROW },
    Command { tcl: &["prepend-path"], lua: &["prepend_path"], toml: "prepend_path", args: at_least(2), lua_extra: &["delim", "priority"], options: &[DELIM, PRIORITY, DUPLICATES, INDEX, GLOB, MODE],
        run: environment::prepend_path, doc: "Puts entries in front of a path-like variable", source: "modulefile(4) prepend-path; Lmod prepend_path", ..ROW },
    Command { tcl: &["append-path"], lua: &["append_path"], toml: "append_path", args: at_least(2), lua_extra: &["delim", "priority"], options: &[DELIM, PRIORITY, DUPLICATES, INDEX, GLOB, MODE],
        run: environment::append_path, doc: "Puts entries at the end of a path-like variable", source: "modulefile(4) append-path; Lmod append_path", ..ROW },
    Command { tcl: &["remove-path"], lua: &["remove_path"], toml: "remove_path", args: at_least(2), lua_extra: &["delim", "priority"], options: &[DELIM, PRIORITY, MODE, INDEX, GLOB, REMOVE_ON_UNLOAD, NOOP_ON_UNLOAD, APPEND_ON_UNLOAD, PREPEND_ON_UNLOAD],
        run: environment::remove_path, doc: "Takes entries away from a path-like variable", source: "modulefile(4) remove-path; Lmod remove_path", ..ROW },
    Command { tcl: &["set-alias"], lua: &["set_alias"], toml: "set_alias", args: exactly(2),
        run: environment::set_alias, doc: "Defines a shell alias", source: "modulefile(4) set-alias; Lmod set_alias", ..ROW },
    Command { tcl: &["unset-alias"], lua: &["unset_alias"], toml: "unset_alias", args: exactly(1),
        run: environment::unset_alias, doc: "Takes a shell alias away", source: "modulefile(4) unset-alias; Lmod unset_alias", ..ROW },
    Command { tcl: &["set-function"], lua: &["set_shell_function"], toml: "set_function", args: between(2, 3),
        run: environment::set_function, doc: "Defines a shell function", source: "modulefile(4) set-function; Lmod set_shell_function", ..ROW },
    Command { tcl: &["unset-function"], lua: &["unset_shell_function"], toml: "unset_function", args: exactly(1),
        run: environment::unset_function, doc: "Takes a shell function away", source: "modulefile(4) unset-function; Lmod unset_shell_function", ..ROW },
    Command { lua: &["export_shell_function"], args: exactly(1),
        run: environment::export_function, doc: "Gives a shell function to child shells (bash)", source: "Lmod export_shell_function", ..ROW },
    Command { tcl: &["complete"], lua: &["complete"], toml: "complete", args: exactly(3),
        run: environment::complete, doc: "Says how a shell completes the arguments of a command", source: "modulefile(4) complete; Lmod complete", ..ROW },
    Command { tcl: &["uncomplete"], lua: &["uncomplete"], args: between(1, 3),
        run: environment::uncomplete, doc: "Takes a completion away", source: "modulefile(4) uncomplete; Lmod uncomplete", ..ROW },
    Command { tcl: &["chdir"], args: exactly(1),
        run: environment::chdir, doc: "Changes the directory of the shell", source: "modulefile(4) chdir", ..ROW },
    Command { tcl: &["x-resource"], args: exactly(1),
        run: shell::x_resource, doc: "Merges X11 resources", source: "modulefile(4) x-resource", ..ROW },
    Command { tcl: &["source-sh"], lua: &["source_sh"], args: at_least(2), options: &[IGNORE], shown: false,
        run: shell::source_sh, doc: "Does what a shell script does to the environment", source: "modulefile(4) source-sh; Lmod source_sh", ..ROW },
    Command { tcl: &["system"], args: at_least(1), in_rc: true,
        run: shell::system, doc: "Runs a command through `/bin/sh` and gives its status", source: "modulefile(4) system", ..ROW },
    Command { lua: &["execute"], args: exactly(0), options: &[CODE, MODE],
        run: environment::execute, doc: "Has the shell run a command behind all changes", source: "Lmod execute", ..ROW },
    Command { lua: &["protected_getenv"], args: between(1, 2), options: &[MODE], shown: false,
        run: query::protected_getenv, doc: "The value of a variable, or words for it where the file is only shown", source: "Lmod protected_getenv", ..ROW },
    Command { tcl: &["getenv"], args: between(1, 2), options: &[RETURN_VALUE], in_rc: true, shown: false,
        run: facts::getenv, doc: "The value of a variable", source: "modulefile(4) getenv", ..ROW },
    Command { tcl: &["module"], args: at_least(1),
        run: relations::module, doc: "Runs a `module` sub-command: load, unload, switch, use, ...", source: "modulefile(4) module", ..ROW },
    Command { lua: &["load"], toml: "load", args: at_least(1), options: &[MODE], run: relations::load, doc: "Loads modules; unloading takes them away", source: "Lmod load", ..ROW },
    Command { lua: &["try_load", "try_add"], toml: "try_load", args: at_least(1), options: &[MODE], run: relations::try_load, doc: "Loads those modules that exist", source: "Lmod try_load", ..ROW },
    Command { lua: &["load_any"], toml: "load_any", args: at_least(1), run: relations::load_any, doc: "Loads the first module that exists", source: "Lmod load_any", ..ROW },
    Command { tcl: &["always-load"], lua: &["always_load"], toml: "always_load", args: at_least(1), options: &[OPTIONAL, TAG, FROM],
        run: relations::always_load, doc: "Loads modules; unloading leaves them", source: "modulefile(4) always-load; Lmod always_load", ..ROW },
    Command { lua: &["unload"], toml: "unload", args: at_least(1), run: relations::unload, doc: "Unloads modules", source: "Lmod unload", ..ROW },
    Command { lua: &["always_unload"], args: at_least(1), run: relations::always_unload, doc: "Unloads modules; unloading unloads them too", source: "Lmod always_unload", ..ROW },
    Command { lua: &["mgrload"], args: exactly(2),
        run: relations::manager_load, doc: "Loads one entry of `loaded_modules()` without what its file would load", source: "Lmod mgrload", ..ROW },
    Command { lua: &["purge"], args: exactly(0), options: &[FORCE],
        run: relations::purge, doc: "Unloads all other modules", source: "Lmod purge", ..ROW },
    Command { lua: &["inherit"], args: exactly(0),
        run: relations::inherit, doc: "Evaluates the modulefile of the same name in a later modulepath", source: "Lmod inherit", ..ROW },
    Command { lua: &["atleast"], args: exactly(2), shown: false,
        run: query::atleast, doc: "A module in this version or a later one", source: "Lmod atleast", ..ROW },
    Command { lua: &["atmost"], args: exactly(2), shown: false,
        run: query::atmost, doc: "A module in this version or an earlier one", source: "Lmod atmost", ..ROW },
    Command { lua: &["between"], args: exactly(3), shown: false,
        run: query::between, doc: "A module in a range of versions", source: "Lmod between", ..ROW },
    Command { lua: &["latest"], args: exactly(1), shown: false,
        run: query::latest, doc: "A module in its highest version", source: "Lmod latest", ..ROW },
    Command { tcl: &["depends-on"], lua: &["depends_on"], toml: "depends_on", args: at_least(1), options: &[OPTIONAL, TAG, FROM],
        run: relations::depends_on, doc: "Needs all of these modules", source: "modulefile(4) depends-on; Lmod depends_on", ..ROW },
    Command { tcl: &["depends-on-any"], lua: &["depends_on_any"], toml: "depends_on_any", args: at_least(1), options: &[OPTIONAL, TAG, FROM],
        run: relations::depends_on_any, doc: "Needs one of these modules", source: "modulefile(4) depends-on-any; Lmod depends_on_any", ..ROW },
    Command { tcl: &["prereq-all"], lua: &["prereq"], toml: "prereq_all", args: at_least(1), options: &[OPTIONAL, TAG, FROM],
        run: relations::prereq_all, doc: "All of these modules must be loaded already", source: "modulefile(4) prereq-all; Lmod prereq", ..ROW },
    Command { tcl: &["prereq", "prereq-any"], lua: &["prereq_any"], toml: "prereq_any", args: at_least(1), options: &[OPTIONAL, TAG, FROM],
        run: relations::prereq_any, doc: "One of these modules must be loaded already", source: "modulefile(4) prereq; Lmod prereq_any", ..ROW },
    Command { tcl: &["conflict"], lua: &["conflict"], toml: "conflict", args: at_least(1),
        run: relations::conflict, doc: "None of these modules may be loaded", source: "modulefile(4) conflict; Lmod conflict", ..ROW },
    Command { tcl: &["family"], lua: &["family"], toml: "family", args: exactly(1),
        run: relations::family, doc: "Only one module of the family may be loaded", source: "modulefile(4) family; Lmod family", ..ROW },
    Command { tcl: &["provide"], toml: "provide", args: at_least(1),
        run: relations::provide, doc: "Further names under which this module answers", source: "modulefile(4) provide", ..ROW },
    Command { tcl: &["require-fullname"], lua: &["requireFullName"], toml: "require_full_name",
        run: relations::require_full_name, doc: "The module must be asked for with its version", source: "modulefile(4) require-fullname; Lmod requireFullName", ..ROW },
    Command { tcl: &["is-avail"], args: at_least(1), shown: false,
        run: relations::is_avail, doc: "Whether one of these modules can be loaded", source: "modulefile(4) is-avail", ..ROW },
    Command { tcl: &["is-saved"], shown: false,
        run: relations::is_saved, doc: "Whether one of these collections exists", source: "modulefile(4) is-saved", ..ROW },
    Command { tcl: &["is-used"], shown: false, in_rc: true,
        run: relations::is_used, doc: "Whether one of these directories is in `MODULEPATH`", source: "modulefile(4) is-used", ..ROW },
    Command { tcl: &["is-loaded"], lua: &["isloaded"], shown: false, in_rc: true,
        run: relations::is_loaded, doc: "Whether one of these modules is loaded", source: "modulefile(4) is-loaded; Lmod isloaded", ..ROW },
    Command { lua: &["isPending"], args: exactly(1), shown: false,
        run: query::is_pending, doc: "Whether a module is just being loaded", source: "Lmod isPending", ..ROW },
    Command { lua: &["isAvail"], args: exactly(1), shown: false,
        run: query::is_avail, doc: "The file that a load would evaluate", source: "Lmod isAvail", ..ROW },
    Command { lua: &["loaded_modules"], args: exactly(0), shown: false,
        run: query::loaded_modules, doc: "The loaded modules as tables", source: "Lmod loaded_modules", ..ROW },
    Command { tcl: &["module-whatis"], lua: &["whatis"], toml: "whatis", args: at_least(1),
        run: text::whatis, doc: "Says in one line what the module is", source: "modulefile(4) module-whatis; Lmod whatis", ..ROW },
    Command { tcl: &["module-help"], lua: &["help"], toml: "help", args: at_least(0),
        run: text::help, doc: "The help text of the module", source: "modulefile(4) module-help; Lmod help", ..ROW },
    Command { toml: "metadata", args: at_least(2), shown: false,
        run: text::metadata, doc: "A fact for the catalog: its name and its values", source: "xmod", ..ROW },
    Command { tcl: &["extensions"], lua: &["extensions"], toml: "extensions", args: at_least(1),
        run: text::extensions, doc: "Names of software that the module brings along", source: "modulefile(4) extensions; Lmod extensions", ..ROW },
    Command { tcl: &["add-property"], lua: &["add_property"], toml: "add_property", args: exactly(2),
        run: text::add_property, doc: "Marks the module with a property", source: "modulefile(4) add-property; Lmod add_property", ..ROW },
    Command { tcl: &["remove-property"], lua: &["remove_property"], args: exactly(2),
        run: text::remove_property, doc: "Takes a property away from the module", source: "Lmod remove_property", ..ROW },
    Command { tcl: &["haveDynamicMPATH"], lua: &["haveDynamicMPATH"],
        run: text::have_dynamic_modulepath, doc: "Says that the modulepaths the file adds depend on the user", source: "Lmod haveDynamicMPATH", ..ROW },
    Command { tcl: &["variant"], args: at_least(1), options: &[BOOLEAN, DEFAULT],
        run: facts::variant, doc: "Declares a choice that a request may make", source: "modulefile(4) variant", ..ROW },
    Command { tcl: &["getvariant"], args: between(1, 2), options: &[RETURN_VALUE], shown: false,
        run: facts::getvariant, doc: "The value of a variant", source: "modulefile(4) getvariant", ..ROW },
    Command { tcl: &["module-info"], args: at_least(1), shown: false, in_rc: true,
        run: facts::module_info, doc: "Facts about the module, the request and the session", source: "modulefile(4) module-info", ..ROW },
    Command { tcl: &["uname"], args: exactly(1), shown: false, in_rc: true,
        run: facts::uname, doc: "Facts about the machine", source: "modulefile(4) uname", ..ROW },
    Command { tcl: &["lsb-release"], args: exactly(1), shown: false, in_rc: true,
        run: facts::lsb_release, doc: "Facts about the Linux distribution", source: "modulefile(4) lsb-release", ..ROW },
    Command { tcl: &["versioncmp"], args: exactly(2), shown: false, in_rc: true,
        run: facts::versioncmp, doc: "Compares two versions: -1, 0 or 1", source: "modulefile(4) versioncmp", ..ROW },
    Command { lua: &["mode"], args: exactly(0), shown: false,
        run: query::mode, doc: "Why the file is evaluated: `load`, `unload`, `show`, ...", source: "Lmod mode", ..ROW },
    Command { lua: &["is_spider"], args: exactly(0), shown: false,
        run: query::is_spider, doc: "Whether the file is read for listings", source: "Lmod is_spider", ..ROW },
    Command { lua: &["myFileName"], args: exactly(0), shown: false,
        run: query::my_file_name, doc: "The file of the module", source: "Lmod myFileName", ..ROW },
    Command { lua: &["myModuleName"], args: exactly(0), shown: false,
        run: query::my_module_name, doc: "The name of the module", source: "Lmod myModuleName", ..ROW },
    Command { lua: &["myModuleVersion"], args: exactly(0), shown: false,
        run: query::my_module_version, doc: "The version of the module", source: "Lmod myModuleVersion", ..ROW },
    Command { lua: &["myModuleFullName"], args: exactly(0), shown: false,
        run: query::my_module_full_name, doc: "Name and version of the module", source: "Lmod myModuleFullName", ..ROW },
    Command { lua: &["myModuleUsrName", "myModuleUsrAndAliasName"], args: exactly(0), shown: false,
        run: query::my_module_user_name, doc: "The module as it was asked for", source: "Lmod myModuleUsrName", ..ROW },
    Command { lua: &["myShellName"], args: exactly(0), shown: false,
        run: query::my_shell_name, doc: "The shell of the user", source: "Lmod myShellName", ..ROW },
    Command { lua: &["myShellType"], args: exactly(0), shown: false,
        run: query::my_shell_type, doc: "`sh`, `csh`, or the shell's own name", source: "Lmod myShellType", ..ROW },
    Command { lua: &["myConfig"], args: exactly(1), shown: false,
        run: query::my_config, doc: "The user's name or groups, or the type of the shell", source: "Lmod myConfig", ..ROW },
    Command { lua: &["userInGroup", "userInGroups"], args: at_least(1), shown: false,
        run: query::user_in_groups, doc: "Whether the user is in one of these groups", source: "Lmod userInGroup", ..ROW },
    Command { lua: &["hierarchyA"], args: between(1, 2), shown: false,
        run: query::hierarchy, doc: "The modules whose hierarchy the file lies in", source: "Lmod hierarchyA", ..ROW },
    Command { lua: &["convertToCanonical"], args: exactly(1), shown: false,
        run: query::canonical, doc: "A text that sorts as the version does", source: "Lmod convertToCanonical", ..ROW },
    Command { lua: &["LmodVersion"], args: exactly(0), shown: false,
        run: query::version, doc: "The version of Lmod whose functions these are", source: "Lmod LmodVersion", ..ROW },
    Command { lua: &["moduleStackTraceBack"], args: at_least(0), shown: false,
        run: query::module_stack, doc: "The modules that are being loaded, as text", source: "Lmod moduleStackTraceBack", ..ROW },
    Command { tcl: &["report"], args: at_least(1), options: &[NO_NEWLINE], shown: false, run: text::report, doc: "Says something to people", source: "modulefile(4) report", ..ROW },
    Command { tcl: &["reportError"], args: at_least(1), shown: false, run: text::report_error, doc: "Reports an error; the file goes on", source: "modulefile(4) reportError", ..ROW },
    Command { lua: &["LmodMessage"], toml: "message", any_key: true, run: text::message, doc: "Says something to people", source: "Lmod LmodMessage", ..ROW },
    Command { tcl: &["module-log", "module-trace", "module-user", "module-verbosity", "setPutMode"],
        run: text::obsolete, doc: "Commands of old versions; they do nothing", source: "modulefile(4)", ..ROW },
    Command { tcl: &["reportWarning"], lua: &["LmodWarning"], toml: "warning", any_key: true, shown: false, run: text::warning, doc: "Warns people", source: "Lmod LmodWarning; modulefile(4) reportWarning", ..ROW },
    Command { lua: &["LmodError", "LmodSystemError"], toml: "error", any_key: true, shown: false,
        run: text::error, doc: "Makes the request fail", source: "Lmod LmodError", ..ROW },
    Command { lua: &["LmodMsgRaw"], run: text::message_raw, doc: "Says something to people, word for word", source: "Lmod LmodMsgRaw", ..ROW },
    Command { lua: &["LmodBreak"], any_key: true, run: text::break_off, doc: "Gives the file up: the module is not loaded", source: "Lmod LmodBreak", ..ROW },
    Command { tcl: &["module-version"], lua: &["module_version"], args: at_least(1), in_rc: true,
        run: names::version, doc: "Gives a module symbolic versions such as `default`", source: "modulefile(4) module-version", ..ROW },
    Command { tcl: &["module-alias"], lua: &["module_alias"], args: exactly(2), in_rc: true,
        run: names::alias, doc: "Gives a module one more name", source: "modulefile(4) module-alias", ..ROW },
    Command { tcl: &["module-virtual"], lua: &["module_virtual"], args: exactly(2), in_rc: true,
        run: names::virtual_module, doc: "Makes a module of a file elsewhere", source: "modulefile(4) module-virtual", ..ROW },
    Command { tcl: &["module-hide"], args: at_least(1), options_anywhere: true, in_rc: true,
        options: &[SOFT, HARD, HIDDEN_LOADED, AFTER, BEFORE, USER, GROUP, NOT_USER, NOT_GROUP],
        run: names::hide, doc: "Hides modules", source: "modulefile(4) module-hide", ..ROW },
    Command { tcl: &["module-hide-regex"], args: at_least(1), options_anywhere: true, in_rc: true,
        options: &[SOFT, HARD, HIDDEN_LOADED, AFTER, BEFORE, USER, GROUP, NOT_USER, NOT_GROUP],
        run: names::hide_pattern, doc: "Hides modules that match a pattern", source: "Lmod module-hide-regex", ..ROW },
    Command { tcl: &["hide-version"], lua: &["hide_version"], args: exactly(1), in_rc: true,
        run: names::hide, doc: "Hides one module", source: "modulefile(4) hide-version", ..ROW },
    Command { tcl: &["hide-modulefile"], lua: &["hide_modulefile"], args: exactly(1), in_rc: true,
        run: names::hide, doc: "Hides one modulefile", source: "modulefile(4) hide-modulefile", ..ROW },
    Command { tcl: &["module-forbid"], args: at_least(1), options_anywhere: true, in_rc: true,
        options: &[MESSAGE, NEARLY_MESSAGE, AFTER, BEFORE, USER, GROUP, NOT_USER, NOT_GROUP],
        run: names::forbid, doc: "Forbids to load modules", source: "modulefile(4) module-forbid", ..ROW },
    Command { tcl: &["module-forbid-regex"], args: at_least(1), options_anywhere: true, in_rc: true,
        options: &[MESSAGE, NEARLY_MESSAGE, AFTER, BEFORE, USER, GROUP, NOT_USER, NOT_GROUP],
        run: names::forbid_pattern, doc: "Forbids to load modules that match a pattern", source: "Lmod module-forbid-regex", ..ROW },
    Command { lua: &["hide"], args: exactly(0), in_rc: true,
        options: &[NAME, KIND, HIDDEN_LOADED, AFTER, BEFORE, USER, GROUP, NOT_USER, NOT_GROUP],
        run: names::hide_named, doc: "Hides modules", source: "Lmod hide", ..ROW },
    Command { lua: &["hideRegex"], args: exactly(0), in_rc: true,
        options: &[NAME, KIND, HIDDEN_LOADED, AFTER, BEFORE, USER, GROUP, NOT_USER, NOT_GROUP],
        run: names::hide_named_pattern, doc: "Hides modules that match a pattern", source: "Lmod hideRegex", ..ROW },
    Command { lua: &["forbid"], args: exactly(0), in_rc: true,
        options: &[NAME, MESSAGE, NEARLY_MESSAGE, AFTER, BEFORE, USER, GROUP, NOT_USER, NOT_GROUP],
        run: names::forbid_named, doc: "Forbids to load modules", source: "Lmod forbid", ..ROW },
    Command { lua: &["forbidRegex"], args: exactly(0), in_rc: true,
        options: &[NAME, MESSAGE, NEARLY_MESSAGE, AFTER, BEFORE, USER, GROUP, NOT_USER, NOT_GROUP],
        run: names::forbid_named_pattern, doc: "Forbids to load modules that match a pattern", source: "Lmod forbidRegex", ..ROW },
    Command { tcl: &["module-tag"], args: at_least(2), options_anywhere: true, in_rc: true,
        options: &[USER, GROUP, NOT_USER, NOT_GROUP],
        run: names::tag, doc: "Gives modules a tag", source: "modulefile(4) module-tag", ..ROW },
    Command { tcl: &["module-warn"], args: at_least(1), options_anywhere: true, in_rc: true,
        options: &[MESSAGE, AFTER, BEFORE, USER, GROUP, NOT_USER, NOT_GROUP],
        run: names::warn, doc: "Warns those who load modules", source: "modulefile(4) module-warn", ..ROW },
    Command { tcl: &["modulepath-label"], args: exactly(2), in_rc: true,
        run: names::label, doc: "Gives a modulepath a title in listings", source: "modulefile(4) modulepath-label", ..ROW },
    Command { tcl: &["modulepath-ignore"], args: at_least(1), in_rc: true,
        run: names::ignore, doc: "Says which files of a modulepath are no modulefiles", source: "modulefile(4) modulepath-ignore", ..ROW },
];

/// The command that Tcl calls `name`.
pub fn find_tcl(name: &str) -> Option<&'static Command> {
    COMMANDS.iter().find(|c| c.tcl.contains(&name))
}

/// The command that Lua calls `name`.
pub fn find_lua(name: &str) -> Option<&'static Command> {
    COMMANDS.iter().find(|c| c.lua.contains(&name))
}

/// The command that TOML calls `name`.
pub fn find_toml(name: &str) -> Option<&'static Command> {
    COMMANDS
        .iter()
        .find(|c| !c.toml.is_empty() && c.toml == name)
}
