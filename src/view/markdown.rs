//! Help texts that are written in Markdown, rendered for a terminal.
//!
//! Most help texts are plain: a text is taken for Markdown only where several of its marks say so, and only a terminal with
//! colours gets it rendered; programs and files get it as it was written. Source: Lmod user guide "help"; CommonMark as far
//! as help texts use it: headings, paragraphs, lists, quotes, code, emphasis, links.

use std::borrow::Cow;

use anstyle::{AnsiColor, Style};

use super::Layout;
use super::palette::HEADING;

/// Shortest text that is looked at, in bytes.
const SHORTEST: usize = 30;
/// How much must speak for Markdown.
const ENOUGH: usize = 3;

const CODE: Style = AnsiColor::Cyan.on_default();
const STRONG: Style = Style::new().bold();
const EMPHASIS: Style = Style::new().italic();
const LINK: Style = Style::new().underline();

/// The text for people: rendered where it is Markdown and the layout has colours, else as it is.
pub fn render<'t>(text: &'t str, layout: Layout) -> Cow<'t, str> {
    if layout.colour && is_markdown(text) {
        Cow::Owned(Renderer::new(layout.width).render(text))
    } else {
        Cow::Borrowed(text)
    }
}

/// Whether a text is written in Markdown rather than plainly.
pub fn is_markdown(text: &str) -> bool {
    if text.trim().len() < SHORTEST {
        return false;
    }
    let (mut score, mut items, mut fences, mut headings) = (0, 0, 0, 0);
    for line in text.lines() {
        match Line::of(line) {
            // Comments of a shell begin alike: they count once, and not where they are indented.
            Line::Heading(..) if line.starts_with('#') => headings = 2,
            Line::Fence => fences += 1,
            Line::Item { .. } => items += 1,
            _ => {}
        }
        for span in Spans::new(line) {
            score += match span {
                Span::Link { .. } => 2,
                Span::Strong(_) | Span::Code(_) => 1,
                Span::Emphasis(_) | Span::Text(_) => 0,
            };
        }
    }
    score += headings + 2 * (fences / 2);
    // One dash at the start of a line is no list.
    score += usize::from(items >= 2);
    score >= ENOUGH
}

