//! Any bytes as a Tcl file that is run, within bounds.
#![no_main]

libfuzzer_sys::fuzz_target!(|text: &[u8]| xmod_fuzz::run(text, 20_000));
