//! The cache of module trees: it answers what the disk answers, and whatever is done to it, nobody gets a wrong answer.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, SystemTime};

use camino::Utf8PathBuf;
use proptest::prelude::*;
use proptest::test_runner::{Config as Cases, RngAlgorithm, TestRng, TestRunner};
use xmod::cache::Cache;
use xmod::config::Config;
use xmod::modulefile::Languages;
use xmod::session::Session;
use xmod::tree::{About, Filter, NoMemory, RcEvaluator, Roots, Tree};

use crate::support::{Site, XMOD, require};

/// What a listing and a crawl answer: trees, and what each module is about with the ways to it.
type Answers = (Vec<Tree>, Vec<(String, About, Vec<Vec<String>>)>);

struct World {
    session: Session,
    modulepaths: Vec<Utf8PathBuf>,
}

impl World {
    fn new(site: &Site, policy: &str) -> World {
        let mut session = Session::default();
        session.env = site
            .env()
            .iter()
            .map(|(k, v)| (k.as_str().into(), v.as_str().into()))
            .collect();
        session.env.insert("XMOD_POLICY".into(), policy.into());
        World {
            session,
            modulepaths: site.env()["MODULEPATH"]
                .split(':')
                .map(Utf8PathBuf::from)
                .collect(),
        }
    }

    fn config(&self) -> Config {
        Config::new(&self.session)
    }

    /// What the disk says.
    fn disk(&self) -> Answers {
        let (config, languages) = (self.config(), Languages::default());
        let mut rc = RcEvaluator::new(&self.session, &config, &languages, "bash");
        let mut roots = Roots::new(self.modulepaths.clone());
        answers(
            roots.list(&mut rc),
            &roots.crawl(&mut rc, &mut NoMemory, None),
        )
    }

    /// What the caches say, and how many modulefiles had to be evaluated; kept for the next time.
    fn cached(&self) -> (Answers, usize) {
        let (config, languages) = (self.config(), Languages::default());
        let mut rc = RcEvaluator::new(&self.session, &config, &languages, "bash");
        let mut cache = Cache::open(&self.session, &config);
        let mut roots = Roots::new(self.modulepaths.clone());
        let listed = roots.look_up(xmod::tree::Wanted::All, &mut rc, &mut cache);
        let crawl = roots.crawl(&mut rc, &mut cache, None);
        // Directories and modulefiles are looked at together where nobody asked for the names before.
        let mut cache_again = Cache::open(&self.session, &config);
        let at_once = Roots::new(self.modulepaths.clone()).crawl(&mut rc, &mut cache_again, None);
        assert_eq!(at_once.evaluated(), crawl.evaluated());
        assert_eq!(
            answers(Vec::new(), &at_once).1,
            answers(Vec::new(), &crawl).1
        );
        let path = xmod::cache::path(&self.session, &config, xmod::cache::Owner::User).unwrap();
        let others = xmod::cache::Others::Stay;
        cache.save(&path, &crawl, &config, others).unwrap();
        (answers(listed, &crawl), crawl.evaluated())
    }
}

fn answers(listed: Vec<Tree>, crawl: &xmod::tree::Crawl) -> Answers {
    for entry in crawl.trees.iter().flat_map(|tree| &tree.modules) {
        assert_eq!(crawl.description(entry), crawl.about(entry).description());
    }
    for words in [&["1"][..], &["TOML", "e/"], &["no version", "é"], &[""]] {
        let filters: Vec<Filter> = words
            .iter()
            .map(|w| Filter::Contains((*w).into()))
            .collect();
        let found = crawl.search(&filters);
        for entry in crawl.trees.iter().flat_map(|tree| &tree.modules) {
            let about = crawl.about(entry);
            let texts = [
                &about.whatis[..],
                &about.extensions,
                std::slice::from_ref(&about.help),
            ];
            let values = about
                .properties
                .iter()
                .chain(&about.facts)
                .map(|(_, value)| value);
            let mut texts = texts.into_iter().flatten().chain(values);
            assert_eq!(
                found.contains(&(entry.tree, entry.number)),
                words == [""] || texts.any(|text| filters.iter().any(|f| f.accepts_name(text))),
                "{words:?} in {}",
                entry.full_name
            );
        }
    }
    let modules = crawl.trees.iter().flat_map(|tree| {
        tree.modules.iter().map(|entry| {
            let name = format!("{} {}", tree.modulepath, entry.full_name);
            (
                name,
                crawl.about(entry).clone(),
                crawl.ways(&tree.modulepath),
            )
        })
    });
    (listed, modules.collect())
}

/// Gives everything below a directory a last change that is long ago.
fn age(dir: &Path) {
    let old = SystemTime::now() - Duration::from_secs(1000);
    for entry in std::fs::read_dir(dir).into_iter().flatten().flatten() {
        let path = entry.path();
        let kind = entry.file_type().unwrap();
        if kind.is_dir() {
            age(&path);
        } else if kind.is_file()
            && let Ok(file) = std::fs::File::options().append(true).open(&path)
        {
            file.set_modified(old).unwrap();
        }
    }
    std::fs::File::open(dir).unwrap().set_modified(old).unwrap();
}

