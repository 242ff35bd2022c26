//! Evaluates a modulefile in one of three languages and records what it asks for.
//!
//! The languages know nothing of modules and the commands know nothing of languages: a *binding* (`tcl/bind.rs`,
//! `lua/bind.rs`, `toml.rs`) turns a call into [`Args`], looks the command up in the one table (`command.rs`) and runs its
//! action on the [`Host`] (`host/`). What an action may ask of the rest of the program goes through [`World`].
//!
//! `.modulerc` and `.version` are scripts too: they run with [`Mode::Rc`] and leave [`Directive`]s.

pub mod command;
pub mod host;
mod lint;
mod lua;
pub mod relation;
pub mod tcl;
pub mod toml;
pub mod value;
mod world;

use std::sync::Arc;

use bstr::BString;
use camino::{Utf8Path, Utf8PathBuf};

pub use command::{Command, find_lua, find_tcl, find_toml};
pub use host::{Host, Stop};
pub use lint::lint;
pub use lua::site;
pub use relation::{Directive, Relation, RelationKind};
pub use value::{ArgError, Args, Value};
pub use world::{Level, LoadedModule, Message, World};

use crate::diag::{Diagnostic, Kind, Place, SourceFile};
use crate::env::EnvOp;

/// Why a modulefile is evaluated; decides what its commands do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Do what the file says.
    Load,
    /// Take back what the file says. While the file runs it still sees the values that `load` gave; the inverse is taken
    /// afterwards, in one place.
    Unload,
    /// Only define aliases, functions and completions again.
    Refresh,
    /// Record the calls for people to read.
    Show,
    /// Collect the help text.
    Help,
    /// Collect the whatis lines.
    Whatis,
    /// Run the module's own test.
    Test,
    /// Collect what listings, searches and the catalog show; nothing is written.
    Spider,
    /// Check arguments; nothing acts.
    Check,
    /// A `.modulerc` or `.version`.
    Rc,
}

impl Mode {
    /// The word for Lua's `mode()`, which knows only these.
    pub fn lua_word(self) -> &'static str {
        match self {
            Mode::Load | Mode::Refresh | Mode::Rc => "load",
            Mode::Unload => "unload",
            Mode::Show => "show",
            Mode::Help => "help",
            Mode::Whatis => "whatis",
            Mode::Test => "test",
            Mode::Spider => "spider",
            Mode::Check => "checkSyntax",
        }
    }

    /// Whether nothing outside the process may be changed by the file: no writing, no change of directory, programs only
    /// within a short time.
    pub fn is_crawl(self) -> bool {
        matches!(
            self,
            Mode::Spider | Mode::Whatis | Mode::Help | Mode::Check | Mode::Rc
        )
    }
}

/// The module whose file is evaluated.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ModuleContext {
    /// Name without version: `gcc`, `bio/bowtie`.
    pub name: String,
    /// Version; `None` for a module without one.
    pub version: Option<String>,
    /// How it was asked for, completed: `gcc`, `gcc/13.2.0`.
    pub requested: String,
    /// Its file.
    pub file: Utf8PathBuf,
    /// The directory of `MODULEPATH` it was found in; empty for a file outside.
    pub modulepath: Utf8PathBuf,
    /// The variants it was asked for with: name and value.
    pub variants: Vec<(String, String)>,
    /// The modules that wanted it, outermost first; for messages.
    pub wanted_by: Vec<String>,
}

impl ModuleContext {
    /// `name/version`, or the name alone.
    pub fn full_name(&self) -> String {
        match &self.version {
            Some(version) => format!("{}/{}", self.name, version),
            None => self.name.clone(),
        }
    }
}

/// A call of a command as the file made it; `show` prints these.
#[derive(Debug, Clone)]
pub struct Call {
    /// Which command.
    pub command: &'static Command,
    /// With what.
    pub args: Args,
}

