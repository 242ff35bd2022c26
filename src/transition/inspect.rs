//! Reading a modulefile without loading it: `show`, `help`, `whatis`.

use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::diag::{Diagnostic, SourceFile};
use crate::modulefile::{Evaluation, Mode};
use crate::name::Spec;

use super::step::{Frame, How, new_module};
use super::{Miss, Transition};
use crate::resolve::Found;
use crate::tree::{Crawl, Depth, Tree, Wanted};

/// What a modulefile says.
#[derive(Debug)]
pub struct Inspected {
    /// The module.
    pub found: Found,
    /// Its file.
    pub source: Arc<SourceFile>,
    /// What the file asks for.
    pub evaluation: Evaluation,
}

impl Transition<'_> {
    /// Where a load of `spec` would find its file now.
    ///
    /// # Errors
    /// There is no such module, or it must not be loaded.
    pub fn locate(&mut self, spec: &Spec) -> Result<Found, Diagnostic> {
        self.find(spec).map_err(|miss| match miss {
            Miss::Unknown(diagnostic) => self.site.explain(spec, *diagnostic),
            Miss::Refused(diagnostic) => *diagnostic,
        })
    }

    /// Whether a load of `spec` would find a file now.
    pub fn is_avail(&mut self, spec: &Spec) -> bool {
        self.find(spec).is_ok()
    }

    /// All modules of the modulepaths in force.
    pub fn trees(&mut self) -> Vec<Tree> {
        self.crawl(Wanted::All, Depth::Names).trees
    }

    /// The modules that are wanted of the modulepaths in force, or of all hierarchies that can be reached from them.
    pub fn crawl(&mut self, wanted: Wanted<'_>, depth: Depth) -> Crawl {
        let modulepaths = self.state.modulepath();
        self.site
            .crawl(wanted, depth, modulepaths, &self.state.loaded, None)
    }

    /// The same, as far as it can be found out within `patience`.
    pub fn crawl_within(&mut self, wanted: Wanted<'_>, depth: Depth, patience: Duration) -> Crawl {
        let modulepaths = self.state.modulepath();
        let deadline = Instant::now() + patience;
        let loaded = &self.state.loaded;
        self.site
            .crawl(wanted, depth, modulepaths, loaded, Some(deadline))
    }

    /// Whether a cache turned out to be damaged: then nothing that was learned from it counts.
    pub fn is_cache_damaged(&self) -> bool {
        self.site.is_cache_damaged()
    }

    /// The same as [`Transition::inspect`], with the calls of the file.
    ///
    /// # Errors
    /// There is no such module, or a mistake in its file.
    pub fn inspect_calls(&mut self, spec: &Spec, mode: Mode) -> Result<Inspected, Diagnostic> {
        self.keeps_calls = true;
        let inspected = self.inspect(spec, mode);
        self.keeps_calls = false;
        inspected
    }

    /// Evaluates a modulefile in a mode that only reads. What the file sets is visible to itself and dropped afterwards.
    ///
    /// # Errors
    /// There is no such module, or a mistake in its file.
    pub fn inspect(&mut self, spec: &Spec, mode: Mode) -> Result<Inspected, Diagnostic> {
        let found = self.locate(spec)?;
        let source = self.site.read(&found.file)?;
        let context = self.context_of_found(&found);
        let mark = self.state.mark();
        let id = self.state.loaded.next_id();
        self.frames.push(Frame {
            module: Rc::new(new_module(id, &found, &source, &How::user(), 0, "")),
            mode,
            manager: false,
        });
        let result = self.evaluate_file(&source, &context, mode);
        self.frames.pop();
        self.state.roll_back(mark);
        let evaluation = result.map_err(|failure| self.explain(failure, &context))?;
        Ok(Inspected {
            found,
            source,
            evaluation,
        })
    }
}
