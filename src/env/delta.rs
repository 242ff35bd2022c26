//! The difference between two states, as the list of statements that a shell must run.
//!
//! This is all that the `shell` room sees. Same difference, same bytes: variables are sorted by name.

use bstr::BString;

use super::op::VarName;

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
