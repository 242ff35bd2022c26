//! `search`, `provides` and the handlers for commands that are not found; terse listings are Lmod's.

use std::collections::BTreeSet;
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::support::{Peer, Site, corpus, in_repo, require};

/// A tool and its neighbours, one of them behind a compiler.
fn site() -> Site {
    let site = Site::new()
        .file("gcc/13.lua", "whatis('Description: compilers')\nprepend_path('MODULEPATH', '$SITE/mf-gcc')\n")
        .file("samtools/1.19.lua", "whatis('Description: reads and writes alignments')\nprepend_path('PATH', '$SITE/sw/samtools')\n")
        .file("samtools/1.20.lua", "whatis('Description: reads and writes alignments')\nprepend_path('PATH', '$SITE/sw/samtools')\n")
        .file("bundle/1.lua", "help([[Many tools for sequences]])\nextensions('pysam/0.22')\nprepend_path('PATH', '$SITE/sw/bundle')\n")
        .file("hidden/1.lua", "prepend_path('PATH', '$SITE/sw/samtools')\n")
        .file(".modulerc.lua", "hide_version('hidden/1')\n");
    let behind = site.root().join("sw/behind");
    let site = site
        .raw(
            "mf-gcc/behind/2.lua",
            format!("prepend_path('PATH', '{}')\n", behind.display()).as_bytes(),
        )
        .raw("sw/samtools/samtools", b"#!/bin/sh\necho \"samtools $*\"\n")
        .raw("sw/samtools/README", b"no program")
        .raw("sw/bundle/samtools", b"#!/bin/sh\n")
        .raw("sw/bundle/bwa", b"#!/bin/sh\n")
        .raw("sw/behind/behind-tool", b"#!/bin/sh\n");
    for program in [
        "samtools/samtools",
        "bundle/samtools",
        "bundle/bwa",
        "behind/behind-tool",
    ] {
        let path = site.root().join("sw").join(program);
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
    }
    site
}

/// The same site without a cache and with one.
fn both(check: impl Fn(&Site)) {
    let site = site();
    check(&site);
    assert!(site.xmod(&["cache", "build"]).status.success());
    check(&site);
}

#[test]
fn modules_are_found_by_all_that_is_known_of_them() {
    both(|site| {
        let found = |words: &str| site.run(&format!("-t search {words}")).stderr();
        assert_eq!(
            found("samtools"),
            "samtools/1.19\nsamtools/1.20\nbundle/1\n"
        );
        assert_eq!(found("SEQUENCES"), "bundle/1\n");
        assert_eq!(found("pysam"), "bundle/1\n");
        assert_eq!(found("behind-tool"), "behind/2\n");
        // All words have to be found.
        assert_eq!(found("tools bwa"), "bundle/1\n");
        assert_eq!(found("samtools compilers"), "");
        let text = site.run("search bwa").stderr();
        assert!(
            text.contains("bundle: bundle/1") && text.contains("programs: bwa"),
            "{text}"
        );
        let near = site.run("search samtoosl").stderr();
        assert!(
            near.contains("nothing matches") && near.contains("did you mean `samtools`?"),
            "{near}"
        );
        let json: Value =
            serde_json::from_str(&site.run("--json search samtools").stderr()).unwrap();
        assert_eq!(json["results"][0]["name"], "samtools");
        assert_eq!(
            json["results"][0]["programs"],
            serde_json::json!(["samtools"])
        );
        assert!(!json.to_string().contains("hidden/1"));
    });
}

#[test]
fn who_looks_for_a_program_is_told_what_to_load() {
    both(|site| {
        let run = site.run("provides samtools");
        assert!(run.ok());
        assert_eq!(
            run.stderr(),
            "`samtools` comes with:\n    module load samtools/1.20\n    module load bundle/1\n    module load samtools/1.19\n"
        );
        assert_eq!(
            site.run("-t provides behind-tool").stderr(),
            "gcc/13\tbehind/2\n"
        );
        let none = site.run("provides README");
        assert!(
            !none.ok()
                && none
                    .stderr()
                    .contains("no module that is known brings along `README`")
        );
        let json: Value = serde_json::from_str(&site.run("--json provides bwa").stderr()).unwrap();
        assert_eq!(json["load"], serde_json::json!([["bundle/1"]]));
    });
}

#[test]
fn a_command_that_is_not_found_is_explained_where_the_user_wants_it() {
    let site = site();
    assert!(site.xmod(&["cache", "build"]).status.success());
    for shell in ["bash", "zsh", "fish"] {
        require(shell);
        let out = site.xmod(&["init", shell, "--command-not-found"]);
        assert!(
            out.status.success(),
            "{}",
            String::from_utf8_lossy(&out.stderr)
        );
        let start = site.root().join(format!("start.{shell}"));
        std::fs::write(&start, &out.stdout).unwrap();
        let run = |words: &str| {
            let out = Command::new(shell)
                .args(["-c", &format!(". {}; {words}", start.display())])
                .env_clear()
                .envs(site.env())
                .output()
                .unwrap();
            (
                out.status.code(),
                String::from_utf8_lossy(&out.stderr).into_owned(),
            )
        };
        let (code, text) = run("samtools view");
        assert_eq!(code, Some(127), "{shell}: {text}");
        assert!(
            text.contains("it comes with") && text.contains("    module load samtools/1.20"),
            "{shell}: {text}"
        );
        let (code, text) = run("behind-tool");
        assert_eq!(code, Some(127));
        assert!(
            text.contains("    module load gcc/13 behind/2"),
            "{shell}: {text}"
        );
        let (code, text) = run("no-such-command-at-all");
        assert_eq!(code, Some(127));
        assert!(!text.contains("module load"), "{shell}: {text}");
    }
    let other = site.xmod(&["init", "tcsh", "--command-not-found"]);
    assert_eq!(other.status.code(), Some(2));
}

