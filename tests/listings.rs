//! Listings in the style of Environment Modules, compared with its own text where the installed version knows the form.

use crate::support::{Peer, Run, Site};

/// Some of everything that a listing shows.
fn site() -> Site {
    Site::new()
        .var("XMOD_POLICY", "modules")
        .var("MODULES_ADVANCED_VERSION_SPEC", "1")
        .var("MODULEPATH", "$SITE/mf/one:$SITE/mf/two")
        .var("COLUMNS", "80")
        .var("LMOD_TERM_WIDTH", "80")
        .file(
            "one/.modulerc",
            "#%Module\nmodule-alias cc gcc/11.4\nmodule-tag sticky site/base\nmodule-forbid old/0.9\n\
             module-version deep/a stable\n",
        )
        .file("one/gcc/.modulerc", "#%Module\nmodule-version gcc/12.3 default lts\n")
        .file("one/gcc/9.5", "module-whatis {GNU compilers 9.5}\n")
        .file("one/gcc/11.4", "module-whatis {GNU compilers 11.4}\n")
        .file("one/gcc/12.3", "module-whatis {GNU compilers 12.3}\n")
        .file("one/hdf5/1.14", "module-whatis {HDF5 library}\nmodule-whatis two words\n")
        .file("one/deep/a/1", "")
        .file("one/deep/b/2", "")
        .file("one/old/0.9", "")
        .file("one/site/base", "")
        .file("one/top", "")
        .file("two/gcc/14", "")
        .file("two/x/1.10", "")
        .file("two/x/.hid", "")
}

/// Lines without the blanks at their ends, of which there are more or fewer by version.
fn lines(run: &Run) -> String {
    let text = run.stderr();
    let lines = text.lines().map(|line| format!("{}\n", line.trim_end()));
    lines.collect()
}

#[test]
fn listings_are_those_of_environment_modules() {
    let site = site();
    let requests = [
        "avail",
        "avail -t",
        "avail -l",
        "avail gc",
        "avail -C 1.1",
        "avail GCC/1",
        "avail --no-indepth",
        "avail --no-indepth deep/",
        "avail -d",
        "avail -L",
        "avail -a x",
        "avail nosuch",
        "aliases",
        "whatis",
        "whatis gcc hdf5",
        "whatis gcc/9.5",
        "whatis cc",
        "search gnu",
        "search two|nothing",
        "search nothing",
        "list",
        "list -t",
        "list nosuch",
    ];
    for request in requests {
        let ours = lines(&site.run(request));
        let theirs = lines(&site.run_peer(Peer::Modules, request));
        assert_eq!(ours, theirs, "module {request}");
    }
}

#[test]
fn loaded_modules_are_listed_as_in_environment_modules() {
    let site = site().loaded(["gcc/9.5", "hdf5", "site/base"]);
    for request in ["list", "list -t", "list -l", "list gc", "list base"] {
        let ours = lines(&site.run(request));
        let theirs = lines(&site.run_peer(Peer::Modules, request));
        // The installed version shows tags only for modules that it loaded itself.
        assert_eq!(
            without_tags(&ours),
            without_tags(&theirs),
            "module {request}"
        );
    }
    let avail = lines(&site.run("avail -t gcc hdf5 site"));
    assert!(
        avail.contains("gcc/9.5 <L>\n") && avail.contains("site/base <L:S>\n"),
        "{avail}"
    );
}

fn without_tags(text: &str) -> String {
    let short: String = text.replace(" <S>", "");
    let end = short.find("\nKey:").unwrap_or(short.len());
    let lines = short[..end]
        .lines()
        .map(|line| format!("{}\n", line.trim_end()));
    lines.collect()
}

#[test]
fn json_of_a_listing_is_one_object_for_each_modulepath() {
    let run = site().run("avail -j gcc deep cc");
    let value: serde_json::Value = serde_json::from_str(&run.stderr()).unwrap();
    let one = &value["$SITE/mf/one"];
    assert_eq!(
        one["gcc/12.3"]["symbols"],
        serde_json::json!(["default", "lts"])
    );
    assert_eq!(one["gcc/12.3"]["pathname"], "$SITE/mf/one/gcc/12.3");
    assert_eq!(one["deep/a"]["type"], "directory");
    assert_eq!(one["cc"]["target"], "gcc/11.4");
    assert!(value["$SITE/mf/two"]["gcc/14"].is_object());
    let list = site().loaded(["hdf5"]).run("list -j");
    let value: serde_json::Value = serde_json::from_str(&list.stderr()).unwrap();
    assert_eq!(value["hdf5/1.14"]["type"], "modulefile");
    let whatis = site().run("whatis -j hdf5");
    let value: serde_json::Value = serde_json::from_str(&whatis.stderr()).unwrap();
    let lines = &value["$SITE/mf/one"]["hdf5/1.14"]["whatis"];
    assert_eq!(*lines, serde_json::json!(["HDF5 library", "two words"]));
}

