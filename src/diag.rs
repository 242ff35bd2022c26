//! What goes wrong, said once: object, place, reason, next step.
//!
//! Every room has its own error type; at the room's door it becomes a [`Diagnostic`]. This file holds the only renderer,
//! so that all messages look alike. It does no I/O: rendering gives text.

use std::fmt;
use std::sync::Arc;

use camino::{Utf8Path, Utf8PathBuf};

/// The text of a file together with its path, shared by all spans into it.
#[derive(PartialEq, Eq)]
pub struct SourceFile {
    path: Utf8PathBuf,
    text: Vec<u8>,
}

impl SourceFile {
    /// Keeps `text` as the content of `path`; nothing is read.
    pub fn new(path: impl Into<Utf8PathBuf>, text: impl Into<Vec<u8>>) -> Arc<SourceFile> {
        Arc::new(SourceFile {
            path: path.into(),
            text: text.into(),
        })
    }

    /// The path as messages show it.
    pub fn path(&self) -> &Utf8Path {
        &self.path
    }

    /// The bytes of the file.
    pub fn text(&self) -> &[u8] {
        &self.text
    }

    /// The line (from 1) that holds byte `offset`.
    pub fn line_of(&self, offset: u32) -> u32 {
        let end = (offset as usize).min(self.text.len());
        1 + self.text[..end].iter().filter(|&&b| b == b'\n').count() as u32
    }

    /// The span of line `line` (from 1) without its indentation and its end; empty at the end of the file when there is
    /// no such line.
    pub fn line_span(&self, line: u32) -> Span {
        let mut start = 0;
        for (number, text) in self.text.split(|&b| b == b'\n').enumerate() {
            if number as u32 + 1 == line {
                let indent = text.iter().take_while(|b| b.is_ascii_whitespace()).count();
                let tail = text
                    .iter()
                    .rev()
                    .take_while(|b| b.is_ascii_whitespace())
                    .count();
                let end = start + text.len().saturating_sub(tail).max(indent);
                return Span::new(start + indent, end);
            }
            start += text.len() + 1;
        }
        Span::new(self.text.len(), self.text.len())
    }
}

/// Shows the path alone: the text of every place would drown the rest.
impl fmt::Debug for SourceFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SourceFile").field(&self.path).finish()
    }
}

/// A range of bytes in a [`SourceFile`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub struct Span {
    /// First byte.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
}

impl Span {
    /// The range `start..end`; offsets past 4 GiB are cut (files are bounded far below).
    pub fn new(start: usize, end: usize) -> Span {
        Span {
            start: u32::try_from(start).unwrap_or(u32::MAX),
            end: u32::try_from(end.max(start)).unwrap_or(u32::MAX),
        }
    }

    /// The smallest span that holds both.
    pub fn to(self, other: Span) -> Span {
        Span {
            start: self.start.min(other.start),
            end: self.end.max(other.end),
        }
    }
}

/// A place in a file: what a caret points at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The file.
    pub file: Arc<SourceFile>,
    /// The bytes that are meant.
    pub span: Span,
}

impl Place {
    /// A whole line (from 1) of a file, for languages that know only lines.
    pub fn line(file: &Arc<SourceFile>, line: u32) -> Place {
        Place {
            file: Arc::clone(file),
            span: file.line_span(line),
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}:{}",
            self.file.path(),
            self.file.line_of(self.span.start)
        )
    }
}

/// Who has to act on a diagnostic; picks the exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The command line is wrong.
    Usage,
    /// The request cannot be met (unknown module, conflict, ...).
    Module,
    /// The author of a modulefile made a mistake.
    Modulefile,
    /// Configuration, cache, files of the site.
    Site,
    /// A mistake of ours: asks for a report.
    Bug,
}

impl Kind {
    /// The exit status of the process when this ends an `xmod` admin command. Sub-commands of `module` always exit with
    /// 1, as the peers do and their clients expect.
    pub fn exit_code(self) -> u8 {
        match self {
            Kind::Module | Kind::Modulefile => 1,
            Kind::Usage => 2,
            Kind::Site => 3,
            Kind::Bug => 70,
        }
    }
}

/// How loud a diagnostic is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Severity {
    /// The request fails.
    Error,
    /// The request goes on.
    Warning,
}

