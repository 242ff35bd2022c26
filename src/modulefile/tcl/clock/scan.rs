//! `clock scan -format`: a moment from text in a known form.

use super::calendar::{self, Date, SECONDS_OF_DAY};
use super::locale::Locale;
use super::zone::{self, Zone};

/// Julian day of 31 December 9999, the last that Tcl reads.
const LAST_DAY: i64 = 5_373_484;

/// A number and the place of its format group among all.
type Field = Option<(i64, usize)>;

/// What was read from the text. Of the same field, the last reading counts.
#[derive(Default)]
struct Fields {
    epoch: Option<i64>,
    julian_day: Field,
    century: Option<i64>,
    year_of_century: Option<i64>,
    month: Field,
    day: Field,
    day_of_year: Field,
    iso_year: Option<i64>,
    /// Of the year only two digits were given; such a date says less.
    iso_year_is_short: bool,
    iso_week: Field,
    weekday: Field,
    before_common_era: bool,
    hour: Option<i64>,
    half_hour: Option<i64>,
    afternoon: Option<bool>,
    minute: Option<i64>,
    second: Option<i64>,
    /// The zone, or that its name is not known.
    zone: Option<Result<Zone, Vec<u8>>>,
}

/// Reads `text` by `template`; what the text leaves open is taken from the moment `base`.
///
/// # Errors
/// Tcl's text when they do not fit.
pub(crate) fn scan(
    text: &[u8],
    template: &[u8],
    base: i64,
    zone: &Zone,
    locale: &Locale,
) -> Result<i64, Vec<u8>> {
    let text = String::from_utf8_lossy(text).to_lowercase();
    let mut reader = Reader {
        rest: text.as_bytes(),
        locale,
        fields: Fields::default(),
        place: 0,
    };
    reader.skip_blanks();
    reader.read(&locale.expand(template))?;
    reader.skip_blanks();
    if !reader.rest.is_empty() {
        return Err(no_match());
    }
    let mut fields = reader.fields;
    let own_zone = fields.zone.take().transpose()?;
    if let Some(epoch) = fields.epoch {
        return Ok(epoch);
    }
    if fields.weekday.is_some_and(|(day, _)| day > 7) {
        return Err(b"day of week is greater than 7".to_vec());
    }
    let zone = own_zone.as_ref().unwrap_or(zone);
    let day = fields.date(base, zone);
    if day > LAST_DAY {
        return Err(b"requested date too large to represent".to_vec());
    }
    let second = fields.time();
    let days = day.saturating_sub(calendar::EPOCH_DAY);
    Ok(zone.moment(days.saturating_mul(SECONDS_OF_DAY).saturating_add(second)))
}

fn no_match() -> Vec<u8> {
    b"input string does not match supplied format".to_vec()
}

impl Fields {
    fn year(&self) -> Option<i64> {
        let of_century = self.year_of_century?;
        let year = match self.century {
            Some(century) => century * 100 + of_century,
            None => in_this_age(of_century),
        };
        Some(if self.before_common_era {
            1 - year
        } else {
            year
        })
    }

    /// The Julian day, from the most telling fields that were read; of equally telling ones the last counts.
    fn date(&self, base: i64, zone: &Zone) -> i64 {
        let (offset, _) = zone.at(base);
        let today = base.saturating_add(offset).div_euclid(SECONDS_OF_DAY) + calendar::EPOCH_DAY;
        let now = Date::of_day(today);
        if let Some((day, _)) = self.julian_day {
            return day;
        }
        let first = |year| {
            Date {
                year,
                month: 1,
                day: 1,
            }
            .julian_day()
        };
        let this_iso_year = calendar::iso_week(today).0;
        let both = |a: Field, b: Field| Some(((a?.0, b?.0), a?.1.max(b?.1)));
        let mut best: Option<(u32, usize, i64)> = None;
        let mut offer = |rank: u32, place: usize, day: i64| {
            if best.is_none_or(|(other, last, _)| rank < other || rank == other && place > last) {
                best = Some((rank, place, day));
            }
        };
        let year = self.year();
        let rank = match (year, self.century) {
            (None, _) => 2,
            (Some(_), None) => 1,
            (Some(_), Some(_)) => 0,
        };
        if let Some(((month, day), place)) = both(self.month, self.day) {
            let date = Date {
                year: year.unwrap_or(now.year),
                month,
                day,
            };
            offer(rank, place, date.julian_day());
        }
        if let Some((of_year, place)) = self.day_of_year {
            offer(rank, place, first(year.unwrap_or(now.year)) + of_year - 1);
        }
        if let Some(((week, weekday), place)) = both(self.iso_week, self.weekday) {
            let iso_year = self.iso_year.unwrap_or(this_iso_year);
            offer(
                match self.iso_year {
                    None => 2,
                    Some(_) => u32::from(self.iso_year_is_short),
                },
                place,
                calendar::day_of_iso_week(iso_year, week, weekday),
            );
        }
        if let Some((day, place)) = self.day {
            offer(3, place, Date { day, ..now }.julian_day());
        }
        if let Some((weekday, place)) = self.weekday {
            offer(4, place, today - calendar::weekday(today) + weekday);
        }
        best.map_or(today, |(_, _, day)| day)
    }

