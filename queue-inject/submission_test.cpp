#include "queue-inject/submission.h"

#include <doctest/doctest.h>

#include <fstream>

#include "lib/mail/line_ends.h"

namespace {

const base::BlobWriter::Limits kLimits;

Submission sample() {
  Submission submission;
  submission.author = {"me", "Me Myself"};
  submission.domain = "example.org";
  submission.time = base::WallTime(std::chrono::seconds(1'763'756'100));
  return submission;
}

struct Result {
  mail::Envelope envelope;
  std::string message;  // without its Received, Date and Message-ID fields
  std::size_t generated = 0;
};

Result submitted(std::string_view text, const Submission& submission) {
  const auto made = submit(text, submission, kLimits);
  REQUIRE(made);
  Result result{made->envelope, std::string(made->message.view()->octets()), 0};
  for (const std::string name : {"Received:", "Date:", "Message-ID:", "Resent-Date:", "Resent-Message-ID:"}) {
    const auto at = result.message.find(name);
    if (at == std::string::npos || (at != 0 && result.message[at - 1] != '\n')) continue;
    result.message.erase(at, result.message.find('\n', at) + 1 - at);
    ++result.generated;
  }
  return result;
}

std::vector<std::string> recipients_of(std::string_view text) {
  auto submission = sample();
  submission.reads_recipients = true;
  return submitted(text, submission).envelope.recipients;
}

}  // namespace

TEST_CASE("submission: what is missing is added, line ends become CRLF") {
  auto submission = sample();
  submission.recipients = {"you@example.com"};
  const auto made = submitted("Subject: hi\n\nhello", submission);
  CHECK(made.envelope.reverse_path == "me@example.org");
  CHECK(made.envelope.recipients == std::vector<std::string>{"you@example.com"});
  CHECK(made.message == "Subject: hi\r\nFrom: Me Myself <me@example.org>\r\n\r\nhello\r\n");
  CHECK(made.generated == 3);
}

TEST_CASE("submission: what is there stays as it is") {
  auto submission = sample();
  submission.recipients = {"you"};
  submission.sender = "other@example.net";
  const std::string text = "From: x@y\r\nDate: today\r\nMessage-ID: <1@x>\r\nSubject: a\r\n b\r\n\r\none\r\ntwo\r\n";
  const auto made = submit(text, submission, kLimits);
  REQUIRE(made);
  const std::string message(made->message.view()->octets());
  CHECK(message.ends_with("\r\n" + text));
  CHECK(message.starts_with("Received: by example.org with local; "));
  CHECK(made->envelope.reverse_path == "other@example.net");
  CHECK(made->envelope.recipients == std::vector<std::string>{"you@example.org"});
}

TEST_CASE("submission: a text without a header gets one") {
  auto submission = sample();
  submission.recipients = {"you@example.com"};
  submission.sender = "";
  for (const auto& [text, body] : std::vector<std::pair<std::string, std::string>>{
           {"hello\nworld\n", "hello\r\nworld\r\n"}, {"", ""}, {" indented: x\n", " indented: x\r\n"}, {"\nhello\n", "hello\r\n"}, {"no such field\n\nx", "no such field\r\n\r\nx\r\n"}}) {
    CAPTURE(text);
    const auto made = submitted(text, submission);
    CHECK(made.message == "From: Me Myself <me@example.org>\r\n\r\n" + body);
    CHECK(made.envelope.reverse_path.empty());
  }
  // A header that ends with a line that is no field; one without an end.
  CHECK(submitted("Subject: a\nhello\n", submission).message == "Subject: a\r\nFrom: Me Myself <me@example.org>\r\n\r\nhello\r\n");
  CHECK(submitted("Subject: a", submission).message == "Subject: a\r\nFrom: Me Myself <me@example.org>\r\n\r\n");
  CHECK(submitted("From me@x Sat Nov 21\nSubject: a\n\nx\n", submission).message == "Subject: a\r\nFrom: Me Myself <me@example.org>\r\n\r\nx\r\n");
}

TEST_CASE("submission: -t takes To, Cc and Bcc, and nobody reads Bcc") {
  CHECK(recipients_of("To: a@x, \"B\" <b@x>\nCc: group: c@x, d;\nBcc: e@x\nReply-To: f@x\n\n") ==
        std::vector<std::string>{"a@x", "b@x", "c@x", "d@example.org", "e@x"});
  CHECK(recipients_of("to: a@x,\n b@x\nTo: a@x\n\nCc: c@x\n") == std::vector<std::string>{"a@x", "b@x"});
  auto submission = sample();
  submission.reads_recipients = true;
  submission.recipients = {"z@x"};
  const auto made = submitted("To: a@x\nBcc: secret@x,\n\tmore@x\nSubject: s\n\n", submission);
  CHECK(made.envelope.recipients == std::vector<std::string>{"z@x", "a@x", "secret@x", "more@x"});
  CHECK(made.message == "To: a@x\r\nSubject: s\r\nFrom: Me Myself <me@example.org>\r\n\r\n");
  CHECK(submitted("Bcc: secret@x\nReturn-Path: <r@x>\nSubject: s\n\n", [&] {
          submission.reads_recipients = false;
          return submission;
        }()).message.find("Bcc") == std::string::npos);
}

TEST_CASE("submission: of a resent message the first block of Resent- fields counts") {
  CHECK(recipients_of("Resent-To: a@x\nResent-Cc: b@x\nResent-To: old@x\nTo: c@x\n\n") == std::vector<std::string>{"a@x", "b@x"});
  auto submission = sample();
  submission.reads_recipients = true;
  const auto made = submitted("Resent-To: a@x\nFrom: o@x\nDate: d\nMessage-ID: <1@x>\n\n", submission);
  CHECK(made.message.find("Resent-From: Me Myself <me@example.org>\r\n") != std::string::npos);
}

TEST_CASE("submission: no recipients, and what is no address") {
  auto submission = sample();
  submission.reads_recipients = true;
  const auto none = submit("Subject: x\n\n", submission, kLimits);
  REQUIRE_FALSE(none);
  CHECK(none.error().fault == base::Fault::Usage);
  for (const char* bad : {"To: <a@x\n\n", "To: a b c\n\n", "To: (a@x\n\n", "To: \"a@x\n\n"}) {
    CAPTURE(bad);
    const auto made = submit(bad, submission, kLimits);
    REQUIRE_FALSE(made);
    CHECK(made.error().fault == base::Fault::Permanent);
  }
}

TEST_CASE("submission: a line with a dot ends it, when asked") {
  auto submission = sample();
  submission.recipients = {"you@example.com"};
  const std::string text = "Subject: x\n\none\n..\n.\ntwo\n";
  CHECK(submitted(text, submission).message.ends_with("one\r\n..\r\n.\r\ntwo\r\n"));
  submission.ends_at_dot = true;
  CHECK(submitted(text, submission).message.ends_with("one\r\n..\r\n"));
  CHECK(submitted("Subject: x\n\none\n.", submission).message.ends_with("one\r\n"));
}

TEST_CASE("submission: who is writing") {
  const std::string path = "/tmp/vsmtp-passwd-test." + std::to_string(::getpid());
  std::ofstream(path) << "short\nother:x:99999999:0:Other::\nmine:x:" << ::getuid() << ":0:My Name,Room 1,,:/root:/bin/sh\n";
  CHECK(current_author(path).user == "mine");
  CHECK(current_author(path).full_name == "My Name");
  ::unlink(path.c_str());
  CHECK_FALSE(current_author(path).user.empty());
}

TEST_CASE("line ends: the first one decides, or all are looked at") {
  struct Row {
    std::string_view message;
    bool by_first, by_all;
  };
  for (const auto& row : {Row{"", false, false}, Row{"a\r\nb\r\n", false, false}, Row{"a\nb\n", true, true}, Row{"a\r\nb\n", false, true},
                          Row{"a\nb\r\n", true, true}, Row{"a", true, true}, Row{"\n", true, true}, Row{"a\r\nb", false, true}}) {
    CAPTURE(row.message);
    CHECK(mail::needs_crlf(row.message, mail::LineEnds::AsFirstLine) == row.by_first);
    CHECK(mail::needs_crlf(row.message, mail::LineEnds::All) == row.by_all);
  }
  CHECK(mail::with_crlf("a\nb\r\n\rc\n\nd", kLimits)->octets() == "a\r\nb\r\n\rc\r\n\r\nd\r\n");
  // Across the pieces it is done in.
  std::string large;
  for (int i = 0; i < 40'000; ++i) large += "ab\r\n";
  const auto same = mail::with_crlf(large, kLimits);
  REQUIRE(same);
  CHECK(same->view()->octets() == large);
}
