//! `switch`: exact, glob and regular expression matching. `case`: what scripts had before it.
//!
//! Source: Tcl 8.6, `switch(n)`; Tcl 7, `case(n)`.

use crate::modulefile::tcl::chars;
use crate::modulefile::tcl::command::{ANY, Def};
use crate::modulefile::tcl::error::{Exit, Outcome};
use crate::modulefile::tcl::interp::{Interp, Style, shorten, wrong_args};
use crate::modulefile::tcl::pattern::{Case, compare_nocase, string_match};
use crate::modulefile::tcl::regexp::Flags;
use crate::modulefile::tcl::value::Value;

use super::choice;

pub(super) static TABLE: &[Def] = &[
    Def::new("switch", USAGE, 0, ANY, switch),
    Def::new(
        "case",
        "string ?in? ?pattern body ...? ?default body?",
        2,
        ANY,
        case,
    ),
];

const USAGE: &str = "?-option ...? string ?pattern body ...? ?default body?";

const OPTIONS: [&str; 7] = [
    "-exact",
    "-glob",
    "-indexvar",
    "-matchvar",
    "-nocase",
    "-regexp",
    "--",
];

#[derive(Clone, Copy, PartialEq)]
enum Mode {
    Exact,
    Glob,
    Regexp,
}

fn fail(message: impl Into<Value>, what: &[&str]) -> Exit {
    let mut code = vec!["TCL", "OPERATION", "SWITCH"];
    code.extend(what);
    Exit::coded(message, &code)
}

fn switch(interp: &mut Interp<'_>, args: &[Value]) -> Outcome {
    let mut style = interp.body_style();
    let mut dashes = false;
    let mut mode: Option<(Mode, &str)> = None;
    let mut case = Case::Sensitive;
    let (mut match_variable, mut index_variable) = (None, None);
    let mut rest = args;
    // The last two words are never options.
    while rest.len() > 2 && rest[0].bytes().first() == Some(&b'-') {
        let option = choice(&rest[0], &OPTIONS, "option")?;
        let name = OPTIONS[option];
        rest = &rest[1..];
        match name {
            "--" => {
                dashes = true;
                break;
            }
            "-nocase" => case = Case::Insensitive,
            "-indexvar" | "-matchvar" => {
                let Some((variable, after)) =
                    rest.split_first().filter(|(_, after)| !after.is_empty())
                else {
                    let message = format!("missing variable name argument to {name} option");
                    return Err(fail(message, &["NOVAR"]));
                };
                if name == "-indexvar" {
                    index_variable = Some(variable);
                } else {
                    match_variable = Some(variable);
                }
                rest = after;
            }
            _ => {
                let chosen = match name {
                    "-exact" => Mode::Exact,
                    "-glob" => Mode::Glob,
                    _ => Mode::Regexp,
                };
                if let Some((_, before)) = mode {
                    let message = format!("bad option \"{name}\": {before} option already found");
                    return Err(fail(message, &["DOUBLEOPT"]));
                }
                mode = Some((chosen, name));
            }
        }
    }
    let Some((string, clauses)) = rest
        .split_first()
        .filter(|(_, clauses)| !clauses.is_empty())
    else {
        return Err(wrong_args(b"switch", USAGE));
    };
    let mode = mode.map_or(Mode::Exact, |(mode, _)| mode);
    for (variable, name) in [(index_variable, "-indexvar"), (match_variable, "-matchvar")] {
        if variable.is_some() && mode != Mode::Regexp {
            return Err(fail(
                format!("{name} option requires -regexp option"),
                &["MODERESTRICTION"],
            ));
        }
    }
    let (list, from_list) = match clauses {
        [list] => (list.as_list_of_literals()?, true),
        _ => (std::rc::Rc::new(clauses.to_vec()), false),
    };
    check(&list, from_list)?;
    // Tcl compiles clauses in words of their own only where none of them can be an option.
    if !from_list && !dashes {
        style = Style::Unit;
    }
    for (at, pair) in list.chunks_exact(2).enumerate() {
        let (pattern, body) = (&pair[0], &pair[1]);
        let is_default = pattern.bytes() == b"default" && 2 * at + 2 == list.len();
        let matched = if is_default {
            Some(vec![None])
        } else {
            match mode {
                Mode::Exact => match case {
                    Case::Sensitive => pattern == string,
                    Case::Insensitive => compare_nocase(pattern.bytes(), string.bytes()).is_eq(),
                }
                .then(Vec::new),
                Mode::Glob => string_match(pattern.bytes(), string.bytes(), case).then(Vec::new),
                Mode::Regexp => {
                    let flags = Flags {
                        nocase: case == Case::Insensitive,
                        ..Flags::default()
                    };
                    let regex = interp.regex(pattern, flags)?;
                    super::regex::exec(&regex, string.bytes(), 0, false)?
                }
            }
        };
        let Some(groups) = matched else { continue };
        set_match_variables(interp, string, &groups, index_variable, match_variable)?;
        let body = list[2 * at..]
            .chunks_exact(2)
            .map(|pair| &pair[1])
            .find(|body| body.bytes() != b"-")
            .unwrap_or(body);
        return run(interp, pattern, body, style);
    }
    Ok(Value::empty())
}

