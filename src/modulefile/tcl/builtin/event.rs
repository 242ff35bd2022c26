//! The event loop: `after`, `vwait`, `update`, `fileevent` and copies in the background.
//!
//! Nothing happens by itself: scripts for later run while `vwait` or `update` does. A wait ends at the limits of the
//! evaluation as all else does. Source: Tcl 8.6, `after(n)`, `vwait(n)`, `update(n)`, `fileevent(n)`, `fcopy(n)`,
//! `bgerror(n)`.

use std::time::{Duration, Instant};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

use crate::modulefile::tcl::command::{ANY, Def};
use crate::modulefile::tcl::embedding::Stream;
use crate::modulefile::tcl::error::{Exit, Outcome, Stop};
use crate::modulefile::tcl::interp::{Interp, wrong_args};
use crate::modulefile::tcl::namespace::GLOBAL;
use crate::modulefile::tcl::realm::RealmId;
use crate::modulefile::tcl::value::Value;
use crate::modulefile::tcl::var::VarTrace;

use super::channel::{self, Copy};
use super::{choice, errors, lists};

pub(super) static TABLE: &[Def] = &[
    Def::new("after", "option ?arg ...?", 1, ANY, after),
    Def::new("update", "?idletasks?", 0, 1, update),
    Def::new("vwait", "name", 1, 1, vwait),
];

pub(super) static TCL: &[Def] = &[
    Def::new("Bgerror", "msg options", 2, 2, background_error),
    Def::new("Waited", "number name index operation", 4, 4, waited),
];

/// The trace by which `vwait` hears of its variable; a number follows.
pub(super) const WAIT_TRACE: &str = "::tcl::Waited";

/// A wait looks at the limits of the evaluation so often.
const GLANCE: Duration = Duration::from_millis(50);

/// What is to happen later; all interpreters have it in common.
#[derive(Default)]
pub(super) struct Events {
    /// Scripts for a time, the earliest first, then scripts for when there is nothing else.
    later: Vec<Later>,
    handlers: Vec<Handler>,
    copies: Vec<Background>,
    /// The `vwait`s under way, and whether their variables were set.
    waits: Vec<(usize, bool)>,
    serial: usize,
    /// Which source is asked first, so that each of them gets its turn.
    turn: usize,
}

struct Later {
    number: usize,
    /// When; nothing for when there is nothing else to do.
    at: Option<Instant>,
    realm: RealmId,
    job: Job,
}

enum Job {
    Script(Value),
    /// An error that nobody waited for: its message and the options that `catch` would give.
    Report(Value, Value),
}

/// What something may come from.
enum Source {
    /// The script of `fileevent` in this place.
    Handler(usize),
    /// The copy in this place.
    Copy(usize),
    /// A channel whose output could not be written at once.
    Stuck(Box<[u8]>),
}

/// `fileevent`
struct Handler {
    channel: Value,
    writing: bool,
    realm: RealmId,
    script: Value,
}

/// `fcopy -command`
struct Background {
    copy: Copy,
    callback: Value,
    realm: RealmId,
    /// Whether the two channels may block otherwise.
    blocking: (bool, bool),
}

