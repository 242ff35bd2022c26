//! The clock: `clock seconds`, `milliseconds`, `microseconds`, `clicks`.
//!
//! Source: Tcl 8.6, `clock(n)`.

use std::time::{SystemTime, UNIX_EPOCH};

use crate::modulefile::tcl::command::Def;
use crate::modulefile::tcl::error::Outcome;
use crate::modulefile::tcl::interp::Interp;
use crate::modulefile::tcl::value::Value;

use super::choice;

pub(super) static TABLE: &[Def] = &[Def::ensemble("clock", SUBCOMMANDS)];

static SUBCOMMANDS: &[Def] = &[
    Def::new("clicks", "?-switch?", 0, 1, clicks),
    Def::new("microseconds", "", 0, 0, |_, _| Ok(Value::int(micros()))),
    Def::new("milliseconds", "", 0, 0, |_, _| {
        Ok(Value::int(micros() / 1000))
    }),
    Def::new("seconds", "", 0, 0, |_, _| {
        Ok(Value::int(micros() / 1_000_000))
    }),
];

/// Microseconds since 1970.
fn micros() -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    now.map_or(0, |now| now.as_micros() as i64)
}

fn clicks(_: &mut Interp<'_>, args: &[Value]) -> Outcome {
    let unit = match args.first() {
        Some(word) => choice(word, &["-milliseconds", "-microseconds"], "option")?,
        None => 1,
    };
    Ok(Value::int(if unit == 0 {
        micros() / 1000
    } else {
        micros()
    }))
}
