//! Tcl's own commands, in tables by topic.
//!
//! Each row holds the name, the usage that `wrong # args` shows, the number of arguments and the function. Arity is
//! checked in one place, in `interp.rs`.

use num_bigint::BigInt;
use num_traits::Signed;

use super::chars;
use super::command::{Def, must_be, one_of};
use super::error::{Exit, Outcome, Stop};
use super::number::{self, Number};
use super::value::Value;

mod array;
mod bytes;
mod channel;
mod control;
mod dict;
mod ensemble;
mod errors;
mod event;
mod exec;
mod file;
mod info;
mod interps;
mod lists;
mod namespaces;
mod operators;
mod package;
mod procs;
mod regex;
mod sort;
mod string;
mod switch;
mod time;
mod trace;
mod variable;

pub(super) use interps::call_child;
pub(super) use procs::make_proc;
pub(super) use time::milliseconds;

/// What the built-in commands of one interpreter keep.
#[derive(Default)]
pub(super) struct State {
    /// The file that is being run: `info script`.
    pub(super) script: Value,
    /// The state of `rand()`; 0 before its first use.
    pub(super) seed: i64,
    /// The calls that led to the error that was caught last: `info errorstack`.
    pub(super) error_stack: Value,
    /// The program that runs: `info nameofexecutable`.
    pub(super) executable: Value,
    /// The working directory of the script; empty until somebody asks for it.
    pub(super) directory: std::path::PathBuf,
    channels: channel::Channels,
    events: event::Events,
    packages: package::Packages,
    searches: Vec<array::Search>,
    regexes: regex::Cache,
}

impl State {
    /// Takes over what all interpreters have in common, from the one that ran before.
    pub(super) fn share_with(&mut self, before: &mut State) {
        std::mem::swap(&mut self.channels, &mut before.channels);
        std::mem::swap(&mut self.events, &mut before.events);
        std::mem::swap(&mut self.directory, &mut before.directory);
        std::mem::swap(&mut self.executable, &mut before.executable);
    }
}

/// The sub-commands of a built-in command by their names.
pub(super) fn sub_commands(name: &str) -> impl Iterator<Item = (&'static str, &'static Def)> {
    let table: &'static [Def] = match find(b"", name.as_bytes()).map(|def| &def.action) {
        Some(super::command::Action::Ensemble(table)) => table,
        _ => &[],
    };
    table.iter().map(|def| (def.name, def))
}

/// The tables of the global namespace.
static TABLES: &[&[Def]] = &[
    array::TABLE,
    bytes::TABLE,
    channel::TABLE,
    control::TABLE,
    errors::TABLE,
    procs::TABLE,
    dict::TABLE,
    event::TABLE,
    exec::TABLE,
    file::TABLE,
    info::TABLE,
    interps::TABLE,
    lists::TABLE,
    namespaces::TABLE,
    package::TABLE,
    regex::TABLE,
    sort::TABLE,
    string::TABLE,
    switch::TABLE,
    time::TABLE,
    trace::TABLE,
    variable::TABLE,
];

static TCL: &[&[Def]] = &[operators::TCL, event::TCL, package::TCL];
static MATHOP: &[&[Def]] = &[operators::MATHOP];

/// The built-in command of a namespace; the namespace is named without leading colons.
pub(super) fn find(namespace: &[u8], name: &[u8]) -> Option<&'static Def> {
    // What was found is kept by the interpreter. A modulefile names two or three of them: a hash table of all would cost
    // more to make than all its searches.
    table(namespace).find(|def| def.name.as_bytes() == name)
}

/// All built-in commands of a namespace.
pub(super) fn table(namespace: &[u8]) -> impl Iterator<Item = &'static Def> {
    let tables: &[&[Def]] = match namespace {
        b"" => TABLES,
        b"tcl" => TCL,
        b"tcl::mathop" => MATHOP,
        _ => &[],
    };
    let parts = namespace.strip_prefix(b"tcl::").and_then(parts_of);
    let rows = tables.iter().flat_map(|table| table.iter());
    rows.chain(parts.unwrap_or_default())
}

/// The sub-commands of a command as commands of their own: `::tcl::string::length` is `string length`.
pub(super) fn parts_of(name: &[u8]) -> Option<&'static [Def]> {
    all_parts().find_map(|(own, parts)| (own.as_bytes() == name).then_some(parts))
}

