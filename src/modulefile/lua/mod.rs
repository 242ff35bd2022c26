//! Lua modulefiles: PUC Lua 5.4 with the names that Lmod gives to modulefiles.
//!
//! One machine serves all files of a run; each file has its own table of globals. The commands come from the one table
//! (`command.rs`) through `bind`; `library` holds what is Lua's alone: path and file helpers, `os`, `io`, `lfs`, `posix`,
//! `Pkg`. What a file may name is in `sandbox`; what goes wrong becomes a diagnostic in `errors`.
//!
//! Refused: byte code, C libraries, `debug`, coroutines, whatever ends the process or writes to its standard output (which
//! carries code for the shell).
//!
//! Source: Lmod user guide "Lua modulefile functions"; Lua 5.4 reference manual.

#[cfg(test)]
mod attacks;
mod bind;
mod errors;
mod library;
pub(super) mod lint;
mod machine;
mod sandbox;
pub mod site;
#[cfg(test)]
mod tests;

pub(super) use library::width as message_width;
pub(super) use machine::Machines;

use std::sync::Arc;

use super::host::{Host, Stop};
use machine::Machine;

/// Evaluates the host's file.
///
/// # Errors
/// A mistake in the file, what its commands refuse, or a bound that was hit.
pub(super) fn evaluate(host: &mut Host<'_>) -> Result<(), Stop> {
    let machine = Machine::of(host)?;
    let source = Arc::clone(&host.source);
    machine.run_text(host, source.text(), &format!("@{}", source.path()))
}
