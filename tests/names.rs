//! Which module a word means: a table of trees, requests and answers (`tests/names/*.table`), asked of xmod under both
//! policies and of both peers.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;

use camino::Utf8PathBuf;
use xmod::config::Config;
use xmod::modulefile::Languages;
use xmod::name::Spec;
use xmod::resolve::Resolver;
use xmod::session::Session;
use xmod::tree::{RcEvaluator, RcReader, Roots};

use crate::support::{Peer, in_repo};

/// One tree of a table with the requests to it.
struct Tree {
    /// `!lmod`, `!modules` at its end: the peer that is installed does not know what the tree is about.
    name: String,
    dir: tempfile::TempDir,
    modulepaths: Vec<Utf8PathBuf>,
    rows: Vec<Row>,
}

/// One request.
struct Row {
    place: String,
    vars: BTreeMap<String, String>,
    request: String,
    lmod: Answer,
    modules: Answer,
}

/// What is loaded then; `-` for nothing.
struct Answer {
    ours: String,
    /// What the peer that is installed says: the same, but for what the text above the rows explains; `?` where that
    /// depends on the order of a directory.
    peer: String,
}

impl Answer {
    /// `ANSWER` or `ANSWER (peer: ANSWER)`.
    fn parse(text: &str) -> Answer {
        let text = text.trim();
        let (ours, peer) = match text.split_once(" (peer: ") {
            Some((ours, peer)) => (ours, peer.trim_end_matches(')')),
            None => (text, text),
        };
        Answer {
            ours: ours.to_owned(),
            peer: peer.to_owned(),
        }
    }
}

fn tables() -> Vec<Tree> {
    let mut files: Vec<_> = std::fs::read_dir(in_repo("tests/names"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|e| e == "table"))
        .collect();
    files.sort();
    files.iter().flat_map(|file| read_table(file)).collect()
}

fn read_table(file: &Path) -> Vec<Tree> {
    let text = std::fs::read_to_string(file).unwrap();
    let mut trees: Vec<Tree> = Vec::new();
    let mut asking = false;
    for (number, line) in text.lines().enumerate() {
        let place = format!("{}:{}", file.file_name().unwrap().display(), number + 1);
        if line.trim().is_empty() || line.starts_with('#') {
            continue;
        }
        if let Some(name) = line.strip_prefix("== ") {
            let dir = tempfile::tempdir().unwrap();
            let root = Utf8PathBuf::from_path_buf(dir.path().canonicalize().unwrap()).unwrap();
            std::fs::create_dir(root.join("home")).unwrap();
            trees.push(Tree {
                name: name.to_owned(),
                dir,
                modulepaths: Vec::new(),
                rows: Vec::new(),
            });
            asking = false;
            continue;
        }
        let tree = trees.last_mut().expect("a table begins with a tree");
        if line == "--" {
            asking = true;
        } else if asking {
            tree.rows.push(read_row(line, place));
        } else {
            tree.add(line);
        }
    }
    trees
}

fn read_row(line: &str, place: String) -> Row {
    let columns: Vec<&str> = line.split(" | ").collect();
    assert_eq!(columns.len(), 3, "{place}: three columns");
    let mut vars = BTreeMap::new();
    let mut request = Vec::new();
    for word in columns[0].split_whitespace() {
        match word.split_once('=') {
            Some((var, value)) if var.chars().all(|c| c.is_ascii_uppercase() || c == '_') => {
                vars.insert(var.to_owned(), value.to_owned());
            }
            _ => request.push(word),
        }
    }
    Row {
        place,
        vars,
        request: request.join(" "),
        lmod: Answer::parse(columns[1]),
        modules: Answer::parse(columns[2]),
    }
}

impl Tree {
    fn root(&self) -> Utf8PathBuf {
        Utf8PathBuf::from_path_buf(self.dir.path().canonicalize().unwrap()).unwrap()
    }

    /// Files separated by blanks; or `FILE <<< TEXT`, `FILE -> LINK TARGET`. `2:FILE` lies in the second modulepath,
    /// `home:FILE` in the user's home directory.
    fn add(&mut self, line: &str) {
        if let Some((file, text)) = line.split_once(" <<< ") {
            let text = text
                .replace("\\n", "\n")
                .replace("$ROOT", self.root().as_str());
            std::fs::write(self.path(file), text).unwrap();
        } else if let Some((file, target)) = line.split_once(" -> ") {
            std::os::unix::fs::symlink(target.trim(), self.path(file)).unwrap();
        } else {
            for file in line.split_whitespace() {
                let text = if file.ends_with(".lua") || file.ends_with(".toml") {
                    ""
                } else {
                    "#%Module\n"
                };
                std::fs::write(self.path(file), text).unwrap();
            }
        }
    }

