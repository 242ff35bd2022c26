//! Each operation of a modulefile in each shell, with the real program behind the real start file, as a table.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use bstr::ByteSlice;

use super::interpreters::{INTERPRETERS, Interpreter, Seen};
use crate::support::XMOD;

/// One column of the table.
struct Operation {
    name: &'static str,
    /// The statements of the script; `None` where the language has no such thing.
    script: fn(&Interpreter) -> Option<Vec<String>>,
    /// Whether the script did what it should.
    holds: fn(&Seen, &Path) -> bool,
}

const OPERATIONS: &[Operation] = &[
    Operation {
        name: "set",
        script: |i| Some(vec![i.command(&["load", "tool/1"])]),
        holds: |seen, _| is(seen, "TOOL", Some("it's \"one\"; $HOME")),
    },
    Operation {
        name: "lines",
        script: |i| Some(vec![i.command(&["load", "tool/1"])]),
        holds: |seen, _| is(seen, "LINES_OF_TOOL", Some("one\ntwo\tthree")),
    },
    Operation {
        name: "unset",
        script: |i| Some(vec![i.command(&["load", "tool/1"])]),
        holds: |seen, _| is(seen, "UNWANTED", None),
    },
    Operation {
        name: "path",
        script: |i| Some(vec![i.command(&["load", "tool/1"])]),
        holds: |seen, _| {
            text(seen, "PATH").is_some_and(|p| p.starts_with("/opt/tool one/bin:"))
                && is(seen, "TOOL_PATH", Some("/x:/y z"))
        },
    },
    Operation {
        name: "unload",
        script: |i| {
            Some(vec![
                i.command(&["load", "tool/1"]),
                i.command(&["unload", "tool"]),
            ])
        },
        holds: |seen, _| {
            is(seen, "TOOL", None)
                && is(seen, "TOOL_PATH", None)
                && is(seen, "LOADEDMODULES", None)
                && text(seen, "PATH").is_some_and(|p| !p.contains("/opt/tool"))
        },
    },
    Operation {
        name: "swap",
        script: |i| {
            Some(vec![
                i.command(&["load", "tool/1"]),
                i.command(&["swap", "tool/1", "tool/2"]),
            ])
        },
        holds: |seen, _| is(seen, "TOOL", Some("two")) && is(seen, "LOADEDMODULES", Some("tool/2")),
    },
    Operation {
        name: "alias",
        script: |i| uses(i, "say_alias more", ALIASES),
        holds: |seen, _| seen.stdout.contains("alias says more"),
    },
    Operation {
        name: "function",
        script: |i| uses(i, "say_function", FUNCTIONS),
        holds: |seen, _| seen.stdout.contains("function says hello"),
    },
    Operation {
        name: "un-alias",
        script: |i| {
            let mut script = uses(i, "say_alias more", ALIASES)?;
            script.insert(1, i.command(&["unload", "tool"]));
            Some(script)
        },
        holds: |seen, _| !seen.stdout.contains("alias says more"),
    },
    Operation {
        name: "cd",
        script: |i| (i.shell != "cmake").then(|| vec![i.command(&["load", "here/1"])]),
        holds: |_, dir| {
            std::fs::read_to_string(dir.join("cwd")).is_ok_and(|cwd| {
                Path::new(cwd.trim_end()) == dir.join("a place").canonicalize().unwrap()
            })
        },
    },
    Operation {
        name: "stdout",
        // CMake and a batch Emacs can only speak on standard error.
        script: |i| {
            (!["cmake", "lisp"].contains(&i.shell))
                .then(|| vec![i.command(&["--redirect", "whatis", "tool/1"])])
        },
        holds: |seen, _| seen.stdout.contains("it's $HOME"),
    },
    Operation {
        name: "text",
        script: |i| uses(i, "", SHELLS_PROPER).map(|_| vec![i.command(&["path", "tool/1"])]),
        holds: |seen, dir| {
            seen.stdout
                .contains(dir.join("mf/tool/1.lua").to_str().unwrap())
        },
    },
    Operation {
        name: "true",
        script: |i| Some(vec![i.choice(&["load", "tool/1"])]),
        holds: |_, dir| dir.join("true").exists() && !dir.join("false").exists(),
    },
    Operation {
        name: "false",
        script: |i| Some(vec![i.choice(&["load", "nope"])]),
        holds: |seen, dir| {
            dir.join("false").exists() && !dir.join("true").exists() && seen.stderr.contains("nope")
        },
    },
    Operation {
        name: "stops",
        script: |i| {
            (!i.strict.is_empty()).then(|| {
                vec![
                    i.strict.to_owned(),
                    i.command(&["load", "tool/1"]),
                    i.command(&["load", "nope"]),
                ]
            })
        },
        holds: |seen, _| !seen.success && seen.env.is_empty(),
    },
    Operation {
        name: "ml",
        script: |i| {
            WITH_ML
                .contains(&i.shell)
                .then(|| vec!["ml tool/1".to_owned()])
        },
        holds: |seen, _| is(seen, "LOADEDMODULES", Some("tool/1")),
    },
];

