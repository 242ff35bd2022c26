//! What a request does to a session, on a site in memory.

use super::RestoreVersions;
use proptest::prelude::*;

use super::fake::{Shell, Site};
use super::report::Notice;

fn hierarchy() -> Site {
    Site::default()
        .file(
            "/Core/gcc/11",
            "setenv CC gcc11; prepend PATH /gcc11/bin; family compiler; prepend MODULEPATH /gcc11",
        )
        .file(
            "/Core/gcc/12",
            "setenv CC gcc12; prepend PATH /gcc12/bin; family compiler; prepend MODULEPATH /gcc12",
        )
        .file(
            "/Core/intel/19",
            "setenv CC icc; prepend PATH /intel/bin; family compiler; prepend MODULEPATH /intel",
        )
        .file(
            "/gcc11/mpich/3",
            "prepend PATH /gcc11/mpich/bin; family mpi; prepend MODULEPATH /gcc11-mpich",
        )
        .file(
            "/gcc12/mpich/3",
            "prepend PATH /gcc12/mpich/bin; family mpi; prepend MODULEPATH /gcc12-mpich",
        )
        .file(
            "/intel/mpich/4",
            "prepend PATH /intel/mpich/bin; family mpi; prepend MODULEPATH /intel-mpich",
        )
        .file("/gcc11-mpich/petsc/1", "prepend PATH /gcc11/petsc/bin")
        .file("/gcc12-mpich/petsc/1", "prepend PATH /gcc12/petsc/bin")
        .file("/Core/tool/1", "prepend PATH /tool/bin")
}

#[test]
fn a_module_sets_what_its_file_says_and_takes_it_back() {
    let site = Site::default().file(
        "/Core/foo/1",
        "setenv FOO x; prepend PATH /foo/bin; append PATH /foo/sbin; prepend MANPATH /foo/man; alias ll ls",
    );
    let mut shell = Shell::new(site);
    let before = shell.env();
    shell.ok("load foo");
    assert_eq!(shell.var("FOO").as_deref(), Some("x"));
    assert_eq!(
        shell.var("PATH").as_deref(),
        Some("/foo/bin:/usr/bin:/bin:/foo/sbin")
    );
    assert_eq!(shell.loaded(), "foo/1");
    assert_eq!(shell.var("_LMFILES_").as_deref(), Some("/Core/foo/1"));
    shell.ok("unload foo");
    assert_eq!(shell.env(), before);
}

#[test]
fn nothing_changes_when_one_of_several_modules_fails() {
    let site = Site::default()
        .file("/Core/a/1", "setenv A 1")
        .file("/Core/bad/1", "setenv B 1; fail oops");
    let mut shell = Shell::new(site);
    let before = shell.env();
    assert_eq!(shell.run("load a bad"), Err("oops".to_owned()));
    assert_eq!(shell.run("load a nope"), Err("no module `nope`".to_owned()));
    assert_eq!(shell.run("load a/9 a"), Err("no module `a/9`".to_owned()));
    assert_eq!(shell.env(), before);
}

#[test]
fn each_module_stands_for_itself_where_errors_do_not_abort() {
    let site = Site::default()
        .file("/Core/a/1", "setenv A 1")
        .file("/Core/bad/1", "setenv B 1; load a; fail oops")
        .file("/Core/c/1", "setenv C 1");
    let mut shell = Shell::new(site);
    shell.config.abort_on_error = String::new();
    assert_eq!(shell.run("load bad c nope"), Err("oops".to_owned()));
    assert_eq!(shell.loaded(), "c/1");
    assert_eq!((shell.var("A"), shell.var("B")), (None, None));
}

#[test]
fn another_version_replaces_the_first_and_moves_to_the_end() {
    let site = Site::default()
        .file("/Core/foo/1", "prepend PATH /foo1")
        .file("/Core/foo/2", "prepend PATH /foo2")
        .file("/Core/bar/1", "prepend PATH /bar");
    let mut shell = Shell::new(site);
    shell.ok("load foo/1").ok("load bar").ok("load foo/2");
    assert_eq!(shell.loaded(), "bar/1:foo/2");
    assert_eq!(
        shell.var("PATH").as_deref(),
        Some("/foo2:/bar:/usr/bin:/bin")
    );
    assert_eq!(
        shell.report.changed,
        [("foo/1".to_owned(), "foo/2".to_owned())]
    );
    shell.config.auto_swap_name = false;
    assert_eq!(
        shell.run("load foo/1"),
        Err("`foo/2` is loaded already".to_owned())
    );
}

