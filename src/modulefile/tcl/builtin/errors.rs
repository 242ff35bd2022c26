//! Errors and other ways out: `return`, `error`, `throw`, `catch`, `try`.
//!
//! Source: Tcl 8.6, the manual page of each command.

use std::rc::Rc;

use crate::modulefile::tcl::command::{ANY, Def};
use crate::modulefile::tcl::error::{Error, Exit, Outcome, Return};
use crate::modulefile::tcl::interp::{Interp, Style, complete_return};
use crate::modulefile::tcl::value::{Dict, Key, Value};

pub(super) static TABLE: &[Def] = &[
    Def::new(
        "return",
        "?-code code? ?-level n? ?result?",
        0,
        ANY,
        cmd_return,
    ),
    Def::new("error", "message ?errorInfo? ?errorCode?", 1, 3, cmd_error),
    Def::new("throw", "type message", 2, 2, cmd_throw),
    Def::new(
        "catch",
        "script ?resultVarName? ?optionVarName?",
        1,
        3,
        cmd_catch,
    ),
    Def::new(
        "try",
        "body ?handler ...? ?finally script?",
        1,
        ANY,
        cmd_try,
    ),
];

fn return_code(word: &Value) -> Outcome<i32> {
    Ok(match word.bytes() {
        b"ok" => 0,
        b"error" => 1,
        b"return" => 2,
        b"break" => 3,
        b"continue" => 4,
        _ => match word.as_int().map(i32::try_from) {
            Some(Ok(code)) => code,
            _ => {
                let message = bytes!(
                    "bad completion code \"",
                    word,
                    "\": must be ok, error, return, break, continue, or an integer"
                );
                return Err(Exit::coded(message, &["TCL", "RESULT", "ILLEGAL_CODE"]));
            }
        },
    })
}

/// Reads return options in pairs.
pub(super) fn return_options(pairs: &[Value]) -> Outcome<Return> {
    let mut returning = Return {
        value: Value::empty(),
        code: 0,
        level: 1,
        options: Vec::new(),
        tail: None,
    };
    for pair in pairs.chunks_exact(2) {
        let (name, value) = (&pair[0], &pair[1]);
        match name.bytes() {
            b"-code" => returning.code = return_code(value)?,
            b"-level" => match value.as_int().map(usize::try_from) {
                Some(Ok(level)) => returning.level = level,
                _ => {
                    let message = bytes!(
                        "bad -level value: expected non-negative integer but got \"",
                        value,
                        "\""
                    );
                    return Err(Exit::coded(message, &["TCL", "RESULT", "ILLEGAL_LEVEL"]));
                }
            },
            b"-options" => {
                let Ok(options) = value.as_dict() else {
                    let message = bytes!(
                        "bad -options value: expected dictionary but got \"",
                        value,
                        "\""
                    );
                    return Err(Exit::coded(message, &["TCL", "RESULT", "ILLEGAL_OPTIONS"]));
                };
                let flat: Vec<Value> = options
                    .iter()
                    .flat_map(|(k, v)| [k.0.clone(), v.clone()])
                    .collect();
                let inner = return_options(&flat)?;
                let explicit = |option: &[u8]| options.contains_key(option);
                if explicit(b"-code") {
                    returning.code = inner.code;
                }
                if explicit(b"-level") {
                    returning.level = inner.level;
                }
                for (name, value) in inner.options {
                    set_option(&mut returning.options, name, value);
                }
            }
            b"-errorcode" if value.as_list().is_err() => {
                let message = bytes!(
                    "bad -errorcode value: expected a list but got \"",
                    value,
                    "\""
                );
                return Err(Exit::coded(
                    message,
                    &["TCL", "RESULT", "ILLEGAL_ERRORCODE"],
                ));
            }
            b"-errorstack" if value.as_list().is_err() => {
                let message = bytes!(
                    "bad -errorstack value: expected a list but got \"",
                    value,
                    "\""
                );
                return Err(Exit::coded(
                    message,
                    &["TCL", "RESULT", "NONLIST_ERRORSTACK"],
                ));
            }
            _ => set_option(&mut returning.options, name.clone(), value.clone()),
        }
    }
    // `-code return` is one more level of plain return.
    if returning.code == 2 {
        returning.code = 0;
        returning.level += 1;
    }
    Ok(returning)
}

