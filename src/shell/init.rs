//! The start-up code of each shell: `shell/init.*` with the paths of this installation filled in.
//!
//! Written once, at installation or for `eval "$(xmod init bash)"`; a shell that reads it runs no program. Source: the names of
//! the files and variables that clients look for (`LMOD_CMD`, `$MODULESHOME/init/SHELL`), Lmod and Environment Modules.

use camino::{Utf8Path, Utf8PathBuf};

use super::{Row, cmake, cmd, elvish, lisp, lua, nu, pwsh, python, quote, r, ruby, tcl};

/// The version of Lmod whose interface this is; clients compare it.
pub const LMOD_VERSION: &str = "9.2.9";

/// Where the program is, as shells will call it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InitPaths {
    /// `LMOD_CMD`: the program that shells call.
    pub command: Utf8PathBuf,
    /// `MODULESHOME`: below it are `init/` and `etc/`.
    pub home: Utf8PathBuf,
}

impl InitPaths {
    /// The paths of an installation: a program `PREFIX/bin/xmod` or `PREFIX/libexec/lmod` belongs to `PREFIX`, and shells
    /// call it as `PREFIX/libexec/lmod`. A program anywhere else is called as it is.
    pub fn of_program(exe: &Utf8Path) -> InitPaths {
        let home = exe
            .parent()
            .filter(|dir| matches!(dir.file_name(), Some("bin" | "libexec")))
            .and_then(Utf8Path::parent);
        match home {
            Some(home) if home.join("libexec/lmod").exists() => InitPaths {
                command: home.join("libexec/lmod"),
                home: home.to_owned(),
            },
            _ => InitPaths {
                command: exe.to_owned(),
                home: home
                    .or_else(|| exe.parent())
                    .unwrap_or(Utf8Path::new("/"))
                    .to_owned(),
            },
        }
    }

    /// The paths of an installation below `prefix`.
    pub fn of_prefix(prefix: &Utf8Path) -> InitPaths {
        InitPaths {
            command: prefix.join("libexec/lmod"),
            home: prefix.to_owned(),
        }
    }
}

/// The start-up code of one shell.
#[derive(Debug)]
pub struct Start {
    /// Its names below `init/`, as clients of both peers look for them.
    pub files: &'static [&'static str],
    text: &'static str,
    /// Code that only interactive shells run; empty where the shell has no completion for us.
    completion: &'static str,
    quote: fn(&[u8]) -> Vec<u8>,
    /// The statement that reads a file, in a shell that cannot take its text from the output of a command.
    reads: Option<&'static str>,
}

impl Start {
    /// A path as a word of this shell.
    pub fn word(&self, path: &str) -> String {
        String::from_utf8((self.quote)(path.as_bytes()))
            .expect("quoting adds ASCII to a path, which is UTF-8")
    }
}

impl Row {
    /// Code for `eval` that makes a session know `module`: the text of the start file, or a statement that reads the installed
    /// one. `None` where there is no such thing (JSON).
    pub fn autoinit(&self, paths: &InitPaths) -> Option<String> {
        let start = self.start.as_ref()?;
        match start.reads {
            Some(reads) => {
                let file = paths.home.join("init").join(start.files[0]);
                Some(format!("{reads} {};\n", start.word(file.as_str())))
            }
            None => self.init_text(paths),
        }
    }

    /// The text that a shell reads when it starts; `None` where there is no such thing (JSON).
    pub fn init_text(&self, paths: &InitPaths) -> Option<String> {
        let start = self.start.as_ref()?;
        let word = |path: &str| start.word(path);
        let dir = paths.command.parent().unwrap_or(Utf8Path::new("/"));
        Some(
            start
                .text
                .replace("@COMPLETION@\n", start.completion)
                .replace("@SHELL@", self.name)
                .replace("@MODULESHOME@", &word(paths.home.as_str()))
                .replace("@LMOD_CMD@", &word(paths.command.as_str()))
                .replace("@LMOD_DIR@", &word(dir.as_str()))
                .replace("@LMOD_VERSION@", &word(LMOD_VERSION)),
        )
    }
}

