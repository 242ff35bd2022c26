//! Regular expressions: `regexp`, `regsub`.
//!
//! Compiled patterns are kept for the next use. Source: Tcl 8.6, `regexp(n)`, `regsub(n)`, `re_syntax(n)`.

use std::rc::Rc;

use crate::modulefile::tcl::chars;
use crate::modulefile::tcl::command::{ANY, Def};
use crate::modulefile::tcl::error::{Exit, Outcome};
use crate::modulefile::tcl::interp::{Interp, wrong_args};
use crate::modulefile::tcl::regexp::{Flags, Regex};
use crate::modulefile::tcl::value::Value;

use super::{Position, choice, index};

pub(super) static TABLE: &[Def] = &[
    Def::new("regexp", REGEXP, 2, ANY, regexp),
    Def::new("regsub", REGSUB, 3, ANY, regsub),
];

const REGEXP: &str = "?-option ...? exp string ?matchVar? ?subMatchVar ...?";
const REGSUB: &str = "?-option ...? exp string subSpec ?varName?";

/// The spans of a match: the whole, then the groups.
pub(super) type Groups = Vec<Option<(usize, usize)>>;

/// Compiled patterns, the last used at the end.
#[derive(Default)]
pub(super) struct Cache(Vec<(Vec<u8>, Flags, Rc<Regex>)>);

/// How many compiled patterns are kept.
const KEPT: usize = 30;

impl Interp<'_> {
    /// The compiled form of a pattern.
    pub(super) fn regex(&mut self, pattern: &Value, flags: Flags) -> Outcome<Rc<Regex>> {
        let cache = &mut self.state.regexes.0;
        let known = cache
            .iter()
            .rposition(|(text, with, _)| text == pattern.bytes() && *with == flags);
        if let Some(at) = known {
            let entry = cache.remove(at);
            let regex = Rc::clone(&entry.2);
            cache.push(entry);
            return Ok(regex);
        }
        let regex = Regex::compile(pattern.bytes(), flags).map_err(|why| {
            let message = format!("couldn't compile regular expression pattern: {why}");
            Exit::coded(message, &["REGEXP", error_name(&why), &why])
        })?;
        let regex = Rc::new(regex);
        if cache.len() >= KEPT {
            cache.remove(0);
        }
        cache.push((pattern.bytes().to_vec(), flags, Rc::clone(&regex)));
        Ok(regex)
    }

    /// Whether a pattern matches somewhere in a text.
    pub(super) fn regex_matches(&mut self, pattern: &Value, text: &Value) -> Outcome<bool> {
        let regex = self.regex(pattern, Flags::default())?;
        Ok(exec(&regex, text.bytes(), 0, false)?.is_some())
    }
}

/// Tcl's name for a mistake in a pattern.
fn error_name(why: &str) -> &'static str {
    match why {
        "invalid collating element" => "REG_ECOLLATE",
        "invalid character class" => "REG_ECTYPE",
        "invalid escape \\ sequence" => "REG_EESCAPE",
        "invalid backreference number" => "REG_ESUBREG",
        "brackets [] not balanced" => "REG_EBRACK",
        "parentheses () not balanced" => "REG_EPAREN",
        "braces {} not balanced" => "REG_EBRACE",
        "invalid repetition count(s)" => "REG_BADBR",
        "invalid character range" => "REG_ERANGE",
        "quantifier operand invalid" => "REG_BADRPT",
        "invalid embedded option" => "REG_BADOPT",
        "out of memory" => "REG_ESPACE",
        _ => "REG_BADPAT",
    }
}

/// Searches; a search that takes too long is an error.
pub(super) fn exec(
    regex: &Regex,
    text: &[u8],
    start: usize,
    not_bol: bool,
) -> Outcome<Option<Groups>> {
    regex.exec(text, start, not_bol).map_err(Exit::error)
}

/// What the options of both commands say.
#[derive(Default)]
struct Options {
    flags: Flags,
    all: bool,
    inline: bool,
    indices: bool,
    about: bool,
    start: Option<Position>,
}

