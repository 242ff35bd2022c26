//! Saved collections of modules: what they hold, where they lie, how they are written and read.
//!
//! They are written where and how the peer of the policy writes them, so that users can go back and forth, and both
//! peers' are read. Writing is atomic; the old file is kept as `NAME~`.
//!
//! Sources: Lmod user guide "User collections"; `module(1)` "Collections".

pub mod frozen;
mod lmod;
pub mod lock;
mod modules;
mod sha256;

use std::io::Write;
use std::time::SystemTime;

use bstr::ByteSlice;
use camino::{Utf8Path, Utf8PathBuf};

use crate::config::{CollectionFormat, Config};
use crate::diag::{Diagnostic, Kind};
use crate::env::State;
use crate::session::Session;

/// Largest collection that is read, in bytes.
const MAX_BYTES: u64 = 16 << 20;

/// A set of modules as it was saved.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Collection {
    /// The modules in load order.
    pub modules: Vec<Saved>,
    /// The directories of `MODULEPATH`, each with how often it was added; 0 where unknown.
    pub modulepath: Vec<(String, u32)>,
    /// `MODULEPATH` as the system gave it, where it is known.
    pub system_modulepath: Option<String>,
}

/// One module of a collection.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Saved {
    /// Its full name; empty where the collection only has what to ask for.
    pub full_name: String,
    /// How it was asked for.
    pub requested: String,
    /// Its file; empty where unknown.
    pub file: Utf8PathBuf,
    /// How deep in other modules' loads it was loaded.
    pub depth: u32,
    /// Loaded only because another module depends on it.
    pub auto: bool,
    /// Its variants.
    pub variants: Vec<(String, String)>,
    /// Its tags.
    pub tags: Vec<String>,
    /// Those of its tags that it was loaded with.
    pub own_tags: Vec<String>,
    /// Its properties.
    pub properties: Vec<(String, String)>,
    /// The families it holds.
    pub families: Vec<String>,
    /// How many bytes of the full name are the name without version.
    pub name_len: usize,
}

impl Collection {
    /// The modules and the modulepath of a state.
    pub fn of(state: &mut State) -> Collection {
        let modules = state.loaded.active().iter().map(|m| Saved {
            full_name: m.full_name.clone(),
            requested: m.requested.clone(),
            file: m.file.clone(),
            depth: m.depth,
            auto: m.auto,
            variants: m.variants.clone(),
            tags: m.tags.clone(),
            own_tags: m.own_tags.clone(),
            properties: m.properties.clone(),
            families: m.families.clone(),
            name_len: m.name_len,
        });
        let modules = modules.collect();
        let system = state.system_modulepath().map(|m| m.to_string());
        let modulepath = state
            .modulepath_entries()
            .iter()
            .map(|e| {
                let count = e.user + e.owners.len() as u32;
                (e.text.to_string(), count)
            })
            .collect();
        Collection {
            modules,
            modulepath,
            system_modulepath: system,
        }
    }
}

/// One place where collections lie.
#[derive(Debug, Clone)]
struct Folder {
    dir: Utf8PathBuf,
    format: CollectionFormat,
}

/// The folders that may hold collections, the one that is written to first.
fn folders(session: &Session, config: &Config) -> Vec<Folder> {
    let home = session.home();
    let lmod = CollectionFormat::Lmod;
    let mut folders: Vec<Folder> = [
        (session.config_home().map(|d| d.join("lmod")), lmod),
        (home.as_ref().map(|h| h.join(".lmod.d")), lmod),
        (
            home.as_ref().map(|h| h.join(".module")),
            CollectionFormat::Modules,
        ),
    ]
    .into_iter()
    .filter_map(|(dir, format)| dir.map(|dir| Folder { dir, format }))
    .collect();
    if config.collection_format == CollectionFormat::Modules {
        folders.rotate_right(1);
    }
    folders
}

/// The name of the file of a collection.
fn file_name(name: &str, config: &Config) -> String {
    match config.system_name.as_str() {
        "" => name.to_owned(),
        system => format!("{name}.{system}"),
    }
}