/// The commands whose sub-commands are commands of their own, with these.
fn all_parts() -> impl Iterator<Item = (&'static str, &'static [Def])> {
    const WITH_PARTS: [&str; 8] = [
        "array",
        "binary",
        "chan",
        "dict",
        "file",
        "info",
        "namespace",
        "string",
    ];
    let rows = TABLES.iter().flat_map(|table| table.iter());
    rows.filter_map(|def| match &def.action {
        super::command::Action::Ensemble(table) if WITH_PARTS.contains(&def.name) => {
            Some((def.name, *table))
        }
        _ => None,
    })
}

/// Whether a name is that of a built-in command with sub-commands.
fn is_builtin_ensemble(name: &[u8]) -> bool {
    let name = name.strip_prefix(b"::").unwrap_or(name);
    find(b"", name).is_some_and(|def| matches!(def.action, super::command::Action::Ensemble(_)))
}

/// The error for a value that is no integer.
fn not_integer(value: &Value) -> Exit {
    let message = bytes!("expected integer but got \"", value, "\"");
    Exit::coded(message, &["TCL", "VALUE", "INTEGER"])
}

/// The error for a value that is no number of this kind.
fn not_a_number(kind: &str, value: &Value) -> Exit {
    let octal = if number::looks_like_bad_octal(value.bytes()) {
        " (looks like invalid octal number)"
    } else {
        ""
    };
    let message = bytes!("expected ", kind, " but got \"", value, "\"", octal);
    Exit::coded(message, &["TCL", "VALUE", "NUMBER"])
}

/// An integer argument of 64 bits.
fn expect_int(value: &Value) -> Outcome<i64> {
    match value.as_number() {
        Some(Number::Int(n)) => Ok(n),
        Some(Number::Big(_)) => Err(Exit::coded(
            "integer value too large to represent",
            &["ARITH", "IOVERFLOW", "integer value too large to represent"],
        )),
        _ => Err(not_integer(value)),
    }
}

/// The integer of a number that is one.
fn big(number: &Number) -> BigInt {
    match number {
        Number::Int(n) => BigInt::from(*n),
        Number::Big(n) => n.clone(),
        Number::Double(x) => super::operator::truncate(*x),
    }
}

/// Ends the evaluation when a value grows beyond the limit.
fn check_length(length: usize, most: usize) -> Outcome<()> {
    if length > most {
        return Err(Exit::Stop(Stop::Limit("a value grows too large")));
    }
    Ok(())
}

/// A place in a list or a string: `3`, `end`, `end-1`, `2+1`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Position {
    /// Counted from the first element.
    Start(i64),
    /// Counted from the last element: `end` is 0, `end-1` is -1.
    End(i64),
}

impl Position {
    /// The offset, which may lie outside.
    fn offset(self, length: usize) -> i64 {
        match self {
            Position::Start(n) => n,
            Position::End(n) => (length as i64 - 1).saturating_add(n),
        }
    }

    /// Whether it is counted from the end.
    fn is_from_end(self) -> bool {
        matches!(self, Position::End(_))
    }

    /// The offset when it is that of an element.
    fn within(self, length: usize) -> Option<usize> {
        usize::try_from(self.offset(length))
            .ok()
            .filter(|&at| at < length)
    }

    /// The offset of an element or of the place behind the last one.
    fn for_change(self, length: usize) -> Option<usize> {
        usize::try_from(self.offset(length))
            .ok()
            .filter(|&at| at <= length)
    }

    /// The first element of a range.
    fn clamp_low(self, length: usize) -> usize {
        usize::try_from(self.offset(length)).unwrap_or(0)
    }

    /// One past the last element of a range that ends here.
    fn end_within(self, length: usize) -> usize {
        usize::try_from(self.offset(length).saturating_add(1))
            .unwrap_or(0)
            .min(length)
    }
}

/// Reads an index.
fn index(value: &Value) -> Outcome<Position> {
    if let Some(n) = value.int_form() {
        return Ok(Position::Start(n));
    }
    parse_index(value.bytes()).ok_or_else(|| {
        let text = value.bytes();
        let number = text.strip_prefix(b"end-").unwrap_or(text);
        let octal = if number::resembles_octal(number) {
            " (looks like invalid octal number)"
        } else {
            ""
        };
        let message = bytes!(
            "bad index \"",
            value,
            "\": must be integer?[+-]integer? or end?[+-]integer?",
            octal
        );
        Exit::coded(message, &["TCL", "VALUE", "INDEX"])
    })
}

