//! Evaluates `.modulerc`, `.modulerc.lua` and `.version`: the files that speak about names.
//!
//! Source: Lmod user guide "The .modulerc file"; `modulefile(4)` "Modulerc commands".

use bstr::{BStr, ByteSlice};
use camino::Utf8Path;

use crate::config::Config;
use crate::diag::{Diagnostic, Place};
use crate::env::EnvOp;
use crate::modulefile::{
    self, Directive, Languages, LoadedModule, Message, Mode, ModuleContext, Relation, World,
};
use crate::name::Spec;
use crate::session::{Environment, Session};

/// Reads rc files for a tree, and knows for whom their rules are judged.
pub trait RcReader {
    /// The statements of an rc file that concerns the directory `dir` (relative to `modulepath`), up to its first
    /// mistake; and that mistake. `None` where there is no such file.
    fn read(
        &mut self,
        file: &Utf8Path,
        dir: &str,
        modulepath: &Utf8Path,
    ) -> Option<(Vec<Directive>, Option<Diagnostic>)>;

    /// The session: who the user is.
    fn session(&self) -> &Session;

    /// The settings in force.
    fn config(&self) -> &Config;
}

/// Evaluates rc files with the language machines of the run.
pub struct RcEvaluator<'a> {
    /// The session.
    pub session: &'a Session,
    /// The settings in force.
    pub config: &'a Config,
    /// The language machines.
    pub languages: &'a Languages,
    /// The shell that the output is for.
    pub shell: &'a str,
    /// The loaded modules in load order.
    pub loaded: Vec<LoadedModule>,
}

impl RcReader for RcEvaluator<'_> {
    fn read(
        &mut self,
        file: &Utf8Path,
        dir: &str,
        modulepath: &Utf8Path,
    ) -> Option<(Vec<Directive>, Option<Diagnostic>)> {
        // A private file says nothing, as one that is missing.
        let source = modulefile::read(file).ok()?;
        if source.text().trim_ascii().is_empty() {
            return Some((Vec::new(), None));
        }
        let context = ModuleContext {
            name: dir.to_owned(),
            requested: dir.to_owned(),
            file: file.to_owned(),
            modulepath: modulepath.to_owned(),
            ..ModuleContext::default()
        };
        let (evaluation, mistake) = match modulefile::evaluate(&source, &context, Mode::Rc, self) {
            Ok(evaluation) => (evaluation, None),
            Err(failure) => (failure.evaluation, Some(*failure.diagnostic)),
        };
        let directives = evaluation.directives.into_iter().map(|(d, _)| d);
        Some((directives.collect(), mistake))
    }

    fn session(&self) -> &Session {
        self.session
    }

    fn config(&self) -> &Config {
        self.config
    }
}

/// An rc file may look but not touch: it speaks about names, and what it says must not depend on when it is read.
impl World for RcEvaluator<'_> {
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
        self.shell
    }

    /// As it was at the start: an rc file is evaluated once in a run.
    fn var(&self, name: &BStr) -> Option<&BStr> {
        self.session.env.get(name).map(|value| value.as_bstr())
    }

    fn environment(&self) -> Environment {
        self.session.env.clone()
    }

    fn apply(&mut self, _: &ModuleContext, _: &EnvOp, _: &Place) -> Result<(), Diagnostic> {
        Ok(())
    }

    fn relate(&mut self, _: &ModuleContext, _: &Relation, _: &Place) -> Result<(), Diagnostic> {
        Ok(())
    }

    fn is_loaded(&self, spec: &Spec) -> bool {
        let rules = self.config.loaded_rules();
        self.loaded.iter().any(|module| {
            let loaded = crate::name::LoadedName {
                name: &module.name,
                full_name: &module.full_name,
                alternatives: &[],
                variants: &[],
            };
            crate::name::matches_loaded(spec, &loaded, crate::name::Purpose::IsLoaded, &rules)
        })
    }

    fn is_pending(&self, _: &Spec) -> bool {
        false
    }

    fn find(&mut self, _: &Spec) -> Option<camino::Utf8PathBuf> {
        None
    }

    fn full_name(&mut self, _: &Spec) -> Option<String> {
        None
    }

    fn alias_target(&mut self, _: &str) -> Option<String> {
        None
    }

    fn symbols(&mut self, _: &str) -> Vec<String> {
        Vec::new()
    }

    fn tags(&mut self, _: &ModuleContext) -> Vec<String> {
        Vec::new()
    }

    fn collections(&mut self) -> Vec<String> {
        Vec::new()
    }

    fn sourced(&self, _: &ModuleContext, _: &BStr) -> Option<Vec<EnvOp>> {
        None
    }

    fn loaded_modules(&self) -> Vec<LoadedModule> {
        self.loaded.clone()
    }

    fn command(&self) -> &str {
        ""
    }

    fn tell(&mut self, _: Message) {}
}