#[test]
fn a_new_member_of_a_family_replaces_the_old_one_with_all_its_settings() {
    let mut shell = Shell::new(hierarchy());
    shell.ok("load gcc/11").ok("load intel");
    assert_eq!(shell.loaded(), "intel/19");
    assert_eq!(shell.var("CC").as_deref(), Some("icc"));
    assert_eq!(
        shell.var("PATH").as_deref(),
        Some("/intel/bin:/usr/bin:/bin")
    );
    assert_eq!(shell.var("MODULEPATH").as_deref(), Some("/intel:/Core"));
    assert_eq!(shell.var("LMOD_FAMILY_COMPILER").as_deref(), Some("intel"));
    assert_eq!(
        shell.var("LMOD_FAMILY_COMPILER_VERSION").as_deref(),
        Some("19")
    );
    assert!(shell.report.notices.contains(&Notice::Replaced {
        old: "gcc/11".to_owned(),
        new: "intel/19".to_owned()
    }));
    shell.ok("unload intel");
    assert_eq!(shell.var("LMOD_FAMILY_COMPILER"), None);
}

#[test]
fn a_change_of_the_compiler_reloads_what_lies_below_it() {
    let mut shell = Shell::new(hierarchy());
    let before = shell.env();
    shell.ok("load gcc/11 mpich petsc tool");
    assert_eq!(shell.loaded(), "gcc/11:mpich/3:petsc/1:tool/1");
    shell.ok("swap gcc gcc/12");
    assert_eq!(shell.loaded(), "tool/1:gcc/12:mpich/3:petsc/1");
    assert_eq!(shell.report.reloaded, ["mpich/3", "petsc/1"]);
    assert_eq!(
        shell.var("_LMFILES_").as_deref(),
        Some("/Core/tool/1:/Core/gcc/12:/gcc12/mpich/3:/gcc12-mpich/petsc/1")
    );
    assert_eq!(
        shell.var("PATH").as_deref(),
        Some("/gcc12/petsc/bin:/gcc12/mpich/bin:/gcc12/bin:/tool/bin:/usr/bin:/bin")
    );
    shell.ok("load intel");
    assert_eq!(shell.loaded(), "tool/1:intel/19:mpich/4");
    assert_eq!(shell.report.inactive, ["petsc"]);
    assert_eq!(
        shell.report.changed,
        [("mpich/3".to_owned(), "mpich/4".to_owned())]
    );
    shell.ok("unload intel");
    assert_eq!(shell.loaded(), "tool/1");
    assert_eq!(shell.report.inactive, ["mpich"]);
    shell.ok("load gcc/11");
    assert_eq!(shell.loaded(), "tool/1:gcc/11:mpich/3:petsc/1");
    assert_eq!(shell.report.activated, ["mpich/3", "petsc/1"]);
    shell.ok("purge");
    assert_eq!(shell.env(), before);
}

#[test]
fn a_name_that_an_activated_hierarchy_brings_is_found_on_the_second_try() {
    let mut shell = Shell::new(hierarchy());
    shell.ok("load gcc/11 mpich").ok("unload gcc");
    shell.ok("load gcc/11 petsc");
    assert_eq!(shell.loaded(), "gcc/11:mpich/3:petsc/1");
    let mut fresh = Shell::new(hierarchy());
    assert_eq!(
        fresh.run("load mpich gcc"),
        Err("no module `mpich`".to_owned())
    );
}

#[test]
fn a_dependency_goes_with_the_last_module_that_needs_it() {
    let site = Site::default()
        .file("/Core/lib/1", "prepend PATH /lib")
        .file("/Core/lib/2", "prepend PATH /lib2")
        .file("/Core/a/1", "depends_on lib/1")
        .file("/Core/b/1", "depends_on lib")
        .file("/Core/any/1", "depends_on_any nope lib/2 lib/1");
    let mut shell = Shell::new(site);
    shell.ok("load a b");
    assert_eq!(shell.loaded(), "lib/1:a/1:b/1");
    shell.ok("unload a");
    assert_eq!(shell.loaded(), "lib/1:b/1");
    shell.ok("unload b");
    assert_eq!(shell.loaded(), "");
    // What the user asked for by name stays.
    shell.ok("load lib/1 a").ok("unload a");
    assert_eq!(shell.loaded(), "lib/1");
    shell.ok("load a").ok("load lib/1").ok("unload a");
    assert_eq!(shell.loaded(), "lib/1");
    // Another version is swapped in.
    shell.ok("purge").ok("load lib/2").ok("load a");
    assert_eq!(shell.loaded(), "lib/1:a/1");
    shell.ok("purge").ok("load any");
    assert_eq!(shell.loaded(), "lib/2:any/1");
    shell.ok("unload any");
    assert_eq!(shell.loaded(), "");
}

