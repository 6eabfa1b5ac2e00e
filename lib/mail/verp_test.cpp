#include "lib/mail/verp.h"

#include <doctest/doctest.h>

using mail::VerpSender;

TEST_CASE("verp: an address for each recipient, and back") {
  const auto news = VerpSender::of("news@lists.example");
  REQUIRE(news);
  CHECK(news->address_for("joe@other.example") == "news-joe=other.example@lists.example");
  for (const std::string recipient : {"joe@other.example", "a-b=c@other.example", "joe+x@a-b.example", "\"two words\"@x.example", "u@[192.0.2.1]"})
    CHECK(news->recipient_of(news->address_for(recipient)) == recipient);
  // Hosts on the way may fold the case of the list; that of the recipient is what they leave.
  CHECK(news->recipient_of("NEWS-Joe=other.example@LISTS.example") == "Joe@other.example");
}

TEST_CASE("verp: what it has not made is nobody's") {
  const auto news = *VerpSender::of("news@lists.example");
  for (const std::string_view address : {"news@lists.example", "news-@lists.example", "news-joe@lists.example", "news-=other.example@lists.example", "news-joe=@lists.example",
                                         "news-joe=a b@lists.example", "news-joe=other.example@elsewhere.example", "newsjoe=other.example@lists.example", "news-joe=other.example", ""})
    CHECK_FALSE(news.recipient_of(address));
}

TEST_CASE("verp: delimiters") {
  CHECK(VerpSender::of("news@lists.example", "+=")->address_for("joe@other.example") == "news+joe=other.example@lists.example");
  CHECK(VerpSender::of("news@lists.example", "-+")->recipient_of("news-joe+other.example@lists.example") == "joe@other.example");
  for (const std::string_view bad : {"", "-", "--", "-=+", "a=", "=-", "- "}) CHECK_FALSE(VerpSender::of("news@lists.example", bad));
  CHECK_FALSE(VerpSender::of(""));
  CHECK_FALSE(VerpSender::of("news"));
}

TEST_CASE("verp: as qmail asks for it") {
  const auto news = VerpSender::of_qmail("news-@lists.example-@[]");
  REQUIRE(news);
  CHECK(news->address_for("joe@other.example") == "news-joe=other.example@lists.example");
  for (const std::string_view other : {"", "-@[]", "news@lists.example", "@lists.example-@[]", "news-@[]", "#@[]"}) CHECK_FALSE(VerpSender::of_qmail(other));
}
