//! Replaces references in texts: `{name}` by a variable of the file, `${NAME}` by the environment.
//!
//! | written | gives |
//! |---|---|
//! | `{root}` | the variable; an unknown one is a mistake |
//! | `{version.2}` | the first two components of the version |
//! | `${HOME}` | the environment variable; when a module is loaded, an unset one is a mistake |
//! | `${TMP:-/tmp}` | the same, or else the text after `:-` |
//! | `{{root}}`, `$${HOME}` | `{root}`, `${HOME}` |
//!
//! Any other brace stands for itself: `awk '{print $1}'` needs no escape.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use bstr::{BString, ByteSlice};

use super::document::{self, Entry, Text, near};
use crate::diag::{Diagnostic, Kind, SourceFile, Span};
use crate::modulefile::Mode;
use crate::modulefile::host::Host;

/// Variables that every file has.
pub(super) const BUILT_IN: &[&str] = &[
    "name",
    "version",
    "full_name",
    "file",
    "dir",
    "modulepath",
    "arch",
    "os",
    "host",
    "shell",
    "user",
];

/// Longest value that a text may become.
const MAX_BYTES: usize = 1 << 20;
/// Most references that are followed for one text.
const MAX_REFERENCES: usize = 10_000;

/// The variables of a file.
#[derive(Debug)]
pub(super) struct Scope<'s> {
    source: &'s Arc<SourceFile>,
    vars: BTreeMap<&'s str, Text<'s>>,
}

/// One reference in a text.
enum Reference<'t> {
    Variable(&'t str),
    Environment(&'t str, Option<&'t str>),
}

/// The growing value of one text.
struct Expansion<'t> {
    value: BString,
    /// Where the text stands that is expanded.
    origin: Span,
    references: usize,
    /// The variables whose values are being replaced, outermost first.
    open: Vec<&'t str>,
}

