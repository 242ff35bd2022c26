//! Numbers of Tcl 8.6: how they are read and written.
//!
//! Integers are unbounded, octal after a leading zero (`010` is 8, `08` is no number), or marked `0x`, `0o`, `0b`. Doubles
//! need a point or an exponent, or are `Inf`, `Infinity`, `NaN`. Blanks around a number are allowed, inside they are not.
//! Source: Tcl manual, expr(n) "OPERANDS" and Tcl_GetInt(3).

use std::cell::Cell;

use num_bigint::BigInt;
use num_traits::{Num, ToPrimitive};

/// A number in the narrowest form that holds it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Number {
    Int(i64),
    /// Always outside the range of `Int`.
    Big(BigInt),
    Double(f64),
}

impl From<BigInt> for Number {
    fn from(value: BigInt) -> Self {
        value.to_i64().map_or_else(|| Self::Big(value), Self::Int)
    }
}

impl Number {
    /// Writes the number as Tcl prints it.
    pub(crate) fn to_text(&self) -> String {
        match self {
            Self::Int(value) => value.to_string(),
            Self::Big(value) => value.to_string(),
            Self::Double(value) => format_double(*value),
        }
    }

    /// The nearest double; beyond its range an infinity.
    pub(crate) fn to_double(&self) -> f64 {
        match self {
            Self::Int(value) => *value as f64,
            Self::Big(value) => value.to_f64().unwrap_or(f64::NAN),
            Self::Double(value) => *value,
        }
    }
}

/// Whether Tcl treats the byte as a blank in numbers, lists and expressions.
#[inline]
pub(crate) fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t'..=b'\r')
}

/// Removes blanks at both ends.
pub(crate) fn trim(bytes: &[u8]) -> &[u8] {
    let start = bytes.iter().take_while(|&&b| is_space(b)).count();
    let end = bytes.len()
        - bytes[start..]
            .iter()
            .rev()
            .take_while(|&&b| is_space(b))
            .count();
    &bytes[start..end]
}

/// Reads a value which is a number as a whole, blanks around it aside.
pub(crate) fn parse_number(bytes: &[u8]) -> Option<Number> {
    let text = trim(bytes);
    if let Some(small) = parse_short_decimal(text) {
        return Some(Number::Int(small));
    }
    let (sign, digits) = split_sign(text);
    match number_prefix(digits)? {
        (number, length) if length == digits.len() => {
            Some(if sign { negate(number) } else { number })
        }
        _ => None,
    }
}

/// Reads a value which is an integer of any size as a whole: `Int` or `Big`.
pub(crate) fn parse_integer(bytes: &[u8]) -> Option<Number> {
    match parse_number(bytes)? {
        Number::Double(_) => None,
        integer => Some(integer),
    }
}

/// The case of nearly all integers: up to 18 plain digits.
#[inline]
fn parse_short_decimal(text: &[u8]) -> Option<i64> {
    let (sign, digits) = split_sign(text);
    if digits.is_empty() || digits.len() > 18 || digits[0] == b'0' && digits.len() > 1 {
        return None;
    }
    let mut value = 0i64;
    for &byte in digits {
        if !byte.is_ascii_digit() {
            return None;
        }
        value = value * 10 + i64::from(byte - b'0');
    }
    Some(if sign { -value } else { value })
}

/// Splits a sign off; true for minus.
fn split_sign(text: &[u8]) -> (bool, &[u8]) {
    match text {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        _ => (false, text),
    }
}

fn negate(number: Number) -> Number {
    match number {
        Number::Int(value) => value
            .checked_neg()
            .map_or_else(|| (-BigInt::from(value)).into(), Number::Int),
        Number::Big(value) => (-value).into(),
        Number::Double(value) => Number::Double(-value),
    }
}

