// Changes of bodies: parts taken out, footers, other texts. Each result is read again by the index and by the checks of lib/lint.
#include <doctest/doctest.h>

#include <vector>

#include "lib/lint/check.h"
#include "lib/mail/mime.h"
#include "vsl-filter/body/footer.h"
#include "vsl-filter/body/replacement.h"
#include "vsl-filter/transaction/message_testing.h"
#include "vsl-filter/transaction/mime_parts.h"

using rules::Message;
using rules::testing::finished;
using rules::testing::open;

namespace {

constexpr std::size_t kLimit = 4096;

// Lines end with CRLF, as in mail.
std::string crlf(std::string_view text) {
  std::string out;
  for (const char c : text) out += c == '\n' ? "\r\n" : std::string(1, c);
  return out;
}

// What lib/lint finds against the RFCs in the structure of a message.
std::string errors_of(std::string_view octets) {
  lint::Findings findings({}, {});
  lint::check_message(octets, {.is_wire = true, .limits = {}}, findings);
  std::string errors;
  for (const auto& finding : findings.kept())
    if (lint::row_of(finding.id).severity == lint::Severity::Error && finding.id != lint::Id::MissingField) errors += std::string(lint::row_of(finding.id).name) + " ";
  return errors;
}

// The text of each part, decoded: "type: text|".
std::string texts_of(std::string_view octets) {
  const auto message = mail::Message::index(octets);
  std::string all;
  for (const auto& part : message.parts()) {
    if (part.kind == mail::Part::Kind::Multipart) continue;
    std::string text;
    mail::decode(text, message.body(part), part.encoding);
    all += part.type + "/" + part.subtype + ": " + text + "|";
  }
  return all;
}

bool put(Message& message, std::string_view footer, std::optional<std::string> html = {}, std::size_t limit = kLimit) {
  const auto parts = message.parts();
  REQUIRE(parts);
  auto edit = rules::footer_edit(**parts, {std::string(footer), std::move(html)}, message.header().line_end(), limit);
  if (edit) message.apply(std::move(*edit));
  return edit.has_value();
}

// The message with that footer, CRLF written as LF; "" when it was left alone.
std::string with_footer(std::string_view octets, std::string_view footer, std::optional<std::string> html = {}) {
  auto message = open(crlf(octets));
  if (!put(message, footer, std::move(html))) {
    CHECK(finished(message) == crlf(octets));
    return "";
  }
  const auto octets_now = finished(message);
  CHECK((errors_of(octets_now).empty() || errors_of(octets_now) == errors_of(crlf(octets))));
  std::string text;
  for (const char c : octets_now)
    if (c != '\r') text += c;
  return text;
}

base::Result<std::uint64_t> replace(Message& message, std::string_view old_text, std::string_view new_text, std::size_t limit = kLimit) {
  const rules::Rewrite rewrite = [&](std::string_view text, const rules::Sink& sink) -> base::Result<std::uint64_t> {
    std::uint64_t count = 0;
    std::size_t from = 0;
    for (auto at = text.find(old_text); at != std::string_view::npos; at = text.find(old_text, from), ++count) {
      for (const auto piece : {text.substr(from, at - from), new_text})
        if (const auto done = sink(piece); !done) return std::unexpected(done.error());
      from = at + old_text.size();
    }
    if (const auto done = sink(text.substr(from)); !done) return std::unexpected(done.error());
    return count;
  };
  const auto parts = message.parts();
  REQUIRE(parts);
  auto replaced = rules::replace_in_texts(**parts, rewrite, message.header().line_end(), limit);
  if (!replaced) return std::unexpected(replaced.error());
  if (replaced->count > 0) message.apply(std::move(replaced->edit));
  return replaced->count;
}

constexpr std::string_view kMixed =
    "Content-Type: multipart/mixed; boundary=a\nMIME-Version: 1.0\n\npreamble\n"
    "--a\n\none\n"
    "--a\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\ntwo one\n--b\n\ntwo two\n--b--\n"
    "--a\nContent-Type: application/pdf\nContent-Transfer-Encoding: base64\n\nAAAA\n"
    "--a--\nepilogue\n";

}  // namespace

