#!/usr/bin/env python3
"""Drives the exported site in a real Chromium, over ChromeDriver's HTTP interface; the standard library is enough.

    browser.py SITE CASES AXE SHOTS

SITE   the directory that `xmod catalog export --format html` wrote for the site of tests/catalog.rs
CASES  JSON: jobs, each with the script that `xmod sbatch` writes for it, or null where it refuses
AXE    axe.min.js of axe-core, or empty to leave the checks of accessibility out
SHOTS  where screenshots are kept
"""
import base64
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

SITE, CASES, AXE, SHOTS = sys.argv[1:5]
ELEMENT = "element-6066-11e4-a52e-4f735466cecf"
KEYS = {"enter": "\ue007", "tab": "\ue004", "down": "\ue015", "up": "\ue013", "escape": "\ue00c", "back": "\ue003"}


class Browser:
    def __init__(self, profile):
        self.driver = subprocess.Popen(
            ["chromedriver", "--port=0"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        for line in self.driver.stdout:
            found = re.search(r"started successfully on port (\d+)", line)
            if found:
                self.base = "http://127.0.0.1:" + found[1]
                break
        else:
            raise SystemExit("chromedriver did not start")
        arguments = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
                     "--disable-background-networking", "--disable-component-update", "--disable-sync",
                     "--disable-dev-shm-usage", "--window-size=1400,900", "--user-data-dir=" + profile]
        reply = self.call("POST", "/session", {"capabilities": {"alwaysMatch": {
            "browserName": "chrome", "goog:chromeOptions": {"args": arguments},
            "goog:loggingPrefs": {"browser": "ALL"}}}})
        self.base += "/session/" + reply["sessionId"]

    def call(self, method, path, body=None):
        data = json.dumps(body if body is not None else {}).encode() if method == "POST" else None
        request = urllib.request.Request(self.base + path, data, {"Content-Type": "application/json"}, method=method)
        try:
            with urllib.request.urlopen(request, timeout=120) as reply:
                return json.load(reply)["value"]
        except urllib.error.HTTPError as error:
            raise RuntimeError(json.load(error)["value"]["message"].splitlines()[0]) from None

    def quit(self):
        try:
            self.call("DELETE", "")
        finally:
            self.driver.terminate()
            self.driver.wait()

    def go(self, url):
        self.call("POST", "/url", {"url": url})

    def js(self, script, *arguments):
        return self.call("POST", "/execute/sync", {"script": script, "args": list(arguments)})

    def later(self, script, *arguments):
        return self.call("POST", "/execute/async", {"script": script, "args": list(arguments)})

    def find(self, css):
        return self.call("POST", "/element", {"using": "css selector", "value": css})[ELEMENT]

    def click(self, css):
        self.call("POST", "/element/" + self.find(css) + "/click")

    def type(self, css, text):
        self.call("POST", "/element/" + self.find(css) + "/value", {"text": text})

    def press(self, *keys):
        actions = []
        for key in keys:
            value = KEYS.get(key, key)
            actions += [{"type": "keyDown", "value": value}, {"type": "keyUp", "value": value}]
        self.call("POST", "/actions", {"actions": [{"type": "key", "id": "keys", "actions": actions}]})

    def size(self, width, height):
        self.call("POST", "/window/rect", {"width": width, "height": height})

    def shot(self, name):
        os.makedirs(SHOTS, exist_ok=True)
        with open(os.path.join(SHOTS, name + ".png"), "wb") as file:
            file.write(base64.b64decode(self.call("GET", "/screenshot")))

    def wait(self, script, *arguments, what=""):
        end = time.time() + 20
        while time.time() < end:
            value = self.js("return (" + script + ")", *arguments)
            if value:
                return value
            time.sleep(0.05)
        raise AssertionError("waited in vain for " + (what or script))


failures = []


def check(is_right, what):
    if not is_right:
        failures.append(what)
        print("FAILED: " + what, file=sys.stderr)


def equal(got, wanted, what):
    check(got == wanted, "%s: got %r, wanted %r" % (what, got, wanted))


# What the table shows: names of modules, in the order of the page.
NAMES = "return [...document.querySelectorAll('#rows .c-module a')].map(a => a.textContent)"


def accessible(browser, page):
    if not AXE:
        return
    with open(AXE, encoding="utf-8") as file:
        browser.js(file.read())
    found = browser.later(
        "const done = arguments[arguments.length - 1];"
        "axe.run(document, {resultTypes: ['violations'], preload: false}).then(r => done(r.violations.map(v =>"
        " v.id + ': ' + v.help + ' ' + v.nodes.map(n => n.html.slice(0, 160)).slice(0, 3).join(' | '))))")
    for problem in found:
        check(False, "accessibility of %s: %s" % (page, problem))


def table(browser, root):
    browser.go(root)
    browser.wait("document.querySelectorAll('#rows .c-module a').length > 5")
    equal(browser.js("return document.title"), "Example", "title")
    titles = browser.js("return [...document.querySelectorAll('#rows .title [role=rowheader]')].map(t => t.firstChild.textContent)")
    check("Bioinformatics" in titles and titles[-1] == "Other", "rows are grouped by category: %r" % titles)
    check(browser.js("return [...document.querySelectorAll('.version.standard')].some(v => v.textContent.includes('0.7.17'))"), "the default is marked")
    check(browser.js("return [...document.querySelectorAll('.c-url a')].some(a => a.href === 'https://bio.example.org/')"), "there are links")
    accessible(browser, "the table")
    browser.shot("table-light")
    browser.click("#theme")
    browser.click("#theme")
    browser.shot("table-dark")
    accessible(browser, "the dark table")
    browser.click("#theme")

    # Search: from the keyboard, in every text, and kept in the address.
    browser.press("/")
    browser.press(*"bwa")
    equal(browser.js(NAMES), ["bwa"], "search by name")
    check("q=bwa" in browser.js("return location.hash"), "the search is in the address")
    check("1 module of" in browser.js("return document.getElementById('count').textContent"), "the count is told")
    browser.js("document.getElementById('search').value = ''")
    for text, wanted in [("genome", ["bwa"]), ("compression", ["zlib"]), ("0.7.16", ["bwa"]), ("bioinf sam", ["samtools"]), ("no such thing", [])]:
        browser.js("const s = document.getElementById('search'); s.value = arguments[0]; s.dispatchEvent(new Event('input'))", text)
        equal(browser.js(NAMES), wanted, "search for " + text)
    browser.go("about:blank")
    browser.go(root + "#/?q=genome")
    equal(browser.wait("[...document.querySelectorAll('#rows .c-module a')].map(a => a.textContent)"), ["bwa"], "a link to a search")

    # Filter and sort.
    browser.go("about:blank")
    browser.go(root)
    browser.wait("document.querySelectorAll('#categories button').length > 3")
    browser.js("[...document.querySelectorAll('#categories button')].find(b => b.textContent.startsWith('Bioinformatics')).click()")
    equal(sorted(browser.js(NAMES)), ["bio/blast", "bwa", "samtools"], "filter by category")
    check(browser.js("return document.activeElement.getAttribute('aria-pressed') === 'true'"), "the focus stays on the chosen category")
    browser.js("document.querySelector('#categories button').click()")
    browser.click("#grouped")
    names = browser.js(NAMES)
    equal(names, sorted(names), "by name")
    browser.js("document.querySelector('[data-sort=changed]').click()")
    equal(browser.js(NAMES)[0], "samtools", "by date: the newest first")
    equal(browser.js("return document.querySelector('[aria-sort]').textContent"), "Versions", "which column is sorted is told")
    browser.js("document.querySelector('[data-sort=usage]').click()")
    equal(browser.js(NAMES)[0], "gcc", "by usage: the most used first")

    # The keyboard goes from row to row.
    browser.js("document.querySelector('#rows .c-module a').focus()")
    browser.press("down", "down")
    check(browser.js("return document.activeElement.closest('.row').getAttribute('aria-rowindex')") == "4", "arrows move between rows")
    browser.press("enter")
    browser.wait("!document.getElementById('page-module').hidden", what="Enter opens a module")


def module_pages(browser, root):
    browser.go("about:blank")
    browser.go(root + "#/module/hdf5")
    browser.wait("document.querySelectorAll('#page-module .command').length > 0")
    lines = browser.js("return [...document.querySelectorAll('#page-module .card .command code')].map(c => c.textContent)")
    equal(lines[:2], ["module load clang/17 hdf5/1.14", "module load gcc/13 hdf5/1.14"], "all ways through the hierarchy")
    browser.go(root + "#/module/bwa")
    browser.wait("document.querySelector('#page-module h1').textContent === 'bwa' && document.querySelector('.versions')")
    text = browser.js("return document.getElementById('page-module').innerText")
    for part in ["aligns reads", "module load bwa", "MIT", "ada@example.org", "desk", "how to", "stable", "see the warning", "2 versions"]:
        check(part in text, "the page of bwa tells " + part)
    browser.js("document.querySelectorAll('.versions details').forEach(d => d.open = true)")
    browser.wait("document.getElementById('page-module').innerText.includes('old')", what="the warning of a version")
    accessible(browser, "the page of a module")
    browser.shot("module-light")
    browser.go(root + "#/module/zlib")
    browser.wait("document.querySelector('#page-module h1').textContent === 'zlib' && document.querySelector('.graph')")
    equal(browser.js("return [...document.querySelectorAll('.node.needed text')].map(t => t.textContent)"), ["samtools"], "what needs it is drawn")
    browser.wait("document.activeElement.tagName === 'H1'", what="the focus goes along with the page")

    # Hostile texts are texts.
    browser.go("about:blank")
    browser.go(root + "#/module/evil")
    browser.wait("document.querySelector('#page-module .help')")
    check("<script>alert(1)</script>" in browser.js("return document.querySelector('#page-module .help').textContent"), "help is shown as it is")
    equal(browser.js("return document.querySelectorAll('main script, main img, main iframe, main [onclick], main [onerror]').length"), 0, "no code from modulefiles")
    check("<script>" in browser.js("return document.querySelector('#page-module .lead').textContent"), "descriptions are text")
    accessible(browser, "the page with hostile texts")
    browser.go(root + "#/module/md")
    browser.wait("document.querySelector('#page-module h1').textContent === 'md' && document.querySelector('.help h3')")
    equal(browser.js("return [...document.querySelectorAll('.help a')].map(a => a.getAttribute('href'))"), ["https://example.org/doc"], "links of Markdown: only to the web")
    browser.go(root + "#/module/no/such")
    browser.wait("document.querySelector('#page-module h1').textContent === 'Not found'")
    browser.go(root + "#/module/%E0%A4%A")
    browser.wait("document.querySelector('#page-module h1').textContent === 'Not found'", what="an address that is none")


def other_pages(browser, root):
    browser.go("about:blank")
    browser.go(root + "#/usage")
    browser.wait("document.querySelectorAll('#page-usage svg.plot').length === 3")
    check("loads" in browser.js("return document.querySelector('.figures').innerText"), "figures of usage")
    equal(browser.js("return document.querySelectorAll('#page-usage table').length"), 3, "each plot is a table as well")
    accessible(browser, "the page of usage")
    browser.shot("usage-light")
    browser.go(root + "#/new")
    browser.wait("document.querySelectorAll('#page-new li').length > 5")
    equal(browser.js("return document.querySelector('#page-new li a').textContent"), "samtools", "what is new comes first")
    accessible(browser, "the page of news")


def form(browser, root):
    browser.go("about:blank")
    browser.go(root + "#/job")
    browser.wait("document.getElementById('job-name')")
    check(browser.js("return document.getElementById('copy-script').disabled"), "nothing to copy yet")
    # A module deep in the hierarchy is chosen from the keyboard, and brings along what it needs first.
    browser.type("#module-input", "hdf")
    browser.wait("!document.getElementById('module-list').hidden")
    browser.press("down", "enter")
    browser.wait("document.querySelectorAll('#chosen li').length === 2", what="a module with the one it needs")
    browser.type("#commands-0", "h5ls 'a file'")
    browser.js("document.getElementById('job-partition').value = 'short'; document.getElementById('job-partition').dispatchEvent(new Event('input'))")
    browser.type("#job-time", "2h")
    browser.js("document.getElementById('job-time').blur()")
    check("no time limit" in browser.js("return document.getElementById('job-time-error').textContent"), "a wrong time is told")
    equal(browser.js("return document.getElementById('job-time').getAttribute('aria-invalid')"), "true", "and marked")
    browser.shot("form-wrong")
    accessible(browser, "the form with a mistake")
    browser.press()
    browser.js("document.getElementById('job-time').focus()")
    browser.press("back", "back")
    browser.type("#job-time", "1:00:00")
    browser.click("#add-group")
    browser.type("#commands-1", "one\ntwo")
    browser.js("document.querySelector('[name=mail][value=END]').click()")
    browser.type("#job-mail_user", "ada@example.org")
    equal(browser.js("return document.getElementById('problems').innerText.includes('Ready')"), True, "the job is ready")
    accessible(browser, "the form")
    browser.shot("form-light")
    script = browser.js("return document.getElementById('script').textContent")
    wanted = [case["script"] for case in cases if case.get("form")][0]
    equal(script, wanted, "the form and `xmod sbatch` write the same")
    browser.call("POST", "/goog/cdp/execute", {"cmd": "Browser.grantPermissions", "params": {"permissions": ["clipboardReadWrite", "clipboardSanitizedWrite"]}})
    browser.click("#copy-script")
    browser.wait("document.getElementById('copy-script').textContent === 'Copied'")
    copied = browser.later("const done = arguments[arguments.length - 1]; navigator.clipboard.readText().then(done, e => done('' + e))")
    equal(copied, script, "what was copied is the script")
    # Every other job of the table.
    for case in cases:
        if case["script"] is None:
            check(browser.js("return Job.problems(arguments[0]).length > 0", case["job"]), "refused by `xmod sbatch`, taken by the form: %r" % case["job"])
        else:
            equal(browser.js("return Job.problems(arguments[0])", case["job"]), [], "problems of %r" % case["job"])
            equal(browser.js("return Job.script(arguments[0])", case["job"]), case["script"], "script")


def phone(browser, root):
    browser.size(420, 820)
    for name, page in [("table", "#/"), ("module", "#/module/bwa"), ("form", "#/job"), ("usage", "#/usage")]:
        browser.go("about:blank")
        browser.go(root + page)
        browser.wait("document.querySelector('#page-%s:not([hidden]) *')" % {"form": "job"}.get(name, name))
        time.sleep(0.2)
        wide = browser.js("return document.documentElement.scrollWidth - document.documentElement.clientWidth")
        check(wide <= 0, "%s on a phone is wider than the window by %s" % (name, wide))
        accessible(browser, name + " on a phone")
        browser.shot("phone-" + name)
    browser.size(1400, 900)


def large(browser, root, directory):
    """27,400 names in the place of the few: how long does the first look take, and how long a key?"""
    path = os.path.join(directory, "data", "index.js")
    with open(path, encoding="utf-8") as file:
        text = file.read()
    index = json.loads(text[text.index("'") + 1:text.rindex("'")].replace("\\'", "'").replace("\\\\", "\\"))
    words = "genome assembly read alignment protein structure solver mesh parallel library python statistics".split()
    index["categories"] = ["Category %d" % n for n in range(24)]
    index["modules"] = [
        ["tool-%05d" % n, "", "%s %s for %s and %s, number %d" % (words[n % 12], words[n * 7 % 12], words[n * 5 % 12], words[n * 11 % 12], n),
         [n % 24], [words[n % 12], words[n * 5 % 12]], "https://example.org/%d" % n, 0, ["%d.%d" % (v, n % 10) for v in range(1 + n % 5)],
         "2026-01-%02d" % (1 + n % 28), n * 7919 % 10007, n % 50]
        for n in range(27400)]
    literal = json.dumps(index, ensure_ascii=False).replace("\\", "\\\\").replace("'", "\\'")
    with open(path, "w", encoding="utf-8") as file:
        file.write("xmodData(\"index\", '%s');\n" % literal)
    browser.go("about:blank")
    browser.go(root)
    browser.wait("document.querySelectorAll('#rows .c-module a').length > 5")
    paint = browser.js("return performance.getEntriesByName('first-contentful-paint').map(e => e.startTime)[0] || 0")
    loaded = browser.js("return performance.timing.domContentLoadedEventEnd - performance.timing.navigationStart")
    slowest = browser.later("""
        const done = arguments[arguments.length - 1];
        const input = document.getElementById('search');
        const times = [];
        const texts = ['g', 'ge', 'gen', 'geno', 'genom', 'genome', 'genome a', 'genome as', '', 't', 'to', 'too', 'tool-2', 'tool-27'];
        // Three rounds: other programs run meanwhile, and the page is not to blame for them.
        function next(at) {
          if (at === 3 * texts.length) return done(texts.map((_, n) => Math.min(times[n], times[n + texts.length], times[n + 2 * texts.length])));
          input.value = texts[at % texts.length];
          const start = performance.now();
          input.dispatchEvent(new Event('input'));
          // Two frames: the one that shows the change has been drawn when the second begins.
          requestAnimationFrame(() => { document.body.offsetHeight; times.push(performance.now() - start); setTimeout(() => next(at + 1), 5); });
        }
        next(0);""")
    frames = browser.later("""
        const done = arguments[arguments.length - 1];
        const input = document.getElementById('search');
        input.value = ''; input.dispatchEvent(new Event('input'));
        const times = [];
        const end = document.documentElement.scrollHeight;
        function step(n) {
          if (n === 40) return done([times, document.querySelectorAll('#rows .row').length]);
          const start = performance.now();
          window.scrollTo(0, end * n / 40);
          requestAnimationFrame(() => { document.body.offsetHeight; times.push(performance.now() - start); step(n + 1); });
        }
        step(0);""")
    browser.shot("large")
    print("27,400 names: first paint %.0f ms, ready %.0f ms; a key %.0f ms (slowest %.0f); a scrolled frame %.0f ms (slowest %.0f); %d rows drawn" % (
        paint, loaded, sorted(slowest)[len(slowest) // 2], max(slowest), sorted(frames[0])[20], max(frames[0]), frames[1]))
    check(sorted(slowest)[len(slowest) // 2] < 100, "a key takes more than 100 ms: %r" % slowest)
    check(frames[1] < 80, "too many rows are drawn: %d" % frames[1])


with open(CASES, encoding="utf-8") as file:
    cases = json.load(file)
with tempfile.TemporaryDirectory() as profile, tempfile.TemporaryDirectory() as copy:
    browser = Browser(profile)
    try:
        page = "file://" + os.path.abspath(SITE) + "/index.html"
        for part in (table, module_pages, other_pages, form, phone):
            try:
                part(browser, page)
            except (AssertionError, RuntimeError) as error:
                check(False, "%s: %s" % (part.__name__, error))
                browser.shot("failed-" + part.__name__)
        log = browser.call("POST", "/se/log", {"type": "browser"})
        for entry in log:
            if entry["level"] == "SEVERE":
                check(False, "the browser says: " + entry["message"])
        big = os.path.join(copy, "a b%20c", "site")
        shutil.copytree(SITE, big)
        # Under another prefix, with a name that needs care.
        large(browser, "file://" + urllib.request.pathname2url(big) + "/index.html", big)
    finally:
        browser.quit()
sys.exit(1 if failures else 0)
