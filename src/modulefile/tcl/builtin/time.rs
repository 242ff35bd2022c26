//! `clock`: the time, as a number and as text. `time` and `timerate`: how long a script takes.
//!
//! Source: Tcl 8.6, `clock(n)`, `msgcat(n)`, `time(n)`, `timerate(n)`.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::modulefile::tcl::clock::{Present, clock};
use crate::modulefile::tcl::command::{ANY, Def};
use crate::modulefile::tcl::error::{Exit, Outcome};
use crate::modulefile::tcl::interp::{Interp, wrong_args};
use crate::modulefile::tcl::number::format_double;
use crate::modulefile::tcl::value::{Key, Value};

pub(super) static TABLE: &[Def] = &[
    Def::new("clock", "subcommand ?arg ...?", 1, ANY, cmd_clock),
    Def::new("time", "command ?count?", 1, 2, cmd_time),
    Def::new("timerate", TIMERATE, 1, ANY, cmd_timerate),
];

const TIMERATE: &str = "?-direct? ?-calibrate? ?-overhead double? command ?time ?max-count??";

fn cmd_clock(interp: &mut Interp<'_>, args: &[Value]) -> Outcome {
    let catalogs = Catalogs::of(interp);
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    let present = Present {
        microseconds: now.map_or(0, |now| now.as_micros() as i64),
        zone: interp
            .host
            .env_get(b"TCL_TZ")
            .or_else(|| interp.host.env_get(b"TZ")),
        catalog: &|locale, key| catalogs.translation(locale, key),
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
            () if args.len() == 2 && (starts(b"bad option") || starts(b"ambiguous option")) => {
                vec![b"TCL", b"LOOKUP", b"INDEX", b"option", args[1].bytes()]
            }
            () if starts(b"day of week") => vec![b"CLOCK", b"badDayOfWeek"],
            () if starts(b"bad option") || starts(b"ambiguous option") => {
                vec![b"CLOCK", b"badOption", named(&message)]
            }
            () if starts(b"input string does not match") => vec![b"CLOCK", b"badInputString"],
            () if starts(b"time zone") => vec![b"CLOCK", b"badTimeZone", named(&message)],
            () if starts(b"cannot use -gmt") => vec![b"CLOCK", b"gmtWithTimezone"],
            () if starts(b"unknown unit") => vec![b"CLOCK", b"badUnit", named(&message)],
            () if starts(b"requested date too large") => vec![b"CLOCK", b"dateTooLarge"],
            () if starts(b"integer value too large") => vec![b"ARITH", b"IOVERFLOW", &message],
            () => vec![b"NONE"],
        };
        let code: Vec<Vec<u8>> = code.into_iter().map(<[u8]>::to_vec).collect();
        Exit::coded(message, &code)
    })
}

/// What the package `msgcat` holds; nothing unless the script has loaded it.
struct Catalogs {
    texts: Option<Value>,
    preferences: Option<Value>,
}

impl Catalogs {
    fn of(interp: &mut Interp<'_>) -> Catalogs {
        let mut read = |name: &str| {
            let exists = interp.var_exists(name.as_bytes());
            exists
                .then(|| interp.get_var(name.as_bytes()).ok())
                .flatten()
        };
        Catalogs {
            texts: read("::msgcat::Texts"),
            preferences: read("::msgcat::Preferences"),
        }
    }

    /// The words for a key of `clock` in a locale.
    fn translation(&self, locale: &[u8], key: &str) -> Option<Value> {
        let texts = self.texts.as_ref()?.as_dict().ok()?;
        let locales = match locale {
            b"current" | b"system" => self.preferences.as_ref()?.as_list().ok()?.to_vec(),
            name => {
                let name = String::from_utf8_lossy(name).to_lowercase();
                let ends = name.match_indices('_').map(|(at, _)| at).rev();
                let names = std::iter::once(name.len()).chain(ends);
                names.map(|end| Value::from(&name[..end])).collect()
            }
        };
        let key = Key(Value::from(key));
        for namespace in ["::tcl::clock", "::tcl", "::"] {
            let Some(catalog) = texts.get(&Key(Value::from(namespace))) else {
                continue;
            };
            let catalog = catalog.as_dict().ok()?;
            for locale in &locales {
                let texts = catalog.get(&Key(locale.clone())).map(Value::as_dict);
                if let Some(Ok(texts)) = texts
                    && let Some(text) = texts.get(&key)
                {
                    return Some(text.clone());
                }
            }
        }
        None
    }
}

