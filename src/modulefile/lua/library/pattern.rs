//! Lua's patterns: `string.find`, `match`, `gmatch` and `gsub`, with a bound on the work of one call.
//!
//! Lua's own functions cannot be stopped: no instruction is counted while they match. The matcher is that of names
//! ([`crate::name::lua_pattern`]). Source: Lua 5.4 reference manual 6.4; compared with Lua's own functions below.

use std::cell::Cell;
use std::rc::Rc;

use bstr::ByteSlice;
use mlua::{Function, IntoLua, Lua, LuaString, MultiValue, Value};

use crate::name::lua_pattern::{Length, Matcher, Problem};

/// Most steps of one call: a tenth of a second.
const MAX_STEPS: u32 = 10_000_000;

/// The functions of this file.
pub(super) const NAMES: [&str; 4] = ["find", "match", "gmatch", "gsub"];

/// Makes one of [`NAMES`].
pub(super) fn make(lua: &Lua, name: &str) -> mlua::Result<Function> {
    match name {
        "find" => lua.create_function(find),
        "match" => lua.create_function(first_match),
        "gmatch" => lua.create_function(all_matches),
        _ => lua.create_function(substitute),
    }
}

/// Where a match begins and ends.
type Whole = (usize, usize);

/// A capture as a Lua value; `whole` is the match, which stands for the first where there is none.
fn capture(matcher: &Matcher, lua: &Lua, index: usize, whole: Whole) -> mlua::Result<Value> {
    let (start, length) = match matcher.captures.get(index) {
        Some(&capture) => capture,
        None if index == 0 => (whole.0, Length::Bytes(whole.1 - whole.0)),
        None => {
            let what = format!("invalid capture index %{}", index + 1);
            return Err(mlua::Error::runtime(what));
        }
    };
    match length {
        Length::Bytes(length) => lua
            .create_string(&matcher.subject[start..start + length])
            .map(Value::String),
        Length::Position => (start + 1).into_lua(lua),
        Length::Open => Err(mlua::Error::runtime("unfinished capture")),
    }
}

/// All captures, or the whole match where there are none.
fn values(matcher: &Matcher, lua: &Lua, whole: Whole) -> mlua::Result<MultiValue> {
    (0..matcher.captures.len().max(1))
        .map(|index| capture(matcher, lua, index, whole))
        .collect()
}

fn problem(problem: Problem) -> mlua::Error {
    mlua::Error::runtime(problem)
}

/// Where to begin, counted from 0; `None` behind the end.
fn start(init: Option<i64>, length: usize) -> Option<usize> {
    let init = init.unwrap_or(1);
    let at = match init {
        1.. => usize::try_from(init - 1).ok()?,
        0 => 0,
        _ => length.saturating_sub(usize::try_from(init.unsigned_abs()).ok()?),
    };
    (at <= length).then_some(at)
}

type Search = (LuaString, LuaString, Option<i64>, Option<bool>);

/// `string.find(TEXT, PATTERN [, INIT [, PLAIN]])`.
fn find(lua: &Lua, (text, pattern, init, plain): Search) -> mlua::Result<MultiValue> {
    let (text, pattern) = (text.as_bytes(), pattern.as_bytes());
    let Some(at) = start(init, text.len()) else {
        return Ok(MultiValue::from_iter([Value::Nil]));
    };
    let special = pattern.iter().any(|b| b"^$*+?.([%-".contains(b));
    if plain == Some(true) || !special {
        let found = text[at..].find(&*pattern).map(|found| at + found);
        return match found {
            Some(found) => [found + 1, found + pattern.len()]
                .into_iter()
                .map(|n| n.into_lua(lua))
                .collect(),
            None => Ok(MultiValue::from_iter([Value::Nil])),
        };
    }
    let mut matcher = Matcher::new(&text, &pattern, MAX_STEPS);
    let Some(whole) = matcher.search(at).map_err(problem)? else {
        return Ok(MultiValue::from_iter([Value::Nil]));
    };
    let mut found = vec![(whole.0 + 1).into_lua(lua)?, whole.1.into_lua(lua)?];
    if !matcher.captures.is_empty() {
        found.extend(values(&matcher, lua, whole)?);
    }
    Ok(MultiValue::from_vec(found))
}

