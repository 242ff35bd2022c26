//! The world as it was when the process began: arguments, environment, directory, terminal.
//!
//! Filled once, by `main`; nothing else reads the process's environment. Facts that cost a system call or a child
//! process are asked for when they are first needed and kept.

use std::collections::BTreeMap;
use std::os::unix::ffi::OsStringExt;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use bstr::{BStr, BString, ByteSlice};
use camino::Utf8PathBuf;

/// Variables with their values, both any bytes, sorted by name.
pub type Environment = BTreeMap<BString, BString>;

/// One run of the program.
#[derive(Debug, Default, Clone)]
pub struct Session {
    /// The last component of the name the program was called by: `xmod`, `lmod`, `modulecmd`, `spider`.
    pub program: String,
    /// The arguments after the program's name.
    pub args: Vec<BString>,
    /// The environment at the start.
    pub env: Environment,
    /// The name the program was called by, as it was given.
    called_as: BString,
    cwd: Fact<Option<Utf8PathBuf>>,
    stderr_is_terminal: Fact<bool>,
    groups: OnceLock<Vec<String>>,
    user: OnceLock<String>,
    exe: OnceLock<Option<Utf8PathBuf>>,
    questions: Questions,
}

/// What the system is asked for once, when somebody wants to know; the default where there is no process behind.
#[derive(Debug, Default, Clone)]
struct Fact<T> {
    known: OnceLock<T>,
    ask: Option<fn() -> T>,
}

impl<T: Default> Fact<T> {
    fn asked_of(ask: fn() -> T) -> Fact<T> {
        Fact {
            known: OnceLock::new(),
            ask: Some(ask),
        }
    }

    fn get(&self) -> &T {
        let ask = || self.ask.map_or_else(T::default, |ask| ask());
        self.known.get_or_init(ask)
    }
}

impl<T> From<T> for Fact<T> {
    fn from(value: T) -> Fact<T> {
        Fact {
            known: OnceLock::from(value),
            ask: None,
        }
    }
}

/// What was asked since the last [`Session::forget_questions`].
#[derive(Debug, Default)]
struct Questions {
    user: AtomicBool,
}

/// A copy has not been asked anything.
impl Clone for Questions {
    fn clone(&self) -> Questions {
        Questions::default()
    }
}

