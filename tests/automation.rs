//! What requirements bring about under the policy `modules`: the same requests go through Environment Modules, and the
//! environments must be equal after each of them.

use crate::support::{Dice, Env, Peer, Site, difference, number, public};

/// Modules that need, want, exclude and replace each other; two versions of some.
fn site() -> Site {
    Site::new()
        .var("XMOD_POLICY", "modules")
        .var("E", "user")
        .file("a/1", "setenv A 1\nprepend-path P /a1")
        .file("a/2", "setenv A 2\nprepend-path P /a2:/shared")
        .file("b/1", "module load a\nsetenv B 1\nappend-path P /b:/shared")
        .file("c/1", "conflict a\nprepend-path P /c")
        .file("d/1", "depends-on b\nprepend-path P /d")
        .file("e/1", "prereq a/1 c\nprepend-path P /e")
        .file("f/1", "family fam\nprepend-path P /f1")
        .file("f/2", "family fam\nprepend-path P /f2")
        .file("g/1", "family fam\nprepend-path P /g\nmodule load x")
        .file("o/1", "prereq --optional a/1\nprepend-path P /o\nif {[is-loaded a/1]} {setenv O with} else {setenv O without}")
        .file("q/1", "prereq a b\nsetenv Q 1")
        .file("q/2", "prereq-all a b\nsetenv Q2 2")
        .file("s/1", "module-tag sticky s/1\nprepend-path P /s")
        .file("t/1", "module try-load x nosuch\nprepend-path P /t")
        .file("u/1", "module unload x\nprepend-path P /u")
        .file("v/1", "module switch a/1 a/2\nprepend-path P /v")
        .file("w/1", "prereq a\nprepend-path P /w")
        .file("x/1", "setenv X 1\nprepend-path P /x")
        .file("y/1", "module load-any nosuch x a\nprepend-path P /y")
        .file("bad/1", "module load x\nsetenv BAD 1\nerror oops")
        .file("stop/1", "module load a\nbreak")
        .file("keeps/1", "prepend-path P /keeps\nif {[module-info mode unload]} {break}")
        .file("z/1", "module load d w\nprepend-path P /z")
}

