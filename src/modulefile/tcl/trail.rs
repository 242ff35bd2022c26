//! Where evaluation stands: the commands that are being run, for messages and for `info frame`.

use std::rc::Rc;

use crate::diag::Place;

use super::interp::Style;
use super::parse::{Code, Script};

/// The commands that are being run, innermost last.
#[derive(Default)]
pub(super) struct Trail {
    entries: Vec<Step>,
}

struct Step {
    code: Rc<Code>,
    start: u32,
    end: u32,
    style: Style,
    /// The frame that was active.
    frame: usize,
}

/// What `info frame` tells of one level.
pub(super) struct CommandFrame {
    pub(super) frame: usize,
    /// Whether it is the body of a proc and not something that the proc evaluates.
    pub(super) is_proc: bool,
    pub(super) place: Option<Place>,
    /// The line in the text that is evaluated.
    pub(super) line: usize,
    pub(super) text: Vec<u8>,
}

impl Trail {
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    /// Forgets what was entered beyond this length.
    pub(super) fn truncate(&mut self, length: usize) {
        self.entries.truncate(length);
    }

    /// Notes the command that is run now at this depth.
    pub(super) fn mark(
        &mut self,
        depth: usize,
        script: &Script,
        span: (u32, u32),
        scope: (Style, usize),
    ) {
        let ((start, end), (style, frame)) = (span, scope);
        match self.entries.get_mut(depth) {
            Some(step) => {
                step.start = start;
                step.end = end;
            }
            None => self.entries.push(Step {
                code: Rc::clone(&script.code),
                start,
                end,
                style,
                frame,
            }),
        }
    }

    /// How many scripts are being evaluated; what is compiled in place belongs to the one around it.
    pub(super) fn depth(&self) -> usize {
        let outer = |step: &&Step| step.style != Style::Inline;
        self.entries.iter().filter(outer).count()
    }

    /// The command that runs in the script number `wanted`, counted from 1 for the outermost.
    pub(super) fn command_frame(&self, wanted: usize) -> Option<CommandFrame> {
        let outer = |step: &Step| step.style != Style::Inline;
        let (at, first) = (self.entries.iter().enumerate())
            .filter(|(_, step)| outer(step))
            .nth(wanted.checked_sub(1)?)?;
        let last = self.entries[at + 1..]
            .iter()
            .take_while(|step| !outer(step))
            .last()
            .unwrap_or(first);
        let text = last.code.text[last.start as usize..last.end as usize].trim_ascii_end();
        Some(CommandFrame {
            frame: first.frame,
            is_proc: first.style == Style::Proc,
            place: last.place(),
            line: last.code.line_in(&first.code, last.start),
            text: text.to_vec(),
        })
    }

    /// The innermost command that stands in a file.
    pub(super) fn place(&self) -> Option<Place> {
        self.entries.iter().rev().find_map(Step::place)
    }
}

impl Step {
    fn place(&self) -> Option<Place> {
        let text = &self.code.text[self.start as usize..self.end as usize];
        let blank = text
            .iter()
            .rev()
            .take_while(|b| b.is_ascii_whitespace())
            .count();
        self.code.place(self.start, self.end - blank as u32)
    }
}
