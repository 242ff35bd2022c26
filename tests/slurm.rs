//! Batch jobs of a real Slurm: `module` works in each shell, with and without the submitter's environment.
//!
//! The daemons run in a mount namespace of their own (`tests/slurm/jobs.sh`), so root is needed.

use std::process::{Command, Stdio};

use crate::support::{XMOD, in_ci, require};

const JOBS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/slurm/jobs.sh");

/// Whether a mount namespace can be made here.
pub(crate) fn may_unshare() -> bool {
    let works = Command::new("unshare")
        .args(["-m", "true"])
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|s| s.success());
    if !works {
        eprintln!("skipped: no right to make a mount namespace");
        assert!(!in_ci(), "the Slurm test needs root");
    }
    works
}

#[test]
fn modules_work_in_batch_jobs_of_every_shell() {
    let programs = [
        "slurmctld",
        "slurmd",
        "munged",
        "sbatch",
        "zsh",
        "tcsh",
        "ksh",
    ];
    if !programs.iter().all(|p| require(p)) || !may_unshare() {
        return;
    }
    let work = tempfile::tempdir().unwrap();
    // The daemons of munge and Slurm look into the directory under their own users.
    let open = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(work.path(), open).unwrap();
    let output = Command::new("timeout")
        .args(["240", "unshare", "-m", JOBS, XMOD])
        .arg(work.path())
        .stdin(Stdio::null())
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    let read = |name: &str| std::fs::read_to_string(work.path().join(name)).unwrap_or_default();
    let said = |job: &str| read(&format!("{job}.out"));

    // The submitter had loaded gcc/13.
    let inherited = "GCC=13 TOOL=one\nLOADED=gcc/13\n";
    let fresh = "GCC=none TOOL=one\nLOADED=none\n";
    for shell in ["bash", "bash-l", "zsh", "tcsh", "sh", "ksh"] {
        assert_eq!(said(&format!("{shell}-ALL")), inherited, "{shell}");
        assert_eq!(said(&format!("{shell}-NONE")), fresh, "{shell}");
    }
    for job in ["srun", "array.1", "array.2"] {
        assert_eq!(said(job), inherited, "{job}");
    }
    assert!(!said("stops").contains("went on"), "{}", said("stops"));
    assert!(
        said("goes-on").ends_with("went on\n"),
        "{}",
        said("goes-on")
    );
    assert!(!said("and").contains("went on"), "{}", said("and"));

    // What `xmod sbatch` wrote.
    assert!(read("asked").contains("to start at"), "{}", read("asked"));
    let ours = "first\nGCC=13\nsooner\nlater\nit is the 'end'\n";
    assert_eq!(read("o u t-ours.out"), ours);
    assert_eq!(said("stopped"), "finished\n");
    for task in [3, 5] {
        let wanted = format!("TOOL=one task {task}\n");
        assert_eq!(said(&format!("tasks.{task}")), wanted);
    }

    let states = read("states");
    for state in [
        "bash-ALL COMPLETED 0:0",
        "goes-on COMPLETED 0:0",
        "stops FAILED 1:0",
        "zsh-stops FAILED 1:0",
        "exits-3 FAILED 3:0",
        "tcsh-or FAILED 3:0",
        "ours COMPLETED 0:0",
        "stopped FAILED 3:0",
    ] {
        assert!(states.lines().any(|l| l == state), "{state}: {states}");
    }
}
