//! The example site in `modulefiles/`: what its README promises holds, and the twins give the same environment.

use crate::support::{Env, Peer, Site, difference, in_repo, same_but_state};

/// A user of the example site.
fn user() -> Site {
    let dir = in_repo("modulefiles");
    let dir = dir.to_str().unwrap();
    Site::new().var("MODULEPATH", &format!("{dir}/Core:{dir}/Deep"))
}

/// A user of the twins in one language, with something for each of their commands to work on.
fn twin(language: &str) -> Site {
    let dir = in_repo("modulefiles/twins").join(language).join("Core");
    Site::new()
        .var("MODULEPATH", dir.to_str().unwrap())
        .var("PATH", "/opt/twins/old/bin:/usr/bin:/bin")
        .var("MANPATH", "/usr/share/man")
        .var("EDITOR", "vi")
        .var("APP_STALE", "yes")
}

/// An environment in which the language of the twins does not show.
fn without_language(env: &Env, language: &str) -> Env {
    env.iter()
        .map(|(name, value)| {
            let value = value
                .replace(&format!("/twins/{language}/"), "/twins/LANGUAGE/")
                .replace(".toml", "")
                .replace(".lua", "");
            (name.clone(), value)
        })
        .filter(|(name, _)| name != "HOME" && name != "PWD")
        // One TOML file describes what the others have in two.
        .filter(|(name, _)| name != "_LMFILES_")
        .collect()
}

const REQUESTS: &[&str] = &[
    "load app",
    "load compiler/13 leaf app",
    "load compiler/13 leaf compiler/14",
];

#[test]
fn twins_in_three_languages_give_the_same_environment() {
    for request in REQUESTS {
        let mut results = Vec::new();
        for language in ["toml", "lua", "tcl"] {
            let site = twin(language);
            let run = site.run(request);
            assert!(run.ok(), "{language}: {request}: {}", run.stderr());
            let env = without_language(run.env(), language);
            // The functions and aliases stand in the code only.
            let code: Vec<String> = run
                .stdout()
                .lines()
                .filter(|line| line.contains("appls") || line.contains("appcd"))
                .map(str::to_owned)
                .collect();
            assert_eq!(code.is_empty(), !request.contains("app"), "{language}");
            results.push((language, env, code));
        }
        let (_, toml_env, toml_code) = &results[0];
        for (language, env, code) in &results[1..] {
            let differences = same_but_state(toml_env, env);
            assert!(
                differences.is_empty(),
                "{request}: toml and {language} differ: {differences:#?}"
            );
            assert_eq!(toml_code, code, "{request}: toml and {language}");
        }
    }
}

#[test]
fn twins_unload_to_where_they_started() {
    for language in ["toml", "lua", "tcl"] {
        // `remove-path` is not taken back by any module system, nor is `unsetenv`.
        let site = twin(language).var("PATH", "/usr/bin:/bin");
        let site = Site::var(site, "APP_STALE", "");
        let before = site.env().clone();
        let site = site.loaded(["compiler/13", "leaf", "app"]);
        let run = site.run("purge");
        assert!(run.ok(), "{language}: {}", run.stderr());
        let mut differences = same_but_state(&before, run.env());
        differences.retain(|line| !line.contains("APP_STALE"));
        assert!(differences.is_empty(), "{language}: {differences:#?}");
    }
}

#[test]
fn twins_refuse_their_rival() {
    for language in ["toml", "lua", "tcl"] {
        let site = twin(language).loaded(["app"]);
        let run = site.run("load rival");
        assert!(!run.ok() && run.unchanged(), "{language}: {}", run.stderr());
        assert!(
            run.stderr().contains("rival"),
            "{language}: {}",
            run.stderr()
        );
    }
}

#[test]
fn peers_give_their_twins_the_same_environment() {
    for (peer, language) in [(Peer::Lmod, "lua"), (Peer::Modules, "tcl")] {
        for request in REQUESTS {
            // Environment Modules refuses a second compiler; Lmod takes it for the first.
            if peer == Peer::Modules && request.contains("compiler/14") {
                continue;
            }
            let mut site = twin(language);
            if peer == Peer::Modules {
                site = site.var("XMOD_POLICY", "modules");
            }
            let ours = site.run(request);
            let theirs = site.run_peer(peer, request);
            assert!(ours.ok(), "{request}: {}", ours.stderr());
            let differences = same_but_state(theirs.env(), ours.env());
            assert!(differences.is_empty(), "{request}: {differences:#?}");
        }
    }
}

