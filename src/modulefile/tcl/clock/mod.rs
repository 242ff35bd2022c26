//! Tcl's `clock`: times as text, and back.
//!
//! Dates are computed here; the rules of time zones come from the system's zone files. Languages are
//! those that a script has given words for, see `locale.rs`. Source: Tcl manual, clock(n).

mod calendar;
mod format;
mod free;
mod locale;
mod scan;
#[cfg(test)]
mod tests;
mod zone;

use super::number::{self, Number};
pub(crate) use locale::Catalog;

use calendar::{Date, SECONDS_OF_DAY};
use locale::Locale;
use zone::Zone;

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

const DAYS: [&str; 7] = [
    "Sunday",
    "Monday",
    "Tuesday",
    "Wednesday",
    "Thursday",
    "Friday",
    "Saturday",
];

/// What `clock` has to know of the world.
pub(crate) struct Present<'a> {
    /// Microseconds since the epoch.
    pub(crate) microseconds: i64,
    /// The variable `TZ`.
    pub(crate) zone: Option<Vec<u8>>,
    /// Words of other languages.
    pub(crate) catalog: &'a Catalog<'a>,
}

/// Carries out `clock` with its arguments, the sub-command first.
///
/// # Errors
/// Tcl's text.
pub(crate) fn clock(arguments: &[&[u8]], present: &Present<'_>) -> Result<Vec<u8>, Vec<u8>> {
    let Some((&name, rest)) = arguments.split_first() else {
        return Err(b"wrong # args: should be \"clock subcommand ?arg ...?\"".to_vec());
    };
    let now = |unit: i64| {
        Ok(present
            .microseconds
            .div_euclid(unit)
            .to_string()
            .into_bytes())
    };
    match subcommand(name)? {
        "add" => add(rest, present),
        "clicks" => clicks(rest, present),
        "format" => format(rest, present),
        "scan" => scan(rest, present),
        simple if !rest.is_empty() => {
            Err(format!("wrong # args: should be \"clock {simple}\"").into_bytes())
        }
        "milliseconds" => now(1000),
        "seconds" => now(1_000_000),
        _ => now(1),
    }
}

/// The sub-command which `name` is, or the only one it abbreviates.
fn subcommand(name: &[u8]) -> Result<&'static str, Vec<u8>> {
    const NAMES: [&str; 7] = [
        "add",
        "clicks",
        "format",
        "microseconds",
        "milliseconds",
        "scan",
        "seconds",
    ];
    let mut near = NAMES
        .into_iter()
        .filter(|known| known.as_bytes().starts_with(name));
    let exact = NAMES.into_iter().find(|known| known.as_bytes() == name);
    match (exact, near.next(), near.next()) {
        (Some(found), ..) | (None, Some(found), None) if !name.is_empty() => Ok(found),
        _ => {
            let choice: &[u8] =
                b"\": must be add, clicks, format, microseconds, milliseconds, scan, or seconds";
            Err([b"unknown or ambiguous subcommand \"", name, choice].concat())
        }
    }
}

fn clicks(arguments: &[&[u8]], present: &Present<'_>) -> Result<Vec<u8>, Vec<u8>> {
    let unit = match arguments {
        [] => 1,
        [option] if option.len() > 3 && b"-milliseconds".starts_with(option) => 1000,
        [option] if option.len() > 3 && b"-microseconds".starts_with(option) => 1,
        [option] => {
            let how: &[u8] = match *option {
                b"-" | b"-m" | b"-mi" => b"ambiguous option \"",
                _ => b"bad option \"",
            };
            let choice: &[u8] = b"\": must be -milliseconds or -microseconds";
            return Err([how, *option, choice].concat());
        }
        _ => return Err(b"wrong # args: should be \"clock clicks ?-switch?\"".to_vec()),
    };
    Ok(present
        .microseconds
        .div_euclid(unit)
        .to_string()
        .into_bytes())
}

/// The options of `format`, `scan` and `add`.
#[derive(Default)]
struct Options<'a> {
    format: Option<&'a [u8]>,
    base: Option<i64>,
    gmt: bool,
    zone: Option<&'a [u8]>,
    locale: Option<&'a [u8]>,
}

