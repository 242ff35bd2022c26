//! `clock`: the time, as a number and as text.
//!
//! Source: Tcl 8.6, `clock(n)`.

use std::time::{SystemTime, UNIX_EPOCH};

use crate::modulefile::tcl::clock::{Present, clock};
use crate::modulefile::tcl::command::{ANY, Def};
use crate::modulefile::tcl::error::{Exit, Outcome};
use crate::modulefile::tcl::interp::Interp;
use crate::modulefile::tcl::value::Value;

pub(super) static TABLE: &[Def] = &[Def::new("clock", "subcommand ?arg ...?", 1, ANY, cmd_clock)];

fn cmd_clock(interp: &mut Interp<'_>, args: &[Value]) -> Outcome {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    let present = Present {
        microseconds: now.map_or(0, |now| now.as_micros() as i64),
        zone: interp
            .host
            .env_get(b"TCL_TZ")
            .or_else(|| interp.host.env_get(b"TZ")),
    };
    let words: Vec<&[u8]> = args.iter().map(Value::bytes).collect();
    clock(&words, &present).map(Value::new).map_err(|message| {
        let first = args[0].bytes();
        let starts = |text: &[u8]| message.starts_with(text);
        let code: Vec<&[u8]> = match () {
            () if starts(b"unknown or ambiguous subcommand") => {
                vec![b"TCL", b"LOOKUP", b"SUBCOMMAND", first]
            }
            () if starts(b"wrong # args") && message.contains(&b'-') => {
                vec![b"CLOCK", b"wrongNumArgs"]
            }
            () if starts(b"wrong # args") => vec![b"TCL", b"WRONGARGS"],
            () if starts(b"expected integer") => vec![b"TCL", b"VALUE", b"NUMBER"],
            () if starts(b"bad option") && args.len() == 2 => {
                vec![b"TCL", b"LOOKUP", b"INDEX", b"option", args[1].bytes()]
            }
            () if starts(b"bad option") => vec![b"CLOCK", b"badOption", named(&message)],
            () if starts(b"input string does not match") => vec![b"CLOCK", b"badInputString"],
            () if starts(b"time zone") => vec![b"CLOCK", b"badTimeZone", named(&message)],
            () if starts(b"cannot use -gmt") => vec![b"CLOCK", b"gmtWithTimezone"],
            () if starts(b"unable to convert") || starts(b"requested date too large") => {
                vec![b"CLOCK", b"dateTooLarge"]
            }
            () => vec![b"NONE"],
        };
        let code: Vec<Vec<u8>> = code.into_iter().map(<[u8]>::to_vec).collect();
        Exit::coded(message, &code)
    })
}

/// What a message names in quotes.
fn named(message: &[u8]) -> &[u8] {
    message.split(|&b| b == b'"').nth(1).unwrap_or_default()
}
