//! Pipelines of programs: reading Tcl's redirections, starting the programs, waiting for them.
//!
//! No shell is involved. What programs write to standard error goes to an anonymous file and becomes part of the error.
//! Source: Tcl 8.6, `exec(n)`.

use std::ffi::{OsStr, OsString};
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, Write};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use super::error::{Exit, Outcome, posix_text};
use super::value::Value;

/// Where a program's input comes from.
pub(super) enum Source {
    /// The program's own standard input.
    Inherit,
    File(File),
    Pipe,
}

/// Where a program's output goes.
pub(super) enum Sink {
    Inherit,
    Capture,
    File(File),
    /// The same as standard output.
    Stdout,
}

/// A pipeline as it was written.
pub(super) struct Plan {
    programs: Vec<Program>,
    pub(super) input: Source,
    pub(super) output: Sink,
    pub(super) errors: Sink,
    pub(super) background: bool,
}

struct Program {
    words: Vec<Value>,
    /// `|&`: its standard error goes into the pipe, too.
    errors_too: bool,
}

/// The surroundings of programs.
pub(super) struct World {
    pub(super) env: Vec<(Vec<u8>, Vec<u8>)>,
    pub(super) directory: PathBuf,
    pub(super) limit: Option<Duration>,
    /// The program that runs this, when it is to be started as a Tcl shell, too.
    pub(super) shell: Value,
}

/// Programs that were started.
#[derive(Default)]
pub(super) struct Children {
    children: Vec<Child>,
    errors: Option<File>,
    deadline: Option<Instant>,
}

/// What `@CHANNEL` redirections ask for.
pub(super) trait Channels {
    /// The file behind a channel, for reading or for writing.
    fn file(&mut self, name: &Value, writing: bool) -> Outcome<Option<File>>;
    /// Whether files may be written.
    fn may_write(&mut self) -> bool;
    /// The file name with `~` replaced, seen from the working directory.
    fn path(&mut self, name: &[u8]) -> Outcome<PathBuf>;
}

fn syntax(word: &[u8]) -> Exit {
    let message = bytes!("can't specify \"", word, "\" as last word in command");
    Exit::coded(message, &["TCL", "OPERATION", "EXEC", "SYNTAX"])
}

fn pipe_syntax() -> Exit {
    Exit::coded(
        "illegal use of | or |& in command",
        &["TCL", "OPERATION", "EXEC", "PIPESYNTAX"],
    )
}

/// The redirections, longest first.
const REDIRECTIONS: [&[u8]; 13] = [
    b"2>@1", b"2>>", b"2>@", b"2>", b">>&", b">&@", b">&", b">>", b">@", b">", b"<<", b"<@", b"<",
];

impl Plan {
    /// Reads the words of `exec` or `open |`.
    pub(super) fn parse(words: &[Value], channels: &mut dyn Channels) -> Outcome<Plan> {
        let mut plan = Plan {
            programs: vec![Program {
                words: Vec::new(),
                errors_too: false,
            }],
            input: Source::Inherit,
            output: Sink::Capture,
            errors: Sink::Capture,
            background: false,
        };
        let mut words = words;
        if let [most @ .., last] = words
            && last.bytes() == b"&"
        {
            plan.background = true;
            plan.output = Sink::Inherit;
            plan.errors = Sink::Inherit;
            words = most;
        }
        let mut rest = words.iter();
        while let Some(word) = rest.next() {
            let text = word.bytes();
            if matches!(text, b"|" | b"|&") {
                let last = plan.programs.last_mut().expect("never empty");
                last.errors_too = text == b"|&";
                if last.words.is_empty() {
                    return Err(pipe_syntax());
                }
                plan.programs.push(Program {
                    words: Vec::new(),
                    errors_too: false,
                });
                continue;
            }
            let Some(sign) = REDIRECTIONS.iter().find(|sign| text.starts_with(sign)) else {
                let last = plan.programs.last_mut().expect("never empty");
                last.words.push(word.clone());
                continue;
            };
            let target = match &text[sign.len()..] {
                [] if *sign == b"2>@1" => Value::empty(),
                [] => rest.next().cloned().ok_or_else(|| syntax(text))?,
                target => Value::from(target),
            };
            plan.redirect(sign, &target, channels)?;
        }
        if plan.programs.iter().any(|program| program.words.is_empty()) {
            return Err(pipe_syntax());
        }
        Ok(plan)
    }