fn after(interp: &mut Interp<'_>, args: &[Value]) -> Outcome {
    let (word, rest) = (&args[0], &args[1..]);
    if let Some(pause) = word.as_int() {
        let pause = Duration::from_millis(u64::try_from(pause).unwrap_or(0));
        let at = Instant::now().checked_add(pause);
        // Longer than time can be counted is never.
        let at = at.unwrap_or_else(|| Instant::now() + Duration::from_secs(1 << 32));
        if rest.is_empty() {
            interp.flush_standard();
            while Instant::now() < at {
                interp.check_time()?;
                std::thread::sleep(at.saturating_duration_since(Instant::now()).min(GLANCE));
            }
            return Ok(Value::empty());
        }
        return Ok(interp.do_later(Some(at), Job::Script(script_of(rest))));
    }
    const OPTIONS: [&str; 3] = ["cancel", "idle", "info"];
    let Ok(option) = choice(word, &OPTIONS, "argument") else {
        let message = bytes!(
            "bad argument \"",
            word,
            "\": must be cancel, idle, info, or an integer"
        );
        let code = [&b"TCL"[..], b"LOOKUP", b"INDEX", b"argument", word.bytes()];
        return Err(Exit::coded(message, &code));
    };
    match (option, rest) {
        (0, []) => Err(wrong_args(b"after cancel", "id|command")),
        (0, _) => {
            interp.cancel_later(rest);
            Ok(Value::empty())
        }
        (1, []) => Err(wrong_args(b"after idle", "script ?script ...?")),
        (1, _) => Ok(interp.do_later(None, Job::Script(script_of(rest)))),
        (_, []) => Ok(interp.later_names()),
        (_, [name]) => interp.later_info(name),
        _ => Err(wrong_args(b"after info", "?id?")),
    }
}

fn script_of(words: &[Value]) -> Value {
    match words {
        [script] => script.clone(),
        words => lists::concat(words),
    }
}

fn update(interp: &mut Interp<'_>, args: &[Value]) -> Outcome {
    let idle_only = match args.first() {
        None => false,
        Some(word) => choice(word, &["idletasks"], "option").map(|_| true)?,
    };
    loop {
        let more = match idle_only {
            true => interp.run_idle()?,
            false => interp.one_event(false)?,
        };
        if !more {
            return Ok(Value::empty());
        }
    }
}

fn vwait(interp: &mut Interp<'_>, args: &[Value]) -> Outcome {
    let name = &args[0];
    let number = interp.state.events.next();
    let trace = Value::from(format!("{WAIT_TRACE} {number}"));
    const OPERATIONS: [&str; 2] = ["unset", "write"];
    let var = interp.at_frame(0, |interp| interp.traced_variable(name.bytes()))?;
    var.add_trace(VarTrace::new(OPERATIONS.to_vec(), trace.clone()));
    interp.state.events.waits.push((number, false));
    let result = interp.wait_for(name, number);
    interp
        .state
        .events
        .waits
        .retain(|(other, _)| *other != number);
    var.remove_trace(&OPERATIONS, &trace);
    result.map(|()| Value::empty())
}

/// Called when the variable of a `vwait` is set or unset.
fn waited(interp: &mut Interp<'_>, args: &[Value]) -> Outcome {
    let number = args[0].as_int();
    for (other, done) in &mut interp.state.events.waits {
        *done |= number == Some(*other as i64);
    }
    Ok(Value::empty())
}

/// `fileevent` and `chan event`
pub(super) fn file_event(interp: &mut Interp<'_>, args: &[Value]) -> Outcome {
    let writing = choice(&args[1], &["readable", "writable"], "event name")? == 1;
    let channel = channel::find(interp, &args[0])?;
    let (possible, word) = match writing {
        true => (channel.writable, "writable"),
        false => (channel.readable, "readable"),
    };
    if !possible {
        let message = format!("channel is not {word}");
        return Err(Exit::error(message));
    }
    let realm = interp.realm;
    let handlers = &mut interp.state.events.handlers;
    let at = handlers.iter().position(|handler| {
        handler.writing == writing
            && handler.realm == realm
            && handler.channel.bytes() == args[0].bytes()
    });
    let Some(script) = args.get(2) else {
        return Ok(at.map_or_else(Value::empty, |at| handlers[at].script.clone()));
    };
    if let Some(at) = at {
        handlers.remove(at);
    }
    if !script.is_empty() {
        handlers.push(Handler {
            channel: args[0].clone(),
            writing,
            realm,
            script: script.clone(),
        });
    }
    Ok(Value::empty())
}

impl Events {
    fn next(&mut self) -> usize {
        let number = self.serial;
        self.serial += 1;
        number
    }

    fn enter(&mut self, later: Later) {
        let place = self
            .later
            .partition_point(|other| match (other.at, later.at) {
                (Some(a), Some(b)) => a <= b,
                (first, _) => first.is_some() || later.at.is_none(),
            });
        self.later.insert(place, later);
    }
}

