//! The programs that modules bring along: what can be executed in the directories that they put in `PATH`.

use std::os::unix::fs::PermissionsExt;

use camino::Utf8Path;

/// More than this in one directory are not the programs of a module.
const MOST: usize = 20_000;

/// The programs in a directory, in no order. Names that no command line can hold are left out.
pub fn programs_in(dir: &Utf8Path) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(dir) else {
        return Vec::new();
    };
    let names = entries.take(MOST).filter_map(|entry| {
        let name = entry.ok()?.file_name().into_string().ok()?;
        if name.contains(char::is_control) {
            return None;
        }
        let meta = std::fs::metadata(dir.join(&name)).ok()?;
        (meta.is_file() && meta.permissions().mode() & 0o111 != 0).then_some(name)
    });
    names.collect()
}
