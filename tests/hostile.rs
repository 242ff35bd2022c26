//! Modulefiles that are broken, or mean harm, in real shells: each gives an error that says what and where, or the right
//! value. Nothing is changed by one that fails, and nothing in a value is ever run.
//!
//! Files that never end or eat all memory are tried next to the interpreters (`lua/tests.rs`, `tcl/bind/tests.rs`), where
//! no second is lost in a shell.

use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use crate::support::{Site, require};

/// A module, and what standard error says about it. `SEEN` would be set by what stands before the mistake.
const BROKEN: &[(&str, &str)] = &[
    ("syntax/t", "missing close-brace"),
    ("syntax/l", "syntax/l.lua:2:"),
    ("syntax/o", "syntax/o.toml:2:"),
    ("unknown/t", "unknown command `setenvv`"),
    ("unknown/l", "unknown function `setenvv`"),
    ("unknown/o", "unknown key `setenvv`"),
    ("missing/1.0", "unknown: `missing/1.0`"),
    ("gone/1.0", "unknown: `gone/1.0`"),
    ("directory/1.0", "unknown: `directory/1.0`"),
    ("directory/2.0", "unknown: `directory/2.0`"),
    ("recursion/t", "too many nested evaluations"),
    ("recursion/l", "stack overflow"),
    ("circle/t", "load each other in a circle"),
    ("circle/l", "load each other in a circle"),
    ("circle/o", "load each other in a circle"),
    ("garbage/t", "garbage/t:"),
    ("garbage/l", "garbage/l.lua:1:1"),
    ("garbage/o", "not valid UTF-8"),
    ("garbage/raw", "is not a modulefile"),
];

/// Every character that some shell might take for its own.
const VALUE: &str = "a\nb\"c'd $(touch PWNED) `touch PWNED` ; touch PWNED; !x \\ $HOME * {e} ~ #";

fn site() -> Site {
    let value = VALUE;
    let garbage: Vec<u8> = (0..4000_u32)
        .map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8)
        .collect();
    let with = |start: &[u8]| [start, garbage.as_slice()].concat();
    let long = "x".repeat(10 << 20);
    let site = Site::new()
        .file("syntax/t", "setenv SEEN x\nsetenv A {b\n")
        .file(
            "syntax/l.lua",
            "setenv('SEEN', 'x')\nsetenv('A', 'b' 'c')\n",
        )
        .file("syntax/o.toml", "[setenv]\nSEEN = = 1\n")
        .file("unknown/t", "setenv SEEN x\nsetenvv A b\n")
        .file("unknown/l.lua", "setenv('SEEN', 'x')\nsetenvv('A', 'b')\n")
        .file("unknown/o.toml", "setenv.SEEN = 'x'\nsetenvv.A = 'b'\n")
        .file("directory/1.0.lua/file", "")
        .file("directory/2.0.toml/file", "")
        .file("recursion/t", "setenv SEEN x\nproc f {} {f}\nf\n")
        .file(
            "recursion/l.lua",
            "setenv('SEEN', 'x')\nlocal function f() return 1 + f() end\nf()\n",
        )
        .file("circle/t", "setenv SEEN x\nmodule load circle/t2\n")
        .file("circle/t2", "module load circle/t\n")
        .file("circle/l.lua", "setenv('SEEN', 'x')\nload('circle/l2')\n")
        .file("circle/l2.lua", "load('circle/l')\n")
        .file("circle/o.toml", "load = 'circle/o2'\n")
        .file("circle/o2.toml", "load = 'circle/o'\n")
        .raw("mf/garbage/t", &with(b"#%Module\n"))
        .raw("mf/garbage/l.lua", &with(b"\xff"))
        .raw("mf/garbage/o.toml", &with(b"\xff"))
        .raw("mf/garbage/raw", &garbage)
        .file("long/t", &format!("# {long}\nsetenv LONG t\n"))
        .file("long/l.lua", &format!("-- {long}\nsetenv('LONG', 'l')\n"))
        .file("long/o.toml", &format!("# {long}\nsetenv.LONG = 'o'\n"))
        .raw(
            "mf/value/t",
            format!("#%Module\nset v {{{value}}}\nsetenv V $v\nappend-path -d | P $v\n").as_bytes(),
        )
        .raw(
            "mf/value/l.lua",
            format!("local v = [==[{value}]==]\nsetenv('V', v)\nappend_path('P', v, '|')\n")
                .as_bytes(),
        );
    let quoted = serde_json::to_string(&value.replace("{e}", "{{e}}")).unwrap();
    let site = site.raw(
        "mf/value/o.toml",
        format!("setenv.V = {quoted}\n[append_path]\nP = {{ path = {quoted}, delim = '|' }}\n")
            .as_bytes(),
    );
    let gone = site.root().join("mf/gone");
    std::fs::create_dir_all(&gone).unwrap();
    std::os::unix::fs::symlink("nowhere.lua", gone.join("1.0.lua")).unwrap();
    site
}

