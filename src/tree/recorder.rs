//! The world of a file that is only looked at: an rc file, a modulefile in a crawl.
//!
//! What the file sets it sees again; nothing of it reaches anybody. Other modules are neither loaded nor looked for.

use std::collections::BTreeMap;

use bstr::{BStr, BString, ByteSlice};

use super::rc::RcEvaluator;
use crate::config::Config;
use crate::diag::{Diagnostic, Place};
use crate::env::{EnvOp, PathAction, VarName};
use crate::modulefile::{Languages, LoadedModule, Message, ModuleContext, Relation, World};
use crate::session::{Environment, Session};

/// Records nothing but what the file itself may ask for again: variables.
pub(super) struct Recorder<'a> {
    site: &'a RcEvaluator<'a>,
    changed: BTreeMap<BString, Option<BString>>,
}

impl<'a> Recorder<'a> {
    /// The environment at the start, unchanged.
    pub(super) fn new(site: &'a RcEvaluator<'a>) -> Recorder<'a> {
        Recorder {
            site,
            changed: BTreeMap::new(),
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

    fn shell_name(&self) -> &str {
        self.site.shell
    }

    fn var(&self, name: &BStr) -> Option<&BStr> {
        match self.changed.get(name) {
            Some(value) => value.as_ref().map(|value| value.as_bstr()),
            None => self.site.session.env.get(name).map(|value| value.as_bstr()),
        }
    }

    fn environment(&self) -> Environment {
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
            } if self.var(var.as_bstr()).is_some() => {}
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
                let old = self.var(var.as_bstr()).filter(|old| !old.is_empty());
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
        self.site.loaded.clone()
    }

    fn command(&self) -> &str {
        ""
    }

    fn tell(&mut self, _: Message) {}
}
