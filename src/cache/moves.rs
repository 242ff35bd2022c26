//! How modules are numbered now that were numbered otherwise in a file: names that came or went move those behind them.

/// Numbers that follow each other, now and then.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Run {
    now: u32,
    old: u32,
    length: u32,
}

/// The numbers of modules, now and in a file.
#[derive(Debug, Clone, Default)]
pub(super) struct Moves {
    by_now: Vec<Run>,
    by_old: Vec<Run>,
}

impl Moves {
    /// Takes note of modules that are still there; in the order of their numbers now.
    pub(super) fn add(&mut self, now: u32, old: u32, length: u32) {
        if let Some(last) = self.by_now.last_mut()
            && last.now + last.length == now
            && last.old + last.length == old
        {
            last.length += length;
        } else if length > 0 {
            self.by_now.push(Run { now, old, length });
        }
    }

    /// All are known.
    pub(super) fn finish(&mut self) {
        self.by_old = self.by_now.clone();
        self.by_old.sort_unstable_by_key(|run| run.old);
    }

    /// The number that a module has in the file.
    pub(super) fn old(&self, now: u32) -> Option<u32> {
        let run = self.by_now.partition_point(|run| run.now <= now);
        let run = self.by_now.get(run.checked_sub(1)?)?;
        (now < run.now + run.length).then(|| run.old + (now - run.now))
    }

    /// The number now of a module of the file.
    pub(super) fn now(&self, old: u32) -> Option<u32> {
        let run = self.by_old.partition_point(|run| run.old <= old);
        let run = self.by_old.get(run.checked_sub(1)?)?;
        (old < run.old + run.length).then(|| run.now + (old - run.old))
    }
}

#[cfg(test)]
mod tests {
    use super::Moves;

    #[test]
    fn numbers_are_found_in_both_directions() {
        let mut moves = Moves::default();
        // 0 1 2 stay, a new one, 4 3 have changed places, 5 went, 6 7 8 follow.
        for (now, old, length) in [(0, 0, 2), (2, 2, 1), (4, 4, 1), (5, 3, 1), (6, 6, 3)] {
            moves.add(now, old, length);
        }
        moves.finish();
        let old: Vec<_> = (0..10).map(|now| moves.old(now)).collect();
        let known = [0, 1, 2, 99, 4, 3, 6, 7, 8, 99].map(|n| (n < 99).then_some(n));
        assert_eq!(old, known);
        for (now, old) in (0..).zip(known) {
            assert!(old.is_none_or(|old| moves.now(old) == Some(now)));
        }
        assert_eq!((moves.now(5), moves.now(9)), (None, None));
    }
}