/// One change of a tree. Numbers choose among few names, so that changes meet.
#[derive(Debug, Clone)]
enum Edit {
    Module(u8, u8, u8),
    Remove(u8, u8),
    Rc(u8, u8),
    Link(u8, u8),
    RemoveName(u8),
    RootRc(u8),
    Foreign(u8),
}

fn edits() -> impl Strategy<Value = Vec<Edit>> {
    let edit = prop_oneof![
        6 => (0..6_u8, 0..5_u8, 0..6_u8).prop_map(|(n, v, k)| Edit::Module(n, v, k)),
        1 => (0..6_u8, 0..5_u8).prop_map(|(n, v)| Edit::Remove(n, v)),
        2 => (0..6_u8, 0..6_u8).prop_map(|(n, k)| Edit::Rc(n, k)),
        1 => (0..6_u8, 0..5_u8).prop_map(|(n, v)| Edit::Link(n, v)),
        1 => (0..6_u8).prop_map(Edit::RemoveName),
        1 => (0..7_u8).prop_map(Edit::RootRc),
        1 => (0..6_u8).prop_map(Edit::Foreign),
    ];
    proptest::collection::vec(edit, 1..14)
}

const NAMES: [&str; 6] = [
    "gcc",
    "bio/bowtie",
    "py-numpy",
    "it's",
    "two words",
    ".dotted",
];
const VERSIONS: [&str; 5] = ["1.0", "1.10", "2.0-rc1", ".9", "3/deep"];

fn apply(site: &Site, edit: &Edit) {
    let mf = site.root().join("mf");
    let write = |path: PathBuf, text: String| {
        if path.is_dir() || path.ancestors().skip(1).any(|above| above.is_file()) {
            return;
        }
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    };
    match edit {
        Edit::Module(name, version, kind) => {
            let (name, version) = (NAMES[*name as usize], VERSIONS[*version as usize]);
            let place = format!("{name}/{version}");
            let (file, text) = match kind {
                0 => (
                    place,
                    format!(
                        "#%Module\nmodule-whatis {{a {version}}}\nprepend-path PATH /opt/{version}/bin\n"
                    ),
                ),
                1 => (
                    format!("{place}.lua"),
                    format!(
                        "whatis('Description: {version}')\nextensions('e/{version}')\nadd_property('state','testing')\n"
                    ),
                ),
                2 => (
                    format!("{place}.toml"),
                    format!("whatis = 'toml {version}'\n"),
                ),
                3 => (
                    format!("{name}.toml"),
                    "[versions]\n'7.0' = {}\n'7.1' = {}\n".to_owned(),
                ),
                4 => (
                    format!("{place}.lua"),
                    format!(
                        "prepend_path('MODULEPATH', '{}')\n",
                        site.root().join("mf-behind").display()
                    ),
                ),
                _ => (format!("{name}.lua"), "help('no version')\n".to_owned()),
            };
            write(mf.join(file), text);
        }
        Edit::Remove(name, version) => {
            let place = mf
                .join(NAMES[*name as usize])
                .join(VERSIONS[*version as usize]);
            for ending in ["", ".lua", ".toml"] {
                let _ = std::fs::remove_file(format!("{}{ending}", place.display()));
            }
        }
        Edit::Rc(name, kind) => {
            let name = NAMES[*name as usize];
            let (file, text) = match kind {
                0 => (
                    ".modulerc",
                    "#%Module\nmodule-version ./1.0 default\n".to_owned(),
                ),
                1 => (".version", "#%Module\nset ModulesVersion 1.10\n".to_owned()),
                2 => (
                    ".modulerc.lua",
                    format!(
                        "module_version('{}/1.0', 'old')\n",
                        name.replace('\'', "\\'")
                    ),
                ),
                3 => (
                    ".modulerc",
                    "#%Module\nmodule-alias ./latest ./1.0\nhide-version ./1.0\n".to_owned(),
                ),
                4 => (
                    ".modulerc",
                    "#%Module\nmodule-virtual ./virt ./1.0\n".to_owned(),
                ),
                _ => (
                    ".modulerc",
                    "#%Module\nif {[info exists env(HOME)]} { module-version ./1.10 default }\n"
                        .to_owned(),
                ),
            };
            if mf.join(name).is_dir() {
                write(mf.join(name).join(file), text);
            }
        }
        Edit::Link(name, version) => {
            let link = mf.join(NAMES[*name as usize]).join("default");
            let _ = std::fs::remove_file(&link);
            let _ = std::os::unix::fs::symlink(VERSIONS[*version as usize], &link);
        }
        Edit::RemoveName(name) => {
            let _ = std::fs::remove_dir_all(mf.join(NAMES[*name as usize]));
        }
        Edit::RootRc(kind) => {
            let text = match kind {
                0 => "module-alias g gcc/1.0\n",
                1 => "module-hide gcc/1.10\n",
                2 => "module-forbid --message no gcc/1.0\n",
                3 => "module-hide --hard bio/bowtie\n",
                4 => "module-tag sticky gcc\n",
                5 => "module-version gcc/1.0 default stable\nmodulepath-label . Mine\n",
                _ => "module-hide --not-user nobody py-numpy\n",
            };
            write(mf.join(".modulerc"), format!("#%Module\n{text}"));
        }
        Edit::Foreign(name) => {
            let dir = mf.join(NAMES[*name as usize]);
            if dir.is_dir() {
                write(dir.join("README"), "no modulefile\n".to_owned());
                write(dir.join("bin/tool"), "#!/bin/sh\n".to_owned());
            }
        }
    }
}

