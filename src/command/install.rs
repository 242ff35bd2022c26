//! `xmod install` and `xmod uninstall`: a tree that clients of both peers find their way in.
//!
//! ```text
//! PREFIX/bin/xmod                        the program, the one file that is not text
//! PREFIX/libexec/{lmod,spider,...}       links to it: the name says whose interface is wanted
//! PREFIX/init/SHELL                      what shells read when they start
//! PREFIX/etc/profile.d/xmod.{sh,csh}     for login shells: link or copy them to /etc/profile.d
//! PREFIX/etc/modulespath                 the first MODULEPATH, one directory a line; written only when asked for
//! PREFIX/share/man                       manual pages
//! PREFIX/share/{bash-completion,fish,zsh}  completion of `xmod`; in zsh that of `module` too
//! PREFIX/share/xmod/installed            the files that `uninstall` takes away
//! ```
//!
//! Paths in the files are those of `PREFIX`; with `--destdir` they are written below another root (packages, images).
//! Each file is replaced by a rename, so that an upgrade is safe while sessions use the old one. In a tree that was moved
//! the start files find the program next to themselves, or where `MODULESHOME` says.

use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::{PermissionsExt, symlink};

use camino::{Utf8Path, Utf8PathBuf};

use crate::diag::{Diagnostic, Kind};
use crate::shell::{InitPaths, SHELLS, find};

/// What to install, and where.
#[derive(Debug)]
pub struct Install<'a> {
    /// The program to copy.
    pub program: &'a Utf8Path,
    /// Where it will be used.
    pub prefix: &'a Utf8Path,
    /// Below which root the files are written instead of `/`.
    pub destdir: Option<&'a Utf8Path>,
    /// The directories of the first `MODULEPATH`; none leaves a file that is there alone.
    pub modulepath: &'a [String],
    /// Manual pages: name of the file and text.
    pub manuals: &'a [(&'a str, String)],
    /// Completion of the program itself: path below the prefix and text.
    pub completions: &'a [(&'a str, String)],
}

/// Completion by itself, under the names that start files of users know from the two peers.
const COMPLETIONS: &[(&str, &str)] = &[
    (
        "share/zsh/site-functions/_xmod",
        include_str!("../../shell/completions/zsh-autoload"),
    ),
    (
        "init/zsh-functions/_module",
        include_str!("../../shell/completions/zsh-autoload"),
    ),
    (
        "init/lmod_bash_completions",
        include_str!("../../shell/completions/bash"),
    ),
    (
        "init/bash_completion",
        include_str!("../../shell/completions/bash"),
    ),
    (
        "init/fish_completion",
        include_str!("../../shell/completions/fish"),
    ),
    (
        "init/tcsh_completion",
        include_str!("../../shell/completions/tcsh"),
    ),
];

const MANIFEST: &str = "share/xmod/installed";

impl Install<'_> {
    /// Writes all files; gives the lines that tell the admin what to do next.
    ///
    /// # Errors
    /// A prefix that is not absolute or not plain text, or a file that cannot be written.
    pub fn run(&self) -> Result<String, Diagnostic> {
        check_prefix(self.prefix)?;
        let mut files = Tree::new(self.prefix, self.destdir);
        let program = fs::read(self.program).map_err(|e| failed("read", self.program, &e))?;
        files.write("bin/xmod", &program, 0o755)?;
        for name in ["lmod", "spider", "modulecmd", "modulecmd.tcl"] {
            files.link(&format!("libexec/{name}"), "../bin/xmod")?;
        }
        let paths = InitPaths::of_prefix(self.prefix);
        for row in SHELLS {
            if let (Some(start), Some(text)) = (&row.start, row.init_text(&paths)) {
                for file in start.files {
                    files.write(&format!("init/{file}"), text.as_bytes(), 0o644)?;
                }
            }
        }
        // Next to the names for /etc/profile.d, those that sites know from Lmod and Environment Modules.
        for name in ["etc/profile.d/xmod.sh", "init/profile", "init/profile.sh"] {
            let text = self.login("sh", include_str!("../../shell/profile.sh"));
            files.write(name, text.as_bytes(), 0o644)?;
        }
        for name in ["etc/profile.d/xmod.csh", "init/cshrc", "init/profile.csh"] {
            let text = self.login("csh", include_str!("../../shell/profile.csh"));
            files.write(name, text.as_bytes(), 0o644)?;
        }
        for (name, text) in COMPLETIONS {
            files.write(name, text.as_bytes(), 0o644)?;
        }
        for (name, text) in self.completions {
            files.write(name, text.as_bytes(), 0o644)?;
        }
        // Shells that find functions along FPATH read the start file when one of these is first called.
        for dir in ["init/ksh_funcs", "init/ksh-functions"] {
            for name in ["module", "ml"] {
                files.write(
                    &format!("{dir}/{name}"),
                    self.login("ksh", ". @MODULESHOME@/init/ksh\n").as_bytes(),
                    0o644,
                )?;
            }
        }
        for (name, text) in self.manuals {
            files.write(&format!("share/man/man1/{name}"), text.as_bytes(), 0o644)?;
        }
        files.finish()?;
        let modulespath = "etc/modulespath";
        if !self.modulepath.is_empty() {
            let mut text =
                String::from("# The first MODULEPATH of a session: one directory a line.\n");
            for dir in self.modulepath {
                text.push_str(dir);
                text.push('\n');
            }
            // Not in the manifest: it is the admin's from now on.
            files.write(modulespath, text.as_bytes(), 0o644)?;
        }
        let prefix = self.prefix;
        let mut next = format!(
            "installed below {}\n\nnext steps:\n  ln -s {prefix}/etc/profile.d/xmod.sh {prefix}/etc/profile.d/xmod.csh /etc/profile.d/\n  \
             echo '. {prefix}/init/zsh' >>/etc/zsh/zshenv\n  \
             ln -s {prefix}/init/fish /etc/fish/conf.d/xmod.fish\n  \
             ln -s {prefix}/bin/xmod /usr/local/bin/\n",
            files.root
        );
        if !files.root.join(modulespath).exists() {
            next.push_str(&format!(
                "  echo /path/to/modulefiles >{prefix}/{modulespath}\n"
            ));
        }
        Ok(next)
    }

    /// A start file of login shells, `shell` being the one whose quotes it takes.
    fn login(&self, shell: &str, text: &str) -> String {
        let start = find(shell).and_then(|row| row.start.as_ref());
        let start = start.expect("sh and csh have start files");
        text.replace("@MODULESHOME@", &start.word(self.prefix.as_str()))
    }
}

