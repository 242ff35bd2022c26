//! Which group matched what.
//!
//! Tcl chooses the whole match first and then takes it apart from left to right: each part gets the longest text (or the
//! shortest, if it prefers that) with which the rest can still be matched. A branch prefers what its first quantified atom
//! prefers; alternatives prefer the longest, and the first that fits the whole text is taken.

use super::nfa::{Machine, Prefer, Text};
use super::parse::Node;
use super::{Failure, Reason};
use crate::modulefile::tcl::chars;
use std::rc::Rc;

/// A span of bytes for each group.
pub(crate) type Groups = Vec<Option<(usize, usize)>>;

/// A part of a pattern, with the machine that recognises it.
#[derive(Debug)]
pub(super) struct Part {
    traits: Traits,
    kind: Kind,
    machine: Machine,
}

#[derive(Debug)]
enum Kind {
    /// Nothing in it needs to be looked at.
    Plain,
    Sequence(Box<Part>, Box<Part>),
    Choice(Vec<Part>),
    Capture(usize, Box<Part>),
    Repeat {
        body: Box<Part>,
        min: usize,
        max: Option<usize>,
    },
    BackReference {
        number: usize,
        min: usize,
        max: Option<usize>,
    },
}

/// Deepest nesting of parts.
const MAX_DEPTH: usize = 400;
/// Most states of all machines of a pattern together.
const MAX_STATES: usize = 1_000_000;

/// What a pattern may still use: each part has a machine of its own, so their number has to be bounded.
#[derive(Debug)]
pub(super) struct Budget {
    depth: usize,
    states: usize,
}

impl Budget {
    /// The budget of one pattern.
    pub(super) fn new() -> Self {
        Self {
            depth: MAX_DEPTH,
            states: MAX_STATES,
        }
    }

    fn machine<'a>(
        &mut self,
        nodes: impl DoubleEndedIterator<Item = &'a Node>,
    ) -> Result<Machine, Reason> {
        let machine = Machine::new(nodes)?;
        self.states = self
            .states
            .checked_sub(machine.size())
            .ok_or(Reason::TooBig)?;
        Ok(machine)
    }

    fn deeper<T>(
        &mut self,
        build: impl FnOnce(&mut Self) -> Result<T, Reason>,
    ) -> Result<T, Reason> {
        self.depth = self.depth.checked_sub(1).ok_or(Reason::TooBig)?;
        let built = build(self);
        self.depth += 1;
        built
    }
}

/// What is known of a part.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Traits {
    longer: bool,
    shorter: bool,
    /// Parts inside prefer differently.
    mixed: bool,
    captures: bool,
    refers: bool,
}

impl Traits {
    fn preferring(greedy: Option<bool>) -> Self {
        Self {
            longer: greedy == Some(true),
            shorter: greedy == Some(false),
            ..Self::default()
        }
    }

    fn or(self, other: Self) -> Self {
        Self {
            longer: self.longer || other.longer,
            shorter: self.shorter || other.shorter,
            mixed: self.mixed || other.mixed,
            captures: self.captures || other.captures,
            refers: self.refers || other.refers,
        }
    }

    /// What a part tells of itself to the one around it: not its preference, but a clash of preferences.
    fn seen_from_above(self) -> Self {
        Self {
            mixed: self.mixed || self.longer && self.shorter,
            longer: false,
            shorter: false,
            ..self
        }
    }

    /// Two parts in a row: the first that prefers anything decides.
    fn then(self, other: Self) -> Self {
        let leader = if self.longer || self.shorter {
            self
        } else {
            other
        };
        Self {
            longer: leader.longer,
            shorter: leader.shorter,
            ..self.or(other).seen_from_above()
        }
    }

    fn is_messy(self) -> bool {
        self.mixed || self.captures || self.refers
    }
}

impl Part {
    /// Divides a pattern into parts.
    pub(super) fn new(node: &Rc<Node>, budget: &mut Budget) -> Result<Self, Reason> {
        match &**node {
            Node::Alternatives(branches) => Self::choice(node, branches, budget),
            Node::Branch(items) => Self::branch(items, budget),
            _ => Self::branch(std::slice::from_ref(node), budget),
        }
    }

