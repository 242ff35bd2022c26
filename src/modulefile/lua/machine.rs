//! The Lua machine: made once, bounded, entered again for a file that another file loads in its middle.
//!
//! Functions that live as long as the machine cannot hold the evaluation they work for. Each evaluation therefore puts a
//! *gate* on a stack: a function of the evaluation's own scope that hands the present [`Host`] to a job. A function that
//! needs the host leaves a job and goes through the gate on top.

use std::cell::{Cell, RefCell};
use std::ffi::c_void;
use std::fmt;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bstr::{BString, ByteSlice};
use mlua::chunk::ChunkMode;
use mlua::{Function, HookTriggers, Lua, LuaOptions, StdLib, VmState};

use super::errors::{self, Raised};
use super::library::io::Pending;
use super::sandbox::{self, Environments};
use super::site::{self, Registered, StartFiles};
use crate::diag::{Diagnostic, Kind, Place, SourceFile};
use crate::env::EnvOp;
use crate::modulefile::Mode;
use crate::modulefile::command::Command;
use crate::modulefile::host::{Host, Stop};
use crate::modulefile::value::{Args, Value};
use crate::modulefile::world::Level;

/// Most memory that the Lua values of a run may take.
const MAX_MEMORY_BYTES: usize = 256 << 20;
/// Most instructions of one evaluation: seconds of work, a thousand times what real files need.
const MAX_STEPS: u64 = 100_000_000;
/// Most time of the processor that one evaluation may take: some instructions take much longer than others.
const MAX_BUSY: Duration = Duration::from_secs(20);
/// How often both are looked at, in instructions.
const STEPS_PER_LOOK: u32 = 1_000;
/// Most that one file may write to standard output.
const MAX_CODE_BYTES: usize = 16 << 20;
/// Most that one file may hand to commands, which keep it outside of Lua's memory.
const MAX_GIVEN_BYTES: usize = 128 << 20;
/// How many files may be open inside each other on one machine: Lua allows 200 nested calls of C functions, of which a
/// nested load takes a few. Deeper files run on a further machine.
const FILES_PER_MACHINE: usize = 16;

/// The machines of a run, made when they are needed.
#[derive(Default)]
pub(in crate::modulefile) struct Machines {
    all: RefCell<Vec<Rc<Machine>>>,
    start_files: StartFiles,
}

impl fmt::Debug for Machines {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Machines({})", self.all.borrow().len())
    }
}

impl Machines {
    /// The start files of the site.
    pub(super) fn start_files(&self) -> &StartFiles {
        &self.start_files
    }
}

/// One Lua state with its sandbox.
pub(super) struct Machine {
    lua: Lua,
    shared: Rc<Shared>,
    environments: Environments,
}

/// What functions inside the machine share with the evaluation that runs.
#[derive(Default)]
pub(super) struct Shared {
    frames: RefCell<Vec<Frame>>,
    job: RefCell<Option<Job>>,
    answer: RefCell<Option<Answer>>,
    stop: RefCell<Option<Stop>>,
    steps: Cell<u64>,
    /// The time of the processor at the first look of the evaluation.
    started: Cell<Option<Duration>>,
    /// When whoever waits for the evaluation has no more time.
    deadline: Cell<Option<Instant>>,
    /// Bytes that the evaluation has handed to commands so far.
    given: Cell<usize>,
    /// What the site's code has registered.
    pub(super) registered: Registered,
}

