//! Commands are found and called.

use std::rc::Rc;

use super::{Interp, invalid_command, log_text, wrong_args};
use crate::modulefile::tcl::builtin;
use crate::modulefile::tcl::command::{self, Action, Cached, Command, CommandKind, Def};
use crate::modulefile::tcl::embedding::Call;
use crate::modulefile::tcl::error::{Exit, Outcome};
use crate::modulefile::tcl::namespace::GLOBAL;
use crate::modulefile::tcl::parse::{self, WordKind};
use crate::modulefile::tcl::value::Value;

impl Interp<'_> {
    /// The command that a parsed command names, remembered with it.
    pub(super) fn resolve(&mut self, parsed: &parse::Command, name: &Value) -> Option<Rc<Command>> {
        let constant = matches!(parsed.words[0].kind, WordKind::Const(_));
        let namespace = self.frame().namespace;
        if constant
            && let Some(cached) = &*parsed.cached.borrow()
            && cached.epoch == self.epoch
            && cached.namespace == namespace
        {
            return Some(Rc::clone(&cached.command));
        }
        let command = self.find_command(name.bytes())?;
        if constant {
            *parsed.cached.borrow_mut() = Some(Cached {
                epoch: self.epoch,
                namespace,
                command: Rc::clone(&command),
            });
        }
        Some(command)
    }

    /// Calls a command given as words.
    pub fn invoke(&mut self, words: Vec<Value>) -> Outcome {
        let Some(name) = words.first() else {
            return Ok(Value::empty());
        };
        self.step()?;
        self.inline = false;
        match self.find_command(name.bytes()) {
            Some(command) => self.nested(|interp| interp.call(&command, &words)),
            None => self.unknown(&words),
        }
    }

    /// Evaluates a value that was made as a list: one command, without parsing.
    pub(in crate::modulefile::tcl) fn eval_list(&mut self, list: &Value) -> Outcome {
        let words = list.as_list()?;
        match self.invoke(words.to_vec()) {
            Err(Exit::Error(mut error)) => {
                if !error.logged {
                    log_text(&mut error, list.bytes());
                    error.line = 1;
                }
                error.logged = false;
                if error.place.is_none() {
                    error.place = self.trail.place();
                }
                Err(Exit::Error(error))
            }
            other => other,
        }
    }

    /// Calls a command with its words.
    pub(in crate::modulefile::tcl) fn call(
        &mut self,
        command: &Rc<Command>,
        words: &[Value],
    ) -> Outcome {
        if !self.steps_watched.is_empty() {
            return self.call_stepped(command, words);
        }
        self.call_watched(command, words)
    }

    /// Calls a command, and the traces on it.
    pub(in crate::modulefile::tcl) fn call_watched(
        &mut self,
        command: &Rc<Command>,
        words: &[Value],
    ) -> Outcome {
        if command.is_traced() {
            return self.call_traced(command, words);
        }
        self.call_untraced(command, words)
    }

    pub(in crate::modulefile::tcl) fn call_untraced(
        &mut self,
        command: &Rc<Command>,
        words: &[Value],
    ) -> Outcome {
        match &command.kind {
            CommandKind::Builtin(def) => self.call_builtin(def, words, 1),
            CommandKind::Proc(definition) => {
                let result = self.call_proc(command, definition, words);
                self.follow_tail(result)
            }
            CommandKind::Embedding(id) => {
                let call = Call {
                    words,
                    trail: &self.trail,
                };
                let result = self.host.call(*id, &call);
                for (name, value) in self.host.assignments() {
                    self.set_var(&name, value)?;
                }
                result
            }
            CommandKind::Alias(alias) => {
                let alias = Rc::clone(alias);
                self.call_alias(&alias, words)
            }
            CommandKind::Child(id) => builtin::call_child(self, *id, words),
            CommandKind::Import(source) => self.nested(|interp| interp.call(source, words)),
            CommandKind::Ensemble(ensemble) => {
                let ensemble = Rc::clone(&ensemble.borrow());
                self.nested(|interp| interp.call_ensemble(command, &ensemble, words))
            }
            CommandKind::Function(function) => function.command(self, &words[1..]),
        }
    }

    /// Calls a built-in whose name takes up `used` words.
    fn call_builtin(&mut self, def: &'static Def, words: &[Value], used: usize) -> Outcome {
        let args = &words[used..];
        if args.len() < def.least || args.len() > def.most {
            let mut name = words[..used - 1]
                .iter()
                .map(|word| word.bytes().to_vec())
                .collect::<Vec<_>>();
            name.push(if used == 1 {
                words[0].bytes().to_vec()
            } else {
                def.name.as_bytes().to_vec()
            });
            return Err(wrong_args(&name.join(&b' '), def.usage));
        }
        match def.action {
            Action::Run(run) => run(self, args),
            Action::Ensemble(table) => {
                let sub = command::find_sub(table, &args[0], None)?;
                self.call_builtin(sub, words, used + 1)
            }
            Action::Options(called, table) => {
                let sub = command::find_sub(table, &args[0], Some(called))?;
                self.call_builtin(sub, words, used + 1)
            }
        }
    }

    pub(in crate::modulefile::tcl) fn unknown(&mut self, words: &[Value]) -> Outcome {
        let namespace = self.current_namespace();
        let handler = [namespace, GLOBAL]
            .iter()
            .find_map(|&space| self.namespace(space).unknown.clone());
        if let Some(handler) = handler {
            let mut full = handler.as_list()?.to_vec();
            full.extend_from_slice(words);
            return self.invoke(full);
        }
        if let Some(command) = self.find_command_from(b"::unknown", GLOBAL) {
            let mut full = vec![Value::from("::unknown")];
            full.extend_from_slice(words);
            return self.nested(|interp| interp.call(&command, &full));
        }
        Err(invalid_command(&words[0]))
    }
}