/// Reads the longest unsigned number at the beginning: the number and its length in bytes.
///
/// For `08` that is the zero alone, for `1e` the one; the caller judges what follows.
pub(crate) fn number_prefix(text: &[u8]) -> Option<(Number, usize)> {
    match *text.first()? {
        b'0'..=b'9' | b'.' => digits_prefix(text),
        b'i' | b'I' => word_prefix(text, &[b"infinity", b"inf"])
            .map(|length| (Number::Double(f64::INFINITY), length)),
        b'n' | b'N' => not_a_number_prefix(text).map(|length| (Number::Double(f64::NAN), length)),
        _ => None,
    }
}

fn digits_prefix(text: &[u8]) -> Option<(Number, usize)> {
    if let [b'0', mark, rest @ ..] = text {
        let radix = match mark {
            b'x' | b'X' => 16,
            b'o' | b'O' => 8,
            b'b' | b'B' => 2,
            _ => 10,
        };
        let length = rest
            .iter()
            .take_while(|&&b| char::from(b).is_digit(radix))
            .count();
        if radix != 10 && length > 0 {
            return Some((integer(&rest[..length], radix), length + 2));
        }
        if radix != 10 {
            return Some((Number::Int(0), 1));
        }
    }
    let whole = text.iter().take_while(|b| b.is_ascii_digit()).count();
    if let Some(length) = double_length(text, whole) {
        let spelling =
            std::str::from_utf8(&text[..length]).expect("digits, point, sign and e are ASCII");
        return Some((Number::Double(spelling.parse().ok()?), length));
    }
    match &text[..whole] {
        [] => None,
        digits @ [b'0', ..] => {
            let length = digits
                .iter()
                .take_while(|b| (b'0'..=b'7').contains(b))
                .count();
            Some((integer(&digits[..length], 8), length))
        }
        digits => Some((integer(digits, 10), whole)),
    }
}

/// The length of the double which begins with `whole` digits, if a point or an exponent makes it one.
fn double_length(text: &[u8], whole: usize) -> Option<usize> {
    let mut end = whole;
    if text.get(end) == Some(&b'.') {
        let fraction = text[end + 1..]
            .iter()
            .take_while(|b| b.is_ascii_digit())
            .count();
        if whole + fraction == 0 {
            return None;
        }
        end += 1 + fraction;
    }
    if let Some(b'e' | b'E') = text.get(end) {
        let sign = usize::from(matches!(text.get(end + 1), Some(b'+' | b'-')));
        let digits = text[end + 1 + sign..]
            .iter()
            .take_while(|b| b.is_ascii_digit())
            .count();
        if digits > 0 {
            return Some(end + 1 + sign + digits);
        }
    }
    (end > whole).then_some(end)
}

fn integer(digits: &[u8], radix: u32) -> Number {
    let text = std::str::from_utf8(digits).expect("only ASCII digits are passed");
    match i64::from_str_radix(text, radix) {
        Ok(value) => Number::Int(value),
        Err(_) => BigInt::from_str_radix(text, radix)
            .expect("only digits of the radix are passed")
            .into(),
    }
}

fn word_prefix(text: &[u8], words: &[&[u8]]) -> Option<usize> {
    words
        .iter()
        .find(|word| {
            text.get(..word.len())
                .is_some_and(|head| head.eq_ignore_ascii_case(word))
        })
        .map(|word| word.len())
}

/// `NaN`, or `NaN(7ff)` with hexadecimal digits.
fn not_a_number_prefix(text: &[u8]) -> Option<usize> {
    let word = word_prefix(text, &[b"nan"])?;
    if text.get(word) == Some(&b'(') {
        let digits = text[word + 1..]
            .iter()
            .take_while(|b| b.is_ascii_hexdigit())
            .count();
        if digits > 0 && text.get(word + 1 + digits) == Some(&b')') {
            return Some(word + digits + 2);
        }
    }
    Some(word)
}

