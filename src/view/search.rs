//! `module search`, `module provides`.

use super::{Layout, border, wrapped};

/// A name with what was found of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Found {
    /// Name without version.
    pub name: String,
    /// Full names, lowest first.
    pub versions: Vec<String>,
    /// What it is.
    pub description: String,
    /// The programs that match.
    pub programs: Vec<String>,
    /// The extensions that match.
    pub extensions: Vec<String>,
}

/// A program with the ways to it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Program {
    /// Its name.
    pub name: String,
    /// The modules to load, one way a row.
    pub ways: Vec<Vec<String>>,
    /// How many ways are not told.
    pub more: usize,
}

/// How many names of a kind are shown.
const MOST: usize = 12;

/// What was found, the best first.
pub fn results(title: &str, results: &[Found], layout: Layout) -> String {
    let line = border(layout.width);
    let mut text = format!("\n{line}{title}{line}");
    for found in results {
        let versions = found.versions.join(", ");
        text.push_str(&wrapped(&format!("{}: {versions}", found.name), 2, layout));
        if !found.description.is_empty() {
            text.push_str(&wrapped(&found.description, 4, layout));
        }
        for (kind, names) in [
            ("programs", &found.programs),
            ("extensions", &found.extensions),
        ] {
            if !names.is_empty() {
                let mut shown = names
                    .iter()
                    .take(MOST)
                    .cloned()
                    .collect::<Vec<_>>()
                    .join(", ");
                if names.len() > MOST {
                    shown.push_str(&format!(" and {} more", names.len() - MOST));
                }
                text.push_str(&wrapped(&format!("{kind}: {shown}"), 4, layout));
            }
        }
        text.push('\n');
    }
    text.push_str(&format!(
        "{line}How to load one of them:  module spider NAME/VERSION\n"
    ));
    text
}

/// How to get at a program.
pub fn program(found: &Program) -> String {
    let mut text = format!("`{}` comes with:\n", found.name);
    for way in &found.ways {
        text.push_str(&format!("    module load {}\n", way.join(" ")));
    }
    if found.more > 0 {
        text.push_str(&format!(
            "and {} more: module search {}\n",
            found.more, found.name
        ));
    }
    text
}