/// An operation together with the place that asked for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recorded {
    /// The operation.
    pub op: EnvOp,
    /// Where the file asks for it.
    pub place: Place,
    /// Carried out as it is in the mode the file was evaluated in, never inverted: Lmod's `modeA`, Tcl's `--mode`.
    pub irreversible: bool,
}

/// A variant of a module: a choice made when it is loaded. Source: `modulefile(4)` `variant`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Variant {
    /// Its name.
    pub name: String,
    /// The value it takes; `1` or `0` for a boolean. `None` where a listing evaluates the file without a choice.
    pub value: Option<String>,
    /// The values that may be chosen; empty for any.
    pub allowed: Vec<String>,
    /// The value without a choice.
    pub default: Option<String>,
    /// Whether it is on or off.
    pub is_boolean: bool,
    /// Whether the value is the default because nothing was chosen.
    pub is_defaulted: bool,
}

/// How an evaluation came to its end.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Outcome {
    /// It ran to its end, or stopped early with all it did kept (Tcl `continue`).
    #[default]
    Completed,
    /// The file gave up: Lua `LmodBreak`, Tcl `break`. What it did is dropped.
    Broken(Option<String>),
    /// The file asked to end the whole command: `exit`, `os.exit`.
    Exited(i32),
}

/// What a file asked for.
#[derive(Debug, Default)]
pub struct Evaluation {
    /// Environment operations in the order of the file.
    pub ops: Vec<Recorded>,
    /// Loads, conflicts, requirements, families in the order of the file.
    pub relations: Vec<(Relation, Place)>,
    /// The calls, recorded in [`Mode::Show`], and in [`Mode::Spider`] where the [`World`] keeps them.
    pub calls: Vec<Call>,
    /// What the file said to people in [`Mode::Show`], with the number of calls before it.
    pub said: Vec<(usize, BString)>,
    /// Lines of `whatis`.
    pub whatis: Vec<BString>,
    /// Paragraphs of `help`.
    pub help: Vec<BString>,
    /// Properties (Lmod `add_property`): key and value.
    pub properties: Vec<(String, String)>,
    /// Tags that the file gives its own module (`module-tag`).
    pub tags: Vec<String>,
    /// Extensions the module provides: `numpy/1.26`.
    pub extensions: Vec<String>,
    /// Further facts for the catalog (TOML `license`, `maintainer`, ...): key and value.
    pub facts: Vec<(String, String)>,
    /// The variants that the file declares, with the values they take now.
    pub variants: Vec<Variant>,
    /// What the shell scripts of `source-sh` changed, by call: unloading takes it back without running them again.
    pub sourced: Vec<(BString, Vec<EnvOp>)>,
    /// The file changes MODULEPATH in a way that depends on the user (Lmod `haveDynamicMPATH`).
    pub dynamic_modulepath: bool,
    /// What an rc file says.
    pub directives: Vec<(Directive, Place)>,
    /// Whether the module's own test passed; `None` where it has none or was not asked.
    pub test_passed: Option<bool>,
    /// How it ended.
    pub outcome: Outcome,
}

/// An evaluation that failed, with what it had asked for until then.
#[derive(Debug)]
pub struct Failure {
    /// Why.
    pub diagnostic: Box<Diagnostic>,
    /// What was asked for before.
    pub evaluation: Evaluation,
}

/// The language machines of one run: made when the first file of a language is met, then used again.
#[derive(Debug, Default)]
pub struct Languages {
    lua: lua::Machines,
    siteconfig: tcl::siteconfig::SiteFiles,
}

