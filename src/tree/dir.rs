//! One directory of a modulepath: which of its entries are modulefiles, directories, default markers.
//!
//! Nothing is evaluated here. Source: Lmod user guide "How modulefiles are found"; `modulefile(4)`; `module(1)` avail.

use std::collections::BTreeSet;
use std::io;
use std::os::unix::fs::MetadataExt;

use camino::{Utf8Path, Utf8PathBuf};
use rustix::fs::{FileType, Mode, OFlags};

use super::children::Children;
use crate::modulefile::Language;

/// A directory as it was read.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Dir {
    /// Its entries by the name they give a module: without `.lua` and `.toml`.
    pub children: Children,
    /// Its default markers.
    pub markers: Markers,
    /// Those of its directories that are links.
    pub links: BTreeSet<String>,
    /// Those of its directories that have a TOML file of the same name beside them.
    pub toml_beside: BTreeSet<String>,
    /// Whether there were files that were looked into and are no modulefiles; they are not among the entries.
    pub others: bool,
}

/// An entry of a directory.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Child {
    /// A directory.
    Dir,
    /// A file that may be a modulefile; one whose name does not tell has to be looked into.
    File(FileChild),
}

/// A file that may be a modulefile.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct FileChild {
    /// Its name in the directory.
    pub file_name: String,
    /// Its language where the name tells it.
    pub language: Option<Language>,
    /// How it begins, where somebody has looked.
    pub begins: Option<Begins>,
}

/// How a file begins whose name does not tell what it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Begins {
    /// As a modulefile.
    AsModulefile,
    /// As something else.
    Otherwise,
    /// It is too short to tell, or cannot be read: that may change without a change of the directory.
    Unclear,
}

/// What marks a default in a directory.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Markers {
    /// The version that the link `default` points at.
    pub link: Option<String>,
    /// There is a `.modulerc.lua`.
    pub rc_lua: bool,
    /// There is a `.modulerc`.
    pub rc_tcl: bool,
    /// There is a `.version`.
    pub version: bool,
}

impl Markers {
    /// Whether there is any.
    pub fn any(&self) -> bool {
        self.link.is_some() || self.rc_lua || self.rc_tcl || self.version
    }
}

impl Dir {
    /// Reads a directory. Entries that cannot be a part of a module name are left out, and so is what lies behind broken
    /// links.
    ///
    /// # Errors
    /// The directory cannot be read.
    pub fn read(path: &Utf8Path, default_links: bool) -> io::Result<Dir> {
        let mut dir = Dir::default();
        let mut children = Vec::new();
        each_entry(path, default_links, |name, kind| {
            let markers = &mut dir.markers;
            match kind {
                EntryKind::Marker if name == "default" => {
                    markers.link = link_target(&path.join(name));
                }
                EntryKind::Marker if name == ".modulerc.lua" => markers.rc_lua = true,
                EntryKind::Marker if name == ".modulerc" => markers.rc_tcl = true,
                EntryKind::Marker => markers.version = true,
                EntryKind::Dir => children.push((name.to_owned(), Child::Dir)),
                EntryKind::LinkedDir => {
                    dir.links.insert(name.to_owned());
                    children.push((name.to_owned(), Child::Dir));
                }
                EntryKind::File => children.extend(file(name)),
            }
        })?;
        dir.children = Children::from_unsorted(children, |name, kept, other| {
            if let Some(name) = merge(name, kept, other) {
                dir.toml_beside.insert(name);
            }
        });
        Ok(dir)
    }

    /// Its entries as text. Files that are no modulefiles are no more than counted.
    pub fn to_text(&self) -> String {
        let dir = self;
        let mut text = String::new();
        let mut add = |kind: char, name: &str| {
            text.push(kind);
            text.push_str(name);
            text.push('\n');
        };
        let mut others = dir.others;
        for (name, child) in dir.children.iter() {
            match child {
                Child::Dir if dir.links.contains(name) => add('l', name),
                Child::Dir => add('d', name),
                Child::File(file) => match file.begins {
                    _ if file.language.is_some() => add('f', &file.file_name),
                    Some(Begins::Otherwise) => others = true,
                    Some(Begins::AsModulefile) => add('c', &file.file_name),
                    // Has to be looked into again.
                    Some(Begins::Unclear) | None => add('u', &file.file_name),
                },
            }
        }
        if others {
            add('o', "");
        }
        for name in &dir.toml_beside {
            add('t', name);
        }
        let markers = &dir.markers;
        for (marked, kind) in [
            (markers.rc_lua, 'A'),
            (markers.rc_tcl, 'B'),
            (markers.version, 'C'),
        ] {
            if marked {
                add(kind, "");
            }
        }
        if let Some(link) = &markers.link {
            add('m', link);
        }
        text
    }

    /// A directory from its entries as text; `None` where the text is damaged.
    pub fn from_text(entries: &str) -> Option<Dir> {
        let mut dir = Dir::default();
        for line in entries.lines() {
            let kind = line.chars().next()?;
            let name = line.get(kind.len_utf8()..)?;
            let mut file = |begins| {
                let child = FileChild {
                    language: Language::of_name(name),
                    file_name: name.to_owned(),
                    begins,
                };
                dir.children.add(module_part(name), Child::File(child));
            };
            match kind {
                'f' | 'u' => file(None),
                'c' => file(Some(Begins::AsModulefile)),
                'o' => dir.others = true,
                'd' | 'l' => {
                    dir.children.add(name, Child::Dir);
                    if kind == 'l' {
                        dir.links.insert(name.to_owned());
                    }
                }
                't' => {
                    dir.toml_beside.insert(name.to_owned());
                }
                'A' => dir.markers.rc_lua = true,
                'B' => dir.markers.rc_tcl = true,
                'C' => dir.markers.version = true,
                'm' => dir.markers.link = Some(name.to_owned()),
                _ => return None,
            }
        }
        Some(dir)
    }

