//! Times compared with tclsh.

use super::*;
use crate::modulefile::tcl::oracle::{self, Oracle, Random};

const NOW: i64 = 1_700_000_000;

fn ours(arguments: &[&[u8]]) -> Result<Vec<u8>, Vec<u8>> {
    clock(
        arguments,
        &Present {
            microseconds: NOW * 1_000_000,
            zone: Some(b"UTC".to_vec()),
            catalog: &|_, _| None,
        },
    )
}

fn text(arguments: &[&str]) -> String {
    let arguments: Vec<&[u8]> = arguments.iter().map(|a| a.as_bytes()).collect();
    ours(&arguments).map_or_else(
        |e| format!("error: {}", String::from_utf8_lossy(&e)),
        |v| String::from_utf8(v).unwrap(),
    )
}

#[test]
fn times_in_words() {
    assert_eq!(text(&["format", "0"]), "Thu Jan 01 00:00:00 UTC 1970");
    assert_eq!(
        text(&[
            "format",
            "1690000000",
            "-timezone",
            ":Europe/Paris",
            "-format",
            "%Y-%m-%d %H:%M %Z %z"
        ]),
        "2023-07-22 06:26 CEST +0200"
    );
    assert_eq!(
        text(&[
            "scan",
            "2020-01-02 10:20",
            "-format",
            "%Y-%m-%d %H:%M",
            "-gmt",
            "1"
        ]),
        "1577960400"
    );
    assert_eq!(text(&["scan", "next monday", "-gmt", "1"]), "1701043200");
    assert_eq!(
        text(&["add", "1706659200", "1", "month", "-gmt", "1"]),
        "1709164800"
    );
    assert_eq!(
        text(&[
            "format",
            "1690000000",
            "-timezone",
            "EST5EDT4,M3.2.0,M11.1.0",
            "-format",
            "%Z %H %EY %Od %E"
        ]),
        "EDT 00 2023 22 "
    );
    assert_eq!(text(&["seconds"]), "1700000000");
    // Numbers at the edge do not overflow.
    for seconds in [i64::MIN, i64::MAX] {
        text(&[
            "format",
            &seconds.to_string(),
            "-timezone",
            ":Europe/Paris",
            "-format",
            "%c %J %V %G %U %s",
        ]);
        text(&[
            "add",
            &seconds.to_string(),
            "4294967295",
            "years",
            "-gmt",
            "1",
        ]);
        text(&[
            "scan",
            "99999999999999999999/99999999999999999999/99999999999999999999",
            "-base",
            &seconds.to_string(),
        ]);
    }
    text(&["scan", "9999999999999999999999 years 99999999999 monday"]);
    text(&["scan", "9223372036854775807", "-format", "%J"]);
}

/// Compares one call; the oracle's words are quoted.
fn compare(tclsh: &mut Oracle, arguments: &[Vec<u8>]) {
    let words: Vec<&[u8]> = arguments.iter().map(Vec::as_slice).collect();
    let quoted: Vec<Vec<u8>> = words.iter().map(|word| oracle::quote(word)).collect();
    tclsh.expect(&[b"clock ", &quoted.join(&b' ')[..]].concat(), ours(&words));
}

fn words(arguments: &[&str]) -> Vec<Vec<u8>> {
    arguments
        .iter()
        .map(|word| word.as_bytes().to_vec())
        .collect()
}

/// Zones whose rules are the same in all versions of the zone files.
const ZONES: [&str; 10] = [
    ":Europe/Paris",
    ":America/New_York",
    "+0200",
    "-03:30",
    "UTC",
    ":Asia/Kolkata",
    ":Australia/Lord_Howe",
    "Europe/London",
    "nosuch",
    ":nosuch",
];

#[test]
fn formatting_agrees_with_tclsh() {
    let Some(mut tclsh) = Oracle::start() else {
        return;
    };
    let mut random = Random::new(8);
    let letters = "aAbBcCdDeghGHIjJklmMNpPQrRsStTuUVwWxXyYzZ+%nq";
    for _ in 0..oracle::cases(1500) {
        let seconds = match random.below(3) {
            0 => random.below(4_000_000_000) as i64 - 1_000_000_000,
            1 => random.below(60_000_000_000) as i64 - 12_000_000_000,
            _ => 1_600_000_000 + random.below(100_000_000) as i64,
        };
        let mut template = Vec::new();
        for _ in 0..4 {
            template.push(b'%');
            template.push(*random.pick(letters.as_bytes()));
            template.extend(random.text(&[" ", "x"], 1));
        }
        let zone = *random.pick(&ZONES);
        compare(
            &mut tclsh,
            &[
                words(&["format", &seconds.to_string(), "-timezone", zone, "-format"]),
                vec![template],
            ]
            .concat(),
        );
    }
    tclsh.finish();
}

#[test]
fn adding_agrees_with_tclsh() {
    let Some(mut tclsh) = Oracle::start() else {
        return;
    };
    let mut random = Random::new(9);
    let units = [
        "year", "years", "month", "months", "week", "days", "day", "hour", "hours", "minutes",
        "second", "foo",
    ];
    for _ in 0..oracle::cases(1500) {
        let zone = *random.pick(&ZONES);
        let mut arguments = words(&[
            "add",
            &(random.below(4_000_000_000) as i64 - 1_000_000_000).to_string(),
        ]);
        for _ in 0..1 + random.below(3) {
            arguments.push((random.below(60) as i64 - 30).to_string().into_bytes());
            arguments.push(random.pick(&units).as_bytes().to_vec());
        }
        arguments.extend(words(&["-timezone", zone]));
        compare(&mut tclsh, &arguments);
    }
    tclsh.finish();
}

