//! Reads TOML with the place of every key and value, and says what is wrong with them.
//!
//! The text is parsed once into borrowed values; no serde model stands between, so that each mistake is reported in words
//! of the format and with a caret. Nothing here knows what a key means.

use std::sync::Arc;

use toml::de::{DeTable, DeValue};
use toml::{Spanned, value::Datetime};

use crate::diag::{Diagnostic, Kind, Place, SourceFile, Span};

/// One key with its value, and where both stand.
#[derive(Debug, Clone, Copy)]
pub(super) struct Entry<'s> {
    /// The key.
    pub(super) key: &'s str,
    /// Where the key stands.
    pub(super) key_span: Span,
    /// The value.
    pub(super) value: Node<'s>,
}

/// A value and where it stands.
#[derive(Debug, Clone, Copy)]
pub(super) struct Node<'s> {
    /// The file.
    pub(super) source: &'s Arc<SourceFile>,
    /// Where it stands.
    pub(super) span: Span,
    value: &'s DeValue<'s>,
}

/// Text from the file, still with its `{references}`.
#[derive(Debug, Clone)]
pub(super) struct Text<'s> {
    /// The text.
    pub(super) text: std::borrow::Cow<'s, str>,
    /// Where the value stands.
    pub(super) span: Span,
}

/// The text of a file as UTF-8.
///
/// # Errors
/// A byte that is not UTF-8, with its place.
pub(super) fn utf8(source: &Arc<SourceFile>) -> Result<&str, Diagnostic> {
    std::str::from_utf8(source.text()).map_err(|error| {
        let start = error.valid_up_to();
        Diagnostic::new(Kind::Modulefile, "not valid UTF-8").at(
            place(source, Span::new(start, start + 1)),
            "TOML files are UTF-8",
        )
    })
}

/// Parses the text of a file.
///
/// # Errors
/// A syntax error, with its place.
pub(super) fn parse<'s>(
    source: &Arc<SourceFile>,
    text: &'s str,
) -> Result<Spanned<DeTable<'s>>, Diagnostic> {
    DeTable::parse(text).map_err(|error| {
        let span = error
            .span()
            .map_or(Span::default(), |s| Span::new(s.start, s.end));
        Diagnostic::new(
            Kind::Modulefile,
            format!("TOML syntax: {}", error.message()),
        )
        .at(place(source, span), "")
    })
}

/// A place in `source`.
pub(super) fn place(source: &Arc<SourceFile>, span: Span) -> Place {
    Place {
        file: Arc::clone(source),
        span,
    }
}

fn span_of<T>(spanned: &Spanned<T>) -> Span {
    let range = spanned.span();
    Span::new(range.start, range.end)
}

/// The entries of a table in the order of the file.
pub(super) fn entries<'s>(source: &'s Arc<SourceFile>, table: &'s DeTable<'s>) -> Vec<Entry<'s>> {
    let mut entries: Vec<Entry<'s>> = table
        .iter()
        .map(|(key, value)| Entry {
            key: key.get_ref().as_ref(),
            key_span: span_of(key),
            value: Node {
                source,
                span: span_of(value),
                value: value.get_ref(),
            },
        })
        .collect();
    entries.sort_by_key(|entry| entry.key_span.start);
    entries
}

/// A key that is not one of `known`.
pub(super) fn unknown_key(
    entry: &Entry,
    what: &str,
    known: &mut dyn Iterator<Item = &'static str>,
) -> Diagnostic {
    let diagnostic = Diagnostic::new(Kind::Modulefile, format!("unknown key `{}`", entry.key))
        .at(entry.key_place(), format!("not a key of {what}"));
    let known: Vec<&'static str> = known.collect();
    match near(entry.key, &mut known.iter().copied()) {
        Some(near) => diagnostic.help(format!("did you mean `{near}`?")),
        None if known.is_empty() => diagnostic,
        None => diagnostic.help(format!("its keys are `{}`", known.join("`, `"))),
    }
}

/// The candidate that `word` may have been meant for.
pub(super) fn near<'c>(
    word: &str,
    candidates: &mut dyn Iterator<Item = &'c str>,
) -> Option<&'c str> {
    let word = word.replace('-', "_").to_ascii_lowercase();
    candidates
        .map(|c| (strsim::damerau_levenshtein(&word, c), c))
        .filter(|(distance, c)| *distance <= 1 + c.len() / 4)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, c)| c)
}

impl<'s> Entry<'s> {
    /// Where the key stands.
    pub(super) fn key_place(&self) -> Place {
        place(self.value.source, self.key_span)
    }
}

impl<'s> Node<'s> {
    /// Where the value stands.
    pub(super) fn place(&self) -> Place {
        place(self.source, self.span)
    }

    /// The complaint that this value is not what is wanted here.
    pub(super) fn expected(&self, wanted: &str) -> Diagnostic {
        let article = match self.type_name() {
            name @ ("integer" | "array") => format!("an {name}"),
            name => format!("a {name}"),
        };
        Diagnostic::new(
            Kind::Modulefile,
            format!("expected {wanted}, got {article}"),
        )
        .at(self.place(), format!("this is {article}"))
    }

