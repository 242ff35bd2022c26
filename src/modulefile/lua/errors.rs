//! Errors of Lua as diagnostics: the line from the debug interface or from Lua's own prefix, near misses for unknown names.

use std::ffi::c_void;
use std::fmt;
use std::sync::Arc;

use camino::Utf8Path;
use mlua::Lua;

use super::sandbox;
use crate::diag::{Diagnostic, Kind, Place, SourceFile};

/// An error of ours on its way through Lua.
#[derive(Debug, Clone)]
pub(super) enum Raised {
    /// The evaluation is at its end; why stands with the machine.
    Stopped,
    /// A command failed in a way that the file may catch.
    Failed(Box<Diagnostic>),
}

impl fmt::Display for Raised {
    /// The text that `pcall` gives to the file.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Raised::Stopped => f.write_str("the evaluation has ended"),
            Raised::Failed(diagnostic) => {
                if let Some((place, _)) = &diagnostic.place {
                    write!(f, "{place}: ")?;
                }
                f.write_str(&diagnostic.message)
            }
        }
    }
}

impl std::error::Error for Raised {}

/// The line of `file` that runs at `level` of the stack, or from which what runs there was called. `chunk` is the function
/// that holds the file's own lines.
pub(super) fn current_line(
    lua: &Lua,
    level: usize,
    file: &Utf8Path,
    chunk: *const c_void,
) -> Option<usize> {
    for level in level..64 {
        let line = lua.inspect_stack(level, |debug| {
            // A function of ours has no line, which costs less to ask for than the name of a file.
            let line = debug.current_line()?;
            // Most calls stand outside of functions, and pointers are compared sooner than names.
            if debug.function().to_pointer() == chunk {
                return Some(line);
            }
            let source = debug.source();
            let name = source.source.as_deref().and_then(|s| s.strip_prefix('@'));
            (name == Some(file.as_str())).then_some(line)
        })?;
        if line.is_some() {
            return line;
        }
    }
    None
}

/// The line, of whatever file, that called the function of ours that runs.
pub(super) fn calling_place(lua: &Lua) -> Option<Place> {
    for level in 0..64 {
        let found = lua.inspect_stack(level, |debug| {
            let line = debug.current_line()?;
            let source = debug.source();
            let path = source.source.as_deref()?.strip_prefix('@')?;
            Some((path.to_owned(), line))
        })?;
        if let Some((path, line)) = found {
            let file = crate::modulefile::read(Utf8Path::new(&path)).ok()?;
            return Some(Place::line(&file, u32::try_from(line).ok()?));
        }
    }
    None
}

/// What an error that reached the end of `source` says to people.
pub(super) fn diagnostic(error: &mlua::Error, source: &Arc<SourceFile>) -> Diagnostic {
    match error {
        mlua::Error::CallbackError { traceback, cause } => {
            if let Some(Raised::Failed(diagnostic)) = cause.downcast_ref::<Raised>() {
                return (**diagnostic).clone();
            }
            let text = format!("{}\n{traceback}", root_cause(cause));
            from_text(&text, source)
        }
        mlua::Error::SyntaxError { message, .. } => {
            if source.text().starts_with(b"\x1bLua") {
                return Diagnostic::new(Kind::Modulefile, "compiled Lua is not accepted")
                    .at(Place::line(source, 1), "")
                    .help("install the source of the modulefile");
            }
            from_text(message, source)
        }
        mlua::Error::MemoryError(_) => {
            Diagnostic::new(Kind::Modulefile, "the modulefile takes too much memory")
                .at(Place::line(source, 1), "while this file was evaluated")
        }
        mlua::Error::RuntimeError(text) => from_text(text, source),
        other => from_text(&other.to_string(), source),
    }
}

/// The innermost error, without the tracebacks that each crossing of the border adds.
pub(super) fn root_cause(error: &mlua::Error) -> String {
    match error {
        mlua::Error::CallbackError { cause, .. } => root_cause(cause),
        mlua::Error::RuntimeError(text) => text.clone(),
        other => other.to_string(),
    }
}

