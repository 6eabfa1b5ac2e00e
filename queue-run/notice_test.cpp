#include "queue-run/notice.h"

#include <doctest/doctest.h>

#include "lib/base/utf8.h"
#include "lib/mail/dsn.h"

using namespace run;

namespace {

constexpr std::string_view kMessage =
    "From: me@here.example\r\nSubject: a question\r\nMessage-ID: <1@here.example>\r\nX-Long: " "\r\n\r\nthe body\r\n";

Subject subject(std::string octets = std::string(kMessage)) {
  Subject made;
  made.id = *queue::Id::parse("1NH7ZK4TQ2N00A3W05");
  made.arrived = *base::parse_rfc3339("2026-11-21T20:15:00.000000Z");
  made.expires = made.arrived + std::chrono::hours(120);
  made.reverse_path = "me@here.example";
  made.recipients = {"you@there.example", "\xc3\xbc@there.example", "them@elsewhere.example"};
  made.octets = base::Blob::of_octets(std::move(octets));
  return made;
}

NoticeSettings settings() {
  NoticeSettings made;
  made.server = "mx.here.example";
  return made;
}

Notice notice(NoticeKind kind, std::vector<Told> told) {
  Notice made;
  made.kind = kind;
  made.id = queue::Id::make();
  made.is_double = kind == NoticeKind::Double;
  made.told = std::move(told);
  return made;
}

struct Made {
  queue::Item item;
  std::string octets;
  [[nodiscard]] bool has(std::string_view text) const { return octets.contains(text); }
};
Made made(const Notice& notice, const Subject& subject, const NoticeSettings& settings) {
  const auto message = compose(notice, subject, settings, subject.arrived + std::chrono::minutes(1));
  REQUIRE(message);
  return {message->item, std::string(message->octets.octets())};
}

Told failure(std::string text = "mx.there.example[192.0.2.1]:25 said at RCPT: 550 5.1.1 no such user") {
  return {0, Action::Failed, std::move(text), *base::parse_rfc3339("2026-11-21T20:15:01.000000Z")};
}

}  // namespace

TEST_CASE("notice: a failure in the forms of RFC 3464") {
  auto about = subject();
  about.dsn.envelope_id = "Q+2Bq";
  about.dsn.recipients = {{mail::kFailure, "rfc822;y+2Bou@there.example"}, {}, {}};
  const auto report = made(notice(NoticeKind::Failure, {failure()}), about, settings());
  CHECK(report.item.envelope.reverse_path.empty());
  CHECK(report.item.envelope.recipients == std::vector<std::string>{"me@here.example"});
  CHECK(report.item.message_octets == report.octets.size());
  for (const auto* line : {
           "Auto-Submitted: auto-replied\r\n",
           "To: <me@here.example>\r\n",
           "Subject: Not delivered: a question\r\n",
           "In-Reply-To: <1@here.example>\r\n",
           "Content-Type: multipart/report; report-type=delivery-status;\r\n",
           "Content-Type: message/delivery-status\r\n",
           "Reporting-MTA: dns; mx.here.example\r\n",
           "Original-Envelope-Id: Q+q\r\n",
           "\r\n\r\nOriginal-Recipient: rfc822; y+ou@there.example\r\n",
           "Final-Recipient: rfc822; you@there.example\r\nAction: failed\r\nStatus: 5.1.1\r\nRemote-MTA: dns; mx.there.example\r\n",
           "Diagnostic-Code: smtp; 550 5.1.1 no such user\r\nLast-Attempt-Date: ",
           "Content-Type: message/rfc822\r\n\r\nFrom: me@here.example\r\n",
           "There is no mailbox of that name there.",
           "the body\r\n",
       }) {
    CAPTURE(line);
    CHECK(report.has(line));
  }
  CHECK_FALSE(report.has("Will-Retry-Until"));
  CHECK_FALSE(report.has("Content-Transfer-Encoding"));
  CHECK(notice_mark(report.item.context)->of == about.id);
  CHECK_FALSE(notice_mark(report.item.context)->is_double);
  CHECK_FALSE(notice_mark("{}"));
}

