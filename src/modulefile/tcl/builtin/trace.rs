//! `trace`: scripts that are called when variables are used and when commands are renamed, deleted or run.
//!
//! Source: Tcl 8.6, `trace(n)`.

use std::rc::Rc;

use crate::modulefile::tcl::command::{ANY, Command, CommandTrace, Def, one_of};
use crate::modulefile::tcl::error::{Exit, Outcome};
use crate::modulefile::tcl::interp::Interp;
use crate::modulefile::tcl::list::join_elements;
use crate::modulefile::tcl::value::Value;
use crate::modulefile::tcl::var::{PRECISION_TRACE, VarName, VarTrace};

use super::event::WAIT_TRACE;

pub(super) static TABLE: &[Def] = &[Def::options("trace", "option ?arg ...?", SUBCOMMANDS)];

static SUBCOMMANDS: &[Def] = &[
    Def::new("add", "type ?arg ...?", 1, ANY, cmd_add),
    Def::new("info", "type name", 1, ANY, cmd_info),
    Def::new("remove", "type ?arg ...?", 1, ANY, cmd_remove),
    Def::new("variable", "name ops command", 3, 3, cmd_variable),
    Def::new("vdelete", "name ops command", 3, 3, cmd_vdelete),
    Def::new("vinfo", "name", 1, 1, cmd_vinfo),
];

/// What can be traced.
#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Command,
    Execution,
    Variable,
}

impl Kind {
    fn parse(word: &Value) -> Outcome<Kind> {
        let text = word.bytes();
        [
            ("execution", Kind::Execution),
            ("command", Kind::Command),
            ("variable", Kind::Variable),
        ]
        .into_iter()
        .find(|(name, _)| !text.is_empty() && name.as_bytes().starts_with(text))
        .map(|(_, kind)| kind)
        .ok_or_else(|| {
            let message = bytes!(
                "bad option \"",
                word,
                "\": must be execution, command, or variable"
            );
            Exit::coded(
                message,
                &[&b"TCL"[..], b"LOOKUP", b"INDEX", b"option", text],
            )
        })
    }

    fn operations(self) -> &'static [&'static str] {
        match self {
            Kind::Command => &["delete", "rename"],
            Kind::Execution => &["enter", "leave", "enterstep", "leavestep"],
            Kind::Variable => &["array", "read", "unset", "write"],
        }
    }
}

fn operations(kind: Kind, list: &Value) -> Outcome<Vec<&'static str>> {
    let known = kind.operations();
    let words = list.as_list()?;
    let mut chosen = Vec::new();
    for word in words.iter() {
        let Some(name) = known.iter().find(|name| name.as_bytes() == word.bytes()) else {
            let message = bytes!("bad operation \"", word, "\": must be ", one_of(known));
            return Err(Exit::coded(
                message,
                &[&b"TCL"[..], b"LOOKUP", b"INDEX", b"operation", word.bytes()],
            ));
        };
        if !chosen.contains(name) {
            chosen.push(*name);
        }
    }
    if chosen.is_empty() {
        let message = format!(
            "bad operation list \"\": must be one or more of {}",
            one_of(known)
        );
        return Err(Exit::coded(
            message,
            &["TCL", "OPERATION", "TRACE", "NOOPS"],
        ));
    }
    // `trace info` lists them in this order.
    chosen.sort_by_key(|name| known.iter().position(|other| other == name));
    Ok(chosen)
}

fn three<'a>(args: &'a [Value], what: &str) -> Outcome<(&'a Value, &'a Value, &'a Value)> {
    match args {
        [_, name, operations, script] => Ok((name, operations, script)),
        _ => {
            let kind = args[0].text();
            let message =
                format!("wrong # args: should be \"trace {what} {kind} name opList command\"");
            Err(Exit::coded(message, &["TCL", "WRONGARGS"]))
        }
    }
}

fn traced_command(interp: &mut Interp<'_>, name: &Value) -> Outcome<Rc<Command>> {
    interp.find_command(name.bytes()).ok_or_else(|| {
        let message = bytes!("unknown command \"", name, "\"");
        Exit::coded(message, &[&b"TCL"[..], b"LOOKUP", b"COMMAND", name.bytes()])
    })
}

