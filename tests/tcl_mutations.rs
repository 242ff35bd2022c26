//! Damaged Tcl modulefiles: whatever a file contains, evaluation ends in time with a result or a diagnostic.
//!
//! The files of the corpus and of the example site are changed at random (with a fixed seed) and evaluated as a crawl
//! does, where nothing can be written and no program starts.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use xmod::diag::SourceFile;
use xmod::modulefile::{Mode, ModuleContext, evaluate};

use crate::support::{corpus, in_repo};
use crate::tcl_files::{alone, tcl_files};

const MUTATIONS: usize = 10_000;
/// A crawl gives a file less time than this.
const LONGEST: Duration = Duration::from_secs(30);

/// Pieces of Tcl that upset a parser or an evaluator.
const PIECES: &[&str] = &[
    "{",
    "}",
    "[",
    "]",
    "\"",
    "\\",
    "$",
    ";",
    "\n",
    "#",
    "{*}",
    "(",
    ")",
    "$::",
    "${",
    "$a(",
    "\\\n",
    "\0",
    "\u{1a}",
    "\u{e9}",
    "while 1 {}",
    "proc f {} {f}; f",
    "set x [list",
    "expr {",
    "expr 2**99999999",
    "string repeat a 99999999999",
    "regexp {(a*)*b} aaaaaaaaaaaaaaaaaaaaaaaaaaaa",
    "foreach a $argv {",
    "uplevel #0 {",
    "catch {",
    "format %999999999d 1",
    "lindex {a {b",
    "return -code 99",
    "break",
    "namespace eval a {",
    "array set a {b}",
    "if {1} then",
    "source /dev/null",
    "error x y z",
    "switch a {",
    "rename set {}",
    "unset env",
    "for {} {1} {} {}",
    "lrepeat 999999999 x",
];

/// A small generator of random numbers with a fixed seed, so that a failure can be repeated.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33) as usize % limit.max(1)
    }
}

/// Changes a text in one to four places.
fn mutate(text: &mut Vec<u8>, other: &[u8], random: &mut Random) {
    for _ in 0..1 + random.below(4) {
        let at = random.below(text.len() + 1);
        let end = (at + random.below(40)).min(text.len());
        match random.below(6) {
            0 => drop(text.drain(at..end)),
            1 => {
                let piece = text[at..end].to_vec();
                let to = random.below(text.len() + 1);
                text.splice(to..to, piece);
            }
            2 if at < text.len() => text[at] ^= 1 << random.below(8),
            3 => text.truncate(at.max(20)),
            4 => {
                let from = random.below(other.len());
                let piece = &other[from..(from + random.below(200)).min(other.len())];
                text.splice(at..end, piece.iter().copied());
            }
            _ => {
                let piece = PIECES[random.below(PIECES.len())];
                text.splice(at..at, piece.bytes());
            }
        }
    }
}

#[test]
fn no_damage_to_a_file_ends_in_a_panic_or_a_hang() {
    let mut dirs = vec![in_repo("modulefiles")];
    dirs.extend(corpus());
    let texts: Vec<Vec<u8>> = tcl_files(&dirs)
        .iter()
        .map(|file| std::fs::read(file).unwrap())
        .collect();
    assert!(!texts.is_empty());
    let mut random = Random(0x9E37_79B9_7F4A_7C15);
    let mut failed = 0;
    for number in 0..MUTATIONS {
        let mut text = texts[random.below(texts.len())].clone();
        let other = &texts[random.below(texts.len())];
        mutate(&mut text, other, &mut random);
        let module = ModuleContext {
            name: "m".to_owned(),
            version: Some("1".to_owned()),
            requested: "m/1".to_owned(),
            file: "/nowhere/m/1".into(),
            ..ModuleContext::default()
        };
        let source = SourceFile::new("/nowhere/m/1", text.clone());
        let mut world = alone();
        let begin = Instant::now();
        let run = catch_unwind(AssertUnwindSafe(|| {
            evaluate(&source, &module, Mode::Spider, &mut world).is_err()
        }));
        let took = begin.elapsed();
        let shown = String::from_utf8_lossy(&text);
        assert!(took < LONGEST, "mutation {number} took {took:?}:\n{shown}");
        match run {
            Ok(is_error) => failed += usize::from(is_error),
            Err(_) => panic!("mutation {number} panicked:\n{shown}"),
        }
    }
    // Most damage is found, and some does not matter.
    assert!(
        (MUTATIONS / 20..MUTATIONS).contains(&failed),
        "{failed} of {MUTATIONS} failed"
    );
}
