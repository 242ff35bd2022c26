//! Taking many modules away: purge, reset, and what sticky modules make of it.

use super::reload::spec_of;
use super::step::How;
use super::{Notice, Transition};
use crate::diag::Diagnostic;
use crate::env::state::MODULEPATH;
use crate::env::{Loaded, Module};
use crate::name::Spec;

impl Transition<'_> {
    /// Unloads all modules, the last loaded first, and forgets those that wait. Sticky ones come back unless forced.
    ///
    /// # Errors
    /// A sticky module cannot be put back.
    pub fn purge(&mut self) -> Result<(), Diagnostic> {
        if self.config.requirements_bind {
            return self.purge_bound();
        }
        let before = self.state.loaded.clone();
        self.unload_everything()?;
        self.restore_sticky(&before)
    }

    pub(super) fn unload_everything(&mut self) -> Result<(), Diagnostic> {
        for module in self.state.loaded.active().to_vec().iter().rev() {
            self.unload_module(module)?;
        }
        self.state.loaded.forget_all();
        Ok(())
    }

    /// Purges, puts `MODULEPATH` back to what the system gave, and loads the system's default modules.
    ///
    /// # Errors
    /// A default module cannot be loaded.
    pub fn reset(&mut self, defaults: &[Spec]) -> Result<(), Diagnostic> {
        self.unload_everything()?;
        let modulepath = self.state.system_modulepath();
        self.state.set(MODULEPATH, modulepath);
        self.load(defaults)
    }

    /// Loads again the sticky modules among those that were loaded in `before` and are gone.
    pub(super) fn restore_sticky(&mut self, before: &Loaded) -> Result<(), Diagnostic> {
        let holds = |module: &Module| match self.force {
            true => module.has_tag("super-sticky"),
            false => module.is_sticky(),
        };
        let gone = |name: &str, loaded: &Loaded| loaded.find(name).is_none();
        let sticky: Vec<_> = before
            .active()
            .iter()
            .filter(|m| holds(m) && gone(m.name(), &self.state.loaded))
            .cloned()
            .collect();
        let were_gone: Vec<_> = before
            .active()
            .iter()
            .filter(|m| gone(m.name(), &self.state.loaded))
            .cloned()
            .collect();
        let (mut has_kept, mut lost) = (false, Vec::new());
        for module in sticky {
            // It may have come back with another one.
            if !gone(module.name(), &self.state.loaded) {
                continue;
            }
            let spec = spec_of(&module, self.config);
            match self.find(&spec) {
                Ok(found) if found.file == module.file => {
                    self.load_found(&spec, found, How::again(&module))?;
                    has_kept = true;
                }
                _ => lost.push(module.full_name.clone()),
            }
        }
        if has_kept {
            // What the sticky modules need is back with them.
            let loaded = self.state.loaded.active().iter();
            let modules = loaded
                .filter(|m| were_gone.iter().any(|old| old.name() == m.name()))
                .map(|m| m.full_name.clone())
                .collect();
            self.notices.push(Notice::StickyKept { modules });
        }
        if !lost.is_empty() {
            self.notices.push(Notice::StickyLost { modules: lost });
        }
        Ok(())
    }

    /// Warns of modules that others depend on and that are not loaded.
    pub(super) fn warn_of_dependents(&mut self) {
        let loaded = &self.state.loaded;
        let mut missing: Vec<(String, String)> = Vec::new();
        for module in loaded.active() {
            for need in &module.needs {
                if need.kind == crate::env::NeedKind::DependsOn
                    && loaded.find(&need.met_by).is_none()
                {
                    missing.push((need.spec.clone(), module.full_name.clone()));
                }
            }
        }
        if !missing.is_empty() {
            self.notices.push(Notice::MissingDependents { missing });
        }
    }

    /// Before the user's first own change of `MODULEPATH`: what the system gave.
    pub(super) fn remember_system_modulepath(&mut self) {
        if self.state.system.is_none() {
            self.state.system = self.state.system_modulepath();
        }
        self.modulepath_before_use = Some(self.modulepath().unwrap_or_default());
    }
}