impl Interp<'_> {
    fn do_later(&mut self, at: Option<Instant>, job: Job) -> Value {
        let number = self.state.events.next();
        let realm = self.realm;
        self.state.events.enter(Later {
            number,
            at,
            realm,
            job,
        });
        Value::from(format!("after#{number}"))
    }

    /// Forgets a script for later: by its name, else the first one with this text.
    fn cancel_later(&mut self, words: &[Value]) {
        let realm = self.realm;
        let wanted = script_of(words);
        let events = &mut self.state.events;
        let name = |later: &Later| format!("after#{}", later.number).into_bytes() == wanted.bytes();
        let text = |later: &Later| matches!(&later.job, Job::Script(script) if script.bytes() == wanted.bytes());
        let own = |later: &&Later| later.realm == realm;
        let found = events.later.iter().filter(own).find(|later| name(later));
        let found = found.or_else(|| events.later.iter().filter(own).find(|later| text(later)));
        if let Some(number) = found.map(|later| later.number) {
            events.later.retain(|later| later.number != number);
        }
    }

    /// The names of the scripts for later, the newest first.
    fn later_names(&self) -> Value {
        let later = self.state.events.later.iter();
        let own =
            later.filter(|later| later.realm == self.realm && matches!(later.job, Job::Script(_)));
        let mut numbers: Vec<usize> = own.map(|later| later.number).collect();
        numbers.sort_unstable_by(|a, b| b.cmp(a));
        let names = numbers
            .iter()
            .map(|number| Value::from(format!("after#{number}")));
        Value::list(names.collect())
    }

    fn later_info(&self, name: &Value) -> Outcome {
        let found = self.state.events.later.iter().find(|later| {
            later.realm == self.realm
                && format!("after#{}", later.number).as_bytes() == name.bytes()
        });
        match found.map(|later| (&later.job, later.at)) {
            Some((Job::Script(script), at)) => {
                let kind = Value::from(if at.is_some() { "timer" } else { "idle" });
                Ok(Value::list(vec![script.clone(), kind]))
            }
            _ => {
                let message = bytes!("event \"", name, "\" doesn't exist");
                Err(Exit::coded(
                    message,
                    &[&b"TCL"[..], b"LOOKUP", b"EVENT", name.bytes()],
                ))
            }
        }
    }

    /// Forgets what was to happen with a channel that is closed.
    pub(super) fn forget_channel(&mut self, name: &[u8]) {
        let events = &mut self.state.events;
        events
            .handlers
            .retain(|handler| handler.channel.bytes() != name);
        let all = std::mem::take(&mut events.copies);
        let uses = |copy: &Copy| copy.input.bytes() == name || copy.output.bytes() == name;
        let (gone, rest): (Vec<_>, _) = all.into_iter().partition(|entry| uses(&entry.copy));
        events.copies = rest;
        gone.iter().for_each(|entry| self.release(entry));
    }

    /// Forgets what an interpreter that has ended wanted.
    pub(in crate::modulefile::tcl) fn forget_events(&mut self, realm: RealmId) {
        let events = &mut self.state.events;
        events.later.retain(|later| later.realm != realm);
        events.handlers.retain(|handler| handler.realm != realm);
    }

    /// Copies from one channel to another whenever that is possible.
    pub(super) fn copy_later(&mut self, copy: Copy, callback: Value) {
        let mut set = |name: &Value| {
            let channel = self.channel_of(name.bytes())?;
            channel.busy = true;
            Some(std::mem::replace(&mut channel.blocking, false))
        };
        let blocking = (
            set(&copy.input).unwrap_or(true),
            set(&copy.output).unwrap_or(true),
        );
        let realm = self.realm;
        self.state.events.copies.push(Background {
            copy,
            callback,
            realm,
            blocking,
        });
    }

    /// Gives the channels of a copy back.
    fn release(&mut self, entry: &Background) {
        let ends = [
            (&entry.copy.input, entry.blocking.0),
            (&entry.copy.output, entry.blocking.1),
        ];
        for (name, blocking) in ends {
            if let Some(channel) = self.channel_of(name.bytes()) {
                channel.busy = false;
                channel.blocking = blocking;
            }
        }
    }

    /// Ends a wait at the limit of time.
    fn check_time(&mut self) -> Outcome<()> {
        self.check_bounds()?;
        if self
            .deadline()
            .is_some_and(|deadline| Instant::now() > deadline)
        {
            return Err(Exit::Stop(Stop::Limit("the script takes too long")));
        }
        Ok(())
    }

    fn wait_for(&mut self, name: &Value, number: usize) -> Outcome<()> {
        while !self.state.events.waits.contains(&(number, true)) {
            if !self.one_event(true)? {
                let message = bytes!("can't wait for variable \"", name, "\": would wait forever");
                return Err(Exit::coded(message, &["TCL", "EVENT", "NO_SOURCES"]));
            }
        }
        Ok(())
    }

    /// Does what is due; false when nothing was and, for one that waits, nothing ever will be.
    fn one_event(&mut self, wait: bool) -> Outcome<bool> {
        self.step()?;
        let now = Instant::now();
        if self.run_due(|later| later.at.is_some_and(|at| at <= now))? {
            return Ok(true);
        }
        if let Some(source) = self.ready_source(Duration::ZERO) {
            self.serve(source)?;
            return Ok(true);
        }
        if self.run_idle()? {
            return Ok(true);
        }
        let next = self.state.events.later.first().and_then(|later| later.at);
        if !wait || next.is_none() && self.sources().is_empty() {
            return Ok(false);
        }
        self.flush_standard();
        self.check_time()?;
        let rest = next.map(|at| at.saturating_duration_since(Instant::now()));
        if let Some(source) = self.ready_source(rest.unwrap_or(GLANCE).min(GLANCE)) {
            self.serve(source)?;
        }
        Ok(true)
    }

    /// Does what waits for a quiet moment.
    fn run_idle(&mut self) -> Outcome<bool> {
        self.run_due(|later| later.at.is_none())
    }

    fn run_due(&mut self, is_due: impl Fn(&Later) -> bool) -> Outcome<bool> {
        // One at a time: each may cancel the others.
        let last = self.state.events.serial;
        let mut any = false;
        loop {
            let events = &mut self.state.events;
            let is_next = |later: &Later| later.number < last && is_due(later);
            let Some(at) = events.later.iter().position(is_next) else {
                return Ok(any);
            };
            any = true;
            let Later { realm, job, .. } = events.later.remove(at);
            match job {
                Job::Script(script) => {
                    let told = Some("\n    (\"after\" script)");
                    self.run_event(realm, &script, told)?;
                }
                Job::Report(message, options) => self.report(realm, message, options)?,
            }
        }
    }

    /// All that something may come from, beside time.
    fn sources(&self) -> Vec<Source> {
        let (events, channels) = (&self.state.events, &self.state.channels);
        let handlers = (0..events.handlers.len()).map(Source::Handler);
        let copies = (0..events.copies.len()).map(Source::Copy);
        let stuck = channels.stuck().map(|name| Source::Stuck(name.into()));
        handlers.chain(copies).chain(stuck).collect()
    }

    /// A source that has something to do, if there is one within a time.
    fn ready_source(&mut self, wait: Duration) -> Option<Source> {
        let mut sources = self.sources();
        if sources.is_empty() {
            std::thread::sleep(wait);
            return None;
        }
        self.state.events.turn += 1;
        let (events, channels) = (&self.state.events, &self.state.channels);
        let first = events.turn % sources.len();
        sources.rotate_left(first);
        let mut places = Vec::with_capacity(sources.len());
        let mut polled = Vec::with_capacity(sources.len());
        for (place, source) in sources.iter().enumerate() {
            let (name, writing) = match source {
                Source::Handler(at) => {
                    let handler = &events.handlers[*at];
                    (handler.channel.bytes(), handler.writing)
                }
                Source::Copy(at) => (events.copies[*at].copy.input.bytes(), false),
                Source::Stuck(name) => (&name[..], true),
            };
            let waits_for_output = match source {
                Source::Copy(at) => channels
                    .get(events.copies[*at].copy.output.bytes())
                    .is_some_and(|output| output.stuck),
                _ => false,
            };
            let Some(channel) = channels.get(name).filter(|_| !waits_for_output) else {
                continue;
            };
            // What never blocks is always ready.
            let descriptor = channel.end.descriptor(&*self.host, writing);
            let Some(descriptor) = descriptor.filter(|_| writing || !channel.has_input()) else {
                return Some(sources.swap_remove(place));
            };
            let flags = match writing {
                true => PollFlags::POLLOUT,
                false => PollFlags::POLLIN,
            };
            places.push(place);
            polled.push(PollFd::new(descriptor, flags));
        }
        let timeout = PollTimeout::try_from(wait).unwrap_or(PollTimeout::ZERO);
        // An interrupted wait is a short one.
        poll(&mut polled, timeout).ok()?;
        let ready = polled
            .iter()
            .position(|entry| entry.any().unwrap_or(false))?;
        Some(sources.swap_remove(places[ready]))
    }

    /// Does what a source that is ready asks for.
    fn serve(&mut self, source: Source) -> Outcome<()> {
        match source {
            Source::Handler(at) => self.call_handler(at),
            Source::Copy(at) => self.go_on_copying(at),
            Source::Stuck(name) => {
                self.write_waiting(&name);
                Ok(())
            }
        }
    }

    fn call_handler(&mut self, at: usize) -> Outcome<()> {
        let handler = &self.state.events.handlers[at];
        let (realm, script) = (handler.realm, handler.script.clone());
        let (channel, writing) = (handler.channel.clone(), handler.writing);
        if !self.run_event(realm, &script, None)? {
            // A script that failed would fail for ever.
            self.state.events.handlers.retain(|handler| {
                !(handler.realm == realm
                    && handler.writing == writing
                    && handler.channel.bytes() == channel.bytes())
            });
        }
        Ok(())
    }

    fn go_on_copying(&mut self, at: usize) -> Outcome<()> {
        let mut entry = self.state.events.copies.remove(at);
        let failed = match self.copy_some(&mut entry.copy) {
            Ok(false) => {
                self.state.events.copies.insert(at, entry);
                return Ok(());
            }
            Ok(true) => None,
            Err(Exit::Error(error)) => Some(error.message),
            Err(exit) => return Err(exit),
        };
        self.release(&entry);
        let mut words = entry.callback.as_list()?.to_vec();
        words.push(Value::int(entry.copy.count as i64));
        words.extend(failed);
        self.run_event(entry.realm, &Value::list(words), None)?;
        Ok(())
    }

    /// Runs a script whose result nobody waits for; false when it failed.
    pub(in crate::modulefile::tcl) fn run_event(
        &mut self,
        realm: RealmId,
        script: &Value,
        told: Option<&str>,
    ) -> Outcome<bool> {
        if self.realms[realm].deleted {
            return Ok(true);
        }
        let is_other = realm != self.realm;
        self.in_realm(realm, |interp| {
            let result = interp.eval_global(script);
            // Bounds of another interpreter do not end the one that waits.
            let result = match is_other {
                true => interp.leave_realm(realm, result),
                false => result,
            };
            let mut error = match result {
                Ok(_) => return Ok(true),
                Err(Exit::Return(_)) => unexpected("command returned bad code: 2"),
                Err(Exit::Error(error)) => error,
                Err(Exit::Break) => unexpected("invoked \"break\" outside of a loop"),
                Err(Exit::Continue) => unexpected("invoked \"continue\" outside of a loop"),
                Err(Exit::Other(other)) => {
                    unexpected(&format!("command returned bad code: {}", other.code))
                }
                Err(exit) => return Err(exit),
            };
            if let Some(told) = told {
                error.add_info(told);
            }
            let caught = errors::caught(interp, Err(Exit::Error(error)))?;
            let options = Value::dict(caught.options);
            interp.do_later(None, Job::Report(caught.value, options));
            Ok(false)
        })
    }

    /// Tells of an error that nobody waited for: to the script's own handler, else on standard error.
    fn report(&mut self, realm: RealmId, message: Value, options: Value) -> Outcome<()> {
        if self.realms[realm].deleted {
            return Ok(());
        }
        let handler = self.realms[realm].background.clone();
        let handler = handler.unwrap_or_else(|| Value::from("::tcl::Bgerror"));
        self.in_realm(realm, |interp| {
            let mut words = handler.as_list()?.to_vec();
            words.extend([message, options]);
            match interp.eval_global(&Value::list(words)) {
                Err(Exit::Error(error)) => interp.complain(bytes!(
                    "error in background error handler:\n",
                    error.info(),
                    "\n"
                )),
                Err(Exit::Break) => {
                    // The script wants to hear of no more of them.
                    let later = &mut interp.state.events.later;
                    later.retain(|later| {
                        later.realm != realm || matches!(later.job, Job::Script(_))
                    });
                    Ok(())
                }
                Err(stop @ Exit::Stop(_)) => Err(stop),
                _ => Ok(()),
            }
        })
    }

    /// Writes to standard error, whatever the script has made of that channel.
    fn complain(&mut self, text: Vec<u8>) -> Outcome<()> {
        self.count_output(text.len())?;
        // Nobody is left to hear of a closed standard error.
        let _ = self.host.write(Stream::Stderr, &text);
        Ok(())
    }
}