    fn type_name(&self) -> &'static str {
        match self.value {
            DeValue::String(_) => "string",
            DeValue::Integer(_) => "integer",
            DeValue::Float(_) => "float",
            DeValue::Boolean(_) => "boolean",
            DeValue::Datetime(_) => "date",
            DeValue::Array(_) => "array",
            DeValue::Table(_) => "table",
        }
    }

    /// The entries, where this is a table.
    pub(super) fn as_table(&self) -> Option<Vec<Entry<'s>>> {
        match self.value {
            DeValue::Table(table) => Some(entries(self.source, table)),
            _ => None,
        }
    }

    /// The elements, where this is an array.
    pub(super) fn as_array(&self) -> Option<Vec<Node<'s>>> {
        let DeValue::Array(items) = self.value else {
            return None;
        };
        Some(
            items
                .iter()
                .map(|item| Node {
                    source: self.source,
                    span: span_of(item),
                    value: item.get_ref(),
                })
                .collect(),
        )
    }

    /// The truth value, where this is one.
    pub(super) fn as_bool(&self) -> Option<bool> {
        match self.value {
            DeValue::Boolean(value) => Some(*value),
            _ => None,
        }
    }

    /// The text, where this is a string.
    pub(super) fn as_string(&self) -> Option<Text<'s>> {
        match self.value {
            DeValue::String(text) => Some(Text {
                text: std::borrow::Cow::Borrowed(text.as_ref()),
                span: self.span,
            }),
            _ => None,
        }
    }

    /// The text of a string, a number or a truth value; numbers as they are written.
    pub(super) fn as_scalar(&self) -> Option<Text<'s>> {
        let text = match self.value {
            DeValue::Integer(i) if i.radix() == 10 => i.as_str(),
            DeValue::Float(f) => f.as_str(),
            DeValue::Boolean(true) => "true",
            DeValue::Boolean(false) => "false",
            _ => return self.as_string(),
        };
        Some(Text {
            text: std::borrow::Cow::Borrowed(text),
            span: self.span,
        })
    }

    /// A table.
    ///
    /// # Errors
    /// It is something else.
    pub(super) fn table(&self, wanted: &str) -> Result<Vec<Entry<'s>>, Diagnostic> {
        self.as_table().ok_or_else(|| self.expected(wanted))
    }

    /// A string.
    ///
    /// # Errors
    /// It is something else.
    pub(super) fn string(&self) -> Result<Text<'s>, Diagnostic> {
        self.as_string().ok_or_else(|| self.expected("a string"))
    }

    /// A truth value.
    ///
    /// # Errors
    /// It is something else.
    pub(super) fn boolean(&self) -> Result<bool, Diagnostic> {
        self.as_bool()
            .ok_or_else(|| self.expected("`true` or `false`"))
    }

    /// An integer.
    ///
    /// # Errors
    /// It is something else, or does not fit in 64 bits.
    pub(super) fn integer(&self) -> Result<i64, Diagnostic> {
        match self.value {
            DeValue::Integer(i) => i64::from_str_radix(i.as_str(), i.radix()).map_err(|_| {
                Diagnostic::new(Kind::Modulefile, "the number is too large").at(self.place(), "")
            }),
            _ => Err(self.expected("an integer")),
        }
    }

    /// One string, or an array of strings.
    ///
    /// # Errors
    /// It is something else.
    pub(super) fn strings(&self) -> Result<Vec<Text<'s>>, Diagnostic> {
        match self.as_array() {
            Some(items) => items.iter().map(Node::string).collect(),
            None => match self.as_string() {
                Some(text) => Ok(vec![text]),
                None => Err(self.expected("a string or an array of strings")),
            },
        }
    }

    /// A moment: a TOML date, or a string that holds one. Returned as `YYYY-MM-DD` or `YYYY-MM-DDTHH:MM`.
    ///
    /// # Errors
    /// It is something else, or no date.
    pub(super) fn moment(&self) -> Result<String, Diagnostic> {
        const WANTED: &str = "a date such as 2026-12-31 or 2026-12-31T18:00";
        let datetime: Datetime = match self.value {
            DeValue::Datetime(datetime) => *datetime,
            DeValue::String(text) => text.parse().map_err(|_| {
                Diagnostic::new(Kind::Modulefile, format!("`{text}` is not a date"))
                    .at(self.place(), format!("expected {WANTED}"))
            })?,
            _ => return Err(self.expected(WANTED)),
        };
        match (datetime.date, datetime.time, datetime.offset) {
            (Some(date), None, None) => Ok(date.to_string()),
            (Some(date), Some(time), None) => {
                Ok(format!("{date}T{:02}:{:02}", time.hour, time.minute))
            }
            (Some(_), _, Some(_)) => {
                Err(
                    Diagnostic::new(Kind::Modulefile, "a date with an offset").at(
                        self.place(),
                        "dates here are local time: leave the offset out",
                    ),
                )
            }
            (None, ..) => Err(self.expected(WANTED)),
        }
    }
}
