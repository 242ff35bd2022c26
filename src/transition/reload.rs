//! What happens when `MODULEPATH` changes: modules that are found elsewhere now are reloaded, those that are not found
//! wait, and those that waited come back.
//!
//! Source: Lmod user guide "Module hierarchy", "Inactive modules".

use std::rc::Rc;

use super::step::How;
use super::{Miss, Notice, Transition};
use crate::config::Config;
use crate::diag::Diagnostic;
use crate::env::Module;
use crate::name::{Purpose, Spec, SpecError, Versions};
use crate::resolve::Found;

/// More rounds than any hierarchy is deep.
const MAX_ROUNDS: usize = 20;

/// Which modules are loaded again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Which {
    /// Those that are found in another file now.
    Moved,
    /// All.
    All,
}

impl Transition<'_> {
    /// Brings the loaded modules in line with `MODULEPATH`. Tells whether anything changed.
    pub(super) fn reload_all(&mut self, which: Which) -> Result<bool, Diagnostic> {
        let mut changed = false;
        let mut which = which;
        for _ in 0..MAX_ROUNDS {
            let mut again = false;
            // By the words of the request: what they mean may have been loaded anew, or have gone, meanwhile.
            for module in self.state.loaded.active().to_vec() {
                let spec = spec_of(&module, self.config);
                if let Some(module) = self.loaded_match(&spec, Purpose::Unload) {
                    again |= self.reload_active(&module, which)?;
                }
            }
            for module in self.state.loaded.inactive().to_vec() {
                again |= self.reload_inactive(&module)?;
            }
            if !again {
                break;
            }
            changed = true;
            which = Which::Moved;
        }
        Ok(changed)
    }

    fn reload_active(&mut self, module: &Rc<Module>, which: Which) -> Result<bool, Diagnostic> {
        match self.find_again(module) {
            Some(found) if found.file == module.file && which == Which::Moved => Ok(false),
            Some(found) => {
                let spec = spec_of(module, self.config);
                self.unload_module(module)?;
                self.load_found(&spec, found, How::again(module))?;
                Ok(true)
            }
            None => {
                self.unload_module(module)?;
                // What came only for others waits as long as one of them is there to need it.
                if !module.auto || self.state.loaded.is_needed(module) {
                    self.state.loaded.deactivate(Rc::clone(module));
                }
                Ok(true)
            }
        }
    }

    fn reload_inactive(&mut self, module: &Rc<Module>) -> Result<bool, Diagnostic> {
        let waiting = |m: &Rc<Module>| m.full_name == module.full_name;
        if !self.state.loaded.inactive().iter().any(waiting) {
            return Ok(false);
        }
        if module.auto && !self.state.loaded.is_needed(module) {
            self.state.loaded.forget(&module.full_name);
            return Ok(false);
        }
        match self.find_again(module) {
            Some(found) => {
                self.load_found(&spec_of(module, self.config), found, How::again(module))?;
                Ok(true)
            }
            None => Ok(false),
        }
    }

    /// Where a module is found now that is or was loaded.
    fn find_again(&mut self, module: &Module) -> Option<Found> {
        match self.find(&spec_of(module, self.config)) {
            Ok(found) => Some(found),
            Err(Miss::Unknown(_)) => None,
            Err(Miss::Refused(diagnostic)) => {
                self.notices.push(Notice::Warning(diagnostic));
                None
            }
        }
    }
}

/// What to ask for to get a module again as it was asked for.
pub(super) fn spec_of(module: &Module, config: &Config) -> Spec {
    match spec_of_request(&module.requested, config) {
        Ok(mut spec) => {
            spec.variants.clone_from(&module.variants);
            spec
        }
        Err(_) => spec_of_full(module),
    }
}

/// What a request that was written down means; a range (`foo@1.2:`) goes on to be one.
pub(super) fn spec_of_request(text: &str, config: &Config) -> Result<Spec, SpecError> {
    let plain = || Spec::plain(text);
    match text.contains('@') {
        true => Spec::parse(text, &config.spec_rules()).or_else(|_| plain()),
        false => plain(),
    }
}

/// What to ask for to get the same version of a module.
pub(super) fn spec_of_full(module: &Module) -> Spec {
    Spec {
        text: module.full_name.clone(),
        path: module.full_name.clone(),
        versions: Versions::AsWritten,
        variants: module.variants.clone(),
    }
}
