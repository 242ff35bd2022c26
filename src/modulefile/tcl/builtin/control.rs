//! Control structures, procs, errors: `if`, `while`, `for`, `foreach`, `switch`, `catch`, `try`, `proc`, `return`, ...
//!
//! Source: Tcl 8.6, the manual page of each command.

use std::rc::Rc;

use crate::modulefile::tcl::command::{ANY, CommandKind, Def, Direct, Param, Proc};
use crate::modulefile::tcl::error::{Error, Exit, Outcome, Return, Stop};
use crate::modulefile::tcl::interp::{
    Interp, Style, complete_return, expr_of, invalid_command, script_of, wrong_args,
};
use crate::modulefile::tcl::namespace::{GLOBAL, split_name};
use crate::modulefile::tcl::parse::{self, Script};
use crate::modulefile::tcl::value::{Dict, Key, Value};

pub(super) static TABLE: &[Def] = &[
    Def::new(
        "if",
        "condition ?then? body ?elseif ...? ?else? ?body?",
        0,
        ANY,
        cmd_if,
    ),
    Def::new("while", "test command", 2, 2, cmd_while),
    Def::new("for", "start test next command", 4, 4, cmd_for),
    Def::new(
        "foreach",
        "varList list ?varList list ...? command",
        3,
        ANY,
        cmd_foreach,
    ),
    Def::new(
        "lmap",
        "varList list ?varList list ...? command",
        3,
        ANY,
        cmd_lmap,
    ),
    Def::new("break", "", 0, 0, |_, _| Err(Exit::Break)),
    Def::new("continue", "", 0, 0, |_, _| Err(Exit::Continue)),
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
    Def::new("eval", "arg ?arg ...?", 1, ANY, cmd_eval),
    Def::new("expr", "arg ?arg ...?", 1, ANY, cmd_expr)
        .with_direct(Direct::Both(direct_expr_small, direct_expr)),
    Def::new("proc", "name args body", 3, 3, cmd_proc),
    Def::new("apply", "lambdaExpr ?arg ...?", 1, ANY, cmd_apply),
    Def::new("tailcall", "?command arg ...?", 0, ANY, cmd_tailcall),
    Def::new("unknown", "?command arg ...?", 0, ANY, |_, args| {
        Err(invalid_command(&args.first().cloned().unwrap_or_default()))
    }),
    Def::new("rename", "oldName newName", 2, 2, cmd_rename),
    Def::new("exit", "?returnCode?", 0, 1, cmd_exit),
];

/// Adds `("WHAT" body line N)` unless the body counts as compiled in place.
fn body_line(error: &mut Error, what: &str, style: Style) {
    if style != Style::Inline {
        error.add_info(format!("\n    (\"{what}\" body line {})", error.line));
    }
}

fn cmd_if(interp: &mut Interp<'_>, args: &[Value]) -> Outcome {
    let style = interp.body_style();
    let missing = |what: &str, after: &[u8]| {
        let message = bytes!("wrong # args: no ", what, " \"", after, "\" argument");
        Exit::coded(message, &["TCL", "WRONGARGS"])
    };
    let mut at = 0;
    loop {
        let before: &[u8] = if at == 0 { b"if" } else { args[at - 1].bytes() };
        let Some(condition) = args.get(at) else {
            return Err(missing("expression after", before));
        };
        let truth = interp.condition(condition)?;
        at += 1;
        if args.get(at).is_some_and(|word| word.bytes() == b"then") {
            at += 1;
        }
        let Some(body) = args.get(at) else {
            return Err(missing("script following", args[at - 1].bytes()));
        };
        if truth {
            check_rest(&args[at + 1..])?;
            return interp.eval_body(body, style);
        }
        at += 1;
        match args.get(at).map(Value::bytes) {
            None => return Ok(Value::empty()),
            Some(b"elseif") => at += 1,
            Some(word) => {
                if word == b"else" {
                    at += 1;
                }
                let Some(body) = args.get(at) else {
                    return Err(missing("script following", args[at - 1].bytes()));
                };
                if at + 1 < args.len() {
                    let message =
                        "wrong # args: extra words after \"else\" clause in \"if\" command";
                    return Err(Exit::coded(message, &["TCL", "WRONGARGS"]));
                }
                return interp.eval_body(body, style);
            }
        }
    }
}

