//! Runs a program for a modulefile: its environment is the file's, its time and its output are bounded.
//!
//! No shell is involved unless the program is one. The program gets its own process group, so that running out of time
//! ends its children too.

use std::cell::Cell;
use std::ffi::OsStr;
use std::io::{Read, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use bstr::BString;

use super::Host;

/// Most bytes that are kept of each output stream.
const MAX_OUTPUT_BYTES: usize = 16 << 20;

/// What a program that is run reads.
#[derive(Debug, Clone, Copy)]
pub(in crate::modulefile) enum Input<'a> {
    /// Nothing: the end of the file at once.
    None,
    /// What we would read ourselves.
    Inherited,
    /// This text.
    Text(&'a [u8]),
}

/// What came of a program.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(in crate::modulefile) struct Output {
    /// Its exit status; 128 + N where signal N ended it.
    pub status: i32,
    /// What it wrote to standard output.
    pub stdout: BString,
    /// What it wrote to standard error.
    pub stderr: BString,
}

/// Why a program gave no [`Output`].
#[derive(Debug, thiserror::Error)]
pub(in crate::modulefile) enum ProgramError {
    /// It could not be started.
    #[error("cannot run `{0}`: {1}")]
    Start(String, std::io::Error),
    /// It was ended because it took too long.
    #[error("`{0}` was stopped after {1} seconds")]
    Time(String, u64),
    /// It wrote more than is kept.
    #[error("`{0}` wrote more than {max} MiB", max = MAX_OUTPUT_BYTES >> 20)]
    Size(String),
}

/// Runs `words` and waits for its end, at most `limit`.
///
/// # Errors
/// It cannot be started, takes too long or writes too much.
pub(in crate::modulefile) fn run<S: AsRef<OsStr>>(
    host: &Host,
    words: &[S],
    input: Input<'_>,
    limit: Option<Duration>,
) -> Result<Output, ProgramError> {
    let mut words = words.iter();
    let Some(name) = words.next().map(S::as_ref) else {
        return Err(ProgramError::Start(
            String::new(),
            std::io::Error::from(std::io::ErrorKind::InvalidInput),
        ));
    };
    let shown = name.to_string_lossy().into_owned();
    let mut command = Command::new(name);
    command
        .args(words)
        .env_clear()
        .envs(
            host.environment()
                .iter()
                .map(|(name, value)| (OsStr::from_bytes(name), OsStr::from_bytes(value))),
        )
        .stdin(match input {
            Input::None => Stdio::null(),
            Input::Inherited => Stdio::inherit(),
            Input::Text(_) => Stdio::piped(),
        })
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    // A program that reads the terminal must stay in our process group.
    if limit.is_some() {
        command.process_group(0);
    }
    let mut child = command
        .spawn()
        .map_err(|error| ProgramError::Start(shown.clone(), error))?;
    if let (Input::Text(text), Some(mut stdin)) = (input, child.stdin.take()) {
        let text = text.to_vec();
        // A program that does not read its input closes the pipe: that is its right.
        thread::spawn(move || drop(stdin.write_all(&text)));
    }
    let result = follow(&mut child, limit);
    if result.is_err() && limit.is_some() {
        end_group(&child);
    }
    let status = child
        .wait()
        .map_err(|error| ProgramError::Start(shown.clone(), error))?;
    match result {
        Ok((stdout, stderr)) => Ok(Output {
            status: status
                .code()
                .unwrap_or_else(|| 128 + status.signal().unwrap_or(0)),
            stdout: stdout.into(),
            stderr: stderr.into(),
        }),
        Err(Ending::Time) => Err(ProgramError::Time(
            shown,
            limit.map_or(0, |limit| limit.as_secs()),
        )),
        Err(Ending::Size) => Err(ProgramError::Size(shown)),
    }
}

/// Why we do not wait for the end.
enum Ending {
    Time,
    Size,
}

/// Collects what the program writes, both streams at the same time: one full pipe must not stop the other.
///
/// The end of the program is the end of the wait: children that it leaves behind may hold its pipes for ever.
fn follow(child: &mut Child, limit: Option<Duration>) -> Result<(Vec<u8>, Vec<u8>), Ending> {
    const LOOK: Duration = Duration::from_millis(20);
    const LAST_WORDS: Duration = Duration::from_millis(200);
    let mut deadline = limit.map(|limit| Instant::now() + limit);
    let mut has_ended = false;
    let stdout = child.stdout.take().map(Collector::start);
    let stderr = child.stderr.take().map(Collector::start);
    let streams = || stdout.iter().chain(stderr.iter());
    while !streams().all(Collector::is_closed) {
        if streams().any(Collector::is_full) {
            return Err(Ending::Size);
        }
        if !has_ended && matches!(child.try_wait(), Ok(Some(_))) {
            has_ended = true;
            deadline = Some(Instant::now() + LAST_WORDS);
        }
        match deadline {
            Some(deadline) if Instant::now() >= deadline => match has_ended {
                true => break,
                false => return Err(Ending::Time),
            },
            _ => {}
        }
        if let Some(open) = streams().find(|stream| !stream.is_closed()) {
            open.wait(LOOK);
        }
    }
    if streams().any(Collector::is_full) {
        return Err(Ending::Size);
    }
    if !has_ended && let Some(deadline) = deadline {
        // Closed pipes are not yet the end.
        while matches!(child.try_wait(), Ok(None)) {
            if Instant::now() >= deadline {
                return Err(Ending::Time);
            }
            thread::sleep(Duration::from_millis(1));
        }
    }
    let text = |stream: Option<Collector>| stream.map_or(Vec::new(), |stream| stream.take());
    Ok((text(stdout), text(stderr)))
}