/// One message for people: what, where, why, next step.
///
/// House style: lower case, no full stop, backticks round names, readable without colour.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// Who has to act.
    pub kind: Kind,
    /// What is wrong, in one line.
    pub message: String,
    /// Where, with the words that stand beside the caret (may be empty).
    pub place: Option<(Place, String)>,
    /// Facts that help to understand: `= note:` lines.
    pub notes: Vec<String>,
    /// Next steps: `= help:` lines.
    pub help: Vec<String>,
    /// By what a site may put it into words of its own.
    pub wording: Option<Box<Wording>>,
}

/// A message as sites know it: Lmod's key, and what its text is filled with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wording {
    /// Lmod's key: `e_Failed_Load`.
    pub key: &'static str,
    /// Names of places in the text, and what stands there.
    pub values: Vec<(&'static str, String)>,
    /// The module whose file was evaluated when it came up; `None` where it is about the request itself.
    pub within: Option<Within>,
}

/// A module whose file is evaluated, as messages name it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Within {
    /// Name without version.
    pub name: String,
    /// The version.
    pub version: Option<String>,
    /// How it was asked for.
    pub requested: String,
    /// Its file.
    pub file: Utf8PathBuf,
}

/// The texts that a site puts in place of ours, by the keys that it knows from Lmod.
pub trait SiteWords: std::fmt::Debug {
    /// The site's text for Lmod's `key`, filled with `values`; `None` where it leaves ours as it is.
    fn of_site(&self, key: &str, values: &[(&str, &str)]) -> Option<String>;

    /// The same for a message of the kind `lmodwarning` or `lmodmessage`, which a hook of the site may change, too.
    fn message(&self, kind: &str, key: &str, values: &[(&str, &str)], own: &str) -> Option<String>;
}

/// The words of a site that leaves ours as they are.
#[derive(Debug, Clone, Copy)]
pub struct OwnWords;

impl SiteWords for OwnWords {
    fn of_site(&self, _: &str, _: &[(&str, &str)]) -> Option<String> {
        None
    }

    fn message(&self, _: &str, _: &str, _: &[(&str, &str)], _: &str) -> Option<String> {
        None
    }
}

impl Diagnostic {
    /// A message without place, notes and help.
    pub fn new(kind: Kind, message: impl Into<String>) -> Diagnostic {
        Diagnostic {
            kind,
            message: message.into(),
            place: None,
            notes: Vec::new(),
            help: Vec::new(),
            wording: None,
        }
    }

    /// Points at a place; `label` stands beside the caret and may be empty. A place already known is kept: the
    /// innermost one is the useful one.
    #[must_use]
    pub fn at(mut self, place: Place, label: impl Into<String>) -> Diagnostic {
        self.place.get_or_insert((place, label.into()));
        self
    }

    /// Adds a `= note:` line.
    #[must_use]
    pub fn note(mut self, note: impl Into<String>) -> Diagnostic {
        self.notes.push(note.into());
        self
    }

    /// Adds a `= help:` line.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Diagnostic {
        self.help.push(help.into());
        self
    }

    /// Says under which key sites have words of their own for it.
    #[must_use]
    pub fn known_as(mut self, key: &'static str, values: &[(&'static str, &str)]) -> Diagnostic {
        let values = values.iter().map(|(n, v)| (*n, (*v).to_owned())).collect();
        self.wording = Some(Box::new(Wording {
            key,
            values,
            within: None,
        }));
        self
    }

    /// The text for people, ending in a newline. Columns wider than `width` are cut round the caret.
    pub fn render(&self, severity: Severity, colour: bool, width: usize) -> String {
        use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};
        let level = match severity {
            Severity::Error => Level::ERROR,
            Severity::Warning => Level::WARNING,
        };
        let title = printable(&self.message);
        let notes: Vec<String> = self.notes.iter().map(|n| printable(n)).collect();
        let help: Vec<String> = self.help.iter().map(|h| printable(h)).collect();
        let source = self
            .place
            .as_ref()
            .map(|(place, label)| Excerpt::new(place, label));
        let mut group = annotate_snippets::Group::with_title(level.primary_title(title.as_str()));
        if let Some(excerpt) = &source {
            let annotation = AnnotationKind::Primary.span(excerpt.span.clone());
            group = group.element(
                Snippet::source(excerpt.text.as_str())
                    .path(excerpt.path.as_str())
                    .line_start(excerpt.first_line)
                    .annotation(if excerpt.label.is_empty() {
                        annotation
                    } else {
                        annotation.label(excerpt.label.as_str())
                    }),
            );
        }
        for note in &notes {
            group = group.element(Level::NOTE.message(note.as_str()));
        }
        for line in &help {
            group = group.element(Level::HELP.message(line.as_str()));
        }
        let renderer = if colour {
            Renderer::styled()
        } else {
            Renderer::plain()
        };
        let mut text = renderer.term_width(width.max(40)).render(&[group]);
        if !text.ends_with('\n') {
            text.push('\n');
        }
        text
    }
}

