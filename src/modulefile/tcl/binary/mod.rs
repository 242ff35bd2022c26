//! Tcl's `binary`: values as bytes of fixed layouts, and bytes as text.
//!
//! Bytes are values whose characters are below 256 (see `encoding.rs`). Source: Tcl manual, binary(n).

mod text;

use super::encoding::{from_bytes, to_bytes};
use super::number::{self, Number};
use num_bigint::BigInt;

pub(crate) use text::{decode, encode};

/// More bytes than this are refused.
const MAX_BYTES: usize = 1 << 28;

/// How a list is taken apart; the interpreter knows.
pub(crate) type SplitList<'a> = &'a dyn Fn(&[u8]) -> Result<Vec<Vec<u8>>, Vec<u8>>;

/// One value read by `binary scan`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Found {
    Text(Vec<u8>),
    Number(Number),
    Numbers(Vec<Number>),
}

/// How often a field is repeated.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Count {
    One,
    Exactly(usize),
    All,
}

/// A field of a layout.
struct Field<'a> {
    kind: u8,
    /// The first character as written, for messages: the letter, or a blank before it.
    spelling: &'a [u8],
    unsigned: bool,
    count: Count,
}

/// Reads the fields of a layout.
struct Fields<'a> {
    rest: &'a [u8],
}

impl<'a> Iterator for Fields<'a> {
    type Item = Field<'a>;

    fn next(&mut self) -> Option<Field<'a>> {
        // Only plain spaces part fields; other letters are looked at by those who read them.
        let blanks = self.rest.iter().take_while(|&&b| b == b' ').count();
        self.rest = &self.rest[blanks..];
        let (_, length) = super::chars::decode(self.rest)?;
        let (letter, rest) = self.rest.split_at(length);
        self.rest = rest;
        let unsigned = self.rest.first() == Some(&b'u');
        self.rest = &self.rest[usize::from(unsigned)..];
        let digits = self.rest.iter().take_while(|b| b.is_ascii_digit()).count();
        let count = match self.rest.first() {
            Some(b'*') => Count::All,
            _ if digits > 0 => {
                let add =
                    |n: usize, b: &u8| n.saturating_mul(10).saturating_add(usize::from(b - b'0'));
                Count::Exactly(self.rest[..digits].iter().fold(0, add))
            }
            _ => Count::One,
        };
        self.rest = &self.rest[if count == Count::All { 1 } else { digits }..];
        Some(Field {
            kind: if length == 1 { letter[0] } else { 0 },
            spelling: if blanks > 0 { b" " } else { letter },
            unsigned,
            count,
        })
    }
}

/// The width in bytes and whether the highest comes first, of number fields.
fn layout(kind: u8) -> Option<(usize, bool)> {
    let native = cfg!(target_endian = "big");
    Some(match kind {
        b'c' => (1, false),
        b's' => (2, false),
        b'S' => (2, true),
        b't' => (2, native),
        b'i' | b'r' => (4, false),
        b'I' | b'R' => (4, true),
        b'n' | b'f' => (4, native),
        b'w' | b'q' => (8, false),
        b'W' | b'Q' => (8, true),
        b'm' | b'd' => (8, native),
        _ => return None,
    })
}

fn is_double(kind: u8) -> bool {
    b"frRdqQ".contains(&kind)
}

fn bad_field(field: &Field<'_>) -> Vec<u8> {
    [b"bad field specifier \"", field.spelling, b"\""].concat()
}

fn no_arguments() -> Vec<u8> {
    b"not enough arguments for all format specifiers".to_vec()
}

/// `binary format`: writes values by a layout.
///
/// # Errors
/// Tcl's text.
pub(crate) fn format(
    layout: &[u8],
    values: &[&[u8]],
    split: SplitList<'_>,
) -> Result<Vec<u8>, Vec<u8>> {
    check(layout, values, split)?;
    let mut writer = Writer {
        bytes: Vec::new(),
        at: 0,
    };
    let mut values = values.iter().copied();
    for field in (Fields { rest: layout }) {
        writer.field(&field, &mut values, split)?;
        if writer.bytes.len() > MAX_BYTES {
            return Err(b"max size for a Tcl value exceeded".to_vec());
        }
    }
    Ok(from_bytes(&writer.bytes))
}

