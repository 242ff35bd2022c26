//! What an evaluation may ask of the rest of the program, and demand from it.
//!
//! The real world is the transition (a load that may load others in its middle); a recording one serves `show`, `help`,
//! crawls; tests have a fake.

use std::time::Instant;

use bstr::{BStr, BString};
use camino::Utf8PathBuf;

use super::relation::{Directive, Relation};
use super::{Languages, ModuleContext};
use crate::config::Config;
use crate::diag::{Diagnostic, Place};
use crate::env::EnvOp;
use crate::name::{LoadedName, Purpose, Spec, matches_loaded};
use crate::session::{Environment, Session};

/// How loud a message of a modulefile is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// As it is: `puts stderr`, `LmodMessage`, `report`.
    Plain,
    /// As it is, and not even `--quiet` holds it back: what goes straight to standard error (`io.stderr:write`).
    Direct,
    /// `LmodWarning`, `reportWarning`.
    Warning,
    /// `reportError`: counts as an error, evaluation goes on.
    Error,
}

/// Text that a modulefile has for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// How loud.
    pub level: Level,
    /// The text; a newline at its end is part of it.
    pub text: BString,
}

/// A loaded module as modulefiles may see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoadedModule {
    /// Name without version.
    pub name: String,
    /// Name with version.
    pub full_name: String,
    /// How it was asked for.
    pub requested: String,
    /// Its file.
    pub file: Utf8PathBuf,
    /// How many loaded modules depend on it; `None` where the user asked for it.
    pub ref_count: Option<u32>,
    /// How deep in other modules' loads it was loaded: 0 for the user's own.
    pub depth: u32,
    /// Its properties: key and value.
    pub properties: Vec<(String, String)>,
}

/// The rest of the program, seen from a modulefile.
///
/// What has a body here is the answer of a world in which a file is only looked at: it knows the loaded modules and no
/// others. The world of real loads answers all of it itself.
pub trait World {
    /// The session.
    fn session(&self) -> &Session;

    /// The settings in force.
    fn config(&self) -> &Config;

    /// The language machines, shared by all evaluations of a run.
    fn languages(&self) -> &Languages;

    /// The shell that the output is for: `bash`, `tcsh`, `python`.
    fn shell_name(&self) -> &str;

    /// When an evaluation has to end, done or not: whoever waits for it has no more time.
    fn deadline(&self) -> Option<Instant> {
        None
    }

    /// A variable of the working environment, with what this and other modulefiles have done so far.
    fn var(&self, name: &BStr) -> Option<&BStr>;

    /// A copy of the whole working environment: for children, and for scripts that list all variables. Path variables
    /// are joined for it, so ask [`World::var`] where one variable will do.
    fn environment(&self) -> Environment;

    /// Carries out one operation at once, on behalf of `module`.
    ///
    /// # Errors
    /// The operation is refused (protected variable).
    fn apply(
        &mut self,
        module: &ModuleContext,
        op: &EnvOp,
        place: &Place,
    ) -> Result<(), Diagnostic>;

    /// Carries out one operation at once that unloading does not take back.
    ///
    /// # Errors
    /// As for [`World::apply`].
    fn apply_lasting(
        &mut self,
        module: &ModuleContext,
        op: &EnvOp,
        place: &Place,
    ) -> Result<(), Diagnostic> {
        self.apply(module, op, place)
    }

    /// Meets a relation now (a nested load happens here), or refuses.
    ///
    /// # Errors
    /// It cannot be met: the request fails.
    fn relate(
        &mut self,
        module: &ModuleContext,
        relation: &Relation,
        place: &Place,
    ) -> Result<(), Diagnostic>;

    /// Whether calls are kept where a file is read for listings: somebody searches in them.
    fn keeps_calls(&self) -> bool {
        false
    }

    /// Reads what the user answers, once what was said so far has been shown; 0 is the end. Where files are only looked
    /// at nobody is asked.
    ///
    /// # Errors
    /// Standard input cannot be read.
    fn ask(&mut self, _answer: &mut [u8]) -> std::io::Result<usize> {
        Ok(0)
    }

    /// Takes in a requirement that could not be met and that its file caught: the request goes on and fails in the end.
    fn caught(&mut self, _diagnostic: Diagnostic) {}

    /// Takes in what a modulefile, not an rc file, says about names: it holds until the end of the request.
    fn declare(&mut self, _module: &ModuleContext, _directive: &Directive) {}

    /// Whether a module that matches is loaded, or is just being loaded.
    fn is_loaded(&self, spec: &Spec) -> bool {
        let rules = self.config().loaded_rules();
        self.loaded_modules().iter().any(|module| {
            let loaded = LoadedName {
                name: &module.name,
                full_name: &module.full_name,
                alternatives: &[],
                variants: &[],
            };
            matches_loaded(spec, &loaded, Purpose::IsLoaded, &rules)
        })
    }

    /// Whether a module that matches is just being loaded.
    fn is_pending(&self, _spec: &Spec) -> bool {
        false
    }

    /// The file that a load of `spec` would evaluate.
    fn find(&mut self, _spec: &Spec) -> Option<Utf8PathBuf> {
        None
    }

    /// The full name of the module that a load of `spec` would load.
    fn full_name(&mut self, _spec: &Spec) -> Option<String> {
        None
    }

    /// What the alias `name` stands for.
    fn alias_target(&mut self, _name: &str) -> Option<String> {
        None
    }

    /// The symbolic versions that point at the module `full_name`.
    fn symbols(&mut self, _full_name: &str) -> Vec<String> {
        Vec::new()
    }

    /// Who marked `module` as the default of its name, in Lmod's words: `user`, `system` (an rc file of the site), `marked`
    /// (its modulepath), `none`.
    fn default_kind(&mut self, _module: &ModuleContext) -> &'static str {
        "none"
    }

    /// The tags of `module` that rc files, the site and the request give it.
    fn tags(&mut self, _module: &ModuleContext) -> Vec<String> {
        Vec::new()
    }

    /// The names of the user's saved collections.
    fn collections(&mut self) -> Vec<String> {
        Vec::new()
    }

    /// What the shell script of a `source-sh` call changed when `module` was loaded; `call` is its key in
    /// [`Evaluation::sourced`](super::Evaluation::sourced). `None` where nobody remembers.
    fn sourced(&self, _module: &ModuleContext, _call: &BStr) -> Option<Vec<EnvOp>> {
        None
    }

    /// The loaded modules in load order.
    fn loaded_modules(&self) -> Vec<LoadedModule>;

    /// The sub-command that runs, as the user's words were understood: `load`, `swap`, `purge`.
    fn command(&self) -> &str;

    /// Writes to the site's log.
    fn log(&mut self, _text: &BStr) {}

    /// Says something to people.
    fn tell(&mut self, message: Message);
}