/// Runs `script` in a shell in which `module` is defined.
fn in_shell(site: &Site, shell: &str, script: &str) -> String {
    let xmod = env!("CARGO_BIN_EXE_xmod");
    let options: &[&str] = match shell {
        "zsh" => &["-f"],
        _ => &["--noprofile", "--norc"],
    };
    let output = Command::new(shell)
        .args(options)
        .args(["-c", &format!("eval \"$({xmod} init {shell})\"\n{script}")])
        .env_clear()
        .envs(site.env())
        .current_dir(site.root())
        .output()
        .unwrap();
    assert!(!site.root().join("PWNED").exists(), "{shell} ran a value");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn broken_files_fail_with_a_message_and_change_nothing() {
    for shell in ["bash", "zsh"].into_iter().filter(|shell| require(shell)) {
        let site = site();
        for (module, said) in BROKEN {
            let script = format!(
                "module load {module} 2>said && echo TRUE\necho \"${{SEEN-unset}} ${{LOADEDMODULES-unset}} ${{__XMOD_STATE-unset}}\""
            );
            let answer = in_shell(&site, shell, &script);
            assert_eq!(answer, "unset unset unset\n", "{shell} {module}");
            let stderr = std::fs::read(site.root().join("said")).unwrap();
            let stderr = String::from_utf8_lossy(&stderr);
            assert!(stderr.contains("error: "), "{shell} {module}: {stderr}");
            assert!(stderr.contains(said), "{shell} {module}: {stderr}");
            assert!(!stderr.contains("panicked"), "{shell} {module}: {stderr}");
        }
    }
}

#[test]
fn ten_megabytes_are_read_and_any_value_arrives_as_it_is() {
    for shell in ["bash", "zsh"].into_iter().filter(|shell| require(shell)) {
        let site = site();
        for language in ["t", "l", "o"] {
            let script = format!("module load long/{language} && printf %s \"$LONG\"");
            assert_eq!(in_shell(&site, shell, &script), language, "{shell}");
            let script = format!(
                "module load value/{language} && printf '%s\\0%s' \"$V\" \"$P\"; module unload value/{language}; printf %s \"${{V-}}${{P-}}\""
            );
            let answer = in_shell(&site, shell, &script);
            assert_eq!(answer, format!("{VALUE}\0{VALUE}"), "{shell} {language}");
        }
    }
}

#[test]
fn a_file_without_permission_is_told_in_each_language() {
    let site = site()
        .file("secret/t", "setenv SEEN x\n")
        .file("secret/l.lua", "setenv('SEEN', 'x')\n")
        .file("secret/o.toml", "setenv.SEEN = 'x'\n");
    let mode = |path: &str, mode| {
        let path = site.root().join(path);
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    };
    // Root may read everything: somebody else asks then, with a copy of the program that he can reach.
    std::fs::copy(env!("CARGO_BIN_EXE_xmod"), site.root().join("xmod")).unwrap();
    mode("", 0o755);
    mode("xmod", 0o755);
    for file in ["t", "l.lua", "o.toml"] {
        mode(&format!("mf/secret/{file}"), 0o000);
    }
    let is_root = nix::unistd::geteuid().is_root();
    for module in ["secret/t", "secret/l", "secret/o"] {
        let program = site.root().join("xmod");
        let mut command = match is_root {
            true => {
                let mut command = Command::new("setpriv");
                command.args(["--reuid", "65534", "--regid", "65534", "--clear-groups"]);
                command.arg(program);
                command
            }
            false => Command::new(program),
        };
        let output = command
            .args(["bash", "load", module])
            .env_clear()
            .envs(site.env())
            .output()
            .unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success(), "{module}: {stderr}");
        assert!(
            stderr.contains("error: cannot read `"),
            "{module}: {stderr}"
        );
        assert!(stderr.contains("permission denied"), "{module}: {stderr}");
    }
}
