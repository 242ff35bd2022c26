//! What one call of `module` asks for, read from a command line by the `cli` room.

use super::table::Subcommand;
use crate::config::Verbosity;

/// One call of `module`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// What to do.
    pub action: Action,
    /// The options, wherever they stood.
    pub options: Options,
    /// The other words.
    pub words: Vec<String>,
    /// What was odd but does not stop the request: unknown options.
    pub warnings: Vec<String>,
}

/// What a request is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// A sub-command of the table.
    Run(&'static Subcommand),
    /// `--help`, or `help` without a name.
    Usage,
    /// `--version`.
    Version,
    /// One bare line of text: `--dumpversion`, `--gitversion`, `--dumpname`.
    Dump(Dump),
    /// `--config`, `--config_json`, `--miniConfig`: the settings.
    Config(Report),
    /// `--mt`: the state of loaded modules.
    State,
    /// No sub-command at all: usage, and a failure.
    Nothing,
}

/// A bare line of text that is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dump {
    /// `--dumpversion`
    Version,
    /// `--gitversion`
    GitVersion,
    /// `--dumpname`
    Name,
}

/// A report of the settings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Report {
    /// For people.
    Text,
    /// For programs.
    Json,
}

/// Everything that options say.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Options {
    /// Machine-readable lines instead of layout.
    pub terse: bool,
    /// JSON instead of layout.
    pub json: bool,
    /// Hidden modules too.
    pub all: bool,
    /// One module a line, with the time of its last change.
    pub long: bool,
    /// What `avail` and `list` show, as elements of Environment Modules' lists.
    pub output: Option<String>,
    /// Patterns are the beginning of a name (`Some(true)`) or any part of it.
    pub search_begins: Option<bool>,
    /// `avail`: whether the content of directories is shown.
    pub in_depth: Option<bool>,
    /// Upper and lower case are the same everywhere.
    pub ignore_case: bool,
    /// Without the user's rc file.
    pub ignore_user_rc: bool,
    /// Without what rc files exclude.
    pub no_modulepath_ignore: bool,
    /// What the modules that are loaded are tagged with.
    pub tags: Vec<String>,
    /// Whether text is coloured.
    pub colour: Option<String>,
    /// Path commands: what separates entries.
    pub delim: Option<String>,
    /// Path commands: add an entry that is there.
    pub duplicates: bool,
    /// `config`: back to the default.
    pub reset: bool,
    /// `config`: and the state.
    pub dump_state: bool,
    /// `avail`: only defaults; as a word of `list`: only the user's own modules is `brief`.
    pub default_only: bool,
    /// `list`: only what the user named.
    pub brief: bool,
    /// Act on sticky modules, save empty collections.
    pub force: bool,
    /// No text for people at all.
    pub quiet: bool,
    /// No families, no probing for near misses.
    pub expert: bool,
    /// Names mean their highest version.
    pub latest: bool,
    /// Patterns are regular expressions.
    pub regexp: bool,
    /// Do not use caches.
    pub ignore_cache: bool,
    /// Show the file instead of evaluating it.
    pub raw: bool,
    /// `show`: only the path.
    pub location: bool,
    /// Collections name exact versions.
    pub pin_versions: bool,
    /// `restore` takes a lock.
    pub locked: bool,
    /// `freeze`: only say whether it still holds.
    pub check: bool,
    /// Requirements are loaded and dependents unloaded by themselves (`--auto`), or not (`--no-auto`).
    pub auto: Option<bool>,
    /// The request was made with `ml`.
    pub by_ml: bool,
    /// A login: no banners.
    pub initial_load: bool,
    /// Evaluate without effect, report mistakes.
    pub check_syntax: bool,
    /// No extensions in `avail`.
    pub no_extensions: bool,
    /// Extensions in terse `avail`.
    pub terse_extensions: bool,
    /// How much is told.
    pub verbosity: Option<Verbosity>,
    /// Reports to standard output (`Some(true)`) or standard error (`Some(false)`).
    pub redirect: Option<bool>,
    /// Through the pager, or not; `None`: as configured.
    pub paginate: Option<bool>,
    /// The width to assume, in columns.
    pub width: Option<usize>,
    /// The style of `avail`.
    pub style: Option<String>,
    /// `use`: put behind instead of in front.
    pub append: bool,
    /// `use`: the priority of the directories.
    pub priority: Option<i32>,
    /// Show what would change, change nothing.
    pub dry_run: bool,
    /// Wrapper functions set this: true values of `LD_*` are in `__LMOD_PROTECTED_*`.
    pub protected_vars: bool,
    /// An option that stands for an action of its own.
    pub asked: Option<Action>,
}
