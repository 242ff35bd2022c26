//! A regular expression as a tree.

use super::lex::{Bound, Flavour, Lexer, Token, uses};
use super::set::Set;
use super::{Flags, Reason};
use crate::modulefile::tcl::chars::{self, Char};
use std::rc::Rc;

/// Deepest nesting of parentheses.
const MAX_DEPTH: usize = 200;
/// Most capturing groups.
const MAX_GROUPS: usize = 2000;

/// What a pattern consists of.
#[derive(Debug)]
pub(super) enum Node {
    Empty,
    Char(Char),
    /// Any character; without the newline when lines matter.
    Any {
        newline: bool,
    },
    Set(Set),
    Assert(Assert),
    LookAhead {
        negative: bool,
        body: Rc<Node>,
    },
    Group {
        capture: Option<usize>,
        body: Rc<Node>,
    },
    /// What group `number` matched; `body` is that group.
    BackReference {
        number: usize,
        body: Rc<Node>,
    },
    Repeat {
        body: Rc<Node>,
        min: u32,
        max: Option<u32>,
        greedy: Option<bool>,
    },
    Branch(Vec<Rc<Node>>),
    Alternatives(Vec<Rc<Node>>),
}

/// A condition on a place in the text.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Assert {
    /// `^`: the beginning, and behind each newline when lines matter.
    Begin {
        lines: bool,
    },
    /// `$`: the end, and before each newline when lines matter.
    End {
        lines: bool,
    },
    TextBegin,
    TextEnd,
    WordBegin,
    WordEnd,
    WordBoundary,
    NotWordBoundary,
}

/// A parsed pattern.
pub(super) struct Parsed {
    pub(super) root: Rc<Node>,
    pub(super) groups: usize,
    pub(super) used: u16,
    pub(super) flags: Flags,
}

/// Parses a pattern.
pub(super) fn parse(pattern: &[u8], flags: Flags) -> Result<Parsed, Reason> {
    let mut lexer = Lexer::new(pattern, flags)?;
    let token = lexer.next(0)?;
    let mut parser = Parser {
        lexer,
        token,
        groups: Vec::new(),
        depth: 0,
        looking: 0,
    };
    let root = parser.alternatives(false)?;
    match parser.token {
        Token::End => {}
        _ => return Err(Reason::Parenthesis),
    }
    let Parser { lexer, groups, .. } = parser;
    Ok(Parsed {
        root,
        groups: groups.len(),
        used: lexer.used,
        flags: lexer.flags,
    })
}

struct Parser<'a> {
    lexer: Lexer<'a>,
    token: Token,
    /// The finished groups by number; `None` while a group is open, or when it was repeated zero times.
    groups: Vec<Option<Rc<Node>>>,
    depth: usize,
    /// How many look-aheads are open.
    looking: usize,
}