fn cmd_add(interp: &mut Interp<'_>, args: &[Value]) -> Outcome {
    let kind = Kind::parse(&args[0])?;
    let (name, list, script) = three(args, "add")?;
    let operations = operations(kind, list)?;
    let script = script.clone();
    if kind == Kind::Variable {
        let var = interp.traced_variable(name.bytes())?;
        var.add_trace(VarTrace::new(operations, script));
    } else {
        let command = traced_command(interp, name)?;
        command.traces.borrow_mut().push(CommandTrace {
            operations,
            script,
            state: Rc::default(),
        });
    }
    Ok(Value::empty())
}

fn cmd_remove(interp: &mut Interp<'_>, args: &[Value]) -> Outcome {
    let kind = Kind::parse(&args[0])?;
    let (name, list, script) = three(args, "remove")?;
    let operations = operations(kind, list)?;
    if kind == Kind::Variable {
        if interp.find_var(VarName::parse(name.bytes()).name).is_some() {
            interp
                .link_target(name.bytes())?
                .remove_trace(&operations, script);
        }
    } else {
        let command = traced_command(interp, name)?;
        let mut traces = command.traces.borrow_mut();
        if let Some(at) = traces
            .iter()
            .rposition(|trace| trace.operations == operations && trace.script == *script)
        {
            traces.remove(at).state.removed.set(true);
        }
    }
    Ok(Value::empty())
}

fn cmd_info(interp: &mut Interp<'_>, args: &[Value]) -> Outcome {
    let row = |operations: &[&str], script: &Value| {
        let operations = operations.iter().map(|name| Value::from(*name)).collect();
        Value::list(vec![Value::list(operations), script.clone()])
    };
    let kind = Kind::parse(&args[0])?;
    if args.len() != 2 {
        let name = match kind {
            Kind::Command => "command",
            Kind::Execution => "execution",
            Kind::Variable => "variable",
        };
        let message = format!("wrong # args: should be \"trace info {name} name\"");
        return Err(Exit::coded(message, &["TCL", "WRONGARGS"]));
    }
    let rows = match kind {
        Kind::Variable => match interp.find_var(args[1].bytes()) {
            None if VarName::parse(args[1].bytes()).index.is_none() => Vec::new(),
            // What cannot have elements has none that are watched.
            _ => (interp.link_target(args[1].bytes()).map(|var| var.traces()))
                .unwrap_or_default()
                .iter()
                .filter(|trace| !is_own(&trace.script))
                .map(|trace| row(&trace.operations, &trace.script))
                .collect(),
        },
        kind => {
            let command = traced_command(interp, &args[1])?;
            let traces = command.traces.borrow();
            traces
                .iter()
                .rev()
                .filter(|trace| kind.operations().contains(&trace.operations[0]))
                .map(|trace| row(&trace.operations, &trace.script))
                .collect()
        }
    };
    Ok(Value::list(rows))
}

/// Whether a trace is one of the interpreter itself.
fn is_own(script: &Value) -> bool {
    script.bytes() == PRECISION_TRACE.as_bytes()
        || script.bytes().starts_with(WAIT_TRACE.as_bytes())
}

/// The letters of the old form of the command.
fn letters(word: &Value) -> Outcome<Vec<&'static str>> {
    let fail = || {
        let message = bytes!(
            "bad operations \"",
            word,
            "\": should be one or more of rwua"
        );
        Exit::coded(message, &["TCL", "OPERATION", "TRACE", "BADOPS"])
    };
    let mut chosen = Vec::new();
    for letter in word.bytes() {
        chosen.push(match letter {
            b'r' => "read",
            b'w' => "write",
            b'u' => "unset",
            b'a' => "array",
            _ => return Err(fail()),
        });
    }
    if chosen.is_empty() {
        return Err(fail());
    }
    chosen.sort_unstable();
    chosen.dedup();
    Ok(chosen)
}

fn cmd_variable(interp: &mut Interp<'_>, args: &[Value]) -> Outcome {
    let trace = VarTrace::old_style(letters(&args[1])?, args[2].clone());
    interp.traced_variable(args[0].bytes())?.add_trace(trace);
    Ok(Value::empty())
}

fn cmd_vdelete(interp: &mut Interp<'_>, args: &[Value]) -> Outcome {
    interp
        .link_target(args[0].bytes())?
        .remove_trace(&letters(&args[1])?, &args[2]);
    Ok(Value::empty())
}

fn cmd_vinfo(interp: &mut Interp<'_>, args: &[Value]) -> Outcome {
    let rows = interp.link_target(args[0].bytes())?.traces();
    let rows = rows.iter().map(|trace| {
        let letters: String = ["read", "write", "unset", "array"]
            .into_iter()
            .filter(|name| trace.operations.contains(name))
            .map(|name| &name[..1])
            .collect();
        Value::list(vec![Value::from(letters), trace.script.clone()])
    });
    Ok(Value::list(rows.collect()))
}

