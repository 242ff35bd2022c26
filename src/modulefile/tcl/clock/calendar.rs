//! Days and dates, without zones: Julian day numbers to the calendar and back.
//!
//! As in Tcl's C locale, dates before 15 October 1582 are those of the Julian calendar.

/// Julian day of 1 January 1970.
pub(super) const EPOCH_DAY: i64 = 2_440_588;
/// Julian day of the first Gregorian date, 15 October 1582.
const GREGORIAN_START: i64 = 2_299_161;

pub(super) const SECONDS_OF_DAY: i64 = 86_400;

/// A date of the calendar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Date {
    /// Year of the common era; 0 is the year before 1.
    pub(super) year: i64,
    /// 1 to 12
    pub(super) month: i64,
    /// 1 to 31
    pub(super) day: i64,
}

/// Which rule says when a year has a 29 February.
#[derive(Clone, Copy, PartialEq)]
enum Calendar {
    Julian,
    Gregorian,
}

impl Date {
    /// The date of a Julian day.
    pub(super) fn of_day(day: i64) -> Self {
        // Days since 1 March of the year 0, in the rule of the calendar; years that begin in March end in a leap day.
        let (years, rest) = if day >= GREGORIAN_START {
            let days = day - 1_721_120;
            let (cycle, days) = (days.div_euclid(146_097), days.rem_euclid(146_097));
            let year = (days - days / 1_460 + days / 36_524 - days / 146_096) / 365;
            (
                cycle * 400 + year,
                days - (365 * year + year / 4 - year / 100),
            )
        } else {
            let days = day - 1_721_118;
            let (cycle, days) = (days.div_euclid(1_461), days.rem_euclid(1_461));
            let year = (days - days / 1_460) / 365;
            (cycle * 4 + year, days - 365 * year)
        };
        let shifted = (5 * rest + 2) / 153;
        let month = if shifted < 10 {
            shifted + 3
        } else {
            shifted - 9
        };
        Self {
            year: years + i64::from(month <= 2),
            month,
            day: rest - (153 * shifted + 2) / 5 + 1,
        }
    }

    /// The Julian day of the date; months beyond 12 and days beyond the month's end run over.
    pub(super) fn julian_day(self) -> i64 {
        let day = self.day_by(Calendar::Gregorian);
        if day >= GREGORIAN_START {
            day
        } else {
            self.day_by(Calendar::Julian)
        }
    }

    fn day_by(self, calendar: Calendar) -> i64 {
        let months = self.year * 12 + self.month - 1;
        // Count from March, so that the leap day is the last one of the year.
        let (year, month) = ((months - 2).div_euclid(12), (months - 2).rem_euclid(12));
        let days = (153 * month + 2) / 5 + self.day - 1 + 365 * year + year.div_euclid(4);
        match calendar {
            Calendar::Julian => days + 1_721_118,
            Calendar::Gregorian => days - year.div_euclid(100) + year.div_euclid(400) + 1_721_120,
        }
    }

    /// Moves by months; the day is cut to the end of the month.
    pub(super) fn add_months(self, months: i64) -> Self {
        let total = self.year * 12 + self.month - 1 + months;
        let (year, month) = (total.div_euclid(12), total.rem_euclid(12) + 1);
        let first = Self {
            year,
            month,
            day: 1,
        };
        let length = Self {
            month: month + 1,
            ..first
        }
        .julian_day()
            - first.julian_day();
        Self {
            day: self.day.min(length),
            ..first
        }
    }
}

/// The day of the year, from 1.
pub(super) fn day_of_year(day: i64) -> i64 {
    let year = Date::of_day(day).year;
    day - Date {
        year,
        month: 1,
        day: 1,
    }
    .julian_day()
        + 1
}

/// The day of the week: 1 Monday to 7 Sunday.
pub(super) fn weekday(day: i64) -> i64 {
    day.rem_euclid(7) + 1
}

/// The year and the week as ISO 8601 counts them: a week belongs to the year of its Thursday.
pub(super) fn iso_week(day: i64) -> (i64, i64) {
    let thursday = day - weekday(day) + 4;
    (
        Date::of_day(thursday).year,
        (day_of_year(thursday) - 1) / 7 + 1,
    )
}

/// The Julian day of a weekday in a week of ISO 8601.
pub(super) fn day_of_iso_week(year: i64, week: i64, weekday_wanted: i64) -> i64 {
    let fourth = Date {
        year,
        month: 1,
        day: 4,
    }
    .julian_day();
    fourth - weekday(fourth) + 1 + (week - 1) * 7 + weekday_wanted - 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_and_dates_are_inverse() {
        for day in (-2_000_000..6_000_000).step_by(97) {
            assert_eq!(Date::of_day(day).julian_day(), day);
        }
        assert_eq!(
            Date {
                year: 1970,
                month: 1,
                day: 1
            }
            .julian_day(),
            EPOCH_DAY
        );
        assert_eq!(
            Date::of_day(GREGORIAN_START),
            Date {
                year: 1582,
                month: 10,
                day: 15
            }
        );
        assert_eq!(
            Date::of_day(GREGORIAN_START - 1),
            Date {
                year: 1582,
                month: 10,
                day: 4
            }
        );
    }

    #[test]
    fn weeks_and_months() {
        let day = Date {
            year: 2021,
            month: 1,
            day: 3,
        }
        .julian_day();
        assert_eq!(
            (weekday(day), iso_week(day), day_of_year(day)),
            (7, (2020, 53), 3)
        );
        assert_eq!(day_of_iso_week(2020, 53, 7), day);
        let end = Date {
            year: 2024,
            month: 1,
            day: 31,
        };
        assert_eq!(
            end.add_months(1),
            Date {
                year: 2024,
                month: 2,
                day: 29
            }
        );
        assert_eq!(
            end.add_months(-11),
            Date {
                year: 2023,
                month: 2,
                day: 28
            }
        );
    }
}
