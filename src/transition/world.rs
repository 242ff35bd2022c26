//! The transition as modulefiles see it: what they ask, and the relations they want met.

use std::sync::Arc;

use bstr::BStr;
use camino::Utf8PathBuf;

use crate::config::Config;
use crate::diag::{Diagnostic, Kind, Place, SourceFile};
use crate::env::{EnvOp, Module, NeedKind};
use crate::modulefile::{
    Directive, Evaluation, Failure, Languages, Level, LoadedModule, Message, Mode, ModuleContext,
    Relation, RelationKind, World,
};
use crate::name::{Purpose, Spec, matches_loaded};
use crate::resolve::Found;
use crate::session::{Environment, Session};

use super::step::How;
use super::{Miss, Notice, Transition, loaded_name};

impl World for Transition<'_> {
    fn session(&self) -> &Session {
        self.session
    }

    fn config(&self) -> &Config {
        self.config
    }

    fn languages(&self) -> &Languages {
        self.languages
    }

    fn shell_name(&self) -> &str {
        &self.shell
    }

    fn var(&self, name: &BStr) -> Option<&BStr> {
        self.state.var(name)
    }

    fn environment(&self) -> Environment {
        self.state.environment()
    }

    fn apply(
        &mut self,
        module: &ModuleContext,
        op: &EnvOp,
        _place: &Place,
    ) -> Result<(), Diagnostic> {
        let Some((mode, owner)) = self.frames.last().map(|f| (f.mode, f.module.id)) else {
            self.state.apply(op, None);
            return Ok(());
        };
        if mode == Mode::Refresh && !Transition::is_refreshed(op) {
            return Ok(());
        }
        if self.is_protected(module, op) {
            return Ok(());
        }
        let entry = self.state.apply(op, Some(owner));
        if let (Some(entry), Some(frame)) = (entry, self.frames.last_mut()) {
            frame.edit().journal.push(entry);
        }
        Ok(())
    }

    fn apply_lasting(
        &mut self,
        module: &ModuleContext,
        op: &EnvOp,
        _place: &Place,
    ) -> Result<(), Diagnostic> {
        if !self.is_protected(module, op) {
            self.state.apply(op, None);
        }
        Ok(())
    }

    fn relate(
        &mut self,
        _module: &ModuleContext,
        relation: &Relation,
        place: &Place,
    ) -> Result<(), Diagnostic> {
        self.meet(relation)
            .map_err(|diagnostic| diagnostic.at(place.clone(), ""))
    }

    fn keeps_calls(&self) -> bool {
        self.keeps_calls
    }

    fn declare(&mut self, module: &ModuleContext, directive: &Directive) {
        self.site.know_rule(module, directive);
    }

    fn is_loaded(&self, spec: &Spec) -> bool {
        self.loaded_match(spec, Purpose::IsLoaded).is_some() || self.is_pending(spec)
    }

    fn is_pending(&self, spec: &Spec) -> bool {
        self.pending_match(spec, Purpose::IsLoaded)
    }

    fn find(&mut self, spec: &Spec) -> Option<Utf8PathBuf> {
        Transition::find(self, spec).ok().map(|found| found.file)
    }

    fn full_name(&mut self, spec: &Spec) -> Option<String> {
        Transition::find(self, spec)
            .ok()
            .map(|found| found.full_name())
    }

    fn alias_target(&mut self, name: &str) -> Option<String> {
        self.site.alias_target(name)
    }

    fn symbols(&mut self, full_name: &str) -> Vec<String> {
        self.site.symbols(full_name)
    }

    fn default_kind(&mut self, module: &ModuleContext) -> &'static str {
        self.site
            .default_kind(&module.modulepath, &module.full_name())
    }

    fn tags(&mut self, module: &ModuleContext) -> Vec<String> {
        let full_name = module.full_name();
        let own = self.frames.iter().rev().map(|f| &*f.module);
        let known = own
            .chain(self.state.loaded.active().iter().map(|m| &**m))
            .find(|m| m.full_name == full_name)
            .map(|m| m.tags.clone());
        known.unwrap_or_default()
    }

    fn collections(&mut self) -> Vec<String> {
        crate::collection::names(self.session, self.config)
    }

    fn sourced(&self, module: &ModuleContext, call: &BStr) -> Option<Vec<EnvOp>> {
        let frame = self
            .frames
            .iter()
            .rev()
            .find(|f| f.module.file == module.file)?;
        let (_, ops) = frame.module.sourced.iter().find(|(key, _)| key == call)?;
        Some(ops.clone())
    }

    fn loaded_modules(&self) -> Vec<LoadedModule> {
        super::find::loaded_modules(&self.state.loaded)
    }

    fn command(&self) -> &str {
        &self.command
    }

    fn ask(&mut self, answer: &mut [u8]) -> std::io::Result<usize> {
        let is_mute = self.config.is_mute();
        let mut said = Vec::new();
        // A question that appears after its answer would be none.
        self.notices.retain(|notice| match notice {
            Notice::Message(message) if matches!(message.level, Level::Plain | Level::Direct) => {
                if !is_mute || message.level == Level::Direct {
                    said.extend_from_slice(&message.text);
                }
                false
            }
            _ => true,
        });
        crate::session::ask(&said, answer)
    }

    fn caught(&mut self, diagnostic: Diagnostic) {
        self.errors.push(diagnostic);
    }

    fn log(&mut self, text: &BStr) {
        let text = text.strip_suffix(b"\n").unwrap_or(text);
        self.log.push(text.into());
    }

    fn tell(&mut self, message: Message) {
        self.notices.push(Notice::Message(message));
    }
}

