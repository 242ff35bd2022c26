//! Text for people: lists, columns, reports. Takes plain values, gives text; asks nobody.
//!
//! The look is the field's own (Lmod user guide "module list", "module avail", "module spider"): people and scripts know
//! it by heart.

pub mod avail;
pub mod diff;
pub mod list;
pub mod markdown;
pub mod modules;
pub mod palette;
pub mod report;
pub mod search;
pub mod show;
pub mod spider;

use term_grid::{Direction, Filling, Grid, GridOptions};

use crate::diag::SiteWords;

/// How text is laid out, and in whose words.
#[derive(Debug, Clone, Copy)]
pub struct Layout<'w> {
    /// Columns of the terminal.
    pub width: usize,
    /// Whether colours are shown.
    pub colour: bool,
    /// The site's words.
    pub words: &'w dyn SiteWords,
}

impl Layout<'_> {
    /// A text of a report in the site's words, else `own`. The lines end as ours do.
    pub fn say(&self, key: &str, values: &[(&str, &str)], own: impl Into<String>) -> String {
        let own = own.into();
        let of_site = self.words.of_site(key, values);
        of_site.map_or(own.clone(), |text| ended_as(text, &own))
    }

    /// The same for a message of the kind `lmodwarning` or `lmodmessage`.
    pub fn tell(&self, kind: &str, key: &str, values: &[(&str, &str)], own: &str) -> String {
        let of_site = self.words.message(kind, key, values, own);
        of_site.map_or_else(|| own.to_owned(), |text| ended_as(text, own))
    }
}

/// A text of the site ends in a newline where ours does.
fn ended_as(mut text: String, own: &str) -> String {
    if own.ends_with('\n') && !text.ends_with('\n') {
        text.push('\n');
    }
    text
}

/// A heading in the middle of a line of dashes.
pub fn banner(title: &str, width: usize) -> String {
    let length = unicode_width::UnicodeWidthStr::width(title) + 2;
    let left = (width.saturating_sub(length) / 2).max(4);
    let right = width.saturating_sub(length + left).max(4);
    format!("{} {title} {}\n", "-".repeat(left), "-".repeat(right))
}

/// A line of dashes.
pub fn border(width: usize) -> String {
    format!("{}\n", "-".repeat(width.saturating_sub(4).max(4)))
}

/// Cells in columns, filled from top to bottom as `ls` does, each line behind `indent` blanks.
pub fn columns(cells: Vec<String>, indent: usize, width: usize) -> String {
    let grid = Grid::new(
        cells,
        GridOptions {
            filling: Filling::Spaces(3),
            direction: Direction::TopToBottom,
            width: width.saturating_sub(indent + 1).max(1),
        },
    );
    let margin = " ".repeat(indent);
    let mut text = String::new();
    for line in grid.to_string().lines() {
        text.push_str(&margin);
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

/// Cells behind running numbers, in columns.
pub fn numbered(cells: &[String], width: usize) -> String {
    let cells = cells
        .iter()
        .enumerate()
        .map(|(index, cell)| format!("{:>3}) {cell}", index + 1))
        .collect();
    columns(cells, 0, width)
}

/// A text, each line behind `indent` blanks.
pub fn indented(text: &str, indent: usize) -> String {
    let margin = " ".repeat(indent);
    text.lines()
        .map(|line| {
            if line.is_empty() {
                "\n".to_owned()
            } else {
                format!("{margin}{line}\n")
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_banner_fills_the_width_but_for_one_column() {
        assert_eq!(
            banner("/mods/Core", 71),
            "----------------------------- /mods/Core ------------------------------\n"
        );
        assert_eq!(
            banner("a title longer than the terminal", 20),
            "---- a title longer than the terminal ----\n"
        );
    }

    #[test]
    fn columns_are_filled_from_top_to_bottom() {
        let cells = ["a", "bb", "c", "d", "e"].map(str::to_owned).to_vec();
        assert_eq!(columns(cells, 3, 20), "   a    c   e\n   bb   d\n");
    }
}