/// The options of `format`, `scan` and `add`, in the order of messages.
const OPTIONS: [&[u8]; 5] = [b"-base", b"-format", b"-gmt", b"-locale", b"-timezone"];

impl<'a> Options<'a> {
    /// Takes one option, which may be abbreviated, with its value. `Err(None)` is an option that is not among `allowed`.
    fn take(
        &mut self,
        option: &'a [u8],
        value: &'a [u8],
        allowed: &[&[u8]],
    ) -> Result<(), Option<Vec<u8>>> {
        let mut near = allowed.iter().filter(|known| known.starts_with(option));
        let (Some(&known), None, 2..) = (near.next(), near.next(), option.len()) else {
            return Err(None);
        };
        match known {
            b"-format" => self.format = Some(value),
            b"-base" => self.base = Some(integer(value, "integer")?),
            b"-gmt" => self.gmt = boolean(value)?,
            b"-locale" => self.locale = Some(value),
            _ => self.zone = Some(value),
        }
        Ok(())
    }

    fn zone(&self, present: &Present<'_>) -> Result<Zone, Vec<u8>> {
        let tz = present.zone.as_deref();
        match self.zone {
            Some(_) if self.gmt => Err(b"cannot use -gmt and -timezone in same call".to_vec()),
            Some(name) => Zone::named(name, tz),
            None if self.gmt => Ok(Zone::gmt()),
            None => Ok(Zone::local(tz)),
        }
    }
}

fn integer(text: &[u8], wanted: &str) -> Result<i64, Vec<u8>> {
    match number::parse_integer(text) {
        Some(Number::Int(value)) => Ok(value),
        Some(_) => Err(b"integer value too large to represent".to_vec()),
        None => Err([b"expected ", wanted.as_bytes(), b" but got \"", text, b"\""].concat()),
    }
}

fn boolean(text: &[u8]) -> Result<bool, Vec<u8>> {
    if let Some(number) = number::parse_number(text) {
        return Ok(number.to_double() != 0.0);
    }
    let word = text.to_ascii_lowercase();
    let abbreviates =
        |name: &str, least: usize| word.len() >= least && name.as_bytes().starts_with(&word);
    if abbreviates("true", 1) || abbreviates("yes", 1) || abbreviates("on", 2) {
        Ok(true)
    } else if abbreviates("false", 1) || abbreviates("no", 1) || abbreviates("off", 2) {
        Ok(false)
    } else {
        Err([b"expected boolean value but got \"", text, b"\""].concat())
    }
}

fn format(arguments: &[&[u8]], present: &Present<'_>) -> Result<Vec<u8>, Vec<u8>> {
    const USAGE: &[u8] = b"wrong # args: should be \"clock format clockval ?-format string? ?-gmt boolean? ?-locale LOCALE? ?-timezone ZONE?\"";
    let Some((&value, pairs)) = arguments.split_first() else {
        return Err(USAGE.to_vec());
    };
    if pairs.len() % 2 == 1 {
        return Err(USAGE.to_vec());
    }
    let mut options = Options::default();
    for pair in pairs.chunks(2) {
        let taken = options.take(pair[0], pair[1], &OPTIONS[1..]);
        taken.map_err(|error| {
            let choice: &[u8] = b"\": must be -format, -gmt, -locale, or -timezone";
            let how: &[u8] = if pair[0] == b"-" {
                b"ambiguous option \""
            } else {
                b"bad option \""
            };
            error.unwrap_or_else(|| [how, pair[0], choice].concat())
        })?;
    }
    let seconds = integer(value, "integer")?;
    let zone = options.zone(present)?;
    Ok(format::format(
        seconds,
        options.format.unwrap_or(b"%a %b %d %H:%M:%S %Z %Y"),
        &zone,
        &Locale::named(options.locale, present.catalog),
    ))
}

