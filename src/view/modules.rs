//! Listings as Environment Modules lays them out: sections, grids, tables, keys, and its JSON.
//!
//! Source: `module(1)` avail, list, whatis, aliases, config, state.

use std::fmt::Write;

use serde_json::Value;
use unicode_width::UnicodeWidthStr;

/// The widths of the first two columns of a long listing, with the blank behind.
const NAME_WIDTH: usize = 40;
const SYMBOLS_WIDTH: usize = 20;
const DATE_WIDTH: usize = 19;

/// The width of names in the tables of `config` and `state`.
const OPTION_WIDTH: usize = 25;

/// Something that a listing names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Element {
    /// Its name; of a directory with a slash behind.
    pub name: String,
    /// What the name stands for, if it is an alias.
    pub target: Option<String>,
    /// Its symbolic versions, without the name.
    pub symbols: Vec<String>,
    /// Its tags, unabridged.
    pub tags: Vec<String>,
    /// Its variants as they are written: `+mpi`, `prec=4`.
    pub variants: Vec<String>,
    /// When its file was changed, as it is shown.
    pub modified: String,
}

/// The elements of one modulepath.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Section {
    /// The modulepath, or its label; empty for no line.
    pub title: String,
    /// What it holds, in order.
    pub elements: Vec<Element>,
}

/// Short forms of tags (`tag_abbrev`): full name and what is shown.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Abbreviations(Vec<(String, String)>);

impl Abbreviations {
    /// Reads `auto-loaded=aL:loaded=L:...`.
    pub fn new(text: &str) -> Abbreviations {
        let pairs = text.split(':').filter_map(|pair| pair.split_once('='));
        Abbreviations(
            pairs
                .map(|(tag, short)| (tag.to_owned(), short.to_owned()))
                .collect(),
        )
    }

    /// The short form of a tag, or the tag itself.
    pub fn of<'t>(&'t self, tag: &'t str) -> &'t str {
        let known = self.0.iter().find(|(name, _)| name == tag);
        known.map_or(tag, |(_, short)| short)
    }

    /// The tags as they stand behind a name; what is abbreviated to nothing is left out.
    fn shown<'t>(&'t self, tags: &'t [String]) -> Vec<&'t str> {
        let mut shown: Vec<&str> = tags.iter().map(|tag| self.of(tag)).collect();
        shown.retain(|tag| !tag.is_empty());
        shown.sort_unstable();
        shown.dedup();
        shown
    }
}

impl Element {
    /// The element as a short listing shows it: `gcc/12.3{+mpi}(default:lts) <L>`.
    pub fn shown(&self, short: &Abbreviations) -> String {
        let mut text = if self.name.contains(' ') {
            format!("'{}'", self.name)
        } else {
            self.name.clone()
        };
        if !self.variants.is_empty() {
            let _ = write!(text, "{{{}}}", self.variants.join(":"));
        }
        let mut symbols = self.symbols.clone();
        if self.target.is_some() {
            symbols.push("@".to_owned());
        }
        if !symbols.is_empty() {
            let _ = write!(text, "({})", symbols.join(":"));
        }
        let tags = short.shown(&self.tags);
        if !tags.is_empty() {
            let _ = write!(text, " <{}>", tags.join(":"));
        }
        text
    }

    fn long(&self) -> String {
        let name = match &self.target {
            Some(target) => format!("{} -> {target}", self.name),
            None => self.name.clone(),
        };
        let symbols = self.symbols.join(":");
        format!(
            "{name:<NAME_WIDTH$}{symbols:<SYMBOLS_WIDTH$}{}\n",
            self.modified
        )
    }
}

/// A title in the middle of a line of dashes.
pub fn title(text: &str, width: usize) -> String {
    let rest = width.saturating_sub(text.width() + 2);
    let left = (rest / 2).max(1);
    let right = rest.saturating_sub(left).max(1);
    format!("{} {text} {}\n", "-".repeat(left), "-".repeat(right))
}

/// Cells in columns, filled from top to bottom; each behind its number where they are numbered.
pub fn grid(cells: &[String], numbering: Numbering, width: usize) -> String {
    let digits = if cells.len() > 99 { 3 } else { 2 };
    let cells: Vec<String> = match numbering {
        Numbering::None => cells.to_vec(),
        Numbering::From(first) => (cells.iter().enumerate())
            .map(|(index, cell)| format!("{:>digits$}) {cell}", index + first))
            .collect(),
    };
    let widths: Vec<usize> = cells.iter().map(|cell| cell.as_str().width()).collect();
    let shortest = widths.iter().min().copied().unwrap_or(0);
    let most = ((width + 2) / (shortest + 2)).clamp(1, cells.len().max(1));
    let layout = |count: usize| -> (usize, Vec<usize>) {
        let rows = cells.len().div_ceil(count).max(1);
        let columns = widths
            .chunks(rows)
            .map(|c| c.iter().max().copied().unwrap_or(0));
        (rows, columns.collect())
    };
    let fits = |columns: &[usize]| columns.iter().sum::<usize>() + 2 * (columns.len() - 1) <= width;
    let (rows, columns) = (1..=most)
        .rev()
        .map(layout)
        .find(|(_, columns)| !columns.is_empty() && fits(columns))
        .unwrap_or_else(|| layout(1));
    let mut text = String::new();
    for row in 0..rows {
        for (column, width) in columns.iter().enumerate() {
            let Some(cell) = cells.get(column * rows + row) else {
                continue;
            };
            text.push_str(cell);
            text.push_str(&" ".repeat(width - cell.as_str().width()));
            if column + 1 < columns.len() {
                text.push_str("  ");
            }
        }
        text.push('\n');
    }
    text
}

