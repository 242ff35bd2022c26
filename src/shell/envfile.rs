//! Files of variables: what a program reads its environment from.
//!
//! They hold values and nothing else: no taking away, no aliases, no text, no status. A request that fails leaves the file
//! empty, and the exit status of the program tells. Each format is a rule for one entry:
//!
//! - **dotenv**: plain words, `'...'` and `"..."` as all readers take them; where these differ, as python-dotenv does. A value
//!   that holds `${` cannot be said: some readers would put a variable in its place, whatever the quotes.
//! - **systemd**: `EnvironmentFile=` of systemd.exec(5); `"..."` with a backslash before `"`, `\`, `` ` `` and `$`.
//! - **docker**: `ENV` instructions of a Dockerfile, one line each.
//! - **github**: the files that `$GITHUB_ENV` names in GitHub Actions, with a delimiter that does not occur in the value.

use std::fmt;

use bstr::ByteSlice;

use super::{Dropped, Emission, Shell, admit, describe};
use crate::env::delta::{Change, Delta};

/// A file of variables.
pub(super) struct EnvFile {
    /// Writes one variable.
    entry: fn(&str, &str, &mut String) -> Result<(), &'static str>,
    /// Why no variable can be taken away.
    keeps: &'static str,
    /// Variables that the reader keeps for itself.
    reserved: &'static [&'static str],
}

impl fmt::Debug for EnvFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EnvFile").finish_non_exhaustive()
    }
}

pub(super) static DOTENV: EnvFile = EnvFile {
    entry: dotenv,
    keeps: "a dotenv file cannot take a variable away",
    reserved: &[],
};

pub(super) static SYSTEMD: EnvFile = EnvFile {
    entry: systemd,
    keeps: "an environment file cannot take a variable away; a unit can, with `UnsetEnvironment=`",
    reserved: &[],
};

pub(super) static DOCKER: EnvFile = EnvFile {
    entry: docker,
    keeps: "a Dockerfile cannot take a variable of its base image away",
    reserved: &[],
};

pub(super) static GITHUB: EnvFile = EnvFile {
    entry: github,
    keeps: "a workflow file cannot take a variable away",
    reserved: &["NODE_OPTIONS"],
};

impl Shell for EnvFile {
    fn emit(&self, delta: &Delta) -> Emission {
        let mut text = String::new();
        let mut dropped = Vec::new();
        if !delta.failed {
            for change in &delta.changes {
                let written =
                    admit(change, self.reserved).and_then(|()| self.write(change, &mut text));
                if let Err(why) = written {
                    let what = describe(change);
                    dropped.push(Dropped { what, why });
                }
            }
        }
        Emission {
            code: text.into_bytes(),
            dropped,
        }
    }

    fn echoes(&self) -> bool {
        false
    }
}

impl EnvFile {
    fn write(&self, change: &Change, out: &mut String) -> Result<(), &'static str> {
        match change {
            Change::SetVar { name, value } => {
                let value = value.to_str().map_err(|_| "the file holds UTF-8 text")?;
                (self.entry)(name.as_str(), value, out)
            }
            Change::UnsetVar { .. } => Err(self.keeps),
            // Words of a shell; there is none.
            Change::SetAlias { .. }
            | Change::UnsetAlias { .. }
            | Change::SetFunction { .. }
            | Change::UnsetFunction { .. }
            | Change::ExportFunction { .. }
            | Change::Complete { .. }
            | Change::Uncomplete { .. }
            | Change::Chdir { .. }
            | Change::Execute { .. } => Ok(()),
        }
    }
}

