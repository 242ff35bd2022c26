//! A site with start files: each hook is called with what it needs, and its answer counts.

use std::collections::BTreeMap;

use camino::Utf8PathBuf;

use super::{Forbidden, Listed, Site};
use crate::config::Config;
use crate::modulefile::host::tests::Fake;
use crate::modulefile::lua::tests::fake;
use crate::modulefile::{Languages, Mode};
use crate::session::Session;

/// A directory of site files, and the settings that point at it.
struct Files {
    dir: tempfile::TempDir,
}

impl Files {
    fn new(files: &[(&str, &str)]) -> Files {
        let dir = tempfile::tempdir().unwrap();
        for (name, text) in files {
            std::fs::write(dir.path().join(name), text).unwrap();
        }
        Files { dir }
    }

    fn path(&self) -> String {
        self.dir.path().to_str().unwrap().to_owned()
    }

    fn config(&self) -> Config {
        let mut config = Config::preset(crate::config::Policy::Lmod);
        config.lmod_config_dir = self.path();
        config
    }

    fn world(&self) -> Fake {
        let mut fake = fake();
        fake.config = self.config();
        fake
    }
}

/// Calls hooks of a package outside of any evaluation.
fn with_site<T>(package: &str, act: impl FnOnce(&Site<'_>) -> T) -> T {
    let files = Files::new(&[("SitePackage.lua", package)]);
    let (session, config) = (Session::default(), files.config());
    let languages = Languages::default();
    act(&Site::new(&session, &config, &languages))
}

fn listed() -> Listed {
    Listed {
        full_name: "gcc/13".to_owned(),
        name: "gcc".to_owned(),
        file: "/m/gcc/13.lua".into(),
        modulepath: "/m".into(),
    }
}

#[test]
fn load_and_unload_hooks_see_the_module_and_its_environment() {
    let package = "local hook = require('Hook')
        local function note(t)
            LmodMessage(mode(), t.modFullName, t.fn, t.mname:sn(), t.mname:version(), os.getenv('A'))
        end
        hook.register('load', note)
        hook.register('unload', note)
        hook.register('load_spider', function(t) note(t) end)";
    let files = Files::new(&[("SitePackage.lua", package)]);
    let mut world = files.world();
    world.evaluate(Mode::Load, "setenv('A', 'x')").unwrap();
    world.evaluate(Mode::Unload, "setenv('A', 'x')").unwrap();
    world.evaluate(Mode::Show, "setenv('A', 'x')").unwrap();
    assert_eq!(
        world.said(),
        [
            "Plain: load a/1.0 /mods/a/1.0.lua a 1.0 x\n",
            "Plain: unload a/1.0 /mods/a/1.0.lua a 1.0 x\n"
        ]
    );
}

#[test]
fn hooks_are_replaced_appended_and_prepended() {
    let package = "local hook = require('Hook')
        local function say(x) return function() LmodMessage(x) return x end end
        hook.register('SiteName', say('gone'))
        hook.register('SiteName', say('b'))
        hook.register('SiteName', say('c'), 'append')
        hook.register('SiteName', say('a'), 'prepend')";
    with_site(package, |site| {
        assert_eq!(site.site_name().unwrap().as_deref(), Some("c"));
        let said: Vec<_> = site
            .take_messages()
            .iter()
            .map(|m| m.text.to_string())
            .collect();
        assert_eq!(said, ["a\n", "b\n", "c\n"]);
    });
}

#[test]
fn the_site_gives_modulefiles_further_functions_and_lines() {
    let package = "sandbox_registration{ site_root = function(n) return '/apps/' .. n end }
        require('Hook').register('decorate_module', function(t)
            return { 'setenv(\"TAG\", \"' .. t.name .. '-' .. t.version .. '\")', 'setenv(\"LEN\", ' .. #t.contents .. ')' }
        end)";
    let files = Files::new(&[("SitePackage.lua", package)]);
    let mut world = files.world();
    world
        .evaluate(Mode::Load, "setenv('ROOT', site_root('x'))")
        .unwrap();
    let values = ["ROOT", "TAG", "LEN"].map(|n| world.value(n).unwrap());
    assert_eq!(values, ["/apps/x", "a-1.0", "30"]);
}

#[test]
fn the_site_changes_the_words_of_messages() {
    let package = "require('Hook').register('errWarnMsgHook', function(kind, key, msg)
            return kind .. ': ' .. msg .. ' (ask help@site)'
        end)";
    let files = Files::new(&[("SitePackage.lua", package)]);
    let mut world = files.world();
    let failure = world
        .evaluate(
            Mode::Load,
            "LmodMessage('as it is') LmodMessage{msg='m'} LmodWarning{msg='w'} LmodError{msg='e'}",
        )
        .unwrap_err();
    assert_eq!(failure.diagnostic.message, "lmoderror: e (ask help@site)");
    assert_eq!(
        world.said(),
        [
            "Plain: as it is\n",
            "Plain: lmodmessage: m (ask help@site)\n",
            "Warning: lmodwarning: w (ask help@site)"
        ]
    );
}

#[test]
fn listings_are_changed_by_hooks() {
    let package = "local hook = require('Hook')
        hook.register('avail', function(t) for k in pairs(t) do t[k] = 'Core' end end)
        hook.register('msgHook', function(kind, a) table.insert(a, 1, kind .. ':') return a end)
        hook.register('listHook', function(a) table.remove(a, 1) return a end)
        hook.register('category', function(kind, t) if kind == 'simple' then return {'only'} end
            return { chem = { amber = 2 } } end)
        hook.register('colorize_fullName', function(full, sn) return sn .. '|' .. full end)
        hook.register('spider_decoration', function(t)
            return t.fullName .. t.Category .. tostring(t.propT.lmod.sticky) .. t.parentAA[1][1] end)
        hook.register('groupName', function(name) return 'x86_64_' .. name end)";
    with_site(package, |site| {
        let labels = BTreeMap::from([("/m".to_owned(), "/m".to_owned())]);
        assert_eq!(site.avail_labels(labels).unwrap()["/m"], "Core");
        let lines = site.message("avail", vec!["x".to_owned()]).unwrap();
        assert_eq!(lines, ["avail:", "x"]);
        let names = site.list(vec!["a/1".to_owned(), "b/1".to_owned()]).unwrap();
        assert_eq!(names, ["b/1"]);
        assert_eq!(site.categories(vec!["z".to_owned()]).unwrap(), ["only"]);
        let members = site.category_members(BTreeMap::new()).unwrap();
        assert_eq!(members["chem"]["amber"], 2);
        let shown = site.shown_name("gcc/13", "gcc").unwrap();
        assert_eq!(shown, "gcc|gcc/13");
        let properties = [("lmod".to_owned(), "sticky".to_owned())];
        let decoration = site
            .spider_decoration("gcc/13", Some("C"), &properties, &[vec!["p/1".to_owned()]])
            .unwrap();
        assert_eq!(decoration.as_deref(), Some("gcc/13C1p/1"));
        assert_eq!(site.group_name("spiderT").unwrap(), "x86_64_spiderT");
    });
}

#[test]
fn modules_are_hidden_and_forbidden_by_hooks() {
    let package = "local hook = require('Hook')
        hook.register('isVisibleHook', function(t) if t.sn == 'gcc' then t.isVisible = false end end)
        hook.register('isForbiddenHook', function(t)
            if t.fn:find('13') then t.forbiddenState = 'forbid' t.message = 'no ' .. t.mpath end end)";
    with_site(package, |site| {
        assert!(!site.is_visible(&listed(), true).unwrap());
        let state = Forbidden {
            state: "normal".to_owned(),
            ..Forbidden::default()
        };
        let state = site.forbidden(&listed(), state).unwrap();
        assert_eq!(state.state, "forbid");
        assert_eq!(state.message.as_deref(), Some("no /m"));
    });
}

#[test]
fn caches_and_packages_are_described_by_hooks() {
    let package = "local hook = require('Hook')
        hook.register('writeCache', function(t) t.dontWriteCache = true end)
        hook.register('parse_updateFn', function(fn, t) t.lastUpdateEpoch = 42 t.hostType = fn end)
        hook.register('packagebasename', function(t) t.patDir = 'SITE_%s_DIR' end)
        hook.register('reverseMapPathFilter', function() return {'^/apps'}, {'/share'} end)";
    with_site(package, |site| {
        assert!(!site.may_write_cache().unwrap());
        let stamp = site.cache_stamp("/stamp".into()).unwrap();
        assert_eq!(
            (stamp.updated, stamp.host_type.as_str()),
            (Some(42.0), "/stamp")
        );
        let patterns = site.package_patterns().unwrap();
        assert_eq!(
            patterns,
            ("SITE_%s_DIR".to_owned(), "^LMOD_.*_LIB".to_owned())
        );
        let (keep, ignore) = site.reverse_map_filter().unwrap().unwrap();
        assert_eq!(
            (keep.join(","), ignore.join(",")),
            ("^/apps".into(), "/share".into())
        );
    });
}

#[test]
fn a_command_begins_and_ends_with_hooks() {
    let package = "local hook = require('Hook')
        hook.register('startup', function(c) LmodMessage('start ' .. c:match('(%S+)$')) end)
        hook.register('finalize', function(c) LmodMessage('end ' .. c) end)
        hook.register('restore', function(t) LmodMessage(t.collection, t.fn) end)
        ExitHookA.register(function() LmodMessage('exit') end)";
    with_site(package, |site| {
        site.startup("load").unwrap();
        site.finalize("list").unwrap();
        site.restored(Some("mine"), "mine", Some("/c/mine".into()))
            .unwrap();
        site.exit().unwrap();
        let said: Vec<_> = site
            .take_messages()
            .iter()
            .map(|m| m.text.to_string())
            .collect();
        assert_eq!(
            said,
            ["start load\n", "end list\n", "mine /c/mine\n", "exit\n"]
        );
    });
}

#[test]
fn settings_are_assigned_in_lmod_config() {
    let files = Files::new(&[(
        "lmod_config.lua",
        "require('strict') local cosmic = require('Cosmic'):singleton()
         cosmic:assign('LMOD_AUTO_SWAP', 'no') cosmic:assign('LMOD_SHORT_TIME', 5)
         assert(cosmic:value('LMOD_AUTO_SWAP') == 'no')",
    )]);
    let (session, config, languages) = (Session::default(), files.config(), Languages::default());
    let assigned = Site::new(&session, &config, &languages)
        .assignments()
        .unwrap();
    let wanted = [("LMOD_AUTO_SWAP", "no"), ("LMOD_SHORT_TIME", "5")];
    assert_eq!(assigned, wanted.map(|(n, v)| (n.to_owned(), v.to_owned())));
}

#[test]
fn properties_and_caches_come_from_lmodrc() {
    let files = Files::new(&[(
        "lmodrc.lua",
        "propT = { site = { validT = { blessed = 1 }, displayT = { blessed = { short = '(B)', long = '(Blessed)', color = 'cyan', doc = 'Blessed' } } } }
         scDescriptT = { { dir = '/cache', timestamp = '/stamp' }, { dir = '/other' } }",
    )]);
    let (session, config, languages) = (Session::default(), files.config(), Languages::default());
    let rc = Site::new(&session, &config, &languages).read_rc().unwrap();
    assert_eq!(rc.properties["site"].shown["blessed"].long, "(Blessed)");
    assert!(rc.allows("lmod", "sticky") && rc.allows("arch", "gpu:mic") && !rc.allows("arch", "x"));
    let stamps: Vec<_> = rc.caches.iter().map(|(_, s)| s.clone()).collect();
    assert_eq!(stamps, [Some(Utf8PathBuf::from("/stamp")), None]);
    let mut world = files.world();
    world
        .evaluate(Mode::Load, "add_property('site', 'blessed')")
        .unwrap();
    let failure = world
        .evaluate(Mode::Load, "add_property('site', 'cursed')")
        .unwrap_err();
    assert_eq!(
        failure.diagnostic.message,
        "`add_property`: argument 2: `cursed` is not a known value; known are: blessed"
    );
}

#[test]
fn a_broken_start_file_shows_its_line() {
    with_site("local x = 1\nnonsense()", |site| {
        let error = site.site_name().unwrap_err();
        assert_eq!(error.message, "unknown function `nonsense`");
        let (place, _) = error.place.unwrap();
        assert_eq!(place.file.line_of(place.span.start), 2);
    });
}

#[test]
fn packages_of_the_site_are_required_from_its_directories() {
    let files = Files::new(&[
        ("SitePackage.lua", "require('site_lib')"),
        (
            "site_lib.lua",
            "local M = {} function M.twice(x) return x .. x end sandbox_registration{lib = M} return M",
        ),
    ]);
    let mut world = files.world();
    world
        .session
        .env
        .insert("LMOD_PACKAGE_PATH".into(), files.path().into());
    world
        .evaluate(
            Mode::Load,
            "setenv('A', lib.twice('x') .. require('site_lib').twice('y'))",
        )
        .unwrap();
    assert_eq!(world.value("A").as_deref(), Some("xxyy"));
    let failure = world.evaluate(Mode::Load, "\nlib.twice(nil)").unwrap_err();
    assert!(
        failure.diagnostic.notes[0].ends_with("a/1.0.lua:2"),
        "{}",
        failure.diagnostic
    );
}

#[test]
fn without_start_files_lua_is_not_started() {
    let files = Files::new(&[]);
    let (session, config, languages) = (Session::default(), files.config(), Languages::default());
    let site = Site::new(&session, &config, &languages);
    assert!(!site.has_code());
    assert_eq!(site.site_name().unwrap(), None);
    assert_eq!(
        format!("{:?}", languages),
        format!("{:?}", Languages::default())
    );
}

/// Evaluates a package of a site that hands `expression` on, as text.
fn in_a_package(expression: &str) -> Option<String> {
    let package = format!(
        "local function all(...)
            local parts = table.pack(...)
            for at = 1, parts.n do parts[at] = tostring(parts[at]) end
            return table.concat(parts, ' ')
        end
        local value = all({expression})
        sandbox_registration{{ of_site = function() return value end }}"
    );
    let files = Files::new(&[("SitePackage.lua", &package)]);
    let mut world = files.world();
    let done = world.evaluate(Mode::Load, "setenv('A', of_site())");
    assert!(
        done.is_ok(),
        "{expression}: {}",
        done.unwrap_err().diagnostic
    );
    world.value("A")
}

#[test]
fn code_of_a_site_has_luaposix() {
    // The answers of luaposix 33.4 in Lua 5.3.
    for (expression, wanted) in [
        (
            "posix.getpid('pid') == posix.getpid().pid and posix.getppid() > 0",
            "true",
        ),
        (
            "require('posix.unistd').getpid() == posix.getpid('pid')",
            "true",
        ),
        ("posix.getpasswd(0, 'name', 'uid')", "root 0"),
        ("posix.getpasswd('root').dir", "/root"),
        (
            "posix.getpwuid(0).pw_name, posix.getgrgid(0).gr_name",
            "root root",
        ),
        ("require('posix.pwd').getpwnam('root').pw_uid", "0"),
        ("posix.getpwnam('nobody-has-this-name')", "nil"),
        ("posix.getgroup(0).name", "root"),
        ("type(posix.getgroups())", "table"),
        (
            "posix.stat('/etc/passwd', 'type', 'mode', 'uid')",
            "regular rw-r--r-- 0",
        ),
        ("posix.stat('/etc/passwd', {'type'})", "regular"),
        (
            "posix.stat('/nope')",
            "nil /nope: No such file or directory 2",
        ),
        (
            "posix.lstat('/proc/self').st_mode & posix.S_IFMT == posix.S_IFLNK",
            "true",
        ),
        (
            "require('posix.sys.stat').stat('/etc').st_mode & 511",
            "493",
        ),
        (
            "require('posix.sys.stat').S_ISDIR(require('posix.sys.stat').stat('/proc/self').st_mode)",
            "1",
        ),
        (
            "posix.glob('/etc/passw[d]')[1], #posix.glob('/etc/passwd')",
            "/etc/passwd 1",
        ),
        (
            "posix.glob('/nope*')",
            "nil /nope*: No such file or directory 2",
        ),
        (
            "posix.fnmatch('*.a', 'x.a'), require('posix.fnmatch').fnmatch('*.a', 'x.b')",
            "true 1",
        ),
        (
            "posix.basename('/a/b'), posix.dirname('/a/b/'), posix.dirname('b'), posix.dirname('/b')",
            "b /a . /",
        ),
        (
            "posix.access('/etc/passwd', 'r'), posix.access('/nope')",
            "0 nil /nope: No such file or directory 2",
        ),
        (
            "posix.readlink('/etc/passwd')",
            "nil /etc/passwd: Invalid argument 22",
        ),
        (
            "posix.realpath('/etc/../etc'), posix.realpath('/nope')",
            "/etc nil realpath: No such file or directory 2",
        ),
        (
            "posix.isatty(7)",
            "nil isatty: Inappropriate ioctl for device 25",
        ),
        ("posix.time() - os.time() < 2", "true"),
        (
            "posix.gettimeofday().sec >= posix.time() - 2, posix.clock_gettime('monotonic') > 0",
            "true true",
        ),
        (
            "require('posix.time').clock_gettime(0).tv_sec >= posix.time() - 2",
            "true",
        ),
        (
            "posix.strftime('%Y-%m-%d', posix.gmtime(0)), posix.gmtime(0).weekday",
            "1970-01-01 4",
        ),
        (
            "require('posix.time').gmtime(0).tm_year, posix.mktime(posix.localtime(86400))",
            "70 86400",
        ),
        (
            "posix.uname('%s'), require('posix.sys.utsname').uname().sysname",
            "Linux Linux",
        ),
        ("posix.errno(2)", "No such file or directory 2"),
        (
            "posix.sysconf('CLK_TCK'), require('posix.unistd').sysconf(require('posix.unistd')._SC_CLK_TCK)",
            "100 100",
        ),
        (
            "posix.statvfs('/').bsize > 0, require('posix.sys.statvfs').statvfs('/').f_bsize > 0",
            "true true",
        ),
        (
            "type(posix.getenv()), posix.getenv('no_such_variable')",
            "table nil",
        ),
        (
            "posix.sleep(0), posix.nanosleep(0, 1), posix.ctermid()",
            "0 0 /dev/tty",
        ),
        (
            "(function() for name in posix.files('/proc/self') do if name == 'stat' then return name end end end)()",
            "stat",
        ),
        (
            "require('posix.syslog').LOG_ERR, type(require('posix.syslog').syslog)",
            "3 function",
        ),
        ("pcall(require, 'posix.no_such_module')", ""),
    ] {
        let value = in_a_package(expression).unwrap_or_default();
        match wanted {
            "" => assert!(value.starts_with("false"), "{expression}: {value}"),
            _ => assert_eq!(value, wanted, "{expression}"),
        }
    }
}

#[test]
fn code_of_a_site_changes_files_through_luaposix() {
    let dir = tempfile::tempdir().unwrap();
    let at = dir.path().to_str().unwrap();
    let value = in_a_package(&format!(
        "posix.mkdir('{at}/d'), posix.chmod('{at}/d', 'rwxr-x---'), posix.stat('{at}/d', 'mode'), \
         posix.utime('{at}/d', 5, 6), posix.stat('{at}/d', 'mtime'), posix.link('d', '{at}/l', true), \
         posix.readlink('{at}/l'), posix.rename('{at}/l', '{at}/m'), posix.unlink('{at}/m'), \
         #posix.mkdtemp('{at}/tXXXXXX') - #'{at}', posix.rmdir('{at}/d'), posix.rmdir('{at}/d')"
    ));
    assert_eq!(
        value.unwrap(),
        format!("0 0 rwxr-x--- 0 5 0 d 0 0 8 0 nil {at}/d: No such file or directory 2")
    );
}

#[test]
fn code_of_a_site_has_the_rest_of_luas_library() {
    for (expression, wanted) in [
        ("utf8.len('aäö'), utf8.char(228)", "3 ä"),
        (
            "(function() local c = coroutine.wrap(function(a) local b = coroutine.yield(a + 1) return b * 2 end) \
             return c(1), c(5) end)()",
            "2 10",
        ),
        (
            "coroutine.resume(coroutine.create(function() error('oh', 0) end))",
            "false oh",
        ),
        (
            "coroutine.isyieldable(), collectgarbage('count') > 1, collectgarbage()",
            "false true 0",
        ),
        (
            "os.setlocale(nil), os.setlocale('C'), os.setlocale('xx')",
            "C C nil",
        ),
        ("arg[0], io.flush()", "lmod true"),
    ] {
        assert_eq!(
            in_a_package(expression).as_deref(),
            Some(wanted),
            "{expression}"
        );
    }
    assert_eq!(crate::modulefile::lua::tests::value("coroutine"), "nil");
}

#[test]
fn coroutines_of_a_site_end_where_an_evaluation_does() {
    let files = Files::new(&[(
        "SitePackage.lua",
        "sandbox_registration{ work = function()
            while true do coroutine.resume(coroutine.create(function() while true do end end)) end
        end }",
    )]);
    let failure = files.world().evaluate(Mode::Load, "work()").unwrap_err();
    let said = failure.diagnostic.message;
    assert!(said.starts_with("stopped after 100000000 Lua"), "{said}");
}