/// Whether a value which is no number would be one if octal had digits 8 and 9 (`08`), which error texts point out.
pub(crate) fn looks_like_bad_octal(bytes: &[u8]) -> bool {
    let (_, digits) = split_sign(trim(bytes));
    digits.len() > 1
        && digits[0] == b'0'
        && digits.iter().all(u8::is_ascii_digit)
        && digits.iter().any(|&b| b > b'7')
}

/// Whether a text that is no number might have been meant as an octal one: the wider look that Tcl takes at operands and
/// indices, where `0o8` counts, too.
pub(crate) fn resembles_octal(bytes: &[u8]) -> bool {
    let (_, digits) = split_sign(trim(bytes));
    let digits = match digits {
        [b'0', b'o' | b'O', digits @ ..] | [b'0', digits @ ..] => digits,
        _ => return false,
    };
    digits.iter().all(u8::is_ascii_digit)
}

thread_local! {
    /// The variable `tcl_precision`: digits of doubles; 0 for as few as read back the same.
    static PRECISION: Cell<u8> = const { Cell::new(0) };
}

/// Digits of doubles that the script asks for; 0 means as few as read back the same.
pub(super) fn precision() -> u8 {
    PRECISION.get()
}

/// Sets the digits of doubles.
pub(super) fn set_precision(digits: u8) {
    PRECISION.set(digits);
}

/// The bits of a NaN which are shown: all but sign, exponent and the quiet bit.
const NAN_PAYLOAD: u64 = (1 << 51) - 1;

/// Writes a double with the fewest digits that read back the same, always with a point or an exponent.
///
/// Plain from 1e-4 up to below 1e17, else with an exponent: `1.0`, `0.0001`, `1e-5`, `1.5e+17`, `Inf`, `-Inf`, `NaN`.
pub(crate) fn format_double(value: f64) -> String {
    if value.is_nan() {
        let sign = if value.is_sign_negative() { "-" } else { "" };
        return match value.to_bits() & NAN_PAYLOAD {
            0 => format!("{sign}NaN"),
            payload => format!("{sign}NaN({payload:x})"),
        };
    }
    if value.is_infinite() {
        return if value > 0.0 { "Inf" } else { "-Inf" }.to_owned();
    }
    let precision = PRECISION.get();
    let scientific = match precision {
        0 => format!("{:e}", value.abs()),
        digits => format!("{:.*e}", usize::from(digits) - 1, value.abs()),
    };
    let (mantissa, exponent) = scientific
        .split_once('e')
        .expect("the e format writes an e");
    let exponent: i32 = exponent.parse().expect("the e format ends in an integer");
    let mut digits: String = mantissa.chars().filter(|&c| c != '.').collect();
    if precision > 0 {
        digits.truncate(digits.trim_end_matches('0').len().max(1));
    } else if digits.len() >= 10 {
        match power_of_two_digits(value.abs()) {
            Some(other) => digits = other,
            None => round_tie_to_even(&mut digits, value.abs()),
        }
    }
    let mut out = String::with_capacity(24);
    if value.is_sign_negative() {
        out.push('-');
    }
    write_digits(&mut out, &digits, exponent);
    out
}

/// The digits of a power of two with Tcl's fault: it takes the gap to the next lower double for the one above, and
/// the other way round.
///
/// So `2.0**64` prints as `1.844674407370955e+19`, which reads back as the double below it.
fn power_of_two_digits(value: f64) -> Option<String> {
    let bits = value.to_bits();
    let power = (bits >> 52) as i32 - 1023;
    if bits.trailing_zeros() < 52 || power <= -1022 || power.abs() < 20 {
        return None;
    }
    let exact = exact_digits(1, power);
    let lowest = exact_digits((1 << 53) - 1, power - 53);
    let highest = exact_digits((1 << 54) + 1, power - 54);
    (1..=17.min(exact.len())).find_map(|places| {
        let below = exact[..places].to_owned();
        let above = (below.parse::<u64>().ok()? + 1).to_string();
        let rounds_up = match &exact[places..] {
            "5" => below.ends_with(['1', '3', '5', '7', '9']),
            rest => rest.bytes().next().is_some_and(|digit| digit >= b'5'),
        };
        let digits = match (below > lowest, above.len() == places && above < highest) {
            (true, _) if !rounds_up => below,
            (false, false) => return None,
            _ => above,
        };
        Some(digits.trim_end_matches('0').to_owned())
    })
}

