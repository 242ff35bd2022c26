//! Every shell and language of `SHELLS`, in its real interpreter, through its own start file.

mod interpreters;
mod matrix;
mod start;
mod values;
