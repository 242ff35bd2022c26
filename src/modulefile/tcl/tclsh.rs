//! A plain Tcl shell: `xmod tclsh FILE [ARGS]`.
//!
//! Standard input, output, arguments and exit status are those of `tclsh`; an uncaught error prints its trace to standard
//! error and exits with 1. Nothing of modules is defined here.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::path::Path;

use crate::diag::SourceFile;

use super::embedding::{Call, CommandId, Embedding, Stream};
use super::error::{Exit, Outcome, Stop, posix_text};
use super::interp::{Interp, Limits};
use super::value::Value;

/// The world of a plain Tcl script.
struct Shell {
    directory: std::path::PathBuf,
    env: BTreeMap<Vec<u8>, Vec<u8>>,
    out: Vec<u8>,
}

/// Output is gathered up to this size before it is written.
const BUFFER: usize = 1 << 16;

impl Embedding for Shell {
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
        std::io::stdin().read(buffer)
    }
}

/// Stack of the thread that runs the script: deep recursion ends at Tcl's own limit.
const STACK_BYTES: usize = 512 << 20;

/// Runs a script as `tclsh FILE ARGS` does, with this environment and working directory; gives the exit status.
pub fn tclsh(file: &Path, args: &[Vec<u8>], env: BTreeMap<Vec<u8>, Vec<u8>>, cwd: &Path) -> u8 {
    let run = || run(file, args, env, cwd);
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

fn run(file: &Path, args: &[Vec<u8>], env: BTreeMap<Vec<u8>, Vec<u8>>, cwd: &Path) -> u8 {
    let mut shell = Shell {
        directory: cwd.to_path_buf(),
        env,
        out: Vec::new(),
    };
    let name = file.to_string_lossy().into_owned();
    let text = match std::fs::read(cwd.join(file)) {
        Ok(text) => text,
        Err(error) => {
            let message = format!("couldn't read file \"{name}\": {}\n", posix_text(&error));
            // Nobody is left to hear of a closed standard error.
            let _ = std::io::stderr().write_all(message.as_bytes());
            return 1;
        }
    };
    let limits = Limits {
        steps: u64::MAX,
        time: None,
        stack_bytes: STACK_BYTES - (16 << 20),
        value_bytes: 1 << 30,
        output_bytes: usize::MAX,
        ..Limits::default()
    };
    let mut interp = Interp::new(&mut shell, limits);
    interp.set_globals(&[
        ("argv0", Value::from(name.as_str())),
        (
            "argv",
            Value::list(args.iter().map(|arg| Value::from(&arg[..])).collect()),
        ),
        ("argc", Value::int(args.len() as i64)),
    ]);
    let result = interp.run_file(&SourceFile::new(name, text));
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
    let flushed = shell.flush(Stream::Stdout);
    if !trace.is_empty() {
        // As above.
        let _ = std::io::stderr().write_all(&bytes!(trace, "\n"));
    }
    match flushed {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => 1,
        _ => status,
    }
}
