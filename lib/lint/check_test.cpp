#include "lib/lint/check.h"

#include <doctest/doctest.h>

#include <set>

#include "tests/testdata.h"

using namespace lint;

namespace {

Findings checked(std::string_view octets, const Rules& rules = {}, const Findings::Limits& limits = {}, const IdSet& disabled = {}) {
  Findings findings(disabled, limits);
  check_message(octets, rules, findings);
  return findings;
}

// "bad-date 4:7", one for each finding, in their order.
std::string told(const Findings& findings) {
  std::string text;
  for (const auto& finding : findings.kept())
    text += (text.empty() ? "" : ", ") + std::string(row_of(finding.id).name) + " " + std::to_string(finding.line) + ":" + std::to_string(finding.column);
  return text;
}

// Messages are written with what is being tried; everything else is there and right.
constexpr std::string_view kHead = "Date: Fri, 21 Nov 1997 09:55:06 -0600\nFrom: a@b.example\nMessage-ID: <1@b.example>\n";
std::string with_head(std::string_view rest) { return std::string(kHead) + std::string(rest); }
std::string with_mime(std::string_view rest) { return with_head("MIME-Version: 1.0\n" + std::string(rest)); }

struct Case {
  std::string message;
  std::string told;
};

const Case kCases[] = {
    {with_head("\nbody\n"), ""},
    {"Date: Fri, 21 Nov 1997 09:55:06 -0600\r\nFrom: a@b\r\nMessage-ID: <1@b>\r\n\r\nbody\r\n", ""},

    // ---- lines
    {with_head("\na\rb\n"), "bare-cr 5:2"},
    {with_head("\na\r\r\n"), "bare-cr 5:2, mixed-line-ends 5:3"},
    {"Date: Fri, 21 Nov 1997 09:55:06 -0600\r\nFrom: a@b\r\nMessage-ID: <1@b>\r\n\r\nbo\ndy\r\n", "bare-lf 5:3"},
    {with_head("\na\r\n"), "mixed-line-ends 5:2"},
    {with_head("\na") + std::string(1, '\0') + "b\n", "nul 5:2"},
    {with_mime("Content-Transfer-Encoding: binary\n\na") + std::string(1, '\0') + "b\r\r\nc\n", ""},
    {with_head("\n" + std::string(998, 'x') + "\n"), "long-line 5:79"},
    {with_head("\n" + std::string(999, 'x') + "\n"), "line-too-long 5:999"},
    {with_head("\n" + std::string(78, 'x') + "\n"), ""},
    {with_head("\n" + std::string(79, 'x') + "\n"), "long-line 5:79"},
    {with_head("\nbody"), "no-line-end 5:5"},

    // ---- header
    {"From a@b Fri Nov 21\n" + with_head("\nx\n"), "mbox-line 1:1"},
    {"", "no-header 1:1"},
    {"\nbody\n", "no-header 1:1"},
    {"body\n", "no-header 1:1"},
    {with_head("no field\n\nbody\n"), "not-a-field 4:1"},
    {" stray\n" + with_head("\n"), "stray-continuation 1:1"},
    {with_head(": x\n\n"), "bad-field-name 4:1"},
    {with_head("X-\xc3\xa9: x\n\n"), "bad-field-name 4:1"},
    {with_head("X : x\n\n"), "space-before-colon 4:2"},
    {with_head("X: a\n \n b\n\n"), "blank-folded-line 5:1"},
    {with_head("X: a\x01\n\n"), "control-in-header 4:5"},
    {with_head("X: a\xff\n\n"), "header-8bit 4:5"},
    {with_head("X: a\xc3\xa9\n\n"), "utf8-header 4:5"},
    {"From: a@b\nMessage-ID: <1@b>\n\n", "missing-field 1:1"},
    {"Date: Fri, 21 Nov 1997 09:55:06 -0600\nFrom: a@b\n\n", "no-message-id 1:1"},
    {with_head("From: c@d\n\n"), "duplicate-field 4:1"},
    {with_head("Received: x; Fri, 21 Nov 1997 09:55:06 -0600\nReceived: x; Fri, 21 Nov 1997 09:55:06 -0600\n\n"), ""},
    {"Date: Fri, 21 Nov 1997 09:55:06 -0600\nFrom: a@b, c@d\nMessage-ID: <1@b>\n\n", "missing-sender 2:1"},
    {"Date: Fri, 21 Nov 1997 09:55:06 -0600\nFrom: a@b, c@d\nSender: a@b\nMessage-ID: <1@b>\n\n", ""},

    // ---- what is in fields
    {"Date: yesterday\nFrom: a@b\nMessage-ID: <1@b>\n\n", "bad-date 1:7"},
    {"Date: Fri, 21 Nov 97 09:55 GMT\nFrom: a@b\nMessage-ID: <1@b>\n\n", "obsolete-date 1:7"},
    {"Date: Mon, 21 Nov 1997 09:55:06 -0600\nFrom: a@b\nMessage-ID: <1@b>\n\n", "wrong-day-name 1:7"},
    {with_head("To: Alice <a@b\n\n"), "bad-address 4:11"},
    {with_head("To: a@b,\n c d@e\n\n"), "bad-address 5:2"},
    {with_head("To: J. D. <a@b>\n\n"), "obsolete-address 4:6"},
    {with_head("To: a@b_c.example\n\n"), "address-not-smtp 4:5"},
    {with_head("To:\n\n"), "empty-address-list 4:4"},
    {with_head("Bcc:\n\n"), ""},
    {with_head("Sender: a@b, c@d\n\n"), "sender-count 4:14"},
    {with_head("Sender: G: a@b;\n\n"), ""},
    {"Date: Fri, 21 Nov 1997 09:55:06 -0600\nFrom: G:;\nMessage-ID: <1@b>\n\n", "group-as-author 2:7"},
    {"Date: Fri, 21 Nov 1997 09:55:06 -0600\nFrom: a@b\nMessage-ID: 1@b\n\n", "bad-message-id 3:13"},
    {with_head("References: <1@b>\n <2@b\n <3@b>\n\n"), "bad-message-id 5:2"},
    {with_head("In-Reply-To:\n\n"), "bad-message-id 4:13"},
    {with_head("Received: from x by y\n\n"), "bad-received 4:11"},
    {with_head("Return-Path: <>\n\n"), ""},
    {with_head("Return-Path: <a@b> (x)\n\n"), ""},
    {with_head("Return-Path: a@b\n\n"), "bad-return-path 4:14"},
    {with_head("Subject: =?utf-8?q?a?= =?utf-8?b?Zg==?=\n\n"), ""},
    {with_head("Subject: =?utf-8?q?=Z?=\n\n"), "bad-encoded-word 4:10"},
    {with_head("Subject: x=?utf-8?q?a?=\n\n"), "misplaced-encoded-word 4:11"},
    {with_head("To: \"=?utf-8?q?a?=\" <a@b>\n\n"), "misplaced-encoded-word 4:6"},
    {with_head("To: =?utf-8?q?a?= <a@b>\n\n"), ""},

    // ---- MIME fields
    {with_head("MIME-Version: 2.0\n\n"), "bad-mime-version 4:15"},
    {with_head("MIME-Version: 1.(x)0 (y)\n\n"), ""},
    {with_head("Content-Type: text/plain\n\n"), "no-mime-version 4:1"},
    {with_mime("Content-Type: text\n\n"), "bad-content-type 5:15"},
    {with_mime("Content-Type: text/plain; charset\n\n"), "bad-parameter 5:27"},
    {with_mime("Content-Type: text/plain; name*=x\n\n"), "bad-extended-parameter 5:27"},
    {with_mime("Content-Type: text/plain; name=\"=?utf-8?q?a?=\"\n\n"), "misplaced-encoded-word 5:27"},
    {with_mime("Content-Disposition: ;\n\n"), "bad-disposition 5:22"},
    {with_mime("Content-Transfer-Encoding: uuencode\n\n"), "bad-encoding 5:28"},
    {with_mime("Content-Transfer-Encoding: 8bit;\n\n"), "encoding-junk 5:32"},
    {with_mime("Content-Type: message/rfc822\nContent-Transfer-Encoding: base64\n\n"), "encoded-composite 6:1"},

    // ---- structure
    {with_mime("Content-Type: multipart/mixed; boundary=b\n\n--b\n\nx\n--b--\n"), ""},
    {with_mime("Content-Type: multipart/mixed\n\n"), "no-boundary 5:1"},
    {with_mime("Content-Type: multipart/mixed; boundary=" + std::string(70, 'b') + "\n\n--" + std::string(70, 'b') + "\n\nx\n--" + std::string(70, 'b') + "--\n"), "long-line 5:79"},
    {with_mime("Content-Type: multipart/mixed;\n boundary=" + std::string(71, 'b') + "\n\n--" + std::string(71, 'b') + "\n\nx\n--" + std::string(71, 'b') + "--\n"),
     "bad-boundary 5:1, long-line 6:79"},
    {with_mime("Content-Type: multipart/mixed; boundary=\"b#\"\n\n--b#\n\nx\n--b#--\n"), "bad-boundary 5:1"},
    {with_mime("Content-Type: multipart/mixed; boundary=\"b \"\n\n--b \n\nx\n--b --\n--b--\n"), "bad-boundary 5:1, near-delimiter 10:1"},
    {with_mime("Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: multipart/mixed; boundary=bc\n\n--bc\n\nx\n--bc--\n--b--\n"), "same-boundary 8:1"},
    {with_mime("Content-Type: multipart/mixed; boundary=b\n\n--b--\n"), "no-parts 5:1"},
    {with_mime("Content-Type: multipart/mixed; boundary=b\n\n--b\n\nx\n"), "unclosed-multipart 5:1"},
    {with_mime("Content-Type: multipart/mixed; boundary=b\n\n--b\n\n--bx\n--b--\n"), "near-delimiter 9:1"},
    {with_mime("Content-Type: multipart/mixed; boundary=b\n\nhello\n--b\n\nx\n--b--\n"), "preamble 7:1"},
    {with_mime("Content-Type: multipart/mixed; boundary=b\n\n--b\n\nx\n--b--\n\nbye\n"), "epilogue 12:1"},

    // ---- bodies
    {with_head("\nh\xc3\xa9llo\n"), "8bit-in-7bit 5:2, no-charset 5:2"},
    {with_mime("Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\nh\xc3\xa9llo\n"), ""},
    {with_mime("Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\nh\xc3\xa9\n--b--\n"),
     "8bit-enclosed 11:2"},
    {with_mime("Content-Type: multipart/mixed; boundary=b\nContent-Transfer-Encoding: 8bit\n\n--b\nContent-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\nh\xc3\xa9\n--b--\n"), ""},
    {with_mime("Content-Transfer-Encoding: quoted-printable\n\na=3Db=\nc=ZZ\n"), "bad-quoted-printable 8:2"},
    {with_mime("Content-Transfer-Encoding: quoted-printable\n\na \nb=3d\n"), "sloppy-quoted-printable 7:2, sloppy-quoted-printable 8:2"},
    {with_mime("Content-Transfer-Encoding: base64\n\nZm9v\nYmF\n"), "bad-base64 8:3"},
    {with_mime("Content-Transfer-Encoding: base64\n\nZm9v \nYm*Fy\n"), "sloppy-base64 7:5, bad-base64 8:3"},
    {with_mime("Content-Type: text/plain; charset=us-ascii\nContent-Transfer-Encoding: 8bit\n\nh\xe9\n"), "no-charset 8:2"},
    {with_mime("Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\nh\xc3\xa9\xe9\n"), "not-utf8 8:3"},
};

}  // namespace

