//! Procs: `proc`, `apply`, `tailcall`, `rename`.
//!
//! Source: Tcl 8.6, the manual page of each command.

use std::rc::Rc;

use crate::modulefile::tcl::command::{ANY, CommandKind, Def, Param, Proc};
use crate::modulefile::tcl::error::{Exit, Outcome};
use crate::modulefile::tcl::interp::Interp;
use crate::modulefile::tcl::namespace::GLOBAL;
use crate::modulefile::tcl::value::Value;

pub(super) static TABLE: &[Def] = &[
    Def::new("proc", "name args body", 3, 3, cmd_proc),
    Def::new("apply", "lambdaExpr ?arg ...?", 1, ANY, cmd_apply),
    Def::new("tailcall", "?command arg ...?", 0, ANY, cmd_tailcall),
    Def::new("rename", "oldName newName", 2, 2, cmd_rename),
];

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
    let place = interp.resolve_qualified(name, interp.current_namespace());
    let (namespace, tail) = place.ok_or_else(|| {
        let message = bytes!("can't create procedure \"", name, "\": unknown namespace");
        Exit::coded(message, &["TCL", "VALUE", "COMMAND"])
    })?;
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
