//! xmod: environment modules for HPC sites.
//!
//! A command line and an environment become a request; names become modulefiles; modulefiles become environment
//! operations; operations become a new state; the difference between two states becomes shell text. Each arrow is a plain
//! value; only the ends touch the world.
//!
//! ```text
//! argv + env -> Request -> resolve(tree | cache) -> evaluate(toml|lua|tcl) -> [EnvOp] -> State -> Delta -> shell text
//!    cli         command            resolve               modulefile            env         env          shell
//! ```
//!
//! The modules below stand in the order of the flow; one may use those above it (checked by `tests/rooms.rs`).

pub mod diag;
pub mod name;
pub mod session;

pub mod config;
pub mod env;

pub mod modulefile;

pub mod tree;

pub mod cache;

pub mod resolve;

pub mod transition;

pub mod catalog;
pub mod collection;
pub mod usage;

pub mod shell;
pub mod view;

pub mod command;

pub mod cli;