    /// Whether the part prefers a longer or a shorter match.
    pub(super) fn preference(&self) -> Prefer {
        if self.traits.shorter {
            Prefer::Shortest
        } else {
            Prefer::Longest
        }
    }

    /// Whether a match of the machine may still fail when the back references are compared.
    pub(super) fn refers(&self) -> bool {
        self.traits.refers
    }

    pub(super) fn machine(&self) -> &Machine {
        &self.machine
    }

    fn plain(items: &[Rc<Node>], traits: Traits, budget: &mut Budget) -> Result<Self, Reason> {
        let machine = budget.machine(items.iter().map(|item| &**item))?;
        Ok(Self {
            traits,
            kind: Kind::Plain,
            machine,
        })
    }

    fn choice(node: &Rc<Node>, branches: &[Rc<Node>], budget: &mut Budget) -> Result<Self, Reason> {
        let longer = Traits::preferring(Some(true));
        let parts = branches
            .iter()
            .map(|branch| Self::new(branch, budget))
            .collect::<Result<Vec<_>, _>>()?;
        let traits = parts.iter().fold(longer, |all, part| {
            all.or(longer.or(part.traits).seen_from_above())
        });
        let machine = budget.machine(std::iter::once(&**node))?;
        let kind = if traits.is_messy() {
            Kind::Choice(parts)
        } else {
            Kind::Plain
        };
        Ok(Self {
            traits,
            kind,
            machine,
        })
    }

    /// Divides a branch at its first item which has to be looked into.
    fn branch(items: &[Rc<Node>], budget: &mut Budget) -> Result<Self, Reason> {
        let mut traits = Traits::default();
        for (index, item) in items.iter().enumerate() {
            let Some(quantified) = Quantified::of(item, budget)? else {
                continue;
            };
            let together = traits.or(quantified.wish).or(quantified.atom.traits);
            if !quantified.is_special && !together.seen_from_above().is_messy() {
                traits = together;
                continue;
            }
            let before = Self::plain(&items[..index], traits, budget)?;
            let this = quantified.wish.then(quantified.atom.traits);
            let this = Self {
                traits: this,
                ..quantified.repeat(item, budget)?
            };
            let rest = if index + 1 < items.len() {
                budget.deeper(|budget| Self::branch(&items[index + 1..], budget))?
            } else {
                Self::plain(&[], Traits::default(), budget)?
            };
            let right_traits = this.traits.then(rest.traits);
            let right = Self::sequence(this, rest, &items[index..], right_traits, budget)?;
            let all = traits.or(traits.then(right.traits));
            return Self::sequence(before, right, items, all, budget);
        }
        Self::plain(items, traits, budget)
    }

    fn sequence(
        left: Self,
        right: Self,
        items: &[Rc<Node>],
        traits: Traits,
        budget: &mut Budget,
    ) -> Result<Self, Reason> {
        let machine = budget.machine(items.iter().map(|item| &**item))?;
        Ok(Self {
            traits,
            kind: Kind::Sequence(Box::new(left), Box::new(right)),
            machine,
        })
    }

