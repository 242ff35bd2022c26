//! Our own Tcl 8.6 interpreter for modulefiles.
