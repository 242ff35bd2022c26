//! How a script in each language sources its start file, runs module commands and shows what came of them.

use std::collections::BTreeMap;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use bstr::BString;
use camino::{Utf8Path, Utf8PathBuf};
use xmod::shell::{InitPaths, find};

use crate::support::require;

/// One interpreter and how to speak with it. In the scripts, `@INIT@` is the path of the start file, `@DIR@` its folder.
pub(crate) struct Interpreter {
    /// The row of `SHELLS`.
    pub(crate) shell: &'static str,
    /// The program and its arguments; the script follows.
    pub(crate) program: &'static [&'static str],
    /// What the name of a script ends in.
    ending: &'static str,
    /// Reads the start file.
    source: &'static str,
    /// Runs one module command, `@WORDS@` being its words.
    module: &'static str,
    /// Runs one module command and makes a file `true` or `false`, as it went.
    pub(crate) choose: &'static str,
    /// Ends the script where a module command fails, in the way of its language; empty where it has none.
    pub(crate) strict: &'static str,
    /// Writes the environment of a child to the file `$OUT`.
    show: &'static str,
    /// Whether it tells an empty variable from one that is not there.
    pub(crate) holds_empty: bool,
    /// The longest value it can hold.
    pub(crate) max_value: usize,
    /// Between the words of a command.
    separator: &'static str,
    /// Before and after each word.
    word: (&'static str, &'static str),
}

const PLAIN: Interpreter = Interpreter {
    shell: "",
    program: &[],
    ending: "sh",
    source: ". @INIT@",
    module: "module @WORDS@",
    choose: "if module @WORDS@; then /bin/touch true; else /bin/touch false; fi",
    strict: "",
    show: "/usr/bin/env -0 >\"$OUT\"",
    holds_empty: true,
    max_value: usize::MAX,
    separator: " ",
    word: ("'", "'"),
};

