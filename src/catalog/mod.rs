//! The modules of all hierarchies in the formats that other programs read.
//!
//! The documents are made from a [`Crawl`]: same tree, same bytes.

pub mod lmod;
