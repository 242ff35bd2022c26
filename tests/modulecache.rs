//! The cache files of Environment Modules that `module cachebuild` writes.

use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use crate::support::Site;

/// Reads a cache file as Environment Modules does: as a script of five commands.
const READER: &str = r#"
proc modulefile-content {name mtime header content} { puts [list file $name [expr {$mtime > 0}] $header $content] }
proc modulerc-content {name header content} { puts [list rc $name $header $content] }
proc modulefile-invalid {name kind message} { puts [list invalid $name $kind] }
proc limited-access-file {name} { puts [list limited $name] }
proc limited-access-directory {name} { puts [list closed $name] }
source [lindex $argv 0]
"#;

#[test]
fn a_cache_file_holds_all_modulefiles_and_goes_away_again() {
    let site = Site::new()
        .file("a/1 0", "#%Module5.2\nsetenv A {x y} ;# [brace \\{\n")
        .file("a/.modulerc", "#%Module\nmodule-version a/1 default\n")
        .raw("mf/b/notes", b"no modulefile\n")
        .file("c/1", "#%Module\n")
        .raw("mf/old~", b"#%Module\n");
    let file = site.root().join("mf/c/1");
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o640)).unwrap();
    let cache = site.root().join("mf/.modulecache");
    let run = site.run("cachebuild");
    assert_eq!(run.stderr(), "Creating $SITE/mf/.modulecache\n");
    let reader = site.root().join("reader.tcl");
    std::fs::write(&reader, READER).unwrap();
    let read = Command::new("tclsh")
        .arg(&reader)
        .arg(&cache)
        .output()
        .unwrap();
    assert_eq!(
        String::from_utf8_lossy(&read.stdout),
        "rc a/.modulerc #%Module {#%Module\nmodule-version a/1 default\n}\n\
         file {a/1 0} 1 #%Module5.2 {#%Module5.2\nsetenv A {x y} ;# [brace \\{\n}\n\
         invalid b/notes invalid\n\
         limited c/1\n"
    );
    // It is no module itself, and nobody here reads it.
    assert!(!site.run("-t avail").stderr().contains("modulecache"));
    assert_eq!(
        site.run("cacheclear").stderr(),
        "Deleting $SITE/mf/.modulecache\n"
    );
    assert!(!cache.exists());
}
