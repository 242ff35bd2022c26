//! Finds loads in logs: files of syslog, exports of the journal, our own files of users.
//!
//! Whatever stands around it, a load is known by its structured data.

use super::event::ELEMENT;

/// A load as it was told.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Event {
    /// When, in microseconds since 1970.
    pub time: i64,
    /// On which machine.
    pub host: String,
    /// The process.
    pub pid: i64,
    /// The message's number among those of the process and time.
    pub seq: i64,
    /// The user's number.
    pub uid: String,
    /// The user's name as the environment had it.
    pub user: String,
    /// The group's number.
    pub gid: String,
    /// The batch job.
    pub job: Option<String>,
    /// Name, version, and whether somebody asked for it.
    pub modules: Vec<(String, Option<String>, bool)>,
}

/// The loads that a line tells of.
pub fn events_in(line: &[u8]) -> Vec<Event> {
    // Most lines of a log are somebody else's.
    if !bstr::ByteSlice::contains_str(line, ELEMENT) {
        return Vec::new();
    }
    let text = String::from_utf8_lossy(line);
    // `journalctl -o json`, `json-seq` and `json-sse`, or a log of one JSON document a line.
    let document = text.trim_start_matches('\u{1e}').trim_start();
    let document = document.strip_prefix("data: ").unwrap_or(document);
    if document.starts_with('{')
        && let Ok(serde_json::Value::Object(fields)) = serde_json::from_str(document)
    {
        return fields
            .values()
            .find_map(event_in_json)
            .into_iter()
            .collect();
    }
    // `journalctl -o json-pretty` has a line for each field.
    if document.starts_with('"')
        && let Some((_, value)) = document.split_once("\" : ")
        && let Ok(value) = serde_json::from_str(value.trim_end().trim_end_matches(','))
    {
        return event_in_json(&value).into_iter().collect();
    }
    event(&text).into_iter().collect()
}

/// The load in a field of a document; what the journal has twice is a list.
fn event_in_json(value: &serde_json::Value) -> Option<Event> {
    match value {
        serde_json::Value::String(text) => event(text),
        serde_json::Value::Array(values) => values.iter().find_map(event_in_json),
        _ => None,
    }
}

/// The load in a text.
fn event(text: &str) -> Option<Event> {
    let start = text.find(&format!("[{ELEMENT} "))? + ELEMENT.len() + 2;
    let mut event = Event::default();
    let mut rest = &text[start..];
    let mut time = None;
    loop {
        rest = rest.trim_start();
        if rest.starts_with(']') {
            break;
        }
        let (key, after) = rest.split_once("=\"")?;
        let (value, after) = value(after)?;
        rest = after;
        match key {
            "time" => time = value.parse::<jiff::Timestamp>().ok(),
            "host" => event.host = value,
            "pid" => event.pid = value.parse().ok()?,
            "seq" => event.seq = value.parse().ok()?,
            "uid" => event.uid = value,
            "user" => event.user = value,
            "gid" => event.gid = value,
            "job" => event.job = Some(value),
            "asked" | "needed" => {
                let (name, version) = match value.rsplit_once('@') {
                    Some((name, version)) => (name.to_owned(), Some(version.to_owned())),
                    None => (value, None),
                };
                event.modules.push((name, version, key == "asked"));
            }
            // A later version may tell more.
            _ => {}
        }
    }
    event.time = time?.as_microsecond();
    (!event.host.is_empty() && !event.modules.is_empty()).then_some(event)
}

/// A value up to its closing quote, and what follows.
fn value(text: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut characters = text.char_indices();
    while let Some((at, c)) = characters.next() {
        match c {
            '"' => return Some((value, &text[at + 1..])),
            '\\' => value.push(characters.next()?.1),
            c => value.push(c),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINE: &str = "<14>1 2026-01-31T12:00:00.000001Z node1 xmod 4711 load [xmod@32473 time=\"2026-01-31T12:00:00.000001Z\" host=\"node1\" \
                        pid=\"4711\" seq=\"0\" uid=\"1000\" user=\"ada\" gid=\"100\" asked=\"a/b\\\"\\]@13.2.0\" needed=\"zlib\"] a/b";

    #[test]
    fn a_load_is_found_whatever_stands_around_it() {
        let expected = events_in(LINE.as_bytes());
        assert_eq!(expected.len(), 1);
        assert_eq!(expected[0].host, "node1");
        assert_eq!(expected[0].time, 1_769_860_800_000_001);
        assert_eq!(
            expected[0].modules,
            [
                ("a/b\"]".to_owned(), Some("13.2.0".to_owned()), true),
                ("zlib".to_owned(), None, false)
            ]
        );
        let json = serde_json::json!({ "_HOSTNAME": "x", "MESSAGE": &LINE[4..] }).to_string();
        let twice = serde_json::json!({ "MESSAGE": ["other", LINE] }).to_string();
        for line in [
            twice,
            format!("data: {json}"),
            format!("\u{1e}{json}"),
            format!("\t\"MESSAGE\" : {},\n", serde_json::json!(LINE)),
            format!("2026-01-31T12:00:01+00:00 loghost 1 {LINE}"),
            format!("MESSAGE={LINE}"),
            format!("{LINE}\r"),
            json,
        ] {
            assert_eq!(events_in(line.as_bytes()), expected, "{line}");
        }
    }

    #[test]
    fn damaged_lines_are_no_loads() {
        for end in 0..LINE.rfind(']').unwrap() {
            assert_eq!(events_in(&LINE.as_bytes()[..end]), [], "{end}");
        }
        for line in [
            "",
            "[xmod@32473 ",
            "[xmod@32473 ]",
            "[xmod@32473 time=\"x\" host=\"a\" asked=\"b\"]",
            "\u{0}xmod@32473",
        ] {
            assert_eq!(events_in(line.as_bytes()), [], "{line}");
        }
    }
}