#[test]
fn a_missing_dependency_is_told_when_something_is_unloaded() {
    let site = Site::default()
        .file("/Core/lib/1", "")
        .file("/Core/a/1", "depends_on lib");
    let mut shell = Shell::new(site);
    shell.ok("load a").ok("unload lib");
    assert_eq!(shell.loaded(), "a/1");
    assert!(shell.report.notices.contains(&Notice::MissingDependents {
        missing: vec![("lib".to_owned(), "a/1".to_owned())]
    }));
}

#[test]
fn loads_in_a_file_are_taken_back_with_it() {
    let site = Site::default()
        .file(
            "/Core/bundle/1",
            "load a b; try_load nope; load_any nope b; always_load c",
        )
        .file("/Core/a/1", "setenv A 1")
        .file("/Core/b/1", "setenv B 1")
        .file("/Core/c/1", "setenv C 1");
    let mut shell = Shell::new(site);
    shell.ok("load bundle");
    assert_eq!(shell.loaded(), "a/1:b/1:c/1:bundle/1");
    shell.ok("unload bundle");
    assert_eq!(shell.loaded(), "c/1");
}

#[test]
fn conflicts_and_requirements_are_checked_when_a_module_is_loaded() {
    let site = Site::default()
        .file("/Core/a/1", "conflict b")
        .file("/Core/b/1", "")
        .file("/Core/b/2", "conflict b")
        .file("/Core/p/1", "prereq a b")
        .file("/Core/q/1", "prereq_any x b");
    let mut shell = Shell::new(site);
    assert_eq!(
        shell.run("load p"),
        Err("`p/1` needs `a`, `b` to be loaded first".to_owned())
    );
    assert_eq!(
        shell.run("load q"),
        Err("`q/1` needs one of these to be loaded first: `x`, `b`".to_owned())
    );
    shell.ok("load b/1 q");
    assert_eq!(
        shell.run("load a"),
        Err("`a/1` conflicts with `b/1`, which is loaded".to_owned())
    );
    shell.ok("load b/2").ok("purge");
    shell.ok("load a").ok("load b/1 p");
    assert_eq!(shell.loaded(), "a/1:b/1:p/1");
    shell.config.lasting_conflicts = true;
    shell.ok("purge").ok("load a");
    assert_eq!(
        shell.run("load b"),
        Err("`b/2` conflicts with `a/1`, which is loaded".to_owned())
    );
}

#[test]
fn modules_that_load_each_other_in_a_circle_are_an_error() {
    let site = Site::default()
        .file("/Core/a/1", "load b")
        .file("/Core/b/1", "load a")
        .file("/Core/c/1", "depends_on d")
        .file("/Core/d/1", "depends_on c");
    let mut shell = Shell::new(site);
    assert_eq!(
        shell.run("load a"),
        Err("modules load each other in a circle: a/1 -> b/1 -> a/1".to_owned())
    );
    shell.ok("load c");
    assert_eq!(shell.loaded(), "d/1:c/1");
    shell.ok("unload c");
    assert_eq!(shell.loaded(), "");
}

#[test]
fn a_file_that_gives_up_leaves_nothing_behind() {
    let site = Site::default()
        .file("/Core/a/1", "setenv A 1; prepend PATH /a; load b; break")
        .file("/Core/b/1", "setenv B 1; prepend PATH /b");
    let mut shell = Shell::new(site);
    let before = shell.env();
    shell.ok("try-load a");
    assert_eq!(shell.env(), before);
}

#[test]
fn sticky_modules_come_back_unless_forced() {
    let site = Site::default()
        .file("/Core/s/1", "sticky; prepend PATH /s")
        .file("/Core/s/2", "sticky; prepend PATH /s2")
        .file("/Core/a/1", "");
    let mut shell = Shell::new(site);
    shell.ok("load s/1 a").ok("purge");
    assert_eq!(shell.loaded(), "s/1");
    shell.ok("unload s");
    assert_eq!(shell.loaded(), "s/1");
    shell.ok("swap s s/2");
    assert_eq!(shell.loaded(), "s/2");
    shell.ok("--force unload s");
    assert_eq!(shell.loaded(), "");
    shell.ok("load s a").ok("--force purge");
    assert_eq!(shell.loaded(), "");
}

