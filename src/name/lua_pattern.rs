//! Lua's patterns: the matcher behind `string.find` and its kind, and patterns as sites write them for Lmod: in `hideRegex`,
//! `forbidRegex`, `LMOD_FILE_IGNORE_PATTERNS`, the list of admin messages, and behind `-r`.
//!
//! A matcher of its own, because Lua's cannot be stopped (a pattern such as `a-a-a-a-b` keeps it busy for hours) and a Lua
//! machine costs more than a whole load. Patterns come from strangers: the work of a match is bounded. Source: Lua 5.4
//! reference manual, section 6.4.1; compared with Lua's own functions here and in `modulefile/lua/library/pattern.rs`.

/// How many steps it may take to look for a pattern in a name.
const MAX_STEPS: u32 = 200_000;
/// Most captures of a pattern.
const MAX_CAPTURES: usize = 32;
/// Deepest nesting of repetitions under way.
const MAX_DEPTH: u32 = 200;

/// A pattern that was found to be one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LuaPattern {
    text: String,
}

impl LuaPattern {
    /// Reads a pattern.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn new(text: &str) -> Result<LuaPattern, String> {
        match Matcher::new(b"", text.as_bytes(), MAX_STEPS).check() {
            Ok(()) => Ok(LuaPattern {
                text: text.to_owned(),
            }),
            Err(problem) => Err(format!("`{text}` is not a Lua pattern: {problem}")),
        }
    }

    /// The pattern as it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether the pattern is found in a text; what takes too long is not found.
    pub fn is_match(&self, text: &str) -> bool {
        let mut matcher = Matcher::new(text.as_bytes(), self.text.as_bytes(), MAX_STEPS);
        matches!(matcher.search(0), Ok(Some(_)))
    }
}

/// Why a pattern cannot be matched, in the words of Lua.
pub(crate) type Problem = String;

const NO_SET: &str = "missing '[' after '%f' in pattern";
const NO_PAIR: &str = "malformed pattern (missing arguments to '%b')";

/// What a capture holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Length {
    /// Its end is not reached yet.
    Open,
    /// The position alone: `()`.
    Position,
    /// So many bytes.
    Bytes(usize),
}

/// A pattern being matched against a text.
pub(crate) struct Matcher<'a> {
    /// The text.
    pub(crate) subject: &'a [u8],
    pattern: &'a [u8],
    /// Where each capture of the last match begins, and what it holds.
    pub(crate) captures: Vec<(usize, Length)>,
    depth: u32,
    steps: u32,
    max_steps: u32,
}

