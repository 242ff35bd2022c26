//! A lock: a collection with the exact versions and the content of each modulefile, so that it comes back the same or
//! says what changed.
//!
//! It lies in `$XDG_CONFIG_HOME/xmod/locks/NAME.json`: a text to put under version control beside the job that needs it.

use camino::{Utf8Path, Utf8PathBuf};
use serde::{Deserialize, Serialize};

use super::sha256::sha256;
use super::{Collection, MAX_BYTES, Saved, check_name, write_atomically};
use crate::diag::{Diagnostic, Kind};
use crate::session::Session;

/// The format of this version.
const VERSION: u32 = 1;

#[derive(Debug, Serialize, Deserialize)]
struct File {
    version: u32,
    modulepath: Vec<(String, u32)>,
    modules: Vec<Locked>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Locked {
    name: String,
    requested: String,
    name_len: usize,
    file: String,
    sha256: String,
    #[serde(default)]
    depth: u32,
    #[serde(default)]
    auto: bool,
    #[serde(default)]
    variants: Vec<(String, String)>,
}

/// What is no longer as it was locked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Changed {
    /// The modulefile has another content.
    Edited {
        /// The module.
        full_name: String,
        /// Its file.
        file: Utf8PathBuf,
    },
    /// The modulefile is gone, or cannot be read.
    Gone {
        /// The module.
        full_name: String,
        /// Its file.
        file: Utf8PathBuf,
    },
}

impl Changed {
    /// What happened to which file.
    pub fn line(&self) -> String {
        match self {
            Changed::Edited { full_name, file } => format!("`{full_name}` was edited: {file}"),
            Changed::Gone { full_name, file } => format!("`{full_name}` is gone: {file}"),
        }
    }
}

/// Where the lock `name` lies.
///
/// # Errors
/// The name will not do, or there is no home directory.
pub fn path(session: &Session, name: &str) -> Result<Utf8PathBuf, Diagnostic> {
    check_name(name, "w_No_dot_Coll")?;
    let dir = session.config_home().ok_or_else(|| {
        Diagnostic::new(Kind::Site, "there is no home directory to keep locks in")
    })?;
    Ok(dir.join("xmod/locks").join(format!("{name}.json")))
}

/// Locks `collection` as `name`; gives the file.
///
/// # Errors
/// A modulefile cannot be read, or the lock cannot be written.
pub fn write(
    session: &Session,
    name: &str,
    collection: &Collection,
) -> Result<Utf8PathBuf, Diagnostic> {
    let path = path(session, name)?;
    write_file(&path, collection)?;
    Ok(path)
}

/// Writes a collection with the content of its modulefiles.
pub(super) fn write_file(path: &Utf8Path, collection: &Collection) -> Result<(), Diagnostic> {
    let modules = collection.modules.iter().map(lock_one);
    let file = File {
        version: VERSION,
        modulepath: collection.modulepath.clone(),
        modules: modules.collect::<Result<_, _>>()?,
    };
    let fail = |why: String| Diagnostic::new(Kind::Site, format!("cannot write `{path}`: {why}"));
    let mut text = serde_json::to_string_pretty(&file).map_err(|e| fail(e.to_string()))?;
    text.push('\n');
    let dir = path.parent().unwrap_or(Utf8Path::new("/"));
    write_atomically(dir, path, text.as_bytes()).map_err(|e| fail(e.to_string()))
}

fn lock_one(module: &Saved) -> Result<Locked, Diagnostic> {
    let text = std::fs::read(&module.file).map_err(|error| {
        Diagnostic::new(
            Kind::Module,
            format!("cannot lock `{}`: {error}", module.full_name),
        )
        .note(format!("its file is `{}`", module.file))
    })?;
    Ok(Locked {
        name: module.full_name.clone(),
        requested: module.requested.clone(),
        name_len: module.name_len,
        file: module.file.to_string(),
        sha256: sha256(&text),
        depth: module.depth,
        auto: module.auto,
        variants: module.variants.clone(),
    })
}

/// Reads the lock `name`: the collection, and what is no longer as it was.
///
/// # Errors
/// There is none, or it is damaged.
pub fn read(session: &Session, name: &str) -> Result<(Collection, Vec<Changed>), Diagnostic> {
    let path = path(session, name)?;
    read_file(&path)?.ok_or_else(|| {
        Diagnostic::new(Kind::Module, format!("no lock `{name}`"))
            .help(format!("`module lock {name}` locks the loaded modules"))
    })
}