/// What is done about an error that nobody waited for, unless `interp bgerror` says otherwise: the proc `bgerror` is
/// called where there is one, and without one the error is written to standard error.
fn background_error(interp: &mut Interp<'_>, args: &[Value]) -> Outcome {
    let (message, options) = (&args[0], args[1].as_dict()?);
    let option = |name: &str| options.get(name.as_bytes()).cloned();
    let number = |name: &str| {
        option(name).map_or_else(
            || {
                let message = format!("missing return option \"{name}\"");
                Err(Exit::coded(message, &["TCL", "ARGUMENT", "MISSING"]))
            },
            |value| super::expect_int(&value),
        )
    };
    let (level, code) = (number("-level")?, number("-code")?);
    if level == 0 && code == 0 {
        return Ok(Value::empty());
    }
    // Other codes than that of an error are told in words.
    let message = match (level, code) {
        (0, 1) => message.clone(),
        (0, 3) => Value::from("invoked \"break\" outside of a loop"),
        (0, 4) => Value::from("invoked \"continue\" outside of a loop"),
        (0, code) if code != 2 => Value::from(format!("command returned bad code: {code}")),
        _ => Value::from("command returned bad code: 2"),
    };
    let info = option("-errorinfo").unwrap_or_else(|| message.clone());
    let code = option("-errorcode").unwrap_or_else(|| Value::from("NONE"));
    interp.at_frame(0, |interp| {
        interp.set_var(b"::errorInfo", info.clone())?;
        interp.set_var(b"::errorCode", code)
    })?;
    let has_own = interp.command_in(GLOBAL, b"bgerror").is_some();
    let words = vec![Value::from("bgerror"), message.clone()];
    let result = interp.eval_global(&Value::list(words));
    let failed = match result {
        Err(Exit::Error(error)) => error,
        other => return other,
    };
    interp.complain(match has_own {
        true => bytes!(
            "bgerror failed to handle background error.\n    Original error: ",
            message,
            "\n    Error in bgerror: ",
            failed.message,
            "\n"
        ),
        false => bytes!(info, "\n"),
    })?;
    Ok(Value::empty())
}

fn unexpected(message: &str) -> Box<crate::modulefile::tcl::error::Error> {
    Box::new(crate::modulefile::tcl::error::Error::new(message))
}
