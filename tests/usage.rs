//! Loads are told to syslog where the site wants that, read back into a database, and reported.

use std::io::Write;
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::slurm::may_unshare;
use crate::support::{Site, XMOD, in_ci, require};

/// A site that wants loads told to a socket of its own.
fn site() -> Site {
    Site::new()
        .file("gcc/13.2.0", "setenv GCC 13\n")
        .file("mpi/5.lua", "depends_on('gcc')\n")
        .file("deep/gcc/64/1.0", "setenv DEEP 1\n")
        .file("idle/1.0", "setenv IDLE 1\n")
        .file("broken/1.0", "nonsense\n")
        .var("XMOD_LOG_LOADS", "yes")
        .var("XMOD_SYSLOG_SOCKET", "$SITE/log.socket")
}

fn listen(site: &Site) -> UnixDatagram {
    let socket = UnixDatagram::bind(site.root().join("log.socket")).unwrap();
    socket.set_nonblocking(true).unwrap();
    socket
}

fn received(socket: &UnixDatagram) -> Vec<String> {
    let mut buffer = [0; 8192];
    let mut messages = Vec::new();
    while let Ok(length) = socket.recv(&mut buffer) {
        messages.push(String::from_utf8(buffer[..length].to_vec()).unwrap());
    }
    messages
}

