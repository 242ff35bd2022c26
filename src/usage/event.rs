//! One load as a message of syslog.
//!
//! Source: RFC 5424. The facts stand in structured data, so that no reader has to guess:
//!
//! ```text
//! <14>1 2026-01-31T12:00:00.000000Z node1 xmod 4711 load [xmod@32473 time="..." host="node1" pid="4711" seq="0"
//!     uid="1000" user="ada" gid="100" job="17" asked="gcc@13.2.0" needed="zlib@1.3"] gcc/13.2.0
//! ```
//!
//! Time, host and process are said a second time there: what writes logs to files often rewrites the head of a message.

use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::net::UnixDatagram;

use camino::{Utf8Path, Utf8PathBuf};

use crate::config::Config;
use crate::session::Session;

/// The name of our structured data. 32473 is the number that RFC 5612 gives to those without one.
pub(super) const ELEMENT: &str = "xmod@32473";

/// Facility `user`, severity `informational`.
const PRIORITY: u8 = 8 + 6;

/// Length of one message, in bytes: RFC 5424 promises that 2048 are taken.
const MAX_MESSAGE: usize = 2000;

/// A module that was loaded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Load<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its version.
    pub version: Option<&'a str>,
    /// Whether somebody asked for it; otherwise another module needed it.
    pub is_asked: bool,
}

/// Tells syslog about loads, or else a file of the user. What cannot be told is not told: nobody waits, nothing fails.
pub fn tell(session: &Session, config: &Config, loads: &[Load]) {
    if loads.is_empty() {
        return;
    }
    let messages = messages(&Head::of(session), loads);
    let socket = UnixDatagram::unbound().and_then(|socket| {
        socket.set_nonblocking(true)?;
        Ok(socket)
    });
    let untold: Vec<&String> = match socket {
        Ok(socket) => messages
            .iter()
            .filter(|message| {
                socket
                    .send_to(message.as_bytes(), &config.syslog_socket)
                    .is_err()
            })
            .collect(),
        Err(_) => messages.iter().collect(),
    };
    if !untold.is_empty()
        && let Some(path) = file(session, config)
    {
        // Somebody without a home that can be written is not counted.
        let _ = append(&path, &untold);
    }
}

/// Who loads, where and when.
struct Head {
    time: String,
    host: String,
    pid: u32,
    uid: u32,
    gid: u32,
    user: String,
    job: Option<String>,
}

impl Head {
    fn of(session: &Session) -> Head {
        let host = nix::unistd::gethostname().map(|name| name.to_string_lossy().into_owned());
        let user = session.text("USER").or_else(|| session.text("LOGNAME"));
        Head {
            time: format!("{:.6}", jiff::Timestamp::now()),
            host: word(&host.unwrap_or_default(), 255),
            pid: std::process::id(),
            uid: nix::unistd::getuid().as_raw(),
            gid: nix::unistd::getgid().as_raw(),
            user: word(user.unwrap_or_default(), 64),
            job: session.text("SLURM_JOB_ID").map(|job| word(job, 32)),
        }
    }
}

/// A text that may stand in the head of a message: printable ASCII, not empty.
fn word(text: &str, most: usize) -> String {
    let word: String = text
        .chars()
        .filter(char::is_ascii_graphic)
        .take(most)
        .collect();
    if word.is_empty() {
        "-".to_owned()
    } else {
        word
    }
}

/// The messages: as many as are needed for all loads to have room.
fn messages(head: &Head, loads: &[Load]) -> Vec<String> {
    let mut messages = Vec::new();
    let mut rest = loads;
    while let Some(first) = rest.first() {
        let mut message = begin(head, messages.len());
        let mut taken = 0;
        for load in rest {
            let parameter = parameter(load);
            // A name of its own longer than a message is told all the same.
            if taken > 0 && message.len() + parameter.len() > MAX_MESSAGE {
                break;
            }
            message.push_str(&parameter);
            taken += 1;
        }
        message.push_str("] ");
        message.push_str(first.name);
        messages.push(message);
        rest = &rest[taken..];
    }
    messages
}

fn begin(head: &Head, seq: usize) -> String {
    let Head {
        time,
        host,
        pid,
        uid,
        gid,
        user,
        job,
    } = head;
    let mut text = format!(
        "<{PRIORITY}>1 {time} {host} xmod {pid} load [{ELEMENT} time=\"{time}\" host=\"{}\" pid=\"{pid}\" seq=\"{seq}\" uid=\"{uid}\" user=\"{}\" gid=\"{gid}\"",
        escaped(host),
        escaped(user)
    );
    if let Some(job) = job {
        text.push_str(&format!(" job=\"{}\"", escaped(job)));
    }
    text
}

