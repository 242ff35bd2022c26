//! The grammar of scripts: commands, words, substitutions.
//!
//! A script is parsed one level deep: a word in braces stays text until somebody evaluates it, so a broken body that is
//! never called does no harm. A syntax error ends the script and is kept as its last "command": the commands before it
//! are run first. Source: Tcl 8.6, `Tcl(n)`, rules [1] to [12].

mod code;
mod text;

use std::cell::RefCell;
use std::rc::Rc;

use nom::branch::alt;
use nom::bytes::complete::{tag, take_while, take_while1};
use nom::error::{ErrorKind, ParseError};
use nom::{IResult, Parser};

use super::command::Cached;
use super::value::Value;

use code::Source;
pub(super) use code::{Code, Origin};
use text::fold_lines;
pub(super) use text::{backslash, backslash_len, substitute_backslashes};

/// A parsed script.
pub(super) struct Script {
    pub(super) code: Rc<Code>,
    pub(super) commands: Box<[Command]>,
    /// The syntax error that ends the script.
    pub(super) error: Option<SyntaxError>,
}

/// A syntax error and the command that holds it.
pub(super) struct SyntaxError {
    pub(super) message: &'static str,
    /// The command's text as far as it was understood.
    pub(super) start: u32,
    pub(super) end: u32,
}

/// One command: its words and its text.
pub(super) struct Command {
    pub(super) words: Box<[Word]>,
    /// First byte in the text of the script.
    pub(super) start: u32,
    /// The byte that ends it: a newline, `;`, `]` or the end of the text.
    pub(super) end: u32,
    /// Whether the first and the last word are literals: bodies are compiled in place then.
    pub(super) literal: bool,
    /// The command that the first word named last time.
    pub(super) cached: RefCell<Option<Cached>>,
}

/// One word of a command.
pub(super) struct Word {
    pub(super) kind: WordKind,
    /// Whether `{*}` stands before it.
    pub(super) expand: bool,
}

impl Word {
    /// The value of a word that needs no substitution.
    pub(super) fn constant(&self) -> Option<&Value> {
        match &self.kind {
            WordKind::Const(value) if !self.expand => Some(value),
            _ => None,
        }
    }
}

/// What a word is made of.
pub(super) enum WordKind {
    Const(Value),
    Var(VarRef),
    Script(Rc<Script>),
    /// `name(index)` with something to substitute in the index: most often the name of a variable.
    Element(Box<VarRef>),
    Parts(Box<[Part]>),
}

/// A piece of a word.
pub(super) enum Part {
    Text(Value),
    Var(VarRef),
    Script(Rc<Script>),
}

/// `$name`, `$name(index)` or `${name}`.
pub(super) struct VarRef {
    pub(super) name: Value,
    pub(super) index: Option<Index>,
}

/// The index of an array element.
pub(super) enum Index {
    Const(Value),
    Parts(Box<[Part]>),
}

/// What is wrong and how much text was left where it was noticed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Failure {
    pub(super) message: &'static str,
    /// Bytes left from the place that Tcl names in its own report.
    pub(super) left: usize,
    /// Whether the text might become right when more is added: `info complete` asks.
    pub(super) incomplete: bool,
}

impl<'a> ParseError<&'a [u8]> for Failure {
    fn from_error_kind(input: &'a [u8], _kind: ErrorKind) -> Failure {
        Failure {
            message: "syntax error",
            left: input.len(),
            incomplete: false,
        }
    }

    fn append(_input: &'a [u8], _kind: ErrorKind, other: Failure) -> Failure {
        other
    }
}

pub(super) type Parsed<'a, T> = IResult<&'a [u8], T, Failure>;

/// Brackets inside brackets deeper than this are refused instead of exhausting the stack.
const MAX_NESTING: u32 = 250;

/// Words up to this length are no bodies with places that somebody would ask for.
const SHORT: usize = 8;

fn fail<'a, T>(message: &'static str, at: &'a [u8], incomplete: bool) -> Parsed<'a, T> {
    Err(nom::Err::Failure(Failure {
        message,
        left: at.len(),
        incomplete,
    }))
}

