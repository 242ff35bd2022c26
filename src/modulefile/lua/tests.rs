//! Lua modulefiles as wholes: what they ask for, what they see, how they fail.

use bstr::BString;

use crate::modulefile::host::tests::{Fake, shown};
use crate::modulefile::{Evaluation, Failure, Mode, Outcome};

/// A world in which Lua files are evaluated.
pub(super) fn fake() -> Fake {
    let mut fake = Fake::new();
    fake.config = crate::config::Config::preset(crate::config::Policy::Lmod);
    fake.module.file = "/mods/a/1.0.lua".into();
    fake
}

fn run(mode: Mode, text: &str) -> (Fake, Result<Evaluation, Failure>) {
    let mut fake = fake();
    let result = fake.evaluate(mode, text);
    (fake, result)
}

/// The operations of a file that must be good.
fn ops(text: &str) -> Vec<String> {
    let (_, result) = run(Mode::Load, text);
    let evaluation = result.map_err(|f| f.diagnostic.to_string()).unwrap();
    evaluation.ops.iter().map(|r| shown(&r.op)).collect()
}

/// What the expression comes to, as text.
pub(super) fn value(expression: &str) -> String {
    let (fake, result) = run(Mode::Load, &format!("setenv('V', tostring({expression}))"));
    result.map_err(|f| f.diagnostic.to_string()).unwrap();
    fake.value("V").unwrap()
}

/// What is said of a file that must be bad: the message, the line with the marked text, notes and help.
pub(super) fn failure(text: &str) -> String {
    let (_, result) = run(Mode::Load, text);
    let diagnostic = *result.unwrap_err().diagnostic;
    let mut said = diagnostic.message;
    if let Some((place, _)) = diagnostic.place {
        let (start, end) = (place.span.start as usize, place.span.end as usize);
        let marked = String::from_utf8_lossy(&place.file.text()[start..end]);
        said += &format!(" | {}: {marked}", place.file.line_of(place.span.start));
    }
    for more in diagnostic.notes.iter().chain(&diagnostic.help) {
        said += &format!(" | {more}");
    }
    said
}

#[test]
fn commands_become_operations_in_the_order_of_the_file() {
    assert_eq!(
        ops("local root = '/apps/a'\n\
             setenv('A_ROOT', root)\n\
             prepend_path('PATH', pathJoin(root, 'bin'))\n\
             append_path{'LUA_PATH', root .. '/?.lua', delim=';'}\n\
             setenv('N', 3) setenv('T', true) setenv('F', 1.5)"),
        [
            "A_ROOT=/apps/a",
            "Prepend PATH /apps/a/bin",
            "Append LUA_PATH /apps/a/?.lua",
            "N=3",
            "T=true",
            "F=1.5"
        ]
    );
}

#[test]
fn an_unknown_function_shows_line_caret_and_a_near_miss() {
    assert_eq!(
        failure("setenv('A', 1)\n  prepend_pth('PATH', '/x')\n"),
        "unknown function `prepend_pth` | 2: prepend_pth | did you mean `prepend_path`?"
    );
}

#[test]
fn a_wrong_argument_shows_the_call() {
    assert_eq!(
        failure("\nsetenv('A')"),
        "`setenv`: takes exactly 2 arguments, got 1 | 2: setenv('A')"
    );
    assert_eq!(
        failure("prepend_path{'A', 'b', delimiter=';'}"),
        "`prepend_path`: unknown key `delimiter`; known are `delim`, `priority`, `duplicates`, `index`, `glob`, `modeA` | 1: prepend_path{'A', 'b', delimiter=';'}"
    );
    assert_eq!(
        failure("setenv('A', print)"),
        "`setenv`: argument 2: expected a string, got function | 1: setenv('A', print)"
    );
}

#[test]
fn a_syntax_error_shows_its_line() {
    assert_eq!(
        failure("setenv('A', 1)\nif true thn\nend"),
        "'then' expected near 'thn' | 2: thn"
    );
}

#[test]
fn an_error_inside_a_function_shows_where_it_happens() {
    assert_eq!(
        failure("local function f(x)\n  return x.y.z\nend\nf({})"),
        "attempt to index a nil value (field 'y') | 2: y"
    );
    assert_eq!(
        failure("local x = 'a' .. root"),
        "attempt to concatenate a nil value (global 'root') | 1: root | `root` has no value here"
    );
}