/// Evaluates the modulefile `source` of `module`.
///
/// # Errors
/// A mistake in the file, a request that `world` refuses, or a bound that was hit.
pub fn evaluate(
    source: &Arc<SourceFile>,
    module: &ModuleContext,
    mode: Mode,
    world: &mut dyn World,
) -> Result<Evaluation, Failure> {
    let mut host = Host::new(world, module, mode, source);
    let language = match Language::of(source.path(), source.text()) {
        // Old rc files have no first line that tells.
        None if mode == Mode::Rc => Some(Language::Tcl),
        language => language,
    };
    let result = match language {
        Some(Language::Toml) => toml::run(&mut host),
        Some(Language::Lua) => lua::evaluate(&mut host),
        Some(Language::Tcl) => tcl::bind::evaluate(&mut host),
        None => Err(Stop::fatal(
            Diagnostic::new(Kind::Modulefile, "not a modulefile")
                .at(Place::line(source, 1), "")
                .help("the name of a modulefile ends in `.lua` or `.toml`, or its first line begins with `#%Module`"),
        )),
    };
    let result = result.and_then(|()| site::after_evaluation(&mut host));
    host.finish(result)
}

/// The languages of modulefiles.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Language {
    /// `#%Module` on the first line.
    Tcl,
    /// A name that ends in `.lua`.
    Lua,
    /// A name that ends in `.toml`.
    Toml,
}

impl Language {
    /// The language of a file, from its name, else from its first bytes; `None` where it is no modulefile.
    pub fn of(path: &Utf8Path, text: &[u8]) -> Option<Language> {
        Language::of_name(path.as_str())
            .or_else(|| text.starts_with(b"#%Module").then_some(Language::Tcl))
    }

    /// The language that the ending of a name tells.
    pub fn of_name(name: &str) -> Option<Language> {
        if name.ends_with(".lua") {
            Some(Language::Lua)
        } else if name.ends_with(".toml") {
            Some(Language::Toml)
        } else {
            None
        }
    }
}

/// Largest modulefile that is read, in bytes.
pub const MAX_FILE_BYTES: u64 = 64 << 20;

/// Reads a file if its first bytes are `start`: of another one no more than a piece is read.
pub fn read_beginning_with(path: &Utf8Path, start: &[u8]) -> Option<Arc<SourceFile>> {
    use std::io::Read;
    let mut file = std::fs::File::open(path).ok()?;
    let mut piece = [0; PIECE_BYTES];
    let length = file.read(&mut piece).ok()?;
    let mut text = Vec::with_capacity(PIECE_BYTES);
    if !piece[..length].starts_with(start) {
        return None;
    }
    text.extend_from_slice(&piece[..length]);
    file.take(MAX_FILE_BYTES).read_to_end(&mut text).ok()?;
    (text.len() as u64 <= MAX_FILE_BYTES).then(|| SourceFile::new(path, text))
}

/// Room for most modulefiles, so that they come in one piece; their size would be one more question to the file system.
const PIECE_BYTES: usize = 8 << 10;

/// Reads a modulefile or an rc file.
///
/// # Errors
/// Missing, unreadable, a directory, or larger than [`MAX_FILE_BYTES`].
pub fn read(path: &Utf8Path) -> Result<Arc<SourceFile>, Diagnostic> {
    use std::io::Read;
    let fail =
        |why: String| Diagnostic::new(Kind::Modulefile, format!("cannot read `{path}`: {why}"));
    let reason = |error: std::io::Error| match error.kind() {
        std::io::ErrorKind::NotFound => "no such file".to_owned(),
        std::io::ErrorKind::PermissionDenied => "permission denied".to_owned(),
        std::io::ErrorKind::IsADirectory => "it is a directory".to_owned(),
        _ => error.to_string(),
    };
    let mut text = Vec::with_capacity(PIECE_BYTES);
    // One byte more than allowed tells that the file is too large, without asking for its size first.
    let file = std::fs::File::open(path).map_err(|e| fail(reason(e)))?;
    file.take(MAX_FILE_BYTES + 1)
        .read_to_end(&mut text)
        .map_err(|e| fail(reason(e)))?;
    if text.len() as u64 > MAX_FILE_BYTES {
        return Err(fail(format!("larger than {} MiB", MAX_FILE_BYTES >> 20)));
    }
    Ok(SourceFile::new(path, text))
}
