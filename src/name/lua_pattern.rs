//! Lua's patterns, as sites write them for Lmod: in `hideRegex`, `forbidRegex`, `LMOD_FILE_IGNORE_PATTERNS`, the list of
//! admin messages, and behind `-r`.
//!
//! A matcher of its own, because a Lua machine costs more than a whole load. Patterns come from strangers: the work of a
//! match is bounded, and what takes longer is no match. Source: Lua 5.4 reference manual, section 6.4.1.

/// How many steps a match may take.
const MAX_STEPS: u32 = 200_000;

/// How deep a match may go in.
const MAX_DEPTH: u32 = 400;

/// A pattern that was found to be one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LuaPattern {
    text: String,
    items: Vec<Item>,
    anchored: bool,
}

/// A piece of a pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Item {
    /// A character of a class, so many times.
    Class(Class, Repeat),
    /// `%bxy`.
    Balance(u8, u8),
    /// `%f[set]`.
    Frontier(Class),
    /// `(`.
    Open,
    /// `()`.
    Position,
    /// `)` of the capture with that number.
    Close(usize),
    /// `%1`.
    Back(usize),
    /// `$` at the end.
    End,
}

/// How often a class may match.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Repeat {
    Once,
    /// `?`.
    Optional,
    /// `*`, `+`: as often as possible, but at least so many times.
    Longest(usize),
    /// `-`: as rarely as possible.
    Shortest,
}

/// Which characters will do.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Class {
    Any,
    Byte(u8),
    /// `%a`, `%D`: the letter.
    Named(u8),
    Set {
        negated: bool,
        parts: Vec<Part>,
    },
}

/// A piece of a set.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Byte(u8),
    Named(u8),
    Range(u8, u8),
}

impl LuaPattern {
    /// Reads a pattern.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn new(text: &str) -> Result<LuaPattern, String> {
        let bytes = text.as_bytes();
        let (anchored, rest) = match bytes.split_first() {
            Some((b'^', rest)) => (true, rest),
            _ => (false, bytes),
        };
        let mut reader = Reader { rest };
        match reader.items() {
            Ok(items) => Ok(LuaPattern {
                text: text.to_owned(),
                items,
                anchored,
            }),
            Err(reason) => Err(format!("`{text}` is not a Lua pattern: {reason}")),
        }
    }

    /// The pattern as it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether the pattern is found in a text.
    pub fn is_match(&self, text: &str) -> bool {
        let text = text.as_bytes();
        let mut run = Run {
            text,
            captures: Vec::new(),
            steps: 0,
        };
        let last = if self.anchored { 0 } else { text.len() };
        (0..=last).any(|start| {
            run.captures.clear();
            run.matches(&self.items, start, 0)
        })
    }
}

/// Reads the pieces of a pattern.
struct Reader<'a> {
    rest: &'a [u8],
}

