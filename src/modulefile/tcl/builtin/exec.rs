//! Processes: `exec`, `pid`, `cd`, `pwd`, and pipelines behind channels.
//!
//! The embedding may refuse programs or bound their time. Source: Tcl 8.6, `exec(n)`, `open(n)`, `cd(n)`.

use std::fs::File;
use std::path::PathBuf;

use crate::modulefile::tcl::channels::{Channel, End};
use crate::modulefile::tcl::command::{ANY, Def};
use crate::modulefile::tcl::embedding::{Action, Stream};
use crate::modulefile::tcl::error::{Exit, Outcome, posix_text};
use crate::modulefile::tcl::interp::{Interp, wrong_args};
use crate::modulefile::tcl::pipeline::{Channels, Plan, Sink, Source, World};
use crate::modulefile::tcl::value::Value;

use super::choice;

pub(super) static TABLE: &[Def] = &[
    Def::new("exec", "?-option ...? arg ?arg ...?", 1, ANY, exec),
    Def::new("pid", "?channelId?", 0, 1, pid),
    Def::new("cd", "?dirName?", 0, 1, cd),
    Def::new("pwd", "", 0, 0, pwd),
];

impl Channels for Interp<'_> {
    fn file(&mut self, name: &Value, writing: bool) -> Outcome<Option<File>> {
        self.channel_file(name, writing)
    }

    fn may_write(&mut self) -> bool {
        self.may_change_files()
    }

    fn path(&mut self, name: &[u8]) -> Outcome<PathBuf> {
        Interp::path(self, name)
    }
}

fn exec(interp: &mut Interp<'_>, args: &[Value]) -> Outcome {
    let (mut ignore_errors, mut keep_newline) = (false, false);
    let mut words = args;
    while let Some((word, rest)) = words.split_first() {
        if word.bytes().first() != Some(&b'-') {
            break;
        }
        match choice(word, &["-ignorestderr", "-keepnewline", "--"], "option")? {
            0 => ignore_errors = true,
            1 => keep_newline = true,
            _ => {
                words = rest;
                break;
            }
        }
        words = rest;
    }
    if words.is_empty() {
        return Err(wrong_args(b"exec", "?-option ...? arg ?arg ...?"));
    }
    let words = interp.program_words(words)?;
    let mut plan = Plan::parse(&words, interp)?;
    if ignore_errors && matches!(plan.errors, Sink::Capture) {
        plan.errors = Sink::Inherit;
    }
    interp.flush_standard();
    let background = plan.background;
    let world = interp.program_world()?;
    let (mut children, writer, reader) = plan.start(&world)?;
    drop(writer);
    if background {
        let ids = children.ids().into_iter().map(Value::int).collect();
        children.detach();
        return Ok(Value::list(ids));
    }
    let mut output = match reader {
        Some(reader) => children.read(reader, interp.limits.value_bytes)?,
        None => Vec::new(),
    };
    let report = children.finish(ignore_errors)?;
    if report.text.is_empty() && !keep_newline && output.last() == Some(&b'\n') {
        output.pop();
    }
    super::channel::report(report, output).map(Value::new)
}

fn pid(interp: &mut Interp<'_>, args: &[Value]) -> Outcome {
    match args.first() {
        None => Ok(Value::int(i64::from(std::process::id()))),
        Some(channel) => {
            let ids = interp.channel_pids(channel)?;
            Ok(Value::list(ids.into_iter().map(Value::int).collect()))
        }
    }
}

fn cd(interp: &mut Interp<'_>, args: &[Value]) -> Outcome {
    let home = Value::from("~");
    let name = args.first().unwrap_or(&home);
    let path = interp.path(name.bytes())?;
    let cannot = |error: &std::io::Error| {
        let why = posix_text(error);
        let message = bytes!("couldn't change working directory to \"", name, "\": ", why);
        Exit::posix(message, error)
    };
    let real = path.canonicalize().map_err(|error| cannot(&error))?;
    if !real.is_dir() {
        let error = std::io::Error::from_raw_os_error(nix::errno::Errno::ENOTDIR as i32);
        return Err(cannot(&error));
    }
    interp.state.directory = real;
    Ok(Value::empty())
}

fn pwd(interp: &mut Interp<'_>, _: &[Value]) -> Outcome {
    Ok(Value::from(interp.directory_bytes()))
}

impl Interp<'_> {
    /// Asks the embedding whether the script may do this.
    pub(super) fn permit(&mut self, action: Action) -> Outcome<()> {
        self.host
            .permit(action)
            .map_err(|why| Exit::coded(why, &["POSIX", "EPERM", "not owner"]))
    }

    /// Whether files may be changed. Where they may not, because modulefiles are only read for listings, commands that
    /// would do so do nothing: the rest of the file says what is wanted of it.
    pub(super) fn may_change_files(&mut self) -> bool {
        self.permit(Action::Write).is_ok()
    }

    /// The environment and the directory that programs get.
    fn program_world(&mut self) -> Outcome<World> {
        self.permit(Action::Run)?;
        let names = self.host.env_names();
        let mut env = Vec::with_capacity(names.len());
        for name in names {
            if let Some(value) = self.host.env_get(&name) {
                env.push((name, value));
            }
        }
        Ok(World {
            env,
            directory: self.directory(),
            limit: self.host.program_time(),
            shell: self.state.executable.clone(),
        })
    }

    /// Words of a pipeline, with `~` replaced in the names of programs.
    fn program_words(&mut self, words: &[Value]) -> Outcome<Vec<Value>> {
        let mut result = Vec::with_capacity(words.len());
        let mut first = true;
        for word in words {
            let is_program = first && word.bytes().first() == Some(&b'~');
            result.push(if is_program {
                let path = self.path(word.bytes())?;
                Value::new(std::os::unix::ffi::OsStringExt::into_vec(
                    path.into_os_string(),
                ))
            } else {
                word.clone()
            });
            first = matches!(word.bytes(), b"|" | b"|&");
        }
        Ok(result)
    }

    /// Sends output on its way before something else writes to the same place.
    pub(super) fn flush_standard(&mut self) {
        for stream in [Stream::Stdout, Stream::Stderr] {
            // The next write reports the error again.
            let _ = self.host.flush(stream);
        }
    }

    /// `open "|..."`
    pub(super) fn open_pipeline(
        &mut self,
        command: &Value,
        read: bool,
        write: bool,
    ) -> Outcome<Channel> {
        let words = command.as_list()?;
        let words = self.program_words(&words)?;
        let mut plan = Plan::parse(&words, self)?;
        if write {
            if !matches!(plan.input, Source::Inherit) {
                let message = "can't write input to command: standard input was redirected";
                return Err(Exit::coded(
                    message,
                    &["TCL", "OPERATION", "EXEC", "BADREDIRECT"],
                ));
            }
            plan.input = Source::Pipe;
        }
        match (read, &plan.output) {
            (true, Sink::Capture) | (false, Sink::File(_)) => {}
            (true, _) => {
                let message = "can't read output from command: standard output was redirected";
                return Err(Exit::coded(
                    message,
                    &["TCL", "OPERATION", "EXEC", "BADREDIRECT"],
                ));
            }
            (false, _) => plan.output = Sink::Inherit,
        }
        self.flush_standard();
        let world = self.program_world()?;
        let (children, writer, reader) = plan.start(&world)?;
        let end = End::Pipe {
            reader,
            writer,
            children,
        };
        Ok(Channel::new(end, read, write))
    }
}
