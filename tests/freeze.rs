//! `module freeze`: what a shell has after sourcing a frozen collection, compared with `module restore` in the same shell.

use std::process::{Command, Stdio};

use crate::support::{Env, Site, difference, public, require};

/// A hierarchy, paths with entries of the user, a pushed value, an alias, a function and hostile text.
fn site() -> Site {
    Site::new()
        .var("EDITOR", "vi")
        .var("MANPATH", ":")
        .var("LIBRARY_PATH", "/user/lib")
        .file("gcc/13.lua", "setenv('CC', 'gcc')\nprepend_path('PATH', '$SITE/gcc/bin')\nprepend_path('MODULEPATH', '$SITE/below')\nfamily('compiler')\n")
        .file("../below/mpi/4.lua", "prepend_path('PATH', '/mpi/bin')\nappend_path('LIBRARY_PATH', '/mpi/lib')\nprepend_path('LD_LIBRARY_PATH', '/mpi/lib')\nappend_path('LD_LIBRARY_PATH', '/mpi/last')\ndepends_on('tool')\n")
        .file("tool/1.lua", "pushenv('EDITOR', 'tool')\nprepend_path('MANPATH', '/tool/man')\nsetenv('TEXT', \"it's $HOME `x` \\\\ !{a,b}* \\\"q\\\"\")\nset_alias('tl', 'echo alias')\nprepend_path('PATH', '/usr/bin')\nprepend_path{'SEMI', 'a b', delim=';'}\n")
        .file("other/1.lua", "setenv('OTHER', '1')\nprepend_path('PATH', '/other')\n")
}

/// The shells with the command that starts them and the name of the variable with the last status.
const SHELLS: &[(&str, &[&str], &str)] = &[
    ("bash", &["bash", "--noprofile", "--norc"], "?"),
    ("zsh", &["zsh", "-f"], "?"),
    ("sh", &["dash"], "?"),
    ("ksh", &["ksh"], "?"),
    ("mksh", &["mksh"], "?"),
    ("tcsh", &["tcsh", "-f"], "status"),
    ("fish", &["fish", "--no-config"], "status"),
];

/// Runs lines in a shell that knows `module`; gives what it printed and its environment at the end.
fn session(site: &Site, shell: &(&str, &[&str], &str), env: &Env, lines: &[&str]) -> (String, Env) {
    let (name, program, _) = shell;
    let root = site.root();
    let init = root.join(format!("init.{name}"));
    std::fs::write(&init, site.xmod(&["init", name]).stdout).unwrap();
    let frozen = root.join("home/.config/xmod/frozen/work");
    let file = root.join("script");
    let dot = if *name == "tcsh" || *name == "fish" {
        "source"
    } else {
        "."
    };
    let mut text = format!("{dot} {}\n", init.display());
    for line in lines {
        text += &line.replace("FREEZE", &format!("{dot} {}.{name}", frozen.display()));
        text.push('\n');
    }
    text += &format!("env -0 >{}\n", root.join("env").display());
    std::fs::write(&file, text).unwrap();
    let out = Command::new("timeout")
        .arg("60")
        .args(*program)
        .arg(&file)
        .env_clear()
        .envs(env)
        .current_dir(&root)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let said = [out.stdout, out.stderr].concat();
    let after = std::fs::read(root.join("env")).unwrap();
    let after = String::from_utf8_lossy(&after).into_owned();
    let own = ["_", "SHLVL", "PWD", "OLDPWD", "_AST_FEATURES"];
    let after = after
        .split('\0')
        .filter_map(|entry| entry.split_once('='))
        .filter(|(name, _)| !own.contains(name))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    (String::from_utf8_lossy(&said).into_owned(), after)
}

/// The site with `gcc`, `mpi` and what these need saved and frozen as `work`.
fn frozen() -> Site {
    let site = site();
    let run = site.run("load gcc mpi");
    assert!(run.ok(), "{}", run.stderr());
    for request in ["save work", "freeze work"] {
        let run = site.run_in(run.env(), request);
        assert!(run.ok(), "{request}: {}", run.stderr());
    }
    site
}

#[test]
fn sourcing_gives_what_restoring_gives_and_modules_can_be_unloaded() {
    let site = frozen();
    for shell in SHELLS {
        if !require(shell.1[0]) {
            continue;
        }
        let env = site.env();
        let (_, restored) = session(&site, shell, env, &["module restore work"]);
        let (said, sourced) = session(
            &site,
            shell,
            env,
            &["FREEZE", &format!("echo ${}", shell.2)],
        );
        assert_eq!(said, "0\n", "{}", shell.0);
        let lines = difference(&sourced, &restored);
        assert!(lines.is_empty(), "{}:\n{}", shell.0, lines.join("\n"));
        assert_eq!(sourced["LOADEDMODULES"], "gcc/13:tool/1:mpi/4");

        // A second time nothing happens, whatever the user has changed meanwhile.
        let (_, twice) = session(&site, shell, &sourced, &["FREEZE"]);
        let lines = difference(&twice, &sourced);
        assert!(lines.is_empty(), "{}:\n{}", shell.0, lines.join("\n"));

        let (said, end) = session(
            &site,
            shell,
            env,
            &["FREEZE", "module list -t", "tl", "module purge"],
        );
        assert!(
            said.contains("gcc/13\ntool/1\nmpi/4\n"),
            "{}: {said}",
            shell.0
        );
        if shell.0 == "tcsh" || shell.0 == "fish" {
            assert!(said.contains("alias\n"), "{}: {said}", shell.0);
        }
        let start = session(&site, shell, env, &["module load other", "module purge"]).1;
        let mut lines = difference(&public(&end), &public(&start));
        // Once touched, a lone empty entry is written as two delimiters.
        lines.retain(|line| !line.starts_with("MANPATH"));
        assert!(lines.is_empty(), "{}:\n{}", shell.0, lines.join("\n"));
    }
}