// ---- pieces ----------------------------------------------------------------------------------------------------------------

TEST_CASE("body: pieces are taken out and put in, and written in order") {
  rules::Body body({base::Blob::of_octets("0123456789"), 2, 7});  // 2345678
  const auto text = [&] {
    const base::BlobWriter::Limits limits;
    base::BlobWriter writer(limits);
    REQUIRE(body.write_to(writer));
    return std::string(writer.finish().octets());
  };
  const auto piece = [](std::string octets) { return rules::Body::Piece::of(std::move(octets)); };
  CHECK(text() == "2345678");
  body.apply(std::vector<rules::Body::Splice>{{0, 0, piece("<")}, {1, 2, piece("xy")}, {7, 0, piece(">")}});
  CHECK(text() == "<2xy5678>");
  CHECK(body.size() == 9);
  body.apply(std::vector<rules::Body::Splice>{{0, 3, {}}, {3, 2, {}}, {8, 100, {}}, {200, 1, piece("!")}});
  CHECK(text() == "678!");
  body.apply(std::vector<rules::Body::Splice>{{0, 4, {}}});
  CHECK(text().empty());
}

// ---- parts taken out -------------------------------------------------------------------------------------------------------

TEST_CASE("remove_part: the part and its delimiter go, all others stay octet by octet") {
  const auto without = [](std::initializer_list<std::string_view> paths) {
    auto message = open(crlf(kMixed));
    for (const auto path : paths) CHECK(*message.remove_part(path));
    const auto octets = finished(message);
    CHECK(errors_of(octets).empty());
    CHECK(*message.body() == octets.substr(octets.find("\r\n\r\n") + 4));
    return octets;
  };
  auto expected = crlf(kMixed);
  const auto cut = [&](std::string_view from, std::string_view to) {
    const auto start = expected.find(crlf(from));
    REQUIRE(start != std::string::npos);
    expected.erase(start, expected.find(crlf(to), start + 1) - start);
    return expected;
  };
  CHECK(without({"1"}) == cut("--a\n\none\n", "--a\n"));
  expected = crlf(kMixed);
  CHECK(without({"3"}) == cut("--a\nContent-Type: application/pdf", "--a--"));
  expected = crlf(kMixed);
  CHECK(without({"2.1"}) == cut("--b\n\ntwo one", "--b\n"));
  expected = crlf(kMixed);
  CHECK(without({"2.2"}) == cut("--b\n\ntwo two", "--b--"));
  expected = crlf(kMixed);
  CHECK(without({"2"}) == cut("--a\nContent-Type: multipart/mixed; boundary=b", "--a\nContent-Type: application"));
  // A path keeps its meaning while parts go; a multipart without parts goes with the last of them.
  CHECK(without({"2.1", "2.2"}) == expected);
  CHECK(without({"2.2", "2.1"}) == expected);
  CHECK(texts_of(without({"1", "3"})) == "text/plain: two one|text/plain: two two|");
  CHECK(texts_of(without({"3", "2", "1"})) == "text/plain: |");
}

TEST_CASE("remove_part: what is not there, or is gone, cannot go") {
  auto message = open(crlf(kMixed));
  for (const auto path : {"", "4", "2.3", "1.1", "01", "1.", "x"}) {
    CAPTURE(std::string(path));
    CHECK_FALSE(*message.remove_part(path));
  }
  CHECK_FALSE(message.is_changed());
  CHECK(*message.remove_part("2"));
  CHECK_FALSE(*message.remove_part("2"));
  CHECK_FALSE(*message.remove_part("2.1"));
  // parts() numbers anew.
  REQUIRE(message.parts());
  CHECK((*message.parts())->parts().size() == 3);
  CHECK(*message.remove_part("2"));
  CHECK(texts_of(finished(message)) == "text/plain: one|");
}

