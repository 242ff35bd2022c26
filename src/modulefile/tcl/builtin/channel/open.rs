//! Channels begin and end: `open`, `close`, `chan pipe`.

use std::fs::{File, OpenOptions};
use std::io::{self, Seek, SeekFrom};
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;

use crate::modulefile::tcl::channels::{Channel, Encoding, End, LineEnd};
use crate::modulefile::tcl::command::one_of;
use crate::modulefile::tcl::error::{Error, Exit, Outcome, posix_text};
use crate::modulefile::tcl::interp::Interp;
use crate::modulefile::tcl::pipeline::Report;
use crate::modulefile::tcl::value::Value;

use super::table::{find, with};
use crate::modulefile::tcl::builtin::{choice, expect_int};

/// How a file is opened.
#[derive(Default, Clone, Copy)]
struct Access {
    read: bool,
    write: bool,
    append: bool,
    create: bool,
    exclusive: bool,
    truncate: bool,
    binary: bool,
}

const FLAGS: [&str; 10] = [
    "RDONLY", "WRONLY", "RDWR", "APPEND", "BINARY", "CREAT", "EXCL", "NOCTTY", "NONBLOCK", "TRUNC",
];

impl Access {
    fn parse(word: &Value) -> Outcome<Access> {
        let text = word.bytes();
        let mut access = Access::default();
        if text.first().is_some_and(u8::is_ascii_lowercase) {
            let mut plain: Vec<u8> = text.to_vec();
            if let Some(at) = plain.iter().skip(1).position(|&b| b == b'b') {
                plain.remove(at + 1);
                access.binary = true;
            }
            match &plain[..] {
                b"r" => access.read = true,
                b"r+" => (access.read, access.write) = (true, true),
                b"w" => (access.write, access.create, access.truncate) = (true, true, true),
                b"w+" => {
                    (access.read, access.write) = (true, true);
                    (access.create, access.truncate) = (true, true);
                }
                b"a" => (access.write, access.create, access.append) = (true, true, true),
                b"a+" => {
                    (access.read, access.write) = (true, true);
                    (access.create, access.append) = (true, true);
                }
                _ => return Err(Exit::error(bytes!("illegal access mode \"", text, "\""))),
            }
            return Ok(access);
        }
        for flag in word.as_list()?.iter() {
            match flag.bytes() {
                b"RDONLY" => access.read = true,
                b"WRONLY" => access.write = true,
                b"RDWR" => (access.read, access.write) = (true, true),
                b"APPEND" => access.append = true,
                b"BINARY" => access.binary = true,
                b"CREAT" => access.create = true,
                b"EXCL" => access.exclusive = true,
                b"TRUNC" => access.truncate = true,
                b"NOCTTY" | b"NONBLOCK" => {}
                _ => {
                    let list = one_of(&FLAGS);
                    let message = bytes!("invalid access mode \"", flag, "\": must be ", list);
                    return Err(Exit::error(message));
                }
            }
        }
        if !access.read && !access.write {
            let message = "access mode must include either RDONLY, WRONLY, or RDWR";
            return Err(Exit::error(message));
        }
        Ok(access)
    }
}

pub(super) fn open(interp: &mut Interp<'_>, args: &[Value]) -> Outcome {
    let access = match args.get(1) {
        Some(word) => Access::parse(word)?,
        None => Access {
            read: true,
            ..Access::default()
        },
    };
    let mode = match args.get(2) {
        Some(word) => expect_int(word)? as u32,
        None => 0o666,
    };
    if let Some(command) = args[0].bytes().strip_prefix(b"|") {
        let channel = interp.open_pipeline(&Value::from(command), access.read, access.write)?;
        return Ok(interp.add_channel(channel));
    }
    let cannot = |error: &io::Error| {
        let why = posix_text(error);
        Exit::posix(bytes!("couldn't open \"", args[0], "\": ", why), error)
    };
    // Where files are only read for listings what is written goes nowhere.
    let is_sink = access.write && !interp.may_change_files();
    let path = match is_sink {
        true => PathBuf::from("/dev/null"),
        false => interp.path(args[0].bytes())?,
    };
    let mut options = OpenOptions::new();
    options
        .read(access.read)
        .write(access.write && !access.append)
        .append(access.append)
        .mode(mode);
    if access.exclusive && access.create && !is_sink {
        options.create_new(true);
    } else {
        options.create(access.create).truncate(access.truncate);
    }
    let mut file = options.open(&path).map_err(|error| cannot(&error))?;
    if access.append {
        // What has no places to seek to, such as a terminal, needs none.
        let _ = file.seek(SeekFrom::End(0));
    }
    if file.metadata().is_ok_and(|facts| facts.is_dir()) {
        let error = io::Error::from_raw_os_error(nix::errno::Errno::EISDIR as i32);
        return Err(cannot(&error));
    }
    let mut channel = Channel::new(End::File(file), access.read, access.write);
    if access.binary {
        channel.encoding = Encoding::Binary;
        channel.input = LineEnd::Lf;
    }
    Ok(interp.add_channel(channel))
}

