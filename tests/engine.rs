//! What loads, unloads and hierarchies leave in the environment: the same requests go through Lmod, and the environments
//! must be equal after each of them.

use crate::support::{Env, Peer, Site, difference};

/// A site with a hierarchy, dependencies, families and paths that several modules share.
fn site() -> Site {
    let compiler = |name: &str| {
        format!(
            "family('compiler')\nsetenv('CC', '{name}')\nprepend_path('PATH', '/{name}/bin')\n\
             prepend_path('MODULEPATH', '$SITE/Compiler/{name}')\n"
        )
    };
    let mpi = |compiler: &str, name: &str| {
        format!(
            "family('mpi')\nprepend_path('PATH', '/{compiler}/{name}/bin')\nappend_path('MANPATH', '/{name}/man')\n\
             prepend_path('MODULEPATH', '$SITE/MPI/{compiler}/{name}')\n"
        )
    };
    let mut site = Site::new()
        .var("EDITOR", "vi")
        .var("MANPATH", ":")
        .file("gcc/11.lua", &compiler("gcc11"))
        .file("gcc/12.lua", &compiler("gcc12"))
        .file("intel/19.lua", &compiler("intel"))
        .file(
            "zlib/1.2.lua",
            "setenv('ZLIB', '1.2')\nprepend_path('LD_LIBRARY_PATH', '/zlib/1.2')\n",
        )
        .file(
            "zlib/1.3.lua",
            "setenv('ZLIB', '1.3')\nprepend_path('LD_LIBRARY_PATH', '/zlib/1.3')\n",
        )
        .file(
            "lib/1.lua",
            "depends_on('zlib')\nprepend_path('PATH', '/lib1:/shared')\n",
        )
        .file(
            "lib/2.lua",
            "depends_on('zlib/1.2')\nappend_path('PATH', '/shared')\n",
        )
        .file(
            "tool/1.lua",
            "pushenv('EDITOR', 'tool')\nprepend_path('PATH', '/tool:/shared')\n",
        )
        .file(
            "first/1.lua",
            "prepend_path{'PATH', '/first', priority = 50}\n",
        )
        .file(
            "bundle/1.lua",
            "load('lib', 'tool')\nsetenv('BUNDLE', '1')\n",
        )
        .file(
            "other/1.lua",
            "conflict('tool')\nprereq('zlib')\nremove_path('PATH', '/lib1')\n",
        )
        .file(
            "stays/1.lua",
            "add_property('lmod', 'sticky')\nprepend_path('PATH', '/stays')\n",
        )
        .file(
            "fails/1.lua",
            "load('zlib')\nsetenv('FAILS', '1')\nLmodError('no')\n",
        )
        .file("../extra/zlib/2.0.lua", "setenv('ZLIB', '2.0')\n");
    for (compiler, name) in [("gcc11", "mpich"), ("gcc12", "mpich"), ("intel", "openmpi")] {
        let file = format!("../Compiler/{compiler}/{name}/1.lua");
        site = site.file(&file, &mpi(compiler, name));
    }
    for compiler in ["gcc11", "gcc12"] {
        let text = format!("prepend_path('PATH', '/{compiler}/petsc/bin')\n");
        site = site.file(&format!("../MPI/{compiler}/mpich/petsc/3.lua"), &text);
    }
    site
}

/// What users and other programs see.
fn seen(env: &Env) -> Env {
    let own = [
        "__",
        "_ModuleTable",
        "LMOD_CMD",
        "LMOD_DIR",
        "LMOD_PKG",
        "LMOD_VERSION",
        "MODULESHOME",
    ];
    env.iter()
        .filter(|(name, _)| !own.iter().any(|own| name.starts_with(own)))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect()
}

/// Runs the requests in both systems, each in its own session.
fn compare(requests: &[&str]) {
    let site = site();
    let start = site.run("is-loaded").env().clone();
    let (mut ours, mut theirs) = (start.clone(), start);
    for request in requests {
        let request = request.replace("$SITE", site.root().to_str().unwrap());
        let run = site.run_in(&ours, &request);
        let peer = site.run_peer_in(Peer::Lmod, &theirs, &request);
        assert_eq!(
            run.ok(),
            peer.ok(),
            "status of {request}: {}\n{}",
            run.stderr(),
            peer.stderr()
        );
        ours = run.env().clone();
        theirs = peer.env().clone();
        let lines = difference(&seen(&ours), &seen(&theirs));
        assert!(lines.is_empty(), "after {request}:\n{}", lines.join("\n"));
    }
}

#[test]
fn versions_and_families_replace_each_other_as_in_lmod() {
    compare(&[
        "load gcc/11 zlib/1.2",
        "load zlib",
        "load intel",
        "load gcc/12",
        "swap gcc gcc/11",
        "unload gcc",
    ]);
}

#[test]
fn hierarchies_follow_the_compiler_as_in_lmod() {
    compare(&[
        "load gcc/11 mpich petsc",
        "load gcc/12",
        "load gcc/12",
        "load intel",
        "load openmpi",
        "unload intel",
        "load gcc/11",
        "purge",
    ]);
}

#[test]
fn dependencies_come_and_go_as_in_lmod() {
    compare(&[
        "load lib/1",
        "load lib/2",
        "unload lib",
        "load zlib lib/1",
        "unload lib",
        "load bundle",
        "unload bundle",
        "load lib/1 tool",
        "unload zlib",
    ]);
}

#[test]
fn shared_and_prioritised_entries_are_kept_in_order_as_in_lmod() {
    compare(&[
        "load first tool lib/1",
        "load lib/2",
        "unload tool",
        "load tool",
        "unload lib",
        "unload first",
    ]);
}

#[test]
fn refusals_change_nothing_as_in_lmod() {
    compare(&[
        "load other",
        "load fails",
        "load zlib nope",
        "load zlib tool",
        "load other",
        "unload tool",
        "load other",
        "swap nope gcc",
        "try-load nope gcc/11",
    ]);
}

#[test]
fn sticky_modules_stay_as_in_lmod() {
    compare(&[
        "load stays gcc/11",
        "purge",
        "unload stays",
        "--force unload stays",
        "load stays",
        "--force purge",
    ]);
}

#[test]
fn directories_that_come_and_go_move_modules_as_in_lmod() {
    compare(&[
        "load zlib lib/1",
        "use $SITE/extra",
        "unuse $SITE/extra",
        "use -a $SITE/extra",
        "load zlib/1.2",
        "update",
    ]);
}
