//! Start files in sessions that another module system began, and the other way round.

use std::process::{Command, Stdio};

use crate::support::{Peer, Site, XMOD, require};

/// A copy of the start file that a peer's package has for this shell, with the places where it is unpacked here.
fn start_file(site: &Site, peer: Peer, shell: &str) -> String {
    let command = peer.command();
    let root = command.split_once("/bin/").unwrap().0.to_owned() + "/root";
    let init = match peer {
        Peer::Lmod => "usr/share/lmod/8.6.19/init",
        Peer::Modules => "usr/share/modules/init",
    };
    let text = std::fs::read_to_string(format!("{root}/{init}/{shell}")).unwrap();
    let text = ["/usr/share/lmod", "/usr/share/modules", "/usr/lib/x86_64"]
        .iter()
        .fold(text, |text, place| {
            text.replace(place, &format!("{root}{place}"))
        });
    let file = site.root().join("peer");
    std::fs::write(&file, text).unwrap();
    file.to_str().unwrap().to_owned()
}

#[test]
fn a_session_that_another_module_system_began_is_taken_over() {
    for peer in [Peer::Lmod, Peer::Modules] {
        for (shell, program, source) in [
            ("bash", &["bash", "--norc"][..], "."),
            ("zsh", &["zsh", "-f"], "."),
            ("tcsh", &["tcsh", "-f"], "source"),
            ("fish", &["fish", "--no-config"], "source"),
        ] {
            if !require(program[0]) {
                continue;
            }
            let site = Site::new()
                .file("gcc/12", "setenv GCC 12\nprepend-path PATH /opt/gcc/12")
                .file("tool/1", "setenv TOOL one");
            let theirs = start_file(&site, peer, shell);
            let init = site.xmod(&["init", shell]);
            let ours = site.root().join("init");
            std::fs::write(&ours, init.stdout).unwrap();
            let ours = ours.to_str().unwrap();
            let script = format!(
                "{source} {theirs}\nmodule load gcc/12\n{source} {ours}\n{source} {ours}\nmodule load tool\n\
                 echo seen $LOADEDMODULES $GCC $TOOL\nmodule purge\necho path $PATH\n/usr/bin/env\n"
            );
            let file = site.root().join("script");
            std::fs::write(&file, script).unwrap();
            let output = Command::new(program[0])
                .args(&program[1..])
                .arg(&file)
                .env_clear()
                .envs(site.env())
                .stdin(Stdio::null())
                .output()
                .unwrap();
            let stdout = String::from_utf8_lossy(&output.stdout);
            let stderr = String::from_utf8_lossy(&output.stderr);
            let lines: Vec<&str> = stdout.lines().collect();
            assert_eq!(
                lines.first(),
                Some(&"seen gcc/12:tool/1 12 one"),
                "{shell} {peer:?}: {stderr}"
            );
            let path = lines[1].replace(' ', ":");
            assert!(
                path.starts_with("path:/usr/bin:/bin"),
                "{shell} {peer:?}: {path}"
            );
            assert!(!stderr.contains("warning"), "{shell} {peer:?}: {stderr}");
            let left = [
                "GCC=",
                "TOOL=",
                "LOADEDMODULES=",
                "_ModuleTable",
                "__MODULES_LM",
            ];
            for line in lines {
                assert!(
                    !left.iter().any(|l| line.starts_with(l)),
                    "{shell} {peer:?}: {line}"
                );
            }
        }
    }
}

#[test]
fn autoinit_says_what_the_start_files_of_environment_modules_want() {
    let site = Site::new().file("gcc/12", "setenv GCC 12");
    for (program, script) in [
        (
            &["bash", "-c"],
            "eval \"$(\"$X\" bash autoinit)\"; module load gcc; echo $GCC",
        ),
        (
            &["python3", "-c"],
            "import os, subprocess\nexec(subprocess.check_output([os.environ['X'], 'python', 'autoinit']))\n\
             module('load', 'gcc')\nprint(os.environ['GCC'])",
        ),
        (
            &["perl", "-e"],
            "eval `$ENV{X} perl autoinit`; module('load gcc'); print \"$ENV{GCC}\\n\"",
        ),
        (
            &["ruby", "-e"],
            "eval `#{ENV['X']} ruby autoinit`; ENVModule.module('load', 'gcc'); puts ENV['GCC']",
        ),
    ] {
        if !require(program[0]) {
            continue;
        }
        let output = Command::new(program[0])
            .args([program[1], script])
            .env_clear()
            .envs(site.env())
            .env("X", XMOD)
            .output()
            .unwrap();
        let stdout = String::from_utf8_lossy(&output.stdout);
        assert_eq!(stdout, "12\n", "{program:?}: {output:?}");
    }
    let json = site.xmod(&["json", "autoinit"]);
    assert!(!json.status.success());
}
