#include "vsl-filter/transaction/mailbox_edit.h"

#include <doctest/doctest.h>

#include <chrono>

namespace {

struct Row {
  std::string_view body, address, expected;
};

std::string removed(std::string_view body, std::string_view address) {
  const auto edit = rules::remove_mailbox(body, address);
  return edit.changes == 0 ? "unchanged" : edit.is_empty ? "empty" : edit.body;
}

}  // namespace

TEST_CASE("mailbox edit: removing one keeps the rest as it is written") {
  for (const Row& row : std::initializer_list<Row>{
           {" a@x.org, b@x.org", "b@x.org", " a@x.org"},
           {" a@x.org, b@x.org", "a@x.org", " b@x.org"},
           {" a@x.org, b@x.org, c@x.org", "b@x.org", " a@x.org, c@x.org"},
           {" a@x.org", "a@x.org", "empty"},
           {" Ann <a@x.org>", "a@X.ORG", "empty"},
           {" a@x.org", "A@x.org", "unchanged"},       // the host alone knows whether these are the same
           {" xa@x.org, a@x.org.uk", "a@x.org", "unchanged"},  // what a search for text would have hit
           {" \"a@x.org\" <b@x.org>", "a@x.org", "unchanged"},
           {" b@x.org (a@x.org)", "a@x.org", "unchanged"},
           {" \"a\"@x.org, b@x.org", "a@x.org", " b@x.org"},
           {" Ann =?utf-8?Q?M=C3=BCller?= <a@x.org>,\r\n Bob (the, other) <b@x.org>,\r\n\tCarl <c@x.org>", "b@x.org", " Ann =?utf-8?Q?M=C3=BCller?= <a@x.org>,\r\n Carl <c@x.org>"},
           {" Ann <a@x.org>,\r\n \"Bob, B\" <b@x.org>,\r\n\tCarl <c@x.org>", "a@x.org", " \"Bob, B\" <b@x.org>,\r\n\tCarl <c@x.org>"},
           {" Ann <a@x.org>,\r\n Carl <c@x.org>\r\n", "c@x.org", " Ann <a@x.org>\r\n"},
           {" a@x.org, b@x.org, a@x.org", "a@x.org", " b@x.org"},
           {" a@x.org, a@x.org, b@x.org", "a@x.org", " b@x.org"},
           {" b@x.org, a@x.org, a@x.org", "a@x.org", " b@x.org"},
           {" a@x.org, a@x.org", "a@x.org", "empty"},
           {" b@x.org,\r\n a@x.org, a@x.org, c@x.org", "a@x.org", " b@x.org,\r\n c@x.org"},
           {" b@x.org, a@x.org, a@x.org,\r\n c@x.org", "a@x.org", " b@x.org,\r\n c@x.org"},
           {" b@x.org,\r\n a@x.org,\r\n a@x.org", "a@x.org", " b@x.org"},
           {" a@x.org; b@x.org", "b@x.org", " a@x.org; "},
           {" a@x.org (x), (y) b@x.org", "a@x.org", " (y) b@x.org"},
           {" Us: a@x.org, b@x.org;, c@x.org", "a@x.org", " Us: b@x.org;, c@x.org"},
           {" Us: a@x.org, b@x.org;, c@x.org", "b@x.org", " Us: a@x.org;, c@x.org"},
           {" Us: a@x.org;, c@x.org", "a@x.org", " Us: ;, c@x.org"},
           {" Us: a@x.org;, c@x.org", "c@x.org", " Us: a@x.org;"},
           {" c@x.org, Us: a@x.org;", "c@x.org", " Us: a@x.org;"},
           {" undisclosed-recipients:;", "a@x.org", "unchanged"},
           {" a@x.org, , b@x.org", "b@x.org", " a@x.org, "},
           {"", "a@x.org", "unchanged"},
           {" a@[192.0.2.1], b@x.org", "a@[192.0.2.1]", " b@x.org"},
       }) {
    CAPTURE(row.body);
    CAPTURE(row.address);
    CHECK(removed(row.body, row.address) == row.expected);
  }
}

