//! Evaluates modulefiles in three languages.

pub mod tcl;
