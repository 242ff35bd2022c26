//! Lua modulefiles as their users see them: loaded, unloaded and shown here and in Lmod, with the same environment.

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::support::{Peer, Site, corpus, same_but_state};

/// Modules that the snippets load, want or clash with.
fn site() -> Site {
    Site::new()
        .file("dep/1.0.lua", "setenv('DEP', '1.0')")
        .file("dep/2.0.lua", "setenv('DEP', '2.0')")
        .file(
            "other/1.0.lua",
            "prepend_path('PATH', '/other') family('fam')",
        )
        .file("open.lua", "prepend_path('MODULEPATH', '$SITE/more')")
}

/// Loads and unloads a modulefile with each text here and in Lmod, and compares what the user has.
fn same_as_lmod(snippets: &[&str]) {
    let mut wrong = Vec::new();
    for text in snippets {
        let site = site()
            .file("case/1.0.lua", text)
            .var("P", "/one:/two")
            .var("KEPT", "before");
        let here = site.run("load case/1.0");
        let there = site.run_peer(Peer::Lmod, "load case/1.0");
        let mut differences = same_but_state(here.env(), there.env());
        if here.ok() != there.ok() {
            differences.push(format!("ok: {} / {}", here.ok(), there.ok()));
        }
        if here.ok() && there.ok() {
            let here = site.run_in(here.env(), "unload case/1.0");
            let there = site.run_peer_in(Peer::Lmod, there.env(), "unload case/1.0");
            let after = same_but_state(here.env(), there.env());
            differences.extend(after.into_iter().map(|d| format!("after unload: {d}")));
        }
        if !differences.is_empty() {
            wrong.push(format!("{text}\n  {}", differences.join("\n  ")));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn variables_are_set_as_by_lmod() {
    same_as_lmod(&[
        "setenv('A', 'x') setenv('N', 5) setenv('T', true) setenv('F', 1.5)",
        "setenv('A', 10 / 2) setenv('B', 2 ^ 53) setenv('C', 7 // 2) setenv('D', 1e100)",
        "setenv('A', '') setenv('B', ' two words ') setenv('C', 'q\"u\\'o$t`e\\\\!')",
        "pushenv('KEPT', 'pushed') pushenv('NEW', 'x')",
        "unsetenv('KEPT')",
        "setenv('A', os.getenv('KEPT') .. tostring(os.getenv('NOT_SET')))",
        "setenv('A')",
        "setenv('A', nil)",
    ]);
}

#[test]
fn paths_are_changed_as_by_lmod() {
    same_as_lmod(&[
        "prepend_path('P', '/new') append_path('P', '/end')",
        "prepend_path('P', '/a:/b:/c') append_path('P', '/x:/y')",
        "prepend_path('P', '/two')",
        "append_path('P', '/one')",
        "remove_path('P', '/one')",
        "prepend_path('Q', 'a;b', ';') append_path('Q', 'c', ';')",
        "append_path{'P', '/q', delim=':', priority=10} prepend_path{'P', '/r', priority=100} prepend_path('P', '/s')",
        "prepend_path('P', pathJoin('/opt//x/', 'bin/')) prepend_path('P', '/opt/./y/')",
        "local root = '/r'\nfor _, d in ipairs{'bin', 'sbin'} do prepend_path('P', root .. '/' .. d) end",
    ]);
}

#[test]
fn other_modules_are_treated_as_by_lmod() {
    same_as_lmod(&[
        "load('dep/1.0')",
        "load('dep', 'other')",
        "load(atleast('dep', '1.5')) load(between('other', '0.5', '1.5'))",
        "load(latest('dep'))",
        "depends_on('dep/1.0', 'other')",
        "try_load('nope', 'dep')",
        "load('nope')",
        "prereq('dep')",
        "prereq_any('nope', 'dep')",
        "load('dep') prereq('dep') prereq_any('nope', 'dep')",
        "conflict('dep')",
        "load('dep') conflict('dep/2.0')",
        "load('other') family('fam')",
        "if not isloaded('dep') then load('dep') end",
        "setenv('L', tostring(isloaded('dep')) .. tostring(isPending('case')))",
        "load('open') setenv('MP', os.getenv('MODULEPATH'):gsub('.*/', ''))",
    ]);
}

#[test]
fn a_file_learns_the_same_as_in_lmod() {
    same_as_lmod(&[
        "setenv('A', table.concat({myModuleName(), myModuleVersion(), myModuleFullName(), myModuleUsrName()}, ' '))",
        "setenv('A', myFileName():gsub('.*/mf/', ''))",
        "setenv('A', myShellName() .. myShellType() .. mode() .. tostring(is_spider()))",
        "setenv('A', hierarchyA('case/1.0', 1)[1]:gsub('.*/', ''))",
        "setenv('A', convertToCanonical('1.2.3-rc1')) setenv('B', convertToCanonical('10.1'))",
        "setenv('A', dirname('/a/b.c') .. extname('/a/b.c') .. removeExt('/a/b.c') .. barefilename('/a/b.c'))",
        "local d, f = splitFileName('/a/b.c') setenv('A', d .. '|' .. f)",
        "setenv('A', tostring(isDir('/usr')) .. tostring(isFile('/usr')) .. tostring(isFile('/etc/passwd')))",
        "setenv('A', pathJoin('/a/', '/b', '', 'c', nil, 'd') .. ' ' .. path_regularize('/x//y/./z/', true))",
        "local t = {} for p in ('a:b::c'):split(':') do t[#t + 1] = '<' .. p .. '>' end setenv('A', table.concat(t))",
        "setenv('A', ('  x '):trim() .. ('a.b'):escape() .. ('aB'):caseIndependent())",
        "setenv('A', capture('echo hi'):gsub('%s', '') .. subprocess('printf x'))",
        "setenv('A', lfs.attributes('/etc/passwd', 'mode') .. posix.stat('/etc/passwd', 'type') .. posix.uname('%s'))",
        "setenv('A', string.format('%5.2f|%d|%s', 3.14159, 42, 'x'))",
        "setenv('A', tostring(pcall(error, 'x')) .. tostring(next({})) .. type(unpack) .. _VERSION:sub(1, 3))",
        "setenv('A', os.date('%Y', 0) .. tostring(os.time{year=2020, month=1, day=1, hour=12}))",
    ]);
}

#[test]
fn what_goes_wrong_goes_wrong_in_lmod_too() {
    same_as_lmod(&[
        "setenv('A', 'x') LmodError('no')",
        "setenv('A', 'x') pcall(LmodError, 'no') setenv('B', 'x')",
        "setenv('A', 'x') error_('no')",
        "setenv('A', 'x' .. undefined)",
        "setenv('A', ",
        "LmodMessage('m') setenv('A', 'x')",
        "nonsense('A')",
        "family()",
        "prepend_path(nil, '/x')",
    ]);
}

/// Lmod 8.6 differs: it refuses `atmost`, takes any name of a variable, fails after a warning, and at unload a value computed
/// from another variable of the file is gone too early, so that its variable stays.
#[test]
fn what_later_versions_of_lmod_promise_is_kept() {
    let site = site()
        .file("atmost.lua", "load(atmost('dep', '1.5'))")
        .file(
            "computed.lua",
            "load('dep/1.0') setenv('A', os.getenv('DEP')) setenv('B', os.getenv('A'))",
        )
        .file("name.lua", "setenv('1A', 'x')")
        .file("warns.lua", "LmodWarning('careful') setenv('A', 'x')")
        .file(
            "breaks.lua",
            "setenv('A', 'x') LmodBreak('not on this machine')",
        );
    assert_eq!(site.run("load atmost").var("DEP").as_deref(), Some("1.0"));
    let run = site.run("load computed");
    assert_eq!(run.var("B").as_deref(), Some("1.0"));
    let run = site.run_in(run.env(), "unload computed");
    assert_eq!(same_but_state(run.env(), site.env()), Vec::<String>::new());
    assert!(!site.run("load name").ok());
    let run = site.run("load warns");
    assert!(
        run.ok() && run.stderr().contains("careful"),
        "{}",
        run.stderr()
    );
    let run = site.run("load breaks dep");
    assert!(run.ok(), "{}", run.stderr());
    assert_eq!(
        (run.loaded(), run.var("A")),
        (vec!["dep/2.0".to_owned()], None)
    );
}

#[test]
fn a_nested_load_works_in_the_middle_of_a_file_and_deeply() {
    const DEPTH: usize = 60;
    let mut site = Site::new();
    for n in 0..DEPTH {
        let text = format!(
            "setenv('BEFORE{n}', '1') load('m{}') setenv('AFTER{n}', os.getenv('LAST'))",
            n + 1
        );
        site = site.file(&format!("m{n}.lua"), &text);
    }
    let site = site.file(&format!("m{DEPTH}.lua"), "setenv('LAST', 'deep')");
    let run = site.run("load m0");
    assert!(run.ok(), "{}", run.stderr());
    assert_eq!(run.var("AFTER0").as_deref(), Some("deep"));
    assert_eq!(run.loaded().len(), DEPTH + 1);
    let run = site.run_in(run.env(), "unload m0");
    assert_eq!(same_but_state(run.env(), site.env()), Vec::<String>::new());
}

#[test]
fn a_shell_script_is_sourced_once_and_taken_back_without_it() {
    let site = Site::new()
        .raw(
            "setup.sh",
            b"export TOOL_HOME=$1\nexport PATH=/tool/bin:$PATH\nalias tl='tool list'\ntool_cd() { cd /tool; }\n",
        )
        .file("tool.lua", "source_sh('bash', '$SITE/setup.sh /opt/tool')");
    let run = site.run("load tool");
    assert!(run.ok(), "{}", run.stderr());
    assert_eq!(run.var("TOOL_HOME").as_deref(), Some("/opt/tool"));
    assert_eq!(run.var("PATH").as_deref(), Some("/tool/bin:/usr/bin:/bin"));
    assert!(
        run.stdout().contains("alias tl='tool list'"),
        "{}",
        run.stdout()
    );
    assert!(run.stdout().contains("tool_cd"), "{}", run.stdout());
    std::fs::remove_file(site.root().join("setup.sh")).unwrap();
    let run = site.run_in(run.env(), "unload tool");
    assert!(run.ok(), "{}", run.stderr());
    assert_eq!(same_but_state(run.env(), site.env()), Vec::<String>::new());
    assert!(run.stdout().contains("unalias tl"), "{}", run.stdout());
}

#[test]
fn what_a_file_prints_is_run_by_the_shell_and_never_mixed_with_a_programs_output() {
    let site = Site::new().file(
        "p.lua",
        "print('export PRINTED=yes;') os.execute('echo export STRAY=1') io.stderr:write('note\\n')\n\
         execute{cmd='export EXECUTED=$PRINTED', modeA={'load'}}",
    );
    let run = site.run("load p");
    assert_eq!(run.var("PRINTED").as_deref(), Some("yes"));
    assert_eq!(run.var("EXECUTED").as_deref(), Some("yes"));
    assert_eq!(run.var("STRAY"), None);
    assert!(run.stderr().contains("note") && run.stderr().contains("export STRAY=1"));
}

#[test]
fn an_unknown_function_is_shown_with_its_line_and_what_was_meant() {
    let site = Site::new().file("bad/1.0.lua", "setenv('A', 1)\nprepend_pth('PATH', '/x')\n");
    let run = site.run("load bad");
    assert!(!run.ok());
    assert_eq!(same_but_state(run.env(), site.env()), Vec::<String>::new());
    let text = run.stderr();
    for part in [
        "error: unknown function `prepend_pth`",
        "$SITE/mf/bad/1.0.lua:2:1",
        "^^^^^^^^^^^",
        "did you mean `prepend_path`?",
    ] {
        assert!(text.contains(part), "{part} is not in\n{text}");
    }
}

#[test]
fn a_sites_package_is_found_and_its_hooks_run() {
    let site = Site::new()
        .file("tool/1.0.lua", "setenv('TOOL', site_root('tool'))")
        .raw(
            "lmod/SitePackage.lua",
            b"sandbox_registration{ site_root = function(n) return '/site/' .. n end }
              require('Hook').register('load', function(t) LmodMessage('loaded ' .. t.modFullName) end)\n",
        )
        .var("LMOD_PACKAGE_PATH", "$SITE/lmod");
    let run = site.run("load tool");
    assert!(run.ok(), "{}", run.stderr());
    assert_eq!(run.var("TOOL").as_deref(), Some("/site/tool"));
    assert!(run.stderr().contains("loaded tool/1.0"), "{}", run.stderr());
    let peer = site.run_peer(Peer::Lmod, "load tool");
    assert_eq!(same_but_state(run.env(), peer.env()), Vec::<String>::new());
}

#[test]
fn the_sites_hooks_shape_commands_and_listings() {
    let package = b"local hook = require('Hook')
        hook.register('SiteName', function() return 'MYSITE' end)
        hook.register('startup', function(c) LmodMessage('begin ' .. c:match('(%S+)$')) end)
        hook.register('finalize', function(c) LmodMessage('done ' .. c:match('(%S+)$')) end)
        ExitHookA.register(function() LmodMessage('exit') end)
        hook.register('isVisibleHook', function(t) if t.sn == 'secret' then t.isVisible = false end end)
        hook.register('isForbiddenHook', function(t)
            if t.fullName == 'old/1.0' then t.forbiddenState = 'forbid' t.message = 'use old/2.0' end end)
        hook.register('avail', function(t) for k in pairs(t) do t[k] = 'Everything' end end)
        hook.register('msgHook', function(kind, a) a[#a + 1] = 'printed by the site for ' .. kind .. '\\n' return a end)
        hook.register('listHook', function(a) table.sort(a, function(x, y) return x.fullName > y.fullName end) return a end)\n";
    let site = Site::new()
        .file("cc/1.0.lua", "family('compiler')")
        .file("aa/1.0.lua", "setenv('AA', '1')")
        .file("secret/1.0.lua", "setenv('SECRET', '1')")
        .file("old/1.0.lua", "setenv('OLD', '1')")
        .raw("more/extra/1.0.lua", b"")
        .raw("lmod/SitePackage.lua", package)
        .var("LMOD_PACKAGE_PATH", "$SITE/lmod")
        .var("LMOD_AVAIL_STYLE", "<grouped>:system")
        .var("MODULEPATH", "$SITE/mf:$SITE/more");
    let run = site.run("load aa cc");
    assert!(run.ok(), "{}", run.stderr());
    for name in ["LMOD_FAMILY_COMPILER", "MYSITE_FAMILY_COMPILER"] {
        assert_eq!(run.var(name).as_deref(), Some("cc"), "{name}");
    }
    let text = run.stderr();
    let order = ["begin load", "done load", "exit"].map(|word| text.find(word).expect(word));
    assert!(order.is_sorted(), "{text}");
    let avail = site.run("avail").stderr();
    assert!(
        avail.contains(" Everything ") && avail.contains("extra/1.0"),
        "{avail}"
    );
    assert!(
        !avail.contains("secret") && !avail.contains("/more"),
        "{avail}"
    );
    assert!(avail.contains("printed by the site for avail"), "{avail}");
    assert!(site.run("load secret/1.0").ok());
    let refused = site.run("load old/1.0");
    assert!(
        !refused.ok() && refused.stderr().contains("use old/2.0"),
        "{}",
        refused.stderr()
    );
    let list = site.run_in(run.env(), "list").stderr();
    assert!(list.find("cc/1.0") < list.find("aa/1.0"), "{list}");
}

#[test]
fn settings_and_properties_come_from_the_sites_lua_files() {
    let site = Site::new()
        .file("a/1.0.lua", "family('f') add_property('quality', 'tested')")
        .file("b/1.0.lua", "family('f')")
        .raw(
            "lmod/lmod_config.lua",
            b"require('strict') require('Cosmic'):singleton():assign('LMOD_AUTO_SWAP', 'no')\n",
        )
        .raw(
            "lmod/lmodrc.lua",
            b"propT = { quality = { validT = { tested = 1 }, displayT = {
                tested = { short = '(Q)', long = '(Q)', color = 'green', doc = 'Tested by the site' } } } }\n",
        )
        .var("LMOD_CONFIG_DIR", "$SITE/lmod")
        .loaded(["a"]);
    assert!(!site.run("load b").ok(), "the site forbids the swap");
    let list = site.run("list").stderr();
    assert!(
        list.contains("(Q)") && list.contains("Tested by the site"),
        "{list}"
    );
}

fn is_hidden(path: &std::path::Path) -> bool {
    path.file_name()
        .is_some_and(|name| name.to_string_lossy().starts_with('.'))
}

#[test]
fn the_corpus_is_shown_and_explained_as_by_lmod() {
    let Some(corpus) = corpus() else { return };
    let site = Site::new();
    let done = std::process::Command::new(corpus.join("instantiate.sh"))
        .arg(site.root().join("corpus"))
        .output()
        .unwrap();
    assert!(done.status.success());
    // All modules below a modulepath are asked for at once: Lmod needs most of its time to begin.
    let mut modules: BTreeMap<PathBuf, Vec<String>> = BTreeMap::new();
    let mut dirs = vec![site.root().join("corpus/easybuild-hierarchy")];
    while let Some(dir) = dirs.pop() {
        for entry in std::fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                dirs.push(path);
            } else if path.extension().is_some_and(|e| e == "lua") && !is_hidden(&path) {
                let modulepath = path.parent().and_then(|d| d.parent()).unwrap();
                let name = path.strip_prefix(modulepath).unwrap().with_extension("");
                let names = modules.entry(modulepath.to_owned()).or_default();
                names.push(name.to_str().unwrap().to_owned());
            }
        }
    }
    let count: usize = modules.values().map(Vec::len).sum();
    assert!(count > 400, "{count}");
    let mut wrong = Vec::new();
    for (modulepath, names) in &modules {
        let mut env = site.env().clone();
        env.insert("MODULEPATH".into(), modulepath.to_str().unwrap().into());
        for word in ["show", "help", "whatis"] {
            let words = format!("{word} {}", names.join(" "));
            let text = |run: crate::support::Run| -> Vec<String> {
                let text = run.stderr();
                let lines = text.lines().map(str::trim_end).filter(|l| !l.is_empty());
                lines.map(str::to_owned).collect()
            };
            let here = text(site.run_in(&env, &words));
            let there = text(site.run_peer_in(Peer::Lmod, &env, &words));
            assert!(here.len() > names.len(), "{words}\n{here:#?}");
            let differ = here.iter().zip(&there).find(|(a, b)| a != b);
            if here.len() != there.len() || differ.is_some() {
                wrong.push(format!(
                    "{word} in {}: {} lines instead of {}; first: {differ:?}",
                    modulepath.display(),
                    here.len(),
                    there.len()
                ));
            }
        }
    }
    println!("{count} modulefiles");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
