//! Environment operations, the state they change, and the difference between two states. Pure: no I/O.

pub mod delta;
pub mod op;
pub mod state;

pub use delta::{Change, Delta};
pub use op::{EnvOp, PathAction, VarName};
pub use state::State;
