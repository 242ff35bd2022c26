//! What is loaded, what waits to come back, and what each module did that a path variable does not tell by itself.
//!
//! Readable for everybody are `LOADEDMODULES` and `_LMFILES_`; the rest travels in the packed variable (`packed.rs`).

use std::rc::Rc;

use bstr::BString;
use camino::{Utf8Path, Utf8PathBuf};

use super::path_list::Owner;
use super::{EnvOp, VarName};

/// Something a module did. What it added to path variables stands in their [`super::PathList`]s, what `pushenv` hid in
/// the state's stacks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entry {
    /// It gave a variable a value.
    Set {
        /// The variable.
        var: VarName,
        /// The value before.
        replaced: Option<BString>,
    },
    /// It took a variable away.
    Unset {
        /// The variable.
        var: VarName,
        /// The value that unloading gives it, if any.
        on_unload: Option<BString>,
    },
    /// It defined an alias.
    Alias {
        /// Its name.
        name: String,
    },
    /// It defined or exported a function.
    Function {
        /// Its name.
        name: String,
    },
    /// It defined a completion.
    Complete {
        /// The shell it is meant for.
        shell: String,
        /// The command.
        command: String,
    },
}

/// Why a module wants another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum NeedKind {
    /// `depends_on`: it goes when nobody needs it any more.
    DependsOn,
    /// `load` and its like: it goes with the module that loaded it.
    Load,
    /// `prereq`: it must be there, but is not taken away.
    Prereq,
    /// It need not be there; where requirements bind, the module is loaded again when it comes or goes.
    Optional,
}

/// One module that another one wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Need {
    /// Why.
    pub kind: NeedKind,
    /// The specification as written; alternatives are joined by `|`.
    pub spec: String,
    /// The name, without version, of the module that met it.
    pub met_by: String,
}

/// One module that is loaded, or was and waits.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Module {
    /// Its number in this session's path variables; never 0 for a loaded module.
    pub id: Owner,
    /// Name with version.
    pub full_name: String,
    /// How many bytes of `full_name` are the name without version.
    pub name_len: usize,
    /// Its file.
    pub file: Utf8PathBuf,
    /// The directory of `MODULEPATH` it was found in.
    pub modulepath: Utf8PathBuf,
    /// How it was asked for, completed: `gcc` follows the default, `gcc/13.2.0` does not.
    pub requested: String,
    /// How deep in other modules' loads it was loaded; 0 for the user's own.
    pub depth: u32,
    /// Loaded because another module depends on it, so that it goes with the last of these.
    pub auto: bool,
    /// The families it holds.
    pub families: Vec<String>,
    /// Its properties: key and value.
    pub properties: Vec<(String, String)>,
    /// Its tags.
    pub tags: Vec<String>,
    /// Those of its tags that the request gave it (`load --tag`).
    pub own_tags: Vec<String>,
    /// Further names that stand for it: aliases, symbolic versions.
    pub alternatives: Vec<String>,
    /// The variants it was loaded with: name and value.
    pub variants: Vec<(String, String)>,
    /// What the shell scripts it sourced changed, by call.
    pub sourced: Vec<(BString, Vec<EnvOp>)>,
    /// Specifications it does not go together with.
    pub conflicts: Vec<String>,
    /// The modules it wants.
    pub needs: Vec<Need>,
    /// The fingerprint of its file as it was loaded; 0 where unknown.
    pub fingerprint: u32,
    /// What it did, oldest first.
    pub journal: Vec<Entry>,
}

impl Module {
    /// The name without version.
    pub fn name(&self) -> &str {
        self.full_name
            .get(..self.name_len)
            .unwrap_or(&self.full_name)
    }

    /// The version; `None` for a module without one.
    pub fn version(&self) -> Option<&str> {
        self.full_name
            .get(self.name_len..)
            .and_then(|rest| rest.strip_prefix('/'))
            .filter(|version| !version.is_empty())
    }

    /// Whether it resists unload and purge.
    pub fn is_sticky(&self) -> bool {
        self.properties
            .iter()
            .any(|(key, value)| key == "lmod" && value == "sticky")
            || self.has_tag("sticky")
            || self.has_tag("super-sticky")
    }

    /// Whether it carries a tag.
    pub fn has_tag(&self, tag: &str) -> bool {
        self.tags.iter().any(|t| t == tag)
    }

    /// The directory that `file` was found in if the name tells where the modulepath ends.
    pub fn modulepath_of(file: &Utf8Path, full_name: &str) -> Option<Utf8PathBuf> {
        let text = file.as_str();
        let stem = text
            .strip_suffix(full_name)
            .or_else(|| text.strip_suffix(".lua")?.strip_suffix(full_name))
            .or_else(|| text.strip_suffix(".toml")?.strip_suffix(full_name))?;
        stem.strip_suffix('/').map(Utf8PathBuf::from)
    }

