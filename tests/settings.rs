//! Each option of the peers makes a difference: a table of option, value, request, and what is said with it and not
//! without it, or the other way round.

use std::fmt::Write;

use crate::support::{Run, Site};

/// Modules for every option.
fn site() -> Site {
    let soon = std::process::Command::new("date")
        .args(["-d", "+100 days", "+%Y-%m-%d"])
        .output()
        .unwrap();
    let soon = String::from_utf8(soon.stdout).unwrap();
    Site::new()
        .var("XMOD_POLICY", "modules")
        .var("MODULEPATH", "$SITE/mf/one")
        .var("VISUAL", "false")
        .var("LMOD_TERM_WIDTH", "")
        .var("P", "/a:/b")
        .file(
            "one/.modulerc",
            &format!(
                "#%Module\nmodule-tag sticky base/1\nmodule-tag secret lib/1.2\n\
                 module-forbid --after {} --nearly-message later old/1\n",
                soon.trim()
            ),
        )
        .file(
            "one/gcc/.modulerc",
            "#%Module\nmodule-version gcc/12 default\n",
        )
        .file(
            "one/gcc/12",
            "setenv CC gcc12\nmodule-whatis {The compiler}\n",
        )
        .file("one/gcc/13", "setenv CC gcc13\n")
        .file("one/lib/1.2", "")
        .file("one/app/1", "prereq gcc\n")
        .file("one/nest/1", "module load lib\n")
        .file("one/foe/1", "conflict gcc\n")
        .file("one/base/1", "")
        .file("one/old/1", "")
        .file("one/new/1", "#%Module99\n")
        .file("one/bad/1", "nosuchcommand\n")
        .file("one/ext/1", "extensions numpy/1.2\n")
        .file("one/dom/1", "setenv CC [uname domain]\n")
        .file("one/front/1", "prepend-path P /b\n")
        .file(
            "one/var/1",
            "variant toolchain gcc intel\nsetenv CC $ModuleVariant(toolchain)\n",
        )
        .file("one/open/1", "module use {$SITE/mf/two}\n")
        .file("two/deep/1", "")
        .file("one/ignored/1", "")
        .file("one/skip/.modulerc", "#%Module\n")
        .raw("rc", b"#%Module\nmodule-alias named lib/1.2\n")
        .raw("home/.modulerc", b"#%Module\nmodule-alias mine lib/1.2\n")
}

/// What a request came to, as one text.
fn said(run: &Run) -> String {
    let mut text = format!("ok={}\nloaded={}\n", run.ok(), run.loaded().join(":"));
    for name in ["CC", "P"] {
        writeln!(text, "{name}={}", run.var(name).unwrap_or_default()).unwrap();
    }
    text + &run.stderr() + &run.stdout()
}

/// The last of several requests, each in the session that the one before left.
fn asked(mut site: Site, requests: &str) -> String {
    let mut requests = requests.split(';').map(str::trim).peekable();
    loop {
        let request = requests.next().unwrap();
        let run = site.run(request);
        if requests.peek().is_none() {
            return said(&run);
        }
        site = site.after(&run);
    }
}

