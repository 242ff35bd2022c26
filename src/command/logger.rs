//! The site's log as Environment Modules writes it: lines on the standard input of a program.
//!
//! Source: `module(1)` "MODULES_LOGGER", "MODULES_LOGGED_EVENTS".

use std::io::Write;
use std::process::{Command, Stdio};

use bstr::BString;

use super::Request;
use crate::config::Config;
use crate::session::Session;

/// Gives the program what was logged; `false` where it could not be.
pub(super) fn write(
    session: &Session,
    config: &Config,
    subcommand: &str,
    request: &Request,
    mut lines: Vec<BString>,
) -> bool {
    let mut events = config.logged_events.split(':');
    if events.any(|event| event == "requested_cmd") {
        let line = format!(
            "user=\"{}\" command=\"{subcommand}\" arguments=\"{}\"",
            session.user(),
            request.words.join(" ")
        );
        lines.insert(0, line.into());
    }
    let mut words = config.logger.split_whitespace();
    let Some(program) = words.next().filter(|_| !lines.is_empty()) else {
        return true;
    };
    let logger = Command::new(program)
        .args(words)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    let Ok(mut logger) = logger else {
        return false;
    };
    let mut text = bstr::join("\n", lines);
    text.push(b'\n');
    let written = logger.stdin.take().map(|mut stdin| stdin.write_all(&text));
    let ended = logger.wait();
    matches!(written, Some(Ok(()))) && ended.is_ok_and(|status| status.success())
}
