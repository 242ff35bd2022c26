//! What is loaded how often, where the site has asked for it: each load is told to syslog, and read back into a database.
//!
//! [`tell`] is on the way of every load that the site wants told: one datagram, no waiting, and a load never fails because
//! of it. All else belongs to the commands of administrators.

mod event;
mod read;
mod report;
mod store;

pub use event::{Load, tell};
pub use read::{Event, events_in};
pub use report::{By, Format, Row, Rows};
pub use store::{Access, Imported, Store, UsageError, figures};