    fn redirect(
        &mut self,
        sign: &[u8],
        target: &Value,
        channels: &mut dyn Channels,
    ) -> Outcome<()> {
        let mut out = |append: bool| -> Outcome<File> {
            let path = match channels.may_write() {
                true => channels.path(target.bytes())?,
                false => PathBuf::from("/dev/null"),
            };
            let mut options = OpenOptions::new();
            options.create(true);
            if append {
                options.append(true);
            } else {
                options.write(true).truncate(true);
            }
            options.open(path).map_err(|error| {
                let message = bytes!("couldn't write file \"", target, "\": ", posix_text(&error));
                Exit::posix(message, &error)
            })
        };
        match sign {
            b"<" => {
                let path = channels.path(target.bytes())?;
                self.input = Source::File(File::open(path).map_err(|error| {
                    let why = posix_text(&error);
                    Exit::posix(bytes!("couldn't read file \"", target, "\": ", why), &error)
                })?);
            }
            b"<<" => {
                let file = anonymous(target.bytes()).map_err(|error| {
                    let why = posix_text(&error);
                    Exit::posix(
                        format!("couldn't create input file for command: {why}"),
                        &error,
                    )
                })?;
                self.input = Source::File(file);
            }
            b"<@" => {
                self.input = match channels.file(target, false)? {
                    Some(file) => Source::File(file),
                    None => Source::Inherit,
                };
            }
            b">" => self.output = Sink::File(out(false)?),
            b">>" => self.output = Sink::File(out(true)?),
            b">&" | b">>&" => {
                let file = out(sign == b">>&")?;
                self.errors = Sink::File(copy_of(&file)?);
                self.output = Sink::File(file);
            }
            b"2>" => self.errors = Sink::File(out(false)?),
            b"2>>" => self.errors = Sink::File(out(true)?),
            b"2>@1" => self.errors = Sink::Stdout,
            _ => {
                let file = channels.file(target, true)?;
                let sink = |file: &Option<File>| -> Outcome<Sink> {
                    Ok(match file {
                        Some(file) => Sink::File(copy_of(file)?),
                        None => Sink::Inherit,
                    })
                };
                if sign != b"2>@" {
                    self.output = sink(&file)?;
                }
                if sign != b">@" {
                    self.errors = sink(&file)?;
                }
            }
        }
        Ok(())
    }

    /// Starts the programs: gives them, the end to write to and the end to read from.
    pub(super) fn start(
        self,
        world: &World,
    ) -> Outcome<(Children, Option<ChildStdin>, Option<ChildStdout>)> {
        let mut children = Children {
            deadline: world.limit.map(|limit| Instant::now() + limit),
            ..Children::default()
        };
        let fail = |error: &io::Error| {
            Exit::posix(
                format!("couldn't create pipe: {}", posix_text(error)),
                error,
            )
        };
        if matches!(self.errors, Sink::Capture) {
            children.errors = Some(tempfile::tempfile().map_err(|error| fail(&error))?);
        }
        let last = self.programs.len() - 1;
        let mut input = Some(self.input);
        let mut previous: Option<std::io::PipeReader> = None;
        let (mut writer, mut reader) = (None, None);
        for (at, program) in self.programs.iter().enumerate() {
            let mut command = program.command(world)?;
            let takes_pipe = match input.take() {
                Some(Source::Inherit) => false,
                Some(Source::File(file)) => {
                    command.stdin(file);
                    false
                }
                Some(Source::Pipe) => {
                    command.stdin(Stdio::piped());
                    true
                }
                None => {
                    if let Some(pipe) = previous.take() {
                        command.stdin(pipe);
                    }
                    false
                }
            };
            // The output: the next program, or what the pipeline says.
            let mut shared: Option<Stdio> = None;
            let wants_shared =
                program.errors_too || (matches!(self.errors, Sink::Stdout) && at == last);
            if at < last || wants_shared && matches!(self.output, Sink::Capture) {
                let (pipe_reader, pipe_writer) = io::pipe().map_err(|error| fail(&error))?;
                if wants_shared {
                    let copy = pipe_writer.try_clone().map_err(|error| fail(&error))?;
                    shared = Some(Stdio::from(copy));
                }
                command.stdout(pipe_writer);
                previous = Some(pipe_reader);
            } else {
                match &self.output {
                    Sink::Inherit | Sink::Stdout => {}
                    Sink::Capture => {
                        command.stdout(Stdio::piped());
                    }
                    Sink::File(file) => {
                        command.stdout(copy_of(file)?);
                        if wants_shared {
                            shared = Some(Stdio::from(copy_of(file)?));
                        }
                    }
                }
            }
            match (&self.errors, shared, &children.errors) {
                (_, Some(shared), _) => {
                    command.stderr(shared);
                }
                (Sink::File(file), _, _) => {
                    command.stderr(copy_of(file)?);
                }
                (Sink::Capture, _, Some(file)) => {
                    command.stderr(copy_of(file)?);
                }
                _ => {}
            }
            let started = command.spawn();
            // Closes this side of the pipes.
            drop(command);
            let mut child = match started {
                Ok(child) => child,
                Err(error) => {
                    children.kill();
                    return Err(program.cannot(&error));
                }
            };
            if takes_pipe {
                writer = child.stdin.take();
            }
            if at == last {
                reader = child.stdout.take();
            }
            children.children.push(child);
        }
        if let Some(pipe) = previous {
            reader = Some(ChildStdout::from(std::os::fd::OwnedFd::from(pipe)));
        }
        Ok((children, writer, reader))
    }
}

