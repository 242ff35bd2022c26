//! The loads in a database: SQLite in a file, or PostgreSQL by its address where several machines share one.
//!
//! A load is known by its time, machine, process and number, so that whatever is read twice counts once. Rows come in
//! transactions: an import that was killed has taken some of them whole, and is simply run again.

use std::cmp::Ordering;
use std::collections::HashMap;
use std::io::BufRead;

use rusqlite::OpenFlags;

use super::read::{Event, events_in};
use super::report::{By, Row};
use crate::catalog::{Usage, UsageFigures, UsagePeriod};

/// How many events go into one transaction.
const BATCH: usize = 20_000;

/// Longest line that is looked at, in bytes.
const MAX_LINE: u64 = 1 << 20;

/// A day, in microseconds.
const DAY: i64 = 24 * 3600 * 1_000_000;

/// Tells our files from other SQLite files: "xmou".
const APPLICATION_ID: i32 = 0x786d_6f75;

/// The tables; `{id}` is a number that the database gives.
const SCHEMA: &str = "
    CREATE TABLE IF NOT EXISTS word (id {id}, text TEXT NOT NULL UNIQUE);
    CREATE TABLE IF NOT EXISTS module (id {id}, name TEXT NOT NULL, version TEXT NOT NULL, UNIQUE (name, version));
    CREATE TABLE IF NOT EXISTS load (
        time BIGINT NOT NULL, host BIGINT NOT NULL, pid BIGINT NOT NULL, seq BIGINT NOT NULL, place BIGINT NOT NULL,
        person BIGINT NOT NULL, team BIGINT NOT NULL, module BIGINT NOT NULL, asked BIGINT NOT NULL, job TEXT,
        PRIMARY KEY (time, host, pid, seq, place));";

/// Why a database cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum UsageError {
    /// SQLite says no.
    #[error("the database `{0}` cannot be used: {1}")]
    Sqlite(String, rusqlite::Error),
    /// PostgreSQL says no.
    #[cfg(feature = "postgres")]
    #[error("the database cannot be used: {0}")]
    Postgres(String),
    /// The address or the server of PostgreSQL wants a connection that is encrypted.
    #[cfg(feature = "postgres")]
    #[error("the database wants an encrypted connection, and this program makes none: {0}")]
    NeedsTls(String),
    /// This program was built without PostgreSQL.
    #[cfg(not(feature = "postgres"))]
    #[error("this program was built without PostgreSQL")]
    NoPostgres,
    /// A file with something else in it.
    #[error("`{0}` is another kind of database")]
    Foreign(String),
    /// A log cannot be read.
    #[error("cannot read: {0}")]
    Read(#[from] std::io::Error),
}

/// What an import did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Imported {
    /// Lines that were looked at.
    pub lines: u64,
    /// Loads that they tell of.
    pub loads: u64,
    /// Loads that were not known before.
    pub new: u64,
}

/// What is to be done with a database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// It must be there, and stays as it is.
    Read,
    /// It is made where it is missing.
    Write,
}

/// The database.
pub struct Store {
    backend: Backend,
    words: HashMap<String, i64>,
    modules: HashMap<(String, String), i64>,
}

enum Backend {
    Sqlite(rusqlite::Connection, String),
    #[cfg(feature = "postgres")]
    Postgres(Box<postgres::Client>),
}

/// A load with the numbers of its words.
struct Line {
    event: [i64; 4],
    place: i64,
    person: i64,
    team: i64,
    module: i64,
    asked: i64,
    job: Option<String>,
}

impl Store {
    /// Opens `place`: the address of a PostgreSQL database (`postgresql://...`), or the name of a file.
    ///
    /// # Errors
    /// It cannot be opened, or is something else.
    pub fn open(place: &str, access: Access) -> Result<Store, UsageError> {
        let backend = if place.starts_with("postgres://") || place.starts_with("postgresql://") {
            open_postgres(place, access)?
        } else {
            open_sqlite(place, access)?
        };
        Ok(Store {
            backend,
            words: HashMap::new(),
            modules: HashMap::new(),
        })
    }