    /// Seconds since midnight; a half-day hour counts only with its half.
    fn time(&self) -> i64 {
        let hour = match (self.half_hour, self.afternoon) {
            (Some(hour), Some(afternoon)) => Some(hour % 12 + if afternoon { 12 } else { 0 }),
            _ => self.hour,
        };
        // Seconds count only behind minutes.
        let minute = self.minute.unwrap_or(0);
        let second = self.second.filter(|_| self.minute.is_some()).unwrap_or(0);
        hour.map_or(0, |hour| hour * 3600 + minute * 60 + second)
    }
}

/// Two digits of a year: 1938 to 2037.
pub(super) fn in_this_age(of_century: i64) -> i64 {
    if of_century < 38 {
        2000 + of_century
    } else {
        1900 + of_century
    }
}

struct Reader<'a> {
    /// What is left of the text, in lower case.
    rest: &'a [u8],
    locale: &'a Locale,
    fields: Fields,
    /// How many format groups were read.
    place: usize,
}

impl Reader<'_> {
    fn skip_blanks(&mut self) -> usize {
        let blanks = self
            .rest
            .iter()
            .take_while(|b| b.is_ascii_whitespace())
            .count();
        self.rest = &self.rest[blanks..];
        blanks
    }

    fn read(&mut self, template: &[u8]) -> Result<(), Vec<u8>> {
        let mut letters = template.iter().copied().peekable();
        while let Some(byte) = letters.next() {
            if byte.is_ascii_whitespace() {
                while letters.next_if(u8::is_ascii_whitespace).is_some() {}
                // Blanks at the very end are optional, as they are at the beginning.
                if self.skip_blanks() == 0 && letters.peek().is_some() {
                    return Err(no_match());
                }
                continue;
            }
            if byte != b'%' {
                self.literal(byte)?;
                continue;
            }
            match letters.next() {
                None => self.literal(b'%')?,
                Some(b'E') => match letters.next() {
                    Some(letter) => self.own_group(letter)?,
                    None => self.literal(b'%').and_then(|()| self.literal(b'e'))?,
                },
                Some(b'O') => match letters.next() {
                    Some(letter) => self.numeral(letter)?,
                    None => self.literal(b'%').and_then(|()| self.literal(b'o'))?,
                },
                Some(letter) => self.group(letter)?,
            }
        }
        Ok(())
    }

    fn literal(&mut self, byte: u8) -> Result<(), Vec<u8>> {
        match self.rest.split_first() {
            Some((first, rest)) if first.eq_ignore_ascii_case(&byte) => {
                self.rest = rest;
                Ok(())
            }
            _ => Err(no_match()),
        }
    }

    /// Reads up to `most` digits, blanks before them aside.
    fn number(&mut self, least: usize, most: usize) -> Result<i64, Vec<u8>> {
        self.skip_blanks();
        let digits = self
            .rest
            .iter()
            .take(most)
            .take_while(|b| b.is_ascii_digit())
            .count();
        if digits < least {
            return Err(no_match());
        }
        let value = self.rest[..digits]
            .iter()
            .fold(0, |sum, b| sum * 10 + i64::from(b - b'0'));
        self.rest = &self.rest[digits..];
        Ok(value)
    }

    /// Reads an integer of any length.
    fn integer(&mut self) -> Result<i64, Vec<u8>> {
        self.skip_blanks();
        let sign = usize::from(matches!(self.rest.first(), Some(b'+' | b'-')));
        let digits = self.rest[sign..]
            .iter()
            .take_while(|b| b.is_ascii_digit())
            .count();
        if digits == 0 {
            return Err(no_match());
        }
        let (number, rest) = self.rest.split_at(sign + digits);
        self.rest = rest;
        let text = std::str::from_utf8(number).expect("sign and digits are ASCII");
        text.parse()
            .map_err(|_| b"integer value too large to represent".to_vec())
    }

    /// Reads one of `names`, written out or so that only one begins that way; gives its number.
    fn choose(&mut self, names: &[(String, i64)]) -> Result<i64, Vec<u8>> {
        let longest = names.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
        for length in (1..=longest.min(self.rest.len())).rev() {
            let word = &self.rest[..length];
            let mut matching = names
                .iter()
                .filter(|(name, _)| name.as_bytes().starts_with(word));
            let written_out = names.iter().rev().find(|(name, _)| name.as_bytes() == word);
            let found = match (written_out, matching.next(), matching.next()) {
                (Some((_, number)), ..) | (None, Some((_, number)), None) => *number,
                _ => continue,
            };
            self.rest = &self.rest[length..];
            return Ok(found);
        }
        Err(no_match())
    }

    /// Reads a number from 0 to 99 as the language writes it.
    fn own_number(&mut self) -> Result<i64, Vec<u8>> {
        let names: Vec<_> = match &self.locale.numerals {
            None => (0..100).map(|n| (format!("{n:02}"), n)).collect(),
            Some(numerals) => numbered(numerals),
        };
        self.choose(&names)
    }

    /// Reads a group with `%E`. As in Tcl, the name of an era and the year in it say nothing of the date.
    fn own_group(&mut self, letter: u8) -> Result<(), Vec<u8>> {
        match letter {
            b'C' => {
                let eras = &self.locale.eras;
                let names: Vec<_> = eras
                    .iter()
                    .map(|era| (lower(&era.name), era.year))
                    .collect();
                if !names.is_empty() {
                    self.choose(&names)?;
                }
                Ok(())
            }
            b'y' => self.own_number().map(drop),
            b'E' => self.era(),
            other => {
                self.literal(b'%')?;
                self.literal(b'e')?;
                self.literal(other)
            }
        }
    }

    /// Reads a group with `%O`.
    fn numeral(&mut self, letter: u8) -> Result<(), Vec<u8>> {
        self.place += 1;
        match letter {
            b'd' | b'e' => self.fields.day = Some((self.own_number()?, self.place)),
            b'H' | b'k' => self.fields.hour = Some(self.own_number()?),
            b'I' | b'l' => self.fields.half_hour = Some(self.own_number()?),
            b'm' => self.fields.month = Some((self.own_number()?, self.place)),
            b'M' => self.fields.minute = Some(self.own_number()?),
            b'S' => self.fields.second = Some(self.own_number()?),
            b'u' | b'w' => {
                let day = self.own_number()?;
                self.fields.weekday = Some((if day == 0 { 7 } else { day }, self.place));
            }
            b'y' => self.fields.year_of_century = Some(self.own_number()?),
            other => {
                self.literal(b'%')?;
                self.literal(b'o')?;
                self.literal(other)?;
            }
        }
        Ok(())
    }

    fn group(&mut self, letter: u8) -> Result<(), Vec<u8>> {
        self.place += 1;
        match letter {
            b'a' | b'A' => {
                let day = self.choose(&both(&self.locale.days))?;
                self.fields.weekday = Some(((day + 6) % 7 + 1, self.place));
            }
            b'b' | b'B' | b'h' => {
                let month = self.choose(&both(&self.locale.months))?;
                self.fields.month = Some((month + 1, self.place));
            }
            b'C' => self.fields.century = Some(self.number(1, 2)?),
            b'd' | b'e' => self.fields.day = Some((self.number(1, 2)?, self.place)),
            b'g' => {
                let year = self.number(1, 2)?;
                self.fields.iso_year = Some(in_this_age(year));
                self.fields.iso_year_is_short = true;
            }
            b'G' => {
                self.fields.iso_year = Some(self.number(4, 4)?);
                self.fields.iso_year_is_short = false;
            }
            b'H' | b'k' => self.fields.hour = Some(self.number(1, 2)?),
            b'I' | b'l' => self.fields.half_hour = Some(self.number(1, 2)?),
            b'j' => self.fields.day_of_year = Some((self.number(1, 3)?, self.place)),
            b'J' => self.fields.julian_day = Some((self.integer()?, self.place)),
            b'm' | b'N' => self.fields.month = Some((self.number(1, 2)?, self.place)),
            b'M' => self.fields.minute = Some(self.number(1, 2)?),
            b'n' | b't' => {
                self.skip_blanks();
            }
            b'p' | b'P' => self.half()?,
            b's' => self.fields.epoch = Some(self.integer()?),
            b'S' => self.fields.second = Some(self.number(1, 2)?),
            b'u' | b'w' => {
                let day = self.number(1, 1)?;
                self.fields.weekday = Some((if day == 0 { 7 } else { day }, self.place));
            }
            b'U' | b'W' => drop(self.number(1, 2)?),
            b'V' => self.fields.iso_week = Some((self.number(1, 2)?, self.place)),
            b'y' => {
                self.fields.year_of_century = Some(self.number(1, 2)?);
            }
            b'Y' => {
                let year = self.number(4, 4)?;
                (self.fields.century, self.fields.year_of_century) =
                    (Some(year / 100), Some(year % 100));
            }
            b'z' | b'Z' => self.zone()?,
            b'%' => self.literal(b'%')?,
            other => {
                self.literal(b'%')?;
                self.literal(other)?;
            }
        }
        Ok(())
    }

    fn half(&mut self) -> Result<(), Vec<u8>> {
        self.skip_blanks();
        let names = numbered(&self.locale.halves);
        self.fields.afternoon = Some(self.choose(&names)? == 1);
        Ok(())
    }

    fn era(&mut self) -> Result<(), Vec<u8>> {
        let names = [
            (lower(&self.locale.before_common_era), 1),
            (lower(&self.locale.common_era), 0),
            ("b.c.e.".to_owned(), 1),
            ("c.e.".to_owned(), 0),
            ("b.c.".to_owned(), 1),
            ("a.d.".to_owned(), 0),
        ];
        self.fields.before_common_era = self.choose(&distinct(names.into()))? == 1;
        Ok(())
    }

    fn zone(&mut self) -> Result<(), Vec<u8>> {
        self.skip_blanks();
        let signed = matches!(self.rest.first(), Some(b'+' | b'-'));
        let length = match signed {
            true => offset_length(self.rest),
            false => {
                let letters = self.rest.iter().take(4);
                letters.take_while(|b| b.is_ascii_alphanumeric()).count()
            }
        };
        let name = std::str::from_utf8(&self.rest[..length]).map_err(|_| no_match())?;
        let offset = match signed {
            true => Ok(zone::numeric_offset(name).ok_or_else(no_match)?),
            false if name.is_empty() => return Err(no_match()),
            false => zone::abbreviated(name).ok_or_else(|| {
                format!("time zone \"{}\" not found", name.to_ascii_lowercase()).into_bytes()
            }),
        };
        self.fields.zone = Some(offset.map(|offset| Zone::Fixed {
            offset,
            name: name.to_owned(),
        }));
        self.rest = &self.rest[length..];
        Ok(())
    }
}

