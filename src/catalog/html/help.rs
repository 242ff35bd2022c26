//! Help texts as HTML: what looks like Markdown is rendered, all else stays as it was typed.
//!
//! The HTML is written here element by element, so that nothing of a help text can become markup of its own: raw HTML is
//! text, pictures are their descriptions, and only addresses on the web and of e-mail become links.

use pulldown_cmark::{Event, HeadingLevel, Options, Parser, Tag, TagEnd};

use crate::catalog::metadata::web_address;

/// How much of a help text is shown, in bytes.
const MAX_BYTES: usize = 64 << 10;

/// How deep lists and quotations may be nested.
const MAX_DEPTH: usize = 24;

/// The HTML of a help text.
pub(super) fn html(help: &str) -> String {
    let (help, is_cut) = shortened(help);
    let mut out = String::new();
    if is_markdown(help) {
        markdown(help, &mut out);
    } else {
        out.push_str("<pre>");
        text(help, &mut out);
        out.push_str("</pre>");
    }
    if is_cut {
        out.push_str("<p>… (the rest is left out; <code>module help</code> shows it)</p>");
    }
    out
}

/// The beginning of a text, cut at a line where it is too long.
fn shortened(help: &str) -> (&str, bool) {
    if help.len() <= MAX_BYTES {
        return (help, false);
    }
    let mut end = MAX_BYTES;
    while !help.is_char_boundary(end) {
        end -= 1;
    }
    let end = help[..end].rfind('\n').unwrap_or(end);
    (&help[..end], true)
}

/// Whether a text is written in Markdown: it has headings, code between fences, or links in its manner.
fn is_markdown(help: &str) -> bool {
    let mut before = "";
    for line in help.lines() {
        let mark = line.trim_end();
        let heading = mark.trim_start_matches('#');
        let hashes = mark.len() - heading.len();
        if (1..=6).contains(&hashes) && heading.starts_with(' ') || mark.starts_with("```") {
            return true;
        }
        // A title with a rule of the same length below, as EasyBuild writes it.
        let is_rule =
            mark.len() >= 3 && (mark.bytes().all(|b| b == b'=') || mark.bytes().all(|b| b == b'-'));
        if is_rule && !before.is_empty() && before.chars().count().abs_diff(mark.len()) <= 2 {
            return true;
        }
        if mark.contains("](http") {
            return true;
        }
        before = mark;
    }
    false
}

/// Text with what has a meaning in HTML taken out, and addresses on the web as links.
fn text(text: &str, out: &mut String) {
    let mut rest = text;
    while let Some(at) = ["https://", "http://"]
        .iter()
        .filter_map(|scheme| rest.find(scheme))
        .min()
    {
        let (before, from) = rest.split_at(at);
        escape(before, out);
        let end = from
            .find(|c: char| c.is_whitespace() || c.is_control() || "<>\"'`()[]{}|\\^".contains(c))
            .unwrap_or(from.len());
        let address = from[..end].trim_end_matches(['.', ',', ';', ':', '!', '?']);
        link(address, out, |out| escape(address, out));
        rest = &from[address.len()..];
    }
    escape(rest, out);
}

/// A link, where the address is one on the web or of e-mail; the words alone otherwise.
fn link(address: &str, out: &mut String, words: impl FnOnce(&mut String)) {
    let is_open = open_link(address, out);
    words(out);
    if is_open {
        out.push_str("</a>");
    }
}

fn open_link(address: &str, out: &mut String) -> bool {
    let is_mail = address
        .strip_prefix("mailto:")
        .is_some_and(|rest| rest.contains('@'));
    if !is_mail && web_address(address).is_none_or(|web| web != address) {
        return false;
    }
    out.push_str("<a rel=\"noopener noreferrer external\" href=\"");
    escape(address, out);
    out.push_str("\">");
    true
}

fn escape(text: &str, out: &mut String) {
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '\n' | '\t' => out.push(c),
            c if c.is_control() => {}
            c => out.push(c),
        }
    }
}

fn markdown(help: &str, out: &mut String) {
    let mut links = Vec::new();
    let mut in_code = false;
    let mut in_head = false;
    let mut depth = 0_usize;
    for event in Parser::new_ext(help, Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH) {
        match event {
            Event::Start(tag) => {
                depth += 1;
                if depth > MAX_DEPTH {
                    continue;
                }
                match tag {
                    Tag::CodeBlock(_) => {
                        in_code = true;
                        out.push_str("<pre><code>");
                    }
                    Tag::Link { dest_url, .. } => links.push(open_link(&dest_url, out)),
                    Tag::TableHead => {
                        in_head = true;
                        out.push_str("<thead><tr>");
                    }
                    Tag::List(Some(start)) if start != 1 => {
                        out.push_str(&format!("<ol start=\"{start}\">"))
                    }
                    tag => out.push_str(opening(&tag, in_head)),
                }
            }
            Event::End(tag) => {
                depth -= 1;
                if depth >= MAX_DEPTH {
                    continue;
                }
                match tag {
                    TagEnd::CodeBlock => {
                        in_code = false;
                        out.push_str("</code></pre>");
                    }
                    TagEnd::Link => {
                        if links.pop() == Some(true) {
                            out.push_str("</a>");
                        }
                    }
                    TagEnd::TableHead => {
                        in_head = false;
                        out.push_str("</tr></thead>");
                    }
                    tag => out.push_str(closing(tag, in_head)),
                }
            }
            Event::Text(words) if in_code || links.last() == Some(&true) => escape(&words, out),
            Event::Text(words) => text(&words, out),
            Event::Code(words) => {
                out.push_str("<code>");
                escape(&words, out);
                out.push_str("</code>");
            }
            // HTML is text here.
            Event::Html(words) | Event::InlineHtml(words) => escape(&words, out),
            Event::SoftBreak => out.push('\n'),
            Event::HardBreak => out.push_str("<br>"),
            Event::Rule => out.push_str("<hr>"),
            Event::InlineMath(words)
            | Event::DisplayMath(words)
            | Event::FootnoteReference(words) => {
                escape(&words, out);
            }
            Event::TaskListMarker(_) => {}
        }
    }
}

