//! `module list`.

use std::borrow::Borrow;

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
        return layout.say("noModsLoaded", &[], "No modules loaded\n");
    }
    let mut text = String::from("\n");
    text.push_str(&layout.say("currLoadedMods", &[], "Currently Loaded Modules"));
    if list.patterns.is_empty() {
        text.push(':');
    } else {
        let wanted = list.patterns.join(" or ");
        let own = format!(" Matching: {wanted}");
        text.push_str(&layout.say("matching", &[("wanted", &wanted)], own));
    }
    text.push('\n');
    if list.loaded.is_empty() {
        text.push_str(&layout.say("noneFound", &[], "  None found.\n"));
    } else {
        let cells: Vec<String> = list
            .loaded
            .iter()
            .map(|e| with_marks(&e.name, &e.marks))
            .collect();
        text.push_str(&numbered(&cells, layout.width));
    }
    if !list.inactive.is_empty() {
        text.push('\n');
        text.push_str(&layout.say("Inactive", &[], "Inactive Modules:\n"));
        text.push_str(&numbered(&list.inactive, layout.width));
    }
    text.push_str(&legend(&list.legend, layout));
    if list.some_hidden {
        text.push_str("\nOne or more modules are hidden from list. To see all do \"module --show_hidden list\"\n");
    }
    text.push('\n');
    text
}

/// A name with its marks in parentheses.
pub fn with_marks<M: Borrow<str>>(name: &str, marks: &[M]) -> String {
    if marks.is_empty() {
        name.to_owned()
    } else {
        [name, " (", &marks.join(","), ")"].concat()
    }
}

/// What the marks mean, or nothing.
pub fn legend(rows: &[(String, String)], layout: Layout) -> String {
    if rows.is_empty() {
        return String::new();
    }
    let mut text = format!("\n{}", layout.say("Where", &[], "  Where:\n"));
    for (mark, meaning) in rows {
        let key = MEANINGS.iter().find(|(own, _)| own == meaning);
        let meaning = match key {
            Some((_, key)) => layout.say(key, &[], meaning.as_str()),
            None => meaning.clone(),
        };
        text.push_str(&format!("   {mark}:  {meaning}\n"));
    }
    text
}

/// Lmod's keys of what marks mean.
const MEANINGS: &[(&str, &str)] = &[
    ("Default Module", "DefaultM"),
    ("Experimental", "ExplM"),
    ("Hidden Module", "HiddenM"),
    ("Module is loaded", "LoadedM"),
    (
        "Module is Sticky, requires --force to unload or purge",
        "StickyM",
    ),
    ("Obsolete", "ObsM"),
    ("Testing", "TstM"),
];
