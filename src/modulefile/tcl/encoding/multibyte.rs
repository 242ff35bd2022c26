//! Encodings of several bytes a character: those of Chinese, Japanese and Korean.
//!
//! The tables are those of the crate `encoding_rs`, which has what browsers read: a little more than Tcl's.

use crate::modulefile::tcl::chars::{self, Char};

/// An encoding of several bytes a character.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct MultiByte {
    pub(super) name: &'static str,
    table: &'static encoding_rs::Encoding,
    form: Form,
}

/// Which of the table's byte sequences belong to an encoding.
#[derive(Debug, PartialEq, Eq)]
enum Form {
    All,
    /// Pairs of bytes from 0xa1 on; the tables of browsers have more.
    Euc,
    /// These pairs without the bits that set them apart from ASCII.
    Raw,
}

const fn multi(name: &'static str, table: &'static encoding_rs::Encoding) -> MultiByte {
    MultiByte {
        name,
        table,
        form: Form::All,
    }
}

const fn euc(name: &'static str, table: &'static encoding_rs::Encoding) -> MultiByte {
    MultiByte {
        name,
        table,
        form: Form::Euc,
    }
}

const fn raw(name: &'static str, table: &'static encoding_rs::Encoding) -> MultiByte {
    MultiByte {
        name,
        table,
        form: Form::Raw,
    }
}

/// All of them.
pub(super) static ALL: [MultiByte; 15] = [
    multi("big5", encoding_rs::BIG5),
    multi("cp932", encoding_rs::SHIFT_JIS),
    multi("cp936", encoding_rs::GBK),
    multi("cp949", encoding_rs::EUC_KR),
    multi("cp950", encoding_rs::BIG5),
    euc("euc-cn", encoding_rs::GBK),
    multi("euc-jp", encoding_rs::EUC_JP),
    euc("euc-kr", encoding_rs::EUC_KR),
    euc("gb2312", encoding_rs::GBK),
    raw("gb2312-raw", encoding_rs::GBK),
    multi("iso2022-jp", encoding_rs::ISO_2022_JP),
    raw("jis0208", encoding_rs::EUC_JP),
    raw("ksc5601", encoding_rs::EUC_KR),
    multi("macJapan", encoding_rs::SHIFT_JIS),
    multi("shiftjis", encoding_rs::SHIFT_JIS),
];

/// Whether a byte is neither ASCII nor part of a pair.
fn is_outside(byte: u8) -> bool {
    (0x80..0xa1).contains(&byte)
}

/// What stands for characters that an encoding of pairs does not have.
const UNKNOWN: [u8; 2] = *b"!)";

impl MultiByte {
    /// Reads bytes; those that mean nothing become the characters of their numbers.
    pub(super) fn decode(&self, bytes: &[u8], out: &mut Vec<u8>) {
        match self.form {
            Form::All => return self.decode_plain(bytes, out),
            Form::Euc => {
                for part in bytes.chunk_by(|a, b| is_outside(*a) == is_outside(*b)) {
                    if is_outside(part[0]) {
                        part.iter()
                            .for_each(|&byte| chars::push(out, Char::from(byte)));
                    } else {
                        self.decode_plain(part, out);
                    }
                }
                return;
            }
            Form::Raw => {}
        }
        for pair in bytes.chunks(2) {
            let high: Vec<u8> = pair.iter().map(|byte| byte | 0x80).collect();
            let mut text = Vec::new();
            self.decode_plain(&high, &mut text);
            if pair.len() == 2 && chars::count(&text) == 1 {
                out.extend(text);
            } else {
                pair.iter()
                    .for_each(|&byte| chars::push(out, Char::from(byte)));
            }
        }
    }

    fn decode_plain(&self, bytes: &[u8], out: &mut Vec<u8>) {
        let mut decoder = self.table.new_decoder_without_bom_handling();
        let mut rest = bytes;
        let mut buffer = vec![0; 4096];
        loop {
            let (result, read, written) =
                decoder.decode_to_utf8_without_replacement(rest, &mut buffer, true);
            out.extend_from_slice(&buffer[..written]);
            let (done, after) = rest.split_at(read);
            rest = after;
            match result {
                encoding_rs::DecoderResult::InputEmpty => return,
                encoding_rs::DecoderResult::OutputFull => {}
                encoding_rs::DecoderResult::Malformed(length, behind) => {
                    let end = done.len().saturating_sub(usize::from(behind));
                    let start = end.saturating_sub(usize::from(length));
                    done[start..end]
                        .iter()
                        .for_each(|&byte| chars::push(out, Char::from(byte)));
                }
            }
        }
    }

    /// Writes a value; what the encoding does not have becomes a question mark.
    pub(super) fn encode(&self, value: &[u8]) -> Vec<u8> {
        let one = |c: Char| self.encode_plain(&[c]);
        let bytes = match self.form {
            Form::All => return self.encode_plain(&chars::chars(value).collect::<Vec<_>>()),
            Form::Euc => chars::chars(value)
                .map(one)
                .map(|bytes| {
                    if bytes.iter().any(|&byte| is_outside(byte)) {
                        vec![b'?']
                    } else {
                        bytes
                    }
                })
                .collect::<Vec<_>>(),
            Form::Raw => chars::chars(value)
                .map(one)
                .map(|bytes| match bytes[..] {
                    [first @ 0xa1..=0xff, second @ 0xa1..=0xff] => {
                        vec![first & 0x7f, second & 0x7f]
                    }
                    _ => UNKNOWN.to_vec(),
                })
                .collect(),
        };
        bytes.concat()
    }

    fn encode_plain(&self, value: &[Char]) -> Vec<u8> {
        let text: String = value
            .iter()
            .map(|&c| char::from_u32(c).unwrap_or('\u{fffd}'))
            .collect();
        let mut encoder = self.table.new_encoder();
        let mut out = Vec::new();
        let mut rest = &text[..];
        let mut buffer = vec![0; 4096];
        loop {
            let (result, read, written) =
                encoder.encode_from_utf8_without_replacement(rest, &mut buffer, true);
            out.extend_from_slice(&buffer[..written]);
            rest = &rest[read..];
            match result {
                encoding_rs::EncoderResult::InputEmpty => return out,
                encoding_rs::EncoderResult::OutputFull => {}
                encoding_rs::EncoderResult::Unmappable(_) => out.push(b'?'),
            }
        }
    }
}
