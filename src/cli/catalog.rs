//! `xmod catalog`: definitions.

use camino::Utf8PathBuf;
use clap::{Args, Subcommand, ValueEnum};

use crate::catalog::Format;
use crate::command::Outcome;
use crate::command::catalog::{self, Source};
use crate::diag::Diagnostic;
use crate::session::Session;

#[derive(Debug, Subcommand)]
pub(super) enum Action {
    /// Write the catalog in a format of portals, tables or pages
    Export {
        /// The format
        #[arg(long, value_enum)]
        format: Format,
        /// Where it is written, whole or not at all; standard output for all but html
        #[arg(long)]
        output: Option<Utf8PathBuf>,
        #[command(flatten)]
        source: From,
    },
    /// Say which modules lack a category, a description, a home page, ... and which modulefiles are broken
    Report {
        /// For people or for programs
        #[arg(long, value_enum, default_value = "text")]
        format: ReportFormat,
        #[command(flatten)]
        source: From,
    },
}

/// Where the catalog comes from.
#[derive(Debug, Args)]
pub(super) struct From {
    /// The site's file that corrects and completes what modulefiles say; else the setting catalog_overlay
    #[arg(long)]
    overlay: Option<Utf8PathBuf>,
    /// The database of usage, a file or postgresql://...; else the setting usage_database
    #[arg(long)]
    usage: Option<String>,
    /// A directory with pages of the site's own, for html; else the setting catalog_templates
    #[arg(long)]
    templates: Option<Utf8PathBuf>,
    /// The modulepaths to begin with; MODULEPATH if there are none
    dirs: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum ReportFormat {
    /// For people
    Text,
    /// For programs
    Json,
}

impl From {
    fn source(&self) -> Source<'_> {
        Source {
            dirs: &self.dirs,
            overlay: self.overlay.as_deref(),
            usage: self.usage.as_deref(),
            templates: self.templates.as_deref(),
        }
    }
}

pub(super) fn run(session: &Session, action: &Action) -> Result<Outcome, Diagnostic> {
    match action {
        Action::Export {
            format,
            output,
            source,
        } => catalog::export(session, &source.source(), *format, output.as_deref()),
        Action::Report { format, source } => {
            catalog::report(session, &source.source(), *format == ReportFormat::Json)
        }
    }
}
