//! The site's own Lua code: start files, hooks, and the modules that such code requires.
//!
//! Sites change Lmod's behaviour by `SitePackage.lua` and `lmod_config.lua`; here they do so unchanged. The files are looked
//! for once per run, and Lua starts for them only where there is one. A hook is called by a function of [`Site`]; those that
//! belong to an evaluation (`load`, `unload`, `load_spider`, `decorate_module`, `errWarnMsgHook`) are called from here.
//!
//! Source: Lmod user guide "SitePackage.lua and hooks", "Configuring Lmod" (lmod_config.lua).

mod caches;
mod hooks;
mod messages;
mod packages;
mod posix;
pub mod rc;
mod system;
#[cfg(test)]
mod tests;

pub use caches::CacheUse;
pub use hooks::{Forbidden, KeptAndLeft, Listed, Site};
pub(in crate::modulefile) use hooks::{Said, after_evaluation, message_text, site_name};
pub(in crate::modulefile) use messages::{filled, template};
pub(super) use packages::{NAMES_KEY, module};

use std::cell::{OnceCell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;

use bstr::BString;
use camino::{Utf8Path, Utf8PathBuf};
use mlua::chunk::ChunkMode;
use mlua::{Function, Lua};

use super::machine::{Machine, Shared};
use crate::config::Config;
use crate::diag::SourceFile;
use crate::modulefile::host::{Host, Stop};
use crate::session::Session;

/// What the site's code has registered on one machine.
#[derive(Default)]
pub(super) struct Registered {
    /// Functions by hook, in the order in which they run.
    hooks: RefCell<BTreeMap<String, Vec<Function>>>,
    /// Functions that run when the command ends.
    exit_hooks: RefCell<Vec<Function>>,
    /// Settings that start files gave a value: variable and text.
    assigned: RefCell<Vec<(String, String)>>,
    /// The site's texts of messages by key, once one was asked for.
    messages: OnceCell<BTreeMap<String, BString>>,
}

/// The start files of the site, looked for once.
#[derive(Default)]
pub(super) struct StartFiles {
    found: OnceCell<Vec<Utf8PathBuf>>,
}

impl StartFiles {
    /// The files in the order in which they run; empty where the site has none.
    pub(super) fn get(&self, session: &Session, config: &Config) -> &[Utf8PathBuf] {
        self.found.get_or_init(|| search(session, config))
    }
}

/// Files to run before a site's own package, then `lmod_config.lua`, then the first `SitePackage.lua`.
fn search(session: &Session, config: &Config) -> Vec<Utf8PathBuf> {
    let paths = |text: &str| -> Vec<Utf8PathBuf> {
        text.split(':')
            .filter(|p| !p.is_empty())
            .map(Utf8PathBuf::from)
            .collect()
    };
    let config_dir = Utf8PathBuf::from(&config.lmod_config_dir);
    let mut files = paths(session.text("LMOD_SITEPACKAGE_PREPEND").unwrap_or_default());
    files.retain(|f| f.is_file());
    // One question tells most machines that there is nothing at all.
    let has_config = !config.lmod_config_dir.is_empty() && is_directory(&config_dir);
    let own = config_dir.join("lmod_config.lua");
    if has_config && own.is_file() {
        files.push(own);
    }
    let mut dirs = paths(&config.site_package_path);
    dirs.extend(has_config.then_some(config_dir));
    let packages = dirs.iter().map(|d| d.join("SitePackage.lua"));
    files.extend(packages.into_iter().find(|f| f.is_file()));
    files
}

/// Whether a path leads to a directory. The standard library asks twice where the first thing it asks for is missing, to
/// learn whether the kernel knows the question; on nearly all machines this one is.
fn is_directory(path: &Utf8Path) -> bool {
    use nix::sys::stat::{SFlag, stat};
    stat(path.as_std_path()).is_ok_and(|found| {
        SFlag::from_bits_truncate(found.st_mode) & SFlag::S_IFMT == SFlag::S_IFDIR
    })
}

/// Runs the start files on a machine that is new.
pub(super) fn start(
    machine: &Machine,
    files: &[Utf8PathBuf],
    host: &mut Host<'_>,
) -> Result<(), Stop> {
    for file in files {
        let source = crate::modulefile::read(file).map_err(Stop::error)?;
        run(machine, &source, host)?;
    }
    Ok(())
}

fn run(machine: &Machine, source: &Arc<SourceFile>, host: &mut Host<'_>) -> Result<(), Stop> {
    within_file(machine, source, host, |lua, shared| {
        packages::add_globals(lua, shared)?;
        lua.load(source.text())
            .set_name(format!("@{}", source.path()))
            .set_mode(ChunkMode::Text)
            .exec()
    })
}

/// Does `work` for the host, with mistakes shown in a file of the site instead of the host's.
fn within_file<R>(
    machine: &Machine,
    source: &Arc<SourceFile>,
    host: &mut Host<'_>,
    work: impl FnOnce(&Lua, &Rc<Shared>) -> mlua::Result<R>,
) -> Result<R, Stop> {
    let own = std::mem::replace(&mut host.source, Arc::clone(source));
    let result = machine.within(host, work);
    host.source = own;
    result
}
