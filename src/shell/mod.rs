//! Turns a difference between two states into code for a shell or a language. Never evaluates anything.
