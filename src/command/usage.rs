//! `xmod usage import|report`: from logs to figures.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader};
use std::time::Instant;

use camino::Utf8PathBuf;

use super::{Outcome, catalog};
use crate::config::Config;
use crate::diag::{Diagnostic, Kind};
use crate::session::{Session, look_up};
use crate::usage::{Access, By, Format, Imported, Rows, Store, UsageError};

/// Reads logs into the database. `-` is standard input.
///
/// # Errors
/// There is no database, it cannot be written, or a log cannot be read; what was read before stays.
pub fn import(
    session: &Session,
    database: Option<&str>,
    logs: &[Utf8PathBuf],
) -> Result<Outcome, Diagnostic> {
    let mut store = open(session, database, Access::Write)?;
    let start = Instant::now();
    let mut all = Imported::default();
    for log in logs {
        let mut reader: Box<dyn BufRead> = if log == "-" {
            Box::new(BufReader::new(std::io::stdin()))
        } else {
            let file = std::fs::File::open(log).map_err(|error| {
                Diagnostic::new(Kind::Usage, format!("cannot read `{log}`: {error}"))
            })?;
            Box::new(BufReader::with_capacity(1 << 18, file))
        };
        let imported = store.import(&mut *reader, &look_up).map_err(site)?;
        all.lines += imported.lines;
        all.loads += imported.loads;
        all.new += imported.new;
    }
    let seconds = start.elapsed().as_secs_f64().max(0.001);
    let text = format!(
        "{} lines, {} loads, {} of them new; {:.0} loads a second\n",
        all.lines,
        all.loads,
        all.new,
        all.loads as f64 / seconds
    );
    Ok(Outcome {
        stdout: text.into_bytes(),
        ..Outcome::default()
    })
}

/// What a report is about.
#[derive(Debug)]
pub struct Question<'a> {
    /// What is counted.
    pub by: By,
    /// How it is written.
    pub format: Format,
    /// Names of people and groups are left out.
    pub anonymous: bool,
    /// Only loads that somebody asked for.
    pub asked_only: bool,
    /// The first day; a year before the last one where it is not given.
    pub since: Option<jiff::civil::Date>,
    /// The last day; that of the last load where it is not given.
    pub until: Option<jiff::civil::Date>,
    /// At most so many lines.
    pub top: Option<usize>,
    /// Modules of the tree that nobody has loaded instead.
    pub unused: bool,
    /// The modulepaths of that tree.
    pub dirs: &'a [String],
}

/// Says what was loaded how often.
///
/// # Errors
/// There is no database, or it cannot be read.
pub fn report(
    session: &Session,
    database: Option<&str>,
    question: &Question,
) -> Result<Outcome, Diagnostic> {
    let mut store = open(session, database, Access::Read)?;
    let (oldest, newest) = store.period().map_err(site)?.ok_or_else(|| {
        Diagnostic::new(Kind::Site, "the database holds no loads yet")
            .help("xmod usage import /var/log/xmod.log")
    })?;
    let start_of = |date: jiff::civil::Date| {
        let zoned = date.to_zoned(jiff::tz::TimeZone::UTC).ok();
        zoned.map(|zoned| zoned.timestamp().as_microsecond())
    };
    let end = match question
        .until
        .and_then(|date| date.tomorrow().ok())
        .and_then(start_of)
    {
        Some(end) => end,
        None => newest + 1,
    };
    let first = match question.since.and_then(start_of) {
        Some(first) => first,
        None => oldest.max(end - YEAR),
    };
    if question.unused {
        return unused(session, &mut store, question, first, end);
    }
    let mut rows = Rows {
        by: question.by,
        period: (day(first), day(end - 1)),
        rows: store
            .count(question.by, question.asked_only, first, end)
            .map_err(site)?,
    };
    if question.anonymous {
        rows.make_anonymous();
    }
    if let Some(top) = question.top {
        rows.rows.truncate(top);
    }
    Ok(Outcome {
        stdout: rows.render(question.format).into_bytes(),
        ..Outcome::default()
    })
}

/// A year, in microseconds.
const YEAR: i64 = 365 * 24 * 3600 * 1_000_000;

fn day(time: i64) -> String {
    let time = jiff::Timestamp::from_microsecond(time).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    time.to_zoned(jiff::tz::TimeZone::UTC).date().to_string()
}

/// The modules of the tree without a load, one a line.
fn unused(
    session: &Session,
    store: &mut Store,
    question: &Question,
    first: i64,
    end: i64,
) -> Result<Outcome, Diagnostic> {
    let by = if question.by == By::Version {
        By::Version
    } else {
        By::Module
    };
    let used: BTreeSet<String> = store
        .count(by, false, first, end)
        .map_err(site)?
        .into_iter()
        .map(|row| row.label)
        .collect();
    let names = catalog::names(session, question.dirs, by == By::Version)?;
    let unused: Vec<&String> = names.iter().filter(|name| !used.contains(*name)).collect();
    let text = match question.format {
        Format::Json => {
            let value = serde_json::json!({
                "format_version": 1, "first": day(first), "last": day(end - 1), "unused": unused,
            });
            format!("{value:#}\n")
        }
        Format::Table | Format::Csv | Format::Svg => {
            unused.iter().map(|name| format!("{name}\n")).collect()
        }
    };
    Ok(Outcome {
        stdout: text.into_bytes(),
        ..Outcome::default()
    })
}

/// The database that was named, else that of the configuration.
pub(super) fn open(
    session: &Session,
    database: Option<&str>,
    access: Access,
) -> Result<Store, Diagnostic> {
    let config = Config::new(session);
    let place = match database {
        Some(place) => place,
        None => config.usage_database.as_str(),
    };
    if place.is_empty() {
        return Err(Diagnostic::new(Kind::Usage, "which database?").help(
            "name it with `--database FILE` or `--database postgresql://...`, or set `usage_database` in the site configuration",
        ));
    }
    Store::open(place, access).map_err(site)
}

pub(super) fn site(error: UsageError) -> Diagnostic {
    let diagnostic = Diagnostic::new(Kind::Site, error.to_string());
    match error {
        #[cfg(feature = "postgres")]
        UsageError::NeedsTls(_) => diagnostic.help(
            "run the import on the machine of the database (`host=/run/postgresql`), or let `ssh -L` or `stunnel` encrypt it",
        ),
        _ => diagnostic,
    }
}
