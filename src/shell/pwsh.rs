//! PowerShell 7 on Unix.
//!
//! Source: "about_Quoting_Rules", "about_Environment_Variables", "about_Parsing". In single quotes only quotes are special, and
//! the curved ones count as quotes too. The output of a program comes as lines, where a carriage return ends one: it is written
//! as a number. The code is read as a whole before any of it runs, so what modulefiles wrote (aliases, functions, code) stands in
//! strings that are read one by one: a mistake there must not cost the rest.

use bstr::{BString, ByteSlice};

use super::{Outcome, Statements, push};
use crate::env::delta::{Change, Delta};

/// PowerShell.
#[derive(Debug)]
pub(super) struct Pwsh;

/// A string in single quotes, each quote written twice; in brackets where it is made of several.
pub(super) fn string(value: &[u8]) -> Result<String, &'static str> {
    let value = value
        .to_str()
        .map_err(|_| "PowerShell holds only UTF-8 text")?;
    let quoted = |piece: &str| {
        let mut out = String::from("'");
        for c in piece.chars() {
            if matches!(c, '\'' | '\u{2018}'..='\u{201b}') {
                out.push(c);
            }
            out.push(c);
        }
        out.push('\'');
        out
    };
    let pieces: Vec<String> = value.split('\r').map(quoted).collect();
    Ok(match pieces.as_slice() {
        [whole] => whole.clone(),
        pieces => format!("({})", pieces.join(" + [char]13 + ")),
    })
}

/// A function whose body is read by itself.
fn function(name: &str, body: &[u8]) -> Result<String, &'static str> {
    Ok(format!(
        "try {{ Set-Item -LiteralPath {} -Value ([scriptblock]::Create({})) }} catch {{ Write-Warning \"$_\" }}\n",
        string(format!("function:global:{name}").as_bytes())?,
        string(body)?
    ))
}

/// What completes the words of a command.
fn completer(command: &str, body: &[u8]) -> Result<String, &'static str> {
    Ok(format!(
        "try {{ Register-ArgumentCompleter -CommandName {} -ScriptBlock ([scriptblock]::Create({})) }} catch {{ Write-Warning \"$_\" }}\n",
        string(command.as_bytes())?,
        string(body)?
    ))
}

impl Statements for Pwsh {
    fn reserved(&self) -> &'static [&'static str] {
        &[]
    }

    fn open(&self, _: &Delta, _: &mut Vec<u8>) {}

    fn write(&self, change: &Change, out: &mut Vec<u8>) -> Result<(), &'static str> {
        match change {
            Change::SetVar { name, value } => {
                let value = string(value)?;
                let name = name.as_str().as_bytes();
                // `$env:X = ''` removes the variable before version 7.5.
                push(out, &[b"$env:", name, b" = ", value.as_bytes(), b"\n"]);
            }
            Change::UnsetVar { name } => push(
                out,
                &[
                    b"Remove-Item -Path env:",
                    name.as_str().as_bytes(),
                    b" -ErrorAction SilentlyContinue\n",
                ],
            ),
            Change::SetAlias { name, value } => {
                let body = [value.trim_ascii(), b" @args"].concat();
                push(out, &[function(name, &body)?.as_bytes()]);
            }
            Change::SetFunction { name, sh, .. } => push(out, &[function(name, sh)?.as_bytes()]),
            Change::UnsetAlias { name } | Change::UnsetFunction { name } => push(
                out,
                &[
                    b"Remove-Item -Path function:",
                    name.as_bytes(),
                    b" -ErrorAction SilentlyContinue\n",
                ],
            ),
            Change::ExportFunction { .. } => {}
            Change::Complete {
                shell,
                command,
                spec,
            } => {
                if shell == "pwsh" {
                    push(out, &[completer(command, spec)?.as_bytes()]);
                }
            }
            Change::Uncomplete { shell, command } => {
                if shell == "pwsh" {
                    push(out, &[completer(command, b"")?.as_bytes()]);
                }
            }
            Change::Chdir { dir } => push(
                out,
                &[
                    b"Set-Location -LiteralPath ",
                    string(dir)?.as_bytes(),
                    b"\n",
                ],
            ),
            Change::Execute { code } => push(
                out,
                &[
                    b"try { Invoke-Expression ",
                    string(code)?.as_bytes(),
                    b" } catch { Write-Warning \"$_\" }\n",
                ],
            ),
        }
        Ok(())
    }

    fn echo(&self, lines: &[BString], out: &mut Vec<u8>) {
        let text = bstr::join("\n", lines).to_str_lossy().into_owned();
        let text = string(text.as_bytes()).expect("lossy text is UTF-8");
        push(out, &[b"Write-Output ", text.as_bytes(), b"\n"]);
    }

    fn close(&self, outcome: Outcome<'_>, _: &Delta, out: &mut Vec<u8>) {
        let status: &[u8] = match outcome {
            Outcome::Success => b"$global:_mlstatus = $true\n",
            Outcome::Failure => b"$global:_mlstatus = $false\n",
            Outcome::Text(text) => {
                self.echo(&[text.to_owned()], out);
                b"$global:_mlstatus = $true\n"
            }
        };
        out.extend_from_slice(status);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_quote_is_written_twice_and_carriage_returns_as_numbers() {
        for (value, text) in [
            ("it's $x `n", "'it''s $x `n'"),
            ("\u{2018}a\u{2019}", "'\u{2018}\u{2018}a\u{2019}\u{2019}'"),
            ("a\r\nb", "('a' + [char]13 + '\nb')"),
            ("", "''"),
        ] {
            assert_eq!(string(value.as_bytes()).unwrap(), text);
        }
    }

    #[test]
    fn what_a_modulefile_wrote_is_read_by_itself() {
        let text = function("ll", b"ls } if [ -n 'x' ]").unwrap();
        assert!(
            text.contains("[scriptblock]::Create('ls } if [ -n ''x'' ]')"),
            "{text}"
        );
    }
}
