//! Answers of `module --json`, checked against the schema of the reference.

use std::io::Write;
use std::process::{Command, Stdio};

use crate::support::{Site, in_repo};

/// Reads lines `NAME<TAB>DOCUMENT` and checks each document against the definition NAME.
const CHECK: &str = r##"
import json, sys
import jsonschema
schema = json.load(open(sys.argv[1]))
jsonschema.Draft202012Validator.check_schema(schema)
count = 0
for line in sys.stdin:
    name, text = line.split("\t", 1)
    one = {"$ref": "#/$defs/" + name, "$defs": schema["$defs"]}
    for error in jsonschema.Draft202012Validator(one).iter_errors(json.loads(text)):
        sys.exit(f"{name}: {error.message} at {list(error.absolute_path)}")
    count += 1
print(count)
"##;

#[test]
fn every_answer_is_what_the_schema_says() {
    let site = Site::new()
        .file(
            "a/1.lua",
            "help('h')\nwhatis('Category: tools')\nsetenv('A', '1')\nset_alias('x', 'y')\n\
             prepend_path{'P', '/p', delim=';'}\nfamily('f')\nextensions('e/1')\n",
        )
        .file("a/2.toml", "whatis = 'two'\n")
        .file("bare.lua", "")
        .file(
            ".modulerc.lua",
            "module_alias('al', 'a/1')\nmodule_version('a/1', 'old')\n",
        );
    let loaded = site.loaded(["a/1", "bare"]);
    loaded.run("save kept");
    let asked = [
        ("avail", "avail"),
        ("overview", "overview"),
        ("spider", "spider"),
        ("spider", "spider a/1"),
        ("keyword", "keyword tools"),
        ("search", "search two"),
        ("provides", "provides nothing"),
        ("category", "category"),
        ("list", "list"),
        ("show", "show a/1 a/2"),
        ("whatis", "whatis a/1"),
        ("help", "help a/1"),
        ("is-loaded", "is-loaded a/1"),
        ("is-loaded", "is-loaded nope"),
        ("is-avail", "is-avail a/2"),
        ("use", "use"),
        ("savelist", "savelist"),
        ("describe", "describe kept"),
        ("why", "why A"),
        ("diff", "diff a/2"),
        ("diff", "--dry-run purge"),
    ];
    let mut lines = String::new();
    for (name, words) in asked {
        let answer = loaded.run(&format!("--json {words}"));
        let document: serde_json::Value = serde_json::from_str(&answer.stderr())
            .unwrap_or_else(|error| panic!("{words}: {error}\n{}", answer.stderr()));
        lines += &format!("{name}\t{document}\n");
    }
    let schema = in_repo("docs/reference/module.schema.json");
    let mut check = Command::new("/usr/bin/python3")
        .args(["-c", CHECK])
        .arg(schema)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    check
        .stdin
        .take()
        .unwrap()
        .write_all(lines.as_bytes())
        .unwrap();
    let out = check.wait_with_output().unwrap();
    let said =
        String::from_utf8_lossy(&out.stdout).into_owned() + &String::from_utf8_lossy(&out.stderr);
    assert_eq!(said.trim(), asked.len().to_string());
}
