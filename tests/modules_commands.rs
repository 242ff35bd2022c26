//! Sub-commands that Environment Modules has and Lmod has not: they change the session or the user's files.

use crate::support::{Peer, Site};

fn site() -> Site {
    Site::new()
        .var("XMOD_POLICY", "modules")
        .file("gcc/12", "prepend-path PATH /gcc/bin\nsetenv CC gcc\n")
        .file("gcc/13", "setenv CC {gcc 13}\n")
        .file("mpi/4", "setenv MPI 4\n")
}

#[test]
fn a_sourced_modulefile_is_not_loaded() {
    let site = site().raw("extra", b"#%Module\nsetenv EXTRA 1\nmodule load mpi\n");
    let run = site.run("source gcc/12 ./extra");
    assert!(run.ok(), "{}", run.stderr());
    assert_eq!(run.var("CC").as_deref(), Some("gcc"));
    assert_eq!(run.var("EXTRA").as_deref(), Some("1"));
    assert_eq!(run.loaded(), ["mpi/4"]);
    assert!(!site.run("source ./nosuch").ok());
}

#[test]
fn caches_and_catalogs_read_modulepath_as_requests_do() {
    let site = site().var("MODULEPATH", "$HOME/../mf:./more");
    let site = site.raw("more/extra/1", b"#%Module\n");
    assert!(site.run("load mpi extra").ok());
    for words in [
        &["cache", "build"][..],
        &["catalog", "export", "--format", "json"],
    ] {
        let output = site.xmod(words);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{words:?}: {said}");
    }
    let status = site.xmod(&["cache", "status"]).stdout;
    let status = String::from_utf8(status).unwrap();
    for dir in ["mf", "more"] {
        let dir = site.root().join(dir);
        assert!(status.contains(&format!("{}: ", dir.display())), "{status}");
    }
    assert!(!status.contains("out of date"), "{status}");
}

#[test]
fn rc_files_of_the_user_are_modulefiles() {
    let rc = b"#%Module\nsetenv FROM_RC 1\nmodule use $env(HOME)/own\nmodule-alias mine own/1\nmodule load mpi\n";
    let site = site()
        .raw("home/.modulerc", rc)
        .raw("home/own/own/1", b"#%Module\n");
    let run = site.run("load mine");
    assert!(run.ok(), "{}", run.stderr());
    assert_eq!(run.var("FROM_RC").as_deref(), Some("1"));
    assert_eq!(run.loaded(), ["mpi/4", "own/1"]);
    let again = site.after(&run);
    assert!(again.run("list").unchanged());
    let broken = again.raw(
        "home/.modulerc",
        b"#%Module\nsetenv BROKEN 1\nnosuchcommand\n",
    );
    let run = broken.run("load gcc/12");
    assert!(
        !run.ok() && run.stderr().contains("nosuchcommand"),
        "{}",
        run.stderr()
    );
    assert_eq!(run.var("CC").as_deref(), Some("gcc"));
    assert_eq!(run.var("BROKEN"), None);
    let without = broken.var("MODULES_IGNORE_USER_RC", "1");
    assert!(without.run("list").ok());
}

#[test]
fn rc_files_only_name_modules_where_the_setting_says_so() {
    let site = Site::new()
        .file("foo/1", "")
        .raw("home/.modulerc", b"#%Module\nsetenv FROM_RC 1\n");
    assert_eq!(site.run("load foo").var("FROM_RC"), None);
    let site = site.var("XMOD_RC_FILES_ARE_MODULEFILES", "yes");
    assert_eq!(site.run("load foo").var("FROM_RC").as_deref(), Some("1"));
}

#[test]
fn path_variables_are_edited_as_in_environment_modules() {
    let site = site().var("P", "/a:/b");
    for request in [
        "prepend-path P /x /y",
        "append-path P /x /y",
        "append-path P /a",
        "prepend-path --delim=; Q 1;2",
        "remove-path P /a",
        "remove-path P /a:/b",
        "prepend-path P",
        "append-path",
    ] {
        let (ours, theirs) = (site.run(request), site.run_peer(Peer::Modules, request));
        for name in ["P", "Q"] {
            assert_eq!(ours.var(name), theirs.var(name), "{name} after {request}");
        }
        assert_eq!(ours.ok(), theirs.ok(), "{request}");
    }
}

