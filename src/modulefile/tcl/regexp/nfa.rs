//! A regular expression as a machine of states, and its simulation over a text.
//!
//! Back references are taken for what their group could match; [`super::dissect`] compares the texts afterwards. The work
//! is counted, so that no pattern can keep the program busy for ever.

use super::parse::{Assert, Node};
use super::set::Set;
use super::{Failure, Reason};
use crate::modulefile::tcl::chars::{self, Char, Class};
use std::cell::Cell;

/// Most states of one machine; Tcl refuses patterns of about this size too.
const MAX_STATES: usize = 100_000;
/// Most steps of one search, about a second of work.
const MAX_STEPS: u64 = 50_000_000;

type StateId = u32;

#[derive(Debug)]
enum State {
    Char(Char, StateId),
    Any {
        newline: bool,
        next: StateId,
    },
    Set(Set, StateId),
    Assert(Assert, StateId),
    LookAhead {
        negative: bool,
        machine: Box<Machine>,
        next: StateId,
    },
    Split(StateId, StateId),
    Accept,
}

/// The states of a pattern or of a part of it.
#[derive(Debug)]
pub(super) struct Machine {
    states: Vec<State>,
    start: StateId,
    /// The ASCII bytes with which a match can begin; all others may, too. `None` when a match may be empty.
    first: Option<u128>,
}

/// The text of one search.
pub(super) struct Text<'a> {
    pub(super) bytes: &'a [u8],
    /// Whether `^` does not match at the beginning.
    pub(super) not_bol: bool,
    /// Whether back references ignore case.
    pub(super) nocase: bool,
    pub(super) steps: Cell<u64>,
}

impl Text<'_> {
    /// Counts work and stops what takes too long.
    pub(super) fn spend(&self, steps: usize) -> Result<(), Failure> {
        self.steps.set(self.steps.get() + steps as u64);
        if self.steps.get() > MAX_STEPS {
            Err(Failure::TooLong)
        } else {
            Ok(())
        }
    }

    fn is_word_before(&self, at: usize) -> bool {
        chars::decode_last(&self.bytes[..at]).is_some_and(|(c, _)| Class::Word.contains(c))
    }

    fn is_word_after(&self, at: usize) -> bool {
        chars::decode(&self.bytes[at..]).is_some_and(|(c, _)| Class::Word.contains(c))
    }

    fn holds(&self, assertion: Assert, at: usize) -> bool {
        match assertion {
            Assert::Begin { lines } => {
                if at == 0 {
                    !self.not_bol
                } else {
                    lines && self.bytes[at - 1] == b'\n'
                }
            }
            Assert::End { lines } => at == self.bytes.len() || lines && self.bytes[at] == b'\n',
            Assert::TextBegin => at == 0,
            Assert::TextEnd => at == self.bytes.len(),
            Assert::WordBegin => !self.is_word_before(at) && self.is_word_after(at),
            Assert::WordEnd => self.is_word_before(at) && !self.is_word_after(at),
            Assert::WordBoundary => self.is_word_before(at) != self.is_word_after(at),
            Assert::NotWordBoundary => self.is_word_before(at) == self.is_word_after(at),
        }
    }
}

/// Which of several ends from the same beginning is wanted.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Prefer {
    Longest,
    Shortest,
}

