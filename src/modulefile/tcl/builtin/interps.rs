//! `interp` with its sub-commands, and the commands that stand for children.
//!
//! Source: Tcl 8.6, `interp(n)`.

use std::rc::Rc;

use crate::modulefile::tcl::command::{ANY, Alias, Command, CommandKind, Def};
use crate::modulefile::tcl::error::{Exit, Outcome};
use crate::modulefile::tcl::interp::{Interp, wrong_args};
use crate::modulefile::tcl::namespace::{GLOBAL, split_name};
use crate::modulefile::tcl::realm::{Cancel, RealmId};
use crate::modulefile::tcl::value::Value;

use super::{choice, expect_bool, expect_int, lists};

pub(super) static TABLE: &[Def] = &[Def::options("interp", "cmd ?arg ...?", INTERP)];

static INTERP: &[Def] = &[
    Def::new(
        "alias",
        "slavePath slaveCmd ?masterPath masterCmd? ?arg ...?",
        2,
        ANY,
        |interp, args| {
            let realm = interp.realm_at(&args[0])?;
            match &args[1..] {
                [name] => alias_words(interp, realm, name),
                [name, empty] if empty.is_empty() => delete_alias(interp, realm, name),
                [name, target, words @ ..] if !words.is_empty() => {
                    let target = interp.realm_at(target)?;
                    make_alias(interp, realm, name, target, words)
                }
                _ => Err(wrong_args(
                    b"interp alias",
                    "slavePath slaveCmd ?masterPath masterCmd? ?arg ...?",
                )),
            }
        },
    ),
    Def::new("aliases", "?path?", 0, 1, |interp, args| {
        on_optional(interp, args, aliases)
    }),
    Def::new("bgerror", "path ?cmdPrefix?", 1, 2, |interp, args| {
        on(interp, args, background)
    }),
    Def::new("cancel", "?-unwind? ?--? ?path? ?result?", 0, 4, cancel),
    Def::new("children", "?path?", 0, 1, children),
    Def::new("create", "?-safe? ?--? ?path?", 0, ANY, create),
    Def::new("debug", "path ?-frame ?bool??", 1, 3, |interp, args| {
        on(interp, args, debug)
    }),
    Def::new("delete", "?path ...?", 0, ANY, delete),
    Def::new("eval", "path arg ?arg ...?", 2, ANY, |interp, args| {
        on(interp, args, eval)
    }),
    Def::new("exists", "?path?", 0, 1, |interp, args| {
        let found = match args.first() {
            Some(path) => interp.realm_at(path).is_ok(),
            None => true,
        };
        Ok(Value::bool(found))
    }),
    Def::new(
        "expose",
        "path hiddenCmdName ?cmdName?",
        2,
        3,
        |interp, args| on(interp, args, expose),
    ),
    Def::new(
        "hide",
        "path cmdName ?hiddenCmdName?",
        2,
        3,
        |interp, args| on(interp, args, hide),
    ),
    Def::new("hidden", "?path?", 0, 1, |interp, args| {
        on_optional(interp, args, hidden)
    }),
    Def::new("issafe", "?path?", 0, 1, |interp, args| {
        on_optional(interp, args, is_safe)
    }),
    Def::new(
        "invokehidden",
        "path ?-namespace ns? ?-global? ?--? cmd ?arg ..?",
        2,
        ANY,
        |interp, args| on(interp, args, invoke_hidden),
    ),
    Def::new(
        "limit",
        "path limitType ?-option value ...?",
        2,
        ANY,
        |interp, args| on(interp, args, limit),
    ),
    Def::new("marktrusted", "path", 1, 1, |interp, args| {
        on(interp, args, mark_trusted)
    }),
    Def::new("recursionlimit", "path ?newlimit?", 1, 2, |interp, args| {
        on(interp, args, recursion_limit)
    }),
    Def::new("slaves", "?path?", 0, 1, children),
    Def::new(
        "share",
        "srcPath channelId destPath",
        3,
        3,
        |interp, args| pass_channel(interp, args, true),
    ),
    Def::new("target", "path alias", 2, 2, target),
    Def::new(
        "transfer",
        "srcPath channelId destPath",
        3,
        3,
        |interp, args| pass_channel(interp, args, false),
    ),
];

/// A sub-command of the command that stands for a child.
struct Sub {
    name: &'static str,
    usage: &'static str,
    least: usize,
    most: usize,
    run: RunOn,
}