#[test]
fn directories_of_modules_may_be_named_by_variables_and_untidily() {
    let site = site()
        .file("here/1", "setenv HERE $ModulesCurrentModulefile")
        .file(
            "uses/1",
            "module use ../x ../y/../z/\nsetenv USED [is-used ../x]",
        );
    let at = site.root().to_str().unwrap_or_default().to_owned();
    let mods = site.env()["MODULEPATH"].to_string();
    let name = mods
        .trim_start_matches(&at)
        .trim_start_matches('/')
        .to_owned();
    // What MODULEPATH holds, and what is asked for then.
    for (modulepath, request) in [
        (
            mods.clone(),
            format!("use {at}/no/../{name}/ {at}//other ~/own"),
        ),
        (mods.clone(), "use /a/ /a".to_owned()),
        (mods.clone(), "use $HOME/x".to_owned()),
        (mods.clone(), format!("unuse {at}/no/../{name}")),
        (mods.clone(), format!("is-used {at}/no/../{name}/")),
        (mods.clone(), "is-used /nowhere".to_owned()),
        (mods.clone(), "load uses".to_owned()),
        (format!("$ROOT/{name}"), "load here".to_owned()),
        (format!("${{ROOT}}/$NONE/{name}"), "load here".to_owned()),
        (format!("{at}/no/../{name}/"), "load here".to_owned()),
        (format!("/nowhere:{name}/."), "load here".to_owned()),
    ] {
        let mut env = site.env().clone();
        env.insert("MODULEPATH".into(), modulepath.clone());
        env.insert("ROOT".into(), at.clone());
        let ours = site.run_in(&env, &request);
        let theirs = site.run_peer_in(Peer::Modules, &env, &request);
        for name in ["MODULEPATH", "HERE", "_LMFILES_", "LOADEDMODULES", "USED"] {
            let is = format!("{name} after {request} in {modulepath}");
            assert_eq!(ours.var(name), theirs.var(name), "{is}");
        }
        assert_eq!(ours.ok(), theirs.ok(), "{request}");
    }
}

