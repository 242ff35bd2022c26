//! Tcl's `format`: values through a template with `%` fields.
//!
//! Integers are 64 bits wide (16 with `h`, unbounded with `ll`); widths and precisions of strings count characters.
//! Source: Tcl manual, format(n). `%a` and `%p` are not in Tcl 8.6.

use super::chars;
use super::number::{self, Number};
use num_bigint::BigInt;
use num_traits::ToPrimitive;
use std::borrow::Cow;

/// Fields wider than this are refused; Tcl would run out of memory somewhat later.
const MAX_FIELD: usize = 1 << 26;
/// Beyond this many digits a double has only zeros.
const MAX_DIGITS: usize = 1100;

/// What `format` asks of a value.
pub(crate) trait Argument {
    /// The value as text.
    fn text(&self) -> Cow<'_, [u8]>;

    /// The value as a number, if it is one.
    fn number(&self) -> Option<Number> {
        number::parse_number(&self.text())
    }
}

impl Argument for &[u8] {
    fn text(&self) -> Cow<'_, [u8]> {
        Cow::Borrowed(self)
    }
}

/// Formats `arguments` by `template`.
///
/// # Errors
/// Tcl's own text, when the template is wrong or an argument is missing or of the wrong kind.
pub(crate) fn format<A: Argument>(template: &[u8], arguments: &[A]) -> Result<Vec<u8>, Vec<u8>> {
    let mut job = Job {
        template,
        at: 0,
        arguments,
        next: 0,
        order: None,
        out: Vec::with_capacity(template.len() + 16),
    };
    while let Some(percent) = template[job.at..].iter().position(|&b| b == b'%') {
        job.out.extend(&template[job.at..job.at + percent]);
        job.at += percent + 1;
        if job.eat(b'%') {
            job.out.push(b'%');
        } else {
            job.field()?;
        }
    }
    job.out.extend(&template[job.at..]);
    Ok(job.out)
}

/// Whether fields take arguments in turn or by number; one template must not do both.
#[derive(Clone, Copy, PartialEq)]
enum Order {
    InTurn,
    Numbered,
}

/// The integer width which a size letter asks for.
#[derive(Clone, Copy, PartialEq)]
enum Size {
    Short,
    Wide,
    Unbounded,
}

#[derive(Default)]
struct Flags {
    minus: bool,
    hash: bool,
    zero: bool,
    space: bool,
    plus: bool,
}

struct Field {
    flags: Flags,
    width: usize,
    precision: Option<usize>,
    size: Size,
}

struct Job<'a, A> {
    template: &'a [u8],
    at: usize,
    arguments: &'a [A],
    next: usize,
    order: Option<Order>,
    out: Vec<u8>,
}

impl<'a, A: Argument> Job<'a, A> {
    fn peek(&self) -> Option<u8> {
        self.template.get(self.at).copied()
    }