/// `string.match(TEXT, PATTERN [, INIT])`.
fn first_match(
    lua: &Lua,
    (text, pattern, init): (LuaString, LuaString, Option<i64>),
) -> mlua::Result<MultiValue> {
    let (text, pattern) = (text.as_bytes(), pattern.as_bytes());
    let mut matcher = Matcher::new(&text, &pattern, MAX_STEPS);
    let whole = match start(init, text.len()) {
        Some(at) => matcher.search(at).map_err(problem)?,
        None => None,
    };
    match whole {
        Some(whole) => values(&matcher, lua, whole),
        None => Ok(MultiValue::from_iter([Value::Nil])),
    }
}

/// `string.gmatch(TEXT, PATTERN [, INIT])`: an iterator over all matches.
fn all_matches(
    lua: &Lua,
    (text, pattern, init): (LuaString, LuaString, Option<i64>),
) -> mlua::Result<Function> {
    // Where to go on, `None` at the end, and where the last match ended.
    let state = Rc::new(Cell::new((start(init, text.as_bytes().len()), None)));
    lua.create_function(move |lua, _: MultiValue| {
        let (text, pattern) = (text.as_bytes(), pattern.as_bytes());
        let mut matcher = Matcher::new(&text, &pattern, MAX_STEPS);
        let (Some(at), last) = state.get() else {
            return Ok(MultiValue::from_iter([Value::Nil]));
        };
        for s in at..=text.len() {
            let found = matcher.at(s, 0).map_err(problem)?;
            if let Some(end) = found.filter(|end| Some(*end) != last) {
                state.set((Some(end), Some(end)));
                return values(&matcher, lua, (s, end));
            }
        }
        state.set((None, None));
        Ok(MultiValue::from_iter([Value::Nil]))
    })
}

type Substitution = (LuaString, LuaString, Value, Option<i64>);

/// `string.gsub(TEXT, PATTERN, REPLACEMENT [, COUNT])`.
fn substitute(
    lua: &Lua,
    (text, pattern, by, most): Substitution,
) -> mlua::Result<(LuaString, i64)> {
    let by = match by {
        Value::Integer(_) | Value::Number(_) => {
            let text = lua.coerce_string(by)?;
            Value::String(text.ok_or_else(|| mlua::Error::runtime("not a number"))?)
        }
        Value::String(_) | Value::Table(_) | Value::Function(_) => by,
        other => {
            return Err(mlua::Error::runtime(format!(
                "bad argument #3 to 'gsub' (string/function/table expected, got {})",
                other.type_name()
            )));
        }
    };
    let (text, pattern) = (text.as_bytes(), pattern.as_bytes());
    let most = most.unwrap_or(i64::MAX);
    let mut matcher = Matcher::new(&text, &pattern, MAX_STEPS);
    let anchored = matcher.is_anchored();
    let (mut out, mut at, mut count, mut last) = (Vec::new(), 0, 0, None);
    while count < most {
        let found = matcher.at(at, usize::from(anchored)).map_err(problem)?;
        match found.filter(|end| Some(*end) != last) {
            Some(end) => {
                count += 1;
                replace(lua, &matcher, (at, end), &by, &mut out)?;
                (at, last) = (end, Some(end));
            }
            None if at < text.len() => {
                out.push(text[at]);
                at += 1;
            }
            None => break,
        }
        if anchored {
            break;
        }
        if out.len() > MAX_BYTES {
            return Err(mlua::Error::runtime("resulting string too large"));
        }
    }
    out.extend_from_slice(&text[at..]);
    Ok((lua.create_string(out)?, count))
}

/// Longest text that `gsub` makes: it grows outside of Lua's memory.
const MAX_BYTES: usize = 64 << 20;

