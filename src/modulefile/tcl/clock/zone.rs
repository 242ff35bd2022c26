//! Time zones: offsets, zones of the system's files, and rules in the manner of POSIX.

use super::calendar::SECONDS_OF_DAY;
use jiff::Timestamp;
use jiff::tz::TimeZone;

/// Where systems keep their zone files.
const DIRECTORIES: [&str; 4] = [
    "/usr/share/zoneinfo",
    "/usr/share/lib/zoneinfo",
    "/usr/lib/zoneinfo",
    "/usr/local/etc/zoneinfo",
];

/// A zone in which times are shown and read.
#[derive(Clone, Debug)]
pub(crate) enum Zone {
    /// A fixed distance from UTC in seconds, with the name to show.
    Fixed {
        offset: i64,
        name: String,
    },
    Rules(TimeZone),
    /// Rules in the manner of POSIX, and a moment at which they have no summer time.
    Posix(TimeZone, Timestamp),
}

/// The seconds from the start of 1900 to the end of 2099, for which Tcl makes a table of the rules of a POSIX zone.
const POSIX_SECONDS: std::ops::Range<i64> = -2_208_988_800..4_102_444_800;

impl Zone {
    /// Greenwich, as `-gmt 1` means it.
    pub(crate) fn gmt() -> Self {
        Self::Fixed {
            offset: 0,
            name: "GMT".to_owned(),
        }
    }

    /// The local zone: that of the variable `TZ`, else that of the machine.
    pub(crate) fn local(tz: Option<&[u8]>) -> Self {
        if let Some(zone) = tz
            .filter(|tz| !tz.is_empty())
            .and_then(|tz| Self::named(tz, None).ok())
        {
            return zone;
        }
        let machine = std::fs::read("/etc/localtime")
            .ok()
            .and_then(|bytes| TimeZone::tzif("Local", &bytes).ok());
        machine.map_or_else(
            || Self::Fixed {
                offset: 0,
                name: "UTC".to_owned(),
            },
            Self::Rules,
        )
    }

    /// A zone by name: `+0200`, `:Europe/Paris`, `EST5EDT`, `localtime`.
    ///
    /// # Errors
    /// Tcl's text for a name which is no zone.
    pub(crate) fn named(name: &[u8], tz: Option<&[u8]>) -> Result<Self, Vec<u8>> {
        let text = std::str::from_utf8(name).unwrap_or("");
        if matches!(text, "" | "localtime" | ":localtime") {
            return Ok(Self::local(tz));
        }
        if text == "GMT" || text == ":GMT" {
            return Ok(Self::gmt());
        }
        if let Some(offset) = numeric_offset(text) {
            return Ok(Self::Fixed {
                offset,
                name: text.to_owned(),
            });
        }
        // Tcl asks for a file of this name only where the name itself tells no rules.
        if !text.starts_with(':')
            && text.bytes().any(|b| b.is_ascii_digit())
            && let Ok(rules) =
                TimeZone::posix(text).or_else(|_| TimeZone::posix(&with_usual_rules(text)))
        {
            let months = [0, SECONDS_OF_DAY * 182].map(timestamp);
            let plain = months
                .into_iter()
                .find(|&at| !rules.to_offset_info(at).dst().is_dst());
            return Ok(Self::Posix(rules, plain.unwrap_or_default()));
        }
        let file = text.strip_prefix(':').unwrap_or(text);
        if let Some(rules) = zone_file(file) {
            return Ok(Self::Rules(rules));
        }
        let quote: &[u8] = if text.starts_with(':') { b"\"" } else { b"" };
        Err([b"time zone ", quote, name, quote, b" not found"].concat())
    }

    /// The distance from UTC at a moment, and the name of the zone then.
    pub(super) fn at(&self, seconds: i64) -> (i64, String) {
        match self {
            Self::Fixed { offset, name } => (*offset, name.clone()),
            Self::Rules(zone) | Self::Posix(zone, _) => {
                let info = zone.to_offset_info(self.asked(seconds));
                let name = info.abbreviation().to_owned();
                (i64::from(info.offset().seconds()), name)
            }
        }
    }

    fn offset(&self, seconds: i64) -> i64 {
        match self {
            Self::Fixed { offset, .. } => *offset,
            Self::Rules(zone) | Self::Posix(zone, _) => {
                i64::from(zone.to_offset(self.asked(seconds)).seconds())
            }
        }
    }

    /// For which moment to ask the rules.
    fn asked(&self, seconds: i64) -> Timestamp {
        match self {
            Self::Posix(_, plain) if !POSIX_SECONDS.contains(&seconds) => *plain,
            _ => timestamp(seconds),
        }
    }

    /// The moment of a local time: the first of two, and what the old offset gives where the clock jumps over it.
    pub(super) fn moment(&self, local: i64) -> i64 {
        let before = local.saturating_sub(self.offset(local.saturating_sub(SECONDS_OF_DAY)));
        let after = local.saturating_sub(self.offset(local.saturating_add(SECONDS_OF_DAY)));
        let fits = |moment: i64| moment.saturating_add(self.offset(moment)) == local;
        if !fits(before) && fits(after) {
            after
        } else {
            before
        }
    }
}

