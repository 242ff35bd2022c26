//! `source-sh` asked of real shells.

use super::super::tests::{Fake, shown};
use super::*;
use crate::modulefile::Mode;

const ALL: Kinds = Kinds {
    variables: true,
    aliases: true,
    functions: true,
    completions: true,
    directory: true,
};

fn installed(shell: &str) -> bool {
    let found = ["/bin", "/usr/bin", "/usr/local/bin"]
        .iter()
        .any(|dir| std::path::Path::new(dir).join(shell).exists());
    if !found {
        eprintln!("skipped: no {shell}");
    }
    found
}

/// What a script with this text changes, without the order of kinds.
fn run(shell: &str, text: &str, args: &[&str]) -> Result<Vec<EnvOp>, ScriptError> {
    let dir = tempfile::tempdir().unwrap();
    let script = dir.path().join("a b.sh");
    std::fs::write(&script, text).unwrap();
    let mut words = vec![BString::from(script.to_str().unwrap())];
    words.extend(args.iter().map(|arg| BString::from(*arg)));
    let mut fake = Fake::new();
    fake.state.set("OLD", Some("keep".into()));
    fake.state.set("GONE", Some("x".into()));
    fake.with_host(Mode::Load, |host| changes(host, shell, &words, ALL))
}

#[test]
fn bourne_shells_tell_variables_aliases_and_the_directory() {
    for shell in ["sh", "dash", "bash", "zsh", "ksh", "mksh"] {
        if !installed(shell) {
            continue;
        }
        let text = "echo noise\nexport NEW=\"a b\nc'd\\\"\\$x\" ARG=$1 PATH=/first:$PATH:/last\nunset GONE\nalias ll='ls -l \\'\\''x'\ncd /usr\nfalse\n"
            .replace("\\'\\''", "");
        let ops = run(shell, &text, &["one two"]).unwrap();
        let texts: Vec<String> = ops.iter().map(shown).collect();
        assert!(
            texts.contains(&"NEW=a b\nc'd\"$x".to_owned()),
            "{shell}: {texts:?}"
        );
        assert!(
            texts.contains(&"ARG=one two".to_owned()),
            "{shell}: {texts:?}"
        );
        assert!(
            texts.contains(&"Prepend PATH /first".to_owned()),
            "{shell}: {texts:?}"
        );
        assert!(
            texts.contains(&"Append PATH /last".to_owned()),
            "{shell}: {texts:?}"
        );
        assert!(
            ops.contains(&EnvOp::Alias {
                name: "ll".into(),
                value: "ls -l x".into()
            }),
            "{shell}: {texts:?}"
        );
        assert!(
            ops.contains(&EnvOp::Chdir { dir: "/usr".into() }),
            "{shell}: {texts:?}"
        );
        let gone = VarName::new("GONE").unwrap();
        assert!(
            ops.contains(&EnvOp::Unset {
                var: gone,
                on_unload: None
            }),
            "{shell}: {texts:?}"
        );
        assert_eq!(ops.len(), 7, "{shell}: {texts:?}");
    }
}

#[test]
fn functions_and_completions_are_found() {
    for shell in ["bash", "zsh", "ksh", "mksh"] {
        if !installed(shell) {
            continue;
        }
        let ops = run(shell, "greet() { echo \"hi $1\"; }\n", &[]).unwrap();
        assert!(
            matches!(&ops[..], [EnvOp::Function { name, sh, .. }, EnvOp::ExportFunction { .. }] if name == "greet" && sh.contains_str("echo \"hi $1\"") && !sh.contains_str("{")),
            "{shell}: {ops:?}"
        );
    }
    // The body is code again.
    for shell in ["bash", "ksh"] {
        if installed(shell) {
            let ops = run(
                shell,
                "one() { echo 1; }; two() { if true; then echo 2; fi; }\n",
                &[],
            )
            .unwrap();
            // Each is exported, too.
            let exports = |op: &EnvOp| matches!(op, EnvOp::ExportFunction { .. });
            let (exported, ops): (Vec<EnvOp>, Vec<EnvOp>) = ops.into_iter().partition(exports);
            assert_eq!(exported.len(), 2, "{shell}: {exported:?}");
            for op in &ops {
                let EnvOp::Function { name, sh, .. } = op else {
                    panic!("{op:?}")
                };
                let code = format!("{name}() {{\n{sh}\n}}; {name}");
                let out = std::process::Command::new("bash")
                    .arg("-c")
                    .arg(&code)
                    .output()
                    .unwrap();
                assert!(
                    out.status.success() && out.stdout.len() == 2,
                    "{shell}: {code}: {out:?}"
                );
            }
            assert_eq!(ops.len(), 2, "{shell}: {ops:?}");
        }
    }
    let text = "f() { :; }\nexport -f f\ncomplete -W 'x y' tool\ncomplete -F f other\n";
    let ops = run("bash", text, &[]).unwrap();
    let complete = |command: &str, spec: &str| EnvOp::Complete {
        shell: "bash".into(),
        command: command.into(),
        spec: spec.into(),
    };
    assert!(ops.contains(&complete("tool", "-W 'x y'")), "{ops:?}");
    assert!(ops.contains(&complete("other", "-F f")), "{ops:?}");
    assert!(
        ops.contains(&EnvOp::ExportFunction { name: "f".into() }),
        "{ops:?}"
    );
    assert_eq!(ops.len(), 4, "{ops:?}");
}

