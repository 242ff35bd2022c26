//! Where the text of a script came from: positions in files, also inside literals of literals.

use std::rc::Rc;
use std::sync::Arc;

use super::text::backslash_len;
use crate::diag::{Place, SourceFile, Span};
use crate::modulefile::tcl::value::Value;

/// The text that a script was parsed from, shared by everything in it.
pub(in crate::modulefile::tcl) struct Code {
    pub(in crate::modulefile::tcl) text: Box<[u8]>,
    pub(super) source: Source,
}

pub(super) enum Source {
    /// Text without a place: made at run time.
    Computed,
    File(Arc<SourceFile>),
    Literal(Origin),
}

/// Where a literal stands: in the text of a script, from byte `at`.
#[derive(Clone)]
pub(in crate::modulefile::tcl) struct Origin {
    pub(super) code: Rc<Code>,
    pub(super) at: u32,
    /// Backslash-newlines were folded into blanks, so bytes do not correspond one to one.
    pub(super) folded: bool,
}

impl Code {
    /// The text of a file up to byte `end`.
    pub(in crate::modulefile::tcl) fn file(file: &Arc<SourceFile>, end: usize) -> Rc<Code> {
        Rc::new(Code {
            text: file.text()[..end].into(),
            source: Source::File(Arc::clone(file)),
        })
    }

    /// The text of a value.
    pub(in crate::modulefile::tcl) fn value(value: &Value) -> Rc<Code> {
        Rc::new(Code {
            text: value.bytes().into(),
            source: match value.origin() {
                Some(origin) => Source::Literal(origin.clone()),
                None => Source::Computed,
            },
        })
    }

    /// The place in a file of a piece of this text.
    pub(in crate::modulefile::tcl) fn place(&self, start: u32, end: u32) -> Option<Place> {
        let (mut start, mut end) = (start, end);
        let mut code = self;
        loop {
            match &code.source {
                Source::Computed => return None,
                Source::File(file) => {
                    return Some(Place {
                        file: Arc::clone(file),
                        span: Span { start, end },
                    });
                }
                Source::Literal(origin) => {
                    start = origin.unfold(start);
                    end = origin.unfold(end);
                    code = &origin.code;
                }
            }
        }
    }

    /// The line of byte `at`, counted in the text `unit` when this text is a literal inside it, else in this text.
    pub(in crate::modulefile::tcl) fn line_in(self: &Rc<Code>, unit: &Rc<Code>, at: u32) -> usize {
        let (mut code, mut offset) = (self, at);
        while !Rc::ptr_eq(code, unit) {
            let Source::Literal(origin) = &code.source else {
                return self.line(at);
            };
            offset = origin.unfold(offset);
            code = &origin.code;
        }
        code.line(offset)
    }

    /// The line, counted from 1 in this text, of byte `at`.
    pub(in crate::modulefile::tcl) fn line(&self, at: u32) -> usize {
        1 + self.text[..(at as usize).min(self.text.len())]
            .iter()
            .filter(|&&b| b == b'\n')
            .count()
    }
}

impl Origin {
    /// Where a piece of the literal stands that begins at byte `at`.
    pub(in crate::modulefile::tcl) fn inner(&self, at: u32) -> Origin {
        Origin {
            code: Rc::clone(&self.code),
            at: self.unfold(at),
            folded: self.folded,
        }
    }

    /// The offset in the enclosing text of offset `at` in the literal.
    fn unfold(&self, at: u32) -> u32 {
        if !self.folded {
            return self.at + at;
        }
        let text = &self.code.text[self.at as usize..];
        let (mut raw, mut seen) = (0, 0);
        while seen < at as usize && raw < text.len() {
            raw += match text[raw..] {
                [b'\\', b'\n', ..] => backslash_len(&text[raw..]),
                _ => 1,
            };
            seen += 1;
        }
        self.at + raw as u32
    }
}
