//! TOML modulefiles: what each key does, what each mistake prints, and that the reference says so.
//!
//! `toml/ok/NAME.toml` is evaluated for a load and the calls it makes stand in `NAME.snap`; `toml/err/NAME.toml` fails and
//! what it prints stands in `NAME.snap`. A file named after a key is that key's example in `docs/reference/toml.md`.

use std::path::PathBuf;
use std::sync::Arc;

use bstr::{BStr, BString, ByteSlice};
use camino::Utf8PathBuf;
use xmod::config::{Config, Policy};
use xmod::diag::{Diagnostic, Kind, Place, Severity, SourceFile};
use xmod::env::EnvOp;
use xmod::modulefile::relation::{Condition, Hiding};
use xmod::modulefile::toml::{KEYS, Key, Stage, versions_of};
use xmod::modulefile::{
    Call, Directive, Evaluation, Languages, LoadedModule, Message, Mode, ModuleContext, Relation,
    Value, World, evaluate,
};
use xmod::name::Spec;
use xmod::session::{Environment, Session};

use crate::support::in_repo;

/// A session in which `cuda` is loaded and every module can be found.
struct Fake {
    session: Session,
    config: Config,
    languages: Languages,
    env: Environment,
    said: Vec<String>,
}

impl Fake {
    fn new() -> Fake {
        let vars = [
            ("HOME", "/home/alice"),
            ("USER", "alice"),
            ("CUDA_HOME", "/apps/cuda"),
            ("BASE_HOME", "/opt/base"),
        ];
        let env: Environment = vars
            .into_iter()
            .map(|(name, value)| (BString::from(name), BString::from(value)))
            .collect();
        let mut session = Session::default();
        session.env.clone_from(&env);
        Fake {
            session,
            config: Config::preset(Policy::Lmod),
            languages: Languages::default(),
            env,
            said: Vec::new(),
        }
    }
}

impl World for Fake {
    fn session(&self) -> &Session {
        &self.session
    }

    fn config(&self) -> &Config {
        &self.config
    }

    fn languages(&self) -> &Languages {
        &self.languages
    }

    fn shell_name(&self) -> &str {
        "bash"
    }

    fn var(&self, name: &BStr) -> Option<&BStr> {
        self.env.get(name).map(|value| value.as_bstr())
    }

    fn environment(&self) -> Environment {
        self.env.clone()
    }

    fn apply(&mut self, _: &ModuleContext, op: &EnvOp, _: &Place) -> Result<(), Diagnostic> {
        if let EnvOp::Set { var, value, .. } = op {
            self.env.insert(var.as_bstr().to_owned(), value.clone());
        }
        Ok(())
    }

    fn relate(&mut self, _: &ModuleContext, _: &Relation, _: &Place) -> Result<(), Diagnostic> {
        Ok(())
    }

    fn is_loaded(&self, spec: &Spec) -> bool {
        spec.path == "cuda"
    }

    fn is_pending(&self, _: &Spec) -> bool {
        false
    }

    fn find(&mut self, spec: &Spec) -> Option<Utf8PathBuf> {
        Some(Utf8PathBuf::from("/apps/modules").join(&spec.path))
    }

    fn full_name(&mut self, spec: &Spec) -> Option<String> {
        Some(spec.path.clone())
    }

    fn alias_target(&mut self, _: &str) -> Option<String> {
        None
    }

    fn symbols(&mut self, _: &str) -> Vec<String> {
        Vec::new()
    }

    fn tags(&mut self, _: &ModuleContext) -> Vec<String> {
        Vec::new()
    }

    fn collections(&mut self) -> Vec<String> {
        Vec::new()
    }

    fn sourced(&self, _: &ModuleContext, _: &BStr) -> Option<Vec<EnvOp>> {
        None
    }

    fn loaded_modules(&self) -> Vec<LoadedModule> {
        Vec::new()
    }

    fn command(&self) -> &str {
        "load"
    }

    fn tell(&mut self, message: Message) {
        self.said.push(message.text.to_string());
    }
}

