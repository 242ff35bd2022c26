//! Runs what a module command prints in a real bash and reads the environment back.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use super::Env;

/// What came of evaluating a module command in a shell.
#[derive(Debug)]
pub(crate) struct Outcome {
    /// Exit status of the `eval`.
    pub(crate) status: i32,
    /// The code that was evaluated.
    pub(crate) stdout: String,
    /// What people see.
    pub(crate) stderr: String,
    /// The environment afterwards.
    pub(crate) env: Env,
}

/// Runs `COMMAND bash WORDS`, evals the output in bash, gives what the user then has.
pub(crate) fn eval_in_bash(command: &str, words: &[&str], env: &Env, cwd: &Path) -> Outcome {
    let out = Command::new("timeout")
        .args(["60", command, "bash"])
        .args(words)
        .env_clear()
        .envs(env)
        .current_dir(cwd)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let code = String::from_utf8_lossy(&out.stdout).into_owned();
    // The code comes as a file: an argument could not be longer than 128 KiB.
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(&out.stdout).unwrap();
    let script = format!("source {}; s=$?; env -0; exit $s", file.path().display());
    let shell = Command::new("bash")
        .args(["--noprofile", "--norc", "-c", &script])
        .env_clear()
        .envs(env)
        .current_dir(cwd)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let mut stderr = String::from_utf8_lossy(&out.stderr).into_owned();
    stderr.push_str(&String::from_utf8_lossy(&shell.stderr));
    let mut status = shell.status.code().unwrap_or(-1);
    // A program that dies leaves nothing to evaluate: no status of the shell would show it.
    if out.status.code().is_none_or(|c| c > 1) {
        status = out.status.code().unwrap_or(-1);
    }
    Outcome {
        status,
        stdout: code,
        stderr,
        env: read_env(&shell.stdout, env),
    }
}

/// Reads the output of `env -0`, without what bash itself adds.
fn read_env(bytes: &[u8], before: &Env) -> Env {
    let mut env = BTreeMap::new();
    for entry in bytes.split(|&b| b == 0) {
        let text = String::from_utf8_lossy(entry);
        if let Some((name, value)) = text.split_once('=') {
            let own = ["_", "SHLVL", "PWD", "OLDPWD"].contains(&name);
            if !own || before.contains_key(name) {
                env.insert(name.to_owned(), value.to_owned());
            }
        }
    }
    env
}

/// Whether a program is there. Where it is not, says so visibly, and fails under CI.
pub(crate) fn require(program: &str) -> bool {
    let found = Command::new("sh")
        .args(["-c", "command -v \"$1\" >/dev/null", "sh", program])
        .status()
        .is_ok_and(|s| s.success());
    if !found {
        eprintln!("skipped: no {program}");
        assert!(
            !in_ci(),
            "{program} is missing; the test command installs it"
        );
    }
    found
}

/// Whether a missing tool is a failure.
pub(crate) fn in_ci() -> bool {
    #[expect(clippy::disallowed_methods, reason = "tests have no session")]
    std::env::var_os("CI").is_some_and(|v| v == "true")
}