/// Refuses clauses after the one that is run, as Tcl does before it runs it.
fn check_rest(mut rest: &[Value]) -> Outcome<()> {
    let fail = |message: Vec<u8>| Err(Exit::coded(message, &["TCL", "WRONGARGS"]));
    while let Some((word, after)) = rest.split_first() {
        if word.bytes() != b"elseif" {
            let body = if word.bytes() == b"else" { after } else { rest };
            return match body {
                [] => fail(bytes!(
                    "wrong # args: no script following \"else\" argument"
                )),
                [_] => Ok(()),
                _ => fail(bytes!(
                    "wrong # args: extra words after \"else\" clause in \"if\" command"
                )),
            };
        }
        let Some((condition, after)) = after.split_first() else {
            return fail(bytes!(
                "wrong # args: no expression after \"elseif\" argument"
            ));
        };
        let (last, after) = match after.split_first() {
            Some((then, after)) if then.bytes() == b"then" => (then, after),
            _ => (condition, after),
        };
        match after.split_first() {
            Some((_, after)) => rest = after,
            None => {
                return fail(bytes!(
                    "wrong # args: no script following \"",
                    last,
                    "\" argument"
                ));
            }
        }
    }
    Ok(())
}

/// The body of a loop, looked up once.
enum Body {
    Script(Rc<Script>),
    List(Value),
}

impl Body {
    fn new(value: &Value) -> Body {
        if value.is_pure_list() {
            return Body::List(value.clone());
        }
        Body::Script(script_of(value))
    }

    fn run(&self, interp: &mut Interp<'_>, style: Style) -> Outcome {
        match self {
            Body::Script(script) => interp.run_body(script, style),
            Body::List(list) => interp.eval_list(list),
        }
    }
}

/// What a loop does after a round.
enum Round {
    Next,
    Leave,
}

fn after_round(exit: Exit, what: &str, style: Style) -> Outcome<Round> {
    match exit {
        Exit::Continue => Ok(Round::Next),
        Exit::Break => Ok(Round::Leave),
        Exit::Error(mut error) => {
            body_line(&mut error, what, style);
            Err(Exit::Error(error))
        }
        other => Err(other),
    }
}

fn cmd_while(interp: &mut Interp<'_>, args: &[Value]) -> Outcome {
    let style = interp.body_style();
    let (test, body) = (expr_of(&args[0]), Body::new(&args[1]));
    while test.truth(interp)? {
        interp.step()?;
        if let Err(exit) = body.run(interp, style)
            && let Round::Leave = after_round(exit, "while", style)?
        {
            break;
        }
    }
    Ok(Value::empty())
}

fn cmd_for(interp: &mut Interp<'_>, args: &[Value]) -> Outcome {
    let style = interp.body_style();
    if let Err(exit) = interp.eval_body(&args[0], style) {
        return Err(match exit {
            Exit::Error(mut error) => {
                if style != Style::Inline {
                    error.add_info("\n    (\"for\" initial command)");
                }
                Exit::Error(error)
            }
            other => other,
        });
    }
    let (test, body, next) = (expr_of(&args[1]), Body::new(&args[3]), Body::new(&args[2]));
    while test.truth(interp)? {
        interp.step()?;
        if let Err(exit) = body.run(interp, style)
            && let Round::Leave = after_round(exit, "for", style)?
        {
            break;
        }
        match next.run(interp, style) {
            Ok(_) => {}
            Err(Exit::Break) => break,
            Err(Exit::Error(mut error)) => {
                if style != Style::Inline {
                    error.add_info("\n    (\"for\" loop-end command)");
                }
                return Err(Exit::Error(error));
            }
            Err(other) => return Err(other),
        }
    }
    Ok(Value::empty())
}

fn cmd_foreach(interp: &mut Interp<'_>, args: &[Value]) -> Outcome {
    each(interp, args, "foreach", |_| {})?;
    Ok(Value::empty())
}

fn cmd_lmap(interp: &mut Interp<'_>, args: &[Value]) -> Outcome {
    let mut results = Vec::new();
    each(interp, args, "lmap", |value| results.push(value))?;
    Ok(Value::list(results))
}

