//! Lua's patterns: `string.find`, `match`, `gmatch` and `gsub`, with a bound on the work of one call.
//!
//! Lua's own functions cannot be stopped: a pattern such as `a-a-a-a-b` keeps them busy for hours without a single
//! instruction that is counted. Source: Lua 5.4 reference manual 6.4 and 6.4.1; compared with Lua's own functions below.

use std::cell::Cell;
use std::rc::Rc;

use bstr::ByteSlice;
use mlua::{Function, IntoLua, Lua, LuaString, MultiValue, Value};

/// Most steps of one call: a tenth of a second.
const MAX_STEPS: u32 = 10_000_000;
/// Most captures of a pattern.
const MAX_CAPTURES: usize = 32;
/// Deepest nesting of repetitions under way.
const MAX_DEPTH: u32 = 200;

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

/// Why a pattern cannot be matched.
type Problem = String;

/// What a capture holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Length {
    /// Its end is not reached yet.
    Open,
    /// The position alone: `()`.
    Position,
    /// So many bytes.
    Bytes(usize),
}

/// One attempt to match a pattern.
struct Matcher<'a> {
    subject: &'a [u8],
    pattern: &'a [u8],
    captures: Vec<(usize, Length)>,
    depth: u32,
    steps: u32,
}

impl<'a> Matcher<'a> {
    fn new(subject: &'a [u8], pattern: &'a [u8]) -> Matcher<'a> {
        Matcher {
            subject,
            pattern,
            captures: Vec::new(),
            depth: 0,
            steps: 0,
        }
    }

    /// Where the match that begins at `at` ends.
    fn at(&mut self, at: usize, pattern_at: usize) -> Result<Option<usize>, Problem> {
        self.captures.clear();
        self.depth = 0;
        self.matches(at, pattern_at)
    }

    fn step(&mut self) -> Result<(), Problem> {
        self.steps += 1;
        match self.steps {
            ..=MAX_STEPS => Ok(()),
            _ => Err("the pattern takes too long to match".to_owned()),
        }
    }

    fn matches(&mut self, s: usize, p: usize) -> Result<Option<usize>, Problem> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err("pattern too complex".to_owned());
        }
        let result = self.matches_here(s, p);
        self.depth -= 1;
        result
    }

    fn matches_here(&mut self, mut s: usize, mut p: usize) -> Result<Option<usize>, Problem> {
        loop {
            self.step()?;
            let Some(&first) = self.pattern.get(p) else {
                return Ok(Some(s));
            };
            let next = self.pattern.get(p + 1).copied();
            match (first, next) {
                (b'(', Some(b')')) => return self.open(s, p + 2, Length::Position),
                (b'(', _) => return self.open(s, p + 1, Length::Open),
                (b')', _) => return self.close(s, p + 1),
                (b'$', None) => return Ok((s == self.subject.len()).then_some(s)),
                (b'%', Some(b'b')) => match self.balanced(s, p + 2)? {
                    Some(end) => (s, p) = (end, p + 4),
                    None => return Ok(None),
                },
                (b'%', Some(b'f')) => {
                    let set = p + 2;
                    if self.pattern.get(set) != Some(&b'[') {
                        return Err("missing '[' after '%f' in pattern".to_owned());
                    }
                    let end = self.class_end(set)?;
                    let before = s.checked_sub(1).map_or(0, |i| self.subject[i]);
                    let here = self.subject.get(s).copied().unwrap_or(0);
                    if self.in_set(before, set, end - 1) || !self.in_set(here, set, end - 1) {
                        return Ok(None);
                    }
                    p = end;
                }
                (b'%', Some(digit)) if digit.is_ascii_digit() => match self.again(s, digit)? {
                    Some(end) => (s, p) = (end, p + 2),
                    None => return Ok(None),
                },
                _ => {
                    let end = self.class_end(p)?;
                    let fits = self.fits(s, p, end);
                    match self.pattern.get(end) {
                        Some(b'?') => {
                            if fits && let Some(found) = self.matches(s + 1, end + 1)? {
                                return Ok(Some(found));
                            }
                            p = end + 1;
                        }
                        Some(b'+') if !fits => return Ok(None),
                        Some(b'+') => return self.most(s + 1, p, end),
                        Some(b'*') => return self.most(s, p, end),
                        Some(b'-') => return self.least(s, p, end),
                        _ if !fits => return Ok(None),
                        _ => (s, p) = (s + 1, end),
                    }
                }
            }
        }
    }

    /// As many repetitions as can be, then fewer.
    fn most(&mut self, s: usize, p: usize, end: usize) -> Result<Option<usize>, Problem> {
        let mut count = 0;
        while self.fits(s + count, p, end) {
            self.step()?;
            count += 1;
        }
        for count in (0..=count).rev() {
            if let Some(found) = self.matches(s + count, end + 1)? {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }

    /// As few repetitions as can be, then more.
    fn least(&mut self, mut s: usize, p: usize, end: usize) -> Result<Option<usize>, Problem> {
        loop {
            if let Some(found) = self.matches(s, end + 1)? {
                return Ok(Some(found));
            }
            if !self.fits(s, p, end) {
                return Ok(None);
            }
            s += 1;
        }
    }

    fn open(&mut self, s: usize, p: usize, length: Length) -> Result<Option<usize>, Problem> {
        if self.captures.len() >= MAX_CAPTURES {
            return Err("too many captures".to_owned());
        }
        let level = self.captures.len();
        self.captures.push((s, length));
        let found = self.matches(s, p)?;
        if found.is_none() {
            self.captures.truncate(level);
        }
        Ok(found)
    }

    fn close(&mut self, s: usize, p: usize) -> Result<Option<usize>, Problem> {
        let open = self.captures.iter().rposition(|c| c.1 == Length::Open);
        let index = open.ok_or("invalid pattern capture")?;
        self.captures[index].1 = Length::Bytes(s - self.captures[index].0);
        let found = self.matches(s, p)?;
        if found.is_none() {
            self.captures[index].1 = Length::Open;
        }
        Ok(found)
    }

    /// `%bxy`: from `x` to the `y` that belongs to it.
    fn balanced(&mut self, s: usize, p: usize) -> Result<Option<usize>, Problem> {
        let (Some(&open), Some(&close)) = (self.pattern.get(p), self.pattern.get(p + 1)) else {
            return Err("malformed pattern (missing arguments to '%b')".to_owned());
        };
        if self.subject.get(s) != Some(&open) {
            return Ok(None);
        }
        let mut depth = 1;
        for (index, &byte) in self.subject.iter().enumerate().skip(s + 1) {
            self.step()?;
            if byte == close {
                depth -= 1;
                if depth == 0 {
                    return Ok(Some(index + 1));
                }
            } else if byte == open {
                depth += 1;
            }
        }
        Ok(None)
    }

    /// `%1`: the text of a capture once more.
    fn again(&mut self, s: usize, digit: u8) -> Result<Option<usize>, Problem> {
        let index = usize::from(digit).checked_sub(usize::from(b'1'));
        let capture = index.and_then(|i| self.captures.get(i)).copied();
        let (start, length) = match capture {
            Some((start, Length::Bytes(length))) => (start, length),
            // A position is no text that could come again.
            Some((_, Length::Position)) => return Ok(None),
            _ => return Err(format!("invalid capture index %{}", digit as char)),
        };
        let same = self.subject[s..].starts_with(&self.subject[start..start + length]);
        Ok(same.then_some(s + length))
    }

    /// Behind the single character, class or set at `p`.
    fn class_end(&self, p: usize) -> Result<usize, Problem> {
        match self.pattern.get(p) {
            Some(b'%') if p + 1 >= self.pattern.len() => {
                Err("malformed pattern (ends with '%')".to_owned())
            }
            Some(b'%') => Ok(p + 2),
            Some(b'[') => {
                let mut end = p + 1;
                if self.pattern.get(end) == Some(&b'^') {
                    end += 1;
                }
                loop {
                    // A bracket in the first place is a character.
                    match self.pattern.get(end) {
                        None => return Err("malformed pattern (missing ']')".to_owned()),
                        Some(b'%') => end += 2,
                        Some(_) => end += 1,
                    }
                    if self.pattern.get(end) == Some(&b']') {
                        return Ok(end + 1);
                    }
                }
            }
            _ => Ok(p + 1),
        }
    }

    /// Whether the character at `s` is what stands in the pattern from `p` to `end`.
    fn fits(&self, s: usize, p: usize, end: usize) -> bool {
        let Some(&byte) = self.subject.get(s) else {
            return false;
        };
        match self.pattern[p] {
            b'.' => true,
            b'%' => in_class(byte, self.pattern[p + 1]),
            b'[' => self.in_set(byte, p, end - 1),
            literal => literal == byte,
        }
    }

    /// Whether a set holds the byte; `end` is its closing bracket.
    fn in_set(&self, byte: u8, p: usize, end: usize) -> bool {
        let pattern = self.pattern;
        let mut at = p + 1;
        let negated = pattern[at] == b'^';
        if negated {
            at += 1;
        }
        while at < end {
            if pattern[at] == b'%' {
                at += 1;
                if in_class(byte, pattern[at]) {
                    return !negated;
                }
                at += 1;
            } else if pattern.get(at + 1) == Some(&b'-') && at + 2 < end {
                if (pattern[at]..=pattern[at + 2]).contains(&byte) {
                    return !negated;
                }
                at += 3;
            } else {
                if pattern[at] == byte {
                    return !negated;
                }
                at += 1;
            }
        }
        negated
    }

    /// A capture as a Lua value; `whole` is the match, which stands for the first where there is none.
    fn capture(&self, lua: &Lua, index: usize, whole: (usize, usize)) -> mlua::Result<Value> {
        let (start, length) = match self.captures.get(index) {
            Some(&capture) => capture,
            None if index == 0 => (whole.0, Length::Bytes(whole.1 - whole.0)),
            None => {
                let what = format!("invalid capture index %{}", index + 1);
                return Err(mlua::Error::runtime(what));
            }
        };
        match length {
            Length::Bytes(length) => lua
                .create_string(&self.subject[start..start + length])
                .map(Value::String),
            Length::Position => (start + 1).into_lua(lua),
            Length::Open => Err(mlua::Error::runtime("unfinished capture")),
        }
    }

    /// All captures, or the whole match where there are none.
    fn values(&self, lua: &Lua, whole: (usize, usize)) -> mlua::Result<MultiValue> {
        (0..self.captures.len().max(1))
            .map(|index| self.capture(lua, index, whole))
            .collect()
    }
}

/// Whether a byte belongs to the class that a letter names; any other character stands for itself.
fn in_class(byte: u8, class: u8) -> bool {
    let inside = match class.to_ascii_lowercase() {
        b'a' => byte.is_ascii_alphabetic(),
        b'c' => byte.is_ascii_control(),
        b'd' => byte.is_ascii_digit(),
        b'g' => byte.is_ascii_graphic(),
        b'l' => byte.is_ascii_lowercase(),
        b'p' => byte.is_ascii_punctuation(),
        b's' => byte.is_ascii_whitespace() || byte == 0x0b,
        b'u' => byte.is_ascii_uppercase(),
        b'w' => byte.is_ascii_alphanumeric(),
        b'x' => byte.is_ascii_hexdigit(),
        // Old files have it.
        b'z' => byte == 0,
        _ => return class == byte,
    };
    inside != class.is_ascii_uppercase()
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

/// The first match from `at` on: where it begins and ends.
fn search(matcher: &mut Matcher<'_>, at: usize) -> mlua::Result<Option<(usize, usize)>> {
    let anchored = matcher.pattern.first() == Some(&b'^');
    let last = if anchored { at } else { matcher.subject.len() };
    for s in at..=last {
        if let Some(end) = matcher.at(s, usize::from(anchored)).map_err(problem)? {
            return Ok(Some((s, end)));
        }
    }
    Ok(None)
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
    let mut matcher = Matcher::new(&text, &pattern);
    let Some(whole) = search(&mut matcher, at)? else {
        return Ok(MultiValue::from_iter([Value::Nil]));
    };
    let mut values = vec![(whole.0 + 1).into_lua(lua)?, whole.1.into_lua(lua)?];
    if !matcher.captures.is_empty() {
        values.extend(matcher.values(lua, whole)?);
    }
    Ok(MultiValue::from_vec(values))
}

/// `string.match(TEXT, PATTERN [, INIT])`.
fn first_match(
    lua: &Lua,
    (text, pattern, init): (LuaString, LuaString, Option<i64>),
) -> mlua::Result<MultiValue> {
    let (text, pattern) = (text.as_bytes(), pattern.as_bytes());
    let mut matcher = Matcher::new(&text, &pattern);
    let whole = match start(init, text.len()) {
        Some(at) => search(&mut matcher, at)?,
        None => None,
    };
    match whole {
        Some(whole) => matcher.values(lua, whole),
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
        let mut matcher = Matcher::new(&text, &pattern);
        let (Some(at), last) = state.get() else {
            return Ok(MultiValue::from_iter([Value::Nil]));
        };
        for s in at..=text.len() {
            let found = matcher.at(s, 0).map_err(problem)?;
            if let Some(end) = found.filter(|end| Some(*end) != last) {
                state.set((Some(end), Some(end)));
                return matcher.values(lua, (s, end));
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
    let mut matcher = Matcher::new(&text, &pattern);
    let anchored = pattern.first() == Some(&b'^');
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
    whole: (usize, usize),
    by: &Value,
    out: &mut Vec<u8>,
) -> mlua::Result<()> {
    let value = match by {
        Value::String(template) => {
            return fill(lua, matcher, whole, &template.as_bytes(), out);
        }
        Value::Table(table) => table.get(matcher.capture(lua, 0, whole)?)?,
        Value::Function(function) => function.call(matcher.values(lua, whole)?)?,
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
    whole: (usize, usize),
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
                let value = matcher.capture(lua, index, whole)?;
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
