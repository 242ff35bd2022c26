//! Channels: buffering, line ends, encodings, and what is behind them.
//!
//! A channel reads raw bytes into a buffer and turns them into text when the script asks, so that `seek` and `tell` stay
//! exact. Source: Tcl 8.6, `chan(n)`, `fconfigure(n)`.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::process::{ChildStdin, ChildStdout};

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
    pub(super) eof_char: Option<u8>,
    pub(super) input: LineEnd,
    pub(super) output: LineEnd,
    /// Raw bytes that were read and not asked for yet.
    unread: Vec<u8>,
    /// How many of them are used up.
    used: usize,
    unwritten: Vec<u8>,
    pub(super) at_end: bool,
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
            // Lines end in two bytes there.
            b"unicode" => return None,
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

/// The raw length of so many characters of several bytes, and whether they are all there: the shortest beginning that
/// reads as so many.
fn span_of_multi(
    encoding: encoding::Encoding,
    pending: &[u8],
    count: usize,
    at_end: bool,
) -> (usize, bool) {
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
            eof_char: None,
            input: LineEnd::Auto,
            output: LineEnd::Lf,
            unread: Vec::new(),
            used: 0,
            unwritten: Vec::new(),
            at_end: false,
        }
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

    /// Reads more raw bytes; false at the end.
    fn fill(&mut self, host: &mut dyn Embedding) -> io::Result<bool> {
        if self.used > 0 {
            self.unread.drain(..self.used);
            self.used = 0;
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
        let mut new = &buffer[..count];
        if let Some(stop) = self.eof_char
            && let Some(at) = new.iter().position(|&b| b == stop)
        {
            new = &new[..at];
        }
        self.unread.extend_from_slice(new);
        Ok(!new.is_empty())
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

    /// The end of the first line in the buffer: the length of its text and of the text with its end.
    fn line_end(&self, at_end: bool) -> Option<(usize, usize)> {
        let pending = self.pending();
        for (at, &byte) in pending.iter().enumerate() {
            match (byte, self.input) {
                (b'\n', LineEnd::Lf | LineEnd::Auto) => return Some((at, at + 1)),
                (b'\r', LineEnd::Cr) => return Some((at, at + 1)),
                (b'\r', LineEnd::Auto | LineEnd::CrLf) => match pending.get(at + 1) {
                    Some(b'\n') => return Some((at, at + 2)),
                    // The newline may still come.
                    None if !at_end => return None,
                    _ if self.input == LineEnd::Auto => return Some((at, at + 1)),
                    _ => {}
                },
                _ => {}
            }
        }
        None
    }

    /// Reads a line without its end; `None` when there is none left.
    pub(super) fn read_line(&mut self, host: &mut dyn Embedding) -> io::Result<Option<Vec<u8>>> {
        self.at_end = false;
        let mut more = true;
        loop {
            if let Some((length, with_end)) = self.line_end(!more) {
                let line = self.text(&self.pending()[..length]);
                self.used += with_end;
                return Ok(Some(line));
            }
            if !more {
                self.at_end = true;
                if self.pending().is_empty() {
                    return Ok(None);
                }
                let line = self.text(self.pending());
                self.used = self.unread.len();
                return Ok(Some(line));
            }
            more = self.fill(host)?;
        }
    }

    /// Reads everything up to the end, at most `limit` bytes.
    pub(super) fn read_all(
        &mut self,
        host: &mut dyn Embedding,
        limit: usize,
    ) -> io::Result<Vec<u8>> {
        while self.fill(host)? {
            if self.pending().len() > limit {
                return Err(io::Error::from(io::ErrorKind::OutOfMemory));
            }
        }
        self.at_end = true;
        let text = self.text(self.pending());
        self.used = self.unread.len();
        Ok(text)
    }

    /// Reads a number of characters, fewer only at the end.
    pub(super) fn read_chars(
        &mut self,
        host: &mut dyn Embedding,
        count: usize,
    ) -> io::Result<Vec<u8>> {
        self.at_end = false;
        let mut more = true;
        loop {
            let (raw, complete) = self.span_of(count, !more);
            if complete || !more {
                if !complete {
                    self.at_end = true;
                }
                let text = self.text(&self.pending()[..raw]);
                self.used += raw;
                return Ok(text);
            }
            more = self.fill(host)?;
        }
    }

    /// The raw length of so many characters, and whether the buffer holds them all.
    fn span_of(&self, count: usize, at_end: bool) -> (usize, bool) {
        let pending = self.pending();
        let mut at = 0;
        if let Encoding::Other(other) = self.encoding
            && !self.encoding.is_bytes()
        {
            return span_of_multi(other, pending, count, at_end);
        }
        for _ in 0..count {
            let rest = &pending[at..];
            let Some(&first) = rest.first() else {
                return (at, false);
            };
            if first == b'\r' && matches!(self.input, LineEnd::Auto | LineEnd::CrLf) {
                match rest.get(1) {
                    None if !at_end => return (at, false),
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
            if first >= 0xc0 && rest.len() < 4 && !at_end {
                return (at, false);
            }
            at += chars::decode(rest).map_or(1, |(_, length)| length);
        }
        (at, true)
    }

    /// Writes text: encoding, line ends, buffering.
    pub(super) fn write(&mut self, host: &mut dyn Embedding, text: &[u8]) -> io::Result<()> {
        let mut raw = self.encoding.encode(text);
        if !matches!(self.output, LineEnd::Lf | LineEnd::Auto) {
            let end: &[u8] = if self.output == LineEnd::Cr {
                b"\r"
            } else {
                b"\r\n"
            };
            raw = bstr::ByteSlice::replace(&raw[..], b"\n", end);
        }
        if let End::Output(stream) = self.end {
            return host.write(stream, &raw);
        }
        if let End::File(file) = &mut self.end
            && self.used < self.unread.len()
        {
            // What was read ahead is given back, so that writing goes on where reading stopped.
            let ahead = (self.unread.len() - self.used) as i64;
            file.seek(SeekFrom::Current(-ahead))?;
            self.unread.clear();
            self.used = 0;
        }
        self.unwritten.extend_from_slice(&raw);
        let flush = match self.buffering {
            Buffering::None => true,
            Buffering::Line => text.contains(&b'\n'),
            Buffering::Full => self.unwritten.len() >= self.buffer_size.max(1) as usize,
        };
        if flush { self.flush(host) } else { Ok(()) }
    }

    /// Writes out what is buffered.
    pub(super) fn flush(&mut self, host: &mut dyn Embedding) -> io::Result<()> {
        let raw = std::mem::take(&mut self.unwritten);
        match &mut self.end {
            End::Output(stream) => host.flush(*stream),
            End::File(file) => file.write_all(&raw),
            End::Pipe {
                writer: Some(writer),
                ..
            } => {
                writer.write_all(&raw)?;
                writer.flush()
            }
            End::Pipe { .. } | End::Stdin => Ok(()),
        }
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
        self.at_end = false;
        Ok(())
    }

    /// Cuts the file.
    pub(super) fn truncate(&mut self, host: &mut dyn Embedding, length: u64) -> io::Result<()> {
        self.flush(host)?;
        match &mut self.end {
            End::File(file) => file.set_len(length),
            _ => Err(io::Error::from_raw_os_error(
                nix::errno::Errno::EINVAL as i32,
            )),
        }
    }
}