#[test]
fn scanning_agrees_with_tclsh() {
    let Some(mut tclsh) = Oracle::start() else {
        return;
    };
    let mut random = Random::new(10);
    let groups = [
        "%Y", "%m", "%d", "%H", "%M", "%S", "%y", "%b", "%a", "%j", "%p", "%I", "%e", "%s", "%J",
        "%z", "%D", "%T", "%V", "%G", "%u", "%B", "%R",
    ];
    let separators = ["-", " ", ":", "/"];
    for _ in 0..oracle::cases(1500) {
        // A text made by one template, read with nearly the same.
        let (mut write, mut read) = (Vec::new(), Vec::new());
        for _ in 0..1 + random.below(6) {
            let group = random.pick(&groups).as_bytes();
            write.extend(group);
            read.extend(if random.below(20) == 0 {
                random.pick(&groups).as_bytes()
            } else {
                group
            });
            // Behind a zone, digits would belong to it.
            let separator: &[u8] = if group == b"%z" {
                b" "
            } else {
                random.pick(&separators).as_bytes()
            };
            write.extend(separator);
            read.extend(separator);
        }
        let seconds = random.below(2_000_000_000) as i64;
        let made = ours(&[
            b"format",
            seconds.to_string().as_bytes(),
            b"-gmt",
            b"1",
            b"-format",
            &write,
        ])
        .unwrap();
        let zone = *random.pick(&ZONES[..8]);
        let base = NOW.to_string();
        compare(
            &mut tclsh,
            &[
                words(&["scan"]),
                vec![made],
                words(&["-format"]),
                vec![read],
                words(&["-base", &base, "-timezone", zone]),
            ]
            .concat(),
        );
    }
    tclsh.finish();
}

#[test]
fn free_forms_agree_with_tclsh() {
    let Some(mut tclsh) = Oracle::start() else {
        return;
    };
    let base = NOW.to_string();
    for form in [
        "now",
        "today",
        "yesterday",
        "tomorrow",
        "1 day",
        "2 days ago",
        "+1 week",
        "-3 days",
        "next week",
        "last month",
        "next year",
        "1 hour",
        "10 minutes ago",
        "2020-01-02",
        "2020-01-02T10:20:30",
        "2020-01-02 10:20",
        "2020-01-02 10:20:30 GMT",
        "20200102",
        "20200102T102030",
        "20200102 102030",
        "01/02/2020",
        "1/2",
        "1/2/20",
        "Jan 2",
        "Jan 2 2020",
        "Jan 2, 2020",
        "2 Jan",
        "2 Jan 2020",
        "2-Jan-2020",
        "January 2 2020 10:20 pm",
        "10:20",
        "10:20pm",
        "10am",
        "10 pm",
        "noon",
        "monday",
        "next monday",
        "last monday",
        "2 monday",
        "monday 10:20",
        "mon",
        "Thu, 2 Jan 2020 10:20:30 +0100",
        "Thu Jan 2 10:20:30 2020",
        "10:20 EST",
        "10:20 +0200",
        "epoch",
        "1020",
        "10",
        "102030",
        "next january",
        "fortnight",
        "1 fortnight",
        "now 1 day",
        "tomorrow 10:00",
        "today 10:00",
        "yesterday noon",
        "12am",
        "12pm",
        "2020-01-02 1 day",
        "1 month ago",
        "1 year 2 months",
        "5",
        "abc",
        "",
        "2020",
        "10:20 2020",
        "Jan 2020",
        "jan",
        "2020-01-02T10:20:30Z",
        "2020-01-02T10:20:30+0100",
        "2020-01-02 10:20 pst",
        "10:20:30.5",
        "99-1-2",
        "1/2/38",
        "1/2/1938",
        "25:00",
        "13pm",
        "1 sec",
        "3 secs",
        "2 mins ago",
        "week",
        "third",
        "sept 3",
        "tues",
        "wednes",
        "thurs",
        "2 weeks",
        "this week",
        "12/31/99",
        "2020.01.02",
        "1 2 3",
        "10:20 11:30",
        "jan 1 feb 2",
        "mon tue",
        "EST PST",
        "20200102T10:20:30",
        "20200102T1020",
        "@5",
        "(comment) now",
        "day",
        "-5 hours 3 minutes",
        "Thursday",
        "2020-W01",
        "next day",
        "last day",
        "1.5 days",
        "Sat Jan 02 10:20:30 EST 2020",
        "Sat Jan  2 10:20:30 2020 EST",
        "10:20 EST DST",
        "10:20 EDT",
    ] {
        compare(
            &mut tclsh,
            &words(&["scan", form, "-base", &base, "-gmt", "1"]),
        );
        compare(
            &mut tclsh,
            &words(&[
                "scan",
                form,
                "-base",
                &base,
                "-timezone",
                ":America/New_York",
            ]),
        );
    }
    tclsh.finish();
}