impl<'s> Scope<'s> {
    /// A scope with nothing but the built-in variables.
    pub(super) fn new(source: &'s Arc<SourceFile>) -> Scope<'s> {
        Scope {
            source,
            vars: BTreeMap::new(),
        }
    }

    /// Takes in `root` and `vars` from one level of the file; later levels override.
    ///
    /// # Errors
    /// A name that cannot be used, or a value that is no text.
    pub(super) fn define(&mut self, entries: &[Entry<'s>]) -> Result<(), Diagnostic> {
        for entry in entries {
            match entry.key {
                "root" => {
                    self.vars.insert("root", entry.value.string()?);
                }
                "vars" => {
                    for var in entry.value.table("a table of variables")? {
                        check_name(&var)?;
                        let text = var
                            .value
                            .as_scalar()
                            .ok_or_else(|| var.value.expected("a string or a number"))?;
                        self.vars.insert(var.key, text);
                    }
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// The value of a text.
    ///
    /// # Errors
    /// An unknown variable, a circle of variables, an unset environment variable, or a value that grows without bound.
    pub(super) fn expand(&self, host: &Host, text: &Text) -> Result<BString, Diagnostic> {
        let mut expansion = Expansion {
            value: BString::default(),
            origin: text.span,
            references: 0,
            open: Vec::new(),
        };
        self.expand_into(host, &text.text, text.span, &mut expansion)?;
        Ok(expansion.value)
    }

    fn expand_into<'t>(
        &'t self,
        host: &Host,
        text: &'t str,
        span: Span,
        out: &mut Expansion<'t>,
    ) -> Result<(), Diagnostic> {
        let mut rest = text;
        while let Some(at) = rest.find('{') {
            let dollars = rest[..at].bytes().rev().take_while(|b| *b == b'$').count();
            if dollars >= 2 {
                // `$${HOME}`: one dollar goes, the rest stands for itself.
                out.value.extend_from_slice(&rest.as_bytes()[..at - 1]);
                out.value.push(b'{');
                rest = &rest[at + 1..];
                continue;
            }
            if dollars == 0
                && let Some(inner) = escaped_variable(&rest[at..])
            {
                out.value.extend_from_slice(&rest.as_bytes()[..at]);
                out.value.extend_from_slice(inner.as_bytes());
                rest = &rest[at + inner.len() + 2..];
                continue;
            }
            let start = at - dollars;
            match reference(&rest[start..]).map_err(|(written, message)| {
                Diagnostic::new(Kind::Modulefile, message)
                    .at(self.find(written, span), "")
                    .help("`${NAME}` and `${NAME:-default}` are understood; `$${` stands for `${`")
            })? {
                Some((written, reference)) => {
                    out.value.extend_from_slice(&rest.as_bytes()[..start]);
                    self.resolve(host, written, &reference, span, out)?;
                    rest = &rest[start + written.len()..];
                }
                None => {
                    out.value.extend_from_slice(&rest.as_bytes()[..=at]);
                    rest = &rest[at + 1..];
                }
            }
            self.check_bounds(out)?;
        }
        out.value.extend_from_slice(rest.as_bytes());
        self.check_bounds(out)
    }

    fn check_bounds(&self, out: &Expansion) -> Result<(), Diagnostic> {
        if out.value.len() > MAX_BYTES || out.references > MAX_REFERENCES {
            let why = format!(
                "at most {} KiB and {MAX_REFERENCES} references",
                MAX_BYTES >> 10
            );
            return Err(
                Diagnostic::new(Kind::Modulefile, "the value grows too large")
                    .at(document::place(self.source, out.origin), why),
            );
        }
        Ok(())
    }

    fn resolve<'t>(
        &'t self,
        host: &Host,
        written: &str,
        reference: &Reference<'t>,
        span: Span,
        out: &mut Expansion<'t>,
    ) -> Result<(), Diagnostic> {
        out.references += 1;
        match reference {
            Reference::Environment(name, default) => {
                let value = host.world.var(name.as_bytes().as_bstr());
                match (value, default) {
                    (Some(value), Some(default)) if value.is_empty() => {
                        self.expand_into(host, default, span, out)
                    }
                    (Some(value), _) => {
                        out.value.extend_from_slice(value);
                        Ok(())
                    }
                    (None, Some(default)) => self.expand_into(host, default, span, out),
                    (None, None) if matches!(host.mode, Mode::Load) => Err(Diagnostic::new(
                        Kind::Modulefile,
                        format!("`{name}` is not set in the environment"),
                    )
                    .at(self.find(written, span), "")
                    .help(format!("give a text to fall back on: `${{{name}:-...}}`"))),
                    // Listings and `show` must not fail for it, and an unload must not take away `/bin` for `$X/bin`.
                    (None, None) => {
                        out.value.push(b'$');
                        out.value.extend_from_slice(name.as_bytes());
                        Ok(())
                    }
                }
            }
            Reference::Variable(name) => {
                if let Some(text) = self.vars.get(name) {
                    if out.open.contains(name) {
                        let circle = [&out.open[..], &[name]].concat().join("` -> `");
                        return Err(Diagnostic::new(
                            Kind::Modulefile,
                            "variables refer to each other in a circle",
                        )
                        .at(self.find(written, span), format!("`{circle}`")));
                    }
                    out.open.push(name);
                    let before = out.value.len();
                    self.expand_into(host, &text.text, text.span, out)?;
                    if *name == "root" {
                        let root = out.value.split_off(before);
                        out.value.extend_from_slice(&without_dots(root.into()));
                    }
                    out.open.pop();
                    return Ok(());
                }
                match built_in(host, name) {
                    Some(Ok(value)) => {
                        out.value.extend_from_slice(value.as_bytes());
                        Ok(())
                    }
                    Some(Err(message)) => {
                        Err(Diagnostic::new(Kind::Modulefile, message)
                            .at(self.find(written, span), ""))
                    }
                    None => Err(self.unknown(written, name, span)),
                }
            }
        }
    }

    fn unknown(&self, written: &str, name: &str, span: Span) -> Diagnostic {
        let diagnostic = Diagnostic::new(Kind::Modulefile, format!("unknown variable `{name}`"))
            .at(self.find(written, span), "");
        if name == "root" {
            return diagnostic.help("say where the software is: `root = \"/path/to/it\"`");
        }
        let mut names = BUILT_IN.iter().copied().chain(self.vars.keys().copied());
        match near(name, &mut names) {
            Some(near) => diagnostic.help(format!("did you mean `{{{near}}}`?")),
            None => diagnostic.help(format!(
                "define it under `[vars]`; for the text itself write `{{{{{name}}}}}`"
            )),
        }
    }

    /// Where `written` stands within the value at `span`: the whole value where the file spells it otherwise.
    fn find(&self, written: &str, span: Span) -> crate::diag::Place {
        let value = &self.source.text()[span.start as usize..span.end as usize];
        let span = match value.find(written) {
            Some(at) => {
                let start = span.start as usize + at;
                Span::new(start, start + written.len())
            }
            None => span,
        };
        document::place(self.source, span)
    }
}

/// Variables of the environment that tell users apart.
const PERSONAL: &[&str] = &["${HOME", "${USER", "${LOGNAME"];

impl Scope<'_> {
    /// Whether the value of a text differs from user to user.
    pub(super) fn is_personal(&self, text: &Text) -> bool {
        self.mentions_person(&text.text, 0)
    }

    fn mentions_person(&self, text: &str, depth: usize) -> bool {
        text.contains("{user}")
            || PERSONAL.iter().any(|name| text.contains(name))
            || depth < 8
                && self.vars.iter().any(|(name, value)| {
                    text.contains(&format!("{{{name}}}"))
                        && self.mentions_person(&value.text, depth + 1)
                })
    }
}

fn check_name(var: &Entry) -> Result<(), Diagnostic> {
    let complain = |message: String, label: &str| {
        Err(Diagnostic::new(Kind::Modulefile, message).at(var.key_place(), label))
    };
    if BUILT_IN.contains(&var.key) {
        return complain(
            format!("`{}` is a variable of xmod itself", var.key),
            "choose another name",
        );
    }
    if var.key == "root" {
        return complain(
            "`root` is a key of its own".to_owned(),
            "write `root = ...` outside `vars`",
        );
    }
    if name_length(var.key) != var.key.len() || var.key.is_empty() {
        return complain(
            format!("`{}` cannot be the name of a variable", var.key),
            "letters, digits and `_` only, no digit first",
        );
    }
    Ok(())
}

/// The length of the variable name that `text` begins with.
fn name_length(text: &str) -> usize {
    if text.starts_with(|c: char| c.is_ascii_digit()) {
        return 0;
    }
    text.bytes()
        .take_while(|b| b.is_ascii_alphanumeric() || *b == b'_')
        .count()
}

/// For `{{name}}` at the beginning of `text`: `{name}`.
fn escaped_variable(text: &str) -> Option<&str> {
    let inner = text.strip_prefix('{')?;
    let length = name_length(inner.strip_prefix('{')?);
    (length > 0 && inner[1 + length..].starts_with("}}")).then(|| &inner[..length + 2])
}

/// The reference that `text` begins with, as it is written and as it is meant; `None` where it is plain text.
///
/// # Errors
/// The text and what is wrong with it.
fn reference(text: &str) -> Result<Option<(&str, Reference<'_>)>, (&str, String)> {
    if let Some(inner) = text.strip_prefix('{') {
        let length = name_length(inner);
        let digits = inner[length..].strip_prefix('.').map_or(0, |rest| {
            rest.bytes().take_while(u8::is_ascii_digit).count()
        });
        let end = if digits > 0 {
            length + 1 + digits
        } else {
            length
        };
        if length == 0 || !inner[end..].starts_with('}') {
            return Ok(None);
        }
        return Ok(Some((&text[..end + 2], Reference::Variable(&inner[..end]))));
    }
    let inner = &text[2..];
    let length = name_length(inner);
    if length == 0 {
        // `${1}`, `${#}`: the shell's own, in the body of a function.
        return Ok(None);
    }
    let name = &inner[..length];
    let rest = &inner[length..];
    if rest.starts_with('}') {
        return Ok(Some((
            &text[..length + 3],
            Reference::Environment(name, None),
        )));
    }
    let Some(default) = rest.strip_prefix(":-") else {
        let end = text.find('}').map_or(length + 2, |i| i + 1);
        let written = &text[..end];
        return Err((written, format!("`{written}` is not understood")));
    };
    let mut depth = 1_usize;
    for (at, byte) in default.bytes().enumerate() {
        match byte {
            b'{' => depth += 1,
            b'}' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            let written = &text[..length + 4 + at + 1];
            return Ok(Some((
                written,
                Reference::Environment(name, Some(&default[..at])),
            )));
        }
    }
    let written = &text[..length + 4];
    Err((written, format!("`{written}` is not closed")))
}

/// The value of a built-in variable, or why it has none; `None` for another name.
pub(super) fn built_in<'h>(host: &'h Host, name: &str) -> Option<Result<Cow<'h, str>, String>> {
    let module = host.module;
    if let Some(count) = name.strip_prefix("version.") {
        let count: usize = count.parse().unwrap_or(usize::MAX);
        return Some(match &module.version {
            Some(version) => Ok(Cow::Borrowed(leading_components(version, count))),
            None => Err("this module has no version".to_owned()),
        });
    }
    let value = match name {
        "name" => Cow::Borrowed(module.name.as_str()),
        "version" => match &module.version {
            Some(version) => Cow::Borrowed(version.as_str()),
            None => return Some(Err("this module has no version".to_owned())),
        },
        "full_name" => Cow::Owned(module.full_name()),
        "file" => Cow::Borrowed(module.file.as_str()),
        "dir" => Cow::Borrowed(module.file.parent().map_or("", |dir| dir.as_str())),
        "modulepath" => Cow::Borrowed(module.modulepath.as_str()),
        "arch" | "os" | "host" => return Some(machine_fact(name).map(Cow::Owned)),
        "shell" => Cow::Borrowed(host.world.shell_name()),
        "user" => Cow::Borrowed(host.world.session().user()),
        _ => return None,
    };
    Some(Ok(value))
}

/// What the kernel says of the machine: its processor (`x86_64`), system (`linux`) or name.
fn machine_fact(name: &str) -> Result<String, String> {
    let facts = nix::sys::utsname::uname()
        .map_err(|error| format!("the system does not tell its `{name}`: {error}"))?;
    Ok(match name {
        "arch" => facts.machine().to_string_lossy().into_owned(),
        "os" => facts.sysname().to_string_lossy().to_lowercase(),
        _ => facts.nodename().to_string_lossy().into_owned(),
    })
}

/// An absolute path without `.` and `..`, which are taken out of the text without a look at the disk; other texts as they are.
pub(super) fn without_dots(path: BString) -> BString {
    let dotted = |part: &[u8]| part == b"." || part == b"..";
    if !path.starts_with(b"/") || !path.split_str("/").any(dotted) {
        return path;
    }
    let mut parts: Vec<&[u8]> = Vec::new();
    for part in path.split_str("/") {
        match part {
            b"" | b"." => {}
            b".." => {
                parts.pop();
            }
            _ => parts.push(part),
        }
    }
    let mut out = BString::from("/");
    out.extend_from_slice(&bstr::join("/", parts));
    out
}

/// The first `count` components of a version: `3.11` of `3.11.4` for 2.
fn leading_components(version: &str, count: usize) -> &str {
    match version.match_indices('.').nth(count.saturating_sub(1)) {
        Some((end, _)) => &version[..end],
        None => version,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_components_of_a_version() {
        assert_eq!(leading_components("3.11.4", 1), "3");
        assert_eq!(leading_components("3.11.4", 2), "3.11");
        assert_eq!(leading_components("3.11.4", 9), "3.11.4");
        assert_eq!(leading_components("2013b_mdcs", 2), "2013b_mdcs");
    }

    #[test]
    fn dots_leave_absolute_paths_only() {
        let clean = |path: &str| without_dots(path.into()).to_string();
        assert_eq!(clean("/a/b/../c/./d"), "/a/c/d");
        assert_eq!(clean("/../../a"), "/a");
        assert_eq!(clean("/a/.."), "/");
        assert_eq!(clean("/a/..b/.c/"), "/a/..b/.c/");
        assert_eq!(clean("a/../b"), "a/../b");
    }

    #[test]
    fn braces_that_hold_no_name_are_plain() {
        for plain in ["{print $1}", "{ echo; }", "{}", "{1}", "{a b}", "{a", "{"] {
            assert!(matches!(reference(plain), Ok(None)), "{plain}");
        }
        assert!(matches!(reference("${1}"), Ok(None)));
        assert!(reference("${A%.*}").is_err());
        assert!(reference("${A:-b").is_err());
    }
}
