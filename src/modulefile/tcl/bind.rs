//! Tcl modulefiles and rc files: the interpreter bound to the commands of the table.
//!
//! The interpreter asks this [`Embedding`] for every command that is not Tcl's own; a call becomes [`Args`] and runs on
//! the [`Host`]. What a file writes to standard output is code for the shell, what it writes to standard error is text for
//! people. Source: `modulefile(4)`; Lmod user guide "Tcl modulefiles".
//!
//! A file ends in one of these ways: at its end or by `return` and `continue` (what it did is kept), by `break` (it gave
//! up), by `exit`, or by an error.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use bstr::{BString, ByteSlice};

use super::command::CommandKind;
use super::embedding::{Action, Call, CommandId, Embedding, Stream};
use super::error::{self, Error, Exit, Outcome};
use super::interp::{Interp, Limits};
use super::pattern::compare_dictionary;
use super::siteconfig::{self, Site, Speaker};
use super::value::Value as Word;
use super::words;
use crate::diag::{Diagnostic, Kind, Place, SourceFile, Span};
use crate::env::EnvOp;
use crate::modulefile::Mode;
use crate::modulefile::command::{COMMANDS, Command};
use crate::modulefile::host::{Host, Stop};
use crate::modulefile::relation::Directive;
use crate::modulefile::value::Value;
use crate::modulefile::world::Level;

/// The version of Environment Modules whose modulefiles we understand, for `#%Module99`.
const LANGUAGE_VERSION: &str = "5.6.1";

/// Evaluates the host's file.
///
/// # Errors
/// A mistake in the file, what its commands refuse, or a bound that was hit.
pub(in crate::modulefile) fn evaluate(host: &mut Host<'_>) -> Result<(), Stop> {
    check_cookie(host)?;
    let source = Arc::clone(&host.source);
    let mode = host.mode;
    let show_tcl = host.world.config().show_tcl;
    let (globals, limits) = (globals(host), limits(host));
    let help = Rc::new(RefCell::new(None));
    let site = Site::of(host);
    let mut binding = Binding::new(host, Rc::clone(&help));
    let speaker = Rc::clone(&binding.speaker);
    let mut interp = Interp::new(&mut binding, limits);
    let (mut version, mut test, mut said) = (None, None, None);
    let mut run = |interp: &mut Interp| {
        interp.set_globals(&globals);
        let mut result = interp.run_file(&source).map(drop);
        if is_kept(&result) {
            match mode {
                // Only Lua's way of showing a file has a line for its help.
                Mode::Show if show_tcl => {}
                Mode::Help | Mode::Spider | Mode::Show => {
                    *help.borrow_mut() = Some(BString::default());
                    result = call_proc(interp, "ModulesHelp").map(drop);
                    said = help.take();
                }
                Mode::Test => match call_proc(interp, "ModulesTest") {
                    Ok(value) => test = value.map(|value| value.as_bool() == Some(true)),
                    Err(exit) => result = Err(exit),
                },
                Mode::Rc => version = default_version(interp),
                _ => {}
            }
        }
        result
    };
    let result = match site {
        Some(site) => site.around(&mut interp, &speaker, run),
        None => run(&mut interp),
    };
    interp.finish();
    drop(interp);
    help.replace(said);
    binding.finish(result)?;
    host.evaluation.test_passed = test;
    match version {
        Some(version) => set_default(host, version),
        None => Ok(()),
    }
}

/// What the site's `siteconfig.tcl` sets: options of Environment Modules and texts.
///
/// # Errors
/// A mistake in the file.
pub(in crate::modulefile) fn site_options(
    host: &mut Host<'_>,
) -> Result<Vec<(String, String)>, Stop> {
    let Some(site) = Site::of(host) else {
        return Ok(Vec::new());
    };
    let limits = limits(host);
    let mut binding = Binding::new(host, Rc::default());
    let mut interp = Interp::new(&mut binding, limits);
    let started = site.start(&mut interp);
    let (result, options) = match started.and_then(|()| siteconfig::assigned(&mut interp)) {
        Ok(options) => (Ok(()), options),
        Err(exit) => (Err(exit), Vec::new()),
    };
    interp.finish();
    drop(interp);
    binding.finish(result)?;
    Ok(options)
}

