//! `clock format`: a moment as text.

use super::calendar::{self, Date, SECONDS_OF_DAY};
use super::locale::Locale;
use super::zone::Zone;
use std::fmt::Write;

/// A moment taken apart in a zone.
struct Moment {
    seconds: i64,
    offset: i64,
    zone: String,
    /// Julian day of the local date.
    day: i64,
    /// Seconds since local midnight.
    second: i64,
    date: Date,
}

impl Moment {
    fn new(seconds: i64, zone: &Zone) -> Self {
        let (offset, zone) = zone.at(seconds);
        let local = seconds.saturating_add(offset);
        let day = local.div_euclid(SECONDS_OF_DAY) + calendar::EPOCH_DAY;
        let second = local.rem_euclid(SECONDS_OF_DAY);
        Self {
            seconds,
            offset,
            zone,
            day,
            second,
            date: Date::of_day(day),
        }
    }

    /// Seconds of local time.
    fn local(&self) -> i64 {
        self.seconds.saturating_add(self.offset)
    }

    fn hour(&self) -> i64 {
        self.second / 3600
    }

    fn half_hour(&self) -> i64 {
        (self.hour() + 11) % 12 + 1
    }

    /// The year as its era counts it, from 1.
    fn year(&self) -> i64 {
        if self.date.year > 0 {
            self.date.year
        } else {
            1 - self.date.year
        }
    }

    fn offset_text(&self) -> String {
        let sign = if self.offset < 0 { '-' } else { '+' };
        let offset = self.offset.abs();
        let seconds = if offset % 60 == 0 {
            String::new()
        } else {
            format!("{:02}", offset % 60)
        };
        format!("{sign}{:02}{:02}{seconds}", offset / 3600, offset / 60 % 60)
    }
}

/// Formats the moment `seconds` after the epoch.
pub(crate) fn format(seconds: i64, template: &[u8], zone: &Zone, locale: &Locale) -> Vec<u8> {
    let moment = Moment::new(seconds, zone);
    let template = locale.expand(template);
    let mut out = Vec::with_capacity(template.len() * 2);
    let mut bytes = template.iter().copied();
    while let Some(byte) = bytes.next() {
        if byte != b'%' {
            out.push(byte);
            continue;
        }
        match bytes.next() {
            None => out.push(b'%'),
            Some(modifier @ (b'E' | b'O')) => match bytes.next() {
                None => {}
                Some(letter) => match own_group(&moment, modifier, letter, locale) {
                    Some(text) => out.extend(text),
                    None => out.extend([b'%', modifier, letter]),
                },
            },
            Some(letter) => group(&moment, letter, locale, &mut out),
        }
    }
    out
}

/// What a language writes its own way: eras with `E`, numerals with `O`. `None` for other letters.
fn own_group(moment: &Moment, modifier: u8, letter: u8, locale: &Locale) -> Option<Vec<u8>> {
    let weekday = calendar::weekday(moment.day);
    if modifier == b'E' {
        let era = locale.era(moment.local());
        return Some(match letter {
            b'C' => match era {
                Some(era) => era.name.clone(),
                None => format!("{:02}", moment.year() / 100).into_bytes(),
            },
            b'y' => {
                let year = moment.year();
                match era.map_or(year % 100, |era| year - era.year) {
                    small @ ..100 => locale.numeral(small),
                    large => large.to_string().into_bytes(),
                }
            }
            b'E' if moment.date.year > 0 => locale.common_era.clone(),
            b'E' => locale.before_common_era.clone(),
            _ => return None,
        });
    }
    Some(locale.numeral(match letter {
        b'd' | b'e' => moment.date.day,
        b'H' | b'k' => moment.hour(),
        b'I' | b'l' => moment.half_hour(),
        b'm' => moment.date.month,
        b'M' => moment.second / 60 % 60,
        b'S' => moment.second % 60,
        b'u' => weekday,
        b'w' => weekday % 7,
        b'y' => moment.year() % 100,
        _ => return None,
    }))
}

/// Writes one format group.
fn group(moment: &Moment, letter: u8, locale: &Locale, out: &mut Vec<u8>) {
    let year = moment.year();
    let weekday = calendar::weekday(moment.day);
    let of_year = calendar::day_of_year(moment.day);
    let (iso_year, iso_week) = calendar::iso_week(moment.day);
    let (minute, second) = (moment.second / 60 % 60, moment.second % 60);
    let name = |names: &[Vec<u8>], at: i64| names.get(at as usize).cloned().unwrap_or_default();
    let half = &locale.halves[usize::from(moment.hour() >= 12)];
    let text = match letter {
        b'a' => return out.extend(name(&locale.days[0], weekday % 7)),
        b'A' => return out.extend(name(&locale.days[1], weekday % 7)),
        b'b' | b'h' => return out.extend(name(&locale.months[0], moment.date.month - 1)),
        b'B' => return out.extend(name(&locale.months[1], moment.date.month - 1)),
        b'p' => return out.extend(String::from_utf8_lossy(half).to_uppercase().into_bytes()),
        b'P' => return out.extend(half),
        b'C' => format!("{:02}", year / 100),
        b'd' => format!("{:02}", moment.date.day),
        b'e' => format!("{:2}", moment.date.day),
        b'g' => format!("{:02}", iso_year.rem_euclid(100)),
        b'G' => format!("{iso_year:04}"),
        b'H' => format!("{:02}", moment.hour()),
        b'I' => format!("{:02}", moment.half_hour()),
        b'j' => format!("{of_year:03}"),
        b'J' => format!("{:07}", moment.day),
        b'k' => format!("{:2}", moment.hour()),
        b'l' => format!("{:2}", moment.half_hour()),
        b'm' => format!("{:02}", moment.date.month),
        b'M' => format!("{minute:02}"),
        b'n' => "\n".to_owned(),
        b'N' => format!("{:2}", moment.date.month),
        b'Q' => stardate(moment, of_year),
        b's' => moment.seconds.to_string(),
        b'S' => format!("{second:02}"),
        b't' => "\t".to_owned(),
        b'u' => weekday.to_string(),
        b'U' => format!("{:02}", (of_year - 1 + 7 - weekday % 7) / 7),
        b'V' => format!("{iso_week:02}"),
        b'w' => (weekday % 7).to_string(),
        b'W' => format!("{:02}", (of_year - 1 + 7 - (weekday - 1)) / 7),
        b'y' => format!("{:02}", year % 100),
        b'Y' => format!("{year:04}"),
        b'z' => moment.offset_text(),
        b'Z' => moment.zone.clone(),
        b'%' => "%".to_owned(),
        _ => return out.extend([b'%', letter]),
    };
    out.extend(text.into_bytes());
}

/// Years since 1946, thousandths of the year and tenths of the day.
fn stardate(moment: &Moment, of_year: i64) -> String {
    let year = moment.date.year;
    let first = Date {
        year,
        month: 1,
        day: 1,
    }
    .julian_day();
    let length = Date {
        year: year + 1,
        month: 1,
        day: 1,
    }
    .julian_day()
        - first;
    let mut text = String::from("Stardate ");
    let written = write!(
        text,
        "{:02}{:03}.{}",
        year - 1946,
        1000 * (of_year - 1) / length,
        moment.second / (SECONDS_OF_DAY / 10)
    );
    debug_assert!(written.is_ok(), "a string takes any text");
    text
}
