//! Reads and quotes the tables that Lmod keeps as Lua text: its module table in the environment, its collections.
//!
//! Only data is understood: tables, strings, numbers, truth values. Nothing is run.

use bstr::{BString, ByteSlice};

/// Deepest nesting that is read.
const MAX_DEPTH: usize = 50;

/// A value of such a table.
#[derive(Debug, Clone, PartialEq)]
pub enum Lua {
    /// `true`, `false`.
    Bool(bool),
    /// A number.
    Number(f64),
    /// A string.
    Text(BString),
    /// A table; entries without a key have none.
    Table(Vec<(Option<BString>, Lua)>),
}

impl Lua {
    /// Reads text of the form `NAME = { ... }`, comments before and after it allowed. `None` where it is anything else.
    pub fn read_assignment(text: &[u8]) -> Option<Lua> {
        let mut reader = Reader { rest: text };
        reader.skip_blank();
        reader.name()?;
        reader.expect(b'=')?;
        reader.value(0)
    }

    /// The entry `key` of a table.
    pub fn get(&self, key: &str) -> Option<&Lua> {
        self.entries()
            .iter()
            .find(|(k, _)| k.as_ref().is_some_and(|k| k == key))
            .map(|(_, value)| value)
    }

    /// The entries of a table; none for anything else.
    pub fn entries(&self) -> &[(Option<BString>, Lua)] {
        match self {
            Lua::Table(entries) => entries,
            _ => &[],
        }
    }

    /// The text of a string.
    pub fn text(&self) -> Option<&str> {
        match self {
            Lua::Text(text) => text.to_str().ok(),
            _ => None,
        }
    }

    /// A number as an integer.
    pub fn integer(&self) -> Option<i64> {
        match self {
            Lua::Number(n) => Some(*n as i64),
            _ => None,
        }
    }
}

/// A string of Lua.
pub fn quote(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            '\n' => out.push_str("\\n"),
            c if c.is_ascii_control() => out.push_str(&format!("\\{:03}", c as u32)),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

struct Reader<'a> {
    rest: &'a [u8],
}

