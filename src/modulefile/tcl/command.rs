//! Commands as values: definitions in tables, entries of namespaces, procs.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use super::embedding::CommandId;
use super::error::{Exit, Outcome};
use super::interp::Interp;
use super::namespace::NamespaceId;
use super::parse;
use super::realm::RealmId;
use super::value::Value;

/// The function behind a built-in command; it gets the words after the command's name.
pub(super) type Run = fn(&mut Interp<'_>, &[Value]) -> Outcome;

/// A row of a table of built-in commands.
pub(super) struct Def {
    pub(super) name: &'static str,
    /// The arguments as `wrong # args` shows them.
    pub(super) usage: &'static str,
    pub(super) least: usize,
    pub(super) most: usize,
    pub(super) action: Action,
    /// The short way for its most frequent form.
    pub(super) direct: Option<Direct>,
}

/// Runs a command from its parsed words without gathering them first; `None` when the words have another form, and
/// nothing was done. Only what cannot be told apart from the long way may be done here.
#[derive(Clone, Copy)]
pub(super) enum Direct {
    /// Neither fails nor evaluates anything, so that nobody can ask where it stands.
    Leaf(Leaf),
    /// The second where the first is not enough; it may fail and evaluate.
    Both(Leaf, Whole),
}

pub(super) type Leaf = fn(&mut Interp<'_>, &parse::Command) -> Option<Value>;
pub(super) type Whole = fn(&mut Interp<'_>, &parse::Command) -> Option<Outcome>;

/// What a built-in does.
pub(super) enum Action {
    Run(Run),
    /// A command with sub-commands, such as `string`.
    Ensemble(&'static [Def]),
    /// The same with another word for sub-command in its error.
    Options(&'static str, &'static [Def]),
}

/// Any number of arguments.
pub(super) const ANY: usize = usize::MAX;

impl Def {
    /// A plain command with `least` to `most` arguments.
    pub(super) const fn new(
        name: &'static str,
        usage: &'static str,
        least: usize,
        most: usize,
        run: Run,
    ) -> Def {
        Def {
            name,
            usage,
            least,
            most,
            action: Action::Run(run),
            direct: None,
        }
    }

    /// Adds the short way.
    pub(super) const fn with_direct(mut self, direct: Direct) -> Def {
        self.direct = Some(direct);
        self
    }

    /// A command whose sub-commands are called options; the table is sorted by name.
    pub(super) const fn options(
        name: &'static str,
        usage: &'static str,
        table: &'static [Def],
    ) -> Def {
        Def {
            name,
            usage,
            least: 1,
            most: ANY,
            action: Action::Options("option", table),
            direct: None,
        }
    }

    /// A command with sub-commands; the table is sorted by name.
    pub(super) const fn ensemble(name: &'static str, table: &'static [Def]) -> Def {
        Def {
            name,
            usage: "subcommand ?arg ...?",
            least: 1,
            most: ANY,
            action: Action::Ensemble(table),
            direct: None,
        }
    }
}

/// A command in a namespace.
pub(super) struct Command {
    /// The name without the namespace.
    pub(super) name: RefCell<Box<[u8]>>,
    pub(super) namespace: Cell<NamespaceId>,
    pub(super) kind: CommandKind,
    pub(super) traces: RefCell<Vec<CommandTrace>>,
    /// Set when the command is deleted, for those who still hold it.
    pub(super) deleted: Cell<bool>,
}

/// Another name for a command, perhaps of another interpreter.
pub(super) struct Alias {
    pub(super) realm: RealmId,
    pub(super) words: Vec<Value>,
    /// The name under which it was made.
    pub(super) token: Vec<u8>,
}

impl Command {
    /// A command that nobody watches.
    pub(super) fn new(name: &[u8], namespace: NamespaceId, kind: CommandKind) -> Command {
        Command {
            name: RefCell::new(name.into()),
            namespace: Cell::new(namespace),
            kind,
            traces: RefCell::default(),
            deleted: Cell::new(false),
        }
    }

    /// Whether somebody watches it.
    pub(super) fn is_traced(&self) -> bool {
        !self.traces.borrow().is_empty()
    }
}

/// A script to call when a command is renamed or deleted, or runs.
#[derive(Clone)]
pub(super) struct CommandTrace {
    pub(super) operations: Vec<&'static str>,
    pub(super) script: Value,
    /// What all copies of the trace share.
    pub(super) state: Rc<CommandTraceState>,
}

#[derive(Default)]
pub(super) struct CommandTraceState {
    /// Its script runs: what that does is not told to it.
    pub(super) busy: Cell<bool>,
    /// It was removed, perhaps while it was to be called.
    pub(super) removed: Cell<bool>,
}

pub(super) enum CommandKind {
    Builtin(&'static Def),
    Proc(Rc<Proc>),
    /// `interp alias {} new {} old ...`
    Alias(Rc<Alias>),
    /// `interp create`
    Child(RealmId),
    /// `namespace ensemble create`
    Ensemble(RefCell<Rc<super::namespace::Ensemble>>),
    /// `namespace import`
    Import(Rc<Command>),
    Embedding(CommandId),
    /// `tcl::mathfunc::NAME`
    Function(&'static super::math::Function),
}

/// A procedure.
pub(super) struct Proc {
    pub(super) params: Vec<Param>,
    /// Whether the last parameter is `args`.
    pub(super) variadic: bool,
    pub(super) body: Value,
}

/// A parameter and its default.
pub(super) struct Param {
    pub(super) name: Value,
    pub(super) default: Option<Value>,
}

/// The command that a word of a script named last time, valid as long as no command was defined or deleted.
pub(super) struct Cached {
    pub(super) epoch: u64,
    pub(super) namespace: NamespaceId,
    pub(super) command: Rc<Command>,
}

/// Finds a sub-command by its name or a unique beginning of it.
pub(super) fn find_sub(
    table: &'static [Def],
    word: &Value,
    called: Option<&str>,
) -> Outcome<&'static Def> {
    let name = word.bytes();
    if let Some(exact) = table.iter().find(|def| def.name.as_bytes() == name) {
        return Ok(exact);
    }
    let mut matching = table
        .iter()
        .filter(|def| def.name.as_bytes().starts_with(name));
    if let (Some(found), None, false) = (matching.next(), matching.next(), name.is_empty()) {
        return Ok(found);
    }
    let names: Vec<&str> = table.iter().map(|def| def.name).collect();
    if let Some(called) = called {
        let known = table
            .iter()
            .filter(|def| def.name.as_bytes().starts_with(name));
        let how = if known.count() > 1 && !name.is_empty() {
            "ambiguous"
        } else {
            "bad"
        };
        let list = one_of(&names);
        let message = bytes!(how, " ", called, " \"", name, "\": must be ", list);
        return Err(Exit::coded(
            message,
            &[&b"TCL"[..], b"LOOKUP", b"INDEX", called.as_bytes(), name],
        ));
    }
    let message = bytes!(
        "unknown or ambiguous subcommand \"",
        name,
        "\": must be ",
        one_of(&names)
    );
    Err(Exit::coded(
        message,
        &[&b"TCL"[..], b"LOOKUP", b"SUBCOMMAND", name],
    ))
}

/// `must be a, b, or c`
pub(super) fn must_be(names: &[&str]) -> String {
    match names {
        [] => "no valid options".to_owned(),
        names => format!("must be {}", one_of(names)),
    }
}

/// `a, b, or c`
pub(super) fn one_of(names: &[&str]) -> String {
    match names {
        [] => String::new(),
        [only] => (*only).to_owned(),
        [first, second] => format!("{first} or {second}"),
        [most @ .., last] => format!("{}, or {last}", most.join(", ")),
    }
}
