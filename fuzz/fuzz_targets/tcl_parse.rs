//! Any bytes as a Tcl script, list, expression, format and pattern.
#![no_main]

libfuzzer_sys::fuzz_target!(|text: &[u8]| xmod_fuzz::parse(text));
