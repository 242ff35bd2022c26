//! Tcl's `scan`: values out of a text, by a template with `%` conversions.
//!
//! The template is checked as a whole before the first character of the text is read.
//! Source: Tcl manual, scan(n).

use super::chars::{self, Char, Class};
use super::number::{self, Number};
use num_bigint::BigInt;
use num_traits::{Num, ToPrimitive};

/// More results than this are refused (`%999999999$d` asks for that many).
const MAX_RESULTS: usize = 1 << 16;

/// One value read from the text.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Scanned {
    Text(Vec<u8>),
    Number(Number),
}

/// The answer of a scan.
#[derive(Debug, PartialEq)]
pub(crate) struct Outcome {
    /// One place per variable, or per conversion when there are no variables; `None` where nothing was read.
    pub(crate) values: Vec<Option<Scanned>>,
    /// Whether the text ended before the first conversion was done: the count is -1 then, the list empty.
    pub(crate) exhausted: bool,
}

/// Scans `text` by `template` for `variables` variables; 0 asks for a list of all values.
///
/// # Errors
/// Tcl's own text when the template is wrong or does not fit the number of variables.
pub(crate) fn scan(text: &[u8], template: &[u8], variables: usize) -> Result<Outcome, Vec<u8>> {
    let plan = Checker {
        template,
        at: 0,
        variables,
        assigned: vec![0; variables],
        next: 0,
        order: None,
        numbered: 0,
    }
    .plan()?;
    let mut run = Run {
        text,
        at: 0,
        values: vec![None; plan.results],
        conversions: 0,
        underflow: false,
    };
    // Stops at the first directive which does not match.
    plan.directives
        .iter()
        .try_for_each(|directive| run.step(directive));
    let exhausted = run.underflow && run.conversions == 0;
    Ok(Outcome {
        values: run.values,
        exhausted,
    })
}

struct Plan {
    directives: Vec<Directive>,
    results: usize,
}

enum Directive {
    Blanks,
    Literal(Char),
    Convert {
        kind: Kind,
        size: Size,
        width: usize,
        result: Option<usize>,
    },
}

enum Kind {
    Position,
    Integer {
        radix: u32,
        prefixes: bool,
        unsigned: bool,
    },
    Double,
    Word,
    Set(Set),
    Character,
}

#[derive(Clone, Copy, PartialEq)]
enum Size {
    Normal,
    Long,
    Unbounded,
}

/// The characters between `[` and `]`.
struct Set {
    negated: bool,
    ranges: Vec<(Char, Char)>,
}

impl Set {
    fn contains(&self, c: Char) -> bool {
        self.ranges
            .iter()
            .any(|&(low, high)| (low..=high).contains(&c))
            != self.negated
    }
}

/// Whether conversions fill places in turn or by number; one template must not do both.
#[derive(Clone, Copy, PartialEq)]
enum Order {
    InTurn,
    Numbered,
}

/// Turns the template into directives.
struct Checker<'a> {
    template: &'a [u8],
    at: usize,
    variables: usize,
    /// How many conversions fill each place.
    assigned: Vec<usize>,
    next: usize,
    order: Option<Order>,
    /// The highest number in `%n$`, when there are no variables.
    numbered: usize,
}

