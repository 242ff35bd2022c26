//! Channels: buffering, line ends, encodings, and what is behind them.
//!
//! A channel reads raw bytes into a buffer and turns them into text when the script asks, so that `seek` and `tell` stay
//! exact. A channel that may not block looks before it reads or writes whether that would block; the descriptor itself,
//! which other programs may share, stays as it is. Source: Tcl 8.6, `chan(n)`, `fconfigure(n)`.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::process::{ChildStdin, ChildStdout};
use std::time::{Duration, Instant};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

use super::chars;
use super::embedding::{Embedding, Stream};
use super::encoding;
use super::pipeline::Children;

/// An open channel.
pub(super) struct Channel {
    pub(super) end: End,
    pub(super) readable: bool,
    pub(super) writable: bool,
    pub(super) blocking: bool,
    pub(super) buffering: Buffering,
    pub(super) buffer_size: i64,
    pub(super) encoding: Encoding,
    /// The byte that stands for the end of what is read.
    pub(super) eof_in: Option<u8>,
    /// The byte that is written when the channel is closed.
    pub(super) eof_out: Option<u8>,
    pub(super) input: LineEnd,
    pub(super) output: LineEnd,
    /// Raw bytes that were read and not asked for yet.
    unread: Vec<u8>,
    /// How many of them are used up.
    used: usize,
    unwritten: Vec<u8>,
    /// The last thing read was a carriage return that counted as the end of a line: a newline behind it belongs to it.
    after_return: bool,
    /// Reading last met the end.
    pub(super) at_end: bool,
    /// Reading last gave less than was asked for, because the rest has not come yet.
    pub(super) blocked: bool,
    /// `fcopy` in the background is using it.
    pub(super) busy: bool,
    /// Reading last gave less than there was room for: more would perhaps have to be waited for.
    short: bool,
    /// What was to be written is waiting until that is possible without blocking.
    pub(super) stuck: bool,
    /// When a wait for the other end, which may be this program itself, must have come to its end.
    pub(super) deadline: Option<Instant>,
    /// Lines of output may wait although they are not told to.
    pub(super) gathered: bool,
}

/// What an attempt to read more gave.
#[derive(Clone, Copy, PartialEq, Eq)]
enum More {
    Bytes,
    Nothing,
    /// Nothing now; there may be some later.
    Later,
}

/// What is behind a channel.
pub(super) enum End {
    Stdin,
    Output(Stream),
    File(File),
    Pipe {
        reader: Option<ChildStdout>,
        writer: Option<ChildStdin>,
        children: Children,
    },
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Buffering {
    Full,
    Line,
    None,
}

/// How lines end outside of the program.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum LineEnd {
    Auto,
    Lf,
    Cr,
    CrLf,
}

/// How bytes and characters correspond.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Encoding {
    /// Bytes are taken as they are; those that are not UTF-8 survive.
    Utf8,
    /// A byte is the character of the same number.
    Latin1,
    /// The same under its other name.
    Binary,
    Ascii,
    /// Any other that `encoding names` lists.
    Other(encoding::Encoding),
}

impl Encoding {
    /// Tcl's name; binary has the empty one in old scripts.
    pub(super) fn name(self) -> &'static str {
        match self {
            Encoding::Utf8 => "utf-8",
            Encoding::Latin1 => "iso8859-1",
            Encoding::Binary => "binary",
            Encoding::Ascii => "ascii",
            Encoding::Other(other) => other.name(),
        }
    }

    pub(super) fn named(name: &[u8]) -> Option<Encoding> {
        Some(match name {
            b"utf-8" => Encoding::Utf8,
            b"iso8859-1" => Encoding::Latin1,
            b"binary" | b"" => Encoding::Binary,
            b"ascii" => Encoding::Ascii,
            other => Encoding::Other(encoding::Encoding::find(other)?),
        })
    }

    /// Whether each character is one byte.
    fn is_bytes(self) -> bool {
        match self {
            Encoding::Utf8 => false,
            Encoding::Other(other) => matches!(other, encoding::Encoding::Table(_)),
            _ => true,
        }
    }

    /// Whether the bytes of line ends mean nothing else.
    pub(super) fn has_plain_line_ends(self) -> bool {
        match self {
            Encoding::Other(other) => other.has_plain_line_ends(),
            _ => true,
        }
    }

    fn decode(self, raw: &[u8]) -> Vec<u8> {
        if let Encoding::Other(other) = self {
            return other.decode(raw);
        }
        if !self.is_bytes() || raw.is_ascii() {
            return raw.to_vec();
        }
        let mut text = Vec::with_capacity(raw.len() * 2);
        raw.iter()
            .for_each(|&byte| chars::push(&mut text, chars::Char::from(byte)));
        text
    }

    fn encode(self, text: &[u8]) -> Vec<u8> {
        if let Encoding::Other(other) = self {
            return other.encode(text);
        }
        if !self.is_bytes() || text.is_ascii() {
            return text.to_vec();
        }
        chars::chars(text)
            .map(|c| match c {
                _ if self == Encoding::Binary => c as u8,
                0..0x80 => c as u8,
                0x80..=0xff if self == Encoding::Latin1 => c as u8,
                _ if c >= chars::RAW => (c - chars::RAW) as u8,
                _ => b'?',
            })
            .collect()
    }
}