/// A fixed source of random numbers, so that a failure can be seen again.
fn runner(cases: u32) -> TestRunner {
    let config = Cases {
        cases,
        failure_persistence: None,
        ..Cases::default()
    };
    TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha))
}

#[test]
fn the_cache_answers_what_the_disk_answers_whatever_is_done_to_the_tree() {
    let steps = (edits(), edits(), edits(), any::<bool>(), any::<bool>());
    runner(60)
        .run(&steps, |(first, second, third, aged, modules)| {
            let site = Site::new().raw("mf-behind/lib/1.lua", b"whatis('behind')");
            first.iter().for_each(|edit| apply(&site, edit));
            if aged {
                age(&site.root());
            }
            let world = World::new(&site, if modules { "modules" } else { "lmod" });
            let disk = world.disk();
            prop_assert_eq!(&world.cached().0, &disk, "made new");
            let (again, evaluated) = world.cached();
            prop_assert_eq!(&again, &disk, "asked again");
            prop_assert!(
                !aged || evaluated == 0,
                "nothing has changed, {} evaluated",
                evaluated
            );
            for edits in [second, third] {
                edits.iter().for_each(|edit| apply(&site, edit));
                if aged {
                    age(&site.root());
                }
                let disk = world.disk();
                prop_assert_eq!(&world.cached().0, &disk, "after edits");
                prop_assert_eq!(&world.cached().0, &disk, "after edits, asked again");
            }
            Ok(())
        })
        .unwrap();
}

/// A site with some hundred modules in a hierarchy, all of them old.
fn large() -> Site {
    let mut site = Site::new()
        .file("gcc/13.lua", "prepend_path('MODULEPATH', '$SITE/mf-gcc')\n")
        .raw("mf-gcc/lib/1.lua", b"whatis('behind')");
    for name in 0..60 {
        for version in 0..5 {
            let text = format!(
                "help([[help of {name}]])\nwhatis('Description: number {name} {version}')\n"
            );
            site = site.file(&format!("name{name}/1.{version}.lua"), &text);
        }
    }
    age(&site.root());
    // Slow machines would fill the cache in passing.
    site.var("XMOD_CACHE_AFTER_MS", "100000")
}

fn cache_file(site: &Site) -> PathBuf {
    site.root().join("home/.cache/xmod/modules.sqlite")
}

fn build(site: &Site) {
    let out = site.xmod(&["cache", "build"]);
    assert!(
        out.status.success(),
        "{}",
        String::from_utf8_lossy(&out.stderr)
    );
}

const REQUESTS: [&[&str]; 4] = [
    &["-t", "avail"],
    &["-t", "spider"],
    &["-t", "spider", "lib/1"],
    &["-t", "keyword", "number 7 3"],
];

/// What people read of a request; the last part of it, because warnings come first.
fn asked(site: &Site, words: &[&str]) -> String {
    let run = site.run_words(words);
    assert!(run.ok(), "{words:?}: {}", run.stderr());
    run.stderr()
}

fn right_answers(site: &Site) -> Vec<String> {
    let answers = REQUESTS
        .iter()
        .map(|words| asked(site, &[&["--ignore_cache"], *words].concat()));
    answers.collect()
}

fn check(site: &Site, right: &[String], what: &str) {
    for (words, right) in REQUESTS.iter().zip(right) {
        let answer = asked(site, words);
        let said = answer.strip_suffix(right.as_str());
        let said = said.unwrap_or_else(|| panic!("{what}, {words:?}: {answer}"));
        // One message of a few lines at the most.
        assert!(
            said.matches("warning:").count() <= 1 && said.lines().count() <= 4,
            "{what}: {said}"
        );
    }
}

#[test]
fn a_damaged_cache_gives_no_wrong_answer() {
    let site = large();
    let right = right_answers(&site);
    build(&site);
    check(&site, &right, "whole");
    let whole = std::fs::read(cache_file(&site)).unwrap();
    let mut seed = 7_u64;
    let mut random = |below: usize| {
        seed = seed
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) as usize % below
    };
    let mut told = 0;
    for round in 0..40 {
        let mut bytes = whole.clone();
        let what = match round % 4 {
            0 => {
                let at = random(bytes.len());
                bytes.truncate(at);
                format!("cut at {at}")
            }
            1 => {
                let at = random(bytes.len());
                let end = (at + 300).min(bytes.len());
                bytes[at..end].fill(0);
                format!("zeros from {at}")
            }
            2 => {
                let at = random(bytes.len());
                bytes[at] ^= 1 << random(8);
                format!("a bit at {at}")
            }
            _ => {
                let (at, from) = (random(bytes.len() - 5000), random(bytes.len() - 5000));
                let part = whole[from..from + 4096].to_vec();
                bytes[at..at + 4096].copy_from_slice(&part);
                format!("a part of itself at {at}")
            }
        };
        std::fs::write(cache_file(&site), &bytes).unwrap();
        check(&site, &right, &what);
        told += usize::from(asked(&site, &["-t", "spider"]).contains("warning:"));
    }
    assert!(told > 10, "{told}");
    // And it is made anew, whatever it is now.
    build(&site);
    assert_eq!(asked(&site, &["-t", "spider"]), right[1]);
}