impl Reader<'_> {
    fn next(&mut self) -> Option<u8> {
        let (first, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(*first)
    }

    fn items(&mut self) -> Result<Vec<Item>, &'static str> {
        let mut items = Vec::new();
        let mut captures = 0;
        let mut open: Vec<usize> = Vec::new();
        while let Some(byte) = self.next() {
            let class = match byte {
                b'(' if self.rest.first() == Some(&b')') => {
                    self.next();
                    captures += 1;
                    items.push(Item::Position);
                    continue;
                }
                b'(' => {
                    open.push(captures);
                    captures += 1;
                    items.push(Item::Open);
                    continue;
                }
                b')' => {
                    let capture = open.pop().ok_or("`)` without `(`")?;
                    items.push(Item::Close(capture));
                    continue;
                }
                b'$' if self.rest.is_empty() => {
                    items.push(Item::End);
                    continue;
                }
                b'%' => match self.rest.first() {
                    Some(b'b') => {
                        self.next();
                        let pair = (self.next(), self.next());
                        let (Some(begin), Some(end)) = pair else {
                            return Err("`%b` needs two characters");
                        };
                        items.push(Item::Balance(begin, end));
                        continue;
                    }
                    Some(b'f') => {
                        self.next();
                        if self.next() != Some(b'[') {
                            return Err("`%f` needs a set");
                        }
                        let set = self.set()?;
                        items.push(Item::Frontier(set));
                        continue;
                    }
                    Some(digit) if digit.is_ascii_digit() => {
                        let capture = usize::from(digit - b'0');
                        self.next();
                        let index = capture.checked_sub(1).ok_or("there is no capture 0")?;
                        if index >= captures || open.contains(&index) {
                            return Err("refers to a capture that is not there yet");
                        }
                        items.push(Item::Back(index));
                        continue;
                    }
                    _ => self.escaped()?,
                },
                b'[' => self.set()?,
                b'.' => Class::Any,
                byte => Class::Byte(byte),
            };
            let repeat = match self.rest.first() {
                Some(b'*') => Repeat::Longest(0),
                Some(b'+') => Repeat::Longest(1),
                Some(b'-') => Repeat::Shortest,
                Some(b'?') => Repeat::Optional,
                _ => Repeat::Once,
            };
            if repeat != Repeat::Once {
                self.next();
            }
            items.push(Item::Class(class, repeat));
        }
        if open.is_empty() {
            Ok(items)
        } else {
            Err("`(` without `)`")
        }
    }

    /// What follows a `%`.
    fn escaped(&mut self) -> Result<Class, &'static str> {
        let byte = self.next().ok_or("ends in `%`")?;
        Ok(if is_class_letter(byte) {
            Class::Named(byte)
        } else {
            Class::Byte(byte)
        })
    }

    /// A set behind its `[`.
    fn set(&mut self) -> Result<Class, &'static str> {
        const OPEN: &str = "`[` without `]`";
        let negated = self.rest.first() == Some(&b'^');
        if negated {
            self.next();
        }
        let mut parts = Vec::new();
        loop {
            let byte = self.next().ok_or(OPEN)?;
            match byte {
                // A `]` in first place stands for itself.
                b']' if !parts.is_empty() => return Ok(Class::Set { negated, parts }),
                b'%' => parts.push(match self.escaped().map_err(|_| OPEN)? {
                    Class::Named(letter) => Part::Named(letter),
                    Class::Byte(byte) => Part::Byte(byte),
                    Class::Any | Class::Set { .. } => return Err(OPEN),
                }),
                byte => match self.rest {
                    [b'-', end, ..] if *end != b']' => {
                        parts.push(Part::Range(byte, *end));
                        self.rest = &self.rest[2..];
                    }
                    _ => parts.push(Part::Byte(byte)),
                },
            }
        }
    }
}

/// Whether `%` and the letter stand for a class.
fn is_class_letter(byte: u8) -> bool {
    b"acdglpsuwx".contains(&byte.to_ascii_lowercase())
}

fn in_class(letter: u8, byte: u8) -> bool {
    let within = match letter.to_ascii_lowercase() {
        b'a' => byte.is_ascii_alphabetic(),
        b'c' => byte.is_ascii_control(),
        b'd' => byte.is_ascii_digit(),
        b'g' => byte.is_ascii_graphic(),
        b'l' => byte.is_ascii_lowercase(),
        b'p' => byte.is_ascii_punctuation(),
        b's' => matches!(byte, b' ' | b'\t'..=b'\r'),
        b'u' => byte.is_ascii_uppercase(),
        b'w' => byte.is_ascii_alphanumeric(),
        b'x' => byte.is_ascii_hexdigit(),
        _ => false,
    };
    within != letter.is_ascii_uppercase()
}

