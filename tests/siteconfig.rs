//! `siteconfig.tcl` of Environment Modules, and the settings that sites make for variables.

use crate::support::{Peer, Run, Site};

fn site() -> Site {
    Site::new()
        .var("XMOD_POLICY", "modules")
        .file("gcc/12", "setenv CC gcc\n")
        .file("gcc/13", "prereq nosuch\n")
}

/// A site with this text as its file; the user's variable names it, so that both programs read it.
fn with(site: Site, text: &str) -> Site {
    let text = text.replace("$SITE", site.root().to_str().unwrap());
    site.raw("etc/siteconfig.tcl", text.as_bytes())
        .var("MODULES_SITECONFIG", "$SITE/etc/siteconfig.tcl")
}

fn both(site: &Site, words: &str) -> [Run; 2] {
    [site.run(words), site.run_peer(Peer::Modules, words)]
}

#[test]
fn all_modulefiles_have_the_variables_and_commands_of_the_site() {
    let site = with(
        site(),
        "set modulefile_extra_vars {where {/sw of ours} n 7}\n\
         set modulefile_extra_cmds {in place count tally}\n\
         set modulerc_extra_vars {standard 1.0}\n\
         set modulerc_extra_cmds {std default_of}\n\
         set calls 0\n\
         proc place {args} { return /sw/[join $args /] }\n\
         proc tally {} { incr ::calls }\n\
         proc default_of {name} { return $name/1.0 }\n",
    )
    .file(
        "app/1.0",
        "setenv APP [in app 1.0]\nsetenv N [expr {$n + [count] + [count]}]\nsetenv WHERE $where\nsetenv OWN [info exists ::calls]\n",
    )
    .file("app/2.0", "")
    .file("app/.modulerc", "#%Module\nmodule-version [std app] default\nmodule-alias it app/$standard\n");
    for run in both(&site, "load app") {
        assert!(run.ok(), "{}", run.stderr());
        let vars = ["APP", "N", "WHERE", "OWN"].map(|name| run.var(name).unwrap());
        assert_eq!(vars, ["/sw/app/1.0", "10", "/sw of ours", "0"]);
    }
    let loaded = site.run("load app");
    let site = site.after(&loaded);
    let shown = site.run("show app");
    assert!(
        shown.stderr().contains("APP /sw/app/1.0"),
        "{}",
        shown.stderr()
    );
    assert_eq!(site.run("unload app").var("APP"), None);
}

#[test]
fn options_are_set_above_variables_and_below_the_command_line() {
    let site = with(
        site(),
        "setConf implicit_default 0\n\
         lappendConf locked_configs implicit_default\n\
         setConf search_match contains\n\
         if {[getConf auto_handling] != 1} { error {an option is not told} }\n",
    )
    .var("MODULES_IMPLICIT_DEFAULT", "1");
    for run in both(&site, "load gcc") {
        assert!(!run.ok() && run.unchanged(), "{}", run.stderr());
    }
    for run in both(&site, "load gcc/12") {
        assert!(run.ok(), "{}", run.stderr());
    }
    let shown = site.run("avail cc").stderr();
    assert!(shown.contains("gcc/12"), "{shown}");
    let shown = site.run("avail --starts-with cc").stderr();
    assert!(!shown.contains("gcc/12"), "{shown}");
    let refused = site.run("config implicit_default 1");
    assert!(
        !refused.ok() && refused.stderr().contains("locked"),
        "{}",
        refused.stderr()
    );
}

#[test]
fn a_lock_takes_the_variable_its_word() {
    let lock = "lappendConf locked_configs implicit_default\n";
    let site = with(site(), lock)
        .var("MODULES_IMPLICIT_DEFAULT", "0")
        .file("z/1", "");
    for run in both(&site, "load z") {
        assert!(run.ok(), "{}", run.stderr());
    }
}

