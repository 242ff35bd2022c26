//! What loads, unloads and hierarchies leave in the environment: the same requests go through Lmod, and the environments
//! must be equal after each of them.

use crate::support::{Dice, Env, Peer, Site, difference, number};

/// A site with a hierarchy, dependencies, families and paths that several modules share.
fn site() -> Site {
    let compiler = |name: &str| {
        format!(
            "family('compiler')\nsetenv('CC', '{name}')\nprepend_path('PATH', '/{name}/bin')\n\
             prepend_path('MODULEPATH', '$SITE/Compiler/{name}')\n"
        )
    };
    let mpi = |compiler: &str, name: &str| {
        format!(
            "family('mpi')\nprepend_path('PATH', '/{compiler}/{name}/bin')\nappend_path('MANPATH', '/{name}/man')\n\
             prepend_path('MODULEPATH', '$SITE/MPI/{compiler}/{name}')\n"
        )
    };
    let mut site = Site::new()
        .var("EDITOR", "vi")
        .var("MANPATH", ":")
        .file("gcc/11.lua", &compiler("gcc11"))
        .file("gcc/12.lua", &compiler("gcc12"))
        .file("intel/19.lua", &compiler("intel"))
        .file(
            "zlib/1.2.lua",
            "setenv('ZLIB', '1.2')\nprepend_path('LD_LIBRARY_PATH', '/zlib/1.2')\n",
        )
        .file(
            "zlib/1.3.lua",
            "setenv('ZLIB', '1.3')\nprepend_path('LD_LIBRARY_PATH', '/zlib/1.3')\n",
        )
        .file(
            "lib/1.lua",
            "depends_on('zlib')\nprepend_path('PATH', '/lib1:/shared')\n",
        )
        .file(
            "lib/2.lua",
            "depends_on('zlib/1.2')\nappend_path('PATH', '/shared')\n",
        )
        .file(
            "tool/1.lua",
            "pushenv('EDITOR', 'tool')\nprepend_path('PATH', '/tool:/shared')\n",
        )
        .file(
            "first/1.lua",
            "prepend_path{'PATH', '/first', priority = 50}\n",
        )
        .file(
            "bundle/1.lua",
            "load('lib', 'tool')\nsetenv('BUNDLE', '1')\n",
        )
        .file(
            "other/1.lua",
            "conflict('tool')\nprereq('zlib')\nremove_path('PATH', '/lib1')\n",
        )
        .file(
            "stays/1.lua",
            "add_property('lmod', 'sticky')\nprepend_path('PATH', '/stays')\n",
        )
        .file(
            "fails/1.lua",
            "load('zlib')\nsetenv('FAILS', '1')\nLmodError('no')\n",
        )
        .file("../extra/zlib/2.0.lua", "setenv('ZLIB', '2.0')\n");
    for (compiler, name) in [("gcc11", "mpich"), ("gcc12", "mpich"), ("intel", "openmpi")] {
        let file = format!("../Compiler/{compiler}/{name}/1.lua");
        site = site.file(&file, &mpi(compiler, name));
    }
    for compiler in ["gcc11", "gcc12"] {
        let text = format!("prepend_path('PATH', '/{compiler}/petsc/bin')\n");
        site = site.file(&format!("../MPI/{compiler}/mpich/petsc/3.lua"), &text);
    }
    site
}

/// What users and other programs see.
fn seen(env: &Env) -> Env {
    let own = [
        "__",
        "_ModuleTable",
        "LMOD_CMD",
        "LMOD_DIR",
        "LMOD_PKG",
        "LMOD_VERSION",
        "MODULESHOME",
        "HOME",
    ];
    env.iter()
        .filter(|(name, _)| !own.iter().any(|own| name.starts_with(own)))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect()
}