    fn path(&mut self, file: &str) -> Utf8PathBuf {
        let (dir, file) = file.trim().split_once(':').unwrap_or(("1", file));
        let root = self.root().join(if dir == "home" {
            dir.to_owned()
        } else {
            format!("m{dir}")
        });
        if dir != "home" && !self.modulepaths.contains(&root) {
            self.modulepaths.push(root.clone());
            self.modulepaths.sort();
        }
        let path = root.join(file.trim());
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        path
    }

    /// The environment of a request: `$ROOT` in values is the directory of the tree.
    fn env(&self, vars: &BTreeMap<String, String>) -> BTreeMap<String, String> {
        let modulepath: Vec<&str> = self.modulepaths.iter().map(|p| p.as_str()).collect();
        let mut env = BTreeMap::from([
            ("PATH".to_owned(), "/usr/bin:/bin".to_owned()),
            ("HOME".to_owned(), self.root().join("home").into_string()),
            ("MODULEPATH".to_owned(), modulepath.join(":")),
            ("LMOD_IGNORE_CACHE".to_owned(), "yes".to_owned()),
            // Off by default in the version that is installed.
            ("MODULES_ADVANCED_VERSION_SPEC".to_owned(), "1".to_owned()),
            ("MODULES_EXTENDED_DEFAULT".to_owned(), "1".to_owned()),
        ]);
        for (var, value) in vars {
            env.insert(var.clone(), value.replace("$ROOT", self.root().as_str()));
        }
        env
    }

    fn ask_xmod(&self, row: &Row, policy: &str) -> String {
        self.with_rc(&row.vars, policy, |rc| {
            let mut resolver = Resolver::new(self.modulepaths.clone());
            let found = Spec::parse(&row.request, &rc.config().spec_rules())
                .map_err(|error| error.to_string())
                .and_then(|spec| {
                    resolver
                        .resolve(&spec, rc)
                        .map_err(|error| error.to_string())
                });
            match resolver.take_warnings().first() {
                Some(warning) => warning.to_string(),
                None => found.map_or_else(|_| "-".to_owned(), |found| found.full_name()),
            }
        })
    }

    /// Runs with what reads the rc files of the tree.
    fn with_rc<T>(
        &self,
        vars: &BTreeMap<String, String>,
        policy: &str,
        run: impl FnOnce(&mut dyn RcReader) -> T,
    ) -> T {
        let mut env = self.env(vars);
        env.insert("XMOD_POLICY".into(), policy.into());
        let mut session = Session::default();
        session.env = env.into_iter().map(|(k, v)| (k.into(), v.into())).collect();
        let session = session.in_directory(self.root());
        let config = Config::new(&session);
        let languages = Languages::default();
        let mut rc = RcEvaluator::new(&session, &config, &languages, "bash");
        run(&mut rc)
    }

    /// The answers of a peer to all rows, in one shell.
    fn ask_peer(&self, peer: Peer) -> Vec<String> {
        let mut script = String::new();
        for row in &self.rows {
            script.push_str("(\n");
            for (var, value) in self.env(&row.vars) {
                writeln!(script, "export {var}='{value}'").unwrap();
            }
            writeln!(
                script,
                "eval \"$({} bash load {} 2>/dev/null)\" >/dev/null 2>&1\necho \"=$LOADEDMODULES\"\n)",
                peer.command(),
                row.request.split(' ').map(|w| format!("'{w}'")).collect::<Vec<_>>().join(" ")
            )
            .unwrap();
        }
        let out = std::process::Command::new("bash")
            .args(["--norc", "-c", &script])
            .env_clear()
            .env("PATH", "/usr/bin:/bin")
            .env("USER", "alice")
            .current_dir(self.root())
            .output()
            .unwrap();
        String::from_utf8_lossy(&out.stdout)
            .lines()
            .filter_map(|line| line.strip_prefix('='))
            .map(|loaded| {
                if loaded.is_empty() {
                    "-".to_owned()
                } else {
                    loaded.to_owned()
                }
            })
            .collect()
    }
}