/// All decimal digits of `factor` times `2^power`, without the point.
fn exact_digits(factor: u64, power: i32) -> String {
    let base = BigInt::from(if power < 0 { 5 } else { 2 });
    (base.pow(power.unsigned_abs()) * factor).to_string()
}

/// Where two shortest spellings are equally near, Tcl takes the one with an even last digit; the standard library does not.
fn round_tie_to_even(digits: &mut String, value: f64) {
    let last = digits.as_bytes()[digits.len() - 1];
    let exact = format!("{value:.60e}");
    let mantissa = exact
        .split_once('e')
        .map_or(&exact[..], |(mantissa, _)| mantissa);
    // The point stands behind the first digit, so the digit after the shortest ones is at this place.
    let (head, tail) = mantissa.split_at(digits.len() + 1);
    let is_tie = tail.starts_with('5') && tail[1..].bytes().all(|b| b == b'0');
    if is_tie && last % 2 == 1 {
        // Of the two, the exact digits cut off are the lower one, which is even as the upper one is odd.
        *digits = head.chars().filter(|&c| c != '.').collect();
    }
}

/// Places the point in `digits`, of which the first stands for `10^exponent`.
fn write_digits(out: &mut String, digits: &str, exponent: i32) {
    let count = digits.len() as i32;
    match exponent {
        ..-4 | 17.. => {
            out.push_str(&digits[..1]);
            if count > 1 {
                out.push('.');
                out.push_str(&digits[1..]);
            }
            // Where the variable `tcl_precision` counts, so does the old way to write exponents.
            match PRECISION.get() {
                0 => out.push_str(&format!("e{exponent:+}")),
                _ => out.push_str(&format!("e{exponent:+03}")),
            }
        }
        -4..0 => {
            out.push_str("0.");
            out.extend(std::iter::repeat_n('0', (-exponent - 1) as usize));
            out.push_str(digits);
        }
        _ if count > exponent + 1 => {
            let (whole, fraction) = digits.split_at(exponent as usize + 1);
            out.push_str(whole);
            out.push('.');
            out.push_str(fraction);
        }
        _ => {
            out.push_str(digits);
            out.extend(std::iter::repeat_n('0', (exponent + 1 - count) as usize));
            out.push_str(".0");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(source: &str) -> Option<String> {
        parse_number(source.as_bytes()).map(|n| n.to_text())
    }

    #[test]
    fn integers_in_all_radixes() {
        for (source, value) in [
            ("0", "0"),
            (" 12\n", "12"),
            ("-7", "-7"),
            ("+7", "7"),
            ("010", "8"),
            ("-0x1F", "-31"),
            ("0o17", "15"),
            ("0B101", "5"),
            ("000", "0"),
            ("-9223372036854775808", "-9223372036854775808"),
            ("9223372036854775808", "9223372036854775808"),
            ("-0x8000000000000000", "-9223372036854775808"),
            ("0777777777777777777777777", "4722366482869645213695"),
        ] {
            assert_eq!(text(source).as_deref(), Some(value), "{source}");
        }
        assert_eq!(
            parse_number(b"-9223372036854775808"),
            Some(Number::Int(i64::MIN))
        );
    }

    #[test]
    fn what_is_no_number() {
        for source in [
            "", " ", "08", "009", "0o8", "0x", "0b2", "1_0", "- 1", "--1", "1 2", "1e", "1e+", ".",
            "infi", "0d1", "1.5e", "nan(",
        ] {
            assert_eq!(text(source), None, "{source}");
        }
        assert!(looks_like_bad_octal(b" -08") && looks_like_bad_octal(b"009"));
        assert!(!looks_like_bad_octal(b"0o8") && !looks_like_bad_octal(b"8"));
        assert!(resembles_octal(b"-0o8") && resembles_octal(b"08") && !resembles_octal(b"0x8"));
    }

    #[test]
    fn doubles_print_shortest() {
        for (source, value) in [
            ("1.", "1.0"),
            (".5", "0.5"),
            ("08.5", "8.5"),
            ("08e1", "80.0"),
            ("0e5", "0.0"),
            ("-0.0", "-0.0"),
            ("1e16", "10000000000000000.0"),
            ("1e17", "1e+17"),
            ("123456789012345678.0", "1.2345678901234568e+17"),
            ("0.0001", "0.0001"),
            ("0.00001", "1e-5"),
            ("1.5e-7", "1.5e-7"),
            ("4.9e-324", "5e-324"),
            ("1e400", "Inf"),
            ("-infinity", "-Inf"),
            ("nan(7f)", "NaN"),
            ("12345678901234567.0", "12345678901234568.0"),
            ("928986962148670.25", "928986962148670.2"),
        ] {
            assert_eq!(text(source).as_deref(), Some(value), "{source}");
        }
    }

    #[test]
    fn prefixes_leave_the_rest() {
        assert_eq!(number_prefix(b"08"), Some((Number::Int(0), 1)));
        assert_eq!(number_prefix(b"1.5e+x"), Some((Number::Double(1.5), 3)));
        assert_eq!(number_prefix(b"0xg"), Some((Number::Int(0), 1)));
        assert_eq!(number_prefix(b"12]"), Some((Number::Int(12), 2)));
        assert_eq!(number_prefix(b"x"), None);
    }

    #[test]
    fn agrees_with_tclsh() {
        use crate::modulefile::tcl::oracle::{self, Oracle, Random};
        let Some(mut tclsh) = Oracle::start() else {
            return;
        };
        let mut random = Random::new(2);
        let pieces = [
            "0",
            "1",
            "7",
            "8",
            "9",
            "x",
            "o",
            "b",
            "e",
            "E",
            ".",
            "+",
            "-",
            " ",
            "f",
            "12345678901234567890",
            "inf",
            "nan",
            "05",
        ];
        for _ in 0..oracle::cases(4000) {
            let text = random.text(&pieces, 5);
            let script = [b"set x ", &oracle::quote(&text)[..], b"; list [string is entier -strict $x] [string is double -strict $x] [catch {expr {+$x}} y] $y"].concat();
            let theirs = String::from_utf8(tclsh.eval(&script).unwrap()).unwrap();
            let number = parse_number(&text);
            let integer = matches!(number, Some(Number::Int(_) | Number::Big(_)));
            let mut ours = format!("{} {} ", u8::from(integer), u8::from(number.is_some()));
            match number {
                Some(number) if !number.to_double().is_nan() => {
                    ours += &format!("0 {}", number.to_text())
                }
                _ => ours.push('1'),
            }
            assert!(
                theirs.starts_with(&ours),
                "{}: {theirs} {ours}",
                String::from_utf8_lossy(&script)
            );
        }
        for _ in 0..oracle::cases(4000) {
            let value = match random.below(4) {
                0 => f64::from_bits(random.next()),
                1 => random.next() as f64 / 1e4,
                2 => 2f64.powi(random.below(2000) as i32 - 1000),
                _ => (random.below(100_000) as f64) * 10f64.powi(random.below(40) as i32 - 20),
            };
            if value.is_finite() {
                // The hexadecimal digits keep the value exact.
                let script = format!(
                    "binary scan [binary format H* {:016x}] Q x; set x",
                    value.to_bits()
                );
                tclsh.expect(script.as_bytes(), Ok(format_double(value).into_bytes()));
            }
        }
        tclsh.finish();
    }
}
