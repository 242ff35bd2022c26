//! `module avail` and `module overview`.

use std::borrow::Cow;

use super::list::{legend, with_marks};
use super::palette::{self, paint};
use super::{Layout, add_columns, banner, columns};

/// One module of a section.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry<'a> {
    /// Full name.
    pub name: &'a str,
    /// How people see the name, where the site shows it in its own way.
    pub shown: Option<String>,
    /// Marks behind it: `L`, `D`, `H`, properties.
    pub marks: Vec<Cow<'a, str>>,
    /// Its symbolic versions but `default`: the listing shows them as marks, the machine format as names of their own.
    pub symbols: Vec<&'a str>,
}

/// The modules of one modulepath, or of several under one label.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Section<'a> {
    /// The modulepath, or its label.
    pub title: String,
    /// Its modules, sorted.
    pub entries: Vec<Entry<'a>>,
}

/// What can be loaded now.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Avail<'a> {
    /// Aliases that belong to no modulepath: name and target (`None` where it cannot be loaded now).
    pub aliases: Vec<(String, Option<String>)>,
    /// The sections in the order of MODULEPATH.
    pub sections: Vec<Section<'a>>,
    /// Extensions of the modules shown.
    pub extensions: Vec<String>,
    /// What the marks mean.
    pub legend: Vec<(String, String)>,
}

/// Lays the listing out.
pub fn render(avail: &Avail<'_>, layout: Layout) -> String {
    if avail.sections.iter().all(|s| s.entries.is_empty())
        && avail.aliases.is_empty()
        && avail.extensions.is_empty()
    {
        return layout.say(
            "noModules",
            &[],
            "No module(s) or extension(s) found!\n\
             Use \"module spider\" to find all possible modules and extensions.\n",
        );
    }
    let mut text = String::from("\n");
    if !avail.aliases.is_empty() {
        text.push_str(&banner("Global Aliases", layout.width));
        let cells: Vec<String> = avail
            .aliases
            .iter()
            .map(|(name, target)| format!("{name} -> {}", target.as_deref().unwrap_or("(N/A)")))
            .collect();
        text.push_str(&columns(&cells, 3, layout.width));
        text.push('\n');
    }
    for section in avail.sections.iter().filter(|s| !s.entries.is_empty()) {
        text.push_str(&banner(&section.title, layout.width));
        add_columns(&mut text, &cells(&section.entries, layout), 3, layout.width);
        text.push('\n');
    }
    if !avail.extensions.is_empty() {
        let heading = layout.say("m_Extensions_head", &[], "Extensions of the modules above");
        text.push_str(&banner(&heading, layout.width));
        let cells: Vec<String> = avail
            .extensions
            .iter()
            .map(|e| format!("{e} (E)"))
            .collect();
        text.push_str(&columns(&cells, 3, layout.width));
        text.push('\n');
    }
    let legend = legend(&avail.legend, layout);
    text.push_str(legend.trim_start_matches('\n'));
    if !legend.is_empty() {
        text.push('\n');
    }
    text.push_str(
        "`module spider` finds modules in all hierarchies; `module keyword WORD` searches their descriptions.\n",
    );
    text
}

/// The cells of a section. Names are padded to the longest that carries marks, so that the marks stand in one column.
fn cells<'a>(entries: &[Entry<'a>], layout: Layout) -> Vec<Cow<'a, str>> {
    let cell = |entry: &Entry<'a>| {
        let symbols = entry.symbols.iter().copied();
        let marks: Vec<&str> = (entry.marks.iter().map(|mark| &**mark))
            .chain(symbols)
            .collect();
        if let Some(shown) = &entry.shown {
            return with_marks(shown, &marks);
        }
        let cell = with_marks(entry.name, &marks);
        if !layout.colour {
            return cell;
        }
        let has = |mark: &str| entry.marks.iter().any(|m| m == mark);
        let style = if has("F") {
            palette::FORBIDDEN
        } else if has("L") {
            palette::LOADED
        } else if has("H") {
            palette::HIDDEN
        } else if has("D") {
            palette::DEFAULT
        } else {
            return cell;
        };
        // Only the name is painted: underlined blanks and marks are hard to read.
        format!(
            "{}{}",
            paint(entry.name, style, layout.colour),
            &cell[entry.name.len()..]
        )
    };
    let cells = entries.iter().map(|entry| {
        let is_bare = entry.shown.is_none() && entry.marks.is_empty() && entry.symbols.is_empty();
        match is_bare {
            true => Cow::Borrowed(entry.name),
            false => Cow::Owned(cell(entry)),
        }
    });
    cells.collect()
}

/// The machine format: headings, names and aliases, one a line.
pub fn terse(avail: &Avail<'_>, with_names: bool, decorate: bool) -> String {
    let mut text = String::new();
    for (name, target) in &avail.aliases {
        if let Some(target) = target {
            text.push_str(&format!("{name}(@{target})\n"));
        }
    }
    for section in avail.sections.iter().filter(|s| !s.entries.is_empty()) {
        text.push_str(&format!("{}:\n", section.title));
        let mut last = "";
        for entry in &section.entries {
            let name = entry.name.rsplit_once('/').map_or("", |(name, _)| name);
            if with_names && !name.is_empty() && name != last {
                text.push_str(&format!("{name}/\n"));
                last = name;
            }
            for symbol in &entry.symbols {
                text.push_str(&format!("{name}/{symbol}(@{})\n", entry.name));
            }
            text.push_str(entry.name);
            if decorate {
                for mark in ["H", "F", "NF"] {
                    if entry.marks.iter().any(|m| m == mark) {
                        text.push_str(&format!(" <{mark}>"));
                    }
                }
            }
            text.push('\n');
        }
    }
    text
}
