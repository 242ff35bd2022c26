//! `xmod exec MODULE... -- COMMAND`: one command with modules loaded, without a shell.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::process::CommandExt;

use bstr::{BString, ByteSlice};

use super::{Outcome, loaded};
use crate::config::Config;
use crate::diag::{Diagnostic, Kind, Severity};
use crate::env::Change;
use crate::session::Session;

/// The exit status of a command that cannot be started, as in shells.
const CANNOT_RUN: u8 = 126;
/// The exit status of a command that does not exist, as in shells.
const NOT_FOUND: u8 = 127;

/// Loads the modules before `--` and becomes the command behind it. Returns only where that fails.
pub fn run(session: &Session, words: &[BString]) -> Outcome {
    let Some(dashes) = words.iter().position(|w| *w == "--") else {
        return failed(
            &Diagnostic::new(
                Kind::Usage,
                "`xmod exec` needs `--` between the modules and the command",
            )
            .help("xmod exec gcc/13 openmpi -- make -j4"),
            Kind::Usage.exit_code(),
        );
    };
    let (modules, command) = (&words[..dashes], &words[dashes + 1..]);
    let Some((program, args)) = command.split_first() else {
        return failed(
            &Diagnostic::new(Kind::Usage, "`xmod exec` needs a command behind `--`"),
            Kind::Usage.exit_code(),
        );
    };
    let config = Config::new(session);
    let modules: Vec<String> = modules
        .iter()
        .map(|m| m.to_str_lossy().into_owned())
        .collect();
    let (delta, messages) = match loaded(session, &config, modules) {
        Ok(loaded) => loaded,
        Err(text) => {
            return Outcome {
                stderr: text.into_bytes(),
                exit: 1,
                ..Outcome::default()
            };
        }
    };
    let mut child = std::process::Command::new(OsStr::from_bytes(program));
    child.args(args.iter().map(|a| OsStr::from_bytes(a)));
    for change in &delta.changes {
        match change {
            Change::SetVar { name, value } => {
                child.env(name.as_str(), OsStr::from_bytes(value));
            }
            Change::UnsetVar { name } => {
                child.env_remove(name.as_str());
            }
            Change::Chdir { dir } => {
                child.current_dir(OsStr::from_bytes(dir));
            }
            // Words of a shell; there is none.
            _ => {}
        }
    }
    {
        use std::io::Write;
        // The command takes over: what modulefiles said is written now or never.
        let _ = std::io::stderr().write_all(messages.as_bytes());
    }
    let error = child.exec();
    let exit = if error.kind() == std::io::ErrorKind::NotFound {
        NOT_FOUND
    } else {
        CANNOT_RUN
    };
    failed(
        &Diagnostic::new(Kind::Usage, format!("cannot run `{program}`: {error}")),
        exit,
    )
}

fn failed(diagnostic: &Diagnostic, exit: u8) -> Outcome {
    Outcome {
        stderr: diagnostic.render(Severity::Error, false, 100).into_bytes(),
        exit,
        ..Outcome::default()
    }
}