    /// A module of which only the readable variables tell.
    pub fn bare(id: Owner, full_name: &str, file: &str) -> Module {
        let file = Utf8PathBuf::from(file);
        Module {
            id,
            name_len: full_name.rfind('/').unwrap_or(full_name.len()),
            modulepath: Module::modulepath_of(&file, full_name).unwrap_or_default(),
            file,
            requested: full_name.to_owned(),
            full_name: full_name.to_owned(),
            ..Module::default()
        }
    }
}

/// The loaded modules and those that wait. Cheap to clone: a nested load keeps one for the case that it fails.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Loaded {
    active: Vec<Rc<Module>>,
    inactive: Vec<Rc<Module>>,
    last_id: Owner,
}

impl Loaded {
    /// The loaded modules in load order.
    pub fn active(&self) -> &[Rc<Module>] {
        &self.active
    }

    /// The modules that were loaded until their modulepath went; they come back with it. In their former load order.
    pub fn inactive(&self) -> &[Rc<Module>] {
        &self.inactive
    }

    /// A number that no module has.
    pub fn next_id(&mut self) -> Owner {
        self.last_id += 1;
        self.last_id
    }

    /// The loaded module with this name without version; of several the last.
    pub fn find(&self, name: &str) -> Option<&Rc<Module>> {
        self.active.iter().rev().find(|m| m.name() == name)
    }

    /// The loaded module with this full name.
    pub fn find_full(&self, full_name: &str) -> Option<&Rc<Module>> {
        self.active.iter().rev().find(|m| m.full_name == full_name)
    }

    /// The loaded module that holds a family.
    pub fn family_holder(&self, family: &str) -> Option<&Rc<Module>> {
        self.active
            .iter()
            .rev()
            .find(|m| m.families.iter().any(|f| f == family))
    }

    /// How many loaded modules depend on a module; `None` where it was not loaded for that.
    pub fn ref_count(&self, module: &Module) -> Option<u32> {
        module.auto.then(|| self.dependents(module).count() as u32)
    }

    /// Whether a module was loaded because others depend on it, of which none is left.
    pub fn is_left_over(&self, module: &Module) -> bool {
        module.auto && self.dependents(module).next().is_none()
    }

    /// The loaded modules that depend on `module`.
    pub fn dependents<'a>(
        &'a self,
        module: &'a Module,
    ) -> impl Iterator<Item = &'a Rc<Module>> + 'a {
        self.active.iter().filter(move |m| {
            m.id != module.id
                && m.needs
                    .iter()
                    .any(|n| n.kind == NeedKind::DependsOn && n.met_by == module.name())
        })
    }

    /// Whether a module that is loaded, or waits, depends on this one.
    pub fn is_needed(&self, module: &Module) -> bool {
        let mut others = self.active.iter().chain(&self.inactive);
        others.any(|m| {
            m.name() != module.name()
                && m.needs
                    .iter()
                    .any(|n| n.kind == NeedKind::DependsOn && n.met_by == module.name())
        })
    }

    /// Adds a module at the end; one of the same name that waited is forgotten.
    pub fn push(&mut self, module: Module) {
        self.last_id = self.last_id.max(module.id);
        self.inactive.retain(|m| m.name() != module.name());
        self.active.push(Rc::new(module));
    }

    /// Takes a loaded module out.
    pub fn remove(&mut self, id: Owner) -> Option<Rc<Module>> {
        let at = self.active.iter().position(|m| m.id == id)?;
        Some(self.active.remove(at))
    }

    /// Changes a loaded module.
    pub fn update(&mut self, id: Owner, change: impl FnOnce(&mut Module)) {
        if let Some(module) = self.active.iter_mut().find(|m| m.id == id) {
            change(Rc::make_mut(module));
        }
    }

    /// Remembers a module that is no longer loaded.
    pub fn deactivate(&mut self, module: Rc<Module>) {
        self.inactive.retain(|m| m.name() != module.name());
        self.inactive.push(module);
    }

    /// Forgets a module that waits; `false` where none has this name.
    pub fn forget(&mut self, name: &str) -> bool {
        let before = self.inactive.len();
        self.inactive
            .retain(|m| m.name() != name && m.full_name != name);
        before != self.inactive.len()
    }

    /// Forgets all modules that wait.
    pub fn forget_all(&mut self) {
        self.inactive.clear();
    }
}