/// Refuses a list of clauses that cannot be right.
fn check(list: &[Value], from_list: bool) -> Outcome<()> {
    if list.is_empty() {
        return Err(wrong_args(
            b"switch",
            "?-option ...? string {?pattern body ...? ?default body?}",
        ));
    }
    if !list.len().is_multiple_of(2) {
        let mut message = "extra switch pattern with no body".to_owned();
        let comment = |pair: &[Value]| pair[0].bytes().first() == Some(&b'#');
        if from_list && list.chunks(2).any(comment) {
            message.push_str(
                ", this may be due to a comment incorrectly placed outside of a switch body - see the \"switch\" documentation",
            );
            return Err(fail(message, &["BADARM", "COMMENT?"]));
        }
        return Err(fail(message, &["BADARM"]));
    }
    if list[list.len() - 1].bytes() == b"-" {
        let message = bytes!(
            "no body specified for pattern \"",
            list[list.len() - 2],
            "\""
        );
        return Err(fail(message, &["BADARM", "FALLTHROUGH"]));
    }
    Ok(())
}

fn set_match_variables(
    interp: &mut Interp<'_>,
    string: &Value,
    groups: &[Option<(usize, usize)>],
    index_variable: Option<&Value>,
    match_variable: Option<&Value>,
) -> Outcome<()> {
    let text = string.bytes();
    // `default` matches nothing: both variables get empty lists.
    let found = groups.first().is_some_and(Option::is_some);
    if let Some(name) = index_variable {
        let mut list = Vec::new();
        for group in groups.iter().filter(|_| found) {
            let (first, last) = match group {
                Some((start, end)) => {
                    let start = chars::count(&text[..*start]) as i64;
                    let length = chars::count(&text[group.map_or(0, |g| g.0)..*end]) as i64;
                    (start, start + length - 1)
                }
                None => (-1, -1),
            };
            list.push(Value::list(vec![Value::int(first), Value::int(last)]));
        }
        interp.set_var(name.bytes(), Value::list(list))?;
    }
    if let Some(name) = match_variable {
        let list = groups.iter().filter(|_| found).map(|group| {
            group.map_or_else(Value::empty, |(start, end)| Value::from(&text[start..end]))
        });
        let list = Value::list(list.collect());
        interp.set_var(name.bytes(), list)?;
    }
    Ok(())
}

fn run(interp: &mut Interp<'_>, pattern: &Value, body: &Value, style: Style) -> Outcome {
    match interp.eval_body(body, style) {
        Err(Exit::Error(mut error)) if style != Style::Inline => {
            let shown = shorten(pattern.bytes(), 50);
            error.add_info(bytes!(
                "\n    (\"",
                shown,
                "\" arm line ",
                error.line.to_string(),
                ")"
            ));
            Err(Exit::Error(error))
        }
        other => other,
    }
}

/// `case`: pairs of a list of glob patterns and a body.
fn case(interp: &mut Interp<'_>, args: &[Value]) -> Outcome {
    let text = args[0].bytes();
    let pairs = match &args[1..] {
        [word, rest @ ..] if word.bytes() == b"in" => rest,
        pairs => pairs,
    };
    let list;
    let pairs = match pairs {
        [only] => {
            list = only.as_list()?;
            &list[..]
        }
        pairs => pairs,
    };
    let mut chosen = None;
    for pair in pairs.chunks(2) {
        let [patterns, body] = pair else {
            return Err(Exit::error("extra case pattern with no body"));
        };
        if patterns.bytes() == b"default" {
            chosen = Some((patterns, body));
            continue;
        }
        let single = |byte: &u8| !byte.is_ascii_whitespace() && *byte != b'\\';
        let fits = |pattern: &[u8]| string_match(pattern, text, Case::Sensitive);
        let found = match patterns.bytes().iter().all(single) {
            true => fits(patterns.bytes()),
            false => patterns.as_list()?.iter().any(|one| fits(one.bytes())),
        };
        if found {
            chosen = Some((patterns, body));
            break;
        }
    }
    match chosen {
        Some((patterns, body)) => run(interp, patterns, body, Style::Unit),
        None => Ok(Value::empty()),
    }
}
