//! The catalog: what modulefiles, the overlay and the tree give, in every format.

use std::process::{Command, Stdio};

use serde_json::Value;

use crate::support::{Site, in_repo};

/// Texts that are code somewhere: in HTML, in scripts, in tables.
const HOSTILE: &str =
    "<script>alert(1)</script> \"q\" 'a' `b` $(c) | =1+1 </textarea> \u{202e}rtl\u{202c} \u{2028}";

/// A hierarchy with all three languages, a deprecated version, a hidden one, one that nobody may load, and hostile texts.
fn site() -> Site {
    Site::new()
        .file(
            "gcc/13.lua",
            "whatis('Description: compilers')\nwhatis('Category: Compilers')\nfamily('compiler')\nprepend_path('MODULEPATH', '$SITE/mf-gcc')\n",
        )
        .file(
            "clang/17",
            "module-whatis {Description: other compilers}\nmodule-whatis {Category: compilers}\nmodule use $SITE/mf-gcc\n",
        )
        .file(
            "bwa.toml",
            "description = 'aligns reads'\ncategory = 'Bioinfomatics'\nkeywords = ['reads', 'genome']\nurl = 'https://bio.example.org'\n\
             license = 'MIT'\nmaintainer = 'ada@example.org'\nhelp = 'how to'\n[metadata]\ncontact = 'desk'\n\
             [versions]\n'0.7.16' = { deprecated = 'old' }\n'0.7.17' = { default = true, symbols = 'stable' }\n'0.7.18' = { hidden = true }\n",
        )
        .file("samtools/1.0.lua", "whatis('Category: Bioinformatics')\nwhatis('Homepage: (none)')\ndepends_on('zlib')\n")
        .file("samtools/1.2.lua", "whatis('Category: Bioinformatics')\nextensions('htslib/1.2')\n")
        .file("zlib/1.3.lua", "whatis([[Name : zlib]])\nwhatis([[Short description : A compression library.]])\n")
        .file("evil/1.lua", &format!("whatis('Keywords: odd')\nwhatis([==[Description: {HOSTILE}]==])\nwhatis([==[Category: {HOSTILE}]==])\nhelp([==[{HOSTILE}]==])\n"))
        .file("broken/1.lua", "this is no Lua\n")
        .file("bio/blast/2.lua", "whatis('looks for likeness')\n")
        .raw("mf-gcc/hdf5/1.14.lua", b"whatis('Description: data')\n")
        .raw(
            "catalog.toml",
            b"[site]\ntitle = 'Example'\n[categories]\nBioinformatics = ['Bioinfomatics']\n[correct.zlib]\ncategory = 'Libraries'\n\
              [complete.'*']\nmaintainer = 'desk@example.org'\n[correct.broken]\nhidden = true\n[job]\npartitions = ['short', 'long']\n",
        )
}

fn export(site: &Site, format: &str, more: &[&str]) -> std::process::Output {
    let overlay = site.root().join("catalog.toml");
    let mut words = vec![
        "catalog",
        "export",
        "--format",
        format,
        "--overlay",
        overlay.to_str().unwrap(),
    ];
    words.extend(more);
    let output = site.xmod(&words);
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    output
}

fn json(site: &Site) -> Value {
    serde_json::from_slice(&export(site, "json", &[]).stdout).unwrap()
}

fn package<'v>(catalog: &'v Value, name: &str) -> &'v Value {
    let mut modules = catalog["modules"].as_array().unwrap().iter();
    modules
        .find(|m| m["name"] == name)
        .unwrap_or_else(|| panic!("no {name}"))
}

/// Whether a document fits the schema; what the validator says.
fn validate(document: &[u8]) -> (bool, String) {
    let mut child = Command::new("python3")
        .arg(in_repo("tests/catalog/validate.py"))
        .arg(in_repo("docs/reference/catalog.schema.json"))
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    std::io::Write::write_all(&mut child.stdin.take().unwrap(), document).unwrap();
    let output = child.wait_with_output().unwrap();
    (
        output.status.success(),
        String::from_utf8(output.stderr).unwrap(),
    )
}

