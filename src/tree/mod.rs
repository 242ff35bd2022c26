//! Modulepaths on disk: which modules there are, and what rc files say about their names.
//!
//! Nothing is read before somebody asks, and nothing twice in a run ([`Roots`]). Choosing a version among those of a
//! directory happens here too ([`Roots::choose`]), so that listings and loads agree on what the default is.

mod admin;
mod choose;
mod crawl;
mod dir;
mod facts;
mod ignore;
mod listing;
mod rc;
mod recorder;
mod roots;
mod site;

pub use admin::AdminList;
pub use choose::{Choice, Chosen, Want};
pub use crawl::{About, Crawl, Memory, NoMemory, Way};
pub(crate) use dir::is_ignored;
pub use dir::{Child, Dir, FileChild, Markers};
pub use facts::{Alias, AliasKind, Clock, Facts, Forbidden, NearlyForbidden, Subject, Verdict};
pub use ignore::IgnorePattern;
pub use listing::{Entry, Filter, Named, Tree};
pub use rc::{RcEvaluator, RcReader, global_mode};
pub use roots::{GlobalRc, Rank, Roots, Whose, global_files};
pub(crate) use roots::{file_path, joined};
