use proptest::prelude::*;

use std::rc::Rc;

use bstr::BStr;

use super::*;
use crate::env::journal::Hidden;
use crate::env::loaded::{Need, NeedKind};
use crate::env::op::{EnvOp, PathAction, VarName};
use crate::env::state::{Past, State, Step};

fn rules() -> PathRules {
    PathRules {
        normalise: true,
        keep_empty: true,
        ..PathRules::default()
    }
}

fn env(pairs: &[(&str, &str)]) -> Environment {
    pairs
        .iter()
        .map(|(name, value)| ((*name).into(), (*value).into()))
        .collect()
}

fn name(text: &str) -> VarName {
    VarName::new(text).unwrap()
}

fn set(var: &str, value: &str) -> EnvOp {
    EnvOp::Set {
        var: name(var),
        value: value.into(),
        if_unset: false,
    }
}

fn prepend(var: &str, value: &str, priority: i32) -> EnvOp {
    EnvOp::Path {
        action: PathAction::Prepend,
        var: name(var),
        value: value.into(),
        delim: ":".into(),
        priority,
        duplicates: false,
    }
}

/// A state in which nothing is at rest.
fn rich<'s>(start: &'s Environment) -> State<'s> {
    let mut state = State::new(start, rules());
    for (full_name, ops) in [
        (
            "gcc/13.2",
            vec![
                set("CC", "gcc"),
                prepend("PATH", "/gcc/bin", 0),
                prepend("MODULEPATH", "/gcc/mods", 5),
            ],
        ),
        (
            "bio/tools/1.0",
            vec![
                prepend("PATH", "/usr/bin", 0),
                prepend("LIST", "a:b", 0),
                set("OLD", "new"),
            ],
        ),
        (
            "meta",
            vec![
                EnvOp::Push {
                    var: name("E"),
                    value: Some("x".into()),
                },
                EnvOp::Alias {
                    name: "ll".into(),
                    value: "ls".into(),
                },
            ],
        ),
    ] {
        let id = state.loaded.next_id();
        let mut module = Module::bare(id, full_name, &format!("/mods/{full_name}.lua"));
        module.journal = ops
            .iter()
            .filter_map(|op| state.apply(op, Some(id)))
            .collect();
        module.fingerprint = 7 + id;
        module.depth = id - 1;
        state.loaded.push(module);
    }
    let id = state.loaded.find("bio/tools").unwrap().id;
    state.loaded.update(id, |m| {
        m.requested = "bio/tools".into();
        m.auto = true;
        m.families = vec!["tools".into()];
        m.properties = vec![("lmod".into(), "sticky".into())];
        m.tags = vec!["a".into(), "b".into()];
        m.own_tags = vec!["b".into()];
        m.variants = vec![("mpi".into(), "1".into())];
        m.sourced = vec![(
            "bash x.sh".into(),
            vec![set("S", "1"), prepend("PATH", "/s", 0)],
        )];
        m.needs = vec![
            Need {
                kind: NeedKind::DependsOn,
                spec: "gcc/13.2".into(),
                met_by: "gcc".into(),
            },
            Need {
                kind: NeedKind::Load,
                spec: "gcc".into(),
                met_by: "gcc".into(),
            },
            Need {
                kind: NeedKind::DependsOn,
                spec: "gone".into(),
                met_by: "gone".into(),
            },
        ];
    });
    state
        .loaded
        .deactivate(Rc::new(Module::bare(0, "waits/2", "/mods/waits/2.lua")));
    state.history.push(Step {
        command: "load".into(),
        removed: vec![Past {
            full_name: "x/1".into(),
            requested: "x".into(),
            auto: true,
        }],
        added: vec!["gcc/13.2".into(), "gone/1".into()],
        modulepath: Some("/a:/b".into()),
    });
    state.system = Some("/Core".into());
    state.seal();
    state
}

fn start() -> Environment {
    env(&[
        ("PATH", "/usr/bin:/bin"),
        ("MODULEPATH", "/Core"),
        ("OLD", "old"),
        ("E", "user"),
    ])
}

#[test]
fn a_state_comes_back_as_it_was_written() {
    let start = start();
    let state = rich(&start);
    let env = state.environment();
    assert_eq!(
        env.get(BStr::new(MODULEPATH_PRIORITY)).unwrap(),
        "/gcc/mods:-5"
    );
    let (again, loss) = read(&env, rules());
    assert_eq!(loss, None);
    assert_eq!(again.loaded.active(), state.loaded.active());
    assert_eq!(again.loaded.inactive().len(), 1);
    assert_eq!(again.history, state.history);
    assert_eq!(again.system, state.system);
    assert_eq!(again.stacks, state.stacks);
    assert_eq!(encode(&again), encode(&state));
    // Written again after a look at the paths, it is still the same.
    let mut looked = again.clone();
    looked.path_entries(&name("PATH"), BStr::new(":"));
    looked.seal();
    assert!(
        looked
            .touched()
            .iter()
            .all(|n| looked.var(n) == looked.var_before(n))
    );
}

