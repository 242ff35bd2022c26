//! The grammar of expressions: from text to the tree, and the excerpts of Tcl's messages about what is wrong.
//!
//! Source: Tcl 8.6, `expr(n)`.

use std::rc::Rc;

use super::{FunctionCall, Node};
use crate::modulefile::tcl::chars;
use crate::modulefile::tcl::error::{Error, Exit};
use crate::modulefile::tcl::math;
use crate::modulefile::tcl::number::{self, Number};
use crate::modulefile::tcl::operator::{Binary, Unary};
use crate::modulefile::tcl::parse::{Code, Grammar, Part};
use crate::modulefile::tcl::value::{self, Value};

/// A syntax error of an expression.
pub(super) struct Wrong {
    message: Vec<u8>,
    postscript: Vec<u8>,
    code: Vec<&'static str>,
    /// Where the trouble is.
    start: usize,
    /// How much of the text the message is about.
    scanned: usize,
    mark: bool,
}

/// How much of the text a message shows on each side.
const LIMIT: usize = 25;

impl Wrong {
    pub(super) fn report(&self, text: &[u8]) -> Exit {
        let mut message = self.message.clone();
        message.extend_from_slice(b"\nin expression \"");
        let at = self.start;
        if at < LIMIT {
            message.extend_from_slice(&text[..at]);
        } else {
            message.extend_from_slice(b"...");
            message.extend_from_slice(whole_chars(&text[at + 3 - LIMIT..at]));
        }
        message.extend_from_slice(&begin(&text[at..at + self.scanned]));
        if self.mark {
            message.extend_from_slice(b"_@_");
        }
        message.extend_from_slice(&begin(&text[at + self.scanned..]));
        message.push(b'"');
        if !self.postscript.is_empty() {
            message.extend_from_slice(b";\n");
            message.extend_from_slice(&self.postscript);
        }
        let mut code = vec!["TCL", "PARSE", "EXPR"];
        code.extend(&self.code);
        let mut error = Error::new(message);
        if !self.code.is_empty() {
            error = error.with_code(&code);
        }
        let shown = begin(text);
        error.add_info(bytes!("\n    (parsing expression \"", shown, "\")"));
        error.into()
    }
}

/// The beginning of a text for a message.
fn begin(text: &[u8]) -> Vec<u8> {
    if text.len() < LIMIT {
        return text.to_vec();
    }
    bytes!(whole_chars(&text[..LIMIT - 3]), "...")
}

/// A piece of text without the halves of characters at its ends.
fn whole_chars(mut text: &[u8]) -> &[u8] {
    let is_tail = |byte: &u8| byte & 0xc0 == 0x80;
    let halves = text.iter().take(4).take_while(|byte| is_tail(byte)).count();
    text = &text[halves..];
    let Some(last) = text.iter().rposition(|byte| !is_tail(byte)) else {
        return text;
    };
    let wanted = match text[last] {
        0xc0..=0xdf => 2,
        0xe0..=0xef => 3,
        0xf0.. => 4,
        _ => 1,
    };
    if text.len() - last < wanted {
        text = &text[..last];
    }
    text
}

/// The kinds of tokens.
enum Token {
    Operand(Node),
    Function(usize),
    Unary(Unary),
    Operator(Operator),
    Open,
    Close,
    Comma,
    End,
}

/// Operators with a left operand.
#[derive(Clone, Copy, PartialEq)]
enum Operator {
    Binary(Binary),
    And,
    Or,
    Question,
    Colon,
}

impl Operator {
    /// How tightly it binds; `:` and `?` least.
    fn precedence(self) -> u8 {
        match self {
            Operator::Question | Operator::Colon => 1,
            Operator::Or => 2,
            Operator::And => 3,
            Operator::Binary(op) => match op {
                Binary::BitOr => 4,
                Binary::BitXor => 5,
                Binary::BitAnd => 6,
                Binary::Eq
                | Binary::Ne
                | Binary::StrEq
                | Binary::StrNe
                | Binary::In
                | Binary::Ni => 7,
                Binary::Lt | Binary::Gt | Binary::Le | Binary::Ge => 8,
                Binary::Shl | Binary::Shr => 9,
                Binary::Add | Binary::Sub => 10,
                Binary::Mul | Binary::Div | Binary::Mod => 11,
                Binary::Pow => 12,
            },
        }
    }
}

