//! `clock scan` without a format: dates, times and distances as people write them.
//!
//! Understood are ISO 8601 forms, `1/2/2020`, `Jan 2, 2020`, `10:20 pm`, days of the week, zones, and distances such as
//! `3 days ago` or `next month`. Source: Tcl manual, clock(n) "FREE FORM SCAN".

use super::calendar::{self, Date, SECONDS_OF_DAY};
use super::zone::{self, Zone};
use super::{DAYS, MONTHS};

/// Farthest year, month or day; beyond it, the calendar's arithmetic would overflow.
const FARTHEST: i64 = 1_000_000_000;

/// A word, number or mark of the text and where it stands, in characters.
#[derive(Clone, Debug, PartialEq)]
struct Token {
    kind: Kind,
    start: usize,
    end: usize,
}

#[derive(Clone, Debug, PartialEq)]
enum Kind {
    /// A number with its count of digits.
    Number(i64, usize),
    Mark(u8),
    Month(i64),
    /// 0 is Sunday.
    Day(i64),
    Unit(Unit, i64),
    Zone(i64),
    Summer,
    Half {
        afternoon: bool,
    },
    Next,
    Last,
    Now,
    Tomorrow,
    Yesterday,
    Ago,
    Epoch,
    /// The `T` between date and time.
    IsoMark,
    Unknown,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Unit {
    Month,
    Day,
    Second,
}

/// What the text says.
#[derive(Default)]
struct Reading {
    date: Option<Date>,
    /// The date was given without its year.
    open_year: bool,
    time: Option<i64>,
    zone: Option<i64>,
    /// How often to come to which day of the week.
    weekday: Option<(i64, i64)>,
    month: Option<(i64, i64)>,
    distance: Option<[i64; 3]>,
}

/// Reads a text; what it leaves open is taken from the moment `base`.
///
/// # Errors
/// Tcl's text, which names the place where the text is not understood.
pub(crate) fn scan(text: &[u8], base: i64, zone: &Zone) -> Result<i64, Vec<u8>> {
    let tokens = tokens(text);
    let mut parser = Parser {
        tokens: &tokens,
        at: 0,
        end: text.len(),
        base_year: 0,
        reading: Reading::default(),
    };
    let (offset, _) = zone.at(base);
    let local = base.saturating_add(offset);
    let today = local.div_euclid(SECONDS_OF_DAY) + calendar::EPOCH_DAY;
    parser.base_year = Date::of_day(today).year;
    parser.items().map_err(|trouble| {
        [
            b"unable to convert date-time string \"",
            text,
            b"\": ",
            trouble.as_bytes(),
        ]
        .concat()
    })?;
    parser
        .reading
        .moment(base, today, local.rem_euclid(SECONDS_OF_DAY), zone)
}

impl Reading {
    fn moment(&self, base: i64, today: i64, now: i64, zone: &Zone) -> Result<i64, Vec<u8>> {
        let [months, days, seconds] = self.distance.unwrap_or_default();
        let (months, days) = (
            months.clamp(-FARTHEST, FARTHEST),
            days.clamp(-FARTHEST, FARTHEST),
        );
        let names_day = self.date.is_some()
            || self.weekday.is_some()
            || self.month.is_some()
            || months != 0
            || days != 0;
        let day = self.date.map_or(today, Date::julian_day);
        let second = match self.time {
            Some(second) => second,
            None if names_day => 0,
            None => now,
        };
        let fixed = self.zone.map(|offset| Zone::Fixed {
            offset,
            name: String::new(),
        });
        let zone = fixed.as_ref().unwrap_or(zone);
        if !names_day && self.time.is_none() && self.zone.is_none() {
            return Ok(base.saturating_add(seconds));
        }
        let mut day = day;
        if let Some((count, month)) = self.month {
            let date = Date::of_day(day);
            let ahead = (month - date.month - 1).rem_euclid(12) + 1;
            day = date.add_months(ahead + (count - 1) * 12).julian_day();
        }
        if months != 0 {
            day = Date::of_day(day).add_months(months).julian_day();
        }
        day = day.saturating_add(days);
        // A date says more than its day of the week.
        if let (Some((count, weekday)), None) = (self.weekday, self.date) {
            let ahead = (weekday - calendar::weekday(day)).rem_euclid(7);
            day = day.saturating_add(ahead + 7 * if count > 0 { count - 1 } else { count });
        }
        let days = day.saturating_sub(calendar::EPOCH_DAY);
        let local = days.saturating_mul(SECONDS_OF_DAY).saturating_add(second);
        Ok(zone.moment(local).saturating_add(seconds))
    }
}

fn tokens(text: &[u8]) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut at = 0;
    // Where an error is shown: with the blanks before the word.
    let mut shown = 0;
    while let Some(&byte) = text.get(at) {
        let start = at;
        at += 1;
        let run = |test: fn(&u8) -> bool| text[start..].iter().take_while(|b| test(b)).count();
        let kind = match byte {
            b if b.is_ascii_whitespace() => continue,
            b'(' => {
                // A comment.
                at += text[at..].iter().take_while(|&&b| b != b')').count() + 1;
                continue;
            }
            b'0'..=b'9' => {
                let digits = run(u8::is_ascii_digit);
                at = start + digits;
                let value = text[start..at].iter().fold(0i64, |n, b| {
                    n.saturating_mul(10).saturating_add(i64::from(b - b'0'))
                });
                Kind::Number(value, digits)
            }
            b if b.is_ascii_alphabetic() => {
                at = start + run(|b| b.is_ascii_alphabetic() || *b == b'.');
                // Between a date and a time stands a single T.
                if byte.eq_ignore_ascii_case(&b't')
                    && at == start + 1
                    && text.get(at).is_some_and(u8::is_ascii_digit)
                {
                    Kind::IsoMark
                } else {
                    word(&String::from_utf8_lossy(&text[start..at]).to_ascii_lowercase())
                }
            }
            b => Kind::Mark(b),
        };
        tokens.push(Token {
            kind,
            start: shown,
            end: at - 1,
        });
        shown = at;
    }
    tokens
}

