//! What a user can do, one file per capability. One binary, so that the library is linked once.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a test that cannot go on fails, and says what it skips"
)]

mod support;

mod automation;
mod cache;
mod catalog;
mod completion;
mod corpus;
mod docs;
mod engine;
mod example_site;
mod freeze;
mod hierarchy;
mod hostile;
mod install;
mod json;
mod lint;
mod listings;
mod lua;
mod lua_functions;
mod lua_site;
mod modulecache;
mod modules_commands;
mod names;
mod names_cost;
mod python;
mod ranges;
mod reference;
mod rooms;
mod search;
mod settings;
mod shells;
mod siteconfig;
mod slurm;
mod spider;
mod tcl;
mod tcl_files;
mod tcl_mutations;
mod tclsh;
mod toml;
mod usage;
mod version_order;

/// A test file that is not declared above would never run.
#[test]
fn no_test_file_is_forgotten() {
    let declared = include_str!("main.rs");
    let dir = concat!(env!("CARGO_MANIFEST_DIR"), "/tests");
    for entry in std::fs::read_dir(dir).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        if let Some(stem) = name.strip_suffix(".rs")
            && stem != "main"
        {
            assert!(
                declared.lines().any(|line| line == format!("mod {stem};")),
                "tests/{name} is not declared in tests/main.rs"
            );
        }
    }
}
