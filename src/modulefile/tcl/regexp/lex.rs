//! Tokens of a regular expression in any of Tcl's flavours.
//!
//! Source: Tcl manual, re_syntax(n).

use super::set::{Item, Set};
use super::{Flags, Reason};
use crate::modulefile::tcl::chars::{self, Char, Class};

/// What a pattern makes use of, as `regexp -about` names it; in that order.
pub(super) const USES: [&str; 14] = [
    "REG_UBACKREF",
    "REG_ULOOKAHEAD",
    "REG_UBOUNDS",
    "REG_UBRACES",
    "REG_UBSALNUM",
    "REG_UPBOTCH",
    "REG_UBBS",
    "REG_UNONPOSIX",
    "REG_UUNSPEC",
    "REG_UUNPORT",
    "REG_ULOCALE",
    "REG_UEMPTYMATCH",
    "REG_UIMPOSSIBLE",
    "REG_USHORTEST",
];

/// A bit of [`USES`].
pub(super) mod uses {
    pub(in super::super) const BACKREF: u16 = 1;
    pub(in super::super) const LOOKAHEAD: u16 = 1 << 1;
    pub(in super::super) const BOUNDS: u16 = 1 << 2;
    pub(in super::super) const BRACES: u16 = 1 << 3;
    pub(in super::super) const BS_ALNUM: u16 = 1 << 4;
    pub(in super::super) const UNBALANCED: u16 = 1 << 5;
    pub(in super::super) const BRACKET_BS: u16 = 1 << 6;
    pub(in super::super) const NON_POSIX: u16 = 1 << 7;
    pub(in super::super) const UNSPECIFIED: u16 = 1 << 8;
    pub(in super::super) const UNPORTABLE: u16 = 1 << 9;
    pub(in super::super) const LOCALE: u16 = 1 << 10;
    pub(in super::super) const EMPTY_MATCH: u16 = 1 << 11;
    pub(in super::super) const SHORTEST: u16 = 1 << 13;
}

/// A token outside of brackets; a bracket expression is one token.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Token {
    End,
    Char(Char),
    Any,
    Set(Set),
    Bar,
    Open {
        capturing: bool,
    },
    Close,
    LookAhead {
        negative: bool,
    },
    /// `*`, `+`, `?`: the least and the most repetitions.
    Quantifier {
        min: u32,
        max: Option<u32>,
        greedy: bool,
    },
    /// `{`, of which the numbers are read by [`Lexer::bound`].
    Bound,
    Caret,
    Dollar,
    TextBegin,
    TextEnd,
    WordBegin,
    WordEnd,
    WordBoundary,
    NotWordBoundary,
    BackReference(usize),
}

/// Which syntax the pattern is in.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Flavour {
    Advanced,
    Extended,
    Basic,
    Literal,
}

/// The numbers of a bound `{m,n}`.
pub(super) struct Bound {
    pub(super) min: u32,
    pub(super) max: Option<u32>,
    /// `None` for `{m}`, which leaves the preference to what it repeats.
    pub(super) greedy: Option<bool>,
}

pub(super) struct Lexer<'a> {
    pattern: &'a [u8],
    at: usize,
    pub(super) flags: Flags,
    pub(super) flavour: Flavour,
    pub(super) used: u16,
    /// Whether the last token left off at the beginning of a (sub)expression, where a basic `*` is literal.
    at_start: bool,
}

const MAX_REPEAT: u32 = 255;

