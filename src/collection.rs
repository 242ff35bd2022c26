//! Saved collections of modules: where they lie and what they are called.
//!
//! Sources: Lmod user guide "User collections"; `module(1)` "Collections".

use crate::config::Config;
use crate::session::Session;

/// The names of the user's collections, sorted.
pub fn names(session: &Session, _config: &Config) -> Vec<String> {
    let Some(dir) = session.config_home().map(|dir| dir.join("lmod")) else {
        return Vec::new();
    };
    let Ok(entries) = dir.read_dir_utf8() else {
        return Vec::new();
    };
    let hidden =
        |name: &str| name.starts_with('.') || name.starts_with("__") || name.ends_with('~');
    let mut names: Vec<String> = entries
        .filter_map(|entry| entry.ok())
        .map(|entry| entry.file_name().to_owned())
        .filter(|name| !hidden(name))
        .collect();
    names.sort();
    names
}