/// What stands before a missing operand.
#[derive(Clone, Copy, PartialEq)]
enum Before {
    Start,
    Open,
    Function,
    Comma,
    Operator,
}

/// Parentheses and operators inside one another deeper than this are refused.
const MAX_DEPTH: u32 = 500;
/// Operators in a row beyond this are refused.
const MAX_CHAIN: u32 = 2000;

pub(super) struct Compiler<'a> {
    grammar: Grammar<'a>,
    text: &'a [u8],
    at: usize,
    depth: u32,
    /// Question marks of this group that wait for their colon.
    colons: u32,
    /// Open parentheses of function calls and others, innermost last: whether commas are allowed.
    open: Vec<bool>,
}

impl<'a> Compiler<'a> {
    pub(super) fn new(code: &'a Rc<Code>) -> Compiler<'a> {
        Compiler {
            grammar: Grammar::new(code),
            text: &code.text,
            at: 0,
            depth: 0,
            colons: 0,
            open: Vec::new(),
        }
    }

    pub(super) fn whole(mut self) -> Result<Node, Wrong> {
        let node = self.binary(0, Before::Start)?;
        let start = self.skip_space();
        match self.next_operator()? {
            Token::End => Ok(node),
            Token::Close => Err(self.wrong("unbalanced close paren", &["UNBALANCED"], start, 1)),
            Token::Comma => Err(self.comma_outside(start)),
            Token::Operator(_) => Err(self.colon_alone(start)),
            _ => unreachable!("next_operator gives no operands"),
        }
    }

    fn skip_space(&mut self) -> usize {
        while self.text.get(self.at).is_some_and(|&b| number::is_space(b)) {
            self.at += 1;
        }
        self.at
    }

    fn wrong(
        &self,
        message: impl Into<Vec<u8>>,
        code: &[&'static str],
        start: usize,
        scanned: usize,
    ) -> Wrong {
        Wrong {
            message: message.into(),
            postscript: Vec::new(),
            code: code.to_vec(),
            start,
            scanned: scanned.min(self.text.len() - start),
            mark: false,
        }
    }

    fn missing(&self, what: &str, start: usize) -> Wrong {
        Wrong {
            mark: true,
            ..self.wrong(format!("missing {what} at _@_"), &["MISSING"], start, 0)
        }
    }

    fn comma_outside(&self, start: usize) -> Wrong {
        self.wrong(
            "unexpected \",\" outside function argument list",
            &["SURPRISE"],
            start,
            1,
        )
    }

    fn colon_alone(&self, start: usize) -> Wrong {
        self.wrong(
            "unexpected operator \":\" without preceding \"?\"",
            &["SURPRISE"],
            start,
            1,
        )
    }

    /// A chain of operators that bind at least as tightly as `least`.
    fn binary(&mut self, least: u8, before: Before) -> Result<Node, Wrong> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            let at = self.at;
            return Err(self.wrong("too many nested expressions", &["DEPTH"], at, 0));
        }
        let mut left = self.operand(before)?;
        let mut chain = 0;
        loop {
            // A long chain is a deep tree.
            chain += 1;
            if chain > MAX_CHAIN {
                let at = self.at;
                return Err(self.wrong("too many operators in expression", &["DEPTH"], at, 0));
            }
            let start = self.skip_space();
            let Token::Operator(operator) = self.next_operator()? else {
                self.at = start;
                break;
            };
            let precedence = operator.precedence();
            if operator == Operator::Colon && self.colons == 0 && precedence >= least {
                return Err(self.stray_colon()?);
            }
            if precedence < least || operator == Operator::Colon {
                self.at = start;
                break;
            }
            left = match operator {
                Operator::Question => self.ternary(left)?,
                Operator::And => Node::And(Box::new([
                    left,
                    self.binary(precedence + 1, Before::Operator)?,
                ])),
                Operator::Or => Node::Or(Box::new([
                    left,
                    self.binary(precedence + 1, Before::Operator)?,
                ])),
                Operator::Binary(op) => {
                    let right = if op == Binary::Pow {
                        precedence
                    } else {
                        precedence + 1
                    };
                    let right = self.binary(right, Before::Operator)?;
                    Node::Binary(op, Box::new([left, right]))
                }
                Operator::Colon => unreachable!("handled above"),
            };
        }
        self.depth -= 1;
        Ok(left)
    }