const REGEXP_OPTIONS: [&str; 11] = [
    "-all",
    "-about",
    "-indices",
    "-inline",
    "-expanded",
    "-line",
    "-linestop",
    "-lineanchor",
    "-nocase",
    "-start",
    "--",
];

const REGSUB_OPTIONS: [&str; 8] = [
    "-all",
    "-nocase",
    "-expanded",
    "-line",
    "-linestop",
    "-lineanchor",
    "-start",
    "--",
];

fn options<'a>(
    args: &'a [Value],
    names: &[&str],
    usage: (&str, &str),
) -> Outcome<(Options, &'a [Value])> {
    let mut options = Options::default();
    let mut rest = args;
    while let Some((word, after)) = rest.split_first() {
        if word.bytes().first() != Some(&b'-') {
            break;
        }
        rest = after;
        match names[choice(word, names, "option")?] {
            "--" => break,
            "-all" => options.all = true,
            "-about" => options.about = true,
            "-indices" => options.indices = true,
            "-inline" => options.inline = true,
            "-expanded" => options.flags.expanded = true,
            "-line" => {
                options.flags.line_stop = true;
                options.flags.line_anchor = true;
            }
            "-linestop" => options.flags.line_stop = true,
            "-lineanchor" => options.flags.line_anchor = true,
            "-nocase" => options.flags.nocase = true,
            _ => {
                let Some((start, after)) = rest.split_first() else {
                    return Err(wrong_args(usage.0.as_bytes(), usage.1));
                };
                options.start = Some(index(start)?);
                rest = after;
            }
        }
    }
    Ok((options, rest))
}

/// The byte where a search begins; `end` is the place behind the last character.
fn begin(text: &[u8], length: usize, start: Option<Position>) -> usize {
    match start {
        None => 0,
        Some(start) => chars::offset(
            text,
            start.clamp_low(length + usize::from(start.is_from_end())),
        ),
    }
}

/// Steps through a text: `^` matches at the first place, and where a search goes on after a newline.
fn not_at_beginning(text: &[u8], at: usize) -> bool {
    at > 0 && text[at - 1] != b'\n'
}

/// Whether a search is to begin behind the end.
fn begins_behind(length: usize, start: Option<Position>) -> bool {
    start.is_some_and(|start| {
        start.offset(length + usize::from(start.is_from_end())) > length as i64
    })
}

fn regexp(interp: &mut Interp<'_>, args: &[Value]) -> Outcome {
    let (options, rest) = options(args, &REGEXP_OPTIONS, ("regexp", REGEXP))?;
    if options.about {
        let [pattern, ..] = rest else {
            return Err(wrong_args(b"regexp", REGEXP));
        };
        let regex = interp.regex(pattern, options.flags)?;
        let uses = regex.uses().map(Value::from).collect();
        return Ok(Value::list(vec![
            Value::int(regex.groups() as i64),
            Value::list(uses),
        ]));
    }
    let [pattern, string, variables @ ..] = rest else {
        return Err(wrong_args(b"regexp", REGEXP));
    };
    if options.inline && !variables.is_empty() {
        let message = "regexp match variables not allowed when using -inline";
        return Err(Exit::coded(
            message,
            &["TCL", "OPERATION", "REGEXP", "MIX_VAR_INLINE"],
        ));
    }
    let regex = interp.regex(pattern, options.flags)?;
    let text = string.bytes();
    let length = super::string::length(string);
    let mut at = begin(text, length, options.start);
    let describe = |group: Option<(usize, usize)>| match (group, options.indices) {
        (Some((start, end)), false) => Value::from(&text[start..end]),
        (None, false) => Value::empty(),
        (Some((start, end)), true) => {
            let first = chars::count(&text[..start]) as i64;
            let last = first + chars::count(&text[start..end]) as i64 - 1;
            Value::list(vec![Value::int(first), Value::int(last)])
        }
        (None, true) => Value::list(vec![Value::int(-1), Value::int(-1)]),
    };
    let behind = begins_behind(length, options.start);
    let mut count = 0;
    let mut collected = Vec::new();
    let mut last = None;
    loop {
        interp.step()?;
        let Some(groups) = exec(&regex, text, at, behind || not_at_beginning(text, at))? else {
            break;
        };
        count += 1;
        if options.inline {
            collected.extend(groups.iter().map(|group| describe(*group)));
        }
        let (start, end) = groups[0].unwrap_or((at, at));
        last = Some(groups);
        if !options.all {
            break;
        }
        // An empty match moves on by one character.
        at = if end > start {
            end
        } else {
            end + chars::decode(&text[end..]).map_or(1, |(_, length)| length)
        };
        if at >= text.len() {
            break;
        }
    }
    if options.inline {
        return Ok(Value::list(collected));
    }
    if let Some(groups) = last {
        for (number, name) in variables.iter().enumerate() {
            let group = groups.get(number).copied().flatten();
            interp.set_var(name.bytes(), describe(group))?;
        }
    }
    Ok(Value::int(count))
}