/// Runs the requests in both systems, each in its own session, and gives what differs first.
fn walk(site: &Site, requests: &[String]) -> Result<(), String> {
    let start = site.run("is-loaded").env().clone();
    let (mut ours, mut theirs) = (start.clone(), start);
    // Each has its own collections.
    let home = site.root().join("home/theirs");
    std::fs::create_dir_all(&home).unwrap();
    theirs.insert("HOME".into(), home.to_str().unwrap().into());
    let mut said = String::new();
    for request in requests {
        let request = request.replace("$SITE", site.root().to_str().unwrap());
        let run = site.run_in(&ours, &request);
        let peer = site.run_peer_in(Peer::Lmod, &theirs, &request);
        let loaded = |env: &Env| env.get("LOADEDMODULES").cloned().unwrap_or_default();
        said += &format!(
            "{request}\n    {} | {}\n",
            loaded(run.env()),
            loaded(peer.env())
        );
        ours = run.env().clone();
        theirs = peer.env().clone();
        let mut lines = difference(&seen(&ours), &seen(&theirs));
        if run.ok() != peer.ok() {
            lines.push(format!("status: {} instead of {}", run.ok(), peer.ok()));
        }
        if !lines.is_empty() {
            return Err(format!(
                "{said}{}\n--- ours\n{}--- theirs\n{}",
                lines.join("\n"),
                run.stderr(),
                peer.stderr()
            ));
        }
    }
    Ok(())
}

fn compare(requests: &[&str]) {
    let requests: Vec<String> = requests.iter().map(|r| (*r).to_owned()).collect();
    if let Err(report) = walk(&site(), &requests) {
        panic!("{report}");
    }
}

#[test]
fn versions_and_families_replace_each_other_as_in_lmod() {
    compare(&[
        "load gcc/11 zlib/1.2",
        "load zlib",
        "load intel",
        "load gcc/12",
        "swap gcc gcc/11",
        "unload gcc",
    ]);
}

#[test]
fn hierarchies_follow_the_compiler_as_in_lmod() {
    compare(&[
        "load gcc/11 mpich petsc",
        "load gcc/12",
        "load gcc/12",
        "load intel",
        "load openmpi",
        "unload intel",
        "load gcc/11",
        "purge",
    ]);
}

#[test]
fn dependencies_come_and_go_as_in_lmod() {
    compare(&[
        "load lib/1",
        "load lib/2",
        "unload lib",
        "load zlib lib/1",
        "unload lib",
        "load bundle",
        "unload bundle",
        "load lib/1 tool",
        "unload zlib",
    ]);
}

#[test]
fn shared_and_prioritised_entries_are_kept_in_order_as_in_lmod() {
    compare(&[
        "load first tool lib/1",
        "load lib/2",
        "unload tool",
        "load tool",
        "unload lib",
        "unload first",
    ]);
}

#[test]
fn refusals_change_nothing_as_in_lmod() {
    compare(&[
        "load other",
        "load fails",
        "load zlib nope",
        "load zlib tool",
        "load other",
        "unload tool",
        "load other",
        "swap nope gcc",
        "try-load nope gcc/11",
    ]);
}

#[test]
fn sticky_modules_stay_as_in_lmod() {
    compare(&[
        "load stays gcc/11",
        "purge",
        "unload stays",
        "--force unload stays",
        "load stays",
        "--force purge",
    ]);
}

#[test]
fn directories_that_come_and_go_move_modules_as_in_lmod() {
    compare(&[
        "load zlib lib/1",
        "use $SITE/extra",
        "unuse $SITE/extra",
        "use -a $SITE/extra",
        "load zlib/1.2",
        "update",
    ]);
}

#[test]
fn collections_come_back_as_in_lmod() {
    compare(&[
        "load gcc/11 mpich petsc tool",
        "save one",
        "load intel",
        "save two",
        "purge",
        "restore one",
        "purge",
        "restore two",
        "purge",
        "restore one",
        "update",
        "unload mpich",
        "restore nope",
    ]);
}