#[test]
fn a_cache_that_is_not_ours_is_not_used() {
    let site = large();
    let right = right_answers(&site);
    build(&site);
    let file = cache_file(&site);
    let mode =
        |mode| std::fs::set_permissions(&file, std::fs::Permissions::from_mode(mode)).unwrap();
    mode(0o666);
    assert!(asked(&site, &["-t", "avail"]).contains("others may write it"));
    check(&site, &right, "writable for all");
    mode(0o600);
    let foreign = read_as(&file, "application_id", 5);
    assert!(asked(&site, &["-t", "avail"]).contains("not written by this version"));
    check(&site, &right, "no cache of ours");
    std::fs::write(&file, foreign).unwrap();
    std::fs::write(
        &file,
        "no database at all, but a text that is long enough to be looked at",
    )
    .unwrap();
    check(&site, &right, "a text");
    std::fs::remove_file(&file).unwrap();
    std::fs::create_dir(&file).unwrap();
    check(&site, &right, "a directory");
}

/// Changes a number in the header of a cache; what the file held before.
fn read_as(file: &Path, name: &str, value: i32) -> Vec<u8> {
    let old = std::fs::read(file).unwrap();
    let connection = rusqlite::Connection::open(file).unwrap();
    connection.pragma_update(None, name, value).unwrap();
    old
}

#[test]
fn the_users_cache_of_an_older_version_is_made_anew_and_that_of_a_newer_one_stays() {
    let site = large().var("XMOD_CACHE_AFTER_MS", "100000");
    let right = right_answers(&site);
    build(&site);
    let file = cache_file(&site);
    let whole = read_as(&file, "user_version", 99);
    check(&site, &right, "of a newer version");
    let newer = std::fs::read(&file).unwrap();
    assert_ne!(newer, whole, "it stays");
    let status = site.xmod(&["cache", "status"]);
    assert!(String::from_utf8_lossy(&status.stdout).contains("but by a newer one"));
    read_as(&file, "user_version", 1);
    assert_eq!(asked(&site, &["-t", "avail"]), right[0], "no word about it");
    check(&site, &right, "of an older version");
    let renewed = std::fs::read(&file).unwrap();
    assert_eq!(renewed[60..64], whole[60..64], "it was made anew");
}

#[test]
fn a_build_that_is_killed_leaves_the_old_cache_or_the_new_one() {
    let site = large();
    // The same answers, but another file.
    let texts = [
        "whatis('Description: number 9 0')",
        "whatis('Description: number 9 0') -- again",
    ];
    write(&site, "mf/name9/1.0.lua", texts[0]);
    let right = right_answers(&site);
    build(&site);
    let start = std::time::Instant::now();
    build(&site);
    let usual = start.elapsed();
    let mut seed = 3_u64;
    for round in 0..200_u32 {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        let part = (seed >> 40) as f64 / (1_u64 << 24) as f64;
        // Every other build takes over what has changed.
        let options: &[&str] = match round % 2 {
            0 => &["--from-scratch"],
            _ => &[],
        };
        std::fs::write(
            site.root().join("mf/name9/1.0.lua"),
            texts[round as usize % 2],
        )
        .unwrap();
        let mut child = Command::new(XMOD)
            .args(["cache", "build"])
            .args(options)
            .env_clear()
            .envs(site.env())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        std::thread::sleep(usual.mul_f64(part * 1.5).min(Duration::from_millis(150)));
        let _ = child.kill();
        child.wait().unwrap();
        if round % 10 == 0 {
            assert_eq!(asked(&site, &["-t", "spider"]), right[1], "round {round}");
        }
        let session = World::new(&site, "lmod").session;
        let config = Config::new(&session);
        assert!(
            Cache::open(&session, &config).take_problems().is_empty(),
            "round {round}"
        );
    }
    check(&site, &right, "at the end");
}

#[test]
fn readers_and_two_builders_do_not_disturb_each_other() {
    let site = large();
    let right = right_answers(&site);
    build(&site);
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                for _ in 0..6 {
                    let out = site.xmod(&["cache", "build", "--from-scratch"]);
                    assert!(
                        out.status.success(),
                        "{}",
                        String::from_utf8_lossy(&out.stderr)
                    );
                }
            });
        }
        for _ in 0..64 {
            scope.spawn(|| {
                for _ in 0..2 {
                    assert_eq!(asked(&site, &["-t", "spider"]), right[1]);
                }
            });
        }
    });
    check(&site, &right, "afterwards");
    let left = std::fs::read_dir(cache_file(&site).parent().unwrap())
        .unwrap()
        .count();
    assert_eq!(left, 1, "temporary files are left");
}

#[test]
fn any_number_of_threads_makes_the_same_cache() {
    let site = large()
        .file("name2/bad.lua", "this is no Lua")
        .file("name2/endless.lua", "while true do end")
        .raw("bin/tool", b"")
        .file("tool/1.lua", "prepend_path('PATH', '$SITE/bin')\n");
    let right = right_answers(&site);
    let mut told = Vec::new();
    for jobs in ["1", "2", "8"] {
        let out = site.xmod(&["cache", "build", "--from-scratch", "--jobs", jobs]);
        assert!(out.status.success());
        let text = String::from_utf8_lossy(&out.stdout);
        told.push(text.split(':').next().unwrap_or_default().to_owned());
        let warnings = String::from_utf8_lossy(&out.stderr)
            .matches("warning:")
            .count();
        assert_eq!(
            warnings,
            2,
            "{jobs}: {}",
            String::from_utf8_lossy(&out.stderr)
        );
        for (words, right) in REQUESTS.iter().zip(&right) {
            assert_eq!(asked(&site, words), *right, "{jobs}: {words:?}");
        }
    }
    assert!(told.iter().all(|one| *one == told[0]), "{told:?}");
}