/// The loop of `foreach` and `lmap`: the results of complete rounds go to `collect`.
fn each(
    interp: &mut Interp<'_>,
    args: &[Value],
    name: &str,
    mut collect: impl FnMut(Value),
) -> Outcome<()> {
    let style = interp.loop_style();
    if args.len().is_multiple_of(2) {
        return Err(wrong_args(
            name.as_bytes(),
            "varList list ?varList list ...? command",
        ));
    }
    let (body, pairs) = args.split_last().expect("at least three arguments");
    let mut columns = Vec::new();
    let mut rounds = 0;
    for pair in pairs.chunks_exact(2) {
        let names = pair[0].as_list()?;
        if names.is_empty() {
            let message = format!("{name} varlist is empty");
            let code = ["TCL", "OPERATION", &name.to_uppercase(), "NEEDVARS"];
            return Err(Exit::coded(message, &code));
        }
        let values = pair[1].as_list()?;
        rounds = rounds.max(values.len().div_ceil(names.len()));
        columns.push((names, values));
    }
    let body = Body::new(body);
    for round in 0..rounds {
        interp.step()?;
        for (names, values) in &columns {
            for (at, variable) in names.iter().enumerate() {
                let value = values
                    .get(round * names.len() + at)
                    .cloned()
                    .unwrap_or_default();
                interp
                    .set_word(variable, value)
                    .map_err(|exit| match exit {
                        Exit::Error(mut error) => {
                            error.add_info(bytes!(
                                "\n    (setting ",
                                name,
                                " loop variable \"",
                                variable,
                                "\")"
                            ));
                            Exit::Error(error)
                        }
                        other => other,
                    })?;
            }
        }
        match body.run(interp, style) {
            Ok(value) => collect(value),
            Err(exit) => {
                if let Round::Leave = after_round(exit, name, style)? {
                    break;
                }
            }
        }
    }
    Ok(())
}

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

fn cmd_eval(interp: &mut Interp<'_>, args: &[Value]) -> Outcome {
    let result = match args {
        [script] => interp.eval(script),
        _ => interp.eval(&super::lists::concat(args)),
    };
    match result {
        Err(Exit::Error(mut error)) => {
            error.add_info(format!("\n    (\"eval\" body line {})", error.line));
            Err(Exit::Error(error))
        }
        other => other,
    }
}

fn cmd_expr(interp: &mut Interp<'_>, args: &[Value]) -> Outcome {
    match args {
        [expression] => interp.expr(expression),
        _ => interp.expr(&super::lists::concat(args)),
    }
}

/// An expression over small integers.
fn direct_expr_small(interp: &mut Interp<'_>, command: &parse::Command) -> Option<Value> {
    match &*command.words {
        [_, expression] => expression.constant()?.expr_form()?.small_value(interp),
        _ => None,
    }
}

fn direct_expr(interp: &mut Interp<'_>, command: &parse::Command) -> Option<Outcome> {
    match &*command.words {
        [_, expression] => Some(interp.expr(expression.constant()?)),
        _ => None,
    }
}

/// Reads the parameters and the body of a proc or of a lambda.
pub(in crate::modulefile::tcl) fn make_proc(params: &Value, body: &Value) -> Outcome<Proc> {
    let fail = |message: Vec<u8>, code: &[&str]| Exit::coded(message, code);
    let mut list = Vec::new();
    for spec in params.as_list()?.iter() {
        let fields = spec.as_list()?;
        let (param, default) = match &fields[..] {
            [param] => (param, None),
            [param, default] => (param, Some(default.clone())),
            [] => {
                return Err(fail(
                    bytes!("argument with no name"),
                    &["TCL", "OPERATION", "PROC", "FORMALARGUMENTFORMAT"],
                ));
            }
            _ => {
                return Err(fail(
                    bytes!("too many fields in argument specifier \"", spec, "\""),
                    &["TCL", "OPERATION", "PROC", "FORMALARGUMENTFORMAT"],
                ));
            }
        };
        if param.is_empty() {
            return Err(fail(
                bytes!("argument with no name"),
                &["TCL", "OPERATION", "PROC", "FORMALARGUMENTFORMAT"],
            ));
        }
        let text = param.bytes();
        if text.last() == Some(&b')') && text.contains(&b'(') {
            return Err(fail(
                bytes!("formal parameter \"", param, "\" is an array element"),
                &["TCL", "OPERATION", "PROC", "FORMALARGUMENTFORMAT"],
            ));
        }
        if text.windows(2).any(|pair| pair == b"::") {
            return Err(fail(
                bytes!("formal parameter \"", param, "\" is not a simple name"),
                &["TCL", "OPERATION", "PROC", "FORMALARGUMENTFORMAT"],
            ));
        }
        list.push(Param {
            name: param.clone(),
            default,
        });
    }
    let variadic = list
        .last()
        .is_some_and(|param: &Param| param.name.bytes() == b"args");
    Ok(Proc {
        params: list,
        variadic,
        body: body.clone(),
    })
}