    /// Reads a log; `names` gives the name of a user (`passwd`) or a group (`group`) by its number.
    ///
    /// # Errors
    /// It cannot be read, or the database cannot be written. What came in before stays.
    pub fn import(
        &mut self,
        log: &mut dyn BufRead,
        names: &dyn Fn(&str, &str) -> Option<String>,
    ) -> Result<Imported, UsageError> {
        let mut imported = Imported::default();
        let mut known: HashMap<(bool, String), Option<String>> = HashMap::new();
        let mut name_of = |is_user: bool, number: &str| {
            let key = (is_user, number.to_owned());
            let database = if is_user { "passwd" } else { "group" };
            known
                .entry(key)
                .or_insert_with(|| names(database, number))
                .clone()
        };
        let mut batch: Vec<Event> = Vec::new();
        let mut last = None;
        let mut line = Vec::new();
        loop {
            line.clear();
            let read = std::io::Read::take(&mut *log, MAX_LINE).read_until(b'\n', &mut line)?;
            if read > 0 {
                imported.lines += 1;
                for mut event in events_in(&line) {
                    // The journal has the message as it came beside the one that it made of it.
                    let key = (event.time, event.pid, event.seq, event.host.clone());
                    if last.as_ref() == Some(&key) {
                        continue;
                    }
                    last = Some(key);
                    imported.loads += event.modules.len() as u64;
                    // What the system says counts more than a variable that everybody may set.
                    if let Some(user) = name_of(true, &event.uid) {
                        event.user = user;
                    } else if event.user.is_empty() || event.user == "-" {
                        event.user.clone_from(&event.uid);
                    }
                    if let Some(group) = name_of(false, &event.gid) {
                        event.gid = group;
                    }
                    batch.push(event);
                }
            }
            if batch.len() >= BATCH || read == 0 {
                imported.new += self.take(&batch)?;
                batch.clear();
            }
            if read == 0 {
                return Ok(imported);
            }
        }
    }

    /// Takes events in, all or none; says how many loads were new.
    fn take(&mut self, events: &[Event]) -> Result<u64, UsageError> {
        if events.is_empty() {
            return Ok(0);
        }
        let mut lines = Vec::new();
        for event in events {
            let host = self.word(&event.host)?;
            let person = self.word(&event.user)?;
            let team = self.word(&event.gid)?;
            for (place, (name, version, asked)) in (0..).zip(&event.modules) {
                lines.push(Line {
                    event: [event.time, host, event.pid, event.seq],
                    place,
                    person,
                    team,
                    module: self.module(name, version.as_deref().unwrap_or_default())?,
                    asked: i64::from(*asked),
                    job: event.job.clone(),
                });
            }
        }
        self.backend.insert(&lines)
    }

    fn word(&mut self, text: &str) -> Result<i64, UsageError> {
        if let Some(id) = self.words.get(text) {
            return Ok(*id);
        }
        let id = self.backend.id(
            "INSERT INTO word (text) VALUES ($1) ON CONFLICT DO NOTHING",
            "SELECT id FROM word WHERE text = $1",
            &[text],
        )?;
        self.words.insert(text.to_owned(), id);
        Ok(id)
    }

    fn module(&mut self, name: &str, version: &str) -> Result<i64, UsageError> {
        let key = (name.to_owned(), version.to_owned());
        if let Some(id) = self.modules.get(&key) {
            return Ok(*id);
        }
        let id = self.backend.id(
            "INSERT INTO module (name, version) VALUES ($1, $2) ON CONFLICT DO NOTHING",
            "SELECT id FROM module WHERE name = $1 AND version = $2",
            &[name, version],
        )?;
        self.modules.insert(key, id);
        Ok(id)
    }