impl Class {
    fn holds(&self, byte: u8) -> bool {
        match self {
            Class::Any => true,
            Class::Byte(own) => *own == byte,
            Class::Named(letter) => in_class(*letter, byte),
            Class::Set { negated, parts } => {
                let within = parts.iter().any(|part| match part {
                    Part::Byte(own) => *own == byte,
                    Part::Named(letter) => in_class(*letter, byte),
                    Part::Range(low, high) => (*low..=*high).contains(&byte),
                });
                within != *negated
            }
        }
    }
}

/// One attempt.
struct Run<'a> {
    text: &'a [u8],
    /// Begin and end of each capture; no end while it is open, and none ever for a position.
    captures: Vec<(usize, Option<usize>)>,
    steps: u32,
}

impl Run<'_> {
    /// Whether `items` match at `at`.
    fn matches(&mut self, items: &[Item], mut at: usize, depth: u32) -> bool {
        let mut items = items;
        while let Some((item, rest)) = items.split_first() {
            self.steps += 1;
            if self.steps > MAX_STEPS || depth > MAX_DEPTH {
                return false;
            }
            match item {
                Item::Class(class, Repeat::Once) => {
                    if !self.holds(class, at) {
                        return false;
                    }
                    at += 1;
                }
                Item::Class(class, Repeat::Optional) => {
                    if self.holds(class, at) && self.attempt(rest, at + 1, depth) {
                        return true;
                    }
                }
                Item::Class(class, Repeat::Longest(least)) => {
                    let mut most = 0;
                    while self.holds(class, at + most) {
                        most += 1;
                    }
                    return (*least..=most)
                        .rev()
                        .any(|count| self.attempt(rest, at + count, depth));
                }
                Item::Class(class, Repeat::Shortest) => loop {
                    if self.attempt(rest, at, depth) {
                        return true;
                    }
                    if !self.holds(class, at) || self.steps > MAX_STEPS {
                        return false;
                    }
                    at += 1;
                },
                Item::Balance(begin, end) => match self.balanced(at, *begin, *end) {
                    Some(behind) => at = behind,
                    None => return false,
                },
                Item::Frontier(set) => {
                    let before = at.checked_sub(1).map_or(0, |before| self.text[before]);
                    let here = self.text.get(at).copied().unwrap_or(0);
                    if set.holds(before) || !set.holds(here) {
                        return false;
                    }
                }
                Item::Open | Item::Position => self.captures.push((at, None)),
                Item::Close(capture) => {
                    let before = self.captures[*capture];
                    self.captures[*capture].1 = Some(at);
                    let matched = self.attempt(rest, at, depth);
                    if !matched {
                        self.captures[*capture] = before;
                    }
                    return matched;
                }
                Item::Back(capture) => {
                    let (begin, Some(end)) = self.captures[*capture] else {
                        return false;
                    };
                    if !self.text[at..].starts_with(&self.text[begin..end]) {
                        return false;
                    }
                    at += end - begin;
                }
                Item::End => {
                    if at != self.text.len() {
                        return false;
                    }
                }
            }
            items = rest;
        }
        true
    }

    /// Tries the rest; a failure leaves the captures as they were.
    fn attempt(&mut self, rest: &[Item], at: usize, depth: u32) -> bool {
        let known = self.captures.len();
        let matched = self.matches(rest, at, depth + 1);
        if !matched {
            self.captures.truncate(known);
        }
        matched
    }

    fn holds(&self, class: &Class, at: usize) -> bool {
        self.text.get(at).is_some_and(|byte| class.holds(*byte))
    }

    /// Where the text that `begin` and `end` enclose is over.
    fn balanced(&self, at: usize, begin: u8, end: u8) -> Option<usize> {
        if self.text.get(at) != Some(&begin) {
            return None;
        }
        let mut open = 1_usize;
        for (index, byte) in self.text.iter().enumerate().skip(at + 1) {
            if *byte == end {
                open -= 1;
                if open == 0 {
                    return Some(index + 1);
                }
            } else if *byte == begin {
                open += 1;
            }
        }
        None
    }
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
