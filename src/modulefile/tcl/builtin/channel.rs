//! Channels: `puts`, `gets`, `read`, `open`, `close`, `seek`, `fconfigure`, ... and the same under `chan`.
//!
//! Standard input and output belong to the embedding. Source: Tcl 8.6, the manual page of each command.

mod copy;
mod open;
mod options;
mod table;

pub(super) use copy::Copy;
pub(super) use open::report;
pub(super) use table::{Channels, find, readable, writable};

use std::io::{self, SeekFrom};

use crate::modulefile::tcl::channels::Channel;
use crate::modulefile::tcl::command::{ANY, Def};
use crate::modulefile::tcl::error::{Exit, Outcome};
use crate::modulefile::tcl::interp::{Interp, wrong_args};
use crate::modulefile::tcl::number::Number;
use crate::modulefile::tcl::value::Value;

use super::{choice, event, expect_int};
use copy::copy;
use open::{close, open, pipe};
use options::configure;
use table::with;

pub(super) static TABLE: &[Def] = &[
    Def::new("puts", PUTS, 1, 3, puts),
    Def::new("gets", "channelId ?varName?", 1, 2, gets),
    Def::new("read", "", 0, ANY, read),
    Def::new("open", "fileName ?access? ?permissions?", 1, 3, open),
    Def::new("close", "channelId ?direction?", 1, 2, close),
    Def::new("eof", "channelId", 1, 1, eof),
    Def::new("flush", "channelId", 1, 1, flush),
    Def::new("seek", "channelId offset ?origin?", 2, 3, seek),
    Def::new("tell", "channelId", 1, 1, tell),
    Def::new(
        "fconfigure",
        "channelId ?-option value ...?",
        1,
        ANY,
        configure,
    ),
    Def::new("fblocked", "channelId", 1, 1, blocked),
    Def::new(
        "fileevent",
        "channelId event ?script?",
        2,
        3,
        event::file_event,
    ),
    Def::new(
        "fcopy",
        "input output ?-size size? ?-command callback?",
        2,
        ANY,
        copy,
    ),
    Def::ensemble("chan", CHAN),
];

static CHAN: &[Def] = &[
    Def::new("blocked", "channelId", 1, 1, blocked),
    Def::new("close", "channelId ?direction?", 1, 2, close),
    Def::new(
        "configure",
        "channelId ?-option value ...?",
        1,
        ANY,
        configure,
    ),
    Def::new(
        "copy",
        "input output ?-size size? ?-command callback?",
        2,
        ANY,
        copy,
    ),
    Def::new("eof", "channelId", 1, 1, eof),
    Def::new("event", "channelId event ?script?", 2, 3, event::file_event),
    Def::new("flush", "channelId", 1, 1, flush),
    Def::new("gets", "channelId ?varName?", 1, 2, gets),
    Def::new("names", "?pattern?", 0, 1, |interp, args| {
        interp.channel_names(args)
    }),
    Def::new("pending", "mode channelId", 2, 2, pending),
    // The blank at the end of the usage is Tcl's.
    Def::new("pipe", "", 0, ANY, |interp, args| match args {
        [] => pipe(interp),
        _ => Err(wrong_args(b"chan pipe ", "")),
    }),
    Def::new("puts", PUTS, 1, 3, puts),
    Def::new("read", "", 0, ANY, |interp, args| {
        read_as(interp, args, "chan read")
    }),
    Def::new("seek", "channelId offset ?origin?", 2, 3, seek),
    Def::new("tell", "channelId", 1, 1, tell),
    Def::new("truncate", "channelId ?length?", 1, 2, truncate),
];

const PUTS: &str = "?-nonewline? ?channelId? string";

fn puts(interp: &mut Interp<'_>, args: &[Value]) -> Outcome {
    let stdout = || Value::from("stdout");
    let (newline, channel, text) = match args {
        [text] => (true, stdout(), text),
        [flag, text] if flag.bytes() == b"-nonewline" => (false, stdout(), text),
        [channel, text] => (true, channel.clone(), text),
        [flag, channel, text] if flag.bytes() == b"-nonewline" => (false, channel.clone(), text),
        [channel, text, flag] if flag.bytes() == b"nonewline" => (false, channel.clone(), text),
        _ => return Err(wrong_args(b"puts", PUTS)),
    };
    if channel.bytes() == b"stdout" || channel.bytes() == b"stderr" {
        interp.count_output(text.bytes().len() + 1)?;
    }
    if find(interp, &channel).is_err() {
        let end: &[u8] = if newline { b"\n" } else { b"" };
        interp.count_output(text.bytes().len() + 1)?;
        let line = bytes!(text, end);
        if interp.host.write_named(channel.bytes(), &line) {
            return Ok(Value::empty());
        }
    }
    writable(interp, &channel)?;
    with(interp, &channel, "writing", |channel, host| {
        if newline {
            channel.write(host, &bytes!(text, "\n"))
        } else {
            channel.write(host, text.bytes())
        }
    })?;
    Ok(Value::empty())
}