#[test]
fn a_state_that_is_missing_or_damaged_is_rebuilt_from_what_is_readable() {
    let start = start();
    let full = rich(&start).environment();
    let text = full.get(BStr::new(VARIABLE)).unwrap().clone();
    let mut cases: Vec<(Option<BString>, Loss)> = vec![
        (None, Loss::Missing),
        (Some("".into()), Loss::Damaged),
        (Some("2AAAA".into()), Loss::Newer),
        (Some("1!!!!".into()), Loss::Damaged),
        (Some(text[..text.len() - 5].into()), Loss::Damaged),
    ];
    let mut flipped = text.clone();
    flipped[20] = if flipped[20] == b'A' { b'B' } else { b'A' };
    cases.push((Some(flipped), Loss::Damaged));
    for (value, expected) in cases {
        let mut env = full.clone();
        env.remove(BStr::new(VARIABLE));
        if let Some(value) = value {
            env.insert(VARIABLE.into(), value);
        }
        let (state, loss) = read(&env, rules());
        assert_eq!(loss, Some(expected));
        let names: Vec<&str> = state
            .loaded
            .active()
            .iter()
            .map(|m| m.full_name.as_str())
            .collect();
        assert_eq!(names, ["gcc/13.2", "bio/tools/1.0", "meta"]);
        assert_eq!(state.loaded.active()[0].modulepath, "/mods");
    }
}

#[test]
fn the_readable_variables_win_over_the_packed_one() {
    let start = start();
    let mut env = rich(&start).environment();
    env.insert(LOADED.into(), "other/1:bio/tools/1.0:meta".into());
    env.insert(
        FILES.into(),
        "/o/other/1:/mods/bio/tools/1.0.lua:/mods/meta.lua".into(),
    );
    let (mut state, loss) = read(&env, rules());
    assert_eq!(loss, None);
    let names: Vec<&str> = state
        .loaded
        .active()
        .iter()
        .map(|m| m.full_name.as_str())
        .collect();
    assert_eq!(names, ["other/1", "bio/tools/1.0", "meta"]);
    let tools = state.loaded.find("bio/tools").cloned().unwrap();
    assert_eq!(tools.requested, "bio/tools");
    // What the missing module added is the user's now, what the others added is still theirs.
    let entries = state.path_entries(&name("PATH"), BStr::new(":"));
    let owners: Vec<(&BStr, usize, u32)> = entries
        .iter()
        .map(|e| (e.text, e.owners.len(), e.user))
        .collect();
    assert_eq!(
        owners,
        [
            (BStr::new("/usr/bin"), 1, 1),
            (BStr::new("/gcc/bin"), 0, 1),
            (BStr::new("/bin"), 0, 1)
        ]
    );
}

#[test]
fn names_without_files_are_told() {
    let env = env(&[(LOADED, "a/1:b/2"), (FILES, "/m/b/2.lua")]);
    let (state, loss) = read(&env, rules());
    assert_eq!(loss, Some(Loss::Missing));
    let files: Vec<&str> = state
        .loaded
        .active()
        .iter()
        .map(|m| m.file.as_str())
        .collect();
    assert_eq!(files, ["", "/m/b/2.lua"]);
}

#[test]
fn a_long_state_is_split() {
    let env = start();
    let mut state = State::new(&env, rules());
    state.stacks.insert(
        name("BIG"),
        vec![Hidden {
            owner: 0,
            value: Some(vec![b'x'; 200_000].into()),
        }],
    );
    state.loaded.push(Module::bare(1, "a/1", "/m/a/1"));
    state.seal();
    let long = state.environment();
    let pieces: Vec<usize> = long
        .iter()
        .filter(|(n, _)| n.starts_with(VARIABLE.as_bytes()))
        .map(|(_, v)| v.len())
        .collect();
    assert_eq!(pieces.len(), 3);
    assert!(pieces.iter().all(|len| *len <= PIECE));
    let (mut again, loss) = read(&long, rules());
    assert_eq!(loss, None);
    assert_eq!(again.stacks, state.stacks);
    again.stacks.clear();
    again.loaded.push(Module::bare(2, "b/1", "/m/b/1"));
    again.seal();
    assert_eq!(
        again
            .environment()
            .keys()
            .filter(|n| n.starts_with(VARIABLE.as_bytes()))
            .count(),
        1
    );
}

#[test]
fn the_text_is_the_usual_base64_for_urls() {
    for (bytes, text) in [
        (b"" as &[u8], ""),
        (b"f", "Zg"),
        (b"fo", "Zm8"),
        (b"foo", "Zm9v"),
        (b"\xff\xfe\xfd\xfc", "__79_A"),
    ] {
        let mut out = Vec::new();
        base64::write(bytes, &mut out);
        assert_eq!(out.as_bstr(), text);
        assert_eq!(base64_read(&out).as_deref(), Some(bytes));
    }
    assert_eq!(base64_read(b"A"), None);
    assert_eq!(base64_read(b"A=="), None);
}

proptest! {
    #[test]
    fn any_bytes_are_read_without_harm(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        decode_any(&bytes, &start());
    }

    #[test]
    fn a_state_with_changed_bytes_is_read_without_harm(at in 0usize..400, byte in any::<u8>(), cut in 0usize..400) {
        let start = start();
        let env = rich(&start).environment();
        let text = env.get(BStr::new(VARIABLE)).unwrap();
        let mut body = base64_read(&text[1..]).unwrap().split_off(4);
        let len = body.len();
        body[at % len] = byte;
        body.truncate(len - cut % len);
        decode_any(&body, &env);
        // With a right checksum the body is believed: what comes out must still be usable.
        let mut bytes = fingerprint32(&body).to_le_bytes().to_vec();
        bytes.append(&mut body);
        let mut text = vec![VERSION];
        base64::write(&bytes, &mut text);
        let mut env = env.clone();
        env.insert(VARIABLE.into(), text.into());
        let (mut state, _) = read(&env, rules());
        for module in state.loaded.active().to_vec() {
            state.take_back_all(&module);
            state.disown(module.id);
            state.loaded.remove(module.id);
        }
        state.seal();
    }
}
