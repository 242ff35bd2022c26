//! cmd.exe of Windows: statements of a batch file, which the start file calls.
//!
//! The program runs on Linux; the code is for those who reach it from Windows. Of the quoting rules of cmd.exe these matter in a
//! batch file: `%` is written twice; between two `"` nothing else is special; outside of them `^` takes the meaning from the
//! character behind it (brackets need none: no statement stands in a block). A `"` in a value ends or begins such a stretch, and
//! `set "X=..."` takes all up to the last one. No way is there to hold a line end, an empty variable, or a line of more than 8191
//! characters. `!` is safe unless the caller has switched delayed expansion on, which the start file switches off.
//!
//! Source: `help set`, `help cmd`, `help for` of Windows.

use bstr::{BString, ByteSlice};

use super::{Outcome, Statements, push};
use crate::env::delta::{Change, Delta};

/// The longest line of a batch file, in characters.
const LINE_MAX_CHARS: usize = 8191;

/// cmd.exe.
#[derive(Debug)]
pub(super) struct Cmd;

/// `value` behind a `"` and before another: what stands outside of quotes there gets a `^`.
fn inside_quotes(value: &str) -> String {
    let mut out = String::with_capacity(value.len());
    let mut quoted = true;
    for c in value.chars() {
        match c {
            '"' => quoted = !quoted,
            '%' => out.push('%'),
            '&' | '|' | '<' | '>' | '^' if !quoted => out.push('^'),
            _ => {}
        }
        out.push(c);
    }
    out
}

/// Text outside of quotes, as `echo(` prints it.
fn outside_quotes(value: &str) -> String {
    let mut out = String::with_capacity(value.len());
    for c in value.chars() {
        match c {
            '%' => out.push('%'),
            '&' | '|' | '<' | '>' | '^' | '"' => out.push('^'),
            _ => {}
        }
        out.push(c);
    }
    out
}

/// The value as text that one line can hold.
fn line(value: &[u8]) -> Result<&str, &'static str> {
    let value = value
        .to_str()
        .map_err(|_| "cmd.exe holds only Unicode text")?;
    if value.contains(['\n', '\r', '\u{1a}']) {
        return Err("cmd.exe cannot hold a line end in a variable");
    }
    Ok(value)
}

/// One statement as a line, if it is not too long for one.
fn statement(text: &str, out: &mut Vec<u8>) -> Result<(), &'static str> {
    if text.chars().count() > LINE_MAX_CHARS {
        return Err("a line of cmd.exe holds no more than 8191 characters");
    }
    push(out, &[text.as_bytes(), b"\r\n"]);
    Ok(())
}

impl Statements for Cmd {
    fn reserved(&self) -> &'static [&'static str] {
        &[
            "CD",
            "CMDCMDLINE",
            "CMDEXTVERSION",
            "DATE",
            "ERRORLEVEL",
            "RANDOM",
            "TIME",
        ]
    }

    fn open(&self, _: &Delta, _: &mut Vec<u8>) {}

    fn write(&self, change: &Change, out: &mut Vec<u8>) -> Result<(), &'static str> {
        match change {
            Change::SetVar { name, value } => {
                let value = inside_quotes(line(value)?);
                statement(&format!("set \"{}={value}\"", name.as_str()), out)
            }
            Change::UnsetVar { name } => statement(&format!("set \"{}=\"", name.as_str()), out),
            Change::SetAlias { name, value } => {
                let body = outside_quotes(line(value.trim_ascii())?).replace('$', "$$");
                statement(&format!("doskey {name}={body} $*"), out)
            }
            Change::UnsetAlias { name } => statement(&format!("doskey {name}="), out),
            Change::Chdir { dir } => {
                statement(&format!("cd /d \"{}\"", inside_quotes(line(dir)?)), out)
            }
            Change::Execute { code } => {
                push(out, &[code, b"\r\n"]);
                Ok(())
            }
            // There are neither functions nor completions.
            Change::SetFunction { .. }
            | Change::UnsetFunction { .. }
            | Change::ExportFunction { .. }
            | Change::Complete { .. }
            | Change::Uncomplete { .. } => Ok(()),
        }
    }

    fn echo(&self, lines: &[BString], out: &mut Vec<u8>) {
        for text in lines.iter().flat_map(|text| text.split_str("\n")) {
            let text = outside_quotes(&text.to_str_lossy().replace('\r', ""));
            // `echo(` prints an empty line too, and no state of its own.
            push(out, &[b"echo(", text.as_bytes(), b"\r\n"]);
        }
    }

    fn close(&self, outcome: Outcome<'_>, _: &Delta, out: &mut Vec<u8>) {
        match outcome {
            Outcome::Success => out.extend_from_slice(b"exit /b 0\r\n"),
            Outcome::Failure => out.extend_from_slice(b"exit /b 1\r\n"),
            Outcome::Text(text) => {
                self.echo(&[text.to_owned()], out);
                out.extend_from_slice(b"exit /b 0\r\n");
            }
        }
    }
}

/// A path for the start file, in the quotes that stand there.
pub(super) fn path(value: &[u8]) -> Vec<u8> {
    inside_quotes(&value.to_str_lossy()).into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_stands_outside_of_quotes_is_escaped() {
        assert_eq!(inside_quotes("a&b 100%"), "a&b 100%%");
        assert_eq!(inside_quotes("a\"&\"b&"), "a\"^&\"b&");
        assert_eq!(outside_quotes("a & \"b\" %x%"), "a ^& ^\"b^\" %%x%%");
    }

    #[test]
    fn what_no_line_can_hold_is_refused() {
        assert!(line(b"a\nb").is_err());
        let mut out = Vec::new();
        assert!(statement(&"x".repeat(LINE_MAX_CHARS + 1), &mut out).is_err());
        assert!(out.is_empty());
    }
}
