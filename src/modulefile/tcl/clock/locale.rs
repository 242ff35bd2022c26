//! The words and forms of a language: names of days and months, usual forms of dates, eras, numerals.
//!
//! The root locale is built in. For others a script's own catalog is asked, that of the namespace `::tcl::clock` in the
//! package `msgcat`; what it does not say is as in the root. The languages that come with Tcl are not.
//! Source: Tcl manual, clock(n) "LOCALIZATION"; msgcat(n).

use crate::modulefile::tcl::value::Value;

use super::{DAYS, MONTHS};

/// What the catalog of the locale that was asked for says for a key.
pub(crate) type Catalog<'a> = dyn Fn(&[u8], &str) -> Option<Value> + 'a;

/// A span of years that a language counts from its own beginning.
pub(super) struct Era {
    /// Seconds of local time at its start.
    pub(super) start: i64,
    pub(super) name: Vec<u8>,
    /// Years of the common era at its start.
    pub(super) year: i64,
}

/// One language.
pub(super) struct Locale {
    pub(super) days: [Vec<Vec<u8>>; 2],
    pub(super) months: [Vec<Vec<u8>>; 2],
    /// Morning and afternoon.
    pub(super) halves: [Vec<u8>; 2],
    pub(super) before_common_era: Vec<u8>,
    pub(super) common_era: Vec<u8>,
    pub(super) eras: Vec<Era>,
    /// How numbers from 0 on are written; nothing stands for two digits.
    pub(super) numerals: Option<Vec<Vec<u8>>>,
    date: Vec<u8>,
    time: Vec<u8>,
    time_12: Vec<u8>,
    time_24: Vec<u8>,
    time_24_seconds: Vec<u8>,
    date_time: Vec<u8>,
    own_date: Vec<u8>,
    own_time: Vec<u8>,
    own_date_time: Vec<u8>,
    own_year: Vec<u8>,
}

impl Locale {
    /// The language of a name; none, or `C`, is the root.
    pub(super) fn named(name: Option<&[u8]>, catalog: &Catalog<'_>) -> Locale {
        let known = |key: &str| {
            let name = name.filter(|name| !name.is_empty() && !name.eq_ignore_ascii_case(b"c"));
            name.and_then(|name| catalog(name, key))
        };
        let text = |key: &str, root: &str| {
            known(key).map_or_else(|| root.as_bytes().to_vec(), |value| value.bytes().to_vec())
        };
        let words = |key: &str| -> Option<Vec<Vec<u8>>> {
            let list = known(key)?.as_list().ok()?;
            Some(list.iter().map(|word| word.bytes().to_vec()).collect())
        };
        let names = |short: &str, full: &str, root: &[&str]| {
            let root = |length: usize| {
                let cut = |name: &&str| name.as_bytes()[..length.min(name.len())].to_vec();
                root.iter().map(cut).collect::<Vec<_>>()
            };
            [
                words(short).unwrap_or_else(|| root(3)),
                words(full).unwrap_or_else(|| root(usize::MAX)),
            ]
        };
        let eras = known("LOCALE_ERAS").and_then(|list| list.as_list().ok());
        let era = |value: &Value| {
            let parts = value.as_list().ok()?;
            Some(Era {
                start: parts.first()?.as_int()?,
                name: parts.get(1)?.bytes().to_vec(),
                year: parts.get(2)?.as_int()?,
            })
        };
        Locale {
            days: names("DAYS_OF_WEEK_ABBREV", "DAYS_OF_WEEK_FULL", &DAYS),
            months: names("MONTHS_ABBREV", "MONTHS_FULL", &MONTHS),
            halves: [text("AM", "am"), text("PM", "pm")],
            before_common_era: text("BCE", "B.C.E."),
            common_era: text("CE", "C.E."),
            eras: eras.map_or_else(Vec::new, |eras| eras.iter().filter_map(era).collect()),
            numerals: words("LOCALE_NUMERALS"),
            date: text("DATE_FORMAT", "%m/%d/%Y"),
            time: text("TIME_FORMAT", "%H:%M:%S"),
            time_12: text("TIME_FORMAT_12", "%I:%M:%S %P"),
            time_24: text("TIME_FORMAT_24", "%H:%M"),
            time_24_seconds: text("TIME_FORMAT_24_SECS", "%H:%M:%S"),
            date_time: text("DATE_TIME_FORMAT", "%a %b %e %H:%M:%S %Y"),
            own_date: text("LOCALE_DATE_FORMAT", "%m/%d/%Y"),
            own_time: text("LOCALE_TIME_FORMAT", "%H:%M:%S"),
            own_date_time: text("LOCALE_DATE_TIME_FORMAT", "%a %b %e %H:%M:%S %Y"),
            own_year: text("LOCALE_YEAR_FORMAT", "%EC%Ey"),
        }
    }

    /// The era of a moment of local time; none before the first one.
    pub(super) fn era(&self, local: i64) -> Option<&Era> {
        self.eras.iter().rev().find(|era| era.start <= local)
    }

    /// A number from 0 to 99 as the language writes it.
    pub(super) fn numeral(&self, number: i64) -> Vec<u8> {
        match &self.numerals {
            None => format!("{number:02}").into_bytes(),
            Some(numerals) => {
                let at = usize::try_from(number).ok();
                at.and_then(|at| numerals.get(at).cloned())
                    .unwrap_or_default()
            }
        }
    }

    /// Puts the forms of the language for the groups that stand for a whole date or time.
    pub(super) fn expand(&self, template: &[u8]) -> Vec<u8> {
        let mut out = Vec::with_capacity(template.len() * 2);
        self.expand_into(template, 0, &mut out);
        out
    }

    fn expand_into(&self, template: &[u8], depth: usize, out: &mut Vec<u8>) {
        /// A form may name another one, as long as it comes before it in this order.
        const DEEPEST: usize = 8;
        let mut at = 0;
        while at < template.len() {
            let rest = &template[at..];
            let (form, length): (&[u8], usize) = match rest {
                [b'%', b'E', b'Y', ..] => (&self.own_year, 3),
                [b'%', b'E', b'X', ..] => (&self.own_time, 3),
                [b'%', b'E', b'x', ..] => (&self.own_date, 3),
                [b'%', b'E', b'c', ..] => (&self.own_date_time, 3),
                [b'%', b'D', ..] => (b"%m/%d/%Y", 2),
                [b'%', b'+', ..] => (b"%a %b %e %H:%M:%S %Z %Y", 2),
                [b'%', b'T', ..] => (&self.time_24_seconds, 2),
                [b'%', b'R', ..] => (&self.time_24, 2),
                [b'%', b'r', ..] => (&self.time_12, 2),
                [b'%', b'X', ..] => (&self.time, 2),
                [b'%', b'x', ..] => (&self.date, 2),
                [b'%', b'c', ..] => (&self.date_time, 2),
                [b'%', other, ..] => {
                    out.extend([b'%', *other]);
                    at += 2;
                    continue;
                }
                [other, ..] => {
                    out.push(*other);
                    at += 1;
                    continue;
                }
                [] => break,
            };
            if depth < DEEPEST {
                self.expand_into(form, depth + 1, out);
            }
            at += length;
        }
    }
}
