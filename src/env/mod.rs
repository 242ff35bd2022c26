//! Environment operations, the state they change, and the difference between two states. Pure: no I/O.

pub mod delta;
mod fingerprint;
mod foreign;
mod journal;
pub mod loaded;
pub mod lua_table;
pub mod modulepath;
pub mod op;
pub mod packed;
mod path_list;
pub mod state;

pub use delta::{Change, Delta};
pub use fingerprint::{fingerprint, fingerprint32};
pub use loaded::{Loaded, Module, Need, NeedKind};
pub use op::{EnvOp, PathAction, VarName};
pub use path_list::normalise as clean_path;
pub use path_list::{Owner, PathEntry, PathList, PathRules};
pub use state::{Grown, Past, State, Step};
