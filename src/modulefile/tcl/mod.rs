//! Our own Tcl 8.6 interpreter for modulefiles.
//!
//! It knows nothing of modules: what lies beyond Tcl is asked of an [`Embedding`]. [`Interp::run_file`] runs a file;
//! [`tclsh`] is a plain Tcl shell on top of it. A script is parsed (`parse.rs`) and kept with its value (`value.rs`),
//! expressions likewise (`expr.rs`); `interp.rs` evaluates; Tcl's commands are in tables under `builtin/`.

/// Joins pieces of text and bytes to a `Vec<u8>`: messages may quote values that are not UTF-8.
macro_rules! bytes {
    ($($part:expr),+ $(,)?) => {{
        let mut out: Vec<u8> = Vec::new();
        $(out.extend_from_slice(AsRef::<[u8]>::as_ref(&$part));)+
        out
    }};
}

pub(crate) mod binary;
pub(super) mod bind;
mod builtin;
mod channels;
pub(crate) mod chars;
pub(crate) mod clock;
mod command;
mod embedding;
pub(crate) mod encoding;
mod error;
mod expr;
pub(crate) mod format;
pub(crate) mod glob;
mod interp;
mod library;
pub(super) mod lint;
mod list;
mod math;
mod namespace;
pub(crate) mod number;
mod operator;
#[cfg(test)]
pub(crate) mod oracle;
mod parse;
pub(crate) mod path;
pub(crate) mod pattern;
mod pipeline;
mod realm;
pub(crate) mod regexp;
pub(crate) mod scan;
pub(in crate::modulefile) mod siteconfig;
mod tclsh;
mod trail;
mod unicode;
mod value;
mod var;
mod words;

pub use embedding::{Action, Call, CommandId, Embedding, Stream};
pub use error::{Error, Exit, Outcome, ProcCall, Return, Stop};
pub use interp::{Interp, Limits};
pub use list::join_elements;
pub use tclsh::{Shell, tclsh};
pub use value::{Dict, Key, Value};
