//! `xmod sbatch`: the script of a batch job from options, printed or submitted.

use std::io::Write;
use std::process::{Command, Stdio};

use super::{Outcome, loaded};
use crate::catalog::Job;
use crate::config::Config;
use crate::diag::{Diagnostic, Kind};
use crate::session::Session;

/// What becomes of the script.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It is printed.
    Print,
    /// `sbatch` gets it.
    Submit,
    /// `sbatch --test-only` gets it: when would it run?
    Ask,
}

/// Whether the modules are looked for before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Check {
    /// They must load here and now.
    Modules,
    /// They may exist elsewhere only.
    Nothing,
}

/// Makes the script.
///
/// # Errors
/// An option has a value that Slurm would refuse, a module cannot be loaded, or `sbatch` cannot be run.
pub fn run(session: &Session, job: &Job, fate: Fate, check: Check) -> Result<Outcome, Diagnostic> {
    let problems = job.problems();
    if let Some((option, problem)) = problems.first() {
        let diagnostic = Diagnostic::new(Kind::Usage, problem.as_str());
        return Err(match *option {
            "command" => diagnostic
                .help("xmod sbatch --modules gcc/13.2.0 --time 1:00:00 -- ./program its arguments"),
            option => diagnostic.note(format!("given by `--{option}`")),
        });
    }
    if check == Check::Modules && !job.modules.is_empty() {
        let mut config = Config::new(session);
        // Nobody uses them yet.
        config.log_loads = false;
        if let Err(text) = loaded(session, &config, job.modules.clone()) {
            return Ok(Outcome {
                stderr: format!("{text}No script was written: the job would fail. `--no-check` writes it all the same.\n").into_bytes(),
                exit: 1,
                ..Outcome::default()
            });
        }
    }
    let script = job.script();
    match fate {
        Fate::Print => Ok(Outcome {
            stdout: script.into_bytes(),
            ..Outcome::default()
        }),
        Fate::Submit => submit(&script, &[]),
        Fate::Ask => submit(&script, &["--test-only"]),
    }
}

/// Gives the script to `sbatch`; what that says is the answer.
fn submit(script: &str, options: &[&str]) -> Result<Outcome, Diagnostic> {
    let failed = |error: std::io::Error| {
        Diagnostic::new(Kind::Site, format!("cannot run `sbatch`: {error}"))
            .help("without `--submit` the script is printed")
    };
    let mut child = Command::new("sbatch")
        .args(options)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(failed)?;
    if let Some(mut pipe) = child.stdin.take() {
        // Where `sbatch` has ended already its own message is the better one.
        let _ = pipe.write_all(script.as_bytes());
    }
    let output = child.wait_with_output().map_err(failed)?;
    Ok(Outcome {
        stdout: output.stdout,
        stderr: output.stderr,
        exit: output
            .status
            .code()
            .and_then(|code| u8::try_from(code).ok())
            .unwrap_or(1),
        paged: None,
    })
}
