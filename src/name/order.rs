//! The two orders of module versions.
//!
//! [`VersionOrder::Lmod`] is Lmod's `parseVersion`: pre-releases below releases, numbers by value, trailing zeros without
//! meaning. [`VersionOrder::Dictionary`] is Tcl's `lsort -dictionary`, which Environment Modules uses. Sorting many
//! versions: make a [`VersionKey`] of each once.
//!
//! Sources: Lmod user guide "Ordering of versions" (`convertToCanonical`); lsort(n) "-dictionary".

use std::borrow::Cow;
use std::cmp::Ordering;
use std::fmt;

/// How versions are ordered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub enum VersionOrder {
    /// `2.4dev < 2.4rc1 < 2.4 = 2.4.0 < 2.4-1 < 2.4.1`.
    #[default]
    Lmod,
    /// `2.4 < 2.4-1 < 2.4.1 < 2.4dev < 2.4rc1`.
    Dictionary,
}

impl VersionOrder {
    /// Compares two versions. Different texts may be equal (`1` and `1.0` under Lmod's order).
    pub fn compare(self, a: &str, b: &str) -> Ordering {
        match self {
            VersionOrder::Lmod => self.key(a).cmp(&self.key(b)),
            VersionOrder::Dictionary => dictionary(a, b),
        }
    }

    /// What a version is sorted by.
    pub fn key(self, version: &str) -> VersionKey {
        match self {
            VersionOrder::Lmod => match Numbers::of(version) {
                Some(numbers) => VersionKey::Numbers(numbers),
                None => VersionKey::Lmod(lmod_canonical(version)),
            },
            VersionOrder::Dictionary => VersionKey::Dictionary(version.to_owned()),
        }
    }
}

impl fmt::Display for VersionOrder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            VersionOrder::Lmod => "lmod",
            VersionOrder::Dictionary => "dictionary",
        })
    }
}

/// A version made ready for comparing; keys of different orders should not be mixed.
#[derive(Debug, Clone)]
pub enum VersionKey {
    /// A version of nothing but numbers, under Lmod's order.
    Numbers(Numbers),
    /// Lmod's canonical text; compares byte by byte.
    Lmod(String),
    /// The version itself.
    Dictionary(String),
}

impl Ord for VersionKey {
    fn cmp(&self, other: &VersionKey) -> Ordering {
        match (self, other) {
            (VersionKey::Numbers(a), VersionKey::Numbers(b)) => a.cmp(b),
            (VersionKey::Numbers(a), VersionKey::Lmod(b)) => a.canonical().cmp(b),
            (VersionKey::Lmod(a), VersionKey::Numbers(b)) => a.cmp(&b.canonical()),
            (VersionKey::Lmod(a), VersionKey::Lmod(b)) => a.cmp(b),
            (VersionKey::Dictionary(a), VersionKey::Dictionary(b)) => dictionary(a, b),
            (_, VersionKey::Dictionary(_)) => Ordering::Less,
            (VersionKey::Dictionary(_), _) => Ordering::Greater,
        }
    }
}