/// Whether the file ended with what it did kept.
fn is_kept(result: &Result<(), Exit>) -> bool {
    matches!(result, Ok(()) | Err(Exit::Continue | Exit::Return(_)))
}

/// Bounds for an evaluation: a crawl meets files that nobody waits for.
fn limits(host: &Host) -> Limits {
    const CRAWL_TIME: Duration = Duration::from_secs(10);
    const CRAWL_STEPS: u64 = 5_000_000;
    match host.mode.is_crawl() {
        true => Limits {
            time: Some(host.time_left(CRAWL_TIME)),
            steps: CRAWL_STEPS,
            ..Limits::default()
        },
        false => Limits::default(),
    }
}

/// Variables that a file finds.
fn globals(host: &Host) -> Vec<(&'static str, Word)> {
    let config = host.world.config();
    let mut globals = vec![
        (
            "ModulesCurrentModulefile",
            Word::from(host.source.path().as_str()),
        ),
        ("ModuleTool", Word::from(config.tool_name.as_str())),
        (
            "ModuleToolVersion",
            Word::from(config.tool_version.as_str()),
        ),
    ];
    if host.mode == Mode::Rc {
        globals.push(("ModulesVersion", Word::empty()));
    }
    globals
}

/// Checks the first line: `#%Module`, perhaps with the version of the language that the file needs.
fn check_cookie(host: &Host) -> Result<(), Stop> {
    let text = host.source.text();
    let first = text.lines().next().unwrap_or_default();
    let word = first.split(|b| b.is_ascii_whitespace()).next();
    let word = word.unwrap_or_default();
    let Some(version) = word.strip_prefix(b"#%Module") else {
        if host.mode == Mode::Rc && !host.world.config().rc_needs_cookie {
            return Ok(());
        }
        return Err(Stop::fatal(
            Diagnostic::new(Kind::Modulefile, "`#%Module` is missing").at(
                Place::line(&host.source, 1),
                "the first line of a Tcl modulefile begins with it",
            ),
        ));
    };
    let version = version.trim_end_with(|c| c == '#');
    let is_too_new = compare_dictionary(version, LANGUAGE_VERSION.as_bytes()).is_gt();
    if host.world.config().cookie_version_check && is_too_new {
        return Err(Stop::fatal(
            Diagnostic::new(
                Kind::Modulefile,
                format!(
                    "this file needs version {} of the module language",
                    version.as_bstr()
                ),
            )
            .at(
                Place {
                    file: Arc::clone(&host.source),
                    span: Span::new(0, word.len()),
                },
                format!("version {LANGUAGE_VERSION} is known"),
            ),
        ));
    }
    Ok(())
}

/// Runs a proc of the file; `None` where the file has none of this name.
fn call_proc(interp: &mut Interp, name: &str) -> Result<Option<Word>, Exit> {
    let found = interp.find_command(name.as_bytes());
    let is_proc = found.is_some_and(|found| matches!(found.kind, CommandKind::Proc(_)));
    match is_proc {
        true => interp.eval_global(&Word::from(name)).map(Some),
        false => Ok(None),
    }
}

/// The value of `ModulesVersion`, or of `ModuleVersion` which old files set.
fn default_version(interp: &mut Interp) -> Option<BString> {
    ["::ModulesVersion", "::ModuleVersion"]
        .iter()
        .find_map(|name| {
            let value = interp.get_var(name.as_bytes()).ok()?;
            (!value.is_empty()).then(|| BString::from(value.bytes()))
        })
}

/// `set ModulesVersion VERSION`: the default of the directory.
fn set_default(host: &mut Host, version: BString) -> Result<(), Stop> {
    let place = place_of(&host.source, "ModulesVersion");
    let version = String::from_utf8(version.into());
    match version {
        Ok(version) if !version.contains('/') => {
            host.evaluation
                .directives
                .push((Directive::Default { version }, place));
            Ok(())
        }
        _ => Err(Stop::fatal(
            Diagnostic::new(Kind::Modulefile, "invalid `ModulesVersion`")
                .at(place, "the version alone, without a `/`"),
        )),
    }
}