TEST_CASE("lint: each diagnostic is found where it is, and nowhere else") {
  std::set<std::string_view> seen;
  for (const auto& [message, expected] : kCases) {
    CAPTURE(message);
    const auto findings = checked(message);
    CHECK(told(findings) == expected);
    for (const auto& finding : findings.kept()) seen.insert(row_of(finding.id).name);
  }
  for (const auto& row : kRows) {
    CAPTURE(row.name);
    CHECK((seen.contains(row.name) || row.id == Id::LimitReached));  // that one has its own test
  }
}

TEST_CASE("lint: on the wire only CR LF ends a line") {
  const Rules wire{.is_wire = true, .limits = {}};
  const auto message = with_head("\nbody\n");
  CHECK(checked(message, wire).count(Id::BareLf) == 5);
  CHECK(checked(message).count(Id::BareLf) == 0);
  std::string crlf;
  for (const char c : message) crlf += c == '\n' ? "\r\n" : std::string(1, c);
  CHECK(told(checked(crlf, wire)).empty());
  // As many of each: CR LF is what it should be.
  CHECK(told(checked("Date: Fri, 21 Nov 1997 09:55:06 -0600\r\nFrom: a@b\nMessage-ID: <1@b>\r\n\n")) == "bare-lf 2:10, bare-lf 4:1");
}

