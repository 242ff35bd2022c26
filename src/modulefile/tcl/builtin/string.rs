//! Strings: `string` with all its sub-commands, `format`, `scan`, `subst`.
//!
//! Positions count characters; where a text is ASCII these are bytes. Source: Tcl 8.6, `string(n)`, `format(n)`,
//! `scan(n)`, `subst(n)`.

use std::borrow::Cow;
use std::cmp::Ordering;

use bstr::ByteSlice;

use crate::modulefile::tcl::chars::{self, Class};
use crate::modulefile::tcl::command::{ANY, Def};
use crate::modulefile::tcl::error::{Exit, Outcome};
use crate::modulefile::tcl::interp::{Interp, wrong_args};
use crate::modulefile::tcl::number::{self, Number};
use crate::modulefile::tcl::parse::Substitutions;
use crate::modulefile::tcl::pattern::{Case, compare_nocase, string_match};
use crate::modulefile::tcl::scan::{Scanned, scan};
use crate::modulefile::tcl::value::{Value, parse_bool};
use crate::modulefile::tcl::{format, list};

use super::{choice, expect_int, index};

pub(super) static TABLE: &[Def] = &[
    Def::ensemble("string", SUBCOMMANDS),
    Def::new("format", "formatString ?arg ...?", 1, ANY, cmd_format),
    Def::new("scan", "string format ?varName ...?", 2, ANY, cmd_scan),
    Def::new(
        "subst",
        "?-nobackslashes? ?-nocommands? ?-novariables? string",
        1,
        ANY,
        cmd_subst,
    ),
];

static SUBCOMMANDS: &[Def] = &[
    Def::new("bytelength", "string", 1, 1, |_, args| {
        Ok(Value::int(args[0].bytes().len() as i64))
    }),
    Def::new("cat", "?arg ...?", 0, ANY, cat),
    Def::new(
        "compare",
        "?-nocase? ?-length int? string1 string2",
        2,
        ANY,
        compare,
    ),
    Def::new(
        "equal",
        "?-nocase? ?-length int? string1 string2",
        2,
        ANY,
        equal,
    ),
    Def::new(
        "first",
        "needleString haystackString ?startIndex?",
        2,
        3,
        first,
    ),
    Def::new("index", "string charIndex", 2, 2, at_index),
    Def::new("is", "class ?-strict? ?-failindex var? str", 2, ANY, is),
    Def::new(
        "last",
        "needleString haystackString ?startIndex?",
        2,
        3,
        last,
    ),
    Def::new("length", "string", 1, 1, |_, args| {
        Ok(Value::int(length(&args[0]) as i64))
    }),
    Def::new("map", "?-nocase? charMap string", 2, 3, map),
    Def::new("match", "?-nocase? pattern string", 2, 3, matches),
    Def::new("range", "string first last", 3, 3, range),
    Def::new("repeat", "string count", 2, 2, repeat),
    Def::new("replace", "string first last ?string?", 3, 4, replace),
    Def::new("reverse", "string", 1, 1, reverse),
    Def::new("tolower", "string ?first? ?last?", 1, 3, |_, args| {
        change_case(args, chars::to_lower)
    }),
    Def::new("totitle", "string ?first? ?last?", 1, 3, |_, args| {
        change_case(args, chars::to_title)
    }),
    Def::new("toupper", "string ?first? ?last?", 1, 3, |_, args| {
        change_case(args, chars::to_upper)
    }),
    Def::new("trim", "string ?chars?", 1, 2, |_, args| {
        Ok(trim(args, true, true))
    }),
    Def::new("trimleft", "string ?chars?", 1, 2, |_, args| {
        Ok(trim(args, true, false))
    }),
    Def::new("trimright", "string ?chars?", 1, 2, |_, args| {
        Ok(trim(args, false, true))
    }),
    Def::new("wordend", "string index", 2, 2, word_end),
    Def::new("wordstart", "string index", 2, 2, word_start),
];

/// The number of characters.
pub(super) fn length(value: &Value) -> usize {
    if value.is_ascii() {
        value.bytes().len()
    } else {
        chars::count(value.bytes())
    }
}

/// The characters `first` up to but without `end`.
fn slice(value: &Value, first: usize, end: usize) -> &[u8] {
    let bytes = value.bytes();
    if value.is_ascii() {
        let end = end.min(bytes.len());
        return bytes.get(first..end).unwrap_or_default();
    }
    if first >= end {
        &[]
    } else {
        chars::slice(bytes, first, end)
    }
}