TEST_CASE("remove_part: the only part of a message leaves an empty text; that of an inner message takes that message along") {
  auto single = open("Subject: x\r\nContent-Type: application/x-msdownload\r\nContent-Transfer-Encoding: base64\r\nMIME-Version: 1.0\r\n\r\nAAAA\r\n");
  CHECK(*single.remove_part("1"));
  CHECK(finished(single) == "Subject: x\r\nMIME-Version: 1.0\r\n\r\n");
  auto forwarded = open(crlf("Content-Type: multipart/mixed; boundary=a\n\n--a\n\ntext\n--a\nContent-Type: message/rfc822\n\nContent-Type: image/gif\n\ninner\n--a--\n"));
  CHECK(*forwarded.remove_part("2.1"));
  CHECK(texts_of(finished(forwarded)) == "text/plain: text|");
}

TEST_CASE("remove_part: multiparts that are not closed, parts without octets, LF") {
  auto unclosed = open("Content-Type: multipart/mixed; boundary=a\n\n--a\n\none\n--a\n\ntwo\n");
  CHECK(*unclosed.remove_part("2"));
  CHECK(texts_of(finished(unclosed)) == "text/plain: one|");
  auto empty = open("Content-Type: multipart/mixed; boundary=a\n\n--a\nContent-Type: text/html\n\nhello\n--a\nContent-Type: image/gif\n\n--a--\n");
  CHECK(*empty.remove_part("2"));
  CHECK(texts_of(finished(empty)) == "text/html: hello|");
  CHECK((*empty.parts())->root().is_closed);
  CHECK(*empty.remove_part("1"));
  CHECK(texts_of(finished(empty)) == "text/plain: |");
  CHECK((*empty.parts())->root().is_closed);
}

// ---- footers ---------------------------------------------------------------------------------------------------------------

TEST_CASE("append_footer: below a plain text, which keeps its octets") {
  CHECK(with_footer("Subject: x\n\ntext\n", "-- \nthe list\n") == "Subject: x\n\ntext\n-- \nthe list\n");
  CHECK(with_footer("Subject: x\n\ntext", "footer") == "Subject: x\n\ntext\nfooter\n");
  CHECK(with_footer("Subject: x\n\n", "footer") == "Subject: x\n\nfooter\n");
  auto message = open("Subject: x\r\n");
  CHECK(put(message, "footer"));
  CHECK(finished(message) == "Subject: x\r\n\r\nfooter\r\n");
  auto lf = open("Subject: x\n\ntext\n");
  CHECK(put(lf, "a\r\nb"));
  CHECK(finished(lf) == "Subject: x\n\ntext\na\nb\n");
}

TEST_CASE("append_footer: in the charset and the transfer encoding of the text") {
  CHECK(with_footer("Content-Type: text/plain; charset=iso-8859-1\nContent-Transfer-Encoding: 8bit\n\nGr\xFC\xDF" "e\n", "\xC3\xA4") ==
        "Content-Type: text/plain; charset=iso-8859-1\nContent-Transfer-Encoding: 8bit\n\nGr\xFC\xDF" "e\n\xE4\n");
  CHECK(with_footer("Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: quoted-printable\n\nGr=C3=BC=C3=9Fe=\n", "\xE2\x82\xAC ") ==
        "Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: quoted-printable\n\nGr=C3=BC=C3=9Fe\n=E2=82=AC=20\n");
  CHECK(texts_of(with_footer("Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: base64\n\ndGV4dA0K\n", "footer")) == "text/plain: text\r\nfooter\r\n|");
  // What the charset lacks makes it UTF-8.
  CHECK(with_footer("MIME-Version: 1.0\nContent-Type: text/plain; format=fixed; charset=\"iso-8859-1\" ; x=y\nContent-Transfer-Encoding: quoted-printable\n\nGr=FC=DFe\n", "\xE2\x82\xAC") ==
        "MIME-Version: 1.0\nContent-Type: text/plain; format=fixed; charset=utf-8 ; x=y\nContent-Transfer-Encoding: quoted-printable\n\nGr=C3=BC=C3=9Fe\n=E2=82=AC\n");
  CHECK(with_footer("Subject: x\n\ntext\n", "\xC3\xA4") ==
        "Subject: x\nContent-Type: text/plain; charset=utf-8\nMIME-Version: 1.0\nContent-Transfer-Encoding: quoted-printable\n\ntext\n=C3=A4\n");
  // Octets that nobody can tell the meaning of: the footer has its own part.
  const auto apart = with_footer("MIME-Version: 1.0\nContent-Type: text/plain; charset=x-unknown\nContent-Transfer-Encoding: 8bit\n\n\xFF\n", "footer");
  CHECK(texts_of(apart) == "text/plain: \xFF\n|text/plain: footer|");
}

