//! Hostile values go through the code, the start file and the real interpreter, and come back byte for byte.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use xmod::env::{Change, Delta, VarName};
use xmod::shell::find;

use super::interpreters::{INTERPRETERS, Interpreter};
use crate::support::XMOD;

/// Values that break shells.
pub(crate) fn hostile() -> Vec<Vec<u8>> {
    let mut values: Vec<Vec<u8>> = [
        "",
        " ",
        "  two  blanks  ",
        "\t",
        "a\tb",
        "\n",
        "\n\n",
        "two\nlines",
        "ends in a newline\n",
        "carriage\rreturn\r\n",
        "'",
        "''",
        "'''a'''",
        "\"",
        "\"\"",
        "\\",
        "\\\\",
        "ends in a backslash\\",
        "\\n \\t \\x41 \\u0041 \\101 \\e",
        "\\\nnewline after a backslash",
        "!",
        "!!",
        "a!b",
        "\\!",
        "'!'",
        "$HOME",
        "${HOME}",
        "$(touch EVIL)",
        "`touch EVIL`",
        "; touch EVIL;",
        "\n touch EVIL\n",
        "| touch EVIL &",
        "'; touch EVIL; '",
        "\"; touch EVIL; \"",
        "'\ntouch EVIL\n'",
        "%PATH% %s %d %%",
        "*",
        "/*",
        "[a-z]?",
        "{a,b}",
        "{1..3}",
        "{}",
        "}{",
        "}",
        "{",
        "]",
        "[",
        "[touch EVIL]",
        "~",
        "~root:~/x",
        "a:~:b",
        "-n",
        "--",
        "-e x",
        "=ls",
        "a=b",
        "#comment",
        "a # b",
        "#{1+1} #$0 #@a",
        "@array @{[1]} @PATH@",
        "a;b;c",
        "()<>&|^",
        "a,b",
        "#<'\"",
        "]]]==]",
        "$'a\\nb'",
        "\u{2018}curved\u{2019} \u{201c}quotes\u{201d}",
        "é ü 漢字 🦀",
        "\u{1}",
        "\u{7f}\u{1b}[31m\u{8}",
        "\u{85}\u{a0}\u{2028}\u{feff}",
        ":a::b:",
        ":",
    ]
    .iter()
    .map(|v| v.as_bytes().to_vec())
    .collect();
    values.push(vec![0xff, 0xfe]);
    values.push(b"caf\xe9 'n\n \xc3(\xe2\x82".to_vec());
    values.push((1..=255).collect());
    values
}

/// A program that answers every module command with the code in `$CODE.SHELL`.
pub(crate) fn canned(dir: &Path) -> PathBuf {
    let file = dir.join("canned");
    std::fs::write(&file, "#!/bin/sh\n/bin/cat \"$CODE.$1\"\n").unwrap();
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o755)).unwrap();
    file
}

