//! A plain Tcl shell: `xmod tclsh [FILE [ARGS]]`.
//!
//! Standard input, output, arguments and exit status are those of `tclsh`; an uncaught error prints its trace to standard
//! error and exits with 1. Nothing of modules is defined here.

use std::collections::BTreeMap;
use std::io::{IsTerminal, Read, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::path::Path;

use crate::diag::SourceFile;

use super::embedding::{Call, CommandId, Embedding, Stream};
use super::error::{Exit, Outcome, Stop, posix_text};
use super::interp::{Interp, Limits};
use super::value::Value;

/// The world of a plain Tcl script.
struct Outside {
    directory: std::path::PathBuf,
    env: BTreeMap<Vec<u8>, Vec<u8>>,
    out: Vec<u8>,
    stdin: std::io::Stdin,
}

/// Output is gathered up to this size before it is written.
const BUFFER: usize = 1 << 16;

impl Embedding for Outside {
    fn find_command(&mut self, _name: &[u8]) -> Option<CommandId> {
        None
    }

    fn command_names(&self) -> Vec<&str> {
        Vec::new()
    }

    fn call(&mut self, _command: CommandId, _call: &Call<'_>) -> Outcome {
        Err(Exit::error("no such command"))
    }

    fn env_get(&mut self, name: &[u8]) -> Option<Vec<u8>> {
        self.env.get(name).cloned()
    }

    fn env_set(&mut self, name: &[u8], value: &[u8]) -> Result<(), String> {
        self.env.insert(name.to_vec(), value.to_vec());
        Ok(())
    }

    fn env_unset(&mut self, name: &[u8]) -> Result<(), String> {
        self.env.remove(name);
        Ok(())
    }

    fn env_names(&mut self) -> Vec<Vec<u8>> {
        self.env.keys().cloned().collect()
    }

    fn write(&mut self, stream: Stream, bytes: &[u8]) -> std::io::Result<()> {
        match stream {
            Stream::Stdout => {
                self.out.extend_from_slice(bytes);
                if self.out.len() >= BUFFER {
                    self.flush(stream)
                } else {
                    Ok(())
                }
            }
            Stream::Stderr => std::io::stderr().write_all(bytes),
        }
    }

    fn flush(&mut self, stream: Stream) -> std::io::Result<()> {
        if stream == Stream::Stdout {
            let bytes = std::mem::take(&mut self.out);
            let mut stdout = std::io::stdout();
            stdout.write_all(&bytes)?;
            stdout.flush()?;
        }
        Ok(())
    }

    fn directory(&mut self) -> std::path::PathBuf {
        self.directory.clone()
    }

    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        // Whoever writes to our input may wait for what we have said.
        self.flush(Stream::Stdout)?;
        std::io::stdin().read(buffer)
    }

    fn input(&self) -> Option<BorrowedFd<'_>> {
        // A descriptor that a caller has closed would be none to wait for: the runtime has opened it anew.
        Some(self.stdin.as_fd())
    }
}

/// Stack of the thread that runs the script: deep recursion ends at Tcl's own limit.
const STACK_BYTES: usize = 512 << 20;

/// How the shell was called.
pub struct Shell<'a> {
    /// The script; without one it is read from standard input.
    pub file: Option<&'a Path>,
    /// What `argv` tells.
    pub args: &'a [Vec<u8>],
    /// The environment.
    pub env: BTreeMap<Vec<u8>, Vec<u8>>,
    /// The working directory.
    pub cwd: &'a Path,
    /// What `info nameofexecutable` tells: a script that starts this program gets this shell.
    pub executable: &'a [u8],
}

/// Runs a script as `tclsh FILE ARGS` does; gives the exit status.
pub fn tclsh(shell: Shell<'_>) -> u8 {
    let run = || run(shell);
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new()
            .stack_size(STACK_BYTES)
            .spawn_scoped(scope, run);
        match thread.map(std::thread::ScopedJoinHandle::join) {
            Ok(Ok(status)) => status,
            _ => 70,
        }
    })
}

/// The user's name by the file of users, for an environment that does not tell it.
fn login_name() -> Option<String> {
    let uid = nix::unistd::getuid().to_string();
    let users = std::fs::read_to_string("/etc/passwd").ok()?;
    let found = users.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1)? == uid).then(|| name.to_owned())
    });
    found.or(Some(uid))
}