#[test]
fn the_tour_of_the_readme_leads_through_the_hierarchy() {
    let site = user();
    assert!(!site.run("load openmpi").ok(), "no compiler, no MPI");
    let run = site.run("load gcc openmpi gromacs");
    assert_eq!(
        run.loaded(),
        [
            "gcc/13.2.0",
            "openmpi/5.0.3",
            "fftw/3.3.10",
            "gromacs/2024.2"
        ]
    );
    let run = user().after(&run).run("swap gcc llvm/18.1.8");
    assert!(run.ok(), "{}", run.stderr());
    let mut loaded = run.loaded();
    loaded.sort();
    assert_eq!(
        loaded,
        [
            "fftw/3.3.10",
            "gromacs/2024.2",
            "llvm/18.1.8",
            "openmpi/5.0.3"
        ]
    );
    assert_eq!(
        run.var("FFTW_HOME").as_deref(),
        Some("/opt/site/llvm/18.1.8/fftw/3.3.10")
    );
}

#[test]
fn defaults_are_as_marked_in_each_language() {
    for (name, full_name) in [
        ("hello", "hello/2.0"),
        ("gcc", "gcc/13.2.0"),
        ("llvm", "llvm/17.0.6"),
        ("cmake", "cmake/3.27.9"),
        ("python", "python/3.12.4"),
        ("python/stable", "python/3.12.4"),
        ("matlab", "matlab/2014a"),
        ("genomes", "genomes/02-2018"),
    ] {
        let run = user().run(&format!("load {name}"));
        assert_eq!(run.loaded(), [full_name], "{}", run.stderr());
    }
}

#[test]
fn names_of_many_levels_and_versions_of_all_kinds_load() {
    for name in [
        "acml/gcc/64/5.3.1",
        "acml/open64/64/5.3.1",
        "fftw2/openmpi/gcc/64/double/2.1.5",
        "fftw2/openmpi/gcc/64/float/2.1.5",
        "fftw2/openmpi/open64/64/double/2.1.5",
        "R/3.1.2.gccmkl",
        "matlab/2013b_mdcs",
        "genomes/10-2016",
        "tophat/2.4.2a",
        "site",
    ] {
        let before = user().env().clone();
        let run = user().run(&format!("load {name}"));
        assert_eq!(run.loaded(), [name], "{}", run.stderr());
        assert!(!difference(&before, run.env()).is_empty(), "{name}");
    }
}

#[test]
fn deprecated_warns_forbidden_refuses_hidden_loads_by_its_full_name() {
    let run = user().run("load gcc/12.3.0");
    assert_eq!(run.loaded(), ["gcc/12.3.0"]);
    assert!(
        run.stderr().contains("goes away on 1 July"),
        "{}",
        run.stderr()
    );
    let site = user();
    let run = site.run("load cuda/11.8.0");
    assert!(!run.ok() && run.unchanged(), "{}", run.stderr());
    assert!(run.stderr().contains("use cuda/12.4.1"), "{}", run.stderr());
    let run = user().run("load python/3.13.0rc1");
    assert_eq!(run.loaded(), ["python/3.13.0rc1"]);
}

#[test]
fn sticky_stays_a_conflict_refuses_and_a_meta_module_brings_and_takes() {
    let site = user().loaded(["site", "python"]);
    let run = site.run("load anaconda");
    assert!(!run.ok() && run.unchanged(), "{}", run.stderr());
    let run = site.run("purge");
    assert_eq!(run.loaded(), ["site"]);
    let site = user().loaded(["foss"]);
    let run = site.run("unload foss");
    assert!(run.ok(), "{}", run.stderr());
    assert!(run.loaded().is_empty(), "{:?}", run.loaded());
}

#[test]
fn a_file_that_hides_its_versions_by_a_mistake_says_so() {
    let site = Site::new().file("gcc.toml", "versions = ['12', '13'\nsetenv.A = '1'\n");
    for request in ["load gcc", "load gcc/13"] {
        let run = site.run(request);
        assert!(!run.ok() && run.unchanged(), "{request}");
        let said = run.stderr();
        assert_eq!(
            said.matches("mf/gcc.toml:2:").count(),
            1,
            "{request}: {said}"
        );
    }
}