#[test]
fn a_request_means_the_module_that_the_table_says() {
    let mut wrong = String::new();
    let mut count = 0;
    for tree in tables() {
        for row in &tree.rows {
            for (policy, answer) in [("lmod", &row.lmod), ("modules", &row.modules)] {
                count += 1;
                let got = tree.ask_xmod(row, policy);
                if got != answer.ours {
                    let Row { place, request, .. } = row;
                    let name = &tree.name;
                    writeln!(
                        wrong,
                        "{place} ({name}), {policy}: {request} gives {got}, not {}",
                        answer.ours
                    )
                    .unwrap();
                }
            }
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
    assert!(count >= 600, "{count} rows");
}

#[test]
fn the_peers_answer_as_the_table_says() {
    let mut wrong = String::new();
    for tree in tables() {
        let (lmod, modules) = std::thread::scope(|scope| {
            let modules = scope.spawn(|| tree.ask_peer(Peer::Modules));
            (tree.ask_peer(Peer::Lmod), modules.join().unwrap())
        });
        assert_eq!(
            (lmod.len(), modules.len()),
            (tree.rows.len(), tree.rows.len()),
            "{}",
            tree.name
        );
        for ((row, lmod), modules) in tree.rows.iter().zip(lmod).zip(modules) {
            for (peer, answer, got) in [
                ("Lmod", &row.lmod, lmod),
                ("Modules", &row.modules, modules),
            ] {
                let knows = !tree.name.contains(&format!("!{}", peer.to_lowercase()));
                if knows && answer.peer != "?" && got != answer.peer {
                    let Row { place, request, .. } = row;
                    let name = &tree.name;
                    writeln!(
                        wrong,
                        "{place} ({name}), {peer}: {request} gives {got}, not {}",
                        answer.peer
                    )
                    .unwrap();
                }
            }
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
}

/// What differs between the listing of a tree and what loads of what is listed would take.
fn disagreements(tree: &Tree, policy: &str) -> Vec<String> {
    let mut wrong = Vec::new();
    tree.with_rc(&BTreeMap::new(), policy, |rc| {
        let trees = Roots::new(tree.modulepaths.clone()).list(rc);
        let mut seen = std::collections::HashSet::new();
        for entry in trees.iter().flat_map(|tree| &tree.modules) {
            let mut ask = |request: &str| {
                // A new one each time: what was read before must not matter.
                let found = Resolver::new(tree.modulepaths.clone())
                    .find(&Spec::plain(request).unwrap(), rc);
                found
                    .map(|found| (found.full_name(), found.file))
                    .map_err(|error| error.to_string())
            };
            let this = (entry.full_name.clone(), entry.file().clone());
            let first = seen.insert(entry.full_name.clone());
            let by_name = ask(&entry.full_name);
            // A module without version may stand behind a marked version of the same name.
            let has_version = entry.name() != entry.full_name;
            // Under a policy that takes the first answer an earlier modulepath may complete the name.
            if first && has_version && policy == "lmod" && by_name.as_ref() != Ok(&this) {
                wrong.push(format!(
                    "{} is listed as {}, found as {by_name:?}",
                    entry.full_name,
                    entry.file()
                ));
            }
            if has_version && policy == "lmod" {
                let default = ask(entry.name()) == Ok(this);
                if default != entry.is_default {
                    wrong.push(format!(
                        "{} is the default: {default}, listed: {}",
                        entry.full_name, entry.is_default
                    ));
                }
            }
        }
    });
    wrong
}

#[test]
fn a_listing_and_a_load_agree() {
    for tree in tables() {
        for policy in ["lmod", "modules"] {
            assert_eq!(
                disagreements(&tree, policy),
                [""; 0],
                "{}, {policy}",
                tree.name
            );
        }
    }
}

/// A miss is told at once, whatever modulefiles elsewhere do.
#[test]
fn an_unknown_name_does_not_wait_for_endless_modulefiles() {
    let mut site = crate::support::Site::new();
    for index in 0..6 {
        site = site
            .file(&format!("tcl{index}/1"), "while {1} {}\n")
            .file(&format!("lua{index}/1.lua"), "while true do end\n")
            .file(&format!("exec{index}/1"), "exec sleep 60\n");
    }
    let start = std::time::Instant::now();
    let run = site.run("load nosuch");
    assert!(
        !run.ok() && run.stderr().contains("nosuch"),
        "{}",
        run.stderr()
    );
    // The limit is half a second; a busy machine may need more for the rest.
    assert!(start.elapsed().as_secs() < 8, "{:?}", start.elapsed());
}
