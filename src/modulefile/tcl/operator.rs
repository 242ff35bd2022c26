//! The operators of expressions, also as the commands `tcl::mathop::*`.
//!
//! Integers of 64 bits are fast and overflow into integers of any size; division and remainder round to minus infinity.
//! Source: Tcl 8.6, `expr(n)`, `mathop(n)`.

use std::cmp::Ordering;

use num_bigint::BigInt;
use num_traits::{Signed, ToPrimitive, Zero};

use super::error::{Exit, Outcome};
use super::expr::Operand;
use super::number::{self, Number};

/// Operators with two operands that evaluate both.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Binary {
    Add,
    Sub,
    Mul,
    Div,
    Mod,
    Pow,
    Shl,
    Shr,
    BitAnd,
    BitOr,
    BitXor,
    Eq,
    Ne,
    Lt,
    Gt,
    Le,
    Ge,
    StrEq,
    StrNe,
    In,
    Ni,
}

/// Operators with one operand.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Unary {
    Minus,
    Plus,
    Not,
    BitNot,
}

impl Binary {
    /// How it is written.
    pub(super) fn symbol(self) -> &'static str {
        match self {
            Binary::Add => "+",
            Binary::Sub => "-",
            Binary::Mul => "*",
            Binary::Div => "/",
            Binary::Mod => "%",
            Binary::Pow => "**",
            Binary::Shl => "<<",
            Binary::Shr => ">>",
            Binary::BitAnd => "&",
            Binary::BitOr => "|",
            Binary::BitXor => "^",
            Binary::Eq => "==",
            Binary::Ne => "!=",
            Binary::Lt => "<",
            Binary::Gt => ">",
            Binary::Le => "<=",
            Binary::Ge => ">=",
            Binary::StrEq => "eq",
            Binary::StrNe => "ne",
            Binary::In => "in",
            Binary::Ni => "ni",
        }
    }
}

/// Largest result of `**` and `<<`, in bits.
const MAX_BITS: u64 = 1 << 25;

/// Applies a binary operator.
pub(super) fn binary(op: Binary, left: &Operand, right: &Operand) -> Outcome<Operand> {
    if let (Some(a), Some(b)) = (small(left), small(right))
        && let Some(result) = small_binary(op, a, b)
    {
        return Ok(result);
    }
    let truth = |truth: bool| Ok(Operand::Int(i64::from(truth)));
    match op {
        Binary::StrEq => truth(text_order(left, right).is_eq()),
        Binary::StrNe => truth(text_order(left, right).is_ne()),
        Binary::In => truth(contains(right, left)?),
        Binary::Ni => truth(!contains(right, left)?),
        Binary::Eq => truth(compare(left, right) == Some(Ordering::Equal)),
        Binary::Ne => truth(compare(left, right) != Some(Ordering::Equal)),
        Binary::Lt => truth(compare(left, right) == Some(Ordering::Less)),
        Binary::Gt => truth(compare(left, right) == Some(Ordering::Greater)),
        Binary::Le => truth(compare(left, right).is_some_and(Ordering::is_le)),
        Binary::Ge => truth(compare(left, right).is_some_and(Ordering::is_ge)),
        Binary::Add | Binary::Sub | Binary::Mul | Binary::Div | Binary::Pow => {
            let a = arithmetic(left, op.symbol())?;
            let b = arithmetic(right, op.symbol())?;
            calculate(op, a, b).map(Operand::from)
        }
        Binary::Mod
        | Binary::Shl
        | Binary::Shr
        | Binary::BitAnd
        | Binary::BitOr
        | Binary::BitXor => {
            let a = integral(left, op.symbol())?;
            let b = integral(right, op.symbol())?;
            integer_operation(op, a, b).map(Operand::from)
        }
    }
}

/// The operand when it is an integer of 64 bits.
fn small(operand: &Operand) -> Option<i64> {
    match operand {
        Operand::Int(n) => Some(*n),
        Operand::Double(_) => None,
        Operand::Value(value) => value.int_form(),
    }
}

/// The common cases; `None` leaves it to the general way.
pub(super) fn small_binary(op: Binary, a: i64, b: i64) -> Option<Operand> {
    small_result(op, a, b).map(Operand::Int)
}

/// The same as a plain integer.
pub(super) fn small_result(op: Binary, a: i64, b: i64) -> Option<i64> {
    Some(match op {
        Binary::Add => a.checked_add(b)?,
        Binary::Sub => a.checked_sub(b)?,
        Binary::Mul => a.checked_mul(b)?,
        Binary::BitAnd => a & b,
        Binary::BitOr => a | b,
        Binary::BitXor => a ^ b,
        Binary::Div if b != 0 && b != -1 => {
            a.div_euclid(b) - i64::from(b < 0 && a.rem_euclid(b) != 0)
        }
        Binary::Mod if b != 0 && b != -1 => {
            let rest = a % b;
            if rest != 0 && (rest < 0) != (b < 0) {
                rest + b
            } else {
                rest
            }
        }
        _ => i64::from(small_comparison(op, a, b)?),
    })
}

