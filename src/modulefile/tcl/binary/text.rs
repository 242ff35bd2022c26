//! `binary encode` and `binary decode`: bytes as text in hexadecimal, base64 and uuencode.

use super::super::chars;
use super::super::encoding::{from_bytes, to_bytes};
use super::super::number::{self, Number};

const BASE64: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// `binary encode`: the name of the form, its options and the bytes.
///
/// # Errors
/// Tcl's text.
pub(crate) fn encode(arguments: &[&[u8]]) -> Result<Vec<u8>, Vec<u8>> {
    let (form, rest) = form("encode", arguments)?;
    if form == Form::Hex {
        let [data] = rest else {
            return Err(b"wrong # args: should be \"binary encode hex data\"".to_vec());
        };
        let digits = to_bytes(data)
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect::<String>();
        return Ok(digits.into_bytes());
    }
    let Some((data, pairs)) = rest.split_last().filter(|(_, pairs)| pairs.len() % 2 == 0) else {
        let usage = format!(
            "wrong # args: should be \"binary encode {} ?-maxlen len? ?-wrapchar char? data\"",
            form.name()
        );
        return Err(usage.into_bytes());
    };
    let mut most: i64 = if form == Form::Base64 { 0 } else { 61 };
    let mut wrap: &[u8] = b"\n";
    for pair in pairs.chunks(2) {
        match pair[0] {
            b"-maxlen" => most = length(pair[1], form)?,
            b"-wrapchar" => wrap = pair[1],
            option => {
                let choice: &[u8] = b"\": must be -maxlen or -wrapchar";
                return Err([b"bad option \"", option, choice].concat());
            }
        }
    }
    let bytes = to_bytes(data);
    match form {
        Form::Base64 => Ok(base64(&bytes, most as usize, wrap)),
        _ if !wrap.iter().all(|b| b" \t\r\n\x0B\x0C".contains(b)) || wrap.is_empty() => {
            Err(b"invalid wrapchar; will defeat decoding".to_vec())
        }
        _ => Ok(uuencode(&bytes, most as usize, wrap)),
    }
}

fn length(text: &[u8], form: Form) -> Result<i64, Vec<u8>> {
    let Some(Number::Int(value)) = number::parse_integer(text) else {
        return Err([b"expected integer but got \"", text, b"\""].concat());
    };
    let range = if form == Form::Base64 {
        0..=i64::MAX
    } else {
        5..=85
    };
    if range.contains(&value) {
        Ok(value)
    } else {
        Err(b"line length out of range".to_vec())
    }
}

/// Text forms of bytes.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Form {
    Base64,
    Hex,
    Uuencode,
}

impl Form {
    fn name(self) -> &'static str {
        match self {
            Self::Base64 => "base64",
            Self::Hex => "hex",
            Self::Uuencode => "uuencode",
        }
    }
}

fn form<'a, 'b>(
    command: &str,
    arguments: &'a [&'b [u8]],
) -> Result<(Form, &'a [&'b [u8]]), Vec<u8>> {
    let Some((&name, rest)) = arguments.split_first() else {
        return Err(
            format!("wrong # args: should be \"binary {command} subcommand ?arg ...?\"")
                .into_bytes(),
        );
    };
    let forms = [Form::Base64, Form::Hex, Form::Uuencode];
    let known = forms
        .into_iter()
        .find(|form| form.name().as_bytes() == name);
    let known = known.or_else(|| {
        forms
            .into_iter()
            .find(|form| !name.is_empty() && form.name().as_bytes().starts_with(name))
    });
    match known {
        Some(form) => Ok((form, rest)),
        None => Err([
            b"unknown subcommand \"",
            name,
            b"\": must be base64, hex, or uuencode",
        ]
        .concat()),
    }
}

fn base64(bytes: &[u8], most: usize, wrap: &[u8]) -> Vec<u8> {
    let mut digits = Vec::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let group = group_of(chunk);
        for place in 0..4 {
            let digit = BASE64[(group >> (18 - 6 * place) & 63) as usize];
            digits.push(if place <= chunk.len() { digit } else { b'=' });
        }
    }
    if most == 0 {
        return digits;
    }
    digits.chunks(most).collect::<Vec<_>>().join(wrap)
}

/// Three bytes, or fewer with zeros behind them, as one number.
fn group_of(chunk: &[u8]) -> u32 {
    (0..3).fold(0, |group, place| {
        group << 8 | u32::from(chunk.get(place).copied().unwrap_or(0))
    })
}

