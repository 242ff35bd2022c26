//! `fcopy`: from one channel to another.

use crate::modulefile::tcl::builtin::{chars, choice, expect_int};
use crate::modulefile::tcl::channels::Encoding;
use crate::modulefile::tcl::error::{Exit, Outcome};
use crate::modulefile::tcl::interp::{Interp, wrong_args};
use crate::modulefile::tcl::value::Value;

use super::table::{find, readable, with, writable};

const COPY: &str = "input output ?-size size? ?-command callback?";

pub(super) fn copy(interp: &mut Interp<'_>, args: &[Value]) -> Outcome {
    let (mut size, mut callback) = (None, None);
    for name in &args[..2] {
        if find(interp, name)?.busy {
            let message = bytes!("channel \"", name, "\" is busy");
            return Err(Exit::error(message));
        }
    }
    readable(interp, &args[0])?;
    writable(interp, &args[1])?;
    if !args.len().is_multiple_of(2) {
        return Err(wrong_args(b"fcopy", COPY));
    }
    for pair in args[2..].chunks_exact(2) {
        match choice(&pair[0], &["-size", "-command"], "option")? {
            0 => size = usize::try_from(expect_int(&pair[1])?).ok(),
            _ => callback = Some(pair[1].clone()),
        }
    }
    let mut copy = Copy {
        input: args[0].clone(),
        output: args[1].clone(),
        rest: size,
        count: 0,
    };
    if let Some(callback) = callback {
        interp.copy_later(copy, callback);
        return Ok(Value::empty());
    }
    let blocking = std::mem::replace(&mut find(interp, &args[0])?.blocking, true);
    let result = loop {
        match interp.copy_some(&mut copy) {
            Ok(false) => {}
            end => break end,
        }
    };
    find(interp, &args[0])?.blocking = blocking;
    result?;
    Ok(Value::int(copy.count as i64))
}

/// A copy from one channel to another that is under way.
pub(in crate::modulefile::tcl::builtin) struct Copy {
    pub(in crate::modulefile::tcl::builtin) input: Value,
    pub(in crate::modulefile::tcl::builtin) output: Value,
    /// How much is left; nothing: up to the end.
    rest: Option<usize>,
    pub(in crate::modulefile::tcl::builtin) count: usize,
}

/// Characters that are copied at once.
const COPY_CHUNK: usize = 8192;

impl Interp<'_> {
    /// Copies a part; true when that was the last one.
    pub(in crate::modulefile::tcl::builtin) fn copy_some(
        &mut self,
        copy: &mut Copy,
    ) -> Outcome<bool> {
        let wanted = copy.rest.unwrap_or(usize::MAX).min(COPY_CHUNK);
        let (input, output) = (
            find(self, &copy.input)?.encoding,
            find(self, &copy.output)?.encoding,
        );
        // What needs no translation is copied and counted as bytes; beside binary, text is UTF-8.
        let (reading, writing) = match (input, output) {
            _ if input == output && input.has_plain_line_ends() => {
                (Encoding::Binary, Encoding::Binary)
            }
            (Encoding::Binary, _) => (Encoding::Utf8, output),
            (_, Encoding::Binary) => (input, Encoding::Utf8),
            _ => (input, output),
        };
        find(self, &copy.input)?.encoding = reading;
        find(self, &copy.output)?.encoding = writing;
        let result = self.copy_part(copy, wanted);
        find(self, &copy.input)?.encoding = input;
        find(self, &copy.output)?.encoding = output;
        let count = result?;
        copy.count += count;
        if let Some(rest) = &mut copy.rest {
            *rest -= count;
        }
        Ok(copy.rest == Some(0) || find(self, &copy.input)?.at_end)
    }

    fn copy_part(&mut self, copy: &Copy, wanted: usize) -> Outcome<usize> {
        let text = with(self, &copy.input, "reading", |channel, host| {
            channel.read_some(host, wanted)
        })?;
        if matches!(copy.output.bytes(), b"stdout" | b"stderr") {
            self.count_output(text.len())?;
        }
        with(self, &copy.output, "writing", |channel, host| {
            channel.write(host, &text)?;
            channel.flush(host)
        })?;
        Ok(chars::count(&text))
    }
}
