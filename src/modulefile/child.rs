//! Programs that modulefiles start: bounded in time and output, never connected to our standard output (which carries
//! code for the shell).

use std::io::{Read, Write};
use std::os::fd::AsFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use bstr::{BStr, BString, ByteSlice};

use crate::diag::{Diagnostic, Kind};
use crate::session::Environment;

/// Most output that is kept of one program.
const MAX_OUTPUT_BYTES: usize = 16 << 20;
/// How long a program may run while a module is loaded; it may ask the user something.
const LOAD_SECONDS: u64 = 300;
/// How long a program may run while files are only read for listings.
const CRAWL_SECONDS: u64 = 10;

/// One program to run.
#[derive(Debug)]
pub(super) struct Program<'a> {
    /// The program and its arguments.
    pub(super) words: Vec<&'a BStr>,
    /// Its whole environment.
    pub(super) env: &'a Environment,
    /// What it reads; `None` for what we read ourselves.
    pub(super) input: Option<&'a [u8]>,
    /// Whether its standard output is wanted; otherwise it goes where messages go.
    pub(super) capture: bool,
    /// Nobody watches: no terminal, no messages, little time.
    pub(super) crawl: bool,
}

/// How a program ended.
#[derive(Debug)]
pub(super) struct Finished {
    /// What it wrote, where that was wanted.
    pub(super) output: BString,
    /// Its status.
    pub(super) status: ExitStatus,
}

impl Finished {
    /// The word and the number that Lua gives for a status: `exit` or `signal`.
    pub(super) fn reason(&self) -> (&'static str, i32) {
        match (self.status.code(), self.status.signal()) {
            (Some(code), _) => ("exit", code),
            (None, signal) => ("signal", signal.unwrap_or_default()),
        }
    }
}

impl<'a> Program<'a> {
    /// A command line for `sh`.
    pub(super) fn shell(command: &'a BStr, env: &'a Environment) -> Program<'a> {
        Program {
            words: vec![b"/bin/sh".as_bstr(), b"-c".as_bstr(), command],
            env,
            input: None,
            capture: true,
            crawl: false,
        }
    }

    /// Runs it to its end.
    ///
    /// # Errors
    /// It cannot be started, takes too long or writes too much.
    pub(super) fn run(&self) -> Result<Finished, Diagnostic> {
        let fail = |what: String| {
            let words = bstr::join(" ", &self.words);
            let command: String = words.to_str_lossy().chars().take(200).collect();
            Diagnostic::new(Kind::Modulefile, format!("`{command}` {what}"))
        };
        let cannot = |error: std::io::Error| fail(format!("cannot be run: {error}"));
        let mut child = self.command().spawn().map_err(cannot)?;
        if let (Some(input), Some(mut stdin)) = (self.input, child.stdin.take()) {
            let input = input.to_vec();
            // A program need not read what it is given.
            std::thread::spawn(move || stdin.write_all(&input).ok());
        }
        let seconds = match self.crawl {
            true => CRAWL_SECONDS,
            false => LOAD_SECONDS,
        };
        let end = Instant::now() + Duration::from_secs(seconds);
        let output = match child.stdout.take() {
            Some(stdout) => read_until(stdout, end),
            None => Ok(BString::default()),
        };
        let status = output.and_then(|output| Ok((output, wait_until(&mut child, end)?)));
        status
            .map(|(output, status)| Finished { output, status })
            .map_err(|bound| {
                self.kill(&mut child);
                fail(match bound {
                    Bound::Time => format!("did not end within {seconds} seconds"),
                    Bound::Output => format!("wrote more than {} MiB", MAX_OUTPUT_BYTES >> 20),
                    Bound::Other(error) => format!("cannot be run: {error}"),
                })
            })
    }

    fn command(&self) -> Command {
        let mut words = self.words.iter();
        let program = words.next().copied().unwrap_or_default();
        let mut command = Command::new(std::ffi::OsStr::from_bytes(program));
        let os = |b: &[u8]| std::ffi::OsStr::from_bytes(b).to_owned();
        command.args(words.map(|w| os(w)));
        command.env_clear();
        command.envs(self.env.iter().map(|(name, value)| (os(name), os(value))));
        command.stdin(match self.input {
            Some(_) => Stdio::piped(),
            None if self.crawl => Stdio::null(),
            None => Stdio::inherit(),
        });
        let messages = || match std::io::stderr().as_fd().try_clone_to_owned() {
            Ok(stderr) if !self.crawl => Stdio::from(stderr),
            _ => Stdio::null(),
        };
        command.stdout(match self.capture {
            true => Stdio::piped(),
            false => messages(),
        });
        command.stderr(messages());
        if self.crawl {
            // Its own group, so that what it starts ends with it. One that talks to the terminal must stay in ours.
            command.process_group(0);
        }
        command
    }

    fn kill(&self, child: &mut std::process::Child) {
        use nix::sys::signal::{Signal, kill, killpg};
        if let Ok(id) = i32::try_from(child.id()) {
            let id = nix::unistd::Pid::from_raw(id);
            let _ = match self.crawl {
                true => killpg(id, Signal::SIGKILL),
                false => kill(id, Signal::SIGKILL),
            };
        }
        let _ = child.wait();
    }
}