impl<'a> Lexer<'a> {
    /// Reads the prefixes `***=`, `***:` and `(?options)`.
    pub(super) fn new(pattern: &'a [u8], flags: Flags) -> Result<Self, Reason> {
        let mut lexer = Self {
            pattern,
            at: 0,
            flags,
            flavour: Flavour::Advanced,
            used: 0,
            at_start: true,
        };
        if pattern.starts_with(b"***") && pattern.len() > 3 {
            lexer.at = 4;
            match pattern[3] {
                b'=' => {
                    lexer.note(uses::NON_POSIX);
                    lexer.make_literal();
                    return Ok(lexer);
                }
                b':' => lexer.note(uses::NON_POSIX),
                b'?' => return Err(Reason::BadPattern),
                _ => return Err(Reason::BadRepeat),
            }
        }
        let rest = &pattern[lexer.at..];
        let letter = rest.strip_prefix(b"(?").and_then(chars::decode);
        if letter.is_some_and(|(c, _)| Class::Alpha.contains(c)) {
            lexer.note(uses::NON_POSIX);
            lexer.at += 2;
            lexer.options()?;
        }
        Ok(lexer)
    }

    fn make_literal(&mut self) {
        self.flavour = Flavour::Literal;
        self.flags.expanded = false;
        self.flags.line_stop = false;
        self.flags.line_anchor = false;
    }

    fn options(&mut self) -> Result<(), Reason> {
        while let Some(letter) = self.peek_byte().filter(u8::is_ascii_alphabetic) {
            self.at += 1;
            match letter {
                b'b' => self.flavour = Flavour::Basic,
                b'c' => self.flags.nocase = false,
                b'e' => self.flavour = Flavour::Extended,
                b'i' => self.flags.nocase = true,
                b'm' | b'n' => (self.flags.line_stop, self.flags.line_anchor) = (true, true),
                b'p' => (self.flags.line_stop, self.flags.line_anchor) = (true, false),
                b'q' => self.flavour = Flavour::Literal,
                b's' => (self.flags.line_stop, self.flags.line_anchor) = (false, false),
                b't' => self.flags.expanded = false,
                b'w' => (self.flags.line_stop, self.flags.line_anchor) = (false, true),
                b'x' => self.flags.expanded = true,
                _ => return Err(Reason::BadOption),
            }
        }
        if !self.eat(b')') {
            return Err(Reason::BadOption);
        }
        if self.flavour == Flavour::Literal {
            self.make_literal();
        }
        Ok(())
    }

    pub(super) fn note(&mut self, used: u16) {
        self.used |= used;
    }

    fn peek_byte(&self) -> Option<u8> {
        self.pattern.get(self.at).copied()
    }

    fn eat(&mut self, byte: u8) -> bool {
        let found = self.peek_byte() == Some(byte);
        self.at += usize::from(found);
        found
    }

    fn take(&mut self) -> Option<Char> {
        let (c, length) = chars::decode(&self.pattern[self.at..])?;
        self.at += length;
        Some(c)
    }