#[test]
fn a_file_is_shown_as_it_is_evaluated() {
    let site = site()
        .file(
            "talks/1",
            "proc ModulesHelp {} {\n module-whatis {in the help}\n puts stderr {never said}\n}\n\
             module-whatis {talks}\nputs stderr {before A}\nsetenv A 1\nputs stderr {before P}\n\
             append-path --delim , P x",
        )
        .file(
            "ends/1",
            "puts stderr {why it ends}\nsetenv A 1\nerror oops",
        );
    let run = site.run("show talks");
    insta::assert_snapshot!(run.stderr(), @"
    -------------------------------------------------------------------
    $SITE/mf/talks/1:

    module-whatis	talks
    before A
    setenv		A 1
    before P
    append-path	--delim , P x
    -------------------------------------------------------------------
    ");
    let run = site.run("show ends");
    assert!(run.stderr().contains("why it ends\n"), "{}", run.stderr());
}

#[test]
fn what_went_well_is_told_under_one_policy_only() {
    let site = site().loaded(["gcc/12"]);
    for request in ["save mine", "restore mine", "unload nothing", "reset"] {
        let run = site.run(request);
        assert!(
            run.ok() && run.stderr().is_empty(),
            "{request}: {}",
            run.stderr()
        );
    }
    let run = site.run("-vv unload nothing");
    assert!(run.stderr().contains("was not loaded"), "{}", run.stderr());
    let site = site.var("XMOD_POLICY", "lmod");
    assert!(
        site.run("save mine")
            .stderr()
            .contains("Saved current collection")
    );
    assert!(
        site.run("unload nothing")
            .stderr()
            .contains("was not loaded")
    );
}

/// Environment Modules prints values without quotes for `~`, so that the shell puts the directory there.
#[test]
fn a_tilde_is_the_home_directory_as_in_environment_modules() {
    let site = site().file(
        "own/1",
        "setenv WORK ~/work\npushenv BACK ~\nsetenv PLAIN a~/b\nprepend-path P ~/bin ~/lib\nsetenv OTHER ~user/x\n",
    );
    let (ours, theirs) = (
        site.run("load own"),
        site.run_peer(Peer::Modules, "load own"),
    );
    for name in ["WORK", "BACK", "PLAIN", "P"] {
        assert!(ours.var(name).is_some(), "{}", ours.stderr());
        assert_eq!(ours.var(name), theirs.var(name), "{name}");
    }
    let gone = site.run_in(ours.env(), "unload own");
    assert_eq!(gone.var("P"), None);
    let site = site.var("XMOD_EXPAND_TILDE", "no");
    assert_eq!(site.run("load own").var("WORK").as_deref(), Some("~/work"));
}

#[test]
fn modules_become_code_and_scripts_become_modulefiles() {
    let site = site().raw(
        "set.sh",
        b"export NEW='a b'\nexport PATH=/from/script:$PATH\n",
    );
    let run = site.run("mod-to-sh fish gcc/12 mpi");
    assert!(run.ok() && run.unchanged(), "{}", run.stderr());
    let code = run.stderr();
    assert!(
        code.contains("CC") && code.contains("MPI") && !code.contains("LOADEDMODULES"),
        "{code}"
    );
    assert!(!site.run("mod-to-sh nosuch gcc").ok());
    let run = site.run("sh-to-mod bash ./set.sh");
    assert!(run.ok() && run.unchanged(), "{}", run.stderr());
    let text = run.stderr();
    assert!(text.starts_with("#%Module\n"), "{text}");
    assert!(
        text.contains("NEW {a b}") && text.contains("PATH /from/script"),
        "{text}"
    );
}

#[test]
fn start_up_files_are_edited_in_place() {
    let site = site().raw("home/.bashrc", b"alias x=y\n\nmodule load gcc # mine\n");
    assert!(
        site.run("initlist")
            .stderr()
            .contains("$HOME/.bashrc loads modules:\n\tgcc\n")
    );
    assert!(site.run("initadd mpi").ok());
    assert!(site.run("initswitch gcc gcc/13").ok());
    let text = std::fs::read_to_string(site.root().join("home/.bashrc")).unwrap();
    assert_eq!(text, "alias x=y\n\nmodule load gcc/13 mpi # mine\n");
    assert!(site.run("initrm gcc/13 ").ok());
    assert!(site.run("initclear").ok());
    let text = std::fs::read_to_string(site.root().join("home/.bashrc")).unwrap();
    assert_eq!(text, "alias x=y\n\nmodule load\n");
    let none = Site::new().run("initadd gcc");
    assert!(
        !none.ok() && none.stderr().contains("no `module load` command"),
        "{}",
        none.stderr()
    );
}

#[test]
fn loaded_modules_are_put_aside_and_come_back() {
    let site = site().loaded(["gcc/12", "mpi"]);
    let run = site.run("stash");
    assert!(run.ok() && run.loaded().is_empty(), "{}", run.stderr());
    let site = site.after(&run);
    assert!(site.run("stashlist").stderr().contains(" 0) stash-"));
    assert!(!site.run("savelist").stderr().contains("stash-"));
    assert!(site.run("stashshow").stderr().contains("gcc"));
    assert!(!site.run("stashpop 7").ok());
    let run = site.run("stashpop");
    assert_eq!(run.loaded(), ["gcc/12", "mpi/4"], "{}", run.stderr());
    assert!(
        site.run("stashlist")
            .stderr()
            .contains("No stash collection")
    );
    assert!(site.run("stashclear").ok());
}

#[test]
fn an_editor_gets_the_file_and_cannot_give_code_to_the_shell() {
    let site = site()
        .raw("ed.sh", b"echo export EVIL=1; echo $1 >edited\n")
        .var("MODULES_EDITOR", "sh ed.sh");
    let run = site.run("edit gcc/12");
    assert!(run.ok(), "{}", run.stderr());
    assert_eq!(run.var("EVIL"), None);
    let edited = std::fs::read_to_string(site.root().join("edited")).unwrap();
    assert!(edited.trim().ends_with("mf/gcc/12"), "{edited}");
    assert!(!site.run("edit nosuch").ok());
}

#[test]
fn loaded_modules_are_forgotten_only_on_a_yes() {
    let site = site().loaded(["gcc/12"]);
    let kept = site.run("clear");
    assert_eq!(kept.loaded(), ["gcc/12"]);
    let run = site.run("clear -f");
    assert!(run.ok() && run.loaded().is_empty(), "{}", run.stderr());
    assert_eq!(run.var("CC").as_deref(), Some("gcc"));
}

#[test]
fn rules_in_a_modulefile_hold_until_the_end_of_the_request() {
    let site = site()
        .file(
            "rules/1",
            "module-forbid --message {ask first} mpi/4\nmodule-alias own gcc/12\nmodule load own\n",
        )
        .file(
            "self/1",
            "setenv A 1\nmodule-forbid --message {not today} self/1\n",
        )
        .file("told/1", "module-warn --message {mind the gap} told\n")
        .file("marked/1", "module-tag sticky marked/1\n");
    let run = site.run("load rules mpi");
    assert_eq!(run.loaded(), ["gcc/12", "rules/1"], "{}", run.stderr());
    assert!(
        !run.ok() && run.stderr().contains("ask first"),
        "{}",
        run.stderr()
    );
    assert!(site.run("load mpi").ok());
    let run = site.run("load self");
    assert!(
        !run.ok() && run.stderr().contains("not today"),
        "{}",
        run.stderr()
    );
    assert_eq!((run.loaded().len(), run.var("A")), (0, None));
    let run = site.run("load told");
    assert!(
        run.ok() && run.stderr().contains("mind the gap"),
        "{}",
        run.stderr()
    );
    let marked = site.run("load marked");
    let run = site.after(&marked).run("purge");
    assert_eq!(run.loaded(), ["marked/1"], "{}", run.stderr());
}

#[test]
fn a_variant_that_a_module_does_not_have_is_refused() {
    let site = site().file(
        "v/1",
        "variant --boolean --default off mpi\nsetenv MPI [getvariant mpi]\n",
    );
    assert!(site.run("load v +mpi").ok());
    for (words, mpi) in [
        ("v", "0"),
        ("v +mpi", "1"),
        ("v mpi=on", "1"),
        ("v -mpi", "0"),
        ("v~mpi", "0"),
    ] {
        assert_eq!(
            site.run(&format!("load {words}")).var("MPI").as_deref(),
            Some(mpi),
            "{words}"
        );
    }
    let run = site.run("load v +cuda");
    assert!(
        !run.ok() && run.stderr().contains("has no variant `cuda`"),
        "{}",
        run.stderr()
    );
    assert!(run.stderr().contains("it has `mpi`"), "{}", run.stderr());
    assert!(!site.run("load gcc/12 +mpi").ok());
}

#[test]
fn automatic_symbols_stand_for_what_is_loaded() {
    for (module, request, yes) in [
        ("s/2", "is-loaded s/latest", true),
        ("s/2", "is-loaded s@latest", true),
        ("s/2", "is-loaded s/default", true),
        ("s/1", "is-loaded s/latest", false),
        ("s/1", "is-loaded s@latest", false),
        ("s/1", "load late", true),
        ("s/2", "load late", false),
    ] {
        let loaded = Site::new()
            .var("XMOD_POLICY", "modules")
            .file("s/1", "")
            .file("s/2", "")
            .file("late/1", "conflict s@latest\n")
            .loaded([module]);
        assert_eq!(loaded.run(request).ok(), yes, "{module}: {request}");
        // The list does not show what nobody has defined.
        assert!(!loaded.run("list").stderr().contains("latest"));
    }
}

#[test]
fn modules_are_tagged_by_requests_and_collections_keep_those_tags() {
    let site = || {
        let rc = "#%Module\nmodule-tag sticky gcc/12\nmodule-tag hot mpi/4\n";
        site().file(".modulerc", rc)
    };
    let commands = [
        "load --tag=mine:own gcc/12",
        "load --tag mine mpi",
        "save work",
    ];
    for pinned in ["0", "1"] {
        let site = site().var("MODULES_COLLECTION_PIN_TAG", pinned);
        let file = site.root().join("home/.module/work");
        let collection = |peer: Option<Peer>| {
            let mut env = site.env().clone();
            for words in commands {
                let run = match peer {
                    Some(peer) => site.run_peer_in(peer, &env, words),
                    None => site.run_in(&env, words),
                };
                assert!(run.ok(), "{words}: {}", run.stderr());
                env = run.env().clone();
            }
            let text = std::fs::read_to_string(&file).unwrap();
            std::fs::remove_file(&file).unwrap();
            // The order of tags means nothing.
            text.lines()
                .map(|line| {
                    let mut words: Vec<String> = line.split(' ').map(str::to_owned).collect();
                    for word in &mut words {
                        if let Some(tags) = word.strip_prefix("--tag=") {
                            let mut tags: Vec<&str> = tags.split(':').collect();
                            tags.sort_unstable();
                            *word = format!("--tag={}", tags.join(":"));
                        }
                    }
                    words.join(" ")
                })
                .collect::<Vec<_>>()
        };
        assert_eq!(
            collection(None),
            collection(Some(Peer::Modules)),
            "pinned {pinned}"
        );
    }
    let site = site();
    let run = site.run("load --tag=mine mpi");
    let listed = site.run_in(run.env(), "list").stderr();
    assert!(
        listed.contains("hot") && listed.contains("mine"),
        "{listed}"
    );
    let run = site.run("avail --tag=x");
    assert!(
        !run.ok() && run.stderr().contains("`--tag` does not go with `avail`"),
        "{}",
        run.stderr()
    );
}

#[test]
fn unknown_options_end_a_request_under_one_policy_and_are_passed_over_under_the_other() {
    let site = site();
    for words in ["--zzz list", "load --zzz gcc/12", "avail --zzz"] {
        let run = site.run(words);
        assert!(
            !run.ok() && run.unchanged() && run.stderr().contains("`--zzz`"),
            "{}",
            run.stderr()
        );
        assert!(!site.run_peer(Peer::Modules, words).ok(), "{words}");
    }
    // Colours are for people: words that nobody knows are passed over.
    for words in ["--color list", "--color=always list", "list --color=mauve"] {
        assert!(
            site.run(words).ok() && site.run_peer(Peer::Modules, words).ok(),
            "{words}"
        );
    }
    for (words, coloured) in [
        ("load nosuch --color=always", true),
        ("load nosuch --color=never", false),
    ] {
        let said = site.run(words).stderr();
        assert_eq!(said.contains("\x1b["), coloured, "{said}");
    }
    let site = site.var("XMOD_POLICY", "lmod");
    assert!(site.run("--zzz load gcc/12").ok());
}

#[test]
fn rc_files_have_no_say_beside_names() {
    let rc = "#%Module\nputs stderr {news of today}\nmodule-alias it mpi/4\n";
    let site = site().file(".modulerc", rc);
    let run = site.run("load it");
    assert!(
        run.ok() && !run.stderr().contains("news"),
        "{}",
        run.stderr()
    );
    assert_eq!(run.loaded(), ["mpi/4"]);
    assert!(
        site.run_peer(Peer::Modules, "load it")
            .stderr()
            .contains("news")
    );
}
