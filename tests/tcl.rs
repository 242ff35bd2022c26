//! Tcl modulefiles as their users meet them.

use insta::assert_snapshot;

use crate::support::{Peer, Site};

const APP: &str = r#"#%Module1.0
proc ModulesHelp {} { puts stderr "Needs a licence." }
proc ModulesTest {} { return [file isdirectory $::root] }
module-whatis "An application"
set root $SITE/sw/app
setenv APP_ROOT $root
prepend-path --delim , FLAGS a b
if {[module-info mode load]} { puts stderr "loading [module-info name] as [module-info specified]" }
set-alias app "$root/bin/app --now"
"#;

#[test]
fn a_file_is_loaded_and_unloaded() {
    let site = Site::new().file("app/1.0", APP);
    let run = site.run("load app");
    assert_eq!(run.env()["FLAGS"], "a,b");
    assert!(run.env()["APP_ROOT"].ends_with("/sw/app"));
    assert_snapshot!(run.stderr(), @"loading app/1.0 as app");
    let unloaded = site.after(&run).run("unload app");
    assert!(!unloaded.env().contains_key("APP_ROOT") && !unloaded.env().contains_key("FLAGS"));
}

#[test]
fn show_help_and_test_look_as_the_policy_says() {
    let site = Site::new().file("app/1.0", APP);
    assert_snapshot!(site.run("show app").stderr(), @r#"
    ------------------------------------------------------------------------------------------------
       $SITE/mf/app/1.0:
    ------------------------------------------------------------------------------------------------
    whatis("An application")
    setenv("APP_ROOT","$SITE/sw/app")
    prepend_path{"FLAGS","a,b",delim=","}
    set_alias("app","$SITE/sw/app/bin/app --now")
    "#);
    assert_snapshot!(site.run("help app").stderr(), @r#"

    -------------------------------- Module Specific Help for "app/1.0" --------------------------------
    Needs a licence.
    "#);
    let site = site.var("XMOD_POLICY", "modules");
    assert_snapshot!(site.run("show app").stderr(), @r#"
    -------------------------------------------------------------------
    $SITE/mf/app/1.0:

    module-whatis	{An application}
    setenv		APP_ROOT $SITE/sw/app
    prepend-path	--delim , FLAGS a b
    set-alias	app {$SITE/sw/app/bin/app --now}
    -------------------------------------------------------------------
    "#);
    assert_snapshot!(site.run("help app").stderr(), @r#"
    -------------------------------------------------------------------
    Module Specific Help for $SITE/mf/app/1.0:

    Needs a licence.
    -------------------------------------------------------------------
    "#);
    let failed = site.run("test app");
    assert!(!failed.ok());
    assert_snapshot!(failed.stderr(), @r#"
    error: the test of `app/1.0` failed
    -------------------------------------------------------------------
    Module Specific Test for $SITE/mf/app/1.0:

    Test result: FAIL
    -------------------------------------------------------------------
    "#);
    let site = site.raw("sw/app/here", b"");
    assert!(site.run("test app").stderr().contains("Test result: PASS"));
}

#[test]
fn a_mistake_in_a_required_file_says_who_wanted_it() {
    let site = Site::new()
        .file("top/1", "module load mid")
        .file("mid/1", "proc inner {} {\n  prepend-pth PATH /x\n}\ninner");
    let run = site.run("load top");
    assert!(!run.ok());
    assert_snapshot!(run.stderr(), @r#"
    error: unknown command `prepend-pth`
     --> $SITE/mf/mid/1:3:3
      |
    3 |   prepend-pth PATH /x
      |   ^^^^^^^^^^^^^^^^^^^ not a modulefile command
      |
      = note: in proc `inner`, called at $SITE/mf/mid/1:5
      = note: loading `mid/1`, wanted by `top/1`
      = help: did you mean `prepend-path`?
    "#);
}

#[test]
fn a_shell_script_is_taken_over_and_taken_back() {
    let site = Site::new()
        .raw("setup.sh", b"export SETUP_DIR=$1\nPATH=/setup/bin:$PATH\n")
        .file("setup/1", "source-sh sh $SITE/setup.sh /opt/setup");
    let before = site.run("list").env()["PATH"].clone();
    let run = site.run("load setup");
    assert_eq!(run.env()["SETUP_DIR"], "/opt/setup");
    assert_eq!(run.env()["PATH"], format!("/setup/bin:{before}"));
    // The script is not asked again.
    std::fs::remove_file(site.root().join("setup.sh")).unwrap();
    let unloaded = site.after(&run).run("unload setup");
    assert!(unloaded.ok(), "{}", unloaded.stderr());
    assert!(!unloaded.env().contains_key("SETUP_DIR"));
    assert_eq!(unloaded.env()["PATH"], before);
}

#[test]
fn functions_of_a_script_reach_child_shells_as_in_environment_modules() {
    let site = Site::new()
        .var("XMOD_POLICY", "modules")
        .raw("setup.sh", b"greet() { echo \"hi $1\"; }\n")
        .file("setup/1", "source-sh bash $SITE/setup.sh");
    let load = "load setup";
    for run in [site.run(load), site.run_peer(Peer::Modules, load)] {
        let exported = run.var("BASH_FUNC_greet%%");
        assert!(
            exported.is_some_and(|f| f.contains("hi $1")),
            "{}",
            run.stderr()
        );
    }
    let lmod = site.var("XMOD_POLICY", "lmod").run(load);
    assert_eq!(lmod.var("BASH_FUNC_greet%%"), None);
}

#[test]
fn a_module_that_tags_itself_sticky_stays() {
    let site = Site::new().file("base/1", "module-tag sticky base/1\nsetenv BASE 1");
    let site = site.loaded(["base/1"]);
    let run = site.run("purge");
    assert_eq!(run.env().get("BASE").map(String::as_str), Some("1"));
}

#[test]
fn earlier_values_come_back_whole() {
    let site = Site::new()
        .file("p/1", "pushenv LIST first\npushenv LIST second\nsetenv --set-if-undef MINE theirs\nsetenv --set-if-undef NEW theirs")
        .var("LIST", "/a:/b")
        .var("MINE", "mine");
    let run = site.run("load p");
    assert_eq!(run.env()["LIST"], "second");
    assert_eq!(run.env()["MINE"], "mine");
    assert_eq!(run.env()["NEW"], "theirs");
    let unloaded = site.after(&run).run("unload p");
    assert_eq!(unloaded.env()["LIST"], "/a:/b");
    assert_eq!(unloaded.env()["MINE"], "mine");
    assert!(!unloaded.env().contains_key("NEW"));
}

#[test]
fn an_rc_file_cannot_give_code_to_the_shell() {
    let site = Site::new().file("app/1.0", "setenv APP 1").raw(
        "mf/app/.modulerc",
        b"#%Module\nputs {INJECTED=1; export INJECTED}\nmodule-version app/1.0 lts\nexit\n",
    );
    let run = site.run("load app/lts");
    assert_eq!(run.env()["APP"], "1");
    assert!(!run.env().contains_key("INJECTED") && !run.stdout().contains("INJECTED"));
}