/// All interpreters that are known how to be driven.
pub(crate) const INTERPRETERS: &[Interpreter] = &[
    Interpreter {
        shell: "bash",
        program: &["bash", "--noprofile", "--norc"],
        strict: "set -e",
        ..PLAIN
    },
    Interpreter {
        shell: "zsh",
        program: &["zsh", "-f"],
        strict: "setopt err_exit",
        ..PLAIN
    },
    Interpreter {
        shell: "sh",
        program: &["dash"],
        strict: "set -e",
        ..PLAIN
    },
    Interpreter {
        shell: "sh",
        program: &["busybox", "sh"],
        strict: "set -e",
        ..PLAIN
    },
    Interpreter {
        shell: "yash",
        program: &["yash"],
        strict: "set -e",
        ..PLAIN
    },
    Interpreter {
        shell: "sh",
        program: &["bash", "--posix"],
        strict: "set -e",
        ..PLAIN
    },
    Interpreter {
        shell: "ksh",
        program: &["ksh"],
        strict: "set -e",
        ..PLAIN
    },
    Interpreter {
        shell: "mksh",
        program: &["mksh"],
        strict: "set -e",
        ..PLAIN
    },
    Interpreter {
        shell: "tcsh",
        program: &["tcsh", "-f"],
        source: "source @INIT@",
        show: "/usr/bin/env -0 >$OUT:q",
        choose: "module @WORDS@ && /bin/touch true || /bin/touch false",
        ..PLAIN
    },
    Interpreter {
        shell: "csh",
        program: &["tcsh", "-f"],
        source: "source @INIT@",
        show: "/usr/bin/env -0 >$OUT:q",
        choose: "module @WORDS@ && /bin/touch true || /bin/touch false",
        ..PLAIN
    },
    Interpreter {
        shell: "csh",
        program: &["bsd-csh", "-f"],
        max_value: 4000,
        source: "source @INIT@",
        show: "/usr/bin/env -0 >$OUT:q",
        choose: "module @WORDS@ && /bin/touch true || /bin/touch false",
        ..PLAIN
    },
    Interpreter {
        shell: "fish",
        program: &["fish", "--no-config"],
        source: "source @INIT@",
        choose: "module @WORDS@; and /bin/touch true; or /bin/touch false",
        ..PLAIN
    },
    Interpreter {
        shell: "rc",
        program: &["rc", "-p"],
        show: "/usr/bin/env -0 >$OUT",
        choose: "module @WORDS@ && /bin/touch true || /bin/touch false",
        ..PLAIN
    },
    Interpreter {
        shell: "nushell",
        program: &["nu", "--no-config-file"],
        ending: "nu",
        source: "source @INIT@",
        module: "lmod-module @WORDS@",
        show: "^/usr/bin/env -0 | save -f $env.OUT",
        choose: "try { lmod-module @WORDS@; ^/bin/touch true } catch { ^/bin/touch false }",
        strict: "# it stops by itself",
        ..PLAIN
    },
    Interpreter {
        shell: "nushell",
        program: &["nu", "--no-config-file"],
        ending: "nu",
        source: "",
        module: "source @DIR@/../code.nushell",
        show: "^/usr/bin/env -0 | save -f $env.OUT",
        choose: "try { lmod-module @WORDS@; ^/bin/touch true } catch { ^/bin/touch false }",
        strict: "# it stops by itself",
        ..PLAIN
    },
    Interpreter {
        shell: "xonsh",
        program: &["xonsh", "--no-rc"],
        ending: "xsh",
        source: "source @INIT@",
        show: "/usr/bin/env -0 > $OUT",
        choose: "module @WORDS@ && /bin/touch true || /bin/touch false",
        strict: "$RAISE_SUBPROC_ERROR = True",
        word: ("r'", "'"),
        ..PLAIN
    },
    Interpreter {
        shell: "elvish",
        program: &["elvish", "-norc"],
        ending: "elv",
        source: "var ns; eval (slurp < @INIT@) &on-end={|n| set ns = $n}",
        module: "$ns[module~] @WORDS@",
        show: "/usr/bin/env -0 >$E:OUT",
        choose: "try { $ns[module~] @WORDS@; e:touch true } catch { e:touch false }",
        strict: "# it stops by itself",
        ..PLAIN
    },
    Interpreter {
        shell: "pwsh",
        program: &["pwsh", "-NoProfile", "-File"],
        ending: "ps1",
        module: "envmodule @WORDS@",
        show: "& /bin/sh -c '/usr/bin/env -0 >\"$OUT\"'",
        choose: "try { envmodule @WORDS@; touch true } catch { touch false }",
        strict: "# it stops by itself",
        ..PLAIN
    },
    Interpreter {
        shell: "python",
        program: &["python3"],
        ending: "py",
        source: "import os, subprocess, sys; sys.path.insert(0, '@DIR@'); from env_modules_python import module",
        module: "ok, text = module(@WORDS@)",
        show: "subprocess.run('/usr/bin/env -0 >\"$OUT\"', shell=True)",
        separator: ", ",
        choose: "open('true' if module(@WORDS@)[0] else 'false', 'w')",
        ..PLAIN
    },
    Interpreter {
        shell: "perl",
        program: &["perl", "-w"],
        ending: "pl",
        source: "use strict; require '@INIT@'; my $ok;",
        module: "$ok = module(@WORDS@);",
        show: "system('/usr/bin/env -0 >\"$OUT\"');",
        separator: ", ",
        choose: "system(module(@WORDS@) ? '/bin/touch true' : '/bin/touch false');",
        ..PLAIN
    },
    Interpreter {
        shell: "ruby",
        program: &["ruby"],
        ending: "rb",
        source: "require '@INIT@.rb'",
        module: "ok = ENVModule.module(@WORDS@)",
        show: "system('/usr/bin/env -0 >\"$OUT\"')",
        separator: ", ",
        choose: "system(ENVModule.module(@WORDS@) ? '/bin/touch true' : '/bin/touch false')",
        ..PLAIN
    },
    Interpreter {
        shell: "r",
        program: &["Rscript", "--vanilla"],
        ending: "R",
        source: "source('@INIT@')",
        module: "ok <- module(@WORDS@)",
        show: "invisible(system('/usr/bin/env -0 >\"$OUT\"'))",
        separator: ", ",
        choose: "invisible(file.create(if (module(@WORDS@)) 'true' else 'false'))",
        ..PLAIN
    },
    Interpreter {
        shell: "cmake",
        program: &["cmake", "-P"],
        ending: "cmake",
        source: "include(@INIT@)",
        module: "module(@WORDS@)",
        holds_empty: false,
        show: "execute_process(COMMAND /usr/bin/env -0 OUTPUT_FILE $ENV{OUT})",
        word: ("\"", "\""),
        choose: "module(@WORDS@)\nif(module_result)\nfile(TOUCH true)\nelse()\nfile(TOUCH false)\nendif()",
        ..PLAIN
    },
    Interpreter {
        shell: "lisp",
        program: &["emacs", "--batch", "-Q", "--load"],
        ending: "el",
        source: "(load-file \"@INIT@\")",
        module: "(setq ok (module @WORDS@))",
        show: "(shell-command \"/usr/bin/env -0 >\\\"$OUT\\\"\")",
        word: ("\"", "\""),
        choose: "(shell-command (if (module @WORDS@) \"touch true\" \"touch false\"))",
        ..PLAIN
    },
    Interpreter {
        shell: "lua",
        program: &["lua5.3"],
        ending: "lua",
        source: "dofile('@INIT@')",
        module: "ok = module(@WORDS@)",
        show: "os.execute('/usr/bin/env -0 >\"$OUT\"')",
        separator: ", ",
        choose: "os.execute(module(@WORDS@) and '/bin/touch true' or '/bin/touch false')",
        ..PLAIN
    },
    Interpreter {
        shell: "tcl",
        program: &["tclsh"],
        ending: "tcl",
        source: "source @INIT@",
        module: "set ok [module @WORDS@]",
        show: "exec /usr/bin/env -0 >$::env(OUT)",
        word: ("{", "}"),
        choose: "if {[module @WORDS@]} {exec /bin/touch true} else {exec /bin/touch false}",
        ..PLAIN
    },
];

