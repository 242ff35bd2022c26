//! The sub-commands of `module`: one file each, and the table that names them.
//!
//! A sub-command acts on a [`Context`]: it changes the engine's state or prints text. This file turns what came of it into
//! an [`Outcome`]: code for the shell from the difference of two states, text for people, status.

mod list;
mod outcome;
mod request;
pub mod table;

use std::borrow::Cow;

use bstr::{BString, ByteSlice};

pub use outcome::Outcome;
pub use request::{Action, Dump, Options, Report, Request};
pub use table::{Subcommand, Words};

use crate::config::{Config, Origin};
use crate::diag::{Diagnostic, Severity};
use crate::env::{Change, Delta, VarName};
use crate::session::Session;
use crate::shell::Row;
use crate::view::Layout;

/// What a sub-command works with.
pub struct Context<'s> {
    /// The session.
    pub session: &'s Session,
    /// The settings in force, options included.
    pub config: &'s Config,
    /// The options of this request.
    pub options: &'s Options,
    /// The words of this request.
    pub words: &'s [String],
    /// Text for people so far.
    text: String,
}

impl Context<'_> {
    /// Prints text for people.
    pub fn print(&mut self, text: &str) {
        self.text.push_str(text);
    }

    /// Prints a JSON document, indented, for programs.
    pub fn print_json(&mut self, value: &serde_json::Value) {
        let text = serde_json::to_string_pretty(value).expect("a value without maps keyed by other than text");
        self.text.push_str(&text);
        self.text.push('\n');
    }

    /// How text is laid out.
    pub fn layout(&self) -> Layout {
        layout(self.session, Some(self.options))
    }
}

/// Columns and colours: options, then variables, then the terminal, which is asked only now.
fn layout(session: &Session, options: Option<&Options>) -> Layout {
    let number = |name| session.text(name).and_then(|w| w.trim().parse::<usize>().ok());
    let width = options
        .and_then(|o| o.width)
        .or_else(|| number("LMOD_TERM_WIDTH"))
        .or_else(|| number("MODULES_TERM_WIDTH"))
        .or_else(|| number("COLUMNS"))
        .filter(|w| *w > 0)
        .or_else(|| terminal_size::terminal_size_of(std::io::stderr()).map(|(w, _)| w.0 as usize))
        .unwrap_or(80)
        .clamp(30, 2000);
    Layout {
        width,
        colour: colour(session),
    }
}

/// Whether text for people is coloured.
fn colour(session: &Session) -> bool {
    match session.text("LMOD_COLORIZE").or_else(|| session.text("MODULES_COLOR")) {
        Some("force" | "always") => true,
        Some("no" | "never" | "off" | "0" | "") => false,
        _ => {
            session.stderr_is_terminal
                && session.text("NO_COLOR").is_none_or(str::is_empty)
                && session.text("TERM") != Some("dumb")
        }
    }
}

/// Puts the options that are settings into the settings.
pub fn apply_options(config: &mut Config, options: &Options) {
    let flags = [
        ("quiet", options.quiet),
        ("ignore_cache", options.ignore_cache),
    ];
    for (name, on) in flags {
        if on {
            config.set(name, "yes", Origin::Option);
        }
    }
    if let Some(redirect) = options.redirect {
        config.set("redirect", if redirect { "yes" } else { "no" }, Origin::Option);
    }
}

/// A request that is answered by text alone.
pub fn say(session: &Session, config: &Config, row: &Row, text: String, ok: bool) -> Outcome {
    let delta = Delta {
        failed: !ok,
        ..Delta::default()
    };
    finish(session, config, row, delta, Vec::new(), text)
}

/// A request that failed before it began. Without a shell there is no code to print.
pub fn failed(session: &Session, config: &Config, row: Option<&Row>, diagnostic: &Diagnostic) -> Outcome {
    let message = rendered(session, config, Severity::Error, diagnostic);
    match row {
        Some(row) => finish(session, config, row, failure(&message), message.into_bytes(), String::new()),
        None => Outcome {
            stderr: message.into_bytes(),
            exit: 1,
            ..Outcome::default()
        },
    }
}

/// The only change of a request that failed: the text that `module last-error` shows.
fn failure(message: &str) -> Delta {
    let name = VarName::new("__LMOD_LAST_ERROR").expect("a literal name");
    Delta {
        changes: vec![Change::SetVar {
            name,
            value: BString::from(message.trim_end()),
        }],
        failed: true,
        ..Delta::default()
    }
}

fn rendered(session: &Session, config: &Config, severity: Severity, diagnostic: &Diagnostic) -> String {
    if config.quiet {
        return String::new();
    }
    let layout = layout(session, None);
    diagnostic.render(severity, layout.colour, layout.width)
}

/// Puts code, messages and report together. A report goes to standard output as code that prints it where the user wants
/// that and the shell can.
fn finish(
    _session: &Session,
    config: &Config,
    row: &Row,
    mut delta: Delta,
    mut messages: Vec<u8>,
    report: String,
) -> Outcome {
    let redirected = config.redirect && !report.is_empty();
    if redirected {
        delta.echo = report.lines().map(BString::from).collect();
    }
    let exit = u8::from(delta.failed);
    let emission = row.shell.emit(&delta);
    if !redirected {
        messages.extend_from_slice(report.as_bytes());
    }
    if !config.quiet {
        for dropped in &emission.dropped {
            messages.extend_from_slice(format!("warning: {dropped}\n").as_bytes());
        }
    }
    Outcome {
        stdout: emission.code,
        stderr: messages,
        paged: !redirected && !report.is_empty(),
        exit,
    }
}

/// The settings and where they come from.
pub fn config_report(config: &Config, report: Report) -> String {
    let rows = config.list();
    let origin = |origin: &Origin| -> Cow<'static, str> {
        match origin {
            Origin::Default => "default".into(),
            Origin::File(path) => path.to_string().into(),
            Origin::Variable(name) => (*name).into(),
            Origin::Option => "option".into(),
        }
    };
    match report {
        Report::Text => {
            let mut text = String::from("Settings of xmod\n");
            for (name, value, from) in &rows {
                text.push_str(&format!("  {name:<24} {value:<24} {}\n", origin(from)));
            }
            text
        }
        Report::Json => {
            let settings: serde_json::Map<String, serde_json::Value> = rows
                .iter()
                .map(|(name, value, _)| ((*name).to_owned(), value.clone().into()))
                .collect();
            let value = serde_json::json!({ "configT": settings, "rcfileA": [], "cache": [], "propT": {} });
            format!("{value}\n")
        }
    }
}

/// Whether `name` holds `pattern`, without regard to case.
pub(crate) fn contains(name: &str, pattern: &str) -> bool {
    name.to_lowercase().as_bytes().contains_str(pattern.to_lowercase())
}