/// Whether cells are numbered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Numbering {
    /// They are not.
    None,
    /// From this number on.
    From(usize),
}

/// The heads of a table: each but the last fills its width with dashes and a dot.
fn table_header(columns: &[(&str, usize)]) -> String {
    let heads: Vec<String> = (columns.iter())
        .map(|(head, width)| format!("{:-<width$}", format!("- {head} ")))
        .collect();
    format!("{}\n", heads.join("."))
}

/// The head of a long listing of modules.
pub fn long_header(first: &str) -> String {
    table_header(&[
        (first, NAME_WIDTH - 1),
        ("Versions", SYMBOLS_WIDTH - 1),
        ("Last mod.", DATE_WIDTH),
    ])
}

/// The head of a table of names and values.
pub fn values_header(names: &str, values: &str) -> String {
    table_header(&[(names, OPTION_WIDTH - 1), (values, 54)])
}

/// A row of such a table.
pub fn value_row(name: &str, value: &str) -> String {
    format!("{name:<OPTION_WIDTH$} {value}\n")
}

/// Sections in columns; with a key to their marks where that is wanted.
pub fn sections(
    sections: &[Section],
    short: &Abbreviations,
    width: usize,
    with_key: bool,
) -> String {
    let mut blocks: Vec<String> = Vec::new();
    for section in sections.iter().filter(|s| !s.elements.is_empty()) {
        let cells: Vec<String> = section.elements.iter().map(|e| e.shown(short)).collect();
        let head = match section.title.as_str() {
            "" => String::new(),
            text => title(text, width),
        };
        blocks.push(head + &grid(&cells, Numbering::None, width));
    }
    let elements = sections.iter().flat_map(|s| &s.elements);
    blocks.extend(key(elements, short, width).filter(|_| with_key));
    blocks.join("\n")
}

/// What the marks of a listing mean; `None` where there are none.
pub fn key<'e>(
    elements: impl Iterator<Item = &'e Element>,
    short: &Abbreviations,
    width: usize,
) -> Option<String> {
    let mut alias = false;
    let mut symbol = false;
    let mut variants = std::collections::BTreeSet::new();
    let mut tags = std::collections::BTreeMap::new();
    for element in elements {
        alias |= element.target.is_some();
        symbol |= !element.symbols.is_empty();
        for variant in &element.variants {
            variants.insert(match variant.chars().next() {
                Some('+') => "{+variant}={variant=on}",
                Some('-') => "{-variant}={variant=off}",
                _ => "{variant=value}",
            });
        }
        for tag in &element.tags {
            let shown = short.of(tag);
            if !shown.is_empty() {
                tags.insert(shown.to_owned(), tag.clone());
            }
        }
    }
    let mut cells: Vec<String> = Vec::new();
    if alias {
        cells.push("(@)=module-alias".to_owned());
    }
    if symbol {
        cells.push("(symbolic-version)".to_owned());
    }
    if !tags.is_empty() {
        cells.push("<module-tag>".to_owned());
    }
    cells.extend(variants.into_iter().map(str::to_owned));
    let explained = tags.into_iter().filter(|(shown, tag)| shown != tag);
    cells.extend(explained.map(|(shown, tag)| format!("<{shown}>={tag}")));
    (!cells.is_empty()).then(|| format!("Key:\n{}", grid(&cells, Numbering::None, width)))
}

/// Sections with one element a line.
pub fn terse(sections: &[Section], short: &Abbreviations) -> String {
    let lines = |section: &Section| -> String {
        let rows = section.elements.iter();
        rows.map(|e| format!("{}\n", e.shown(short))).collect()
    };
    blocks(sections, lines)
}

/// Sections as rows of a table.
pub fn long(sections: &[Section]) -> String {
    if sections.iter().all(|s| s.elements.is_empty()) {
        return String::new();
    }
    let rows = |section: &Section| section.elements.iter().map(Element::long).collect();
    long_header("Package/Alias") + &blocks(sections, rows)
}

/// A long listing of names with dates, under a line that says what they are.
pub fn dated(column: &str, head: &str, rows: &[(String, String)]) -> String {
    const WIDTH: usize = NAME_WIDTH + SYMBOLS_WIDTH;
    let columns = [(column, WIDTH - 1), ("Last mod.", DATE_WIDTH)];
    let rows = rows
        .iter()
        .map(|(name, date)| format!("{name:<WIDTH$}{date}\n"));
    table_header(&columns) + head + &rows.collect::<String>()
}