fn scan(arguments: &[&[u8]], present: &Present<'_>) -> Result<Vec<u8>, Vec<u8>> {
    const USAGE: &[u8] = b"wrong # args: should be \"clock scan string ?-base seconds? ?-format string? ?-gmt boolean? ?-locale LOCALE? ?-timezone ZONE?\"";
    let Some((&text, pairs)) = arguments.split_first() else {
        return Err(USAGE.to_vec());
    };
    if pairs.len() % 2 == 1 {
        return Err(USAGE.to_vec());
    }
    let mut options = Options::default();
    for pair in pairs.chunks(2) {
        options.take(pair[0], pair[1], &OPTIONS).map_err(|error| {
            let choice: &[u8] = b"\", must be -base, -format, -gmt, -locale or -timezone";
            error.unwrap_or_else(|| [b"bad option \"", pair[0], choice].concat())
        })?;
    }
    let zone = options.zone(present)?;
    let base = options
        .base
        .unwrap_or(present.microseconds.div_euclid(1_000_000));
    let seconds = match options.format {
        Some(template) => {
            let locale = Locale::named(options.locale, present.catalog);
            scan::scan(text, template, base, &zone, &locale)?
        }
        None => free::scan(text, base, &zone)?,
    };
    Ok(seconds.to_string().into_bytes())
}

fn add(arguments: &[&[u8]], present: &Present<'_>) -> Result<Vec<u8>, Vec<u8>> {
    const USAGE: &[u8] = b"wrong # args: should be \"clock add clockval ?number units?... ?-gmt boolean? ?-locale LOCALE? ?-timezone ZONE?\"";
    let Some((&value, pairs)) = arguments.split_first() else {
        return Err(b"wrong # args: should be \"clock add clockval ?arg ...?\"".to_vec());
    };
    if pairs.len() % 2 == 1 {
        return Err(USAGE.to_vec());
    }
    let mut options = Options::default();
    let mut steps = Vec::new();
    for pair in pairs.chunks(2) {
        // A number counts up to 32 bits, as for `string is integer`.
        match number::parse_integer(pair[0]) {
            Some(Number::Int(amount @ -0xFFFF_FFFF..=0xFFFF_FFFF)) => steps.push((amount, pair[1])),
            _ => options
                .take(pair[0], pair[1], &OPTIONS[2..])
                .map_err(|error| {
                    let choice: &[u8] = b"\", must be -gmt, -locale or -timezone";
                    error.unwrap_or_else(|| [b"bad option \"", pair[0], choice].concat())
                })?,
        }
    }
    let mut seconds = integer(value, "number")?;
    let zone = options.zone(present)?;
    for (amount, unit) in steps {
        seconds = add_step(seconds, amount, unit, &zone)?;
    }
    Ok(seconds.to_string().into_bytes())
}

/// Adds one distance: months and days in local time, hours and less in real time.
fn add_step(seconds: i64, amount: i64, unit: &[u8], zone: &Zone) -> Result<i64, Vec<u8>> {
    let by_days = |days: i64| {
        let local = seconds.saturating_add(zone.at(seconds).0);
        zone.moment(local.saturating_add(days.saturating_mul(SECONDS_OF_DAY)))
    };
    let by_months = |months: i64| {
        let local = seconds.saturating_add(zone.at(seconds).0);
        let day = local.div_euclid(SECONDS_OF_DAY) + calendar::EPOCH_DAY;
        let moved = Date::of_day(day).add_months(months).julian_day();
        zone.moment(local.saturating_add((moved - day).saturating_mul(SECONDS_OF_DAY)))
    };
    Ok(match unit {
        b"year" | b"years" => by_months(amount * 12),
        b"month" | b"months" => by_months(amount),
        b"week" | b"weeks" => by_days(amount * 7),
        b"day" | b"days" => by_days(amount),
        b"hour" | b"hours" => seconds.saturating_add(amount * 3600),
        b"minute" | b"minutes" => seconds.saturating_add(amount * 60),
        b"second" | b"seconds" => seconds.saturating_add(amount),
        _ => {
            let choice: &[u8] =
                b"\", must be  years, months, weeks, days, hours, minutes or seconds";
            return Err([b"unknown unit \"", unit, choice].concat());
        }
    })
}