fn word(word: &str) -> Kind {
    let plain = word.trim_end_matches('.');
    let named = |names: &[&str]| {
        names.iter().position(|name| {
            let name = name.to_ascii_lowercase();
            plain == name || plain.len() == 3 && name.starts_with(plain)
        })
    };
    match word.replace('.', "").as_str() {
        "am" => return Kind::Half { afternoon: false },
        "pm" => return Kind::Half { afternoon: true },
        _ => {}
    }
    if let Some(month) = named(&MONTHS) {
        return Kind::Month(month as i64 + 1);
    }
    if let Some(day) = named(&DAYS) {
        return Kind::Day(day as i64);
    }
    match plain {
        "sept" => return Kind::Month(9),
        "tues" => return Kind::Day(2),
        "wednes" => return Kind::Day(3),
        "thur" | "thurs" => return Kind::Day(4),
        "next" => return Kind::Next,
        "last" => return Kind::Last,
        "now" | "today" => return Kind::Now,
        "tomorrow" => return Kind::Tomorrow,
        "yesterday" => return Kind::Yesterday,
        "ago" => return Kind::Ago,
        "epoch" => return Kind::Epoch,
        "dst" => return Kind::Summer,
        _ => {}
    }
    if let Some(offset) = zone::abbreviated(plain) {
        return Kind::Zone(offset);
    }
    match plain.strip_suffix('s').unwrap_or(plain) {
        "year" => Kind::Unit(Unit::Month, 12),
        "month" => Kind::Unit(Unit::Month, 1),
        "fortnight" => Kind::Unit(Unit::Day, 14),
        "week" => Kind::Unit(Unit::Day, 7),
        "day" => Kind::Unit(Unit::Day, 1),
        "hour" => Kind::Unit(Unit::Second, 3600),
        "minute" | "min" => Kind::Unit(Unit::Second, 60),
        "second" | "sec" => Kind::Unit(Unit::Second, 1),
        _ => Kind::Unknown,
    }
}

struct Parser<'a> {
    tokens: &'a [Token],
    at: usize,
    /// The length of the text, the place of an error at its end.
    end: usize,
    base_year: i64,
    reading: Reading,
}

