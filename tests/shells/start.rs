//! Start files: clean under linters and the strictest modes, silent, harmless twice, and no program run.

use std::path::Path;
use std::process::{Command, Stdio};

use bstr::BStr;
use camino::Utf8Path;
use xmod::env::{Change, Delta, VarName};
use xmod::shell::{InitPaths, find};

use super::interpreters::{INTERPRETERS, Interpreter, path};
use super::values::canned;
use crate::support::{XMOD, require};

fn start_file(shell: &str, dir: &Path) -> String {
    let paths = InitPaths {
        command: dir.join("canned").to_str().unwrap().into(),
        home: dir.to_str().unwrap().into(),
    };
    find(shell).unwrap().init_text(&paths).unwrap()
}

/// Code with every kind of change.
fn rich() -> Delta {
    let name = |n: &str| VarName::new(n).unwrap();
    Delta {
        changes: vec![
            Change::SetVar {
                name: name("PLAIN"),
                value: "/opt/a:/opt/b".into(),
            },
            Change::SetVar {
                name: name("HOSTILE"),
                value: "it's $HOME; `x` \\ \"q\" !* {a,b}\nsecond line".into(),
            },
            Change::UnsetVar { name: name("GONE") },
            Change::SetAlias {
                name: "ll".into(),
                value: "ls -l '/a b'".into(),
            },
            Change::UnsetAlias { name: "old".into() },
            Change::SetFunction {
                name: "fn_one".into(),
                sh: "echo one".into(),
                csh: "echo one".into(),
            },
            Change::UnsetFunction {
                name: "fn_two".into(),
            },
            Change::ExportFunction {
                name: "fn_one".into(),
            },
            Change::Chdir { dir: "/".into() },
        ],
        echo: vec!["one line".into(), "another $line".into()],
        ..Delta::default()
    }
}

/// What shellcheck says about quotes in data, and about a `cd` whose failure `set -e` is to see.
const DATA: &str = "SC2089,SC2090,SC2164";

#[test]
fn linters_find_nothing_in_start_files_and_code() {
    let linters: &[(&str, &[&str])] = &[
        ("bash", &["bash", "-n"]),
        (
            "bash",
            &["shellcheck", "-S", "warning", "-e", DATA, "-s", "bash"],
        ),
        ("sh", &["dash", "-n"]),
        (
            "sh",
            &["shellcheck", "-S", "warning", "-e", DATA, "-s", "sh"],
        ),
        ("zsh", &["zsh", "-n"]),
        ("ksh", &["ksh", "-n"]),
        (
            "ksh",
            &["shellcheck", "-S", "warning", "-e", DATA, "-s", "ksh"],
        ),
        ("mksh", &["mksh", "-n"]),
        ("sh", &["busybox", "sh", "-n"]),
        ("yash", &["yash", "-n"]),
        ("tcsh", &["tcsh", "-f", "-n"]),
        ("fish", &["fish", "--no-config", "-n"]),
        ("rc", &["rc", "-n"]),
        ("elvish", &["elvish", "-norc", "-compileonly"]),
        ("python", &["python3", "-W", "error", "-m", "py_compile"]),
        ("perl", &["perl", "-wc"]),
        ("ruby", &["ruby", "-wc"]),
        ("lua", &["luac5.3", "-p"]),
        (
            "r",
            &[
                "Rscript",
                "--vanilla",
                "-e",
                "invisible(parse(commandArgs(TRUE)))",
            ],
        ),
    ];
    let dir = tempfile::tempdir().unwrap();
    for (shell, linter) in linters {
        if !require(linter[0]) {
            continue;
        }
        let code = find(shell).unwrap().shell.emit(&rich()).code;
        let start = start_file(shell, dir.path()).into_bytes();
        for (what, text) in [("start file", start), ("code", code)] {
            let file = dir.path().join("lint.me");
            std::fs::write(&file, &text).unwrap();
            let output = Command::new(linter[0])
                .args(&linter[1..])
                .arg(&file)
                .stdin(Stdio::null())
                .output()
                .unwrap();
            assert!(
                output.status.success(),
                "{what} of {shell}, {linter:?}: {}{}",
                String::from_utf8_lossy(&output.stdout),
                String::from_utf8_lossy(&output.stderr),
            );
        }
    }
}