/// Option, value, requests, what is said only with it (`+`) or only without it (`-`).
#[rustfmt::skip]
const OPTIONS: &[(&str, &str, &str, &str)] = &[
    ("abort_on_error", "load", "load lib nosuch", "-loaded=lib/1.2"),
    ("advanced_version_spec", "0", "is-avail gcc@12", "-ok=true"),
    ("auto_handling", "0", "load app", "-loaded=gcc/12:app/1"),
    ("avail_indepth", "0", "avail -t", "+gcc/\n"),
    ("avail_output", "modulepath", "avail gcc", "-(default)"),
    ("avail_terse_output", "modulepath", "avail -t gcc", "-(default)"),
    ("collection_pin_version", "1", "load gcc; save work; saveshow work", "+module load gcc/12"),
    ("collection_target", "here", "load gcc; save work; saveshow work", "+work.here:"),
    ("color", "always", "load nosuch", "+\u{1b}["),
    ("conflict_unload", "1", "load gcc; load foe", "+loaded=foe/1\n"),
    ("contact", "help@hpc", "load bad", "+help@hpc"),
    ("domainname", "pwd", "load dom", "+CC=$SITE\n"),
    ("editor", "true", "edit gcc", "+ok=true"),
    ("extended_default", "0", "is-avail lib/1", "-ok=true"),
    ("hide_auto_loaded", "1", "load app; list", "-) gcc/12"),
    ("icase", "always", "is-avail GCC", "+ok=true"),
    ("ignore_user_rc", "1", "is-avail mine", "-ok=true"),
    ("implicit_default", "0", "is-avail lib", "-ok=true"),
    ("implicit_requirement", "0", "load nest; unload lib", "+loaded=nest/1"),
    ("info_extension", "1", "load ext; is-loaded numpy", "-ok=true"),
    ("list_output", "idx", "load gcc; list", "-Currently"),
    ("list_terse_output", "idx", "load gcc; list -t", "-Currently"),
    ("mcookie_version_check", "0", "load new", "+loaded=new/1"),
    ("nearly_forbidden_days", "365", "load old", "+later"),
    ("non_exportable_tags", "secret", "load lib; list", "-secret"),
    ("path_entry_reorder", "1", "load front", "+P=/b:/a\n"),
    ("protected_envvars", "CC", "load gcc", "-CC=gcc12"),
    ("rcfile", "$SITE/rc", "is-avail named", "+ok=true"),
    ("redirect_output", "1", "avail gcc", "+printf"),
    ("reset_target_state", "__purge__", "use /new; load gcc; reset", "-MODULEPATH="),
    ("search_match", "contains", "avail -t ib", "+lib/1.2"),
    ("spider_indepth", "0", "spider -t", "+gcc/\n"),
    ("spider_output", "modulepath:via", "spider gcc", "-(default)"),
    ("spider_terse_output", "modulepath", "spider -t gcc", "-(default)"),
    ("sticky_purge", "silent", "load base; purge", "+ok=true"),
    ("tag_abbrev", "", "load base; avail base", "+<loaded:sticky>"),
    ("term_width", "50", "avail gcc", "--------------------------"),
    ("unique_name_loaded", "1", "load gcc/12; load gcc/13", "-loaded=gcc/12:gcc/13"),
    ("unload_match_order", "returnfirst", "load gcc/12; load gcc/13; unload gcc", "+loaded=gcc/13\n"),
    ("variant_shortcut", "toolchain=%", "load var%intel", "+CC=intel"),
    ("verbosity", "verbose", "load gcc", "+Loading gcc/12"),
    ("verbosity", "trace", "load gcc", "+Evaluate modulefile: '$SITE/mf/one/gcc/12' as 'gcc/12'"),
    ("verbosity", "silent", "load nosuch", "-nosuch"),
    ("verbosity", "concise", "load app", "-requirement"),
];

