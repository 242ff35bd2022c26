//! `string match`, comparing without case, and the dictionary order of `lsort`.
//!
//! Source: Tcl manual, string(n) "match" and lsort(n) "-dictionary".

use super::chars::{self, Char};
use std::cmp::Ordering;

/// Whether letters in two cases are the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Case {
    Sensitive,
    Insensitive,
}

/// Whether `text` matches the glob-style `pattern`: `*`, `?`, `[a-z]`, `\x`.
///
/// There is no negation and no brace list. An unclosed `[` set that matches ends the pattern's claim there, as in Tcl.
pub(crate) fn string_match(pattern: &[u8], text: &[u8], case: Case) -> bool {
    let (mut p, mut t) = (0, 0);
    // Where to go on when a later part fails: after the last star, one character further on.
    let mut retry: Option<(usize, usize)> = None;
    loop {
        let step = match_one(pattern, p, text, t, case);
        match step {
            Step::Star => {
                let rest = pattern[p..].iter().take_while(|&&b| b == b'*').count();
                p += rest;
                if p == pattern.len() {
                    return true;
                }
                retry = Some((p, t));
            }
            Step::Done => return true,
            Step::Next(next_p, next_t) => (p, t) = (next_p, next_t),
            Step::Fail => {
                let Some((star, from)) = retry else {
                    return false;
                };
                let Some((_, length)) = chars::decode(&text[from..]) else {
                    return false;
                };
                retry = Some((star, from + length));
                (p, t) = (star, from + length);
            }
        }
    }
}

enum Step {
    Star,
    Done,
    Next(usize, usize),
    Fail,
}

/// Matches one pattern element at `p` with the character at `t`.
fn match_one(pattern: &[u8], p: usize, text: &[u8], t: usize, case: Case) -> Step {
    let Some((element, element_length)) = chars::decode(&pattern[p..]) else {
        return if t == text.len() {
            Step::Done
        } else {
            Step::Fail
        };
    };
    if element == u32::from(b'*') {
        return Step::Star;
    }
    let Some((c, length)) = chars::decode(&text[t..]) else {
        return Step::Fail;
    };
    let next_t = t + length;
    match element {
        0x3F => Step::Next(p + 1, next_t),
        0x5B => match match_set(pattern, p + 1, fold(c, case), case) {
            Some(next_p) => Step::Next(next_p, next_t),
            None => Step::Fail,
        },
        0x5C => match chars::decode(&pattern[p + 1..]) {
            Some((literal, skip)) if same(literal, c, case) => Step::Next(p + 1 + skip, next_t),
            _ => Step::Fail,
        },
        _ if same(element, c, case) => Step::Next(p + element_length, next_t),
        _ => Step::Fail,
    }
}

/// Matches `c` with the set whose members begin at `p`; gives the place after its `]`.
fn match_set(pattern: &[u8], mut p: usize, c: Char, case: Case) -> Option<usize> {
    loop {
        let (low, length) = chars::decode(&pattern[p..])?;
        if low == u32::from(b']') {
            return None;
        }
        p += length;
        let low = fold(low, case);
        if pattern.get(p) == Some(&b'-') {
            let (high, length) = chars::decode(&pattern[p + 1..])?;
            p += 1 + length;
            let high = fold(high, case);
            if (low.min(high)..=low.max(high)).contains(&c) {
                break;
            }
        } else if low == c {
            break;
        }
    }
    let rest = pattern[p..].iter().position(|&b| b == b']');
    Some(rest.map_or(pattern.len(), |close| p + close + 1))
}

fn same(a: Char, b: Char, case: Case) -> bool {
    a == b || case == Case::Insensitive && chars::lower(a) == chars::lower(b)
}

fn fold(c: Char, case: Case) -> Char {
    match case {
        Case::Sensitive => c,
        Case::Insensitive => chars::lower(c),
    }
}

/// Compares by code point after mapping to lower case (`string compare -nocase`).
pub(crate) fn compare_nocase(a: &[u8], b: &[u8]) -> Ordering {
    chars::chars(a)
        .map(chars::lower)
        .cmp(chars::chars(b).map(chars::lower))
}

/// Compares as `lsort -dictionary`: digit runs by value, letters without case, case and leading zeros only to break ties.
pub(crate) fn compare_dictionary(a: &[u8], b: &[u8]) -> Ordering {
    let (mut left, mut right) = (a, b);
    let mut tie = Ordering::Equal;
    loop {
        if let ([x, ..], [y, ..]) = (left, right)
            && x.is_ascii_digit()
            && y.is_ascii_digit()
        {
            let order = compare_digits(&mut left, &mut right, &mut tie);
            if order.is_ne() {
                return order;
            }
            continue;
        }
        let (Some((x, x_length)), Some((y, y_length))) =
            (chars::decode(left), chars::decode(right))
        else {
            return left.len().min(1).cmp(&right.len().min(1)).then(tie);
        };
        let order = chars::lower(x).cmp(&chars::lower(y));
        if order.is_ne() {
            return order;
        }
        if tie.is_eq() && x != y {
            // Upper case goes first.
            tie = if chars::Class::Upper.contains(x) {
                Ordering::Less
            } else {
                Ordering::Greater
            };
        }
        (left, right) = (&left[x_length..], &right[y_length..]);
    }
}