/// The moment, or the nearest that the zone rules know.
fn timestamp(seconds: i64) -> Timestamp {
    let edge = if seconds < 0 {
        Timestamp::MIN
    } else {
        Timestamp::MAX
    };
    Timestamp::from_second(seconds).unwrap_or(edge)
}

/// Reads `+hh`, `+hhmm`, `+hh:mm`, `+hhmmss`.
pub(super) fn numeric_offset(text: &str) -> Option<i64> {
    let sign = match text.as_bytes().first()? {
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    let mut groups = Vec::new();
    let mut rest = &text[1..];
    while !rest.is_empty() {
        if !groups.is_empty() {
            rest = rest.strip_prefix(':').unwrap_or(rest);
        }
        let digits = rest
            .get(..2)
            .filter(|digits| digits.bytes().all(|b| b.is_ascii_digit()))?;
        groups.push(digits.parse::<i64>().ok()?);
        rest = &rest[2..];
    }
    match groups[..] {
        [hours] => Some(sign * hours * 3600),
        [hours, minutes] => Some(sign * (hours * 3600 + minutes * 60)),
        [hours, minutes, seconds] => Some(sign * (hours * 3600 + minutes * 60 + seconds)),
        _ => None,
    }
}

fn zone_file(name: &str) -> Option<TimeZone> {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"_-+/".contains(&b);
    if name.starts_with('/') || !name.bytes().all(plain) {
        return None;
    }
    DIRECTORIES.iter().find_map(|directory| {
        let bytes = std::fs::read(format!("{directory}/{name}")).ok()?;
        TimeZone::tzif(name, &bytes).ok()
    })
}

/// Adds the days on which summer time begins and ends: those of the European Union where the zone lies east of
/// Greenwich, else those of the United States. Source: clock(n), of zones in the manner of POSIX.
fn with_usual_rules(text: &str) -> String {
    let offset = text.trim_start_matches(|c: char| c.is_ascii_alphabetic());
    let hours: Option<i64> = offset.strip_prefix('-').and_then(|east| {
        let digits = east.bytes().take_while(u8::is_ascii_digit).count();
        east[..digits].parse().ok()
    });
    match hours {
        Some(hours @ 0..=12) => {
            let start = if hours > 2 { 2 } else { hours + 1 };
            format!("{text},M3.5.0/{start},M10.5.0/{}", start + 1)
        }
        _ => format!("{text},M3.2.0/2,M11.1.0/2"),
    }
}

/// The offset of a zone's usual abbreviation, in seconds.
pub(super) fn abbreviated(name: &str) -> Option<i64> {
    let name = name.to_ascii_lowercase();
    // The zones of seamen and soldiers: A to M without J lie east, N to Y west.
    match name.as_bytes() {
        [letter @ b'a'..=b'i'] => return Some(i64::from(letter - b'a' + 1) * 3600),
        [letter @ b'k'..=b'm'] => return Some(i64::from(letter - b'a') * 3600),
        [letter @ b'n'..=b'y'] => return Some(-i64::from(letter - b'n' + 1) * 3600),
        _ => {}
    }
    let (_, quarters) = ABBREVIATIONS
        .iter()
        .find(|(abbreviation, _)| *abbreviation == name)?;
    Some(i64::from(*quarters) * 900)
}

/// Abbreviations with their distance from UTC in quarters of an hour.
#[rustfmt::skip]
const ABBREVIATIONS: &[(&str, i32)] = &[
    ("gmt", 0), ("ut", 0), ("utc", 0), ("z", 0), ("wet", 0), ("bst", 4), ("west", 4), ("wat", -4), ("at", -8), ("nft", -14),
    ("nst", -14), ("ndt", -10), ("ast", -16), ("adt", -12), ("est", -20), ("edt", -16), ("cst", -24), ("cdt", -20),
    ("mst", -28), ("mdt", -24), ("pst", -32), ("pdt", -28), ("yst", -36), ("ydt", -32), ("hst", -40), ("hdt", -36),
    ("cat", -40), ("ahst", -40), ("nt", -44), ("idlw", -48), ("cet", 4), ("cest", 8), ("met", 4), ("mewt", 4), ("mest", 8),
    ("swt", 4), ("sst", 8), ("fwt", 4), ("fst", 8), ("eet", 8), ("eest", 12), ("bt", 12), ("it", 14), ("msk", 12), ("msd", 16),
    ("zp4", 16), ("zp5", 20), ("ist", 22), ("zp6", 24), ("wast", 8), ("wadt", 32), ("jt", 30), ("cct", 32), ("jst", 36),
    ("cast", 38), ("cadt", 42), ("east", 40), ("eadt", 44), ("gst", 40), ("nzt", 48), ("nzst", 48), ("nzdt", 52), ("idle", 48),
];
