//! Channels: `puts`, `gets`, `read`, `open`, `close`, `seek`, `fconfigure`, ... and the same under `chan`.
//!
//! Standard input and output belong to the embedding. Source: Tcl 8.6, the manual page of each command.

use std::fs::{File, OpenOptions};
use std::io::{self, Seek, SeekFrom};
use std::os::unix::fs::OpenOptionsExt;
use std::rc::Rc;

use indexmap::IndexMap;

use crate::modulefile::tcl::channels::{Buffering, Channel, Encoding, End, LineEnd};
use crate::modulefile::tcl::command::{ANY, Def, one_of};
use crate::modulefile::tcl::embedding::{Action, Stream};
use crate::modulefile::tcl::error::{Exit, Outcome, posix_text};
use crate::modulefile::tcl::interp::{Interp, wrong_args};
use crate::modulefile::tcl::number::Number;
use crate::modulefile::tcl::pattern::{Case, string_match};
use crate::modulefile::tcl::pipeline::Report;
use crate::modulefile::tcl::realm::RealmId;
use crate::modulefile::tcl::value::{QuickHash, Value};

use super::{choice, event, expect_bool, expect_int};

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
    Def::new("names", "?pattern?", 0, 1, names),
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

/// What the names of channels begin with that were closed and still write; no script knows them.
const CLOSING: &[u8] = b"\0";

/// The open channels by name; all interpreters have them in common.
pub(super) struct Channels(IndexMap<Vec<u8>, Open, QuickHash>);

/// An open channel and the interpreters that know it.
struct Open {
    channel: Channel,
    /// Every interpreter that is not safe: the standard channels.
    common: bool,
    /// Those that know a common channel and have closed it.
    left: Vec<RealmId>,
    holders: Vec<RealmId>,
}

impl Default for Channels {
    fn default() -> Channels {
        let mut table = IndexMap::default();
        let mut enter = |name: &str, channel| {
            let open = Open {
                channel,
                common: true,
                left: Vec::new(),
                holders: Vec::new(),
            };
            table.insert(name.as_bytes().to_vec(), open);
        };
        let mut stdin = Channel::new(End::Stdin, true, false);
        stdin.buffering = Buffering::Line;
        enter("stdin", stdin);
        for (name, stream, buffering) in [
            ("stdout", Stream::Stdout, Buffering::Line),
            ("stderr", Stream::Stderr, Buffering::None),
        ] {
            let mut channel = Channel::new(End::Output(stream), false, true);
            channel.buffering = buffering;
            enter(name, channel);
        }
        Channels(table)
    }
}

impl Channels {
    /// The names of channels that have something to write which could not be written at once.
    pub(super) fn stuck(&self) -> impl Iterator<Item = &[u8]> {
        let stuck = self.0.iter().filter(|(_, open)| open.channel.stuck);
        stuck.map(|(name, _)| &name[..])
    }

    /// A channel, whoever knows it.
    pub(super) fn get(&self, name: &[u8]) -> Option<&Channel> {
        Some(&self.0.get(name)?.channel)
    }

    /// A channel that an interpreter knows.
    fn get_mut(&mut self, name: &[u8], holder: (RealmId, bool)) -> Option<&mut Channel> {
        let open = self.0.get_mut(name)?;
        open.is_known(holder).then_some(&mut open.channel)
    }
}

impl Open {
    /// Whether an interpreter, safe or not, knows the channel.
    fn is_known(&self, (realm, safe): (RealmId, bool)) -> bool {
        self.common && !safe && !self.left.contains(&realm) || self.holders.contains(&realm)
    }
}

fn unknown_channel(name: &[u8]) -> Exit {
    let message = bytes!("can not find channel named \"", name, "\"");
    Exit::coded(message, &[&b"TCL"[..], b"LOOKUP", b"CHANNEL", name])
}

/// A channel and, separately, the rest of the interpreter.
pub(super) fn find<'a>(interp: &'a mut Interp<'_>, name: &Value) -> Outcome<&'a mut Channel> {
    let holder = interp.channel_holder();
    let channels = &mut interp.state.channels;
    channels
        .get_mut(name.bytes(), holder)
        .ok_or_else(|| unknown_channel(name.bytes()))
}

/// Does something with a channel that needs the embedding, too.
fn with<T>(
    interp: &mut Interp<'_>,
    name: &Value,
    verb: &str,
    run: impl FnOnce(
        &mut Channel,
        &mut dyn crate::modulefile::tcl::embedding::Embedding,
    ) -> io::Result<T>,
) -> Outcome<T> {
    let holder = interp.channel_holder();
    let channel = interp
        .state
        .channels
        .get_mut(name.bytes(), holder)
        .ok_or_else(|| unknown_channel(name.bytes()))?;
    run(channel, &mut *interp.host).map_err(|error| {
        let message = bytes!("error ", verb, " \"", name, "\": ", posix_text(&error));
        Exit::posix(message, &error)
    })
}