fn set_option(options: &mut Vec<(Value, Value)>, name: Value, value: Value) {
    match options.iter_mut().find(|(known, _)| *known == name) {
        Some((_, slot)) => *slot = value,
        None => options.push((name, value)),
    }
}

fn cmd_return(_: &mut Interp<'_>, args: &[Value]) -> Outcome {
    let (pairs, value) = match args.len() % 2 {
        0 => (args, Value::empty()),
        _ => (&args[..args.len() - 1], args[args.len() - 1].clone()),
    };
    let mut returning = return_options(pairs)?;
    returning.value = value;
    if returning.level == 0 {
        return complete_return(Box::new(returning));
    }
    Err(Exit::Return(Box::new(returning)))
}

fn cmd_error(_: &mut Interp<'_>, args: &[Value]) -> Outcome {
    let mut error = Error::new(args[0].clone());
    if let Some(info) = args.get(1) {
        error.info = info.bytes().to_vec();
        error.logged = !info.is_empty();
    }
    for (name, value) in ["-errorinfo", "-errorcode"].into_iter().zip(&args[1..]) {
        error.options.push((Value::from(name), value.clone()));
    }
    if let Some(code) = args.get(2) {
        error.code = code.clone();
    }
    Err(error.into())
}

fn cmd_throw(_: &mut Interp<'_>, args: &[Value]) -> Outcome {
    if args[0].as_list()?.is_empty() {
        return Err(Exit::coded(
            "type must be non-empty list",
            &["TCL", "OPERATION", "THROW", "BADEXCEPTION"],
        ));
    }
    let mut error = Error::new(args[1].clone());
    error.code = args[0].clone();
    error
        .options
        .push((Value::from("-errorcode"), args[0].clone()));
    Err(error.into())
}

/// How an evaluation ended, as `catch` and `try` see it.
pub(super) struct Caught {
    code: i32,
    pub(super) value: Value,
    pub(super) options: Dict,
}

/// Sorts out the end of an evaluation; a stop goes on.
pub(super) fn caught(interp: &mut Interp<'_>, result: Outcome) -> Outcome<Caught> {
    let mut options = Dict::default();
    let mut put = |name: &str, value: Value| {
        options.insert(Key(Value::from(name)), value);
    };
    let (code, value) = match result {
        Ok(value) => {
            put("-code", Value::int(0));
            put("-level", Value::int(0));
            (0, value)
        }
        Err(Exit::Error(error)) => {
            interp.publish(&error);
            interp.state.error_stack = Value::list(error.stack.clone());
            // What the script gave comes first.
            for (name, value) in &error.options {
                options.insert(Key(name.clone()), value.clone());
            }
            for (name, value) in [
                ("-code", Value::int(1)),
                ("-level", Value::int(0)),
                ("-errorstack", Value::list(error.stack.clone())),
                ("-errorcode", error.code.clone()),
                ("-errorinfo", Value::new(error.info())),
                ("-errorline", Value::int(error.line as i64)),
            ] {
                options.insert(Key(Value::from(name)), value);
            }
            (1, error.message)
        }
        Err(Exit::Return(returning)) => {
            put("-code", Value::int(i64::from(returning.code)));
            put("-level", Value::int(returning.level as i64));
            for (name, value) in &returning.options {
                options.insert(Key(name.clone()), value.clone());
            }
            (2, returning.value)
        }
        Err(Exit::Other(other)) => {
            put("-code", Value::int(i64::from(other.code)));
            put("-level", Value::int(0));
            for (name, value) in &other.options {
                options.insert(Key(name.clone()), value.clone());
            }
            (other.code, other.value)
        }
        Err(exit @ (Exit::Break | Exit::Continue)) => {
            let code = if matches!(exit, Exit::Break) { 3 } else { 4 };
            put("-code", Value::int(code));
            put("-level", Value::int(0));
            (code as i32, Value::empty())
        }
        Err(end @ (Exit::Stop(_) | Exit::Tail(_))) => return Err(end),
    };
    Ok(Caught {
        code,
        value,
        options,
    })
}