impl Parser<'_> {
    fn peek(&self, ahead: usize) -> Option<&Kind> {
        self.tokens.get(self.at + ahead).map(|token| &token.kind)
    }

    /// The numbers and marks from here on, for forms such as `1/2/2020`.
    fn number(&self, ahead: usize) -> Option<(i64, usize)> {
        match self.peek(ahead) {
            Some(Kind::Number(value, digits)) => Some((*value, *digits)),
            _ => None,
        }
    }

    fn mark(&self, ahead: usize, wanted: u8) -> bool {
        self.peek(ahead) == Some(&Kind::Mark(wanted))
    }

    fn trouble(&self) -> String {
        let (start, end) = self
            .tokens
            .get(self.at)
            .map_or((self.end, self.end), |token| (token.start, token.end));
        format!("syntax error (characters {start}-{end})")
    }

    fn items(&mut self) -> Result<(), String> {
        while let Some(kind) = self.peek(0).cloned() {
            match kind {
                Kind::Number(value, digits) => self.number_item(value, digits)?,
                Kind::Mark(sign @ (b'+' | b'-')) => {
                    self.signed(if sign == b'-' { -1 } else { 1 })?
                }
                Kind::Mark(b',') if self.at > 0 => self.at += 1,
                Kind::Month(month) => self.month_first(month)?,
                Kind::Day(day) => {
                    self.at += 1;
                    if self.mark(0, b',') {
                        self.at += 1;
                    }
                    self.set_weekday(1, day)?;
                }
                Kind::Next => self.ordinal(1)?,
                Kind::Last => self.ordinal(-1)?,
                Kind::Unit(unit, factor) => {
                    self.at += 1;
                    self.distance(unit, factor);
                }
                Kind::Tomorrow | Kind::Yesterday => {
                    self.at += 1;
                    self.distance(Unit::Day, if kind == Kind::Tomorrow { 1 } else { -1 });
                }
                Kind::Now => {
                    self.at += 1;
                    self.distance(Unit::Second, 0);
                }
                Kind::Zone(offset) => {
                    self.at += 1;
                    self.set_zone(offset)?;
                }
                Kind::Epoch => {
                    self.at += 1;
                    self.set_date(Some(1970), 1, 1)?;
                    self.set_time(0)?;
                }
                _ => return Err(self.trouble()),
            }
        }
        Ok(())
    }

    fn number_item(&mut self, value: i64, digits: usize) -> Result<(), String> {
        match self.peek(1).cloned() {
            Some(Kind::Mark(b':')) => return self.clock_time(),
            Some(Kind::Half { afternoon }) => {
                let time = half_day(value, afternoon, 0);
                self.at += 2;
                return self.set_time(time);
            }
            Some(Kind::Mark(b'/')) => return self.slashes(value),
            Some(Kind::Mark(b'-')) if self.dashes(value)? => return Ok(()),
            Some(Kind::Month(month)) => {
                self.at += 2;
                let year = match self.number(0) {
                    // What is followed by a colon is the hour.
                    Some((year, _)) if !self.mark(1, b':') => {
                        self.at += 1;
                        Some(full_year(year))
                    }
                    _ => None,
                };
                return self.set_date(year, month, value);
            }
            Some(Kind::Day(day)) => {
                self.at += 2;
                return self.set_weekday(value, day);
            }
            Some(Kind::Unit(unit, factor)) => {
                self.at += 2;
                self.distance(unit, factor.saturating_mul(value));
                return Ok(());
            }
            _ => {}
        }
        self.at += 1;
        if digits >= 6 {
            self.set_date(
                Some(full_year(value / 10_000)),
                value / 100 % 100,
                value % 100,
            )?;
            return self.iso_time();
        }
        if self.reading.time.is_some()
            && self.reading.date.is_some()
            && self.reading.distance.is_none()
            && self.reading.open_year
        {
            self.reading.open_year = false;
            if let Some(date) = &mut self.reading.date {
                date.year = full_year(value);
            }
            return Ok(());
        }
        let (hour, minute) = if digits <= 2 {
            (value, 0)
        } else {
            (value / 100, value % 100)
        };
        self.set_time(clock_seconds(hour, minute, 0))
    }

    /// The time in digits behind a date in digits.
    fn iso_time(&mut self) -> Result<(), String> {
        let mark = usize::from(self.peek(0) == Some(&Kind::IsoMark));
        match self.number(mark) {
            Some((time, digits)) if digits >= 6 => {
                self.at += mark + 1;
                self.set_time(clock_seconds(time / 10_000, time / 100 % 100, time % 100))
            }
            Some(_) if mark == 1 && self.peek(2) == Some(&Kind::Mark(b':')) => {
                self.at += 1;
                Ok(())
            }
            Some(_) if mark == 1 => {
                self.at += 2;
                Err(self.trouble())
            }
            _ => Ok(()),
        }
    }

    /// `10:20`, `10:20:30`, each perhaps with am or pm.
    fn clock_time(&mut self) -> Result<(), String> {
        let mut parts = Vec::new();
        loop {
            let Some((value, _)) = self.number(0) else {
                return Err(self.trouble());
            };
            self.at += 1;
            parts.push(value);
            if parts.len() == 3 || !self.mark(0, b':') {
                break;
            }
            self.at += 1;
        }
        let (hour, minute, second) = (
            parts[0],
            parts.get(1).copied().unwrap_or(0),
            parts.get(2).copied().unwrap_or(0),
        );
        let time = match self.peek(0) {
            Some(Kind::Half { afternoon }) => {
                let time = half_day(hour, *afternoon, minute * 60 + second);
                self.at += 1;
                time
            }
            _ => clock_seconds(hour, minute, second),
        };
        self.set_time(time)
    }

    /// `month/day` or `month/day/year`.
    fn slashes(&mut self, month: i64) -> Result<(), String> {
        self.at += 2;
        let Some((day, _)) = self.number(0) else {
            return Err(self.trouble());
        };
        self.at += 1;
        if !self.mark(0, b'/') {
            return self.set_date(None, month, day);
        }
        self.at += 1;
        let Some((year, _)) = self.number(0) else {
            return Err(self.trouble());
        };
        self.at += 1;
        self.set_date(Some(full_year(year)), month, day)
    }

    /// `year-month-day` or `day-month name-year`; false when something else begins here.
    fn dashes(&mut self, first: i64) -> Result<bool, String> {
        if !self.mark(3, b'-') {
            return match self.peek(2) {
                // `10 -5 days` is a time and a distance.
                Some(Kind::Number(..)) => Ok(false),
                _ => {
                    self.at += 2;
                    Err(self.trouble())
                }
            };
        }
        let (Some(middle), Some((last, _))) = (self.peek(2).cloned(), self.number(4)) else {
            self.at += 4;
            return Err(self.trouble());
        };
        let (year, month, day) = match middle {
            Kind::Number(month, _) => (first, month, last),
            Kind::Month(month) => (last, month, first),
            _ => {
                self.at += 2;
                return Err(self.trouble());
            }
        };
        self.at += 5;
        self.set_date(Some(full_year(year)), month, day)?;
        if self.peek(0) == Some(&Kind::IsoMark) {
            self.at += 1;
        }
        Ok(true)
    }

    /// `Jan 2` or `Jan 2, 2020`.
    fn month_first(&mut self, month: i64) -> Result<(), String> {
        self.at += 1;
        let Some((day, _)) = self.number(0) else {
            return Err(self.trouble());
        };
        self.at += 1;
        let year = match (self.mark(0, b','), self.number(1)) {
            (true, Some((year, _))) => {
                self.at += 2;
                Some(full_year(year))
            }
            _ => None,
        };
        self.set_date(year, month, day)
    }

    /// A number with a sign: a distance, or the offset of a zone.
    fn signed(&mut self, sign: i64) -> Result<(), String> {
        let Some((value, digits)) = self.number(1) else {
            self.at += 1;
            return Err(self.trouble());
        };
        match self.peek(2).cloned() {
            Some(Kind::Unit(unit, factor)) => {
                self.at += 3;
                self.distance(unit, factor.saturating_mul(sign * value));
                Ok(())
            }
            Some(Kind::Day(day)) => {
                self.at += 3;
                self.set_weekday(sign * value, day)
            }
            _ => {
                self.at += 2;
                let seconds = if digits <= 4 {
                    value / 100 * 3600 + value % 100 * 60
                } else {
                    0
                };
                self.set_zone(sign * seconds)
            }
        }
    }

    /// `next` or `last` with a unit, a day or a month.
    fn ordinal(&mut self, direction: i64) -> Result<(), String> {
        self.at += 1;
        let count = match self.number(0) {
            Some((value, _)) if direction > 0 => {
                self.at += 1;
                value
            }
            _ => 1,
        };
        let kind = self.peek(0).cloned();
        match kind {
            Some(Kind::Unit(unit, factor)) => {
                self.at += 1;
                self.distance(unit, factor.saturating_mul(direction * count));
                Ok(())
            }
            Some(Kind::Day(day)) => {
                self.at += 1;
                self.set_weekday(if direction > 0 { 2 } else { -1 }, day)
            }
            Some(Kind::Month(month)) => {
                self.at += 1;
                if self.reading.month.is_some() {
                    return Err("more than one ordinal month in string".to_owned());
                }
                self.reading.month = Some((if direction > 0 { count } else { 0 }, month));
                Ok(())
            }
            _ => Err(self.trouble()),
        }
    }

    /// Adds a distance; `ago` behind it turns round all that was said so far.
    fn distance(&mut self, unit: Unit, amount: i64) {
        let sums = self.reading.distance.get_or_insert_default();
        let place = match unit {
            Unit::Month => 0,
            Unit::Day => 1,
            Unit::Second => 2,
        };
        sums[place] = sums[place].saturating_add(amount);
        while self.tokens.get(self.at).map(|token| &token.kind) == Some(&Kind::Ago) {
            self.at += 1;
            for sum in self.reading.distance.get_or_insert_default() {
                *sum = sum.saturating_neg();
            }
        }
    }

    fn set_date(&mut self, year: Option<i64>, month: i64, day: i64) -> Result<(), String> {
        if self.reading.date.is_some() {
            return Err("more than one date in string".to_owned());
        }
        self.reading.open_year = year.is_none();
        let bounded = |n: i64| n.clamp(-FARTHEST, FARTHEST);
        let year = bounded(year.unwrap_or(self.base_year));
        self.reading.date = Some(Date {
            year,
            month: bounded(month),
            day: bounded(day),
        });
        Ok(())
    }

    fn set_time(&mut self, seconds: i64) -> Result<(), String> {
        if self.reading.time.replace(seconds).is_some() {
            return Err("more than one time of day in string".to_owned());
        }
        Ok(())
    }

    fn set_zone(&mut self, offset: i64) -> Result<(), String> {
        let summer = self.peek(0) == Some(&Kind::Summer);
        self.at += usize::from(summer);
        let offset = if summer { offset + 3600 } else { offset };
        if self.reading.zone.replace(offset).is_some() {
            return Err("more than one time zone in string".to_owned());
        }
        Ok(())
    }

    fn set_weekday(&mut self, count: i64, day: i64) -> Result<(), String> {
        let day = if day == 0 { 7 } else { day };
        let count = count.clamp(-FARTHEST, FARTHEST);
        if self.reading.weekday.replace((count, day)).is_some() {
            return Err("more than one weekday in string".to_owned());
        }
        Ok(())
    }
}

/// Seconds since midnight; what is no time of day is one second before it, as in Tcl.
fn clock_seconds(hour: i64, minute: i64, second: i64) -> i64 {
    let valid = (0..24).contains(&hour) && (0..60).contains(&minute) && (0..60).contains(&second);
    if valid {
        hour * 3600 + minute * 60 + second
    } else {
        -1
    }
}

fn half_day(hour: i64, afternoon: bool, rest: i64) -> i64 {
    if !(1..=12).contains(&hour) || !(0..3600).contains(&rest) {
        return -1;
    }
    (hour % 12 + if afternoon { 12 } else { 0 }) * 3600 + rest
}

/// Two digits of a year: 1939 to 2038.
fn full_year(year: i64) -> i64 {
    match year {
        0..=38 => year + 2000,
        39..=99 => year + 1900,
        _ => year,
    }
}