impl Program {
    fn cannot(&self, error: &io::Error) -> Exit {
        let why = posix_text(error);
        Exit::posix(
            bytes!("couldn't execute \"", self.words[0], "\": ", why),
            error,
        )
    }

    fn command(&self, world: &World) -> Outcome<Command> {
        let os = |value: &Value| OsString::from_vec(value.bytes().to_vec());
        if self.words.iter().any(|word| word.bytes().contains(&0)) {
            let error = io::Error::from_raw_os_error(nix::errno::Errno::EINVAL as i32);
            return Err(self.cannot(&error));
        }
        let path =
            find_program(self.words[0].bytes(), world).map_err(|error| self.cannot(&error))?;
        let mut command = Command::new(path);
        command
            .arg0(os(&self.words[0]))
            .args((!world.shell.is_empty() && self.words[0] == world.shell).then_some("tclsh"))
            .args(self.words[1..].iter().map(os))
            .env_clear()
            .current_dir(&world.directory);
        for (name, value) in &world.env {
            if !name.is_empty()
                && !name.contains(&0)
                && !name.contains(&b'=')
                && !value.contains(&0)
            {
                command.env(OsStr::from_bytes(name), OsStr::from_bytes(value));
            }
        }
        Ok(command)
    }
}

/// Looks a program up in `PATH`.
fn find_program(name: &[u8], world: &World) -> io::Result<PathBuf> {
    let path = Path::new(OsStr::from_bytes(name));
    if name.contains(&b'/') {
        let path = world.directory.join(path);
        return match std::fs::metadata(&path) {
            Err(error) => Err(error),
            Ok(facts) if facts.is_dir() || facts.permissions().mode() & 0o111 == 0 => Err(
                io::Error::from_raw_os_error(nix::errno::Errno::EACCES as i32),
            ),
            Ok(_) => Ok(path),
        };
    }
    let search = world.env.iter().find(|(name, _)| name == b"PATH");
    let search = search.map_or(&b"/bin:/usr/bin"[..], |(_, value)| value);
    let mut refused = false;
    for directory in search.split(|&b| b == b':').filter(|_| !name.is_empty()) {
        let candidate = world
            .directory
            .join(OsStr::from_bytes(directory))
            .join(path);
        if let Ok(facts) = std::fs::metadata(&candidate)
            && facts.is_file()
        {
            if facts.permissions().mode() & 0o111 != 0 {
                return Ok(candidate);
            }
            refused = true;
        }
    }
    let errno = if refused {
        nix::errno::Errno::EACCES
    } else {
        nix::errno::Errno::ENOENT
    };
    Err(io::Error::from_raw_os_error(errno as i32))
}

fn copy_of(file: &File) -> Outcome<File> {
    file.try_clone().map_err(|error| {
        Exit::posix(
            format!("couldn't duplicate file: {}", posix_text(&error)),
            &error,
        )
    })
}

/// A file without a name that holds this text, at its beginning.
fn anonymous(text: &[u8]) -> io::Result<File> {
    let mut file = tempfile::tempfile()?;
    file.write_all(text)?;
    file.rewind()?;
    Ok(file)
}

/// What a pipeline had to say at its end.
pub(super) struct Report {
    /// The text for the message: what was written to standard error, else how a program ended.
    pub(super) text: Vec<u8>,
    /// `errorCode` of the last program that failed.
    pub(super) code: Option<Value>,
}

impl Children {
    /// The process ids.
    pub(super) fn ids(&self) -> Vec<i64> {
        self.children
            .iter()
            .map(|child| i64::from(child.id()))
            .collect()
    }