#[test]
fn questions_are_answered_by_status_or_text() {
    let site = site().loaded(["gcc/9.5", "hdf5"]);
    for (request, yes) in [
        ("is-loaded nosuch gcc", true),
        ("is-loaded nosuch", false),
        ("is-loaded", true),
        ("is-avail nosuch gcc", true),
        ("is-avail nosuch", false),
        ("is-used", true),
        ("is-used mf/one", true),
        ("is-used mf/three", false),
        ("is-saved", false),
    ] {
        assert_eq!(site.run(request).ok(), yes, "module {request}");
    }
    assert!(site.run("info-loaded gcc").stdout().contains("'gcc/9.5'"));
    let paths = site.run("paths gcc").stdout();
    assert!(
        paths.contains("$SITE/mf/one/gcc/9.5") && paths.contains("$SITE/mf/two/gcc/14"),
        "{paths}"
    );
}

#[test]
fn options_are_shown_set_and_reset() {
    let site = site();
    let shown = site.run("config icase");
    assert!(
        shown
            .stderr()
            .contains("icase                     search\n"),
        "{}",
        shown.stderr()
    );
    let set = site.run("config icase always");
    assert_eq!(set.var("MODULES_ICASE").as_deref(), Some("always"));
    let site = site.after(&set);
    assert!(site.run("is-avail GCC/9.5").ok());
    let shown = site.run("config icase");
    assert!(
        shown.stderr().contains("always (env-var)"),
        "{}",
        shown.stderr()
    );
    assert_eq!(site.run("config --reset icase").var("MODULES_ICASE"), None);
    for wrong in ["config nosuch", "config icase bogus", "state nosuch"] {
        assert!(!site.run(wrong).ok(), "{wrong}");
    }
    assert!(
        site.run("state shell")
            .stderr()
            .contains("shell                     bash\n")
    );
}

#[test]
fn the_sites_messages_follow_a_load() {
    let site = Site::new()
        .raw(
            "admin.list",
            b"foo/1%.%d: Soon gone.\n  Take foo/2.\n\n/two/: From the second tree.\n",
        )
        .var("LMOD_ADMIN_FILE", "$SITE/admin.list")
        .file("foo/1.5", "")
        .file("foo/2.0", "")
        .file("two/bar", "");
    let run = site.run("load foo/1.5 two/bar");
    assert!(run.ok());
    let text = run.stderr();
    assert!(
        text.contains("foo/1.5:\n   Soon gone.\n   Take foo/2.\n"),
        "{text}"
    );
    assert!(
        text.contains("two/bar:\n   From the second tree.\n"),
        "{text}"
    );
    assert!(!site.run("load foo/2.0").stderr().contains("messages"));
    assert!(!site.run("-q load foo/1.5").stderr().contains("Soon"));
}

#[test]
fn hidden_modules_stay_out_of_the_list_or_are_marked() {
    let site = Site::new()
        .file(
            ".modulerc",
            "#%Module\nmodule-hide --hidden-loaded lib/1\nmodule-hide aux/1\n",
        )
        .file("lib/1", "")
        .file("aux/1", "")
        .file("foo/1", "")
        .loaded(["lib/1", "aux/1", "foo/1"]);
    let list = site.run("list").stderr();
    assert!(!list.contains("lib/1") && list.contains("foo/1"), "{list}");
    assert!(list.contains("aux/1 (H)"), "{list}");
    assert!(site.run("--all list").stderr().contains("lib/1"));
    assert_eq!(
        site.run("-t list").stderr(),
        "lib/1 <H>\naux/1 <H>\nfoo/1\n"
    );
}

#[test]
fn patterns_behind_r_are_those_of_lua() {
    let site = Site::new()
        .file("foo/1.0-dev", "")
        .file("foo/2", "")
        .file("gcc-libs/1", "");
    let listed = |words: &str| site.run(words).stderr();
    assert!(listed("-t -r avail %-dev$").contains("foo/1.0-dev"));
    assert!(!listed("-t -r avail %-dev$").contains("foo/2"));
    assert!(!site.run("-r avail %").ok());
    let regex = site.var("XMOD_PATTERN_LANGUAGE", "regex");
    assert!(
        regex
            .run("-t -r avail [-]dev$")
            .stderr()
            .contains("foo/1.0-dev")
    );
}