impl Interp<'_> {
    /// Tells the traces of a command that it is renamed or deleted.
    pub(in crate::modulefile::tcl) fn fire_command_traces(
        &mut self,
        command: &Rc<Command>,
        old: &[u8],
        new: &[u8],
        operation: &'static str,
    ) {
        let traces = command.traces.borrow().clone();
        if traces.is_empty() {
            return;
        }
        for trace in traces
            .iter()
            .rev()
            .filter(|trace| trace.operations.contains(&operation))
        {
            let words = join_elements([old, new, operation.as_bytes()]);
            let script = bytes!(trace.script, " ", words);
            // Errors of these traces are not heard: Tcl's rule.
            let _ = self.eval(&Value::new(script));
        }
    }

    /// Calls a command that has traces.
    pub(in crate::modulefile::tcl) fn call_traced(
        &mut self,
        command: &Rc<Command>,
        words: &[Value],
    ) -> Outcome {
        let traces = command.traces.borrow().clone();
        let text = join_elements(words.iter().map(Value::bytes));
        for trace in traces.iter().rev() {
            self.tell_begin(trace, &text, "enter")?;
        }
        let watched = self.steps_watched.len();
        for trace in &traces {
            let steps = |name: &&str| matches!(*name, "enterstep" | "leavestep");
            let known = |other: &CommandTrace| Rc::ptr_eq(&other.state, &trace.state);
            // A command that calls itself is watched once.
            if !self.telling_step
                && trace.operations.iter().any(steps)
                && !self.steps_watched.iter().any(known)
            {
                self.steps_watched.push(trace.clone());
            }
        }
        let result = self.call_untraced(command, words);
        self.steps_watched.truncate(watched);
        // Those that were removed meanwhile are not told.
        let traces = command.traces.borrow().clone();
        let mut result = result;
        for trace in &traces {
            result = self.tell_end(trace, &text, result, "leave")?;
        }
        result
    }

    /// Calls a command while traces want to know of each step.
    pub(in crate::modulefile::tcl) fn call_stepped(
        &mut self,
        command: &Rc<Command>,
        words: &[Value],
    ) -> Outcome {
        let traces = self.steps_watched.clone();
        let text = join_elements(words.iter().map(Value::bytes));
        for trace in traces.iter().rev() {
            self.tell_begin(trace, &text, "enterstep")?;
        }
        let result = self.call_watched(command, words);
        let mut result = result;
        for trace in &traces {
            result = self.tell_end(trace, &text, result, "leavestep")?;
        }
        result
    }

    /// Tells a trace that a command begins.
    fn tell_begin(&mut self, trace: &CommandTrace, text: &[u8], what: &'static str) -> Outcome<()> {
        if !trace.operations.contains(&what) {
            return Ok(());
        }
        let arguments = join_elements([text, what.as_bytes()]);
        self.tell(trace, &arguments, what).map(|_| ())
    }

    /// Tells a trace how a command ended.
    fn tell_end(
        &mut self,
        trace: &CommandTrace,
        text: &[u8],
        result: Outcome,
        what: &'static str,
    ) -> Outcome<Outcome> {
        if !trace.operations.contains(&what) {
            return Ok(result);
        }
        let (code, value) = match &result {
            Ok(value) => (0, value.clone()),
            Err(Exit::Error(error)) => (1, error.message.clone()),
            Err(Exit::Stop(_)) => return Ok(result),
            Err(exit) => (exit.code().unwrap_or(0), Value::empty()),
        };
        let code = code.to_string();
        let arguments = join_elements([text, code.as_bytes(), value.bytes(), what.as_bytes()]);
        self.tell(trace, &arguments, what)?;
        Ok(result)
    }

    /// Calls the script of a trace; its own commands are no steps.
    fn tell(&mut self, trace: &CommandTrace, arguments: &[u8], what: &str) -> Outcome {
        if trace.state.removed.get() || trace.state.busy.get() {
            return Ok(Value::empty());
        }
        trace.state.busy.set(true);
        let steps = matches!(what, "enterstep" | "leavestep");
        let telling = self.telling_step;
        self.telling_step |= steps;
        let watched = std::mem::take(&mut self.steps_watched);
        let result = self.eval(&Value::new(bytes!(trace.script, " ", arguments)));
        self.steps_watched = watched;
        self.telling_step = telling;
        trace.state.busy.set(false);
        result
    }
}