fn uuencode(bytes: &[u8], most: usize, wrap: &[u8]) -> Vec<u8> {
    let digit = |value: u32| if value == 0 { b'`' } else { value as u8 + 32 };
    let per_line = (most - 1) * 6 / 8;
    let mut out = Vec::new();
    for line in bytes.chunks(per_line) {
        out.push(digit(line.len() as u32));
        for chunk in line.chunks(3) {
            let group = group_of(chunk);
            let digits = chunk.len() + 1;
            out.extend((0..digits).map(|place| digit(group >> (18 - 6 * place) & 63)));
        }
        out.extend(wrap);
    }
    out
}

/// `binary decode`: the name of the form, perhaps `-strict`, and the text.
///
/// # Errors
/// Tcl's text, which names the first character that does not belong there.
pub(crate) fn decode(arguments: &[&[u8]]) -> Result<Vec<u8>, Vec<u8>> {
    let (form, rest) = form("decode", arguments)?;
    let Some((data, options)) = rest.split_last() else {
        return Err(format!(
            "wrong # args: should be \"binary decode {} ?options? data\"",
            form.name()
        )
        .into_bytes());
    };
    if let Some(option) = options.iter().find(|&&option| option != b"-strict") {
        return Err([b"bad option \"", *option, b"\": must be -strict"].concat());
    }
    let strict = !options.is_empty();
    let bytes = match form {
        Form::Hex => from_hexadecimal(data, strict)?,
        Form::Base64 => from_base64(data, strict)?,
        Form::Uuencode => from_uuencode(data, strict)?,
    };
    Ok(from_bytes(&bytes))
}

fn is_blank(c: chars::Char) -> bool {
    matches!(c, 0x20 | 0x09..=0x0D)
}

fn invalid(what: &str, c: chars::Char, at: usize) -> Vec<u8> {
    let mut message = format!("invalid {what} \"").into_bytes();
    chars::push(&mut message, c);
    message.extend(format!("\" at position {at}").bytes());
    message
}

fn from_hexadecimal(text: &[u8], strict: bool) -> Result<Vec<u8>, Vec<u8>> {
    let mut out = Vec::new();
    let mut high = None;
    for (at, c) in chars::chars(text).enumerate() {
        let digit = char::from_u32(c).and_then(|c| c.to_digit(16));
        match (digit, high) {
            (Some(digit), None) => high = Some(digit),
            (Some(digit), Some(first)) => {
                out.push((first << 4 | digit) as u8);
                high = None;
            }
            (None, _) if !strict && is_blank(c) => {}
            (None, _) => return Err(invalid("hexadecimal digit", c, at)),
        }
    }
    Ok(out)
}

/// Without `strict`, characters which are no digits are passed over; the padding ends the text.
fn from_base64(text: &[u8], strict: bool) -> Result<Vec<u8>, Vec<u8>> {
    let mut out = Vec::new();
    let mut group = 0;
    let mut digits = 0;
    let all: Vec<chars::Char> = chars::chars(text).collect();
    for (at, &c) in all.iter().enumerate() {
        let digit = u8::try_from(c)
            .ok()
            .and_then(|byte| BASE64.iter().position(|&known| known == byte));
        let Some(digit) = digit else {
            let padding = c == u32::from(b'=') && digits >= 2;
            let at_end = all.len() - at <= 4 - digits;
            match strict {
                true if padding && at_end && all[at..].iter().all(|&c| c == u32::from(b'=')) => {
                    break;
                }
                true => return Err(invalid("base64 character", c, at)),
                false if padding => break,
                false => continue,
            }
        };
        group = group << 6 | digit as u32;
        digits += 1;
        if digits == 4 {
            out.extend(&group.to_be_bytes()[1..]);
            (group, digits) = (0, 0);
        }
    }
    match digits {
        2 => out.push((group >> 4) as u8),
        3 => out.extend(&(group >> 2).to_be_bytes()[2..]),
        1 if strict => {
            return Err(invalid(
                "base64 character",
                all[all.len() - 1],
                all.len() - 1,
            ));
        }
        _ => {}
    }
    Ok(out)
}

