//! The world of a file that is only looked at: an rc file, a modulefile in a crawl.
//!
//! What the file sets it sees again; nothing of it reaches anybody. Other modules are neither loaded nor looked for.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::time::Instant;

use bstr::{BStr, BString, ByteSlice};

use super::rc::RcEvaluator;
use super::reads::Reads;
use crate::config::Config;
use crate::diag::{Diagnostic, Place};
use crate::env::{EnvOp, PathAction, VarName};
use crate::modulefile::{Languages, LoadedModule, Message, Mode, ModuleContext, Relation, World};
use crate::session::{Environment, Session};

/// Records nothing but what the file itself may ask for again: variables.
pub(super) struct Recorder<'a> {
    site: &'a RcEvaluator<'a>,
    loaded: &'a [LoadedModule],
    mode: Mode,
    changed: BTreeMap<BString, Option<BString>>,
    reads: RefCell<Reads>,
}

impl<'a> Recorder<'a> {
    /// The environment at the start, unchanged. What a modulefile is about does not depend on what is loaded; what an rc
    /// file says may.
    pub(super) fn new(site: &'a RcEvaluator<'a>, mode: Mode) -> Recorder<'a> {
        site.session.forget_questions();
        let loaded: &[LoadedModule] = match mode {
            Mode::Rc => &site.loaded,
            _ => &[],
        };
        Recorder {
            site,
            loaded,
            mode,
            changed: BTreeMap::new(),
            reads: RefCell::default(),
        }
    }

    /// What the file asked about the session.
    pub(super) fn into_reads(self) -> Reads {
        let mut reads = self.reads.into_inner();
        if self.site.session.was_asked_for_user() {
            reads.user(self.site.session);
        }
        reads
    }

    /// A variable, without taking note of it.
    fn value(&self, name: &BStr) -> Option<&BStr> {
        match self.changed.get(name) {
            Some(value) => value.as_ref().map(|value| value.as_bstr()),
            None => self.site.session.env.get(name).map(|value| value.as_bstr()),
        }
    }

    fn set(&mut self, var: &VarName, value: Option<BString>) {
        self.changed.insert(BString::from(var.as_str()), value);
    }
}

impl World for Recorder<'_> {
    fn session(&self) -> &Session {
        self.site.session
    }

    fn config(&self) -> &Config {
        self.site.config
    }

    fn languages(&self) -> &Languages {
        self.site.languages
    }

    fn deadline(&self) -> Option<Instant> {
        self.site.deadline
    }

    fn shell_name(&self) -> &str {
        if self.mode == Mode::Rc {
            self.reads.borrow_mut().volatile = true;
            return self.site.shell;
        }
        // What a module is about is the same in all shells.
        "bash"
    }

    fn var(&self, name: &BStr) -> Option<&BStr> {
        if !self.changed.contains_key(name) {
            let mut reads = self.reads.borrow_mut();
            reads.variable(name, self.site.session);
        }
        self.value(name)
    }

    fn environment(&self) -> Environment {
        // Whoever gets all of it, a child process for example, may look at any: those that differ most are taken note of.
        for name in ["HOME", "USER"] {
            let mut reads = self.reads.borrow_mut();
            reads.variable(name.into(), self.site.session);
        }
        let mut env = self.site.session.env.clone();
        for (name, value) in &self.changed {
            match value {
                Some(value) => env.insert(name.clone(), value.clone()),
                None => env.remove(name),
            };
        }
        env
    }

    fn apply(&mut self, _: &ModuleContext, op: &EnvOp, _: &Place) -> Result<(), Diagnostic> {
        match op {
            EnvOp::Set {
                if_unset: true,
                var,
                ..
            } if self.value(var.as_bstr()).is_some() => {}
            EnvOp::Set { var, value, .. } => self.set(var, Some(value.clone())),
            EnvOp::Unset { var, .. } => self.set(var, None),
            EnvOp::Push { var, value } => self.set(var, value.clone()),
            EnvOp::Path {
                action,
                var,
                value,
                delim,
                ..
            } => {
                let old = self.value(var.as_bstr()).filter(|old| !old.is_empty());
                let new = match (action, old) {
                    (PathAction::Remove, _) => return Ok(()),
                    (_, None) => value.clone(),
                    (PathAction::Prepend, Some(old)) => {
                        bstr::concat([value.as_bstr(), delim.as_bstr(), old]).into()
                    }
                    (PathAction::Append, Some(old)) => {
                        bstr::concat([old, delim.as_bstr(), value.as_bstr()]).into()
                    }
                };
                self.set(var, Some(new));
            }
            _ => {}
        }
        Ok(())
    }

    fn relate(&mut self, _: &ModuleContext, _: &Relation, _: &Place) -> Result<(), Diagnostic> {
        Ok(())
    }

    fn loaded_modules(&self) -> Vec<LoadedModule> {
        if self.mode == Mode::Rc {
            self.reads.borrow_mut().volatile = true;
        }
        self.loaded.to_vec()
    }

    fn command(&self) -> &str {
        ""
    }

    fn tell(&mut self, _: Message) {}
}
