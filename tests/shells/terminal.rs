//! What people see on a terminal: reports through the pager, everything else as it is.

use std::process::{Command, Stdio};

use crate::support::{Site, require};

/// Runs a script of `shell` on a terminal; gives all that was seen there.
fn on_terminal(site: &Site, shell: &str, script: &str, vars: &[(&str, &str)]) -> String {
    on_terminal_as(site, shell, shell, script, vars)
}

/// The same with a program that is not called as its row is.
fn on_terminal_as(
    site: &Site,
    shell: &str,
    program: &str,
    script: &str,
    vars: &[(&str, &str)],
) -> String {
    let init = site.xmod(&["init", shell]);
    std::fs::write(site.root().join("init"), init.stdout).unwrap();
    let source = match shell {
        "tcsh" | "fish" => "source",
        _ => ".",
    };
    let text = format!(
        "{source} {}\n{script}\n",
        site.root().join("init").display()
    );
    std::fs::write(site.root().join("script"), text).unwrap();
    let output = Command::new("script")
        .args([
            "-qec",
            &format!("{program} {}", site.root().join("script").display()),
            "/dev/null",
        ])
        .env_clear()
        .envs(site.env())
        .env("TERM", "vt100")
        .env("LMOD_COLORIZE", "no")
        .envs(vars.iter().copied())
        .stdin(Stdio::null())
        .output()
        .unwrap();
    String::from_utf8_lossy(&output.stdout).replace('\r', "")
}

fn site() -> Site {
    let pager = b"#!/bin/sh\necho \"pager $* LESS=$LESS\"\ncat\necho end of pager\n";
    let site = Site::new()
        .file("gcc/13", "setenv GCC 13")
        .raw("pager", pager);
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(site.root().join("pager"), mode).unwrap();
    site
}

#[test]
fn reports_on_a_terminal_go_through_the_pager_and_loads_do_not() {
    if !require("script") {
        return;
    }
    let site = site();
    let pager = site.root().join("pager");
    let pager = pager.to_str().unwrap();
    for shell in ["bash", "zsh", "tcsh", "fish", "ksh"]
        .into_iter()
        .filter(|s| require(s))
    {
        let script = "module load gcc\nmodule load nope\necho loaded $GCC\nmodule list";
        let seen = on_terminal(&site, shell, script, &[("LMOD_PAGER", pager)]);
        let (before, paged) = seen.split_once("loaded 13\n").unwrap_or(("", &seen));
        assert!(
            before.contains("nope") && !before.contains("pager"),
            "{shell}: {seen}"
        );
        let wanted =
            "pager  LESS=-XqMREF\n\nCurrently Loaded Modules:\n  1) gcc/13\n\nend of pager\n";
        assert_eq!(paged, wanted, "{shell}");
    }
}

#[test]
fn the_user_chooses_the_pager_or_none() {
    if !require("script") {
        return;
    }
    let site = site();
    let pager = format!("{} -a -b", site.root().join("pager").display());
    let list = |vars: &[(&str, &str)], option: &str| {
        on_terminal(&site, "bash", &format!("module {option} list"), vars)
    };
    let seen = list(&[("MODULES_PAGER", &pager), ("LMOD_PAGER_OPTS", "")], "");
    assert!(seen.starts_with("pager -a -b LESS=\n"), "{seen}");
    let plain = "No modules loaded\n";
    for (vars, option) in [
        ([("LMOD_PAGER", "none")].as_slice(), ""),
        (&[("MODULES_PAGER", "")], ""),
        (&[("MODULES_PAGER", "cat")], ""),
        (&[("LMOD_PAGER", &pager)], "--no-pager"),
        (&[("MODULES_PAGER", &pager)], "-P"),
        (&[("MODULES_PAGER", &pager), ("TERM", "dumb")], ""),
    ] {
        assert_eq!(list(vars, option), plain, "{vars:?} {option}");
    }
    // Nobody reads a language on a terminal.
    let script = format!("LMOD_PAGER='{pager}' \"$LMOD_CMD\" python list >/dev/null");
    assert_eq!(on_terminal(&site, "bash", &script, &[]), plain);
}

#[test]
fn reports_go_to_standard_output_as_the_user_sets_it() {
    let site = site();
    let init = site.xmod(&["init", "bash"]);
    std::fs::write(site.root().join("init"), init.stdout).unwrap();
    for (set, option, redirected) in [
        ("LMOD_REDIRECT=no", "", false),
        ("LMOD_REDIRECT=yes", "", true),
        ("LMOD_REDIRECT=yes", "--no_redirect", false),
        ("MODULES_REDIRECT_OUTPUT=1", "", true),
        ("MODULES_REDIRECT_OUTPUT=0", "", false),
        ("MODULES_REDIRECT_OUTPUT=0", "--redirect", true),
    ] {
        let script = format!(". ./init; export {set}; module {option} avail; module load nope");
        let output = Command::new("bash")
            .args(["--norc", "-c", &script])
            .env_clear()
            .envs(site.env())
            .current_dir(site.root())
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let (stdout, stderr) = (
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr),
        );
        assert_eq!(
            stdout.contains("gcc/13"),
            redirected,
            "{set} {option}: {stdout}"
        );
        assert_eq!(
            stderr.contains("gcc/13"),
            !redirected,
            "{set} {option}: {stderr}"
        );
        assert!(
            stderr.contains("`nope`"),
            "errors stay where they are seen: {stderr}"
        );
    }
}

#[test]
fn under_the_modules_policy_a_terminal_shows_reports_and_a_pipe_gets_them() {
    if !require("script") {
        return;
    }
    let site = site();
    let pager = site.root().join("pager");
    let vars = |policy| {
        [
            ("XMOD_POLICY", policy),
            ("MODULES_PAGER", pager.to_str().unwrap()),
        ]
    };
    for shell in ["bash", "zsh", "ksh", "mksh", "dash", "yash", "fish"] {
        if !require(shell) {
            continue;
        }
        let script = "module -t avail | sed 's/^/piped /'";
        let name = if shell == "dash" { "sh" } else { shell };
        let seen = |policy| on_terminal_as(&site, name, shell, script, &vars(policy));
        let modules = seen("modules");
        assert!(modules.contains("piped gcc/13\n"), "{shell}: {modules}");
        let lmod = seen("lmod");
        assert!(
            lmod.contains("\ngcc/13\n") && !lmod.contains("piped"),
            "{shell}: {lmod}"
        );
        let script = "module -t avail";
        let paged = on_terminal_as(&site, name, shell, script, &vars("modules"));
        assert!(paged.starts_with("pager"), "{shell}: {paged}");
    }
    // Errors stay where they are seen, and a script without a terminal is as before.
    let seen = on_terminal(
        &site,
        "bash",
        "module load nope | cat >/dev/null",
        &vars("modules"),
    );
    assert!(seen.contains("`nope`"), "{seen}");
    let init = site.root().join("init");
    let script = format!(". {}; module -t avail", init.display());
    let output = Command::new("bash")
        .args(["--norc", "-c", &script])
        .env_clear()
        .envs(site.env())
        .env("XMOD_POLICY", "modules")
        .stdin(Stdio::null())
        .output()
        .unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stdout), "");
}
