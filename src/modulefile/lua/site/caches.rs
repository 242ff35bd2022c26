//! Where the site's Lua files put caches: `scDescriptT` of `lmodrc.lua`, the hooks `groupName` and `parse_updateFn`.
//!
//! Source: Lmod user guide "System Spider Cache".

use std::time::SystemTime;

use camino::{Utf8Path, Utf8PathBuf};

use super::Site;
use super::hooks::{field, map, text};
use crate::config::{Config, Origin};
use crate::diag::Diagnostic;
use crate::modulefile::value::Value;

/// The name of a cache in the directories that the site names for Lmod's.
const FILE: &str = "modules.sqlite";

/// What a cache is wanted for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CacheUse {
    /// It is to answer: the system's has to be younger than its time stamp.
    Read,
    /// It is to be made or looked at, whatever its age.
    Build,
}

/// What the time stamp file of a cache says.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct CacheStamp {
    /// When modules changed for the last time, in seconds since 1970; `None` where that is not known.
    pub(super) updated: Option<f64>,
    /// The directory, below that of the caches, of the one for this kind of machine.
    pub(super) host_type: String,
}

impl Site<'_> {
    /// The settings with the places of caches that the site's Lua files name. What cannot be read names none: the
    /// sub-commands that need those files say why.
    pub fn with_cache_places(&self, wanted: CacheUse) -> Config {
        let mut config = self.config.clone();
        if let Ok(name) = self.group_name(&config.user_cache)
            && name != config.user_cache
        {
            config.set("user_cache", &name, Origin::Default);
        }
        if config.system_cache.is_empty()
            && let Some((file, rc)) = self.declared_cache(wanted)
        {
            config.set("system_cache", file.as_str(), Origin::File(rc));
        }
        config
    }

    /// The first declared cache that will do, and the file that declares caches.
    fn declared_cache(&self, wanted: CacheUse) -> Option<(Utf8PathBuf, Utf8PathBuf)> {
        let rc = self.read_rc().ok()?;
        let declared_in = rc.files.last()?.clone();
        rc.caches.iter().find_map(|(dir, stamp_file)| {
            let stamp = match stamp_file {
                Some(file) => self.cache_stamp(file).unwrap_or_default(),
                None => CacheStamp::default(),
            };
            let of_host = dir.join(&stamp.host_type);
            let dirs = [of_host, dir.clone()];
            let dir = dirs.into_iter().find(|dir| dir.is_dir())?;
            let file = dir.join(FILE);
            let will_do = wanted == CacheUse::Build || is_current(&file, stamp.updated);
            will_do.then(|| (file, declared_in.clone()))
        })
    }

    /// `groupName`: the name of the user's cache file, which may differ between kinds of machines that share a home.
    ///
    /// # Errors
    /// The hook fails.
    pub(super) fn group_name(&self, file: &str) -> Result<String, Diagnostic> {
        let reply = self.hook("groupName", vec![Value::text(file)])?;
        let name = reply.and_then(|r| text(&r.result));
        // It is a name, not a place.
        let name = name.filter(|n| !n.is_empty() && !n.starts_with('.') && !n.contains('/'));
        Ok(name.unwrap_or_else(|| file.to_owned()))
    }

    /// `writeCache`: whether the user's cache is written.
    ///
    /// # Errors
    /// The hook fails.
    pub fn may_write_cache(&self) -> Result<bool, Diagnostic> {
        let table = map([("dontWriteCache", Value::Bool(false))]);
        let reply = self.hook("writeCache", vec![table])?;
        let edited = reply.map(|mut r| r.args.remove(0));
        let forbids = edited.as_ref().and_then(|t| field(t, "dontWriteCache"));
        Ok(forbids != Some(&Value::Bool(true)))
    }

    /// `parse_updateFn`: what the time stamp file of a cache says. Until the hook says otherwise, the last update is when the
    /// file was written.
    ///
    /// # Errors
    /// The hook fails.
    pub(super) fn cache_stamp(&self, file: &Utf8Path) -> Result<CacheStamp, Diagnostic> {
        let written = file.metadata().and_then(|meta| meta.modified()).ok();
        let since = |time: SystemTime| time.duration_since(SystemTime::UNIX_EPOCH).ok();
        let mut stamp = CacheStamp {
            updated: written.and_then(since).map(|time| time.as_secs_f64()),
            host_type: String::new(),
        };
        // The hook sees whole seconds, as they are in Lmod.
        #[expect(clippy::cast_possible_truncation, reason = "seconds since 1970")]
        let seconds = stamp.updated.map_or(Value::Nil, |at| Value::Int(at as i64));
        let table = map([("lastUpdateEpoch", seconds.clone())]);
        let args = vec![Value::text(file.as_str()), table];
        let Some(mut reply) = self.hook("parse_updateFn", args)? else {
            return Ok(stamp);
        };
        let edited = reply.args.remove(1);
        let word = |key| field(&edited, key).and_then(text);
        let changed = field(&edited, "lastUpdateEpoch").filter(|now| **now != seconds);
        if let Some(epoch) = changed.and_then(text) {
            stamp.updated = epoch.parse().ok();
        }
        stamp.host_type = word("hostType").unwrap_or_default();
        Ok(stamp)
    }
}

/// Whether a file was written after the last change of the modules, in seconds since 1970.
fn is_current(file: &Utf8Path, updated: Option<f64>) -> bool {
    let written = file.metadata().and_then(|meta| meta.modified());
    let Ok(Ok(written)) = written.map(|time| time.duration_since(SystemTime::UNIX_EPOCH)) else {
        return false;
    };
    updated.is_none_or(|updated| written.as_secs_f64() >= updated)
}