/// Lines of a length and groups of four characters.
fn from_uuencode(text: &[u8], strict: bool) -> Result<Vec<u8>, Vec<u8>> {
    let all: Vec<chars::Char> = chars::chars(text).collect();
    let mut out = Vec::new();
    let mut at = 0;
    let is_digit = |c: chars::Char| (0x20..=0x60).contains(&c);
    while let Some(&length) = all.get(at) {
        if !is_digit(length) {
            if strict || !is_blank(length) {
                return Err(invalid("uuencode character", length, at));
            }
            at += 1;
            continue;
        }
        at += 1;
        let mut missing = (length as usize - 32) & 63;
        while missing > 0 {
            let mut group = 0u32;
            let mut digits = 0;
            while digits < 4
                && let Some(&c) = all.get(at).filter(|&&c| is_digit(c))
            {
                group = group << 6 | (c - 32) & 63;
                digits += 1;
                at += 1;
            }
            if digits == 0 {
                match all.get(at) {
                    None | Some(0x0A | 0x0D) if strict => {
                        return Err(b"short uuencode data".to_vec());
                    }
                    Some(&c) if strict || !is_blank(c) => {
                        return Err(invalid("uuencode character", c, at));
                    }
                    _ => break,
                }
            }
            group <<= 6 * (4 - digits);
            let take = missing.min(3);
            out.extend(&group.to_be_bytes()[1..=take]);
            missing -= take;
        }
        while all.get(at).is_some_and(|&c| matches!(c, 0x0A | 0x0D)) {
            at += 1;
        }
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::modulefile::tcl::oracle::{self, Oracle, Random};

    #[test]
    fn forms() {
        type Run = fn(&[&[u8]]) -> Result<Vec<u8>, Vec<u8>>;
        let call = |run: Run, words: &[&str]| {
            let words: Vec<&[u8]> = words.iter().map(|word| word.as_bytes()).collect();
            let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
            run(&words).map(text).map_err(text)
        };
        assert_eq!(call(encode, &["hex", "aé"]).as_deref(), Ok("61e9"));
        assert_eq!(
            call(encode, &["base64", "abcdefg"]).as_deref(),
            Ok("YWJjZGVmZw==")
        );
        assert_eq!(
            call(encode, &["uuencode", "abcdefg"]).as_deref(),
            Ok("'86)C9&5F9P\n")
        );
        assert_eq!(
            call(decode, &["uuencode", "'86)C9&5F9P\n"]).as_deref(),
            Ok("abcdefg")
        );
        assert_eq!(call(decode, &["base64", "YWJjYQ=="]).as_deref(), Ok("abca"));
        assert_eq!(
            call(decode, &["hex", "6g"]).unwrap_err(),
            "invalid hexadecimal digit \"g\" at position 1"
        );
    }

    #[test]
    fn agrees_with_tclsh() {
        let Some(mut tclsh) = Oracle::start() else {
            return;
        };
        let mut random = Random::new(13);
        let pieces = ["a", "bc", "\u{ff}", "\u{0}", "é", "1", "xyz", "\n"];
        let encoded = ["YW", "Jj", "YWJj", "Y", "Q", "\n", "+", "/", "!"];
        let digits = ["6", "1", "f", "F", "0", " ", "g", "\n"];
        for _ in 0..oracle::cases(2000) {
            let mut call = |command: &str, words: &[&[u8]], ours: Result<Vec<u8>, Vec<u8>>| {
                let quoted: Vec<Vec<u8>> = words.iter().map(|word| oracle::quote(word)).collect();
                tclsh.expect(
                    &[
                        b"binary ",
                        command.as_bytes(),
                        b" ",
                        &quoted.join(&b' ')[..],
                    ]
                    .concat(),
                    ours,
                );
            };
            let form = random.pick(&["hex", "base64", "uuencode"]).as_bytes();
            let data = random.text(&pieces, 20);
            call("encode", &[form, &data], encode(&[form, &data]));
            let made = encode(&[form, &data]).unwrap();
            call("decode", &[form, &made], decode(&[form, &made]));
            let words: [&[u8]; 4] = [
                b"base64",
                b"-maxlen",
                random.pick(&["0", "1", "5", "76", "x"]).as_bytes(),
                &data,
            ];
            call("encode", &words, encode(&words));
            let words: [&[u8]; 4] = [
                b"uuencode",
                b"-maxlen",
                random.pick(&["5", "9", "10", "85", "86", "4"]).as_bytes(),
                &data,
            ];
            call("encode", &words, encode(&words));
            // Padding elsewhere than at the end, Tcl takes for all sorts of things.
            let text = [
                random.text(&encoded, 6),
                random.pick(&["", "=", "=="]).as_bytes().to_vec(),
            ]
            .concat();
            call("decode", &[b"base64", &text], decode(&[b"base64", &text]));
            let text = random.text(&digits, 6);
            call("decode", &[b"hex", &text], decode(&[b"hex", &text]));
            call(
                "decode",
                &[b"hex", b"-strict", &text],
                decode(&[b"hex", b"-strict", &text]),
            );
        }
        tclsh.finish();
    }
}