    /// The error for a colon that belongs to no question mark: Tcl notices it where its right side ends.
    fn stray_colon(&mut self) -> Result<Wrong, Wrong> {
        self.binary(2, Before::Operator)?;
        let start = self.skip_space();
        let next = self.next_operator()?;
        let length = self.at - start;
        Ok(match next {
            Token::Close if self.open.is_empty() => {
                self.wrong("unbalanced close paren", &["UNBALANCED"], start, 1)
            }
            _ => Wrong {
                scanned: length,
                ..self.colon_alone(start)
            },
        })
    }

    fn ternary(&mut self, condition: Node) -> Result<Node, Wrong> {
        self.colons += 1;
        let then = self.binary(1, Before::Operator)?;
        self.colons -= 1;
        let start = self.skip_space();
        match self.next_operator()? {
            Token::Operator(Operator::Colon) => {
                let otherwise = self.binary(1, Before::Operator)?;
                Ok(Node::Ternary(Box::new([condition, then, otherwise])))
            }
            _ => Err(self.missing("operator \":\"", start)),
        }
    }

    fn operand(&mut self, before: Before) -> Result<Node, Wrong> {
        let start = self.skip_space();
        match self.next_operand()? {
            Token::Operand(node) => Ok(node),
            Token::Unary(op) => {
                self.depth += 1;
                if self.depth > MAX_DEPTH {
                    return Err(self.wrong("too many nested expressions", &["DEPTH"], start, 0));
                }
                let operand = self.operand(Before::Operator)?;
                self.depth -= 1;
                Ok(Node::Unary(op, Box::new(operand)))
            }
            Token::Open => {
                self.open.push(false);
                let outer = std::mem::take(&mut self.colons);
                let node = self.binary(0, Before::Open)?;
                self.colons = outer;
                self.close()?;
                Ok(node)
            }
            Token::Function(length) => self.function(start, length),
            Token::End if before == Before::Start => {
                Err(self.wrong("empty expression", &["EMPTY"], start, 0))
            }
            Token::End if matches!(before, Before::Open | Before::Function) => {
                Err(self.wrong("unbalanced open paren", &["UNBALANCED"], start, 0))
            }
            Token::End | Token::Close if before == Before::Comma => {
                Err(self.missing("function argument", start))
            }
            Token::Close if before == Before::Open => Err(Wrong {
                mark: true,
                ..self.wrong("empty subexpression at _@_", &["EMPTY"], start, 0)
            }),
            Token::Close if before == Before::Start => {
                Err(self.wrong("unbalanced close paren", &["UNBALANCED"], start, 1))
            }
            Token::Comma if matches!(before, Before::Function) => Err(Wrong {
                code: vec!["UNBALANCED"],
                ..self.missing("function argument", start)
            }),
            _ => Err(self.missing("operand", start)),
        }
    }

    /// The closing parenthesis of a group.
    fn close(&mut self) -> Result<(), Wrong> {
        let start = self.skip_space();
        match self.next_operator()? {
            Token::Close => {
                self.open.pop();
                Ok(())
            }
            Token::Comma => Err(self.comma_outside(start)),
            Token::Operator(_) => Err(self.colon_alone(start)),
            _ => Err(self.wrong("unbalanced open paren", &["UNBALANCED"], start, 0)),
        }
    }

    fn function(&mut self, start: usize, length: usize) -> Result<Node, Wrong> {
        let name: Box<[u8]> = self.text[start..start + length].into();
        self.skip_space();
        self.at += 1;
        self.open.push(true);
        let outer = std::mem::take(&mut self.colons);
        let mut args = Vec::new();
        self.skip_space();
        if self.text.get(self.at) == Some(&b')') {
            self.at += 1;
        } else {
            args.push(self.binary(0, Before::Function)?);
            loop {
                let start = self.skip_space();
                match self.next_operator()? {
                    Token::Comma => args.push(self.binary(0, Before::Comma)?),
                    Token::Close => break,
                    Token::Operator(_) => return Err(self.colon_alone(start)),
                    _ => {
                        return Err(self.wrong("unbalanced open paren", &["UNBALANCED"], start, 0));
                    }
                }
            }
        }
        self.open.pop();
        self.colons = outer;
        let builtin = math::find(&name);
        Ok(Node::Call(Box::new(FunctionCall {
            name,
            builtin,
            args,
        })))
    }