/// Shells whose start file defines `ml` as a command.
const WITH_ML: &[&str] = &[
    "bash", "zsh", "sh", "ksh", "mksh", "yash", "tcsh", "csh", "fish", "rc", "nushell", "xonsh",
];

/// Shells that have aliases, or take them as functions.
const ALIASES: &[&str] = &[
    "bash", "zsh", "sh", "ksh", "mksh", "yash", "tcsh", "csh", "fish", "rc", "xonsh",
];

/// Programs that people type into: a text result is printed there, and is a value elsewhere.
const SHELLS_PROPER: &[&str] = &[
    "bash", "zsh", "sh", "ksh", "mksh", "yash", "tcsh", "csh", "fish", "rc", "nushell", "xonsh",
    "elvish",
];

/// Shells for which modulefiles write functions.
const FUNCTIONS: &[&str] = &[
    "bash", "zsh", "sh", "ksh", "mksh", "yash", "tcsh", "csh", "fish", "rc",
];

fn uses(i: &Interpreter, line: &str, shells: &[&str]) -> Option<Vec<String>> {
    let load = match i.shell {
        // Scripts of bash leave aliases alone unless told otherwise.
        "bash" => format!(
            "shopt -s expand_aliases; {}",
            i.command(&["load", "tool/1"])
        ),
        _ => i.command(&["load", "tool/1"]),
    };
    shells
        .contains(&i.shell)
        .then(|| vec![load, line.to_owned()])
}

fn text(seen: &Seen, name: &str) -> Option<String> {
    seen.env
        .get(name.as_bytes().as_bstr())
        .map(|v| v.to_str_lossy().into_owned())
}

fn is(seen: &Seen, name: &str, value: Option<&str>) -> bool {
    !seen.env.is_empty() && text(seen, name).as_deref() == value
}

/// The modulefiles of the table.
fn site(dir: &Path) {
    let files = [
        (
            "tool/1.lua",
            r#"whatis("it's $HOME")
setenv("TOOL", "it's \"one\"; $HOME")
setenv("LINES_OF_TOOL", "one\ntwo\tthree")
unsetenv("UNWANTED")
prepend_path("PATH", "/opt/tool one/bin")
prepend_path("TOOL_PATH", "/y z")
prepend_path("TOOL_PATH", "/x")
set_alias("say_alias", "/bin/echo alias says")
set_shell_function("say_function", "/bin/echo function says hello", "/bin/echo function says hello")
"#
            .to_owned(),
        ),
        ("tool/2", "#%Module\nsetenv TOOL two\n".to_owned()),
        (
            "here/1",
            format!("#%Module\nchdir {{{}}}\n", dir.join("a place").display()),
        ),
    ];
    for (name, content) in files {
        let file = dir.join("mf").join(name);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, content).unwrap();
    }
    std::fs::create_dir(dir.join("a place")).unwrap();
}

fn run(interpreter: &Interpreter, operation: &Operation) -> Result<bool, String> {
    let Some(statements) = (operation.script)(interpreter) else {
        return Ok(false);
    };
    let dir = tempfile::tempdir().unwrap();
    site(dir.path());
    let init = interpreter.install(Path::new(XMOD), dir.path());
    let mut script = interpreter.script(&init, &statements);
    if operation.name == "cd" {
        // A child says where it is.
        let show = dir.path().join("show");
        let text = format!(
            "#!/bin/sh\n/bin/pwd >{}/cwd\nexec /usr/bin/env -0\n",
            dir.path().display()
        );
        std::fs::write(&show, text).unwrap();
        std::fs::set_permissions(&show, std::fs::Permissions::from_mode(0o755)).unwrap();
        script = script.replace("/usr/bin/env -0", show.to_str().unwrap());
    }
    let modulepath = dir.path().join("mf");
    let env: &[(&str, &[u8])] = &[
        ("MODULEPATH", modulepath.to_str().unwrap().as_bytes()),
        ("UNWANTED", b"1"),
    ];
    let seen = interpreter.run(&script, env, dir.path());
    if (operation.holds)(&seen, dir.path()) {
        Ok(true)
    } else {
        Err(format!("{script}\n{seen:?}"))
    }
}