pub(super) fn readable(interp: &mut Interp<'_>, name: &Value) -> Outcome<()> {
    let channel = find(interp, name)?;
    if channel.readable {
        return is_free(channel.busy, "reading", name);
    }
    let message = bytes!("channel \"", name, "\" wasn't opened for reading");
    Err(Exit::error(message))
}

pub(super) fn writable(interp: &mut Interp<'_>, name: &Value) -> Outcome<()> {
    let channel = find(interp, name)?;
    if channel.writable {
        return is_free(channel.busy, "writing", name);
    }
    let message = bytes!("channel \"", name, "\" wasn't opened for writing");
    Err(Exit::error(message))
}

/// Refuses a channel that a copy in the background uses.
fn is_free(busy: bool, verb: &str, name: &Value) -> Outcome<()> {
    if busy {
        let error = io::Error::from_raw_os_error(nix::errno::Errno::EBUSY as i32);
        let message = bytes!("error ", verb, " \"", name, "\": ", posix_text(&error));
        return Err(Exit::posix(message, &error));
    }
    Ok(())
}

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

fn open(interp: &mut Interp<'_>, args: &[Value]) -> Outcome {
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
    if access.write {
        interp.permit(Action::Write)?;
    }
    let path = interp.path(args[0].bytes())?;
    let mut options = OpenOptions::new();
    options
        .read(access.read)
        .write(access.write && !access.append)
        .append(access.append)
        .mode(mode);
    if access.exclusive && access.create {
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

fn close(interp: &mut Interp<'_>, args: &[Value]) -> Outcome {
    let name = args[0].bytes();
    find(interp, &args[0])?;
    if let Some(direction) = args.get(1) {
        return close_half(interp, &args[0], direction);
    }
    let flushed = with(interp, &args[0], "flushing", Channel::finish_output);
    let realm = interp.realm;
    let channels = &mut interp.state.channels.0;
    let alone = interp.realms.len() == 1;
    if let Some(open) = channels.get_mut(name)
        && (open.common && !alone || open.holders.iter().any(|holder| *holder != realm))
    {
        // Others still know it.
        open.holders.retain(|holder| *holder != realm);
        open.left.push(realm);
        return flushed.map(|()| Value::empty());
    }
    let Some(Open { channel, .. }) = channels.shift_remove(name) else {
        return Err(unknown_channel(name));
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
pub(super) fn report(report: Report, output: Vec<u8>) -> Outcome<Vec<u8>> {
    if report.text.is_empty() && report.code.is_none() {
        return Ok(output);
    }
    let mut message = bytes!(output, report.text);
    if message.last() == Some(&b'\n') {
        message.pop();
    }
    let mut error = crate::modulefile::tcl::error::Error::new(message);
    if let Some(code) = report.code {
        error.code = code;
    }
    Err(error.into())
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

fn names(interp: &mut Interp<'_>, args: &[Value]) -> Outcome {
    let fits = |name: &[u8]| {
        args.first()
            .is_none_or(|pattern| string_match(pattern.bytes(), name, Case::Sensitive))
    };
    let holder = interp.channel_holder();
    let channels = interp.state.channels.0.iter();
    let names = channels.filter(|(name, open)| open.is_known(holder) && fits(name));
    Ok(Value::list(
        names.map(|(name, _)| Value::from(&name[..])).collect(),
    ))
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

/// Makes two channels: what is written to the second one can be read from the first.
fn pipe(interp: &mut Interp<'_>) -> Outcome {
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

const COPY: &str = "input output ?-size size? ?-command callback?";

fn copy(interp: &mut Interp<'_>, args: &[Value]) -> Outcome {
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
pub(super) struct Copy {
    pub(super) input: Value,
    pub(super) output: Value,
    /// How much is left; nothing: up to the end.
    rest: Option<usize>,
    pub(super) count: usize,
}

/// Characters that are copied at once.
const COPY_CHUNK: usize = 8192;

impl Interp<'_> {
    /// Copies a part; true when that was the last one.
    pub(super) fn copy_some(&mut self, copy: &mut Copy) -> Outcome<bool> {
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
        Ok(super::chars::count(&text))
    }
}

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

fn configure(interp: &mut Interp<'_>, args: &[Value]) -> Outcome {
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

impl Interp<'_> {
    /// Enters a new channel and gives its name.
    pub(super) fn add_channel(&mut self, channel: Channel) -> Value {
        let channels = &mut self.state.channels.0;
        let mut number = 3;
        let name = loop {
            let name = format!("file{number}").into_bytes();
            if !channels.contains_key(&name) {
                break name;
            }
            number += 1;
        };
        let open = Open {
            channel,
            common: false,
            left: Vec::new(),
            holders: vec![self.realm],
        };
        channels.insert(name.clone(), open);
        Value::new(name)
    }

    /// By what a channel tells whether the interpreter that runs knows it.
    fn channel_holder(&self) -> (RealmId, bool) {
        (self.realm, self.realms[self.realm].safe)
    }

    /// Lets another interpreter know a channel of one, which keeps it or not.
    pub(super) fn pass_channel(
        &mut self,
        from: RealmId,
        name: &Value,
        to: RealmId,
        keep: bool,
    ) -> Outcome<()> {
        let safe = self.realms[from].safe;
        let open = self.state.channels.0.get_mut(name.bytes());
        let open = open
            .filter(|open| open.is_known((from, safe)))
            .ok_or_else(|| unknown_channel(name.bytes()))?;
        if !open.holders.contains(&to) {
            open.holders.push(to);
        }
        if !keep && from != to {
            open.holders.retain(|holder| *holder != from);
        }
        Ok(())
    }

    /// Closes what only an interpreter that has ended knew.
    pub(in crate::modulefile::tcl) fn release_channels(&mut self, realm: RealmId) {
        let host = &mut *self.host;
        self.state.channels.0.retain(|_, open| {
            open.holders.retain(|holder| *holder != realm);
            let known = open.common || !open.holders.is_empty();
            if !known {
                // Nobody is left to hear of an error.
                let _ = open.channel.finish_output(host);
            }
            known
        });
    }

    /// Lets lines of output wait until there are many.
    pub(in crate::modulefile::tcl) fn gather_output(&mut self) {
        if let Some(stdout) = self.state.channels.0.get_mut(&b"stdout"[..]) {
            stdout.channel.gathered = true;
        }
    }

    /// Writes what can be written now of what is waiting.
    pub(super) fn write_waiting(&mut self, name: &[u8]) {
        if let Some(open) = self.state.channels.0.get_mut(name) {
            // Nobody is there to hear of an error; what could not be written is lost.
            let _ = open.channel.flush(&mut *self.host);
            if name.starts_with(CLOSING) && !open.channel.stuck {
                self.state.channels.0.shift_remove(name);
            }
        }
    }

    /// Keeps a channel that was closed until it has written what it still holds. At the end of the script that is lost.
    fn close_later(&mut self, channel: Channel) {
        let open = Open {
            channel,
            common: false,
            left: Vec::new(),
            holders: Vec::new(),
        };
        let channels = &mut self.state.channels.0;
        let name = (0..).map(|number: usize| bytes!(CLOSING, number.to_string()));
        let mut free = name.filter(|name| !channels.contains_key(name));
        if let Some(name) = free.next() {
            channels.insert(name, open);
        }
    }

    /// A channel that a script knows, for the event loop; the interpreter's own rights are not asked.
    pub(super) fn channel_of(&mut self, name: &[u8]) -> Option<&mut Channel> {
        Some(&mut self.state.channels.0.get_mut(name)?.channel)
    }

    /// The next line of standard input.
    pub(in crate::modulefile::tcl) fn input_line(&mut self) -> Outcome<Option<Vec<u8>>> {
        let stdin = Value::from("stdin");
        if find(self, &stdin).is_err() {
            return Ok(None);
        }
        with(self, &stdin, "reading", Channel::read_line)
    }

    /// The process ids behind a channel.
    pub(super) fn channel_pids(&mut self, name: &Value) -> Outcome<Vec<i64>> {
        Ok(match &find(self, name)?.end {
            End::Pipe { children, .. } => children.ids(),
            _ => Vec::new(),
        })
    }

    /// The names of all channels.
    pub(super) fn channel_names(&mut self, args: &[Value]) -> Outcome {
        names(self, args)
    }

    /// The file behind a channel for a redirection; `None` for the standard ones.
    pub(super) fn channel_file(&mut self, name: &Value, writing: bool) -> Outcome<Option<File>> {
        if writing {
            writable(self, name)?;
            with(self, name, "flushing", Channel::flush)?;
        } else {
            readable(self, name)?;
        }
        let channel = self.state.channels.get(name.bytes());
        let Some(Channel { end, .. }) = channel else {
            return Ok(None);
        };
        let copy = match end {
            End::Stdin | End::Output(_) => return Ok(None),
            End::File(file) => file.try_clone(),
            End::Pipe { .. } => match end.descriptor(&*self.host, writing) {
                Some(descriptor) => descriptor.try_clone_to_owned().map(File::from),
                None => return Ok(None),
            },
        };
        copy.map(Some).map_err(|error| {
            let why = posix_text(&error);
            let message = bytes!("channel \"", name, "\" cannot be used: ", why);
            Exit::posix(message, &error)
        })
    }

    /// Writes out and closes what the script left open.
    pub(in crate::modulefile::tcl) fn close_channels(&mut self) {
        for open in self.state.channels.0.values_mut() {
            // At the end nobody is left to hear of an error.
            let _ = open.channel.finish_output(&mut *self.host);
        }
        self.state.channels.0.clear();
    }
}
