//! What a file asked about the session while it was evaluated: what it says holds only for those who would get the same
//! answers.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use bstr::BStr;

use crate::session::Session;

/// The questions of a file, with what the answers were.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Reads {
    /// Variables of the environment, with the digest of their values; `None` for one that was not set.
    pub variables: BTreeMap<String, Option<u64>>,
    /// The digest of the user's name and groups, if it asked for them.
    pub user: Option<u64>,
    /// It asked for something that differs from run to run: the loaded modules, or which modulepaths to open.
    pub volatile: bool,
}

impl Reads {
    /// Nothing was asked.
    pub fn is_empty(&self) -> bool {
        self.variables.is_empty() && self.user.is_none() && !self.volatile
    }

    /// Takes note of a variable.
    pub(super) fn variable(&mut self, name: &BStr, session: &Session) {
        let name = name.to_string();
        let value = session.var(&name).map(digest);
        self.variables.entry(name).or_insert(value);
    }

    /// Takes note of the user.
    pub(super) fn user(&mut self, session: &Session) {
        self.user = Some(who(session));
    }

    /// Takes over what another file asked.
    pub fn add(&mut self, other: Reads) {
        self.variables.extend(other.variables);
        self.user = self.user.or(other.user);
        self.volatile |= other.volatile;
    }

    /// Whether a session would give the same answers.
    pub fn hold(&self, session: &Session) -> bool {
        !self.volatile
            && (self.variables.iter()).all(|(name, value)| session.var(name).map(digest) == *value)
            && self.user.is_none_or(|user| user == who(session))
    }
}

fn who(session: &Session) -> u64 {
    digest((session.user(), session.groups()))
}

fn digest(value: impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}
