//! Listings and questions as Environment Modules answers them; the setting `listing_style` leads here.
//!
//! Source: `module(1)`.

mod ask;
mod avail;
pub(super) mod change;
pub(super) mod collections;
mod extra;
pub(super) mod init_files;
mod list;
mod query;
pub(super) mod stash;

pub(super) use ask::{config, state};
pub(super) use avail::{avail, spider};
pub(super) use list::list;
pub(super) use query::{aliases, info_loaded, is_saved, is_used, paths, search, whatis};

use camino::Utf8Path;

use super::Context;
use crate::config::{IgnoreCase, SearchMatch};
use crate::diag::{Diagnostic, Kind};
use crate::view::modules::Abbreviations;

impl Context<'_> {
    /// Whether a word of the request is looked for anywhere in a text, not only at its beginning.
    fn searches_anywhere(&self) -> bool {
        match self.options.search_begins {
            Some(begins) => !begins,
            None => self.config.search_match == SearchMatch::Contains,
        }
    }

    /// Whether upper and lower case are the same to a search.
    fn ignores_case(&self) -> bool {
        self.config.ignore_case != IgnoreCase::Never
    }

    /// A text as searches compare it.
    fn folded(&self, text: &str) -> String {
        match self.ignores_case() {
            true => text.to_lowercase(),
            false => text.to_owned(),
        }
    }

    /// The short forms of tags.
    fn abbreviations(&self) -> Abbreviations {
        Abbreviations::new(&self.config.tag_abbreviations)
    }

    /// What a listing is to show: the option `--output`, which may amend the setting by `+a:b` and `-a:b`, else that.
    ///
    /// # Errors
    /// It goes with another layout only, or one of its elements does not exist.
    fn output_elements(
        &self,
        setting: &str,
        known: &[&str],
        subcommand: &str,
    ) -> Result<Vec<String>, Diagnostic> {
        let list = |text: &str| -> Vec<String> {
            let items = text.split(':').filter(|item| !item.is_empty());
            items.map(str::to_owned).collect()
        };
        let Some(text) = self.options.output.as_deref() else {
            return Ok(list(setting));
        };
        for (set, layout) in [(self.options.long, "long"), (self.options.json, "json")] {
            if set {
                return Err(Diagnostic::new(
                    Kind::Usage,
                    format!("`--output` does not go with the {layout} layout"),
                ));
            }
        }
        let named = list(text.trim_start_matches(['+', '-']));
        if let Some(bad) = named.iter().find(|name| !known.contains(&name.as_str())) {
            return Err(Diagnostic::new(
                Kind::Usage,
                format!("`{bad}` is not an element of the output of `{subcommand}`"),
            )
            .help(format!("there are {}", known.join(", "))));
        }
        Ok(match text.chars().next() {
            Some('+') => [list(setting), named].concat(),
            Some('-') => {
                let kept = list(setting).into_iter();
                kept.filter(|element| !named.contains(element)).collect()
            }
            _ => named,
        })
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