/// What is done to one interpreter.
type RunOn = fn(&mut Interp<'_>, RealmId, &[Value]) -> Outcome;

const fn sub(
    name: &'static str,
    usage: &'static str,
    least: usize,
    most: usize,
    run: RunOn,
) -> Sub {
    Sub {
        name,
        usage,
        least,
        most,
        run,
    }
}

static CHILD: [Sub; 13] = [
    sub(
        "alias",
        "aliasName ?targetName? ?arg ...?",
        1,
        ANY,
        |interp, realm, args| match args {
            [name] => alias_words(interp, realm, name),
            [name, empty] if empty.is_empty() => delete_alias(interp, realm, name),
            [name, words @ ..] => make_alias(interp, realm, name, interp.realm, words),
            [] => Ok(Value::empty()),
        },
    ),
    sub("aliases", "", 0, 0, aliases),
    sub("bgerror", "?cmdPrefix?", 0, 1, background),
    sub("debug", "?-frame ?bool??", 0, 2, debug),
    sub("eval", "arg ?arg ...?", 1, ANY, eval),
    sub("expose", "hiddenCmdName ?cmdName?", 1, 2, expose),
    sub("hide", "cmdName ?hiddenCmdName?", 1, 2, hide),
    sub("hidden", "", 0, 0, hidden),
    sub("issafe", "", 0, 0, is_safe),
    sub(
        "invokehidden",
        "?-namespace ns? ?-global? ?--? cmd ?arg ..?",
        1,
        ANY,
        invoke_hidden,
    ),
    sub("limit", "limitType ?-option value ...?", 1, ANY, limit),
    sub("marktrusted", "", 0, 0, mark_trusted),
    sub("recursionlimit", "?newlimit?", 0, 1, recursion_limit),
];

/// Calls the command that stands for a child.
pub(in crate::modulefile::tcl) fn call_child(
    interp: &mut Interp<'_>,
    realm: RealmId,
    words: &[Value],
) -> Outcome {
    let Some(word) = words.get(1) else {
        return Err(wrong_args(words[0].bytes(), "cmd ?arg ...?"));
    };
    let names = CHILD.each_ref().map(|sub| sub.name);
    let sub = &CHILD[choice(word, &names, "option")?];
    let args = &words[2..];
    if !(sub.least..=sub.most).contains(&args.len()) {
        return Err(wrong_args(&bytes!(words[0], " ", sub.name), sub.usage));
    }
    (sub.run)(interp, realm, args)
}

/// Does something to the interpreter that the first word names.
fn on(interp: &mut Interp<'_>, args: &[Value], run: RunOn) -> Outcome {
    let realm = interp.realm_at(&args[0])?;
    run(interp, realm, &args[1..])
}

/// The same; without a word the interpreter that runs is meant.
fn on_optional(interp: &mut Interp<'_>, args: &[Value], run: RunOn) -> Outcome {
    let realm = match args.first() {
        Some(path) => interp.realm_at(path)?,
        None => interp.realm,
    };
    run(interp, realm, &[])
}

/// Refuses what only interpreters that are not safe may do.
fn must_be_trusted(interp: &Interp<'_>, message: &str) -> Outcome<()> {
    if interp.realms[interp.realm].safe {
        return Err(Exit::coded(
            message,
            &["TCL", "OPERATION", "INTERP", "UNSAFE"],
        ));
    }
    Ok(())
}

fn children(interp: &mut Interp<'_>, args: &[Value]) -> Outcome {
    let realm = match args.first() {
        Some(path) => interp.realm_at(path)?,
        None => interp.realm,
    };
    let names = interp.realms[realm].children.keys();
    Ok(Value::list(
        names.map(|name| Value::from(&name[..])).collect(),
    ))
}

fn create(interp: &mut Interp<'_>, args: &[Value]) -> Outcome {
    let (mut safe, mut path, mut last) = (false, None, false);
    for word in args {
        match word.bytes() {
            [b'-', ..] if !last && path.is_none() => {
                match choice(word, &["-safe", "--"], "option")? {
                    0 => safe = true,
                    _ => last = true,
                }
            }
            b"-safe" if path.is_some() && !last => safe = true,
            _ if path.is_none() => path = Some(word),
            _ => return Err(wrong_args(b"interp create", "?-safe? ?--? ?path?")),
        }
    }
    let Some(path) = path else {
        let name = loop {
            let serial = &mut interp.realms[interp.realm].serial;
            let name = format!("interp{serial}");
            *serial += 1;
            if interp.command_in(GLOBAL, name.as_bytes()).is_none() {
                break name;
            }
        };
        interp.create_realm(name.as_bytes(), safe)?;
        return Ok(Value::from(name));
    };
    let names = path.as_list()?;
    let (parent, name) = match &names[..] {
        [parents @ .., name] => (interp.realm_at(&Value::list(parents.to_vec()))?, name),
        [] => (interp.realm, path),
    };
    if names.is_empty() || interp.realms[parent].children.contains_key(name.bytes()) {
        let message = bytes!(
            "interpreter named \"",
            name,
            "\" already exists, cannot create"
        );
        return Err(Exit::error(message));
    }
    interp.in_realm(parent, |interp| interp.create_realm(name.bytes(), safe))?;
    Ok(path.clone())
}

/// Ends what an interpreter evaluates, at its next command.
fn cancel(interp: &mut Interp<'_>, args: &[Value]) -> Outcome {
    let mut unwind = false;
    let mut rest = args;
    while let Some((word, after)) = rest.split_first()
        && word.bytes().starts_with(b"-")
    {
        rest = after;
        match choice(word, &["-unwind", "--"], "option")? {
            0 => unwind = true,
            _ => break,
        }
    }
    let (path, message) = match rest {
        [] => (None, None),
        [path] => (Some(path), None),
        [path, message] => (Some(path), Some(message)),
        _ => {
            let usage = "?-unwind? ?--? ?path? ?result?";
            return Err(wrong_args(b"interp cancel", usage));
        }
    };
    let realm = match path {
        Some(path) => interp.realm_at(path)?,
        None => interp.realm,
    };
    let message = message.cloned().unwrap_or_default();
    interp.realms[realm].cancelled = Some(Cancel { message, unwind });
    if realm == interp.realm {
        interp.check_bounds()?;
    }
    interp.check_soon();
    Ok(Value::empty())
}

fn delete(interp: &mut Interp<'_>, args: &[Value]) -> Outcome {
    for path in args {
        let realm = interp.realm_at(path)?;
        if realm == interp.realm {
            let message = "cannot delete the current interpreter";
            return Err(Exit::coded(
                message,
                &["TCL", "OPERATION", "INTERP", "DELETESELF"],
            ));
        }
        interp.delete_realm(realm);
    }
    Ok(Value::empty())
}

fn eval(interp: &mut Interp<'_>, realm: RealmId, args: &[Value]) -> Outcome {
    let script = match args {
        [script] => script.clone(),
        words => lists::concat(words),
    };
    interp.eval_in_realm(realm, &script)
}

fn target(interp: &mut Interp<'_>, args: &[Value]) -> Outcome {
    let realm = interp.realm_at(&args[0])?;
    let Some((_, alias)) = find_alias(interp, realm, &args[1]) else {
        let message = bytes!(
            "alias \"",
            args[1],
            "\" in path \"",
            args[0],
            "\" not found"
        );
        return Err(no_alias(message, &args[1]));
    };
    let path = interp.realm_path(interp.realm, alias.realm);
    path.map(Value::list).ok_or_else(|| {
        let message = bytes!(
            "target interpreter for alias \"",
            args[1],
            "\" in path \"",
            args[0],
            "\" is not my descendant"
        );
        Exit::coded(message, &["TCL", "OPERATION", "INTERP", "SHROUDED"])
    })
}

fn no_alias(message: Vec<u8>, name: &Value) -> Exit {
    Exit::coded(message, &[&b"TCL"[..], b"LOOKUP", b"ALIAS", name.bytes()])
}

/// An alias by the name under which it was made.
fn find_alias(
    interp: &Interp<'_>,
    realm: RealmId,
    name: &Value,
) -> Option<(Rc<Command>, Rc<Alias>)> {
    let command = interp.realms[realm].aliases.get(name.bytes())?;
    match &command.kind {
        CommandKind::Alias(alias) if !command.deleted.get() => {
            Some((Rc::clone(command), Rc::clone(alias)))
        }
        _ => None,
    }
}

fn alias_words(interp: &mut Interp<'_>, realm: RealmId, name: &Value) -> Outcome {
    let found = find_alias(interp, realm, name);
    Ok(found.map_or_else(Value::empty, |(_, alias)| Value::list(alias.words.clone())))
}

fn delete_alias(interp: &mut Interp<'_>, realm: RealmId, name: &Value) -> Outcome {
    let Some((command, _)) = find_alias(interp, realm, name) else {
        return Err(no_alias(bytes!("alias \"", name, "\" not found"), name));
    };
    interp.realms[realm].aliases.shift_remove(name.bytes());
    interp.in_realm(realm, |interp| interp.delete_command(&command));
    Ok(Value::empty())
}

fn make_alias(
    interp: &mut Interp<'_>,
    realm: RealmId,
    name: &Value,
    target: RealmId,
    words: &[Value],
) -> Outcome {
    if leads_back(interp, (target, &words[0]), (realm, name)) {
        let message = bytes!(
            "cannot define or rename alias \"",
            name,
            "\": would create a loop"
        );
        return Err(Exit::coded(
            message,
            &["TCL", "OPERATION", "INTERP", "ALIASLOOP"],
        ));
    }
    let (qualifier, tail) = split_name(name.bytes());
    // An older alias of this name is replaced; one that was renamed keeps its name.
    let mut token = name.bytes().to_vec();
    while let Some((old, _)) = find_alias(interp, realm, &Value::new(token.clone())) {
        if **old.name.borrow() == *tail {
            break;
        }
        token.splice(0..0, *b"::");
    }
    let kind = CommandKind::Alias(Rc::new(Alias {
        realm: target,
        words: words.to_vec(),
        token: token.clone(),
    }));
    let command = interp.in_realm(realm, |interp| {
        let namespace = qualifier.map_or(GLOBAL, |space| interp.make_namespace(space, GLOBAL));
        interp.define_command(namespace, tail, kind)
    });
    if interp.realms[target].deleted {
        // The alias took the place of the command that stood for it.
        interp.in_realm(realm, |interp| interp.delete_command(&command));
        let message = bytes!(
            "cannot define or rename alias \"",
            name,
            "\": interpreter deleted"
        );
        return Err(Exit::error(message));
    }
    interp.realms[realm].aliases.insert(token.clone(), command);
    Ok(Value::new(token))
}

/// Whether a command is an alias that leads to another one, directly or by others.
fn leads_back(
    interp: &mut Interp<'_>,
    (mut realm, name): (RealmId, &Value),
    (end, last): (RealmId, &Value),
) -> bool {
    let mut name = name.clone();
    let plain = |name: &[u8]| name.strip_prefix(b"::").unwrap_or(name).to_vec();
    // Each step follows an alias that exists; such a chain has no loop.
    loop {
        if realm == end && plain(name.bytes()) == plain(last.bytes()) {
            return true;
        }
        let command = interp.in_realm(realm, |interp| {
            interp.find_command_from(name.bytes(), GLOBAL)
        });
        match command.as_ref().map(|command| &command.kind) {
            Some(CommandKind::Alias(alias)) => {
                realm = alias.realm;
                name = alias.words[0].clone();
            }
            _ => return false,
        }
    }
}

fn aliases(interp: &mut Interp<'_>, realm: RealmId, _: &[Value]) -> Outcome {
    let aliases = &mut interp.realms[realm].aliases;
    aliases.retain(|_, command| !command.deleted.get());
    let tokens = aliases.values().filter_map(|command| match &command.kind {
        CommandKind::Alias(alias) => Some(Value::from(&alias.token[..])),
        _ => None,
    });
    Ok(Value::list(tokens.collect()))
}

fn background(interp: &mut Interp<'_>, realm: RealmId, args: &[Value]) -> Outcome {
    if let Some(prefix) = args.first() {
        if !prefix.as_list().is_ok_and(|words| !words.is_empty()) {
            let message = "cmdPrefix must be list of length >= 1";
            return Err(Exit::coded(
                message,
                &["TCL", "OPERATION", "INTERP", "BGERRORFORMAT"],
            ));
        }
        interp.realms[realm].background = Some(prefix.clone());
    }
    let prefix = &interp.realms[realm].background;
    Ok(prefix
        .clone()
        .unwrap_or_else(|| Value::from("::tcl::Bgerror")))
}

fn debug(interp: &mut Interp<'_>, realm: RealmId, args: &[Value]) -> Outcome {
    if let Some(option) = args.first() {
        choice(option, &["-frame"], "debug option")?;
    }
    if let Some(value) = args.get(1) {
        // Once on, it stays on.
        interp.realms[realm].debug |= expect_bool(value)?;
    }
    let on = Value::bool(interp.realms[realm].debug);
    Ok(match args {
        [] => Value::list(vec![Value::from("-frame"), on]),
        _ => on,
    })
}

fn expose(interp: &mut Interp<'_>, realm: RealmId, args: &[Value]) -> Outcome {
    must_be_trusted(
        interp,
        "permission denied: safe interpreter cannot expose commands",
    )?;
    let name = args.last().map(Value::bytes).unwrap_or_default();
    interp.in_realm(realm, |interp| interp.expose_command(args[0].bytes(), name))?;
    Ok(Value::empty())
}

fn hide(interp: &mut Interp<'_>, realm: RealmId, args: &[Value]) -> Outcome {
    must_be_trusted(
        interp,
        "permission denied: safe interpreter cannot hide commands",
    )?;
    let token = args.last().map(Value::bytes).unwrap_or_default();
    interp.in_realm(realm, |interp| interp.hide_command(args[0].bytes(), token))?;
    Ok(Value::empty())
}

fn hidden(interp: &mut Interp<'_>, realm: RealmId, _: &[Value]) -> Outcome {
    let names = interp.realms[realm].hidden.keys();
    Ok(Value::list(
        names.map(|name| Value::from(&name[..])).collect(),
    ))
}

fn is_safe(interp: &mut Interp<'_>, realm: RealmId, _: &[Value]) -> Outcome {
    Ok(Value::bool(interp.realms[realm].safe))
}

fn invoke_hidden(interp: &mut Interp<'_>, realm: RealmId, args: &[Value]) -> Outcome {
    must_be_trusted(
        interp,
        "not allowed to invoke hidden commands from safe interpreter",
    )?;
    let usage = || {
        wrong_args(
            b"interp invokehidden",
            "path ?-namespace ns? ?-global? ?--? cmd ?arg ..?",
        )
    };
    let (mut global, mut namespace) = (false, None);
    let mut rest = args;
    while let Some((word, after)) = rest.split_first()
        && word.bytes().starts_with(b"-")
    {
        rest = after;
        match choice(word, &["-global", "-namespace", "--"], "option")? {
            0 => global = true,
            1 => {
                let (name, after) = rest.split_first().ok_or_else(usage)?;
                namespace = Some(name.clone());
                rest = after;
            }
            _ => break,
        }
    }
    let name = rest.first().ok_or_else(usage)?;
    let words = rest.to_vec();
    interp.in_realm(realm, |interp| {
        let Some(command) = interp.realms[realm].hidden.get(name.bytes()).cloned() else {
            let message = bytes!("invalid hidden command name \"", name, "\"");
            return Err(Exit::coded(
                message,
                &[&b"TCL"[..], b"LOOKUP", b"HIDDENTOKEN", name.bytes()],
            ));
        };
        let call = |interp: &mut Interp<'_>| interp.nested(|interp| interp.call(&command, &words));
        let result = match &namespace {
            Some(name) => {
                let space = interp.make_namespace(name.bytes(), GLOBAL);
                interp.in_namespace(space, call)
            }
            None if global => interp.at_frame(0, call),
            None => call(interp),
        };
        match result {
            Err(Exit::Return(returning)) if interp.is_idle() => interp.finish_return(returning),
            other => other,
        }
    })
}

fn mark_trusted(interp: &mut Interp<'_>, realm: RealmId, _: &[Value]) -> Outcome {
    must_be_trusted(
        interp,
        "permission denied: safe interpreter cannot mark trusted",
    )?;
    interp.realms[realm].safe = false;
    Ok(Value::empty())
}

fn recursion_limit(interp: &mut Interp<'_>, realm: RealmId, args: &[Value]) -> Outcome {
    if let Some(word) = args.first() {
        must_be_trusted(
            interp,
            "permission denied: safe interpreters cannot change recursion limit",
        )?;
        match usize::try_from(expect_int(word)?) {
            Ok(limit) if limit > 0 => {
                let limit = limit.min(100_000);
                interp.in_realm(realm, |interp| interp.limits.nesting = limit);
            }
            _ => {
                let message = "recursion limit must be > 0";
                return Err(Exit::coded(
                    message,
                    &["TCL", "OPERATION", "INTERP", "BADLIMIT"],
                ));
            }
        }
    }
    let limit = interp.in_realm(realm, |interp| interp.limits.nesting);
    Ok(Value::int(limit as i64))
}

fn pass_channel(interp: &mut Interp<'_>, args: &[Value], keep: bool) -> Outcome {
    let from = interp.realm_at(&args[0])?;
    let to = interp.realm_at(&args[2])?;
    interp.pass_channel(from, &args[1], to, keep)?;
    Ok(Value::empty())
}

const COMMANDS: [&str; 3] = ["-command", "-granularity", "-value"];
const TIME: [&str; 4] = ["-command", "-granularity", "-milliseconds", "-seconds"];

fn limit(interp: &mut Interp<'_>, realm: RealmId, args: &[Value]) -> Outcome {
    let timed = choice(&args[0], &["commands", "time"], "limit type")? == 1;
    if interp.realm == realm {
        let message = "limits on current interpreter inaccessible";
        return Err(Exit::coded(
            message,
            &["TCL", "OPERATION", "INTERP", "SELF"],
        ));
    }
    let names: &[&str] = if timed { &TIME } else { &COMMANDS };
    let mut bounds = interp.realms[realm].bounds.clone();
    let read = |bounds: &crate::modulefile::tcl::realm::Bounds, name: &str| {
        let number = |n: Option<i64>| n.map_or_else(Value::empty, Value::int);
        let kept = &bounds.options[usize::from(timed)];
        match name {
            "-command" => kept[0].clone().unwrap_or_default(),
            "-granularity" => kept[1]
                .clone()
                .unwrap_or_else(|| Value::int(if timed { 10 } else { 1 })),
            "-milliseconds" => number(bounds.time.map(|time| time.rem_euclid(1000))),
            "-seconds" => number(bounds.time.map(|time| time.div_euclid(1000))),
            _ => number(bounds.commands),
        }
    };
    match &args[1..] {
        [] => {
            let rows = names.iter();
            return Ok(Value::list(
                rows.flat_map(|name| [Value::from(*name), read(&bounds, name)])
                    .collect(),
            ));
        }
        [name] => return Ok(read(&bounds, names[choice(name, names, "option")?])),
        pairs if pairs.len() % 2 == 1 => {
            return Err(wrong_args(
                b"interp limit",
                "path limitType ?-option value ...?",
            ));
        }
        _ => {}
    }
    let fail =
        |message: &str, what: &str| Exit::coded(message, &["TCL", "OPERATION", "INTERP", what]);
    let (mut seconds, mut milliseconds) = (None, None);
    for pair in args[1..].chunks_exact(2) {
        let name = names[choice(&pair[0], names, "option")?];
        let value = &pair[1];
        match name {
            "-command" => {
                bounds.options[usize::from(timed)][0] = (!value.is_empty()).then(|| value.clone());
                bounds.askers[usize::from(timed)] = interp.realm;
            }
            "-granularity" => {
                if expect_int(value)? < 1 {
                    return Err(fail("granularity must be at least 1", "BADVALUE"));
                }
                bounds.options[usize::from(timed)][1] = Some(value.clone());
            }
            "-value" if value.is_empty() => bounds.commands = None,
            "-value" => match expect_int(value)? {
                most @ 0.. => bounds.commands = Some(most),
                _ => return Err(fail("command limit value must be at least 0", "BADVALUE")),
            },
            _ if value.is_empty() => {
                let which = if name == "-seconds" {
                    &mut seconds
                } else {
                    &mut milliseconds
                };
                *which = Some(None);
            }
            "-seconds" => match expect_int(value)? {
                number @ 0.. => seconds = Some(Some(number)),
                _ => return Err(fail("seconds must be at least 0", "BADVALUE")),
            },
            _ => match expect_int(value)? {
                number @ 0.. => milliseconds = Some(Some(number)),
                _ => return Err(fail("milliseconds must be at least 0", "BADVALUE")),
            },
        }
    }
    match (seconds, milliseconds) {
        (None, None) => {}
        (Some(None), Some(Some(_))) => {
            let message = "may only set -milliseconds if -seconds is not also being reset";
            return Err(fail(message, "BADUSAGE"));
        }
        (None | Some(Some(_)), Some(None)) => {
            let message = "may only reset -milliseconds if -seconds is also being reset";
            return Err(fail(message, "BADUSAGE"));
        }
        (Some(None), _) => bounds.time = None,
        (whole, part) => {
            let old = bounds.time.unwrap_or(0);
            let whole = whole.flatten().unwrap_or(old.div_euclid(1000));
            let part = part.flatten().unwrap_or(old.rem_euclid(1000));
            bounds.time = Some(whole.saturating_mul(1000).saturating_add(part));
        }
    }
    interp.realms[realm].bounds = bounds;
    Ok(Value::empty())
}