impl<'a> Matcher<'a> {
    /// Begins; all attempts together take at most `max_steps`.
    pub(crate) fn new(subject: &'a [u8], pattern: &'a [u8], max_steps: u32) -> Matcher<'a> {
        Matcher {
            subject,
            pattern,
            captures: Vec::new(),
            depth: 0,
            steps: 0,
            max_steps,
        }
    }

    /// Whether the pattern begins with `^`: it matches in one place only.
    pub(crate) fn is_anchored(&self) -> bool {
        self.pattern.first() == Some(&b'^')
    }

    /// The first match from `at` on: where it begins and ends.
    ///
    /// # Errors
    /// The pattern is none, or takes too long.
    pub(crate) fn search(&mut self, at: usize) -> Result<Option<(usize, usize)>, Problem> {
        let anchored = self.is_anchored();
        let last = if anchored { at } else { self.subject.len() };
        for s in at..=last {
            if let Some(end) = self.at(s, usize::from(anchored))? {
                return Ok(Some((s, end)));
            }
        }
        Ok(None)
    }

    /// Looks for what is wrong with the pattern, in parts too that no text has come to yet.
    fn check(&self) -> Result<(), Problem> {
        let mut p = usize::from(self.is_anchored());
        let (mut captures, mut open) = (0, Vec::new());
        while let Some(&first) = self.pattern.get(p) {
            match (first, self.pattern.get(p + 1).copied()) {
                (b'(', Some(b')')) => (captures, p) = (captures + 1, p + 2),
                (b'(', _) => {
                    open.push(captures);
                    (captures, p) = (captures + 1, p + 1);
                }
                (b')', _) => {
                    open.pop().ok_or("invalid pattern capture")?;
                    p += 1;
                }
                (b'%', Some(b'b')) if p + 3 < self.pattern.len() => p += 4,
                (b'%', Some(b'b')) => return Err(NO_PAIR.to_owned()),
                (b'%', Some(b'f')) if self.pattern.get(p + 2) == Some(&b'[') => {
                    p = self.class_end(p + 2)?;
                }
                (b'%', Some(b'f')) => return Err(NO_SET.to_owned()),
                (b'%', Some(digit)) if digit.is_ascii_digit() => {
                    let index = usize::from(digit).checked_sub(usize::from(b'1'));
                    if index.is_none_or(|i| i >= captures || open.contains(&i)) {
                        return Err(format!("invalid capture index %{}", digit as char));
                    }
                    p += 2;
                }
                _ => {
                    p = self.class_end(p)?;
                    if let Some(b'*' | b'+' | b'-' | b'?') = self.pattern.get(p) {
                        p += 1;
                    }
                }
            }
        }
        match (open.is_empty(), captures <= MAX_CAPTURES) {
            (false, _) => Err("unfinished capture".to_owned()),
            (_, false) => Err("too many captures".to_owned()),
            _ => Ok(()),
        }
    }

    /// Where the match that begins at `at` ends; `pattern_at` is behind a `^`.
    pub(crate) fn at(&mut self, at: usize, pattern_at: usize) -> Result<Option<usize>, Problem> {
        self.captures.clear();
        self.depth = 0;
        self.matches(at, pattern_at)
    }

    fn step(&mut self) -> Result<(), Problem> {
        self.steps += 1;
        if self.steps > self.max_steps {
            return Err("the pattern takes too long to match".to_owned());
        }
        Ok(())
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
                        return Err(NO_SET.to_owned());
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
            return Err(NO_PAIR.to_owned());
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

#[cfg(test)]
mod tests {
    use super::LuaPattern;
    use proptest::prelude::*;

    fn found(pattern: &str, text: &str) -> bool {
        LuaPattern::new(pattern).unwrap().is_match(text)
    }

    /// What Lua itself says: `None` where it is no pattern.
    fn lua(machine: &mlua::Lua, pattern: &str, text: &str) -> Option<bool> {
        let find: mlua::Function = machine
            .load("return string.find(...)")
            .into_function()
            .unwrap();
        let found: mlua::Result<Option<i64>> = find.call((text, pattern));
        found.ok().map(|at| at.is_some())
    }

    #[test]
    fn patterns_that_sites_write_are_found() {
        assert!(found("^gcc/1%d%.", "gcc/13.2"));
        assert!(!found("^gcc/1%d%.", "gcc/9.2"));
        assert!(found("%-dev$", "foo/1.0-dev"));
        assert!(found("/.*%-cuda%-", "x/1-cuda-12"));
        assert!(found("[rR]%d+", "matlab/R2021a"));
        assert!(found("%f[%d]12%f[%D]", "a/12.3"));
        assert!(!found("%f[%d]12%f[%D]", "a/123"));
        assert!(found("(%w+)/%1", "go/go"));
        assert!(found("%b()", "f(a(b)c)"));
    }

    #[test]
    fn what_is_no_pattern_is_told() {
        for bad in ["%", "[a", "(a", "a)", "%1", "(a%1)", "%b(", "%f", "[", "[^"] {
            assert!(LuaPattern::new(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_match_that_would_take_for_ever_ends() {
        assert!(!found(
            &".-".repeat(20).replace(".-", ".-.-b"),
            &"a".repeat(2000)
        ));
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 3000, ..ProptestConfig::default() })]

        #[test]
        fn lua_answers_the_same(
            pattern in "(\\^)?([abA1/.]|%[adlpuswxADLW.%]|\\[[ab^-]{0,2}[a-c1]\\]|[()]|[*+?-]|%f\\[%d\\]|%1|%b[ab][ab]){0,7}\\$?",
            text in "[abcA1/. -]{0,9}",
        ) {
            let machine = mlua::Lua::new();
            let ours = LuaPattern::new(&pattern).ok().map(|p| p.is_match(&text));
            match lua(&machine, &pattern, &text) {
                // Lua only complains about what it comes to.
                Some(found) if ours.is_some() => prop_assert_eq!(ours, Some(found)),
                Some(found) => prop_assert!(!found, "{} is one for Lua", pattern),
                None => prop_assert!(ours.is_none() , "{} is none for Lua", pattern),
            }
        }
    }
}