fn ok(site: &Site, words: &[&str]) -> String {
    let output = site.xmod(words);
    assert!(
        output.status.success(),
        "{words:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap()
}

fn report(site: &Site, database: &str, more: &[&str]) -> Vec<(String, u64, u64)> {
    let mut words = vec![
        "usage",
        "report",
        "--database",
        database,
        "--format",
        "json",
    ];
    words.extend(more);
    let document: Value = serde_json::from_str(&ok(site, &words)).unwrap();
    let rows = document["rows"].as_array().unwrap().iter();
    rows.map(|row| {
        let number = |key: &str| row[key].as_u64().unwrap();
        (
            row["label"].as_str().unwrap().to_owned(),
            number("loads"),
            number("users"),
        )
    })
    .collect()
}

#[test]
fn a_load_is_one_datagram_that_tells_what_was_asked_for_and_what_was_needed() {
    let site = site();
    let socket = listen(&site);
    let run = site.run("load mpi deep/gcc/64");
    assert!(run.ok());
    let messages = received(&socket);
    assert_eq!(messages.len(), 1, "{messages:?}");
    let message = &messages[0];
    assert!(
        message.starts_with("<14>1 20") && message.contains("Z ") && message.contains(" xmod "),
        "{message}"
    );
    for part in [
        " load [xmod@32473 ",
        " asked=\"mpi@5\"",
        " needed=\"gcc@13.2.0\"",
        " asked=\"deep/gcc/64@1.0\"",
        " user=\"alice\"",
    ] {
        assert!(message.contains(part), "{part}: {message}");
    }
    // What is loaded already is not told again, nor what fails, nor what only looks.
    let site = site.after(&run);
    for words in ["load mpi", "load broken", "avail", "show gcc", "unload mpi"] {
        site.run(words);
    }
    assert_eq!(received(&socket), Vec::<String>::new());
    let quiet = site.var("XMOD_LOG_LOADS", "no");
    quiet.run("load idle");
    assert_eq!(received(&socket), Vec::<String>::new());
}

#[test]
fn without_syslog_a_file_of_the_user_has_the_loads() {
    let site = site();
    assert!(site.run("load gcc").ok() && site.run("load mpi").ok());
    let file = site.root().join("home/.local/state/xmod/usage.log");
    assert_eq!(std::fs::read_to_string(&file).unwrap().lines().count(), 2);
    let said = ok(
        &site,
        &[
            "usage",
            "import",
            "--database",
            "usage.sqlite",
            file.to_str().unwrap(),
        ],
    );
    assert!(
        said.starts_with("2 lines, 3 loads, 3 of them new"),
        "{said}"
    );
    assert_eq!(
        report(&site, "usage.sqlite", &["--by", "version"]),
        [("gcc/13.2.0".into(), 2, 1), ("mpi/5".into(), 1, 1)]
    );
    assert_eq!(
        report(&site, "usage.sqlite", &["--asked"])[0],
        ("gcc".into(), 1, 1)
    );
    let unused = ok(
        &site,
        &["usage", "report", "--database", "usage.sqlite", "--unused"],
    );
    assert_eq!(unused, "broken\ndeep/gcc/64\nidle\n");
    // A home that cannot be written, a socket that nobody reads: the load does not care.
    let site = site
        .var("XMOD_USAGE_DIRECTORY", "/proc/nowhere")
        .var("HOME", "/proc/nowhere");
    let run = site.run("load idle");
    assert!(run.ok() && run.stderr().is_empty(), "{}", run.stderr());
}

#[test]
fn a_syslog_that_does_not_listen_makes_nobody_wait() {
    let site = site();
    let socket = listen(&site);
    // The queue of the socket is filled until nothing more goes in.
    let filler = UnixDatagram::unbound().unwrap();
    filler.set_nonblocking(true).unwrap();
    while filler.send_to(b"x", site.root().join("log.socket")).is_ok() {}
    let start = Instant::now();
    assert!(site.run("load gcc").ok());
    assert!(start.elapsed() < Duration::from_secs(5));
    let file = site.root().join("home/.local/state/xmod/usage.log");
    assert_eq!(std::fs::read_to_string(file).unwrap().lines().count(), 1);
    drop(socket);
}

/// A log of `lines` requests that load ten modules each.
fn large_log(path: &Path, lines: usize) {
    let mut file = std::io::BufWriter::new(std::fs::File::create(path).unwrap());
    for line in 0..lines {
        let time = format!(
            "2026-{:02}-{:02}T{:02}:{:02}:{:02}.{line:06}Z",
            1 + line % 6,
            1 + line % 28,
            line % 24,
            line % 60,
            line / 7 % 60
        );
        write!(
            file,
            "<14>1 {time} node{} xmod {} load [xmod@32473 time=\"{time}\" host=\"node{}\" pid=\"{}\" seq=\"0\" uid=\"42{:03}\" user=\"u{}\" gid=\"42000\"",
            line % 97,
            line % 30_000,
            line % 97,
            line % 30_000,
            line % 300,
            line % 300
        )
        .unwrap();
        for place in 0..10 {
            let number = (line * 7 + place * 13) % 400;
            write!(
                file,
                " {}=\"tool{number}@{}.0\"",
                if place == 0 { "asked" } else { "needed" },
                number % 5
            )
            .unwrap();
        }
        writeln!(file, "] tool").unwrap();
    }
    file.flush().unwrap();
}

/// How many loads a database of SQLite holds; 0 while there is none.
fn count(path: &Path) -> u64 {
    let output = Command::new("python3")
        .args(["-c", "import sqlite3, sys\nprint(sqlite3.connect('file:' + sys.argv[1] + '?mode=ro', uri=True, timeout=30).execute('SELECT count(*) FROM load').fetchone()[0])"])
        .arg(path)
        .output()
        .unwrap();
    String::from_utf8(output.stdout)
        .unwrap()
        .trim()
        .parse()
        .unwrap_or(0)
}

#[test]
fn a_million_loads_come_in_and_a_killed_import_is_resumed_without_loss_or_double_count() {
    let site = site();
    let root = site.root();
    let log = root.join("loads.log");
    large_log(&log, 100_000);
    let words = ["usage", "import", "--database", "usage.sqlite", "loads.log"];
    let mut import = Command::new(XMOD)
        .args(words)
        .current_dir(&root)
        .env_clear()
        .envs(site.env())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    // Killed in the middle of its work.
    let database = root.join("usage.sqlite");
    let end = Instant::now() + Duration::from_secs(100);
    while count(&database) == 0 && import.try_wait().unwrap().is_none() && Instant::now() < end {
        std::thread::sleep(Duration::from_millis(50));
    }
    import.kill().unwrap();
    import.wait().unwrap();
    let before = count(&database);
    assert!(
        before > 0 && before < 1_000_000,
        "it was killed at {before}"
    );
    let said = ok(&site, &words);
    println!("resumed at {before}: {said}");
    assert!(
        said.starts_with(&format!(
            "100000 lines, 1000000 loads, {} of them new",
            1_000_000 - before
        )),
        "{said}"
    );
    assert_eq!(count(&database), 1_000_000);
    let months = report(&site, "usage.sqlite", &["--by", "month"]);
    assert_eq!(months.len(), 6);
    assert_eq!(months.iter().map(|month| month.1).sum::<u64>(), 1_000_000);
    let users = report(
        &site,
        "usage.sqlite",
        &["--by", "user", "--anonymous", "--top", "3"],
    );
    assert_eq!(
        users.iter().map(|user| user.0.as_str()).collect::<Vec<_>>(),
        ["user 1", "user 2", "user 3"]
    );
    assert_eq!(
        report(&site, "usage.sqlite", &["--by", "group"]),
        [("42000".into(), 1_000_000, 300)]
    );
    let part = report(
        &site,
        "usage.sqlite",
        &[
            "--by",
            "month",
            "--since",
            "2026-02-01",
            "--until",
            "2026-03-31",
        ],
    );
    assert_eq!(
        part.iter()
            .map(|month| month.0.as_str())
            .collect::<Vec<_>>(),
        ["2026-02", "2026-03"]
    );
}

#[test]
fn a_database_of_another_kind_is_left_alone() {
    let site = site();
    let other = "import sqlite3\nc = sqlite3.connect('other.sqlite')\nc.execute('CREATE TABLE t (x)')\nc.commit()";
    assert!(
        Command::new("python3")
            .args(["-c", other])
            .current_dir(site.root())
            .status()
            .unwrap()
            .success()
    );
    let output = site.xmod(&["usage", "import", "--database", "other.sqlite", "/dev/null"]);
    assert!(!output.status.success());
    assert!(
        String::from_utf8_lossy(&output.stderr).contains("another kind of database"),
        "{output:?}"
    );
    // Asking makes no database, and needs no right to write one.
    let output = site.xmod(&["usage", "report", "--database", "none.sqlite"]);
    assert!(!output.status.success() && !site.root().join("none.sqlite").exists());
    let output = site.xmod(&["usage", "report"]);
    assert!(
        String::from_utf8_lossy(&output.stderr).contains("--database"),
        "{output:?}"
    );
}

/// A program that is ended with the test.
struct Daemon(Child);

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = Command::new("kill").arg(self.0.id().to_string()).status();
        let _ = self.0.wait();
    }
}

