//! Modules behind other modules: what a crawl finds, and what a user is told who asks for one too early.

use std::collections::BTreeMap;

use camino::Utf8PathBuf;
use xmod::config::Config;
use xmod::modulefile::Languages;
use xmod::name::{Spec, VersionOrder};
use xmod::resolve::{Beyond, Resolver};
use xmod::session::Session;
use xmod::tree::{Crawl, RcEvaluator, Roots};

use crate::support::{Peer, Site, difference, public};

/// Two compilers, two MPIs behind them, a solver behind those; and one that opens its own modulepath.
fn hierarchy() -> Site {
    let opens = |dir: &str| format!("prepend_path('MODULEPATH', '$SITE/{dir}')\n");
    let mut site = Site::new()
        .file("gcc/12.1.lua", &opens("Comp/gcc"))
        .file("clang/17.toml", "prepend_path = { MODULEPATH = '$SITE/Comp/clang' }\n")
        .file("circle/1.lua", &opens("mf"))
        .file("tool/1.0", "module-whatis {Description: A tool}\nmodule-whatis {Category: tools}\nprepend-path PATH /opt/tool/bin\n");
    for (mpi, comp) in [
        ("mpich/4", "gcc"),
        ("openmpi/5", "gcc"),
        ("openmpi/5", "clang"),
    ] {
        let name = format!("../Comp/{comp}/{mpi}.lua");
        let mpi = mpi.split('/').next().unwrap();
        site = site.file(&name, &opens(&format!("MPI/{comp}/{mpi}")));
    }
    for below in ["gcc/mpich", "clang/openmpi"] {
        site = site.file(
            &format!("../MPI/{below}/petsc/3.20.lua"),
            "whatis('Description: Solver') extensions('slepc/3.20') family('solver')\n",
        );
    }
    site
}

fn with_site<T>(site: &Site, run: impl FnOnce(&mut RcEvaluator) -> T) -> T {
    let mut session = Session::default();
    session.env = site
        .env()
        .iter()
        .map(|(k, v)| (k.as_str().into(), v.as_str().into()))
        .collect();
    let config = Config::new(&session);
    let languages = Languages::default();
    run(&mut RcEvaluator::new(&session, &config, &languages, "bash"))
}

fn modulepaths(site: &Site) -> Vec<Utf8PathBuf> {
    site.env()["MODULEPATH"]
        .split(':')
        .map(Utf8PathBuf::from)
        .collect()
}

fn crawl(site: &Site) -> Crawl {
    with_site(site, |rc| {
        Roots::new(modulepaths(site)).crawl(rc, &mut xmod::tree::NoMemory, None)
    })
}

/// The ways to a module, one string each.
fn ways(crawl: &Crawl, name: &str) -> Vec<String> {
    let found = crawl.find(name);
    assert!(!found.is_empty(), "{name} was not found");
    found
        .iter()
        .flat_map(|(_, ways)| ways.iter().map(|way| way.join(" ")))
        .collect()
}

#[test]
fn a_crawl_finds_all_ways_to_a_module() {
    let crawl = crawl(&hierarchy());
    assert_eq!(ways(&crawl, "gcc/12.1"), [""]);
    assert_eq!(ways(&crawl, "mpich"), ["gcc/12.1"]);
    assert_eq!(ways(&crawl, "openmpi/5"), ["clang/17", "gcc/12.1"]);
    assert_eq!(
        ways(&crawl, "petsc"),
        ["clang/17 openmpi/5", "gcc/12.1 mpich/4"]
    );
    assert!(crawl.mistakes.is_empty(), "{:?}", crawl.mistakes);
}

#[test]
fn a_crawl_tells_what_modules_are_about() {
    let crawl = crawl(&hierarchy());
    let about: BTreeMap<String, _> = crawl
        .trees
        .iter()
        .flat_map(|tree| &tree.modules)
        .map(|entry| (entry.full_name.clone(), crawl.about(entry)))
        .collect();
    assert_eq!(about["tool/1.0"].description(), "A tool");
    assert_eq!(about["tool/1.0"].whatis_of("category"), Some("tools"));
    assert_eq!(about["tool/1.0"].commands_in, ["/opt/tool/bin"]);
    assert_eq!(about["petsc/3.20"].extensions, ["slepc/3.20"]);
    assert_eq!(about["petsc/3.20"].families, ["solver"]);
}

