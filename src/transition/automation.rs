//! What follows from requirements where they bind (setting `requirements_bind`): a module that is unloaded takes along
//! those that need it, and what came only for them; a module that is loaded lets those that missed it load anew.
//!
//! Nothing is remembered for this but the words of each requirement: a word is tied to the last module loaded before the
//! one that said it. So a state that was taken over, or edited by the user, gives the same answers.
//!
//! Source: `module(1)` "Automated module handling"; compared with Environment Modules in `tests/automation.rs`.

use std::collections::BTreeSet;
use std::rc::Rc;

use super::reload::spec_of_full;
use super::step::How;
use super::{Followed, Notice, Transition, loaded_name};
use crate::config::{StickyPurge, UnloadOrder};
use crate::diag::{Diagnostic, Kind};
use crate::env::{Module, NeedKind, Owner};
use crate::name::{LoadedName, Purpose, Spec, matches_loaded};
use crate::resolve::Found;

/// One requirement of a loaded module, and what meets it now.
struct Tie {
    /// The modules loaded before it that its words mean, one for each word.
    before: Vec<Owner>,
    /// Modules loaded after it that its words mean.
    after: Vec<Owner>,
    optional: bool,
}

/// What becomes of the modules that need one that goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Dependents {
    /// They go too, unless something else meets their requirement.
    Leave,
    /// All of them are loaded again afterwards.
    Return,
}

/// What an unload left to be done.
#[derive(Default)]
pub(super) struct Aftermath {
    /// Modules to be loaded again, in load order.
    reload: Vec<Rc<Module>>,
    /// Modules that may have come only for those that went.
    useless: BTreeSet<Owner>,
}

impl Aftermath {
    /// What is left when useless modules have gone.
    pub(super) fn without_useless(self) -> Aftermath {
        Aftermath {
            useless: BTreeSet::new(),
            ..self
        }
    }

    pub(super) fn add(&mut self, other: Aftermath) {
        self.reload.extend(other.reload);
        self.useless.extend(other.useless);
    }
}