impl Reader<'_> {
    fn peek(&self) -> Option<u8> {
        self.rest.first().copied()
    }

    fn skip(&mut self, count: usize) {
        self.rest = self.rest.get(count..).unwrap_or_default();
    }

    fn skip_blank(&mut self) {
        loop {
            let blank = self
                .rest
                .iter()
                .take_while(|b| b.is_ascii_whitespace())
                .count();
            self.skip(blank);
            if !self.rest.starts_with(b"--") {
                return;
            }
            let line = self.rest.iter().take_while(|&&b| b != b'\n').count();
            self.skip(line);
        }
    }

    fn expect(&mut self, byte: u8) -> Option<()> {
        self.skip_blank();
        (self.peek()? == byte).then(|| self.skip(1))
    }

    fn name(&mut self) -> Option<BString> {
        let len = self
            .rest
            .iter()
            .take_while(|b| b.is_ascii_alphanumeric() || **b == b'_')
            .count();
        let name = self.rest.get(..len).filter(|n| !n.is_empty())?.into();
        self.skip(len);
        Some(name)
    }

    fn value(&mut self, depth: usize) -> Option<Lua> {
        if depth > MAX_DEPTH {
            return None;
        }
        self.skip_blank();
        match self.peek()? {
            b'{' => self.table(depth),
            b'"' | b'\'' => self.string().map(Lua::Text),
            b'[' => self.long_string().map(Lua::Text),
            b'-' | b'+' | b'.' | b'0'..=b'9' => self.number(),
            _ => match self.name()?.as_slice() {
                b"true" => Some(Lua::Bool(true)),
                b"false" | b"nil" => Some(Lua::Bool(false)),
                _ => None,
            },
        }
    }

    fn number(&mut self) -> Option<Lua> {
        let len = self
            .rest
            .iter()
            .take_while(|b| b.is_ascii_alphanumeric() || b"+-.".contains(b))
            .count();
        let text = self.rest[..len].to_str().ok()?;
        let number = text.parse().ok()?;
        self.skip(len);
        Some(Lua::Number(number))
    }

    fn table(&mut self, depth: usize) -> Option<Lua> {
        self.expect(b'{')?;
        let mut entries = Vec::new();
        loop {
            self.skip_blank();
            match self.peek()? {
                b'}' => {
                    self.skip(1);
                    return Some(Lua::Table(entries));
                }
                b',' | b';' => self.skip(1),
                _ => {
                    let key = self.key()?;
                    entries.push((key, self.value(depth + 1)?));
                }
            }
        }
    }

    /// `NAME =` or `["TEXT"] =` where an entry begins with one.
    fn key(&mut self) -> Option<Option<BString>> {
        let start = self.rest;
        if self.rest.starts_with(b"[") && !self.rest.starts_with(b"[[") {
            self.skip(1);
            self.skip_blank();
            let key = match self.peek()? {
                b'"' | b'\'' => self.string()?,
                _ => match self.number()? {
                    Lua::Number(n) => n.to_string().into(),
                    _ => return None,
                },
            };
            self.expect(b']')?;
            self.expect(b'=')?;
            return Some(Some(key));
        }
        if let Some(name) = self.name()
            && self.expect(b'=').is_some()
        {
            return Some(Some(name));
        }
        self.rest = start;
        Some(None)
    }

    fn string(&mut self) -> Option<BString> {
        let quote = self.peek()?;
        self.skip(1);
        // Most strings are over before anything has to be escaped.
        let plain = self.rest.iter().take_while(|&&b| b != quote && b != b'\\');
        let plain = plain.count();
        let mut out = self.rest[..plain].to_vec();
        self.skip(plain);
        loop {
            let byte = self.peek()?;
            self.skip(1);
            match byte {
                b if b == quote => return Some(out.into()),
                b'\\' => out.push(self.escape()?),
                b => out.push(b),
            }
        }
    }

    fn escape(&mut self) -> Option<u8> {
        let byte = self.peek()?;
        if byte.is_ascii_digit() {
            let digits = self
                .rest
                .iter()
                .take(3)
                .take_while(|b| b.is_ascii_digit())
                .count();
            let code = self.rest[..digits].to_str().ok()?.parse().ok()?;
            self.skip(digits);
            return Some(code);
        }
        self.skip(1);
        Some(match byte {
            b'n' => b'\n',
            b't' => b'\t',
            b'r' => b'\r',
            other => other,
        })
    }

    fn long_string(&mut self) -> Option<BString> {
        let body = self.rest.strip_prefix(b"[[")?;
        let end = body.find("]]")?;
        let text = body[..end].strip_prefix(b"\n").unwrap_or(&body[..end]);
        self.rest = &body[end + 2..];
        Some(text.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn tables_are_read_with_all_kinds_of_keys_and_values() {
        let text = br#"
            -- a comment --
            _T_ = { a = 1, ["b c"] = "x\"\\\n\065", 'first'; [[long
string]], { deep = { -2.5 } }, yes = true, no = false, } -- end
        "#;
        let table = Lua::read_assignment(text).unwrap();
        assert_eq!(table.get("a").and_then(Lua::integer), Some(1));
        assert_eq!(table.get("b c").and_then(Lua::text), Some("x\"\\\nA"));
        assert_eq!(table.get("yes"), Some(&Lua::Bool(true)));
        assert_eq!(table.get("no"), Some(&Lua::Bool(false)));
        let free: Vec<&Lua> = table
            .entries()
            .iter()
            .filter(|(key, _)| key.is_none())
            .map(|(_, value)| value)
            .collect();
        assert_eq!(free[0].text(), Some("first"));
        assert_eq!(free[1].text(), Some("long\nstring"));
        assert_eq!(
            free[2].get("deep").map(|d| d.entries()[0].1.clone()),
            Some(Lua::Number(-2.5))
        );
    }

    #[test]
    fn what_is_not_data_is_refused() {
        for bad in [
            "",
            "x",
            "x =",
            "x = {",
            "x = { os.exit() }",
            "x = f{}",
            "x = { [1 = 2 }",
        ] {
            assert_eq!(Lua::read_assignment(bad.as_bytes()), None, "{bad}");
        }
        let deep = format!("x = {}{}", "{".repeat(10_000), "}".repeat(10_000));
        assert_eq!(Lua::read_assignment(deep.as_bytes()), None);
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_harm(bytes in proptest::collection::vec(any::<u8>(), 0..100)) {
            let mut text = b"x = {".to_vec();
            text.extend(bytes);
            let _ = Lua::read_assignment(&text);
        }

        #[test]
        fn quoted_text_comes_back(text in "\\PC*|[\\x00-\\x7f]*") {
            let table = Lua::read_assignment(format!("x = {}", quote(&text)).as_bytes());
            prop_assert_eq!(table.as_ref().and_then(Lua::text), Some(text.as_str()));
        }
    }
}