/// The walk: as many steps as the variables say, so that a long one can be made by hand.
#[test]
fn a_random_walk_agrees_with_lmod() {
    const WORDS: &[&str] = &[
        "gcc", "gcc/11", "gcc/12", "intel", "mpich", "openmpi", "petsc", "zlib", "zlib/1.2", "lib",
        "lib/1", "tool", "bundle", "other", "stays", "fails", "nope",
    ];
    let (first, walks) = (number("XMOD_SEED", 1), number("XMOD_WALKS", 4));
    let site = site();
    let mut failures = Vec::new();
    for seed in first..first + walks {
        let mut dice = Dice::new(seed);
        let mut requests: Vec<String> = Vec::new();
        for _ in 0..10 {
            let one = WORDS[dice.below(WORDS.len())];
            let two = WORDS[dice.below(WORDS.len())];
            let request = match dice.below(14) {
                0..=4 => format!("load {one}"),
                5 => format!("load {one} {two}"),
                6..=7 => format!("unload {one}"),
                8 => format!("swap {one} {two}"),
                9 => "use $SITE/extra".to_owned(),
                10 => "unuse $SITE/extra".to_owned(),
                // After an update Lmod takes dependencies for the user's own.
                11 if requests
                    .iter()
                    .all(|r| !r.contains("lib") && !r.contains("bundle")) =>
                {
                    "update".to_owned()
                }
                12 => "purge".to_owned(),
                // An empty collection is another matter: Lmod takes its restore for a failure.
                _ if dice.below(2) == 0 || !requests.iter().any(|r| r.contains("save")) => {
                    requests.push(format!("load {}", ["tool", "zlib", "lib/1"][dice.below(3)]));
                    "save w".to_owned()
                }
                // Version 8.6 leaves behind what modules set that are loaded when a collection is restored.
                _ => {
                    requests.push("--force purge".to_owned());
                    "restore w".to_owned()
                }
            };
            requests.push(request);
        }
        if let Err(report) = walk(&site, &requests) {
            failures.push(format!("seed {seed}:\n{report}"));
        }
    }
    assert!(
        failures.is_empty(),
        "{} of {walks} walks differ\n{}",
        failures.len(),
        failures.join("\n\n")
    );
}

#[test]
fn a_modulepath_edited_by_the_user_counts_from_the_next_change_on_as_in_lmod() {
    let site = site();
    let edited = format!("{0}/Compiler/gcc12:{0}/mf", site.root().display());
    let start = site.run("load gcc/11 mpich");
    let theirs = site.run_peer(Peer::Lmod, "load gcc/11 mpich");
    let mut envs = [start.env().clone(), theirs.env().clone()];
    for env in &mut envs {
        env.insert("MODULEPATH".into(), edited.clone());
    }
    for request in ["load tool", "swap gcc gcc/12", "purge"] {
        let run = site.run_in(&envs[0], request);
        let peer = site.run_peer_in(Peer::Lmod, &envs[1], request);
        let mut lines = difference(&seen(run.env()), &seen(peer.env()));
        // Lmod finds the module of the new compiler before the compiler itself is loaded: another order.
        let order = ["LOADEDMODULES", "_LMFILES_", "MODULEPATH", "PATH"];
        lines.retain(|line| order.iter().all(|name| !line.starts_with(name)));
        assert!(lines.is_empty(), "after {request}:\n{}", lines.join("\n"));
        envs = [run.env().clone(), peer.env().clone()];
        if request.starts_with("swap") {
            for env in &envs {
                assert!(
                    env["_LMFILES_"].contains("/Compiler/gcc12/mpich/1.lua"),
                    "{}",
                    env["_LMFILES_"]
                );
            }
        }
    }
}

#[test]
fn a_session_that_another_system_went_on_with_is_taken_over_again() {
    let site = site();
    // Our own state is there, with what can be undone; then Lmod loads.
    let run = site.run("load tool");
    let run = site.run_in(run.env(), "purge");
    assert!(run.env().contains_key("__XMOD_STATE"));
    let run = site.run_peer_in(Peer::Lmod, run.env(), "load lib/1 gcc");
    let run = site.run_in(run.env(), "save x");
    assert!(run.ok(), "{}", run.stderr());
    assert!(!run.env().contains_key("_ModuleTable_Sz_"));
    // `zlib` came as a dependency, `gcc` follows its default.
    let run = site.run_in(run.env(), "unload lib");
    assert_eq!(run.loaded(), ["gcc/12"]);
    let run = site.run_in(run.env(), "--terse describe x");
    assert!(run.stderr().contains("\ngcc\n"), "{}", run.stderr());
}