impl Transition<'_> {
    /// Whether modules are loaded and unloaded by themselves.
    fn automatic(&self) -> bool {
        self.config.auto_handling
    }

    /// The requirements of a module, each with what meets it. `at` is its place in the load order.
    fn ties(&self, module: &Module, at: usize) -> Vec<Tie> {
        let active = self.state.loaded.active();
        let at = at.min(active.len());
        let others = |range: &[Rc<Module>], spec: &Spec| -> Vec<Owner> {
            let rules = self.config.loaded_rules();
            let means = |m: &&Rc<Module>| {
                m.id != module.id && matches_loaded(spec, &loaded_name(m), Purpose::Prereq, &rules)
            };
            range.iter().filter(means).map(|m| m.id).collect()
        };
        let mut ties: Vec<Tie> = Vec::new();
        for need in &module.needs {
            let mut tie = Tie {
                before: Vec::new(),
                after: Vec::new(),
                optional: need.kind == NeedKind::Optional,
            };
            for word in need.spec.split('|') {
                let Ok(spec) = Spec::parse(word, &self.config.spec_rules()) else {
                    continue;
                };
                let before = others(&active[..at], &spec);
                tie.before.extend(match self.config.unload_match_order {
                    UnloadOrder::Last => before.last(),
                    UnloadOrder::First => before.first(),
                });
                tie.after.extend(others(&active[at..], &spec));
            }
            ties.push(tie);
        }
        if let Some(owner) = self.via.get(&module.id)
            && active[..at].iter().any(|m| m.id == *owner)
        {
            ties.push(Tie {
                before: vec![*owner],
                after: Vec::new(),
                optional: false,
            });
        }
        ties
    }

    /// Finds which module opened the modulepath of which other one, where that counts as a requirement.
    fn look_at_modulepaths(&mut self) {
        if !self.config.require_via {
            return;
        }
        let entries: Vec<(String, Owner)> = self
            .state
            .modulepath_entries()
            .iter()
            .filter(|e| e.user == 0)
            .filter_map(|e| Some((e.text.to_string(), *e.owners.first()?)))
            .collect();
        let opened = |m: &Rc<Module>| {
            let (_, owner) = entries.iter().find(|(dir, _)| *dir == m.modulepath)?;
            Some((m.id, *owner))
        };
        self.via = self
            .state
            .loaded
            .active()
            .iter()
            .filter_map(opened)
            .collect();
    }

    /// The modules that need those in `gone`: first those that go with them, then those that are to be loaded again.
    fn dependents_of(
        &mut self,
        gone: &[Owner],
        dependents: Dependents,
    ) -> (BTreeSet<Owner>, BTreeSet<Owner>) {
        self.look_at_modulepaths();
        let active = self.state.loaded.active().to_vec();
        let ties: Vec<Vec<Tie>> = active
            .iter()
            .enumerate()
            .map(|(at, m)| self.ties(m, at))
            .collect();
        let first: BTreeSet<Owner> = gone.iter().copied().collect();
        let (mut removed, mut again) = (first.clone(), BTreeSet::new());
        for module in active.iter().filter(|m| first.contains(&m.id)) {
            again.extend(self.opponents_of(module));
        }
        again.retain(|id| !removed.contains(id));
        loop {
            let known = (removed.len(), again.len());
            for (module, ties) in active.iter().zip(&ties) {
                if removed.contains(&module.id) {
                    continue;
                }
                for tie in ties {
                    let lost = tie.before.iter().any(|id| removed.contains(id));
                    let moved = tie.before.iter().any(|id| again.contains(id));
                    let others = tie.before.iter().chain(&tie.after);
                    let met = others.clone().any(|id| !removed.contains(id));
                    if lost && !met && !tie.optional && dependents == Dependents::Leave {
                        removed.insert(module.id);
                        again.remove(&module.id);
                        break;
                    }
                    if lost || moved {
                        again.insert(module.id);
                    }
                }
            }
            if known == (removed.len(), again.len()) {
                break;
            }
        }
        removed.retain(|id| !first.contains(id));
        (removed, again)
    }

    /// Loaded modules that do not go together with `module`, and are loaded all the same.
    fn opponents_of(&self, module: &Module) -> Vec<Owner> {
        let rules = self.config.loaded_rules();
        let fights = |a: &Module, b: &Module| {
            a.conflicts.iter().any(|text| {
                Spec::parse(text, &self.config.spec_rules()).is_ok_and(|spec| {
                    matches_loaded(&spec, &loaded_name(b), Purpose::Conflict, &rules)
                })
            })
        };
        self.state
            .loaded
            .active()
            .iter()
            .filter(|m| m.id != module.id && (fights(m, module) || fights(module, m)))
            .map(|m| m.id)
            .collect()
    }

    /// Unloads a module where requirements bind, with those that need it.
    ///
    /// # Errors
    /// It is sticky, its file fails, or others need it and nothing happens by itself.
    pub(super) fn unload_bound(
        &mut self,
        module: &Rc<Module>,
        dependents: Dependents,
    ) -> Result<Aftermath, Diagnostic> {
        self.adopt();
        let (mut gone, mut again) = self.dependents_of(&[module.id], dependents);
        if !self.automatic() {
            if self.force {
                self.warn_of(&gone, module);
            } else if let Some(refusal) = self.needed_by(&gone, module) {
                return Err(refusal);
            }
            gone.clear();
            again.clear();
        }
        let mut aftermath = Aftermath {
            useless: self.requirements_of(gone.iter().chain([&module.id])),
            ..Aftermath::default()
        };
        for dependent in self.by_ids(&gone) {
            self.refuse_sticky(&dependent)?;
        }
        aftermath.reload = self.by_ids(&again);
        gone.extend(again);
        for dependent in self.by_ids(&gone).iter().rev() {
            self.follows(Followed::Dependent, dependent);
            self.unload_module(dependent)?;
        }
        self.unload_module(module)?;
        Ok(aftermath)
    }

    /// Says that modules stay although what they need goes.
    fn warn_of(&mut self, dependents: &BTreeSet<Owner>, module: &Module) {
        for dependent in self.by_ids(dependents) {
            let text = format!("`{}` needs `{}`", dependent.full_name, module.full_name);
            let diagnostic = Diagnostic::new(Kind::Module, text);
            self.notices.push(Notice::Warning(Box::new(diagnostic)));
        }
    }

    /// The refusal to unload what others need; `None` where none does.
    fn needed_by(&self, dependents: &BTreeSet<Owner>, module: &Module) -> Option<Diagnostic> {
        let dependents = self.by_ids(dependents);
        let names: Vec<&str> = dependents.iter().map(|m| m.full_name.as_str()).collect();
        if names.is_empty() {
            return None;
        }
        let quoted: Vec<String> = names.iter().map(|n| format!("`{n}`")).collect();
        Some(
            Diagnostic::new(
                Kind::Module,
                format!(
                    "`{}` cannot be unloaded: {} needs it",
                    module.full_name,
                    quoted.join(", ")
                ),
            )
            .help(format!("first: `module unload {}`", names.join(" "))),
        )
    }

    /// An error where a module must not be unloaded.
    pub(super) fn refuse_sticky(&self, module: &Module) -> Result<(), Diagnostic> {
        let always = module.has_tag("super-sticky");
        if self.config.sticky_purge == StickyPurge::Note
            || !module.is_sticky()
            || (self.force && !always)
        {
            return Ok(());
        }
        let diagnostic = Diagnostic::new(
            Kind::Module,
            format!("`{}` is sticky: it stays loaded", module.full_name),
        );
        Err(if always {
            diagnostic.note("it is super-sticky: `--force` does not unload it either")
        } else {
            diagnostic.help(format!("module --force unload {}", module.full_name))
        })
    }

    /// The loaded modules with these numbers, in load order.
    fn by_ids(&self, ids: &BTreeSet<Owner>) -> Vec<Rc<Module>> {
        let active = self.state.loaded.active().iter();
        active.filter(|m| ids.contains(&m.id)).cloned().collect()
    }

    /// The modules that meet requirements of these, and requirements of those in turn.
    fn requirements_of<'a>(&self, of: impl Iterator<Item = &'a Owner>) -> BTreeSet<Owner> {
        let active = self.state.loaded.active();
        let mut found = BTreeSet::new();
        let mut todo: Vec<Owner> = of.copied().collect();
        while let Some(id) = todo.pop() {
            let Some(at) = active.iter().position(|m| m.id == id) else {
                continue;
            };
            for tie in self.ties(&active[at], at) {
                todo.extend(tie.before.into_iter().filter(|id| found.insert(*id)));
            }
        }
        found
    }

    /// Ends what an unload or a load began: what came only for modules that went goes, what waits is loaded again.
    ///
    /// # Errors
    /// A sticky module cannot be loaded again.
    pub(super) fn settle_requirements(&mut self, aftermath: Aftermath) -> Result<(), Diagnostic> {
        self.unload_useless(&aftermath)?;
        let mut reload: Vec<Rc<Module>> = aftermath.reload;
        let mut seen = BTreeSet::new();
        reload.retain(|m| seen.insert(m.id));
        for module in reload {
            self.load_dependent_again(&module)?;
        }
        Ok(())
    }

    /// Unloads what came only for modules that went.
    pub(super) fn unload_useless(&mut self, aftermath: &Aftermath) -> Result<(), Diagnostic> {
        // What is to be loaded again keeps what it needs.
        let last = self.state.loaded.active().len();
        let wanted: BTreeSet<Owner> = aftermath
            .reload
            .iter()
            .flat_map(|m| self.ties(m, last))
            .flat_map(|tie| tie.before)
            .collect();
        for module in self.by_ids(&aftermath.useless).iter().rev() {
            let stays = !module.auto
                || module.is_sticky()
                || module.has_tag("keep-loaded")
                || wanted.contains(&module.id)
                || self.is_needed(module.id);
            if stays {
                continue;
            }
            let mark = self.state.mark();
            let result = self.unload_module(module);
            if result.is_ok() {
                self.follows(Followed::Useless, module);
            }
            if let Err(diagnostic) = result {
                self.state.roll_back(mark);
                let note = format!("`{}` came only for what was unloaded", module.full_name);
                let diagnostic = Box::new(diagnostic.note(note));
                self.notices.push(Notice::Warning(diagnostic));
            }
        }
        Ok(())
    }

    /// Whether a loaded module needs this one.
    fn is_needed(&self, id: Owner) -> bool {
        let active = self.state.loaded.active().iter().enumerate();
        active
            .flat_map(|(at, m)| self.ties(m, at))
            .any(|tie| tie.before.contains(&id))
    }

    /// Loads a module again that was unloaded with what it needs. Where that is missing now it stays unloaded.
    fn load_dependent_again(&mut self, module: &Rc<Module>) -> Result<(), Diagnostic> {
        if self.state.loaded.find_full(&module.full_name).is_some() {
            return Ok(());
        }
        let mark = self.state.mark();
        let (depth, said) = (self.frames.len(), self.notices.len());
        let why = match self.try_again(module) {
            Ok(true) => {
                self.follows(Followed::Again, module);
                return Ok(());
            }
            Ok(false) => None,
            Err(diagnostic) => Some(diagnostic),
        };
        self.state.roll_back(mark);
        self.frames.truncate(depth);
        self.notices.truncate(said);
        let mut diagnostic = Diagnostic::new(
            Kind::Module,
            format!("`{}` is not loaded any more", module.full_name),
        );
        diagnostic.notes.push(match why {
            Some(why) => why.message,
            None => "what it needs is gone".to_owned(),
        });
        if module.is_sticky() {
            return Err(diagnostic);
        }
        self.notices.push(Notice::Warning(Box::new(diagnostic)));
        Ok(())
    }

    fn try_again(&mut self, module: &Rc<Module>) -> Result<bool, Diagnostic> {
        let last = self.state.loaded.active().len();
        let met = |tie: &Tie| tie.optional || !tie.before.is_empty();
        if !self.ties(module, last).iter().all(met) {
            return Ok(false);
        }
        let spec = spec_of_full(module);
        let Ok(found) = self.find(&spec) else {
            return Ok(false);
        };
        let found = Found {
            requested: module.requested.clone(),
            ..found
        };
        let how = How {
            manager: true,
            tags: module.own_tags.clone(),
            ..How::again(module)
        };
        Ok(self.load_found(&spec, found, how)?.is_some())
    }

    /// Unloads those modules that missed the one that is about to be loaded, to load them again at the end.
    pub(super) fn set_aside_for(
        &mut self,
        found: &crate::resolve::Found,
    ) -> Result<(), Diagnostic> {
        if !self.config.requirements_bind || !self.automatic() {
            return Ok(());
        }
        let full_name = found.full_name();
        let candidate = LoadedName {
            name: &found.name,
            full_name: &full_name,
            alternatives: &found.alternatives,
            variants: &found.variants,
        };
        let active = self.state.loaded.active().to_vec();
        let mut waiting = Vec::new();
        for (at, module) in active.iter().enumerate() {
            if self.misses(module, at, &candidate) {
                waiting.push(module.id);
            }
        }
        if waiting.is_empty() {
            return Ok(());
        }
        let (_, mut again) = self.dependents_of(&waiting, Dependents::Return);
        again.extend(waiting);
        let again = self.by_ids(&again);
        for module in again.iter().rev() {
            self.follows(Followed::Dependent, module);
            self.unload_module(module)?;
        }
        self.aftermath.reload.extend(again);
        Ok(())
    }

    /// Whether a word of a requirement of `module` means nothing that is loaded, and would mean `candidate`.
    fn misses(&self, module: &Module, at: usize, candidate: &LoadedName<'_>) -> bool {
        let rules = self.config.loaded_rules();
        let before = &self.state.loaded.active()[..at];
        let words = module.needs.iter().flat_map(|need| need.spec.split('|'));
        words
            .filter_map(|word| Spec::parse(word, &self.config.spec_rules()).ok())
            .any(|spec| {
                let means =
                    |name: &LoadedName<'_>| matches_loaded(&spec, name, Purpose::Prereq, &rules);
                means(candidate) && !before.iter().any(|m| means(&loaded_name(m)))
            })
    }

    /// Unloads a module that the one being loaded does not go together with.
    ///
    /// # Errors
    /// It cannot be unloaded.
    pub(super) fn unload_opponent(&mut self, module: &Rc<Module>) -> Result<(), Diagnostic> {
        self.refuse_sticky(module)?;
        let aftermath = self.unload_bound(module, Dependents::Return)?;
        self.follows(Followed::Conflict, module);
        self.aftermath.add(aftermath);
        Ok(())
    }

    /// `module unload` in a modulefile: one module goes, and must not come back while this one is loaded.
    pub(super) fn unload_nested(&mut self, spec: &Spec) -> Result<(), Diagnostic> {
        if let Some(module) = self.loaded_match(spec, Purpose::Unload) {
            if self.automatic() && self.config.conflict_unload {
                self.unload_opponent(&module)?;
            } else {
                self.unload_unneeded(&module)?;
            }
        }
        if self.config.implicit_requirement
            && let Some(frame) = self.frames.last_mut()
        {
            frame.edit().conflicts.push(spec.text.clone());
        }
        Ok(())
    }

    /// Unloads a module that nobody needs, and touches no other.
    fn unload_unneeded(&mut self, module: &Rc<Module>) -> Result<(), Diagnostic> {
        self.refuse_sticky(module)?;
        let (gone, _) = self.dependents_of(&[module.id], Dependents::Leave);
        if let Some(refusal) = self.needed_by(&gone, module) {
            return Err(refusal);
        }
        let useless = self.requirements_of([&module.id].into_iter());
        self.aftermath.useless.extend(useless);
        self.follows(Followed::Conflict, module);
        self.unload_module(module)
    }

    /// Notes that something happens by itself.
    pub(super) fn follows(&mut self, why: Followed, module: &Module) {
        if self.config.requirements_bind {
            self.followed.push((why, module.full_name.clone()));
        }
    }

    /// Tells what an action of the user brought about.
    pub(super) fn tell_what_followed(&mut self, action: String) {
        let mut modules: Vec<(Followed, Vec<String>)> = Vec::new();
        for (why, name) in std::mem::take(&mut self.followed) {
            match modules.iter_mut().find(|(known, _)| *known == why) {
                Some((_, names)) if names.contains(&name) => {}
                Some((_, names)) => names.push(name),
                None => modules.push((why, vec![name])),
            }
        }
        if !modules.is_empty() {
            self.notices.push(Notice::Followed { action, modules });
        }
    }

    /// Unloads all modules, the last loaded first, where requirements bind: each one that must stay is told.
    ///
    /// # Errors
    /// One must stay, and the request ends with the first error.
    pub(super) fn purge_bound(&mut self) -> Result<(), Diagnostic> {
        self.adopt();
        for module in self.state.loaded.active().to_vec().iter().rev() {
            let mark = self.state.mark();
            if let Err(diagnostic) = self.refuse_sticky(module) {
                match self.config.sticky_purge {
                    StickyPurge::Error => self.fail(diagnostic)?,
                    StickyPurge::Warning => {
                        self.notices.push(Notice::Warning(Box::new(diagnostic)));
                    }
                    StickyPurge::Silent | StickyPurge::Note => {}
                }
                continue;
            }
            let (gone, _) = self.dependents_of(&[module.id], Dependents::Leave);
            if let Some(refusal) = self.needed_by(&gone, module).filter(|_| !self.force) {
                self.fail(refusal)?;
                continue;
            }
            if let Err(diagnostic) = self.unload_module(module) {
                self.state.roll_back(mark);
                self.fail(diagnostic)?;
            }
        }
        self.state.loaded.forget_all();
        Ok(())
    }

    /// Unloads all modules and loads the same ones again, in their order. All or nothing.
    ///
    /// # Errors
    /// Requirements are not met, or a module does not load.
    pub(super) fn reload_bound(&mut self) -> Result<(), Diagnostic> {
        self.adopt();
        self.check_satisfied("reload")?;
        let all = self.state.loaded.active().to_vec();
        for module in all.iter().rev() {
            self.unload_module(module)?;
        }
        for module in &all {
            let spec = spec_of_full(module);
            let found = self.find(&spec).map_err(super::Miss::into_diagnostic)?;
            let found = Found {
                requested: module.requested.clone(),
                ..found
            };
            let how = How {
                tags: module.own_tags.clone(),
                ..How::again(module)
            };
            self.load_found(&spec, found, how)?;
        }
        Ok(())
    }

    /// An error where what loaded modules need is missing, or modules are loaded that do not go together.
    ///
    /// # Errors
    /// That.
    pub fn check_satisfied(&mut self, what: &str) -> Result<(), Diagnostic> {
        if !self.config.requirements_bind {
            return Ok(());
        }
        self.look_at_modulepaths();
        let mut notes = Vec::new();
        for (at, module) in self.state.loaded.active().iter().enumerate() {
            for (need, tie) in module.needs.iter().zip(self.ties(module, at)) {
                if tie.before.is_empty() && !tie.optional {
                    let words: Vec<String> =
                        need.spec.split('|').map(|w| format!("`{w}`")).collect();
                    notes.push(format!(
                        "`{}` needs {}",
                        module.full_name,
                        words.join(" or ")
                    ));
                }
            }
            for other in self.opponents_of(module) {
                if let Some(other) = self.by_id(other)
                    && other.id > module.id
                {
                    notes.push(format!(
                        "`{}` does not go together with `{}`",
                        module.full_name, other.full_name
                    ));
                }
            }
        }
        if notes.is_empty() {
            return Ok(());
        }
        let mut diagnostic = Diagnostic::new(
            Kind::Module,
            format!("cannot {what}: requirements of loaded modules are not met"),
        );
        diagnostic.notes = notes;
        Err(diagnostic.help("load what is missing, or unload what needs it"))
    }
}
