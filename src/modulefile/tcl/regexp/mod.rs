//! Tcl's advanced regular expressions.
//!
//! They are not Perl's: of all matches the leftmost is taken, and of those with the same beginning the longest, or the
//! shortest where the pattern prefers that. A machine of states finds the match; back references and groups are worked out
//! afterwards by dividing it from left to right. Source: Tcl manual, re_syntax(n) and regexp(n); checked against tclsh.
//!
//! Refused: patterns which need more than 100,000 states, and searches of more than fifty million steps.

mod dissect;
mod lex;
mod nfa;
mod parse;
mod set;
#[cfg(test)]
mod tests;

use super::chars;
use dissect::{Budget, Part};

pub(crate) use dissect::Groups;
use nfa::Text;
use std::cell::Cell;
use std::fmt;

/// The switches of `regexp` which change the meaning of a pattern; `-line` is both of the last two.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Flags {
    pub(crate) nocase: bool,
    pub(crate) expanded: bool,
    /// `-linestop`: `.` and `[^x]` do not match a newline.
    pub(crate) line_stop: bool,
    /// `-lineanchor`: `^` and `$` match at newlines, too.
    pub(crate) line_anchor: bool,
}

/// Why a pattern cannot be compiled.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Reason {
    BadPattern,
    BadCollation,
    BadClass,
    BadEscape,
    BadReference,
    Bracket,
    Parenthesis,
    Brace,
    BadBound,
    BadRange,
    BadRepeat,
    BadOption,
    TooBig,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::BadPattern => "invalid regexp (reg version 0.8)",
            Self::BadCollation => "invalid collating element",
            Self::BadClass => "invalid character class",
            Self::BadEscape => "invalid escape \\ sequence",
            Self::BadReference => "invalid backreference number",
            Self::Bracket => "brackets [] not balanced",
            Self::Parenthesis => "parentheses () not balanced",
            Self::Brace => "braces {} not balanced",
            Self::BadBound => "invalid repetition count(s)",
            Self::BadRange => "invalid character range",
            Self::BadRepeat => "quantifier operand invalid",
            Self::BadOption => "invalid embedded option",
            Self::TooBig => "out of memory",
        })
    }
}

/// Why a search was given up.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Failure {
    TooLong,
}

/// A compiled pattern.
#[derive(Debug)]
pub(crate) struct Regex {
    part: Part,
    groups: usize,
    used: u16,
    nocase: bool,
    /// The pattern itself, when it is plain text.
    literal: Option<Vec<u8>>,
}

impl Regex {
    /// Compiles a pattern.
    ///
    /// # Errors
    /// Tcl's reason, which its commands put behind `couldn't compile regular expression pattern: `.
    pub(crate) fn compile(pattern: &[u8], flags: Flags) -> Result<Self, String> {
        Self::build(pattern, flags).map_err(|reason| reason.to_string())
    }

    fn build(pattern: &[u8], flags: Flags) -> Result<Self, Reason> {
        let parsed = parse::parse(pattern, flags)?;
        let part = Part::new(&parsed.root, &mut Budget::new())?;
        let mut used = parsed.used;
        if parsed.root.may_be_empty() {
            used |= lex::uses::EMPTY_MATCH;
        }
        if part.preference() == nfa::Prefer::Shortest {
            used |= lex::uses::SHORTEST;
        }
        let literal = parsed.root.literal();
        Ok(Self {
            part,
            groups: parsed.groups,
            used,
            nocase: parsed.flags.nocase,
            literal,
        })
    }

    /// Finds the first match at byte `start` or later: the span of the whole and of each group, in bytes.
    ///
    /// What stands before `start` is not seen: `\A` matches there, and so does `^` unless `not_bol` is set.
    ///
    /// # Errors
    /// A text which says that the search takes too long.
    pub(crate) fn exec(
        &self,
        subject: &[u8],
        start: usize,
        not_bol: bool,
    ) -> Result<Option<Groups>, String> {
        let text = Text {
            bytes: &subject[start..],
            not_bol,
            nocase: self.nocase,
            steps: Cell::new(0),
        };
        let found = self
            .find(&text)
            .map_err(|Failure::TooLong| "regular expression takes too many steps".to_owned())?;
        Ok(found.map(|groups| {
            groups
                .into_iter()
                .map(|span| span.map(|(a, b)| (a + start, b + start)))
                .collect()
        }))
    }

    fn find(&self, text: &Text<'_>) -> Result<Option<Groups>, Failure> {
        if let Some(literal) = &self.literal {
            let found = bstr::ByteSlice::find(text.bytes, literal);
            return Ok(found.map(|at| vec![Some((at, at + literal.len()))]));
        }
        let mut groups = vec![None; self.groups + 1];
        let mut from = 0;
        while let Some((begin, end)) =
            self.part
                .machine()
                .search(text, from, self.part.preference())?
        {
            if !self.part.refers() {
                self.part.dissect(text, begin, end, &mut groups)?;
                groups[0] = Some((begin, end));
                return Ok(Some(groups));
            }
            for end in self.part.ends(text, begin, text.bytes.len())? {
                groups.fill(None);
                if self.part.dissect(text, begin, end, &mut groups)? {
                    groups[0] = Some((begin, end));
                    return Ok(Some(groups));
                }
            }
            match chars::decode(&text.bytes[begin..]) {
                Some((_, length)) => from = begin + length,
                None => break,
            }
        }
        Ok(None)
    }

    /// How many capturing groups the pattern has.
    pub(crate) fn groups(&self) -> usize {
        self.groups
    }

    /// The names of what the pattern makes use of, as `regexp -about` lists them.
    pub(crate) fn uses(&self) -> impl Iterator<Item = &'static str> + '_ {
        let used = self.used;
        lex::USES
            .iter()
            .enumerate()
            .filter(move |(bit, _)| used >> bit & 1 == 1)
            .map(|(_, name)| *name)
    }
}
