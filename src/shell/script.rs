//! A script that a shell sources to get what a request would have given it, without a program: `module freeze`.
//!
//! It makes absolute changes like any other code, adds to path variables that have values of their own in each shell, does
//! nothing where it was sourced before, and takes away other modules first, which is the one case that needs the program.

use bstr::BString;

use super::{Dropped, Emission, Statements, admit, describe};
use crate::env::delta::{Change, Delta};
use crate::env::{Grown, VarName};

/// What a script does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Script {
    /// Its first lines, for people.
    pub head: Vec<String>,
    /// The variable that has this value where the script was sourced before.
    pub mark: (VarName, BString),
    /// The variable that is not empty where other modules are loaded.
    pub busy: VarName,
    /// The words that, run as a program, print the code that takes these away.
    pub clear: Vec<String>,
    /// What is added to path variables.
    pub grown: Vec<Addition>,
    /// All other changes.
    pub delta: Delta,
}

/// What is added to one path variable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Addition {
    /// The entries.
    pub grown: Grown,
    /// A value of the variable for which adding is not enough (an entry moves, one goes), and what it becomes.
    pub known: Option<(BString, BString)>,
}

/// A shell that can source a script.
pub trait Sourced: Sync + std::fmt::Debug {
    /// Writes the script, and says what of it the shell cannot do.
    fn script(&self, script: &Script) -> Emission;
}

/// The statements of scripts beyond those of all code.
pub(super) trait ScriptStatements: Statements {
    /// Opens the part that runs where the script is not in force and no other modules are left.
    fn begin(&self, script: &Script, out: &mut Vec<u8>);

    /// Adds to a path variable.
    fn add(&self, addition: &Addition, out: &mut Vec<u8>);

    /// Ends the script with its status.
    fn end(&self, out: &mut Vec<u8>);
}

impl<T: ScriptStatements> Sourced for T {
    fn script(&self, script: &Script) -> Emission {
        let mut emission = Emission::default();
        let out = &mut emission.code;
        for line in &script.head {
            // A line end in a name would end the comment.
            let line: String = line.chars().filter(|c| !c.is_control()).collect();
            out.extend_from_slice(format!("# {line}\n").as_bytes());
        }
        self.begin(script, out);
        for addition in &script.grown {
            let whole = Change::SetVar {
                name: addition.grown.name.clone(),
                value: addition.grown.value(None),
            };
            match admit(&whole, self.reserved()) {
                Ok(()) => self.add(addition, out),
                Err(why) => emission.dropped.push(Dropped {
                    what: describe(&whole),
                    why,
                }),
            }
        }
        let changes = Delta {
            changes: script.delta.changes.clone(),
            first: script.delta.first.clone(),
            ..Delta::default()
        };
        self.write_all(&changes, &mut emission);
        self.end(&mut emission.code);
        emission
    }
}