impl Parser<'_> {
    fn advance(&mut self) -> Result<(), Reason> {
        self.token = self.lexer.next(self.groups.len())?;
        Ok(())
    }

    /// Reads alternatives up to the end, or up to a `)` when `nested`.
    fn alternatives(&mut self, nested: bool) -> Result<Rc<Node>, Reason> {
        if self.depth > MAX_DEPTH {
            return Err(Reason::TooBig);
        }
        self.depth += 1;
        let mut branches = vec![self.branch(nested)?];
        while self.token == Token::Bar {
            self.advance()?;
            branches.push(self.branch(nested)?);
        }
        self.depth -= 1;
        Ok(match branches.len() {
            1 => branches.swap_remove(0),
            _ => Rc::new(Node::Alternatives(branches)),
        })
    }

    fn branch(&mut self, nested: bool) -> Result<Rc<Node>, Reason> {
        let mut items = Vec::new();
        loop {
            match self.token {
                Token::End | Token::Bar => break,
                Token::Close if nested => break,
                Token::Close if self.lexer.flavour == Flavour::Extended => {
                    // A stray `)` is an ordinary character in extended expressions.
                    self.lexer.note(uses::UNBALANCED);
                    self.token = Token::Char(Char::from(b')'));
                }
                _ => {}
            }
            items.push(self.quantified()?);
        }
        if items.is_empty() {
            self.lexer.note(uses::UNSPECIFIED);
        }
        Ok(match items.len() {
            0 => Rc::new(Node::Empty),
            _ => Rc::new(Node::Branch(items)),
        })
    }

    /// Reads an atom with its quantifier.
    fn quantified(&mut self) -> Result<Rc<Node>, Reason> {
        let lines = self.lexer.flags.line_anchor;
        let assertion = match self.token {
            Token::Caret => Assert::Begin { lines },
            Token::Dollar => Assert::End { lines },
            Token::TextBegin => Assert::TextBegin,
            Token::TextEnd => Assert::TextEnd,
            Token::WordBegin => Assert::WordBegin,
            Token::WordEnd => Assert::WordEnd,
            Token::WordBoundary => Assert::WordBoundary,
            Token::NotWordBoundary => Assert::NotWordBoundary,
            Token::LookAhead { negative } => return self.look_ahead(negative),
            _ => return self.repeated(),
        };
        self.advance()?;
        Ok(Rc::new(Node::Assert(assertion)))
    }

    fn look_ahead(&mut self, negative: bool) -> Result<Rc<Node>, Reason> {
        self.advance()?;
        self.looking += 1;
        let body = self.nested();
        self.looking -= 1;
        let body = body?;
        Ok(Rc::new(Node::LookAhead { negative, body }))
    }

    /// Reads alternatives and the `)` behind them.
    fn nested(&mut self) -> Result<Rc<Node>, Reason> {
        let body = self.alternatives(true)?;
        if self.token != Token::Close {
            return Err(Reason::Parenthesis);
        }
        self.advance()?;
        Ok(body)
    }

    fn repeated(&mut self) -> Result<Rc<Node>, Reason> {
        let atom = self.atom()?;
        let bound = match self.token {
            Token::Quantifier { min, max, greedy } => Bound {
                min,
                max,
                greedy: Some(greedy),
            },
            Token::Bound => self.lexer.bound()?,
            _ => return Ok(atom),
        };
        self.advance()?;
        if bound.max == Some(0) {
            if let Node::Group {
                capture: Some(number),
                ..
            } = *atom
            {
                self.groups[number - 1] = None;
            }
            return Ok(Rc::new(Node::Empty));
        }
        let Bound { min, max, greedy } = bound;
        Ok(Rc::new(Node::Repeat {
            body: atom,
            min,
            max,
            greedy,
        }))
    }

    fn atom(&mut self) -> Result<Rc<Node>, Reason> {
        let nocase = self.lexer.flags.nocase;
        let token = std::mem::replace(&mut self.token, Token::End);
        let node = match token {
            Token::Char(c) if nocase => Node::Set(Set::any_case(c)),
            Token::Char(c) => Node::Char(c),
            Token::Any => Node::Any {
                newline: !self.lexer.flags.line_stop,
            },
            Token::Set(set) => Node::Set(set),
            Token::Open { capturing } => return self.group(capturing),
            Token::BackReference(number) => match self.groups.get(number - 1) {
                Some(Some(body)) if self.looking == 0 => Node::BackReference {
                    number,
                    body: body.clone(),
                },
                _ => return Err(Reason::BadReference),
            },
            Token::Close => return Err(Reason::Parenthesis),
            _ => return Err(Reason::BadRepeat),
        };
        self.advance()?;
        Ok(Rc::new(node))
    }

    /// Reads a group. Right inside a look-ahead it does not capture, but one level further down it does.
    fn group(&mut self, capturing: bool) -> Result<Rc<Node>, Reason> {
        let looking = std::mem::take(&mut self.looking);
        let group = self.group_body(capturing && looking == 0);
        self.looking = looking;
        group
    }

    fn group_body(&mut self, capturing: bool) -> Result<Rc<Node>, Reason> {
        if !capturing {
            self.advance()?;
            let body = self.nested()?;
            return Ok(Rc::new(Node::Group {
                capture: None,
                body,
            }));
        }
        self.groups.push(None);
        let number = self.groups.len();
        if number > MAX_GROUPS {
            return Err(Reason::TooBig);
        }
        self.advance()?;
        let body = self.alternatives(true)?;
        if self.token != Token::Close {
            return Err(Reason::Parenthesis);
        }
        let group = Rc::new(Node::Group {
            capture: Some(number),
            body,
        });
        self.groups[number - 1] = Some(group.clone());
        self.advance()?;
        Ok(group)
    }
}

impl Node {
    /// Whether the node can match the empty string, as far as Tcl finds out: not through a look-ahead.
    pub(super) fn may_be_empty(&self) -> bool {
        match self {
            Self::Empty | Self::Assert(_) => true,
            Self::Char(_) | Self::Any { .. } | Self::Set(_) | Self::LookAhead { .. } => false,
            Self::Group { body, .. } | Self::BackReference { body, .. } => body.may_be_empty(),
            Self::Repeat { body, min, .. } => *min == 0 || body.may_be_empty(),
            Self::Branch(items) => items.iter().all(|item| item.may_be_empty()),
            Self::Alternatives(branches) => branches.iter().any(|branch| branch.may_be_empty()),
        }
    }

    /// The text which the pattern is, if nothing in it is special.
    pub(super) fn literal(&self) -> Option<Vec<u8>> {
        let Self::Branch(items) = self else {
            return None;
        };
        let mut text = Vec::new();
        for item in items {
            match **item {
                Self::Char(c) if c < chars::RAW => chars::push(&mut text, c),
                _ => return None,
            }
        }
        Some(text)
    }
}
