//! The tree of interpreters: `interp create` makes a child with names, variables and commands of its own.
//!
//! All of them share one evaluation: host, limits, stack and time. What belongs to one interpreter alone lies in
//! [`Parts`]; it is in [`Interp`] while that one runs and in its [`Realm`] while another one does.
//! Source: Tcl 8.6, `interp(n)`.

use std::mem::swap;
use std::rc::Rc;

use indexmap::IndexMap;
use rustc_hash::{FxBuildHasher, FxHashSet};

use super::builtin::State;
use super::command::{Alias, Command, CommandKind};
use super::error::{Exit, Outcome, Stop};
use super::interp::{Frame, Interp, Limits, Style, next_epoch};
use super::namespace::{GLOBAL, Namespace, split_name};
use super::parse::Code;
use super::value::Value;

/// The number of an interpreter; the first one is 0.
pub(super) type RealmId = usize;

/// The interpreter that runs the file.
pub(super) const ROOT: RealmId = 0;

/// What an interpreter has for itself.
pub(super) struct Parts {
    frames: Vec<Frame>,
    active: usize,
    namespaces: Vec<Namespace>,
    hidden_embedding: FxHashSet<Box<[u8]>>,
    user_functions: bool,
    state: State,
    style: Style,
    inline: bool,
    unit: Option<Rc<Code>>,
    unit_is_proc: bool,
    epoch: u64,
    nesting: usize,
    nesting_limit: usize,
    steps: u64,
}

/// One interpreter of the tree.
#[derive(Default)]
pub(super) struct Realm {
    /// Nothing while it runs, and after its end.
    parts: Option<Box<Parts>>,
    pub(super) parent: Option<RealmId>,
    pub(super) children: IndexMap<Vec<u8>, RealmId, FxBuildHasher>,
    /// The command of the parent that stands for it.
    command: Option<Rc<Command>>,
    pub(super) safe: bool,
    /// Commands that only the parent may call.
    pub(super) hidden: IndexMap<Vec<u8>, Rc<Command>, FxBuildHasher>,
    /// Aliases by the names under which they were made.
    pub(super) aliases: IndexMap<Vec<u8>, Rc<Command>, FxBuildHasher>,
    pub(super) bounds: Bounds,
    /// The prefix that would be called for errors nobody waits for.
    pub(super) background: Option<Value>,
    /// `interp debug PATH -frame`
    pub(super) debug: bool,
    pub(super) deleted: bool,
    /// `interp cancel`
    pub(super) cancelled: Option<Cancel>,
    /// Whether the script that `interp limit` names is being asked.
    asking: bool,
    /// How often it is on the way that led here.
    uses: usize,
    /// For names of children that were given none.
    pub(super) serial: usize,
}

/// `interp cancel`: how an evaluation is to end.
pub(super) struct Cancel {
    pub(super) message: Value,
    /// Whether nothing on the way may catch it.
    pub(super) unwind: bool,
}

/// `interp limit`: what a parent allows.
#[derive(Clone, Default)]
pub(super) struct Bounds {
    /// Count of commands at which it ends.
    pub(super) commands: Option<i64>,
    /// Milliseconds since the epoch at which it ends.
    pub(super) time: Option<i64>,
    /// The other options, as they were set: `-command` and `-granularity` of commands and time.
    pub(super) options: [[Option<Value>; 2]; 2],
    /// The interpreters that set `-command` of the two.
    pub(super) askers: [RealmId; 2],
}

/// Commands that a safe interpreter cannot call.
const UNSAFE: [&str; 10] = [
    "cd",
    "encoding",
    "exec",
    "exit",
    "fconfigure",
    "file",
    "glob",
    "open",
    "pwd",
    "source",
];

/// Sub-commands of `file` and `encoding` that touch nothing outside.
const HARMLESS: [&str; 10] = [
    "channels",
    "convertfrom",
    "convertto",
    "join",
    "names",
    "pathtype",
    "separator",
    "split",
    "system",
    "tempdir",
];

