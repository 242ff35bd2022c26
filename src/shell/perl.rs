//! Perl.
//!
//! Source: perlop "Quote and Quote-like Operators": in single quotes only the quote and the backslash are special.

use bstr::BStr;

use super::language::Language;
use super::{push, quote};

/// Perl.
#[derive(Debug)]
pub(super) struct Perl;

impl Language for Perl {
    const SUCCESS: &'static [u8] = b"{ no strict 'vars'; $_mlstatus = 1; }\n";
    const FAILURE: &'static [u8] = b"{ no strict 'vars'; $_mlstatus = 0; }\n";

    fn set(&self, name: &[u8], value: &[u8], out: &mut Vec<u8>) {
        push(
            out,
            &[
                b"$ENV{'",
                name,
                b"'} = ",
                &quote::backslashed(value),
                b";\n",
            ],
        );
    }

    fn unset(&self, name: &[u8], out: &mut Vec<u8>) {
        push(out, &[b"delete $ENV{'", name, b"'};\n"]);
    }

    fn chdir(&self, dir: &[u8], out: &mut Vec<u8>) {
        push(out, &[b"chdir ", &quote::backslashed(dir), b";\n"]);
    }

    fn print(&self, text: &[u8], out: &mut Vec<u8>) {
        push(
            out,
            &[b"print ", &quote::backslashed(text), b", \"\\n\";\n"],
        );
    }

    fn answer(&self, text: &BStr, out: &mut Vec<u8>) {
        let text = quote::backslashed(text);
        push(
            out,
            &[b"{ no strict 'vars'; $_mlstatus = ", &text, b"; }\n"],
        );
    }
}
