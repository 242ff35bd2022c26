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

/// Cells in columns, filled from top to bottom as `ls` does, each line behind `indent` blanks. There may be tens of
/// thousands.
pub fn columns<C: AsRef<str>>(cells: &[C], indent: usize, width: usize) -> String {
    let mut text = String::new();
    add_columns(&mut text, cells, indent, width);
    text
}

/// The same behind other text.
pub fn add_columns<C: AsRef<str>>(text: &mut String, cells: &[C], indent: usize, width: usize) {
    const GAP: usize = 3;
    let widths: Vec<usize> = cells.iter().map(|cell| width_of(cell.as_ref())).collect();
    let Some(widest) = widths.iter().max() else {
        return;
    };
    let width = width.saturating_sub(indent + 1).max(1);
    let of_columns = |columns: usize| {
        let rows = cells.len().div_ceil(columns);
        let widths = widths.chunks(rows);
        let widths = widths.map(|column| column.iter().copied().max().unwrap_or_default());
        (rows, widths)
    };
    // So many fit however wide the cells are; more may fit as they are.
    let mut best = (width + GAP) / (widest + GAP);
    best = best.clamp(1, cells.len());
    for columns in best + 1..=cells.len() {
        let Some(room) = width.checked_sub((columns - 1) * GAP) else {
            break;
        };
        if widest + GAP <= width && of_columns(columns).1.sum::<usize>() <= room {
            best = columns;
        }
    }
    let (rows, column_widths) = of_columns(best);
    let column_widths: Vec<usize> = column_widths.collect();
    let sizes = cells.iter().map(|cell| cell.as_ref().len() + indent + GAP);
    text.reserve(sizes.sum());
    let blanks = " ".repeat(indent.max(widest + GAP));
    for row in 0..rows {
        text.push_str(&blanks[..indent]);
        let start = text.len();
        let mut padding = 0;
        for (column, column_width) in column_widths.iter().enumerate() {
            let Some(cell) = cells.get(column * rows + row) else {
                break;
            };
            text.push_str(&blanks[..padding]);
            text.push_str(cell.as_ref());
            padding = column_width - widths[column * rows + row] + GAP;
        }
        if text.ends_with(char::is_whitespace) {
            let end = text[start..].trim_end().len();
            text.truncate(start + end);
        }
        text.push('\n');
    }
}

/// Whether each byte of a text is a character that takes one column.
fn is_plain(text: &str) -> bool {
    let is_plain = |plain: bool, byte: &u8| plain & (b' '..=b'~').contains(byte);
    text.as_bytes().iter().fold(true, is_plain)
}

/// How many columns of the terminal a text takes that may be painted.
fn width_of(text: &str) -> usize {
    if is_plain(text) {
        return text.len();
    }
    let mut width = 0;
    let mut rest = text;
    while let Some((plain, painted)) = rest.split_once("\x1b[") {
        width += unicode_width::UnicodeWidthStr::width(plain);
        rest = painted.split_once('m').map_or("", |(_, behind)| behind);
    }
    width + unicode_width::UnicodeWidthStr::width(rest)
}

/// Cells behind running numbers, in columns.
pub fn numbered(cells: &[String], width: usize) -> String {
    let cells: Vec<String> = cells
        .iter()
        .enumerate()
        .map(|(index, cell)| format!("{:>3}) {cell}", index + 1))
        .collect();
    columns(&cells, 0, width)
}

/// A text, each line behind `indent` blanks.
pub fn indented(text: &str, indent: usize) -> String {
    let mut out = String::with_capacity(text.len() + indent + 1);
    for line in text.lines() {
        push_indented(&mut out, line, indent);
    }
    out
}

fn push_indented(out: &mut String, line: &str, indent: usize) {
    const BLANKS: &str = "                ";
    if !line.is_empty() {
        let mut left = indent;
        while left > 0 {
            let blanks = left.min(BLANKS.len());
            out.push_str(&BLANKS[..blanks]);
            left -= blanks;
        }
        out.push_str(line);
    }
    out.push('\n');
}

/// Text wrapped to the width, behind `indent` blanks.
pub fn wrapped(text: &str, indent: usize, layout: Layout) -> String {
    let mut out = String::with_capacity(text.len() + 2 * indent + 2);
    add_wrapped(&mut out, text, indent, layout);
    out
}

/// The same behind other text.
fn add_wrapped(out: &mut String, text: &str, indent: usize, layout: Layout) {
    let width = layout.width.saturating_sub(indent + 1).max(20);
    for line in text.lines() {
        if !wrap_plain(out, line, width, indent) {
            out.push_str(&indented(&textwrap::fill(line, width), indent));
        }
    }
}

/// Wraps a line as `textwrap` does, which takes ten times as long, where that is simple: single columns, no word that is
/// too long. False where it is not; then nothing was added.
fn wrap_plain(out: &mut String, line: &str, width: usize, indent: usize) -> bool {
    let line = line.trim_end_matches(' ');
    let bytes = line.as_bytes();
    if !is_plain(line) || line.starts_with(' ') {
        return false;
    }
    // A piece that stays together ends before a blank, or behind a hyphen in a word.
    let ends_at = |end: &usize| match bytes[*end] {
        b' ' => bytes[end - 1] != b' ',
        next => {
            let hyphen = bytes[end - 1] == b'-' && next.is_ascii_alphanumeric();
            hyphen && *end > 1 && bytes[end - 2].is_ascii_alphanumeric()
        }
    };
    let (before, mut start) = (out.len(), 0);
    while bytes.len() - start > width {
        let Some(end) = (start + 1..=start + width).rev().find(ends_at) else {
            out.truncate(before);
            return false;
        };
        push_indented(out, &line[start..end], indent);
        let blanks = bytes[end..].iter().take_while(|byte| **byte == b' ');
        start = end + blanks.count();
    }
    push_indented(out, &line[start..], indent);
    true
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
    fn plain_text_is_wrapped_as_textwrap_does() {
        let words = [
            "a",
            "of",
            "well-known",
            "x-",
            "-y",
            "--",
            "alignment",
            "1-2-3",
            "é",
            "tool/1.2",
            "",
            "(so)",
        ];
        let mut seed = 1_u64;
        let mut plain = 0;
        for _ in 0..2000 {
            let mut line = String::new();
            for _ in 0..12 {
                seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                line.push_str(words[(seed >> 33) as usize % words.len()]);
                line.push(' ');
            }
            let width = 10 + (seed >> 40) as usize % 50;
            let mut own = String::new();
            if wrap_plain(&mut own, &line, width, 0) {
                plain += 1;
                let theirs = textwrap::fill(&line, width);
                assert_eq!(own, indented(&theirs, 0), "{line:?} at {width}");
            }
        }
        assert!(plain > 500, "{plain}");
    }

    #[test]
    fn columns_are_filled_from_top_to_bottom() {
        let cells = ["a", "bb", "c", "d", "e"].map(str::to_owned).to_vec();
        assert_eq!(columns(&cells, 3, 20), "   a    c   e\n   bb   d\n");
        assert_eq!(columns::<&str>(&[], 3, 20), "");
        let painted = ["\x1b[1mé\x1b[0m", "too long for the line", "c"].map(str::to_owned);
        assert_eq!(
            columns(&painted, 0, 10),
            "\x1b[1mé\x1b[0m\ntoo long for the line\nc\n"
        );
        assert_eq!(
            columns(&painted, 0, 40),
            "\x1b[1mé\x1b[0m   too long for the line   c\n"
        );
    }
}
