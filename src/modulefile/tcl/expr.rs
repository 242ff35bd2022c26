//! Expressions: their grammar, compiled form and evaluation.
//!
//! An expression is compiled once to a tree and kept with its value. Integers of 64 bits stay unboxed on the way through
//! the tree. Error texts, with the `_@_` mark, are Tcl's. Source: Tcl 8.6, `expr(n)`.

use std::rc::Rc;

use super::error::{Error, Exit, Outcome};
use super::interp::Interp;
use super::math;
use super::number::{self, Number};
use super::operator::{self, Binary, Unary};
use super::parse::{Code, Grammar, Part, Script, VarRef};
use super::value::{self, Value};

/// A compiled expression.
pub(super) struct Expr {
    code: Rc<Code>,
    root: Result<Node, Wrong>,
}

/// A node of the tree.
enum Node {
    Const(Value),
    Int(i64),
    Var(VarRef),
    Script(Rc<Script>),
    Parts(Box<[Part]>),
    Unary(Unary, Box<Node>),
    Binary(Binary, Box<[Node; 2]>),
    And(Box<[Node; 2]>),
    Or(Box<[Node; 2]>),
    Ternary(Box<[Node; 3]>),
    Call(Box<FunctionCall>),
}

impl Node {
    /// Whether the result is brought into canonical form. Tcl leaves that out when the last operator gives a number
    /// already, also where `?:` gives another branch: `1 ? .5 : 1 + 1` is `.5`.
    fn is_converted(&self) -> bool {
        let Node::Ternary(operands) = self else {
            return true;
        };
        match &operands[2] {
            Node::Ternary(_) => operands[2].is_converted(),
            Node::Unary(..) | Node::Binary(..) => false,
            _ => true,
        }
    }
}

struct FunctionCall {
    name: Box<[u8]>,
    builtin: Option<&'static math::Function>,
    args: Vec<Node>,
}

/// A value inside an expression; numbers that were computed need no allocation.
#[derive(Clone)]
pub(super) enum Operand {
    Int(i64),
    Double(f64),
    Value(Value),
}

impl Operand {
    /// The operand as a value, numbers in canonical form only when they were computed.
    pub(super) fn into_value(self) -> Value {
        match self {
            Operand::Int(n) => Value::int(n),
            Operand::Double(x) => Value::double(x),
            Operand::Value(value) => value,
        }
    }

    /// The number it reads as.
    pub(super) fn number(&self) -> Option<Number> {
        match self {
            Operand::Int(n) => Some(Number::Int(*n)),
            Operand::Double(x) => Some(Number::Double(*x)),
            Operand::Value(value) => value.as_number(),
        }
    }

    fn truth(&self) -> Outcome<bool> {
        match self {
            Operand::Int(n) => Ok(*n != 0),
            Operand::Double(x) if !x.is_nan() => Ok(*x != 0.0),
            _ => {
                let value = self.clone().into_value();
                value.as_bool().ok_or_else(|| not_boolean(&value))
            }
        }
    }
}

impl From<Number> for Operand {
    fn from(number: Number) -> Operand {
        match number {
            Number::Int(n) => Operand::Int(n),
            Number::Double(x) => Operand::Double(x),
            Number::Big(_) => Operand::Value(Value::number(number)),
        }
    }
}

/// The error for a value that is no truth value.
pub(super) fn not_boolean(value: &Value) -> Exit {
    let octal = if number::looks_like_bad_octal(value.bytes()) {
        " (looks like invalid octal number)"
    } else {
        ""
    };
    let message = bytes!("expected boolean value but got \"", value, "\"", octal);
    Exit::coded(message, &["TCL", "VALUE", "NUMBER"])
}

impl Expr {
    /// Compiles an expression; a mistake is kept and reported at each evaluation.
    pub(super) fn compile(value: &Value) -> Rc<Expr> {
        let code = Code::value(value);
        let root = Compiler::new(&code).whole();
        Rc::new(Expr { code, root })
    }

    /// Evaluates to a value: numbers in canonical form.
    pub(super) fn value(&self, interp: &mut Interp<'_>) -> Outcome {
        if let Ok(root) = &self.root
            && !root.is_converted()
        {
            return self.run(interp).map(Operand::into_value);
        }
        match self.run(interp)? {
            Operand::Value(value) => match value.as_number() {
                Some(Number::Double(x)) if x.is_nan() => Err(operator::domain_error()),
                Some(number) => Ok(Value::number(number)),
                None => Ok(value),
            },
            Operand::Double(x) if x.is_nan() => Err(operator::domain_error()),
            other => Ok(other.into_value()),
        }
    }