/// The same for operators that compare.
pub(super) fn small_comparison(op: Binary, a: i64, b: i64) -> Option<bool> {
    Some(match op {
        Binary::Lt => a < b,
        Binary::Gt => a > b,
        Binary::Le => a <= b,
        Binary::Ge => a >= b,
        Binary::Eq => a == b,
        Binary::Ne => a != b,
        _ => return None,
    })
}

/// Compares as numbers when both are numbers, else as text; `None` when one is not a number in IEEE's sense.
pub(super) fn compare(left: &Operand, right: &Operand) -> Option<Ordering> {
    match (left.number(), right.number()) {
        (Some(a), Some(b)) => compare_numbers(&a, &b),
        _ => Some(text_order(left, right)),
    }
}

/// Compares numbers exactly, also integers with floating-point numbers.
pub(super) fn compare_numbers(a: &Number, b: &Number) -> Option<Ordering> {
    match (a, b) {
        (Number::Int(a), Number::Int(b)) => Some(a.cmp(b)),
        (Number::Double(a), Number::Double(b)) => a.partial_cmp(b),
        (Number::Double(a), b) => compare_mixed(b, *a).map(Ordering::reverse),
        (a, Number::Double(b)) => compare_mixed(a, *b),
        (a, b) => Some(big(a).cmp(&big(b))),
    }
}

fn compare_mixed(integer: &Number, x: f64) -> Option<Ordering> {
    if x.is_nan() {
        return None;
    }
    if x.is_infinite() {
        return Some(if x > 0.0 {
            Ordering::Less
        } else {
            Ordering::Greater
        });
    }
    if let Number::Int(n) = integer
        && n.unsigned_abs() < 1 << 53
    {
        return (*n as f64).partial_cmp(&x);
    }
    let whole = truncate(x);
    Some(
        big(integer)
            .cmp(&whole)
            .then_with(|| 0.0_f64.total_cmp(&(x - x.trunc() + 0.0))),
    )
}

/// The integer part of a finite number.
pub(super) fn truncate(x: f64) -> BigInt {
    use num_traits::FromPrimitive;
    BigInt::from_f64(x.trunc()).unwrap_or_default()
}

fn big(number: &Number) -> BigInt {
    match number {
        Number::Int(n) => BigInt::from(*n),
        Number::Big(n) => n.clone(),
        Number::Double(x) => truncate(*x),
    }
}

fn text_order(left: &Operand, right: &Operand) -> Ordering {
    if let (Operand::Value(a), Operand::Value(b)) = (left, right) {
        return a.bytes().cmp(b.bytes());
    }
    left.clone()
        .into_value()
        .bytes()
        .cmp(right.clone().into_value().bytes())
}

fn contains(list: &Operand, element: &Operand) -> Outcome<bool> {
    let list = list.clone().into_value().as_list()?;
    let element = element.clone().into_value();
    Ok(list.contains(&element))
}

/// Why a value cannot be an operand.
fn unusable(operand: &Operand, symbol: &str) -> Exit {
    let value = operand.clone().into_value();
    let what = match operand.number() {
        Some(Number::Double(x)) if x.is_nan() => "non-numeric floating-point value",
        Some(Number::Double(_)) => "floating-point value",
        Some(_) => "(big) integer",
        None if value.is_empty() => "empty string",
        None if number::resembles_octal(value.bytes()) => "invalid octal number",
        None => "non-numeric string",
    };
    let message = format!("can't use {what} as operand of \"{symbol}\"");
    Exit::coded(message, &["ARITH", "DOMAIN", what])
}

fn arithmetic(operand: &Operand, symbol: &str) -> Outcome<Number> {
    match operand.number() {
        Some(Number::Double(x)) if x.is_nan() => Err(unusable(operand, symbol)),
        Some(number) => Ok(number),
        None => Err(unusable(operand, symbol)),
    }
}

fn integral(operand: &Operand, symbol: &str) -> Outcome<Number> {
    match operand.number() {
        Some(Number::Double(_)) | None => Err(unusable(operand, symbol)),
        Some(number) => Ok(number),
    }
}

/// The error of a result that is no number.
pub(super) fn domain_error() -> Exit {
    let text = "domain error: argument not in valid range";
    Exit::coded(text, &["ARITH", "DOMAIN", text])
}

fn divide_by_zero() -> Exit {
    Exit::coded("divide by zero", &["ARITH", "DIVZERO", "divide by zero"])
}

fn too_large() -> Exit {
    Exit::error("exponent too large")
}