#[test]
fn c_shells_and_fish_are_asked_in_their_own_words() {
    for shell in ["tcsh", "csh"] {
        if !installed(shell) {
            continue;
        }
        let text = "setenv NEW \"a b\"\nsetenv ARG \"$argv[1]\"\nalias ll 'ls -l \\!*'\ncd /usr\nsetenv PATH /first:${PATH}\nunsetenv GONE\necho noise\n";
        let ops = run(shell, text, &["one two"]).unwrap();
        let texts: Vec<String> = ops.iter().map(shown).collect();
        for wanted in ["NEW=a b", "ARG=one two", "Prepend PATH /first"] {
            assert!(texts.contains(&wanted.to_owned()), "{shell}: {texts:?}");
        }
        assert!(
            ops.contains(&EnvOp::Alias {
                name: "ll".into(),
                value: "ls -l $*".into()
            }),
            "{shell}: {texts:?}"
        );
        assert_eq!(ops.len(), 6, "{shell}: {texts:?}");
    }
    if installed("fish") {
        let text = "set -gx NEW 'a b'\nset -gx PATH /first $PATH\nalias ll 'ls -l'\nfunction greet\n  echo hi\nend\ncomplete -c tool -a 'x y'\nset -e GONE\ncd /usr\n";
        let ops = run("fish", text, &[]).unwrap();
        let texts: Vec<String> = ops.iter().map(shown).collect();
        for wanted in ["NEW=a b", "Prepend PATH /first"] {
            assert!(texts.contains(&wanted.to_owned()), "fish: {texts:?}");
        }
        assert!(
            ops.contains(&EnvOp::Alias {
                name: "ll".into(),
                value: "ls -l".into()
            }),
            "{texts:?}"
        );
        let is_greet = |op: &EnvOp| matches!(op, EnvOp::Function { name, sh, .. } if name == "greet" && sh == "echo hi");
        assert!(ops.iter().any(is_greet), "{texts:?}");
        let is_tool =
            |op: &EnvOp| matches!(op, EnvOp::Complete { command, .. } if command == "tool");
        assert!(ops.iter().any(is_tool), "{texts:?}");
        // The alias says that it completes as the command behind it; how often depends on the version of fish.
        // Whether functions are given to child shells is a setting.
        let extra = |op: &EnvOp| {
            matches!(op, EnvOp::Complete { command, .. } if command == "ll")
                || matches!(op, EnvOp::ExportFunction { .. })
        };
        assert_eq!(ops.iter().filter(|op| !extra(op)).count(), 7, "{texts:?}");
    }
}

#[test]
fn the_output_of_a_program_can_be_the_script() {
    let dir = tempfile::tempdir().unwrap();
    let program = dir.path().join("prog");
    std::fs::write(&program, "#!/bin/sh\necho export \"NEW=$1\"\n").unwrap();
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
    let words = [program.to_str().unwrap().into(), "v".into()];
    let ops = Fake::new()
        .with_host(Mode::Load, |host| changes(host, "bash-eval", &words, ALL))
        .unwrap();
    assert_eq!(ops.iter().map(shown).collect::<Vec<_>>(), ["NEW=v"]);
}

#[test]
fn a_script_that_ends_the_shell_or_is_missing_is_an_error() {
    let message = |result: Result<Vec<EnvOp>, ScriptError>| result.unwrap_err().to_string();
    let ended = message(run("bash", "echo why >&2; exit 4", &[]));
    assert!(ended.ends_with("ended with status 4: why"), "{ended}");
    let missing = Fake::new().with_host(Mode::Load, |host| {
        changes(host, "bash", &["/no/such.sh".into()], ALL)
    });
    assert_eq!(message(missing), "script `/no/such.sh` cannot be found");
    assert!(message(run("rc", "", &[])).starts_with("shell `rc` is not supported"));
}

#[test]
fn a_change_that_is_no_addition_sets_the_new_value() {
    let var = VarName::new("V").unwrap();
    let seen = |old: &str, new: &str| -> Vec<String> {
        changed(&var, old.as_bytes().as_bstr(), new.as_bytes().as_bstr())
            .iter()
            .map(shown)
            .collect()
    };
    assert_eq!(seen("/a", "/b:/a:/c"), ["Prepend V /b", "Append V /c"]);
    assert_eq!(seen("x", "y x"), ["Prepend V y"]);
    assert_eq!(seen("/a", "/ab"), ["V=/ab"]);
    assert_eq!(seen("/a", "/b/a"), ["V=/b/a"]);
    assert_eq!(seen("/a:/b", "/b:/a:/b"), ["V=/b:/a:/b"]);
    assert_eq!(seen("", "/a"), ["V=/a"]);
    assert_eq!(seen("/a", "/a:"), ["V=/a:"]);
    assert_eq!(seen("1", "2:1 3"), ["V=2:1 3"]);
}

#[test]
fn words_are_split_as_a_shell_does() {
    let words = split_words(b"  /x/y.sh 'a b' \"c \\\" d\" e\\ f ''".as_bstr());
    assert_eq!(words, ["/x/y.sh", "a b", "c \" d", "e f", ""]);
    assert!(split_words(b" ".as_bstr()).is_empty());
}