    fn eat(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    /// Reads decimal digits; a number too large for a field is [`MAX_FIELD`] + 1.
    fn digits(&mut self) -> Option<usize> {
        let count = self.template[self.at..]
            .iter()
            .take_while(|b| b.is_ascii_digit())
            .count();
        let digits = &self.template[self.at..self.at + count];
        self.at += count;
        let value = digits.iter().fold(0usize, |sum, b| {
            (sum * 10 + usize::from(b - b'0')).min(MAX_FIELD + 1)
        });
        (count > 0).then_some(value)
    }

    /// Formats the field which begins behind the `%`.
    fn field(&mut self) -> Result<(), Vec<u8>> {
        self.choose_argument()?;
        let mut flags = self.flags();
        let width = match self.width()? {
            width if width < 0 => {
                flags.minus = true;
                width.unsigned_abs() as usize
            }
            width => width as usize,
        };
        let precision = self.precision()?;
        let size = self.size();
        let Some((kind, length)) = chars::decode(&self.template[self.at..]) else {
            return Err(b"format string ended in middle of field specifier".to_vec());
        };
        let letter = &self.template[self.at..self.at + length];
        self.at += length;
        let kind = u8::try_from(kind).unwrap_or(0);
        let kind = if kind == b'i' { b'd' } else { kind };
        if !b"csdoxXbueEfgG".contains(&kind) {
            return Err([b"bad field specifier \"", letter, b"\""].concat());
        }
        if width.max(precision.unwrap_or(0)) > MAX_FIELD {
            return Err(b"max size for a Tcl value exceeded".to_vec());
        }
        let argument = self.take_argument()?;
        let field = Field {
            flags,
            width,
            precision,
            size,
        };
        match kind {
            b's' => {
                let text = argument.text();
                let text = field
                    .precision
                    .map_or(&text[..], |most| chars::slice(&text, 0, most));
                field.pad(text, field.flags.zero, &mut self.out);
            }
            b'c' => {
                let mut spelling = Vec::new();
                chars::push(&mut spelling, character(argument)?);
                field.pad(&spelling, field.flags.zero, &mut self.out);
            }
            b'e' | b'E' | b'f' | b'g' | b'G' => {
                field.double(kind, double(argument)?, &mut self.out)
            }
            _ => field.integer(kind, argument, &mut self.out)?,
        }
        Ok(())
    }

    /// Reads `n$`, if it stands here, and checks that there is an argument for the field.
    fn choose_argument(&mut self) -> Result<(), Vec<u8>> {
        let start = self.at;
        let order = match self.digits() {
            Some(position) if self.eat(b'$') => {
                self.next = position.wrapping_sub(1);
                Order::Numbered
            }
            _ => {
                self.at = start;
                Order::InTurn
            }
        };
        if *self.order.get_or_insert(order) != order {
            return Err(b"cannot mix \"%\" and \"%n$\" conversion specifiers".to_vec());
        }
        if self.next >= self.arguments.len() {
            Err(self.no_argument())
        } else {
            Ok(())
        }
    }

    fn take_argument(&mut self) -> Result<&'a A, Vec<u8>> {
        let argument = self
            .arguments
            .get(self.next)
            .ok_or_else(|| self.no_argument())?;
        self.next += 1;
        Ok(argument)
    }

    /// Takes the number for a `*`, behind which one more argument must follow.
    fn star(&mut self) -> Result<i64, Vec<u8>> {
        if self.next + 1 >= self.arguments.len() {
            return Err(self.no_argument());
        }
        small(self.take_argument()?)
    }

    fn no_argument(&self) -> Vec<u8> {
        match self.order {
            Some(Order::Numbered) => b"\"%n$\" argument index out of range".to_vec(),
            _ => b"not enough arguments for all format specifiers".to_vec(),
        }
    }

    fn flags(&mut self) -> Flags {
        let mut flags = Flags::default();
        loop {
            match self.peek() {
                Some(b'-') => flags.minus = true,
                Some(b'#') => flags.hash = true,
                Some(b'0') => flags.zero = true,
                Some(b' ') => flags.space = true,
                Some(b'+') => flags.plus = true,
                _ => return flags,
            }
            self.at += 1;
        }
    }

    fn width(&mut self) -> Result<i64, Vec<u8>> {
        if self.eat(b'*') {
            return Ok(self
                .star()?
                .clamp(-(MAX_FIELD as i64) - 1, MAX_FIELD as i64 + 1));
        }
        Ok(self.digits().unwrap_or(0) as i64)
    }

    fn precision(&mut self) -> Result<Option<usize>, Vec<u8>> {
        if !self.eat(b'.') {
            return Ok(None);
        }
        if self.eat(b'*') {
            let precision = self.star()?;
            return Ok(Some(precision.clamp(0, MAX_FIELD as i64 + 1) as usize));
        }
        Ok(Some(self.digits().unwrap_or(0)))
    }

    fn size(&mut self) -> Size {
        if self.eat(b'h') {
            return Size::Short;
        }
        if self.eat(b'l') && self.eat(b'l') {
            return Size::Unbounded;
        }
        Size::Wide
    }
}