/// Checks a whole layout and its number of values, before the first of them is looked at.
fn check(fields: &[u8], values: &[&[u8]], split: SplitList<'_>) -> Result<(), Vec<u8>> {
    let mut values = values.iter();
    for field in (Fields { rest: fields }) {
        match field.kind {
            b'x' if field.count == Count::All => {
                return Err(b"cannot use \"*\" in format string with \"x\"".to_vec());
            }
            b'@' if field.count == Count::One => {
                return Err(b"missing count for \"@\" field specifier".to_vec());
            }
            b'x' | b'X' | b'@' => {}
            b'a' | b'A' | b'b' | b'B' | b'h' | b'H' => {
                values.next().ok_or_else(no_arguments)?;
            }
            kind if layout(kind).is_none() => return Err(bad_field(&field)),
            _ => {
                let value = values.next().ok_or_else(no_arguments)?;
                if let Count::Exactly(count) = field.count
                    && split(value)?.len() < count
                {
                    return Err(b"number of elements in list does not match count".to_vec());
                }
            }
        }
    }
    Ok(())
}

struct Writer {
    bytes: Vec<u8>,
    at: usize,
}

impl Writer {
    fn put(&mut self, piece: &[u8]) {
        let end = self.at + piece.len();
        if end > self.bytes.len() {
            self.bytes.resize(end, 0);
        }
        self.bytes[self.at..end].copy_from_slice(piece);
        self.at = end;
    }

    fn field<'v>(
        &mut self,
        field: &Field<'_>,
        values: &mut impl Iterator<Item = &'v [u8]>,
        split: SplitList<'_>,
    ) -> Result<(), Vec<u8>> {
        if let Count::Exactly(count) = field.count
            && count > MAX_BYTES
        {
            return Err(b"max size for a Tcl value exceeded".to_vec());
        }
        match field.kind {
            b'a' | b'A' => {
                let mut bytes = to_bytes(values.next().ok_or_else(no_arguments)?);
                let length = count_of(field.count, bytes.len());
                bytes.resize(length, if field.kind == b'a' { 0 } else { b' ' });
                self.put(&bytes);
            }
            b'b' | b'B' | b'h' | b'H' => {
                let value = values.next().ok_or_else(no_arguments)?;
                let piece = packed(field, value)?;
                self.put(&piece);
            }
            b'x' => self.put(&vec![0; count_of(field.count, 0)]),
            b'X' => self.at = self.at.saturating_sub(count_of(field.count, self.at)),
            b'@' => {
                self.at = count_of(field.count, self.bytes.len());
                self.bytes.resize(self.bytes.len().max(self.at), 0);
            }
            kind => {
                let Some((width, big)) = layout(kind) else {
                    return Err(bad_field(field));
                };
                let value = values.next().ok_or_else(no_arguments)?;
                if field.count == Count::One {
                    return number_bytes(value, kind, width, big).map(|bytes| self.put(&bytes));
                }
                let items = split(value)?;
                for item in items.iter().take(count_of(field.count, items.len())) {
                    let bytes = number_bytes(item, kind, width, big)?;
                    self.put(&bytes);
                }
            }
        }
        Ok(())
    }
}

/// The number a count stands for, where there are `all` things.
fn count_of(count: Count, all: usize) -> usize {
    match count {
        Count::One => 1,
        Count::Exactly(count) => count,
        Count::All => all,
    }
}

/// Binary or hexadecimal digits as bytes; missing ones are zero.
fn packed(field: &Field<'_>, value: &[u8]) -> Result<Vec<u8>, Vec<u8>> {
    let (bits, name) = match field.kind {
        b'b' | b'B' => (1, "binary"),
        _ => (4, "hexadecimal"),
    };
    let low_first = field.kind.is_ascii_lowercase();
    let digits = to_bytes(value);
    let count = count_of(field.count, digits.len());
    let per_byte = 8 / bits;
    let mut out = vec![0; count.div_ceil(per_byte)];
    for (index, &digit) in digits.iter().take(count).enumerate() {
        let Some(digit) = char::from(digit).to_digit(1 << bits) else {
            return Err([
                b"expected ",
                name.as_bytes(),
                b" string but got \"",
                value,
                b"\" instead",
            ]
            .concat());
        };
        let place = index % per_byte;
        let shift = if low_first {
            place
        } else {
            per_byte - 1 - place
        } * bits;
        out[index / per_byte] |= (digit << shift) as u8;
    }
    Ok(out)
}

fn number_bytes(value: &[u8], kind: u8, width: usize, big: bool) -> Result<Vec<u8>, Vec<u8>> {
    let number = number::parse_number(value);
    let expected =
        |what: &str| Err([b"expected ", what.as_bytes(), b" but got \"", value, b"\""].concat());
    let mut bytes = if is_double(kind) {
        let Some(number) = number else {
            return expected("floating-point number");
        };
        match (number.to_double(), width) {
            (double, 8) => double.to_le_bytes().to_vec(),
            // A float takes what is nearest and finite.
            (double, _) if double.abs() > f64::from(f32::MAX) => {
                f32::MAX.copysign(double as f32).to_le_bytes().to_vec()
            }
            (double, _) => (double as f32).to_le_bytes().to_vec(),
        }
    } else {
        let wide = match number {
            Some(Number::Int(value)) => value,
            Some(Number::Big(value))
                if value <= BigInt::from(u64::MAX) && value >= BigInt::from(i64::MIN) =>
            {
                u64::try_from(&value).map_or(i64::MIN, |value| value as i64)
            }
            Some(Number::Big(_)) => return Err(b"integer value too large to represent".to_vec()),
            _ => return expected("integer"),
        };
        wide.to_le_bytes()[..width].to_vec()
    };
    if big {
        bytes.reverse();
    }
    Ok(bytes)
}