    /// Loads and users from `first` until before `end` (microseconds since 1970), the most loaded first, months in their
    /// order.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn count(
        &mut self,
        by: By,
        asked_only: bool,
        first: i64,
        end: i64,
    ) -> Result<Vec<Row>, UsageError> {
        let (label, join) = match by {
            By::Module => ("m.name", ""),
            By::Version => (
                "CASE m.version WHEN '' THEN m.name ELSE m.name || '/' || m.version END",
                "",
            ),
            By::User => ("w.text", "JOIN word w ON w.id = l.person"),
            By::Group => ("w.text", "JOIN word w ON w.id = l.team"),
            By::Month => (self.backend.month(), ""),
        };
        let asked = if asked_only { "AND l.asked = 1" } else { "" };
        let mut rows = self.backend.rows(
            &format!(
                "SELECT {label}, count(*), count(DISTINCT l.person) FROM load l JOIN module m ON m.id = l.module {join}
                 WHERE l.time >= $1 AND l.time < $2 {asked} GROUP BY 1"
            ),
            first,
            end,
        )?;
        // Databases have an order of their own for text.
        rows.sort_by(|a, b| {
            let loads = if by == By::Month {
                Ordering::Equal
            } else {
                b.loads.cmp(&a.loads)
            };
            loads.then_with(|| a.label.cmp(&b.label))
        });
        Ok(rows)
    }

    /// The times of the first and the last load; `None` where there is none.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn period(&mut self) -> Result<Option<(i64, i64)>, UsageError> {
        self.backend.period()
    }
}

/// What the catalog tells of usage: the year before the last load that is known.
///
/// # Errors
/// The database cannot be read.
pub fn figures(store: &mut Store) -> Result<UsageFigures, UsageError> {
    let Some((first, last)) = store.period()? else {
        return Ok(UsageFigures::default());
    };
    let first = first.max(last - 365 * DAY);
    let mut count = |by| store.count(by, false, first, last + 1);
    let table = |rows: Vec<Row>| {
        let rows = rows.into_iter().map(|row| {
            let usage = Usage {
                loads: row.loads,
                users: row.users,
            };
            (row.label, usage)
        });
        rows.collect()
    };
    Ok(UsageFigures {
        names: table(count(By::Module)?),
        versions: table(count(By::Version)?),
        period: Some(UsagePeriod {
            first: day(first),
            last: day(last),
            months: count(By::Month)?
                .into_iter()
                .map(|row| (row.label, row.loads))
                .collect(),
        }),
    })
}

/// The day (UTC) of a time.
pub(super) fn day(time: i64) -> String {
    let time = jiff::Timestamp::from_microsecond(time).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    time.to_zoned(jiff::tz::TimeZone::UTC).date().to_string()
}

fn open_sqlite(path: &str, access: Access) -> Result<Backend, UsageError> {
    let failed = |error| UsageError::Sqlite(path.to_owned(), error);
    if access == Access::Write
        && let Some(dir) = camino::Utf8Path::new(path)
            .parent()
            .filter(|dir| !dir.as_str().is_empty())
    {
        std::fs::create_dir_all(dir)?;
    }
    let flags = match access {
        Access::Read => OpenFlags::SQLITE_OPEN_READ_ONLY,
        Access::Write => OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE,
    };
    let connection = rusqlite::Connection::open_with_flags(path, flags).map_err(failed)?;
    connection
        .busy_timeout(std::time::Duration::from_secs(60))
        .map_err(failed)?;
    let pragma = |name: &str| connection.pragma_query_value(None, name, |row| row.get::<_, i32>(0));
    let tables: i64 = connection
        .query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))
        .map_err(failed)?;
    let is_ours = pragma("application_id").map_err(failed)? == APPLICATION_ID;
    if !is_ours && (tables > 0 || access == Access::Read) {
        return Err(UsageError::Foreign(path.to_owned()));
    }
    if access == Access::Read {
        return Ok(Backend::Sqlite(connection, path.to_owned()));
    }
    connection
        .execute_batch(&format!(
            "PRAGMA synchronous = NORMAL; PRAGMA cache_size = -65536; PRAGMA application_id = {APPLICATION_ID};
             BEGIN; {} COMMIT;",
            SCHEMA.replace("{id}", "INTEGER PRIMARY KEY")
        ))
        .map_err(failed)?;
    Ok(Backend::Sqlite(connection, path.to_owned()))
}