#[test]
fn the_command_is_run_where_the_user_agrees() {
    require("script");
    let site = site()
        .var("XMOD_COMMAND_NOT_FOUND", "ask")
        .var("TERM", "dumb");
    assert!(site.xmod(&["cache", "build"]).status.success());
    let out = site.xmod(&["init", "bash", "--command-not-found"]);
    let start = site.root().join("start.bash");
    std::fs::write(&start, &out.stdout).unwrap();
    let ask = |answer: &str| {
        let mut child = Command::new("script")
            .args(["-qec", &format!("bash --norc -c '. {}; samtools view; echo \"status $? ${{LOADEDMODULES-none}}\"'", start.display()), "/dev/null"])
            .env_clear()
            .envs(site.env())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        std::io::Write::write_all(child.stdin.as_mut().unwrap(), answer.as_bytes()).unwrap();
        // The end of the input would be typed before the question is read.
        std::thread::sleep(std::time::Duration::from_millis(1500));
        let out = child.wait_with_output().unwrap();
        String::from_utf8_lossy(&out.stdout).replace('\r', "")
    };
    let yes = ask("y\n");
    assert!(
        yes.contains("samtools view\n") && yes.contains("status 0 none"),
        "{yes}"
    );
    let no = ask("n\n");
    assert!(no.contains("status 127 none"), "{no}");
}

/// The lines of a terse listing, without those that only one of the two shows.
fn lines(site: &Site, peer: Option<Peer>, words: &str) -> BTreeSet<String> {
    let run = match peer {
        Some(peer) => site.run_peer(peer, words),
        None => site.run(words),
    };
    run.stderr()
        .lines()
        .map(|line| line.trim_end().to_owned())
        .collect()
}

fn same_listings(site: &Site, what: &str) {
    for words in ["-t avail", "-t -d avail", "-t avail 1.2", "-t spider"] {
        let theirs = lines(site, Some(Peer::Lmod), words);
        let ours = lines(site, None, words);
        assert!(theirs.len() > 3, "{what}, {words}: {theirs:?}");
        let missing: Vec<_> = theirs.difference(&ours).collect();
        let more: Vec<_> = ours.difference(&theirs).collect();
        assert!(
            missing.is_empty() && more.is_empty(),
            "{what}, {words}: missing {missing:?}, more {more:?}"
        );
    }
}

#[test]
fn terse_listings_are_lmods_on_generated_trees_with_and_without_a_cache() {
    let site = Site::new();
    let out = site.root().join("trees");
    let made = Command::new("python3")
        .arg(in_repo("benches/gen_trees.py"))
        .arg(&out)
        .args(["--trees", "small", "--formats", "lua"])
        .output()
        .unwrap();
    assert!(
        made.status.success(),
        "{}",
        String::from_utf8_lossy(&made.stderr)
    );
    let tree: Value =
        serde_json::from_str(&std::fs::read_to_string(out.join("small/tree.json")).unwrap())
            .unwrap();
    let paths: Vec<String> = tree["modulepath"]
        .as_array()
        .unwrap()
        .iter()
        .map(|path| {
            out.join("small/lua")
                .join(path.as_str().unwrap())
                .to_str()
                .unwrap()
                .to_owned()
        })
        .collect();
    let site = site.var("MODULEPATH", &paths.join(":"));
    same_listings(&site, "small");
    assert!(site.xmod(&["cache", "build"]).status.success());
    same_listings(&site, "small, cached");
}

#[test]
fn terse_listings_are_lmods_on_the_corpus() {
    let Some(corpus) = corpus() else { return };
    let site = Site::new();
    let made = site.root().join("corpus");
    let run = Command::new("bash")
        .arg(corpus.join("instantiate.sh"))
        .arg(&made)
        .output()
        .unwrap();
    assert!(
        run.status.success(),
        "{}",
        String::from_utf8_lossy(&run.stderr)
    );
    let core = made.join("easybuild-hierarchy/Core");
    let site = site.var("MODULEPATH", core.to_str().unwrap());
    assert!(site.xmod(&["cache", "build"]).status.success());
    let document = site.run("--json spider").stderr();
    let document: Value = serde_json::from_str(&document).unwrap();
    let provided: BTreeSet<String> = document["modules"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|module| module["extensions"].as_array().unwrap())
        .map(|extension| extension.as_str().unwrap())
        .flat_map(|name| {
            let bare = name.split('/').next().unwrap_or(name);
            [name.to_owned(), format!("{bare}/")]
        })
        .collect();
    for words in ["-t avail", "-t spider"] {
        let (theirs, ours) = (
            lines(&site, Some(Peer::Lmod), words),
            lines(&site, None, words),
        );
        // Lmod 8.6 lists extensions as if they were modules; the manual speaks of names and full names of modules.
        let is_extension =
            |line: &&String| !ours.contains(*line) && provided.contains(line.as_str());
        let missing: Vec<_> = theirs
            .difference(&ours)
            .filter(|line| !is_extension(line))
            .collect();
        let more: Vec<_> = ours.difference(&theirs).collect();
        assert!(
            missing.is_empty() && more.is_empty(),
            "{words}: missing {missing:?}, more {more:?}"
        );
    }
}
