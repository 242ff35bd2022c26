//! What the commands of modulefiles do, whatever the language.
//!
//! An action records what the file says and acts according to the mode; *unload* is the inverse, taken in one place after
//! the evaluation (`env::op`).

pub(super) mod environment;
pub(super) mod facts;
pub(super) mod names;
pub(super) mod program;
pub(super) mod query;
pub(super) mod relations;
pub(super) mod script;
pub(super) mod shell;
#[cfg(test)]
pub(in crate::modulefile) mod tests;
pub(super) mod text;

use std::collections::BTreeMap;
use std::sync::Arc;

use bstr::{BStr, BString};

use super::command::Command;
use super::relation::{Relation, RelationKind};
use super::value::{ArgError, Args, Value};
use super::world::{Level, Message, World};
use super::{Call, Evaluation, Failure, Mode, ModuleContext, Outcome, Recorded};
use crate::diag::{Diagnostic, Kind, Place, SourceFile, Span};
use crate::env::EnvOp;
use crate::session::Environment;

/// Why a command does not return a value.
#[derive(Debug)]
pub enum Stop {
    /// An argument is wrong. The binding adds the place; the language may catch it.
    Argument(ArgError),
    /// The command fails; the language may catch it (Tcl `catch`, Lua `pcall`).
    Error(Box<Diagnostic>),
    /// The whole request fails; no language catches it.
    Fatal(Box<Diagnostic>),
    /// The file gives up: `LmodBreak`, Tcl `break` at top level.
    Break(Option<String>),
    /// The file ends here, with what it did: Tcl `continue` and `return` at top level.
    Finish,
    /// The file ends the command: `exit`, `os.exit`.
    Exit(i32),
}

impl Stop {
    /// A failure of the whole request.
    pub fn fatal(diagnostic: Diagnostic) -> Stop {
        Stop::Fatal(Box::new(diagnostic))
    }

    /// A failure that the language may catch.
    pub fn error(diagnostic: Diagnostic) -> Stop {
        Stop::Error(Box::new(diagnostic))
    }
}

impl From<ArgError> for Stop {
    fn from(error: ArgError) -> Stop {
        Stop::Argument(error)
    }
}

/// One evaluation: the file's commands act on this.
pub struct Host<'w> {
    /// The rest of the program.
    pub world: &'w mut dyn World,
    /// The module that is evaluated.
    pub module: &'w ModuleContext,
    /// Why it is evaluated.
    pub mode: Mode,
    /// The file.
    pub source: Arc<SourceFile>,
    /// The place of the command that runs.
    pub place: Place,
    /// What was asked for so far.
    pub evaluation: Evaluation,
    /// Variables that the file changed for itself and its children alone (Tcl `set env(X) ...`); `None` is unset.
    private_env: BTreeMap<BString, Option<BString>>,
    /// Requirements that could not be met and that the file may have caught.
    unmet: Vec<Diagnostic>,
}

