//! Calls of procs and lambdas: frames, arguments, `return`, `tailcall`.
//!
//! Source: Tcl 8.6, `proc(n)`, `apply(n)`, `return(n)`, `tailcall(n)`.

use std::rc::Rc;
use std::sync::Arc;

use super::{Frame, FrameKind, Interp, Style, script_of, shorten, wrong_args};
use crate::diag::SourceFile;
use crate::modulefile::tcl::command::{Command, CommandKind, Proc};
use crate::modulefile::tcl::error::{Error, Exit, Outcome, ProcCall, Return};
use crate::modulefile::tcl::list;
use crate::modulefile::tcl::namespace::{GLOBAL, NamespaceId};
use crate::modulefile::tcl::value::Value;
use crate::modulefile::tcl::var::{Var, VarTable};

impl Interp<'_> {
    /// Runs a file in a frame of its own with one parameter set.
    pub(in crate::modulefile::tcl) fn source_with(
        &mut self,
        file: &Arc<SourceFile>,
        definition: Proc,
        value: Value,
    ) -> Outcome {
        let words = [Value::from("source"), value];
        let frame = Frame {
            vars: bind_arguments(&definition, &words)?,
            namespace: GLOBAL,
            kind: FrameKind::Proc(words.to_vec()),
            level: self.frame().level + 1,
            caller: self.active,
        };
        self.in_frame(frame, |interp| interp.source(file))
    }

    pub(super) fn call_proc(
        &mut self,
        command: &Rc<Command>,
        definition: &Rc<Proc>,
        words: &[Value],
    ) -> Outcome {
        let frame = Frame {
            vars: bind_arguments(definition, words)?,
            namespace: command.namespace.get(),
            kind: FrameKind::Proc(words.to_vec()),
            level: self.frame().level + 1,
            caller: self.active,
        };
        let body = &definition.body;
        let result = self.in_frame(frame, |interp| match body.script_form() {
            Some(script) => interp.run_script(&script, Style::Proc),
            None => {
                let script = script_of(body);
                interp.run_script(&script, Style::Proc)
            }
        });
        self.leave_proc(words, "procedure", result)
    }

    /// Turns the outcome of a proc's body into that of the call.
    fn leave_proc(&mut self, words: &[Value], what: &str, result: Outcome) -> Outcome {
        let name = &words[0];
        let mut error = match result {
            Ok(value) => return Ok(value),
            Err(Exit::Return(returning)) => return self.finish_return(returning),
            Err(Exit::Error(error)) => error,
            Err(exit @ (Exit::Break | Exit::Continue)) => {
                let word = if matches!(exit, Exit::Break) {
                    "break"
                } else {
                    "continue"
                };
                let message = format!("invoked \"{word}\" outside of a loop");
                Box::new(Error::new(message).with_code(&["TCL", "RESULT", "UNEXPECTED"]))
            }
            Err(other) => return Err(other),
        };
        let shown = shorten(name.bytes(), 60);
        error.add_info(bytes!(
            "\n    (",
            what,
            " \"",
            shown,
            "\" line ",
            error.line.to_string(),
            ")"
        ));
        error
            .stack
            .extend([Value::from("CALL"), Value::list(words.to_vec())]);
        error.calls.push(ProcCall {
            name: name.text().into_owned(),
            place: self.trail.place(),
        });
        Err(Exit::Error(error))
    }

    /// Carries out what `tailcall` left behind, one after the other instead of one inside the other.
    pub(super) fn follow_tail(&mut self, mut result: Outcome) -> Outcome {
        while let Err(Exit::Tail(words)) = result {
            self.step()?;
            let Some(name) = words.first() else {
                return Ok(Value::empty());
            };
            result = match self.find_command(name.bytes()) {
                Some(command) => match &command.kind {
                    CommandKind::Proc(definition) => self.call_proc(&command, definition, &words),
                    _ => self.call(&command, &words),
                },
                None => self.unknown(&words),
            };
        }
        result
    }

    /// Calls the lambda of `apply`; the first word is the lambda.
    pub(in crate::modulefile::tcl) fn call_lambda(
        &mut self,
        namespace: NamespaceId,
        definition: Proc,
        words: &[Value],
    ) -> Outcome {
        let mut shown = words.to_vec();
        shown[0] = Value::new(bytes!("apply lambdaExpr"));
        let vars = bind_arguments(&definition, &shown)?;
        let mut full = vec![Value::from("apply")];
        full.extend_from_slice(words);
        let frame = Frame {
            vars,
            namespace,
            kind: FrameKind::Proc(full),
            level: self.frame().level + 1,
            caller: self.active,
        };
        let body = definition.body;
        let result = self.in_frame(frame, |interp| {
            interp.run_script(&script_of(&body), Style::Proc)
        });
        let result = self.leave_proc(words, "lambda term", result);
        self.follow_tail(result)
    }

    /// `tailcall`: leaves the proc; its caller then calls the command in its place.
    pub(in crate::modulefile::tcl) fn tailcall(&mut self, words: &[Value]) -> Outcome {
        let mut words = words.to_vec();
        if let Some(first) = words.first_mut()
            && let Some(command) = self.find_command(first.bytes())
        {
            *first = Value::new(self.command_name(&command));
        }
        Err(Exit::Return(Box::new(Return {
            value: Value::empty(),
            code: 0,
            level: 1,
            options: Vec::new(),
            tail: Some(words),
        })))
    }

    /// Runs in a new frame.
    pub(in crate::modulefile::tcl) fn in_frame(
        &mut self,
        frame: Frame,
        run: impl FnOnce(&mut Self) -> Outcome,
    ) -> Outcome {
        let saved = self.active;
        self.frames.push(frame);
        self.active = self.frames.len() - 1;
        let result = self.nested(run);
        let frame = self.frames.pop();
        self.active = saved;
        if self.watches_variables
            && let Some(frame) = frame
        {
            self.unset_locals(frame.vars);
        }
        result
    }

    /// Runs with another frame as the current scope.
    pub(in crate::modulefile::tcl) fn at_frame<T>(
        &mut self,
        frame: usize,
        run: impl FnOnce(&mut Self) -> Outcome<T>,
    ) -> Outcome<T> {
        let saved = std::mem::replace(&mut self.active, frame);
        let result = run(self);
        self.active = saved;
        result
    }

    /// Counts down a `return`; at its end it becomes what it stands for.
    pub(in crate::modulefile::tcl) fn finish_return(
        &mut self,
        mut returning: Box<Return>,
    ) -> Outcome {
        returning.level = returning.level.saturating_sub(1);
        if returning.level > 0 {
            return Err(Exit::Return(returning));
        }
        if let Some(words) = returning.tail.take() {
            return Err(Exit::Tail(words));
        }
        match complete_return(returning) {
            // Whoever called the proc is told of in `errorInfo`, even when the proc gave its own text.
            Err(Exit::Error(mut error)) => {
                error.logged = false;
                Err(Exit::Error(error))
            }
            other => other,
        }
    }
}