#[cfg(not(feature = "postgres"))]
fn open_postgres(_: &str, _: Access) -> Result<Backend, UsageError> {
    Err(UsageError::NoPostgres)
}

#[cfg(feature = "postgres")]
fn open_postgres(address: &str, access: Access) -> Result<Backend, UsageError> {
    use postgres::config::SslMode;
    // The crate would say that it has no TLS; `verify-ca` and `verify-full` are words that it does not know.
    if let Some(word) = ["sslmode=verify-ca", "sslmode=verify-full"]
        .iter()
        .find(|word| address.contains(**word))
    {
        return Err(UsageError::NeedsTls((*word).to_owned()));
    }
    let config: postgres::Config = address.parse().map_err(of_postgres)?;
    if config.get_ssl_mode() == SslMode::Require {
        return Err(UsageError::NeedsTls("sslmode=require".to_owned()));
    }
    let mut client = config.connect(postgres::NoTls).map_err(|error| {
        let refused = of_postgres(error);
        match refused {
            // A line `hostssl` in pg_hba.conf, in the server's words.
            UsageError::Postgres(reason) if reason.contains("no encryption") => {
                UsageError::NeedsTls(reason)
            }
            refused => refused,
        }
    })?;
    if access == Access::Read {
        return Ok(Backend::Postgres(Box::new(client)));
    }
    // Two machines that begin at the same time would both make the tables.
    let schema = SCHEMA.replace(
        "{id}",
        "BIGINT GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY",
    );
    client
        .batch_execute(&format!(
            "SET client_min_messages = warning; BEGIN; SELECT pg_advisory_xact_lock({APPLICATION_ID}); {schema}
             CREATE TEMPORARY TABLE coming (LIKE load); COMMIT;"
        ))
        .map_err(of_postgres)?;
    Ok(Backend::Postgres(Box::new(client)))
}

/// What PostgreSQL says, with the reason that the error itself leaves out.
#[cfg(feature = "postgres")]
fn of_postgres(error: postgres::Error) -> UsageError {
    let reason = error
        .as_db_error()
        .map(|reason| reason.message().to_owned());
    UsageError::Postgres(
        reason.unwrap_or_else(|| match std::error::Error::source(&error) {
            Some(source) => format!("{error}: {source}"),
            None => error.to_string(),
        }),
    )
}

impl Backend {
    /// Makes a row where it is missing, and gives its number.
    fn id(&mut self, insert: &str, select: &str, values: &[&str]) -> Result<i64, UsageError> {
        match self {
            Backend::Sqlite(connection, path) => {
                let failed = |error| UsageError::Sqlite(path.clone(), error);
                let values = rusqlite::params_from_iter(values);
                connection.execute(insert, values.clone()).map_err(failed)?;
                connection
                    .query_row(select, values, |row| row.get(0))
                    .map_err(failed)
            }
            #[cfg(feature = "postgres")]
            Backend::Postgres(client) => {
                let values: Vec<&(dyn postgres::types::ToSql + Sync)> = values
                    .iter()
                    .map(|value| value as &(dyn postgres::types::ToSql + Sync))
                    .collect();
                client.execute(insert, &values).map_err(of_postgres)?;
                let row = client.query_one(select, &values).map_err(of_postgres)?;
                Ok(row.get(0))
            }
        }
    }