#[test]
fn an_edited_or_deleted_file_still_unloads_exactly() {
    let text = "setenv FOO x; pushenv EDITOR vi; prepend PATH /foo/bin; prepend PATH /usr/bin; load b; alias x y";
    let site = Site::default()
        .file("/Core/foo/1", text)
        .file("/Core/b/1", "setenv B 1; fail_on_unload");
    for edited in [Some("setenv OTHER 1"), None] {
        let mut shell = Shell::new(site.clone());
        shell.set("EDITOR", "emacs");
        let before = shell.env();
        shell.ok("load foo");
        assert_eq!(shell.var("EDITOR").as_deref(), Some("vi"));
        match edited {
            Some(text) => shell.site = shell.site.clone().file("/Core/foo/1", text),
            None => drop(shell.site.files.remove("/Core/foo/1")),
        }
        shell.ok("unload foo");
        assert_eq!(shell.env(), before);
    }
}

#[test]
fn pushed_values_come_back_in_any_order_of_unloading() {
    let site = Site::default()
        .file("/Core/a/1", "pushenv E a")
        .file("/Core/b/1", "pushenv E b; pushenv E bb")
        .file("/Core/c/1", "pushenv E c");
    for order in [
        ["a", "b", "c"],
        ["c", "b", "a"],
        ["b", "a", "c"],
        ["b", "c", "a"],
    ] {
        let mut shell = Shell::new(site.clone());
        shell.set("E", "user");
        shell.ok("load a b c");
        for name in order {
            shell.ok(&format!("unload {name}"));
        }
        assert_eq!(shell.var("E").as_deref(), Some("user"), "{order:?}");
    }
    let mut shell = Shell::new(site);
    shell.ok("load a b c").ok("unload b");
    assert_eq!(shell.var("E").as_deref(), Some("c"));
    shell.ok("unload c");
    assert_eq!(shell.var("E").as_deref(), Some("a"));
}

#[test]
fn what_holds_only_in_one_mode_is_not_taken_back() {
    let site = Site::default().file("/Core/a/1", "setenv_in load ON 1; setenv_in unload OFF 1");
    let mut shell = Shell::new(site);
    shell.ok("load a").ok("unload a");
    assert_eq!(shell.var("ON").as_deref(), Some("1"));
    assert_eq!(shell.var("OFF").as_deref(), Some("1"));
}

#[test]
fn entries_of_the_user_stay_and_shared_ones_go_with_the_last_owner() {
    let site = Site::default()
        .file("/Core/a/1", "prepend PATH /bin; prepend PATH /shared")
        .file("/Core/b/1", "prepend PATH /shared; append PATH /shared");
    let mut shell = Shell::new(site);
    shell.ok("load a").ok("load b").ok("unload a");
    assert_eq!(shell.var("PATH").as_deref(), Some("/bin:/usr/bin:/shared"));
    shell.ok("unload b");
    assert_eq!(shell.var("PATH").as_deref(), Some("/bin:/usr/bin"));
}

#[test]
fn a_path_edited_behind_our_back_keeps_its_owners() {
    let site = Site::default()
        .file("/Core/a/1", "prepend PATH /a1:/a2")
        .file("/Core/b/1", "prepend PATH /b");
    let mut shell = Shell::new(site);
    shell.ok("load a b");
    shell.set("PATH", "/mine:/b:/a2:/usr/bin:/bin:/last");
    shell.site.files.clear();
    shell.ok("unload a");
    assert_eq!(
        shell.var("PATH").as_deref(),
        Some("/mine:/b:/usr/bin:/bin:/last")
    );
    shell.ok("unload b");
    assert_eq!(
        shell.var("PATH").as_deref(),
        Some("/mine:/usr/bin:/bin:/last")
    );
}

#[test]
fn use_and_unuse_move_modules() {
    let site = Site::default()
        .file("/Core/foo/1", "")
        .file("/new/foo/2", "")
        .file("/new/bar/1", "");
    let mut shell = Shell::new(site);
    shell.ok("load foo").ok("use /new");
    assert_eq!(shell.loaded(), "foo/2");
    shell.ok("load bar").ok("unuse /new");
    assert_eq!(shell.loaded(), "foo/1");
    assert_eq!(shell.report.inactive, ["bar"]);
    shell.ok("use-back /new");
    assert_eq!(shell.loaded(), "foo/1:bar/1");
    assert_eq!(shell.var("MODULEPATH").as_deref(), Some("/Core:/new"));
    shell.ok("reset foo/1");
    assert_eq!(shell.loaded(), "foo/1");
    assert_eq!(shell.var("MODULEPATH").as_deref(), Some("/Core"));
}

#[test]
fn an_update_leaves_dependencies_what_they_are() {
    let site = Site::default()
        .file("/Core/lib/1", "prepend PATH /lib")
        .file("/Core/a/1", "depends_on lib");
    let mut shell = Shell::new(site);
    shell.ok("load a").ok("update").ok("update");
    assert_eq!(shell.loaded(), "lib/1:a/1");
    shell.ok("unload a");
    assert_eq!(shell.loaded(), "");
}

