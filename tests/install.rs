//! Installation: a tree that shells, clients and admins find their way in.

use std::path::Path;
use std::process::{Command, Stdio};

use crate::support::{Site, XMOD, in_ci, require};

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
        let script = format!(
            ". {profile}; . {profile}; module load gcc; printf '%s %s %s' \"$GCC\" \"$LMOD_CMD\" \"$MANPATH\""
        );
        let (stdout, stderr) = run(program, &script, &site.root());
        assert_eq!(
            stdout,
            format!("13 {prefix}/libexec/lmod :{prefix}/share/man"),
            "{program:?} {stderr}"
        );
        assert_eq!(stderr, "", "{program:?}");
    }
    // C shells expand aliases line by line.
    let script = format!(
        "source '{prefix}/etc/profile.d/xmod.csh'\nsource '{prefix}/etc/profile.d/xmod.csh'\nmodule load gcc\necho $GCC $MANPATH:q\n"
    );
    let file = path(&site, "script.csh");
    std::fs::write(&file, script).unwrap();
    for program in [["tcsh", "-f"], ["bsd-csh", "-f"]] {
        if require(program[0]) {
            let (stdout, stderr) = run(&program, &file, &site.root());
            let seen = format!("13 :{prefix}/share/man\n");
            assert_eq!(stdout, seen, "{program:?} {stderr}");
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
        "share/man/man1/xmod.1",
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
fn a_tree_that_was_moved_still_works() {
    let site = site();
    let (old, new) = (path(&site, "old"), path(&site, "new place"));
    install(
        &site,
        &["--prefix", &old, "--modulepath", &path(&site, "mf")],
    );
    std::fs::rename(&old, &new).unwrap();
    let seen = format!("13 {new}/libexec/lmod {new}\n");
    let load = "module load gcc; echo $GCC \"$LMOD_CMD\" \"$MODULESHOME\"";
    // What reads the file by itself knows where it is; the others are told.
    for (program, file) in [
        (&["bash", "--norc", "-euc"][..], "init/bash"),
        (&["bash", "--norc", "-euc"], "etc/profile.d/xmod.sh"),
        (&["zsh", "-feuc"], "init/zsh"),
        (&["zsh", "-feuc"], "etc/profile.d/xmod.sh"),
        (&["ksh", "-euc"], "etc/profile.d/xmod.sh"),
    ] {
        if require(program[0]) {
            let (stdout, stderr) = run(program, &format!(". '{new}/{file}'; {load}"), &site.root());
            assert_eq!(stdout, seen, "{program:?} {file} {stderr}");
        }
    }
    for program in [&["dash", "-euc"][..], &["ksh", "-euc"], &["mksh", "-euc"]] {
        if require(program[0]) {
            let script = format!("MODULESHOME='{new}'; . \"$MODULESHOME/init/sh\"; {load}");
            let (stdout, stderr) = run(program, &script, &site.root());
            assert_eq!(stdout, seen, "{program:?} {stderr}");
        }
    }
    let file = path(&site, "script");
    for (program, source) in [
        (
            &["fish", "--no-config"][..],
            format!("source '{new}/init/fish'"),
        ),
        (
            &["tcsh", "-f"],
            format!("setenv MODULESHOME '{new}'\nsource '{new}/init/tcsh'"),
        ),
        (
            &["bsd-csh", "-f"],
            format!("setenv MODULESHOME '{new}'\nsource '{new}/init/csh'"),
        ),
    ] {
        if require(program[0]) {
            let script =
                format!("{source}\nmodule load gcc\necho $GCC \"$LMOD_CMD\" \"$MODULESHOME\"\n");
            std::fs::write(&file, script).unwrap();
            let (stdout, stderr) = run(program, &file, &site.root());
            assert_eq!(stdout, seen, "{program:?} {stderr}");
        }
    }
    for (program, script) in [
        (
            &["python3", "-c"],
            "import os\nexec(open(os.environ['MODULESHOME'] + '/init/python.py').read())\n\
             module('load', 'gcc')\nprint(os.environ['GCC'])",
        ),
        (
            &["perl", "-e"],
            "require \"$ENV{MODULESHOME}/init/perl.pm\"; module('load gcc'); print \"$ENV{GCC}\\n\"",
        ),
        (
            &["ruby", "-e"],
            "require ENV['MODULESHOME'] + '/init/ruby.rb'; ENVModule.module('load', 'gcc'); puts ENV['GCC']",
        ),
        (
            &["lua5.3", "-e"],
            "dofile(os.getenv('MODULESHOME') .. '/init/lua'); module('load', 'gcc'); print(os.getenv('GCC'))",
        ),
    ] {
        if require(program[0]) {
            let output = Command::new(program[0])
                .args([program[1], script])
                .env_clear()
                .env("PATH", "/usr/bin:/bin")
                .env("MODULESHOME", &new)
                .env("MODULEPATH", path(&site, "mf"))
                .output()
                .unwrap();
            assert_eq!(output.stdout, b"13\n", "{program:?} {output:?}");
        }
    }
}

#[test]
fn completion_has_the_file_names_that_users_source() {
    let site = site();
    let prefix = path(&site, "opt");
    install(&site, &["--prefix", &prefix]);
    for file in ["lmod_bash_completions", "bash_completion"] {
        let script = format!(". {prefix}/init/{file}; complete -p module");
        let (stdout, stderr) = run(&["bash", "--norc", "-c"], &script, &site.root());
        assert!(stdout.contains("_xmod_complete"), "{file}: {stderr}");
    }
    // A ksh that finds functions along FPATH needs no start file.
    for dir in ["ksh_funcs", "ksh-functions"] {
        let script = format!(
            "FPATH={prefix}/init/{dir}; export MODULEPATH={}; module load gcc; echo $GCC",
            path(&site, "mf")
        );
        let (stdout, stderr) = run(&["ksh", "-c"], &script, &site.root());
        assert_eq!(stdout, "13\n", "{stderr}");
    }
}

#[test]
fn the_commands_of_xmod_itself_have_a_manual_page_and_completion() {
    let site = site();
    let prefix = path(&site, "opt");
    install(&site, &["--prefix", &prefix]);
    let page = std::fs::read_to_string(format!("{prefix}/share/man/man1/xmod.1")).unwrap();
    for command in [
        "init SHELL",
        "completions SHELL",
        "install",
        "uninstall",
        "exec WORDS",
        "spider DIRS",
        "cache build DIRS",
        "catalog export DIRS",
        "catalog report DIRS",
        "usage import",
        "usage report",
        "sbatch COMMAND",
        "tclsh FILE ARGS",
        "\\-o, \\-\\-output OUTPUT",
    ] {
        assert!(page.contains(&format!(".B {command}")), "{command}");
    }
    assert!(page.contains("The format: json, csv, markdown, html, ood, lmod\\-software\\-page."));
    // `freeze` and its kind are sub-commands of `module`.
    let page = std::fs::read_to_string(format!("{prefix}/share/man/man1/module.1")).unwrap();
    assert!(page.contains(".B freeze"));
    let root = site.root();
    let ask = |program: &[&str], script: &str| {
        let (stdout, stderr) = run(program, script, &root);
        assert_eq!(stderr, "", "{program:?}");
        stdout
    };
    if require("bash") {
        let script = format!(
            ". {prefix}/share/bash-completion/completions/xmod
            offer() {{ COMP_WORDS=(\"$@\"); COMP_CWORD=$(($# - 1)); _xmod xmod \"${{!#}}\" \"${{@: -2:1}}\"; echo \"${{COMPREPLY[@]}}\"; }}
            offer xmod cata; offer xmod catalog export --format j; offer xmod sbatch --arr"
        );
        let seen = ask(&["bash", "--norc", "-c"], &script);
        assert_eq!(seen, "catalog\njson\n--array\n");
    }
    if require("fish") {
        let script = format!(
            "source {prefix}/share/fish/vendor_completions.d/xmod.fish; complete -C 'xmod catalog exp'; complete -C 'xmod sbatch --arr'"
        );
        let seen = ask(&["fish", "--no-config", "-c"], &script);
        assert!(
            seen.starts_with("export\t") && seen.contains("\n--array\t"),
            "{seen}"
        );
    }
    if require("zsh") {
        let script = format!(
            "fpath=({prefix}/share/zsh/site-functions $fpath); autoload -U compinit; compinit -D; print $_comps[xmod] $_comps[module]
            . <({prefix}/bin/xmod completions zsh); print $_comps[xmod]; functions -- _xmod_admin | grep -c sbatch >/dev/null && print it is there"
        );
        let seen = ask(&["zsh", "-fc"], &script);
        assert_eq!(seen, "_xmod_admin _xmod\n_xmod_admin\nit is there\n");
    }
}

/// Copies a program and what it is linked with below `root`.
fn copy_program(program: &str, root: &Path) {
    let ldd = Command::new("ldd").arg(program).output().unwrap();
    let text = String::from_utf8_lossy(&ldd.stdout).into_owned();
    let libraries = text.split_whitespace().filter(|word| word.starts_with('/'));
    for file in libraries.chain([program]) {
        let to = root.join(&file[1..]);
        std::fs::create_dir_all(to.parent().unwrap()).unwrap();
        std::fs::copy(file, to).unwrap();
    }
}

#[test]
fn a_new_admin_installs_it_in_a_bare_root() {
    let may_chroot = Command::new("/usr/sbin/chroot")
        .args(["/", "/bin/true"])
        .status();
    if !may_chroot.is_ok_and(|status| status.success()) {
        eprintln!("skipped: no right to change the root");
        assert!(!in_ci(), "this test needs root");
        return;
    }
    let site = site();
    let root = site.root().join("image");
    for program in [
        "/bin/bash",
        "/bin/dash",
        "/usr/bin/env",
        "/bin/ln",
        "/bin/mkdir",
    ] {
        copy_program(program, &root);
    }
    let shell = |args: &[&str], script: &str| {
        let output = Command::new("/usr/sbin/chroot")
            .arg(&root)
            .args(args)
            .arg(script)
            .env_clear()
            .env("PATH", "/usr/bin:/bin")
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        (text, String::from_utf8_lossy(&output.stderr).into_owned())
    };
    // The one file that came from elsewhere, and a tree of modulefiles.
    std::fs::create_dir_all(root.join("apps/modules/gcc")).unwrap();
    std::fs::write(
        root.join("apps/modules/gcc/13"),
        "#%Module\nsetenv GCC 13\n",
    )
    .unwrap();
    std::fs::copy(XMOD, root.join("xmod")).unwrap();
    std::fs::create_dir_all(root.join("etc")).unwrap();
    let profile = "for f in /etc/profile.d/*.sh; do . \"$f\"; done\n";
    std::fs::write(root.join("etc/profile"), profile).unwrap();
    // As the output of the installation says.
    let steps = "set -e; /xmod install --prefix /opt/xmod --modulepath /apps/modules; mkdir -p /etc/profile.d; \
        ln -s /opt/xmod/etc/profile.d/xmod.sh /etc/profile.d/";
    let (stdout, stderr) = shell(&["/bin/bash", "-c"], steps);
    assert!(
        stdout.contains("installed below /opt/xmod"),
        "{stdout} {stderr}"
    );
    let script = "module load gcc && echo $GCC; dash -c '. $MODULESHOME/init/sh; module unload gcc; echo ${GCC-none}'; \
        dash -c 'bash -c \"module is-loaded gcc && echo still\"'; module load nope && echo no";
    let (stdout, stderr) = shell(&["/bin/bash", "-lc"], script);
    assert_eq!(stdout, "13\nnone\nstill\n", "{stderr}");
    let (stdout, stderr) = shell(&["/bin/dash", "-lc"], "module load gcc; echo $GCC");
    assert_eq!(stdout, "13\n", "{stderr}");
    let (_, stderr) = shell(
        &["/bin/bash", "-c"],
        "/opt/xmod/bin/xmod uninstall --prefix /opt/xmod",
    );
    assert_eq!(stderr, "");
    let left = Command::new("find")
        .arg(root.join("opt"))
        .args(["-type", "f"])
        .output()
        .unwrap();
    // The list of directories is the admin's.
    let left = String::from_utf8_lossy(&left.stdout).into_owned();
    assert!(
        left.trim_end().ends_with("/opt/xmod/etc/modulespath") && left.lines().count() == 1,
        "{left}"
    );
}

#[test]
fn exec_hands_over_environment_input_signals_and_status() {
    let site = site();
    let run = |words: &str| {
        let script = format!("echo input | {XMOD} exec {words}");
        let output = Command::new("bash")
            .args(["-c", &script])
            .env_clear()
            .envs(site.env())
            .current_dir(site.root())
            .output()
            .unwrap();
        let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
        (output.status.code(), stdout)
    };
    let own = site.root().join("mine");
    std::fs::write(&own, "#!/bin/sh\necho mine $GCC\n").unwrap();
    std::fs::set_permissions(&own, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    std::fs::write(
        site.root().join("mf/own"),
        format!(
            "#%Module\nprepend-path PATH {}\nchdir /\n",
            site.root().display()
        ),
    )
    .unwrap();
    assert_eq!(
        run("gcc -- sh -c 'cat; echo $GCC; exit 7'"),
        (Some(7), "input\n13\n".into())
    );
    assert_eq!(run("gcc -- sh -c 'kill -TERM $$'").0, Some(143));
    // A closed pipe ends the command, as it does from a shell.
    assert_eq!(run("gcc -- yes | head -n 1"), (Some(0), "y\n".into()));
    assert_eq!(run("gcc own -- mine"), (Some(0), "mine 13\n".into()));
    assert_eq!(run("own -- pwd"), (Some(0), "/\n".into()));
    assert_eq!(run("-- echo no modules"), (Some(0), "no modules\n".into()));
    assert_eq!(run("nope -- echo ran"), (Some(1), String::new()));
    assert_eq!(run("gcc -- nosuchprogram").0, Some(127));
    assert_eq!(run("gcc -- /etc/passwd").0, Some(126));
    assert_eq!(run("gcc").0, Some(2));
    assert!(run("--help").1.contains("xmod exec gcc openmpi -- make"));
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