/// Evaluates a file as `demo/1.2.3`; a file with `versions` that lacks 1.2.3 is evaluated for its last version.
fn evaluated(text: &str, mode: Mode) -> Result<(Evaluation, Vec<String>), Diagnostic> {
    let source: Arc<SourceFile> = SourceFile::new("demo/1.2.3.toml", text);
    let mut module = ModuleContext {
        name: "demo".to_owned(),
        version: Some("1.2.3".to_owned()),
        requested: "demo/1.2.3".to_owned(),
        file: "/site/modules/demo/1.2.3.toml".into(),
        modulepath: "/site/modules".into(),
        ..ModuleContext::default()
    };
    if text.contains("versions") && !text.contains("1.2.3") && text.contains("13.2.0") {
        module.name = "gcc".to_owned();
        module.version = Some("13.2.0".to_owned());
    }
    let mut world = Fake::new();
    match evaluate(&source, &module, mode, &mut world) {
        Ok(evaluation) => Ok((evaluation, world.said)),
        Err(failure) => Err(*failure.diagnostic),
    }
}

/// The calls that a load of the file makes, written as a Lua modulefile would make them, and what it says.
fn calls(text: &str) -> String {
    let (shown, _) = evaluated(text, Mode::Show).unwrap_or_else(|d| panic!("{d}"));
    let mut lines: Vec<String> = shown.calls.iter().map(in_lua).collect();
    if shown.dynamic_modulepath {
        lines.push("haveDynamicMPATH()".to_owned());
    }
    match evaluated(text, Mode::Load) {
        Ok((_, said)) => lines.extend(
            said.iter()
                .map(|text| format!("LmodMessage({:?})", text.trim_end())),
        ),
        Err(error) if error.kind == Kind::Module => {
            lines.push(format!("LmodError({:?})", error.message));
        }
        Err(error) => panic!("{error}"),
    }
    lines.join("\n")
}

/// What the file says about who sees and loads it, written as an rc file would say it.
fn rc(text: &str) -> String {
    let source = SourceFile::new("demo/1.2.3.toml", text);
    let entries = versions_of(&source).unwrap_or_else(|d| panic!("{d}"));
    let mut lines = Vec::new();
    for entry in entries {
        let target = match &entry.version {
            Some(version) => format!("gcc/{version}"),
            None => "demo/1.2.3".to_owned(),
        };
        lines.extend(entry.directives(&target).iter().map(in_rc));
    }
    lines.join("\n")
}

fn in_rc(directive: &Directive) -> String {
    match directive {
        Directive::Version { target, symbols } => {
            format!("module-version {target} {}", symbols.join(" "))
        }
        Directive::Hide {
            targets,
            hiding,
            hidden_loaded,
            condition,
            ..
        } => format!(
            "module-hide{}{}{} {}",
            match hiding {
                Hiding::Soft => " --soft",
                Hiding::Hidden => "",
                Hiding::Hard => " --hard",
            },
            if *hidden_loaded {
                " --hidden-loaded"
            } else {
                ""
            },
            options(condition),
            targets.join(" ")
        ),
        Directive::Forbid {
            targets,
            condition,
            message,
            nearly_message,
            ..
        } => {
            let text = |name: &str, value: &Option<String>| {
                value.as_ref().map_or(String::new(), |value| {
                    format!(" \\\n  --{name} {{{value}}}")
                })
            };
            format!(
                "module-forbid{}{}{} {}",
                options(condition),
                text("message", message),
                text("nearly-message", nearly_message),
                targets.join(" ")
            )
        }
        Directive::Tag { tag, targets, .. } => format!("module-tag {tag} {}", targets.join(" ")),
        Directive::Warn {
            targets,
            message,
            condition,
        } => format!(
            "module-warn{} --message {{{message}}} {}",
            options(condition),
            targets.join(" ")
        ),
        other => panic!("a TOML file does not say {other:?}"),
    }
}

