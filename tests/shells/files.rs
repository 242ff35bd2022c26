//! Files of variables: what is written comes back from a reader of each format, or is left out with a warning.

use std::collections::BTreeMap;
use std::process::{Command, Stdio};

use bstr::{BStr, BString, ByteSlice};
use xmod::env::{Change, Delta, VarName};
use xmod::shell::find;

use super::values::hostile;
use crate::support::{Site, require};

type Values = BTreeMap<BString, BString>;

/// Writes `values` as a file of this format; gives its text, and which variables were left out.
fn written(format: &str, values: &[Vec<u8>]) -> (Vec<u8>, Vec<usize>) {
    let mut delta = Delta::default();
    for (i, value) in values.iter().enumerate() {
        delta.changes.push(Change::SetVar {
            name: VarName::new(format!("V{i}")).unwrap(),
            value: value.as_slice().into(),
        });
    }
    let emission = find(format).unwrap().shell.emit(&delta);
    let number = |what: &str| {
        what.trim_matches(|c: char| !c.is_ascii_digit())
            .parse()
            .unwrap()
    };
    let dropped = emission.dropped.iter().map(|d| number(&d.what)).collect();
    (emission.code, dropped)
}

/// Values of every kind, those of the other shells' test among them.
fn values() -> Vec<Vec<u8>> {
    let mut values = hostile();
    values.push(b"long ".repeat(20_000));
    values.push(b"${HOME:-x} $HOME `id`".to_vec());
    values.push(b"'single' \"double\" \\back".to_vec());
    values.push(b"a\\'b".to_vec());
    values
}

/// Compares what a reader saw with what was to be written; at most `may_drop` values are left out.
fn compare(format: &str, seen: &Values, values: &[Vec<u8>], dropped: &[usize], may_drop: usize) {
    assert!(dropped.len() <= may_drop, "{format} leaves out {dropped:?}");
    for (i, value) in values.iter().enumerate() {
        let wanted = (!dropped.contains(&i)).then_some(BStr::new(value));
        let got = seen.get(BStr::new(&format!("V{i}"))).map(|v| v.as_bstr());
        assert_eq!(got, wanted, "{format}: {:?}", BStr::new(value));
    }
}

fn entries(bytes: &[u8]) -> Values {
    let pairs = bytes
        .split(|b| *b == 0)
        .filter_map(|entry| entry.split_once_str("="));
    pairs
        .map(|(name, value)| (name.into(), value.into()))
        .collect()
}

fn output(command: &mut Command) -> Vec<u8> {
    let output = command
        .env("LC_ALL", "C.UTF-8")
        .stdin(Stdio::null())
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    output.stdout
}

#[test]
fn dotenv_files_come_back_from_python_dotenv() {
    if !require("python3") {
        return;
    }
    let values = values();
    let (text, dropped) = written("dotenv", &values);
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join(".env");
    std::fs::write(&file, text).unwrap();
    let script = "import sys, dotenv\n\
        for name, value in dotenv.dotenv_values(sys.argv[1]).items():\n    \
            sys.stdout.buffer.write(f'{name}={value}\\0'.encode())";
    let seen = output(Command::new("python3").args(["-c", script]).arg(&file));
    // `${`, what is not UTF-8, and some values that end in a backslash.
    compare("dotenv", &entries(&seen), &values, &dropped, 9);
}

#[test]
fn environment_files_of_systemd_come_back_from_a_shell() {
    // systemd reads `"..."` as shells do: a backslash counts before `"`, `\`, `` ` `` and `$`, and nothing else does.
    let values = values();
    let (text, dropped) = written("systemd", &values);
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("file");
    std::fs::write(&file, text).unwrap();
    let seen = output(
        Command::new("dash")
            .args(["-c", "set -a; . \"$1\"; /usr/bin/env -0", "dash"])
            .arg(&file),
    );
    // Control characters and what is not UTF-8.
    compare("systemd", &entries(&seen), &values, &dropped, 8);
}

/// Reads `ENV` instructions by the rule of Docker's parser: in `"..."` a backslash counts before `"`, `\` and `$`.
fn read_dockerfile(text: &[u8]) -> Values {
    let mut seen = Values::new();
    for line in text.lines() {
        let line = line.strip_prefix(b"ENV ").unwrap();
        let (name, word) = line.split_once_str("=").unwrap();
        let inside = word
            .strip_prefix(b"\"")
            .unwrap()
            .strip_suffix(b"\"")
            .unwrap();
        let mut value = BString::default();
        let mut bytes = inside.iter().copied().peekable();
        while let Some(byte) = bytes.next() {
            match (byte, bytes.peek()) {
                (b'\\', Some(b'"' | b'\\' | b'$')) => value.extend(bytes.next()),
                (b'"' | b'$', _) => panic!("{:?} would be special", BStr::new(line)),
                _ => value.push(byte),
            }
        }
        seen.insert(name.into(), value);
    }
    seen
}

#[test]
fn dockerfiles_hold_one_quoted_line_for_each_variable() {
    let values = values();
    let (text, dropped) = written("docker", &values);
    // Line ends, and what is not UTF-8.
    compare("docker", &read_dockerfile(&text), &values, &dropped, 15);
}

/// Reads a file of GitHub Actions as its runner does: `NAME=VALUE`, or `NAME<<DELIMITER` and the lines up to it.
fn read_github(text: &[u8]) -> Values {
    let mut seen = Values::new();
    let mut lines = text.split_str("\n");
    while let Some(line) = lines.next().filter(|line| !line.is_empty()) {
        let (equals, heredoc) = (line.find("="), line.find("<<"));
        if let Some(at) = equals.filter(|at| heredoc.is_none_or(|h| *at < h)) {
            seen.insert(line[..at].into(), line[at + 1..].into());
            continue;
        }
        let at = heredoc.unwrap();
        let value: Vec<&[u8]> = lines
            .by_ref()
            .take_while(|l| *l != &line[at + 2..])
            .collect();
        seen.insert(line[..at].into(), bstr::join("\n", value).into());
    }
    seen
}

#[test]
fn files_of_github_actions_come_back_line_by_line() {
    let values = values();
    let (text, dropped) = written("github", &values);
    compare("github", &read_github(&text), &values, &dropped, 3);
}

#[test]
fn a_request_writes_a_file_and_a_failed_one_writes_nothing() {
    let site = Site::new().file("gcc/13", "setenv GCC 13\nset-alias gg gcc\nunsetenv USER");
    for (format, line) in [
        ("dotenv", "GCC=13"),
        ("systemd", "GCC=\"13\""),
        ("docker", "ENV GCC=\"13\""),
        ("github", "GCC=13"),
    ] {
        let good = site.xmod(&[format, "load", "gcc"]);
        let stdout = String::from_utf8(good.stdout).unwrap();
        assert!(
            good.status.success() && stdout.lines().any(|l| l == line),
            "{stdout}"
        );
        let stderr = String::from_utf8(good.stderr).unwrap();
        assert!(
            stderr.contains("warning: variable `USER` left as it is"),
            "{stderr}"
        );
        let bad = site.xmod(&[format, "load", "gcc", "nope"]);
        assert_eq!(
            (bad.status.code(), bad.stdout),
            (Some(1), Vec::new()),
            "{format}"
        );
        // There is no place for text: it stays where people see it.
        let list = site.xmod(&[format, "--redirect", "avail"]);
        assert!(
            list.stdout.is_empty() && list.stderr.contains_str("gcc/13"),
            "{format}"
        );
    }
}