    /// Whether the directory holds modulefiles and no directories, or a marker: then it ends the name of a module.
    pub fn ends_name(&self) -> bool {
        let is_empty = self.children.is_empty() && !self.others;
        self.markers.any() || !is_empty && !self.children.values().any(|c| *c == Child::Dir)
    }
}

/// A file that may be a modulefile, by the name that it gives a module.
fn file(file_name: &str) -> Option<(String, Child)> {
    let name = module_part(file_name);
    let child = FileChild {
        file_name: file_name.to_owned(),
        language: Language::of_name(file_name),
        begins: None,
    };
    (!name.is_empty()).then(|| (name.to_owned(), Child::File(child)))
}

/// Makes one of two entries for the same name: a directory hides a file, and of two files the more explicit language counts.
/// Gives the name where it is a directory with a TOML file beside it.
fn merge(name: &str, kept: &mut Child, other: Child) -> Option<String> {
    let language = |child: &Child| match child {
        Child::Dir => None,
        Child::File(file) => file.language,
    };
    let any_toml = [language(kept), language(&other)].contains(&Some(Language::Toml));
    match (&kept, &other) {
        (Child::Dir, _) => {}
        (Child::File(known), Child::File(file)) if rank(known.language) >= rank(file.language) => {}
        _ => *kept = other,
    }
    (*kept == Child::Dir && any_toml).then(|| name.to_owned())
}

/// What an entry of a directory is to modules.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EntryKind {
    /// It marks a default.
    Marker,
    /// A directory.
    Dir,
    /// A link to a directory.
    LinkedDir,
    /// A file that may be a modulefile.
    File,
}

/// Goes through the entries of a directory, in no order. Those that cannot be a part of a module name are left out, and so
/// is what lies behind broken links.
///
/// # Errors
/// The directory cannot be read.
pub fn each_entry(
    path: &Utf8Path,
    default_links: bool,
    mut take: impl FnMut(&str, EntryKind),
) -> io::Result<()> {
    // One call less for each directory than the standard library, which asks for its size first.
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let dir = rustix::fs::Dir::new(rustix::fs::open(path.as_str(), flags, Mode::empty())?)?;
    for entry in dir {
        let entry = entry?;
        let Ok(name) = entry.file_name().to_str() else {
            continue;
        };
        if matches!(name, ".modulerc.lua" | ".modulerc" | ".version") {
            take(name, EntryKind::Marker);
            continue;
        }
        if matches!(name, "." | "..") || is_ignored(name) {
            continue;
        }
        let kind = match entry.file_type() {
            // Some file systems tell it only when asked.
            FileType::Unknown => {
                let found = std::fs::symlink_metadata(path.join(name))?;
                FileType::from_raw_mode(found.mode())
            }
            kind => kind,
        };
        match kind {
            FileType::Symlink if name == "default" && default_links => {
                take(name, EntryKind::Marker)
            }
            FileType::Symlink => match std::fs::metadata(path.join(name)) {
                Ok(target) if target.is_dir() => take(name, EntryKind::LinkedDir),
                Ok(target) if target.is_file() => take(name, EntryKind::File),
                _ => {}
            },
            FileType::Directory => take(name, EntryKind::Dir),
            FileType::RegularFile => take(name, EntryKind::File),
            _ => {}
        }
    }
    Ok(())
}

/// TOML before Lua before Tcl: the file that was written for xmod is the one to take.
fn rank(language: Option<Language>) -> u8 {
    match language {
        Some(Language::Toml) => 2,
        Some(Language::Lua) => 1,
        Some(Language::Tcl) | None => 0,
    }
}

/// The part of a file's name that belongs to the module's name.
pub(crate) fn module_part(file_name: &str) -> &str {
    file_name
        .strip_suffix(".lua")
        .or_else(|| file_name.strip_suffix(".toml"))
        .unwrap_or(file_name)
}

/// The version that a link `default` stands for.
pub(super) fn link_target(link: &Utf8Path) -> Option<String> {
    let target = Utf8PathBuf::from_path_buf(std::fs::read_link(link).ok()?).ok()?;
    // A link that leads nowhere marks nothing.
    std::fs::metadata(link).ok()?;
    Some(module_part(target.file_name()?).to_owned())
}

/// Whether an entry cannot be a part of a module name: rests of editors and of version control, names with blanks at
/// their ends, names that begin with `__`.
pub(crate) fn is_ignored(name: &str) -> bool {
    const NAMES: &[&str] = &[
        ".git",
        ".gitignore",
        ".svn",
        ".lua",
        ".DS_Store",
        ".modulecache",
        "CVS",
        "RCS",
        "SCCS",
        ".SYNC",
        ".sos",
    ];
    const STARTS: &[&str] = &["#", ".#", "__", ".version", ".modulerc"];
    const ENDS: &[&str] = &["~", "#", ",v"];
    NAMES.contains(&name)
        || STARTS.iter().any(|start| name.starts_with(start))
        || ENDS.iter().any(|end| name.ends_with(end))
        || name.starts_with('.') && name.ends_with(".swp")
        // Nearly all names are plain ASCII, and there may be thousands.
        || name.bytes().any(|byte| !byte.is_ascii_graphic())
            && (name.trim() != name || name.chars().any(char::is_control))
}
