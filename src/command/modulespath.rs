//! What `MODULEPATH` of a session names, and `xmod SHELL modulespath`: the first `MODULEPATH` of a session, for start files of shells and languages that are no good at
//! reading files and expanding patterns themselves.
//!
//! Source: `.modulespath` of Lmod, `modulespath` of Environment Modules: one directory a line, `#` begins a comment, patterns
//! are expanded. Directories that are not there are left out.

use camino::Utf8PathBuf;

use super::{Answered, Outcome, Voice, finish};
use crate::config::Config;
use crate::env::delta::{Change, Delta};
use crate::env::{VarName, modulepath};
use crate::session::Session;
use crate::shell::{InitPaths, Row};

/// Sets `MODULEPATH` to what `$MODULESHOME/etc/modulespath` names, unless the session has one.
pub fn run(session: &Session, config: &Config, row: &Row) -> Outcome {
    let home = match session.text("MODULESHOME") {
        Some(home) => Some(home.to_owned()),
        None => session
            .exe()
            .map(|exe| InitPaths::of_program(exe).home.into_string()),
    };
    let dirs = match home {
        Some(home) if session.var("MODULEPATH").is_none() => {
            std::fs::read_to_string(format!("{home}/etc/modulespath"))
                .map(|text| directories(&text))
                .unwrap_or_default()
        }
        _ => Vec::new(),
    };
    let mut delta = Delta::default();
    if !dirs.is_empty() {
        delta.changes.push(Change::SetVar {
            name: VarName::new("MODULEPATH").expect("a literal name"),
            value: dirs.join(":").into(),
        });
    }
    let answered = Answered {
        delta,
        messages: String::new(),
        report: String::new(),
        voice: Voice::of(session, config, ""),
        cache_is_damaged: false,
    };
    finish(answered, row)
}

/// The directories that `MODULEPATH` of the session names, read as requests read it.
pub fn of_session(session: &Session, config: &Config) -> Vec<Utf8PathBuf> {
    let text = session.text("MODULEPATH").unwrap_or_default();
    let variable = |name: &str| session.text(name).map(str::to_owned);
    text.split(':')
        .filter(|dir| !dir.is_empty())
        .map(|dir| match config.resolve_modulepaths {
            true => {
                let here = session.cwd().map_or("".into(), |cwd| cwd.as_path());
                modulepath::resolve(dir, here, variable)
            }
            false => dir.into(),
        })
        .collect()
}

/// The directories that a file names, its patterns expanded.
fn directories(text: &str) -> Vec<String> {
    let lines = text
        .lines()
        .map(|line| line.split('#').next().unwrap_or_default().trim());
    lines
        .filter(|line| !line.is_empty())
        .flat_map(|line| glob::glob(line).into_iter().flatten().flatten())
        .filter(|path| path.is_dir())
        .filter_map(|path| path.into_os_string().into_string().ok())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_missing_directories_and_patterns_are_understood() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().to_str().unwrap();
        for name in ["b c", "a1", "a2"] {
            std::fs::create_dir(dir.path().join(name)).unwrap();
        }
        let text = format!("# all\n{root}/b c  # spaces\n\n{root}/missing\n{root}/a*\n");
        let wanted = ["b c", "a1", "a2"].map(|name| format!("{root}/{name}"));
        assert_eq!(directories(&text), wanted);
    }
}
