//! Cases from the manual, and random patterns compared with tclsh.

use super::*;
use crate::modulefile::tcl::oracle::{self, Oracle, Random};

fn spans(pattern: &[u8], flags: Flags, subject: &[u8], start: usize) -> Result<Vec<u8>, Vec<u8>> {
    let regex = Regex::compile(pattern, flags).map_err(|reason| {
        format!("couldn't compile regular expression pattern: {reason}").into_bytes()
    })?;
    let not_bol = start > 0 && subject[..start].last() != Some(&b'\n');
    let Some(groups) = regex
        .exec(subject, start, not_bol)
        .map_err(String::into_bytes)?
    else {
        return Ok(Vec::new());
    };
    let show = |span: &Option<(usize, usize)>| match span {
        None => "{-1 -1}".to_owned(),
        Some((begin, end)) => {
            let (begin, end) = (
                chars::count(&subject[..*begin]),
                chars::count(&subject[..*end]),
            );
            format!("{{{} {}}}", begin, end as i64 - 1)
        }
    };
    Ok(groups
        .iter()
        .map(show)
        .collect::<Vec<_>>()
        .join(" ")
        .into_bytes())
}

fn texts(pattern: &str, subject: &str) -> Vec<String> {
    let regex = Regex::compile(pattern.as_bytes(), Flags::default()).unwrap();
    let groups = regex
        .exec(subject.as_bytes(), 0, false)
        .unwrap()
        .unwrap_or_default();
    groups
        .iter()
        .map(|span| span.map_or("-".to_owned(), |(a, b)| subject[a..b].to_owned()))
        .collect()
}

#[test]
fn the_longest_match_wins_and_groups_are_filled_from_the_left() {
    assert_eq!(texts("(a|ab)(c|bcd)(d*)", "abcd"), ["abcd", "ab", "c", "d"]);
    assert_eq!(texts("a+|a+?b", "aaab"), ["aaab"]);
    assert_eq!(texts("(a+?)(a*)", "aaa"), ["a", "a", ""]);
    assert_eq!(texts("(?:ab|a)b*?", "abbb"), ["abbb"]);
    assert_eq!(texts("(a*)(b|ab)", "aab"), ["aab", "aa", "b"]);
    assert_eq!(texts("x(y)?", "x"), ["x", "-"]);
}

#[test]
fn back_references_and_look_ahead() {
    assert_eq!(texts(r"(a+)-\1", "aaa-aa"), ["aa-aa", "aa"]);
    assert_eq!(texts(r"([a-c])\1{2}", "abccc"), ["ccc", "c"]);
    assert_eq!(texts("a(?=b)", "acab"), ["a"]);
    assert_eq!(texts("[0-9]+(?!%)", "10% 25"), ["1"]);
    assert_eq!(texts(r"\mfoo\M", "foobar foo"), ["foo"]);
}

#[test]
fn what_does_not_end_soon_is_an_error() {
    let regex =
        Regex::compile(br"(a*)(a*)(a*)(a*)(a*)(a*)\1\2\3\4\5\6b", Flags::default()).unwrap();
    let subject = [&[b'a'; 200][..], b"c"].concat();
    // No match is the right answer, too, where it is found in time.
    assert!(matches!(regex.exec(&subject, 0, false), Ok(None) | Err(_)));
    let nested = Regex::compile(br"(((a{255}){255}){255})", Flags::default());
    assert_eq!(nested.unwrap_err(), "out of memory");
    for piece in ["(a)", "a*b+?", "(?=(a))", "(?:a|b*?)*"] {
        let long = Regex::compile(piece.repeat(5000).as_bytes(), Flags::default());
        assert!(
            long.is_ok() || long.is_err_and(|reason| reason == "out of memory"),
            "{piece}"
        );
    }
    let deep = [&b"("[..]; 5000].concat();
    assert!(Regex::compile(&deep, Flags::default()).is_err());
}

#[test]
fn about_names_what_a_pattern_uses() {
    for (pattern, uses) in [
        ("abc", ""),
        ("a*", "REG_UEMPTYMATCH"),
        (
            r"(a)(?:b)\1{2,3}(?=x)\y",
            "REG_UBACKREF REG_ULOOKAHEAD REG_UBOUNDS REG_UNONPOSIX REG_ULOCALE",
        ),
        ("a??", "REG_UNONPOSIX REG_UEMPTYMATCH REG_USHORTEST"),
        ("a{", "REG_UBRACES REG_UUNSPEC"),
    ] {
        let regex = Regex::compile(pattern.as_bytes(), Flags::default()).unwrap();
        assert_eq!(
            regex.uses().collect::<Vec<_>>().join(" "),
            uses,
            "{pattern}"
        );
    }
}