enum Bound {
    Time,
    Output,
    Other(std::io::Error),
}

/// Reads to the end of `stream`, in a thread of its own: a read cannot be given up.
fn read_until(mut stream: impl Read + Send + 'static, end: Instant) -> Result<BString, Bound> {
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        let mut block = vec![0; 64 << 10];
        loop {
            let part = stream.read(&mut block).map(|n| block[..n].to_vec());
            let last = !matches!(&part, Ok(bytes) if !bytes.is_empty());
            if sender.send(part).is_err() || last {
                return;
            }
        }
    });
    let mut output = BString::default();
    loop {
        match receiver.recv_timeout(end.saturating_duration_since(Instant::now())) {
            Ok(Ok(bytes)) if bytes.is_empty() => return Ok(output),
            Ok(Ok(bytes)) if output.len() + bytes.len() > MAX_OUTPUT_BYTES => {
                return Err(Bound::Output);
            }
            Ok(Ok(bytes)) => output.extend_from_slice(&bytes),
            Ok(Err(error)) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Ok(Err(error)) => return Err(Bound::Other(error)),
            Err(_) => return Err(Bound::Time),
        }
    }
}

fn wait_until(child: &mut std::process::Child, end: Instant) -> Result<ExitStatus, Bound> {
    let mut pause = Duration::from_micros(200);
    loop {
        match child.try_wait() {
            Ok(Some(status)) => return Ok(status),
            Ok(None) if Instant::now() >= end => return Err(Bound::Time),
            Ok(None) => std::thread::sleep(pause),
            Err(error) => return Err(Bound::Other(error)),
        }
        pause = (pause * 2).min(Duration::from_millis(20));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn output_and_status_of_a_program_come_back() {
        let env = Environment::from([(BString::from("X"), BString::from("1"))]);
        let done = Program::shell(b"echo $X; exit 3".as_bstr(), &env)
            .run()
            .unwrap();
        assert_eq!(done.output, "1\n");
        assert_eq!(done.reason(), ("exit", 3));
    }

    #[test]
    fn a_program_reads_what_it_is_given_and_a_signal_is_told() {
        let env = Environment::new();
        let mut program = Program::shell(b"read x; echo got $x; kill -9 $$".as_bstr(), &env);
        program.input = Some(b"line\n");
        let done = program.run().unwrap();
        assert_eq!(done.output, "got line\n");
        assert_eq!(done.reason(), ("signal", 9));
    }

    #[test]
    fn a_program_that_writes_without_end_is_stopped() {
        let env = Environment::from([(BString::from("PATH"), BString::from("/usr/bin:/bin"))]);
        let mut program = Program::shell(b"exec yes".as_bstr(), &env);
        program.crawl = true;
        let error = program.run().unwrap_err();
        assert_eq!(
            error.message,
            "`/bin/sh -c exec yes` wrote more than 16 MiB"
        );
    }
}