fn lower(name: &[u8]) -> String {
    String::from_utf8_lossy(name).to_lowercase()
}

/// Names with their places.
fn numbered(names: &[Vec<u8>]) -> Vec<(String, i64)> {
    let names = names.iter().map(|name| lower(name)).zip(0..);
    distinct(names.collect())
}

/// Short and full names with their places.
fn both(names: &[Vec<Vec<u8>>; 2]) -> Vec<(String, i64)> {
    distinct([numbered(&names[0]), numbered(&names[1])].concat())
}

/// Leaves each name once; of several places the last one counts.
fn distinct(names: Vec<(String, i64)>) -> Vec<(String, i64)> {
    let mut out: Vec<(String, i64)> = Vec::with_capacity(names.len());
    for (name, place) in names {
        match out.iter_mut().find(|(known, _)| *known == name) {
            Some(known) => known.1 = place,
            None => out.push((name, place)),
        }
    }
    out
}

/// The length of an offset `+hh`, `+hhmm`, `+hh:mm` and so on at the beginning of a text.
fn offset_length(text: &[u8]) -> usize {
    let mut end = 1;
    for group in 0..3 {
        let colon = usize::from(group > 0 && text.get(end) == Some(&b':'));
        match text.get(end + colon..end + colon + 2) {
            Some(digits) if digits.iter().all(u8::is_ascii_digit) => end += colon + 2,
            _ => break,
        }
    }
    end
}
