//! Module names, versions and specifications. Pure: no file, no environment.
//!
//! Words: a *specification* is what was typed or written in a modulefile (`gcc`, `gcc/13`, `gcc@13:`,
//! `between("gcc", "12", "13")`); a *full name* is what a specification resolves to (`gcc/13.2.0`).

mod loaded;
pub(crate) mod lua_pattern;
mod order;
mod spec;

pub use loaded::{LoadedName, LoadedRules, Purpose, automatic_symbol, matches_loaded};
pub use lua_pattern::LuaPattern;
pub use order::{Numbers, VersionKey, VersionOrder, lmod_canonical};
pub use spec::{Bound, Edge, Range, Spec, SpecError, SpecRules, Versions};