TEST_CASE("append_footer: format=flowed keeps its paragraphs and the lines of the footer") {
  constexpr std::string_view kFlowed = "Content-Type: text/plain; format=flowed\n\n";
  CHECK(with_footer(std::string(kFlowed) + "a para \ngraph\n", " x \n>y\n-- \nFrom z") == std::string(kFlowed) + "a para \ngraph\n  x\n >y\n-- \n From z\n");
  CHECK(with_footer(std::string(kFlowed) + "not ended \n", "x") == std::string(kFlowed) + "not ended \n\nx\n");
  CHECK(with_footer(std::string(kFlowed) + "-- \n", "x") == std::string(kFlowed) + "-- \nx\n");
}

TEST_CASE("append_footer: into HTML, escaped, in front of the end of its body") {
  constexpr std::string_view kHtml = "Content-Type: text/html\n\n";
  CHECK(with_footer(std::string(kHtml) + "<html><BODY>hi</Body></html>\n", "a<b & \xC3\xA4\nc") == std::string(kHtml) + "<html><BODY>hi\n<div>a&lt;b &amp; &#228;<br>\nc</div>\n</Body></html>\n");
  CHECK(with_footer(std::string(kHtml) + "hi\n", "plain", "<b>\xE2\x82\xAC</b>") == std::string(kHtml) + "hi\n<b>&#8364;</b>\n");
  CHECK(texts_of(with_footer("Content-Type: text/html; charset=utf-8\nContent-Transfer-Encoding: base64\n\nPGI+PC9ib2R5Pg==\n", "x")) == "text/html: <b>\r\n<div>x</div>\r\n</body>|");
}

TEST_CASE("append_footer: into each alternative, the first text of several parts, the root of related ones") {
  const auto alternative = with_footer(
      "Content-Type: multipart/mixed; boundary=m\n\n--m\nContent-Type: multipart/alternative; boundary=a\n\n--a\n\nplain\n--a\nContent-Type: multipart/related; start=\"<2@x>\"; boundary=r\n\n"
      "--r\nContent-Type: image/gif\n\nGIF\n--r\nContent-Type: text/html\nContent-ID: <2@x>\n\n<p>\n--r--\n--a--\n--m\n\nsecond\n--m--\n",
      "F");
  CHECK(texts_of(alternative) == "text/plain: plain\nF|image/gif: GIF|text/html: <p>\n<div>F</div>|text/plain: second|");
  const auto attached = with_footer("Content-Type: multipart/mixed; boundary=m\n\n--m\nContent-Disposition: attachment\n\na file\n--m\n\ntext\n--m--\n", "F");
  CHECK(texts_of(attached) == "text/plain: a file|text/plain: text\nF|");
}

TEST_CASE("append_footer: a part of its own where no text can take it") {
  const auto added = with_footer("Content-Type: multipart/mixed; boundary=m\n\n--m\nContent-Type: image/gif\n\nGIF\n--m--\nepilogue\n", "F");
  CHECK(added == "Content-Type: multipart/mixed; boundary=m\n\n--m\nContent-Type: image/gif\n\nGIF\n--m\nContent-Type: text/plain; charset=us-ascii\nContent-Disposition: inline\n\nF\n--m--\nepilogue\n");
  const auto wrapped = with_footer("Subject: x\nMIME-Version: 1.0\nContent-Type: application/pdf;\n name=a.pdf\nContent-Transfer-Encoding: base64\n\nAAAA\n", "\xC3\xA4");
  CHECK(texts_of(wrapped) == std::string("application/pdf: ") + std::string(3, '\0') + "|text/plain: \xC3\xA4|");
  CHECK(wrapped.starts_with("Subject: x\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=\"=_"));
  CHECK(wrapped.contains("\nContent-Type: application/pdf;\n name=a.pdf\nContent-Transfer-Encoding: base64\n\nAAAA\n\n--=_"));
  // A multipart/mixed that nobody closed is closed behind the footer.
  const auto closed = with_footer("Content-Type: multipart/mixed; boundary=m\n\n--m\nContent-Type: image/gif\n\nGIF", "F");
  CHECK(texts_of(closed) == "image/gif: GIF|text/plain: F|");
  CHECK(closed.ends_with("\n--m--\n"));
}

