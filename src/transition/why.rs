//! Who is behind a variable or an entry of a path: `why`.

use bstr::{BStr, BString, ByteSlice};

use super::{Modulefiles, Transition};
use crate::env::loaded::Entry;
use crate::env::{EnvOp, Module, VarName};
use crate::modulefile::{Mode, ModuleContext, Recorded};

/// Where a value comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// The variable.
    pub variable: String,
    /// The entry, for a path variable; the whole value otherwise. `None` where the variable is unset.
    pub value: Option<BString>,
    /// The modules behind it, in load order; empty for what the user or the system set.
    pub modules: Vec<Behind>,
}

/// One module behind a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Behind {
    /// Its full name.
    pub full_name: String,
    /// The file and the line that set it, where the file still is what was loaded.
    pub place: Option<(String, u32)>,
    /// The value that it replaced, where it replaced one.
    pub replaced: Option<BString>,
}

impl Transition<'_> {
    /// Tells for a variable, or for all entries of path variables that contain `word`, which module set it.
    ///
    /// A word that is the name of a variable means that variable; any other word is looked for in the entries of paths.
    pub fn why(&mut self, word: &BStr) -> Vec<Origin> {
        let mut origins = Vec::new();
        let variable = VarName::new(word).filter(|name| {
            self.state.var(name.as_bstr()).is_some() || self.is_set_by_a_module(name)
        });
        match variable {
            Some(name) => self.why_variable(&name, &mut origins),
            None => {
                for (name, delim) in self.owned_variables() {
                    self.why_entries(&name, &delim, Some(word), &mut origins);
                }
                origins.retain(|origin| {
                    origin
                        .value
                        .as_ref()
                        .is_some_and(|value| value.contains_str(word))
                });
            }
        }
        let places = self.places();
        for origin in &mut origins {
            for behind in &mut origin.modules {
                behind.place = find_place(&places, behind, &origin.variable, origin.value.as_ref());
            }
        }
        origins
    }

    fn is_set_by_a_module(&self, name: &VarName) -> bool {
        let mut entries = self
            .state
            .loaded
            .active()
            .iter()
            .flat_map(|m| m.journal.iter());
        entries.any(|entry| matches!(entry, Entry::Set { var, .. } | Entry::Unset { var, .. } if var == name))
    }

    /// The path variables to which any module added something.
    fn owned_variables(&self) -> Vec<(VarName, BString)> {
        let mut all: Vec<(VarName, BString)> = Vec::new();
        for module in self.state.loaded.active() {
            for (name, delim) in self.state.owned_paths(module.id) {
                if !all.iter().any(|(known, _)| *known == name) {
                    all.push((name, delim));
                }
            }
        }
        all.sort();
        all
    }

    fn why_variable(&mut self, name: &VarName, origins: &mut Vec<Origin>) {
        let owned = self.owned_variables();
        if let Some((_, delim)) = owned.into_iter().find(|(known, _)| known == name) {
            self.why_entries(name, &delim, None, origins);
            return;
        }
        let value = self.state.var(name.as_bstr()).map(|v| v.to_owned());
        let setters = self.state.loaded.active().iter().filter_map(|module| {
            let replaced = module.journal.iter().rev().find_map(|entry| match entry {
                Entry::Set { var, replaced } if var == name => Some(replaced.clone()),
                _ => None,
            });
            let hidden = self.state.hidden_by(name, module.id);
            let replaced = replaced.or(hidden)?;
            Some(Behind {
                full_name: module.full_name.clone(),
                place: None,
                replaced,
            })
        });
        origins.push(Origin {
            variable: name.to_string(),
            value,
            modules: setters.collect(),
        });
    }

    fn why_entries(
        &mut self,
        name: &VarName,
        delim: &BString,
        word: Option<&BStr>,
        origins: &mut Vec<Origin>,
    ) {
        let modules: Vec<_> = self.state.loaded.active().to_vec();
        for entry in self.state.path_entries(name, delim.as_bstr()) {
            if word.is_some_and(|word| !entry.text.contains_str(word)) {
                continue;
            }
            let behind = |owner: &u32| modules.iter().find(|m| m.id == *owner);
            origins.push(Origin {
                variable: name.to_string(),
                value: Some(entry.text.to_owned()),
                modules: entry
                    .owners
                    .iter()
                    .filter_map(behind)
                    .map(|module| Behind {
                        full_name: module.full_name.clone(),
                        place: None,
                        replaced: None,
                    })
                    .collect(),
            });
        }
    }

    /// What the files of the loaded modules say, for those that still are what was loaded.
    fn places(&mut self) -> Vec<(String, Vec<Recorded>)> {
        let modules: Vec<_> = self.state.loaded.active().to_vec();
        modules
            .iter()
            .filter_map(|module| {
                let ops = self.ops_of(module)?;
                Some((module.full_name.clone(), ops))
            })
            .collect()
    }

    fn ops_of(&mut self, module: &Module) -> Option<Vec<Recorded>> {
        let source = self.unchanged_source(module)?;
        let context = ModuleContext::from(module);
        let mark = self.state.mark();
        let evaluation = (self.evaluate)(&source, &context, Mode::Show, self);
        self.state.roll_back(mark);
        Some(evaluation.ok()?.ops)
    }

    /// The trees behind this request, for listings.
    pub fn site(&mut self) -> &mut dyn Modulefiles {
        self.site
    }
}

/// The line that sets a variable or adds an entry.
fn find_place(
    places: &[(String, Vec<Recorded>)],
    behind: &Behind,
    variable: &str,
    value: Option<&BString>,
) -> Option<(String, u32)> {
    let (_, ops) = places.iter().find(|(name, _)| *name == behind.full_name)?;
    let sets = |recorded: &&Recorded| match &recorded.op {
        EnvOp::Set { var, .. } | EnvOp::Unset { var, .. } | EnvOp::Push { var, .. } => {
            var.as_str() == variable
        }
        EnvOp::Path {
            var,
            value: entries,
            delim,
            ..
        } => {
            var.as_str() == variable
                && value.is_some_and(|value| {
                    let same = |e: &[u8]| *crate::env::clean_path(e) == **value;
                    entries.split_str(delim.as_slice()).any(same)
                })
        }
        _ => false,
    };
    let recorded = ops.iter().rev().find(sets)?;
    let file = recorded.place.file.path().to_string();
    let line = recorded.place.file.line_of(recorded.place.span.start);
    Some((file, line))
}
