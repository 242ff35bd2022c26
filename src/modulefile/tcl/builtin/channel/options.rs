//! `fconfigure`: how a channel reads and writes.

use std::rc::Rc;

use crate::modulefile::tcl::builtin::{expect_bool, expect_int};
use crate::modulefile::tcl::channels::{Buffering, Channel, Encoding, LineEnd};
use crate::modulefile::tcl::error::{Exit, Outcome};
use crate::modulefile::tcl::interp::{Interp, wrong_args};
use crate::modulefile::tcl::value::Value;

use super::table::find;

const OPTIONS: [&str; 6] = [
    "-blocking",
    "-buffering",
    "-buffersize",
    "-encoding",
    "-eofchar",
    "-translation",
];

fn option_value(channel: &Channel, name: &str) -> Value {
    let both = |input: Value, output: Value| match (channel.readable, channel.writable) {
        (true, true) => Value::list(vec![input, output]),
        (true, false) => input,
        _ => output,
    };
    match name {
        "-blocking" => Value::bool(channel.blocking),
        "-buffering" => Value::from(match channel.buffering {
            Buffering::Full => "full",
            Buffering::Line => "line",
            Buffering::None => "none",
        }),
        "-buffersize" => Value::int(channel.buffer_size),
        "-encoding" => Value::from(channel.encoding.name()),
        "-eofchar" => {
            let shown =
                |stop: Option<u8>| Value::new(stop.map_or_else(Vec::new, |byte| vec![byte]));
            both(shown(channel.eof_in), shown(channel.eof_out))
        }
        _ => both(
            Value::from(channel.input.name()),
            Value::from(channel.output.name()),
        ),
    }
}

pub(super) fn configure(interp: &mut Interp<'_>, args: &[Value]) -> Outcome {
    let channel = find(interp, &args[0])?;
    let named = |word: &Value| {
        let text = word.bytes();
        OPTIONS
            .iter()
            .find(|name| text.len() > 1 && name.as_bytes().starts_with(text))
            .copied()
            .ok_or_else(|| {
                let list =
                    "-blocking, -buffering, -buffersize, -encoding, -eofchar, or -translation";
                Exit::error(bytes!("bad option \"", text, "\": should be one of ", list))
            })
    };
    match &args[1..] {
        [] => {
            let rows = OPTIONS.iter();
            let pairs = rows.flat_map(|name| [Value::from(*name), option_value(channel, name)]);
            return Ok(Value::list(pairs.collect()));
        }
        [name] => return Ok(option_value(channel, named(name)?)),
        pairs => {
            for pair in pairs.chunks(2) {
                let name = named(&pair[0])?;
                let [_, value] = pair else {
                    return Err(wrong_args(b"fconfigure", "channelId ?-option value ...?"));
                };
                set_option(channel, name, value)?;
            }
        }
    }
    Ok(Value::empty())
}

fn set_option(channel: &mut Channel, name: &str, value: &Value) -> Outcome<()> {
    match name {
        "-blocking" => channel.blocking = expect_bool(value)?,
        "-buffering" => {
            let text = value.bytes();
            channel.buffering = match text {
                _ if text.is_empty() => return Err(bad_buffering()),
                _ if b"full".starts_with(text) => Buffering::Full,
                _ if b"line".starts_with(text) => Buffering::Line,
                _ if b"none".starts_with(text) => Buffering::None,
                _ => return Err(bad_buffering()),
            };
        }
        "-buffersize" => {
            channel.buffer_size = expect_int(value)?.clamp(1, 1 << 20);
        }
        "-encoding" => {
            channel.encoding = Encoding::named(value.bytes()).ok_or_else(|| {
                let message = bytes!("unknown encoding \"", value, "\"");
                Exit::coded(
                    message,
                    &[&b"TCL"[..], b"LOOKUP", b"ENCODING", value.bytes()],
                )
            })?;
            // What was no whole character may be one now.
            channel.blocked = false;
        }
        "-eofchar" => {
            let list: Rc<Vec<Value>> = value.as_list()?;
            if list.len() > 2 {
                let message =
                    "bad value for -eofchar: should be a list of zero, one, or two elements";
                return Err(Exit::error(message));
            }
            let first = |word: &Value| word.bytes().first().copied().filter(|&byte| byte != 0);
            let byte = |word: Option<&Value>| word.and_then(first);
            let (input, output) = (byte(list.first()), byte(list.last()));
            if [input, output]
                .iter()
                .any(|byte| byte.is_some_and(|byte| byte >= 0x80))
            {
                let message = "bad value for -eofchar: must be non-NUL ASCII character";
                return Err(Exit::error(message));
            }
            if channel.readable || list.is_empty() {
                channel.eof_in = input;
            }
            if channel.writable || list.is_empty() {
                channel.eof_out = output;
            }
            channel.look_again();
        }
        _ => {
            let list = value.as_list()?;
            let (input, output) = match &list[..] {
                [both] => (both, both),
                [input, output] => (input, output),
                _ => {
                    let message = "bad value for -translation: must be a one or two element list";
                    return Err(Exit::error(message));
                }
            };
            if channel.readable && !input.is_empty() {
                channel.input = line_end(channel, input, LineEnd::Auto)?;
                if input.bytes() == b"binary" {
                    channel.eof_in = None;
                }
            }
            if channel.writable && !output.is_empty() {
                channel.output = line_end(channel, output, LineEnd::Lf)?;
                if output.bytes() == b"binary" {
                    channel.eof_out = None;
                }
            }
        }
    }
    Ok(())
}

fn bad_buffering() -> Exit {
    Exit::error("bad value for -buffering: must be one of full, line, or none")
}

fn line_end(channel: &mut Channel, word: &Value, auto: LineEnd) -> Outcome<LineEnd> {
    Ok(match word.bytes() {
        b"auto" => auto,
        b"binary" => {
            channel.encoding = Encoding::Binary;
            LineEnd::Lf
        }
        b"lf" | b"platform" => LineEnd::Lf,
        b"cr" => LineEnd::Cr,
        b"crlf" => LineEnd::CrLf,
        _ => {
            let message = "bad value for -translation: must be one of auto, binary, cr, lf, crlf, or platform";
            return Err(Exit::error(message));
        }
    })
}
