//! A site of modulefiles in a fresh directory, a command in it, and everything the user sees.
//!
//! The environment is cleared, HOME is fresh, the width is 100, there is no colour, and paths are shown as `$SITE`.

mod peers;
mod real_shell;

pub(crate) use peers::{Peer, corpus, difference, public};
pub(crate) use real_shell::{Outcome, in_ci, require};

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Variables with their values.
pub(crate) type Env = BTreeMap<String, String>;

/// The binary under test.
pub(crate) const XMOD: &str = env!("CARGO_BIN_EXE_xmod");

/// A site: a directory with modulefiles, a home, and the environment of a user there.
pub(crate) struct Site {
    dir: tempfile::TempDir,
    env: Env,
}

impl Site {
    /// An empty site; `MODULEPATH` is its directory `mf`.
    pub(crate) fn new() -> Site {
        let dir = tempfile::tempdir().unwrap();
        // Links in the name of the temporary directory would show up as differences.
        let root = dir.path().canonicalize().unwrap();
        for sub in ["mf", "home"] {
            std::fs::create_dir(root.join(sub)).unwrap();
        }
        let mut env = Env::new();
        env.insert("PATH".into(), "/usr/bin:/bin".into());
        env.insert("HOME".into(), root.join("home").to_str().unwrap().into());
        env.insert("USER".into(), "alice".into());
        env.insert("LC_ALL".into(), "C.UTF-8".into());
        env.insert("COLUMNS".into(), "100".into());
        env.insert("LMOD_TERM_WIDTH".into(), "100".into());
        env.insert(
            "MODULEPATH".into(),
            root.join("mf").to_str().unwrap().into(),
        );
        Site { dir, env }
    }

    /// The directory of the site.
    pub(crate) fn root(&self) -> PathBuf {
        self.dir.path().canonicalize().unwrap()
    }

    /// Adds a modulefile below `mf`. Text without a cookie in a file without ending gets `#%Module`.
    pub(crate) fn file(self, name: &str, text: &str) -> Site {
        let path = self.root().join("mf").join(name);
        let base = path.file_name().unwrap().to_str().unwrap();
        let plain = base.starts_with('.') || base.ends_with(".lua") || base.ends_with(".toml");
        let text = self.expand(text);
        let text = if plain || text.starts_with("#%Module") {
            text
        } else {
            format!("#%Module\n{text}")
        };
        self.raw(&format!("mf/{name}"), text.as_bytes())
    }

    /// Writes any file of the site; `$SITE` in the text is not replaced.
    pub(crate) fn raw(self, name: &str, bytes: &[u8]) -> Site {
        let path = self.root().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
        self
    }

    /// Gives the user a variable; `$SITE` in the value is the directory of the site.
    pub(crate) fn var(mut self, name: &str, value: &str) -> Site {
        let value = self.expand(value);
        self.env.insert(name.into(), value);
        self
    }

    /// Runs sub-commands one after the other in the same session, each of which must succeed.
    pub(crate) fn loaded<const N: usize>(mut self, modules: [&str; N]) -> Site {
        for module in modules {
            let run = self.run(&format!("load {module}"));
            assert!(run.ok(), "load {module}: {}", run.stderr());
            self.env = run.env().clone();
        }
        self
    }

    /// Goes on with the environment that a run left.
    pub(crate) fn after(mut self, run: &Run) -> Site {
        self.env = run.env().clone();
        self
    }

    /// Runs `xmod bash WORDS`, words separated by blanks, and evals its output in a real bash.
    pub(crate) fn run(&self, words: &str) -> Run {
        let words: Vec<&str> = words.split_whitespace().collect();
        self.run_words(&words)
    }

    /// The same with the words as they are.
    pub(crate) fn run_words(&self, words: &[&str]) -> Run {
        let outcome = real_shell::eval_in_bash(XMOD, words, &self.env, &self.root());
        Run {
            root: self.root(),
            before: self.env.clone(),
            outcome,
        }
    }

