//! Bounds of an evaluation: steps, time, nesting, stack, memory, sizes.

use std::time::{Duration, Instant};

use super::Interp;
use crate::modulefile::tcl::error::{Exit, Outcome, Stop};
use crate::modulefile::tcl::value;

/// Bounds on what a script may use up. Reaching one ends the whole evaluation and cannot be caught.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Commands and rounds of loops.
    pub steps: u64,
    /// Wall-clock time.
    pub time: Option<Duration>,
    /// Nested evaluations: reaching it is an ordinary error, as in Tcl.
    pub nesting: usize,
    /// Bytes of stack: reaching it is the same error as too much nesting.
    pub stack_bytes: usize,
    /// Size of one value.
    pub value_bytes: usize,
    /// Memory that the process may take while the script runs, all values, variables and procs together.
    pub memory_bytes: usize,
    /// Output on stdout and stderr together.
    pub output_bytes: usize,
}

impl Default for Limits {
    /// Bounds for a modulefile: far above what real ones need, and safe on a thread of 2 MiB.
    fn default() -> Limits {
        Limits {
            steps: 50_000_000,
            time: Some(Duration::from_secs(60)),
            nesting: 1000,
            stack_bytes: 1_200_000,
            value_bytes: 256 << 20,
            memory_bytes: 1 << 30,
            output_bytes: 64 << 20,
        }
    }
}

/// After so many steps the bounds are looked at.
pub(super) const CHECK_STEPS: u64 = 1024;

/// After so many bytes in large values the memory is looked at.
const LARGE_BYTES: usize = 32 << 20;

/// Bytes that the process holds in memory; 0 where the system does not tell.
fn memory_used() -> usize {
    let page = nix::unistd::sysconf(nix::unistd::SysconfVar::PAGE_SIZE)
        .ok()
        .flatten()
        .unwrap_or(4096);
    let pages = std::fs::read_to_string("/proc/self/statm")
        .ok()
        .and_then(|text| text.split(' ').nth(1)?.parse().ok());
    pages.unwrap_or(0usize).saturating_mul(page as usize)
}

/// An address on the current stack.
pub(super) fn stack_address() -> usize {
    let marker = 0u8;
    std::hint::black_box(&raw const marker) as usize
}

fn too_deep() -> Exit {
    Exit::coded(
        "too many nested evaluations (infinite loop?)",
        &["TCL", "LIMIT", "STACK"],
    )
}

impl Interp<'_> {
    /// When the evaluation must have come to its end.
    pub(in crate::modulefile::tcl) fn deadline(&self) -> Option<Instant> {
        self.deadline
    }

    /// Counts one nested evaluation.
    pub(in crate::modulefile::tcl) fn nested<T>(
        &mut self,
        run: impl FnOnce(&mut Self) -> Outcome<T>,
    ) -> Outcome<T> {
        if self.nesting >= self.limits.nesting {
            return Err(too_deep());
        }
        self.check_stack()?;
        self.nesting += 1;
        let result = run(self);
        self.nesting -= 1;
        result
    }

    /// Refuses to go deeper when the stack is nearly used up.
    pub(in crate::modulefile::tcl) fn check_stack(&self) -> Outcome<()> {
        if self.stack_base.abs_diff(stack_address()) > self.limits.stack_bytes {
            return Err(too_deep());
        }
        Ok(())
    }

    /// Counts one step; every so many looks at the clock and at the memory.
    pub(in crate::modulefile::tcl) fn step(&mut self) -> Outcome<()> {
        self.steps += 1;
        if self.steps >= self.check_at || value::large_bytes() > LARGE_BYTES {
            return self.check_limits();
        }
        Ok(())
    }

    #[cold]
    fn check_limits(&mut self) -> Outcome<()> {
        let stop = |why| Err(Exit::Stop(Stop::Limit(why)));
        self.check_bounds()?;
        self.checks += 1;
        self.check_at = self.next_check();
        if self.steps.saturating_add(self.other_steps) > self.limits.steps {
            return stop("too many steps: the script does not come to an end");
        }
        if self
            .deadline
            .is_some_and(|deadline| Instant::now() > deadline)
        {
            return stop("the script takes too long");
        }
        if self.checks.is_multiple_of(32) || value::large_bytes() > LARGE_BYTES {
            value::forget_large_bytes();
            if self.limits.memory_bytes == usize::MAX {
                return Ok(());
            }
            let used = memory_used();
            let before = *self.memory_before.get_or_insert(used);
            if used.saturating_sub(before) > self.limits.memory_bytes {
                return stop("the script uses too much memory");
            }
        }
        Ok(())
    }

    /// Looks at the bounds at the next step.
    pub(in crate::modulefile::tcl) fn check_soon(&mut self) {
        self.check_at = 0;
    }

    fn next_check(&self) -> u64 {
        let bounds = &self.realms[self.realm].bounds;
        let step = if bounds.time.is_some() {
            CHECK_STEPS / 64
        } else {
            CHECK_STEPS
        };
        let next = self.steps + step;
        match bounds.commands {
            Some(most) => next.min(u64::try_from(most).unwrap_or(0).saturating_add(1)),
            None => next,
        }
    }

    /// Whether nothing is being evaluated in this interpreter.
    pub(in crate::modulefile::tcl) fn is_idle(&self) -> bool {
        self.nesting == 0
    }

    /// How many commands were run.
    pub(in crate::modulefile::tcl) fn steps_done(&self) -> i64 {
        self.steps as i64
    }

    /// Counts output; the limit is an end, not an error.
    pub(in crate::modulefile::tcl) fn count_output(&mut self, bytes: usize) -> Outcome<()> {
        self.output = self.output.saturating_add(bytes);
        if self.output > self.limits.output_bytes {
            return Err(Exit::Stop(Stop::Limit("too much output")));
        }
        Ok(())
    }

    /// Refuses values beyond the limit before they are made.
    pub(in crate::modulefile::tcl) fn check_size(&self, bytes: usize) -> Outcome<()> {
        if bytes > self.limits.value_bytes {
            return Err(Exit::Stop(Stop::Limit("a value grows too large")));
        }
        Ok(())
    }
}