#[test]
fn update_reads_edited_files_again() {
    let mut shell = Shell::new(Site::default().file("/Core/a/1", "setenv A 1"));
    shell.ok("load a");
    shell.site = shell.site.clone().file("/Core/a/1", "setenv B 2");
    shell.ok("update");
    assert_eq!(
        (shell.var("A"), shell.var("B").as_deref()),
        (None, Some("2"))
    );
}

#[test]
fn a_file_inherits_from_the_next_modulepath() {
    let site = Site::default()
        .file("/Core/a/1", "setenv BASE 1; prepend PATH /base")
        .file("/mine/a/1", "inherit; setenv OWN 1");
    let mut shell = Shell::new(site);
    shell.ok("use /mine");
    let before = shell.env();
    shell.ok("load a");
    assert_eq!(
        (shell.var("BASE").as_deref(), shell.var("OWN").as_deref()),
        (Some("1"), Some("1"))
    );
    shell.ok("unload a");
    assert_eq!(shell.env(), before);
}

#[test]
fn the_state_of_sixty_modules_fits_into_four_kilobytes() {
    let paths = [
        "PATH",
        "LD_LIBRARY_PATH",
        "LIBRARY_PATH",
        "CPATH",
        "MANPATH",
        "PKG_CONFIG_PATH",
        "CMAKE_PREFIX_PATH",
    ];
    let mut site = Site::default();
    let mut all = String::new();
    for i in 0..60 {
        let mut text =
            format!("setenv EBROOTLIBRARY{i} /apps/lib{i}; setenv EBVERSIONLIBRARY{i} 1.{i}");
        for path in paths {
            text.push_str(&format!(
                "; prepend {path} /apps/software/lib{i}/1.{i}-GCC-13.2.0/{path}"
            ));
        }
        if i > 0 {
            text.push_str(&format!("; depends_on lib{}/1.{}-GCC-13.2.0", i - 1, i - 1));
        }
        site = site.file(&format!("/Core/lib{i}/1.{i}-GCC-13.2.0"), &text);
        all.push_str(&format!("; depends_on lib{i}/1.{i}-GCC-13.2.0"));
    }
    let site = site.file("/Core/app/1", &all[2..]);
    let mut shell = Shell::new(site);
    let before = shell.env();
    shell.ok("load app");
    assert_eq!(shell.loaded().split(':').count(), 61);
    let own: usize = shell
        .session
        .env
        .iter()
        .filter(|(name, _)| name.starts_with(b"__"))
        .map(|(name, value)| name.len() + value.len() + 2)
        .sum();
    assert!(own <= 4096, "{own} bytes");
    shell.site.files.clear();
    shell.ok("purge");
    assert_eq!(shell.env(), before);
}

#[test]
fn a_module_may_load_another_version_of_itself() {
    let site = Site::default()
        .file("/Core/foo/2", "setenv V 2; prepend PATH /foo2")
        .file(
            "/Core/foo/latest",
            "load foo/2; setenv LATEST 1; prepend PATH /latest; pushenv E x",
        );
    let mut shell = Shell::new(site);
    let before = shell.env();
    shell.ok("load foo/latest");
    assert_eq!(shell.loaded(), "foo/2");
    assert_eq!(
        shell.var("PATH").as_deref(),
        Some("/latest:/foo2:/usr/bin:/bin")
    );
    shell.ok("unload foo");
    assert_eq!(shell.env(), before);
}

#[test]
fn a_collection_brings_back_modules_and_modulepath() {
    let mut shell = Shell::new(hierarchy().file("/new/dep/1", "depends_on tool"));
    let start = shell.env();
    shell.ok("use-back /new").ok("load gcc/11 mpich petsc dep");
    let (saved, env) = (shell.collection(), shell.env());
    shell.ok("purge").ok("unuse /new").ok("load intel");
    shell
        .request(|t| t.restore(&saved, RestoreVersions::AsRequested))
        .unwrap();
    assert_eq!(shell.loaded(), "gcc/11:mpich/3:petsc/1:tool/1:dep/1");
    assert_eq!(shell.var("MODULEPATH"), env.get("MODULEPATH").cloned());
    // What came as a dependency still is one, and the directories of modules still are theirs.
    shell.ok("unload dep");
    assert_eq!(shell.loaded(), "gcc/11:mpich/3:petsc/1");
    shell.ok("purge").ok("unuse /new");
    assert_eq!(shell.env(), start);
}

