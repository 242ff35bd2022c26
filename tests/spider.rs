//! The formats of the `spider` program, beside Lmod's own.

use std::collections::BTreeMap;
use std::process::Command;

use serde_json::Value;

use crate::support::{Peer, Site};

/// A hierarchy: a compiler that opens a modulepath with a library, and two versions of a tool.
fn site() -> Site {
    Site::new()
        .file(
            "gcc/13.lua",
            "whatis('Description: compilers')\nfamily('compiler')\nprepend_path('MODULEPATH', '$SITE/mf-gcc')\nprepend_path('PATH', '$SITE/bin')\n",
        )
        .file("tool/1.0.lua", "help('old')\nwhatis('Category: tools')\n")
        .file("tool/2.0.lua", "help('new')\nwhatis('Category: tools')\nwhatis('URL: https://example.org')\n")
        .file("tool/.modulerc.lua", "module_version('tool/1.0', 'default')\n")
        .raw("mf-gcc/lib/3.lua", b"whatis('Description: a library')\n")
        .raw("bin/gcc", b"")
}

/// The directories of packages, which sites name in variables, are known and bound the reverse map as in Lmod.
#[test]
fn directories_of_packages_are_lmods() {
    let hooked = b"require('Hook').register('packagebasename', function(t)
        if t.patDir ~= '^HPC_.*_DIR' or t.patLib ~= '^HPC_.*_LIB' then error(t.patDir .. t.patLib) end
        t.patDir, t.patLib = '^ROOT_', '^LIBS_'
    end)";
    for package in [&b""[..], hooked] {
        let site = Site::new()
            .file(
                "tool/1.0.lua",
                "setenv('HPC_TOOL_DIR', '$SITE/tool') setenv('HPC_TOOL_LIB', '$SITE/tool/lib')\n\
                 setenv('ROOT_TOOL', '$SITE/other') setenv('LIBS_TOOL', '$SITE/other/lib')\n\
                 prepend_path('PATH', '$SITE/tool/bin') prepend_path('PATH', '$SITE/other/bin')\n\
                 prepend_path('LD_LIBRARY_PATH', '$SITE/tool/lib')",
            )
            .file("free/1.0.lua", "prepend_path('PATH', '$SITE/free/bin')")
            .raw("tool/bin/a", b"")
            .raw("tool/lib/a", b"")
            .raw("other/bin/a", b"")
            .raw("other/lib/a", b"")
            .raw("free/bin/a", b"")
            .raw("lmod/SitePackage.lua", package)
            .var("LMOD_SITE_NAME", "HPC")
            .var("LMOD_PACKAGE_PATH", "$SITE/lmod");
        let fields = |page: &Value| {
            let file = site.root().join("mf/tool/1.0.lua");
            let about = &page["tool"][file.to_str().unwrap()];
            ["pathA", "lpathA", "dirA"].map(|field| about[field].clone())
        };
        let (a, b) = (ours(&site, "spider-json"), theirs(&site, "spider-json"));
        assert_eq!(fields(&a), fields(&b));
        assert!(fields(&a)[2].is_object());
        for style in ["jsonReverseMapT", "xalt_rmapT"] {
            let map = |page: Value| page["reverseMapT"].clone();
            let (a, b) = (map(ours(&site, style)), map(theirs(&site, style)));
            assert_eq!(a, b, "{style}");
            assert!(a.as_object().unwrap().len() > 2, "{a}");
        }
    }
}

fn ours(site: &Site, style: &str) -> Value {
    let dir = site.root().join("mf");
    let out = site.xmod(&["spider", "-o", style, dir.to_str().unwrap()]);
    assert!(
        out.status.success() && out.stderr.is_empty(),
        "{}",
        String::from_utf8_lossy(&out.stderr)
    );
    serde_json::from_slice(&out.stdout).unwrap()
}

fn theirs(site: &Site, style: &str) -> Value {
    let spider = std::path::Path::new(&Peer::Lmod.command()).with_file_name("spider");
    let out = Command::new(spider)
        .args(["-o", style, site.root().join("mf").to_str().unwrap()])
        .env_clear()
        .envs(site.env())
        .output()
        .unwrap();
    serde_json::from_slice(&out.stdout).unwrap()
}

/// The fields that readers look at, of every version of every package.
fn versions(page: &Value) -> BTreeMap<String, BTreeMap<String, Value>> {
    let mut versions = BTreeMap::new();
    for package in page.as_array().unwrap() {
        for version in package["versions"].as_array().unwrap() {
            let fields = [
                "full",
                "versionName",
                "path",
                "markedDefault",
                "wV",
                "canonicalVersionString",
                "help",
                "family",
                "parent",
            ];
            let record = fields
                .iter()
                .filter_map(|f| version.get(*f).map(|v| ((*f).to_owned(), v.clone())))
                .collect();
            versions.insert(version["full"].as_str().unwrap().to_owned(), record);
        }
    }
    versions
}

