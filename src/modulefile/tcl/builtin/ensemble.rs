//! Commands made by `namespace ensemble create`: finding the sub-command and calling it.
//!
//! Source: Tcl 8.6, `namespace(n)` section "Ensembles".

use std::rc::Rc;

use crate::modulefile::tcl::command::{Command, CommandKind, one_of};
use crate::modulefile::tcl::error::{Exit, Outcome};
use crate::modulefile::tcl::interp::{Interp, wrong_args};
use crate::modulefile::tcl::namespace::Ensemble;
use crate::modulefile::tcl::pattern::{Case, string_match};
use crate::modulefile::tcl::value::Value;

impl Interp<'_> {
    /// Calls an ensemble: replaces its name and the sub-command by the command they stand for.
    pub(in crate::modulefile::tcl) fn call_ensemble(
        &mut self,
        command: &Rc<Command>,
        ensemble: &Rc<Ensemble>,
        words: &[Value],
    ) -> Outcome {
        let params = ensemble.parameters.len();
        if words.len() < params + 2 {
            let mut usage = String::new();
            for param in &ensemble.parameters {
                usage.push_str(&format!("{} ", param.text()));
            }
            usage.push_str("subcommand ?arg ...?");
            return Err(wrong_args(words[0].bytes(), &usage));
        }
        let sub = &words[params + 1];
        let mut target = match self.ensemble_target(ensemble, sub.bytes()) {
            Some(target) => target,
            None => match self.ensemble_unknown(command, ensemble, words)? {
                Some(target) => target,
                None => return Err(self.no_subcommand(ensemble, sub)),
            },
        };
        let shown = target.clone();
        target.extend_from_slice(&words[1..=params]);
        target.extend_from_slice(&words[params + 2..]);
        match self.invoke(target) {
            Err(Exit::Error(mut error)) if error.info.is_empty() => {
                // `wrong # args` names what was typed, not what it stands for.
                let joined = |words: &[Value]| {
                    words
                        .iter()
                        .map(Value::bytes)
                        .collect::<Vec<_>>()
                        .join(&b' ')
                };
                let head = bytes!("wrong # args: should be \"", joined(&shown));
                if let Some(rest) = error.message.bytes().strip_prefix(&head[..]) {
                    let typed = joined(&words[..params + 2]);
                    error.message = Value::new(bytes!("wrong # args: should be \"", typed, rest));
                }
                Err(Exit::Error(error))
            }
            other => other,
        }
    }

    /// The words that a sub-command stands for; a unique beginning of a name will do.
    fn ensemble_target(&mut self, ensemble: &Ensemble, sub: &[u8]) -> Option<Vec<Value>> {
        let names = self.ensemble_names(ensemble);
        let name = match names.iter().find(|name| &name[..] == sub) {
            Some(name) => name,
            None if ensemble.no_prefixes => return None,
            None => {
                let mut matching = names.iter().filter(|name| name.starts_with(sub));
                match (matching.next(), matching.next()) {
                    (Some(name), None) => name,
                    _ => return None,
                }
            }
        };
        if let Some(words) = ensemble.map.get(&name[..]) {
            return words.as_list().ok().map(|words| words.to_vec());
        }
        Some(vec![Value::new(self.full_name(ensemble.namespace, name))])
    }

    /// The names of the sub-commands, sorted.
    fn ensemble_names(&mut self, ensemble: &Ensemble) -> Vec<Vec<u8>> {
        let mut names: Vec<Vec<u8>> = if !ensemble.subcommands.is_empty() {
            ensemble
                .subcommands
                .iter()
                .map(|name| name.bytes().to_vec())
                .collect()
        } else if !ensemble.map.is_empty() {
            ensemble.map.keys().map(|name| name.to_vec()).collect()
        } else {
            let exports = self.namespace(ensemble.namespace).exports.clone();
            self.command_names(ensemble.namespace)
                .into_iter()
                .filter(|name| {
                    exports
                        .iter()
                        .any(|pattern| string_match(pattern.bytes(), name, Case::Sensitive))
                })
                .collect()
        };
        names.sort();
        names.dedup();
        names
    }

    fn ensemble_unknown(
        &mut self,
        command: &Rc<Command>,
        ensemble: &Ensemble,
        words: &[Value],
    ) -> Outcome<Option<Vec<Value>>> {
        let Some(handler) = &ensemble.unknown else {
            return Ok(None);
        };
        let mut call = handler.as_list()?.to_vec();
        call.push(Value::new(self.command_name(command)));
        call.extend_from_slice(&words[1..]);
        let answer = self.invoke(call)?.as_list()?;
        Ok((!answer.is_empty()).then(|| answer.to_vec()))
    }

    fn no_subcommand(&mut self, ensemble: &Ensemble, sub: &Value) -> Exit {
        let names = self.ensemble_names(ensemble);
        let names: Vec<String> = names
            .iter()
            .map(|name| String::from_utf8_lossy(name).into_owned())
            .collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        // Two names are listed like three: that is Tcl's way here.
        let list = match &names[..] {
            [first, second] => format!("{first}, or {second}"),
            names => one_of(names),
        };
        let ambiguous = if ensemble.no_prefixes {
            "unknown"
        } else {
            "unknown or ambiguous"
        };
        let message = if names.is_empty() {
            bytes!(
                "unknown subcommand \"",
                sub,
                "\": namespace ",
                self.namespace(ensemble.namespace).name,
                " does not export any commands"
            )
        } else {
            bytes!(ambiguous, " subcommand \"", sub, "\": must be ", list)
        };
        Exit::coded(
            message,
            &[&b"TCL"[..], b"LOOKUP", b"SUBCOMMAND", sub.bytes()],
        )
    }

    /// The ensemble behind a command.
    pub(super) fn ensemble_of(&mut self, name: &[u8]) -> Option<(Rc<Command>, Rc<Ensemble>)> {
        let mut command = self.find_command(name)?;
        while let CommandKind::Import(source) = &command.kind {
            let source = Rc::clone(source);
            command = source;
        }
        let ensemble = match &command.kind {
            CommandKind::Ensemble(ensemble) => Rc::clone(&ensemble.borrow()),
            _ => return None,
        };
        Some((command, ensemble))
    }
}