TEST_CASE("mailbox edit: replacing keeps names, comments and groups") {
  for (const Row& row : std::initializer_list<Row>{
           {" a@x.org", "a@x.org", " new@y.org"},
           {" Ann <a@x.org>, b@x.org", "a@x.org", " Ann <new@y.org>, b@x.org"},
           {" (first) a@x.org (Ann)", "a@X.org", " (first) new@y.org (Ann)"},
           {" Us:\r\n \"Ann, A\" < a @ x.org (here) >;", "a@x.org", " Us:\r\n \"Ann, A\" < new@y.org (here) >;"},
           {" \"a@x.org\" <a@x.org>, a@x.org", "a@x.org", " \"a@x.org\" <new@y.org>, new@y.org"},
           {" a@[192.0.2.1] (x)", "a@[192.0.2.1]", " new@y.org (x)"},
           {" Ann a@x.org", "a@x.org", " Ann new@y.org"},
           {" b@x.org", "a@x.org", " b@x.org"},
       }) {
    CAPTURE(row.body);
    const auto edit = rules::replace_mailbox(row.body, row.address, "new@y.org");
    CHECK(edit.body == row.expected);
    CHECK((edit.changes > 0) == (row.body != row.expected));
  }
}

TEST_CASE("mailbox edit: appending") {
  for (const Row& row : std::initializer_list<Row>{
           {" a@x.org", "b@x.org", " a@x.org, b@x.org"},
           {"", "b@x.org", " b@x.org"},
           {" \r\n ", "b@x.org", " b@x.org"},
           {" a@x.org,", "b@x.org", " a@x.org, b@x.org"},
           {" undisclosed-recipients:;", "b@x.org", " undisclosed-recipients:;, b@x.org"},
           {" Ann Somebody <ann.somebody@department.example.org>,\r\n\tBob <b@x.org>", "c@x.org", " Ann Somebody <ann.somebody@department.example.org>,\r\n\tBob <b@x.org>, c@x.org"},
           {" Ann Somebody of Somewhere <ann.somebody@department.example.org>", "bob@long.example.org", " Ann Somebody of Somewhere <ann.somebody@department.example.org>,\r\n bob@long.example.org"},
       }) {
    CAPTURE(row.body);
    CHECK(rules::append_mailbox(row.body, row.address, 3, "\r\n") == row.expected);
  }
  // 78 octets on a line are fine, 79 are not.
  const std::string body = " " + std::string(56, 'a') + "@x.org";  // 3 + 63, then ", " and the address
  CHECK(rules::append_mailbox(body, "bbbb@x.org", 3, "\r\n") == body + ", bbbb@x.org");
  CHECK(rules::append_mailbox(body, "bbbbb@x.org", 3, "\r\n") == body + ",\r\n bbbbb@x.org");
}

TEST_CASE("mailbox edit: M4, one after the other") {
  std::string body = rules::remove_mailbox(" bob@own.example, carl@other.example", "bob@own.example").body;
  body = rules::append_mailbox(body, "dan@own.example", 3, "\r\n");
  body = rules::replace_mailbox(body, "carl@other.example", "carla@other.example").body;
  CHECK(body == " carla@other.example, dan@own.example");
}

TEST_CASE("mailbox edit: a list of 100,000 takes no time that grows with its square") {
  std::string body;
  for (int i = 0; i < 50'000; ++i) body += "a@x.org, b@x.org,\r\n ";
  const auto start = std::chrono::steady_clock::now();
  const auto edit = rules::remove_mailbox(body, "a@x.org");
  CHECK(edit.changes == 50'000);
  CHECK(edit.body.starts_with("b@x.org,\r\n b@x.org,"));
  CHECK(std::chrono::steady_clock::now() - start < std::chrono::seconds(10));
}