macro_rules! starts {
    ($($name:ident = $files:expr, $text:literal, $completion:expr, $quote:expr, $reads:expr;)*) => { $(
        pub(super) const $name: Option<Start> = Some(Start {
            files: &$files,
            text: include_str!(concat!("../../shell/", $text)),
            completion: $completion,
            quote: $quote,
            reads: $reads,
        });
    )* };
}

#[rustfmt::skip]
starts! {
    BASH = ["bash"], "init.bash", include_str!("../../shell/completions/bash"), quote::sh, None;
    ZSH = ["zsh"], "init.zsh", include_str!("../../shell/completions/zsh"), quote::sh, None;
    TCSH = ["tcsh"], "init.csh", include_str!("../../shell/completions/tcsh"), quote::csh, Some("source");
    CSH = ["csh"], "init.csh", include_str!("../../shell/completions/tcsh"), quote::csh, Some("source");
    FISH = ["fish", "profile.fish"], "init.fish", include_str!("../../shell/completions/fish"), quote::backslashed, None;
    SH = ["sh"], "init.sh", "", quote::sh, None;
    KSH = ["ksh"], "init.ksh", "", quote::sh, None;
    MKSH = ["mksh"], "init.ksh", "", quote::sh, None;
    YASH = ["yash"], "init.sh", "", quote::sh, None;
    RC = ["rc"], "init.rc", "", quote::doubled, None;
    NU = ["nushell"], "init.nu", "", |v| nu::string(v).expect(UTF8).into_bytes(), None;
    XONSH = ["xonsh.xsh"], "init.xsh", "", python::string, None;
    ELVISH = ["elvish", "xmod.elv"], "init.elv", "", elvish::string, None;
    PWSH = ["pwsh.ps1"], "init.ps1", "", |v| pwsh::string(v).expect(UTF8).into_bytes(), None;
    CMD = ["cmd.cmd"], "init.cmd", "", cmd::path, Some("call");
    PYTHON = ["env_modules_python.py", "env_modules.py", "python.py"], "init.py", "", python::string, None;
    PERL = ["perl", "perl.pm"], "init.pl", "", quote::backslashed, None;
    RUBY = ["env_modules_ruby.rb", "ruby.rb"], "init.rb", "", ruby::string, None;
    R = ["R", "r.R"], "init.R", "", r::string, None;
    CMAKE = ["cmake"], "init.cmake", "", cmake::string, None;
    LISP = ["lisp", "lisp.el"], "init.el", "", lisp::string, None;
    LUA = ["lua"], "init.lua", "", lua::string, None;
    TCL = ["tcl"], "init.tcl", "", tcl::string, None;
}

const UTF8: &str = "paths are UTF-8";

/// What shells run where a command is not found: their names and the texts. Opt-in (`xmod init SHELL --command-not-found`).
static NOT_FOUND: &[(&str, &str)] = &[
    ("bash", include_str!("../../shell/command-not-found/bash")),
    ("zsh", include_str!("../../shell/command-not-found/zsh")),
    ("fish", include_str!("../../shell/command-not-found/fish")),
];

/// The handler of a shell for commands that are not found; `None` where it has none.
pub fn command_not_found(shell: &str) -> Option<&'static str> {
    let found = NOT_FOUND.iter().find(|(name, _)| *name == shell);
    found.map(|(_, text)| *text)
}

#[cfg(test)]
mod tests {
    use super::super::SHELLS;
    use super::*;

    #[test]
    fn every_start_file_is_complete_and_quotes_its_paths() {
        let paths = InitPaths::of_prefix(Utf8Path::new("/opt/it's x"));
        for row in SHELLS.iter().filter(|row| row.start.is_some()) {
            let text = row.init_text(&paths).unwrap();
            assert!(text.contains("LMOD_CMD"), "{}", row.name);
            for placeholder in ["@MODULESHOME@", "@LMOD_", "@SHELL@", "@COMPLETION@"] {
                assert!(!text.contains(placeholder), "{}: {placeholder}", row.name);
            }
        }
    }

    #[test]
    fn no_two_start_files_share_a_name() {
        let mut files: Vec<&str> = SHELLS
            .iter()
            .filter_map(|row| row.start.as_ref())
            .flat_map(|start| start.files.iter().copied())
            .collect();
        files.sort_unstable();
        let count = files.len();
        files.dedup();
        assert_eq!(files.len(), count);
    }
}