#[test]
fn a_broken_modulefile_costs_one_warning_and_a_hopeless_tree_an_end() {
    let site = hierarchy()
        .file("broken/1.lua", "this is not Lua")
        .file("broken/2", "nosuchcommand\n")
        .file("endless/1.lua", "while true do end");
    let crawl = crawl(&site);
    assert_eq!(crawl.mistakes.len(), 3);
    assert_eq!(ways(&crawl, "petsc").len(), 2);
}

#[test]
fn who_asks_too_early_is_told_what_to_load_first() {
    let site = hierarchy();
    let crawl = crawl(&site);
    let message = with_site(&site, |rc| {
        let mut resolver = Resolver::new(modulepaths(&site));
        let error = resolver
            .resolve(&Spec::plain("petsc").unwrap(), rc)
            .unwrap_err();
        let spec = Spec::plain("petsc").unwrap();
        let beyond = Beyond::of(&crawl, &spec, VersionOrder::Lmod, None);
        resolver.explain(&error, &beyond, rc).to_string()
    });
    insta::assert_snapshot!(message, @"
    error: `petsc` exists, but other modules have to be loaded before it
     |
     = help: module load clang/17 openmpi/5 petsc/3.20
     = help: module load gcc/12.1 mpich/4 petsc/3.20
    ");
}

#[test]
fn a_typo_finds_its_way_home() {
    let site = Site::new()
        .file("samtools/1.19", "")
        .file("samtools/1.20", "")
        .file("samtools/.2", "")
        .file("bowtie/2", "");
    let explain = |request: &str| {
        with_site(&site, |rc| {
            let mut resolver = Resolver::new(modulepaths(&site));
            let error = resolver
                .resolve(&Spec::plain(request).unwrap(), rc)
                .unwrap_err();
            resolver.explain(&error, &Beyond::default(), rc).to_string()
        })
    };
    insta::assert_snapshot!(explain("samtool"), @"
    error: The following module(s) are unknown: `samtool`
     |
     = help: did you mean `samtools`?
    ");
    insta::assert_snapshot!(explain("SamTools/1.20"), @"
    error: The following module(s) are unknown: `SamTools/1.20`
     |
     = help: did you mean `samtools/1.20`?
    ");
    insta::assert_snapshot!(explain("samtools/1.21"), @"
    error: The following module(s) are unknown: `samtools/1.21`
     |
     = note: there is `samtools/1.20` or `samtools/1.19`
     = help: `module avail samtools` lists all versions
    ");
    insta::assert_snapshot!(explain("nothing-like-it"), @"
    error: The following module(s) are unknown: `nothing-like-it`
     |
     = help: `module spider nothing-like-it` looks in all hierarchies, `module avail` shows what can be loaded now
    ");
}

#[test]
fn a_name_that_is_none_may_be_part_of_one_or_what_a_module_brings() {
    let site = hierarchy()
        .file("bio/bowtie/2.3", "")
        .file("lib/hdf/1", "")
        .file("old/hdf/1", "")
        .file("mpitools/1", "prepend-path PATH $SITE/bin\n")
        .file("secret/1", "prepend-path PATH $SITE/bin\n")
        .file(".modulerc", "#%Module\nmodule-hide secret\n")
        .raw("bin/mpitop", b"#!/bin/sh\n")
        .raw("bin/notes", b"text");
    let program = site.root().join("bin/mpitop");
    std::fs::set_permissions(
        &program,
        std::os::unix::fs::PermissionsExt::from_mode(0o755),
    )
    .unwrap();
    let said = |request: &str| site.run(&format!("load {request}")).stderr();
    insta::assert_snapshot!(said("bowtie"), @"
    error: The following module(s) are unknown: `bowtie`
     |
     = help: did you mean `bio/bowtie`?
    ");
    insta::assert_snapshot!(said("hdf"), @"
    error: The following module(s) are unknown: `hdf`
     |
     = note: `hdf` is the last part of several names
     = help: name one of them in full: `lib/hdf` or `old/hdf`
    ");
    insta::assert_snapshot!(said("mpitop"), @"
    error: The following module(s) are unknown: `mpitop`
     |
     = note: `mpitop` is a command of `mpitools/1`
     = help: module load mpitools/1
    ");
    insta::assert_snapshot!(said("slepc"), @"
    error: The following module(s) are unknown: `slepc`
     |
     = note: `slepc` is an extension of `petsc/3.20`
     = help: module load clang/17 openmpi/5 petsc/3.20
     = help: module load gcc/12.1 mpich/4 petsc/3.20
    ");
    insta::assert_snapshot!(said("petsk"), @"
    error: The following module(s) are unknown: `petsk`
     |
     = help: did you mean `petsc`?
    ");
    insta::assert_snapshot!(said("notes"), @"
    error: The following module(s) are unknown: `notes`
     |
     = help: `module spider notes` looks in all hierarchies, `module avail` shows what can be loaded now
    ");
}

#[test]
fn what_is_forbidden_or_undecided_names_its_versions() {
    let site = Site::new()
        .file(
            "foo/.modulerc",
            "#%Module\nmodule-forbid --message {too old} foo/1.0 foo/1.1\n",
        )
        .file("foo/1.0", "")
        .file("foo/1.1", "")
        .file("foo/2.0", "");
    insta::assert_snapshot!(site.run("load foo/1.0").stderr(), @"
    error: access to module `foo/1.0` is denied
     |
     = note: too old
     = help: other versions: `foo/2.0`
    ");
    let site = site.var("MODULES_IMPLICIT_DEFAULT", "0");
    insta::assert_snapshot!(site.run("load foo").stderr(), @"
    error: no default version defined for `foo`
     |
     = note: there is `foo/2.0`
     = help: name a version: `module avail foo` lists them
    ");
}

/// A meta module keeps needing what lies behind the compiler that it brought: it waits and comes back, as in Lmod.
#[test]
fn what_a_meta_module_needs_waits_for_its_modulepath() {
    let opens = |dir: &str| format!("family('compiler') prepend_path('MODULEPATH', '$SITE/{dir}')");
    let site = Site::new()
        .file("meta/1.lua", "depends_on('gcc') depends_on('mpi')")
        .file("gcc/12.lua", &opens("Comp/gcc"))
        .file("intel/1.lua", &opens("Comp/intel"))
        .file("../Comp/gcc/mpi/4.lua", "setenv('MPI', '4')")
        .file(
            "../Comp/gcc/lib/1.lua",
            "depends_on('blas') setenv('LIB', '1')",
        )
        .file("../Comp/gcc/blas/3.lua", "setenv('BLAS', '3')")
        .file("../Comp/intel/other/1.lua", "");
    let (mut ours, mut theirs) = (site.env().clone(), site.env().clone());
    for request in ["load meta lib", "swap gcc intel", "swap intel gcc"] {
        let run = site.run_in(&ours, request);
        let peer = site.run_peer_in(Peer::Lmod, &theirs, request);
        let lines = difference(&public(run.env()), &public(peer.env()));
        assert!(
            lines.is_empty(),
            "{request}\n{}\n{}",
            lines.join("\n"),
            run.stderr()
        );
        (ours, theirs) = (run.env().clone(), peer.env().clone());
    }
    // What nobody needs any more does not come back.
    let run = site.run_in(&ours, "swap gcc intel");
    let run = site.run_in(run.env(), "unload meta lib");
    let run = site.run_in(run.env(), "load gcc");
    let back = run.var("LOADEDMODULES");
    assert_eq!(back, Some("gcc/12".to_owned()), "{}", run.stderr());
}
