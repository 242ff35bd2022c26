//! What a request starts from and arrives at: variables, shell definitions, loaded modules with their journal.

use bstr::{BStr, BString, ByteSlice};

use super::delta::Change;
use super::op::EnvOp;
use crate::session::Environment;

/// One state of a session.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct State {
    /// The variables.
    pub env: Environment,
    /// Shell definitions asked for since the state was read, in order.
    pub definitions: Vec<Change>,
}

impl State {
    /// A state that holds `env` and nothing else.
    pub fn new(env: Environment) -> State {
        State {
            env,
            definitions: Vec::new(),
        }
    }

    /// The value of a variable.
    pub fn var(&self, name: impl AsRef<[u8]>) -> Option<&BStr> {
        self.env.get(name.as_ref().as_bstr()).map(|v| v.as_bstr())
    }

    /// Carries out one operation without remembering who asked for it.
    pub fn apply(&mut self, op: &EnvOp) {
        match op {
            EnvOp::Set {
                var,
                value,
                if_unset,
            } => {
                if !(*if_unset && self.env.contains_key(var.as_bstr())) {
                    self.env.insert(BString::from(var.as_str()), value.clone());
                }
            }
            EnvOp::Unset { var, .. } | EnvOp::Push { var, value: None } => {
                self.env.remove(var.as_bstr());
            }
            EnvOp::Push {
                var,
                value: Some(value),
            } => {
                self.env.insert(BString::from(var.as_str()), value.clone());
            }
            _ => {}
        }
    }
}