fn regsub(interp: &mut Interp<'_>, args: &[Value]) -> Outcome {
    let (options, rest) = options(args, &REGSUB_OPTIONS, ("regsub", REGSUB))?;
    let (pattern, string, template, variable) = match rest {
        [pattern, string, template] => (pattern, string, template, None),
        [pattern, string, template, variable] => (pattern, string, template, Some(variable)),
        _ => return Err(wrong_args(b"regsub", REGSUB)),
    };
    let regex = interp.regex(pattern, options.flags)?;
    let text = string.bytes();
    let length = super::string::length(string);
    // Plain text put before each character: Tcl takes a short cut here that leaves out the end.
    let literal = !template.bytes().iter().any(|b| matches!(b, b'&' | b'\\'));
    let skips_end = pattern.is_empty() && options.all && options.start.is_none() && literal;
    let mut at = begin(text, length, options.start);
    let mut out = text[..at].to_vec();
    let mut count = 0;
    let behind = begins_behind(length, options.start);
    while !behind && at < text.len() + usize::from(!skips_end) {
        interp.step()?;
        let Some(groups) = exec(&regex, text, at, not_at_beginning(text, at))? else {
            break;
        };
        count += 1;
        let (start, end) = groups[0].unwrap_or((at, at));
        out.extend_from_slice(&text[at..start]);
        substitute(template.bytes(), text, &groups, &mut out);
        interp.check_size(out.len())?;
        at = end;
        if end == start {
            let step = chars::decode(&text[end..]).map_or(0, |(_, length)| length);
            out.extend_from_slice(&text[end..end + step]);
            at = end + step;
            if step == 0 {
                break;
            }
        }
        if !options.all {
            break;
        }
    }
    out.extend_from_slice(&text[at.min(text.len())..]);
    let result = if count == 0 {
        string.clone()
    } else {
        Value::new(out)
    };
    match variable {
        None => Ok(result),
        Some(name) => {
            interp.set_var(name.bytes(), result)?;
            Ok(Value::int(count))
        }
    }
}

/// Writes the replacement: `&` and `\0` to `\9` stand for what matched.
fn substitute(template: &[u8], text: &[u8], groups: &Groups, out: &mut Vec<u8>) {
    let group = |number: usize| match groups.get(number).copied().flatten() {
        Some((start, end)) => &text[start..end],
        None => &[],
    };
    let mut at = 0;
    while at < template.len() {
        match template[at..] {
            [b'&', ..] => out.extend_from_slice(group(0)),
            [b'\\', digit @ b'0'..=b'9', ..] => {
                out.extend_from_slice(group(usize::from(digit - b'0')));
                at += 1;
            }
            [b'\\', special @ (b'&' | b'\\'), ..] => {
                out.push(special);
                at += 1;
            }
            [byte, ..] => out.push(byte),
            [] => {}
        }
        at += 1;
    }
}
