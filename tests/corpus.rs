//! Every modulefile that EasyBuild wrote for real software: loaded here and in Lmod, with the same environment as the
//! result; unload and purge give back the environment at the start.
//!
//! The Lua files form a hierarchy: one walks in through the compilers and MPIs. The Tcl files are one flat tree with
//! closures of up to 159 modules.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::support::{Env, Peer, Site, corpus, same_but_state};

/// A modulepath with the modules that open it.
struct Level {
    modulepath: PathBuf,
    parents: &'static [&'static str],
}

/// The full names of all modulefiles below a modulepath.
fn modules_below(modulepath: &Path) -> Vec<String> {
    let mut names = Vec::new();
    let mut dirs = vec![modulepath.to_owned()];
    while let Some(dir) = dirs.pop() {
        for entry in std::fs::read_dir(&dir).unwrap() {
            let path = entry.unwrap().path();
            let base = path.file_name().unwrap().to_str().unwrap();
            if base.starts_with('.') {
                continue;
            }
            if path.is_dir() {
                dirs.push(path);
            } else {
                let name = path.strip_prefix(modulepath).unwrap().to_str().unwrap();
                names.push(name.strip_suffix(".lua").unwrap_or(name).to_owned());
            }
        }
    }
    names.sort();
    names
}

/// Loads the module, compares with Lmod, unloads and purges. Says what is wrong.
fn check(site: &Site, base: &(Env, Env), name: &str) -> Option<String> {
    let (ours, theirs) = base;
    let load = format!("load {name}");
    let here = site.run_in(ours, &load);
    let there = site.run_peer_in(Peer::Lmod, theirs, &load);
    if here.ok() != there.ok() {
        return Some(format!(
            "{name}: ok is {} here, {} in Lmod\n{}",
            here.ok(),
            there.ok(),
            here.stderr()
        ));
    }
    let mut wrong = same_but_state(here.env(), there.env());
    if here.ok() {
        let purge = site.run_in(here.env(), "purge");
        let purged = site.run_in(ours, "purge");
        wrong.extend(
            same_but_state(purge.env(), purged.env())
                .into_iter()
                .map(|line| format!("after purge: {line}")),
        );
        let unload = site.run_in(here.env(), &format!("unload {name}"));
        let already = ours
            .get("LOADEDMODULES")
            .is_some_and(|l| l.split(':').any(|m| m == name));
        if !already {
            wrong.extend(
                same_but_state(unload.env(), ours)
                    .into_iter()
                    .map(|line| format!("after unload: {line}")),
            );
        }
    }
    (!wrong.is_empty()).then(|| format!("{name}:\n  {}", wrong.join("\n  ")))
}

/// Checks all modules of a level on two threads.
fn check_level(site: &Site, level: &Level) -> (usize, Vec<String>) {
    let names = modules_below(&level.modulepath);
    let mut base = (site.env().clone(), site.env().clone());
    for parent in level.parents {
        let here = site.run_in(&base.0, &format!("load {parent}"));
        let there = site.run_peer_in(Peer::Lmod, &base.1, &format!("load {parent}"));
        assert!(here.ok() && there.ok(), "{parent}: {}", here.stderr());
        base = (here.env().clone(), there.env().clone());
    }
    let next = AtomicUsize::new(0);
    let wrong = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while let Some(name) = names.get(next.fetch_add(1, Ordering::Relaxed)) {
                    if let Some(text) = check(site, &base, name) {
                        wrong.lock().unwrap().push(text);
                    }
                }
            });
        }
    });
    (names.len(), wrong.into_inner().unwrap())
}

/// The corpus with its places filled in.
fn instantiated() -> Option<(tempfile::TempDir, BTreeMap<String, PathBuf>)> {
    let corpus = corpus()?;
    let dir = tempfile::tempdir().unwrap();
    let out = std::process::Command::new("bash")
        .arg(corpus.join("instantiate.sh"))
        .arg(dir.path())
        .output()
        .unwrap();
    assert!(out.status.success());
    let parts = String::from_utf8(out.stdout)
        .unwrap()
        .lines()
        .filter_map(|line| line.split_once(": "))
        .map(|(name, path)| (name.to_owned(), PathBuf::from(path)))
        .collect();
    Some((dir, parts))
}

fn report(part: &str, count: usize, wrong: &[String]) {
    println!("{part}: {count} modules, {} differ", wrong.len());
    assert!(count > 100, "{part}: the corpus is incomplete");
    let shown: Vec<&str> = wrong.iter().take(10).map(String::as_str).collect();
    assert!(
        wrong.is_empty(),
        "{part}: {} of {count} differ\n{}",
        wrong.len(),
        shown.join("\n")
    );
}

#[test]
fn every_lua_module_of_the_corpus_loads_as_in_lmod() {
    let Some((_dir, parts)) = instantiated() else {
        return;
    };
    let core = &parts["hierarchy"];
    let top = core.parent().unwrap();
    let levels = [
        Level {
            modulepath: core.clone(),
            parents: &[],
        },
        Level {
            modulepath: top.join("Compiler/GCCcore/12.3.0"),
            parents: &["GCCcore/12.3.0"],
        },
        Level {
            modulepath: top.join("Compiler/GCC/12.3.0"),
            parents: &["GCC/12.3.0"],
        },
        Level {
            modulepath: top.join("MPI/GCC/12.3.0/OpenMPI/4.1.5"),
            parents: &["GCC/12.3.0", "OpenMPI/4.1.5"],
        },
    ];
    let site = Site::new().var("MODULEPATH", core.to_str().unwrap());
    let (mut count, mut wrong) = (0, Vec::new());
    for level in &levels {
        let (n, w) = check_level(&site, level);
        println!(
            "{}: {n} modules",
            level.modulepath.strip_prefix(top).unwrap().display()
        );
        count += n;
        wrong.extend(w);
    }
    assert_eq!(
        count,
        modules_in_all(top),
        "a level of the hierarchy is not walked"
    );
    report("hierarchy", count, &wrong);
}

#[test]
fn every_tcl_module_of_the_corpus_loads_as_in_lmod() {
    let Some((_dir, parts)) = instantiated() else {
        return;
    };
    let flat = &parts["flat"];
    let site = Site::new().var("MODULEPATH", flat.to_str().unwrap());
    let level = Level {
        modulepath: flat.clone(),
        parents: &[],
    };
    let (count, wrong) = check_level(&site, &level);
    report("flat", count, &wrong);
}

/// How many modulefiles lie below a directory, whatever modulepath they belong to.
fn modules_in_all(top: &Path) -> usize {
    modules_below(top).len()
}