#[test]
fn a_full_disk_is_a_message_and_loses_nothing() {
    let site = large();
    build(&site);
    let small = site.root().join("small");
    std::fs::create_dir(&small).unwrap();
    // A file system of its own, in a name space of its own.
    let script = format!(
        "mount -t tmpfs -o size=96k none {small} && cp {old} {small}/c.sqlite 2>/dev/null; ls -l {small} >&2; \
         XMOD_SYSTEM_CACHE={small}/c.sqlite {XMOD} cache build --system --from-scratch; echo status $?; ls {small} | wc -l",
        small = small.display(),
        old = "/dev/null"
    );
    let out = Command::new("unshare")
        .args(["-rm", "bash", "-c", &script])
        .env_clear()
        .envs(site.env())
        .output()
        .unwrap();
    let (stdout, stderr) = (
        String::from_utf8_lossy(&out.stdout),
        String::from_utf8_lossy(&out.stderr),
    );
    assert!(
        stderr.contains("cannot write the cache"),
        "{stdout}{stderr}"
    );
    assert!(
        stderr.contains("the old cache, if there was one, is untouched"),
        "{stderr}"
    );
    assert!(
        !stdout.contains("status 0") && stdout.ends_with("1\n"),
        "{stdout}{stderr}"
    );
    // There is room for the old cache, and not for another one beside it.
    let old = cache_file(&site);
    let size = std::fs::metadata(&old).unwrap().len() / 1024 * 3 / 2;
    write(&site, "mf/name9/2.0.lua", "whatis('new')");
    let script = format!(
        "mount -t tmpfs -o size={size}k none {small} && cp {old} {small}/c.sqlite && chmod 600 {small}/c.sqlite; \
         XMOD_SYSTEM_CACHE={small}/c.sqlite {XMOD} cache build --system; echo status $?; ls {small} | wc -l; \
         cmp {old} {small}/c.sqlite && echo untouched",
        small = small.display(),
        old = old.display(),
    );
    let out = Command::new("unshare")
        .args(["-rm", "bash", "-c", &script])
        .env_clear()
        .envs(site.env())
        .output()
        .unwrap();
    let (stdout, stderr) = (
        String::from_utf8_lossy(&out.stdout),
        String::from_utf8_lossy(&out.stderr),
    );
    assert!(
        stderr.contains("cannot write the cache") && !stdout.contains("status 0"),
        "{stdout}{stderr}"
    );
    assert!(stdout.ends_with("1\nuntouched\n"), "{stdout}{stderr}");
    let right = right_answers(&site);
    // A home that cannot be written is no reason to say anything.
    let site = site
        .var("XDG_CACHE_HOME", "/proc/none")
        .var("XMOD_CACHE_AFTER_MS", "0");
    for (words, right) in REQUESTS.iter().zip(&right) {
        assert_eq!(asked(&site, words), *right);
    }
}

#[test]
fn the_user_cache_fills_by_itself_after_a_slow_crawl() {
    let site = large().var("XMOD_CACHE_AFTER_MS", "0");
    let right = right_answers(&site);
    assert!(!cache_file(&site).exists());
    check(&site, &right, "first");
    assert!(cache_file(&site).exists());
    check(&site, &right, "second");
    let quick = large().var("XMOD_CACHE_AFTER_MS", "100000");
    asked(&quick, &["-t", "spider"]);
    assert!(!cache_file(&quick).exists());
}

#[test]
fn what_users_set_for_their_screens_does_not_make_a_cache_useless() {
    let site = large();
    build(&site);
    let is_fresh = |site: &Site| {
        let status = String::from_utf8(site.xmod(&["cache", "status"]).stdout).unwrap();
        status.contains("up to date") && !status.contains("out of date")
    };
    assert!(is_fresh(&site));
    let site = site
        .var("LMOD_TERM_WIDTH", "80")
        .var("LMOD_COLORIZE", "no")
        .var("LMOD_PAGER", "cat")
        .var("MODULES_VERBOSITY", "verbose")
        .var("MODULES_ABORT_ON_ERROR", "load");
    assert!(is_fresh(&site));
    let site = site.var("LMOD_FILE_IGNORE_PATTERNS", "{'^1'}");
    assert!(!is_fresh(&site));
}

/// The system calls of a request that ask for the identity of a file or directory, as far as they name `what`.
fn looks(site: &Site, words: &[&str], what: &str) -> usize {
    let log = site.root().join("calls");
    let status = Command::new("strace")
        .args(["-f", "-e", "trace=%%stat", "-o"])
        .arg(&log)
        .args([XMOD, "bash"])
        .args(words)
        .env_clear()
        .envs(site.env())
        .output()
        .unwrap();
    assert!(status.status.success());
    let text = std::fs::read_to_string(&log).unwrap();
    text.lines().filter(|line| line.contains(what)).count()
}