impl Checker<'_> {
    fn plan(mut self) -> Result<Plan, Vec<u8>> {
        let mut directives = Vec::new();
        while let Some(c) = self.take() {
            let percent = Char::from(b'%');
            if Class::Space.contains(c) {
                directives.push(Directive::Blanks);
            } else if c != percent || self.eat(b'%') {
                directives.push(Directive::Literal(c));
            } else {
                directives.push(self.conversion()?);
            }
        }
        let results = match (self.variables, self.numbered) {
            (0, 0) => self.next,
            (0, numbered) => numbered,
            (variables, _) => variables,
        };
        self.assigned.resize(results, 0);
        match self
            .assigned
            .iter()
            .find(|&&times| times > 1 || times == 0 && self.numbered == 0)
        {
            Some(0) => return fail("variable is not assigned by any conversion specifiers"),
            Some(_) => {
                return fail("variable is assigned by multiple \"%n$\" conversion specifiers");
            }
            None => {}
        }
        Ok(Plan {
            directives,
            results,
        })
    }

    fn take(&mut self) -> Option<Char> {
        let (c, length) = chars::decode(&self.template[self.at..])?;
        self.at += length;
        Some(c)
    }

    fn eat(&mut self, byte: u8) -> bool {
        let found = self.template.get(self.at) == Some(&byte);
        self.at += usize::from(found);
        found
    }

    fn digits(&mut self) -> Option<usize> {
        let count = self.template[self.at..]
            .iter()
            .take_while(|b| b.is_ascii_digit())
            .count();
        let digits = &self.template[self.at..self.at + count];
        self.at += count;
        let add = |sum: usize, b: &u8| sum.saturating_mul(10).saturating_add(usize::from(b - b'0'));
        (count > 0).then(|| digits.iter().fold(0usize, add))
    }

    fn conversion(&mut self) -> Result<Directive, Vec<u8>> {
        let suppressed = self.eat(b'*');
        if !suppressed {
            self.position()?;
        }
        let width = self.digits();
        let size = match self.template.get(self.at) {
            Some(b'l') if self.template.get(self.at + 1) == Some(&b'l') => Size::Unbounded,
            Some(b'l' | b'L') => Size::Long,
            _ => Size::Normal,
        };
        self.at += match self.template.get(self.at) {
            Some(b'l') if size == Size::Unbounded => 2,
            Some(b'l' | b'L' | b'h') => 1,
            _ => 0,
        };
        if !suppressed && self.variables > 0 && self.next >= self.variables {
            return Err(self.bad_index());
        }
        let kind = self.kind(size, width.is_some())?;
        let result = (!suppressed).then_some(self.next);
        if !suppressed {
            if self.assigned.len() <= self.next {
                self.assigned.resize(self.next + 1, 0);
            }
            self.assigned[self.next] += 1;
            self.next += 1;
        }
        let width = width.filter(|&width| width > 0).unwrap_or(usize::MAX);
        Ok(Directive::Convert {
            kind,
            size,
            width,
            result,
        })
    }

    /// Reads `n$`, if it stands here.
    fn position(&mut self) -> Result<(), Vec<u8>> {
        let start = self.at;
        let order = match self.digits() {
            Some(number) if self.eat(b'$') => {
                self.next = number.wrapping_sub(1);
                Order::Numbered
            }
            _ => {
                self.at = start;
                Order::InTurn
            }
        };
        if *self.order.get_or_insert(order) != order {
            return fail("cannot mix \"%\" and \"%n$\" conversion specifiers");
        }
        if order == Order::Numbered {
            let limit = if self.variables > 0 {
                self.variables
            } else {
                MAX_RESULTS
            };
            if self.next >= limit {
                return Err(self.bad_index());
            }
            if self.variables == 0 {
                self.numbered = self.numbered.max(self.next + 1);
            }
        }
        Ok(())
    }

    fn bad_index(&self) -> Vec<u8> {
        match self.order {
            Some(Order::Numbered) => b"\"%n$\" argument index out of range".to_vec(),
            _ => b"different numbers of variable names and field specifiers".to_vec(),
        }
    }

    fn kind(&mut self, size: Size, has_width: bool) -> Result<Kind, Vec<u8>> {
        // At the end of the template Tcl sees the NUL behind it.
        let letter = self.take().unwrap_or(0);
        let plain = |kind: Kind| match size {
            Size::Normal => Ok(kind),
            _ => fail(&format!(
                "field size modifier may not be specified in %{} conversion",
                char::from(letter as u8)
            )),
        };
        let integer = |radix, prefixes| {
            Ok(Kind::Integer {
                radix,
                prefixes,
                unsigned: false,
            })
        };
        match u8::try_from(letter).unwrap_or(0) {
            b'c' if has_width => fail("field width may not be specified in %c conversion"),
            b'c' => plain(Kind::Character),
            b'n' => plain(Kind::Position),
            b's' => plain(Kind::Word),
            b'[' => {
                plain(Kind::Word)?;
                self.set().map(Kind::Set)
            }
            b'd' => integer(10, false),
            b'i' => integer(10, true),
            b'o' => integer(8, false),
            b'x' | b'X' => integer(16, true),
            b'b' => integer(2, true),
            b'u' if size == Size::Unbounded => fail("unsigned bignum scans are invalid"),
            b'u' => Ok(Kind::Integer {
                radix: 10,
                prefixes: false,
                unsigned: true,
            }),
            b'e' | b'E' | b'f' | b'g' | b'G' => Ok(Kind::Double),
            _ => {
                let mut message = b"bad scan conversion character \"".to_vec();
                chars::push(&mut message, letter);
                message.push(b'"');
                Err(message)
            }
        }
    }

    /// Reads a set up to its `]`, which may also stand first as a member.
    fn set(&mut self) -> Result<Set, Vec<u8>> {
        let unmatched = || b"unmatched [ in format string".to_vec();
        let negated = self.eat(b'^');
        let mut members = Vec::new();
        let close = Char::from(b']');
        loop {
            match self.take().ok_or_else(unmatched)? {
                c if c == close && !members.is_empty() => break,
                c => members.push(c),
            }
        }
        let mut ranges = Vec::new();
        let dash = Char::from(b'-');
        let mut rest = &members[..];
        while let [first, tail @ ..] = rest {
            match tail {
                [middle, last, tail @ ..] if *middle == dash => {
                    ranges.push((*first.min(last), *first.max(last)));
                    rest = tail;
                }
                _ => {
                    ranges.push((*first, *first));
                    rest = tail;
                }
            }
        }
        Ok(Set { negated, ranges })
    }
}

