//! Tcl modulefiles from their text to what they ask for.

use crate::config::{Config, Policy};
use crate::modulefile::host::tests::{Fake, shown};
use crate::modulefile::relation::RelationKind;
use crate::modulefile::{Evaluation, Failure, Mode, Outcome};

fn run(fake: &mut Fake, mode: Mode, body: &str) -> Result<Evaluation, Failure> {
    fake.evaluate(mode, format!("#%Module1.0\n{body}\n"))
}

/// Loads a file in a fresh world.
fn load(body: &str) -> Evaluation {
    match run(&mut Fake::new(), Mode::Load, body) {
        Ok(evaluation) => evaluation,
        Err(failure) => panic!("{}", failure.diagnostic),
    }
}

fn ops(evaluation: &Evaluation) -> Vec<String> {
    evaluation.ops.iter().map(|r| shown(&r.op)).collect()
}

/// The message that a file fails with.
fn failure(body: &str) -> String {
    match run(&mut Fake::new(), Mode::Load, body) {
        Ok(evaluation) => panic!("no failure: {evaluation:?}"),
        Err(failure) => failure.diagnostic.to_string(),
    }
}

/// The relations of a file: kind, then names.
fn relations(body: &str) -> Vec<(RelationKind, String)> {
    let evaluation = load(body);
    let names = |relation: &crate::modulefile::Relation| {
        let texts: Vec<&str> = relation.specs.iter().map(|s| s.text.as_str()).collect();
        texts.join(" ")
    };
    evaluation
        .relations
        .iter()
        .map(|(relation, _)| (relation.kind, names(relation)))
        .collect()
}

#[test]
fn what_a_file_sets_is_seen_by_the_rest_of_it() {
    let mut fake = Fake::new();
    let body = "set root /apps/a\nsetenv A_ROOT $root\nprepend-path PATH $env(A_ROOT)/bin $root/sbin\nunsetenv HOME\nputs stderr [info exists env(HOME)]";
    let evaluation = run(&mut fake, Mode::Load, body).unwrap();
    assert_eq!(
        ops(&evaluation)[..2],
        ["A_ROOT=/apps/a", "Prepend PATH /apps/a/bin:/apps/a/sbin"]
    );
    assert_eq!(fake.said(), ["Plain: 0\n"]);
}

#[test]
fn env_of_a_file_is_its_own_until_setenv() {
    let mut fake = Fake::new();
    let body = "set env(X) 1\nputs stderr [getenv X]\nunset env(HOME)\nputs stderr [getenv HOME none]\nset ::env(PATH) /only\nputs stderr [llength [array names env]]";
    let evaluation = run(&mut fake, Mode::Load, body).unwrap();
    assert_eq!(fake.said(), ["Plain: 1\n", "Plain: none\n", "Plain: 3\n"]);
    assert!(evaluation.ops.is_empty());
    assert_eq!(
        fake.value("PATH").as_deref(),
        Some("/usr/local/bin:/usr/bin:/bin")
    );
}

#[test]
fn the_commands_about_other_modules_become_relations() {
    use RelationKind as K;
    let cases = [
        ("module load b c/1", K::Load, "b c/1"),
        ("module add b", K::Load, "b"),
        ("module try-load zz", K::TryLoad, "zz"),
        ("module load-any zz b", K::LoadAny, "zz b"),
        ("module load --not-req b", K::AlwaysLoad, "b"),
        ("module unload b", K::Unload, "b"),
        ("module rm b", K::Unload, "b"),
        ("module swap b/1 b/2", K::Switch, "b/1 b/2"),
        ("module switch b/2", K::Switch, "b/2"),
        ("module load {b c/1}", K::Load, "b c/1"),
        ("always-load b", K::AlwaysLoad, "b"),
        ("depends-on b c", K::DependsOn, "b c"),
        ("depends-on-any b c", K::DependsOnAny, "b c"),
        ("prereq b c", K::PrereqAny, "b c"),
        ("prereq-any b", K::PrereqAny, "b"),
        ("prereq-all b c", K::PrereqAll, "b c"),
        ("conflict b a", K::Conflict, "b a"),
        ("provide gcc", K::Provide, "gcc"),
        ("family mpi", K::Family, ""),
        ("module purge", K::Purge, ""),
    ];
    for (body, kind, names) in cases {
        assert_eq!(relations(body), [(kind, names.to_owned())], "{body}");
    }
    let evaluation = load("prereq --optional --tag x:y --modulepath /m:/n b@1:2");
    let relation = &evaluation.relations[0].0;
    assert!(relation.optional);
    assert_eq!(relation.tags, ["x", "y"]);
    assert_eq!(relation.modulepaths, ["/m", "/n"]);
    assert_eq!(relation.specs[0].path, "b");
}