fn cmd_catch(interp: &mut Interp<'_>, args: &[Value]) -> Outcome {
    let style = interp.body_style();
    let result = interp.eval_body(&args[0], style);
    let caught = caught(interp, result)?;
    if let Some(name) = args.get(1) {
        interp.set_word(name, caught.value)?;
    }
    if let Some(name) = args.get(2) {
        interp.set_word(name, Value::dict(caught.options))?;
    }
    Ok(Value::int(i64::from(caught.code)))
}

/// A clause of `try`.
struct Handler<'a> {
    test: Test,
    variables: Rc<Vec<Value>>,
    body: &'a Value,
    label: &'static str,
}

enum Test {
    Code(i32),
    Trap(Rc<Vec<Value>>),
}

fn cmd_try(interp: &mut Interp<'_>, args: &[Value]) -> Outcome {
    let style = interp.loop_style();
    let (handlers, finally) = try_clauses(&args[1..])?;
    let result = interp.eval_body(&args[0], style);
    let result = match finally {
        // What the body left is put back after `finally` as it was.
        Some(_) => as_logged(result),
        None => add_try_line(result, "body", style),
    };
    let result = match handle(interp, result, &handlers, style) {
        Err(stop @ Exit::Stop(_)) => return Err(stop),
        other => other,
    };
    let Some(finally) = finally else {
        return result;
    };
    match interp.eval_body(finally, style) {
        Ok(_) => result,
        failed => add_try_line(failed, "finally", style).map_err(|exit| match (exit, result) {
            (Exit::Error(mut error), during) => {
                if let Ok(during) = caught(interp, during) {
                    error
                        .options
                        .push((Value::from("-during"), Value::dict(during.options)));
                }
                Exit::Error(error)
            }
            (other, _) => other,
        }),
    }
}

fn add_try_line(result: Outcome, what: &str, style: Style) -> Outcome {
    match result {
        Err(Exit::Error(mut error)) if style != Style::Inline => {
            error.add_info(match what {
                "body" | "finally" => format!("\n    (\"try\" {what} line {})", error.line),
                _ => format!("\n    (\"try ... {what}\" handler line {})", error.line),
            });
            Err(Exit::Error(error))
        }
        other => other,
    }
}

