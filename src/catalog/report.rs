//! What the catalog lacks: for those who look after the modulefiles.

use std::collections::BTreeMap;

use serde::Serialize;

use super::category;
use super::model::{Catalog, Package};

/// What is missing, and what looks wrong.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Report {
    /// The version of this document.
    pub format_version: u32,
    /// How many pieces of software there are.
    pub modules: usize,
    /// The names of those that lack something, by what they lack.
    pub missing: BTreeMap<&'static str, Vec<String>>,
    /// Categories that look like another one with a slip of the pen, and that other one.
    pub similar_categories: Vec<(String, String)>,
    /// Modulefiles with a mistake: file and message.
    pub broken: BTreeMap<String, String>,
}

/// A fact, and whether it is missing.
type Check = (&'static str, fn(&Package) -> bool);

/// What each piece of software should have.
const WANTED: &[Check] = &[
    ("category", |p| p.categories.is_empty()),
    ("description", |p| p.description.is_empty()),
    ("help", |p| p.versions.iter().all(|v| v.help.is_empty())),
    ("keywords", |p| p.keywords.is_empty()),
    ("license", |p| p.license.is_empty()),
    ("maintainer", |p| p.maintainers.is_empty()),
    ("url", |p| p.url.is_empty()),
];

impl Report {
    /// Looks the catalog through; `broken` are the files with a mistake.
    pub fn new(catalog: &Catalog, broken: BTreeMap<String, String>) -> Report {
        let missing = WANTED.iter().map(|(fact, is_missing)| {
            let names = catalog.modules.iter().filter(|p| is_missing(p));
            (*fact, names.map(|p| p.name.clone()).collect())
        });
        Report {
            format_version: 1,
            modules: catalog.modules.len(),
            missing: missing.collect(),
            similar_categories: category::suspects(&catalog.categories()),
            broken,
        }
    }

    /// The report as text for people: of each list the first `most` names.
    pub fn text(&self, most: usize) -> String {
        let mut text = format!("{} modules\n", self.modules);
        for (fact, names) in &self.missing {
            if names.is_empty() {
                text.push_str(&format!("{fact:<12} complete\n"));
                continue;
            }
            let mut shown = names
                .iter()
                .take(most)
                .cloned()
                .collect::<Vec<_>>()
                .join(", ");
            if names.len() > most {
                shown.push_str(&format!(", and {} more", names.len() - most));
            }
            text.push_str(&format!("{fact:<12} missing in {}: {shown}\n", names.len()));
        }
        for (rare, common) in &self.similar_categories {
            text.push_str(&format!(
                "category `{rare}` looks like `{common}`; to make them one, say in the overlay:\n  [categories]\n  {} = [{}]\n",
                toml_string(common),
                toml_string(rare)
            ));
        }
        for (file, message) in &self.broken {
            text.push_str(&format!("{file}: {message}\n"));
        }
        text
    }
}

fn toml_string(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}