#[test]
fn the_json_document_fits_its_schema() {
    let site = site();
    let document = export(&site, "json", &[]).stdout;
    let (fits, said) = validate(&document);
    assert!(fits, "{said}");
    let wrong = String::from_utf8(document)
        .unwrap()
        .replace("https://bio.example.org", "javascript:x");
    let (fits, said) = validate(wrong.as_bytes());
    assert!(!fits && said.contains("javascript:x"), "{said}");
}

#[test]
fn the_catalog_says_what_modulefiles_and_the_overlay_say() {
    let site = site();
    let catalog = json(&site);
    let bwa = package(&catalog, "bwa");
    assert_eq!(
        bwa["categories"],
        serde_json::json!(["Bioinformatics"]),
        "merged by the overlay"
    );
    assert_eq!(bwa["keywords"], serde_json::json!(["reads", "genome"]));
    assert_eq!(bwa["url"], "https://bio.example.org");
    assert_eq!(bwa["license"], "MIT");
    assert_eq!(
        bwa["maintainers"],
        serde_json::json!(["ada@example.org"]),
        "not completed"
    );
    assert_eq!(bwa["metadata"]["contact"], serde_json::json!(["desk"]));
    assert_eq!(bwa["default"], "bwa/0.7.17");
    let versions: Vec<&str> = bwa["versions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|v| v["full_name"].as_str().unwrap())
        .collect();
    assert_eq!(
        versions,
        ["bwa/0.7.17", "bwa/0.7.16"],
        "the hidden one is left out"
    );
    assert_eq!(bwa["versions"][0]["symbols"], serde_json::json!(["stable"]));
    assert_eq!(bwa["versions"][1]["warnings"], serde_json::json!(["old"]));
    // Spellings that differ in case only are one.
    assert_eq!(
        package(&catalog, "gcc")["categories"],
        package(&catalog, "clang")["categories"]
    );
    let zlib = package(&catalog, "zlib");
    assert_eq!(zlib["description"], "A compression library.");
    assert_eq!(zlib["categories"], serde_json::json!(["Libraries"]));
    assert_eq!(zlib["maintainers"], serde_json::json!(["desk@example.org"]));
    assert_eq!(package(&catalog, "samtools")["url"], "");
    assert_eq!(
        package(&catalog, "samtools")["versions"][1]["requires"],
        serde_json::json!(["zlib"])
    );
    assert_eq!(
        package(&catalog, "bio/blast")["categories"],
        serde_json::json!(["Bioinformatics"])
    );
    // One modulefile, two ways to it.
    assert_eq!(
        package(&catalog, "hdf5")["versions"][0]["files"][0]["ways"],
        serde_json::json!([["clang/17"], ["gcc/13"]])
    );
    assert!(
        catalog["modules"]
            .as_array()
            .unwrap()
            .iter()
            .all(|m| m["name"] != "broken")
    );
    assert_eq!(catalog["site"]["title"], "Example");
}

#[test]
fn the_same_tree_gives_the_same_bytes() {
    let site = site();
    for format in ["json", "csv", "markdown", "ood", "lmod-software-page"] {
        let first = export(&site, format, &[]).stdout;
        assert_eq!(first, export(&site, format, &[]).stdout, "{format}");
        assert!(!first.is_empty());
    }
}

#[test]
fn a_file_is_replaced_whole_or_not_at_all() {
    let site = site();
    let path = site.root().join("out.json");
    std::fs::write(&path, "old").unwrap();
    let inode = || std::os::unix::fs::MetadataExt::ino(&std::fs::metadata(&path).unwrap());
    let before = inode();
    export(&site, "json", &["--output", path.to_str().unwrap()]);
    assert_ne!(inode(), before, "written in place");
    assert_eq!(
        std::fs::read(&path).unwrap(),
        export(&site, "json", &[]).stdout
    );
    // A request that fails leaves what was there.
    let output = site.xmod(&[
        "catalog",
        "export",
        "--format",
        "json",
        "--output",
        path.to_str().unwrap(),
        "/nowhere",
    ]);
    assert!(!output.status.success());
    assert!(String::from_utf8_lossy(&output.stderr).contains("`/nowhere` is no directory"));
    assert!(std::fs::read_to_string(&path).unwrap().starts_with('{'));
}

#[test]
fn open_ondemand_gets_no_hidden_modules() {
    let site = site();
    let document: Value = serde_json::from_slice(&export(&site, "ood", &[]).stdout).unwrap();
    let bwa = document["bwa"].as_object().unwrap();
    let versions: Vec<&str> = bwa
        .values()
        .map(|record| record["Version"].as_str().unwrap())
        .collect();
    assert_eq!(versions, ["0.7.16", "0.7.17"]);
    let page: Value =
        serde_json::from_slice(&export(&site, "lmod-software-page", &[]).stdout).unwrap();
    assert!(
        page.as_array()
            .unwrap()
            .iter()
            .any(|p| p["package"] == "bwa" && p["keywords"] == "reads, genome")
    );
}

#[test]
fn tables_are_tables_whatever_the_texts_hold() {
    let site = site();
    let csv = String::from_utf8(export(&site, "csv", &[]).stdout).unwrap();
    let rows = "import csv, sys\nrows = list(csv.reader(sys.stdin))\nassert all(len(r) == len(rows[0]) for r in rows), rows\n\
                by = {r[0]: dict(zip(rows[0], r)) for r in rows[1:]}\nassert by['evil']['Description'].startswith('<script>')\n\
                assert by['hdf5']['Load'] == 'module load clang/17 hdf5/1.14', by['hdf5']\nassert by['bwa']['Versions'] == 'bwa/0.7.17 bwa/0.7.16'\n\
                assert not any(c.startswith(('=', '+', '@')) for r in rows for c in r)\n";
    let mut child = Command::new("python3")
        .args(["-c", rows])
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    std::io::Write::write_all(&mut child.stdin.take().unwrap(), csv.as_bytes()).unwrap();
    assert!(child.wait().unwrap().success());
    let markdown = String::from_utf8(export(&site, "markdown", &[]).stdout).unwrap();
    assert!(!markdown.contains("<script>"), "{markdown}");
    for line in markdown.lines().filter(|line| line.starts_with('|')) {
        let bars = line.replace("\\|", "").matches('|').count();
        assert_eq!(bars, 6, "{line}");
    }
    assert!(markdown.contains(
        "| bwa |  | <https://bio.example.org> | reads, genome | **0.7.17** (default), 0.7.16 |"
    ));
}

#[test]
fn the_report_names_what_is_missing() {
    let site = site();
    let report: Value =
        serde_json::from_slice(&site.xmod(&["catalog", "report", "--format", "json"]).stdout)
            .unwrap();
    assert!(
        report["missing"]["url"]
            .as_array()
            .unwrap()
            .iter()
            .any(|n| n == "samtools")
    );
    assert!(
        report["missing"]["license"]
            .as_array()
            .unwrap()
            .iter()
            .all(|n| n != "bwa")
    );
    assert_eq!(
        report["similar_categories"],
        serde_json::json!([["Bioinfomatics", "Bioinformatics"]])
    );
    assert_eq!(report["broken"].as_object().unwrap().len(), 1);
    let text = String::from_utf8(site.xmod(&["catalog", "report"]).stdout).unwrap();
    assert!(
        text.contains("\"Bioinformatics\" = [\"Bioinfomatics\"]"),
        "{text}"
    );
}

#[test]
fn a_mistake_in_the_overlay_is_shown_with_its_place() {
    let site = site().raw("catalog.toml", b"[correct.gcc]\ncatgory = 'x'\n");
    let overlay = site.root().join("catalog.toml");
    let output = site.xmod(&[
        "catalog",
        "export",
        "--format",
        "json",
        "--overlay",
        overlay.to_str().unwrap(),
    ]);
    assert!(!output.status.success() && output.stdout.is_empty());
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(
        said.contains("catalog.toml:2:1") && said.contains("catgory"),
        "{said}"
    );
}

#[test]
fn a_batch_script_is_printed_only_when_the_job_can_run() {
    let site = site();
    let words = [
        "sbatch",
        "--modules",
        "gcc/13",
        "hdf5",
        "--partition",
        "short",
        "--time",
        "1:00:00",
        "--",
        "h5ls",
        "a file",
    ];
    let output = site.xmod(&words);
    assert_eq!(
        String::from_utf8(output.stdout).unwrap(),
        "#!/bin/bash\n#SBATCH --partition=short\n#SBATCH --time=1:00:00\n\nmodule load gcc/13 || exit 1\nmodule load hdf5 || exit 1\n\n\
         # The first command that fails ends the job.\nset -e\n\nh5ls 'a file'\n"
    );
    // In a hierarchy the compiler comes first.
    let output = site.xmod(&["sbatch", "--modules", "hdf5", "--", "true"]);
    assert!(!output.status.success() && output.stdout.is_empty());
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(
        said.contains("hdf5") && said.contains("--no-check"),
        "{said}"
    );
    assert!(
        site.xmod(&["sbatch", "--no-check", "--modules", "hdf5", "--", "true"])
            .status
            .success()
    );
    for (words, part) in [
        (
            vec!["sbatch", "--time", "2h", "--", "true"],
            "`2h` is no time limit",
        ),
        (
            vec!["sbatch", "--modules", "gcc"],
            "there is no command to run",
        ),
        (
            vec!["sbatch", "--group", "maybe", "x"],
            "`sequence` or `parallel`",
        ),
        (
            vec!["sbatch", "--mail-type", "NEVER", "--", "true"],
            "`NEVER` is no event",
        ),
    ] {
        let output = site.xmod(&words);
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(
            !output.status.success() && output.stdout.is_empty() && said.contains(part),
            "{words:?}: {said}"
        );
    }
}

/// A log of loads, as syslog has them in a file: `(module, version, how often)`.
fn usage_log(loads: &[(&str, &str, usize)]) -> String {
    let mut text = String::new();
    let mut number = 0;
    for (name, version, count) in loads {
        for _ in 0..*count {
            number += 1;
            let time = format!("2026-0{}-15T12:00:00.{number:06}Z", 1 + number % 6);
            text.push_str(&format!(
                "<14>1 {time} node1 xmod 1 load [xmod@32473 time=\"{time}\" host=\"node1\" pid=\"1\" seq=\"0\" uid=\"4200{}\" user=\"u{}\" \
                 gid=\"42000\" asked=\"{name}@{version}\"] {name}\n",
                number % 7,
                number % 7
            ));
        }
    }
    text
}

/// A job as the form has it and as options of `xmod sbatch`; `true` where the browser fills the form with it.
fn jobs() -> Vec<(Value, Vec<&'static str>, bool)> {
    let job = |changes: Value| {
        let mut job = serde_json::json!({
            "name": "", "partition": "", "account": "", "time": "", "nodes": "", "tasks": "", "cpus": "", "mem": "", "output": "",
            "error": "", "array": "", "gpus": "", "gres": "", "mail_events": [], "mail_user": "", "modules": [], "groups": [],
        });
        for (key, value) in changes.as_object().unwrap() {
            job[key] = value.clone();
        }
        job
    };
    let one = serde_json::json!([{ "order": "sequence", "commands": ["true"] }]);
    let with = |key: &str, value: &str| job(serde_json::json!({ key: value, "groups": one }));
    let mut jobs = vec![
        (
            job(serde_json::json!({
                "partition": "short", "time": "1:00:00", "mail_events": ["END"], "mail_user": "ada@example.org",
                "modules": ["clang/17", "hdf5/1.14"],
                "groups": [{ "order": "sequence", "commands": ["h5ls 'a file'"] }, { "order": "parallel", "commands": ["one", "two"] }],
            })),
            vec![
                "--partition",
                "short",
                "--time",
                "1:00:00",
                "--mail-type",
                "end",
                "--mail-user",
                "ada@example.org",
                "--modules",
                "clang/17",
                "hdf5/1.14",
                "--group",
                "sequence",
                "h5ls 'a file'",
                "parallel",
                "one",
                "two",
            ],
            true,
        ),
        (
            job(serde_json::json!({
                "name": "a \"b\" \\c #d", "output": "%x-%j.out", "error": "e r r", "account": "phys", "nodes": "2-4", "tasks": "8", "cpus": "2",
                "mem": "16G", "array": "0-99:3%4", "gpus": "a100:4", "gres": "gpu:2,license:1", "modules": ["it's/1"], "groups": one,
            })),
            vec![
                "--job-name",
                "a \"b\" \\c #d",
                "--output",
                "%x-%j.out",
                "--error",
                "e r r",
                "--account",
                "phys",
                "--nodes",
                "2-4",
                "--ntasks",
                "8",
                "--cpus-per-task",
                "2",
                "--mem",
                "16G",
                "--array",
                "0-99:3%4",
                "--gpus",
                "a100:4",
                "--gres",
                "gpu:2,license:1",
                "--modules",
                "it's/1",
                "--",
                "true",
            ],
            false,
        ),
    ];
    let values: &[(&str, &'static str, &[&'static str])] = &[
        (
            "time",
            "--time",
            &[
                "90",
                "90:00",
                "2:30:00",
                "1-0",
                "1-12:30:15",
                "0",
                "2h",
                "1:60",
                "1-24",
                "1:2:3:4",
                "1-",
                "x",
                "99999999",
            ],
        ),
        ("mem", "--mem", &["500", "16G", "16 G", "0", "GG", "1t"]),
        ("nodes", "--nodes", &["1", "4-2", "2-2", "0", "1-2-3", "01"]),
        (
            "partition",
            "--partition",
            &["short,long", "a;b", "a,", "x.y_z-1"],
        ),
        ("mail_user", "--mail-user", &["ada", "a b@c"]),
        ("name", "--job-name", &["ünï", "tab\tin"]),
        (
            "array",
            "--array",
            &[
                "0", "1,3,5", "0-15:4", "7-7", "5-1", "1:2", "1,,2", "1%0", "0-5:0", "0-9:",
                "99999999",
            ],
        ),
        (
            "gpus",
            "--gpus",
            &["2", "a100:4,v100:1", "0", "4:a100", "a100:", "a100"],
        ),
        (
            "gres",
            "--gres",
            &[
                "gpu",
                "gpu:2",
                "gpu:a100:2",
                "gpu:a100",
                "gpu:0",
                ":2",
                "a:b:c",
                "gpu:1:2",
                "gpu;x",
            ],
        ),
    ];
    for (key, option, values) in values {
        for value in *values {
            jobs.push((with(key, value), vec![option, value, "--", "true"], false));
        }
    }
    jobs
}