pub(super) fn close(interp: &mut Interp<'_>, args: &[Value]) -> Outcome {
    let name = args[0].bytes();
    find(interp, &args[0])?;
    if let Some(direction) = args.get(1) {
        return close_half(interp, &args[0], direction);
    }
    let flushed = with(interp, &args[0], "flushing", Channel::finish_output);
    let alone = interp.realms.len() == 1;
    let Some(channel) = interp.state.channels.give_up(name, interp.realm, alone) else {
        return flushed.map(|()| Value::empty());
    };
    interp.forget_channel(name);
    flushed?;
    if channel.stuck {
        interp.close_later(channel);
        return Ok(Value::empty());
    }
    if let End::Pipe {
        reader,
        writer,
        mut children,
    } = channel.end
    {
        drop(writer);
        drop(reader);
        if !channel.blocking {
            children.detach();
            return Ok(Value::empty());
        }
        report(children.finish(false)?, Vec::new())?;
    }
    Ok(Value::empty())
}

fn close_half(interp: &mut Interp<'_>, name: &Value, direction: &Value) -> Outcome {
    let reading = choice(direction, &["read", "write"], "direction")? == 0;
    with(interp, name, "closing", Channel::flush)?;
    let channel = find(interp, name)?;
    let (open, other, side) = match reading {
        true => (channel.readable, channel.writable, "read"),
        false => (channel.writable, channel.readable, "write"),
    };
    if !open {
        let message =
            format!("Half-close of {side}-side not possible, side not opened or already closed");
        return Err(Exit::error(message));
    }
    if !other {
        // The half that is open is the whole.
        return close(interp, std::slice::from_ref(name));
    }
    let End::Pipe { reader, writer, .. } = &mut channel.end else {
        let message = "Half-close of channels not supported by files";
        return Err(Exit::error(message));
    };
    if reading {
        *reader = None;
        channel.readable = false;
    } else {
        *writer = None;
        channel.writable = false;
    }
    Ok(Value::empty())
}

/// Turns what programs had to say into an error; `output` stands before it.
pub(in crate::modulefile::tcl::builtin) fn report(
    report: Report,
    output: Vec<u8>,
) -> Outcome<Vec<u8>> {
    if report.text.is_empty() && report.code.is_none() {
        return Ok(output);
    }
    let mut message = bytes!(output, report.text);
    if message.last() == Some(&b'\n') {
        message.pop();
    }
    let mut error = Error::new(message);
    if let Some(code) = report.code {
        error.code = code;
    }
    Err(error.into())
}

/// Makes two channels: what is written to the second one can be read from the first.
pub(super) fn pipe(interp: &mut Interp<'_>) -> Outcome {
    let (reader, writer) = io::pipe().map_err(|error| {
        let why = posix_text(&error);
        Exit::posix(format!("couldn't create pipe: {why}"), &error)
    })?;
    let file = |end: std::os::fd::OwnedFd| End::File(File::from(end));
    let deadline = interp.deadline();
    let mut enter = |mut channel: Channel| {
        channel.deadline = deadline;
        interp.add_channel(channel)
    };
    let reader = enter(Channel::new(file(reader.into()), true, false));
    let writer = enter(Channel::new(file(writer.into()), false, true));
    Ok(Value::list(vec![reader, writer]))
}
