// body:: and the parts of mime:: that change or judge a message, as rules call them (vsl.md 5.4).
#include <doctest/doctest.h>

#include "vsl-filter/stages/testing.h"

using namespace rules;
using testing::ask;

namespace {

constexpr std::string_view kMessage =
    "From: a@b.example\r\nDate: yesterday\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=m\r\n\r\n"
    "--m\r\nContent-Type: text/plain; charset=iso-8859-1\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\nGr=FC=DFe 12 and 345\r\n"
    "--m\r\nContent-Type: application/octet-stream; name=a.exe\r\nContent-Transfer-Encoding: base64\r\n\r\nTVqQ\r\n"
    "--m\r\nContent-Type: application/octet-stream; name=b.exe\r\nContent-Transfer-Encoding: base64\r\n\r\nTVqQ\r\n"
    "--m--\r\n";

Session with(std::string_view message) {
  Session made = testing::session(Stage::Rcpt);
  REQUIRE(made.message(base::Blob::of_octets(std::string(message))));
  return made;
}

std::string asked(const std::string& question, std::string_view message = kMessage, Site site = testing::site()) {
  Session transaction = with(message);
  return ask(Stage::Preq, "fn caught(f) { try { f.call(); return \"no error\"; } catch (e) { return `${e}`; } }", question, transaction, std::move(site));
}

}  // namespace

TEST_CASE("body rules: contains looks at the octets and at the texts they stand for") {
  CHECK(asked("body::contains(\"Gr=FC\")") == "true");
  CHECK(asked("body::contains(\"Gr\u00fc\u00dfe\")") == "true");
  CHECK(asked("body::contains(regex(\"(?i)gr\u00dc\u00dfe [0-9]+\"))") == "true");
  CHECK(asked("body::contains(\"Date:\")") == "false");
  CHECK(asked("body::contains(\"1.\")") == "false");  // a text, no pattern
}

TEST_CASE("body rules: replace takes a text or a regex with groups, and says how often") {
  CHECK(asked("{ let n = body::replace(regex(\"([0-9])([0-9]+)\"), \"$2-$1 $$\"); `${n} ${mime::text()}` }") == "2 Gr\u00fc\u00dfe 2-1 $ and 45-3 $");
  CHECK(asked("{ let n = body::replace(\"12\", \"\u20ac\"); `${n} ${mime::text()} ${body::contains(\"charset=utf-8\")}` }") == "1 Gr\u00fc\u00dfe \u20ac and 345 true");
  CHECK(asked("body::replace(\"TVqQ\", \"x\") == 0 && body::replace(\"zzz\", \"x\") == 0") == "true");
  CHECK(asked("caught(|| body::replace(\"\", \"x\"))").contains("no text to look for"));
  CHECK(asked("caught(|| body::replace(regex(\"1\"), \"$1\"))").contains("has no group '1'"));
  // The limit of a text is that of the language; the message stays as it was.
  const auto small = [] { return testing::site(nullptr, {{"rules.string_max", "1k"}}); };
  CHECK(asked("caught(|| body::replace(regex(\".\"), \"" + std::string(600, 'x') + "\"))", kMessage, small()).contains("would grow by more than 1024 octets"));
  const std::string large = "Content-Transfer-Encoding: base64\r\n\r\n" + std::string(2048, 'A') + "\r\n";
  CHECK(asked("caught(|| body::replace(\"e\", \"x\"))", large, small()).contains("a text part in base64 has more than 1024 octets"));
  CHECK(asked("caught(|| mail())", large, small()).contains("String too large"));
  CHECK(asked("caught(|| body())", large, small()).contains("String too large"));
}

