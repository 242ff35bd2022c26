//! One module: loading it, unloading it, defining its aliases again.

use std::rc::Rc;
use std::sync::Arc;

use crate::config::Verbosity;
use crate::diag::{Diagnostic, Kind, SourceFile, Within};
use crate::env::{EnvOp, Module, Need, NeedKind, Owner, fingerprint32};
use crate::modulefile::site::Site;
use crate::modulefile::{
    Evaluation, Failure, Mode, ModuleContext, Outcome, Relation, RelationKind,
};
use crate::name::{Purpose, Spec};

use super::find::{tags_of, words_of};
use super::{Followed, MAX_DEPTH, MAX_EVALUATIONS, Miss, Notice, Transition};
use crate::resolve::Found;

/// A module whose file is being evaluated.
pub(super) struct Frame {
    /// What is known of the module so far.
    pub(super) module: Rc<Module>,
    /// Why its file is evaluated.
    pub(super) mode: Mode,
    /// Whether what the file loads by itself is left to the caller.
    pub(super) manager: bool,
}

impl Frame {
    /// The module, to be changed while its file is evaluated.
    pub(super) fn edit(&mut self) -> &mut Module {
        Rc::make_mut(&mut self.module)
    }
}

/// In which way a module is loaded.
#[derive(Debug, Clone, Default)]
pub(super) struct How {
    /// It goes with the last module that depends on it.
    pub(super) auto: bool,
    /// What its file loads by itself is left to the caller.
    pub(super) manager: bool,
    /// How deep in other modules' loads it counts as; the present depth where `None`.
    pub(super) depth: Option<u32>,
    /// Further tags.
    pub(super) tags: Vec<String>,
}

impl How {
    /// As the user asked for it.
    pub(super) fn user() -> How {
        How::default()
    }

    /// As it was loaded before.
    pub(super) fn again(module: &Module) -> How {
        How {
            auto: module.auto,
            depth: Some(module.depth),
            ..How::default()
        }
    }
}