/// The same for UTF-16.
fn span_of_units(pending: &[u8], count: usize, at_end: bool) -> (usize, bool) {
    let unit = |at: usize| match pending.get(at..at + 2) {
        Some(&[a, b]) => Some(u16::from_ne_bytes([a, b])),
        _ => None,
    };
    let mut at = 0;
    for _ in 0..count {
        let is_high = match unit(at) {
            Some(first) => (0xd800..0xdc00).contains(&first),
            None => return (at, false),
        };
        at += match unit(at + 2) {
            Some(0xdc00..0xe000) if is_high => 4,
            None if is_high && !at_end => return (at, false),
            _ => 2,
        };
    }
    (at, true)
}

/// The raw length of so many characters of several bytes, and whether they are all there: the shortest beginning that
/// reads as so many.
fn span_of_multi(
    encoding: encoding::Encoding,
    pending: &[u8],
    count: usize,
    at_end: bool,
) -> (usize, bool) {
    if encoding == encoding::Encoding::Unicode {
        return span_of_units(pending, count, at_end);
    }
    let length = |at: usize| chars::count(&encoding.decode(&pending[..at]));
    if length(pending.len()) < count || !at_end && length(pending.len()) == count {
        return (pending.len(), false);
    }
    let (mut least, mut most) = (0, pending.len());
    while least < most {
        let middle = (least + most) / 2;
        if length(middle) < count {
            least = middle + 1;
        } else {
            most = middle;
        }
    }
    // The bytes of one character may read as two while the last of them is missing.
    while least < pending.len() && length(least + 1) <= count {
        least += 1;
    }
    (least, true)
}

impl LineEnd {
    pub(super) fn name(self) -> &'static str {
        match self {
            LineEnd::Auto => "auto",
            LineEnd::Lf => "lf",
            LineEnd::Cr => "cr",
            LineEnd::CrLf => "crlf",
        }
    }
}

/// Bytes that are read at once.
const CHUNK: usize = 8192;

/// Bytes that a pipe takes without blocking, once it takes any.
const PIPE_BYTES: usize = 4096;

/// Whether a descriptor can be read or written within a time; without one, waits as long as it takes.
pub(super) fn is_ready(
    descriptor: BorrowedFd<'_>,
    writing: bool,
    wait: Option<Duration>,
) -> io::Result<bool> {
    let flags = match writing {
        true => PollFlags::POLLOUT,
        false => PollFlags::POLLIN,
    };
    loop {
        let timeout = match wait {
            Some(wait) => PollTimeout::try_from(wait).unwrap_or(PollTimeout::MAX),
            None => PollTimeout::NONE,
        };
        match poll(&mut [PollFd::new(descriptor, flags)], timeout) {
            Ok(count) => return Ok(count > 0),
            Err(nix::errno::Errno::EINTR) => {}
            Err(errno) => return Err(io::Error::from(errno)),
        }
    }
}