    /// What stands where an operator is expected.
    fn next_operator(&mut self) -> Result<Token, Wrong> {
        let start = self.skip_space();
        let rest = &self.text[start..];
        let Some(&first) = rest.first() else {
            return Ok(Token::End);
        };
        let second = rest.get(1).copied();
        let (token, length) = match (first, second) {
            (b')', _) => (Token::Close, 1),
            (b',', _) => (Token::Comma, 1),
            _ => match symbol(first, second) {
                Some((operator, length)) => (Token::Operator(operator), length),
                None => match self.word_operator(rest) {
                    Some(operator) => (Token::Operator(operator), 2),
                    None => {
                        // Something else: it may be wrong in itself, else an operator is missing before it.
                        self.next_operand()?;
                        return Err(self.missing("operator", start));
                    }
                },
            },
        };
        self.at = start + length;
        Ok(token)
    }

    fn word_operator(&self, rest: &[u8]) -> Option<Operator> {
        let op = match rest.get(..2)? {
            b"eq" => Binary::StrEq,
            b"ne" => Binary::StrNe,
            b"in" => Binary::In,
            b"ni" => Binary::Ni,
            _ => return None,
        };
        // `ink` is a word, `in(` and `in5` begin with an operator.
        match rest.get(2) {
            Some(b) if b.is_ascii_alphabetic() => None,
            _ => Some(Operator::Binary(op)),
        }
    }

    /// What stands where an operand is expected.
    fn next_operand(&mut self) -> Result<Token, Wrong> {
        let start = self.skip_space();
        let rest = &self.text[start..];
        let Some(&first) = rest.first() else {
            return Ok(Token::End);
        };
        self.at = start + 1;
        let token = match first {
            b'(' => Token::Open,
            b')' => Token::Close,
            b',' => Token::Comma,
            b'-' => Token::Unary(Unary::Minus),
            b'+' => Token::Unary(Unary::Plus),
            b'~' => Token::Unary(Unary::BitNot),
            b'!' if rest.get(1) != Some(&b'=') => Token::Unary(Unary::Not),
            b'$' | b'"' | b'{' | b'[' => return self.substitution(start),
            _ => return self.plain_operand(start),
        };
        Ok(token)
    }

    fn substitution(&mut self, start: usize) -> Result<Token, Wrong> {
        let rest = &self.text[start..];
        let parsed = match rest[0] {
            b'$' => match self.grammar.variable(rest) {
                Ok((after, Some(variable))) => Ok((after, Node::Var(variable))),
                Ok((_, None)) => {
                    return Err(self.wrong("invalid character \"$\"", &["BADCHAR"], start, 1));
                }
                Err(error) => Err(error),
            },
            b'"' => self.grammar.quoted(rest).map(|(after, parts)| {
                let node = match <[Part; 1]>::try_from(parts) {
                    Ok([Part::Text(text)]) => Node::Const(text),
                    Ok(parts) => Node::Parts(Box::new(parts)),
                    Err(parts) => Node::Parts(parts.into()),
                };
                (after, node)
            }),
            b'{' => self
                .grammar
                .braced(rest)
                .map(|(after, value)| (after, Node::Const(value))),
            _ => self
                .grammar
                .bracketed(rest)
                .map(|(after, script)| (after, Node::Script(script))),
        };
        match parsed {
            Ok((after, node)) => {
                self.at = self.grammar.at(after) as usize;
                Ok(Token::Operand(node))
            }
            Err(nom::Err::Failure(failure) | nom::Err::Error(failure)) => {
                // Shown is the place where it was noticed, which may be far behind the start of the operand.
                let at = self.text.len() - failure.left;
                let (code, scanned): (&[&str], usize) = if failure.incomplete {
                    (&["UNBALANCED"], 1)
                } else {
                    (&[], 0)
                };
                Err(self.wrong(failure.message, code, at, scanned))
            }
            Err(nom::Err::Incomplete(_)) => unreachable!("only complete parsers are used"),
        }
    }