fn cat(interp: &mut Interp<'_>, args: &[Value]) -> Outcome {
    if let [only] = args {
        return Ok(only.clone());
    }
    let mut text = Vec::new();
    for arg in args {
        text.extend_from_slice(arg.bytes());
        interp.check_size(text.len())?;
    }
    Ok(Value::new(text))
}

fn ordering(args: &[Value], name: &str) -> Outcome<Ordering> {
    let usage = "?-nocase? ?-length int? string1 string2";
    let usage_error = || Err(wrong_args(format!("string {name}").as_bytes(), usage));
    if args.len() > 5 {
        return usage_error();
    }
    let (options, pair) = args.split_at(args.len() - 2);
    let mut nocase = false;
    let mut limit = None;
    let mut rest = options;
    while let Some((option, after)) = rest.split_first() {
        rest = after;
        let text = option.bytes();
        if text.len() > 1 && b"-nocase".starts_with(text) {
            nocase = true;
        } else if text.len() > 1 && b"-length".starts_with(text) {
            let Some((number, after)) = after.split_first() else {
                return Err(wrong_args(format!("string {name}").as_bytes(), usage));
            };
            limit = usize::try_from(expect_int(number)?).ok();
            rest = after;
        } else {
            let message = bytes!("bad option \"", text, "\": must be -nocase or -length");
            return Err(Exit::coded(
                message,
                &[&b"TCL"[..], b"LOOKUP", b"INDEX", b"option", text],
            ));
        }
    }
    let cut = |value: &'_ Value| match limit {
        Some(limit) => slice(value, 0, limit).to_vec(),
        None => value.bytes().to_vec(),
    };
    if limit.is_none() && !nocase {
        return Ok(pair[0].bytes().cmp(pair[1].bytes()));
    }
    let (a, b) = (cut(&pair[0]), cut(&pair[1]));
    Ok(if nocase {
        compare_nocase(&a, &b)
    } else {
        a.cmp(&b)
    })
}

fn compare(_: &mut Interp<'_>, args: &[Value]) -> Outcome {
    Ok(Value::int(ordering(args, "compare")? as i64))
}

fn equal(_: &mut Interp<'_>, args: &[Value]) -> Outcome {
    Ok(Value::bool(ordering(args, "equal")?.is_eq()))
}

/// The character position of a byte offset.
fn position_of(text: &[u8], offset: usize) -> i64 {
    chars::count(&text[..offset]) as i64
}

fn first(_: &mut Interp<'_>, args: &[Value]) -> Outcome {
    let (needle, text) = (args[0].bytes(), args[1].bytes());
    let length = length(&args[1]);
    let start = match args.get(2) {
        None => 0,
        Some(word) => index(word)?.clamp_low(length),
    };
    if needle.is_empty() || start > length {
        return Ok(Value::int(-1));
    }
    let from = chars::offset(text, start);
    let found = text[from..].find(needle);
    Ok(Value::int(
        found.map_or(-1, |at| position_of(text, from + at)),
    ))
}

fn last(_: &mut Interp<'_>, args: &[Value]) -> Outcome {
    let (needle, text) = (args[0].bytes(), args[1].bytes());
    let length = length(&args[1]);
    let end = match args.get(2) {
        None => length,
        Some(word) => index(word)?.end_within(length),
    };
    if needle.is_empty() {
        return Ok(Value::int(-1));
    }
    let to = chars::offset(text, end);
    let found = text[..to].rfind(needle);
    Ok(Value::int(found.map_or(-1, |at| position_of(text, at))))
}

fn at_index(_: &mut Interp<'_>, args: &[Value]) -> Outcome {
    let length = length(&args[0]);
    Ok(match index(&args[1])?.within(length) {
        Some(at) => Value::from(slice(&args[0], at, at + 1)),
        None => Value::empty(),
    })
}

fn range(_: &mut Interp<'_>, args: &[Value]) -> Outcome {
    let length = length(&args[0]);
    let first = index(&args[1])?.clamp_low(length);
    let end = index(&args[2])?.end_within(length);
    if first == 0 && end == length {
        return Ok(args[0].clone());
    }
    Ok(Value::from(slice(&args[0], first, end)))
}

fn replace(_: &mut Interp<'_>, args: &[Value]) -> Outcome {
    let text = &args[0];
    let length = length(text);
    let (from, to) = (
        index(&args[1])?.offset(length),
        index(&args[2])?.offset(length),
    );
    if to < from || to < 0 || from >= (length as i64).max(i64::from(from < 0)) {
        return Ok(text.clone());
    }
    let first = usize::try_from(from).unwrap_or(0);
    let end = usize::try_from(to).map_or(0, |to| (to + 1).min(length));
    let new = args.get(3).map_or(&b""[..], Value::bytes);
    Ok(Value::new(bytes!(
        slice(text, 0, first),
        new,
        slice(text, end, length)
    )))
}