fn run(shell: Shell<'_>) -> u8 {
    let name = match shell.file {
        Some(file) => file.to_string_lossy().into_owned(),
        None => "tclsh".to_owned(),
    };
    let text = match shell.file {
        Some(file) => std::fs::read(shell.cwd.join(file)),
        None => Ok(Vec::new()),
    };
    let text = match text {
        Ok(text) => text,
        Err(error) => {
            let message = format!("couldn't read file \"{name}\": {}\n", posix_text(&error));
            // Nobody is left to hear of a closed standard error.
            let _ = std::io::stderr().write_all(message.as_bytes());
            return 1;
        }
    };
    let library_path = shell.env.get(&b"TCLLIBPATH"[..]).cloned();
    let mut outside = Outside {
        directory: shell.cwd.to_path_buf(),
        env: shell.env,
        out: Vec::new(),
        stdin: std::io::stdin(),
    };
    let limits = Limits {
        steps: u64::MAX,
        time: None,
        stack_bytes: STACK_BYTES - (16 << 20),
        value_bytes: 1 << 30,
        memory_bytes: usize::MAX,
        output_bytes: usize::MAX,
        ..Limits::default()
    };
    let mut interp = Interp::new(&mut outside, limits);
    interp.state.executable = Value::from(shell.executable);
    if let Some(name) = login_name() {
        interp.set_platform_user(Value::from(name));
    }
    if let Some(path) = library_path {
        interp.set_globals(&[("auto_path", Value::new(path))]);
    }
    // Somebody may be reading line by line at the other end of a terminal or a pipe.
    let gathers = nix::sys::stat::fstat(std::io::stdout()).is_ok_and(|facts| {
        let kind = facts.st_mode & nix::libc::S_IFMT;
        kind == nix::libc::S_IFREG || kind == nix::libc::S_IFCHR && !std::io::stdout().is_terminal()
    });
    if gathers {
        interp.gather_output();
    }
    interp.set_globals(&[
        ("argv0", Value::from(name.as_str())),
        (
            "argv",
            Value::list(shell.args.iter().map(|arg| Value::from(&arg[..])).collect()),
        ),
        ("argc", Value::int(shell.args.len() as i64)),
    ]);
    let source = SourceFile::new(name, text);
    let result = match shell.file {
        Some(_) => interp.run_file(&source),
        None => run_input(&mut interp),
    };
    let (status, trace) = match result {
        Ok(_) | Err(Exit::Return(_) | Exit::Tail(_)) => (0, Vec::new()),
        Err(Exit::Error(error)) => (1, error.info()),
        Err(Exit::Stop(Stop::Exit(status))) => (status as u8, Vec::new()),
        Err(Exit::Stop(stop)) => (1, stop.to_string().into_bytes()),
        Err(Exit::Break) => (1, b"invoked \"break\" outside of a loop".to_vec()),
        Err(Exit::Continue) => (1, b"invoked \"continue\" outside of a loop".to_vec()),
        Err(Exit::Other(other)) => (
            1,
            format!("command returned bad code: {}", other.code).into_bytes(),
        ),
    };
    interp.finish();
    let flushed = outside.flush(Stream::Stdout);
    if !trace.is_empty() {
        // As above.
        let _ = std::io::stderr().write_all(&bytes!(trace, "\n"));
    }
    match flushed {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => 1,
        _ => status,
    }
}

/// Runs the commands on standard input, each as soon as it is complete; what fails is told, and the next one is run.
fn run_input(interp: &mut Interp<'_>) -> Outcome {
    let mut text = Vec::new();
    loop {
        let line = interp.input_line()?;
        let ended = line.is_none();
        text.extend(line.unwrap_or_default());
        if !ended {
            text.push(b'\n');
        }
        if text.is_empty() || !(ended || interp.is_complete(&text)) {
            if ended {
                return Ok(Value::empty());
            }
            continue;
        }
        // What is broken even at the end of the input is not run.
        let complete = !ended || interp.is_complete(&text);
        let command = std::mem::take(&mut text);
        if complete {
            let source = SourceFile::new("tclsh", command);
            let message = match interp.run_text(&source) {
                Ok(_) | Err(Exit::Return(_) | Exit::Tail(_)) => None,
                Err(Exit::Error(error)) => {
                    interp.publish(&error);
                    Some(error.message.clone())
                }
                Err(Exit::Break) => Some(Value::from("invoked \"break\" outside of a loop")),
                Err(Exit::Continue) => Some(Value::from("invoked \"continue\" outside of a loop")),
                Err(Exit::Other(other)) => Some(Value::from(format!(
                    "command returned bad code: {}",
                    other.code
                ))),
                Err(stop @ Exit::Stop(_)) => return Err(stop),
            };
            if let Some(message) = message {
                // Nobody is left to hear of a closed standard error.
                let _ = interp.host.write(Stream::Stderr, &bytes!(message, "\n"));
            }
        }
        if ended {
            return Ok(Value::empty());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stopped(script: &str, limits: Limits) -> Option<Stop> {
        let mut outside = Outside {
            directory: "/".into(),
            env: BTreeMap::new(),
            out: Vec::new(),
            stdin: std::io::stdin(),
        };
        let mut interp = Interp::new(&mut outside, limits);
        match interp.eval(&Value::from(script)) {
            Err(Exit::Stop(stop)) => Some(stop),
            _ => None,
        }
    }

    #[test]
    fn memory_is_bounded_as_a_whole() {
        let limits = Limits {
            memory_bytes: 48 << 20,
            ..Limits::default()
        };
        let wanted = Some(Stop::Limit("the script uses too much memory"));
        // A few large values, and very many small ones: none of them is too large by itself.
        let large =
            "for {set i 0} {$i < 200} {incr i} {catch {set a($i) [string repeat x$i 1000000]}}";
        assert_eq!(stopped(large, limits), wanted);
        let small = "for {set i 0} {$i < 1000000} {incr i} {set a($i) [list $i $i $i]}";
        assert_eq!(stopped(small, limits), wanted);
        let reused = "for {set i 0} {$i < 300} {incr i} {set a [string repeat x$i 200000]}";
        assert_eq!(stopped(reused, limits), None);
    }
}