/// What a script left.
#[derive(Debug)]
pub(crate) struct Seen {
    /// The environment of a child at the end; empty when the script did not come so far.
    pub(crate) env: BTreeMap<BString, BString>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    pub(crate) success: bool,
}

impl Interpreter {
    /// Whether the interpreter is here. Says visibly when it is not.
    pub(crate) fn is_here(&self) -> bool {
        // These two are in no Debian archive: CI goes on without them, visibly.
        let program = self.program[0];
        if ["pwsh", "nu"].contains(&program) && !in_path(program) {
            eprintln!("skipped: no {program}");
            return false;
        }
        require(self.program[0])
    }

    /// Writes the start file for `command` into `dir`.
    pub(crate) fn install(&self, command: &Path, dir: &Path) -> PathBuf {
        let paths = InitPaths {
            command: Utf8PathBuf::from_path_buf(command.to_owned()).unwrap(),
            home: Utf8Path::from_path(dir).unwrap().to_owned(),
        };
        self.install_for(&paths, dir)
    }

    /// Writes the start file of an installation at `paths` into `dir`.
    pub(crate) fn install_for(&self, paths: &InitPaths, dir: &Path) -> PathBuf {
        let row = find(self.shell).unwrap();
        let text = row.init_text(paths).unwrap();
        let init = dir.join("init");
        std::fs::create_dir_all(&init).unwrap();
        for file in row.start.as_ref().unwrap().files {
            std::fs::write(init.join(file), &text).unwrap();
        }
        init.join(row.start.as_ref().unwrap().files[0].trim_end_matches(".rb"))
    }

    /// Whether it is driven through its start file, and not by code that it reads from a file.
    pub(crate) fn has_start_file(&self) -> bool {
        !self.source.is_empty()
    }

    /// Whether its scripts are lines of a shell: there `'...'` keeps backslashes.
    pub(crate) fn keeps_backslashes(&self) -> bool {
        self.separator == " " && self.word.0.ends_with('\'')
    }

    /// One module command as a statement.
    pub(crate) fn command(&self, words: &[&str]) -> String {
        self.fill(self.module, words)
    }

    /// One module command whose success shows in a file.
    pub(crate) fn choice(&self, words: &[&str]) -> String {
        self.fill(self.choose, words)
    }

    fn fill(&self, template: &str, words: &[&str]) -> String {
        let words: Vec<String> = words
            .iter()
            .map(|w| format!("{}{w}{}", self.word.0, self.word.1))
            .collect();
        template.replace("@WORDS@", &words.join(self.separator))
    }

    /// A script that reads the start file, then these statements, then shows the environment.
    pub(crate) fn script(&self, init: &Path, statements: &[String]) -> String {
        let dir = init.parent().unwrap().to_str().unwrap();
        let statements = statements.join("\n");
        format!("{}\n{statements}\n{}\n", self.source, self.show)
            .replace("@INIT@", init.to_str().unwrap())
            .replace("@DIR@", dir)
    }

    /// Runs a script with this environment.
    pub(crate) fn run(&self, script: &str, env: &[(&str, &[u8])], dir: &Path) -> Seen {
        let file = dir.join(format!("script.{}", self.ending));
        std::fs::write(&file, script).unwrap();
        let out = dir.join("out.env");
        let _ = std::fs::remove_file(&out);
        let mut command = Command::new("timeout");
        command
            .arg("120")
            .args(self.program)
            .arg(&file)
            .env_clear()
            .env("PATH", path())
            .env("HOME", dir)
            .env("LC_ALL", "C.UTF-8")
            .env("OUT", &out)
            .current_dir(dir)
            .stdin(Stdio::null());
        for (name, value) in env {
            command.env(name, std::ffi::OsStr::from_bytes(value));
        }
        let output = command.output().unwrap();
        let shown = std::fs::read(&out).unwrap_or_default();
        let env = shown
            .split(|&b| b == 0)
            .filter_map(|entry| {
                let at = entry.iter().position(|&b| b == b'=')?;
                Some((entry[..at].into(), entry[at + 1..].into()))
            })
            .collect();
        Seen {
            env,
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
            success: output.status.success(),
        }
    }
}

/// The search path of the tests: some interpreters are installed for the user alone.
#[expect(clippy::disallowed_methods, reason = "tests have no session")]
pub(crate) fn path() -> std::ffi::OsString {
    std::env::var_os("PATH").unwrap_or_default()
}

fn in_path(program: &str) -> bool {
    std::env::split_paths(&path()).any(|dir| dir.join(program).exists())
}