#[test]
fn other_modules_go_first_and_other_values_are_kept() {
    let site = frozen();
    for shell in SHELLS {
        if !require(shell.1[0]) {
            continue;
        }
        let (_, restored) = session(
            &site,
            shell,
            site.env(),
            &["module load other", "module restore work"],
        );
        let (said, sourced) = session(&site, shell, site.env(), &["module load other", "FREEZE"]);
        assert_eq!(said, "", "{}", shell.0);
        let lines = difference(&public(&sourced), &public(&restored));
        assert!(lines.is_empty(), "{}:\n{}", shell.0, lines.join("\n"));

        // Another host has other directories.
        let mut env = site.env().clone();
        env.insert("PATH".into(), "/node/bin:/usr/bin:/bin".into());
        env.insert("LD_LIBRARY_PATH".into(), "/node/lib".into());
        env.remove("LIBRARY_PATH");
        let (said, sourced) = session(&site, shell, &env, &["FREEZE"]);
        assert_eq!(said, "", "{}", shell.0);
        let root = site.root();
        assert_eq!(
            sourced["PATH"],
            format!(
                "/mpi/bin:/usr/bin:{}/gcc/bin:/node/bin:/usr/bin:/bin",
                root.display()
            ),
            "{}",
            shell.0
        );
        assert_eq!(
            sourced["LD_LIBRARY_PATH"], "/mpi/lib:/node/lib:/mpi/last",
            "{}",
            shell.0
        );
        assert_eq!(sourced["LIBRARY_PATH"], "/mpi/lib", "{}", shell.0);
        let (_, end) = session(&site, shell, &sourced, &["module purge"]);
        assert_eq!(end["LD_LIBRARY_PATH"], "/node/lib", "{}", shell.0);
        // `tool` moved `/usr/bin` to the front, where it stays.
        assert_eq!(end["PATH"], "/usr/bin:/node/bin:/bin", "{}", shell.0);
    }
}

#[test]
fn a_frozen_collection_needs_no_program() {
    let site = frozen();
    // The programs of the system are there, ours is not.
    let script = site.root().join("home/.config/xmod/frozen/work.bash");
    let line = format!(
        "source {}; echo $? $LOADEDMODULES; type module 2>&1",
        script.display()
    );
    let out = Command::new("strace")
        .args([
            "-f",
            "-e",
            "trace=execve",
            "-o",
            "trace",
            "bash",
            "-c",
            &line,
        ])
        .env_clear()
        .envs(site.env())
        .current_dir(site.root())
        .output()
        .unwrap();
    assert!(
        String::from_utf8_lossy(&out.stdout).starts_with("0 gcc/13:tool/1:mpi/4\n"),
        "{out:?}"
    );
    let trace = std::fs::read_to_string(site.root().join("trace")).unwrap();
    assert_eq!(trace.matches("execve(").count(), 1, "{trace}");
}

#[test]
fn a_change_of_a_modulefile_is_noticed_and_refused_until_told() {
    let site = frozen();
    let run = site.run("freeze --check work");
    assert!(run.ok(), "{}", run.stderr());
    assert_eq!(run.stderr(), "\"work\" is as it was frozen\n");
    let site = site.file("tool/1.lua", "setenv('NEW', '1')\n");
    for request in ["freeze --check work", "freeze work"] {
        let run = site.run(request);
        assert!(!run.ok(), "{request}");
        insta::allow_duplicates! {
            insta::assert_snapshot!(run.stderr(), @"
            error: modulefiles have changed since `work` was frozen
             |
             = note: `tool/1` was edited: $SITE/mf/tool/1.lua
             = help: to freeze what they say now: `module --force freeze work`
            ");
        }
    }
    let run = site.run("--force freeze work");
    assert!(run.ok(), "{}", run.stderr());
    assert!(site.run("freeze --check work").ok());
    let bash =
        std::fs::read_to_string(site.root().join("home/.config/xmod/frozen/work.bash")).unwrap();
    assert!(bash.contains("NEW=1"), "{bash}");
    let run = site.run("freeze --check nothing");
    assert!(
        run.stderr().contains("`nothing` is not frozen"),
        "{}",
        run.stderr()
    );
    let run = site.run("freeze nothing");
    assert!(
        run.stderr().contains("no collection `nothing`"),
        "{}",
        run.stderr()
    );
}

#[test]
fn a_collection_of_which_a_part_is_gone_is_not_frozen() {
    let site = frozen();
    std::fs::remove_file(site.root().join("mf/tool/1.lua")).unwrap();
    std::fs::remove_file(site.root().join("home/.config/xmod/frozen/work.json")).unwrap();
    let run = site.run("freeze work");
    assert!(!run.ok());
    insta::assert_snapshot!(run.stderr(), @"
    error: modules of `work` exist no more: nothing was frozen
     |
     = note: `tool/1` is gone
     = help: save a collection without them, or freeze the rest: `module --force freeze work`
    ");
}
