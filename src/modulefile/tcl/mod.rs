//! Our own Tcl 8.6 interpreter for modulefiles.

pub(crate) mod chars;
mod unicode;
