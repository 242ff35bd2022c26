//! Tcl's `clock`: times as text, and back.
//!
//! Dates are computed here; the rules of time zones come from the system's zone files. Only the C locale is known; other
//! values of `-locale` are accepted and answered in it. Source: Tcl manual, clock(n).

mod calendar;
mod format;
mod free;
mod scan;
#[cfg(test)]
mod tests;
mod zone;

use super::number::{self, Number};
use calendar::{Date, SECONDS_OF_DAY};
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
#[derive(Clone, Debug)]
pub(crate) struct Present {
    /// Microseconds since the epoch.
    pub(crate) microseconds: i64,
    /// The variable `TZ`.
    pub(crate) zone: Option<Vec<u8>>,
}

/// Carries out `clock` with its arguments, the sub-command first.
///
/// # Errors
/// Tcl's text.
pub(crate) fn clock(arguments: &[&[u8]], present: &Present) -> Result<Vec<u8>, Vec<u8>> {
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

fn clicks(arguments: &[&[u8]], present: &Present) -> Result<Vec<u8>, Vec<u8>> {
    let unit = match arguments {
        [] => 1,
        [option]
            if option.len() > 1 && b"-milliseconds".starts_with(option) && option.len() > 3 =>
        {
            1000
        }
        [option] if option.len() > 3 && b"-microseconds".starts_with(option) => 1,
        [option] => {
            let choice: &[u8] = b"\": must be -milliseconds or -microseconds";
            return Err([b"bad option \"", *option, choice].concat());
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
}

impl<'a> Options<'a> {
    /// Takes one option with its value.
    fn take(
        &mut self,
        option: &'a [u8],
        value: &'a [u8],
        with_base: bool,
    ) -> Result<bool, Vec<u8>> {
        match option {
            b"-format" => self.format = Some(value),
            b"-base" if with_base => self.base = Some(integer(value, "integer")?),
            b"-gmt" => self.gmt = boolean(value)?,
            b"-locale" => {}
            b"-timezone" => self.zone = Some(value),
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn zone(&self, present: &Present) -> Result<Zone, Vec<u8>> {
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

fn format(arguments: &[&[u8]], present: &Present) -> Result<Vec<u8>, Vec<u8>> {
    const USAGE: &[u8] = b"wrong # args: should be \"clock format clockval ?-format string? ?-gmt boolean? ?-locale LOCALE? ?-timezone ZONE?\"";
    let Some((&value, pairs)) = arguments.split_first() else {
        return Err(USAGE.to_vec());
    };
    if pairs.len() % 2 == 1 {
        return Err(USAGE.to_vec());
    }
    let mut options = Options::default();
    for pair in pairs.chunks(2) {
        if !options.take(pair[0], pair[1], false)? {
            let choice: &[u8] = b"\": must be -format, -gmt, -locale, or -timezone";
            return Err([b"bad option \"", pair[0], choice].concat());
        }
    }
    let seconds = integer(value, "integer")?;
    let zone = options.zone(present)?;
    Ok(format::format(
        seconds,
        options.format.unwrap_or(b"%a %b %d %H:%M:%S %Z %Y"),
        &zone,
    ))
}

fn scan(arguments: &[&[u8]], present: &Present) -> Result<Vec<u8>, Vec<u8>> {
    const USAGE: &[u8] = b"wrong # args: should be \"clock scan string ?-base seconds? ?-format string? ?-gmt boolean? ?-locale LOCALE? ?-timezone ZONE?\"";
    let Some((&text, pairs)) = arguments.split_first() else {
        return Err(USAGE.to_vec());
    };
    if pairs.len() % 2 == 1 {
        return Err(USAGE.to_vec());
    }
    let mut options = Options::default();
    for pair in pairs.chunks(2) {
        if !options.take(pair[0], pair[1], true)? {
            let choice: &[u8] = b"\": must be -base, -format, -gmt, -locale, or -timezone";
            return Err([b"bad option \"", pair[0], choice].concat());
        }
    }
    let zone = options.zone(present)?;
    let base = options
        .base
        .unwrap_or(present.microseconds.div_euclid(1_000_000));
    let seconds = match options.format {
        Some(template) => scan::scan(text, template, base, &zone)?,
        None => free::scan(text, base, &zone)?,
    };
    Ok(seconds.to_string().into_bytes())
}

fn add(arguments: &[&[u8]], present: &Present) -> Result<Vec<u8>, Vec<u8>> {
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
            _ if pair[0] != b"-format" && options.take(pair[0], pair[1], false)? => {}
            _ => {
                let choice: &[u8] = b"\", must be -gmt, -locale or -timezone";
                return Err([b"bad option \"", pair[0], choice].concat());
            }
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