#[test]
fn lmod_error_cannot_be_caught_but_a_wrong_argument_can() {
    let (fake, result) = run(
        Mode::Load,
        "local ok, why = pcall(setenv, 'A')\nsetenv('OK', tostring(ok)) setenv('WHY', why)\n\
         pcall(LmodError, 'no licence')\nsetenv('AFTER', 1)",
    );
    let failure = result.unwrap_err();
    assert_eq!(failure.diagnostic.message, "no licence");
    assert_eq!(fake.value("OK").as_deref(), Some("false"));
    assert_eq!(
        fake.value("WHY").as_deref(),
        Some("/mods/a/1.0.lua:1: `setenv`: takes exactly 2 arguments, got 1")
    );
    assert_eq!(fake.value("AFTER"), None);
}

#[test]
fn errors_of_lua_are_caught_with_their_value() {
    assert_eq!(value("select(2, pcall(error, {code = 7})).code"), "7");
    assert_eq!(value("select(2, pcall(error, 'plain', 0))"), "plain");
    assert_eq!(
        value(
            "select(2, xpcall(function() setenv('1x', 2) end, function(e) return 'H:' .. e end))"
        ),
        "H:/mods/a/1.0.lua:1: `setenv`: argument 1: `1x` is not a variable name: letters, digits and `_` only, no digit first"
    );
}

#[test]
fn globals_of_one_file_are_not_seen_by_the_next() {
    let mut fake = fake();
    fake.evaluate(Mode::Load, "leak = 'x' string.leak = nil")
        .unwrap();
    fake.evaluate(Mode::Load, "setenv('V', tostring(leak))")
        .unwrap();
    assert_eq!(fake.value("V").as_deref(), Some("nil"));
}

#[test]
fn the_environment_is_the_working_one() {
    assert_eq!(value("os.getenv('HOME')"), "/home/ann");
    assert_eq!(value("os.getenv('NOT_SET')"), "nil");
    assert_eq!(value("(setenv('X', 'y') or '') .. os.getenv('X')"), "y");
    assert_eq!(value("os.getenv('LC_ALL')"), "C");
}

#[test]
fn standard_output_is_shell_code_and_standard_error_is_a_message() {
    let (fake, result) = run(
        Mode::Load,
        "print('echo', 1)\nio.write('A', 2):write('\\n')\nio.stderr:write('hello ', 5, '\\n')",
    );
    let evaluation = result.unwrap();
    assert_eq!(
        shown(&evaluation.ops[0].op),
        "Execute { code: \"echo\\t1\\nA2\\n\", first: true }"
    );
    assert!(evaluation.ops[0].irreversible);
    assert_eq!(fake.said(), ["Direct: hello 5\n"]);
    let (fake, result) = run(Mode::Spider, "print('echo 1') io.stderr:write('x')");
    assert!(result.unwrap().ops.is_empty() && fake.messages.is_empty());
}

#[test]
fn programs_see_the_working_environment() {
    assert_eq!(
        value("(setenv('X', 'seen') or '') .. capture('echo $X; echo lost >&2; exit 3')"),
        "seen\n"
    );
    assert_eq!(value("capture('echo $X', {X = \"it's\"})"), "it's\n");
    assert_eq!(value("select(3, os.execute('exit 4'))"), "4");
    assert_eq!(value("os.execute('true')"), "true");
    assert_eq!(
        value("(function() local p = io.popen('printf \"1 2\\nb\\nc\"')
                local n, l, rest = p:read('n', '*l', 'a')
                local t = {}
                for line in io.popen('printf \"x\\ny\"'):lines() do t[#t+1] = line end
                return n .. '|' .. l .. '|' .. rest .. '|' .. table.concat(t, ',') .. '|' .. select(2, p:close())
              end)()"),
        "1| 2|b\nc|x,y|exit"
    );
}

#[test]
fn a_program_can_be_given_input() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("f");
    let (_, result) = run(
        Mode::Load,
        &format!(
            "local p = io.popen('cat > {}', 'w') p:write('a', 1, '\\n') p:close()",
            file.display()
        ),
    );
    result.unwrap();
    assert_eq!(std::fs::read_to_string(file).unwrap(), "a1\n");
}