/// The answer of `binary scan`.
#[derive(Debug, PartialEq)]
pub(crate) struct Outcome {
    /// The values for the first variables; these are set even when the layout fails later.
    pub(crate) values: Vec<Found>,
    /// Tcl's text, if the layout is wrong.
    pub(crate) trouble: Option<Vec<u8>>,
}

/// `binary scan`: reads the bytes of a value by a layout, for so many variables.
pub(crate) fn scan(value: &[u8], layout: &[u8], variables: usize) -> Outcome {
    let bytes = to_bytes(value);
    let mut reader = Reader {
        bytes: &bytes,
        at: 0,
    };
    let mut values = Vec::new();
    for field in (Fields { rest: layout }) {
        match reader.field(&field, values.len() < variables) {
            Ok(Step::Value(value)) => values.push(value),
            Ok(Step::Moved) => {}
            Ok(Step::Short) => break,
            Err(trouble) => {
                return Outcome {
                    values,
                    trouble: Some(trouble),
                };
            }
        }
    }
    Outcome {
        values,
        trouble: None,
    }
}

enum Step {
    Value(Found),
    Moved,
    /// There are not enough bytes: the scan ends.
    Short,
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Reader<'_> {
    fn field(&mut self, field: &Field<'_>, has_variable: bool) -> Result<Step, Vec<u8>> {
        let left = self.bytes.len() - self.at;
        match field.kind {
            b'x' => self.at += count_of(field.count, left).min(left),
            b'X' => self.at -= count_of(field.count, self.at).min(self.at),
            b'@' => match field.count {
                Count::One => return Err(b"missing count for \"@\" field specifier".to_vec()),
                count => self.at = count_of(count, self.bytes.len()).min(self.bytes.len()),
            },
            kind if !b"aAbBhH".contains(&kind) && layout(kind).is_none() => {
                return Err(bad_field(field));
            }
            _ if !has_variable => return Err(no_arguments()),
            kind => {
                return Ok(self
                    .value(kind, field, left)
                    .map_or(Step::Short, Step::Value));
            }
        }
        Ok(Step::Moved)
    }

    fn value(&mut self, kind: u8, field: &Field<'_>, left: usize) -> Option<Found> {
        match kind {
            b'a' | b'A' => {
                let bytes = self.take(count_of(field.count, left))?;
                let end = bytes
                    .iter()
                    .rposition(|&b| kind == b'a' || !b" \0".contains(&b))
                    .map_or(0, |last| last + 1);
                Some(Found::Text(from_bytes(&bytes[..end])))
            }
            b'b' | b'B' | b'h' | b'H' => {
                let bits = if kind.eq_ignore_ascii_case(&b'b') {
                    1
                } else {
                    4
                };
                let per_byte = 8 / bits;
                let count = count_of(field.count, left * per_byte);
                let bytes = self.take(count.div_ceil(per_byte))?;
                let digit = |index: usize| {
                    let place = index % per_byte;
                    let shift = if kind.is_ascii_lowercase() {
                        place
                    } else {
                        per_byte - 1 - place
                    } * bits;
                    let digit = u32::from(bytes[index / per_byte] >> shift) & ((1 << bits) - 1);
                    char::from_digit(digit, 16).map_or(b'0', |digit| digit as u8)
                };
                Some(Found::Text((0..count).map(digit).collect()))
            }
            _ => {
                let (width, big) = layout(kind)?;
                let read = |bytes: &[u8]| number_of(bytes, kind, big, field.unsigned);
                if field.count == Count::One {
                    return self.take(width).map(|bytes| Found::Number(read(bytes)));
                }
                let count = count_of(field.count, left / width);
                let bytes = self.take(count.checked_mul(width)?)?;
                Some(Found::Numbers(
                    bytes.chunks_exact(width).map(read).collect(),
                ))
            }
        }
    }

    fn take(&mut self, count: usize) -> Option<&[u8]> {
        let bytes = self.bytes[self.at..].get(..count)?;
        self.at += count;
        Some(bytes)
    }
}

