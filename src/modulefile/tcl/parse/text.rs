//! Backslashes in scripts, lists and `subst`.
//!
//! Source: Tcl 8.6, `Tcl(n)`, rule [9].

/// Replaces backslash-newline and the blanks after it by one blank; a backslash before it protects it not: `\\` is two
/// characters that stay.
pub(super) fn fold_lines(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut at = 0;
    while at < text.len() {
        match text[at..] {
            [b'\\', b'\n', ..] => {
                out.push(b' ');
                at += backslash_len(&text[at..]);
            }
            [b'\\', next, ..] => {
                out.extend_from_slice(&[b'\\', next]);
                at += 2;
            }
            _ => {
                out.push(text[at]);
                at += 1;
            }
        }
    }
    out
}

/// The length of the backslash sequence at the start of `text`.
pub(in crate::modulefile::tcl) fn backslash_len(text: &[u8]) -> usize {
    // Almost all are two bytes long; the others need the whole decision.
    match text {
        [_, b'\n' | b'x' | b'u' | b'U' | b'0'..=b'7' | 0x80.., ..] => {
            backslash(text, &mut Vec::new())
        }
        [_, _, ..] => 2,
        _ => text.len(),
    }
}

/// Puts what the backslash sequence at the start of `text` stands for into `out`; gives its length.
pub(in crate::modulefile::tcl) fn backslash(text: &[u8], out: &mut Vec<u8>) -> usize {
    let Some(&kind) = text.get(1) else {
        out.push(b'\\');
        return 1;
    };
    let hex = |most: usize| {
        text[2..]
            .iter()
            .take(most)
            .take_while(|b| b.is_ascii_hexdigit())
            .count()
    };
    let simple = match kind {
        b'a' => 0x07,
        b'b' => 0x08,
        b'f' => 0x0c,
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        b'v' => 0x0b,
        b'\n' => {
            out.push(b' ');
            return 2 + text[2..]
                .iter()
                .take_while(|&&b| b == b' ' || b == b'\t')
                .count();
        }
        b'x' | b'u' | b'U' => {
            let digits = hex(match kind {
                b'x' => 2,
                b'u' => 4,
                _ => 8,
            });
            if digits == 0 {
                out.push(kind);
                return 2;
            }
            let mut code = 0u32;
            let mut used = 0;
            for &digit in &text[2..2 + digits] {
                let next = code * 16 + (digit as char).to_digit(16).expect("a hexadecimal digit");
                if next > 0x0010_ffff {
                    break;
                }
                code = next;
                used += 1;
            }
            push_code_point(out, code);
            return 2 + used;
        }
        b'0'..=b'7' => {
            let mut code = 0u32;
            let mut used = 0;
            while used < 3 && code < 0x20 && matches!(text.get(1 + used), Some(b'0'..=b'7')) {
                code = code * 8 + u32::from(text[1 + used] - b'0');
                used += 1;
            }
            push_code_point(out, code);
            return 1 + used;
        }
        0x80.. => {
            let length = char_len(&text[1..]);
            out.extend_from_slice(&text[1..1 + length]);
            return 1 + length;
        }
        other => other,
    };
    out.push(simple);
    2
}

/// Writes a code point as UTF-8; surrogates, which are no characters, in the same pattern.
fn push_code_point(out: &mut Vec<u8>, code: u32) {
    match char::from_u32(code) {
        Some(c) => out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
        None => out.extend_from_slice(&[
            0xe0 | (code >> 12) as u8 & 0x0f,
            0x80 | (code >> 6) as u8 & 0x3f,
            0x80 | code as u8 & 0x3f,
        ]),
    }
}

/// The length of the character at the start of `text`; an invalid byte is a character of its own.
fn char_len(text: &[u8]) -> usize {
    match bstr::decode_utf8(text) {
        (Some(_), length) => length,
        (None, _) => 1,
    }
}

/// Replaces all backslash sequences.
pub(in crate::modulefile::tcl) fn substitute_backslashes(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut at = 0;
    while at < text.len() {
        if text[at] == b'\\' {
            at += backslash(&text[at..], &mut out);
        } else {
            out.push(text[at]);
            at += 1;
        }
    }
    out
}