#[test]
fn the_software_page_says_what_lmods_says() {
    let site = site();
    let (here, there) = (
        ours(&site, "jsonSoftwarePage"),
        theirs(&site, "jsonSoftwarePage"),
    );
    assert_eq!(versions(&here), versions(&there));
    assert_eq!(versions(&here).len(), 4);
    let default = |page: &Value| -> BTreeMap<String, Value> {
        let packages = page.as_array().unwrap().iter();
        packages
            .map(|p| {
                (
                    p["package"].as_str().unwrap().to_owned(),
                    p["defaultVersionName"].clone(),
                )
            })
            .collect()
    };
    assert_eq!(default(&here), default(&there));
}

#[test]
fn spider_json_names_every_file_and_the_way_to_it() {
    let site = site();
    let (here, there) = (ours(&site, "spider-json"), theirs(&site, "spider-json"));
    let keys = |v: &Value| {
        v.as_object()
            .unwrap()
            .keys()
            .cloned()
            .collect::<std::collections::BTreeSet<_>>()
    };
    assert_eq!(keys(&here), keys(&there));
    for name in keys(&here) {
        assert_eq!(keys(&here[&name]), keys(&there[&name]), "{name}");
    }
    let file = site.root().join("mf-gcc/lib/3.lua");
    let record = &here["lib"][file.to_str().unwrap()];
    assert_eq!(record["parentAA"], serde_json::json!([["gcc/13"]]));
    assert_eq!(record["Version"], "3");
}

#[test]
fn the_reverse_map_leads_from_a_directory_to_its_module() {
    let site = site();
    let map = ours(&site, "xalt_rmapT");
    let bin = site.root().join("bin");
    assert_eq!(map["reverseMapT"][bin.to_str().unwrap()], "gcc/13");
    let out = site.xmod(&["spider", "-o", "nonsense", "/"]);
    assert_eq!(out.status.code(), Some(2));
}

/// What Lmod says of all modules, with its own walk or with the cache file in `cache`.
fn lmods_spider(site: &Site, cache: Option<&std::path::Path>) -> String {
    let rc = cache.map(|dir| {
        let rc = site.root().join("lmodrc.lua");
        let stamp = dir.join("stamp");
        std::fs::write(&stamp, "").unwrap();
        let text = format!(
            "scDescriptT = {{ {{ dir = \"{}\", timestamp = \"{}\" }} }}\n",
            dir.display(),
            stamp.display()
        );
        std::fs::write(&rc, text).unwrap();
        rc
    });
    let mut said = String::new();
    for words in [
        &["-t", "spider"][..],
        &["spider", "lib/3"],
        &["spider", "tool/2.0"],
        &["keyword", "compilers"],
        &["avail"],
    ] {
        let mut lmod = Command::new(Peer::Lmod.command());
        lmod.arg("bash").args(words).env_clear().envs(site.env());
        if let Some(rc) = &rc {
            lmod.env("LMOD_RC", rc);
        } else {
            lmod.env("LMOD_IGNORE_CACHE", "1");
        }
        said.push_str(&String::from_utf8(lmod.output().unwrap().stderr).unwrap());
    }
    said
}

#[test]
fn lmod_answers_from_the_cache_file_that_we_write() {
    let site = site();
    let walked = lmods_spider(&site, None);
    assert!(
        walked.contains("gcc/13") && walked.contains("lib/3"),
        "{walked}"
    );
    let cache = site.root().join("cache");
    std::fs::create_dir(&cache).unwrap();
    // The file is newer than its stamp, so that Lmod trusts it; a module that only the cache knows proves that it did.
    std::fs::write(cache.join("stamp"), "").unwrap();
    let dir = site.root().join("mf");
    let out = site.xmod(&["spider", "-o", "moduleT", dir.to_str().unwrap()]);
    assert!(out.status.success() && out.stderr.is_empty());
    let text = String::from_utf8(out.stdout).unwrap();
    std::fs::write(cache.join("spiderT.lua"), &text).unwrap();
    assert_eq!(lmods_spider(&site, Some(&cache)), walked);
    let text = text.replace("\"help\"] = \"new\"", "\"help\"] = \"from the cache\"");
    std::fs::write(cache.join("spiderT.lua"), text).unwrap();
    assert!(lmods_spider(&site, Some(&cache)).contains("from the cache"));
}

#[test]
fn the_lua_texts_are_tables_of_lua() {
    let site = site();
    let dir = site.root().join("mf");
    for (style, variable) in [
        ("moduleT", "spiderT"),
        ("spiderT", "mpathMapT"),
        ("dbT", "provideByT"),
        ("reverseMapT", "reverseMapT"),
        ("softwarePageLua", "spA"),
    ] {
        let out = site.xmod(&["spider", "-o", style, dir.to_str().unwrap()]);
        let file = site.root().join("text.lua");
        std::fs::write(&file, &out.stdout).unwrap();
        let check = format!(
            "dofile('{}'); assert(type({variable}) == 'table')",
            file.display()
        );
        let lua = Command::new("lua5.3")
            .args(["-e", &check])
            .output()
            .unwrap();
        assert!(
            lua.status.success(),
            "{style}: {}",
            String::from_utf8_lossy(&lua.stderr)
        );
    }
}