#[test]
fn every_operation_works_in_every_shell() {
    let mut table = format!("{:10}", "");
    for operation in OPERATIONS {
        table.push_str(&format!(" {:>8}", operation.name));
    }
    table.push('\n');
    let mut failures = Vec::new();
    let with_start_file = |i: &&Interpreter| i.has_start_file() && i.is_here();
    for interpreter in INTERPRETERS.iter().filter(with_start_file) {
        table.push_str(&format!("{:10}", interpreter.program[0]));
        for operation in OPERATIONS {
            let cell = match run(interpreter, operation) {
                Ok(true) => "yes",
                Ok(false) => "-",
                Err(why) => {
                    failures.push(format!(
                        "{} in {}: {why}",
                        operation.name, interpreter.program[0]
                    ));
                    "NO"
                }
            };
            table.push_str(&format!(" {cell:>8}"));
        }
        table.push('\n');
    }
    println!("{table}");
    std::fs::write(
        Path::new(env!("CARGO_TARGET_TMPDIR")).join("shells.txt"),
        &table,
    )
    .unwrap();
    assert!(failures.is_empty(), "{}", failures.join("\n\n"));
}

#[test]
fn a_program_that_is_gone_makes_the_command_fail() {
    let people = |i: &&Interpreter| SHELLS_PROPER.contains(&i.shell) && i.has_start_file();
    for interpreter in INTERPRETERS.iter().filter(people).filter(|i| i.is_here()) {
        let dir = tempfile::tempdir().unwrap();
        let gone = dir.path().join("gone/lmod");
        let init = interpreter.install(&gone, dir.path());
        let script = interpreter.script(&init, &[interpreter.choice(&["load", "x"])]);
        let seen = interpreter.run(&script, &[], dir.path());
        let (yes, no) = (dir.path().join("true"), dir.path().join("false"));
        assert!(
            no.exists() && !yes.exists(),
            "{}: {seen:?}",
            interpreter.program[0]
        );
    }
}

/// Names of modules that a shell might take for more than a name. None holds a quote of the scripts.
const HOSTILE_NAMES: &[&str] = &[
    "a;touch EVIL",
    "a$(touch EVIL)",
    "a`touch EVIL`",
    "a|touch EVIL",
    "$HOME",
    "{a,b}",
    "a*",
    "~root",
    "a&b",
    "a#b",
    "a\\b",
    "%s%d",
    "a(b)",
    "a#{1+1}",
];

/// Interpreters in whose scripts `'...'` or `{...}` keeps such a word as it is.
fn quotes_words(i: &&Interpreter) -> bool {
    i.has_start_file() && !["cmake", "lisp"].contains(&i.shell)
}

#[test]
fn names_of_modules_never_become_code() {
    for interpreter in INTERPRETERS
        .iter()
        .filter(quotes_words)
        .filter(|i| i.is_here())
    {
        let dir = tempfile::tempdir().unwrap();
        let mf = dir.path().join("mf");
        std::fs::create_dir_all(&mf).unwrap();
        // Blanks part words of a request; all else may stand in the name of a file.
        let real = |name: &str| name.replace("touch EVIL", "touch");
        for name in HOSTILE_NAMES {
            std::fs::write(mf.join(real(name)), "#%Module\nappend-path SEEN yes\n").unwrap();
        }
        let init = interpreter.install(Path::new(XMOD), dir.path());
        // In R, Python and their kind a backslash in quotes is an escape.
        let escapes = interpreter.keeps_backslashes() || interpreter.shell == "tcl";
        let names: Vec<&str> = HOSTILE_NAMES
            .iter()
            .copied()
            .filter(|name| escapes || !name.contains('\\'))
            .collect();
        let mut statements = Vec::new();
        for name in &names {
            statements.push(interpreter.command(&["load", &real(name)]));
        }
        let modulepath = mf.to_str().unwrap().as_bytes();
        let script = interpreter.script(&init, &statements);
        let seen = interpreter.run(&script, &[("MODULEPATH", modulepath)], dir.path());
        let loaded: Vec<String> = names.iter().map(|name| real(name)).collect();
        assert_eq!(
            text(&seen, "LOADEDMODULES"),
            Some(loaded.join(":")),
            "{}: {seen:?}",
            interpreter.program[0]
        );
        // The same names where there is no such module: the message holds them, and is kept in a variable.
        let statements: Vec<String> = names
            .iter()
            .map(|name| interpreter.choice(&["load", name]))
            .collect();
        let script = interpreter.script(&init, &statements);
        let seen = interpreter.run(&script, &[("MODULEPATH", b"/nonexistent")], dir.path());
        let exists = |file: &str| dir.path().join(file).exists();
        assert!(
            exists("false") && !exists("true") && !exists("EVIL") && !exists("touch"),
            "{}: {seen:?}",
            interpreter.program[0]
        );
    }
}
