//! Console examples in the documentation are what a user sees.
//!
//! Each block of `console` runs in one fresh bash session on a copy of the example site. Where the page says something else
//! than the session, the page is written anew and the test fails: look at it and commit it.

use std::path::Path;
use std::process::{Command, Stdio};

use crate::support::{XMOD, in_repo};

/// How the pages name the directory of the site. As long as the real name, so that lines break and align alike.
const SHOWN: &str = "/opt/modules";

/// A copy of the example site under a name as long as [`SHOWN`].
fn site() -> tempfile::TempDir {
    let dir = tempfile::Builder::new()
        .prefix("xmod")
        .rand_bytes(3)
        .tempdir_in("/tmp")
        .unwrap();
    assert_eq!(dir.path().to_str().unwrap().len(), SHOWN.len());
    let copied = Command::new("cp")
        .arg("-a")
        .arg(in_repo("modulefiles/."))
        .arg(dir.path())
        .status()
        .unwrap();
    assert!(copied.success());
    dir
}

/// Runs the commands of one block and returns each with what it printed.
fn session(commands: &[&str], site: &Path) -> Vec<String> {
    const MARK: &str = "=== next ===";
    let home = tempfile::tempdir().unwrap();
    let mut script = format!("eval \"$('{XMOD}' init bash)\"\nmodule load site\n");
    for command in commands {
        script += &format!("echo '{MARK}'\n{command}\n");
    }
    let output = Command::new("bash")
        .args([
            "--noprofile",
            "--norc",
            "-c",
            &format!("exec 2>&1\n{script}"),
        ])
        .env_clear()
        .env("PATH", "/usr/bin:/bin")
        .env("HOME", home.path())
        .env("USER", "alice")
        .env("LC_ALL", "C.UTF-8")
        .env("COLUMNS", "80")
        .env("LMOD_TERM_WIDTH", "80")
        .env("MODULEPATH", format!("{0}/Core:{0}/Deep", site.display()))
        .current_dir(home.path())
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout)
        .replace(home.path().to_str().unwrap(), "/home/alice")
        .replace(site.to_str().unwrap(), SHOWN);
    text.split(&format!("{MARK}\n"))
        .skip(1)
        .map(str::to_owned)
        .collect()
}

/// A page with the answers of its console blocks as they really are.
fn answered(page: &str) -> String {
    let mut out = String::new();
    let mut lines = page.lines();
    while let Some(line) = lines.next() {
        out += &format!("{line}\n");
        if line != "```console" {
            continue;
        }
        let block: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
        let commands: Vec<&str> = block
            .iter()
            .filter_map(|line| line.strip_prefix("$ "))
            .collect();
        let site = site();
        let answers = session(&commands, site.path());
        for (index, command) in commands.iter().enumerate() {
            out += &format!("$ {command}\n");
            for line in answers.get(index).map_or("", String::as_str).lines() {
                out += &format!("{}\n", line.trim_end());
            }
        }
        out += "```\n";
    }
    out
}

#[test]
fn console_examples_are_true() {
    let mut wrong = Vec::new();
    let mut pages = vec![in_repo("README.md"), in_repo("modulefiles/README.md")];
    for dir in [
        "docs/guide",
        "docs/migrate",
        "docs/reference",
        "docs/internals",
    ] {
        for entry in walkdir::WalkDir::new(in_repo(dir)) {
            let path = entry.unwrap().into_path();
            if path.extension().is_some_and(|e| e == "md") {
                pages.push(path);
            }
        }
    }
    for path in pages {
        let page = std::fs::read_to_string(&path).unwrap();
        let expected = answered(&page);
        if page != expected {
            std::fs::write(&path, expected).unwrap();
            wrong.push(path);
        }
    }
    assert!(
        wrong.is_empty(),
        "these pages said something else and were written anew; look at them and commit them: {wrong:#?}"
    );
}

#[test]
fn links_between_pages_lead_somewhere() {
    let mut broken = Vec::new();
    for dir in ["docs", "modulefiles", "README.md"] {
        for entry in walkdir::WalkDir::new(in_repo(dir)) {
            let path = entry.unwrap().into_path();
            if path.extension().is_none_or(|e| e != "md") {
                continue;
            }
            let page = std::fs::read_to_string(&path).unwrap();
            for target in page.split("](").skip(1) {
                let target = target.split(')').next().unwrap_or_default();
                let file = target.split('#').next().unwrap_or_default();
                if file.contains("://") || file.is_empty() {
                    continue;
                }
                if !path.parent().unwrap().join(file).exists() {
                    broken.push(format!("{}: {target}", path.display()));
                }
            }
        }
    }
    assert!(broken.is_empty(), "{broken:#?}");
}