/// Adds what takes the place of one match.
fn replace(
    lua: &Lua,
    matcher: &Matcher<'_>,
    whole: Whole,
    by: &Value,
    out: &mut Vec<u8>,
) -> mlua::Result<()> {
    let value = match by {
        Value::String(template) => {
            return fill(lua, matcher, whole, &template.as_bytes(), out);
        }
        Value::Table(table) => table.get(capture(matcher, lua, 0, whole)?)?,
        Value::Function(function) => function.call(values(matcher, lua, whole)?)?,
        _ => Value::Nil,
    };
    match value {
        Value::Nil | Value::Boolean(false) => {
            out.extend_from_slice(&matcher.subject[whole.0..whole.1]);
        }
        Value::String(text) => out.extend_from_slice(&text.as_bytes()),
        Value::Integer(_) | Value::Number(_) => {
            if let Some(text) = lua.coerce_string(value)? {
                out.extend_from_slice(&text.as_bytes());
            }
        }
        other => {
            return Err(mlua::Error::runtime(format!(
                "invalid replacement value (a {})",
                other.type_name()
            )));
        }
    }
    Ok(())
}

/// A replacement text with its `%1` filled in.
fn fill(
    lua: &Lua,
    matcher: &Matcher<'_>,
    whole: Whole,
    template: &[u8],
    out: &mut Vec<u8>,
) -> mlua::Result<()> {
    let mut bytes = template.iter().copied();
    while let Some(byte) = bytes.next() {
        if byte != b'%' {
            out.push(byte);
            continue;
        }
        match bytes.next() {
            Some(b'%') => out.push(b'%'),
            Some(b'0') => out.extend_from_slice(&matcher.subject[whole.0..whole.1]),
            Some(digit) if digit.is_ascii_digit() => {
                let index = usize::from(digit - b'1');
                let value = capture(matcher, lua, index, whole)?;
                if let Some(text) = lua.coerce_string(value)? {
                    out.extend_from_slice(&text.as_bytes());
                }
            }
            _ => {
                return Err(mlua::Error::runtime(
                    "invalid use of '%' in replacement string",
                ));
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a call gives, or the message of its error, without the place that Lua puts in front.
    fn outcome(lua: &Lua, code: &str) -> String {
        let values: mlua::Result<MultiValue> = lua.load(code).set_name("=x").eval();
        match values {
            Ok(values) => format!("{:?}", values.iter().map(shown).collect::<Vec<_>>()),
            Err(error) => {
                let text = error.to_string();
                let line = text.lines().next().unwrap_or_default().to_owned();
                let line = line.trim_start_matches("runtime error: ").to_owned();
                line.strip_prefix("x:1: ")
                    .map_or(line.clone(), str::to_owned)
            }
        }
    }

    fn shown(value: &Value) -> String {
        match value {
            Value::String(text) => format!("{:?}", text.as_bytes().as_bstr()),
            other => format!("{other:?}"),
        }
    }

    /// Lua with its own functions and with these.
    fn both() -> (Lua, Lua) {
        let (theirs, ours) = (Lua::new(), Lua::new());
        let strings: mlua::Table = ours.globals().get("string").unwrap();
        for name in NAMES {
            strings.set(name, make(&ours, name).unwrap()).unwrap();
        }
        (theirs, ours)
    }

    #[test]
    fn the_functions_give_what_luas_own_give() {
        let (theirs, ours) = both();
        for code in [
            "('gcc/13.2.0'):find('%d+')",
            "('a.b'):find('.', 1, true)",
            "('a.b'):find('.', 2)",
            "('abc'):find('')",
            "('abc'):find('', 4)",
            "('abc'):find('', 5)",
            "('abc'):find('c', -1)",
            "('abc'):find('a', -10)",
            "('abc'):find('b()')",
            "('key = value # c'):match('^(%w+)%s*=%s*(.-)%s*#')",
            "('f(a(b)c)d'):match('%b()')",
            "('THE (quick) fox'):find('%((%a+)%)')",
            "('hello world'):match('%f[%w]%w+$')",
            "('abab'):match('(ab)%1')",
            "('x^2'):gsub('^x', 'y')",
            "('abc'):gsub('', '-')",
            "('abc'):gsub('%w', '%0%0', 2)",
            "('abc'):gsub('(a)(b)', '%2%1')",
            "('$a $b'):gsub('%$(%w+)', {a = 1, b = false})",
            "('a b'):gsub('%w', function(c) return c == 'a' and 'A' end)",
            "('a,b,,c'):gsub(',', ';')",
            "('x'):gsub('x', 5)",
            "('x'):gsub('x', '%2')",
            "('x'):gsub('x', '%z')",
            "string.gsub('x', 'x', true)",
            "('x'):gsub('x', function() return {} end)",
            "('x'):find('[')",
            "('x'):find('[]')",
            "('x'):find('[^]')",
            "(']x'):find('[]]')",
            "('a-z'):match('[a%-z]+')",
            "('b-'):match('[a-]+')",
            "('x'):find('%')",
            "('x'):find('(x')",
            "('x'):find('x)')",
            "('x'):find('%1')",
            "('x'):find('%b')",
            "('x'):find('%f')",
            "('x'):rep(300):match(('x?'):rep(250))",
            "('abc'):match('((a)(b))')",
            "('abc'):match('()b()')",
            "('\\0a\\0'):find('%z')",
            "('a\\0b'):match('a%zb')",
            "('é'):match('[\\xc3]')",
            "('  trim  '):match('^%s*(.-)%s*$')",
            "(function() local t = {} for k, v in ('a=1, b=2'):gmatch('(%w+)=(%w+)') do t[#t+1] = k .. v end return table.concat(t, '|') end)()",
            "(function() local t = {} for w in ('abc'):gmatch('') do t[#t+1] = '.' end return #t end)()",
            "(function() local t = {} for w in ('one two'):gmatch('%a+', 3) do t[#t+1] = w end return table.concat(t, '|') end)()",
            "(function() local t = {} for w in ('^a^a'):gmatch('^a') do t[#t+1] = w end return #t end)()",
        ] {
            let code = format!("return {code}");
            let (a, b) = (outcome(&ours, &code), outcome(&theirs, &code));
            assert_eq!(a, b, "{code}");
        }
    }

    /// Random patterns over few characters: most are sensible, many are broken.
    #[test]
    fn random_patterns_match_as_luas_own() {
        let (theirs, ours) = both();
        let mut seed = 7u64;
        let mut random = |below: usize| {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (seed >> 33) as usize % below
        };
        const PIECES: &[&str] = &[
            "a", "b", ".", "%w", "%d", "[ab]", "[^a]", "[a-c%d]", "*", "+", "-", "?", "(", ")",
            "()", "%1", "%b()", "%f[a]", "^", "$", "[", "]", "%", "\\0",
        ];
        const SUBJECTS: &[&str] = &["", "a", "ab", "aab1", "(a(b)c)", "ba-ab^$", "a\\0b"];
        for _ in 0..4000 {
            let count = 1 + random(6);
            let pattern: String = (0..count).map(|_| PIECES[random(PIECES.len())]).collect();
            let subject = SUBJECTS[random(SUBJECTS.len())];
            let call = [
                format!("('{subject}'):find('{pattern}')"),
                format!("('{subject}'):match('{pattern}', 2)"),
                format!("('{subject}'):gsub('{pattern}', '<%0>')"),
                format!(
                    "(function() local n = '' for a in ('{subject}'):gmatch('{pattern}') do n = n .. tostring(a) .. '|' end return n end)()"
                ),
            ];
            let code = format!("return {}", call[random(4)]);
            let (a, b) = (outcome(&ours, &code), outcome(&theirs, &code));
            assert_eq!(a, b, "{code}");
        }
    }

    #[test]
    fn a_costly_pattern_is_stopped() {
        let (_, ours) = both();
        let code = "return ('a'):rep(60):find(('a-'):rep(60) .. 'b')";
        assert_eq!(outcome(&ours, code), "the pattern takes too long to match");
    }
}