TEST_CASE("lint: findings are limited by kind and in all, errors last to go, and counted all the same") {
  std::string message = with_head("\n");
  for (int i = 0; i < 50; ++i) message += std::string(100, 'x') + "\n";
  message += "a\rb\n";
  CHECK(checked(message).kept().size() == 11);
  CHECK(checked(message).count(Id::LongLine) == 50);
  CHECK(checked(message).dropped() == 40);
  CHECK(checked(message, {}, {.in_all = 100, .of_a_kind = 50}).kept().size() == 51);
  CHECK(checked(message, {}, {.in_all = 51, .of_a_kind = 100}).kept().size() == 51);
  CHECK(checked(message, {}, {.in_all = 50, .of_a_kind = 100}).kept().size() == 50);
  CHECK(told(checked(message, {}, {.in_all = 1, .of_a_kind = 100})) == "bare-cr 55:2");
  const auto none = checked(message, {}, {.in_all = 0, .of_a_kind = 0});
  CHECK(none.kept().empty());
  CHECK(none.has(Severity::Error));
  CHECK(none.count(Severity::Error) == 1);
}

TEST_CASE("lint: what is disabled is neither shown nor counted") {
  IdSet disabled;
  disabled.set(static_cast<std::size_t>(Id::BareCr));
  const auto findings = checked(with_head("\na\rb"), {}, {}, disabled);
  CHECK(told(findings) == "no-line-end 5:4");
  CHECK(findings.count(Id::BareCr) == 0);
  CHECK_FALSE(findings.has(Severity::Error));
}