fn options(condition: &Condition) -> String {
    let one = |name: &str, value: &Option<String>| {
        value
            .as_ref()
            .map_or(String::new(), |value| format!(" --{name} {value}"))
    };
    let many = |name: &str, values: &[String]| {
        if values.is_empty() {
            return String::new();
        }
        format!(" --{name} {{{}}}", values.join(" "))
    };
    [
        one("after", &condition.after),
        one("before", &condition.before),
        many("user", &condition.users),
        many("group", &condition.groups),
        many("not-user", &condition.not_users),
        many("not-group", &condition.not_groups),
    ]
    .concat()
}

fn in_lua(call: &Call) -> String {
    let name = call.command.lua.first().unwrap_or(&call.command.toml);
    let mut args: Vec<String> = call.args.positional.iter().map(lua_value).collect();
    if call.args.named.is_empty() {
        return format!("{name}({})", args.join(", "));
    }
    for (option, value) in &call.args.named {
        args.push(format!("{option} = {}", lua_value(value)));
    }
    format!("{name}{{{}}}", args.join(", "))
}

fn lua_value(value: &Value) -> String {
    match value {
        Value::List(items) => {
            let items: Vec<String> = items.iter().map(lua_value).collect();
            format!("{{{}}}", items.join(", "))
        }
        Value::Bool(_) | Value::Int(_) => value.to_bytes().unwrap().to_string(),
        _ => format!("{:?}", value.to_bytes().unwrap().to_str().unwrap()),
    }
}

/// What a load of the file prints when it fails; `versions_of` must find what concerns it by itself.
fn mistake(name: &str, text: &str) -> String {
    match evaluated(text, Mode::Load) {
        Ok(_) => panic!("err/{name}.toml is accepted"),
        Err(diagnostic) => diagnostic.render(Severity::Error, false, 100),
    }
}

/// The files of a directory of cases, by name.
fn cases(dir: &str) -> Vec<(String, String)> {
    let mut cases: Vec<(String, String)> = std::fs::read_dir(in_repo("tests/toml").join(dir))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|e| e == "toml"))
        .map(|path: PathBuf| {
            let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
            (name, std::fs::read_to_string(&path).unwrap())
        })
        .collect();
    cases.sort();
    cases
}

fn case(dir: &str, name: &str) -> String {
    let path = in_repo("tests/toml").join(dir).join(format!("{name}.toml"));
    std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

/// Compares each answer with the file beside its case; all differences are shown at once.
fn check(dir: &str, answer: fn(&str, &str) -> String) {
    let mut settings = insta::Settings::new();
    settings.set_snapshot_path(in_repo("tests/toml").join(dir));
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| {
        for (name, text) in cases(dir) {
            insta::assert_snapshot!(name.as_str(), answer(&name, &text));
        }
    });
}

#[test]
fn each_example_makes_the_calls_beside_it() {
    check("ok", |_, text| {
        let (calls, rc) = (calls(text), rc(text));
        let between = if calls.is_empty() || rc.is_empty() {
            ""
        } else {
            "\n"
        };
        format!("{calls}{between}{rc}")
    });
}

#[test]
fn each_mistake_prints_the_message_beside_it() {
    check("err", mistake);
}

#[test]
fn a_mistake_shows_where_its_condition_does_not_hold() {
    let text = "[[when]]\narch = 'vax'\nsetenv = 1\n";
    assert!(evaluated(text, Mode::Load).is_err());
}

#[test]
fn nothing_but_a_load_fails_for_the_environment() {
    let text = "prepend_path.PATH = '${NOT_SET}/bin'\n[[when]]\nuser = '*'\nerror = 'no'\n";
    for mode in [
        Mode::Unload,
        Mode::Show,
        Mode::Help,
        Mode::Whatis,
        Mode::Spider,
        Mode::Check,
    ] {
        let (evaluation, _) = evaluated(text, mode).unwrap_or_else(|d| panic!("{mode:?}: {d}"));
        // What is not known must not become `/bin`: an unload would take that away.
        let [recorded] = &evaluation.ops[..] else {
            panic!("{mode:?}: {:?}", evaluation.ops);
        };
        let EnvOp::Path { value, .. } = &recorded.op else {
            panic!("{mode:?}: {:?}", recorded.op);
        };
        assert_eq!(value, "$NOT_SET/bin", "{mode:?}");
    }
    assert!(evaluated(text, Mode::Load).is_err());
}