/// A shell, what makes it strict, and how it reads a file.
const STRICT: &[(&str, &[&str], &str, &str)] = &[
    (
        "bash",
        &["bash", "--noprofile", "--norc"],
        "set -euo pipefail; set -o noclobber; shopt -s expand_aliases failglob; IFS=/:a; \
         alias eval=false local=false cd=false set=false return=false read=false \
         export=false unset=false printf=false alias=false unalias=false ls=false",
        ".",
    ),
    (
        "bash",
        &["bash", "--noprofile", "--norc"],
        "set -eu; alias module=false ml=false; shopt -s expand_aliases; set -f; set -o posix",
        ".",
    ),
    (
        "zsh",
        &["zsh", "-f"],
        "setopt err_exit no_unset no_clobber warn_create_global sh_word_split ksh_arrays glob_subst; IFS=/:a; \
         alias eval=false local=false cd=false; alias -g module=false",
        ".",
    ),
    (
        "zsh",
        &["zsh", "-f"],
        "setopt err_return no_unset rc_quotes csh_null_glob all_export; alias module=false ml=false; \
         alias export=false unset=false print=false builtin=false unalias=false ls=false",
        ".",
    ),
    ("zsh", &["zsh", "-f"], "emulate sh; set -eu", "."),
    ("zsh", &["zsh", "-f"], "emulate ksh; set -eu", "."),
    (
        "sh",
        &["dash"],
        "set -eu; set -C; IFS=/:a; alias module=false ml=false eval=false echo=false cd=false",
        ".",
    ),
    ("sh", &["bash", "--posix"], "set -eu; set -a", "."),
    (
        "ksh",
        &["ksh"],
        "set -eu; set -o noclobber; set -o pipefail; IFS=/:a; alias module=false eval=false cd=false",
        ".",
    ),
    (
        "mksh",
        &["mksh"],
        "set -eu; set -o noclobber; set -o pipefail; IFS=/:a; alias module=false eval=false cd=false",
        ".",
    ),
    (
        "tcsh",
        &["tcsh", "-f", "-e"],
        "set noclobber; set noglob; set backslash_quote",
        "source",
    ),
    (
        "tcsh",
        &["tcsh", "-f", "-e"],
        "set nonomatch; alias set false; unalias set",
        "source",
    ),
    (
        "fish",
        &["fish", "--no-config"],
        "set -g fish_trace ''; set -e fish_trace",
        "source",
    ),
];

#[test]
fn start_files_work_in_the_strictest_modes_and_when_read_twice() {
    let dir = tempfile::tempdir().unwrap();
    canned(dir.path());
    for (shell, program, strict, source) in STRICT {
        if !require(program[0]) {
            continue;
        }
        let init = dir.path().join("init");
        std::fs::write(&init, start_file(shell, dir.path())).unwrap();
        let mut delta = rich();
        delta.echo.clear();
        let code = find(shell).unwrap().shell.emit(&delta).code;
        std::fs::write(dir.path().join("code").with_extension(shell), code).unwrap();
        let source = format!("{source} {}", init.display());
        let script =
            format!("{strict}\n{source}\n{source}\nmodule load x\nml x\n/usr/bin/env -0\n");
        let file = dir.path().join("script");
        std::fs::write(&file, &script).unwrap();
        let output = Command::new(program[0])
            .args(&program[1..])
            .arg(&file)
            .env_clear()
            .env("PATH", "/usr/bin:/bin")
            .env("HOME", dir.path())
            .env("LC_ALL", "C.UTF-8")
            .env("CODE", dir.path().join("code"))
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{program:?} {strict}: {stderr}");
        assert_eq!(stderr, "", "{program:?} {strict}");
        let stdout = String::from_utf8_lossy(&output.stdout);
        for entry in [
            "PLAIN=/opt/a:/opt/b",
            "HOSTILE=it's $HOME; `x` \\ \"q\" !* {a,b}\nsecond line",
        ] {
            assert!(
                stdout.split('\0').any(|e| e == entry),
                "{program:?} {strict}: {entry} is missing in {stdout}"
            );
        }
    }
}

