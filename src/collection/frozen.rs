//! Frozen collections: one script for each shell that sets everything, and what their modulefiles held when it was made.
//!
//! They lie in `$XDG_CONFIG_HOME/xmod/frozen/`: `NAME.json` is of the form of a lock, `NAME.SHELL` is what shells source.

use camino::Utf8PathBuf;

use super::lock::{self, Changed};
use super::{Collection, check_name, replace};
use crate::diag::{Diagnostic, Kind};
use crate::session::Session;

/// The directory of the frozen collections.
fn dir(session: &Session, name: &str) -> Result<Utf8PathBuf, Diagnostic> {
    check_name(name, "w_No_dot_Coll")?;
    let dir = session.config_home().ok_or_else(|| {
        Diagnostic::new(
            Kind::Site,
            "there is no home directory to keep frozen collections in",
        )
    })?;
    Ok(dir.join("xmod/frozen"))
}

/// The script of the frozen collection `name` for a shell.
///
/// # Errors
/// The name will not do, or there is no home directory.
pub fn script(session: &Session, name: &str, shell: &str) -> Result<Utf8PathBuf, Diagnostic> {
    Ok(dir(session, name)?.join(format!("{name}.{shell}")))
}

/// What is no longer as it was when `name` was frozen; `None` where it was not.
///
/// # Errors
/// The name will not do, or what was written is damaged.
pub fn changed(session: &Session, name: &str) -> Result<Option<Vec<Changed>>, Diagnostic> {
    let file = dir(session, name)?.join(format!("{name}.json"));
    Ok(lock::read_file(&file)?.map(|(_, changed)| changed))
}

/// The refusal to go on with what was frozen; `None` where nothing changed.
pub fn refuses(name: &str, changed: &[Changed]) -> Option<Diagnostic> {
    if changed.is_empty() {
        return None;
    }
    let mut diagnostic = Diagnostic::new(
        Kind::Module,
        format!("modulefiles have changed since `{name}` was frozen"),
    );
    diagnostic.notes.extend(changed.iter().map(Changed::line));
    Some(diagnostic.help(format!(
        "to freeze what they say now: `module --force freeze {name}`"
    )))
}

/// Writes a frozen collection: its modules and the scripts by shell.
///
/// The modules are written last: only a freeze that is whole can be checked.
///
/// # Errors
/// A modulefile cannot be read, or a file cannot be written.
pub fn write(
    session: &Session,
    name: &str,
    collection: &Collection,
    scripts: &[(&str, Vec<u8>)],
) -> Result<(), Diagnostic> {
    let dir = dir(session, name)?;
    for (shell, text) in scripts {
        let path = script(session, name, shell)?;
        replace(&dir, &path, text).map_err(|error| {
            Diagnostic::new(Kind::Site, format!("cannot write `{path}`: {error}"))
        })?;
    }
    lock::write_file(&dir.join(format!("{name}.json")), collection)
}