#[test]
fn nothing_is_written_while_files_are_only_read() {
    let dir = tempfile::tempdir().unwrap();
    let text = format!(
        "mkdir_recursive('{0}/new') local f = io.open('{0}/f', 'w') f:write('x') f:close()",
        dir.path().display()
    );
    run(Mode::Spider, &text).1.unwrap();
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
    run(Mode::Load, &text).1.unwrap();
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 2);
}

#[test]
fn os_exit_ends_the_command_and_break_drops_the_file() {
    let (_, result) = run(Mode::Load, "pcall(os.exit, 3) setenv('A', 1)");
    assert_eq!(result.unwrap().outcome, Outcome::Exited(3));
    let (_, result) = run(Mode::Spider, "os.exit(3) whatis('still read')");
    assert_eq!(result.unwrap().whatis, [BString::from("still read")]);
}

#[test]
fn endless_loops_and_endless_memory_are_bounded() {
    assert_eq!(
        failure("x = 1\nwhile true do pcall(function() x = x + 1 end) end"),
        "stopped after 100000000 Lua instructions | 2: while true do pcall(function() x = x + 1 end) end"
    );
    assert_eq!(
        failure("local t = {}\nfor i = 1, 1e9 do t[i] = ('x'):rep(1e6) .. i end"),
        "the modulefile takes too much memory | 1: local t = {}"
    );
    assert_eq!(
        failure("local function f() return 1 + f() end f()"),
        "stack overflow | 1: local function f() return 1 + f() end f()"
    );
}

#[test]
fn compiled_code_is_refused() {
    assert_eq!(
        failure("\x1bLuaT\0\x19"),
        "compiled Lua is not accepted | 1: \u{1b}LuaT\0\u{19} | install the source of the modulefile"
    );
    assert_eq!(value("loadstring('\\27Lua')"), "nil");
}

#[test]
fn names_of_lua_5_1_work_or_say_what_to_write() {
    assert_eq!(value("unpack({1, 2})"), "1");
    assert_eq!(value("loadstring('return 6 * 7')()"), "42");
    assert_eq!(
        failure("setfenv(1, {})"),
        "`setfenv`: not in Lua 5.4: functions have no environments of their own | 1: setfenv(1, {})"
    );
    assert_eq!(
        failure("local n = table.getn({})"),
        "`getn`: not in Lua 5.4: write `#t` | 1: local n = table.getn({})"
    );
}

#[test]
fn what_would_reach_the_process_is_not_there() {
    for name in [
        "debug",
        "coroutine",
        "collectgarbage",
        "_G",
        "os.remove",
        "os.rename",
        "os.tmpname",
        "os.setlocale",
        "io.read",
        "io.input",
        "io.output",
        "io.stdin",
        "package.loadlib",
        "package.searchers",
        "string.dump",
    ] {
        assert_eq!(value(name), "nil", "{name}");
    }
}

/// A file evaluated in a mode: operations and relations as short texts.
fn evaluated(mode: Mode, text: &str) -> (Vec<String>, Vec<String>) {
    let (_, result) = run(mode, text);
    let evaluation = result.map_err(|f| f.diagnostic.to_string()).unwrap();
    let relations = evaluation.relations.iter().map(|(relation, _)| {
        let specs: Vec<&str> = relation.specs.iter().map(|s| s.text.as_str()).collect();
        format!("{:?} {}{}", relation.kind, specs.join(" "), relation.family)
    });
    (
        evaluation.ops.iter().map(|r| shown(&r.op)).collect(),
        relations.collect(),
    )
}

#[test]
fn modules_are_named_with_ranges_of_versions() {
    let (_, relations) = evaluated(
        Mode::Load,
        "load('b/1', 'c') try_load('x') depends_on(atleast('b', '1.2')) prereq(between('c', '<1', '2'))\n\
         prereq_any(atmost('b', '3'), latest('c')) conflict('z') family('compiler') always_load('b') load_any('q', 'b')\n\
         depends_on_any('q', 'c') unload('b') always_unload('c') inherit() purge{force=true}",
    );
    assert_eq!(
        relations,
        [
            "Load b/1 c",
            "TryLoad x",
            "DependsOn atleast(\"b\",\"1.2\")",
            "PrereqAll between(\"c\",\"<1\",\"2\")",
            "PrereqAny atmost(\"b\",\"3\") latest(\"c\")",
            "Conflict z",
            "Family compiler",
            "AlwaysLoad b",
            "LoadAny q b",
            "DependsOnAny q c",
            "Unload b",
            "AlwaysUnload c",
            "Inherit ",
            "Purge ",
        ]
    );
}