fn gets(interp: &mut Interp<'_>, args: &[Value]) -> Outcome {
    readable(interp, &args[0])?;
    let line = with(interp, &args[0], "reading", Channel::read_line)?;
    let Some(name) = args.get(1) else {
        return Ok(Value::new(line.unwrap_or_default()));
    };
    let count = line
        .as_ref()
        .map_or(-1, |line| super::chars::count(line) as i64);
    interp.set_var(name.bytes(), Value::new(line.unwrap_or_default()))?;
    Ok(Value::int(count))
}

fn read(interp: &mut Interp<'_>, args: &[Value]) -> Outcome {
    read_as(interp, args, "read")
}

/// Reads; the usage shows the command by this name.
fn read_as(interp: &mut Interp<'_>, args: &[Value], name: &str) -> Outcome {
    let usage = || {
        let message = format!(
            "wrong # args: should be \"{name} channelId ?numChars?\" or \"{name} ?-nonewline? channelId\""
        );
        Exit::coded(message, &["TCL", "WRONGARGS"])
    };
    let (channel, count, chop) = match args {
        [channel] => (channel, None, false),
        [flag, channel] if flag.bytes() == b"-nonewline" => (channel, None, true),
        [channel, count] => (channel, Some(count), false),
        _ => return Err(usage()),
    };
    readable(interp, channel)?;
    let limit = interp.limits.value_bytes;
    let Some(count) = count else {
        let mut text = with(interp, channel, "reading", |channel, host| {
            channel.read_all(host, limit)
        })?;
        if chop && text.last() == Some(&b'\n') {
            text.pop();
        }
        return Ok(Value::new(text));
    };
    let chars = match count.as_number() {
        Some(Number::Int(n)) if n >= 0 => n as usize,
        _ if count.bytes() == b"nonewline" => {
            let mut text = with(interp, channel, "reading", |channel, host| {
                channel.read_all(host, limit)
            })?;
            if text.last() == Some(&b'\n') {
                text.pop();
            }
            return Ok(Value::new(text));
        }
        _ => {
            let message = bytes!("expected non-negative integer but got \"", count, "\"");
            return Err(Exit::coded(message, &["TCL", "VALUE", "NUMBER"]));
        }
    };
    let text = with(interp, channel, "reading", |channel, host| {
        channel.read_chars(host, chars.min(limit))
    })?;
    Ok(Value::new(text))
}

fn eof(interp: &mut Interp<'_>, args: &[Value]) -> Outcome {
    Ok(Value::bool(find(interp, &args[0])?.at_end))
}

fn blocked(interp: &mut Interp<'_>, args: &[Value]) -> Outcome {
    readable(interp, &args[0])?;
    Ok(Value::bool(find(interp, &args[0])?.blocked))
}

fn flush(interp: &mut Interp<'_>, args: &[Value]) -> Outcome {
    writable(interp, &args[0])?;
    with(interp, &args[0], "flushing", Channel::flush)?;
    Ok(Value::empty())
}

fn seek(interp: &mut Interp<'_>, args: &[Value]) -> Outcome {
    find(interp, &args[0])?;
    let offset = match args[1].as_number() {
        Some(Number::Int(n)) => n,
        _ => return Err(super::not_a_number("integer", &args[1])),
    };
    let to = match args.get(2) {
        None => SeekFrom::Start(offset.max(0) as u64),
        Some(origin) => match choice(origin, &["start", "current", "end"], "origin")? {
            0 => SeekFrom::Start(offset.max(0) as u64),
            1 => SeekFrom::Current(offset),
            _ => SeekFrom::End(offset),
        },
    };
    let refuse = offset < 0 && matches!(to, SeekFrom::Start(_));
    with(interp, &args[0], "during seek on", |channel, host| {
        if refuse {
            return Err(io::Error::from_raw_os_error(
                nix::errno::Errno::EINVAL as i32,
            ));
        }
        channel.seek(host, to)
    })?;
    Ok(Value::empty())
}

fn tell(interp: &mut Interp<'_>, args: &[Value]) -> Outcome {
    Ok(Value::int(find(interp, &args[0])?.tell()))
}

fn truncate(interp: &mut Interp<'_>, args: &[Value]) -> Outcome {
    writable(interp, &args[0])?;
    let length = match args.get(1) {
        Some(word) => expect_int(word)?,
        None => find(interp, &args[0])?.tell(),
    };
    let Ok(length) = u64::try_from(length) else {
        return Err(Exit::error("cannot truncate to negative length of file"));
    };
    with(interp, &args[0], "during truncate on", |channel, host| {
        channel.truncate(host, length)
    })?;
    Ok(Value::empty())
}

fn pending(interp: &mut Interp<'_>, args: &[Value]) -> Outcome {
    let input = choice(&args[0], &["input", "output"], "mode")? == 0;
    let channel = find(interp, &args[1])?;
    let count = match (input, channel.readable, channel.writable) {
        (true, true, _) => channel.pending_input() as i64,
        (false, _, true) => channel.pending_output() as i64,
        _ => -1,
    };
    Ok(Value::int(count))
}