TEST_CASE("lint: limits of the index are said") {
  const auto message = with_mime("Content-Type: multipart/mixed; boundary=b\n\n--b\n\n--b\n\n--b--\n");
  CHECK(told(checked(message, {.is_wire = false, .limits = {.parts = 3}})).empty());
  CHECK(told(checked(message, {.is_wire = false, .limits = {.parts = 2}})) == "limit-reached 10:1");
  CHECK(told(checked(message, {.is_wire = false, .limits = {.depth = 0}})) == "limit-reached 7:1");
  CHECK(checked(message, {.is_wire = false, .limits = {.fields = 4}}).count(Id::LimitReached) == 1);
}

TEST_CASE("lint: columns count characters, not octets") {
  CHECK(told(checked(with_head("Subject: \xc3\xa9\xc3\xa9 \xff\n\n"))) == "header-8bit 4:10");
  CHECK(told(checked(with_head("X: \xe6\x97\xa5\xe6\x9c\xac\x01\n\n"))) == "utf8-header 4:4, control-in-header 4:6");
}

TEST_CASE("lint: sample messages, whole and cut, are checked; the internationalised ones are clean") {
  const auto directory = testdata::find("mime");
  if (directory.empty()) return;
  for (const auto& file : std::filesystem::recursive_directory_iterator(directory)) {
    if (!file.is_regular_file() || file.path().extension() == ".json") continue;
    const auto octets = testdata::read(file.path());
    for (std::size_t length = octets.size(); length > 0; length = length * 2 / 3) {
      const auto findings = checked(octets.substr(0, length));
      for (const auto& finding : findings.kept()) REQUIRE(finding.offset <= length);
    }
  }
  for (const auto& file : std::filesystem::directory_iterator(testdata::find("eai/messages"))) {
    const auto findings = checked(testdata::read(file.path()), {.is_wire = true, .limits = {}});
    CAPTURE(file.path().string());
    CAPTURE(told(findings));
    CHECK(findings.has(Severity::Error) == (file.path().filename() == "latin1-header.eml"));
  }
}
