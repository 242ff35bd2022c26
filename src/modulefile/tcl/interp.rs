//! The interpreter: frames, evaluation of scripts and commands, limits.
//!
//! `return`, `break`, `continue` and errors travel as [`Exit`]. A script is evaluated in one of three styles, which differ
//! only in what `errorInfo` tells: Tcl compiles bodies and reports a compiled body once, by its innermost command, while a
//! file is run command by command and reports each level. Source: Tcl 8.6, `Tcl(n)`, `Tcl_Eval(3)`.

mod call;
mod limits;
mod procs;
mod words;

use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Instant;

use rustc_hash::{FxBuildHasher, FxHashSet};

use crate::diag::SourceFile;

use super::builtin::State;
use super::command::{CommandKind, CommandTrace, Direct};
use super::embedding::Embedding;
use super::error::{Error, Exit, Outcome};
use super::expr::Expr;
use super::namespace::{GLOBAL, Namespace, NamespaceId};
use super::number;
use super::parse::{self, Code, Script};
use super::realm::{ROOT, Realm, RealmId};
use super::trail::Trail;
use super::value::Value;
use super::var::{PRECISION_TRACE, Var, VarTable, VarTrace};

pub use limits::Limits;
use limits::{CHECK_STEPS, stack_address};
pub(super) use procs::complete_return;

/// A call of a proc, `namespace eval`, or the global level.
pub(super) struct Frame {
    pub(super) vars: VarTable,
    pub(super) namespace: NamespaceId,
    pub(super) kind: FrameKind,
    /// The number that `info level` tells.
    pub(super) level: usize,
    /// The frame that `uplevel 1` means.
    pub(super) caller: usize,
}

pub(super) enum FrameKind {
    /// Variables are those of the namespace.
    Namespace(Vec<Value>),
    Proc(Vec<Value>),
}

impl Frame {
    pub(super) fn is_proc(&self) -> bool {
        matches!(self.kind, FrameKind::Proc(_))
    }

    /// The words of the command that made the frame.
    pub(super) fn words(&self) -> &[Value] {
        match &self.kind {
            FrameKind::Namespace(words) | FrameKind::Proc(words) => words,
        }
    }
}

/// How a script is run; see the top of this file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Style {
    /// Command by command, each level is reported.
    Direct,
    /// A compiled body: reported once.
    Unit,
    /// The body of a proc: as `Unit`, and loops over lists are compiled in place, too.
    Proc,
    /// Compiled as a part of the body around it.
    Inline,
}

/// An interpreter. Making one is cheap: built-in commands stay in static tables until they are used.
pub struct Interp<'h> {
    pub(super) host: &'h mut (dyn Embedding + 'h),
    pub(super) frames: Vec<Frame>,
    pub(super) active: usize,
    pub(super) namespaces: Vec<Namespace>,
    /// Commands of the embedding that were renamed or deleted.
    pub(super) hidden_embedding: FxHashSet<Box<[u8]>>,
    /// A function of expressions was defined by the script.
    pub(super) user_functions: bool,
    /// Some variable has a trace.
    pub(super) watches_variables: bool,
    /// Traces that are told of each command, because a command that they watch runs.
    pub(super) steps_watched: Vec<CommandTrace>,
    /// One of them runs: the steps of what it calls are told to nobody.
    pub(super) telling_step: bool,
    pub(super) limits: Limits,
    /// What the built-in commands keep.
    pub(super) state: State,
    pub(super) trail: Trail,
    pub(super) style: Style,
    /// Whether literal bodies of the command that is called now count as compiled in place.
    pub(super) inline: bool,
    pub(super) unit: Option<Rc<Code>>,
    pub(super) unit_is_proc: bool,
    pub(super) epoch: u64,
    pub(super) nesting: usize,
    pub(super) steps: u64,
    /// Steps of other interpreters of the tree.
    pub(super) other_steps: u64,
    /// At how many steps the bounds are looked at again.
    check_at: u64,
    /// How often they were.
    checks: u64,
    /// The interpreters, of which this one runs.
    pub(super) realms: Vec<Realm>,
    /// The interpreter that has the embedding's commands beside the first one.
    pub(super) embedded: RealmId,
    pub(super) realm: RealmId,
    /// What the process used when this was asked for the first time.
    memory_before: Option<usize>,
    deadline: Option<Instant>,
    stack_base: usize,
    output: usize,
    spare: Vec<Vec<Value>>,
    sources: HashMap<Vec<u8>, Rc<Script>, FxBuildHasher>,
}

