//! The functions of expressions, also as the commands `tcl::mathfunc::*`.
//!
//! Source: Tcl 8.6, `mathfunc(n)`.

use std::cmp::Ordering;

use num_bigint::BigInt;
use num_traits::{Signed, ToPrimitive};

use super::error::{Exit, Outcome};
use super::expr::Operand;
use super::interp::Interp;
use super::number::Number;
use super::operator::{self, compare_numbers, domain_error};
use super::value::Value;

/// A function of expressions.
pub(super) struct Function {
    pub(super) name: &'static str,
    run: Kind,
}

enum Kind {
    /// One floating-point argument; the result must be a number.
    Real(fn(f64) -> f64),
    Real2(fn(f64, f64) -> f64),
    One(fn(&Operand) -> Outcome<Operand>),
    /// One or more numbers, of which one is chosen.
    Choose(Ordering),
    Random,
    Seed,
}

/// All functions, sorted by name.
pub(super) static FUNCTIONS: &[Function] = &[
    one("abs", abs),
    real("acos", f64::acos),
    real("asin", f64::asin),
    real("atan", f64::atan),
    real2("atan2", f64::atan2),
    one("bool", to_bool),
    one("ceil", |x| rounded(x, Ordering::Less)),
    real("cos", f64::cos),
    real("cosh", f64::cosh),
    one("double", |x| real_argument(x).map(Operand::Double)),
    one("entier", |x| Ok(Number::from(whole(x)?).into())),
    real("exp", f64::exp),
    one("floor", |x| rounded(x, Ordering::Greater)),
    real2("fmod", |a, b| a % b),
    real2("hypot", f64::hypot),
    one("int", wide),
    one("isqrt", isqrt),
    real("log", f64::ln),
    real("log10", f64::log10),
    Function {
        name: "max",
        run: Kind::Choose(Ordering::Greater),
    },
    Function {
        name: "min",
        run: Kind::Choose(Ordering::Less),
    },
    real2("pow", f64::powf),
    Function {
        name: "rand",
        run: Kind::Random,
    },
    one("round", round),
    real("sin", f64::sin),
    real("sinh", f64::sinh),
    real("sqrt", f64::sqrt),
    Function {
        name: "srand",
        run: Kind::Seed,
    },
    real("tan", f64::tan),
    real("tanh", f64::tanh),
    one("wide", wide),
];

const fn real(name: &'static str, run: fn(f64) -> f64) -> Function {
    Function {
        name,
        run: Kind::Real(run),
    }
}

const fn real2(name: &'static str, run: fn(f64, f64) -> f64) -> Function {
    Function {
        name,
        run: Kind::Real2(run),
    }
}

const fn one(name: &'static str, run: fn(&Operand) -> Outcome<Operand>) -> Function {
    Function {
        name,
        run: Kind::One(run),
    }
}

/// The function of this name.
pub(super) fn find(name: &[u8]) -> Option<&'static Function> {
    FUNCTIONS
        .binary_search_by(|function| function.name.as_bytes().cmp(name))
        .ok()
        .map(|at| &FUNCTIONS[at])
}

impl Function {
    /// Calls the function.
    pub(super) fn call(&self, interp: &mut Interp<'_>, args: &[Operand]) -> Outcome<Operand> {
        let wanted = match self.run {
            Kind::Real(_) | Kind::One(_) | Kind::Seed => 1,
            Kind::Real2(_) => 2,
            Kind::Random => 0,
            Kind::Choose(_) if args.is_empty() => {
                return Err(Exit::error(format!(
                    "not enough arguments to math function \"{}\"",
                    self.name
                )));
            }
            Kind::Choose(_) => args.len(),
        };
        if args.len() != wanted {
            let which = if args.len() < wanted {
                "not enough"
            } else {
                "too many"
            };
            let message = format!("{which} arguments for math function \"{}\"", self.name);
            return Err(Exit::coded(message, &["TCL", "WRONGARGS"]));
        }
        match self.run {
            Kind::Real(run) => real_result(run(real_argument(&args[0])?)),
            Kind::Real2(run) => {
                real_result(run(real_argument(&args[0])?, real_argument(&args[1])?))
            }
            Kind::One(run) => run(&args[0]),
            Kind::Choose(order) => choose(args, order),
            Kind::Random => Ok(Operand::Double(interp.random())),
            Kind::Seed => {
                let seed = whole_exact(&args[0])?;
                interp.seed_random(seed.to_i64().unwrap_or_else(|| low_bits(&seed)));
                Ok(Operand::Double(interp.random()))
            }
        }
    }

    /// Calls the function as the command `tcl::mathfunc::NAME`.
    pub(super) fn command(&self, interp: &mut Interp<'_>, args: &[Value]) -> Outcome {
        let args: Vec<Operand> = args.iter().cloned().map(Operand::Value).collect();
        self.call(interp, &args).map(Operand::into_value)
    }
}

fn number(operand: &Operand) -> Outcome<Number> {
    operand.number().ok_or_else(|| {
        let message = bytes!(
            "expected number but got \"",
            operand.clone().into_value(),
            "\""
        );
        Exit::coded(message, &["TCL", "VALUE", "NUMBER"])
    })
}

