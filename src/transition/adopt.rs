//! Modules of which only the name and the file are known: the session began under another module system, or the state
//! in the environment was damaged. Their files tell what they did.

use std::collections::BTreeMap;
use std::rc::Rc;

use super::Transition;
use super::reload::spec_of_full;
use super::step::fingerprint_of;
use crate::env::{EnvOp, Module, Need, NeedKind, Owner, VarName};
use crate::modulefile::{Evaluation, Mode, ModuleContext, RelationKind};
use crate::name::Purpose;

impl Transition<'_> {
    /// Reads the files of all modules whose journal is missing, once, before anything changes.
    pub(super) fn adopt(&mut self) {
        if std::mem::replace(&mut self.adopted, true) {
            return;
        }
        let unknown = |m: &&Rc<Module>| m.fingerprint == 0 && !m.file.as_str().is_empty();
        self.find_files();
        let modules: Vec<Rc<Module>> = self
            .state
            .loaded
            .active()
            .iter()
            .filter(unknown)
            .cloned()
            .collect();
        let mut pushes = BTreeMap::new();
        for module in modules {
            self.adopt_one(&module, &mut pushes);
        }
        for (var, owners) in pushes {
            self.state.claim_stack(&var, &owners);
        }
    }

    /// Looks for the files of modules of which only the name is known.
    fn find_files(&mut self) {
        let nameless = |m: &&Rc<Module>| m.file.as_str().is_empty();
        let active = self.state.loaded.active();
        let modules: Vec<Rc<Module>> = active.iter().filter(nameless).cloned().collect();
        for module in modules {
            if let Ok(found) = self.find(&spec_of_full(&module))
                && found.full_name() == module.full_name
            {
                self.state.loaded.update(module.id, |module| {
                    module.file = found.file;
                    module.modulepath = found.modulepath;
                    module.name_len = found.name.len();
                });
            }
        }
    }

    fn adopt_one(&mut self, module: &Rc<Module>, pushes: &mut BTreeMap<VarName, Vec<Owner>>) {
        let Ok(source) = self.site.read(&module.file) else {
            return;
        };
        let context = ModuleContext::from(&**module);
        let said = self.notices.len();
        let mark = self.state.mark();
        let result = (self.evaluate)(&source, &context, Mode::Show, self);
        self.state.roll_back(mark);
        self.notices.truncate(said);
        let Ok(evaluation) = result else {
            return;
        };
        let mut journal = Vec::new();
        for recorded in evaluation.ops.iter().filter(|r| !r.irreversible) {
            match &recorded.op {
                EnvOp::Push { var, .. } => pushes.entry(var.clone()).or_default().push(module.id),
                op => journal.extend(self.state.claim(op, module.id)),
            }
        }
        let needs = match self.config.requirements_bind {
            true => requirements_of(&evaluation),
            false => self.needs_of(&evaluation),
        };
        let conflicts = self.config.lasting_conflicts;
        let fingerprint = fingerprint_of(source.text());
        self.state.loaded.update(module.id, |module| {
            module.fingerprint = fingerprint;
            module.journal = journal;
            module.needs = needs;
            for (relation, _) in &evaluation.relations {
                if relation.kind == RelationKind::Family {
                    module.families.push(relation.family.clone());
                }
                if relation.kind == RelationKind::Conflict && conflicts {
                    let texts = relation.specs.iter().map(|s| s.text.clone());
                    module.conflicts.extend(texts);
                }
            }
            for property in evaluation.properties {
                if !module.properties.contains(&property) {
                    module.properties.push(property);
                }
            }
        });
    }

    /// The loaded modules that a file wanted.
    fn needs_of(&self, evaluation: &Evaluation) -> Vec<Need> {
        let mut needs = Vec::new();
        for (relation, _) in &evaluation.relations {
            let kind = match relation.kind {
                RelationKind::DependsOn | RelationKind::DependsOnAny => NeedKind::DependsOn,
                RelationKind::Load | RelationKind::TryLoad | RelationKind::LoadAny => {
                    NeedKind::Load
                }
                _ => continue,
            };
            for spec in &relation.specs {
                if let Some(met) = self.loaded_match(spec, Purpose::IsLoaded) {
                    needs.push(Need {
                        kind,
                        spec: spec.text.clone(),
                        met_by: met.name().to_owned(),
                    });
                }
            }
        }
        needs
    }
}

/// The requirements that a file states, whatever meets them.
fn requirements_of(evaluation: &Evaluation) -> Vec<Need> {
    let mut needs = Vec::new();
    for (relation, _) in &evaluation.relations {
        let (kind, any) = match relation.kind {
            RelationKind::DependsOn => (NeedKind::DependsOn, false),
            RelationKind::DependsOnAny => (NeedKind::DependsOn, true),
            RelationKind::PrereqAll => (NeedKind::Prereq, false),
            RelationKind::PrereqAny => (NeedKind::Prereq, true),
            RelationKind::Load => (NeedKind::Load, false),
            RelationKind::AlwaysLoad if relation.required => (NeedKind::Load, false),
            RelationKind::LoadAny => (NeedKind::Load, true),
            RelationKind::TryLoad => (NeedKind::Optional, false),
            _ => continue,
        };
        let kind = if relation.optional {
            NeedKind::Optional
        } else {
            kind
        };
        let words: Vec<String> = relation.specs.iter().map(|s| s.text.clone()).collect();
        let words = if any { vec![words.join("|")] } else { words };
        needs.extend(words.into_iter().map(|spec| Need {
            kind,
            spec,
            met_by: String::new(),
        }));
    }
    needs
}
