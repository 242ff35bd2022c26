//! Languages that are no shells: they have an environment, a working directory and a way to print, and nothing else of what
//! modulefiles change. Aliases, functions, completions and a shell's code have no meaning there, or would be an error.

use std::fmt;

use bstr::{BStr, BString};

use super::{Outcome, Statements};
use crate::env::delta::{Change, Delta};

/// A language in which scripts ask for modules. Each method writes one statement.
pub(super) trait Language: Sync + fmt::Debug {
    /// What stands before all else.
    const OPENING: &'static [u8] = b"";
    /// The end of the code of a request that was met.
    const SUCCESS: &'static [u8];
    /// The end of the code of a request that failed.
    const FAILURE: &'static [u8];

    /// Sets a variable of the environment.
    fn set(&self, name: &[u8], value: &[u8], out: &mut Vec<u8>);

    /// Takes a variable out of the environment.
    fn unset(&self, name: &[u8], out: &mut Vec<u8>);

    /// Changes the working directory.
    fn chdir(&self, dir: &[u8], out: &mut Vec<u8>);

    /// Prints text and an end of line.
    fn print(&self, text: &[u8], out: &mut Vec<u8>);

    /// Ends with a text as the answer, where the other ends have a status.
    fn answer(&self, text: &BStr, out: &mut Vec<u8>);
}

impl<T: Language> Statements for T {
    fn reserved(&self) -> &'static [&'static str] {
        &[]
    }

    fn open(&self, _: &Delta, out: &mut Vec<u8>) {
        out.extend_from_slice(T::OPENING);
    }

    fn write(&self, change: &Change, out: &mut Vec<u8>) -> Result<(), &'static str> {
        match change {
            Change::SetVar { name, value } => self.set(name.as_str().as_bytes(), value, out),
            Change::UnsetVar { name } => self.unset(name.as_str().as_bytes(), out),
            Change::Chdir { dir } => self.chdir(dir, out),
            Change::SetAlias { .. }
            | Change::UnsetAlias { .. }
            | Change::SetFunction { .. }
            | Change::UnsetFunction { .. }
            | Change::ExportFunction { .. }
            | Change::Complete { .. }
            | Change::Uncomplete { .. }
            | Change::Execute { .. } => {}
        }
        Ok(())
    }

    fn echo(&self, lines: &[BString], out: &mut Vec<u8>) {
        self.print(&bstr::join("\n", lines), out);
    }

    fn close(&self, outcome: Outcome<'_>, _: &Delta, out: &mut Vec<u8>) {
        match outcome {
            Outcome::Success => out.extend_from_slice(T::SUCCESS),
            Outcome::Failure => out.extend_from_slice(T::FAILURE),
            Outcome::Text(text) => self.answer(text, out),
        }
    }
}