impl Transition<'_> {
    /// Evaluates a modulefile, and logs that where the site wants it. Source: `module(1)` "MODULES_LOGGED_EVENTS".
    pub(super) fn evaluate_file(
        &mut self,
        source: &Arc<SourceFile>,
        context: &ModuleContext,
        mode: Mode,
    ) -> Result<Evaluation, Failure> {
        let is_requested = context.wanted_by.is_empty();
        let (event, requested) = match is_requested {
            true => ("requested_eval", 1),
            false => ("auto_eval", 0),
        };
        let word = match mode {
            Mode::Load => Some("load"),
            Mode::Unload => Some("unload"),
            Mode::Show => Some("display"),
            Mode::Help => Some("help"),
            Mode::Test => Some("test"),
            _ => None,
        };
        if let Some(word) = word
            && self.logs(event)
        {
            let line = format!(
                "user=\"{}\" mode=\"{word}\" module=\"{}\" specified=\"{}\" modulefile=\"{}\" requested=\"{requested}\"",
                self.session.user(),
                context.full_name(),
                context.requested,
                context.file,
            );
            self.log.push(line.into());
        }
        (self.evaluate)(source, context, mode, self)
    }

    fn logs(&self, event: &str) -> bool {
        let mut events = self.config.logged_events.split(':');
        events.any(|wanted| wanted == event)
    }

    /// Whether the site or the user keeps modulefiles from changing this variable.
    fn is_protected(&mut self, module: &ModuleContext, op: &EnvOp) -> bool {
        let (EnvOp::Set { var, .. }
        | EnvOp::Unset { var, .. }
        | EnvOp::Push { var, .. }
        | EnvOp::Path { var, .. }) = op
        else {
            return false;
        };
        let protected = self
            .config
            .protected_variables
            .split([':', ',', ' '])
            .any(|name| name == var.as_str());
        if protected {
            self.notices.push(Notice::Protected {
                module: module.full_name(),
                variable: var.to_string(),
            });
        }
        protected
    }

    fn pending_match(&self, spec: &Spec, purpose: Purpose) -> bool {
        let rules = self.config.loaded_rules();
        self.frames
            .iter()
            .filter(|f| f.mode == Mode::Load)
            .any(|f| matches_loaded(spec, &loaded_name(&f.module), purpose, &rules))
    }

    fn manager(&self) -> bool {
        self.frames.last().is_some_and(|f| f.manager)
    }

    fn meet(&mut self, relation: &Relation) -> Result<(), Diagnostic> {
        let automatic = self.config.auto_handling;
        match relation.kind {
            RelationKind::Load
            | RelationKind::TryLoad
            | RelationKind::LoadAny
            | RelationKind::AlwaysLoad
                if self.manager() =>
            {
                self.need_only(relation);
                Ok(())
            }
            RelationKind::Load => self.load_nested(relation, NeedKind::Load),
            RelationKind::TryLoad => self.try_load_nested(relation),
            RelationKind::AlwaysLoad => self.load_nested(relation, NeedKind::Prereq),
            RelationKind::LoadAny => {
                let present = relation.specs.iter().find_map(|spec| self.present(spec));
                let loaded = match present.filter(|_| self.config.load_any_if_none) {
                    Some(name) => name,
                    None => self.load_first(&relation.specs, self.nested(relation))?,
                };
                if self.records(relation) {
                    self.need(NeedKind::Load, texts(&relation.specs), &loaded);
                }
                Ok(())
            }
            RelationKind::ManagerLoad => {
                let how = How {
                    manager: true,
                    ..self.nested(relation)
                };
                for spec in &relation.specs {
                    let found = self.find(spec).map_err(Miss::into_diagnostic)?;
                    self.load_found(spec, found, how.clone())?;
                }
                Ok(())
            }
            RelationKind::Unload | RelationKind::AlwaysUnload => {
                for spec in &relation.specs {
                    self.unload_for_file(spec)?;
                }
                Ok(())
            }
            RelationKind::Switch => {
                let Some(new) = relation.specs.last() else {
                    return Ok(());
                };
                match relation.specs.as_slice() {
                    [old, _] => self.make_way(old)?,
                    // The module that goes has the name of the one that comes.
                    _ => {
                        let name = self.find(new).map_err(Miss::into_diagnostic)?.name;
                        let old = Spec::plain(&name).unwrap_or_else(|_| new.clone());
                        self.make_way(&old)?;
                    }
                }
                let single = Relation {
                    specs: vec![new.clone()],
                    ..relation.clone()
                };
                self.load_nested(&single, NeedKind::Load)
            }
            RelationKind::DependsOn => self.depend_on_all(relation),
            RelationKind::DependsOnAny => self.depend_on_any(relation),
            RelationKind::PrereqAll if automatic => self.depend_on_all(relation),
            RelationKind::PrereqAny if automatic => self.depend_on_any(relation),
            RelationKind::PrereqAll => self.require_all(relation),
            RelationKind::PrereqAny => self.require_any(relation),
            RelationKind::Conflict => self.refuse_conflicts(relation),
            RelationKind::Family => self.join_family(&relation.family),
            RelationKind::Provide => {
                if let Some(frame) = self.frames.last_mut() {
                    let names = relation.specs.iter().map(|s| s.path.clone());
                    frame.edit().alternatives.extend(names);
                }
                Ok(())
            }
            RelationKind::Inherit => match self.frames.last().map(|f| f.module.clone()) {
                Some(module) => self.inherit(&module, Mode::Load),
                None => Ok(()),
            },
            RelationKind::Purge => self.purge_others(relation.force),
        }
    }

    /// How the modules of a relation are loaded.
    fn nested(&self, relation: &Relation) -> How {
        let mut tags = relation.tags.clone();
        let bind = self.config.requirements_bind;
        if bind && relation.kind == RelationKind::AlwaysLoad && relation.required {
            tags.push("keep-loaded".to_owned());
        }
        How {
            tags,
            auto: bind,
            ..How::default()
        }
    }

    /// Whether what a file loads is a requirement of it.
    fn records(&self, relation: &Relation) -> bool {
        !self.config.requirements_bind || relation.required && self.config.implicit_requirement
    }

    /// Records what a file would load.
    fn need_only(&mut self, relation: &Relation) {
        if !self.config.requirements_bind || !self.records(relation) {
            return;
        }
        match relation.kind {
            RelationKind::LoadAny => self.need(NeedKind::Load, texts(&relation.specs), ""),
            kind => {
                let kind = match kind {
                    RelationKind::TryLoad => NeedKind::Optional,
                    _ => NeedKind::Load,
                };
                for spec in &relation.specs {
                    self.need(kind, spec.text.clone(), "");
                }
            }
        }
    }

    /// A module that does not exist was asked for in a file. Where each module stands for itself, that one fails; else a
    /// later module may still bring it.
    fn miss(&mut self, spec: &Spec, diagnostic: Diagnostic) -> Result<(), Diagnostic> {
        let diagnostic = self.wanted_by(diagnostic);
        if !self.aborts {
            return Err(diagnostic);
        }
        self.missing.push((spec.clone(), diagnostic));
        Ok(())
    }

    /// The kind of a requirement, which may be one that need not be met.
    fn kind_of(&self, relation: &Relation, kind: NeedKind) -> NeedKind {
        match self.config.requirements_bind && relation.optional {
            true => NeedKind::Optional,
            false => kind,
        }
    }

    /// Records requirements that may stay unmet, where that matters.
    fn need_optional(&mut self, spec: String) {
        if self.config.requirements_bind {
            self.need(NeedKind::Optional, spec, "");
        }
    }

    fn load_nested(&mut self, relation: &Relation, kind: NeedKind) -> Result<(), Diagnostic> {
        for spec in &relation.specs {
            let found = match self.find_within(spec, &relation.modulepaths) {
                Ok(found) => found,
                Err(Miss::Unknown(_)) if relation.optional => {
                    self.need_optional(spec.text.clone());
                    continue;
                }
                Err(Miss::Unknown(diagnostic)) => {
                    self.miss(spec, *diagnostic)?;
                    continue;
                }
                Err(Miss::Refused(diagnostic)) => return Err(self.wanted_by(*diagnostic)),
            };
            let name = found.name.clone();
            self.load_required(spec, found, relation)?;
            if self.records(relation) {
                let kind = self.kind_of(relation, kind);
                self.need(kind, spec.text.clone(), &name);
            }
        }
        Ok(())
    }

    /// Loads what a file asks for; where requirements bind, what is loaded already will do.
    fn load_required(
        &mut self,
        spec: &Spec,
        found: Found,
        relation: &Relation,
    ) -> Result<(), Diagnostic> {
        if self.config.requirements_bind && self.present(spec).is_some() {
            return Ok(());
        }
        self.load_found(spec, found, self.nested(relation))?;
        Ok(())
    }

    fn try_load_nested(&mut self, relation: &Relation) -> Result<(), Diagnostic> {
        for spec in &relation.specs {
            let found = match self.find_within(spec, &relation.modulepaths) {
                Ok(found) => found,
                Err(Miss::Unknown(_)) => {
                    self.need_optional(spec.text.clone());
                    continue;
                }
                Err(Miss::Refused(diagnostic)) => return Err(self.wanted_by(*diagnostic)),
            };
            let name = found.name.clone();
            self.load_required(spec, found, relation)?;
            let kind = match self.config.requirements_bind {
                true => NeedKind::Optional,
                false => NeedKind::Load,
            };
            self.need(kind, spec.text.clone(), &name);
        }
        Ok(())
    }

    /// Loads the first of `specs` that can be loaded; gives its name.
    pub(super) fn load_first(&mut self, specs: &[Spec], how: How) -> Result<String, Diagnostic> {
        let mut reasons: Vec<Diagnostic> = Vec::new();
        for spec in specs {
            if let Some(loaded) = self.loaded_match(spec, Purpose::IsLoaded) {
                return Ok(loaded.name().to_owned());
            }
            let found = match self.find(spec) {
                Ok(found) => found,
                Err(miss) => {
                    reasons.push(miss.into_diagnostic());
                    continue;
                }
            };
            let name = found.name.clone();
            let mark = self.state.mark();
            let (depth, followed) = (self.frames.len(), self.followed.len());
            match self.load_found(spec, found, how.clone()) {
                Ok(Some(_)) => return Ok(name),
                Ok(None) => {}
                Err(diagnostic) if self.displaced.is_some() => return Err(diagnostic),
                Err(diagnostic) => {
                    self.state.roll_back(mark);
                    self.frames.truncate(depth);
                    self.followed.truncate(followed);
                    reasons.push(diagnostic);
                }
            }
        }
        let mut diagnostic = Diagnostic::new(
            Kind::Module,
            format!("none of these modules can be loaded: {}", list(specs)),
        )
        .known_as("e_Failed_Load_any", &[("module_list", &words(specs))]);
        diagnostic
            .notes
            .extend(reasons.into_iter().map(|r| r.message));
        Err(self.wanted_by(diagnostic))
    }

    fn depend_on_all(&mut self, relation: &Relation) -> Result<(), Diagnostic> {
        for spec in &relation.specs {
            let name = match self.present(spec) {
                Some(name) => Some(name),
                // Whoever restores a list of modules loads them all by itself.
                None if self.manager() => Some(spec.path.clone()),
                None => self.load_dependency(spec, relation)?,
            };
            match name {
                Some(name) => {
                    let kind = self.kind_of(relation, NeedKind::DependsOn);
                    self.need(kind, spec.text.clone(), &name);
                }
                None if relation.optional => self.need_optional(spec.text.clone()),
                None => {}
            }
        }
        Ok(())
    }

    fn load_dependency(
        &mut self,
        spec: &Spec,
        relation: &Relation,
    ) -> Result<Option<String>, Diagnostic> {
        match self.find_within(spec, &relation.modulepaths) {
            Ok(found) => {
                let name = found.name.clone();
                let how = How {
                    auto: true,
                    ..self.nested(relation)
                };
                self.load_found(spec, found, how)?;
                Ok(Some(name))
            }
            Err(_) if relation.optional => Ok(None),
            Err(Miss::Unknown(diagnostic)) => {
                self.miss(spec, *diagnostic)?;
                Ok(None)
            }
            Err(Miss::Refused(diagnostic)) => Err(self.wanted_by(*diagnostic)),
        }
    }

    fn depend_on_any(&mut self, relation: &Relation) -> Result<(), Diagnostic> {
        let present = relation.specs.iter().find_map(|spec| self.present(spec));
        let how = How {
            auto: true,
            ..self.nested(relation)
        };
        let name = match present {
            Some(name) => name,
            None if relation.specs.is_empty() => return Ok(()),
            None if self.manager() && self.config.requirements_bind => String::new(),
            None if self.manager() => return Ok(()),
            None => match self.load_first(&relation.specs, how) {
                Ok(name) => name,
                Err(_) if relation.optional && self.displaced.is_none() => {
                    self.need_optional(texts(&relation.specs));
                    return Ok(());
                }
                Err(diagnostic) => return Err(diagnostic),
            },
        };
        let kind = self.kind_of(relation, NeedKind::DependsOn);
        self.need(kind, texts(&relation.specs), &name);
        Ok(())
    }

    /// The name of the loaded module, or the one just being loaded, that `spec` means.
    fn present(&self, spec: &Spec) -> Option<String> {
        if let Some(loaded) = self.loaded_match(spec, Purpose::IsLoaded) {
            return Some(loaded.name().to_owned());
        }
        let rules = self.config.loaded_rules();
        self.frames
            .iter()
            .filter(|f| f.mode == Mode::Load)
            .find(|f| matches_loaded(spec, &loaded_name(&f.module), Purpose::IsLoaded, &rules))
            .map(|f| f.module.name().to_owned())
    }

    fn meets_prereq(&self, spec: &Spec) -> bool {
        self.loaded_match(spec, Purpose::Prereq).is_some()
            || self.pending_match(spec, Purpose::Prereq)
    }

    /// Records requirements that were met, or are forced, where they bind.
    fn bind(&mut self, relation: &Relation, words: String) {
        if self.config.requirements_bind {
            let kind = self.kind_of(relation, NeedKind::Prereq);
            self.need(kind, words, "");
        }
    }

    fn require_all(&mut self, relation: &Relation) -> Result<(), Diagnostic> {
        for spec in &relation.specs {
            self.bind(relation, spec.text.clone());
        }
        if relation.optional || self.manager() {
            return Ok(());
        }
        let missing: Vec<&Spec> = relation
            .specs
            .iter()
            .filter(|spec| !self.meets_prereq(spec))
            .collect();
        if missing.is_empty() {
            return Ok(());
        }
        let names: Vec<String> = missing.iter().map(|s| format!("`{s}`")).collect();
        let words: Vec<&str> = missing.iter().map(|s| s.text.as_str()).collect();
        self.unmet(
            "e_Prereq",
            &words.join(" "),
            format!("needs {} to be loaded first", names.join(", ")),
            format!("first: `module load {}`", words.join(" ")),
        )
    }

    fn require_any(&mut self, relation: &Relation) -> Result<(), Diagnostic> {
        self.bind(relation, texts(&relation.specs));
        let met = relation.optional
            || self.manager()
            || relation.specs.iter().any(|spec| self.meets_prereq(spec));
        if met {
            return Ok(());
        }
        let what = match relation.specs.as_slice() {
            [one] => format!("needs `{one}` to be loaded first"),
            many => format!("needs one of these to be loaded first: {}", list(many)),
        };
        let first = relation.specs.first().map_or("", |s| &s.text);
        let help = format!("for example: `module load {first}`");
        self.unmet("e_Prereq_Any", &words(&relation.specs), what, help)
    }

    /// The module that is being loaded does not go together with what is loaded; `key` is Lmod's for it, `modules` are
    /// those that are missing or in the way.
    fn unmet(
        &mut self,
        key: &'static str,
        modules: &str,
        what: String,
        help: String,
    ) -> Result<(), Diagnostic> {
        let name = self.top_name();
        let diagnostic = Diagnostic::new(Kind::Module, format!("`{name}` {what}"))
            .known_as(key, &[("name", &name), ("module_list", modules)])
            .help(help);
        if self.force && self.config.force_ignores_conflicts {
            self.notices.push(Notice::Warning(Box::new(diagnostic)));
            return Ok(());
        }
        Err(diagnostic)
    }

    fn top_name(&self) -> String {
        self.frames
            .last()
            .map_or_else(String::new, |f| f.module.full_name.clone())
    }

    fn refuse_conflicts(&mut self, relation: &Relation) -> Result<(), Diagnostic> {
        let rules = self.config.loaded_rules();
        let own = self.top_name();
        let mut opponents: Vec<&str> = Vec::new();
        let mut named = Vec::new();
        for spec in &relation.specs {
            for module in self.state.loaded.active() {
                if module.full_name != own
                    && matches_loaded(spec, &loaded_name(module), Purpose::Conflict, &rules)
                    && !opponents.contains(&module.full_name.as_str())
                {
                    opponents.push(&module.full_name);
                    named.push(spec.text.as_str());
                }
            }
        }
        if self.config.lasting_conflicts
            && let Some(frame) = self.frames.last_mut()
        {
            let texts = relation.specs.iter().map(|s| s.text.clone());
            frame.edit().conflicts.extend(texts);
        }
        if opponents.is_empty() {
            return Ok(());
        }
        if self.config.conflict_unload && self.config.auto_handling {
            let opponents: Vec<String> = opponents.into_iter().map(str::to_owned).collect();
            for name in opponents.iter().rev() {
                if let Some(module) = self.state.loaded.find_full(name).cloned() {
                    self.unload_opponent(&module)?;
                }
            }
            return Ok(());
        }
        let names: Vec<String> = opponents.iter().map(|n| format!("`{n}`")).collect();
        let what = format!("conflicts with {}, which is loaded", names.join(", "));
        let opponents = opponents.join(" ");
        let help = format!("first: `module unload {opponents}`");
        self.unmet("e_Conflict", &named.join(" "), what, help)
    }

    fn join_family(&mut self, family: &str) -> Result<(), Diagnostic> {
        let Some(top) = self.frames.last().map(|f| f.module.clone()) else {
            return Ok(());
        };
        let above = self.frames[..self.frames.len() - 1]
            .iter()
            .find(|f| f.mode == Mode::Load && f.module.families.iter().any(|n| n == family));
        if let Some(frame) = above {
            return Err(Diagnostic::new(
                Kind::Modulefile,
                format!(
                    "`{}` loads `{}`, but both are of the family `{family}`",
                    frame.module.full_name, top.full_name
                ),
            ));
        }
        if let Some(holder) = self.state.loaded.family_holder(family)
            && match self.config.unique_name {
                true => holder.name() != top.name(),
                false => holder.id != top.id,
            }
        {
            let (id, name) = (holder.id, holder.full_name.clone());
            let message = format!(
                "`{}` and `{name}` are both of the family `{family}`",
                top.full_name
            );
            let values = [
                ("name", family),
                ("oldName", &name),
                ("fullName", &top.full_name),
            ];
            let diagnostic = Diagnostic::new(Kind::Module, message)
                .known_as("e_Family_Conflict", &values)
                .help(format!("first: `module unload {name}`"));
            if self.config.auto_swap_family {
                self.displaced = Some(id);
                return Err(diagnostic);
            }
            return Err(diagnostic);
        }
        self.set_family(family, Some(&top));
        drop(top);
        if let Some(frame) = self.frames.last_mut() {
            let families: &mut Vec<String> = &mut frame.edit().families;
            if !families.iter().any(|f| f == family) {
                families.push(family.to_owned());
            }
        }
        Ok(())
    }

    /// Unloads all modules but those that are being loaded; sticky ones only where `force`.
    fn purge_others(&mut self, force: bool) -> Result<(), Diagnostic> {
        let before = self.state.loaded.clone();
        for module in before.active().iter().rev() {
            self.unload_module(module)?;
        }
        if !force {
            self.restore_sticky(&before)?;
        }
        Ok(())
    }
}

fn list(specs: &[Spec]) -> String {
    let names: Vec<String> = specs.iter().map(|s| format!("`{s}`")).collect();
    names.join(", ")
}

/// The names as they were written.
fn words(specs: &[Spec]) -> String {
    let words: Vec<&str> = specs.iter().map(|s| s.text.as_str()).collect();
    words.join(" ")
}

fn texts(specs: &[Spec]) -> String {
    let texts: Vec<&str> = specs.iter().map(|s| s.text.as_str()).collect();
    texts.join("|")
}

/// A module for messages and listings of other rooms.
impl From<&Module> for ModuleContext {
    fn from(module: &Module) -> ModuleContext {
        ModuleContext {
            name: module.name().to_owned(),
            version: module.version().map(str::to_owned),
            requested: module.requested.clone(),
            file: module.file.clone(),
            modulepath: module.modulepath.clone(),
            variants: module.variants.clone(),
            wanted_by: Vec::new(),
        }
    }
}