fn cmd_proc(interp: &mut Interp<'_>, args: &[Value]) -> Outcome {
    let name = args[0].bytes();
    let (qualifier, tail) = split_name(name);
    let current = interp.current_namespace();
    let namespace = match qualifier {
        None => current,
        Some(qualifier) => {
            let start = if name.starts_with(b"::") {
                GLOBAL
            } else {
                current
            };
            interp.find_namespace(qualifier, start).ok_or_else(|| {
                let message = bytes!("can't create procedure \"", name, "\": unknown namespace");
                Exit::coded(message, &["TCL", "VALUE", "COMMAND"])
            })?
        }
    };
    let definition = make_proc(&args[1], &args[2]).map_err(|exit| match exit {
        Exit::Error(mut error) => {
            error.add_info(bytes!("\n    (creating proc \"", name, "\")"));
            Exit::Error(error)
        }
        other => other,
    })?;
    interp.define_command(namespace, tail, CommandKind::Proc(Rc::new(definition)));
    Ok(Value::empty())
}

fn cmd_apply(interp: &mut Interp<'_>, args: &[Value]) -> Outcome {
    let lambda = &args[0];
    let not_lambda = || {
        let message = bytes!("can't interpret \"", lambda, "\" as a lambda expression");
        Exit::coded(message, &["TCL", "VALUE", "LAMBDA"])
    };
    let parts = lambda.as_list_of_literals().map_err(|_| not_lambda())?;
    let (params, body, namespace) = match &parts[..] {
        [params, body] => (params, body, None),
        [params, body, namespace] => (params, body, Some(namespace)),
        _ => return Err(not_lambda()),
    };
    let definition = make_proc(params, body).map_err(|exit| match exit {
        Exit::Error(mut error) => {
            error.add_info(bytes!("\n    (parsing lambda expression \"", lambda, "\")"));
            Exit::Error(error)
        }
        other => other,
    })?;
    let namespace = match namespace {
        None => GLOBAL,
        Some(name) => {
            let absolute = bytes!("::", name);
            interp.find_namespace(&absolute, GLOBAL).ok_or_else(|| {
                let message = bytes!("namespace \"", list_name(name.bytes()), "\" not found");
                Exit::coded(
                    message,
                    &[
                        &b"TCL"[..],
                        b"LOOKUP",
                        b"NAMESPACE",
                        &list_name(name.bytes()),
                    ],
                )
            })?
        }
    };
    interp.call_lambda(namespace, definition, args)
}

/// The absolute form of a namespace name for a message.
fn list_name(name: &[u8]) -> Vec<u8> {
    if name.starts_with(b"::") {
        name.to_vec()
    } else {
        bytes!("::", name)
    }
}

fn cmd_tailcall(interp: &mut Interp<'_>, args: &[Value]) -> Outcome {
    if !interp.frame().is_proc() {
        return Err(Exit::coded(
            "tailcall can only be called from a proc, lambda or method",
            &["TCL", "TAILCALL", "ILLEGAL"],
        ));
    }
    interp.tailcall(args)
}

fn cmd_rename(interp: &mut Interp<'_>, args: &[Value]) -> Outcome {
    interp.rename_command(args[0].bytes(), args[1].bytes())?;
    Ok(Value::empty())
}

fn cmd_exit(_: &mut Interp<'_>, args: &[Value]) -> Outcome {
    let status = match args.first() {
        None => 0,
        Some(word) => super::expect_int(word)? as i32,
    };
    Err(Exit::Stop(Stop::Exit(status)))
}
