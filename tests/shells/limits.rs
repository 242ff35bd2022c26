//! What a shell cannot do: variables that are `readonly`, values that are too long for it.

use std::process::{Command, Stdio};

use crate::support::{Site, require};

fn site() -> Site {
    Site::new().file(
        "gcc/13",
        "setenv AAA 1\nprepend-path PATH /opt/gcc/bin\nset-alias zzz {echo}\nsetenv ZZZ 1",
    )
}

/// Runs a script behind the start file of `shell`; gives what it printed.
fn run(site: &Site, shell: &str, program: &[&str], script: &str, vars: &[(&str, &str)]) -> String {
    let init = site.xmod(&["init", shell]);
    std::fs::write(site.root().join("init"), init.stdout).unwrap();
    let source = if shell.contains("csh") { "source" } else { "." };
    let text = format!(
        "{source} {}\n{script}\n",
        site.root().join("init").display()
    );
    let file = site.root().join("script");
    std::fs::write(&file, text).unwrap();
    let output = Command::new(program[0])
        .args(&program[1..])
        .arg(file)
        .env_clear()
        .envs(site.env())
        .envs(vars.iter().copied())
        .current_dir(site.root())
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let text = [output.stdout, output.stderr].concat();
    String::from_utf8_lossy(&text).into_owned()
}

/// What tells a shell that goes on from one that ends.
const SHELLS: &[(&str, &[&str], bool)] = &[
    ("bash", &["bash", "--norc"], true),
    ("bash", &["bash", "--norc", "-eu"], true),
    ("bash", &["bash", "--posix"], false),
    ("zsh", &["zsh", "-f"], true),
    ("ksh", &["ksh"], true),
    ("mksh", &["mksh"], true),
    ("sh", &["dash"], false),
    ("sh", &["busybox", "sh"], false),
    ("yash", &["yash"], false),
];

#[test]
fn a_load_that_a_readonly_variable_forbids_is_false_and_changes_nothing() {
    let site = site();
    for (shell, program, goes_on) in SHELLS.iter().filter(|(_, p, _)| require(p[0])) {
        let script = "readonly PATH
            if module load gcc/13; then echo went in; else echo stayed out; fi
            echo \"AAA=${AAA-none} ZZZ=${ZZZ-none} loaded=${LOADEDMODULES-none}\"; alias zzz 2>/dev/null || :";
        let seen = run(&site, shell, program, script, &[]);
        assert!(!seen.contains("went in"), "{program:?}: {seen}");
        assert!(seen.contains("PATH"), "it is said: {program:?}: {seen}");
        if *goes_on {
            let wanted = "stayed out\nAAA=none ZZZ=none loaded=none\n";
            assert!(seen.contains(wanted), "{program:?}: {seen}");
            assert!(!seen.contains("zzz="), "{program:?}: {seen}");
        }
    }
}

#[test]
fn an_unload_that_a_readonly_variable_forbids_is_false_and_changes_nothing() {
    let site = site();
    for (shell, program, goes_on) in SHELLS.iter().filter(|(_, p, _)| require(p[0])) {
        let script = "module load gcc/13
            readonly ZZZ
            if module unload gcc/13; then echo went out; else echo stayed in; fi
            echo \"AAA=${AAA-none} ZZZ=${ZZZ-none} loaded=${LOADEDMODULES-none}\"";
        let seen = run(&site, shell, program, script, &[]);
        assert!(!seen.contains("went out"), "{program:?}: {seen}");
        if *goes_on {
            let wanted = "stayed in\nAAA=1 ZZZ=1 loaded=gcc/13\n";
            assert!(seen.contains(wanted), "{program:?}: {seen}");
        }
    }
}

#[test]
fn a_csh_is_given_no_longer_values_than_its_setting_says() {
    let long = "x".repeat(300);
    let site = Site::new().file("long/1", &format!("setenv SHORT 1\nsetenv LONG {long}"));
    for program in ["bsd-csh", "tcsh"] {
        if !require(program) {
            continue;
        }
        let script = "module load long/1 && echo good\n/usr/bin/printenv SHORT LONG";
        let with = |vars: &[(&str, &str)]| run(&site, "csh", &[program, "-f"], script, vars);
        let seen = with(&[("XMOD_CSH_LIMIT", "200")]);
        assert!(seen.starts_with("good\n1\n"), "{program}: {seen}");
        assert!(seen.contains("variable `LONG` left as it is"), "{seen}");
        assert!(seen.contains("`csh_limit`") && !seen.contains(&long));
        for vars in [&[("XMOD_CSH_LIMIT", "300")][..], &[]] {
            assert_eq!(with(vars), format!("good\n1\n{long}\n"), "{program}");
        }
    }
}