thread_local! {
    /// The variables that each interpreter begins with. Their values are made once, however many files there are.
    static GIVEN: [(&'static str, Value); 9] = [
        ("tcl_version", "8.6"),
        ("tcl_patchLevel", "8.6.13"),
        ("tcl_interactive", "0"),
        ("tcl_precision", "0"),
        ("auto_path", ""),
        ("tcl_library", ""),
        ("tcl_pkgPath", ""),
        ("errorInfo", ""),
        ("errorCode", "NONE"),
    ]
    .map(|(name, value)| (name, Value::from(value)));

    /// The elements of `tcl_platform`, but for the user.
    static PLATFORM: [(&'static str, Value); 9] = platform();
}

/// Numbers epochs over all interpreters, so that scripts kept with values never meet a stale command.
pub(super) fn next_epoch() -> u64 {
    use std::sync::atomic::{AtomicU64, Ordering};
    static EPOCH: AtomicU64 = AtomicU64::new(1);
    EPOCH.fetch_add(1, Ordering::Relaxed)
}

impl<'h> Interp<'h> {
    /// An interpreter with Tcl's own commands and those of the embedding.
    pub fn new(host: &'h mut (dyn Embedding + 'h), limits: Limits) -> Interp<'h> {
        let global = Namespace {
            name: b"::".to_vec(),
            vars: VarTable::with_capacity_and_hasher(16, FxBuildHasher),
            ..Namespace::default()
        };
        let frame = Frame {
            vars: VarTable::default(),
            namespace: GLOBAL,
            kind: FrameKind::Namespace(Vec::new()),
            level: 0,
            caller: 0,
        };
        // Those of Tcl itself come below.
        let mut namespaces = Vec::with_capacity(6);
        namespaces.push(global);
        let mut interp = Interp {
            host,
            frames: vec![frame],
            active: 0,
            namespaces,
            hidden_embedding: FxHashSet::default(),
            user_functions: false,
            watches_variables: false,
            steps_watched: Vec::new(),
            telling_step: false,
            limits,
            state: State::default(),
            trail: Trail::default(),
            style: Style::Direct,
            inline: false,
            unit: None,
            unit_is_proc: false,
            epoch: next_epoch(),
            nesting: 0,
            steps: 0,
            other_steps: 0,
            check_at: CHECK_STEPS,
            checks: 0,
            realms: Interp::first_realm(),
            realm: ROOT,
            embedded: ROOT,
            memory_before: None,
            deadline: limits.time.map(|time| Instant::now() + time),
            stack_base: stack_address(),
            output: 0,
            spare: Vec::new(),
            sources: HashMap::default(),
        };
        for name in ["::tcl::mathfunc", "::tcl::tm", "::tcl::mathop"] {
            let space = interp.make_namespace(name.as_bytes(), GLOBAL);
            if name.ends_with("op") {
                interp.namespace_mut(space).exports.push(Value::from("*"));
            }
        }
        interp.insert_var(b"env", Var::env());
        let mut table = VarTable::with_capacity_and_hasher(10, FxBuildHasher);
        PLATFORM.with(|elements| {
            table.extend(elements.iter().map(|(name, value)| {
                let name: Box<[u8]> = name.as_bytes().into();
                (name, Var::scalar(value.clone()))
            }));
        });
        let platform = Var::array(table);
        if let Some(user) = interp
            .host
            .env_get(b"USER")
            .or_else(|| interp.host.env_get(b"LOGNAME"))
        {
            platform.set_element(b"user", Value::new(user));
        }
        interp.insert_var(b"tcl_platform", platform);
        GIVEN.with(|given| {
            for (name, value) in given {
                interp.insert_var(name.as_bytes(), Var::scalar(value.clone()));
            }
        });
        number::set_precision(0);
        if let Some(var) = interp.find_var(b"tcl_precision") {
            var.add_trace(VarTrace::new(
                vec!["unset", "write"],
                Value::from(PRECISION_TRACE),
            ));
        }
        interp
    }

    /// Sets global variables before a script is run.
    pub fn set_globals(&mut self, vars: &[(&str, Value)]) {
        for (name, value) in vars {
            self.namespace_mut(GLOBAL)
                .vars
                .insert(name.as_bytes().into(), Var::scalar(value.clone()));
        }
    }

    /// Sets `tcl_platform(user)` where the environment does not tell it.
    pub(super) fn set_platform_user(&mut self, name: Value) {
        if let Some(platform) = self.find_array(b"tcl_platform")
            && !self.var_exists(b"::tcl_platform(user)")
        {
            platform.set_element(b"user", name);
        }
    }

    /// Closes what the script left open.
    pub fn finish(&mut self) {
        self.close_channels();
    }

    pub(super) fn frame(&self) -> &Frame {
        &self.frames[self.active]
    }

    pub(super) fn frame_mut(&mut self) -> &mut Frame {
        &mut self.frames[self.active]
    }

    pub(super) fn has_user_functions(&self) -> bool {
        self.user_functions
    }

    /// Forgets what words mean: a command was defined, renamed or deleted.
    pub(super) fn commands_changed(&mut self) {
        self.epoch = next_epoch();
    }

    /// The next number of `rand()`: Park and Miller's generator, as Tcl has it.
    pub(super) fn random(&mut self) -> f64 {
        if self.state.seed == 0 {
            let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
            self.seed_random(now.map_or(1, |d| d.as_nanos() as i64));
        }
        self.state.seed = self.state.seed * 16807 % 0x7fff_ffff;
        self.state.seed as f64 / f64::from(0x7fff_ffff)
    }

    /// `srand()`
    pub(super) fn seed_random(&mut self, seed: i64) {
        let seed = seed & 0x7fff_ffff;
        self.state.seed = if seed == 0 || seed == 0x7fff_ffff {
            seed ^ 123_459_876
        } else {
            seed
        };
    }

    /// Runs the text of a file, as `source` does and as a modulefile is run.
    pub fn run_file(&mut self, file: &Arc<SourceFile>) -> Outcome {
        let end = file
            .text()
            .iter()
            .position(|&b| b == 0x1a)
            .unwrap_or(file.text().len());
        let script = Rc::new(parse::script(&Code::file(file, end)));
        self.run_source(&script, file.path().as_str())
    }

    /// Whether a text has no open brace, bracket or quote.
    pub(super) fn is_complete(&self, text: &[u8]) -> bool {
        parse::is_complete(&Code::value(&Value::from(text)))
    }

    /// Runs a text that is no file, such as what comes on standard input.
    pub(super) fn run_text(&mut self, text: &Arc<SourceFile>) -> Outcome {
        let script = Rc::new(parse::script(&Code::file(text, text.text().len())));
        self.nested(|interp| interp.run_script(&script, Style::Direct))
    }

    fn run_source(&mut self, script: &Rc<Script>, path: &str) -> Outcome {
        let saved = std::mem::replace(&mut self.state.script, Value::from(path));
        let result = self.nested(|interp| interp.run_script(script, Style::Direct));
        self.state.script = saved;
        match result {
            Err(Exit::Return(returning)) => self.finish_return(returning),
            Err(Exit::Error(mut error)) => {
                let shown = shorten(path.as_bytes(), 150);
                error.add_info(bytes!(
                    "\n    (file \"",
                    shown,
                    "\" line ",
                    error.line.to_string(),
                    ")"
                ));
                Err(Exit::Error(error))
            }
            other => other,
        }
    }

    /// Evaluates a script in the current scope.
    pub fn eval(&mut self, script: &Value) -> Outcome {
        self.eval_body(script, Style::Unit)
    }

    /// Evaluates a script at the global level.
    pub fn eval_global(&mut self, script: &Value) -> Outcome {
        self.at_frame(0, |interp| interp.eval(script))
    }

    /// How the command that is called now runs its bodies. To be asked before anything else is evaluated.
    pub(super) fn body_style(&self) -> Style {
        if self.inline {
            Style::Inline
        } else {
            Style::Unit
        }
    }

    /// The same for commands with variables of their own, which Tcl compiles in place only in procs.
    pub(super) fn loop_style(&self) -> Style {
        if self.inline && self.unit_is_proc {
            Style::Inline
        } else {
            Style::Unit
        }
    }

    /// Evaluates a body of a control structure.
    pub(super) fn eval_body(&mut self, body: &Value, style: Style) -> Outcome {
        if let Some(script) = body.script_form() {
            return self.run_body(&script, style);
        }
        if body.is_pure_list() {
            return self.eval_list(body);
        }
        let script = script_of(body);
        self.run_body(&script, style)
    }

    /// Runs a parsed body.
    pub(super) fn run_body(&mut self, script: &Rc<Script>, style: Style) -> Outcome {
        match style {
            // Nothing that a script keeps changes: it counts as a part of the one around it.
            Style::Inline => {
                self.check_stack()?;
                self.run_commands(script, style)
            }
            Style::Unit | Style::Proc | Style::Direct => {
                self.nested(|interp| interp.run_script(script, style))
            }
        }
    }

    fn run_script(&mut self, script: &Rc<Script>, style: Style) -> Outcome {
        if style == Style::Inline {
            return self.run_commands(script, style);
        }
        let saved_style = std::mem::replace(&mut self.style, style);
        let saved_unit = self.unit.replace(Rc::clone(&script.code));
        let saved_kind = std::mem::replace(&mut self.unit_is_proc, style == Style::Proc);
        let result = self.run_commands(script, style);
        self.unit = saved_unit;
        self.unit_is_proc = saved_kind;
        self.style = saved_style;
        match result {
            Err(Exit::Error(mut error)) if style != Style::Direct => {
                error.logged = false;
                Err(Exit::Error(error))
            }
            other => other,
        }
    }

    /// Evaluates `[script]` in the style of the command around it.
    pub(super) fn eval_bracket(&mut self, script: &Script) -> Outcome {
        self.check_stack()?;
        let style = match self.style {
            Style::Direct => Style::Direct,
            _ => Style::Inline,
        };
        // The usual bracket: one command that needs nobody to know where it stands.
        if let [command] = &*script.commands
            && script.error.is_none()
            && let Some(Direct::Leaf(leaf) | Direct::Both(leaf, _)) = self.direct(command)
            && self.steps + 1 < self.check_at
            && let Some(value) = leaf(self, command)
        {
            self.steps += 1;
            return Ok(value);
        }
        self.run_commands(script, style)
    }

    fn run_commands(&mut self, script: &Script, style: Style) -> Outcome {
        let depth = self.trail.len();
        let result = self.run_each(script, style, depth);
        self.trail.truncate(depth);
        result
    }

    /// Runs one command after the other; the trail is `depth` long outside of them.
    fn run_each(&mut self, script: &Script, style: Style, depth: usize) -> Outcome {
        let mut result = None;
        for command in &script.commands {
            // The last result may be the value that the next command wants to change in place.
            drop(result.take());
            if let Err(exit) = self.step() {
                return Err(self.stopped(exit, script, command, style));
            }
            let direct = self.direct(command);
            if let Some(Direct::Leaf(leaf) | Direct::Both(leaf, _)) = direct {
                result = leaf(self, command);
                if result.is_some() {
                    continue;
                }
            }
            let scope = (style, self.active);
            self.trail
                .mark(depth, script, (command.start, command.end), scope);
            match self.run_command(command, style, direct) {
                Ok(value) => result = Some(value),
                Err(Exit::Error(mut error)) => {
                    self.log(&mut error, script, command.start, command.end, style);
                    return Err(Exit::Error(error));
                }
                Err(other) => return Err(other),
            }
        }
        if let Some(wrong) = &script.error {
            let scope = (style, self.active);
            self.trail
                .mark(depth, script, (wrong.start, wrong.end), scope);
            let mut error = Box::new(Error::new(wrong.message));
            self.log(&mut error, script, wrong.start, wrong.end, style);
            return Err(Exit::Error(error));
        }
        Ok(result.unwrap_or_default())
    }

    /// A command that may not run any more.
    #[cold]
    fn stopped(&self, exit: Exit, script: &Script, command: &parse::Command, style: Style) -> Exit {
        match exit {
            Exit::Error(mut error) => {
                self.log(&mut error, script, command.start, command.end, style);
                Exit::Error(error)
            }
            other => other,
        }
    }

    /// Adds a command to `errorInfo` and remembers its line and place.
    fn log(&self, error: &mut Error, script: &Script, start: u32, end: u32, style: Style) {
        if error.place.is_none() {
            error.place = self.trail.place();
        }
        if !error.logged {
            let text = &script.code.text[start as usize..end as usize];
            if error.stack.is_empty() {
                error
                    .stack
                    .extend([Value::from("INNER"), Value::from(text.trim_ascii_end())]);
            }
            log_text(error, text);
            error.line = match &self.unit {
                Some(unit) if style != Style::Direct => script.code.line_in(unit, start),
                _ => script.code.line(start),
            };
        }
        error.logged = style != Style::Direct;
    }

    fn run_command(
        &mut self,
        parsed: &parse::Command,
        style: Style,
        direct: Option<Direct>,
    ) -> Outcome {
        if let Some(Direct::Both(_, direct)) = direct {
            self.inline = style != Style::Direct && parsed.literal;
            if let Some(result) = direct(self, parsed) {
                return result;
            }
        }
        let mut words = self.spare.pop().unwrap_or_default();
        let result = match self.collect_words(parsed, &mut words) {
            Ok(()) if words.is_empty() => Ok(Value::empty()),
            Ok(()) => match self.resolve(parsed, &words[0]) {
                Some(command) => {
                    self.inline = style != Style::Direct && parsed.literal;
                    self.call(&command, &words)
                }
                None => self.unknown(&words),
            },
            Err(exit) => Err(exit),
        };
        words.clear();
        if self.spare.len() < 64 {
            self.spare.push(words);
        }
        result
    }

    /// The short way of the command that a parsed command named last time, if that still holds.
    fn direct(&self, parsed: &parse::Command) -> Option<Direct> {
        if !self.steps_watched.is_empty() {
            return None;
        }
        let cached = parsed.cached.borrow();
        let cached = cached.as_ref()?;
        if cached.epoch != self.epoch || cached.namespace != self.frame().namespace {
            return None;
        }
        match &cached.command.kind {
            CommandKind::Builtin(def) if !cached.command.is_traced() => def.direct,
            _ => None,
        }
    }

    /// The truth of a condition.
    pub(super) fn condition(&mut self, condition: &Value) -> Outcome<bool> {
        if let Some(expr) = condition.expr_form() {
            return expr.truth(self);
        }
        expr_of(condition).truth(self)
    }

    /// The value of an expression.
    pub fn expr(&mut self, text: &Value) -> Outcome {
        if let Some(expr) = text.expr_form() {
            return expr.value(self);
        }
        expr_of(text).value(self)
    }

    /// Keeps `errorInfo` and `errorCode` for the script to read.
    pub fn publish(&mut self, error: &Error) {
        let info = Value::new(error.info());
        let code = error.code.clone();
        self.at_frame(0, |interp| {
            // A trace on these variables may fail; the error that is reported is the first one.
            let _ = interp.set_var(b"::errorInfo", info);
            let _ = interp.set_var(b"::errorCode", code);
            Ok(())
        })
        .unwrap_or_default();
    }

    /// The parsed text of a file that was run before, by its path and content.
    pub(super) fn source_script(&mut self, file: &Arc<SourceFile>) -> Rc<Script> {
        let key = bytes!(file.path().as_str(), "\0", file.text());
        if let Some(script) = self.sources.get(&key) {
            return Rc::clone(script);
        }
        let end = file
            .text()
            .iter()
            .position(|&b| b == 0x1a)
            .unwrap_or(file.text().len());
        let script = Rc::new(parse::script(&Code::file(file, end)));
        self.sources.insert(key, Rc::clone(&script));
        script
    }

    /// `source`: runs a file that was read already.
    pub(super) fn source(&mut self, file: &Arc<SourceFile>) -> Outcome {
        let script = self.source_script(file);
        self.run_source(&script, file.path().as_str())
    }
}

/// The array `tcl_platform`.
fn platform() -> [(&'static str, Value); 9] {
    let (release, machine) = match nix::sys::utsname::uname() {
        Ok(names) => (
            Value::from(&*names.release().to_string_lossy()),
            Value::from(&*names.machine().to_string_lossy()),
        ),
        Err(_) => (Value::empty(), Value::empty()),
    };
    let order = if cfg!(target_endian = "little") {
        "littleEndian"
    } else {
        "bigEndian"
    };
    [
        ("osVersion", release),
        ("pointerSize", Value::from("8")),
        ("byteOrder", Value::from(order)),
        ("machine", machine),
        ("platform", Value::from("unix")),
        ("pathSeparator", Value::from(":")),
        ("os", Value::from("Linux")),
        ("engine", Value::from("Tcl")),
        ("wordSize", Value::from("8")),
    ]
}

/// The parsed script of a value, kept with it.
pub(super) fn script_of(value: &Value) -> Rc<Script> {
    if let Some(script) = value.script_form() {
        return script;
    }
    let script = Rc::new(parse::script(&Code::value(value)));
    value.keep_script(&script);
    script
}

/// The compiled expression of a value, kept with it.
pub(super) fn expr_of(value: &Value) -> Rc<Expr> {
    if let Some(expr) = value.expr_form() {
        return expr;
    }
    let expr = Expr::compile(value);
    value.keep_expr(&expr);
    expr
}

/// The error for a command that does not exist.
pub(super) fn invalid_command(name: &Value) -> Exit {
    let message = bytes!("invalid command name \"", name, "\"");
    Exit::coded(message, &[&b"TCL"[..], b"LOOKUP", b"COMMAND", name.bytes()])
}

/// The error for a wrong number of arguments.
pub(super) fn wrong_args(name: &[u8], usage: &str) -> Exit {
    let space = if usage.is_empty() { "" } else { " " };
    let message = bytes!("wrong # args: should be \"", name, space, usage, "\"");
    Exit::coded(message, &["TCL", "WRONGARGS"])
}

/// Cuts text for a message, marked by dots.
pub(super) fn shorten(text: &[u8], most: usize) -> Vec<u8> {
    if text.len() <= most {
        return text.to_vec();
    }
    let mut end = most;
    while end > 0 && text[end] & 0xc0 == 0x80 {
        end -= 1;
    }
    bytes!(text[..end], "...")
}

fn log_text(error: &mut Error, command: &[u8]) {
    let heading = if error.info.is_empty() {
        "\n    while executing\n\""
    } else {
        "\n    invoked from within\n\""
    };
    error.add_info(bytes!(heading, shorten(command, 150), "\""));
}
