//! The Python package: its own tests, with the program under test.

use std::process::Command;

use crate::support::{Site, XMOD, in_repo, require};

#[test]
fn the_python_package_loads_lists_and_fails_as_it_says() {
    if !require("python3") {
        return;
    }
    let site = Site::new()
        .file(
            "a/1.0",
            "setenv A_TEXT \"one 'two' \\\"three\\\"\\nfour \\$five é\"\n",
        )
        .file("a/2.0", "prepend-path PATH /opt/a/bin\n")
        .file("broken/1", "nonsense\n");
    let out = Command::new("python3")
        .args(["-B", "-W", "error", "tests/test_xmod.py"])
        .env_clear()
        .envs(site.env())
        .env("XMOD_CMD", XMOD)
        .env("PYTHONPATH", "src")
        .current_dir(in_repo("python"))
        .output()
        .unwrap();
    assert!(
        out.status.success(),
        "{}",
        String::from_utf8_lossy(&out.stderr)
    );
}