/// Parses a script; never fails, see the top of this file.
pub(super) fn script(code: &Rc<Code>) -> Script {
    let grammar = Grammar::new(code);
    // A file may begin with a byte order mark.
    let text = match &code.source {
        Source::File(_) => code.text.strip_prefix("\u{feff}".as_bytes()),
        _ => None,
    };
    let (_, (commands, error)) = grammar.commands(text.unwrap_or(&code.text), Ends::Text);
    Script {
        code: Rc::clone(code),
        commands,
        error,
    }
}

/// Parses a text for `subst`: one word that nothing ends.
pub(super) fn template(code: &Rc<Code>, which: Substitutions) -> (Vec<Part>, Option<SyntaxError>) {
    Grammar::new(code).template(&code.text, which)
}

/// Whether a text is complete: no open brace, bracket or quote.
pub(super) fn is_complete(code: &Rc<Code>) -> bool {
    // A line that is continued wants another one.
    if let Some(line) = code.text.strip_suffix(b"\n") {
        let backslashes = line.iter().rev().take_while(|&&b| b == b'\\').count();
        if !backslashes.is_multiple_of(2) {
            return false;
        }
    }
    let grammar = Grammar::new(code);
    let mut rest: &[u8] = &code.text;
    loop {
        match grammar.command(rest, Ends::Text) {
            Ok((_, None)) => return true,
            Ok((after, Some(_))) => rest = after,
            Err(nom::Err::Failure(failure) | nom::Err::Error(failure)) => {
                return !failure.incomplete;
            }
            Err(nom::Err::Incomplete(_)) => return false,
        }
    }
}

/// Which substitutions `subst` makes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Substitutions {
    pub(super) backslashes: bool,
    pub(super) commands: bool,
    pub(super) variables: bool,
}

/// The commands of a script and the error that ends it.
type Commands = (Box<[Command]>, Option<SyntaxError>);

/// What ends a script.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Ends {
    Text,
    Bracket,
}

/// The grammar over one text. Positions are computed from what is left, so the functions take only the rest.
pub(super) struct Grammar<'a> {
    code: &'a Rc<Code>,
    depth: std::cell::Cell<u32>,
}