/// Refuses a name that cannot be that of a collection; `key` is Lmod's for one that holds what it must not.
///
/// # Errors
/// It holds such a thing, or is `system`.
pub fn check_name(name: &str, key: &'static str) -> Result<(), Diagnostic> {
    let bad = name.is_empty()
        || name == "system"
        || name.contains(['.', '/', '\0', '~'])
        || name.starts_with("__")
        || name.chars().any(char::is_control);
    if bad {
        let diagnostic = Diagnostic::new(
            Kind::Usage,
            format!("`{name}` cannot be the name of a collection"),
        );
        let known = match name {
            "system" => diagnostic.known_as("w_System_Reserved", &[]),
            _ if key.starts_with("w_") => diagnostic.known_as(key, &[("name", name)]),
            _ => diagnostic.known_as(key, &[("collection", name)]),
        };
        return Err(known
            .help("a name has no `.`, `/` or `~`, does not begin with `__`, and is not `system`"));
    }
    Ok(())
}

/// Where the collection `name` lies; of Lmod's two places the newer file counts.
pub fn find(session: &Session, config: &Config, name: &str) -> Option<Utf8PathBuf> {
    find_in(session, config, name).map(|(path, _)| path)
}

fn find_in(
    session: &Session,
    config: &Config,
    name: &str,
) -> Option<(Utf8PathBuf, CollectionFormat)> {
    let name = file_name(name, config);
    let mut best: Option<(SystemTime, Utf8PathBuf, CollectionFormat)> = None;
    for folder in folders(session, config) {
        let path = folder.dir.join(&name);
        let Ok(meta) = path.metadata() else { continue };
        if !meta.is_file() {
            continue;
        }
        let time = meta.modified().unwrap_or(SystemTime::UNIX_EPOCH);
        let newer = match &best {
            None => true,
            Some((known, _, format)) => *format == folder.format && time > *known,
        };
        if newer {
            best = Some((time, path, folder.format));
        }
    }
    best.map(|(_, path, format)| (path, format))
}

/// Reads the collection `name`.
///
/// # Errors
/// There is none, or it cannot be understood.
pub fn read(session: &Session, config: &Config, name: &str) -> Result<Collection, Diagnostic> {
    check_name(name, "e_Unknown_Coll")?;
    let Some((path, format)) = find_in(session, config, name) else {
        let known = names(session, config);
        return Err(unknown(name, &known));
    };
    read_file(&path, format)
}

/// The message about a collection that does not exist.
fn unknown(name: &str, known: &[String]) -> Diagnostic {
    let diagnostic = Diagnostic::new(Kind::Module, format!("no collection `{name}`"))
        .known_as("e_Unknown_Coll", &[("collection", name)]);
    let near = known
        .iter()
        .find(|k| strsim::damerau_levenshtein(k, name) <= 2);
    match near {
        Some(near) => diagnostic.help(format!("did you mean `{near}`?")),
        None if known.is_empty() => diagnostic.help("`module save` makes one of what is loaded"),
        None => diagnostic.help("`module savelist` lists the collections"),
    }
}

fn read_file(path: &Utf8Path, format: CollectionFormat) -> Result<Collection, Diagnostic> {
    use std::io::Read;
    let mut text = Vec::new();
    std::fs::File::open(path)
        .and_then(|file| file.take(MAX_BYTES).read_to_end(&mut text))
        .map_err(|error| Diagnostic::new(Kind::Module, format!("cannot read `{path}`: {error}")))?;
    let collection = match format {
        CollectionFormat::Lmod => lmod::read(&text),
        CollectionFormat::Modules => modules::read(&text),
    };
    collection.ok_or_else(|| {
        Diagnostic::new(
            Kind::Module,
            format!("`{path}` is not a collection, or is damaged"),
        )
        .known_as("e_coll_corrupt", &[("fn", path.as_str())])
        .help("the file before the last save has the same name with `~` at its end")
    })
}

/// Saves `collection` as `name`; gives the file.
///
/// # Errors
/// The name will not do, or the file cannot be written.
pub fn save(
    session: &Session,
    config: &Config,
    name: &str,
    collection: &Collection,
) -> Result<Utf8PathBuf, Diagnostic> {
    check_name(name, "w_No_dot_Coll")?;
    let folder = folders(session, config).into_iter().next().ok_or_else(|| {
        Diagnostic::new(
            Kind::Module,
            "there is no home directory to save collections in",
        )
    })?;
    let text = match folder.format {
        CollectionFormat::Lmod => lmod::write(collection),
        CollectionFormat::Modules => modules::write(collection, config),
    };
    let path = folder.dir.join(file_name(name, config));
    let fail = |error: std::io::Error| {
        Diagnostic::new(Kind::Site, format!("cannot write `{path}`: {error}"))
            .note("the collection is as it was")
    };
    write_atomically(&folder.dir, &path, text.as_bytes()).map_err(fail)?;
    Ok(path)
}

