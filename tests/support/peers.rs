//! The established module systems as oracles: Lmod and Environment Modules from Debian, side by side.

use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;

use super::Env;
use super::real_shell::in_ci;

/// One of the two.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Peer {
    /// Lmod 8.6.19.
    Lmod,
    /// Environment Modules 5.2.0.
    Modules,
}

impl Peer {
    /// The command, installed if need be.
    ///
    /// Panics where it cannot be had: a comparison that does not happen must not look like one that succeeded.
    pub(crate) fn command(self) -> String {
        let name = match self {
            Peer::Lmod => "lmod",
            Peer::Modules => "modulecmd.tcl",
        };
        installed()
            .join("bin")
            .join(name)
            .to_str()
            .unwrap()
            .to_owned()
    }
}

fn installed() -> &'static PathBuf {
    static DIR: OnceLock<PathBuf> = OnceLock::new();
    DIR.get_or_init(|| {
        let out = Command::new("bash")
            .arg(super::in_repo("tests/peers/setup.sh"))
            .output()
            .unwrap();
        assert!(
            out.status.success(),
            "tests/peers/setup.sh: {}",
            String::from_utf8_lossy(&out.stderr)
        );
        let text = String::from_utf8(out.stdout).unwrap();
        PathBuf::from(text.lines().last().unwrap())
    })
}

/// The corpus of real modulefiles: `XMOD_CORPUS`, by default beside the project. It is third-party text and stays
/// outside; where it is absent the tests say so, and fail under CI.
pub(crate) fn corpus() -> Option<PathBuf> {
    #[expect(clippy::disallowed_methods, reason = "tests have no session")]
    let dir = std::env::var_os("XMOD_CORPUS")
        .map_or_else(|| super::in_repo("../shared/corpus"), PathBuf::from);
    if dir.join("instantiate.sh").exists() {
        return Some(dir);
    }
    eprintln!("skipped: no corpus at {}; set XMOD_CORPUS", dir.display());
    assert!(!in_ci(), "the corpus is required in CI");
    None
}

/// The variables that users and programs look at, without those that a module system keeps for itself.
pub(crate) fn public(env: &Env) -> Env {
    const OWN: &[&str] = &[
        "__XMOD",
        "_ModuleTable",
        "__LMOD",
        "__MODULES_",
        "LMOD_",
        "MODULES_",
        "MODULESHOME",
        "LOADEDMODULES_",
    ];
    env.iter()
        .filter(|(name, _)| !OWN.iter().any(|own| name.starts_with(own)))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect()
}

/// What differs between two environments, one line each.
pub(crate) fn difference(ours: &Env, theirs: &Env) -> Vec<String> {
    let mut lines = Vec::new();
    let names: std::collections::BTreeSet<_> = ours.keys().chain(theirs.keys()).collect();
    for name in names {
        let (a, b) = (ours.get(name), theirs.get(name));
        if a != b {
            lines.push(format!("{name}: {a:?} instead of {b:?}"));
        }
    }
    lines
}