#[test]
fn hooks_see_each_evaluation_and_act_in_it() {
    let site = with(
        site(),
        "proc note {when args} {\n\
             set f [open $::env(HOME)/log a]; puts $f [list $when {*}$args]; close $f\n\
         }\n\
         proc before {args} { note before {*}$args; [getCurrentModfileInterpName] eval {setenv HOOKED 1} }\n\
         proc behind {file name args} {\n\
             note behind $file $name {*}$args\n\
             interp eval [getCurrentModfileInterpName] {prepend-path HOOKS /h}\n\
         }\n\
         proc rc {args} { note rc {*}$args }\n\
         proc broken {args} { error {hooks may fail} }\n\
         add-hook before-modulefile-eval before\n\
         add-hook after-modulefile-eval broken\n\
         add-hook after-modulefile-eval behind\n\
         add-hook before-modulerc-eval rc\n",
    )
    .file("gcc/.modulerc", "#%Module\nmodule-version gcc/12 default\n");
    let log = || {
        let file = site.root().join("home/log");
        let text = std::fs::read_to_string(&file).unwrap_or_default();
        let _ = std::fs::remove_file(file);
        text.replace(site.root().to_str().unwrap(), "$SITE")
    };
    let run = site.run("load gcc");
    assert!(run.ok(), "{}", run.stderr());
    assert!(
        run.stderr()
            .contains("'broken' registered on 'after-modulefile-eval' event failed")
    );
    assert_eq!(
        [run.var("HOOKED"), run.var("HOOKS")],
        [Some("1".to_owned()), Some("/h".to_owned())]
    );
    assert_eq!(
        log(),
        "rc $SITE/mf/gcc/.modulerc gcc\n\
         before $SITE/mf/gcc/12 gcc/12 gcc/12 gcc load 1\n\
         behind $SITE/mf/gcc/12 gcc/12 gcc/12 gcc load 1 0\n"
    );
    assert!(!site.run("load gcc/13").ok());
    assert!(log().contains("behind $SITE/mf/gcc/13 gcc/13 gcc/13 gcc/13 load 1 1\n"));
    let run = site.run_in(run.env(), "unload gcc");
    assert_eq!(
        [run.var("HOOKED"), run.var("HOOKS"), run.var("CC")],
        [None, None, None]
    );
}

#[test]
fn a_mistake_of_the_site_is_told_with_its_line_and_nothing_is_done() {
    for (text, line, words) in [
        ("set x 1\nnosuchcommand\n", ":2:", "nosuchcommand"),
        ("add-hook before-breakfast f\n", ":1:", "before-breakfast"),
        ("set x {\n", ":1:", "brace"),
    ] {
        let site = with(site(), text);
        let run = site.run("load gcc/12");
        assert!(!run.ok() && run.unchanged(), "{}", run.stderr());
        let said = run.stderr();
        assert!(
            said.contains("etc/siteconfig.tcl") && said.contains(line) && said.contains(words),
            "{said}"
        );
    }
    // What is not there, or not for this user, is passed over as in Environment Modules.
    let site = site().var("MODULES_SITECONFIG", "$SITE/none.tcl");
    assert!(site.run("load gcc/12").ok());
}

#[test]
fn the_sites_setting_names_the_file_as_well() {
    let site = site()
        .raw("home/xmod.toml", b"siteconfig = \"/dev/null\"\n")
        .var("XMOD_CONFIG", "$SITE/home/xmod.toml");
    let shown = site.run("config siteconfig").stderr();
    assert!(shown.contains("/dev/null (site)"), "{shown}");
    assert!(site.run("load gcc/12").ok());
}

#[test]
fn linked_variables_get_what_the_first_gets() {
    let site = site()
        .var("MODULES_LINKED_ENVVARS", "LIBS&LD&RPATH:LD&MPI_LD:ROOT&HOME2")
        .var("LD", "/sys")
        .file(
            "lib/1",
            "prepend-path LIBS /l\nsetenv ROOT /r\nremove-path LIBS /sys\npushenv RPATH_ /x\nprepend-path LD /only\n",
        );
    let run = site.run("load lib");
    assert!(run.ok(), "{}", run.stderr());
    let vars = ["LIBS", "LD", "RPATH", "MPI_LD", "HOME2"].map(|name| run.var(name).unwrap());
    assert_eq!(vars, ["/l", "/only:/l", "/l", "/only:/l", "/r"]);
    let shown = site.run("show lib").stderr();
    for call in ["MPI_LD /l", "RPATH /l", "HOME2 /r"] {
        assert!(shown.contains(call), "{shown}");
    }
    let back = site.run_in(run.env(), "unload lib");
    for name in ["LIBS", "RPATH", "MPI_LD", "ROOT", "HOME2"] {
        assert_eq!(back.var(name), None, "{name}");
    }
    let bad = site.var("MODULES_LINKED_ENVVARS", "A:1B&C").run("load lib");
    assert!(
        bad.ok() && bad.stderr().contains("`1B&C` links no variables"),
        "{}",
        bad.stderr()
    );
}

