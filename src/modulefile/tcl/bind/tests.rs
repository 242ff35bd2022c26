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
        [("Remove PATH /bin".to_owned(), false)]
    );
    assert_eq!(
        modes(Mode::Load, "remove-path --glob PATH /usr/*"),
        [("Remove PATH /usr/local/bin:/usr/bin".to_owned(), false)]
    );
    assert_eq!(
        modes(Mode::Load, "remove-path --index PATH 1"),
        [("Remove PATH /usr/bin".to_owned(), false)]
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
        run(&mut fake, mode, "puts stderr [module-info mode]").unwrap();
        assert_eq!(fake.said(), [format!("Plain: {word}\n")]);
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
    assert_eq!(fake.said(), ["Plain: $A\n"]);
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