fn reverse(_: &mut Interp<'_>, args: &[Value]) -> Outcome {
    let mut spellings: Vec<&[u8]> = chars::spellings(args[0].bytes()).collect();
    spellings.reverse();
    Ok(Value::new(spellings.concat()))
}

fn repeat(interp: &mut Interp<'_>, args: &[Value]) -> Outcome {
    let count = usize::try_from(expect_int(&args[1])?).unwrap_or(0);
    let text = args[0].bytes();
    interp.check_size(text.len().saturating_mul(count))?;
    Ok(Value::new(text.repeat(count)))
}

fn change_case(args: &[Value], change: fn(&[u8]) -> Vec<u8>) -> Outcome {
    let text = &args[0];
    if args.len() == 1 {
        return Ok(Value::new(change(text.bytes())));
    }
    let length = length(text);
    let first = index(&args[1])?.clamp_low(length);
    let end = match args.get(2) {
        Some(word) => index(word)?.end_within(length),
        None => (first + 1).min(length),
    };
    if first >= end {
        return Ok(text.clone());
    }
    let middle = change(slice(text, first, end));
    Ok(Value::new(bytes!(
        slice(text, 0, first),
        middle,
        slice(text, end, length)
    )))
}

/// Whether `trim` drops this character when it is not told which.
fn is_trimmed(c: chars::Char) -> bool {
    c == 0 || Class::Space.contains(c)
}

fn trim(args: &[Value], left: bool, right: bool) -> Value {
    let mut text = args[0].bytes();
    let set: Option<Vec<chars::Char>> = args.get(1).map(|set| chars::chars(set.bytes()).collect());
    let drop = |c: chars::Char| match &set {
        Some(set) => set.contains(&c),
        None => is_trimmed(c),
    };
    while left
        && let Some((c, length)) = chars::decode(text)
        && drop(c)
    {
        text = &text[length..];
    }
    while right
        && let Some((c, length)) = chars::decode_last(text)
        && drop(c)
    {
        text = &text[..text.len() - length];
    }
    if text.len() == args[0].bytes().len() {
        return args[0].clone();
    }
    Value::from(text)
}

fn map(interp: &mut Interp<'_>, args: &[Value]) -> Outcome {
    let (nocase, mapping, text) = match args {
        [mapping, text] => (false, mapping, text),
        [option, mapping, text] => {
            only_nocase(option)?;
            (true, mapping, text)
        }
        _ => return Err(wrong_args(b"string map", "?-nocase? charMap string")),
    };
    let pairs: Vec<Value> = mapping.as_list()?.to_vec();
    if !pairs.len().is_multiple_of(2) {
        return Err(Exit::coded(
            "char map list unbalanced",
            &["TCL", "OPERATION", "MAP", "UNBALANCED"],
        ));
    }
    let keys: Vec<(Cow<'_, [u8]>, &[u8])> = pairs
        .chunks_exact(2)
        .map(|pair| {
            let key = pair[0].bytes();
            let key = if nocase {
                Cow::Owned(chars::to_lower(key))
            } else {
                Cow::Borrowed(key)
            };
            (key, pair[1].bytes())
        })
        .filter(|(key, _)| !key.is_empty())
        .collect();
    let text = text.bytes();
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    'text: while let Some((_, step)) = chars::decode(rest) {
        for (key, new) in &keys {
            if let Some(length) = starts_with(rest, key, nocase) {
                out.extend_from_slice(new);
                interp.check_size(out.len())?;
                rest = &rest[length..];
                continue 'text;
            }
        }
        out.extend_from_slice(&rest[..step]);
        rest = &rest[step..];
    }
    Ok(Value::new(out))
}

/// The length of `key` at the start of `text`; without case the key is in lower case already.
fn starts_with(text: &[u8], key: &[u8], nocase: bool) -> Option<usize> {
    if !nocase {
        return text.starts_with(key).then_some(key.len());
    }
    let mut rest = text;
    for wanted in chars::chars(key) {
        let (c, length) = chars::decode(rest)?;
        if chars::lower(c) != wanted {
            return None;
        }
        rest = &rest[length..];
    }
    Some(text.len() - rest.len())
}

fn only_nocase(option: &Value) -> Outcome<()> {
    let text = option.bytes();
    if text.len() > 1 && b"-nocase".starts_with(text) {
        return Ok(());
    }
    let message = bytes!("bad option \"", text, "\": must be -nocase");
    Err(Exit::coded(
        message,
        &[&b"TCL"[..], b"LOOKUP", b"INDEX", b"option", text],
    ))
}