/// A file appears whole or not at all; the old one becomes `NAME~`.
pub(crate) fn write_atomically(
    dir: &Utf8Path,
    path: &Utf8Path,
    text: &[u8],
) -> std::io::Result<()> {
    let file = written(dir, text)?;
    if path.exists() {
        // A link keeps the old file in its place until the new one takes it.
        let old = Utf8PathBuf::from(format!("{path}~"));
        let _ = std::fs::remove_file(&old);
        if std::fs::hard_link(path, &old).is_err() {
            std::fs::copy(path, &old)?;
        }
    }
    file.persist(path).map_err(|error| error.error)?;
    Ok(())
}

/// A file appears whole or not at all.
fn replace(dir: &Utf8Path, path: &Utf8Path, text: &[u8]) -> std::io::Result<()> {
    written(dir, text)?
        .persist(path)
        .map_err(|error| error.error)?;
    Ok(())
}

/// A file on the disk that has no name yet.
fn written(dir: &Utf8Path, text: &[u8]) -> std::io::Result<tempfile::NamedTempFile> {
    std::fs::create_dir_all(dir)?;
    let mut file = tempfile::Builder::new()
        .prefix(".saving-")
        .tempfile_in(dir)?;
    file.write_all(text)?;
    file.as_file().sync_all()?;
    Ok(file)
}

/// Takes the collection `name` out of use: it is renamed to `NAME~`. Gives the new file.
///
/// # Errors
/// There is none, or it cannot be renamed.
pub fn disable(session: &Session, config: &Config, name: &str) -> Result<Utf8PathBuf, Diagnostic> {
    check_name(name, "e_No_Period_Allowed")?;
    let path = find(session, config, name).ok_or_else(|| unknown(name, &names(session, config)))?;
    let disabled = Utf8PathBuf::from(format!("{path}~"));
    std::fs::rename(&path, &disabled)
        .map_err(|error| Diagnostic::new(Kind::Site, format!("cannot rename `{path}`: {error}")))?;
    Ok(disabled)
}

/// A collection as the lines of requests that Environment Modules writes.
pub fn as_requests(collection: &Collection, config: &Config) -> String {
    modules::write(collection, config).trim_end().to_owned() + "\n"
}

/// The names of the user's collections, sorted. With a system name only those of that system, without its suffix.
pub fn names(session: &Session, config: &Config) -> Vec<String> {
    let suffix = match config.system_name.as_str() {
        "" => String::new(),
        system => format!(".{system}"),
    };
    let mut names = std::collections::BTreeSet::new();
    for folder in folders(session, config) {
        let Ok(entries) = folder.dir.read_dir_utf8() else {
            continue;
        };
        for entry in entries.flatten() {
            let Some(name) = entry.file_name().strip_suffix(suffix.as_str()) else {
                continue;
            };
            let hidden = name.starts_with('.') || name.starts_with("__") || name.ends_with('~');
            let is_file = entry.file_type().is_ok_and(|kind| !kind.is_dir());
            if !hidden && is_file {
                names.insert(name.to_owned());
            }
        }
    }
    names.into_iter().collect()
}

