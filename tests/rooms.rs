//! Who may import whom: a room uses only rooms to its left (docs/internals/architecture.md).

use std::path::Path;

/// The rooms in order; those of one element may use each other.
const ROOMS: &[&[&str]] = &[
    &["diag", "name", "session"],
    &["config", "env"],
    &["modulefile"],
    &["tree"],
    &["cache"],
    &["resolve"],
    &["transition", "collection", "catalog", "usage"],
    &["view", "shell"],
    &["command"],
    &["cli", "main"],
];

/// Rooms that see less than all that stands to their left.
const ONLY: &[(&str, &[&str])] = &[
    ("shell", &["diag", "session", "env"]),
    ("name", &["diag"]),
    ("diag", &[]),
    ("session", &["diag"]),
];

fn rank(room: &str) -> Option<usize> {
    ROOMS.iter().position(|rooms| rooms.contains(&room))
}

#[test]
fn rooms_use_only_rooms_to_their_left() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut wrong = Vec::new();
    let mut files = 0;
    walk(&src, &mut |path| {
        files += 1;
        let inside = path.strip_prefix(&src).unwrap();
        let room = inside
            .iter()
            .next()
            .unwrap()
            .to_str()
            .unwrap()
            .trim_end_matches(".rs");
        if room == "lib" {
            return;
        }
        let Some(own) = rank(room) else {
            wrong.push(format!(
                "{}: `{room}` is no room of the list in tests/rooms.rs",
                inside.display()
            ));
            return;
        };
        let text = std::fs::read_to_string(path).unwrap();
        for (number, line) in text.lines().enumerate() {
            let code = line.split("//").next().unwrap();
            for (at, _) in code.match_indices("crate::") {
                let used: String = code[at + 7..]
                    .chars()
                    .take_while(|c| c.is_ascii_alphanumeric() || *c == '_')
                    .collect();
                let Some(other) = rank(&used) else { continue };
                let narrow = ONLY.iter().find(|(name, _)| *name == room);
                let allowed = used == room
                    || match narrow {
                        Some((_, allowed)) => allowed.contains(&used.as_str()),
                        None => other <= own,
                    };
                if !allowed {
                    wrong.push(format!(
                        "{}:{}: `{room}` uses `{used}`",
                        inside.display(),
                        number + 1
                    ));
                }
            }
        }
    });
    assert!(files > 10, "the sources were not found");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn walk(dir: &Path, visit: &mut dyn FnMut(&Path)) {
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            walk(&path, visit);
        } else if path.extension().is_some_and(|e| e == "rs") {
            visit(&path);
        }
    }
}
