//! R.
//!
//! Source: R documentation "Quotes": a hexadecimal escape takes at most two digits, so the next character is never a part of it.

use bstr::BStr;

use super::language::Language;
use super::{push, quote};

/// R.
#[derive(Debug)]
pub(super) struct R;

/// A string in double quotes.
pub(super) fn string(value: &[u8]) -> Vec<u8> {
    quote::escaped(value, b"\"\\", |b| format!("\\x{b:02x}"))
}

impl Language for R {
    const SUCCESS: &'static [u8] = b"mlstatus <- TRUE\n";
    const FAILURE: &'static [u8] = b"mlstatus <- FALSE\n";

    fn set(&self, name: &[u8], value: &[u8], out: &mut Vec<u8>) {
        push(
            out,
            &[b"Sys.setenv(\"", name, b"\"=", &string(value), b")\n"],
        );
    }

    fn unset(&self, name: &[u8], out: &mut Vec<u8>) {
        push(out, &[b"Sys.unsetenv(\"", name, b"\")\n"]);
    }

    fn chdir(&self, dir: &[u8], out: &mut Vec<u8>) {
        push(out, &[b"setwd(", &string(dir), b")\n"]);
    }

    fn print(&self, text: &[u8], out: &mut Vec<u8>) {
        push(out, &[b"writeLines(", &string(text), b")\n"]);
    }

    fn answer(&self, text: &BStr, out: &mut Vec<u8>) {
        push(out, &[b"mlstatus <- ", &string(text), b"\n"]);
    }
}