    /// Finds out what the groups in this part matched, given that it matches `begin` to `end`; false when a back
    /// reference does not fit.
    pub(super) fn dissect(
        &self,
        text: &Text<'_>,
        begin: usize,
        end: usize,
        groups: &mut Groups,
    ) -> Result<bool, Failure> {
        text.spend(1)?;
        match &self.kind {
            Kind::Plain => Ok(true),
            Kind::Capture(number, body) => {
                let fits = body.dissect(text, begin, end, groups)?;
                if fits {
                    groups[*number] = Some((begin, end));
                }
                Ok(fits)
            }
            Kind::Choice(parts) => {
                for part in parts {
                    if part.machine.matches(text, begin, end)?
                        && part.dissect(text, begin, end, groups)?
                    {
                        return Ok(true);
                    }
                }
                Ok(false)
            }
            Kind::Sequence(left, right) => {
                for middle in left.ends(text, begin, end)? {
                    if right.machine.matches(text, middle, end)? {
                        left.forget(groups);
                        right.forget(groups);
                        if left.dissect(text, begin, middle, groups)?
                            && right.dissect(text, middle, end, groups)?
                        {
                            return Ok(true);
                        }
                    }
                }
                Ok(false)
            }
            Kind::Repeat { body, min, max } => Iteration {
                body,
                min: *min,
                max: *max,
                text,
                begin,
                end,
            }
            .dissect(groups),
            Kind::BackReference { number, min, max } => {
                let fold = |bytes: &[u8]| {
                    if text.nocase {
                        chars::to_lower(bytes)
                    } else {
                        bytes.to_vec()
                    }
                };
                let repeated = |(from, to): (usize, usize)| {
                    repeats(
                        &fold(&text.bytes[from..to]),
                        &fold(&text.bytes[begin..end]),
                        *min,
                        *max,
                    )
                };
                Ok(groups[*number].is_some_and(repeated))
            }
        }
    }

    /// The ends of this part, the preferred first.
    pub(super) fn ends(
        &self,
        text: &Text<'_>,
        begin: usize,
        limit: usize,
    ) -> Result<Vec<usize>, Failure> {
        let mut ends = self.machine.ends(text, begin, limit)?;
        if self.preference() == Prefer::Longest {
            ends.reverse();
        }
        Ok(ends)
    }

    fn forget(&self, groups: &mut Groups) {
        if !self.traits.captures {
            return;
        }
        match &self.kind {
            Kind::Plain | Kind::BackReference { .. } => {}
            Kind::Capture(number, body) => {
                groups[*number] = None;
                body.forget(groups);
            }
            Kind::Sequence(left, right) => {
                left.forget(groups);
                right.forget(groups);
            }
            Kind::Choice(parts) => parts.iter().for_each(|part| part.forget(groups)),
            Kind::Repeat { body, .. } => body.forget(groups),
        }
    }
}

/// Whether `text` is `piece` some times over.
fn repeats(piece: &[u8], text: &[u8], min: usize, max: Option<usize>) -> bool {
    if piece.is_empty() {
        return text.is_empty();
    }
    let times = text.len() / piece.len();
    text.chunks(piece.len()).all(|chunk| chunk == piece)
        && times >= min
        && max.is_none_or(|max| times <= max)
}

/// An atom with its quantifier.
struct Quantified {
    atom: Part,
    /// The preference of the quantifier.
    wish: Traits,
    /// A capturing group or a back reference, which always stands for itself.
    is_special: bool,
    min: usize,
    max: Option<usize>,
}

impl Quantified {
    /// Takes an item apart; `None` for a condition, which prefers nothing and takes no text.
    fn of(item: &Rc<Node>, budget: &mut Budget) -> Result<Option<Self>, Reason> {
        let (atom, min, max, greedy) = match &**item {
            Node::Repeat {
                body,
                min,
                max,
                greedy,
            } => (body, *min as usize, max.map(|max| max as usize), *greedy),
            _ => (item, 1, Some(1), None),
        };
        let wish = Traits::preferring(greedy);
        let (part, is_special) = match &**atom {
            Node::Empty | Node::Assert(_) | Node::LookAhead { .. } => return Ok(None),
            Node::Group {
                capture: None,
                body,
            } => (budget.deeper(|budget| Part::new(body, budget))?, false),
            Node::Group {
                capture: Some(number),
                body,
            } => {
                let body = budget.deeper(|budget| Part::new(body, budget))?;
                let traits = Traits {
                    captures: true,
                    ..body.traits
                };
                let machine = budget.machine(std::iter::once(&**atom))?;
                (
                    Part {
                        traits,
                        kind: Kind::Capture(*number, Box::new(body)),
                        machine,
                    },
                    true,
                )
            }
            Node::BackReference { number, .. } => {
                let traits = Traits {
                    refers: true,
                    ..Traits::default()
                };
                let machine = budget.machine(std::iter::once(&**item))?;
                (
                    Part {
                        traits,
                        kind: Kind::BackReference {
                            number: *number,
                            min,
                            max,
                        },
                        machine,
                    },
                    true,
                )
            }
            _ => (
                Part::plain(std::slice::from_ref(atom), Traits::default(), budget)?,
                false,
            ),
        };
        Ok(Some(Self {
            atom: part,
            wish,
            is_special,
            min,
            max,
        }))
    }

