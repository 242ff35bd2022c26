//! Modules of which only the name and the file are known: the session began under another module system, or the state
//! in the environment was damaged. Their files tell what they did.

use std::collections::BTreeMap;
use std::rc::Rc;

use super::Transition;
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
        let needs = self.needs_of(&evaluation);
        let fingerprint = fingerprint_of(source.text());
        self.state.loaded.update(module.id, |module| {
            module.fingerprint = fingerprint;
            module.journal = journal;
            module.needs = needs;
            for (relation, _) in &evaluation.relations {
                if relation.kind == RelationKind::Family {
                    module.families.push(relation.family.clone());
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