/// Sends `values` through `interpreter`; says what came back wrong.
fn round_trip(interpreter: &Interpreter, values: &[Vec<u8>]) -> Result<(), String> {
    let dir = tempfile::tempdir().unwrap();
    let name = |i: usize| format!("V{i}");
    // A little more than it can hold shows what then happens; very much more would only fill its memory.
    let bounded = interpreter.max_value < usize::MAX;
    let blanks = |v: &[u8]| v.iter().filter(|b| **b == b' ').count();
    let values: Vec<&[u8]> = values
        .iter()
        .filter(|v| !bounded || blanks(v) < 300)
        .map(|v| &v[..v.len().min(interpreter.max_value.saturating_add(500))])
        .collect();
    let mut delta = Delta::default();
    for (i, value) in values.iter().enumerate() {
        delta.changes.push(Change::SetVar {
            name: VarName::new(name(i)).unwrap(),
            value: (*value).into(),
        });
    }
    delta.changes.push(Change::UnsetVar {
        name: VarName::new("GONE").unwrap(),
    });
    delta.changes.push(Change::SetVar {
        name: VarName::new("LAST").unwrap(),
        value: "here".into(),
    });
    let code = dir.path().join("code");
    // The start file of Nushell asks for JSON.
    let json = find("json").unwrap().shell.emit(&delta);
    std::fs::write(code.with_extension("json"), &json.code).unwrap();
    let emission = find(interpreter.shell).unwrap().shell.emit(&delta);
    std::fs::write(code.with_extension(interpreter.shell), &emission.code).unwrap();
    let init = interpreter.install(&canned(dir.path()), dir.path());
    let script = interpreter.script(&init, &[interpreter.command(&["load", "x"])]);
    let code = code.to_str().unwrap().as_bytes();
    let env: &[(&str, &[u8])] = &[("CODE", code), ("GONE", b"1"), ("KEPT", b"2")];
    let seen = interpreter.run(&script, env, dir.path());
    let mut wrong = Vec::new();
    if seen.env.is_empty() {
        return Err(format!(
            "{} did not end well: {seen:?}",
            interpreter.program[0]
        ));
    }
    if dir.path().join("EVIL").exists() {
        wrong.push("a value was run as code".to_owned());
    }
    let get = |name: &str| seen.env.get(bstr::BStr::new(name)).map(|v| v.as_slice());
    for (name, value) in [
        ("LAST", Some(&b"here"[..])),
        ("GONE", None),
        ("KEPT", Some(b"2")),
    ] {
        if get(name) != value {
            wrong.push(format!("{name} is {:?}", get(name)));
        }
    }
    for (i, value) in values.iter().enumerate() {
        let what = format!("variable `{}`", name(i));
        let dropped = emission.dropped.iter().find(|d| d.what == what);
        let wanted = if dropped.is_some()
            || value.len() > interpreter.max_value
            || (value.is_empty() && !interpreter.holds_empty)
        {
            None
        } else {
            Some(*value)
        };
        // What cannot be held must be a rare exception, not a way out.
        if let Some(dropped) = dropped
            && std::str::from_utf8(value).is_ok()
            && !value.iter().any(|b| [1, 2].contains(b)) // rc
            && value.len() < 1000
        {
            wrong.push(format!("{dropped}: {:?}", bstr::BStr::new(value)));
        }
        if get(&name(i)) != wanted {
            let got = get(&name(i)).map(|g| bstr::BString::from(&g[..g.len().min(100)]));
            let value = bstr::BStr::new(&value[..value.len().min(100)]);
            wrong.push(format!("{value:?} came back as {got:?}"));
        }
    }
    if wrong.is_empty() {
        Ok(())
    } else {
        Err(format!(
            "{}: {}\n{}\n{}",
            interpreter.program[0],
            wrong.join("\n  "),
            seen.stdout,
            seen.stderr.chars().take(2000).collect::<String>()
        ))
    }
}

#[test]
fn hostile_values_come_back_from_every_shell() {
    let mut values = hostile();
    values.push(b"'!\n".repeat(1200));
    // `V100=` and the NUL at the end fit into 128 KiB with it, and no byte more.
    values.push(vec![b'y'; 128 * 1024 - "V100=".len() - 1]);
    for unit in ["x", "a b'\"\\$!{}*\n"] {
        let count = 100_000 / unit.len();
        values.push(unit.repeat(count).into_bytes());
    }
    let failures: Vec<String> = INTERPRETERS
        .iter()
        .filter(|interpreter| interpreter.is_here())
        .flat_map(|interpreter| {
            // The BSD csh bounds the number of words in all code too.
            let batch = if interpreter.max_value < usize::MAX {
                2
            } else {
                1000
            };
            values
                .chunks(batch)
                .filter_map(|values| round_trip(interpreter, values).err())
        })
        .collect();
    assert!(failures.is_empty(), "{}", failures.join("\n\n"));
}