impl End {
    /// What is behind it: for reading, or for writing; `None` where that never blocks.
    pub(super) fn descriptor<'a>(
        &'a self,
        host: &'a dyn Embedding,
        writing: bool,
    ) -> Option<BorrowedFd<'a>> {
        match self {
            End::Stdin => host.input(),
            End::Output(_) => None,
            End::File(file) => Some(file.as_fd()),
            End::Pipe { writer, .. } if writing => writer.as_ref().map(AsFd::as_fd),
            End::Pipe { reader, .. } => reader.as_ref().map(AsFd::as_fd),
        }
    }

    /// When the programs behind it must have ended.
    fn deadline(&self) -> Option<Instant> {
        match self {
            End::Pipe { children, .. } => children.deadline(),
            _ => None,
        }
    }

    /// Whether it can be read or written now. A channel that may block waits, at most until the limit of time of the
    /// programs behind it.
    fn can(
        &self,
        host: &dyn Embedding,
        (blocking, deadline): (bool, Option<Instant>),
        writing: bool,
    ) -> io::Result<bool> {
        let deadline = self.deadline().or(deadline);
        if blocking && deadline.is_none() {
            return Ok(true);
        }
        let Some(descriptor) = self.descriptor(host, writing) else {
            return Ok(true);
        };
        if !blocking {
            return is_ready(descriptor, writing, Some(Duration::ZERO));
        }
        let rest = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
        if is_ready(descriptor, writing, rest)? {
            return Ok(true);
        }
        Err(io::Error::new(
            io::ErrorKind::TimedOut,
            "the other end takes too long",
        ))
    }
}

impl Channel {
    pub(super) fn new(end: End, readable: bool, writable: bool) -> Channel {
        Channel {
            end,
            readable,
            writable,
            blocking: true,
            buffering: Buffering::Full,
            buffer_size: 4096,
            encoding: Encoding::Utf8,
            eof_in: None,
            eof_out: None,
            input: LineEnd::Auto,
            output: LineEnd::Lf,
            unread: Vec::new(),
            used: 0,
            unwritten: Vec::new(),
            after_return: false,
            at_end: false,
            blocked: false,
            busy: false,
            short: false,
            stuck: false,
            deadline: None,
            gathered: false,
        }
    }

    /// Whether reading and writing may wait, and how long.
    fn patience(&self) -> (bool, Option<Instant>) {
        (self.blocking, self.deadline)
    }

    fn pending(&self) -> &[u8] {
        &self.unread[self.used..]
    }

    /// How many bytes were read and not asked for.
    pub(super) fn pending_input(&self) -> usize {
        self.pending().len()
    }

    /// How many bytes wait to be written.
    pub(super) fn pending_output(&self) -> usize {
        self.unwritten.len()
    }

    /// Whether reading would give something, or the end, at once.
    pub(super) fn has_input(&self) -> bool {
        !self.pending().is_empty() && !self.blocked
    }

    /// Forgets what was said of the end: something has changed that decides it.
    pub(super) fn look_again(&mut self) {
        self.at_end = false;
        self.blocked = false;
        self.short = false;
    }

    /// Reads more raw bytes.
    fn fill(&mut self, host: &mut dyn Embedding) -> io::Result<More> {
        if self.used > 0 {
            self.unread.drain(..self.used);
            self.used = 0;
        }
        if !self.blocking && self.short || !self.end.can(host, self.patience(), false)? {
            return Ok(More::Later);
        }
        let mut buffer = [0; CHUNK];
        let count = match &mut self.end {
            End::Stdin => host.read(&mut buffer)?,
            End::File(file) => file.read(&mut buffer)?,
            End::Pipe {
                reader: Some(reader),
                ..
            } => reader.read(&mut buffer)?,
            End::Pipe { .. } | End::Output(_) => 0,
        };
        self.short = 0 < count && count < CHUNK;
        self.unread.extend_from_slice(&buffer[..count]);
        self.skip_newline();
        Ok(if count > 0 {
            More::Bytes
        } else {
            More::Nothing
        })
    }

    /// Passes over the newline that belongs to a carriage return which was read before.
    fn skip_newline(&mut self) {
        if self.after_return
            && let Some(&next) = self.pending().first()
        {
            self.used += usize::from(next == b'\n');
            self.after_return = false;
        }
    }

    /// The length of what may be read of the buffer, and whether the character for the end stands behind it.
    fn available(&self) -> (usize, bool) {
        let pending = self.pending();
        let end = self
            .eof_in
            .and_then(|stop| pending.iter().position(|&byte| byte == stop));
        (end.unwrap_or(pending.len()), end.is_some())
    }

