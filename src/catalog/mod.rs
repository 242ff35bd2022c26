//! The modules of all hierarchies for portals: a catalog of the site's software, and the formats of Lmod's `spider`.
//!
//! The documents are made from a [`Crawl`](crate::tree::Crawl): same tree, same bytes.

mod category;
mod html;
mod job;
pub mod lmod;
mod lmod_text;
mod metadata;
mod model;
mod overlay;
mod report;
mod text;
mod write;

pub use job::{Group, Job, MAIL_EVENTS, Order, command_line};
pub use model::{Catalog, File, Package, Usage, UsageFigures, UsagePeriod, Version};
pub use overlay::Overlay;
pub use report::Report;
pub(crate) use text::csv_cell;

use camino::Utf8Path;

use crate::diag::Diagnostic;
use crate::tree::Crawl;

/// A format of `xmod catalog export`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// The whole catalog, as docs/reference/catalog.schema.json describes it
    Json,
    /// A table for spreadsheets
    Csv,
    /// A page of tables, one a category
    Markdown,
    /// A static site: a directory with a searchable table, a page a module, a form for batch jobs
    Html,
    /// What the dashboard of Open OnDemand reads, without hidden modules
    Ood,
    /// Lmod's jsonSoftwarePage
    LmodSoftwarePage,
}

/// An export before it is written.
#[derive(Debug)]
pub enum Export {
    /// One document.
    Document(Vec<u8>),
    /// The files of a directory.
    Site(Vec<(String, Vec<u8>)>),
}

impl Export {
    /// Writes the export to `path`, whole or not at all.
    ///
    /// # Errors
    /// It cannot be written; what was there before stays.
    pub fn write(&self, path: &Utf8Path) -> Result<(), Diagnostic> {
        match self {
            Export::Document(bytes) => write::file(path, bytes),
            Export::Site(files) => write::directory(path, files),
        }
    }
}

/// The export of a tree in a format. `templates` is a directory with pages of the site's own.
///
/// # Errors
/// A template of the site cannot be read or carried out.
pub fn export(
    crawl: &Crawl,
    format: Format,
    overlay: &Overlay,
    usage: &UsageFigures,
    templates: Option<&Utf8Path>,
) -> Result<Export, Diagnostic> {
    let catalog = || Catalog::new(crawl, overlay, usage);
    // Neither of Lmod's formats here tells about search paths.
    let paths = lmod::PathFilter::default();
    let text = match format {
        Format::Json => text::json(&catalog()),
        Format::Csv => text::csv(&catalog()),
        Format::Markdown => text::markdown(&catalog()),
        Format::Ood => lmod::render(crawl, lmod::Style::OpenOnDemand, &paths),
        Format::LmodSoftwarePage => lmod::render(crawl, lmod::Style::SoftwarePage, &paths),
        Format::Html => return html::site(&catalog(), templates).map(Export::Site),
    };
    Ok(Export::Document(text.into_bytes()))
}