/// The line of a file that holds `word`.
fn place_of(source: &Arc<SourceFile>, word: &str) -> Place {
    let at = source.text().find(word).unwrap_or(0);
    Place::line(source, source.line_of(Span::new(at, at).start))
}

/// The embedding of one evaluation.
struct Binding<'h, 'w> {
    host: &'h mut Host<'w>,
    /// Why the evaluation was stopped from here.
    stop: Option<Stop>,
    /// The last error that a command gave, with the message by which it is known again when nobody caught it.
    error: Option<(BString, Box<Diagnostic>)>,
    /// Code for the shell: `puts stdout`, `puts prestdout`.
    code: [BString; 2],
    /// What `ModulesHelp` writes, when it runs: shared with those who run it.
    help: Rc<RefCell<Option<BString>>>,
    /// Tcl variables to set when the command has returned.
    assignments: Vec<(Vec<u8>, Word)>,
    /// Whose code runs.
    speaker: Rc<Cell<Speaker>>,
}

impl<'h, 'w> Binding<'h, 'w> {
    fn new(host: &'h mut Host<'w>, help: Rc<RefCell<Option<BString>>>) -> Binding<'h, 'w> {
        Binding {
            host,
            stop: None,
            error: None,
            code: [BString::default(), BString::default()],
            help,
            assignments: Vec::new(),
            speaker: Rc::default(),
        }
    }

    /// Runs a command of the table.
    fn run(&mut self, command: &'static Command, call: &Call<'_>) -> Result<Word, Stop> {
        let config = self.host.world.config();
        let args = words::read(command, call.args(), config)?;
        let place = call.place().unwrap_or_else(|| self.host.place.clone());
        let known = self.host.evaluation.variants.len();
        let value = self.host.call(command, args, place)?;
        for variant in &self.host.evaluation.variants[known..] {
            let name = format!("::ModuleVariant({})", variant.name);
            match &variant.value {
                Some(value) => self
                    .assignments
                    .push((name.into_bytes(), Word::from(value.as_str()))),
                // A listing evaluates the file without a choice.
                None if self.host.mode != Mode::Show => {
                    self.assignments.push((name.into_bytes(), Word::empty()));
                }
                None => {}
            }
        }
        Ok(word(&value))
    }

    /// Takes text that a file writes to one of the streams that are ours.
    fn take(&mut self, channel: Channel, bytes: &[u8]) {
        if self.speaker.get() == Speaker::Siteconfig {
            return;
        }
        if let Some(help) = self.help.borrow_mut().as_mut() {
            help.extend_from_slice(bytes);
            return;
        }
        match (channel, self.host.mode) {
            (Channel::Stderr, _) => self.host.tell(Level::Plain, bytes),
            // An rc file has no say in what the shell does.
            (_, Mode::Rc) => self.host.tell(Level::Plain, bytes),
            (Channel::Stdout, _) => self.code[0].extend_from_slice(bytes),
            (Channel::PreStdout, _) => self.code[1].extend_from_slice(bytes),
        }
    }