/// Milliseconds since the epoch.
pub(in crate::modulefile::tcl) fn milliseconds() -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    now.map_or(0, |now| now.as_millis() as i64)
}

/// What a message names in quotes.
fn named(message: &[u8]) -> &[u8] {
    message.split(|&b| b == b'"').nth(1).unwrap_or_default()
}

fn cmd_time(interp: &mut Interp<'_>, args: &[Value]) -> Outcome {
    let count = match args.get(1) {
        None => 1,
        Some(word) => super::expect_int(word)?,
    };
    let start = Instant::now();
    for _ in 0..count {
        interp.eval(&args[0])?;
    }
    let micros = start.elapsed().as_secs_f64() * 1e6;
    let each = if count <= 0 {
        0.0
    } else {
        micros / count as f64
    };
    let text = if count <= 1 {
        format!("{each:.0}")
    } else {
        format_double(each)
    };
    Ok(Value::from(format!("{text} microseconds per iteration")))
}

/// Runs a script again and again for some time.
fn cmd_timerate(interp: &mut Interp<'_>, args: &[Value]) -> Outcome {
    let usage = || wrong_args(b"timerate", TIMERATE);
    let mut rest = args;
    let mut overhead = 0.0;
    let mut calibrate = false;
    while let Some((word, after)) = rest.split_first()
        && word.bytes().starts_with(b"-")
    {
        let before = rest;
        rest = after;
        let names = ["-calibrate", "-direct", "-overhead", "--"];
        let Ok(option) = super::choice(word, &names, "option") else {
            // Not an option: the script.
            rest = before;
            break;
        };
        match option {
            0 => calibrate = true,
            1 => {}
            2 => {
                let (value, after) = rest.split_first().ok_or_else(usage)?;
                let number = value.as_number();
                overhead = number
                    .ok_or_else(|| super::not_a_number("floating-point number", value))?
                    .to_double();
                rest = after;
            }
            _ => break,
        }
    }
    if rest.is_empty() || rest.len() > 3 {
        return Err(usage());
    }
    let whole = |word: &Value| {
        word.as_int()
            .ok_or_else(|| super::not_a_number("integer", word))
    };
    let limit = match rest.get(1) {
        Some(word) => whole(word)?.max(0) as u64,
        None if calibrate => 5000,
        None => 1000,
    };
    let most = match rest.get(2) {
        Some(word) => whole(word)?,
        None => i64::MAX,
    };
    let limit = Duration::from_millis(limit);
    let start = Instant::now();
    let mut count: i64 = 0;
    while count < most {
        let result = interp.eval(&rest[0]);
        count += 1;
        match result {
            Ok(_) | Err(Exit::Continue) => {}
            Err(Exit::Break) => break,
            Err(exit) => return Err(exit),
        }
        if start.elapsed() >= limit {
            break;
        }
    }
    let net = (start.elapsed().as_secs_f64() * 1e6 - overhead * count as f64).max(0.0);
    let each = if count > 0 { net / count as f64 } else { 0.0 };
    let rate = if net > 0.0 {
        count as f64 * 1e6 / net
    } else {
        count as f64 * 1e6
    };
    let mut words = vec![Value::from(shown(each)), Value::from("\u{b5}s/#")];
    if calibrate {
        words = vec![
            Value::from(format_double(each)),
            Value::from("\u{b5}s/#-overhead"),
        ];
    }
    words.extend([
        Value::int(count),
        Value::from("#"),
        Value::int(rate as i64),
        Value::from("#/sec"),
        Value::from(format!("{:.3}", net / 1e3)),
        Value::from("net-ms"),
    ]);
    Ok(Value::list(words))
}

/// A time with about six digits.
fn shown(micros: f64) -> String {
    match micros {
        large if large >= 10_000.0 => format!("{large:.3}"),
        middle if middle >= 100.0 => format!("{middle:.4}"),
        small => format!("{small:.6}"),
    }
}