impl Machine {
    /// Builds the machine for a sequence of nodes.
    pub(super) fn new<'a>(
        nodes: impl DoubleEndedIterator<Item = &'a Node>,
    ) -> Result<Self, Reason> {
        let mut builder = Builder {
            states: vec![State::Accept],
        };
        let mut start = 0;
        for node in nodes.rev() {
            start = builder.node(node, start)?;
        }
        let mut machine = Self {
            states: builder.states,
            start,
            first: None,
        };
        machine.first = machine.first_bytes();
        Ok(machine)
    }

    /// The number of states, those of look-aheads included.
    pub(super) fn size(&self) -> usize {
        let ahead = |state: &State| match state {
            State::LookAhead { machine, .. } => machine.size(),
            _ => 0,
        };
        self.states.len() + self.states.iter().map(ahead).sum::<usize>()
    }

    fn first_bytes(&self) -> Option<u128> {
        let mut bits = 0;
        let mut seen = vec![false; self.states.len()];
        let mut open = vec![self.start];
        while let Some(id) = open.pop() {
            if std::mem::replace(&mut seen[id as usize], true) {
                continue;
            }
            match &self.states[id as usize] {
                State::Accept => return None,
                State::Char(c, _) if *c < 128 => bits |= 1 << c,
                State::Char(..) => {}
                State::Any { .. } => bits = u128::MAX,
                State::Set(set, _) => bits |= set.ascii(),
                State::Assert(_, next) | State::LookAhead { next, .. } => open.push(*next),
                State::Split(a, b) => open.extend([*a, *b]),
            }
        }
        Some(bits)
    }

    /// Finds the leftmost match that begins at `from` or later, with the preferred one of its ends.
    pub(super) fn search(
        &self,
        text: &Text<'_>,
        from: usize,
        prefer: Prefer,
    ) -> Result<Option<(usize, usize)>, Failure> {
        let mut found: Option<(usize, usize)> = None;
        let mut run = Run::new(self, text);
        let mut at = from;
        loop {
            if found.is_none() {
                if run.current.is_empty() {
                    at = self.skip(text, at);
                }
                run.add(self.start, at, at)?;
            }
            // Threads are in the order of their beginnings: the first one that accepts has the leftmost of this step.
            for index in 0..run.current.len() {
                let (id, begin) = run.current[index];
                if found.is_some_and(|(best, _)| begin > best) {
                    run.current.truncate(index);
                    break;
                }
                if matches!(self.states[id as usize], State::Accept) {
                    let better = match found {
                        Some((best, _)) => begin < best || prefer == Prefer::Longest,
                        None => true,
                    };
                    if better {
                        found = Some((begin, at));
                    }
                    if prefer == Prefer::Shortest {
                        // Later beginnings cannot win, nor later ends of this one.
                        run.current.truncate(index);
                        run.current.retain(|&(_, other)| other < begin);
                        break;
                    }
                }
            }
            if at == text.bytes.len() || found.is_some() && run.current.is_empty() {
                return Ok(found);
            }
            at = run.step(at, text.bytes.len())?;
        }
    }

    /// Skips characters with which no match begins.
    fn skip(&self, text: &Text<'_>, at: usize) -> usize {
        let Some(first) = self.first else {
            return at;
        };
        let rest = &text.bytes[at..];
        let skipped = rest
            .iter()
            .position(|&b| !b.is_ascii() || first >> b & 1 == 1);
        at + skipped.unwrap_or(rest.len())
    }

    /// All ends, in ascending order and up to `limit`, of matches that begin at `begin`.
    pub(super) fn ends(
        &self,
        text: &Text<'_>,
        begin: usize,
        limit: usize,
    ) -> Result<Vec<usize>, Failure> {
        let mut ends = Vec::new();
        self.anchored(text, begin, limit, |end| {
            ends.push(end);
            true
        })?;
        Ok(ends)
    }

    /// Whether `begin` to `end` is a match.
    pub(super) fn matches(
        &self,
        text: &Text<'_>,
        begin: usize,
        end: usize,
    ) -> Result<bool, Failure> {
        let mut last = None;
        self.anchored(text, begin, end, |at| {
            last = Some(at);
            true
        })?;
        Ok(last == Some(end))
    }

    fn matches_prefix(&self, text: &Text<'_>, begin: usize) -> Result<bool, Failure> {
        let mut found = false;
        self.anchored(text, begin, text.bytes.len(), |_| {
            found = true;
            false
        })?;
        Ok(found)
    }

    /// Calls `accept` with each end until that says no.
    fn anchored(
        &self,
        text: &Text<'_>,
        begin: usize,
        limit: usize,
        mut accept: impl FnMut(usize) -> bool,
    ) -> Result<(), Failure> {
        let mut run = Run::new(self, text);
        let mut at = begin;
        run.add(self.start, at, begin)?;
        loop {
            let accepted = run
                .current
                .iter()
                .any(|&(id, _)| matches!(self.states[id as usize], State::Accept));
            if accepted && !accept(at) || at >= limit || run.current.is_empty() {
                return Ok(());
            }
            at = run.step(at, limit)?;
        }
    }
}

/// A simulation under way.
struct Run<'a> {
    machine: &'a Machine,
    text: &'a Text<'a>,
    /// States which wait at the present place, each with the beginning of its match.
    current: Vec<(StateId, usize)>,
    next: Vec<(StateId, usize)>,
    /// For each state the place (plus one) at which it was last added.
    seen: Vec<usize>,
    open: Vec<StateId>,
}

impl<'a> Run<'a> {
    fn new(machine: &'a Machine, text: &'a Text<'a>) -> Self {
        Self {
            machine,
            text,
            current: Vec::new(),
            next: Vec::new(),
            seen: vec![0; machine.states.len()],
            open: Vec::new(),
        }
    }

