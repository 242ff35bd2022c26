//! Modulepaths on disk: which modules there are, and what rc files say about their names.
//!
//! Nothing is read before somebody asks, and nothing twice in a run ([`Roots`]). Choosing a version among those of a
//! directory happens here too ([`Roots::choose`]), so that listings and loads agree on what the default is.

mod about;
mod admin;
mod ahead;
mod children;
mod choose;
mod crawl;
mod describe;
mod dir;
mod facts;
mod ignore;
mod index;
mod listing;
mod programs;
mod rc;
mod reads;
mod recorder;
mod roots;
mod site;
mod stamp;
mod statement;
mod survey;

pub use about::{About, Packed, ROOT, Search, Texts, command_dirs};
pub use admin::AdminList;
pub use ahead::read_dir_ahead;
pub use children::Children;
pub use choose::{Choice, Chosen, Want};
pub use crawl::{
    Crawl, Depth, Extra, Known, Memory, Mistake, NoMemory, Opener, Record, Store, TakeProgram, Way,
};
pub use dir::{Begins, Child, Dir, EntryKind, FileChild, Markers, each_entry};
pub(crate) use dir::{is_ignored, module_part};
pub use facts::{Alias, AliasKind, Clock, Facts, Forbidden, NearlyForbidden, Subject, Verdict};
pub use ignore::IgnorePattern;
pub use index::{Finder, Group, Index, Line, Row, Wanted, heads, index_lines, numbered};
pub use listing::{Entry, Filter, Named, Surveyed, Tree};
pub use programs::programs_in;
pub use rc::{RcEvaluator, RcReader, global_mode};
pub use reads::Reads;
pub use roots::{GlobalRc, Rank, Roots, Whose, global_files};
pub(crate) use roots::{file_path, joined};
pub use stamp::{SETTLED, Stamp, now};
pub use statement::{Places, Statement};
pub use survey::{Again, Readers, Source, SourceKind, Spoken, Survey, digest, order_names};