/// A message of Lua, `PATH:LINE: what` and perhaps a traceback.
fn from_text(text: &str, source: &Arc<SourceFile>) -> Diagnostic {
    let (message, traceback) = text.split_once("\nstack traceback:").unwrap_or((text, ""));
    let id = chunk_id(source.path().as_str());
    if let Some((line, message)) = strip_position(message, &id) {
        return explain(message).at(place_of(source, line, message), "");
    }
    let caller = position_in(traceback, &id).map(|line| Place::line(source, line));
    match (other_file(message), caller) {
        (Some((file, line, message)), caller) => {
            let diagnostic = explain(message).at(place_of(&file, line, message), "");
            match caller {
                Some(caller) => diagnostic.note(format!("called from {caller}")),
                None => diagnostic,
            }
        }
        (None, Some(caller)) => explain(message).at(caller, ""),
        (None, None) if source.text().is_empty() => explain(message),
        (None, None) => explain(message).note(format!("in {}", source.path())),
    }
}

/// The file of the site in which an error is, with its line and the message.
fn other_file(message: &str) -> Option<(Arc<SourceFile>, u32, &str)> {
    let (path, rest) = message.split_once(".lua:")?;
    let (line, rest) = rest.split_once(": ")?;
    let line = line.parse().ok()?;
    let file = crate::modulefile::read(Utf8Path::new(&format!("{path}.lua"))).ok()?;
    Some((file, line, rest))
}

/// The words for what Lua says, with the next step where one is known.
fn explain(message: &str) -> Diagnostic {
    if let Some(name) = quoted_after(message, "attempt to call a nil value (global '") {
        let unknown = Diagnostic::new(Kind::Modulefile, format!("unknown function `{name}`"));
        return match sandbox::near_miss(name) {
            Some(near) => unknown.help(format!("did you mean `{near}`?")),
            None => unknown,
        };
    }
    let diagnostic = Diagnostic::new(Kind::Modulefile, message.trim_end());
    match quoted_after(message, "a nil value (global '") {
        Some(name) => match sandbox::near_miss(name) {
            Some(near) => diagnostic.help(format!("did you mean `{near}`?")),
            None => diagnostic.note(format!("`{name}` has no value here")),
        },
        None => diagnostic,
    }
}

/// The name that the message is about inside its line where it stands there, else the whole line.
fn place_of(source: &Arc<SourceFile>, line: u32, message: &str) -> Place {
    let mut place = Place::line(source, line);
    let name = quoted_after(message, "(global '")
        .or_else(|| quoted_after(message, "(field '"))
        .or_else(|| quoted_after(message, "(method '"))
        .or_else(|| quoted_after(message, "(local '"))
        .or_else(|| quoted_after(message, "near '"));
    if let Some(name) = name.filter(|n| !n.is_empty()) {
        let range = place.span.start as usize..place.span.end as usize;
        if let Some(at) = bstr::ByteSlice::find(&source.text()[range], name) {
            let start = place.span.start as usize + at;
            place.span = crate::diag::Span::new(start, start + name.len());
        }
    }
    place
}

fn quoted_after<'t>(text: &'t str, opening: &str) -> Option<&'t str> {
    let (_, rest) = text.split_once(opening)?;
    rest.split_once('\'').map(|(name, _)| name)
}

/// `PATH:LINE: rest` as line and rest.
fn strip_position<'t>(text: &'t str, id: &str) -> Option<(u32, &'t str)> {
    let rest = text.strip_prefix(id)?.strip_prefix(':')?;
    let (line, rest) = rest.split_once(':')?;
    Some((line.parse().ok()?, rest.strip_prefix(' ').unwrap_or(rest)))
}

/// The first line of the file that a traceback names.
fn position_in(traceback: &str, id: &str) -> Option<u32> {
    traceback
        .lines()
        .find_map(|l| strip_position(l.trim_start(), id))
        .map(|(line, _)| line)
}

/// How Lua shortens the name of a chunk in messages: at most 59 bytes, dots in front where it was longer.
pub(super) fn chunk_id(path: &str) -> String {
    const LONGEST: usize = 59;
    if path.len() <= LONGEST {
        return path.to_owned();
    }
    let tail = &path.as_bytes()[path.len() - (LONGEST - 3)..];
    format!("...{}", String::from_utf8_lossy(tail))
}
