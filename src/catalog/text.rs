//! The catalog as JSON, as a table for spreadsheets, and as Markdown.

use super::model::{Catalog, Package, Usage};

/// The document that `docs/reference/catalog.schema.json` describes.
pub(super) fn json(catalog: &Catalog) -> String {
    let mut text =
        serde_json::to_string_pretty(catalog).expect("structs, and maps that are keyed by text");
    text.push('\n');
    text
}

/// One line for each piece of software, as RFC 4180 says; lists inside a cell are separated by blanks or commas.
pub(super) fn csv(catalog: &Catalog) -> String {
    let mut text = String::from(
        "Module,Title,Category,Usage,Users,URL,Keywords,Default,Versions,Description,License,Maintainer,Load\r\n",
    );
    for package in &catalog.modules {
        let usage = |number: fn(Usage) -> u64| {
            package
                .usage
                .map_or(String::new(), |usage| number(usage).to_string())
        };
        let versions: Vec<&str> = package
            .versions
            .iter()
            .map(|v| v.full_name.as_str())
            .collect();
        let cells = [
            package.name.clone(),
            package.title.clone(),
            package.categories.join(", "),
            usage(|u| u.loads),
            usage(|u| u.users),
            package.url.clone(),
            package.keywords.join(", "),
            package.default.clone().unwrap_or_default(),
            versions.join(" "),
            package.description.clone(),
            package.license.clone(),
            package.maintainers.join(", "),
            package.load_command().unwrap_or_default(),
        ];
        let cells: Vec<String> = cells.iter().map(|cell| csv_cell(cell)).collect();
        text.push_str(&cells.join(","));
        text.push_str("\r\n");
    }
    text
}

/// A cell. What a spreadsheet would take for a formula gets an apostrophe in front: texts come from modulefiles.
pub(crate) fn csv_cell(text: &str) -> String {
    let guard = if text.starts_with(['=', '+', '-', '@', '\t', '\r']) {
        "'"
    } else {
        ""
    };
    if text.contains([',', '"', '\n', '\r']) || !guard.is_empty() {
        format!("\"{guard}{}\"", text.replace('"', "\"\""))
    } else {
        text.to_owned()
    }
}

/// A page of tables, one a category.
pub(super) fn markdown(catalog: &Catalog) -> String {
    let title = match catalog.site.title.as_str() {
        "" => "Software",
        title => title,
    };
    let mut text = format!("# {}\n", markdown_text(title));
    if !catalog.site.intro.is_empty() {
        text.push_str(&format!("\n{}\n", markdown_text(&catalog.site.intro)));
    }
    for category in catalog.categories().keys() {
        text.push_str(&format!(
            "\n## {}\n\n| Module | Usage | URL | Keywords | Versions |\n|---|---:|---|---|---|\n",
            markdown_text(category)
        ));
        for package in catalog.modules.iter().filter(|p| p.category() == *category) {
            text.push_str(&markdown_row(package));
        }
    }
    text
}

fn markdown_row(package: &Package) -> String {
    let versions: Vec<String> = package
        .versions
        .iter()
        .map(|version| {
            let name = markdown_text(version.version.as_deref().unwrap_or(&version.full_name));
            if version.is_default {
                format!("**{name}** (default)")
            } else {
                name
            }
        })
        .collect();
    let url = match package.url.as_str() {
        "" => String::new(),
        // In angle brackets an address ends at `>`; blanks and brackets are no part of one.
        url => format!("<{}>", url.replace(['<', '>', '|', ' '], "")),
    };
    format!(
        "| {} | {} | {url} | {} | {} |\n",
        markdown_text(&package.name),
        package
            .usage
            .map_or(String::new(), |usage| usage.loads.to_string()),
        markdown_text(&package.keywords.join(", ")),
        versions.join(", ")
    )
}

/// Text that Markdown shows as it is.
fn markdown_text(text: &str) -> String {
    let mut escaped = String::new();
    for c in text.chars() {
        match c {
            '\n' | '\r' | '\t' => escaped.push(' '),
            c if c.is_control() => {}
            '\\' | '`' | '*' | '_' | '{' | '}' | '[' | ']' | '<' | '>' | '#' | '|' | '~' | '&'
            | '!' => {
                escaped.push('\\');
                escaped.push(c);
            }
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_quoted_where_they_must_be() {
        assert_eq!(csv_cell("plain text"), "plain text");
        assert_eq!(csv_cell("a,b"), "\"a,b\"");
        assert_eq!(csv_cell("say \"so\""), "\"say \"\"so\"\"\"");
        assert_eq!(csv_cell("=1+1"), "\"'=1+1\"");
        assert_eq!(csv_cell("two\nlines"), "\"two\nlines\"");
    }

    #[test]
    fn signs_of_markdown_lose_their_meaning() {
        assert_eq!(markdown_text("<b>|x|*y*"), "\\<b\\>\\|x\\|\\*y\\*");
        assert_eq!(markdown_text("a\nb"), "a b");
    }
}