/// Takes away what `install` wrote; directories stay where they hold other files.
///
/// # Errors
/// There is no list of installed files, or a file cannot be removed.
pub fn uninstall(prefix: &Utf8Path, destdir: Option<&Utf8Path>) -> Result<String, Diagnostic> {
    check_prefix(prefix)?;
    let root = below(destdir, prefix);
    let manifest = root.join(MANIFEST);
    let text = fs::read_to_string(&manifest).map_err(|error| {
        failed("read", &manifest, &error).help("only a tree made by `xmod install` can be removed")
    })?;
    let mut removed = 0;
    for file in text.lines().chain([MANIFEST]) {
        // The list is a file like any other: nothing outside of the tree is touched on its word.
        let relative = Utf8Path::new(file);
        if relative.is_absolute() || relative.components().any(|c| c.as_str() == "..") {
            continue;
        }
        let path = root.join(relative);
        match fs::remove_file(&path) {
            Ok(()) => removed += 1,
            Err(e) if e.kind() == io::ErrorKind::NotFound => {}
            Err(e) => return Err(failed("remove", &path, &e)),
        }
        for dir in relative.ancestors().skip(1) {
            // Not empty, or the prefix itself is shared with others: it stays.
            if fs::remove_dir(root.join(dir)).is_err() {
                break;
            }
        }
    }
    Ok(format!("removed {removed} files below {root}\n"))
}

/// Files below one root, and their names.
struct Tree {
    root: Utf8PathBuf,
    names: Vec<String>,
}

impl Tree {
    fn new(prefix: &Utf8Path, destdir: Option<&Utf8Path>) -> Tree {
        Tree {
            root: below(destdir, prefix),
            names: Vec::new(),
        }
    }

    fn make_room(&mut self, name: &str) -> Result<Utf8PathBuf, Diagnostic> {
        let path = self.root.join(name);
        let dir = path.parent().unwrap_or(&self.root);
        fs::create_dir_all(dir).map_err(|e| failed("make", dir, &e))?;
        self.names.push(name.to_owned());
        Ok(path)
    }

    fn write(&mut self, name: &str, bytes: &[u8], mode: u32) -> Result<(), Diagnostic> {
        let path = self.make_room(name)?;
        let write = || -> io::Result<()> {
            let dir = path.parent().unwrap_or(&self.root);
            let mut file = tempfile::NamedTempFile::new_in(dir)?;
            file.write_all(bytes)?;
            file.as_file()
                .set_permissions(fs::Permissions::from_mode(mode))?;
            file.as_file().sync_all()?;
            file.persist(&path)?;
            Ok(())
        };
        write().map_err(|e| failed("write", &path, &e))
    }

    fn link(&mut self, name: &str, target: &str) -> Result<(), Diagnostic> {
        let path = self.make_room(name)?;
        let link = || -> io::Result<()> {
            // A fresh directory next to it: the link gets its name by a rename, too.
            let dir = tempfile::tempdir_in(path.parent().unwrap_or(&self.root))?;
            let fresh = dir.path().join("link");
            symlink(target, &fresh)?;
            fs::rename(&fresh, &path)
        };
        link().map_err(|e| failed("make", &path, &e))
    }

    fn finish(&mut self) -> Result<(), Diagnostic> {
        let mut text = self.names.join("\n");
        text.push('\n');
        self.write(MANIFEST, text.as_bytes(), 0o644)
    }
}

fn check_prefix(prefix: &Utf8Path) -> Result<(), Diagnostic> {
    let wrong = if !prefix.is_absolute() {
        "must be an absolute path"
    } else if prefix.as_str().chars().any(char::is_control) {
        "must not hold control characters"
    } else {
        return Ok(());
    };
    Err(Diagnostic::new(
        Kind::Usage,
        format!("the prefix `{prefix}` {wrong}"),
    ))
}

fn below(destdir: Option<&Utf8Path>, prefix: &Utf8Path) -> Utf8PathBuf {
    match destdir {
        Some(root) => root.join(prefix.as_str().trim_start_matches('/')),
        None => prefix.to_owned(),
    }
}

fn failed(verb: &str, path: &Utf8Path, error: &io::Error) -> Diagnostic {
    Diagnostic::new(Kind::Site, format!("cannot {verb} `{path}`: {error}"))
}
