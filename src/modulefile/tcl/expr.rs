//! Expressions: their grammar, compiled form and evaluation.
//!
//! An expression is compiled once to a tree and kept with its value. Integers of 64 bits stay unboxed on the way through
//! the tree. Error texts, with the `_@_` mark, are Tcl's. Source: Tcl 8.6, `expr(n)`.

mod compile;

use std::rc::Rc;

use compile::{Compiler, Wrong};

use super::error::{Exit, Outcome};
use super::interp::Interp;
use super::math;
use super::number::{self, Number};
use super::operator::{self, Binary, Unary};

use super::parse::{Code, Part, Script, VarRef};
use super::value::Value;

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
