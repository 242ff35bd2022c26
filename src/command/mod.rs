//! The sub-commands of `module`: one file each, and the table that names them.

mod request;
pub mod table;

pub use request::{Action, Dump, Options, Report, Request};
pub use table::{Subcommand, Words};