#[test]
fn calls_that_choose_their_modes_act_in_these_alone() {
    let text = "setenv{'L', '1', modeA={'load'}} setenv{'U', '1', modeA={'unload'}} pushenv{'B', '1', mode={'load', 'unload'}}\n\
                load{'b', modeA={'unload'}} setenv{'N', '1', modeA={'normal'}} execute{cmd='hi', modeA={'load'}}";
    let (ops, relations) = evaluated(Mode::Load, text);
    assert_eq!(ops.len(), 4, "{ops:?}");
    assert_eq!((ops[0].as_str(), ops[2].as_str()), ("L=1", "N=1"));
    assert!(relations.is_empty());
    let (ops, _) = evaluated(Mode::Unload, text);
    assert_eq!((ops[0].as_str(), ops[2].as_str()), ("U=1", "N=1"));
    assert_eq!(
        failure("setenv{'A', '1', modeA={'often'}}"),
        "`setenv`: `often` is not a mode: `load`, `unload` or `normal` | 1: setenv{'A', '1', modeA={'often'}}"
    );
    assert_eq!(
        failure("prepend_path{'MODULEPATH', '/x', modeA={'load'}}"),
        "`prepend_path`: argument 1: `MODULEPATH` cannot be changed in chosen modes only | 1: prepend_path{'MODULEPATH', '/x', modeA={'load'}}"
    );
}

#[test]
fn a_file_learns_about_itself_and_the_session() {
    for (expression, wanted) in [
        ("mode()", "load"),
        ("is_spider()", "false"),
        ("myFileName()", "/mods/a/1.0.lua"),
        ("myModuleName()", "a"),
        ("myModuleVersion()", "1.0"),
        ("myModuleFullName()", "a/1.0"),
        ("myModuleUsrName()", "a"),
        ("myModuleUsrAndAliasName()", "a"),
        ("myShellName()", "bash"),
        ("myShellType()", "sh"),
        ("myConfig('shelltype')", "sh"),
        ("isloaded('b')", "false"),
        ("isPending('b')", "false"),
        ("isAvail('b')", "/mods/b/2"),
        ("isAvail('nope')", "false"),
        ("#loaded_modules()", "0"),
        ("LmodVersion()", "9.2.9"),
        (
            "convertToCanonical('1.2.3') < convertToCanonical('1.10')",
            "true",
        ),
        ("hierarchyA('a/1.0', 1)[1]", "mods"),
        ("isDefined('setenv')", "true"),
        ("isDefined('nonsense')", "false"),
        ("isNotDefined('nonsense')", "true"),
        ("protected_getenv{'NOT_SET', 'x'}", "nil"),
        ("protected_getenv{'HOME'}", "/home/ann"),
        ("#UUIDString()", "56"),
        (
            "tostring(between('a', '1', '2'))",
            "between(\"a\",\"1\",\"2\")",
        ),
    ] {
        assert_eq!(value(expression), wanted, "{expression}");
    }
}

#[test]
fn the_hierarchy_of_a_module_is_read_from_its_path() {
    let mut fake = fake();
    fake.module.file = "/m/MPI/gcc/10.1/mpich/3.3/petsc/3.1.lua".into();
    let text = "local h = hierarchyA('petsc/3.1', 2) setenv('H', h[1] .. ' ' .. h[2])";
    fake.evaluate(Mode::Load, text).unwrap();
    assert_eq!(fake.value("H").as_deref(), Some("mpich/3.3 gcc/10.1"));
}