#[test]
fn the_site_works_in_a_real_browser() {
    if !["chromium", "chromedriver"]
        .iter()
        .all(|program| crate::support::require(program))
    {
        return;
    }
    let site = site()
        .file(
            "md/1.lua",
            "whatis('Category: Tools')\nhelp([==[# Title\n\nSee [the manual](https://example.org/doc) and [this](javascript:alert).\n]==])\n",
        )
        .raw("usage.log", usage_log(&[("gcc", "13", 120), ("bwa", "0.7.17", 30), ("bwa", "0.7.16", 5), ("zlib", "1.3", 60)]).as_bytes());
    let root = site.root();
    // All are old but one.
    let touched = Command::new("sh")
        .args(["-c", "find mf mf-gcc -type f -exec touch -d 2025-03-01 {} + && touch -d 2026-01-20 mf/samtools/1.2.lua"])
        .current_dir(&root)
        .status();
    assert!(touched.unwrap().success());
    let imported = site.xmod(&["usage", "import", "--database", "usage.sqlite", "usage.log"]);
    assert!(
        imported.status.success(),
        "{}",
        String::from_utf8_lossy(&imported.stderr)
    );
    let html = root.join("html");
    export(
        &site,
        "html",
        &[
            "--usage",
            "usage.sqlite",
            "--output",
            html.to_str().unwrap(),
        ],
    );
    let cases: Vec<Value> = jobs()
        .into_iter()
        .map(|(job, words, form)| {
            let words: Vec<&str> = ["sbatch", "--no-check"].into_iter().chain(words).collect();
            let output = site.xmod(&words);
            let script = output
                .status
                .success()
                .then(|| String::from_utf8(output.stdout).unwrap());
            serde_json::json!({ "job": job, "script": script, "form": form })
        })
        .collect();
    assert!(cases.iter().filter(|case| case["script"].is_null()).count() > 12);
    std::fs::write(
        root.join("cases.json"),
        serde_json::to_string(&cases).unwrap(),
    )
    .unwrap();
    let axe = in_repo("target/npm/node_modules/axe-core/axe.min.js");
    if !axe.is_file() {
        eprintln!("skipped: no axe-core in target/npm, so accessibility is not checked");
        assert!(!crate::support::in_ci(), "test.sh installs axe-core");
    }
    let axe = if axe.is_file() {
        axe.to_str().unwrap()
    } else {
        ""
    };
    let output = Command::new("timeout")
        .args(["180", "python3"])
        .arg(in_repo("tests/catalog/browser.py"))
        .arg(&html)
        .arg(root.join("cases.json"))
        .arg(axe)
        .arg(in_repo("target/screenshots"))
        .output()
        .unwrap();
    println!("{}", String::from_utf8_lossy(&output.stdout));
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

#[test]
fn a_site_is_replaced_whole_and_nothing_else_is() {
    let site = site();
    let path = site.root().join("html");
    let place = path.to_str().unwrap();
    export(&site, "html", &["--output", place]);
    let page = std::fs::read(path.join("index.html")).unwrap();
    assert!(String::from_utf8_lossy(&page).contains("<title>Example</title>"));
    std::fs::write(path.join("rest"), "of an older export").unwrap();
    export(&site, "html", &["--output", place]);
    assert!(!path.join("rest").exists(), "the old one is gone");
    assert_eq!(
        std::fs::read(path.join("index.html")).unwrap(),
        page,
        "same tree, same bytes"
    );
    let around: Vec<_> = std::fs::read_dir(site.root())
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert!(
        around
            .iter()
            .all(|name| !name.to_string_lossy().starts_with(".catalog-")),
        "{around:?}"
    );
    // A directory that holds something else is not taken away.
    let output = site.xmod(&[
        "catalog",
        "export",
        "--format",
        "html",
        "--output",
        site.root().join("home").to_str().unwrap(),
    ]);
    assert!(output.status.success(), "an empty directory may be filled");
    let output = site.xmod(&[
        "catalog",
        "export",
        "--format",
        "html",
        "--output",
        site.root().join("mf").to_str().unwrap(),
    ]);
    assert!(!output.status.success() && site.root().join("mf/bwa.toml").is_file());
    assert!(String::from_utf8_lossy(&output.stderr).contains("holds something else"));
    let output = site.xmod(&["catalog", "export", "--format", "html"]);
    assert!(!output.status.success(), "a site needs a place");
}

#[test]
fn a_site_may_bring_its_own_pages() {
    let site = site()
        .raw(
            "own/index.html",
            b"<h1>{{ site.title }}</h1> {{ count }} <p>{{ '<' }}</p>",
        )
        .raw("own/pictures/logo.svg", b"<svg/>");
    let path = site.root().join("html");
    let words = ["--templates", "own", "--output", path.to_str().unwrap()];
    export(&site, "html", &words);
    let page = std::fs::read_to_string(path.join("index.html")).unwrap();
    assert!(
        page.starts_with("<h1>Example</h1> ") && page.ends_with("<p>&lt;</p>"),
        "{page}"
    );
    assert!(path.join("pictures/logo.svg").is_file() && path.join("app.js").is_file());
    let site = site.raw("own/index.html", b"line\n{% if %}");
    let mut all = vec!["catalog", "export", "--format", "html"];
    all.extend(words);
    let output = site.xmod(&all);
    assert!(!output.status.success());
    assert!(
        String::from_utf8_lossy(&output.stderr).contains("index.html"),
        "{output:?}"
    );
    assert!(
        std::fs::read_to_string(path.join("index.html"))
            .unwrap()
            .starts_with("<h1>Example"),
        "the old site stays"
    );
}
