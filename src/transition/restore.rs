//! Arriving at a set of modules that was there before: saved collections, locks, undo.

use bstr::{BString, ByteSlice};

use super::step::How;
use super::{Miss, Notice, Transition};
use crate::collection::{Collection, Saved};
use crate::diag::{Diagnostic, Kind};
use crate::env::state::MODULEPATH;
use crate::env::{Loaded, Past, Step};
use crate::name::Spec;

/// Which versions a collection means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Versions {
    /// What was asked for when it was saved: a bare name follows the default.
    #[default]
    AsRequested,
    /// Exactly those that were loaded.
    Pinned,
    /// The newest of each name.
    Latest,
}

/// Most requests that can be undone.
const MAX_STEPS: usize = 20;

/// Most bytes of the names in the history: it travels in the environment.
const MAX_HISTORY_BYTES: usize = 2000;

impl Transition<'_> {
    /// The loaded modules as a collection.
    pub fn collection(&mut self) -> Collection {
        Collection::of(&mut self.state)
    }

    /// Replaces all loaded modules and `MODULEPATH` by those of a collection.
    ///
    /// Modules of it that exist no more are told and left out. What its files load by themselves is not loaded again:
    /// the collection names it.
    ///
    /// # Errors
    /// A module of it does not load; or the system's `MODULEPATH` has changed since it was saved.
    pub fn restore(
        &mut self,
        collection: &Collection,
        versions: Versions,
    ) -> Result<(), Diagnostic> {
        self.check_system(collection)?;
        self.unload_everything()?;
        let system = self.state.system_modulepath();
        let dirs: Vec<&str> = collection
            .modulepath
            .iter()
            .map(|(dir, _)| dir.as_str())
            .collect();
        if !dirs.is_empty() {
            self.state.system = system;
            let value = BString::from(dirs.join(":"));
            self.state.set(MODULEPATH, Some(value));
        }
        let mut gone = Vec::new();
        for saved in &collection.modules {
            self.restore_one(saved, versions, &mut gone)?;
        }
        self.release_saved_modulepath(collection);
        if !gone.is_empty() {
            self.notices.push(Notice::Gone { modules: gone });
        }
        self.warn_of_dependents();
        Ok(())
    }

    fn check_system(&mut self, collection: &Collection) -> Result<(), Diagnostic> {
        let Some(saved) = &collection.system_modulepath else {
            return Ok(());
        };
        let now = self.state.system_modulepath().unwrap_or_default();
        if !self.config.restore_checks_modulepath || self.force || now == saved.as_str() {
            return Ok(());
        }
        Err(Diagnostic::new(
            Kind::Module,
            "the system's MODULEPATH has changed since the collection was saved",
        )
        .known_as("w_MPATH_Coll", &[])
        .note(format!("then: `{saved}`"))
        .note(format!("now: `{now}`"))
        .help("load what you need and save it again, or restore it with `--force`"))
    }

    fn restore_one(
        &mut self,
        saved: &Saved,
        versions: Versions,
        gone: &mut Vec<(String, Option<String>)>,
    ) -> Result<(), Diagnostic> {
        let full_name = match saved.full_name.as_str() {
            "" => saved.requested.as_str(),
            name => name,
        };
        let name = full_name.get(..saved.name_len).filter(|n| !n.is_empty());
        let name = name.or_else(|| full_name.rsplit_once('/').map(|(name, _)| name));
        let name = name.unwrap_or(full_name);
        let words = match versions {
            Versions::AsRequested => &saved.requested,
            Versions::Pinned => full_name,
            Versions::Latest => name,
        };
        let spec = match versions {
            Versions::Latest => Spec::latest(words),
            Versions::Pinned => Spec::plain(words),
            Versions::AsRequested => super::reload::spec_of_request(words, self.config),
        };
        let Ok(mut spec) = spec else {
            gone.push((full_name.to_owned(), None));
            return Ok(());
        };
        spec.variants.clone_from(&saved.variants);
        let found = match self.find(&spec) {
            Ok(found) => found,
            Err(Miss::Unknown(_)) => {
                let newest = Spec::plain(name)
                    .ok()
                    .and_then(|spec| self.find(&spec).ok())
                    .map(|found| found.full_name())
                    .filter(|newest| newest != full_name);
                gone.push((full_name.to_owned(), newest));
                return Ok(());
            }
            Err(Miss::Refused(diagnostic)) => return Err(*diagnostic),
        };
        let how = How {
            auto: saved.auto,
            manager: true,
            depth: Some(saved.depth),
            tags: saved.tags.clone(),
        };
        self.load_found(&spec, found, how).map(|_| ())
    }

    /// The directories that modules of the collection add are theirs, not the user's, although they were set before.
    fn release_saved_modulepath(&mut self, collection: &Collection) {
        let mut surplus: Vec<(BString, u32)> = Vec::new();
        for entry in self.state.modulepath_entries() {
            let owned = entry.owners.len() as u32;
            let saved = collection
                .modulepath
                .iter()
                .find(|(dir, _)| entry.text == dir.as_str())
                .map_or(0, |(_, count)| *count);
            let own = saved.saturating_sub(owned).min(1);
            if owned > 0 && entry.user > own {
                surplus.push((entry.text.to_owned(), entry.user - own));
            }
        }
        self.edit_modulepath(|list| {
            for (dir, count) in &surplus {
                for _ in 0..*count {
                    list.release_user(dir.as_bstr());
                }
            }
        });
    }

    /// Forgets what could be undone.
    pub fn forget_history(&mut self) {
        self.state.history.clear();
        self.undoing = true;
    }

    /// Remembers this request, so that it can be undone. Called at its end.
    pub(super) fn remember(&mut self) {
        let Some(step) = self.step_taken() else {
            return;
        };
        let history = &mut self.state.history;
        history.push(step);
        while history.len() > MAX_STEPS
            || history.iter().map(size).sum::<usize>() > MAX_HISTORY_BYTES
        {
            history.remove(0);
        }
    }

    fn step_taken(&self) -> Option<Step> {
        let (before, after) = (&self.loaded_before, &self.state.loaded);
        let has = |loaded: &Loaded, full_name: &str| {
            loaded.active().iter().any(|m| m.full_name == full_name)
        };
        let gone = before.active().iter().filter(|m| !has(after, &m.full_name));
        let removed: Vec<Past> = gone
            .map(|m| Past {
                full_name: m.full_name.clone(),
                requested: m.requested.clone(),
                auto: m.auto,
            })
            .collect();
        let new = after.active().iter().filter(|m| !has(before, &m.full_name));
        let added: Vec<String> = new.map(|m| m.full_name.clone()).collect();
        let modulepath = self.modulepath_before_use.clone();
        let idle = removed.is_empty() && added.is_empty() && modulepath.is_none();
        (!idle).then(|| Step {
            command: self.command.clone(),
            removed,
            added,
            modulepath,
        })
    }

    /// Takes back the last `count` requests that changed anything. Gives the sub-commands that were undone, newest first.
    ///
    /// # Errors
    /// Nothing is left to be undone, or a module that was there before does not load any more.
    pub fn undo(&mut self, count: usize) -> Result<Vec<String>, Diagnostic> {
        let available = self.state.history.len();
        if available == 0 {
            return Err(Diagnostic::new(Kind::Module, "there is nothing to undo"));
        }
        if count > available {
            return Err(Diagnostic::new(
                Kind::Module,
                format!("only {available} requests can be undone"),
            ));
        }
        let mut undone = Vec::new();
        for _ in 0..count {
            let step = self.state.history.pop().expect("counted above");
            self.undo_step(&step)?;
            undone.push(step.command);
        }
        self.undoing = true;
        Ok(undone)
    }

    fn undo_step(&mut self, step: &Step) -> Result<(), Diagnostic> {
        for name in step.added.iter().rev() {
            if let Some(module) = self.state.loaded.find_full(name).cloned() {
                self.unload_module(&module)?;
            }
        }
        let modulepath = self.modulepath_mark();
        if let Some(before) = &step.modulepath {
            self.put_back_modulepath(before);
        }
        let mut gone = Vec::new();
        for past in &step.removed {
            let known = self.state.loaded.find_full(&past.full_name);
            if known.is_some() {
                continue;
            }
            let saved = Saved {
                full_name: past.full_name.clone(),
                requested: past.requested.clone(),
                auto: past.auto,
                depth: u32::from(past.auto),
                ..Saved::default()
            };
            self.restore_one(&saved, Versions::Pinned, &mut gone)?;
            // It was loaded by its full name, but still is what it was asked for as.
            if let Some(module) = self.state.loaded.find_full(&past.full_name) {
                let id = module.id;
                self.state
                    .loaded
                    .update(id, |m| m.requested.clone_from(&past.requested));
            }
        }
        if !gone.is_empty() {
            self.notices.push(Notice::Gone { modules: gone });
        }
        self.settle(&modulepath)?;
        Ok(())
    }

    /// Puts `MODULEPATH` back to an earlier value; the directories of loaded modules stay theirs.
    fn put_back_modulepath(&mut self, before: &BString) {
        let own: Vec<BString> = self
            .state
            .modulepath_entries()
            .iter()
            .filter(|e| e.user > 0)
            .map(|e| e.text.to_owned())
            .collect();
        let wanted: Vec<&[u8]> = before.split_str(":").filter(|d| !d.is_empty()).collect();
        self.edit_modulepath(|list| {
            for dir in &own {
                if !wanted.contains(&dir.as_slice()) {
                    list.release_user(dir.as_bstr());
                }
            }
            for dir in &wanted {
                if !list.contains(dir) {
                    list.append((*dir).as_bstr(), 0, None);
                }
            }
            list.order_as(&wanted);
        });
    }
}

fn size(step: &Step) -> usize {
    let removed = step.removed.iter();
    removed.map(|p| p.full_name.len() + 2).sum::<usize>()
        + step.added.len()
        + step.command.len()
        + step.modulepath.as_ref().map_or(0, |m| m.len())
}