    /// The repeated atom as a part. Of several repetitions only the last one's groups count.
    fn repeat(self, item: &Rc<Node>, budget: &mut Budget) -> Result<Part, Reason> {
        let Self {
            atom,
            wish,
            min,
            max,
            ..
        } = self;
        if matches!(atom.kind, Kind::BackReference { .. }) || (min, max) == (1, Some(1)) {
            return Ok(atom);
        }
        let traits = wish.then(atom.traits);
        let machine = budget.machine(std::iter::once(&**item))?;
        let Node::Repeat { body, greedy, .. } = &**item else {
            return Ok(atom);
        };
        if min > 0 && !atom.traits.refers {
            let before = Rc::new(Node::Repeat {
                body: body.clone(),
                min: min as u32 - 1,
                max: max.map(|max| max as u32 - 1),
                greedy: *greedy,
            });
            let before = Part::plain(
                &[before],
                Traits {
                    longer: traits.longer,
                    shorter: traits.shorter,
                    ..Traits::default()
                },
                budget,
            )?;
            return Ok(Part {
                traits,
                kind: Kind::Sequence(Box::new(before), Box::new(atom)),
                machine,
            });
        }
        Ok(Part {
            traits,
            kind: Kind::Repeat {
                body: Box::new(atom),
                min,
                max,
            },
            machine,
        })
    }
}

/// A repeated part over a span of text.
struct Iteration<'a> {
    body: &'a Part,
    min: usize,
    max: Option<usize>,
    text: &'a Text<'a>,
    begin: usize,
    end: usize,
}

impl Iteration<'_> {
    /// Divides the span into repetitions, each in its preferred way, and looks into each.
    fn dissect(&self, groups: &mut Groups) -> Result<bool, Failure> {
        if self.min == 0 && self.begin == self.end {
            return Ok(true);
        }
        let min = self.min.max(1);
        let length = chars::count(&self.text.bytes[self.begin..self.end]);
        let most = self.max.map_or(length, |max| max.min(length)).max(min);
        // For each repetition the ends still to be tried, the preferred last, and the present one.
        let mut open = vec![self.candidates(self.begin)?];
        let mut places = vec![self.begin];
        while let Some(ends) = open.last_mut() {
            let Some(end) = ends.pop() else {
                open.pop();
                places.pop();
                continue;
            };
            self.text.spend(1)?;
            let count = open.len();
            let begin = places[count - 1];
            if end == self.end {
                if count >= min && self.verify(&places, groups)? {
                    return Ok(true);
                }
                continue;
            }
            let missing = min.saturating_sub(count);
            if end == begin
                && (missing == 0 || missing < chars::count(&self.text.bytes[end..self.end]))
            {
                continue;
            }
            if count < most {
                open.push(self.candidates(end)?);
                places.push(end);
            }
        }
        Ok(false)
    }

    fn candidates(&self, begin: usize) -> Result<Vec<usize>, Failure> {
        let mut ends = self.body.ends(self.text, begin, self.end)?;
        ends.reverse();
        Ok(ends)
    }

    fn verify(&self, places: &[usize], groups: &mut Groups) -> Result<bool, Failure> {
        for (index, &begin) in places.iter().enumerate() {
            let end = places.get(index + 1).copied().unwrap_or(self.end);
            self.body.forget(groups);
            if !self.body.dissect(self.text, begin, end, groups)? {
                return Ok(false);
            }
        }
        Ok(true)
    }
}