impl Field {
    /// Writes a finished field, filled up to its width.
    fn pad(&self, text: &[u8], zeros: bool, out: &mut Vec<u8>) {
        let missing = if self.width == 0 {
            0
        } else {
            self.width.saturating_sub(chars::count(text))
        };
        let fill = std::iter::repeat_n(if zeros { b'0' } else { b' ' }, missing);
        if self.flags.minus {
            out.extend(text);
            out.extend(fill);
        } else {
            out.extend(fill);
            out.extend(text);
        }
    }

    fn integer<A: Argument>(
        &self,
        kind: u8,
        argument: &A,
        out: &mut Vec<u8>,
    ) -> Result<(), Vec<u8>> {
        if self.size == Size::Unbounded && kind == b'u' {
            return Err(b"unsigned bignum format is invalid".to_vec());
        }
        let number = integer(argument)?;
        let signed = kind == b'd';
        let (negative, digits) = match self.size {
            Size::Unbounded => {
                let big = match number {
                    Number::Int(value) => BigInt::from(value),
                    Number::Big(value) => value,
                    Number::Double(_) => BigInt::ZERO,
                };
                let radix = radix(kind);
                (big < BigInt::ZERO, big.magnitude().to_str_radix(radix))
            }
            size => {
                let wide = low_bits(&number);
                match (size, signed) {
                    (Size::Short, true) => digits_of_signed(i64::from(wide as i16)),
                    (Size::Short, false) => (false, digits_of(u64::from(wide as u16), kind)),
                    (_, true) => digits_of_signed(wide),
                    (_, false) => (false, digits_of(wide as u64, kind)),
                }
            }
        };
        let mut text = String::new();
        if signed || self.size == Size::Unbounded {
            match (negative, self.flags.plus, self.flags.space) {
                (true, ..) => text.push('-'),
                (_, true, _) => text.push('+'),
                (_, _, true) => text.push(' '),
                _ => {}
            }
        }
        let mut precision = self.precision.unwrap_or(0);
        if self.flags.hash {
            match kind {
                b'x' => text.push_str("0x"),
                b'X' => text.push_str("0X"),
                b'b' => text.push_str("0b"),
                b'o' if digits != "0" || precision > 1 => {
                    text.push('0');
                    precision = precision.saturating_sub(1);
                }
                _ => {}
            }
        }
        if self.precision.is_none() && self.flags.zero {
            precision = self.width.saturating_sub(text.len());
        }
        text.extend(std::iter::repeat_n(
            '0',
            precision.saturating_sub(digits.len()),
        ));
        text.push_str(&if kind == b'X' {
            digits.to_ascii_uppercase()
        } else {
            digits
        });
        self.pad(text.as_bytes(), false, out);
        Ok(())
    }

    fn double(&self, kind: u8, value: f64, out: &mut Vec<u8>) {
        let precision = self.precision.unwrap_or(6);
        let magnitude = value.abs();
        let body = match kind {
            _ if !magnitude.is_finite() => "inf".to_owned(),
            b'f' => fixed(magnitude, precision, self.flags.hash),
            b'e' | b'E' => scientific(magnitude, precision, self.flags.hash),
            _ => general(magnitude, precision.max(1), self.flags.hash),
        };
        let body = if kind.is_ascii_uppercase() {
            body.to_ascii_uppercase()
        } else {
            body
        };
        let sign = match (value.is_sign_negative(), self.flags.plus, self.flags.space) {
            (true, ..) => "-",
            (_, true, _) => "+",
            (_, _, true) => " ",
            _ => "",
        };
        let zeros = if self.flags.zero && !self.flags.minus && magnitude.is_finite() {
            self.width.saturating_sub(sign.len() + body.len())
        } else {
            0
        };
        let text = [sign, &"0".repeat(zeros), &body].concat();
        self.pad(text.as_bytes(), false, out);
    }
}

fn radix(kind: u8) -> u32 {
    match kind {
        b'o' => 8,
        b'x' | b'X' => 16,
        b'b' => 2,
        _ => 10,
    }
}

fn digits_of(value: u64, kind: u8) -> String {
    match kind {
        b'o' => format!("{value:o}"),
        b'x' | b'X' => format!("{value:x}"),
        b'b' => format!("{value:b}"),
        _ => value.to_string(),
    }
}

