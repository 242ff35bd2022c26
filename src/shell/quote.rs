//! Quoting: any bytes but NUL become a literal of one shell or language, and nothing else.

use bstr::ByteSlice;

/// Bytes that need no quotes in any shell.
fn is_plain(b: u8) -> bool {
    b.is_ascii_alphanumeric() || b"_-./:+,@".contains(&b)
}

/// Whether `value` can stand without quotes in Bourne-like shells and C shells.
fn stands_bare(value: &[u8]) -> bool {
    !value.is_empty() && value.iter().all(|&b| is_plain(b))
}

/// A word for Bourne-like shells.
///
/// Plain words stay bare and others get double quotes where nothing inside is special there: CMake's `FindEnvModules` reads
/// these two forms (and takes single quotes for a part of the value). All else is single-quoted. No empty pair of quotes is
/// written next to another: under zsh's `RC_QUOTES` two of them would mean a quote.
pub(super) fn sh(value: &[u8]) -> Vec<u8> {
    if stands_bare(value) {
        return value.to_vec();
    }
    if !value.is_empty() && !value.iter().any(|b| b"$`\\\"!\n".contains(b)) {
        return [b"\"", value, b"\""].concat();
    }
    sh_single(value)
}

/// A word for Bourne-like shells in single quotes, with `\'` between them.
pub(super) fn sh_single(value: &[u8]) -> Vec<u8> {
    if value.is_empty() {
        return b"''".to_vec();
    }
    let mut out = Vec::with_capacity(value.len() + 8);
    for (i, piece) in value.split_str("'").enumerate() {
        if i > 0 {
            out.extend_from_slice(b"\\'");
        }
        if !piece.is_empty() {
            out.push(b'\'');
            out.extend_from_slice(piece);
            out.push(b'\'');
        }
    }
    out
}

/// A word for C shells; the value holds no newline.
///
/// `!` is special even in single quotes, and with tcsh's `backslash_quote` the backslash is: both stand outside of them, behind
/// a backslash. Runs of blanks are broken by a pair of quotes: when a caller writes ``eval `...` `` without quotes, each run
/// would become one blank.
pub(super) fn csh(value: &[u8]) -> Vec<u8> {
    if stands_bare(value) {
        return value.to_vec();
    }
    csh_single(value)
}

/// The same, in quotes even where none are needed: behind `$X:q` a bare `:` would be taken for a modifier.
pub(super) fn csh_single(value: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(value.len() + 8);
    let mut quoted = false;
    let mut last = 0;
    for &b in value {
        let special = b"'!\\".contains(&b);
        // Two quotes between blanks: `'a '' b'`.
        let again = b == b' ' && last == b' ';
        if quoted && (special || again) {
            out.push(b'\'');
            quoted = false;
        }
        if special {
            out.push(b'\\');
        } else if !quoted {
            out.push(b'\'');
            quoted = true;
        }
        out.push(b);
        last = b;
    }
    if quoted {
        out.push(b'\'');
    }
    if value.is_empty() {
        out.extend_from_slice(b"''");
    }
    out
}

/// `'...'`, with each quote in it written twice: rc.
pub(super) fn doubled(value: &[u8]) -> Vec<u8> {
    let mut out = vec![b'\''];
    for &b in value {
        if b == b'\'' {
            out.push(b'\'');
        }
        out.push(b);
    }
    out.push(b'\'');
    out
}

/// `'...'` with a backslash before quotes and backslashes: fish, Perl.
pub(super) fn backslashed(value: &[u8]) -> Vec<u8> {
    let mut out = vec![b'\''];
    for &b in value {
        if b == b'\'' || b == b'\\' {
            out.push(b'\\');
        }
        out.push(b);
    }
    out.push(b'\'');
    out
}

/// `"..."` in ASCII: `special` bytes take a backslash, printable ones stay, all others go through `other`.
pub(super) fn escaped(value: &[u8], special: &[u8], other: fn(u8) -> String) -> Vec<u8> {
    let mut out = vec![b'"'];
    for &b in value {
        if special.contains(&b) {
            out.push(b'\\');
            out.push(b);
        } else if b == b' ' || b.is_ascii_graphic() {
            out.push(b);
        } else {
            out.extend_from_slice(other(b).as_bytes());
        }
    }
    out.push(b'"');
    out
}

/// `"..."` for text: `special` characters take a backslash, control characters go through `control`, the rest stays.
pub(super) fn text(value: &str, special: &[char], control: fn(char) -> String) -> String {
    let mut out = String::with_capacity(value.len() + 2);
    out.push('"');
    for c in value.chars() {
        if special.contains(&c) {
            out.push('\\');
            out.push(c);
        } else if c.is_control() {
            out.push_str(&control(c));
        } else {
            out.push(c);
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use bstr::BString;

    #[test]
    fn bourne_words_are_as_plain_as_they_can_be() {
        let cases: [(&str, &str); 7] = [
            ("/a/b-1.0:/c", "/a/b-1.0:/c"),
            ("a b;c", "\"a b;c\""),
            ("~/x", "\"~/x\""),
            ("it's $HOME", r"'it'\''s $HOME'"),
            ("'$'", r"\''$'\'"),
            ("", "''"),
            ("a\nb", "'a\nb'"),
        ];
        for (value, quoted) in cases {
            assert_eq!(BString::from(sh(value.as_bytes())), quoted);
        }
    }

    #[test]
    fn c_shell_words_keep_bangs_and_runs_of_blanks() {
        assert_eq!(BString::from(csh(b"a!  b'")), r"'a'\!' '' b'\'");
    }
}
