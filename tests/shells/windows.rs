//! cmd.exe and PowerShell. For the one there is Wine's; the other is in no registry of packages that CI reaches, so the code is
//! read by a grammar.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use xmod::env::{Change, Delta, VarName};
use xmod::shell::{InitPaths, find};

use super::values::hostile;
use crate::support::require;

/// The changes that set `V0`, `V1`, ... to `values`.
fn setting(values: &[Vec<u8>]) -> Delta {
    let set = values.iter().enumerate().map(|(i, value)| Change::SetVar {
        name: VarName::new(format!("V{i}")).unwrap(),
        value: value.as_slice().into(),
    });
    Delta {
        changes: set.collect(),
        ..Delta::default()
    }
}

/// Which of `values` the shell says it cannot hold.
fn dropped(emission: &xmod::shell::Emission) -> Vec<usize> {
    let number = |what: &str| {
        what.trim_matches(|c: char| !c.is_ascii_digit())
            .parse()
            .unwrap()
    };
    emission.dropped.iter().map(|d| number(&d.what)).collect()
}

/// The signs that mean something to either shell, in pairs and in the middle of words.
fn pairs() -> Vec<Vec<u8>> {
    let signs = "\"&|<>^()%! '`$;,=@{}~*?\\#\u{2018}\u{201b}";
    let signs = || signs.chars();
    signs()
        .flat_map(|a| signs().map(move |b| format!("{a}x {b}{a}y{b}").into_bytes()))
        .collect()
}

#[test]
fn values_come_back_from_the_cmd_of_wine() {
    if !require("wine") {
        return;
    }
    // Other characters than ASCII depend on the code page, and Wine without a console knows no other than its own.
    let values: Vec<Vec<u8>> = hostile()
        .into_iter()
        .chain(pairs())
        .chain([b"long ".repeat(1500)])
        .filter(|value| value.is_ascii() && value.len() < 8000)
        .collect();
    let emission = find("cmd").unwrap().shell.emit(&setting(&values));
    let left_out = dropped(&emission);
    let is_whole = |value: &[u8]| !value.iter().any(|b| b"\0\n\r\x1a".contains(b));
    for (i, value) in values.iter().enumerate() {
        assert_eq!(left_out.contains(&i), !is_whole(value), "{value:?}");
    }
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("code.cmd"), &emission.code).unwrap();
    let failure = Delta {
        failed: true,
        echo: vec!["50% & <more>".into()],
        ..Delta::default()
    };
    let failing = find("cmd").unwrap().shell.emit(&failure).code;
    std::fs::write(dir.path().join("fails.cmd"), failing).unwrap();
    let script = "@echo off\r\ncall code.cmd\r\necho status %errorlevel%\r\nset V\r\n\
                  call fails.cmd\r\nexit %errorlevel%\r\n";
    std::fs::write(dir.path().join("script.cmd"), script).unwrap();
    let output = Command::new("timeout")
        .args(["120", "wine", "cmd", "/c", "script.cmd"])
        .current_dir(dir.path())
        .env("WINEPREFIX", dir.path().join("wine"))
        .env("WINEDEBUG", "-all")
        // Neither .NET nor a browser is to be set up.
        .env("WINEDLLOVERRIDES", "mscoree,mshtml=")
        .env_remove("DISPLAY")
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let _ = Command::new("wineserver")
        .arg("-k")
        .env("WINEPREFIX", dir.path().join("wine"))
        .status();
    let seen = String::from_utf8_lossy(&output.stdout);
    let lines: Vec<&str> = seen.split("\r\n").collect();
    assert_eq!(output.status.code(), Some(1), "{seen} {output:?}");
    assert!(lines.contains(&"status 0"), "{seen}");
    // The `(` behind `echo`, which stands for nothing in Windows, is text for this version of Wine.
    let is_told = |line: &&str| line.trim_start_matches('(') == "50% & <more>";
    assert!(lines.iter().any(is_told), "{seen}");
    let mut wrong = Vec::new();
    for (i, value) in values.iter().enumerate() {
        // `^^` between two quoted stretches is one `^` in Windows, and stays two in this version of Wine.
        let is_doubtful = value.contains(&b'^') && value.contains(&b'"');
        if !left_out.contains(&i) && !value.is_empty() && !is_doubtful {
            let line = format!("V{i}={}", String::from_utf8_lossy(value));
            let got = lines.iter().find(|l| l.starts_with(&format!("V{i}=")));
            if got != Some(&line.as_str()) {
                wrong.push(format!("{line} came back as {got:?}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What the grammar makes of PowerShell code.
fn parsed(code: &[u8], options: &[&str]) -> serde_json::Value {
    let mut child = Command::new(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/target/python/bin/python"
    ))
    .arg(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/shells/pwsh_grammar.py"
    ))
    .args(options)
    .stdin(Stdio::piped())
    .stdout(Stdio::piped())
    .stderr(Stdio::piped())
    .spawn()
    .unwrap();
    child.stdin.take().unwrap().write_all(code).unwrap();
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    serde_json::from_slice(&output.stdout).unwrap_or_default()
}

#[test]
fn values_come_back_from_the_grammar_of_powershell() {
    if !require(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/target/python/bin/python"
    )) {
        return;
    }
    let row = find("pwsh").unwrap();
    let values: Vec<Vec<u8>> = hostile().into_iter().chain(pairs()).collect();
    let emission = row.shell.emit(&setting(&values));
    let left_out = dropped(&emission);
    let seen = parsed(&emission.code, &[]);
    for (i, value) in values.iter().enumerate() {
        let text = std::str::from_utf8(value).ok();
        assert_eq!(left_out.contains(&i), text.is_none(), "{value:?}");
        let wanted = text.map(|text| serde_json::json!(text));
        assert_eq!(seen.get(format!("V{i}")), wanted.as_ref(), "{value:?}");
    }
    // What modulefiles wrote for other shells, and the start file.
    let hostile = "ls } if [ -n 'x' ]; then $( \" `".to_owned();
    let delta = Delta {
        changes: vec![
            Change::SetAlias {
                name: "ll".into(),
                value: hostile.clone().into(),
            },
            Change::SetFunction {
                name: "fn".into(),
                sh: hostile.clone().into(),
                csh: "".into(),
            },
            Change::Complete {
                shell: "pwsh".into(),
                command: "tool".into(),
                spec: hostile.clone().into(),
            },
            Change::Execute {
                code: hostile.into(),
            },
            Change::Chdir {
                dir: "/it's here".into(),
            },
        ],
        echo: vec!["a 'line'".into()],
        ..Delta::default()
    };
    parsed(&row.shell.emit(&delta).code, &["--any"]);
    let paths = InitPaths::of_prefix(Path::new("/opt/it's").try_into().unwrap());
    parsed(row.init_text(&paths).unwrap().as_bytes(), &["--any"]);
}
