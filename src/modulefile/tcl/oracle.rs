//! A long-running `tclsh`, asked for its answers by the differential tests.

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

const SERVER: &str = r#"
fconfigure stdin -translation binary
fconfigure stdout -translation binary
while {[gets stdin length] >= 0} {
    set script [encoding convertfrom utf-8 [read stdin $length]]
    set code [catch {uplevel #0 $script} result]
    set result [encoding convertto utf-8 $result]
    puts -nonewline "$code [string length $result]\n$result"
    flush stdout
}
"#;

/// The child process and both ends of the conversation.
pub(crate) struct Oracle {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    differences: Vec<String>,
    /// Keeps the server script alive while tclsh reads it.
    _server: tempfile::NamedTempFile,
}

impl Oracle {
    /// Starts tclsh 8.6; `None`, with a visible note, where there is none.
    pub(crate) fn start() -> Option<Self> {
        let mut server = tempfile::NamedTempFile::new().expect("a temporary file can be made");
        server
            .write_all(SERVER.as_bytes())
            .expect("a temporary file can be written");
        let child = Command::new("tclsh8.6")
            .arg(server.path())
            .env("TZ", "UTC")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn();
        let Ok(mut child) = child else {
            eprintln!("skipped: no tclsh8.6");
            return None;
        };
        let input = child.stdin.take().expect("standard input is a pipe");
        let output = BufReader::new(child.stdout.take().expect("standard output is a pipe"));
        Some(Self {
            child,
            input,
            output,
            differences: Vec::new(),
            _server: server,
        })
    }

    /// Evaluates a script: its result, or its error text.
    pub(crate) fn eval(&mut self, script: &[u8]) -> Result<Vec<u8>, Vec<u8>> {
        let mut message = format!("{}\n", script.len()).into_bytes();
        message.extend(script);
        self.input.write_all(&message).expect("tclsh reads");
        self.input.flush().expect("tclsh reads");
        let mut header = String::new();
        self.output.read_line(&mut header).expect("tclsh answers");
        let (code, length) = header
            .trim()
            .split_once(' ')
            .unwrap_or_else(|| panic!("tclsh died of {}", String::from_utf8_lossy(script)));
        let mut result = vec![0; length.parse().expect("a length")];
        self.output
            .read_exact(&mut result)
            .expect("tclsh answers in full");
        if code == "0" { Ok(result) } else { Err(result) }
    }

    /// Evaluates a script and notes when the answer is not `ours`.
    pub(crate) fn expect(&mut self, script: &[u8], ours: Result<Vec<u8>, Vec<u8>>) {
        let theirs = self.eval(script);
        if ours != theirs {
            let show = |answer: Result<Vec<u8>, Vec<u8>>| match answer {
                Ok(value) => format!("<{}>", value.escape_ascii()),
                Err(text) => format!("error: {}", String::from_utf8_lossy(&text)),
            };
            let script = String::from_utf8_lossy(script);
            self.differences.push(format!(
                "{script}\n  ours   {}\n  theirs {}",
                show(ours),
                show(theirs)
            ));
        }
    }

    /// Fails when there were differences; shows the ten shortest.
    pub(crate) fn finish(mut self) {
        self.differences
            .sort_by(|a, b| (a.len(), a).cmp(&(b.len(), b)));
        self.differences.dedup();
        let count = self.differences.len();
        self.differences.truncate(10);
        assert!(
            count == 0,
            "{count} differences from tclsh, among them:\n{}",
            self.differences.join("\n")
        );
    }
}

impl Drop for Oracle {
    fn drop(&mut self) {
        // A child that has ended already is what we want.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Quotes a value as one word of a script, with backslashes only.
pub(crate) fn quote(value: &[u8]) -> Vec<u8> {
    let mut out = vec![b'"'];
    for &byte in value {
        match byte {
            b'\\' | b'"' | b'$' | b'[' | b']' | b'{' | b'}' => out.extend([b'\\', byte]),
            b'\n' => out.extend(b"\\n"),
            0 => out.extend(b"\\u0000"),
            _ => out.push(byte),
        }
    }
    out.push(b'"');
    out
}

/// A small generator of random numbers with a fixed seed, so that a failure can be repeated.
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    pub(crate) fn below(&mut self, limit: usize) -> usize {
        (self.next() >> 33) as usize % limit
    }

    pub(crate) fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.below(from.len())]
    }

    /// Joins up to `most` random pieces.
    pub(crate) fn text(&mut self, pieces: &[&str], most: usize) -> Vec<u8> {
        let count = self.below(most + 1);
        (0..count)
            .flat_map(|_| self.pick(pieces).as_bytes().to_vec())
            .collect()
    }
}

/// How many random cases to try: the value times the `XMOD_FUZZ` factor the test was compiled with, if any.
pub(crate) fn cases(count: usize) -> usize {
    count
        * option_env!("XMOD_FUZZ")
            .and_then(|factor| factor.parse().ok())
            .unwrap_or(1)
}