#[test]
fn a_collection_tells_what_is_gone_and_what_is_there_instead() {
    let site = Site::default()
        .file("/Core/a/1", "")
        .file("/Core/b/1", "")
        .file("/Core/c/1", "");
    let mut shell = Shell::new(site);
    shell.ok("load a/1 b/1 c");
    let saved = shell.collection();
    shell.ok("purge");
    shell.site.files.remove("/Core/a/1");
    shell.site.files.remove("/Core/b/1");
    shell.site = shell
        .site
        .clone()
        .file("/Core/a/2", "")
        .file("/Core/c/2", "");
    shell
        .request(|t| t.restore(&saved, RestoreVersions::AsRequested))
        .unwrap();
    assert_eq!(shell.loaded(), "c/2");
    assert!(shell.report.notices.contains(&Notice::Gone {
        modules: vec![
            ("a/1".to_owned(), Some("a/2".to_owned())),
            ("b/1".to_owned(), None)
        ]
    }));
    shell
        .request(|t| t.restore(&saved, RestoreVersions::Pinned))
        .unwrap();
    assert_eq!(shell.loaded(), "c/1");
    shell
        .request(|t| t.restore(&saved, RestoreVersions::Latest))
        .unwrap();
    assert_eq!(shell.loaded(), "a/2:c/2");
    let mut shell = Shell::new(shell.site);
    shell.set("MODULEPATH", "/elsewhere");
    let refused = shell.request(|t| t.restore(&saved, RestoreVersions::AsRequested));
    assert_eq!(
        refused.unwrap_err().message,
        "the system's MODULEPATH has changed since the collection was saved"
    );
}

#[test]
fn requests_are_undone_one_by_one() {
    let mut shell = Shell::new(hierarchy().file("/new/foo/1", "depends_on tool"));
    let start = shell.env();
    shell.ok("load gcc/11 mpich");
    let first = shell.env();
    shell.ok("load intel");
    shell.ok("undo");
    assert_eq!(shell.env(), first);
    shell.ok("use /new").ok("load foo").ok("purge").ok("undo");
    assert_eq!(shell.loaded(), "gcc/11:mpich/3:tool/1:foo/1");
    shell.ok("undo 2");
    assert_eq!(shell.env(), first);
    assert_eq!(
        shell.run("undo 9"),
        Err("only 1 requests can be undone".to_owned())
    );
    shell.ok("undo");
    assert_eq!(shell.env(), start);
    assert_eq!(
        shell.run("undo"),
        Err("there is nothing to undo".to_owned())
    );
}

#[test]
fn the_module_behind_a_value_is_known_with_its_line() {
    let site = Site::default()
        .file(
            "/Core/a/1",
            "setenv CC gcc; prepend PATH /a/bin; pushenv E 1",
        )
        .file("/Core/b/1", "prepend PATH /b/bin:/a/bin; setenv CC icc");
    let mut shell = Shell::new(site);
    shell.set("CC", "cc");
    shell.ok("load a b");
    assert_eq!(
        shell.why("PATH"),
        "PATH=/b/bin <- b/1 /Core/b/1:1\n\
         PATH=/a/bin <- a/1 /Core/a/1:2 <- b/1 /Core/b/1:1\n\
         PATH=/usr/bin\n\
         PATH=/bin"
    );
    assert_eq!(
        shell.why("a/b"),
        "PATH=/a/bin <- a/1 /Core/a/1:2 <- b/1 /Core/b/1:1"
    );
    assert_eq!(
        shell.why("CC"),
        "CC=icc <- a/1 /Core/a/1:1 (was cc) <- b/1 /Core/b/1:2 (was gcc)"
    );
    assert_eq!(shell.why("E"), "E=1 <- a/1 /Core/a/1:3");
    assert_eq!(shell.why("MODULEPATH"), "MODULEPATH=/Core");
    assert_eq!(shell.why("nothing"), "");
    // An edited file no longer tells the line.
    shell.site = shell.site.clone().file("/Core/a/1", "setenv CC other");
    assert_eq!(shell.why("E"), "E=1 <- a/1");
}

#[test]
fn a_session_without_state_is_taken_over_and_made_whole() {
    let site = hierarchy()
        .file(
            "/Core/app/1",
            "depends_on tool; setenv APP 1; prepend PATH /app/bin; load lib",
        )
        .file("/Core/lib/1", "prepend PATH /lib/bin; append PATH /app/bin");
    let mut shell = Shell::new(site);
    let start = shell.env();
    shell.ok("load gcc/11 mpich app");
    let whole = shell.env();
    // As if another module system had loaded them all; it keeps counts, we see what is readable.
    shell
        .session
        .env
        .retain(|name, _| !name.starts_with(b"__XMOD"));
    shell.set("__LMOD_REF_COUNT_PATH", "/app/bin:2;/usr/bin:1");
    shell.set("_ModuleTable_Sz_", "0");
    shell.ok("load gcc/11");
    assert!(shell.report.loss.is_some());
    assert_eq!(shell.var("__LMOD_REF_COUNT_PATH"), None);
    shell.ok("unload app");
    // Nobody can tell any more that `tool` came as a dependency, so it stays.
    assert_eq!(shell.loaded(), "tool/1:gcc/11:mpich/3");
    shell.ok("purge");
    assert_eq!(shell.env(), start);
    assert_ne!(whole, start);
}

