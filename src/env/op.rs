//! One change of the environment, as a modulefile asks for it, and its inverse.
//!
//! Source: `modulefile(4)`; Lmod user guide "Lua modulefile functions". What an operation *replaced* is the business of
//! the state's journal, not of the operation.

use std::fmt;

use bstr::{BStr, BString, ByteSlice};

/// The name of an environment variable that every shell can hold: `[A-Za-z_][A-Za-z0-9_]*`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct VarName(String);

impl VarName {
    /// Checks `name`; `None` where a shell would not take it as the name of a variable.
    pub fn new(name: impl AsRef<[u8]>) -> Option<VarName> {
        let name = name.as_ref();
        let (first, rest) = name.split_first()?;
        let head = first.is_ascii_alphabetic() || *first == b'_';
        if head && rest.iter().all(|b| b.is_ascii_alphanumeric() || *b == b'_') {
            Some(VarName(
                String::from_utf8(name.to_vec()).expect("checked to be ASCII"),
            ))
        } else {
            None
        }
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name as a key of an environment.
    pub fn as_bstr(&self) -> &BStr {
        self.0.as_bytes().as_bstr()
    }
}

impl fmt::Display for VarName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What happens to the entries of a path-like variable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PathAction {
    /// Put in front, in the order given.
    Prepend,
    /// Put at the end, in the order given.
    Append,
    /// Take away.
    Remove,
}

/// One change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EnvOp {
    /// `setenv`: gives a variable a value.
    Set {
        /// The variable.
        var: VarName,
        /// Its new value.
        value: BString,
        /// Only where the variable has no value yet (`--set-if-undef`, Lmod's third argument).
        if_unset: bool,
    },
    /// `unsetenv`: takes a variable away.
    Unset {
        /// The variable.
        var: VarName,
        /// The value that unloading gives it, if any.
        on_unload: Option<BString>,
    },
    /// `pushenv`: like `Set`, and the earlier value comes back on unload.
    Push {
        /// The variable.
        var: VarName,
        /// Its new value; `None` takes it away until unload.
        value: Option<BString>,
    },
    /// `prepend-path`, `append-path`, `remove-path`.
    Path {
        /// What to do.
        action: PathAction,
        /// The variable.
        var: VarName,
        /// One or more entries, joined by `delim`.
        value: BString,
        /// What separates entries, usually `:`.
        delim: BString,
        /// Entries of higher priority stay further outside; 0 is the rule.
        priority: i32,
        /// Add the entry even if it is there.
        duplicates: bool,
    },
    /// `set-alias`.
    Alias {
        /// Name of the alias.
        name: String,
        /// What it stands for, in the language of Bourne shells.
        value: BString,
    },
    /// `unset-alias`.
    Unalias {
        /// Name of the alias.
        name: String,
    },
    /// `set-function`, `set_shell_function`.
    Function {
        /// Name of the function.
        name: String,
        /// Body for Bourne-like shells.
        sh: BString,
        /// Body for C shells, where functions become aliases.
        csh: BString,
    },
    /// `unset-function`.
    RemoveFunction {
        /// Name of the function.
        name: String,
    },
    /// `export_shell_function`: bash only.
    ExportFunction {
        /// Name of the function.
        name: String,
    },
    /// `complete`: how a shell completes the arguments of a command.
    Complete {
        /// The shell this is meant for.
        shell: String,
        /// The command.
        command: String,
        /// The arguments of that shell's `complete`.
        spec: BString,
    },
    /// `uncomplete`.
    Uncomplete {
        /// The shell this is meant for.
        shell: String,
        /// The command.
        command: String,
    },
    /// `chdir`.
    Chdir {
        /// The new working directory.
        dir: BString,
    },
    /// Code that the shell runs after all else: `execute{}`, `puts stdout` in a modulefile. The one way in which a
    /// modulefile gives code to the shell, by its author's explicit wish.
    Execute {
        /// The code.
        code: BString,
        /// Before the changes of variables (`puts prestdout`) instead of after them.
        first: bool,
    },
}

impl EnvOp {
    /// The variable that changes, if it is one.
    pub fn var(&self) -> Option<&VarName> {
        match self {
            EnvOp::Set { var, .. }
            | EnvOp::Unset { var, .. }
            | EnvOp::Push { var, .. }
            | EnvOp::Path { var, .. } => Some(var),
            _ => None,
        }
    }

    /// The same change of another variable.
    #[must_use]
    pub fn with_var(&self, other: VarName) -> EnvOp {
        let mut op = self.clone();
        match &mut op {
            EnvOp::Set { var, .. }
            | EnvOp::Unset { var, .. }
            | EnvOp::Push { var, .. }
            | EnvOp::Path { var, .. } => *var = other,
            _ => {}
        }
        op
    }

    /// What unloading does for this operation, in the order given. Empty where nothing is taken back.
    ///
    /// The exact inverse of `Push` and of path operations needs the journal; the state finds it there.
    #[must_use]
    pub fn inverse(&self) -> Vec<EnvOp> {
        match self {
            EnvOp::Set { var, .. } => vec![EnvOp::Unset {
                var: var.clone(),
                on_unload: None,
            }],
            EnvOp::Unset { var, on_unload } => on_unload
                .iter()
                .map(|value| EnvOp::Set {
                    var: var.clone(),
                    value: value.clone(),
                    if_unset: false,
                })
                .collect(),
            EnvOp::Push { var, .. } => vec![EnvOp::Push {
                var: var.clone(),
                value: None,
            }],
            EnvOp::Path {
                action: PathAction::Remove,
                ..
            } => Vec::new(),
            EnvOp::Path {
                var,
                value,
                delim,
                priority,
                duplicates,
                ..
            } => vec![EnvOp::Path {
                action: PathAction::Remove,
                var: var.clone(),
                value: value.clone(),
                delim: delim.clone(),
                priority: *priority,
                duplicates: *duplicates,
            }],
            EnvOp::Alias { name, .. } => vec![EnvOp::Unalias { name: name.clone() }],
            EnvOp::Function { name, .. } | EnvOp::ExportFunction { name } => {
                vec![EnvOp::RemoveFunction { name: name.clone() }]
            }
            EnvOp::Complete { shell, command, .. } => vec![EnvOp::Uncomplete {
                shell: shell.clone(),
                command: command.clone(),
            }],
            EnvOp::Unalias { .. }
            | EnvOp::RemoveFunction { .. }
            | EnvOp::Uncomplete { .. }
            | EnvOp::Chdir { .. }
            | EnvOp::Execute { .. } => Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_a_shell_refuses_are_no_variable_names() {
        for bad in ["", "1A", "A-B", "A.B", "A B", "A=B", "é"] {
            assert_eq!(VarName::new(bad), None, "{bad}");
        }
        assert_eq!(
            VarName::new("_A1").map(|v| v.to_string()),
            Some("_A1".to_owned())
        );
    }
}