impl<'w> Host<'w> {
    /// Starts an evaluation.
    pub fn new(
        world: &'w mut dyn World,
        module: &'w ModuleContext,
        mode: Mode,
        source: &Arc<SourceFile>,
    ) -> Host<'w> {
        Host {
            world,
            module,
            mode,
            source: Arc::clone(source),
            place: Place {
                file: Arc::clone(source),
                span: Span::default(),
            },
            evaluation: Evaluation::default(),
            private_env: BTreeMap::new(),
            unmet: Vec::new(),
        }
    }

    /// A variable as the file sees it.
    pub fn var(&self, name: &BStr) -> Option<BString> {
        match self.private_env.get(name) {
            Some(own) => own.clone(),
            None => self.world.var(name).map(BStr::to_owned),
        }
    }

    /// All variables as the file and its children see them.
    pub fn environment(&self) -> Environment {
        let mut env = self.world.environment();
        for (name, value) in &self.private_env {
            match value {
                Some(value) => env.insert(name.clone(), value.clone()),
                None => env.remove(name),
            };
        }
        env
    }

    /// Changes a variable for this file and its children alone: it is never told to the shell.
    pub fn set_private(&mut self, name: &BStr, value: Option<BString>) {
        self.private_env.insert(name.to_owned(), value);
    }

    /// Runs one command of the table at `place`.
    ///
    /// # Errors
    /// The number of arguments is wrong, or what the command itself refuses.
    pub fn call(
        &mut self,
        command: &'static Command,
        args: Args,
        place: Place,
    ) -> Result<Value, Stop> {
        self.place = place;
        if let Some(message) = command.args.refuses(args.len()) {
            return Err(Stop::Argument(ArgError {
                index: None,
                message,
            }));
        }
        let value = (command.run)(self, &args)?;
        let keeps =
            self.mode == Mode::Show || self.mode == Mode::Spider && self.world.keeps_calls();
        if keeps && command.shown {
            let linked = environment::linked_calls(self, command, &args);
            self.evaluation.calls.push(Call { command, args });
            self.evaluation.calls.extend(linked);
        }
        Ok(value)
    }

    /// Records an operation and carries it out where the mode says so.
    ///
    /// # Errors
    /// The world refuses it.
    pub fn push(&mut self, op: EnvOp) -> Result<(), Stop> {
        // The inverse of an unload is taken after the evaluation: until then the file sees what load gave.
        let acts = self.mode != Mode::Unload;
        if acts {
            self.world
                .apply(self.module, &op, &self.place)
                .map_err(Stop::fatal)?;
        }
        self.record(op, false);
        Ok(())
    }

    /// Carries out an operation as it is where `modes` (`load`, `unload`) name the present mode; nothing is inverted.
    ///
    /// # Errors
    /// The world refuses it.
    pub fn push_in_modes<S: AsRef<str>>(&mut self, op: EnvOp, modes: &[S]) -> Result<(), Stop> {
        let wanted = match self.mode {
            Mode::Unload => "unload",
            _ => "load",
        };
        if !modes
            .iter()
            .any(|m| m.as_ref() == wanted || m.as_ref() == "all")
        {
            return Ok(());
        }
        if self.mode != Mode::Check && self.mode != Mode::Unload {
            self.world
                .apply_lasting(self.module, &op, &self.place)
                .map_err(Stop::fatal)?;
        }
        self.record(op, true);
        Ok(())
    }

    /// Records a statement about other modules and meets it where the mode says so.
    ///
    /// # Errors
    /// The world cannot meet it.
    pub fn relate(&mut self, relation: Relation) -> Result<(), Stop> {
        if self.mode == Mode::Load
            && let Err(diagnostic) = self.world.relate(self.module, &relation, &self.place)
        {
            return Err(self.unmet(relation.kind, diagnostic));
        }
        self.evaluation
            .relations
            .push((relation, self.place.clone()));
        Ok(())
    }

    /// Where requirements bind, a file may catch that one cannot be met and go on; an error it is all the same.
    fn unmet(&mut self, kind: RelationKind, diagnostic: Diagnostic) -> Stop {
        let is_requirement = matches!(
            kind,
            RelationKind::Load
                | RelationKind::LoadAny
                | RelationKind::AlwaysLoad
                | RelationKind::Switch
                | RelationKind::DependsOn
                | RelationKind::DependsOnAny
                | RelationKind::PrereqAll
                | RelationKind::PrereqAny
        );
        if !is_requirement || !self.world.config().requirements_bind {
            return Stop::fatal(diagnostic);
        }
        self.unmet.push(diagnostic.clone());
        Stop::error(diagnostic)
    }

    /// Says what requirements could not be met and were caught: all but the one that ends the evaluation.
    fn tell_unmet(&mut self, fatal: Option<&Diagnostic>) {
        for diagnostic in std::mem::take(&mut self.unmet) {
            if fatal.is_none_or(|fatal| fatal.message != diagnostic.message) {
                self.world.caught(diagnostic);
            }
        }
    }

    /// Meets a statement about other modules as it is where `modes` name the present mode; it is no requirement.
    ///
    /// # Errors
    /// The world cannot meet it.
    pub fn relate_in_modes<S: AsRef<str>>(
        &mut self,
        mut relation: Relation,
        modes: &[S],
    ) -> Result<(), Stop> {
        let wanted = match self.mode {
            Mode::Unload => "unload",
            _ => "load",
        };
        if !modes
            .iter()
            .any(|m| m.as_ref() == wanted || m.as_ref() == "all")
        {
            return Ok(());
        }
        if relation.kind == RelationKind::Load {
            relation.kind = RelationKind::AlwaysLoad;
        }
        if matches!(self.mode, Mode::Load | Mode::Unload) {
            self.world
                .relate(self.module, &relation, &self.place)
                .map_err(Stop::fatal)?;
        }
        if self.mode != Mode::Unload {
            self.evaluation
                .relations
                .push((relation, self.place.clone()));
        }
        Ok(())
    }

    /// Says something to people; silent while listings are collected. What a file itself writes has its place among the
    /// calls where these are shown as Tcl.
    pub fn tell(&mut self, level: Level, text: impl Into<bstr::BString>) {
        if self.mode == Mode::Show && level == Level::Plain && self.world.config().show_tcl {
            let calls = self.evaluation.calls.len();
            self.evaluation.said.push((calls, text.into()));
            return;
        }
        if !matches!(self.mode, Mode::Spider | Mode::Check) {
            self.world.tell(Message {
                level,
                text: text.into(),
            });
        }
    }

    /// Reads what the user answers to what was said; nobody is asked where a file is only read.
    ///
    /// # Errors
    /// Standard input cannot be read.
    pub fn ask(&mut self, answer: &mut [u8]) -> std::io::Result<usize> {
        match self.mode {
            Mode::Load | Mode::Unload | Mode::Test => self.world.ask(answer),
            _ => Ok(0),
        }
    }

    /// Turns the end of an evaluation into its result.
    ///
    /// # Errors
    /// The evaluation failed.
    pub fn finish(mut self, result: Result<(), Stop>) -> Result<Evaluation, Failure> {
        self.tell_unmet(match &result {
            Err(Stop::Error(diagnostic) | Stop::Fatal(diagnostic)) => Some(diagnostic),
            _ => None,
        });
        if !matches!(result, Ok(()) | Err(Stop::Finish)) {
            // Nothing is shown in which it could have its place.
            for (_, text) in std::mem::take(&mut self.evaluation.said) {
                let level = Level::Plain;
                self.world.tell(Message { level, text });
            }
        }
        let diagnostic = match result {
            Ok(()) | Err(Stop::Finish) => return Ok(self.evaluation),
            Err(Stop::Break(message)) => {
                self.evaluation.outcome = Outcome::Broken(message);
                return Ok(self.evaluation);
            }
            Err(Stop::Exit(code)) => {
                self.evaluation.outcome = Outcome::Exited(code);
                return Ok(self.evaluation);
            }
            Err(Stop::Error(diagnostic) | Stop::Fatal(diagnostic)) => diagnostic,
            Err(Stop::Argument(error)) => Box::new(
                Diagnostic::new(Kind::Modulefile, error.message).at(self.place.clone(), ""),
            ),
        };
        Err(Failure {
            diagnostic,
            evaluation: self.evaluation,
        })
    }

    /// Warns people about the command that runs.
    pub fn warn(&mut self, text: impl AsRef<str>) {
        let text = format!("{}: {}", self.place, text.as_ref());
        self.tell(Level::Warning, text);
    }

    fn record(&mut self, op: EnvOp, irreversible: bool) {
        if let Some(var) = op.var() {
            self.private_env.remove(var.as_bstr());
        }
        self.evaluation.ops.push(Recorded {
            op,
            place: self.place.clone(),
            irreversible,
        });
    }
}