    /// Turns the end of the script into the end of the evaluation.
    fn finish(self, result: Result<(), Exit>) -> Result<(), Stop> {
        let Binding {
            host,
            stop,
            error,
            code,
            help,
            ..
        } = self;
        if let Some(help) = help.take()
            && !help.trim_ascii().is_empty()
        {
            let text = help.strip_suffix(b"\n").unwrap_or(&help);
            host.evaluation.help.push(text.into());
        }
        if is_kept(&result) {
            for (text, first) in code.into_iter().zip([false, true]) {
                let text = text.strip_suffix(b"\n").unwrap_or(&text);
                if !text.is_empty() {
                    let code = text.into();
                    host.push_in_modes(EnvOp::Execute { code, first }, &["load", "unload"])?;
                }
            }
        }
        match result {
            Ok(()) | Err(Exit::Continue | Exit::Return(_) | Exit::Other(_) | Exit::Tail(_)) => {
                Ok(())
            }
            Err(Exit::Break) => Err(Stop::Break(None)),
            Err(Exit::Error(error)) if is_stray_break(&error) => Err(Stop::Break(None)),
            Err(Exit::Error(failure)) => Err(Stop::error(diagnose(host, &failure, error))),
            Err(Exit::Stop(error::Stop::Exit(status))) => match host.mode {
                // Listings go on; an rc file ends itself alone.
                Mode::Spider | Mode::Check | Mode::Rc | Mode::Whatis | Mode::Help => Ok(()),
                _ => Err(Stop::Exit(status)),
            },
            Err(Exit::Stop(error::Stop::Embedding)) => Err(stop.unwrap_or(Stop::Finish)),
            Err(Exit::Stop(
                limit @ (error::Stop::Limit(_)
                | error::Stop::Bound { .. }
                | error::Stop::Unwound { .. }),
            )) => Err(Stop::fatal(
                Diagnostic::new(Kind::Modulefile, limit.to_string()).at(host.place.clone(), ""),
            )),
        }
    }
}

/// `break` inside a proc gives up too.
fn is_stray_break(error: &Error) -> bool {
    error.message.bytes() == b"invoked \"break\" outside of a loop"
}

/// The error for people: what the command that failed knows of it, or what Tcl says.
fn diagnose(host: &Host, failure: &Error, known: Option<(BString, Box<Diagnostic>)>) -> Diagnostic {
    let mut diagnostic = failure.to_diagnostic();
    if let Some((message, facts)) = known
        && message == failure.message.bytes()
    {
        diagnostic.kind = facts.kind;
        diagnostic.message = facts.message;
        diagnostic.help.extend(facts.help);
        if let (Some((_, label)), Some((_, said))) = (&mut diagnostic.place, facts.place) {
            *label = said;
        }
        diagnostic.notes.splice(0..0, facts.notes);
    }
    let code = failure.code.as_list().unwrap_or_default();
    if let [tcl, lookup, command, name] = code.as_slice()
        && [tcl.bytes(), lookup.bytes(), command.bytes()] == [&b"TCL"[..], b"LOOKUP", b"COMMAND"]
    {
        let name = name.text();
        diagnostic.message = format!("unknown command `{name}`");
        if let Some((_, label)) = &mut diagnostic.place {
            *label = match host.mode {
                Mode::Rc => "not a command of rc files".to_owned(),
                _ => "not a modulefile command".to_owned(),
            };
        }
        if let Some(near) = near(host.mode, &name) {
            diagnostic = diagnostic.help(format!("did you mean `{near}`?"));
        }
    }
    let place = diagnostic.place.take();
    let (place, label) = place.unwrap_or_else(|| (Place::line(&host.source, 1), String::new()));
    diagnostic.at(place, label)
}

/// The command whose name is most like `name`.
pub(super) fn near(mode: Mode, name: &str) -> Option<&'static str> {
    const TCL: [&str; 24] = [
        "append", "array", "break", "catch", "continue", "error", "eval", "exec", "exit", "expr",
        "file", "foreach", "global", "info", "lappend", "lindex", "proc", "puts", "regexp",
        "return", "source", "string", "switch", "unset",
    ];
    let longest = match name.len() {
        0..=3 => 1,
        4..=6 => 2,
        _ => 3,
    };
    COMMANDS
        .iter()
        .filter(|command| is_known(command, mode))
        .flat_map(|command| command.tcl)
        .chain(&TCL)
        .map(|known| (strsim::damerau_levenshtein(known, name), *known))
        .filter(|(distance, _)| *distance <= longest)
        .min()
        .map(|(_, known)| known)
}

/// Whether a file evaluated in this mode has the command.
fn is_known(command: &Command, mode: Mode) -> bool {
    mode != Mode::Rc || command.in_rc
}

