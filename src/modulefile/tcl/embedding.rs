//! What the interpreter asks of the program around it.
//!
//! The interpreter knows nothing of modules. Commands beyond Tcl's own, the environment, where output goes and what a
//! script may do to the world come from one trait, [`Embedding`].

use std::time::Duration;

use crate::diag::Place;

use super::error::Outcome;
use super::trail::Trail;
use super::value::Value;

/// The number by which an embedding knows one of its commands; usually an index of its table.
pub type CommandId = usize;

/// The two output streams that belong to the embedding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stream {
    /// `puts TEXT`
    Stdout,
    /// `puts stderr TEXT`
    Stderr,
}

/// What a script may want to do to the world.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Create, change, rename or delete a file or directory.
    Write,
    /// `exec`, `open |...`
    Run,
}

/// The program around the interpreter.
pub trait Embedding {
    /// The embedding's command of this name, without leading `::`. Asked after procs and before Tcl's own commands, so
    /// that `puts`-like commands can be replaced; the answer is remembered until commands are defined or deleted.
    fn find_command(&mut self, name: &[u8]) -> Option<CommandId>;

    /// The names of all commands that [`Embedding::find_command`] knows, for `info commands`.
    fn command_names(&self) -> Vec<&str>;

    /// Runs a command. An error becomes a Tcl error which a script may `catch`; [`Exit::Stop`](super::error::Exit)
    /// cannot be caught. Checking the number of arguments is up to the embedding.
    fn call(&mut self, command: CommandId, call: &Call<'_>) -> Outcome;

    /// Variables that the command just run gives a value: full names and values.
    fn assignments(&mut self) -> Vec<(Vec<u8>, Value)> {
        Vec::new()
    }

    /// The value of an environment variable, as `$env(NAME)` sees it now.
    fn env_get(&mut self, name: &[u8]) -> Option<Vec<u8>>;

    /// Sets an environment variable because the script wrote `env(NAME)`; the error becomes `can't set "env(NAME)": ERROR`.
    fn env_set(&mut self, name: &[u8], value: &[u8]) -> Result<(), String>;

    /// Removes an environment variable.
    fn env_unset(&mut self, name: &[u8]) -> Result<(), String>;

    /// The names of all environment variables.
    fn env_names(&mut self) -> Vec<Vec<u8>>;

    /// Takes output of the script.
    fn write(&mut self, stream: Stream, bytes: &[u8]) -> std::io::Result<()>;

    /// Takes output for a channel that Tcl does not know (`puts prestdout TEXT`); `false` where the embedding does not
    /// know it either.
    fn write_named(&mut self, _channel: &[u8], _bytes: &[u8]) -> bool {
        false
    }

    /// Sends buffered output on its way.
    fn flush(&mut self, _stream: Stream) -> std::io::Result<()> {
        Ok(())
    }

    /// Reads standard input; 0 is the end.
    fn read(&mut self, _buffer: &mut [u8]) -> std::io::Result<usize> {
        Ok(0)
    }

    /// What standard input is, to wait for; `None` where reading never waits.
    fn input(&self) -> Option<std::os::fd::BorrowedFd<'_>> {
        None
    }

    /// Whether the script may do this: the error is the reason in words.
    fn permit(&mut self, _action: Action) -> Result<(), String> {
        Ok(())
    }

    /// The working directory at the start; `cd` changes only what the script sees.
    fn directory(&mut self) -> std::path::PathBuf {
        std::fs::canonicalize(".").unwrap_or_else(|_| "/".into())
    }

    /// How long a program started by the script may run.
    fn program_time(&self) -> Option<Duration> {
        None
    }
}

/// One call of a command of the embedding.
pub struct Call<'a> {
    /// The command's name as it was typed, and its arguments.
    pub words: &'a [Value],
    pub(super) trail: &'a Trail,
}

impl Call<'_> {
    /// The arguments without the name.
    pub fn args(&self) -> &[Value] {
        &self.words[1..]
    }

    /// The innermost command of a file that led here; `None` only for code that comes from no file.
    pub fn place(&self) -> Option<Place> {
        self.trail.place()
    }
}
