//! `module lint`: mistakes of modulefiles and rc files are told with their places, on whatever branch they stand.

use crate::support::Site;

fn site() -> Site {
    Site::new()
        .file(
            "good/1",
            "if {[is-loaded gcc]} {\n  setenv A 1\n}\nproc f {} { return 1 }\nf\n",
        )
        .file(
            "good/2.lua",
            "local function f() return 'x' end\nif false then setenv('A', f()) end\n",
        )
        .file("good/3.toml", "setenv = { A = '1' }\n")
        .file(
            "tcl/1",
            "if {0} {\n  setnv A 1\n}\nprepend-path PATH\nstring\nputs [nosuch]\n",
        )
        .file("broken/1", "setenv A {1\n")
        .file("lua/1.lua", "if false then\n  setnv('A', '1')\nend\n")
        .file("syntax/1.lua", "setenv('A', '1'\n")
        .file("toml/1.toml", "setenv = { A = '1' }\nfamliy = 'x'\n")
        .file("rc/1", "")
        .file(
            "rc/.modulerc",
            "#%Module\nmodule-version rc/1 default\nsetenv A 1\n",
        )
}

#[test]
fn mistakes_are_told_with_their_places() {
    let site = site();
    for (words, places) in [
        (
            "tcl/1",
            &[
                "tcl/1:3:3",
                "unknown command `setnv`",
                "did you mean `setenv`?",
                "tcl/1:5:1",
                "at least 2",
                "tcl/1:6:1",
                "tcl/1:7:7",
            ][..],
        ),
        ("broken/1", &["broken/1:2:1", "missing close-brace"]),
        (
            "lua/1",
            &[
                "lua/1.lua:2:3",
                "unknown function `setnv`",
                "did you mean `setenv`?",
            ],
        ),
        ("syntax/1", &["syntax/1.lua"]),
        ("toml/1", &["toml/1.toml:2:1", "did you mean `family`?"]),
        (
            "./mf/rc/.modulerc",
            &["rc/.modulerc:3:1", "not a command of rc files"],
        ),
        ("./mf/lua", &["lua/1.lua:2:3"]),
        (
            "",
            &[
                "tcl/1:3:3",
                "lua/1.lua:2:3",
                "rc/.modulerc:3:1",
                "mistakes in",
            ],
        ),
    ] {
        let run = site.run(&format!("lint {words}"));
        assert!(!run.ok(), "{words}");
        for place in places {
            assert!(
                run.stderr().contains(place),
                "{words}: {place}\n{}",
                run.stderr()
            );
        }
        assert!(run.unchanged());
    }
}

#[test]
fn what_is_right_passes() {
    let run = site().run("lint good/1 good/2 good/3");
    assert!(run.ok(), "{}", run.stderr());
    assert!(!site().run("lint nosuch").ok());
}

#[test]
fn directories_are_looked_through_without_a_shell() {
    let site = site();
    let out = site.xmod(&["lint", "./mf"]);
    let text = String::from_utf8_lossy(&out.stderr).into_owned();
    assert!(
        !out.status.success() && text.contains("lua/1.lua:2:3"),
        "{text}"
    );
    assert!(out.stdout.is_empty());
    assert!(site.xmod(&["lint", "./mf/good"]).status.success());
}

/// Modulefiles that real programs wrote are without mistakes.
#[test]
fn generated_modulefiles_pass() {
    let Some(corpus) = crate::support::corpus() else {
        return;
    };
    let site = Site::new();
    let out = site.xmod(&["lint", corpus.to_str().unwrap()]);
    let text = String::from_utf8_lossy(&out.stderr).into_owned();
    let wrong: Vec<&str> = (text.lines())
        .filter(|line| line.contains("unknown command") || line.contains("unknown function"))
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}