fn write(site: &Site, file: &str, text: &str) {
    let file = site.root().join(file);
    std::fs::create_dir_all(file.parent().unwrap()).unwrap();
    std::fs::write(file, text).unwrap();
}

#[test]
fn a_request_for_names_sees_every_change_of_them_and_looks_nowhere_else() {
    let requests: [&[&str]; 8] = [
        &["-t", "avail", "name7"],
        &["avail", "name7"],
        &["avail", "name7/1.0"],
        &["avail", "zzz"],
        &["spider", "name7"],
        &["spider", "name7/1.0"],
        &["-t", "spider", "xname7"],
        &["avail", "lib"],
    ];
    type Change = fn(&Site);
    let changes: [(&str, Change); 9] = [
        ("nothing", |_| {}),
        ("a new version", |s| write(s, "mf/name7/2.0.lua", "")),
        ("a new name", |s| write(s, "mf/xname7/1.lua", "")),
        ("a new version of another name", |s| {
            write(s, "mf/name9/2.0-zzz.lua", "");
        }),
        ("another default", |s| {
            write(
                s,
                "mf/name7/.modulerc.lua",
                "module_version('name7/1.1', 'default')",
            );
        }),
        ("a rule in the modulepath", |s| {
            write(s, "mf/.modulerc.lua", "hide_version('name7/1.2')");
        }),
        ("an edited file", |s| {
            let text = "whatis('Description: edited')\nadd_property('state','testing')\n";
            write(s, "mf/name7/1.0.lua", text);
        }),
        ("a module that opens more", |s| {
            let text = "prepend_path('MODULEPATH', pathJoin(myFileName():match('(.*)/mf/'), 'mf-gcc/../more'))\n";
            write(s, "more/lib7/1.lua", "");
            write(s, "mf/gcc/13.lua", text);
        }),
        ("a removed version", |s| {
            std::fs::remove_file(s.root().join("mf/name7/1.4.lua")).unwrap();
        }),
    ];
    for (what, change) in changes {
        let site = large();
        build(&site);
        change(&site);
        for words in requests {
            let right = site.run_words(&[&["--ignore_cache"], words].concat());
            let answer = site.run_words(words);
            assert_eq!(answer.stderr(), right.stderr(), "{what}: {words:?}");
            assert_eq!(answer.ok(), right.ok(), "{what}: {words:?}");
        }
    }
    if require("strace") {
        let site = large();
        build(&site);
        for words in [["avail", "name7"], ["spider", "name7"]] {
            assert!(looks(&site, &words, "\"name7") > 0, "{words:?}");
            assert_eq!(looks(&site, &words, "\"name8"), 0, "{words:?}");
        }
        assert!(looks(&site, &["avail", "1.3"], "\"name8") > 0);
    }
}

#[test]
fn a_cache_is_written_again_only_where_something_has_changed() {
    use std::os::unix::fs::MetadataExt;
    let site = large()
        .file("tool/1.lua", "prepend_path('PATH', '$SITE/bin')\n")
        .raw("bin/tool", b"#!/bin/sh\n");
    let program = |name: &str| {
        let file = site.root().join("bin").join(name);
        std::fs::write(&file, "#!/bin/sh\n").unwrap();
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o755)).unwrap();
    };
    program("tool");
    age(&site.root());
    let inode = || {
        build(&site);
        std::fs::metadata(cache_file(&site)).unwrap().ino()
    };
    let first = inode();
    assert_eq!(inode(), first, "nothing has changed");
    program("other");
    let second = inode();
    assert_ne!(second, first, "there is a new program");
    assert!(asked(&site, &["-t", "search", "other"]).contains("tool/1"));
    // A copy counts on from there.
    let changes = || read_number(&std::fs::read(cache_file(&site)).unwrap(), 24);
    let before = changes();
    std::fs::write(site.root().join("mf/name7/1.0.lua"), "whatis('edited')").unwrap();
    let third = inode();
    assert_ne!(third, second, "a modulefile was edited");
    assert!(changes() > before, "not written anew");
    assert!(asked(&site, &["-t", "keyword", "edited"]).contains("name7/1.0"));
    age(&site.root());
    inode();
    let fourth = inode();
    assert_eq!(inode(), fourth, "nothing has changed since");
    let text = "prepend_path('PATH', '$SITE/more')".replace("$SITE", site.root().to_str().unwrap());
    std::fs::create_dir(site.root().join("more")).unwrap();
    std::fs::copy(
        site.root().join("bin/tool"),
        site.root().join("more/newest"),
    )
    .unwrap();
    std::fs::write(site.root().join("mf/name7/1.0.lua"), text).unwrap();
    inode();
    assert_eq!(changes(), before, "written anew, with another program");
    assert!(asked(&site, &["-t", "search", "newest"]).contains("name7/1.0"));
    assert!(!asked(&site, &["-t", "keyword", "edited"]).contains("name7/1.0"));
}

/// A number in the header of an SQLite file.
fn read_number(bytes: &[u8], at: usize) -> u32 {
    u32::from_be_bytes(bytes[at..at + 4].try_into().unwrap())
}