/// Variables of the outside.
const OUTSIDE: [&str; 8] = [
    "env",
    "auto_path",
    "tcl_library",
    "tcl_pkgPath",
    "tcl_platform(os)",
    "tcl_platform(osVersion)",
    "tcl_platform(machine)",
    "tcl_platform(user)",
];

impl Interp<'_> {
    /// The first interpreter, before anything runs.
    pub(super) fn first_realm() -> Vec<Realm> {
        vec![Realm::default()]
    }

    /// Whether the running interpreter has the commands of the embedding.
    pub(super) fn has_embedding(&self) -> bool {
        self.realm == ROOT || self.realm == self.embedded
    }

    /// Gives one more interpreter the commands of the embedding.
    pub(super) fn share_embedding_with(&mut self, id: RealmId) {
        self.embedded = id;
    }

    /// Runs something in another interpreter.
    pub(super) fn in_realm<T>(&mut self, id: RealmId, run: impl FnOnce(&mut Self) -> T) -> T {
        if id == self.realm {
            return run(self);
        }
        let before = self.realm;
        self.enter_realm(id);
        self.realms[id].uses += 1;
        let result = run(self);
        self.realms[id].uses -= 1;
        self.enter_realm(before);
        self.sweep_realm(id);
        result
    }

    /// Exchanges what is at hand for what belongs to another interpreter.
    fn enter_realm(&mut self, id: RealmId) {
        let Some(mut parts) = self.realms[id].parts.take() else {
            // Only an interpreter that has ended and was left has no parts; nobody holds its number any more.
            return;
        };
        let total = self.steps + self.other_steps;
        swap(&mut self.frames, &mut parts.frames);
        swap(&mut self.active, &mut parts.active);
        swap(&mut self.namespaces, &mut parts.namespaces);
        swap(&mut self.hidden_embedding, &mut parts.hidden_embedding);
        swap(&mut self.user_functions, &mut parts.user_functions);
        swap(&mut self.state, &mut parts.state);
        swap(&mut self.style, &mut parts.style);
        swap(&mut self.inline, &mut parts.inline);
        swap(&mut self.unit, &mut parts.unit);
        swap(&mut self.unit_is_proc, &mut parts.unit_is_proc);
        swap(&mut self.epoch, &mut parts.epoch);
        swap(&mut self.nesting, &mut parts.nesting);
        swap(&mut self.limits.nesting, &mut parts.nesting_limit);
        swap(&mut self.steps, &mut parts.steps);
        self.state.share_with(&mut parts.state);
        self.other_steps = total - self.steps;
        self.realms[self.realm].parts = Some(parts);
        self.realm = id;
        self.check_soon();
    }

    /// The interpreter at a path from this one.
    pub(super) fn realm_at(&self, path: &Value) -> Outcome<RealmId> {
        let mut at = self.realm;
        for name in path.as_list()?.iter() {
            let child = self.realms[at].children.get(name.bytes());
            at = *child.ok_or_else(|| {
                let message = bytes!("could not find interpreter \"", path, "\"");
                Exit::coded(message, &[&b"TCL"[..], b"LOOKUP", b"INTERP", path.bytes()])
            })?;
        }
        Ok(at)
    }

    /// The path from one interpreter to another below it.
    pub(super) fn realm_path(&self, from: RealmId, to: RealmId) -> Option<Vec<Value>> {
        let mut names = Vec::new();
        let mut at = to;
        while at != from {
            let parent = self.realms[at].parent?;
            let children = &self.realms[parent].children;
            let (name, _) = children.iter().find(|(_, child)| **child == at)?;
            names.push(Value::from(&name[..]));
            at = parent;
        }
        names.reverse();
        Some(names)
    }

    /// Makes a child of this interpreter.
    pub(super) fn create_realm(&mut self, name: &[u8], safe: bool) -> Outcome<RealmId> {
        let id = self.realms.len();
        let parent = self.realm;
        let limits = Limits {
            nesting: Limits::default().nesting.max(self.limits.nesting),
            ..self.limits
        };
        let precision = super::number::precision();
        let own = Interp::new(&mut *self.host, limits).into_parts();
        super::number::set_precision(precision);
        let safe = safe || self.realms[parent].safe;
        self.realms.push(Realm {
            parts: Some(Box::new(own)),
            parent: Some(parent),
            safe,
            ..Realm::default()
        });
        let (qualifier, tail) = split_name(name);
        let namespace = qualifier.map_or(GLOBAL, |space| self.make_namespace(space, GLOBAL));
        let command = self.define_command(namespace, tail, CommandKind::Child(id));
        self.realms[id].command = Some(command);
        self.realms[parent].children.insert(name.to_vec(), id);
        self.in_realm(id, |interp| if safe { interp.make_safe() } else { Ok(()) })?;
        Ok(id)
    }

    fn into_parts(self) -> Parts {
        Parts {
            frames: self.frames,
            active: self.active,
            namespaces: self.namespaces,
            hidden_embedding: self.hidden_embedding,
            user_functions: self.user_functions,
            state: self.state,
            style: self.style,
            inline: self.inline,
            unit: self.unit,
            unit_is_proc: self.unit_is_proc,
            epoch: next_epoch(),
            nesting: 0,
            nesting_limit: self.limits.nesting,
            steps: 0,
        }
    }

    /// Takes away what reaches beyond the interpreter.
    fn make_safe(&mut self) -> Outcome<()> {
        for name in UNSAFE {
            for (sub, def) in super::builtin::sub_commands(name) {
                if !HARMLESS.contains(&sub) {
                    let token = format!("tcl:{name}:{sub}");
                    let command = Rc::new(Command::new(
                        token.as_bytes(),
                        GLOBAL,
                        CommandKind::Builtin(def),
                    ));
                    let hidden = &mut self.realms[self.realm].hidden;
                    hidden.insert(token.into_bytes(), command);
                }
            }
            self.hide_command(name.as_bytes(), name.as_bytes())?;
        }
        for name in OUTSIDE {
            // Not every one of them is always there.
            let _ = self.unset_var(name.as_bytes());
        }
        Ok(())
    }

    /// Moves a command of the current interpreter out of its reach.
    pub(super) fn hide_command(&mut self, name: &[u8], token: &[u8]) -> Outcome<()> {
        if split_name(token).0.is_some() {
            let message = "cannot use namespace qualifiers in hidden command token (rename)";
            return Err(Exit::coded(message, &["TCL", "VALUE", "HIDDENTOKEN"]));
        }
        let Some(command) = self.find_command_from(name, GLOBAL) else {
            let message = bytes!("unknown command \"", name, "\"");
            return Err(Exit::coded(
                message,
                &[&b"TCL"[..], b"LOOKUP", b"COMMAND", name],
            ));
        };
        if command.namespace.get() != GLOBAL {
            let message = "can only hide global namespace commands (use rename then hide)";
            return Err(Exit::coded(message, &["TCL", "HIDE", "NON_GLOBAL"]));
        }
        let realm = self.realm;
        if self.realms[realm].hidden.contains_key(token) {
            let message = bytes!("hidden command named \"", token, "\" already exists");
            return Err(Exit::coded(message, &["TCL", "HIDE", "ALREADY_HIDDEN"]));
        }
        self.withdraw_command(&command);
        self.realms[realm].hidden.insert(token.to_vec(), command);
        Ok(())
    }

    /// Gives a hidden command back to the current interpreter.
    pub(super) fn expose_command(&mut self, token: &[u8], name: &[u8]) -> Outcome<()> {
        if split_name(name).0.is_some() {
            let message = "cannot expose to a namespace (use expose to toplevel, then rename)";
            return Err(Exit::coded(message, &["TCL", "EXPOSE", "NON_GLOBAL"]));
        }
        let realm = self.realm;
        let Some(command) = self.realms[realm].hidden.get(token).cloned() else {
            let message = bytes!("unknown hidden command \"", token, "\"");
            return Err(Exit::coded(
                message,
                &[&b"TCL"[..], b"LOOKUP", b"HIDDENTOKEN", token],
            ));
        };
        if self.command_in(GLOBAL, name).is_some() {
            let message = bytes!("exposed command \"", name, "\" already exists");
            return Err(Exit::coded(message, &["TCL", "EXPOSE", "COMMAND_EXISTS"]));
        }
        self.realms[realm].hidden.shift_remove(token);
        self.restore_command(&command, name);
        Ok(())
    }

    /// Ends an interpreter with all below it.
    pub(super) fn delete_realm(&mut self, id: RealmId) {
        if id == ROOT || self.realms[id].deleted {
            return;
        }
        self.realms[id].deleted = true;
        for child in self.realms[id]
            .children
            .values()
            .copied()
            .collect::<Vec<_>>()
        {
            self.delete_realm(child);
        }
        let command = self.realms[id].command.take();
        if let Some(parent) = self.realms[id].parent {
            self.realms[parent].children.retain(|_, child| *child != id);
            if let Some(command) = command
                && !self.realms[parent].deleted
            {
                self.in_realm(parent, |interp| interp.delete_command(&command));
            }
        }
        // Aliases that lead here end with it.
        for other in 0..self.realms.len() {
            let leads_here = |command: &&Rc<Command>| matches!(&command.kind, CommandKind::Alias(alias) if alias.realm == id);
            let gone: Vec<_> = self.realms[other]
                .aliases
                .values()
                .filter(leads_here)
                .cloned()
                .collect();
            if !gone.is_empty() && !self.realms[other].deleted {
                self.in_realm(other, |interp| {
                    gone.iter()
                        .for_each(|command| interp.delete_command(command));
                });
            }
        }
        self.release_channels(id);
        self.forget_events(id);
        self.sweep_realm(id);
        self.check_soon();
    }

    /// Frees what an ended interpreter held, once nobody is in it.
    fn sweep_realm(&mut self, id: RealmId) {
        let realm = &mut self.realms[id];
        if realm.deleted && realm.uses == 0 && id != self.realm {
            realm.parts = None;
            realm.hidden.clear();
            realm.aliases.clear();
        }
    }

    /// Calls the target of an alias.
    pub(super) fn call_alias(&mut self, alias: &Alias, words: &[Value]) -> Outcome {
        let mut full = alias.words.clone();
        full.extend_from_slice(&words[1..]);
        self.in_realm(alias.realm, |interp| {
            let result = match interp.find_command_from(full[0].bytes(), GLOBAL) {
                Some(command) => interp.nested(|interp| interp.call(&command, &full)),
                None => interp.unknown(&full),
            };
            interp.leave_realm(alias.realm, result)
        })
        .map_err(|exit| in_terms_of(exit, alias, &words[0]))
    }

    /// Evaluates a script in an interpreter of the tree.
    pub(super) fn eval_in_realm(&mut self, id: RealmId, script: &Value) -> Outcome {
        self.in_realm(id, |interp| {
            let result = interp.eval(script);
            let result = match result {
                Err(Exit::Return(returning)) if interp.is_idle() => interp.finish_return(returning),
                other => other,
            };
            if let Err(Exit::Error(error)) = &result
                && !interp.realms[id].deleted
            {
                interp.publish(error);
            }
            interp.leave_realm(id, result)
        })
    }

    /// A bound that was set for an interpreter, or its being cancelled, is an error for those outside of it.
    pub(super) fn leave_realm(&mut self, id: RealmId, result: Outcome) -> Outcome {
        match result {
            Err(Exit::Stop(Stop::Bound { realm, what })) if realm == id => {
                let kind = if what.starts_with("time") {
                    "TIME"
                } else {
                    "COMMANDS"
                };
                Err(Exit::coded(what, &["TCL", "LIMIT", kind]))
            }
            Err(Exit::Stop(Stop::Unwound { realm })) if realm == id && self.is_idle() => {
                Err(self.cancelled("eval unwound", "IUNWIND"))
            }
            other => other,
        }
    }

    /// The error of an evaluation that was cancelled.
    fn cancelled(&mut self, text: &str, word: &str) -> Exit {
        let cancel = self.realms[self.realm].cancelled.take();
        let message = cancel.map(|cancel| cancel.message);
        let message = message.filter(|message| !message.is_empty());
        let message = message.unwrap_or_else(|| Value::from(text));
        let code = [&b"TCL"[..], b"CANCEL", word.as_bytes(), message.bytes()];
        Exit::coded(message.clone(), &code)
    }

    /// Whether the interpreter that runs may go on.
    pub(super) fn check_bounds(&mut self) -> Outcome<()> {
        let id = self.realm;
        let realm = &self.realms[id];
        match &realm.cancelled {
            Some(Cancel { unwind: true, .. }) => {
                return Err(Exit::Stop(Stop::Unwound { realm: id }));
            }
            Some(_) => return Err(self.cancelled("eval canceled", "ICANCEL")),
            None => {}
        }
        if realm.deleted {
            let message = "attempt to call eval in deleted interpreter";
            return Err(Exit::coded(message, &["TCL", "IDELETE", message]));
        }
        for which in [BoundKind::Commands, BoundKind::Time] {
            if self.is_beyond(which) {
                self.ask_about(which)?;
            }
            if self.is_beyond(which) {
                let what = match which {
                    BoundKind::Commands => "command count limit exceeded",
                    BoundKind::Time => "time limit exceeded",
                };
                return Err(Exit::Stop(Stop::Bound { realm: id, what }));
            }
        }
        Ok(())
    }

    /// Whether the interpreter that runs has reached a bound.
    fn is_beyond(&self, which: BoundKind) -> bool {
        let realm = &self.realms[self.realm];
        if realm.asking {
            return false;
        }
        match which {
            BoundKind::Commands => {
                let most = realm.bounds.commands;
                most.is_some_and(|most| self.steps as i64 > most)
            }
            BoundKind::Time => {
                let end = realm.bounds.time;
                end.is_some_and(|end| super::builtin::milliseconds() > end)
            }
        }
    }

    /// Calls the script that is to be asked when a bound is reached: it may allow more.
    fn ask_about(&mut self, which: BoundKind) -> Outcome<()> {
        let id = self.realm;
        let bounds = &self.realms[id].bounds;
        let asker = bounds.askers[which as usize];
        let Some(script) = bounds.options[which as usize][0].clone() else {
            return Ok(());
        };
        self.realms[id].asking = true;
        let result = self.run_event(asker, &script, None);
        self.realms[id].asking = false;
        result.map(|_| ())
    }
}

/// The two kinds of bounds, in the order in which their options are kept.
#[derive(Clone, Copy)]
enum BoundKind {
    Commands,
    Time,
}

/// Shows a wrong number of arguments as the caller of an alias sees the command.
fn in_terms_of(exit: Exit, alias: &Alias, name: &Value) -> Exit {
    const START: &[u8] = b"wrong # args: should be \"";
    match exit {
        // Nothing was logged yet: it is the target itself that complains.
        Exit::Error(mut error) if error.info.is_empty() => {
            let usage = error.message.bytes().strip_prefix(START);
            let rest = usage.and_then(|usage| usage.strip_prefix(alias.words[0].bytes()));
            if let Some([b' ' | b'"', ..]) = rest
                && let Some(usage) = usage.and_then(|usage| usage.strip_suffix(b"\""))
            {
                // What the alias gives of itself is not for the caller to give.
                let mut shown = vec![name.bytes()];
                shown.extend(usage.split(|b| *b == b' ').skip(alias.words.len()));
                error.message = Value::new(bytes!(START, shown.join(&b' '), "\""));
            }
            Exit::Error(error)
        }
        other => other,
    }
}
