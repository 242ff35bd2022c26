//! Operators as commands: `tcl::mathop::*`; `tcl::prefix`.
//!
//! Source: Tcl 8.6, `mathop(n)`, `prefix(n)`.

use crate::modulefile::tcl::command::{ANY, Def, must_be};
use crate::modulefile::tcl::error::{Error, Exit, Outcome};
use crate::modulefile::tcl::expr::Operand;
use crate::modulefile::tcl::interp::{Interp, complete_return};
use crate::modulefile::tcl::number;
use crate::modulefile::tcl::operator::{self, Binary, Unary};
use crate::modulefile::tcl::value::Value;
use crate::modulefile::tcl::var::{PRECISION_TRACE, VarTrace};

use super::{choice, errors};

/// The commands of `::tcl::mathop`.
pub(super) static MATHOP: &[Def] = &[
    Def::new("!", "boolean", 1, 1, |_, args| unary(Unary::Not, args)),
    Def::new("!=", "value value", 2, 2, |_, args| pair(Binary::Ne, args)),
    Def::new("%", "integer integer", 2, 2, |_, args| {
        pair(Binary::Mod, args)
    }),
    Def::new("&", "?value ...?", 0, ANY, |_, args| {
        fold(Binary::BitAnd, -1, args)
    }),
    Def::new("*", "?value ...?", 0, ANY, |_, args| {
        fold(Binary::Mul, 1, args)
    }),
    Def::new("**", "?value ...?", 0, ANY, power),
    Def::new("+", "?value ...?", 0, ANY, |_, args| {
        fold(Binary::Add, 0, args)
    }),
    Def::new("-", "value ?value ...?", 1, ANY, minus),
    Def::new("/", "value ?value ...?", 1, ANY, divide),
    Def::new("<", "?value ...?", 0, ANY, |_, args| {
        chain(Binary::Lt, args)
    }),
    Def::new("<<", "integer shift", 2, 2, |_, args| {
        pair(Binary::Shl, args)
    }),
    Def::new("<=", "?value ...?", 0, ANY, |_, args| {
        chain(Binary::Le, args)
    }),
    Def::new("==", "?value ...?", 0, ANY, |_, args| {
        chain(Binary::Eq, args)
    }),
    Def::new(">", "?value ...?", 0, ANY, |_, args| {
        chain(Binary::Gt, args)
    }),
    Def::new(">=", "?value ...?", 0, ANY, |_, args| {
        chain(Binary::Ge, args)
    }),
    Def::new(">>", "integer shift", 2, 2, |_, args| {
        pair(Binary::Shr, args)
    }),
    Def::new("^", "?value ...?", 0, ANY, |_, args| {
        fold(Binary::BitXor, 0, args)
    }),
    Def::new("eq", "?value ...?", 0, ANY, |_, args| {
        chain(Binary::StrEq, args)
    }),
    Def::new("in", "value list", 2, 2, |_, args| pair(Binary::In, args)),
    Def::new("ne", "value value", 2, 2, |_, args| {
        pair(Binary::StrNe, args)
    }),
    Def::new("ni", "value list", 2, 2, |_, args| pair(Binary::Ni, args)),
    Def::new("|", "?value ...?", 0, ANY, |_, args| {
        fold(Binary::BitOr, 0, args)
    }),
    Def::new("~", "integer", 1, 1, |_, args| unary(Unary::BitNot, args)),
];

fn operand(value: &Value) -> Operand {
    Operand::Value(value.clone())
}

fn pair(op: Binary, args: &[Value]) -> Outcome {
    operator::binary(op, &operand(&args[0]), &operand(&args[1])).map(Operand::into_value)
}

fn unary(op: Unary, args: &[Value]) -> Outcome {
    operator::unary(op, &operand(&args[0])).map(Operand::into_value)
}

/// Applies an operator from left to right, beginning with its neutral element.
fn fold(op: Binary, neutral: i64, args: &[Value]) -> Outcome {
    let mut rest = args.iter();
    // A single value is still checked and brought into canonical form.
    let mut result = match (rest.next(), args.len()) {
        (Some(first), 2..) => operand(first),
        (Some(first), _) => {
            return operator::binary(op, &operand(first), &Operand::Int(neutral))
                .map(Operand::into_value);
        }
        (None, _) => return Ok(Value::int(neutral)),
    };
    for value in rest {
        result = operator::binary(op, &result, &operand(value))?;
    }
    Ok(result.into_value())
}

fn power(_: &mut Interp<'_>, args: &[Value]) -> Outcome {
    let Some((last, rest)) = args.split_last() else {
        return Ok(Value::int(1));
    };
    let mut result = operator::binary(Binary::Mul, &operand(last), &Operand::Int(1))?;
    for value in rest.iter().rev() {
        result = operator::binary(Binary::Pow, &operand(value), &result)?;
    }
    Ok(result.into_value())
}

fn minus(_: &mut Interp<'_>, args: &[Value]) -> Outcome {
    match args {
        [only] => operator::unary(Unary::Minus, &operand(only)).map(Operand::into_value),
        _ => fold(Binary::Sub, 0, args),
    }
}