/// `value` with a backslash before each of `special`.
fn escaped(value: &str, special: &[char]) -> String {
    let mut out = String::with_capacity(value.len() + 2);
    for c in value.chars() {
        if special.contains(&c) {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

fn dotenv(name: &str, value: &str, out: &mut String) -> Result<(), &'static str> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-./:+,@%".contains(c);
    // Readers take such a backslash for one that quotes the end of the value.
    let ends_open = value.ends_with('\\');
    // A pair of backslashes and one before a quote are one character for some readers and two for others.
    let doubtful = ends_open || value.contains("\\\\") || value.contains("\\'");
    if value.contains("${") {
        return Err("readers of dotenv files may put a variable in place of `${`");
    }
    let word = if value.chars().all(plain) {
        value.to_owned()
    } else if value.contains('\r') {
        if ends_open {
            return Err("a dotenv file cannot hold a carriage return and a backslash at the end");
        }
        format!("\"{}\"", escaped(value, &['\\', '"']).replace('\r', "\\r"))
    } else if !value.contains('\'') && !doubtful {
        format!("'{value}'")
    } else if !value.contains(['"', '$', '`', '\\', '!']) {
        format!("\"{value}\"")
    } else if !ends_open {
        format!("'{}'", escaped(value, &['\\', '\'']))
    } else if value.starts_with(['\'', '"', ' ', '\t', '#'])
        || value.contains(['\n', '\u{b}', '\u{c}'])
        || value.contains(" #")
        || value.contains("\t#")
    {
        return Err("a dotenv file cannot hold this value, which ends in a backslash");
    } else {
        value.to_owned()
    };
    out.push_str(&format!("{name}={word}\n"));
    Ok(())
}

fn systemd(name: &str, value: &str, out: &mut String) -> Result<(), &'static str> {
    if value
        .chars()
        .any(|c| c.is_ascii_control() && !"\n\t".contains(c))
    {
        return Err("systemd takes no control characters but line ends and tabs");
    }
    let value = escaped(value, &['"', '\\', '`', '$']);
    out.push_str(&format!("{name}=\"{value}\"\n"));
    Ok(())
}

fn docker(name: &str, value: &str, out: &mut String) -> Result<(), &'static str> {
    if value.contains(['\n', '\r']) {
        return Err("an instruction of a Dockerfile is one line");
    }
    let value = escaped(value, &['"', '\\', '$']);
    out.push_str(&format!("ENV {name}=\"{value}\"\n"));
    Ok(())
}

fn github(name: &str, value: &str, out: &mut String) -> Result<(), &'static str> {
    if name.starts_with("GITHUB_") || name.starts_with("RUNNER_") {
        return Err("GitHub keeps the variable for itself");
    }
    if !value.contains('\n') {
        out.push_str(&format!("{name}={value}\n"));
        return Ok(());
    }
    let mut delimiter = "XMOD_END".to_owned();
    while value.contains(&delimiter) {
        delimiter.push('_');
    }
    out.push_str(&format!("{name}<<{delimiter}\n{value}\n{delimiter}\n"));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(
        write: fn(&str, &str, &mut String) -> Result<(), &'static str>,
        value: &str,
    ) -> String {
        let mut out = String::new();
        match write("X", value, &mut out) {
            Ok(()) => out,
            Err(why) => why.to_owned(),
        }
    }

    #[test]
    fn dotenv_takes_the_plainest_quotes_that_hold_the_value() {
        let rows = [
            ("/a/b:/c", "X=/a/b:/c\n"),
            ("a b $HOME \\n", "X='a b $HOME \\n'\n"),
            ("it's", "X=\"it's\"\n"),
            ("it's $5", "X='it\\'s $5'\n"),
            ("", "X=\n"),
            ("a\r\n", "X=\"a\\r\n\"\n"),
        ];
        for (value, text) in rows {
            assert_eq!(entry(dotenv, value), text);
        }
        assert!(entry(dotenv, "${HOME}").contains("may put a variable"));
    }

    #[test]
    fn a_delimiter_is_never_a_part_of_its_value() {
        assert_eq!(
            entry(github, "a\nXMOD_END\nXMOD_END_"),
            "X<<XMOD_END__\na\nXMOD_END\nXMOD_END_\nXMOD_END__\n"
        );
        assert_eq!(entry(github, "a<<b"), "X=a<<b\n");
    }

    #[test]
    fn a_dockerfile_holds_one_line_for_each_variable() {
        assert_eq!(
            entry(docker, "a \"b\" \\ $c"),
            "ENV X=\"a \\\"b\\\" \\\\ \\$c\"\n"
        );
        assert!(entry(docker, "a\nb").contains("one line"));
    }
}