fn digits_of_signed(value: i64) -> (bool, String) {
    (value < 0, value.unsigned_abs().to_string())
}

/// The lowest 64 bits of an integer of any size, in two's complement.
fn low_bits(number: &Number) -> i64 {
    match number {
        Number::Int(value) => *value,
        Number::Big(value) => {
            let low: BigInt = value & BigInt::from(u64::MAX);
            low.to_u64().unwrap_or(0) as i64
        }
        Number::Double(_) => 0,
    }
}

fn character<A: Argument>(argument: &A) -> Result<chars::Char, Vec<u8>> {
    let code = small(argument)?;
    Ok(u32::try_from(code)
        .ok()
        .filter(|&code| code < chars::RAW)
        .unwrap_or(0xFFFD))
}

/// An integer as C's `int` has it.
fn small<A: Argument>(argument: &A) -> Result<i64, Vec<u8>> {
    // Tcl takes a NaN, though no other double, for a number which does not fit.
    if matches!(argument.number(), Some(Number::Double(value)) if value.is_nan()) {
        return Err(b"integer value too large to represent".to_vec());
    }
    match integer(argument)? {
        Number::Int(value @ -0x8000_0000..=0xFFFF_FFFF) => Ok(i64::from(value as i32)),
        _ => Err(b"integer value too large to represent".to_vec()),
    }
}

fn integer<A: Argument>(argument: &A) -> Result<Number, Vec<u8>> {
    match argument.number() {
        Some(number @ (Number::Int(_) | Number::Big(_))) => Ok(number),
        _ => Err(expected("integer", &argument.text())),
    }
}

fn double<A: Argument>(argument: &A) -> Result<f64, Vec<u8>> {
    match argument.number() {
        Some(number) => match number.to_double() {
            value if value.is_nan() => Err(b"floating point value is Not a Number".to_vec()),
            value => Ok(value),
        },
        None => {
            let text = argument.text();
            let mut message = expected("floating-point number", &text);
            if number::looks_like_bad_octal(&text) {
                message.extend(b" (looks like invalid octal number)");
            }
            Err(message)
        }
    }
}

/// Tcl's text for a value of the wrong kind; a long value is cut to 50 bytes.
fn expected(what: &str, got: &[u8]) -> Vec<u8> {
    let end = chars::char_indices(got)
        .map(|(at, _)| at)
        .chain([got.len()])
        .take_while(|&at| at <= 50)
        .last();
    [
        b"expected ",
        what.as_bytes(),
        b" but got \"",
        &got[..end.unwrap_or(0)],
        b"\"",
    ]
    .concat()
}

/// `%f` of a finite value that is not negative.
fn fixed(value: f64, precision: usize, hash: bool) -> String {
    let exact = precision.min(MAX_DIGITS);
    let mut text = format!("{value:.exact$}");
    text.extend(std::iter::repeat_n('0', precision - exact));
    if hash && precision == 0 {
        text.push('.');
    }
    text
}

/// `%e` of a finite value that is not negative: the exponent has a sign and at least two digits.
fn scientific(value: f64, precision: usize, hash: bool) -> String {
    let exact = precision.min(MAX_DIGITS);
    let text = format!("{value:.exact$e}");
    let (mantissa, exponent) = text.split_once('e').expect("the e format writes an e");
    let zeros = "0".repeat(precision - exact);
    let point = if hash && precision == 0 { "." } else { "" };
    let (sign, exponent) = exponent
        .strip_prefix('-')
        .map_or(('+', exponent), |digits| ('-', digits));
    format!("{mantissa}{zeros}{point}e{sign}{exponent:0>2}")
}