/// What a line begins.
#[derive(Debug, PartialEq, Eq)]
enum Line<'t> {
    Blank,
    Heading(&'t str),
    Fence,
    Rule,
    Quote(&'t str),
    Item {
        indent: usize,
        marker: &'t str,
        text: &'t str,
    },
    Text(&'t str),
}

impl<'t> Line<'t> {
    fn of(line: &'t str) -> Line<'t> {
        let text = line.trim();
        let indent = line.len() - line.trim_start().len();
        if text.is_empty() {
            return Line::Blank;
        }
        if text.starts_with("```") || text.starts_with("~~~") {
            return Line::Fence;
        }
        let marks = text.len() - text.trim_start_matches('#').len();
        if (1..=6).contains(&marks) && indent < 4 && text[marks..].starts_with(' ') {
            return Line::Heading(text[marks..].trim().trim_end_matches('#').trim_end());
        }
        let mark = text.as_bytes()[0];
        if text.len() >= 3 && b"-*_".contains(&mark) && text.bytes().all(|b| b == mark) {
            return Line::Rule;
        }
        if let Some(quoted) = text.strip_prefix('>') {
            return Line::Quote(quoted.trim_start());
        }
        if let Some(length) = marker(text) {
            return Line::Item {
                indent,
                marker: &text[..length],
                text: text[length..].trim_start(),
            };
        }
        Line::Text(text)
    }
}

/// How long the mark of a list item is: `-`, `*`, `+`, `1.`, `1)`, with a blank behind it.
fn marker(text: &str) -> Option<usize> {
    let digits = text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let length = match (digits, text[digits..].chars().next()?) {
        (0, '-' | '*' | '+') => 1,
        (1..=3, '.' | ')') => digits + 1,
        _ => return None,
    };
    text[length..].starts_with(' ').then_some(length)
}

/// A piece of a line.
#[derive(Debug, PartialEq, Eq)]
enum Span<'t> {
    Text(&'t str),
    Code(&'t str),
    Strong(&'t str),
    Emphasis(&'t str),
    Link { text: &'t str, url: &'t str },
}

/// The pieces of a line, in order.
struct Spans<'t> {
    rest: &'t str,
}

impl<'t> Spans<'t> {
    fn new(text: &'t str) -> Spans<'t> {
        Spans { rest: text }
    }
}

impl<'t> Iterator for Spans<'t> {
    type Item = Span<'t>;

    fn next(&mut self) -> Option<Span<'t>> {
        if self.rest.is_empty() {
            return None;
        }
        let mut before = None;
        for (at, c) in self.rest.char_indices() {
            if matches!(c, '`' | '*' | '_' | '[')
                && let Some((span, length)) = span_at(&self.rest[at..], before)
            {
                if at > 0 {
                    let text = &self.rest[..at];
                    self.rest = &self.rest[at..];
                    return Some(Span::Text(text));
                }
                self.rest = &self.rest[length..];
                return Some(span);
            }
            before = Some(c);
        }
        Some(Span::Text(std::mem::take(&mut self.rest)))
    }
}

/// The span that begins here, and its length with its marks. `before` is the character in front of it: `_` inside a word
/// is no mark.
fn span_at(text: &str, before: Option<char>) -> Option<(Span<'_>, usize)> {
    let between = |mark: &str| -> Option<&str> {
        let inner = text.strip_prefix(mark)?;
        let inner = &inner[..inner.find(mark)?];
        let blank = inner.is_empty() || inner.starts_with(' ') || inner.ends_with(' ');
        (!blank).then_some(inner)
    };
    let outside_word = |mark: &str, inner: &str| {
        let behind = text[inner.len() + 2 * mark.len()..].chars().next();
        mark.starts_with('*')
            || !before.is_some_and(char::is_alphanumeric)
                && !behind.is_some_and(char::is_alphanumeric)
    };
    if let Some(inner) = between("`") {
        return Some((Span::Code(inner), inner.len() + 2));
    }
    for mark in ["**", "__"] {
        if let Some(inner) = between(mark).filter(|inner| outside_word(mark, inner)) {
            return Some((Span::Strong(inner), inner.len() + 4));
        }
    }
    for mark in ["*", "_"] {
        if let Some(inner) = between(mark).filter(|inner| outside_word(mark, inner)) {
            return Some((Span::Emphasis(inner), inner.len() + 2));
        }
    }
    let (label, rest) = text.strip_prefix('[')?.split_once("](")?;
    let (url, _) = rest.split_once(')')?;
    let plain = !label.contains('[') && !url.contains(char::is_whitespace) && !url.is_empty();
    plain.then_some((Span::Link { text: label, url }, label.len() + url.len() + 4))
}

/// A block under way: its words, and where its lines begin.
struct Renderer {
    width: usize,
    out: String,
    /// Words in their styles, of the paragraph or item that is being read.
    words: Vec<String>,
    first: String,
    further: String,
}

impl Renderer {
    fn new(width: usize) -> Renderer {
        Renderer {
            width: width.saturating_sub(1).max(20),
            out: String::new(),
            words: Vec::new(),
            first: String::new(),
            further: String::new(),
        }
    }

    fn render(mut self, text: &str) -> String {
        let mut in_code = false;
        for line in text.lines() {
            if in_code {
                match Line::of(line) {
                    Line::Fence => in_code = false,
                    _ => self.whole(&format!("    {}", line.trim_end()), CODE),
                }
                continue;
            }
            match Line::of(line) {
                Line::Blank => {
                    self.flush();
                    if !self.out.is_empty() && !self.out.ends_with("\n\n") {
                        self.out.push('\n');
                    }
                }
                Line::Heading(title) => self.whole(title, HEADING),
                Line::Rule => self.whole(&"-".repeat(self.width.min(40)), Style::new()),
                Line::Fence => {
                    self.flush();
                    in_code = true;
                }
                Line::Quote(quoted) => {
                    if self.first != "| " {
                        self.begin("| ".to_owned(), "| ".to_owned());
                    }
                    self.add(quoted);
                }
                Line::Item {
                    indent,
                    marker,
                    text,
                } => {
                    let margin = " ".repeat(2 + indent.min(20));
                    let further = " ".repeat(margin.len() + marker.len() + 1);
                    self.begin(format!("{margin}{marker} "), further);
                    self.add(text);
                }
                Line::Text(text) => self.add(text),
            }
        }
        self.flush();
        self.out
    }

    /// A line of its own in one style.
    fn whole(&mut self, line: &str, style: Style) {
        self.flush();
        self.out.push_str(&super::palette::paint(line, style, true));
        self.out.push('\n');
    }

    fn begin(&mut self, first: String, further: String) {
        self.flush();
        self.first = first;
        self.further = further;
    }

    /// Adds a line of text to the block under way.
    fn add(&mut self, line: &str) {
        let mut glued = false;
        for span in Spans::new(line) {
            let (text, style) = match span {
                Span::Text(text) => (Cow::Borrowed(text), Style::new()),
                Span::Code(text) => (Cow::Borrowed(text), CODE),
                Span::Strong(text) => (Cow::Borrowed(text), STRONG),
                Span::Emphasis(text) => (Cow::Borrowed(text), EMPHASIS),
                Span::Link { text, url } if text == url => (Cow::Borrowed(url), LINK),
                Span::Link { text, url } => (Cow::Owned(format!("{text} ({url})")), LINK),
            };
            glued &= !text.starts_with(' ');
            for word in text.split_whitespace() {
                let word = super::palette::paint(word, style, style != Style::new());
                match self.words.last_mut() {
                    // A comma behind a span stays with it.
                    Some(last) if glued => last.push_str(&word),
                    _ => self.words.push(word),
                }
                glued = false;
            }
            glued = !text.ends_with(' ') && !text.is_empty();
        }
    }

    /// Writes the block under way in lines of the width.
    fn flush(&mut self) {
        let mut line = std::mem::take(&mut self.first);
        let further = std::mem::take(&mut self.further);
        let margin = further.len();
        let mut column = line.len();
        for (index, word) in std::mem::take(&mut self.words).into_iter().enumerate() {
            let length = unicode_width::UnicodeWidthStr::width(without_colours(&word).as_str());
            if index > 0 {
                if column + 1 + length > self.width && column > margin {
                    self.out.push_str(line.trim_end());
                    self.out.push('\n');
                    line.clone_from(&further);
                    column = margin;
                } else {
                    line.push(' ');
                    column += 1;
                }
            }
            line.push_str(&word);
            column += length;
        }
        if !line.trim().is_empty() {
            self.out.push_str(&line);
            self.out.push('\n');
        }
    }
}

/// A text without its colours.
fn without_colours(text: &str) -> String {
    let mut plain = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('\x1b') {
        plain.push_str(before);
        rest = after.split_once('m').map_or("", |(_, rest)| rest);
    }
    plain + rest
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diag::OwnWords;

    const HELP: &str = "# Solver 3\n\nRuns **fast**, see [the guide](https://x.org/g), or `solver --help`.\n\n\
                        - one item that is long enough to be wrapped into two lines\n- two\n\n```\nsolver  -i in\n```\n> mind\n> this\n";

    fn terminal(width: usize) -> Layout<'static> {
        Layout {
            width,
            colour: true,
            words: &OwnWords,
        }
    }

    #[test]
    fn markdown_is_told_from_plain_text() {
        assert!(is_markdown(HELP));
        assert!(is_markdown("## Usage\n\nRun `a` and then **b** once.\n"));
        for plain in [
            "",
            "# short **a** `b`",
            "\nDescription\n===========\nGROMACS is a package for\n\n\nMore information\n================\n - Homepage: https://www.gromacs.org\n - Other: y\n",
            "Sets my_long_name and other_long_name; 2 * 3 * 4 = 24 [sic] (see)\n",
            "# a shell comment\nexport A=1 and nothing that is more than that\n",
            "- loads the compiler\n- sets a variable\n- and that is that\n",
        ] {
            assert!(!is_markdown(plain), "{plain}");
        }
    }

    #[test]
    fn a_terminal_gets_headings_lists_and_code() {
        let text = render(HELP, terminal(40));
        let plain = without_colours(&text);
        assert_eq!(
            plain,
            "Solver 3\n\nRuns fast, see the guide\n(https://x.org/g), or solver --help.\n\n  - one item that is long enough to be\n    \
             wrapped into two lines\n  - two\n\n    solver  -i in\n| mind this\n"
        );
        assert!(text.contains("\x1b[1mfast\x1b[0m,"), "{text:?}");
        assert!(text.contains("\x1b[36msolver\x1b[0m"), "{text:?}");
    }

    #[test]
    fn what_is_no_terminal_gets_the_text_as_it_is() {
        let layout = Layout {
            width: 40,
            colour: false,
            words: &OwnWords,
        };
        assert_eq!(render(HELP, layout), HELP);
        let plain = "Sets  two   variables, as\n   written";
        assert_eq!(render(plain, terminal(40)), plain);
    }

    #[test]
    fn marks_that_do_not_end_are_text() {
        for odd in [
            "**",
            "*",
            "`",
            "[x](",
            "[x](y",
            "__init__x",
            "a * b * c",
            "é*é*é",
            "[](u)",
        ] {
            assert!(Spans::new(odd).count() >= 1, "{odd}");
        }
        assert_eq!(
            Spans::new("my_long_name").collect::<Vec<_>>(),
            [Span::Text("my_long_name")]
        );
    }
}