/// Text of a file that may hold any bytes.
fn lines(text: &[u8]) -> impl Iterator<Item = &str> {
    text.lines().filter_map(|line| line.to_str().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn collection() -> Collection {
        Collection {
            modules: vec![
                Saved {
                    full_name: "gcc/13.2".into(),
                    requested: "gcc".into(),
                    file: "/mods/gcc/13.2.lua".into(),
                    families: vec!["compiler".into()],
                    name_len: 3,
                    ..Saved::default()
                },
                Saved {
                    full_name: "bio/to \"ol\"/1".into(),
                    requested: "bio/to \"ol\"/1".into(),
                    file: "/mods/x".into(),
                    depth: 1,
                    auto: true,
                    properties: vec![("lmod".into(), "sticky".into())],
                    name_len: 11,
                    ..Saved::default()
                },
                Saved {
                    full_name: "end".into(),
                    requested: "end".into(),
                    file: "/mods/end".into(),
                    name_len: 3,
                    ..Saved::default()
                },
            ],
            modulepath: vec![("/mods".into(), 1), ("/more mods".into(), 2)],
            system_modulepath: Some("/mods".into()),
        }
    }

    #[test]
    fn a_collection_in_the_form_of_lmod_comes_back() {
        let mut expected = collection();
        // Lmod's form keeps families in one table for all modules, which nothing needs when it is read.
        expected.modules[0].families.clear();
        let text = lmod::write(&collection());
        assert_eq!(lmod::read(text.as_bytes()), Some(expected));
    }

    #[test]
    fn a_collection_in_the_form_of_environment_modules_comes_back() {
        let config = Config::preset(crate::config::Policy::Modules);
        let text = modules::write(&collection(), &config);
        let read = modules::read(text.as_bytes()).unwrap();
        let words: Vec<(&str, bool)> = read
            .modules
            .iter()
            .map(|m| (m.requested.as_str(), m.auto))
            .collect();
        assert_eq!(
            words,
            [("gcc", false), ("bio/to \"ol\"/1", true), ("end", false)]
        );
        assert_eq!(
            read.modulepath,
            [("/mods".to_owned(), 0), ("/more mods".to_owned(), 0)]
        );
        let old = "module use -a /a /b\nmodule load --notuasked gcc +mpi prec=8\nmodule load b c\n";
        let read = modules::read(old.as_bytes()).unwrap();
        assert_eq!(read.modules.len(), 3);
        assert!(read.modules[0].auto && !read.modules[1].auto);
        assert_eq!(
            read.modules[0].variants,
            [("mpi".into(), "1".into()), ("prec".into(), "8".into())]
        );
        assert_eq!(modules::read(b"something else"), None);
    }

    fn session(home: &Utf8Path) -> Session {
        let mut session = Session::default();
        session.env.insert("HOME".into(), home.as_str().into());
        session
    }

    #[test]
    fn saving_keeps_the_old_file_and_disabling_renames() {
        let home = tempfile::tempdir().unwrap();
        let home = Utf8Path::from_path(home.path()).unwrap();
        let session = session(home);
        let mut config = Config::preset(crate::config::Policy::Lmod);
        let path = save(&session, &config, "work", &collection()).unwrap();
        assert_eq!(path, home.join(".config/lmod/work"));
        save(&session, &config, "work", &Collection::default()).unwrap();
        assert_eq!(read(&session, &config, "work").unwrap().modules.len(), 0);
        let old = read_file(&home.join(".config/lmod/work~"), CollectionFormat::Lmod).unwrap();
        assert_eq!(old.modules.len(), 3);
        assert_eq!(names(&session, &config), ["work"]);
        let left: Vec<String> = home
            .join(".config/lmod")
            .read_dir_utf8()
            .unwrap()
            .map(|e| e.unwrap().file_name().to_owned())
            .collect();
        assert_eq!(left.len(), 2, "{left:?}");
        disable(&session, &config, "work").unwrap();
        assert_eq!(names(&session, &config), [""; 0]);
        let error = read(&session, &config, "work").unwrap_err();
        assert_eq!(error.message, "no collection `work`");
        for bad in ["system", "a.b", "../x", "", "a~", "__init__"] {
            assert!(
                save(&session, &config, bad, &collection()).is_err(),
                "{bad}"
            );
        }
        // Each system has its own.
        config.system_name = "blue".into();
        save(&session, &config, "work", &collection()).unwrap();
        assert_eq!(names(&session, &config), ["work"]);
        assert!(home.join(".config/lmod/work.blue").is_file());
    }

    #[test]
    fn collections_of_both_peers_are_found_under_either_policy() {
        let home = tempfile::tempdir().unwrap();
        let home = Utf8Path::from_path(home.path()).unwrap();
        let session = session(home);
        let config = Config::preset(crate::config::Policy::Lmod);
        for (dir, text) in [
            (".lmod.d", lmod::write(&collection())),
            (".module", "module load both\n".to_owned()),
        ] {
            std::fs::create_dir_all(home.join(dir)).unwrap();
            std::fs::write(home.join(dir).join("both"), text).unwrap();
        }
        std::fs::write(home.join(".module/only"), "module load x\n").unwrap();
        assert_eq!(names(&session, &config), ["both", "only"]);
        assert_eq!(read(&session, &config, "both").unwrap().modules.len(), 3);
        assert_eq!(read(&session, &config, "only").unwrap().modules.len(), 1);
        let modules = Config::preset(crate::config::Policy::Modules);
        assert_eq!(read(&session, &modules, "both").unwrap().modules.len(), 1);
        std::fs::write(home.join(".lmod.d/bad"), "x = {").unwrap();
        let error = read(&session, &config, "bad").unwrap_err();
        assert!(error.message.ends_with("is damaged"), "{}", error.message);
    }
}
