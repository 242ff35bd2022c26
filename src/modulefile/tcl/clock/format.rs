//! `clock format`: a moment as text.

use super::calendar::{self, Date, SECONDS_OF_DAY};
use super::zone::Zone;
use super::{DAYS, MONTHS};
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
pub(crate) fn format(seconds: i64, template: &[u8], zone: &Zone) -> Vec<u8> {
    let moment = Moment::new(seconds, zone);
    let mut out = Vec::with_capacity(template.len() * 2);
    expand(&moment, template, &mut out);
    out
}

fn expand(moment: &Moment, template: &[u8], out: &mut Vec<u8>) {
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
                Some(letter) if is_modified(modifier, letter) => {
                    group(moment, letter, modifier == b'E', out)
                }
                Some(letter) => out.extend([b'%', modifier, letter]),
            },
            Some(letter) => group(moment, letter, false, out),
        }
    }
}

/// Whether a letter has a form for another era (`E`) or other digits (`O`), which in the C locale is the plain one.
fn is_modified(modifier: u8, letter: u8) -> bool {
    match modifier {
        b'E' => b"CExXyYc".contains(&letter),
        _ => b"dHIklmMSuwy".contains(&letter),
    }
}

/// Writes one format group.
fn group(moment: &Moment, letter: u8, era: bool, out: &mut Vec<u8>) {
    let year = moment.year();
    let weekday = calendar::weekday(moment.day);
    let of_year = calendar::day_of_year(moment.day);
    let (iso_year, iso_week) = calendar::iso_week(moment.day);
    let (minute, second) = (moment.second / 60 % 60, moment.second % 60);
    let month_name = MONTHS[(moment.date.month - 1) as usize];
    let day_name = DAYS[(weekday % 7) as usize];
    let afternoon = moment.hour() >= 12;
    let text = match letter {
        b'a' => day_name[..3].to_owned(),
        b'A' => day_name.to_owned(),
        b'b' | b'h' => month_name[..3].to_owned(),
        b'B' => month_name.to_owned(),
        b'c' => return expand(moment, b"%a %b %e %H:%M:%S %Y", out),
        b'C' => format!("{:02}", year / 100),
        b'd' => format!("{:02}", moment.date.day),
        b'D' | b'x' => return expand(moment, b"%m/%d/%Y", out),
        b'e' => format!("{:2}", moment.date.day),
        b'E' if era => if moment.date.year > 0 {
            "C.E."
        } else {
            "B.C.E."
        }
        .to_owned(),
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
        b'p' => if afternoon { "PM" } else { "AM" }.to_owned(),
        b'P' => if afternoon { "pm" } else { "am" }.to_owned(),
        b'Q' => stardate(moment, of_year),
        b'r' => return expand(moment, b"%I:%M:%S %P", out),
        b'R' => return expand(moment, b"%H:%M", out),
        b's' => moment.seconds.to_string(),
        b'S' => format!("{second:02}"),
        b't' => "\t".to_owned(),
        b'T' | b'X' => return expand(moment, b"%H:%M:%S", out),
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
        b'+' => return expand(moment, b"%a %b %e %H:%M:%S %Z %Y", out),
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