#[test]
fn start_files_run_no_program_and_say_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let cases: &[(&str, &[&str], &str)] = &[
        ("bash", &["bash", "--noprofile", "--norc"], "."),
        ("zsh", &["zsh", "-f"], "."),
        ("sh", &["dash"], "."),
        ("ksh", &["ksh"], "."),
        ("mksh", &["mksh"], "."),
        ("tcsh", &["tcsh", "-f"], "source"),
        ("fish", &["fish", "--no-config"], "source"),
        ("rc", &["rc", "-p"], "."),
    ];
    for (shell, program, source) in cases {
        if !require("strace") || !require(program[0]) {
            continue;
        }
        let init = dir.path().join("init");
        std::fs::write(&init, start_file(shell, dir.path())).unwrap();
        let script = dir.path().join("script");
        std::fs::write(&script, format!("{source} {}\n", init.display())).unwrap();
        let trace = dir.path().join("trace");
        let output = Command::new("strace")
            .args(["-f", "-qq", "-e", "trace=execve", "-o"])
            .arg(&trace)
            .args(*program)
            .arg(&script)
            .env_clear()
            .env("PATH", path())
            .env("HOME", dir.path())
            .env("LC_ALL", "C.UTF-8")
            .env("MODULEPATH", "/x")
            .stdin(Stdio::null())
            .output()
            .unwrap();
        assert!(output.status.success(), "{shell}: {output:?}");
        assert_eq!(output.stdout, b"", "{shell}");
        assert_eq!(output.stderr, b"", "{shell}");
        let calls = std::fs::read_to_string(&trace).unwrap();
        let calls = calls.lines().filter(|l| l.contains("= 0")).count();
        assert_eq!(calls, 1, "{shell} ran a program when it started");
    }
}

#[test]
fn modulepath_comes_from_the_site_file_only_where_none_is_set() {
    let dir = tempfile::tempdir().unwrap();
    let at = |p: &str| dir.path().join(p);
    for sub in ["etc", "m/one", "m/two", "init", "other"] {
        std::fs::create_dir_all(at(sub)).unwrap();
    }
    let root = dir.path().to_str().unwrap();
    let text =
        format!("# the site's trees\n{root}/m/*   # two of them\n\n{root}/nosuch\n{root}/other");
    std::fs::write(at("etc/modulespath"), text).unwrap();
    let cases: &[(&str, &[&str], &str)] = &[
        ("bash", &["bash", "--noprofile", "--norc", "-eu"], "."),
        ("zsh", &["zsh", "-f", "-eu"], "."),
        ("sh", &["dash", "-eu"], "."),
        ("ksh", &["ksh", "-eu"], "."),
        ("mksh", &["mksh", "-eu"], "."),
        ("tcsh", &["tcsh", "-f", "-e"], "source"),
        ("fish", &["fish", "--no-config"], "source"),
    ];
    for (shell, program, source) in cases {
        if !require(program[0]) {
            continue;
        }
        std::fs::write(at("init/file"), start_file(shell, dir.path())).unwrap();
        let script = format!("{source} {root}/init/file\n/usr/bin/printenv MODULEPATH\n");
        std::fs::write(at("script"), script).unwrap();
        for (given, wanted) in [
            (None, format!("{root}/m/one:{root}/m/two:{root}/other\n")),
            (Some("/own"), "/own\n".to_owned()),
        ] {
            let mut command = Command::new(program[0]);
            command
                .args(&program[1..])
                .arg(at("script"))
                .env_clear()
                .env("PATH", "/usr/bin:/bin")
                .env("HOME", root)
                .stdin(Stdio::null());
            if let Some(given) = given {
                command.env("MODULEPATH", given);
            }
            let output = command.output().unwrap();
            let got = String::from_utf8_lossy(&output.stdout).into_owned();
            assert_eq!(got, wanted, "{shell}: {output:?}");
        }
    }
}