fn matches(_: &mut Interp<'_>, args: &[Value]) -> Outcome {
    let (case, pattern, text) = match args {
        [pattern, text] => (Case::Sensitive, pattern, text),
        [option, pattern, text] => {
            only_nocase(option)?;
            (Case::Insensitive, pattern, text)
        }
        _ => return Err(wrong_args(b"string match", "?-nocase? pattern string")),
    };
    Ok(Value::bool(string_match(
        pattern.bytes(),
        text.bytes(),
        case,
    )))
}

fn is_word(c: chars::Char) -> bool {
    Class::Word.contains(c)
}

fn word_end(_: &mut Interp<'_>, args: &[Value]) -> Outcome {
    let text: Vec<chars::Char> = chars::chars(args[0].bytes()).collect();
    let start = index(&args[1])?.clamp_low(text.len());
    if start >= text.len() {
        return Ok(Value::int(text.len() as i64));
    }
    let word = text[start..].iter().take_while(|&&c| is_word(c)).count();
    Ok(Value::int((start + word.max(1)) as i64))
}

fn word_start(_: &mut Interp<'_>, args: &[Value]) -> Outcome {
    let text: Vec<chars::Char> = chars::chars(args[0].bytes()).collect();
    let end = index(&args[1])?.end_within(text.len());
    if end == 0 {
        return Ok(Value::int(0));
    }
    let word = text[..end]
        .iter()
        .rev()
        .take_while(|&&c| is_word(c))
        .count();
    Ok(Value::int((end - word.max(1)) as i64))
}

const CLASSES: [&str; 21] = [
    "alnum",
    "alpha",
    "ascii",
    "control",
    "boolean",
    "digit",
    "double",
    "entier",
    "false",
    "graph",
    "integer",
    "list",
    "lower",
    "print",
    "punct",
    "space",
    "true",
    "upper",
    "wideinteger",
    "wordchar",
    "xdigit",
];

fn is(interp: &mut Interp<'_>, args: &[Value]) -> Outcome {
    let usage = "class ?-strict? ?-failindex var? str";
    let class = CLASSES[choice(&args[0], &CLASSES, "class")?];
    let (value, mut options) = args[1..].split_last().expect("at least two arguments");
    let mut strict = false;
    let mut fail_variable = None;
    while let Some((option, rest)) = options.split_first() {
        options = rest;
        if choice(option, &["-strict", "-failindex"], "option")? == 0 {
            strict = true;
            continue;
        }
        let Some((name, rest)) = options.split_first() else {
            return Err(wrong_args(b"string is", usage));
        };
        fail_variable = Some(name);
        options = rest;
    }
    let failed = if value.is_empty() {
        (strict && class != "list").then_some(0)
    } else {
        fail_index(class, value)
    };
    if let (Some(at), Some(name)) = (failed, fail_variable) {
        interp.set_var(name.bytes(), Value::int(at))?;
    }
    Ok(Value::bool(failed.is_none()))
}

/// The place of the first character that does not belong to the class.
fn fail_index(class: &str, value: &Value) -> Option<i64> {
    let by_class = |class: Class| {
        let found = chars::chars(value.bytes()).position(|c| !class.contains(c));
        found.map(|at| at as i64)
    };
    let text = value.bytes();
    match class {
        "alnum" => by_class(Class::Alnum),
        "alpha" => by_class(Class::Alpha),
        "ascii" => by_class(Class::Ascii),
        "control" => by_class(Class::Control),
        "digit" => by_class(Class::Digit),
        "graph" => by_class(Class::Graph),
        "lower" => by_class(Class::Lower),
        "print" => by_class(Class::Print),
        "punct" => by_class(Class::Punct),
        "space" => by_class(Class::Space),
        "upper" => by_class(Class::Upper),
        "wordchar" => by_class(Class::Word),
        "xdigit" => by_class(Class::Xdigit),
        "boolean" | "true" | "false" => {
            let truth = match text {
                b"0" => Some(false),
                b"1" => Some(true),
                _ => parse_bool(text),
            };
            let fits = truth.is_some_and(|truth| class == "boolean" || truth == (class == "true"));
            (!fits).then_some(0)
        }
        "list" => list_fail_index(text),
        "double" => match value.as_number() {
            Some(_) => None,
            None => Some(number_end(text, false)),
        },
        _ => match value.as_number() {
            // `integer` is what fits into 32 bits with or without sign, `wideinteger` into 64.
            Some(Number::Int(n)) => {
                let fits = class != "integer" || (-0xffff_ffff..=0xffff_ffff).contains(&n);
                (!fits).then_some(-1)
            }
            Some(Number::Big(n)) => match class {
                "entier" => None,
                "wideinteger" if n.bits() <= 64 => None,
                _ => Some(-1),
            },
            _ => Some(number_end(text, true)),
        },
    }
}