fn parameter(load: &Load) -> String {
    let key = if load.is_asked { "asked" } else { "needed" };
    let name = escaped(load.name);
    match load.version {
        Some(version) => format!(" {key}=\"{name}@{}\"", escaped(version)),
        None => format!(" {key}=\"{name}\""),
    }
}

/// A value of structured data; a line stays a line.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars().filter(|c| !c.is_control()) {
        if matches!(c, '"' | '\\' | ']') {
            escaped.push('\\');
        }
        escaped.push(c);
    }
    escaped
}

/// The file for what syslog does not take: one for each user.
fn file(session: &Session, config: &Config) -> Option<Utf8PathBuf> {
    if !config.usage_directory.is_empty() {
        let uid = nix::unistd::getuid();
        return Some(Utf8Path::new(&config.usage_directory).join(format!("{uid}.log")));
    }
    let state = match session.text("XDG_STATE_HOME") {
        Some(dir) if dir.starts_with('/') => Utf8PathBuf::from(dir),
        _ => session.home()?.join(".local/state"),
    };
    Some(state.join("xmod/usage.log"))
}

/// Adds whole lines in one write, which several processes at once do not mix.
fn append(path: &Utf8Path, messages: &[&String]) -> std::io::Result<()> {
    let open = || {
        std::fs::OpenOptions::new()
            .append(true)
            .create(true)
            .mode(0o600)
            // In a directory for everybody somebody else may have laid a link, or a pipe that blocks.
            .custom_flags((nix::fcntl::OFlag::O_NOFOLLOW | nix::fcntl::OFlag::O_NONBLOCK).bits())
            .open(path)
    };
    let mut file = match open() {
        Ok(file) => file,
        Err(_) => {
            std::fs::create_dir_all(path.parent().unwrap_or(Utf8Path::new("/")))?;
            open()?
        }
    };
    let lines: String = messages
        .iter()
        .map(|message| format!("{message}\n"))
        .collect();
    file.write_all(lines.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head() -> Head {
        Head {
            time: "2026-01-31T12:00:00.000000Z".into(),
            host: "node1".into(),
            pid: 4711,
            uid: 1000,
            gid: 100,
            user: "ada".into(),
            job: Some("17".into()),
        }
    }

    #[test]
    fn a_message_is_as_rfc_5424_wants_it() {
        let loads = [
            Load {
                name: "gcc",
                version: Some("13.2.0"),
                is_asked: true,
            },
            Load {
                name: "zlib",
                version: None,
                is_asked: false,
            },
        ];
        assert_eq!(
            messages(&head(), &loads),
            [
                "<14>1 2026-01-31T12:00:00.000000Z node1 xmod 4711 load [xmod@32473 time=\"2026-01-31T12:00:00.000000Z\" host=\"node1\" \
              pid=\"4711\" seq=\"0\" uid=\"1000\" user=\"ada\" gid=\"100\" job=\"17\" asked=\"gcc@13.2.0\" needed=\"zlib\"] gcc"
            ]
        );
    }

    #[test]
    fn names_cannot_end_the_message_or_the_value() {
        let loads = [Load {
            name: "a\"]\\\nb",
            version: Some("1"),
            is_asked: true,
        }];
        assert!(parameter(&loads[0]).contains("asked=\"a\\\"\\]\\\\b@1\""));
        assert_eq!(word("a b\nc", 9), "abc");
        assert_eq!(word("", 9), "-");
    }

    #[test]
    fn many_loads_are_several_messages_of_bounded_length() {
        let names: Vec<String> = (0..200)
            .map(|n| format!("some/long/name/of/a/module/{n}"))
            .collect();
        let loads: Vec<Load> = names
            .iter()
            .map(|name| Load {
                name,
                version: Some("1.2.3-GCC-12.3.0"),
                is_asked: false,
            })
            .collect();
        let messages = messages(&head(), &loads);
        assert!(messages.iter().all(|message| message.len() < 2048));
        assert_eq!(
            messages
                .iter()
                .map(|m| m.matches("needed=").count())
                .sum::<usize>(),
            200
        );
        assert!(messages[1].contains("seq=\"1\""));
    }
}