/// What a `return` stands for when its levels are counted down.
pub(in crate::modulefile::tcl) fn complete_return(returning: Box<Return>) -> Outcome {
    match returning.code {
        0 => Ok(returning.value),
        1 => {
            let mut error = Error::new(returning.value);
            for (name, value) in returning.options {
                match name.bytes() {
                    b"-errorcode" => error.code = value.clone(),
                    b"-errorinfo" => {
                        error.info = value.bytes().to_vec();
                        error.logged = !value.is_empty();
                    }
                    b"-errorline" | b"-errorstack" => continue,
                    _ => {}
                }
                error.options.push((name, value));
            }
            Err(error.into())
        }
        2 => Err(Exit::Return(Box::new(Return {
            code: 0,
            level: 1,
            ..*returning
        }))),
        3 => Err(Exit::Break),
        4 => Err(Exit::Continue),
        _ => Err(Exit::Other(returning)),
    }
}

/// The error of a proc that is called with the wrong number of arguments.
fn wrong_call(definition: &Proc, words: &[Value]) -> Exit {
    let mut name = Vec::new();
    match words[0].bytes() {
        // Two words that stand for one.
        lambda @ b"apply lambdaExpr" => name.extend_from_slice(lambda),
        plain => list::push_element(&mut name, plain, false),
    }
    wrong_args(&name, &definition.usage())
}

fn bind_arguments(definition: &Proc, words: &[Value]) -> Outcome<VarTable> {
    let mut vars = VarTable::default();
    let given = &words[1..];
    let params = &definition.params;
    vars.reserve(params.len());
    let fixed = params.len() - usize::from(definition.variadic);
    if given.len() > fixed && !definition.variadic {
        return Err(wrong_call(definition, words));
    }
    for (at, param) in params[..fixed].iter().enumerate() {
        let value = match (given.get(at), &param.default) {
            (Some(value), _) => value.clone(),
            (None, Some(default)) => default.clone(),
            (None, None) => return Err(wrong_call(definition, words)),
        };
        // Of two parameters with one name the first counts.
        vars.entry(param.name.bytes().into())
            .or_insert_with(|| Var::scalar(value));
    }
    if definition.variadic {
        let rest = given.get(fixed..).unwrap_or_default().to_vec();
        vars.insert((&b"args"[..]).into(), Var::scalar(Value::list(rest)));
    }
    Ok(vars)
}

impl Proc {
    /// The arguments as `wrong # args` shows them.
    pub(in crate::modulefile::tcl) fn usage(&self) -> String {
        let mut words = Vec::new();
        for (at, param) in self.params.iter().enumerate() {
            let name = param.name.text();
            words.push(match &param.default {
                _ if self.variadic && at + 1 == self.params.len() => "?arg ...?".to_owned(),
                Some(_) => format!("?{name}?"),
                None => {
                    let mut word = Vec::new();
                    list::push_element(&mut word, param.name.bytes(), false);
                    String::from_utf8_lossy(&word).into_owned()
                }
            });
        }
        words.join(" ")
    }
}
