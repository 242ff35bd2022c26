//! Our own Tcl 8.6 interpreter for modulefiles.

pub(crate) mod chars;
pub(crate) mod format;
pub(crate) mod number;
#[cfg(test)]
pub(crate) mod oracle;
pub(crate) mod pattern;
pub(crate) mod regexp;
pub(crate) mod scan;
mod unicode;