impl PartialOrd for VersionKey {
    fn partial_cmp(&self, other: &VersionKey) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for VersionKey {
    fn eq(&self, other: &VersionKey) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for VersionKey {}

/// The numbers of a version that holds nothing else: most do, and to compare these takes a tenth of the time. What is not
/// there is zero, since trailing zeros have no meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Numbers([u32; 6]);

impl Numbers {
    /// `None` where there is anything else in the version, or more of it.
    fn of(version: &str) -> Option<Numbers> {
        let mut numbers = [0; 6];
        let (mut place, mut digits) = (0, 0);
        for byte in version.bytes() {
            match byte {
                b'0'..=b'9' if digits < DIGITS => {
                    let number = numbers.get_mut(place)?;
                    *number = *number * 10 + u32::from(byte - b'0');
                    digits += 1;
                }
                b'.' if digits > 0 => {
                    place += 1;
                    digits = 0;
                }
                _ => return None,
            }
        }
        Some(Numbers(numbers))
    }

    /// The text that such a version has as others do.
    fn canonical(self) -> String {
        let mut text = String::new();
        let length = self.0.iter().rposition(|number| *number > 0);
        for number in &self.0[..length.map_or(0, |last| last + 1)] {
            text.push_str(&format!("{number:09}."));
        }
        text.push_str("*zfinal");
        text
    }
}

/// A piece of a canonical text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Token<'v> {
    /// Digits, filled up to nine.
    Number(&'v str),
    Slash,
    /// A word or a sign.
    Word(&'v str),
    /// `pre`, `preview`, `rc`.
    Candidate,
    /// `dev`.
    Development,
    /// A dash or a `p` (patch level).
    Dash,
    /// The end of a version.
    Final,
}

impl Token<'_> {
    /// Whether it is a number that only fills up.
    fn is_zero(self) -> bool {
        matches!(self, Token::Number(digits) if digits.len() <= DIGITS && digits.bytes().all(|d| d == b'0'))
    }

    fn write(self, text: &mut String) {
        match self {
            Token::Number(digits) => {
                let zeros = DIGITS.saturating_sub(digits.len());
                text.push_str(&"000000000"[..zeros]);
                text.push_str(digits);
            }
            Token::Slash => text.push('/'),
            Token::Word(word) => {
                text.push('*');
                text.push_str(word);
            }
            Token::Candidate => text.push_str("*c"),
            Token::Development => text.push_str("*@"),
            Token::Dash => text.push_str("*zfinal-"),
            Token::Final => text.push_str("*zfinal"),
        }
    }
}

/// As many digits has a number in canonical texts, if not more.
const DIGITS: usize = 9;

/// Lmod's canonical text of a version: texts compare as the versions do.
pub fn lmod_canonical(version: &str) -> String {
    let lower = match version.bytes().any(|byte| byte.is_ascii_uppercase()) {
        true => Cow::Owned(version.to_ascii_lowercase()),
        false => Cow::Borrowed(version),
    };
    let mut tokens: Vec<Token<'_>> = Vec::with_capacity(8);
    let mut rest = &*lower;
    // A leading dot stands behind an empty number; between others one dot separates and is skipped.
    if let Some(behind) = rest.strip_prefix('.') {
        tokens.push(Token::Number(""));
        rest = behind;
    }
    loop {
        rest = rest.strip_prefix('.').unwrap_or(rest);
        let Some(first) = rest.chars().next() else {
            break;
        };
        let run = |class: fn(&u8) -> bool| rest.bytes().take_while(class).count();
        let length = if first.is_ascii_digit() {
            let length = run(u8::is_ascii_digit);
            tokens.push(Token::Number(&rest[..length]));
            length
        } else if first == '/' {
            tokens.push(Token::Slash);
            1
        } else if first.is_ascii_alphabetic() {
            let length = run(u8::is_ascii_alphabetic);
            add_word(
                &mut tokens,
                match &rest[..length] {
                    "pre" | "preview" | "rc" => Token::Candidate,
                    "dev" => Token::Development,
                    "p" => Token::Dash,
                    "zfinal" => Token::Final,
                    word => Token::Word(word),
                },
            );
            length
        } else if first == '-' {
            add_word(&mut tokens, Token::Dash);
            if rest.starts_with("-p") { 2 } else { 1 }
        } else {
            add_word(&mut tokens, Token::Word(&rest[..first.len_utf8()]));
            first.len_utf8()
        };
        rest = &rest[length..];
    }
    add_word(&mut tokens, Token::Final);
    let mut text = String::with_capacity(tokens.len() * (DIGITS + 1));
    for (place, token) in tokens.iter().enumerate() {
        if place > 0 {
            text.push('.');
        }
        token.write(&mut text);
    }
    match tokens.contains(&Token::Slash) {
        true => text.replace("./.", "/"),
        false => text,
    }
}

/// Adds what is not a number: it makes what only filled up before it meaningless.
fn add_word<'v>(tokens: &mut Vec<Token<'v>>, word: Token<'v>) {
    let drop = |tokens: &mut Vec<Token<'v>>, is_meaningless: fn(Token<'v>) -> bool| {
        while tokens.pop_if(|last| is_meaningless(*last)).is_some() {}
    };
    if word != Token::Final {
        drop(tokens, |token| token == Token::Dash);
    }
    drop(tokens, Token::is_zero);
    if word == Token::Final {
        drop(tokens, |token| token == Token::Dash);
    }
    tokens.push(word);
}

/// Compares as `lsort -dictionary`: digit runs by value, letters without case; more leading zeros and lower case come
/// later where nothing else differs.
fn dictionary(a: &str, b: &str) -> Ordering {
    let (mut left, mut right) = (a, b);
    let mut tie = Ordering::Equal;
    loop {
        let (Some(x), Some(y)) = (left.chars().next(), right.chars().next()) else {
            return left.len().cmp(&right.len()).then(tie);
        };
        if x.is_ascii_digit() && y.is_ascii_digit() {
            let (x, y) = (number(&mut left), number(&mut right));
            tie = tie.then(x.zeros.cmp(&y.zeros));
            let order = (x.digits.len().cmp(&y.digits.len())).then(x.digits.cmp(y.digits));
            if order.is_ne() {
                return order;
            }
            continue;
        }
        let order = lower(x).cmp(&lower(y));
        if order.is_ne() {
            return order;
        }
        tie = tie.then(if x == y {
            Ordering::Equal
        } else if x.is_uppercase() {
            Ordering::Less
        } else {
            Ordering::Greater
        });
        left = &left[x.len_utf8()..];
        right = &right[y.len_utf8()..];
    }
}

/// The lower case of a character where it is a single one.
fn lower(c: char) -> char {
    let mut mapped = c.to_lowercase();
    match (mapped.next(), mapped.next()) {
        (Some(single), None) => single,
        _ => c,
    }
}