#[test]
fn texts_for_people_are_joined_as_by_lmod() {
    let (fake, result) = run(
        Mode::Load,
        "LmodMessage('a', 'b', 3) LmodMsgRaw('x', 'y') LmodWarning{msg='no %{what}', what='licence'}\n\
         whatis('Name: a') help([[one]], [[two]]) extensions('n/1, m/2') add_property('arch', 'gpu')",
    );
    assert_eq!(
        fake.said(),
        ["Plain: a b 3\n", "Plain: xy", "Warning: no licence"]
    );
    let evaluation = result.unwrap();
    assert_eq!(evaluation.extensions, ["n/1", "m/2"]);
    assert_eq!(
        evaluation.properties,
        [("arch".to_owned(), "gpu".to_owned())]
    );
}

#[test]
fn lmod_break_drops_a_load_and_means_nothing_elsewhere() {
    let (_, result) = run(
        Mode::Load,
        "setenv('A', 1) pcall(LmodBreak, 'not here') setenv('B', 1)",
    );
    let evaluation = result.unwrap();
    assert_eq!(
        evaluation.outcome,
        Outcome::Broken(Some("not here".to_owned()))
    );
    let (ops, _) = evaluated(Mode::Unload, "LmodBreak() setenv('B', 1)");
    assert_eq!(ops, ["B=1"]);
}

#[test]
fn lmod_error_is_inert_where_a_file_is_read_for_its_texts() {
    for mode in [Mode::Help, Mode::Whatis, Mode::Spider] {
        let (_, result) = run(mode, "LmodError('no') whatis('W')");
        assert_eq!(result.unwrap().whatis, [BString::from("W")], "{mode:?}");
    }
}

#[test]
fn show_records_the_calls_and_a_load_does_not() {
    let text = "setenv('A', 1) if mode() == 'show' then load(atleast('b', '1')) end";
    let (_, result) = run(Mode::Show, text);
    let calls: Vec<_> = result
        .unwrap()
        .calls
        .iter()
        .map(|c| c.command.lua[0])
        .collect();
    assert_eq!(calls, ["setenv", "load"]);
    assert!(run(Mode::Load, text).1.unwrap().calls.is_empty());
    let text = "setenv('V', protected_getenv{'NOT_SET'} .. protected_getenv{'NOT_SET', 'd'})";
    assert_eq!(evaluated(Mode::Show, text).0, ["V=$NOT_SETd"]);
}

#[test]
fn an_rc_file_has_its_own_few_names() {
    use crate::modulefile::{Directive, relation::Hiding};
    let (_, result) = run(
        Mode::Rc,
        "module_version('a/1.0', 'default') module_alias('x', 'a') module_virtual('v', '/f') hide_version('a/2')\n\
         hide_modulefile('/mods/a/3.lua') hide{name={'b', 'c/1'}, kind='soft', after='2026-01-02', userA={'ann'}}\n\
         hideRegex{name='^t.*'} forbid{name='d', message='no', nearly_message='soon', notGroupA={'g'}} forbidRegex{name='e'}",
    );
    let directives = result
        .map_err(|f| f.diagnostic.to_string())
        .unwrap()
        .directives;
    assert_eq!(directives.len(), 9);
    let Directive::Hide {
        targets,
        hiding,
        condition,
        ..
    } = &directives[5].0
    else {
        panic!("{directives:?}");
    };
    assert_eq!(
        (targets.join(" ").as_str(), *hiding),
        ("b c/1", Hiding::Soft)
    );
    assert_eq!(condition.after.as_deref(), Some("2026-01-02"));
    assert_eq!(condition.users, ["ann"]);
    let rc = |text: &str| run(Mode::Rc, text).1.unwrap_err().diagnostic.message;
    assert_eq!(rc("setenv('A', 1)"), "unknown function `setenv`");
    assert_eq!(
        rc("hide{nam='a'}"),
        "`hide`: unknown key `nam`; known are `name`, `kind`, `hidden_loaded`, `after`, `before`, `userA`, `groupA`, `notUserA`, `notGroupA`"
    );
    assert_eq!(
        rc("hide{name='a', kind='loud'}"),
        "`hide`: `loud` is not a kind: `hidden`, `soft`, `hard`"
    );
    assert_eq!(
        failure("hide{name='a'}"),
        "unknown function `hide` | 1: hide"
    );
}

