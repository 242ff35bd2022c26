//! The difference between two states, as the list of statements that a shell must run.
//!
//! This is all that the `shell` room sees. Same difference, same bytes: variables are sorted by name.

use std::collections::BTreeSet;

use bstr::{BStr, BString};

use super::op::VarName;
use super::state::State;

/// One statement for a shell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// Give an exported variable a value.
    SetVar {
        /// The variable.
        name: VarName,
        /// Its value, any bytes but NUL.
        value: BString,
    },
    /// Take a variable away.
    UnsetVar {
        /// The variable.
        name: VarName,
    },
    /// Define an alias.
    SetAlias {
        /// Its name.
        name: String,
        /// What it stands for, in the language of Bourne shells.
        value: BString,
    },
    /// Take an alias away.
    UnsetAlias {
        /// Its name.
        name: String,
    },
    /// Define a function.
    SetFunction {
        /// Its name.
        name: String,
        /// Body for Bourne-like shells.
        sh: BString,
        /// Body for C shells, where functions become aliases.
        csh: BString,
    },
    /// Take a function away.
    UnsetFunction {
        /// Its name.
        name: String,
    },
    /// Export a function to child shells (bash).
    ExportFunction {
        /// Its name.
        name: String,
    },
    /// Define a completion; `shell` is the one it was written for.
    Complete {
        /// The shell it is written for.
        shell: String,
        /// The command.
        command: String,
        /// The arguments of that shell's `complete`.
        spec: BString,
    },
    /// Take a completion away.
    Uncomplete {
        /// The shell it was written for.
        shell: String,
        /// The command.
        command: String,
    },
    /// Go to a directory.
    Chdir {
        /// Where to.
        dir: BString,
    },
    /// Run this code as it is, by the explicit wish of a modulefile's author.
    Execute {
        /// The code.
        code: BString,
    },
}

/// All that a shell must do after one request.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Delta {
    /// Code that runs before all else (`puts prestdout`).
    pub first: Vec<BString>,
    /// The changes: variables sorted by name, then the others in the order in which they were asked for.
    pub changes: Vec<Change>,
    /// Text that the shell shows on its standard output (redirected reports), one element a line.
    pub echo: Vec<BString>,
    /// A text result for the caller (`module path`): takes the place of the status.
    pub result: Option<BString>,
    /// Whether the shell function returns false.
    pub failed: bool,
}

impl Delta {
    /// What a shell in state `before` must do to arrive at `after`.
    ///
    /// Variables come first, sorted by name; definitions follow in the order in which they were asked for, of several for
    /// one name only the last. A variable whose name no shell can hold is left alone.
    pub fn between(before: &State, after: &State) -> Delta {
        let mut names: BTreeSet<&BStr> = after.touched();
        names.extend(before.touched());
        let mut changes = Vec::with_capacity(names.len() + after.definitions().len());
        for name in names {
            let value = after.var(name);
            if before.var(name) == value {
                continue;
            }
            let Some(name) = VarName::new(name) else {
                continue;
            };
            changes.push(match value {
                Some(value) => Change::SetVar {
                    name,
                    value: value.to_owned(),
                },
                None => Change::UnsetVar { name },
            });
        }
        let definitions = after.definitions();
        for (i, change) in definitions.iter().enumerate() {
            let replaced =
                |later: &Change| change.subject().is_some() && later.subject() == change.subject();
            if !definitions[i + 1..].iter().any(replaced) {
                changes.push(change.clone());
            }
        }
        Delta {
            first: after.first().to_vec(),
            changes,
            ..Delta::default()
        }
    }

    /// What a shell must do after a request that failed: nothing but say so.
    pub fn failure() -> Delta {
        Delta {
            failed: true,
            ..Delta::default()
        }
    }
}

impl Change {
    /// What a definition is about: a later one about the same replaces it.
    fn subject(&self) -> Option<(u8, &str, &str)> {
        match self {
            Change::SetAlias { name, .. } | Change::UnsetAlias { name } => Some((0, name, "")),
            Change::SetFunction { name, .. } | Change::UnsetFunction { name } => {
                Some((1, name, ""))
            }
            Change::Complete { shell, command, .. } | Change::Uncomplete { shell, command } => {
                Some((2, command, shell))
            }
            Change::Chdir { .. } => Some((3, "", "")),
            Change::SetVar { .. }
            | Change::UnsetVar { .. }
            | Change::ExportFunction { .. }
            | Change::Execute { .. } => None,
        }
    }
}