fn fail<T>(message: &str) -> Result<T, Vec<u8>> {
    Err(message.as_bytes().to_vec())
}

/// A scan under way.
struct Run<'a> {
    text: &'a [u8],
    at: usize,
    values: Vec<Option<Scanned>>,
    conversions: usize,
    underflow: bool,
}

impl Run<'_> {
    /// Carries one directive out; `None` ends the scan.
    fn step(&mut self, directive: &Directive) -> Option<()> {
        match directive {
            Directive::Blanks => {
                self.skip_blanks();
                Some(())
            }
            Directive::Literal(expected) => {
                let Some((c, length)) = chars::decode(&self.text[self.at..]) else {
                    self.underflow = true;
                    return None;
                };
                self.at += length;
                (c == *expected).then_some(())
            }
            Directive::Convert {
                kind,
                size,
                width,
                result,
            } => {
                let value = self.convert(kind, *size, *width)?;
                if let Some(place) = result {
                    self.values[*place] = Some(value);
                }
                self.conversions += 1;
                Some(())
            }
        }
    }

    fn skip_blanks(&mut self) {
        let rest = &self.text[self.at..];
        let blanks = chars::char_indices(rest)
            .find(|&(_, c)| !Class::Space.contains(c))
            .map_or(rest.len(), |(at, _)| at);
        self.at += blanks;
    }

    /// Reads one value; `None` ends the scan.
    fn convert(&mut self, kind: &Kind, size: Size, width: usize) -> Option<Scanned> {
        if let Kind::Position = kind {
            // Tcl 8.6 counts bytes here.
            return Some(Scanned::Number(Number::Int(self.at as i64)));
        }
        if !matches!(kind, Kind::Set(_) | Kind::Character) && self.at < self.text.len() {
            self.skip_blanks();
        }
        if self.at == self.text.len() {
            self.underflow = true;
            return None;
        }
        match kind {
            Kind::Position => None,
            Kind::Character => {
                let (c, length) = chars::decode(&self.text[self.at..])?;
                self.at += length;
                let code = if c >= chars::RAW { c - chars::RAW } else { c };
                Some(Scanned::Number(Number::Int(i64::from(code))))
            }
            Kind::Word => Some(self.span(width, |c| !Class::Space.contains(c))),
            Kind::Set(set) => {
                let start = self.at;
                let value = self.span(width, |c| set.contains(c));
                (self.at > start).then_some(value)
            }
            Kind::Integer {
                radix,
                prefixes,
                unsigned,
            } => {
                let value = self.integer(*radix, *prefixes, width)?;
                Some(Scanned::Number(narrow(value, size, *unsigned)))
            }
            Kind::Double => self
                .double(width)
                .map(|value| Scanned::Number(Number::Double(value))),
        }
    }

    /// Takes characters while they are wanted, at most `width`.
    fn span(&mut self, width: usize, wanted: impl Fn(Char) -> bool) -> Scanned {
        let rest = &self.text[self.at..];
        let end = chars::char_indices(rest)
            .enumerate()
            .find(|&(index, (_, c))| index == width || !wanted(c))
            .map_or(rest.len(), |(_, (at, _))| at);
        self.at += end;
        Scanned::Text(rest[..end].to_vec())
    }

    /// Reads an integer; where there is none, notes whether the text merely ended too early.
    fn integer(&mut self, radix: u32, prefixes: bool, width: usize) -> Option<BigInt> {
        let window = self.window(width);
        let sign = usize::from(matches!(window.first(), Some(b'+' | b'-')));
        let (radix, prefix) = match (&window[sign..], prefixes) {
            ([b'0', b'x' | b'X', digit, ..], true) if digit.is_ascii_hexdigit() && radix != 2 => {
                (16, 2)
            }
            ([b'0', b'b' | b'B', b'0' | b'1', ..], true) if radix == 2 => (2, 2),
            ([b'0', ..], true) if radix == 10 => (8, 0),
            _ => (radix, 0),
        };
        let digits = &window[sign + prefix..];
        let count = digits
            .iter()
            .take_while(|&&b| char::from(b).is_digit(radix))
            .count();
        if count == 0 {
            self.underflow |= self.ends_field(sign + prefix, width);
            return None;
        }
        let spelling = std::str::from_utf8(&digits[..count]).expect("digits are ASCII");
        let value =
            BigInt::from_str_radix(spelling, radix).expect("only digits of the radix are counted");
        let negative = window[0] == b'-';
        self.at += sign + prefix + count;
        Some(if negative { -value } else { value })
    }

    fn double(&mut self, width: usize) -> Option<f64> {
        let window = self.window(width);
        let sign = usize::from(matches!(window.first(), Some(b'+' | b'-')));
        let digits = &window[sign..];
        let decimal = digits.iter().take_while(|b| b.is_ascii_digit()).count();
        let (value, length) = match number::number_prefix(digits) {
            Some((Number::Double(value), length)) => (value, length),
            // No octal and no prefixes here: what looks like an integer is decimal.
            _ if decimal > 0 => {
                let spelling = std::str::from_utf8(&digits[..decimal]).expect("digits are ASCII");
                (
                    spelling.parse().expect("decimal digits are a double"),
                    decimal,
                )
            }
            _ => {
                let begun: &[&[u8]] = &[b".", b"i", b"in", b"n", b"na"];
                let cut = begun.iter().any(|begin| digits.eq_ignore_ascii_case(begin));
                let read = sign + if cut { digits.len() } else { 0 };
                self.underflow |= self.ends_field(read, width);
                return None;
            }
        };
        // Tcl stops at what is not a number, and an integer zero has no sign.
        let negative = window[0] == b'-' && (length > decimal || value != 0.0);
        self.at += sign + length;
        (!value.is_nan()).then_some(if negative { -value } else { value })
    }

    /// Whether a number of which only `read` bytes were there ended with its field, or with the text where it has no width.
    fn ends_field(&self, read: usize, width: usize) -> bool {
        read == if width == usize::MAX {
            self.text.len() - self.at
        } else {
            width
        }
    }

    fn window(&self, width: usize) -> &[u8] {
        let rest = &self.text[self.at..];
        &rest[..width.min(rest.len())]
    }
}