fn real_argument(operand: &Operand) -> Outcome<f64> {
    match operand.number() {
        Some(Number::Double(x)) if x.is_nan() => Err(Exit::coded(
            "floating point value is Not a Number",
            &["TCL", "VALUE", "DOUBLE", "NAN"],
        )),
        Some(number) => Ok(number.to_double()),
        None => {
            let message = bytes!(
                "expected floating-point number but got \"",
                operand.clone().into_value(),
                "\""
            );
            Err(Exit::coded(message, &["TCL", "VALUE", "NUMBER"]))
        }
    }
}

fn real_result(x: f64) -> Outcome<Operand> {
    if x.is_nan() {
        Err(domain_error())
    } else {
        Ok(Operand::Double(x))
    }
}

fn abs(operand: &Operand) -> Outcome<Operand> {
    Ok(match number(operand)? {
        Number::Int(n) => match n.checked_abs() {
            Some(n) => Operand::Int(n),
            None => Number::from(BigInt::from(n).abs()).into(),
        },
        Number::Big(n) => Number::from(n.abs()).into(),
        Number::Double(x) => Operand::Double(x.abs()),
    })
}

fn to_bool(operand: &Operand) -> Outcome<Operand> {
    let value = operand.clone().into_value();
    let truth = value
        .as_bool()
        .ok_or_else(|| super::expr::not_boolean(&value))?;
    Ok(Operand::Int(i64::from(truth)))
}

/// The integer part.
fn whole(operand: &Operand) -> Outcome<BigInt> {
    match number(operand)? {
        Number::Int(n) => Ok(BigInt::from(n)),
        Number::Big(n) => Ok(n),
        Number::Double(x) if x.is_nan() => Err(Exit::coded(
            "floating point value is Not a Number",
            &["TCL", "VALUE", "DOUBLE", "NAN"],
        )),
        Number::Double(x) if x.is_infinite() => Err(Exit::coded(
            "integer value too large to represent",
            &["ARITH", "IOVERFLOW", "integer value too large to represent"],
        )),
        Number::Double(x) => Ok(operator::truncate(x)),
    }
}

fn whole_exact(operand: &Operand) -> Outcome<BigInt> {
    match operand.number() {
        Some(Number::Int(n)) => Ok(BigInt::from(n)),
        Some(Number::Big(n)) => Ok(n),
        _ => {
            let message = bytes!(
                "expected integer but got \"",
                operand.clone().into_value(),
                "\""
            );
            Err(Exit::coded(message, &["TCL", "VALUE", "INTEGER"]))
        }
    }
}

/// The lowest 64 bits in two's complement.
pub(super) fn low_bits(n: &BigInt) -> i64 {
    let mask: BigInt = (BigInt::from(1) << 64) - 1;
    let low: BigInt = n & mask;
    low.to_u64().unwrap_or(0) as i64
}

fn wide(operand: &Operand) -> Outcome<Operand> {
    Ok(Operand::Int(match number(operand)? {
        Number::Int(n) => n,
        _ => low_bits(&whole(operand)?),
    }))
}

fn isqrt(operand: &Operand) -> Outcome<Operand> {
    let negative = || {
        let text = "domain error: argument not in valid range";
        Exit::coded(
            "square root of negative argument",
            &["ARITH", "DOMAIN", text],
        )
    };
    let n = whole(operand)?;
    if n.is_negative() {
        return Err(negative());
    }
    Ok(Number::from(n.sqrt()).into())
}

fn round(operand: &Operand) -> Outcome<Operand> {
    Ok(match number(operand)? {
        Number::Double(x) if x.is_finite() => Number::from(operator::truncate(x.round())).into(),
        Number::Double(_) => Number::from(whole(operand)?).into(),
        other => other.into(),
    })
}

/// `floor` and `ceil`: an integer that no floating-point number can show is rounded in the same direction.
fn rounded(operand: &Operand, wrong_side: Ordering) -> Outcome<Operand> {
    let exact = match operand.number() {
        Some(Number::Double(_)) | None => None,
        Some(integer) => Some(integer),
    };
    let x = real_argument(operand)?;
    let up = wrong_side == Ordering::Less;
    let Some(exact) = exact else {
        return Ok(Operand::Double(if up { x.ceil() } else { x.floor() }));
    };
    Ok(Operand::Double(
        match compare_numbers(&Number::Double(x), &exact) {
            Some(order) if order == wrong_side && up => x.next_up(),
            Some(order) if order == wrong_side => x.next_down(),
            _ => x,
        },
    ))
}

fn choose(args: &[Operand], order: Ordering) -> Outcome<Operand> {
    let number = |arg: &Operand| {
        arg.number().ok_or_else(|| {
            let value = arg.clone().into_value();
            Exit::error(bytes!(
                "expected floating-point number but got \"",
                value,
                "\""
            ))
        })
    };
    let mut best = number(&args[0])?;
    for arg in args {
        let candidate = number(arg)?;
        if matches!(candidate, Number::Double(x) if x.is_nan()) {
            return Err(domain_error());
        }
        if compare_numbers(&candidate, &best) == Some(order) {
            best = candidate;
        }
    }
    Ok(best.into())
}
