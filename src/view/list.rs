//! `module list`.

use super::{Layout, numbered};

/// One line of the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Full name, or `alias -> full name`.
    pub name: String,
    /// Short marks behind it: `S`, `T`, `H`.
    pub marks: Vec<String>,
}

/// The loaded modules for people.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct List {
    /// Loaded modules, in load order.
    pub loaded: Vec<Entry>,
    /// Modules that wait for their place in the hierarchy.
    pub inactive: Vec<String>,
    /// The patterns that chose them.
    pub patterns: Vec<String>,
    /// What the marks mean.
    pub legend: Vec<(String, String)>,
    /// Whether something is not shown.
    pub some_hidden: bool,
}

/// Lays the list out.
pub fn render(list: &List, layout: Layout) -> String {
    if list.loaded.is_empty() && list.inactive.is_empty() && list.patterns.is_empty() {
        return "No modules loaded\n".to_owned();
    }
    let mut text = String::from("\n");
    if list.patterns.is_empty() {
        text.push_str("Currently Loaded Modules:\n");
    } else {
        text.push_str(&format!(
            "Currently Loaded Modules Matching: {}\n",
            list.patterns.join(" or ")
        ));
    }
    if list.loaded.is_empty() {
        text.push_str("  None found.\n");
    } else {
        let cells: Vec<String> = list
            .loaded
            .iter()
            .map(|e| with_marks(&e.name, &e.marks))
            .collect();
        text.push_str(&numbered(&cells, layout.width));
    }
    if !list.inactive.is_empty() {
        text.push_str("\nInactive Modules:\n");
        text.push_str(&numbered(&list.inactive, layout.width));
    }
    text.push_str(&legend(&list.legend));
    if list.some_hidden {
        text.push_str("\nOne or more modules are hidden from list. To see all do \"module --show_hidden list\"\n");
    }
    text.push('\n');
    text
}

/// A name with its marks in parentheses.
pub fn with_marks(name: &str, marks: &[String]) -> String {
    if marks.is_empty() {
        name.to_owned()
    } else {
        format!("{name} ({})", marks.join(","))
    }
}

/// What the marks mean, or nothing.
pub fn legend(rows: &[(String, String)]) -> String {
    if rows.is_empty() {
        return String::new();
    }
    let mut text = String::from("\n  Where:\n");
    for (mark, meaning) in rows {
        text.push_str(&format!("   {mark}:  {meaning}\n"));
    }
    text
}