    /// Turns raw bytes into text: encoding and line ends.
    fn text(&self, raw: &[u8]) -> Vec<u8> {
        let text = self.encoding.decode(raw);
        if self.input == LineEnd::Lf || !text.contains(&b'\r') {
            return text;
        }
        let mut out = Vec::with_capacity(text.len());
        let mut at = 0;
        while at < text.len() {
            match (text[at], text.get(at + 1), self.input) {
                (b'\r', Some(b'\n'), LineEnd::Auto | LineEnd::CrLf) => {
                    out.push(b'\n');
                    at += 1;
                }
                (b'\r', _, LineEnd::Auto | LineEnd::Cr) => out.push(b'\n'),
                (byte, _, _) => out.push(byte),
            }
            at += 1;
        }
        out
    }

    /// Takes bytes of the buffer as text.
    fn take(&mut self, length: usize) -> Vec<u8> {
        let raw = &self.pending()[..length];
        let text = self.text(raw);
        let ends_in_return = self.input == LineEnd::Auto && raw.last() == Some(&b'\r');
        self.used += length;
        self.after_return = ends_in_return;
        self.skip_newline();
        text
    }

    /// The end of the first line in so many bytes of the buffer: the length of its text and of the text with its end.
    fn line_end(&self, length: usize) -> Option<(usize, usize)> {
        let pending = &self.pending()[..length];
        if !self.encoding.has_plain_line_ends() {
            return self.wide_line_end(pending);
        }
        line_end(pending, self.input)
    }

    /// The same where a line end is not its own byte.
    fn wide_line_end(&self, pending: &[u8]) -> Option<(usize, usize)> {
        let text = self.encoding.decode(pending);
        let (line, with_end) = line_end(&text, self.input)?;
        let Encoding::Other(other) = self.encoding else {
            return None;
        };
        let raw =
            |length: usize| span_of_multi(other, pending, chars::count(&text[..length]), true).0;
        Some((raw(line), raw(with_end)))
    }

    /// Reads a line without its end; `None` when there is none left, or none yet.
    pub(super) fn read_line(&mut self, host: &mut dyn Embedding) -> io::Result<Option<Vec<u8>>> {
        self.look_again();
        loop {
            let (length, ended) = self.available();
            if let Some((line, with_end)) = self.line_end(length) {
                let text = self.encoding.decode(&self.pending()[..line]);
                let ended_by = self.pending()[..with_end].last();
                self.after_return = self.input == LineEnd::Auto && ended_by == Some(&b'\r');
                self.used += with_end;
                self.skip_newline();
                return Ok(Some(text));
            }
            let more = match ended {
                true => More::Nothing,
                false => self.fill(host)?,
            };
            match more {
                More::Bytes => {}
                More::Later => {
                    self.blocked = true;
                    return Ok(None);
                }
                More::Nothing => {
                    self.at_end = true;
                    if length == 0 {
                        return Ok(None);
                    }
                    let text = self.encoding.decode(&self.pending()[..length]);
                    self.used += length;
                    return Ok(Some(text));
                }
            }
        }
    }

    /// Reads everything up to the end, at most `limit` bytes.
    pub(super) fn read_all(
        &mut self,
        host: &mut dyn Embedding,
        limit: usize,
    ) -> io::Result<Vec<u8>> {
        self.look_again();
        loop {
            let (length, ended) = self.available();
            if length > limit {
                return Err(io::Error::from(io::ErrorKind::OutOfMemory));
            }
            let more = match ended {
                true => More::Nothing,
                false => self.fill(host)?,
            };
            if more == More::Bytes {
                continue;
            }
            self.at_end = more == More::Nothing;
            self.blocked = more == More::Later;
            let length = match self.at_end {
                true => length,
                // The last character may not be there as a whole.
                false => self.span_of(usize::MAX, length, false).0,
            };
            return Ok(self.take(length));
        }
    }

    /// Reads a number of characters, fewer only at the end or where the rest has not come yet.
    pub(super) fn read_chars(
        &mut self,
        host: &mut dyn Embedding,
        count: usize,
    ) -> io::Result<Vec<u8>> {
        self.read_until(host, count, |_, complete| complete)
    }