#[test]
fn messages_come_when_it_happens_and_not_when_the_file_is_read() {
    let text = "message = { load = 'hello', unload = 'bye' }";
    for (mode, expected) in [
        (Mode::Load, vec!["hello\n"]),
        (Mode::Unload, vec!["bye\n"]),
        (Mode::Show, vec![]),
        (Mode::Spider, vec![]),
        (Mode::Help, vec![]),
    ] {
        assert_eq!(evaluated(text, mode).unwrap().1, expected, "{mode:?}");
    }
}

#[test]
fn a_check_looks_at_what_conditions_exclude() {
    let text = "[[when]]\narch = 'vax'\nsetenv.A = '{nowhere}'\n";
    assert!(evaluated(text, Mode::Load).is_ok());
    assert!(evaluated(text, Mode::Check).is_err());
}

#[test]
fn facts_reach_the_catalog_under_their_keys() {
    let text = "category = 'Alignment'\nkeywords = ['DNA', 'reads']\nmetadata.DOI = '10.1000/182'";
    let (evaluation, _) = evaluated(text, Mode::Spider).unwrap();
    let facts: Vec<(&str, &str)> = evaluation
        .facts
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    assert_eq!(
        facts,
        [
            ("category", "Alignment"),
            ("keywords", "DNA"),
            ("keywords", "reads"),
            ("DOI", "10.1000/182"),
        ]
    );
}

#[test]
fn any_bytes_give_a_message_and_never_a_panic() {
    for bytes in [
        &b"\xff\xfe\x00"[..],
        b"setenv.A = \"\x00\"",
        b"a = [[[[[[[[[[[[[[[[[[[[",
        b"\xef\xbb\xbfsetenv.A = 1 = 2",
        b"setenv.A = \"{",
    ] {
        let source = SourceFile::new("demo.toml", bytes);
        let module = ModuleContext::default();
        match evaluate(&source, &module, Mode::Load, &mut Fake::new()) {
            Ok(evaluation) => assert_eq!(evaluation.ops.len(), 1),
            Err(failure) => assert!(!failure.diagnostic.message.is_empty()),
        }
    }
    let deep = format!("whatis = {}{}", "[".repeat(100_000), "]".repeat(100_000));
    let source = SourceFile::new("demo.toml", deep);
    let module = ModuleContext::default();
    assert!(evaluate(&source, &module, Mode::Load, &mut Fake::new()).is_err());
}

/// The part of the reference that the table of keys and the cases give.
fn reference() -> String {
    let mut text = String::new();
    let mut stage = None;
    for key in KEYS {
        if key.name == "when" {
            continue;
        }
        if stage != Some(key.stage) {
            stage = Some(key.stage);
            text += &format!("## {}\n\n", heading(key.stage));
        }
        text += &entry(key);
    }
    text
}

fn heading(stage: Stage) -> &'static str {
    match stage {
        Stage::Frame => "The file and its versions",
        Stage::Texts => "1. Texts and facts",
        Stage::Guards => "2. What must hold",
        Stage::Modules => "3. Other modules",
        Stage::Environment => "4. Variables",
        Stage::Shell => "5. Aliases, functions, completions",
        Stage::Messages => "6. Messages",
    }
}

fn entry(key: &Key) -> String {
    let example = case("ok", key.name);
    let wrong = case("err", key.name);
    let mut gives = String::new();
    if let calls @ [_, ..] = calls(&example).as_bytes() {
        let calls = calls.as_bstr();
        gives += &format!("In Lua this is:\n\n```lua\n{calls}\n```\n\n");
    }
    if let rc @ [_, ..] = rc(&example).as_bytes() {
        let rc = rc.as_bstr();
        gives += &format!("In a `.modulerc` this is:\n\n```tcl\n{rc}\n```\n\n");
    }
    let place = if key.in_when {
        "At the top level and in `[[when]]`."
    } else {
        "At the top level."
    };
    format!(
        "### `{name}`\n\n{doc}\n\nValue: {value}. {place}\n\n```toml\n{example}```\n\n{gives}A mistake:\n\n\
         ```toml\n{wrong}```\n\n```text\n{printed}```\n\n",
        name = key.name,
        doc = key.doc,
        value = key.value,
        printed = mistake(key.name, &wrong),
    )
}