fn try_clauses(mut words: &[Value]) -> Outcome<(Vec<Handler<'_>>, Option<&Value>)> {
    let fail = |message: String, what: &[&str]| {
        Exit::coded(message, &[&["TCL", "OPERATION", "TRY"], what].concat())
    };
    let mut handlers = Vec::new();
    while let Some((kind, rest)) = words.split_first() {
        let kind_name = [&b"finally"[..], b"on", b"trap"]
            .into_iter()
            .find(|name| !kind.is_empty() && name.starts_with(kind.bytes()));
        let test = match kind_name {
            Some(b"finally") => {
                return match rest {
                    [script] => {
                        fallthrough_checked(&handlers)?;
                        Ok((handlers, Some(script)))
                    }
                    [] => Err(fail(
                        "wrong # args to finally clause: must be \"... finally script\"".to_owned(),
                        &["FINALLY", "ARGUMENT"],
                    )),
                    _ => Err(fail(
                        "finally clause must be last".to_owned(),
                        &["FINALLY", "NONTERMINAL"],
                    )),
                };
            }
            Some(name) => {
                let name = String::from_utf8_lossy(name);
                if rest.len() < 3 {
                    let first = if name == "on" { "code" } else { "pattern" };
                    let message = format!(
                        "wrong # args to {name} clause: must be \"... {name} {first} variableList script\""
                    );
                    return Err(fail(
                        message,
                        if name == "on" {
                            &["ON", "ARGUMENT"]
                        } else {
                            &["TRAP", "ARGUMENT"]
                        },
                    ));
                }
                match name.as_ref() {
                    "on" => Test::Code(return_code(&rest[0])?),
                    _ => {
                        let Ok(pattern) = rest[0].as_list() else {
                            let message = bytes!("bad prefix '", rest[0], "': must be a list");
                            return Err(Exit::coded(
                                message,
                                &["TCL", "OPERATION", "TRY", "TRAP", "EXNFORMAT"],
                            ));
                        };
                        Test::Trap(pattern)
                    }
                }
            }
            None => {
                let message = bytes!(
                    "bad handler type \"",
                    kind,
                    "\": must be finally, on, or trap"
                );
                return Err(Exit::coded(
                    message,
                    &[
                        &b"TCL"[..],
                        b"LOOKUP",
                        b"INDEX",
                        b"handler type",
                        kind.bytes(),
                    ],
                ));
            }
        };
        let label = match &test {
            Test::Code(_) => "on",
            Test::Trap(..) => "trap",
        };
        handlers.push(Handler {
            test,
            variables: rest[1].as_list()?,
            body: &rest[2],
            label,
        });
        words = &rest[3..];
    }
    fallthrough_checked(&handlers)?;
    Ok((handlers, None))
}

fn fallthrough_checked(handlers: &[Handler<'_>]) -> Outcome<()> {
    match handlers.last() {
        Some(last) if last.body.bytes() == b"-" => Err(Exit::coded(
            "last non-finally clause must not have a body of \"-\"",
            &["TCL", "OPERATION", "TRY", "BADFALLTHROUGH"],
        )),
        _ => Ok(()),
    }
}

fn handle(
    interp: &mut Interp<'_>,
    result: Outcome,
    handlers: &[Handler<'_>],
    style: Style,
) -> Outcome {
    let code = match &result {
        Ok(_) => 0,
        Err(exit) => match exit.code() {
            Some(code) => code,
            None => return result,
        },
    };
    let matching = handlers.iter().position(|handler| match &handler.test {
        Test::Code(wanted) => *wanted == code,
        Test::Trap(pattern) => match &result {
            Err(Exit::Error(error)) => error
                .code
                .as_list()
                .is_ok_and(|words| words.starts_with(pattern)),
            _ => false,
        },
    });
    let Some(at) = matching else { return result };
    let handler = &handlers[at];
    let seen = caught(interp, result)?;
    let during = seen.options.clone();
    let is_error = seen.code == 1;
    let values = [seen.value, Value::dict(seen.options)];
    for (name, value) in handler.variables.iter().zip(values) {
        interp.set_var(name.bytes(), value)?;
    }
    let body = handlers[at..]
        .iter()
        .find(|handler| handler.body.bytes() != b"-");
    let Some(body) = body else {
        return Ok(Value::empty());
    };
    let result = interp.eval_body(body.body, style);
    match add_try_line(result, handler.label, style) {
        Err(Exit::Error(mut error)) => {
            error
                .options
                .push((Value::from("-during"), Value::dict(during)));
            let result = Err(Exit::Error(error));
            if is_error { as_logged(result) } else { result }
        }
        other => other,
    }
}

/// Marks an error as told already: the command that passes it on adds nothing to `errorInfo`.
fn as_logged(mut result: Outcome) -> Outcome {
    if let Err(Exit::Error(error)) = &mut result {
        error.logged = true;
    }
    result
}