/// Reads what [`write_file`] wrote; `None` where there is no such file.
pub(super) fn read_file(path: &Utf8Path) -> Result<Option<(Collection, Vec<Changed>)>, Diagnostic> {
    use std::io::Read;
    let mut text = Vec::new();
    let read =
        std::fs::File::open(path).and_then(|file| file.take(MAX_BYTES).read_to_end(&mut text));
    match read {
        Ok(_) => {}
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => {
            return Err(Diagnostic::new(
                Kind::Module,
                format!("cannot read `{path}`: {error}"),
            ));
        }
    }
    let file: File = serde_json::from_slice(&text)
        .map_err(|error| Diagnostic::new(Kind::Module, format!("`{path}` is damaged: {error}")))?;
    if file.version > VERSION {
        return Err(Diagnostic::new(
            Kind::Module,
            format!("`{path}` was written by a newer version"),
        ));
    }
    let mut changed = Vec::new();
    for module in &file.modules {
        let (full_name, file) = (module.name.clone(), Utf8PathBuf::from(&module.file));
        match std::fs::read(&module.file) {
            Ok(text) if sha256(&text) == module.sha256 => {}
            Ok(_) => changed.push(Changed::Edited { full_name, file }),
            Err(_) => changed.push(Changed::Gone { full_name, file }),
        }
    }
    let modules = file.modules.into_iter().map(|m| Saved {
        full_name: m.name,
        requested: m.requested,
        name_len: m.name_len,
        file: m.file.into(),
        depth: m.depth,
        auto: m.auto,
        variants: m.variants,
        ..Saved::default()
    });
    let collection = Collection {
        modules: modules.collect(),
        modulepath: file.modulepath,
        system_modulepath: None,
    };
    Ok(Some((collection, changed)))
}

/// The refusal to restore what is no longer as it was locked; `None` where nothing changed.
pub fn refuses(name: &str, changed: &[Changed]) -> Option<Diagnostic> {
    if changed.is_empty() {
        return None;
    }
    let mut diagnostic = Diagnostic::new(
        Kind::Module,
        format!("the modules of lock `{name}` have changed since it was made"),
    );
    diagnostic.notes.extend(changed.iter().map(Changed::line));
    Some(diagnostic.help(format!(
        "look at the changes, then lock again: `module --force --locked restore {name}`, `module lock {name}`"
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_tells_which_modulefiles_changed() {
        let home = tempfile::tempdir().unwrap();
        let home = Utf8Path::from_path(home.path()).unwrap();
        let mut session = Session::default();
        session.env.insert("HOME".into(), home.as_str().into());
        let saved = |name: &str| {
            let file = home.join(name);
            std::fs::write(&file, name).unwrap();
            Saved {
                full_name: format!("{name}/1"),
                requested: name.to_owned(),
                name_len: name.len(),
                file,
                variants: vec![("mpi".to_owned(), "1".to_owned())],
                ..Saved::default()
            }
        };
        let collection = Collection {
            modules: vec![saved("a"), saved("b"), saved("c")],
            modulepath: vec![("/mods".to_owned(), 1)],
            system_modulepath: None,
        };
        let path = write(&session, "work", &collection).unwrap();
        assert_eq!(path, home.join(".config/xmod/locks/work.json"));
        let (read_again, changed) = read(&session, "work").unwrap();
        assert_eq!(read_again, collection);
        assert!(refuses("work", &changed).is_none());
        std::fs::write(home.join("a"), "edited").unwrap();
        std::fs::remove_file(home.join("b")).unwrap();
        let (_, changed) = read(&session, "work").unwrap();
        let refusal = refuses("work", &changed).unwrap();
        assert_eq!(
            refusal.notes,
            [
                format!("`a/1` was edited: {home}/a"),
                format!("`b/1` is gone: {home}/b")
            ]
        );
        assert!(write(&session, "work", &collection).is_err());
        std::fs::write(&path, "{").unwrap();
        assert!(
            read(&session, "work")
                .unwrap_err()
                .message
                .contains("is damaged")
        );
        assert_eq!(
            read(&session, "none").unwrap_err().message,
            "no lock `none`"
        );
    }
}
