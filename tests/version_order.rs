//! Both version orders, compared with those who invented them: Lmod's own `parseVersion`, Tcl's own `lsort -dictionary`;
//! on generated versions and on all of the corpus.

use std::cmp::Ordering;
use std::collections::BTreeSet;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use xmod::name::{VersionOrder, lmod_canonical};

use crate::support::{Peer, corpus};

/// Sends lines to a script and returns the lines of its answer.
fn ask(mut command: Command, lines: &[String]) -> Vec<String> {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let mut input = child.stdin.take().unwrap();
    let text = lines.join("\n") + "\n";
    let writer = std::thread::spawn(move || input.write_all(text.as_bytes()).unwrap());
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    assert!(output.status.success(), "{command:?}");
    let answer: Vec<String> = String::from_utf8(output.stdout)
        .unwrap()
        .lines()
        .map(str::to_owned)
        .collect();
    assert_eq!(answer.len(), lines.len(), "{command:?}");
    answer
}

/// The same numbers in every run.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % bound
    }

    /// Pieces of versions that mean something to one of the orders, and some that mean nothing.
    fn version(&mut self) -> String {
        const PIECES: &[&str] = &[
            "0",
            "1",
            "2",
            "10",
            "01",
            "007",
            "2021",
            "1234567890123",
            ".",
            ".",
            ".",
            "..",
            "-",
            "-",
            "_",
            "+",
            "~",
            "=",
            "p",
            "-p",
            "rc",
            "pre",
            "preview",
            "dev",
            "a",
            "b",
            "alpha",
            "beta",
            "post",
            "v",
            "R",
            "GCC",
            "final",
            "B",
            "x",
            "/",
        ];
        let count = 1 + self.below(6);
        (0..count)
            .map(|_| PIECES[self.below(PIECES.len())])
            .collect()
    }
}

/// The versions of the corpus: what stands last in the path of a modulefile.
fn corpus_versions() -> Vec<String> {
    fn walk(dir: &Path, found: &mut BTreeSet<String>) {
        for entry in std::fs::read_dir(dir).unwrap() {
            let path: PathBuf = entry.unwrap().path();
            if path.is_dir() {
                walk(&path, found);
            } else if let Some(name) = path.file_name().and_then(|name| name.to_str())
                && !name.starts_with('.')
            {
                found.insert(name.strip_suffix(".lua").unwrap_or(name).to_owned());
            }
        }
    }
    let mut found = BTreeSet::new();
    if let Some(dir) = corpus() {
        walk(&dir, &mut found);
        assert!(found.len() > 200, "only {} versions", found.len());
    }
    found.into_iter().collect()
}

fn versions() -> Vec<String> {
    let mut random = Random(7);
    let mut versions = corpus_versions();
    versions.extend((0..6000).map(|_| random.version()));
    versions
}

#[test]
fn canonical_texts_are_those_of_lmod() {
    let command = Peer::Lmod.command();
    let root = Path::new(&command).ancestors().nth(2).unwrap();
    let lib = root.join("root/usr/share/lmod/8.6.19");
    let mut command = Command::new("lua5.3");
    command.arg("-e").arg(format!(
        "package.path='{0}/libexec/?.lua;{0}/tools/?.lua;'..package.path\nrequire('parseVersion')\nfor line in io.lines() do print(parseVersion(line)) end",
        lib.display()
    ));
    let mut versions = versions();
    // Longer numbers were another matter in the version of Lmod that is installed; some end it with an error.
    versions.retain(|version| {
        let mut numbers = version.split(|c: char| !c.is_ascii_digit());
        numbers.all(|number| number.len() <= 9)
    });
    for (version, theirs) in versions.iter().zip(ask(command, &versions)) {
        assert_eq!(lmod_canonical(version), theirs, "{version}");
    }
}

#[test]
fn dictionary_order_is_that_of_tcl() {
    let script = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(
        script.path(),
        "while {[gets stdin line] >= 0} {\n\
         lassign [split $line \\t] a b\n\
         puts [expr {$a eq $b ? 0 : [lindex [lsort -dictionary [list $a $b]] 0] eq $a ? -1 : 1}]\n}",
    )
    .unwrap();
    let mut command = Command::new("tclsh8.6");
    command.arg(script.path());
    let versions = versions();
    let mut random = Random(8);
    let pairs: Vec<(String, String)> = (0..8000)
        .map(|_| {
            let mut pick = || versions[random.below(versions.len())].clone();
            (pick(), pick())
        })
        .collect();
    let lines: Vec<String> = pairs.iter().map(|(a, b)| format!("{a}\t{b}")).collect();
    for ((a, b), theirs) in pairs.iter().zip(ask(command, &lines)) {
        let ours = match VersionOrder::Dictionary.compare(a, b) {
            Ordering::Less => "-1",
            Ordering::Equal => "0",
            Ordering::Greater => "1",
        };
        assert_eq!(ours, theirs, "{a} and {b}");
    }
}

#[test]
fn both_orders_are_total() {
    let versions: Vec<String> = versions().into_iter().step_by(40).collect();
    for order in [VersionOrder::Lmod, VersionOrder::Dictionary] {
        let mut keys: Vec<_> = versions.iter().map(|version| order.key(version)).collect();
        for (i, a) in keys.iter().enumerate() {
            for (j, b) in keys.iter().enumerate() {
                let compared = order.compare(&versions[i], &versions[j]);
                assert_eq!(a.cmp(b), compared);
                assert_eq!(
                    b.cmp(a),
                    compared.reverse(),
                    "{} {}",
                    versions[i],
                    versions[j]
                );
            }
        }
        // Sorting panics or leaves a disorder where an order is not transitive.
        keys.sort();
        assert!(
            keys.iter()
                .enumerate()
                .all(|(i, a)| keys[i..].iter().all(|b| a <= b))
        );
    }
}