impl Transition<'_> {
    /// Loads the module that `spec` was found to mean. Gives its number, or `None` where its file gave up.
    pub(super) fn load_found(
        &mut self,
        spec: &Spec,
        found: Found,
        how: How,
    ) -> Result<Option<Owner>, Diagnostic> {
        self.adopt();
        self.check_bounds(&found)?;
        if let Some(id) = self.make_room(spec, &found)? {
            return Ok(Some(id));
        }
        self.set_aside_for(&found)?;
        self.check_conflicts_with(&found)?;
        for text in words_of(&found) {
            self.notices.push(Notice::Text(text));
        }
        let context = self.context_of_found(&found);
        let source = self.site.read(&found.file).map_err(|d| self.wanted_by(d))?;
        if self.config.verbosity >= Verbosity::Trace {
            self.notices.push(Notice::Evaluated {
                full_name: context.full_name(),
                file: found.file.clone(),
            });
        }
        loop {
            let mark = self.state.mark();
            let (said, missing) = (self.notices.len(), self.missing.len());
            let followed = self.followed.len();
            let id = self.state.loaded.next_id();
            let mut module = new_module(
                id,
                &found,
                &source,
                &how,
                self.frames.len() as u32,
                &self.config.unrecorded_tags,
            );
            if module.auto && self.config.hide_auto_loaded {
                module.tags.push("hidden-loaded".to_owned());
            }
            self.frames.push(Frame {
                module: Rc::new(module),
                mode: Mode::Load,
                manager: how.manager,
            });
            self.evaluations += 1;
            let result = self.evaluate_file(&source, &context, Mode::Load);
            let frame = self.frames.pop().expect("pushed above");
            match result {
                Ok(evaluation) => match evaluation.outcome {
                    Outcome::Completed => {
                        let mut module = Rc::unwrap_or_clone(frame.module);
                        let checked = self
                            .check_variants(&context, &evaluation)
                            .and_then(|()| self.judge_again(&found, &evaluation, &mut module));
                        if let Err(diagnostic) = checked {
                            self.state.roll_back(mark);
                            self.followed.truncate(followed);
                            return Err(diagnostic);
                        }
                        self.complete(module, evaluation);
                        return Ok(Some(id));
                    }
                    Outcome::Broken(text) if self.config.break_is_error => {
                        self.state.roll_back(mark);
                        self.followed.truncate(followed);
                        let diagnostic = Diagnostic::new(
                            Kind::Module,
                            format!(
                                "`{}` was not loaded: its modulefile gave up",
                                context.full_name()
                            ),
                        );
                        let diagnostic = match text {
                            Some(text) => diagnostic.note(text),
                            None => diagnostic,
                        };
                        return Err(self.wanted_by(diagnostic));
                    }
                    Outcome::Broken(text) => {
                        self.state.roll_back(mark);
                        self.followed.truncate(followed);
                        self.missing.truncate(missing);
                        self.notices.push(Notice::GaveUp {
                            module: context.full_name(),
                            text,
                        });
                        return Ok(None);
                    }
                    Outcome::Exited(code) => {
                        self.ended = true;
                        self.state.roll_back(mark);
                        self.followed.truncate(followed);
                        return Err(self.wanted_by(Diagnostic::new(
                            Kind::Module,
                            format!("`{}` ended the request (exit {code})", context.full_name()),
                        )));
                    }
                },
                Err(failure) => {
                    // Another member of the family is in the way: it goes, and the file begins anew.
                    let Some(other) = self.displaced.take() else {
                        // Whoever wanted it may do without it.
                        self.state.roll_back(mark);
                        self.followed.truncate(followed);
                        return Err(self.explain(failure, &context));
                    };
                    self.state.roll_back(mark);
                    self.followed.truncate(followed);
                    self.notices.truncate(said);
                    self.missing.truncate(missing);
                    self.displace(other, &context)?;
                }
            }
        }
    }

    /// A variant that was asked for has to be one of the module's.
    fn check_variants(
        &self,
        context: &ModuleContext,
        evaluation: &Evaluation,
    ) -> Result<(), Diagnostic> {
        let declared = |name: &str| evaluation.variants.iter().any(|v| v.name == name);
        let Some((name, _)) = (context.variants.iter()).find(|(name, _)| !declared(name)) else {
            return Ok(());
        };
        let full_name = context.full_name();
        let diagnostic = Diagnostic::new(
            Kind::Module,
            format!("`{full_name}` has no variant `{name}`"),
        );
        let names: Vec<String> = (evaluation.variants.iter())
            .map(|variant| format!("`{}`", variant.name))
            .collect();
        let diagnostic = match names.is_empty() {
            true => diagnostic.help(format!("module load {full_name}")),
            false => diagnostic.help(format!("it has {}", names.join(", "))),
        };
        Err(self.wanted_by(diagnostic))
    }

    /// A modulefile may have said something about its own module: that it is forbidden, or what those are told who load it.
    fn judge_again(
        &mut self,
        found: &Found,
        evaluation: &Evaluation,
        module: &mut Module,
    ) -> Result<(), Diagnostic> {
        if evaluation.directives.is_empty() {
            return Ok(());
        }
        let Ok(spec) = Spec::plain(&module.full_name) else {
            return Ok(());
        };
        match self.find(&spec) {
            Ok(again) if again.file == found.file => {
                let known = words_of(found);
                let news = words_of(&again).into_iter().filter(|w| !known.contains(w));
                self.notices.extend(news.map(Notice::Text));
                for tag in tags_of(&again) {
                    if !module.tags.contains(&tag) {
                        module.tags.push(tag);
                    }
                }
                Ok(())
            }
            Err(Miss::Refused(refusal)) => Err(self.wanted_by(*refusal)),
            Ok(_) | Err(Miss::Unknown(_)) => Ok(()),
        }
    }

    fn displace(&mut self, other: Owner, context: &ModuleContext) -> Result<(), Diagnostic> {
        let Some(module) = self.by_id(other) else {
            return Ok(());
        };
        self.notices.push(Notice::Replaced {
            old: module.full_name.clone(),
            new: context.full_name(),
        });
        self.replaced = true;
        self.unload_module(&module)
    }

    pub(super) fn by_id(&self, id: Owner) -> Option<Rc<Module>> {
        self.state
            .loaded
            .active()
            .iter()
            .find(|m| m.id == id)
            .cloned()
    }

    /// The bounds that keep modules from loading each other for ever.
    fn check_bounds(&self, found: &Found) -> Result<(), Diagnostic> {
        let full_name = found.full_name();
        let in_progress =
            |frame: &&Frame| frame.mode == Mode::Load && frame.module.full_name == full_name;
        if self.frames.iter().any(|f| in_progress(&f)) {
            let chain: Vec<&str> = self
                .frames
                .iter()
                .skip_while(|f| !in_progress(f))
                .map(|f| f.module.full_name.as_str())
                .chain([full_name.as_str()])
                .collect();
            return Err(Diagnostic::new(
                Kind::Modulefile,
                format!(
                    "modules load each other in a circle: {}",
                    chain.join(" -> ")
                ),
            ));
        }
        if self.frames.len() >= MAX_DEPTH || self.evaluations >= MAX_EVALUATIONS {
            return Err(self.wanted_by(Diagnostic::new(
                Kind::Modulefile,
                format!("too many modules load each other at `{full_name}`"),
            )));
        }
        Ok(())
    }

    /// Makes sure that no other module of the same name is loaded. Gives the number of one that will do as it is.
    fn make_room(&mut self, spec: &Spec, found: &Found) -> Result<Option<Owner>, Diagnostic> {
        let full_name = found.full_name();
        if !self.config.reload_loaded
            && let Some(same) = self.state.loaded.find_full(&full_name)
        {
            return Ok(Some(same.id));
        }
        let old = if self.config.unique_name {
            self.state.loaded.find(&found.name)
        } else {
            self.state.loaded.find_full(&full_name)
        };
        let Some(old) = old.cloned() else {
            return Ok(None);
        };
        if old.full_name != full_name && !self.config.auto_swap_name {
            return Err(Diagnostic::new(
                Kind::Module,
                format!("`{}` is loaded already", old.full_name),
            )
            .known_as(
                "e_No_AutoSwap",
                &[
                    ("oldFullName", &old.full_name),
                    ("newFullName", &full_name),
                    ("sn", &found.name),
                    ("oldVersion", old.version().unwrap_or_default()),
                ],
            )
            .help(format!(
                "to replace it: `module swap {} {}`",
                old.full_name, spec
            )));
        }
        let modulepath = self.modulepath_mark();
        self.unload_module(&old)?;
        // What lies below the old one goes with it, so that it comes back behind the new one.
        if self.frames.is_empty() {
            self.replaced = true;
            self.settle(&modulepath)?;
        }
        Ok(None)
    }

    /// Loaded modules may have said that they do not go together with this one.
    fn check_conflicts_with(&mut self, found: &Found) -> Result<(), Diagnostic> {
        if !self.config.lasting_conflicts || (self.force && self.config.force_ignores_conflicts) {
            return Ok(());
        }
        let full_name = found.full_name();
        let candidate = crate::name::LoadedName {
            name: &found.name,
            full_name: &full_name,
            alternatives: &found.alternatives,
            variants: &found.variants,
        };
        let rules = self.config.loaded_rules();
        let opponent = self.state.loaded.active().iter().find(|m| {
            m.full_name != full_name
                && m.conflicts.iter().any(|text| {
                    Spec::parse(text, &self.config.spec_rules()).is_ok_and(|spec| {
                        crate::name::matches_loaded(&spec, &candidate, Purpose::Conflict, &rules)
                    })
                })
        });
        match opponent.cloned() {
            None => Ok(()),
            Some(module) if self.config.conflict_unload && self.config.auto_handling => {
                self.unload_opponent(&module)?;
                self.check_conflicts_with(found)
            }
            Some(module) => Err(self.wanted_by(
                Diagnostic::new(
                    Kind::Module,
                    format!(
                        "`{full_name}` conflicts with `{}`, which is loaded",
                        module.full_name
                    ),
                )
                .known_as(
                    "e_Conflict",
                    &[("name", &full_name), ("module_list", &module.full_name)],
                )
                .help(format!("first: `module unload {}`", module.full_name)),
            )),
        }
    }

    pub(super) fn context_of_found(&self, found: &Found) -> ModuleContext {
        ModuleContext {
            name: found.name.clone(),
            version: found.version.clone(),
            requested: found.requested.clone(),
            file: found.file.clone(),
            modulepath: found.modulepath.clone(),
            variants: found.variants.clone(),
            wanted_by: self.chain(),
        }
    }

    fn context_of(&self, module: &Module) -> ModuleContext {
        ModuleContext {
            name: module.name().to_owned(),
            version: module.version().map(str::to_owned),
            requested: module.requested.clone(),
            file: module.file.clone(),
            modulepath: module.modulepath.clone(),
            variants: module.variants.clone(),
            wanted_by: self.chain(),
        }
    }

    /// The modules that are being loaded, outermost first.
    pub(super) fn chain(&self) -> Vec<String> {
        self.frames
            .iter()
            .map(|f| f.module.full_name.clone())
            .collect()
    }

    /// Adds who wanted the module that a message is about.
    pub(super) fn wanted_by(&self, diagnostic: Diagnostic) -> Diagnostic {
        match self.frames.last() {
            Some(frame) => diagnostic.note(format!("wanted by `{}`", frame.module.full_name)),
            None => diagnostic,
        }
    }

    pub(super) fn explain(&self, failure: Failure, context: &ModuleContext) -> Diagnostic {
        let mut diagnostic = *failure.diagnostic;
        // A failure deep inside passes all modules above it: only the innermost one says who wanted what.
        if !diagnostic.notes.iter().any(|n| n.starts_with("loading `")) {
            let mut note = format!("loading `{}`", context.full_name());
            for name in context.wanted_by.iter().rev() {
                note.push_str(&format!(", wanted by `{name}`"));
            }
            diagnostic.notes.push(note);
            if let Some(wording) = &mut diagnostic.wording {
                wording.within = Some(Within {
                    name: context.name.clone(),
                    version: context.version.clone(),
                    requested: context.requested.clone(),
                    file: context.file.clone(),
                });
            }
        }
        diagnostic
    }

    fn complete(&mut self, mut module: Module, evaluation: Evaluation) {
        for property in evaluation.properties {
            if !module.properties.contains(&property) {
                module.properties.push(property);
            }
        }
        for tag in evaluation.tags {
            if !module.tags.contains(&tag) {
                module.tags.push(tag);
            }
        }
        module.variants = evaluation
            .variants
            .into_iter()
            .filter_map(|v| Some((v.name, v.value?)))
            .collect();
        module.sourced = evaluation.sourced;
        self.notices.push(Notice::Loaded {
            full_name: module.full_name.clone(),
            depth: module.depth,
        });
        if !self.frames.is_empty() {
            self.follows(Followed::Requirement, &module);
        }
        // `foo/latest` may load `foo/2.0`: that one is loaded then, and has done what both did.
        let inner = self.state.loaded.find(module.name()).cloned();
        match inner.filter(|_| self.config.unique_name) {
            None => self.state.loaded.push(module),
            Some(inner) => {
                self.state.give(module.id, inner.id);
                self.state.loaded.update(inner.id, |inner| {
                    inner.journal.extend(module.journal);
                    let own = |need: &Need| need.met_by != inner.name();
                    let needs: Vec<Need> = module.needs.into_iter().filter(own).collect();
                    inner.needs.extend(needs);
                    inner.families.extend(module.families);
                    // Its file no longer tells all that it did: the journal does.
                    inner.fingerprint = NO_FILE;
                });
            }
        }
    }

    /// Unloads one module, and what came with it.
    pub(super) fn unload_module(&mut self, module: &Rc<Module>) -> Result<(), Diagnostic> {
        self.adopt();
        let unloading = |f: &Frame| f.mode == Mode::Unload && f.module.id == module.id;
        let Some(module) = self.by_id(module.id) else {
            return Ok(());
        };
        if self.frames.iter().any(unloading) {
            return Ok(());
        }
        let module = &module;
        match self.unchanged_source(module) {
            Some(source) => self.unload_by_file(module, &source)?,
            None => self.unload_by_journal(module)?,
        }
        for family in &module.families {
            self.set_family(family, None);
        }
        self.state.disown(module.id);
        self.state.loaded.remove(module.id);
        self.notices.push(Notice::Unloaded {
            full_name: module.full_name.clone(),
        });
        self.release_needs(module)
    }

    /// The file of a loaded module, where it still is what was loaded.
    pub(super) fn unchanged_source(&mut self, module: &Module) -> Option<Arc<SourceFile>> {
        let source = self.site.read(&module.file).ok()?;
        let unchanged =
            module.fingerprint == 0 || module.fingerprint == fingerprint_of(source.text());
        unchanged.then_some(source)
    }

    fn unload_by_file(
        &mut self,
        module: &Rc<Module>,
        source: &Arc<SourceFile>,
    ) -> Result<(), Diagnostic> {
        let context = self.context_of(module);
        let mark = self.state.mark();
        self.frames.push(Frame {
            module: Rc::clone(module),
            mode: Mode::Unload,
            manager: false,
        });
        self.evaluations += 1;
        let result = self.evaluate_file(source, &context, Mode::Unload);
        self.frames.pop();
        let keeps = self.config.failed_unload_keeps;
        let failure = match result {
            Ok(evaluation) => match evaluation.outcome {
                Outcome::Completed => return self.take_back(module, &evaluation),
                Outcome::Broken(_) if !keeps => return self.take_back(module, &evaluation),
                Outcome::Exited(_) if !keeps => return self.unload_by_journal(module),
                Outcome::Broken(text) => Diagnostic::new(
                    Kind::Module,
                    format!("`{}` refuses to be unloaded", module.full_name),
                )
                .note(text.unwrap_or_else(|| "its file gave up".to_owned())),
                Outcome::Exited(code) => Diagnostic::new(
                    Kind::Module,
                    format!(
                        "`{}` refuses to be unloaded (exit {code})",
                        module.full_name
                    ),
                ),
            },
            Err(failure) => *failure.diagnostic,
        };
        self.state.roll_back(mark);
        if keeps && !self.force {
            return Err(failure.help(format!(
                "to be rid of it all the same: `module --force unload {}`",
                module.full_name
            )));
        }
        self.notices.push(Notice::Warning(Box::new(failure)));
        self.unload_by_journal(module)
    }

    /// Takes back what the file says, in its order.
    fn take_back(
        &mut self,
        module: &Rc<Module>,
        evaluation: &Evaluation,
    ) -> Result<(), Diagnostic> {
        for recorded in &evaluation.ops {
            if recorded.irreversible {
                self.state.apply(&recorded.op, None);
            } else {
                self.state.take_back(&recorded.op, module.id);
            }
        }
        for (relation, _) in &evaluation.relations {
            self.undo_relation(module, relation)?;
        }
        Ok(())
    }

    fn undo_relation(
        &mut self,
        module: &Rc<Module>,
        relation: &Relation,
    ) -> Result<(), Diagnostic> {
        // Where requirements bind, what came only for this module goes after it.
        if self.config.requirements_bind && relation.kind != RelationKind::Inherit {
            return Ok(());
        }
        match relation.kind {
            RelationKind::Load
            | RelationKind::TryLoad
            | RelationKind::LoadAny
            | RelationKind::ManagerLoad
            | RelationKind::Unload
            | RelationKind::AlwaysUnload => {
                for spec in &relation.specs {
                    // A file that names its own module asks for what is happening already.
                    match self.loaded_match(spec, Purpose::Unload) {
                        Some(other) if other.id != module.id => self.unload_module(&other)?,
                        _ => {}
                    }
                }
                Ok(())
            }
            RelationKind::Switch => match relation.specs.last() {
                Some(new) => self.unload_match(new),
                None => Ok(()),
            },
            RelationKind::Inherit => {
                self.inherit(module, Mode::Unload)?;
                // Its modulepath may have gone, and then nothing is found to inherit from: the journal knows.
                self.state.take_back_all(module);
                Ok(())
            }
            RelationKind::AlwaysLoad
            | RelationKind::DependsOn
            | RelationKind::DependsOnAny
            | RelationKind::PrereqAll
            | RelationKind::PrereqAny
            | RelationKind::Conflict
            | RelationKind::Family
            | RelationKind::Provide
            | RelationKind::Purge => Ok(()),
        }
    }

    /// Unloads the loaded module that `spec` means, if there is one, as the module that is being loaded wants it.
    pub(super) fn unload_for_file(&mut self, spec: &Spec) -> Result<(), Diagnostic> {
        let loading = self.frames.last().is_some_and(|f| f.mode == Mode::Load);
        match self.config.requirements_bind {
            true if loading => self.unload_nested(spec),
            // What such a line did is taken back with what the module needs.
            true => Ok(()),
            false => self.unload_match(spec),
        }
    }

    /// Unloads what `module switch` in a modulefile replaces. Where requirements bind, what needs it is loaded again.
    pub(super) fn make_way(&mut self, spec: &Spec) -> Result<(), Diagnostic> {
        if !self.config.requirements_bind {
            return self.unload_match(spec);
        }
        if self.config.auto_handling
            && let Some(module) = self.loaded_match(spec, Purpose::Unload)
        {
            self.unload_opponent(&module)?;
        }
        self.unload_for_file(spec)
    }

    /// Unloads the loaded module that `spec` means, if there is one.
    pub(super) fn unload_match(&mut self, spec: &Spec) -> Result<(), Diagnostic> {
        match self.loaded_match(spec, Purpose::Unload) {
            Some(module) => self.unload_module(&module),
            None => Ok(()),
        }
    }

    /// Takes back what the journal says: the file is gone, was edited, or does not run.
    fn unload_by_journal(&mut self, module: &Rc<Module>) -> Result<(), Diagnostic> {
        self.state.take_back_all(module);
        if self.config.requirements_bind {
            return Ok(());
        }
        for need in &module.needs {
            if need.kind == NeedKind::Load
                && let Some(other) = self.state.loaded.find(&need.met_by).cloned()
            {
                self.unload_module(&other)?;
            }
        }
        Ok(())
    }

    /// What was loaded only because `module` depends on it goes when nobody else does.
    fn release_needs(&mut self, module: &Module) -> Result<(), Diagnostic> {
        if self.config.requirements_bind {
            return Ok(());
        }
        for need in module.needs.iter().rev() {
            if need.kind != NeedKind::DependsOn {
                continue;
            }
            if let Some(other) = self.state.loaded.find(&need.met_by).cloned()
                && self.state.loaded.is_left_over(&other)
                && !self.frames.iter().any(|f| needs(&f.module, &other))
            {
                self.unload_module(&other)?;
            }
        }
        Ok(())
    }

    /// Evaluates the file of the same full name in a later modulepath, on behalf of the same module.
    pub(super) fn inherit(&mut self, module: &Module, mode: Mode) -> Result<(), Diagnostic> {
        let mut modulepaths = self.state.modulepath();
        match modulepaths.iter().position(|dir| *dir == module.modulepath) {
            Some(at) => drop(modulepaths.drain(..=at)),
            None => return Ok(()),
        }
        let spec = Spec::plain(&module.full_name)
            .map_err(|error| Diagnostic::new(Kind::Module, error.to_string()))?;
        let found = match self.site.find(&spec, modulepaths, &self.state.loaded) {
            Ok(found) => found,
            Err(_) if mode == Mode::Unload => return Ok(()),
            Err(Miss::Unknown(_)) => {
                return Err(Diagnostic::new(
                    Kind::Modulefile,
                    format!("no other `{}` to inherit from", module.full_name),
                )
                .known_as("e_Failed_2_Inherit", &[("name", &module.full_name)]));
            }
            Err(Miss::Refused(diagnostic)) => return Err(*diagnostic),
        };
        self.check_inherit_depth(&found)?;
        let context = self.context_of_found(&found);
        let source = self.site.read(&found.file)?;
        self.evaluations += 1;
        let result = self.evaluate_file(&source, &context, mode);
        let evaluation = result.map_err(|failure| self.explain(failure, &context))?;
        if mode == Mode::Unload {
            let inner = Rc::new(Module {
                modulepath: found.modulepath,
                ..module.clone()
            });
            self.take_back(&inner, &evaluation)?;
        }
        Ok(())
    }

    fn check_inherit_depth(&self, found: &Found) -> Result<(), Diagnostic> {
        if self.evaluations >= MAX_EVALUATIONS {
            return Err(Diagnostic::new(
                Kind::Modulefile,
                format!("`{}` inherits without end", found.full_name()),
            ));
        }
        Ok(())
    }

    /// Defines the aliases, functions and completions of a loaded module again.
    pub(super) fn refresh_module(&mut self, module: &Rc<Module>) -> Result<(), Diagnostic> {
        let Some(source) = self.unchanged_source(module) else {
            return Ok(());
        };
        let context = self.context_of(module);
        self.frames.push(Frame {
            module: Rc::clone(module),
            mode: Mode::Refresh,
            manager: true,
        });
        let result = (self.evaluate)(&source, &context, Mode::Refresh, self);
        self.frames.pop();
        result
            .map(|_| ())
            .map_err(|failure| self.explain(failure, &context))
    }

    /// Records that the module on top wants another one.
    pub(super) fn need(&mut self, kind: NeedKind, spec: String, met_by: &str) {
        if let Some(frame) = self.frames.last_mut() {
            frame.edit().needs.push(Need {
                kind,
                spec,
                met_by: met_by.to_owned(),
            });
        }
    }

    /// Tells other programs which module holds a family.
    pub(super) fn set_family(&mut self, family: &str, holder: Option<&Module>) {
        let mut prefixes = vec!["LMOD".to_owned()];
        if self.config.modules_family_variables {
            prefixes.push("MODULES".to_owned());
        }
        // A hook that fails has no name for the site; the evaluation of the module tells of it.
        let site = Site::new(self.session, self.config, self.languages);
        prefixes.extend(site.site_name().ok().flatten());
        for prefix in prefixes {
            let name = format!("{prefix}_FAMILY_{}", family.to_uppercase());
            let value = |text: Option<&str>| text.map(|t| t.into());
            self.state.set(&name, value(holder.map(Module::name)));
            self.state.set(
                &format!("{name}_VERSION"),
                value(holder.and_then(Module::version)),
            );
        }
    }

    /// Only what a shell forgets between two shells is done again by `refresh`.
    pub(super) fn is_refreshed(op: &EnvOp) -> bool {
        !matches!(
            op,
            EnvOp::Set { .. }
                | EnvOp::Unset { .. }
                | EnvOp::Push { .. }
                | EnvOp::Path { .. }
                | EnvOp::Chdir { .. }
        )
    }
}