/// Where a number at the beginning of a text ends.
fn number_end(text: &[u8], integer: bool) -> i64 {
    let blanks = text.iter().take_while(|&&b| number::is_space(b)).count();
    let rest = &text[blanks..];
    let sign = usize::from(matches!(rest.first(), Some(b'+' | b'-')));
    let digits = &rest[sign..];
    let length = match number::number_prefix(digits) {
        None => {
            return if sign == 0 && blanks < text.len() {
                blanks as i64
            } else {
                0
            };
        }
        Some((Number::Double(_), _)) if integer => {
            digits.iter().take_while(|b| b.is_ascii_digit()).count()
        }
        Some((_, length)) => length,
    };
    if length == 0 {
        return 0;
    }
    let end = blanks + sign + length;
    let trailing = text[end..]
        .iter()
        .take_while(|&&b| number::is_space(b))
        .count();
    (end + trailing) as i64
}

fn list_fail_index(text: &[u8]) -> Option<i64> {
    let mut rest = text;
    loop {
        match list::next_element(rest) {
            Ok(Some((_, after))) => rest = after,
            Ok(None) => return None,
            Err(_) => {
                let blanks = rest.iter().take_while(|&&b| number::is_space(b)).count();
                return Some(position_of(text, text.len() - rest.len() + blanks));
            }
        }
    }
}

impl format::Argument for Value {
    fn text(&self) -> Cow<'_, [u8]> {
        Cow::Borrowed(self.bytes())
    }

    fn number(&self) -> Option<Number> {
        self.as_number()
    }
}

fn cmd_format(interp: &mut Interp<'_>, args: &[Value]) -> Outcome {
    match format::format(args[0].bytes(), &args[1..]) {
        Ok(text) => {
            interp.check_size(text.len())?;
            Ok(Value::new(text))
        }
        Err(message) => {
            let code: &[&str] = match &message[..] {
                [b'e', b'x', b'p', ..] => &["TCL", "VALUE", "NUMBER"],
                [b'b', b'a', b'd', ..] => &["TCL", "FORMAT", "BADTYPE"],
                [b'u', b'n', b's', ..] => &["TCL", "FORMAT", "BADUNSIGNED"],
                [b'i', b'n', b't', ..] => {
                    &["ARITH", "IOVERFLOW", "integer value too large to represent"]
                }
                [b'"', b'%', b'n', ..] => &["TCL", "FORMAT", "INDEXRANGE"],
                _ => &["TCL", "FORMAT", "FIELDVARMISMATCH"],
            };
            Err(Exit::coded(message, code))
        }
    }
}

fn cmd_scan(interp: &mut Interp<'_>, args: &[Value]) -> Outcome {
    let names = &args[2..];
    let found = scan(args[0].bytes(), args[1].bytes(), names.len()).map_err(|message| {
        let what = match &message[..] {
            [b'b', b'a', b'd', ..] => "BADTYPE",
            [b'"', b'%', b'n', ..] => "INDEXRANGE",
            _ => "FIELDVARMISMATCH",
        };
        Exit::coded(message, &["TCL", "FORMAT", what])
    })?;
    let values: Vec<Option<Value>> = found
        .values
        .into_iter()
        .map(|scanned| {
            scanned.map(|scanned| match scanned {
                Scanned::Text(text) => Value::new(text),
                Scanned::Number(number) => Value::number(number),
            })
        })
        .collect();
    if names.is_empty() {
        if found.exhausted {
            return Ok(Value::empty());
        }
        return Ok(Value::list(
            values.into_iter().map(Option::unwrap_or_default).collect(),
        ));
    }
    let mut count = 0;
    for (name, value) in names.iter().zip(values) {
        if let Some(value) = value {
            interp.set_var(name.bytes(), value)?;
            count += 1;
        }
    }
    Ok(Value::int(if found.exhausted { -1 } else { count }))
}

fn cmd_subst(interp: &mut Interp<'_>, args: &[Value]) -> Outcome {
    let (text, options) = args.split_last().expect("at least one argument");
    let mut which = Substitutions {
        backslashes: true,
        commands: true,
        variables: true,
    };
    for option in options {
        match choice(
            option,
            &["-nobackslashes", "-nocommands", "-novariables"],
            "option",
        )? {
            0 => which.backslashes = false,
            1 => which.commands = false,
            _ => which.variables = false,
        }
    }
    interp.subst(text, which)
}