#[test]
fn each_option_of_environment_modules_changes_what_it_is_for() {
    let mut wrong = String::new();
    for (option, value, requests, piece) in OPTIONS {
        let site = site();
        let value = value.replace("$SITE", site.root().to_str().unwrap());
        let before = asked(self::site(), requests);
        let set = site.run_words(&["config", option, &value]);
        assert!(set.ok(), "config {option} {value}: {}", set.stderr());
        let site = site.after(&set);
        let shown = said(&site.run(&format!("config {option}")));
        let is_shown = shown.contains("(env-var)");
        let after = asked(site, requests);
        let (with, without) = match piece.strip_prefix('+') {
            Some(piece) => (after.contains(piece), before.contains(piece)),
            None => (before.contains(&piece[1..]), after.contains(&piece[1..])),
        };
        if !with || without || !is_shown {
            writeln!(wrong, "== {option}={value}: {requests}: {piece}\n{shown}\n-- without:\n{before}\n-- with:\n{after}").unwrap();
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

/// The same for variables of Lmod, under its policy.
#[rustfmt::skip]
const VARIABLES: &[(&str, &str, &str, &str)] = &[
    ("LMOD_AUTO_SWAP", "no", "load fam/1; load fam2/1", "-loaded=fam2/1"),
    ("LMOD_AVAIL_EXTENSIONS", "no", "avail", "-numpy"),
    ("LMOD_CASE_INDEPENDENT_SORTING", "yes", "-t avail", "+base/1\nBcd/"),
    ("LMOD_COLORIZE", "force", "load nosuch", "+\u{1b}["),
    ("LMOD_DISABLE_NAME_AUTOSWAP", "yes", "load x/1; load x/2", "-loaded=x/2"),
    ("LMOD_DOWNSTREAM_CONFLICTS", "yes", "load foe; load x", "-loaded=foe/1:x/2"),
    ("LMOD_DUPLICATE_PATHS", "yes", "load front", "+P=/b:/a:/b\n"),
    ("LMOD_EXACT_MATCH", "yes", "load x", "-loaded=x/2"),
    ("LMOD_EXPERT", "yes", "load xx/1", "-= help"),
    ("LMOD_EXTENDED_DEFAULT", "no", "load lib/1", "-loaded=lib/1.2"),
    ("LMOD_FILE_IGNORE_PATTERNS", "{\"^x$\"}", "is-avail x", "-ok=true"),
    ("LMOD_MPATH_AVAIL", "yes", "-t avail one", "+lib/1.2"),
    ("LMOD_NEARLY_FORBIDDEN_DAYS", "365", "load old", "+later"),
    ("LMOD_PIN_VERSIONS", "yes", "load x; save work; describe work", "+1) x/2"),
    ("LMOD_PREPEND_BLOCK", "reversed", "load two", "+P=/2:/1:/a:/b"),
    ("LMOD_QUARANTINE_VARS", "CC", "load cc", "-CC=cc"),
    ("LMOD_QUIET", "yes", "load nosuch", "-= help"),
    ("LMOD_REDIRECT", "yes", "list", "+printf"),
    ("LMOD_SHOW_HIDDEN", "yes", "-t avail", "+hid/.1"),
    ("LMOD_DOT_HIDDEN_LOAD_ALIAS", "yes", "load hid/1", "+loaded=hid/"),
    ("LMOD_TERM_WIDTH", "40", "avail lib", "--------------------------"),
    ("LMOD_TERSE_DECORATIONS", "no", "-t -A avail hid", "-<H>"),
    ("LMOD_TMOD_PATH_RULE", "yes", "load front", "+P=/a:/b\n"),
    ("LMOD_ALLOW_TCL_MFILES", "no", "is-avail lib", "-ok=true"),
];

#[test]
fn each_variable_of_lmod_changes_what_it_is_for() {
    let make = || {
        site()
            .var("XMOD_POLICY", "lmod")
            .file("one/.modulerc.lua", "forbid{name='old/1', after=os.date('%Y-%m-%d', os.time()+100*86400), nearly_message='later'}")
            .file("one/fam/1", "family f\n")
            .file("one/fam2/1", "family f\n")
            .file("one/abc/1", "")
            .file("one/Bcd/1", "")
            .file("one/x/1", "")
            .file("one/x/2", "")
            .file("one/foe/1", "conflict x\n")
            .file("one/cc/1", "setenv CC cc\n")
            .file("one/hid/.1", "#%Module\n")
            .file("one/two/1.lua", "prepend_path('P', '/1:/2')\n")
            .file("one/ext/1", "extensions numpy/1.2\n")
    };
    let mut wrong = String::new();
    for (variable, value, requests, piece) in VARIABLES {
        let before = asked(make(), requests);
        let after = asked(make().var(variable, value), requests);
        let (with, without) = match piece.strip_prefix('+') {
            Some(piece) => (after.contains(piece), before.contains(piece)),
            None => (before.contains(&piece[1..]), after.contains(&piece[1..])),
        };
        if !with || without {
            writeln!(wrong, "== {variable}={value}: {requests}: {piece}\n-- without:\n{before}\n-- with:\n{after}").unwrap();
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn all_options_of_environment_modules_are_listed() {
    let site = site().var("MODULES_RUNENV_LANG", "C");
    let listed = site.run("config").stderr();
    let names = "abort_on_error advanced_version_spec auto_handling avail_indepth avail_output avail_terse_output \
        cache_buffer_bytes cache_expiry_secs collection_pin_tag collection_pin_version collection_target color colors \
        conflict_unload contact csh_limit domainname editor extended_default extra_siteconfig hide_auto_loaded home icase \
        ignore_cache ignore_user_rc ignored_dirs implicit_default implicit_requirement info_extension init_envvars \
        linked_envvars list_output list_terse_output locked_configs logged_events logger mcookie_check \
        mcookie_version_check ml modulepath_ignore nearly_forbidden_days non_exportable_tags pager paginate \
        path_entry_reorder protected_envvars quarantine_support rcfile redirect_output require_via reset_target_state \
        run_quarantine runenv_lang search_match set_shell_startup shells_with_ksh_fpath silent_shell_debug siteconfig \
        source_cache spider_indepth spider_output spider_terse_output sticky_purge tag_abbrev tag_color_name tcl_ext_lib \
        tcl_linter term_background term_width unique_name_loaded unload_match_order variant_shortcut verbosity wa_277";
    for name in names.split_whitespace() {
        let shown = listed
            .lines()
            .any(|line| line.split(' ').next() == Some(name));
        assert!(shown, "{name}");
    }
    for name in
        "cmdline hiding_threshold is_win lsb_id report_format shelltype tcl_version".split(' ')
    {
        assert!(site.run(&format!("state {name}")).ok(), "{name}");
    }
}

#[test]
fn what_an_option_cannot_hold_is_refused() {
    for (request, reason) in [
        ("config verbosity loud", "valid values are: silent"),
        ("config auto_handling maybe", "valid values are: 1 0"),
        ("config term_width wide", "is not a value"),
        ("config list_output header:nosuch", "allowed elements are"),
        ("config csh_limit 1", "cannot be altered"),
        ("config verbosty normal", "did you mean `verbosity`"),
        ("avail -o nosuch", "is not an element"),
        ("avail -l -o sym", "long layout"),
    ] {
        let run = site().run(request);
        assert!(
            !run.ok() && run.stderr().contains(reason),
            "{request}: {}",
            run.stderr()
        );
    }
    let locked = site()
        .raw(
            "xmod.toml",
            b"policy = 'modules'\nignore_case = 'never'\nlocked = ['ignore_case']\n",
        )
        .var("XMOD_CONFIG", "$SITE/xmod.toml");
    assert!(
        locked
            .run("config icase")
            .stderr()
            .contains("never (locked)")
    );
    let run = locked.run("config icase always");
    assert!(
        !run.ok() && run.stderr().contains("is locked"),
        "{}",
        run.stderr()
    );
    // What has a meaning for Environment Modules alone is kept for it.
    let run = site().run("config cache_expiry_secs 60");
    assert_eq!(run.var("MODULES_CACHE_EXPIRY_SECS").as_deref(), Some("60"));
    let run = site().run("config list_output +alias");
    assert_eq!(
        run.var("MODULES_LIST_OUTPUT").as_deref(),
        Some("header:idx:variant:sym:tag:key:alias")
    );
}

#[test]
fn single_letters_are_those_of_the_policy() {
    let verbose = site().run("-v load gcc");
    assert!(
        verbose.stderr().contains("Loading gcc/12"),
        "{}",
        verbose.stderr()
    );
    assert_eq!(site().run("-s load nosuch").stderr(), "");
    let version = site().run("-V");
    assert!(version.ok() && version.stderr().contains(env!("CARGO_PKG_VERSION")));
    let lmod = site().var("XMOD_POLICY", "lmod").run("-v load gcc");
    assert_eq!(lmod.loaded(), [""; 0], "{}", lmod.stderr());
}