/// Modules that say something in each of the three languages.
fn telling() -> Site {
    Site::new()
        .var("XMOD_POLICY", "modules")
        .var("COLUMNS", "80")
        .var("LMOD_TERM_WIDTH", "80")
        .file(".modulerc", "#%Module\nmodule-tag lib zlib/1\nmodule-forbid secret/1\nmodule-alias z zlib/1\n")
        .file("gcc/12", "setenv CC gcc\nprepend-path PATH /gcc\nset-alias g gcc\nfamily compiler\nmodule use {$SITE/mf2}\n")
        .file("icc/1.lua", "setenv('CC', 'icc')\nfamily('compiler')\nif false then setenv('X', '1') end\n")
        .file("mpi/4", "prereq gcc/12\nconflict lam\nprovide mpi-any\nvariant --boolean cuda\nvariant size small large\n")
        .file("hdf5/1.toml", "depends_on = ['mpi']\nsetenv.HDF5 = '/h'\n")
        .file("zlib/1", "complete bash z body\nmodule load gcc\nmodule switch old new\n")
        .file("secret/1", "setenv CC none\n")
        .file("broken/1", "setenv CC\n")
        .raw("mf2/deep/1", b"#%Module\nsetenv DEEP 1\n")
}

/// The names of a terse listing, without the titles.
fn names(run: &Run) -> String {
    let text = run.stderr();
    let lines = text.lines().filter(|line| !line.ends_with(':'));
    lines.collect::<Vec<_>>().join(" ")
}

#[test]
fn modules_are_found_by_what_their_files_say() {
    let site = telling();
    for (words, found) in [
        ("setenv:CC", "gcc/12 icc/1"),
        ("setenv:CC,HDF5", "gcc/12 hdf5/1 icc/1"),
        ("setenv:CC not:set-alias:g", "icc/1"),
        ("gcc setenv:CC", "gcc/12"),
        ("envvar:PATH", "gcc/12"),
        ("family:compiler", "gcc/12 icc/1"),
        ("provided-alias:mpi-any", "mpi/4"),
        ("require:gcc", "mpi/4 zlib/1 <lib>"),
        ("prereq:gcc", "mpi/4"),
        ("require:gcc@11:13", "mpi/4"),
        ("require:mpi", "hdf5/1"),
        ("incompat:lam", "mpi/4"),
        ("switch-off:old", "zlib/1 <lib>"),
        ("switch-on:new switch:old", "zlib/1 <lib>"),
        ("complete:z", "zlib/1 <lib>"),
        ("use:$SITE/mf2", "gcc/12"),
        ("tag:lib", "zlib/1 <lib>"),
        ("variant:cuda", "mpi/4{cuda=on,off:size=small,large}"),
        ("mpi +cuda", "mpi/4{cuda=on,off:size=small,large}"),
        ("mpi size=large,huge", "mpi/4{cuda=on,off:size=small,large}"),
        ("mpi size=huge", ""),
        ("hdf5 +cuda", ""),
    ] {
        let words = words.replace("$SITE", site.root().to_str().unwrap());
        let run = site.run(&format!("avail -t {words}"));
        assert_eq!(names(&run), found, "avail {words}");
    }
    let whatis = site.run("paths setenv:HDF5").stdout();
    assert!(whatis.contains("hdf5/1.toml"), "{whatis}");
    let wrong = site.run("avail sentenv:CC");
    assert!(!wrong.ok() && wrong.stderr().contains("invalid extra specifier"));
}

#[test]
fn a_listing_shows_the_elements_that_are_asked_for() {
    let site = telling();
    for (words, found) in [
        (
            "avail -t -o variant mpi",
            "mpi/4{cuda=on,off:size=small,large}",
        ),
        (
            "avail -t -o +variant mpi",
            "mpi/4{cuda=on,off:size=small,large}",
        ),
        ("avail -t -o -alias z", "zlib/1 <lib>"),
        ("avail -t z", "z(@) zlib/1 <lib>"),
        ("avail -t -o -tag:alias z", "zlib/1"),
        ("avail -t -o provided-alias mpi", "mpi-any(@) mpi/4"),
    ] {
        assert_eq!(names(&site.run(words)), found, "{words}");
    }
    assert!(!site.run("avail -o key z").stderr().contains("----"));
    let spider = site.run("spider deep").stderr();
    assert!(spider.contains("$SITE/mf2 (via gcc/12) "), "{spider}");
    let json = site.run("spider -j deep").stderr();
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(
        json["$SITE/mf2"]["deep/1"]["via"],
        serde_json::json!(["gcc/12"])
    );
}

#[test]
fn collections_and_modulepaths_are_listed_as_in_environment_modules() {
    let site = site();
    for request in ["use", "savelist", "savelist -j"] {
        let (ours, theirs) = (site.run(request), site.run_peer(Peer::Modules, request));
        assert_eq!(lines(&ours), lines(&theirs), "module {request}");
    }
    let site = site.loaded(["gcc/9.5", "x"]);
    for name in ["work", "default", "word"] {
        assert!(site.run(&format!("save {name}")).ok());
    }
    for request in [
        "savelist",
        "savelist -t",
        "savelist -l",
        "savelist -j",
        "savelist wor",
        "savelist WORK",
        "savelist nosuch",
        "savelist -C ef",
        "saveshow work",
        "saveshow",
    ] {
        let (ours, theirs) = (site.run(request), site.run_peer(Peer::Modules, request));
        assert_eq!(lines(&ours), lines(&theirs), "module {request}");
    }
}