    fn plain_operand(&mut self, start: usize) -> Result<Token, Wrong> {
        let rest = &self.text[start..];
        if let Some((number, length)) = number::number_prefix(rest) {
            let ends = !rest.get(length).is_some_and(|&b| is_word(b));
            let has_point =
                matches!(number, Number::Double(_)) && rest[..length].iter().any(|&b| !is_word(b));
            // `7eq7` is a comparison.
            if ends || has_point || self.word_operator(&rest[length..]).is_some() {
                self.at = start + length;
                return Ok(Token::Operand(match number {
                    // The spelling matters to `eq`: only canonical numbers lose it.
                    Number::Int(n) if rest[..length] == *n.to_string().as_bytes() => Node::Int(n),
                    _ => Node::Const(Value::new(&rest[..length])),
                }));
            }
        }
        let length = rest.iter().take_while(|&&b| is_word(b)).count();
        if length == 0 {
            let second = rest.get(1).copied();
            if let Some((operator, length)) = symbol(rest[0], second) {
                self.at = start + length;
                return Ok(Token::Operator(operator));
            }
            if rest[0] == b'=' {
                return Err(self.wrong("incomplete operator \"=\"", &["PARTOP"], start, 1));
            }
            let length = chars::decode(rest).map_or(1, |(_, length)| length);
            let message = bytes!("invalid character \"", rest[..length], "\"");
            return Err(self.wrong(message, &["BADCHAR"], start, length));
        }
        let word = &rest[..length];
        let after = rest[length..].iter().find(|&&b| !number::is_space(b));
        self.at = start + length;
        if let Some(operator) = self.word_operator(rest) {
            return Ok(Token::Operator(operator));
        }
        if after == Some(&b'(') {
            return Ok(Token::Function(length));
        }
        if value::parse_bool(word).is_some() {
            return Ok(Token::Operand(Node::Const(Value::new(word))));
        }
        Err(self.bareword(start, word))
    }

    fn bareword(&self, start: usize, word: &[u8]) -> Wrong {
        let shown = if word.len() < LIMIT {
            word.to_vec()
        } else {
            bytes!(word[..LIMIT - 3], "...")
        };
        let message = bytes!("invalid bareword \"", shown, "\"");
        let mut postscript = bytes!(
            "should be \"$",
            shown,
            "\" or \"{",
            shown,
            "}\" or \"",
            shown,
            "(...)\" or ..."
        );
        let mut code = vec!["BAREWORD"];
        if word[0] == b'0' {
            let (_, read) = number::number_prefix(word).unwrap_or((Number::Int(0), 0));
            let kind = match word.get(1) {
                Some(b'b') => Some(("binary", "BINARY")),
                Some(b'o') => Some(("octal", "OCTAL")),
                Some(b'x') => Some(("hexadecimal", "HEX")),
                Some(b) if b.is_ascii_digit() => Some(("octal", "OCTAL")),
                _ => None,
            };
            let digit_follows = word.get(read).is_some_and(u8::is_ascii_digit)
                || (read == 1 && word.get(2).is_some_and(u8::is_ascii_digit));
            if let Some((name, sub)) = kind
                && digit_follows
            {
                postscript.extend_from_slice(format!(" (invalid {name} number?)").as_bytes());
                code = vec!["BADNUMBER", sub];
            }
        }
        Wrong {
            postscript,
            ..self.wrong(message, &code, start, word.len())
        }
    }
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// The operator of one or two special characters.
fn symbol(first: u8, second: Option<u8>) -> Option<(Operator, usize)> {
    let op = match (first, second) {
        (b'*', Some(b'*')) => (Binary::Pow, 2),
        (b'*', _) => (Binary::Mul, 1),
        (b'/', _) => (Binary::Div, 1),
        (b'%', _) => (Binary::Mod, 1),
        (b'+', _) => (Binary::Add, 1),
        (b'-', _) => (Binary::Sub, 1),
        (b'<', Some(b'<')) => (Binary::Shl, 2),
        (b'>', Some(b'>')) => (Binary::Shr, 2),
        (b'<', Some(b'=')) => (Binary::Le, 2),
        (b'>', Some(b'=')) => (Binary::Ge, 2),
        (b'<', _) => (Binary::Lt, 1),
        (b'>', _) => (Binary::Gt, 1),
        (b'=', Some(b'=')) => (Binary::Eq, 2),
        (b'!', Some(b'=')) => (Binary::Ne, 2),
        (b'&', Some(b'&')) => return Some((Operator::And, 2)),
        (b'|', Some(b'|')) => return Some((Operator::Or, 2)),
        (b'&', _) => (Binary::BitAnd, 1),
        (b'|', _) => (Binary::BitOr, 1),
        (b'^', _) => (Binary::BitXor, 1),
        (b'?', _) => return Some((Operator::Question, 1)),
        (b':', _) => return Some((Operator::Colon, 1)),
        _ => return None,
    };
    Some((Operator::Binary(op.0), op.1))
}
