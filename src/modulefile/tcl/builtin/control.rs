//! Control structures: `if`, `while`, `for`, `foreach`, `lmap`, `break`, `continue`, `eval`, `expr`, `exit`, `unknown`.
//!
//! Source: Tcl 8.6, the manual page of each command.

use std::rc::Rc;

use crate::modulefile::tcl::command::{ANY, Def, Direct};
use crate::modulefile::tcl::error::{Error, Exit, Outcome, Stop};
use crate::modulefile::tcl::interp::{
    Interp, Style, expr_of, invalid_command, script_of, wrong_args,
};
use crate::modulefile::tcl::parse::{self, Script};
use crate::modulefile::tcl::value::Value;

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
    Def::new("eval", "arg ?arg ...?", 1, ANY, cmd_eval),
    Def::new("expr", "arg ?arg ...?", 1, ANY, cmd_expr)
        .with_direct(Direct::Both(direct_expr_small, direct_expr)),
    Def::new("unknown", "?command arg ...?", 0, ANY, |_, args| {
        Err(invalid_command(&args.first().cloned().unwrap_or_default()))
    }),
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

fn cmd_exit(_: &mut Interp<'_>, args: &[Value]) -> Outcome {
    let status = match args.first() {
        None => 0,
        Some(word) => super::expect_int(word)? as i32,
    };
    Err(Exit::Stop(Stop::Exit(status)))
}
