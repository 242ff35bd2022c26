//! Channels: `puts`.
use crate::modulefile::tcl::command::Def;
use crate::modulefile::tcl::embedding::Stream;
use crate::modulefile::tcl::error::{Exit, Outcome};
use crate::modulefile::tcl::interp::Interp;
use crate::modulefile::tcl::value::Value;

pub(super) static TABLE: &[Def] = &[Def::new(
    "puts",
    "?-nonewline? ?channelId? string",
    1,
    3,
    cmd_puts,
)];

fn cmd_puts(interp: &mut Interp<'_>, args: &[Value]) -> Outcome {
    let (newline, rest) = match args {
        [flag, rest @ ..] if args.len() > 1 && flag.bytes() == b"-nonewline" => (false, rest),
        _ => (true, args),
    };
    let (stream, text) = match rest {
        [text] => (Stream::Stdout, text),
        [channel, text] => match channel.bytes() {
            b"stdout" => (Stream::Stdout, text),
            b"stderr" => (Stream::Stderr, text),
            name => {
                let end: &[u8] = if newline { b"\n" } else { b"" };
                if interp.host.write_named(name, &bytes!(text, end)) {
                    return Ok(Value::empty());
                }
                let message = bytes!("can not find channel named \"", channel, "\"");
                return Err(Exit::coded(
                    message,
                    &[&b"TCL"[..], b"LOOKUP", b"CHANNEL", channel.bytes()],
                ));
            }
        },
        _ => {
            return Err(Exit::coded(
                "wrong # args: should be \"puts ?-nonewline? ?channelId? string\"",
                &["TCL", "WRONGARGS"],
            ));
        }
    };
    interp.count_output(text.bytes().len() + 1)?;
    let line = if newline {
        bytes!(text, "\n")
    } else {
        text.bytes().to_vec()
    };
    interp
        .host
        .write(stream, &line)
        .map_err(|error| Exit::posix("error writing \"stdout\"", &error))?;
    Ok(Value::empty())
}

impl Interp<'_> {
    /// Writes to standard output.
    pub(super) fn puts(&mut self, bytes: &[u8]) -> Outcome<()> {
        self.count_output(bytes.len())?;
        self.host
            .write(Stream::Stdout, bytes)
            .map_err(|error| Exit::posix("error writing \"stdout\"", &error))
    }
}
