#include "deliver-maildir/mailbox_name.h"

#include <doctest/doctest.h>

using maildir::MailboxTemplate;
using maildir::NameRules;
using maildir::Reason;
using maildir::read_recipient;

namespace {
std::string path_of(std::string_view where, std::string_view recipient, const NameRules& rules = {}) {
  const auto parsed = MailboxTemplate::parse(where);
  REQUIRE(parsed);
  const auto name = read_recipient(recipient, "default.example", rules);
  if (!name) return std::string(name.error().reply().substr(0, 9));
  const auto path = parsed->path_of(*name);
  return path ? *path : std::string(path.error().reply().substr(0, 9));
}
}  // namespace

TEST_CASE("deliver-maildir: a mailbox lies where the template says") {
  struct Case {
    std::string_view where;
    std::string_view recipient;
    std::string_view path;
  };
  constexpr std::string_view kStandard = "/srv/mail/{domain}/{local}/Maildir";
  constexpr std::string_view kFolders = "/m/{domain}/{user}/.{extension}";
  const Case cases[] = {
      {kStandard, "joe@example.org", "/srv/mail/example.org/joe/Maildir"},
      {kStandard, "Joe@Example.ORG", "/srv/mail/example.org/joe/Maildir"},
      {kStandard, "joe@example.org.", "/srv/mail/example.org/joe/Maildir"},
      {kStandard, "joe+list@example.org", "/srv/mail/example.org/joe+list/Maildir"},
      {kStandard, "postmaster", "/srv/mail/default.example/postmaster/Maildir"},
      {kStandard, "\"joe\"@example.org", "/srv/mail/example.org/joe/Maildir"},
      {kStandard, "\"joe doe\"@example.org", "/srv/mail/example.org/joe doe/Maildir"},
      {kStandard, "\"a@b\"@example.org", "/srv/mail/example.org/a@b/Maildir"},
      {kStandard, "\"a\\\"b\"@example.org", "/srv/mail/example.org/a\"b/Maildir"},
      {kStandard, "{domain}@example.org", "/srv/mail/example.org/{domain}/Maildir"},
      {kStandard, "joe@[192.0.2.1]", "/srv/mail/[192.0.2.1]/joe/Maildir"},
      {kStandard, "j\xc3\xb6rg@b\xc3\xbc" "cher.example", "/srv/mail/b\xc3\xbc" "cher.example/j\xc3\xb6rg/Maildir"},
      {kStandard, "a..b@example.org", "/srv/mail/example.org/a..b/Maildir"},
      {kFolders, "joe+Lists@example.org", "/m/example.org/joe/.lists"},
      {kFolders, "joe+a.b@example.org", "/m/example.org/joe/.a.b"},
      {kFolders, "joe+a+b@example.org", "/m/example.org/joe/.a+b"},
      {kFolders, "joe@example.org", "/m/example.org/joe"},
      {kFolders, "joe+@example.org", "/m/example.org/joe"},
      {"{user}", "joe+x@example.org", "joe"},
      {"mail/{user}-{domain}", "joe@example.org", "mail/joe-example.org"},
      {"//a/./b//{user}/", "joe@example.org", "/a/b/joe"},
      {"/catch/all", "anyone@example.org", "/catch/all"},
  };
  for (const auto& c : cases) {
    CAPTURE(c.recipient);
    CHECK(path_of(c.where, c.recipient) == c.path);
  }
}

TEST_CASE("deliver-maildir: a recipient that could leave its place is refused for good") {
  using namespace std::string_view_literals;
  const std::string_view cases[] = {
      ""sv, "@example.org"sv, "\"\"@example.org"sv, ".@example.org"sv, "..@example.org"sv, ".joe@example.org"sv, "\"..\"@example.org"sv,
      "../joe@example.org"sv, "a/b@example.org"sv, "\"a/b\"@example.org"sv, "/etc/passwd"sv, "joe@../x"sv, "joe@.."sv, "joe@."sv, "joe@"sv,
      "joe@.example.org"sv, "joe@a/b"sv, "joe@/"sv, "a\0b@example.org"sv, "joe@exa\0mple.org"sv, "\"a\nb\"@example.org"sv,
      "\"a\\\nb\"@example.org"sv, "a\x7f@example.org"sv, "\xff@example.org"sv, "a\xc0\xaf@example.org"sv, "joe@\xff"sv, "+x@example.org"sv,
      "joe+.x@example.org"sv, "joe+..@example.org"sv, "joe+../../x@example.org"sv,
  };
  for (const auto recipient : cases) {
    CAPTURE(recipient);
    CHECK(path_of("/m/{domain}/{user}/.{extension}", recipient) == "553 5.1.3");
    const auto name = read_recipient(recipient, "default.example", {});
    if (!name) CHECK(name.error().cause.find('\n') == std::string::npos);
  }
  CHECK_FALSE(read_recipient("joe", "", {}));
}

TEST_CASE("deliver-maildir: names are as long as RFC 5321 and the file system allow, not longer") {
  const std::string local(64, 'a');
  CHECK(path_of("/m/{local}", local + "@example.org") == "/m/" + local);
  CHECK(path_of("/m/{local}", local + "a@example.org") == "553 5.1.3");
  const std::string domain(255, 'd');
  CHECK(path_of("/m/{domain}", "joe@" + domain) == "/m/" + domain);
  CHECK(path_of("/m/{domain}", "joe@" + domain + "d") == "553 5.1.3");
  CHECK(path_of("/m/{domain}x", "joe@" + domain) == "553 5.1.3");
  std::string deep;
  for (int i = 0; i < 15; ++i) deep += "/{domain}";
  CHECK(path_of(deep, "joe@" + domain).size() == 15 * 256);
  CHECK(path_of(deep + "/{domain}", "joe@" + domain) == "553 5.1.3");
}

TEST_CASE("deliver-maildir: case and extensions follow the settings") {
  CHECK(path_of("/m/{domain}/{local}", "Joe@Example.org", {.fold_case = false}) == "/m/example.org/Joe");
  CHECK(path_of("/m/{user}.{extension}", "joe-x@example.org", {.extension_delimiter = "-"}) == "/m/joe.x");
  CHECK(path_of("/m/{user}", "joe+x@example.org", {.extension_delimiter = ""}) == "/m/joe+x");
  CHECK(path_of("/m/{user}", "+joe@example.org", {.extension_delimiter = ""}) == "/m/+joe");
}

TEST_CASE("deliver-maildir: a template says what is wrong with it, and what must be there already") {
  for (const auto* bad : {"", "/", ".", "/m/{name}", "/m/{local", "/m/local}", "/m/{Local}", "/m/{}"}) {
    CAPTURE(bad);
    const auto parsed = MailboxTemplate::parse(bad);
    REQUIRE_FALSE(parsed);
    CHECK(parsed.error().fault == base::Fault::Config);
  }
  CHECK(MailboxTemplate::parse("/srv/mail/{domain}/{local}/Maildir")->root() == "/srv/mail");
  CHECK(MailboxTemplate::parse("/srv/mail/x{domain}/y")->root() == "/srv/mail");
  CHECK(MailboxTemplate::parse("/{user}")->root() == "/");
  CHECK(MailboxTemplate::parse("{user}")->root() == ".");
  CHECK(MailboxTemplate::parse("a/b/{user}")->root() == "a/b");
}