impl<'a> Grammar<'a> {
    pub(super) fn new(code: &'a Rc<Code>) -> Grammar<'a> {
        Grammar {
            code,
            depth: std::cell::Cell::new(0),
        }
    }

    /// The offset where `rest` begins.
    pub(super) fn at(&self, rest: &[u8]) -> u32 {
        (self.code.text.len() - rest.len()) as u32
    }

    fn literal(&self, start: &[u8], bytes: Vec<u8>, folded: bool) -> Value {
        let origin = Origin {
            code: Rc::clone(self.code),
            at: self.at(start),
            folded,
        };
        Value::literal(bytes, origin)
    }

    fn commands(&self, text: &'a [u8], ends: Ends) -> (&'a [u8], Commands) {
        let mut commands = Vec::new();
        let mut rest = text;
        loop {
            match self.command(rest, ends) {
                Ok((after, None)) => return (after, (commands.into(), None)),
                Ok((after, Some(command))) => {
                    commands.push(command);
                    rest = after;
                }
                Err(nom::Err::Failure(failure) | nom::Err::Error(failure)) => {
                    let (start, _) = self.gap(rest).unwrap_or((rest, ()));
                    let total = self.code.text.len();
                    let error = SyntaxError {
                        message: failure.message,
                        start: self.at(start),
                        end: (total - failure.left + 1).min(total) as u32,
                    };
                    return (&rest[rest.len()..], (commands.into(), Some(error)));
                }
                Err(nom::Err::Incomplete(_)) => unreachable!("only complete parsers are used"),
            }
        }
    }

    /// White space, separators and comments before a command.
    fn gap(&self, mut rest: &'a [u8]) -> Parsed<'a, ()> {
        loop {
            let (after, _) = alt((
                take_while1(|b| is_blank(b) || b == b'\n' || b == b';'),
                continuation,
                comment,
                tag(&b""[..]),
            ))
            .parse(rest)?;
            if after.len() == rest.len() {
                return Ok((rest, ()));
            }
            rest = after;
        }
    }

    /// The next command; `None` at the end of the script.
    fn command(&self, rest: &'a [u8], ends: Ends) -> Parsed<'a, Option<Command>> {
        let (rest, ()) = self.gap(rest)?;
        match (rest.first(), ends) {
            (None, Ends::Text) => return Ok((rest, None)),
            (None, Ends::Bracket) => return fail("missing close-bracket", rest, true),
            (Some(b']'), Ends::Bracket) => return Ok((&rest[1..], None)),
            _ => {}
        }
        let start = self.at(rest);
        let mut words = Vec::new();
        let mut rest = rest;
        loop {
            let (after, word) = self.word(rest, ends)?;
            words.push(word);
            let (after, _) = blanks(after)?;
            match after.first() {
                Some(b'\n' | b';') => {
                    return Ok((&after[1..], Some(self.finish(words, start, after))));
                }
                Some(b']') if ends == Ends::Bracket => {
                    return Ok((after, Some(self.finish(words, start, after))));
                }
                None => return Ok((after, Some(self.finish(words, start, after)))),
                Some(_) => rest = after,
            }
        }
    }

    fn finish(&self, words: Vec<Word>, start: u32, rest: &[u8]) -> Command {
        Command {
            literal: is_literal(words.first()) && is_literal(words.last()),
            words: words.into(),
            start,
            end: self.at(rest),
            cached: RefCell::new(None),
        }
    }

    fn word(&self, rest: &'a [u8], ends: Ends) -> Parsed<'a, Word> {
        if let Some(after) = rest.strip_prefix(b"{*}")
            && after.first().is_some_and(|&b| !ends_word(b, ends))
            && !after.starts_with(b"\\\n")
        {
            let (after, kind) = self.word_kind(after, ends)?;
            let expand = true;
            return Ok((after, Word { kind, expand }));
        }
        let (after, kind) = self.word_kind(rest, ends)?;
        let expand = false;
        Ok((after, Word { kind, expand }))
    }

    fn word_kind(&self, rest: &'a [u8], ends: Ends) -> Parsed<'a, WordKind> {
        let (after, kind, quote) = match rest.first() {
            Some(b'{') => {
                let (after, value) = self.braced(rest)?;
                (
                    after,
                    WordKind::Const(value),
                    "extra characters after close-brace",
                )
            }
            Some(b'"') => {
                let (after, kind) = match plain_length(&rest[1..], |b| b == b'"') {
                    Some(length) if length + 1 < rest.len() => {
                        (&rest[length + 2..], self.plain(&rest[1..], length))
                    }
                    _ => self
                        .quoted(rest)
                        .map(|(after, parts)| (after, word_of(parts)))?,
                };
                (after, kind, "extra characters after close-quote")
            }
            _ => {
                if let Some(length) = plain_length(rest, |b| ends_word(b, ends)) {
                    return Ok((&rest[length..], self.plain(rest, length)));
                }
                let (after, parts) = self.parts(rest, |text| {
                    ends_word(text[0], ends) || text.starts_with(b"\\\n")
                })?;
                return Ok((after, word_of(parts)));
            }
        };
        match after.first() {
            Some(&b) if !ends_word(b, ends) && !after.starts_with(b"\\\n") => {
                fail(quote, after, false)
            }
            _ => Ok((after, kind)),
        }
    }

    /// `{text}`: everything up to the matching brace, only backslash-newline is replaced.
    pub(super) fn braced(&self, rest: &'a [u8]) -> Parsed<'a, Value> {
        let mut depth = 1usize;
        let mut at = 1;
        let mut folded = false;
        loop {
            match rest.get(at) {
                None => return fail(missing_brace(rest), rest, true),
                Some(b'\\') => {
                    folded |= rest.get(at + 1) == Some(&b'\n');
                    at += 2;
                    continue;
                }
                Some(b'{') => depth += 1,
                Some(b'}') => depth -= 1,
                Some(_) => {}
            }
            if depth == 0 {
                break;
            }
            at += 1;
        }
        let inner = &rest[1..at];
        let text = if folded {
            fold_lines(inner)
        } else {
            inner.to_vec()
        };
        Ok((&rest[at + 1..], self.literal(&rest[1..], text, folded)))
    }

    /// `"text"`: substitutions up to the closing quote.
    pub(super) fn quoted(&self, rest: &'a [u8]) -> Parsed<'a, Vec<Part>> {
        let (after, parts) = self.parts(&rest[1..], |text| text[0] == b'"')?;
        match after.first() {
            None => fail("missing \"", rest, true),
            Some(_) => Ok((&after[1..], parts)),
        }
    }

    /// Text with substitutions up to a byte that `stop` accepts.
    fn parts(&self, mut rest: &'a [u8], stop: impl Fn(&[u8]) -> bool) -> Parsed<'a, Vec<Part>> {
        let begin = rest;
        let mut parts = Vec::new();
        let mut text = Vec::new();
        while !rest.is_empty() && !stop(rest) {
            let part;
            match rest[0] {
                b'\\' => {
                    rest = &rest[backslash(rest, &mut text)..];
                    continue;
                }
                b'$' => match self.variable(rest)? {
                    (after, Some(variable)) => {
                        rest = after;
                        part = Part::Var(variable);
                    }
                    (after, None) => {
                        text.push(b'$');
                        rest = after;
                        continue;
                    }
                },
                b'[' => {
                    let (after, script) = self.bracketed(rest)?;
                    rest = after;
                    part = Part::Script(script);
                }
                _ => {
                    let length = 1 + rest[1..]
                        .iter()
                        .take_while(|&&b| {
                            b.is_ascii_alphanumeric()
                                || matches!(b, b'_' | b'-' | b'/' | b'.' | 0x80..)
                        })
                        .count();
                    text.extend_from_slice(&rest[..length]);
                    rest = &rest[length..];
                    continue;
                }
            }
            if !text.is_empty() {
                parts.push(Part::Text(Value::new(std::mem::take(&mut text))));
            }
            parts.push(part);
        }
        if !text.is_empty() || parts.is_empty() {
            // A word of plain text may be a body as well: `if 1 "puts hi"`.
            let literal = parts.is_empty() && begin[..begin.len() - rest.len()] == text[..];
            parts.push(Part::Text(if literal && text.len() > SHORT {
                self.literal(begin, text, false)
            } else {
                Value::new(text)
            }));
        }
        Ok((rest, parts))
    }

    /// The word that the first bytes of `rest` are, in which nothing is to be substituted: what [`Grammar::parts`] would
    /// make of it.
    fn plain(&self, rest: &'a [u8], length: usize) -> WordKind {
        let text = &rest[..length];
        WordKind::Const(if length > SHORT {
            self.literal(rest, text.to_vec(), false)
        } else {
            Value::new(text)
        })
    }

    /// `[script]`.
    pub(super) fn bracketed(&self, rest: &'a [u8]) -> Parsed<'a, Rc<Script>> {
        let depth = self.depth.get();
        if depth >= MAX_NESTING {
            return fail("too many nested evaluations (infinite loop?)", rest, false);
        }
        self.depth.set(depth + 1);
        let mut commands = Vec::new();
        let mut inner = &rest[1..];
        let result = loop {
            match self.command(inner, Ends::Bracket) {
                Ok((after, Some(command))) => {
                    commands.push(command);
                    inner = after;
                }
                Ok((after, None)) => break Ok(after),
                // Tcl reports the bracket, not the end of the text.
                Err(nom::Err::Failure(failure)) if failure.message == "missing close-bracket" => {
                    break fail("missing close-bracket", rest, true).map(|(after, ())| after);
                }
                Err(other) => break Err(other),
            }
        };
        self.depth.set(depth);
        let script = Script {
            code: Rc::clone(self.code),
            commands: commands.into(),
            error: None,
        };
        Ok((result?, Rc::new(script)))
    }

    /// `$name`; `None` when the dollar stands for itself.
    pub(super) fn variable(&self, rest: &'a [u8]) -> Parsed<'a, Option<VarRef>> {
        let after = &rest[1..];
        if after.first() == Some(&b'{') {
            let Some(length) = after.iter().position(|&b| b == b'}') else {
                return fail("missing close-brace for variable name", after, true);
            };
            let (name, index) = split_element(&after[1..length]);
            let reference = VarRef {
                name: Value::new(name),
                index: index.map(|index| Index::Const(Value::new(index))),
            };
            return Ok((&after[length + 1..], Some(reference)));
        }
        let (after, name) = variable_name(after);
        match after.first() {
            Some(b'(') => {
                let open = after;
                let (after, parts) = self.parts(&after[1..], |text| text[0] == b')')?;
                if after.is_empty() {
                    return fail("missing )", open, true);
                }
                let index = match <[Part; 1]>::try_from(parts) {
                    Ok([Part::Text(text)]) => Index::Const(text),
                    Ok(parts) => Index::Parts(Box::new(parts)),
                    Err(parts) => Index::Parts(parts.into()),
                };
                let reference = VarRef {
                    name: Value::new(name),
                    index: Some(index),
                };
                Ok((&after[1..], Some(reference)))
            }
            _ if name.is_empty() => Ok((after, None)),
            _ => {
                let reference = VarRef {
                    name: Value::new(name),
                    index: None,
                };
                Ok((after, Some(reference)))
            }
        }
    }

    fn template(&self, text: &'a [u8], which: Substitutions) -> (Vec<Part>, Option<SyntaxError>) {
        let mut parts = Vec::new();
        let mut plain = Vec::new();
        let mut rest = text;
        let failed = loop {
            let Some(&first) = rest.first() else {
                break None;
            };
            let part = match first {
                b'\\' if which.backslashes => {
                    rest = &rest[backslash(rest, &mut plain)..];
                    continue;
                }
                b'$' if which.variables => match self.variable(rest) {
                    Ok((after, Some(variable))) => Ok((after, Part::Var(variable))),
                    Ok((after, None)) => {
                        plain.push(b'$');
                        rest = after;
                        continue;
                    }
                    Err(error) => Err(error),
                },
                b'[' if which.commands => match self.bracketed(rest) {
                    Ok((after, script)) => Ok((after, Part::Script(script))),
                    Err(error) => {
                        // The commands before the broken one are run.
                        let (_, (commands, _)) = self.commands(&rest[1..], Ends::Bracket);
                        let mut commands = commands.into_vec();
                        let end = self.code.text.len() as u32;
                        commands.pop_if(|last| last.end == end);
                        if !commands.is_empty() {
                            if !plain.is_empty() {
                                parts.push(Part::Text(Value::new(std::mem::take(&mut plain))));
                            }
                            parts.push(Part::Script(Rc::new(Script {
                                code: Rc::clone(self.code),
                                commands: commands.into(),
                                error: None,
                            })));
                        }
                        Err(error)
                    }
                },
                byte => {
                    plain.push(byte);
                    rest = &rest[1..];
                    continue;
                }
            };
            match part {
                Ok((after, part)) => {
                    if !plain.is_empty() {
                        parts.push(Part::Text(Value::new(std::mem::take(&mut plain))));
                    }
                    parts.push(part);
                    rest = after;
                }
                Err(nom::Err::Failure(failure) | nom::Err::Error(failure)) => break Some(failure),
                Err(nom::Err::Incomplete(_)) => unreachable!("only complete parsers are used"),
            }
        };
        if !plain.is_empty() {
            parts.push(Part::Text(Value::new(plain)));
        }
        let error = failed.map(|failure| SyntaxError {
            message: failure.message,
            start: self.at(rest),
            end: self.code.text.len() as u32,
        });
        (parts, error)
    }
}

/// The message for an open brace; Tcl guesses whether a brace in a comment is to blame.
fn missing_brace(rest: &[u8]) -> &'static str {
    let mut seen = false;
    for at in (1..rest.len()).rev() {
        match rest[at] {
            b'{' => seen = true,
            b'\n' => seen = false,
            b'#' if seen && (is_blank(rest[at - 1]) || rest[at - 1] == b'\n') => {
                return "missing close-brace: possible unbalanced brace in comment";
            }
            _ => {}
        }
    }
    "missing close-brace"
}

fn word_of(parts: Vec<Part>) -> WordKind {
    match <[Part; 1]>::try_from(parts) {
        Ok([Part::Text(text)]) => WordKind::Const(text),
        Ok([Part::Var(variable)]) => WordKind::Var(variable),
        Ok([Part::Script(script)]) => WordKind::Script(script),
        Err(parts) => match element_of(parts) {
            Ok(element) => WordKind::Element(Box::new(element)),
            Err(parts) => WordKind::Parts(parts.into()),
        },
    }
}

/// Pieces that read `name(`, an index, `)`; else they are given back.
fn element_of(mut parts: Vec<Part>) -> Result<VarRef, Vec<Part>> {
    let [Part::Text(first), .., Part::Text(last)] = &parts[..] else {
        return Err(parts);
    };
    let (first, last) = (first.bytes(), last.bytes());
    let (Some(open), Some((b')', last))) =
        (first.iter().position(|&b| b == b'('), last.split_last())
    else {
        return Err(parts);
    };
    let name = Value::from(&first[..open]);
    let (before, after) = (Value::from(&first[open + 1..]), Value::from(last));
    parts.remove(0);
    parts.pop();
    if !before.is_empty() {
        parts.insert(0, Part::Text(before));
    }
    if !after.is_empty() {
        parts.push(Part::Text(after));
    }
    Ok(VarRef {
        name,
        index: Some(Index::Parts(parts.into())),
    })
}

fn is_literal(word: Option<&Word>) -> bool {
    word.is_some_and(|word| word.constant().is_some())
}

/// The name after a `$`: letters, digits, underscores and runs of two or more colons.
fn variable_name(rest: &[u8]) -> (&[u8], &[u8]) {
    let mut at = 0;
    loop {
        match rest[at..] {
            [b, ..] if b.is_ascii_alphanumeric() || b == b'_' => at += 1,
            [b':', b':', ..] => at += rest[at..].iter().take_while(|&&b| b == b':').count(),
            _ => return (&rest[at..], &rest[..at]),
        }
    }
}

/// Splits `name(index)`; without parentheses at the end the whole is the name.
pub(super) fn split_element(name: &[u8]) -> (&[u8], Option<&[u8]>) {
    if name.last() == Some(&b')')
        && let Some(open) = name.iter().position(|&b| b == b'(')
    {
        return (&name[..open], Some(&name[open + 1..name.len() - 1]));
    }
    (name, None)
}

fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | 0x0b | 0x0c)
}

fn ends_word(byte: u8, ends: Ends) -> bool {
    is_blank(byte) || matches!(byte, b'\n' | b';') || (byte == b']' && ends == Ends::Bracket)
}

/// How long the text up to a byte that `stop` accepts, or to its end, is; `None` where something in it is to be
/// substituted.
fn plain_length(rest: &[u8], stop: impl Fn(u8) -> bool) -> Option<usize> {
    for (at, &byte) in rest.iter().enumerate() {
        match byte {
            b'\\' | b'$' | b'[' => return None,
            byte if stop(byte) => return Some(at),
            _ => {}
        }
    }
    Some(rest.len())
}

/// Blanks and continued lines between words.
fn blanks(rest: &[u8]) -> Parsed<'_, ()> {
    let mut rest = rest;
    loop {
        let (after, _) = alt((take_while1(is_blank), continuation, tag(&b""[..]))).parse(rest)?;
        if after.len() == rest.len() {
            return Ok((rest, ()));
        }
        rest = after;
    }
}

/// Backslash-newline and the blanks after it.
fn continuation(rest: &[u8]) -> Parsed<'_, &[u8]> {
    let (after, _) = tag(&b"\\\n"[..]).parse(rest)?;
    take_while(|b| b == b' ' || b == b'\t').parse(after)
}

/// A comment up to and with its newline; a backslash protects what follows it.
fn comment(rest: &[u8]) -> Parsed<'_, &[u8]> {
    let (mut after, _) = tag(&b"#"[..]).parse(rest)?;
    loop {
        match after {
            [] => return Ok((after, after)),
            [b'\\', _, ..] => after = &after[2..],
            [b'\n', ..] => return Ok((&after[1..], after)),
            _ => after = &after[1..],
        }
    }
}