    /// When they must have ended.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.deadline
    }

    /// Leaves the programs to themselves.
    pub(super) fn detach(&mut self) {
        self.children.clear();
        self.errors = None;
    }

    /// Ends the programs.
    pub(super) fn kill(&mut self) {
        for child in &mut self.children {
            // A program that has ended already cannot be killed, and need not be.
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    /// Reads the output up to its end or the limit of time.
    ///
    /// # Errors
    /// Too much output, or the limit of time.
    pub(super) fn read(&mut self, mut reader: ChildStdout, most: usize) -> Outcome<Vec<u8>> {
        let too_much = || Exit::error("a program writes too much output");
        let Some(deadline) = self.deadline else {
            let mut output = Vec::new();
            // An error of reading is the end of the output.
            let _ = reader
                .by_ref()
                .take(most as u64 + 1)
                .read_to_end(&mut output);
            if output.len() > most {
                self.kill();
                return Err(too_much());
            }
            return Ok(output);
        };
        let (sender, receiver) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            let mut output = Vec::new();
            let _ = reader.take(most as u64 + 1).read_to_end(&mut output);
            // Nobody waits any more when the time was up.
            let _ = sender.send(output);
        });
        match receiver.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
            Ok(output) if output.len() > most => {
                self.kill();
                Err(too_much())
            }
            Ok(output) => Ok(output),
            Err(_) => {
                self.kill();
                Err(Exit::error("a program runs too long"))
            }
        }
    }

    fn wait(child: &mut Child, deadline: Option<Instant>) -> io::Result<Option<ExitStatus>> {
        let Some(deadline) = deadline else {
            return child.wait().map(Some);
        };
        let mut pause = Duration::from_micros(200);
        loop {
            if let Some(status) = child.try_wait()? {
                return Ok(Some(status));
            }
            if Instant::now() >= deadline {
                return Ok(None);
            }
            std::thread::sleep(pause);
            pause = (pause * 2).min(Duration::from_millis(20));
        }
    }

    /// Waits for all programs and tells what went wrong.
    pub(super) fn finish(mut self, ignore_errors: bool) -> Outcome<Report> {
        let mut report = Report {
            text: Vec::new(),
            code: None,
        };
        let mut endings = Vec::new();
        let mut abnormal = false;
        let deadline = self.deadline;
        let mut children = std::mem::take(&mut self.children);
        for at in 0..children.len() {
            let id = children[at].id().to_string();
            match Children::wait(&mut children[at], deadline) {
                Ok(Some(status)) => {
                    if let Some(signal) = status.signal() {
                        let (name, text) = signal_text(signal);
                        endings.extend_from_slice(format!("child killed: {text}\n").as_bytes());
                        report.code = Some(words(&["CHILDKILLED", &id, name, text]));
                    } else if let Some(code) = status.code().filter(|&code| code != 0) {
                        abnormal = true;
                        report.code = Some(words(&["CHILDSTATUS", &id, &code.to_string()]));
                    }
                }
                Ok(None) => {
                    self.children = children;
                    self.kill();
                    return Err(Exit::error("a program runs too long"));
                }
                Err(error) => return Err(Exit::posix("error waiting for process to exit", &error)),
            }
        }
        if let Some(mut file) = self.errors.take() {
            let mut text = Vec::new();
            // An anonymous file of our own can be read.
            let _ = file.rewind().and_then(|()| file.read_to_end(&mut text));
            if !ignore_errors {
                report.text = text;
            }
        }
        let silent = report.text.is_empty();
        report.text.splice(0..0, endings);
        if abnormal && silent {
            report
                .text
                .extend_from_slice(b"child process exited abnormally");
        }
        Ok(report)
    }
}

fn words(words: &[&str]) -> Value {
    Value::list(words.iter().map(|word| Value::from(*word)).collect())
}

/// Tcl's name and text of a signal.
fn signal_text(number: i32) -> (&'static str, &'static str) {
    match number {
        1 => ("SIGHUP", "hangup"),
        2 => ("SIGINT", "interrupt"),
        3 => ("SIGQUIT", "quit signal"),
        4 => ("SIGILL", "illegal instruction"),
        5 => ("SIGTRAP", "trace trap"),
        6 => ("SIGABRT", "SIGABRT"),
        7 => ("SIGBUS", "bus error"),
        8 => ("SIGFPE", "floating-point exception"),
        9 => ("SIGKILL", "kill signal"),
        10 => ("SIGUSR1", "user-defined signal 1"),
        11 => ("SIGSEGV", "segmentation violation"),
        12 => ("SIGUSR2", "user-defined signal 2"),
        13 => ("SIGPIPE", "write on pipe with no readers"),
        14 => ("SIGALRM", "alarm clock"),
        15 => ("SIGTERM", "software termination signal"),
        24 => ("SIGXCPU", "exceeded CPU time limit"),
        25 => ("SIGXFSZ", "exceeded file size limit"),
        _ => ("unknown signal", "unknown signal"),
    }
}