#[test]
fn damage_is_not_copied_into_the_next_cache() {
    let site = large();
    build(&site);
    let whole = std::fs::read(cache_file(&site)).unwrap();
    let at = whole
        .windows(11)
        .position(|part| part == b"number 30 0")
        .expect("a text of the tree");
    let mut bytes = whole.clone();
    bytes[at] ^= 1;
    std::fs::write(cache_file(&site), &bytes).unwrap();
    write(&site, "mf/name7/1.0.lua", "whatis('Description: edited')");
    let right = right_answers(&site);
    build(&site);
    check(&site, &right, "damage beside what was edited");
    let now = std::fs::read(cache_file(&site)).unwrap();
    assert_eq!(
        read_number(&now, 24),
        read_number(&whole, 24),
        "written anew"
    );
}

#[test]
fn what_has_changed_is_taken_over_and_the_rest_kept() {
    type Change = fn(&Site);
    // What is done, and whether the names concerned can be surveyed alone.
    let changes: [(&str, bool, Change); 12] = [
        ("a new version", true, |s| {
            write(s, "mf/name7/2.0.lua", "whatis('Description: new')");
        }),
        ("an edited modulefile", false, |s| {
            write(s, "mf/name7/1.0.lua", "whatis('Description: edited')");
        }),
        ("a removed version", true, |s| {
            std::fs::remove_file(s.root().join("mf/name7/1.4.lua")).unwrap();
        }),
        ("a new name", true, |s| write(s, "mf/a-first/1.lua", "")),
        ("a new last name", true, |s| write(s, "mf/zz/1.lua", "")),
        ("a removed name", true, |s| {
            std::fs::remove_dir_all(s.root().join("mf/name7")).unwrap();
        }),
        ("a new directory in a name", true, |s| {
            write(s, "mf/name7/deep/3.lua", "whatis('deep')");
        }),
        ("another default", true, |s| {
            write(s, "mf/name7/.version", "#%Module\nset ModulesVersion 1.1\n");
        }),
        ("an rc file in a name", true, |s| {
            let text =
                "#%Module\nmodule-version ./1.2 old\nhide-version ./1.3\nmodule-alias ./x ./1.0\n";
            write(s, "mf/name7/.modulerc", text);
        }),
        ("an rc file that speaks of others", false, |s| {
            write(
                s,
                "mf/name7/.modulerc",
                "#%Module\nmodule-alias other name8/1.0\n",
            );
        }),
        ("an rc file of the modulepath", false, |s| {
            write(s, "mf/.modulerc.lua", "hide_version('name7/1.2')");
        }),
        ("a module that opens others", true, |s| {
            let text =
                "prepend_path('MODULEPATH', pathJoin(myFileName():match('(.*)/mf/'), 'more'))\n";
            write(s, "more/lib7/1.lua", "");
            write(s, "mf/gcc/14.lua", text);
        }),
    ];
    let renewed = |world: &World| {
        let (config, languages) = (world.config(), Languages::default());
        let mut rc = RcEvaluator::new(&world.session, &config, &languages, "bash");
        let mut cache = Cache::open(&world.session, &config);
        let crawl = Roots::new(world.modulepaths.clone()).crawl(&mut rc, &mut cache, None);
        let surveyed = &crawl.known[0].surveyed;
        assert!(crawl.store().is_some_and(|store| !store.is_damaged()));
        (surveyed.survey.is_renewed, crawl.evaluated())
    };
    for (what, alone, change) in changes {
        let site = large();
        build(&site);
        change(&site);
        let world = World::new(&site, "lmod");
        let (is_renewed, evaluated) = renewed(&world);
        assert_eq!(is_renewed, alone, "{what}");
        let status = || {
            let out = site.xmod(&["cache", "status"]);
            String::from_utf8_lossy(&out.stdout).into_owned()
        };
        assert!(
            !alone || status().contains("out of date"),
            "{what}: {}",
            status()
        );
        assert!(evaluated <= 2, "{what}: {evaluated} evaluated");
        let right = right_answers(&site);
        check(&site, &right, what);
        build(&site);
        check(&site, &right, what);
        assert_eq!(world.cached().0, world.disk(), "{what}");
        // And back again.
        age(&site.root());
        build(&site);
        assert_eq!(renewed(&world), (false, 0), "{what}: built again");
        assert!(!status().contains("out of date"), "{what}: {}", status());
        for words in REQUESTS
            .iter()
            .chain([&["-t", "search", "old"][..], &["--json", "spider"][..]].iter())
        {
            let all = site.run_words(&[&["--ignore_cache"], *words].concat());
            assert_eq!(
                site.run_words(words).stderr(),
                all.stderr(),
                "{what}: {words:?}"
            );
        }
    }
}

