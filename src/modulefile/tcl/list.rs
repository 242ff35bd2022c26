//! Lists as text: reading them, and quoting elements byte for byte as Tcl does.
//!
//! Reading a list is not parsing a script: only backslashes are substituted. Source: Tcl 8.6, `list(n)`,
//! `Tcl_SplitList(3)`.

use super::number::is_space;
use super::parse;

/// Why a text is not a list, or not a dictionary.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ListError {
    /// An element in braces goes on after the closing brace.
    #[error("{what} element in braces followed by \"{after}\" instead of space")]
    AfterBrace {
        /// `list` or `dict`.
        what: &'static str,
        /// The text after the brace, at most 20 bytes.
        after: String,
    },
    /// An element in quotes goes on after the closing quote.
    #[error("{what} element in quotes followed by \"{after}\" instead of space")]
    AfterQuote {
        /// `list` or `dict`.
        what: &'static str,
        /// The text after the quote, at most 20 bytes.
        after: String,
    },
    /// No closing brace.
    #[error("unmatched open brace in {0}")]
    OpenBrace(&'static str),
    /// No closing quote.
    #[error("unmatched open quote in {0}")]
    OpenQuote(&'static str),
    /// A dictionary with an odd number of elements.
    #[error("missing value to go with key")]
    MissingValue,
}

impl ListError {
    /// The words of Tcl's `errorCode`.
    pub(super) fn code(&self) -> &'static [&'static str] {
        match self {
            ListError::AfterBrace { what: "dict", .. }
            | ListError::AfterQuote { what: "dict", .. } => &["TCL", "VALUE", "DICTIONARY", "JUNK"],
            ListError::AfterBrace { .. } | ListError::AfterQuote { .. } => {
                &["TCL", "VALUE", "LIST", "JUNK"]
            }
            ListError::OpenBrace("dict") => &["TCL", "VALUE", "DICTIONARY", "BRACE"],
            ListError::OpenQuote("dict") => &["TCL", "VALUE", "DICTIONARY", "QUOTE"],
            ListError::OpenBrace(_) => &["TCL", "VALUE", "LIST", "BRACE"],
            ListError::OpenQuote(_) => &["TCL", "VALUE", "LIST", "QUOTE"],
            ListError::MissingValue => &["TCL", "VALUE", "DICTIONARY"],
        }
    }

    /// The same mistake in a text that was to be a dictionary.
    pub(super) fn for_dict(self) -> ListError {
        match self {
            ListError::AfterBrace { after, .. } => ListError::AfterBrace {
                what: "dict",
                after,
            },
            ListError::AfterQuote { after, .. } => ListError::AfterQuote {
                what: "dict",
                after,
            },
            ListError::OpenBrace(_) => ListError::OpenBrace("dict"),
            ListError::OpenQuote(_) => ListError::OpenQuote("dict"),
            ListError::MissingValue => ListError::MissingValue,
        }
    }
}

/// Reads a text as a list.
pub(super) fn split<T: for<'a> From<&'a [u8]> + From<Vec<u8>>>(
    text: &[u8],
) -> Result<Vec<T>, ListError> {
    let mut elements = Vec::new();
    let mut rest = text;
    while let Some((element, after)) = next_element(rest)? {
        elements.push(match element {
            Element::Literal(bytes) => T::from(bytes),
            Element::Collapsed(bytes) => T::from(bytes),
        });
        rest = after;
    }
    Ok(elements)
}

/// One element of a list text.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Element<'a> {
    /// A part of the text as it stands.
    Literal(&'a [u8]),
    /// Backslashes were replaced.
    Collapsed(Vec<u8>),
}

/// Reads the first element and gives the text after it; `None` when only white space is left.
pub(super) fn next_element(text: &[u8]) -> Result<Option<(Element<'_>, &[u8])>, ListError> {
    let start = text.iter().position(|&b| !is_space(b));
    let Some(start) = start else { return Ok(None) };
    let text = &text[start..];
    match text[0] {
        b'{' => {
            let close = matching_brace(text).ok_or(ListError::OpenBrace("list"))?;
            let after = &text[close + 1..];
            match after.first() {
                Some(&b) if !is_space(b) => Err(ListError::AfterBrace {
                    what: "list",
                    after: excerpt(after),
                }),
                _ => Ok(Some((Element::Literal(&text[1..close]), after))),
            }
        }
        b'"' => {
            let close = end_of(text, 1, |b| b == b'"');
            if close >= text.len() {
                return Err(ListError::OpenQuote("list"));
            }
            let after = &text[close + 1..];
            match after.first() {
                Some(&b) if !is_space(b) => Err(ListError::AfterQuote {
                    what: "list",
                    after: excerpt(after),
                }),
                _ => Ok(Some((collapse(&text[1..close]), after))),
            }
        }
        _ => {
            let end = end_of(text, 0, is_space);
            Ok(Some((collapse(&text[..end]), &text[end..])))
        }
    }
}

/// The first byte from `at` that `stop` accepts and no backslash protects.
fn end_of(text: &[u8], mut at: usize, stop: impl Fn(u8) -> bool) -> usize {
    while at < text.len() {
        match text[at] {
            b'\\' => at += parse::backslash_len(&text[at..]),
            b if stop(b) => return at,
            _ => at += 1,
        }
    }
    text.len()
}

/// The brace that closes the one at the start of `text`.
fn matching_brace(text: &[u8]) -> Option<usize> {
    let mut depth = 0usize;
    let mut at = 0;
    while at < text.len() {
        match text[at] {
            b'\\' => {
                at += parse::backslash_len(&text[at..]);
                continue;
            }
            b'{' => depth += 1,
            b'}' => {
                depth -= 1;
                if depth == 0 {
                    return Some(at);
                }
            }
            _ => {}
        }
        at += 1;
    }
    None
}

