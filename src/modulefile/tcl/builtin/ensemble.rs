//! Commands made by `namespace ensemble create`: finding the sub-command and calling it.
//!
//! Source: Tcl 8.6, `namespace(n)` section "Ensembles".

use std::cell::RefCell;
use std::rc::Rc;

use crate::modulefile::tcl::command::{Action, Command, CommandKind, Def, one_of};
use crate::modulefile::tcl::error::{Error, Exit, Outcome};
use crate::modulefile::tcl::interp::{Interp, wrong_args};
use crate::modulefile::tcl::list::{join_elements, next_element};
use crate::modulefile::tcl::namespace::{Ensemble, GLOBAL};
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
        let (name, mut target) = match self.ensemble_target(ensemble, sub.bytes())? {
            Some(found) => found,
            None => match self.ensemble_unknown(command, ensemble, words)? {
                Some(target) => (sub.bytes().to_vec(), target),
                None => return self.ensemble_again(command, words),
            },
        };
        let inserted = target.len();
        target.extend_from_slice(&words[1..=params]);
        target.extend_from_slice(&words[params + 2..]);
        // `wrong # args` names what was typed, not what it stands for.
        let mut typed = words[..params + 2].to_vec();
        typed[params + 1] = Value::new(name);
        let called = target.clone();
        self.invoke(target)
            .map_err(|exit| self.rewrite_usage(exit, &typed, &called, inserted + params))
    }

    /// Looks once more: the handler of unknown sub-commands may have made it known.
    fn ensemble_again(&mut self, command: &Rc<Command>, words: &[Value]) -> Outcome {
        let CommandKind::Ensemble(cell) = &command.kind else {
            return Ok(Value::empty());
        };
        let mut ensemble = (**cell.borrow()).clone();
        let params = ensemble.parameters.len();
        let known = match words.get(params + 1) {
            Some(sub) => self.ensemble_target(&ensemble, sub.bytes())?.is_some(),
            // The same call with fewer words than it now needs says so.
            None => true,
        };
        if !known {
            return Err(self.no_subcommand(&ensemble, &words[params + 1]));
        }
        ensemble.unknown = None;
        self.call_ensemble(command, &Rc::new(ensemble), words)
    }

    /// Turns the `wrong # args` of a command that something else stands for into that of the words which were typed;
    /// `inserted` of the words that were called took the place of the typed ones.
    pub(in crate::modulefile::tcl) fn rewrite_usage(
        &mut self,
        exit: Exit,
        typed: &[Value],
        called: &[Value],
        inserted: usize,
    ) -> Exit {
        const HEAD: &[u8] = b"wrong # args: should be \"";
        let mut error = match exit {
            Exit::Error(error) if error.info.is_empty() => error,
            other => return other,
        };
        let joined = |words: &[Value]| join_elements(words.iter().map(Value::bytes));
        let message = error.message.clone();
        let Some(usage) = message.bytes().strip_prefix(HEAD) else {
            return Exit::Error(error);
        };
        let command = self.find_command(called[0].bytes());
        let is_proc = command.is_some_and(|command| match &command.kind {
            CommandKind::Proc(_) => true,
            CommandKind::Builtin(def) => def.name == "apply",
            _ => false,
        });
        let rest = if is_proc {
            skip_words(usage, inserted)
        } else {
            usage.strip_prefix(&joined(&called[..inserted.min(called.len())])[..])
        };
        if let Some(rest) = rest {
            let blank: &[u8] = match rest.first() {
                Some(b' ' | b'"') | None => b"",
                Some(_) => b" ",
            };
            error.message = Value::new(bytes!(HEAD, joined(typed), blank, rest));
        }
        Exit::Error(error)
    }

    /// The words that a sub-command stands for; a unique beginning of a name will do.
    fn ensemble_target(
        &mut self,
        ensemble: &Ensemble,
        sub: &[u8],
    ) -> Outcome<Option<(Vec<u8>, Vec<Value>)>> {
        let names = self.ensemble_names(ensemble);
        let name = match names.iter().find(|name| &name[..] == sub) {
            Some(name) => name,
            None if ensemble.no_prefixes => return Ok(None),
            None => {
                let mut matching = names.iter().filter(|name| name.starts_with(sub));
                match (matching.next(), matching.next()) {
                    (Some(name), None) => name,
                    _ => return Ok(None),
                }
            }
        };
        if let Some(words) = ensemble.map.get(&name[..]) {
            return Ok(Some((name.clone(), words.as_list()?.to_vec())));
        }
        let full = self.full_name(ensemble.namespace, name);
        Ok(Some((name.clone(), vec![Value::new(full)])))
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
        let shown = join_elements(call.iter().map(Value::bytes));
        let answer = match self.eval_list(&Value::list(call)) {
            Ok(answer) => answer,
            Err(Exit::Error(mut error)) => {
                error.add_info("\n    (ensemble unknown subcommand handler)");
                return Err(Exit::Error(error));
            }
            Err(exit @ Exit::Stop(_)) => return Err(exit),
            Err(exit) => {
                let code = match exit.code() {
                    Some(2) => "return".to_owned(),
                    Some(3) => "break".to_owned(),
                    Some(4) => "continue".to_owned(),
                    code => code.unwrap_or_default().to_string(),
                };
                let message = format!("unknown subcommand handler returned bad code: {code}");
                let mut error =
                    Error::new(message).with_code(&["TCL", "ENSEMBLE", "UNKNOWN_RESULT"]);
                error.add_info(bytes!(
                    "\n    result of ensemble unknown subcommand handler: ",
                    shown
                ));
                return Err(error.into());
            }
        };
        if command.deleted.get() {
            return Err(Exit::coded(
                "unknown subcommand handler deleted its ensemble",
                &["TCL", "ENSEMBLE", "UNKNOWN_DELETED"],
            ));
        }
        let answer = answer.as_list().map_err(|wrong| {
            let mut error = match Exit::from(wrong) {
                Exit::Error(error) => error,
                other => return other,
            };
            error.add_info("\n    while parsing result of ensemble unknown subcommand handler");
            Exit::Error(error)
        })?;
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

    /// The ensemble behind a command. One of Tcl's own becomes one that can be looked at and changed.
    pub(super) fn ensemble_of(&mut self, name: &[u8]) -> Option<(Rc<Command>, Rc<Ensemble>)> {
        let mut command = self.find_command(name)?;
        while let CommandKind::Import(source) = &command.kind {
            let source = Rc::clone(source);
            command = source;
        }
        let ensemble = match &command.kind {
            CommandKind::Ensemble(ensemble) => Rc::clone(&ensemble.borrow()),
            CommandKind::Builtin(def) => return self.open_builtin(&command, def),
            _ => return None,
        };
        Some((command, ensemble))
    }

    /// Replaces a built-in command with sub-commands by an ensemble of them.
    fn open_builtin(
        &mut self,
        command: &Rc<Command>,
        def: &'static Def,
    ) -> Option<(Rc<Command>, Rc<Ensemble>)> {
        let Action::Ensemble(parts) = def.action else {
            return None;
        };
        let space = bytes!("::tcl::", def.name);
        let namespace = self.find_namespace(&space, GLOBAL)?;
        let words = |part: &Def| Value::new(bytes!(space, "::", part.name));
        let map = parts
            .iter()
            .map(|part| (part.name.as_bytes().into(), words(part)));
        let ensemble = Rc::new(Ensemble {
            namespace,
            map: map.collect(),
            subcommands: Vec::new(),
            parameters: Vec::new(),
            no_prefixes: false,
            unknown: None,
        });
        let kind = CommandKind::Ensemble(RefCell::new(Rc::clone(&ensemble)));
        let name = command.name.borrow().clone();
        Some((
            self.define_command(command.namespace.get(), &name, kind),
            ensemble,
        ))
    }
}

/// What is left of a usage text after so many words.
fn skip_words(usage: &[u8], words: usize) -> Option<&[u8]> {
    let mut rest = usage;
    for _ in 0..words {
        // The last word ends at the quote of the message.
        let (_, after) = next_element(rest).ok()??;
        rest = after;
    }
    if rest.is_empty() {
        return Some(b"\"");
    }
    Some(rest.trim_ascii_start())
}