    /// Evaluates to a truth value.
    pub(super) fn truth(&self, interp: &mut Interp<'_>) -> Outcome<bool> {
        // The usual condition of a loop: two small integers.
        if let Ok(Node::Binary(op, operands)) = &self.root
            && let (Some(a), Some(b)) = (
                interp.small_node(&operands[0]),
                interp.small_node(&operands[1]),
            )
            && let Some(truth) = operator::small_comparison(*op, a, b)
        {
            return Ok(truth);
        }
        self.run(interp)?.truth()
    }

    /// The value when it is made of small integers in plain variables and literals only.
    pub(super) fn small_value(&self, interp: &Interp<'_>) -> Option<Value> {
        match &self.root {
            Ok(root @ Node::Binary(..)) => interp.small_tree(root).map(Value::int),
            _ => None,
        }
    }

    fn run(&self, interp: &mut Interp<'_>) -> Outcome<Operand> {
        match &self.root {
            Ok(root) => interp.eval_node(root),
            Err(wrong) => Err(wrong.report(&self.code.text)),
        }
    }
}

impl Interp<'_> {
    fn eval_node(&mut self, node: &Node) -> Outcome<Operand> {
        match node {
            Node::Int(n) => Ok(Operand::Int(*n)),
            Node::Const(value) => Ok(Operand::Value(value.clone())),
            Node::Var(variable) => self.read_ref(variable).map(Operand::Value),
            Node::Script(script) => self.eval_bracket(script).map(Operand::Value),
            Node::Parts(parts) => self.substitute(parts).map(Operand::Value),
            Node::Binary(op, operands) => {
                if let (Some(a), Some(b)) =
                    (self.small_node(&operands[0]), self.small_node(&operands[1]))
                    && let Some(result) = operator::small_binary(*op, a, b)
                {
                    return Ok(result);
                }
                let left = self.eval_node(&operands[0])?;
                let right = self.eval_node(&operands[1])?;
                operator::binary(*op, &left, &right)
            }
            Node::Unary(op, operand) => {
                let operand = self.eval_node(operand)?;
                operator::unary(*op, &operand)
            }
            Node::And(operands) => {
                let truth = self.eval_truth(&operands[0])? && self.eval_truth(&operands[1])?;
                Ok(Operand::Int(i64::from(truth)))
            }
            Node::Or(operands) => {
                let truth = self.eval_truth(&operands[0])? || self.eval_truth(&operands[1])?;
                Ok(Operand::Int(i64::from(truth)))
            }
            Node::Ternary(operands) => {
                let chosen = if self.eval_truth(&operands[0])? { 1 } else { 2 };
                self.eval_node(&operands[chosen])
            }
            Node::Call(call) => self.eval_function(call),
        }
    }

    /// The integer of a leaf that is known to be a small one.
    fn small_node(&self, node: &Node) -> Option<i64> {
        match node {
            Node::Int(n) => Some(*n),
            Node::Var(variable) => self.peek_int(variable),
            _ => None,
        }
    }

    /// The same for operators over such leaves.
    fn small_tree(&self, node: &Node) -> Option<i64> {
        let Node::Binary(op, operands) = node else {
            return self.small_node(node);
        };
        let (a, b) = (
            self.small_tree(&operands[0])?,
            self.small_tree(&operands[1])?,
        );
        operator::small_result(*op, a, b)
    }

    fn eval_truth(&mut self, node: &Node) -> Outcome<bool> {
        self.eval_node(node)?.truth()
    }

    fn eval_function(&mut self, call: &FunctionCall) -> Outcome<Operand> {
        self.check_stack()?;
        let mut args = Vec::with_capacity(call.args.len() + 1);
        for arg in &call.args {
            args.push(self.eval_node(arg)?);
        }
        if let Some(function) = call.builtin
            && !self.has_user_functions()
        {
            return function.call(self, &args);
        }
        let mut words = Vec::with_capacity(args.len() + 1);
        words.push(Value::new(bytes!("tcl::mathfunc::", call.name)));
        words.extend(args.into_iter().map(Operand::into_value));
        self.invoke(words).map(Operand::Value)
    }
}

/// A syntax error of an expression.
struct Wrong {
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
    fn report(&self, text: &[u8]) -> Exit {
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

struct Compiler<'a> {
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
    fn new(code: &'a Rc<Code>) -> Compiler<'a> {
        Compiler {
            grammar: Grammar::new(code),
            text: &code.text,
            at: 0,
            depth: 0,
            colons: 0,
            open: Vec::new(),
        }
    }

    fn whole(mut self) -> Result<Node, Wrong> {
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
            let length = super::chars::decode(rest).map_or(1, |(_, length)| length);
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
