//! What a run of the program leaves: code for the shell, text for people, an exit status.

use super::Pager;

/// The result of one run, in the order in which it is written out.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// For standard error: text for people.
    pub stderr: Vec<u8>,
    /// A report that a terminal may not hold at once, and what shows it.
    pub paged: Option<(Pager, String)>,
    /// For standard output: code for a shell, or the answer of an admin command.
    pub stdout: Vec<u8>,
    /// The exit status of the process.
    pub exit: u8,
}