fn wait_for(what: &str, is_there: impl Fn() -> bool) {
    let end = Instant::now() + Duration::from_secs(30);
    while !is_there() {
        assert!(Instant::now() < end, "waited in vain for {what}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn a_real_rsyslog_keeps_what_is_needed_in_each_of_its_formats() {
    if !require("rsyslogd") {
        return;
    }
    let site = site();
    let root = site.root();
    let dir = root.to_str().unwrap();
    // As the guide has it, with the parser for RFC 5424; and as distributions have it.
    std::fs::write(
        root.join("rsyslog.conf"),
        format!(
            "global(workDirectory=\"{dir}\")\nmodule(load=\"imuxsock\" SysSock.Use=\"off\")\n\
             input(type=\"imuxsock\" Socket=\"{dir}/log.socket\" UseSpecialParser=\"off\" RateLimit.Interval=\"0\" ruleset=\"ours\")\n\
             input(type=\"imuxsock\" Socket=\"{dir}/plain.socket\" RateLimit.Interval=\"0\" ruleset=\"plain\")\n\
             ruleset(name=\"ours\") {{ if $programname == \"xmod\" then action(type=\"omfile\" file=\"{dir}/ours.log\" template=\"RSYSLOG_SyslogProtocol23Format\") }}\n\
             ruleset(name=\"plain\") {{ action(type=\"omfile\" file=\"{dir}/plain.log\" template=\"RSYSLOG_TraditionalFileFormat\") }}\n"
        ),
    )
    .unwrap();
    let daemon = Command::new("rsyslogd")
        .args([
            "-n",
            "-f",
            &format!("{dir}/rsyslog.conf"),
            "-i",
            &format!("{dir}/rsyslog.pid"),
        ])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let _daemon = Daemon(daemon);
    wait_for("rsyslog", || {
        root.join("log.socket").exists() && root.join("plain.socket").exists()
    });
    assert!(site.run("load mpi").ok());
    let site = site.var("XMOD_SYSLOG_SOCKET", "$SITE/plain.socket");
    assert!(site.run("load deep/gcc/64").ok());
    let holds = |name: &str| {
        std::fs::read_to_string(root.join(name))
            .is_ok_and(|text| text.contains("xmod@32473") && text.ends_with('\n'))
    };
    wait_for("the logs", || holds("ours.log") && holds("plain.log"));
    let words = [
        "usage",
        "import",
        "--database",
        "usage.sqlite",
        "ours.log",
        "plain.log",
    ];
    assert!(ok(&site, &words).starts_with("2 lines, 3 loads, 3 of them new"));
    assert!(ok(&site, &words).starts_with("2 lines, 3 loads, 0 of them new"));
    let names: Vec<String> = report(&site, "usage.sqlite", &["--by", "version"])
        .into_iter()
        .map(|row| row.0)
        .collect();
    assert_eq!(names, ["deep/gcc/64/1.0", "gcc/13.2.0", "mpi/5"]);
}

#[test]
fn a_real_journal_is_read_in_each_of_its_formats() {
    let journald = "/usr/lib/systemd/systemd-journald";
    if !require(journald) || !require("journalctl") || !may_unshare() {
        return;
    }
    let site = site().var("XMOD_SYSLOG_SOCKET", "/run/systemd/journal/dev-log");
    // A journal of its own, in a `/run` of its own.
    let script = format!(
        "mount -t tmpfs tmpfs /run && mkdir -p /run/systemd/journal /run/log/journal || exit 1
        {journald} >/dev/null 2>&1 & daemon=$!
        trap 'kill $daemon' EXIT
        try() {{ for i in $(seq 100); do \"$@\" && return; sleep 0.1; done; return 1; }}
        try test -S /run/systemd/journal/dev-log || exit 2
        {XMOD} bash load mpi >/dev/null || exit 3
        {XMOD} bash load deep/gcc/64 >/dev/null || exit 4
        has() {{ [ \"$(journalctl -o cat SYSLOG_FACILITY=1 | grep -c xmod@)\" = 2 ]; }}
        try has || exit 5
        for format in export json json-pretty json-sse json-seq short verbose cat; do
            journalctl --no-pager -o $format SYSLOG_FACILITY=1 >$format.log || exit 6
        done"
    );
    let output = Command::new("timeout")
        .args(["60", "unshare", "-m", "bash", "-c", &script])
        .env_clear()
        .envs(site.env())
        .current_dir(site.root())
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    for format in [
        "export",
        "json",
        "json-pretty",
        "json-sse",
        "json-seq",
        "short",
        "verbose",
        "cat",
    ] {
        let (log, database) = (format!("{format}.log"), format!("{format}.sqlite"));
        let said = ok(&site, &["usage", "import", "--database", &database, &log]);
        assert!(said.contains(" 3 loads, 3 of them new"), "{format}: {said}");
    }
}

/// The programs of PostgreSQL, wherever Debian has put this version.
fn postgres_programs() -> Option<PathBuf> {
    let mut versions: Vec<PathBuf> = std::fs::read_dir("/usr/lib/postgresql")
        .ok()?
        .filter_map(|entry| Some(entry.ok()?.path().join("bin")))
        .collect();
    versions.sort();
    versions.pop().filter(|bin| bin.join("initdb").is_file())
}

#[test]
fn several_machines_share_a_real_postgresql() {
    let Some(bin) = postgres_programs() else {
        eprintln!("skipped: no postgresql");
        assert!(!in_ci(), "CI has to have postgresql");
        return;
    };
    let site = site();
    let root = site.root();
    let data = root.join("data");
    std::fs::create_dir(&data).unwrap();
    // PostgreSQL refuses to run as root.
    let is_root = nix::unistd::geteuid().is_root();
    let as_server = |program: &str| {
        let program = bin.join(program);
        if is_root {
            let mut command = Command::new("setpriv");
            command
                .args(["--reuid=postgres", "--regid=postgres", "--clear-groups"])
                .arg(program);
            command
        } else {
            Command::new(program)
        }
    };
    if is_root {
        let open = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        std::fs::set_permissions(&root, open).unwrap();
        assert!(
            Command::new("chown")
                .arg("postgres:")
                .arg(&data)
                .status()
                .unwrap()
                .success()
        );
    }
    let made = as_server("initdb")
        .args(["-A", "trust", "-U", "xmod", "--no-sync", "-D"])
        .arg(&data)
        .output()
        .unwrap();
    assert!(
        made.status.success(),
        "{}",
        String::from_utf8_lossy(&made.stderr)
    );
    let port = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let server = as_server("postgres")
        .args([
            "-h",
            "127.0.0.1",
            "-k",
            "",
            "-F",
            "-p",
            &port.to_string(),
            "-D",
        ])
        .arg(&data)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let _server = Daemon(server);
    wait_for("PostgreSQL", || {
        let ready = Command::new(bin.join("pg_isready"))
            .args(["-q", "-h", "127.0.0.1", "-p", &port.to_string()])
            .status();
        ready.is_ok_and(|status| status.success())
    });
    let url = format!("postgresql://xmod@127.0.0.1:{port}/postgres");
    large_log(&root.join("loads.log"), 10_000);
    // Two machines at once, with the same log: nothing is counted twice.
    let import = || {
        Command::new(XMOD)
            .args(["usage", "import", "--database", &url, "loads.log"])
            .current_dir(&root)
            .env_clear()
            .envs(site.env())
            .output()
    };
    let outputs = std::thread::scope(|scope| {
        let one = scope.spawn(import);
        let other = scope.spawn(import);
        [one.join().unwrap().unwrap(), other.join().unwrap().unwrap()]
    });
    for output in outputs {
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        println!(
            "PostgreSQL: {}",
            String::from_utf8_lossy(&output.stdout).trim()
        );
    }
    assert_eq!(
        report(&site, &url, &["--by", "group"]),
        [("42000".into(), 100_000, 300)]
    );
    // The same answers as SQLite gives.
    ok(
        &site,
        &["usage", "import", "--database", "usage.sqlite", "loads.log"],
    );
    for by in ["module", "version", "user", "month"] {
        assert_eq!(
            report(&site, &url, &["--by", by]),
            report(&site, "usage.sqlite", &["--by", by]),
            "{by}"
        );
    }
    let json: Value = serde_json::from_str(&ok(
        &site,
        &["catalog", "export", "--format", "json", "--usage", &url],
    ))
    .unwrap();
    assert_eq!(json["usage"]["months"].as_array().unwrap().len(), 6);
    // Where encryption is wanted nothing is sent, and what to do is said.
    let refused = |url: &str| {
        let output = site.xmod(&["usage", "report", "--database", url]);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success(), "{url}: {said}");
        let wanted = said.contains("wants an encrypted connection") && said.contains("ssh -L");
        assert!(wanted, "{url}: {said}");
    };
    for mode in ["require", "verify-ca", "verify-full"] {
        refused(&format!("{url}?sslmode={mode}"));
    }
    let only_encrypted = "hostssl all all all trust\n";
    std::fs::write(data.join("pg_hba.conf"), only_encrypted).unwrap();
    let reload = as_server("pg_ctl")
        .args(["reload", "-D"])
        .arg(&data)
        .output();
    assert!(reload.unwrap().status.success());
    wait_for("its new rules", || {
        let words = ["usage", "report", "--database", &url];
        !site.xmod(&words).status.success()
    });
    refused(&url);
    let output = site.xmod(&[
        "usage",
        "report",
        "--database",
        "postgresql://xmod@127.0.0.1:1/postgres",
    ]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        !output.status.success() && said.contains("refused"),
        "{said}"
    );
}