/// Runs the requests in both systems, each in its own session, and gives what differs first.
fn compare(site: &Site, requests: &[String]) -> Result<(), String> {
    let start = site.env().clone();
    let (mut ours, mut theirs) = (start.clone(), start);
    let mut said = String::new();
    for request in requests {
        let run = site.run_in(&ours, request);
        let peer = site.run_peer_in(Peer::Modules, &theirs, request);
        said += &format!(
            "{request}\n    ours {}: {}\n    theirs {}: {}\n",
            run.ok(),
            run.var("LOADEDMODULES").unwrap_or_default(),
            peer.ok(),
            peer.var("LOADEDMODULES").unwrap_or_default()
        );
        ours = run.env().clone();
        theirs = peer.env().clone();
        // Version 5.2 loads dependents again inside the load that lets them, later ones behind it; and tells of those
        // that cannot be loaded again by the status.
        let again = peer.stderr().contains("Reloading dependent");
        if again
            && sorted(&ours) == sorted(&theirs)
            && ours["LOADEDMODULES"] != theirs["LOADEDMODULES"]
        {
            return Ok(());
        }
        let lost = peer.stderr().contains("Reload of dependent") || peer.stderr().trim().is_empty();
        let mut lines = difference(&seen(&ours), &seen(&theirs));
        if run.ok() != peer.ok() && !lost {
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

/// What can be seen, without the order of lists.
fn sorted(env: &Env) -> Env {
    let sort = |value: &String| {
        let mut words: Vec<&str> = value.split(':').collect();
        words.sort_unstable();
        words.join(":")
    };
    seen(env)
        .iter()
        .map(|(name, value)| (name.clone(), sort(value)))
        .collect()
}

/// What users and other programs see; families too.
fn seen(env: &Env) -> Env {
    let mut seen = public(env);
    let families = env.iter().filter(|(name, _)| name.contains("_FAMILY_"));
    seen.extend(families.map(|(name, value)| (name.clone(), value.clone())));
    // Environment Modules 5.2 does not set the versions.
    seen.retain(|name, _| !name.ends_with("_VERSION"));
    seen
}

fn agree(requests: &[&str]) {
    let requests: Vec<String> = requests.iter().map(|r| (*r).to_owned()).collect();
    if let Err(report) = compare(&site(), &requests) {
        panic!("{report}");
    }
}

#[test]
fn what_is_unloaded_takes_along_what_needs_it_and_what_came_for_that() {
    agree(&[
        "load w", "unload a", "load d", "unload d", "load d", "unload a", "load z", "unload b",
    ]);
    agree(&["load d a", "unload d", "load a", "load d", "unload d"]);
    agree(&["load z", "load q/2", "unload z", "unload a"]);
}

#[test]
fn a_requirement_that_another_module_meets_lets_its_module_load_again() {
    agree(&[
        "load a/1 a/2 w",
        "unload a/2",
        "load a/1 w a/2",
        "unload a/1",
        "unload a/2",
    ]);
    agree(&["load e", "load q/1 b", "unload b", "unload a/1"]);
    agree(&["load o", "load a/1", "unload a/1", "load o a/2", "unload o"]);
}

#[test]
fn each_module_of_a_request_stands_for_itself() {
    agree(&[
        "load a bad nosuch x",
        "load stop w",
        "unload a nosuch x",
        "purge",
    ]);
    agree(&["load keeps a", "unload keeps a", "load w", "purge"]);
    agree(&["load s a", "unload s", "purge", "--force unload s"]);
}

#[test]
fn conflicts_hold_both_ways_and_force_goes_past_them() {
    agree(&[
        "load c a w x",
        "load --force a",
        "unload a",
        "load f/1",
        "load f/2",
        "load g",
        "unload f",
        "load g",
    ]);
    agree(&[
        "load a", "load c", "load x u", "load x", "unload u", "load x",
    ]);
}

#[test]
fn a_switch_reloads_what_needs_the_module_and_is_not_taken_back() {
    agree(&[
        "load w",
        "switch a a/1",
        "switch a nosuch",
        "switch nosuch x",
    ]);
    agree(&[
        "load d w",
        "switch a/2 a/1",
        "switch b x",
        "switch s/1 x",
        "load s",
        "switch s x",
    ]);
}

#[test]
fn what_both_modules_of_a_switch_require_comes_anew() {
    let env = |name: &str, parts: &str| {
        format!("conflict gnu cray\nprepend-path P /{name}\n{parts}\nsetenv ENV {name}")
    };
    let part = |name: &str| format!("conflict {name}\nprepend-path P /{name}");
    let site = site()
        .file("gnu/1", &env("gnu", "module load gcc wrap"))
        .file("cray/1", &env("cray", "module load cce wrap"))
        .file("gcc/1", &part("gcc"))
        .file("cce/1", &part("cce"))
        .file("wrap/1", &part("wrap"));
    for requests in [
        &["load gnu", "load x", "switch gnu cray", "unload cray"][..],
        &["load wrap gnu", "switch gnu cray", "switch cray nosuch"],
    ] {
        let requests: Vec<String> = requests.iter().map(|r| (*r).to_owned()).collect();
        compare(&site, &requests).unwrap_or_else(|problem| panic!("{problem}"));
    }
    let run = site.run("load gnu");
    let run = site.run_in(run.env(), "switch gnu cray");
    insta::assert_snapshot!(run.stderr(), @"
    Switching from gnu/1 to cray/1
      Unloading useless requirement: wrap/1 gcc/1
      Loading requirement: cce/1 wrap/1
    ");
}

#[test]
fn reload_and_no_auto_follow() {
    agree(&[
        "load d w s",
        "reload",
        "load --no-auto q/1",
        "unload --no-auto a",
        "unload a",
    ]);
    agree(&["load --no-auto w", "load --no-auto b", "unload --no-auto b"]);
    agree(&[
        "load t", "unload x", "reload", "unload x", "load x", "reload",
    ]);
}

/// The walk: as many steps as the variable says, so that a long one can be made by hand.
#[test]
fn a_random_walk_agrees_with_environment_modules() {
    let (first, walks) = (number("XMOD_SEED", 1), number("XMOD_WALKS", 4));
    let site = site();
    let mut failures = Vec::new();
    for seed in first..first + walks {
        let mut dice = Dice::new(seed);
        let requests: Vec<String> = (0..10).map(|_| dice.request()).collect();
        if let Err(report) = compare(&site, &requests) {
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

trait Requests {
    fn word(&mut self) -> &'static str;
    fn request(&mut self) -> String;
}

impl Requests for Dice {
    fn word(&mut self) -> &'static str {
        const WORDS: &[&str] = &[
            "a", "a/1", "a/2", "b", "c", "d", "e", "f/1", "f/2", "g", "o", "q/1", "q/2", "t", "u",
            "v", "w", "x", "y", "z", "bad", "stop", "nosuch", "s",
        ];
        WORDS[self.below(WORDS.len())]
    }

    fn request(&mut self) -> String {
        match self.below(12) {
            0..=4 => format!("load {}", self.word()),
            5 => format!("load {} {}", self.word(), self.word()),
            6..=8 => format!("unload {}", self.word()),
            9 => format!("switch {} {}", self.word(), self.word()),
            10 => "purge".to_owned(),
            _ => "reload".to_owned(),
        }
    }
}

#[test]
fn what_happens_by_itself_is_told() {
    let site = site();
    let run = site.run("load d");
    insta::assert_snapshot!(run.stderr(), @"
    Loading d/1
      Loading requirement: a/2 b/1
    ");
    let run = site.run_in(run.env(), "load w");
    assert_eq!(run.stderr(), "");
    let run = site.run_in(run.env(), "unload d");
    insta::assert_snapshot!(run.stderr(), @"
    Unloading d/1
      Unloading useless requirement: b/1
    ");
    let run = site.run_in(run.env(), "switch a/2 a/1");
    assert!(
        run.stderr().starts_with(
            "Switching from a/2 to a/1\n  Unloading dependent: w/1\n  Reloading dependent: w/1\n"
        ),
        "{}",
        run.stderr()
    );
    let run = site.run_in(run.env(), "unload a");
    insta::assert_snapshot!(run.stderr(), @"
    Unloading a/1
      Unloading dependent: w/1
    ");
}

#[test]
fn what_cannot_be_met_may_be_caught_and_is_an_error_all_the_same() {
    let site = site()
        .file(
            "try/1",
            "if {[catch {module load x nosuch}]} {setenv CAUGHT load}\ncatch {prereq nosuch bad}\n\
             catch {depends-on bad}\nsetenv TRY 1",
        )
        .file(
            "else/1",
            "if {[catch {module load stop}]} {module load a/1}\nsetenv ELSE 1",
        )
        .file("half/1", "module load x\nsetenv HALF $nothing")
        .file(
            "never/1",
            "catch {module load half}\ncatch {conflict x}\nsetenv NEVER 1",
        )
        .file(
            "tells/1",
            "module-whatis {as far as it goes}\nsetenv X $nothing",
        );
    for requests in [
        &["load try", "unload try"][..],
        &["load else", "unload else"],
        &["load x", "load never", "unload x", "load never"],
    ] {
        let requests: Vec<String> = requests.iter().map(|r| (*r).to_owned()).collect();
        compare(&site, &requests).unwrap_or_else(|problem| panic!("{problem}"));
    }
    let run = site.run("load try");
    assert!(!run.ok() && run.env().contains_key("TRY"));
    for part in [
        "error: Unable to locate a modulefile for `nosuch`\n --> $SITE/mf/try/1:2",
        "error: oops\n --> $SITE/mf/bad/1:4",
    ] {
        assert!(run.stderr().contains(part), "{part}: {}", run.stderr());
    }
    // Whoever asks for the text of a broken file learns that it is broken.
    let run = site.run("whatis tells");
    assert!(
        !run.ok() && run.stderr().contains("can't read \"nothing\""),
        "{}",
        run.stderr()
    );
    // In Lmod the request fails.
    let run = site.var("XMOD_POLICY", "lmod").run("load try");
    assert!(!run.ok() && run.unchanged(), "{}", run.stderr());
}