#[test]
fn broken_modulefiles_are_remembered_until_they_are_mended() {
    let site = Site::new()
        .file("good/1.lua", "whatis('fine')")
        .file("bad/1.lua", "setenv('A', nil .. 'x')\n")
        .file("bad/2", "whatis {unknown\n")
        .var("XMOD_CACHE_AFTER_MS", "100000");
    age(&site.root());
    let warned = asked(&site, &["spider"]);
    assert!(
        warned.contains("bad/1.lua` is broken") && warned.contains("(and 1 more)"),
        "{warned}"
    );
    build(&site);
    let world = World::new(&site, "lmod");
    let evaluated = || {
        let (config, languages) = (world.config(), Languages::default());
        let mut rc = RcEvaluator::new(&world.session, &config, &languages, "bash");
        let mut cache = Cache::open(&world.session, &config);
        let crawl = Roots::new(world.modulepaths.clone()).crawl(&mut rc, &mut cache, None);
        (crawl.evaluated(), crawl.mistakes.len())
    };
    assert_eq!(evaluated(), (0, 2));
    assert_eq!(asked(&site, &["spider"]), warned);
    // A build tries them again, and shows the line.
    let out = site.xmod(&["cache", "build"]);
    let said = String::from_utf8_lossy(&out.stderr);
    assert!(
        said.contains("bad/1.lua:1:") && said.contains("bad/2:"),
        "{said}"
    );
    std::fs::write(site.root().join("mf/bad/1.lua"), "whatis('mended')").unwrap();
    assert_eq!(evaluated(), (1, 1));
    assert!(asked(&site, &["-t", "keyword", "mended"]).contains("bad/1"));
}

#[test]
fn stamp_and_trust_believe_what_they_are_told() {
    let site = large();
    build(&site);
    let seen = |site: &Site, what: &str| asked(site, &["-t", "avail", "new"]).contains(what);
    let site = site.file("new/1.lua", "");
    assert!(seen(&site, "new/1"), "dir looks");
    let site = site.var("XMOD_CACHE_FRESHNESS", "trust");
    assert!(!seen(&site, "new/1"), "trust does not");
    // A stamp file counts from the build that saw it.
    let site = site
        .raw("mf/.xmod-stamp", b"")
        .var("XMOD_CACHE_FRESHNESS", "$SITE/mf=stamp; trust");
    build(&site);
    assert!(seen(&site, "new/1"));
    let site = site.file("new/2.lua", "");
    assert!(!seen(&site, "new/2"), "the stamp has not changed");
    let site = site.raw("mf/.xmod-stamp", b"again");
    assert!(seen(&site, "new/2"), "the stamp has changed");
}

#[test]
fn what_depends_on_the_user_is_not_in_the_system_cache() {
    let site = Site::new()
        .file(
            "gcc/13.lua",
            "prepend_path('MODULEPATH', pathJoin(os.getenv('HOME'), 'mf'))\n",
        )
        .file("hi/1", "module-whatis \"for $env(USER)\"\n")
        .file(".modulerc", "#%Module\nmodule-hide --user nobody hi\n")
        .raw("home/mf/own/1.lua", b"")
        .raw("other/mf/theirs/1.lua", b"")
        .var("XMOD_SYSTEM_CACHE", "$SITE/system.sqlite");
    age(&site.root());
    let out = site.xmod(&["cache", "build", "--system"]);
    assert!(out.status.success());
    assert!(asked(&site, &["-t", "spider"]).contains("own/1"));
    assert!(asked(&site, &["-t", "keyword", "for alice"]).contains("hi/1"));
    let site = site.var("HOME", "$SITE/other").var("USER", "bob");
    let all = asked(&site, &["-t", "spider"]);
    assert!(all.contains("theirs/1") && !all.contains("own/1"), "{all}");
    assert!(asked(&site, &["-t", "keyword", "for bob"]).contains("hi/1"));
    assert!(!asked(&site, &["-t", "keyword", "for alice"]).contains("hi/1"));
}

#[test]
fn odd_trees_are_cached_like_others() {
    let site = large();
    let mf = site.root().join("mf");
    std::os::unix::fs::symlink(&mf, mf.join("loop")).unwrap();
    std::os::unix::fs::symlink("../name1", mf.join("name1/back")).unwrap();
    std::os::unix::fs::symlink("nowhere", mf.join("broken")).unwrap();
    let site = site
        .file("name2/bad.lua", "this is no Lua")
        .file("name2/endless.lua", "while true do end")
        .raw("mf/new\nline/1.lua", b"")
        .raw("mf/with blank/1 2.lua", b"")
        .raw("mf/quote'\"/1.lua", b"")
        .raw("mf/empty/1", b"");
    let right = right_answers(&site);
    assert!(right[0].contains("with blank/1 2") && right[0].contains("quote'\"/1"));
    build(&site);
    for (words, right) in REQUESTS.iter().zip(&right) {
        assert_eq!(asked(&site, words), *right);
    }
    // An empty file may become a modulefile without a change of its directory.
    let file = std::fs::File::options()
        .append(true)
        .open(mf.join("empty/1"))
        .unwrap();
    std::io::Write::write_all(&mut &file, b"#%Module\n").unwrap();
    assert!(asked(&site, &["-t", "avail"]).contains("empty/1"));
}

#[test]
fn directories_that_not_everybody_may_read_stay_out_of_the_system_cache() {
    let site = large().var("XMOD_SYSTEM_CACHE", "$SITE/system.sqlite");
    let secret = site.root().join("mf/name3");
    std::fs::set_permissions(&secret, std::fs::Permissions::from_mode(0o700)).unwrap();
    let right = right_answers(&site);
    assert!(site.xmod(&["cache", "build", "--system"]).status.success());
    let bytes = std::fs::read(site.root().join("system.sqlite")).unwrap();
    let holds = |text: &[u8]| bytes.windows(text.len()).any(|part| part == text);
    assert!(holds(b"number 4 1") && !holds(b"number 3 1"));
    // Those who may read them still see them.
    check(&site, &right, "with the system cache");
}