    /// Writes lines in one transaction; says how many were new.
    fn insert(&mut self, lines: &[Line]) -> Result<u64, UsageError> {
        match self {
            Backend::Sqlite(connection, path) => {
                let failed = |error| UsageError::Sqlite(path.clone(), error);
                let transaction = connection.transaction().map_err(failed)?;
                let mut new = 0;
                {
                    let mut insert = transaction
                        .prepare_cached(
                            "INSERT OR IGNORE INTO load VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                        )
                        .map_err(failed)?;
                    for line in lines {
                        let [time, host, pid, seq] = line.event;
                        new += insert
                            .execute(rusqlite::params![
                                time,
                                host,
                                pid,
                                seq,
                                line.place,
                                line.person,
                                line.team,
                                line.module,
                                line.asked,
                                line.job
                            ])
                            .map_err(failed)?;
                    }
                }
                transaction.commit().map_err(failed)?;
                Ok(new as u64)
            }
            #[cfg(feature = "postgres")]
            Backend::Postgres(client) => {
                use std::io::Write;
                let mut transaction = client.transaction().map_err(of_postgres)?;
                transaction
                    .batch_execute("TRUNCATE coming")
                    .map_err(of_postgres)?;
                let mut copy = transaction
                    .copy_in("COPY coming FROM STDIN")
                    .map_err(of_postgres)?;
                for line in lines {
                    let [time, host, pid, seq] = line.event;
                    let job = match &line.job {
                        // What has a meaning in the text form of COPY.
                        Some(job) => job
                            .replace('\\', "\\\\")
                            .replace('\t', "\\t")
                            .replace('\n', "\\n")
                            .replace('\r', "\\r"),
                        None => "\\N".to_owned(),
                    };
                    writeln!(
                        copy,
                        "{time}\t{host}\t{pid}\t{seq}\t{}\t{}\t{}\t{}\t{}\t{job}",
                        line.place, line.person, line.team, line.module, line.asked
                    )?;
                }
                copy.finish().map_err(of_postgres)?;
                let new = transaction
                    .execute(
                        "INSERT INTO load SELECT * FROM coming ORDER BY time, host, pid, seq, place ON CONFLICT DO NOTHING",
                        &[],
                    )
                    .map_err(of_postgres)?;
                transaction.commit().map_err(of_postgres)?;
                Ok(new)
            }
        }
    }

    /// The month of a load, as `2026-01`.
    fn month(&self) -> &'static str {
        match self {
            Backend::Sqlite(..) => "strftime('%Y-%m', l.time / 1000000, 'unixepoch')",
            #[cfg(feature = "postgres")]
            Backend::Postgres(_) => {
                "to_char(to_timestamp(l.time / 1000000) AT TIME ZONE 'UTC', 'YYYY-MM')"
            }
        }
    }

    fn rows(&mut self, query: &str, first: i64, end: i64) -> Result<Vec<Row>, UsageError> {
        let unsigned = |count: i64| u64::try_from(count).unwrap_or_default();
        match self {
            Backend::Sqlite(connection, path) => {
                let failed = |error| UsageError::Sqlite(path.clone(), error);
                let mut statement = connection.prepare(query).map_err(failed)?;
                let rows = statement
                    .query_map([first, end], |row| {
                        Ok(Row {
                            label: row.get(0)?,
                            loads: unsigned(row.get(1)?),
                            users: unsigned(row.get(2)?),
                        })
                    })
                    .map_err(failed)?;
                rows.collect::<Result<_, _>>().map_err(failed)
            }
            #[cfg(feature = "postgres")]
            Backend::Postgres(client) => {
                let rows = client.query(query, &[&first, &end]).map_err(of_postgres)?;
                Ok(rows
                    .iter()
                    .map(|row| Row {
                        label: row.get(0),
                        loads: unsigned(row.get(1)),
                        users: unsigned(row.get(2)),
                    })
                    .collect())
            }
        }
    }

    fn period(&mut self) -> Result<Option<(i64, i64)>, UsageError> {
        let query = "SELECT min(time), max(time) FROM load";
        let (first, last): (Option<i64>, Option<i64>) = match self {
            Backend::Sqlite(connection, path) => connection
                .query_row(query, [], |row| Ok((row.get(0)?, row.get(1)?)))
                .map_err(|error| UsageError::Sqlite(path.clone(), error))?,
            #[cfg(feature = "postgres")]
            Backend::Postgres(client) => {
                let row = client.query_one(query, &[]).map_err(of_postgres)?;
                (row.get(0), row.get(1))
            }
        };
        Ok(first.zip(last))
    }
}
