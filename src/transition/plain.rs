//! Files that are evaluated without becoming modules: rc files of the site and of the user, `module source`.
//!
//! What such a file does belongs to nobody, as if the user had done it. Source: `module(1)` source, "Modulerc files".

use camino::{Utf8Path, Utf8PathBuf};

use super::Transition;
use crate::diag::{Diagnostic, SourceFile};
use crate::modulefile::{Directive, Evaluation, Mode, ModuleContext, Outcome};
use crate::name::Spec;
use crate::tree::{GlobalRc, Whose, global_files, global_mode};

impl Transition<'_> {
    /// Evaluates the rc files of the site and of the user, where the settings make them modulefiles. A mistake in one of them
    /// fails the request, but not at once: what else was asked for is done.
    pub fn begin(&mut self) {
        if !self.config.rc_files_are_modulefiles {
            return;
        }
        let mut read = Vec::new();
        let mut of_user = false;
        for (whose, file) in global_files(self.session, self.config) {
            if whose == Whose::User && of_user {
                continue;
            }
            let Ok(source) = crate::modulefile::read(&file) else {
                continue;
            };
            of_user |= whose == Whose::User;
            let mode = global_mode(&file, self.config);
            let directives = match source.text().trim_ascii().is_empty() {
                true => Vec::new(),
                false => self
                    .evaluate_plain(&source, mode)
                    .unwrap_or_else(|(said, mistake)| {
                        self.errors.push(mistake);
                        said
                    }),
            };
            read.push(GlobalRc {
                whose,
                file,
                directives,
            });
        }
        self.site.know_global(read);
    }

    /// Evaluates a modulefile, named by its place or as a module, without loading it.
    ///
    /// # Errors
    /// There is no such file, or a mistake in it.
    pub fn source(&mut self, spec: &Spec) -> Result<(), Diagnostic> {
        let start = self.session.cwd().cloned().unwrap_or_else(|| "/".into());
        let place: Utf8PathBuf = start.join(&spec.path);
        let file = match place.is_file() {
            true => place,
            false => self.locate(spec)?.file,
        };
        let modulepath = self.modulepath_mark();
        let source = self.site.read(&file)?;
        self.evaluate_plain(&source, Mode::Load)
            .map_err(|(_, mistake)| mistake)?;
        self.settle_aftermath()?;
        self.settle(&modulepath)?;
        self.check_missing()
    }

    /// Evaluates a text as a modulefile that is only shown: its calls, and what it says. Nothing changes.
    ///
    /// # Errors
    /// A mistake in it.
    pub fn show_text(&mut self, name: &str, text: Vec<u8>) -> Result<Evaluation, Diagnostic> {
        let source = SourceFile::new(Utf8Path::new(name), text);
        let context = ModuleContext {
            name: name.to_owned(),
            requested: name.to_owned(),
            file: name.into(),
            ..ModuleContext::default()
        };
        let mark = self.state.mark();
        let result = (self.evaluate)(&source, &context, Mode::Show, self);
        self.state.roll_back(mark);
        result.map_err(|failure| *failure.diagnostic)
    }

    /// Forgets the loaded modules; what they set stays, as if the user had done it.
    pub fn forget_modules(&mut self) {
        for module in self.state.loaded.active().to_vec() {
            self.state.disown(module.id);
            self.state.loaded.remove(module.id);
        }
    }

    /// What a file says about names; on a mistake what it said before.
    fn evaluate_plain(
        &mut self,
        source: &std::sync::Arc<SourceFile>,
        mode: Mode,
    ) -> Result<Vec<Directive>, (Vec<Directive>, Diagnostic)> {
        let file = source.path();
        let context = ModuleContext {
            name: file.to_string(),
            requested: file.to_string(),
            file: file.to_owned(),
            modulepath: file.parent().unwrap_or(Utf8Path::new("/")).to_owned(),
            ..ModuleContext::default()
        };
        let mark = self.state.mark();
        let strip = |said: Vec<(Directive, _)>| said.into_iter().map(|(d, _)| d).collect();
        match (self.evaluate)(source, &context, mode, self) {
            Ok(evaluation) => {
                if !matches!(evaluation.outcome, Outcome::Completed) {
                    self.state.roll_back(mark);
                }
                Ok(strip(evaluation.directives))
            }
            Err(failure) => {
                self.state.roll_back(mark);
                Err((strip(failure.evaluation.directives), *failure.diagnostic))
            }
        }
    }
}