/// `%g` of a finite value that is not negative: the shorter of both, without zeros at the end unless `hash`.
fn general(value: f64, precision: usize, hash: bool) -> String {
    let text = scientific(value, precision - 1, hash);
    let (mantissa, exponent) = text.split_once('e').expect("the e format writes an e");
    let power: i64 = exponent.parse().expect("the e format ends in an integer");
    let strip = |text: &str| match text.contains('.') && !hash {
        true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => text.to_owned(),
    };
    if power < -4 || power >= precision as i64 {
        return format!("{}e{exponent}", strip(mantissa));
    }
    strip(&fixed(value, (precision as i64 - 1 - power) as usize, hash))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::modulefile::tcl::oracle::{self, Oracle, Random};

    fn ours(template: &[u8], arguments: &[&[u8]]) -> Result<String, String> {
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        format(template, arguments).map(text).map_err(text)
    }

    #[test]
    fn fields_of_every_kind() {
        for (template, arguments, expected) in [
            (
                "%5d|%-5d|%05d|%+d",
                &["3", "3", "-3", "3"][..],
                "    3|3    |-0003|+3",
            ),
            (
                "%x %#x %#o %#b %X",
                &["255", "255", "8", "5", "255"],
                "ff 0xff 010 0b101 FF",
            ),
            ("%lld", &["99999999999999999999"], "99999999999999999999"),
            ("%d", &["99999999999999999999"], "7766279631452241919"),
            ("%2$s %1$s", &["a", "b"], "b a"),
            ("%.2s|%5s", &["éab", "é"], "éa|    é"),
            (
                "%g %g %.3e",
                &["1000000", "0.0001", "12345.678"],
                "1e+06 0.0001 1.235e+04",
            ),
            ("%*d|%.*f", &["-5", "3", "2", "3.14159"], "3    |3.14"),
            ("%c%%", &["233"], "é%"),
        ] {
            let arguments: Vec<&[u8]> = arguments.iter().map(|a| a.as_bytes()).collect();
            assert_eq!(
                ours(template.as_bytes(), &arguments).as_deref(),
                Ok(expected),
                "{template}"
            );
        }
        assert_eq!(
            ours(b"%-999999999999s", &[b"a"]).unwrap_err(),
            "max size for a Tcl value exceeded"
        );
        assert_eq!(ours(b"%.70000f", &[b"0.5"]).unwrap().len(), 70002);
    }

    #[test]
    fn agrees_with_tclsh() {
        let Some(mut tclsh) = Oracle::start() else {
            return;
        };
        let mut random = Random::new(3);
        let flags = ["", "", "-", "0", "+", " ", "#", "-0", "+#", "0#"];
        let widths = ["", "", "", "4", "9", "*", "1$", "2$"];
        let precisions = ["", "", "", ".", ".0", ".1", ".3", ".20", ".*"];
        let sizes = ["", "", "", "h", "l", "ll", "L"];
        let kinds = [
            "d", "d", "i", "u", "o", "x", "X", "b", "c", "s", "s", "e", "E", "f", "g", "G", "f",
            "y", "%", "é", "",
        ];
        let values = [
            "0",
            "1",
            "-1",
            "7",
            "-42",
            "255",
            "65000",
            "40000",
            "99999999999999999999",
            "-99999999999999999999",
            "0x1f",
            "010",
            "08",
            "1.5",
            "-0.25",
            "2.5",
            "0.5",
            "1e10",
            "1e300",
            "-1e-7",
            "0.0001",
            "123456.789",
            "999999.4",
            "Inf",
            "-Inf",
            "NaN",
            "abc",
            "é€",
            "",
            " 5 ",
            "9.9999999",
            "0.1",
            "-0.0",
            "1e22",
            "5e-324",
        ];
        for _ in 0..oracle::cases(6000) {
            let mut template = random.text(&["a", "é", " "], 1);
            for _ in 0..1 + random.below(2) {
                for part in [&["%"][..], &flags, &widths, &precisions, &sizes, &kinds] {
                    template.extend(random.pick(part).as_bytes());
                }
            }
            let arguments: Vec<&[u8]> = (0..random.below(5))
                .map(|_| random.pick(&values).as_bytes())
                .collect();
            let mut script = [b"format ", &oracle::quote(&template)[..]].concat();
            for argument in &arguments {
                script.extend([b" ", &oracle::quote(argument)[..]].concat());
            }
            tclsh.expect(&script, format(&template, &arguments));
        }
        tclsh.finish();
    }
}