/// Work that needs the host.
enum Job {
    /// A command of the table, called at a place: what files ask for most. Its answer is left beside the job.
    Call(&'static Command, Args, Option<Place>),
    /// Anything else.
    Other(Box<dyn FnOnce(&mut Host<'_>)>),
}

impl Job {
    fn run(self, host: &mut Host<'_>, answer: &RefCell<Option<Answer>>) {
        match self {
            Job::Call(command, args, place) => {
                let place = place.unwrap_or_else(|| host.place.clone());
                // The command may have loaded other files, which left answers of their own.
                let value = host.call(command, args, place);
                answer.replace(Some(value));
            }
            Job::Other(work) => work(host),
        }
    }
}

/// What a command gives.
type Answer = Result<Value, Stop>;

/// One evaluation under way.
struct Frame {
    gate: Function,
    source: Arc<SourceFile>,
    /// Tells the function that holds the file's lines from all others.
    chunk: *const c_void,
    steps: u64,
    started: Option<Duration>,
    deadline: Option<Instant>,
    given: usize,
    lines: Lines,
    /// What the file wrote to standard output.
    code: BString,
    /// Programs that still wait for their input to end.
    pipes: Vec<Pipe>,
}

/// A program that runs when its input ends.
pub(super) type Pipe = Rc<RefCell<Option<Pending>>>;

impl Machine {
    /// The machine on which the host's file runs; a new one runs the site's start files first.
    pub(super) fn of(host: &mut Host<'_>) -> Result<Rc<Machine>, Stop> {
        let machines = &host.world.languages().lua;
        let free = |m: &&Rc<Machine>| m.shared.frames.borrow().len() < FILES_PER_MACHINE;
        if let Some(machine) = machines.all.borrow().iter().find(free) {
            return Ok(Rc::clone(machine));
        }
        let machine = Machine::new().map_err(|error| {
            Stop::fatal(Diagnostic::new(
                Kind::Bug,
                format!("Lua cannot start: {error}"),
            ))
        })?;
        let machine = Rc::new(machine);
        machines.all.borrow_mut().push(Rc::clone(&machine));
        let (session, config) = (host.world.session(), host.world.config());
        let files = machines.start_files.get(session, config).to_vec();
        site::start(&machine, &files, host)?;
        Ok(machine)
    }

    fn new() -> mlua::Result<Machine> {
        // Strings have methods from the start; `math` and `table` are opened when somebody names them.
        let lua = Lua::new_with(StdLib::STRING, LuaOptions::new().catch_rust_panics(false))?;
        lua.set_memory_limit(MAX_MEMORY_BYTES)?;
        let shared = Rc::new(Shared::default());
        let counter = Rc::clone(&shared);
        let triggers = HookTriggers::new().every_nth_instruction(STEPS_PER_LOOK);
        // Also for the coroutines of code of the site.
        lua.set_global_hook(triggers, move |lua, _| counter.count_steps(lua))?;
        let environments = sandbox::environments(&lua, &shared)?;
        Ok(Machine {
            lua,
            shared,
            environments,
        })
    }

    /// What functions inside the machine share.
    pub(super) fn shared(&self) -> &Rc<Shared> {
        &self.shared
    }

    /// Runs the text of a modulefile to its end, with globals of its own.
    pub(super) fn run_text(
        &self,
        host: &mut Host<'_>,
        text: &[u8],
        name: &str,
    ) -> Result<(), Stop> {
        let environment = self.environments.of(host.mode);
        self.within(host, |lua, shared| {
            let globals = lua.create_table()?;
            globals.set_metatable(Some(environment))?;
            let chunk = lua
                .load(text)
                .set_name(name)
                .set_mode(ChunkMode::Text)
                .set_environment(globals)
                .into_function()?;
            shared.run_chunk(&chunk)?;
            shared.close_pipes()?;
            shared.give_code()
        })
    }

    /// Does `work` in Lua on behalf of the host.
    pub(super) fn within<R>(
        &self,
        host: &mut Host<'_>,
        work: impl FnOnce(&Lua, &Rc<Shared>) -> mlua::Result<R>,
    ) -> Result<R, Stop> {
        let source = Arc::clone(&host.source);
        let deadline = host.world.deadline();
        let host = RefCell::new(host);
        let result = self.lua.scope(|scope| {
            let gate = scope.create_function(|_, ()| {
                let job = self.shared.job.take();
                match (job, host.try_borrow_mut()) {
                    (Some(job), Ok(mut host)) => job.run(&mut host, &self.shared.answer),
                    // A finalizer that runs while a command is at work.
                    _ => return Err(mlua::Error::runtime("a command is being carried out")),
                }
                Ok(())
            })?;
            let _frame = self.shared.enter(gate, &source, deadline);
            work(&self.lua, &self.shared)
        });
        match (self.shared.stop.take(), result) {
            (Some(stop), _) => Err(stop),
            (None, Ok(value)) => Ok(value),
            (None, Err(error)) => Err(Stop::error(errors::diagnostic(&error, &source))),
        }
    }
}

fn no_answer() -> mlua::Error {
    mlua::Error::runtime("the evaluation has ended")
}

impl Shared {
    /// Lets `work` use the host of the innermost evaluation.
    pub(super) fn host<R: 'static>(
        &self,
        work: impl FnOnce(&mut Host<'_>) -> R + 'static,
    ) -> mlua::Result<R> {
        let slot = Rc::new(Cell::new(None));
        let answer = Rc::clone(&slot);
        self.pass(Job::Other(Box::new(move |host| {
            answer.set(Some(work(host)));
        })))?;
        slot.take().ok_or_else(no_answer)
    }

    /// Runs a command of the table on the host of the innermost evaluation.
    pub(super) fn call(
        &self,
        command: &'static Command,
        args: Args,
        place: Option<Place>,
    ) -> mlua::Result<Answer> {
        self.pass(Job::Call(command, args, place))?;
        self.answer.take().ok_or_else(no_answer)
    }

    /// Takes a job through the gate of the innermost evaluation.
    fn pass(&self, job: Job) -> mlua::Result<()> {
        if self.is_stopped() {
            return Err(mlua::Error::external(Raised::Stopped));
        }
        let gate = self.frames.borrow().last().map(|f| f.gate.clone());
        let gate = gate.ok_or_else(|| mlua::Error::runtime("no modulefile is being evaluated"))?;
        *self.job.borrow_mut() = Some(job);
        gate.call(())
    }

    /// Ends the evaluation in a way that the file cannot catch.
    pub(super) fn stop(&self, stop: Stop) -> mlua::Error {
        self.stop.borrow_mut().get_or_insert(stop);
        mlua::Error::external(Raised::Stopped)
    }

    /// Whether the evaluation is at its end, and only unwinds.
    pub(super) fn is_stopped(&self) -> bool {
        self.stop.borrow().is_some()
    }

    /// Runs the code of the file that is being evaluated.
    fn run_chunk(&self, chunk: &Function) -> mlua::Result<()> {
        if let Some(frame) = self.frames.borrow_mut().last_mut() {
            frame.chunk = chunk.to_pointer();
        }
        chunk.call(())
    }

    /// The place in the file that is being evaluated from which the running function of ours was called, perhaps through
    /// functions of other files.
    pub(super) fn place(&self, lua: &Lua) -> Option<Place> {
        self.place_above(lua, 1)
    }

    /// The same from `level` of the stack on; at level 0 is what runs.
    fn place_above(&self, lua: &Lua, level: usize) -> Option<Place> {
        let mut frames = self.frames.borrow_mut();
        let frame = frames.last_mut()?;
        let line = errors::current_line(lua, level, frame.source.path(), frame.chunk)?;
        Some(frame.lines.place(&frame.source, line))
    }

    /// Counts what the file hands to a command.
    pub(super) fn give(&self, lua: &Lua, bytes: usize) -> mlua::Result<()> {
        /// What a call costs beside its bytes.
        const CALL: usize = 256;
        let given = self.given.get().saturating_add(bytes + CALL);
        self.given.set(given);
        if given <= MAX_GIVEN_BYTES {
            return Ok(());
        }
        let diagnostic = Diagnostic::new(
            Kind::Modulefile,
            format!(
                "the modulefile asks for more than {} MiB",
                MAX_GIVEN_BYTES >> 20
            ),
        );
        Err(self.stop(Stop::fatal(match self.place(lua) {
            Some(place) => diagnostic.at(place, ""),
            None => diagnostic,
        })))
    }

    /// Keeps what the file writes to standard output: code for the shell.
    pub(super) fn write_code(&self, text: BString) -> mlua::Result<()> {
        if self.is_stopped() {
            return Err(mlua::Error::external(Raised::Stopped));
        }
        if let Some(frame) = self.frames.borrow_mut().last_mut()
            && frame.code.len() + text.len() <= MAX_CODE_BYTES
        {
            frame.code.extend_from_slice(&text);
            return Ok(());
        }
        Err(self.stop(Stop::fatal(Diagnostic::new(
            Kind::Modulefile,
            format!(
                "more than {} MiB written to standard output",
                MAX_CODE_BYTES >> 20
            ),
        ))))
    }

    /// Remembers a pipe, so that it is closed when the file ends.
    pub(super) fn keep_pipe(&self, pipe: &Pipe) {
        if let Some(frame) = self.frames.borrow_mut().last_mut() {
            frame.pipes.push(Rc::clone(pipe));
        }
    }

    fn close_pipes(&self) -> mlua::Result<()> {
        let mut frames = self.frames.borrow_mut();
        let pipes = frames.last_mut().map(|f| std::mem::take(&mut f.pipes));
        drop(frames);
        for pipe in pipes.unwrap_or_default() {
            if let Some(pending) = pipe.take() {
                let result = self.host(move |host| pending.run(host))?;
                result.map_err(|stop| self.stop(stop))?;
            }
        }
        Ok(())
    }

    /// Hands what the file wrote to the shell, or to people where nothing is loaded.
    fn give_code(&self) -> mlua::Result<()> {
        let mut frames = self.frames.borrow_mut();
        let code = frames.last_mut().map(|f| std::mem::take(&mut f.code));
        drop(frames);
        let Some(code) = code.filter(|c| !c.is_empty()) else {
            return Ok(());
        };
        let given = self.host(move |host| match host.mode {
            Mode::Load | Mode::Unload | Mode::Refresh => {
                let op = EnvOp::Execute { code, first: true };
                host.push_in_modes(op, &["all"])
            }
            Mode::Show | Mode::Test => {
                host.tell(Level::Plain, code);
                Ok(())
            }
            _ => Ok(()),
        })?;
        given.map_err(|stop| self.stop(stop))
    }

    fn enter(
        &self,
        gate: Function,
        source: &Arc<SourceFile>,
        deadline: Option<Instant>,
    ) -> Entered<'_> {
        self.frames.borrow_mut().push(Frame {
            gate,
            source: Arc::clone(source),
            chunk: std::ptr::null(),
            steps: self.steps.replace(0),
            started: self.started.take(),
            deadline: self.deadline.replace(deadline),
            given: self.given.replace(0),
            lines: Lines::default(),
            code: BString::default(),
            pipes: Vec::new(),
        });
        Entered(self)
    }

    /// How long the evaluation has kept the processor since its first look.
    fn busy(&self) -> Duration {
        use nix::time::{ClockId, clock_gettime};
        let now = clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID);
        let now = now.map_or(Duration::ZERO, Duration::from);
        let started = self.started.get().unwrap_or(now);
        self.started.set(Some(started));
        now.saturating_sub(started)
    }

    fn count_steps(&self, lua: &Lua) -> mlua::Result<VmState> {
        if self.is_stopped() {
            return Err(mlua::Error::external(Raised::Stopped));
        }
        let steps = self.steps.get() + u64::from(STEPS_PER_LOOK);
        self.steps.set(steps);
        let bound = if steps >= MAX_STEPS {
            format!("{MAX_STEPS} Lua instructions")
        } else if self.busy() >= MAX_BUSY {
            format!("{} seconds of Lua", MAX_BUSY.as_secs())
        } else if (self.deadline.get()).is_some_and(|deadline| Instant::now() > deadline) {
            "the time that there was for it".to_owned()
        } else {
            return Ok(VmState::Continue);
        };
        let diagnostic = Diagnostic::new(Kind::Modulefile, format!("stopped after {bound}"));
        Err(self.stop(Stop::fatal(match self.place_above(lua, 0) {
            Some(place) => diagnostic.at(place, "still running here"),
            None => diagnostic,
        })))
    }
}

/// Takes the frame away when the evaluation ends, however it ends.
struct Entered<'s>(&'s Shared);

