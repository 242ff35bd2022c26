use super::*;
use crate::name::VersionOrder;

fn entry(file: &Utf8Path, full_name: &str) -> Entry {
    Entry {
        name: full_name.split('/').next().unwrap().to_owned(),
        full_name: full_name.to_owned(),
        file: file.to_owned(),
        is_default: false,
        is_marked: false,
        is_alone: true,
        symbols: Vec::new(),
        hiding: None,
        hidden_loaded: false,
        forbidden: None,
        nearly_forbidden: None,
        tags: Vec::new(),
        warnings: Vec::new(),
        key: VersionOrder::Lmod.key("1"),
    }
}

/// A file whose last change is long ago.
fn old_file(dir: &Utf8Path, name: &str, text: &str) -> Utf8PathBuf {
    let path = dir.join(name);
    std::fs::write(&path, text).unwrap();
    let file = std::fs::File::options().write(true).open(&path).unwrap();
    file.set_modified(SystemTime::now() - Duration::from_secs(100))
        .unwrap();
    path
}

fn about(text: &str) -> About {
    About {
        whatis: vec![text.to_owned()],
        ..About::default()
    }
}

/// Writes a cache that knows one module.
fn with_one(dir: &Utf8Path) -> (Utf8PathBuf, Entry) {
    let entry = entry(&old_file(dir, "a.lua", "whatis('a')"), "a/1");
    let mut cache = Cache::empty();
    cache.learn(&entry, &about("a"));
    let path = dir.join("cache/modules.sqlite");
    cache.save(&path).unwrap();
    (path, entry)
}

fn reopened(path: &Utf8Path) -> Cache {
    Cache {
        readers: schema::open(path).unwrap().into_iter().collect(),
        ..Cache::default()
    }
}

fn dir() -> (tempfile::TempDir, Utf8PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let path = Utf8PathBuf::from_path_buf(dir.path().to_owned()).unwrap();
    (dir, path)
}

#[test]
fn what_was_learned_is_recalled_until_the_file_changes() {
    let (_keep, dir) = dir();
    let (path, entry) = with_one(&dir);
    assert_eq!(reopened(&path).recall(&entry), Some(about("a")));
    old_file(&dir, "a.lua", "whatis('other')");
    assert_eq!(reopened(&path).recall(&entry), None);
}

#[test]
fn a_file_that_has_just_changed_is_not_remembered() {
    let (_keep, dir) = dir();
    let file = dir.join("new.lua");
    std::fs::write(&file, "").unwrap();
    let mut cache = Cache::empty();
    cache.learn(&entry(&file, "new/1"), &about("new"));
    assert_eq!(cache.learned(), 0);
}

#[test]
fn a_module_that_opens_modulepaths_is_not_remembered() {
    let (_keep, dir) = dir();
    let file = old_file(&dir, "gcc.lua", "");
    let mut cache = Cache::empty();
    let opens = About {
        opens: vec!["/home/ann/modules".into()],
        ..About::default()
    };
    cache.learn(&entry(&file, "gcc/1"), &opens);
    assert_eq!(cache.learned(), 0);
}

#[test]
fn saving_again_keeps_what_was_known() {
    let (_keep, dir) = dir();
    let (path, first) = with_one(&dir);
    let second = entry(&old_file(&dir, "b.lua", ""), "b/1");
    let mut cache = Cache::empty();
    cache.learn(&second, &about("b"));
    cache.save(&path).unwrap();
    let mut cache = reopened(&path);
    assert_eq!(cache.recall(&first), Some(about("a")));
    assert_eq!(cache.recall(&second), Some(about("b")));
}

#[test]
fn a_damaged_cache_is_as_if_it_were_not_there() {
    let (_keep, dir) = dir();
    let (path, entry) = with_one(&dir);
    let whole = std::fs::read(&path).unwrap();
    for cut in [0, 1, 50, 100, 4096, whole.len() / 2, whole.len() - 1] {
        std::fs::write(&path, &whole[..cut.min(whole.len())]).unwrap();
        if let Ok(Some(connection)) = schema::open(&path) {
            let mut cache = Cache {
                readers: vec![connection],
                ..Cache::default()
            };
            let recalled = cache.recall(&entry);
            assert!(recalled.is_none() || recalled == Some(about("a")));
        }
        // And it can be written anew.
        let mut cache = Cache::empty();
        cache.learn(&entry, &about("a"));
        cache.save(&path).unwrap();
        assert_eq!(reopened(&path).recall(&entry), Some(about("a")));
    }
}

#[test]
fn a_cache_that_others_may_write_is_not_used() {
    use std::os::unix::fs::PermissionsExt;
    let (_keep, dir) = dir();
    let (path, _) = with_one(&dir);
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o666)).unwrap();
    assert!(matches!(
        schema::open(&path),
        Err(CacheError::NotTrusted { .. })
    ));
}

#[test]
fn a_directory_that_cannot_be_written_is_an_error_and_loses_nothing() {
    let (_keep, dir) = dir();
    let (path, entry) = with_one(&dir);
    let blocked = path.join("below-a-file/modules.sqlite");
    let mut cache = Cache::empty();
    cache.learn(&entry, &about("a"));
    assert!(matches!(cache.save(&blocked), Err(CacheError::File { .. })));
    assert_eq!(reopened(&path).recall(&entry), Some(about("a")));
}
