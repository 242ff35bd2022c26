//! Completion: what each shell offers for the word at the cursor.

use std::process::{Command, Stdio};

use crate::support::{Site, XMOD, require};

fn site() -> Site {
    Site::new()
        .file("gcc/12.3.0", "setenv A 1")
        .file("gcc/13.2.0.lua", "setenv('A', '1')")
        .file("gcc/.hidden", "#%Module\nsetenv A 1")
        .file("gdb/14", "setenv A 1")
        .file("tool", "setenv A 1")
        .file("bio/blast/2.14", "setenv A 1")
        .raw("mf/gcc/README", b"not a modulefile\n")
        .raw("home/.config/lmod/work", b"")
}

fn asked(site: &Site, words: &[&str]) -> String {
    let mut args = vec!["bash", "--complete"];
    args.extend(words);
    let output = site.xmod(&args);
    assert!(output.status.success());
    assert_eq!(output.stderr, b"");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn modules_are_completed_directory_by_directory() {
    let site = site();
    assert_eq!(asked(&site, &["module", "load", "g"]), "gcc/\ngdb/\n");
    assert_eq!(
        asked(&site, &["module", "load", "gc"]),
        "gcc/12.3.0\ngcc/13.2.0\n"
    );
    assert_eq!(asked(&site, &["module", "load", "gcc/13"]), "gcc/13.2.0\n");
    assert_eq!(asked(&site, &["module", "load", "gcc/.h"]), "gcc/.hidden\n");
    assert_eq!(asked(&site, &["ml", "to"]), "tool\n");
    assert_eq!(asked(&site, &["module", "show", "bio/"]), "bio/blast/\n");
    assert_eq!(asked(&site, &["module", "load", "../"]), "");
    assert_eq!(asked(&site, &["module", "load", "/"]), "");
}

#[test]
fn a_directory_hides_a_file_of_its_name_and_several_modulepaths_are_one_list() {
    let site = Site::new()
        .file("gcc.toml", "[versions]\n'1' = {}\n")
        .file("gcc/13.lua", "")
        .file("gcc-libs/1.lua", "")
        .file("both/1.lua", "")
        .raw("more/both/2.lua", b"")
        .raw("more/gcc.lua", b"")
        .var("MODULEPATH", "$SITE/mf:$SITE/more");
    assert_eq!(
        asked(&site, &["module", "load", ""]),
        "both/\ngcc\ngcc-libs/\ngcc/\n"
    );
    assert_eq!(
        asked(&site, &["module", "load", "both/"]),
        "both/1\nboth/2\n"
    );
}

#[test]
fn loaded_modules_are_offered_for_unload_and_collections_for_restore() {
    let site = site().loaded(["gcc/12.3.0", "tool"]);
    assert_eq!(
        asked(&site, &["module", "unload", ""]),
        "gcc/12.3.0\ntool\n"
    );
    assert_eq!(asked(&site, &["ml", "-g"]), "-gcc/12.3.0\n");
    let old = asked(&site, &["module", "swap", "to"]);
    assert!(old.starts_with("tool\n"), "{old}");
    let modulepath = asked(&site, &["module", "unuse", "/"]);
    assert!(modulepath.ends_with("/mf\n"), "{modulepath}");
    assert_eq!(asked(&site, &["module", "restore", "w"]), "work\n");
}

#[test]
fn sub_commands_and_options_come_from_their_tables() {
    let site = site();
    let all = asked(&site, &["module", ""]);
    for name in ["load", "avail", "swap"] {
        assert!(all.lines().any(|l| l == name), "{name} in {all}");
    }
    assert_eq!(asked(&site, &["module", "purg"]), "purge\n");
    assert_eq!(
        asked(&site, &["module", "--ters"]),
        "--terse\n--terse-show-extensions\n"
    );
    assert_eq!(asked(&site, &["module", "purge", ""]), "");
}

#[test]
fn tcsh_gives_the_line_as_one_word() {
    let site = site();
    for (line, offered) in [
        ("module load gdb", "gdb/14\n"),
        ("module load ", "bio/\ngcc/\ngdb/\ntool\n"),
        ("module purg", "purge\n"),
    ] {
        let output = site.xmod(&["tcsh", "--complete-line", line]);
        assert_eq!(String::from_utf8_lossy(&output.stdout), offered, "{line}");
    }
}

/// Runs a script in a shell of the site whose start file is `@INIT@`.
fn in_shell(site: &Site, shell: &str, program: &[&str], script: &str) -> String {
    let init = site.xmod(&["init", shell]);
    let file = site.root().join("init");
    std::fs::write(&file, init.stdout).unwrap();
    let script = script.replace("@INIT@", file.to_str().unwrap());
    let output = Command::new(program[0])
        .args(&program[1..])
        .arg(&script)
        .env_clear()
        .envs(site.env())
        .env("LMOD_CMD", XMOD)
        .env("TERM", "dumb")
        .current_dir(site.root())
        .stdin(Stdio::null())
        .output()
        .unwrap();
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn bash_offers_the_candidates() {
    if !require("bash") {
        return;
    }
    let script = ". @INIT@; COMP_WORDS=(module load gcc/); COMP_CWORD=2; \
        complete -p module; _xmod_complete; printf '<%s>' \"${COMPREPLY[@]}\"";
    let seen = in_shell(&site(), "bash", &["bash", "--norc", "-i", "-c"], script);
    assert_eq!(
        seen,
        "complete -F _xmod_complete module\n<gcc/12.3.0><gcc/13.2.0>"
    );
}

#[test]
fn fish_offers_the_candidates_with_their_meaning() {
    if !require("fish") {
        return;
    }
    let script = "source @INIT@; complete -C 'module load gcc/'; complete -C 'module purg'";
    let seen = in_shell(
        &site(),
        "fish",
        &["fish", "--no-config", "-i", "-c"],
        script,
    );
    assert!(
        seen.starts_with("gcc/12.3.0\ngcc/13.2.0\npurge\t"),
        "{seen}"
    );
}

#[test]
fn zsh_and_tcsh_complete_at_the_prompt() {
    if !require("expect") {
        return;
    }
    let site = site();
    for (shell, start) in [("zsh", "zsh -f"), ("tcsh", "tcsh -f")] {
        if !require(shell) {
            continue;
        }
        let init = site.xmod(&["init", shell]);
        let file = site.root().join("init");
        std::fs::write(&file, init.stdout).unwrap();
        let prepare = match shell {
            "zsh" => "PS1='rea''dy> '; autoload -Uz compinit; compinit -D; . @INIT@",
            _ => "set prompt='rea''dy> '; source @INIT@",
        };
        let prepare = prepare.replace("@INIT@", file.to_str().unwrap());
        let script = format!(
            "set timeout 20\nspawn {start}\nsend {{{prepare}}}\nsend \"\\r\"\nexpect {{ready> }}\n\
             send \"module load gcc/13\\t\"\nexpect {{\n  -re {{gcc/13\\.2\\.0}} {{ puts COMPLETED }}\n  timeout {{ puts MISSED }}\n}}\n"
        );
        let output = Command::new("expect")
            .args(["-c", &script])
            .env_clear()
            .envs(site.env())
            .env("TERM", "vt100")
            .env("LMOD_CMD", XMOD)
            .current_dir(site.root())
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let seen = String::from_utf8_lossy(&output.stdout);
        assert!(seen.contains("COMPLETED"), "{shell}: {seen}");
    }
}