TEST_CASE("append_footer: multiparts without parts") {
  for (const char* type : {"related", "alternative", "mixed"}) {
    CAPTURE(type);
    const auto octets = with_footer("MIME-Version: 1.0\nContent-Type: multipart/" + std::string(type) + "; boundary=m\n\ntext\n", "F");
    CHECK(texts_of(octets) == "text/plain: F|");
  }
}

TEST_CASE("append_footer: what is signed or encrypted, and a report, stay as they are") {
  for (const char* type : {"multipart/signed; boundary=s", "multipart/encrypted; boundary=s", "multipart/report; boundary=s"}) {
    CAPTURE(type);
    CHECK(with_footer("Content-Type: " + std::string(type) + "\n\n--s\n\ntext\n--s\nContent-Type: application/pgp-signature\n\nSIG\n--s--\n", "F").empty());
  }
  for (const char* type : {"application/pkcs7-mime", "application/x-pkcs7-mime; smime-type=signed-data"})
    CHECK(with_footer("Content-Type: " + std::string(type) + "\nContent-Transfer-Encoding: base64\n\nAAAA\n", "F").empty());
  // Inside of other parts too.
  const std::string signed_part = "--m\nContent-Type: multipart/signed; boundary=s\n\n--s\n\nsigned\n--s\nContent-Type: application/pgp-signature\n\nSIG\n--s--\n";
  const auto octets = with_footer("Content-Type: multipart/mixed; boundary=m\n\n" + signed_part + "--m--\n", "F");
  CHECK(octets.contains(signed_part));
  CHECK(texts_of(octets).ends_with("|text/plain: F|"));
}

TEST_CASE("append_footer: texts beyond the limit are not brought into memory") {
  const std::string large(kLimit + 1, 'x');
  auto plain = open("Subject: x\r\n\r\n" + large + "\r\n");
  CHECK(put(plain, "F"));
  CHECK(finished(plain) == "Subject: x\r\n\r\n" + large + "\r\nF\r\n");
  auto encoded = open("Content-Type: text/plain\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n" + large + "\r\n");
  CHECK(put(encoded, "F"));
  CHECK(texts_of(finished(encoded)) == "text/plain: " + large + "\r\n|text/plain: F|");
}

TEST_CASE("append_footer: twice, and with other changes before and behind it") {
  auto message = open(crlf(kMixed));
  CHECK(put(message, "F1"));
  CHECK(*message.remove_part("3"));
  REQUIRE(message.header().set("Subject", "new"));
  CHECK(put(message, "F2"));
  CHECK(*replace(message, "two one", "2.1") == 1);
  CHECK(texts_of(finished(message)) == "text/plain: one\r\nF1\r\nF2|text/plain: 2.1|text/plain: two two|");
  CHECK(errors_of(finished(message)).empty());
  CHECK(message.size() == finished(message).size());
  CHECK(*message.text() == finished(message));
}

// ---- other texts -----------------------------------------------------------------------------------------------------------

TEST_CASE("replace: in each text, decoded, and nowhere else") {
  auto message = open(crlf(
      "X: old\nContent-Type: multipart/mixed; boundary=old\n\nold\n--old\nX: old\n\nold and old\n"
      "--old\nContent-Type: text/html; charset=iso-8859-1\nContent-Transfer-Encoding: quoted-printable\n\n=FCold o=\nld\n"
      "--old\nContent-Transfer-Encoding: base64\n\nb2xk\n"
      "--old\nContent-Disposition: attachment\n\nold\n"
      "--old\nContent-Type: message/rfc822\n\nSubject: old\n\nold\n"
      "--old\nContent-Type: multipart/signed; boundary=s\n\n--s\n\nold\n--s--\n"
      "--old--\nold\n"));
  CHECK(*replace(message, "old", "new") == 5);
  CHECK(finished(message) ==
        crlf("X: old\nContent-Type: multipart/mixed; boundary=old\n\nold\n--old\nX: old\n\nnew and new\n"
             "--old\nContent-Type: text/html; charset=iso-8859-1\nContent-Transfer-Encoding: quoted-printable\n\n=FCnew new\n"
             "--old\nContent-Transfer-Encoding: base64\n\nbmV3\n"
             "--old\nContent-Disposition: attachment\n\nold\n"
             "--old\nContent-Type: message/rfc822\n\nSubject: old\n\nold\n"
             "--old\nContent-Type: multipart/signed; boundary=s\n\n--s\n\nold\n--s--\n"
             "--old--\nold\n"));
  auto same = open(crlf(kMixed));
  CHECK(*replace(same, "three", "3") == 0);
  CHECK_FALSE(same.is_changed());
}

