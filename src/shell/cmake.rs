//! CMake, for `include()`.
//!
//! Source: cmake-language(7) "Quoted Argument", "Escape Sequences".

use bstr::BStr;

use super::language::Language;
use super::push;

/// CMake.
#[derive(Debug)]
pub(super) struct CMake;

/// A quoted argument. A semicolon stays bare: in quotes it separates nothing, and a backslash before it would stay.
pub(super) fn string(value: &[u8]) -> Vec<u8> {
    let mut out = vec![b'"'];
    for &b in value {
        match b {
            b'"' | b'\\' | b'$' | b'@' => out.extend_from_slice(&[b'\\', b]),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            _ => out.push(b),
        }
    }
    out.push(b'"');
    out
}

/// Sets a variable. Under its old policies CMake's parser gives up on an argument with thousands of escapes, so those are
/// given piece by piece.
fn set(name: &[u8], value: &[u8], out: &mut Vec<u8>) {
    // `set(ENV{X} "")` takes the variable away: CMake cannot hold an empty one.
    const ESCAPES_MAX: usize = 1000;
    let escapes = value.iter().filter(|b| b"\"\\$@\n\r\t".contains(b)).count();
    let chunk = if escapes > ESCAPES_MAX {
        ESCAPES_MAX
    } else {
        value.len().max(1)
    };
    push(out, &[b"set(ENV{", name, b"} "]);
    out.extend_from_slice(&string(&value[..chunk.min(value.len())]));
    out.extend_from_slice(b")\n");
    for piece in value.chunks(chunk).skip(1) {
        let piece = string(piece);
        push(
            out,
            &[
                b"set(ENV{",
                name,
                b"} \"$ENV{",
                name,
                b"}",
                &piece[1..],
                b")\n",
            ],
        );
    }
}

impl Language for CMake {
    const SUCCESS: &'static [u8] = b"set(_mlstatus TRUE)\n";
    const FAILURE: &'static [u8] = b"set(_mlstatus FALSE)\n";

    fn set(&self, name: &[u8], value: &[u8], out: &mut Vec<u8>) {
        set(name, value, out);
    }

    fn unset(&self, name: &[u8], out: &mut Vec<u8>) {
        push(out, &[b"unset(ENV{", name, b"})\n"]);
    }

    fn chdir(&self, _: &[u8], _: &mut Vec<u8>) {
        // A CMake script has no working directory that it could change.
    }

    fn print(&self, text: &[u8], out: &mut Vec<u8>) {
        push(out, &[b"message(", &string(text), b")\n"]);
    }

    fn answer(&self, text: &BStr, out: &mut Vec<u8>) {
        push(out, &[b"set(_mlstatus ", &string(text), b")\n"]);
    }
}
