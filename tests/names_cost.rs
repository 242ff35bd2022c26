//! What finding a module costs: it must not depend on how many other modules there are.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::{XMOD, require};

/// A modulepath with so many names, two versions each; the files of all are one file.
fn tree(names: usize) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let text = dir.path().join("text");
    std::fs::write(&text, "#%Module\n").unwrap();
    for index in 0..names {
        for parts in [format!("mf/name{index}"), format!("mf/org/hub/name{index}")] {
            // Only the first few lie in categories.
            if parts.contains("hub") && index >= 100 {
                continue;
            }
            let parent = dir.path().join(parts);
            std::fs::create_dir_all(&parent).unwrap();
            for version in ["1.0", "2.0"]
                .into_iter()
                .take(if index < 100 { 2 } else { 1 })
            {
                std::fs::hard_link(&text, parent.join(version)).unwrap();
            }
        }
    }
    dir
}

/// The system calls of one load, each with its path; those that are about files.
fn calls(site: &Path, request: &str) -> Vec<String> {
    let log = site.join("calls");
    let status = Command::new("strace")
        .args(["-f", "-o"])
        .arg(&log)
        .args([XMOD, "bash", "load", request])
        .env_clear()
        .env("PATH", "/usr/bin:/bin")
        .env("HOME", site)
        .env("MODULEPATH", site.join("mf"))
        .output()
        .unwrap();
    assert!(
        status.status.success(),
        "{}",
        String::from_utf8_lossy(&status.stderr)
    );
    assert!(String::from_utf8_lossy(&status.stdout).contains("LOADEDMODULES"));
    let text = std::fs::read_to_string(&log).unwrap();
    text.lines().map(str::to_owned).collect()
}

/// The directories that were listed.
fn listed(calls: &[String]) -> Vec<PathBuf> {
    let opened = calls
        .iter()
        .filter(|call| call.contains("O_DIRECTORY") && !call.contains("= -1"));
    opened
        .filter_map(|call| Some(PathBuf::from(call.split('"').nth(1)?)))
        .collect()
}

#[test]
fn finding_a_module_costs_the_same_in_a_tree_of_27400_names_as_in_one_of_50() {
    if !require("strace") {
        return;
    }
    let (small, large) = (tree(50), tree(27_400));
    for request in [
        "name7",
        "name7/1.0",
        "name7/2",
        "org/hub/name7",
        "org/hub/name7/1.0",
    ] {
        let few = calls(small.path(), request);
        let many = calls(large.path(), request);
        assert_eq!(few.len(), many.len(), "system calls of `load {request}`");
        let dir = format!(
            "mf/{}",
            request.split("/1.0").next().unwrap().trim_end_matches("/2")
        );
        for (site, calls) in [(&small, &few), (&large, &many)] {
            let site = site.path();
            assert_eq!(
                listed(calls),
                [site.join(&dir)],
                "`load {request}` lists nothing else"
            );
        }
    }
}