#[test]
fn path_variables_begin_with_the_sites_value_and_end_unset() {
    let site = site()
        .var("MODULES_INIT_ENVVARS", "MANPATH=:XPATH=/base:KEPT=/k")
        .var("KEPT", "/mine")
        .file(
            "a/1",
            "prepend-path MANPATH /a\nappend-path XPATH /a\nprepend-path KEPT /a\n",
        )
        .file("b/1", "prepend-path MANPATH /b\n");
    let first = site.run("load a");
    assert_eq!(first.var("XPATH").as_deref(), Some("/base:/a"));
    assert_eq!(first.var("KEPT").as_deref(), Some("/a:/mine"));
    let man = first.var("MANPATH").unwrap();
    assert!(
        man.starts_with("/a:") && man.trim_end_matches(':') == "/a",
        "{man}"
    );
    let second = site.run_in(first.env(), "load b");
    let third = site.run_in(second.env(), "unload a");
    let man = third.var("MANPATH").unwrap();
    assert!(
        man.starts_with("/b:") && man.trim_end_matches(':') == "/b",
        "{man}"
    );
    assert_eq!(third.var("XPATH"), None);
    assert_eq!(site.run_in(third.env(), "unload b").var("MANPATH"), None);
    // A variable that nobody touches is not set.
    assert_eq!(site.run("load gcc/12").var("XPATH"), None);
}

#[test]
fn what_happens_is_logged_as_the_manual_of_environment_modules_says() {
    let logger = b"#!/bin/sh\necho said; cat >>$HOME/log\n";
    let site = site()
        .raw("bin/tell", logger)
        .var("MODULES_LOGGED_EVENTS", "requested_cmd:requested_eval:auto_eval")
        .file("app/1", "prereq gcc/12\nputs log {a line of its own}\nproc ModulesHelp {} { puts stderr help }\n")
        .file("bad/1", "nosuchcommand\n");
    let program = site.root().join("bin/tell");
    let executable = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(&program, executable).unwrap();
    let site = site.var("MODULES_LOGGER", "$SITE/bin/tell -x");
    let log = || {
        let file = site.root().join("home/log");
        let text = std::fs::read_to_string(&file).unwrap_or_default();
        let _ = std::fs::remove_file(file);
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        // The first is the request; in which order modules follow is no matter of the log.
        lines.sort();
        lines
    };
    let user = || {
        let out = std::process::Command::new("id")
            .arg("-un")
            .output()
            .unwrap();
        String::from_utf8(out.stdout).unwrap().trim().to_owned()
    };
    let line = |mode: &str, module: &str, asked: &str, requested: u8| {
        let file = site.root().join("mf").join(module);
        format!(
            "user=\"{}\" mode=\"{mode}\" module=\"{module}\" specified=\"{asked}\" modulefile=\"{}\" requested=\"{requested}\"",
            user(),
            file.display()
        )
    };
    let command = |name: &str, words: &str| {
        format!(
            "user=\"{}\" command=\"{name}\" arguments=\"{words}\"",
            user()
        )
    };
    let own = "a line of its own".to_owned();
    for (words, mut expected) in [
        (
            "load app",
            vec![
                command("load", "app"),
                line("load", "app/1", "app", 1),
                line("load", "gcc/12", "gcc/12", 0),
                own.clone(),
            ],
        ),
        (
            "help app",
            vec![
                command("help", "app"),
                line("help", "app/1", "app", 1),
                own.clone(),
            ],
        ),
        (
            "load bad",
            vec![command("load", "bad"), line("load", "bad/1", "bad", 1)],
        ),
        ("list", vec![command("list", "")]),
    ] {
        let run = site.run(words);
        assert_eq!(run.ok(), words != "load bad", "{words}: {}", run.stderr());
        expected.sort();
        assert_eq!(log(), expected, "{words}");
        assert!(!run.stderr().contains("said"), "{}", run.stderr());
    }
    let loaded = site.run("load app");
    log();
    site.run_in(loaded.env(), "unload app");
    assert!(
        log()
            .iter()
            .any(|line| line.contains("mode=\"unload\" module=\"app/1\""))
    );
    let run = site.var("MODULES_LOGGER", "/none/such").run("load gcc/12");
    assert!(
        run.ok() && run.stderr().contains("log could not be written"),
        "{}",
        run.stderr()
    );
}