    fn rest(&self) -> &'a [u8] {
        &self.pattern[self.at..]
    }

    /// Skips blanks and `#` comments of the expanded syntax.
    fn skip_blanks(&mut self) {
        if !self.flags.expanded {
            return;
        }
        let start = self.at;
        while let Some((c, length)) = chars::decode(self.rest()) {
            if c == u32::from(b'#') {
                self.at += self.rest().iter().take_while(|&&b| b != b'\n').count();
            } else if Class::Space.contains(c) {
                self.at += length;
            } else {
                break;
            }
        }
        if self.at > start {
            self.note(uses::NON_POSIX);
        }
    }

    /// Reads the next token; `groups` is the number of capturing groups opened so far.
    pub(super) fn next(&mut self, groups: usize) -> Result<Token, Reason> {
        let token = match self.flavour {
            Flavour::Literal => self.take().map_or(Token::End, Token::Char),
            Flavour::Basic => self.next_basic()?,
            _ => self.next_extended(groups)?,
        };
        self.at_start = matches!(token, Token::Open { .. } | Token::Caret | Token::Bar);
        Ok(token)
    }

    fn next_extended(&mut self, groups: usize) -> Result<Token, Reason> {
        let advanced = self.flavour == Flavour::Advanced;
        loop {
            self.skip_blanks();
            let Some(c) = self.take() else {
                return Ok(Token::End);
            };
            let Ok(byte) = u8::try_from(c) else {
                return Ok(Token::Char(c));
            };
            return Ok(match byte {
                b'|' => Token::Bar,
                b'*' => self.quantifier(0, None),
                b'+' => self.quantifier(1, None),
                b'?' => self.quantifier(0, Some(1)),
                b'{' => {
                    self.skip_blanks();
                    if self.peek_byte().is_some_and(|b| b.is_ascii_digit()) {
                        self.note(uses::BOUNDS);
                        Token::Bound
                    } else {
                        self.note(uses::BRACES | uses::UNSPECIFIED);
                        Token::Char(c)
                    }
                }
                b'(' if advanced && self.eat(b'?') => {
                    self.note(uses::NON_POSIX);
                    match self.take().and_then(|c| u8::try_from(c).ok()) {
                        Some(b':') => Token::Open { capturing: false },
                        Some(b'=') => self.look_ahead(false),
                        Some(b'!') => self.look_ahead(true),
                        Some(b'#') => {
                            self.at += self.rest().iter().take_while(|&&b| b != b')').count();
                            self.eat(b')');
                            continue;
                        }
                        _ => return Err(Reason::BadRepeat),
                    }
                }
                b'(' => Token::Open { capturing: true },
                b')' => Token::Close,
                b'[' => self.bracket()?,
                b'.' => Token::Any,
                b'^' => Token::Caret,
                b'$' => Token::Dollar,
                b'\\' if self.rest().is_empty() => return Err(Reason::BadEscape),
                b'\\' if advanced => self.escape(groups)?,
                b'\\' => {
                    if self.peek_byte().is_some_and(|b| b.is_ascii_alphanumeric()) {
                        self.note(uses::BS_ALNUM | uses::UNSPECIFIED);
                    }
                    Token::Char(self.take().unwrap_or(c))
                }
                _ => Token::Char(c),
            });
        }
    }

    fn next_basic(&mut self) -> Result<Token, Reason> {
        self.skip_blanks();
        let at_start = self.at_start;
        let Some(c) = self.take() else {
            return Ok(Token::End);
        };
        Ok(match u8::try_from(c).unwrap_or(0) {
            b'*' if at_start => Token::Char(c),
            b'*' => Token::Quantifier {
                min: 0,
                max: None,
                greedy: true,
            },
            b'[' => self.bracket()?,
            b'.' => Token::Any,
            b'^' if at_start => Token::Caret,
            b'^' => Token::Char(c),
            b'$' if self.rest().is_empty() || self.rest().starts_with(b"\\)") => Token::Dollar,
            b'\\' => match self.take() {
                None => return Err(Reason::BadEscape),
                Some(escaped) => match u8::try_from(escaped).unwrap_or(0) {
                    b'(' => Token::Open { capturing: true },
                    b')' => Token::Close,
                    b'{' => {
                        self.note(uses::BOUNDS);
                        Token::Bound
                    }
                    b'<' => Token::WordBegin,
                    b'>' => Token::WordEnd,
                    digit @ b'1'..=b'9' => {
                        self.note(uses::BACKREF);
                        Token::BackReference(usize::from(digit - b'0'))
                    }
                    other => {
                        if other.is_ascii_alphanumeric() {
                            self.note(uses::BS_ALNUM | uses::UNSPECIFIED);
                        }
                        Token::Char(escaped)
                    }
                },
            },
            _ => Token::Char(c),
        })
    }

    fn look_ahead(&mut self, negative: bool) -> Token {
        self.note(uses::LOOKAHEAD);
        Token::LookAhead { negative }
    }

    fn quantifier(&mut self, min: u32, max: Option<u32>) -> Token {
        Token::Quantifier {
            min,
            max,
            greedy: self.greedy(),
        }
    }

    /// Reads the `?` that makes a quantifier non-greedy.
    fn greedy(&mut self) -> bool {
        if self.flavour == Flavour::Advanced && self.eat(b'?') {
            self.note(uses::NON_POSIX);
            return false;
        }
        true
    }

    /// Reads the numbers of a bound up to its `}`.
    pub(super) fn bound(&mut self) -> Result<Bound, Reason> {
        let min = self.number()?;
        if !self.eat_in_bound(b',')? {
            self.close_bound()?;
            self.greedy();
            return Ok(Bound {
                min,
                max: Some(min),
                greedy: None,
            });
        }
        self.skip_blanks();
        let max = match self.peek_byte() {
            Some(b'0'..=b'9') => Some(self.number()?),
            _ => None,
        };
        if max.is_some_and(|max| max < min) {
            return Err(Reason::BadBound);
        }
        self.close_bound()?;
        Ok(Bound {
            min,
            max,
            greedy: Some(self.greedy()),
        })
    }

    fn number(&mut self) -> Result<u32, Reason> {
        let mut value = None;
        loop {
            self.skip_blanks();
            let Some(digit @ b'0'..=b'9') = self.peek_byte() else {
                break;
            };
            self.at += 1;
            value = Some(value.unwrap_or(0) * 10 + u32::from(digit - b'0'));
            if value > Some(MAX_REPEAT) {
                return Err(Reason::BadBound);
            }
        }
        value.ok_or(Reason::BadBound)
    }

    fn eat_in_bound(&mut self, byte: u8) -> Result<bool, Reason> {
        self.skip_blanks();
        if self.rest().is_empty() {
            Err(Reason::Brace)
        } else {
            Ok(self.eat(byte))
        }
    }

    fn close_bound(&mut self) -> Result<(), Reason> {
        if self.flavour == Flavour::Basic && !self.eat_in_bound(b'\\')? {
            return Err(Reason::BadBound);
        }
        if self.eat_in_bound(b'}')? {
            Ok(())
        } else {
            Err(Reason::BadBound)
        }
    }

    /// Reads an escape of the advanced syntax, behind its backslash.
    fn escape(&mut self, groups: usize) -> Result<Token, Reason> {
        let start = self.at;
        let c = self.take().ok_or(Reason::BadEscape)?;
        if !Class::Alnum.contains(c) {
            return Ok(Token::Char(c));
        }
        self.note(uses::NON_POSIX);
        let letter = u8::try_from(c).map_err(|_| Reason::BadEscape)?;
        Ok(match letter {
            b'A' => Token::TextBegin,
            b'Z' => Token::TextEnd,
            b'm' | b'M' | b'y' | b'Y' => {
                self.note(uses::LOCALE);
                match letter {
                    b'm' => Token::WordBegin,
                    b'M' => Token::WordEnd,
                    b'y' => Token::WordBoundary,
                    _ => Token::NotWordBoundary,
                }
            }
            b'd' | b'D' | b's' | b'S' | b'w' | b'W' => {
                self.note(uses::LOCALE);
                let class = escape_class(letter.to_ascii_lowercase());
                let stop = self.flags.line_stop;
                Token::Set(Set::new(
                    vec![Item::Class(class)],
                    letter.is_ascii_uppercase(),
                    self.flags.nocase,
                    stop,
                ))
            }
            b'1'..=b'9' => {
                let digits = self
                    .rest()
                    .iter()
                    .take_while(|b| b.is_ascii_digit())
                    .count();
                let spelling = &self.pattern[start..start + 1 + digits];
                let number = spelling.iter().fold(0usize, |n, b| {
                    n.saturating_mul(10).saturating_add(usize::from(b - b'0'))
                });
                if digits == 0 || number <= groups {
                    self.at += digits;
                    self.note(uses::BACKREF);
                    return Ok(Token::BackReference(number));
                }
                self.octal(start)?
            }
            b'0' => self.octal(start)?,
            _ => Token::Char(self.escaped_char(letter)?),
        })
    }

    /// Reads up to three octal digits from `start` as a character.
    fn octal(&mut self, start: usize) -> Result<Token, Reason> {
        self.note(uses::UNPORTABLE);
        self.at = start;
        let mut value = 0;
        let mut digits = 0;
        while digits < 3
            && let Some(digit @ b'0'..=b'7') = self.peek_byte()
            && value * 8 + Char::from(digit - b'0') <= 0xFF
        {
            value = value * 8 + Char::from(digit - b'0');
            self.at += 1;
            digits += 1;
        }
        if digits == 0 {
            Err(Reason::BadEscape)
        } else {
            Ok(Token::Char(value))
        }
    }

    /// Reads an escape that stands for one character.
    fn escaped_char(&mut self, letter: u8) -> Result<Char, Reason> {
        Ok(match letter {
            b'a' => {
                self.note(uses::LOCALE);
                0x07
            }
            b'b' => 0x08,
            b'B' => Char::from(b'\\'),
            b'c' => {
                self.note(uses::UNPORTABLE);
                self.take().ok_or(Reason::BadEscape)? & 0x1F
            }
            b'e' => {
                self.note(uses::UNPORTABLE | uses::LOCALE);
                0x1B
            }
            b'f' => 0x0C,
            b'n' => 0x0A,
            b'r' => 0x0D,
            b't' => 0x09,
            b'v' => 0x0B,
            b'u' => self.hexadecimal(4)?,
            b'U' => self.hexadecimal(8)?,
            b'x' => {
                self.note(uses::UNPORTABLE);
                self.hexadecimal(2)?
            }
            _ => return Err(Reason::BadEscape),
        })
    }

    fn hexadecimal(&mut self, most: usize) -> Result<Char, Reason> {
        let mut value: Char = 0;
        let mut digits = 0;
        while digits < most
            && let Some(digit) = self.peek_byte().and_then(|b| char::from(b).to_digit(16))
            && value * 16 + digit < chars::RAW
        {
            value = value * 16 + digit;
            self.at += 1;
            digits += 1;
        }
        if digits == 0 {
            Err(Reason::BadEscape)
        } else {
            Ok(value)
        }
    }

    /// Reads a bracket expression, behind its `[`.
    fn bracket(&mut self) -> Result<Token, Reason> {
        for (spelling, token) in [(b"[:<:]]", Token::WordBegin), (b"[:>:]]", Token::WordEnd)] {
            if self.rest().starts_with(spelling) {
                self.at += spelling.len();
                self.note(uses::NON_POSIX | uses::LOCALE);
                return Ok(token);
            }
        }
        let negated = self.eat(b'^');
        let mut items = Vec::new();
        let mut first = true;
        loop {
            let part = self.bracket_part(first)?;
            first = false;
            let low = match part {
                Part::Close => break,
                Part::Range => return Err(Reason::BadRange),
                Part::Set(item) => {
                    items.push(item);
                    continue;
                }
                Part::Word => {
                    items.push(Item::Class(Class::Word));
                    LAST_OF_WORD
                }
                Part::Char(c) => c,
            };
            let after = self.at;
            if self.peek_byte() == Some(b'-') && matches!(self.bracket_part(false)?, Part::Range) {
                let high = match self.range_end()? {
                    Some(high) if high >= low => high,
                    _ => return Err(Reason::BadRange),
                };
                if high != low {
                    self.note(uses::UNPORTABLE);
                }
                items.push(Item::Range(low, high));
            } else {
                self.at = after;
                items.push(Item::Range(low, low));
            }
        }
        let stop = negated && self.flags.line_stop;
        Ok(Token::Set(Set::new(
            items,
            negated,
            self.flags.nocase,
            stop,
        )))
    }

    /// The upper end of a range: a character, where a dash counts as one.
    fn range_end(&mut self) -> Result<Option<Char>, Reason> {
        Ok(match self.bracket_part(false)? {
            Part::Char(c) => Some(c),
            Part::Range => Some(Char::from(b'-')),
            Part::Close | Part::Set(_) | Part::Word => None,
        })
    }

    /// Reads one part of a bracket expression; `first` when it stands right behind the opening.
    fn bracket_part(&mut self, first: bool) -> Result<Part, Reason> {
        let c = self.take().ok_or(Reason::Bracket)?;
        match u8::try_from(c).unwrap_or(0) {
            b']' if !first => Ok(Part::Close),
            b'-' if !first && self.peek_byte() != Some(b']') => Ok(Part::Range),
            b'\\' => self.bracket_escape(),
            b'[' => match self.peek_byte() {
                None => Err(Reason::Bracket),
                Some(b'.') => Ok(Part::Char(self.collating_element(b'.')?)),
                Some(b'=') => {
                    self.note(uses::LOCALE);
                    let c = self.collating_element(b'=')?;
                    Ok(Part::Set(Item::Range(c, c)))
                }
                Some(b':') => {
                    self.note(uses::LOCALE);
                    let name = self.bracket_name(b':')?;
                    let class = Item::named(name).ok_or(Reason::BadClass)?;
                    Ok(Part::Set(class))
                }
                Some(_) => Ok(Part::Char(c)),
            },
            _ => Ok(Part::Char(c)),
        }
    }

    fn bracket_escape(&mut self) -> Result<Part, Reason> {
        self.note(uses::BRACKET_BS);
        if self.flavour != Flavour::Advanced {
            return Ok(Part::Char(Char::from(b'\\')));
        }
        self.note(uses::NON_POSIX);
        let c = self.take().ok_or(Reason::BadEscape)?;
        if !Class::Alnum.contains(c) {
            return Ok(Part::Char(c));
        }
        let letter = u8::try_from(c).map_err(|_| Reason::BadEscape)?;
        match letter {
            b'w' => {
                self.note(uses::LOCALE);
                Ok(Part::Word)
            }
            b'd' | b's' => {
                self.note(uses::LOCALE);
                Ok(Part::Set(Item::Class(escape_class(letter))))
            }
            b'0'..=b'9' => {
                let start = self.at - 1;
                if letter != b'0' && !self.peek_byte().is_some_and(|b| b.is_ascii_digit()) {
                    self.note(uses::BACKREF);
                    return Err(Reason::BadEscape);
                }
                match self.octal(start)? {
                    Token::Char(c) => Ok(Part::Char(c)),
                    _ => Err(Reason::BadEscape),
                }
            }
            _ => self.escaped_char(letter).map(Part::Char),
        }
    }

    /// Reads `.name.]` or `=name=]`: one character, or the POSIX name of one.
    fn collating_element(&mut self, mark: u8) -> Result<Char, Reason> {
        let name = self.bracket_name(mark)?;
        match chars::decode(name) {
            None => Err(Reason::BadCollation),
            Some((c, length)) if length == name.len() => Ok(c),
            Some(_) => {
                self.note(uses::LOCALE);
                super::set::named_char(name).ok_or(Reason::BadCollation)
            }
        }
    }

    fn bracket_name(&mut self, mark: u8) -> Result<&'a [u8], Reason> {
        let rest = &self.rest()[1..];
        let end = rest
            .windows(2)
            .position(|pair| pair == [mark, b']'])
            .ok_or(Reason::Bracket)?;
        self.at += 1 + end + 2;
        Ok(&rest[..end])
    }
}

fn escape_class(letter: u8) -> Class {
    match letter {
        b'd' => Class::Digit,
        b's' => Class::Space,
        _ => Class::Word,
    }
}

/// Tcl spells `\w` in brackets as a class and some characters, of which this last one may begin a range.
const LAST_OF_WORD: Char = 0xFF3F;

/// One part of a bracket expression.
enum Part {
    Close,
    Range,
    Char(Char),
    Set(Item),
    /// `\w`
    Word,
}