/// The rows of a long listing without a section.
pub fn long_rows(elements: &[Element]) -> String {
    elements.iter().map(Element::long).collect()
}

fn blocks(sections: &[Section], body: impl Fn(&Section) -> String) -> String {
    let blocks: Vec<String> = (sections.iter())
        .filter(|section| !section.elements.is_empty())
        .map(|section| match section.title.as_str() {
            "" => body(section),
            title => format!("{title}:\n{}", body(section)),
        })
        .collect();
    blocks.join("\n")
}

/// One line of `whatis`.
pub fn whatis_line(name: &str, text: &str) -> String {
    format!("{name:>20}: {text}\n")
}

/// Names that stand for others, under a title; empty where there are none.
pub fn names(heading: &str, rows: &[(String, String)], width: usize) -> String {
    if rows.is_empty() {
        return String::new();
    }
    let lines = rows
        .iter()
        .map(|(name, target)| format!("{name} -> {target}\n"));
    title(heading, width) + &lines.collect::<String>()
}

/// An object of JSON as Environment Modules writes it: one member a line.
pub fn json_object(members: &[(String, String)]) -> String {
    let rows: Vec<String> = members
        .iter()
        .map(|(name, value)| format!("{}: {value}", text(name)))
        .collect();
    format!("{{{}}}", rows.join(",\n"))
}

/// Sections as JSON: an object of objects.
pub fn json_sections(sections: &[(String, Vec<(String, String)>)]) -> String {
    let rows: Vec<String> = sections
        .iter()
        .filter(|(_, members)| !members.is_empty())
        .map(|(title, members)| {
            let object = json_object(members);
            format!("{}: {{\n{}\n}}", text(title), &object[1..object.len() - 1])
        })
        .collect();
    format!("{{{}}}\n", rows.join(",\n"))
}

/// One thing with its properties, on one line.
pub fn json_row(fields: &[(&str, Value)]) -> String {
    let fields: Vec<String> = fields
        .iter()
        .map(|(name, value)| format!("{}: {}", text(name), spaced(value)))
        .collect();
    format!("{{ {}}}", fields.join(", "))
}

fn text(text: &str) -> String {
    Value::from(text).to_string()
}

fn spaced(value: &Value) -> String {
    match value {
        Value::Array(items) if items.is_empty() => "[]".to_owned(),
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(spaced).collect();
            format!("[ {} ]", items.join(", "))
        }
        Value::Object(members) if members.is_empty() => "{}".to_owned(),
        Value::Object(members) => {
            let members: Vec<String> = members
                .iter()
                .map(|(name, value)| format!("{}: {}", text(name), spaced(value)))
                .collect();
            format!("{{ {} }}", members.join(", "))
        }
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHORT: &str = "auto-loaded=aL:loaded=L:sticky=S:forbidden=F";

    #[test]
    fn a_title_stands_in_the_middle() {
        assert_eq!(
            title("/site/mods", 80),
            "---------------------------------- /site/mods ----------------------------------\n"
        );
    }

    #[test]
    fn elements_show_what_is_known_of_them() {
        let element = Element {
            name: "gcc/12.3".into(),
            symbols: vec!["default".into(), "lts".into()],
            tags: vec!["auto-loaded".into()],
            variants: vec!["+mpi".into()],
            ..Element::default()
        };
        let short = Abbreviations::new(SHORT);
        assert_eq!(element.shown(&short), "gcc/12.3{+mpi}(default:lts) <aL>");
    }

    #[test]
    fn columns_are_filled_from_top_to_bottom() {
        let cells: Vec<String> = ["a", "bb", "ccc", "d", "e"].map(str::to_owned).to_vec();
        assert_eq!(grid(&cells, Numbering::None, 10), "a   ccc  e\nbb  d    \n");
        assert_eq!(grid(&cells, Numbering::None, 9), "a    d\nbb   e\nccc  \n");
        assert_eq!(grid(&cells[..2], Numbering::From(1), 80), " 1) a   2) bb\n");
    }

    #[test]
    fn the_head_of_a_long_listing_is_the_known_one() {
        assert_eq!(
            long_header("Package"),
            "- Package -----------------------------.- Versions --------.- Last mod. -------\n"
        );
        assert_eq!(
            values_header("Config. name", "Value (set by if default overridden)"),
            "- Config. name ---------.- Value (set by if default overridden) ---------------\n"
        );
    }

    #[test]
    fn json_is_json() {
        let row = json_row(&[("name", "a/1".into()), ("tags", serde_json::json!(["x"]))]);
        assert_eq!(row, r#"{ "name": "a/1", "tags": [ "x" ]}"#);
        let text = json_sections(&[("/m".into(), vec![("a/1".into(), row)])]);
        assert!(serde_json::from_str::<Value>(&text).is_ok(), "{text}");
    }
}