fn calculate(op: Binary, a: Number, b: Number) -> Outcome<Number> {
    if matches!(a, Number::Double(_)) || matches!(b, Number::Double(_)) {
        let (a, b) = (a.to_double(), b.to_double());
        let x = match op {
            Binary::Add => a + b,
            Binary::Sub => a - b,
            Binary::Mul => a * b,
            Binary::Div => a / b,
            _ => {
                if a == 0.0 && b < 0.0 {
                    return Err(zero_to_negative());
                }
                a.powf(b)
            }
        };
        if x.is_nan() {
            return Err(domain_error());
        }
        return Ok(Number::Double(x));
    }
    match op {
        Binary::Pow => power(a, b),
        Binary::Div => {
            let divisor = big(&b);
            if divisor.is_zero() {
                return Err(divide_by_zero());
            }
            Ok(floor_division(&big(&a), &divisor).0.into())
        }
        Binary::Add => Ok((big(&a) + big(&b)).into()),
        Binary::Sub => Ok((big(&a) - big(&b)).into()),
        _ => Ok((big(&a) * big(&b)).into()),
    }
}

/// Quotient and remainder, rounding to minus infinity.
fn floor_division(a: &BigInt, b: &BigInt) -> (BigInt, BigInt) {
    let (quotient, rest) = (a / b, a % b);
    if !rest.is_zero() && rest.is_negative() != b.is_negative() {
        (quotient - 1, rest + b)
    } else {
        (quotient, rest)
    }
}

fn zero_to_negative() -> Exit {
    let text = "exponentiation of zero by negative power";
    Exit::coded(text, &["ARITH", "DOMAIN", text])
}

fn power(base: Number, exponent: Number) -> Outcome<Number> {
    let (base, exponent) = (big(&base), big(&exponent));
    if exponent.is_zero() {
        return Ok(Number::Int(1));
    }
    let is_odd = exponent.bit(0);
    match base.to_i64() {
        Some(0) if exponent.is_negative() => return Err(zero_to_negative()),
        Some(0) => return Ok(Number::Int(0)),
        Some(1) => return Ok(Number::Int(1)),
        Some(-1) => return Ok(Number::Int(if is_odd { -1 } else { 1 })),
        _ if exponent.is_negative() => return Ok(Number::Int(0)),
        _ => {}
    }
    match exponent.to_u32() {
        Some(n) if u64::from(n) < 1 << 28 => {
            if base.bits() * u64::from(n) > MAX_BITS {
                return Err(too_large());
            }
            Ok(base.pow(n).into())
        }
        _ => Err(too_large()),
    }
}

fn integer_operation(op: Binary, a: Number, b: Number) -> Outcome<Number> {
    let (a, b) = (big(&a), big(&b));
    let result = match op {
        Binary::Mod => {
            if b.is_zero() {
                return Err(divide_by_zero());
            }
            floor_division(&a, &b).1
        }
        Binary::BitAnd => a & b,
        Binary::BitOr => a | b,
        Binary::BitXor => a ^ b,
        shift => {
            if b.is_negative() {
                return Err(Exit::error("negative shift argument"));
            }
            if a.is_zero() {
                return Ok(Number::Int(0));
            }
            match (shift, b.to_u64()) {
                (Binary::Shr, Some(n)) => a >> n,
                (Binary::Shr, None) => BigInt::from(if a.is_negative() { -1 } else { 0 }),
                (_, Some(n)) if a.bits().saturating_add(n) <= MAX_BITS => a << n,
                _ => return Err(Exit::error("integer value too large to represent")),
            }
        }
    };
    Ok(result.into())
}

/// Applies a unary operator.
pub(super) fn unary(op: Unary, operand: &Operand) -> Outcome<Operand> {
    match op {
        Unary::Not => {
            let truth = match operand.number() {
                Some(Number::Double(x)) if x.is_nan() => return Err(unusable(operand, "!")),
                Some(Number::Int(n)) => n != 0,
                Some(Number::Double(x)) => x != 0.0,
                Some(Number::Big(_)) => true,
                None => match operand.clone().into_value().as_bool() {
                    Some(truth) => truth,
                    None => return Err(unusable(operand, "!")),
                },
            };
            Ok(Operand::Int(i64::from(!truth)))
        }
        Unary::Plus => arithmetic(operand, "+").map(Operand::from),
        Unary::Minus => Ok(match arithmetic(operand, "-")? {
            Number::Int(n) => match n.checked_neg() {
                Some(n) => Operand::Int(n),
                None => Number::from(-BigInt::from(n)).into(),
            },
            Number::Double(x) => Operand::Double(-x),
            Number::Big(n) => Number::from(-n).into(),
        }),
        Unary::BitNot => Ok(match integral(operand, "~")? {
            Number::Int(n) => Operand::Int(!n),
            other => Number::from(-big(&other) - 1).into(),
        }),
    }
}