fn needs(module: &Module, other: &Module) -> bool {
    module
        .needs
        .iter()
        .any(|n| n.kind == NeedKind::DependsOn && n.met_by == other.name())
}

/// The fingerprint of a module whose file does not tell what was done; no file has it.
const NO_FILE: u32 = 1;

/// Never 0, which means unknown.
pub(super) fn fingerprint_of(text: &[u8]) -> u32 {
    fingerprint32(text).max(NO_FILE + 1)
}

pub(super) fn new_module(
    id: Owner,
    found: &Found,
    source: &SourceFile,
    how: &How,
    depth: u32,
    unrecorded: &str,
) -> Module {
    let mut tags = tags_of(found);
    tags.extend(how.tags.iter().cloned());
    let is_recorded = |tag: &String| !unrecorded.split(':').any(|name| name == tag);
    tags.retain(is_recorded);
    let mut own_tags = how.tags.clone();
    own_tags.retain(is_recorded);
    Module {
        id,
        full_name: found.full_name(),
        name_len: found.name.len(),
        file: found.file.clone(),
        modulepath: found.modulepath.clone(),
        requested: found.requested.clone(),
        depth: how.depth.unwrap_or(depth),
        auto: how.auto,
        alternatives: found.alternatives.clone(),
        variants: found.variants.clone(),
        tags,
        own_tags,
        fingerprint: fingerprint_of(source.text()),
        ..Module::default()
    }
}
