//! Listings and questions as Environment Modules answers them; the setting `listing_style` leads here.
//!
//! Source: `module(1)`.

mod ask;
mod avail;
pub(super) mod change;
pub(super) mod init_files;
mod list;
mod query;
pub(super) mod stash;

pub(super) use ask::{config, state};
pub(super) use avail::avail;
pub(super) use list::list;
pub(super) use query::{aliases, info_loaded, is_saved, is_used, paths, search, whatis};

use camino::Utf8Path;

use super::Context;
use crate::view::modules::Abbreviations;

impl Context<'_> {
    /// The short forms of tags.
    fn abbreviations(&self) -> Abbreviations {
        Abbreviations::new(&self.config.tag_abbreviations)
    }
}

/// When a file was changed, as listings show it; empty where that cannot be told.
fn modified(file: &Utf8Path) -> String {
    let changed = std::fs::metadata(file).and_then(|meta| meta.modified());
    let Some(time) = changed.ok().and_then(|t| jiff::Timestamp::try_from(t).ok()) else {
        return String::new();
    };
    let local = time.to_zoned(jiff::tz::TimeZone::system());
    local.strftime("%Y/%m/%d %H:%M:%S").to_string()
}