fn collapse(text: &[u8]) -> Element<'_> {
    if !text.contains(&b'\\') {
        return Element::Literal(text);
    }
    Element::Collapsed(parse::substitute_backslashes(text))
}

fn excerpt(after: &[u8]) -> String {
    let end = after
        .iter()
        .take(20)
        .position(|&b| is_space(b))
        .unwrap_or(after.len().min(20));
    String::from_utf8_lossy(&after[..end]).into_owned()
}

/// How an element must be written.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Quoting {
    Bare,
    Braces,
    /// Backslashes before everything special but braces.
    Mask,
    /// Backslashes before everything special.
    Escape,
}

fn quoting(element: &[u8]) -> Quoting {
    if element.is_empty() {
        return Quoting::Braces;
    }
    let mut must_quote = matches!(element[0], b'{' | b'"');
    let mut prefer_braces = must_quote;
    let mut prefer_escape = false;
    let mut depth = 0i64;
    let mut at = 0;
    while at < element.len() {
        match element[at] {
            b'{' => depth += 1,
            b'}' => {
                depth -= 1;
                if depth < 0 {
                    return Quoting::Escape;
                }
            }
            b']' | b'"' => {
                must_quote = true;
                prefer_escape = true;
            }
            b'[' | b'$' | b';' | b' ' | b'\t' | b'\n' | b'\r' | 0x0b | 0x0c => {
                must_quote = true;
                prefer_braces = true;
            }
            b'\\' => {
                match element.get(at + 1) {
                    None | Some(b'\n') => return Quoting::Escape,
                    Some(b'{' | b'}' | b'\\') => at += 1,
                    Some(_) => {}
                }
                must_quote = true;
                prefer_braces = true;
            }
            _ => {}
        }
        at += 1;
    }
    match () {
        () if depth != 0 => Quoting::Escape,
        () if !must_quote => Quoting::Bare,
        () if prefer_escape && !prefer_braces => Quoting::Mask,
        () => Quoting::Braces,
    }
}

/// Writes one element; only the `first` of a list protects a leading `#`.
pub(super) fn push_element(out: &mut Vec<u8>, element: &[u8], first: bool) {
    let mut quoting = quoting(element);
    let mut rest = element;
    if first && element.first() == Some(&b'#') {
        if quoting == Quoting::Escape {
            out.extend_from_slice(b"\\#");
            rest = &element[1..];
        } else {
            quoting = Quoting::Braces;
        }
    }
    match quoting {
        Quoting::Bare => out.extend_from_slice(rest),
        Quoting::Braces => {
            out.push(b'{');
            out.extend_from_slice(rest);
            out.push(b'}');
        }
        Quoting::Mask | Quoting::Escape => {
            for &byte in rest {
                match byte {
                    b']' | b'[' | b'$' | b';' | b' ' | b'\\' | b'"' => {
                        out.extend_from_slice(&[b'\\', byte])
                    }
                    b'{' | b'}' if quoting == Quoting::Escape => {
                        out.extend_from_slice(&[b'\\', byte])
                    }
                    b'\n' => out.extend_from_slice(b"\\n"),
                    b'\t' => out.extend_from_slice(b"\\t"),
                    b'\r' => out.extend_from_slice(b"\\r"),
                    0x0b => out.extend_from_slice(b"\\v"),
                    0x0c => out.extend_from_slice(b"\\f"),
                    _ => out.push(byte),
                }
            }
        }
    }
}

/// The canonical text of a list.
pub fn join_elements<'a>(elements: impl IntoIterator<Item = &'a [u8]>) -> Vec<u8> {
    let mut out = Vec::new();
    for (index, element) in elements.into_iter().enumerate() {
        if index > 0 {
            out.push(b' ');
        }
        push_element(&mut out, element, index == 0);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn quoted(element: &str) -> String {
        let mut out = Vec::new();
        push_element(&mut out, element.as_bytes(), true);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn elements_are_quoted_as_tclsh_does() {
        for (element, text) in [
            ("", "{}"),
            ("b c", "{b c}"),
            ("d{", r"d\{"),
            ("x\"y", r#"x\"y"#),
            ("\"q", r#"{"q}"#),
            ("a;b", "{a;b}"),
            ("a]b", r"a\]b"),
            ("]", r"\]"),
            ("a b]", "{a b]}"),
            ("a\\", r"a\\"),
            ("a b\\", r"a\ b\\"),
            ("a\\ b", r"{a\ b}"),
            ("a\\\nb", r"a\\\nb"),
            ("a{b}c", "a{b}c"),
            ("unbal{ space", r"unbal\{\ space"),
            ("#a", "{#a}"),
        ] {
            assert_eq!(quoted(element), text, "element {element:?}");
        }
        assert_eq!(join_elements([&b"a"[..], b"#b"]), b"a #b");
    }

    #[test]
    fn broken_lists_say_what_is_wrong() {
        for (text, message) in [
            (
                "{a}b c",
                "list element in braces followed by \"b\" instead of space",
            ),
            (
                "\"a\"b",
                "list element in quotes followed by \"b\" instead of space",
            ),
            ("{a", "unmatched open brace in list"),
            ("\"a", "unmatched open quote in list"),
        ] {
            assert_eq!(
                split::<Vec<u8>>(text.as_bytes()).unwrap_err().to_string(),
                message
            );
        }
    }
}
