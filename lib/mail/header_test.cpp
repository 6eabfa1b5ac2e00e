#include "lib/mail/header.h"

#include <doctest/doctest.h>

using namespace mail;

TEST_CASE("header: field names") {
  for (const auto* good : {"A", "X-Y_z.1", "!#$%&'*+-^_`{|}~", "\xc3\xa9"}) CHECK(is_field_name(good));
  for (const auto* bad : {"", "A B", "A:", "A\t", "A\x7f", "A\x01"}) CHECK_FALSE(is_field_name(bad));
}

TEST_CASE("header: unfolding drops line ends only") {
  CHECK(unfold(" a\r\n b\n\tc ") == "a b\tc");
  CHECK(unfold("") == "");
}

TEST_CASE("header: what RFC 5322 says of each field, in any case") {
  REQUIRE(find_known_field("dAtE") != nullptr);
  CHECK(find_known_field("date")->is_required);
  CHECK(find_known_field("FROM")->syntax == Syntax::MailboxList);
  CHECK_FALSE(find_known_field("Received")->is_unique);
  CHECK(find_known_field("X-Date") == nullptr);
  for (const auto& row : known_fields()) CHECK(find_known_field(row.name) == &row);
}

TEST_CASE("header: message identifiers are eaten one by one") {
  struct Case {
    std::string_view body;
    std::string_view id;
    MessageIdFault fault;
  };
  using enum MessageIdFault;
  for (const auto& [body, id, fault] : std::initializer_list<Case>{
           {" <a@b> <c@d>", "<a@b>", None},
           {" (x) <a.b@[c]>\r\n", "<a.b@[c]>", None},
           {"<\"a b\"@c>", "<\"a b\"@c>", Blank},
           {"<a b@c>", "<a b@c>", Blank},
           {"a@b <c@d>", "a@b", NoAngle},
           {"<a@b", "<a@b", Unclosed},
           {"<a@b <c@d>", "<a@b ", Unclosed},
           {"<>", "<>", Empty},
           {"<ab>", "<ab>", NoAt},
           {"<@b>", "<@b>", NoAt},
           {"<a@>", "<a@>", NoAt},
       }) {
    CAPTURE(body);
    std::size_t offset = 0;
    const auto found = next_message_id(body, offset);
    REQUIRE(found);
    CHECK(found->id.id == id);
    CHECK(found->fault == fault);
    CHECK(offset == found->id.offset + id.size());
  }
  std::size_t offset = 0;
  CHECK_FALSE(next_message_id(" (x) \r\n ", offset));
  // Every body is eaten to its end.
  for (const std::string_view body : {"<a@b> <c@d>", "x y <z", "<<<>>>", ">>>", "(((", ",;,;"}) {
    offset = 0;
    int count = 0;
    while (next_message_id(body, offset) && count < 20) ++count;
    CHECK(count < 20);
  }
}
