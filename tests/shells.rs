//! Every shell and language of `SHELLS`, in its real interpreter, through its own start file.

mod files;
mod interpreters;
mod limits;
mod matrix;
mod peers;
mod start;
mod terminal;
mod values;
mod windows;