impl Session {
    /// Reads the process's own world.
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the one place that reads them"
    )]
    pub fn from_process() -> Session {
        use std::io::IsTerminal;
        let mut args = std::env::args_os().map(|a| BString::from(a.into_vec()));
        let called_as = args.next().unwrap_or_default();
        let program = called_as
            .rsplit_str("/")
            .next()
            .unwrap_or_default()
            .to_str_lossy()
            .into_owned();
        Session {
            program,
            called_as,
            args: args.collect(),
            env: std::env::vars_os()
                .map(|(k, v)| (BString::from(k.into_vec()), BString::from(v.into_vec())))
                .collect(),
            cwd: Fact::asked_of(|| {
                let dir = std::env::current_dir().ok()?;
                Utf8PathBuf::from_path_buf(dir).ok()
            }),
            stderr_is_terminal: Fact::asked_of(|| std::io::stderr().is_terminal()),
            ..Session::default()
        }
    }

    /// The same world with other variables.
    #[must_use]
    pub fn with_environment(&self, env: Environment) -> Session {
        Session {
            program: self.program.clone(),
            args: self.args.clone(),
            env,
            cwd: self.cwd.clone(),
            ..Session::default()
        }
    }

    /// The working directory; `None` where it is gone or not UTF-8.
    pub fn cwd(&self) -> Option<&Utf8PathBuf> {
        self.cwd.get().as_ref()
    }

    /// The same world with another working directory.
    #[must_use]
    pub fn in_directory(self, dir: Utf8PathBuf) -> Session {
        Session {
            cwd: Some(dir).into(),
            ..self
        }
    }

    /// Whether people see standard error directly.
    pub fn stderr_is_terminal(&self) -> bool {
        *self.stderr_is_terminal.get()
    }

    /// The same world with a terminal, or without.
    #[must_use]
    pub fn with_terminal(self, stderr_is_terminal: bool) -> Session {
        Session {
            stderr_is_terminal: stderr_is_terminal.into(),
            ..self
        }
    }

    /// The value of a variable at the start.
    pub fn var(&self, name: &str) -> Option<&BStr> {
        self.env.get(name.as_bytes().as_bstr()).map(|v| v.as_bstr())
    }

    /// The value of a variable as text; `None` where unset or not UTF-8.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.var(name).and_then(|v| v.to_str().ok())
    }

    /// The user's home directory from `HOME`, without a look at any database.
    pub fn home(&self) -> Option<Utf8PathBuf> {
        self.text("HOME")
            .filter(|h| !h.is_empty())
            .map(Utf8PathBuf::from)
    }

    /// The directory for configuration files: `XDG_CONFIG_HOME`, else `~/.config`.
    pub fn config_home(&self) -> Option<Utf8PathBuf> {
        match self.text("XDG_CONFIG_HOME") {
            Some(dir) if dir.starts_with('/') => Some(dir.into()),
            _ => self.home().map(|h| h.join(".config")),
        }
    }

    /// The directory for caches: `XDG_CACHE_HOME`, else `~/.cache`.
    pub fn cache_home(&self) -> Option<Utf8PathBuf> {
        match self.text("XDG_CACHE_HOME") {
            Some(dir) if dir.starts_with('/') => Some(dir.into()),
            _ => self.home().map(|h| h.join(".cache")),
        }
    }

    /// The path of the running program, links resolved; `None` where the system does not tell and its name is no help.
    pub fn exe(&self) -> Option<&Utf8PathBuf> {
        self.exe
            .get_or_init(|| match std::env::current_exe() {
                Ok(path) => Utf8PathBuf::from_path_buf(path).ok(),
                // A bare root without `/proc`.
                Err(_) => self.found_by_name(),
            })
            .as_ref()
    }

    /// The program that a shell would have found under the name we were called by.
    fn found_by_name(&self) -> Option<Utf8PathBuf> {
        let name = self.called_as.to_str().ok()?;
        let path = if name.contains('/') {
            self.cwd()?.join(name)
        } else {
            let dirs = self.text("PATH")?.split(':').map(Utf8PathBuf::from);
            dirs.map(|dir| dir.join(name)).find(|file| file.is_file())?
        };
        path.canonicalize_utf8().ok()
    }

    /// Forgets what was asked so far.
    pub fn forget_questions(&self) {
        self.questions.user.store(false, Ordering::Relaxed);
    }

    /// Whether somebody asked who the user is. Threads that want to know this work with copies.
    pub fn was_asked_for_user(&self) -> bool {
        self.questions.user.load(Ordering::Relaxed)
    }

    /// Whether the effective user is root.
    pub fn is_root(&self) -> bool {
        self.questions.user.store(true, Ordering::Relaxed);
        nix::unistd::geteuid().is_root()
    }

    /// The numbers of the real and of the effective user.
    pub fn user_ids(&self) -> (u32, u32) {
        self.questions.user.store(true, Ordering::Relaxed);
        let ids = (nix::unistd::getuid(), nix::unistd::geteuid());
        (ids.0.as_raw(), ids.1.as_raw())
    }

    /// The line that a system database (`passwd`, `group`) has for a name or a number.
    pub fn entry(&self, database: &str, key: &str) -> Option<String> {
        self.questions.user.store(true, Ordering::Relaxed);
        getent(database, key)
    }

    /// The login name. `USER` or `LOGNAME` are taken only where `getent` does not know the user: they are the user's to
    /// change, and rules about who may load what must not follow them.
    pub fn user(&self) -> &str {
        self.questions.user.store(true, Ordering::Relaxed);
        self.user.get_or_init(|| {
            let uid = nix::unistd::geteuid();
            getent("passwd", &uid.to_string())
                .and_then(|line| line.split(':').next().map(str::to_owned))
                .or_else(|| {
                    self.text("USER")
                        .or_else(|| self.text("LOGNAME"))
                        .map(str::to_owned)
                })
                .unwrap_or_else(|| uid.to_string())
        })
    }

    /// The names of the user's groups, sorted; a group without a name is given by its number.
    pub fn groups(&self) -> &[String] {
        self.questions.user.store(true, Ordering::Relaxed);
        self.groups.get_or_init(|| {
            let mut ids = nix::unistd::getgroups().unwrap_or_default();
            ids.push(nix::unistd::getegid());
            ids.sort_by_key(|id| id.as_raw());
            ids.dedup();
            let mut names: Vec<String> = ids
                .iter()
                .map(|id| {
                    getent("group", &id.to_string())
                        .and_then(|line| line.split(':').next().map(str::to_owned))
                        .unwrap_or_else(|| id.to_string())
                })
                .collect();
            names.sort();
            names
        })
    }
}

/// Shows `said` to people and reads what they answer; 0 bytes are the end.
///
/// # Errors
/// Standard input cannot be read.
pub fn ask(said: &[u8], answer: &mut [u8]) -> std::io::Result<usize> {
    use std::io::{Read, Write};
    // Whoever does not see the question may still answer it.
    let _ = std::io::stderr().write_all(said);
    std::io::stdin().read(answer)
}

/// The name that a system database (`passwd`, `group`) has for a number.
pub fn look_up(database: &str, number: &str) -> Option<String> {
    if number.is_empty() || !number.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let line = getent(database, number)?;
    line.split(':').next().map(str::to_owned)
}

/// One entry of a system database. A static binary cannot load the plug-ins that know users of LDAP and the like, so the
/// system's own program is asked.
fn getent(database: &str, key: &str) -> Option<String> {
    let output = std::process::Command::new("getent")
        .arg(database)
        .arg(key)
        .output()
        .ok()?;
    if !output.status.success() {
        return None;
    }
    let line = String::from_utf8(output.stdout).ok()?;
    line.lines().next().map(str::to_owned)
}