/// A site with everything that makes loads depend on each other.
fn wild() -> Site {
    hierarchy()
        .file("/Core/zlib/1", "prepend LD /zlib1; setenv ZLIB 1")
        .file("/Core/zlib/2", "prepend LD /zlib2; setenv ZLIB 2")
        .file("/Core/lib/1", "depends_on zlib; prepend PATH /lib:/shared")
        .file(
            "/Core/lib/2",
            "depends_on zlib/1; append PATH /shared; pushenv E lib",
        )
        .file(
            "/Core/any/1",
            "depends_on_any nope zlib/2 lib; pushenv E any; pushenv F any",
        )
        .file(
            "/Core/bundle/1",
            "load lib tool; try_load mpich nope; priority PATH /bundle",
        )
        .file(
            "/Core/other/1",
            "conflict bundle; append MANPATH /other; remove PATH /shared",
        )
        .file(
            "/Core/gives_up/1",
            "load zlib/1; setenv G 1; prepend PATH /g; break",
        )
        .file("/Core/fails/1", "load lib; prepend PATH /fails; fail no")
        .file("/Core/stays/1", "sticky; prepend PATH /stays")
        .file(
            "/Core/alone/latest",
            "load alone/2; prepend PATH /latest; pushenv E latest",
        )
        .file("/Core/alone/2", "prepend PATH /alone2; pushenv E alone")
        .file("/extra/zlib/3", "prepend LD /zlib3; pushenv ZLIB 3")
        .file("/extra/lib/1", "inherit; prepend PATH /extra-lib")
}

const WORDS: &[&str] = &[
    "gcc", "gcc/11", "gcc/12", "intel", "mpich", "petsc", "tool", "zlib", "zlib/1", "lib", "lib/1",
    "any", "bundle", "other", "gives_up", "fails", "stays", "alone", "alone/2", "nope",
];