/// The value of a command as Tcl writes it.
fn word(value: &Value) -> Word {
    match value {
        Value::Nil => Word::empty(),
        Value::Bool(truth) => Word::bool(*truth),
        Value::Int(number) => Word::int(*number),
        Value::Float(number) => Word::double(*number),
        Value::Bytes(text) => Word::from(text.as_slice()),
        Value::List(items) => Word::list(items.iter().map(word).collect()),
        Value::Map(map) => Word::list(
            map.iter()
                .flat_map(|(key, value)| [Word::from(key.as_str()), word(value)])
                .collect(),
        ),
        Value::Spec(spec) => Word::from(spec.text.as_str()),
    }
}

/// The streams that end with us.
#[derive(Clone, Copy)]
enum Channel {
    Stdout,
    PreStdout,
    Stderr,
}

impl Embedding for Binding<'_, '_> {
    fn find_command(&mut self, name: &[u8]) -> Option<CommandId> {
        let mode = self.host.mode;
        COMMANDS.iter().position(|command| {
            command.tcl.iter().any(|tcl| tcl.as_bytes() == name) && is_known(command, mode)
        })
    }

    fn command_names(&self) -> Vec<&str> {
        let mode = self.host.mode;
        COMMANDS
            .iter()
            .filter(|command| is_known(command, mode))
            .flat_map(|command| command.tcl)
            .copied()
            .collect()
    }

    fn call(&mut self, id: CommandId, call: &Call<'_>) -> Outcome {
        let stop = match self.run(&COMMANDS[id], call) {
            Ok(value) => return Ok(value),
            Err(stop) => stop,
        };
        let name = call.words[0].text().into_owned();
        let diagnostic = match stop {
            Stop::Argument(error) => Box::new(Diagnostic::new(
                Kind::Modulefile,
                format!("`{name}`: {}", error.message),
            )),
            Stop::Error(diagnostic) => diagnostic,
            other => {
                self.stop = Some(other);
                return Err(Exit::Stop(error::Stop::Embedding));
            }
        };
        let message = diagnostic.message.clone();
        self.error = Some((BString::from(message.as_str()), diagnostic));
        Err(Exit::error(message))
    }

    fn assignments(&mut self) -> Vec<(Vec<u8>, Word)> {
        std::mem::take(&mut self.assignments)
    }

    fn env_get(&mut self, name: &[u8]) -> Option<Vec<u8>> {
        self.host.var(name.as_bstr()).map(Vec::from)
    }

    fn env_set(&mut self, name: &[u8], value: &[u8]) -> Result<(), String> {
        self.host.set_private(name.as_bstr(), Some(value.into()));
        Ok(())
    }

    fn env_unset(&mut self, name: &[u8]) -> Result<(), String> {
        self.host.set_private(name.as_bstr(), None);
        Ok(())
    }

    fn env_names(&mut self) -> Vec<Vec<u8>> {
        self.host.environment().into_keys().map(Vec::from).collect()
    }

    fn write(&mut self, stream: Stream, bytes: &[u8]) -> std::io::Result<()> {
        let channel = match stream {
            Stream::Stdout => Channel::Stdout,
            Stream::Stderr => Channel::Stderr,
        };
        self.take(channel, bytes);
        Ok(())
    }

    fn write_named(&mut self, channel: &[u8], bytes: &[u8]) -> bool {
        match channel {
            b"prestdout" => self.take(Channel::PreStdout, bytes),
            b"log" => self.host.world.log(bytes.as_bstr()),
            _ => return false,
        }
        true
    }

    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        self.host.ask(buffer)
    }

    fn permit(&mut self, action: Action) -> Result<(), String> {
        let mode = self.host.mode;
        let refused = match action {
            Action::Write => mode.is_crawl(),
            Action::Run => mode.is_crawl() && !self.host.world.config().crawl_programs,
        };
        match refused && self.speaker.get() == Speaker::File {
            true => Err("not while modulefiles are listed".to_owned()),
            false => Ok(()),
        }
    }

    fn program_time(&self) -> Option<Duration> {
        self.host.program_time()
    }
}

#[cfg(test)]
mod tests;