#[test]
fn random_values_come_back_from_every_shell() {
    // Few cases of many values: starting an interpreter is what takes time.
    let value = prop_oneof![
        proptest::collection::vec(1u8..=255, 0..30),
        "[ -~\n\t]{0,40}".prop_map(String::into_bytes),
        "[\\\\'\"$`!{}\\[\\]#;& \n]{0,20}".prop_map(String::into_bytes),
        "\\PC{0,20}".prop_map(String::into_bytes),
    ];
    let values = proptest::collection::vec(value, 60);
    for interpreter in INTERPRETERS.iter().filter(|i| i.is_here()) {
        let mut runner = TestRunner::new(Config {
            cases: 4,
            max_shrink_iters: 60,
            failure_persistence: None,
            ..Config::default()
        });
        runner
            .run(&values, |values| {
                round_trip(interpreter, &values).map_err(TestCaseError::fail)
            })
            .unwrap();
    }
}

#[test]
fn invalid_characters_in_long_code_come_back_from_tcsh() {
    // It reads 4096 characters at a time, and loses bytes there where some of them are none.
    let tcsh = INTERPRETERS.iter().find(|i| i.shell == "tcsh").unwrap();
    for pad in 0..12 {
        let mut values = vec![vec![b'x'; pad]];
        for _ in 0..100 {
            values.push("🦀 (".into());
            values.push(b"(\xd0\xf6P<\x97ca,\x07e)".to_vec());
        }
        round_trip(tcsh, &values).unwrap();
    }
}

/// Text for a Lua file: every byte by its number, so that what is tested is the way to the shell.
fn lua_string(value: &[u8]) -> String {
    let mut text = String::from("\"");
    for byte in value {
        text.push_str(&format!("\\{byte:03}"));
    }
    text.push('"');
    text
}

#[test]
fn hostile_values_of_a_modulefile_come_back_from_every_shell() {
    for interpreter in INTERPRETERS
        .iter()
        .filter(|i| i.has_start_file() && i.is_here())
    {
        let dir = tempfile::tempdir().unwrap();
        let mut values = hostile();
        values.push(vec![b'z'; interpreter.max_value.min(100_000) - 1]);
        // The BSD csh bounds the number of words in all code.
        let bounded = interpreter.max_value < usize::MAX;
        values.truncate(if bounded { 40 } else { usize::MAX });
        let code: String = values
            .iter()
            .enumerate()
            .map(|(i, value)| format!("setenv(\"V{i}\", {})\n", lua_string(value)))
            .collect();
        std::fs::create_dir(dir.path().join("mf")).unwrap();
        std::fs::write(dir.path().join("mf/hostile.lua"), code).unwrap();
        let init = interpreter.install(Path::new(XMOD), dir.path());
        let script = interpreter.script(&init, &[interpreter.command(&["load", "hostile"])]);
        let modulepath = dir.path().join("mf");
        let env: &[(&str, &[u8])] = &[("MODULEPATH", modulepath.to_str().unwrap().as_bytes())];
        let seen = interpreter.run(&script, env, dir.path());
        assert!(
            !dir.path().join("EVIL").exists(),
            "{:?}",
            interpreter.program
        );
        let get = |name: &str| seen.env.get(bstr::BStr::new(name)).map(|v| v.as_slice());
        let name = interpreter.program[0];
        assert_eq!(
            get("LOADEDMODULES"),
            Some(&b"hostile"[..]),
            "{name}: {seen:?}"
        );
        for (i, value) in values.iter().enumerate() {
            let variable = format!("V{i}");
            // A value that the language cannot hold is named in a warning and left out, never changed.
            let warned = seen
                .stderr
                .contains(&format!("variable `{variable}` left as it is"));
            let text = std::str::from_utf8(value).is_ok();
            let rare = !text || value.iter().any(|b| [1, 2].contains(b));
            assert!(!warned || rare, "{name}: {value:?} {}", seen.stderr);
            let wanted = match value.as_slice() {
                [] if !interpreter.holds_empty => None,
                _ if warned => None,
                value => Some(value),
            };
            assert_eq!(
                get(&variable).map(bstr::BStr::new),
                wanted.map(bstr::BStr::new),
                "{name}: {value:?} {}",
                seen.stderr
            );
        }
    }
}