/// Compares two digit runs by value and moves behind them; the one with more leading zeros is later, as a tie-break.
fn compare_digits(left: &mut &[u8], right: &mut &[u8], tie: &mut Ordering) -> Ordering {
    let zeros = |run: &[u8]| {
        let digits = run.iter().take_while(|b| b.is_ascii_digit()).count();
        run[..digits - 1].iter().take_while(|&&b| b == b'0').count()
    };
    let (left_zeros, right_zeros) = (zeros(left), zeros(right));
    if tie.is_eq() {
        *tie = left_zeros.cmp(&right_zeros);
    }
    *left = &left[left_zeros..];
    *right = &right[right_zeros..];
    let digits = |run: &[u8]| run.iter().take_while(|b| b.is_ascii_digit()).count();
    let (left_digits, right_digits) = (digits(left), digits(right));
    let order = left_digits
        .cmp(&right_digits)
        .then_with(|| left[..left_digits].cmp(&right[..right_digits]));
    *left = &left[left_digits..];
    *right = &right[right_digits..];
    order
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn glob_patterns() {
        for (pattern, text, expected) in [
            ("*", "", true),
            ("a*c*e", "abcdcde", true),
            ("a*c*e", "abcdcdex", false),
            ("?", "é", true),
            ("[^a]", "^", true),
            ("[^a]", "b", false),
            ("[a-c]x", "bx", true),
            ("[c-a]x", "bx", true),
            ("\\*", "*", true),
            ("\\*", "a", false),
            ("[ab", "a", true),
            ("a\\", "a\\", false),
            ("*.*", "a.b", true),
            ("**a", "bba", true),
        ] {
            assert_eq!(
                string_match(pattern.as_bytes(), text.as_bytes(), Case::Sensitive),
                expected,
                "{pattern} {text}"
            );
        }
        assert!(string_match(
            "É[A-C]".as_bytes(),
            "éb".as_bytes(),
            Case::Insensitive
        ));
    }

    #[test]
    fn dictionary_order() {
        let sorted = [
            "", "A9", "a9", "a10", "a010", "a10b", "B1", "b1", "bigBoy", "bigbang", "bigboy",
            "x2y", "x10y",
        ];
        for (i, a) in sorted.iter().enumerate() {
            for (j, b) in sorted.iter().enumerate() {
                if *a == "bigBoy" || *b == "bigBoy" {
                    continue;
                }
                assert_eq!(
                    compare_dictionary(a.as_bytes(), b.as_bytes()),
                    i.cmp(&j),
                    "{a} {b}"
                );
            }
        }
        assert_eq!(compare_dictionary(b"bigBoy", b"bigbang"), Ordering::Greater);
        assert_eq!(compare_dictionary(b"bigBoy", b"bigboy"), Ordering::Less);
    }

    #[test]
    fn agrees_with_tclsh() {
        use crate::modulefile::tcl::oracle::{self, Oracle, Random};
        let Some(mut tclsh) = Oracle::start() else {
            return;
        };
        let mut random = Random::new(1);
        let pattern_pieces = [
            "a", "b", "B", "é", "É", "*", "*", "?", "[", "]", "-", "^", "\\", "[ab]", "[a-c]",
            "[b-É]",
        ];
        let text_pieces = ["a", "b", "A", "é", "É", "-", "]", "[", "\\", "^", "*"];
        for _ in 0..oracle::cases(4000) {
            let pattern = random.text(&pattern_pieces, 6);
            let text = random.text(&text_pieces, 6);
            let (case, option) =
                *random.pick(&[(Case::Sensitive, ""), (Case::Insensitive, "-nocase ")]);
            let script = [
                b"string match ",
                option.as_bytes(),
                &oracle::quote(&pattern),
                b" ",
                &oracle::quote(&text),
            ]
            .concat();
            let ours = string_match(&pattern, &text, case);
            tclsh.expect(&script, Ok(u8::from(ours).to_string().into_bytes()));
        }
        let pieces = [
            "a", "A", "b", "_", "0", "1", "9", "00", "10", "é", "É", "-", " ",
        ];
        for _ in 0..oracle::cases(4000) {
            let (a, b) = (random.text(&pieces, 6), random.text(&pieces, 6));
            let (qa, qb) = (oracle::quote(&a), oracle::quote(&b));
            let script = [
                b"list [lindex [lsort -dictionary -indices [list ",
                &qa[..],
                b" ",
                &qb,
                b"]] 0] [lindex [lsort -dictionary -indices [list ",
                &qb,
                b" ",
                &qa,
                b"]] 0] [string compare -nocase ",
                &qa,
                b" ",
                &qb,
                b"] [string compare ",
                &qa,
                b" ",
                &qb,
                b"]",
            ]
            .concat();
            let order = compare_dictionary(&a, &b);
            let sign = |order: Ordering| order as i8;
            let ours = format!(
                "{} {} {} {}",
                u8::from(order.is_gt()),
                u8::from(order.is_lt()),
                sign(compare_nocase(&a, &b)),
                sign(a.cmp(&b))
            );
            tclsh.expect(&script, Ok(ours.into_bytes()));
        }
        tclsh.finish();
    }
}
