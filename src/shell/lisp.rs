//! Emacs Lisp.
//!
//! Source: Emacs Lisp manual "String Type": octal escapes stand for raw bytes.

use bstr::BStr;

use super::language::Language;
use super::push;

/// Emacs Lisp.
#[derive(Debug)]
pub(super) struct Lisp;

/// A string in double quotes; bytes that are not UTF-8 become octal escapes.
pub(super) fn string(value: &[u8]) -> Vec<u8> {
    let mut out = vec![b'"'];
    for chunk in value.utf8_chunks() {
        for &b in chunk.valid().as_bytes() {
            if b == b'"' || b == b'\\' {
                out.push(b'\\');
            }
            out.push(b);
        }
        for b in chunk.invalid() {
            out.extend_from_slice(format!("\\{b:03o}").as_bytes());
        }
    }
    out.push(b'"');
    out
}

impl Language for Lisp {
    const SUCCESS: &'static [u8] = b"t\n";
    const FAILURE: &'static [u8] = b"nil\n";

    fn set(&self, name: &[u8], value: &[u8], out: &mut Vec<u8>) {
        push(out, &[b"(setenv \"", name, b"\" ", &string(value), b")\n"]);
    }

    fn unset(&self, name: &[u8], out: &mut Vec<u8>) {
        push(out, &[b"(setenv \"", name, b"\" nil)\n"]);
    }

    fn chdir(&self, dir: &[u8], out: &mut Vec<u8>) {
        push(out, &[b"(cd ", &string(dir), b")\n"]);
    }

    fn print(&self, text: &[u8], out: &mut Vec<u8>) {
        push(out, &[b"(message \"%s\" ", &string(text), b")\n"]);
    }

    fn answer(&self, text: &BStr, out: &mut Vec<u8>) {
        push(out, &[&string(text), b"\n"]);
    }
}
