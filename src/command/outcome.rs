//! What a run of the program leaves: code for the shell, text for people, an exit status.

/// The result of one run.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// For standard output: code for a shell, or the answer of an admin command.
    pub stdout: Vec<u8>,
    /// For standard error: text for people.
    pub stderr: Vec<u8>,
    /// The exit status of the process.
    pub exit: u8,
}