#[test]
fn module_use_changes_modulepath_seen_from_the_file() {
    let seen = |body: &str| ops(&load(body));
    assert_eq!(seen("module use /x /y"), ["Prepend MODULEPATH /x:/y"]);
    assert_eq!(seen("module use -a /x"), ["Append MODULEPATH /x"]);
    assert_eq!(
        seen("module use --append ../sub"),
        ["Append MODULEPATH /mods/sub"]
    );
    assert_eq!(
        seen("module use {$HOME/mods}"),
        ["Prepend MODULEPATH $HOME/mods"]
    );
    assert_eq!(seen("module unuse /x"), ["Remove MODULEPATH /x"]);
    assert!(failure("module use").contains("the name of the directory is empty"));
}

#[test]
fn a_sub_command_that_no_modulefile_needs_is_told() {
    let mut fake = Fake::new();
    run(&mut fake, Mode::Load, "module list").unwrap();
    assert_eq!(
        fake.said(),
        ["Warning: /mods/a/1.0:2: `module list` does nothing in a modulefile"]
    );
    assert!(failure("module save x").contains("`module save` cannot be used in a modulefile"));
    let unknown = failure("module laod b");
    assert!(unknown.contains("unknown sub-command `laod`"), "{unknown}");
    assert!(unknown.contains("did you mean `module load`?"), "{unknown}");
}

#[test]
fn what_unloading_does_to_a_removed_entry_can_be_chosen() {
    let modes = |mode: Mode, body: &str| -> Vec<(String, bool)> {
        let evaluation = run(&mut Fake::new(), mode, body).unwrap();
        evaluation
            .ops
            .iter()
            .map(|r| (shown(&r.op), r.irreversible))
            .collect()
    };
    let body = "remove-path PATH /bin --prepend-on-unload /usr/bin";
    assert_eq!(
        modes(Mode::Load, body),
        [("Remove PATH /bin".to_owned(), true)]
    );
    assert_eq!(
        modes(Mode::Unload, body),
        [("Prepend PATH /usr/bin".to_owned(), true)]
    );
    assert_eq!(
        modes(Mode::Unload, "remove-path --append-on-unload PATH /bin"),
        [("Append PATH /bin".to_owned(), true)]
    );
    assert_eq!(
        modes(Mode::Unload, "remove-path --remove-on-unload PATH /bin"),
        [("Remove PATH /bin".to_owned(), true)]
    );
    assert_eq!(
        modes(Mode::Load, "remove-path PATH /bin"),
        [("Remove PATH /bin".to_owned(), true)]
    );
    assert!(modes(Mode::Unload, "remove-path PATH /bin").is_empty());
    assert_eq!(
        modes(Mode::Load, "remove-path --glob PATH /usr/*"),
        [("Remove PATH /usr/local/bin:/usr/bin".to_owned(), true)]
    );
    assert_eq!(
        modes(Mode::Load, "remove-path --index PATH 1"),
        [("Remove PATH /usr/bin".to_owned(), true)]
    );
    assert!(modes(Mode::Load, "remove-path --index PATH 7").is_empty());
    assert_eq!(
        modes(Mode::Unload, "setenv --mode {load unload} V x"),
        [("V=x".to_owned(), true)]
    );
    assert!(modes(Mode::Unload, "setenv --mode load V x").is_empty());
}

#[test]
fn a_file_ends_in_the_ways_that_the_manual_tells() {
    let end = |body: &str| {
        let evaluation = load(&format!("setenv A 1\n{body}\nsetenv B 2"));
        (evaluation.outcome, evaluation.ops.len())
    };
    assert_eq!(end("return"), (Outcome::Completed, 1));
    assert_eq!(end("return anything"), (Outcome::Completed, 1));
    assert_eq!(end("continue"), (Outcome::Completed, 1));
    assert_eq!(end("break"), (Outcome::Broken(None), 1));
    assert_eq!(end("proc f {} {break}\nf"), (Outcome::Broken(None), 1));
    assert_eq!(end("exit 3"), (Outcome::Exited(3), 1));
    assert_eq!(end("catch {exit 3}"), (Outcome::Exited(3), 1));
    assert!(failure("error {no licence}").starts_with("error: no licence\n --> /mods/a/1.0:2:1"));
}