fn parse_index(text: &[u8]) -> Option<Position> {
    let int = |text: &[u8]| match number::parse_number(text) {
        Some(Number::Int(n)) => Some(n),
        Some(Number::Big(n)) => Some(if n.is_negative() {
            i64::MIN / 4
        } else {
            i64::MAX / 4
        }),
        _ => None,
    };
    if let Some(n) = int(text) {
        return Some(Position::Start(n));
    }
    if !text.is_empty() && b"end".starts_with(text) {
        return Some(Position::End(0));
    }
    if let Some(rest) = text.strip_prefix(b"end") {
        return match rest {
            [] => Some(Position::End(0)),
            [sign @ (b'+' | b'-'), digits @ ..]
                if digits.first().is_some_and(u8::is_ascii_digit) =>
            {
                let n = int(digits)?;
                Some(Position::End(if *sign == b'-' { -n } else { n }))
            }
            [sign @ (b'+' | b'-'), b'-', digits @ ..]
                if digits.first().is_some_and(u8::is_ascii_digit) =>
            {
                let n = -int(digits)?;
                Some(Position::End(if *sign == b'-' { -n } else { n }))
            }
            _ => None,
        };
    }
    let text = number::trim(text);
    let at = 1 + text
        .get(1..)?
        .iter()
        .position(|&b| b == b'+' || b == b'-')?;
    if text[at - 1].is_ascii_whitespace()
        || text.get(at + 1).is_none_or(|b| b.is_ascii_whitespace())
    {
        return None;
    }
    let (left, right) = (int(&text[..at])?, int(&text[at + 1..])?);
    Some(Position::Start(if text[at] == b'-' {
        left.saturating_sub(right)
    } else {
        left.saturating_add(right)
    }))
}

/// Finds an option, a mode or the like by its name or a unique beginning of it: its place in the table.
fn choice(word: &Value, names: &[&str], what: &str) -> Outcome<usize> {
    let text = word.bytes();
    if let Some(at) = names.iter().position(|name| name.as_bytes() == text) {
        return Ok(at);
    }
    let mut matching = (0..names.len()).filter(|&at| names[at].as_bytes().starts_with(text));
    let how = match (matching.next(), matching.next()) {
        (Some(at), None) if !text.is_empty() => return Ok(at),
        (Some(_), Some(_)) if !text.is_empty() => "ambiguous",
        _ => "bad",
    };
    let message = bytes!(how, " ", what, " \"", text, "\": ", must_be(names));
    Err(Exit::coded(
        message,
        &[&b"TCL"[..], b"LOOKUP", b"INDEX", what.as_bytes(), text],
    ))
}

/// Like [`choice`], but a word must be complete.
fn exact_choice(word: &Value, names: &[&str], what: &str) -> Outcome<usize> {
    let text = word.bytes();
    names
        .iter()
        .position(|name| name.as_bytes() == text)
        .ok_or_else(|| {
            let message = bytes!("bad ", what, " \"", text, "\": must be ", one_of(names));
            Exit::coded(
                message,
                &[&b"TCL"[..], b"LOOKUP", b"INDEX", what.as_bytes(), text],
            )
        })
}

/// A truth value argument.
fn expect_bool(value: &Value) -> Outcome<bool> {
    value
        .as_bool()
        .ok_or_else(|| super::expr::not_boolean(value))
}

/// What `array statistics` and `dict info` tell: the shape of a hash table of this size, evenly filled.
fn table_statistics(entries: usize) -> String {
    let mut buckets = 4;
    while entries >= buckets * 3 {
        buckets *= 4;
    }
    let full = entries % buckets;
    let each = entries / buckets;
    let mut text = format!("{entries} entries in table, {buckets} buckets");
    for size in 0..10 {
        let count = match size {
            _ if size == each => buckets - full,
            _ if size == each + 1 => full,
            _ => 0,
        };
        text.push_str(&format!("\nnumber of buckets with {size} entries: {count}"));
    }
    let probes = full * (each + 1) * (each + 2) / 2 + (buckets - full) * each * (each + 1) / 2;
    let distance = if entries == 0 {
        0.0
    } else {
        probes as f64 / entries as f64
    };
    text.push_str(&format!(
        "\nnumber of buckets with 10 or more entries: 0\naverage search distance for entry: {distance:.1}"
    ));
    text
}