TEST_CASE("replace: text that its charset or encoding cannot hold") {
  auto ascii = open("Subject: x\r\n\r\ntext\r\n");
  CHECK(*replace(ascii, "text", "\xC3\xA4") == 1);
  CHECK(finished(ascii) == "Subject: x\r\nContent-Type: text/plain; charset=utf-8\r\nMIME-Version: 1.0\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n=C3=A4\r\n");
  auto latin = open("MIME-Version: 1.0\r\nContent-Type: text/plain; charset=iso-8859-1\r\nContent-Transfer-Encoding: 8bit\r\n\r\n\xFC text\r\n");
  CHECK(*replace(latin, "text", "\xE2\x82\xAC") == 1);
  CHECK(finished(latin) == "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n\xC3\xBC \xE2\x82\xAC\r\n");
  CHECK(*replace(latin, "\xC3\xBC", "\xC3\xA4") == 1);
  auto unknown = open("Content-Type: text/plain; charset=x-unknown\r\n\r\ntext\r\n");
  CHECK(*replace(unknown, "text", "T") == 1);
  CHECK_FALSE(replace(unknown, "T", "\xC3\xA4"));
  CHECK(finished(unknown) == "Content-Type: text/plain; charset=x-unknown\r\n\r\nT\r\n");
  // A line that would be too long for SMTP.
  auto lines = open("Subject: x\r\n\r\n" + std::string(600, 'a') + ",\r\n" + std::string(600, 'b') + "\r\n");
  CHECK(*replace(lines, ",\r\n", "") == 1);
  CHECK(texts_of(finished(lines)) == "text/plain: " + std::string(600, 'a') + std::string(600, 'b') + "\r\n|");
  CHECK(errors_of(finished(lines)).empty());
}

TEST_CASE("replace: large texts are written piece by piece, and grow within the limit only") {
  std::string large;
  while (large.size() <= kLimit) large += "some words\r\n";
  auto message = open("Subject: x\r\n\r\n" + large);
  CHECK(*replace(message, "words", "w") == large.size() / 12);
  CHECK(finished(message).size() == 14 + large.size() - 4 * (large.size() / 12));
  auto growing = open("Subject: x\r\n\r\n" + large);
  CHECK_FALSE(replace(growing, "words", std::string(100, 'w')));
  CHECK_FALSE(growing.is_changed());
  auto small = open("Subject: x\r\n\r\na\r\n");
  CHECK(replace(small, "a", std::string(kLimit, 'w')));
  CHECK_FALSE(replace(small, "w", "wwww"));
  auto encoded = open("Content-Transfer-Encoding: quoted-printable\r\n\r\n" + large);
  CHECK_FALSE(replace(encoded, "words", "w"));
}

TEST_CASE("contains: texts are looked at as they are read") {
  const auto message = mail::Message::index("Content-Type: multipart/mixed; boundary=a\n\n--a\nContent-Transfer-Encoding: base64\n\nbG90dGVyeQ==\n--a\nContent-Type: application/x\nContent-Transfer-Encoding: base64\n\nc2VjcmV0\n--a--\n");
  const auto has = [&](std::string_view wanted, std::size_t limit = kLimit) {
    return rules::decoded_texts_match(message, [wanted](std::string_view text) { return text.contains(wanted); }, limit);
  };
  CHECK(has("lottery"));
  CHECK_FALSE(has("secret"));
  CHECK_FALSE(has("lottery", 11));
  CHECK(has("lottery", 12));
}