#[test]
fn lists_that_disagree_are_put_right_with_one_warning() {
    let site = site().loaded(["lib/1", "gcc/11"]);
    let mut env = site.env().clone();
    env.insert(
        "_LMFILES_".into(),
        site.root().join("mf/gcc/11.lua").to_str().unwrap().into(),
    );
    let run = site.run_in(&env, "load tool");
    assert!(run.ok());
    insta::assert_snapshot!(run.stderr(), @"
    warning: `LOADEDMODULES` names 3 modules and `_LMFILES_` 1 files
      = note: it is rebuilt from `LOADEDMODULES` and `_LMFILES_`; `module purge` and loading again makes it whole
    ");
    let run = site.run_in(run.env(), "list");
    assert!(!run.stderr().contains("warning"), "{}", run.stderr());
    let run = site.run_in(run.env(), "purge");
    let left = difference(&seen(run.env()), &seen(site.run("purge").env()));
    assert!(left.is_empty(), "{}", left.join("\n"));
}

#[test]
fn a_variable_that_would_stop_all_programs_is_refused() {
    let site = Site::new().file(
        "big/1.lua",
        "for i = 1, 9000 do prepend_path('BIGPATH', '/some/dir/' .. i) end\n",
    );
    let run = site.run("load big");
    assert!(!run.ok() && run.unchanged());
    insta::assert_snapshot!(run.stderr(), @"
    error: `BIGPATH` would be 130 KiB long: no program could be started
     |
     = note: the kernel takes at most 128 KiB in one variable; nothing was changed
     = help: `module why BIGPATH` tells which modules it is made of: unload some of them
    ");
}

#[test]
fn an_empty_modulepath_is_named_where_a_module_is_not_found() {
    let site = Site::new().var("MODULEPATH", "");
    let run = site.run("load gcc");
    insta::assert_snapshot!(run.stderr(), @"
    error: The following module(s) are unknown: `gcc`
     |
     = note: `MODULEPATH` is empty: there is no directory to look in
     = help: module use DIRECTORY
    ");
}

#[test]
fn reset_leads_where_the_settings_say() {
    let site = Site::new()
        .var("XMOD_POLICY", "modules")
        .file("a/1", "setenv A 1\n")
        .file("b/1", "setenv B 1\n")
        .loaded(["a"]);
    let run = site.run("save mine");
    assert!(run.ok(), "{}", run.stderr());
    let run = site.run("reset");
    assert!(run.ok(), "{}", run.stderr());
    assert_eq!(run.loaded(), [""; 0]);
    let site = site.loaded(["b"]).var("MODULES_RESET_TARGET_STATE", "mine");
    assert_eq!(site.run("reset").loaded(), ["a/1"]);
    let site = site.var("MODULES_RESET_TARGET_STATE", "__purge__");
    assert_eq!(site.run("reset").loaded(), [""; 0]);
}

#[test]
fn a_modulefile_swaps_with_one_word_as_both_systems_do() {
    let site = Site::new()
        .file("one/1.0", "setenv ONE old\n")
        .file("one/1.1", "setenv ONE new\n")
        .file("test/1.0", "module swap one/1.1\n");
    for peer in [Peer::Lmod, Peer::Modules] {
        let before = site.run_peer(peer, "load one/1.0");
        let theirs = site.run_peer_in(peer, before.env(), "load test/1.0");
        let before = site.run("load one/1.0");
        let ours = site.run_in(before.env(), "load test/1.0");
        assert_eq!(ours.loaded(), ["one/1.1", "test/1.0"], "{}", ours.stderr());
        assert_eq!(theirs.loaded(), ours.loaded(), "{}", theirs.stderr());
        assert_eq!(ours.var("ONE"), theirs.var("ONE"));
        let after = site.run_in(ours.env(), "unload test");
        assert!(after.loaded().is_empty() && after.var("ONE").is_none());
    }
}

#[test]
fn quiet_says_nothing_but_keeps_the_reason_for_programs() {
    let site = Site::new()
        .file(
            "loud/1.lua",
            "io.stderr:write('straight\\n')\nLmodMessage('polite')\n",
        )
        .var("LMOD_QUIET", "1");
    let run = site.run("load nope");
    assert!(!run.ok() && run.stderr().is_empty(), "{}", run.stderr());
    let reason = run.var("__LMOD_LAST_ERROR").unwrap();
    assert!(
        reason.contains("The following module(s) are unknown: `nope`"),
        "{reason}"
    );
    // What a file writes straight to standard error is said all the same, as by Lmod.
    let run = site.run("load loud");
    assert_eq!(run.stderr(), "straight\n");
    assert_eq!(
        run.stderr(),
        site.run_peer(Peer::Lmod, "load loud").stderr()
    );
}

#[test]
fn terse_listings_name_symbolic_versions_as_lmods_do() {
    let site = Site::new().file("java/1.8.0", "").file(
        "java/.modulerc",
        "#%Module\nmodule-version java/1.8.0 1.8\n",
    );
    let ours = site.run("-t avail").stderr();
    assert!(ours.contains("java/1.8(@java/1.8.0)\n"), "{ours}");
    assert_eq!(ours, site.run_peer(Peer::Lmod, "-t avail").stderr());
}
