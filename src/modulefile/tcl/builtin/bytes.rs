//! Bytes and encodings: `binary`, `encoding`.
//!
//! Source: Tcl 8.6, `binary(n)`, `encoding(n)`.

use crate::modulefile::tcl::binary::{self, Found};
use crate::modulefile::tcl::command::{ANY, Def};
use crate::modulefile::tcl::encoding::encoding;
use crate::modulefile::tcl::error::{Exit, Outcome};
use crate::modulefile::tcl::interp::Interp;
use crate::modulefile::tcl::list;
use crate::modulefile::tcl::value::Value;

pub(super) static TABLE: &[Def] = &[
    Def::ensemble("binary", BINARY),
    Def::new("encoding", "subcommand ?arg ...?", 1, ANY, cmd_encoding),
];

static BINARY: &[Def] = &[
    Def::new("decode", "subcommand ?arg ...?", 1, ANY, |_, args| {
        text(binary::decode(&words(args)))
    }),
    Def::new("encode", "subcommand ?arg ...?", 1, ANY, |_, args| {
        text(binary::encode(&words(args)))
    }),
    Def::new("format", "formatString ?arg ...?", 1, ANY, cmd_format),
    Def::new("scan", "value formatString ?varName ...?", 2, ANY, cmd_scan),
];

fn words(args: &[Value]) -> Vec<&[u8]> {
    args.iter().map(Value::bytes).collect()
}

fn text(result: Result<Vec<u8>, Vec<u8>>) -> Outcome {
    result.map(Value::new).map_err(Exit::error)
}

fn cmd_encoding(_: &mut Interp<'_>, args: &[Value]) -> Outcome {
    encoding(&words(args)).map(Value::new).map_err(|message| {
        let starts = |text: &[u8]| message.starts_with(text);
        let code: &[&[u8]] = match () {
            () if starts(b"unknown encoding") => {
                let name = message.split(|&b| b == b'"').nth(1);
                &[b"TCL", b"LOOKUP", b"ENCODING", name.unwrap_or_default()]
            }
            () if starts(b"wrong # args") => &[b"TCL", b"WRONGARGS"],
            () => &[b"TCL", b"LOOKUP", b"SUBCOMMAND", args[0].bytes()],
        };
        Exit::coded(message.clone(), code)
    })
}

fn cmd_format(_: &mut Interp<'_>, args: &[Value]) -> Outcome {
    let split = |text: &[u8]| list::split::<Vec<u8>>(text).map_err(|e| e.to_string().into_bytes());
    text(binary::format(args[0].bytes(), &words(&args[1..]), &split))
}

fn cmd_scan(interp: &mut Interp<'_>, args: &[Value]) -> Outcome {
    let names = &args[2..];
    let outcome = binary::scan(args[0].bytes(), args[1].bytes(), names.len());
    let count = outcome.values.len();
    for (name, found) in names.iter().zip(outcome.values) {
        let value = match found {
            Found::Text(text) => Value::new(text),
            Found::Number(number) => Value::number(number),
            Found::Numbers(numbers) => {
                Value::list(numbers.into_iter().map(Value::number).collect())
            }
        };
        interp.set_var(name.bytes(), value)?;
    }
    match outcome.trouble {
        Some(trouble) => Err(Exit::error(trouble)),
        None => Ok(Value::int(count as i64)),
    }
}