#[test]
fn the_reference_is_what_the_table_and_the_examples_say() {
    const BEGIN: &str = "<!-- begin: written by tests/toml.rs -->\n";
    const END: &str = "<!-- end -->\n";
    let path = in_repo("docs/reference/toml.md");
    let page = std::fs::read_to_string(&path).unwrap();
    let (head, rest) = page.split_once(BEGIN).unwrap();
    let (_, tail) = rest.split_once(END).unwrap();
    let expected = format!("{head}{BEGIN}\n{}{END}{tail}", reference());
    if page != expected {
        std::fs::write(&path, expected).unwrap();
        panic!(
            "docs/reference/toml.md was out of date and has been written anew: look at it and commit it"
        );
    }
}

#[test]
fn every_toml_file_of_the_example_site_is_right() {
    let mut count = 0;
    for entry in walkdir::WalkDir::new(in_repo("modulefiles")) {
        let entry = entry.unwrap();
        let path = Utf8PathBuf::from_path_buf(entry.path().to_owned()).unwrap();
        if path.extension() != Some("toml") {
            continue;
        }
        let source = SourceFile::new(&path, std::fs::read(&path).unwrap());
        for described in versions_of(&source).unwrap_or_else(|d| panic!("{d}")) {
            let module = ModuleContext {
                name: "demo".to_owned(),
                version: Some(described.version.unwrap_or_else(|| "1.0".to_owned())),
                file: path.clone(),
                modulepath: path.parent().unwrap().to_owned(),
                ..ModuleContext::default()
            };
            for mode in [Mode::Check, Mode::Load] {
                if let Err(failure) = evaluate(&source, &module, mode, &mut Fake::new()) {
                    panic!("{}", failure.diagnostic);
                }
            }
            count += 1;
        }
    }
    assert!(count > 30, "{count}");
}

proptest::proptest! {
    /// Pieces of the format in any order: a message or a result, in every mode, and never a panic.
    #[test]
    fn pieces_in_any_order_never_panic(pieces in proptest::collection::vec(0..PIECES.len(), 0..24)) {
        let text: String = pieces.into_iter().map(|index| PIECES[index]).collect();
        for mode in [Mode::Load, Mode::Unload, Mode::Show, Mode::Spider, Mode::Check] {
            if let Err(diagnostic) = evaluated(&text, mode) {
                proptest::prop_assert!(!diagnostic.render(Severity::Error, false, 100).is_empty());
            }
        }
        let _ = versions_of(&SourceFile::new("demo.toml", text));
    }
}

const PIECES: &[&str] = &[
    "\n",
    "\n",
    "\n",
    " = ",
    " = ",
    ".",
    "[",
    "]",
    "[[when]]\n",
    "{",
    "}",
    ",",
    "\"",
    "'",
    "\\u00e9",
    "é",
    "\0",
    "setenv",
    "prepend_path",
    "versions",
    "vars",
    "root",
    "depends_on",
    "hidden",
    "loaded",
    "not",
    "A",
    "1.2.3",
    "\"{root}\"",
    "\"${HOME}\"",
    "\"${A:-{b}}\"",
    "\"$${A}\"",
    "\"{{root}}\"",
    "\"{version.9}\"",
    "\"${\"",
    "\"{\"",
    "\"x\"",
    "true",
    "2026-01-01",
    "99999999999999999999",
    "[\"a\", \"b\"]",
    "{ path = \"a\", delim = \";\" }",
    "setenv.A = \"x\"\n",
    "vars.b = \"{b}\"\n",
    "format = 1\n",
];