TEST_CASE("body rules: any number of header fields; of parts and their fields no more than can be looked through") {
  const auto many = [](std::size_t count, std::string_view what) {
    std::string all;
    all.reserve(count * what.size());
    for (std::size_t i = 0; i < count; ++i) all += what;
    return all;
  };
  for (const std::size_t count : {49'999, 50'000, 50'001, 100'000})
    CHECK(asked("body::append_footer(\"below\") && mime::text().contains(\"below\")", many(count, "A:b\r\n") + "Content-Type: text/plain\r\n\r\ntext\r\n") == "true");
  const std::string front = "A: b\r\nContent-Type: multipart/mixed; boundary=m\r\n\r\n--m\r\nContent-Type: text/plain\r\n\r\ntext\r\n--m\r\n", end = "\r\nx\r\n--m--\r\n";
  const std::string footer = "caught(|| { if !body::append_footer(\"below\") { throw \"none\" } })";
  for (const std::size_t count : {49'998, 49'999}) CHECK(asked(footer, front + many(count, "A:b\r\n") + end) == "no error");
  const auto over = front + many(50'000, "A:b\r\n") + end;
  for (const auto& call : {footer, std::string("caught(|| mime::has_attachment())"), std::string("caught(|| mime::remove_part(\"2\"))"), std::string("caught(|| body::replace(\"a\", \"b\"))")})
    CHECK(asked(call, over).contains("the parts of the message have more than 50000 header fields"));
  const auto parts = [&](std::size_t count) { return front + many(count - 2, "\r\nx\r\n--m\r\n") + end; };
  CHECK(asked(footer, parts(9'998)) == "no error");
  CHECK(asked(footer, parts(9'999)) == "no error");
  CHECK(asked(footer, parts(10'000)).contains("the message has more than 10000 parts"));
}

TEST_CASE("body rules: attachments are taken out in a loop over the parts") {
  CHECK(asked("{ let n = 0; for part in mime::parts() { if part.is_attachment && mime::remove_part(part) { n += 1; } } `${n} ${mime::parts().len} ${mime::has_attachment()}` }") == "2 2 false");
  CHECK(asked("mime::remove_part(\"3\") && mime::remove_part(\"2\") && !mime::remove_part(\"2\")") == "true");
  CHECK(asked("mime::remove_part(\"9\")") == "false");
  CHECK(asked("caught(|| mime::remove_part(1))").contains("expected the path of a part"));
  CHECK(asked("caught(|| mime::remove_part(#{}))").contains("expected the path of a part"));
}

TEST_CASE("body rules: footers") {
  CHECK(asked("body::append_footer(\"-- \\nthe list\") && mime::text().ends_with(\"\\r\\n-- \\r\\nthe list\")") == "true");
  CHECK(asked("body::append_footer(\"plain\", \"<b>html</b>\") && body::contains(\"plain\")", "Subject: x\r\n\r\ntext\r\n") == "true");
  CHECK(asked("body::append_footer(\"x\")", "Content-Type: multipart/signed; boundary=s\r\n\r\n--s\r\n\r\ntext\r\n--s--\r\n") == "false");
  CHECK(asked("caught(|| body::append_footer(\"a\\x00b\"))").contains("NUL"));
}

TEST_CASE("body rules: hash of the body as it is sent") {
  // $ printf 'text\r\n' | sha256sum
  CHECK(asked("body::hash(\"SHA256\")", "A: b\r\n\r\ntext\r\n") == "7830b26b0ee6f35d118457f44e61961a44d8893ff51b02f8fcf08e188af77b0e");
  CHECK(asked("body::hash(\"md5\") == hash::md5(body()) && body::hash(\"sha1\") == hash::sha1(body()) && body::hash(\"sha512\").len == 128") == "true");
  CHECK(asked("{ body::append_footer(\"x\"); body::hash(\"sha256\") == hash::sha256(body()) }") == "true");
  CHECK(asked("caught(|| body::hash(\"crc32\"))").contains("'crc32' is no hash"));
}

TEST_CASE("body rules: check finds what mime-check finds, in the message as it is now") {
  CHECK(asked("mime::check().filter(|p| p.severity == \"error\").map(|p| `${p.id} ${p.line}:${p.column} ${p.section}`).to_string()") == "[\"bad-date 2:7 RFC 5322 3.3\"]");
  CHECK(asked("{ set_header(\"Date\", \"Fri, 21 Nov 1997 09:55:06 -0600\"); mime::check().filter(|p| p.severity == \"error\").len }") == "0");
  CHECK(asked("mime::check()[0].text.len > 0 && mime::check()[0].detail.type_of() == \"string\"") == "true");
  CHECK(asked("mime::check().len", kMessage, testing::site(nullptr, {{"mime.findings_max", "1"}})) == "1");
}
