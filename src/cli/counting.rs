//! `xmod usage`: definitions.

use camino::Utf8PathBuf;
use clap::Subcommand;

use crate::command::Outcome;
use crate::command::usage::{self, Question};
use crate::diag::Diagnostic;
use crate::session::Session;
use crate::usage::{By, Format};

#[derive(Debug, Subcommand)]
pub(super) enum Action {
    /// Read loads from logs into the database; what is read twice counts once
    Import {
        /// A file, or postgresql://...; else the setting usage_database
        #[arg(long)]
        database: Option<String>,
        /// Files of syslog, exports of the journal, files of users; - is standard input
        #[arg(required = true)]
        logs: Vec<Utf8PathBuf>,
    },
    /// Say what was loaded how often
    Report {
        /// A file, or postgresql://...; else the setting usage_database
        #[arg(long)]
        database: Option<String>,
        /// What is counted
        #[arg(long, value_enum, default_value = "module")]
        by: By,
        /// How it is written
        #[arg(long, value_enum, default_value = "table")]
        format: Format,
        /// Leave the names of people and groups out
        #[arg(long)]
        anonymous: bool,
        /// Count only what somebody asked for, not what other modules needed
        #[arg(long)]
        asked: bool,
        /// The first day, 2026-01-31; a year before the last one if it is not given
        #[arg(long)]
        since: Option<jiff::civil::Date>,
        /// The last day
        #[arg(long)]
        until: Option<jiff::civil::Date>,
        /// At most so many lines
        #[arg(long)]
        top: Option<usize>,
        /// Name the modules of the tree that nobody has loaded instead
        #[arg(long)]
        unused: bool,
        /// The modulepaths of that tree; MODULEPATH if there are none
        #[arg(requires = "unused")]
        dirs: Vec<String>,
    },
}

pub(super) fn run(session: &Session, action: &Action) -> Result<Outcome, Diagnostic> {
    match action {
        Action::Import { database, logs } => usage::import(session, database.as_deref(), logs),
        Action::Report {
            database,
            by,
            format,
            anonymous,
            asked,
            since,
            until,
            top,
            unused,
            dirs,
        } => {
            let question = Question {
                by: *by,
                format: *format,
                anonymous: *anonymous,
                asked_only: *asked,
                since: *since,
                until: *until,
                top: *top,
                unused: *unused,
                dirs,
            };
            usage::report(session, database.as_deref(), &question)
        }
    }
}