    /// Reads what comes first, at most a number of characters; nothing only at the end or where nothing has come yet.
    pub(super) fn read_some(
        &mut self,
        host: &mut dyn Embedding,
        most: usize,
    ) -> io::Result<Vec<u8>> {
        self.read_until(host, most, |bytes, _| bytes > 0 || most == 0)
    }

    /// Fetches more until `enough` is content with the bytes that are there and whether they are `count` characters.
    fn read_until(
        &mut self,
        host: &mut dyn Embedding,
        count: usize,
        enough: impl Fn(usize, bool) -> bool,
    ) -> io::Result<Vec<u8>> {
        self.look_again();
        let mut last = false;
        loop {
            let (length, ended) = self.available();
            let (raw, complete) = self.span_of(count, length, last || ended);
            if enough(raw, complete) {
                self.at_end = last;
                return Ok(self.take(raw));
            }
            let more = match last || ended {
                true => More::Nothing,
                false => self.fill(host)?,
            };
            match more {
                More::Bytes => {}
                More::Nothing if !last && !ended => last = true,
                _ => {
                    self.at_end = more == More::Nothing;
                    self.blocked = more == More::Later;
                    return Ok(self.take(raw));
                }
            }
        }
    }

    /// The raw length of so many characters among so many bytes of the buffer, and whether they are all there.
    fn span_of(&self, count: usize, length: usize, last: bool) -> (usize, bool) {
        let pending = &self.pending()[..length];
        let mut at = 0;
        if let Encoding::Other(other) = self.encoding
            && !self.encoding.is_bytes()
        {
            return span_of_multi(other, pending, count, last);
        }
        for _ in 0..count {
            let rest = &pending[at..];
            let Some(&first) = rest.first() else {
                return (at, false);
            };
            if first == b'\r' && matches!(self.input, LineEnd::Auto | LineEnd::CrLf) {
                match rest.get(1) {
                    None if !last && self.input == LineEnd::CrLf => return (at, false),
                    Some(b'\n') => at += 2,
                    _ => at += 1,
                }
                continue;
            }
            if self.encoding.is_bytes() {
                at += 1;
                continue;
            }
            // A character may be cut in two by the end of the buffer.
            if is_cut(rest) && !last {
                return (at, false);
            }
            at += chars::decode(rest).map_or(1, |(_, length)| length);
        }
        (at, true)
    }

    /// Writes text: encoding, line ends, buffering.
    pub(super) fn write(&mut self, host: &mut dyn Embedding, text: &[u8]) -> io::Result<()> {
        let mut raw = match self.output {
            LineEnd::Lf | LineEnd::Auto => self.encoding.encode(text),
            LineEnd::Cr => self
                .encoding
                .encode(&bstr::ByteSlice::replace(text, b"\n", b"\r")),
            LineEnd::CrLf => self
                .encoding
                .encode(&bstr::ByteSlice::replace(text, b"\n", b"\r\n")),
        };
        let has_line = text.contains(&b'\n');
        if let End::Output(stream) = self.end {
            host.write(stream, &raw)?;
            return match self.buffering {
                Buffering::Line if has_line && !self.gathered => host.flush(stream),
                Buffering::None => host.flush(stream),
                _ => Ok(()),
            };
        }
        self.give_back()?;
        if self.unwritten.is_empty() {
            self.unwritten = raw;
        } else {
            self.unwritten.append(&mut raw);
        }
        if self.buffering == Buffering::None {
            return self.flush(host);
        }
        // Whole buffers go out; the rest waits.
        let size = self.buffer_size.max(1) as usize;
        self.write_out(host, self.unwritten.len() / size * size)?;
        if self.buffering == Buffering::Line && self.unwritten.contains(&b'\n') {
            return self.flush(host);
        }
        Ok(())
    }

    /// Gives back what was read ahead of a file, so that writing goes on where reading stopped.
    fn give_back(&mut self) -> io::Result<()> {
        if let End::File(file) = &mut self.end
            && self.used < self.unread.len()
        {
            let ahead = (self.unread.len() - self.used) as i64;
            file.seek(SeekFrom::Current(-ahead))?;
            self.unread.clear();
            self.used = 0;
        }
        Ok(())
    }

    /// Writes out what is buffered.
    pub(super) fn flush(&mut self, host: &mut dyn Embedding) -> io::Result<()> {
        if let End::Output(stream) = self.end {
            return host.flush(stream);
        }
        self.write_out(host, self.unwritten.len())
    }