TEST_CASE("notice: RET, size and binary content decide what is returned") {
  const auto returns_body = [](const Notice& about, const Subject& subject, const NoticeSettings& settings) { return made(about, subject, settings).has("the body\r\n"); };
  const auto bounce = notice(NoticeKind::Failure, {failure()});
  CHECK(returns_body(bounce, subject(), settings()));
  auto headers = subject();
  headers.dsn.returns = mail::Return::Headers;
  CHECK_FALSE(returns_body(bounce, headers, settings()));
  CHECK(made(bounce, headers, settings()).has("Content-Type: text/rfc822-headers\r\n\r\nFrom: me@here.example\r\n"));
  auto secret = subject();
  secret.requires_tls = true;
  CHECK_FALSE(returns_body(bounce, secret, settings()));
  CHECK(made(bounce, secret, settings()).item.context.contains(R"("require_tls":true)"));
  auto small = settings();
  small.return_octets = kMessage.size();
  CHECK(returns_body(bounce, subject(), small));
  small.return_octets = kMessage.size() - 1;
  CHECK_FALSE(returns_body(bounce, subject(), small));
  CHECK_FALSE(returns_body(bounce, subject("Subject: x\r\n\r\nthe body\r\n\nbinary"), settings()));
  CHECK_FALSE(returns_body(notice(NoticeKind::Success, {{0, Action::Relayed, "250 ok", {}}}), subject(), settings()));
  CHECK_FALSE(returns_body(notice(NoticeKind::Delay, {{0, Action::Delayed, "450 no", {}}}), subject(), settings()));
  // A header without end is cut at a line.
  const auto huge = made(bounce, subject("Subject: x\r\n" + [] {
    std::string fields;
    for (int i = 0; i < 10'000; ++i) fields += "X-Filler: 0123456789\r\n";
    return fields;
  }() + "\r\n"), settings());
  CHECK(huge.octets.size() < 60'000);
}

TEST_CASE("notice: delay, success and double have their own words and fields") {
  const auto delay = made(notice(NoticeKind::Delay, {{2, Action::Delayed, "a.example[192.0.2.9]:25: 451 4.4.1 connect: refused", {}}}), subject(), settings());
  CHECK(delay.has("Action: delayed\r\nStatus: 4.4.1\r\n"));
  CHECK(delay.has("Will-Retry-Until: "));
  CHECK(delay.has("Subject: Delayed: a question\r\n"));
  const auto success = made(notice(NoticeKind::Success, {{0, Action::Delivered, "250 2.0.0 ok", {}}, {2, Action::Relayed, "250 ok", {}}}), subject(), settings());
  CHECK(success.has("Action: delivered\r\nStatus: 2.0.0\r\n"));
  CHECK(success.has("Action: relayed\r\n"));
  auto with_postmaster = settings();
  with_postmaster.postmaster = "postmaster@here.example";
  auto bounce = subject();
  bounce.reverse_path.clear();
  const auto twice = made(notice(NoticeKind::Double, {failure()}), bounce, with_postmaster);
  CHECK(twice.item.envelope.recipients == std::vector<std::string>{"postmaster@here.example"});
  CHECK(notice_mark(twice.item.context)->is_double);
}

TEST_CASE("notice: RFC 6533 forms for who reads UTF-8, ASCII for everybody else") {
  const Told other{1, Action::Failed, "550 5.1.1 \xc3\xbc unknown", {}};
  const auto ascii = made(notice(NoticeKind::Failure, {other}), subject(), settings());
  CHECK(ascii.has("Content-Type: message/delivery-status\r\n"));
  CHECK(ascii.has("Final-Recipient: utf-8; \\x{FC}@there.example\r\n"));
  CHECK(ascii.has("Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n"));
  CHECK_FALSE(base::utf8::has_8bit(ascii.octets));

  auto reader = subject("Subject: \xc3\xbc\r\n\r\nthe body\r\n");
  reader.is_smtputf8 = true;
  const auto global = made(notice(NoticeKind::Failure, {other}), reader, settings());
  CHECK(global.has("Content-Type: message/global-delivery-status\r\nContent-Transfer-Encoding: 8bit\r\n"));
  CHECK(global.has("Final-Recipient: utf-8; \xc3\xbc@there.example\r\n"));
  CHECK(global.has("Content-Type: message/global\r\n"));
  CHECK(global.has("Subject: =?"));
}

TEST_CASE("notice: what others have written brings no line of its own into the fields") {
  auto about = subject("Subject: a =?utf-8?Q?b=0D=0AX-Evil:_1?=\r\nMessage-ID: <x\r\n y>\r\n\r\n");
  about.reverse_path = "me@here.example";
  about.recipients[0] = "y\tou@there.example";
  const auto report = made(notice(NoticeKind::Failure, {failure("x[1]:25 said at RCPT: 550 no\r\nX-Evil: 2\nTo: all")}), about, settings());
  CHECK_FALSE(report.has("\nX-Evil"));
  CHECK_FALSE(report.has("\nTo: all"));
  CHECK_FALSE(report.has("\t"));
}

TEST_CASE("notice: no line is longer than SMTP allows, whatever a server says") {
  const auto report = made(notice(NoticeKind::Failure, {failure("x[1]:25 said at RCPT: 550 " + std::string(1900, 'a') + " " + std::string(400, 'b'))}), subject(), settings());
  std::size_t longest = 0;
  for (std::size_t at = 0; at < report.octets.size();) {
    const auto end = report.octets.find("\r\n", at);
    longest = std::max(longest, end - at);
    at = end + 2;
  }
  CHECK(longest <= 998);
}

TEST_CASE("notice texts: files of a postmaster, and what is wrong in them") {
  const auto made = parse_notice_template("Subject: Nicht zugestellt: {subject}\nContent-Language: de\n\nAn {sender}:\n{recipients}\n");
  REQUIRE(made);
  CHECK(made->language == "de");
  CHECK(fill_in(made->body, {{"sender", "x"}, {"recipients", "{sender}"}}) == "An x:\n{sender}\n");  // once, not again
  CHECK(parse_notice_template("Subject: x\n\n{nobody}\n").error().cause.starts_with("line 3: {nobody}; expected one of: server, "));
  CHECK(parse_notice_template("X-Other: x\n\ny\n").error().cause.starts_with("line 1: "));
  CHECK(parse_notice_template("Subject: x\n").error().cause == "no text behind an empty line");
  CHECK(parse_notice_template("Subject: \xff\n\nx\n").error().cause == "not UTF-8");
  CHECK(parse_notice_template("Subject: x\n\n{open\n").error().cause == "line 3: { without }");
  for (const auto kind : {NoticeKind::Failure, NoticeKind::Delay, NoticeKind::Success, NoticeKind::Double}) CHECK_FALSE(NoticeTexts().of(kind).body.empty());
}
