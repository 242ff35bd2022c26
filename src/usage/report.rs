//! What was loaded how often, as a table, for programs, or as a picture.

use serde_json::json;

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum By {
    /// Names of modules
    Module,
    /// Names with versions
    Version,
    /// Users
    User,
    /// Users' groups
    Group,
    /// Months
    Month,
}

/// How the report is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// For people
    Table,
    /// For spreadsheets
    Csv,
    /// For programs
    Json,
    /// A picture
    Svg,
}

/// One line of a report.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Row {
    /// What was counted.
    pub label: String,
    /// How often it was loaded.
    pub loads: u64,
    /// By how many people.
    pub users: u64,
}

/// A report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rows {
    /// What is counted.
    pub by: By,
    /// The first and the last day.
    pub period: (String, String),
    /// The lines.
    pub rows: Vec<Row>,
}

impl Rows {
    /// Puts numbers in place of the names of people and groups.
    pub fn make_anonymous(&mut self) {
        let word = match self.by {
            By::User => "user",
            By::Group => "group",
            By::Module | By::Version | By::Month => return,
        };
        for (number, row) in (1..).zip(&mut self.rows) {
            row.label = format!("{word} {number}");
        }
    }

    /// The report in a format.
    pub fn render(&self, format: Format) -> String {
        let title = match self.by {
            By::Module => "module",
            By::Version => "version",
            By::User => "user",
            By::Group => "group",
            By::Month => "month",
        };
        match format {
            Format::Table => self.table(title),
            Format::Csv => self.csv(title),
            Format::Json => {
                let (first, last) = &self.period;
                let value = json!({ "format_version": 1, "by": title, "first": first, "last": last, "rows": self.rows });
                format!("{value:#}\n")
            }
            Format::Svg => plot(title, &self.rows),
        }
    }

    fn table(&self, title: &str) -> String {
        let width = |text: &str| unicode_width::UnicodeWidthStr::width(text);
        let widest = self
            .rows
            .iter()
            .map(|row| width(&shown(&row.label)))
            .max()
            .unwrap_or(0);
        let widest = widest.clamp(title.len(), 60);
        let line = |label: &str, loads: &str, users: &str| {
            let pad = " ".repeat(widest.saturating_sub(width(label)));
            format!("{label}{pad}  {loads:>10}  {users:>6}\n")
        };
        let mut text = format!("from {} to {}\n", self.period.0, self.period.1);
        text.push_str(&line(title, "loads", "users"));
        for row in &self.rows {
            text.push_str(&line(
                &shown(&row.label),
                &row.loads.to_string(),
                &row.users.to_string(),
            ));
        }
        text
    }

    fn csv(&self, title: &str) -> String {
        let mut text = format!("{title},loads,users\r\n");
        for row in &self.rows {
            let cell = crate::catalog::csv_cell(&row.label);
            text.push_str(&format!("{cell},{},{}\r\n", row.loads, row.users));
        }
        text
    }
}

/// A text for a terminal: what would move the cursor is left out.
fn shown(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).collect()
}

/// How many bars a picture has room for.
const MAX_BARS: usize = 40;

/// A picture of bars, the loads of each row.
fn plot(title: &str, rows: &[Row]) -> String {
    let rows = &rows[..rows.len().min(MAX_BARS)];
    let most = rows.iter().map(|row| row.loads).max().unwrap_or(0).max(1);
    let height = 40 + rows.len() * 24;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 720 {height}\" width=\"720\" height=\"{height}\" role=\"img\" \
         font-family=\"sans-serif\" font-size=\"13\">\n<title>Loads by {title}</title>\n\
         <rect width=\"720\" height=\"{height}\" fill=\"#fff\"/>\n<text x=\"250\" y=\"22\" font-weight=\"bold\">Loads by {title}</text>\n"
    );
    for (number, row) in rows.iter().enumerate() {
        let y = 36 + number * 24;
        let wide = (row.loads as f64 / most as f64 * 380.0).max(1.0);
        let label = xml(&row.label);
        svg.push_str(&format!(
            "<text x=\"242\" y=\"{}\" text-anchor=\"end\">{label}</text><rect x=\"250\" y=\"{}\" width=\"{wide:.1}\" height=\"16\" rx=\"3\" \
             fill=\"#1f5fd0\"/><text x=\"{:.1}\" y=\"{}\" fill=\"#555\">{}</text>\n",
            y + 13,
            y,
            256.0 + wide,
            y + 13,
            row.loads
        ));
    }
    svg.push_str("</svg>\n");
    svg
}

/// A label as text of XML; a long one loses its beginning, which versions share.
fn xml(text: &str) -> String {
    let text = shown(text);
    let count = text.chars().count();
    let text: String = if count > 32 {
        std::iter::once('…')
            .chain(text.chars().skip(count - 31))
            .collect()
    } else {
        text
    };
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows() -> Rows {
        Rows {
            by: By::User,
            period: ("2026-01-01".into(), "2026-01-31".into()),
            rows: vec![
                Row {
                    label: "ada <&>".into(),
                    loads: 12,
                    users: 1,
                },
                Row {
                    label: "=cmd".into(),
                    loads: 3,
                    users: 1,
                },
            ],
        }
    }

    #[test]
    fn each_format_says_the_same() {
        let rows = rows();
        assert_eq!(
            rows.render(Format::Table),
            "from 2026-01-01 to 2026-01-31\nuser          loads   users\nada <&>          12       1\n=cmd              3       1\n"
        );
        assert_eq!(
            rows.render(Format::Csv),
            "user,loads,users\r\nada <&>,12,1\r\n\"'=cmd\",3,1\r\n"
        );
        let json: serde_json::Value = serde_json::from_str(&rows.render(Format::Json)).unwrap();
        assert_eq!(json["rows"][0]["loads"], 12);
        assert!(rows.render(Format::Svg).contains("ada &lt;&amp;&gt;"));
    }

    #[test]
    fn nobody_is_named_where_that_is_asked_for() {
        let mut rows = rows();
        rows.make_anonymous();
        assert!(!rows.render(Format::Json).contains("ada"));
        assert!(rows.render(Format::Csv).contains("user 2,3,1"));
    }
}