fn number_of(bytes: &[u8], kind: u8, big: bool, unsigned: bool) -> Number {
    let mut wide = [0; 8];
    for (place, &byte) in bytes.iter().enumerate() {
        wide[if big { bytes.len() - 1 - place } else { place }] = byte;
    }
    let value = u64::from_le_bytes(wide);
    if is_double(kind) {
        return Number::Double(match bytes.len() {
            4 => f64::from(f32::from_bits(value as u32)),
            _ => f64::from_bits(value),
        });
    }
    let shift = 64 - 8 * bytes.len() as u32;
    match unsigned {
        true => BigInt::from(value).into(),
        false => Number::Int((value << shift) as i64 >> shift),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::modulefile::tcl::oracle::{self, Oracle, Random};

    fn words(list: &[u8]) -> Result<Vec<Vec<u8>>, Vec<u8>> {
        Ok(list
            .split(|&b| b == b' ')
            .filter(|word| !word.is_empty())
            .map(<[u8]>::to_vec)
            .collect())
    }

    #[test]
    fn bytes_by_a_layout() {
        let made = |layout: &str, values: &[&str]| {
            let values: Vec<&[u8]> = values.iter().map(|value| value.as_bytes()).collect();
            format(layout.as_bytes(), &values, &words)
        };
        assert_eq!(
            made("a3 c s2", &["é", "-1", "1 2"]).unwrap(),
            "é\0\0ÿ\u{1}\0\u{2}\0".as_bytes()
        );
        assert_eq!(
            made("H3B4", &["1f2", "1011"]).unwrap(),
            "\u{1f}\u{20}\u{b0}".as_bytes()
        );
        assert_eq!(
            made("a999999999999", &["a"]).unwrap_err(),
            b"max size for a Tcl value exceeded"
        );
        let found = scan("\u{ff}\u{ff}ab ".as_bytes(), b"suA*", 2);
        assert_eq!(
            found.values,
            [
                Found::Number(Number::Int(65535)),
                Found::Text(b"ab".to_vec())
            ]
        );
        assert_eq!(scan(b"a", b"a99999999999999999999 c", 2).values, []);
    }

    #[test]
    fn agrees_with_tclsh() {
        let Some(mut tclsh) = Oracle::start() else {
            return;
        };
        let mut random = Random::new(12);
        let letters = "aAbBhHcsStiInwWmfrRdqQxX@y".as_bytes();
        // With a count of 0, tclsh crashes at times.
        let counts = ["", "", "", "2", "3", "9", "*", "u", "u2"];
        let values = [
            "1",
            "-1",
            "ab",
            "1 2 3",
            "1.5",
            "255",
            "99999999999",
            "18446744073709551615",
            "99999999999999999999",
            "1011",
            "é€",
            "",
            "0x1f",
        ];
        for _ in 0..oracle::cases(4000) {
            let mut layout = Vec::new();
            for _ in 0..1 + random.below(4) {
                layout.push(*random.pick(letters));
                layout.extend(random.pick(&counts).as_bytes());
                layout.extend(random.text(&[" "], 1));
            }
            let chosen: Vec<&[u8]> = (0..random.below(5))
                .map(|_| random.pick(&values).as_bytes())
                .collect();
            let mut script = [b"binary format ", &oracle::quote(&layout)[..]].concat();
            for value in &chosen {
                script.extend([b" ", &oracle::quote(value)[..]].concat());
            }
            tclsh.expect(&script, format(&layout, &chosen, &words));

            let text = random.text(&["a", "b", " ", "\u{ff}", "\u{1}", "\u{80}", "?"], 12);
            let variables = random.below(4);
            let names: Vec<String> = (0..variables).map(|n| format!(" v{n}")).collect();
            let shown: Vec<String> = (0..variables)
                .map(|n| format!("; append r |$v{n}"))
                .collect();
            let script = [
                b"lassign {- - -} v0 v1 v2; if {[catch {binary scan ",
                &oracle::quote(&text)[..],
                b" ",
                &oracle::quote(&layout),
                names.join("").as_bytes(),
                b"} r]} {set r \"error $r\"}",
                shown.join("").as_bytes(),
                b"; set r",
            ]
            .concat();
            let outcome = scan(&text, &layout, variables);
            let mut ours = match outcome.trouble {
                Some(trouble) => [b"error ", &trouble[..]].concat(),
                None => outcome.values.len().to_string().into_bytes(),
            };
            for index in 0..variables {
                ours.push(b'|');
                match outcome.values.get(index) {
                    None => ours.push(b'-'),
                    Some(Found::Text(text)) => ours.extend(text),
                    Some(Found::Number(number)) => ours.extend(number.to_text().bytes()),
                    Some(Found::Numbers(numbers)) => ours.extend(
                        numbers
                            .iter()
                            .map(Number::to_text)
                            .collect::<Vec<_>>()
                            .join(" ")
                            .bytes(),
                    ),
                }
            }
            tclsh.expect(&script, Ok(ours));
        }
        tclsh.finish();
    }
}
