//! Installation: a tree that shells, clients and admins find their way in.

use std::path::Path;
use std::process::{Command, Stdio};

use crate::support::{Site, require};

fn site() -> Site {
    Site::new().file("gcc/13", "setenv GCC 13\nprepend-path PATH /opt/gcc/bin")
}

fn install(site: &Site, more: &[&str]) -> String {
    let mut args = vec!["install"];
    args.extend(more);
    let output = site.xmod(&args);
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{stderr}");
    String::from_utf8(output.stdout).unwrap()
}

fn path(site: &Site, name: &str) -> String {
    site.root().join(name).to_str().unwrap().to_owned()
}

/// Runs a script in a shell that knows nothing but where things are.
fn run(program: &[&str], script: &str, home: &Path) -> (String, String) {
    let output = Command::new(program[0])
        .args(&program[1..])
        .arg(script)
        .env_clear()
        .env("PATH", "/usr/bin:/bin")
        .env("HOME", home)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    (
        String::from_utf8_lossy(&output.stdout).into_owned(),
        String::from_utf8_lossy(&output.stderr).into_owned(),
    )
}

#[test]
fn a_login_shell_has_modules_after_the_profile_is_read() {
    let site = site();
    let prefix = path(&site, "opt/xmod 1");
    install(
        &site,
        &["--prefix", &prefix, "--modulepath", &path(&site, "mf")],
    );
    let profile = format!("'{prefix}/etc/profile.d/xmod.sh'");
    let shells: &[&[&str]] = &[
        &["bash", "-euc"],
        &["dash", "-euc"],
        &["zsh", "-feuc"],
        &["ksh", "-euc"],
        &["mksh", "-euc"],
    ];
    for program in shells.iter().filter(|p| require(p[0])) {
        let script = format!(". {profile}; module load gcc; printf '%s %s' \"$GCC\" \"$LMOD_CMD\"");
        let (stdout, stderr) = run(program, &script, &site.root());
        assert_eq!(
            stdout,
            format!("13 {prefix}/libexec/lmod"),
            "{program:?} {stderr}"
        );
        assert_eq!(stderr, "", "{program:?}");
    }
    // C shells expand aliases line by line.
    let script = format!("source '{prefix}/etc/profile.d/xmod.csh'\nmodule load gcc\necho $GCC\n");
    let file = path(&site, "script.csh");
    std::fs::write(&file, script).unwrap();
    for program in [["tcsh", "-f"], ["bsd-csh", "-f"]] {
        if require(program[0]) {
            let (stdout, stderr) = run(&program, &file, &site.root());
            assert_eq!(stdout, "13\n", "{program:?} {stderr}");
        }
    }
}

#[test]
fn child_shells_inherit_modules_and_the_module_command() {
    let site = site();
    let prefix = path(&site, "opt");
    install(
        &site,
        &["--prefix", &prefix, "--modulepath", &path(&site, "mf")],
    );
    let begin = format!(". {prefix}/etc/profile.d/xmod.sh; module load gcc;");
    for (inner, why) in [
        (
            "bash -c 'module unload gcc; module list'",
            "exported functions",
        ),
        (
            "dash -c 'exec bash -c \"module unload gcc; module list\"'",
            "BASH_ENV",
        ),
        (
            "bash --norc -c '. \"$MODULESHOME/init/bash\"; module unload gcc; module list'",
            "the start file",
        ),
        (
            "zsh -fc '. \"$MODULESHOME/init/zsh\"; module unload gcc; module list'",
            "another shell",
        ),
    ] {
        let (_, stderr) = run(&["bash", "-c"], &format!("{begin} {inner}"), &site.root());
        assert!(stderr.contains("No modules loaded"), "{why}: {stderr}");
    }
}

#[test]
fn clients_find_the_program_by_the_names_they_know() {
    let site = site();
    let prefix = path(&site, "opt");
    install(&site, &["--prefix", &prefix]);
    for name in [
        "libexec/lmod",
        "libexec/spider",
        "libexec/modulecmd",
        "libexec/modulecmd.tcl",
        "init/profile",
        "init/profile.csh",
        "init/cmake",
        "init/env_modules_python.py",
        "init/perl",
        "init/env_modules_ruby.rb",
        "init/R",
        "share/man/man1/module.1",
    ] {
        assert!(Path::new(&prefix).join(name).exists(), "{name}");
    }
    let script = format!(". {prefix}/init/bash; type module");
    let (text, _) = run(&["bash", "-c"], &script, &site.root());
    for word in ["LMOD_CMD", "modulecmd.tcl"] {
        assert!(text.contains(word), "{word}: {text}");
    }
    let version = Command::new(Path::new(&prefix).join("libexec/lmod"))
        .arg("--version")
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&version.stderr).into_owned();
    assert!(
        text.lines()
            .any(|l| l.starts_with("Modules based on Lua: Version 9")),
        "{text}"
    );
    let version = Command::new(Path::new(&prefix).join("libexec/modulecmd"))
        .args(["python", "-V"])
        .output()
        .unwrap();
    assert!(String::from_utf8_lossy(&version.stderr).starts_with("Modules Release 5"));
}

#[test]
fn destdir_changes_where_files_go_and_not_what_they_say() {
    let site = site();
    let root = path(&site, "image");
    install(&site, &["--prefix", "/usr/local/xmod", "--destdir", &root]);
    let init = std::fs::read_to_string(format!("{root}/usr/local/xmod/init/bash")).unwrap();
    assert!(init.contains("MODULESHOME=/usr/local/xmod\n"));
    assert!(!init.contains(&root));
}

#[test]
fn installing_again_keeps_what_the_admin_wrote_and_uninstall_leaves_only_that() {
    let site = site();
    let prefix = path(&site, "opt");
    install(&site, &["--prefix", &prefix, "--modulepath", "/a:/b"]);
    let file = format!("{prefix}/etc/modulespath");
    std::fs::write(&file, "/mine\n").unwrap();
    install(&site, &["--prefix", &prefix]);
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "/mine\n");
    let output = site.xmod(&["uninstall", "--prefix", &prefix]);
    assert!(output.status.success(), "{output:?}");
    let mut left: Vec<_> = std::fs::read_dir(&prefix)
        .unwrap()
        .map(|e| e.unwrap().file_name())
        .collect();
    left.sort();
    assert_eq!(left, ["etc"]);
    assert!(Path::new(&file).exists());
    let again = site.xmod(&["uninstall", "--prefix", &prefix]);
    assert_eq!(again.status.code(), Some(3));
}

#[test]
fn a_list_of_files_cannot_make_uninstall_leave_its_tree() {
    let site = site().raw("precious", b"1");
    let list = format!(
        "../precious\n{}\nshare/../../precious\n",
        path(&site, "precious")
    );
    let site = site.raw("opt/share/xmod/installed", list.as_bytes());
    let output = site.xmod(&["uninstall", "--prefix", &path(&site, "opt")]);
    assert!(output.status.success(), "{output:?}");
    assert!(site.root().join("precious").exists());
}

#[test]
fn a_prefix_must_be_absolute_and_plain() {
    let site = site();
    for prefix in ["relative", "/a\nb"] {
        let output = site.xmod(&["install", "--prefix", prefix]);
        assert_eq!(output.status.code(), Some(2), "{prefix:?}");
    }
}
