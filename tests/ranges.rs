//! Ranges of versions, wherever a module is named: on the command line, in modulefiles of three languages, in collections.

use crate::support::Site;

fn site() -> Site {
    Site::new()
        .file("foo/1.2.3", "")
        .file("foo/1.9.0", "")
        .file("foo/2.0.0", "")
        .file(
            "foo/.modulerc",
            "#%Module\nmodule-version foo/1.2.3 default\n",
        )
}

#[test]
fn a_range_in_a_modulefile_chooses_and_checks() {
    let site = site()
        .file("tcl/1", "depends-on foo@^1.5\n")
        .file("lua/1.lua", "depends_on('foo@^1.5')\n")
        .file("fun/1.lua", "depends_on(between('foo', '1.5', '<2'))\n")
        .file("toml/1.toml", "depends_on = ['foo@^1.5']\n")
        .file(
            "one/1.toml",
            "depends_on_any = ['nosuch@1:', 'foo@>=1.5,<2']\n",
        )
        .file("load/1", "module load foo@~1.9\n");
    for module in ["tcl", "lua", "fun", "toml", "one", "load"] {
        let run = site.run(&format!("load {module}"));
        assert!(run.ok(), "{module}: {}", run.stderr());
        assert_eq!(
            run.loaded(),
            ["foo/1.9.0".to_owned(), format!("{module}/1")],
            "{module}"
        );
    }
}

#[test]
fn a_range_in_a_condition_or_a_conflict_holds_for_what_is_loaded() {
    let site = site()
        .file("needs_tcl/1", "prereq foo@>=1.5\n")
        .file("needs_lua/1.lua", "prereq('foo@>=1.5')\n")
        .file("needs_toml/1.toml", "prereq_all = ['foo@>=1.5']\n")
        .file("not_tcl/1", "conflict foo@<1.5\n")
        .file("not_lua/1.lua", "conflict('foo@<1.5')\n")
        .file("not_toml/1.toml", "conflict = ['foo@<1.5']\n");
    let (old, new) = (site.run("load foo/1.2.3"), site.run("load foo/1.9.0"));
    for module in [
        "needs_tcl",
        "needs_lua",
        "needs_toml",
        "not_tcl",
        "not_lua",
        "not_toml",
    ] {
        let request = format!("load {module}");
        let run = site.run_in(old.env(), &request);
        assert!(!run.ok(), "{module} with foo/1.2.3");
        let run = site.run_in(new.env(), &request);
        assert!(run.ok(), "{module} with foo/1.9.0: {}", run.stderr());
    }
}

#[test]
fn a_range_is_understood_by_searches_questions_and_collections() {
    let site = site();
    assert_eq!(
        site.run("-t avail foo@^1.5").stderr(),
        "$SITE/mf:\nfoo/1.9.0\n"
    );
    assert_eq!(
        site.run("-t avail foo@1.2:1.9").stderr(),
        "$SITE/mf:\nfoo/1.2.3\nfoo/1.9.0\n"
    );
    assert!(site.run("is-avail foo@^2").ok() && !site.run("is-avail foo@^3").ok());
    let run = site.run("load foo@^1.5");
    assert_eq!(run.loaded(), ["foo/1.9.0"], "{}", run.stderr());
    let site = site.after(&run);
    assert!(site.run("is-loaded foo@^1.5").ok() && !site.run("is-loaded foo@^2").ok());
    assert!(site.run("save mine").ok());
    let purged = site.run("purge");
    assert_eq!(
        site.run_in(purged.env(), "restore mine").loaded(),
        ["foo/1.9.0"]
    );
    assert!(site.run("unload foo@^1.5").loaded().is_empty());
}

#[test]
fn the_highest_version_is_had_in_spite_of_a_mark() {
    let site = site();
    assert_eq!(site.run("load foo").loaded(), ["foo/1.2.3"]);
    assert_eq!(site.run("--latest load foo").loaded(), ["foo/2.0.0"]);
    assert_eq!(site.run("load foo@latest").loaded(), ["foo/2.0.0"]);
    assert_eq!(site.run("load foo@1:").loaded(), ["foo/1.2.3"]);
}

#[test]
fn the_first_loaded_of_several_is_unloaded_where_that_is_set() {
    let site = site()
        .var("XMOD_POLICY", "modules")
        .loaded(["foo/1.2.3", "foo/1.9.0"]);
    assert_eq!(site.run("unload foo").loaded(), ["foo/1.2.3"]);
    let site = site.var("MODULES_UNLOAD_MATCH_ORDER", "returnfirst");
    assert_eq!(site.run("unload foo").loaded(), ["foo/1.9.0"]);
}