impl Drop for Entered<'_> {
    fn drop(&mut self) {
        if let Some(frame) = self.0.frames.borrow_mut().pop() {
            self.0.steps.set(frame.steps);
            self.0.started.set(frame.started);
            self.0.deadline.set(frame.deadline);
            self.0.given.set(frame.given);
        }
    }
}

/// Where the lines of a file begin, found once: a file with ten thousand calls asks ten thousand times.
#[derive(Default)]
struct Lines {
    starts: Vec<u32>,
}

impl Lines {
    fn place(&mut self, source: &Arc<SourceFile>, line: usize) -> Place {
        let text = source.text();
        if self.starts.is_empty() {
            // Room for most files at once.
            self.starts.reserve(64);
            self.starts.push(0);
            self.starts
                .extend(text.find_iter("\n").map(|i| i as u32 + 1));
        }
        let start = |n: usize| self.starts.get(n).map_or(text.len(), |s| *s as usize);
        let range = start(line.saturating_sub(1))..start(line);
        let bytes = &text[range.clone()];
        let from = range.start + bytes.len() - bytes.trim_ascii_start().len();
        let to = range.start + bytes.trim_ascii_end().len();
        Place {
            file: Arc::clone(source),
            span: crate::diag::Span::new(from.min(to), to),
        }
    }
}