/// The page has headings of its own above these.
fn heading(level: HeadingLevel) -> usize {
    match level {
        HeadingLevel::H1 | HeadingLevel::H2 => 0,
        _ => 1,
    }
}

fn opening(tag: &Tag, in_head: bool) -> &'static str {
    match tag {
        Tag::Paragraph => "<p>",
        Tag::Heading { level, .. } => ["<h3>", "<h4>"][heading(*level)],
        Tag::BlockQuote(_) => "<blockquote>",
        Tag::List(None) => "<ul>",
        Tag::List(Some(_)) => "<ol>",
        Tag::Item => "<li>",
        Tag::Emphasis => "<em>",
        Tag::Strong => "<strong>",
        Tag::Strikethrough => "<del>",
        Tag::Table(_) => "<table>",
        Tag::TableRow => "<tr>",
        Tag::TableCell => {
            if in_head {
                "<th scope=\"col\">"
            } else {
                "<td>"
            }
        }
        _ => "",
    }
}

fn closing(tag: TagEnd, in_head: bool) -> &'static str {
    match tag {
        TagEnd::Paragraph => "</p>",
        TagEnd::Heading(level) => ["</h3>", "</h4>"][heading(level)],
        TagEnd::BlockQuote(_) => "</blockquote>",
        TagEnd::List(false) => "</ul>",
        TagEnd::List(true) => "</ol>",
        TagEnd::Item => "</li>",
        TagEnd::Emphasis => "</em>",
        TagEnd::Strong => "</strong>",
        TagEnd::Strikethrough => "</del>",
        TagEnd::Table => "</table>",
        TagEnd::TableRow => "</tr>",
        TagEnd::TableCell => {
            if in_head {
                "</th>"
            } else {
                "</td>"
            }
        }
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_text_stays_as_it_was_typed() {
        assert_eq!(html("a  b\n   c & d"), "<pre>a  b\n   c &amp; d</pre>");
        assert_eq!(
            html("see https://a.org/x?y=1, or"),
            "<pre>see <a rel=\"noopener noreferrer external\" href=\"https://a.org/x?y=1\">https://a.org/x?y=1</a>, or</pre>"
        );
    }

    #[test]
    fn markdown_is_rendered() {
        let shown = html("# Title\n\nSome *text* and `code`.\n\n- one\n- [two](https://a.org)\n");
        assert_eq!(
            shown,
            "<h3>Title</h3><p>Some <em>text</em> and <code>code</code>.</p><ul><li>one</li><li>\
             <a rel=\"noopener noreferrer external\" href=\"https://a.org\">two</a></li></ul>"
        );
        assert!(
            html("Description\n===========\nIt is.\n").starts_with("<h3>Description</h3><p>It is.")
        );
    }

    #[test]
    fn nothing_of_a_help_text_becomes_markup_of_its_own() {
        for hostile in [
            "<script>alert(1)</script>",
            "# t\n<img src=x onerror=alert(1)>\n",
            "# t\n[x](javascript:alert(1))",
            "# t\n[x](data:text/html,<script>)",
            "# t\n![x](https://a.org/x.png)",
            "# t\n[x](https://a.org/\"onclick=\"alert(1))",
            "# t\n<https://a.org/'onclick='x>",
            "https://a.org/\"onmouseover=\"x",
            "```\"><script>\n<b>\n```",
        ] {
            let shown = html(hostile);
            let bare = shown.replace("<script", "");
            assert_eq!(bare, shown, "{hostile}");
            for bad in [
                "<img",
                "<b>",
                "javascript:alert(1)\"",
                "\" on",
                "'on",
                "\"on",
                "href=\"data",
            ] {
                assert!(!shown.contains(bad), "{hostile}: {shown}");
            }
        }
    }

    #[test]
    fn huge_and_deep_texts_are_bounded() {
        let shown = html(&"word\n".repeat(1 << 20));
        assert!(shown.len() < MAX_BYTES + 1000 && shown.contains("left out"));
        let shown = html(&format!("# t\n{} deep", ">".repeat(10_000)));
        assert!(shown.matches("<blockquote>").count() <= MAX_DEPTH);
        assert_eq!(
            shown.matches("<blockquote>").count(),
            shown.matches("</blockquote>").count()
        );
    }
}