fn divide(_: &mut Interp<'_>, args: &[Value]) -> Outcome {
    match args {
        [only] => {
            let one = Operand::Double(1.0);
            operator::binary(Binary::Div, &one, &operand(only)).map(Operand::into_value)
        }
        _ => fold(Binary::Div, 1, args),
    }
}

/// Whether each value stands in this order to the next.
fn chain(op: Binary, args: &[Value]) -> Outcome {
    for two in args.windows(2) {
        if operator::binary(op, &operand(&two[0]), &operand(&two[1]))?
            .into_value()
            .as_int()
            != Some(1)
        {
            return Ok(Value::bool(false));
        }
    }
    Ok(Value::bool(true))
}

/// The commands of `::tcl`.
pub(super) static TCL: &[Def] = &[
    Def::new("Precision", "name index operation", 3, 3, precision),
    Def::ensemble("prefix", PREFIX),
];

static PREFIX: &[Def] = &[
    Def::new("all", "table string", 2, 2, all),
    Def::new("longest", "table string", 2, 2, longest),
    Def::new("match", "?options? table string", 2, ANY, matching),
];

fn all(_: &mut Interp<'_>, args: &[Value]) -> Outcome {
    let table = args[0].as_list()?;
    let found = table
        .iter()
        .filter(|word| word.bytes().starts_with(args[1].bytes()));
    Ok(Value::list(found.cloned().collect()))
}

fn longest(_: &mut Interp<'_>, args: &[Value]) -> Outcome {
    let table = args[0].as_list()?;
    let mut common: Option<&[u8]> = None;
    for word in table
        .iter()
        .map(Value::bytes)
        .filter(|word| word.starts_with(args[1].bytes()))
    {
        common = Some(match common {
            None => word,
            Some(common) => {
                let same = common.iter().zip(word).take_while(|(a, b)| a == b).count();
                &common[..same]
            }
        });
    }
    Ok(Value::from(common.unwrap_or_default()))
}

fn matching(_: &mut Interp<'_>, args: &[Value]) -> Outcome {
    let (options, pair) = args.split_at(args.len() - 2);
    let (mut exact, mut what, mut reaction) = (false, Value::from("option"), None);
    let mut rest = options.iter();
    while let Some(option) = rest.next() {
        let which = choice(option, &["-error", "-exact", "-message"], "option")?;
        if which == 1 {
            exact = true;
            continue;
        }
        let Some(value) = rest.next() else {
            let message = bytes!("missing value for ", option);
            return Err(Exit::coded(message, &["TCL", "OPERATION", "NOARG"]));
        };
        if which == 0 {
            if !value.as_list()?.len().is_multiple_of(2) {
                let message = "error options must have an even number of elements";
                return Err(Exit::coded(message, &["TCL", "VALUE", "DICTIONARY"]));
            }
            reaction = Some(value.clone());
        } else {
            what = value.clone();
        }
    }
    let table = pair[0].as_list()?;
    let text = pair[1].bytes();
    if let Some(found) = table.iter().find(|word| word.bytes() == text) {
        return Ok(found.clone());
    }
    let mut near = table.iter().filter(|word| word.bytes().starts_with(text));
    let how = match (near.next(), near.next()) {
        (Some(found), None) if !exact && !text.is_empty() => return Ok(found.clone()),
        (Some(_), Some(_)) if !exact && !text.is_empty() => "ambiguous",
        _ => "bad",
    };
    let names: Vec<String> = table.iter().map(|word| word.text().into_owned()).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let message = Value::new(bytes!(how, " ", what, " \"", text, "\": ", must_be(&names)));
    let code = [&b"TCL"[..], b"LOOKUP", b"INDEX", what.bytes(), text];
    match reaction {
        None => Err(Error::new(message).with_code(&code).into()),
        Some(options) if options.is_empty() => Ok(Value::empty()),
        Some(options) => {
            let mut words = vec![Value::from("-code"), Value::from("error")];
            words.extend(options.as_list()?.iter().cloned());
            let mut returning = errors::return_options(&words)?;
            returning.value = message;
            if returning.level == 0 {
                return complete_return(Box::new(returning));
            }
            Err(Exit::Return(Box::new(returning)))
        }
    }
}

/// Called when the variable `tcl_precision` changes.
fn precision(interp: &mut Interp<'_>, args: &[Value]) -> Outcome {
    let name = b"::tcl_precision";
    let old = Value::int(i64::from(number::precision()));
    if args[2].bytes() == b"unset" {
        interp.set_var(name, old)?;
        interp.traced_variable(name)?.add_trace(VarTrace::new(
            vec!["unset", "write"],
            Value::from(PRECISION_TRACE),
        ));
        return Ok(Value::empty());
    }
    let digits = interp.get_var(name)?.as_int();
    match digits.and_then(|digits| u8::try_from(digits).ok()) {
        Some(digits) if digits <= 17 => number::set_precision(digits),
        _ => {
            interp.set_var(name, old)?;
            return Err(Exit::error("improper value for precision"));
        }
    }
    Ok(Value::empty())
}
