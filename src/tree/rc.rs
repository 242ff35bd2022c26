//! Evaluates `.modulerc`, `.modulerc.lua` and `.version`: the files that speak about names.
//!
//! Source: Lmod user guide "The .modulerc file"; `modulefile(4)` "Modulerc commands".

use std::cell::RefCell;
use std::time::Instant;

use camino::Utf8Path;

use super::facts::{Subject, Verdict};
use super::reads::Reads;
use super::recorder::Recorder;
use super::site;
use crate::config::Config;
use crate::diag::Diagnostic;
use crate::modulefile::site::Site;
use crate::modulefile::{self, Directive, Languages, LoadedModule, Mode, ModuleContext};
use crate::session::Session;

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

    /// The same for an rc file of the site or of the user, which lies in `place`.
    fn read_global(
        &mut self,
        file: &Utf8Path,
        place: &Utf8Path,
    ) -> Option<(Vec<Directive>, Option<Diagnostic>)> {
        self.read(file, "", place)
    }

    /// What the rc files that were read since the last call asked about the session.
    fn take_reads(&mut self) -> Reads {
        Reads::default()
    }

    /// The session: who the user is.
    fn session(&self) -> &Session;

    /// The settings in force.
    fn config(&self) -> &Config;

    /// Whether the site has code of its own that judges modules.
    fn has_site_code(&self) -> bool {
        false
    }

    /// What the site's own code makes of a verdict about a module.
    fn site_verdict(&self, _: &Utf8Path, _: &Subject<'_>, verdict: Verdict) -> Verdict {
        verdict
    }
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
    /// When an evaluation has to end, done or not.
    pub deadline: Option<Instant>,
    reads: RefCell<Reads>,
}

impl<'a> RcEvaluator<'a> {
    /// For a session in which no modules are loaded.
    pub fn new(
        session: &'a Session,
        config: &'a Config,
        languages: &'a Languages,
        shell: &'a str,
    ) -> RcEvaluator<'a> {
        RcEvaluator {
            session,
            config,
            languages,
            shell,
            loaded: Vec::new(),
            deadline: None,
            reads: RefCell::default(),
        }
    }
}

/// How an rc file of the site or of the user is evaluated.
pub fn global_mode(file: &Utf8Path, config: &Config) -> Mode {
    match config.rc_files_are_modulefiles && !file.as_str().ends_with(".lua") {
        true => Mode::Load,
        false => Mode::Rc,
    }
}

impl RcEvaluator<'_> {
    fn evaluate(
        &mut self,
        file: &Utf8Path,
        dir: &str,
        modulepath: &Utf8Path,
        mode: Mode,
    ) -> Option<(Vec<Directive>, Option<Diagnostic>)> {
        // A private file says nothing, as one that is missing.
        let source = modulefile::read(file).ok()?;
        if source.text().trim_ascii().is_empty() {
            return Some((Vec::new(), None));
        }
        let context = ModuleContext {
            name: match mode {
                Mode::Rc => dir.to_owned(),
                _ => file.to_string(),
            },
            requested: dir.to_owned(),
            file: file.to_owned(),
            modulepath: modulepath.to_owned(),
            ..ModuleContext::default()
        };
        let mut recorder = Recorder::new(self, Mode::Rc);
        let result = modulefile::evaluate(&source, &context, mode, &mut recorder);
        let reads = recorder.into_reads();
        self.reads.borrow_mut().add(reads);
        let (evaluation, mistake) = match result {
            Ok(evaluation) => (evaluation, None),
            Err(failure) => (failure.evaluation, Some(*failure.diagnostic)),
        };
        let directives = evaluation.directives.into_iter().map(|(d, _)| d);
        Some((directives.collect(), mistake))
    }
}

impl RcReader for RcEvaluator<'_> {
    fn read(
        &mut self,
        file: &Utf8Path,
        dir: &str,
        modulepath: &Utf8Path,
    ) -> Option<(Vec<Directive>, Option<Diagnostic>)> {
        self.evaluate(file, dir, modulepath, Mode::Rc)
    }

    fn read_global(
        &mut self,
        file: &Utf8Path,
        place: &Utf8Path,
    ) -> Option<(Vec<Directive>, Option<Diagnostic>)> {
        // Who only looks at names records what the file does and drops it.
        self.evaluate(file, "", place, global_mode(file, self.config))
    }

    fn take_reads(&mut self) -> Reads {
        self.reads.take()
    }

    fn session(&self) -> &Session {
        self.session
    }

    fn config(&self) -> &Config {
        self.config
    }

    fn has_site_code(&self) -> bool {
        Site::new(self.session, self.config, self.languages).has_code()
    }

    fn site_verdict(
        &self,
        modulepath: &Utf8Path,
        subject: &Subject<'_>,
        verdict: Verdict,
    ) -> Verdict {
        let site = Site::new(self.session, self.config, self.languages);
        match site.has_code() {
            true => site::judge(&site, modulepath, subject, verdict),
            false => verdict,
        }
    }
}
