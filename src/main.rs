//! The program: reads the session, runs, exits.

use std::collections::BTreeMap;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::process::ExitCode;

#[expect(
    clippy::disallowed_methods,
    reason = "the world is read here until the command line has its room"
)]
fn main() -> ExitCode {
    let args: Vec<_> = std::env::args_os().collect();
    let cwd = std::env::current_dir().unwrap_or_default();
    let env: BTreeMap<Vec<u8>, Vec<u8>> = std::env::vars_os()
        .map(|(name, value)| (name.into_vec(), value.into_vec()))
        .collect();
    match &args[..] {
        [_, command, file, rest @ ..] if command == "tclsh" => {
            let rest: Vec<Vec<u8>> = rest.iter().map(|arg| arg.as_bytes().to_vec()).collect();
            ExitCode::from(xmod::modulefile::tcl::tclsh(
                file.as_ref(),
                &rest,
                env,
                &cwd,
            ))
        }
        _ => ExitCode::from(2),
    }
}