    /// Writes out so many of the buffered bytes; where that would block and may not, as many as can be. What cannot be
    /// written for any other reason is lost.
    fn write_out(&mut self, host: &mut dyn Embedding, length: usize) -> io::Result<()> {
        let waiting = std::mem::take(&mut self.unwritten);
        let mut at = 0;
        self.stuck = false;
        while at < length {
            if !self.end.can(host, self.patience(), true)? {
                self.stuck = true;
                break;
            }
            let bounded =
                !self.blocking || self.deadline.is_some() || self.end.deadline().is_some();
            let most = if bounded { PIPE_BYTES } else { length };
            let part = &waiting[at..length.min(at.saturating_add(most))];
            let written = match &mut self.end {
                End::File(file) => file.write(part),
                End::Pipe {
                    writer: Some(writer),
                    ..
                } => writer.write(part),
                End::Output(_) | End::Pipe { .. } | End::Stdin => Ok(part.len()),
            };
            match written {
                Ok(count) => at += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        self.unwritten = waiting;
        self.unwritten.drain(..at);
        Ok(())
    }

    /// Writes out everything, with the character for the end where there is one; a channel that may not block keeps
    /// what it cannot write now.
    pub(super) fn finish_output(&mut self, host: &mut dyn Embedding) -> io::Result<()> {
        if let Some(stop) = self.eof_out
            && self.writable
            && !matches!(self.end, End::Output(_))
        {
            self.unwritten.push(stop);
        }
        self.flush(host)
    }

    /// The place in the file where the next character is read or written; -1 when it has none.
    pub(super) fn tell(&mut self) -> i64 {
        let ahead = self.pending().len() as i64;
        let behind = self.unwritten.len() as i64;
        match &mut self.end {
            End::File(file) => match file.stream_position() {
                Ok(at) => at as i64 - ahead + behind,
                Err(_) => -1,
            },
            _ => -1,
        }
    }

    /// Moves to another place.
    pub(super) fn seek(&mut self, host: &mut dyn Embedding, to: SeekFrom) -> io::Result<()> {
        self.flush(host)?;
        let to = match to {
            SeekFrom::Current(by) => SeekFrom::Current(by - self.pending().len() as i64),
            other => other,
        };
        let End::File(file) = &mut self.end else {
            return Err(io::Error::from_raw_os_error(
                nix::errno::Errno::EINVAL as i32,
            ));
        };
        file.seek(to)?;
        self.unread.clear();
        self.used = 0;
        self.after_return = false;
        self.look_again();
        Ok(())
    }

    /// Cuts the file.
    pub(super) fn truncate(&mut self, host: &mut dyn Embedding, length: u64) -> io::Result<()> {
        self.flush(host)?;
        self.give_back()?;
        match &mut self.end {
            End::File(file) => file.set_len(length),
            _ => Err(io::Error::from_raw_os_error(
                nix::errno::Errno::EINVAL as i32,
            )),
        }
    }
}

/// Whether bytes are the beginning of a character of UTF-8 whose rest may still come.
fn is_cut(bytes: &[u8]) -> bool {
    let wanted = match bytes.first() {
        Some(0xc2..=0xdf) => 2,
        Some(0xe0..=0xef) => 3,
        Some(0xf0..=0xf4) => 4,
        _ => return false,
    };
    let rest = &bytes[1..];
    rest.len() + 1 < wanted && rest.iter().all(|byte| byte & 0xc0 == 0x80)
}

/// The end of the first line: the length of its text and of the text with its end.
fn line_end(text: &[u8], ends: LineEnd) -> Option<(usize, usize)> {
    let mut at = 0;
    while let Some(&byte) = text.get(at) {
        match (byte, ends) {
            (b'\n', LineEnd::Lf | LineEnd::Auto) => return Some((at, at + 1)),
            (b'\r', LineEnd::Cr) => return Some((at, at + 1)),
            (b'\r', LineEnd::Auto | LineEnd::CrLf) => match text.get(at + 1) {
                Some(b'\n') => return Some((at, at + 2)),
                _ if ends == LineEnd::Auto => return Some((at, at + 1)),
                // Tcl does not look at the byte behind a lone carriage return again.
                _ => at += 1,
            },
            _ => {}
        }
        at += 1;
    }
    None
}