/// Cuts an integer to the size asked for; too large a one becomes the largest, as with C's `strtol`.
fn narrow(value: BigInt, size: Size, unsigned: bool) -> Number {
    if size == Size::Unbounded {
        return value.into();
    }
    let negative = value < BigInt::ZERO;
    let small = match value.magnitude().to_u64() {
        Some(magnitude) if negative => (magnitude as i64).wrapping_neg(),
        Some(magnitude) => magnitude as i64,
        None if negative => i64::MIN,
        None => i64::MAX,
    };
    if unsigned && small < 0 {
        BigInt::from(small as u64).into()
    } else {
        Number::Int(small)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::modulefile::tcl::oracle::{self, Oracle, Random};

    /// The values as a list of `[string]`s, in the form which the script below makes.
    fn ours(text: &[u8], template: &[u8], variables: usize) -> Result<Vec<u8>, Vec<u8>> {
        let outcome = scan(text, template, variables)?;
        let show = |value: &Scanned| match value {
            Scanned::Text(text) => text.clone(),
            Scanned::Number(number) => number.to_text().into_bytes(),
        };
        let mut out = Vec::new();
        if variables > 0 {
            let count = outcome.values.iter().flatten().count() as i64;
            out = if outcome.exhausted { -1 } else { count }
                .to_string()
                .into_bytes();
            for value in &outcome.values {
                out.push(b'|');
                out.extend(value.as_ref().map(show).unwrap_or_else(|| b"-".to_vec()));
            }
        } else if !outcome.exhausted {
            for value in &outcome.values {
                out.push(b'|');
                out.extend(value.as_ref().map(show).unwrap_or_default());
            }
        }
        Ok(out)
    }

    #[test]
    fn conversions() {
        for (text, template, expected) in [
            ("0x1f 017 0o17", "%i %i %i", "|31|15|0"),
            ("12abc", "%3s%d", "|12a|"),
            (
                "99999999999999999999 99999999999999999999",
                "%d %lld",
                "|9223372036854775807|99999999999999999999",
            ),
            ("1.5e 2", "%f%s", "|1.5|e"),
            ("éa", "%c%n", "|233|2"),
            ("] a", "%[]]", "|]"),
            ("a b", "%2$s %1$s", "|b|a"),
            ("", "%d", ""),
        ] {
            let outcome = ours(text.as_bytes(), template.as_bytes(), 0)
                .map(|v| String::from_utf8(v).unwrap());
            assert_eq!(outcome.as_deref(), Ok(expected), "{text} {template}");
        }
        assert_eq!(
            scan(b"", b"%999999999$d", 0).unwrap_err(),
            b"\"%n$\" argument index out of range"
        );
    }

    #[test]
    fn agrees_with_tclsh() {
        let Some(mut tclsh) = Oracle::start() else {
            return;
        };
        let mut random = Random::new(4);
        let templates = [
            "%d", "%d", "%i", "%x", "%o", "%b", "%u", "%s", "%s", "%f", "%e", "%g", "%c", "%n",
            "%[a-c]", "%[^a-c]", "%[]x]", "%[-a]", "%[c-a]", "%[a-]", "%*d", "%*s", "%2d", "%3s",
            "%2x", "%3f", "%1$d", "%2$s", "%3$d", "%ld", "%lld", "%llu", "%hd", "%lu", "%ls",
            "%Lf", "%2c", "%%", " ", "a", "é", "%", "%[", "%y", "%[é-ü]", "%*[abc]", "%1i", "%2i",
            "%4b",
        ];
        let texts = [
            "1",
            "12",
            "-",
            "+",
            "0x1f",
            "0b11",
            "0o7",
            "017",
            "08",
            "a",
            "b",
            "abc",
            "x",
            "]",
            " ",
            "\t",
            "é",
            "1.5",
            ".",
            "e5",
            "1e",
            "inf",
            "nan",
            "%",
            "99999999999999999999",
            "-5",
            "18446744073709551615",
        ];
        for _ in 0..oracle::cases(8000) {
            let template = random.text(&templates, 4);
            let text = random.text(&texts, 5);
            let variables = if random.below(2) == 0 {
                0
            } else {
                random.below(4)
            };
            let mut script = [
                b"set r [scan ",
                &oracle::quote(&text)[..],
                b" ",
                &oracle::quote(&template),
            ]
            .concat();
            if variables == 0 {
                script.extend(b"]; set o {}; foreach v $r { append o |$v }; set o");
            } else {
                script = [b"foreach n {0 1 2} {set v$n -}; ", &script[..]].concat();
                (0..variables).for_each(|n| script.extend(format!(" v{n}").bytes()));
                script.extend(b"]");
                (0..variables).for_each(|n| script.extend(format!("; append r |$v{n}").bytes()));
            }
            tclsh.expect(&script, ours(&text, &template, variables));
        }
        tclsh.finish();
    }
}