/// A run of digits: how many zeros lead, and the rest (at least one digit).
struct Number<'a> {
    zeros: usize,
    digits: &'a str,
}

/// Takes the run of digits at the front of `text`.
fn number<'a>(text: &mut &'a str) -> Number<'a> {
    let length = text.bytes().take_while(u8::is_ascii_digit).count();
    let (run, rest) = text.split_at(length);
    let digits = run.trim_start_matches('0');
    let digits = if digits.is_empty() {
        &run[length - 1..]
    } else {
        digits
    };
    *text = rest;
    Number {
        zeros: length - digits.len(),
        digits,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn canonical_texts_are_those_of_lmod() {
        for (version, canonical) in [
            ("1", "000000001.*zfinal"),
            ("1.0.0", "000000001.*zfinal"),
            ("2.4.1", "000000002.000000004.000000001.*zfinal"),
            ("2.4-1", "000000002.000000004.*zfinal-.000000001.*zfinal"),
            ("2.4.p2", "000000002.000000004.*zfinal-.000000002.*zfinal"),
            ("2.4-rc1", "000000002.000000004.*c.000000001.*zfinal"),
            ("2.4dev", "000000002.000000004.*@.*zfinal"),
            ("3.2-0", "000000003.000000002.*zfinal"),
            (
                "1.0-GCC-11.3.0",
                "000000001.*gcc.*zfinal-.000000011.000000003.*zfinal",
            ),
            ("R2021a", "*r.000002021.*a.*zfinal"),
            ("1.0+cuda", "000000001.*+.*cuda.*zfinal"),
            ("3.2_1", "000000003.000000002.*_.000000001.*zfinal"),
            (".1.0", "000000000.000000001.*zfinal"),
            ("gcc/64/5.0", "*gcc/000000064/000000005.*zfinal"),
            ("1.zFinal-0", "000000001.*zfinal.*zfinal"),
            ("0000000000", "0000000000.*zfinal"),
            ("1234567890.é", "1234567890.*é.*zfinal"),
        ] {
            assert_eq!(lmod_canonical(version), canonical, "{version}");
        }
    }

    #[test]
    fn versions_of_numbers_compare_as_their_texts_do() {
        let pieces = [
            "",
            "0",
            "1",
            "01",
            "2",
            "10",
            "00",
            "999999999",
            "1000000000",
            "rc1",
            "-1",
            "/",
            "é",
        ];
        let mut seed = 1_u64;
        let mut version = || {
            let mut version = String::new();
            for place in 0..7 {
                seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                // Most are of few numbers.
                let most = if seed >> 62 == 0 { pieces.len() } else { 7 };
                if place > (seed >> 40) % 8 {
                    break;
                }
                version.push_str(if place > 0 { "." } else { "" });
                version.push_str(pieces[(seed >> 33) as usize % most]);
            }
            version
        };
        let mut plain = 0;
        for _ in 0..20_000 {
            let (a, b) = (version(), version());
            let texts = lmod_canonical(&a).cmp(&lmod_canonical(&b));
            assert_eq!(VersionOrder::Lmod.compare(&a, &b), texts, "{a} {b}");
            if let Some(numbers) = Numbers::of(&a) {
                plain += 1;
                assert_eq!(numbers.canonical(), lmod_canonical(&a), "{a}");
            }
        }
        assert!((2_000..18_000).contains(&plain), "{plain}");
    }

    #[test]
    fn lmod_puts_words_and_pre_releases_below_numbers() {
        sorted(
            VersionOrder::Lmod,
            "default gcc-12 latest R2021a v1.2 .1.0 1.0+cuda 1.0_final 1.0-foss-2023a 1.0-GCC-11.3.0 1.0.post1 1 2.4-dev \
             2.4a1 2.4beta 2.4.beta2 2.4rc1 2.4 2.4-1 2.4p2 2.4.1 3.0~rc1 3.2_1 3.2 8.2 10.1 2020a 2020.1",
        );
    }

    #[test]
    fn tcl_puts_words_and_pre_releases_above_numbers() {
        sorted(
            VersionOrder::Dictionary,
            "1 1. 1.0 1.0.0 1.2 1.02 01.2 1.2+x 1.2-rc1 1.2.1 1.2_1 1.2a 1.10 1.a 1.B 1.b 2 2.0 2.0-rc1 2.0.1 2.0rc1 10 10a \
             2021.9 2021.10 2021a 2021b A a B b default latest v1 V2 x-1 x1 x01 x2 x10 x_1",
        );
    }

    fn sorted(order: VersionOrder, versions: &str) {
        let versions: Vec<&str> = versions.split_whitespace().collect();
        for (i, a) in versions.iter().enumerate() {
            for (j, b) in versions.iter().enumerate() {
                assert_eq!(
                    order.compare(a, b),
                    i.cmp(&j),
                    "{a} and {b} in {order} order"
                );
                assert_eq!(order.key(a).cmp(&order.key(b)), i.cmp(&j));
            }
        }
    }
}
