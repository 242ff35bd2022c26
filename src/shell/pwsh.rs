//! PowerShell 7 on Unix.
//!
//! Source: "about_Quoting_Rules", "about_Environment_Variables". In single quotes only quotes are special, and the curved
//! ones count as quotes too.

use bstr::{BString, ByteSlice};

use super::{Outcome, Statements, push};
use crate::env::delta::Change;

/// PowerShell.
#[derive(Debug)]
pub(super) struct Pwsh;

/// A string in single quotes, each quote written twice.
pub(super) fn string(value: &[u8]) -> Result<String, &'static str> {
    let value = value
        .to_str()
        .map_err(|_| "PowerShell holds only UTF-8 text")?;
    let mut out = String::from("'");
    for c in value.chars() {
        if matches!(c, '\'' | '\u{2018}'..='\u{201b}') {
            out.push(c);
        }
        out.push(c);
    }
    out.push('\'');
    Ok(out)
}

impl Statements for Pwsh {
    fn reserved(&self) -> &'static [&'static str] {
        &[]
    }

    fn open(&self, _: &mut Vec<u8>) {}

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
            Change::SetAlias { name, value } => push(
                out,
                &[
                    b"function global:",
                    name.as_bytes(),
                    b" { ",
                    value.trim_ascii(),
                    b" @args }\n",
                ],
            ),
            Change::SetFunction { name, sh, .. } => push(
                out,
                &[b"function global:", name.as_bytes(), b" {\n", sh, b"\n}\n"],
            ),
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
                    push(
                        out,
                        &[
                            b"Register-ArgumentCompleter -CommandName ",
                            command.as_bytes(),
                            b" -ScriptBlock {\n",
                            spec,
                            b"\n}\n",
                        ],
                    );
                }
            }
            Change::Uncomplete { shell, command } => {
                if shell == "pwsh" {
                    push(
                        out,
                        &[
                            b"Register-ArgumentCompleter -CommandName ",
                            command.as_bytes(),
                            b" -ScriptBlock {}\n",
                        ],
                    );
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
            Change::Execute { code } => push(out, &[code, b"\n"]),
        }
        Ok(())
    }

    fn echo(&self, lines: &[BString], out: &mut Vec<u8>) {
        let text = bstr::join("\n", lines).to_str_lossy().into_owned();
        let text = string(text.as_bytes()).expect("lossy text is UTF-8");
        push(out, &[b"Write-Output ", text.as_bytes(), b"\n"]);
    }

    fn close(&self, outcome: Outcome<'_>, out: &mut Vec<u8>) {
        let status: &[u8] = match outcome {
            Outcome::Success => b"$global:_mlstatus = $true\n",
            Outcome::Failure => b"$global:_mlstatus = $false\n",
            Outcome::Text(text) => return self.echo(&[text.to_owned()], out),
        };
        out.extend_from_slice(status);
    }
}