fn any_request() -> impl Strategy<Value = String> {
    let word = || proptest::sample::select(WORDS);
    let words = || proptest::collection::vec(word(), 1..4).prop_map(|words| words.join(" "));
    prop_oneof![
        6 => words().prop_map(|words| format!("load {words}")),
        3 => words().prop_map(|words| format!("unload {words}")),
        1 => (word(), word()).prop_map(|(old, new)| format!("swap {old} {new}")),
        1 => Just("purge".to_owned()),
        1 => Just("update".to_owned()),
        1 => Just("use /extra".to_owned()),
        1 => Just("unuse /extra".to_owned()),
        1 => Just("undo".to_owned()),
        1 => Just("save and restore".to_owned()),
        1 => Just("delete zlib".to_owned()),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// Whatever was done: a request that fails changes nothing, every loaded module is there once, and purging brings
    /// back the start to the byte, files deleted or not.
    #[test]
    fn a_walk_ends_where_it_began(steps in proptest::collection::vec(any_request(), 1..15)) {
        let mut shell = Shell::new(wild());
        shell.set("E", "user");
        shell.set("MANPATH", ":");
        // The first request writes paths in their tidy form.
        shell.ok("load tool").ok("purge");
        let start = shell.env();
        for step in &steps {
            let before = shell.env();
            let result = match step.as_str() {
                "save and restore" => {
                    let saved = shell.collection();
                    let result = shell.request(|t| t.restore(&saved, RestoreVersions::Pinned));
                    result.map_err(|d| d.message)
                }
                "delete zlib" => {
                    shell.site.files.remove("/Core/zlib/1");
                    Ok(())
                }
                request => shell.run(request),
            };
            if result.is_err() {
                prop_assert_eq!(&before, &shell.env(), "after {}", step);
            }
            let loaded = shell.loaded();
            let mut names: Vec<&str> = loaded.split(':').filter_map(|m| m.split('/').next()).collect();
            names.sort_unstable();
            let all = names.len();
            names.dedup();
            prop_assert_eq!(all, names.len(), "after {}: {}", step, loaded);
        }
        shell.ok("--force purge").ok("unuse /extra");
        let mut end = shell.env();
        if end.get("MANPATH").map(String::as_str) == Some("::") {
            end.insert("MANPATH".to_owned(), ":".to_owned());
        }
        prop_assert_eq!(&start, &end, "after {:?}", steps);
    }
}

/// A shell under the other policy.
fn bound(site: Site) -> Shell {
    let mut shell = Shell::new(site);
    shell.config = crate::config::Config::preset(crate::config::Policy::Modules);
    shell
}

#[test]
fn where_requirements_bind_nobody_is_left_without_what_it_needs() {
    let site = Site::default()
        .file("/Core/a/1", "setenv A 1")
        .file("/Core/b/1", "depends_on a")
        .file("/Core/c/1", "load b; sticky");
    let mut shell = bound(site);
    shell.ok("load c");
    assert_eq!(shell.loaded(), "a/1:b/1:c/1");
    assert_eq!(
        shell.run("unload a"),
        Err("`c/1` is sticky: it stays loaded".to_owned())
    );
    assert_eq!(shell.loaded(), "a/1:b/1:c/1");
    shell.config.auto_handling = false;
    assert_eq!(
        shell.run("unload b"),
        Err("`b/1` cannot be unloaded: `c/1` needs it".to_owned())
    );
    shell.ok("--force unload b");
    assert_eq!(shell.loaded(), "c/1");
    let refused = shell.request(|t| t.check_satisfied("save")).unwrap_err();
    assert_eq!(
        refused.message,
        "cannot save: requirements of loaded modules are not met"
    );
    assert_eq!(refused.notes, ["`c/1` needs `b`"]);
    // Loading what is missing makes all well again.
    shell.config.auto_handling = true;
    shell.ok("load b");
    assert_eq!(shell.loaded(), "a/1:b/1:c/1");
    shell.request(|t| t.check_satisfied("save")).unwrap();
    assert_eq!(
        shell.run("purge"),
        Err("`c/1` is sticky: it stays loaded".to_owned())
    );
    assert_eq!(shell.loaded(), "a/1:b/1:c/1");
    shell.ok("--force purge");
    assert_eq!(shell.loaded(), "");
}

#[test]
fn conflicting_modules_go_where_the_settings_say_so_and_their_dependents_come_back() {
    let site = Site::default()
        .file("/Core/a/1", "setenv A 1")
        .file("/Core/a/2", "setenv A 2; conflict a")
        .file("/Core/b/1", "prereq_any a");
    let mut shell = bound(site);
    shell.ok("load a/1 b");
    assert_eq!(
        shell.run("load a/2"),
        Err("`a/2` conflicts with `a/1`, which is loaded".to_owned())
    );
    shell.config.conflict_unload = true;
    shell.ok("load a/2");
    assert_eq!(shell.loaded(), "a/2:b/1");
}

#[test]
fn a_modulepath_that_a_module_opened_may_count_as_a_requirement() {
    let site = Site::default()
        .file("/Core/gcc/1", "prepend MODULEPATH /gcc")
        .file("/Core/intel/1", "prepend MODULEPATH /intel")
        .file("/gcc/mpi/1", "setenv MPI gcc")
        .file("/intel/mpi/1", "setenv MPI intel");
    let mut shell = bound(site);
    shell.ok("load gcc mpi").ok("swap gcc intel");
    assert_eq!(shell.var("MPI").as_deref(), Some("gcc"));
    shell.ok("purge");
    shell.config.require_via = true;
    shell.ok("load gcc mpi").ok("swap gcc intel");
    assert_eq!(shell.loaded(), "intel/1:mpi/1");
    assert_eq!(shell.var("MPI").as_deref(), Some("intel"));
    shell.ok("unload intel");
    assert_eq!(shell.loaded(), "");
}

#[test]
fn a_file_that_fails_to_unload_stays_loaded_where_the_settings_say_so() {
    let site = Site::default()
        .file("/Core/a/1", "setenv A 1; fail_on_unload")
        .file("/Core/b/1", "setenv B 1");
    let mut shell = bound(site);
    shell.ok("load a b");
    assert_eq!(shell.run("unload a b"), Err("does not unload".to_owned()));
    assert_eq!(shell.loaded(), "a/1");
    assert_eq!(shell.var("A").as_deref(), Some("1"));
    shell.ok("--force unload a");
    assert_eq!((shell.loaded(), shell.var("A")), (String::new(), None));
}

#[test]
fn a_super_sticky_module_resists_even_force() {
    let site = Site::default().file("/Core/s/1", "super_sticky; prepend PATH /s");
    for mut shell in [Shell::new(site.clone()), bound(site)] {
        shell.ok("load s");
        let _ = shell.run("--force purge");
        assert_eq!(shell.loaded(), "s/1");
        let _ = shell.run("--force unload s");
        assert_eq!(shell.loaded(), "s/1");
    }
}