#[test]
fn a_mistake_is_shown_where_it_is() {
    let unknown = failure("set root /x\nprepend-pth PATH $root/bin");
    insta::assert_snapshot!(unknown, @r"
    error: unknown command `prepend-pth`
     --> /mods/a/1.0:3:1
      |
    3 | prepend-pth PATH $root/bin
      | ^^^^^^^^^^^^^^^^^^^^^^^^^^ not a modulefile command
      |
      = help: did you mean `prepend-path`?
    ");
    insta::assert_snapshot!(failure("proc where {} {\n  setenv 1BAD x\n}\nproc top {} { where }\ntop"), @r"
    error: `setenv`: `1BAD` is not a variable name: letters, digits and `_` only, no digit first
     --> /mods/a/1.0:3:3
      |
    3 |   setenv 1BAD x
      |   ^^^^^^^^^^^^^
      |
      = note: in proc `where`, called at /mods/a/1.0:5
      = note: in proc `top`, called at /mods/a/1.0:6
    ");
    insta::assert_snapshot!(failure("setenv A"), @r"
    error: `setenv`: takes exactly 2 arguments, got 1
     --> /mods/a/1.0:2:1
      |
    2 | setenv A
      | ^^^^^^^^
    ");
    insta::assert_snapshot!(failure("setenv A 1\nif {$env(A) {\n"), @r"
    error: missing close-brace
     --> /mods/a/1.0:3:1
      |
    3 | if {$env(A) {
      | ^^^^
    ");
}

#[test]
fn tcl_may_catch_what_a_command_refuses_but_not_what_the_request_refuses() {
    let mut fake = Fake::new();
    fake.config = Config::preset(Policy::Lmod);
    let body = "puts stderr [catch {setenv A} text]\nputs stderr $text\ncatch {nonesuch}\ncatch {module load unknown}\nsetenv B 1";
    let failed = run(&mut fake, Mode::Load, body).unwrap_err();
    assert_eq!(
        fake.said(),
        [
            "Plain: 1\n",
            "Plain: `setenv`: takes exactly 2 arguments, got 1\n"
        ]
    );
    assert_eq!(failed.diagnostic.message, "unknown module `unknown`");
    assert!(failed.evaluation.ops.is_empty());
    // Where requirements bind, what cannot be loaded is refused by the command.
    let mut fake = Fake::new();
    let evaluation = run(&mut fake, Mode::Load, body).unwrap();
    assert_eq!(evaluation.ops.len(), 1);
}

#[test]
fn the_first_line_says_what_the_file_is() {
    let first = |policy: Policy, text: &str| {
        let mut fake = Fake::new();
        fake.config = Config::preset(policy);
        fake.evaluate(Mode::Load, text)
            .err()
            .map(|failure| failure.diagnostic.message)
    };
    for good in [
        "#%Module",
        "#%Module1.0\n",
        "#%Module1.0####\nset x 1",
        "#%Module 99\n",
        "#%Module5.6#\r\n",
    ] {
        assert_eq!(first(Policy::Modules, good), None, "{good}");
    }
    for late in ["#%Module6.0\n", "#%Modulefoo\n"] {
        assert!(
            first(Policy::Modules, late).is_some_and(|m| m.starts_with("this file needs version"))
        );
        assert_eq!(first(Policy::Lmod, late), None);
    }
    for bad in [
        "",
        "\n#%Module\n",
        " #%Module\n",
        "#%module\n",
        "\u{feff}#%Module\n",
    ] {
        assert_eq!(
            first(Policy::Lmod, bad).as_deref(),
            Some("not a modulefile"),
            "{bad}"
        );
    }
}

#[test]
fn text_for_people_and_code_for_the_shell_go_their_ways() {
    let mut fake = Fake::new();
    let body = "puts stderr hello\nputs -nonewline stderr there\nreport -nonewline r\nreportWarning careful\nreportError bad\nputs stdout {echo one}\nputs {echo two}\nputs prestdout {echo first}\nputs log x";
    let evaluation = run(&mut fake, Mode::Load, body).unwrap();
    assert_eq!(
        fake.said(),
        [
            "Plain: hello\n",
            "Plain: there",
            "Plain: r",
            "Warning: careful",
            "Error: bad"
        ]
    );
    let code: Vec<_> = evaluation
        .ops
        .iter()
        .map(|r| match &r.op {
            crate::env::EnvOp::Execute { code, first } => {
                (code.to_string(), *first, r.irreversible)
            }
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(
        code,
        [
            ("echo one\necho two".to_owned(), false, true),
            ("echo first".to_owned(), true, true)
        ]
    );
    assert!(failure("puts nochannel x").contains("can not find channel named \"nochannel\""));
}

#[test]
fn help_comes_from_the_proc_and_from_module_help() {
    let body = "module-help first words\nproc ModulesHelp {} {\n  puts stderr {line one}\n  puts {line two}\n}\nproc ModulesTest {} { return 1 }\nmodule-whatis a b\nmodule-whatis {c d}";
    let evaluation = run(&mut Fake::new(), Mode::Help, body).unwrap();
    assert_eq!(evaluation.help, ["first words", "line one\nline two"]);
    assert_eq!(evaluation.whatis, ["a b", "c d"]);
    assert_eq!(
        run(&mut Fake::new(), Mode::Test, body).unwrap().test_passed,
        Some(true)
    );
    assert_eq!(
        run(
            &mut Fake::new(),
            Mode::Test,
            "proc ModulesTest {} {return no}"
        )
        .unwrap()
        .test_passed,
        Some(false)
    );
    assert_eq!(
        run(&mut Fake::new(), Mode::Test, "").unwrap().test_passed,
        None
    );
    let mut fake = Fake::new();
    assert_eq!(
        run(&mut fake, Mode::Load, body).unwrap().help,
        ["first words"]
    );
    assert!(fake.said().is_empty());
}

#[test]
fn module_info_tells_what_the_manual_lists() {
    let cases = [
        ("mode", "load"),
        ("mode load", "1"),
        ("mode unload", "0"),
        ("mode remove", "0"),
        ("command", "load"),
        ("command load", "1"),
        ("name", "a/1.0"),
        ("specified", "a"),
        ("shell", "bash"),
        ("shell tcsh", "0"),
        ("shelltype", "sh"),
        ("shelltype csh", "0"),
        ("type", "Tcl"),
        ("flags", "0"),
        ("user", ""),
        ("alias bee", "b/1"),
        ("alias nope", ""),
        ("version b", "b/2"),
        ("version nope", "nope"),
        ("symbols b", "default:new"),
        ("symbols c", ""),
        ("loaded b", "b/1 b/2"),
        ("loaded zz", ""),
        ("tags", "sticky"),
        ("tags sticky", "1"),
    ];
    for (words, answer) in cases {
        let mut fake = Fake::new();
        fake.loaded = vec!["b/1", "c/1", "b/2"];
        run(
            &mut fake,
            Mode::Load,
            &format!("puts stderr [module-info {words}]"),
        )
        .unwrap();
        assert_eq!(fake.said(), [format!("Plain: {answer}\n")], "{words}");
    }
    assert!(failure("module-info nonesuch").contains("`module-info` does not know `nonesuch`"));
    for (mode, word) in [
        (Mode::Unload, "unload"),
        (Mode::Show, "display"),
        (Mode::Whatis, "whatis"),
        (Mode::Refresh, "refresh"),
    ] {
        let mut fake = Fake::new();
        let evaluation = run(&mut fake, mode, "puts stderr [module-info mode]").unwrap();
        let shown = evaluation
            .said
            .iter()
            .map(|(_, text)| format!("Plain: {text}"));
        let said: Vec<_> = fake.said().into_iter().chain(shown).collect();
        assert_eq!(said, [format!("Plain: {word}\n")]);
    }
}

#[test]
fn questions_are_answered_with_one_and_zero() {
    let mut fake = Fake::new();
    fake.loaded = vec!["b/1"];
    let questions = [
        ("is-loaded b", 1),
        ("is-loaded zz b/1", 1),
        ("is-loaded c", 0),
        ("is-loaded", 1),
        ("is-avail c", 1),
        ("is-avail zz", 0),
        ("is-saved default", 1),
        ("is-saved mine", 0),
        ("is-used /mods/", 1),
        ("is-used /nope", 0),
        ("is-used", 1),
        ("versioncmp 1.10 1.9", 1),
        ("versioncmp 1.0 1.0", 0),
        ("versioncmp 2.0-rc1 2.0rc1", -1),
    ];
    let body: String = questions
        .map(|(words, _)| format!("puts stderr [{words}]\n"))
        .concat();
    run(&mut fake, Mode::Load, &body).unwrap();
    assert_eq!(
        fake.said(),
        questions.map(|(_, answer)| format!("Plain: {answer}\n"))
    );
}

#[test]
fn variants_are_chosen_checked_and_seen() {
    let with = |variants: &[(&str, &str)], mode: Mode, body: &str| {
        let mut fake = Fake::new();
        fake.module.variants = variants
            .iter()
            .map(|(n, v)| ((*n).to_owned(), (*v).to_owned()))
            .collect();
        match run(&mut fake, mode, body) {
            Ok(evaluation) => {
                assert_eq!(evaluation.variants.len(), 1);
                fake.said().join("")
            }
            Err(failure) => failure.diagnostic.message,
        }
    };
    let mpi =
        "variant --boolean --default off mpi\nputs stderr $ModuleVariant(mpi)[getvariant mpi]";
    assert_eq!(with(&[], Mode::Load, mpi), "Plain: 00\n");
    assert_eq!(with(&[("mpi", "on")], Mode::Load, mpi), "Plain: 11\n");
    assert_eq!(
        with(&[("mpi", "maybe")], Mode::Load, mpi),
        "invalid value `maybe` for variant `mpi`"
    );
    let chain = "variant toolchain gcc intel\nputs stderr $ModuleVariant(toolchain)";
    assert_eq!(
        with(&[("toolchain", "intel")], Mode::Load, chain),
        "Plain: intel\n"
    );
    assert_eq!(
        with(&[], Mode::Load, chain),
        "no value specified for variant `toolchain`"
    );
    assert_eq!(
        with(
            &[],
            Mode::Whatis,
            "variant toolchain gcc\nputs stderr <$ModuleVariant(toolchain)>"
        ),
        "Plain: <>\n"
    );
    assert!(failure("variant version 1 2").contains("`version` is a restricted variant name"));
    assert!(failure("variant 12 a").contains("`12` cannot be the name of a variant"));
}

#[test]
fn require_fullname_refuses_a_bare_name() {
    let ask = |requested: &str, policy: Policy| {
        let mut fake = Fake::new();
        fake.config = Config::preset(policy);
        fake.module.requested = requested.to_owned();
        run(&mut fake, Mode::Load, "require-fullname").is_ok()
    };
    for policy in [Policy::Lmod, Policy::Modules] {
        assert!(ask("a/1.0", policy));
        assert!(!ask("a", policy) && !ask("a/default", policy));
    }
    assert!(ask("a/1", Policy::Modules) && !ask("a/1", Policy::Lmod));
}

#[test]
fn globals_name_the_file_and_the_module_system() {
    let said = |policy: Policy| {
        let mut fake = Fake::new();
        fake.config = Config::preset(policy);
        run(
            &mut fake,
            Mode::Load,
            "puts stderr $ModulesCurrentModulefile,$ModuleTool,$ModuleToolVersion",
        )
        .unwrap();
        fake.said().join("")
    };
    assert_eq!(said(Policy::Lmod), "Plain: /mods/a/1.0,Lmod,9.2.9\n");
    assert_eq!(said(Policy::Modules), "Plain: /mods/a/1.0,Modules,5.6.1\n");
}

#[test]
fn show_records_the_calls_and_unload_leaves_the_environment_for_later() {
    let body = "setenv A 1\nprepend-path -d { } CFLAGS -g\nmodule load b\nif {[is-loaded b]} {setenv C 2}\nputs stderr [getenv A]";
    let mut fake = Fake::new();
    let evaluation = run(&mut fake, Mode::Show, body).unwrap();
    let calls: Vec<_> = evaluation
        .calls
        .iter()
        .map(|call| (call.command.tcl[0], call.args.len()))
        .collect();
    assert_eq!(calls, [("setenv", 2), ("prepend-path", 2), ("module", 2)]);
    // What the file says has its place among the calls.
    assert_eq!(evaluation.said, [(3, "$A\n".into())]);
    let mut fake = Fake::new();
    fake.state.set("A", Some("1".into()));
    let evaluation = run(&mut fake, Mode::Unload, body).unwrap();
    assert_eq!(fake.said(), ["Plain: 1\n"]);
    assert_eq!(evaluation.ops.len(), 2);
    assert!(fake.value("CFLAGS").is_none());
}

#[test]
fn obsolete_commands_warn_and_do_nothing() {
    for body in [
        "module-log info user",
        "module-trace on",
        "module-verbosity on",
        "module-user advanced",
        "setPutMode x",
    ] {
        let mut fake = Fake::new();
        run(&mut fake, Mode::Load, body).unwrap();
        assert_eq!(
            fake.said(),
            ["Warning: /mods/a/1.0:2: this command does nothing any more"],
            "{body}"
        );
    }
}

/// What an rc file says, as debug text without the usual empty conditions.
fn rc(body: &str) -> Vec<String> {
    let evaluation = match run(&mut Fake::new(), Mode::Rc, body) {
        Ok(evaluation) => evaluation,
        Err(failure) => panic!("{}", failure.diagnostic),
    };
    assert!(evaluation.ops.is_empty());
    let directives = evaluation.directives.iter();
    directives
        .map(|(directive, _)| format!("{directive:?}"))
        .collect()
}

fn rc_failure(body: &str) -> String {
    let failed = run(&mut Fake::new(), Mode::Rc, body).unwrap_err();
    failed.diagnostic.to_string()
}

#[test]
fn an_rc_file_leaves_directives() {
    use crate::modulefile::Directive as D;
    use crate::modulefile::relation::{Condition, Hiding};
    let texts = |words: &[&str]| words.iter().map(|w| (*w).to_owned()).collect::<Vec<_>>();
    let full = Condition {
        after: Some("2026-01-31".into()),
        before: Some("2026-02-28T12:00".into()),
        users: texts(&["ann", "bob"]),
        groups: texts(&["hpc"]),
        not_users: texts(&["eve"]),
        not_groups: texts(&["guests"]),
    };
    let criteria = "--after 2026-01-31 --before=2026-02-28T12:00 --user {ann bob} --group hpc --not-user eve --not-group guests";
    let none = Condition::default();
    let cases = [
        (
            "module-version gcc/12 default lts".to_owned(),
            D::Version {
                target: "gcc/12".into(),
                symbols: texts(&["default", "lts"]),
            },
        ),
        (
            "module-alias cc gcc/12".to_owned(),
            D::Alias {
                name: "cc".into(),
                target: "gcc/12".into(),
            },
        ),
        (
            "module-virtual v/1 ../x/file".to_owned(),
            D::Virtual {
                name: "v/1".into(),
                target: "../x/file".into(),
            },
        ),
        (
            format!("module-hide --hard --hidden-loaded {criteria} a b/1"),
            D::Hide {
                targets: texts(&["a", "b/1"]),
                regex: false,
                hiding: Hiding::Hard,
                hidden_loaded: true,
                condition: full.clone(),
            },
        ),
        (
            "module-hide a --soft".to_owned(),
            D::Hide {
                targets: texts(&["a"]),
                regex: false,
                hiding: Hiding::Soft,
                hidden_loaded: false,
                condition: none.clone(),
            },
        ),
        (
            "hide-version a/1".to_owned(),
            D::Hide {
                targets: texts(&["a/1"]),
                regex: false,
                hiding: Hiding::Hidden,
                hidden_loaded: false,
                condition: none.clone(),
            },
        ),
        (
            "hide-modulefile /m/a/1".to_owned(),
            D::Hide {
                targets: texts(&["/m/a/1"]),
                regex: false,
                hiding: Hiding::Hidden,
                hidden_loaded: false,
                condition: none.clone(),
            },
        ),
        (
            "module-hide-regex {^gcc/1.*}".to_owned(),
            D::Hide {
                targets: texts(&["^gcc/1.*"]),
                regex: true,
                hiding: Hiding::Hidden,
                hidden_loaded: false,
                condition: none.clone(),
            },
        ),
        (
            format!("module-forbid {criteria} --message {{use b}} --nearly-message soon a"),
            D::Forbid {
                targets: texts(&["a"]),
                regex: false,
                condition: full,
                message: Some("use b".into()),
                nearly_message: Some("soon".into()),
            },
        ),
        (
            "module-forbid-regex x.*".to_owned(),
            D::Forbid {
                targets: texts(&["x.*"]),
                regex: true,
                condition: none.clone(),
                message: None,
                nearly_message: None,
            },
        ),
        (
            "module-tag --user ann sticky a b".to_owned(),
            D::Tag {
                tag: "sticky".into(),
                targets: texts(&["a", "b"]),
                condition: Condition {
                    users: texts(&["ann"]),
                    ..none.clone()
                },
            },
        ),
        (
            "module-warn --message {is old} a".to_owned(),
            D::Warn {
                targets: texts(&["a"]),
                message: "is old".into(),
                condition: none,
            },
        ),
        (
            "modulepath-label . {Main modules}".to_owned(),
            D::Label {
                dir: ".".into(),
                label: "Main modules".into(),
            },
        ),
        (
            "modulepath-ignore *.bak !keep.bak".to_owned(),
            D::Ignore {
                patterns: texts(&["*.bak", "!keep.bak"]),
            },
        ),
        (
            "set ModulesVersion 1.2".to_owned(),
            D::Default {
                version: "1.2".into(),
            },
        ),
        (
            "set ModuleVersion 1.3".to_owned(),
            D::Default {
                version: "1.3".into(),
            },
        ),
    ];
    for (body, directive) in cases {
        assert_eq!(rc(&body), [format!("{directive:?}")], "{body}");
    }
}

#[test]
fn an_rc_file_is_a_script_that_knows_only_its_commands() {
    let body = "if {[is-loaded a] || [module-info username] ne {} && [uname sysname] eq {Linux}} {module-alias x y}";
    assert_eq!(rc(body).len(), 1);
    assert!(rc("module-alias a b\nexit\nmodule-alias c d").len() == 1);
    let unknown = rc_failure("setenv A 1");
    assert!(unknown.contains("unknown command `setenv`"), "{unknown}");
    assert!(unknown.contains("not a command of rc files"), "{unknown}");
    assert!(rc_failure("set ModulesVersion a/b").contains("invalid `ModulesVersion`"));
    assert!(rc_failure("module-tag loaded a").contains("`loaded` is a reserved tag"));
    assert!(rc_failure("module-hide --after tomorrow a").contains("`tomorrow` is no date"));
    assert!(rc_failure("module-hide --soft --hard a").contains("exclude each other"));
    assert!(rc_failure("module-warn a").contains("needs `--message TEXT`"));
    assert!(rc_failure("module-hide").contains("takes at least 1 argument"));
    assert!(failure("modulepath-ignore x").contains("only rc files may say what is ignored"));
}

#[test]
fn an_rc_file_without_its_first_line_is_read_where_lmod_is_followed() {
    let read = |policy: Policy| {
        let mut fake = Fake::new();
        fake.config = Config::preset(policy);
        fake.module.file = "/mods/a/.version".into();
        fake.evaluate(Mode::Rc, "set ModulesVersion 1.0\n")
    };
    assert_eq!(read(Policy::Lmod).unwrap().directives.len(), 1);
    assert_eq!(
        read(Policy::Modules).unwrap_err().diagnostic.message,
        "`#%Module` is missing"
    );
}

#[test]
fn a_modulefile_may_speak_of_names_too() {
    let evaluation = load("module-tag sticky a\nmodule-alias x a/1.0");
    assert_eq!(evaluation.directives.len(), 2);
    let tags = |body: &str| load(body).tags;
    assert_eq!(tags("module-tag sticky a/1.0"), ["sticky"]);
    assert_eq!(tags("module-tag mine b a"), ["mine"]);
    assert!(tags("module-tag mine b").is_empty());
    assert!(tags("module-tag --not-group [list {*}[module-info usergroups]] mine a").is_empty());
    assert!(tags("module-tag --user nobody-of-this-name mine a").is_empty());
    assert_eq!(tags("add-property state x:y"), ["x", "y"]);
}

#[test]
fn a_shell_script_is_run_once_and_taken_back_from_memory() {
    let dir = tempfile::tempdir().unwrap();
    let script = dir.path().join("s.sh");
    let count = dir.path().join("count");
    let text = format!(
        "echo x >> {}\nexport A=$1\nexport PATH=/s/bin:$PATH\nalias ll='ls -l'\n",
        count.display()
    );
    std::fs::write(&script, text).unwrap();
    let body = format!("source-sh --ignore alias sh {} one", script.display());
    let evaluation = load(&body);
    assert_eq!(ops(&evaluation), ["A=one", "Prepend PATH /s/bin"]);
    let mut fake = Fake::new();
    fake.sourced.clone_from(&evaluation.sourced);
    let unloaded = run(&mut fake, Mode::Unload, &body).unwrap();
    assert_eq!(ops(&unloaded), ops(&evaluation));
    assert_eq!(std::fs::read_to_string(&count).unwrap(), "x\n");
    let shown = run(&mut Fake::new(), Mode::Show, &body).unwrap();
    let names: Vec<_> = shown.calls.iter().map(|call| call.command.tcl[0]).collect();
    assert_eq!(names, ["source-sh", "setenv", "prepend-path"]);
    assert!(failure("source-sh sh /no/such").contains("script `/no/such` cannot be found"));
    assert!(failure("source-sh --ignore zz sh /x").contains("`zz` is not a kind of change"));
}

#[test]
fn a_program_is_run_by_system_and_its_output_is_for_people() {
    let mut fake = Fake::new();
    let body = "puts stderr [system {echo out; echo err >&2; exit 3}]";
    run(&mut fake, Mode::Load, body).unwrap();
    assert_eq!(fake.said(), ["Plain: out\nerr\n", "Plain: 3\n"]);
    let mut fake = Fake::new();
    let evaluation = run(&mut fake, Mode::Show, body).unwrap();
    assert_eq!(evaluation.said, [(1, "0\n".into())]);
}

#[test]
fn definitions_and_the_directory_are_checked() {
    use crate::env::EnvOp;
    let one = |body: &str| load(body).ops.remove(0).op;
    assert_eq!(
        one("set-alias ll {ls -l}"),
        EnvOp::Alias {
            name: "ll".into(),
            value: "ls -l".into()
        }
    );
    assert_eq!(one("unset-alias ll"), EnvOp::Unalias { name: "ll".into() });
    assert_eq!(
        one("set-function f {echo hi}"),
        EnvOp::Function {
            name: "f".into(),
            sh: "echo hi".into(),
            csh: "".into()
        }
    );
    assert_eq!(
        one("complete bash tool {-W x}"),
        EnvOp::Complete {
            shell: "bash".into(),
            command: "tool".into(),
            spec: "-W x".into()
        }
    );
    assert_eq!(
        one("uncomplete tool"),
        EnvOp::Uncomplete {
            shell: "bash".into(),
            command: "tool".into()
        }
    );
    assert_eq!(one("chdir /"), EnvOp::Chdir { dir: "/".into() });
    let mut fake = Fake::new();
    let evaluation = run(&mut fake, Mode::Load, "chdir /no/such").unwrap();
    assert!(evaluation.ops.is_empty());
    assert!(fake.said()[0].contains("cannot change to directory `/no/such` for `a/1.0`"));
    assert!(failure("set-alias {a b} x").contains("cannot be the name of an alias"));
    assert!(failure("complete bash {} x").contains("the name of the command is empty"));
    let x = load("x-resource {XTerm*background: black}");
    assert!(
        matches!(&x.ops[0].op, EnvOp::Execute { code, .. } if code == "echo 'XTerm*background: black' | xrdb -merge")
    );
    assert!(failure("x-resource {a: b'; rm x'}").contains("cannot be given to the shell"));
}

#[test]
fn values_keep_every_byte() {
    let evaluation =
        load("setenv A {a\"b'c$(d)`e`\\n}\nsetenv B \"l1\\nl2 \\$x\"\nappend-path C {x y} {} z");
    assert_eq!(
        ops(&evaluation),
        ["A=a\"b'c$(d)`e`\\n", "B=l1\nl2 $x", "Append C x y::z"]
    );
    let mut fake = Fake::new();
    let latin = fake
        .evaluate(Mode::Load, b"#%Module\nsetenv A caf\xe9\n".as_slice())
        .unwrap();
    assert_eq!(
        latin.ops[0].op,
        crate::env::EnvOp::Set {
            var: crate::env::VarName::new("A").unwrap(),
            value: b"caf\xe9".as_slice().into(),
            if_unset: false,
        }
    );
}

#[test]
fn files_that_do_not_end_or_are_garbage_are_told() {
    assert!(failure("proc f {} {f}\nf").contains("too many nested evaluations"));
    let mut fake = Fake::new();
    let start = std::time::Instant::now();
    let endless = run(&mut fake, Mode::Spider, "while 1 {}").unwrap_err();
    assert!(
        endless.diagnostic.message.contains("too"),
        "{}",
        endless.diagnostic
    );
    assert!(start.elapsed() < std::time::Duration::from_secs(60));
    // Every byte there is, again and again, from different starts.
    for start in 0..64u32 {
        let mut seed = start.wrapping_mul(2_654_435_761).wrapping_add(1);
        let mut text = b"#%Module\n".to_vec();
        for _ in 0..2000 {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            text.push((seed >> 24) as u8);
        }
        let _ = Fake::new().evaluate(Mode::Spider, text);
    }
    let mut large = b"#%Module\n".to_vec();
    while large.len() < 10 << 20 {
        large.extend_from_slice(
            b"setenv LONG_VARIABLE_NAME some/value/of/usual/length # and so on\n",
        );
    }
    let failed = Fake::new().evaluate(Mode::Load, large).unwrap_err();
    assert!(
        failed
            .diagnostic
            .message
            .contains("takes exactly 2 arguments")
    );
}

#[test]
fn files_that_are_only_listed_change_nothing_and_go_on() {
    let dir = tempfile::tempdir().unwrap();
    let at = dir.path().to_str().unwrap();
    std::fs::write(dir.path().join("kept"), "text").unwrap();
    let body = format!(
        "file mkdir {at}/new/deep\nfile copy {at}/kept {at}/copy\nfile rename {at}/kept {at}/gone\n\
         file delete -force {at}/kept\nfile link -symbolic {at}/link {at}/kept\nfile mtime {at}/kept 0\n\
         file attributes {at}/kept -permissions 0600\n\
         set f [open {at}/log a+]\nputs $f {{a line}}\nset back [read $f]\nclose $f\n\
         set f [open {at}/own {{WRONLY CREAT EXCL}}]\nclose $f\n\
         exec echo hi > {at}/said\ncd {at}\n\
         module-whatis [file tail [pwd]],$back,[lsort [glob -tails -directory {at} *]]"
    );
    for mode in [Mode::Spider, Mode::Check] {
        let evaluation = run(&mut Fake::new(), mode, &body).unwrap();
        let name = dir.path().file_name().unwrap().to_str().unwrap();
        assert_eq!(evaluation.whatis, [format!("{name},,kept")], "{mode:?}");
    }
    let names: Vec<_> = std::fs::read_dir(dir.path()).unwrap().collect();
    assert_eq!(names.len(), 1);
    assert_eq!(std::fs::read(dir.path().join("kept")).unwrap(), b"text");
}