impl fmt::Display for Diagnostic {
    /// The plain rendering, for logs and tests.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.render(Severity::Error, false, 140))
    }
}

impl std::error::Error for Diagnostic {}

/// The few lines round a place, as valid text: files may hold any bytes and be 10 MB long.
struct Excerpt {
    path: String,
    text: String,
    first_line: usize,
    span: std::ops::Range<usize>,
    label: String,
}

impl Excerpt {
    /// Longest line that is shown; the rest of a longer one is cut.
    const LINE: usize = 400;

    fn new(place: &Place, label: &str) -> Excerpt {
        let text = place.file.text();
        let start = (place.span.start as usize).min(text.len());
        let line_start = text[..start]
            .iter()
            .rposition(|&b| b == b'\n')
            .map_or(0, |i| i + 1);
        let from = line_start.max(start.saturating_sub(Excerpt::LINE / 2));
        let line_end = text[start..]
            .iter()
            .position(|&b| b == b'\n')
            .map_or(text.len(), |i| start + i);
        let to = line_end.min(from + Excerpt::LINE);
        // A span over several lines is shown by its first line: one caret is enough to find the place.
        let end = (place.span.end as usize).clamp(start, to);
        let before = lossless_width(&text[from..start]);
        let marked = lossless_width(&text[start..end]);
        let after = lossless_width(&text[end..to]);
        let span = before.len()..before.len() + marked.len();
        Excerpt {
            path: printable(place.file.path().as_str()),
            text: format!("{before}{marked}{after}"),
            first_line: place.file.line_of(place.span.start) as usize,
            span,
            label: printable(label),
        }
    }
}

/// Bytes as text of one line: control characters become blanks, invalid UTF-8 the replacement character.
fn lossless_width(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes)
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect()
}

/// Text that cannot move the cursor or change colours: control characters other than newline and tab are shown as `\xNN`.
pub fn printable(text: &str) -> String {
    if !text
        .chars()
        .any(|c| c.is_control() && c != '\n' && c != '\t')
    {
        return text.to_owned();
    }
    let mut out = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        if c.is_control() && c != '\n' && c != '\t' {
            out.push_str(&format!("\\x{:02x}", c as u32));
        } else {
            out.push(c);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_diagnostic_shows_file_line_column_and_caret() {
        let file = SourceFile::new("gcc/13.2.0", "#%Module\nprepend-pth PATH /x\n");
        let place = Place {
            file,
            span: Span::new(9, 20),
        };
        let text = Diagnostic::new(Kind::Modulefile, "unknown command `prepend-pth`")
            .at(place, "not a modulefile command")
            .help("did you mean `prepend-path`?")
            .render(Severity::Error, false, 100);
        insta::assert_snapshot!(text, @r"
        error: unknown command `prepend-pth`
         --> gcc/13.2.0:2:1
          |
        2 | prepend-pth PATH /x
          | ^^^^^^^^^^^ not a modulefile command
          |
          = help: did you mean `prepend-path`?
        ");
    }

    #[test]
    fn a_place_in_binary_garbage_is_shown_without_control_characters() {
        let file = SourceFile::new("bad", b"\x1b[2J\xff\xfe ok\n".to_vec());
        let place = Place {
            file,
            span: Span::new(0, 400),
        };
        let text = Diagnostic::new(Kind::Modulefile, "bad")
            .at(place, "")
            .to_string();
        assert!(!text.contains('\x1b'), "{text}");
    }

    #[test]
    fn the_span_of_a_line_leaves_out_indentation() {
        let file = SourceFile::new("f", "a\n  b c  \n");
        assert_eq!(file.line_span(2), Span::new(4, 7));
        assert_eq!(file.line_span(9), Span::new(10, 10));
    }
}
