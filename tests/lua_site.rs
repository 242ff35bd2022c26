//! A site's own Lua code: every hook is called here as in Lmod, with the same arguments, in the same order, and its answer
//! has the same effect; the modules that real sites require are there.

use crate::support::{Env, Peer, Site, same_but_state};

/// Writes a line for each call of a hook into the file `$HOOK_LOG`.
const LOGGING: &str = r#"
require("strict")
require("string_utils")
local hook = require("Hook")
local function log(...)
    local words = {...}
    for i, word in ipairs(words) do words[i] = tostring(word):gsub("^.*/mf/", "~/") end
    local f = io.open(os.getenv("HOOK_LOG"), "a")
    f:write(table.concat(words, " "), "\n")
    f:close()
end
local function last(label) return label:match("(%S+)%s*$") end
hook.register("startup", function(label) log("startup", last(label)) end)
hook.register("finalize", function(label) log("finalize", last(label)) end)
hook.register("load", function(t) log("load", t.modFullName, t.fn, t.mname:sn(), t.mname:version()) end)
hook.register("unload", function(t) log("unload", t.modFullName, t.fn) end)
hook.register("restore", function(t) log("restore", t.collection, t.name, t.fn and "file") end)
hook.register("listHook", function(a)
    local names = {}
    for i, m in ipairs(a) do names[i] = m.fullName end
    log("listHook", table.concat(names, ","))
end)
hook.register("msgHook", function(kind, a) log("msgHook", kind) return a end)
hook.register("avail", function(t)
    for path, label in pairs(t) do log("avail", path, label) end
end)
hook.register("spider_decoration", function(t)
    log("spider_decoration", t.fullName)
    return "decorated"
end)
hook.register("isVisibleHook", function(t) if t.fullName == "secret/1.0" then t.isVisible = false end end)
hook.register("errWarnMsgHook", function(kind, key, msg, t)
    local values = {}
    for name, value in pairs(t) do values[#values + 1] = name .. "=" .. tostring(value) end
    table.sort(values)
    log("errWarnMsgHook", kind, key, table.concat(values, ","))
    return "<" .. msg .. ">"
end)
ExitHookA.register(function() log("exit") end)
"#;

fn site() -> Site {
    Site::new()
        .file("aa/1.0.lua", "setenv('AA', '1')")
        .file("aa/2.0.lua", "setenv('AA', '2')")
        .file("bb/1.0.lua", "depends_on('aa/1.0') setenv('BB', '1')")
        .file("bad/1.0.lua", "LmodError{msg='no_licence', what='bad'}")
        .file("plain/1.0.lua", "LmodMessage('in words of its own')")
        .file("clash/1.0.lua", "conflict('aa')")
        .file("wants/1.0.lua", "prereq('nope', 'never')")
        .file("wants_one/1.0.lua", "prereq_any('nope', 'never')")
        .file("kept/1.0.lua", "add_property('lmod', 'sticky')")
        .file("secret/1.0.lua", "setenv('SECRET', '1')")
        .raw("lmod/SitePackage.lua", LOGGING.as_bytes())
        .raw(
            "lmod/messages.lua",
            b"return { en = { no_licence = [==[No licence for %{what}]==] } }",
        )
        .var("LMOD_PACKAGE_PATH", "$SITE/lmod")
        .var("LMOD_SITE_MSG_FILE", "$SITE/lmod/messages.lua")
        .var("LMOD_AVAIL_STYLE", "<grouped>:system")
}

/// Runs a command with a log of its own: the environment afterwards, what was said, and what the hooks saw.
fn logged(site: &Site, peer: Option<Peer>, env: &Env, words: &str) -> (Env, String, Vec<String>) {
    let log = site.root().join("log");
    let _ = std::fs::remove_file(&log);
    let mut env = env.clone();
    env.insert("HOOK_LOG".into(), log.to_str().unwrap().into());
    let run = match peer {
        Some(peer) => site.run_peer_in(peer, &env, words),
        None => site.run_in(&env, words),
    };
    let text = std::fs::read_to_string(&log).unwrap_or_default();
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    if words.starts_with("load") {
        // Lmod looks for an unknown name in programs of its own, which call hooks, too.
        lines.retain(|line| line != "startup spider" && !line.contains("e_Failed_2_Find"));
    }
    (run.env().clone(), run.stderr(), lines)
}

#[test]
fn hooks_are_called_in_lmods_order_with_lmods_arguments() {
    let site = site();
    let (mut here, mut there) = (site.env().clone(), site.env().clone());
    let mut wrong = Vec::new();
    for words in [
        "load bb",
        "list",
        "avail",
        "avail aa",
        "-t avail",
        "spider aa",
        "swap aa aa/2.0",
        "unload bb",
        "save mine",
        "purge",
        "restore mine",
        "show aa",
        "whatis aa",
        "load bad",
        "is-loaded aa",
        "load nope",
        "load --nope",
        "load plain",
        "load clash",
        "load wants",
        "load wants_one",
        "restore nope",
        "restore no.pe",
        "load kept",
        "purge",
        "--force purge",
    ] {
        let ours = logged(&site, None, &here, words);
        let theirs = logged(&site, Some(Peer::Lmod), &there, words);
        if ours.2 != theirs.2 {
            wrong.push(format!(
                "{words}: {:#?} instead of {:#?}\n{}",
                ours.2, theirs.2, ours.1
            ));
        }
        let env = same_but_state(&ours.0, &theirs.0);
        wrong.extend(env.into_iter().map(|line| format!("{words}: {line}")));
        (here, there) = (ours.0, theirs.0);
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_answers_of_hooks_shape_what_people_see() {
    let site = site();
    let said = |words: &str| logged(&site, None, site.env(), words).1;
    assert!(
        said("spider aa").contains("aa/1.0 (decorated)"),
        "{}",
        said("spider aa")
    );
    assert!(!said("avail").contains("secret"));
    let bad = said("load bad");
    assert!(bad.contains("<No licence for bad>"), "{bad}");
}

#[test]
fn a_site_has_the_users_shell_run_commands_when_a_request_ends() {
    let package = r#"
local exec, loads = require("Exec"):exec(), {}
local hook = require("Hook")
hook.register("load", function(t) loads[#loads + 1] = t.modFullName end)
hook.register("finalize", function() exec:register("REPORTED='" .. table.concat(loads, ",") .. "'; export REPORTED") end)
"#;
    let site = Site::new()
        .file("aa/1.0.lua", "")
        .raw("lmod/SitePackage.lua", package.as_bytes())
        .var("LMOD_PACKAGE_PATH", "$SITE/lmod");
    assert_eq!(
        site.run("load aa").var("REPORTED").as_deref(),
        Some("aa/1.0")
    );
}

/// Sites put the program's own messages into words of theirs, by Lmod's keys.
#[test]
fn messages_of_the_program_are_the_sites_to_word() {
    let package = "require('Hook').register('errWarnMsgHook', function(kind, key, msg, t)
        if key == 'e_Failed_Load' then return msg .. ' (' .. kind .. ', ' .. t.module_list .. ')' end
        return msg end)";
    let messages = "return { en = { e_Failed_Load = 'We have no %{module_list}.', avail = 'Ask help@site.org!\\n' },
        de = { e_Unknown_Coll = 'Keine Sammlung %{collection}.' } }";
    let site = Site::new()
        .file("aa/1.0.lua", "")
        .raw("lmod/SitePackage.lua", package.as_bytes())
        .raw("lmod/messages.lua", messages.as_bytes())
        .var("LMOD_PACKAGE_PATH", "$SITE/lmod")
        .var("LMOD_SITE_MSG_FILE", "$SITE/lmod/messages.lua");
    let unknown = site.run("load nope").stderr();
    assert!(
        unknown.contains("We have no \"nope\". (lmoderror, \"nope\")"),
        "{unknown}"
    );
    assert!(site.run("avail").stderr().ends_with("Ask help@site.org!\n"));
    let site = site.var("LMOD_LANG", "de");
    let unknown = site.run("restore nope").stderr();
    assert!(unknown.contains("Keine Sammlung nope."), "{unknown}");
    let broken = site.raw("lmod/messages.lua", b"return {");
    let told = broken.run("load nope").stderr();
    assert!(
        told.contains("unknown: `nope`") && told.contains("messages.lua"),
        "{told}"
    );
}

/// Each of the program's texts that Lmod has, too, is the site's to say under Lmod's key.
#[test]
fn every_text_has_lmods_key() {
    let rows: &[(&str, &str, &str, &str)] = &[
        ("list", "noModsLoaded", "nothing", "nothing"),
        ("load aa; list", "currLoadedMods", "Geladen", "Geladen:"),
        ("load aa; list zz", "noneFound", "nobody", "nobody"),
        (
            "load aa; list zz",
            "matching",
            " like %{wanted}",
            "Modules like zz",
        ),
        ("load kept; list", "StickyM", "stays", "S:  stays"),
        ("load kept; list", "Where", "Legende:", "Legende:"),
        ("avail zz", "noModules", "none here", "none here"),
        ("avail aa", "DefaultM", "usual", "D:  usual"),
        ("spider", "m_Spider_Title", "All we have", "All we have"),
        ("spider", "m_Spider_Tail", "the %{border}end", "--\nend"),
        ("spider aa", "m_Versions", "There are:", "There are:"),
        (
            "spider aa",
            "m_Spdr_L1",
            "%{key} e.g. %{exampleV}",
            "aa e.g. aa/2.0",
        ),
        (
            "spider aa/1.0",
            "m_Direct_Load",
            "just load %{fullName}",
            "just load aa/1.0",
        ),
        (
            "spider aa/1.0",
            "m_Description",
            "It is%{descript}",
            "It is      A tool",
        ),
        ("spider aa/1.0", "m_Properties", "Props", "Props\n"),
        ("spider aa/1.0", "m_ModProvides", "Has", "Has\n"),
        ("spider ext", "m_ProvidedFrom", "Ask", "Ask\n"),
        (
            "spider low",
            "m_Depend_Mods",
            "%{fullName} wants",
            "low/1.0 wants",
        ),
        ("spider zz", "e_Failed_2_Find", "no %{name}", "no zz"),
        (
            "keyword tool",
            "keyword_msg",
            "found %{module_list}",
            "found \"tool\"",
        ),
        (
            "keyword tool",
            "m_Spider_Tail",
            "that is all",
            "that is all",
        ),
        (
            "help aa",
            "specific_hlp",
            "About %{fullName}",
            "- About aa/2.0 -",
        ),
        (
            "load nope",
            "e_Failed_Load",
            "never heard of %{module_list}",
            "error: never heard of \"nope\"",
        ),
        (
            "load low",
            "e_Failed_Load_2",
            "not yet: %{kA} %{kB}",
            "error: not yet: \"low\" low",
        ),
        (
            "load any",
            "e_Failed_Load_any",
            "none of %{module_list}",
            "none of nope never",
        ),
        (
            "load aa clash",
            "e_Conflict",
            "%{name} hates %{module_list}",
            "clash/1.0 hates aa",
        ),
        (
            "load wants",
            "e_Prereq",
            "%{name} wants %{module_list}",
            "wants/1.0 wants nope never",
        ),
        (
            "load wants_one",
            "e_Prereq_Any",
            "one of %{module_list}",
            "one of nope never",
        ),
        (
            "load heir",
            "e_Failed_2_Inherit",
            "nothing below %{name}",
            "nothing below heir/1.0",
        ),
        (
            "load full",
            "e_RequireFullName",
            "say %{fullName}, not %{sn}",
            "say full/1.0, not full",
        ),
        (
            "swap aa bb",
            "e_Swap_Failed",
            "no %{name} to swap",
            "no aa to swap",
        ),
        ("load -", "e_Illegal_option", "what is %{v}?", "what is -?"),
        (
            "load fam; load fam2",
            "m_Family_Swap",
            "%{newFullName} for %{oldFullName}",
            "fam2/1.0 for fam/1.0",
        ),
        (
            "load kept; purge",
            "m_Sticky_Mods",
            "These stay:",
            "These stay:",
        ),
        (
            "load opens low; unload opens",
            "m_Inactive_Modules",
            "Asleep:",
            "Asleep:\n",
        ),
        (
            "load opens low; unload opens; load opens",
            "m_Activate_Modules",
            "Awake:",
            "Awake:\n",
        ),
        (
            "load aa/1.0; load aa/2.0",
            "m_Reload_Version_Chng",
            "Other:",
            "Other:\n",
        ),
        (
            "load bb; unload aa",
            "w_MissingModules",
            "gone: %{missing}",
            "gone: aa/1.0 (required by: bb/1.0)",
        ),
        (
            "load aa; save mine",
            "m_Save_Coll",
            "kept in %{a}%{msgTail}",
            "kept in mine",
        ),
        (
            "load aa; save mine; restore mine",
            "m_Restore_Coll",
            "back to %{msg}",
            "back to user's mine",
        ),
        (
            "load aa; save mine; disable mine",
            "m_Collection_disable",
            "%{name} put away",
            "mine put away",
        ),
        (
            "load aa; save mine; describe mine",
            "coll_contains",
            "In %{collection}:",
            "In mine:",
        ),
        (
            "load aa; save mine; savelist",
            "namedCollList",
            "Yours:",
            "Yours:",
        ),
        ("savelist", "m_No_Named_Coll", "no coll", "no coll"),
        (
            "save mine",
            "w_Save_Empty_Coll",
            "%{name} is empty",
            "mine is empty",
        ),
        (
            "save a.b",
            "w_No_dot_Coll",
            "no dot in %{name}",
            "no dot in a.b",
        ),
        (
            "save system",
            "w_System_Reserved",
            "not system",
            "not system",
        ),
        (
            "restore a.b",
            "e_Unknown_Coll",
            "no dot: %{collection}",
            "no dot: a.b",
        ),
        (
            "restore zz",
            "e_Unknown_Coll",
            "no coll %{collection}",
            "no coll zz",
        ),
        ("reset", "w_SYS_DFLT_EMPTY", "no defaults", "no defaults"),
        ("load old", "m_Module_Msgs", "%{border}Mind:", "-\nMind:"),
    ];
    let texts = |rows: &[(&str, &str, &str, &str)]| -> String {
        let lines = rows
            .iter()
            .map(|(_, key, text, _)| format!("{key} = [==[{text}]==],\n"));
        format!("return {{ site = {{ {} }} }}", lines.collect::<String>())
    };
    let site = Site::new()
        .file(
            "aa/1.0.lua",
            "whatis('Description: A tool') add_property('state', 'testing') extensions('ext/1')",
        )
        .file("aa/2.0.lua", "help('of aa')")
        .file("any/1.0.lua", "load_any('nope', 'never')")
        .file("bb/1.0.lua", "depends_on('aa/1.0')")
        .file("clash/1.0.lua", "conflict('aa')")
        .file("wants/1.0.lua", "prereq('nope', 'never')")
        .file("wants_one/1.0.lua", "prereq_any('nope', 'never')")
        .file("heir/1.0.lua", "inherit()")
        .file("full/1.0.lua", "requireFullName()")
        .file("fam/1.0.lua", "family('f')")
        .file("fam2/1.0.lua", "family('f')")
        .file("kept/1.0.lua", "add_property('lmod', 'sticky')")
        .file("old/1.0.lua", "")
        .file("opens/1.0.lua", "prepend_path('MODULEPATH', '$SITE/low')")
        .raw("low/low/1.0.lua", b"")
        .raw("admin.list", b"old: it is old\n")
        .var("LMOD_ADMIN_FILE", "$SITE/admin.list")
        .var("LMOD_SITE_MSG_FILE", "$SITE/messages.lua");
    let mut wrong = Vec::new();
    let mut site = site;
    for row in rows {
        // With all the others in ours, so that each text is seen to come from its own key.
        site = site.raw("messages.lua", texts(std::slice::from_ref(row)).as_bytes());
        let (requests, key, _, wanted) = row;
        let _ = std::fs::remove_dir_all(site.root().join("home/.config"));
        let (mut env, mut said) = (site.env().clone(), String::new());
        for words in requests.split("; ") {
            let run = site.run_in(&env, words);
            (env, said) = (run.env().clone(), run.stderr());
        }
        if !said.contains(wanted) {
            wrong.push(format!("{requests}: {key}: no `{wanted}` in\n{said}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Hooks that came after Lmod 8.6.
#[test]
fn later_hooks_are_called_too() {
    let package = r#"
local hook = require("Hook")
hook.register("category", function(kind, t)
    if kind == "simple" then
        for i, name in ipairs(t) do t[i] = name:upper() end
    else
        for name, modules in pairs(t) do modules.extra = 7 end
    end
end)
hook.register("colorize_fullName", function(full, sn)
    return sn == "aa" and "*" .. full .. "*" or full
end)
hook.register("isForbiddenHook", function(t)
    if t.fullName == "bb/1.0" then
        t.forbiddenState = "forbid"
        t.message = "bb is gone"
    end
end)
hook.register("decorate_module", function(t)
    return { 'setenv("SITE_' .. t.name:upper() .. '", "' .. t.version .. '")' }
end)
hook.register("SiteName", function() return "MYSITE" end)
hook.register("writeCache", function(t) t.dontWriteCache = true end)
"#;
    let site = Site::new()
        .file("aa/1.0.lua", "whatis('Category: tools') family('fam')")
        .file("bb/1.0.lua", "whatis('Category: tools')")
        .raw("lmod/SitePackage.lua", package.as_bytes())
        .var("LMOD_PACKAGE_PATH", "$SITE/lmod")
        .var("XMOD_CACHE_AFTER_MS", "0");
    let categories = site.run("category").stderr();
    assert!(categories.contains("TOOLS"), "{categories}");
    let tools = site.run("category tools").stderr();
    assert!(
        tools.contains("aa (1)") && tools.contains("extra (7)"),
        "{tools}"
    );
    let avail = site.run("avail").stderr();
    assert!(
        avail.contains("*aa/1.0*") && !avail.contains("*bb"),
        "{avail}"
    );
    let refused = site.run("load bb");
    assert!(
        !refused.ok() && refused.stderr().contains("bb is gone"),
        "{}",
        refused.stderr()
    );
    let run = site.run("load aa");
    assert_eq!(run.var("SITE_AA").as_deref(), Some("1.0"));
    assert_eq!(run.var("MYSITE_FAMILY_FAM").as_deref(), Some("aa"));
    let list = site.run_in(run.env(), "list").stderr();
    assert!(list.contains("*aa/1.0*"), "{list}");
    assert!(site.run("spider").ok());
    let cached = site.root().join("home/.cache/xmod");
    assert!(!cached.exists(), "the hook forbids to write the cache");
}

/// Who marked a module as the default is told as in Lmod; a site's name makes family variables; properties look as the
/// site's `lmodrc.lua` says.
#[test]
fn facts_about_a_module_are_lmods() {
    let package = r#"
require("Hook").register("load", function(t)
    local f = io.open(os.getenv("HOOK_LOG"), "a")
    f:write(t.modFullName, " ", t.mname:defaultKind(), " ", t.mname:sn(), " ", t.mname:version(), "\n")
    f:close()
end)
"#;
    let site = Site::new()
        .file("plain/1.0.lua", "")
        .file("tree/1.0.lua", "")
        .file("tree/2.0.lua", "")
        .file(
            "tree/.modulerc.lua",
            "module_version('tree/1.0', 'default')",
        )
        .file("site/1.0.lua", "")
        .file(
            "own/1.0.lua",
            "family('mpi') add_property('state', 'testing')",
        )
        .raw("lmod/SitePackage.lua", package.as_bytes())
        .raw("rc.lua", b"module_version('site/1.0', 'default')")
        .raw(
            "home/.modulerc.lua",
            b"module_version('own/1.0', 'default')",
        )
        .raw(
            "lmodrc.lua",
            b"propT = { state = { validT = { testing = 1 }, displayT = { testing =
                { short = '(TT)', long = '(TT)', color = 'green', doc = 'Being tried' } } } }",
        )
        .var("LMOD_RC", "$SITE/lmodrc.lua")
        .var("LMOD_MODULERCFILE", "$SITE/rc.lua")
        .var("LMOD_SITE_NAME", "HPC")
        .var("LMOD_PACKAGE_PATH", "$SITE/lmod");
    let (mut here, mut there) = (site.env().clone(), site.env().clone());
    for words in [
        "load plain",
        "load tree",
        "load site",
        "load own",
        "load tree/2.0",
    ] {
        let ours = logged(&site, None, &here, words);
        let theirs = logged(&site, Some(Peer::Lmod), &there, words);
        assert_eq!(ours.2, theirs.2, "{words}: {}", ours.1);
        assert_eq!(same_but_state(&ours.0, &theirs.0), [""; 0], "{words}");
        (here, there) = (ours.0, theirs.0);
    }
    assert_eq!(here.get("HPC_FAMILY_MPI").map(String::as_str), Some("own"));
    for peer in [None, Some(Peer::Lmod)] {
        let (_, said, _) = logged(
            &site,
            peer,
            if peer.is_some() { &there } else { &here },
            "list",
        );
        assert!(
            said.contains("own/1.0 (TT)") && said.contains("TT:  Being tried"),
            "{said}"
        );
    }
}

/// Lmod's description of caches is where ours lie, as long as they are younger than the time stamp.
#[test]
fn caches_lie_where_lmodrc_says() {
    let package = r#"
local hook = require("Hook")
hook.register("groupName", function(file) return (file:gsub("%.(%w+)$", ".special.%1")) end)
hook.register("parse_updateFn", function(file, t)
    local f = io.open(os.getenv("HOOK_LOG"), "a")
    f:write(file:match("[^/]*$"), " ", tostring(t.lastUpdateEpoch), " ", tostring(t.hostType), "\n")
    f:close()
    t.hostType = "fast"
    if os.getenv("UPDATED") then t.lastUpdateEpoch = tonumber(os.getenv("UPDATED")) end
end)
"#;
    let site = Site::new()
        .file("aa/1.0.lua", "whatis('Description: first')")
        .raw("lmod/SitePackage.lua", package.as_bytes())
        .raw("caches/fast/keep", b"")
        .raw("stamp", b"")
        .raw(
            "lmodrc.lua",
            b"local root = os.getenv('ROOT')
              scDescriptT = { { dir = root .. '/caches', timestamp = root .. '/stamp' } }",
        )
        .var("LMOD_RC", "$SITE/lmodrc.lua")
        .var("LMOD_PACKAGE_PATH", "$SITE/lmod")
        .var("ROOT", "$SITE")
        .var("XMOD_CACHE_FRESHNESS", "trust")
        .var("XMOD_CACHE_AFTER_MS", "0");
    let past = std::time::SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(1_500_000_000);
    let stamp = std::fs::File::options()
        .write(true)
        .open(site.root().join("stamp"));
    stamp.unwrap().set_modified(past).unwrap();
    let ours = logged(&site, None, site.env(), "avail");
    let theirs = logged(&site, Some(Peer::Lmod), site.env(), "avail");
    assert_eq!(ours.2, ["stamp 1500000000 nil"]);
    assert_eq!(ours.2, theirs.2);
    let own = site.root().join("home/.cache/xmod/modules.special.sqlite");
    assert!(own.is_file(), "the hook names the user's cache");
    std::fs::remove_file(own).unwrap();

    let mut env = site.env().clone();
    env.insert("HOOK_LOG".into(), "/dev/null".into());
    env.insert("LMOD_IGNORE_CACHE".into(), "no".into());
    let build = std::process::Command::new(crate::support::XMOD)
        .args(["cache", "build", "--system"])
        .env_clear()
        .envs(&env)
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&build.stdout).into_owned();
    assert!(
        told.contains("caches/fast/modules.sqlite"),
        "{told} {build:?}"
    );
    // It is trusted: what came later is not seen until the stamp is younger than the cache.
    let site = site
        .file("aa/2.0.lua", "")
        .var("XMOD_CACHE_AFTER_MS", "100000");
    let seen = |env: &Env| site.run_in(env, "-t avail aa").stderr().contains("aa/2.0");
    assert!(!seen(&env), "the declared cache answers");
    env.insert("UPDATED".into(), "32503680000".into());
    assert!(seen(&env), "a cache older than the stamp does not");
}

/// `os.exit` in the site's own code ends the request: quietly where its status says so, as a refusal otherwise.
#[test]
fn a_site_may_end_a_request() {
    for (package, words, fails) in [
        (
            "require('Hook').register('startup', function() io.stderr:write('not here') os.exit(0) end)",
            "load aa",
            false,
        ),
        (
            "require('Hook').register('startup', function() io.stderr:write('not here') os.exit(3) end)",
            "load aa",
            true,
        ),
        ("io.stderr:write('not here') os.exit(0)", "load aa", false),
        ("io.stderr:write('not here') os.exit(1)", "list", true),
    ] {
        let site = Site::new()
            .file("aa/1.0.lua", "setenv('AA', '1')")
            .raw("lmod/SitePackage.lua", package.as_bytes())
            .var("LMOD_PACKAGE_PATH", "$SITE/lmod");
        let ours = site.run(words);
        let theirs = site.run_peer(Peer::Lmod, words);
        for run in [&ours, &theirs] {
            assert!(
                run.stderr().contains("not here"),
                "{package}: {}",
                run.stderr()
            );
            assert_eq!(run.var("AA"), None, "{package}");
        }
        assert_eq!(ours.ok(), !fails, "{package}: {}", ours.stderr());
    }
}

/// What the SitePackage.lua files that sites publish require and call.
#[test]
fn the_modules_that_sites_require_do_what_they_promise() {
    let package = r#"
require("strict")
require("utils") require("fileOps") require("string_utils") require("lmod_system_execute") require("deepcopy")
require("serializeTbl") require("colorize") require("capture") require("parseVersion") require("TermWidth")
local hook, FrameStk, MName, Version = require("Hook"), require("FrameStk"), require("MName"), require("Version")
local cosmic, dbg, lfs, posix = require("Cosmic"):singleton(), require("Dbg"):dbg(), require("lfs"), require("posix")
local json, base64, Banner = require("json"), require("base64"), require("Banner")
local concatTbl = table.concat

local function facts(t)
    dbg.start{"facts(", t.modFullName, ")"}
    local frameStk = FrameStk:singleton()
    local mt = frameStk:mt()
    local names = {}
    for _, m in ipairs(mt:list("fullName", "active")) do names[#names + 1] = m.fullName .. "=" .. m.sn end
    dbg.print{"names: ", names, "\n"}
    local copy = deepcopy{a = {b = 1}}
    local got = {
        "list", concatTbl(names, ","),
        "short", concatTbl(mt:list("sn", "active"), ","),
        "have", mt:have("dep", "active"), mt:have("nope", "any"),
        "version", mt:version("dep"), mt:fullName("dep"),
        "frame", frameStk:sn(), frameStk:fullName(), frameStk:version(),
        "mname", MName:new("load", "dep"):fullName(), MName:new("mt", "dep"):sn(), MName:new("load", "nope"):valid(),
        "json", json.encode(json.decode('{"a":[1,2,{"b":null}],"c":"x"}')),
        "base64", base64.decode64(base64.encode64("any text")),
        "copy", copy.a.b, serializeTbl{name = "t", value = {x = {1, "y"}}}:gsub("%s+", " "),
        "cosmic", cosmic:value("LMOD_AUTO_SWAP"), cosmic:value("LMOD_SITE_NAME") or "none",
        "words", concatTbl(optionTbl().pargs, ","),
        "paths", #path2pathA("/a:/b"), build_fullName("a", "1"), extractVersion("a/1", "a"),
        "posix", posix.uname("%s"), lfs.attributes("/", "mode"),
        "version", Version.name() == LmodVersion(),
        "width", TermWidth(), #Banner:singleton():bannerStr("x"),
        "myModule", myModuleName(),
    }
    for i = 1, #got do got[i] = tostring(got[i]) end
    setenv("FACTS", concatTbl(got, " "))
    dbg.fini("facts")
end
hook.register("decorate_module", function(t) facts{modFullName = t.name} end)
"#;
    let site = Site::new()
        .file("dep/1.0.lua", "")
        .file("case/1.0.lua", "depends_on('dep')")
        .raw("lmod/SitePackage.lua", package.as_bytes())
        .var("LMOD_PACKAGE_PATH", "$SITE/lmod");
    let run = site.run("load case");
    assert!(run.ok(), "{}", run.stderr());
    assert_eq!(
        run.var("FACTS")
            .unwrap_or_else(|| panic!("{}", run.stderr())),
        "list dep/1.0=dep short dep have true false version 1.0 dep/1.0 frame case case/1.0 1.0 \
         mname dep/1.0 dep false json {\"a\":[1,2,[]],\"c\":\"x\"} base64 any text copy 1 t = { x = { 1, \"y\", }, }  \
         cosmic yes none words case paths 2 a/1 1 posix Linux directory version true width 100 99 myModule case"
    );
}

/// What a start file itself says, and the class that sites derive their packages from.
#[test]
fn start_files_speak_and_derive_packages() {
    let package = r#"
io.stderr:write("written by the start file\n")
LmodMessage("told by the start file")
Pkg = require("PkgBase").build("OurPkg")
require("sandbox")
sandbox_registration{ Pkg = Pkg }
"#;
    let own = "local M = setmetatable({}, { __index = require('PkgBase') })\nM.__index = M\n\
               function M:place() return '/ours/' .. self:pkgName() end\nreturn M\n";
    let site = Site::new()
        .file(
            "tool/1.0.lua",
            "local p = Pkg:new{Category='x'} setenv('TOOL', p:place())",
        )
        .raw("lmod/SitePackage.lua", package.as_bytes())
        .raw("lmod/OurPkg.lua", own.as_bytes())
        .var("LMOD_PACKAGE_PATH", "$SITE/lmod");
    let run = site.run("load tool");
    assert_eq!(
        run.var("TOOL").as_deref(),
        Some("/ours/tool"),
        "{}",
        run.stderr()
    );
    for line in ["written by the start file\n", "told by the start file\n"] {
        assert_eq!(run.stderr().matches(line).count(), 1, "{}", run.stderr());
    }
}

/// The ways of larger sites: files that run other files, usage logs, warnings by key, hierarchies with titles.
#[test]
fn packages_in_the_manner_of_large_sites_work() {
    let package = r#"
require("strict") require("cmdfuncs") require("utils") require("lmod_system_execute") require("sandbox")
local hook, MT, ModuleStack = require("Hook"), require("MT"), require("ModuleStack")
dofile(pathJoin(os.getenv("LMOD_PACKAGE_PATH"), "helper.lua"))
local FrameStk = require("FrameStk")
local messages = {}
local function load_hook(t)
    if mode() ~= "load" then return end
    local frameStk = FrameStk:singleton()
    local user = frameStk:atTop() and "yes" or "no"
    messages[#messages + 1] = ("%s user=%s %s"):format(t.modFullName, user, t.mname:defaultKind())
    if t.modFullName == "old/1.0" and ModuleStack:moduleStack():atTop() then
        LmodWarning{msg = "site_old_module", fullName = t.modFullName}
    end
end
hook.register("load", load_hook)
ExitHookA.register(function()
    for _, text in ipairs(messages) do lmod_system_execute("echo '" .. text .. "' >> " .. (os.getenv("HOOK_LOG") or "/dev/null")) end
end)
local titles = { grouped = { ["/mf$"] = "Core Modules" } }
hook.register("avail", function(t)
    local styles = titles[masterTbl().availStyle]
    if not styles then return end
    for path in pairs(t) do
        for pattern, title in pairs(styles) do
            if path:find(pattern) then t[path] = title end
        end
    end
end)
hook.register("isVisibleHook", function(modT)
    if modT.fn:find("/old/") and not MT:singleton():exists("legacy") then modT.isVisible = false end
end)
hook.register("startup", function(command)
    if table.concat(masterTbl().pargs, " ") == "twice twice" then LmodMessage("asked twice") end
end)
local function controllers()
    local n = 0
    for line in io.lines("/proc/self/cgroup") do n = n + 1 end
    return n
end
sandbox_registration{ controllers = controllers, clearWarningFlag = clearWarningFlag, helped = helped }
"#;
    let site = Site::new()
        .file(
            "old/1.0.lua",
            "setenv('HELPED', helped(2)) clearWarningFlag()",
        )
        .file(
            "new/1.0.lua",
            "load('old/1.0') setenv('N', controllers() >= 0 and 'some' or 'none')",
        )
        .file("legacy/1.0.lua", "")
        .raw("lmod/SitePackage.lua", package.as_bytes())
        .raw(
            "lmod/helper.lua",
            b"function helped(n) return 'helped ' .. n end",
        )
        .raw(
            "lmod/messages.lua",
            b"return { en = { site_old_module = 'The module %{fullName} is old' } }",
        )
        .var("LMOD_PACKAGE_PATH", "$SITE/lmod")
        .var("LMOD_SITE_MSG_FILE", "$SITE/lmod/messages.lua")
        .var("LMOD_AVAIL_STYLE", "system:<grouped>");
    let (env, said, log) = logged(&site, None, site.env(), "load new");
    assert_eq!(
        env.get("HELPED").map(String::as_str),
        Some("helped 2"),
        "{said}"
    );
    assert_eq!(env.get("N").map(String::as_str), Some("some"));
    assert_eq!(
        log,
        ["old/1.0 user=no none", "new/1.0 user=yes none"],
        "{said}"
    );
    assert!(!said.contains("is old"), "{said}");
    let (env, said, _) = logged(&site, None, site.env(), "load old/1.0");
    assert!(
        said.contains("The module old/1.0 is old") && env.contains_key("HELPED"),
        "{said}"
    );
    let (_, said, _) = logged(&site, None, site.env(), "avail");
    assert!(
        said.contains(" Core Modules ") && !said.contains("old/1.0"),
        "{said}"
    );
    let (_, said, _) = logged(&site, None, site.env(), "--style=system avail");
    assert!(!said.contains(" Core Modules "), "{said}");
    let with_legacy = site.run("load legacy");
    assert!(
        site.run_in(with_legacy.env(), "avail")
            .stderr()
            .contains("old/1.0")
    );
    assert!(
        site.run("try-load twice twice")
            .stderr()
            .contains("asked twice")
    );
}

#[test]
fn a_mistake_in_a_sites_package_names_its_line() {
    for (text, wanted) in [
        (
            "local a = 1\nrequire('no_such_thing')\n",
            ["module 'no_such_thing' not found", "SitePackage.lua:2"],
        ),
        (
            "\nlocal Hub = require('MainControl')\nHub:singleton()\n",
            ["a part of Lmod itself", "SitePackage.lua:3"],
        ),
        ("\nhok.register('load', 1)\n", ["hok", "SitePackage.lua:2"]),
        (
            "local h = require('Hook')\n\nh.register('load')\n",
            ["needs a function", "SitePackage.lua:3"],
        ),
    ] {
        let site = Site::new()
            .file("a/1.0.lua", "")
            .raw("lmod/SitePackage.lua", text.as_bytes())
            .var("LMOD_PACKAGE_PATH", "$SITE/lmod");
        let run = site.run("load a");
        assert!(!run.ok() && run.unchanged(), "{text}");
        for part in wanted {
            assert!(
                run.stderr().contains(part),
                "{part} is not in\n{}",
                run.stderr()
            );
        }
    }
}

#[test]
fn help_in_markdown_is_rendered_where_people_see_colours() {
    let text = "# Solver\n\nRuns **fast**; see [the guide](https://x.org).\n\n- one\n- two\n";
    let site = Site::new().file(
        "solver/3.lua",
        &format!("help([[{text}]])\nwhatis('Description: plain')"),
    );
    let plain = site.run("help solver").stderr();
    assert!(plain.contains(text), "{plain}");
    let site = site.var("LMOD_COLORIZE", "force");
    let rendered = site.run("help solver").stderr();
    assert!(rendered.contains("\x1b[1mfast\x1b[0m;"), "{rendered:?}");
    assert!(
        rendered.contains("(https://x.org)") && !rendered.contains("**"),
        "{rendered:?}"
    );
}

#[test]
fn hooks_that_judge_requests_and_modules_work() {
    let package = r#"
local hook, Control = require("Hook"), require("MasterControl") -- which nothing uses
local gone = { old = "it is called new now" }
hook.register("startup", function(word)
    if word ~= "load" then return end
    for _, name in ipairs(masterTbl().pargs) do
        if gone[name] then LmodError("\n" .. name .. ": " .. gone[name] .. "\n\n") end
    end
end)
function site_load(t)
    local mt, name = require("FrameStk"):singleton():mt(), t.modFullName:match("(.-)/")
    if mt:haveProperty(name, "arch", "gpu") and not mt:haveProperty("driver", "arch", "gpu") then
        LmodError("\n", mt:fullName(name), "needs the driver\n")
    end
end
hook.register("load", site_load)
hook.register("isVisibleHook", function(t)
    local version = t.fullName:match("%-(%d+b?)$")
    if version and parseVersion(version) <= parseVersion("2022b") then t.isVisible = false end
end)
hook.register("errWarnMsgHook", function(kind, key, text)
    local frame = require("FrameStk"):singleton()
    return key == "e_No_AutoSwap" and not frame:empty() and "not with " .. frame:sn() or text
end)
dofile(os.getenv("LMOD_PACKAGE_PATH") .. "/host.lua")
"#;
    let gpu = "add_property('arch', 'gpu')";
    let site = Site::new()
        .file("app/1.0.lua", &format!("setenv('APP', 1)\n{gpu}"))
        .file("driver/1.0.lua", gpu)
        .file("lib/1-2022b.lua", "")
        .file("lib/1-2023.lua", "")
        .file("user/1.0.lua", "load('lib/1-2022b')")
        .raw("lmod/SitePackage.lua", package.as_bytes())
        .raw(
            "lmod/host.lua",
            b"require('Hook').register('load', function(t) site_load(t) LmodMessage('here:', t.modFullName) end)",
        )
        .var("LMOD_PACKAGE_PATH", "$SITE/lmod");

    let run = site.run("load old");
    assert!(!run.ok() && run.unchanged());
    assert!(
        run.stderr()
            .starts_with("error: old: it is called new now\n"),
        "{}",
        run.stderr()
    );
    assert!(
        run.stderr().contains("SitePackage.lua:7"),
        "{}",
        run.stderr()
    );

    let run = site.run("load app");
    assert!(!run.ok() && run.unchanged());
    for part in ["error: app/1.0 needs the driver\n", "SitePackage.lua:13"] {
        assert!(run.stderr().contains(part), "{part}: {}", run.stderr());
    }
    let with_driver = site.run("load driver app");
    assert!(with_driver.ok(), "{}", with_driver.stderr());
    assert!(with_driver.stderr().contains("here: app/1.0"));

    let listed = site.run("-t avail lib").stderr();
    assert!(
        !listed.contains("2022b") && listed.contains("lib/1-2023"),
        "{listed}"
    );

    let site = site.var("LMOD_DISABLE_SAME_NAME_AUTOSWAP", "yes");
    let with_lib = site.run("load lib/1-2023");
    let run = site.run_in(with_lib.env(), "load user");
    assert!(
        run.stderr().contains("error: not with user"),
        "{}",
        run.stderr()
    );
}

/// Runs `load app` and answers once the question has been shown: whether it went well, the code for the shell, and what
/// people saw.
fn answered(site: &Site, answer: &str) -> (bool, String, String) {
    use std::io::{Read, Write};
    use std::process::{Command, Stdio};
    let mut child = Command::new("timeout")
        .args(["60", crate::support::XMOD, "bash", "load", "app"])
        .env_clear()
        .envs(site.env())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let (mut said, mut errors) = (Vec::new(), child.stderr.take().unwrap());
    while !said.ends_with(b"accept? ") {
        let mut byte = [0];
        assert_eq!(
            errors.read(&mut byte).unwrap(),
            1,
            "not asked: {}",
            String::from_utf8_lossy(&said)
        );
        said.push(byte[0]);
    }
    let mut input = child.stdin.take().unwrap();
    writeln!(input, "{answer}").unwrap();
    drop(input);
    errors.read_to_end(&mut said).unwrap();
    let output = child.wait_with_output().unwrap();
    (
        output.status.success(),
        String::from_utf8(output.stdout).unwrap(),
        String::from_utf8(said).unwrap(),
    )
}

#[test]
fn code_of_a_site_may_ask_the_user() {
    let package = br#"
local here = debug.getinfo(1, "S").source:match("@(.*)/")
assert(here == os.getenv("LMOD_PACKAGE_PATH"), here)
local accepted = os.getenv("HOME") .. "/accepted"
require("Hook").register("load", function(t)
    if io.open(accepted) then return end
    LmodMessage("The licence of " .. t.modFullName)
    io.stderr:write("Do you accept? ")
    if io.read() ~= "yes" then LmodError("not accepted") end
    io.open(accepted .. ".new", "w"):close()
    assert(os.rename(accepted .. ".new", accepted) and not os.remove(accepted .. ".new"))
end)"#;
    let lua = Site::new()
        .file(
            "app/1.0.lua",
            "setenv('APP', io.read and 'open' or 'closed')",
        )
        .raw("lmod/SitePackage.lua", package)
        .var("LMOD_PACKAGE_PATH", "$SITE/lmod");
    let (went_well, code, said) = answered(&lua, "no");
    assert!(!went_well && !code.contains("APP"), "{code}");
    assert!(
        said.contains("not accepted") && said.matches("The licence").count() == 1,
        "{said}"
    );
    let (went_well, code, said) = answered(&lua, "yes");
    assert!(went_well && code.contains("APP=closed"), "{code}{said}");
    let again = lua.run("load app");
    assert!(
        again.ok() && again.stderr().is_empty(),
        "{}",
        again.stderr()
    );

    let tcl = Site::new().file(
        "app/1.0",
        "puts -nonewline stderr {Do you accept? }\nsetenv APP [gets stdin]",
    );
    let (went_well, code, said) = answered(&tcl, "of course");
    assert!(
        went_well && code.contains(r#"APP="of course""#),
        "{code}{said}"
    );
    // Whoever only looks is not asked.
    assert!(tcl.run("show app").ok());
}