#[test]
fn agrees_with_tclsh() {
    let Some(mut tclsh) = Oracle::start() else {
        return;
    };
    let mut random = Random::new(5);
    let common = [
        "a", "b", "c", "a", "b", "(", ")", "|", "*", "+", "?", "(?:", ")", "{1,2}", "{2}",
        "{0,1}?", "*?", "+?", "??", ".", "(a|ab)",
    ];
    let rare = [
        "^",
        "$",
        "[ab]",
        "[^a]",
        "\\1",
        "\\2",
        "(?=",
        "(?!",
        "\\m",
        "\\M",
        "\\y",
        "\\Y",
        "\\A",
        "\\Z",
        "\\w",
        "\\s",
        "[[:alpha:]]",
        "[[:<:]]",
        "{",
        "}",
        "{0}",
        "{1",
        "{2,1}",
        "[",
        "]",
        "\\d",
        "\\x61",
        "\\u0062",
        "é",
        "\n",
        " ",
        "#",
        "(?i)",
        "(?n)",
        "(?x)",
        "***=",
        "***:",
        "[a-c]",
        "[]a]",
        "[b-a]",
        "[[.a.]]",
        "[[=b=]]",
        "[[.hyphen.]]",
        "[^\\s]",
        "[\\w-]",
        "\\W",
        "\\0",
        "\\10",
        "\\e",
        "\\q",
        "\\",
        "A",
        "(?b)",
        "(?e)",
        "(?q)",
        "(?#c)",
        "[a-b-c]",
        "{,3}",
        "{1,}",
        "{1,}?",
        "[[:foo:]]",
        "[[:upper:]]",
        "(?p)",
        "(?w)",
        "\\c",
        "\\B",
        "\\D",
        "[\\d]",
        "[\\D]",
        "-",
        "[a\\]b]",
        "\\(",
        "\\)",
        "\\{1\\}",
    ];
    let texts = [
        "a", "b", "c", "a", "b", "ab", "\n", " ", "A", "é", "-", "1", "_", "aa", "#", "(",
    ];
    for _ in 0..oracle::cases(15000) {
        let mut pattern = Vec::new();
        let rareness = random.below(4);
        for _ in 0..1 + random.below(8) {
            let from = if random.below(5) < rareness {
                &rare[..]
            } else {
                &common[..]
            };
            pattern.extend(random.pick(from).as_bytes());
        }
        let subject = random.text(&texts, 8);
        let mut options = String::new();
        let mut flags = Flags::default();
        match random.below(12) {
            0 => (options, flags.nocase) = (" -nocase".to_owned(), true),
            1 => (options, flags.expanded) = (" -expanded".to_owned(), true),
            2 => (options, flags.line_stop) = (" -linestop".to_owned(), true),
            3 => (options, flags.line_anchor) = (" -lineanchor".to_owned(), true),
            _ => {}
        }
        let start = match random.below(8) {
            0 => random.below(4).min(chars::count(&subject)),
            _ => 0,
        };
        options += &format!(" -start {start}");
        let (pattern_word, subject_word) = (oracle::quote(&pattern), oracle::quote(&subject));
        let script = [
            b"regexp -inline -indices",
            options.as_bytes(),
            b" -- ",
            &pattern_word,
            b" ",
            &subject_word,
        ]
        .concat();
        tclsh.expect(
            &script,
            spans(&pattern, flags, &subject, chars::offset(&subject, start)),
        );
        if let Ok(regex) = Regex::compile(&pattern, flags) {
            let script = [b"regexp -about", options.as_bytes(), b" -- ", &pattern_word].concat();
            // Tcl also finds out that some patterns or branches (`a^`) can never match, which nothing depends on.
            let without = |uses: &str| uses.replace(" REG_UEMPTYMATCH", "").replace(['{', '}'], "");
            let uses = regex.uses().collect::<Vec<_>>().join(" ");
            let ours = format!("{} {uses}", regex.groups());
            let theirs = tclsh
                .eval(&script)
                .map(|text| String::from_utf8_lossy(&text).into_owned())
                .unwrap();
            if !theirs.contains("IMPOSSIBLE") {
                assert_eq!(
                    without(&ours).trim(),
                    without(&theirs).trim(),
                    "{}",
                    String::from_utf8_lossy(&script)
                );
            }
        }
    }
    tclsh.finish();
}