    /// Runs words in an environment that another run left.
    pub(crate) fn run_in(&self, env: &Env, words: &str) -> Run {
        self.run_command(XMOD, words, env)
    }

    /// Runs the same words through a peer instead.
    pub(crate) fn run_peer(&self, peer: Peer, words: &str) -> Run {
        self.run_peer_in(peer, &self.env, words)
    }

    /// Runs words through a peer, in an environment that another run left.
    pub(crate) fn run_peer_in(&self, peer: Peer, env: &Env, words: &str) -> Run {
        self.run_command(&peer.command(), words, env)
    }

    fn run_command(&self, command: &str, words: &str, env: &Env) -> Run {
        let words: Vec<&str> = words.split_whitespace().collect();
        let outcome = real_shell::eval_in_bash(command, &words, env, &self.root());
        Run {
            root: self.root(),
            before: env.clone(),
            outcome,
        }
    }

    /// Runs the binary with these arguments and no shell around it.
    pub(crate) fn xmod(&self, args: &[&str]) -> std::process::Output {
        Command::new(XMOD)
            .args(args)
            .env_clear()
            .envs(&self.env)
            .current_dir(self.root())
            .output()
            .unwrap()
    }

    /// The user's environment.
    pub(crate) fn env(&self) -> &Env {
        &self.env
    }

    fn expand(&self, text: &str) -> String {
        text.replace("$SITE", self.root().to_str().unwrap())
    }
}

/// What came of one command.
pub(crate) struct Run {
    root: PathBuf,
    before: Env,
    outcome: Outcome,
}

impl Run {
    /// Whether the shell function would return true.
    pub(crate) fn ok(&self) -> bool {
        self.outcome.status == 0
    }

    /// The environment afterwards.
    pub(crate) fn env(&self) -> &Env {
        &self.outcome.env
    }

    /// A variable afterwards, `$SITE` for the directory of the site.
    pub(crate) fn var(&self, name: &str) -> Option<String> {
        self.env().get(name).map(|v| self.shown(v))
    }

    /// The full names in `LOADEDMODULES`.
    pub(crate) fn loaded(&self) -> Vec<String> {
        let text = self.env().get("LOADEDMODULES").cloned().unwrap_or_default();
        text.split(':')
            .filter(|m| !m.is_empty())
            .map(str::to_owned)
            .collect()
    }

    /// What people see.
    pub(crate) fn stderr(&self) -> String {
        self.shown(&self.outcome.stderr)
    }

    /// The code for the shell.
    pub(crate) fn stdout(&self) -> String {
        self.shown(&self.outcome.stdout)
    }

    /// Whether no variable has changed but those that module systems keep for themselves.
    pub(crate) fn unchanged(&self) -> bool {
        same_but_state(&self.before, self.env()).is_empty()
    }

    fn shown(&self, text: &str) -> String {
        text.replace(self.root.to_str().unwrap(), "$SITE")
    }
}

/// Asserts that the environment after `run` is that of `site` before, but for variables that module systems keep for
/// themselves.
pub(crate) fn same_but_state(before: &Env, after: &Env) -> Vec<String> {
    difference(&peers::public(before), &peers::public(after))
}

/// A path below the repository.
pub(crate) fn in_repo(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// Numbers that look random and are the same in each run.
pub(crate) struct Dice(u64);

impl Dice {
    /// The numbers that belong to a seed.
    pub(crate) fn new(seed: u64) -> Dice {
        Dice(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15))
    }

    /// The next number below `n`.
    pub(crate) fn below(&mut self, n: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % n
    }
}

/// A number that whoever runs the tests may choose by a variable: how many walks, from which seed.
pub(crate) fn number(variable: &str, usual: u64) -> u64 {
    #[expect(clippy::disallowed_methods, reason = "tests have no session")]
    let text = std::env::var(variable);
    text.ok().and_then(|n| n.parse().ok()).unwrap_or(usual)
}