/// A thread that reads one output stream.
struct Collector {
    text: Arc<Mutex<Vec<u8>>>,
    closed: Receiver<()>,
    is_closed: Cell<bool>,
}

impl Collector {
    fn start(mut stream: impl Read + Send + 'static) -> Collector {
        let text = Arc::new(Mutex::new(Vec::new()));
        let (sender, closed) = mpsc::channel();
        let shared = Arc::clone(&text);
        thread::spawn(move || {
            let mut buffer = vec![0; 1 << 16];
            // An unreadable pipe ends like a closed one.
            while let Ok(count @ 1..) = stream.read(&mut buffer) {
                let mut text = lock(&shared);
                text.extend_from_slice(&buffer[..count]);
                if text.len() > MAX_OUTPUT_BYTES {
                    break;
                }
            }
            drop(sender);
        });
        Collector {
            text,
            closed,
            is_closed: Cell::new(false),
        }
    }

    /// Waits until the stream is closed, at most `time`.
    fn wait(&self, time: Duration) {
        if let Err(RecvTimeoutError::Disconnected) = self.closed.recv_timeout(time) {
            self.is_closed.set(true);
        }
    }

    fn is_closed(&self) -> bool {
        self.wait(Duration::ZERO);
        self.is_closed.get()
    }

    fn is_full(&self) -> bool {
        lock(&self.text).len() > MAX_OUTPUT_BYTES
    }

    fn take(&self) -> Vec<u8> {
        std::mem::take(&mut lock(&self.text))
    }
}

/// The text, even where a reader died while it held it: bytes cannot be half-written.
fn lock(text: &Mutex<Vec<u8>>) -> MutexGuard<'_, Vec<u8>> {
    text.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Ends the program with all that it started.
fn end_group(child: &Child) {
    use nix::sys::signal::{Signal, killpg};
    use nix::unistd::Pid;
    if let Ok(id) = i32::try_from(child.id()) {
        // Gone already is as good.
        let _ = killpg(Pid::from_raw(id), Signal::SIGKILL);
    }
}

impl Host<'_> {
    /// How long a program that the file starts may run: without end where the user waits for it.
    pub(in crate::modulefile) fn program_time(&self) -> Option<Duration> {
        const CRAWL_TIME: Duration = Duration::from_secs(5);
        self.mode.is_crawl().then(|| self.time_left(CRAWL_TIME))
    }

    /// How much of `time` is left for whoever waits for the evaluation.
    pub(in crate::modulefile) fn time_left(&self, time: Duration) -> Duration {
        let left = |deadline: Instant| deadline.saturating_duration_since(Instant::now());
        self.world
            .deadline()
            .map_or(time, |deadline| time.min(left(deadline)))
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::Fake;
    use super::*;
    use crate::modulefile::Mode;

    fn sh(text: &str, limit_ms: u64) -> Result<Output, ProgramError> {
        let mut fake = Fake::new();
        fake.with_host(Mode::Load, |host| {
            run(
                host,
                &["/bin/sh", "-c", text],
                Input::None,
                Some(Duration::from_millis(limit_ms)),
            )
        })
    }

    #[test]
    fn both_streams_and_the_status_arrive() {
        let output = sh("cat; echo out; echo err >&2; exit 3", 20_000).unwrap();
        assert_eq!(
            output,
            Output {
                status: 3,
                stdout: "out\n".into(),
                stderr: "err\n".into()
            }
        );
    }

    #[test]
    fn a_program_that_does_not_end_is_ended_with_its_children() {
        let start = Instant::now();
        assert!(matches!(
            sh("sleep 60 & sleep 60", 200),
            Err(ProgramError::Time(..))
        ));
        assert!(start.elapsed() < Duration::from_secs(20));
    }

    #[test]
    fn a_child_left_behind_is_not_waited_for() {
        let start = Instant::now();
        assert_eq!(sh("sleep 30 & echo done", 20_000).unwrap().stdout, "done\n");
        assert!(start.elapsed() < Duration::from_secs(20));
    }

    #[test]
    fn endless_output_is_cut() {
        assert!(matches!(sh("yes", 60_000), Err(ProgramError::Size(_))));
    }
}