#[test]
fn files_and_the_machine_are_described_as_by_the_lua_libraries() {
    for (expression, wanted) in [
        ("lfs.attributes('/etc/passwd', 'mode')", "file"),
        ("lfs.attributes('/etc').mode", "directory"),
        ("lfs.attributes('/etc/passwd').permissions", "rw-r--r--"),
        (
            "select(2, lfs.attributes('/nope'))",
            "cannot obtain information from file '/nope': No such file or directory",
        ),
        ("lfs.symlinkattributes('/proc/self', 'mode')", "link"),
        ("posix.stat('/etc/passwd', 'type')", "regular"),
        ("posix.stat('/etc/passwd').mode", "rw-r--r--"),
        ("posix.uname('%s')", "Linux"),
        ("type(posix.hostid())", "number"),
        (
            "posix.setenv('Z', 'own') .. os.getenv('Z') .. capture('echo $Z')",
            "0ownown\n",
        ),
        ("require('lfs') == lfs", "true"),
    ] {
        assert_eq!(value(expression), wanted, "{expression}");
    }
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("b"), "").unwrap();
    std::fs::write(dir.path().join("a"), "").unwrap();
    let list = format!(
        "(function() local t = {{}} for n in lfs.dir('{}') do t[#t+1] = n end return table.concat(t, ' ') end)()",
        dir.path().display()
    );
    assert_eq!(value(&list), ". .. a b");
    assert_eq!(
        failure("lfs.chdir('/')"),
        "`chdir`: not for modulefiles | 1: lfs.chdir('/')"
    );
}

#[test]
fn a_package_is_described_by_one_table() {
    let mut fake = fake();
    fake.module.file = "/m/MPI/gcc/10.1/mpich/3.3/a/1.0.lua".into();
    let text = "local p = Pkg:new{Category='Library', URL='http://x', display_name='A-lib', level=2, help='H'}\n\
                p:setStandardPaths('DIR', 'BIN', 'MAN') setenv('DIR', p:moduleDir())";
    let evaluation = fake
        .evaluate(Mode::Load, text)
        .map_err(|f| f.diagnostic.to_string());
    let evaluation = evaluation.unwrap();
    let whatis: Vec<_> = evaluation.whatis.iter().map(ToString::to_string).collect();
    assert_eq!(
        whatis,
        [
            "Name: A-lib",
            "Version: 1.0",
            "Category: Library",
            "URL: http://x"
        ]
    );
    let ops: Vec<_> = evaluation.ops.iter().map(|r| shown(&r.op)).collect();
    assert_eq!(
        ops,
        [
            "LMOD_A_LIB_DIR=/opt/apps/gcc-10.1/mpich-3.3/a/1.0",
            "LMOD_A_LIB_BIN=/opt/apps/gcc-10.1/mpich-3.3/a/1.0/bin",
            "Prepend PATH /opt/apps/gcc-10.1/mpich-3.3/a/1.0/bin",
            "LMOD_A_LIB_MAN=/opt/apps/gcc-10.1/mpich-3.3/a/1.0/man",
            "Prepend MANPATH /opt/apps/gcc-10.1/mpich-3.3/a/1.0/man",
            "DIR=MPI/gcc/10.1/mpich/3.3/a/1.0",
        ]
    );
    assert_eq!(
        failure("Pkg:new{}:setStandardPaths('NOPE')"),
        "Pkg: setStandardPaths: `NOPE` is not BIN, DIR, DOC, INC, LIB or MAN | 1: Pkg:new{}:setStandardPaths('NOPE')"
    );
}

#[test]
fn what_a_file_asks_for_is_bounded() {
    assert_eq!(
        failure("local t = ('x'):rep(1e6)\nwhile true do LmodMessage(t) end"),
        "the modulefile asks for more than 128 MiB | 2: while true do LmodMessage(t) end"
    );
    assert_eq!(
        failure("local t = ('x'):rep(1e6)\nfor i = 1, 1e9 do io.stderr:write(t) end"),
        "the modulefile asks for more than 128 MiB | 2: for i = 1, 1e9 do io.stderr:write(t) end"
    );
}

#[test]
fn a_site_can_forbid_programs_while_files_are_only_read() {
    let mut fake = fake();
    fake.config.crawl_programs = false;
    let text = "whatis('[' .. capture('echo run') .. io.popen('echo run'):read('a') .. tostring(os.execute('true')) .. ']')";
    let evaluation = fake.evaluate(Mode::Spider, text).unwrap();
    assert_eq!(evaluation.whatis, [BString::from("[nil]")]);
}
