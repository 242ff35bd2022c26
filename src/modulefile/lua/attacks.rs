//! Modulefiles that mean harm: none of them reaches the process, another file, or an end that never comes.

use super::tests::{failure, value};

#[test]
fn compiled_code_is_neither_made_nor_run() {
    for (expression, wanted) in [
        ("string.dump", "nil"),
        ("('').dump", "nil"),
        ("loadstring('\\27Lua\\84\\0')", "nil"),
        (
            "select(2, pcall(loadstring, string.char(27) .. 'LuaT'))",
            "nil",
        ),
        ("select('#', loadfile('/proc/self/exe'))", "2"),
        ("pcall(require, '../../tmp/x.so')", "false"),
        ("package.loadlib", "nil"),
        ("package.searchers", "nil"),
    ] {
        assert_eq!(value(expression), wanted, "{expression}");
    }
}

#[test]
fn the_process_is_out_of_reach() {
    for path in [
        "/proc/self/mem",
        "/proc/self/environ",
        "/proc/thread-self/mem",
        "/proc/self/fd/1",
        "/proc/self/../self/mem",
        "//proc/self/./mem",
        "/dev/stdout",
        "/dev/stderr",
        "/dev/stdin",
        "/dev/fd/1",
    ] {
        for mode in ["r", "w", "r+", "a"] {
            let opened = value(&format!("io.open('{path}', '{mode}')"));
            assert_eq!(opened, "nil", "{path} {mode}");
        }
        assert_eq!(value(&format!("loadfile('{path}')")), "nil", "{path}");
        assert_eq!(
            value(&format!("pcall(io.lines, '{path}')")),
            "false",
            "{path}"
        );
    }
    let dir = tempfile::tempdir().unwrap();
    for (name, target) in [("a", "/proc/self"), ("b", "/dev/stdout"), ("c", "b")] {
        std::os::unix::fs::symlink(target, dir.path().join(name)).unwrap();
    }
    for name in ["a/mem", "a/fd/1", "b", "c"] {
        let path = dir.path().join(name);
        assert_eq!(
            value(&format!("io.open('{}', 'w')", path.display())),
            "nil",
            "{name}"
        );
    }
    for name in [
        "debug",
        "coroutine",
        "collectgarbage",
        "_G",
        "warn",
        "rawmetatable",
        "os.remove",
        "os.rename",
        "os.tmpname",
        "os.setlocale",
        "io.input",
        "io.output",
        "io.read",
        "io.stdin",
        "io.tmpfile",
        "posix.kill_all",
        "lfs.link",
    ] {
        assert_eq!(value(name), "nil", "{name}");
    }
}

#[test]
fn what_files_share_cannot_be_changed_through_metatables() {
    for expression in [
        "getmetatable('')",
        "getmetatable(_ENV)",
        "getmetatable(string)",
        "getmetatable(io.stdout)",
        "getmetatable(io.open('/etc/passwd'))",
        "getmetatable(between('a', '1', '2'))",
    ] {
        assert_eq!(value(expression), "false", "{expression}");
    }
    assert_eq!(value("pcall(setmetatable, _ENV, {})"), "false");
    assert_eq!(value("pcall(setmetatable, '', {})"), "false");
}

#[test]
fn nothing_runs_where_no_instruction_is_counted() {
    assert_eq!(
        failure("setmetatable({}, {__gc = function() while true do end end})"),
        "`setmetatable`: `__gc` is not for modulefiles | 1: setmetatable({}, {__gc = function() while true do end end})"
    );
    assert_eq!(
        failure("local m = {__gc = false}\nsetmetatable({}, m)"),
        "`setmetatable`: `__gc` is not for modulefiles | 2: setmetatable({}, m)"
    );
    // Set afterwards it is never called.
    assert_eq!(
        value(
            "(function() local m = {} setmetatable({}, m) m.__gc = function() while true do end end return 1 end)()"
        ),
        "1"
    );
    assert_eq!(
        failure("local _ = ('a'):rep(60):find(('a-'):rep(60) .. 'b')"),
        "the pattern takes too long to match | 1: local _ = ('a'):rep(60):find(('a-'):rep(60) .. 'b')"
    );
}

#[test]
fn endless_work_ends_however_it_is_wrapped() {
    let stopped = |text: &str, by: &str| {
        let said = failure(text);
        assert!(said.starts_with(by), "{text}\n{said}");
    };
    for text in [
        "while true do xpcall(function() while true do end end, function() while true do end end) end",
        "local t = setmetatable({}, {__close = function() while true do end end}) do local x <close> = t end",
        "table.sort({3, 2, 1}, function() while true do end end)",
        "('x'):gsub('x', function() while true do end end)",
    ] {
        stopped(text, "stopped after 100000000 Lua instructions");
    }
    for text in [
        "local function f() return 1 + f() end f()",
        "local t = setmetatable({}, {}) getmetatable(t).__index = function(t, k) return t[k + 1] end local x = t[1]",
        "local function f(s) return (s:gsub('.', f)) end f('x')",
    ] {
        let said = failure(text);
        assert!(said.contains("stack overflow"), "{text}\n{said}");
    }
    let t = "local t = {} t = setmetatable(t, {__index = t}) local x = t.a";
    assert!(failure(t).contains("loop"), "{}", failure(t));
    let nested = format!("local x = {}1{}", "(".repeat(5000), ")".repeat(5000));
    assert!(!failure(&nested).is_empty());
}

#[test]
fn much_memory_is_refused_however_it_is_asked_for() {
    for text in [
        "local x = ('x'):rep(1e10)",
        "local x = 'x' while true do x = x .. x end",
        "local x = ('x'):rep(1e7) while true do x = x:gsub('x', 'xx') end",
        "local t = {} for i = 1, 1e9 do t[i] = i end",
        "local x = table.concat({('x'):rep(1e8), ('x'):rep(1e8), ('x'):rep(1e8)})",
        "local x = {table.unpack({}, 1, 1e8)}",
        "local x = string.format('%99999d', 1)",
        "local x = {('x'):rep(1e8):byte(1, -1)}",
    ] {
        let said = failure(text);
        let refused = ["memory", "too large", "too long", "too many", "invalid"];
        assert!(
            refused.iter().any(|word| said.contains(word)),
            "{text}\n{said}"
        );
    }
}

#[test]
fn odd_errors_are_told() {
    for text in [
        "error()",
        "error(nil)",
        "error({})",
        "error(setmetatable({}, {__tostring = function() return 'own' end}))",
        "error(function() end)",
        "error(('x'):rep(1e6))",
        "error('\\255\\0')",
        "xpcall(error, function(e) error(e) end) error('after')",
        "LmodError(setmetatable({}, {}))",
        "setenv(nil, nil)",
        "load({{{}}})",
        "_ENV = nil setenv('A', 'x')",
        "local _ENV = {} setenv('A', 'x')",
    ] {
        assert!(!failure(text).is_empty(), "{text}");
    }
}