#[test]
fn a_moved_tree_is_found_and_gives_every_language_its_first_modulepath() {
    let not_for =
        |i: &&Interpreter| i.has_start_file() && !["bsd-csh", "--posix"].contains(&i.program[0]);
    for interpreter in INTERPRETERS.iter().filter(not_for).filter(|i| i.is_here()) {
        let dir = tempfile::tempdir().unwrap();
        let at = |p: &str| dir.path().join(p);
        for sub in ["new/etc", "new/libexec", "mf/one", "mf/two"] {
            std::fs::create_dir_all(at(sub)).unwrap();
        }
        let root = dir.path().to_str().unwrap();
        std::fs::write(at("new/etc/modulespath"), format!("# ours\n{root}/mf/*\n")).unwrap();
        std::os::unix::fs::symlink(XMOD, at("new/libexec/lmod")).unwrap();
        let init = interpreter.install_for(
            &InitPaths::of_prefix(Utf8Path::from_path(&at("old")).unwrap()),
            &at("new"),
        );
        let script = interpreter.script(&init, &[]);
        let home = format!("{root}/new");
        let seen = interpreter.run(&script, &[("MODULESHOME", home.as_bytes())], dir.path());
        let get = |name: &str| seen.env.get(BStr::new(name)).map(ToString::to_string);
        let name = interpreter.program[0];
        assert_eq!(get("MODULESHOME"), Some(home), "{name}: {seen:?}");
        assert_eq!(
            get("LMOD_CMD"),
            Some(format!("{root}/new/libexec/lmod")),
            "{name}"
        );
        let wanted = format!("{root}/mf/one:{root}/mf/two");
        assert_eq!(get("MODULEPATH"), Some(wanted), "{name}: {seen:?}");
    }
}

#[test]
fn a_trace_does_not_show_the_code_unless_it_is_asked_for() {
    let dir = tempfile::tempdir().unwrap();
    canned(dir.path());
    for (shell, program) in [("bash", &["bash", "--norc"][..]), ("zsh", &["zsh", "-f"])] {
        if !require(shell) {
            continue;
        }
        std::fs::write(dir.path().join("init"), start_file(shell, dir.path())).unwrap();
        let code = find(shell).unwrap().shell.emit(&rich()).code;
        std::fs::write(dir.path().join("code").with_extension(shell), code).unwrap();
        let script = dir.path().join("script");
        let text = format!(
            ". {}\nset -x\nmodule load x >/dev/null\n: still traced\n",
            dir.path().join("init").display()
        );
        std::fs::write(&script, text).unwrap();
        for (debug, shown) in [(None, false), (Some("1"), true)] {
            let mut command = Command::new(program[0]);
            command
                .args(&program[1..])
                .arg(&script)
                .env_clear()
                .env("PATH", "/usr/bin:/bin")
                .env("CODE", dir.path().join("code"))
                .stdin(Stdio::null());
            if let Some(debug) = debug {
                command.env("LMOD_SH_DBG_ON", debug);
            }
            let output = command.output().unwrap();
            let stderr = String::from_utf8_lossy(&output.stderr);
            assert!(stderr.contains("still traced"), "{shell}: {stderr}");
            assert_eq!(stderr.contains("HOSTILE"), shown, "{shell}: {stderr}");
        }
    }
}