    /// Adds a state, and what is reached from it without a character, to the present ones.
    fn add(&mut self, id: StateId, at: usize, begin: usize) -> Result<(), Failure> {
        let mut current = std::mem::take(&mut self.current);
        let added = self.close(id, at, begin, &mut current);
        self.current = current;
        added
    }

    fn close(
        &mut self,
        id: StateId,
        at: usize,
        begin: usize,
        into: &mut Vec<(StateId, usize)>,
    ) -> Result<(), Failure> {
        self.open.push(id);
        while let Some(id) = self.open.pop() {
            if self.seen[id as usize] == at + 1 {
                continue;
            }
            self.seen[id as usize] = at + 1;
            match &self.machine.states[id as usize] {
                State::Split(a, b) => self.open.extend([*b, *a]),
                State::Assert(assertion, next) => {
                    if self.text.holds(*assertion, at) {
                        self.open.push(*next);
                    }
                }
                State::LookAhead {
                    negative,
                    machine,
                    next,
                } => {
                    if machine.matches_prefix(self.text, at)? != *negative {
                        self.open.push(*next);
                    }
                }
                _ => into.push((id, begin)),
            }
        }
        Ok(())
    }

    /// Moves over one character, if there is one before `limit`, to the place behind it.
    fn step(&mut self, at: usize, limit: usize) -> Result<usize, Failure> {
        self.text.spend(self.current.len() + 1)?;
        let Some((c, length)) = chars::decode(&self.text.bytes[at..limit]) else {
            self.current.clear();
            return Ok(limit);
        };
        let after = at + length;
        let mut next = std::mem::take(&mut self.next);
        for index in 0..self.current.len() {
            let (id, begin) = self.current[index];
            let target = match &self.machine.states[id as usize] {
                State::Char(wanted, next) if *wanted == c => *next,
                State::Any { newline, next } if *newline || c != u32::from(b'\n') => *next,
                State::Set(set, next) if set.contains(c) => *next,
                _ => continue,
            };
            self.close(target, after, begin, &mut next)?;
        }
        self.next = std::mem::replace(&mut self.current, next);
        self.next.clear();
        Ok(after)
    }
}

/// Builds states from the end to the beginning.
struct Builder {
    states: Vec<State>,
}

impl Builder {
    fn push(&mut self, state: State) -> Result<StateId, Reason> {
        if self.states.len() >= MAX_STATES {
            return Err(Reason::TooBig);
        }
        self.states.push(state);
        Ok((self.states.len() - 1) as StateId)
    }

    /// Adds the states of `node`, which goes on at `next`; gives the first of them.
    fn node(&mut self, node: &Node, next: StateId) -> Result<StateId, Reason> {
        match node {
            Node::Empty => Ok(next),
            Node::Char(c) => self.push(State::Char(*c, next)),
            Node::Any { newline } => self.push(State::Any {
                newline: *newline,
                next,
            }),
            Node::Set(set) => self.push(State::Set(set.clone(), next)),
            Node::Assert(assertion) => self.push(State::Assert(*assertion, next)),
            Node::LookAhead { negative, body } => {
                let machine = Box::new(Machine::new(std::iter::once(&**body))?);
                self.push(State::LookAhead {
                    negative: *negative,
                    machine,
                    next,
                })
            }
            Node::Group { body, .. } | Node::BackReference { body, .. } => self.node(body, next),
            Node::Repeat { body, min, max, .. } => self.repeat(body, *min, *max, next),
            Node::Branch(items) => items
                .iter()
                .rev()
                .try_fold(next, |next, item| self.node(item, next)),
            Node::Alternatives(branches) => {
                let mut start = self.node(&branches[branches.len() - 1], next)?;
                for branch in branches.iter().rev().skip(1) {
                    let first = self.node(branch, next)?;
                    start = self.push(State::Split(first, start))?;
                }
                Ok(start)
            }
        }
    }

    fn repeat(
        &mut self,
        body: &Node,
        min: u32,
        max: Option<u32>,
        next: StateId,
    ) -> Result<StateId, Reason> {
        let mut start = next;
        match max {
            None => {
                let split = self.push(State::Split(next, next))?;
                let first = self.node(body, split)?;
                self.states[split as usize] = State::Split(first, next);
                start = split;
            }
            Some(max) => {
                for _ in min..max {
                    let first = self.node(body, start)?;
                    start = self.push(State::Split(first, next))?;
                }
            }
        }
        for _ in 0..min {
            start = self.node(body, start)?;
        }
        Ok(start)
    }
}
